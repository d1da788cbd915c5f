package facts_test

import (
	"context"
	"testing"

	"github.com/attunelogic/maildns/plan/facts"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider/lookup"
	"github.com/attunelogic/maildns/provider/providertest/dnstest"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

const zones = `
_spf.vendor.example. 300 TXT "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all"
_spf.deep.example.   300 TXT "v=spf1 include:_spf.vendor.example ip4:198.51.100.0/25 ~all"
_spf.macro.example.  300 TXT "v=spf1 exists:%{i}._spf.macro.example ~all"
_spf.two.example.    300 TXT "v=spf1 -all"
_spf.two.example.    300 TXT "v=spf1 ~all"
a.example.           300 A   203.0.113.7
b.example.           300 A   203.0.113.8
`

func gatherer(t *testing.T) (*facts.Gatherer, *dnstest.Server) {
	t.Helper()
	server := dnstest.Start(t, dnstest.Zone{Name: ".", Text: zones})
	return facts.New(lookup.New([]string{server.Addr()}, lookup.Options{})), server
}

func domain(t *testing.T, name records.Name, record string) *records.Domain {
	t.Helper()
	r, err := spf.Parse(record)
	if err != nil {
		t.Fatal(err)
	}
	return &records.Domain{Name: name, Zone: name, SPF: &records.SPF{Record: r}}
}

// known gathers what is known of one domain whose zone is empty.
func known(t *testing.T, g *facts.Gatherer, d *records.Domain) *policy.KnownSPF {
	t.Helper()
	return g.SPF(context.Background(), records.NewZone(d.Zone, 300), []*records.Domain{d})[d.Name]
}

func TestR05TermsAreResolvedThroughAllIncludes(t *testing.T) {
	t.Parallel()
	g, _ := gatherer(t)
	k := known(t, g, domain(t, "a.example", "v=spf1 include:_spf.deep.example a ~all"))
	deep := k.Terms["include:_spf.deep.example"]
	if deep.Lookups != 2 || deep.Voids != 0 || deep.Unknown != "" || len(deep.Faults) > 0 {
		t.Errorf("include: %+v", deep)
	}
	if n := deep.Pass.Count4(); n != 256+128 {
		t.Errorf("include passes %d IPv4 addresses, want 384", n)
	}
	if n := k.Terms["a"].Pass.Count4(); n != 1 {
		t.Errorf("a passes %d addresses, want 1", n)
	}
}

func TestR05DeadTermsAndThoseThatCannotBeTold(t *testing.T) {
	t.Parallel()
	g, _ := gatherer(t)
	k := known(t, g, domain(t, "a.example", "v=spf1 a include:_spf.gone.example include:_spf.two.example include:_spf.macro.example ~all"))
	for _, key := range []string{"include:_spf.gone.example", "include:_spf.two.example"} {
		if len(k.Terms[key].Faults) != 1 {
			t.Errorf("%s is not told to be a PERMERROR: %+v", key, k.Terms[key])
		}
	}
	if k.Terms["include:_spf.macro.example"].Unknown == "" {
		t.Error("a macro about the sender counts as known")
	}
}

func TestAnOpenQuestionIsUnknown(t *testing.T) {
	t.Parallel()
	g, server := gatherer(t)
	server.Break("_spf.vendor.example", dnstest.Fault{Misdeed: dnstest.ServFail})
	k := known(t, g, domain(t, "a.example", "v=spf1 a include:_spf.deep.example ~all"))
	if term := k.Terms["include:_spf.deep.example"]; term.Unknown == "" {
		t.Errorf("SERVFAIL counts as an answer: %+v", term)
	}
}

func TestATermIsAskedForOnce(t *testing.T) {
	t.Parallel()
	g, server := gatherer(t)
	const record = "v=spf1 a include:_spf.vendor.example ~all"
	g.SPF(context.Background(), records.NewZone("example", 300), []*records.Domain{
		domain(t, "a.example", record), domain(t, "b.example", record),
	})
	if n := server.Count("_spf.vendor.example", "TXT"); n != 1 {
		t.Errorf("the vendor's record was asked for %d times", n)
	}
	for _, name := range []string{"a.example", "b.example"} {
		if n := server.Count(name, "A"); n != 1 {
			t.Errorf("%s was asked for %d times", name, n)
		}
	}
}

func TestAClosedNetworkIsNotBelieved(t *testing.T) {
	t.Parallel()
	server := dnstest.Start(t, dnstest.Zone{Name: ".", Text: ""})
	g := facts.New(lookup.New([]string{server.Addr()}, lookup.Options{}))
	k := known(t, g, domain(t, "a.example", "v=spf1 include:_spf.vendor.example ip4:192.0.2.1 ~all"))
	if k.Terms["include:_spf.vendor.example"].Unknown == "" || !g.Blind() {
		t.Errorf("a server that denies every name is believed: %+v", k.Terms)
	}
	if k.Terms["ip4:192.0.2.1"].Unknown != "" {
		t.Error("an address needs no server")
	}
}

func TestFlattening(t *testing.T) {
	t.Parallel()
	g, server := gatherer(t)
	d := domain(t, "a.example", "v=spf1 include:_spf.deep.example ~all")
	d.SPF.Flatten = []records.Name{"_spf.deep.example"}
	k := known(t, g, d)
	if k.Flat == nil || k.Flat.DirectLookups() != 0 {
		t.Fatalf("flat: %+v (%s)", k.Flat, k.FlatProblem)
	}
	server.Break("_spf.vendor.example", dnstest.Fault{Misdeed: dnstest.ServFail})
	g = facts.New(lookup.New([]string{server.Addr()}, lookup.Options{}))
	if k := known(t, g, d); k.Flat != nil || k.FlatProblem == "" {
		t.Errorf("flattened in spite of an open question: %v", k.Flat)
	}
}

// TestR05FaultsAreToldApart: why receivers answer PERMERROR, at the term itself
// and below it; a server that knows the root is believed when it denies all.
func TestR05FaultsAreToldApart(t *testing.T) {
	t.Parallel()
	server := dnstest.Start(t, dnstest.Zone{Name: ".", Text: `
.                  300 NS  ns.root.
loop.example.      300 TXT "v=spf1 include:back.example -all"
back.example.      300 TXT "v=spf1 redirect=loop.example"
below.example.     300 TXT "v=spf1 include:gone.example -all"
`})
	g := facts.New(lookup.New([]string{server.Addr()}, lookup.Options{}))
	k := known(t, g, domain(t, "a.example", "v=spf1 include:gone.example include:below.example include:loop.example ~all"))
	for key, want := range map[string]policy.TermFault{
		"include:gone.example":  {Problem: spf.NoRecord},
		"include:below.example": {Problem: spf.NoRecord, Domain: "below.example", Term: "include:gone.example"},
		"include:loop.example":  {Problem: spf.Loop, Domain: "back.example", Term: "redirect=loop.example"},
	} {
		got := k.Terms[key].Faults
		if len(got) != 1 || got[0].Detail == "" {
			t.Errorf("%s: %+v", key, got)
			continue
		}
		if got[0].Detail = ""; got[0] != want {
			t.Errorf("%s: %+v, want %+v", key, got[0], want)
		}
	}
	if g.Blind() {
		t.Error("a server that knows the root is not believed")
	}
}
