package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// Client is what every libdns implementation offers. One that can do better
// also has some of these, which are then used:
//
//	ReadZone(ctx context.Context, zone records.Name) (records.Zone, error)
//	WriteSet(ctx context.Context, zone records.Name, change records.Change) error
//	ReloadZone(ctx context.Context, zone records.Name) error
//	Transact(ctx context.Context, zone records.Name, changes []records.Change) error
//	Split(changes []records.Change) [][]records.Change
//	InZone(zone records.Name, id string) Client
//	CheckAccess(ctx context.Context, zones []records.Name) ([]string, error)
//
// WriteSet takes one set from Before to After, and refuses with a
// *records.StaleError where it is no longer as in Before. ReloadZone makes the
// host serve what was written, where it waits to be told.
// Transact makes all changes or none, and none with a *records.StaleError
// where the zone no longer holds what a change was computed from. Split cuts
// what is too large for one transaction, never between the changes of one name.
// Where the host stores a TTL with each value (Limits.PerValueTTL), ReadZone
// fills records.RRset.TTLs (rr.Join does), and of the values in both Before and
// After only those are written whose TTLOf differs: the others are foreign.
// InZone binds the client to the zone of that id where one name may have several
// zones. CheckAccess says in words what the credentials are good for in these
// zones, without writing.
type Client interface {
	libdns.RecordGetter
	libdns.RecordAppender
	libdns.RecordSetter
	libdns.RecordDeleter
}

type zoneReader interface {
	ReadZone(ctx context.Context, zone records.Name) (records.Zone, error)
}

type setWriter interface {
	WriteSet(ctx context.Context, zone records.Name, change records.Change) error
}

type transactor interface {
	Transact(ctx context.Context, zone records.Name, changes []records.Change) error
}

type splitter interface {
	Split(changes []records.Change) [][]records.Change
}

type zoneBinder interface {
	InZone(zone records.Name, id string) Client
}

type accessChecker interface {
	CheckAccess(ctx context.Context, zones []records.Name) ([]string, error)
}

// Options are what a provider needs to know besides its block.
type Options struct {
	Now func() time.Time // for date serials; required by zonefile
	// AllowReload lets zonefile run its reload command. Only apply and
	// rollback may, and only where the environment allows it.
	AllowReload bool
	// RestrictServers refuses a server address that the configuration names,
	// unless it is loopback or one of AllowServers ("host" or "host:port"):
	// plan runs on configurations that nobody has reviewed.
	RestrictServers bool
	AllowServers    []string
	// RateShare is how much of the host's request budget this run may use, up
	// to 1; 0 means all of it.
	RateShare float64
	// Env returns a variable of the environment, which alone may move an API
	// to another address; nil: there are none.
	Env func(name string) string
	// Tell is told in one sentence what a host is waiting for; nil: nobody is.
	// It may be called by several goroutines at once.
	Tell func(event string)
	Disk disk.FS // for tests; the zero value is the real disk
	// Outside is for tests, too; the zero value is the real network and clock.
	Outside httpapi.Outside
}

// Host is an opened provider block. It is safe for concurrent use by several
// zones; one zone has one writer at a time, which its caller sees to.
type Host struct {
	Ref    records.ProviderRef
	Type   Type
	client Client
}

// Open opens a provider block. It contacts nothing yet. The error says what is
// missing, or why this host can't be reached.
func Open(ref records.ProviderRef, values Values, opts Options) (*Host, error) {
	t, ok := Lookup(ref.Type)
	if !ok {
		return nil, fmt.Errorf("provider %s: there is no provider type %q; there are %s", ref, ref.Type, typeNames())
	}
	if t.ReadOnly != "" {
		return nil, fmt.Errorf("provider %s can't be reached: %s", ref, t.ReadOnly)
	}
	if t.open == nil {
		return nil, fmt.Errorf("provider %s: this version of maildns can't reach %s yet", ref, t.Name)
	}
	if missing := t.missing(values); len(missing) > 0 {
		return nil, fmt.Errorf("provider %s has no value for %s: set it in the block, or set the environment variable that its env() names", ref, strings.Join(missing, ", "))
	}
	if err := checkServers(t, values, opts); err != nil {
		return nil, fmt.Errorf("provider %s: %w", ref, err)
	}
	client, err := t.open(values, opts)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", ref, err)
	}
	return New(ref, t, client), nil
}

// New returns a host over a client that is open already.
func New(ref records.ProviderRef, t Type, client Client) *Host {
	return &Host{Ref: ref, Type: t, client: client}
}

