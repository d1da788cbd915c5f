package apply

import (
	"cmp"
	"context"
	"errors"
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

// Preview is what a rollback of one zone would do. Nothing is locked.
type Preview struct {
	plan.Restoration
	Point   Point
	Live    records.Zone
	Past    *plan.Past
	Target  plan.Target
	Damage  []error
	Pending bool // a run is at work, or died
}

// Preview computes the way back without taking the lock.
func (r *Run) Preview(ctx context.Context, job RollbackJob) (Preview, error) {
	state, head, err := r.Journal.State(ctx, job.Point.Zone)
	if err != nil && !isDamage(err) {
		return Preview{}, err
	}
	live, err := job.Zone.Read(ctx)
	if err != nil {
		return Preview{}, err
	}
	if head.Pending != nil {
		state = journal.Next(state, *head.Pending, live, r.Clock().Moment())
	}
	target, damage, err := TargetOf(ctx, r.Journal, job.Point)
	if err != nil {
		return Preview{}, err
	}
	past := state.Index()
	return Preview{
		Restoration: plan.Restore(live, past, target, job.Options), Point: job.Point,
		Live: live, Past: past, Target: target, Damage: damage, Pending: head.Pending != nil,
	}, nil
}

func isDamage(err error) bool {
	var damage *journal.DamageError
	return errors.As(err, &damage)
}

// Rollback puts one zone back. No gate and no waiting applies: it is the
// emergency exit. A second rollback to the same place does nothing.
func (r *Run) Rollback(ctx context.Context, job RollbackJob) Result {
	w := &work{Run: r, job: Job{Zone: job.Zone, Target: job.Target}, zone: job.Zone.Name, result: Result{Zone: job.Zone.Name}}
	w.do(ctx, func(ctx context.Context) error { return w.rollback(ctx, job) })
	return w.result
}

func (w *work) rollback(ctx context.Context, job RollbackJob) error {
	target, _, err := TargetOf(ctx, w.Journal, job.Point)
	if err != nil {
		return err
	}
	past := w.state.Index()
	way := plan.Restore(w.live, past, target, job.Options)
	if len(way.Conflicts) > 0 {
		w.result.Status = Refused
		return &ConflictError{w.zone, way.Conflicts}
	}
	domains := wayDomains(way)
	if len(domains) == 0 {
		return nil
	}
	approved := policy.ApproveRollback(w.live, domains, job.PlanID)
	in := w.intent(journal.CommandRollback, approved)
	in.Restored = job.Point.String()
	in.Declared = way.Owned(past, target)
	in.Expected = w.expectRollback(way, approved, job.Soak)
	err = w.write(ctx, in, approved)
	w.rest(domains, in.Items)
	return err
}

// wayDomains are the changes of a rollback, as plans of their domains.
func wayDomains(way plan.Restoration) []plan.Domain {
	var out []plan.Domain
	for _, name := range slices.Sorted(maps.Keys(way.Domains)) {
		out = append(out, plan.Domain{Name: name, Changes: way.Domains[name]})
	}
	return out
}

func (w *work) expectRollback(way plan.Restoration, approved policy.Approved, soak time.Duration) journal.Expected {
	after, err := w.live.Apply(approved.Changes())
	if err != nil {
		after = w.live
	}
	past, clock := w.state.Index(), w.Clock()
	out := journal.Expected{Holds: slices.Clone(way.Holds)}
	for i := range out.Holds {
		out.Holds[i].Run, out.Holds[i].At = w.ID, clock.Moment()
	}
	for _, d := range approved.Domains() {
		out.Domains = append(out.Domains, policy.RememberRollback(past, d.Name, after, clock))
	}
	for _, h := range w.state.Holds {
		if slices.ContainsFunc(approved.Domains(), func(d plan.Domain) bool { return d.Name == h.Domain }) {
			out.Holds = append(out.Holds, h)
		}
	}
	clock.Now = clock.Now.Add(soak)
	out.Due = clock.Moment()
	return out
}

// Point is a state of a zone that a rollback can return to: the one after entry
// Seq or, where Seq is 0, the one before the first entry.
type Point struct {
	Zone records.Name
	Seq  uint64
}

func (p Point) String() string {
	if p.Seq == 0 {
		return fmt.Sprintf("%s before its first entry", p.Zone)
	}
	return journal.Header{Zone: p.Zone, Seq: p.Seq}.ID()
}

// TargetOf reads the state at a point, and what later entries did. Damage of
// later entries is returned beside it: what they did is then not known.
func TargetOf(ctx context.Context, j *journal.Journal, p Point) (plan.Target, []error, error) {
	var target plan.Target
	var damage []error
	for e, err := range j.Entries(ctx, p.Zone) {
		if e.Seq < p.Seq {
			break
		}
		if err != nil {
			if !isDamage(err) || e.Seq == p.Seq {
				return plan.Target{}, damage, err
			}
			damage = append(damage, err)
		}
		if e.Seq == p.Seq {
			return stateAt(e, target, damage)
		}
		if e.Outcome != nil {
			target.Written = append(target.Written, e.Outcome.Written...)
			target.Removed = append(target.Removed, e.Outcome.Removed...)
			for _, o := range e.Outcome.Written {
				target.Writes = append(target.Writes, plan.Write{Owned: o, At: e.Outcome.Time.At})
			}
		}
		if e.Seq == 1 && p.Seq == 0 && e.Intent != nil {
			target.Sets = e.Intent.Snapshot
			return target, damage, nil
		}
	}
	return plan.Target{}, damage, fmt.Errorf("%s: %w", p, journal.ErrNotFound)
}

func stateAt(e journal.Entry, target plan.Target, damage []error) (plan.Target, []error, error) {
	if e.Outcome == nil {
		return plan.Target{}, damage, fmt.Errorf("the entry %s has no outcome: its run is at work, or died; run apply or rollback to another entry first", e.ID())
	}
	target.Sets, target.Owned, target.Base = e.Outcome.State.Live, e.Outcome.State.Owned, e.Outcome.State.Sets
	return target, damage, nil
}

// ErrNothing says that the journal has no run to go back before.
var ErrNothing = errors.New("the journal has no apply that changed values, so there is nothing to take back")

// Last finds the state before the newest apply run that changed values, of the
// given domains where there are any. Rollbacks don't count, so that a second
// rollback to the same place does nothing.
func Last(ctx context.Context, j *journal.Journal, domains []records.Name) ([]Point, error) {
	zones, err := j.Zones(ctx)
	if err != nil {
		return nil, err
	}
	var found []journal.Entry
	for _, zone := range zones {
		e, ok, err := lastApply(ctx, j, zone, domains)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return nil, ErrNothing
	}
	newest := slices.MaxFunc(found, func(a, b journal.Entry) int {
		return cmp.Or(a.Intent.Time.At.Compare(b.Intent.Time.At), cmp.Compare(a.Intent.Run, b.Intent.Run))
	})
	var points []Point
	for _, e := range found {
		if e.Intent.Run == newest.Intent.Run {
			points = append(points, Point{e.Zone, e.Seq - 1})
		}
	}
	return points, nil
}

func lastApply(ctx context.Context, j *journal.Journal, zone records.Name, domains []records.Name) (journal.Entry, bool, error) {
	for e, err := range j.Entries(ctx, zone) {
		switch {
		case err != nil && !isDamage(err):
			return e, false, err
		case e.Intent == nil || e.Intent.Command != journal.CommandApply:
		case e.Outcome == nil:
			return e, len(e.Intent.Items) > 0, nil // dead or at work: it may have changed something
		case changed(e.Outcome, domains):
			return e, true, nil
		}
	}
	return journal.Entry{}, false, nil
}

func changed(out *journal.Outcome, domains []records.Name) bool {
	if len(domains) == 0 {
		return out.ChangedValues("")
	}
	return slices.ContainsFunc(domains, out.ChangedValues)
}

// At finds the state of every zone at a moment. Before its first entry that is
// the zone's first snapshot.
func At(ctx context.Context, j *journal.Journal, at time.Time, domains []records.Name) ([]Point, error) {
	zones, err := j.Zones(ctx)
	if err != nil {
		return nil, err
	}
	var points []Point
	for _, zone := range zones {
		if ok, err := concerns(ctx, j, zone, domains); err != nil || !ok {
			if err != nil {
				return nil, err
			}
			continue
		}
		p := Point{Zone: zone}
		for e, err := range j.Entries(ctx, zone) {
			if err != nil && !isDamage(err) {
				return nil, err
			}
			if e.Outcome != nil && !e.Outcome.Time.At.After(at) {
				p.Seq = e.Seq
				break
			}
		}
		points = append(points, p)
	}
	return points, nil
}

// concerns reports whether the journal knows one of the domains in the zone.
func concerns(ctx context.Context, j *journal.Journal, zone records.Name, domains []records.Name) (bool, error) {
	if len(domains) == 0 {
		return true, nil
	}
	state, head, err := j.State(ctx, zone)
	if err != nil && !isDamage(err) {
		return false, err
	}
	known := func(n records.Name) bool {
		return slices.ContainsFunc(state.Domains, func(d plan.DomainState) bool { return d.Domain == n }) ||
			head.Pending != nil && slices.Contains(head.Pending.Domains, n)
	}
	return slices.ContainsFunc(domains, known), nil
}
