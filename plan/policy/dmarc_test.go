package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// dmarc is one live record, a target, and the answer: lines without the name.
type dmarcCase struct {
	live   []string
	target part
	more   []part
	open   []string
	want   []string
}

func (c dmarcCase) split() splitCase {
	out := splitCase{owned: []string{}, open: c.open}
	for _, v := range c.live {
		out.live = append(out.live, "_dmarc 300 TXT v=DMARC1; "+v)
	}
	out.d = domain(append([]part{c.target}, c.more...)...)
	var want []string
	for _, w := range c.want {
		word, value, _ := strings.Cut(w, ": ")
		want = append(want, word+" _dmarc TXT: v=DMARC1; "+value)
	}
	out.want = lines(want...)
	return out
}

func runDMARC(t *testing.T, cases map[string]dmarcCase) {
	t.Helper()
	splits := make(map[string]splitCase, len(cases))
	for name, c := range cases {
		splits[name] = c.split()
	}
	runSplits(t, splits)
}

func reject(steps ...string) part { return declareDMARC("v=DMARC1; p=reject", steps...) }

// TestR09FirstRecord: a domain without a record that receivers use begins with
// p=none, at once, with np as declared; everything beyond is held.
func TestR09FirstRecord(t *testing.T) {
	t.Parallel()
	runbook := declareDMARC("v=DMARC1; p=reject; sp=quarantine; np=reject; rua=mailto:d@a.example; ruf=mailto:d@a.example; fo=1; adkim=s; aspf=s")
	const first = "p=none; sp=none; np=reject; rua=mailto:d@a.example; ruf=mailto:d@a.example; fo=1; adkim=s; aspf=s"
	const second = "p=quarantine; sp=quarantine; np=reject; pct=25; t=y; rua=mailto:d@a.example; ruf=mailto:d@a.example; fo=1; adkim=s; aspf=s"
	runDMARC(t, map[string]dmarcCase{
		"none is live":                   {target: runbook, want: []string{"today: " + first, "dmarc-ramp unknown: " + second}},
		"an override doesn't skip none":  {target: runbook, open: []string{"dmarc-ramp"}, want: []string{"today: " + first, "dmarc-ramp held: " + second}},
		"two records are discarded":      {live: []string{"p=reject", "p=quarantine"}, target: reject(), want: []string{"today: p=none", "dmarc-ramp unknown: p=quarantine; pct=25; t=y"}},
		"a record that nobody applies":   {live: []string{"rua=mailto:x@a.example"}, target: reject(), want: []string{"today: p=none", "dmarc-ramp unknown: p=quarantine; pct=25; t=y"}},
		"an invalid p":                   {live: []string{"p=rejct"}, target: reject(), want: []string{"today: p=none", "dmarc-ramp unknown: p=quarantine; pct=25; t=y"}},
		"an invalid sp":                  {live: []string{"p=reject; sp=block"}, target: reject(), want: []string{"today: p=none", "dmarc-ramp unknown: p=quarantine; pct=25; t=y"}},
		"none is the target":             {target: declareDMARC("v=DMARC1; p=none"), want: []string{"today: p=none"}},
		"none is the target, sp is more": {target: declareDMARC("v=DMARC1; p=none; sp=reject"), want: []string{"today: p=none; sp=none", "dmarc-ramp unknown: p=none; sp=reject"}},
		"none needs not be written":      {target: reject("quarantine 50", "reject"), want: []string{"today: p=none", "dmarc-ramp unknown: p=quarantine; pct=50; t=y"}},
		"a ramp that ends below the target still leads there": {
			live: []string{"p=quarantine"}, target: reject("none", "quarantine 100"), want: []string{"today: p=quarantine", "dmarc-ramp unknown: p=reject"},
		},
	})
}

