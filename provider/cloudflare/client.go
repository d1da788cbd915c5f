package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

const (
	// manyZones is from when on zones are looked up by the paged list.
	manyZones = 20
	// zonesPerPage is the most that the API gives at once.
	zonesPerPage = 50
	// goodFor is how long a listing may be written against without another
	// one. In the ordinary line a write follows its read at once, and reading
	// again in between would cost a request a zone.
	goodFor = 5 * time.Second
)

// Client reads and writes zones with one token. It is safe for concurrent use;
// what is asked of one zone is done one after the other.
type Client struct {
	host *host
	name records.Name // of the zone that InZone bound it to
	id   string       // of that zone, where its name may have several
}

// host is what the clients of all zones share.
type host struct {
	api *api
	now func() time.Time

	listing latch // of the zones: one at a time

	mu     sync.Mutex
	asked  int  // zones that were looked up by name
	listed bool // all zones are known
	dear   bool // the account has so many zones that listing them is the dearer way
	zones  map[records.Name][]zone
	bound  map[records.Name]string // the zones of the run, and the ids that were given for them
	states map[stateKey]*state
}

type stateKey struct {
	name records.Name
	id   string
}

// state is what is known of one zone.
type state struct {
	turn latch // of whoever reads or writes the zone
	paid bool  // its plan isn't the free one; guarded by host.mu

	// The rest is for whoever has the turn.
	zone zone
	seen *listing // the newest, unless something was written since
}

// latch lets one through at a time.
type latch chan struct{}

func newLatch() latch { return make(latch, 1) }

func (l latch) take(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l latch) leave() { <-l }

// New returns a client for a token, over a transport to BaseURL. The clock is
// that of the transport.
func New(token string, transport *httpapi.Transport) *Client {
	now := transport.Outside.Now
	if now == nil {
		now = time.Now
	}
	return &Client{host: &host{
		api: &api{token: token, http: transport}, now: now, listing: newLatch(),
		zones: make(map[records.Name][]zone), bound: make(map[records.Name]string), states: make(map[stateKey]*state),
	}}
}

// InZone returns the client of one zone, by its id where that isn't empty. Where
// that has been asked for more than 20 zones by the time that they are looked
// up, their ids come from the list of zones, 50 a request, instead of one by one.
func (c *Client) InZone(name records.Name, id string) *Client {
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	c.host.bound[name] = id
	return &Client{host: c.host, name: name, id: id}
}

// state returns what is known of a zone.
func (c *Client) state(name records.Name) *state {
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	key := stateKey{name, c.id}
	s, ok := c.host.states[key]
	if !ok {
		s = &state{turn: newLatch()}
		c.host.states[key] = s
	}
	return s
}

// ReadZone reads a zone.
func (c *Client) ReadZone(ctx context.Context, name records.Name) (records.Zone, error) {
	s := c.state(name)
	if err := s.turn.take(ctx); err != nil {
		return records.Zone{}, err
	}
	defer s.turn.leave()
	if err := c.read(ctx, name, s); err != nil {
		return records.Zone{}, err
	}
	return s.seen.zone, nil
}

// read looks the zone up where that hasn't been done yet, and reads it.
func (c *Client) read(ctx context.Context, name records.Name, s *state) error {
	s.seen = nil
	if s.zone.ID == "" {
		z, err := c.find(ctx, name)
		if err != nil {
			return err
		}
		c.settle(s, z)
	}
	l, err := c.host.list(ctx, s.zone)
	if err != nil {
		return err
	}
	s.seen = &l
	return nil
}

// settle remembers which zone it is.
func (c *Client) settle(s *state, z zone) {
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	s.zone, s.paid = z, z.Plan.LegacyID != "" && z.Plan.LegacyID != "free"
}

// find looks a zone up, by its id where the client is bound to one.
func (c *Client) find(ctx context.Context, name records.Name) (zone, error) {
	if c.id != "" {
		return c.host.byID(ctx, name, c.id)
	}
	zones, err := c.host.byName(ctx, name)
	switch {
	case err != nil:
		return zone{}, err
	case len(zones) == 0:
		return zone{}, errors.New("the token sees no zone of that name: either the zone is in another account, or the token lacks the permission Zone:Read for it")
	case len(zones) > 1:
		return zone{}, fmt.Errorf("there are %d zones of that name: set zone_id in the domain to one of %s", len(zones), nameAll(zones))
	}
	return zones[0], nil
}

