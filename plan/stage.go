package plan

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/attunelogic/maildns/records"
)

// GateLowerTTL is the wait for an old TTL to run out, which an override can
// cut short (for a leaked key).
const GateLowerTTL = "lower-ttl"

// Staged is a zone's plan: the steps of each domain in their order, and the
// overrides that were used, each for the set and values that it opens.
type Staged struct {
	Changes map[records.Name][]Change
	Used    []Override
}

// Stage spreads the changes over time. A replaced or removed value first gets
// a short TTL, the change waits until the old TTL has run out of every cache,
// and after a soak the declared TTL returns. Additions, widening, loosening
// and mending don't wait, and nothing waits for a TTL that the host can't store.
// What gates hold is listed with them.
func Stage(live records.Zone, changes []records.Change, today []Today, past *Past, host records.Limits, clock Clock) Staged {
	s := newStager(live, changes, today, past, host, clock)
	for _, key := range slices.SortedFunc(maps.Keys(s.claims), records.Key.Compare) {
		s.stage(key, s.claims[key])
	}
	for name := range s.out.Changes {
		list := s.out.Changes[name]
		group(list)
		slices.SortFunc(list, compareChanges)
	}
	return s.out
}

// claim says which domains have a part in a record set, and what they want
// there. A set is one item of a plan, in the plan of the domain that answers.
type claim struct {
	today    *Today          // the domain that answers
	all      []*Today        // all that have a part, by name
	values   []want          // wanted today; the last of a value counts
	declared []records.Value // wanted in the end
	covers   []cover
	held     []gated
	passed   []gated
	ttl      records.TTL // the smallest TTL that a block declares; 0: none does
}

// want, cover and gated are parts of a claim, each with the domain that has it.
type want struct {
	value records.Value
	kind  records.Kind
	today *Today
}

type cover struct {
	records.Cover
	today *Today
}

type gated struct {
	Gated
	today *Today
}

// of is the claim with another domain that answers.
func (c *claim) of(today *Today) *claim {
	own := *c
	own.today = today
	return &own
}

type stager struct {
	live    records.Zone
	changes map[records.Key]records.Change
	past    *Past
	host    records.Limits
	clock   Clock
	claims  map[records.Key]*claim
	left    records.Zone // as the newest entry left the zone
	out     Staged
}

func newStager(live records.Zone, changes []records.Change, today []Today, past *Past, host records.Limits, clock Clock) *stager {
	s := &stager{
		live: live, past: past, host: host, clock: clock,
		changes: make(map[records.Key]records.Change, len(changes)),
		claims:  map[records.Key]*claim{},
		left:    records.NewZone(live.Name, live.NegativeTTL, past.Live...),
		out:     Staged{Changes: map[records.Name][]Change{}},
	}
	for _, c := range changes {
		s.changes[c.Key] = c
	}
	byName := make(map[records.Name]*Today, len(today))
	for i := range today {
		byName[today[i].Domain.Name] = &today[i]
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		s.claim(byName[name])
	}
	s.claimLeft(byName)
	return s
}

func (s *stager) at(t *Today, k records.Key) *claim {
	c, ok := s.claims[k]
	if !ok {
		c = &claim{today: t}
		s.claims[k] = c
	}
	if !slices.Contains(c.all, t) {
		c.all = append(c.all, t)
	}
	return c
}

func (s *stager) claim(t *Today) {
	for _, v := range t.Values {
		c := s.at(t, v.Key)
		c.values = append(c.values, want{v.Value, v.Kind, t})
		if v.TTL != 0 && (c.ttl == 0 || v.TTL < c.ttl) {
			c.ttl = v.TTL
		}
	}
	for _, v := range t.Declared {
		c := s.at(t, v.Key)
		c.declared = append(c.declared, v.Value)
	}
	for _, v := range t.Covers {
		c := s.at(t, v.Key)
		c.covers = append(c.covers, cover{v, t})
	}
	for _, o := range s.past.OwnedBy(t.Domain.Name) {
		s.at(t, o.Key())
	}
	for _, h := range t.Held {
		c := s.at(t, h.Key)
		c.held = append(c.held, gated{h, t})
	}
	for _, h := range t.Passed {
		c := s.at(t, h.Key)
		c.passed = append(c.passed, gated{h, t})
	}
}

