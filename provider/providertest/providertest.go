// Package providertest holds the conformance suite that every provider passes,
// whatever its library does, and clients to test the suite and the engine with.
package providertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// ZoneName is the zone that every case works on.
const ZoneName records.Name = "example.com"

// World is what a case asks of the host that it opens.
type World struct {
	Sets []records.RRset // what the zone holds at first
	// Around stands around every request to the host, or operation of it: it
	// returns what the request returns, or an error of its own, whether it
	// made the request or not. It may panic, as libraries do.
	Around func(request func() error) error
}

// Subject is an opened host with its zone.
type Subject struct {
	Zone *provider.Zone
	// Look is the zone as the host holds it, without going through Around.
	Look func(t testing.TB) records.Zone
	// Edit is somebody else who changes a set; without values it goes.
	Edit func(t testing.TB, s records.RRset)
	// Holds says which texts the host can store, of those that the suite
	// writes; nil: all. Another must be refused before anything is written.
	Holds func(v records.Value) bool
}

// Opener opens a fresh host for one case.
type Opener func(t testing.TB, w World) Subject

// Run runs the suite.
func Run(t *testing.T, open Opener) {
	cases := []struct {
		name string
		test func(*testing.T, Opener)
	}{
		{"read", testRead},
		{"values", testValues},
		{"foreign values", testForeign},
		{"sets", testSets},
		{"CNAME to TXT and back", testCNAME},
		{"stale", testStale},
		{"refusals", testRefusals},
		{"no change", testNoChange},
		{"failure of each request", testFailures},
		{"cancel at each request", testCancel},
		{"never two SPF or DMARC records", testExclusive},
		{"two writers", testTwoWriters},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open)
		})
	}
}

func set(name string, t records.Type, ttl records.TTL, values ...records.Value) records.RRset {
	return records.NewRRset(records.Key{Name: records.Below(name, ZoneName), Type: t}, ttl, values...)
}

func plainly(request func() error) error { return request() }

// change is the way from one state of a set to another; a state without
// values is the set's absence.
func change(before, after records.RRset) records.Change {
	c := records.Change{Key: after.Key}
	if len(before.Values) > 0 {
		c.Before = &before
	}
	if len(after.Values) > 0 {
		c.After = &after
	}
	return c
}

// sameZone compares a zone with sets. The zone's own name servers are its
// host's: where a zone has them they don't count.
func sameZone(t testing.TB, got records.Zone, want ...records.RRset) {
	t.Helper()
	got = got.With(records.RRset{Key: records.Key{Name: ZoneName, Type: records.TypeNS}})
	if diff := cmp.Diff(records.NewZone(ZoneName, 0, want...).Sets(), got.Sets(), cmp.Comparer(records.RRset.Equal)); diff != "" {
		t.Errorf("the zone is not as it should be: -want +got\n%s", diff)
	}
}

