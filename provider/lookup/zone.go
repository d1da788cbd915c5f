package lookup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// Asked is a name and the types that are asked for at it. CNAME is always asked
// for, and where there is one nothing else is.
type Asked struct {
	Name  records.Name
	Types []records.Type
}

// Seen is a part of a zone as its servers give it out.
type Seen struct {
	Zone records.Zone
	// Synthesised are sets that a wildcard makes (RFC 4592): the zone holds no
	// such set, so they are not in it.
	Synthesised []records.Key
}

// ZoneOf finds the zone that holds a name, and its authoritative servers, by
// asking a recursive resolver for the NS records of the name and the names above
// it.
func ZoneOf(ctx context.Context, r *Resolver, name records.Name) (zone records.Name, servers []records.Name, err error) {
	for zone = name; zone != ""; zone = zone.Parent() {
		got, err := r.Lookup(ctx, zone, records.TypeNS)
		if err != nil {
			return "", nil, fmt.Errorf("finding the zone of %s: NS of %s: %w", name, zone, err)
		}
		if len(got.Values) > 0 && len(got.Aliases) == 0 {
			for _, v := range got.Values {
				servers = append(servers, records.Name(v))
			}
			return zone, servers, nil
		}
	}
	return "", nil, fmt.Errorf("the DNS knows no zone that holds %s", name)
}

// Addresses are all addresses of name servers, with their port, in the order of
// the servers. One without any is an error: it can't be asked.
func Addresses(ctx context.Context, r *Resolver, servers []records.Name) ([]string, error) {
	var out []string
	for _, host := range servers {
		found := false
		for _, t := range []records.Type{records.TypeA, records.TypeAAAA} {
			got, err := r.Lookup(ctx, host, t)
			if err != nil {
				return nil, fmt.Errorf("the name server %s: %s: %w", host, t, err)
			}
			for _, v := range got.Values {
				found = true
				if address := net.JoinHostPort(string(v), defaultPort); !slices.Contains(out, address) {
					out = append(out, address)
				}
			}
		}
		if !found {
			return nil, fmt.Errorf("the name server %s has no address", host)
		}
	}
	return out, nil
}

// ReadNames reads the given names of a zone at each of the given servers, each
// of which is a Resolver of its own. A question that stays open at one of them,
// or two answers that differ, are an error: nothing is ever taken for absent
// that may be there. TTLs are those that the servers give, the highest where
// they differ; a recursive server's have run down.
func ReadNames(ctx context.Context, zone records.Name, servers []*Resolver, ask []Asked) (Seen, error) {
	if len(servers) == 0 {
		return Seen{}, errors.New("there is no server to ask")
	}
	out := Seen{Zone: records.NewZone(zone, 0)}
	for _, a := range ask {
		alias, err := out.read(ctx, servers, records.Key{Name: a.Name, Type: records.TypeCNAME})
		for _, t := range a.Types {
			if err == nil && !alias && t != records.TypeCNAME {
				_, err = out.read(ctx, servers, records.Key{Name: a.Name, Type: t})
			}
		}
		if err != nil {
			return Seen{}, err
		}
	}
	return out, nil
}

// read asks all servers for one set and adds it, unless a wildcard makes it. It
// reports whether there is an answer.
func (s *Seen) read(ctx context.Context, servers []*Resolver, k records.Key) (found bool, err error) {
	set, err := agreed(ctx, servers, k)
	if err != nil || len(set.Values) == 0 {
		return false, err
	}
	made, err := s.synthesised(ctx, servers, set)
	switch {
	case err != nil:
		return false, err
	case made && !slices.Contains(s.Synthesised, k):
		s.Synthesised = append(s.Synthesised, k)
	case !made:
		s.Zone = s.Zone.With(set)
	}
	return true, nil
}

// synthesised reports whether the wildcard beside a name gives the same answer.
// An alias is asked for first: another type would lead to its target.
func (s *Seen) synthesised(ctx context.Context, servers []*Resolver, set records.RRset) (bool, error) {
	above := set.Name.Parent()
	if strings.HasPrefix(string(set.Name), "*.") {
		above = above.Parent() // another one may make the wildcard
	}
	if set.Name == s.Zone.Name || !above.In(s.Zone.Name) {
		return false, nil
	}
	wildcard := records.Below("*", above)
	alias, err := agreed(ctx, servers, records.Key{Name: wildcard, Type: records.TypeCNAME})
	if err != nil || set.Type == records.TypeCNAME || len(alias.Values) > 0 {
		return set.Type == records.TypeCNAME && alias.SameValues(set), err
	}
	same, err := agreed(ctx, servers, records.Key{Name: wildcard, Type: set.Type})
	return err == nil && same.SameValues(set), err
}

// agreed is a set as all servers give it.
func agreed(ctx context.Context, servers []*Resolver, k records.Key) (records.RRset, error) {
	var out records.RRset
	for i, r := range servers {
		got, err := r.Lookup(ctx, k.Name, k.Type)
		if err != nil {
			return out, fmt.Errorf("%s: %w", k, err)
		}
		set := records.NewRRset(k, records.TTL(got.TTL), got.Values...)
		if i == 0 {
			out = set
			continue
		}
		if !set.SameValues(out) {
			return out, fmt.Errorf("%s: the servers disagree: %s has %s, and %s has %s; wait until all have the same zone", k,
				servers[0].first(), some(out.Values), r.first(), some(set.Values))
		}
		out.TTL = max(out.TTL, set.TTL)
	}
	return out, nil
}

// first is the address of the resolver's first server.
func (r *Resolver) first() string { return r.servers[0].address }

// some prints values for a message.
func some(values []records.Value) string {
	if len(values) == 0 {
		return "none"
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = records.PrintableValue(v)
	}
	return strings.Join(texts, ", ")
}
