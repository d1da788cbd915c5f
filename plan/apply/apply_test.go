package apply_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// trace notes the calls of a process.
type trace struct{ calls []string }

func (t *trace) hook(call string, do func() error) error {
	t.calls = append(t.calls, call)
	return do()
}

func (t *trace) String() string { return strings.Join(t.calls, ", ") }

// TestOrderOfSteps is the order that all safety rests on: lock, head, recovery,
// read, intent, the question whether the run may go on, write, read back,
// outcome.
func TestOrderOfSteps(t *testing.T) {
	t.Parallel()
	second := func(t *testing.T) *world {
		w := newWorld(t, freshZone())
		w.done(mail())
		return w.after(2 * time.Hour)
	}
	for name, c := range map[string]struct {
		world func(t *testing.T) *world
		run   func(p *process) apply.Result
		want  string
	}{
		"first apply": {
			func(t *testing.T) *world { return newWorld(t, freshZone()) },
			func(p *process) apply.Result { return p.apply(mail()) },
			"lock, list, zone read, create intent, lock valid, read outcome, zone write, zone read, create outcome, release",
		},
		"adoption writes no DNS and reads once": {
			func(t *testing.T) *world { return newWorld(t, freshZone()) },
			func(p *process) apply.Result { return p.apply(domain(zoneA, withRPT("old"))) },
			"lock, list, zone read, create intent, create outcome, release",
		},
		"later apply": {
			second,
			func(p *process) apply.Result { return p.apply(mail()) },
			"lock, list, read outcome, zone read, create intent, lock valid, read outcome, zone write, zone read, create outcome, release",
		},
		"nothing to do": {
			func(t *testing.T) *world {
				w := second(t)
				w.done(mail())
				return w
			},
			func(p *process) apply.Result { return p.apply(mail()) },
			"lock, list, read outcome, zone read, release",
		},
		"a dead run is recovered first, by a look at the zone": {
			func(t *testing.T) *world {
				w := second(t)
				w.dies("zone write", false, mail())
				return w
			},
			func(p *process) apply.Result { return p.apply(mail()) },
			"lock, list, read outcome, read intent, read outcome, zone read, create outcome, " +
				"zone read, create intent, lock valid, read outcome, zone write, zone read, create outcome, release",
		},
		"rollback": {
			second,
			func(p *process) apply.Result { return p.rollback(apply.Point{Zone: zoneA}) },
			"lock, list, read outcome, zone read, list, read intent, read outcome, " +
				"create intent, lock valid, read outcome, zone write, zone read, create outcome, release",
		},
		"release writes no DNS": {
			second,
			func(p *process) apply.Result {
				return p.run.Release(context.Background(), p.zone(zoneA), target(), zoneA)
			},
			"lock, list, read outcome, zone read, create intent, create outcome, release",
		},
	} {
		w := c.world(t)
		var calls trace
		if r := c.run(w.process(calls.hook)); r.Status != apply.Done || r.Err != nil {
			t.Errorf("%s: status %d: %v", name, r.Status, r.Err)
		}
		if calls.String() != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, calls.String(), c.want)
		}
	}
}

// dies lets an apply die at a call: before it was made, or after it (late).
func (w *world) dies(call string, late bool, domains ...*records.Domain) {
	w.t.Helper()
	dead := false
	w.process(func(name string, do func() error) error {
		if dead || name == call && !late {
			dead = true
			return errFault
		}
		err := do()
		dead = dead || name == call
		return err
	}).apply(domains...)
	w.reboot()
	if _, head := w.state(domains[0].Zone); head.Pending == nil {
		w.t.Fatal("the dead run has left no intent")
	}
}

func TestTheFirstApplyOfADomainIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	d := domain(zoneA, withRPT("old"))
	r := w.done(d)
	if len(w.host.writes) > 0 {
		t.Error("an adoption wrote to the zone")
	}
	e := w.newest(zoneA)
	if r.Entry != e.ID() || e.Outcome.Result != journal.Done || r.Domains[0].Adopted != 1 || len(e.Outcome.Adopted) != 1 {
		t.Errorf("entry %s (%s), adopted %v", e.ID(), e.Outcome.Result, e.Outcome.Adopted)
	}
	if diff := cmp.Diff(plan.Snapshot(freshZone()), e.Intent.Snapshot); diff != "" {
		t.Errorf("the snapshot lacks something of the zone (-want +got):\n%s", diff)
	}
	if points, err := w.refs().Last(t.Context(), nil); !errors.Is(err, apply.ErrNothing) {
		t.Errorf("an adoption is what `last` means: %v %v", points, err)
	}
	w.after(time.Hour)
	if again := w.done(d); again.Entry != "" || len(w.entries(zoneA)) != 1 {
		t.Errorf("nothing has changed, and yet there is the entry %q", again.Entry)
	}
	// A second domain of the zone is remembered at its own first apply.
	w.edit(txt("_smtp._tls.b.a.example", 300, "v=TLSRPTv1; rua=mailto:old@b.a.example"))
	both := w.done(d, domain("b.a.example", withRPT("old")))
	if e := w.newest(zoneA); both.Entry != "a.example/2" || len(e.Intent.Items) > 0 || both.Domains[1].Adopted != 1 || both.Domains[0].Adopted != 0 {
		t.Errorf("entry %q, %d items, domains %+v", both.Entry, len(e.Intent.Items), both.Domains)
	}
}

// refs finds references, with the zones as they are.
func (w *world) refs() apply.Refs {
	return apply.Refs{Journal: w.journal(), Clock: w.clock(), Read: func(_ context.Context, name records.Name) (records.Zone, error) {
		return w.zone(name), nil
	}}
}

// TestAdoptionAndWritesShareOneEntry, over all domains of the zone.
func TestAdoptionAndWritesShareOneEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	sub := domain("b.a.example", withRecord("x", "hello"))
	r := w.done(domain(zoneA, withRPT("old")), sub)
	all := w.entries(zoneA)
	if len(all) != 1 || !slices.Equal(all[0].Intent.Domains, []records.Name{zoneA, "b.a.example"}) {
		t.Fatalf("%d entries, the first one of %v", len(all), all[0].Intent.Domains)
	}
	out := all[0].Outcome
	if len(out.Adopted) != 1 || out.Adopted[0].Domain != zoneA || len(out.Written) != 1 || out.Written[0].Domain != "b.a.example" {
		t.Errorf("adopted %v, written %v", out.Adopted, out.Written)
	}
	if a, b := r.Domains[0], r.Domains[1]; a.Adopted != 1 || len(a.Applied) != 0 || b.Adopted != 0 || len(b.Applied) != 1 {
		t.Errorf("the result is %+v", r.Domains)
	}
	if all[0].Intent.PlanDigest != "sha256:plan" || all[0].Intent.Provider.Type != "memory" || all[0].Intent.Actor != "sre" {
		t.Errorf("the intent doesn't say whose it is: %+v", all[0].Intent)
	}
}

func mxOf(hosts ...records.Name) func(*records.Domain) {
	return func(d *records.Domain) {
		for _, h := range hosts {
			d.MX = append(d.MX, records.MX{Host: h, Preference: 10})
		}
	}
}

func mxKey() records.Key { return records.Key{Name: zoneA, Type: records.TypeMX} }

// mxZone has a mail host that nobody has declared.
func mxZone(ttl records.TTL) records.Zone {
	return freshZone().With(records.NewRRset(mxKey(), ttl, "10 old.example"))
}

// TestR03WhatAGateLeavesAloneStaysAStrangers: a live value that only waits for
// its gate is written again with its set, and is not ours for that.
func TestR03WhatAGateLeavesAloneStaysAStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mxZone(300))
	r := w.done(domain(zoneA, mxOf("new.example")))
	set, _ := w.zone(zoneA).Set(mxKey())
	if !slices.Equal(set.Values, []records.Value{"10 new.example", "10 old.example"}) || len(r.Domains[0].Held) != 1 {
		t.Fatalf("the zone has %v, held is %v", set.Values, r.Domains[0].Held)
	}
	state, _ := w.state(zoneA)
	if len(state.Owned) != 1 || state.Owned[0].Value != "10 new.example" {
		t.Errorf("owned: %v", state.Owned)
	}
	if out := w.newest(zoneA).Outcome; len(out.Written) != 1 || len(out.Removed)+len(out.Adopted) > 0 {
		t.Errorf("written %v, removed %v, adopted %v", out.Written, out.Removed, out.Adopted)
	}
}