// claimLeft claims the sets that our last value has left, for the domain that
// the name belongs to: their former TTL returns. So do values that an
// interrupted run has lost there.
func (s *stager) claimLeft(domains map[records.Name]*Today) {
	for _, set := range s.past.Sets {
		if !set.Written.IsZero() {
			s.claimFor(domains, records.Key{Name: set.Name, Type: set.Type})
		}
	}
	for _, l := range s.past.Lost {
		s.claimFor(domains, l.Key)
	}
}

// claimFor claims a set that nobody has claimed for the domain above it.
func (s *stager) claimFor(domains map[records.Name]*Today, key records.Key) {
	if _, claimed := s.claims[key]; claimed {
		return
	}
	for n := key.Name; n != ""; n = n.Parent() {
		if t, ok := domains[n]; ok {
			s.at(t, key)
			return
		}
	}
}

// part says what a value of a claimed set is for, and whose it is; ok is false
// for a foreign one.
func (s *stager) part(key records.Key, c *claim, v records.Value) (want, bool) {
	for _, w := range slices.Backward(c.values) {
		if w.value == v {
			return w, true
		}
	}
	if owner, ok := s.past.Owner(key, v); ok {
		i := slices.IndexFunc(c.all, func(t *Today) bool { return t.Domain.Name == owner.Domain })
		if i < 0 {
			return want{}, false
		}
		return want{v, owner.Kind, c.all[i]}, true
	}
	for _, cover := range c.covers {
		if cover.Matches(key, v) {
			return want{v, cover.Kind, cover.today}, true
		}
	}
	return want{}, false
}

// answers is the first of the domains whose values differ between two states of
// a set.
func (s *stager) answers(key records.Key, c *claim, before, after *records.RRset) *Today {
	changed := map[*Today]bool{}
	note := func(set, other *records.RRset) {
		if set == nil {
			return
		}
		for _, v := range set.Values {
			if w, ok := s.part(key, c, v); ok && (other == nil || !other.Has(v)) {
				changed[w.today] = true
			}
		}
	}
	note(before, after)
	note(after, before)
	for _, t := range c.all {
		if changed[t] {
			return t
		}
	}
	return c.today
}

// describe tells a change of one kind's values in a set. Of mail exchangers all
// count, also those of others: what is left receives the mail.
func describe(kind records.Kind, before, after *records.RRset, old, now []records.Value) []string {
	if kind != records.KindMX {
		return records.Describe(kind, old, now)
	}
	if before != nil {
		old = before.Values
	}
	if after != nil {
		now = after.Values
	}
	return records.Describe(kind, old, now)
}

// byKind splits the values of a set that are ours by what they are for.
func (s *stager) byKind(key records.Key, c *claim, set *records.RRset) map[records.Kind][]records.Value {
	out := map[records.Kind][]records.Value{}
	if set == nil {
		return out
	}
	for _, v := range set.Values {
		if w, ok := s.part(key, c, v); ok {
			out[w.kind] = append(out[w.kind], v)
		}
	}
	return out
}

func (s *stager) stage(key records.Key, c *claim) {
	var before *records.RRset
	if set, ok := s.live.Set(key); ok {
		before = &set
	}
	after := before
	if change, ok := s.changes[key]; ok {
		after = change.After
		s.change(key, c.of(s.answers(key, c, before, after)), before, after)
	} else if before != nil {
		s.restore(key, c, before)
	}
	for _, h := range c.held {
		s.hold(key, c.of(h.today), before, after, h.Gated)
	}
}

