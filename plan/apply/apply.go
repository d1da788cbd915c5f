// Package apply is the only writer of DNS. It holds the order of the steps that
// make a write safe: take the zone's lock, recover what a dead run has left,
// read the zone, compare it with what was reviewed, record the intent, write,
// read back, record the outcome. Killed at any point, the journal tells the
// truth, the zone is old or new, and the same command run again goes on.
package apply

import (
	"context"
	"encoding/json"
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

// Job is one zone's part of an apply: the domains that are declared in it, and
// what of them was reviewed.
type Job struct {
	Zone     *provider.Zone
	Target   journal.Target // the provider block, for an incident
	Domains  []*records.Domain
	Others   []*records.Domain // declared in the zone, and not in this run
	Open     map[records.Name][]plan.Override
	Reviewed map[records.Name]plan.Domain
	Live     plan.Live
	PlanID   string
}

// Status is how the work on a zone ended.
type Status int

// The statuses. Failed has written nothing, Partial has or may have.
const (
	Done Status = iota
	Failed
	Refused
	Partial
	Interrupted // by the user, with no write in hand
)

// Result is what a run did to one zone.
type Result struct {
	Zone    records.Name
	Status  Status
	Entry   string // the journal entry, empty where nothing was recorded
	Back    string // the REF to return to: an entry or a time
	Domains []Domain
	Err     error // why the zone was refused or failed
	// Recovered tells of a dead run whose outcome was recorded first.
	Recovered string
}

// Domain is what a run did to one domain.
type Domain struct {
	Name                   records.Name
	Applied, Waiting, Held []plan.Change
	Failed                 []plan.Change
	LeftOut                []plan.Change // not in the reviewed plan
	Adopted                int           // values found live and declared
	Err                    error         // why the domain was refused or stopped
}

// Apply carries out one zone's part. A domain that is no longer what was
// reviewed is refused, the others of the zone go on.
func (r *Run) Apply(ctx context.Context, job Job) Result {
	w := &work{Run: r, job: job, zone: job.Zone.Name, result: Result{Zone: job.Zone.Name}}
	w.do(ctx, w.apply)
	return w.result
}

// work is one zone in the hands of a run.
type work struct {
	*Run
	job    Job
	zone   records.Name
	lock   store.Lock
	state  plan.State
	head   journal.Head
	live   records.Zone
	spf    map[records.Name]*policy.KnownSPF
	result Result
}

// writeTime bounds a write with all that belongs to it. It is not cut short by
// an interrupt: what has begun is brought to an end.
const writeTime = 5 * time.Minute

// do runs a zone's work between taking the lock and giving it back.
func (w *work) do(ctx context.Context, work func(context.Context) error) {
	err := w.take(ctx)
	if err == nil {
		err = w.prepare(ctx)
		if err == nil {
			err = work(ctx)
		}
		if e := w.lock.Release(); e != nil && err == nil {
			err = fmt.Errorf("giving back the lock of %s: %w", w.zone, e)
		}
	}
	if err != nil {
		w.fail(err)
	}
}

// fail enters an error that ended the work. Refusals keep their status.
func (w *work) fail(err error) {
	var held *journal.HeldError
	var damage *journal.DamageError
	switch {
	case w.result.Status == Partial:
	case errors.As(err, &held), errors.Is(err, journal.ErrTaken):
		w.result.Status = Refused
	case errors.As(err, &damage):
		w.result.Status = Failed
	case errors.Is(err, context.Canceled):
		w.result.Status = Interrupted
	case w.result.Status == Done:
		w.result.Status = Failed
	}
	w.result.Err = err
}

// take takes the zone's lock, and waits for it as long as the run's patience.
func (w *work) take(ctx context.Context) error {
	until := time.Now().Add(w.Patience)
	for {
		lock, err := w.Journal.Lock(ctx, w.zone, w.Holder)
		var held *journal.HeldError
		if !errors.As(err, &held) || time.Now().After(until) {
			w.lock = lock
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// prepare reads the journal and the zone, and records the outcome of a run
// that died before it could.
func (w *work) prepare(ctx context.Context) error {
	var err error
	if w.state, w.head, err = w.Journal.State(ctx, w.zone); err != nil {
		return err
	}
	if w.live, err = w.job.Zone.Read(ctx); err != nil {
		return err
	}
	if w.head.Pending == nil {
		return nil
	}
	return w.recover(ctx, *w.head.Pending)
}

func (w *work) recover(ctx context.Context, dead journal.Intent) error {
	out := journal.Recover(w.state, dead, w.snapshot(dead.Snapshot, dead.Items), w.Clock(), w.ID)
	head, err := w.Journal.Finish(ctx, dead, out)
	if err != nil {
		return fmt.Errorf("recording what run %s has left: %w", dead.Run, err)
	}
	w.head, w.state = head, out.State
	w.result.Recovered = fmt.Sprintf("run %s ended part way on %s: %s", dead.Run, w.zone, out.Result)
	return nil
}

// snapshot is the zone's mail records as they are, with every set that an
// entry speaks of.
func (w *work) snapshot(sets []records.RRset, items []journal.Item) records.Zone {
	keys := make([]records.Key, 0, len(sets)+len(items))
	for _, s := range sets {
		keys = append(keys, s.Key)
	}
	for _, i := range items {
		keys = append(keys, i.Key())
	}
	return records.NewZone(w.zone, w.live.NegativeTTL, plan.Snapshot(w.live, keys...)...)
}

// apply plans the zone anew, compares, and writes what is due.
func (w *work) apply(ctx context.Context) error {
	w.spf = w.Facts.SPF(ctx, w.live, slices.Concat(w.job.Domains, w.job.Others))
	fresh := w.plan(w.live, w.state)
	accepted, refusal := w.review(fresh)
	approved := policy.Approve(w.live, accepted, w.job.PlanID)
	in := w.intent(journal.CommandApply, approved)
	in.Overrides = w.overrides(fresh.Used, accepted)
	in.Declared = w.declared(fresh.Today, accepted, approved)
	in.Expected = w.expected(fresh.Today, accepted, approved)
	if len(in.Items) == 0 && !w.state.Reload && w.unchanged(in) {
		w.rest(accepted, in.Items)
		return refusal
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.write(ctx, in, approved); err != nil {
		w.rest(accepted, in.Items)
		return err
	}
	// What waits from here on is known only when the writes have been made.
	w.restAfter(accepted, in.Items)
	return refusal
}

func (w *work) plan(live records.Zone, state plan.State) policy.ZonePlan {
	return policy.PlanZone(policy.ZoneInput{
		Live: live, Past: state.Index(), Journal: plan.JournalRead, SPF: w.spf, Clock: w.Clock(),
		Domains: w.job.Domains, Others: w.job.Others, Open: w.job.Open, Transactional: w.job.Zone.Limits().Transactional, Source: plan.LiveProvider,
	})
}

// review drops what was not reviewed and the domains that are no longer as
// they were.
func (w *work) review(fresh policy.ZonePlan) ([]plan.Domain, error) {
	var accepted []plan.Domain
	var refusal error
	for _, d := range fresh.Domains {
		reviewed, ok := w.job.Reviewed[d.Name]
		if !ok {
			continue
		}
		kept, left, err := plan.Review(reviewed, d, w.live)
		if err == nil && policy.Stopped(d) {
			err = errStopped(d)
		}
		w.result.Domains = append(w.result.Domains, Domain{Name: d.Name, LeftOut: left, Err: err})
		if err == nil {
			accepted = append(accepted, kept)
			continue
		}
		w.refuse(err)
		refusal = errors.Join(refusal, err)
	}
	return accepted, refusal
}

// refuse enters the status of a domain that is left out.
func (w *work) refuse(err error) {
	var refused *plan.RefusedError
	if errors.As(err, &refused) {
		w.result.Status = Refused
	} else if w.result.Status == Done {
		w.result.Status = Failed
	}
}

func errStopped(d plan.Domain) error {
	for _, f := range d.Findings {
		if f.Severity == plan.SeverityError && f.About == plan.AboutDeclared {
			return fmt.Errorf("%s has an error, nothing of it is applied: %s", d.Name, f.Message)
		}
	}
	return nil
}

// intent is what this run is about to do.
func (w *work) intent(command journal.Command, approved policy.Approved) journal.Intent {
	in := journal.Intent{
		Header:         journal.Header{Zone: w.zone, Run: w.ID, Time: w.Clock().Moment()},
		MaildnsVersion: w.Version, Command: command, Actor: w.Actor, Commit: w.Commit,
		ConfigDigest: w.ConfigDigest, PlanDigest: approved.Digest(),
		Provider: w.job.Target, Notify: w.Notify, NegativeTTL: w.live.NegativeTTL,
	}
	var keys []records.Key
	for _, d := range approved.Domains() {
		in.Domains = append(in.Domains, d.Name)
		for _, c := range d.Changes {
			keys = append(keys, c.Key())
			if c.State == plan.Ready {
				in.Items = append(in.Items, journal.Item{Domain: d.Name, Change: c})
			}
		}
	}
	for _, o := range w.state.Owned {
		keys = append(keys, o.Key())
	}
	in.Snapshot = plan.Snapshot(w.live, keys...)
	return in
}

// overrides completes those that opened a gate in this run.
func (w *work) overrides(used []plan.Override, accepted []plan.Domain) []plan.Override {
	out := []plan.Override{}
	for _, o := range used {
		if !slices.ContainsFunc(accepted, func(d plan.Domain) bool { return d.Name == o.Domain }) {
			continue
		}
		if o.At.IsZero() {
			o.At, o.Actor = w.Clock().Moment(), w.Actor
			if week := o.At.At.Add(policy.OverrideLife); o.Until.IsZero() || o.Until.After(week) {
				o.Until = week
			}
		}
		out = append(out, o)
	}
	return out
}

// declared lists the values that become ours: what is declared, and what the
// run writes besides, such as a union of terms. A value that a gate merely
// leaves alone stays a stranger's.
func (w *work) declared(today []plan.Today, accepted []plan.Domain, approved policy.Approved) []plan.Owned {
	writes := written(approved)
	var out []plan.Owned
	for _, t := range today {
		if !slices.ContainsFunc(accepted, func(d plan.Domain) bool { return d.Name == t.Domain.Name }) {
			continue
		}
		asked := make(map[place]bool, len(t.Declared))
		for _, d := range t.Declared {
			asked[place{d.Key, d.Value}] = true
		}
		for _, v := range t.Values {
			at := place{v.Key, v.Value}
			if asked[at] || writes[at] {
				out = append(out, plan.Owned{Domain: t.Domain.Name, Kind: v.Kind, Name: v.Key.Name, Type: v.Key.Type, Value: v.Value})
			}
		}
	}
	return out
}

// place is a value at a key.
type place struct {
	key   records.Key
	value records.Value
}

// written are the values that are new in the approved changes.
func written(approved policy.Approved) map[place]bool {
	out := map[place]bool{}
	for _, c := range approved.Changes() {
		if c.After == nil {
			continue
		}
		for _, v := range c.After.Values {
			if c.Before == nil || !c.Before.Has(v) {
				out[place{c.Key, v}] = true
			}
		}
	}
	return out
}

// expected is what the journal is to remember once the items are live.
func (w *work) expected(today []plan.Today, accepted []plan.Domain, approved policy.Approved) journal.Expected {
	after, err := w.live.Apply(approved.Changes())
	if err != nil {
		after = w.live
	}
	past := w.state.Index()
	out := journal.Expected{Domains: []plan.DomainState{}, Holds: []plan.RolledBack{}}
	for _, t := range today {
		i := slices.IndexFunc(accepted, func(d plan.Domain) bool { return d.Name == t.Domain.Name })
		if i < 0 {
			continue
		}
		in := policy.Input{Domain: t.Domain, Live: w.live, Past: past, Clock: w.Clock(), Known: policy.Known{SPF: w.spf[t.Domain.Name]}}
		out.Domains = append(out.Domains, policy.Remember(in, after))
		out.Holds = append(out.Holds, t.Holds...)
	}
	out.Due = w.zoneDue(w.state)
	return out
}

// due is when the first of the waiting steps becomes due.
func due(domains []plan.Domain, clock plan.Clock) plan.Moment {
	var first plan.Moment
	for _, d := range domains {
		for _, c := range d.Changes {
			if c.State == plan.Waiting && c.NotBefore != nil && (first.IsZero() || c.NotBefore.Before(first.At)) {
				first = plan.Clock{Now: *c.NotBefore, Wall: clock.Wall, Fixed: clock.Fixed}.Moment()
			}
		}
	}
	return first
}

// unchanged reports whether the run would leave the journal's memory as it is,
// so that no entry is needed.
func (w *work) unchanged(in journal.Intent) bool {
	if w.head.Absent() {
		return false
	}
	next := journal.Next(w.state, in, records.NewZone(w.zone, w.live.NegativeTTL, in.Snapshot...), w.Clock().Moment())
	return sameMemory(next, w.state)
}

// sameMemory compares what matters for later runs.
func sameMemory(a, b plan.State) bool {
	memory := func(s plan.State) string {
		out, err := json.Marshal([]any{s.Owned, s.Domains, s.Holds, s.Overrides, s.Due.At})
		if err != nil {
			return err.Error()
		}
		return string(out)
	}
	return memory(a) == memory(b)
}

// write records the intent, writes, reads back and records the outcome. Only
// what is read back decides what came of it.
func (w *work) write(ctx context.Context, in journal.Intent, approved policy.Approved) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	in, err := w.Journal.Begin(ctx, w.head, in)
	if err != nil {
		return err
	}
	w.result.Entry = in.ID()
	w.result.Back = w.back(in)
	w.result.Status = max(w.result.Status, Done)
	problem := w.send(ctx, in, approved)
	after, err := w.job.Zone.Read(ctx)
	if err != nil {
		w.result.Status = Partial
		return errors.Join(problem, fmt.Errorf("what came of it is not known, the zone can't be read back: %w", err))
	}
	w.live = after
	return w.conclude(ctx, in, problem)
}

// zoneDue is when the zone's next step is due, whichever domain it belongs to.
func (w *work) zoneDue(state plan.State) plan.Moment {
	all := *w
	all.job.Domains, all.job.Others = slices.Concat(w.job.Domains, w.job.Others), nil
	return due(all.plan(w.live, state).Domains, w.Clock())
}

// back is the REF of the state that this run starts from: the entry before it
// or, before the first, a time.
func (w *work) back(in journal.Intent) string {
	if in.Seq <= 1 {
		return in.Time.At.Add(-time.Second).Format(time.RFC3339)
	}
	return journal.Header{Zone: in.Zone, Seq: in.Seq - 1}.ID()
}

// send makes the writes, unless the run has been taken for dead meanwhile.
func (w *work) send(ctx context.Context, in journal.Intent, approved policy.Approved) error {
	if len(approved.Changes()) == 0 && !w.state.Reload {
		return nil
	}
	if err := w.lock.Valid(); err != nil {
		return err
	}
	if err := w.Journal.Unfinished(ctx, in); err != nil {
		return err
	}
	if len(approved.Changes()) == 0 {
		return w.job.Zone.Reload(ctx)
	}
	return w.job.Zone.Write(ctx, approved.Changes())
}

// conclude records the outcome, and gives the run the status that it proves.
func (w *work) conclude(ctx context.Context, in journal.Intent, problem error) error {
	out := journal.Conclude(w.state, in, w.snapshot(in.Snapshot, in.Items), w.Clock(), text(problem))
	if notReloaded(problem) {
		out.Result, out.State.Reload = journal.Failed, true // written, and yet not in service
	}
	if out.Result == journal.Done && len(w.job.Domains) > 0 {
		out.State.Due = w.zoneDue(out.State)
	}
	if _, err := w.Journal.Finish(ctx, in, out); err != nil {
		w.result.Status = Partial
		return errors.Join(problem, fmt.Errorf("recording the outcome of %s: %w", in.ID(), err))
	}
	w.state = out.State
	for i := range w.result.Domains {
		w.result.Domains[i].Adopted = adopted(out, w.result.Domains[i].Name)
	}
	return w.judge(out, problem)
}

func notReloaded(err error) bool {
	var reload *provider.ReloadError
	return errors.As(err, &reload)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func adopted(out journal.Outcome, domain records.Name) int {
	n := 0
	for _, o := range out.Adopted {
		if o.Domain == domain {
			n++
		}
	}
	return n
}

// judge turns the outcome into the zone's status: a lost answer is done, a
// write that changed nothing has failed, anything between is partial.
func (w *work) judge(out journal.Outcome, problem error) error {
	var stale *records.StaleError
	switch {
	case out.Result == journal.Done:
		return nil
	case notReloaded(problem), out.Result == journal.Interrupted:
		w.result.Status = Partial
	case errors.As(problem, &stale):
		w.result.Status = Refused
	default:
		w.result.Status = max(w.result.Status, Failed)
	}
	if problem == nil {
		problem = errors.New("the host reports success, but the zone read back is not as written")
	}
	return problem
}

// rest sorts the accepted changes by what became of them.
func (w *work) rest(accepted []plan.Domain, items []journal.Item) {
	for _, d := range accepted {
		out := w.domain(d.Name)
		for _, c := range d.Changes {
			switch c.State {
			case plan.Waiting:
				out.Waiting = append(out.Waiting, c)
			case plan.Held:
				out.Held = append(out.Held, c)
			case plan.Ready:
				w.enter(out, c, items)
			}
		}
	}
}

// enter puts a change that was due among the applied or the failed ones.
func (w *work) enter(out *Domain, c plan.Change, items []journal.Item) {
	i := slices.IndexFunc(items, func(i journal.Item) bool { return i.ID == c.ID })
	if i >= 0 && items[i].Live(w.live) {
		out.Applied = append(out.Applied, c)
		return
	}
	out.Failed = append(out.Failed, c)
}

// restAfter lists what the run has applied, and what waits or is held in the
// zone as it is now.
func (w *work) restAfter(accepted []plan.Domain, items []journal.Item) {
	done := make([]plan.Domain, len(accepted))
	fresh := w.plan(w.live, w.state)
	for i, d := range accepted {
		done[i] = d
		done[i].Changes = slices.DeleteFunc(slices.Clone(d.Changes), func(c plan.Change) bool { return c.State != plan.Ready })
		for _, f := range fresh.Domains {
			if f.Name != d.Name {
				continue
			}
			for _, c := range f.Changes {
				if c.State != plan.Ready {
					done[i].Changes = append(done[i].Changes, c)
				}
			}
		}
	}
	w.rest(done, items)
}

func (w *work) domain(name records.Name) *Domain {
	for i := range w.result.Domains {
		if w.result.Domains[i].Name == name {
			return &w.result.Domains[i]
		}
	}
	w.result.Domains = append(w.result.Domains, Domain{Name: name})
	return &w.result.Domains[len(w.result.Domains)-1]
}
