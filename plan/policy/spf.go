package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// MaxLookups is the limit of RFC 7208 4.6.4.
const MaxLookups = 10

// Rules that hold an SPF record for what it comes to as a whole: above the
// limits of RFC 7208 4.6.4, or for everybody.
const (
	RuleLookups = "spf-lookups"
	RuleVoid    = "spf-void"
	RulePassAll = "spf-pass-all"
)

// spfCase is an SPF record on its way from what is live to what is declared.
type spfCase struct {
	*court
	key      records.Key
	declared *spf.Record
	live     []*spf.Record // as receivers find them
	// leaving are the terms by which the declaration narrows the live
	// records, each with the word of its gate.
	leaving  []leaving
	hardFail *plan.GateVerdict // asked only where everyone else may begin to fail
}

// leaving is a live term that is withdrawn or, for a taker, a declared one that
// is no pass and takes addresses from those after it.
type leaving struct {
	term    spf.Term
	gate    plan.GateVerdict
	subject string // the term and what it authorises
	taker   bool
}

// shape says how much of a declared record is published.
type shape struct {
	keep []spf.Term // live terms that stay
	soft bool       // everyone else doesn't fail yet
	mild bool       // without the takers
}

// splitSPF publishes the union of the declared terms and the live ones that
// may not go yet, with the softer all. So a swap of one sender for another
// widens now and narrows later.
func splitSPF(c *court) *verdict {
	s := &spfCase{court: c, key: records.Key{Name: c.name, Type: records.TypeTXT}}
	s.readLive()
	if len(c.want) == 0 {
		return s.withdraw()
	}
	declared, err := spf.Parse(string(c.want[0].Value))
	if err != nil {
		// A declaration that doesn't parse is an error finding of its own and
		// stops the domain; nothing is split.
		return c.all()
	}
	s.declared = declared
	s.weighTerms()
	s.weighTakers()
	s.weighRest()
	if s.flat != nil && s.ofDomain() {
		return s.splitFlat()
	}
	return s.split()
}

func (s *spfCase) readLive() {
	for _, h := range s.slot.live {
		if spf.IsSPF(string(h.value)) {
			r, _ := spf.ParseLoose(string(h.value))
			s.live = append(s.live, r)
		}
	}
}

// withdraw removes a record that the configuration declares no more. One that
// authorises nobody goes at once.
func (s *spfCase) withdraw() *verdict {
	var forgotten []string
	passes := false
	for _, t := range s.liveTerms() {
		passes = passes || t.Qualifier == spf.Pass
		if s.forgotten(t) {
			forgotten = append(forgotten, t.Key())
		}
	}
	if !passes && !slices.ContainsFunc(s.live, passesAll) {
		return s.all()
	}
	gate := GateNarrow
	if !s.ofDomain() && s.isReturnPath(s.key) {
		gate = GateReturnPath
	}
	gates := []plan.GateVerdict{s.ask(gate, s.key, "the SPF record")}
	if len(forgotten) > 0 {
		gates = append(gates, s.ask(GateAdoption, s.key, strings.Join(forgotten, ", ")))
	}
	return s.whole(gates...)
}

// passesAll reports whether a record authorises the whole world.
func passesAll(r *spf.Record) bool {
	end, has := r.All()
	return has && end == spf.Pass
}

// liveTerms are the mechanisms of all live records, each once and with its
// softest qualifier; a redirect counts as an include.
func (s *spfCase) liveTerms() []spf.Term {
	var out []spf.Term
	for _, r := range s.live {
		for _, t := range r.Live() {
			if t.Kind == spf.All {
				continue
			}
			if t.Kind == spf.Redirect {
				t.Kind = spf.Include
			}
			i := slices.IndexFunc(out, func(o spf.Term) bool { return o.Key() == t.Key() })
			if i < 0 {
				out = append(out, t)
				continue
			}
			out[i].Qualifier = min(out[i].Qualifier, t.Qualifier)
		}
	}
	return out
}

