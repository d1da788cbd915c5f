package cloudflare_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider/cloudflare"
	"github.com/attunelogic/maildns/provider/providertest/cloudflaretest"
	"github.com/attunelogic/maildns/records"
)

// TestZoneID: a name with several zones needs the id of one.
func TestZoneID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.AddZone(cloudflaretest.Zone{Name: zone, Account: "First"})
	b := w.AddZone(cloudflaretest.Zone{Name: zone, Account: "Second"})
	put(set("a", "TXT", 300, "of the second"))(t, w, b.ID)
	_, err := w.client.ReadZone(t.Context(), zone)
	if err == nil || !strings.Contains(err.Error(), "set zone_id") || !strings.Contains(err.Error(), a.ID) || !strings.Contains(err.Error(), "Second") {
		t.Errorf("error %v", err)
	}
	got, err := w.client.InZone(zone, b.ID).ReadZone(t.Context(), zone)
	if err != nil || got.Len() != 1 {
		t.Errorf("%d sets, error %v", got.Len(), err)
	}
	if _, err := w.client.InZone("other.example", b.ID).ReadZone(t.Context(), "other.example"); err == nil || !strings.Contains(err.Error(), "is the zone example.com") {
		t.Errorf("error %v", err)
	}
	if _, err := w.client.InZone(zone, "nonsense").ReadZone(t.Context(), zone); err == nil || !strings.Contains(err.Error(), `zone_id "nonsense"`) {
		t.Errorf("error %v", err)
	}
}

// TestManyZones: 500 zones are looked up by the list, read by eight at once, and
// not one request is refused.
func TestManyZones(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := w.addZones(500)
	w.readAll(t, names)
	if got := len(w.Requests()); got != 500+10 || w.Refused() > 0 {
		t.Errorf("%d requests, %d refused", got, w.Refused())
	}
	if w.now.Sub(start) > 0 {
		t.Errorf("it took %s", w.now.Sub(start))
	}
}

var start = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

func (w *world) addZones(n int) []records.Name {
	names := make([]records.Name, n)
	for i := range names {
		names[i] = records.Name(fmt.Sprintf("z%04d.example", i))
		w.AddZone(cloudflaretest.Zone{Name: names[i]})
	}
	return names
}

// readAll reads zones as a run does, several at once.
func (w *world) readAll(t *testing.T, names []records.Name) {
	t.Helper()
	clients := make([]*cloudflare.Client, len(names))
	for i, name := range names {
		clients[i] = w.client.InZone(name, "")
	}
	var group sync.WaitGroup
	queue := make(chan int)
	for range 8 {
		group.Go(func() {
			for i := range queue {
				if _, err := clients[i].ReadZone(t.Context(), names[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range names {
		queue <- i
	}
	close(queue)
	group.Wait()
}

// TestMoreThanTheBudget: what exceeds the budget of five minutes waits for the
// next ones, and says so; with a share of it, earlier.
func TestMoreThanTheBudget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		share float64
		takes time.Duration
	}{{1, 5 * time.Minute}, {0.5, 10 * time.Minute}} {
		w := newWorld(t)
		w.client = w.open(t, c.share)
		names := w.addZones(1300)
		w.readAll(t, names)
		if got := len(w.Requests()); got != 1300+26 || w.Refused() > 0 {
			t.Errorf("%d requests, %d refused", got, w.Refused())
		}
		if took := w.now.Sub(start); took < c.takes || took > c.takes*102/100 {
			t.Errorf("with %v of the budget it took %s, want %s", c.share, took, c.takes)
		}
		if len(w.told) == 0 || !strings.Contains(w.told[0], "request budget") {
			t.Errorf("told %q", w.told)
		}
	}
}

// TestSomebodyElseUsesTheBudget: the host's word holds, and the run goes on
// afterwards.
func TestSomebodyElseUsesTheBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := w.addZones(30)
	w.Spend(1200)
	w.readAll(t, names)
	if took := w.now.Sub(start); took < 5*time.Minute || took > 6*time.Minute || w.Refused() > 1 {
		t.Errorf("it took %s, %d requests were refused", took, w.Refused())
	}
}

// TestOneAfterTheOther: a run that opens its zones one by one lists them once
// they are many.
func TestOneAfterTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range w.addZones(60) {
		if _, err := w.client.ReadZone(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(w.Requests()); got != 60+21+2 {
		t.Errorf("%d requests", got)
	}
}

// TestHugeAccount: few zones of an account with very many are looked up one by
// one.
func TestHugeAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := w.addZones(3000)[:25]
	w.readAll(t, names)
	if got := len(w.Requests()); got != 25+25+1 {
		t.Errorf("%d requests", got)
	}
}

// TestListedOnce: a zone that the list doesn't have isn't asked for again.
func TestListedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addZones(30)
	for i := range 30 {
		w.client.InZone(records.Name(fmt.Sprintf("z%04d.example", i)), "")
	}
	for range 3 {
		if _, err := w.client.ReadZone(t.Context(), "absent.example"); err == nil || !strings.Contains(err.Error(), "Zone:Read") {
			t.Errorf("error %v", err)
		}
	}
	if got := w.Requests(); !slices.Equal(got, []string{"GET /zones"}) {
		t.Errorf("requests %q", got)
	}
	zones, err := w.client.ListZones(t.Context())
	if err != nil || len(zones) != 30 || len(w.Requests()) != 1 {
		t.Errorf("%d zones, %v, requests %q", len(zones), err, w.Requests())
	}
}

// TestRefusals: each says what to do, and none shows the token.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := set("a", "TXT", 300, "x")
	status := func(code int, body string) func(*http.Request, func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
		return func(*http.Request, func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
			return cloudflaretest.Answer{Status: code, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte(body)}, nil
		}
	}
	cases := []struct {
		name  string
		setup func(w *world)
		write records.RRset
		want  string
	}{
		{"unknown token", func(w *world) { w.Token.Secret = "another" }, s, "Cloudflare doesn't know this token"},
		{"no Zone:Read", func(w *world) { w.Token.NoZoneRead = true }, s, "lacks the permission Zone:Read"},
		{"no DNS:Read", func(w *world) { w.Token.NoDNSRead, w.Token.NoDNSEdit = true, true }, s, "the token lacks the permission DNS:Read"},
		{"no DNS:Edit", func(w *world) { w.Token.NoDNSEdit = true }, s, "the token lacks the permission DNS:Edit"},
		{"TTL", func(*world) {}, set("a", "TXT", 30, "x"), "declare a ttl from 60 to 86400"},
		{"HTML", func(w *world) { w.Around = status(502, "<h1>"+token) }, s, "no JSON but text/html"},
		{"500", func(w *world) {
			w.Around = status(500, `{"success":false,"errors":[{"code":1,"message":"`+token+`"}]}`)
		}, s, "HTTP 500: *** (1)"},
		{"cut", func(w *world) { w.Around = status(200, `{"success":tr`) }, s, "the answer is cut, or no JSON"},
		{"another form", func(w *world) { w.Around = status(200, `[]`) }, s, "not as Cloudflare documents it"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			z := w.AddZone(cloudflaretest.Zone{Name: zone})
			c.setup(w)
			err := w.client.Transact(t.Context(), zone, []records.Change{change(none(c.write), c.write)})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), token) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if len(w.Records(z.ID)) > 0 {
				t.Error("something was written")
			}
		})
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.AddZone(cloudflaretest.Zone{Name: zone, Quota: 1})
	two := set("a", "TXT", 300, "x", "y")
	if err := w.client.Transact(t.Context(), zone, []records.Change{change(none(two), two)}); err == nil || !strings.Contains(err.Error(), "as its plan allows") || w.read(t).Len() > 0 {
		t.Errorf("error %v", err)
	}
}

