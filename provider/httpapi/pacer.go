package httpapi

import (
	"sync"
	"time"
)

// Pacer keeps a run within a host's request budget: so many requests in any
// window of time, wherever the window begins. That is how hosts with long
// windows count (Cloudflare: 1,200 in 5 minutes), and stricter than a bucket
// that fills up meanwhile, which would let twice as many through in the first
// window; so it is within the budget of a host that has a bucket, too. It is
// safe for concurrent use.
type Pacer struct {
	window time.Duration

	mu    sync.Mutex
	turns []time.Time // of the newest requests, a ring
	next  int
	until time.Time // nothing goes before
}

// NewPacer returns a pacer for a host that takes perSecond requests a second in
// the long run and burst of them at once. Share is the part of that which this
// run may use, up to 1; 0 means all of it. Without a rate there is no limit.
func NewPacer(perSecond float64, burst int, share float64) *Pacer {
	if perSecond <= 0 || burst <= 0 {
		return &Pacer{}
	}
	if share <= 0 || share > 1 {
		share = 1
	}
	window := time.Duration(float64(burst) / perSecond * float64(time.Second))
	// The hundredth more is for requests that take longer on their way than
	// those after them.
	return &Pacer{window: window + window/100, turns: make([]time.Time, max(int(float64(burst)*share), 1))}
}

// reserve takes the next turn and returns when it is.
func (p *Pacer) reserve(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	turn := latest(now, p.until)
	if len(p.turns) == 0 {
		return turn
	}
	if first := p.turns[p.next]; !first.IsZero() {
		turn = latest(turn, first.Add(p.window))
	}
	p.turns[p.next] = turn
	p.next = (p.next + 1) % len(p.turns)
	return turn
}

// hold lets nothing through before a moment: the host has said so.
func (p *Pacer) hold(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = latest(p.until, until)
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