// TestR11Steps: one step an apply, from where the live record stands for both
// families of receivers.
func TestR11Steps(t *testing.T) {
	t.Parallel()
	quarantine := declareDMARC("v=DMARC1; p=quarantine")
	step := func(live, today, next string) dmarcCase {
		return dmarcCase{live: []string{live}, target: reject(), want: []string{"today: " + today, "dmarc-ramp unknown: " + next}}
	}
	passed := func(live, next string) dmarcCase {
		return dmarcCase{live: []string{live}, target: reject(), open: []string{"dmarc-ramp"}, want: []string{"today: " + next, "dmarc-ramp overridden: " + next}}
	}
	runDMARC(t, map[string]dmarcCase{
		"none":                                   step("p=none", "p=none", "p=quarantine; pct=25; t=y"),
		"quarantine 25":                          step("p=quarantine; pct=25; t=y", "p=quarantine; pct=25; t=y", "p=quarantine; pct=50; t=y"),
		"quarantine 50":                          step("p=quarantine; pct=50; t=y", "p=quarantine; pct=50; t=y", "p=quarantine"),
		"quarantine":                             step("p=quarantine", "p=quarantine", "p=reject"),
		"between two steps":                      step("p=quarantine; pct=30; t=y", "p=quarantine; pct=30; t=y", "p=quarantine; pct=50; t=y"),
		"25 without t is all of it for RFC 9989": step("p=quarantine; pct=25", "p=quarantine; pct=25", "p=quarantine"),
		"t without pct is all of it for RFC 7489": step("p=quarantine; t=y", "p=quarantine; t=y", "p=quarantine"),
		"a test of quarantine is none":            step("p=quarantine; pct=0; t=y", "p=quarantine; pct=0; t=y", "p=quarantine; pct=25; t=y"),
		"a test of reject is quarantine":          step("p=reject; pct=0; t=y", "p=reject; pct=0; t=y", "p=reject"),
		"half of reject":                          step("p=reject; pct=50; t=y", "p=reject; pct=50; t=y", "p=reject"),
		"none, the gate open":                     passed("p=none", "p=quarantine; pct=25; t=y"),
		"quarantine 25, the gate open":            passed("p=quarantine; pct=25; t=y", "p=quarantine; pct=50; t=y"),
		"quarantine, the gate open":               passed("p=quarantine", "p=reject"),
		"the target is live":                      {live: []string{"p=reject"}, target: reject(), want: []string{"today: p=reject"}},
		"the target is live, with its percentage": {live: []string{"p=reject; pct=100"}, target: reject(), want: []string{"today: p=reject"}},
		"cut at the target":                       {live: []string{"p=quarantine; pct=50; t=y"}, target: quarantine, want: []string{"today: p=quarantine; pct=50; t=y", "dmarc-ramp unknown: p=quarantine"}},
		"the target is not passed":                {live: []string{"p=quarantine"}, target: quarantine, open: []string{"dmarc-ramp"}, want: []string{"today: p=quarantine"}},
		"other words of the same":                 {live: []string{" p = NONE ;"}, target: reject(), open: []string{"dmarc-ramp"}, want: []string{"today: p=quarantine; pct=25; t=y", "dmarc-ramp overridden: p=quarantine; pct=25; t=y"}},
		"the runbook's text for rfc7489": {
			live: []string{"p=none"}, target: reject(), more: []part{compat(records.Compat7489)}, want: []string{"today: p=none", "dmarc-ramp unknown: p=quarantine; pct=25"},
		},
		"rfc7489, one step on": {
			live: []string{"p=quarantine; pct=25"}, target: reject(), more: []part{compat(records.Compat7489)}, want: []string{"today: p=quarantine; pct=25", "dmarc-ramp unknown: p=quarantine; pct=50"},
		},
		"t alone for rfc9989": {
			live: []string{"p=none"}, target: reject("none", "quarantine 50", "quarantine", "reject"), more: []part{compat(records.Compat9989)}, want: []string{"today: p=none", "dmarc-ramp unknown: p=quarantine; t=y"},
		},
		"rfc9989, one step on": {
			live: []string{"p=quarantine; t=y"}, target: reject("none", "quarantine 50", "quarantine", "reject"), more: []part{compat(records.Compat9989)}, want: []string{"today: p=quarantine; t=y", "dmarc-ramp unknown: p=quarantine"},
		},
	})
}

