package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// Release ends the ownership of a domain's values without a write.
func (r *Run) Release(ctx context.Context, zone *provider.Zone, target journal.Target, domain records.Name) Result {
	w := &work{Run: r, job: Job{Zone: zone, Target: target}, zone: zone.Name, result: Result{Zone: zone.Name}}
	w.do(ctx, func(ctx context.Context) error {
		if !slices.ContainsFunc(w.state.Domains, func(d plan.DomainState) bool { return d.Domain == domain }) {
			return fmt.Errorf("the journal of %s doesn't know %s: there is nothing to release", w.zone, domain)
		}
		approved := policy.ApproveRollback(w.live, []plan.Domain{{Name: domain}}, "")
		return w.write(ctx, w.intent(journal.CommandRelease, approved), approved)
	})
	return w.result
}

// Unlock records the outcome of a run that died on a zone. It writes no DNS.
func (r *Run) Unlock(ctx context.Context, zone *provider.Zone) Result {
	w := &work{Run: r, job: Job{Zone: zone}, zone: zone.Name, result: Result{Zone: zone.Name}}
	w.do(ctx, func(context.Context) error { return nil })
	return w.result
}
