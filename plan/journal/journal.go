package journal

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/records"
)

// Journal is the record of all zones. It is safe for concurrent use, by other
// processes too.
type Journal struct {
	store store.Store
}

// Open returns the journal in a store. An empty store is an empty journal.
func Open(s store.Store) *Journal { return &Journal{store: s} }

// Head is the newest end of a zone's chain, on which the next entry is put.
type Head struct {
	Zone   records.Name
	Seq    uint64      // of the newest entry; 0 where there is none
	Digest string      // of its outcome; empty where there is none to be read
	Time   plan.Moment // of its newest object
	// Pending is the newest intent where it has no outcome: its run is at
	// work or died, and nothing else may begin.
	Pending *Intent
}

// Absent reports whether the journal knows nothing of the zone.
func (h Head) Absent() bool { return h.Seq == 0 }

// State returns what the journal knows of a zone, and the head on which Begin
// puts the next entry. Where an entry is pending, the state is that of the
// entry before. It takes two requests, four where an entry is pending, however
// long the history is.
//
// The error is a *DamageError where the newest entry is damaged, or the one
// before a pending one. Head and state are then those of the newest outcome that
// is intact, for a rollback to work with; an apply must refuse. With any other error they are zero: the journal
// can't be read.
func (j *Journal) State(ctx context.Context, zone records.Name) (plan.State, Head, error) {
	state, head, err := j.newest(ctx, zone)
	var damage *DamageError
	if errors.As(err, &damage) {
		return j.salvage(ctx, zone, damage)
	}
	if err != nil {
		return plan.State{}, Head{}, fmt.Errorf("reading the journal of %s: %w", zone, err)
	}
	return state, head, nil
}

func (j *Journal) newest(ctx context.Context, zone records.Name) (plan.State, Head, error) {
	head := Head{Zone: zone}
	objects, err := j.store.List(ctx, store.Query{Prefix: directory(zone) + "/", Limit: 1})
	if err != nil || len(objects) == 0 {
		return plan.State{}, head, err
	}
	seq, _, ok := parseObject(zone, objects[0])
	if !ok {
		return plan.State{}, head, stray(zone, objects[0])
	}
	head.Seq = seq
	var out Outcome
	if err = j.read(ctx, zone, seq, partOutcome, &out); err == nil {
		head.Digest, head.Time = out.Digest, out.Time
		return out.State, head, nil
	}
	if !errors.Is(err, store.ErrAbsent) {
		return plan.State{}, head, err
	}
	return j.pending(ctx, head)
}

// pending reads the intent at the head, and the state before it.
func (j *Journal) pending(ctx context.Context, head Head) (plan.State, Head, error) {
	var in Intent
	if err := j.part(ctx, head.Zone, head.Seq, partIntent, &in); err != nil {
		return plan.State{}, head, err
	}
	head.Time, head.Pending = in.Time, &in
	if head.Seq == 1 {
		return plan.State{}, head, nil
	}
	var before Outcome
	err := j.part(ctx, head.Zone, head.Seq-1, partOutcome, &before)
	return before.State, head, err
}

// salvage finds the newest outcome that is intact, and a pending intent where
// that is the newest entry.
func (j *Journal) salvage(ctx context.Context, zone records.Name, damage *DamageError) (plan.State, Head, error) {
	head := Head{Zone: zone}
	for e, err := range j.Entries(ctx, zone) {
		if err != nil && !errors.As(err, new(*DamageError)) {
			return plan.State{}, Head{}, errors.Join(damage, err)
		}
		if head.Seq == 0 && e.Seq > 0 {
			head.newest(e, err)
		}
		if e.Outcome != nil {
			head.Time = cmp.Or(head.Time, e.Outcome.Time)
			return e.Outcome.State, head, damage
		}
	}
	return plan.State{}, head, damage
}

// newest takes from the newest entry what is intact of it.
func (h *Head) newest(e Entry, damage error) {
	h.Seq = e.Seq
	switch {
	case e.Outcome != nil:
		h.Digest = e.Outcome.Digest
	case e.Intent != nil && damage == nil:
		h.Pending, h.Time = e.Intent, e.Intent.Time
	}
}

// read loads one object. The error wraps store.ErrAbsent where there is none,
// and is a *DamageError or *VersionError where it isn't what it must be.
func (j *Journal) read(ctx context.Context, zone records.Name, seq uint64, p part, doc document) error {
	data, err := j.store.Read(ctx, objectName(zone, seq, p))
	if err != nil {
		return err
	}
	return open(data, Header{Zone: zone, Seq: seq, Kind: string(p)}, doc)
}

// part is read for an object that must be there: its absence is damage.
func (j *Journal) part(ctx context.Context, zone records.Name, seq uint64, p part, doc document) error {
	err := j.read(ctx, zone, seq, p, doc)
	if errors.Is(err, store.ErrAbsent) {
		return damaged(zone, seq, "its %s is missing", p)
	}
	return err
}

