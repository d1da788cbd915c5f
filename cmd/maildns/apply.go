package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// applyFlags are the flags of apply.
type applyFlags struct {
	choice
	file       string
	due        bool
	changed    bool
	yes        bool
	wait       bool
	overrides  []string
	reasons    []string
	maxDomains int
	detailed   bool
	format     string
}

func newApply(a *app) *cobra.Command {
	var f applyFlags
	c := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Make the changes that can be made now",
		Long: `Make the changes that can be made now. With FILE, do exactly what that saved plan
says, or refuse; without it, plan, ask for the word yes, and do. Every step that
is due is done, and apply says when the next is: run it again then. Before the
first write of a zone its mail records are kept in the journal, and the way back
is printed.` + exitStatus(exitOK, exitError, exitWaiting, exitRefused, exitPartial, exitInterrupted),
		Example: `  maildns apply
  maildns apply mail.plan
  maildns apply --due --auto-approve
  maildns apply --domain attunelogic.com --override spf-narrow:attunelogic.com --reason "vendor left, INC-42"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				f.file = args[0]
			}
			return a.apply(c.Context(), f)
		},
	}
	addChoice(c, &f.choice)
	fl := c.Flags()
	fl.BoolVar(&f.due, "due", false, "only zones whose journal has a due step; nothing else is read")
	fl.BoolVar(&f.changed, "changed", false, "only domains whose declaration has changed or that have a due step")
	fl.BoolVar(&f.yes, "auto-approve", false, "don't ask")
	fl.BoolVar(&f.wait, "wait", false, "stay until the waiting steps are due, and do them")
	fl.StringArrayVar(&f.overrides, "override", nil, "open a gate by hand: `GATE[:DOMAIN]`; needs --reason")
	fl.StringArrayVar(&f.reasons, "reason", nil, "why the gates are opened: one `TEXT` for all, or one each, in order")
	fl.IntVar(&f.maxDomains, "max-domains", 0, "admit removals from as many as `N` domains")
	fl.BoolVar(&f.detailed, "detailed-exitcode", false, "exit 3 where changes wait or are held")
	fl.StringVar(&f.format, "format", "text", "text or json")
	return c
}

// applying is one apply from its plan to its result.
type applying struct {
	*site
	flags    applyFlags
	format   render.Format
	reviewed plan.Plan
	run      *apply.Run
	works    []*zoneWork
	results  []apply.Result
}

func (a *app) apply(ctx context.Context, f applyFlags) error {
	format, err := render.ParseFormat(f.format, render.Text, render.JSON)
	if err != nil {
		return err
	}
	s, err := a.newSite(ctx, true)
	if err != nil {
		return err
	}
	if err := a.mayWrite(s.book); err != nil {
		return err
	}
	if err := s.gather(false, nil); err != nil {
		return err
	}
	p := &applying{site: s, flags: f, format: format}
	if err := p.check(); err != nil {
		return err
	}
	if err := p.prepare(ctx); err != nil {
		return err
	}
	if err := p.ask(ctx); err != nil {
		return err
	}
	return p.carryOut(ctx)
}

// check refuses flags that don't go together.
func (p *applying) check() error {
	if _, isTerminal := terminal(p.Stdin); !isTerminal && !p.flags.yes && p.flags.file == "" {
		return errors.New("there is no terminal to ask at: give a reviewed plan (apply FILE) or --auto-approve")
	}
	if p.flags.wait && p.clock.Fixed {
		return errors.New("--wait needs the real clock, and MAILDNS_CLOCK fixes it")
	}
	return nil
}

// prepare finds out what is to be done: from the file, or by planning.
func (p *applying) prepare(ctx context.Context) (err error) {
	if p.works, err = p.site.works(p.flags.choice); err != nil {
		return err
	}
	if p.works, err = p.narrow(ctx, p.works, p.flags.due, p.flags.changed); err != nil {
		return err
	}
	if err := p.openGates(); err != nil {
		return err
	}
	if p.run, err = p.newRun(); err != nil {
		return err
	}
	if p.flags.file != "" {
		return p.readFile(ctx)
	}
	return p.planNow(ctx)
}

func (p *applying) planNow(ctx context.Context) error {
	zones, failed, err := p.planZones(ctx, p.works)
	if err != nil {
		return err
	}
	for _, z := range zones {
		if z.journal == plan.JournalUnreadable {
			return errors.New("the journal can't be read, so nothing is applied")
		}
	}
	for _, z := range failed {
		// The zones that can be read go on; the others are told at the end.
		p.results = append(p.results, apply.Result{Zone: z.work.name, Status: apply.Failed, Err: z.err})
	}
	p.works = nil
	for _, z := range zones {
		p.works = append(p.works, z.work)
	}
	if p.reviewed, err = p.seal(zones); err != nil {
		return err
	}
	if err := p.checkGates(); err != nil {
		return err
	}
	return p.checkBreadth(p.reviewed)
}

func (p *applying) readFile(ctx context.Context) error {
	b, err := os.ReadFile(p.flags.file)
	if err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	if p.reviewed, err = plan.Decode(b); err != nil {
		return fmt.Errorf("%s: %w", p.flags.file, err)
	}
	if p.reviewed.Journal == plan.JournalUnreadable {
		return fmt.Errorf("%s was made without a readable journal, so it is for reading only: make a new plan", p.flags.file)
	}
	p.missing()
	if len(removals(p.reviewed)) > p.admitted() {
		// What of the file would be removed today needs a look at the zones.
		zones, failed, err := p.planZones(ctx, p.works)
		if err := errors.Join(err, errorsOf(failed)); err != nil {
			return err
		}
		fresh, err := p.seal(zones)
		if err != nil {
			return err
		}
		return p.checkBreadth(fresh)
	}
	return nil
}

// missing refuses the domains of the file that are declared no more, and drops
// the works that the file says nothing about.
func (p *applying) missing() {
	inFile := map[records.Name]bool{}
	for _, d := range p.reviewed.Domains {
		inFile[d.Name] = true
		if _, ok := p.cfg.Domain(d.Name); !ok {
			err := &plan.RefusedError{Domain: d.Name, Reason: "the configuration no longer declares it; make a new plan"}
			p.results = append(p.results, apply.Result{Zone: d.Zone, Status: apply.Refused, Err: err, Domains: []apply.Domain{{Name: d.Name, Err: err}}})
		}
	}
	p.works = slices.DeleteFunc(slices.Clone(p.works), func(w *zoneWork) bool {
		return !slices.ContainsFunc(w.domains, func(d *records.Domain) bool { return inFile[d.Name] })
	})
}

// openGates reads --override and --reason.
func (p *applying) openGates() error {
	f := p.flags
	switch {
	case len(f.overrides) == 0 && len(f.reasons) > 0:
		return errors.New("--reason goes with --override")
	case len(f.overrides) > 0 && len(f.reasons) != 1 && len(f.reasons) != len(f.overrides):
		return errors.New("--override needs --reason TEXT: one for all, or one each, in order")
	}
	for i, o := range f.overrides {
		gate, domain, _ := strings.Cut(o, ":")
		if !policy.KnownGate(gate) {
			return fmt.Errorf("--override %s: there is no gate %q; maildns knows %s", o, gate, gateNames())
		}
		reason := strings.TrimSpace(f.reasons[min(i, len(f.reasons)-1)])
		if reason == "" {
			return fmt.Errorf("--override %s: the reason is empty, and the journal keeps it", o)
		}
		if err := p.openGate(gate, domain, reason); err != nil {
			return err
		}
	}
	return nil
}

func gateNames() string {
	var names []string
	for _, g := range policy.Gates() {
		names = append(names, g.ID)
	}
	return strings.Join(names, ", ")
}

func (p *applying) openGate(gate, domain, reason string) error {
	name := records.CanonicalName(domain)
	if domain != "" && domain != "*" {
		if _, ok := p.cfg.Domain(name); !ok {
			return fmt.Errorf("--override %s:%s: no such domain is declared", gate, domain)
		}
	}
	for _, w := range p.works {
		for _, d := range w.domains {
			if domain == "" || domain == "*" || d.Name == name {
				p.open[d.Name] = append(p.open[d.Name], plan.Override{Gate: gate, Domain: d.Name, Reason: reason})
			}
		}
	}
	return nil
}

// checkGates refuses an override without a domain that opens its gate for
// several, and asks before GATE:* opens it for all.
func (p *applying) checkGates() error {
	for _, o := range p.flags.overrides {
		gate, domain, _ := strings.Cut(o, ":")
		opened := domainsOpened(p.reviewed, gate)
		switch {
		case domain == "" && len(opened) > 1:
			return fmt.Errorf("--override %s would open the gate for %d domains (%s): name one with %s:DOMAIN, or mean all with %s:*", gate, len(opened), sample(opened), gate, gate)
		case domain == "*":
			p.say("--override %s:* opens the gate for %d domains: %s", gate, len(opened), sample(opened))
			if !p.flags.yes && p.flags.file != "" {
				return fmt.Errorf("--override %s:* must be confirmed: run apply without FILE at a terminal, or give --auto-approve", gate)
			}
		}
	}
	return nil
}

func domainsOpened(p plan.Plan, gate string) []records.Name {
	var out []records.Name
	for _, d := range p.Domains {
		if slices.ContainsFunc(d.Changes, func(c plan.Change) bool {
			return slices.ContainsFunc(c.Gates, func(g plan.GateVerdict) bool { return g.ID == gate && g.Verdict == plan.Overridden })
		}) {
			out = append(out, d.Name)
		}
	}
	return out
}

func sample(names []records.Name) string {
	const most = 5
	words := make([]string, 0, most)
	for _, n := range names[:min(most, len(names))] {
		words = append(words, string(n))
	}
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words, ", "), more)
	}
	return strings.Join(words, ", ")
}

// admitted is from how many domains an apply may remove something.
func (p *applying) admitted() int {
	share := int(p.cfg.Settings.MaxDelete * float64(len(p.cfg.Domains)))
	return max(5, share, p.flags.maxDomains)
}

// removals lists the domains from which a plan removes something, now or when
// its time comes.
func removals(p plan.Plan) []records.Name {
	var out []records.Name
	for _, d := range p.Domains {
		if slices.ContainsFunc(d.Changes, removes) {
			out = append(out, d.Name)
		}
	}
	return out
}

// removes reports whether a change takes a value without putting another of
// its kind there.
func removes(c plan.Change) bool {
	if c.Step != plan.StepChange || c.State == plan.Held || c.Before == nil {
		return false
	}
	gone := only(c.Before, c.After)
	return len(gone) > 0 && len(only(c.After, c.Before)) == 0 && !(c.Kind == records.KindSPF && c.After != nil && keepsSPF(*c.After))
}

func only(a, b *plan.Set) []records.Value {
	if a == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(a.Values), func(v records.Value) bool {
		return b != nil && slices.Contains(b.Values, v)
	})
}

// keepsSPF: of two records that are merged, one may be what is left.
func keepsSPF(s plan.Set) bool {
	return slices.ContainsFunc(s.Values, func(v records.Value) bool {
		_, err := records.Reprint(records.KindSPF, v)
		return err == nil
	})
}

func (p *applying) checkBreadth(pl plan.Plan) error {
	names := removals(pl)
	if len(names) <= p.admitted() {
		return nil
	}
	return fmt.Errorf("this would remove values from %d domains, and policy.max_delete admits %d: %s. If it is meant, give --max-domains %d. Nothing was written",
		len(names), p.admitted(), sample(names), len(names))
}

// ask shows the plan and wants the word yes.
func (p *applying) ask(ctx context.Context) error {
	if p.flags.file != "" || p.flags.yes {
		return nil
	}
	o := p.rendering()
	if err := render.Write(p.out, render.Text, &p.reviewed, o); err != nil {
		return err
	}
	if p.reviewed.Summary.Ready == 0 && p.reviewed.Summary.Waiting == 0 {
		return nil
	}
	return p.confirm(ctx, "Apply these changes? Only the word yes is taken for it: ")
}

// confirm wants the word yes on standard input.
func (a *app) confirm(ctx context.Context, question string) error {
	if _, err := fmt.Fprint(a.err, question); err != nil {
		return err
	}
	a.flush()
	answers := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(a.Stdin).ReadString('\n')
		if err != nil && line == "" {
			line = "nothing"
		}
		answers <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case answer := <-answers:
		if answer != "yes" {
			return fmt.Errorf("the answer was not yes: nothing was written")
		}
		return nil
	}
}

// newRun is the run that the journal will name.
func (s *site) newRun() (*apply.Run, error) {
	run, err := s.app.newRun(s.book.Journal, s.now, configDigest(s.cfg), notifyTargets(s.cfg))
	if err == nil {
		run.Facts = s.facts
	}
	return run, err
}

func (a *app) newRun(j *journal.Journal, clock func() plan.Clock, digest string, notify []journal.Target) (*apply.Run, error) {
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, fmt.Errorf("naming the run: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	now := clock()
	id := journal.RunID(now.Now, random)
	return &apply.Run{
		Journal: j, Clock: clock, ID: id, Actor: a.actor(), Commit: a.env("GITHUB_SHA"), Version: versionText(),
		ConfigDigest: digest, Notify: notify,
		Holder: journal.Holder{Run: id, Actor: a.actor(), Host: host, PID: os.Getpid(), Since: now.Moment()},
	}, nil
}

// carryOut applies, prints, and with --wait goes on until nothing waits.
func (p *applying) carryOut(ctx context.Context) error {
	failed := p.results
	for {
		results, err := p.applyZones(ctx)
		if err != nil {
			return err
		}
		p.results = append(slices.Clone(failed), results...)
		next := firstDue(p.results)
		if !p.flags.wait || next.IsZero() || p.status() != exitOK {
			break
		}
		p.say("The next step is due at %s; waiting.", next.Format(time.RFC3339))
		if err := p.sleep(ctx, next); err != nil {
			break
		}
		if p.run, err = p.newRun(); err != nil {
			return err
		}
	}
	return p.finish(ctx)
}

func (p *applying) sleep(ctx context.Context, until time.Time) error {
	timer := time.NewTimer(max(time.Second, until.Sub(p.Now())))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func firstDue(results []apply.Result) time.Time {
	var first time.Time
	for _, r := range results {
		for _, d := range r.Domains {
			for _, c := range d.Waiting {
				if c.NotBefore != nil && (first.IsZero() || c.NotBefore.Before(first)) {
					first = *c.NotBefore
				}
			}
		}
	}
	return first
}

// applyZones works on the zones, several at once. An interrupt lets those that
// have begun come to their end.
func (p *applying) applyZones(ctx context.Context) ([]apply.Result, error) {
	zones, lost := p.openZones(p.works)
	reviewed := make(map[records.Name]plan.Domain, len(p.reviewed.Domains))
	for _, d := range p.reviewed.Domains {
		reviewed[d.Name] = d
	}
	results := make([]apply.Result, len(p.works))
	var progress progress
	err := p.each(context.WithoutCancel(ctx), len(p.works), func(_ context.Context, i int) error {
		w := p.works[i]
		if ctx.Err() != nil {
			results[i] = apply.Result{Zone: w.name, Status: apply.Interrupted, Err: ctx.Err()}
			return nil
		}
		if err := lost[w]; err != nil {
			results[i] = apply.Result{Zone: w.name, Status: apply.Failed, Err: err}
			return nil
		}
		block, _ := p.cfg.Provider(w.provider)
		results[i] = p.run.Apply(ctx, apply.Job{
			Zone: zones[w], Target: target(block, w.id, p.dir), Domains: w.domains, Others: w.others, Open: p.open,
			Reviewed: reviewed, PlanID: p.reviewed.ID,
		})
		p.tell(&progress, results[i], len(p.works))
		return nil
	})
	return results, err
}

// progress counts the zones that are done.
type progress struct {
	sync.Mutex
	done int
}

// tell prints a line about a zone that is done, where there are several.
func (p *applying) tell(pr *progress, r apply.Result, total int) {
	pr.Lock()
	defer pr.Unlock()
	pr.done++
	if r.Recovered != "" {
		p.say("%s; its outcome is now recorded", r.Recovered)
	}
	if total < 2 {
		return
	}
	for _, d := range resultDomains(r) {
		p.say("%s", render.Progress(d, pr.done, total, p.rendering()))
	}
}

// finish prints the result and turns it into the exit status.
func (p *applying) finish(ctx context.Context) error {
	out := render.Result{FormatVersion: plan.FormatVersion, Kind: plan.KindResult, Run: p.run.ID, Journal: p.book.url, Domains: []render.ResultDomain{}}
	for _, r := range p.results {
		out.Domains = append(out.Domains, resultDomains(r)...)
	}
	if err := render.Write(p.out, p.format, &out, p.rendering()); err != nil {
		return err
	}
	p.tellErrors(p.results)
	code := p.status()
	if code == exitOK && ctx.Err() != nil {
		code = exitInterrupted
	}
	if code == exitOK && p.flags.detailed && slices.ContainsFunc(out.Domains, func(d render.ResultDomain) bool { return len(d.Waiting)+len(d.Held) > 0 }) {
		code = exitWaiting
	}
	return status(code)
}

// tellErrors prints why zones as a whole were refused or failed.
func (a *app) tellErrors(results []apply.Result) {
	told := map[string]bool{}
	for _, r := range results {
		switch {
		case r.Err == nil || errors.Is(r.Err, context.Canceled) || told[r.Err.Error()]:
		case r.Status == apply.Done:
			a.warn("%v", r.Err)
		default:
			_, _ = fmt.Fprintf(a.err, "Error: %s\n", safe(r.Err))
		}
		if r.Err != nil {
			told[r.Err.Error()] = true
		}
		for _, d := range r.Domains {
			if len(d.LeftOut) > 0 {
				a.say("%s: %d changes are not in the reviewed plan and were left out: %s", d.Name, len(d.LeftOut), leftOut(d.LeftOut))
			}
			for _, s := range d.Joined {
				a.say("%s: %s has got values from somebody else while it was written: %s", d.Name, s.Key, joined(s.Values))
			}
		}
	}
}

func joined(values []records.Value) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = strconv.Quote(records.EscapeValue(v))
	}
	return strings.Join(words, ", ")
}

func leftOut(changes []plan.Change) string {
	var keys []string
	for _, c := range changes {
		if k := c.Key().String(); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return strings.Join(keys, ", ")
}

func (p *applying) status() int { return resultStatus(p.results) }

var statusCodes = map[apply.Status]int{
	apply.Done: exitOK, apply.Failed: exitError, apply.Refused: exitRefused,
	apply.Partial: exitPartial, apply.Interrupted: exitInterrupted,
}

func resultStatus(results []apply.Result) int {
	codes := make([]int, len(results))
	for i, r := range results {
		codes[i] = statusCodes[r.Status]
	}
	return worst(codes...)
}

var outcomes = map[apply.Status]render.Outcome{
	apply.Done: render.OutcomeDone, apply.Failed: render.OutcomeFailed, apply.Refused: render.OutcomeRefused,
	apply.Partial: render.OutcomeInterrupted, apply.Interrupted: render.OutcomeInterrupted,
}

// domainOutcome is how it ended for one domain: another domain of the zone may
// have been refused or stopped while this one went on.
func domainOutcome(r apply.Result, d apply.Domain) render.Outcome {
	var refused *plan.RefusedError
	switch {
	case errors.As(d.Err, &refused):
		return render.OutcomeRefused
	case d.Err != nil:
		return render.OutcomeFailed
	case len(d.Failed) == 0 && (r.Status == apply.Refused || r.Status == apply.Failed):
		return render.OutcomeDone
	}
	return outcomes[r.Status]
}

// resultDomains is what a run did to a zone, as the report has it.
func resultDomains(r apply.Result) []render.ResultDomain {
	out := []render.ResultDomain{}
	if len(r.Domains) == 0 && r.Zone != "" && r.Err != nil {
		// It ended before any domain was looked at.
		out = append(out, render.ResultDomain{Name: r.Zone, Outcome: outcomes[r.Status], Error: r.Err.Error(),
			Applied: []plan.Change{}, Waiting: []plan.Change{}, Held: []plan.Change{}, Failed: []render.Failed{}})
	}
	for _, d := range r.Domains {
		rd := render.ResultDomain{
			Name: d.Name, Entry: r.Entry, Back: r.Back, Outcome: domainOutcome(r, d),
			Applied: orEmpty(d.Applied), Waiting: orEmpty(d.Waiting), Held: orEmpty(d.Held), Failed: []render.Failed{},
		}
		if d.Err != nil {
			rd.Error = d.Err.Error()
		}
		for _, c := range d.Failed {
			reason := "it was not written"
			if r.Err != nil {
				reason = r.Err.Error()
			}
			rd.Failed = append(rd.Failed, render.Failed{Change: c, Error: reason})
		}
		out = append(out, rd)
	}
	return out
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
