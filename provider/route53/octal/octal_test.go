package octal

import (
	"strings"
	"testing"

	"github.com/attunelogic/maildns/records"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]records.Name{
		"example.com.":                   "example.com",
		`\052.example.com.`:              "*.example.com",
		`_dmarc.EXAMPLE.com`:             "_dmarc.example.com",
		`0\05725.2.0.192.in-addr.arpa.`:  "0/25.2.0.192.in-addr.arpa",
		`a\056b.example.com.`:            `a\046b.example.com`,
		`\303\251\040\134\042.example.`:  `\195\169\032\092\034.example`,
		`a\4b.example.com.`:              `a\0924b.example.com`,
		`a\`:                             `a\092`,
		`\101bc.example.com.`:            "abc.example.com",
		`x\777.example.com.`:             `x\092777.example.com`,
		`\100\044\050\051.example.com.`:  `\064\036\040\041.example.com`,
		strings.Repeat(`\052`, 3) + ".a": "***.a",
	} {
		if got := ParseName(stored); got != want {
			t.Errorf("%s is %s, want %s", stored, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]string{
		`"a" "b"`: "ab", `"a""b"`: "ab", `"a"  "b"`: "ab", "\"a\"\n\"b\"": "ab", `""`: "", `"" ""`: "", `" a "`: " a ",
		`"\"a\""`: `"a"`, `"\\"`: `\`, `"\\" "\\"`: `\\`, `"\303\251"`: "é", `"\000\377"`: "\x00\xff", `"\;"`: `\;`, `"\777"`: `\777`,
		`"\12"`: `\12`, `a`: "a", `"a\`: `a\`, `"a`: "a", `"\134042"`: `\042`,
	} {
		if got := ParseText(stored); got != want {
			t.Errorf("%s is %q, want %q", stored, got, want)
		}
	}
}

// FuzzText: what is written reads back, in printable ASCII and in strings that
// are not too long.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", `"`, `\`, `\"`, `a"b\c`, `\065`, "é\x00\xff\x7f\n", strings.Repeat("x", 254), strings.Repeat(`"`, 255), strings.Repeat(`\`, 256), strings.Repeat("\x01", 511), `a" "b`, `\;`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		stored := Text(text)
		if got := ParseText(stored); got != text {
			t.Errorf("%q is stored as %s and read as %q", text, stored, got)
		}
		for i := range len(stored) {
			if stored[i] < ' ' || stored[i] > '~' {
				t.Fatalf("%q is stored with the byte %d", text, stored[i])
			}
		}
		if want := (len(text) + maxString - 1) / maxString; len(text) > 0 && strings.Count(stored, `" "`)+1 != want && !strings.ContainsAny(text, `" `) {
			t.Errorf("%d bytes are cut into %d strings", len(text), strings.Count(stored, `" "`)+1)
		}
	})
}

// FuzzName: a stored name has one canonical form, and what is written for that
// means the same.
func FuzzName(f *testing.F) {
	for _, seed := range []string{"example.com.", `\052.a.`, `a\056b.`, `\303\251.x.`, `\`, `\4`, `\1234`, `\134101.a.`, `\056.`, "A.b."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		n := ParseName(stored)
		if again := ParseName(Name(n)); again != n {
			t.Errorf("%q is %q, written as %q and read as %q", stored, n, Name(n), again)
		}
	})
}
