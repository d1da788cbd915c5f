// Package facts gathers what rules and gates need to know from outside: what
// SPF terms come to in the DNS. It is the only input and output between reading
// a zone and judging it; what it can't learn it calls unknown, with the reason.
package facts

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider/lookup"
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

	at      func(address string) *lookup.Resolver // nil: servers are not asked
	servers map[string]*lookup.Resolver           // by address
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
		found := recordsOf(d, live)
		if len(found) == 0 {
			continue
		}
		group.Go(func() error {
			known := g.domain(ctx, d, found)
			mu.Lock()
			defer mu.Unlock()
			out[d.Name] = known
			return nil
		})
	}
	_ = group.Wait() // no function of the group fails
	return out
}

// placed is an SPF record and the name that it stands at.
type placed struct {
	name   records.Name
	record *spf.Record
}

// recordsOf are the SPF records that a domain declares, at whatever names and in
// whichever block, and the live ones there and at the domain itself, with what
// of them can be parsed.
func recordsOf(d *records.Domain, live records.Zone) []placed {
	var out []placed
	add := func(name records.Name, v records.Value) {
		if spf.IsSPF(string(v)) {
			r, _ := spf.ParseLoose(string(v))
			out = append(out, placed{name, r})
		}
	}
	names := []records.Name{d.Name}
	for _, v := range d.Declared() {
		if v.Key.Type == records.TypeTXT && spf.IsSPF(string(v.Value)) {
			names = append(names, v.Key.Name)
			add(v.Key.Name, v.Value)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		set, _ := live.Set(records.Key{Name: name, Type: records.TypeTXT})
		for _, v := range set.Values {
			add(name, v)
		}
	}
	return out
}

func (g *Gatherer) domain(ctx context.Context, d *records.Domain, found []placed) *policy.KnownSPF {
	known := &policy.KnownSPF{Terms: map[string]policy.KnownTerm{}}
	for _, r := range found {
		for _, t := range r.record.Live() {
			if t.Kind == spf.All || r.name != d.Name && !t.Absolute() {
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
	if g.doubt(ctx, known) {
		return known
	}
	if d.SPF != nil && len(d.SPF.Flatten) > 0 && !d.Removed {
		g.flatten(ctx, d, known)
	}
	return known
}

// doubt takes answers for nothing where not one name led anywhere and the
// servers don't know the root's either: those of a closed network deny every
// name, and a denial would let a sender go.
func (g *Gatherer) doubt(ctx context.Context, known *policy.KnownSPF) bool {
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
	if ask, ok := g.resolver.(asker); ok && g.knowsRoot(ctx, ask) {
		return false
	}
	for key, t := range known.Terms {
		if t.Lookups > 0 {
			known.Terms[key] = policy.KnownTerm{Lookups: 1, Unknown: "the DNS servers that were asked know none of the names in this record"}
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
	if !t.Absolute() {
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
		return policy.KnownTerm{Lookups: 1, Unknown: err.Error()}
	}
	return policy.KnownOf(tree)
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
