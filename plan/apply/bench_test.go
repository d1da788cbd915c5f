package apply_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/records"
)

// estate is many zones as files, with a journal on the disk: fsync and all.
type estate struct {
	host    *provider.Host
	journal *journal.Journal
	names   []records.Name
	now     time.Time
	runs    int
}

// zoneText is a zone of 20 record sets, 14 of them mail.
func zoneText(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "$ORIGIN %s.\n@ 3600 IN SOA ns1 hostmaster 1 7200 1800 1209600 3600\n@ 3600 IN NS ns1\n", name)
	fmt.Fprintf(&b, "@ 3600 IN TXT \"v=spf1 include:_spf.one.example ~all\"\n@ 3600 IN TXT \"token=%s\"\n", name)
	b.WriteString("@ 3600 IN MX 10 mx1.example.\n@ 3600 IN MX 20 mx2.example.\n")
	b.WriteString("_dmarc 3600 IN TXT \"v=DMARC1; p=none\"\n_smtp._tls 3600 IN TXT \"v=TLSRPTv1; rua=mailto:tls@one.example\"\n")
	for i := range 8 {
		fmt.Fprintf(&b, "s%d._domainkey 3600 IN TXT \"v=DKIM1; k=rsa; p=%s\"\n", i, strings.Repeat("A", 360))
	}
	for _, host := range []string{"ns1", "www", "api", "app", "mail", "ftp"} {
		fmt.Fprintf(&b, "%s 3600 IN A 192.0.2.1\n", host)
	}
	return b.String()
}

func newEstate(b *testing.B, zones int) *estate {
	dir := b.TempDir()
	e := &estate{now: start, journal: journal.Open(store.NewLocal(filepath.Join(dir, "journal"), disk.FS{}))}
	for i := range zones {
		name := fmt.Sprintf("z%05d.example", i)
		if err := os.WriteFile(filepath.Join(dir, name+".zone"), []byte(zoneText(name)), 0o644); err != nil {
			b.Fatal(err)
		}
		e.names = append(e.names, records.Name(name))
	}
	var err error
	e.host, err = provider.Open(records.ProviderRef{Type: "zonefile", Name: "bench"}, provider.Values{"directory": {dir}}, provider.Options{Now: func() time.Time { return e.now }})
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func (e *estate) clock() plan.Clock { return plan.Clock{Now: e.now, Wall: e.now} }

func (e *estate) run() *apply.Run {
	e.runs++
	id := journal.RunID(e.now, [4]byte{0, 0, 0, byte(e.runs)})
	return &apply.Run{Journal: e.journal, Clock: e.clock, ID: id, Holder: journal.Holder{Run: id}}
}

// each works on all zones, as many at once as the program does.
func (e *estate) each(b *testing.B, work func(records.Name) apply.Result) {
	const atOnce = 10
	names := make(chan records.Name)
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for name := range names {
				if r := work(name); r.Status != apply.Done || r.Err != nil {
					b.Errorf("%s: status %d: %v", name, r.Status, r.Err)
				}
			}
		})
	}
	for _, name := range e.names {
		names <- name
	}
	close(names)
	group.Wait()
}

func (e *estate) zone(b *testing.B, name records.Name) *provider.Zone {
	z, err := e.host.Zone(name, "")
	if err != nil {
		b.Error(err)
	}
	return z
}

// tenant declares SPF, DMARC and one record more.
func (e *estate) tenant(name records.Name, label, value string) *records.Domain {
	d := domain(name, withSPF("_spf.one.example"), withDMARC, withRecord(label, records.Value(value)))
	d.Zone, d.Provider = name, records.ProviderRef{Type: "zonefile", Name: "bench"}
	d.Digest = digest(d)
	return d
}

func (e *estate) reviewed(b *testing.B, domains ...*records.Domain) map[records.Name]plan.Domain {
	name := domains[0].Zone
	live, err := e.zone(b, name).Read(context.Background())
	if err != nil {
		b.Error(err)
	}
	state, _, err := e.journal.State(context.Background(), name)
	if err != nil {
		b.Error(err)
	}
	out := map[records.Name]plan.Domain{}
	for _, d := range policy.PlanZone(policy.ZoneInput{
		Live: live, Past: state.Index(), Journal: plan.JournalRead, Clock: e.clock(), Domains: domains,
		Host: policy.Host{Limits: records.Limits{Transactional: true}}, Source: plan.LiveProvider,
	}).Domains {
		out[d.Name] = d
	}
	return out
}

// apply makes one change in every zone.
func (e *estate) apply(b *testing.B, label, value string) {
	jobs := make(map[records.Name]apply.Job, len(e.names))
	for _, name := range e.names {
		d := e.tenant(name, label, value)
		jobs[name] = apply.Job{Zone: e.zone(b, name), Domains: domains(d), Reviewed: e.reviewed(b, d), PlanID: "bench"}
	}
	run := e.run()
	e.each(b, func(name records.Name) apply.Result { return run.Apply(context.Background(), jobs[name]) })
	e.now = e.now.Add(time.Minute)
}

