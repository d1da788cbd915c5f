package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// Target is a state that a rollback returns a zone to, and what was done to
// the zone since.
type Target struct {
	Sets  []records.RRset // the zone's mail records then
	Owned []Owned         // what was ours then
	Base  []SetState      // the TTLs to which the sets were to return
	// Written and Removed are the values that later entries brought and took,
	// Writes the former with their times.
	Written, Removed []Owned
	Writes           []Write
}

// Write is when an entry wrote a value.
type Write struct {
	Owned
	At time.Time
}

// RestoreOptions say how a rollback meets what has changed since.
type RestoreOptions struct {
	Domains   []records.Name // only these; empty: all of the zone
	Exact     bool           // take back also what does no harm by staying
	Force     bool           // overwrite edits by hand
	KeepEdits bool           // leave sets that were edited by hand
	TTL       records.TTL    // of every restored set
}

// Restoration is the way back for one zone.
type Restoration struct {
	Domains   map[records.Name][]Change
	Kept      []Kept
	Conflicts []Conflict
	Holds     []RolledBack // what the next apply must not bring back
}

// Kept is a set that did not exist at the target and stays all the same: its
// presence harms nothing, its absence may.
type Kept struct {
	Domain records.Name
	Key    records.Key
	Kind   records.Kind
	Values []records.Value
	Why    string
}

// Conflict is a set of ours that somebody has edited by hand since. A nil side
// is an absent set.
type Conflict struct {
	Domain             records.Name
	Key                records.Key
	Left, Live, Target *records.RRset
}

// Restore computes the way back. In each set it takes away what is ours or was
// written after the target, and puts back what was there then and was ours
// then, is ours now, or was taken by a later entry. Foreign values stay as they
// are now.
func Restore(live records.Zone, past *Past, target Target, opts RestoreOptions) Restoration {
	r := newRestorer(live, past, target, opts)
	for _, key := range r.keys() {
		r.restore(key)
	}
	for name := range r.out.Domains {
		slices.SortFunc(r.out.Domains[name], compareChanges)
	}
	return r.out
}

type restorer struct {
	live   records.Zone
	whole  records.Zone // live, with what an interrupted run took and was to leave
	past   *Past
	target Target
	opts   RestoreOptions
	then   records.Zone
	names  map[records.Name]bool // those that had records then
	left   records.Zone
	ours   map[records.Key]map[records.Value]bool // owned now or written since
	back   map[records.Key]map[records.Value]bool // may be put back
	holder map[records.Key]Owned                  // whose a set is, and what for
	out    Restoration
}

func newRestorer(live records.Zone, past *Past, target Target, opts RestoreOptions) *restorer {
	r := &restorer{
		live: live, past: past, target: target, opts: opts,
		whole:  past.mend(live, func(l Lost) []records.Value { return l.Kept }),
		then:   records.NewZone(live.Name, live.NegativeTTL, target.Sets...),
		left:   records.NewZone(live.Name, live.NegativeTTL, past.Live...),
		ours:   map[records.Key]map[records.Value]bool{},
		back:   map[records.Key]map[records.Value]bool{},
		holder: map[records.Key]Owned{},
		names:  map[records.Name]bool{},
		out:    Restoration{Domains: map[records.Name][]Change{}},
	}
	for _, set := range target.Sets {
		r.names[set.Name] = true
	}
	r.note(r.ours, past.Owned, target.Written)
	r.note(r.back, target.Owned, past.Owned, target.Removed)
	return r
}

// note enters values of the chosen domains.
func (r *restorer) note(into map[records.Key]map[records.Value]bool, lists ...[]Owned) {
	for _, list := range lists {
		for _, o := range list {
			if len(r.opts.Domains) > 0 && !slices.Contains(r.opts.Domains, o.Domain) {
				continue
			}
			if into[o.Key()] == nil {
				into[o.Key()] = map[records.Value]bool{}
			}
			into[o.Key()][o.Value] = true
			if _, known := r.holder[o.Key()]; !known {
				r.holder[o.Key()] = o
			}
		}
	}
}

