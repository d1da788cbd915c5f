package route53

import (
	"context"
	"sync"
	"time"
)

// pacer keeps the requests of all zones within the account's quota: a bucket
// that holds burst and is filled again by perSecond (the quotas page of the
// Developer Guide). It is safe for concurrent use.
type pacer struct {
	perSecond, burst float64
	now              func() time.Time
	sleep            func(context.Context, time.Duration) error
	tell             func(string)

	mu    sync.Mutex
	used  float64 // more than burst: the rest must wait
	last  time.Time
	until time.Time // nothing goes before
	told  bool
}

// noteworthy is the wait from which on somebody is told.
const noteworthy = 5 * time.Second

func newPacer(s Settings) *pacer {
	return &pacer{perSecond: s.PerSecond, burst: max(float64(s.Burst), 1), now: s.Now, sleep: s.Sleep, tell: s.Tell}
}

// wait returns when it is the caller's turn.
func (p *pacer) wait(ctx context.Context) error {
	d, first := p.reserve()
	if first {
		p.tell("Waiting for turns: Route 53 admits only so many requests a second.")
	}
	return p.sleep(ctx, d)
}

// reserve takes the next turn and returns how far off it is; first, where it is
// the first that somebody should be told of.
func (p *pacer) reserve() (d time.Duration, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	d = max(p.until.Sub(now), 0)
	if p.perSecond <= 0 {
		return d, false
	}
	p.used = max(p.used-now.Sub(p.last).Seconds()*p.perSecond, 0) + 1
	p.last = now
	if over := p.used - p.burst; over > 0 {
		d = max(d, time.Duration(over/p.perSecond*float64(time.Second)))
	}
	first = d >= noteworthy && !p.told
	p.told = p.told || first
	return d, first
}

// hold lets nothing through for a while.
func (p *pacer) hold(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := p.now().Add(d); p.until.Before(until) {
		p.until = until
	}
}
