package provider_test

import (
	"errors"
	"fmt"
	"strings"
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

// TestRFC2136Splits: what doesn't fit into one message takes several, which is
// said before and not called untouched afterwards.
func TestRFC2136Splits(t *testing.T) {
	t.Parallel()
	server := updatetest.Start(t, providertest.ZoneName)
	s := overUpdates(t, server.Primary, providertest.World{Around: func(request func() error) error { return request() }})
	var changes []records.Change
	for i := range 100 {
		after := set(fmt.Sprintf("n%02d", i), "TXT", 300, records.Value(strings.Repeat("x", 1000)))
		changes = append(changes, records.Change{Key: after.Key, After: &after})
	}
	if !s.Zone.Transactional(changes[:40]) || s.Zone.Transactional(changes) {
		t.Error("40 KB are one transaction and 100 KB are not, but it says otherwise")
	}
	_, before := server.Counts()
	if err := s.Zone.Write(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	if _, updates := server.Counts(); updates-before != 3 || s.Look(t).Len() != 100 {
		t.Errorf("%d updates, %d sets", updates-before, s.Look(t).Len())
	}
	// The last of the changes is stale: the batches before are made.
	for i := range changes {
		after := set(fmt.Sprintf("n%02d", i), "TXT", 300, records.Value(strings.Repeat("y", 1000)))
		changes[i].Before, changes[i].After = changes[i].After, &after
	}
	s.Edit(t, set("n99", "TXT", 300, "theirs"))
	err := s.Zone.Write(t.Context(), changes)
	if err == nil || errors.As(err, new(*records.StaleError)) || !strings.Contains(err.Error(), "after 4 of the transactions") {
		t.Errorf("error %v", err)
	}
}

// TestRFC2136Open: a block that can't work is refused before anything is asked.
func TestRFC2136Open(t *testing.T) {
	t.Parallel()
	ref := records.ProviderRef{Type: "rfc2136", Name: "here"}
	good := provider.Values{"server": {"192.0.2.1"}, "key_name": {"k"}, "key": {updatetest.Secret}}
	if _, err := provider.Open(ref, good, provider.Options{}); err != nil {
		t.Error(err)
	}
	for name, value := range map[string]string{"server": "", "key_name": "..", "key_alg": "md5", "key": "no base64!"} {
		bad := provider.Values{name: {value}}
		for k, v := range good {
			if k != name {
				bad[k] = v
			}
		}
		_, err := provider.Open(ref, bad, provider.Options{})
		if err == nil || !strings.Contains(err.Error(), ref.String()) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "no base64!") {
			t.Errorf("%s %q: error %v", name, value, err)
		}
	}
}
