package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/records"
)

// Entry returns one entry. The error wraps ErrNotFound where there is none, and
// is a *DamageError where it is damaged; the entry then holds its intact part.
func (j *Journal) Entry(ctx context.Context, zone records.Name, seq uint64) (Entry, error) {
	e, err := j.parts(ctx, zone, seq)
	if e.Intent != nil || err == nil || !errors.As(err, new(*DamageError)) {
		return e, err
	}
	// No intent: is the entry damaged, or none at all?
	_, err1 := j.store.Read(ctx, objectName(zone, seq, partIntent))
	_, err2 := j.store.Read(ctx, objectName(zone, seq, partOutcome))
	if errors.Is(err1, store.ErrAbsent) && errors.Is(err2, store.ErrAbsent) {
		return e, fmt.Errorf("%s: %w", e.ID(), ErrNotFound)
	}
	return e, err
}

// Find returns what a person refers to: the entry of an entry id, or all
// entries of a run id, ordered by zone. Of either a unique prefix will do; the
// number at the end of an entry id is always whole, so that a.example/1 is
// never taken for a.example/17. The error wraps ErrNotFound, is an
// *AmbiguousError, or a *DamageError where an entry meant is damaged.
//
// An entry id takes one listing of the zones. A run id may stand anywhere: one
// object of every entry of every zone is read, so that this takes as long as
// the journal is.
func (j *Journal) Find(ctx context.Context, ref string) ([]Entry, error) {
	if ref == "" {
		return nil, fmt.Errorf("no entry is named: %w", ErrNotFound)
	}
	zones, err := j.Zones(ctx)
	if err != nil {
		return nil, err
	}
	if zone, seq, ok := parseID(ref); ok {
		return j.findEntry(ctx, zones, zone, seq)
	}
	m := matches{ref: ref}
	for _, zone := range zones {
		if err := j.match(ctx, &m, zone); err != nil {
			return nil, err
		}
	}
	found, err := m.unique()
	if err != nil {
		return nil, err
	}
	return j.load(ctx, found)
}

// parseID reads an entry id whose zone may be cut short.
func parseID(ref string) (zone string, seq uint64, ok bool) {
	i := strings.LastIndexByte(ref, '/')
	if i < 0 {
		return "", 0, false
	}
	seq, err := strconv.ParseUint(ref[i+1:], 10, 64)
	return ref[:i], seq, err == nil && seq > 0
}

func (j *Journal) findEntry(ctx context.Context, zones []records.Name, zone string, seq uint64) ([]Entry, error) {
	var fits []records.Name
	for _, z := range zones {
		if string(z) == zone {
			fits = []records.Name{z}
			break
		}
		if strings.HasPrefix(string(z), zone) {
			fits = append(fits, z)
		}
	}
	switch len(fits) {
	case 0:
		return nil, fmt.Errorf("%s/%d: %w", zone, seq, ErrNotFound)
	case 1:
		return j.load(ctx, []place{{fits[0], seq}})
	default:
		e := &AmbiguousError{Ref: entryID(records.Name(zone), seq)}
		for _, z := range fits {
			e.Candidates = append(e.Candidates, entryID(z, seq))
		}
		return nil, e
	}
}

// place is where an entry stands.
type place struct {
	zone records.Name
	seq  uint64
}

func (j *Journal) load(ctx context.Context, places []place) ([]Entry, error) {
	var entries []Entry
	for _, p := range places {
		e, err := j.Entry(ctx, p.zone, p.seq)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// matches collects the entries that a reference may mean.
type matches struct {
	ref  string
	runs map[string][]place // by run id
	ids  []place            // by the beginning of an entry id
}

// match looks through the entries of a zone.
func (j *Journal) match(ctx context.Context, m *matches, zone records.Name) error {
	for s, err := range j.slots(ctx, zone) {
		switch {
		case err != nil:
			return err
		case s.stray != "":
			continue
		case s.pruned:
			return nil
		}
		run, err := j.runAt(ctx, zone, s.seq)
		if err != nil {
			return err
		}
		m.add(place{zone, s.seq}, run)
	}
	return nil
}

// runAt returns the run of an entry, from its outcome where the intent is
// damaged, and nothing where both are.
func (j *Journal) runAt(ctx context.Context, zone records.Name, seq uint64) (string, error) {
	for _, p := range []part{partIntent, partOutcome} {
		var object Marker // the shortest; every object has its header
		err := j.part(ctx, zone, seq, p, &object)
		if err == nil {
			return object.Run, nil
		}
		if !errors.As(err, new(*DamageError)) {
			return "", err
		}
	}
	return "", nil
}

func (m *matches) add(p place, run string) {
	if m.runs == nil {
		m.runs = map[string][]place{}
	}
	if strings.HasPrefix(run, m.ref) {
		m.runs[run] = append(m.runs[run], p)
	}
	if strings.HasPrefix(entryID(p.zone, p.seq), m.ref) {
		m.ids = append(m.ids, p)
	}
}

// unique returns the one run, or the one entry, that is meant.
func (m *matches) unique() ([]place, error) {
	if exact, ok := m.runs[m.ref]; ok {
		return exact, nil
	}
	if len(m.runs) == 1 && len(m.ids) == 0 {
		for _, places := range m.runs {
			return places, nil
		}
	}
	if len(m.runs) == 0 && len(m.ids) == 1 {
		return m.ids, nil
	}
	if len(m.runs)+len(m.ids) == 0 {
		return nil, fmt.Errorf("%q: %w", m.ref, ErrNotFound)
	}
	e := &AmbiguousError{Ref: m.ref}
	for run := range m.runs {
		e.Candidates = append(e.Candidates, run)
	}
	for _, p := range m.ids {
		e.Candidates = append(e.Candidates, entryID(p.zone, p.seq))
	}
	slices.Sort(e.Candidates)
	return nil, e
}
