package policy_test

import (
	"strings"
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

func undid(kind records.Kind, k records.Key, added, removed []string) plan.RolledBack {
	return plan.RolledBack{Domain: apex, Kind: kind, Name: k.Name, Type: k.Type, Added: added, Removed: removed, Run: "run7", At: ago(day)}
}

// TestRolledBackHolds: an undone change is not made again, part by part, while
// everything else of the set goes on.
func TestRolledBackHolds(t *testing.T) {
	t.Parallel()
	spfKey, mxKey, dmarcKey := key("@", "TXT"), key("@", "MX"), key("_dmarc", "TXT")
	hold := func(h ...plan.RolledBack) func(*plan.State) {
		return func(s *plan.State) { s.Holds = h }
	}
	added := hold(undid(records.KindSPF, spfKey, []string{"include:bad.example"}, nil))
	swapped := hold(undid(records.KindSPF, spfKey, []string{"include:bad.example"}, []string{"include:old.example"}))
	runSplits(t, map[string]splitCase{
		"a term": {
			live: []string{"@ 300 TXT v=spf1 include:old.example ~all"}, owned: []string{"spf @ TXT"}, past: added,
			d: domain(declareSPF("v=spf1 include:old.example include:bad.example ~all")),
			want: lines("today @ TXT: v=spf1 include:old.example ~all",
				"rolled-back held @ TXT: v=spf1 include:old.example include:bad.example ~all"),
		},
		"a term, in another place and with another one": {
			live: []string{"@ 300 TXT v=spf1 include:old.example ~all"}, owned: []string{"spf @ TXT"}, past: added,
			d: domain(declareSPF("v=spf1 include:bad.example include:good.example include:old.example ~all")),
			want: lines("today @ TXT: v=spf1 include:good.example include:old.example ~all",
				"rolled-back held @ TXT: v=spf1 include:bad.example include:good.example include:old.example ~all"),
		},
		"the same term with another qualifier is another change": {
			live: []string{"@ 300 TXT v=spf1 include:old.example ~all"}, owned: []string{"spf @ TXT"}, past: hold(undid(records.KindSPF, spfKey, []string{"?include:bad.example"}, nil)),
			d:    domain(declareSPF("v=spf1 include:old.example include:bad.example ~all")),
			want: "today @ TXT: v=spf1 include:old.example include:bad.example ~all",
		},
		"a withdrawn term, its gate open": {
			live: []string{"@ 300 TXT v=spf1 include:old.example include:x.example ~all"}, owned: []string{"spf @ TXT"}, past: swapped, open: []string{"spf-narrow"},
			d: domain(declareSPF("v=spf1 include:x.example ~all")),
			want: lines("today @ TXT: v=spf1 include:old.example include:x.example ~all",
				"rolled-back held @ TXT: v=spf1 include:x.example ~all"),
		},
		"an end": {
			live: []string{"@ 300 TXT v=spf1 a ~all"}, owned: []string{"spf @ TXT"}, past: hold(undid(records.KindSPF, spfKey, []string{"all=-"}, []string{"all=~"})), open: []string{"spf-hardfail"},
			d:    domain(declareSPF("v=spf1 a mx -all")),
			want: lines("today @ TXT: v=spf1 a mx ~all", "rolled-back held @ TXT: v=spf1 a mx -all"),
		},
		"a redirect in the place of an end": {
			live: []string{"@ 300 TXT v=spf1 a -all"}, owned: []string{"spf @ TXT"}, past: hold(undid(records.KindSPF, spfKey, []string{"redirect=bad.example"}, []string{"all=-"})),
			d:    domain(declareSPF("v=spf1 a mx redirect=bad.example")),
			want: lines("today @ TXT: v=spf1 a mx -all", "rolled-back held @ TXT: v=spf1 a mx redirect=bad.example"),
		},
		"an end in the place of a redirect": {
			live: []string{"@ 300 TXT v=spf1 redirect=good.example"}, owned: []string{"spf @ TXT"}, past: hold(undid(records.KindSPF, spfKey, []string{"all=~"}, []string{"redirect=good.example"})), open: []string{"spf-narrow"},
			d:    domain(declareSPF("v=spf1 mx ~all")),
			want: lines("today @ TXT: v=spf1 mx redirect=good.example", "rolled-back held @ TXT: v=spf1 mx ~all"),
		},
		"a sender makes no room for one that doesn't come": {
			live: []string{"@ 300 TXT v=spf1 include:old.example ~all"}, owned: []string{"spf @ TXT"}, past: added, open: []string{"spf-narrow"},
			d:    domain(declareSPF("v=spf1 include:bad.example ~all")),
			want: lines("today @ TXT: v=spf1 include:old.example ~all", "rolled-back held @ TXT: v=spf1 include:bad.example ~all"),
		},
		"an override": {
			live: []string{"@ 300 TXT v=spf1 include:old.example ~all"}, owned: []string{"spf @ TXT"}, past: added, open: []string{"rolled-back"},
			d: domain(declareSPF("v=spf1 include:old.example include:bad.example ~all")),
			want: lines("today @ TXT: v=spf1 include:old.example include:bad.example ~all",
				"rolled-back overridden @ TXT: v=spf1 include:old.example include:bad.example ~all"),
		},
		"the merge of two records": {
			live: []string{"@ 300 TXT v=spf1 a ~all", "@ 300 TXT v=spf1 mx ~all"}, owned: none(), past: hold(undid(records.KindSPF, spfKey, nil, []string{"records=2"})),
			d:    domain(declareSPF("v=spf1 a mx ~all")),
			want: lines("today @ TXT: v=spf1 a ~all", "today @ TXT: v=spf1 mx ~all", "rolled-back held @ TXT: v=spf1 a mx ~all"),
		},
		"a host": {
			live: []string{"@ 300 MX 10 old.example"}, owned: []string{"mx @ MX"}, past: hold(undid(records.KindMX, mxKey, []string{"5 bad.example"}, nil)),
			d:    domain(declareMX("5 bad.example", "7 good.example", "10 old.example")),
			want: lines("today @ MX: 10 old.example", "today @ MX: 7 good.example", "rolled-back held @ MX: 10 old.example | 5 bad.example | 7 good.example"),
		},
		"a host makes no room for one that doesn't come": {
			live: []string{"@ 300 MX 10 old.example"}, owned: []string{"mx @ MX"}, past: hold(undid(records.KindMX, mxKey, []string{"5 bad.example"}, nil)), open: []string{"mx-cutover"},
			d: domain(declareMX("5 bad.example")), want: lines("today @ MX: 10 old.example", "rolled-back held @ MX: 5 bad.example"),
		},
		"a null MX that was undone": {
			live: []string{"@ 300 MX 10 old.example"}, owned: []string{"mx @ MX"}, past: hold(undid(records.KindMX, mxKey, []string{"0 ."}, []string{"10 old.example"})), open: []string{"mx-cutover"},
			d: domain(nullMX), want: lines("today @ MX: 10 old.example", "rolled-back held @ MX: 0 ."),
		},
		"reports elsewhere are undone, the rest of the record goes on": {
			live: []string{"_dmarc 300 TXT v=DMARC1; p=reject; rua=mailto:old@a.example"}, owned: []string{"dmarc _dmarc TXT"},
			past: hold(undid(records.KindDMARC, dmarcKey, []string{"rua=mailto:bad@a.example"}, []string{"rua=mailto:old@a.example"})), d: domain(declareDMARC("v=DMARC1; p=reject; rua=mailto:bad@a.example; fo=1")),
			want: lines("today _dmarc TXT: v=DMARC1; p=reject; rua=mailto:old@a.example; fo=1", "rolled-back held _dmarc TXT: v=DMARC1; p=reject; rua=mailto:bad@a.example; fo=1"),
		},
		"a policy, its gate open": {
			live: []string{"_dmarc 300 TXT v=DMARC1; p=none"}, owned: []string{"dmarc _dmarc TXT"}, open: []string{"dmarc-ramp"},
			past: hold(undid(records.KindDMARC, dmarcKey, []string{"p=quarantine", "pct=25", "t=y"}, []string{"p=none"})), d: domain(reject()),
			want: lines("today _dmarc TXT: v=DMARC1; p=none", "rolled-back held _dmarc TXT: v=DMARC1; p=quarantine; pct=25; t=y"),
		},
		"a policy, its gate closed": {
			live: []string{"_dmarc 300 TXT v=DMARC1; p=none"}, owned: []string{"dmarc _dmarc TXT"},
			past: hold(undid(records.KindDMARC, dmarcKey, []string{"p=quarantine", "pct=25", "t=y"}, []string{"p=none"})), d: domain(reject()),
			want: lines("today _dmarc TXT: v=DMARC1; p=none", "dmarc-ramp unknown _dmarc TXT: v=DMARC1; p=quarantine; pct=25; t=y"),
		},
		"another set": {
			live: []string{"@ 300 TXT v=spf1 include:old.example ~all"}, owned: []string{"spf @ TXT"}, past: hold(undid(records.KindSPF, key("sub", "TXT"), []string{"include:bad.example"}, nil)),
			d:    domain(declareSPF("v=spf1 include:old.example include:bad.example ~all")),
			want: "today @ TXT: v=spf1 include:old.example include:bad.example ~all",
		},
		"another domain's": {
			live: []string{"@ 300 TXT v=spf1 include:old.example ~all"}, owned: []string{"spf @ TXT"},
			past: func(s *plan.State) {
				s.Holds = []plan.RolledBack{undid(records.KindSPF, spfKey, []string{"include:bad.example"}, nil)}
				s.Holds[0].Domain = "b.example"
			},
			d:    domain(declareSPF("v=spf1 include:old.example include:bad.example ~all")),
			want: "today @ TXT: v=spf1 include:old.example include:bad.example ~all",
		},
	})
}

// TestRolledBackIsLifted: the hold stays while the declaration contains the
// change, today or behind a gate, and is forgotten when it doesn't.
func TestRolledBackIsLifted(t *testing.T) {
	t.Parallel()
	live := zone(t, "@ 300 TXT v=spf1 include:old.example ~all", "_dmarc 300 TXT v=DMARC1; p=none")
	state := plan.State{
		Owned: own(t, live, apex, "spf @ TXT", "dmarc _dmarc TXT"),
		Holds: []plan.RolledBack{
			undid(records.KindSPF, key("@", "TXT"), []string{"include:bad.example"}, nil),
			undid(records.KindDMARC, key("_dmarc", "TXT"), []string{"p=quarantine"}, []string{"p=none"}),
		},
	}
	for name, c := range map[string]struct {
		d    *records.Domain
		want int
	}{
		"both are still declared": {domain(declareSPF("v=spf1 include:old.example include:bad.example ~all"), reject()), 2},
		"neither is":              {domain(declareSPF("v=spf1 include:old.example ~all"), declareDMARC("v=DMARC1; p=none")), 0},
		"one behind its gate":     {domain(declareSPF("v=spf1 include:old.example ~all"), reject()), 1},
		"nothing is declared":     {domain(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := policy.Limit(policy.Input{Domain: c.d, Live: live, Past: state.Index(), Clock: at(noon)}).Holds
			if len(got) != c.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestR19SecondRollbackDoesNothing, and the fault does not come back by itself:
// not by the next apply, nor by one that changes something else; when the
// declaration no longer contains it, the hold is gone.
func TestR19SecondRollbackDoesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(zone(t, "@ 3600 TXT v=spf1 include:one.example ~all", "@ 3600 TXT v=spf1 include:two.example ~all", "@ 3600 TXT token"),
		domain(declareSPF("v=spf1 include:one.example include:two.example include:bad.example ~all")))
	first := w.live
	w.apply()
	w.pass(day)
	way := w.rollback(0, plan.RestoreOptions{})
	if len(way.Conflicts) > 0 || len(way.Domains[apex]) != 1 {
		t.Fatalf("%+v", way)
	}
	back, _ := w.live.Set(key("@", "TXT"))
	if then, _ := first.Set(key("@", "TXT")); !back.SameValues(then) || back.TTL != 300 {
		t.Fatalf("restored %v", back)
	}
	if again := w.rollback(0, plan.RestoreOptions{}); len(again.Domains)+len(again.Conflicts)+len(again.Holds) > 0 {
		t.Fatalf("a second rollback: %+v", again)
	}
	w.pass(day)
	if got := w.show(); !strings.Contains(got, "rolled-back") || strings.Contains(got, "ready change") {
		t.Fatalf("the next apply:\n%s", got)
	}
	w.apply()
	if now, _ := w.live.Set(key("@", "TXT")); !now.SameValues(back) {
		t.Fatalf("the fault came back: %v", now)
	}
	if len(w.state.Holds) != 1 {
		t.Fatalf("holds %+v", w.state.Holds)
	}
	// To undo the rollback, go to the state after the first apply.
	w.rollback(1, plan.RestoreOptions{})
	if now, _ := w.live.Set(key("@", "TXT")); !now.Has("v=spf1 include:one.example include:two.example include:bad.example ~all") || !now.Has("token") || len(now.Values) != 2 {
		t.Fatalf("the rollback undone: %v", now)
	}
}

// TestRollbackOfALoosening tightens, and the loosening is held like any undone
// change.
func TestRollbackOfALoosening(t *testing.T) {
	t.Parallel()
	w := newWorld(zone(t, "_dmarc 300 TXT v=DMARC1; p=reject"), domain(reject()))
	w.apply()
	w.domains[0] = domain(declareDMARC("v=DMARC1; p=none"))
	w.step(t, "ready change _dmarc TXT: 300 v=DMARC1; p=none")
	way := w.rollback(1, plan.RestoreOptions{})
	if c := way.Domains[apex]; len(c) != 1 || !plan.Tightens(c[0]) {
		t.Fatalf("%+v", way)
	}
	w.step(t, "held change _dmarc TXT: 300 v=DMARC1; p=none (rolled-back)")
}
