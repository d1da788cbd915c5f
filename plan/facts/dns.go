package facts

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider/lookup"
	"github.com/attunelogic/maildns/records"
)

// asker is a resolver that answers questions of any type.
type asker interface {
	Lookup(ctx context.Context, name records.Name, t records.Type) (lookup.Answer, error)
}

// DNS answers what the rules must ask about the domains of one zone. What
// stayed open has no answer. Where everything that a domain leads to is denied,
// the root's name servers tell whether that can be believed: a closed network
// denies them too.
func (g *Gatherer) DNS(ctx context.Context, live records.Zone, domains, others []*records.Domain, clock plan.Clock) map[policy.Question]policy.Answer {
	if g == nil {
		return nil
	}
	ask, ok := g.resolver.(asker)
	if !ok {
		return nil
	}
	here := policy.Here(live, domains, others)
	out := map[policy.Question]policy.Answer{}
	for _, d := range domains {
		questions := policy.Questions(d, live, here[d.Name], clock)
		answers := g.ask(ctx, ask, questions)
		if deniesAll(answers) && !g.knowsRoot(ctx, ask) {
			continue
		}
		for q, a := range answers {
			out[q] = a
		}
	}
	return out
}

func (g *Gatherer) ask(ctx context.Context, ask asker, questions []policy.Question) map[policy.Question]policy.Answer {
	answers := make(map[policy.Question]policy.Answer, len(questions))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(g.parallel)
	for _, q := range questions {
		group.Go(func() error {
			a, err := ask.Lookup(ctx, q.Name, q.Type)
			if err != nil {
				return nil //nolint:nilerr // a question that stayed open has no answer
			}
			mu.Lock()
			defer mu.Unlock()
			answers[q] = policy.Answer{Values: a.Values, NXDomain: a.NXDomain, Aliases: a.Aliases}
			return nil
		})
	}
	_ = group.Wait() // no function of the group fails
	return answers
}

func deniesAll(answers map[policy.Question]policy.Answer) bool {
	for _, a := range answers {
		if len(a.Values) > 0 || len(a.Aliases) > 0 {
			return false
		}
	}
	return true
}

// knowsRoot reports whether the resolver reaches the public DNS.
func (g *Gatherer) knowsRoot(ctx context.Context, ask asker) bool {
	a, err := ask.Lookup(ctx, ".", records.TypeNS)
	return err == nil && len(a.Values) > 0
}
