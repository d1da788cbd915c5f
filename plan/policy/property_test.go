package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
	"pgregory.net/rapid"
)

// anyWorld is a zone under a declaration, sometimes with a second domain in it.
func anyWorld(t *rapid.T, tb testing.TB) *world {
	w := newWorld(zone(tb, anyLive(t)...), anyDeclaration(t))
	if chance(t, "second domain", 3) {
		w.domains = append(w.domains, subDeclaration(t))
		w.live = w.live.With(zone(tb, subLive(t)...).Sets()...)
	}
	return w
}

// history lets the world go through a random schedule: time passes,
// declarations change, gates are opened by hand, runs apply and roll back. After
// each run it calls check with the zone before it.
func (w *world) history(t *rapid.T, check func(what string, before records.Zone, written []plan.Change)) {
	for range rapid.IntRange(1, 12).Draw(t, "steps") {
		switch pick(t, "step", "apply", "apply", "apply", "pass", "pass", "declare", "open", "rollback", "edit", "narrow") {
		case "apply":
			before := w.live
			check("apply", before, w.apply())
			w.openFor()
		case "pass":
			w.pass(pick(t, "time", time.Second, 5*time.Minute, 31*time.Minute, time.Hour+30*time.Second, 25*time.Hour, 15*day))
		case "declare":
			w.domains[0] = anyDeclaration(t)
			if len(w.domains) > 1 && rapid.Bool().Draw(t, "redeclare the second") {
				w.domains[1] = subDeclaration(t)
			}
		case "open":
			w.openFor(anyGates(t)...)
		case "edit":
			w.live = w.live.With(anyEdit(t, w.live))
		case "narrow":
			if len(w.domains) > 1 {
				w.domains, w.others = w.domains[:1], w.domains[1:]
			} else {
				w.domains, w.others = append(w.domains, w.others...), nil
			}
		case "rollback":
			if len(w.entries) == 0 {
				continue
			}
			before := w.live
			opts := plan.RestoreOptions{Exact: rapid.Bool().Draw(t, "exact"), Force: true}
			var written []plan.Change
			for _, list := range w.rollback(rapid.IntRange(0, len(w.entries)-1).Draw(t, "to"), opts).Domains {
				written = append(written, list...)
			}
			check("rollback", before, written)
		}
	}
}

// anyEdit is what somebody does to a set by hand: other values of the same kind,
// or none. The TTL stays: caches would outlive what a journal can know of a
// lower one.
func anyEdit(t *rapid.T, live records.Zone) records.RRset {
	k := pick(t, "edited set", key("@", records.TypeTXT), key("_dmarc", records.TypeTXT), key("@", records.TypeMX), key("sub", records.TypeTXT), key("s1._domainkey", records.TypeTXT))
	set, exists := live.Set(k)
	if !exists {
		return set // nothing to edit
	}
	values := slices.DeleteFunc(slices.Clone(set.Values), func(v records.Value) bool {
		kind, ok := records.KindAt(k, v)
		return ok && kind != records.KindRecord
	})
	switch k.Name {
	case "_dmarc.a.example":
		values = append(values, records.Value(liveDMARC(t)))
	case "s1._domainkey.a.example":
		values = append(values, pick(t, "edited key", key1, key3, "junk"))
	default:
		if k.Type == records.TypeMX {
			values = append(values, "40 hand.example")
		} else if rapid.Bool().Draw(t, "edited spf") {
			values = append(values, records.Value(liveSPF(t)))
		}
	}
	return records.NewRRset(k, set.TTL, values...)
}

// TestProperty2NothingIsReadyAfterApply: what is left waits or is held. Where
// gates were open by hand for one run, or the run took away what a gate looks at
// (a parked domain's use, the policy above a name), that holds after the next
// one.
func TestProperty2NothingIsReadyAfterApply(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := anyWorld(rt, t)
		w.history(rt, func(what string, _ records.Zone, _ []plan.Change) {
			if what != "apply" {
				return
			}
			if w.open != nil || len(w.domains) > 1 || slices.ContainsFunc(w.domains, func(d *records.Domain) bool { return d.Parked }) {
				w.openFor()
				w.apply()
			}
			for _, d := range w.plan().Domains {
				for _, c := range d.Changes {
					if c.State == plan.Ready && !policy.Stopped(d) {
						rt.Fatalf("ready after apply: %s %s %s → %s\nbecause %v", c.Step, where(c.Key()), contents(c.Before), contents(c.After), c.Meaning)
					}
				}
			}
		})
	})
}

