// Package apply is the only writer of DNS. It holds the order of the steps that
// make a write safe: take the zone's lock, recover what a dead run has left,
// read the zone, compare it with what was reviewed, record the intent, write,
// read back, record the outcome. Killed at any point, the journal tells the
// truth, the zone is old or new, and the same command run again goes on.
//
// The order stands in four functions: do (lock, journal, recovery), apply and
// rollback (read, compare), and write (intent, DNS, read back, outcome).
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/facts"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// Run is one apply or rollback over several zones. It is safe for concurrent
// use by different zones.
type Run struct {
	Journal *journal.Journal
	Clock   func() plan.Clock
	ID      string // the run id, the same for all zones
	Holder  journal.Holder
	Actor   string
	Commit  string
	Version string
	// ConfigDigest is that of the whole configuration, empty where there is
	// none.
	ConfigDigest string
	Notify       []journal.Target
	// Facts asks the DNS; nil asks nothing, and what rests on it is unknown.
	Facts *facts.Gatherer
	// Patience is how long a zone that another run holds is waited for.
	Patience time.Duration
}

// Status is how the work on a zone ended.
type Status int

// The statuses, from good to bad: of several the last counts. What failed or was
// refused is as it was before, be it a domain or the zone; what is partial has
// been written in part, or may have been.
const (
	Done        Status = iota
	Interrupted        // by the user, with no write in hand
	Failed
	Refused // it is no longer what was reviewed, or another run holds it
	Partial
)

// Result is what a run did to one zone.
type Result struct {
	Zone    records.Name
	Status  Status
	Entry   string // the journal entry, empty where nothing was recorded
	Back    string // the REF to return to: an entry or a time
	Domains []Domain
	// Err says why the zone was refused or failed. Beside Done it is no more
	// than a warning.
	Err error
	// Recovered tells of a dead run whose outcome was recorded first.
	Recovered string
}

// Domain is what a run did to one domain.
type Domain struct {
	Name                   records.Name
	Applied, Waiting, Held []plan.Change
	Failed                 []plan.Change
	LeftOut                []plan.Change   // not in the reviewed plan
	Joined                 []records.RRset // values of others that came while a set was written
	Adopted                int             // values found live and declared
	Err                    error           // why the domain was refused or stopped
}

// work is one zone in the hands of a run.
type work struct {
	*Run
	job       Job
	zone      records.Name
	emergency bool // a rollback: it goes on beside damage of the journal
	lock      store.Lock
	state     plan.State
	head      journal.Head
	live      records.Zone
	wanted    []plan.Owned // what a run will own that is not recorded yet
	spf       map[records.Name]*policy.KnownSPF
	dns       map[policy.Question]policy.Answer
	accepted  accepted
	later     []plan.Domain // what waits and is held once all is done
	result    Result
}

func (r *Run) work(job Job) *work {
	return &work{Run: r, job: job, zone: job.Zone.Name, result: Result{Zone: job.Zone.Name}}
}

// do runs a zone's work between taking the lock and giving it back, on a
// journal in which nothing is pending.
func (w *work) do(ctx context.Context, work func(context.Context) error) {
	if err := w.take(ctx); err != nil {
		w.fail(err)
		return
	}
	defer w.release()
	err := w.open(ctx)
	if err == nil {
		err = work(ctx)
	}
	if err != nil {
		w.fail(err)
	}
}

