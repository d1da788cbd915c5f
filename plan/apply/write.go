package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// stepTime bounds each step: a read, and those of a write, which an interrupt
// doesn't cut short. What has begun is brought to an end.
const stepTime = 6 * time.Minute

// changeTime is what each change adds to that: a host with a request budget may
// admit four calls a second, and take as many for one set.
const changeTime = time.Second

// errLost says that the zone's lock ended while the run worked: another run may
// be at work.
var errLost = errors.New("the lock was lost meanwhile, so nothing more was written")

// write records the intent, writes, reads back and records the outcome.
func (w *work) write(ctx context.Context, in journal.Intent, approved policy.Approved) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	w.wanted = in.Declared
	in, err := w.begin(ctx, in)
	if err != nil {
		return err
	}
	c := w.send(ctx, in, approved.Changes())
	if err := w.readBack(ctx, in, &c); err != nil {
		w.worsen(Partial)
		return errors.Join(c.problem, err)
	}
	return w.conclude(ctx, in, c)
}

// begin records the intent. After an error nothing may be written.
func (w *work) begin(ctx context.Context, in journal.Intent) (journal.Intent, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	in, err := w.Journal.Begin(ctx, w.head, in)
	if err != nil {
		return in, err
	}
	w.result.Entry, w.result.Back = in.ID(), w.back(in)
	return in, nil
}

// back is the REF of the state that this run starts from: the newest entry
// before it or, before the first, a time.
func (w *work) back(in journal.Intent) string {
	if w.state.Seq == 0 {
		return in.Time.At.Add(-time.Second).Format(time.RFC3339)
	}
	return journal.Header{Zone: in.Zone, Seq: w.state.Seq}.ID()
}

// call is the call to the host, and what is known of it.
type call struct {
	made    bool  // without it nothing was written
	problem error // what was said; only the zone tells what came of it
	unread  bool  // the server has not read the zone
}

// nothing reports whether nothing was written for certain.
func (c call) nothing() bool {
	var stale *records.StaleError
	return !c.made || errors.As(c.problem, &stale)
}

// send makes the changes or, where there are none, repeats the reload that
// failed last time. Before every call that writes it asks whether the run may
// go on: another may have taken it for dead.
func (w *work) send(ctx context.Context, in journal.Intent, changes []records.Change) (c call) {
	ctx, cancel := context.WithTimeout(ctx, stepTime+time.Duration(len(changes))*changeTime)
	defer cancel()
	ask := func(ctx context.Context) error {
		err := w.mayGoOn(ctx, in)
		c.made = c.made || err == nil
		return err
	}
	switch {
	case len(changes) > 0:
		c.problem = w.job.Zone.Guarded(ask).Write(ctx, changes)
		c.unread = notReloaded(c.problem)
	case w.state.Reload:
		if c.problem = ask(ctx); c.problem == nil {
			c.problem = w.job.Zone.Reload(ctx)
		}
		c.unread = c.problem != nil
	}
	return c
}

func notReloaded(err error) bool {
	var reload *provider.ReloadError
	return errors.As(err, &reload)
}

// mayGoOn returns nil while the zone is this run's alone.
func (w *work) mayGoOn(ctx context.Context, in journal.Intent) error {
	if err := w.lock.Valid(); err != nil {
		return fmt.Errorf("%s: %w: %w", w.zone, errLost, err)
	}
	return w.Journal.Unfinished(ctx, in)
}

// readBack reads the zone after the call. Where the host's answer was an error
// and the zone has changed all the same, its server is made to read it: the
// call may have failed before it came to that.
func (w *work) readBack(ctx context.Context, in journal.Intent, c *call) error {
	if !c.made {
		return nil // it is as it was read before
	}
	if err := w.read(ctx); err != nil {
		return fmt.Errorf("what came of it is not known, the zone can't be read back: %w", err)
	}
	if c.problem == nil || c.unread || c.nothing() || journal.Judge(in, w.snapshot(in)) == journal.Failed {
		return nil
	}
	if err := w.job.Zone.Reload(ctx); err != nil {
		c.problem, c.unread = errors.Join(c.problem, err), true
	}
	return nil
}

// conclude records the outcome, and gives the run the status that it proves.
func (w *work) conclude(ctx context.Context, in journal.Intent, c call) error {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	out := w.outcome(in, c)
	if _, err := w.Journal.Finish(ctx, in, out); err != nil {
		if !c.nothing() || !errors.Is(err, journal.ErrTaken) {
			w.worsen(Partial)
		}
		return errors.Join(c.problem, fmt.Errorf("recording the outcome of %s: %w", in.ID(), err))
	}
	w.state = out.State
	w.countAdopted(out)
	return w.judge(out, c)
}

// outcome is what came of the intent, by the zone as it was read back.
func (w *work) outcome(in journal.Intent, c call) journal.Outcome {
	after := w.snapshot(in)
	if c.problem != nil && c.nothing() && (!c.made || journal.Judge(in, after) != journal.Done) {
		return journal.Abandon(w.state, in, after, w.Clock(), c.problem.Error())
	}
	out := journal.Conclude(w.state, in, after, w.Clock(), text(c.problem))
	if out.Result == journal.Done && in.Command == journal.CommandApply {
		w.later = w.planAll(out.State).Domains
		out.State.Due = w.due(w.later)
	}
	if c.unread {
		out.State.Reload = true
		if out.Result == journal.Done {
			out.Result = journal.Failed // written, and yet not in service
		}
	}
	return out
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// judge turns the outcome into the zone's status: a lost answer is done, a
// write that changed nothing has failed or was refused, anything between is
// partial.
func (w *work) judge(out journal.Outcome, c call) error {
	switch {
	case c.unread && c.made, out.Result == journal.Interrupted:
		w.worsen(Partial)
	case out.Result == journal.Done:
		return nil
	}
	if c.problem == nil {
		return errors.New("the host reports success, but the zone read back is not as written")
	}
	return c.problem
}
