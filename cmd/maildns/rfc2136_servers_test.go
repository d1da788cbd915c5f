//go:build servers

package main

import (
	"testing"

	"github.com/attunelogic/maildns/provider/providertest/serverstest"
)

// TestServerEndToEnd applies, takes back, and meets an edit between reading and
// writing, at real servers.
func TestServerEndToEnd(t *testing.T) {
	t.Parallel()
	for _, kind := range serverstest.Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			server := kind.Start(t, "example.com")
			s := newUpdateSite(t, server.Primary, server.Addr)
			before := server.Look(t)
			s.run(t, exitOK, "provider", "check")
			s.run(t, exitOK, "apply", "--auto-approve")
			s.holds(t, applied()...)
			s.run(t, exitOK, "plan", "--detailed-exitcode")
			s.run(t, exitOK, "rollback", "--to", "last", "--auto-approve")
			if now := server.Look(t); !now.Equal(before) {
				t.Errorf("after rollback the zone holds %v", now.Sets())
			}
			editedBetween(t, server.Primary)
		})
	}
}
