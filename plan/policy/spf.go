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

// spfCase is an SPF record on its way from what is live to what is declared.
type spfCase struct {
	*court
	key      records.Key
	declared *spf.Record
	live     []*spf.Record
	// leaving are the live terms that the declaration withdraws, each with
	// the word of its gate.
	leaving []leaving
	// rest is the qualifier that today's record has for everyone else.
	rest     spf.Qualifier
	hardFail *plan.GateVerdict // asked only where the rest begins to fail
}

type leaving struct {
	term    spf.Term
	gate    plan.GateVerdict
	subject string // the term and what it authorises
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
	s.weighRest()
	if s.flat != nil {
		return s.splitFlat()
	}
	return s.split()
}

func (s *spfCase) readLive() {
	for _, h := range s.slot.live {
		r, _ := spf.ParseLoose(string(h.value))
		s.live = append(s.live, r)
	}
}

// withdraw removes a record that the configuration declares no more.
func (s *spfCase) withdraw() *verdict {
	if len(s.slot.live) == 0 {
		return &verdict{}
	}
	return s.whole(s.ask(GateNarrow, s.key, "the SPF record"))
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
		if !s.narrows(t) || s.flat.hasExpired(t) {
			continue
		}
		subject := t.Key()
		if known, ok := s.Known.SPF.term(t); ok {
			lost := known.Pass.Minus(declared.Pass)
			if lost.IsEmpty() || known.Broken != "" {
				continue // nobody loses anything by it
			}
			if all {
				subject = fmt.Sprintf("%s (%s)", t.Key(), howMany(lost))
			}
		}
		gate := GateNarrow
		if s.protects("spf:" + t.Key()) {
			gate = GateAdoption
		}
		s.leaving = append(s.leaving, leaving{t, s.ask(gate, s.key, subject), subject})
	}
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

// weighRest asks whether everyone else may begin to fail. Until then the
// softer all stays: the live one, or softfail where none is live or where it
// passes the whole world.
func (s *spfCase) weighRest() {
	want, has := s.declared.All()
	s.rest = want
	if !has && len(s.leavingNow()) == 0 {
		return // a redirect or nothing: published as it is
	}
	have := s.liveRest()
	if want == spf.Fail && have < spf.Fail {
		g := s.ask(GateHardFail, s.key, "-all")
		s.hardFail = &g
		if !g.Opens() {
			s.rest = have
		}
	}
}

// liveRest is the softest all of the live records.
func (s *spfCase) liveRest() spf.Qualifier {
	rest := spf.Fail
	for _, r := range s.live {
		q, _ := r.All()
		rest = min(rest, q)
	}
	if len(s.live) == 0 || rest == spf.Pass {
		return spf.SoftFail
	}
	return rest
}

// leavingNow are the terms that have to stay today.
func (s *spfCase) leavingNow() []spf.Term {
	var out []spf.Term
	for _, l := range s.leaving {
		if !l.gate.Opens() {
			out = append(out, l.term)
		}
	}
	return out
}

// union is the declared record with the terms that stay.
func (s *spfCase) union(keep []spf.Term, rest spf.Qualifier) []records.Declared {
	want := s.want[0]
	if declared, _ := s.declared.All(); len(keep) > 0 || rest != declared {
		want.Value = records.Value(spf.Union(s.declared, keep, rest).String())
	}
	return []records.Declared{want}
}

func (s *spfCase) split() *verdict {
	keep := s.leavingNow()
	today := s.union(keep, s.rest)
	v := &verdict{today: today}
	cost := s.cost(today[0].Value)
	if cost.Lookups > MaxLookups && len(keep) > 0 {
		return s.tooMany(cost.Lookups, keep)
	}
	if g := overBudget(cost); g != nil && !s.noWorse(cost) {
		return s.whole(*g)
	}
	for _, gate := range []string{GateAdoption, GateNarrow} {
		if g, rest := s.without(gate); g != nil {
			v.held = append(v.held, s.gatedTo(s.union(rest, s.rest), *g))
		}
	}
	if s.hardFail != nil && !s.hardFail.Opens() {
		v.held = append(v.held, s.gatedTo(s.union(keep, spf.Fail), *s.hardFail))
	}
	for _, g := range s.opened() {
		v.passed = append(v.passed, s.gatedTo(today, g))
	}
	return v
}

