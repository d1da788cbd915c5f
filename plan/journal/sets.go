package journal

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// grace is how long a sighting is kept after caches have forgotten it, for
// hosts that publish late and for people who read the journal.
const grace = 24 * time.Hour

// sets is what the journal remembers of record sets after the run.
func (r *run) sets(owned []plan.Owned) []plan.SetState {
	m := memory{}
	for _, s := range r.prev.Sets {
		m[records.Key{Name: s.Name, Type: s.Type}] = s
	}
	for _, left := range r.prev.Live {
		if now, ok := r.before.Set(left.Key); !ok || !now.Equal(left) {
			m.see(left, r.prev.At)
		}
	}
	for _, old := range r.before.Sets() {
		if r.changed(old.Key) {
			m.see(old, r.at)
		}
	}
	for _, i := range r.in.Items {
		if r.touched(i) {
			r.write(m, i)
		}
	}
	ours := make(map[records.Key]bool, len(owned))
	for _, o := range owned {
		ours[o.Key()] = true
	}
	var out []plan.SetState
	for _, k := range slices.SortedFunc(maps.Keys(m), records.Key.Compare) {
		s := m[k]
		s.Seen = slices.DeleteFunc(s.Seen, func(t plan.SeenTTL) bool {
			return older(t.Moment, time.Duration(t.TTL)*time.Second+grace, r.at)
		})
		if len(s.Seen) > 0 || r.matters(s, ours[k]) {
			out = append(out, s)
		}
	}
	return out
}

// matters reports whether a set that no cache holds any more must be
// remembered: it is live and written by us, and is ours or has yet to get its
// TTL back.
func (r *run) matters(s plan.SetState, ours bool) bool {
	live, ok := r.after.Set(records.Key{Name: s.Name, Type: s.Type})
	return ok && !s.Written.IsZero() && (ours || live.TTL != s.Base)
}

// write notes that the run has written the set of an item.
func (r *run) write(m memory, i Item) {
	s := m.at(i.Key())
	before, existed := r.before.Set(i.Key())
	if s.Written.IsZero() && existed {
		s.Former = before.TTL
	}
	switch {
	case i.Declared != nil:
		s.Base = i.Declared.TTL
	case s.Base == 0 && existed:
		s.Base = before.TTL
	}
	s.Written = r.at
	m[i.Key()] = s
}

// memory is what is remembered of each set.
type memory map[records.Key]plan.SetState

func (m memory) at(k records.Key) plan.SetState {
	s := m[k]
	s.Name, s.Type = k.Name, k.Type
	return s
}

// see notes that a set was served with its TTL until a moment; one that the host
// chooses counts as its bound.
func (m memory) see(set records.RRset, until plan.Moment) {
	ttl := set.TTL.Bound()
	if ttl == 0 || until.IsZero() {
		return
	}
	s := m.at(set.Key)
	s.Seen = slices.DeleteFunc(slices.Clone(s.Seen), func(t plan.SeenTTL) bool { return t.TTL == ttl })
	s.Seen = append(s.Seen, plan.SeenTTL{TTL: ttl, Moment: until})
	slices.SortFunc(s.Seen, func(a, b plan.SeenTTL) int { return cmp.Compare(a.TTL, b.TTL) })
	m[set.Key] = s
}
