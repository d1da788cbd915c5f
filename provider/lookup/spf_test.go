package lookup

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/provider/providertest/dnstest"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

var reverse = []dnstest.Zone{
	{Name: "2.0.192.in-addr.arpa", Text: "1 300 IN PTR A.mail.example.com.\n2 300 IN PTR mail\\.victim.com."},
	{Name: "8.b.d.0.1.0.0.2.ip6.arpa", Text: "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 300 IN PTR a.mail.example.com."},
}

func TestSPFResolver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, append(reverse, example)...)
		r := w.resolver([]string{first}, Options{})
		ctx := t.Context()
		mx, err := r.MX(ctx, "example.com")
		if want := []string{"z.mail.example.com", "a.mail.example.com", "b.mail.example.com"}; err != nil || !slices.Equal(mx.Values, want) {
			t.Errorf("MX: %+v, %v", mx, err)
		}
		null, err := r.MX(ctx, "null.example.com")
		if err != nil || !slices.Equal(null.Values, []string{"."}) {
			t.Errorf("null MX: %+v, %v", null, err)
		}
		for text, want := range map[string]string{
			"192.0.2.1": "a.mail.example.com", "192.0.2.2": `mail\046victim.com`,
			"::ffff:192.0.2.1": "a.mail.example.com", "2001:db8::1": "a.mail.example.com",
		} {
			ptr, err := r.PTR(ctx, netip.MustParseAddr(text))
			if err != nil || !slices.Equal(ptr.Values, []string{want}) {
				t.Errorf("PTR of %s: %+v, %v", text, ptr, err)
			}
		}
		if a, err := r.AAAA(ctx, "one.example.com"); err != nil || !slices.Equal(a.Values, []netip.Addr{netip.MustParseAddr("2001:db8::1")}) || a.TTL != 60 {
			t.Errorf("AAAA: %+v, %v", a, err)
		}
		if a, err := r.A(ctx, "a b\\\xff.example.com"); err != nil || !a.NXDomain || a.TTL != 120 {
			t.Errorf("odd bytes: %+v, %v", a, err)
		}
		if _, err := r.PTR(ctx, netip.Addr{}); reasonOf(err) != BadName {
			t.Errorf("PTR of nothing: %v", err)
		}
	})
}

// TestSPFCheck evaluates records through the whole resolver.
func TestSPFCheck(t *testing.T) {
	t.Parallel()
	zone := dnstest.Zone{Name: "example.net", Text: `
@        IN TXT "v=spf1 include:spf.example.net " "mx -all"
@        IN MX 10 mail
spf      IN TXT "v=spf1 ip4:198.51.100.0/24 ~all"
mail     IN A 192.0.2.10
broken   IN TXT "v=spf1 include:servfail.example.net -all"
missing  IN TXT "v=spf1 include:nothing.example.net -all"
`}
	s := dnstest.Start(t, zone)
	s.Break("servfail.example.net", dnstest.Fault{Misdeed: dnstest.ServFail})
	r := New([]string{s.Addr()}, Options{})
	tests := []struct {
		domain, ip string
		want       spf.Result
	}{
		{"example.net", "198.51.100.7", spf.ResultPass},
		{"example.net", "192.0.2.10", spf.ResultPass},
		{"example.net", "203.0.113.1", spf.ResultFail},
		{"broken.example.net", "192.0.2.10", spf.ResultTempError},
		{"missing.example.net", "192.0.2.10", spf.ResultPermError},
		{"mail.example.net", "192.0.2.10", spf.ResultNone},
		{"elsewhere.example.org", "192.0.2.10", spf.ResultTempError}, // REFUSED
	}
	for _, tt := range tests {
		v := spf.Check(t.Context(), r, spf.Query{IP: netip.MustParseAddr(tt.ip), Domain: tt.domain})
		if v.Result != tt.want {
			t.Errorf("%s from %s: %s (%s), want %s", tt.domain, tt.ip, v.Result, v.Problem, tt.want)
		}
	}
	if n := s.Count("spf.example.net", "TXT"); n != 1 {
		t.Errorf("spf.example.net was asked for %d times", n)
	}
}

func TestSPFCheckWithoutNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := world{}.resolver([]string{first}, Options{})
		v := spf.Check(t.Context(), r, spf.Query{IP: netip.MustParseAddr("192.0.2.1"), Domain: "example.com"})
		if v.Result != spf.ResultTempError || !strings.Contains(v.Problem, ErrNoNetwork.Error()) {
			t.Errorf("%+v", v)
		}
		if _, err := r.TXT(t.Context(), "example.org"); !errors.Is(err, ErrNoNetwork) {
			t.Error(err)
		}
	})
}

// TestEveryZoneReadsBack serves any zone and reads it through the resolver: the
// sets come back with their values and TTLs.
func TestEveryZoneReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := records.NewZone("example.com", 60, rapid.SliceOfN(anySet, 1, 8).Draw(t, "sets")...)
		s, err := dnstest.New(dnstest.FromRecords(zone))
		if err != nil {
			t.Skip(err) // a CNAME beside others
		}
		r := world{first: s}.resolver([]string{first}, Options{PerSecond: -1})
		for _, set := range zone.Sets() {
			a, err := r.Lookup(t.Context(), set.Name, set.Type)
			if err != nil || records.TTL(a.TTL) != set.TTL || !slices.Equal(a.Values, set.Values) {
				t.Fatalf("%s: %+v, %v; want %+v", set.Key, a, err, set)
			}
		}
	})
}

var anySet = rapid.Custom(func(t *rapid.T) records.RRset {
	name := records.Name(rapid.SampledFrom([]string{"example.com", "a.example.com", "_dmarc.example.com", "x.y.example.com"}).Draw(t, "name"))
	ttl := records.TTL(rapid.IntRange(0, 86400).Draw(t, "ttl"))
	kind := rapid.SampledFrom([]records.Type{"TXT", "MX", "A", "AAAA", "CNAME", "TLSA"}).Draw(t, "type")
	values := []records.Value{"192.0.2.1", "192.0.2.2"}
	switch kind {
	case records.TypeTXT:
		for _, text := range rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 1500), 1, 3).Draw(t, "texts") {
			values = append(values, records.Value(text))
		}
	case records.TypeMX:
		values = []records.Value{"10 a.example.net", "20 b.example.net", "10 b.example.net"}
	case records.TypeAAAA:
		values = []records.Value{"2001:db8::1", "::ffff:192.0.2.1"}
	case records.TypeCNAME:
		values = []records.Value{"elsewhere.example.net"}
	case records.TypeTLSA:
		values = []records.Value{"3 1 1 00ff"}
	default: // A
	}
	return records.NewRRset(records.Key{Name: name, Type: kind}, ttl, values...)
})
