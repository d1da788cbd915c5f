package apply_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// story is a world that has come to a certain point, and the run that is then
// disturbed.
type story struct {
	prepare func(t testing.TB) *world
	run     func(p *process) apply.Result
	// goesOn: run again later, it makes the steps that have become due.
	goesOn bool
}

// stories are runs of each sort: the first apply, which adds, merges and
// lowers; the change that waited; the return of the TTL; an adoption without a
// write; a rollback of the first apply and of a later one; a release.
func stories(limits provider.Limits) map[string]story {
	at := func(steps ...time.Duration) func(t testing.TB) *world {
		return func(t testing.TB) *world {
			w := newWorld(t, freshZone())
			w.host.limits = limits
			for _, d := range steps {
				w.done(mail())
				w.after(d)
			}
			return w
		}
	}
	hour, day := time.Hour+time.Minute, 25*time.Hour
	return map[string]story{
		"first apply": {at(), func(p *process) apply.Result { return p.apply(mail()) }, true},
		"change":      {at(hour), func(p *process) apply.Result { return p.apply(mail()) }, true},
		"restore":     {at(hour, day), func(p *process) apply.Result { return p.apply(mail()) }, true},
		"adoption": {at(), func(p *process) apply.Result {
			return p.apply(domain(zoneA, withRPT("old")))
		}, true},
		"rollback of all": {at(hour, day), func(p *process) apply.Result {
			return p.rollback(apply.Point{Zone: zoneA})
		}, false},
		"rollback of one": {at(hour, time.Minute), func(p *process) apply.Result {
			return p.rollback(apply.Point{Zone: zoneA, Seq: 1})
		}, false},
		"release": {at(hour), func(p *process) apply.Result {
			return p.run.Release(p.world.t.Context(), p.zone(zoneA), target(), zoneA)
		}, false},
	}
}

// TestProperty4EveryFault disturbs every single call that a run makes to the
// store and to the host: it fails, its answer is lost, or the process dies
// there. The exit status is the one that the specification gives to what has
// come of it, the journal is true, and the same run again comes to the end that
// an undisturbed one comes to.
func TestProperty4EveryFault(t *testing.T) {
	t.Parallel()
	for host, limits := range hosts() {
		for name, s := range stories(limits) {
			t.Run(host+"/"+name, func(t *testing.T) {
				t.Parallel()
				s.walk(t)
			})
		}
	}
}

func (s story) walk(t *testing.T) {
	t.Helper()
	whole := s.prepare(t)
	if r := s.run(whole.process(plainly)); r.Status != apply.Done || r.Err != nil {
		t.Fatalf("undisturbed: status %d: %v", r.Status, r.Err)
	}
	s.settle(whole, "undisturbed")
	for at := 0; ; at++ {
		reached := false
		for _, f := range []*fault{{at: at}, {at: at, late: true}, {at: at, crash: true}, {at: at, late: true, crash: true}} {
			w := s.prepare(t)
			before := w.zone(zoneA)
			_, head := w.state(zoneA)
			r := s.run(w.process(f.hook))
			if !f.reached() {
				continue
			}
			reached = true
			w.classed(r, before, head, f)
			w.reboot()
			s.again(t, w, whole, f)
		}
		if !reached {
			if at < 6 {
				t.Fatalf("only %d calls were disturbed", at)
			}
			return
		}
	}
}

// classed checks the status against what can be seen from outside: whether
// there is an intent, an outcome, and what the zone holds.
func (w *world) classed(r apply.Result, before records.Zone, head journal.Head, f *fault) {
	w.t.Helper()
	_, now := w.state(zoneA)
	changed := !before.Equal(w.zone(zoneA))
	want := []apply.Status{apply.Failed}
	switch {
	case now.Seq == head.Seq:
		if changed {
			w.t.Errorf("%s: the zone was written without an intent", f)
		}
	case now.Pending != nil && r.Entry == "":
		// The intent was stored, and its run could not find that out.
		if changed {
			w.t.Errorf("%s: the zone was written by a run that didn't know its intent", f)
		}
	case now.Pending != nil:
		want = []apply.Status{apply.Partial}
	default:
		want = outcomeStatus(w.newest(zoneA), changed, f)
		if f.crash {
			want = append(want, apply.Partial) // stored, and the answer was lost for good
		}
	}
	if !slices.Contains(want, r.Status) {
		w.t.Errorf("%s: status %d, want one of %d; the error is: %v", f, r.Status, want, r.Err)
	}
	if r.Status != apply.Done && r.Err == nil {
		w.t.Errorf("%s: status %d without a reason", f, r.Status)
	}
}

func outcomeStatus(e journal.Entry, changed bool, f *fault) []apply.Status {
	switch {
	case e.Outcome.Result == journal.Done:
		return []apply.Status{apply.Done}
	case changed:
		return []apply.Status{apply.Partial}
	case f.calls[f.at] == "lock valid":
		return []apply.Status{apply.Refused}
	default:
		return []apply.Status{apply.Failed}
	}
}

// settle runs the same command until it has nothing to do any more.
func (s story) settle(w *world, where string) {
	w.t.Helper()
	before := len(w.entries(zoneA))
	for n := range 4 {
		r := s.run(w.process(plainly))
		nothing := n+before > 0 && r.Status == apply.Failed && r.Entry == "" // it has been released
		if r.Status != apply.Done && !nothing {
			w.t.Fatalf("%s: run again: status %d: %v", where, r.Status, r.Err)
		}
		if s.goesOn {
			w.after(25 * time.Hour)
		}
	}
	w.truthful(zoneA, where)
}

// again runs the same command in the world that the fault has left, and
// compares its end with that of a world without one.
func (s story) again(t *testing.T, w, whole *world, f *fault) {
	t.Helper()
	s.settle(w, f.String())
	if got, want := w.zone(zoneA), whole.zone(zoneA); !got.Equal(want) {
		t.Fatalf("%s: run again, the zone is not what it is without a fault (-want +got):\n%s", f, cmp.Diff(want.Sets(), got.Sets()))
	}
	got, _ := w.state(zoneA)
	want, _ := whole.state(zoneA)
	if diff := cmp.Diff(remembered(want), remembered(got)); diff != "" {
		t.Fatalf("%s: run again, the journal remembers something else than without a fault (-want +got):\n%s", f, diff)
	}
	if got.Due.At.After(want.Due.At) && got.Due.At.After(w.now) || got.Due.IsZero() != want.Due.IsZero() {
		t.Errorf("%s: run again, the next step is due at %s, without a fault at %s", f, got.Due.At, want.Due.At)
	}
	for _, h := range want.Holds {
		if !slices.ContainsFunc(got.Holds, func(g plan.RolledBack) bool { return g.Name == h.Name && slices.Equal(g.Added, h.Added) }) {
			t.Errorf("%s: run again, %v is not held", f, h)
		}
	}
}

// remembered is what of a state later runs go by. How many entries led to it
// doesn't matter, nor when something happened: a write in two parts takes
// longer, and a policy that was away for a moment counts its days anew.
func remembered(s plan.State) plan.State {
	s.Domains = slices.Clone(s.Domains)
	for i := range s.Domains {
		s.Domains[i].Since = plan.Moment{}
	}
	return plan.State{Owned: s.Owned, Domains: s.Domains, Overrides: s.Overrides, Live: s.Live, Reload: s.Reload}
}
