package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// ruleCase is a zone and a declaration that a rule finds nothing or something
// wrong with.
type ruleCase struct {
	live  []string
	state func(*plan.State)
	d     *records.Domain
	open  []string
}

// ruleCases has, for every rule, what it lets pass and what it finds, with the
// severity and the words of the message.
func ruleCases(t *testing.T) map[string]struct {
	pass, fail []ruleCase
	severity   plan.Severity
	about      plan.About
	words      string
} {
	t.Helper()
	spf := domain(declareSPF("v=spf1 include:a.example ~all"))
	long := domain(declareSPF("v=spf1 a:1.example a:2.example a:3.example a:4.example a:5.example a:6.example a:7.example a:8.example a:9.example a:10.example a:11.example ~all"))
	reviewed := func(last time.Time) *records.Domain {
		return domain(func(d *records.Domain) { d.Review = &records.Review{Last: last, Every: 90 * day} })
	}
	fixed := zoneLines("@ 300 TXT v=spf1 ~all")
	return map[string]struct {
		pass, fail []ruleCase
		severity   plan.Severity
		about      plan.About
		words      string
	}{
		"spf-multiple": {
			pass:     []ruleCase{{live: []string{"@ 300 TXT v=spf1 ~all", "@ 300 TXT v=spf10"}, d: spf}, {d: spf}},
			fail:     []ruleCase{{live: []string{"@ 300 TXT v=spf1 ~all", "@ 300 TXT v=spf1 -all"}, d: spf}, {live: []string{"@ 300 TXT v=spf1 ~all", "@ 300 TXT v=spf1 -all"}, d: domain()}},
			severity: plan.SeverityError, about: plan.AboutLive, words: "2 SPF records",
		},
		"spf-syntax": {
			pass:     []ruleCase{{live: []string{"@ 300 TXT v=spf1 ip4:192.0.2.1 ~all"}, d: spf}, {d: spf}},
			fail:     []ruleCase{{live: []string{"@ 300 TXT v=spf1 ip4:192.0.2 ~all"}, d: spf}, {live: []string{"@ 300 TXT v=spf1 foo:bar -all"}, d: spf}},
			severity: plan.SeverityError, about: plan.AboutLive, words: "PERMERROR",
		},
		"spf-lookups": {
			pass:     []ruleCase{{d: spf}, {d: domain()}},
			fail:     []ruleCase{{d: long}, {live: []string{"@ 300 TXT v=spf1 ~all"}, d: long}},
			severity: plan.SeverityError, about: plan.AboutDeclared, words: "11 lookups",
		},
		"dmarc-multiple": {
			pass:     []ruleCase{{live: []string{"_dmarc 300 TXT v=DMARC1; p=none", "_dmarc 300 TXT x"}, d: domain(reject())}, {d: domain(reject())}},
			fail:     []ruleCase{{live: []string{"_dmarc 300 TXT v=DMARC1; p=none", "_dmarc 300 TXT v=DMARC1; p=reject"}, d: domain(reject())}},
			severity: plan.SeverityError, about: plan.AboutLive, words: "discard",
		},
		"dmarc-pct-split": {
			pass:     []ruleCase{{d: domain(reject())}, {d: domain(reject(), compat(records.Compat9989))}, {d: domain(reject("none", "quarantine 100", "reject"), compat(records.Compat7489))}},
			fail:     []ruleCase{{d: domain(reject(), compat(records.Compat7489))}},
			severity: plan.SeverityWarning, about: plan.AboutDeclared, words: "25 % quarantine",
		},
		"dmarc-loosens": {
			pass:     []ruleCase{{live: []string{"_dmarc 300 TXT v=DMARC1; p=none"}, d: domain(reject())}, {live: []string{"_dmarc 300 TXT v=DMARC1; p=reject"}, d: domain(reject())}},
			fail:     []ruleCase{{live: []string{"_dmarc 300 TXT v=DMARC1; p=reject"}, d: domain(declareDMARC("v=DMARC1; p=none"))}, {live: []string{"_dmarc 300 TXT v=DMARC1; p=reject; adkim=s"}, d: domain(reject())}},
			severity: plan.SeverityWarning, about: plan.AboutDeclared, words: "LOOSENS",
		},
		"dns-cname-coexist": {
			pass: []ruleCase{
				{live: []string{"www 300 CNAME x.example"}, d: domain(declareRecord("mail", "TXT", "x"))},
				{live: []string{"s1._domainkey 300 CNAME x.example"}, d: domain(declareKey("s1", key1)), state: owning("dkim", "s1._domainkey", "CNAME", "x.example")},
				{live: []string{"www 300 CNAME x.example"}, d: domain(declareRecord("www", "CNAME", "y.example")), state: owning("record", "www", "CNAME", "x.example")},
			},
			fail: []ruleCase{
				{live: []string{"www 300 CNAME x.example"}, d: domain(declareRecord("www", "TXT", "x"))},
				{live: []string{"www 300 A 192.0.2.1"}, d: domain(declareRecord("www", "CNAME", "x.example"))},
				{live: []string{"_dmarc 300 CNAME a.dmarc.example"}, d: domain(reject())},
				{live: []string{"www 300 CNAME x.example"}, d: domain(declareRecord("www", "CNAME", "y.example"))},
			},
			severity: plan.SeverityError, about: plan.AboutDeclared, words: "already has",
		},
		"dns-occluded": {
			pass:     []ruleCase{{live: []string{"sub 300 NS ns.example"}, d: domain(reject())}, {live: []string{"@ 300 NS ns.example"}, d: domain(reject())}},
			fail:     []ruleCase{{live: []string{"_dmarc 300 NS ns.example"}, d: domain(reject())}, {live: []string{"_domainkey 300 NS ns.example"}, d: domain(declareKey("s1", key1))}},
			severity: plan.SeverityError, about: plan.AboutDeclared, words: "handed to ns.example",
		},
		"dns-unwritable": {
			pass:     []ruleCase{{live: fixed, d: domain()}, {live: fixed, d: domain(declareSPF("v=spf1 ~all"))}},
			fail:     []ruleCase{{live: fixed, d: spf}},
			severity: plan.SeverityError, about: plan.AboutDeclared, words: "can't be changed",
		},
		"adoption": {
			pass:     []ruleCase{{live: []string{"@ 300 TXT v=spf1 include:a.example ~all"}, d: spf}, {live: []string{"@ 300 TXT v=spf1 include:b.example ~all"}, d: spf, open: []string{"adoption"}}},
			fail:     []ruleCase{{live: []string{"@ 300 TXT v=spf1 include:b.example ~all"}, d: spf}, {live: []string{"@ 300 MX 10 mx.example"}, d: domain(declareMX("10 other.example"))}},
			severity: plan.SeverityWarning, about: plan.AboutDeclared, words: "it stays",
		},
		"override-unused": {
			pass:     []ruleCase{{d: spf}, {live: []string{"_dmarc 300 TXT v=DMARC1; p=none"}, d: domain(reject()), open: []string{"dmarc-ramp"}}},
			fail:     []ruleCase{{d: spf, open: []string{"spf-narrow"}}, {d: domain(override("dmarc-ramp", "x", noon.Add(day)))}},
			severity: plan.SeverityInfo, about: plan.AboutDeclared, words: "opens nothing",
		},
		"review-overdue": {
			pass:     []ruleCase{{d: domain()}, {d: reviewed(noon.Add(time.Second - 90*day))}},
			fail:     []ruleCase{{d: reviewed(noon.Add(-90 * day))}},
			severity: plan.SeverityWarning, about: plan.AboutDeclared, words: "overdue since 2026-11-24",
		},
	}
}

