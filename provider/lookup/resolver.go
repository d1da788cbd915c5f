package lookup

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// Options tune a Resolver. The zero value has the defaults.
type Options struct {
	// Parallel is how many messages may be on the way at once; 64 by default.
	Parallel int
	// PerSecond is how many messages are sent in a second, after a burst of
	// 100; 1,000 by default, which public resolvers allow. Negative: no limit.
	PerSecond int
	// Patience is how long one try with a server may take in each round
	// through the list; 1 s and then 2 s by default.
	Patience []time.Duration
	// Silence is how long the run may go, in all, with questions on the way and
	// no answer to any; then the network is taken for dead. 1.8 s by default.
	Silence time.Duration
	// CacheSize is roughly how many bytes of answers are remembered; 16 MiB by
	// default, some 30,000 questions. What was used longest ago is forgotten.
	CacheSize int
}

func (o Options) withDefaults() Options {
	if o.Parallel == 0 {
		o.Parallel = 64
	}
	if o.PerSecond == 0 {
		o.PerSecond = 1000
	}
	if len(o.Patience) == 0 {
		o.Patience = []time.Duration{time.Second, 2 * time.Second}
	}
	if o.Silence == 0 {
		o.Silence = 1800 * time.Millisecond
	}
	if o.CacheSize == 0 {
		o.CacheSize = 16 << 20
	}
	return o
}

// Resolver asks recursive servers. It is meant for one run: it remembers every
// answer and every failure, so that each question is asked once, and once no
// server has answered anything for Options.Silence all open and later lookups
// fail at once with ErrNoNetwork. It is safe for concurrent use and need not be
// closed.
type Resolver struct {
	servers  []*server
	patience []time.Duration
	silence  time.Duration
	slots    chan struct{}
	pacer    *pacer
	pulse    *pulse
	cache    *cache
	dial     func(ctx context.Context, network, address string) (net.Conn, error)

	run    context.Context // ends with ErrNoNetwork as its cause
	endRun context.CancelCauseFunc
}

var _ spf.Resolver = (*Resolver)(nil)

// New returns a resolver over servers as ParseServers and SystemServers return
// them, in the order of preference. A server that stays silent goes to the end.
func New(servers []string, opts Options) *Resolver {
	opts = opts.withDefaults()
	r := &Resolver{
		patience: opts.Patience,
		silence:  opts.Silence,
		slots:    make(chan struct{}, opts.Parallel),
		pacer:    newPacer(opts.PerSecond),
		cache:    newCache(opts.CacheSize),
		dial:     new(net.Dialer).DialContext,
	}
	for _, address := range servers {
		r.servers = append(r.servers, &server{address: address})
	}
	r.run, r.endRun = context.WithCancelCause(context.Background())
	r.pulse = &pulse{allowed: opts.Silence, probe: r.probe, giveUp: r.giveUp}
	if len(servers) == 0 {
		r.endRun(fmt.Errorf("%w: there is none to ask; name one with --resolver or MAILDNS_RESOLVER", ErrNoNetwork))
	}
	return r
}

// giveUp ends the run for want of a network.
func (r *Resolver) giveUp() {
	addresses := make([]string, len(r.servers))
	for i, s := range r.servers {
		addresses[i] = s.address
	}
	r.endRun(fmt.Errorf("%w (asked %s): check the network, or name another with --resolver or MAILDNS_RESOLVER",
		ErrNoNetwork, strings.Join(addresses, ", ")))
}

// Answer is what the DNS says about one name and type: canonical values in
// bytewise order, such as records.Zone has them. Without values the name has
// nothing of that type or, with NXDomain, doesn't exist at all.
type Answer struct {
	spf.Answer[records.Value]
	// Aliases are the targets of the CNAMEs that led to the values, the last
	// being the name that has them. A question for CNAME follows none.
	Aliases []records.Name
}

func (a Answer) clone() Answer {
	a.Values, a.Aliases = slices.Clone(a.Values), slices.Clone(a.Aliases)
	return a
}

// Lookup asks for the records of a name. Case and a final dot don't matter and
// U-labels become A-labels. The error is an *Error where the question stayed
// open, ErrNoNetwork where no question can be answered, or the cause of ctx's
// end, which is heeded at once.
func (r *Resolver) Lookup(ctx context.Context, name records.Name, t records.Type) (Answer, error) {
	q, err := newQuestion(string(name), t)
	if err != nil {
		return Answer{}, err
	}
	for {
		if ctx.Err() != nil {
			return Answer{}, context.Cause(ctx)
		}
		e, mine := r.cache.claim(q)
		if mine {
			r.find(ctx, e)
		}
		select {
		case <-e.done:
		case <-ctx.Done():
			return Answer{}, context.Cause(ctx)
		}
		if !e.abandoned {
			return e.answer.clone(), e.err
		}
	}
}

// find settles an entry, or abandons it where ctx ends first.
func (r *Resolver) find(ctx context.Context, e *entry) {
	if err := context.Cause(r.run); err != nil {
		r.cache.settle(e, Answer{}, err)
		return
	}
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(r.run, func() { cancel(context.Cause(r.run)) })
	defer stop()
	answer, err := r.resolve(both, e.question)
	if err != nil && ctx.Err() != nil {
		r.cache.abandon(e)
		return
	}
	r.cache.settle(e, answer, err)
}

// resolve asks, and asks again where a server left a chain of aliases open.
func (r *Resolver) resolve(ctx context.Context, q question) (Answer, error) {
	got, err := r.ask(ctx, q)
	for err == nil && got.next != "" {
		if len(got.Aliases) > maxAliases || got.passed(q, got.next) {
			return Answer{}, q.fail(AliasLoop, loopFlaw().detail)
		}
		var more reply
		more, err = r.ask(ctx, question{got.next, q.kind})
		got = got.join(more)
	}
	return got.Answer, err
}
