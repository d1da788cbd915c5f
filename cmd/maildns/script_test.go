package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the scripts expect of standard output")

// clockStart is the time at which every script begins.
const clockStart = "2026-11-24T12:00:00Z"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"maildns": mainToKill})
}

// TestScripts runs the command's specification: testdata/script/SUBJECT.txtar,
// on the real main, with the zone-file provider and a fixed clock.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("MAILDNS_CLOCK", clockStart)
			e.Setenv("USER", "sre")
			// No script asks a DNS server that it didn't start: nothing listens
			// there, so lookups fail at once.
			e.Setenv("MAILDNS_RESOLVER", "127.0.0.1:1")
			e.Setenv("EXAMPLES", absolute(t, filepath.Join("..", "..", "examples")))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"clock":     clockCommand,
			"cpdir":     copyCommand,
			"dnsserver": dnsCommand,
			"exit":      exitCommand,
			"replace":   replaceCommand,
		},
	})
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// clockCommand moves the clock: clock +25h, or to a time.
func clockCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: clock +DURATION|TIME")
	}
	to := args[0]
	if by, ok := strings.CutPrefix(to, "+"); ok {
		now, err := time.Parse(time.RFC3339, ts.Getenv("MAILDNS_CLOCK"))
		ts.Check(err)
		d, err := time.ParseDuration(by)
		ts.Check(err)
		to = now.Add(d).Format(time.RFC3339)
	}
	ts.Setenv("MAILDNS_CLOCK", to)
}

// copyCommand copies a directory: cpdir FROM TO.
func copyCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cpdir FROM TO")
	}
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), os.DirFS(ts.MkAbs(args[0]))))
}

// exitCommand runs a command and wants one exit status: exit 4 maildns apply.
func exitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit STATUS COMMAND [ARG…]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		_, code, _ = strings.Cut(err.Error(), "exit status ")
	}
	if code != args[0] {
		ts.Fatalf("exit status %s, want %s (%v)", code, args[0], err)
	}
}

// replaceCommand edits a file by hand: replace FILE OLD NEW. OLD must be there
// exactly once; \n in either stands for a new line.
func replaceCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	unescape := strings.NewReplacer(`\n`, "\n", `\t`, "\t")
	text, from, to := ts.ReadFile(args[0]), unescape.Replace(args[1]), unescape.Replace(args[2])
	if n := strings.Count(text, from); n != 1 {
		ts.Fatalf("%s has %q %d times, want once", args[0], args[1], n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, from, to, 1)), 0o644))
}
