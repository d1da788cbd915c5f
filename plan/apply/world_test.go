package apply_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// zoneA is the zone of most tests, and the domain at its apex.
const zoneA records.Name = "a.example"

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// hook stands round every call that a process makes to its host or its store.
// It returns what do returns, or an error of its own, whether it called do or
// not.
type hook func(call string, do func() error) error

func plainly(_ string, do func() error) error { return do() }

// world is what outlives a process: the zones at their host, the objects of the
// journal, and the time.
type world struct {
	t       testing.TB
	now     time.Time
	wall    time.Time // set for a rehearsal: now is then a fixed clock
	host    *host
	objects *store.Memory
	locks   *locks
	runs    int
	// overlaps: a run may lose its lease while a call is on its way.
	overlaps bool
}

// newWorld returns a world whose host has transactions.
func newWorld(t testing.TB, zones ...records.Zone) *world {
	h := &host{limits: transactional, zones: map[records.Name]records.Zone{}}
	for _, z := range zones {
		h.zones[z.Name] = z
	}
	return &world{t: t, now: start, host: h, objects: store.NewMemory(), locks: &locks{held: map[string]string{}}}
}

// reboot frees the locks of the dead.
func (w *world) reboot() { w.locks = &locks{held: map[string]string{}} }

// after lets time pass.
func (w *world) after(d time.Duration) *world {
	w.now = w.now.Add(d)
	return w
}

func (w *world) clock() plan.Clock {
	if !w.wall.IsZero() {
		return plan.Clock{Now: w.now, Wall: w.wall, Fixed: true}
	}
	return plan.Clock{Now: w.now, Wall: w.now}
}

func (w *world) zone(name records.Name) records.Zone { return w.host.read(name) }

// journal is the journal as anybody finds it, without a fault.
func (w *world) journal() *journal.Journal { return journal.Open(w.objects) }

func (w *world) state(zone records.Name) (plan.State, journal.Head) {
	w.t.Helper()
	state, head, err := w.journal().State(context.Background(), zone)
	if err != nil {
		w.t.Fatal(err)
	}
	return state, head
}

// entries are a zone's entries, oldest first. All must be intact.
func (w *world) entries(zone records.Name) []journal.Entry {
	w.t.Helper()
	var out []journal.Entry
	for e, err := range w.journal().Entries(context.Background(), zone) {
		if err != nil {
			w.t.Fatalf("the journal is damaged: %v", err)
		}
		out = append(out, e)
	}
	slices.Reverse(out)
	return out
}

func (w *world) newest(zone records.Name) journal.Entry {
	w.t.Helper()
	all := w.entries(zone)
	if len(all) == 0 {
		w.t.Fatalf("the journal of %s is empty", zone)
	}
	return all[len(all)-1]
}

// edit changes a zone by hand.
func (w *world) edit(sets ...records.RRset) {
	for _, s := range sets {
		w.host.edit(s)
	}
}

// process is one run of the program.
type process struct {
	world *world
	hook  hook
	run   *apply.Run
}

// process starts the program; all its calls pass the hook.
func (w *world) process(h hook) *process {
	w.runs++
	id := journal.RunID(w.now, [4]byte{0, 0, byte(w.runs >> 8), byte(w.runs)})
	s := &faultyStore{Memory: w.objects, world: w, hook: h}
	return &process{world: w, hook: h, run: &apply.Run{
		Journal: journal.Open(s), Clock: w.clock, ID: id, Actor: "sre", Version: "test",
		Holder: journal.Holder{Run: id, Actor: "sre"},
	}}
}

