package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

func (w *world) show() string { return show(w.plan().Domains[0]) }

func (w *world) openFor(gates ...string) {
	w.open = nil
	if len(gates) > 0 {
		w.open = map[records.Name][]plan.Override{}
		for _, g := range gates {
			w.open[apex] = append(w.open[apex], plan.Override{Gate: g, Reason: "by hand"})
		}
	}
}

// step fails unless the world's plan is as wanted, and applies it.
func (w *world) step(t *testing.T, want ...string) {
	t.Helper()
	if got := w.show(); got != strings.Join(want, "\n") {
		t.Fatalf("at %s got\n%s\nwant\n%s", w.now.Format(time.DateTime), got, strings.Join(want, "\n"))
	}
	w.apply()
}

const (
	swapOld = "v=spf1 include:old.example ~all"
	swapNew = "v=spf1 include:new.example ~all"
	swapAll = "v=spf1 include:new.example include:old.example ~all"
)

// swapped is a world that has published one sender for a week, and declares
// another one.
func swapped(t *testing.T, more ...part) *world {
	w := newWorld(zone(t, "@ 3600 TXT "+swapOld), domain(append([]part{declareSPF(swapOld)}, more...)...))
	w.apply()
	w.pass(7 * day)
	w.domains[0] = domain(append([]part{declareSPF(swapNew)}, more...)...)
	return w
}

// TestOverrideIsRecordedUntilItsChangeIsWritten: given once, an override opens
// the change through all its waiting, without the flag, and is spent by it.
func TestOverrideIsRecordedUntilItsChangeIsWritten(t *testing.T) {
	t.Parallel()
	w := swapped(t)
	w.openFor(policy.GateNarrow)
	w.step(t, "ready lower-ttl @ TXT: 300 "+swapOld, "waiting change @ TXT: 300 "+swapNew+" (spf-narrow, lower-ttl)")
	if len(w.state.Overrides) != 1 || w.state.Overrides[0].Actor != "somebody" || w.state.Overrides[0].Reason != "by hand" ||
		!slices.Equal(w.state.Overrides[0].Before, []records.Value{swapAll}) || !slices.Equal(w.state.Overrides[0].After, []records.Value{swapNew}) {
		t.Fatalf("recorded %+v", w.state.Overrides)
	}
	w.openFor()
	w.pass(time.Hour)
	w.step(t, "waiting change @ TXT: 300 "+swapNew+" (spf-narrow, lower-ttl)")
	w.pass(30 * time.Second)
	w.step(t, "ready change @ TXT: 300 "+swapNew+" (spf-narrow)")
	if !w.state.Overrides[0].Spent {
		t.Fatalf("not spent: %+v", w.state.Overrides)
	}
	// The same change, once more: the override doesn't open it again.
	w.domains[0] = domain(declareSPF(swapOld))
	w.step(t, "ready change @ TXT: 300 v=spf1 include:old.example include:new.example ~all", "held change @ TXT: 300 "+swapOld+" (spf-narrow)")
	w.domains[0] = domain(declareSPF(swapNew))
	if got := w.show(); !strings.Contains(got, "held change @ TXT: 300 "+swapNew+" (spf-narrow)") || strings.Contains(got, "ready") {
		t.Fatalf("got\n%s", got)
	}
}

// TestOverrideIsVoidWhenTheDeclarationChanges: it was given for one change.
func TestOverrideIsVoidWhenTheDeclarationChanges(t *testing.T) {
	t.Parallel()
	w := swapped(t)
	w.openFor(policy.GateNarrow)
	w.apply()
	w.openFor()
	w.domains[0] = domain(declareSPF("v=spf1 include:third.example ~all"))
	w.step(t, "ready change @ TXT: 300 v=spf1 include:third.example include:old.example ~all",
		"held change @ TXT: 300 v=spf1 include:third.example ~all (spf-narrow)")
}

// TestOverrideLapses: after seven days at most, before if it says so.
func TestOverrideLapses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		until time.Time
		after time.Duration
		opens bool
	}{
		"before a week":         {time.Time{}, 7*day - time.Second, true},
		"after a week":          {time.Time{}, 7 * day, false},
		"a longer one is cut":   {noon.Add(100 * day), 7 * day, false},
		"a shorter one is kept": {noon.Add(7*day + time.Hour), time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := swapped(t)
			w.open = map[records.Name][]plan.Override{apex: {{Gate: policy.GateNarrow, Reason: "x", Until: c.until}}}
			w.apply()
			w.openFor()
			w.pass(c.after)
			opens := strings.Contains(w.show(), "change @ TXT: 300 "+swapNew+" (spf-narrow") && !strings.Contains(w.show(), "held")
			if opens != c.opens {
				t.Errorf("opens %t:\n%s", opens, w.show())
			}
		})
	}
}