// TestR04AUnionIsOursAsAWhole: what is written besides the declaration, so that
// nobody is cut off, is ours too.
func TestR04AUnionIsOursAsAWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	w.done(mail())
	state, _ := w.state(zoneA)
	if !slices.ContainsFunc(state.Owned, func(o plan.Owned) bool { return o.Value == spfBoth && o.Kind == records.KindSPF }) {
		t.Errorf("owned: %v", state.Owned)
	}
	if slices.ContainsFunc(state.Owned, func(o plan.Owned) bool { return o.Value == token }) {
		t.Errorf("a stranger's value is owned: %v", state.Owned)
	}
}

// TestARefusedDomainStopsNoOther: the set of one domain was edited after the
// review.
func TestARefusedDomainStopsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	a, b := domain(zoneA, withRecord("x", "one")), domain("b.a.example", withRecord("x", "two"))
	reviewed := w.plan(a, b)
	w.edit(txt("x.a.example", 60, "edited"))
	r := w.process(plainly).applyJob(apply.Job{Domains: domains(a, b), Reviewed: reviewed})
	var refused *plan.RefusedError
	if r.Status != apply.Refused || !errors.As(r.Err, &refused) || refused.Domain != zoneA {
		t.Errorf("status %d: %v", r.Status, r.Err)
	}
	if r.Domains[0].Err == nil || r.Domains[1].Err != nil || len(r.Domains[1].Applied) != 1 {
		t.Errorf("the domains: %+v", r.Domains)
	}
	if set, _ := w.zone(zoneA).Set(txtKey("x.a.example")); !slices.Equal(set.Values, []records.Value{"edited"}) {
		t.Errorf("the refused set has become %v", set.Values)
	}
	e := w.newest(zoneA)
	if !slices.Equal(e.Intent.Domains, []records.Name{"b.a.example"}) || len(e.Outcome.State.Domains) != 1 {
		t.Errorf("the entry is of %v and remembers %v", e.Intent.Domains, e.Outcome.State.Domains)
	}
	// With the refused domain alone nothing is recorded, in a new zone too.
	w = newWorld(t, freshZone())
	reviewed = w.plan(a)
	w.edit(txt("x.a.example", 60, "edited"))
	r = w.process(plainly).applyJob(apply.Job{Domains: domains(a), Reviewed: reviewed})
	if r.Status != apply.Refused || r.Entry != "" || len(w.entries(zoneA)) > 0 {
		t.Errorf("status %d, entry %q: %v", r.Status, r.Entry, r.Err)
	}
}

// TestAReviewedPlanIsCarriedToItsEnd by applying it again: what is due is done,
// what is done stays, and nothing is refused on the way.
func TestAReviewedPlanIsCarriedToItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	d := mail()
	reviewed := w.plan(d)
	carry := func(want int) {
		t.Helper()
		r := w.process(plainly).applyJob(apply.Job{Domains: domains(d), Reviewed: reviewed})
		if r.Status != apply.Done || len(r.Domains[0].LeftOut) > 0 || len(r.Domains[0].Applied) != want {
			t.Errorf("status %d, applied %v, left out %v: %v", r.Status, keys(r.Domains[0].Applied), keys(r.Domains[0].LeftOut), r.Err)
		}
	}
	carry(3) // DMARC, SPF, and the TTL of the TLS-RPT record
	carry(0)
	w.after(2 * time.Hour)
	carry(1) // the TLS-RPT record
	w.after(25 * time.Hour)
	carry(3) // the TTLs return
	carry(0)
	if got := values(w.zone(zoneA), txtKey(rptName)); !slices.Equal(got, []records.Value{rptNew}) || len(w.entries(zoneA)) != 3 {
		t.Errorf("%d entries, the zone has %v", len(w.entries(zoneA)), got)
	}
}

// twoSPF declares two SPF records, which receivers take for an error: it stops
// its domain.
func twoSPF(d *records.Domain) {
	d.Free = append(d.Free, records.Free{Key: txtKey(d.Name), Values: []records.Value{"v=spf1 -all", "v=spf1 ~all"}})
}

func TestAStoppedDomainStopsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	r := w.apply(domain(zoneA, withRecord("x", "one")), domain("b.a.example", twoSPF, withRecord("x", "two")))
	if r.Status != apply.Failed || r.Err == nil || r.Domains[0].Err != nil || r.Domains[1].Err == nil {
		t.Errorf("status %d: %v, domains %+v", r.Status, r.Err, r.Domains)
	}
	if _, ok := w.zone(zoneA).Set(txtKey("x.a.example")); !ok {
		t.Error("the other domain was not applied")
	}
	if _, ok := w.zone(zoneA).Set(txtKey("x.b.a.example")); ok {
		t.Error("the stopped domain was applied")
	}
}

// TestWhatWasNotReviewedIsLeftOut: a value of ours was removed by hand after
// the plan was made.
func TestWhatWasNotReviewedIsLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	before := domain(zoneA, withRecord("x", "one"), withRecord("z", "long"))
	w.done(before)
	w.after(25 * time.Hour).done(before) // the TTLs are back, nothing waits
	now := domain(zoneA, withRecord("x", "one"), withRecord("y", "two"), withRecord("z", "long"))
	reviewed := w.plan(now)
	w.edit(records.RRset{Key: txtKey("x.a.example")}, txt("z.a.example", 3600, "longer"))
	r := w.process(plainly).applyJob(apply.Job{Domains: domains(now), Reviewed: reviewed})
	if r.Status != apply.Done {
		t.Fatalf("status %d: %v", r.Status, r.Err)
	}
	d := r.Domains[0]
	if left := keys(d.LeftOut); !slices.Contains(left, txtKey("x.a.example")) {
		t.Errorf("left out: %v", left)
	}
	if got := keys(d.Applied); !slices.Equal(got, []records.Key{txtKey("y.a.example")}) {
		t.Errorf("applied: %v", got)
	}
	for _, c := range slices.Concat(d.Waiting, d.Held) {
		if c.Name != "y.a.example" {
			t.Errorf("%s waits or is held, and was not reviewed", c.Key())
		}
	}
	if _, ok := w.zone(zoneA).Set(txtKey("x.a.example")); ok {
		t.Error("what was left out was written")
	}
}

func keys(changes []plan.Change) []records.Key {
	var out []records.Key
	for _, c := range changes {
		out = append(out, c.Key())
	}
	return out
}

// TestOverridesAreRecordedSpentAndLapse: given once, an override lasts until its
// change is written, also where that has to wait first; at most a week.
func TestOverridesAreRecordedSpentAndLapse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mxZone(3600))
	d := domain(zoneA, mxOf("new.example"))
	open := map[records.Name][]plan.Override{zoneA: {
		{Gate: policy.GateAdoption, Domain: zoneA, Reason: "the vendor left"}, {Gate: policy.GateMXCutover, Domain: zoneA, Reason: "both hosts work"},
	}}
	given := func(open map[records.Name][]plan.Override) apply.Result {
		t.Helper()
		r := w.process(plainly).applyJob(apply.Job{Domains: domains(d), Open: open, Reviewed: w.planWith(open, d)})
		if r.Status != apply.Done {
			t.Fatalf("status %d: %v", r.Status, r.Err)
		}
		return r
	}
	r := given(open)
	if len(r.Domains[0].Waiting) != 1 || len(r.Domains[0].Held) != 0 {
		t.Fatalf("waiting %v, held %v", r.Domains[0].Waiting, r.Domains[0].Held)
	}
	state, _ := w.state(zoneA)
	if len(state.Overrides) != 1 || len(w.newest(zoneA).Intent.Overrides) != 1 {
		t.Fatalf("recorded: %v", state.Overrides)
	}
	o := state.Overrides[0]
	if o.Gate != policy.GateAdoption || o.Reason != "the vendor left" || o.Actor != "sre" || o.Spent ||
		!o.At.At.Equal(start) || !o.Until.Equal(start.Add(policy.OverrideLife)) || len(o.After) == 0 {
		t.Errorf("recorded: %+v", o)
	}

	lapsed := w.fork()
	lapsed.after(policy.OverrideLife)
	r = lapsed.done(d)
	if len(r.Domains[0].Held) != 1 || len(lapsed.host.writes) > 2 {
		t.Errorf("a week later the gate is still open: held %v", r.Domains[0].Held)
	}
	n := len(lapsed.entries(zoneA))
	if lapsed.done(d); len(lapsed.entries(zoneA)) != n {
		t.Error("a lapsed override alone makes an entry")
	}

	w.after(2 * time.Hour)
	given(nil)
	set, _ := w.zone(zoneA).Set(mxKey())
	state, _ = w.state(zoneA)
	if !slices.Equal(set.Values, []records.Value{"10 new.example"}) || len(state.Overrides) != 1 || !state.Overrides[0].Spent {
		t.Errorf("the zone has %v, recorded is %+v", set.Values, state.Overrides)
	}
}