// copyObjects is the store's contents in a new store.
func (w *world) copyObjects() *store.Memory {
	w.t.Helper()
	ctx := context.Background()
	to := store.NewMemory()
	objects, err := w.objects.List(ctx, store.Query{})
	for _, o := range objects {
		data, readErr := w.objects.Read(ctx, o)
		err = errors.Join(err, readErr, to.Create(ctx, o, data))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return to
}

func (p *process) zone(name records.Name) *provider.Zone { return p.world.open(name, p.hook, p.run.ID) }

var hostRef = records.ProviderRef{Type: "memory", Name: "test"}

func (w *world) open(name records.Name, h hook, run string) *provider.Zone {
	plain := &client{host: w.host, hook: h, world: w, run: run}
	var c provider.Client = plain
	if w.host.limits.Transactional {
		c = &atomicClient{plain}
	}
	z, err := provider.New(hostRef, provider.Type{Name: "memory", Limits: w.host.limits}, c).Zone(name, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return z
}

// plan is what `maildns plan` shows of the domains of one zone.
func (w *world) plan(domains ...*records.Domain) map[records.Name]plan.Domain {
	return w.planWith(nil, domains...)
}

func (w *world) planWith(open map[records.Name][]plan.Override, domains ...*records.Domain) map[records.Name]plan.Domain {
	w.t.Helper()
	out := map[records.Name]plan.Domain{}
	if len(domains) == 0 {
		return out
	}
	zone := domains[0].Zone
	state, head := w.state(zone)
	live := w.host.read(zone)
	if head.Pending != nil {
		state = journal.Next(state, *head.Pending, live, w.clock().Moment())
	}
	for _, d := range policy.PlanZone(policy.ZoneInput{
		Live: live, Past: state.Index(), Journal: plan.JournalRead, Clock: w.clock(),
		Domains: domains, Open: open, Host: policy.Host{Limits: w.host.limits}, Source: plan.LiveProvider,
	}).Domains {
		out[d.Name] = d
	}
	return out
}

// apply plans the domains of one zone and applies the plan: `maildns apply`.
func (p *process) apply(domains ...*records.Domain) apply.Result {
	p.world.t.Helper()
	return p.applyJob(apply.Job{Domains: domains, Reviewed: p.world.plan(domains...)})
}

func (p *process) applyJob(job apply.Job) apply.Result {
	zone := job.Domains[0].Zone
	job.Zone, job.Target, job.PlanID = p.zone(zone), target(), "sha256:plan"
	return p.run.Apply(context.Background(), job)
}

func target() journal.Target { return journal.Target{Type: hostRef.Type, Name: hostRef.Name} }

// apply is a run that nothing disturbs.
func (w *world) apply(domains ...*records.Domain) apply.Result {
	w.t.Helper()
	return w.process(plainly).apply(domains...)
}

// done is apply for a run that must succeed.
func (w *world) done(domains ...*records.Domain) apply.Result {
	w.t.Helper()
	r := w.apply(domains...)
	if r.Status != apply.Done || r.Err != nil {
		w.t.Fatalf("apply: status %d: %v", r.Status, r.Err)
	}
	return r
}

// rollbackJob is a rollback of one zone to a point, as the shell makes it.
func (p *process) rollbackJob(point apply.Point) apply.RollbackJob {
	settings := records.DefaultSettings()
	return apply.RollbackJob{
		Zone: p.zone(point.Zone), Target: target(), Point: point, Ref: "test", Soak: settings.Soak,
		Options: plan.RestoreOptions{TTL: settings.TTLRollback}, PlanID: "sha256:plan",
	}
}

func (p *process) rollback(point apply.Point) apply.Result {
	return p.run.Rollback(context.Background(), p.rollbackJob(point))
}

// truthful checks that the journal is whole, that nothing is pending, and that
// it says of the zone what the zone holds.
func (w *world) truthful(zone records.Name, where string) {
	w.t.Helper()
	damage, err := w.journal().Verify(context.Background(), zone)
	if err != nil || len(damage) > 0 {
		w.t.Fatalf("%s: the journal is damaged: %v %v", where, damage, err)
	}
	state, head := w.state(zone)
	if head.Pending != nil {
		w.t.Fatalf("%s: the entry %s has no outcome", where, head.Pending.ID())
	}
	live := w.host.read(zone)
	if diff := cmp.Diff(plan.Snapshot(live), state.Live); diff != "" {
		w.t.Fatalf("%s: the zone and what the journal says of it (-zone +journal):\n%s", where, diff)
	}
	for _, o := range state.Owned {
		lost := slices.ContainsFunc(state.Lost, func(l plan.Lost) bool { return l.Key == o.Key() && slices.Contains(l.Kept, o.Value) })
		if set, _ := live.Set(o.Key()); !set.Has(o.Value) && !lost {
			w.t.Fatalf("%s: the journal owns %v, which is neither in the zone nor to be put back", where, o)
		}
	}
}

// locks are the locks of living processes.
type locks struct {
	mu   sync.Mutex
	held map[string]string
}

// faultyStore is the journal's store as one process reaches it.
type faultyStore struct {
	*store.Memory
	world *world
	hook  hook
}

// partOf says which part of an entry an object is.
func partOf(name string) string {
	name = strings.TrimSuffix(name, ".json")
	return name[strings.LastIndexByte(name, '-')+1:]
}

func (s *faultyStore) Create(ctx context.Context, name string, data []byte) error {
	return s.hook("create "+partOf(name), func() error { return s.Memory.Create(ctx, name, data) })
}

func (s *faultyStore) Read(ctx context.Context, name string) (data []byte, err error) {
	failed := s.hook("read "+partOf(name), func() error {
		data, err = s.Memory.Read(ctx, name)
		return err
	})
	return data, failed
}

func (s *faultyStore) List(ctx context.Context, q store.Query) (objects []string, err error) {
	failed := s.hook("list", func() error {
		objects, err = s.Memory.List(ctx, q)
		return err
	})
	return objects, failed
}

func (s *faultyStore) Lock(_ context.Context, name, holder string) (store.Lock, error) {
	l := &lock{hook: s.hook, locks: s.world.locks, name: name}
	err := s.hook("lock", func() error {
		l.locks.mu.Lock()
		defer l.locks.mu.Unlock()
		if who, held := l.locks.held[name]; held {
			return &store.HeldError{Name: name, Holder: who}
		}
		l.locks.held[name] = holder
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

type lock struct {
	hook  hook
	locks *locks
	name  string
}

func (l *lock) Valid() error {
	return l.hook("lock valid", func() error { return nil })
}

func (l *lock) Release() error {
	return l.hook("release", func() error {
		l.locks.mu.Lock()
		defer l.locks.mu.Unlock()
		delete(l.locks.held, l.name)
		return nil
	})
}

// The hosts that there are: one that makes all changes or none, one that
// replaces a set in one call, and one that knows nothing but single values.
var (
	transactional = provider.Limits{Transactional: true, ReplacesSets: true}
	setBySet      = provider.Limits{ReplacesSets: true}
	valueByValue  = provider.Limits{}
)

func hosts() map[string]provider.Limits {
	return map[string]provider.Limits{"transactional": transactional, "set by set": setBySet, "value by value": valueByValue}
}

// host holds zones in memory.
type host struct {
	mu     sync.Mutex
	limits provider.Limits
	zones  map[records.Name]records.Zone
	served map[records.Name]records.Zone // what the server has read; nil: it reads by itself
	writes []string                      // the run of each write that changed a zone
	watch  func(before, after records.Zone)
}

func (h *host) read(name records.Name) records.Zone {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.zones[name].With()
}

func (h *host) edit(set records.RRset) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, z := range h.zones {
		if set.Name.In(name) {
			h.zones[name] = z.With(set)
		}
	}
}

// transact makes all changes or none.
func (h *host) transact(name records.Name, changes []records.Change, run string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	after, err := h.zones[name].Apply(changes)
	if err != nil {
		return err
	}
	h.writes = append(h.writes, run)
	if h.watch != nil {
		h.watch(h.zones[name], after)
	}
	h.zones[name] = after
	return nil
}

// client is a host's library that offers what libdns has and no more.
type client struct {
	host  *host
	hook  hook
	world *world
	run   string
}

// call passes the hook, as long as the context has not ended.
func (c *client) call(ctx context.Context, name string, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.hook(name, do)
}

func (c *client) GetRecords(ctx context.Context, zone string) (recs []libdns.Record, err error) {
	failed := c.call(ctx, "zone read", func() error {
		z := c.host.read(records.CanonicalName(zone))
		for _, s := range z.Sets() {
			recs = append(recs, rr.Records(s, z.Name)...)
		}
		return nil
	})
	return recs, failed
}

func (c *client) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return recs, c.change(ctx, zone, recs, func(have, given records.RRset) records.RRset {
		return records.NewRRset(given.Key, given.TTL, slices.Concat(have.Values, given.Values)...)
	})
}

func (c *client) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return recs, c.change(ctx, zone, recs, func(_, given records.RRset) records.RRset { return given })
}

func (c *client) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return recs, c.change(ctx, zone, recs, func(have, given records.RRset) records.RRset {
		left := slices.DeleteFunc(slices.Clone(have.Values), given.Has)
		return records.NewRRset(have.Key, have.TTL, left...)
	})
}

func (c *client) change(ctx context.Context, zone string, recs []libdns.Record, result func(have, given records.RRset) records.RRset) error {
	name := records.CanonicalName(zone)
	c.world.checkIntent(name, c.run)
	return c.call(ctx, "zone write", func() error {
		c.host.mu.Lock()
		defer c.host.mu.Unlock()
		c.host.writes = append(c.host.writes, c.run)
		given := rr.Zone(name, recs)
		for _, s := range given.Sets() {
			have, _ := c.host.zones[name].Set(s.Key)
			have.Key = s.Key
			c.host.zones[name] = c.host.zones[name].With(result(have, s))
		}
		return nil
	})
}

// atomicClient is the library of a host with transactions.
type atomicClient struct{ *client }

func (c *atomicClient) ReadZone(ctx context.Context, zone records.Name) (z records.Zone, err error) {
	failed := c.call(ctx, "zone read", func() error {
		z = c.host.read(zone)
		return nil
	})
	return z, failed
}

func (c *atomicClient) Transact(ctx context.Context, zone records.Name, changes []records.Change) error {
	c.world.checkIntent(zone, c.run)
	if err := c.call(ctx, "zone write", func() error { return c.host.transact(zone, changes, c.run) }); err != nil {
		return err
	}
	return c.ReloadZone(ctx, zone)
}

// ReloadZone makes the server read the zone, where it doesn't by itself.
func (c *atomicClient) ReloadZone(ctx context.Context, zone records.Name) error {
	if c.host.served == nil {
		return nil
	}
	err := c.call(ctx, "reload", func() error {
		c.host.served[zone] = c.host.read(zone)
		return nil
	})
	if err != nil {
		return &provider.ReloadError{Command: []string{"reload"}, Err: err}
	}
	return nil
}

// checkIntent fails the test where a run writes without an intent of its own
// that is the newest object of the journal.
func (w *world) checkIntent(zone records.Name, run string) {
	_, head, err := w.journal().State(context.Background(), zone)
	if w.overlaps {
		return
	}
	var damage *journal.DamageError
	if err != nil && !errors.As(err, &damage) || head.Pending == nil || head.Pending.Run != run {
		w.t.Errorf("run %s writes to %s without an intent that stands open: %v", run, zone, err)
	}
}

// txt is a TXT set.
func txt(name records.Name, ttl records.TTL, values ...records.Value) records.RRset {
	return records.NewRRset(records.Key{Name: name, Type: records.TypeTXT}, ttl, values...)
}

// The zone before anything is applied: two SPF records, a stranger's value
// beside them, and a TLS-RPT record that is replaced.
const (
	spfOne   records.Value = "v=spf1 include:_spf.one.example ~all"
	spfTwo   records.Value = "v=spf1 include:_spf.two.example ~all"
	spfBoth  records.Value = "v=spf1 include:_spf.one.example include:_spf.two.example ~all"
	token    records.Value = "token=foreign"
	rptOld   records.Value = "v=TLSRPTv1; rua=mailto:old@a.example"
	rptNew   records.Value = "v=TLSRPTv1; rua=mailto:new@a.example"
	rptThird records.Value = "v=TLSRPTv1; rua=mailto:third@a.example"
	dmarc    records.Value = "v=DMARC1; p=none"
)

const (
	rptName   records.Name = "_smtp._tls.a.example"
	dmarcName records.Name = "_dmarc.a.example"
)

func txtKey(name records.Name) records.Key { return records.Key{Name: name, Type: records.TypeTXT} }

func freshZone() records.Zone {
	return records.NewZone(zoneA, 900,
		txt(zoneA, 3600, spfOne, spfTwo, token), txt(rptName, 3600, rptOld),
		records.NewRRset(records.Key{Name: "www.a.example", Type: records.TypeA}, 600, "192.0.2.1"))
}

// domain declares one of the domains of zoneA.
func domain(name records.Name, parts ...func(*records.Domain)) *records.Domain {
	d := &records.Domain{Name: name, Zone: zoneA, Provider: hostRef, Settings: records.DefaultSettings()}
	for _, part := range parts {
		part(d)
	}
	d.Digest = digest(d)
	return d
}

func digest(d *records.Domain) string {
	b, err := json.Marshal(d)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(b))
}

