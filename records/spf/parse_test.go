package spf

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// comparePrefix lets cmp compare values of netip, which have no exported
// fields.
var comparePrefix = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func TestParseTerms(t *testing.T) {
	t.Parallel()
	const text = "v=spf1 a -mx:M.example/24//64  ?ip4:192.0.2.9/24 ip6:2001:db8::1 ~Include:%{d2r-}.X.example. exists:%{ir}.z.example ptr redirect=r.example exp=e.example op=auth all "
	want := []Term{
		{Pos: 7, End: 8, Kind: A},
		{Pos: 9, End: 29, Kind: MX, Qualifier: Fail, Domain: Literal("M.example"), Len4: LengthOf(24), Len6: LengthOf(64)},
		{Pos: 31, End: 48, Kind: IP4, Qualifier: Neutral, Prefix: netip.MustParsePrefix("192.0.2.0/24")},
		{Pos: 49, End: 64, Kind: IP6, Prefix: netip.MustParsePrefix("2001:db8::1/128")},
		{Pos: 65, End: 92, Kind: Include, Qualifier: SoftFail, Domain: MacroString{Text: "%{d2r-}.X.example.", Parts: []MacroPart{
			{Letter: 'd', Keep: 2, Reverse: true, Delimiters: "-"}, {Literal: ".X.example."}}}},
		{Pos: 93, End: 115, Kind: Exists, Domain: MacroString{Text: "%{ir}.z.example", Parts: []MacroPart{
			{Letter: 'i', Reverse: true}, {Literal: ".z.example"}}}},
		{Pos: 116, End: 119, Kind: PTR},
		{Pos: 120, End: 138, Kind: Redirect, Domain: Literal("r.example")},
		{Pos: 139, End: 152, Kind: Exp, Domain: Literal("e.example")},
		{Pos: 153, End: 160, Kind: Other, Name: "op", Value: "auth"},
		{Pos: 161, End: 164, Kind: All},
	}
	r, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, r.Terms, comparePrefix, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	const canonical = "v=spf1 a -mx:m.example/24//64 ?ip4:192.0.2.0/24 ip6:2001:db8::1 ~include:%{d2r-}.x.example exists:%{ir}.z.example ptr redirect=r.example exp=e.example op=auth all"
	if got := r.String(); got != canonical {
		t.Errorf("String() = %q\nwant       %q", got, canonical)
	}
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	// The offset of the fault is where the ^ stands in mark.
	tests := []struct{ text, mark, problem string }{
		{" v=spf1 -all", "^", "does not begin"},
		{"v=spf10 -all", "^", "does not begin"},
		{"v=spf1; -all", "^", "does not begin"},
		{"v=spf1 ip4:1.2.3 -all", "           ^", "no valid IPv4"},
		{"v=spf1 ip4:1.2.3.04 -all", "           ^", "no valid IPv4"},
		{"v=spf1 ip4:1.2.3.4/33", "                  ^", "prefix length"},
		{"v=spf1 ip4:1.2.3.4/08", "                  ^", "prefix length"},
		{"v=spf1 ip4:1.2.3.4/", "                  ^", "prefix length"},
		{"v=spf1 ip4", "          ^", "no address"},
		{"v=spf1 ip4:::1", "           ^", "IPv6 address in ip4"},
		{"v=spf1 ip6:1.2.3.4", "           ^", "IPv4 address in ip6"},
		{"v=spf1 ip6:fe80::1%eth0", "           ^", "no valid IPv6"},
		{"v=spf1 ip6:::1/129", "              ^", "prefix length"},
		{"v=spf1 -all include:", "                    ^", "names no domain"},
		{"v=spf1 include", "              ^", "names no domain"},
		{"v=spf1 a:x.example/33", "                  ^", "prefix length"},
		{"v=spf1 a:x.example//129", "                   ^", "prefix length"},
		{"v=spf1 a/24/32", "        ^", "misshapen"},
		{"v=spf1 a:x/33", "          ^", "prefix length"},
		{"v=spf1 a:museum", "         ^", "full domain name"},
		{"v=spf1 a:111.222.33.44", "                    ^", "top-level"},
		{"v=spf1 mx:mail.example:25", "               ^", "top-level"},
		{"v=spf1 foo:bar", "       ^", "no known mechanism"},
		{"v=spf1 ~foo", "        ^", "no known mechanism"},
		{"v=spf1 :x.example", "       ^", "no name"},
		{"v=spf1 -all:x.example", "           ^", "a value"},
		{"v=spf1 all.", "       ^", "no known mechanism"},
		{"v=spf1 +redirect=x.example", "       ^", "qualifier"},
		{"v=spf1 1x=y", "       ^", "modifier name"},
		{"v=spf1 redirect=", "                ^", "names no domain"},
		{"v=spf1 redirect=a.b exp=c.d Redirect=a.b", "                            ^", "repeats"},
		{"v=spf1 exists:%{z}.x.example", "                ^", "does not exist"},
		{"v=spf1 exists:%{c}.x.example", "                ^", "explanation"},
		{"v=spf1 exists:%{d0}.x.example", "                 ^", "0 parts"},
		{"v=spf1 exists:%{dx}.x.example", "                 ^", "no delimiter"},
		{"v=spf1 exists:x%(i).example", "               ^", "no macro"},
		{"v=spf1 exists:%{d", "              ^", "no macro"},
		{"v=spf1 exists:%", "              ^", "no macro"},
		{"v=spf1 foo=%", "           ^", "no macro"},
		{"v=spf1 a:x.exam\u00adple", "               ^", "visible ASCII"},
		{"v=spf1 a:x.example\tmx", "                  ^", "visible ASCII"},
		{"v=spf1 exi\u017fts:x.example", "       ^", "no known mechanism"},
	}
	for _, test := range tests {
		_, err := Parse(test.text)
		var fault *SyntaxError
		if !errors.As(err, &fault) {
			t.Errorf("Parse(%q) = %v, want a *SyntaxError", test.text, err)
			continue
		}
		if want := strings.IndexByte(test.mark, '^'); fault.Pos != want || !strings.Contains(fault.Problem, test.problem) {
			t.Errorf("Parse(%q): at %d: %s; want at %d: … %s …", test.text, fault.Pos, fault.Problem, want, test.problem)
		}
		if fault.Term != test.text[fault.Start:fault.End] || fault.Fix == "" {
			t.Errorf("Parse(%q): incomplete error %+v", test.text, fault)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, canonical string }{
		{"v=spf1", "v=spf1"},
		{"V=SPF1 -ALL", "v=spf1 -all"},
		{"v=spf1   ", "v=spf1"},
		{"v=spf1 +mx +A/32//128", "v=spf1 mx a"},
		{"v=spf1 a/0//0", "v=spf1 a/0//0"},
		{"v=spf1 a:a-b.x--y ", "v=spf1 a:a-b.x--y"},
		{"v=spf1 a:foo:bar/baz.example.com/8", "v=spf1 a:foo:bar/baz.example.com/8"},
		{"v=spf1 a:%{H} exists:%%%_%-", "v=spf1 a:%{H} exists:%%%_%-"},
		{"v=spf1 exists:%{L2R-+}.X.example.", "v=spf1 exists:%{L2r-+}.x.example"},
		{"v=spf1 exists:%{d999999999999999999999}.x.y", "v=spf1 exists:%{d255}.x.y"},
		{"v=spf1 all=deny MX=1.2.3.4 Foo= foo=%{c}", "v=spf1 all=deny mx=1.2.3.4 foo= foo=%{c}"},
		{"v=spf1 ip6:2001:DB8:0:0::1/32", "v=spf1 ip6:2001:db8::/32"},
		{"v=spf1 ip6:::ffff:192.0.2.1", "v=spf1 ip6:::ffff:192.0.2.1"},
		{"v=spf1 ip4:0.0.0.0/0", "v=spf1 ip4:0.0.0.0/0"},
		{"v=spf1 include:.example", "v=spf1 include:.example"},
	}
	for _, test := range tests {
		r, err := Parse(test.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.text, err)
			continue
		}
		if got := r.String(); got != test.canonical {
			t.Errorf("Parse(%q).String() = %q, want %q", test.text, got, test.canonical)
		}
	}
}

