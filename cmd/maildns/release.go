package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/records"
)

func newRelease(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "release DOMAIN",
		Short: "End the ownership of a domain's records, without a write",
		Long: `End the ownership of all values that maildns holds for a domain. The zone stays
as it is; from then on its records are a stranger's and are never touched. Use it
for a domain that has left the configuration and is kept by somebody else.` +
			exitStatus(exitOK, exitError, exitRefused, exitPartial),
		Example: `  maildns release old.example`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.release(c.Context(), args[0]) },
	}
}

func (a *app) release(ctx context.Context, arg string) error {
	name, err := records.ParseName(arg)
	if err != nil {
		return err
	}
	r := &rolling{app: a}
	if err := r.open(ctx); err != nil {
		return err
	}
	if err := a.mayWrite(r.book); err != nil {
		return err
	}
	if r.cfg != nil {
		if _, declared := r.cfg.Domain(name); declared {
			return fmt.Errorf("%s is declared: the next apply would own it again. Take its block out first", name)
		}
	}
	zoneName, err := r.zoneOf(ctx, name)
	if err != nil {
		return err
	}
	zone, target, err := r.zone(ctx, zoneName)
	if err != nil {
		return err
	}
	if r.run, err = a.newRun(r.book.Journal, r.now, "", nil); err != nil {
		return err
	}
	res := r.run.Release(ctx, zone, target, name)
	a.tellErrors([]apply.Result{res})
	if res.Status == apply.Done {
		_, err = fmt.Fprintf(a.out, "%s is released (%s): its records stay as they are and are no longer ours.\n", name, res.Entry)
		return err
	}
	return status(resultStatus([]apply.Result{res}))
}

// zoneOf finds the zone in which the journal knows a domain.
func (r *rolling) zoneOf(ctx context.Context, name records.Name) (records.Name, error) {
	for n := name; n != ""; n = n.Parent() {
		state, _, err := r.book.State(ctx, n)
		if err != nil {
			return "", err
		}
		for _, d := range state.Domains {
			if d.Domain == name {
				return n, nil
			}
		}
	}
	return "", fmt.Errorf("the journal %s doesn't know %s", r.book.url, name)
}

func newUnlock(a *app) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "unlock DOMAIN",
		Short: "Show the run that holds a zone, and recover after one that died",
		Long: `Show the run that holds the zone of a domain. Where that run has died, its outcome
is recorded after the word yes, from what the zone holds now; no DNS is written.
A run that is alive can't be unlocked.` + exitStatus(exitOK, exitError, exitRefused),
		Example: `  maildns unlock attunelogic.com`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.unlock(c.Context(), args[0], yes) },
	}
	c.Flags().BoolVar(&yes, "auto-approve", false, "don't ask")
	return c
}

func (a *app) unlock(ctx context.Context, arg string, yes bool) error {
	name, err := records.ParseName(arg)
	if err != nil {
		return err
	}
	r := &rolling{app: a}
	if err := r.open(ctx); err != nil {
		return err
	}
	zoneName, pending, err := r.heldZone(ctx, name)
	if err != nil {
		return err
	}
	if pending == nil {
		_, err = fmt.Fprintf(a.out, "No run holds %s.\n", zoneName)
		return err
	}
	if _, err := fmt.Fprintf(a.out, "Run %s of %s (%s) began %s on %s and has recorded no outcome.\n",
		pending.Run, pending.Actor, pending.Command, pending.Time.At.Format("2006-01-02 15:04:05 UTC"), zoneName); err != nil {
		return err
	}
	if _, isTerminal := terminal(a.Stdin); !yes && !isTerminal {
		return errors.New("there is no terminal to ask at: give --auto-approve")
	}
	if !yes {
		if err := a.confirm(ctx, "Record what it has left? Only the word yes is taken for it: "); err != nil {
			return err
		}
	}
	zone, _, err := r.zone(ctx, zoneName)
	if err != nil {
		return err
	}
	if r.run, err = a.newRun(r.book.Journal, r.now, "", nil); err != nil {
		return err
	}
	res := r.run.Unlock(ctx, zone)
	a.tellErrors([]apply.Result{res})
	if res.Status == apply.Done {
		_, err = fmt.Fprintf(a.out, "%s; its outcome is now recorded.\n", res.Recovered)
		return err
	}
	return status(resultStatus([]apply.Result{res}))
}

// heldZone finds the zone of a domain that the journal knows, and the intent
// that is pending there.
func (r *rolling) heldZone(ctx context.Context, name records.Name) (records.Name, *pendingRun, error) {
	for n := name; n != ""; n = n.Parent() {
		_, head, err := r.book.State(ctx, n)
		if err != nil {
			return "", nil, err
		}
		if head.Absent() {
			continue
		}
		if p := head.Pending; p != nil {
			return n, &pendingRun{p.Run, p.Actor, string(p.Command), p.Time}, nil
		}
		return n, nil, nil
	}
	return "", nil, fmt.Errorf("the journal %s knows no zone of %s", r.book.url, name)
}

// pendingRun is a run without an outcome.
type pendingRun struct {
	Run, Actor, Command string
	Time                plan.Moment
}