func zoneLines(lines ...string) []string { return lines }

func owning(kind records.Kind, relative string, typ records.Type, v records.Value) func(*plan.State) {
	return func(s *plan.State) {
		k := key(relative, typ)
		s.Owned = append(s.Owned, plan.Owned{Domain: apex, Kind: kind, Name: k.Name, Type: k.Type, Value: v})
	}
}

func (c ruleCase) findings(t *testing.T, rule string) []plan.Finding {
	t.Helper()
	live := zone(t, c.live...)
	if rule == "dns-unwritable" {
		for _, s := range live.Sets() {
			s.Fixed = "it comes from $INCLUDE"
			live = live.With(s)
		}
	}
	state := plan.State{}
	if c.state != nil {
		c.state(&state)
	}
	return planned(live, state, noon, open(c.open...), c.d).Domains[0].Findings
}

// TestRules proves every rule by what it lets pass and by what it finds.
func TestRules(t *testing.T) {
	t.Parallel()
	cases := ruleCases(t)
	for _, r := range policy.Rules() {
		c, ok := cases[r.ID]
		if !ok {
			continue // testdata of the command has them all
		}
		delete(cases, r.ID)
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			for i, pass := range c.pass {
				for _, f := range pass.findings(t, r.ID) {
					if f.Rule == r.ID {
						t.Errorf("passing case %d: %+v", i, f)
					}
				}
			}
			for i, fail := range c.fail {
				found := false
				for _, f := range fail.findings(t, r.ID) {
					if f.Rule != r.ID {
						continue
					}
					found = true
					if f.Severity != c.severity || f.About != c.about || f.Fix == "" || f.RFC != r.RFC || i == 0 && !strings.Contains(f.Message, c.words) {
						t.Errorf("failing case %d: %+v", i, f)
					}
				}
				if !found {
					t.Errorf("failing case %d is not found: %+v", i, fail.findings(t, r.ID))
				}
			}
			if r.Finds == "" {
				t.Error("it doesn't say what it finds")
			}
		})
	}
	for id := range cases {
		t.Errorf("there is no rule %s", id)
	}
}

