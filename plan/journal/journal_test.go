package journal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/records"
	"github.com/google/go-cmp/cmp"
)

const zone records.Name = "a.example"

var start = time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC)

// clock is the real clock, so many minutes after the start.
func clock(minutes int) plan.Clock {
	return plan.Clock{Now: start.Add(time.Duration(minutes) * time.Minute)}
}

// rehearsal is a clock that is fixed at so many minutes after the start, while
// the real time is so many minutes after it.
func rehearsal(fixed, real int) plan.Clock {
	return plan.Clock{Now: clock(fixed).Now, Wall: clock(real).Now, Fixed: true}
}

func key(name records.Name, t records.Type) records.Key { return records.Key{Name: name, Type: t} }

func txt(name records.Name, ttl records.TTL, values ...records.Value) records.RRset {
	return records.NewRRset(key(name, records.TypeTXT), ttl, values...)
}

func zoneOf(sets ...records.RRset) records.Zone { return records.NewZone(zone, 900, sets...) }

func owned(kind records.Kind, name records.Name, value records.Value) plan.Owned {
	return plan.Owned{Domain: zone, Kind: kind, Name: name, Type: records.TypeTXT, Value: value}
}

// setOf is the contents of a record set, nil where it is empty.
func setOf(s records.RRset) *plan.Set {
	if len(s.Values) == 0 {
		return nil
	}
	return &plan.Set{TTL: s.TTL, Values: s.Values}
}

// item is a change of one set; declared is the TTL that it returns to.
func item(kind records.Kind, before, after records.RRset, declared records.TTL) journal.Item {
	c := plan.Change{Name: after.Name, Type: after.Type, Kind: kind, Step: plan.StepChange, Before: setOf(before), After: setOf(after)}
	if declared != 0 {
		c.Declared = &plan.Set{TTL: declared, Values: after.Values}
	}
	return journal.Item{Domain: zone, Change: c}
}

func policyOf(n int) records.RRset {
	return txt("_dmarc.a.example", 3600, records.Value(fmt.Sprintf("v=DMARC1; p=none; rua=mailto:%d@a.example", n)))
}

// step is the n-th run of a story: each replaces one DMARC record by another.
func step(n int, c plan.Clock) journal.Intent {
	before, after := policyOf(n-1), policyOf(n)
	return journal.Intent{
		Header:      journal.Header{Zone: zone, Run: fmt.Sprintf("20261124T1900%02dZ-run", n), Time: c.Moment()},
		Command:     journal.CommandApply,
		Actor:       "ann",
		Domains:     []records.Name{zone},
		Provider:    journal.Target{Type: "rfc2136", Name: "main", Values: map[string][]string{"server": {"127.0.0.1:53"}}, Env: map[string]string{"key": "TSIG_KEY"}},
		Items:       []journal.Item{item(records.KindDMARC, before, after, 3600)},
		Declared:    []plan.Owned{owned(records.KindDMARC, "_dmarc.a.example", after.Values[0])},
		Expected:    journal.Expected{Domains: []plan.DomainState{{Domain: zone, Applied: c.Moment(), Policy: "p=none", Since: c.Moment()}}},
		Snapshot:    zoneOf(before, txt(zone, 300, "v=spf1 -all", "foreign")).Sets(),
		NegativeTTL: 900,
	}
}

// after is the zone when step n is done.
func after(n int) records.Zone {
	return zoneOf(policyOf(n), txt(zone, 300, "v=spf1 -all", "foreign"))
}

// run does step n, from the head to the outcome.
func run(t testing.TB, j *journal.Journal, n int) (journal.Intent, journal.Outcome) {
	t.Helper()
	ctx := context.Background()
	prev, head, err := j.State(ctx, zone)
	if err != nil {
		t.Fatal(err)
	}
	in, err := j.Begin(ctx, head, step(n, clock(n)))
	if err != nil {
		t.Fatal(err)
	}
	out := journal.Conclude(prev, in, after(n), clock(n), "")
	if _, err := j.Finish(ctx, in, out); err != nil {
		t.Fatal(err)
	}
	return in, out
}

