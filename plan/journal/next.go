package journal

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// Live reports whether the item's values are live in the zone: all that it
// brings, none that it takes, and the TTL that it sets. Other values of the set
// don't matter, and neither does a TTL that the host chooses or, where each value
// has its own, that of a foreign one.
func (i Item) Live(zone records.Zone) bool {
	set, _ := zone.Set(i.Key())
	for _, v := range i.gone() {
		if set.Has(v) {
			return false
		}
	}
	if i.After == nil {
		return true
	}
	for _, v := range i.After.Values {
		if !set.Has(v) || !i.ttlFree(v) && set.TTLOf(v) != i.After.TTL {
			return false
		}
	}
	return true
}

// ttlFree reports whether the item leaves it open which TTL a value has.
func (i Item) ttlFree(v records.Value) bool {
	_, foreign := i.Foreign[v]
	return foreign || i.After.TTL == records.AutoTTL
}

// gone lists the values that the item takes away, come those that it brings.
func (i Item) gone() []records.Value { return without(i.Before, i.After) }
func (i Item) come() []records.Value { return without(i.After, i.Before) }

// had reports whether a value was in the set before.
func (i Item) had(v records.Value) bool {
	return i.Before != nil && slices.Contains(i.Before.Values, v)
}

// without returns the values of a that b lacks; a nil set has none.
func without(a, b *plan.Set) []records.Value {
	if a == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(a.Values), func(v records.Value) bool {
		return b != nil && slices.Contains(b.Values, v)
	})
}

// Judge says what came of an intent, given the zone as it is afterwards.
func Judge(in Intent, after records.Zone) Result {
	return newRun(plan.State{}, in, after, in.Time).result()
}

// Conclude returns the outcome of an intent for Finish: what came of it and
// the state afterwards. prev is the state before it, after the zone's mail
// records as they were read back, of the same extent as in.Snapshot; problem is
// what went wrong, or empty.
func Conclude(prev plan.State, in Intent, after records.Zone, clock plan.Clock, problem string) Outcome {
	at := follow(clock.Moment(), in.Time)
	r := newRun(prev, in, after, at)
	out := Outcome{
		Header: Header{Zone: in.Zone, Seq: in.Seq, Run: in.Run, Time: at},
		Result: r.result(),
		Error:  problem,
		State:  r.next(),
	}
	out.Written, out.Removed = r.effects()
	out.Adopted = r.adopted(out.State.Owned, out.Written)
	return out
}

// Abandon returns the outcome of a run that has written nothing for certain,
// since it stopped before its write or the host refused it: whatever the zone
// shows was done by others. Nothing of what it meant to do is remembered, and
// the zone is to be looked at again at once.
func Abandon(prev plan.State, in Intent, now records.Zone, clock plan.Clock, problem string) Outcome {
	at := follow(clock.Moment(), in.Time)
	in.Items, in.Declared, in.Overrides, in.Domains, in.Expected = nil, nil, nil, nil, Expected{}
	r := newRun(prev, in, now, at)
	out := Outcome{Header: Header{Zone: in.Zone, Seq: in.Seq, Run: in.Run, Time: at}, Result: Failed, Error: problem, State: r.next()}
	out.State.Due, out.State.Reload, out.State.Lost = at, prev.Reload, prev.Lost
	return out
}

// Recover returns the outcome of a run that died before it could record one,
// as the run by finds it. It decides by the zone alone, and writes nothing.
func Recover(prev plan.State, in Intent, now records.Zone, clock plan.Clock, by string) Outcome {
	out := Conclude(prev, in, now, clock, "the run ended without recording what came of it")
	out.RecoveredBy = by
	if r := newRun(prev, in, now, out.Time); len(in.Provider.Values[reloadAttribute]) > 0 && slices.ContainsFunc(in.Items, r.touched) {
		out.State.Reload = true // nobody knows whether it came to that
	}
	return out
}

// reloadAttribute is the attribute of a provider whose server must be made to
// read what was written.
const reloadAttribute = "reload"