// fork is another future of the same world.
func (w *world) fork() *world {
	f := *w
	f.host = &host{limits: w.host.limits, zones: map[records.Name]records.Zone{}, writes: slices.Clone(w.host.writes)}
	for name, z := range w.host.zones {
		f.host.zones[name] = z
	}
	f.objects = w.copyObjects()
	f.reboot()
	return &f
}

// reloading is a world whose server has to be told of what was written.
func reloading(t *testing.T) *world {
	w := newWorld(t, freshZone())
	w.host.served = map[records.Name]records.Zone{zoneA: freshZone()}
	return w
}

// failing fails one call, before or after it was made.
func failing(call string, late bool) hook {
	return func(name string, do func() error) error {
		if name == call {
			if late {
				_ = do() // its answer is lost
			}
			return errFault
		}
		return do()
	}
}

// inService checks that the server has read the zone.
func (w *world) inService(want bool, when string) {
	w.t.Helper()
	if got := w.host.served[zoneA].Equal(w.zone(zoneA)); got != want {
		w.t.Errorf("%s: the zone is in service: %t", when, got)
	}
}

// TestAFailedReloadIsRepeated by whatever runs next, apply or rollback, until
// the server has read the zone.
func TestAFailedReloadIsRepeated(t *testing.T) {
	t.Parallel()
	d := domain(zoneA, withRecord("x", "one"))
	w := reloading(t)
	broken := failing("reload", false)
	r := w.process(broken).apply(d)
	e := w.newest(zoneA)
	if state, _ := w.state(zoneA); r.Status != apply.Partial || e.Outcome.Result != journal.Failed || !state.Reload || r.Err == nil {
		t.Errorf("status %d, outcome %s: %v", r.Status, e.Outcome.Result, r.Err)
	}
	if len(r.Domains[0].Applied) != 1 {
		t.Errorf("what is written is not among the applied: %+v", r.Domains[0])
	}
	w.inService(false, "after the failure")
	if r := w.process(broken).apply(d); r.Status != apply.Partial {
		t.Errorf("failing again: status %d: %v", r.Status, r.Err)
	}
	w.inService(false, "failing again")

	// Nothing but the reload is left to do.
	forward := w.fork()
	forward.host.served = map[records.Name]records.Zone{zoneA: freshZone()}
	writes := len(forward.host.writes)
	forward.done(d)
	forward.inService(true, "the next apply")
	if state, _ := forward.state(zoneA); state.Reload || len(forward.host.writes) != writes {
		t.Errorf("reload is pending: %t, %d writes", state.Reload, len(forward.host.writes)-writes)
	}
	n := len(forward.entries(zoneA))
	if forward.done(d); len(forward.entries(zoneA)) != n {
		t.Error("the reload is repeated for ever")
	}

	// The way back fails to reload: the same rollback again mends it, though
	// there is no record to restore any more.
	back := func(h hook) apply.Result { return forward.process(h).rollback(apply.Point{Zone: zoneA}) }
	if r := back(broken); r.Status != apply.Partial {
		t.Errorf("rollback, reload fails: status %d: %v", r.Status, r.Err)
	}
	forward.inService(false, "rolled back, reload fails")
	if r := back(plainly); r.Status != apply.Done {
		t.Errorf("rollback again: status %d: %v", r.Status, r.Err)
	}
	forward.inService(true, "rolled back again")
	n = len(forward.entries(zoneA))
	if back(plainly); len(forward.entries(zoneA)) != n {
		t.Error("a third rollback makes an entry")
	}
}

