package policy_test

import (
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// TestFormerTTLReturns: a set that we shared with strangers gets the TTL back
// that it had before us, when our last value has left it.
func TestFormerTTLReturns(t *testing.T) {
	t.Parallel()
	hour := func(d *records.Domain) { d.TTL = 3600 }
	const ours = "v=spf1 include:a.example ~all"
	w := newWorld(zone(t, "@ 7200 TXT token"), domain(declareSPF(ours), hour))
	w.step(t, "ready change @ TXT: 300 token | "+ours)
	w.pass(day)
	w.step(t, "ready restore-ttl @ TXT: 3600 token | "+ours)
	w.pass(day)
	w.domains[0] = domain(hour)
	w.openFor(policy.GateNarrow)
	w.step(t, "ready lower-ttl @ TXT: 300 token | "+ours, "waiting change @ TXT: 300 token (spf-narrow, lower-ttl)")
	w.openFor()
	w.pass(time.Hour + 30*time.Second)
	w.step(t, "ready change @ TXT: 300 token (spf-narrow)")
	w.step(t, "waiting restore-ttl @ TXT: 7200 token")
	w.pass(day)
	w.step(t, "ready restore-ttl @ TXT: 7200 token")
	w.pass(day)
	w.step(t, "")
}

// TestR22StepsOfOneChange: lower, wait, change, soak, restore, each when it is
// due and none earlier.
func TestR22StepsOfOneChange(t *testing.T) {
	t.Parallel()
	tls := func(uri string) *records.Domain {
		return domain(func(d *records.Domain) { d.TLSRPT = &records.TLSRPT{RUA: []string{uri}} })
	}
	const before, after = "v=TLSRPTv1; rua=mailto:old@a.example", "v=TLSRPTv1; rua=mailto:new@a.example"
	w := newWorld(zone(t, "_smtp._tls 1800 TXT "+before), tls("mailto:new@a.example"))
	w.step(t, "ready lower-ttl _smtp._tls TXT: 300 "+before, "waiting change _smtp._tls TXT: 300 "+after+" (lower-ttl)")
	w.pass(30*time.Minute + 29*time.Second)
	w.step(t, "waiting change _smtp._tls TXT: 300 "+after+" (lower-ttl)")
	w.pass(time.Second)
	w.step(t, "ready change _smtp._tls TXT: 300 "+after)
	w.pass(day - time.Second)
	w.step(t, "waiting restore-ttl _smtp._tls TXT: 1800 "+after)
	w.pass(time.Second)
	w.step(t, "ready restore-ttl _smtp._tls TXT: 1800 "+after)
	w.step(t, "")
	// A change soon after waits for the long TTL that has just returned.
	w.domains[0] = tls("mailto:third@a.example")
	w.step(t, "ready lower-ttl _smtp._tls TXT: 300 "+after, "waiting change _smtp._tls TXT: 300 v=TLSRPTv1; rua=mailto:third@a.example (lower-ttl)")
}

// TestAddedThenNarrowed: what was widened at once doesn't shorten the wait of
// what narrows next, since caches still hold the long TTL of before.
func TestAddedThenNarrowed(t *testing.T) {
	t.Parallel()
	w := newWorld(zone(t, "@ 3600 TXT "+swapOld), domain(declareSPF(swapOld)))
	w.apply()
	w.domains[0] = domain(declareSPF(swapNew))
	w.step(t, "ready change @ TXT: 300 "+swapAll, "held change @ TXT: 300 "+swapNew+" (spf-narrow)")
	w.pass(10 * time.Minute)
	w.openFor(policy.GateNarrow)
	w.step(t, "waiting change @ TXT: 300 "+swapNew+" (spf-narrow, lower-ttl)")
	w.openFor()
	w.pass(50*time.Minute + 30*time.Second)
	w.step(t, "ready change @ TXT: 300 "+swapNew+" (spf-narrow)")
}

// TestR06R11R12TheWholeRunbook: from nothing to p=reject and -all, by hand where
// reports are wanted: each apply one step.
func TestR06R11R12TheWholeRunbook(t *testing.T) {
	t.Parallel()
	w := newWorld(zone(t), domain(declareSPF("v=spf1 include:a.example -all"), declareDMARC("v=DMARC1; p=reject; rua=mailto:d@a.example")))
	const rua = "; rua=mailto:d@a.example"
	w.step(t,
		"ready change _dmarc TXT: 300 v=DMARC1; p=none"+rua,
		"held change _dmarc TXT: 300 v=DMARC1; p=quarantine; pct=25; t=y"+rua+" (dmarc-ramp)",
		"ready change @ TXT: 300 v=spf1 include:a.example ~all",
		"held change @ TXT: 300 v=spf1 include:a.example -all (spf-hardfail)")
	w.pass(14 * day)
	w.apply() // the declared TTLs return
	for _, step := range []string{"p=quarantine; pct=25; t=y", "p=quarantine; pct=50; t=y", "p=quarantine", "p=reject"} {
		w.openFor(policy.GateRamp)
		w.apply()
		w.openFor()
		w.pass(time.Hour + 30*time.Second)
		w.apply()
		set, _ := w.live.Set(key("_dmarc", records.TypeTXT))
		if want := records.Value("v=DMARC1; " + step + rua); !set.Has(want) || len(set.Values) != 1 {
			t.Fatalf("published %q, want %q", set.Values, want)
		}
		if got, _ := w.state.Index().Domain(apex); got.Policy != step || got.Since.At != w.now {
			t.Fatalf("remembered %q since %s", got.Policy, got.Since.At)
		}
		w.pass(7 * day)
		w.apply()
	}
	w.openFor(policy.GateHardFail)
	w.apply()
	w.openFor()
	w.pass(time.Hour + 30*time.Second)
	w.step(t, "ready change @ TXT: 300 v=spf1 include:a.example -all (spf-hardfail)")
}

// TestOwnershipEnds: a value that somebody removes by hand is owned no more, and
// one that is put in its place is a stranger's until it is covered.
func TestOwnershipEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(zone(t, "x 300 TXT stranger"), domain(declareRecord("x", records.TypeTXT, "mine")))
	w.apply()
	w.live = zone(t, "x 300 TXT stranger", "x 300 TXT other")
	w.domains[0] = domain()
	w.step(t, "")
	if len(w.state.Owned) > 0 {
		t.Errorf("owned %+v", w.state.Owned)
	}
	if set, _ := w.live.Set(key("x", records.TypeTXT)); len(set.Values) != 2 {
		t.Errorf("left %q", set.Values)
	}
}
