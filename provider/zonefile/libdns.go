package zonefile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

var (
	_ libdns.RecordGetter   = (*Provider)(nil)
	_ libdns.RecordAppender = (*Provider)(nil)
	_ libdns.RecordSetter   = (*Provider)(nil)
	_ libdns.RecordDeleter  = (*Provider)(nil)
	_ libdns.ZoneLister     = (*Provider)(nil)
)

// ListZones lists the zones that have a file in the directory.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	names, err := p.Disk.List(p.Directory, 0)
	if err != nil {
		return nil, err
	}
	var zones []libdns.Zone
	for _, name := range names {
		if zone, ok := strings.CutSuffix(name, suffix); ok && zone != "" {
			zones = append(zones, libdns.Zone{Name: zone + "."})
		}
	}
	return zones, nil
}

// GetRecords lists the zone's records, those that no server makes by itself.
func (p *Provider) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	z, err := p.ReadZone(ctx, records.CanonicalName(zone))
	if err != nil {
		return nil, err
	}
	var recs []libdns.Record
	for _, s := range z.Sets() {
		recs = append(recs, rr.Records(s, z.Name)...)
	}
	return recs, nil
}

// SetRecords replaces the sets of the given records by them, all or none. The
// TTL of a set is that of its first record.
func (p *Provider) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return p.change(ctx, zone, recs, func(_, given records.RRset) records.RRset { return given })
}

// AppendRecords adds the given records, all or none. A set that exists keeps
// its TTL.
func (p *Provider) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return p.change(ctx, zone, recs, func(have, given records.RRset) records.RRset {
		if len(have.Values) == 0 {
			return given
		}
		return records.NewRRset(have.Key, have.TTL, slices.Concat(have.Values, given.Values)...)
	})
}

// change brings each set that the records name to what result makes of it, and
// returns the records that are in the zone then and were given.
func (p *Provider) change(ctx context.Context, zone string, recs []libdns.Record, result func(have, given records.RRset) records.RRset) ([]libdns.Record, error) {
	z, err := p.ReadZone(ctx, records.CanonicalName(zone))
	if err != nil {
		return nil, err
	}
	given := rr.Zone(z.Name, recs)
	var changes []records.Change
	var done []libdns.Record
	for _, s := range given.Sets() {
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
		done = append(done, rr.Records(records.RRset{Key: s.Key, TTL: after.TTL, Values: s.Values}, z.Name)...)
	}
	if err := p.Transact(ctx, z.Name, changes); err != nil {
		return nil, err
	}
	return done, nil
}

// DeleteRecords deletes the records that match a given one, all or none: type,
// TTL and data match any where they are left empty. It returns what it deleted.
func (p *Provider) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	z, err := p.ReadZone(ctx, records.CanonicalName(zone))
	if err != nil {
		return nil, err
	}
	var changes []records.Change
	var gone []libdns.Record
	for _, s := range z.Sets() {
		left := slices.DeleteFunc(slices.Clone(s.Values), func(v records.Value) bool {
			hit := slices.ContainsFunc(recs, func(r libdns.Record) bool { return matches(r.RR(), s, v, z.Name) })
			if hit {
				gone = append(gone, rr.Record(s.Key, s.TTL, v, z.Name))
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
	if err := p.Transact(ctx, z.Name, changes); err != nil {
		return nil, err
	}
	return gone, nil
}

func matches(r libdns.RR, s records.RRset, v records.Value, zone records.Name) bool {
	key := rr.Key(r, zone)
	if key.Name != s.Name || key.Type != "" && key.Type != s.Type || r.TTL != 0 && rr.TTL(r.TTL) != s.TTL {
		return false
	}
	if r.Data == "" {
		return true
	}
	value, err := records.CanonicalData(s.Type, r.Data)
	return err == nil && value == v
}
