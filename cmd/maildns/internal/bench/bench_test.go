package bench_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/cmd/maildns/internal/bench"
)

func TestFixtureForms(t *testing.T) {
	t.Parallel()
	for form, files := range map[bench.Form]int{bench.Files: 3, bench.Table: 3, bench.Shared: 1} {
		t.Run(string(form), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := (bench.Fixture{Domains: 3, Form: form}).Write(dir); err != nil {
				t.Fatal(err)
			}
			zones, err := os.ReadDir(filepath.Join(dir, "zones"))
			if err != nil || len(zones) != files {
				t.Fatalf("%d zones, %v", len(zones), err)
			}
		})
	}
}

// TestFixtureDrift: with drift the zone files differ by their DMARC record alone.
func TestFixtureDrift(t *testing.T) {
	t.Parallel()
	read := func(f bench.Fixture) []string {
		dir := t.TempDir()
		if err := f.Write(dir); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "zones", f.Domain(0)+".zone"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(text), "\n")
	}
	as, drifted := read(bench.Fixture{Domains: 1}), read(bench.Fixture{Domains: 1, Drift: true})
	if len(as) != len(drifted) {
		t.Fatalf("%d and %d lines", len(as), len(drifted))
	}
	for i := range as {
		if differs := as[i] != drifted[i]; differs != strings.HasPrefix(as[i], "_dmarc") {
			t.Errorf("line %d: %q and %q", i, as[i], drifted[i])
		}
	}
}
