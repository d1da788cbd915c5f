package apply_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/records"
)

// before is the point before a zone's first entry.
var before = apply.Point{Zone: zoneA}

func entry(seq uint64) apply.Point { return apply.Point{Zone: zoneA, Seq: seq} }

// back rolls back and must succeed.
func (w *world) back(to apply.Point, change ...func(*apply.RollbackJob)) apply.Result {
	w.t.Helper()
	r := w.backTry(to, change...)
	if r.Status != apply.Done || r.Err != nil {
		w.t.Fatalf("rollback to %s: status %d: %v", to, r.Status, r.Err)
	}
	return r
}

func (w *world) backTry(to apply.Point, change ...func(*apply.RollbackJob)) apply.Result {
	p := w.process(plainly)
	job := p.rollbackJob(to)
	for _, c := range change {
		c(&job)
	}
	return p.run.Rollback(context.Background(), job)
}

func forced(j *apply.RollbackJob)  { j.Options.Force = true }
func leaving(j *apply.RollbackJob) { j.Options.KeepEdits = true }
func exactly(j *apply.RollbackJob) { j.Options.Exact = true }
func (w *world) preview(to apply.Point) (apply.Preview, error) {
	p := w.process(plainly)
	return p.run.Preview(context.Background(), p.rollbackJob(to))
}

func values(z records.Zone, key records.Key) []records.Value {
	set, _ := z.Set(key)
	return set.Values
}

// TestR19R20RollbackRestoresWithTTL300: the values of the point come back byte
// for byte, with TTL 300 in the same write; what others have done since stays.
func TestR19R20RollbackRestoresWithTTL300(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	w.done(mail())
	w.after(2 * time.Hour).done(mail())
	w.edit(txt(zoneA, 300, spfBoth, "token=another"))
	w.after(time.Minute)
	r := w.back(before)
	z := w.zone(zoneA)
	want := freshZone().With(txt(zoneA, 300, spfOne, spfTwo, "token=another"), txt(rptName, 300, rptOld))
	if !z.Equal(want) {
		t.Errorf("the zone (-want +got):\n%s", cmp.Diff(want.Sets(), z.Sets()))
	}
	e := w.newest(zoneA)
	if e.Intent.Command != journal.CommandRollback || e.Intent.Restored != "test (a.example before its first entry)" || r.Back != "a.example/2" || r.Entry != "a.example/3" {
		t.Errorf("entry %s: %s to %q, back by %s", r.Entry, e.Intent.Command, e.Intent.Restored, r.Back)
	}
	state := e.Outcome.State
	if len(state.Owned) != 0 {
		t.Errorf("what was not ours then is ours now: %v", state.Owned)
	}
	if len(state.Holds) < 3 {
		t.Errorf("held: %v", state.Holds)
	}
	for _, h := range state.Holds {
		if h.Run != e.Intent.Run || !h.At.At.Equal(w.now) {
			t.Errorf("the hold %+v doesn't say by which run and when", h)
		}
	}
	if len(r.Domains) != 1 || len(r.Domains[0].Applied) != 3 {
		t.Errorf("the result: %+v", r.Domains)
	}

	// A second rollback to the same place does nothing.
	if again := w.back(before); again.Entry != "" || len(w.entries(zoneA)) != 3 {
		t.Errorf("the second rollback made entry %q", again.Entry)
	}
}

// TestARolledBackChangeDoesNotComeBack with the next apply of the same
// configuration; others go on, and an override lets it through.
func TestARolledBackChangeDoesNotComeBack(t *testing.T) {
	t.Parallel()
	good := domain(zoneA, withRecord("x", "good"))
	bad := domain(zoneA, withRecord("x", "bad"), withRecord("y", "new"))
	w := newWorld(t, freshZone())
	w.done(good)
	w.after(time.Hour).done(bad)
	w.back(entry(1))
	x := txtKey("x.a.example")
	if got := values(w.zone(zoneA), x); !slices.Equal(got, []records.Value{"good"}) {
		t.Fatalf("rolled back to %v", got)
	}
	more := domain(zoneA, withRecord("x", "bad"), withRecord("z", "other"))
	r := w.after(time.Minute).done(more)
	if got := values(w.zone(zoneA), x); !slices.Equal(got, []records.Value{"good"}) || len(r.Domains[0].Held) == 0 {
		t.Errorf("the fault is back: %v; held: %v", got, r.Domains[0].Held)
	}
	if got := values(w.zone(zoneA), txtKey("z.a.example")); len(got) == 0 {
		t.Error("another change is held as well")
	}
	open := map[records.Name][]plan.Override{zoneA: {{Gate: policy.GateRolledBack, Domain: zoneA, Reason: "it was not the fault"}}}
	r = w.after(time.Hour).process(plainly).applyJob(apply.Job{Domains: domains(more), Open: open, Reviewed: w.planWith(open, more)})
	if got := values(w.zone(zoneA), x); r.Status != apply.Done || !slices.Equal(got, []records.Value{"bad"}) {
		t.Errorf("with an override: status %d, %v: %v", r.Status, got, r.Err)
	}
}

