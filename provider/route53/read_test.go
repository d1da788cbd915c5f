package route53_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/provider/providertest/route53test"
	"github.com/attunelogic/maildns/records"
)

func raw(name, kind string, ttl int64, values ...string) route53test.Set {
	s := route53test.Set{Name: name, Type: kind, TTL: &ttl}
	for _, v := range values {
		s.ResourceRecords = append(s.ResourceRecords, route53test.Record{Value: v})
	}
	return s
}

// TestReadNormalises what the service stores in many forms.
func TestReadNormalises(t *testing.T) {
	t.Parallel()
	server, id := world()
	for _, s := range []route53test.Set{
		raw("*.w.example.com.", "TXT", 60, `"x"`),
		raw(`a\057b.example.com.`, "A", 60, "192.0.2.1"),
		raw(`a\056b\040c.example.com.`, "A", 60, "192.0.2.1"),
		raw("example.com.", "MX", 300, "10 MX1.Example.net", "20  mx2.example.net."),
		raw("example.com.", "TXT", 3600, `"v=spf1 -all"`, `"a""b"`, `"c" "d"`, `"\"q\" \\ \303\251\000"`, `"v=DKIM1\; k=rsa"`, `""`),
		raw("_sip.example.com.", "SRV", 60, "1 2 3 sip.example.net."), // libdns refuses it for its name
		raw("svc.example.com.", "HTTPS", 60, "1 . alpn=h2"),
		raw("odd.example.com.", "A", 60, "192.0.2.1", "nonsense"),
	} {
		server.PutSet(id, s)
	}
	got := read(t, open(t, settings(server)))
	odd := set("odd", "A", 60, "192.0.2.1", "nonsense")
	odd.Fixed = `one of its records can't be read`
	want := records.NewZone(zoneName, 900,
		set("@", "NS", 172800, "ns-1.awsdns-01.org", "ns-2.awsdns-02.co.uk"),
		set("*.w", "TXT", 60, "x"),
		set("a/b", "A", 60, "192.0.2.1"), set(`a\046b\032c`, "A", 60, "192.0.2.1"),
		set("@", "MX", 300, "10 mx1.example.net", "20 mx2.example.net"),
		set("@", "TXT", 3600, "v=spf1 -all", "ab", "cd", "\"q\" \\ é\x00", `v=DKIM1\; k=rsa`, ""),
		set("_sip", "SRV", 60, "1 2 3 sip.example.net"), set("svc", "HTTPS", 60, "1 . alpn=h2"), odd,
	)
	sets := got.Sets()
	for i := range sets {
		if strings.HasPrefix(sets[i].Fixed, odd.Fixed) {
			sets[i].Fixed = odd.Fixed
		}
	}
	if diff := cmp.Diff(want.Sets(), sets); diff != "" || got.NegativeTTL != want.NegativeTTL {
		t.Errorf("negative TTL %d, -want +got\n%s", got.NegativeTTL, diff)
	}
}

// peculiar are sets that no change of values and TTL can write.
func peculiar() map[string][]route53test.Set {
	one, alias := int64(1), &route53test.AliasTarget{HostedZoneID: "Z2FDTNDATAQYW2", DNSName: "d1.cloudfront.net."}
	with := func(s route53test.Set, change func(*route53test.Set)) route53test.Set {
		change(&s)
		return s
	}
	plain := raw("p.example.com.", "MX", 60, "10 a.example.")
	named := func(identifier string) route53test.Set {
		return with(plain, func(s *route53test.Set) { s.SetIdentifier = identifier })
	}
	return map[string][]route53test.Set{
		"alias of d1.cloudfront.net": {{Name: "p.example.com.", Type: "MX", AliasTarget: alias}},
		"weighted": {
			with(named("a"), func(s *route53test.Set) { s.Weight = &one }),
			with(named("b"), func(s *route53test.Set) {
				s.Weight, s.ResourceRecords = &one, raw("", "", 0, "20 b.example.").ResourceRecords
			}),
			with(named("c"), func(s *route53test.Set) { s.Weight, s.ResourceRecords, s.TTL, s.AliasTarget = &one, nil, nil, alias }),
		},
		"latency":           {with(named("a"), func(s *route53test.Set) { s.Region = "eu-west-1" })},
		"failover":          {with(named("a"), func(s *route53test.Set) { s.Failover = "PRIMARY" })},
		"geolocation":       {with(named("a"), func(s *route53test.Set) { s.GeoLocation = &route53test.GeoLocation{CountryCode: "DE"} })},
		"multivalue answer": {with(named("a"), func(s *route53test.Set) { s.MultiValueAnswer = true })},
		"health check":      {with(plain, func(s *route53test.Set) { s.HealthCheckID = "h" })},
		"traffic policy":    {with(plain, func(s *route53test.Set) { s.TrafficPolicyInstanceID = "t" })},
	}
}

