package vendors

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// api is what one vendor's API can do.
type api interface {
	// read returns the whole zone.
	read(ctx context.Context, zone records.Name) (content, error)
	// write makes the edits, all together where the host can.
	write(ctx context.Context, zone records.Name, edits []edit) error
	// access says in words what the credentials are good for in the zones.
	access(ctx context.Context, zones []records.Name) ([]string, error)
}

// setReader is an API that can be asked for one set alone.
type setReader interface {
	readSet(ctx context.Context, zone records.Name, key records.Key) (set, error)
}

// Host is a DNS host that changes one record set at a time. It is a libdns
// implementation, safe for concurrent use; changes of one zone come one after
// the other.
type Host struct {
	rr.Verbs
	api   api
	locks locks
}

func newHost(a api) *Host {
	h := &Host{api: a}
	h.Verbs = rr.Verbs{Read: h.ReadZone, Change: h.writeSets}
	return h
}

// ReadZone returns the zone as the host holds it.
func (h *Host) ReadZone(ctx context.Context, zone records.Name) (records.Zone, error) {
	c, err := h.api.read(ctx, zone)
	if err != nil {
		return records.Zone{}, err
	}
	return c.zone(zone), nil
}

// CheckAccess says in words what the credentials are good for in the zones.
func (h *Host) CheckAccess(ctx context.Context, zones []records.Name) ([]string, error) {
	return h.api.access(ctx, zones)
}

// WriteSet takes one set from the old to the new state of a change, whose set
// is read again right before: a *records.StaleError says that it is no longer
// in the old state, and that nothing was written.
func (h *Host) WriteSet(ctx context.Context, zone records.Name, c records.Change) error {
	release, err := h.locks.take(ctx, zone)
	if err != nil {
		return err
	}
	defer release()
	return afresh(func() error {
		now, err := h.readOne(ctx, zone, c.Key)
		if err != nil {
			return fmt.Errorf("reading it before the write: %w", err)
		}
		return h.compareAndWrite(ctx, now, zone, []records.Change{c})
	})
}

// afresh repeats a write that the host has put off as one request too many: it
// reads and compares anew each time. The host's budget makes it wait.
func afresh(write func() error) error {
	const most = 4
	for try := 1; ; try++ {
		err := write()
		var put *putOffError
		if !errors.As(err, &put) || try == most {
			return err
		}
	}
}

// putOffError is a write of which the host has done nothing, since it was one
// request too many (HTTP 429).
type putOffError struct{ error }

func (e *putOffError) Unwrap() error { return e.error }

// putOff marks the error of the one request that a write consists of.
func putOff(err error) error {
	if statusOf(err) == http.StatusTooManyRequests {
		return &putOffError{err}
	}
	return err
}

func (h *Host) readOne(ctx context.Context, zone records.Name, key records.Key) (content, error) {
	one, ok := h.api.(setReader)
	if !ok {
		return h.api.read(ctx, zone)
	}
	s, err := one.readSet(ctx, zone, key)
	s.key = key
	return content{sets: []set{s}}, err
}

// compareAndWrite makes the changes if they still start from what there is.
func (h *Host) compareAndWrite(ctx context.Context, now content, zone records.Name, changes []records.Change) error {
	seen := now.zone(zone)
	if err := seen.Check(changes); err != nil {
		return err
	}
	if err := seen.CheckCNAME(changes); err != nil {
		return err
	}
	edits := make([]edit, 0, len(changes))
	for _, c := range changes {
		if s, _ := seen.Set(c.Key); s.Fixed != "" {
			return fmt.Errorf("%s can't be changed: %s", c.Key, s.Fixed)
		}
		if e := now.edit(c, zone); !e.none() {
			edits = append(edits, e)
		}
	}
	if len(edits) == 0 {
		return nil
	}
	slices.SortFunc(edits, func(a, b edit) int { return a.old.key.Compare(b.old.key) })
	return h.api.write(ctx, zone, edits)
}

func (h *Host) writeSets(ctx context.Context, zone records.Name, changes []records.Change) error {
	for _, c := range changes {
		if err := h.WriteSet(ctx, zone, c); err != nil {
			return fmt.Errorf("%s: %w", c.Key, err)
		}
	}
	return nil
}

// Atomic is a DNS host that makes the changes of several record sets together
// or none of them.
type Atomic struct {
	*Host
}

func newAtomic(a api) Atomic {
	h := Atomic{newHost(a)}
	h.Verbs.Change = h.Transact
	return h
}

// Transact makes all changes or none, and none with a *records.StaleError
// where the zone no longer holds what a change was computed from.
func (h Atomic) Transact(ctx context.Context, zone records.Name, changes []records.Change) error {
	release, err := h.locks.take(ctx, zone)
	if err != nil {
		return err
	}
	defer release()
	return afresh(func() error {
		now, err := h.api.read(ctx, zone)
		if err != nil {
			return fmt.Errorf("reading the zone before the write: %w", err)
		}
		return h.compareAndWrite(ctx, now, zone, changes)
	})
}

// locks let one writer at a time into a zone.
type locks struct {
	mu    sync.Mutex
	zones map[records.Name]chan struct{}
}

// take waits for the zone, or for the end of the context.
func (l *locks) take(ctx context.Context, zone records.Name) (release func(), err error) {
	l.mu.Lock()
	if l.zones == nil {
		l.zones = map[records.Name]chan struct{}{}
	}
	lock, ok := l.zones[zone]
	if !ok {
		lock = make(chan struct{}, 1)
		l.zones[zone] = lock
	}
	l.mu.Unlock()
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
