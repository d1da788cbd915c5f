package records

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// anyValue draws any string of bytes, with those that escaping is about more
// often than chance would.
func anyValue(t *rapid.T) Value {
	piece := rapid.OneOf(
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 8), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{`\`, `\\`, `\000`, `\255`, `\256`, "\x00", "é", "\xc3", "\u0085", "\ufffd", `"`, "v=spf1 -all"}),
	)
	return Value(strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "value"), ""))
}

func TestEscapeValueRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(t)
		for name, print := range map[string]func(Value) string{"EscapeValue": EscapeValue, "PrintableValue": PrintableValue} {
			text := print(v)
			back, err := UnescapeValue(text)
			if err != nil || back != v {
				t.Fatalf("%s(%q) = %q, which reads as %q, %v", name, v, text, back, err)
			}
			if !utf8.ValidString(text) {
				t.Fatalf("%s(%q) = %q is not valid UTF-8", name, v, text)
			}
		}
		if i := strings.IndexFunc(PrintableValue(v), isControl); i >= 0 {
			t.Fatalf("PrintableValue(%q) has a control character at %d", v, i)
		}
	})
}

func TestValueInJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(t)
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var back Value
		if err := json.Unmarshal(text, &back); err != nil || back != v {
			t.Fatalf("%q as JSON is %s, which reads as %q, %v", v, text, back, err)
		}
	})
}

func TestEscapeValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value            Value
		escaped, printed string
	}{
		{"v=spf1 -all", "v=spf1 -all", "v=spf1 -all"},
		{`v=DKIM1\; p=`, `v=DKIM1\\; p=`, `v=DKIM1\\; p=`},
		{"caf\xc3\xa9", "café", "café"},
		{"caf\xe9", `caf\233`, `caf\233`},
		{"a\tb\x1b[0m", "a\tb\x1b[0m", `a\009b\027[0m`},
		{"a\u009bb", "a\u009bb", `a\194\155b`},
		{"\ufffd", "\ufffd", "\ufffd"},
	}
	for _, tt := range tests {
		if got := EscapeValue(tt.value); got != tt.escaped {
			t.Errorf("EscapeValue(%q) = %q, want %q", tt.value, got, tt.escaped)
		}
		if got := PrintableValue(tt.value); got != tt.printed {
			t.Errorf("PrintableValue(%q) = %q, want %q", tt.value, got, tt.printed)
		}
	}
}

func TestUnescapeValueRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`\`, `a\`, `\1`, `\12`, `\256`, `\999`, `\x41`, `\;`, `\-12`} {
		if v, err := UnescapeValue(text); err == nil {
			t.Errorf("UnescapeValue(%q) = %q, want an error", text, v)
		}
	}
}

func FuzzUnescapeValue(f *testing.F) {
	for _, seed := range []string{"", "v=spf1 -all", `\\`, `\233`, `\256`, `a\`, "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := UnescapeValue(text)
		if err != nil {
			return
		}
		if back, err := UnescapeValue(EscapeValue(v)); err != nil || back != v {
			t.Errorf("%q reads as %q, whose escaped form reads as %q, %v", text, v, back, err)
		}
	})
}
