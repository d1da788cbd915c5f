package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

func unmanaged(d plan.Domain) string {
	var out []string
	for _, u := range d.Unmanaged {
		out = append(out, fmt.Sprintf("%s: %v: %s", where(records.Key{Name: u.Name, Type: u.Type}), u.Values, u.Why))
	}
	return strings.Join(out, "\n")
}

// TestUnmanaged: what looks like mail and is nobody's is shown, at the nearest
// declared domain; what is declared, covered or owned isn't; an orphan is.
func TestUnmanaged(t *testing.T) {
	t.Parallel()
	live := zone(t,
		"@ 300 TXT v=spf1 ~all", "@ 300 TXT token", "_dmarc 300 TXT v=DMARC1; p=none", "old._domainkey 300 CNAME old.example.net",
		"_dmarc.sub 300 TXT v=DMARC1; p=none", "gone 300 TXT v=spf1 -all", "s1._domainkey 300 TXT "+string(key1), "www 300 A 192.0.2.1")
	d := domain(declareDMARC("v=DMARC1; p=none"))
	sub := domain(func(d *records.Domain) { d.Name = "sub.a.example" })
	state := plan.State{Owned: slices.Concat(
		own(t, live, apex, "dkim s1._domainkey TXT"), // its domain plans the removal
		own(t, live, "gone.a.example", "spf gone TXT"),
	)}
	got := policy.PlanZone(policy.ZoneInput{Live: live, Past: state.Index(), Clock: at(noon), Domains: []*records.Domain{d}, Others: []*records.Domain{sub}})
	want := `@ TXT: [v=spf1 ~all]: looks like SPF, not declared, not owned
gone TXT: [v=spf1 -all]: orphaned: owned for gone.a.example, which is no longer declared; withdraw it with state = "removed", or release it
old._domainkey CNAME: [old.example.net]: looks like DKIM, not declared, not owned`
	if u := unmanaged(got.Domains[0]); u != want {
		t.Errorf("got\n%s\nwant\n%s", u, want)
	}
	for _, c := range got.Domains[0].Changes {
		if c.Name == "gone.a.example" {
			t.Errorf("an orphan is changed: %+v", c)
		}
	}
}

// TestOtherDomainsOfTheZoneAreLeftAlone: --domain narrows what is planned.
func TestOtherDomainsOfTheZoneAreLeftAlone(t *testing.T) {
	t.Parallel()
	live := zone(t, "@ 300 TXT v=spf1 a ~all", "sub 300 TXT v=spf1 mx ~all")
	sub := domain(declareSPF("v=spf1 a -all"), func(d *records.Domain) { d.Name = "sub.a.example" })
	state := plan.State{Owned: slices.Concat(own(t, live, apex, "spf @ TXT"), own(t, live, sub.Name, "spf sub TXT"))}
	got := policy.PlanZone(policy.ZoneInput{
		Live: live, Past: state.Index(), Clock: at(noon), Domains: []*records.Domain{domain(declareSPF("v=spf1 a mx ~all"))}, Others: []*records.Domain{sub},
	})
	if len(got.Domains) != 1 || show(got.Domains[0]) != "ready change @ TXT: 300 v=spf1 a mx ~all" {
		t.Errorf("%d domains:\n%s", len(got.Domains), show(got.Domains[0]))
	}
}