func typeNames() string {
	var names []string
	for _, t := range Types() {
		names = append(names, t.Name)
	}
	return strings.Join(names, ", ")
}

func checkServers(t Type, values Values, opts Options) error {
	if !opts.RestrictServers {
		return nil
	}
	for _, a := range t.Attributes {
		if !a.Server {
			continue
		}
		for _, address := range values[a.Name] {
			if address := authority(address); !isLoopback(hostOf(address)) && !isListed(address, opts.AllowServers) {
				return fmt.Errorf("%s is %q, which this run may not contact: it is not loopback and not listed in MAILDNS_ALLOW_SERVERS", a.Name, address)
			}
		}
	}
	return nil
}

// authority is the host, and the port, of an address that may be a URL.
func authority(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}

func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.Trim(address, "[]")
}

// isLoopback judges addresses alone: what localhost means is up to a resolver.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func isListed(address string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		return strings.EqualFold(a, address) || strings.EqualFold(a, hostOf(address))
	})
}

// Zones returns the zones that the host lists, in bytewise order.
func (h *Host) Zones(ctx context.Context) (zones []records.Name, err error) {
	lister, ok := h.client.(libdns.ZoneLister)
	if !ok {
		return nil, fmt.Errorf("provider %s can't list its zones", h.Ref)
	}
	err = protect(func() error {
		found, err := lister.ListZones(ctx)
		for _, z := range found {
			zones = append(zones, records.CanonicalName(z.Name))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("provider %s: listing its zones: %w", h.Ref, err)
	}
	slices.Sort(zones)
	return slices.Compact(zones), nil
}

// Zone returns one zone of the host. The id is the host's own for it, where
// one name has several zones; elsewhere it is empty. Nothing is contacted.
func (h *Host) Zone(name records.Name, id string) (*Zone, error) {
	if id != "" && !h.Type.ZoneIDs {
		return nil, fmt.Errorf("provider %s, zone %s: zone_id is %q, but %s has only one zone of a name: remove zone_id", h.Ref, name, id, h.Type.Name)
	}
	z := &Zone{Name: name, ID: id, host: h, client: h.client}
	if b, ok := h.client.(zoneBinder); ok {
		z.client = b.InZone(name, id)
	}
	return z, nil
}

// CheckAccess says in words what the credentials are good for in these zones.
// It writes nothing. A host that knows nothing of permissions says nothing.
func (h *Host) CheckAccess(ctx context.Context, zones []records.Name) (facts []string, err error) {
	c, ok := h.client.(accessChecker)
	if !ok {
		return nil, nil
	}
	err = protect(func() error {
		facts, err = c.CheckAccess(ctx, zones)
		return err
	})
	if err != nil {
		return facts, fmt.Errorf("provider %s: %w", h.Ref, err)
	}
	return facts, nil
}

// Zone is one zone at one host.
type Zone struct {
	Name records.Name
	ID   string // the host's own id, where one name has several zones

	host   *Host
	client Client                      // the host's, bound to the zone
	ask    func(context.Context) error // before each call that writes; nil: don't
}

// Limits are what the zone's host can do.
func (z *Zone) Limits() Limits { return z.host.Type.Limits }

// Transactional reports whether the changes can be made together or not at all.
func (z *Zone) Transactional(changes []records.Change) bool {
	return z.Limits().Transactional && len(z.split(changes)) <= 1
}

// split returns the transactions that the changes need, one where one can hold
// them.
func (z *Zone) split(changes []records.Change) [][]records.Change {
	if s, ok := z.client.(splitter); ok {
		return s.Split(changes)
	}
	return [][]records.Change{changes}
}

// Guarded returns the zone as a writer sees it who must ask before every single
// call that writes: where ask returns an error, Write makes no further call and
// returns it.
func (z *Zone) Guarded(ask func(context.Context) error) *Zone {
	guarded := *z
	guarded.ask = ask
	return &guarded
}

// mayWrite is asked before every call that writes.
func (z *Zone) mayWrite(ctx context.Context) error {
	if err := ctx.Err(); err != nil || z.ask == nil {
		return err
	}
	return z.ask(ctx)
}

// Provider names the zone's provider block.
func (z *Zone) Provider() records.ProviderRef { return z.host.Ref }

// Read returns the zone as the host holds it. A set that can't be written
// faithfully says why in Fixed.
func (z *Zone) Read(ctx context.Context) (zone records.Zone, err error) {
	err = protect(func() error {
		zone, err = z.read(ctx)
		return err
	})
	if err != nil {
		return records.Zone{}, z.wrap("reading the zone", err)
	}
	return zone, nil
}

// withOneTTL forgets the TTLs of values where the host stores one with the set:
// a write gives it to all of them.
func withOneTTL(zone records.Zone) records.Zone {
	var mixed []records.RRset
	for s := range zone.All() {
		if len(s.TTLs) > 0 {
			s.TTLs = nil
			mixed = append(mixed, s)
		}
	}
	if len(mixed) == 0 {
		return zone
	}
	return zone.With(mixed...)
}

func (z *Zone) read(ctx context.Context) (records.Zone, error) {
	zone, err := z.readWhole(ctx)
	if err == nil && !z.Limits().PerValueTTL {
		zone = withOneTTL(zone)
	}
	return zone, err
}

func (z *Zone) readWhole(ctx context.Context) (records.Zone, error) {
	if r, ok := z.client.(zoneReader); ok {
		return r.ReadZone(ctx, z.Name)
	}
	recs, err := z.client.GetRecords(ctx, rr.FQDN(z.Name))
	if err != nil {
		return records.Zone{}, err
	}
	return rr.Zone(z.Name, recs), nil
}

// Write makes the changes: together or not at all where the host can
// (Limits.Transactional), else set by set, additions first. Where the zone no
// longer holds what a change was computed from, nothing is written and the
// error wraps a *records.StaleError. No error proves that nothing was written,
// nor does its absence prove the opposite: read the zone again.
func (z *Zone) Write(ctx context.Context, changes []records.Change) error {
	if len(changes) == 0 {
		return nil
	}
	if err := z.admit(changes); err != nil {
		return z.wrap("nothing was written", err)
	}
	err := protect(func() error {
		if t, ok := z.client.(transactor); ok {
			return z.transact(ctx, t, changes)
		}
		return z.writeSets(ctx, changes)
	})
	return z.wrap("writing the zone", err)
}

// transact makes one transaction after the other, and stops at the first that
// fails.
func (z *Zone) transact(ctx context.Context, t transactor, changes []records.Change) error {
	for i, batch := range z.split(changes) {
		if err := z.mayWrite(ctx); err != nil {
			return err
		}
		if err := t.Transact(ctx, z.Name, batch); err != nil {
			if i > 0 {
				// Not wrapped: a StaleError would say that nothing was written.
				return fmt.Errorf("after %d of the transactions that this needs: %s", i, err.Error())
			}
			return err
		}
	}
	return nil
}

// admit refuses changes that can't be written faithfully, before anything is.
func (z *Zone) admit(changes []records.Change) error {
	if z.host.Type.ReadOnly != "" {
		return errors.New(z.host.Type.ReadOnly)
	}
	seen := make(map[records.Key]bool, len(changes))
	for _, c := range changes {
		if seen[c.Key] {
			return fmt.Errorf("%s is changed twice in one write", c.Key)
		}
		seen[c.Key] = true
		if err := z.admitChange(c); err != nil {
			return err
		}
	}
	return nil
}

func (z *Zone) admitChange(c records.Change) error {
	if !c.Name.In(z.Name) {
		return fmt.Errorf("%s is not in this zone", c.Key)
	}
	if c.Type.HostOwned() {
		return fmt.Errorf("%s: %s records are the host's own and are never written", c.Key, c.Type)
	}
	for _, side := range []*records.RRset{c.Before, c.After} {
		switch {
		case side == nil:
		case side.Key != c.Key:
			return fmt.Errorf("the change of %s names the set %s", c.Key, side.Key)
		case side.Fixed != "":
			return fmt.Errorf("%s can't be changed: %s", c.Key, side.Fixed)
		case len(side.Values) == 0:
			return fmt.Errorf("the change of %s has a set without values where it means none", c.Key)
		}
	}
	if c.After == nil {
		return nil
	}
	return z.Limits().Check(*c.After)
}

func (z *Zone) wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("provider %s, zone %s: %s: %w", z.host.Ref, z.Name, doing, err)
}

// ErrOutcomeUnknown says that a library died in the middle of its work, so
// that only reading the zone tells what was done.
var ErrOutcomeUnknown = errors.New("outcome unknown")

// protect turns a panic inside a provider's library into an error.
func protect(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the provider's library panicked: %v", ErrOutcomeUnknown, p)
		}
	}()
	return call()
}