// story is a journal in s with n finished entries.
func story(t testing.TB, s store.Store, n int) *journal.Journal {
	t.Helper()
	j := journal.Open(s)
	for i := range n {
		run(t, j, i+1)
	}
	return j
}

func memory() *store.Memory { return store.NewMemory() }

func verify(t testing.TB, j *journal.Journal) []*journal.DamageError {
	t.Helper()
	damage, err := j.Verify(context.Background(), zone)
	if err != nil {
		t.Fatal(err)
	}
	return damage
}

func TestAnEmptyJournalKnowsNothing(t *testing.T) {
	t.Parallel()
	j := journal.Open(memory())
	state, head, err := j.State(t.Context(), zone)
	if err != nil || !head.Absent() || head.Pending != nil || state.Seq != 0 {
		t.Errorf("state %+v, head %+v, error %v", state, head, err)
	}
	if zones, err := j.Zones(t.Context()); err != nil || len(zones) > 0 {
		t.Errorf("zones %v, error %v", zones, err)
	}
	for range j.Entries(t.Context(), zone) {
		t.Error("an empty journal has an entry")
	}
}

func TestWhatIsStoredIsReadBack(t *testing.T) {
	t.Parallel()
	s := memory()
	j := story(t, s, 2)
	in, out := run(t, j, 3)
	if in.Seq != 3 || in.ID() != "a.example/3" || out.Result != journal.Done {
		t.Errorf("the third entry is %s, %s", in.ID(), out.Result)
	}
	state, head, err := journal.Open(s).State(t.Context(), zone)
	if err != nil {
		t.Fatal(err)
	}
	if head.Seq != 3 || head.Pending != nil || head.Absent() {
		t.Errorf("head %+v", head)
	}
	if diff := cmp.Diff(out.State, state); diff != "" {
		t.Errorf("the state differs (-stored +read):\n%s", diff)
	}
	e, err := j.Entry(t.Context(), zone, 3)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, *e.Intent); diff != "" {
		t.Errorf("the intent differs (-stored +read):\n%s", diff)
	}
	if e.Outcome.Intent != in.Digest || e.Outcome.Digest != head.Digest || e.Run() != in.Run {
		t.Errorf("the chain is not linked: %+v", e.Outcome.Header)
	}
	if damage := verify(t, j); len(damage) > 0 {
		t.Errorf("damage: %v", damage)
	}
}

func TestAnEntryBeginsOnceAndOnlyOnAFinishedHead(t *testing.T) {
	t.Parallel()
	s := memory()
	j := story(t, s, 1)
	_, head, err := j.State(t.Context(), zone)
	if err != nil {
		t.Fatal(err)
	}
	first, err := j.Begin(t.Context(), head, step(2, clock(2)))
	if err != nil {
		t.Fatal(err)
	}
	late := step(2, clock(2))
	late.Run = "another run"
	if _, err := j.Begin(t.Context(), head, late); !errors.Is(err, journal.ErrTaken) || !strings.Contains(err.Error(), first.Run) {
		t.Errorf("beginning the same entry: %v, want ErrTaken and whose it is", err)
	}
	state, head, err := j.State(t.Context(), zone)
	if err != nil || head.Pending == nil || head.Pending.Run != first.Run || head.Seq != 2 || state.Seq != 1 {
		t.Fatalf("state of entry %d, head %+v, error %v", state.Seq, head, err)
	}
	if _, err := j.Begin(t.Context(), head, late); !errors.Is(err, journal.ErrPending) {
		t.Errorf("beginning after a pending entry: %v", err)
	}
}