// TestDMARCNeverLoosensByItself: a live policy that is stricter than its place
// on the ramp stays; only what is declared below it loosens, at once, also
// where something else of the policy is to become stricter.
func TestDMARCNeverLoosensByItself(t *testing.T) {
	t.Parallel()
	runDMARC(t, map[string]dmarcCase{
		"stricter than its place": {
			live: []string{"p=quarantine; pct=30"}, target: reject(), want: []string{"today: p=quarantine; pct=30", "dmarc-ramp unknown: p=quarantine"},
		},
		"sp stays above the steps": {
			live: []string{"p=none; sp=reject"}, target: reject(), want: []string{"today: p=none; sp=reject", "dmarc-ramp unknown: p=quarantine; sp=reject"},
		},
		"sp stays above the steps, the gate open": {
			live: []string{"p=none; sp=reject"}, target: reject(), open: []string{"dmarc-ramp"}, want: []string{"today: p=quarantine; sp=reject", "dmarc-ramp overridden: p=quarantine; sp=reject"},
		},
		"np stays above the steps": {
			live: []string{"p=none; np=reject"}, target: reject(), want: []string{"today: p=none; np=reject", "dmarc-ramp unknown: p=quarantine; np=reject; pct=25; t=y"},
		},
		"receivers of one family apply it": {
			live: []string{"p=reject; np=bad"}, target: reject(), want: []string{"today: p=reject; np=bad", "dmarc-ramp unknown: p=reject"},
		},
		"beside a text that receivers ignore": {
			live: []string{"p=reject"}, target: reject(), want: []string{"today: p=reject"},
		},
		"declared below": {
			live: []string{"p=reject"}, target: declareDMARC("v=DMARC1; p=none"), want: []string{"today: p=none"},
		},
		"declared one level below": {
			live: []string{"p=reject; sp=reject"}, target: declareDMARC("v=DMARC1; p=quarantine; sp=none"), want: []string{"today: p=quarantine; sp=none"},
		},
		"half of reject, declared quarantine": {
			live: []string{"p=reject; pct=50"}, target: declareDMARC("v=DMARC1; p=quarantine"), want: []string{"today: p=quarantine"},
		},
		"p loosens at once, sp waits": {
			live: []string{"p=reject; sp=none"}, target: declareDMARC("v=DMARC1; p=quarantine; sp=quarantine"),
			want: []string{"today: p=quarantine; sp=none", "dmarc-ramp unknown: p=quarantine; sp=quarantine"},
		},
		"sp loosens at once, p waits": {
			live: []string{"p=none; sp=reject"}, target: declareDMARC("v=DMARC1; p=reject; sp=none"),
			want: []string{"today: p=none; sp=none", "dmarc-ramp unknown: p=quarantine; sp=none; pct=25; t=y"},
		},
		"sp loosens first though the gate is open": {
			live: []string{"p=none; sp=reject"}, target: declareDMARC("v=DMARC1; p=reject; sp=none"), open: []string{"dmarc-ramp"},
			want: []string{"today: p=none; sp=none", "dmarc-ramp held: p=quarantine; sp=none; pct=25; t=y"},
		},
		"np loosens at once, p waits": {
			live: []string{"p=none; np=reject"}, target: declareDMARC("v=DMARC1; p=reject; np=none"),
			want: []string{"today: p=none; np=none", "dmarc-ramp unknown: p=quarantine; np=none; pct=25; t=y"},
		},
	})
	splitCase{
		live: []string{"_dmarc 300 TXT v=DMARC1; p=reject", "_dmarc 300 TXT google-site-verification=x"}, owned: none(), d: domain(reject()),
		want: "today _dmarc TXT: v=DMARC1; p=reject",
	}.run(t)
}