// TestProperty3ForeignValuesSurvive every operation.
func TestProperty3ForeignValuesSurvive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := anyWorld(rt, t)
		foreign := zone(t, foreignLines(rt, 3600)...)
		for _, s := range foreign.Sets() {
			live, ok := w.live.Set(s.Key)
			if !ok {
				live = s
			}
			w.live = w.live.With(records.NewRRset(s.Key, live.TTL, append(slices.Clone(live.Values), s.Values...)...))
		}
		w.history(rt, func(what string, _ records.Zone, _ []plan.Change) {
			for _, s := range foreign.Sets() {
				live, _ := w.live.Set(s.Key)
				for _, v := range s.Values {
					if !live.Has(v) {
						rt.Fatalf("%s took %s %q, left is %q", what, where(s.Key), v, live.Values)
					}
				}
			}
		})
	})
}

// version is what name servers gave out for a set, and until when.
type version struct {
	records.RRset
	until time.Time
}

// TestProperty5NoChangeBeforeItsLowering: a resolver that caches honestly never
// holds a value that was replaced for longer than the short TTL.
func TestProperty5NoChangeBeforeItsLowering(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := anyWorld(rt, t)
		served := map[records.Key][]version{}
		w.history(rt, func(what string, before records.Zone, written []plan.Change) {
			for _, c := range written {
				old, existed := before.Set(c.Key())
				if !existed {
					continue
				}
				served[c.Key()] = append(served[c.Key()], version{old, w.now})
				if what == "apply" && c.Step == plan.StepChange && needsLowering(c) {
					checkCaches(rt, w, c, served[c.Key()])
				}
			}
		})
	})
}

// needsLowering is the rule in other words than the program's: some value of
// ours leaves that was good for something, and what takes its place may be the
// stricter one.
func needsLowering(c plan.Change) bool {
	kinds := map[records.Kind][2][]records.Value{}
	note := func(set *plan.Set, i int) {
		if set == nil {
			return
		}
		for _, v := range set.Values {
			kind, ok := records.KindAt(c.Key(), v)
			if !ok {
				kind = records.KindRecord
			}
			pair := kinds[kind]
			pair[i] = append(pair[i], v)
			kinds[kind] = pair
		}
	}
	note(c.Before, 0)
	note(c.After, 1)
	for kind, pair := range kinds {
		if !plan.Immediate(kind, c.Type, pair[0], pair[1]) {
			return true
		}
	}
	return false
}

func checkCaches(t *rapid.T, w *world, c plan.Change, served []version) {
	settings := w.domains[0].Settings
	for _, v := range served {
		if v.TTL <= settings.TTLChange {
			continue
		}
		forgotten := v.until.Add(time.Duration(v.TTL)*time.Second + settings.Propagation)
		if forgotten.After(w.now) {
			t.Fatalf("at %s %s is changed from %s to %s, and caches may hold %q with TTL %d until %s",
				w.now, where(c.Key()), contents(c.Before), contents(c.After), v.Values, v.TTL, forgotten)
		}
	}
}

// TestProperty5OneRecordAtATime: no run publishes a second SPF or DMARC record,
// nor anything beside a CNAME.
func TestProperty5OneRecordAtATime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := anyWorld(rt, t)
		w.history(rt, func(what string, before records.Zone, written []plan.Change) {
			for _, c := range written {
				old, _ := before.Set(c.Key())
				now, _ := w.live.Set(c.Key())
				for kind, is := range map[string]func(string) bool{"SPF": spf.IsSPF, "DMARC": records.IsDMARC} {
					was, is := only(old.Values, is), only(now.Values, is)
					if what == "apply" && len(is) > 1 && !slices.Equal(was, is) {
						rt.Fatalf("%d %s records at %s: %q, before %q", len(is), kind, where(c.Key()), is, was)
					}
				}
				if sets := w.live.At(c.Name); len(sets) > 1 && slices.ContainsFunc(sets, func(s records.RRset) bool { return s.Type == records.TypeCNAME }) {
					rt.Fatalf("%s put something beside a CNAME: %v", what, sets)
				}
			}
		})
	})
}