// change adds the steps of a set whose values change.
func (s *stager) change(key records.Key, c *claim, before, after *records.RRset) {
	item := s.item(key, c, before, after)
	old, now := s.byKind(key, c, before), s.byKind(key, c, after)
	for _, kind := range changedKinds(old, now) {
		if item.Kind == "" {
			item.Kind = kind
		}
		item.Meaning = append(item.Meaning, describe(kind, before, after, old[kind], now[kind])...)
	}
	if item.Kind == "" {
		// Only values of others differ: Overlay leaves all that are live.
		item.Kind = s.firstKind(key, c, after)
		item.Meaning = append(item.Meaning, "puts back what an interrupted run has lost")
	}
	s.pass(&item, c)
	if s.mustWait(key.Type, old, now) {
		s.wait(&item, c, before, old[item.Kind], now[item.Kind])
	}
	s.add(c, item)
}

// fresh is the TTL of a set while a change of it is fresh.
func (s *stager) fresh(key records.Key, c *claim) records.TTL {
	declared := s.declaredTTL(key, c)
	if declared == records.AutoTTL {
		return declared
	}
	return s.host.StoredTTL(min(c.today.Domain.Settings.TTLChange, declared))
}

// foreign has the TTLs of the values that are not ours and stay in a set, where
// the host stores a TTL with each value: they stay too.
func (s *stager) foreign(key records.Key, c *claim, before, after *records.RRset) map[records.Value]records.TTL {
	if !s.host.PerValueTTL || before == nil || after == nil {
		return nil
	}
	var out map[records.Value]records.TTL
	for _, v := range after.Values {
		if !before.Has(v) || s.isOurs(key, c, v) {
			continue
		}
		if out == nil {
			out = map[records.Value]records.TTL{}
		}
		out[v] = before.TTLOf(v)
	}
	return out
}

// isOurs reports whether a value is declared, covered or owned by whichever
// domain.
func (s *stager) isOurs(key records.Key, c *claim, v records.Value) bool {
	if _, ok := s.part(key, c, v); ok {
		return true
	}
	_, owned := s.past.Owner(key, v)
	return owned
}

// item is the change step of a set, as if it were ready.
func (s *stager) item(key records.Key, c *claim, before, after *records.RRset) Change {
	item := Change{
		Name: key.Name, Type: key.Type, Step: StepChange, State: Ready, Action: ActionUpdate,
		Before: asSet(before), After: asSet(after), Declared: s.declaredSet(key, c, after), Foreign: s.foreign(key, c, before, after),
		Gates: []GateVerdict{}, Meaning: []string{},
		Exposure: int64(s.live.NegativeTTL), Mistake: int64(s.live.NegativeTTL),
	}
	if before == nil {
		item.Action = ActionCreate
	} else {
		item.Exposure = seconds(before.TTL)
	}
	switch {
	case after == nil:
		item.Action = ActionDelete
	case len(item.Foreign) == len(after.Values):
		item.Mistake = item.Exposure // nothing of it is ours any more
	default:
		item.After.TTL = s.fresh(key, c)
		item.Mistake = seconds(item.After.TTL)
	}
	return item
}

// seconds is a TTL as an upper bound for people.
func seconds(t records.TTL) int64 { return int64(t.Bound()) }

func asSet(s *records.RRset) *Set {
	if s == nil {
		return nil
	}
	return &Set{TTL: s.TTL, Values: s.Values}
}

// changedKinds lists the kinds whose values differ, in the order of the kinds.
func changedKinds(old, now map[records.Kind][]records.Value) []records.Kind {
	var out []records.Kind
	for _, kind := range records.Kinds() {
		if !slices.Equal(old[kind], now[kind]) {
			out = append(out, kind)
		}
	}
	return out
}

// pass notes the gates that let the change through, and by whose hand.
func (s *stager) pass(item *Change, c *claim) {
	for _, p := range c.passed {
		for _, g := range p.Gates {
			item.Gates = append(item.Gates, g)
			if g.Verdict == Overridden {
				s.use(c.of(p.today), Share{g.ID, p.Kind, item.Key(), p.Before, p.After})
			}
		}
	}
}

// use records an override for the values that it opens.
func (s *stager) use(c *claim, share Share) {
	o, ok := FindOverride(c.today, s.past, share, s.clock)
	if !ok {
		return
	}
	o.Domain, o.Name, o.Type = c.today.Domain.Name, share.Key.Name, share.Key.Type
	o.Before, o.After, o.Declared = share.Before, share.After, declaredAt(c.today, share.Kind, share.Key)
	s.out.Used = append(s.out.Used, o)
}