// TestALostAnswerIsFollowedByAReload: the write may have failed before it came
// to the reload, so that the zone is as it should be and the server is not.
func TestALostAnswerIsFollowedByAReload(t *testing.T) {
	t.Parallel()
	w := reloading(t)
	r := w.process(failing("zone write", true)).apply(domain(zoneA, withRecord("x", "one")))
	if r.Status != apply.Done || w.newest(zoneA).Outcome.Result != journal.Done {
		t.Errorf("status %d: %v", r.Status, r.Err)
	}
	w.inService(true, "after a lost answer")

	w = reloading(t)
	r = w.process(func(call string, do func() error) error {
		if call == "reload" {
			return errFault
		}
		return failing("zone write", true)(call, do)
	}).apply(domain(zoneA, withRecord("x", "one")))
	if state, _ := w.state(zoneA); r.Status != apply.Partial || !state.Reload {
		t.Errorf("the reload fails as well: status %d, reload pending %t: %v", r.Status, state.Reload, r.Err)
	}
	w.done(domain(zoneA, withRecord("x", "one")))
	w.inService(true, "run again")
}

// TestWhatTheHostSaysProvesNothing: only the zone, read again, does.
func TestWhatTheHostSaysProvesNothing(t *testing.T) {
	t.Parallel()
	stale := func(string, func() error) error { return &records.StaleError{Key: txtKey("x.a.example")} }
	for name, c := range map[string]struct {
		write   func(w *world, do func() error) error
		status  apply.Status
		outcome journal.Result
	}{
		"it says done and has done nothing":       {func(*world, func() error) error { return nil }, apply.Failed, journal.Failed},
		"it fails and has done nothing":           {func(*world, func() error) error { return errFault }, apply.Failed, journal.Failed},
		"it fails and has done all":               {func(_ *world, do func() error) error { _ = do(); return errFault }, apply.Done, journal.Done},
		"it refuses, since the zone has changed":  {func(*world, func() error) error { return stale("", nil) }, apply.Refused, journal.Failed},
		"it refuses, and all is there":            {func(_ *world, do func() error) error { _ = do(); return stale("", nil) }, apply.Done, journal.Done},
		"it says done and has done half":          {func(w *world, _ func() error) error { w.edit(txt("x.a.example", 300, "one")); return nil }, apply.Partial, journal.Interrupted},
		"it fails and has done half":              {func(w *world, _ func() error) error { w.edit(txt("x.a.example", 300, "one")); return errFault }, apply.Partial, journal.Interrupted},
		"it refuses, since others have done half": {func(w *world, _ func() error) error { w.edit(txt("x.a.example", 300, "one")); return stale("", nil) }, apply.Refused, journal.Failed},
		"it panics": {func(*world, func() error) error { panic("a library's fault") }, apply.Failed, journal.Failed},
		"a stranger's value joins": {func(w *world, do func() error) error {
			err := do()
			w.edit(txt("x.a.example", 300, "one", "foreign"))
			return err
		}, apply.Done, journal.Done},
	} {
		w := newWorld(t, freshZone())
		d := domain(zoneA, withRecord("x", "one"), withRecord("y", "two"))
		r := w.process(func(call string, do func() error) error {
			if call == "zone write" {
				return c.write(w, do)
			}
			return do()
		}).apply(d)
		e := w.newest(zoneA)
		if r.Status != c.status || e.Outcome.Result != c.outcome || (r.Err == nil) != (c.status == apply.Done) {
			t.Errorf("%s: status %d, want %d; outcome %s, want %s: %v", name, r.Status, c.status, e.Outcome.Result, c.outcome, r.Err)
		}
		w.truthful(zoneA, name)
		if joined := r.Domains[0].Joined; (len(joined) > 0) != strings.Contains(name, "joins") || len(joined) > 0 && !slices.Equal(joined[0].Values, []records.Value{"foreign"}) {
			t.Errorf("%s: joined: %v", name, joined)
		}
		if w.done(d); !w.zone(zoneA).Equal(w.zone(zoneA).With(txt("y.a.example", 300, "two"))) {
			t.Errorf("%s: run again, the zone is %v", name, w.zone(zoneA).Sets())
		}
	}
}

// TestAHostThatHangs is given up after five minutes; what it did all the same is
// read back and recorded.
func TestAHostThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, freshZone())
		began := time.Now()
		r := w.process(func(call string, do func() error) error {
			err := do()
			if call == "zone write" {
				time.Sleep(6 * time.Minute)
				err = context.DeadlineExceeded
			}
			return err
		}).apply(domain(zoneA, withRecord("x", "one")))
		if r.Status != apply.Done || time.Since(began) > 7*time.Minute {
			t.Errorf("status %d after %s: %v", r.Status, time.Since(began), r.Err)
		}
		w.truthful(zoneA, "a host that hangs")
	})
}

