package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/records"
)

// names lists the objects of a store.
func names(t testing.TB, s store.Store) []string {
	t.Helper()
	all, err := s.List(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// overwrite is what nobody should do to an object.
func overwrite(t testing.TB, s store.Store, name string, data []byte) {
	t.Helper()
	if err := s.Delete(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if err := s.Create(t.Context(), name, data); err != nil {
		t.Fatal(err)
	}
}

func contents(t testing.TB, s store.Store, name string) []byte {
	t.Helper()
	data, err := s.Read(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const (
	intent1  = "zones/a.example/9999999998-1-intent.json"
	outcome1 = "zones/a.example/9999999998-1-outcome.json"
	intent2  = "zones/a.example/9999999997-2-intent.json"
	outcome2 = "zones/a.example/9999999997-2-outcome.json"
	intent3  = "zones/a.example/9999999996-3-intent.json"
	outcome3 = "zones/a.example/9999999996-3-outcome.json"
)

func TestTheNewestObjectIsListedFirst(t *testing.T) {
	t.Parallel()
	s := memory()
	story(t, s, 3)
	want := []string{intent3, outcome3, intent2, outcome2, intent1, outcome1}
	if got := names(t, s); !slices.Equal(got, want) {
		t.Errorf("objects %v, want %v", got, want)
	}
}

// seen is what a walk over a chain returns, in short: the number of each entry,
// with '!' where it is damaged, "i" and "o" for its intact parts.
func seen(t testing.TB, j *journal.Journal) string {
	t.Helper()
	var out []string
	for e, err := range j.Entries(t.Context(), zone) {
		s := fmt.Sprint(e.Seq)
		if e.Intent != nil {
			s += "i"
		}
		if e.Outcome != nil {
			s += "o"
		}
		if err != nil {
			s += "!"
			if !errors.As(err, new(*journal.DamageError)) {
				t.Errorf("entry %d: %v", e.Seq, err)
			}
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestDamageIsFoundAndTheRestStillRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tamper func(t *testing.T, s store.Store)
		want   string // as seen
		reason string
	}{
		"nothing": {func(*testing.T, store.Store) {}, "3io 2io 1io", ""},
		"an edited intent": {func(t *testing.T, s store.Store) {
			overwrite(t, s, intent2, bytes.Replace(contents(t, s, intent2), []byte(`"ann"`), []byte(`"bob"`), 1))
		}, "3io 2o! 1io", "digest"},
		"an edited outcome": {func(t *testing.T, s store.Store) {
			overwrite(t, s, outcome2, bytes.Replace(contents(t, s, outcome2), []byte(`p=none`), []byte(`p=nope`), 1))
		}, "3io 2i! 1io", "digest"},
		"a truncated outcome": {func(t *testing.T, s store.Store) {
			data := contents(t, s, outcome3)
			overwrite(t, s, outcome3, data[:len(data)/2])
		}, "3i! 2io 1io", "digest"},
		"an empty intent": {func(t *testing.T, s store.Store) { overwrite(t, s, intent1, nil) }, "3io 2io 1o!", "digest"},
		"a removed entry": {func(t *testing.T, s store.Store) {
			if err := errors.Join(s.Delete(t.Context(), intent2), s.Delete(t.Context(), outcome2)); err != nil {
				t.Fatal(err)
			}
		}, "3io 2! 1io", "missing"},
		"a removed first entry": {func(t *testing.T, s store.Store) {
			if err := errors.Join(s.Delete(t.Context(), intent1), s.Delete(t.Context(), outcome1)); err != nil {
				t.Fatal(err)
			}
		}, "3io 2io 1!", "missing"},
		"a removed intent": {func(t *testing.T, s store.Store) {
			if err := s.Delete(t.Context(), intent2); err != nil {
				t.Fatal(err)
			}
		}, "3io 2o! 1io", "its intent is missing"},
		"a removed outcome": {func(t *testing.T, s store.Store) {
			if err := s.Delete(t.Context(), outcome2); err != nil {
				t.Fatal(err)
			}
		}, "3io 2i! 1io", "its outcome is missing"},
		"swapped entries": {func(t *testing.T, s store.Store) {
			swap(t, s, intent1, intent2)
			swap(t, s, outcome1, outcome2)
		}, "3io 2! 1!", "in the place of its intent is the intent of a.example"},
		"an intent for an outcome": {func(t *testing.T, s store.Store) {
			overwrite(t, s, outcome2, contents(t, s, intent2))
		}, "3io 2i! 1io", "is the intent of a.example/2"},
		"an entry made anew": {func(t *testing.T, s store.Store) {
			other := memory()
			j := story(t, other, 1)
			_, head, _ := j.State(t.Context(), zone)
			forged := step(2, clock(2))
			forged.Actor = "mallory"
			in, err := j.Begin(t.Context(), head, forged)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := j.Finish(t.Context(), in, journal.Conclude(plan.State{}, in, after(2), clock(2), "")); err != nil {
				t.Fatal(err)
			}
			overwrite(t, s, intent2, contents(t, other, intent2))
			overwrite(t, s, outcome2, contents(t, other, outcome2))
		}, "3io 2io! 1io", "a.example/3 was put on"},
		"an intent made anew": {func(t *testing.T, s store.Store) {
			other := memory()
			j := story(t, other, 1)
			_, head, _ := j.State(t.Context(), zone)
			forged := step(2, clock(2))
			forged.Actor = "mallory"
			if _, err := j.Begin(t.Context(), head, forged); err != nil {
				t.Fatal(err)
			}
			overwrite(t, s, intent2, contents(t, other, intent2))
		}, "3io 2i! 1io", "another intent"},
		"a stray object": {func(t *testing.T, s store.Store) {
			if err := s.Create(t.Context(), outcome2+".bak", nil); err != nil {
				t.Fatal(err)
			}
		}, "3io 0! 2io 1io", "move it away"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := memory()
			j := story(t, s, 3)
			c.tamper(t, s)
			if got := seen(t, j); got != c.want {
				t.Errorf("seen %q, want %q", got, c.want)
			}
			damage := verify(t, j)
			if len(damage) != strings.Count(c.want, "!") {
				t.Errorf("damage %v", damage)
			}
			for _, d := range damage {
				if !strings.Contains(d.Error(), c.reason) {
					t.Errorf("it says %q, want something about %q", d, c.reason)
				}
			}
		})
	}
}

func swap(t testing.TB, s store.Store, a, b string) {
	t.Helper()
	x, y := contents(t, s, a), contents(t, s, b)
	overwrite(t, s, a, y)
	overwrite(t, s, b, x)
}

// TestEveryEditedByteIsFound: the digest covers the bytes, not their meaning.
func TestEveryEditedByteIsFound(t *testing.T) {
	t.Parallel()
	s := memory()
	j := story(t, s, 2)
	for _, name := range []string{intent1, outcome1} {
		original := contents(t, s, name)
		for i := range original {
			edited := slices.Clone(original)
			edited[i] ^= 1
			overwrite(t, s, name, edited)
			_, err := j.Entry(t.Context(), zone, 1)
			if damage, version := new(*journal.DamageError), new(*journal.VersionError); !errors.As(err, damage) && !errors.As(err, version) {
				t.Fatalf("byte %d of %s, %q for %q: %v", i, name, edited[i], original[i], err)
			}
		}
		for _, n := range []int{0, 1, len(original) - 1} {
			overwrite(t, s, name, original[:n])
			if _, err := j.Entry(t.Context(), zone, 1); err == nil {
				t.Errorf("%s cut to %d bytes is not found", name, n)
			}
		}
		overwrite(t, s, name, append(slices.Clone(original), '\n'))
		if _, err := j.Entry(t.Context(), zone, 1); err == nil {
			t.Errorf("a byte added to %s is not found", name)
		}
		overwrite(t, s, name, original)
	}
	if damage := verify(t, j); len(damage) > 0 {
		t.Errorf("damage: %v", damage)
	}
}

// TestADamagedHeadStillShowsTheNewestIntactState: a rollback works with it, and
// its entry continues the chain.
func TestADamagedHeadStillShowsTheNewestIntactState(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]func(t *testing.T, s store.Store){
		"the outcome": func(t *testing.T, s store.Store) { overwrite(t, s, outcome3, []byte("{")) },
		"the intent, pending": func(t *testing.T, s store.Store) {
			overwrite(t, s, intent3, []byte("{"))
			if err := s.Delete(t.Context(), outcome3); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := memory()
			j := story(t, s, 3)
			tamper(t, s)
			state, head, err := j.State(t.Context(), zone)
			if !errors.As(err, new(*journal.DamageError)) {
				t.Fatalf("error %v, want damage", err)
			}
			if state.Seq != 2 || head.Seq != 3 || head.Pending != nil {
				t.Fatalf("state of entry %d, head %+v", state.Seq, head)
			}
			in, err := j.Begin(t.Context(), head, step(4, clock(4)))
			if err != nil || in.Seq != 4 {
				t.Fatalf("the next entry is %d, error %v", in.Seq, err)
			}
			if _, err := j.Finish(t.Context(), in, journal.Conclude(state, in, after(4), clock(4), "")); err != nil {
				t.Fatal(err)
			}
			if _, _, err := j.State(t.Context(), zone); err != nil {
				t.Errorf("the new head: %v", err)
			}
			damage := verify(t, j)
			if len(damage) != 1 || damage[0].Last != 3 {
				t.Errorf("damage %v, want that of entry 3 alone", damage)
			}
		})
	}
}

func TestAPendingEntryIsNoDamageOnlyAtTheHead(t *testing.T) {
	t.Parallel()
	s := memory()
	j := story(t, s, 2)
	if err := s.Delete(t.Context(), outcome2); err != nil {
		t.Fatal(err)
	}
	if got := seen(t, j); got != "2i 1io" {
		t.Errorf("seen %q", got)
	}
	if err := s.Delete(t.Context(), outcome1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.State(t.Context(), zone); !errors.As(err, new(*journal.DamageError)) {
		t.Errorf("a pending entry on another: %v", err)
	}
}

func TestAnUnknownMajorVersionIsRefused(t *testing.T) {
	t.Parallel()
	for version, refused := range map[string]bool{"1.0": false, "1.7": false, "2.0": true, "10.1": true} {
		s := memory()
		j := story(t, s, 1)
		data := bytes.Replace(contents(t, s, outcome1), []byte(`"format_version":"1.0"`), []byte(`"format_version":"`+version+`"`), 1)
		overwrite(t, s, outcome1, data)
		_, _, err := j.State(t.Context(), zone)
		if got := errors.As(err, new(*journal.VersionError)); got != refused {
			t.Errorf("version %s: %v", version, err)
		}
	}
}

func TestEntriesStopWhenAsked(t *testing.T) {
	t.Parallel()
	s := &counting{Store: memory()}
	j := story(t, s, 1200)
	s.n = 0
	n := 0
	for e, err := range j.Entries(t.Context(), zone) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			if e.Seq != 1198 {
				t.Errorf("the third newest is %d", e.Seq)
			}
			break
		}
	}
	if s.n > 8 {
		t.Errorf("three entries took %d requests", s.n)
	}
	if damage := verify(t, j); len(damage) > 0 {
		t.Errorf("damage: %v", damage)
	}
}

func TestZonesSkipsLongHistories(t *testing.T) {
	t.Parallel()
	s := &counting{Store: memory()}
	j := story(t, s, 600)
	want := []records.Name{"%2A", "a.example"}
	for i := range 1100 {
		want = append(want, records.Name(fmt.Sprintf("z%04d.example", i)))
	}
	want[0] = "*.wild.example"
	for _, z := range want {
		if z == zone {
			continue
		}
		in := step(1, clock(1))
		in.Zone = z
		if _, err := j.Begin(t.Context(), journal.Head{Zone: z}, in); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Create(t.Context(), "reports/2026/11/x", nil); err != nil {
		t.Fatal(err)
	}
	s.n = 0
	zones, err := j.Zones(t.Context())
	if err != nil || !slices.Equal(zones, want) {
		t.Errorf("%d zones, error %v; want %d", len(zones), err, len(want))
	}
	if s.n > 5 {
		t.Errorf("%d requests", s.n)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	s := memory()
	j := story(t, s, 11)
	for i, z := range []records.Name{"b.example", "bb.example", "cc.example"} {
		in := step(1, clock(1))
		in.Zone = z
		if i > 0 {
			in.Run = "20261125T000000Z-both"
		}
		if _, err := j.Begin(t.Context(), journal.Head{Zone: z}, in); err != nil {
			t.Fatal(err)
		}
	}
	for ref, want := range map[string]string{
		"a.example/1":           "a.example/1",
		"a.example/11":          "a.example/11",
		"a.ex/7":                "a.example/7",
		"b.example/1":           "b.example/1",
		"b/1":                   `"b/1" fits b.example/1, bb.example/1: type more of it`,
		"bb.":                   "bb.example/1",
		"a.example/12":          "no such entry",
		"a.example/0":           "no such entry",
		"x.example/1":           "no such entry",
		"20261124T190003Z-run":  "a.example/3",
		"20261124T190003":       "a.example/3",
		"20261124T190001Z-run":  "a.example/1 b.example/1",
		"20261125":              "bb.example/1 cc.example/1",
		"20261124T19000":        "and 4 more: type more of it",
		"2027":                  "no such entry",
		"":                      "no entry is named",
		"a.example":             "a.example/10, a.example/11, a.example/2",
		"20261125T000000Z-both": "bb.example/1 cc.example/1",
	} {
		entries, err := j.Find(t.Context(), ref)
		var ids []string
		for _, e := range entries {
			ids = append(ids, e.ID())
		}
		got := strings.Join(ids, " ")
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%q finds %s, want %s", ref, got, want)
		}
	}
}

func TestFindRefusesADamagedEntry(t *testing.T) {
	t.Parallel()
	s := memory()
	j := story(t, s, 3)
	overwrite(t, s, intent2, []byte("{}"))
	for _, ref := range []string{"a.example/2", "20261124T190002Z-run"} {
		if entries, err := j.Find(t.Context(), ref); !errors.As(err, new(*journal.DamageError)) {
			t.Errorf("%s finds %v, error %v", ref, entries, err)
		}
	}
	if entries, err := j.Find(t.Context(), "20261124T190003Z-run"); err != nil || len(entries) != 1 {
		t.Errorf("an intact entry beside it: %v, error %v", entries, err)
	}
}

func TestPruningLeavesAChainThatVerifies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before int // minutes
		want   string
		drops  int
	}{
		{0, "6io 5io 4io 3io 2io 1io", 0},
		{4, "6io 5io 4io", 3},
		{6, "6io", 5},
		{999, "6io", 5},
	} {
		s := memory()
		j := story(t, s, 6)
		dropped, err := j.Prune(t.Context(), zone, clock(c.before).Now, "pruner", clock(7).Moment())
		if err != nil || dropped != c.drops {
			t.Errorf("before %d: dropped %d, error %v", c.before, dropped, err)
		}
		if got := seen(t, j); got != c.want {
			t.Errorf("before %d: seen %q, want %q", c.before, got, c.want)
		}
		if got, want := len(names(t, s)), 2*(6-c.drops)+min(c.drops, 1); got != want {
			t.Errorf("before %d: %d objects are left, want %d", c.before, got, want)
		}
		run(t, j, 7)
		if _, err := j.Prune(t.Context(), zone, clock(7).Now.Add(-time.Second), "pruner", clock(8).Moment()); err != nil {
			t.Error(err)
		}
		if got := seen(t, j); got != "7io" || len(names(t, s)) != 3 {
			t.Errorf("pruned twice: seen %q, objects %v", got, names(t, s))
		}
		if _, err := j.Find(t.Context(), "a.example/1"); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("a pruned entry: %v", err)
		}
	}
}

