package spf

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func check(t *testing.T, z *zone, ip, sender string) Verdict {
	t.Helper()
	return Check(t.Context(), z, Query{IP: netip.MustParseAddr(ip), Sender: sender, Helo: "mx.example.org"})
}

func TestCheckVerdict(t *testing.T) {
	t.Parallel()
	z := newZone(t,
		"example.com TXT v=spf1 a:void.example.com Include:_spf.example.net mx -all",
		"_spf.example.net TXT v=spf1 ip4:192.0.2.0/24 ?all",
		"redirected.example TXT v=spf1 redirect=example.com")
	got := check(t, z, "192.0.2.7", "joe@redirected.example")
	want := Verdict{
		Result: ResultPass, Lookups: 3, VoidLookups: 1, Matched: "include:_spf.example.net", Domain: "example.com",
		Trace: []Step{
			{Domain: "redirected.example", Record: "v=spf1 redirect=example.com"},
			{Domain: "redirected.example", Term: "redirect=example.com", Target: "example.com"},
			{Depth: 1, Domain: "example.com", Record: "v=spf1 a:void.example.com Include:_spf.example.net mx -all"},
			{Depth: 1, Domain: "example.com", Term: "a:void.example.com", Target: "void.example.com", Void: true},
			{Depth: 1, Domain: "example.com", Term: "include:_spf.example.net", Target: "_spf.example.net", Matched: true},
			{Depth: 2, Domain: "_spf.example.net", Record: "v=spf1 ip4:192.0.2.0/24 ?all"},
			{Depth: 2, Domain: "_spf.example.net", Term: "ip4:192.0.2.0/24", Matched: true},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
}

func TestCheckIdentities(t *testing.T) {
	t.Parallel()
	z := newZone(t,
		"example.com TXT v=spf1 exists:%{l}.%{o}.s.test -all",
		"joe.example.com.s.test A 127.0.0.2",
		"mx.example.org TXT v=spf1 exists:%{s}.%{h}.h.test -all",
		"postmaster@mx.example.org.mx.example.org.h.test A 127.0.0.2",
		"other.example TXT v=spf1 exists:%{l}.%{o}.s.test -all")
	ip := netip.MustParseAddr("192.0.2.1")
	tests := []struct {
		name  string
		query Query
		want  Result
	}{
		{"domain of the sender", Query{Sender: "joe@example.com"}, ResultPass},
		{"quoted local part with @", Query{Sender: `"x@y"@example.com`}, ResultFail},
		{"domain given", Query{Domain: "other.example", Sender: "joe@example.com"}, ResultPass},
		{"final dot", Query{Domain: "other.example.", Sender: "joe@example.com"}, ResultPass},
		{"empty sender is postmaster at HELO", Query{Helo: "mx.example.org"}, ResultPass},
		{"also beside a domain", Query{Domain: "mx.example.org", Helo: "mx.example.org"}, ResultPass},
		{"nothing known but the domain", Query{Domain: "example.com"}, ResultFail},
		{"nothing at all", Query{}, ResultNone},
	}
	for _, test := range tests {
		test.query.IP = ip
		if got := Check(t.Context(), z, test.query); got.Result != test.want {
			t.Errorf("%s: %s (%s), want %s", test.name, got.Result, got.Problem, test.want)
		}
	}
}

func TestCheckAnyStringIsADomain(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	for _, domain := range []string{
		"", ".", "..", "com", "x..example", ".example.com", long + ".example", strings.Repeat("abcdefg.", 32) + "example",
		"b\u00fccher.example", "x y.example", "x.example\n", "\xff.example", "[192.0.2.1]", "nothing.example", "%{d}.example",
	} {
		z := newZone(t)
		got := Check(t.Context(), z, Query{IP: netip.MustParseAddr("192.0.2.1"), Domain: domain})
		if got.Result != ResultNone || got.Problem == "" {
			t.Errorf("Check(%q) = %+v, want none and why", domain, got)
		}
	}
	if got := Check(t.Context(), newZone(t), Query{Domain: "x.example"}); got.Result != ResultNone {
		t.Errorf("without an IP: %s", got.Result)
	}
}

func TestCheckMappedAddressIsIPv4(t *testing.T) {
	t.Parallel()
	z := newZone(t, "x.example TXT v=spf1 ip4:192.0.2.1 ip6:::/0 -all")
	if got := check(t, z, "::ffff:192.0.2.1", "a@x.example"); got.Matched != "ip4:192.0.2.1" {
		t.Errorf("matched %q", got.Matched)
	}
	if got := check(t, z, "::ffff:192.0.2.2", "a@x.example"); got.Result != ResultFail {
		t.Errorf("ip6 matched an IPv4 client: %s", got.Result)
	}
}

// The examples of RFC 7208 section 7.4, seen through an explanation.
func TestCheckMacroExamples(t *testing.T) {
	t.Parallel()
	const v4, v6 = "192.0.2.3", "2001:db8::cb01"
	tests := []struct{ macro, ip, want string }{
		{"%{s}", v4, "strong-bad@email.example.com"},
		{"%{o}", v4, "email.example.com"},
		{"%{d}", v4, "email.example.com"},
		{"%{d4}", v4, "email.example.com"},
		{"%{d3}", v4, "email.example.com"},
		{"%{d2}", v4, "example.com"},
		{"%{d1}", v4, "com"},
		{"%{dr}", v4, "com.example.email"},
		{"%{d2r}", v4, "example.email"},
		{"%{l}", v4, "strong-bad"},
		{"%{l-}", v4, "strong.bad"},
		{"%{lr}", v4, "strong-bad"},
		{"%{lr-}", v4, "bad.strong"},
		{"%{l1r-}", v4, "strong"},
		{"%{ir}.%{v}._spf.%{d2}", v4, "3.2.0.192.in-addr._spf.example.com"},
		{"%{lr-}.lp._spf.%{d2}", v4, "bad.strong.lp._spf.example.com"},
		{"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", v4, "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
		{"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", v4, "3.2.0.192.in-addr.strong.lp._spf.example.com"},
		{"%{d2}.trusted-domains.example.net", v4, "example.com.trusted-domains.example.net"},
		{"%{ir}.%{v}._spf.%{d2}", v6, "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com"},
		{"%{S} %% %_%-", v4, "strong-bad%40email.example.com %  %20"},
		{"%{c} %{r} %{t} %{h} %{p}", v4, "192.0.2.3 mail.receiver.example 1700000000 helo.example unknown"},
	}
	for _, test := range tests {
		z := newZone(t, "email.example.com TXT v=spf1 -all exp=exp.example.com", "exp.example.com TXT "+test.macro)
		got := Check(t.Context(), z, Query{
			IP: netip.MustParseAddr(test.ip), Sender: "strong-bad@email.example.com", Helo: "helo.example",
			Receiver: "mail.receiver.example", UnixTime: 1700000000,
		})
		if got.Explanation != test.want {
			t.Errorf("%s for %s: %q, want %q", test.macro, test.ip, got.Explanation, test.want)
		}
		if got.Lookups != 0 {
			t.Errorf("an explanation must not count as a lookup: %d", got.Lookups)
		}
	}
}

func TestCheckValidatedNameMacro(t *testing.T) {
	t.Parallel()
	names := []string{
		"1.2.0.192.in-addr.arpa PTR other.example below.x.example x.example",
		"other.example A 192.0.2.1", "below.x.example A 192.0.2.1",
		"other.example.p.test A 127.0.0.2", "below.x.example.p.test A 127.0.0.3", "x.example.p.test A 127.0.0.4",
		"x.example TXT v=spf1 exists:%{p}.p.test -all",
	}
	tests := []struct{ name, more, target string }{
		{"the domain itself", "x.example A 192.0.2.1", "x.example.p.test"},
		{"a subdomain, if the domain is not validated", "x.example A 192.0.2.9", "below.x.example.p.test"},
		{"no name at all", "x.example FAIL", "below.x.example.p.test"},
	}
	for _, test := range tests {
		got := check(t, newZone(t, append(names, test.more)...), "192.0.2.1", "a@x.example")
		if got.Result != ResultPass || got.Trace[1].Target != test.target {
			t.Errorf("%s: %s via %q, want %q", test.name, got.Result, got.Trace[1].Target, test.target)
		}
		if got.Lookups != 2 {
			t.Errorf("%s: %d lookups; exists and the PTR question count", test.name, got.Lookups)
		}
	}
}

func TestCheckEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	z := newZone(t, "x.example TXT v=spf1 -all")
	if got := Check(ctx, z, Query{IP: netip.MustParseAddr("192.0.2.1"), Domain: "x.example"}); got.Result != ResultTempError {
		t.Errorf("%s, want temperror", got.Result)
	}
}

// Whatever the records say, an evaluation asks a bounded number of questions:
// the first and, for each of ten terms, one and those about at most ten hosts.
func TestCheckAsksBounded(t *testing.T) {
	t.Parallel()
	hosts := strings.Repeat("h.example ", maxHosts)
	many := "v=spf1 " + strings.Repeat("mx:many.example ", 2000)
	z := newZone(t,
		"many.example MX "+hosts, "h.example A 192.0.2.1",
		"x.example TXT "+many+"-all",
		"loop.example TXT v=spf1 include:loop.example redirect=loop.example")
	for _, domain := range []string{"x.example", "loop.example"} {
		z.queries.Store(0)
		got := Check(t.Context(), z, Query{IP: netip.MustParseAddr("203.0.113.1"), Domain: domain})
		if got.Result != ResultPermError {
			t.Errorf("%s: %s", domain, got.Result)
		}
		if n, most := z.queries.Load(), int64(1+MaxLookups*(1+maxHosts)); n > most {
			t.Errorf("%s: %d questions, want at most %d", domain, n, most)
		}
	}
}

func FuzzMacroString(f *testing.F) {
	for _, seed := range []string{"%{ir}.%{v}._spf.%{d2}", "%{L1R+-,/_=}%%%_%-", "see http://x.example/?i=%{C}&t=%{t}", "%{d127}.a..b", "%", "%{", "%{x}"} {
		f.Add(seed, "lo.cal-part@x..example")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		bind := func(byte) (string, bool) { return value, true }
		m, fault := parseMacroString(text, inExplanation)
		if fault != nil && (fault.at < 0 || fault.at > len(text)) {
			t.Fatalf("%q: offset %d", text, fault.at)
		}
		if _, ok := m.expand(bind); fault == nil && !ok {
			t.Fatalf("%q does not expand though all letters are bound", text)
		}
		if m, fault = parseDomainSpec(text); fault != nil {
			return
		}
		again, fault := parseDomainSpec(m.String())
		if fault != nil || again.String() != m.String() {
			t.Fatalf("%q prints as %q, which is no fixpoint", text, m.String())
		}
		first, _ := m.expand(bind)
		second, _ := again.expand(bind)
		if !equalFold(strings.TrimSuffix(first, "."), lowerName(second)) {
			t.Fatalf("%q expands to %q, its canonical form to %q", text, first, second)
		}
	})
}
