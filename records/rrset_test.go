package records

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// smallZone draws a zone from so few names, types and values that two of them
// often touch the same sets.
func smallZone(t *rapid.T, label string) Zone {
	set := rapid.Custom(func(t *rapid.T) RRset {
		key := Key{
			Name: rapid.SampledFrom([]Name{"example.com", "_dmarc.example.com", "a.example.com"}).Draw(t, "name"),
			Type: rapid.SampledFrom([]Type{TypeTXT, TypeMX, TypeA}).Draw(t, "type"),
		}
		values := rapid.SliceOfN(rapid.SampledFrom([]Value{"a", "b", "c", "\xff"}), 0, 3).Draw(t, "values")
		return NewRRset(key, rapid.SampledFrom([]TTL{300, 3600}).Draw(t, "ttl"), values...)
	})
	return NewZone("example.com", 300, rapid.SliceOfN(set, 0, 8).Draw(t, label)...)
}

// changesBetween lists every set that differs. The plan's own diff is tested
// where it lives; this one is the definition.
func changesBetween(a, b Zone) []Change {
	var out []Change
	seen := make(map[Key]bool)
	for _, set := range append(a.Sets(), b.Sets()...) {
		before, had := a.Set(set.Key)
		after, has := b.Set(set.Key)
		if seen[set.Key] || had && has && before.Equal(after) {
			continue
		}
		seen[set.Key] = true
		c := Change{Key: set.Key}
		if had {
			c.Before = &before
		}
		if has {
			c.After = &after
		}
		out = append(out, c)
	}
	return out
}

func TestProperty1ApplyAndReverse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := smallZone(t, "a"), smallZone(t, "b")
		changes := rapid.Permutation(changesBetween(a, b)).Draw(t, "order")
		applied, err := a.Apply(changes)
		if err != nil || !applied.Equal(b) {
			t.Fatalf("apply(a, diff(a, b)) is not b (%v):\n%s", err, cmp.Diff(b.Sets(), applied.Sets()))
		}
		back := make([]Change, len(changes))
		for i, c := range changes {
			back[i] = c.Reverse()
		}
		restored, err := applied.Apply(back)
		if err != nil || !restored.Equal(a) {
			t.Fatalf("the reverse doesn't restore a (%v):\n%s", err, cmp.Diff(a.Sets(), restored.Sets()))
		}
		if changes := changesBetween(a, a); len(changes) > 0 {
			t.Fatalf("diff(a, a) = %v", changes)
		}
	})
}

// TestApplyRefusesStale applies changes to a third zone: it either agrees with
// what they were computed from, or stays untouched.
func TestApplyRefusesStale(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, other := smallZone(t, "a"), smallZone(t, "b"), smallZone(t, "other")
		changes := changesBetween(a, b)
		agrees := true
		for _, c := range changes {
			have, ok := other.Set(c.Key)
			agrees = agrees && ok == (c.Before != nil) && (!ok || have.Equal(*c.Before))
		}
		untouched := other.Sets()
		got, err := other.Apply(changes)
		var stale *StaleError
		switch {
		case agrees && err != nil:
			t.Fatalf("refused although nothing differs: %v", err)
		case !agrees && !errors.As(err, &stale):
			t.Fatalf("applied although something differs: %v", err)
		case !agrees && !got.Equal(other):
			t.Fatal("refused, but a part was applied")
		}
		if diff := cmp.Diff(untouched, other.Sets()); diff != "" {
			t.Fatalf("Apply changed its receiver:\n%s", diff)
		}
	})
}

func TestNewRRsetIsOrdered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(rapid.SampledFrom([]Value{"", "a", "b", "B", "\xff", "é"})).Draw(t, "values")
		shuffled := rapid.Permutation(values).Draw(t, "shuffled")
		untouched := slices.Clone(shuffled)
		a, b := NewRRset(Key{}, 0, values...), NewRRset(Key{}, 0, shuffled...)
		if !a.Equal(b) || !slices.IsSorted(a.Values) {
			t.Fatalf("%q and %q are not one set in order", a.Values, b.Values)
		}
		for _, v := range values {
			if !a.Has(v) {
				t.Fatalf("%q lacks %q", a.Values, v)
			}
		}
		if !slices.Equal(shuffled, untouched) {
			t.Fatal("NewRRset changed its argument")
		}
	})
}

