package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// Job is one zone's part of an apply: the domains that are declared in it, and
// what of them was reviewed.
type Job struct {
	Zone     *provider.Zone
	Target   journal.Target // the provider block, for an incident
	Domains  []*records.Domain
	Others   []*records.Domain // declared in the zone, and not in this run
	Open     map[records.Name][]plan.Override
	Reviewed map[records.Name]plan.Domain
	PlanID   string
}

// Apply carries out one zone's part. A domain that is no longer what was
// reviewed is refused, the others of the zone go on.
func (r *Run) Apply(ctx context.Context, job Job) Result {
	w := r.work(job)
	w.do(ctx, w.apply)
	return w.result
}

// apply reads the zone, plans it anew, compares that with what was reviewed,
// and writes what is due.
func (w *work) apply(ctx context.Context) error {
	if err := w.read(ctx); err != nil {
		return err
	}
	w.learn(ctx)
	fresh := w.plan()
	refusal := w.review(fresh)
	if len(w.accepted.domains) == 0 {
		return refusal
	}
	approved := policy.Approve(w.live, w.accepted.domains, w.job.PlanID)
	in := w.intent(journal.CommandApply, approved)
	w.complete(&in, fresh, approved)
	if w.idle(in) {
		w.list(w.accepted.domains)
		return refusal
	}
	if err := w.write(ctx, in, approved); err != nil {
		w.list(w.accepted.domains)
		return errors.Join(err, refusal)
	}
	w.listAfter()
	return refusal
}

// learn asks the DNS what the plan rests on.
func (w *work) learn(ctx context.Context) {
	w.spf = w.Facts.SPF(ctx, w.live, w.everyDomain())
	w.dns = w.Facts.DNS(ctx, w.live, w.everyDomain(), nil, w.Clock())
}

func (w *work) everyDomain() []*records.Domain { return slices.Concat(w.job.Domains, w.job.Others) }

// plan plans the domains of this run in the zone as it was read.
func (w *work) plan() policy.ZonePlan {
	return w.planZone(w.job.Domains, w.job.Others, w.state)
}

// planAll plans every domain of the zone, as the next run would find it.
func (w *work) planAll(state plan.State) policy.ZonePlan {
	return w.planZone(w.everyDomain(), nil, state)
}

func (w *work) planZone(domains, others []*records.Domain, state plan.State) policy.ZonePlan {
	return policy.PlanZone(policy.ZoneInput{
		Live: w.live, Past: state.Index(), Journal: plan.JournalRead, SPF: w.spf, DNS: w.dns, Clock: w.Clock(),
		Domains: domains, Others: others, Open: w.job.Open,
		Host: HostOf(w.job.Zone), Source: plan.LiveProvider,
	})
}

// accepted are the domains whose plan is what was reviewed, without what was
// not.
type accepted struct {
	domains []plan.Domain
	names   map[records.Name]bool
}

func (a *accepted) add(d plan.Domain) {
	if a.names == nil {
		a.names = map[records.Name]bool{}
	}
	a.domains = append(a.domains, d)
	a.names[d.Name] = true
}

// review accepts the domains that are still what was reviewed. The error says
// why others are not.
func (w *work) review(fresh policy.ZonePlan) error {
	var refusal error
	for _, d := range fresh.Domains {
		reviewed, ok := w.job.Reviewed[d.Name]
		if !ok {
			continue
		}
		kept, left, err := plan.Review(reviewed, d, w.live)
		if err == nil {
			err = errors.Join(stopped(d), undelegated(kept))
		}
		w.result.Domains = append(w.result.Domains, Domain{Name: d.Name, LeftOut: left, Err: err})
		if err == nil {
			w.accepted.add(kept)
		}
		refusal = errors.Join(refusal, err)
	}
	return refusal
}

// stopped says which errors stop a domain.
func stopped(d plan.Domain) error {
	if !policy.Stopped(d) {
		return nil
	}
	var errs []string
	for _, f := range d.Findings {
		if policy.Stops(f) {
			errs = append(errs, f.Message)
		}
	}
	return fmt.Errorf("%s has an error, nothing of it is applied: %s", d.Name, strings.Join(errs, "; "))
}

// undelegated is the error of a domain whose zone is proven to be served
// elsewhere: nobody would see what is written. Where nothing is to be written
// now there is nothing to refuse.
func undelegated(d plan.Domain) error {
	writes := slices.ContainsFunc(d.Changes, func(c plan.Change) bool { return c.State == plan.Ready })
	for _, f := range d.Findings {
		if writes && f.Rule == policy.RuleNotDelegated && f.Severity == plan.SeverityError {
			return fmt.Errorf("%s is not written: %s (%s). To mend it: %s", d.Name, f.Message, f.Rule, f.Fix)
		}
	}
	return nil
}
