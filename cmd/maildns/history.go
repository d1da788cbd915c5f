package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/records"
)

func newHistory(a *app) *cobra.Command {
	var f struct {
		domains []string
		limit   int
		format  string
	}
	c := &cobra.Command{
		Use:   "history",
		Short: "Show the journal's entries, newest first",
		Long: `Show who did what to which domain, when and why, newest first. Every entry that
is shown is verified; damage is told, the intact entries are shown all the same,
and the exit status is 1.` + exitStatus(exitOK, exitError),
		Example: `  maildns history
  maildns history --domain attunelogic.com --limit 5
  maildns history --format json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.history(c.Context(), f.domains, f.limit, f.format)
		},
	}
	fl := c.Flags()
	fl.StringArrayVar(&f.domains, "domain", nil, "only entries of this domain: a `NAME`, a glob, or @FILE")
	fl.IntVar(&f.limit, "limit", 20, "at most so many entries; 0 for all")
	fl.StringVar(&f.format, "format", "text", "text or json")
	return c
}

// journalAlone opens the journal without the rest of the configuration, which
// may be broken or absent.
func (a *app) journalAlone(ctx context.Context) (book, error) {
	env, err := a.environment()
	if err != nil {
		return book{}, err
	}
	declared := config.Journal{URL: "file://.maildns"}
	if a.journal == "" {
		if j, diags := config.LoadJournal(ctx, a.dir, env); !diags.HasErrors() {
			declared = j
		}
	}
	return a.openJournal(declared)
}

func (a *app) history(ctx context.Context, domains []string, limit int, format string) error {
	f, err := render.ParseFormat(format, render.Text, render.JSON)
	if err != nil {
		return err
	}
	clock, err := a.clock()
	if err != nil {
		return err
	}
	patterns, err := expand(domains)
	if err != nil {
		return err
	}
	j, err := a.journalAlone(ctx)
	if err != nil {
		return err
	}
	h, err := collect(ctx, j.Journal, limit, func(e journal.Entry) bool {
		return len(patterns) == 0 || slices.ContainsFunc(entryDomains(e), func(n records.Name) bool { return matchesAny(patterns, n) })
	})
	if err != nil {
		return err
	}
	if err := render.Write(a.out, f, &h, render.Options{Width: a.width(), Palette: a.palette(a.noColor), Now: clock.Now}); err != nil {
		return err
	}
	if len(h.Damage) > 0 {
		return status(exitError)
	}
	return nil
}

// collect takes the newest entries of every zone and merges them by time.
func collect(ctx context.Context, j *journal.Journal, limit int, wanted func(journal.Entry) bool) (render.History, error) {
	h := render.History{FormatVersion: plan.FormatVersion, Kind: render.KindHistory, Entries: []render.Entry{}, Damage: []string{}}
	zones, err := j.Zones(ctx)
	if err != nil {
		return h, err
	}
	for _, zone := range zones {
		n := 0
		for e, err := range j.Entries(ctx, zone) {
			var damage *journal.DamageError
			switch {
			case errors.As(err, &damage):
				h.Damage = append(h.Damage, damage.Error())
			case err != nil:
				return h, err
			}
			if e.Intent == nil || !wanted(e) {
				continue
			}
			h.Entries = append(h.Entries, historyEntry(e))
			if n++; limit > 0 && n >= limit {
				break
			}
		}
	}
	slices.SortStableFunc(h.Entries, func(a, b render.Entry) int { return b.Time.Compare(a.Time) })
	if limit > 0 && len(h.Entries) > limit {
		h.Entries = h.Entries[:limit]
	}
	return h, nil
}

func entryDomains(e journal.Entry) []records.Name {
	if e.Intent == nil {
		return nil
	}
	return e.Intent.Domains
}

func historyEntry(e journal.Entry) render.Entry {
	out := render.Entry{ID: e.ID(), Seq: e.Seq, Run: e.Run(), Zone: e.Zone, Changes: []plan.Change{}, Overrides: []render.Override{}}
	if in := e.Intent; in != nil {
		out.Time, out.Rehearsal = in.Time.At, in.Time.Wall != nil
		out.Command, out.Actor, out.Commit, out.Domains = string(in.Command), in.Actor, in.Commit, in.Domains
		if len(in.Domains) > 0 {
			out.Domain = in.Domains[0]
		}
		for _, i := range in.Items {
			out.Changes = append(out.Changes, i.Change)
		}
		for _, o := range in.Overrides {
			out.Overrides = append(out.Overrides, render.Override{Gate: o.Gate, Domain: o.Domain, Reason: o.Reason})
		}
	}
	if e.Outcome != nil {
		outcome := render.Outcome(e.Outcome.Result)
		out.Outcome = &outcome
	}
	return out
}
