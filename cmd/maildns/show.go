package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/plan"
)

func newShow(a *app) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "show FILE|ENTRY",
		Short: "Show a saved plan or a journal entry",
		Long: `Render a plan that plan -o has saved, or an entry of the journal by its id or
run id, or a unique beginning of one.` + exitStatus(exitOK, exitError),
		Example: `  maildns show mail.plan
  maildns show attunelogic.com/12
  maildns show mail.plan --format markdown`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.show(c.Context(), args[0], format) },
	}
	c.Flags().StringVar(&format, "format", "text", "text, markdown or json")
	return c
}

func (a *app) show(ctx context.Context, what, format string) error {
	f, err := render.ParseFormat(format)
	if err != nil {
		return err
	}
	clock, err := a.clock()
	if err != nil {
		return err
	}
	o := render.Options{Width: a.width(), Palette: a.palette(a.noColor), Now: clock.Now}
	b, err := os.ReadFile(what)
	switch {
	case err == nil:
		p, err := plan.Decode(b)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return render.Write(a.out, f, &p, o)
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid):
		return err
	}
	j, err := a.journalAlone(ctx)
	if err != nil {
		return err
	}
	entries, err := j.Find(ctx, what)
	if err != nil {
		return fmt.Errorf("%s is no file, and: %w", what, err)
	}
	h := render.History{FormatVersion: plan.FormatVersion, Kind: render.KindHistory}
	for _, e := range entries {
		h.Entries = append(h.Entries, historyEntry(e))
	}
	return render.Write(a.out, f, &h, o)
}
