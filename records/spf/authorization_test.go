package spf

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	z := newZone(t,
		"shared.test TXT v=spf1 ip4:192.0.2.0/24 exists:%{i}.shared.test -all",
		"old.test TXT v=spf1 ip4:198.51.100.0/25 exists:%{i}.old.test -all",
		"new.test TXT v=spf1 ip4:198.51.100.64/26 ip6:2001:db8::/32 ptr -all")
	before := authorization(t, z, "v=spf1 include:shared.test include:old.test ~all")
	after := authorization(t, z, "v=spf1 include:new.test include:shared.test -all")
	change := Compare(before, after)
	if got, want := change.Lost.Ranges()[0].String(), "198.51.100.0/26"; got != want || change.Lost.Count4() != 64 {
		t.Errorf("lost %s of %d, want %s", got, change.Lost.Count4(), want)
	}
	if got, want := change.Gained.Ranges()[0].String(), "2001:db8::/32"; got != want || change.Gained.Count4() != 0 {
		t.Errorf("gained %s, want %s", got, want)
	}
	if diff := cmp.Diff([]UnknownTerm{{"new.test", "ptr", "asks for the name of the client"}}, change.GainedUnknown); diff != "" {
		t.Errorf("gained unknown (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]UnknownTerm{{"old.test", "exists:%{i}.old.test", "depends on the message"}}, change.LostUnknown); diff != "" {
		t.Errorf("lost unknown (-want +got):\n%s", diff)
	}
	none := Compare(before, before)
	if !none.Gained.IsEmpty() || !none.Lost.IsEmpty() || len(none.GainedUnknown)+len(none.LostUnknown) != 0 {
		t.Errorf("a record compared with itself changes: %+v", none)
	}
}

func authorization(t *testing.T, z *zone, text string) Authorization {
	t.Helper()
	tree, err := Resolve(t.Context(), z, "root.test", mustParse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return tree.Authorization()
}

// Where a record can't be read, nothing passes for sure.
func TestAuthorizationOfNothing(t *testing.T) {
	t.Parallel()
	z := newZone(t, "down.test FAIL")
	if none := resolve(t, z, "none.test").Authorization(); !none.Pass.IsEmpty() || !none.Error.Equal(Everything()) {
		t.Errorf("no record: %+v", none)
	}
	if down := resolve(t, z, "down.test").Authorization(); !down.Pass.IsEmpty() || !down.Uncertain.Equal(Everything()) {
		t.Errorf("no answer: %+v", down)
	}
	after := authorization(t, z, "v=spf1 ip4:192.0.2.1 -all")
	if change := Compare(resolve(t, z, "none.test").Authorization(), after); change.Gained.Count4() != 1 || !change.Lost.IsEmpty() {
		t.Errorf("a first record: %+v", change)
	}
}