// TestARollbackCanBeRolledBack, by naming an entry; `last` still means the same
// apply, so that it does nothing.
func TestARollbackCanBeRolledBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	w.done(domain(zoneA, withRecord("x", "one")))
	w.after(time.Hour).done(domain(zoneA, withRecord("x", "two")))
	there := w.zone(zoneA)
	w.after(time.Minute).back(entry(1))
	if last := w.last(); !slices.Equal(last, []apply.Point{entry(1)}) {
		t.Errorf("last is %v", last)
	}
	r := w.after(time.Minute).back(entry(2))
	if got := w.zone(zoneA); !got.Equal(there) || r.Entry != "a.example/4" {
		t.Errorf("entry %s, the zone (-want +got):\n%s", r.Entry, cmp.Diff(there.Sets(), got.Sets()))
	}
	if owned := w.newest(zoneA).Outcome.State.Owned; len(owned) != 1 || owned[0].Value != "two" {
		t.Errorf("owned: %v", owned)
	}
	if r := w.done(domain(zoneA, withRecord("x", "two"))); len(r.Domains[0].Held) > 0 {
		t.Errorf("what was asked for twice is held: %v", r.Domains[0].Held)
	}
}

func (w *world) last(domains ...records.Name) []apply.Point {
	w.t.Helper()
	points, err := w.refs().Last(context.Background(), domains)
	if err != nil && !errors.Is(err, apply.ErrNothing) {
		w.t.Fatal(err)
	}
	return points
}

// TestEditsByHandAreInTheWay, unless they are what the rollback wants: nothing
// is written until --force or --keep-edits says what to do.
func TestEditsByHandAreInTheWay(t *testing.T) {
	t.Parallel()
	world := func(edited records.Value) *world {
		w := newWorld(t, freshZone())
		w.done(domain(zoneA, withSPF("_spf.one.example")))
		w.edit(txt(zoneA, 300, edited, token))
		return w.after(time.Minute)
	}
	w := world("v=spf1 include:byhand.example ~all")
	r := w.backTry(before)
	var conflict *apply.ConflictError
	if r.Status != apply.Refused || !errors.As(r.Err, &conflict) || len(conflict.Conflicts) != 1 || r.Entry != "" || len(w.entries(zoneA)) != 1 {
		t.Errorf("status %d, entry %q: %v", r.Status, r.Entry, r.Err)
	}
	if v, err := w.preview(before); err != nil || len(v.Conflicts) != 1 {
		t.Errorf("the preview shows %v, %v", v.Conflicts, err)
	}
	kept := w.fork()
	kept.back(before, leaving)
	if got := values(kept.zone(zoneA), txtKey(zoneA)); len(got) != 2 {
		t.Errorf("--keep-edits leaves %v", got)
	}
	w.back(before, forced)
	if got := values(w.zone(zoneA), txtKey(zoneA)); !slices.Equal(got, []records.Value{token, spfOne, spfTwo}) {
		t.Errorf("--force makes it %v", got)
	}
}

// TestR20TTLsReturnToThoseOfThePoint after the soak, and the zone's due time is
// no later than it was.
func TestR20TTLsReturnToThoseOfThePoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone().With(txt("x.a.example", 1800, "one")))
	d := domain(zoneA, withRecord("x", "one"))
	w.done(d)
	bad := domain(zoneA, withRecord("x", "two"))
	for range 2 {
		w.done(bad)
		w.after(time.Hour)
	}
	w.back(before)
	set, _ := w.zone(zoneA).Set(txtKey("x.a.example"))
	if set.TTL != 300 || !slices.Equal(set.Values, []records.Value{"one"}) {
		t.Fatalf("rolled back to %v", set)
	}
	if due := w.due(); due.After(w.now.Add(24 * time.Hour)) {
		t.Errorf("due at %s", due)
	}
	w.after(25 * time.Hour).done(d)
	if set, _ = w.zone(zoneA).Set(txtKey("x.a.example")); set.TTL != 1800 {
		t.Errorf("after the soak the TTL is %d, it was 1800", set.TTL)
	}
}

