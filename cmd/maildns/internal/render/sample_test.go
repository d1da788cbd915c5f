package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// now is the present of all samples.
var now = time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

func setOf(ttl records.TTL, values ...records.Value) *plan.Set {
	return &plan.Set{TTL: ttl, Values: values}
}

// seal fills in what package plan computes.
func seal(p plan.Plan) *plan.Plan {
	p.MaildnsVersion, p.CreatedAt = "1.0.0", now
	p.ConfigDigest = "sha256:" + strings.Repeat("c0ffee", 10) + "c0ff"
	if p.Journal == "" {
		p.Journal = plan.JournalRead
	}
	for k, d := range p.Domains {
		if d.Live == "" {
			p.Domains[k].Live = plan.LiveProvider
		}
		for i := range d.Changes {
			d.Changes[i].ID = fmt.Sprintf("%016x", i+1)
		}
	}
	sealed, err := plan.Seal(p)
	if err != nil {
		panic(err)
	}
	if p.Kind == "" {
		sealed.Kind = plan.KindPlan
	}
	return &sealed
}

const domain = records.Name("attunelogic.com")

// spfMerge, spfNarrow, dmarcLower, dmarcChange and dkimNew are the changes of
// the example in the specification of the text output.
func spfMerge() plan.Change {
	return plan.Change{
		Name: domain, Type: records.TypeTXT, Kind: records.KindSPF,
		Action: plan.ActionUpdate, Step: plan.StepChange, State: plan.Ready,
		Before:   setOf(3600, "google-site-verification=abc", "v=spf1 include:_spf.google.com ~all", "v=spf1 include:mailgun.org ~all"),
		After:    setOf(300, "google-site-verification=abc", "v=spf1 include:_spf.google.com include:mailgun.org ~all"),
		Declared: setOf(3600, "google-site-verification=abc", "v=spf1 include:_spf.google.com ~all"),
		Meaning:  []string{"2 records → 1, nobody loses authorisation", "(a PERMERROR today)"},
		Exposure: 3600, Mistake: 300,
	}
}

func spfNarrow() plan.Change {
	return plan.Change{
		Name: domain, Type: records.TypeTXT, Kind: records.KindSPF,
		Action: plan.ActionUpdate, Step: plan.StepChange, State: plan.Held,
		Before:   setOf(3600, "google-site-verification=abc", "v=spf1 include:_spf.google.com include:mailgun.org ~all"),
		After:    setOf(300, "google-site-verification=abc", "v=spf1 include:_spf.google.com ~all"),
		Declared: setOf(3600, "google-site-verification=abc", "v=spf1 include:_spf.google.com ~all"),
		Meaning:  []string{"− include:mailgun.org", "(lookups 9 → 4 of 10)"},
		Gates: []plan.GateVerdict{{
			ID: "spf-narrow", Verdict: plan.VerdictNo,
			Reason: "1,204 messages came from its addresses in the last 7 days",
			Needs:  "7 days without mail from them; or declare it as a sender to keep it",
		}},
		Exposure: 3600, Mistake: 300,
	}
}

const (
	dmarcNone       = records.Value("v=DMARC1; p=none; rua=mailto:dmarc@attunelogic.com")
	dmarcQuarantine = records.Value("v=DMARC1; p=quarantine; pct=25; t=y; rua=mailto:dmarc@attunelogic.com")
)

func dmarcLower() plan.Change {
	return plan.Change{
		Name: records.Below("_dmarc", domain), Type: records.TypeTXT, Kind: records.KindDMARC,
		Action: plan.ActionTTL, Step: plan.StepLowerTTL, State: plan.Ready,
		Before: setOf(3600, dmarcNone), After: setOf(300, dmarcNone), Declared: setOf(3600, dmarcQuarantine),
		Meaning:  []string{"TTL 3600 → 300, so that the change can be undone in 300 s"},
		Exposure: 3600, Mistake: 300,
	}
}

