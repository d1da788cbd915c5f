package apply_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// slow is a host that can't store short TTLs.
var slow = provider.Limits{Transactional: true, ReplacesSets: true, MinTTL: 3600}

func TestAHostThatCantStoreAShortTTL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	w.host.limits = slow
	for _, c := range open(w.plan(mail())[zoneA]) {
		if c.Step != plan.StepChange || c.State != plan.Ready || c.After.TTL != 3600 || c.Mistake != 3600 {
			t.Errorf("%s %s: %s, TTL %d, a mistake lives %d s", c.Key(), c.Step, c.State, c.After.TTL, c.Mistake)
		}
	}
	w.done(mail())
	if got := values(w.zone(zoneA), txtKey(rptName)); !slices.Equal(got, []records.Value{rptNew}) {
		t.Errorf("the record that would have to wait elsewhere is %v", got)
	}
	w.after(25 * time.Hour)
	if changes := open(w.plan(mail())[zoneA]); len(changes) > 0 {
		t.Errorf("a TTL is to return that was never lowered: %+v", changes)
	}
	r := w.process(plainly).rollback(apply.Point{Zone: zoneA})
	if r.Status != apply.Done || r.Err != nil {
		t.Fatalf("status %d: %v", r.Status, r.Err)
	}
	for _, c := range r.Domains[0].Applied {
		if c.After != nil && (c.After.TTL != 3600 || c.Mistake != 3600) {
			t.Errorf("%s is restored with TTL %d, and a mistake lives %d s", c.Key(), c.After.TTL, c.Mistake)
		}
	}
	w.truthful(zoneA, "after the rollback")
}

// open are the changes of a plan that no gate holds.
func open(d plan.Domain) []plan.Change {
	return slices.DeleteFunc(slices.Clone(d.Changes), func(c plan.Change) bool { return c.State == plan.Held })
}

// each is a host that stores a TTL with each value, and can choose one.
func each(transactional bool) provider.Limits {
	return provider.Limits{Transactional: transactional, PerValueTTL: true, AutoTTL: true, MinTTL: 60}
}

// mixedZone is freshZone as such a host has it: the stranger's value has a TTL
// of its own.
func mixedZone(foreign records.TTL) records.Zone {
	apex, _ := freshZone().Set(txtKey(zoneA))
	apex.TTLs = map[records.Value]records.TTL{token: foreign}
	apex.MixedTTL = foreign != apex.TTL
	return freshZone().With(apex)
}

func (w *world) ttls(name records.Name) map[records.Value]records.TTL {
	set, _ := w.zone(zoneA).Set(txtKey(name))
	out := map[records.Value]records.TTL{}
	for _, v := range set.Values {
		out[v] = set.TTLOf(v)
	}
	return out
}

func TestForeignTTLsStayWhereEachValueHasItsOwn(t *testing.T) {
	t.Parallel()
	for _, foreign := range []records.TTL{120, 3600, 86400, records.AutoTTL} {
		w := newWorld(t, mixedZone(foreign))
		w.host.limits = each(true)
		w.host.watch = func(_, after records.Zone) {
			if set, _ := after.Set(txtKey(zoneA)); set.TTLOf(token) != foreign {
				t.Errorf("the foreign TTL %s has become %s", foreign, set.TTLOf(token))
			}
		}
		want := func(when string, ours map[records.Value]records.TTL) {
			t.Helper()
			ours[token] = foreign
			if got := w.ttls(zoneA); !maps.Equal(got, ours) {
				t.Errorf("foreign TTL %s, %s: %v, want %v", foreign, when, got, ours)
			}
			w.truthful(zoneA, when)
		}
		w.done(mail())
		want("after the change", map[records.Value]records.TTL{spfBoth: 300})
		w.after(2 * time.Hour).done(mail())
		w.after(25 * time.Hour).done(mail())
		want("after the soak", map[records.Value]records.TTL{spfBoth: 3600})
		if changes := open(w.plan(mail())[zoneA]); len(changes) > 0 {
			t.Errorf("foreign TTL %s: there is still something to do: %+v", foreign, changes)
		}
		if r := w.process(plainly).rollback(apply.Point{Zone: zoneA}); r.Status != apply.Done || r.Err != nil {
			t.Errorf("rollback: status %d: %v", r.Status, r.Err)
		}
		want("after the rollback", map[records.Value]records.TTL{spfOne: 300, spfTwo: 300})
	}
}

