package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
)

// formatting is what the flags of fmt ask for.
type formatting struct {
	check, diff bool
}

func newFmt(a *app) *cobra.Command {
	var f formatting
	c := &cobra.Command{
		Use:   "fmt [FILE…]",
		Short: "Bring HCL files into their canonical format",
		Long: `Format the given files or, without any, all *.hcl files of the configuration
directory. A changed file is rewritten and its name printed. "-" formats
standard input to standard output.` + exitStatus(exitOK, exitError) + `
With --check, 1 also means that a file would change.`,
		Example: `  maildns fmt
  maildns fmt --check --diff
  maildns fmt - < mail.hcl`,
		RunE: func(_ *cobra.Command, args []string) error { return a.format(args, f) },
	}
	c.Flags().BoolVar(&f.check, "check", false, "write nothing; exit 1 when something would change")
	c.Flags().BoolVar(&f.diff, "diff", false, "show what changes")
	return c
}

func (a *app) format(args []string, f formatting) error {
	if slices.Equal(args, []string{"-"}) {
		return a.formatStdin(f)
	}
	files := args
	if len(files) == 0 {
		found, err := filepath.Glob(filepath.Join(a.dir, "*.hcl"))
		if err != nil {
			return fmt.Errorf("listing %s: %w", a.dir, err)
		}
		files = found
	}
	changed, failed := false, false
	for _, file := range files {
		ok, err := a.formatFile(file, f)
		if err != nil {
			a.report(err)
			failed = true
		}
		changed = changed || ok
	}
	if failed || changed && f.check {
		return status(exitError)
	}
	return nil
}

func (a *app) formatStdin(f formatting) error {
	src, err := io.ReadAll(a.Stdin)
	if err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	out, err := a.formatted(src, "<stdin>")
	if err != nil {
		return err
	}
	same := bytes.Equal(src, out)
	switch {
	case f.diff:
		err = a.printDiff("<stdin>", src, out)
	case !f.check:
		_, err = a.out.Write(out)
	}
	if err == nil && f.check && !same {
		err = status(exitError)
	}
	return err
}

// formatted formats a text, or prints why it can't.
func (a *app) formatted(src []byte, name string) ([]byte, error) {
	out, diags := config.Format(src, name)
	if !diags.HasErrors() {
		return out, nil
	}
	if err := a.printDiagnostics(diags, config.TextSnippets(src)); err != nil {
		return nil, err
	}
	return nil, status(exitError)
}

func (a *app) formatFile(file string, f formatting) (changed bool, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return false, err
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	out, err := a.formatted(src, file)
	if err != nil || bytes.Equal(src, out) {
		return false, err
	}
	if _, err := fmt.Fprintln(a.out, file); err != nil {
		return true, err
	}
	if f.diff {
		if err := a.printDiff(file, src, out); err != nil {
			return true, err
		}
	}
	if f.check {
		return true, nil
	}
	if err := a.Disk.Replace(file, out, info.Mode()); err != nil {
		return true, fmt.Errorf("writing %s: %w", file, err)
	}
	return true, nil
}

func (a *app) printDiff(name string, from, to []byte) error {
	_, err := a.out.Write(diff.Diff(name, from, name+" (formatted)", to))
	return err
}
