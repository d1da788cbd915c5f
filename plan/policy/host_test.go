package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// plannedAt plans one domain at a host.
func plannedAt(host policy.Host, live records.Zone, d *records.Domain) plan.Domain {
	return policy.PlanZone(policy.ZoneInput{
		Live: live, Past: plan.State{}.Index(), Clock: at(noon), Domains: []*records.Domain{d}, Host: host, Source: plan.LiveProvider,
	}).Domains[0]
}

func TestWhatAHostCantHoldStopsTheDomain(t *testing.T) {
	t.Parallel()
	long := domain(declareRecord("x", "TXT", records.Value(strings.Repeat("x", 101))))
	auto := domain(declareRecord("x", "TXT", "y"), func(d *records.Domain) { d.TTL = records.AutoTTL })
	for name, c := range map[string]struct {
		limits records.Limits
		d      *records.Domain
		words  string // empty: it holds it
	}{
		"a long value":           {records.Limits{MaxTXT: 100}, long, "a value has 101 bytes"},
		"a value that just fits": {records.Limits{MaxTXT: 101}, long, ""},
		"a large set":            {records.Limits{MaxSet: 100}, long, "101 bytes together"},
		"a type it lacks":        {records.Limits{Types: []records.Type{"A", "MX"}}, long, "no TXT records"},
		"a type it has":          {records.Limits{Types: []records.Type{"TXT"}}, long, ""},
		"an automatic TTL":       {records.Limits{}, auto, "chooses no TTL itself"},
		"one that it can choose": {records.Limits{AutoTTL: true}, auto, ""},
	} {
		c.limits.Transactional = true
		got := plannedAt(policy.Host{Limits: c.limits}, zone(t), c.d)
		f := findingOf(got, "dns-host-limits")
		switch {
		case c.words == "":
			if f != nil || policy.Stopped(got) {
				t.Errorf("%s: %+v", name, got.Findings)
			}
		case f == nil || f.Severity != plan.SeverityError || !strings.Contains(f.Message, c.words) || f.Fix == "" || !policy.Stopped(got):
			t.Errorf("%s: %+v", name, got.Findings)
		}
	}
}

func TestAStoppedDomainIsHeldAsAWhole(t *testing.T) {
	t.Parallel()
	d := domain(declareRecord("x", "TXT", records.Value(strings.Repeat("x", 101))), declareRecord("y", "TXT", "y"))
	got := plannedAt(policy.Host{Limits: records.Limits{MaxTXT: 100}}, zone(t), d)
	if len(got.Changes) != 2 {
		t.Fatalf("%+v", got.Changes)
	}
	for _, c := range got.Changes {
		if c.State != plan.Held || c.NotBefore != nil || len(c.Gates) != 1 || c.Gates[0].ID != "dns-host-limits" || c.Gates[0].Needs == "" {
			t.Errorf("%s: %s, %+v", c.Key(), c.State, c.Gates)
		}
	}
	p, err := plan.Seal(plan.Plan{Kind: plan.KindPlan, Domains: []plan.Domain{got}})
	if s := p.Summary; err != nil || s.Create != 2 || s.Held != 2 || s.Ready+s.Waiting != 0 || p.MaxMistake != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestTransactionalMeansWhatIsReady(t *testing.T) {
	t.Parallel()
	live := zone(t, "s1._domainkey 300 TXT "+string(short), "x 3600 TXT old")
	d := domain(declareAlias("s1", "s1.example.net"), declareRecord("y", "TXT", "1"), declareRecord("z", "TXT", "2"))
	for name, c := range map[string]struct {
		most          int // changes in one transaction
		transactional bool
		stopped       bool
	}{
		"all fit":               {4, true, false},
		"two transactions":      {3, false, false},
		"not even what is tied": {1, false, true},
	} {
		asked := [][]records.Change{}
		host := policy.Host{Limits: records.Limits{Transactional: true}, Together: func(changes []records.Change) bool {
			asked = append(asked, changes)
			return len(changes) <= c.most
		}}
		got := plannedAt(host, live, d)
		if policy.Stopped(got) != c.stopped {
			t.Errorf("%s: stopped %t: %+v", name, !c.stopped, got.Findings)
		}
		if !c.stopped && got.Transactional != c.transactional {
			t.Errorf("%s: transactional %t", name, got.Transactional)
		}
		for _, changes := range asked {
			if !slices.IsSortedFunc(changes, func(a, b records.Change) int { return a.Compare(b.Key) }) {
				t.Errorf("%s: asked about changes out of order", name)
			}
		}
	}
	if plannedAt(policy.Host{}, live, domain(declareRecord("y", "TXT", "1"))).Transactional {
		t.Error("a host without transactions makes none")
	}
}

func TestUndelegatedNeedsProof(t *testing.T) {
	t.Parallel()
	type list = []records.Value
	for name, c := range map[string]struct {
		zone         records.Name
		named, asked list
		want         bool
	}{
		"the same":                   {"a.com", list{"ns1.b.com", "ns2.b.com"}, list{"ns1.b.com", "ns2.b.com"}, false},
		"one in common":              {"a.com", list{"ns1.b.com", "ns2.b.com"}, list{"ns2.b.com", "ns3.c.com"}, false},
		"none in common":             {"a.com", list{"ns1.b.com"}, list{"ns1.c.com"}, true},
		"nothing found":              {"a.com", list{"ns1.b.com"}, nil, false},
		"nothing named":              {"a.com", nil, list{"ns1.c.com"}, false},
		"a rehearsal":                {"a.com", list{"ns1.host.example"}, list{"ns1.c.com"}, false},
		"both below a reserved name": {"a.example", list{"ns1.a.example"}, list{"ns1.b.example"}, true},
	} {
		if got := policy.Undelegated(c.zone, c.named, c.asked); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