// take takes the zone's lock, and waits for it as long as the run's patience.
func (w *work) take(ctx context.Context) error {
	const pause = 200 * time.Millisecond
	until := time.Now().Add(w.Patience)
	for {
		lock, err := w.Journal.Lock(ctx, w.zone, w.Holder)
		var held *journal.HeldError
		if !errors.As(err, &held) || !time.Now().Before(until) {
			w.lock = lock
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// release gives the lock back. All that the run did is recorded by then, so a
// failure changes nothing of how it ended.
func (w *work) release() {
	if err := w.lock.Release(); err != nil {
		w.result.Err = errors.Join(w.result.Err, fmt.Errorf("giving back the lock of %s: %w", w.zone, err))
	}
}

// open reads the journal, and records the outcome of a run that died before it
// could.
func (w *work) open(ctx context.Context) error {
	var err error
	w.state, w.head, err = w.Journal.State(ctx, w.zone)
	if isDamage(err) && w.emergency {
		if err = w.read(ctx); err == nil {
			err = w.believe(ctx)
		}
	}
	if err != nil || w.head.Pending == nil {
		return err
	}
	return w.recover(ctx, *w.head.Pending)
}

// recover records what a dead run has left, as the zone shows it. It never
// writes DNS.
func (w *work) recover(ctx context.Context, dead journal.Intent) error {
	w.wanted = dead.Declared
	if err := w.read(ctx); err != nil {
		return err
	}
	out := journal.Recover(w.state, dead, w.snapshot(dead), w.Clock(), w.ID)
	if out.Result == journal.Done && dead.Command == journal.CommandApply {
		out.State.Due = w.dueAfter(ctx, out)
	}
	head, err := w.Journal.Finish(ctx, dead, out)
	if err != nil {
		return fmt.Errorf("recording what run %s has left: %w", dead.Run, err)
	}
	w.head, w.state = head, out.State
	w.result.Recovered = fmt.Sprintf("run %s ended part way on %s: %s", dead.Run, w.zone, out.Result)
	return nil
}

// dueAfter is when the next step is due after a dead apply. Where it can't be
// told, for want of a configuration, the next run is to look at once.
func (w *work) dueAfter(ctx context.Context, out journal.Outcome) plan.Moment {
	if len(w.job.Domains) == 0 {
		return out.Time
	}
	w.learn(ctx)
	return w.due(w.planAll(out.State).Domains)
}

// UnreadableError says that a zone can't be read at its host.
type UnreadableError struct{ Err error }

func (e *UnreadableError) Error() string { return e.Err.Error() }

// Unwrap is the host's error.
func (e *UnreadableError) Unwrap() error { return e.Err }

// read reads the zone.
func (w *work) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	live, err := w.job.Zone.Read(ctx)
	if err != nil {
		return &UnreadableError{err}
	}
	w.live = live
	w.focus()
	return nil
}

// focus makes the TTL of each set that of our values, where the host stores one
// with each value.
func (w *work) focus() {
	if w.job.Zone == nil || !w.job.Zone.Limits().PerValueTTL {
		return
	}
	past := w.state
	past.Owned = slices.Concat(past.Owned, w.wanted)
	w.live = policy.Focus(w.live, policy.Ours(past.Index(), w.job.Domains))
}

// HostOf is what a plan must know of a zone's host.
func HostOf(z *provider.Zone) policy.Host {
	return policy.Host{Limits: z.Limits(), Together: z.Transactional}
}

// snapshot is the zone's mail records as they are, with every set that an
// intent speaks of.
func (w *work) snapshot(in journal.Intent) records.Zone {
	return snapshot(w.live, in)
}

func snapshot(live records.Zone, in journal.Intent) records.Zone {
	keys := make([]records.Key, 0, len(in.Snapshot)+len(in.Items))
	for _, s := range in.Snapshot {
		keys = append(keys, s.Key)
	}
	for _, i := range in.Items {
		keys = append(keys, i.Key())
	}
	return records.NewZone(live.Name, live.NegativeTTL, plan.Snapshot(live, keys...)...)
}

// fail enters an error that ended the work.
func (w *work) fail(err error) {
	w.result.Err = err
	w.worsen(statusOf(err))
}

// worsen gives the zone a status, unless it has a worse one.
func (w *work) worsen(s Status) { w.result.Status = max(w.result.Status, s) }

// statusOf is the status of an error that came before anything was written.
func statusOf(err error) Status {
	var (
		held     *journal.HeldError
		reviewed *plan.RefusedError
		stale    *records.StaleError
		conflict *ConflictError
	)
	switch {
	case errors.As(err, &held), errors.As(err, &reviewed), errors.As(err, &stale), errors.As(err, &conflict),
		errors.Is(err, journal.ErrTaken), errors.Is(err, errLost):
		return Refused
	case errors.Is(err, context.Canceled):
		return Interrupted
	default:
		return Failed
	}
}

func isDamage(err error) bool {
	var damage *journal.DamageError
	return errors.As(err, &damage)
}