// TestOverrideOpensOneSetOfOneDomain: one recorded for a set opens no other,
// and one that is given for a domain no other domain's.
func TestOverrideOpensOneSetOfOneDomain(t *testing.T) {
	t.Parallel()
	live := zone(t, "s1._domainkey 300 TXT "+string(key1), "s2._domainkey 300 TXT "+string(key2))
	d := domain()
	state := applied(t, live, d, "dkim s1._domainkey TXT", "dkim s2._domainkey TXT")
	s1 := recorded(policy.GateDKIMRemoval, key("s1._domainkey", records.TypeTXT), []records.Value{key1}, nil)
	foreign := recorded(policy.GateDKIMRemoval, key("s2._domainkey", records.TypeTXT), []records.Value{key2}, nil)
	foreign.Domain = "other.example"
	state.Overrides = []plan.Override{s1, foreign}
	want := lines("dkim-removal overridden s1._domainkey TXT: nothing", "dkim-removal unknown s2._domainkey TXT: nothing", "today s2._domainkey TXT: "+string(key2))
	if got := split(policy.Input{Domain: d, Live: live, Past: state.Index()}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestOverrideNeedsAReadableJournal: without the past every gate is unknown and
// nothing opens it.
func TestOverrideNeedsAReadableJournal(t *testing.T) {
	t.Parallel()
	live := zone(t, "@ 3600 TXT "+swapOld, "_dmarc 300 TXT v=DMARC1; p=reject")
	bimi := func(d *records.Domain) {
		d.BIMI = []records.BIMI{{Selector: "default", Record: records.BIMIRecord{Logo: "https://a.example/l.svg"}}}
	}
	today := policy.Limit(policy.Input{
		Domain: domain(declareSPF(swapNew), bimi), Live: live, Past: plan.State{}.Index(), Clock: at(noon),
		Known: policy.Known{Journal: plan.JournalUnreadable}, Open: open(policy.GateAdoption, policy.GateNarrow, policy.GateBIMI),
	})
	if len(today.Held) != 2 || len(today.Passed) != 0 {
		t.Errorf("held %v, passed %v", today.Held, today.Passed)
	}
	for _, h := range today.Held {
		if h.Gates[0].Verdict != plan.Unknown || !strings.Contains(h.Gates[0].Reason, "journal") {
			t.Errorf("%+v", h.Gates[0])
		}
	}
}

func override(gate, reason string, until time.Time) part {
	return func(d *records.Domain) {
		d.Overrides = append(d.Overrides, records.Override{Gate: gate, Reason: reason, Until: until})
	}
}

// TestOverrideBlock: a block of the configuration opens its gate until its
// date, but of the ramp one step only.
func TestOverrideBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(zone(t, "_dmarc 300 TXT v=DMARC1; p=none"), domain(reject(), override(policy.GateRamp, "reports read by hand", noon.Add(5*day))))
	w.step(t, "ready change _dmarc TXT: 300 v=DMARC1; p=quarantine; pct=25; t=y (dmarc-ramp)")
	w.step(t, "held change _dmarc TXT: 300 v=DMARC1; p=quarantine; pct=50; t=y (dmarc-ramp)")
	// Another block, of another reason, opens the next one.
	w.domains[0] = domain(reject(), override(policy.GateRamp, "again", noon.Add(5*day)))
	w.step(t, "ready change _dmarc TXT: 300 v=DMARC1; p=quarantine; pct=50; t=y (dmarc-ramp)")

	w = newWorld(zone(t, "@ 300 TXT v=spf1 include:a.example include:b.example ~all"),
		domain(declareSPF("v=spf1 include:a.example include:b.example ~all"), override(policy.GateNarrow, "vendors leave", noon.Add(5*day))))
	w.apply()
	w.domains[0] = domain(declareSPF("v=spf1 include:a.example ~all"), override(policy.GateNarrow, "vendors leave", noon.Add(5*day)))
	w.step(t, "ready change @ TXT: 300 v=spf1 include:a.example ~all (spf-narrow)")
	w.domains[0] = domain(declareSPF("v=spf1 ~all"), override(policy.GateNarrow, "vendors leave", noon.Add(5*day)))
	w.step(t, "ready change @ TXT: 300 v=spf1 ~all (spf-narrow)")

	// An expired one opens nothing.
	d := domain(reject(), override(policy.GateRamp, "late", noon))
	want := lines("today _dmarc TXT: v=DMARC1; p=none", "dmarc-ramp unknown _dmarc TXT: v=DMARC1; p=quarantine; pct=25; t=y")
	if got := split(policy.Input{Domain: d, Live: zone(t, "_dmarc 300 TXT v=DMARC1; p=none")}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestOverrideBlocksInAnyOrder: which of two blocks opens a gate doesn't depend
// on their order.
func TestOverrideBlocksInAnyOrder(t *testing.T) {
	t.Parallel()
	a, b := override(policy.GateRamp, "a", noon.Add(5*day)), override(policy.GateRamp, "b", noon.Add(4*day))
	live := zone(t, "_dmarc 300 TXT v=DMARC1; p=none")
	one := policy.Limit(policy.Input{Domain: domain(reject(), a, b), Live: live, Past: plan.State{}.Index(), Clock: at(noon)})
	two := policy.Limit(policy.Input{Domain: domain(reject(), b, a), Live: live, Past: plan.State{}.Index(), Clock: at(noon)})
	if one.Passed[0].Gates[0].Reason != two.Passed[0].Gates[0].Reason {
		t.Errorf("%q and %q", one.Passed[0].Gates[0].Reason, two.Passed[0].Gates[0].Reason)
	}
}

// TestOverrideLowerTTL: a leaked key doesn't wait for caches.
func TestOverrideLowerTTL(t *testing.T) {
	t.Parallel()
	w := newWorld(zone(t, "s1._domainkey 3600 TXT "+string(key1)), domain(declareKey("s1", key1)))
	w.apply()
	w.domains[0] = domain(declareKey("s1", key2))
	w.openFor(policy.GateDKIMRemoval)
	if got, want := w.show(), "ready lower-ttl s1._domainkey TXT: 300 "+string(key1)+"\nwaiting change s1._domainkey TXT: 300 "+string(key2)+" (dkim-removal, lower-ttl)"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	w.openFor(policy.GateDKIMRemoval, policy.GateLowerTTL)
	w.step(t, "ready change s1._domainkey TXT: 300 "+string(key2)+" (dkim-removal, lower-ttl)")
	if len(w.state.Overrides) != 2 || !w.state.Overrides[0].Spent || !w.state.Overrides[1].Spent {
		t.Errorf("overrides %+v", w.state.Overrides)
	}
}

// TestOverrideOfTwoGates: each is recorded for the change that both open.
func TestOverrideOfTwoGates(t *testing.T) {
	t.Parallel()
	w := newWorld(zone(t, "@ 3600 TXT v=spf1 include:old.example include:forgotten.example ~all"), domain(declareSPF(swapOld)))
	w.apply()
	w.pass(7 * day)
	w.domains[0] = domain(declareSPF("v=spf1 include:new.example -all"))
	w.openFor(policy.GateNarrow, policy.GateAdoption, policy.GateHardFail)
	w.apply()
	w.openFor()
	w.pass(2 * time.Hour)
	w.step(t, "ready change @ TXT: 300 v=spf1 include:new.example -all (spf-narrow, adoption, spf-hardfail)")
}

// TestR03AdoptionThroughApplies: the forgotten sender stays through applies and
// declarations, until it is declared or let go.
func TestR03AdoptionThroughApplies(t *testing.T) {
	t.Parallel()
	const found = "v=spf1 include:google.example include:mailgun.example ~all"
	w := newWorld(zone(t, "@ 300 TXT "+found), domain(declareSPF("v=spf1 include:google.example ~all")))
	w.step(t, "held change @ TXT: 300 v=spf1 include:google.example ~all (adoption)")
	// It becomes part of a record of ours, and is protected all the same.
	w.domains[0] = domain(declareSPF("v=spf1 include:google.example include:new.example ~all"))
	w.step(t, "ready change @ TXT: 300 v=spf1 include:google.example include:new.example include:mailgun.example ~all",
		"held change @ TXT: 300 v=spf1 include:google.example include:new.example ~all (adoption)")
	// Declared once, it is a sender like any other.
	w.domains[0] = domain(declareSPF(found))
	w.apply()
	w.pass(day)
	w.domains[0] = domain(declareSPF("v=spf1 include:google.example ~all"))
	if got := w.show(); !strings.Contains(got, "(spf-narrow)") || strings.Contains(got, "adoption") {
		t.Errorf("got\n%s", got)
	}
}
