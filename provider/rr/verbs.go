package rr

import (
	"context"
	"fmt"
	"slices"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/records"
)

// Verbs are the four verbs of libdns for a host that is read by the zone and
// written by changes of record sets.
type Verbs struct {
	Read func(ctx context.Context, zone records.Name) (records.Zone, error)
	// Change makes the changes, and none of them with a *records.StaleError
	// where the zone no longer holds what they were computed from.
	Change func(ctx context.Context, zone records.Name, changes []records.Change) error
}

var (
	_ libdns.RecordGetter   = Verbs{}
	_ libdns.RecordAppender = Verbs{}
	_ libdns.RecordSetter   = Verbs{}
	_ libdns.RecordDeleter  = Verbs{}
)

// GetRecords lists the zone's records, those that no server makes by itself.
func (v Verbs) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	z, err := v.Read(ctx, records.CanonicalName(zone))
	if err != nil {
		return nil, err
	}
	var recs []libdns.Record
	for s := range z.All() {
		recs = append(recs, Records(s, z.Name)...)
	}
	return recs, nil
}

// SetRecords replaces the sets of the given records by them. The TTL of a set
// is that of its first record.
func (v Verbs) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return v.change(ctx, zone, recs, func(_, given records.RRset) records.RRset { return given })
}

// AppendRecords adds the given records. A set that exists keeps its TTL.
func (v Verbs) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return v.change(ctx, zone, recs, func(have, given records.RRset) records.RRset {
		if len(have.Values) == 0 {
			return given
		}
		return records.NewRRset(have.Key, have.TTL, slices.Concat(have.Values, given.Values)...)
	})
}

// change brings each set that the records name to what result makes of it, and
// returns the records that are in the zone then and were given.
func (v Verbs) change(ctx context.Context, zone string, recs []libdns.Record, result func(have, given records.RRset) records.RRset) ([]libdns.Record, error) {
	z, err := v.Read(ctx, records.CanonicalName(zone))
	if err != nil {
		return nil, err
	}
	var changes []records.Change
	var done []libdns.Record
	for s := range Zone(z.Name, recs).All() {
		if s.Fixed != "" {
			return nil, fmt.Errorf("%s: %s", s.Key, s.Fixed)
		}
		have, ok := z.Set(s.Key)
		after := result(have, s)
		c := records.Change{Key: s.Key, After: &after}
		if ok {
			c.Before = &have
		}
		changes = append(changes, c)
		done = append(done, Records(records.RRset{Key: s.Key, TTL: after.TTL, Values: s.Values}, z.Name)...)
	}
	if err := v.Change(ctx, z.Name, changes); err != nil {
		return nil, err
	}
	return done, nil
}

// DeleteRecords deletes the records that match a given one: type, TTL and data
// match any where they are left empty. It returns what it deleted.
func (v Verbs) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	z, err := v.Read(ctx, records.CanonicalName(zone))
	if err != nil {
		return nil, err
	}
	var changes []records.Change
	var gone []libdns.Record
	for s := range z.All() {
		left := slices.DeleteFunc(slices.Clone(s.Values), func(value records.Value) bool {
			hit := slices.ContainsFunc(recs, func(r libdns.Record) bool { return matches(r.RR(), s, value, z.Name) })
			if hit {
				gone = append(gone, Record(s.Key, s.TTL, value, z.Name))
			}
			return hit
		})
		if len(left) == len(s.Values) {
			continue
		}
		c := records.Change{Key: s.Key, Before: &s}
		if len(left) > 0 {
			after := records.NewRRset(s.Key, s.TTL, left...)
			c.After = &after
		}
		changes = append(changes, c)
	}
	if err := v.Change(ctx, z.Name, changes); err != nil {
		return nil, err
	}
	return gone, nil
}

func matches(r libdns.RR, s records.RRset, v records.Value, zone records.Name) bool {
	key := Key(r, zone)
	if key.Name != s.Name || key.Type != "" && key.Type != s.Type || r.TTL != 0 && TTL(r.TTL) != s.TTL {
		return false
	}
	if r.Data == "" {
		return true
	}
	value, err := records.CanonicalData(s.Type, r.Data)
	return err == nil && value == v
}
