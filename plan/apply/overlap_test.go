package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attunelogic/maildns/plan/apply"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/provider"
)

// leases are locks that end by themselves, as those of a bucket do: a run that
// is slow may find its zone in the hands of another.
type leases struct {
	*faultyStore
	shared *leaseBook
}

type leaseBook struct {
	mu   sync.Mutex
	held map[string]lease
}

type lease struct {
	holder  string
	renewed time.Time
}

const leaseTime = time.Minute

func (l *leases) Lock(_ context.Context, name, holder string) (store.Lock, error) {
	l.shared.mu.Lock()
	defer l.shared.mu.Unlock()
	if have, ok := l.shared.held[name]; ok && time.Since(have.renewed) < leaseTime {
		return nil, &store.HeldError{Name: name, Holder: have.holder}
	}
	mine := lease{holder, time.Now()}
	l.shared.held[name] = mine
	return &leaseLock{l.shared, name, mine}, nil
}

type leaseLock struct {
	book *leaseBook
	name string
	mine lease
}

func (l *leaseLock) Valid() error {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	if l.book.held[l.name] != l.mine || time.Since(l.mine.renewed) >= leaseTime {
		return errors.New("the lease has run out")
	}
	return nil
}

func (l *leaseLock) Release() error {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	if l.book.held[l.name] == l.mine {
		delete(l.book.held, l.name)
	}
	return nil
}

// leased is a process on a store with leases.
func (w *world) leased(book *leaseBook, h hook) *process {
	p := w.process(h)
	s := &faultyStore{Memory: w.objects, world: w, hook: h}
	p.run.Journal = journal.Open(&leases{s, book})
	return p
}

// pause lets a process sleep for longer than its lease, before or after one of
// its calls.
type pause struct {
	at    int
	late  bool
	calls []string
}

func (p *pause) hook(call string, do func() error) error {
	n := len(p.calls)
	p.calls = append(p.calls, call)
	if n == p.at && !p.late {
		time.Sleep(2 * leaseTime)
	}
	err := do()
	if n == p.at && p.late {
		time.Sleep(2 * leaseTime)
	}
	return err
}

// TestProperty6TheSlowOneStops pauses a run before and after each of its calls,
// for longer than its lease, while another one comes, recovers it and goes on.
// Of both at most one writes; one that has written nothing exits 4, and the
// journal is true.
func TestProperty6TheSlowOneStops(t *testing.T) {
	t.Parallel()
	for host, limits := range hosts() {
		for at := 0; ; at++ {
			reached := false
			for _, late := range []bool{false, true} {
				p := &pause{at: at, late: late}
				synctest.Test(t, func(t *testing.T) { overlap(t, p, host, limits) })
				reached = reached || len(p.calls) > at
			}
			if !reached {
				break
			}
		}
	}
}

func overlap(t *testing.T, p *pause, host string, limits provider.Limits) {
	w := newWorld(t, freshZone())
	w.host.limits = limits
	w.now, w.overlaps = time.Now(), true
	book := &leaseBook{held: map[string]lease{}}
	var slow, quick apply.Result
	a := w.leased(book, p.hook)
	reviewed := w.plan(mail())
	var group sync.WaitGroup
	group.Go(func() { slow = a.applyJob(apply.Job{Domains: domains(mail()), Reviewed: reviewed}) })
	time.Sleep(leaseTime + time.Second)
	b := w.leased(book, plainly)
	quick = b.apply(mail())
	group.Wait()
	if len(p.calls) <= p.at {
		return
	}
	where := fmt.Sprintf("%s, paused at call %d (%s), late %t", host, p.at, p.calls[p.at], p.late)
	writers := slices.Compact(slices.Sorted(slices.Values(w.host.writes)))
	wrote := slices.Contains(writers, a.run.ID)
	// A host without transactions may get the first calls of the slow run and
	// the rest from the one that took over.
	if limits.Transactional && len(writers) != 1 {
		t.Errorf("%s: the runs %v have written", where, writers)
	}
	if quick.Status != apply.Done {
		t.Errorf("%s: the run that took over: status %d: %v", where, quick.Status, quick.Err)
	}
	lost := len(w.entries(zoneA)) > 1 || slices.Contains(writers, b.run.ID)
	nothing := slow.Status == apply.Done && slow.Entry == "" // it looked when the other had ended
	switch {
	case !lost && slow.Status != apply.Done && slow.Status != apply.Partial:
		t.Errorf("%s: status %d: %v", where, slow.Status, slow.Err)
	case lost && !wrote && slow.Status != apply.Refused && !nothing:
		t.Errorf("%s: the loser has written nothing, and yet its status is %d: %v", where, slow.Status, slow.Err)
	case lost && wrote && slow.Status != apply.Partial && slow.Status != apply.Done:
		t.Errorf("%s: the loser has written, and its status is %d: %v", where, slow.Status, slow.Err)
	}
	if unguarded := p.late && p.calls[p.at] == "read outcome" || !p.late && p.calls[p.at] == "zone write"; unguarded && !limits.Transactional {
		return // nothing can stop a call that is on its way, and this host doesn't compare
	}
	w.truthful(zoneA, where)
	writes := len(w.host.writes)
	if again := w.apply(mail()); again.Status != apply.Done || len(w.host.writes) != writes {
		t.Errorf("%s: run again: status %d, %d writes: %v", where, again.Status, len(w.host.writes)-writes, again.Err)
	}
}
