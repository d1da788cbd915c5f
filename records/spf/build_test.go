package spf

import (
	"testing"

	"pgregory.net/rapid"
)

func mustParse(t testing.TB, text string) *Record {
	t.Helper()
	r, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNewSetsOffsets(t *testing.T) {
	t.Parallel()
	r := New(mustParse(t, "v=spf1  +A  Include:X.example   -ALL ").Terms...)
	if want := "v=spf1 a include:x.example -all"; r.Text != want {
		t.Fatalf("Text = %q, want %q", r.Text, want)
	}
	for _, term := range r.Terms {
		if got := r.Text[term.Pos:term.End]; got != term.String() {
			t.Errorf("offsets of %q point at %q", term.String(), got)
		}
	}
}

func TestR05Union(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, declared, keep string
		all                  Qualifier
		want                 string
	}{
		{"declared order, then kept", "v=spf1 include:b.example include:a.example -all", "v=spf1 include:old.example mx ~all", SoftFail,
			"v=spf1 include:b.example include:a.example include:old.example mx ~all"},
		{"shared terms stand once", "v=spf1 include:a.example ip4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.1/32 Include:A.example. ~all", SoftFail,
			"v=spf1 include:a.example ip4:192.0.2.1 ~all"},
		{"the softer qualifier wins", "v=spf1 ?include:a.example -all", "v=spf1 include:a.example", SoftFail,
			"v=spf1 include:a.example ~all"},
		{"a redirect becomes an include", "v=spf1 include:a.example -all", "v=spf1 redirect=r.example", Neutral,
			"v=spf1 include:a.example include:r.example ?all"},
		{"so does a declared one", "v=spf1 redirect=r.example", "v=spf1 mx -all", Fail,
			"v=spf1 include:r.example mx -all"},
		{"a declared fail takes nothing from kept terms", "v=spf1 a -ip4:192.0.2.1 mx -all", "v=spf1 ip4:192.0.2.0/24", SoftFail,
			"v=spf1 a ip4:192.0.2.0/24 -ip4:192.0.2.1 mx ~all"},
		{"dead terms go", "v=spf1 a -all include:dead.example redirect=dead.example", "v=spf1", SoftFail,
			"v=spf1 a ~all"},
		{"modifiers come last, the declared exp wins", "v=spf1 exp=e.example a op=auth -all", "v=spf1 exp=old.example op=auth x=y", SoftFail,
			"v=spf1 a ~all exp=e.example op=auth x=y"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := Union(mustParse(t, test.declared), mustParse(t, test.keep).Terms, test.all)
			if got.Text != test.want {
				t.Errorf("got  %q\nwant %q", got.Text, test.want)
			}
			if reparsed := mustParse(t, got.Text); reparsed.String() != got.Text {
				t.Errorf("%q is not canonical", got.Text)
			}
		})
	}
}

// A union holds every pass term of either side, and joining again adds
// nothing.
func TestUnionProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		declared, live := drawRecord(t, "declared"), drawRecord(t, "live")
		union := Union(declared, live.Live(), SoftFail)
		if all, ok := union.All(); !ok || all != SoftFail {
			t.Fatalf("%q does not end in ~all", union.Text)
		}
		have := map[string]Qualifier{}
		for _, term := range union.Live() {
			have[term.Key()] = term.Qualifier
		}
		for _, side := range []*Record{declared, live} {
			for _, term := range side.Live() {
				key := asMechanism(term).Key()
				if q, ok := have[key]; term.Kind != All && (!ok || q > term.Qualifier) {
					t.Fatalf("%q lacks %q of %q", union.Text, term.String(), side.Text)
				}
			}
		}
		if again := Union(union, live.Live(), SoftFail); again.Text != union.Text {
			t.Fatalf("a second union changes %q to %q", union.Text, again.Text)
		}
	})
}

// drawRecord draws a valid record with distinct terms over a small alphabet.
func drawRecord(t *rapid.T, label string) *Record {
	texts := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"a", "mx", "a:x.example/24", "include:x.example", "include:y.example", "-include:z.example",
		"ip4:192.0.2.0/24", "-ip4:192.0.2.7", "?ip6:2001:db8::/32", "exists:%{i}.x.example", "~ptr",
	}), 0, 8, rapid.ID[string]).Draw(t, label)
	texts = append(texts, rapid.SampledFrom([]string{"", "-all", "~all", "?all", "redirect=r.example"}).Draw(t, label+" end"))
	var terms []Term
	for _, text := range texts {
		if term, err := ParseTerm(text); err == nil {
			terms = append(terms, term)
		}
	}
	return New(terms...)
}
