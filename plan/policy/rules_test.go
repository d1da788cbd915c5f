package policy_test

import (
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// TestRulesKnowThePast: what the journal says decides some findings, which the
// test data of the command, without a journal, can't show.
func TestRulesKnowThePast(t *testing.T) {
	t.Parallel()
	alias := []string{"s1._domainkey 300 CNAME x.example"}
	dead := map[policy.Question]policy.Answer{{Name: "x.example", Type: records.TypeTXT}: {NXDomain: true}}
	elsewhere := domain(declareAlias("s1", "y.example"))
	for name, c := range map[string]struct {
		rule  string
		live  []string
		state plan.State
		dns   map[policy.Question]policy.Answer
		d     *records.Domain
		want  plan.Severity // empty: nothing is found
	}{
		"an alias of others, which a key would take the place of":  {rule: "dns-cname-coexist", live: alias, d: domain(declareRecord("s1._domainkey", "TXT", key1)), want: plan.SeverityError},
		"an alias of ours that becomes a key":                      {rule: "dns-cname-coexist", live: alias, state: owning("dkim", "s1._domainkey", "CNAME", "x.example"), d: domain(declareKey("s1", key1))},
		"an alias of ours with another target":                     {rule: "dns-cname-coexist", live: []string{"www 300 CNAME x.example"}, state: owning("record", "www", "CNAME", "x.example"), d: domain(declareRecord("www", "CNAME", "y.example"))},
		"a dead alias within 72 hours":                             {rule: "dkim-cname-dead", live: alias, state: written("s1._domainkey", "CNAME", 72*time.Hour-time.Second), dns: dead, d: elsewhere, want: plan.SeverityWarning},
		"a dead alias after 72 hours":                              {rule: "dkim-cname-dead", live: alias, state: written("s1._domainkey", "CNAME", 72*time.Hour), dns: dead, d: elsewhere, want: plan.SeverityError},
		"a dead alias that nobody asked about":                     {rule: "dkim-cname-dead", live: alias, state: written("s1._domainkey", "CNAME", 72*time.Hour), d: elsewhere},
		"a key that was written 180 days ago":                      {rule: "dkim-age", live: []string{"s1._domainkey 300 TXT " + string(key1)}, state: written("s1._domainkey", "TXT", 180*day), d: domain(declareKey("s1", key1))},
		"a key that was written longer ago":                        {rule: "dkim-age", live: []string{"s1._domainkey 300 TXT " + string(key1)}, state: written("s1._domainkey", "TXT", 180*day+time.Second), d: domain(declareKey("s1", key1)), want: plan.SeverityWarning},
		"an undeclared selector of ours":                           {rule: "dkim-undeclared-selector", live: alias, state: owning("dkim", "s1._domainkey", "CNAME", "x.example"), d: domain()},
		"an undeclared selector of others":                         {rule: "dkim-undeclared-selector", live: alias, d: domain(), want: plan.SeverityWarning},
		"a token of ours that begins like SPF":                     {rule: "dns-unmanaged-clobber", live: []string{"@ 300 TXT v=spf1-x"}, state: owning("record", "@", "TXT", "v=spf1-x"), d: domain(declareSPF("v=spf1 ~all"))},
		"a token of others that begins like SPF":                   {rule: "dns-unmanaged-clobber", live: []string{"@ 300 TXT v=spf1-x"}, d: domain(declareSPF("v=spf1 ~all")), want: plan.SeverityError},
		"an override in a block for a gate that holds nothing":     {rule: "override-unused", d: domain(override("dmarc-ramp", "x", noon.Add(day))), want: plan.SeverityInfo},
		"an override in a block for a gate that it opens just now": {rule: "override-unused", live: []string{"_dmarc 300 TXT v=DMARC1; p=none"}, d: domain(reject(), override("dmarc-ramp", "x", noon.Add(day)))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plans := policy.PlanZone(policy.ZoneInput{
				Live: zone(t, c.live...), Past: c.state.Index(), Journal: plan.JournalRead, Clock: at(noon), DNS: c.dns, Domains: []*records.Domain{c.d},
				Host: policy.Host{Limits: records.Limits{Transactional: true}}, Source: plan.LiveProvider,
			})
			got := plan.Severity("")
			if f := findingOf(plans.Domains[0], c.rule); f != nil {
				got = f.Severity
			}
			if got != c.want {
				t.Errorf("%q, want %q: %+v", got, c.want, plans.Domains[0].Findings)
			}
		})
	}
}

func owning(kind records.Kind, relative string, typ records.Type, v records.Value) plan.State {
	k := key(relative, typ)
	return plan.State{Owned: []plan.Owned{{Domain: apex, Kind: kind, Name: k.Name, Type: k.Type, Value: v}}}
}

func written(relative string, typ records.Type, age time.Duration) plan.State {
	k := key(relative, typ)
	return plan.State{Sets: []plan.SetState{{Name: k.Name, Type: k.Type, Written: ago(age)}}}
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