func only(values []records.Value, is func(string) bool) []records.Value {
	return slices.DeleteFunc(slices.Clone(values), func(v records.Value) bool { return !is(string(v)) })
}

// TestProperty5NothingTightensWithoutAGate: whatever an apply withdraws or makes
// stricter, a gate was asked and let it through.
func TestProperty5NothingTightensWithoutAGate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := anyWorld(rt, t)
		w.history(rt, func(what string, before records.Zone, written []plan.Change) {
			if what != "apply" {
				return
			}
			for _, c := range written {
				for _, loss := range losses(w, before, c) {
					if !slices.ContainsFunc(c.Gates, func(g plan.GateVerdict) bool { return g.Opens() && slices.Contains(loss.gates, g.ID) }) {
						rt.Fatalf("%s, and none of %v was asked: %s %s → %s, gates %v", loss.what, loss.gates, where(c.Key()), contents(c.Before), contents(c.After), c.Gates)
					}
				}
			}
		})
	})
}

type loss struct {
	what  string
	gates []string
}

// losses lists what a written change takes from mail, and the gates that stand
// before it. A parked domain that is not in use needs none.
func losses(w *world, before records.Zone, c plan.Change) []loss {
	old, _ := before.Set(c.Key())
	now, _ := w.live.Set(c.Key())
	for _, d := range slices.Concat(w.domains, w.others) {
		switch {
		case d.Parked && !inUse(before, d.Name):
		case c.Type == records.TypeMX && c.Name == d.Name:
			return lostHosts(old, now)
		case strings.HasSuffix(string(c.Name), "._domainkey."+string(d.Name)):
			return lostKeys(old, now)
		case c.Name == d.Name && c.Type == records.TypeTXT:
			return lostSPF(old, now)
		case c.Name == records.DMARCName(d.Name) && c.Type == records.TypeTXT:
			return lostDMARC(old, now)
		}
	}
	return nil
}

func inUse(z records.Zone, d records.Name) bool {
	mx, _ := z.Set(records.Key{Name: d, Type: records.TypeMX})
	if slices.ContainsFunc(mx.Values, func(v records.Value) bool { return v != records.NullMX }) {
		return true
	}
	txt, _ := z.Set(records.Key{Name: d, Type: records.TypeTXT})
	return len(lostSPF(txt, records.RRset{})) > 0
}

func lostHosts(old, now records.RRset) []loss {
	hosts := func(s records.RRset) map[records.Name]bool {
		out := map[records.Name]bool{}
		for _, v := range s.Values {
			if m, err := records.ParseMX(v); err == nil && !m.Null() {
				out[m.Host] = true
			}
		}
		return out
	}
	have := hosts(now)
	for h := range hosts(old) {
		if !have[h] {
			return []loss{{"the MX host " + string(h) + " goes", []string{policy.GateMXCutover, policy.GateAdoption}}}
		}
	}
	return nil
}

func lostKeys(old, now records.RRset) []loss {
	for _, v := range old.Values {
		if k, err := records.ParseDKIM(v); (old.Type == records.TypeCNAME || err == nil && k.Verifies()) && !slices.Equal(records.Parts(records.KindDKIM, old.Values), records.Parts(records.KindDKIM, now.Values)) {
			return []loss{{"a key goes", []string{policy.GateDKIMRemoval, policy.GateAdoption}}}
		}
	}
	return nil
}

func lostSPF(old, now records.RRset) []loss {
	var out []loss
	from, to := only(old.Values, spf.IsSPF), only(now.Values, spf.IsSPF)
	if len(from) == 0 || slices.Equal(from, to) {
		return nil
	}
	passed, end := passes(from)
	passing, newEnd := passes(to)
	for term := range passed {
		if !passing[term] {
			out = append(out, loss{"SPF loses " + term, []string{policy.GateNarrow, policy.GateAdoption}})
		}
	}
	if newEnd == spf.Fail && end < spf.Fail {
		out = append(out, loss{"others fail SPF", []string{policy.GateHardFail, policy.GateAdoption}})
	}
	return out
}