func dmarcChange() plan.Change {
	due := now.Add(time.Hour - time.Second)
	return plan.Change{
		Name: records.Below("_dmarc", domain), Type: records.TypeTXT, Kind: records.KindDMARC,
		Action: plan.ActionUpdate, Step: plan.StepChange, State: plan.Waiting, NotBefore: &due,
		Before: setOf(300, dmarcNone), After: setOf(300, dmarcQuarantine), Declared: setOf(3600, dmarcQuarantine),
		Meaning: []string{"policy none → quarantine (at most 25 %)"},
		Gates: []plan.GateVerdict{
			{ID: "dmarc-ramp", Verdict: plan.Allow, Reason: "7 of 7 days covered by 3 reporters; own mail 100 % authenticated, all mail 94.1 %"},
			{ID: plan.GateLowerTTL, Verdict: plan.VerdictNo, Reason: "caches may still hold the old value with its long TTL"},
		},
		Exposure: 300, Mistake: 300,
	}
}

var rsaKey = records.Value("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" + strings.Repeat("Xy7/q+", 52) + "wIDAQAB")

func dkimNew() plan.Change {
	return plan.Change{
		Name: records.Below("pm._domainkey", domain), Type: records.TypeTXT, Kind: records.KindDKIM,
		Action: plan.ActionCreate, Step: plan.StepChange, State: plan.Ready,
		After: setOf(300, rsaKey), Declared: setOf(3600, rsaKey),
		Meaning:  []string{"new DKIM key, RSA 2048"},
		Exposure: 3600, Mistake: 300,
	}
}

// specPlan is the example of the specification, with findings and unmanaged
// records as well.
func specPlan() *plan.Plan {
	return seal(plan.Plan{Domains: []plan.Domain{{
		Name: domain, Zone: domain, Provider: "cloudflare.main", Transactional: true, Live: plan.LiveProvider,
		ConfigDigest: "sha256:1234", Owner: "Platform / SRE",
		Changes: []plan.Change{spfMerge(), spfNarrow(), dmarcLower(), dmarcChange(), dkimNew()},
		Findings: []plan.Finding{
			{
				Rule: "spf-headroom", Severity: plan.SeverityWarning, About: plan.AboutDeclared,
				Message: "the record needs 9 of the 10 lookups that receivers make",
				Fix:     "remove an include that nobody uses, or send from a subdomain",
				RFC:     "7208 4.6.4", Source: &records.Source{File: "mail.hcl", Line: 12, Column: 3},
			},
			{
				Rule: "spf-multiple", Severity: plan.SeverityWarning, About: plan.AboutLive,
				Message: "the live zone has two SPF records, which receivers treat as a permanent error",
				Fix:     "this plan merges them", RFC: "7208 4.5",
			},
		},
		Unmanaged: []plan.Unmanaged{{
			Name: records.Below("old._domainkey", domain), Type: records.TypeCNAME,
			Values: []records.Value{"old.dkim.vendor.example"}, Why: "looks like DKIM, not declared, not owned",
		}},
	}}})
}

// forgottenPlan has a sender that the configuration forgot, which adoption
// keeps.
func forgottenPlan() *plan.Plan {
	c := spfNarrow()
	c.Gates = []plan.GateVerdict{{
		ID: "adoption", Verdict: plan.VerdictNo,
		Reason: "include:mailgun.org was live when maildns first took over, and no configuration has ever declared it",
		Needs:  "a sender block if you use it; otherwise --override adoption:attunelogic.com --reason TEXT",
	}, {
		ID: "spf-narrow", Verdict: plan.Unknown, Reason: "there are no aggregate reports of this domain",
		Needs: "a DMARC record with rua, then 7 days of reports",
	}}
	return seal(plan.Plan{Journal: plan.JournalAbsent, Domains: []plan.Domain{{
		Name: domain, Zone: domain, Provider: "zonefile.local", Live: plan.LiveDNS, Changes: []plan.Change{spfMerge(), c},
	}}})
}

