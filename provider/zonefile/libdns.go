package zonefile

import (
	"context"
	"strings"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/rr"
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

func (p *Provider) verbs() rr.Verbs { return rr.Verbs{Read: p.ReadZone, Change: p.Transact} }

// GetRecords lists the zone's records, those that no server makes by itself.
func (p *Provider) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	return p.verbs().GetRecords(ctx, zone)
}

// SetRecords replaces the sets of the given records by them, all or none. The
// TTL of a set is that of its first record.
func (p *Provider) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return p.verbs().SetRecords(ctx, zone, recs)
}

// AppendRecords adds the given records, all or none. A set that exists keeps
// its TTL.
func (p *Provider) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return p.verbs().AppendRecords(ctx, zone, recs)
}

// DeleteRecords deletes the records that match a given one, all or none: type,
// TTL and data match any where they are left empty. It returns what it deleted.
func (p *Provider) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return p.verbs().DeleteRecords(ctx, zone, recs)
}