func (s *spfCase) gatedTo(to []records.Declared, g plan.GateVerdict) plan.Gated {
	return plan.Gated{Kind: s.kind, Key: s.key, After: valuesAt(to, s.key), Gates: []plan.GateVerdict{g}}
}

// without returns the word of a gate that holds terms, and the terms that
// would still stay if it opened.
func (s *spfCase) without(gate string) (*plan.GateVerdict, []spf.Term) {
	var word *plan.GateVerdict
	var names []string
	var rest []spf.Term
	for _, l := range s.leaving {
		switch {
		case l.gate.Opens():
		case l.gate.ID == gate:
			word = &l.gate
			names = append(names, l.subject)
		default:
			rest = append(rest, l.term)
		}
	}
	if len(names) > 1 {
		whole := s.ask(gate, s.key, strings.Join(names, ", "))
		word = &whole
	}
	return word, rest
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

// tooMany holds the whole item where the union can't be published.
func (s *spfCase) tooMany(n int, keep []spf.Term) *verdict {
	names := make([]string, len(keep))
	for i, t := range keep {
		names[i] = t.Key()
	}
	g := plan.GateVerdict{
		ID: s.firstHolding().ID, Verdict: plan.VerdictNo,
		Reason: fmt.Sprintf("the declared terms and those that may not go yet need %d lookups, and receivers stop at %d (RFC 7208 4.6.4)", n, MaxLookups),
		Needs:  "a choice: drop or flatten one of the declared terms, or let go of " + strings.Join(names, ", "),
	}
	v := s.whole(g)
	for _, l := range s.slot.live {
		if !slices.ContainsFunc(v.today, func(d records.Declared) bool { return d.Value == l.value }) {
			v.today = append(v.today, s.keep(l)...)
		}
	}
	return v
}

func (s *spfCase) firstHolding() plan.GateVerdict {
	for _, l := range s.leaving {
		if !l.gate.Opens() {
			return l.gate
		}
	}
	return plan.GateVerdict{ID: GateNarrow}
}

// cost is what a record takes receivers: through all includes where DNS is
// known, else by its own terms.
func (s *spfCase) cost(v records.Value) KnownTerm {
	r, err := spf.Parse(string(v))
	if err != nil {
		return KnownTerm{}
	}
	if sum, ok := s.Known.SPF.record(r); ok {
		return sum
	}
	return KnownTerm{Lookups: r.DirectLookups()}
}

// noWorse reports whether the one live record costs as much already, so that a
// record over the limit makes nothing worse.
func (s *spfCase) noWorse(cost KnownTerm) bool {
	if len(s.slot.live) != 1 {
		return false
	}
	live := s.cost(s.slot.live[0].value)
	return live.Lookups >= cost.Lookups && live.Voids >= cost.Voids
}

// overBudget holds a record that receivers would answer with PERMERROR for its
// lookups alone (RFC 7208 4.6.4); nil where it is within the limits.
func overBudget(cost KnownTerm) *plan.GateVerdict {
	switch {
	case cost.Lookups > MaxLookups:
		return &plan.GateVerdict{
			ID: "spf-lookups", Verdict: plan.VerdictNo,
			Reason: fmt.Sprintf("with all that it includes the record needs %d lookups, and receivers stop at %d (RFC 7208 4.6.4)", cost.Lookups, MaxLookups),
			Needs:  "fewer senders, a subdomain of its own for one of them, or a flattened include",
		}
	case cost.Voids > MaxVoids:
		return &plan.GateVerdict{
			ID: "spf-void", Verdict: plan.VerdictNo,
			Reason: fmt.Sprintf("%d of the record's lookups come to nothing, and receivers stop at %d (RFC 7208 4.6.4)", cost.Voids, MaxVoids),
			Needs:  "a record without the names that don't exist",
		}
	}
	return nil
}