// Next returns the state of a zone after a run, recorded at the given moment.
// It follows from what is live, never from what was meant to be:
//
//   - Owned: what was owned and what the intent declares, as far as it is
//     live, and what was owned and is lost until it is put back; nothing of the
//     domains of a release.
//   - Sets: a set that the run has changed was written now, returns to the TTL
//     that its item declares, and was seen until now with the TTL that it had.
//     Any other set whose TTL or values differ from those in prev.Live was last
//     seen with them when prev was recorded. A sighting is dropped a day after
//     caches have forgotten it, a set when nothing of it matters any more.
//   - Domains: see domain. A release forgets its domains.
//   - Holds: Expected.Holds take the place of all holds of the run's domains;
//     where the run was interrupted they are added, and where it failed, or was
//     a release, nothing changes.
//   - Overrides: those of the intent are added. One is spent when its values
//     are live, or when a rollback touches its set, and dropped when it has
//     lapsed.
//   - Due: Expected.Due, or at once where not all is done. A release leaves it.
//   - Live: after, as it is.
//   - Reload: as before, until a run is done.
//   - Lost: what the run has taken from a set that is neither as it was nor as
//     it was to be, until the set is written or edited again.
func Next(prev plan.State, in Intent, after records.Zone, at plan.Moment) plan.State {
	return newRun(prev, in, after, at).next()
}

// run is a run seen from its end.
type run struct {
	prev     plan.State
	in       Intent
	before   records.Zone
	after    records.Zone
	at       plan.Moment
	concerns map[records.Name]bool // the domains that it works on
	mended   map[valueID]bool      // what was lost before, and was to stay
}

func newRun(prev plan.State, in Intent, after records.Zone, at plan.Moment) *run {
	r := &run{
		prev: prev, in: in, before: records.NewZone(in.Zone, in.NegativeTTL, in.Snapshot...), after: after, at: at,
		concerns: make(map[records.Name]bool, len(in.Domains)), mended: map[valueID]bool{},
	}
	for _, d := range in.Domains {
		r.concerns[d] = true
	}
	for _, l := range prev.Lost {
		for _, v := range l.Kept {
			r.mended[valueID{l.Key, v}] = true
		}
	}
	return r
}

func (r *run) next() plan.State {
	lost := r.lost()
	owned := r.owned(lost)
	return plan.State{
		Seq:       r.in.Seq,
		At:        r.at,
		Owned:     owned,
		Sets:      r.sets(owned),
		Domains:   r.domains(owned),
		Holds:     r.holds(),
		Overrides: r.overrides(),
		Live:      r.after.Sets(),
		Due:       r.due(),
		Reload:    r.prev.Reload && r.result() != Done,
		Lost:      lost,
	}
}

