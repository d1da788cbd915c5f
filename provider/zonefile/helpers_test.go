package zonefile_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/provider/zonefile"
	"github.com/attunelogic/maildns/records"
)

const zone records.Name = "example.com"

func today() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// testing.TB, but also *rapid.T.
type failer interface {
	Helper()
	Fatal(args ...any)
}

// place writes the zone's file into a directory.
func place(t failer, dir, text string) *zonefile.Provider {
	t.Helper()
	writeFile(t, filepath.Join(dir, string(zone)+".zone"), text)
	return &zonefile.Provider{Directory: dir, Now: today, Disk: disk.FS{Hook: withoutSync}}
}

// withoutSync spares the tests the wait for the disk.
func withoutSync(op disk.Op, do func() error) error {
	if op.Verb == disk.VerbSync || op.Verb == disk.VerbSyncDir {
		return nil
	}
	return do()
}

func writeFile(t failer, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t failer, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func contents(t failer, p *zonefile.Provider) string {
	t.Helper()
	return readFile(t, filepath.Join(p.Directory, string(zone)+".zone"))
}

func readZone(t failer, p *zonefile.Provider) records.Zone {
	t.Helper()
	z, err := p.ReadZone(context.Background(), zone)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// set builds a record set; the name is relative to the zone.
func set(name string, t records.Type, ttl records.TTL, values ...records.Value) records.RRset {
	return records.NewRRset(key(name, t), ttl, values...)
}

func key(name string, t records.Type) records.Key {
	return records.Key{Name: records.Below(name, zone), Type: t}
}

// to is the change that leads to a set; one without values is removed.
func to(z records.Zone, after records.RRset) records.Change {
	c := records.Change{Key: after.Key}
	if before, ok := z.Set(after.Key); ok {
		c.Before = &before
	}
	if len(after.Values) > 0 {
		c.After = &after
	}
	return c
}

func transact(t *testing.T, p *zonefile.Provider, afters ...records.RRset) error {
	t.Helper()
	z := readZone(t, p)
	var changes []records.Change
	for _, s := range afters {
		changes = append(changes, to(z, s))
	}
	return p.Transact(context.Background(), zone, changes)
}