func TestARunStopsWhenAnotherHasRecoveredIt(t *testing.T) {
	t.Parallel()
	j := story(t, memory(), 1)
	prev, head, _ := j.State(t.Context(), zone)
	in, err := j.Begin(t.Context(), head, step(2, clock(2)))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Unfinished(t.Context(), in); err != nil {
		t.Errorf("a run that may go on is stopped: %v", err)
	}
	out := journal.Recover(prev, in, after(1), clock(5), "recoverer")
	head, err = j.Finish(t.Context(), in, out)
	if err != nil || out.Result != journal.Failed || out.RecoveredBy != "recoverer" || out.Error == "" {
		t.Fatalf("recovered as %s by %q (%q), error %v", out.Result, out.RecoveredBy, out.Error, err)
	}
	if err := j.Unfinished(t.Context(), in); !errors.Is(err, journal.ErrTaken) {
		t.Errorf("the dead run may go on: %v", err)
	}
	if _, err := j.Finish(t.Context(), in, journal.Conclude(prev, in, after(2), clock(6), "")); !errors.Is(err, journal.ErrTaken) {
		t.Errorf("the dead run finishes: %v", err)
	}
	if _, err := j.Begin(t.Context(), head, step(3, clock(7))); err != nil {
		t.Errorf("the next entry on the recovered one: %v", err)
	}
	if damage := verify(t, j); len(damage) > 0 {
		t.Errorf("damage: %v", damage)
	}
}

func TestAnEntryIsNeverDatedBeforeTheOneBefore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, second plan.Clock
		want          time.Time
		wall          bool
	}{
		"a clock that goes on":             {clock(0), clock(5), clock(5).Now, false},
		"a clock set back":                 {clock(10), clock(5), clock(10).Now, false},
		"a rehearsal of the past":          {clock(10), rehearsal(5, 20), clock(10).Now, true},
		"the real clock after a rehearsal": {rehearsal(600, 3), clock(5), clock(5).Now, false},
		"a rehearsal set back":             {rehearsal(600, 3), rehearsal(60, 2), clock(600).Now, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := journal.Open(memory())
			in, err := j.Begin(t.Context(), journal.Head{Zone: zone}, step(1, c.first))
			if err != nil {
				t.Fatal(err)
			}
			head, err := j.Finish(t.Context(), in, journal.Conclude(plan.State{}, in, after(1), c.first, ""))
			if err != nil {
				t.Fatal(err)
			}
			second, err := j.Begin(t.Context(), head, step(2, c.second))
			if err != nil {
				t.Fatal(err)
			}
			if !second.Time.At.Equal(c.want) || (second.Time.Wall != nil) != c.wall {
				t.Errorf("the second entry is dated %+v, want %s, rehearsed: %t", second.Time, c.want, c.wall)
			}
			if c.wall && second.Time.Wall.Before(clock(0).Now) {
				t.Errorf("the real time went back: %s", second.Time.Wall)
			}
			out := journal.Conclude(plan.State{}, second, after(2), clock(-60), "")
			if out.Time.At.Before(second.Time.On(clock(0))) || !out.State.At.At.Equal(out.Time.At) {
				t.Errorf("the outcome is dated %s, before its intent", out.Time.At)
			}
		})
	}
}

func TestBeginRefusesWhatCanNotBeAnEntry(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(in *journal.Intent){
		"zone":     func(in *journal.Intent) { in.Zone = "b.example" },
		"run id":   func(in *journal.Intent) { in.Run = "" },
		"no time":  func(in *journal.Intent) { in.Time = plan.Moment{} },
		"TSIG_KEY": func(in *journal.Intent) { in.Provider.Values["key"] = []string{"secret"} },
		"SUPPORT": func(in *journal.Intent) {
			in.Notify = []journal.Target{{Type: "notify", Name: "x", Values: map[string][]string{"url": {"secret"}}, Env: map[string]string{"url": "SUPPORT"}}}
		},
	} {
		s := memory()
		in := step(1, clock(0))
		change(&in)
		_, err := journal.Open(s).Begin(t.Context(), journal.Head{Zone: zone}, in)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v, want one about %s", err, want)
		}
		if objects, _ := s.List(t.Context(), store.Query{}); len(objects) > 0 {
			t.Errorf("a refused intent was stored: %v", objects)
		}
	}
}

