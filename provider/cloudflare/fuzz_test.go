package cloudflare

import (
	"encoding/json"
	"testing"

	"github.com/attunelogic/maildns/records"
)

// FuzzText: what is written for a text is JSON that keeps every byte, and reads
// as that text, whatever it holds.
func FuzzText(f *testing.F) {
	for _, s := range []string{"v=spf1 -all", "", `"`, `\`, `"a" "b"`, "\xff\x00\x7f", "é", `\065`, ";", " "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data, err := encode(records.TypeTXT, records.Value(text))
		if err != nil {
			t.Fatal(err)
		}
		wire, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		var back content
		if err := json.Unmarshal(wire, &back); err != nil {
			t.Fatal(err)
		}
		// The library takes the outer quotes away.
		if got := textOf(back.Content[1 : len(back.Content)-1]); got != text {
			t.Errorf("%q became %s and reads as %q", text, back.Content, got)
		}
	})
}

// FuzzEncode: data of a type that the API wants in fields is taken apart, or
// refused; nothing panics.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"10 5 5060 a.example", `0 issue "ca"`, "3 1 1 ab", "1 .", "65536 a", "", `0 issue "a\"b"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		for kind, l := range layouts {
			v, err := records.CanonicalData(kind, data)
			if err != nil {
				continue
			}
			c, err := encode(kind, v)
			if err == nil && len(c.Data) != len(l.numbers)+len(l.words) {
				t.Errorf("%s %q: %v", kind, v, c.Data)
			}
		}
	})
}
