package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/plan/facts"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/lookup"
	"github.com/attunelogic/maildns/records"
)

// zoneWork is one zone with the domains that are declared in it.
type zoneWork struct {
	name     records.Name
	id       string
	provider records.ProviderRef
	domains  []*records.Domain // chosen for this run
	others   []*records.Domain
}

// site is what plan and apply work on: the configuration, its hosts, its
// journal and the time.
type site struct {
	*app
	cfg   *config.Config
	book  book
	hosts *hosts
	clock plan.Clock
	open  map[records.Name][]plan.Override

	resolver *lookup.Resolver // nil: offline
	facts    *facts.Gatherer
}

// newSite loads the configuration and opens what it names.
func (a *app) newSite(ctx context.Context, writes bool) (*site, error) {
	cfg, err := a.load(ctx)
	if err != nil {
		return nil, err
	}
	clock, err := a.World.clock()
	if err != nil {
		return nil, err
	}
	if clock.Fixed {
		a.warn("MAILDNS_CLOCK fixes the clock at %s; the journal will say so", clock.Now.Format(time.RFC3339))
	}
	b, err := a.openJournal(cfg.Journal)
	if err != nil {
		return nil, err
	}
	s := &site{app: a, cfg: cfg, book: b, clock: clock, open: map[records.Name][]plan.Override{}}
	if writes && a.env("MAILDNS_ALLOW_RELOAD") != "1" {
		for _, r := range reloads(cfg) {
			a.warn("%s, but not in this run: MAILDNS_ALLOW_RELOAD=1 allows it", r)
		}
	}
	options := a.options(writes)
	options.RateShare = cfg.Settings.RateShare
	s.hosts = &hosts{dir: a.dir, cfg: cfg, options: options, opened: map[records.ProviderRef]*provider.Host{}}
	return s, nil
}

// now is the run's clock at this moment: the real time goes on, a fixed one
// doesn't.
func (s *site) now() plan.Clock {
	c := s.clock
	c.Wall = s.Now().UTC()
	if !c.Fixed {
		c.Now = c.Wall
	}
	return c
}

// choice is which domains a command works on.
type choice struct {
	domains []string // globs, or @FILE with one a line
	labels  []string
}

// pick returns a predicate for the chosen domains.
func (c choice) pick() (func(*records.Domain) bool, error) {
	patterns, err := expand(c.domains)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{}
	for _, l := range c.labels {
		k, v, ok := strings.Cut(l, "=")
		if !ok {
			return nil, fmt.Errorf("--label is %q: write --label KEY=VALUE", l)
		}
		labels[k] = v
	}
	return func(d *records.Domain) bool {
		for k, v := range labels {
			if d.Labels[k] != v {
				return false
			}
		}
		return len(patterns) == 0 || matchesAny(patterns, d.Name)
	}, nil
}

func matchesAny(patterns []string, n records.Name) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, string(n))
		return err == nil && ok
	})
}

// expand reads @FILE arguments and brings names into their canonical form.
func expand(args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		if file, ok := strings.CutPrefix(arg, "@"); ok {
			names, err := namesIn(file)
			if err != nil {
				return nil, fmt.Errorf("--domain %s: %w", arg, err)
			}
			out = append(out, names...)
			continue
		}
		if _, err := path.Match(arg, ""); err != nil {
			return nil, fmt.Errorf("--domain %q is no pattern: * and ? and [a-z] are possible", arg)
		}
		if name, err := records.ParseName(arg); err == nil {
			arg = string(name)
		}
		out = append(out, strings.ToLower(arg))
	}
	return out, nil
}

// namesIn reads the names in a file, one a line. A list that somebody failed to
// fill must not mean every domain.
func namesIn(file string) ([]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, string(records.CanonicalName(line)))
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the file names no domain; without --domain all are meant")
	}
	return out, nil
}

