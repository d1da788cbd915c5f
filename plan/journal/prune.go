package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// Prune drops a zone's entries that ended before a time, never the newest one,
// and leaves the marker from which the rest of the chain verifies. It returns
// how many entries it dropped. A chain that is damaged is left as it is, since
// what is left of it is evidence. The caller holds the zone's lock. Interrupted
// at any point, the chain verifies, and pruning again finishes the work.
func (j *Journal) Prune(ctx context.Context, zone records.Name, before time.Time, run string, at plan.Moment) (int, error) {
	var last *Outcome // the newest entry to go
	dropped := 0
	newest := true
	for e, err := range j.Entries(ctx, zone) {
		if err != nil {
			return 0, fmt.Errorf("pruning the journal of %s: %w", zone, err)
		}
		if !newest && e.Outcome != nil && wall(e.Outcome.Time).Before(before) {
			dropped++
			if last == nil {
				last = e.Outcome
			}
		}
		newest = false
	}
	if last == nil {
		return 0, j.sweep(ctx, zone)
	}
	m := Marker{Header: Header{Zone: zone, Seq: last.Seq, Run: run, Time: at}, Outcome: last.Digest}
	if err := j.put(ctx, partPruned, &m); err != nil {
		return 0, err
	}
	return dropped, j.sweep(ctx, zone)
}

// sweep deletes what the newest marker stands for, older markers included.
func (j *Journal) sweep(ctx context.Context, zone records.Name) error {
	pruned := uint64(0)
	var names []string
	for name, err := range j.objects(ctx, directory(zone)+"/") {
		if err != nil {
			return err
		}
		seq, p, ok := parseObject(zone, name)
		if !ok {
			continue
		}
		names = append(names, name)
		if p == partPruned {
			pruned = max(pruned, seq)
		}
	}
	for _, name := range names {
		seq, p, _ := parseObject(zone, name)
		if seq > pruned || seq == pruned && p == partPruned {
			continue
		}
		if err := j.store.Delete(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