func nameAll(zones []zone) string {
	var names []string
	for _, z := range zones {
		names = append(names, fmt.Sprintf("%q (%s, in the account %q)", z.ID, z.Status, z.Account.Name))
	}
	return strings.Join(names, ", ")
}

func (h *host) byID(ctx context.Context, name records.Name, id string) (zone, error) {
	var z zone
	if _, err := h.api.get(ctx, "/zones/"+url.PathEscape(id), nil, &z); err != nil {
		return zone{}, fmt.Errorf("looking up zone_id %q: %w", id, err)
	}
	if records.CanonicalName(z.Name) != name {
		return zone{}, fmt.Errorf("zone_id %q is the zone %s: correct it, or remove it where one zone has that name", id, z.Name)
	}
	return z, nil
}

// byName returns the zones of a name, out of what is known or by asking.
func (h *host) byName(ctx context.Context, name records.Name) ([]zone, error) {
	zones, known, many := h.known(name)
	if !known && many {
		if err := h.listZones(ctx, true); err != nil {
			return nil, fmt.Errorf("listing the zones of the account: %w", err)
		}
		zones, known, _ = h.known(name)
	}
	if known {
		return zones, nil
	}
	query := url.Values{"name": {string(name)}, "per_page": {strconv.Itoa(zonesPerPage)}}
	if _, err := h.api.get(ctx, "/zones", query, &zones); err != nil {
		return nil, fmt.Errorf("looking up the zone: %w", err)
	}
	h.remember(name, zones)
	return zones, nil
}

// known returns what is known of a name's zones, and whether so many zones are
// looked up that listing them all is the cheaper way.
func (h *host) known(name records.Name) (zones []zone, known, many bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	zones, known = h.zones[name]
	return zones, known || h.listed, h.wanted() > manyZones && !h.dear
}

func (h *host) remember(name records.Name, zones []zone) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	h.zones[name] = zones
}

// wanted is the number of zones that the run is about, as far as it is known.
func (h *host) wanted() int { return max(len(h.bound), h.asked) }

// listZones lists all zones that the token sees, unless somebody else has done
// it meanwhile. With thrift it gives up where the list has more pages than
// there are zones to look up.
func (h *host) listZones(ctx context.Context, thrift bool) error {
	if err := h.listing.take(ctx); err != nil {
		return err
	}
	defer h.listing.leave()
	if h.isListed(thrift) {
		return nil
	}
	all := make(map[records.Name][]zone)
	for page, count := 1, 0; ; page++ {
		zones, total, err := h.zonePage(ctx, page)
		if err != nil {
			return err
		}
		for _, z := range zones {
			name := records.CanonicalName(z.Name)
			all[name] = append(all[name], z)
		}
		count += len(zones)
		if len(zones) == 0 || count >= total {
			break
		}
		if thrift && h.isDear(total) {
			return nil
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.zones, h.listed = all, true
	return nil
}

func (h *host) zonePage(ctx context.Context, page int) (zones []zone, total int, err error) {
	query := url.Values{
		"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(zonesPerPage)}, "order": {"name"}, "direction": {"asc"},
	}
	info, err := h.api.get(ctx, "/zones", query, &zones)
	return zones, info.TotalCount, err
}

// isListed reports whether there is nothing left to list.
func (h *host) isListed(thrift bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.listed || thrift && h.dear
}

// isDear remembers whether so many zones are the dearer way.
func (h *host) isDear(total int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dear = total/zonesPerPage > h.wanted()
	return h.dear
}

// ListZones lists the zones that the token sees.
func (c *Client) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	if err := c.host.listZones(ctx, false); err != nil {
		return nil, err
	}
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	zones := make([]libdns.Zone, 0, len(c.host.zones))
	for name := range c.host.zones {
		zones = append(zones, libdns.Zone{Name: rr.FQDN(name)})
	}
	return zones, nil
}
