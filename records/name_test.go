package records

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseName(t *testing.T) {
	t.Parallel()
	label63 := strings.Repeat("a", 63)
	name253 := strings.Join([]string{label63, label63, label63, label63[:61]}, ".")
	tests := []struct {
		text string
		want Name
	}{
		{"example.com", "example.com"},
		{"Example.COM.", "example.com"},
		{"_dmarc.example.com", "_dmarc.example.com"},
		{"s1._domainkey.example.com", "s1._domainkey.example.com"},
		{"*.example.com", "*.example.com"},
		{"münchen.example", "xn--mnchen-3ya.example"},
		{"MÜNCHEN.example.", "xn--mnchen-3ya.example"},
		{"_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example"},
		{"faß.example", "xn--fa-hia.example"}, // not the transitional fass.example
		{"xn--mnchen-3ya.example", "xn--mnchen-3ya.example"},
		{"例え。テスト", "xn--r8jz45g.xn--zckzah"},
		{label63 + ".example", Name(label63 + ".example")},
		{name253, Name(name253)},
		{name253 + ".", Name(name253)},
		{"a", "a"},
		{"1.2", "1.2"},
	}
	for _, tt := range tests {
		if got, err := ParseName(tt.text); err != nil || got != tt.want {
			t.Errorf("ParseName(%q) = %q, %v, want %q", tt.text, got, err, tt.want)
		}
	}
}

func TestParseNameRefuses(t *testing.T) {
	t.Parallel()
	label63 := strings.Repeat("a", 63)
	tests := []struct{ text, why string }{
		{"", "is empty"},
		{".", "is empty"},
		{"a..example", "empty label"},
		{".example", "empty label"},
		{"example..", "empty label"},
		{label63 + "a.example", "at most 63"},
		{strings.Join([]string{label63, label63, label63, label63[:62]}, "."), "at most 253"},
		{"-a.example", "hyphen"},
		{"a-.example", "hyphen"},
		{"a.*.example", `'*'`},
		{"a*.example", `'*'`},
		{"a b.example", `' '`},
		{"a;b.example", `';'`},
		{"http://example.com", "':'"},
		{`a\032b.example`, `'\\'`},
		{"\x00", `'\x00'`},
		{"אa.example", "internationalised"},      // BiDi rule, RFC 5893 2
		{"a\u200d.example", "internationalised"}, // a joiner out of place, RFC 5892 A.2
		{strings.Repeat("ü", 64), "at most 63"},  // as an A-label
	}
	for _, tt := range tests {
		got, err := ParseName(tt.text)
		if err == nil {
			t.Errorf("ParseName(%q) = %q, want an error", tt.text, got)
		} else if !strings.Contains(err.Error(), tt.why) {
			t.Errorf("ParseName(%q): %v; want it to mention %q", tt.text, err, tt.why)
		}
	}
}

func TestNameRelations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, zone Name
		in         bool
		relative   string
	}{
		{"example.com", "example.com", true, "@"},
		{"a.b.example.com", "example.com", true, "a.b"},
		{"badexample.com", "example.com", false, "badexample.com."},
		{"com", "example.com", false, "com."},
		{"a.example.com.example.com", "example.com", true, "a.example.com"},
		{"example.com", "", true, "example.com."},
		{"", "", true, "@"},
	}
	for _, tt := range tests {
		if got := tt.name.In(tt.zone); got != tt.in {
			t.Errorf("%q.In(%q) = %v", tt.name, tt.zone, got)
		}
		if got := tt.name.Relative(tt.zone); got != tt.relative {
			t.Errorf("%q.Relative(%q) = %q, want %q", tt.name, tt.zone, got, tt.relative)
		}
	}
	if got := Below("@", "a.example"); got != "a.example" {
		t.Errorf(`Below("@") = %q`, got)
	}
	if got := Name("a.b.example").Parent(); got != "b.example" {
		t.Errorf("Parent = %q", got)
	}
	if got := Name("example").Parent(); got != "" {
		t.Errorf("Parent of one label = %q, want the root", got)
	}
	if got := Name("").Labels(); got != nil {
		t.Errorf("Labels of the root = %q", got)
	}
}

// validName draws a name that ParseName accepts as it is.
func validName() *rapid.Generator[Name] {
	label := rapid.StringMatching(`[a-z_]([a-z0-9-]{0,8}[a-z0-9])?`)
	return rapid.Map(rapid.SliceOfN(label, 1, 5), func(labels []string) Name { return Name(strings.Join(labels, ".")) })
}

func TestNameProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, zone := validName().Draw(t, "name"), validName().Draw(t, "zone")
		parsed, err := ParseName(strings.ToUpper(string(n)) + ".")
		if err != nil || parsed != n {
			t.Fatalf("ParseName of %q in capitals and with a dot = %q, %v", n, parsed, err)
		}
		if CanonicalName(strings.ToUpper(string(n))+".") != n {
			t.Fatalf("CanonicalName of %q differs", n)
		}
		below := Below(string(n), zone)
		if !below.In(zone) || below.Relative(zone) != string(n) {
			t.Fatalf("%q below %q is %q, relative %q", n, zone, below, below.Relative(zone))
		}
		if !slices.Equal(below.Labels(), append(n.Labels(), zone.Labels()...)) {
			t.Fatalf("labels of %q = %q", below, below.Labels())
		}
	})
}

func FuzzParseName(f *testing.F) {
	for _, seed := range []string{"example.com", "münchen.example", "*.a", "_dmarc.x.", "xn--a", "a..b", "faß.de", "İ.example", "a。b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseName(text)
		if err != nil {
			return
		}
		if again, err := ParseName(string(n)); err != nil || again != n {
			t.Errorf("ParseName(%q) = %q, which reads as %q, %v", text, n, again, err)
		}
		if len(n) == 0 || len(n) > maxName {
			t.Errorf("ParseName(%q) has %d characters", text, len(n))
		}
	})
}