// TestARollbackKeepsTheZonesEarlierStep: the step of another domain stays due.
func TestARollbackKeepsTheZonesEarlierStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, subZone())
	w.done(domain(zoneA, withRecord("x", "one")), domain(sub, withRPT("new")))
	step := w.due()
	w.after(time.Minute).back(before, func(j *apply.RollbackJob) { j.Options.Domains = []records.Name{zoneA} })
	if due := w.due(); !due.Equal(step) {
		t.Errorf("due at %s, want %s", due, step)
	}
}

// TestASelectorStays: mail that was signed with it may be on its way.
func TestASelectorStays(t *testing.T) {
	t.Parallel()
	alias := func(d *records.Domain) {
		d.DKIM = append(d.DKIM, records.DKIM{Selector: "s1", CNAME: "s1.vendor.example"})
	}
	key := records.Key{Name: "s1._domainkey.a.example", Type: records.TypeCNAME}
	w := newWorld(t, freshZone())
	w.done(domain(zoneA, alias, withRecord("x", "one")))
	w.after(time.Minute)
	v, err := w.preview(before)
	if err != nil || len(v.Kept) != 1 || v.Kept[0].Key != key {
		t.Errorf("kept: %v, %v", v.Kept, err)
	}
	w.back(before)
	if len(values(w.zone(zoneA), key)) != 1 || len(values(w.zone(zoneA), txtKey("x.a.example"))) != 0 {
		t.Errorf("the zone: %v", w.zone(zoneA).Sets())
	}
	if state, _ := w.state(zoneA); len(state.Owned) != 1 {
		t.Errorf("the selector is ours no more: %v", state.Owned)
	}
	w.back(before, exactly)
	if len(values(w.zone(zoneA), key)) != 0 {
		t.Error("--exact leaves the selector")
	}
}

// TestThePreviewIsWhatIsDone, also where a run died at any of its calls and its
// outcome is recorded only by the rollback.
func TestThePreviewIsWhatIsDone(t *testing.T) {
	t.Parallel()
	for host, limits := range hosts() {
		for at := 0; ; at++ {
			w := newWorld(t, freshZone())
			w.host.limits = limits
			w.done(domain(zoneA, withRecord("x", "one")))
			f := &fault{at: at, late: true, crash: true}
			w.after(time.Hour).process(f.hook).apply(domain(zoneA, withSPF("_spf.one.example"), withRecord("x", "two"), withDMARC))
			if !f.reached() {
				break
			}
			w.reboot()
			v, err := w.preview(before)
			if err != nil {
				t.Fatalf("%s, %s: %v", host, f, err)
			}
			shown := map[string]*plan.Set{}
			for _, c := range v.Domains[zoneA] {
				shown[c.ID] = c.After
			}
			done := map[string]*plan.Set{}
			for _, d := range w.back(before).Domains {
				for _, c := range d.Applied {
					done[c.ID] = c.After
				}
			}
			if diff := cmp.Diff(shown, done); diff != "" {
				t.Errorf("%s, %s: shown and done (-shown +done):\n%s", host, f, diff)
			}
			got, want := w.zone(zoneA), freshZone()
			for _, s := range want.Sets() {
				if now, _ := got.Set(s.Key); !now.SameValues(s) {
					t.Errorf("%s, %s: %s is %v, it was %v", host, f, s.Key, now.Values, s.Values)
				}
			}
			w.truthful(zoneA, f.String())
		}
	}
}

// damage alters the objects of the journal whose names contain a text.
func (w *world) damage(part string) {
	w.t.Helper()
	ctx := context.Background()
	objects, err := w.objects.List(ctx, store.Query{})
	n := 0
	for _, o := range objects {
		if !strings.Contains(o, part) {
			continue
		}
		n++
		data, readErr := w.objects.Read(ctx, o)
		err = errors.Join(err, readErr, w.objects.Delete(ctx, o))
		data[len(data)/2] ^= 1
		err = errors.Join(err, w.objects.Create(ctx, o, data))
	}
	if err != nil || n == 0 {
		w.t.Fatalf("%d objects damaged: %v", n, err)
	}
}