// write makes one change and looks at what the host holds then.
func write(t *testing.T, open Opener, world []records.RRset, changes []records.Change, want ...records.RRset) {
	t.Helper()
	s := open(t, World{Sets: world, Around: plainly})
	if err := s.Zone.Write(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	sameZone(t, s.Look(t), want...)
	z, err := s.Zone.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sameZone(t, z, want...)
}

func testRead(t *testing.T, open Opener) {
	sets := []records.RRset{
		set("@", "MX", 300, "10 mx1.example.net", "20 mx2.example.net"),
		set("@", "TXT", 3600, "v=spf1 -all", "token=1"),
		set("www", "CNAME", 60, "example.net"),
		set("*.w", "TXT", 60, "x"),
		set("a", "AAAA", 60, "2001:db8::1"),
		set("a", "A", 60, "192.0.2.1", "192.0.2.2"),
		set("c", "CAA", 60, `0 issue "ca.example.net"`),
		set("_25._tcp.a", "TLSA", 60, "3 1 1 abcd"),
	}
	s := open(t, World{Sets: sets, Around: plainly})
	z, err := s.Zone.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sameZone(t, z, sets...)
	if _, ok := z.Set(records.Key{Name: ZoneName, Type: "SOA"}); ok {
		t.Error("the SOA is the host's, not ours")
	}
}

// oddities are the texts that libraries are known to lose or to alter.
func oddities() []records.Value {
	texts := []records.Value{
		`"`, `"first`, `last"`, `in"side`, `"around"`, `\`, `a\`, `\"`, `a;b`, "a\tb", "a\nb", "é", "\xff\x00\x7f",
		"", " ", " a ", "a  b", `\065`, "(x)", "@", "$x", "%", `"a" "b"`, "v=DKIM1; k=rsa; p=" + records.Value(strings.Repeat("M+/=", 98)),
		"v=DKIM1; k=rsa; p=" + records.Value(strings.Repeat("M+/=", 184)),
	}
	for _, n := range []int{254, 255, 256, 510, 511, 2048} {
		texts = append(texts, records.Value(strings.Repeat("x", n)), records.Value(strings.Repeat(`"\`, n)[:n]))
	}
	return texts
}

func testValues(t *testing.T, open Opener) {
	for i, v := range oddities() {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			one := set("a", "TXT", 300, v)
			if s := open(t, World{Around: plainly}); s.Holds != nil && !s.Holds(v) {
				if err := s.Zone.Write(t.Context(), []records.Change{change(records.RRset{}, one)}); err == nil {
					t.Error("a value that the host can't hold was not refused")
				}
				sameZone(t, s.Look(t))
				return
			}
			write(t, open, nil, []records.Change{change(records.RRset{}, one)}, one)
			other := set("a", "TXT", 300, v+"2")
			write(t, open, []records.RRset{one}, []records.Change{change(one, other)}, other)
			write(t, open, []records.RRset{one}, []records.Change{change(one, records.RRset{Key: one.Key})})
		})
	}
}

// testForeign changes our value beside those of strangers.
func testForeign(t *testing.T, open Opener) {
	for _, n := range []int{1, 2, 20} {
		foreign := slices.Clone(oddities()[4:])[:n]
		before := set("@", "TXT", 3600, append(foreign, "v=spf1 -all")...)
		after := set("@", "TXT", 3600, append(foreign, "v=spf1 include:_spf.example.net ~all")...)
		without := set("@", "TXT", 3600, foreign...)
		write(t, open, []records.RRset{before}, []records.Change{change(before, after)}, after)
		write(t, open, []records.RRset{before}, []records.Change{change(before, without)}, without)
		write(t, open, []records.RRset{without}, []records.Change{change(without, after)}, after)
	}
}

func testSets(t *testing.T, open Opener) {
	mx := func(ttl records.TTL, values ...records.Value) records.RRset { return set("@", "MX", ttl, values...) }
	none := mx(0)
	cases := []struct {
		name          string
		before, after records.RRset
	}{
		{"two at once", none, mx(300, "10 a.example", "20 b.example")},
		{"three at once", none, mx(300, "10 a.example", "10 b.example", "20 a.example")},
		{"one of three changes", mx(300, "10 a.example", "20 b.example", "30 c.example"), mx(300, "10 a.example", "25 b.example", "30 c.example")},
		{"one of two goes", mx(300, "10 a.example", "20 a.example"), mx(300, "20 a.example")},
		{"all go", mx(300, "10 a.example", "20 b.example"), none},
		{"null MX", mx(300, "10 a.example"), mx(300, records.NullMX)},
		{"from null MX", mx(300, records.NullMX), mx(300, "0 a.example")},
		{"TTL alone", mx(3600, "10 a.example", "20 b.example"), mx(300, "10 a.example", "20 b.example")},
		{"TTL and a value", mx(3600, "10 a.example", "20 b.example"), mx(300, "10 a.example", "30 b.example")},
		{"wildcard", set("*", "TXT", 300, "x"), set("*", "TXT", 300, "y")},
		{"wildcard with foreign value", set("*.w", "TXT", 300, "x", "z"), set("*.w", "TXT", 300, "y", "z")},
		{"addresses", set("a", "AAAA", 300, "2001:db8::1"), set("a", "AAAA", 300, "2001:db8::2", "2001:db8::3")},
		{"a name in the zone", set("a", "CNAME", 300, "b.example.com"), set("a", "CNAME", 300, "example.com")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stranger := set("b", "MX", 60, "10 stranger.example")
			for _, way := range [][2]records.RRset{{c.before, c.after}, {c.after, c.before}} {
				write(t, open, []records.RRset{stranger, way[0]}, []records.Change{change(way[0], way[1])}, stranger, way[1])
			}
		})
	}
}

// testCNAME goes from one type to the other in one step, or is refused where
// the host has none.
func testCNAME(t *testing.T, open Opener) {
	text, alias := set("s._domainkey", "TXT", 300, "v=DKIM1; p=x"), set("s._domainkey", "CNAME", 300, "s.example.net")
	for _, way := range [][2]records.RRset{{text, alias}, {alias, text}} {
		s := open(t, World{Sets: way[:1], Around: plainly})
		err := s.Zone.Write(t.Context(), []records.Change{
			change(way[0], records.RRset{Key: way[0].Key}), change(records.RRset{}, way[1]),
		})
		switch {
		case s.Zone.Limits().Transactional && err == nil:
			sameZone(t, s.Look(t), way[1])
		case !s.Zone.Limits().Transactional && err != nil:
			sameZone(t, s.Look(t), way[0])
		default:
			t.Errorf("transactional: %v, error: %v", s.Zone.Limits().Transactional, err)
		}
		if err := s.Zone.Write(t.Context(), []records.Change{change(records.RRset{}, set("s._domainkey", "CNAME", 300, "x.example"))}); err == nil {
			t.Error("a CNAME was written beside another record")
		}
	}
}

// testStale: what somebody has changed since it was read is not written.
func testStale(t *testing.T, open Opener) {
	x, y, z := set("a", "TXT", 300, "x"), set("a", "TXT", 300, "y"), set("a", "TXT", 300, "z")
	both, slow := set("a", "TXT", 300, "x", "theirs"), set("a", "TXT", 600, "x")
	gone := records.RRset{Key: x.Key}
	other := set("0", "TXT", 300, "of the same write")
	cases := []struct {
		name         string
		first, now   records.RRset
		before, goal records.RRset
	}{
		{"changed", x, z, x, y},
		{"joined", x, both, x, y},
		{"another TTL", x, slow, x, y},
		{"gone", x, gone, x, y},
		{"delete what is gone", x, gone, x, gone},
		{"delete what has changed", x, z, x, gone},
		{"appeared", gone, z, gone, y},
		{"already as wanted", gone, y, gone, y},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, World{Sets: []records.RRset{c.first}, Around: plainly})
			s.Edit(t, c.now)
			err := s.Zone.Write(t.Context(), []records.Change{change(records.RRset{}, other), change(c.before, c.goal)})
			var stale *records.StaleError
			if !errors.As(err, &stale) || stale.Key != x.Key {
				t.Errorf("error %v, want a StaleError of %s", err, x.Key)
			}
			sameZone(t, s.Look(t), c.now)
		})
	}
}

// testRefusals: what no host can hold is refused before anything is written,
// by an error that names provider, zone and set.
func testRefusals(t *testing.T, open Opener) {
	good, bad := set("a", "TXT", 300, "x"), set("b", "TXT", 300, "x")
	fixed := good
	fixed.Fixed = "it is an alias"
	cases := []struct {
		name    string
		changes []records.Change
		names   records.Key
	}{
		{"twice", []records.Change{change(records.RRset{}, good), change(records.RRset{}, good)}, good.Key},
		{"outside", []records.Change{{Key: records.Key{Name: "a.example.net", Type: "TXT"}, After: &good}}, records.Key{Name: "a.example.net", Type: "TXT"}},
		{"key", []records.Change{{Key: bad.Key, After: &good}}, bad.Key},
		{"SOA", []records.Change{change(records.RRset{}, set("@", "SOA", 300, "x"))}, records.Key{Name: ZoneName, Type: "SOA"}},
		{"fixed", []records.Change{{Key: good.Key, Before: &fixed}}, good.Key},
		{"TTL", []records.Change{change(records.RRset{}, set("a", "TXT", records.MaxTTL+1, "x"))}, good.Key},
		{"too long", []records.Change{change(records.RRset{}, set("a", "TXT", 300, records.Value(strings.Repeat("x", 65536))))}, good.Key},
		{"empty set", []records.Change{{Key: good.Key, After: &records.RRset{Key: good.Key}}}, good.Key},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, World{Around: plainly})
			err := s.Zone.Write(t.Context(), append(c.changes, change(records.RRset{}, set("0", "TXT", 300, "x"))))
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range []string{s.Zone.Provider().String(), string(ZoneName), c.names.String()} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error %q doesn't name %s", err, part)
				}
			}
			sameZone(t, s.Look(t))
		})
	}
}

// testNoChange writes what was read.
func testNoChange(t *testing.T, open Opener) {
	var halves [2][]records.Value // all in one set are more than some hosts hold
	for i, v := range oddities() {
		halves[i%2] = append(halves[i%2], v)
	}
	sets := []records.RRset{
		set("@", "TXT", 300, halves[0]...), set("a", "TXT", 300, halves[1]...), set("@", "MX", 60, records.NullMX), set("*", "TXT", 60, "x"),
	}
	s := open(t, World{Sets: sets, Around: plainly})
	z, err := s.Zone.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var changes []records.Change
	for set := range z.All() {
		if set.Fixed == "" {
			changes = append(changes, change(set, set))
		}
	}
	if err := errors.Join(s.Zone.Write(t.Context(), changes), s.Zone.Write(t.Context(), nil)); err != nil {
		t.Fatal(err)
	}
	sameZone(t, s.Look(t), sets...)
}

// scenario is a write of several sets, in which each state of the zone on the
// way can be told from the others.
func scenario() (before, after []records.RRset, changes []records.Change) {
	key := func(name string, t records.Type) records.RRset { return set(name, t, 0) }
	before = []records.RRset{
		set("@", "TXT", 3600, "v=spf1 -all", "token"), set("_dmarc", "TXT", 300, "v=DMARC1; p=none"),
		set("old", "TXT", 300, "x", "y"), set("stranger", "TXT", 300, "v"),
	}
	after = []records.RRset{
		set("@", "TXT", 300, "v=spf1 ~all", "token"), set("_dmarc", "TXT", 300, "v=DMARC1; p=reject"),
		key("old", "TXT"), set("stranger", "TXT", 300, "v"), set("new", "MX", 300, "10 a.example", "20 b.example"),
	}
	changes = []records.Change{
		change(before[0], after[0]), change(before[1], after[1]), change(before[2], after[2]), change(key("new", "MX"), after[4]),
	}
	return before, after, changes
}

// way is how a request goes wrong.
type way string

const (
	refused    way = "refused"         // 429, 500: nothing was done
	answerLost way = "the answer lost" // timeout, 502, a cut body: it was done
	panics     way = "a panic"
	dead       way = "dead from there on"
)

var errInjected = errors.New("injected failure")

// testFailures makes each request of a write fail in each way.
func testFailures(t *testing.T, open Opener) {
	for _, w := range []way{refused, answerLost, panics, dead} {
		t.Run(string(w), func(t *testing.T) {
			t.Parallel()
			for at := 0; failAt(t, open, w, at); at++ {
				continue
			}
		})
	}
}

// failAt lets one request fail; reached is false where the write needs fewer.
// Afterwards the zone, or each set where the host has no transaction, is old or
// new, no failure was swallowed, and the next run converges.
func failAt(t *testing.T, open Opener, w way, at int) (reached bool) {
	t.Helper()
	before, after, changes := scenario()
	fault := &fault{way: w, at: at}
	s := open(t, World{Sets: before, Around: fault.around})
	fault.arm()
	err := s.Zone.Write(t.Context(), changes)
	reached = fault.disarm()
	judge(t, s, fmt.Sprintf("%s at request %d", w, at), err, before, after)
	if w == panics && reached && err != nil && !errors.Is(err, provider.ErrOutcomeUnknown) {
		t.Errorf("after a panic the outcome is unknown, but the error says: %v", err)
	}
	converge(t, s, before, after, changes)
	return reached && !t.Failed()
}

// judge wants the zone old or new, and new where there is no error.
func judge(t *testing.T, s Subject, what string, err error, before, after []records.RRset) {
	t.Helper()
	now := s.Look(t)
	isOld, isNew := now.Equal(zoneOf(before)), now.Equal(zoneOf(after))
	if err == nil && !isNew {
		t.Errorf("%s: the failure was swallowed; the zone holds %v", what, now.Sets())
	}
	if isOld || isNew {
		return
	}
	if s.Zone.Limits().Transactional {
		t.Errorf("%s: the zone is neither old nor new: %v", what, now.Sets())
	}
}

func zoneOf(sets []records.RRset) records.Zone { return records.NewZone(ZoneName, 0, sets...) }

// converge reads the zone, as the next run does, and writes what is missing.
func converge(t *testing.T, s Subject, before, after []records.RRset, changes []records.Change) {
	t.Helper()
	now, err := s.Zone.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var rest []records.Change
	for _, c := range changes {
		have, _ := now.Set(c.Key)
		want, _ := zoneOf(after).Set(c.Key)
		if have.Key, want.Key = c.Key, c.Key; !have.Equal(want) {
			rest = append(rest, change(have, want))
		}
	}
	if err := s.Zone.Write(t.Context(), rest); err != nil {
		t.Errorf("the next run from %v: %v", before, err)
	}
	sameZone(t, s.Look(t), after...)
}

// fault is a World.Around that does harm while it is armed.
type fault struct {
	way way
	at  int

	mu    sync.Mutex
	armed bool
	seen  int
}

func (f *fault) arm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = true
}

// disarm reports whether the request was reached.
func (f *fault) disarm() (reached bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = false
	return f.seen > f.at
}

func (f *fault) around(request func() error) error {
	f.mu.Lock()
	armed, n := f.armed, f.seen
	if armed {
		f.seen++
	}
	f.mu.Unlock()
	switch {
	case armed && f.way == dead && n >= f.at:
		return errInjected
	case !armed || n != f.at:
		return request()
	case f.way == answerLost:
		_ = request()
	case f.way == panics:
		panic("injected panic")
	}
	return errInjected
}

// testCancel cancels the write before and after each request.
func testCancel(t *testing.T, open Opener) {
	for _, late := range []bool{false, true} {
		for at := 0; cancelAt(t, open, at, late); at++ {
			continue
		}
	}
}

func cancelAt(t *testing.T, open Opener, at int, late bool) (reached bool) {
	t.Helper()
	before, after, changes := scenario()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	armed, n := false, 0
	s := open(t, World{Sets: before, Around: func(request func() error) error {
		now := armed && n == at
		if armed {
			n++
		}
		if now && !late {
			cancel()
			reached = true
		}
		err := request()
		if now && late {
			cancel()
			reached = true
		}
		return err
	}})
	armed = true
	err := s.Zone.Write(ctx, changes)
	armed = false
	judge(t, s, fmt.Sprintf("cancelled at request %d", at), err, before, after)
	converge(t, s, before, after, changes)
	return reached && !t.Failed()
}

// testExclusive watches the zone after every request: resolvers that see two
// SPF records, or two DMARC records, answer with an error (RFC 7208 4.5).
func testExclusive(t *testing.T, open Opener) {
	two := set("@", "TXT", 3600, "v=spf1 include:a.example ~all", "v=spf1 include:b.example ~all", "token")
	one := set("@", "TXT", 3600, "v=spf1 include:a.example include:b.example ~all", "token")
	before, after, changes := scenario()
	cases := []struct {
		name    string
		before  []records.RRset
		changes []records.Change
		after   []records.RRset
		most    int // SPF records at any time
	}{
		{"replace", before, changes, after, 1},
		{"merge two", []records.RRset{two}, []records.Change{change(two, one)}, []records.RRset{one}, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var s Subject
			armed := false
			s = open(t, World{Sets: c.before, Around: func(request func() error) error {
				err := request()
				if armed {
					countExclusive(t, s.Look(t), c.most)
				}
				return err
			}})
			armed = true
			if err := s.Zone.Write(t.Context(), c.changes); err != nil {
				t.Fatal(err)
			}
			sameZone(t, s.Look(t), c.after...)
		})
	}
}

func countExclusive(t *testing.T, z records.Zone, mostSPF int) {
	t.Helper()
	for _, s := range z.Sets() {
		spf, dmarc := 0, 0
		for _, v := range s.Values {
			if strings.HasPrefix(string(v), "v=spf1 ") {
				spf++
			}
			if strings.HasPrefix(string(v), "v=DMARC1") {
				dmarc++
			}
		}
		if spf > mostSPF || dmarc > 1 {
			t.Errorf("for a moment the zone holds %q", s.Values)
		}
	}
}

// testTwoWriters: of two that start from the same state one wins, and the
// other is told, where the host can compare and write in one step. Elsewhere a
// lock around the zone is the caller's, and the second comes after the first.
func testTwoWriters(t *testing.T, open Opener) {
	x := set("a", "TXT", 300, "x")
	s := open(t, World{Sets: []records.RRset{x}, Around: plainly})
	errs := make([]error, 2)
	var group sync.WaitGroup
	for i := range errs {
		work := func() {
			mine := set("a", "TXT", 300, records.Value(fmt.Sprintf("writer %d", i)))
			errs[i] = s.Zone.Write(t.Context(), []records.Change{change(x, mine)})
		}
		if s.Zone.Limits().Transactional {
			group.Go(work)
		} else {
			work()
		}
	}
	group.Wait()
	winner := slices.Index(errs, nil)
	if winner < 0 {
		t.Fatalf("nobody won: %v", errs)
	}
	var stale *records.StaleError
	if !errors.As(errs[1-winner], &stale) {
		t.Errorf("the loser was not told: %v", errs[1-winner])
	}
	sameZone(t, s.Look(t), set("a", "TXT", 300, records.Value(fmt.Sprintf("writer %d", winner))))
}
