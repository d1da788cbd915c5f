package render

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

func networks(texts ...string) Addresses {
	prefixes := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		prefixes[i] = netip.MustParsePrefix(t)
	}
	return Addresses{spf.SetOf(prefixes...)}
}

// network is an ip4 or ip6 term.
func network(text string) SPFTerm {
	kind := spf.IP4
	if strings.Count(text, ":") > 1 {
		kind = spf.IP6
	}
	return SPFTerm{Term: kind.String() + ":" + text, Kind: kind.String(), Addresses: networks(text)}
}

func allTerm(text string) SPFTerm {
	return SPFTerm{Term: text, Kind: "all", Addresses: Addresses{spf.Everything()}}
}

// leads is an include or redirect of a record with the given terms.
func leads(term string, terms ...SPFTerm) SPFTerm {
	n := node(term[strings.IndexAny(term, ":=")+1:], terms...)
	t := SPFTerm{Term: term, Kind: "include", Target: n.Domain, Lookups: 1 + n.Lookups, VoidLookups: n.VoidLookups, Addresses: n.Addresses, Node: &n}
	if strings.HasPrefix(term, "redirect=") {
		t.Kind = "redirect"
	}
	return t
}

func node(domain string, terms ...SPFTerm) SPFNode {
	n := SPFNode{Domain: domain, TTL: 300, Terms: terms}
	texts := []string{spf.Version}
	for _, t := range terms {
		texts = append(texts, t.Term)
		n.Lookups += t.Lookups
		n.VoidLookups += t.VoidLookups
		if t.Kind != "all" {
			n.Addresses = Addresses{n.Addresses.Union(t.Addresses.AddressSet)}
		}
	}
	n.Record = records.Value(strings.Join(texts, " "))
	return n
}

func tree(root SPFNode, findings ...plan.Finding) *SPFTree {
	return &SPFTree{
		FormatVersion: plan.FormatVersion, Kind: KindSPFTree, Domain: root.Domain,
		Lookups: root.Lookups, VoidLookups: root.VoidLookups, Findings: findings, Tree: root,
	}
}

// overLimit is a record with 11 lookups.
func overLimit() *SPFTree {
	end := allTerm("~all")
	return tree(node("club.example",
		leads("include:_spf.workspace.example",
			network("74.125.0.0/16"), network("209.85.128.0/17"), network("2001:4860:4864::/56"), network("2404:6800:4864::/56"), end),
		leads("include:mailer.example",
			leads("include:_spf.mailer.example",
				leads("include:_spf1.mailer.example", network("209.61.151.0/24"), end),
				leads("include:_spf2.mailer.example", network("159.135.140.80/29"), network("159.135.132.128/25"), end), end),
			leads("include:_spf.eu.mailer.example", network("141.193.32.0/23"), end), end),
		leads("include:ses.example", network("199.255.192.0/22"), end),
		leads("include:grid.example", network("167.89.0.0/17"), leads("include:ab.grid.example", network("223.165.113.0/24"), end), end),
		leads("include:stamp.example", network("50.31.156.96/27"), end),
		leads("include:calendar.example", network("203.0.113.0/24"), end),
		end,
	), plan.Finding{
		Rule: "spf-lookups", Severity: plan.SeverityError, About: plan.AboutLive, RFC: "7208 4.6.4",
		Message: "11 lookups of at most 10: include:mailer.example 5, include:grid.example 2, include:_spf.workspace.example 1, include:ses.example 1, include:stamp.example 1, include:calendar.example 1",
		Fix:     "remove senders that no longer send, give a sender a subdomain of its own, or flatten an include",
	})
}

// faulty is a tree with everything that can be said of a term.
func faulty() *SPFTree {
	again := leads("include:_spf.workspace.example", network("192.0.2.0/24"))
	again.Node, again.Repeated = nil, true
	broken := SPFTerm{Term: "include:broken.example", Kind: "include", Target: "broken.example", Lookups: 1, Problem: spf.Unanswered, Detail: "TXT of broken.example: SERVFAIL", Unknown: "TXT of broken.example: SERVFAIL"}
	r := tree(node("faulty.example",
		leads("include:_spf.workspace.example", network("192.0.2.0/24")),
		again,
		SPFTerm{Term: "a:gone.example", Kind: "a", Target: "gone.example", Lookups: 1, VoidLookups: 1, Void: true},
		SPFTerm{Term: "exists:%{i}.%{d}", Kind: "exists", Lookups: 1, Unknown: "depends on the message"},
		SPFTerm{Term: "exists:%{d2}.list.example", Kind: "exists", Target: "faulty.example.list.example", Lookups: 1},
		broken,
		SPFTerm{Term: "include:loop.example", Kind: "include", Target: "loop.example", Lookups: 1, Problem: spf.Loop, Detail: "leads back"},
		SPFTerm{Term: "include:none.example", Kind: "include", Target: "none.example", Lookups: 1, VoidLookups: 1, Void: true, Problem: spf.NoRecord, Detail: "none.example has no SPF record"},
		SPFTerm{Term: "a:a-name-so-long-that-no-line-of-eighty-columns-could-hold-it.example", Kind: "a", Target: "a-name", Lookups: 1, VoidLookups: 1, Void: true},
		leads("redirect=open.example", allTerm("all")),
	))
	r.Unknown = []SPFUnknown{{"faulty.example", "include:broken.example", "TXT of broken.example: SERVFAIL"}}
	return r
}

