package provider_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/provider/providertest"
	"github.com/attunelogic/maildns/provider/providertest/cloudflaretest"
	"github.com/attunelogic/maildns/records"
)

const cloudflareToken = "a-token-of-the-tests"

// openCloudflare opens the provider over a stand-in for the API.
func openCloudflare(t testing.TB, w providertest.World) providertest.Subject {
	t.Helper()
	clock := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	now := func() time.Time { return clock }
	server := &cloudflaretest.Server{Token: cloudflaretest.Token{Secret: cloudflareToken}, Now: now}
	id := server.AddZone(cloudflaretest.Zone{Name: providertest.ZoneName}).ID
	s := providertest.Subject{
		Look: func(t testing.TB) records.Zone {
			t.Helper()
			z, err := server.Look(id)
			if err != nil {
				t.Fatal(err)
			}
			return z
		},
		Edit: func(t testing.TB, set records.RRset) {
			t.Helper()
			if err := server.Put(id, set); err != nil {
				t.Fatal(err)
			}
		},
	}
	for _, set := range w.Sets {
		if len(set.Values) > 0 {
			s.Edit(t, set)
		}
	}
	server.Around = func(_ *http.Request, serve func() cloudflaretest.Answer) (answer cloudflaretest.Answer, err error) {
		err = w.Around(func() error {
			answer = serve()
			return nil
		})
		return answer, err
	}
	host, err := provider.Open(
		records.ProviderRef{Type: "cloudflare", Name: "test"}, provider.Values{"api_token": {cloudflareToken}},
		provider.Options{Outside: httpapi.Outside{
			Via: server, Now: now,
			Sleep: func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) },
		}},
	)
	if err != nil {
		t.Fatal(err)
	}
	if s.Zone, err = host.Zone(providertest.ZoneName, ""); err != nil {
		t.Fatal(err)
	}
	return s
}

