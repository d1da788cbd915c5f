package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/lookup"
	"github.com/attunelogic/maildns/records"
)

// rollbackFlags are the flags of rollback.
type rollbackFlags struct {
	to        string
	domains   []string
	yes       bool
	dryRun    bool
	print     bool
	exact     bool
	force     bool
	keepEdits bool
	format    string
}

func newRollback(a *app) *cobra.Command {
	var f rollbackFlags
	c := &cobra.Command{
		Use:   "rollback",
		Short: "Put the zones back as they were, fast",
		Long: `Put the records of the zones back as they were at REF: an entry or run id or a
unique beginning of one; last, the state before the newest apply that changed
values; an RFC 3339 time; or an age such as 2h. Without --to the last runs are
shown, and what each REF would restore.

It needs the journal and the provider's credentials; the configuration may be
broken or absent. No gate and no waiting applies. What is not ours stays as it
is. Every restored record gets TTL 300, so that the next step is fast too.` +
			exitStatus(exitOK, exitError, exitRefused, exitPartial, exitInterrupted),
		Example: `  maildns rollback
  maildns rollback --to last
  maildns rollback --to 2h --domain attunelogic.com --dry-run
  maildns rollback --to attunelogic.com/12 --auto-approve
  maildns rollback --to last --print`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("to") && f.to == "" {
				return errors.New("--to is empty: name a state, such as last; without --to the states are shown")
			}
			return a.rollback(c.Context(), f)
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.to, "to", "", "the state to return to: `REF`")
	fl.StringArrayVar(&f.domains, "domain", nil, "only the records of these domains: a `NAME`, or @FILE")
	fl.BoolVar(&f.yes, "auto-approve", false, "don't ask")
	fl.BoolVar(&f.dryRun, "dry-run", false, "show what would be restored, and write nothing")
	fl.BoolVar(&f.print, "print", false, "touch nothing; print the restored records as a zone fragment and as steps for a dashboard")
	fl.BoolVar(&f.exact, "exact", false, "also take back what was new and does no harm by staying, such as a DKIM selector")
	fl.BoolVar(&f.force, "force", false, "overwrite what was edited by hand since the last run")
	fl.BoolVar(&f.keepEdits, "keep-edits", false, "leave what was edited by hand since the last run")
	fl.StringVar(&f.format, "format", "text", "text or json")
	return c
}

// rolling is one rollback from its reference to its result.
type rolling struct {
	*app
	flags  rollbackFlags
	format render.Format
	clock  plan.Clock
	cfg    *config.Config // nil where it doesn't load
	book   book
	hosts  hosts
	zones  map[records.Name]*records.Domain // a declared domain of each zone
	opened map[string]*provider.Host        // by what the journal says of it
	run    *apply.Run
	names  []records.Name
	ways   []*wayBack
	failed []apply.Result // zones that can't be reached

	resolver *lookup.Resolver // nil: there is none to ask

	began     time.Time
	unprinted error // what could not be told
}

// wayBack is one zone's part of a rollback.
type wayBack struct {
	job    apply.RollbackJob
	view   apply.Preview
	lost   error  // why the zone can't be reached, nil where it can
	astray string // why nobody would see what is written, empty where that isn't proven
}