func stray(zone records.Name, name string) *DamageError {
	return &DamageError{Zone: zone, Reason: fmt.Sprintf("the object %s is none of its own: move it away", name)}
}

// Begin stores the intent of a run as the entry after head, which State
// returned before the zone was read. It returns the intent as it was stored,
// dated no earlier than the entry before. ErrTaken means that another run has
// begun that entry, ErrPending that the head must be recovered first; after any
// error no write may follow.
func (j *Journal) Begin(ctx context.Context, head Head, in Intent) (Intent, error) {
	if head.Pending != nil {
		return Intent{}, fmt.Errorf("beginning an entry after %s: %w", head.Pending.ID(), ErrPending)
	}
	if err := in.check(head); err != nil {
		return Intent{}, fmt.Errorf("beginning an entry of %s: %w", head.Zone, err)
	}
	in.Seq, in.Previous = head.Seq+1, head.Digest
	in.Time = follow(in.Time, head.Time)
	if err := j.put(ctx, partIntent, &in); err != nil {
		return Intent{}, err
	}
	return in, nil
}

// check says what an intent lacks.
func (in *Intent) check(head Head) error {
	switch {
	case in.Zone == "" || in.Zone != head.Zone:
		return fmt.Errorf("the intent is for the zone %q", in.Zone)
	case in.Run == "":
		return errors.New("the intent has no run id")
	case in.Time.IsZero():
		return errors.New("the intent has no time")
	case head.Seq >= maxSeq:
		return fmt.Errorf("the zone has %d entries, as many as there can be", maxSeq)
	}
	for _, t := range append([]Target{in.Provider}, in.Notify...) {
		if err := t.check(); err != nil {
			return err
		}
	}
	return nil
}

// Finish stores what came of an intent, as Conclude or Recover has computed it,
// and returns the new head. ErrTaken means that the intent has another outcome
// already: another run has recovered it, and this one must stop.
func (j *Journal) Finish(ctx context.Context, in Intent, out Outcome) (Head, error) {
	if out.Zone != in.Zone || out.Seq != in.Seq || out.Run != in.Run {
		return Head{}, fmt.Errorf("the outcome of %s (run %s) was given for %s (run %s)", out.ID(), out.Run, in.ID(), in.Run)
	}
	out.Intent = in.Digest
	if err := j.put(ctx, partOutcome, &out); err != nil {
		return Head{}, err
	}
	return Head{Zone: out.Zone, Seq: out.Seq, Digest: out.Digest, Time: out.Time}, nil
}

// Unfinished returns nil while the intent has no outcome. A run asks before
// every DNS call, and stops where the answer is ErrTaken: another run took it
// for dead.
func (j *Journal) Unfinished(ctx context.Context, in Intent) error {
	_, err := j.store.Read(ctx, objectName(in.Zone, in.Seq, partOutcome))
	switch {
	case errors.Is(err, store.ErrAbsent):
		return nil
	case err == nil:
		return fmt.Errorf("the entry %s has an outcome: %w", in.ID(), ErrTaken)
	default:
		return err
	}
}

// readBack bounds how long a lost answer is looked for when the run itself has
// been interrupted.
const readBack = 10 * time.Second

// put creates an object. Where the answer doesn't say that it succeeded, the
// object is read back: it is ours when it is the same to the byte, run id
// included.
func (j *Journal) put(ctx context.Context, p part, doc document) error {
	data, err := seal(p, doc)
	if err != nil {
		return err
	}
	h := doc.header()
	name := objectName(h.Zone, h.Seq, p)
	created := j.store.Create(ctx, name, data)
	if created == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBack)
	defer cancel()
	found, err := j.store.Read(ctx, name)
	switch {
	case err == nil && bytes.Equal(found, data):
		return nil
	case err == nil:
		return fmt.Errorf("the %s of %s: %w (%s)", p, h.ID(), ErrTaken, runOf(found))
	case errors.Is(err, store.ErrAbsent):
		return fmt.Errorf("storing the %s of %s: %w", p, h.ID(), created)
	default:
		return fmt.Errorf("storing the %s of %s: whether it was stored is not known: %w", p, h.ID(), errors.Join(created, err))
	}
}

// runOf says whose an object is, for people.
func runOf(data []byte) string {
	var h Header
	if json.Unmarshal(data, &h) != nil || h.Run == "" {
		return "an unknown run"
	}
	return "run " + h.Run
}

// Lock takes the lock of a zone, or returns a *HeldError at once. It is held
// only while the zone is worked on, never while a person is asked. On a local
// journal it ends with the process, so that a free lock with a pending entry
// means a dead run.
func (j *Journal) Lock(ctx context.Context, zone records.Name, by Holder) (store.Lock, error) {
	text, err := json.Marshal(by)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", zone, err)
	}
	lock, err := j.store.Lock(ctx, directory(zone), string(text))
	var held *store.HeldError
	if errors.As(err, &held) {
		e := &HeldError{Zone: zone}
		_ = json.Unmarshal([]byte(held.Holder), &e.Holder) // zero where it is unreadable
		return nil, e
	}
	return lock, err
}
