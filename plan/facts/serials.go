package facts

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider/lookup"
	"github.com/attunelogic/maildns/records"
)

// AskServers lets Serials ask authoritative servers by themselves; at returns a
// resolver for the server at an IP address. Without it none is: where resolvers were given, those
// alone are asked. It is called before the gatherer is used.
func (g *Gatherer) AskServers(at func(address string) *lookup.Resolver) {
	g.at, g.servers = at, map[string]*lookup.Resolver{}
}

// Serials asks the authoritative servers of a zone, each by itself, for its
// serial number, in the order of their names. Only a zone is asked about that
// names servers of its own which resolvers find as well. Servers that don't
// answer are left out: whether all can be reached is another question.
func (g *Gatherer) Serials(ctx context.Context, live records.Zone) []policy.Serial {
	if g == nil || g.at == nil {
		return nil
	}
	ask, ok := g.resolver.(asker)
	named, has := live.Set(records.Key{Name: live.Name, Type: records.TypeNS})
	if !ok || !has {
		return nil
	}
	found, err := ask.Lookup(ctx, live.Name, records.TypeNS)
	if err != nil {
		return nil
	}
	var out []policy.Serial
	for _, host := range found.Values {
		if named.Has(host) {
			out = append(out, g.serialsAt(ctx, ask, live.Name, records.Name(host))...)
		}
	}
	return out
}

// serialsAt asks one server at all of its addresses.
func (g *Gatherer) serialsAt(ctx context.Context, ask asker, zone, host records.Name) []policy.Serial {
	var addresses []records.Value
	for _, t := range []records.Type{records.TypeA, records.TypeAAAA} {
		if found, err := ask.Lookup(ctx, host, t); err == nil {
			addresses = append(addresses, found.Values...)
		}
	}
	numbers := make([]string, len(addresses))
	var group errgroup.Group
	for i, a := range addresses {
		group.Go(func() error {
			numbers[i] = g.serial(ctx, zone, string(a))
			return nil
		})
	}
	_ = group.Wait() // no function of the group fails
	var out []policy.Serial
	for i, n := range numbers {
		if n != "" {
			out = append(out, policy.Serial{Server: string(host) + " (" + string(addresses[i]) + ")", Number: n})
		}
	}
	return out
}

// serial is the zone's serial number at one address, empty where none comes.
func (g *Gatherer) serial(ctx context.Context, zone records.Name, address string) string {
	soa, err := g.server(address).Lookup(ctx, zone, "SOA")
	if err != nil || len(soa.Values) != 1 {
		return ""
	}
	if fields := strings.Fields(string(soa.Values[0])); len(fields) > 2 {
		return fields[2]
	}
	return ""
}

// server is the one resolver for an address: what it has learnt of a server that
// is silent holds for all zones.
func (g *Gatherer) server(address string) *lookup.Resolver {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.servers[address]
	if !ok {
		r = g.at(address)
		g.servers[address] = r
	}
	return r
}
