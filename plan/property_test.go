package plan_test

import (
	"slices"
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"pgregory.net/rapid"
)

var propertyKeys = []records.Key{
	key("@", "TXT"), key("@", "MX"), key("_dmarc", "TXT"), key("s1._domainkey", "TXT"), key("s1._domainkey", "CNAME"), key("www", "A"),
}

func anyZone(t *rapid.T, label string) records.Zone {
	var sets []records.RRset
	for _, k := range propertyKeys {
		values := rapid.SliceOfN(rapid.SampledFrom([]records.Value{"a", "b", "v=spf1 -all", "v=spf1 a ~all", "\xff"}), 0, 3).Draw(t, label+" "+where(k))
		sets = append(sets, records.NewRRset(k, rapid.SampledFrom([]records.TTL{60, 3600, records.AutoTTL}).Draw(t, label+" ttl"), values...))
	}
	return zone(sets...)
}

// TestProperty1Diff: what Diff finds leads from one zone to the other, its
// reverse back again, and nothing lies between equal zones.
func TestProperty1Diff(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyZone(t, "a"), anyZone(t, "b")
		changes := plan.Diff(a, b)
		there, err := a.Apply(changes)
		if err != nil || !there.Equal(b) {
			t.Fatalf("there: %v, %v", err, there.Sets())
		}
		back, err := there.Apply(plan.Reverse(changes))
		if err != nil || !back.Equal(a) {
			t.Fatalf("back: %v, %v", err, back.Sets())
		}
		if again := plan.Diff(there, b); len(again) > 0 {
			t.Fatalf("between equal zones: %v", again)
		}
		if !slices.IsSortedFunc(changes, func(x, y records.Change) int { return x.Compare(y.Key) }) {
			t.Fatalf("not in order: %v", changes)
		}
		// Computed from another zone they are refused whole.
		if len(changes) > 0 {
			other := a.With(records.NewRRset(changes[0].Key, 77, "other"))
			if after, err := other.Apply(changes); err == nil || !after.Equal(other) {
				t.Fatal("a stale change is made")
			}
		}
	})
}

// anyOwned draws values of a zone that two domains own.
func anyOwned(t *rapid.T, z records.Zone) []plan.Owned {
	var out []plan.Owned
	for _, s := range z.Sets() {
		for _, v := range s.Values {
			if owner := rapid.SampledFrom([]records.Name{"", "", apex, "b.a.example"}).Draw(t, "owner"); owner != "" {
				out = append(out, owns(owner, records.KindRecord, s.Key, v)...)
			}
		}
	}
	return out
}

// TestProperty3OverlayKeepsForeignValues: of a zone only what is owned or
// covered goes, and only what is wanted comes.
func TestProperty3OverlayKeepsForeignValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		live := anyZone(t, "live")
		owned := anyOwned(t, live)
		today := asks()
		for _, k := range propertyKeys {
			for _, v := range rapid.SliceOfN(rapid.SampledFrom([]records.Value{"b", "c", "v=spf1 a ~all"}), 0, 2).Draw(t, "wanted "+where(k)) {
				today.Values = append(today.Values, wants(records.KindRecord, k, v)...)
			}
		}
		if rapid.Bool().Draw(t, "covers SPF") {
			today.Covers = append(today.Covers, covers(records.KindSPF, key("@", "TXT"), "v=spf1"))
		}
		past := plan.State{Owned: owned}.Index()
		got := plan.Overlay(live, past, []plan.Today{today})
		for _, k := range propertyKeys {
			checkOverlay(t, k, live, got, past, today)
		}
		if again := plan.Overlay(got, past, []plan.Today{today}); !again.Equal(got) {
			t.Fatalf("laid over itself it is another zone: %v, then %v", got.Sets(), again.Sets())
		}
	})
}

func checkOverlay(t *rapid.T, k records.Key, live, got records.Zone, past *plan.Past, today plan.Today) {
	before, _ := live.Set(k)
	after, _ := got.Set(k)
	wanted := func(v records.Value) bool {
		return slices.ContainsFunc(today.Values, func(d records.Declared) bool { return d.Key == k && d.Value == v })
	}
	for _, v := range before.Values {
		owner, owned := past.Owner(k, v)
		covered := slices.ContainsFunc(today.Covers, func(c records.Cover) bool { return c.Matches(k, v) })
		ours := owned && owner.Domain == apex || covered && !owned
		if after.Has(v) != (wanted(v) || !ours) {
			t.Fatalf("%s %q: ours %t, wanted %t, in the result %t", where(k), v, ours, wanted(v), after.Has(v))
		}
	}
	for _, v := range after.Values {
		if !before.Has(v) && !wanted(v) {
			t.Fatalf("%s: %q comes from nowhere", where(k), v)
		}
	}
}

// TestProperty3RestoreKeepsForeignValues: a way back takes nothing that was
// never ours, unless told to, and a second one to the same place finds nothing
// to do.
func TestProperty3RestoreKeepsForeignValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		then, live := anyZone(t, "then"), anyZone(t, "live")
		state := plan.State{Owned: anyOwned(t, live), Live: live.Sets()}
		target := plan.Target{Sets: then.Sets(), Owned: anyOwned(t, then), Removed: anyOwned(t, then)}
		opts := plan.RestoreOptions{TTL: 300, Exact: true}
		after := live
		for _, list := range plan.Restore(live, state.Index(), target, opts).Domains {
			for _, c := range list {
				set := records.RRset{Key: c.Key()}
				if c.After != nil {
					set = records.NewRRset(c.Key(), c.After.TTL, c.After.Values...)
				}
				after = after.With(set)
			}
		}
		past := state.Index()
		for _, s := range live.Sets() {
			now, _ := after.Set(s.Key)
			for _, v := range s.Values {
				if _, owned := past.Owner(s.Key, v); !owned && !now.Has(v) {
					t.Fatalf("%s lost %q, which is nobody's", where(s.Key), v)
				}
			}
		}
		// What was ours and has gone is owned no more, as Next has it.
		target.Removed = append(target.Removed, state.Owned...)
		state.Live = after.Sets()
		state.Owned = slices.DeleteFunc(state.Owned, func(o plan.Owned) bool {
			set, _ := after.Set(o.Key())
			return !set.Has(o.Value)
		})
		if again := plan.Restore(after, state.Index(), target, opts); len(again.Domains) > 0 {
			t.Fatalf("a second time: %+v", again.Domains)
		}
	})
}
