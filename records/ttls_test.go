package records_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/records"
)

func TestFocusIsTheSameSetSeenFromOurValues(t *testing.T) {
	t.Parallel()
	key := records.Key{Name: "a.example", Type: records.TypeTXT}
	set := records.NewRRset(key, 60, "ours", "ours too", "theirs", "theirs too")
	set.TTLs = map[records.Value]records.TTL{"ours": 300, "ours too": 300, "theirs": records.AutoTTL}
	isOurs := func(v records.Value) bool { return v == "ours" || v == "ours too" }
	got := set.Focus(isOurs)
	want := records.NewRRset(key, 300, set.Values...)
	want.TTLs = map[records.Value]records.TTL{"theirs": records.AutoTTL, "theirs too": 60}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	set.TTLs["ours too"] = 3600
	if got := set.Focus(isOurs); got.TTL != 300 || !got.MixedTTL || got.TTLOf("ours too") != 3600 {
		t.Errorf("where ours differ: %+v", got)
	}
	if got := set.Focus(func(records.Value) bool { return false }); got.TTL != 60 || len(got.TTLs) != 4 {
		t.Errorf("where none is ours: %+v", got)
	}
}

func TestFocusChangesNothingOfASet(t *testing.T) {
	t.Parallel()
	values := []records.Value{"a", "b", "c", "d"}
	ttl := rapid.SampledFrom([]records.TTL{60, 300, 3600, records.AutoTTL})
	rapid.Check(t, func(t *rapid.T) {
		set := records.NewRRset(records.Key{Name: "a.example", Type: records.TypeTXT}, ttl.Draw(t, "ttl"), values...)
		set.TTLs = rapid.MapOf(rapid.SampledFrom(values), ttl).Draw(t, "ttls")
		ours := rapid.MapOf(rapid.SampledFrom(values), rapid.Just(true)).Draw(t, "ours")
		got := set.Focus(func(v records.Value) bool { return ours[v] })
		if !got.Equal(set) || !set.Equal(got) {
			t.Fatalf("%+v has become %+v", set, got)
		}
		again := got.Focus(func(v records.Value) bool { return ours[v] })
		if diff := cmp.Diff(got, again); diff != "" {
			t.Fatalf("seen again it is another one (-first +second):\n%s", diff)
		}
		kept := got.Hold("b", "x")
		if kept.TTLOf("b") != set.TTLOf("b") || len(kept.TTLs) > 1 {
			t.Fatalf("b had %s and has %s in %+v", set.TTLOf("b"), kept.TTLOf("b"), kept)
		}
	})
}

func TestSetsWithTheirOwnTTLsAreComparedValueByValue(t *testing.T) {
	t.Parallel()
	key := records.Key{Name: "a.example", Type: records.TypeTXT}
	a, b := records.NewRRset(key, 300, "x", "y"), records.NewRRset(key, 60, "x", "y")
	a.TTLs = map[records.Value]records.TTL{"y": 60}
	b.TTLs = map[records.Value]records.TTL{"x": 300}
	if !a.Equal(b) {
		t.Errorf("%+v is not %+v", a, b)
	}
	b.TTLs["x"] = 301
	if a.Equal(b) {
		t.Errorf("%+v is %+v", a, b)
	}
}

func TestTTLInWords(t *testing.T) {
	t.Parallel()
	if records.AutoTTL.Bound() != 300 || records.TTL(60).Bound() != 60 {
		t.Error("an automatic TTL counts as 300 s, any other as itself")
	}
	if records.AutoTTL.String() != "automatic" || records.TTL(60).String() != "60" {
		t.Errorf("%s, %s", records.AutoTTL, records.TTL(60))
	}
}
