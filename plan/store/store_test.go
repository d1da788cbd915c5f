package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/provider/disk/disktest"
	"pgregory.net/rapid"
)

// The test binary runs itself as other processes: "create DIR NAME DATA" and
// "lock DIR NAME", which holds the lock until its standard input ends.
const jobVar = "STORE_TEST_JOB"

func TestMain(m *testing.M) {
	if job := os.Getenv(jobVar); job != "" {
		os.Exit(runJob(strings.Fields(job)))
	}
	os.Exit(m.Run())
}

func runJob(job []string) int {
	s := store.NewLocal(job[1], disk.FS{})
	wait := func() { _, _ = bufio.NewReader(os.Stdin).ReadString('\n') }
	switch job[0] {
	case "create":
		fmt.Println("ready")
		wait() // all start at once
		err := s.Create(context.Background(), job[2], []byte(job[3]))
		fmt.Println(err == nil, errors.Is(err, store.ErrExists))
	case "lock":
		_, err := s.Lock(context.Background(), job[2], "another process")
		fmt.Println(err)
		wait()
	}
	return 0
}

// process is the test binary at a job.
type process struct {
	*exec.Cmd
	in  *os.File
	out *bufio.Scanner
}

func start(t *testing.T, job ...string) process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), jobVar+"="+strings.Join(job, " "))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = r
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.Close()
		_ = r.Close()
		_ = cmd.Wait()
	})
	return process{Cmd: cmd, in: w, out: bufio.NewScanner(out)}
}

func (p process) line(t *testing.T) string {
	t.Helper()
	if !p.out.Scan() {
		t.Fatalf("the process said nothing: %v", p.out.Err())
	}
	return p.out.Text()
}

func TestOfManyProcessesOneCreates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all []process
	for i := range 6 {
		all = append(all, start(t, "create", dir, "zones/a.example/1", fmt.Sprint("process-", i)))
	}
	for _, p := range all {
		p.line(t)
	}
	for _, p := range all {
		if _, err := p.in.WriteString("go\n"); err != nil {
			t.Fatal(err)
		}
	}
	var won []string
	for i, p := range all {
		switch answer := p.line(t); answer {
		case "true false":
			won = append(won, fmt.Sprint("process-", i))
		case "false true":
		default:
			t.Errorf("process %d answers %q", i, answer)
		}
	}
	got, err := store.NewLocal(dir, disk.FS{}).Read(t.Context(), "zones/a.example/1")
	if err != nil || len(won) != 1 || string(got) != won[0] {
		t.Errorf("%v won, the object holds %q, error %v", won, got, err)
	}
}

