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
	Host      records.Limits // of the zone's host
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
	for _, list := range r.out.Domains {
		group(list)
		slices.SortFunc(list, compareChanges)
	}
	return r.out
}

type restorer struct {
	live    records.Zone
	whole   records.Zone // live, with what an interrupted run took and was to leave
	past    *Past
	target  Target
	opts    RestoreOptions
	domains map[records.Name]bool // only these; empty: all of the zone
	then    records.Zone
	names   map[records.Name]bool       // those that had records then
	base    map[records.Key]records.TTL // to which the sets were to return then
	paths   map[records.Key]bool        // senders' return paths
	left    records.Zone
	owned   map[records.Key][]records.Value        // now
	ours    map[records.Key]map[records.Value]bool // owned now or written since
	back    map[records.Key]map[records.Value]bool // may be put back
	shares  map[records.Key][]share
	parts   map[valueKey]share
	out     Restoration
}

// share is the part that one domain has of one kind in a set: the apex holds
// SPF beside other texts, and a name may be two domains' business.
type share struct {
	domain records.Name
	kind   records.Kind
}

func newRestorer(live records.Zone, past *Past, target Target, opts RestoreOptions) *restorer {
	opts.TTL = opts.Host.StoredTTL(opts.TTL)
	r := &restorer{
		live: live, past: past, target: target, opts: opts,
		whole:   past.mend(live, func(l Lost) []records.Value { return l.Kept }),
		then:    records.NewZone(live.Name, live.NegativeTTL, target.Sets...),
		left:    records.NewZone(live.Name, live.NegativeTTL, past.Live...),
		domains: map[records.Name]bool{},
		names:   map[records.Name]bool{},
		base:    map[records.Key]records.TTL{},
		paths:   map[records.Key]bool{},
		owned:   map[records.Key][]records.Value{},
		ours:    map[records.Key]map[records.Value]bool{},
		back:    map[records.Key]map[records.Value]bool{},
		shares:  map[records.Key][]share{},
		parts:   map[valueKey]share{},
		out:     Restoration{Domains: map[records.Name][]Change{}},
	}
	for _, name := range opts.Domains {
		r.domains[name] = true
	}
	for _, set := range target.Sets {
		r.names[set.Name] = true
	}
	for _, s := range target.Base {
		r.base[records.Key{Name: s.Name, Type: s.Type}] = s.Base
	}
	for _, d := range past.Domains {
		for _, k := range d.ReturnPaths {
			r.paths[k] = true
		}
	}
	r.note(r.ours, past.Owned, target.Written)
	r.note(r.back, target.Owned, past.Owned, attribute(target.Removed, past.Owned, target.Owned, target.Written))
	for _, o := range past.Owned {
		if r.chosen(o) {
			r.owned[o.Key()] = append(r.owned[o.Key()], o.Value)
		}
	}
	for _, list := range r.shares {
		slices.SortFunc(list, compareShares)
	}
	return r
}

// attribute gives each value that was taken to the domain that has its kind at
// its name. Nobody had owned it, so its entry has it under the domain that
// answered for the whole set.
func attribute(taken []Owned, owned ...[]Owned) []Owned {
	type place struct {
		records.Key
		kind records.Kind
	}
	domains := map[place]records.Name{}
	for _, o := range slices.Concat(owned...) {
		if o = o.effective(); o.Kind != records.KindRecord {
			domains[place{o.Key(), o.Kind}] = o.Domain
		}
	}
	out := slices.Clone(taken)
	for i, o := range out {
		if domain, ok := domains[place{o.Key(), o.effective().Kind}]; ok {
			out[i].Domain = domain
		}
	}
	return out
}

func compareShares(a, b share) int {
	return cmp.Or(cmp.Compare(slices.Index(records.Kinds(), a.kind), slices.Index(records.Kinds(), b.kind)), cmp.Compare(a.domain, b.domain))
}

func (r *restorer) chosen(o Owned) bool { return len(r.domains) == 0 || r.domains[o.Domain] }