func TestOurTTLIsLoweredBesideAForeignOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mixedZone(86400))
	w.host.limits = each(true)
	narrow := func(d *records.Domain) { withSPF("_spf.one.example")(d); d.SPF.TTL = 3600 }
	w.done(domain(zoneA, narrow))
	w.after(25 * time.Hour).done(domain(zoneA, narrow))
	gone := &records.Domain{Name: zoneA, Zone: zoneA, Provider: hostRef, Settings: records.DefaultSettings(), Removed: true}
	gone.Digest = digest(gone)
	overrides := map[records.Name][]plan.Override{zoneA: {{Gate: "spf-narrow", Domain: zoneA, Reason: "x"}, {Gate: "adoption", Domain: zoneA, Reason: "x"}}}
	var low *plan.Change
	for _, c := range w.planWith(overrides, gone)[zoneA].Changes {
		if c.Step == plan.StepLowerTTL {
			low = &c
		}
	}
	if low == nil || low.Before.TTL != 3600 || low.After.TTL != 300 || !maps.Equal(low.Foreign, map[records.Value]records.TTL{token: 86400}) {
		t.Fatalf("the lowering is %+v", low)
	}
	w.process(plainly).applyJob(apply.Job{Domains: domains(gone), Open: overrides, Reviewed: w.planWith(overrides, gone)})
	if got := w.ttls(zoneA); got[spfBoth] != 300 || got[token] != 86400 {
		t.Errorf("after the lowering: %v", got)
	}
	w.after(2 * time.Hour)
	w.process(plainly).applyJob(apply.Job{Domains: domains(gone), Open: overrides, Reviewed: w.planWith(overrides, gone)})
	if got := w.ttls(zoneA); !maps.Equal(got, map[records.Value]records.TTL{token: 86400}) {
		t.Errorf("after the removal: %v", got)
	}
	w.after(25 * time.Hour)
	if changes := w.planWith(nil, gone)[zoneA].Changes; len(changes) > 0 {
		t.Errorf("a stranger's TTL is to be restored: %+v", changes)
	}
}

// TestOurOwnTTLsBecomeOne: values of ours that differ get the declared TTL, in
// one step, and then there is nothing left to do.
func TestOurOwnTTLsBecomeOne(t *testing.T) {
	t.Parallel()
	mx := records.NewRRset(mxKey(), 300, "10 one.example", "20 two.example")
	mx.TTLs, mx.MixedTTL = map[records.Value]records.TTL{"20 two.example": 7200}, true
	w := newWorld(t, freshZone().With(mx))
	w.host.limits = each(true)
	d := domain(zoneA, func(d *records.Domain) {
		d.MX = []records.MX{{Host: "one.example", Preference: 10}, {Host: "two.example", Preference: 20}}
		d.TTL = 300
	})
	w.done(d)
	if set, _ := w.zone(zoneA).Set(mxKey()); set.TTLOf("10 one.example") != 300 || set.TTLOf("20 two.example") != 300 {
		t.Errorf("%+v", set)
	}
	if changes := w.plan(d)[zoneA].Changes; len(changes) > 0 {
		t.Errorf("there is still something to do: %+v", changes)
	}
}

func TestProperty3ForeignTTLsSurviveRandomFaults(t *testing.T) {
	t.Parallel()
	for at := range 14 {
		for _, late := range []bool{false, true} {
			w := newWorld(t, mixedZone(86400))
			w.host.limits = each(true)
			f := &fault{at: at, late: late, crash: true}
			w.process(f.hook).apply(mail())
			w.reboot()
			for range 3 {
				w.done(mail())
				w.after(25 * time.Hour)
			}
			if got := w.ttls(zoneA); !maps.Equal(got, map[records.Value]records.TTL{spfBoth: 3600, token: 86400}) {
				t.Errorf("%s: %v", f, got)
			}
			w.truthful(zoneA, f.String())
		}
	}
}