// TestErrorsStopOnlyWhatTheyMust: an error about the declaration stops the
// domain, one about the live zone doesn't; and what is live as declared is a
// warning, since nothing gets worse.
func TestErrorsStopOnlyWhatTheyMust(t *testing.T) {
	t.Parallel()
	const long = "v=spf1 a:1.example a:2.example a:3.example a:4.example a:5.example a:6.example a:7.example a:8.example a:9.example a:10.example a:11.example ~all"
	for name, c := range map[string]struct {
		live  []string
		d     *records.Domain
		stops bool
	}{
		"two live SPF records":               {[]string{"@ 300 TXT v=spf1 ~all", "@ 300 TXT v=spf1 -all"}, domain(declareSPF("v=spf1 ~all")), false},
		"a broken live record":               {[]string{"@ 300 TXT v=spf1 x:y"}, domain(declareSPF("v=spf1 ~all")), false},
		"too many declared lookups":          {nil, domain(declareSPF(long)), false}, // they hold their record
		"two declared SPF records":           {nil, domain(declareRecord("@", "TXT", "v=spf1 -all", "v=spf1 ~all")), true},
		"too many lookups, as they are live": {[]string{"@ 300 TXT " + long}, domain(declareSPF(long)), false},
		"below a delegation":                 {[]string{"_dmarc 300 NS ns.example"}, domain(reject()), true},
		"below a delegation, as it is live":  {[]string{"_dmarc 300 NS ns.example", "_dmarc 300 TXT v=DMARC1; p=reject"}, domain(reject()), false},
		"a domain without a fault":           {nil, domain(reject()), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live := zone(t, c.live...)
			got := planned(live, plan.State{}, noon, nil, c.d).Domains[0]
			if policy.Stopped(got) != c.stops {
				t.Errorf("stopped %t: %+v", policy.Stopped(got), got.Findings)
			}
			if a := policy.Approve(live, []plan.Domain{got}, ""); c.stops && len(a.Changes()) > 0 {
				t.Errorf("approved %v", a.Changes())
			}
		})
	}
}

// TestR25ReviewIsOverdue from the second on at which its time has passed, and
// its warning stops nothing.
func TestR25ReviewIsOverdue(t *testing.T) {
	t.Parallel()
	for _, overdue := range []bool{false, true} {
		last := noon.Add(-90 * day)
		if !overdue {
			last = last.Add(time.Second)
		}
		d := domain(declareSPF("v=spf1 ~all"), func(d *records.Domain) { d.Review = &records.Review{Last: last, Every: 90 * day} })
		got := planned(zone(t), plan.State{}, noon, nil, d).Domains[0]
		if f := findingOf(got, "review-overdue"); (f != nil) != overdue || policy.Stopped(got) {
			t.Errorf("overdue %t: %+v", overdue, f)
		}
	}
}

// TestR24OwnerIsShown in the plan of its domain.
func TestR24OwnerIsShown(t *testing.T) {
	t.Parallel()
	d := domain(func(d *records.Domain) { d.Owner = "Platform / SRE" })
	if got := planned(zone(t), plan.State{}, noon, nil, d).Domains[0].Owner; got != "Platform / SRE" {
		t.Errorf("owner %q", got)
	}
}