func TestParseLooseKeepsValidTerms(t *testing.T) {
	t.Parallel()
	r, errs := ParseLoose("v=spf1 include:a.example ip4:1.2.3 foo ~all")
	if got, want := r.String(), "v=spf1 include:a.example ~all"; got != want {
		t.Errorf("valid terms: %q, want %q", got, want)
	}
	if len(errs) != 2 || errs[0].Term != "ip4:1.2.3" || errs[1].Term != "foo" {
		t.Errorf("faults: %v", errs)
	}
	if text := errs.Error(); !strings.Contains(text, "ip4:1.2.3") || !strings.Contains(text, "foo") {
		t.Errorf("message names not all faults: %s", text)
	}
}

func TestIsSPF(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"v=spf1": true, "V=sPf1 -all": true, "v=spf1 ": true,
		"": false, "v=spf": false, "v=spf10": false, "v=spf1;": false, "v=spf1\t-all": false, " v=spf1": false, "v=\u017fpf1": false,
	} {
		if got := IsSPF(text); got != want {
			t.Errorf("IsSPF(%q) = %v", text, got)
		}
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	same := [][]string{
		{"include:X.example", "-Include:x.EXAMPLE."},
		{"ip4:1.2.3.4", "?ip4:1.2.3.4/32"},
		{"ip4:1.2.3.0/24", "ip4:1.2.3.99/24"},
		{"a", "A/32", "a//128"},
		{"ip6:2001:db8::", "ip6:2001:DB8:0::0/128"},
	}
	seen := map[string]string{}
	for _, group := range same {
		for _, text := range group {
			term, err := ParseTerm(text)
			if err != nil {
				t.Fatal(err)
			}
			if other, ok := seen[term.Key()]; ok && other != group[0] {
				t.Errorf("%q and %q share the key %q", text, other, term.Key())
			}
			if want, _ := ParseTerm(group[0]); term.Key() != want.Key() {
				t.Errorf("Key(%q) = %q, want %q", text, term.Key(), want.Key())
			}
			seen[term.Key()] = group[0]
		}
	}
	lower, _ := ParseTerm("exists:%{s}.x.example")
	upper, _ := ParseTerm("exists:%{S}.x.example")
	if lower.Key() == upper.Key() {
		t.Error("an upper-case macro letter asks for URL escaping and must not share a key with the lower-case one")
	}
}

