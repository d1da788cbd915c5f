package disk_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/provider/disk/disktest"
)

// The test binary runs itself as a victim: a process that is really killed.
const (
	victimVar  = "DISK_TEST_VICTIM"
	oldContent = "the old contents\n"
	newContent = "the new contents, which are longer\n"
)

func TestMain(m *testing.M) {
	if job := os.Getenv(victimVar); job != "" {
		victim(job)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// victim does "replace N before|after PATH", killed at operation N, or
// "lock PATH", which holds the lock until the process dies.
func victim(job string) {
	fields := strings.SplitN(job, " ", 2)
	if fields[0] == "lock" {
		_, ok, err := disk.FS{}.Lock(fields[1])
		fmt.Println(ok, err)
		select {}
	}
	args := strings.SplitN(fields[1], " ", 3)
	at, err := strconv.Atoi(args[0])
	if err != nil {
		panic(err)
	}
	n := 0
	suicide := func(_ disk.Op, do func() error) error {
		last := n == at
		n++
		if last && args[1] == "before" {
			killSelf()
		}
		err := do()
		if last {
			killSelf()
		}
		return err
	}
	if err := (disk.FS{Hook: suicide}).Replace(args[2], []byte(newContent), 0o644); err != nil {
		panic(err)
	}
}

func killSelf() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}

func runVictim(t *testing.T, job string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimVar+"="+job)
	return cmd
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestReplaceOrder(t *testing.T) {
	t.Parallel()
	var trace disktest.Trace
	path := filepath.Join(t.TempDir(), "f")
	if err := (disk.FS{Hook: trace.Hook}).Replace(path, []byte(newContent), 0o640); err != nil {
		t.Fatal(err)
	}
	want := []disk.Verb{disk.VerbCreate, disk.VerbWrite, disk.VerbSync, disk.VerbRename, disk.VerbSyncDir}
	if got := trace.Verbs(); !slices.Equal(got, want) {
		t.Errorf("operations %v, want %v", got, want)
	}
	if got := read(t, path); got != newContent {
		t.Errorf("contents %q", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("a new file has mode %v, want -rw-r-----; %v", info.Mode(), err)
	}
}

func TestCreateExclusiveOrder(t *testing.T) {
	t.Parallel()
	var trace disktest.Trace
	path := filepath.Join(t.TempDir(), "f")
	if err := (disk.FS{Hook: trace.Hook}).CreateExclusive(path, []byte(newContent), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []disk.Verb{disk.VerbCreate, disk.VerbWrite, disk.VerbSync, disk.VerbLink, disk.VerbRemove, disk.VerbSyncDir}
	if got := trace.Verbs(); !slices.Equal(got, want) {
		t.Errorf("operations %v, want %v", got, want)
	}
}

// TestProperty4ReplaceIsAtomic crashes before and after every operation: the
// file is the old one or the new one, and the next run repairs everything.
func TestProperty4ReplaceIsAtomic(t *testing.T) {
	t.Parallel()
	walk(t, func(t *testing.T, path string, fsys disk.FS) error {
		write(t, path, oldContent)
		return fsys.Replace(path, []byte(newContent), 0o644)
	}, func(t *testing.T, path string) {
		if got := read(t, path); got != oldContent && got != newContent {
			t.Errorf("half a file: %q", got)
		}
		if err := (disk.FS{}).Replace(path, []byte(newContent), 0o644); err != nil {
			t.Errorf("the next run failed: %v", err)
		}
	})
}

// TestProperty4CreateIsAtomic is the same for the exclusive creation.
func TestProperty4CreateIsAtomic(t *testing.T) {
	t.Parallel()
	walk(t, func(_ *testing.T, path string, fsys disk.FS) error {
		return fsys.CreateExclusive(path, []byte(newContent), 0o644)
	}, func(t *testing.T, path string) {
		_, err := os.Stat(path)
		absent := errors.Is(err, fs.ErrNotExist)
		if !absent && read(t, path) != newContent {
			t.Errorf("half a file: %q", read(t, path))
		}
		err = disk.FS{}.CreateExclusive(path, []byte(newContent), 0o644)
		if absent && err != nil || !absent && !errors.Is(err, fs.ErrExist) {
			t.Errorf("the next run: %v, absent before: %v", err, absent)
		}
	})
}

// walk crashes run before and after each operation, and makes each fail once,
// until run meets none; check looks at what is left.
func walk(t *testing.T, run func(*testing.T, string, disk.FS) error, check func(*testing.T, string)) {
	t.Helper()
	const enough = 50
	reached := false
	for at := range enough {
		for _, after := range []bool{false, true} {
			crash := &disktest.Crash{At: at, After: after}
			path := filepath.Join(t.TempDir(), "f")
			err := run(t, path, disk.FS{Hook: crash.Hook})
			if reached = crash.Crashed(); reached && !errors.Is(err, disktest.ErrCrashed) {
				t.Errorf("operation %d, after=%v: the crash was swallowed: %v", at, after, err)
			}
			check(t, path)

			failure := &disktest.Failure{At: at, After: after, Err: errors.New("no space left on device")}
			path = filepath.Join(t.TempDir(), "f")
			_ = run(t, path, disk.FS{Hook: failure.Hook})
			check(t, path)
		}
		if !reached {
			return
		}
	}
	t.Fatal("the walk never came to its end")
}

// TestProperty4KilledProcess kills a real process at each operation.
func TestProperty4KilledProcess(t *testing.T) {
	t.Parallel()
	for at := range 5 {
		for _, when := range []string{"before", "after"} {
			path := filepath.Join(t.TempDir(), "f")
			write(t, path, oldContent)
			if err := runVictim(t, fmt.Sprintf("replace %d %s %s", at, when, path)).Run(); err == nil {
				t.Fatalf("the victim of operation %d survived", at)
			}
			got := read(t, path)
			renamed := at > 3 || at == 3 && when == "after"
			if want := map[bool]string{false: oldContent, true: newContent}[renamed]; got != want {
				t.Errorf("killed %s operation %d: %q, want %q", when, at, got, want)
			}
			names, err := disk.FS{}.List(filepath.Dir(path), 0)
			if err != nil || !slices.Equal(names, []string{"f"}) {
				t.Errorf("temporaries show: %v %v", names, err)
			}
		}
	}
}

func TestReplaceKeepsModeAndSymlink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := filepath.Join(dir, "real", "target")
	if err := os.Mkdir(filepath.Dir(target), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, target, oldContent)
	if err := os.Chmod(target, 0o604); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("real/target", link); err != nil {
		t.Fatal(err)
	}
	if err := (disk.FS{}).Replace(link, []byte(newContent), 0o644); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(target)
	if err != nil || info.Mode() != 0o604 || read(t, target) != newContent {
		t.Errorf("target: mode %v, contents %q, %v", info.Mode(), read(t, target), err)
	}
	if to, err := os.Readlink(link); err != nil || to != "real/target" {
		t.Errorf("the link is no longer one: %q, %v", to, err)
	}
}

// TestSwapSparesOthersEdits edits the file while its successor is written.
func TestSwapSparesOthersEdits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, oldContent)
	edit := func(op disk.Op, do func() error) error {
		if op.Verb == disk.VerbSync {
			write(t, path, "edited by hand")
		}
		return do()
	}
	err := disk.FS{Hook: edit}.Swap(path, []byte(oldContent), []byte(newContent))
	if !errors.Is(err, disk.ErrChanged) || read(t, path) != "edited by hand" {
		t.Errorf("error %v, contents %q", err, read(t, path))
	}
	err = disk.FS{}.Swap(path, []byte("edited by hand"), []byte(newContent))
	if err != nil || read(t, path) != newContent {
		t.Errorf("error %v, contents %q", err, read(t, path))
	}
}

