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
	w := r.work(Job{Zone: zone, Target: target})
	w.do(ctx, func(ctx context.Context) error { return w.letGo(ctx, domain) })
	return w.result
}

func (w *work) letGo(ctx context.Context, domain records.Name) error {
	if !slices.ContainsFunc(w.state.Domains, func(d plan.DomainState) bool { return d.Domain == domain }) {
		return fmt.Errorf("the journal of %s doesn't know %s: there is nothing to release", w.zone, domain)
	}
	if err := w.read(ctx); err != nil {
		return err
	}
	approved := policy.ApproveRollback(w.live, []plan.Domain{{Name: domain}}, "")
	return w.write(ctx, w.intent(journal.CommandRelease, approved), approved)
}

// Unlock records the outcome of a run that died on a zone. It writes no DNS.
func (r *Run) Unlock(ctx context.Context, zone *provider.Zone) Result {
	w := r.work(Job{Zone: zone})
	w.do(ctx, func(context.Context) error { return nil })
	return w.result
}
