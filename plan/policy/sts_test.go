package policy_test

import (
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// TestSTSInWords: the id alone says nothing to a reviewer, so the plan says which
// policy it stands for, also where testing stands in for enforce.
func TestSTSInWords(t *testing.T) {
	t.Parallel()
	d := domain()
	d.MTASTS = &records.MTASTS{Policy: records.STSPolicy{Mode: records.STSEnforce, MX: []string{"mx1.a.example", "*.b.example"}, MaxAge: 604800}}
	z := policy.PlanZone(policy.ZoneInput{Live: zone(t), Past: plan.State{}.Index(), Clock: at(noon), Domains: []*records.Domain{d}})
	want := map[string]bool{
		"mode testing, cached for 7 d, mx mx1.a.example *.b.example": false,
		"mode enforce, cached for 7 d, mx mx1.a.example *.b.example": false,
	}
	for _, c := range z.Domains[0].Changes {
		for _, m := range c.Meaning {
			if _, ok := want[m]; ok {
				want[m] = true
			}
		}
	}
	for words, found := range want {
		if !found {
			t.Errorf("no change says %q: %+v", words, z.Domains[0].Changes)
		}
	}
}