// works groups the chosen domains by zone. A pattern that fits nothing is an
// error: a typo must not look like "nothing to do".
func (s *site) works(c choice) ([]*zoneWork, error) {
	chosen, err := c.pick()
	if err != nil {
		return nil, err
	}
	byZone := map[records.Name]*zoneWork{}
	for _, d := range s.cfg.Domains {
		w := byZone[d.Zone]
		if w == nil {
			w = &zoneWork{name: d.Zone, id: d.ZoneID, provider: d.Provider}
			byZone[d.Zone] = w
		}
		if chosen(d) {
			w.domains = append(w.domains, d)
		} else {
			w.others = append(w.others, d)
		}
	}
	var out []*zoneWork
	for _, name := range slices.Sorted(maps.Keys(byZone)) {
		if len(byZone[name].domains) > 0 {
			out = append(out, byZone[name])
		}
	}
	if len(out) == 0 && (len(c.domains) > 0 || len(c.labels) > 0) {
		return nil, errors.New("no declared domain fits --domain and --label")
	}
	return out, nil
}

// zone opens the zone of some work.
func (s *site) zone(w *zoneWork) (*provider.Zone, error) {
	host, err := s.hosts.open(w.provider)
	if err != nil {
		return nil, err
	}
	return host.Zone(w.name, w.id)
}

// openZones opens the zones of all works before any is read. Those that can't
// be opened are lost, each with the reason.
func (s *site) openZones(works []*zoneWork) (zones map[*zoneWork]*provider.Zone, lost map[*zoneWork]error) {
	zones, lost = make(map[*zoneWork]*provider.Zone, len(works)), map[*zoneWork]error{}
	for _, w := range works {
		z, err := s.zone(w)
		if err != nil {
			lost[w] = err
			continue
		}
		zones[w] = z
	}
	return zones, lost
}

// vanished tells of domains that are ours and that the configuration no longer
// declares, in zones that no other domain of it needs. Their values stay.
func (s *site) vanished(ctx context.Context) ([]string, error) {
	declared := make(map[records.Name]bool, len(s.cfg.Domains))
	for _, d := range s.cfg.Domains {
		declared[d.Zone] = true
	}
	zones, err := s.book.Zones(ctx)
	if err != nil {
		return nil, nil //nolint:nilerr // planZone tells of a journal that can't be read
	}
	var out []string
	for _, zone := range zones {
		if declared[zone] {
			continue
		}
		state, _, err := s.book.State(ctx, zone)
		if err != nil {
			out = append(out, err.Error()+".")
			continue
		}
		for name, n := range ownedBy(state) {
			out = append(out, fmt.Sprintf("%s is no longer declared: %s of ours stay in the zone %s (orphaned). "+
				`Declare it with state = "removed" to withdraw them, or let them go with: maildns release %s`, name, count(n, "value"), zone, name))
		}
	}
	slices.Sort(out)
	return out, ctx.Err()
}

// ownedBy counts the values owned for each domain.
func ownedBy(state plan.State) map[records.Name]int {
	out := map[records.Name]int{}
	for _, o := range state.Owned {
		out[o.Domain]++
	}
	return out
}

// planned is one zone's plan. What it was computed from is not kept: of ten
// thousand zones that would be a lot.
type planned struct {
	work    *zoneWork
	domains []plan.Domain
	journal plan.JournalStatus
	err     error // why the zone could not be read
}

// planZone reads one zone and plans it. An unreadable journal leaves the plan
// possible: nothing then counts as owned, and every gate says unknown.
func (s *site) planZone(ctx context.Context, w *zoneWork, zone *provider.Zone) planned {
	p := planned{work: w, journal: plan.JournalRead}
	state, head, err := s.book.State(ctx, w.name)
	if err != nil {
		state, p.journal = plan.State{}, plan.JournalUnreadable
		s.warn("%v", err)
	} else if head.Absent() {
		p.journal = plan.JournalAbsent
	}
	live, err := zone.Read(ctx)
	if err != nil {
		p.err = err
		return p
	}
	if head.Pending != nil && p.journal == plan.JournalRead {
		state = journal.Next(state, *head.Pending, live, s.clock.Moment())
	}
	p.domains = policy.PlanZone(policy.ZoneInput{
		Live: live, Past: state.Index(), Journal: p.journal, Clock: s.clock,
		SPF: s.facts.SPF(ctx, live, w.domains), DNS: s.facts.DNS(ctx, live, w.domains, w.others, s.clock),
		Serials: s.facts.Serials(ctx, live),
		Domains: w.domains, Others: w.others, Open: s.open,
		Host: apply.HostOf(zone), Source: plan.LiveProvider,
	}).Domains
	return p
}

