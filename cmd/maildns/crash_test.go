package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/provider/disk/disktest"
	"github.com/attunelogic/maildns/provider/zonefile"
)

// crashConfig changes several record sets at once: a merge of two SPF records,
// additions, and a TTL that is lowered.
const crashConfig = `
journal {
  url = "file://.maildns"
}
provider "zonefile" "local" {
  directory = "zones"
}
domain "a.example" {
  spf {
    include = ["_spf.one.example"]
  }
  dmarc {
    policy = "none"
    rua    = ["mailto:dmarc@a.example"]
  }
  tls_rpt {
    rua = ["mailto:new@a.example"]
  }
}
`

const crashZone = `$ORIGIN a.example.
@ 3600 IN SOA ns1.a.example. hostmaster.a.example. 1 7200 1800 1209600 3600
@ 3600 IN NS ns1.a.example.
@ 3600 IN TXT "v=spf1 include:_spf.one.example ~all" ; ours
@ 3600 IN TXT "v=spf1 include:_spf.two.example ~all"
@ 3600 IN TXT "token=foreign"
ns1 3600 IN A 192.0.2.1
_smtp._tls 3600 IN TXT "v=TLSRPTv1; rua=mailto:old@a.example"
`

// site writes a configuration and its zone into a new directory.
func newDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "mail.hcl"), crashConfig)
	writeFile(t, filepath.Join(dir, "zones", "a.example.zone"), crashZone)
	return dir
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func zoneText(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "zones", "a.example.zone"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// reboot copies a directory: what the disk holds, and no lock of the dead.
func reboot(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// world is one process on a directory.
func world(files disk.FS, out *bytes.Buffer) World {
	env := map[string]string{"MAILDNS_CLOCK": clockStart, "USER": "sre", "MAILDNS_RESOLVER": "127.0.0.1:1"}
	return World{
		Stdin: strings.NewReader(""), Stdout: out, Stderr: out,
		Lookup: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
		Now:    func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) },
		Disk:   files,
	}
}

func runIn(t *testing.T, dir string, files disk.FS, args ...string) (code int, out string) {
	t.Helper()
	var b bytes.Buffer
	code = Main(context.Background(), append([]string{"-C", dir}, args...), world(files, &b))
	return code, b.String()
}

func mustRun(t *testing.T, dir string, args ...string) {
	t.Helper()
	if code, out := runIn(t, dir, disk.FS{}, args...); code != exitOK {
		t.Fatalf("maildns %s: exit %d\n%s", strings.Join(args, " "), code, out)
	}
}

func openJournalOf(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	s, err := store.Open("file://"+filepath.Join(dir, ".maildns"), ".", disk.FS{})
	if err != nil {
		t.Fatal(err)
	}
	return journal.Open(s)
}

// undamaged checks the whole chain of the zone's journal.
func undamaged(t *testing.T, dir string) {
	t.Helper()
	damage, err := openJournalOf(t, dir).Verify(t.Context(), "a.example")
	if err != nil || len(damage) > 0 {
		t.Fatalf("the journal is damaged: %v %v", damage, err)
	}
}

// truthful checks that the journal says of the zone what the zone file holds.
func truthful(t *testing.T, dir string) {
	t.Helper()
	state, head, err := openJournalOf(t, dir).State(t.Context(), "a.example")
	if err != nil || head.Pending != nil {
		t.Fatalf("the journal has no outcome: %v", err)
	}
	zone, err := (&zonefile.Provider{Directory: filepath.Join(dir, "zones")}).ReadZone(t.Context(), "a.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range state.Live {
		if live, ok := zone.Set(set.Key); !ok || !live.Equal(set) {
			t.Fatalf("the journal says %v, the zone holds %v", set, live)
		}
	}
	for _, o := range state.Owned {
		if live, _ := zone.Set(o.Key()); !live.Has(o.Value) {
			t.Fatalf("the journal owns %v, the zone holds %v", o, live)
		}
	}
}

// walkCrashes runs a command on copies of a directory and crashes it before and
// after every operation on the disk. Each time the zone file must be the old or
// the new one, the journal true, and the same command must bring both to the
// same end as a run without a crash.
func walkCrashes(t *testing.T, prepared string, args ...string) {
	t.Helper()
	before := zoneText(t, prepared)
	whole := reboot(t, prepared)
	mustRun(t, whole, args...)
	after := zoneText(t, whole)
	if before == after {
		t.Fatal("the run changes nothing, so no crash proves anything")
	}
	operations := 0
	for at := 0; ; at++ {
		reached := false
		for _, late := range []bool{false, true} {
			dir := reboot(t, prepared)
			crash := &disktest.Crash{At: at, After: late}
			code, _ := runIn(t, dir, disk.FS{Hook: crash.Hook}, args...)
			if !crash.Crashed() {
				continue
			}
			reached = true
			name := fmt.Sprintf("crash at operation %d (after: %t), exit %d", at, late, code)
			survive(t, name, dir, before, after, args...)
		}
		if !reached {
			break
		}
		operations++
	}
	if operations < 10 {
		t.Fatalf("only %d operations were walked", operations)
	}
	t.Logf("%d operations, each crashed before and after", operations)
}