func (r *restorer) keys() []records.Key {
	all := map[records.Key]bool{}
	for k := range r.ours {
		all[k] = true
	}
	for k := range r.back {
		all[k] = true
	}
	return slices.SortedFunc(maps.Keys(all), records.Key.Compare)
}

func (r *restorer) restore(key records.Key) {
	now, exists := r.live.Set(key)
	then, _ := r.then.Set(key)
	whole, _ := r.whole.Set(key)
	values := r.result(key, whole, then, r.opts.Force)
	after := records.NewRRset(key, r.opts.TTL, values...)
	switch {
	case now.SameValues(after):
		return
	case r.keep(key, now):
		return
	case r.edited(key, now) && r.opts.KeepEdits:
		return
	case r.edited(key, now) && !r.opts.Force:
		r.conflict(key, now, records.NewRRset(key, r.opts.TTL, r.result(key, now, then, true)...))
		return
	}
	r.change(key, now, exists, after)
}

// result is the set as the rollback makes it, with what was edited by hand
// taken away where it is to be forced.
func (r *restorer) result(key records.Key, now, then records.RRset, force bool) []records.Value {
	force = force && r.edited(key, now)
	var out []records.Value
	for _, v := range now.Values {
		if r.ours[key][v] || force && r.isEdit(key, v) {
			continue
		}
		out = append(out, v)
	}
	for _, v := range then.Values {
		if r.back[key][v] {
			out = append(out, v)
		}
	}
	return out
}

// edited reports whether one of our values was taken away or replaced since
// the newest entry, by somebody else.
func (r *restorer) edited(key records.Key, now records.RRset) bool {
	for _, o := range r.past.Owned {
		if o.Key() == key && r.ours[key][o.Value] && !now.Has(o.Value) {
			return true
		}
	}
	return slices.ContainsFunc(now.Values, func(v records.Value) bool { return r.isEdit(key, v) })
}

// isEdit reports whether a live value is new since the newest entry and stands
// where only a value of ours may stand.
func (r *restorer) isEdit(key records.Key, v records.Value) bool {
	left, _ := r.left.Set(key)
	if left.Has(v) || r.ours[key][v] {
		return false
	}
	switch r.holder[key].Kind {
	case records.KindSPF:
		return spf.IsSPF(string(v))
	case records.KindRecord:
		return false
	default:
		return true
	}
}

// keep leaves what did not exist at the target where its presence harms
// nothing: a DKIM selector that mail on its way may need, an authorisation for
// reports. A name that had records of another type then did exist: a CNAME in
// its place would keep them from coming back.
func (r *restorer) keep(key records.Key, now records.RRset) bool {
	holder := r.holder[key]
	if r.opts.Exact || r.names[key.Name] || len(now.Values) == 0 {
		return false
	}
	var why string
	switch {
	case holder.Kind == records.KindDKIM:
		why = "mail that was signed with this selector may still be on its way"
	case strings.Contains(string(key.Name), "._report._dmarc."):
		why = "it authorises reports and harms nothing"
	default:
		return false
	}
	r.out.Kept = append(r.out.Kept, Kept{holder.Domain, key, holder.Kind, now.Values, why})
	return true
}

func (r *restorer) conflict(key records.Key, now, after records.RRset) {
	left, _ := r.left.Set(key)
	r.out.Conflicts = append(r.out.Conflicts, Conflict{
		Domain: r.holder[key].Domain, Key: key, Left: orAbsent(left), Live: orAbsent(now), Target: orAbsent(after),
	})
}

// SetOf is a record set without its name, nil for an absent one.
func SetOf(s *records.RRset) *Set { return asSet(s) }

// Tightens reports whether some mail fares worse after a change of a DMARC
// record.
func Tightens(c Change) bool {
	return !reach(c.After).NoStricterThan(reach(c.Before))
}

func reach(s *Set) records.Reach {
	if s == nil || len(s.Values) != 1 {
		return records.Reach{}
	}
	r, err := records.ParseDMARC(string(s.Values[0]))
	if err != nil {
		return records.Reach{}
	}
	return r.Reach()
}

