package provider_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libdns/libdns"
	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/providertest"
	"github.com/attunelogic/maildns/records"
)

const zoneName = providertest.ZoneName

func key(name string, t records.Type) records.Key {
	return records.Key{Name: records.Below(name, zoneName), Type: t}
}

func set(name string, t records.Type, ttl records.TTL, values ...records.Value) records.RRset {
	return records.NewRRset(key(name, t), ttl, values...)
}

// to is the change from what the zone holds to a set; one without values goes.
func to(z records.Zone, after records.RRset) records.Change {
	c := records.Change{Key: after.Key}
	if before, ok := z.Set(after.Key); ok {
		c.Before = &before
	}
	if len(after.Values) > 0 {
		c.After = &after
	}
	return c
}

// failer is a *testing.T or a *rapid.T.
type failer interface {
	Helper()
	Fatal(args ...any)
}

// over opens a zone over any client.
func over(t failer, client provider.Client, limits provider.Limits) *provider.Zone {
	t.Helper()
	host := provider.New(records.ProviderRef{Type: "memory", Name: "test"}, provider.Type{Name: "memory", Limits: limits}, client)
	z, err := host.Zone(zoneName, "")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func read(t failer, z *provider.Zone) records.Zone {
	t.Helper()
	got, err := z.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// diary writes down what is asked of a client.
type diary struct {
	provider.Client
	lines []string
}

func (d *diary) note(verb string, recs []libdns.Record) {
	for _, rec := range recs {
		r := rec.RR()
		d.lines = append(d.lines, fmt.Sprintf("%s %s %s %s", verb, r.Name, r.Type, r.Data))
	}
}

func (d *diary) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	d.note("append", recs)
	return d.Client.AppendRecords(ctx, zone, recs)
}

func (d *diary) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	d.note("set", recs)
	return d.Client.SetRecords(ctx, zone, recs)
}

func (d *diary) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	d.note("delete", recs)
	return d.Client.DeleteRecords(ctx, zone, recs)
}

// TestOrder: additions before removals, and a fixed order whatever the input's.
func TestOrder(t *testing.T) {
	t.Parallel()
	before := []records.RRset{
		set("@", "TXT", 300, "v=spf1 -all", "a-old", "kept"), set("gone", "TXT", 300, "x"), set("_dmarc", "TXT", 300, "v=DMARC1; p=none"),
		set("ttl", "TXT", 300, "x", "y"),
	}
	after := []records.RRset{
		set("@", "TXT", 300, "v=spf1 ~all", "b-new", "kept"), set("gone", "TXT", 0), set("_dmarc", "TXT", 300, "v=DMARC1; p=reject"),
		set("ttl", "TXT", 60, "x", "y"), set("z", "MX", 300, "10 a.example"), set("b", "TXT", 300, "x"),
	}
	cases := []struct {
		name   string
		limits provider.Limits
		want   []string
	}{
		{"whole sets", provider.Limits{ReplacesSets: true}, []string{
			"set b TXT x", "set z MX 10 a.example.",
			"set _dmarc TXT v=DMARC1; p=reject", "set @ TXT b-new", "set @ TXT kept", "set @ TXT v=spf1 ~all",
			"set ttl TXT x", "set ttl TXT y", "delete gone TXT x",
		}},
		{"value by value", provider.Limits{}, []string{
			"append b TXT x", "append z MX 10 a.example.",
			"delete _dmarc TXT v=DMARC1; p=none", "append _dmarc TXT v=DMARC1; p=reject",
			"append @ TXT b-new", "delete @ TXT v=spf1 -all", "append @ TXT v=spf1 ~all", "delete @ TXT a-old",
			"delete ttl TXT x", "append ttl TXT x", "delete ttl TXT y", "append ttl TXT y",
			"delete gone TXT x",
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, reversed := range []bool{false, true} {
				m := &providertest.Memory{}
				for _, s := range before {
					m.Put(s)
				}
				d := &diary{Client: m}
				z := over(t, d, c.limits)
				var changes []records.Change
				for _, s := range after {
					changes = append(changes, to(read(t, z), s))
				}
				if reversed {
					slices.Reverse(changes)
				}
				if err := z.Write(t.Context(), changes); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, d.lines); diff != "" {
					t.Errorf("reversed %v: -want +got\n%s", reversed, diff)
				}
			}
		})
	}
}

