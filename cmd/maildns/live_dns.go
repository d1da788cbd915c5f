package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/lookup"
	"github.com/attunelogic/maildns/records"
)

// liveInDNS reads what the DNS shows of a domain. The TTLs of a zone's own
// servers are those that its host holds, unless the host may have chosen them;
// those of resolvers have run down.
func (s *site) liveInDNS(ctx context.Context, ref records.ProviderRef, name records.Name, flags []string) (config.Live, error) {
	r, err := s.newResolver(flags)
	if err != nil {
		return config.Live{}, err
	}
	zone, hosts, err := lookup.ZoneOf(ctx, r, name)
	if err != nil {
		return config.Live{}, err
	}
	t, _ := provider.Lookup(ref.Type)
	live := config.Live{Domain: name, Provider: ref, Limits: t.Limits, From: "at the name servers of " + string(zone), NoTTL: t.Limits.AutoTTL}
	addresses, given, err := s.givenServers(flags)
	if err == nil && !given {
		addresses, err = lookup.Addresses(ctx, r, hosts)
	}
	if err != nil {
		return config.Live{}, err
	}
	if given {
		live.From, live.NoTTL = "in the DNS", true
	}
	ask, err := s.knownNames(ctx, name)
	if err != nil {
		return config.Live{}, err
	}
	servers := make([]*lookup.Resolver, len(addresses))
	for i, a := range addresses {
		servers[i] = lookup.New([]string{a}, lookup.Options{})
	}
	seen, err := lookup.ReadNames(ctx, zone, servers, ask)
	if err != nil {
		return config.Live{}, err
	}
	live.Zone = seen.Zone
	s.tellSeen(seen, len(ask))
	return live, nil
}

// givenServers are the servers of --resolver or MAILDNS_RESOLVER.
func (a *app) givenServers(flags []string) (addresses []string, given bool, err error) {
	list := strings.Join(flags, ",")
	if list == "" {
		list = a.env("MAILDNS_RESOLVER")
	}
	if list == "" {
		return nil, false, nil
	}
	addresses, err = lookup.ParseServers(list)
	return addresses, true, err
}

// tellSeen tells once what this way of reading can't show.
func (s *site) tellSeen(seen lookup.Seen, names int) {
	s.say("--live dns looked at %d names. The DNS lists none, so it can't show selectors that no preset uses, nor what else is there; nor does it tell automatic TTLs, proxied records or how text is cut.", names)
	if n := len(seen.Synthesised); n > 0 {
		names := make([]string, n)
		for i, k := range seen.Synthesised {
			names[i] = k.String()
		}
		s.warn("made by a wildcard, so they count as absent: %s", someNames(names))
	}
}

// knownNames are the names below a domain that mail may use: those of the
// standards, those that the sender types' examples make, and the selectors that
// the configuration's other domains have.
func (s *site) knownNames(ctx context.Context, domain records.Name) ([]lookup.Asked, error) {
	env, err := s.environment()
	if err != nil {
		return nil, err
	}
	known := map[string]bool{"@": true, "_dmarc": true, "_mta-sts": true, "mta-sts": true, "_smtp._tls": true, "default._bimi": true, "*._domainkey": true}
	types, _ := config.SenderTypes(ctx, s.dir, env) // what is wrong in them, load has told
	for _, t := range types {
		for _, v := range t.Records {
			known[v.Key.Name.Relative("example.com")] = true
		}
		for _, p := range t.Recognise.Selector {
			if !strings.Contains(p, "*") {
				known[p+"._domainkey"] = true
			}
		}
	}
	for _, d := range s.cfg.Domains {
		for _, k := range d.DKIM {
			known[k.Selector+"._domainkey"] = true
		}
	}
	var out []lookup.Asked
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if strings.HasSuffix(name, ".") {
			continue
		}
		out = append(out, lookup.Asked{Name: records.Below(name, domain), Types: typesAt(name)})
	}
	return out, nil
}

// typesAt are the types that mail uses at a name, aliases aside.
func typesAt(name string) []records.Type {
	switch {
	case name == "mta-sts":
		return []records.Type{records.TypeA, records.TypeAAAA}
	case strings.Contains(name, "_"):
		return []records.Type{records.TypeTXT}
	}
	return []records.Type{records.TypeTXT, records.TypeMX}
}
