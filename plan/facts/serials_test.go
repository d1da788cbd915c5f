package facts_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/plan/facts"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider/lookup"
	"github.com/attunelogic/maildns/provider/providertest/dnstest"
	"github.com/attunelogic/maildns/records"
)

// TestSerialsOfEachServer: every authoritative server is asked by itself; one
// that is silent is left out, and asked once for all zones.
func TestSerialsOfEachServer(t *testing.T) {
	t.Parallel()
	resolver := dnstest.Start(t, dnstest.Zone{Name: "z.example", Text: `
@ 300 NS ns1
@ 300 NS ns2
@ 300 NS ns3
@ 300 NS ns4
ns1 300 A 192.0.2.1
ns2 300 A 192.0.2.2
ns2 300 AAAA 2001:db8::2
ns3 300 A 192.0.2.3
ns4 300 A 192.0.2.4
`})
	version := func(serial string) *dnstest.Server {
		return dnstest.Start(t, dnstest.Zone{Name: "z.example", Text: "@ 300 SOA ns1.z.example. h.z.example. " + serial + " 2 3 4 300\n@ 300 NS ns1.z.example.\n"})
	}
	newer, older, silent := version("7"), version("6"), version("7")
	silent.BreakAll(dnstest.Fault{Misdeed: dnstest.Refuse})
	servers := map[string]*dnstest.Server{"192.0.2.1": newer, "192.0.2.2": older, "2001:db8::2": newer, "192.0.2.3": silent}
	asked := map[string]int{}
	g := facts.New(lookup.New([]string{resolver.Addr()}, lookup.Options{}))
	z := records.NewZone("z.example", 300, records.NewRRset(records.Key{Name: "z.example", Type: records.TypeNS}, 300, "ns1.z.example", "ns2.z.example", "ns3.z.example"))
	if got := g.Serials(t.Context(), z); got != nil {
		t.Errorf("servers are asked though nobody may: %v", got)
	}
	g.AskServers(func(address string) *lookup.Resolver {
		asked[address]++
		return lookup.New([]string{servers[address].Addr()}, lookup.Options{})
	})
	want := []policy.Serial{
		{Server: "ns1.z.example (192.0.2.1)", Number: "7"},
		{Server: "ns2.z.example (192.0.2.2)", Number: "6"}, {Server: "ns2.z.example (2001:db8::2)", Number: "7"},
	}
	for range 2 {
		if diff := cmp.Diff(want, g.Serials(t.Context(), z)); diff != "" {
			t.Error(diff)
		}
	}
	for address, n := range asked {
		if n != 1 {
			t.Errorf("%d resolvers for %s", n, address)
		}
	}
	// ns4 is what resolvers find, and none that the zone names.
	if asked["192.0.2.4"] != 0 || g.Serials(t.Context(), records.NewZone("z.example", 300)) != nil {
		t.Error("a server was asked that the zone doesn't name")
	}
}
