package plan_test

import (
	"slices"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// TestMoment: times are recorded in whole seconds, rounded up, and a rehearsal's
// clock counts only in rehearsals.
func TestMoment(t *testing.T) {
	t.Parallel()
	wall := noon.Add(100 * time.Hour)
	real := plan.Clock{Now: noon.Add(time.Nanosecond)}
	fixed := plan.Clock{Now: noon, Wall: wall.Add(time.Millisecond), Fixed: true}
	if m := real.Moment(); m.Wall != nil || !m.At.Equal(noon.Add(time.Second)) || !m.On(real).Equal(m.At) || !m.On(fixed).Equal(m.At) {
		t.Errorf("%+v", m)
	}
	if m := at(noon).Moment(); !m.At.Equal(noon) {
		t.Errorf("a whole second is rounded to %s", m.At)
	}
	if m := fixed.Moment(); !m.At.Equal(noon) || !m.On(fixed).Equal(noon) || !m.On(real).Equal(wall.Add(time.Second)) {
		t.Errorf("%+v", m)
	}
	if !(plan.Moment{}).IsZero() || real.Moment().IsZero() {
		t.Error("IsZero")
	}
}

// TestPast: a state is found by set, domain and value.
func TestPast(t *testing.T) {
	t.Parallel()
	const other records.Name = "b.a.example"
	p := plan.State{
		Owned:     slices.Concat(owns(apex, records.KindSPF, txtKey, spfNow), owns(other, records.KindRecord, key("b", "TXT"), "x")),
		Sets:      []plan.SetState{{Name: apex, Type: "TXT", Base: 300}},
		Domains:   []plan.DomainState{{Domain: other, Policy: "p=none"}},
		Overrides: []plan.Override{{Gate: "a", Domain: apex}, {Gate: "b", Domain: other}, {Gate: "c", Domain: apex}},
		Holds:     []plan.RolledBack{{Domain: other, Run: "r"}},
	}.Index()
	if s, ok := p.Set(txtKey); !ok || s.Base != 300 {
		t.Errorf("set %+v", s)
	}
	if _, ok := p.Set(key("x", "TXT")); ok {
		t.Error("a set that nobody knows")
	}
	if d, ok := p.Domain(other); !ok || d.Policy != "p=none" {
		t.Errorf("domain %+v", d)
	}
	if o, ok := p.Owner(txtKey, spfNow); !ok || o.Domain != apex {
		t.Errorf("owner %+v", o)
	}
	if _, ok := p.Owner(txtKey, "x"); ok {
		t.Error("an owner of a foreign value")
	}
	if len(p.OwnedBy(apex)) != 1 || len(p.OverridesOf(apex)) != 2 || len(p.HoldsOf(other)) != 1 || len(p.HoldsOf(apex)) != 0 {
		t.Errorf("%v, %v, %v", p.OwnedBy(apex), p.OverridesOf(apex), p.HoldsOf(other))
	}
}

// TestUnbroken: what an interrupted run has lost counts as live, until somebody
// edits the set.
func TestUnbroken(t *testing.T) {
	t.Parallel()
	half := txt("@", 300, "token")
	state := plan.State{
		Live: []records.RRset{half},
		Lost: []plan.Lost{
			{Key: txtKey, TTL: 3600, Kept: []records.Value{"other"}, Gone: []records.Value{spfNow}},
			{Key: tlsKey, TTL: 3600, Gone: []records.Value{oldTLS}},
		},
	}
	got := state.Index().Unbroken(zone(half))
	if want := zone(txt("@", 300, "token", "other", spfNow), txt("_smtp._tls", 3600, oldTLS)); !got.Equal(want) {
		t.Errorf("%v", got.Sets())
	}
	edited := zone(txt("@", 300, "token", "by hand"), txt("_smtp._tls", 300, newTLS))
	if got := state.Index().Unbroken(edited); !got.Equal(edited) {
		t.Errorf("edited: %v", got.Sets())
	}
}

// TestRestorationOwned: what is ours after a way back.
func TestRestorationOwned(t *testing.T) {
	t.Parallel()
	const one, two records.Value = "v=spf1 a ~all", "v=spf1 mx ~all"
	dmarc := key("_dmarc", "TXT")
	past := plan.State{
		Owned: slices.Concat(owns(apex, records.KindSPF, txtKey, two), owns(apex, records.KindDMARC, dmarc, "v=DMARC1; p=none")),
		Live:  []records.RRset{txt("@", 300, two), txt("_dmarc", 300, "v=DMARC1; p=none")},
	}.Index()
	target := plan.Target{
		Sets:  []records.RRset{txt("@", 300, one), txt("_dmarc", 300, "v=DMARC1; p=none")},
		Owned: slices.Concat(owns(apex, records.KindSPF, txtKey, one), owns(apex, records.KindTLSRPT, tlsKey, oldTLS)),
	}
	way := plan.Restore(zone(past.Live...), past, target, plan.RestoreOptions{TTL: 300})
	want := slices.Concat(owns(apex, records.KindDMARC, dmarc, "v=DMARC1; p=none"), owns(apex, records.KindSPF, txtKey, one))
	if got := way.Owned(past, target); !slices.Equal(sortedOwned(got), sortedOwned(want)) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func sortedOwned(list []plan.Owned) []records.Value {
	var out []records.Value
	for _, o := range list {
		out = append(out, o.Value)
	}
	slices.Sort(out)
	return out
}

// TestGateVerdict: unknown holds.
func TestGateVerdict(t *testing.T) {
	t.Parallel()
	for v, want := range map[plan.Verdict]bool{plan.Allow: true, plan.Overridden: true, plan.VerdictNo: false, plan.Unknown: false, "": false} {
		if got := (plan.GateVerdict{Verdict: v}).Opens(); got != want {
			t.Errorf("%q opens: %t", v, got)
		}
	}
}
