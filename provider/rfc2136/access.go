package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// CheckAccess transfers each zone, and asks whether the key may change the
// records of mail by an update that can't be made.
func (p *Provider) CheckAccess(ctx context.Context, zones []records.Name) (facts []string, err error) {
	for _, zone := range zones {
		found, problem := p.check(ctx, zone)
		facts = append(facts, found...)
		if problem != nil {
			err = errors.Join(err, fmt.Errorf("zone %s: %w", zone, problem))
		}
	}
	return facts, err
}

func (p *Provider) check(ctx context.Context, zone records.Name) (facts []string, err error) {
	say := func(format string, args ...any) {
		facts = append(facts, fmt.Sprintf("zone %s: ", zone)+fmt.Sprintf(format, args...))
	}
	s, err := p.transfer(ctx, zone)
	if err != nil {
		return facts, err
	}
	key := strings.TrimSuffix(p.key.Name, ".")
	say("the key %s may transfer it: %d record sets, serial %d", key, s.zone.Len(), s.soa.Serial)
	probes := mailSets(zone)
	err = p.probe(ctx, zone, probes)
	if err == nil {
		say("the key %s may change the records of mail", key)
		return facts, nil
	}
	if !isRefused(err) {
		return facts, err
	}
	var denied []string
	for _, k := range probes {
		switch one := p.probe(ctx, zone, []records.Key{k}); {
		case isRefused(one):
			denied = append(denied, k.String())
		case one != nil:
			return facts, one
		}
	}
	if len(denied) == len(probes) {
		return facts, err
	}
	say("the key %s may not change %s", key, strings.Join(denied, ", "))
	return facts, nil
}

// mailSets are examples of what mail needs.
func mailSets(zone records.Name) []records.Key {
	at := func(prefix string, t records.Type) records.Key {
		return records.Key{Name: records.Below(prefix, zone), Type: t}
	}
	return []records.Key{
		at("@", records.TypeTXT), at("@", records.TypeMX), at("_dmarc", records.TypeTXT),
		at("maildns-check._domainkey", records.TypeTXT), at("maildns-check._domainkey", records.TypeCNAME),
		at("_mta-sts", records.TypeTXT), at("mta-sts", records.TypeCNAME), at("_smtp._tls", records.TypeTXT),
	}
}

// probe asks whether the sets may be changed. Its prerequisite, that the zone
// has no SOA, never holds, and what it would remove exists nowhere: servers judge
// the key before (BIND since 9.18.11, Knot, PowerDNS), or else say that the
// prerequisite failed (RFC 2136 3.2, 3.3).
func (p *Provider) probe(ctx context.Context, zone records.Name, sets []records.Key) error {
	m := new(dns.Msg).SetUpdate(rr.FQDN(zone))
	m.RRsetNotUsed(anyRR(records.Key{Name: zone, Type: "SOA"}))
	for _, k := range sets {
		r, err := newRR(k, 300, example(k))
		if err != nil {
			return err
		}
		m.Remove([]dns.RR{r})
	}
	err := p.server.update(ctx, m)
	var r *refusal
	switch {
	case errors.As(err, &r) && r.isPrerequisite():
		return nil
	case err == nil:
		return errors.New("the server made an update whose prerequisite doesn't hold: don't let maildns write there")
	}
	return err
}

// example is a value that no zone holds.
func example(k records.Key) records.Value {
	switch k.Type {
	case records.TypeMX:
		return "1 maildns-check.invalid"
	case records.TypeCNAME:
		return "maildns-check.invalid"
	}
	return "maildns provider check"
}

// isRefused reports whether the key, which is good for a transfer, may not do
// this. Knot calls it a bad key then.
func isRefused(err error) bool {
	var r *refusal
	return errors.As(err, &r) && (r.rcode == dns.RcodeRefused || r.tsig != nil && r.tsig.Error == dns.RcodeBadKey)
}
