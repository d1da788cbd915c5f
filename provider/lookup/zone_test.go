package lookup

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/provider/providertest/dnstest"
	"github.com/attunelogic/maildns/records"
)

// inside is what the servers of example.net hold; its addresses are those of
// the test's servers.
var inside = dnstest.Zone{Name: "example.net", Text: `
@         3600 IN SOA ns1 hostmaster 7 3600 600 86400 120
@          600 IN NS ns1
@          600 IN NS ns2
ns1        600 IN A 192.0.2.53
ns2        600 IN A 198.51.100.53
@          900 IN MX 10 mail
@          600 IN TXT "v=spf1 mx -all"
_dmarc     300 IN CNAME dmarc.vendor.example.
*.wild     300 IN TXT "the wildcard's"
own.wild   300 IN TXT "its own"
`}

func TestZoneOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{third}, inside)
		r := w.resolver([]string{third}, Options{})
		zone, servers, err := ZoneOf(t.Context(), r, "a.b.example.net")
		if want := []records.Name{"ns1.example.net", "ns2.example.net"}; err != nil || zone != "example.net" || !slices.Equal(servers, want) {
			t.Errorf("%s %v %v", zone, servers, err)
		}
		addresses, err := Addresses(t.Context(), r, servers)
		if want := []string{first, second}; err != nil || !slices.Equal(addresses, want) {
			t.Errorf("%v %v", addresses, err)
		}
		if _, err := Addresses(t.Context(), r, []records.Name{"mail.example.net"}); err == nil {
			t.Error("a server without an address")
		}
		if _, _, err := ZoneOf(t.Context(), r, "example.org"); err == nil {
			t.Error("a zone that can't be found")
		}
	})
}

// names is what the tests ask for.
var names = []Asked{
	{"example.net", []records.Type{records.TypeMX, records.TypeTXT}},
	{"_dmarc.example.net", []records.Type{records.TypeTXT}},
	{"absent.example.net", []records.Type{records.TypeTXT, records.TypeMX}},
	{"own.wild.example.net", []records.Type{records.TypeTXT}},
	{"made.wild.example.net", []records.Type{records.TypeTXT}},
	{"*.made.wild.example.net", []records.Type{records.TypeTXT}},
}

func (w world) each(servers ...string) []*Resolver {
	var out []*Resolver
	for _, s := range servers {
		out = append(out, w.resolver([]string{s}, Options{}))
	}
	return out
}

// TestReadNames: an alias is read as itself and not followed, and what a
// wildcard makes is not in the zone.
func TestReadNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first, second}, inside)
		seen, err := ReadNames(t.Context(), "example.net", w.each(first, second), names)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for s := range seen.Zone.All() {
			got = append(got, s.Key.String()+" "+string(s.Values[0]))
		}
		want := []string{"_dmarc.example.net CNAME dmarc.vendor.example", "example.net MX 10 mail.example.net", "example.net TXT v=spf1 mx -all", "own.wild.example.net TXT its own"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if set, _ := seen.Zone.Set(records.Key{Name: "example.net", Type: records.TypeMX}); set.TTL != 900 {
			t.Errorf("TTL %d", set.TTL)
		}
		if want := []records.Key{{Name: "made.wild.example.net", Type: records.TypeTXT}, {Name: "*.made.wild.example.net", Type: records.TypeTXT}}; !slices.Equal(seen.Synthesised, want) {
			t.Errorf("synthesised %v", seen.Synthesised)
		}
	})
}

// TestReadNamesNeverTakesFailureForAbsence, at any of the servers.
func TestReadNamesNeverTakesFailureForAbsence(t *testing.T) {
	t.Parallel()
	for _, misdeed := range []dnstest.Misdeed{dnstest.ServFail, dnstest.Refuse, dnstest.Drop} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, []string{first, second}, inside)
			w[second].Break("absent.example.net", dnstest.Fault{Misdeed: misdeed})
			if seen, err := ReadNames(t.Context(), "example.net", w.each(first, second), names); err == nil {
				t.Errorf("%v: %v", misdeed, seen)
			}
		})
	}
}

// TestReadNamesNeedsAgreement: servers with different zones are an error that
// names both.
func TestReadNamesNeedsAgreement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first, second}, inside)
		if err := w[second].Load(dnstest.Zone{Name: "example.net", Text: strings.Replace(inside.Text, "mx -all", "-all", 1)}); err != nil {
			t.Fatal(err)
		}
		_, err := ReadNames(t.Context(), "example.net", w.each(first, second), names)
		if err == nil || !strings.Contains(err.Error(), first+" has v=spf1 mx -all, and "+second+" has v=spf1 -all") {
			t.Error(err)
		}
	})
}