func survive(t *testing.T, name, dir, before, after string, args ...string) {
	t.Helper()
	dir = reboot(t, dir)
	if now := zoneText(t, dir); now != before && now != after {
		t.Fatalf("%s: the zone is neither old nor new:\n%s", name, now)
	}
	undamaged(t, dir)
	code, out := runIn(t, dir, disk.FS{}, args...)
	if code != exitOK {
		t.Fatalf("%s: run again: exit %d\n%s", name, code, out)
	}
	if now := zoneText(t, dir); now != after {
		t.Fatalf("%s: run again, the zone is\n%s\nwant\n%s", name, now, after)
	}
	undamaged(t, dir)
	truthful(t, dir)
	if code, out := runIn(t, dir, disk.FS{}, "plan", "--detailed-exitcode"); code == exitChanges {
		t.Fatalf("%s: run again, there is still something to do now:\n%s", name, out)
	}
}

func TestProperty4CrashOfApply(t *testing.T) {
	t.Parallel()
	walkCrashes(t, newDir(t), "apply", "--auto-approve")
}

func TestProperty4CrashOfRollback(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	mustRun(t, dir, "apply", "--auto-approve")
	walkCrashes(t, dir, "rollback", "--to", "last", "--exact", "--auto-approve")
}

// TestProperty4KilledProcess kills a real process by SIGKILL at operations
// spread over its life.
func TestProperty4KilledProcess(t *testing.T) {
	t.Parallel()
	whole := newDir(t)
	mustRun(t, whole, "apply", "--auto-approve")
	killed := 0
	for at := 0; at < 60; at += 3 {
		dir := newDir(t)
		c := exec.CommandContext(t.Context(), "maildns", "-C", dir, "apply", "--auto-approve")
		c.Env = append(os.Environ(), "MAILDNS_CLOCK="+clockStart, "USER=sre", "MAILDNS_RESOLVER=127.0.0.1:1", killVariable+"="+strconv.Itoa(at))
		err := c.Run()
		if ws, ok := c.ProcessState.Sys().(syscall.WaitStatus); err != nil && ok && ws.Signaled() {
			killed++
			survive(t, fmt.Sprintf("killed at operation %d", at), dir, crashZone, zoneText(t, whole), "apply", "--auto-approve")
		}
	}
	if killed < 5 {
		t.Fatalf("only %d processes were killed", killed)
	}
}

// killVariable makes the test binary kill itself; the real one has no such
// thing.
const killVariable = "MAILDNS_TEST_KILL_AT"

// mainToKill is main for the test binary.
func mainToKill() {
	at, err := strconv.Atoi(os.Getenv(killVariable))
	if err != nil {
		main()
		return
	}
	w := system()
	var seen atomic.Int64
	w.Disk.Hook = func(_ disk.Op, do func() error) error {
		if seen.Add(1)-1 == int64(at) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			time.Sleep(time.Minute) // until the signal arrives
		}
		return do()
	}
	os.Exit(Main(context.Background(), os.Args[1:], w))
}

// TestProperty6TwoAppliers lets two processes apply to one zone at once: at
// most one writes, and the other exits 4, or 0 where it came when the first had
// ended.
func TestProperty6TwoAppliers(t *testing.T) {
	t.Parallel()
	overlaps := 0
	for round := range 50 {
		dir := newDir(t)
		codes := together(t, dir)
		if codes[exitRefused] > 0 {
			overlaps++
		}
		if codes[exitOK]+codes[exitRefused] != 2 || codes[exitOK] < 1 {
			t.Fatalf("round %d: exit statuses %v", round, codes)
		}
		undamaged(t, dir)
		if n := writers(t, dir); n != 1 {
			t.Fatalf("round %d: %d runs have written", round, n)
		}
	}
	t.Logf("in %d of 50 rounds the runs overlapped", overlaps)
}

func together(t *testing.T, dir string) map[int]int {
	t.Helper()
	var cmds []*exec.Cmd
	for range 2 {
		c := exec.CommandContext(t.Context(), "maildns", "-C", dir, "apply", "--auto-approve")
		c.Env = append(os.Environ(), "MAILDNS_CLOCK="+clockStart, "USER=sre", "MAILDNS_RESOLVER=127.0.0.1:1")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, c)
	}
	codes := map[int]int{}
	for _, c := range cmds {
		_ = c.Wait() // the status is looked at
		codes[c.ProcessState.ExitCode()]++
	}
	return codes
}

// writers counts the journal's entries that changed a record.
func writers(t *testing.T, dir string) int {
	t.Helper()
	_, out := runIn(t, dir, disk.FS{}, "-q", "--log-level", "error", "history", "--format", "json", "--limit", "0")
	var h render.History
	if err := json.Unmarshal([]byte(out), &h); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	n := 0
	for _, e := range h.Entries {
		if len(e.Changes) > 0 {
			n++
		}
	}
	return n
}