// TestPeculiarSetsAreRefused with the reason, whether the plan knew of it or
// not, and nothing is written.
func TestPeculiarSetsAreRefused(t *testing.T) {
	t.Parallel()
	for reason, sets := range peculiar() {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			server, id := world(set("q", "TXT", 60, "x"))
			zone := open(t, settings(server))
			before := read(t, zone)
			for _, s := range sets {
				server.PutSet(id, s)
			}
			here := server.Sets(id)
			for name, z := range map[string]records.Zone{"it appears after the read": before, "it was read": read(t, zone)} {
				s, found := z.Set(key("p", "MX"))
				if found != strings.Contains(s.Fixed, reason) {
					t.Errorf("%s: %v, %q", name, found, s.Fixed)
				}
				for _, after := range []records.RRset{set("p", "MX", 60, "0 ."), {Key: s.Key}} {
					after.Key = key("p", "MX")
					changes := []records.Change{to(z, set("q", "TXT", 60, "y")), to(z, after)}
					if !found && len(after.Values) == 0 {
						continue // nothing changes
					}
					err := zone.Write(t.Context(), changes)
					if err == nil || !strings.Contains(err.Error(), reason) || !strings.Contains(err.Error(), "p.example.com MX") {
						t.Errorf("%s: error %v", name, err)
					}
				}
				if found { // the plan forgot
					s.Fixed = ""
					change := records.Change{Key: s.Key, Before: &s}
					if err := zone.Write(t.Context(), []records.Change{change}); err == nil || !strings.Contains(err.Error(), reason) {
						t.Errorf("error %v", err)
					}
				}
			}
			if diff := cmp.Diff(here, server.Sets(id)); diff != "" {
				t.Errorf("something was written: %s", diff)
			}
		})
	}
}

// TestReadPages: 300 sets a request, also where a page ends between the
// versions of one set.
func TestReadPages(t *testing.T) {
	t.Parallel()
	server, id := world()
	weight := int64(1)
	for i := range 297 {
		server.Put(id, set(fmt.Sprintf("a%03d", i), "TXT", 60, "x"))
	}
	for _, identifier := range []string{"a", "b", "c"} {
		s := raw("b.example.com", "A", 60, "192.0.2.1")
		s.SetIdentifier, s.Weight = identifier, &weight
		server.PutSet(id, s)
	}
	for i := range 400 {
		server.Put(id, set(fmt.Sprintf("c%03d", i), "TXT", 60, "x"))
	}
	got := read(t, open(t, settings(server)))
	if want := 1 + 297 + 1 + 400; got.Len() != want {
		t.Errorf("%d sets, want %d", got.Len(), want)
	}
	if n := server.Count(route53test.ListResourceRecordSets); n != 3 {
		t.Errorf("%d requests for 702 sets, want 3", n)
	}
}

// TestReadOfAnotherZone: an id that is somebody else's reads nothing, rather
// than a zone without records.
func TestReadOfAnotherZone(t *testing.T) {
	t.Parallel()
	server, _ := world()
	other := server.AddZone("example.net", false)
	zone, err := host(t, settings(server)).Zone(zoneName, "/hostedzone/"+other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zone.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "is example.net, not example.com: correct zone_id") {
		t.Errorf("error %v", err)
	}
}

// TestCutAnswers: wherever an answer ends too early, the zone is not read. An
// empty one is no empty zone.
func TestCutAnswers(t *testing.T) {
	t.Parallel()
	const whole, step = 1500, 13 // more than the answer has, in steps
	cut := 1
	for ; cut < whole; cut += step {
		server, _ := world(set("@", "TXT", 60, "x"))
		server.Intercept = func(c route53test.Call) *route53test.Fault {
			if c.Action != route53test.ListResourceRecordSets {
				return nil
			}
			return &route53test.Fault{Cut: cut}
		}
		_, err := open(t, settings(server)).Read(t.Context())
		if err == nil {
			break
		}
	}
	if cut < 800 || cut >= whole {
		t.Errorf("%d bytes of the answer were enough", cut)
	}
	for status, body := range map[int]string{200: " ", 502: "<html><body>502 Bad Gateway</body></html>"} {
		server, _ := world()
		server.Intercept = func(c route53test.Call) *route53test.Fault {
			if c.Action != route53test.ListResourceRecordSets {
				return nil
			}
			return &route53test.Fault{Status: status, Body: body}
		}
		if z, err := open(t, settings(server)).Read(t.Context()); err == nil {
			t.Errorf("status %d, body %q: read as %v", status, body, z.Sets())
		}
	}
}
