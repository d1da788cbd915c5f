package route53_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/libdns/libdns"
	library "github.com/libdns/route53"

	"github.com/attunelogic/maildns/provider/providertest/route53test"
	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// through reads the zone by libdns/route53.
func through(t *testing.T, server *route53test.Server, id string) ([]libdns.Record, error) {
	t.Helper()
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	t.Setenv("AWS_ENDPOINT_URL_ROUTE_53", web.URL) // it has no other way
	p := &library.Provider{
		Region: "us-east-1", AccessKeyId: "AKIDEXAMPLE", SecretAccessKey: "secret", HostedZoneID: id, MaxRetries: 1,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return p.GetRecords(t.Context(), rr.FQDN(zoneName))
}

// TestContractSameAsLibrary: where libdns/route53 reads faithfully, we read the
// same. Both see the same server, so this holds the two against each other, and
// one that changes is found out.
func TestContractSameAsLibrary(t *testing.T) {
	server, id := world(
		set("@", "MX", 300, "10 a.example.net", "20 b.example.net", "20 c.example.net"), set("a", "MX", 60, records.NullMX),
		set("@", "TXT", 3600, "v=spf1 -all", "token=1", `in"side`, `back\slash`, "é\xff\x00", " a ", ""),
		set("s1._domainkey", "TXT", 300, records.Value("v=DKIM1; k=rsa; p="+strings.Repeat("M+/=", 184))),
		set("www", "CNAME", 60, "example.net"), set("_25._tcp.a", "TLSA", 60, "3 1 1 abcd"), set("c", "CAA", 60, `0 issue "ca.example.net"`),
		set("_x._tcp", "SRV", 60, "1 2 3 a.example.net"), set("v4", "A", 60, "192.0.2.1", "192.0.2.2"), set("v6", "AAAA", 60, "2001:db8::1"),
	)
	recs, err := through(t, server, id)
	if err != nil {
		t.Fatal(err)
	}
	ours := read(t, open(t, settings(server)))
	theirs := rr.Zone(zoneName, recs)
	if diff := cmp.Diff(theirs.Sets(), ours.Sets()); diff != "" || theirs.NegativeTTL != ours.NegativeTTL {
		t.Errorf("negative TTL %d and %d; -theirs +ours\n%s", theirs.NegativeTTL, ours.NegativeTTL, diff)
	}
}

// TestContractWhatTheLibraryLoses is why we don't read through libdns/route53
// (docs/decisions/0019-route53-reads-through-the-sdk.md). Where one of these
// fails, it has been mended: think again.
func TestContractWhatTheLibraryLoses(t *testing.T) {
	weight := int64(1)
	weighted := raw("x.example.com", "MX", 60, "10 a.example.net.")
	weighted.SetIdentifier, weighted.Weight = "a", &weight
	cases := []struct {
		name string
		set  route53test.Set
		lost func(recs []libdns.Record, err error) bool
	}{
		{"an alias", route53test.Set{Name: "x.example.com", Type: "A", AliasTarget: &route53test.AliasTarget{HostedZoneID: "Z2FDTNDATAQYW2", DNSName: "d1.cloudfront.net."}},
			func(recs []libdns.Record, err error) bool { return err == nil && len(recs) == 0 }},
		{"a routing policy", weighted,
			func(recs []libdns.Record, err error) bool { return err == nil && recs[0] == plainMX }},
		{"a wildcard's name", raw("*.example.com", "TXT", 60, `"x"`),
			func(recs []libdns.Record, err error) bool { return err == nil && recs[0].RR().Name == `\052` }},
		{"quotation marks at the ends", raw("x.example.com", "TXT", 60, `"\"x\""`),
			func(recs []libdns.Record, err error) bool { return err == nil && recs[0].RR().Data == "x" }},
		{"strings without a space between them", raw("x.example.com", "TXT", 60, `"a""b"`),
			func(recs []libdns.Record, err error) bool { return err == nil && recs[0].RR().Data == `a""b` }},
		{"a zone with one record that libdns can't parse", raw("x.example.com", "SRV", 60, "1 2 3 a.example.net."),
			func(_ []libdns.Record, err error) bool { return err != nil }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server, id := world()
			server.PutSet(id, c.set)
			recs, err := through(t, server, id)
			var added []libdns.Record
			for _, rec := range recs {
				if k := rr.Key(rec.RR(), zoneName); k.Type != "SOA" && k.Type != records.TypeNS {
					added = append(added, rec)
				}
			}
			if !c.lost(added, err) {
				t.Errorf("libdns/route53 reads %v, error %v", added, err)
			}
			if ours := read(t, open(t, settings(server))); ours.Len() != 2 {
				t.Errorf("we read %v", ours.Sets())
			}
		})
	}
}

var plainMX = rr.Record(key("x", "MX"), 60, "10 a.example.net", zoneName)
