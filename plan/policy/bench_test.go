package policy_test

import (
	"fmt"
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// tenants is a zone of n domains that declare what most of them have live, and
// what a journal that has applied them all remembers. Every tenth has something
// to change, one in a hundred an override and an undone change.
func tenants(b *testing.B, n int) policy.ZoneInput {
	b.Helper()
	in := policy.ZoneInput{Clock: at(noon), Journal: plan.JournalRead, Open: map[records.Name][]plan.Override{}}
	var sets []records.RRset
	var state plan.State
	for i := range n {
		d := domain(declareSPF("v=spf1 include:spf.example.net ~all"), declareAlias("al1", records.Name(fmt.Sprintf("al1.t%d.example.net", i))), reject())
		d.Name = records.Name(fmt.Sprintf("t%d.a.example", i))
		d.DMARC.Record.RUA = []string{"mailto:d@example.net"}
		in.Domains = append(in.Domains, d)
		spfText := records.Value("v=spf1 include:spf.example.net ~all")
		if i%10 == 0 {
			spfText = "v=spf1 include:old.example.net ~all"
		}
		live := []records.RRset{
			records.NewRRset(records.Key{Name: d.Name, Type: records.TypeTXT}, 3600, spfText, "token"),
			records.NewRRset(records.Key{Name: records.Below("al1._domainkey", d.Name), Type: records.TypeCNAME}, 3600, records.Value(fmt.Sprintf("al1.t%d.example.net", i))),
			records.NewRRset(records.Key{Name: records.DMARCName(d.Name), Type: records.TypeTXT}, 3600, "v=DMARC1; p=none; rua=mailto:d@example.net"),
			records.NewRRset(records.Key{Name: d.Name, Type: records.TypeMX}, 3600, "10 mx.example.net"),
		}
		sets = append(sets, live...)
		state.Domains = append(state.Domains, plan.DomainState{Domain: d.Name, Applied: ago(30 * day), Policy: "p=none", Since: ago(30 * day)})
		for k, kind := range []records.Kind{records.KindSPF, records.KindDKIM, records.KindDMARC} {
			v := live[k].Values[len(live[k].Values)-1]
			state.Owned = append(state.Owned, plan.Owned{Domain: d.Name, Kind: kind, Name: live[k].Name, Type: live[k].Type, Value: v})
			state.Sets = append(state.Sets, plan.SetState{Name: live[k].Name, Type: live[k].Type, Base: 3600, Written: ago(20 * day)})
		}
		if i%100 == 0 {
			in.Open[d.Name] = open(policy.GateNarrow)
			state.Holds = append(state.Holds, plan.RolledBack{Domain: d.Name, Kind: records.KindSPF, Name: d.Name, Type: records.TypeTXT, Added: []string{"include:bad.example.net"}})
			o := recorded(policy.GateRamp, records.Key{Name: records.DMARCName(d.Name), Type: records.TypeTXT}, nil, []records.Value{"v=DMARC1; p=reject"})
			o.Domain = d.Name
			state.Overrides = append(state.Overrides, o)
		}
	}
	in.Live = records.NewZone(apex, 900, sets...)
	state.Live = in.Live.Sets()
	in.Past = state.Index()
	return in
}

// BenchmarkPlanZone: the time for a domain doesn't grow with their number.
func BenchmarkPlanZone(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("domains=%d", n), func(b *testing.B) {
			in := tenants(b, n)
			b.ReportAllocs()
			for b.Loop() {
				policy.PlanZone(in)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/domain")
		})
	}
}

// BenchmarkPlanZones: 10,000 zones of 20 records with one domain each.
func BenchmarkPlanZones(b *testing.B) {
	const n = 10_000
	inputs := make([]policy.ZoneInput, n)
	for i := range inputs {
		in := tenants(b, 1)
		in.Domains[0].Name, in.Domains[0].Zone = "t0.a.example", apex
		for k := range 16 {
			in.Live = in.Live.With(records.NewRRset(key(fmt.Sprintf("host%d", k), records.TypeA), 3600, "192.0.2.1"))
		}
		inputs[i] = in
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, in := range inputs {
			policy.PlanZone(in)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/zone")
}

// BenchmarkRestore: the way back of a zone of 10,000 domains.
func BenchmarkRestore(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("domains=%d", n), func(b *testing.B) {
			in := tenants(b, n)
			var target plan.Target
			for _, s := range in.Live.Sets() {
				if s.Type == records.TypeTXT && s.Has("token") {
					s = records.NewRRset(s.Key, s.TTL, "token", "v=spf1 include:former.example.net ~all")
					target.Removed = append(target.Removed, plan.Owned{Domain: s.Name, Kind: records.KindSPF, Name: s.Name, Type: s.Type, Value: "v=spf1 include:former.example.net ~all"})
				}
				target.Sets = append(target.Sets, s)
			}
			b.ReportAllocs()
			for b.Loop() {
				if way := plan.Restore(in.Live, in.Past, target, plan.RestoreOptions{TTL: 300}); len(way.Domains) != n {
					b.Fatalf("%d domains", len(way.Domains))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/domain")
		})
	}
}
