//go:build servers

package provider_test

import (
	"testing"

	"github.com/attunelogic/maildns/provider/providertest"
	"github.com/attunelogic/maildns/provider/providertest/serverstest"
)

// TestServerConformance runs the suite against real servers, through RFC 2136.
func TestServerConformance(t *testing.T) {
	t.Parallel()
	for _, kind := range serverstest.Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			servers := serverstest.NewPool(t, kind, providertest.ZoneName)
			providertest.Run(t, func(t testing.TB, w providertest.World) providertest.Subject {
				return overUpdates(t, servers.For(t).Primary, w)
			})
		})
	}
}
