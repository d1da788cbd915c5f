package provider_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/provider/providertest"
	"github.com/attunelogic/maildns/provider/providertest/route53test"
	"github.com/attunelogic/maildns/records"
)

func TestMain(m *testing.M) {
	route53test.Isolate()
	os.Exit(m.Run())
}

func openRoute53(t testing.TB, w providertest.World) providertest.Subject {
	t.Helper()
	server := &route53test.Server{Around: w.Around, PendingPolls: 1}
	id := server.AddZone(providertest.ZoneName, false)
	server.PutSet(id, route53test.Set{Name: string(providertest.ZoneName), Type: "NS"}) // the suite's zone has none
	for _, set := range w.Sets {
		server.Put(id, set)
	}
	sleep := func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	host, err := provider.Open(records.ProviderRef{Type: "route53", Name: "test"},
		provider.Values{"access_key_id": {"AKIDEXAMPLE"}, "secret_access_key": {"secret"}},
		provider.Options{Outside: httpapi.Outside{Via: server, Sleep: sleep}})
	if err != nil {
		t.Fatal(err)
	}
	zone, err := host.Zone(providertest.ZoneName, "")
	if err != nil {
		t.Fatal(err)
	}
	return providertest.Subject{
		Zone: zone,
		Look: func(testing.TB) records.Zone { return server.Records(id) },
		Edit: func(_ testing.TB, s records.RRset) { server.Put(id, s) },
		// Of the suite's texts only the longest with a backslash before every
		// other byte has more than 4,000 characters there.
		Holds: func(v records.Value) bool { return len(v) < 2048 || v[0] != '"' },
	}
}