// counting counts requests.
type counting struct {
	store.Store
	mu sync.Mutex
	n  int
}

func (c *counting) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

func (c *counting) Create(ctx context.Context, name string, data []byte) error {
	c.count()
	return c.Store.Create(ctx, name, data)
}

func (c *counting) Read(ctx context.Context, name string) ([]byte, error) {
	c.count()
	return c.Store.Read(ctx, name)
}

func (c *counting) List(ctx context.Context, q store.Query) ([]string, error) {
	c.count()
	return c.Store.List(ctx, q)
}

func TestStateTakesTheSameRequestsHoweverLongTheHistory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		entries int
		pending bool
		want    int
	}{{1, false, 2}, {1000, false, 2}, {1, true, 4}, {1000, true, 4}} {
		s := &counting{Store: memory()}
		j := story(t, s, c.entries)
		if c.pending {
			_, head, _ := j.State(t.Context(), zone)
			if _, err := j.Begin(t.Context(), head, step(c.entries+1, clock(c.entries+1))); err != nil {
				t.Fatal(err)
			}
		}
		s.n = 0
		state, head, err := j.State(t.Context(), zone)
		if err != nil || state.Seq != uint64(c.entries) || (head.Pending != nil) != c.pending {
			t.Fatalf("%+v: state of entry %d, head %+v, error %v", c, state.Seq, head, err)
		}
		if s.n != c.want {
			t.Errorf("%+v: %d requests", c, s.n)
		}
		s.n = 0
		if _, err := j.Begin(t.Context(), journal.Head{Zone: zone, Seq: 5000}, step(1, clock(0))); err != nil || s.n != 1 {
			t.Errorf("beginning takes %d requests, error %v", s.n, err)
		}
	}
}

// answers is a store whose creates fail in a given way.
type answers struct {
	store.Store
	lose  bool  // the create happens, its answer is an error
	deny  bool  // the create doesn't happen
	blind error // what reads answer
}

var errTimeout = errors.New("timeout")

func (a *answers) Create(ctx context.Context, name string, data []byte) error {
	switch {
	case a.deny:
		return errTimeout
	case a.lose:
		if err := a.Store.Create(ctx, name, data); err != nil {
			return err
		}
		return errTimeout
	default:
		return a.Store.Create(ctx, name, data)
	}
}

func (a *answers) Read(ctx context.Context, name string) ([]byte, error) {
	if a.blind != nil {
		return nil, a.blind
	}
	return a.Store.Read(ctx, name)
}

// TestProperty4AnAmbiguousAnswerIsReadBack: a lost answer to our own create is
// success, one that another run's object answers is not.
func TestProperty4AnAmbiguousAnswerIsReadBack(t *testing.T) {
	t.Parallel()
	s := &answers{Store: memory(), lose: true}
	j := journal.Open(s)
	in, err := j.Begin(t.Context(), journal.Head{Zone: zone}, step(1, clock(0)))
	if err != nil {
		t.Fatalf("a lost answer: %v", err)
	}
	if again, err := j.Begin(t.Context(), journal.Head{Zone: zone}, step(1, clock(0))); err != nil || again.Digest != in.Digest {
		t.Errorf("a repeated request of the same run: %v", err)
	}
	other := step(1, clock(0))
	other.Run = "other"
	if _, err := j.Begin(t.Context(), journal.Head{Zone: zone}, other); !errors.Is(err, journal.ErrTaken) {
		t.Errorf("another run's entry: %v", err)
	}
	out := journal.Conclude(plan.State{}, in, after(1), clock(1), "")
	head, err := j.Finish(t.Context(), in, out)
	if err != nil || head.Seq != 1 {
		t.Fatalf("a lost answer: %v", err)
	}
	s.lose, s.deny = false, true
	if _, err := j.Begin(t.Context(), head, step(2, clock(2))); !errors.Is(err, errTimeout) || errors.Is(err, journal.ErrTaken) {
		t.Errorf("a create that did not happen: %v", err)
	}
	s.blind = errors.New("unreachable")
	if _, err := j.Begin(t.Context(), head, step(2, clock(2))); !errors.Is(err, s.blind) || !strings.Contains(err.Error(), "not known") {
		t.Errorf("a create of which nothing is known: %v", err)
	}
	if err := j.Unfinished(t.Context(), in); !errors.Is(err, s.blind) {
		t.Errorf("a run that can't ask goes on: %v", err)
	}
}

