package provider_test

import (
	"testing"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/providertest"
	"github.com/attunelogic/maildns/provider/providertest/updatetest"
	"github.com/attunelogic/maildns/provider/rfc2136"
	"github.com/attunelogic/maildns/records"
)

func openRFC2136(t testing.TB, w providertest.World) providertest.Subject {
	return overUpdates(t, updatetest.Start(t, providertest.ZoneName).Primary, w)
}

// overUpdates opens a zone at a server that takes dynamic updates.
func overUpdates(t testing.TB, server updatetest.Primary, w providertest.World) providertest.Subject {
	t.Helper()
	server.Put(t, w.Sets...)
	client, err := rfc2136.New(server.Addr, rfc2136.Key{Name: updatetest.KeyName, Secret: updatetest.Secret})
	if err != nil {
		t.Fatal(err)
	}
	client.Dial = updatetest.DialAround(w.Around)
	kind, _ := provider.Lookup("rfc2136")
	zone, err := provider.New(records.ProviderRef{Type: kind.Name, Name: "test"}, kind, client).Zone(server.Zone, "")
	if err != nil {
		t.Fatal(err)
	}
	return providertest.Subject{Zone: zone, Look: server.Look, Edit: server.Edit}
}