// TestAnInterruptBeforeTheIntentWritesNothing, and one after it lets the write
// come to its end.
func TestAnInterruptBeforeTheIntentWritesNothing(t *testing.T) {
	t.Parallel()
	for call, want := range map[string]apply.Status{
		"lock": apply.Interrupted, "list": apply.Interrupted, "zone read": apply.Interrupted,
		"create intent": apply.Done, "zone write": apply.Done, "create outcome": apply.Done,
	} {
		w := newWorld(t, freshZone())
		ctx, interrupt := context.WithCancel(t.Context())
		p := w.process(func(name string, do func() error) error {
			err := do()
			if name == call {
				interrupt()
			}
			return err
		})
		d := domain(zoneA, withRecord("x", "one"))
		r := p.run.Apply(ctx, apply.Job{Zone: p.zone(zoneA), Target: target(), Domains: domains(d), Reviewed: w.plan(d)})
		interrupt()
		if r.Status != want || (want == apply.Done) != (len(w.entries(zoneA)) == 1) || (want == apply.Done) != (len(w.host.writes) == 1) {
			t.Errorf("interrupted at %s: status %d, %d writes: %v", call, r.Status, len(w.host.writes), r.Err)
		}
	}
}

// TestAnotherRunWasFaster: the entry that was to be ours is another's.
func TestAnotherRunWasFaster(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	d := domain(zoneA, withRecord("x", "one"))
	r := w.process(func(call string, do func() error) error {
		if call == "create intent" {
			w.reboot() // as if our lease had run out
			w.done(d)
		}
		return do()
	}).apply(d)
	if r.Status != apply.Refused || !errors.Is(r.Err, journal.ErrTaken) || r.Entry != "" || len(w.host.writes) != 1 {
		t.Errorf("status %d, entry %q, %d writes: %v", r.Status, r.Entry, len(w.host.writes), r.Err)
	}
	if len(r.Domains) != 1 || len(r.Domains[0].Failed) != 1 {
		t.Errorf("the result doesn't say what was not done: %+v", r.Domains)
	}
	w.truthful(zoneA, "another run was faster")
}

// TestAHeldZoneIsWaitedFor as long as the run's patience; an interrupt ends the
// wait.
func TestAHeldZoneIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		patience, held, interrupt time.Duration
		want                      apply.Status
		took                      time.Duration
	}{
		"no patience":       {0, time.Hour, time.Hour, apply.Refused, 0},
		"given back":        {90 * time.Second, 30 * time.Second, time.Hour, apply.Done, 30 * time.Second},
		"not given back":    {90 * time.Second, time.Hour, time.Hour, apply.Refused, 90 * time.Second},
		"the user gives up": {90 * time.Second, time.Hour, 10 * time.Second, apply.Interrupted, 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, freshZone())
			key := "zones/a.example"
			w.locks.held[key] = `{"run":"other","actor":"bob"}`
			timer := time.AfterFunc(c.held, func() {
				w.locks.mu.Lock()
				defer w.locks.mu.Unlock()
				delete(w.locks.held, key)
			})
			defer timer.Stop()
			ctx, cancel := context.WithTimeoutCause(t.Context(), c.interrupt, context.Canceled)
			defer cancel()
			ctx = canceled{ctx}
			p := w.process(plainly)
			p.run.Patience = c.patience
			d := domain(zoneA, withRecord("x", "one"))
			began := time.Now()
			r := p.run.Apply(ctx, apply.Job{Zone: p.zone(zoneA), Target: target(), Domains: domains(d), Reviewed: w.plan(d)})
			if took := time.Since(began); r.Status != c.want || took < c.took || took > c.took+time.Second {
				t.Errorf("%s: status %d after %s: %v", name, r.Status, took, r.Err)
			}
			if c.want == apply.Refused && !strings.Contains(r.Err.Error(), "bob") {
				t.Errorf("%s: the error doesn't say who holds the zone: %v", name, r.Err)
			}
		})
	}
}

// canceled is a context whose end is the user's interrupt.
type canceled struct{ context.Context }

func (c canceled) Err() error {
	if c.Context.Err() != nil {
		return context.Canceled
	}
	return nil
}
