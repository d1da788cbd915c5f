package policy_test

import (
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// flattened declares include:v.example, kept flattened.
func flattened(d *records.Domain) {
	declareSPF("v=spf1 include:v.example include:other.example ~all")(d)
	d.SPF.Flatten = []records.Name{"v.example"}
}

// vendor is what DNS says of the vendor's networks.
func vendor(prefixes ...string) policy.Known {
	text, lookups := "v=spf1", 1
	for _, p := range prefixes {
		text += " ip4:" + p
	}
	flat, err := spf.Parse(text + " include:other.example ~all")
	if err != nil {
		panic(err)
	}
	return policy.Known{SPF: &policy.KnownSPF{
		Flat: flat,
		Terms: map[string]policy.KnownTerm{
			"include:v.example":     {Pass: networkSet(prefixes...), Lookups: lookups},
			"include:other.example": {Pass: networkSet("203.0.113.0/24"), Lookups: lookups},
		},
	}}
}

// TestFlattening proves that a vendor's growth is published at once, that what
// it withdraws stays for seven days, and that nothing is written where its
// networks can't be told.
func TestFlattening(t *testing.T) {
	t.Parallel()
	const (
		net1 = "192.0.2.0/25"
		net2 = "192.0.2.128/25"
	)
	rec := func(nets ...string) string {
		out := "v=spf1"
		for _, n := range nets {
			out += " ip4:" + n
		}
		return out + " include:other.example ~all"
	}
	gone := func(since time.Duration) func(*plan.State) {
		return func(s *plan.State) {
			m := ago(since)
			s.Domains[0].Flat = []plan.FlatRange{{Prefix: networkPrefix(net1)}, {Prefix: networkPrefix(net2), Gone: &m}}
			s.Domains[0].Declared = []string{"spf:include:other.example", "spf:ip4:" + net1, "spf:ip4:" + net2}
		}
	}
	fresh := func(s *plan.State) {
		gone(0)(s)
		s.Domains[0].Flat[1].Gone = nil
	}
	for name, c := range map[string]struct {
		live  []string
		past  func(*plan.State)
		known policy.Known
		want  string
	}{
		"a first record": {
			known: vendor(net1), want: "today @ TXT: " + rec(net1),
		},
		"the include gives way to its networks": {
			live: []string{"@ 300 TXT v=spf1 include:v.example include:other.example ~all"}, known: vendor(net1), want: "today @ TXT: " + rec(net1),
		},
		"growth": {
			live: []string{"@ 300 TXT " + rec(net1)}, past: func(*plan.State) {}, known: vendor(net1, net2), want: "today @ TXT: " + rec(net1, net2),
		},
		"a network has just been withdrawn": {
			live: []string{"@ 300 TXT " + rec(net1, net2)}, past: fresh, known: vendor(net1),
			want: lines("today @ TXT: v=spf1 ip4:"+net1+" include:other.example ip4:"+net2+" ~all", "spf-flatten-stale held @ TXT: "+rec(net1)),
		},
		"a network was withdrawn almost seven days ago": {
			live: []string{"@ 300 TXT " + rec(net1, net2)}, past: gone(policy.FlatLife - time.Second), known: vendor(net1),
			want: lines("today @ TXT: v=spf1 ip4:"+net1+" include:other.example ip4:"+net2+" ~all", "spf-flatten-stale held @ TXT: "+rec(net1)),
		},
		"a network was withdrawn seven days ago": {
			live: []string{"@ 300 TXT " + rec(net1, net2)}, past: gone(policy.FlatLife), known: vendor(net1), want: "today @ TXT: " + rec(net1),
		},
		"a network that came back": {
			live: []string{"@ 300 TXT " + rec(net1, net2)}, past: gone(policy.FlatLife), known: vendor(net1, net2), want: "today @ TXT: " + rec(net1, net2),
		},
		"a network that a wider one covers": {
			live: []string{"@ 300 TXT " + rec(net1, net2)}, past: gone(0), known: vendor("192.0.2.0/24"), want: "today @ TXT: " + rec("192.0.2.0/24"),
		},
		"another withdrawn sender has its gate": {
			live: []string{"@ 300 TXT v=spf1 ip4:" + net1 + " include:left.example include:other.example ~all"}, past: fresh, known: vendor(net1),
			want: lines("today @ TXT: v=spf1 ip4:"+net1+" include:other.example ip4:"+net2+" include:left.example ~all",
				"spf-narrow unknown @ TXT: v=spf1 ip4:"+net1+" include:other.example ip4:"+net2+" ~all",
				"spf-flatten-stale held @ TXT: "+rec(net1)),
		},
		"the networks can't be told": {
			live: []string{"@ 300 TXT " + rec(net1)}, past: fresh, known: policy.Known{SPF: &policy.KnownSPF{FlatProblem: "no answer"}},
			want: lines("today @ TXT: "+rec(net1), "spf-flatten-stale unknown @ TXT: v=spf1 include:v.example include:other.example ~all"),
		},
		"the DNS was not asked": {
			want: "spf-flatten-stale unknown @ TXT: v=spf1 include:v.example include:other.example ~all",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live, d := zone(t, c.live...), domain(flattened)
			state := plan.State{}
			if c.past != nil {
				state = applied(t, live, d, "spf @ TXT")
				c.past(&state)
			}
			if got := split(policy.Input{Domain: d, Live: live, Past: state.Index(), Known: c.known}); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestFlatteningIsRemembered: since when a vendor has been without a network.
func TestFlatteningIsRemembered(t *testing.T) {
	t.Parallel()
	d := domain(flattened)
	first := policy.Remember(policy.Input{Domain: d, Past: plan.State{}.Index(), Clock: at(noon), Known: vendor("192.0.2.0/25", "192.0.2.128/25")}, zone(t))
	if len(first.Flat) != 2 || first.Flat[0].Gone != nil || first.Flat[1].Gone != nil {
		t.Fatalf("%+v", first.Flat)
	}
	later := func(prev plan.DomainState, now time.Time, known policy.Known) plan.DomainState {
		return policy.Remember(policy.Input{Domain: d, Past: plan.State{Domains: []plan.DomainState{prev}}.Index(), Clock: at(now), Known: known}, zone(t))
	}
	second := later(first, noon.Add(day), vendor("192.0.2.0/25"))
	if len(second.Flat) != 2 || second.Flat[0].Gone != nil || second.Flat[1].Gone == nil || second.Flat[1].Gone.At != noon.Add(day) {
		t.Fatalf("%+v", second.Flat)
	}
	if third := later(second, noon.Add(2*day), vendor("192.0.2.0/25")); third.Flat[1].Gone.At != noon.Add(day) {
		t.Errorf("its time began anew: %+v", third.Flat)
	}
	if blind := later(second, noon.Add(2*day), policy.Known{}); len(blind.Flat) != 2 {
		t.Errorf("forgotten without an answer: %+v", blind.Flat)
	}
	if back := later(second, noon.Add(2*day), vendor("192.0.2.0/25", "192.0.2.128/25")); back.Flat[1].Gone != nil {
		t.Errorf("still gone: %+v", back.Flat)
	}
	if over := later(second, noon.Add(8*day), vendor("192.0.2.0/25")); len(over.Flat) != 1 {
		t.Errorf("still remembered: %+v", over.Flat)
	}
}