// TestDMARCOtherTags: alignment, rua, ruf and fo change in an item of their
// own, before the policy; tighter alignment and the loss of the last rua ask.
func TestDMARCOtherTags(t *testing.T) {
	t.Parallel()
	runDMARC(t, map[string]dmarcCase{
		"rua first, the policy later": {
			live: []string{"p=none; rua=mailto:old@a.example"}, target: declareDMARC("v=DMARC1; p=reject; rua=mailto:new@a.example; fo=1"),
			want: []string{"today: p=none; rua=mailto:new@a.example; fo=1", "dmarc-ramp unknown: p=quarantine; pct=25; t=y; rua=mailto:new@a.example; fo=1"},
		},
		"rua first though the gate is open": {
			live: []string{"p=none; rua=mailto:old@a.example"}, target: declareDMARC("v=DMARC1; p=reject; rua=mailto:new@a.example"), open: []string{"dmarc-ramp"},
			want: []string{"today: p=none; rua=mailto:new@a.example", "dmarc-ramp held: p=quarantine; pct=25; t=y; rua=mailto:new@a.example"},
		},
		"strict alignment": {
			live: []string{"p=reject; adkim=r"}, target: declareDMARC("v=DMARC1; p=reject; adkim=s; aspf=s"),
			want: []string{"today: p=reject; adkim=r", "dmarc-ramp unknown: p=reject; adkim=s; aspf=s"},
		},
		"strict alignment, the gate open": {
			live: []string{"p=none"}, target: declareDMARC("v=DMARC1; p=reject; adkim=s"), open: []string{"dmarc-ramp"},
			want: []string{"today: p=none; adkim=s", "dmarc-ramp overridden: p=none; adkim=s", "dmarc-ramp held: p=quarantine; pct=25; t=y; adkim=s"},
		},
		"one mode tighter, one looser": {
			live: []string{"p=reject; adkim=s; aspf=r"}, target: declareDMARC("v=DMARC1; p=reject; adkim=r; aspf=s"),
			want: []string{"today: p=reject; adkim=r; aspf=r", "dmarc-ramp unknown: p=reject; adkim=r; aspf=s"},
		},
		"looser alignment": {
			live: []string{"p=reject; adkim=s"}, target: reject(), want: []string{"today: p=reject"},
		},
		"the last rua stays": {
			live: []string{"p=reject; rua=mailto:d@a.example"}, target: reject(), want: []string{"today: p=reject; rua=mailto:d@a.example", "dmarc-ramp unknown: p=reject"},
		},
		"the last rua goes by override": {
			live: []string{"p=reject; rua=mailto:d@a.example"}, target: reject(), open: []string{"dmarc-ramp"}, want: []string{"today: p=reject", "dmarc-ramp overridden: p=reject"},
		},
		"one of two rua may go": {
			live: []string{"p=reject; rua=mailto:d@a.example,mailto:e@a.example"}, target: declareDMARC("v=DMARC1; p=reject; rua=mailto:e@a.example"),
			want: []string{"today: p=reject; rua=mailto:e@a.example"},
		},
		"ruf and fo may go": {
			live: []string{"p=reject; ruf=mailto:d@a.example; fo=1"}, target: reject(), want: []string{"today: p=reject"},
		},
		"the last rua and strict alignment": {
			live: []string{"p=reject; rua=mailto:d@a.example"}, target: declareDMARC("v=DMARC1; p=reject; aspf=s"),
			want: []string{"today: p=reject; rua=mailto:d@a.example", "dmarc-ramp unknown: p=reject; rua=mailto:d@a.example; aspf=s", "dmarc-ramp unknown: p=reject"},
		},
		"np comes with the next step": {
			live: []string{"p=none"}, target: declareDMARC("v=DMARC1; p=reject; np=reject"),
			want: []string{"today: p=none", "dmarc-ramp unknown: p=quarantine; np=reject; pct=25; t=y"},
		},
		"np at the end of the ramp": {
			live: []string{"p=none"}, target: declareDMARC("v=DMARC1; p=none; np=reject"), want: []string{"today: p=none", "dmarc-ramp unknown: p=none; np=reject"},
		},
		"sp follows, never above p": {
			live: []string{"p=quarantine; sp=none; pct=50; t=y"}, target: declareDMARC("v=DMARC1; p=quarantine; sp=reject"),
			want: []string{"today: p=quarantine; sp=none; pct=50; t=y", "dmarc-ramp unknown: p=quarantine; sp=quarantine"},
		},
		"sp above p comes last": {
			live: []string{"p=quarantine; sp=quarantine"}, target: declareDMARC("v=DMARC1; p=quarantine; sp=reject"),
			want: []string{"today: p=quarantine; sp=quarantine", "dmarc-ramp unknown: p=quarantine; sp=reject"},
		},
	})
}