func TestLiveAndLookups(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		lookups int
	}{
		{"v=spf1 -all", 0},
		{"v=spf1 a mx ptr exists:%{i}.x.example include:y.example ip4:192.0.2.1 redirect=z.example exp=e.example", 6},
		{"v=spf1 redirect=z.example a", 2},
		{"v=spf1 a ~all mx include:y.example", 1},
		{"v=spf1 ~all redirect=z.example", 0},
	}
	for _, test := range tests {
		r, err := Parse(test.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.DirectLookups(); got != test.lookups {
			t.Errorf("%q: %d direct lookups, want %d", test.text, got, test.lookups)
		}
	}
	r, _ := Parse("v=spf1 redirect=z.example a")
	if live := r.Live(); live[len(live)-1].Kind != Redirect {
		t.Error("a redirect applies after all mechanisms, so it must come last")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"v=spf1 include:_spf.google.com include:sendgrid.net ip4:192.0.2.1 ip4:198.51.100.0/24 ~all",
		"V=sPf1 A/24//64 -mx:x.example ?ptr:y.example exists:%{ir}.%{v}.%{l1r+-}.z.example redirect=%{d} ",
		"v=spf1 ip6:2001:db8::/32 ip6:::ffff:1.2.3.4/96 exp=%%.%{S}.x.example op=a%_b x.y_z-1=",
		"v=spf1 a:x.1/2a.example./0 all=x mx//0 foo", "v=spf1 \xff:", "v=spf1 %{", "v=spf1  -",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		loose, errs := ParseLoose(text)
		for _, e := range errs {
			if e.Start > e.Pos || e.Pos > e.End || text[e.Start:e.End] != e.Term {
				t.Fatalf("offsets of %+v don't fit %q", e, text)
			}
		}
		for _, term := range loose.Terms {
			if alone, err := ParseTerm(text[term.Pos:term.End]); err != nil || alone.String() != term.String() {
				t.Fatalf("term %q alone: %v, %v", text[term.Pos:term.End], alone, err)
			}
		}
		if !IsSPF(text) {
			return
		}
		once := loose.String()
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("canonical %q of %q: %v", once, text, err)
		}
		if twice := again.String(); twice != once {
			t.Fatalf("%q prints as %q, then as %q", text, once, twice)
		}
		if built := New(again.Terms...); built.Text != once {
			t.Fatalf("New(%q) = %q", once, built.Text)
		}
	})
}

const ordinary = "v=spf1 include:_spf.google.com include:sendgrid.net ip4:192.0.2.1 ip4:198.51.100.0/24 ~all"

func TestParsePrintAllocations(t *testing.T) {
	allocs := testing.AllocsPerRun(100, func() {
		r, err := Parse(ordinary)
		if err != nil || r.String() != ordinary {
			t.Fatal(err)
		}
	})
	if allocs > 10 {
		t.Errorf("parse and print of an ordinary record take %v allocations, want at most 10", allocs)
	}
}

func BenchmarkParsePrint(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		r, _ := Parse(ordinary)
		_ = r.String()
	}
}