// passes are the terms that SPF records authorise, and their softest end.
func passes(values []records.Value) (map[string]bool, spf.Qualifier) {
	out, end := map[string]bool{}, spf.Fail
	if len(values) == 0 {
		end = spf.Neutral
	}
	for _, v := range values {
		r, _ := spf.ParseLoose(string(v))
		for _, t := range r.Live() {
			if t.Kind == spf.Redirect {
				t.Kind = spf.Include
			}
			if t.Kind != spf.All && t.Qualifier == spf.Pass {
				out[t.Key()] = true
			}
		}
		q, has := r.All()
		if _, redirects := r.Find(spf.Redirect); redirects && !has {
			q = spf.Neutral // whatever it leads to
		}
		end = min(end, q)
	}
	return out, end
}

func lostDMARC(old, now records.RRset) []loss {
	gates := []string{policy.GateRamp, policy.GateAdoption}
	from, applied := sole(old.Values)
	to, _ := sole(now.Values)
	was, is := from.Reach(), to.Reach()
	if !applied {
		was.Nonexistent, is.Nonexistent = records.Effects{}, records.Effects{} // a first record brings np
	}
	switch {
	case !is.NoStricterThan(was):
		return []loss{{"DMARC is stricter", gates}}
	case applied && (to.ADKIM.Strict() && !from.ADKIM.Strict() || to.ASPF.Strict() && !from.ASPF.Strict()):
		return []loss{{"alignment is stricter", gates}}
	case applied && len(now.Values) > 0 && len(from.RUA) > 0 && len(to.RUA) == 0:
		return []loss{{"no report comes any more", gates}}
	}
	return nil
}

// sole is the DMARC record that receivers apply.
func sole(values []records.Value) (records.DMARCRecord, bool) {
	found := only(values, records.IsDMARC)
	if len(found) != 1 {
		return records.DMARCRecord{}, false
	}
	r, err := records.ParseDMARC(string(found[0]))
	return r, err == nil && r.Reach() != records.Reach{} || err == nil && !r.Disarmed()
}

// TestProperty7LooseningIsNeverHeld: of any declaration, what authorises more or
// is looser than the live record is published today, whatever the gates hold.
func TestProperty7LooseningIsNeverHeld(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := anyWorld(rt, t)
		d := w.domains[0]
		if d.Parked || d.Removed {
			rt.Skip("a parked or removed domain is all or nothing")
		}
		today := policy.Limit(policy.Input{Domain: d, Live: w.live, Past: plan.State{}.Index(), Clock: at(noon)})
		after := plan.Overlay(w.live, plan.State{}.Index(), []plan.Today{today})
		if d.SPF != nil {
			checkWider(rt, d, after)
		}
		if d.DMARC != nil {
			checkLooser(rt, d, w.live, after)
		}
		for _, h := range today.Held {
			live, _ := w.live.Set(h.Key)
			if h.Kind == records.KindDKIM && !slices.ContainsFunc(live.Values, func(v records.Value) bool { return plan.Usable(h.Kind, h.Key.Type, v) }) && len(w.live.At(h.Key.Name)) < 2 && len(live.Values) > 0 {
				rt.Fatalf("mending %s %q is held", where(h.Key), live.Values)
			}
		}
	})
}

// checkWider: every declared term is in today's record, and so is a softer end.
func checkWider(t *rapid.T, d *records.Domain, after records.Zone) {
	set, _ := after.Set(key("@", records.TypeTXT))
	now := only(set.Values, spf.IsSPF)
	if len(now) != 1 {
		t.Fatalf("today's SPF is %q", now)
	}
	want, _ := passes([]records.Value{records.Value(d.SPF.Record.String())})
	have, end := passes(now)
	for term := range want {
		if !have[term] {
			t.Fatalf("%s is declared and not in %q", term, now)
		}
	}
	if q, has := d.SPF.Record.All(); has && end > q {
		t.Fatalf("declared %s, today %q", d.SPF.Record, now)
	}
}