// Share is what one gate makes of a kind's values at a key: Before while it is
// closed, After when it opens.
type Share struct {
	Gate          string
	Kind          records.Kind
	Key           records.Key
	Before, After []records.Value
}

// declaredAt are the values of a kind that a declaration asks for at a key.
func declaredAt(t *Today, kind records.Kind, key records.Key) []records.Value {
	var out []records.Value
	for _, d := range t.Declared {
		if d.Kind == kind && d.Key == key {
			out = append(out, d.Value)
		}
	}
	return out
}

// of reports whether an override was recorded for just this change of just this
// declaration. Compared is what the gate adds and takes, not the whole set, so
// that two overrides of one set don't undo each other.
func (s Share) of(o Override, t *Today) bool {
	if o.Gate != s.Gate || o.Name != s.Key.Name || o.Type != s.Key.Type || !slices.Equal(o.Declared, declaredAt(t, s.Kind, s.Key)) {
		return false
	}
	before, after := records.Parts(s.Kind, s.Before), records.Parts(s.Kind, s.After)
	was, is := records.Parts(s.Kind, o.Before), records.Parts(s.Kind, o.After)
	return slices.Equal(without(after, before), without(is, was)) && slices.Equal(without(before, after), without(was, is))
}

// FindOverride returns the override that opens a gate of a domain for a change:
// one that is given by hand now, else one that was recorded for just this
// change, else a block of the configuration.
func FindOverride(t *Today, past *Past, share Share, clock Clock) (Override, bool) {
	for _, o := range t.Open {
		if o.Gate == share.Gate && !o.Block {
			return o, true
		}
	}
	for _, o := range past.OverridesOf(t.Domain.Name) {
		if !o.Spent && clock.Now.Before(o.Until) && share.of(o, t) {
			return o, true
		}
	}
	for _, o := range t.Open {
		if o.Gate == share.Gate {
			return o, true
		}
	}
	return Override{}, false
}

// mustWait reports whether the change replaces or removes something that
// caches must forget first.
func (s *stager) mustWait(typ records.Type, old, now map[records.Kind][]records.Value) bool {
	return slices.ContainsFunc(changedKinds(old, now), func(k records.Kind) bool {
		return !Immediate(k, typ, old[k], now[k])
	})
}

// wait makes the change wait for caches, with the lowering before it. Where the
// host can't store so short a TTL there is nothing to gain by waiting.
func (s *stager) wait(item *Change, c *claim, before *records.RRset, old, now []records.Value) {
	settings := c.today.Domain.Settings
	if s.host.StoredTTL(settings.TTLChange) != settings.TTLChange {
		return
	}
	due := s.cachedUntil(before, settings)
	lower := before.TTL.Bound() > settings.TTLChange
	if after := s.clock.Now.Add(duration(before.TTL) + settings.Propagation); lower && after.After(due) {
		due = after
	}
	if !due.After(s.clock.Now) {
		return
	}
	share := Share{GateLowerTTL, item.Kind, item.Key(), old, now}
	if o, ok := FindOverride(c.today, s.past, share, s.clock); ok {
		item.Gates = append(item.Gates, GateVerdict{ID: GateLowerTTL, Verdict: Overridden, Reason: o.Reason})
		s.use(c, share)
		return
	}
	due = ceilSecond(due)
	item.State, item.NotBefore = Waiting, &due
	item.Gates = append(item.Gates, GateVerdict{
		ID: GateLowerTTL, Verdict: VerdictNo,
		Reason: "caches may still hold the old value with its long TTL",
		Needs:  "time: the old TTL and the propagation, counted from the lowering",
	})
	if lower {
		s.add(c, s.lowering(item, before, settings.TTLChange))
	}
}