func TestCheckAccess(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		setup func(w *world)
		facts []string // what each begins with
		ends  []string
		want  string // of the error
	}{
		{"all well", func(w *world) { w.Token.ExpiresOn = "2027-01-01T00:00:00Z" }, []string{"the token is active until 2027", "example.com: zone "}, []string{"Z", "it can be written, up to 200 changes in one transaction"}, ""},
		{"an account's token", func(w *world) { w.Token.AccountOwned = true }, []string{"the token is active and doesn't expire", "example.com: zone "}, []string{"expire", "one transaction"}, ""},
		{"read only", func(w *world) { w.Token.NoDNSEdit = true }, []string{"the token is active", "example.com: zone "}, []string{"expire", "the token needs DNS:Edit"}, ""},
		{"no such zone", func(w *world) { w.Token.NoZoneRead = true }, []string{"the token is active"}, []string{"expire"}, "zone example.com: the token sees no zone of that name"},
		{"expired", func(w *world) { w.Token.Status = "expired" }, []string{"example.com: zone "}, []string{"transaction"}, "the token is expired"},
		{"unknown", func(w *world) { w.Token.Secret = "another" }, nil, nil, "verifying the token"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			z := w.AddZone(cloudflaretest.Zone{Name: zone})
			c.setup(w)
			facts, err := w.client.CheckAccess(t.Context(), []records.Name{zone})
			if len(facts) != len(c.facts) {
				t.Fatalf("facts %q, error %v", facts, err)
			}
			for i, f := range facts {
				if !strings.HasPrefix(f, c.facts[i]) || !strings.HasSuffix(f, c.ends[i]) {
					t.Errorf("fact %q, want %q … %q", f, c.facts[i], c.ends[i])
				}
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			for _, r := range short(w.Requests(), z.ID) {
				if !strings.HasPrefix(r, "GET ") {
					t.Errorf("it sent %s", r)
				}
			}
		})
	}
}

// TestCheckAccessByID: an id that a domain gave tells its zone from another of
// that name.
func TestCheckAccessByID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.AddZone(cloudflaretest.Zone{Name: zone})
	b := w.AddZone(cloudflaretest.Zone{Name: zone, Account: "Second", Plan: "pro"})
	w.client.InZone(zone, b.ID)
	facts, err := w.client.CheckAccess(t.Context(), []records.Name{zone})
	if err != nil || len(facts) != 2 || !strings.Contains(facts[1], "Second") || !strings.Contains(facts[1], "up to 3500 changes") {
		t.Errorf("facts %q, error %v", facts, err)
	}
}
