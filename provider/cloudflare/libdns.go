package cloudflare

import (
	"context"
	"errors"
	"strings"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// errNotThisWay is what the writing verbs of libdns are good for here: they
// state neither what was read nor what belongs together.
var errNotThisWay = errors.New("zones at Cloudflare are written by Transact alone")

// GetRecords reads a zone as libdns has it: names are absolute.
func (c *Client) GetRecords(ctx context.Context, name string) ([]libdns.Record, error) {
	zone, err := c.ReadZone(ctx, records.CanonicalName(strings.TrimSuffix(name, ".")))
	if err != nil {
		return nil, err
	}
	var out []libdns.Record
	for s := range zone.All() {
		out = append(out, rr.Records(s, zone.Name)...)
	}
	return out, nil
}

// AppendRecords is refused.
func (c *Client) AppendRecords(context.Context, string, []libdns.Record) ([]libdns.Record, error) {
	return nil, errNotThisWay
}

// SetRecords is refused.
func (c *Client) SetRecords(context.Context, string, []libdns.Record) ([]libdns.Record, error) {
	return nil, errNotThisWay
}

// DeleteRecords is refused.
func (c *Client) DeleteRecords(context.Context, string, []libdns.Record) ([]libdns.Record, error) {
	return nil, errNotThisWay
}
