package route53

import (
	"context"
	"slices"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

var (
	_ libdns.RecordGetter   = (*Client)(nil)
	_ libdns.RecordAppender = (*Client)(nil)
	_ libdns.RecordSetter   = (*Client)(nil)
	_ libdns.RecordDeleter  = (*Client)(nil)
	_ libdns.ZoneLister     = (*Client)(nil)
)

// ListZones lists the account's public hosted zones.
func (c *Client) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	if err := c.account.listOnce(ctx); err != nil {
		return nil, err
	}
	var zones []libdns.Zone
	for _, name := range c.account.zones.public() {
		zones = append(zones, libdns.Zone{Name: rr.FQDN(name)})
	}
	return zones, nil
}

// public returns the names of all public zones, in bytewise order.
func (d *directory) public() (names []records.Name) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, zones := range d.known {
		for _, z := range zones {
			if z.Config == nil || !z.Config.PrivateZone {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (c *Client) verbs() rr.Verbs { return rr.Verbs{Read: c.ReadZone, Change: c.Transact} }

// GetRecords lists the zone's records. An alias is one whose data begins with
// ALIAS.
func (c *Client) GetRecords(ctx context.Context, zone string) ([]libdns.Record, error) {
	return c.verbs().GetRecords(ctx, zone)
}

// SetRecords replaces the sets of the given records by them, all or none.
func (c *Client) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return c.verbs().SetRecords(ctx, zone, recs)
}

// AppendRecords adds the given records, all or none. A set that exists keeps
// its TTL.
func (c *Client) AppendRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return c.verbs().AppendRecords(ctx, zone, recs)
}

// DeleteRecords deletes the records that match a given one, all or none.
func (c *Client) DeleteRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	return c.verbs().DeleteRecords(ctx, zone, recs)
}