// planZones plans all works, several at once, in their order. Those that could
// not be read are apart, each with its error.
func (s *site) planZones(ctx context.Context, works []*zoneWork) (plans, failed []planned, err error) {
	zones, lost := s.openZones(works)
	out := make([]planned, len(works))
	err = s.each(ctx, len(works), func(ctx context.Context, i int) error {
		if zone, ok := zones[works[i]]; ok {
			out[i] = s.planZone(ctx, works[i], zone)
		} else {
			out[i] = planned{work: works[i], err: lost[works[i]]}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, nil, err
	}
	s.tellResolver()
	for _, p := range out {
		if p.err != nil {
			failed = append(failed, p)
		} else {
			plans = append(plans, p)
		}
	}
	return plans, failed, nil
}

// errorsOf joins the errors of zones that failed, each once: a provider that
// lacks its token is told once.
func errorsOf(failed []planned) error {
	var all []error
	told := map[string]bool{}
	for _, p := range failed {
		if text := p.err.Error(); !told[text] {
			told[text] = true
			all = append(all, p.err)
		}
	}
	return errors.Join(all...)
}

// each runs f for 0 to n-1, as many at once as --parallelism allows, and stops
// at the first error. A panic becomes an error.
func (a *app) each(ctx context.Context, n int, f func(context.Context, int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(a.parallelism)
	for i := range n {
		g.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("maildns met a fault of its own: %v\n%s", p, firstLines(string(debug.Stack()), 12))
				}
			}()
			return f(ctx, i)
		})
	}
	return g.Wait()
}

// seal makes one plan of the zones' plans.
func (s *site) seal(zones []planned) (plan.Plan, error) {
	p := plan.Plan{
		Kind: plan.KindPlan, MaildnsVersion: versionText(), CreatedAt: s.clock.Now.Truncate(time.Second),
		ConfigDigest: configDigest(s.cfg), Journal: plan.JournalAbsent,
	}
	if len(zones) == 0 {
		p.Journal = plan.JournalRead // nothing was asked of it
	}
	for _, z := range zones {
		p.Domains = append(p.Domains, z.domains...)
		p.Journal = merge(p.Journal, z.journal)
	}
	return plan.Seal(p)
}

// merge is what the journal is for all zones: unreadable where it is for one.
func merge(a, b plan.JournalStatus) plan.JournalStatus {
	if a == plan.JournalUnreadable || b == plan.JournalUnreadable {
		return plan.JournalUnreadable
	}
	if a == plan.JournalRead || b == plan.JournalRead {
		return plan.JournalRead
	}
	return plan.JournalAbsent
}

// narrow keeps the works whose journal has something to do: with due, a step
// that is due; with changed, besides, domains whose declaration differs from
// what the journal knows. Nothing else is read.
func (s *site) narrow(ctx context.Context, works []*zoneWork, due, changed bool) ([]*zoneWork, error) {
	if !due && !changed {
		return works, nil
	}
	var mu sync.Mutex
	keep := map[*zoneWork]bool{}
	err := s.each(ctx, len(works), func(ctx context.Context, i int) error {
		state, head, err := s.book.State(ctx, works[i].name)
		if err != nil {
			return err
		}
		isDue := head.Pending != nil || state.Reload || !state.Due.IsZero() && !state.Due.On(s.clock).After(s.clock.Now)
		w := works[i]
		if changed && !isDue {
			w = onlyChanged(w, state)
		}
		mu.Lock()
		defer mu.Unlock()
		*works[i] = *w
		keep[works[i]] = isDue || changed && len(w.domains) > 0
		return nil
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(works), func(w *zoneWork) bool { return !keep[w] }), nil
}

// onlyChanged keeps the domains whose digest is not the journal's.
func onlyChanged(w *zoneWork, state plan.State) *zoneWork {
	known := make(map[records.Name]string, len(state.Domains))
	for _, d := range state.Domains {
		known[d.Domain] = d.ConfigDigest
	}
	out := *w
	out.domains = nil
	out.others = slices.Clone(w.others)
	for _, d := range w.domains {
		if known[d.Name] == d.Digest {
			out.others = append(out.others, d)
		} else {
			out.domains = append(out.domains, d)
		}
	}
	return &out
}

func clockNow(t time.Time) func() time.Time { return func() time.Time { return t } }