func withoutRecord() *SPFTree {
	return tree(SPFNode{Domain: "none.example", Problem: spf.NoRecord, Detail: "none.example has no SPF record"})
}

func step(depth int, domain, term string) SPFStep {
	return SPFStep{Step: spf.Step{Depth: depth, Domain: domain, Term: term}}
}

func found(depth int, domain string, record records.Value) SPFStep {
	return SPFStep{Step: spf.Step{Depth: depth, Domain: domain}, Record: record}
}

// failing is a verdict with every kind of step.
func failing() *SPFCheck {
	matched := step(1, "_spf.club.example", "-all")
	matched.Matched = true
	void := step(0, "club.example", "exists:%{i}.%{d}")
	void.Target, void.Void = "192.0.2.9.club.example", true
	return &SPFCheck{
		FormatVersion: plan.FormatVersion, Kind: KindSPFCheck, Domain: "club.example", IP: netip.MustParseAddr("192.0.2.9"),
		MailFrom: "news@club.example", Result: spf.ResultFail, Lookups: 2, VoidLookups: 1, Matched: "-all", MatchedIn: "_spf.club.example",
		Explanation: "192.0.2.9 is not one of ours",
		Trace: []SPFStep{
			found(0, "club.example", "v=spf1 ip4:10.1.0.0/16 ip4:10.2.0.0/16 ip6:2001:db8::/32 mx exists:%{i}.%{d} redirect=_spf.club.example"),
			step(0, "club.example", "ip4:10.1.0.0/16"), step(0, "club.example", "ip4:10.2.0.0/16"), step(0, "club.example", "ip6:2001:db8::/32"),
			step(0, "club.example", "mx"), void, step(0, "club.example", "redirect=_spf.club.example"),
			found(1, "_spf.club.example", "v=spf1 -all exp=why.club.example"), matched,
		},
	}
}

func unanswered() *SPFCheck {
	const why = "TXT of broken.example: it answered SERVFAIL"
	failed := step(0, "club.example", "include:broken.example")
	failed.Problem = why
	inner := found(1, "broken.example", "")
	inner.Problem = why
	return &SPFCheck{
		FormatVersion: plan.FormatVersion, Kind: KindSPFCheck, Domain: "club.example", IP: netip.MustParseAddr("2001:db8::1"),
		Result: spf.ResultTempError, Lookups: 1, Problem: why,
		Trace: []SPFStep{found(0, "club.example", "v=spf1 include:broken.example -all"), failed, inner},
	}
}

// loopingCheck fails within an include within an include.
func loopingCheck() *SPFCheck {
	const why = "more than 10 terms query the DNS (RFC 7208 section 4.6.4)"
	r := &SPFCheck{
		FormatVersion: plan.FormatVersion, Kind: KindSPFCheck, Domain: "a.example", IP: netip.MustParseAddr("192.0.2.9"),
		Result: spf.ResultPermError, Lookups: 11, Problem: why,
	}
	for i, name := range []string{"a.example", "b.example", "a.example"} {
		failed := step(i, name, "include:b.example")
		failed.Problem = why
		r.Trace = append(r.Trace, found(i, name, "v=spf1 include:b.example -all"), failed)
	}
	return r
}

var spfSamples = []struct {
	name   string
	report any
}{
	{"spf-tree", overLimit()},
	{"spf-tree-faults", faulty()},
	{"spf-tree-none", withoutRecord()},
	{"spf-check-fail", failing()},
	{"spf-check-permerror", loopingCheck()},
	{"spf-check-temperror", unanswered()},
}

func TestSPFGolden(t *testing.T) {
	t.Parallel()
	for _, s := range spfSamples {
		for _, width := range []int{80, 120} {
			golden(t, fmt.Sprintf("%s-%d.txt", s.name, width), rendered(t, Text, s.report, Options{Width: width}))
		}
		golden(t, s.name+".json", rendered(t, JSON, s.report, Options{}))
	}
	golden(t, "spf-tree-colour.txt", rendered(t, Text, faulty(), Options{Width: 80, Palette: Colours()}))
}