func TestPruningLeavesDamageAlone(t *testing.T) {
	t.Parallel()
	s := memory()
	j := story(t, s, 3)
	overwrite(t, s, outcome1, []byte("{}"))
	before := names(t, s)
	if _, err := j.Prune(t.Context(), zone, clock(100).Now, "pruner", clock(7).Moment()); !errors.As(err, new(*journal.DamageError)) {
		t.Errorf("error %v", err)
	}
	if !slices.Equal(before, names(t, s)) {
		t.Errorf("evidence is gone: %v", names(t, s))
	}
}

// TestAPrunedChainShowsTampering: the marker is a link like any other.
func TestAPrunedChainShowsTampering(t *testing.T) {
	t.Parallel()
	const marker = "zones/a.example/9999999997-2-pruned.json"
	pruned := func(t *testing.T, n int, actor string) (store.Store, *journal.Journal) {
		s := memory()
		j := story(t, s, n)
		if _, err := j.Prune(t.Context(), zone, clock(3).Now, actor, clock(7).Moment()); err != nil {
			t.Fatal(err)
		}
		return s, j
	}
	t.Run("an edited marker", func(t *testing.T) {
		t.Parallel()
		s, j := pruned(t, 4, "pruner")
		overwrite(t, s, marker, bytes.Replace(contents(t, s, marker), []byte("pruner"), []byte("prunes"), 1))
		if got := seen(t, j); got != "4io 3io 2!" {
			t.Errorf("seen %q", got)
		}
	})
	t.Run("the marker of another chain", func(t *testing.T) {
		t.Parallel()
		s, j := pruned(t, 4, "pruner")
		other := memory()
		foreign := journal.Open(other)
		in := step(1, clock(1))
		in.Actor = "mallory"
		begun, err := foreign.Begin(t.Context(), journal.Head{Zone: zone}, in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := foreign.Finish(t.Context(), begun, journal.Conclude(plan.State{}, begun, after(1), clock(1), "")); err != nil {
			t.Fatal(err)
		}
		run(t, foreign, 2)
		run(t, foreign, 3)
		if _, err := foreign.Prune(t.Context(), zone, clock(3).Now, "pruner", clock(7).Moment()); err != nil {
			t.Fatal(err)
		}
		overwrite(t, s, marker, contents(t, other, marker))
		if got := seen(t, j); got != "4io 3io 2!" {
			t.Errorf("seen %q", got)
		}
	})
	t.Run("a missing marker", func(t *testing.T) {
		t.Parallel()
		s, j := pruned(t, 4, "pruner")
		if err := s.Delete(t.Context(), marker); err != nil {
			t.Fatal(err)
		}
		damage := verify(t, j)
		if len(damage) != 1 || damage[0].First != 1 || damage[0].Last != 2 {
			t.Errorf("damage %v, want entries 1 to 2", damage)
		}
	})
	t.Run("nothing after the marker", func(t *testing.T) {
		t.Parallel()
		s, j := pruned(t, 3, "pruner")
		if err := errors.Join(s.Delete(t.Context(), intent3), s.Delete(t.Context(), outcome3)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := j.State(t.Context(), zone); !errors.As(err, new(*journal.DamageError)) {
			t.Errorf("error %v", err)
		}
		if damage := verify(t, j); len(damage) != 1 {
			t.Errorf("damage %v", damage)
		}
	})
}
