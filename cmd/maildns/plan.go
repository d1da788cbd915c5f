package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
)

// planFlags are the flags of plan.
type planFlags struct {
	choice
	out      string
	format   string
	at       string
	detailed bool
	changed  bool
	offline  bool
	resolver []string
}

func newPlan(a *app) *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show what would change in the live zones and what it means for mail",
		Long: `Compare what the configuration declares with the live zones and show what would
change, in mail terms: what can be made now, what waits for time and until when,
and what a gate holds and why. Nothing is written but the file of -o.` +
			exitStatus(exitOK, exitError, exitChanges, exitWaiting),
		Example: `  maildns plan
  maildns plan -o mail.plan && maildns apply mail.plan
  maildns plan --domain attunelogic.com --format markdown
  maildns plan --at 2026-12-24T12:00:00Z`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.plan(c.Context(), f) },
	}
	addChoice(c, &f.choice)
	fl := c.Flags()
	fl.StringVarP(&f.out, "out", "o", "", "save the plan in `FILE`, for apply")
	fl.StringVar(&f.format, "format", "text", "text, markdown or json")
	fl.StringVar(&f.at, "at", "", "what would be allowed at that `TIME` (RFC 3339); can't be saved")
	fl.BoolVar(&f.detailed, "detailed-exitcode", false, "tell by the exit status whether there is something to do")
	fl.BoolVar(&f.offline, "offline", false, "skip the checks that need DNS, and say so")
	fl.StringArrayVar(&f.resolver, "resolver", nil, "ask this DNS server and no others: `HOST:PORT` (MAILDNS_RESOLVER; otherwise the system's, and the zones' own for their serials)")
	fl.BoolVar(&f.changed, "changed", false, "only domains whose declaration has changed or that have a due step")
	return c
}

func addChoice(c *cobra.Command, ch *choice) {
	c.Flags().StringArrayVar(&ch.domains, "domain", nil, "only these domains: a `NAME`, a glob, or @FILE")
	c.Flags().StringArrayVar(&ch.labels, "label", nil, "only domains with the label `KEY=VALUE`")
}

func (a *app) plan(ctx context.Context, f planFlags) error {
	format, err := render.ParseFormat(f.format)
	if err != nil {
		return err
	}
	if f.out != "" && f.at != "" {
		return errors.New("a plan made with --at can't be saved: apply would do it today")
	}
	s, err := a.newSite(ctx, false)
	if err != nil {
		return errors.Join(err, a.comment(format, err))
	}
	if err := s.gather(f.offline, f.resolver); err != nil {
		return err
	}
	o := s.rendering()
	for _, r := range reloads(s.cfg) {
		o.Notes = append(o.Notes, "An apply with MAILDNS_ALLOW_RELOAD=1: "+r+".")
	}
	if f.offline {
		o.Notes = append(o.Notes, "Made with --offline: what needs DNS (the SPF budget, the addresses that senders use) was not checked.")
	}
	if f.at != "" {
		if s.clock.Now, err = time.Parse(time.RFC3339, f.at); err != nil {
			return fmt.Errorf("--at is %q: write a time such as 2026-12-24T12:00:00Z", f.at)
		}
		s.clock.Now = s.clock.Now.UTC()
		o.Notes = append(o.Notes, "This is what would be allowed at "+s.clock.Now.Format(time.RFC3339)+".")
	}
	vanished, err := s.vanished(ctx)
	if err != nil {
		return err
	}
	o.Notes = append(o.Notes, vanished...)
	p, planErr := s.makePlan(ctx, f.choice, f.changed)
	if p == nil {
		return planErr
	}
	if f.out != "" {
		if err := s.save(f.out, *p); err != nil {
			return err
		}
	}
	if err := render.Write(a.out, format, p, o); err != nil {
		return err
	}
	if planErr != nil {
		return planErr
	}
	return status(planStatus(*p, f.detailed))
}

// comment writes a comment for a pull request where there is no plan for want
// of a valid configuration: an old plan must not stand there as if it were true.
func (a *app) comment(format render.Format, err error) error {
	var broken *brokenError
	if format != render.Markdown || !errors.As(err, &broken) {
		return nil
	}
	if _, err := io.WriteString(a.out, render.PlanMarker+"\n**There is no plan: the configuration has errors.**\n\n"); err != nil {
		return err
	}
	v := validation(broken.diags)
	return render.Write(a.out, format, &v, render.Options{})
}

// rendering is how reports are written.
func (s *site) rendering() render.Options {
	return render.Options{Width: s.width(), Palette: s.palette(s.noColor), Now: s.clock.Now}
}

// makePlan plans the chosen domains. Beside an error the plan has the zones
// that could be read; it is nil where there are none to speak of.
func (s *site) makePlan(ctx context.Context, c choice, changed bool) (*plan.Plan, error) {
	works, err := s.works(c)
	if err != nil {
		return nil, err
	}
	if works, err = s.narrow(ctx, works, false, changed); err != nil {
		return nil, err
	}
	zones, failed, err := s.planZones(ctx, works)
	if err != nil {
		return nil, err
	}
	planErr := errorsOf(failed)
	p, err := s.seal(zones)
	if err != nil {
		return nil, err
	}
	if len(zones) == 0 && planErr != nil {
		return nil, planErr
	}
	return &p, planErr
}

// save writes a plan file. Its JSON holds no secret: values come from DNS and
// from the declaration.
func (s *site) save(file string, p plan.Plan) error {
	b, err := json.Marshal(p)
	if err == nil {
		err = s.Disk.Replace(file, append([]byte(s.cfg.Secrets.Redact(string(b))), '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	return nil
}

// planStatus is the exit status that a plan stands for.
func planStatus(p plan.Plan, detailed bool) int {
	for _, d := range p.Domains {
		if policy.Stopped(d) {
			return exitError
		}
	}
	switch {
	case !detailed:
		return exitOK
	case p.Summary.Ready > 0:
		return exitChanges
	case p.Summary.Waiting+p.Summary.Held > 0:
		return exitWaiting
	}
	return exitOK
}