// TestRollbackWorksBesideDamage: to an intact entry with a warning, to a damaged
// one not at all; apply refuses until the head is whole again.
func TestRollbackWorksBesideDamage(t *testing.T) {
	t.Parallel()
	x := txtKey("x.a.example")
	for name, parts := range map[string][]string{
		"the newest outcome":             {"-3-outcome"},
		"the newest intent":              {"-3-intent"},
		"the newest entry":               {"-3-outcome", "-3-intent"},
		"an outcome between":             {"-2-outcome"},
		"an intent between":              {"-2-intent"},
		"all outcomes since":             {"-2-outcome", "-3-outcome"},
		"the newest outcome and a stray": {"-3-outcome"},
	} {
		w := newWorld(t, freshZone())
		w.done(domain(zoneA, withRecord("x", "one")))
		w.after(time.Hour).done(domain(zoneA, withRecord("x", "two")))
		w.after(time.Hour).done(domain(zoneA, withRecord("x", "two"), withSPF("_spf.one.example")))
		for _, p := range parts {
			w.damage(p)
		}
		if strings.HasSuffix(name, "stray") {
			if err := w.objects.Create(t.Context(), "zones/a.example/0-notes.txt", nil); err != nil {
				t.Fatal(err)
			}
		}
		w.after(time.Minute)
		v, err := w.preview(entry(1))
		if err != nil || len(v.Damage) == 0 {
			t.Errorf("%s: preview: %v, damage %v", name, err, v.Damage)
			continue
		}
		if r := w.fork().backTry(entry(3)); strings.Contains(strings.Join(parts, ""), "-3-") && (r.Status != apply.Failed || r.Err == nil || r.Entry != "") {
			t.Errorf("%s: to the damaged entry: status %d: %v", name, r.Status, r.Err)
		}
		r := w.backTry(entry(1), forced)
		if r.Status != apply.Done || r.Entry != "a.example/4" {
			t.Errorf("%s: status %d, entry %q: %v", name, r.Status, r.Entry, r.Err)
			continue
		}
		if got := values(w.zone(zoneA), x); !slices.Equal(got, []records.Value{"one"}) {
			t.Errorf("%s: rolled back to %v", name, got)
		}
		got := values(w.zone(zoneA), txtKey(zoneA))
		if intact := !slices.Contains(parts, "-3-outcome") || !slices.Contains(parts, "-3-intent"); intact && !slices.Equal(got, []records.Value{token, spfOne, spfTwo}) {
			t.Errorf("%s: the merged records are %v", name, got)
		}
		z := w.zone(zoneA)
		if again := w.back(entry(1)); again.Entry != "" || !w.zone(zoneA).Equal(z) {
			t.Errorf("%s: a second rollback takes back what the first one restored: %v", name, w.zone(zoneA).Sets())
		}
	}
}

// TestDamageNeverTakesBackWhatIsAsItWas: what a rollback has restored stays, also
// when the entry that had taken it is lost later.
func TestDamageNeverTakesBackWhatIsAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	w.done(domain(zoneA, withRecord("x", "one")))
	w.after(time.Hour).done(domain(zoneA, withRecord("x", "one"), withSPF("_spf.one.example")))
	w.after(time.Minute).back(entry(1))
	w.damage("-2-outcome")
	w.damage("-2-intent")
	z := w.zone(zoneA)
	if r := w.after(time.Minute).back(entry(1)); r.Entry != "" || !w.zone(zoneA).Equal(z) {
		t.Errorf("entry %q, the zone is %v", r.Entry, w.zone(zoneA).Sets())
	}
}