// TestPlanIsTheSameInAnyOrder: neither the order of the domains nor that of
// their parts, nor that of the journal's lists, changes a byte.
func TestPlanIsTheSameInAnyOrder(t *testing.T) {
	t.Parallel()
	live := zone(t,
		"@ 3600 TXT v=spf1 include:a.example ~all", "@ 3600 TXT token", "@ 300 MX 10 mx.example", "@ 300 MX 20 mx2.example",
		"sub 3600 TXT v=spf1 mx ~all", "sub 3600 TXT old=1", "_dmarc 3600 TXT v=DMARC1; p=none", "s1._domainkey 300 TXT "+string(key1), "s2._domainkey 300 TXT "+string(key2))
	build := func(turn bool) []byte {
		order := func(parts ...part) []part {
			if turn {
				slices.Reverse(parts)
			}
			return parts
		}
		d := domain(order(
			declareSPF("v=spf1 include:b.example -all"), reject(), declareKey("s1", key2), declareKey("s2", key1), declareKey("s3", key3),
			declareMX("5 new.example"), declareMX("10 mx.example"), declareRecord("sub", "TXT", "new=1"), declareRecord("@", "TXT", "mine"),
			override(policy.GateNarrow, "b", noon.Add(day)), override(policy.GateNarrow, "a", noon.Add(day)),
		)...)
		sub := domain(order(declareSPF("v=spf1 a ~all"), func(d *records.Domain) { d.Name = "sub.a.example" })...)
		state := plan.State{Owned: slices.Concat(own(t, live, apex, "spf @ TXT v=spf1 include:a.example ~all", "mx @ MX", "record sub TXT old=1"), own(t, live, sub.Name, "spf sub TXT v=spf1 mx ~all"))}
		domains := []*records.Domain{d, sub}
		if turn {
			slices.Reverse(domains)
			slices.Reverse(state.Owned)
		}
		got := policy.PlanZone(policy.ZoneInput{Live: live, Past: state.Index(), Journal: plan.JournalRead, Clock: at(noon), Domains: domains, Source: plan.LiveProvider})
		p, err := plan.Seal(plan.Plan{Kind: plan.KindPlan, CreatedAt: noon, Domains: got.Domains})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.MarshalIndent(p, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if a, b := build(false), build(true); !bytes.Equal(a, b) {
		t.Errorf("one order\n%s\nthe other\n%s", a, b)
	}
}

// TestOneStepOrNone: what must go together is refused on a host that makes one
// change after the other.
func TestOneStepOrNone(t *testing.T) {
	t.Parallel()
	live := zone(t, "s1._domainkey 300 TXT "+string(short))
	d := domain(declareAlias("s1", "s1.example.net"))
	for _, transactional := range []bool{true, false} {
		got := policy.PlanZone(policy.ZoneInput{Live: live, Past: plan.State{}.Index(), Clock: at(noon), Domains: []*records.Domain{d}, Host: policy.Host{Limits: records.Limits{Transactional: transactional}}}).Domains[0]
		if policy.Stopped(got) == transactional {
			t.Errorf("transactional %t: %+v", transactional, got.Findings)
		}
	}
}

// TestRemember: what the journal keeps of a domain.
func TestRemember(t *testing.T) {
	t.Parallel()
	live := zone(t, "@ 300 TXT v=spf1 include:a.example ?include:b.example redirect=c.example", "@ 300 MX 10 mx.example", "_dmarc 300 TXT v=DMARC1; p=quarantine; pct=50; rua=mailto:x@a.example")
	d := domain(declareSPF("v=spf1 include:d.example ~all"), declareMX("10 other.example"))
	first := policy.Remember(policy.Input{Domain: d, Live: live, Past: plan.State{}.Index(), Clock: at(noon)}, live)
	want := plan.DomainState{
		Domain: apex, Applied: moment(noon), ConfigDigest: "sha256:1",
		Found:    []string{"mx:mx.example", "spf:include:a.example", "spf:include:b.example", "spf:include:c.example"},
		Declared: []string{"mx:other.example", "spf:include:d.example"},
		Policy:   "p=quarantine; pct=50", Since: moment(noon),
	}
	if got, want := fmt.Sprintf("%+v", first), fmt.Sprintf("%+v", want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// Later: what was found stays, what is declared adds up, the policy's time
	// begins anew only with another policy.
	later := domain(declareRecord("@", "TXT", "v=spf1 include:e.example ~all"))
	later.Digest = "sha256:2"
	past := plan.State{Domains: []plan.DomainState{first}}.Index()
	same := policy.Remember(policy.Input{Domain: later, Live: zone(t), Past: past, Clock: at(noon.Add(day))},
		zone(t, "_dmarc 300 TXT v=DMARC1; pct=50; p=quarantine; rua=mailto:y@a.example"))
	if !slices.Equal(same.Found, first.Found) || same.Applied != first.Applied || same.ConfigDigest != "sha256:2" || same.Since != first.Since ||
		!slices.Equal(same.Declared, []string{"mx:other.example", "spf:include:d.example", "spf:include:e.example"}) {
		t.Errorf("%+v", same)
	}
	for _, policyNow := range []string{"v=DMARC1; p=reject", "v=DMARC1; p=quarantine; pct=50; t=y"} {
		other := policy.Remember(policy.Input{Domain: later, Past: past, Clock: at(noon.Add(day))}, zone(t, "_dmarc 300 TXT "+policyNow))
		if other.Since != moment(noon.Add(day)) || other.Policy != strings.TrimPrefix(policyNow, "v=DMARC1; ") {
			t.Errorf("%s: %+v", policyNow, other)
		}
	}
	// No policy where receivers apply none.
	for _, gone := range [][]string{nil, {"_dmarc 300 TXT v=DMARC1; p=none", "_dmarc 300 TXT v=DMARC1; p=reject"}, {"_dmarc 300 TXT v=DMARC1; p=x"}} {
		if other := policy.Remember(policy.Input{Domain: later, Past: past, Clock: at(noon)}, zone(t, gone...)); other.Policy != "" {
			t.Errorf("%v: policy %q", gone, other.Policy)
		}
	}
	back := policy.RememberRollback(past, apex, zone(t, "_dmarc 300 TXT v=DMARC1; p=none"), at(noon.Add(day)))
	if back.Policy != "p=none" || back.Since != moment(noon.Add(day)) || !slices.Equal(back.Found, first.Found) {
		t.Errorf("%+v", back)
	}
}

func moment(t time.Time) plan.Moment { return plan.Moment{At: t} }

// TestApprove: only what is ready, each change against what was read.
func TestApprove(t *testing.T) {
	t.Parallel()
	live := zone(t, "@ 300 TXT v=spf1 include:old.example ~all", "@ 300 TXT token", "_smtp._tls 3600 TXT v=TLSRPTv1; rua=mailto:o@a.example")
	d := domain(declareSPF("v=spf1 include:new.example ~all"), reject(), func(d *records.Domain) { d.TLSRPT = &records.TLSRPT{RUA: []string{"mailto:n@a.example"}} })
	got := planned(live, plan.State{}, noon, nil, d)
	a := policy.Approve(live, got.Domains, "sha256:plan")
	after, err := live.Apply(a.Changes())
	if err != nil {
		t.Fatal(err)
	}
	want := zone(t, "@ 300 TXT v=spf1 include:new.example include:old.example ~all", "@ 300 TXT token", "_dmarc 300 TXT v=DMARC1; p=none", "_smtp._tls 300 TXT v=TLSRPTv1; rua=mailto:o@a.example")
	if !after.Equal(want) {
		t.Errorf("got %v", after.Sets())
	}
	if a.Digest() != "sha256:plan" || len(a.Domains()) != 1 || !a.Zone().Equal(live) {
		t.Errorf("%+v", a)
	}
	// A rollback is approved whatever the state says, and as a whole.
	all := policy.ApproveRollback(live, got.Domains, "")
	if n := len(all.Changes()); n != len(got.Domains[0].Changes) {
		t.Errorf("%d of %d changes", n, len(got.Domains[0].Changes))
	}
}

// TestGates: every gate of the table says what it holds and until when, can be
// asked, and opens for nobody who knows nothing.
func TestGates(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, g := range policy.Gates() {
		if seen[g.ID] || g.Holds == "" || g.Until == "" || !policy.KnownGate(g.ID) {
			t.Errorf("%+v", g)
		}
		seen[g.ID] = true
		word := policy.Judge(g.ID, policy.Case{Input: policy.Input{Domain: domain(), Live: zone(t), Past: plan.State{}.Index(), Clock: at(noon)}, Key: key("@", "TXT"), Subject: "it"})
		if word.Opens() || word.ID != g.ID || word.Reason == "" {
			t.Errorf("%s: %+v", g.ID, word)
		}
		if byHand := strings.Contains(word.Needs, "--override "+g.ID+":a.example"); word.Needs != "" && byHand == (g.ID == policy.GateExternal) {
			t.Errorf("%s doesn't say how it is opened by hand: %s", g.ID, word.Needs)
		}
	}
	if policy.KnownGate("spf-lookups") || policy.Judge("nothing", policy.Case{}).Opens() {
		t.Error("a gate that there isn't")
	}
}