// weighTerms finds the live terms that would leave, and asks their gates.
func (s *spfCase) weighTerms() {
	declared, all := s.Known.SPF.record(s.declared)
	for _, t := range s.liveTerms() {
		if !s.narrows(t) || s.ofDomain() && s.flat.hasExpired(t) {
			continue
		}
		subject := t.Key()
		if known, ok := s.Known.SPF.term(t); ok {
			lost := known.Pass.Minus(declared.Pass)
			if lost.IsEmpty() {
				continue // nobody loses anything by it
			}
			if all {
				subject = fmt.Sprintf("%s (%s)", t.Key(), howMany(lost))
			}
		}
		gate := GateNarrow
		if s.forgotten(t) {
			gate = GateAdoption
		}
		s.leaving = append(s.leaving, leaving{term: t, gate: s.ask(gate, s.key, subject), subject: subject})
	}
}

// forgotten reports whether adoption stands before withdrawing a term.
func (s *spfCase) forgotten(t spf.Term) bool {
	return s.ofDomain() && s.protects("spf:"+t.Key())
}

// ofDomain tells the domain's own record from those at other names, such as a
// sender's return path.
func (s *spfCase) ofDomain() bool { return s.name == s.Domain.Name }

// weighTakers finds the declared terms that are no pass and that no live record
// has where it stands now: they would take addresses from the terms after them.
func (s *spfCase) weighTakers() {
	if len(s.live) == 0 {
		return // nobody is authorised yet
	}
	terms := s.declared.Live()
	for i, t := range terms {
		if t.Kind != spf.All && t.Qualifier != spf.Pass && s.takes(t, terms[:i]) {
			s.leaving = append(s.leaving, leaving{term: t, gate: s.ask(GateNarrow, s.key, t.String()), subject: t.String(), taker: true})
		}
	}
}

// takes reports whether a declared term stands where it takes addresses that
// the live records leave to others: no live record has it, or terms that stood
// before it no longer do.
func (s *spfCase) takes(t spf.Term, before []spf.Term) bool {
	known := false
	for _, r := range s.live {
		terms := r.Live()
		i := slices.IndexFunc(terms, same(t))
		if i < 0 {
			continue
		}
		known = true
		if slices.ContainsFunc(terms[:i], func(o spf.Term) bool {
			return slices.ContainsFunc(s.declared.Live(), same(o)) && !slices.ContainsFunc(before, same(o))
		}) {
			return true
		}
	}
	return !known
}

func same(t spf.Term) func(spf.Term) bool {
	return func(o spf.Term) bool { return authority(o) == authority(t) }
}

// narrows reports whether the declaration treats the term's addresses more
// strictly than the live record does.
func (s *spfCase) narrows(t spf.Term) bool {
	rest, _ := s.declared.All()
	if _, redirects := s.declared.Find(spf.Redirect); redirects {
		rest = spf.Fail // what the target says of others isn't known here
	}
	for _, d := range s.declared.Live() {
		if d.Kind == spf.Redirect {
			d.Kind = spf.Include
		}
		if d.Kind != spf.All && d.Key() == t.Key() {
			return d.Qualifier > t.Qualifier
		}
	}
	return rest > t.Qualifier
}

// protects reports whether adoption stands before withdrawing this: it was
// live when the domain was first applied, and never declared.
func (c *court) protects(part string) bool {
	d, applied := c.Past.Domain(c.Domain.Name)
	if !applied {
		return true
	}
	return slices.Contains(d.Found, part) && !slices.Contains(d.Declared, part)
}

// weighRest asks whether everyone else may begin to fail: by -all, or by a
// redirect to a record of which nothing is known here. Until then the softer
// end stays.
func (s *spfCase) weighRest() {
	end, has := s.declared.All()
	subject := "-all"
	if target, ok := s.declared.Find(spf.Redirect); ok && !has {
		if slices.ContainsFunc(s.live, func(r *spf.Record) bool { return endsIn(r, target) }) {
			return
		}
		end, subject = spf.Fail, target.String()
	}
	if end == spf.Fail && s.liveRest() < spf.Fail {
		g := s.ask(GateHardFail, s.key, subject)
		s.hardFail = &g
	}
}