func TestAutomaticTTL(t *testing.T) {
	t.Parallel()
	auto := func(d *records.Domain) { d.TTL = records.AutoTTL }
	w := newWorld(t, freshZone())
	w.host.limits = each(true)
	w.done(domain(zoneA, withRPT("old"), auto))
	if got := w.ttls(rptName); got[rptOld] != records.AutoTTL {
		t.Errorf("the declared TTL is automatic, live is %v", got)
	}
	// It counts as 300 s: nothing has to be lowered, and nothing returns.
	changes := w.after(2 * time.Hour).plan(domain(zoneA, withRPT("new"), auto))[zoneA].Changes
	if len(changes) != 1 || changes[0].State != plan.Ready || changes[0].Before.TTL != records.AutoTTL || changes[0].After.TTL != records.AutoTTL ||
		changes[0].Exposure != 300 || changes[0].Mistake != 300 {
		t.Fatalf("%+v", changes)
	}
	w.done(domain(zoneA, withRPT("new"), auto))
	w.after(25 * time.Hour)
	if left := w.plan(domain(zoneA, withRPT("new"), auto))[zoneA].Changes; len(left) > 0 {
		t.Errorf("left to do: %+v", left)
	}
	// A rollback writes 300, and the automatic one returns.
	if r := w.process(plainly).rollback(apply.Point{Zone: zoneA, Seq: 1}); r.Status != apply.Done || r.Err != nil {
		t.Fatalf("rollback: status %d: %v", r.Status, r.Err)
	}
	if got := w.ttls(rptName); got[rptOld] != 300 {
		t.Errorf("after the rollback: %v", got)
	}
	w.after(25 * time.Hour).done(domain(zoneA, withRPT("old"), auto))
	if got := w.ttls(rptName); got[rptOld] != records.AutoTTL {
		t.Errorf("after the soak: %v", got)
	}
}

func TestAnAutomaticTTLIsLoweredWhereTheChangeNeedsLess(t *testing.T) {
	t.Parallel()
	quick := func(d *records.Domain) { d.TTL, d.Settings.TTLChange = records.AutoTTL, 60 }
	w := newWorld(t, freshZone())
	w.host.limits = each(true)
	w.done(domain(zoneA, withRPT("old"), quick))
	w.after(25 * time.Hour).done(domain(zoneA, withRPT("old"), quick))
	d := domain(zoneA, withRPT("new"), quick, func(d *records.Domain) { d.TLSRPT.TTL = 3600 })
	w.done(d)
	if got := w.ttls(rptName); got[rptOld] != 60 {
		t.Fatalf("the automatic TTL is not lowered: %v", got)
	}
	if r := w.after(5 * time.Minute).done(d); len(r.Domains[0].Applied) > 0 {
		t.Errorf("changed before caches had forgotten the automatic TTL: %+v", r.Domains[0].Applied)
	}
	w.after(time.Minute).done(d)
	if got := w.ttls(rptName); got[rptNew] != 60 {
		t.Errorf("after 300 s and the propagation: %v", got)
	}
}

func TestPlansOfAnAutomaticTTLAreCarriedOut(t *testing.T) {
	t.Parallel()
	auto := func(d *records.Domain) { d.TTL = records.AutoTTL }
	w := newWorld(t, mixedZone(records.AutoTTL))
	w.host.limits = each(true)
	w.done(domain(zoneA, withSPF("_spf.one.example"), withRPT("old"), auto))
	d := domain(zoneA, withSPF("_spf.one.example"), withRPT("new"), auto)
	reviewed := w.after(25 * time.Hour).plan(d)
	r := w.process(plainly).applyJob(apply.Job{Domains: domains(d), Reviewed: reviewed})
	if r.Status != apply.Done || len(r.Domains[0].Applied) != 1 || len(r.Domains[0].LeftOut) > 0 {
		t.Errorf("status %d: %+v, %v", r.Status, r.Domains, r.Err)
	}
	// Somebody's edit of the TTL of a touched set is seen.
	w = newWorld(t, mixedZone(120))
	w.host.limits = each(true)
	reviewed = w.plan(mail())
	apex, _ := w.zone(zoneA).Set(txtKey(zoneA))
	apex.TTL = 60
	w.edit(apex)
	if r := w.process(plainly).applyJob(apply.Job{Domains: domains(mail()), Reviewed: reviewed}); r.Status != apply.Refused {
		t.Errorf("status %d: %v", r.Status, r.Err)
	}
}