// checkLooser: what of the target is below the live policy holds today. Where a
// percentage or a test flag is live, p, sp and np hang together, and the whole
// of it counts.
func checkLooser(t *rapid.T, d *records.Domain, live, after records.Zone) {
	old, _ := live.Set(key("_dmarc", records.TypeTXT))
	set, _ := after.Set(key("_dmarc", records.TypeTXT))
	from, applied := sole(old.Values)
	now, ok := sole(set.Values)
	if !ok || !applied {
		return
	}
	was, is, target := from.Reach(), now.Reach(), d.DMARC.Record.Reach()
	if target.NoStricterThan(was) && !is.NoStricterThan(target) {
		t.Fatalf("live %q, declared %q, today %q", from.Value(), d.DMARC.Record.Value(), now.Value())
	}
	if from.Pct.Written() || from.T == records.FlagYes || from.Disarmed() {
		return
	}
	for what, e := range map[string][3]records.Effects{
		"p": {was.Domain, is.Domain, target.Domain}, "sp": {was.Subdomains, is.Subdomains, target.Subdomains},
	} {
		if e[2].NoStricterThan(e[0]) && !e[1].NoStricterThan(e[2]) {
			t.Fatalf("%s: live %q, declared %q, today %q", what, from.Value(), d.DMARC.Record.Value(), now.Value())
		}
	}
	if d.DMARC.Record.ADKIM.Strict() != now.ADKIM.Strict() && now.ADKIM.Strict() || d.DMARC.Record.ASPF.Strict() != now.ASPF.Strict() && now.ASPF.Strict() {
		t.Fatalf("alignment: live %q, declared %q, today %q", from.Value(), d.DMARC.Record.Value(), now.Value())
	}
}

// TestProperty7LoosenedDeclarationsHaveNothingHeld: a declaration that only
// loosens what is live has nothing held and, where its values are looser,
// nothing that waits.
func TestProperty7LoosenedDeclarationsHaveNothingHeld(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := anySPF(rt)
		r, err := spf.Parse(text)
		if err != nil {
			rt.Fatal(err)
		}
		wider := spf.Union(spf.New(some(rt, "more", termsOf(spfTerms)...)...), r.Live(), min(end(r), pick(rt, "softer", spf.Fail, spf.SoftFail, spf.Neutral)))
		dmarc, err := records.ParseDMARC(anyTarget(rt))
		if err != nil {
			rt.Fatal(err)
		}
		looser := dmarc
		looser.Policy = min(looser.Policy, pick(rt, "looser", records.PolicyNone, records.PolicyQuarantine, records.PolicyReject))
		looser.ADKIM = ""
		live := zone(t, "@ 3600 TXT "+text, "_dmarc 3600 TXT "+dmarc.String())
		d := domain(declareSPF(wider.String()), declareDMARC(looser.String()))
		for _, c := range planned(live, plan.State{}, noon, nil, d).Domains[0].Changes {
			sameReach := looser.Reach() == dmarc.Reach() && c.Kind == records.KindDMARC
			if c.State == plan.Held || c.State == plan.Waiting && !sameReach {
				rt.Fatalf("%s %s: %s → %s (%v)", c.State, where(c.Key()), contents(c.Before), contents(c.After), c.Gates)
			}
		}
	})
}

func termsOf(words []string) []spf.Term {
	r, err := spf.Parse(spf.Version + " " + strings.Join(words, " "))
	if err != nil {
		panic(err)
	}
	return r.Terms
}

// end is the qualifier of all, or the softest where a redirect decides.
func end(r *spf.Record) spf.Qualifier {
	q, has := r.All()
	if !has {
		return spf.Neutral
	}
	return q
}

// TestProperty1InputOrderChangesNoByte: see TestPlanIsTheSameInAnyOrder; here
// over random zones, with another domain in the same zone.
func TestProperty1InputOrderChangesNoByte(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		live, a, b := zone(t, anyLive(rt)...), anyDeclaration(rt), anyDeclaration(rt)
		b.Name = "sub.a.example"
		turned := *a
		turned.MX = slices.Clone(a.MX)
		slices.Reverse(turned.MX)
		turned.Free = slices.Clone(a.Free)
		slices.Reverse(turned.Free)
		one := fmt.Sprintf("%+v", planned(live, plan.State{}, noon, nil, a, b).Domains)
		two := planned(live, plan.State{}, noon, nil, b, &turned).Domains
		slices.Reverse(two)
		if other := fmt.Sprintf("%+v", two); seal(rt, planned(live, plan.State{}, noon, nil, a, b).Domains) != seal(rt, two) {
			rt.Fatalf("one order\n%s\nthe other\n%s", one, other)
		}
	})
}

func seal(t *rapid.T, domains []plan.Domain) string {
	p, err := plan.Seal(plan.Plan{Kind: plan.KindPlan, CreatedAt: noon, Domains: domains})
	if err != nil {
		t.Fatal(err)
	}
	return p.ID
}
