package policy

import (
	"slices"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// Approved is what may be written to one zone now: changes that every gate
// lets pass and whose time has come. Only this package makes one, so that
// nothing else can be applied.
type Approved struct {
	zone    records.Zone
	changes []records.Change
	domains []plan.Domain
	digest  string
}

// Zone is the zone that the approval was computed from.
func (a Approved) Zone() records.Zone { return a.zone }

// Changes are the approved changes, each against what was read.
func (a Approved) Changes() []records.Change { return a.changes }

// Domains are the plans of the domains that the changes belong to, with what
// waits and what is held.
func (a Approved) Domains() []plan.Domain { return a.domains }

// Digest binds the approval to the plan that it was made for.
func (a Approved) Digest() string { return a.digest }

// Approve takes from the domains of one zone what can be written now. A domain
// with an error that needs nothing from outside is left out as a whole.
func Approve(zone records.Zone, domains []plan.Domain, digest string) Approved {
	a := Approved{zone: zone, domains: domains, digest: digest}
	for _, d := range domains {
		if Stopped(d) {
			continue
		}
		for _, c := range d.Changes {
			if c.State == plan.Ready {
				a.changes = append(a.changes, writes(zone, c))
			}
		}
	}
	a.sort()
	return a
}

// ApproveRollback approves a way back. No gate and no waiting applies to it:
// it is the emergency exit.
func ApproveRollback(zone records.Zone, domains []plan.Domain, digest string) Approved {
	a := Approved{zone: zone, domains: domains, digest: digest}
	for _, d := range domains {
		for _, c := range d.Changes {
			a.changes = append(a.changes, writes(zone, c))
		}
	}
	a.sort()
	return a
}

func (a *Approved) sort() {
	slices.SortFunc(a.changes, func(x, y records.Change) int { return x.Compare(y.Key) })
}

// writes is the plan's change as the provider writes it, against the live set.
func writes(zone records.Zone, c plan.Change) records.Change {
	out := records.Change{Key: c.Key()}
	if live, ok := zone.Set(out.Key); ok {
		out.Before = &live
	}
	if c.After != nil {
		set := records.NewRRset(out.Key, c.After.TTL, c.After.Values...)
		set.TTLs = c.Foreign
		out.After = &set
	}
	return out
}

// Stopped reports whether a finding stops the domain.
func Stopped(d plan.Domain) bool { return slices.ContainsFunc(d.Findings, Stops) }
