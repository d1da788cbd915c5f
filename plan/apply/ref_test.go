package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/records"
)

const zoneB records.Name = "b.example"

func zoneNamed(name records.Name) records.Zone {
	return records.NewZone(name, 900, txt(name, 3600, token))
}

// inB declares a domain of the zone b.example.
func inB(name records.Name, parts ...func(*records.Domain)) *records.Domain {
	return domain(name, append(parts, func(d *records.Domain) { d.Zone = zoneB })...)
}

// run applies to several zones in one run.
func (w *world) run(jobs ...[]*records.Domain) string {
	w.t.Helper()
	p := w.process(plainly)
	for _, domains := range jobs {
		if r := p.apply(domains...); r.Status != apply.Done {
			w.t.Fatalf("%s: status %d: %v", r.Zone, r.Status, r.Err)
		}
		w.after(time.Second)
	}
	return p.run.ID
}

func points(list ...any) []apply.Point {
	var out []apply.Point
	for i := 0; i < len(list); i += 2 {
		zone, _ := list[i].(records.Name)
		seq, _ := list[i+1].(int)
		out = append(out, apply.Point{Zone: zone, Seq: uint64(seq)})
	}
	return out
}

// TestLast is the state before the newest apply run that changed values: of that
// run's zones alone, and with --domain of the domain.
func TestLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone(), zoneNamed(zoneB))
	check := func(when string, want []apply.Point, domains ...records.Name) {
		t.Helper()
		if got := w.last(domains...); !slices.Equal(got, want) {
			t.Errorf("%s: last of %v is %v, want %v", when, domains, got, want)
		}
	}
	check("an empty journal", nil)

	a := func(v records.Value) []*records.Domain {
		return domains(domain(zoneA, withRecord("x", v)), domain(sub, withRecord("x", v)))
	}
	w.run(a("one"), domains(inB(zoneB, withRecord("x", "one"))))
	check("one run over two zones", points(zoneA, 0, zoneB, 0))
	check("one run over two zones", points(zoneA, 0), sub)
	check("one run over two zones", points(zoneB, 0), zoneB)
	check("one run over two zones", nil, "c.example")

	w.after(time.Hour).run(domains(inB(zoneB, withRecord("x", "two"))))
	check("a later run over one of them", points(zoneB, 1))
	check("a later run over one of them", points(zoneA, 0), zoneA)
	check("a later run over one of them", points(zoneB, 1), zoneA, zoneB)

	w.after(time.Hour).run(domains(domain(zoneA, withRecord("x", "two")), domain(sub, withRecord("x", "one"))))
	check("a run that changes one domain of two", points(zoneA, 1))
	check("a run that changes one domain of two", points(zoneA, 0), sub)

	w.after(25 * time.Hour).run(domains(inB(zoneB, withRecord("x", "two"))))
	if e := w.newest(zoneB); e.Seq != 3 || len(e.Intent.Items) != 1 {
		t.Fatalf("the TTL was not restored: entry %d, %v", e.Seq, e.Intent.Items)
	}
	check("a TTL that returned changes no value", points(zoneA, 1))

	w.after(time.Minute).back(entry(1))
	check("a rollback doesn't count", points(zoneA, 1))
}

// TestLastOfARunWithoutOutcome asks the zone what the run has done, as its
// recovery will: so `last` means the same before it and after it.
func TestLastOfARunWithoutOutcome(t *testing.T) {
	t.Parallel()
	two := domain(zoneA, withRecord("x", "two"), withDMARC)
	for late, want := range map[bool]apply.Point{false: entry(0), true: entry(1)} {
		w := newWorld(t, freshZone())
		w.done(domain(zoneA, withRecord("x", "one")))
		w.after(2*time.Hour).dies("zone write", late, two)
		pending := w.last()
		p := w.process(plainly)
		if r := p.run.Unlock(t.Context(), p.zone(zoneA)); r.Status != apply.Done {
			t.Fatal(r.Err)
		}
		if recovered := w.last(); !slices.Equal(pending, []apply.Point{want}) || !slices.Equal(recovered, pending) {
			t.Errorf("it died after its write: %t; last is %v, recovered %v, want %v", late, pending, recovered, want)
		}
		w.after(time.Minute).back(want)
		if got := w.last(); !slices.Equal(got, []apply.Point{want}) {
			t.Errorf("it died after its write: %t; rolled back, last is %v", late, got)
		}
	}
	w := newWorld(t, freshZone())
	w.dies("zone write", true, two)
	refs := w.refs()
	refs.Read = func(context.Context, records.Name) (records.Zone, error) { return records.Zone{}, errFault }
	if _, err := refs.Last(t.Context(), nil); !errors.Is(err, errFault) {
		t.Errorf("the zone can't be read: %v", err)
	}
}