// errorPlan has a domain that an error stops, changes of every action, and one
// transaction of two changes.
func errorPlan() *plan.Plan {
	due := now.Add(30 * time.Hour)
	restore := plan.Change{
		Name: domain, Type: records.TypeMX, Kind: records.KindMX,
		Action: plan.ActionTTL, Step: plan.StepRestoreTTL, State: plan.Waiting, NotBefore: &due,
		Before: setOf(300, "10 mx1.attunelogic.com"), After: setOf(3600, "10 mx1.attunelogic.com"), Declared: setOf(3600, "10 mx1.attunelogic.com"),
		Exposure: 300, Mistake: 3600,
	}
	group := "s1._domainkey.attunelogic.com"
	selector := records.Below("s1._domainkey", domain)
	cname := plan.Change{
		Name: selector, Type: records.TypeCNAME, Kind: records.KindDKIM, Action: plan.ActionCreate,
		Step: plan.StepChange, State: plan.Ready, Group: &group,
		After: setOf(300, "s1.domainkey.u123.wl.sendgrid.net"), Declared: setOf(3600, "s1.domainkey.u123.wl.sendgrid.net"),
		Meaning: []string{"selector s1 → s1.domainkey.u123.wl.sendgrid.net"}, Exposure: 300, Mistake: 300,
	}
	txt := plan.Change{
		Name: selector, Type: records.TypeTXT, Kind: records.KindDKIM, Action: plan.ActionDelete,
		Step: plan.StepChange, State: plan.Ready, Group: &group, Before: setOf(300, rsaKey),
		Gates:   []plan.GateVerdict{{ID: "dkim-removal", Verdict: plan.Overridden, Reason: "the key leaked (INC-42)"}},
		Meaning: []string{"key RSA 2048 withdrawn"}, Exposure: 300, Mistake: 300,
	}
	return seal(plan.Plan{Journal: plan.JournalUnreadable, Domains: []plan.Domain{
		{
			Name: domain, Zone: domain, Provider: "route53.main", Transactional: true,
			Changes: []plan.Change{restore, cname, txt},
			Findings: []plan.Finding{{
				Rule: "dmarc-syntax", Severity: plan.SeverityError, About: plan.AboutDeclared,
				Message: "the policy \"quarentine\" is none of none, quarantine and reject", Fix: "write policy = \"quarantine\"",
				Source: &records.Source{File: "mail.hcl", Line: 31, Column: 5},
			}, {
				Rule: "review-overdue", Severity: plan.SeverityInfo, About: plan.AboutDeclared, Message: "the last review is 93 days ago",
			}},
		},
		{Name: "quiet.example", Zone: "quiet.example", Provider: "route53.main", Transactional: true},
	}})
}

// manyPlan has n domains with the same two changes, each with values of its
// own, and one domain beside them.
func manyPlan(n int) *plan.Plan {
	p := plan.Plan{Domains: make([]plan.Domain, 0, n+1)}
	due := now.Add(time.Hour)
	for i := range n {
		name := records.Name(fmt.Sprintf("tenant%05d.example", i))
		rua := fmt.Sprintf("; rua=mailto:reports+%d@attunelogic.com", i)
		old, next := records.Value("v=DMARC1; p=none"+rua), records.Value("v=DMARC1; p=quarantine; pct=25; t=y"+rua)
		lower := plan.Change{
			Name: records.Below("_dmarc", name), Type: records.TypeTXT, Kind: records.KindDMARC,
			Action: plan.ActionTTL, Step: plan.StepLowerTTL, State: plan.Ready,
			Before: setOf(3600, old), After: setOf(300, old), Declared: setOf(3600, next), Exposure: 3600, Mistake: 300,
		}
		change := lower
		change.Action, change.Step, change.State, change.NotBefore = plan.ActionUpdate, plan.StepChange, plan.Waiting, &due
		change.After, change.Meaning = setOf(300, next), []string{"policy none → quarantine (25 %)"}
		change.Exposure = 300
		p.Domains = append(p.Domains, plan.Domain{
			Name: name, Zone: name, Provider: "zonefile.local", Transactional: true, Live: plan.LiveProvider, ConfigDigest: "sha256:12",
			Changes: []plan.Change{lower, change},
		})
	}
	p.Domains = append(p.Domains, plan.Domain{
		Name: domain, Zone: domain, Provider: "cloudflare.main", Transactional: true, Changes: []plan.Change{dkimNew()},
	})
	return seal(p)
}

func emptyPlan() *plan.Plan {
	return seal(plan.Plan{Domains: []plan.Domain{{Name: domain, Zone: domain, Provider: "zonefile.local"}}})
}

