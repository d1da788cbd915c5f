package route53_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/providertest/route53test"
	"github.com/attunelogic/maildns/provider/route53"
	"github.com/attunelogic/maildns/records"
)

func TestMain(m *testing.M) {
	route53test.Isolate()
	os.Exit(m.Run())
}

const zoneName records.Name = "example.com"

func key(name string, t records.Type) records.Key {
	return records.Key{Name: records.Below(name, zoneName), Type: t}
}

func set(name string, t records.Type, ttl records.TTL, values ...records.Value) records.RRset {
	return records.NewRRset(key(name, t), ttl, values...)
}

// to is the change from what a zone holds to a set; one without values goes.
func to(z records.Zone, after records.RRset) records.Change {
	c := records.Change{Key: after.Key}
	if before, ok := z.Set(after.Key); ok {
		c.Before = &before
	}
	if len(after.Values) > 0 {
		c.After = &after
	}
	return c
}

// account is a client as the program has it.
type account struct{ *route53.Client }

func (a account) InZone(zone records.Name, id string) provider.Client { return a.In(zone, id) }

// diary remembers what was told.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) tell(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func atOnce(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// settings are those of a client of the server, which never sleeps.
func settings(server *route53test.Server) route53.Settings {
	return route53.Settings{AccessKeyID: "AKIDEXAMPLE", SecretKey: "secret", Load: server.Load(), Sleep: atOnce}
}

type failer interface {
	Helper()
	Fatal(args ...any)
}

func client(t failer, s route53.Settings) *route53.Client {
	t.Helper()
	c, err := route53.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func host(t failer, s route53.Settings) *provider.Host {
	t.Helper()
	row, _ := provider.Lookup("route53")
	return provider.New(records.ProviderRef{Type: "route53", Name: "test"}, row, account{client(t, s)})
}

// open returns the zone as the program sees it.
func open(t failer, s route53.Settings) *provider.Zone {
	t.Helper()
	z, err := host(t, s).Zone(zoneName, "")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func read(t failer, z *provider.Zone) records.Zone {
	t.Helper()
	got, err := z.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// world is a server with the zone in it.
func world(sets ...records.RRset) (server *route53test.Server, id string) {
	server = &route53test.Server{}
	id = server.AddZone(zoneName, false)
	for _, s := range sets {
		server.Put(id, s)
	}
	return server, id
}