func (a *app) rollback(ctx context.Context, f rollbackFlags) error {
	format, err := render.ParseFormat(f.format, render.Text, render.JSON)
	if err != nil {
		return err
	}
	if f.force && f.keepEdits {
		return errors.New("--force and --keep-edits exclude each other")
	}
	r := &rolling{app: a, flags: f, format: format}
	if err := r.open(ctx); err != nil {
		return err
	}
	if f.to == "" {
		return r.points(ctx)
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	return r.carryOut(ctx)
}

// open finds the journal, and the configuration if it can be had.
func (r *rolling) open(ctx context.Context) error {
	var err error
	if r.clock, err = r.World.clock(); err != nil {
		return err
	}
	if r.book, err = r.journalAlone(ctx); err != nil {
		return err
	}
	r.say("Journal: %s (%s)", r.book.url, r.book.from)
	cfg, diags, err := r.read(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		r.warn("%v. The journal says where the zones are", err)
	case diags.HasErrors():
		r.warn("the configuration is absent or broken, and not used. The journal says where the zones are")
	case len(cfg.Domains) > 0:
		r.use(cfg)
	}
	r.names, err = r.pick(ctx)
	return err
}

// use takes providers and settings from the configuration.
func (r *rolling) use(cfg *config.Config) {
	r.cfg = cfg
	r.hosts = hosts{dir: r.dir, cfg: cfg, options: r.options(true), opened: map[records.ProviderRef]*provider.Host{}}
	r.zones = make(map[records.Name]*records.Domain, len(cfg.Domains))
	for _, d := range cfg.Domains {
		r.zones[d.Zone] = d
	}
}

// pick finds the domains of --domain among those that the journal knows.
func (r *rolling) pick(ctx context.Context) ([]records.Name, error) {
	patterns, err := expand(r.flags.domains)
	if err != nil || len(patterns) == 0 {
		return nil, err
	}
	zones, err := r.book.Zones(ctx)
	if err != nil {
		return nil, err
	}
	var names []records.Name
	fits := make([]bool, len(patterns))
	for _, zone := range zones {
		for _, n := range r.known(ctx, zone) {
			for i, p := range patterns {
				if matchesAny([]string{p}, n) {
					fits[i] = true
					names = append(names, n)
				}
			}
		}
	}
	if i := slices.Index(fits, false); i >= 0 {
		return nil, fmt.Errorf("the journal %s knows no domain %s", r.book.url, patterns[i])
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// known are the domains of a zone that the journal knows, also where its newest
// entry is damaged or pending.
func (r *rolling) known(ctx context.Context, zone records.Name) []records.Name {
	state, head, err := r.book.State(ctx, zone)
	var damage *journal.DamageError
	if err != nil && !errors.As(err, &damage) {
		r.warn("%v", err)
		return nil
	}
	var names []records.Name
	for _, d := range state.Domains {
		names = append(names, d.Domain)
	}
	if head.Pending != nil {
		names = append(names, head.Pending.Domains...)
	}
	return names
}

func (r *rolling) now() plan.Clock {
	c := r.clock
	c.Wall = r.Now().UTC()
	if !c.Fixed {
		c.Now = c.Wall
	}
	return c
}

// lockPatience is how long a run that holds a zone is waited for.
const lockPatience = 90 * time.Second

// prepare resolves the reference and computes what would be restored.
func (r *rolling) prepare(ctx context.Context) error {
	points, err := r.resolve(ctx, r.flags.to)
	if err != nil {
		return err
	}
	var notify []journal.Target
	digest := ""
	if r.cfg != nil {
		notify, digest = notifyTargets(r.cfg), configDigest(r.cfg)
	}
	if r.run, err = r.newRun(r.book.Journal, r.now, digest, notify); err != nil {
		return err
	}
	r.run.Patience = lockPatience
	for _, p := range points {
		job, err := r.job(ctx, p)
		r.ways = append(r.ways, &wayBack{job: job, lost: err})
	}
	if resolver, err := r.newResolver(nil); err == nil {
		r.resolver = resolver
	}
	return r.each(ctx, len(r.ways), func(ctx context.Context, i int) error { return r.preview(ctx, r.ways[i]) })
}

// preview computes a zone's way back. Where the zone can't be reached, the
// journal says what was there, so that a person can do the rest.
func (r *rolling) preview(ctx context.Context, w *wayBack) (err error) {
	var unreadable *apply.UnreadableError
	if w.lost == nil {
		asked := r.askServers(ctx, w.job.Point.Zone)
		w.view, err = r.run.Preview(ctx, w.job)
		if !errors.As(err, &unreadable) {
			w.compareServers(<-asked)
			return err
		}
		w.lost = err
	}
	if w.view, err = r.run.Recall(ctx, w.job); err != nil {
		return errors.Join(w.lost, err)
	}
	return nil
}

// askPatience is how long a rollback waits for what is only a warning.
const askPatience = 2 * time.Second

// askServers asks, beside the reading of a zone, for the name servers that
// resolvers find for it.
func (r *rolling) askServers(ctx context.Context, zone records.Name) <-chan []records.Value {
	asked := make(chan []records.Value, 1)
	if r.resolver == nil {
		asked <- nil
		return asked
	}
	go func() {
		ctx, cancel := context.WithTimeout(ctx, askPatience)
		defer cancel()
		answer, err := r.resolver.Lookup(ctx, zone, records.TypeNS)
		if err != nil || len(answer.Aliases) > 0 {
			answer.Values = nil // unknown
		}
		asked <- answer.Values
	}()
	return asked
}

// compareServers notes a zone that is proven to be served elsewhere.
func (w *wayBack) compareServers(asked []records.Value) {
	if len(w.view.Domains) > 0 && policy.Undelegated(w.view.Point.Zone, w.view.Servers, asked) {
		w.astray = policy.NotDelegated(w.view.Point.Zone, w.provider(), w.view.Servers, asked)
	}
}

func (w *wayBack) provider() records.ProviderRef {
	return records.ProviderRef{Type: w.job.Target.Type, Name: w.job.Target.Name}
}

// resolve turns a reference into states of zones.
func (r *rolling) resolve(ctx context.Context, ref string) ([]apply.Point, error) {
	if zones, err := r.book.Zones(ctx); err != nil || len(zones) == 0 {
		return nil, errors.Join(err, fmt.Errorf("there is no journal at %s, or it is empty: name the one that apply used with --journal", r.book.url))
	}
	if ref == "last" {
		return r.refs().Last(ctx, r.names)
	}
	if ref == "last-good" {
		return nil, errors.New("last-good is a state that verify has confirmed, and this version of maildns has no verify: name an entry, a time or an age; rollback without --to shows them")
	}
	if at, ok := r.moment(ref); ok {
		if at.After(r.now().Now) {
			return nil, fmt.Errorf("--to %s lies in the future", ref)
		}
		return r.refs().At(ctx, at, r.names)
	}
	entries, err := r.book.Find(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("--to %s is no entry, run, time (2026-11-24T19:00:00Z) or age (2h), nor last: %w", ref, err)
	}
	var points []apply.Point
	for _, e := range entries {
		points = append(points, apply.Point{Zone: e.Zone, Seq: e.Seq})
	}
	return points, nil
}

// refs resolves references. What a run without an outcome has done is looked up
// in its zone.
func (r *rolling) refs() apply.Refs {
	var opening sync.Mutex // several zones are looked at at once
	return apply.Refs{Journal: r.book.Journal, Clock: r.now(), Read: func(ctx context.Context, name records.Name) (records.Zone, error) {
		opening.Lock()
		zone, _, err := r.zone(ctx, name)
		opening.Unlock()
		if err != nil {
			return records.Zone{}, err
		}
		return zone.Read(ctx)
	}}
}

// moment reads a time or an age.
func (r *rolling) moment(ref string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, ref); err == nil {
		return t, true
	}
	days, ok := strings.CutSuffix(ref, "d")
	if n, err := time.ParseDuration(days + "h"); ok && err == nil && n >= 0 {
		return r.now().Now.Add(-24 * n), true
	}
	if d, err := time.ParseDuration(ref); err == nil && d >= 0 {
		return r.now().Now.Add(-d), true
	}
	return time.Time{}, false
}

// job opens a zone, through the configuration or else through what the newest
// intact entry says of its provider.
func (r *rolling) job(ctx context.Context, p apply.Point) (apply.RollbackJob, error) {
	settings := records.DefaultSettings()
	if r.cfg != nil {
		settings = r.cfg.Settings
	}
	job := apply.RollbackJob{
		Point: p, Ref: r.flags.to, Soak: settings.Soak,
		Options: plan.RestoreOptions{
			Domains: r.names, Exact: r.flags.exact, Force: r.flags.force, KeepEdits: r.flags.keepEdits, TTL: settings.TTLRollback,
		},
	}
	zone, target, err := r.zone(ctx, p.Zone)
	host, _ := provider.Lookup(target.Type)
	job.Zone, job.Target, job.Options.Host = zone, target, host.Limits
	return job, err
}

func (r *rolling) zone(ctx context.Context, name records.Name) (*provider.Zone, journal.Target, error) {
	if d, ok := r.zones[name]; ok {
		block, _ := r.cfg.Provider(d.Provider)
		t := target(block, d.ZoneID, r.dir)
		host, err := r.hosts.open(d.Provider)
		if err != nil {
			return nil, t, err
		}
		z, err := host.Zone(name, d.ZoneID)
		return z, t, err
	}
	t, err := r.recorded(ctx, name)
	if err != nil {
		return nil, t, err
	}
	z, err := r.openTarget(t, name)
	return z, t, err
}

// recorded is what the newest intact entry says of a zone's provider.
func (r *rolling) recorded(ctx context.Context, name records.Name) (journal.Target, error) {
	for e, err := range r.book.Entries(ctx, name) {
		var damage *journal.DamageError
		if err != nil && !errors.As(err, &damage) {
			return journal.Target{}, err
		}
		if e.Intent != nil && e.Intent.Provider.Type != "" {
			return e.Intent.Provider, nil
		}
	}
	return journal.Target{}, fmt.Errorf("neither the configuration nor the journal says where the zone %s is", name)
}

// openTarget opens a provider as the journal recorded it, each once.
func (r *rolling) openTarget(t journal.Target, name records.Name) (*provider.Zone, error) {
	zoneID := t.ZoneID
	t.ZoneID = "" // the provider is the same for all of its zones
	key, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("reading what the journal says of provider %s.%s: %w", t.Type, t.Name, err)
	}
	host, ok := r.opened[string(key)]
	if !ok {
		if host, err = r.openRecorded(t); err != nil {
			return nil, err
		}
		if r.opened == nil {
			r.opened = map[string]*provider.Host{}
		}
		r.opened[string(key)] = host
	}
	return host.Zone(name, zoneID)
}

// openRecorded opens a provider with the credentials of the variables that the
// journal names.
func (r *rolling) openRecorded(t journal.Target) (*provider.Host, error) {
	values := provider.Values{}
	for attr, v := range t.Values {
		values[attr] = v
	}
	secrets := &config.Secrets{}
	for attr, variable := range t.Env {
		v := r.env(variable)
		if v == "" {
			return nil, fmt.Errorf("provider %s.%s takes its %s from %s, which is not set", t.Type, t.Name, attr, variable)
		}
		secrets.Add(variable, v)
		values[attr] = []string{v}
	}
	if len(t.Env) > 0 {
		r.redact(secrets)
	}
	return provider.Open(records.ProviderRef{Type: t.Type, Name: t.Name}, relative(t.Type, values, r.dir), r.options(true))
}

// report is what the rollback would do with some zones.
func (r *rolling) report(ways []*wayBack) (render.Rollback, error) {
	out := render.Rollback{Targets: []render.Target{}, Kept: []render.Kept{}, Conflicts: []render.Conflict{}}
	p := plan.Plan{Kind: plan.KindRollback, MaildnsVersion: versionText(), CreatedAt: r.clock.Now.Truncate(time.Second), Journal: plan.JournalRead}
	for _, w := range ways {
		p.Domains = append(p.Domains, w.domains()...)
		out.Targets = append(out.Targets, r.target(w.view))
		for _, k := range w.view.Kept {
			out.Kept = append(out.Kept, render.Kept{Domain: k.Domain, Name: k.Key.Name, Type: k.Key.Type, Kind: k.Kind, Values: k.Values, Why: k.Why})
		}
		for _, c := range w.view.Conflicts {
			out.Conflicts = append(out.Conflicts, render.Conflict{
				Domain: c.Domain, Name: c.Key.Name, Type: c.Key.Type, Left: plan.SetOf(c.Left), Live: plan.SetOf(c.Live), Target: plan.SetOf(c.Target),
			})
		}
	}
	var err error
	out.Plan, err = plan.Seal(p)
	return out, err
}

// domains are the changes of a way back, as plans of their domains.
func (w *wayBack) domains() []plan.Domain {
	var out []plan.Domain
	for _, name := range slices.Sorted(maps.Keys(w.view.Domains)) {
		out = append(out, plan.Domain{
			Name: name, Zone: w.view.Point.Zone, Provider: w.provider().String(), Live: plan.LiveProvider, Transactional: w.view.Together,
			Changes: w.view.Domains[name], Findings: slices.Concat(w.findings(), rollbackFindings(w.view, name)),
		})
	}
	return out
}

// findings warn of what the zone's host can't do, and of one that nobody asks.
func (w *wayBack) findings() []plan.Finding {
	var out []plan.Finding
	if w.astray != "" {
		out = append(out, plan.Finding{Rule: policy.RuleNotDelegated, Severity: plan.SeverityWarning, About: plan.AboutLive, RFC: "1034 4.2.1",
			Message: w.astray, Fix: "restore the records where the zone is served: rollback --print shows them"})
	}
	options := w.job.Options
	if stored := options.Host.StoredTTL(options.TTL); stored != options.TTL {
		out = append(out, plan.Finding{Rule: policy.RuleMinimum, Severity: plan.SeverityWarning, About: plan.AboutLive,
			Message: fmt.Sprintf("the records are restored with TTL %s, the shortest that %s stores, and not %s", stored, w.provider(), options.TTL),
			Fix:     "nothing: what comes next takes as long to be seen"})
	}
	return out
}

// rollbackFindings warns of what a person should know before it is done.
func rollbackFindings(v apply.Preview, name records.Name) []plan.Finding {
	var out []plan.Finding
	for _, c := range v.Domains[name] {
		if c.After != nil && len(c.After.Values) > 1 && c.Kind == records.KindSPF {
			if n := countSPF(*c.After); n > 1 {
				out = append(out, plan.Finding{Rule: "spf-multiple", Severity: plan.SeverityWarning, About: plan.AboutLive, RFC: "7208 4.5",
					Message: fmt.Sprintf("this brings %d SPF records back at %s: receivers answer PERMERROR", n, c.Name), Fix: "mend the configuration and apply it when the incident is over"})
			}
		}
		if c.Kind == records.KindDMARC && plan.Tightens(c) {
			out = append(out, plan.Finding{Rule: "dmarc-loosens", Severity: plan.SeverityWarning, About: plan.AboutLive, RFC: "9989 4.7",
				Message: fmt.Sprintf("this TIGHTENS the DMARC policy at %s, which was loosened since", c.Name), Fix: "leave it out with --domain if the loosening was meant"})
		}
	}
	return out
}

func countSPF(s plan.Set) int {
	n := 0
	for _, v := range s.Values {
		if strings.HasPrefix(strings.ToLower(string(v)), "v=spf1") {
			n++
		}
	}
	return n
}

func (r *rolling) target(v apply.Preview) render.Target {
	t := render.Target{Zone: v.Point.Zone, Ref: r.flags.to, Entry: v.Point.String(), State: "the state after it"}
	if v.Point.Seq == 0 {
		t.Entry, t.State = "", "the zone before its first entry"
	}
	var warnings []string
	for _, d := range v.Damage {
		warnings = append(warnings, d.Error())
	}
	if v.Pending {
		warnings = append(warnings, "a run on this zone has not recorded its outcome: it is at work, or died")
	}
	t.Warning = strings.Join(warnings, "; ")
	return t
}

func (r *rolling) rendering() render.Options {
	return render.Options{Width: r.width(), Palette: r.palette(r.noColor), Now: r.clock.Now}
}

// carryOut shows, asks, and restores. What can't be printed doesn't keep it from
// restoring: it is told at the end.
func (r *rolling) carryOut(ctx context.Context) error {
	if r.flags.print {
		return r.printByHand()
	}
	if err := r.setAside(); err != nil {
		return err
	}
	view, err := r.report(r.ways)
	if err != nil {
		return err
	}
	something := len(view.Domains)+len(view.Conflicts)+len(view.Kept) > 0
	if r.format == render.Text && something || r.flags.dryRun && r.format != render.Text {
		r.print(&view)
	}
	switch {
	case len(view.Conflicts) > 0:
		return failWith(exitRefused, errors.New("nothing was written: what was edited by hand is in the way; --force overwrites it, --keep-edits leaves it"))
	case r.flags.dryRun && (len(view.Domains) > 0 || r.format != render.Text):
		return r.left()
	case len(view.Domains) == 0:
		return r.nothing(ctx)
	}
	if err := r.mayWrite(r.book); err != nil {
		return err
	}
	for _, w := range r.ways {
		if w.astray != "" {
			r.warn("%s", w.astray)
		}
	}
	if err := r.ask(ctx); err != nil {
		return err
	}
	return r.restore(ctx, view)
}

// printByHand prints what is to be restored for a person to do, and touches
// nothing. For zones that can't be read it is as the journal knows them.
func (r *rolling) printByHand() error {
	view, err := r.report(r.ways)
	if err != nil {
		return err
	}
	for _, w := range r.ways {
		if w.lost != nil {
			r.warn("%v. What is printed is as far as the journal knows", w.lost)
		}
		for _, c := range w.view.Conflicts {
			r.warn("%s was edited by hand since the last run and is left out: --force includes it, and overwrites the edit", c.Key)
		}
	}
	r.print(&render.ByHand{Plan: view.Plan})
	return r.unprinted
}

// setAside takes the zones that can't be reached out of the rollback and prints
// what a person must do for them. Where there is no other zone it is the end;
// otherwise the rest goes on.
func (r *rolling) setAside() error {
	var lost []*wayBack
	var why []error
	for _, w := range r.ways {
		if w.lost != nil {
			lost, why = append(lost, w), append(why, w.lost)
			r.failed = append(r.failed, w.failure())
		}
	}
	if len(lost) == 0 {
		return nil
	}
	r.ways = slices.DeleteFunc(r.ways, func(w *wayBack) bool { return w.lost != nil })
	view, err := r.report(lost)
	if err != nil {
		return err
	}
	if r.format == render.Text || len(r.ways) == 0 {
		r.print(&render.ByHand{Plan: view.Plan})
	}
	if len(r.ways) == 0 {
		return errors.Join(fmt.Errorf("nothing was written. What is above must be done by hand, as far as the journal knows: %w", errors.Join(why...)), r.unprinted)
	}
	return nil
}

// failure is the result for a zone that can't be reached.
func (w *wayBack) failure() apply.Result {
	out := apply.Result{Zone: w.view.Point.Zone, Status: apply.Failed, Err: fmt.Errorf("it must be restored by hand: %w", w.lost)}
	for _, d := range w.domains() {
		out.Domains = append(out.Domains, apply.Domain{Name: d.Name, Failed: d.Changes})
	}
	return out
}

// left is the end of what was only shown: an error where a zone couldn't be
// reached.
func (r *rolling) left() error {
	r.tellErrors(r.failed)
	if len(r.failed) > 0 {
		return errors.Join(status(exitError), r.unprinted)
	}
	return r.unprinted
}

// print writes a report, and remembers if it could not.
func (r *rolling) print(report any) {
	if err := render.Write(r.out, r.format, report, r.rendering()); err != nil && r.unprinted == nil {
		r.unprinted = fmt.Errorf("printing: %w", err)
	}
}

// nothing says that there is nothing to restore, and why. What a dead run has
// left is recorded all the same, and a reload that failed is repeated: the zone
// may be back, and its server not know.
func (r *rolling) nothing(ctx context.Context) error {
	for _, w := range r.ways {
		if !w.view.Pending && !w.view.Reload || r.flags.dryRun {
			continue
		}
		res := r.run.Rollback(ctx, w.job)
		if res.Status != apply.Done {
			r.tellErrors([]apply.Result{res})
			return status(resultStatus([]apply.Result{res}))
		}
		if res.Recovered != "" {
			r.say("%s; its outcome is now recorded", res.Recovered)
		}
	}
	if r.format != render.Text {
		return r.finish(nil)
	}
	for _, w := range r.ways {
		state := "as they were after " + w.view.Point.String()
		if w.view.Point.Seq == 0 {
			state = "as they were before the first entry"
		}
		if _, err := fmt.Fprintf(r.out, "Nothing to restore: our records of %s are %s.\n", w.view.Point.Zone, state); err != nil {
			return err
		}
	}
	return r.left()
}

// ask: several zones need a yes or --auto-approve; one goes on where there is
// no terminal.
func (r *rolling) ask(ctx context.Context) error {
	_, isTerminal := terminal(r.Stdin)
	switch {
	case r.flags.yes:
		return nil
	case isTerminal:
		return r.confirm(ctx, "Restore these records? Only the word yes is taken for it: ")
	case r.touched() == 1:
		return nil
	}
	return fmt.Errorf("this restores %d zones and there is no terminal to ask at: give --auto-approve, or choose with --domain", r.touched())
}

func (r *rolling) touched() int {
	n := 0
	for _, w := range r.ways {
		if len(w.view.Domains) > 0 {
			n++
		}
	}
	return n
}

func (r *rolling) restore(ctx context.Context, view render.Rollback) error {
	r.began = r.now().Now.Truncate(time.Second)
	results := make([]apply.Result, len(r.ways))
	err := r.each(context.WithoutCancel(ctx), len(r.ways), func(_ context.Context, i int) error {
		if ctx.Err() != nil {
			results[i] = apply.Result{Zone: r.ways[i].job.Point.Zone, Status: apply.Interrupted, Err: ctx.Err()}
			return nil
		}
		job := r.ways[i].job
		job.PlanID = view.ID
		results[i] = r.run.Rollback(ctx, job)
		return nil
	})
	if err != nil {
		return err
	}
	return r.finish(results)
}

// finish prints what was done, what to expect and by when.
func (r *rolling) finish(results []apply.Result) error {
	out := render.Result{FormatVersion: plan.FormatVersion, Kind: plan.KindResult, Run: r.run.ID, Journal: r.book.url, Domains: []render.ResultDomain{}}
	done := results
	results = slices.Concat(results, r.failed)
	for _, res := range results {
		out.Domains = append(out.Domains, resultDomains(res)...)
		if res.Recovered != "" {
			r.say("%s; its outcome is now recorded", res.Recovered)
		}
	}
	wrote := slices.ContainsFunc(out.Domains, func(d render.ResultDomain) bool { return len(d.Applied) > 0 })
	if wrote {
		out.Aftermath = r.aftermath(done)
	}
	out.Began = r.began
	r.print(&out)
	r.tellErrors(results)
	if wrote && r.cfg != nil {
		r.say("What else the configuration declares goes on with the next apply: maildns plan shows it.")
	}
	if code := resultStatus(results); code != exitOK || r.unprinted == nil {
		return status(code)
	}
	return fmt.Errorf("the records are restored (run %s), but that could not be told: %w", r.run.ID, r.unprinted)
}

// aftermath says which values were bad since when, and until when caches may
// go on serving them.
func (r *rolling) aftermath(results []apply.Result) *render.Aftermath {
	now := r.now().Now.Truncate(time.Second)
	a := &render.Aftermath{Actor: r.actor(), At: now, CurrentBy: now, Bad: []render.Bad{}, PolicyFiles: []render.PolicyFile{}, Notified: []string{}, NotNotified: []string{}}
	propagation := records.DefaultSettings().Propagation
	if r.cfg != nil {
		propagation = r.cfg.Settings.Propagation
	}
	for i, res := range results {
		for _, d := range res.Domains {
			for _, c := range d.Applied {
				bad := render.Bad{Domain: d.Name, Name: c.Name, Type: c.Type, Values: only(c.Before, c.After)}
				bad.Since = since(r.ways[i].view.Writes, c)
				bad.Until = now.Add(time.Duration(c.Exposure)*time.Second + propagation)
				if bad.Until.After(a.CurrentBy) {
					a.CurrentBy = bad.Until
				}
				a.Bad = append(a.Bad, bad)
				a.PolicyFiles = append(a.PolicyFiles, policyFile(d.Name, c)...)
			}
		}
	}
	return a
}

// policyFile: where the MTA-STS id went back, the policy file must go back too.
func policyFile(domain records.Name, c plan.Change) []render.PolicyFile {
	if c.Kind != records.KindMTASTS || c.Type != records.TypeTXT {
		return nil
	}
	return []render.PolicyFile{{URL: fmt.Sprintf("https://mta-sts.%s/.well-known/mta-sts.txt", domain)}}
}

// since is when the values that a change takes back were written.
func since(writes []plan.Write, c plan.Change) *time.Time {
	var first *time.Time
	for _, w := range writes {
		if w.Key() != c.Key() || c.Before == nil || !slices.Contains(c.Before.Values, w.Value) {
			continue
		}
		if first == nil || w.At.Before(*first) {
			first = &w.At
		}
	}
	return first
}

// points lists the last runs and what each reference would restore.
func (r *rolling) points(ctx context.Context) error {
	h, err := collect(ctx, r.book.Journal, 10, func(e journal.Entry) bool {
		return len(r.names) == 0 || slices.ContainsFunc(e.Intent.Domains, func(n records.Name) bool { return slices.Contains(r.names, n) })
	})
	if err != nil {
		return err
	}
	out := render.Points{FormatVersion: plan.FormatVersion, Kind: render.KindPoints, Journal: r.book.url, Points: []render.Point{}}
	if p, err := r.lastPoint(ctx); err != nil {
		return err
	} else if p != nil {
		out.Points = append(out.Points, *p)
	}
	for _, e := range h.Entries {
		p := render.Point{
			Ref: e.ID, Entry: e.ID, Run: e.Run, At: e.Time, Command: e.Command, Actor: e.Actor,
			Outcome: e.Outcome, Domains: e.Domains, Restores: r.restores(ctx, apply.Point{Zone: e.Zone, Seq: e.Seq}),
		}
		out.Points = append(out.Points, p)
	}
	if err := render.Write(r.out, r.format, &out, r.rendering()); err != nil {
		return err
	}
	if len(h.Damage) > 0 {
		return fmt.Errorf("the journal is damaged: %s", strings.Join(h.Damage, "; "))
	}
	return nil
}

// lastPoint is what --to last means now; nil where there is no such run.
func (r *rolling) lastPoint(ctx context.Context) (*render.Point, error) {
	points, err := r.refs().Last(ctx, r.names)
	if errors.Is(err, apply.ErrNothing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := render.Point{Ref: "last", Command: string(journal.CommandApply), Restores: []render.Restored{}}
	for _, point := range points {
		e, err := r.book.Entry(ctx, point.Zone, point.Seq+1)
		if err != nil {
			return nil, err
		}
		p.Run, p.At, p.Actor, p.Entry = e.Intent.Run, e.Intent.Time.At, e.Intent.Actor, e.ID()
		p.Domains = append(p.Domains, e.Intent.Domains...)
		p.Outcome = historyEntry(e).Outcome
		p.Restores = append(p.Restores, r.restores(ctx, point)...)
	}
	return &p, nil
}

// restores is what returning to a point would change now. A zone that can't be
// read has nothing to show, and a warning says why.
func (r *rolling) restores(ctx context.Context, p apply.Point) []render.Restored {
	out := []render.Restored{}
	job, err := r.job(ctx, p)
	if err != nil {
		r.warn("%v", err)
		return out
	}
	run := &apply.Run{Journal: r.book.Journal, Clock: r.now}
	view, err := run.Preview(ctx, job)
	if err != nil {
		r.warn("%v", err)
		return out
	}
	for name, changes := range view.Domains {
		for _, c := range changes {
			out = append(out, render.Restored{Domain: name, Change: c})
		}
	}
	slices.SortStableFunc(out, func(a, b render.Restored) int { return strings.Compare(string(a.Domain), string(b.Domain)) })
	return out
}