func TestZone(t *testing.T) {
	t.Parallel()
	txt := NewRRset(Key{"example.com", TypeTXT}, 300, "b", "a")
	mx := NewRRset(Key{"example.com", TypeMX}, 300, "10 mx.example.net")
	sub := NewRRset(Key{"a.example.com", TypeA}, 300, "192.0.2.1")
	z := NewZone("example.com", 900, txt, mx, sub, NewRRset(Key{"b.example.com", TypeA}, 300))
	if diff := cmp.Diff([]RRset{sub, mx, txt}, z.Sets()); diff != "" {
		t.Errorf("Sets:\n%s", diff)
	}
	if diff := cmp.Diff([]RRset{mx, txt}, z.At("example.com")); diff != "" {
		t.Errorf("At:\n%s", diff)
	}
	changed := z.With(NewRRset(mx.Key, 60, "0 ."), RRset{Key: sub.Key})
	if z.Len() != 3 || changed.Len() != 2 {
		t.Errorf("With changed its receiver: %d sets, and %d in the copy", z.Len(), changed.Len())
	}
	if got, _ := changed.Set(mx.Key); got.TTL != 60 {
		t.Errorf("With kept the old set: %v", got)
	}
	var empty Zone
	if _, ok := empty.Set(mx.Key); ok || empty.Len() != 0 || len(empty.Sets()) != 0 {
		t.Error("the zero zone isn't empty")
	}
	if got := empty.With(mx); got.Len() != 1 {
		t.Error("With on the zero zone failed")
	}
}

// TestZoneIsAMap: a zone made in any number of steps holds, in order, what a
// map would that is given the same sets one after the other.
func TestZoneIsAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := []Name{"example.com", "a.example.com", "b.example.com", "a.example.net"}
		model := map[Key]RRset{}
		z := NewZone("example.com", 300)
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			sets := smallZone(t, "sets").Sets()
			gone := Key{rapid.SampledFrom(names).Draw(t, "gone"), TypeTXT}
			again := NewRRset(gone, 60, "last")
			sets = append(sets, again, RRset{Key: gone}, NewRRset(Key{"z.example.com", TypeA}, 60, "first"), NewRRset(Key{"z.example.com", TypeA}, 60, "last"))
			z = z.With(sets...)
			for _, s := range sets {
				if delete(model, s.Key); len(s.Values) > 0 {
					model[s.Key] = s
				}
			}
		}
		keys := slices.SortedFunc(maps.Keys(model), Key.Compare)
		if z.Len() != len(keys) {
			t.Fatalf("%d sets, want %d", z.Len(), len(keys))
		}
		for i, s := range z.Sets() {
			if got, ok := z.Set(keys[i]); s.Key != keys[i] || !ok || !got.Equal(model[keys[i]]) {
				t.Fatalf("set %d is %v, want %v", i, s, model[keys[i]])
			}
		}
		for _, n := range names {
			want := slices.DeleteFunc(z.Sets(), func(s RRset) bool { return s.Name != n })
			if got := z.At(n); !slices.EqualFunc(got, want, RRset.Equal) {
				t.Fatalf("At(%s) is %v, want %v", n, got, want)
			}
		}
	})
}

func TestStaleErrorSaysBoth(t *testing.T) {
	t.Parallel()
	before := NewRRset(Key{"example.com", TypeTXT}, 300, "v=spf1 -all")
	live := NewRRset(before.Key, 60, "caf\xe9")
	z := NewZone("example.com", 300, live)
	err := z.Check([]Change{{Key: before.Key, Before: &before}})
	if err == nil {
		t.Fatal("a zone that differs was accepted")
	}
	for _, want := range []string{"example.com TXT", "TTL 300", "v=spf1 -all", "TTL 60", `caf\\233`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want it to mention %s", err, want)
		}
	}
	err = z.Check([]Change{{Key: before.Key, After: &before}})
	if err == nil || !strings.Contains(err.Error(), "expected no such record") {
		t.Errorf("a record that should be absent: %v", err)
	}
}
