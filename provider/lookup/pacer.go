package lookup

import (
	"context"
	"sync"
	"time"
)

// pacer lets a number of messages through each second, and a few at once after
// a pause.
type pacer struct {
	interval time.Duration // 0: no limit
	burst    time.Duration // how far a pause may be made up for

	mu   sync.Mutex
	next time.Time
}

func newPacer(perSecond int) *pacer {
	if perSecond <= 0 {
		return &pacer{}
	}
	const burst = 100 // messages
	interval := time.Second / time.Duration(perSecond)
	return &pacer{interval: interval, burst: burst * interval}
}

func (p *pacer) wait(ctx context.Context) error {
	return sleep(ctx, p.reserve(time.Now()))
}

// reserve takes the next turn and returns how long it is until then.
func (p *pacer) reserve(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if earliest := now.Add(-p.burst); p.next.Before(earliest) {
		p.next = earliest
	}
	turn := p.next
	p.next = p.next.Add(p.interval)
	return turn.Sub(now)
}

// sleep returns early, with the cause, when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