// TestProperty1EngineReachesTheGoal: over any library, whatever the changes,
// the zone ends where the model says, and the way back restores it.
func TestProperty1EngineReachesTheGoal(t *testing.T) {
	t.Parallel()
	names := []string{"@", "a", "_dmarc", "*.w"}
	texts := []records.Value{"v=spf1 -all", "v=spf1 ~all", "V=SPF1 +all", "v=DMARC1; p=none", "v=DMARC1;p=reject", "x", `"`, "z\\"}
	drawSet := func(t *rapid.T) records.RRset {
		values := rapid.SliceOfN(rapid.SampledFrom(texts), 0, 4).Draw(t, "values")
		return set(rapid.SampledFrom(names).Draw(t, "name"), "TXT", rapid.SampledFrom([]records.TTL{60, 300}).Draw(t, "TTL"), values...)
	}
	rapid.Check(t, func(t *rapid.T) {
		m := &providertest.Memory{SetAppends: rapid.Bool().Draw(t, "set appends")}
		for range 4 {
			m.Put(drawSet(t))
		}
		z := over(t, m, provider.Limits{ReplacesSets: !m.SetAppends})
		before := read(t, z)
		var changes, back []records.Change
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			c := to(before, drawSet(t))
			if !slices.ContainsFunc(changes, func(o records.Change) bool { return o.Key == c.Key }) {
				changes, back = append(changes, c), append(back, c.Reverse())
			}
		}
		want, err := before.Apply(changes)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			changes []records.Change
			want    records.Zone
		}{{changes, want}, {back, before}} {
			if err := z.Write(context.Background(), step.changes); err != nil {
				t.Fatal(err)
			}
			if got := read(t, z); !got.Equal(step.want) {
				t.Fatalf("got %v, want %v", got.Sets(), step.want.Sets())
			}
		}
	})
}

// TestReadNormalises what hosts and libraries return in many spellings.
func TestReadNormalises(t *testing.T) {
	t.Parallel()
	m := &providertest.Memory{}
	soa := libdns.RR{Name: "@", Type: "SOA", TTL: 120 * time.Second, Data: "ns.example.net. h.example.net. 1 2 3 4 900"}
	m.Add(
		soa, soa,
		libdns.RR{Name: "@", Type: "NSEC", Data: "a.example.com. A"},
		libdns.RR{Name: "UpPer", Type: "mx", TTL: time.Minute, Data: "010  MAIL.Example.NET."},
		libdns.RR{Name: "", Type: "TXT", TTL: time.Minute + 999*time.Millisecond, Data: "Case \"stays\""},
		libdns.RR{Name: "abs.example.com.", Type: "A", TTL: time.Minute, Data: "192.0.2.1"},
		libdns.RR{Name: "mail", Type: "A", TTL: time.Minute, Data: "192.0.2.1"},
		libdns.RR{Name: "mail.example.com", Type: "A", TTL: time.Minute, Data: "192.0.2.1"},
		libdns.RR{Name: "out.example.net.", Type: "A", TTL: time.Minute, Data: "192.0.2.1"},
		libdns.RR{Name: "d", Type: "TXT", TTL: time.Hour, Data: "one"},
		libdns.RR{Name: "d", Type: "TXT", TTL: time.Minute, Data: "two"},
		libdns.RR{Name: "strange", Type: "A", TTL: time.Minute, Data: "192.0.2.1"},
		libdns.RR{Name: "strange", Type: "A", TTL: time.Minute, Data: "nonsense"},
	)
	got := read(t, over(t, m, provider.Limits{}))
	mixed := set("d", "TXT", 60, "one", "two")
	mixed.MixedTTL = true
	strange := set("strange", "A", 60, "192.0.2.1", "nonsense")
	strange.Fixed = "can't be read"
	want := records.NewZone(zoneName, 120,
		set("upper", "MX", 60, "10 mail.example.net"), set("@", "TXT", 60, `Case "stays"`), set("abs", "A", 60, "192.0.2.1"),
		set("mail", "A", 60, "192.0.2.1"), set("mail.example.com", "A", 60, "192.0.2.1"), mixed, strange,
	)
	sets := got.Sets()
	for i, s := range sets {
		if strings.Contains(s.Fixed, strange.Fixed) {
			sets[i].Fixed = strange.Fixed
		}
	}
	if diff := cmp.Diff(want.Sets(), sets); diff != "" || got.NegativeTTL != 120 {
		t.Errorf("negative TTL %d, -want +got\n%s", got.NegativeTTL, diff)
	}
}

// TestFixedSet: a set with a record that can't be read is not written, since
// that record would be lost.
func TestFixedSet(t *testing.T) {
	t.Parallel()
	m := &providertest.Memory{}
	m.Add(libdns.RR{Name: "a", Type: "A", TTL: time.Minute, Data: "nonsense"})
	d := &diary{Client: m}
	z := over(t, d, provider.Limits{ReplacesSets: true})
	c := to(read(t, z), set("a", "A", 60, "192.0.2.1"))
	c.Before.Fixed = "" // as if the plan had not known
	if err := z.Write(t.Context(), []records.Change{c}); err == nil || !strings.Contains(err.Error(), "can't be changed") || len(d.lines) > 0 {
		t.Errorf("error %v, requests %v", err, d.lines)
	}
}

