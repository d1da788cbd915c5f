package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// RuleFlatten is the rule that holds a record whose includes can't be
// flattened now, and the networks that a vendor has just withdrawn.
const RuleFlatten = "spf-flatten-stale"

// FlatLife is how long a network stays in a flattened record after the vendor
// has withdrawn it: growth is published at once, shrinkage after this time.
const FlatLife = 7 * 24 * time.Hour

// flattening is a domain's SPF record with its flatten names replaced by their
// networks.
type flattening struct {
	problem string      // why it can't be told; nothing is then published anew
	gone    []spf.Term  // withdrawn by the vendor, and staying for now
	until   time.Time   // when the first of gone may go
	expired []spf.Term  // withdrawn long enough ago
	record  *spf.Record // without gone
}

// flatten works out the flattened record of a domain; nil where none is asked
// for.
func flatten(in Input) *flattening {
	d := in.Domain
	if d.SPF == nil || len(d.SPF.Flatten) == 0 || d.Removed {
		return nil
	}
	switch {
	case in.Known.SPF == nil:
		return &flattening{problem: "the DNS was not asked"}
	case in.Known.SPF.Flat == nil:
		return &flattening{problem: in.Known.SPF.FlatProblem}
	}
	f := &flattening{record: in.Known.SPF.Flat}
	past, _ := in.Past.Domain(d.Name)
	for _, r := range past.Flat {
		f.age(r, in.Clock)
	}
	return f
}

// age decides about one network that the last record had.
func (f *flattening) age(r plan.FlatRange, clock plan.Clock) {
	if !f.withdrawn(r.Prefix) {
		return
	}
	since := clock.Now
	if r.Gone != nil {
		since = r.Gone.On(clock)
	}
	term := networkTerm(r.Prefix)
	end := since.Add(FlatLife)
	if !clock.Now.Before(end) {
		f.expired = append(f.expired, term)
		return
	}
	f.gone = append(f.gone, term)
	if f.until.IsZero() || end.Before(f.until) {
		f.until = end
	}
}

// withdrawn reports whether the vendor's networks no longer cover a prefix.
func (f *flattening) withdrawn(p netip.Prefix) bool {
	return !spf.SetOf(p).Minus(spf.SetOf(networks(f.record)...)).IsEmpty()
}

// hasExpired reports whether a live term is a network that the vendor has
// withdrawn long enough ago.
func (f *flattening) hasExpired(t spf.Term) bool {
	return f != nil && slices.ContainsFunc(f.expired, func(e spf.Term) bool { return e.Key() == t.Key() })
}

// networks are the ip4 and ip6 terms of a record that pass.
func networks(r *spf.Record) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range r.Live() {
		if (t.Kind == spf.IP4 || t.Kind == spf.IP6) && t.Qualifier == spf.Pass {
			out = append(out, t.Prefix)
		}
	}
	return out
}

func networkTerm(p netip.Prefix) spf.Term {
	kind := spf.IP4
	if p.Addr().Is6() {
		kind = spf.IP6
	}
	return spf.Term{Kind: kind, Prefix: p}
}

// value is the record to be published, with what is gone for less than
// FlatLife.
func (f *flattening) value() records.Value {
	if len(f.gone) == 0 {
		return records.Value(f.record.String())
	}
	rest, _ := f.record.All()
	return records.Value(spf.Union(f.record, f.gone, rest).String())
}

// flattened puts the flattened record in the place of the declared one.
func (l *limiter) flattened() {
	if l.flat == nil || l.flat.problem != "" {
		return
	}
	own := records.Key{Name: l.Domain.Name, Type: records.TypeTXT}
	for i := range l.today.Declared {
		if d := &l.today.Declared[i]; d.Kind == records.KindSPF && d.Key == own {
			d.Value = l.flat.value()
		}
	}
}

// flatVerdict is the word on a change that rests on the vendor's networks.
func (f *flattening) flatVerdict() plan.GateVerdict {
	if f.problem != "" {
		return plan.GateVerdict{ID: RuleFlatten, Verdict: plan.Unknown,
			Reason: "the includes can't be flattened: " + f.problem, Needs: "a DNS answer that shows all their networks, or a record without flatten"}
	}
	return plan.GateVerdict{ID: RuleFlatten, Verdict: plan.VerdictNo,
		Reason: fmt.Sprintf("the vendor has withdrawn %d networks, which stay for 7 days", len(f.gone)),
		Needs:  "time: until " + f.until.UTC().Format(time.DateOnly)}
}

// splitFlat is splitSPF for a record with flattened includes: held as a whole
// while they can't be told, and without the networks that are gone otherwise.
func (s *spfCase) splitFlat() *verdict {
	f := s.flat
	if f.problem != "" {
		v := &verdict{today: s.keep(s.slot.live...)}
		v.held = []plan.Gated{s.gatedTo(s.want, f.flatVerdict())}
		return v
	}
	v := s.split()
	if len(f.gone) > 0 && len(v.today) == 1 {
		without := s.want[0]
		without.Value = records.Value(f.record.String())
		v.held = append(v.held, s.gatedTo([]records.Declared{without}, f.flatVerdict()))
	}
	return v
}

// flatRanges is what the journal keeps of a flattened record: its networks,
// and since when the vendor has withdrawn some of them.
func flatRanges(in Input) []plan.FlatRange {
	f := flatten(in)
	past, _ := in.Past.Domain(in.Domain.Name)
	switch {
	case f == nil:
		return nil
	case f.problem != "":
		return past.Flat
	}
	declared := networks(in.Domain.SPF.Record)
	var out []plan.FlatRange
	for _, p := range networks(f.record) {
		if !slices.Contains(declared, p) {
			out = append(out, plan.FlatRange{Prefix: p})
		}
	}
	for _, t := range f.gone {
		r := plan.FlatRange{Prefix: t.Prefix}
		for _, old := range past.Flat {
			if old.Prefix == t.Prefix {
				r.Gone = old.Gone
			}
		}
		if r.Gone == nil {
			now := in.Clock.Moment()
			r.Gone = &now
		}
		out = append(out, r)
	}
	return out
}