// TestLastBesideDamage goes no further back than can be told.
func TestLastBesideDamage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parts []string
		want  []apply.Point
		fails bool
	}{
		"the outcome of the last apply": {[]string{"-2-outcome"}, points(zoneA, 1), false},
		"the intent of the last apply":  {[]string{"-2-intent"}, nil, true},
		"both":                          {[]string{"-2-intent", "-2-outcome"}, nil, true},
		"the outcome of a rollback":     {[]string{"-3-outcome"}, points(zoneA, 1), false},
		"the intent of a rollback":      {[]string{"-3-intent"}, nil, true},
		"the intent of an adoption":     {[]string{"-4-intent"}, points(zoneA, 1), false},
		"an older entry":                {[]string{"-1-intent", "-1-outcome"}, points(zoneA, 1), false},
		"a stray object before all":     {nil, points(zoneA, 1), false},
	} {
		w := newWorld(t, subZone())
		w.done(domain(zoneA, withRecord("x", "one")))
		w.after(time.Hour).done(domain(zoneA, withRecord("x", "two")))
		w.after(time.Hour).back(entry(1))
		w.after(25 * time.Hour).only(domain(sub, withRPT("old")))
		if n := w.head(); n != 4 {
			t.Fatalf("the newest entry is %d", n)
		}
		for _, p := range c.parts {
			w.damage(p)
		}
		if c.parts == nil {
			if err := w.objects.Create(t.Context(), "zones/a.example/0-notes.txt", nil); err != nil {
				t.Fatal(err)
			}
		}
		got, err := w.refs().Last(t.Context(), nil)
		if !slices.Equal(got, c.want) || (err != nil) != c.fails || c.fails && !errors.As(err, new(*journal.DamageError)) {
			t.Errorf("%s: last is %v, want %v: %v", name, got, c.want, err)
		}
	}
}

// TestAt is the state at a moment; before the first entry the first snapshot.
func TestAt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone(), zoneNamed(zoneB))
	w.run(domains(domain(zoneA, withRecord("x", "one"))))
	w.after(time.Hour).run(domains(domain(zoneA, withRecord("x", "two"))), domains(inB("s.b.example", withRecord("x", "one"))))
	w.after(time.Hour).back(entry(1))
	first, second := w.entries(zoneA)[0].Outcome.Time.At, w.entries(zoneA)[1].Outcome.Time.At
	third := w.newest(zoneA).Outcome.Time.At
	for _, c := range []struct {
		when    string
		at      time.Time
		want    []apply.Point
		domains []records.Name
	}{
		{"long ago", start.Add(-1000 * time.Hour), points(zoneA, 0, zoneB, 0), nil},
		{"just before the first entry", first.Add(-time.Second), points(zoneA, 0, zoneB, 0), nil},
		{"at the first entry", first, points(zoneA, 1, zoneB, 0), nil},
		{"between", first.Add(time.Minute), points(zoneA, 1, zoneB, 0), nil},
		{"at the second", second, points(zoneA, 2, zoneB, 0), nil},
		{"a second later", second.Add(time.Second), points(zoneA, 2, zoneB, 1), nil},
		{"now", third, points(zoneA, 3, zoneB, 1), nil},
		{"a domain of one zone", third, points(zoneA, 3), []records.Name{zoneA}},
		{"before the domain was known", start, points(zoneB, 0), []records.Name{"s.b.example"}},
		{"the zone's own name, never applied", third, nil, []records.Name{zoneB}},
		{"nobody's", third, nil, []records.Name{"c.example"}},
	} {
		got, err := w.refs().At(t.Context(), c.at, c.domains)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s, of %v: %v, want %v: %v", c.when, c.domains, got, c.want, err)
		}
	}
}