func (e *estate) perZone(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(e.names))/1000, "ms/zone")
}

// BenchmarkApply makes one change in each of 1,000 zones, planned and applied:
// zone files and a journal on the disk.
func BenchmarkApply(b *testing.B) {
	e := newEstate(b, 1000)
	e.apply(b, "x", "before")
	b.ResetTimer()
	for round := range b.N {
		e.apply(b, "x", fmt.Sprint("round ", round))
	}
	e.perZone(b)
}

// BenchmarkRollback takes such a change back, `rollback --to last`, from the
// reference to the last outcome.
func BenchmarkRollback(b *testing.B) {
	e := newEstate(b, 1000)
	e.apply(b, "x", "before")
	var refs, preview, restore time.Duration
	for round := range b.N {
		e.apply(b, fmt.Sprint("x", round), "added") // what was rolled back before is held
		began := time.Now()
		to := e.last(b)
		found := time.Now()
		e.preview(b, to)
		shown := time.Now()
		e.rollback(b, to)
		refs, preview, restore = refs+found.Sub(began), preview+shown.Sub(found), restore+time.Since(shown)
	}
	for unit, took := range map[string]time.Duration{
		"ms/zone": refs + preview + restore, "ref-ms/zone": refs, "preview-ms/zone": preview, "restore-ms/zone": restore,
	} {
		b.ReportMetric(float64(took.Microseconds())/float64(b.N*len(e.names))/1000, unit)
	}
}

// last resolves the reference.
func (e *estate) last(b *testing.B) map[records.Name]apply.RollbackJob {
	points, err := apply.Refs{Journal: e.journal, Clock: e.clock()}.Last(context.Background(), nil)
	if err != nil || len(points) != len(e.names) {
		b.Fatalf("last is %d zones: %v", len(points), err)
	}
	to := make(map[records.Name]apply.RollbackJob, len(points))
	for _, p := range points {
		to[p.Zone] = apply.RollbackJob{Zone: e.zone(b, p.Zone), Point: p, Options: plan.RestoreOptions{TTL: 300}}
	}
	return to
}

func (e *estate) preview(b *testing.B, to map[records.Name]apply.RollbackJob) {
	run := e.run()
	e.each(b, func(name records.Name) apply.Result {
		v, err := run.Preview(context.Background(), to[name])
		if err != nil || len(v.Domains) == 0 {
			b.Errorf("%s: %d domains: %v", name, len(v.Domains), err)
		}
		return apply.Result{}
	})
}

func (e *estate) rollback(b *testing.B, to map[records.Name]apply.RollbackJob) {
	run := e.run()
	e.each(b, func(name records.Name) apply.Result { return run.Rollback(context.Background(), to[name]) })
}

// tenants is one zone with many domains below it.
func tenants(b *testing.B, n int) (*world, []*records.Domain) {
	var list []*records.Domain
	sets := []records.RRset{txt(zoneA, 3600, token)}
	for i := range n {
		name := records.Name(fmt.Sprintf("t%05d.a.example", i))
		sets = append(sets,
			txt(name, 300, "v=spf1 include:_spf.one.example ~all", token),
			txt("_dmarc."+name, 300, dmarc),
			txt("s1._domainkey."+name, 300, records.Value("v=DKIM1; k=rsa; p="+strings.Repeat("A", 360))))
		list = append(list, domain(name, withSPF("_spf.one.example"), withDMARC, withRecord("x", "one")))
	}
	return newWorld(b, records.NewZone(zoneA, 900, sets...)), list
}

// BenchmarkTenants: one zone with thousands of domains, in memory; what a domain
// costs must not grow with their number.
func BenchmarkTenants(b *testing.B) {
	again := func(w *world, list []*records.Domain) { w.done(list...) }
	for _, c := range []struct {
		name    string
		prepare func(w *world, list []*records.Domain)
		act     func(w *world, list []*records.Domain)
	}{
		{"first", func(*world, []*records.Domain) {}, again},
		{"nothing", func(w *world, list []*records.Domain) { again(w, list); w.after(25 * time.Hour); again(w, list) }, again},
		{"restore", func(w *world, list []*records.Domain) { again(w, list); w.after(25 * time.Hour) }, again},
		{"one", again, func(w *world, list []*records.Domain) {
			w.only(domain(list[0].Name, withRecord("y", "two")), list[1:]...)
		}},
		{"rollback", again, func(w *world, _ []*records.Domain) { w.back(before) }},
		{"held", func(w *world, list []*records.Domain) { again(w, list); w.back(before) }, again},
		{"refused", again, func(w *world, list []*records.Domain) {
			changed := make([]*records.Domain, len(list))
			for i, d := range list {
				changed[i] = domain(d.Name, withRecord("x", "two"))
			}
			w.process(plainly).applyJob(apply.Job{Domains: changed, Reviewed: w.plan(list...)})
		}},
	} {
		for _, n := range []int{1000, 10000} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					b.StopTimer()
					w, list := tenants(b, n)
					c.prepare(w, list)
					b.StartTimer()
					c.act(w, list)
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/domain")
			})
		}
	}
}