func (s *stager) lowering(item *Change, before *records.RRset, ttl records.TTL) Change {
	low := *item
	low.Step, low.State, low.Action = StepLowerTTL, Ready, ActionTTL
	low.NotBefore, low.Gates = nil, []GateVerdict{}
	low.After = &Set{TTL: ttl, Values: before.Values}
	low.Mistake = seconds(ttl)
	low.Meaning = []string{fmt.Sprintf("TTL %s → %s, so that the change can be undone in %s s", before.TTL, ttl, ttl)}
	return low
}

// cachedUntil is when the last cache has forgotten a TTL longer than the live
// one, which the journal saw the set served with.
func (s *stager) cachedUntil(before *records.RRset, settings records.Settings) time.Time {
	var until time.Time
	later := func(ttl records.TTL, at Moment) {
		if ttl.Bound() <= before.TTL.Bound() {
			return
		}
		if t := at.On(s.clock).Add(duration(ttl) + settings.Propagation); t.After(until) {
			until = t
		}
	}
	if set, ok := s.past.Set(before.Key); ok {
		for _, seen := range set.Seen {
			later(seen.TTL, seen.Moment)
		}
	}
	if set, ok := s.left.Set(before.Key); ok {
		later(set.TTL, s.past.At)
	}
	return until
}

func duration(t records.TTL) time.Duration { return time.Duration(t.Bound()) * time.Second }

// declaredTTL is the TTL that the set returns to, as the host stores it.
func (s *stager) declaredTTL(key records.Key, c *claim) records.TTL {
	return s.host.StoredTTL(s.wantedTTL(key, c))
}

// wantedTTL is a block's TTL, the domain's, or the one that the set had before
// our own lowering, at most ttl_max; one hour for a new set.
func (s *stager) wantedTTL(key records.Key, c *claim) records.TTL {
	d := c.today.Domain
	switch {
	case c.ttl != 0:
		return c.ttl
	case d.TTL != 0 && len(c.values) > 0:
		return d.TTL
	}
	live, exists := s.live.Set(key)
	base := live.TTL
	if s.host.PerValueTTL && exists && !s.hasOurs(key, c, &live) {
		base = 0 // it is that of strangers
	}
	if s.ours(key, live, exists) {
		set, _ := s.past.Set(key)
		base = set.Base
		if len(c.values) == 0 && set.Former != 0 {
			base = set.Former // our last value leaves a stranger's set
		}
	}
	switch {
	case base == 0, base == records.AutoTTL && !s.host.AutoTTL:
		base = usualTTL
	case base == records.AutoTTL:
		return base
	}
	if len(c.values) == 0 {
		return base
	}
	return min(base, d.Settings.TTLMax)
}

// usualTTL is that of a new set for which none is declared: an hour.
const usualTTL records.TTL = 3600

// hasOurs reports whether any value of a set is ours.
func (s *stager) hasOurs(key records.Key, c *claim, set *records.RRset) bool {
	return slices.ContainsFunc(set.Values, func(v records.Value) bool { return s.isOurs(key, c, v) })
}

// ours reports whether the TTL of the live set is the one that we left it
// with, so that what it returns to is what the journal says.
func (s *stager) ours(key records.Key, live records.RRset, exists bool) bool {
	set, known := s.past.Set(key)
	left, wasLeft := s.left.Set(key)
	return known && set.Base != 0 && !set.Written.IsZero() && (!exists || wasLeft && left.TTL == live.TTL)
}

// declaredSet is the set as the declaration wants it in the end.
func (s *stager) declaredSet(key records.Key, c *claim, after *records.RRset) *Set {
	var values []records.Value
	if after != nil {
		for _, v := range after.Values {
			if _, ours := s.part(key, c, v); !ours {
				values = append(values, v)
			}
		}
	}
	values = append(values, c.declared...)
	if len(values) == 0 {
		return nil
	}
	set := records.NewRRset(key, s.declaredTTL(key, c), values...)
	return asSet(&set)
}

