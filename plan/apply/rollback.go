package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// RollbackJob is one zone's part of a rollback.
type RollbackJob struct {
	Zone    *provider.Zone
	Target  journal.Target
	Point   Point
	Ref     string // as the user gave it
	Options plan.RestoreOptions
	Soak    time.Duration // after which the former TTLs return
	PlanID  string
}

// ConflictError says that sets of ours were edited by hand since. Nothing was
// written.
type ConflictError struct {
	Zone      records.Name
	Conflicts []plan.Conflict
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%d record sets of %s were edited by hand since the last run: --force overwrites them, --keep-edits leaves them", len(e.Conflicts), e.Zone)
}

// Preview is what a rollback of one zone would do, without the records that it
// was computed from: of many zones they would be a lot. Nothing is locked.
type Preview struct {
	plan.Restoration
	Point   Point
	Writes  []plan.Write // what was written since the point, and when
	Damage  []error
	Pending bool // a run is at work, or died
	Reload  bool // the server has yet to be made to read the zone
	// Together: the zone is restored in one step.
	Together bool
	// Servers are the name servers that the zone names at its apex.
	Servers []records.Value
}

// Preview computes the way back without taking the lock. What a run without an
// outcome has done is judged by the zone, as its recovery will.
func (r *Run) Preview(ctx context.Context, job RollbackJob) (Preview, error) {
	w := r.rolling(job)
	if err := w.read(ctx); err != nil {
		return Preview{}, err
	}
	return w.preview(ctx, job)
}

// Recall is Preview for a zone that can't be read: what the newest intact entry
// left stands for what is live. It is good for doing by hand what this program
// can't do now.
func (r *Run) Recall(ctx context.Context, job RollbackJob) (Preview, error) {
	w := &work{Run: r, zone: job.Point.Zone}
	state, _, err := r.Journal.State(ctx, w.zone)
	if err != nil && !isDamage(err) {
		return Preview{}, err
	}
	w.live = records.NewZone(w.zone, recalledNegative, state.Live...)
	return w.preview(ctx, job)
}

// together reports whether the zone's host makes all of a way back in one step.
func (w *work) together(way plan.Restoration) bool {
	return w.job.Zone != nil && w.job.Zone.Transactional(policy.ApproveRollback(w.live, wayDomains(way), "").Changes())
}

// options are those of a job, with what the zone's host can store.
func (w *work) options(job RollbackJob) plan.RestoreOptions {
	if job.Zone != nil {
		job.Options.Host = job.Zone.Limits()
	}
	return job.Options
}

// recalledNegative is how long the absence of a name may be cached where the
// zone's SOA can't be read: what is usual.
const recalledNegative records.TTL = 3600

func (w *work) preview(ctx context.Context, job RollbackJob) (Preview, error) {
	if err := w.look(ctx); err != nil {
		return Preview{}, err
	}
	target, damage, err := w.target(ctx, job.Point)
	if err != nil {
		return Preview{}, err
	}
	w.wanted = target.Owned
	w.focus()
	apex, _ := w.live.Set(records.Key{Name: w.zone, Type: records.TypeNS})
	way := plan.Restore(w.live, w.state.Index(), target, w.options(job))
	return Preview{
		Restoration: way, Point: job.Point, Together: w.together(way),
		Writes: target.Writes, Damage: damage, Pending: w.head.Pending != nil, Reload: w.state.Reload, Servers: apex.Values,
	}, nil
}

// look reads the journal, and takes for recorded what a recovery would record.
func (w *work) look(ctx context.Context) error {
	var err error
	w.state, w.head, err = w.Journal.State(ctx, w.zone)
	if isDamage(err) {
		err = w.believe(ctx)
	}
	if dead := w.head.Pending; err == nil && dead != nil {
		w.state = journal.Recover(w.state, *dead, w.snapshot(*dead), w.Clock(), w.ID).State
	}
	return err
}

