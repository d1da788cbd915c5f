package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// withTerms plans a.example where the DNS knows some terms, by their keys.
func withTerms(live records.Zone, d *records.Domain, terms map[string]policy.KnownTerm) plan.Domain {
	return policy.PlanZone(policy.ZoneInput{
		Live: live, Past: plan.State{}.Index(), Clock: at(noon), Domains: []*records.Domain{d},
		SPF: map[records.Name]*policy.KnownSPF{apex: {Terms: terms}},
	}).Domains[0]
}

// held are the gates that hold something of a domain.
func heldBy(d plan.Domain) []string {
	var out []string
	for _, c := range d.Changes {
		for _, g := range c.Gates {
			if c.State == plan.Held && !g.Opens() {
				out = append(out, string(c.Kind)+" "+g.ID)
			}
		}
	}
	return out
}

var (
	deadTerm = policy.KnownTerm{Lookups: 1, Faults: []policy.TermFault{{Problem: spf.NoRecord, Detail: "dead.example has no SPF record"}}}
	openTerm = policy.KnownTerm{Lookups: 1, Pass: spf.Everything()}
)

// TestR04AVendorsFaultHoldsTheRecordAlone: what an included record does wrong
// holds the SPF record that would bring it in, and nothing of the rest.
func TestR04AVendorsFaultHoldsTheRecordAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		live string
		term policy.KnownTerm
		want []string
		rule string
	}{
		"a dead include":                       {"v=spf1 mx ~all", deadTerm, []string{"spf spf-include-none"}, "spf-include-none"},
		"a dead include that is live":          {"v=spf1 mx include:v.example ~all", deadTerm, nil, "spf-include-none"},
		"an include of everybody":              {"v=spf1 mx ~all", openTerm, []string{"spf spf-pass-all"}, "spf-pass-all"},
		"an include of everybody that is live": {"v=spf1 mx include:v.example ~all", openTerm, nil, "spf-pass-all"},
		"an include that isn't all known":      {"v=spf1 mx ~all", policy.KnownTerm{Lookups: 1, Unknown: "no answer"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := domain(declareSPF("v=spf1 ip4:192.0.2.1 mx include:v.example ~all"), declareDMARC("v=DMARC1; p=none; rua=mailto:d@a.example"))
			live := zone(t, "@ 300 TXT "+c.live, "_dmarc 300 TXT v=DMARC1; p=reject; rua=mailto:d@a.example")
			got := withTerms(live, d, map[string]policy.KnownTerm{"include:v.example": c.term, "mx": {Lookups: 1}})
			if held := heldBy(got); !slices.Equal(held, c.want) || policy.Stopped(got) {
				t.Errorf("held %v, want %v; stopped %t", held, c.want, policy.Stopped(got))
			}
			if f := findingOf(got, c.rule); (f != nil) != (c.rule != "") {
				t.Errorf("finding %+v", got.Findings)
			}
			loosened := slices.ContainsFunc(got.Changes, func(c plan.Change) bool {
				return c.Kind == records.KindDMARC && c.State == plan.Ready && strings.Contains(strings.Join(c.Meaning, " "), "LOOSENS")
			})
			if !loosened {
				t.Errorf("the loosening is not ready: %+v", got.Changes)
			}
		})
	}
}
