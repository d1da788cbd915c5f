package apply_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// life is a zone over weeks: configurations come and go, runs fail and die,
// rollbacks are made, and strangers edit their own values.
type life struct {
	*world
	rt        *rapid.T
	strangers map[records.Key]map[records.Value]bool // what others have put there
	caches    caches
	applying  bool     // and not rolling back, which waits for nothing
	early     []string // what was replaced before its time
	log       []string
}

// caches is how long the caches of the world may hold a value.
type caches map[cached]time.Time

type cached struct {
	key   records.Key
	value records.Value
	ttl   records.TTL
}

// watch is told of each write. A value that an apply replaces is in no cache
// any more with a TTL that would let it outlive the change by more than
// ttl_change.
func (l *life) watch(before, after records.Zone) {
	for _, key := range []records.Key{txtKey(rptName), txtKey("_smtp._tls.b.a.example"), txtKey("x.a.example")} {
		was, _ := before.Set(key)
		now, _ := after.Set(key)
		for _, v := range was.Values {
			l.caches[cached{key, v, was.TTL}] = l.now
			if now.Has(v) || !l.applying {
				continue
			}
			for c, served := range l.caches {
				if c.key == key && c.value == v && c.ttl > 300 && l.now.Before(served.Add(time.Duration(c.ttl)*time.Second)) {
					l.early = append(l.early, fmt.Sprintf("%q at %s is replaced, and was served with TTL %d until %s", v, key, c.ttl, served))
				}
			}
		}
	}
}

// TestProperty345ALifeWithFaults: whatever happens to its runs, strangers' values
// survive, the journal is true, nothing is replaced that caches still hold for
// long, and a run that nothing disturbs ends with nothing to do.
func TestProperty345ALifeWithFaults(t *testing.T) {
	t.Parallel()
	for host, limits := range hosts() {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) { live(t, rt, limits) })
		})
	}
}

func live(t *testing.T, rt *rapid.T, limits provider.Limits) {
	l := &life{world: newWorld(t, subZone()), rt: rt, strangers: map[records.Key]map[records.Value]bool{}}
	l.t = fatal{t, rt, l}
	l.host.limits, l.caches, l.host.watch = limits, caches{}, l.watch
	l.stranger(txtKey(zoneA), token, true)
	for range rapid.IntRange(1, 12).Draw(rt, "actions") {
		switch rapid.SampledFrom([]string{"apply", "apply", "apply", "rollback", "edit", "unlock"}).Draw(rt, "action") {
		case "apply":
			l.applyAny()
		case "rollback":
			l.rollbackAny()
		case "edit":
			l.editAny()
		case "unlock":
			p := l.process(l.anyFault())
			r := p.run.Unlock(t.Context(), p.zone(zoneA))
			l.note("unlock: status %d, %v", r.Status, r.Err)
			l.reboot()
		}
		l.after(rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour + time.Minute, 25 * time.Hour}).Draw(rt, "pause"))
	}
	l.settles()
	if len(l.early) > 0 {
		l.t.Fatal(l.early)
	}
}

// fatal makes failures of the world failures of the check, with its log.
type fatal struct {
	testing.TB
	rt   *rapid.T
	life *life
}

func (f fatal) Fatalf(format string, args ...any) {
	f.Helper()
	f.rt.Fatalf("%s\n%v", fmt.Sprintf(format, args...), f.life)
}
func (f fatal) Errorf(format string, args ...any) { f.Fatalf(format, args...) }
func (f fatal) Fatal(args ...any)                 { f.Fatalf("%s", fmt.Sprint(args...)) }

func (l *life) note(format string, args ...any) {
	l.log = append(l.log, l.now.Format("02 15:04 ")+fmt.Sprintf(format, args...))
}

func (l *life) String() string {
	out := ""
	for _, line := range l.log {
		out += line + "\n"
	}
	return out
}

// anyFault is a fault at some call, or none.
func (l *life) anyFault() hook {
	if rapid.Bool().Draw(l.rt, "undisturbed") {
		return plainly
	}
	f := &fault{
		at: rapid.IntRange(0, 25).Draw(l.rt, "at"), late: rapid.Bool().Draw(l.rt, "late"), crash: rapid.Bool().Draw(l.rt, "crash"),
	}
	l.note("%s", f)
	return func(call string, do func() error) error {
		err := f.hook(call, do)
		if len(f.calls) == f.at+1 {
			l.note("%s", f)
		}
		return err
	}
}

