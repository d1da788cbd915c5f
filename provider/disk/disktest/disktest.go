// Package disktest has hooks for tests of what is written through disk.FS:
// they record operations, make one of them fail, or stop the world at one.
package disktest

import (
	"errors"
	"sync"

	"github.com/attunelogic/maildns/provider/disk"
)

// ErrCrashed is what every operation returns from the crash on.
var ErrCrashed = errors.New("crashed")

// Crash stops the world at one operation: from then on every operation fails
// without touching the disk, as after a SIGKILL. The zero value lets the first
// operation crash before it happens. It is safe for concurrent use.
type Crash struct {
	At    int  // the operation, counted from 0
	After bool // the operation still happens, its caller never learns it

	mu   sync.Mutex
	seen int
}

// Hook is a disk.Hook.
func (c *Crash) Hook(_ disk.Op, do func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.seen
	c.seen++
	if n == c.At && c.After {
		_ = do()
	}
	if n >= c.At {
		return ErrCrashed
	}
	return do()
}

// Crashed reports whether the operation was reached.
func (c *Crash) Crashed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen > c.At
}

// Failure makes one operation fail, and only that one. With After the
// operation still happens: the answer is lost.
type Failure struct {
	At    int // counted from 0
	After bool
	Err   error

	mu   sync.Mutex
	seen int
}

// Hook is a disk.Hook.
func (f *Failure) Hook(_ disk.Op, do func() error) error {
	f.mu.Lock()
	n := f.seen
	f.seen++
	f.mu.Unlock()
	if n != f.At {
		return do()
	}
	if f.After {
		_ = do()
	}
	return f.Err
}

// Trace records the operations. Its zero value is ready; it is safe for
// concurrent use.
type Trace struct {
	mu  sync.Mutex
	ops []disk.Op
}

// Hook is a disk.Hook.
func (t *Trace) Hook(op disk.Op, do func() error) error {
	t.mu.Lock()
	t.ops = append(t.ops, op)
	t.mu.Unlock()
	return do()
}

// Verbs returns what was done so far, in order.
func (t *Trace) Verbs() []disk.Verb {
	t.mu.Lock()
	defer t.mu.Unlock()
	verbs := make([]disk.Verb, len(t.ops))
	for i, op := range t.ops {
		verbs[i] = op.Verb
	}
	return verbs
}
