package journal

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/records"
)

// page is how many objects one listing asks for: S3's most.
const page = 1000

// Zones returns all zones that have a chain, in order of their store names. On a
// local journal also a zone may be among them that was only locked so far.
func (j *Journal) Zones(ctx context.Context) ([]records.Name, error) {
	groups, err := j.store.List(ctx, store.Query{Prefix: chains, Groups: true})
	if err != nil {
		return nil, err
	}
	var zones []records.Name
	for _, g := range groups {
		if zone, err := store.Unescape(strings.TrimSuffix(strings.TrimPrefix(g, chains), "/")); err == nil {
			zones = append(zones, records.Name(zone))
		}
	}
	return zones, nil
}

// slot is what a listing shows of one entry.
type slot struct {
	seq    uint64
	pruned bool   // a marker stands here
	stray  string // an object that belongs to no entry
}

// slots lists a zone's entries, newest first.
func (j *Journal) slots(ctx context.Context, zone records.Name) iter.Seq2[slot, error] {
	return func(yield func(slot, error) bool) {
		g := grouping{zone: zone, yield: yield}
		for name, err := range j.objects(ctx, directory(zone)+"/") {
			if err != nil {
				yield(slot{}, err)
				return
			}
			if !g.add(name) {
				return
			}
		}
		g.close()
	}
}

// grouping makes slots of a listing, which has the objects of one entry side by
// side, its marker last.
type grouping struct {
	zone  records.Name
	yield func(slot, error) bool
	slot  slot // not yet yielded
}

func (g *grouping) add(name string) (more bool) {
	seq, p, ok := parseObject(g.zone, name)
	if !ok {
		return g.yield(slot{stray: name}, nil)
	}
	if seq != g.slot.seq {
		if !g.close() {
			return false
		}
		g.slot = slot{seq: seq}
	}
	g.slot.pruned = g.slot.pruned || p == partPruned
	return true
}

func (g *grouping) close() (more bool) {
	return g.slot.seq == 0 || g.yield(g.slot, nil)
}

// firstPage is how many objects a listing asks for at first: most walks end at
// the newest entries.
const firstPage = 40

// objects lists names page by page.
func (j *Journal) objects(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		q := store.Query{Prefix: prefix, Limit: firstPage}
		for {
			objects, err := j.store.List(ctx, q)
			if err != nil {
				yield("", err)
				return
			}
			for _, name := range objects {
				if !yield(name, nil) {
					return
				}
				q.After = name
			}
			if len(objects) < q.Limit {
				return
			}
			q.Limit = min(5*q.Limit, page)
		}
	}
}

// Entries returns a zone's entries, newest first, and verifies what it returns.
// With a *DamageError the entry has the parts that are intact, none for a gap,
// and the walk goes on; any other error ends it.
func (j *Journal) Entries(ctx context.Context, zone records.Name) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		c := chain{journal: j, zone: zone}
		for s, err := range j.slots(ctx, zone) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !c.next(ctx, s, yield) {
				return
			}
		}
		if gap := c.gap(0); gap != nil {
			yield(Entry{Zone: zone, Seq: gap.Last}, gap)
		}
	}
}

// chain is a walk along a chain from its newest entry: what the entry just
// seen says of the one to come.
type chain struct {
	journal *Journal
	zone    records.Name
	newer   uint64 // the entry just seen; 0 at the head
	want    string // the digest that the next outcome must have; empty: not known
}

// next yields what stands in one slot, and before it what is missing.
func (c *chain) next(ctx context.Context, s slot, yield func(Entry, error) bool) (more bool) {
	if s.stray != "" {
		return yield(Entry{Zone: c.zone}, stray(c.zone, s.stray))
	}
	if gap := c.gap(s.seq); gap != nil && !yield(Entry{Zone: c.zone, Seq: gap.Last}, gap) {
		return false
	}
	if s.pruned {
		if err := c.marker(ctx, s.seq); err != nil {
			yield(Entry{Zone: c.zone, Seq: s.seq}, err)
		}
		return false
	}
	e, err := c.entry(ctx, s.seq)
	return yield(e, err) && (err == nil || errors.As(err, new(*DamageError)))
}

// gap reports the entries that are missing between the one just seen and seq.
func (c *chain) gap(seq uint64) *DamageError {
	if c.newer == 0 || c.newer == seq+1 {
		return nil
	}
	gap := &DamageError{Zone: c.zone, First: seq + 1, Last: c.newer - 1, Reason: "missing"}
	c.want = "" // what lies beyond the gap is not known
	return gap
}

// entry reads one entry and verifies its place in the chain.
func (c *chain) entry(ctx context.Context, seq uint64) (Entry, error) {
	e, err := c.journal.parts(ctx, c.zone, seq)
	if err == nil {
		err = c.check(e)
	}
	c.newer, c.want = seq, ""
	if e.Intent != nil {
		c.want = e.Intent.Previous
	}
	return e, err
}

// check compares an entry that is intact by itself with its newer neighbour.
func (c *chain) check(e Entry) error {
	switch {
	case e.Outcome == nil && c.newer != 0:
		return damaged(c.zone, e.Seq, "its outcome is missing")
	case e.Outcome != nil && c.want != "" && c.want != e.Outcome.Digest:
		return damaged(c.zone, e.Seq, "it is not the entry that %s was put on", entryID(c.zone, e.Seq+1))
	case e.Seq == 1 && e.Intent.Previous != "":
		return damaged(c.zone, e.Seq, "it is the first, but names one before it")
	}
	return nil
}

// marker verifies that the chain continues from what was pruned.
func (c *chain) marker(ctx context.Context, seq uint64) error {
	var m Marker
	if err := c.journal.part(ctx, c.zone, seq, partPruned, &m); err != nil {
		return err
	}
	if c.newer == 0 {
		return damaged(c.zone, seq, "it was pruned, and nothing follows it")
	}
	if c.want != "" && c.want != m.Outcome {
		return damaged(c.zone, seq, "it was pruned, and is not the entry that %s was put on", entryID(c.zone, seq+1))
	}
	return nil
}

// parts reads one entry. Of a damaged one the intact part is returned too.
func (j *Journal) parts(ctx context.Context, zone records.Name, seq uint64) (Entry, error) {
	e := Entry{Zone: zone, Seq: seq}
	var in Intent
	intentErr := j.part(ctx, zone, seq, partIntent, &in)
	if intentErr == nil {
		e.Intent = &in
	}
	var out Outcome
	outcomeErr := j.read(ctx, zone, seq, partOutcome, &out)
	switch {
	case outcomeErr == nil:
		e.Outcome = &out
	case errors.Is(outcomeErr, store.ErrAbsent):
		outcomeErr = nil // it may be pending
	}
	if e.Intent != nil && e.Outcome != nil && out.Intent != in.Digest {
		e.Outcome = nil
		outcomeErr = damaged(zone, seq, "its outcome belongs to another intent")
	}
	return e, worst(intentErr, outcomeErr)
}

// worst returns the error that ends a walk before one that doesn't.
func worst(a, b error) error {
	if a == nil || b != nil && errors.As(a, new(*DamageError)) && !errors.As(b, new(*DamageError)) {
		return b
	}
	return a
}

// Verify walks a zone's whole chain and returns all damage. The error is for a
// chain that can't be read.
func (j *Journal) Verify(ctx context.Context, zone records.Name) ([]*DamageError, error) {
	var found []*DamageError
	for _, err := range j.Entries(ctx, zone) {
		var damage *DamageError
		switch {
		case errors.As(err, &damage):
			found = append(found, damage)
		case err != nil:
			return found, err
		}
	}
	return found, nil
}
