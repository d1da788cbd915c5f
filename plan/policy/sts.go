package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// explainSTS adds to the changes of an MTA-STS id which policy it stands for:
// the record alone doesn't tell (RFC 8461 3.1).
func explainSTS(d *records.Domain, changes []plan.Change) {
	if d.MTASTS == nil {
		return
	}
	for i := range changes {
		c := &changes[i]
		if c.Kind != records.KindMTASTS || c.Type != records.TypeTXT || c.Step != plan.StepChange || c.After == nil {
			continue
		}
		for _, mode := range []records.STSMode{d.MTASTS.Policy.Mode, records.STSTesting} {
			if slices.Contains(c.After.Values, stsValue(d.MTASTS, mode)) {
				c.Meaning = append(slices.Clone(c.Meaning), stsWords(d.MTASTS.Policy, mode))
				break
			}
		}
	}
}

func stsWords(p records.STSPolicy, mode records.STSMode) string {
	const day = 24 * time.Hour
	words := fmt.Sprintf("mode %s, cached for %d s", mode, p.MaxAge)
	if age := time.Duration(p.MaxAge) * time.Second; age%day == 0 {
		words = fmt.Sprintf("mode %s, cached for %s", mode, days(age))
	}
	if len(p.MX) > 0 {
		words += ", mx " + strings.Join(p.MX, " ")
	}
	return words
}
