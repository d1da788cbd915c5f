package policy_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records/spf"
)

// names is a resolver over lines such as "x.example TXT v=spf1 -all".
type names map[string][]string

func namesOf(lines ...string) names {
	n := names{}
	for _, l := range lines {
		owner, rest, _ := strings.Cut(l, " ")
		kind, value, _ := strings.Cut(rest, " ")
		n[owner+" "+kind] = append(n[owner+" "+kind], value)
	}
	return n
}

func ask[T any](n names, name, kind string, parse func(string) T) (spf.Answer[T], error) {
	var a spf.Answer[T]
	for _, text := range n[name+" "+kind] {
		if text == "FAIL" {
			return a, errors.New("SERVFAIL")
		}
		a.Values = append(a.Values, parse(text))
	}
	return a, nil
}

func itself(s string) string { return s }

func (n names) TXT(_ context.Context, name string) (spf.Answer[string], error) {
	return ask(n, name, "TXT", itself)
}

func (n names) MX(_ context.Context, name string) (spf.Answer[string], error) {
	return ask(n, name, "MX", itself)
}

func (n names) A(_ context.Context, name string) (spf.Answer[netip.Addr], error) {
	return ask(n, name, "A", netip.MustParseAddr)
}

func (n names) AAAA(_ context.Context, name string) (spf.Answer[netip.Addr], error) {
	return ask(n, name, "AAAA", netip.MustParseAddr)
}

func (n names) PTR(context.Context, netip.Addr) (spf.Answer[string], error) {
	return spf.Answer[string]{}, nil
}

