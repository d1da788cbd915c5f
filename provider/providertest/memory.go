package providertest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// Memory is a libdns client over a list of records. It keeps the contract of
// libdns to the letter, which says nothing about transactions. It is safe for
// concurrent use.
type Memory struct {
	// SetAppends is a known fault of libraries: SetRecords leaves the values
	// that are there already.
	SetAppends bool

	mu   sync.Mutex
	recs []libdns.RR
}

// Add puts records into the zone as they are, however a host might spell them.
func (m *Memory) Add(recs ...libdns.RR) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recs = append(m.recs, recs...)
}

// Put makes a set be what it is given as; without values it goes.
func (m *Memory) Put(s records.RRset) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recs = slices.DeleteFunc(m.recs, func(r libdns.RR) bool { return rr.Key(r, ZoneName) == s.Key })
	for _, rec := range rr.Records(s, ZoneName) {
		m.recs = append(m.recs, rec.RR())
	}
}

// GetRecords lists the zone.
func (m *Memory) GetRecords(ctx context.Context, _ string) ([]libdns.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return recordsOf(m.recs), ctx.Err()
}

func recordsOf(rrs []libdns.RR) []libdns.Record {
	recs := make([]libdns.Record, len(rrs))
	for i, r := range rrs {
		recs[i] = r
	}
	return recs
}

// AppendRecords adds records that are not there yet.
func (m *Memory) AppendRecords(ctx context.Context, _ string, recs []libdns.Record) ([]libdns.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, rec := range recs {
		if !slices.Contains(m.recs, rec.RR()) {
			m.recs = append(m.recs, rec.RR())
		}
	}
	return recs, nil
}

// SetRecords replaces the sets of the records by them.
func (m *Memory) SetRecords(ctx context.Context, zone string, recs []libdns.Record) ([]libdns.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !m.SetAppends {
		m.mu.Lock()
		for _, rec := range recs {
			m.remove(libdns.RR{Name: rec.RR().Name, Type: rec.RR().Type})
		}
		m.mu.Unlock()
	}
	return m.AppendRecords(ctx, zone, recs)
}

// DeleteRecords deletes what matches; empty fields match anything.
func (m *Memory) DeleteRecords(ctx context.Context, _ string, recs []libdns.Record) ([]libdns.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var gone []libdns.RR
	for _, rec := range recs {
		gone = append(gone, m.remove(rec.RR())...)
	}
	return recordsOf(gone), nil
}

func (m *Memory) remove(r libdns.RR) (gone []libdns.RR) {
	m.recs = slices.DeleteFunc(m.recs, func(have libdns.RR) bool {
		hit := strings.EqualFold(have.Name, r.Name) && (r.Type == "" || r.Type == have.Type) &&
			(r.TTL == 0 || r.TTL == have.TTL) && (r.Data == "" || r.Data == have.Data)
		if hit {
			gone = append(gone, have)
		}
		return hit
	})
	return gone
}

// Faulty passes each request of a client through a hook, as World.Around is
// one.
type Faulty struct {
	Client provider.Client
	Around func(request func() error) error
}

// GetRecords passes on.
func (f Faulty) GetRecords(ctx context.Context, zone string) (recs []libdns.Record, err error) {
	err = f.Around(func() error {
		recs, err = f.Client.GetRecords(ctx, zone)
		return err
	})
	return recs, err
}

// AppendRecords passes on.
func (f Faulty) AppendRecords(ctx context.Context, zone string, in []libdns.Record) ([]libdns.Record, error) {
	return f.write(func() ([]libdns.Record, error) { return f.Client.AppendRecords(ctx, zone, in) })
}

// SetRecords passes on.
func (f Faulty) SetRecords(ctx context.Context, zone string, in []libdns.Record) ([]libdns.Record, error) {
	return f.write(func() ([]libdns.Record, error) { return f.Client.SetRecords(ctx, zone, in) })
}

// DeleteRecords passes on.
func (f Faulty) DeleteRecords(ctx context.Context, zone string, in []libdns.Record) ([]libdns.Record, error) {
	return f.write(func() ([]libdns.Record, error) { return f.Client.DeleteRecords(ctx, zone, in) })
}

func (f Faulty) write(request func() ([]libdns.Record, error)) (out []libdns.Record, err error) {
	err = f.Around(func() error {
		out, err = request()
		return err
	})
	return out, err
}

// OpenMemory opens the engine over a Memory, for a host with these limits.
func OpenMemory(limits provider.Limits, memory func() *Memory) Opener {
	return func(t testing.TB, w World) Subject {
		m := memory()
		m.Add(
			libdns.RR{Name: "@", TTL: time.Hour, Type: "SOA", Data: "ns1.example.net. hostmaster.example.net. 1 7200 3600 1209600 300"},
			libdns.RR{Name: "@", TTL: time.Hour, Type: "RRSIG", Data: "SOA 8 2 3600 20300101000000 20200101000000 1 example.com. AAAA"},
		)
		for _, s := range w.Sets {
			m.Put(s)
		}
		host := provider.New(records.ProviderRef{Type: "memory", Name: "test"}, provider.Type{Name: "memory", Limits: limits}, Faulty{m, w.Around})
		zone, err := host.Zone(ZoneName, "")
		if err != nil {
			t.Fatal(err)
		}
		return Subject{
			Zone: zone,
			Look: func(testing.TB) records.Zone {
				m.mu.Lock()
				defer m.mu.Unlock()
				return rr.Zone(ZoneName, recordsOf(m.recs))
			},
			Edit: func(_ testing.TB, s records.RRset) { m.Put(s) },
		}
	}
}