// lost finds what sets lack that should be there, or at least count as if it
// were, since their change came to a stop half way. A host that makes all
// changes or none loses nothing: there it was somebody else.
func (r *run) lost() []plan.Lost {
	if r.in.Transactional {
		return nil
	}
	all := make(map[records.Key]plan.Lost, len(r.prev.Lost))
	for _, l := range r.lostBefore() {
		if r.asLeft(l.Key) {
			all[l.Key] = l
		}
	}
	for _, i := range r.in.Items {
		switch {
		case i.Live(r.after) && i.Step == plan.StepChange:
			delete(all, i.Key()) // what it doesn't bring back isn't wanted any more
		case !i.Live(r.after) && r.touched(i):
			all[i.Key()] = r.lostOf(i, all[i.Key()])
		}
	}
	var out []plan.Lost
	for _, k := range slices.SortedFunc(maps.Keys(all), records.Key.Compare) {
		if l := r.stillMissing(all[k]); len(l.Kept)+len(l.Gone) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// lostBefore is what was lost and is not given up: a run that is done says what
// it has left for later.
func (r *run) lostBefore() []plan.Lost {
	if r.in.Command != CommandRelease && r.result() == Done {
		return r.in.Expected.Lost
	}
	return r.prev.Lost
}

// stillMissing drops the values that are live.
func (r *run) stillMissing(l plan.Lost) plan.Lost {
	now, _ := r.after.Set(l.Key)
	l.Kept = slices.DeleteFunc(slices.Clone(l.Kept), now.Has)
	l.Gone = slices.DeleteFunc(slices.Clone(l.Gone), now.Has)
	return l
}

// asLeft reports whether nobody has edited a set since prev was recorded.
func (r *run) asLeft(k records.Key) bool {
	i := slices.IndexFunc(r.prev.Live, func(s records.RRset) bool { return s.Key == k })
	now, exists := r.before.Set(k)
	return i < 0 && !exists || i >= 0 && exists && r.prev.Live[i].Equal(now)
}

// lostOf is what an item that stopped half way has taken from its set, beside
// what was lost of it before. What a rollback takes away is to go in any case.
func (r *run) lostOf(i Item, before plan.Lost) plan.Lost {
	was, _ := r.before.Set(i.Key())
	l := plan.Lost{Domain: i.Domain, Key: i.Key(), TTL: cmp.Or(before.TTL, was.TTL)}
	if i.After == nil {
		return l // that all of it goes was the purpose
	}
	for _, v := range slices.Concat(was.Values, before.Kept, before.Gone) {
		switch {
		case slices.Contains(i.After.Values, v):
			l.Kept = append(l.Kept, v)
		case r.in.Command != CommandRollback:
			l.Gone = append(l.Gone, v)
		}
	}
	return l
}

// touched reports whether the item's set is no longer as it was before.
func (r *run) touched(i Item) bool { return r.changed(i.Key()) }

func (r *run) changed(k records.Key) bool {
	before, had := r.before.Set(k)
	after, has := r.after.Set(k)
	return had != has || had && !before.Equal(after)
}

func (r *run) result() Result {
	live := func(i Item) bool { return i.Live(r.after) }
	switch {
	case every(r.in.Items, live):
		return Done
	case !slices.ContainsFunc(r.in.Items, r.touched):
		return Failed
	default:
		return Interrupted
	}
}

func every[T any](list []T, ok func(T) bool) bool {
	return !slices.ContainsFunc(list, func(e T) bool { return !ok(e) })
}

// live reports whether a value is in the zone now.
func (r *run) live(o plan.Owned) bool {
	set, _ := r.after.Set(o.Key())
	return set.Has(o.Value)
}

// valueID is what only one domain can own.
type valueID struct {
	records.Key
	value records.Value
}

func idOf(o plan.Owned) valueID { return valueID{o.Key(), o.Value} }

func compareOwned(a, b plan.Owned) int {
	return cmp.Or(
		cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Kind, b.Kind),
		a.Key().Compare(b.Key()), cmp.Compare(a.Value, b.Value),
	)
}

func (r *run) owned(lost []plan.Lost) []plan.Owned {
	owner := make(map[valueID]plan.Owned, len(r.prev.Owned)+len(r.in.Declared))
	comesBack := map[valueID]bool{}
	for _, l := range lost {
		for _, v := range l.Kept {
			comesBack[valueID{l.Key, v}] = true
		}
	}
	for _, o := range r.prev.Owned {
		if (r.live(o) || comesBack[idOf(o)]) && !r.releases(o.Domain) {
			owner[idOf(o)] = o
		}
	}
	for _, o := range r.in.Declared {
		if r.live(o) && !r.releases(o.Domain) {
			owner[idOf(o)] = o
		}
	}
	out := make([]plan.Owned, 0, len(owner))
	for _, o := range owner {
		out = append(out, o)
	}
	slices.SortFunc(out, compareOwned)
	return out
}

func (r *run) releases(domain records.Name) bool {
	return r.in.Command == CommandRelease && r.concerns[domain]
}

// domains keeps the states of the zone's other domains.
func (r *run) domains(owned []plan.Owned) []plan.DomainState {
	states := make(map[records.Name]plan.DomainState, len(r.prev.Domains))
	for _, d := range r.prev.Domains {
		if !r.releases(d.Domain) {
			states[d.Domain] = d
		}
	}
	owns := make(map[records.Name]bool, len(owned))
	for _, o := range owned {
		owns[o.Domain] = true
	}
	items := make(map[records.Name][]Item, len(r.in.Domains))
	for _, i := range r.in.Items {
		items[i.Domain] = append(items[i.Domain], i)
	}
	for _, expected := range r.in.Expected.Domains {
		prev, known := states[expected.Domain]
		if d, ok := r.domain(prev, expected, items[expected.Domain], known || owns[expected.Domain]); ok {
			states[expected.Domain] = d
		}
	}
	out := make([]plan.DomainState, 0, len(states))
	for _, d := range states {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b plan.DomainState) int { return cmp.Compare(a.Domain, b.Domain) })
	return out
}

// domain is what is remembered of one domain of the run: all that was expected
// where its items are live. Otherwise it is what was known before, with what
// the configuration has declared; a policy that may have changed is forgotten,
// so that no gate counts its days. A domain that is new, and of which nothing
// has come, is not remembered.
func (r *run) domain(prev, expected plan.DomainState, items []Item, known bool) (plan.DomainState, bool) {
	policy := slices.DeleteFunc(slices.Clone(items), func(i Item) bool { return i.Kind != records.KindDMARC })
	live := func(i Item) bool { return i.Live(r.after) }
	d := expected
	if !every(items, live) {
		if !known && !slices.ContainsFunc(items, r.touched) {
			return plan.DomainState{}, false
		}
		d = prev
		d.Domain, d.Applied, d.Found, d.Declared = expected.Domain, expected.Applied, expected.Found, expected.Declared
	}
	switch {
	case every(policy, live):
		d.Policy, d.Since = expected.Policy, expected.Since
		if !same(d.Since, prev.Since) {
			d.Since = r.at // the writes ended only now
		}
	case slices.ContainsFunc(policy, r.touched):
		d.Policy, d.Since = "", r.at
	}
	return d, true
}

