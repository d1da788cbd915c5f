package zonefile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/provider/disk/disktest"
	"github.com/attunelogic/maildns/provider/zonefile"
	"github.com/attunelogic/maildns/records"
)

const small = soa + "$TTL 60\n@ TXT x ; comment\n"

func TestTransactRefusesStale(t *testing.T) {
	t.Parallel()
	p := place(t, t.TempDir(), small)
	z := readZone(t, p)
	changes := []records.Change{to(z, set("a", "TXT", 60, "new")), to(z, set("@", "TXT", 60, "y"))}
	edited := strings.Replace(small, "TXT x", "TXT z", 1)
	writeFile(t, filepath.Join(p.Directory, "example.com.zone"), edited)
	var stale *records.StaleError
	if err := p.Transact(context.Background(), zone, changes); !errors.As(err, &stale) || stale.Key != key("@", "TXT") {
		t.Errorf("error %v, want a StaleError", err)
	}
	if contents(t, p) != edited {
		t.Error("the file was written")
	}
}

// TestTransactWithoutEffect: what changes nothing leaves the serial alone.
func TestTransactWithoutEffect(t *testing.T) {
	t.Parallel()
	p := place(t, t.TempDir(), small)
	x := set("@", "TXT", 60, "x")
	changes := []records.Change{{Key: x.Key, Before: &x, After: &x}, {Key: key("a", "TXT")}}
	if err := errors.Join(p.Transact(context.Background(), zone, changes), p.Transact(context.Background(), zone, nil)); err != nil {
		t.Fatal(err)
	}
	if contents(t, p) != small {
		t.Error("the file was written")
	}
}

// TestTransactKeepsEditOfAnother: an editor saves the file while we write it.
func TestTransactKeepsEditOfAnother(t *testing.T) {
	t.Parallel()
	p := place(t, t.TempDir(), small)
	path := filepath.Join(p.Directory, "example.com.zone")
	saved := false
	p.Disk.Hook = func(op disk.Op, do func() error) error {
		if op.Verb == disk.VerbSync && !saved {
			saved = true
			writeFile(t, path, small+"a TXT theirs\n")
		}
		return withoutSync(op, do)
	}
	if err := p.Transact(context.Background(), zone, []records.Change{to(readZone(t, p), set("@", "TXT", 60, "y"))}); err != nil {
		t.Fatal(err)
	}
	if text := contents(t, p); !strings.Contains(text, "theirs") || !strings.Contains(text, `"y" ; comment`) {
		t.Errorf("contents %q", text)
	}
}