// idlePlan has nothing that can be done now.
func idlePlan() *plan.Plan {
	return seal(plan.Plan{Domains: []plan.Domain{{
		Name: domain, Zone: domain, Provider: "zonefile.local", Transactional: true,
		Changes: []plan.Change{spfNarrow(), dmarcChange()},
	}}})
}

func applyResult() *Result {
	failedKey := dkimNew()
	return &Result{
		FormatVersion: plan.FormatVersion, Kind: plan.KindResult, Run: "run-7f3a", Journal: "file:///srv/mail journal",
		Domains: []ResultDomain{
			{
				Name: domain, Entry: "000012-9c1d", Back: "000011-55ab",
				Applied: []plan.Change{spfMerge(), dmarcLower()},
				Waiting: []plan.Change{dmarcChange()},
				Held:    []plan.Change{spfNarrow()},
				Failed:  []Failed{{failedKey, "cloudflare answered 403: the token has no permission for this zone"}},
			},
			{Name: "moved.example", Outcome: OutcomeRefused, Error: "_dmarc.moved.example TXT is no longer as it was read; nothing was written to this zone"},
			{Name: "new.example", Entry: "000001-aa"},
			{Name: "quiet.example"},
		},
	}
}

func aftermath() *Aftermath {
	since := now.Add(-17 * time.Minute)
	return &Aftermath{
		Actor: "jan", At: now, CurrentBy: now.Add(time.Hour),
		Bad: []Bad{
			{
				Domain: domain, Name: records.Below("_dmarc", domain), Type: records.TypeTXT,
				Values: []records.Value{"v=DMARC1; p=reject; rua=mailto:dmarc@attunelogic.com"}, Since: &since, Until: now.Add(5 * time.Minute),
			},
			{Domain: domain, Name: records.Below("pm._domainkey", domain), Type: records.TypeTXT, Until: now.Add(time.Hour)},
		},
		PolicyFiles: []PolicyFile{{URL: "https://mta-sts.attunelogic.com/.well-known/mta-sts.txt", Body: "version: STSv1\nmode: testing\n"}},
		Notified:    []string{"slack.support"}, NotNotified: []string{"smtp.oncall: connection refused"},
	}
}

func restoreDMARC() plan.Change {
	c := dmarcChange()
	c.State, c.NotBefore, c.Gates = plan.Ready, nil, nil
	c.Before, c.After = setOf(300, "v=DMARC1; p=reject; rua=mailto:dmarc@attunelogic.com"), setOf(300, dmarcNone)
	c.Declared, c.Meaning = setOf(3600, dmarcNone), []string{"policy reject → none", "LOOSENS"}
	return c
}

func rollbackResult() *Result {
	return &Result{
		FormatVersion: plan.FormatVersion, Kind: plan.KindResult, Run: "run-80aa", Journal: "s3://mail-journal", Aftermath: aftermath(),
		Domains: []ResultDomain{{Name: domain, Entry: "000013-77", Back: "000012-9c1d", Applied: []plan.Change{restoreDMARC(), dkimNew()}}},
	}
}

func rollbackPlan() *plan.Plan {
	return seal(plan.Plan{Kind: plan.KindRollback, Domains: []plan.Domain{{
		Name: domain, Zone: domain, Provider: "cloudflare.main", Transactional: true,
		Changes: []plan.Change{restoreDMARC(), dkimNew()},
		Findings: []plan.Finding{{
			Rule: "rollback-tightens", Severity: plan.SeverityWarning, About: plan.AboutLive,
			Message: "alignment becomes strict again, as it was then",
		}},
	}}})
}

func rollbackPreview() *Rollback {
	return &Rollback{
		Plan: *rollbackPlan(),
		Targets: []Target{{
			Zone: domain, Ref: "last", Entry: "000011-55ab", State: "the state before the newest apply", At: now.Add(-25 * time.Hour),
			Command: "apply", Actor: "jan", Warning: "it did not stand for 24 h before it was replaced",
		}},
		Kept: []Kept{{
			Domain: domain, Name: records.Below("s2._domainkey", domain), Type: records.TypeCNAME, Kind: records.KindDKIM,
			Values: []records.Value{"s2.domainkey.u123.wl.sendgrid.net"}, Why: "mail that was signed with this selector may still be on its way",
		}, {
			Domain: domain, Name: records.Below("s3._domainkey", domain), Type: records.TypeCNAME, Kind: records.KindDKIM,
			Values: []records.Value{"s3.domainkey.u123.wl.sendgrid.net"}, Why: "mail that was signed with this selector may still be on its way",
		}},
		Conflicts: []Conflict{{
			Domain: domain, Name: domain, Type: records.TypeMX,
			Left: setOf(3600, "10 mx1.attunelogic.com"), Live: setOf(3600, "5 mx9.attunelogic.com"), Target: nil,
		}},
	}
}

