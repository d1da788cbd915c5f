package provider_test

import (
	"context"
	"net/http"
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
	server.Around = func(_ *http.Request, serve func() *http.Response) (resp *http.Response, err error) {
		err = w.Around(func() error {
			resp = serve()
			return nil
		})
		return resp, err
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