func TestAnInterruptedRunStillLearnsWhetherItsEntryWasStored(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := &interrupting{Store: memory(), cancel: cancel}
	in, err := journal.Open(s).Begin(ctx, journal.Head{Zone: zone}, step(1, clock(0)))
	if err != nil || in.Seq != 1 {
		t.Errorf("the intent was stored, but Begin says %v", err)
	}
}

// interrupting cancels the run's context when an object has been created.
type interrupting struct {
	store.Store
	cancel context.CancelFunc
}

func (i *interrupting) Create(ctx context.Context, name string, data []byte) error {
	if err := i.Store.Create(ctx, name, data); err != nil {
		return err
	}
	i.cancel()
	return ctx.Err()
}

func TestAnUnreadableJournalIsAnError(t *testing.T) {
	t.Parallel()
	s := &answers{Store: memory()}
	j := story(t, s, 2)
	s.blind = errors.New("unreachable")
	state, head, err := j.State(t.Context(), zone)
	if !errors.Is(err, s.blind) || state.Seq != 0 || head.Seq != 0 {
		t.Errorf("state %d, head %d, error %v", state.Seq, head.Seq, err)
	}
	if _, err := j.Verify(t.Context(), zone); !errors.Is(err, s.blind) {
		t.Errorf("verify: %v", err)
	}
	if _, err := j.Find(t.Context(), "2026"); !errors.Is(err, s.blind) {
		t.Errorf("find: %v", err)
	}
}

func TestLockTellsWhoHoldsTheZone(t *testing.T) {
	t.Parallel()
	j := journal.Open(memory())
	by := journal.Holder{Run: "20261124T190000Z-12345678", Actor: "ann", Host: "build", PID: 42, Since: clock(0).Moment()}
	lock, err := j.Lock(t.Context(), zone, by)
	if err != nil {
		t.Fatal(err)
	}
	_, err = j.Lock(t.Context(), zone, journal.Holder{Run: "other"})
	var held *journal.HeldError
	if !errors.As(err, &held) || held.Holder != by {
		t.Fatalf("the second lock: %v", err)
	}
	want := "run 20261124T190000Z-12345678 of ann works on a.example since 19:00:00 UTC (process 42 on build)"
	if err.Error() != want {
		t.Errorf("it says %q, want %q", err, want)
	}
	if _, err := j.Lock(t.Context(), "b.example", by); err != nil {
		t.Errorf("another zone: %v", err)
	}
	if err := lock.Release(); err != nil || lock.Valid() == nil {
		t.Errorf("released: %v, valid: %v", err, lock.Valid())
	}
}

func TestRunIDsSortByTime(t *testing.T) {
	t.Parallel()
	a := journal.RunID(start, [4]byte{0xff, 0, 0, 1})
	b := journal.RunID(start.Add(time.Second), [4]byte{})
	if a != "20261124T190000Z-ff000001" || a >= b {
		t.Errorf("run ids %s, %s", a, b)
	}
}

func BenchmarkState(b *testing.B) {
	for _, entries := range []int{1, 1000} {
		b.Run(fmt.Sprint(entries), func(b *testing.B) {
			j := story(b, memory(), entries)
			for b.Loop() {
				if _, _, err := j.State(b.Context(), zone); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