func orAbsent(s records.RRset) *records.RRset {
	if len(s.Values) == 0 {
		return nil
	}
	return &s
}

func (r *restorer) change(key records.Key, now records.RRset, exists bool, after records.RRset) {
	holder := r.holder[key]
	before, then := orAbsent(now), orAbsent(after)
	c := Change{
		Name: key.Name, Type: key.Type, Kind: holder.Kind, Step: StepChange, State: Ready, Action: ActionUpdate,
		Before: asSet(before), After: asSet(then), Declared: r.settled(key, then),
		Gates: []GateVerdict{}, Exposure: int64(r.live.NegativeTTL), Mistake: int64(r.live.NegativeTTL),
	}
	if exists {
		c.Exposure = seconds(now.TTL)
	} else {
		c.Action = ActionCreate
	}
	if then == nil {
		c.Action = ActionDelete
	} else {
		c.Mistake = seconds(then.TTL)
	}
	old, new := r.own(key, now), r.own(key, after)
	c.Meaning = records.Describe(holder.Kind, old, new)
	c.ID = changeID(holder.Domain, c)
	r.out.Domains[holder.Domain] = append(r.out.Domains[holder.Domain], c)
	r.hold(key, holder, old, new)
}

// settled is the set with the TTL that the target recorded for it: what it
// returns to after the soak.
func (r *restorer) settled(key records.Key, after *records.RRset) *Set {
	if after == nil {
		return nil
	}
	set := Set{TTL: 3600, Values: after.Values}
	if then, ok := r.then.Set(key); ok {
		set.TTL = then.TTL
	} else if now, ok := r.live.Set(key); ok {
		set.TTL = now.TTL
	}
	for _, s := range r.target.Base {
		if s.Name == key.Name && s.Type == key.Type && s.Base != 0 {
			set.TTL = s.Base
		}
	}
	return &set
}

// own are the values of a set that the rollback answers for.
func (r *restorer) own(key records.Key, set records.RRset) []records.Value {
	return slices.DeleteFunc(slices.Clone(set.Values), func(v records.Value) bool {
		return !r.ours[key][v] && !r.back[key][v] && !r.isEdit(key, v)
	})
}

// hold remembers the undone change by what it meant, part by part.
func (r *restorer) hold(key records.Key, holder Owned, undone, restored []records.Value) {
	had, has := records.Parts(holder.Kind, undone), records.Parts(holder.Kind, restored)
	r.out.Holds = append(r.out.Holds, RolledBack{
		Domain: holder.Domain, Kind: holder.Kind, Name: key.Name, Type: key.Type,
		Added: without(had, has), Removed: without(has, had),
	})
}

func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// Owned lists what is ours after the rollback: of the restored values those
// that were ours then, and of the others those that are ours now.
func (r Restoration) Owned(past *Past, target Target) []Owned {
	changed := map[records.Key]*Set{}
	for _, list := range r.Domains {
		for _, c := range list {
			changed[c.Key()] = c.After
		}
	}
	var out []Owned
	for _, o := range past.Owned {
		if _, touched := changed[o.Key()]; !touched {
			out = append(out, o)
		}
	}
	for _, o := range target.Owned {
		if after := changed[o.Key()]; after != nil && slices.Contains(after.Values, o.Value) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, compareOwned)
	return slices.Compact(out)
}

func compareOwned(a, b Owned) int {
	return cmp.Or(cmp.Compare(a.Domain, b.Domain), a.Key().Compare(b.Key()), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Kind, b.Kind))
}

// Snapshot returns the mail records of a zone, and the sets of the given keys,
// whatever their type: what an entry must hold to restore the zone.
func Snapshot(zone records.Zone, keys ...records.Key) []records.RRset {
	wanted := make(map[records.Key]bool, len(keys))
	for _, k := range keys {
		wanted[k] = true
	}
	var out []records.RRset
	for _, s := range zone.Sets() {
		switch s.Type {
		case records.TypeTXT, records.TypeMX, records.TypeCNAME, records.TypeTLSA:
			out = append(out, s)
		default:
			if wanted[s.Key] {
				out = append(out, s)
			}
		}
	}
	return out
}