// TestProperty4ALockEndsWithItsProcess: a free lock means a dead run.
func TestProperty4ALockEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := store.NewLocal(dir, disk.FS{})
	other := start(t, "lock", dir, "zones/a.example")
	if answer := other.line(t); answer != "<nil>" {
		t.Fatalf("the other process: %s", answer)
	}
	var held *store.HeldError
	if _, err := s.Lock(t.Context(), "zones/a.example", "us"); !errors.As(err, &held) || held.Holder != "another process" {
		t.Fatalf("locking what another process holds: %v", err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // its status is the signal's
	lock, err := s.Lock(t.Context(), "zones/a.example", "us")
	if err != nil {
		t.Fatalf("after its death: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

// TestProperty4CreateIsWholeOrNotAtAll crashes before and after every single
// disk operation of a create.
func TestProperty4CreateIsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for at := 0; ; at++ {
			dir := t.TempDir()
			crash := &disktest.Crash{At: at, After: after}
			err := store.NewLocal(dir, disk.FS{Hook: crash.Hook}).Create(t.Context(), "zones/a.example/1", []byte("whole"))
			if !crash.Crashed() {
				if err != nil || at == 0 {
					t.Fatalf("after %d operations without a crash: %v", at, err)
				}
				break
			}
			s := store.NewLocal(dir, disk.FS{})
			got, readErr := s.Read(t.Context(), "zones/a.example/1")
			switch {
			case readErr == nil && string(got) != "whole":
				t.Errorf("crash at %d (after: %t): the object holds %q", at, after, got)
			case readErr != nil && !errors.Is(readErr, store.ErrAbsent):
				t.Errorf("crash at %d (after: %t): %v", at, after, readErr)
			case err == nil && readErr != nil:
				t.Errorf("crash at %d (after: %t): create said yes, but %v", at, after, readErr)
			}
			if readErr != nil {
				create(t, s, "zones/a.example/1", "again")
			}
			if names := list(t, s, store.Query{}); !slices.Equal(names, []string{"zones/a.example/1"}) {
				t.Errorf("crash at %d (after: %t): listed %v", at, after, names)
			}
		}
	}
}

func TestLocalReportsDiskErrors(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left on device")
	hook := func(disk.Op, func() error) error { return full }
	s := store.NewLocal(t.TempDir(), disk.FS{Hook: hook})
	_, readErr := s.Read(t.Context(), "a/b")
	_, listErr := s.List(t.Context(), store.Query{Prefix: "a/"})
	_, lockErr := s.Lock(t.Context(), "a", "")
	for verb, err := range map[string]error{
		"create": s.Create(t.Context(), "a/b", nil), "read": readErr, "list": listErr, "delete": s.Delete(t.Context(), "a/b"), "lock": lockErr,
	} {
		if !errors.Is(err, full) || errors.Is(err, store.ErrAbsent) || errors.Is(err, store.ErrExists) {
			t.Errorf("%s on a broken disk: %v", verb, err)
		}
	}
}

func TestLocalIgnoresStrangeFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := store.NewLocal(dir, disk.FS{})
	create(t, s, "zones/a/1", "x")
	for _, name := range []string{"zones/a/1~", "zones/a/.1.swp", "zones/a/two words", ".git"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "zones", ".old"), 0o700); err != nil {
		t.Fatal(err)
	}
	if names := list(t, s, store.Query{}); !slices.Equal(names, []string{"zones/a/1"}) {
		t.Errorf("listed %v", names)
	}
	info, err := os.Stat(filepath.Join(dir, "zones", "a", "1"))
	if err != nil || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("an object's mode is %v, error %v; others have no business with it", info.Mode(), err)
	}
}

func TestEscapeIsAComponentAndReversible(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a.example":                 "a.example",
		"_dmarc.a-b.example":        "_dmarc.a-b.example",
		"*.example":                 "%2A.example",
		"..":                        "%2E.",
		"0/25.2.0.192.in-addr.arpa": "0%2F25.2.0.192.in-addr.arpa",
		"Upper é":                   "%55pper%20%C3%A9",
	} {
		if got := store.Escape(text); got != want {
			t.Errorf("Escape(%q) = %q, want %q", text, got, want)
		}
	}
	s := store.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 40, 80).Draw(t, "text")
		component := store.Escape(text)
		if back, err := store.Unescape(component); err != nil || back != text {
			t.Fatalf("Unescape(%q) = %q, %v; want %q", component, back, err, text)
		}
		if err := s.Create(context.Background(), "x/"+component, nil); err != nil && !errors.Is(err, store.ErrExists) {
			t.Fatal(err)
		}
	})
	for _, bad := range []string{"%", "%zz", "A", "%61", ".x", "a/b"} {
		if text, err := store.Unescape(bad); err == nil {
			t.Errorf("Unescape(%q) = %q, want an error", bad, text)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for url, path := range map[string]string{
		"file://.maildns":              filepath.Join(dir, ".maildns"),
		"file://../beside":             filepath.Join(filepath.Dir(dir), "beside"),
		"file://" + dir + "/my%20dir":  filepath.Join(dir, "my dir"),
		"file://" + dir + "/absolute/": filepath.Join(dir, "absolute"),
	} {
		s, err := store.Open(url, dir, disk.FS{})
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: opening created %s", url, path)
		}
		create(t, s, "a", "x")
		if _, err := os.Stat(filepath.Join(path, "a")); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"s3://bucket/prefix?region=eu-west-1": "not in this version",
		"ftp://host/dir":                      "possible are file://.maildns",
		".maildns":                            "write file://.maildns",
		"file://":                             "empty",
		"file://x?y=z":                        "no query",
		"file://%zz":                          "percent-encoded",
	} {
		if s, err := store.Open(url, ".", disk.FS{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: store %v, error %v; want an error with %q", url, s, err, want)
		}
	}
}