// TestDMARCWithoutARamp: a record that goes, one of a record block, and an
// authorisation for reports have no ramp, and tighten no less through the gate.
func TestDMARCWithoutARamp(t *testing.T) {
	t.Parallel()
	record := func(v records.Value) part { return declareRecord("_dmarc", records.TypeTXT, v) }
	sub := func(d *records.Domain) { d.Name = records.Below("sub", apex) }
	accepts := func(d *records.Domain) { d.Reports = []records.ReportFor{{Domain: "b.example"}} }
	const report = "b.example._report._dmarc"
	runSplits(t, map[string]splitCase{
		"removal loosens": {
			live: []string{"_dmarc 300 TXT v=DMARC1; p=reject"}, owned: []string{"dmarc _dmarc TXT"}, d: domain(), want: "",
		},
		"removal below a stricter record is held": {
			live: []string{"_dmarc 300 TXT v=DMARC1; p=reject", "_dmarc.sub 300 TXT v=DMARC1; p=none"}, owned: []string{"dmarc _dmarc.sub TXT"}, d: domain(sub),
			want: lines("today _dmarc.sub TXT: v=DMARC1; p=none", "dmarc-ramp unknown _dmarc.sub TXT: nothing"),
		},
		"removal below a looser sp is not": {
			live: []string{"_dmarc 300 TXT v=DMARC1; p=reject; sp=none", "_dmarc.sub 300 TXT v=DMARC1; p=none"}, owned: []string{"dmarc _dmarc.sub TXT"}, d: domain(sub), want: "",
		},
		"a record block tightens": {
			live: []string{"_dmarc 300 TXT v=DMARC1; p=none; x=y"}, owned: []string{"record _dmarc TXT"}, d: domain(record("v=DMARC1; p=reject; x=y")),
			want: lines("today _dmarc TXT: v=DMARC1; p=none; x=y", "dmarc-ramp unknown _dmarc TXT: v=DMARC1; p=reject; x=y"),
		},
		"a record block tightens the alignment": {
			live: []string{"_dmarc 300 TXT v=DMARC1; p=reject"}, owned: []string{"record _dmarc TXT"}, d: domain(record("v=DMARC1; p=reject; adkim=s")),
			want: lines("today _dmarc TXT: v=DMARC1; p=reject", "dmarc-ramp unknown _dmarc TXT: v=DMARC1; p=reject; adkim=s"),
		},
		"a record block loosens": {
			live: []string{"_dmarc 300 TXT v=DMARC1; p=reject"}, owned: []string{"record _dmarc TXT"}, d: domain(record("v=DMARC1; p=none")), want: "today _dmarc TXT: v=DMARC1; p=none",
		},
		"a new strict record in a record block": {
			d: domain(record("v=DMARC1; p=reject")), want: "dmarc-ramp unknown _dmarc TXT: v=DMARC1; p=reject",
		},
		"a new record that only observes": {
			d: domain(record("v=DMARC1; p=none")), want: "today _dmarc TXT: v=DMARC1; p=none",
		},
		"an alias to somebody's policy": {
			d: domain(declareRecord("_dmarc", records.TypeCNAME, "a.example.dmarc.example.net")), want: "dmarc-ramp unknown _dmarc CNAME: a.example.dmarc.example.net",
		},
		"an authorisation comes": {d: domain(accepts), want: "today " + report + " TXT: v=DMARC1"},
		"an authorisation goes":  {live: []string{report + " 300 TXT v=DMARC1"}, owned: []string{"dmarc " + report + " TXT"}, d: domain(), want: ""},
	})
}

// TestR12RampCountsTheDays: no later step before the observation has lasted,
// and none without reports.
func TestR12RampCountsTheDays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy string
		since  plan.Moment
		want   plan.Verdict
		reason string
	}{
		"never applied":                  {"", plan.Moment{}, plan.Unknown, "have not begun"},
		"observed for a second less":     {"p=none", plan.Moment{At: noon.Add(-14*day + time.Second)}, plan.VerdictNo, "13 d of 14 d"},
		"observed":                       {"p=none", ago(14 * day), plan.Unknown, "no aggregate reports"},
		"the step is fresh":              {"p=quarantine; pct=25; t=y", ago(6 * day), plan.VerdictNo, "6 d of 7 d"},
		"the step has stood":             {"p=quarantine; pct=25; t=y", ago(7 * day), plan.Unknown, "no aggregate reports"},
		"a rehearsal's days don't count": {"p=none", plan.Moment{At: noon.Add(-30 * day), Wall: ptr(noon.Add(-time.Hour))}, plan.VerdictNo, "0 d of 14 d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := plan.State{}
			if !c.since.IsZero() {
				state.Domains = []plan.DomainState{{Domain: apex, Policy: c.policy, Since: c.since}}
			}
			g := policy.Judge(policy.GateRamp, policy.Case{Input: policy.Input{Domain: domain(reject()), Past: state.Index(), Clock: at(noon)}})
			if g.Verdict != c.want || !strings.Contains(g.Reason, c.reason) {
				t.Errorf("%s: %s", g.Verdict, g.Reason)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }
