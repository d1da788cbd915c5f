package lookup

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestCanonicalRaw(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                      ".",
		".":                     ".",
		"Example.COM":           "example.com.",
		"example.com.":          "example.com.",
		"_dmarc.example.com":    "_dmarc.example.com.",
		"*.example.com":         "*.example.com.",
		"bücher.example":        "xn--bcher-kva.example.",
		"a b.example":           `a\032b.example.`,
		"a\\b.example":          `a\092b.example.`,
		"a\xff.example":         `a\255.example.`,
		"-a-.example":           "-a-.example.",
		`"quoted"@x.example`:    `\034quoted\034\064x.example.`,
		"a+b=c/d.example":       "a+b=c/d.example.",
		strings.Repeat("a", 63): strings.Repeat("a", 63) + ".",
		strings.Repeat("a", 64): "",
		"a..b":                  "",
		".a":                    "",
		"a..":                   "",
		longName(253):           longName(253) + ".",
		longName(254):           "",
		"." + "example.com":     "",
	}
	for raw, want := range tests {
		got, err := canonicalRaw(raw)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: got %q, %v; want %q", raw, got, err, want)
		}
	}
}

// longName is a name of n bytes.
func longName(n int) string {
	return strings.Repeat("a.", n/2-1) + strings.Repeat("b", n-2*(n/2-1))
}

// FuzzName sends a raw name over the wire and back.
func FuzzName(f *testing.F) {
	for _, s := range []string{"example.com", "A.b", "bücher.example", "a b\\\"\x00\xff.c", "x@y;(z)'.d", `\046.e`, "..", "*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		name, err := canonicalRaw(raw)
		if err != nil {
			return
		}
		wire := make([]byte, 256)
		end, err := dns.PackDomainName(name, wire, 0, nil, false)
		if err != nil {
			t.Fatalf("%q became %q, which is no name: %v", raw, name, err)
		}
		text, _, err := dns.UnpackDomainName(wire[:end], 0)
		if err != nil || canonicalText(text) != name {
			t.Fatalf("%q became %q, which comes back as %q, %v", raw, name, text, err)
		}
		if again, err := canonicalRaw(rawHost(hostText(name))); !strings.Contains(name, `\046`) && (err != nil || again != name) {
			t.Fatalf("%q became %q, then %q, %v", raw, name, again, err)
		}
	})
}

// TestDotsWithinLabelsStayApart: a host with the label "mail.victim" must not
// pass for mail.victim.com.
func TestDotsWithinLabelsStayApart(t *testing.T) {
	t.Parallel()
	if got := rawHost(host(`Mail\.victim.com.`)); got != `mail\046victim.com` {
		t.Errorf("got %q", got)
	}
	if got := rawHost(host(`a\ b\"\255.com.`)); got != "a b\"\xff.com" {
		t.Errorf("got %q", got)
	}
}
