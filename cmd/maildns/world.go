package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/user"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/provider/disk"
)

// World is all that a command touches outside its arguments, so that a test
// can give it another one.
type World struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Lookup         func(string) (string, bool)
	Now            func() time.Time
	Disk           disk.FS // the zero value is the real disk
}

// env is a variable's value, empty where it is not set.
func (w World) env(name string) string {
	v, _ := w.Lookup(name)
	return v
}

// clock is the run's clock, which MAILDNS_CLOCK may fix.
func (w World) clock() (plan.Clock, error) {
	now := w.Now().UTC()
	text, fixed := w.Lookup("MAILDNS_CLOCK")
	if !fixed || text == "" {
		return plan.Clock{Now: now, Wall: now}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return plan.Clock{}, fmt.Errorf("MAILDNS_CLOCK is %q: write a time such as 2026-11-24T19:00:00Z", text)
	}
	return plan.Clock{Now: t.UTC(), Wall: now, Fixed: true}, nil
}

// terminal is the file descriptor of a stream that is a terminal.
func terminal(stream any) (fd int, ok bool) {
	f, isFile := stream.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}

// width is the number of columns for text on standard output.
func (w World) width() int {
	if fd, ok := terminal(w.Stdout); ok {
		if columns, _, err := term.GetSize(fd); err == nil && columns > 0 {
			return columns
		}
	}
	return 0
}

// palette colours text on a terminal only, and not where NO_COLOR or
// --no-color forbids it.
func (w World) palette(noColor bool) render.Palette {
	_, isTerminal := terminal(w.Stdout)
	if noColor || !isTerminal || w.env("NO_COLOR") != "" || w.env("TERM") == "dumb" {
		return render.Palette{}
	}
	return render.Colours()
}

// actor says who runs the command, for the journal.
func (w World) actor() string {
	for _, name := range []string{"GITHUB_ACTOR", "USER", "LOGNAME"} {
		if v := w.env(name); v != "" {
			return v
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// Main runs one command and returns the exit status. A panic never reaches the
// user as one.
func Main(ctx context.Context, args []string, w World) (code int) {
	defer func() {
		if p := recover(); p != nil {
			_, _ = fmt.Fprintf(w.Stderr, "Error: maildns met a fault of its own: %v\nPlease report it, with this:\n%s\n", p, firstLines(string(debug.Stack()), 12))
			code = exitError
		}
	}()
	a := &app{World: w, out: w.Stdout, err: w.Stderr}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(w.Stdout)
	root.SetErr(w.Stderr)
	err := root.ExecuteContext(ctx)
	a.report(err)
	a.flush()
	return exitCode(err)
}

func firstLines(s string, n int) string {
	lines := strings.SplitAfterN(s, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "")
}