// TestSPFTreeRules has a failing case of every rule about trees, and the passing
// one that is nearest to it.
func TestSPFTreeRules(t *testing.T) {
	t.Parallel()
	includes := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " include:n%d.example", i)
		}
		return "x.example TXT v=spf1" + b.String() + " -all"
	}
	zone := []string{"ok.example TXT v=spf1 ip4:192.0.2.1 -all", "ok.example A 192.0.2.1", "two.example TXT v=spf1 -all", "two.example TXT v=spf1 mx -all"}
	for i := range 11 {
		zone = append(zone, fmt.Sprintf("n%d.example TXT v=spf1 ip4:192.0.2.%d -all", i, i), fmt.Sprintf("many.example MX h%d.example", i), fmt.Sprintf("h%d.example A 192.0.2.1", i))
	}
	tests := []struct {
		name  string
		lines []string
		want  []string // RULE severity: what the message holds
	}{
		{"nothing wrong", []string{"x.example TXT v=spf1 include:ok.example redirect=ok.example"}, nil},
		{"none", nil, []string{"spf-missing warning: x.example has no SPF record"}},
		{"two", []string{"x.example TXT v=spf1 -all", "x.example TXT v=spf1 mx -all"}, []string{"spf-multiple error: 2 SPF records"}},
		{"syntax", []string{"x.example TXT v=spf1 ipv4:192.0.2.1 -all"}, []string{"spf-syntax error: write ip4:"}},
		{"syntax below", []string{"x.example TXT v=spf1 include:y.example -all", "y.example TXT v=spf1 foo -all"}, []string{`spf-syntax error: include:y.example of x.example`}},
		{"7 lookups", []string{includes(7)}, nil},
		{"8 lookups", []string{includes(8)}, []string{"spf-headroom warning: 8 lookups of at most 10"}},
		{"10 lookups", []string{includes(10)}, []string{"spf-headroom warning: include:n9.example 1"}},
		{"11 lookups", []string{includes(11)}, []string{"spf-lookups error: 11 lookups of at most 10: include:n0.example 1, "}},
		{"the dearest first", []string{"x.example TXT v=spf1 a:ok.example include:y.example -all", strings.Replace(includes(10), "x.", "y.", 1)},
			[]string{"spf-lookups error: 12 lookups of at most 10: include:y.example 11, a:ok.example 1"}},
		{"one void", []string{"x.example TXT v=spf1 a:gone.example -all"}, []string{"spf-void warning: 1 void lookups of at most 2: nothing is found by a:gone.example of x.example"}},
		{"three void", []string{"x.example TXT v=spf1 a:gone.example include:y.example -all", "y.example TXT v=spf1 mx:gone.example exists:gone.example -all"},
			[]string{"spf-void error: a:gone.example of x.example, mx:gone.example of y.example, exists:gone.example of y.example"}},
		{"many mail hosts", []string{"x.example TXT v=spf1 mx:many.example -all"}, []string{"spf-mx-fanout error: mx:many.example of x.example"}},
		{"all pass", []string{"x.example TXT v=spf1 +all"}, []string{"spf-pass-all error: by all of x.example"}},
		{"all pass below", []string{"x.example TXT v=spf1 include:y.example -all", "y.example TXT v=spf1 ?all ip4:0.0.0.0/1 -all"}, nil},
		{"half passes below", []string{"x.example TXT v=spf1 include:y.example -all", "y.example TXT v=spf1 ip4:128.0.0.0/1 -all"}, []string{"spf-pass-all error: ip4:128.0.0.0/1 of y.example"}},
		{"half passes together", []string{"x.example TXT v=spf1 ip4:128.0.0.0/2 ip4:192.0.0.0/2 -all"}, []string{"spf-pass-all error: its networks together"}},
		{"less than half passes", []string{"x.example TXT v=spf1 ip4:128.0.0.0/2 ip4:192.0.0.0/3 -all"}, nil},
		{"a redirect to nothing", []string{"x.example TXT v=spf1 redirect=ok.example.example", "ok.example.example TXT hello"}, []string{"spf-redirect-none error: redirect=ok.example.example of x.example"}},
		{"an include of nothing", []string{"x.example TXT v=spf1 ?include:y.example -all", "y.example TXT hello"}, []string{"spf-include-none error: ?include:y.example of x.example"}},
		{"an include of two", []string{"x.example TXT v=spf1 include:two.example -all"}, []string{"spf-include-none error: 2 SPF records"}},
		{"a loop", []string{"x.example TXT v=spf1 include:y.example -all", "y.example TXT v=spf1 redirect=x.example"}, []string{"spf-loop error: redirect=x.example of y.example"}},
		{"no answer", []string{"x.example TXT v=spf1 include:y.example -all", "y.example TXT FAIL"}, nil},
	}
	covered := map[string]bool{}
	for _, tt := range tests {
		tree, err := spf.Resolve(t.Context(), namesOf(append(tt.lines, zone...)...), "x.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		got := policy.CheckSPFTree(tree, plan.AboutLive)
		if len(got) != len(tt.want) {
			t.Errorf("%s: %+v, want %q", tt.name, got, tt.want)
			continue
		}
		for i, f := range got {
			covered[f.Rule] = true
			id, message, _ := strings.Cut(tt.want[i], ": ")
			if id != f.Rule+" "+string(f.Severity) || !strings.Contains(f.Message, message) || f.Fix == "" || !strings.HasPrefix(f.RFC, "7208 ") {
				t.Errorf("%s: %+v, want %q", tt.name, f, tt.want[i])
			}
		}
	}
	if len(covered) != 11 {
		t.Errorf("the cases cover %d rules: %v", len(covered), covered)
	}
}

// TestSPFTreeAbout tells faults of the record that is given from those of what
// it leads to, which is always live.
func TestSPFTreeAbout(t *testing.T) {
	t.Parallel()
	record, err := spf.Parse("v=spf1 include:gone.example include:y.example a:gone.example -all")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := spf.Resolve(t.Context(), namesOf("y.example TXT v=spf1 include:gone.example -all"), "", record)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range policy.CheckSPFTree(tree, plan.AboutDeclared) {
		got = append(got, fmt.Sprint(f.Rule, " ", f.About))
	}
	want := []string{"spf-void declared", "spf-include-none declared", "spf-include-none live"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
