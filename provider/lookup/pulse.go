package lookup

import (
	"sync"
	"time"
)

// pulse notices when no server answers anything at all. A slow question alone
// is no sign of that, so after half of the allowed silence it has all servers
// asked something that each can answer at once.
type pulse struct {
	allowed time.Duration // silence in all, while questions wait
	probe   func()        // must not block
	giveUp  func()

	mu      sync.Mutex
	waiting int           // questions that are on the way
	silent  time.Duration // before since, with questions waiting
	since   time.Time     // of what begin or beat was last
	probed  bool          // in this silence
	beats   uint64
	timer   *time.Timer
}

// begin says that a question is on the way, end that it no longer is.
func (p *pulse) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting++
	if p.waiting == 1 {
		p.since = time.Now()
		p.arm()
	}
}

func (p *pulse) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
	if p.waiting == 0 {
		p.silent += time.Since(p.since)
		p.timer.Stop()
	}
}

// beat says that a server has answered something.
func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beats++
	p.silent, p.since, p.probed = 0, time.Now(), false
}

// count is the number of answers so far.
func (p *pulse) count() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.beats
}

// arm sets the timer for what comes next, the probe or the end. A beat leaves
// it running, since it would be set for each answer then.
func (p *pulse) arm() {
	due := p.allowed
	if !p.probed {
		due = p.allowed / 2
	}
	wait := due - p.silent - time.Since(p.since)
	if p.timer == nil {
		p.timer = time.AfterFunc(wait, p.expire)
		return
	}
	p.timer.Reset(wait)
}

func (p *pulse) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == 0 {
		return
	}
	silence := p.silent + time.Since(p.since)
	switch {
	case silence >= p.allowed:
		p.giveUp()
		return
	case silence >= p.allowed/2 && !p.probed:
		p.probed = true
		p.probe()
	}
	p.arm()
}
