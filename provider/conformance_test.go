package provider_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/provider/providertest"
	"github.com/attunelogic/maildns/provider/zonefile"
	"github.com/attunelogic/maildns/records"
)

// TestConformance runs the suite against every provider. A new one is an entry
// here as well as in the table.
func TestConformance(t *testing.T) {
	t.Parallel()
	hosts := []struct {
		name string
		open providertest.Opener
	}{
		{"cloudflare", openCloudflare},
		{"rfc2136", openRFC2136},
		{"route53", openRoute53},
		{"zonefile", openZonefile},
		{"any library that replaces sets", providertest.OpenMemory(provider.Limits{ReplacesSets: true}, func() *providertest.Memory { return &providertest.Memory{} })},
		{"any library that only adds and deletes", providertest.OpenMemory(provider.Limits{}, func() *providertest.Memory { return &providertest.Memory{SetAppends: true} })},
	}
	for _, h := range hosts {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			providertest.Run(t, h.open)
		})
	}
}

func openZonefile(t testing.TB, w providertest.World) providertest.Subject {
	t.Helper()
	dir := t.TempDir()
	const head = "$TTL 3600\n@ IN SOA ns1.example.net. hostmaster.example.net. 2026112401 7200 3600 1209600 300\n"
	if err := os.WriteFile(filepath.Join(dir, "example.com.zone"), []byte(head), 0o644); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }
	theirs := &zonefile.Provider{Directory: dir, Now: now, Disk: disk.FS{Hook: withoutSync}}
	s := providertest.Subject{
		Look: func(t testing.TB) records.Zone {
			z, err := theirs.ReadZone(context.Background(), providertest.ZoneName)
			if err != nil {
				t.Fatal(err)
			}
			return z
		},
	}
	s.Edit = func(t testing.TB, set records.RRset) {
		c := records.Change{Key: set.Key}
		if before, ok := s.Look(t).Set(set.Key); ok {
			c.Before = &before
		}
		if len(set.Values) > 0 {
			c.After = &set
		}
		if err := theirs.Transact(context.Background(), providertest.ZoneName, []records.Change{c}); err != nil {
			t.Fatal(err)
		}
	}
	for _, set := range w.Sets {
		s.Edit(t, set)
	}
	hook := func(op disk.Op, do func() error) error {
		return w.Around(func() error { return withoutSync(op, do) })
	}
	host, err := provider.Open(records.ProviderRef{Type: "zonefile", Name: "test"}, provider.Values{"directory": {dir}}, provider.Options{Now: now, Disk: disk.FS{Hook: hook}})
	if err != nil {
		t.Fatal(err)
	}
	if s.Zone, err = host.Zone(providertest.ZoneName, ""); err != nil {
		t.Fatal(err)
	}
	return s
}

// withoutSync spares the tests the wait for the disk.
func withoutSync(op disk.Op, do func() error) error {
	if op.Verb == disk.VerbSync || op.Verb == disk.VerbSyncDir {
		return nil
	}
	return do()
}
