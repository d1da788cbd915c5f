package policy_test

import (
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// TestLiveRecordBlocksAreNotHeld: what a record block lists and is live just so
// asks no gate, although a record block covers nothing and nothing is owned yet.
func TestLiveRecordBlocksAreNotHeld(t *testing.T) {
	t.Parallel()
	for name, value := range map[records.Name]records.Value{
		"_dmarc.a.example":        "v=DMARC1; p=quarantine; pct=25",
		"_mta-sts.a.example":      "v=STSv1; id=20260101;",
		"default._bimi.a.example": "v=BIMI1; l=https://a.example/logo.svg; a=",
		"a.example":               "v=spf1 include:b.example ip4:192.0.2.1 -all",
	} {
		k := records.Key{Name: name, Type: records.TypeTXT}
		d := &records.Domain{
			Name: "a.example", Zone: "a.example", Settings: records.DefaultSettings(),
			Free: []records.Free{{Key: k, Values: []records.Value{value}}},
		}
		today := policy.Limit(policy.Input{
			Domain: d, Live: records.NewZone("a.example", 3600, records.NewRRset(k, 3600, value)), Past: plan.State{}.Index(),
		})
		if len(today.Held) != 0 || len(today.Values) != 1 || today.Values[0].Value != value {
			t.Errorf("%s %q: today %v, held %v", name, value, today.Values, today.Held)
		}
	}
}