// TestProperty4RollbackBesideDamage dies at every call, on a journal whose newest
// outcome is damaged: run again it comes to the same end, and nothing is left
// pending.
func TestProperty4RollbackBesideDamage(t *testing.T) {
	t.Parallel()
	for host, limits := range hosts() {
		for at := 0; ; at++ {
			reached := false
			for _, late := range []bool{false, true} {
				w := newWorld(t, freshZone())
				w.host.limits = limits
				w.done(domain(zoneA, withRecord("x", "one")))
				w.after(time.Hour).done(domain(zoneA, withRecord("x", "two"), withSPF("_spf.one.example")))
				w.damage("-2-outcome")
				f := &fault{at: at, late: late, crash: true}
				w.after(time.Minute).process(f.hook).rollback(entry(1))
				reached = reached || f.reached()
				w.reboot()
				w.back(entry(1))
				state, head, err := w.journal().State(t.Context(), zoneA)
				if err != nil || head.Pending != nil || len(state.Holds) == 0 {
					t.Errorf("%s, %s: run again: pending %v, holds %v: %v", host, f, head.Pending, state.Holds, err)
				}
				z := w.zone(zoneA)
				if !slices.Equal(values(z, txtKey("x.a.example")), []records.Value{"one"}) || !slices.Equal(values(z, txtKey(zoneA)), []records.Value{token, spfOne, spfTwo}) {
					t.Errorf("%s, %s: run again, the zone is %v", host, f, z.Sets())
				}
				if n := w.head(); w.back(entry(1)).Entry != "" || w.head() != n {
					t.Errorf("%s, %s: a third rollback does something", host, f)
				}
			}
			if !reached {
				break
			}
		}
	}
}

// head is the number of the newest entry.
func (w *world) head() uint64 {
	_, head := w.state(zoneA)
	return head.Seq
}

// TestApplyRefusesADamagedHead, and goes on when a rollback has put a whole
// entry on it.
func TestApplyRefusesADamagedHead(t *testing.T) {
	t.Parallel()
	d := domain(zoneA, withRecord("x", "one"))
	w := newWorld(t, freshZone())
	w.done(d)
	w.after(time.Hour).done(domain(zoneA, withRecord("x", "two")))
	reviewed := w.plan(d)
	w.damage("-2-outcome")
	r := w.process(plainly).applyJob(apply.Job{Domains: domains(d), Reviewed: reviewed})
	if r.Status != apply.Failed || !errors.As(r.Err, new(*journal.DamageError)) || len(w.host.writes) != 2 {
		t.Errorf("status %d, %d writes: %v", r.Status, len(w.host.writes), r.Err)
	}
	if r := w.back(entry(1)); r.Back != "a.example/1" {
		t.Errorf("the way back from a rollback on a damaged head is %s", r.Back)
	}
	if r := w.after(25 * time.Hour).apply(d); r.Status != apply.Done {
		t.Errorf("on the whole entry: status %d: %v", r.Status, r.Err)
	}
}

func TestReleaseEndsOwnershipWithoutAWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, subZone())
	w.done(domain(zoneA, withRPT("old")), domain(sub, withRPT("old")))
	p := w.process(plainly)
	r := p.run.Release(t.Context(), p.zone(zoneA), target(), sub)
	state, _ := w.state(zoneA)
	if r.Status != apply.Done || len(w.host.writes) > 0 || len(state.Owned) != 1 || state.Owned[0].Domain != zoneA || len(state.Domains) != 1 {
		t.Errorf("status %d, owned %v, domains %v: %v", r.Status, state.Owned, state.Domains, r.Err)
	}
	if last := w.last(); len(last) != 0 {
		t.Errorf("a release is what `last` means: %v", last)
	}
	if r := p.run.Release(t.Context(), p.zone(zoneA), target(), sub); r.Status != apply.Failed || r.Entry != "" {
		t.Errorf("again: status %d, entry %q: %v", r.Status, r.Entry, r.Err)
	}
}

// TestUnlockRecordsWhatADeadRunHasLeft, and nothing where none died.
func TestUnlockRecordsWhatADeadRunHasLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	w.dies("zone write", true, mail())
	unlock := func() apply.Result {
		p := w.process(plainly)
		return p.run.Unlock(t.Context(), p.zone(zoneA))
	}
	r := unlock()
	e := w.newest(zoneA)
	if r.Status != apply.Done || !strings.Contains(r.Recovered, e.Intent.Run) || e.Outcome.Result != journal.Done || e.Outcome.RecoveredBy == "" || len(w.host.writes) != 1 {
		t.Errorf("status %d, %q, outcome %+v: %v", r.Status, r.Recovered, e.Outcome, r.Err)
	}
	w.truthful(zoneA, "unlocked")
	if r := unlock(); r.Status != apply.Done || r.Recovered != "" || len(w.entries(zoneA)) != 1 {
		t.Errorf("again: status %d, %q: %v", r.Status, r.Recovered, r.Err)
	}
}