func (r *run) holds() []plan.RolledBack {
	result := r.result()
	if result == Failed || r.in.Command == CommandRelease {
		return r.prev.Holds
	}
	var out []plan.RolledBack
	known := map[string]bool{}
	for _, h := range r.prev.Holds {
		if result == Interrupted || !r.concerns[h.Domain] {
			known[holdID(h)] = true
			out = append(out, h)
		}
	}
	for _, h := range r.in.Expected.Holds {
		if id := holdID(h); !known[id] {
			known[id] = true
			out = append(out, h)
		}
	}
	slices.SortStableFunc(out, func(a, b plan.RolledBack) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
	})
	return out
}

// holdID is the same for holds that undo the same change.
func holdID(h plan.RolledBack) string {
	return fmt.Sprintf("%q", []any{h.Domain, h.Kind, h.Name, h.Type, h.Added, h.Removed})
}

func (r *run) overrides() []plan.Override {
	var out []plan.Override
	undone := r.undone()
	at := map[string]int{}
	for _, o := range slices.Concat(r.prev.Overrides, r.in.Overrides) {
		if o.Type == "" || reached(o.Until, r.at) {
			continue // it opened nothing, or has lapsed
		}
		o.Spent = o.Spent || r.realised(o) || undone[records.Key{Name: o.Name, Type: o.Type}]
		id := overrideID(o)
		if i, known := at[id]; known {
			out[i] = o
			continue
		}
		at[id] = len(out)
		out = append(out, o)
	}
	return out
}

// overrideID is the same for overrides of one gate for one change.
func overrideID(o plan.Override) string {
	return fmt.Sprintf("%q", []any{o.Gate, o.Domain, o.Name, o.Type, o.Before, o.After})
}

// realised reports whether the change that an override opened is live.
func (r *run) realised(o plan.Override) bool {
	set, _ := r.after.Set(records.Key{Name: o.Name, Type: o.Type})
	return every(o.After, set.Has) && every(o.Before, func(v records.Value) bool {
		return slices.Contains(o.After, v) || !set.Has(v)
	})
}

// undone lists the sets that the run rolls back.
func (r *run) undone() map[records.Key]bool {
	keys := map[records.Key]bool{}
	for _, i := range r.in.Items {
		if r.in.Command == CommandRollback && r.touched(i) {
			keys[i.Key()] = true
		}
	}
	return keys
}

func (r *run) due() plan.Moment {
	switch {
	case r.in.Command == CommandRelease:
		return r.prev.Due
	case r.result() == Done:
		return r.in.Expected.Due
	default:
		return r.at
	}
}

// effects lists the values that the run's items brought and took. What only
// comes back, since an interrupted run had lost it, was not brought by them.
func (r *run) effects() (written, removed []plan.Owned) {
	owner := make(map[valueID]plan.Owned, len(r.prev.Owned)+len(r.in.Declared))
	for _, o := range slices.Concat(r.prev.Owned, r.in.Declared) {
		owner[idOf(o)] = o
	}
	value := func(i Item, v records.Value) plan.Owned {
		if o, ok := owner[valueID{i.Key(), v}]; ok {
			return o
		}
		return plan.Owned{Domain: i.Domain, Kind: i.Kind, Name: i.Name, Type: i.Type, Value: v}
	}
	for _, i := range r.in.Items {
		before, _ := r.before.Set(i.Key())
		after, _ := r.after.Set(i.Key())
		for _, v := range i.come() {
			if after.Has(v) && !before.Has(v) && !r.mended[valueID{i.Key(), v}] {
				written = append(written, value(i, v))
			}
		}
		// What was to stay and is gone all the same counts as removed too.
		for _, v := range before.Values {
			if i.had(v) && !after.Has(v) {
				removed = append(removed, value(i, v))
			}
		}
	}
	slices.SortFunc(written, compareOwned)
	slices.SortFunc(removed, compareOwned)
	return written, removed
}

// adopted lists what is owned now, was not before, and has not been written.
func (r *run) adopted(owned, written []plan.Owned) []plan.Owned {
	known := make(map[plan.Owned]bool, len(r.prev.Owned)+len(written))
	for _, o := range slices.Concat(r.prev.Owned, written) {
		known[o] = true
	}
	return slices.DeleteFunc(slices.Clone(owned), func(o plan.Owned) bool { return known[o] })
}
