package lookup

import (
	"container/list"
	"sync"
)

// cache remembers what was asked in a run, and what is being asked, so that
// each question is asked once. What was used longest ago goes first when it
// grows too large.
type cache struct {
	limit int // bytes, roughly

	mu      sync.Mutex
	entries map[question]*entry
	recent  list.List // settled entries, the last used first
	size    int
}

// entry is one question, settled once done is closed.
type entry struct {
	question question
	done     chan struct{}
	answer   Answer
	err      error
	// abandoned says that whoever asked gave up, so that the question is open.
	abandoned bool
	place     *list.Element // in recent
}

func newCache(limit int) *cache {
	return &cache{limit: limit, entries: map[question]*entry{}}
}

// claim returns the entry of a question. Where mine is true the caller has to
// find the answer and call settle or abandon; otherwise somebody else does.
func (c *cache) claim(q question) (e *entry, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[q]; ok {
		if e.place != nil {
			c.recent.MoveToFront(e.place)
		}
		return e, false
	}
	e = &entry{question: q, done: make(chan struct{})}
	c.entries[q] = e
	return e, true
}

func (c *cache) settle(e *entry, answer Answer, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.answer, e.err = answer, err
	e.place = c.recent.PushFront(e)
	c.size += e.cost()
	for c.size > c.limit && c.recent.Len() > 1 {
		c.evict(c.recent.Back())
	}
	close(e.done)
}

func (c *cache) evict(place *list.Element) {
	e, _ := c.recent.Remove(place).(*entry)
	delete(c.entries, e.question)
	c.size -= e.cost()
}

func (c *cache) abandon(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, e.question)
	e.abandoned = true
	close(e.done)
}

// cost is roughly how many bytes an entry takes.
func (e *entry) cost() int {
	const fixed, perText = 400, 16
	cost := fixed + len(e.question.name)
	for _, v := range e.answer.Values {
		cost += perText + len(v)
	}
	for _, a := range e.answer.Aliases {
		cost += perText + len(a)
	}
	return cost
}