func TestTransactKeepsModeAndSymlink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := filepath.Join(t.TempDir(), "target")
	writeFile(t, target, small)
	link := filepath.Join(dir, "example.com.zone")
	if err := errors.Join(os.Chmod(target, 0o640), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	p := &zonefile.Provider{Directory: dir, Now: today}
	if err := transact(t, p, set("@", "TXT", 60, "y")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(target)
	if err != nil || info.Mode() != 0o640 || !strings.Contains(readFile(t, target), `"y"`) {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if to, err := os.Readlink(link); err != nil || to != target {
		t.Errorf("the symlink leads to %q, %v", to, err)
	}
}

// TestProperty4FileIsOldOrNew stops the world before and after each operation
// on the disk, and makes each fail: the file is the old one or the new one,
// and the next run converges.
func TestProperty4FileIsOldOrNew(t *testing.T) {
	t.Parallel()
	renamed := strings.Replace(strings.Replace(small, "hostmaster 1 ", "hostmaster 2 ", 1), "TXT x", `TXT "y"`, 1)
	x, y := set("@", "TXT", 60, "x"), set("@", "TXT", 60, "y")
	changes := []records.Change{{Key: x.Key, Before: &x, After: &y}}
	for at := 0; ; at++ {
		reached := false
		for _, after := range []bool{false, true} {
			crash := &disktest.Crash{At: at, After: after}
			failure := &disktest.Failure{At: at, After: after, Err: errors.New("no space left on device")}
			for _, hook := range []disk.Hook{crash.Hook, failure.Hook} {
				p := place(t, t.TempDir(), small)
				p.Disk.Hook = hook
				err := p.Transact(context.Background(), zone, changes)
				text := contents(t, p)
				if text != small && text != renamed {
					t.Errorf("operation %d: half a file: %q", at, text)
				}
				if err == nil && text != renamed {
					t.Errorf("operation %d: the failure was swallowed", at)
				}
				p.Disk.Hook = nil
				if err := transact(t, p, y); err != nil || contents(t, p) != renamed {
					t.Errorf("operation %d: the next run: %v, %q", at, err, contents(t, p))
				}
			}
			reached = crash.Crashed()
		}
		if !reached {
			return
		}
	}
}

// TestManyWriters: writers of different sets all come through.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	p := place(t, t.TempDir(), small)
	before := readZone(t, p)
	const writers = 8
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			s := set(fmt.Sprintf("h%d", i), "TXT", 60, "v")
			if err := p.Transact(context.Background(), zone, []records.Change{to(before, s)}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := readZone(t, p).Len(); n != before.Len()+writers {
		t.Errorf("%d sets, want %d", n, before.Len()+writers)
	}
}

func TestTransactCancelled(t *testing.T) {
	t.Parallel()
	p := place(t, t.TempDir(), small)
	change := to(readZone(t, p), set("@", "TXT", 60, "y"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Transact(ctx, zone, []records.Change{change}); !errors.Is(err, context.Canceled) || contents(t, p) != small {
		t.Errorf("error %v, contents %q", err, contents(t, p))
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	p := place(t, t.TempDir(), small)
	ran := filepath.Join(t.TempDir(), "ran $HOME; x")
	p.Reload = []string{"touch", ran}
	if err := transact(t, p, set("@", "TXT", 60, "y")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("reload ran though nobody allowed it")
	}
	p.AllowReload = true
	if err := transact(t, p, set("@", "TXT", 60, "z")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ran); err != nil {
		t.Error("reload didn't run, or in a shell:", err)
	}
	if err := os.Remove(ran); err != nil {
		t.Fatal(err)
	}
	if err := transact(t, p, set("@", "TXT", 60, "z")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("reload ran though nothing was written")
	}
}

func TestReloadFails(t *testing.T) {
	t.Parallel()
	p := place(t, t.TempDir(), small)
	p.AllowReload = true
	p.Reload = []string{"sh", "-c", "yes no | head -n 5000; echo the last line; exit 3"}
	err := transact(t, p, set("@", "TXT", 60, "y"))
	var reload *zonefile.ReloadError
	if !errors.As(err, &reload) || !strings.HasSuffix(reload.Output, "the last line") || len(reload.Output) > 4096 {
		t.Fatalf("error %v, want a ReloadError", err)
	}
	if !strings.Contains(contents(t, p), `"y"`) {
		t.Error("the file was not written")
	}
	p.Reload = []string{"true"}
	if err := p.ReloadZone(context.Background(), zone); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	p.Reload = []string{"sleep", "60"}
	if err := p.ReloadZone(ctx, zone); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline", err)
	}
}

// TestLibdns goes through the interfaces that other programs use.
func TestLibdns(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	p := place(t, t.TempDir(), small)
	writeFile(t, filepath.Join(p.Directory, "notes.txt"), "")
	if zones, err := p.ListZones(ctx); err != nil || !slices.Equal(zones, []libdns.Zone{{Name: "example.com."}}) {
		t.Errorf("zones %v, %v", zones, err)
	}
	minute := time.Minute
	set, err := p.SetRecords(ctx, "Example.com.", []libdns.Record{
		libdns.MX{Name: "@", TTL: minute, Preference: 10, Target: "a.example.net."},
		libdns.MX{Name: "@", TTL: minute, Preference: 20, Target: "b.example.net."},
	})
	if err != nil || len(set) != 2 {
		t.Fatal(set, err)
	}
	added, err := p.AppendRecords(ctx, "example.com.", []libdns.Record{libdns.TXT{Name: "@", TTL: time.Hour, Text: `y"; \`}})
	if err != nil || len(added) != 1 || added[0].RR().TTL != minute {
		t.Fatal(added, err)
	}
	gone, err := p.DeleteRecords(ctx, "example.com.", []libdns.Record{
		libdns.RR{Name: "@", Type: "MX", Data: "20 b.example.net."}, libdns.RR{Name: "@", Type: "TXT", TTL: time.Hour}, libdns.RR{Name: "absent"},
	})
	if err != nil || len(gone) != 1 || gone[0] != (libdns.MX{Name: "@", TTL: minute, Preference: 20, Target: "b.example.net."}) {
		t.Fatal(gone, err)
	}
	recs, err := p.GetRecords(ctx, "example.com.")
	if err != nil {
		t.Fatal(err)
	}
	want := []libdns.Record{
		libdns.MX{Name: "@", TTL: minute, Preference: 10, Target: "a.example.net."},
		libdns.TXT{Name: "@", TTL: minute, Text: "x"},
		libdns.TXT{Name: "@", TTL: minute, Text: `y"; \`},
	}
	if !slices.Equal(recs, want) {
		t.Errorf("records %v, want %v", recs, want)
	}
	if _, err := p.SetRecords(ctx, "example.com.", []libdns.Record{libdns.RR{Name: "a", Type: "A", Data: "nonsense"}}); err == nil {
		t.Error("nonsense was written")
	}
}
