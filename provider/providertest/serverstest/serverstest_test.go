//go:build servers

package serverstest_test

import (
	"testing"

	"github.com/attunelogic/maildns/provider/providertest/serverstest"
	"github.com/attunelogic/maildns/records"
)

// TestServerStarts: each kind starts with an empty zone, which can be changed
// and looked at.
func TestServerStarts(t *testing.T) {
	t.Parallel()
	for _, k := range append(serverstest.Kinds(), serverstest.Signed()) {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			s := k.Start(t, "example.com")
			t.Log(s.Version)
			if z := s.Look(t); z.Len() != 0 {
				t.Errorf("it is not empty: %v", z.Sets())
			}
			set := records.NewRRset(records.Key{Name: "a.example.com", Type: records.TypeTXT}, 300, "x", "\xff\x00\"\\")
			s.Put(t, set)
			if got, _ := s.Look(t).Set(set.Key); !got.Equal(set) {
				t.Errorf("it holds %v", got)
			}
		})
	}
}
