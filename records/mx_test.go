package records

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseMX(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value, printed Value
		want           MX
	}{
		{"10 mx.example.net", "10 mx.example.net", MX{Preference: 10, Host: "mx.example.net"}},
		{" 010\tMX.Example.NET. ", "10 mx.example.net", MX{Preference: 10, Host: "mx.example.net"}},
		{"0 .", "0 .", MX{}},
		{"65535 münchen.example", "65535 xn--mnchen-3ya.example", MX{Preference: 65535, Host: "xn--mnchen-3ya.example"}},
	}
	for _, tt := range tests {
		got, err := ParseMX(tt.value)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("ParseMX(%q): %v\n%s", tt.value, err, diff)
		}
		if got.Value() != tt.printed {
			t.Errorf("%q prints as %q, want %q", tt.value, got.Value(), tt.printed)
		}
	}
	for _, v := range []Value{"", "10", "mx.example.net", "10 a b", "65536 a", "-1 a", "x a", "10 a..b", "10 .a"} {
		if m, err := ParseMX(v); err == nil {
			t.Errorf("ParseMX(%q) = %+v, want an error", v, m)
		}
	}
}

func TestNullMX(t *testing.T) {
	t.Parallel()
	m, err := ParseMX(NullMX)
	if err != nil || !m.Null() || m.Value() != NullMX {
		t.Errorf("the null MX reads as %+v, %v and prints as %q", m, err, m.Value())
	}
}

func TestMXCompareIsTheOrderOfTrying(t *testing.T) {
	t.Parallel()
	want := readMX([]string{"5 b.example", "5 c.example", "10 a.example", "40000 a.example"})
	rapid.Check(t, func(t *rapid.T) {
		got := rapid.Permutation(want).Draw(t, "order")
		slices.SortFunc(got, MX.Compare)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDescribeMX(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		before, after []Value
		want          []string
	}{
		{"new", nil, []Value{"10 b.example", "5 a.example"}, []string{"+ mail exchanger a.example, preference 5", "+ mail exchanger b.example, preference 10"}},
		{"swap", []Value{"10 a.example", "20 b.example"}, []Value{"10 b.example", "20 a.example"}, []string{"b.example preference 20 → 10", "a.example preference 10 → 20"}},
		{"move", []Value{"10 a.example"}, []Value{"10 b.example"}, []string{"+ mail exchanger b.example, preference 10", "− mail exchanger a.example, preference 10"}},
		{"null", []Value{"10 a.example"}, []Value{NullMX}, []string{"null MX: the domain accepts no mail", "− mail exchanger a.example, preference 10"}},
		{"not null", []Value{NullMX}, []Value{"10 a.example"}, []string{"+ mail exchanger a.example, preference 10", "− null MX: the domain accepts mail again"}},
		{"none left", []Value{"10 a.example"}, nil, []string{"− mail exchanger a.example, preference 10", "no MX is left: senders try the address records of the name"}},
		{"two preferences for one host", []Value{"10 a.example"}, []Value{"10 a.example", "20 a.example"}, []string{"+ mail exchanger a.example, preference 20"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Describe(KindMX, tt.before, tt.after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseMX(f *testing.F) {
	for _, seed := range []string{"10 mx.example.net", "0 .", "65536 a", "1 É.example", "1 a..", "1\u00a0a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMX(Value(text))
		if err != nil {
			return
		}
		if again, err := ParseMX(m.Value()); err != nil || again != m {
			t.Errorf("%q prints as %q, which reads as %+v, %v", text, m.Value(), again, err)
		}
	})
}