// restore gives a set the TTL that is declared for it, after the soak where we
// have just written it.
func (s *stager) restore(key records.Key, c *claim, live *records.RRset) {
	ttl := s.declaredTTL(key, c)
	if ttl == live.TTL && !(s.host.PerValueTTL && live.MixedTTL) || !s.mayRestore(key, c, live) {
		return
	}
	item := s.item(key, c, live, live)
	item.Step, item.Action = StepRestoreTTL, ActionTTL
	item.Kind = s.firstKind(key, c, live)
	item.After = &Set{TTL: ttl, Values: live.Values}
	item.Mistake = seconds(ttl)
	item.Meaning = []string{fmt.Sprintf("TTL %s → %s", live.TTL, ttl)}
	if s.ours(key, *live, true) {
		set, _ := s.past.Set(key)
		due := ceilSecond(set.Written.On(s.clock).Add(c.today.Domain.Settings.Soak))
		if due.After(s.clock.Now) {
			item.State, item.NotBefore = Waiting, &due
			item.Meaning[0] += ", the declared one"
		}
	}
	s.add(c, item)
}

// mayRestore reports whether the TTL of a set is ours to set: something in it
// is ours or, on a host that stores one TTL for all of a set, was.
func (s *stager) mayRestore(key records.Key, c *claim, live *records.RRset) bool {
	if len(s.byKind(key, c, live)) > 0 {
		return true
	}
	return !s.host.PerValueTTL && s.ours(key, *live, true)
}

func (s *stager) firstKind(key records.Key, c *claim, set *records.RRset) records.Kind {
	values := s.byKind(key, c, set)
	for _, kind := range records.Kinds() {
		if len(values[kind]) > 0 {
			return kind
		}
	}
	return records.KindRecord
}

// hold lists a change that a gate holds: from what is wanted today to what the
// gate would let through.
func (s *stager) hold(key records.Key, c *claim, live, today *records.RRset, h Gated) {
	after := records.RRset{Key: key}
	var old []records.Value
	if today != nil {
		var keep []records.Value
		for _, v := range today.Values {
			if w, ok := s.part(key, c, v); ok && w.kind == h.Kind && w.today == c.today {
				old = append(old, v)
				continue
			}
			keep = append(keep, v)
		}
		after = records.NewRRset(key, today.TTL, append(keep, h.After...)...)
	} else {
		after = records.NewRRset(key, 0, h.After...)
	}
	before, then := today, &after
	if len(after.Values) == 0 {
		then = nil
	}
	item := s.item(key, c, before, then)
	if item.Before != nil {
		item.Before.TTL = s.fresh(key, c)
		if live != nil {
			item.Before.TTL = live.TTL
		}
		item.Exposure = seconds(item.Before.TTL)
	}
	item.Kind, item.State, item.Gates = h.Kind, Held, h.Gates
	item.Meaning = describe(h.Kind, before, then, old, h.After)
	s.add(c, item)
}

func (s *stager) add(c *claim, item Change) {
	name := c.today.Domain.Name
	item.ID = changeID(name, item)
	s.out.Changes[name] = append(s.out.Changes[name], item)
}

// group ties the changes of one name that can only be made together: a CNAME
// that takes the place of other records, or the other way round. They share
// the latest time and the strictest state.
func group(changes []Change) {
	byName := map[records.Name][]int{}
	for i, c := range changes {
		if c.Step == StepChange && (c.Action == ActionCreate || c.Action == ActionDelete) {
			byName[c.Name] = append(byName[c.Name], i)
		}
	}
	for name, members := range byName {
		if tied(changes, members) {
			tie(changes, members, string(name))
		}
	}
}

func tied(changes []Change, members []int) bool {
	var cname, other *Change
	for _, i := range members {
		if changes[i].Type == records.TypeCNAME {
			cname = &changes[i]
		} else {
			other = &changes[i]
		}
	}
	return cname != nil && other != nil && cname.Action != other.Action
}

func tie(changes []Change, members []int, name string) {
	state, due := Ready, (*time.Time)(nil)
	for _, i := range members {
		c := &changes[i]
		c.Group = &name
		if stateOrder(c.State) > stateOrder(state) {
			state = c.State
		}
		if c.NotBefore != nil && (due == nil || c.NotBefore.After(*due)) {
			due = c.NotBefore
		}
	}
	for _, i := range members {
		changes[i].State, changes[i].NotBefore = state, due
	}
}
