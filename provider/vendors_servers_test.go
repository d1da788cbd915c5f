//go:build servers

package provider_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/provider/providertest"
	"github.com/attunelogic/maildns/provider/providertest/serverstest"
	"github.com/attunelogic/maildns/provider/vendors"
	"github.com/attunelogic/maildns/records"
)

// TestServerPowerDNSAPI runs the suite against a real PowerDNS, through its
// HTTP API. What it then serves is read by a zone transfer.
func TestServerPowerDNSAPI(t *testing.T) {
	t.Parallel()
	servers := serverstest.NewPool(t, serverstest.PowerDNS(), providertest.ZoneName)
	providertest.Run(t, func(t testing.TB, w providertest.World) providertest.Subject {
		return overPowerDNS(t, servers.For(t), w)
	})
}

// aroundRequests stands around each request.
type aroundRequests func(request func() error) error

func (a aroundRequests) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	err = a(func() error {
		resp, err = http.DefaultTransport.RoundTrip(req) //nolint:bodyclose // the transport that asked closes it
		return err
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

func overPowerDNS(t testing.TB, server *serverstest.Server, w providertest.World) providertest.Subject {
	t.Helper()
	server.Put(t, w.Sets...)
	row, _ := provider.Lookup("powerdns")
	open := func(via http.RoundTripper) *provider.Zone {
		api := &httpapi.Transport{JSON: true, Attempts: 1, Outside: httpapi.Outside{Via: via}}
		client := vendors.PowerDNS(api, server.API, "localhost", server.APIKey)
		zone, err := provider.New(records.ProviderRef{Type: row.Name, Name: "test"}, row, client).Zone(server.Zone, "")
		if err != nil {
			t.Fatal(err)
		}
		return zone
	}
	withoutNS(t, open(http.DefaultTransport))
	return providertest.Subject{Zone: open(aroundRequests(w.Around)), Look: server.Look, Edit: server.Edit}
}

// withoutNS takes away the name servers, which the suite doesn't know.
func withoutNS(t testing.TB, zone *provider.Zone) {
	t.Helper()
	z, err := zone.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if ns, ok := z.Set(records.Key{Name: zone.Name, Type: records.TypeNS}); ok {
		if err := zone.Write(t.Context(), []records.Change{{Key: ns.Key, Before: &ns}}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestServerPowerDNSIsOneTransaction: a set that the server refuses keeps those
// before it in the same request from being written.
func TestServerPowerDNSIsOneTransaction(t *testing.T) {
	t.Parallel()
	server := serverstest.PowerDNS().Start(t, providertest.ZoneName)
	s := overPowerDNS(t, server, providertest.World{Around: func(request func() error) error { return request() }})
	good, bad := set("a", "TXT", 300, "x"), set("b", "A", 300, "not-an-address")
	err := s.Zone.Write(t.Context(), []records.Change{{Key: good.Key, After: &good}, {Key: bad.Key, After: &bad}})
	if err == nil || !strings.Contains(err.Error(), "422") {
		t.Errorf("error %v", err)
	}
	if got := s.Look(t); got.Len() != 0 {
		t.Errorf("the zone holds %v", got.Sets())
	}
	t.Logf("tested against %s", server.Version)
}