func restorePoints() *Points {
	return &Points{
		FormatVersion: plan.FormatVersion, Kind: KindPoints, Journal: "file:///srv/journal",
		Points: []Point{
			{
				Ref: "last", Entry: "000011-55ab", Run: "run-6e", At: now.Add(-25 * time.Hour), Command: "apply", Actor: "jan", Outcome: ptr(OutcomeDone),
				Domains: []records.Name{domain}, Verified: ptr(now.Add(-24 * time.Hour)),
				Restores: []Restored{{domain, restoreDMARC()}, {domain, dkimNew()}},
			},
			{Ref: "000012-9c1d", Entry: "000012-9c1d", Run: "run-7f", At: now, Command: "apply", Actor: "ci", Domains: []records.Name{domain}},
		},
	}
}

func journalHistory() *History {
	return &History{
		FormatVersion: plan.FormatVersion, Kind: KindHistory,
		Damage: []string{"entry 7 of quiet.example is missing: the one after it names another digest"},
		Entries: []Entry{
			{
				ID: "000013-77", Seq: 13, Run: "run-80aa", Time: now, Domain: domain, Domains: []records.Name{domain}, Zone: domain,
				Command: "rollback", Actor: "jan", Outcome: ptr(OutcomeDone), Changes: []plan.Change{restoreDMARC()},
				Verified: ptr(now.Add(6 * time.Minute)),
			},
			{
				ID: "000012-9c1d", Seq: 12, Run: "run-7f3a", Time: now.Add(-time.Hour), Domain: domain,
				Domains: []records.Name{domain, "mail.attunelogic.com"}, Zone: domain,
				Command: "apply", Actor: "github:octocat", Commit: "1a2b3c4d", Rehearsal: true,
				Changes:   []plan.Change{spfNarrow(), dmarcLower()},
				Overrides: []Override{{Gate: "spf-narrow", Domain: domain, Reason: "Mailgun's contract ended on Friday"}},
			},
		},
	}
}

func configValidation() *Validation {
	return &Validation{
		FormatVersion: plan.FormatVersion, Kind: KindValidation, Valid: false,
		Diagnostics: []Diagnostic{
			{
				Severity: plan.SeverityError, Summary: "Unsupported argument", Rule: "",
				Detail:  "An argument named \"polcy\" is not expected here. Did you mean \"policy\"?",
				Source:  &Range{"mail.hcl", 31, 5, 31, 10},
				Snippet: "    polcy = \"quarantine\"",
			},
			{
				Severity: plan.SeverityWarning, Summary: "the record needs 9 of the 10 lookups that receivers make", Rule: "spf-headroom",
				Detail: "Remove an include that nobody uses.",
			},
		},
	}
}

// samples are one or more of every kind of report.
var samples = []struct {
	name   string
	report func() any
}{
	{"plan-spec", func() any { return specPlan() }},
	{"plan-forgotten-sender", func() any { return forgottenPlan() }},
	{"plan-errors", func() any { return errorPlan() }},
	{"plan-many", func() any { return manyPlan(12) }},
	{"plan-empty", func() any { return emptyPlan() }},
	{"plan-idle", func() any { return idlePlan() }},
	{"result-apply", func() any { return applyResult() }},
	{"result-rollback", func() any { return rollbackResult() }},
	{"rollback-preview", func() any { return rollbackPreview() }},
	{"rollback-by-hand", func() any { return &ByHand{*rollbackPlan()} }},
	{"rollback-points", func() any { return restorePoints() }},
	{"history", func() any { return journalHistory() }},
	{"validation", func() any { return configValidation() }},
}