// note enters values of the chosen domains.
func (r *restorer) note(into map[records.Key]map[records.Value]bool, lists ...[]Owned) {
	for _, o := range slices.Concat(lists...) {
		if !r.chosen(o) {
			continue
		}
		key, part := o.Key(), share{o.Domain, o.effective().Kind}
		if into[key] == nil {
			into[key] = map[records.Value]bool{}
		}
		into[key][o.Value] = true
		if _, known := r.parts[valueKey{key, o.Value}]; !known {
			r.parts[valueKey{key, o.Value}] = part
		}
		if !slices.Contains(r.shares[key], part) {
			r.shares[key] = append(r.shares[key], part)
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
// taken away where it is to be forced. What was there then and is there now
// stays, whoever has put it back meanwhile.
func (r *restorer) result(key records.Key, now, then records.RRset, force bool) []records.Value {
	force = force && r.edited(key, now)
	var out []records.Value
	for _, v := range now.Values {
		if r.ours[key][v] && !then.Has(v) || force && r.isEdit(key, v) {
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
	return slices.ContainsFunc(r.owned[key], func(v records.Value) bool { return !now.Has(v) }) ||
		slices.ContainsFunc(now.Values, func(v records.Value) bool { return r.isEdit(key, v) })
}

// isEdit reports whether a live value stands where only a value of ours may
// stand, and is new since the newest entry, or since the target where one of
// ours would come back beside it.
func (r *restorer) isEdit(key records.Key, v records.Value) bool {
	part, ok := r.place(key, v)
	if !ok || r.ours[key][v] {
		return false
	}
	left, _ := r.left.Set(key)
	then, _ := r.then.Set(key)
	return !left.Has(v) || !then.Has(v) && part.kind != records.KindMX && r.comesBack(key, part)
}

// comesBack reports whether the target has a value for a part of a set.
func (r *restorer) comesBack(key records.Key, part share) bool {
	then, _ := r.then.Set(key)
	return slices.ContainsFunc(then.Values, func(v records.Value) bool {
		return r.back[key][v] && r.parts[valueKey{key, v}] == part
	})
}

// place is the part of a set in whose place a value stands: one that begins as
// ours do or, where the whole set is ours, any.
func (r *restorer) place(key records.Key, v records.Value) (share, bool) {
	kind, ok := records.KindAt(key, v)
	for _, s := range r.shares[key] {
		switch s.kind {
		case records.KindRecord:
		case records.KindSPF:
			if spf.IsSPF(string(v)) {
				return s, true
			}
		case records.KindMTASTS, records.KindTLSRPT, records.KindBIMI:
			if ok && kind == s.kind {
				return s, true
			}
		default:
			return s, true
		}
	}
	return share{}, false
}

// keep leaves what did not exist at the target where its presence harms
// nothing: a DKIM selector that mail on its way may need, a sender's return
// path, an authorisation for reports. A name that had records of another type then did exist: a CNAME in
// its place would keep them from coming back.
func (r *restorer) keep(key records.Key, now records.RRset) bool {
	holder := r.shares[key][0]
	if r.opts.Exact || r.names[key.Name] || len(now.Values) == 0 {
		return false
	}
	var why string
	switch {
	case holder.kind == records.KindDKIM:
		why = "mail that was signed with this selector may still be on its way"
	case strings.Contains(string(key.Name), "._report._dmarc."):
		why = "it authorises reports and harms nothing"
	case r.paths[key]:
		why = "bounces of mail that was sent through it may still be on their way"
	default:
		return false
	}
	r.out.Kept = append(r.out.Kept, Kept{holder.domain, key, holder.kind, now.Values, why})
	return true
}

func (r *restorer) conflict(key records.Key, now, after records.RRset) {
	left, _ := r.left.Set(key)
	r.out.Conflicts = append(r.out.Conflicts, Conflict{
		Domain: r.shares[key][0].domain, Key: key, Left: orAbsent(left), Live: orAbsent(now), Target: orAbsent(after),
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
	if s == nil || len(taken(records.KindDMARC, s.Values)) != 1 {
		return records.Reach{}
	}
	r, err := records.ParseDMARC(string(taken(records.KindDMARC, s.Values)[0]))
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
	foreign := r.foreign(key, now, after)
	if len(foreign) == len(after.Values) {
		after.TTL = now.TTL // nothing of it is ours
	}
	before, then := orAbsent(now), orAbsent(after)
	c := Change{
		Name: key.Name, Type: key.Type, Step: StepChange, State: Ready, Action: ActionUpdate,
		Before: asSet(before), After: asSet(then), Declared: r.settled(key, then), Foreign: foreign,
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
	old, restored := r.split(key, now), r.split(key, after)
	changed := slices.DeleteFunc(slices.Clone(r.shares[key]), func(s share) bool { return slices.Equal(old[s], restored[s]) })
	for _, s := range changed {
		c.Meaning = append(c.Meaning, records.Describe(s.kind, old[s], restored[s])...)
		r.hold(key, s, old[s], restored[s])
	}
	first := append(changed, r.shares[key][0])[0]
	c.Kind, c.ID = first.kind, changeID(first.domain, c)
	r.out.Domains[first.domain] = append(r.out.Domains[first.domain], c)
}

// foreign has the TTLs of the values that stay and are not ours, where the host
// stores a TTL with each value.
func (r *restorer) foreign(key records.Key, now, after records.RRset) map[records.Value]records.TTL {
	if !r.opts.Host.PerValueTTL {
		return nil
	}
	var out map[records.Value]records.TTL
	for _, v := range after.Values {
		_, owned := r.past.Owner(key, v)
		if !now.Has(v) || owned || r.ours[key][v] || r.back[key][v] {
			continue
		}
		if out == nil {
			out = map[records.Value]records.TTL{}
		}
		out[v] = now.TTLOf(v)
	}
	return out
}

// settled is the set with the TTL that the target recorded for it: what it
// returns to after the soak.
func (r *restorer) settled(key records.Key, after *records.RRset) *Set {
	if after == nil {
		return nil
	}
	set := Set{TTL: r.opts.Host.StoredTTL(usualTTL), Values: after.Values}
	if then, ok := r.then.Set(key); ok {
		set.TTL = then.TTL
	} else if now, ok := r.live.Set(key); ok {
		set.TTL = now.TTL
	}
	if base := r.base[key]; base != 0 {
		set.TTL = base
	}
	return &set
}

// split divides the values of a set that the rollback answers for.
func (r *restorer) split(key records.Key, set records.RRset) map[share][]records.Value {
	out := map[share][]records.Value{}
	for _, v := range set.Values {
		part, ok := r.parts[valueKey{key, v}]
		if !ok && r.isEdit(key, v) {
			part, ok = r.place(key, v)
		}
		if ok {
			out[part] = append(out[part], v)
		}
	}
	return out
}

// hold remembers the undone change by what it meant, part by part.
func (r *restorer) hold(key records.Key, part share, undone, restored []records.Value) {
	had, has := records.Parts(part.kind, undone), records.Parts(part.kind, restored)
	hold := RolledBack{
		Domain: part.domain, Kind: part.kind, Name: key.Name, Type: key.Type,
		Added: without(had, has), Removed: without(has, had),
	}
	if len(hold.Added)+len(hold.Removed) > 0 {
		r.out.Holds = append(r.out.Holds, hold)
	}
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
	for s := range zone.All() {
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
