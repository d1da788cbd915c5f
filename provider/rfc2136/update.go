package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// Transact makes all changes or none, in one message. Where the zone no longer
// holds what a change was computed from, the error is a *records.StaleError.
//
// The message's prerequisites state what each changed set holds and, since a
// TTL can't be stated (RFC 2136 2.4.2), which SOA the zone has. Where only
// other sets have changed since the zone was read, it is read again and the
// message sent anew.
func (p *Provider) Transact(ctx context.Context, zone records.Name, changes []records.Change) error {
	if !changesAnything(changes) {
		return nil
	}
	s, err := p.expected(ctx, zone, changes)
	for try := 1; err == nil; try++ {
		// A zone that never stands still is compared set by set in the end.
		const most = 4
		withSOA := try < most && !p.isBlind()
		lost := p.send(ctx, s, changes, withSOA)
		if lost == nil {
			p.settle(ctx, s, changes)
			return nil
		}
		var r *refusal
		if !errors.As(lost, &r) || !r.isPrerequisite() {
			return lost
		}
		before := s.soa.Serial
		if s, err = p.fresh(ctx, zone, changes); err != nil {
			return err
		}
		if withSOA && s.soa.Serial == before {
			p.setBlind()
		}
		if !withSOA {
			return fmt.Errorf("nothing was written: %w, though a transfer shows the zone as it was read", lost)
		}
	}
	return err
}

// settle waits, where a signer stands between the zone that takes updates and
// the one that is served (BIND's inline-signing), until the changes have come
// through, for a moment: who reads the zone back is to see them. Whether they
// are there is not said here.
func (p *Provider) settle(ctx context.Context, s *snapshot, changes []records.Change) {
	if !s.signed && !p.isBlind() {
		return
	}
	for wait := 10 * time.Millisecond; wait < 2*time.Second; wait *= 2 {
		now, err := p.transfer(ctx, s.zone.Name)
		if err != nil || now.zone.Check(reversed(changes)) == nil {
			return // who can't read now can't read back either, and says so
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// reversed are the changes that start where these end.
func reversed(changes []records.Change) []records.Change {
	back := make([]records.Change, len(changes))
	for i, c := range changes {
		back[i] = c.Reverse()
	}
	return back
}

func changesAnything(changes []records.Change) bool {
	for _, c := range changes {
		if !isNone(c) {
			return true
		}
	}
	return false
}

// isNone reports whether a change leads to where it comes from.
func isNone(c records.Change) bool {
	if c.Before == nil || c.After == nil {
		return c.Before == c.After
	}
	return c.Before.Equal(*c.After)
}

// expected returns the zone as it was read last if the changes fit to it, else
// as it is now.
func (p *Provider) expected(ctx context.Context, zone records.Name, changes []records.Change) (*snapshot, error) {
	if s := p.recall(zone); s != nil && s.admit(changes) == nil {
		return s, nil
	}
	return p.fresh(ctx, zone, changes)
}

// fresh returns the zone as it is now, or why the changes don't fit to it.
func (p *Provider) fresh(ctx context.Context, zone records.Name, changes []records.Change) (*snapshot, error) {
	s, err := p.transfer(ctx, zone)
	if err != nil {
		return nil, fmt.Errorf("nothing was written, since the zone can't be read before: %w", err)
	}
	return s, s.admit(changes)
}

// admit says why changes can't be made to the zone as it was read.
func (s *snapshot) admit(changes []records.Change) error {
	if err := s.zone.Check(changes); err != nil {
		return err
	}
	for _, c := range changes {
		if set, _ := s.zone.Set(c.Key); set.Fixed != "" && !isNone(c) {
			return fmt.Errorf("%s can't be changed: %s", c.Key, set.Fixed)
		}
	}
	return s.zone.CheckCNAME(changes) // which servers ignore without an error
}

// send sends the changes. What was read is forgotten, whatever comes of it.
func (p *Provider) send(ctx context.Context, s *snapshot, changes []records.Change, withSOA bool) error {
	m, err := s.message(changes, withSOA)
	if err != nil {
		return err
	}
	p.remember(nil)
	return p.server.update(ctx, m)
}

func (p *Provider) isBlind() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.blind
}

func (p *Provider) setBlind() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.blind = true
}

// message writes changes as one update: prerequisites (RFC 2136 2.4), then
// what goes, then what comes (RFC 2136 2.5), so that a CNAME finds its name
// free.
func (s *snapshot) message(changes []records.Change, withSOA bool) (*dns.Msg, error) {
	stored, err := s.stored(changes)
	if err != nil {
		return nil, err
	}
	m := new(dns.Msg).SetUpdate(rr.FQDN(s.zone.Name))
	if withSOA {
		m.Used([]dns.RR{dns.Copy(s.soa)})
	}
	for _, c := range changes {
		if have := stored[c.Key]; len(have) > 0 {
			m.Used(copies(have))
		} else {
			m.RRsetNotUsed(anyRR(c.Key))
		}
	}
	for _, c := range changes {
		if c.Before != nil && !isNone(c) {
			m.RemoveRRset(anyRR(c.Key))
		}
	}
	for _, c := range changes {
		if c.After == nil || isNone(c) {
			continue
		}
		rrs, err := compose(*c.After, stored[c.Key])
		if err != nil {
			return nil, err
		}
		m.Insert(rrs)
	}
	return m, nil
}

// compose returns the RRs of a set. A value that the server holds stays as it
// is there: strangers may mind where their text is cut.
func compose(s records.RRset, have []dns.RR) ([]dns.RR, error) {
	var rrs []dns.RR
	kept := make(map[records.Value]bool, len(have))
	for _, r := range have {
		if v, err := value(r); err == nil && s.Has(v) {
			kept[v] = true
			r = dns.Copy(r)
			r.Header().Ttl = uint32(s.TTL)
			rrs = append(rrs, r)
		}
	}
	for _, v := range s.Values {
		if kept[v] {
			continue
		}
		r, err := newRR(s.Key, s.TTL, v)
		if err != nil {
			return nil, err
		}
		rrs = append(rrs, r)
	}
	return rrs, nil
}

// copies are for a message that gives them another class and TTL.
func copies(rrs []dns.RR) []dns.RR {
	out := make([]dns.RR, len(rrs))
	for i, r := range rrs {
		out[i] = dns.Copy(r)
	}
	return out
}
