package policy

import (
	"slices"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// Host is the DNS host of a zone, as far as a plan must know it.
type Host struct {
	records.Limits
	// Together reports whether the host makes these changes in one step; nil:
	// all that there are, where it is Transactional.
	Together func([]records.Change) bool
}

func (h *Host) together(changes []records.Change) bool {
	return h.Transactional && (h.Together == nil || h.Together(changes))
}

// Ours tells which values are ours at a host that stores a TTL with each value:
// those that are owned, and those that the domains declare or cover.
func Ours(past *plan.Past, domains []*records.Domain) func(records.Key, records.Value) bool {
	w := saidBy(nil, domains)
	return func(k records.Key, v records.Value) bool {
		_, owned := past.Owner(k, v)
		return owned || w.has(k, v)
	}
}

// Focus makes the TTL of each set that of the values which are ours, where the
// host stores one with each value.
func Focus(zone records.Zone, ours func(records.Key, records.Value) bool) records.Zone {
	var seen []records.RRset
	for s := range zone.All() {
		if len(s.TTLs) > 0 {
			seen = append(seen, s.Focus(func(v records.Value) bool { return ours(s.Key, v) }))
		}
	}
	if len(seen) == 0 {
		return zone
	}
	return zone.With(seen...)
}

// stop holds all of a domain that an error stops, with the rules as gates: no
// apply makes any of it, so nothing of it is ready or waits for time.
func stop(d *plan.Domain) {
	if !Stopped(*d) {
		return
	}
	var gates []plan.GateVerdict
	for _, f := range d.Findings {
		if Stops(f) && !slices.ContainsFunc(gates, func(g plan.GateVerdict) bool { return g.ID == f.Rule }) {
			gates = append(gates, plan.GateVerdict{ID: f.Rule, Verdict: plan.VerdictNo, Reason: f.Message, Needs: f.Fix})
		}
	}
	for i := range d.Changes {
		if c := &d.Changes[i]; c.State != plan.Held {
			c.State, c.NotBefore = plan.Held, nil
			c.Gates = slices.Concat(c.Gates, gates)
		}
	}
}

// transactional reports whether what can be made of the zone now is made in one
// step.
func transactional(in *ZoneInput, domains []plan.Domain) bool {
	var now []records.Change
	for _, d := range domains {
		for _, c := range d.Changes {
			if c.State == plan.Ready {
				now = append(now, writes(in.Live, c))
			}
		}
	}
	slices.SortFunc(now, func(a, b records.Change) int { return a.Compare(b.Key) })
	return in.Host.together(now)
}

// grouped are the changes of a group, as they are written.
func (s *Subject) grouped(group string) []records.Change {
	var out []records.Change
	for _, c := range s.Changes {
		if c.Group != nil && *c.Group == group {
			out = append(out, writes(s.Live, c))
		}
	}
	slices.SortFunc(out, func(a, b records.Change) int { return a.Compare(b.Key) })
	return out
}