// endsIn reports whether a record leaves everyone else to the redirect.
func endsIn(r *spf.Record, redirect spf.Term) bool {
	return slices.ContainsFunc(r.Live(), func(t spf.Term) bool { return t.Kind == spf.Redirect && t.Key() == redirect.Key() })
}

// liveRest is the softest end of the live records: softfail where none is live,
// where one passes the whole world, and for a redirect, whose end isn't known.
func (s *spfCase) liveRest() spf.Qualifier {
	rest := spf.Fail
	for _, r := range s.live {
		q, has := r.All()
		if _, redirects := r.Find(spf.Redirect); redirects && !has {
			q = spf.SoftFail
		}
		rest = min(rest, q)
	}
	if len(s.live) == 0 || rest == spf.Pass {
		return spf.SoftFail
	}
	return rest
}

// shape is what may be published where the given gates open.
func (s *spfCase) shape(opens func(plan.GateVerdict) bool) shape {
	out := shape{soft: s.hardFail != nil && !opens(*s.hardFail)}
	for _, l := range s.leaving {
		switch {
		case opens(l.gate):
		case l.taker:
			out.mild = true
		default:
			out.keep = append(out.keep, l.term)
		}
	}
	return out
}

// record is the declared record in a shape.
func (s *spfCase) record(h shape) []records.Declared {
	want := s.want[0]
	if len(h.keep) > 0 || h.soft || h.mild {
		want.Value = records.Value(s.union(h).String())
		if len(s.slot.live) == 1 {
			want.Value = sameWords(s.slot.live[0].value, s.union(h))
		}
	}
	return []records.Declared{want}
}

func (s *spfCase) union(h shape) *spf.Record {
	declared := s.declared
	if h.mild {
		declared = spf.New(slices.DeleteFunc(slices.Clone(declared.Terms), s.isTaker)...)
	}
	if h.soft {
		return spf.Union(declared, h.keep, s.liveRest())
	}
	return unite(declared, h.keep)
}

// unite adds terms to a record and leaves its end as it is, be it an all or a
// redirect, which an all would make dead (RFC 7208 6.1).
func unite(r *spf.Record, more []spf.Term) *spf.Record {
	end, has := r.All()
	target, redirects := r.Find(spf.Redirect)
	if has || !redirects {
		return spf.Union(r, more, end)
	}
	rest := slices.DeleteFunc(slices.Clone(r.Terms), isEnd)
	more = slices.DeleteFunc(slices.Clone(more), func(t spf.Term) bool { return t.Kind == spf.Redirect && t.Key() == target.Key() })
	terms := slices.DeleteFunc(spf.Union(spf.New(rest...), more, end).Terms, isEnd)
	return spf.New(append(terms, target)...)
}

// isEnd reports whether a term decides about everyone else.
func isEnd(t spf.Term) bool { return t.Kind == spf.All || t.Kind == spf.Redirect }

func (s *spfCase) isTaker(t spf.Term) bool {
	return slices.ContainsFunc(s.leaving, func(l leaving) bool { return l.taker && l.term.String() == t.String() })
}

func (s *spfCase) split() *verdict {
	now := s.shape(plan.GateVerdict.Opens)
	today := s.record(now)
	v := &verdict{today: today}
	cost := s.cost(today[0].Value)
	if cost.Lookups > MaxLookups && len(now.keep) > 0 {
		return s.tooMany(cost.Lookups, now.keep)
	}
	if g := overBudget(cost, s.liveCost()); g != nil {
		return s.whole(*g)
	}
	for _, g := range s.holding() {
		then := s.shape(func(o plan.GateVerdict) bool { return o.Opens() || o.ID == g.ID })
		v.held = append(v.held, s.gatedTo(s.record(then), g))
	}
	for _, g := range s.opened() {
		v.passed = append(v.passed, s.gatedTo(today, g))
	}
	return v
}

func (s *spfCase) gatedTo(to []records.Declared, g plan.GateVerdict) plan.Gated {
	return plan.Gated{Kind: s.kind, Key: s.key, After: valuesAt(to, s.key), Gates: []plan.GateVerdict{g}}
}