// believe takes from the intents of damaged entries, as far as they are intact,
// what their runs have done, by the zone as it is. The journal's state is that
// of the newest outcome that is intact.
func (w *work) believe(ctx context.Context) error {
	var later []journal.Intent
	for e, err := range w.Journal.Entries(ctx, w.zone) {
		if err != nil && !isDamage(err) {
			return err
		}
		if e.Seq > 0 && e.Seq <= w.state.Seq {
			break
		}
		if e.Intent != nil && (w.head.Pending == nil || e.Seq < w.head.Seq) {
			later = append(later, *e.Intent)
		}
	}
	seq := w.state.Seq
	for _, in := range slices.Backward(later) {
		w.state = journal.Next(w.state, in, w.snapshot(in), in.Time)
	}
	w.state.Seq = seq // still the newest entry to go back to
	return nil
}

// Rollback puts one zone back. No gate and no waiting applies: it is the
// emergency exit. A second rollback to the same place does nothing.
func (r *Run) Rollback(ctx context.Context, job RollbackJob) Result {
	w := r.rolling(job)
	w.do(ctx, func(ctx context.Context) error { return w.rollback(ctx, job) })
	return w.result
}

func (r *Run) rolling(job RollbackJob) *work {
	w := r.work(Job{Zone: job.Zone, Target: job.Target, PlanID: job.PlanID})
	w.emergency = true
	return w
}

// rollback reads the zone, compares it with the point, and writes what brings
// it back. Where that is nothing, a reload that failed is repeated all the same:
// the zone may be back and its server may not know.
func (w *work) rollback(ctx context.Context, job RollbackJob) error {
	if err := w.read(ctx); err != nil {
		return err
	}
	target, _, err := w.target(ctx, job.Point)
	if err != nil {
		return err
	}
	w.wanted = target.Owned
	w.focus()
	past := w.state.Index()
	way := plan.Restore(w.live, past, target, w.options(job))
	if len(way.Conflicts) > 0 {
		return &ConflictError{w.zone, way.Conflicts}
	}
	domains := wayDomains(way)
	if len(domains) == 0 && !w.state.Reload {
		return nil
	}
	approved := policy.ApproveRollback(w.live, domains, job.PlanID)
	in := w.intent(journal.CommandRollback, approved)
	in.Restored = job.restored()
	in.Declared = way.Owned(past, target)
	in.Expected = w.expectRollback(way, approved, job.Soak)
	err = w.write(ctx, in, approved)
	w.list(domains)
	return err
}

// restored is the reference as it was given, and what it meant.
func (j RollbackJob) restored() string {
	point := j.Point.String()
	if j.Ref == "" || j.Ref == point {
		return point
	}
	return fmt.Sprintf("%s (%s)", j.Ref, point)
}

// wayDomains are the changes of a rollback, as plans of their domains.
func wayDomains(way plan.Restoration) []plan.Domain {
	var out []plan.Domain
	for _, name := range slices.Sorted(maps.Keys(way.Domains)) {
		out = append(out, plan.Domain{Name: name, Changes: way.Domains[name]})
	}
	return out
}

// expectRollback is what is to be remembered of a rollback: what must not come
// back, and when the TTLs return.
func (w *work) expectRollback(way plan.Restoration, approved policy.Approved, soak time.Duration) journal.Expected {
	after, err := w.live.Apply(approved.Changes())
	if err != nil {
		after = w.live // never: they were computed from it
	}
	past, clock := w.state.Index(), w.Clock()
	out := journal.Expected{Holds: slices.Clone(way.Holds), Lost: w.state.Lost}
	for i := range out.Holds {
		out.Holds[i].Run, out.Holds[i].At = w.ID, clock.Moment()
	}
	names := map[records.Name]bool{}
	for _, d := range approved.Domains() {
		names[d.Name] = true
		out.Domains = append(out.Domains, policy.RememberRollback(past, d.Name, after, clock))
	}
	for _, h := range w.state.Holds {
		if names[h.Domain] {
			out.Holds = append(out.Holds, h)
		}
	}
	out.Due = w.dueSoaked(clock, soak)
	return out
}

// dueSoaked is when the TTLs return, or an earlier step of the zone is due that
// was due before.
func (w *work) dueSoaked(clock plan.Clock, soak time.Duration) plan.Moment {
	last := w.state.Due
	back := clock.Now.Add(soak)
	if !last.IsZero() && last.On(clock).Before(back) {
		return last
	}
	clock.Now = back
	return clock.Moment()
}