func TestReplaceRefusesDanglingSymlink(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("nowhere", link); err != nil {
		t.Fatal(err)
	}
	err := disk.FS{}.Replace(link, []byte(newContent), 0o644)
	if err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("error %v, want one that names the target", err)
	}
}

func TestCreateExclusiveHasOneWinner(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	var winners atomic.Int32
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			err := disk.FS{}.CreateExclusive(path, fmt.Appendf(nil, "writer %d", i), 0o600)
			switch {
			case err == nil:
				winners.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if winners.Load() != 1 {
		t.Errorf("%d writers won", winners.Load())
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	unlock, ok, err := disk.FS{}.Lock(path)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, again, err := (disk.FS{}).Lock(path); again || err != nil {
		t.Errorf("locked twice: %v %v", again, err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, ok, err = disk.FS{}.Lock(path)
	if err != nil || !ok {
		t.Fatalf("not free after unlock: %v %v", ok, err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockDiesWithItsProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	holder := runVictim(t, "lock "+path)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "true <nil>\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	if _, ok, err := (disk.FS{}).Lock(path); ok || err != nil {
		t.Errorf("another process holds it, yet: %v %v", ok, err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait()
	if _, ok, err := (disk.FS{}).Lock(path); !ok || err != nil {
		t.Errorf("the holder is dead, yet: %v %v", ok, err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 3000 {
		write(t, filepath.Join(dir, fmt.Sprintf("%05d", 3000-i)), "")
	}
	write(t, filepath.Join(dir, ".maildns-tmp-123"), "half")
	if err := os.Mkdir(filepath.Join(dir, "00000"), 0o755); err != nil {
		t.Fatal(err)
	}
	names, err := disk.FS{}.List(dir, 3)
	if want := []string{"00000/", "00001", "00002"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%v %v, want %v", names, err, want)
	}
	names, err = disk.FS{}.List(dir, 0)
	if err != nil || len(names) != 3001 || !slices.IsSorted(names) {
		t.Errorf("%d names, %v", len(names), err)
	}
	if names, err := (disk.FS{}).List(filepath.Join(dir, "absent"), 0); err != nil || len(names) != 0 {
		t.Errorf("a missing directory: %v %v", names, err)
	}
}

func TestReadRefusesWhatNeverEnds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "12345")
	if _, err := (disk.FS{}).Read(path, 4); !errors.Is(err, disk.ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
	if data, err := (disk.FS{}).Read(path, 5); err != nil || string(data) != "12345" {
		t.Errorf("%q %v", data, err)
	}
	if _, err := (disk.FS{}).Read(os.DevNull, 0); err == nil {
		t.Error("a device was read")
	}
	if _, err := (disk.FS{}).Read(path+"x", 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
}

func TestMakeDirAndRemove(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b", "c")
	var trace disktest.Trace
	fsys := disk.FS{Hook: trace.Hook}
	if err := fsys.MakeDir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	want := []disk.Verb{
		disk.VerbMakeDir, disk.VerbSyncDir, disk.VerbMakeDir, disk.VerbSyncDir, disk.VerbMakeDir, disk.VerbSyncDir,
	}
	if got := trace.Verbs(); !slices.Equal(got, want) {
		t.Errorf("operations %v, want %v", got, want)
	}
	path := filepath.Join(dir, "f")
	write(t, path, "")
	if err := errors.Join(fsys.MakeDir(dir, 0o755), fsys.Remove(path)); err != nil {
		t.Error(err)
	}
	if err := fsys.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
}