// TestSPFSchemas validates the reports, also with fields that only a later
// minor version will have, and shows that the schemas say something.
func TestSPFSchemas(t *testing.T) {
	t.Parallel()
	names := map[string]string{KindSPFCheck: "spf-check.schema.json", KindSPFTree: "spf-tree.schema.json"}
	for _, s := range spfSamples {
		doc := decoded(t, rendered(t, JSON, s.report, Options{}))
		published := schema(t, names[doc["kind"].(string)])
		if err := published.Validate(doc); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		extend(doc)
		if err := published.Validate(doc); err != nil {
			t.Errorf("%s with fields of a later version: %v", s.name, err)
		}
		doc["lookups"] = -1
		if published.Validate(doc) == nil {
			t.Errorf("%s: the schema accepts negative lookups", s.name)
		}
	}
}

func TestSPFListsAreNeverNull(t *testing.T) {
	t.Parallel()
	bare := SPFTree{Tree: SPFNode{Terms: []SPFTerm{{Node: &SPFNode{}}}}}
	for _, report := range []any{SPFCheck{}, SPFTree{}, bare} {
		b := string(rendered(t, JSON, report, Options{}))
		if strings.Contains(b, "null") {
			t.Errorf("%T has a list that is null:\n%s", report, b)
		}
	}
	if bare.Tree.Terms[0].Node.Terms != nil {
		t.Error("rendering changed the report")
	}
}

// TestSPFTextIsBounded draws a chain and a row of includes far beyond what a
// receiver follows: what is left out is counted.
func TestSPFTextIsBounded(t *testing.T) {
	t.Parallel()
	deep := leads("include:end.example", network("192.0.2.0/24"))
	for i := range 400 {
		deep = leads(fmt.Sprintf("include:n%d.example", i), deep)
	}
	row := make([]SPFTerm, 3000)
	for i := range row {
		row[i] = leads(fmt.Sprintf("include:n%d.example", i))
	}
	for name, r := range map[string]*SPFTree{"deep": tree(node("x.example", deep)), "wide": tree(node("x.example", row...))} {
		text := string(rendered(t, Text, r, Options{Width: 80}))
		lines := strings.Split(text, "\n")
		if len(lines) > 100 || slices.ContainsFunc(lines, func(l string) bool { return columns(l) > 80 }) {
			t.Errorf("%s: %d lines, the last %q", name, len(lines), lines[len(lines)-2])
		}
		if !strings.Contains(text, " more term") || !strings.Contains(text, "lookup 11: receivers stop") {
			t.Errorf("%s doesn't say what is left out and where receivers stop:\n%s", name, text)
		}
	}
}

// TestSPFTextIsHarmless puts any bytes wherever the DNS or the caller's
// arguments can.
func TestSPFTextIsHarmless(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		evil := rapid.OneOf(
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 300), func(b []byte) string { return string(b) }),
			rapid.SampledFrom([]string{"\x1b[31m", "\u202e", "\u009b31m", "a\nb\r", "\U000e0001"}),
		).Draw(t, "evil")
		term := SPFTerm{
			Term: "include:%{d}" + evil, Kind: "include", Target: evil, Detail: evil, Unknown: evil,
			Node: &SPFNode{Domain: evil, Terms: []SPFTerm{{Term: "x" + evil, Unknown: evil}}},
		}
		bad := step(0, evil, evil+"%")
		bad.Target, bad.Problem = evil, evil
		for _, report := range []any{
			tree(SPFNode{Domain: evil, Record: records.Value(evil), Terms: []SPFTerm{term}}, plan.Finding{Message: evil, Fix: evil}),
			SPFCheck{Domain: evil, Matched: evil, MatchedIn: evil, Explanation: evil, Problem: evil, Trace: []SPFStep{found(0, evil, records.Value(evil)), bad}},
		} {
			for _, f := range []Format{Text, JSON} {
				var b strings.Builder
				if err := Write(&b, f, report, Options{Width: 80}); err != nil {
					t.Fatal(err)
				}
				if i := strings.IndexFunc(b.String(), func(r rune) bool { return r != '\n' && unsafeRune(r) }); i >= 0 {
					t.Fatalf("%s of %T holds an unsafe character at %d", f, report, i)
				}
			}
		}
	})
}

func TestIPv6Size(t *testing.T) {
	t.Parallel()
	for want, set := range map[string]Addresses{
		"":      {},
		"2^0":   networks("2001:db8::1/128"),
		"~2^2":  networks("2001:db8::/127", "2001:db8::4/128"),
		"2^96":  networks("2001:db8::/32"),
		"~2^97": networks("2001:db8::/32", "2001:dba::/33"),
		"2^128": {spf.Everything()},
	} {
		if got := six(set); got != want {
			t.Errorf("%v is %q, want %q", set.Prefixes(), got, want)
		}
	}
}
