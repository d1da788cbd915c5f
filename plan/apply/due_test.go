package apply_test

import (
	"slices"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/records"
)

// sub is a second domain of the zone, with a record of its own.
const sub records.Name = "b.a.example"

func subZone() records.Zone {
	return freshZone().With(txt("_smtp._tls.b.a.example", 3600, "v=TLSRPTv1; rua=mailto:old@b.a.example"))
}

// only applies one domain of the zone and leaves the others.
func (w *world) only(d *records.Domain, others ...*records.Domain) apply.Result {
	w.t.Helper()
	r := w.process(plainly).applyJob(apply.Job{Domains: domains(d), Others: others, Reviewed: w.plan(d)})
	if r.Status != apply.Done {
		w.t.Fatalf("status %d: %v", r.Status, r.Err)
	}
	return r
}

func (w *world) due() time.Time {
	w.t.Helper()
	state, _ := w.state(zoneA)
	return state.Due.At
}

// TestDueIsTheZones, whichever of its domains has the next step.
func TestDueIsTheZones(t *testing.T) {
	t.Parallel()
	const lowered = time.Hour + 30*time.Second // the old TTL and the propagation
	a, b := domain(zoneA, withRPT("new")), domain(sub, withRPT("new"))
	w := newWorld(t, subZone())
	w.only(a, b)
	if due := w.due(); !due.Equal(start.Add(lowered)) {
		t.Fatalf("lowered at %s, due at %s", start, due)
	}
	w.after(10*time.Minute).only(b, a)
	if due := w.due(); !due.Equal(start.Add(lowered)) {
		t.Errorf("the step of the other domain is due first, not at %s", due)
	}
	// The first domain's step has come; the run that leaves it must not make
	// the zone forget it, however much later the second one's is.
	w.after(55*time.Minute).only(b, a)
	if due := w.due(); !due.Equal(start.Add(lowered)) {
		t.Errorf("what is due and left to another run is forgotten: due at %s", due)
	}
	w.only(a, b)
	if due := w.due(); !due.Equal(start.Add(10*time.Minute + lowered)) {
		t.Errorf("due at %s, want the second domain's step", due)
	}
	w.after(10*time.Minute).done(a, b)
	if due := w.due(); !due.Equal(start.Add(65*time.Minute + 24*time.Hour)) {
		t.Errorf("due at %s, want the end of the first soak", due)
	}
	w.after(25*time.Hour).done(a, b)
	if due := w.due(); !due.IsZero() {
		t.Errorf("all is done, and something is due at %s", due)
	}
}

// TestNothingIsDueBeforeItsTTLIsLowered: a step whose clock has not started
// makes neither a due time nor, as that moves with every run, an entry.
func TestNothingIsDueBeforeItsTTLIsLowered(t *testing.T) {
	t.Parallel()
	a, b := domain(zoneA, withRPT("old")), domain(sub, withRPT("new"))
	w := newWorld(t, subZone())
	w.only(a, b)
	if due := w.due(); !due.IsZero() {
		t.Errorf("due at %s", due)
	}
	for range 3 {
		if r := w.after(time.Hour).only(a, b); r.Entry != "" {
			t.Errorf("the entry %s remembers nothing", r.Entry)
		}
	}
}

// TestADeadRunsNextStepIsDue: the recovery knows it where it has the
// configuration, and otherwise has the next run look at once.
func TestADeadRunsNextStepIsDue(t *testing.T) {
	t.Parallel()
	died := func() *world {
		w := newWorld(t, freshZone())
		w.done(domain(zoneA, withRPT("new")))
		w.after(2*time.Hour).dies("zone write", true, domain(zoneA, withRPT("new")))
		return w
	}
	w := died()
	w.done(domain(zoneA, withRPT("new")))
	if due := w.due(); !due.Equal(w.now.Add(24*time.Hour)) || len(w.entries(zoneA)) != 2 {
		t.Errorf("due at %s after %d entries, want the end of the soak without an entry of its own", due, len(w.entries(zoneA)))
	}
	w = died()
	p := w.process(plainly)
	if r := p.run.Unlock(t.Context(), p.zone(zoneA)); r.Status != apply.Done || r.Recovered == "" {
		t.Errorf("unlock: status %d: %v", r.Status, r.Err)
	}
	if due := w.due(); !due.Equal(w.now) {
		t.Errorf("recovered without a configuration, due at %s", due)
	}
}

// TestAnEntryIsNotDatedBeforeItsPredecessor, where a clock was set back.
func TestAnEntryIsNotDatedBeforeItsPredecessor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	w.done(domain(zoneA, withRecord("x", "one")))
	w.after(-3 * time.Hour)
	w.done(domain(zoneA, withRecord("x", "one"), withRecord("y", "two")))
	e := w.newest(zoneA)
	if !e.Intent.Time.At.Equal(start) || !e.Outcome.Time.At.Equal(start) || !e.Outcome.State.At.At.Equal(start) {
		t.Errorf("entry 2 is dated %s to %s, its predecessor %s", e.Intent.Time.At, e.Outcome.Time.At, start)
	}
	i := slices.IndexFunc(e.Outcome.State.Sets, func(s plan.SetState) bool { return s.Name == "y.a.example" })
	if i < 0 || !e.Outcome.State.Sets[i].Written.At.Equal(start) {
		t.Errorf("the set was written at %+v", e.Outcome.State.Sets)
	}
}

// TestARehearsalIsNoEvidenceOfTime: an entry that was made under a fixed clock
// says so, and what it waited for has not passed on the real clock.
func TestARehearsalIsNoEvidenceOfTime(t *testing.T) {
	t.Parallel()
	d := domain(zoneA, withRPT("new"))
	w := newWorld(t, freshZone())
	w.wall, w.now = start, start.Add(-24*time.Hour)
	w.done(d)
	e := w.newest(zoneA)
	if e.Intent.Time.Wall == nil || e.Outcome.Time.Wall == nil || !e.Outcome.Time.Wall.Equal(start) {
		t.Fatalf("the entry doesn't say that it is a rehearsal: %+v", e.Outcome.Time)
	}
	real := w.fork()
	real.wall, real.now = time.Time{}, start.Add(time.Minute)
	if r := real.done(d); len(r.Domains[0].Applied) != 0 || len(r.Domains[0].Waiting) != 1 {
		t.Errorf("a minute of real time, a day in the rehearsal: applied %v", keys(r.Domains[0].Applied))
	}
	real.now = start.Add(2 * time.Hour)
	if r := real.done(d); len(r.Domains[0].Applied) != 1 {
		t.Errorf("two hours of real time: waiting %v", keys(r.Domains[0].Waiting))
	}
	// In the rehearsal itself its time counts.
	w.now = w.now.Add(2 * time.Hour)
	if r := w.done(d); len(r.Domains[0].Applied) != 1 {
		t.Errorf("two hours in the rehearsal: waiting %v", keys(r.Domains[0].Waiting))
	}
}
