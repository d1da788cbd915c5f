// Package facts gathers what rules and gates need to know from outside: what
// SPF terms come to in the DNS. It is the only input and output between reading
// a zone and judging it; what it can't learn it calls unknown, with the reason.
package facts

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// Gatherer asks the DNS on behalf of a run. It asks for each term once, however
// many domains have it, and is safe for concurrent use. A nil Gatherer knows
// nothing.
type Gatherer struct {
	resolver spf.Resolver
	parallel int // domains of one zone at once
	mu       sync.Mutex
	shared   map[string]*answer
	blind    bool
}

// Blind reports whether the DNS servers knew none of the names in some domain's
// records, so that their answers were not believed.
func (g *Gatherer) Blind() bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.blind
}

// New returns a gatherer over a resolver.
func New(r spf.Resolver) *Gatherer {
	return &Gatherer{resolver: r, parallel: 16, shared: map[string]*answer{}}
}

// answer is what one term comes to, looked up once.
type answer struct {
	once sync.Once
	term policy.KnownTerm
}

// SPF returns what the terms of the domains' SPF records come to, declared and
// live. Only the end of ctx cuts it short; then less is known.
func (g *Gatherer) SPF(ctx context.Context, live records.Zone, domains []*records.Domain) map[records.Name]*policy.KnownSPF {
	if g == nil {
		return nil
	}
	out := make(map[records.Name]*policy.KnownSPF, len(domains))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(g.parallel)
	for _, d := range domains {
		declared := declaredRecord(d)
		if declared == nil {
			continue
		}
		group.Go(func() error {
			known := g.domain(ctx, d, declared, liveRecords(live, d.Name))
			mu.Lock()
			defer mu.Unlock()
			out[d.Name] = known
			return nil
		})
	}
	_ = group.Wait() // no function of the group fails
	return out
}

func declaredRecord(d *records.Domain) *spf.Record {
	if d.SPF == nil || d.Removed {
		return nil
	}
	return d.SPF.Record
}

// liveRecords are the SPF records at a name, with what of them can be parsed.
func liveRecords(zone records.Zone, name records.Name) []*spf.Record {
	set, _ := zone.Set(records.Key{Name: name, Type: records.TypeTXT})
	var out []*spf.Record
	for _, v := range set.Values {
		if spf.IsSPF(string(v)) {
			r, _ := spf.ParseLoose(string(v))
			out = append(out, r)
		}
	}
	return out
}

func (g *Gatherer) domain(ctx context.Context, d *records.Domain, declared *spf.Record, live []*spf.Record) *policy.KnownSPF {
	known := &policy.KnownSPF{Terms: map[string]policy.KnownTerm{}}
	for _, r := range append(live, declared) {
		for _, t := range r.Live() {
			if t.Kind == spf.All {
				continue
			}
			if t.Kind == spf.Redirect {
				t.Kind = spf.Include
			}
			t.Qualifier = spf.Pass
			if _, done := known.Terms[t.Key()]; !done {
				known.Terms[t.Key()] = g.term(ctx, string(d.Name), t)
			}
		}
	}
	if g.doubt(known) {
		return known
	}
	if len(d.SPF.Flatten) > 0 {
		g.flatten(ctx, d, known)
	}
	return known
}

// doubt takes answers for nothing where not one name led anywhere: servers of
// a closed network deny every name, and a denial would let a sender go.
func (g *Gatherer) doubt(known *policy.KnownSPF) bool {
	asked := 0
	for _, t := range known.Terms {
		if t.Lookups > 0 && (!t.Pass.IsEmpty() || t.Unknown != "") {
			return false
		}
		asked += t.Lookups
	}
	if asked == 0 {
		return false
	}
	for key, t := range known.Terms {
		if t.Lookups > 0 {
			t.Unknown = "the DNS servers that were asked know none of the names in this record"
			known.Terms[key] = t
		}
	}
	known.FlatProblem = "the DNS servers that were asked know none of the names in the record"
	g.mu.Lock()
	defer g.mu.Unlock()
	g.blind = true
	return true
}

// term looks a term up, for all domains at once where its meaning doesn't
// depend on the domain.
func (g *Gatherer) term(ctx context.Context, domain string, t spf.Term) policy.KnownTerm {
	key := t.String()
	if !absolute(t) {
		key = domain + " " + key
	}
	g.mu.Lock()
	a, ok := g.shared[key]
	if !ok {
		a = &answer{}
		g.shared[key] = a
	}
	g.mu.Unlock()
	a.once.Do(func() { a.term = g.resolve(ctx, domain, t) })
	return a.term
}

func (g *Gatherer) resolve(ctx context.Context, domain string, t spf.Term) policy.KnownTerm {
	tree, err := spf.Resolve(ctx, g.resolver, domain, spf.New(t))
	if err != nil {
		return policy.KnownTerm{Unknown: err.Error()}
	}
	known := policy.KnownTerm{
		Pass: tree.Authorization().Pass, Lookups: tree.Root.Lookups, Voids: tree.Root.VoidLookups,
	}
	if len(tree.Unknown) > 0 {
		u := tree.Unknown[0]
		known.Unknown = fmt.Sprintf("%s of %s: %s", u.Term, u.Domain, u.Why)
	}
	for _, f := range tree.Findings {
		switch f.Problem {
		case spf.Unanswered, spf.TooLarge:
			known.Unknown = f.Detail
		default:
			known.Broken = f.Detail
		}
	}
	return known
}

// absolute reports whether a term means the same in the record of any domain:
// it names what it asks for, without macros (RFC 7208 7).
func absolute(t spf.Term) bool {
	text := t.Key()
	return strings.Contains(text, ":") && !strings.Contains(text, "%")
}

// flatten works out the declared record with the named includes flattened.
func (g *Gatherer) flatten(ctx context.Context, d *records.Domain, known *policy.KnownSPF) {
	names := make([]string, len(d.SPF.Flatten))
	for i, n := range d.SPF.Flatten {
		names[i] = string(n)
	}
	tree, err := spf.Resolve(ctx, g.resolver, string(d.Name), d.SPF.Record)
	if err != nil {
		known.FlatProblem = err.Error()
		return
	}
	flat, err := tree.FlattenIncludes(names...)
	if err != nil {
		known.FlatProblem = err.Error()
		return
	}
	known.Flat = flat.Record
}
