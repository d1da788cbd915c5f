package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
)

// commands is the table of commands, in the order in which help shows them.
var commands = []func(*app) *cobra.Command{
	newValidate,
	newFmt,
	newImport,
	newPlan,
	newShow,
	newApply,
	newRollback,
	newHistory,
	newRelease,
	newUnlock,
	newSPF,
	newSenders,
	newProvider,
	newRules,
	newVersion,
}

// app is one run: the world, the global flags, and where its words go.
type app struct {
	World
	dir         string
	journal     string
	vars        []string
	noColor     bool
	quiet       bool
	logLevel    string
	parallelism int

	out, err io.Writer // redacted as soon as secrets are known
	kept     []flusher // the redacting writers, the outermost first
}

// flusher is a writer that may keep something back.
type flusher interface{ Flush() error }

// redact keeps the secrets out of all that is written from here on.
func (a *app) redact(s *config.Secrets) {
	out, err := s.Writer(a.out), s.Writer(a.err)
	a.kept = append([]flusher{out, err}, a.kept...)
	a.out, a.err = &lockedWriter{w: out}, &lockedWriter{w: err}
}

// flush writes what was kept back. What can't be written can't be told either.
func (a *app) flush() {
	for _, w := range a.kept {
		_ = w.Flush()
	}
}

// lockedWriter lets zones that are worked on at once tell something.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "maildns",
		Short: "Mail DNS as code: plan, apply and roll back SPF, DKIM, DMARC, MTA-STS, TLS-RPT, MX and BIMI",
		Long: `maildns provisions mail DNS as code. HCL files declare what a domain publishes;
plan shows what would change in the live zone and what it means for mail, apply
makes the change under the rules of the runbook, rollback takes it back.

Loosen at any time, tighten only on evidence, and always know the way back.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.dir, "chdir", "C", ".", "the configuration directory")
	f.StringVar(&a.journal, "journal", a.env("MAILDNS_JOURNAL"), "journal `URL`, instead of the configuration's (MAILDNS_JOURNAL)")
	f.StringArrayVar(&a.vars, "var", nil, "set a variable: `NAME=VALUE`")
	f.BoolVar(&a.noColor, "no-color", false, "no colours (also NO_COLOR)")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "results and errors only")
	f.StringVar(&a.logLevel, "log-level", "info", "what is told on standard error: error, warning or info")
	f.IntVar(&a.parallelism, "parallelism", 10, "how many zones are worked on at once")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.check() }
	for _, command := range commands {
		root.AddCommand(command(a))
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
	return root
}

func (a *app) check() error {
	if a.parallelism < 1 {
		return fmt.Errorf("--parallelism is %d: at least one zone must be worked on", a.parallelism)
	}
	switch a.logLevel {
	case "error", "warning", "info":
		return nil
	}
	return fmt.Errorf("--log-level is %q: possible are error, warning, info", a.logLevel)
}

// exitStatus is the EXIT STATUS section of a command's help.
func exitStatus(codes ...int) string {
	var b strings.Builder
	b.WriteString("\n\nEXIT STATUS")
	for _, c := range codes {
		fmt.Fprintf(&b, "\n  %-4d %s", c, exitMeanings[c])
	}
	return b.String()
}

var exitMeanings = map[int]string{
	exitOK:          "success; with --detailed-exitcode: nothing to do",
	exitError:       "error: bad input, failed validation, provider failure, an answer other than yes",
	exitChanges:     "with --detailed-exitcode: there are changes that can be made now",
	exitWaiting:     "with --detailed-exitcode: changes wait for time or are held by a gate",
	exitRefused:     "refused: a zone is no longer as reviewed, or another run holds it; nothing was written to it",
	exitPartial:     "an apply or rollback stopped part way; the journal says where; run it again",
	exitInterrupted: "interrupted with no write in hand and the journal complete",
}

// say tells something on standard error, unless the user wants quiet.
func (a *app) say(format string, args ...any) {
	if a.quiet || a.logLevel != "info" {
		return
	}
	_, _ = fmt.Fprintf(a.err, format+"\n", args...)
}

// warn tells something that the user should know.
func (a *app) warn(format string, args ...any) {
	if a.logLevel == "error" {
		return
	}
	_, _ = fmt.Fprintf(a.err, "Warning: "+format+"\n", args...)
}

// report prints the error that ends the run, if it has anything to say.
func (a *app) report(err error) {
	var s *statusError
	var broken *brokenError
	if err == nil || errors.As(err, &s) && s.err == nil || errors.As(err, &broken) {
		return
	}
	if s == nil && errors.Is(err, context.Canceled) {
		_, _ = fmt.Fprintln(a.err, "Interrupted: no write was in hand, and the journal is complete.")
		return
	}
	_, _ = fmt.Fprintf(a.err, "Error: %s\n", safe(err))
}

// safe is an error's text without what a terminal would act on; it may quote
// what strangers have published.
func safe(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i, l := range lines {
		lines[i] = render.Printable(l)
	}
	return strings.Join(lines, "\n")
}
