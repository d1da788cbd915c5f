package serverstest

import (
	"runtime"
	"sync"
	"testing"

	"github.com/attunelogic/maildns/records"
)

// Pool lends servers of one kind to tests, since starting one for each would
// take long. It is safe for concurrent use.
type Pool struct {
	free chan *Server

	mu   sync.Mutex
	lent map[testing.TB]*Server
}

// NewPool starts as many servers as tests run at a time, and one more. They end
// with the test t.
func NewPool(t testing.TB, k Kind, zone records.Name) *Pool {
	t.Helper()
	n := runtime.GOMAXPROCS(0) + 1
	p := &Pool{free: make(chan *Server, n), lent: make(map[testing.TB]*Server)}
	for range n {
		p.free <- k.Start(t, zone)
	}
	return p
}

// For returns the server of a test, which has it until its end, in whatever
// state the test or the one before has left it.
func (p *Pool) For(t testing.TB) *Server {
	t.Helper()
	p.mu.Lock()
	s := p.lent[t]
	p.mu.Unlock()
	if s != nil {
		return s
	}
	s = <-p.free
	p.mu.Lock()
	p.lent[t] = s
	p.mu.Unlock()
	t.Cleanup(func() {
		p.mu.Lock()
		delete(p.lent, t)
		p.mu.Unlock()
		p.free <- s
	})
	return s
}