// cloudflareHost opens the provider anew, as each run does.
func cloudflareHost(t *testing.T, server *cloudflaretest.Server, env map[string]string) *provider.Host {
	t.Helper()
	host, err := provider.Open(
		records.ProviderRef{Type: "cloudflare", Name: "test"}, provider.Values{"api_token": {cloudflareToken}},
		provider.Options{
			Env:     func(name string) string { return env[name] },
			Outside: httpapi.Outside{Via: server, Sleep: func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	return host
}

// TestCloudflareRequests counts what a plan and an apply cost: a plan looks the
// zone up and reads it; an apply reads it, writes and reads it back.
func TestCloudflareRequests(t *testing.T) {
	t.Parallel()
	server := &cloudflaretest.Server{Token: cloudflaretest.Token{Secret: cloudflareToken}}
	id := server.AddZone(cloudflaretest.Zone{Name: zoneName}).ID
	x := records.NewRRset(records.Key{Name: zoneName, Type: "TXT"}, 300, "v=spf1 -all")
	y := records.NewRRset(x.Key, 300, "v=spf1 ~all")
	if err := server.Put(id, x); err != nil {
		t.Fatal(err)
	}
	read := func(z *provider.Zone) {
		t.Helper()
		if _, err := z.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	write := func(z *provider.Zone, from, to records.RRset) {
		t.Helper()
		if err := z.Write(t.Context(), []records.Change{{Key: x.Key, Before: &from, After: &to}}); err != nil {
			t.Fatal(err)
		}
	}
	find, list, batch := "GET /zones", "GET /zones/ID/dns_records", "POST /zones/ID/dns_records/batch"
	for _, c := range []struct {
		name string
		run  func(z *provider.Zone)
		want []string
	}{
		{"plan", read, []string{find, list}},
		{"apply FILE", func(z *provider.Zone) { read(z); write(z, x, y); read(z) }, []string{find, list, batch, list}},
		{"plan and apply", func(z *provider.Zone) { read(z); read(z); write(z, y, x); read(z) }, []string{find, list, list, batch, list}},
		{"a write alone", func(z *provider.Zone) { write(z, x, y) }, []string{find, list, batch}},
	} {
		z, err := cloudflareHost(t, server, nil).Zone(zoneName, "")
		if err != nil {
			t.Fatal(err)
		}
		before := len(server.Requests())
		c.run(z)
		got := server.Requests()[before:]
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], id, "ID")
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestCloudflareManyZones: beyond 20 zones a plan is one request a zone and one
// for each 50 of the account.
func TestCloudflareManyZones(t *testing.T) {
	t.Parallel()
	for zones, want := range map[int]int{1: 2, 20: 40, 21: 22, 120: 123} {
		server := &cloudflaretest.Server{Token: cloudflaretest.Token{Secret: cloudflareToken}}
		host := cloudflareHost(t, server, nil)
		for i := range zones {
			name := records.Name(fmt.Sprintf("z%d.example", i))
			server.AddZone(cloudflaretest.Zone{Name: name})
		}
		listed, err := cloudflareHost(t, server, nil).Zones(t.Context())
		if err != nil || len(listed) != zones {
			t.Fatalf("%d zones are listed, error %v", len(listed), err)
		}
		opened := make([]*provider.Zone, len(listed))
		for i, name := range listed {
			if opened[i], err = host.Zone(name, ""); err != nil {
				t.Fatal(err)
			}
		}
		before := len(server.Requests())
		for _, z := range opened {
			if _, err := z.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(server.Requests()) - before; got != want {
			t.Errorf("%d zones: %d requests, want %d", zones, got, want)
		}
	}
}

// TestCloudflareSplit: what needs two batches is not one transaction, and the
// zone says so beforehand.
func TestCloudflareSplit(t *testing.T) {
	t.Parallel()
	server := &cloudflaretest.Server{Token: cloudflaretest.Token{Secret: cloudflareToken}}
	server.AddZone(cloudflaretest.Zone{Name: zoneName})
	z, err := cloudflareHost(t, server, nil).Zone(zoneName, "")
	if err != nil {
		t.Fatal(err)
	}
	var changes []records.Change
	for i := range 201 {
		s := records.NewRRset(records.Key{Name: records.Below(fmt.Sprintf("n%d", i), zoneName), Type: "TXT"}, 300, "x")
		changes = append(changes, records.Change{Key: s.Key, After: &s})
	}
	if !z.Transactional(changes[:200]) || z.Transactional(changes) {
		t.Error("200 changes are one transaction, 201 are not")
	}
	if err := z.Write(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	if got, err := z.Read(t.Context()); err != nil || got.Len() != 201 {
		t.Errorf("%d sets, error %v", got.Len(), err)
	}
}

// TestCloudflareEndpoint: the environment alone moves the API, and never to
// where a token would travel in the clear.
func TestCloudflareEndpoint(t *testing.T) {
	t.Parallel()
	api := &cloudflaretest.Server{Token: cloudflaretest.Token{Secret: cloudflareToken}}
	api.AddZone(cloudflaretest.Zone{Name: zoneName})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	open := func(endpoint string) (*provider.Host, error) {
		return provider.Open(
			records.ProviderRef{Type: "cloudflare", Name: "test"}, provider.Values{"api_token": {cloudflareToken}},
			provider.Options{Env: func(name string) string {
				return map[string]string{"MAILDNS_CLOUDFLARE_ENDPOINT": endpoint}[name]
			}},
		)
	}
	host, err := open(server.URL + "/client/v4")
	if err != nil {
		t.Fatal(err)
	}
	facts, err := host.CheckAccess(t.Context(), []records.Name{zoneName})
	if err != nil || len(facts) != 2 {
		t.Errorf("facts %q, error %v", facts, err)
	}
	if _, err := open("http://198.51.100.1/client/v4"); err == nil || !strings.Contains(err.Error(), "MAILDNS_CLOUDFLARE_ENDPOINT") {
		t.Errorf("error %v", err)
	}
}