// liar says that all went well.
type liar struct{ provider.Client }

func (l liar) SetRecords(_ context.Context, _ string, recs []libdns.Record) ([]libdns.Record, error) {
	return recs, nil
}

// vandal deletes a stranger's set while it writes ours.
type vandal struct {
	provider.Client
	memory *providertest.Memory
}

func (v vandal) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	v.memory.Put(records.RRset{Key: key("stranger", "TXT")})
	return v.Client.SetRecords(ctx, zone, recs)
}

// TestNilErrorProvesNothing: only what is read afterwards counts.
func TestNilErrorProvesNothing(t *testing.T) {
	t.Parallel()
	m := &providertest.Memory{}
	m.Put(set("stranger", "TXT", 60, "x"))
	change := []records.Change{to(records.Zone{}, set("a", "TXT", 60, "x"))}
	err := over(t, liar{m}, provider.Limits{ReplacesSets: true}).Write(t.Context(), change)
	if err == nil || !strings.Contains(err.Error(), "after the write: a.example.com TXT is no longer") {
		t.Errorf("a library that writes nothing: error %v", err)
	}
	if errors.As(err, new(*records.StaleError)) {
		t.Errorf("a StaleError would say that no write was tried: %v", err)
	}
	err = over(t, vandal{m, m}, provider.Limits{ReplacesSets: true}).Write(t.Context(), change)
	if err == nil || !strings.Contains(err.Error(), "stranger.example.com TXT changed during the write") {
		t.Errorf("a library that deletes what it should not: error %v", err)
	}
}

// TestLostAnswer: the request that failed was done all the same, and the
// error remains for the caller to weigh.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	m := &providertest.Memory{}
	writes := 0
	lost := errors.New("connection reset")
	client := providertest.Faulty{Client: m, Around: func(request func() error) error {
		writes++
		if err := request(); err != nil || writes != 2 {
			return err
		}
		return lost
	}}
	z := over(t, client, provider.Limits{ReplacesSets: true})
	after := set("a", "TXT", 60, "x")
	if err := z.Write(t.Context(), []records.Change{to(records.Zone{}, after)}); !errors.Is(err, lost) {
		t.Errorf("error %v, want the lost answer", err)
	}
	if got, _ := read(t, z).Set(after.Key); !got.Equal(after) {
		t.Errorf("the zone holds %v", got)
	}
}

func TestPanicsAreErrors(t *testing.T) {
	t.Parallel()
	client := providertest.Faulty{Client: &providertest.Memory{}, Around: func(func() error) error { panic("nil map") }}
	z := over(t, client, provider.Limits{})
	if _, err := z.Read(t.Context()); !errors.Is(err, provider.ErrOutcomeUnknown) || !strings.Contains(err.Error(), "nil map") {
		t.Errorf("error %v", err)
	}
	if err := z.Write(t.Context(), []records.Change{to(records.Zone{}, set("a", "TXT", 60, "x"))}); !errors.Is(err, provider.ErrOutcomeUnknown) {
		t.Errorf("error %v", err)
	}
}

// TestGuardedAsksBeforeEveryCall lets the writer stop at each call that writes:
// those before it were made, none after it.
func TestGuardedAsksBeforeEveryCall(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]provider.Limits{"value by value": {}, "set by set": {ReplacesSets: true}} {
		for allowed := range 4 {
			m := &providertest.Memory{}
			m.Put(set("gone", "TXT", 60, "x"))
			calls, asked := 0, 0
			client := providertest.Faulty{Client: m, Around: func(request func() error) error {
				calls++
				return request()
			}}
			stop := errors.New("stop")
			z := over(t, client, limits).Guarded(func(context.Context) error {
				if asked++; asked > allowed {
					return stop
				}
				return nil
			})
			changes := []records.Change{
				to(records.Zone{}, set("a", "TXT", 60, "x")), to(records.Zone{}, set("b", "TXT", 60, "x")),
				from(set("gone", "TXT", 60, "x")),
			}
			err := z.Write(t.Context(), changes)
			const reads = 2 // before and after
			if writes := calls - reads; writes != min(allowed, len(changes)) {
				t.Errorf("%s: %d calls were allowed, %d made", name, allowed, writes)
			}
			if stopped := allowed < len(changes); errors.Is(err, stop) != stopped {
				t.Errorf("%s, %d calls allowed: error %v", name, allowed, err)
			}
		}
	}
}

// from is the removal of a set.
func from(s records.RRset) records.Change { return records.Change{Key: s.Key, Before: &s} }
