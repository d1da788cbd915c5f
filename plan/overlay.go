package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// Today is what one domain publishes now, after the gates have split its
// declaration, and what they hold back.
type Today struct {
	Domain *records.Domain
	// Declared are the values that the declaration asks for in the end.
	Declared []records.Declared
	// Values are all values that the domain wants live now, held ones that
	// stay included.
	Values []records.Declared
	// Covers are the live values that the declaration takes the place of.
	Covers []records.Cover
	// Held is the rest of the declaration, a part for each change that waits
	// for a gate; Passed are the changes that a gate was asked about and let
	// through.
	Held, Passed []Gated
	// Open holds the gates that were opened by hand, for this run or by the
	// configuration; the sets that they open are not known yet.
	Open []Override
	// Holds are the undone changes that the declaration still asks for.
	Holds []RolledBack
}

// Gated is a change that gates were asked about: the values of one kind at one
// key would become After.
type Gated struct {
	Kind  records.Kind
	Key   records.Key
	After []records.Value
	Gates []GateVerdict
	// Before is what would be there today if the gates had not opened; set for
	// what an override let through.
	Before []records.Value
}

// Overlay puts what each domain wants today over the live zone. What a domain
// doesn't own is desired as it is, so that the difference is a plain
// comparison of sets: foreign values come through untouched, values that a
// declaration covers or that a domain owned make way for the wanted ones.
// Sets keep their TTL; that is Stage's business.
func Overlay(live records.Zone, past *Past, today []Today) records.Zone {
	o := overlay{live: live, past: past, sets: map[records.Key][]records.Value{}}
	for i := range today {
		o.clear(&today[i])
	}
	for i := range today {
		for _, v := range today[i].Values {
			o.sets[v.Key] = append(o.at(v.Key), v.Value)
		}
	}
	return live.With(o.result()...)
}

type overlay struct {
	live records.Zone
	past *Past
	sets map[records.Key][]records.Value // the values desired of each touched set, in any order
}

// at returns the desired values of a set, the live ones at first.
func (o *overlay) at(k records.Key) []records.Value {
	if values, touched := o.sets[k]; touched {
		return values
	}
	set, _ := o.live.Set(k)
	return slices.Clone(set.Values)
}

// clear takes away what the domain answers for.
func (o *overlay) clear(t *Today) {
	for _, c := range t.Covers {
		set, _ := o.live.Set(c.Key)
		for _, v := range set.Values {
			if c.Matches(c.Key, v) && !o.foreign(t.Domain.Name, c.Key, v) && !Protected(t.Domain, v) {
				o.remove(c.Key, v)
			}
		}
	}
	for _, owned := range o.past.OwnedBy(t.Domain.Name) {
		if !Protected(t.Domain, owned.Value) {
			o.remove(owned.Key(), owned.Value)
		}
	}
}

// Protected reports whether a domain's declaration forbids to take a value away,
// whoever owns it.
func Protected(d *records.Domain, v records.Value) bool {
	return slices.ContainsFunc(d.Protect, func(prefix string) bool { return strings.HasPrefix(string(v), prefix) })
}

func (o *overlay) remove(k records.Key, v records.Value) {
	o.sets[k] = slices.DeleteFunc(o.at(k), func(other records.Value) bool { return other == v })
}

// foreign reports whether a value is owned by another domain of the zone.
func (o *overlay) foreign(domain records.Name, k records.Key, v records.Value) bool {
	owner, owned := o.past.Owner(k, v)
	return owned && owner.Domain != domain
}

func (o *overlay) result() []records.RRset {
	out := make([]records.RRset, 0, len(o.sets))
	for _, k := range slices.SortedFunc(maps.Keys(o.sets), records.Key.Compare) {
		set, _ := o.live.Set(k)
		set.Key = k
		out = append(out, set.Hold(o.sets[k]...))
	}
	return out
}

// Diff returns the changes that turn one zone into the other, ordered by key.
// Equal zones give none, and Apply of the result to from gives to.
func Diff(from, to records.Zone) []records.Change {
	var changes []records.Change
	change := func(k records.Key) {
		changes = append(changes, records.Change{Key: k, Before: setAt(from, k), After: setAt(to, k)})
	}
	for before := range from.All() {
		if after, ok := to.Set(before.Key); !ok || !after.Equal(before) {
			change(before.Key)
		}
	}
	for after := range to.All() {
		if _, ok := from.Set(after.Key); !ok {
			change(after.Key)
		}
	}
	slices.SortFunc(changes, func(a, b records.Change) int { return a.Compare(b.Key) })
	return changes
}

// setAt is a copy of the zone's set, nil where there is none.
func setAt(z records.Zone, k records.Key) *records.RRset {
	set, ok := z.Set(k)
	if !ok {
		return nil
	}
	return &set
}

// Reverse returns the way back: the changes that undo the given ones.
func Reverse(changes []records.Change) []records.Change {
	out := make([]records.Change, len(changes))
	for i, c := range changes {
		out[i] = c.Reverse()
	}
	return out
}

// compareChanges is the order of changes within a domain.
func compareChanges(a, b Change) int {
	return cmp.Or(
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Type, b.Type),
		cmp.Compare(a.Step.order(), b.Step.order()),
		cmp.Compare(stateOrder(a.State), stateOrder(b.State)),
		cmp.Compare(a.ID, b.ID),
	)
}

// stateOrder puts what can be done now before what can't.
func stateOrder(s ChangeState) int {
	return slices.Index([]ChangeState{Ready, Waiting, Held}, s)
}