func withSPF(includes ...records.Name) func(*records.Domain) {
	var terms []string
	for _, i := range includes {
		terms = append(terms, "include:"+string(i))
	}
	return func(d *records.Domain) {
		r, err := spf.Parse(strings.Join(slices.Concat([]string{"v=spf1"}, terms, []string{"~all"}), " "))
		if err != nil {
			panic(err)
		}
		d.SPF = &records.SPF{Record: r}
	}
}

func withDMARC(d *records.Domain) { d.DMARC = &records.DMARC{Record: mustDMARC(dmarc)} }

func mustDMARC(v records.Value) records.DMARCRecord {
	r, err := records.ParseDMARC(string(v))
	if err != nil {
		panic(err)
	}
	return r
}

// withRPT declares TLS-RPT reports to an address of the domain.
func withRPT(user string) func(*records.Domain) {
	return func(d *records.Domain) {
		d.TLSRPT = &records.TLSRPT{RUA: []string{"mailto:" + user + "@" + string(d.Name)}}
	}
}

// withRecord declares values below the domain that no gate stands before.
func withRecord(label string, values ...records.Value) func(*records.Domain) {
	return func(d *records.Domain) {
		d.Free = append(d.Free, records.Free{Key: txtKey(records.Name(label + "." + string(d.Name))), Values: values})
	}
}

