package rfc2136

import (
	"context"
	"errors"
	"fmt"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// snapshot is a zone as it was transferred.
type snapshot struct {
	zone   records.Zone
	soa    *dns.SOA
	signed bool // by DNSSEC
	// wire are the messages as they came: what a prerequisite repeats is what
	// the server holds, down to how a text is cut into strings.
	wire [][]byte
}

// maxTransfer bounds what a server can make us hold.
const maxTransfer = 256 << 20

// transfer reads a zone by AXFR (RFC 5936).
func (p *Provider) transfer(ctx context.Context, zone records.Name) (*snapshot, error) {
	s, err := p.server.transfer(ctx, zone)
	return s, ended(ctx, err)
}

func (s *server) transfer(ctx context.Context, zone records.Name) (*snapshot, error) {
	c, err := s.connect(ctx, transferring)
	if err != nil {
		return nil, err
	}
	defer c.finish()
	question := new(dns.Msg).SetAxfr(rr.FQDN(zone))
	if err := c.send(question); err != nil {
		return nil, err
	}
	t := transfer{}
	for size := 0; !t.done; {
		m, wire, err := c.receive(question)
		if err != nil {
			return nil, err
		}
		if size += len(wire); size > maxTransfer {
			return nil, fmt.Errorf("the zone has more than %d MiB: this is no mail zone", maxTransfer>>20)
		}
		if err := t.add(m.Answer); err != nil {
			return nil, fmt.Errorf("the transfer from server %s is broken: %w", s.address, err)
		}
		t.wire = append(t.wire, wire)
		c.further = true
	}
	return t.snapshot(zone), nil
}

// transfer is what has arrived of one.
type transfer struct {
	soa    *dns.SOA
	signed bool
	recs   []libdns.Record
	wire   [][]byte
	done   bool
}

// add takes the records of one message. The SOA is the first and the last of
// all (RFC 5936 2.2).
func (t *transfer) add(rrs []dns.RR) error {
	for _, r := range rrs {
		soa, isSOA := r.(*dns.SOA)
		switch {
		case t.done:
			return errors.New("records follow its end")
		case t.soa == nil && !isSOA:
			return errors.New("it doesn't begin with the SOA")
		case t.soa == nil:
			t.soa = soa
		case isSOA && soa.Serial != t.soa.Serial:
			return errors.New("the zone changed on the way: try again")
		case isSOA:
			t.done = true
			continue
		}
		t.signed = t.signed || r.Header().Rrtype == dns.TypeRRSIG
		t.recs = append(t.recs, record(r))
	}
	if t.soa == nil {
		return errors.New("it is empty")
	}
	return nil
}

func (t *transfer) snapshot(name records.Name) *snapshot {
	zone := rr.Zone(name, t.recs)
	var seen []records.RRset
	for set := range zone.All() {
		switch {
		case set.Key == records.Key{Name: name, Type: records.TypeNS}:
			set.Fixed = "the zone's own name servers are set at the server, not by dynamic update"
		case set.TTLs == nil:
			continue
		}
		set.TTLs = nil // a write gives all values the set's
		seen = append(seen, set)
	}
	return &snapshot{zone: zone.With(seen...), soa: t.soa, signed: t.signed, wire: t.wire}
}

// stored returns the RRs of the sets that changes touch, as the server holds
// them.
func (s *snapshot) stored(changes []records.Change) (map[records.Key][]dns.RR, error) {
	touched := make(map[records.Key][]dns.RR, len(changes))
	for _, c := range changes {
		touched[c.Key] = nil
	}
	for _, wire := range s.wire {
		m := new(dns.Msg)
		if err := m.Unpack(wire); err != nil {
			return nil, err
		}
		for _, r := range m.Answer {
			if have, ok := touched[key(r)]; ok {
				touched[key(r)] = append(have, r)
			}
		}
	}
	return touched, nil
}