// holding lists the gates that hold something, each with one word on all of it.
func (s *spfCase) holding() []plan.GateVerdict {
	var out []plan.GateVerdict
	for _, gate := range []string{GateAdoption, GateNarrow} {
		var names []string
		for _, l := range s.leaving {
			if l.gate.ID == gate && !l.gate.Opens() {
				names = append(names, l.subject)
			}
		}
		if len(names) > 0 {
			out = append(out, s.ask(gate, s.key, strings.Join(names, ", ")))
		}
	}
	if s.hardFail != nil && !s.hardFail.Opens() {
		out = append(out, *s.hardFail)
	}
	return out
}

// opened lists the gates that let something through, each once.
func (s *spfCase) opened() []plan.GateVerdict {
	var out []plan.GateVerdict
	add := func(g plan.GateVerdict) {
		if g.Opens() && !slices.ContainsFunc(out, func(o plan.GateVerdict) bool { return o.ID == g.ID }) {
			out = append(out, g)
		}
	}
	for _, l := range s.leaving {
		add(l.gate)
	}
	if s.hardFail != nil {
		add(*s.hardFail)
	}
	return out
}

// tooMany holds the whole item where the union can't be published: for its
// lookups, and by the gates of the terms that would have to go.
func (s *spfCase) tooMany(n int, keep []spf.Term) *verdict {
	names := make([]string, len(keep))
	for i, t := range keep {
		names[i] = t.Key()
	}
	g := plan.GateVerdict{
		ID: RuleLookups, Verdict: plan.VerdictNo,
		Reason: fmt.Sprintf("the declared terms and those that may not go yet need %d lookups, and receivers stop at %d (RFC 7208 4.6.4)", n, MaxLookups),
		Needs:  "a choice: drop or flatten one of the declared terms, or let go of " + strings.Join(names, ", "),
	}
	return s.whole(append([]plan.GateVerdict{g}, s.holding()...)...)
}

// cost is what a record takes receivers.
func (s *spfCase) cost(v records.Value) KnownTerm {
	r, err := spf.Parse(string(v))
	if err != nil {
		return KnownTerm{}
	}
	return s.spfCost(s.name, r)
}

// liveCost is what the one live record takes; what is as bad already gets no
// worse. Several are used by no receiver.
func (s *spfCase) liveCost() KnownTerm {
	if len(s.slot.live) != 1 {
		return KnownTerm{}
	}
	return s.cost(s.slot.live[0].value)
}

// passesHalf reports whether a record passes so much of IPv4 that it says
// nothing.
func passesHalf(k KnownTerm) bool { return k.Pass.Count4() >= halfOfIPv4 }

// overBudget holds a record that receivers would answer with PERMERROR for its
// lookups alone (RFC 7208 4.6.4), or that passes half of the world; nil where it
// is within the limits, or where the live one is as bad.
func overBudget(cost, live KnownTerm) *plan.GateVerdict {
	switch {
	case cost.Lookups > max(MaxLookups, live.Lookups):
		return &plan.GateVerdict{
			ID: RuleLookups, Verdict: plan.VerdictNo,
			Reason: fmt.Sprintf("with all that it includes the record needs %d lookups, and receivers stop at %d (RFC 7208 4.6.4)", cost.Lookups, MaxLookups),
			Needs:  "fewer senders, a subdomain of its own for one of them, or a flattened include",
		}
	case cost.Voids > max(MaxVoids, live.Voids):
		return &plan.GateVerdict{
			ID: RuleVoid, Verdict: plan.VerdictNo,
			Reason: fmt.Sprintf("%d of the record's lookups come to nothing, and receivers stop at %d (RFC 7208 4.6.4)", cost.Voids, MaxVoids),
			Needs:  "a record without the names that don't exist",
		}
	case passesHalf(cost) && !passesHalf(live):
		return &plan.GateVerdict{
			ID: RulePassAll, Verdict: plan.VerdictNo,
			Reason: fmt.Sprintf(passHalf, "what it includes"),
			Needs:  "a record without the include that passes everybody",
		}
	}
	return nil
}