// mail is the declaration of most tests: it merges the two SPF records, adds
// DMARC, and replaces the TLS-RPT record, which has to wait.
func mail() *records.Domain {
	return domain(zoneA, withSPF("_spf.one.example"), withDMARC, withRPT("new"))
}

var errFault = errors.New("the call failed")

// fault disturbs one call of a process.
type fault struct {
	at    int  // the call, counted from 0
	late  bool // the call is made all the same, its answer is lost
	crash bool // nothing works from then on
	calls []string
	mu    sync.Mutex
}

func (f *fault) hook(call string, do func() error) error {
	f.mu.Lock()
	n := len(f.calls)
	f.calls = append(f.calls, call)
	f.mu.Unlock()
	switch {
	case n == f.at:
		if f.late {
			_ = do() // its answer is lost
		}
		return errFault
	case n > f.at && f.crash:
		return errFault
	}
	return do()
}

// reached reports whether the process came to the call that was to be
// disturbed.
func (f *fault) reached() bool { return len(f.calls) > f.at }

func (f *fault) String() string {
	what := "failure of"
	if f.crash {
		what = "crash at"
	}
	when := "before"
	if f.late {
		when = "after"
	}
	call := "(not reached)"
	if f.reached() {
		call = f.calls[f.at]
	}
	return fmt.Sprintf("%s call %d (%s), %s it was made", what, f.at, call, when)
}

func domains(list ...*records.Domain) []*records.Domain { return list }