// TestAtBesideDamage: an entry that may be the one that is meant, and can't be
// read, is not passed over.
func TestAtBesideDamage(t *testing.T) {
	t.Parallel()
	hour := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	for name, c := range map[string]struct {
		part  string
		at    time.Time
		want  []apply.Point
		fails bool
	}{
		"the time of the damaged outcome":          {"-2-outcome", hour(1), points(zoneA, 1), true},
		"before its intent":                        {"-2-outcome", hour(1).Add(-time.Minute), points(zoneA, 1), false},
		"after a later entry":                      {"-2-outcome", hour(2), points(zoneA, 3), false},
		"the outcome alone tells the time":         {"-2-intent", hour(1), points(zoneA, 2), false},
		"the newest outcome":                       {"-3-outcome", hour(3), points(zoneA, 2), true},
		"before the first entry, which is damaged": {"-1-outcome", hour(0).Add(-time.Minute), points(zoneA, 0), false},
	} {
		w := newWorld(t, freshZone())
		for i, v := range []records.Value{"one", "two", "three"} {
			w.now = hour(i)
			w.done(domain(zoneA, withRecord("x", v)))
		}
		w.now = hour(4)
		w.damage(c.part)
		got, err := w.refs().At(t.Context(), c.at, nil)
		if (err != nil) != c.fails || !c.fails && !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v: %v", name, got, c.want, err)
		}
	}
}

// TestReferencesTakeNoTimeFromARehearsal on the real clock: an entry that was
// made under a fixed clock stands where it was really made.
func TestReferencesTakeNoTimeFromARehearsal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone(), zoneNamed(zoneB))
	w.wall, w.now = start, start.Add(1000*time.Hour)
	w.run(domains(domain(zoneA, withRecord("x", "one"))))
	rehearsal := w.fork()
	w.wall, w.now = time.Time{}, start.Add(time.Hour)
	w.run(domains(inB(zoneB, withRecord("x", "one"))))
	if got := w.last(); !slices.Equal(got, points(zoneB, 0)) {
		t.Errorf("on the real clock last is %v", got)
	}
	got, err := w.refs().At(t.Context(), start.Add(30*time.Minute), nil)
	if err != nil || !slices.Equal(got, points(zoneA, 1, zoneB, 0)) {
		t.Errorf("on the real clock, half an hour later: %v, %v", got, err)
	}
	got, err = rehearsal.refs().At(t.Context(), start.Add(30*time.Minute), nil)
	if err != nil || !slices.Equal(got, points(zoneA, 0)) {
		t.Errorf("in the rehearsal, long before its time: %v, %v", got, err)
	}
}

// TestReferencesReadTheJournalOnce: one listing of the zones, and one listing
// and entry for each, however long its history.
func TestReferencesReadTheJournalOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, freshZone())
	for n := range 5 {
		w.after(time.Hour).done(domain(zoneA, withRecord("x", records.Value(fmt.Sprint(n)))))
	}
	var calls trace
	refs := w.refs()
	refs.Journal = journal.Open(&faultyStore{Memory: w.objects, world: w, hook: calls.hook})
	if _, err := refs.Last(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if want := "list, list, read intent, read outcome"; calls.String() != want {
		t.Errorf("last makes the calls %s, want %s", calls.String(), want)
	}
	calls.calls = nil
	if _, err := refs.Last(t.Context(), []records.Name{"c.example"}); !errors.Is(err, apply.ErrNothing) {
		t.Fatal(err)
	}
	if want := "list"; calls.String() != want {
		t.Errorf("of another zone's domain it makes the calls %s, want %s", calls.String(), want)
	}
}
