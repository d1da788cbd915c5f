// Package policy holds every judgement of the program: the gates, which split
// a declaration into what is published today and what is held, and the rules,
// which find what is wrong. Both are tables. The package is pure: what has to
// be known from outside comes in as Known.
package policy

import (
	"cmp"
	"slices"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// Input is what one domain is judged on.
type Input struct {
	Domain *records.Domain
	Live   records.Zone
	Past   *plan.Past
	Known  Known
	Clock  plan.Clock
	// Open are the gates opened by hand in this run, without the sets that
	// they open. Limit adds the domain's own override blocks.
	Open []plan.Override

	vetoes map[slotID][]plan.GateVerdict // what rules hold, by what they name
}

// declaresReturnPath reports whether a set is a return path of a declared sender.
func (in *Input) declaresReturnPath(k records.Key) bool {
	return slices.ContainsFunc(in.Domain.Senders, func(s records.Sender) bool { return slices.Contains(s.ReturnPath, k) })
}

// Limit splits a declaration into what is published today and what gates hold
// back. Loosening, mending and additions are never held; what tightens waits
// until its gate opens, and until then what is live stays.
func Limit(in Input) plan.Today {
	l := &limiter{Input: in, flat: flatten(in)}
	l.today = plan.Today{
		Domain:   in.Domain,
		Declared: declared(in.Domain),
		Covers:   records.Covers(in.Domain),
		Open:     slices.Concat(in.Open, blocks(in)),
	}
	l.today.Values = make([]records.Declared, 0, len(l.today.Declared)) // today's, most days just these
	l.flattened()
	for _, s := range l.slots() {
		l.split(s)
	}
	return l.today
}

// firstDay is what a domain would publish with nothing live and no past, as far
// as the rules look at it: of all that gates split, they ask for the DMARC
// policy alone.
func firstDay(in Input) plan.Today {
	l := &limiter{Input: in}
	l.today = plan.Today{Domain: in.Domain, Declared: declared(in.Domain), Open: blocks(in)}
	policy := &slot{kind: records.KindDMARC, name: records.DMARCName(in.Domain.Name)}
	for _, d := range l.today.Declared {
		if d.Kind == policy.kind && d.Key.Name == policy.name {
			policy.want = append(policy.want, d)
		} else {
			l.today.Values = append(l.today.Values, d)
		}
	}
	if len(policy.want) > 0 {
		l.split(policy)
	}
	return l.today
}

// declared lists what a domain asks for, each value with the kind that receivers
// take it for: what stands in a record block has the gates of its kind as well.
func declared(d *records.Domain) []records.Declared {
	out := d.Declared()
	for i, v := range out {
		if kind, ok := records.KindAt(v.Key, v.Value); ok && v.Kind == records.KindRecord {
			out[i].Kind = kind
		}
	}
	return out
}

// blocks turns the domain's override blocks into opened gates. A block that
// has opened one ramp step does not open the next.
func blocks(in Input) []plan.Override {
	var out []plan.Override
	for _, o := range in.Domain.Overrides {
		if !in.Clock.Now.Before(o.Until) || o.Gate == GateRamp && spent(in, o) {
			continue
		}
		out = append(out, plan.Override{Gate: o.Gate, Domain: in.Domain.Name, Reason: o.Reason, Until: o.Until, Block: true})
	}
	slices.SortFunc(out, func(a, b plan.Override) int {
		return cmp.Or(cmp.Compare(a.Gate, b.Gate), a.Until.Compare(b.Until), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

func spent(in Input, o records.Override) bool {
	return slices.ContainsFunc(in.Past.OverridesOf(in.Domain.Name), func(p plan.Override) bool {
		return p.Block && p.Spent && p.Gate == o.Gate && p.Reason == o.Reason && p.Until.Equal(o.Until)
	})
}

// slot is what one kind has and wants at one name.
type slot struct {
	kind records.Kind
	name records.Name
	live []held // ours, or covered by the declaration
	want []records.Declared
}

// held is one live value with its key.
type held struct {
	key   records.Key
	value records.Value
}

type slotID struct {
	kind records.Kind
	name records.Name
}

type limiter struct {
	Input
	today plan.Today
	flat  *flattening // nil: nothing is flattened
}

// slots collects what is wanted, owned and covered, by kind and name.
func (l *limiter) slots() []*slot {
	byID := map[slotID]*slot{}
	at := func(k records.Kind, n records.Name) *slot {
		id := slotID{k, n}
		if byID[id] == nil {
			byID[id] = &slot{kind: k, name: n}
		}
		return byID[id]
	}
	for _, v := range l.today.Declared {
		s := at(v.Kind, v.Key.Name)
		s.want = append(s.want, v)
	}
	for _, o := range l.Past.OwnedBy(l.Domain.Name) {
		if set, ok := l.Live.Set(o.Key()); ok && set.Has(o.Value) && !plan.Protected(l.Domain, o.Value) {
			at(o.Kind, o.Name).add(o.Key(), o.Value)
		}
	}
	for _, c := range l.today.Covers {
		set, _ := l.Live.Set(c.Key)
		for _, v := range set.Values {
			if _, owned := l.Past.Owner(c.Key, v); !owned && c.Matches(c.Key, v) && !plan.Protected(l.Domain, v) {
				at(c.Kind, c.Key.Name).add(c.Key, v)
			}
		}
	}
	return inOrder(byID)
}

func inOrder(byID map[slotID]*slot) []*slot {
	out := make([]*slot, 0, len(byID))
	for _, s := range byID {
		slices.SortFunc(s.live, func(a, b held) int {
			return cmp.Or(a.key.Compare(b.key), cmp.Compare(a.value, b.value))
		})
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *slot) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	})
	return out
}

func (s *slot) add(k records.Key, v records.Value) {
	if !slices.Contains(s.live, held{k, v}) {
		s.live = append(s.live, held{k, v})
	}
}

// values returns the live values at one key.
func (s *slot) values(k records.Key) []records.Value {
	var out []records.Value
	for _, h := range s.live {
		if h.key == k {
			out = append(out, h.value)
		}
	}
	return out
}

// keys lists every key that the slot has or wants.
func (s *slot) keys(more ...records.Declared) []records.Key {
	var out []records.Key
	for _, h := range s.live {
		out = append(out, h.key)
	}
	for _, d := range s.want {
		out = append(out, d.Key)
	}
	for _, d := range more {
		out = append(out, d.Key)
	}
	slices.SortFunc(out, records.Key.Compare)
	return slices.Compact(out)
}

// verdict is how a slot is split: what is published today, and the changes
// that gates hold or let through.
type verdict struct {
	today        []records.Declared
	held, passed []plan.Gated
	holds        []plan.RolledBack // undone changes that are still asked for
}

// split asks the kind's function what of the slot may be published now, and
// then takes back what a rollback has undone.
func (l *limiter) split(s *slot) {
	v := l.judge(s, true, "")
	l.compareClosed(s, v, true)
	if !l.recordedFits(v) {
		v = l.judge(s, false, "")
		l.compareClosed(s, v, false)
	}
	v.passed = slices.DeleteFunc(v.passed, opensNothing)
	l.today.Values = append(l.today.Values, v.today...)
	l.today.Held = append(l.today.Held, v.held...)
	l.today.Passed = append(l.today.Passed, v.passed...)
	l.today.Holds = append(l.today.Holds, v.holds...)
}

// compareClosed notes what there would be without each override.
func (l *limiter) compareClosed(s *slot, v verdict, recorded bool) {
	for i := range v.passed {
		p := &v.passed[i]
		for _, g := range p.Gates {
			if g.Verdict == plan.Overridden {
				p.Before = valuesAt(l.judge(s, recorded, g.ID).today, p.Key)
			}
		}
	}
}

// opensNothing reports whether a change that was let through by hand is none,
// since something else of the set holds it all the same.
func opensNothing(p plan.Gated) bool {
	return slices.Equal(p.Before, p.After) && slices.ContainsFunc(p.Gates, func(g plan.GateVerdict) bool { return g.Verdict == plan.Overridden })
}

// judge splits a slot: with the overrides of the journal or without them, and
// as if one gate had no override at all.
func (l *limiter) judge(s *slot, recorded bool, closed string) verdict {
	c := &court{limiter: l, slot: s, recorded: recorded, closed: closed}
	v := c.unchanged()
	if v == nil {
		v = c.parked()
	}
	if v == nil {
		v = splits[s.kind](c)
	}
	v = c.vetoed(v)
	c.external(v)
	c.rolledBack(v)
	c.finish(v)
	return *v
}

// vetoed holds the whole slot where a rule says that the change would bring in
// an error.
func (c *court) vetoed(v *verdict) *verdict {
	if no := c.vetoes[slotID{c.kind, c.name}]; no != nil && len(c.gated(v.today)) > 0 {
		return c.whole(no...)
	}
	return v
}

// splits has the function of each kind that splits its slots.
var splits = map[records.Kind]func(*court) *verdict{
	records.KindSPF:    splitSPF,
	records.KindDKIM:   splitDKIM,
	records.KindDMARC:  splitDMARC,
	records.KindMTASTS: splitMTASTS,
	records.KindTLSRPT: splitFree,
	records.KindMX:     splitMX,
	records.KindBIMI:   splitBIMI,
	records.KindRecord: splitFree,
}

// unchanged publishes what is live just so: no gate is asked about it, also where
// it stands in a record block, which covers nothing.
func (c *court) unchanged() *verdict {
	if c.flat != nil && c.kind == records.KindSPF {
		return nil // its networks change with time
	}
	for _, d := range c.want {
		if set, _ := c.Live.Set(d.Key); !set.Has(d.Value) {
			return nil
		}
	}
	for _, h := range c.live {
		if !slices.Contains(valuesAt(c.want, h.key), h.value) {
			return nil
		}
	}
	return c.all()
}

// recordedFits reports whether every override of the journal that the verdict
// used was recorded for just the values that it leads to. One that was not is
// void, since the declaration has changed.
func (l *limiter) recordedFits(v verdict) bool {
	for _, p := range v.passed {
		for _, g := range p.Gates {
			if g.Verdict != plan.Overridden {
				continue
			}
			share := plan.Share{Gate: g.ID, Kind: p.Kind, Key: p.Key, Before: p.Before, After: p.After}
			if _, ok := plan.FindOverride(&l.today, l.Past, share, l.Clock); !ok {
				return false
			}
		}
	}
	return true
}

// court is one slot before its gates.
type court struct {
	*limiter
	*slot
	recorded bool
	closed   string // a gate whose overrides don't count
}

// ask is a gate's word on a change of the slot's values at key; subject says
// what the change is about, in mail terms.
func (c *court) ask(gate string, key records.Key, subject string) plan.GateVerdict {
	v := c.judgement(gate, key, subject)
	if v.Opens() {
		return v
	}
	if o, ok := c.override(gate, key); ok {
		return plan.GateVerdict{ID: gate, Verdict: plan.Overridden, Reason: o.Reason, Needs: ""}
	}
	return v
}

// judgement is a gate's word without overrides.
func (c *court) judgement(gate string, key records.Key, subject string) plan.GateVerdict {
	return Judge(gate, Case{Input: c.Input, Kind: c.kind, Key: key, Subject: subject})
}

// override finds an override of the gate: one that the journal has recorded
// for this set, or one that was given now.
func (c *court) override(gate string, key records.Key) (plan.Override, bool) {
	if c.Known.Journal == plan.JournalUnreadable || gate == c.closed {
		return plan.Override{}, false
	}
	byHand := func(o plan.Override) bool { return o.Gate == gate && !o.Block }
	if i := slices.IndexFunc(c.today.Open, byHand); i >= 0 {
		return c.today.Open[i], true
	}
	for _, o := range c.Past.OverridesOf(c.Domain.Name) {
		if c.recorded && o.Gate == gate && o.Name == key.Name && o.Type == key.Type && !o.Spent && c.Clock.Now.Before(o.Until) {
			return o, true
		}
	}
	if i := slices.IndexFunc(c.today.Open, func(o plan.Override) bool { return o.Gate == gate }); i >= 0 {
		return c.today.Open[i], true
	}
	return plan.Override{}, false
}

// keep returns the live values as they would be declared, so that they stay.
func (c *court) keep(live ...held) []records.Declared {
	out := make([]records.Declared, len(live))
	for i, h := range live {
		out[i] = records.Declared{Kind: c.kind, Key: h.key, Value: h.value, Source: c.Domain.Source}
	}
	return out
}

// all publishes everything that is wanted.
func (c *court) all() *verdict { return &verdict{today: slices.Clone(c.want)} }

// whole is the word of gates on the change of the whole slot: it goes through
// all of them, or what is live stays and the rest is held.
func (c *court) whole(gates ...plan.GateVerdict) *verdict {
	changes := c.gated(c.want, gates...)
	if len(changes) == 0 {
		return c.all()
	}
	if !slices.ContainsFunc(gates, func(g plan.GateVerdict) bool { return !g.Opens() }) {
		return &verdict{today: slices.Clone(c.want), passed: changes}
	}
	return &verdict{today: c.keep(c.live...), held: changes}
}

// gated lists the changes, a key each, by which the slot would come from what
// is live to what is given.
func (c *court) gated(to []records.Declared, gates ...plan.GateVerdict) []plan.Gated {
	var out []plan.Gated
	for _, key := range c.keys(to...) {
		after := valuesAt(to, key)
		if !slices.Equal(after, c.values(key)) {
			out = append(out, plan.Gated{Kind: c.kind, Key: key, After: after, Gates: gates})
		}
	}
	return out
}

func valuesAt(list []records.Declared, key records.Key) []records.Value {
	var out []records.Value
	for _, d := range list {
		if d.Key == key {
			out = append(out, d.Value)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// finish drops held changes that today's values have reached already.
func (c *court) finish(v *verdict) {
	v.held = slices.DeleteFunc(v.held, func(g plan.Gated) bool {
		return slices.Equal(g.After, valuesAt(v.today, g.Key))
	})
}

// splitFree publishes what is declared and withdraws what is not: the only gate
// that stands before these kinds is that of a sender's return path.
func splitFree(c *court) *verdict {
	i := slices.IndexFunc(c.live, func(h held) bool { return c.isReturnPath(h.key) && !slices.Contains(valuesAt(c.want, h.key), h.value) })
	if i < 0 {
		return c.all()
	}
	return c.whole(c.ask(GateReturnPath, c.live[i].key, string(c.name)))
}

// isReturnPath reports whether a set stands at the MAIL FROM domain of a sender
// that is declared or was.
func (c *court) isReturnPath(k records.Key) bool {
	past, _ := c.Past.Domain(c.Domain.Name)
	return slices.Contains(past.ReturnPaths, k) || c.declaresReturnPath(k)
}