// anyConfiguration declares both domains of the zone, somehow.
func (l *life) anyConfiguration() []*records.Domain {
	draw := func(name string, choices ...func(*records.Domain)) func(*records.Domain) {
		return choices[rapid.IntRange(0, len(choices)-1).Draw(l.rt, name)]
	}
	none := func(*records.Domain) {}
	return domains(
		domain(zoneA,
			draw("spf", none, withSPF("_spf.one.example"), withSPF("_spf.one.example", "_spf.two.example")),
			draw("rpt", none, withRPT("old"), withRPT("new"), withRPT("third")),
			draw("dmarc", none, withDMARC),
			draw("x", none, withRecord("x", "one"), withRecord("x", "two"), withRecord("x", "one", "two"))),
		domain(sub, draw("sub rpt", withRPT("old"), withRPT("new")), draw("sub x", none, withRecord("x", "one"))),
	)
}

func (l *life) applyAny() {
	config := l.anyConfiguration()
	l.note("apply %s", describe(config))
	l.applying = true
	r := l.process(l.anyFault()).apply(config...)
	l.note("status %d: %v", r.Status, r.Err)
	l.reboot()
}

func describe(config []*records.Domain) string {
	out := ""
	for _, d := range config {
		out += string(d.Name) + ":"
		for _, v := range d.Declared() {
			out += fmt.Sprintf(" %s %q", v.Key.Name, v.Value)
		}
		out += "; "
	}
	return out
}

func (l *life) rollbackAny() {
	_, head := l.state(zoneA)
	to := entry(rapid.Uint64Range(0, head.Seq).Draw(l.rt, "to"))
	if to.Seq == 0 && head.Seq == 0 {
		return
	}
	l.note("rollback to %s", to)
	l.applying = false
	p := l.process(l.anyFault())
	job := p.rollbackJob(to)
	forced(&job)
	if rapid.Bool().Draw(l.rt, "exact") {
		exactly(&job)
	}
	r := p.run.Rollback(l.rt.Context(), job)
	l.note("status %d: %v", r.Status, r.Err)
	l.reboot()
}

// editAny lets a stranger put a value of his own somewhere, or take it away.
func (l *life) editAny() {
	key := rapid.SampledFrom([]records.Key{txtKey(zoneA), txtKey("x.a.example"), txtKey("y.a.example")}).Draw(l.rt, "key")
	v := rapid.SampledFrom([]records.Value{token, "token=other"}).Draw(l.rt, "value")
	l.stranger(key, v, rapid.Bool().Draw(l.rt, "put"))
}

func (l *life) stranger(key records.Key, v records.Value, put bool) {
	set, ok := l.zone(zoneA).Set(key)
	if !ok {
		set = txt(key.Name, 600)
	}
	if l.strangers[key] == nil {
		l.strangers[key] = map[records.Value]bool{}
	}
	// A value that an interrupted run has lost can't be taken away by hand.
	if !put && !set.Has(v) {
		return
	}
	kept := slices.DeleteFunc(slices.Clone(set.Values), func(o records.Value) bool { return o == v })
	if put {
		kept = append(kept, v)
	}
	if now, _ := l.state(zoneA); len(now.Lost) > 0 {
		return // an edit says that somebody has taken the set over as it is
	}
	if _, head := l.state(zoneA); head.Pending != nil {
		return // the same, while nobody knows yet
	}
	l.strangers[key][v] = put
	l.note("a stranger edits %s: %q, %t", key, v, put)
	l.edit(records.NewRRset(key, set.TTL, kept...))
}

// settles runs one configuration undisturbed, for as long as its steps take.
func (l *life) settles() {
	config := l.anyConfiguration()
	l.note("at last: apply %s", describe(config))
	l.applying = true
	for range 4 {
		r := l.apply(config...)
		if r.Status != apply.Done {
			l.t.Fatalf("undisturbed: status %d: %v", r.Status, r.Err)
		}
		if r.Entry != "" { // else the edits of strangers are not known
			l.truthful(zoneA, "undisturbed")
		}
		for key, values := range l.strangers {
			set, _ := l.zone(zoneA).Set(key)
			for v, there := range values {
				if there && !set.Has(v) {
					l.t.Fatalf("the stranger's %q at %s is gone", v, key)
				}
			}
		}
		l.after(25 * time.Hour)
	}
	if state, _ := l.state(zoneA); len(state.Lost) > 0 {
		l.t.Fatalf("it is still to be put back: %v", state.Lost)
	}
	n := len(l.entries(zoneA))
	if r := l.apply(config...); r.Entry != "" || len(l.entries(zoneA)) != n {
		l.t.Fatalf("it never comes to an end: entry %s", r.Entry)
	}
	if _, err := l.refs().Last(l.rt.Context(), nil); err != nil && !errors.Is(err, apply.ErrNothing) {
		l.t.Fatalf("last can't be told: %v", err)
	}
}
