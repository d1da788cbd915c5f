package route53_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/providertest/route53test"
	"github.com/attunelogic/maildns/records"
)

// TestAmbiguousZones: the public one of a public and a private zone; of two
// public ones that which zone_id names.
func TestAmbiguousZones(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		private []bool // of the zones example.com
		zoneID  int    // of these, from 1; 0: none is given
		want    int    // the same; 0: an error
		says    string
	}{
		{"one", []bool{false}, 0, 1, ""},
		{"private first", []bool{true, true, false}, 0, 3, ""},
		{"public first", []bool{false, true}, 0, 1, ""},
		{"two public", []bool{false, true, false}, 0, 0, "say with zone_id"},
		{"two public, the second", []bool{false, false}, 2, 2, ""},
		{"two public, the first", []bool{false, false}, 1, 1, ""},
		{"private alone", []bool{true}, 0, 0, "private one only"},
		{"none", nil, 0, 0, "has no hosted zone example.com"},
	}
	for _, c := range cases {
		for _, more := range []int{0, 150} { // zones, and as many that are opened
			t.Run(fmt.Sprintf("%s of %d", c.name, more), func(t *testing.T) {
				t.Parallel()
				server := &route53test.Server{}
				server.AddZone("sub.example.com", false)
				server.AddZone("com", false)
				var ids []string
				for i, private := range c.private {
					ids = append(ids, server.AddZone(zoneName, private))
					server.Put(ids[i], set("which", "TXT", 60, records.Value(fmt.Sprint(i+1))))
				}
				h := host(t, settings(server))
				for i := range more {
					name := records.Name(fmt.Sprintf("z%d.example", i))
					server.AddZone(name, false)
					if _, err := h.Zone(name, ""); err != nil {
						t.Fatal(err)
					}
				}
				id := ""
				if c.zoneID > 0 {
					id = ids[c.zoneID-1]
				}
				zone, err := h.Zone(zoneName, id)
				if err != nil {
					t.Fatal(err)
				}
				got, err := zone.Read(t.Context())
				if c.want == 0 {
					if err == nil || !strings.Contains(err.Error(), c.says) {
						t.Errorf("error %v, want %q", err, c.says)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if which, _ := got.Set(key("which", "TXT")); !which.Has(records.Value(fmt.Sprint(c.want))) {
					t.Errorf("zone %v was read, want %d", which.Values, c.want)
				}
			})
		}
	}
}

// TestManyZonesOfOneName: all of them are seen, although a page ends amid them.
func TestManyZonesOfOneName(t *testing.T) {
	t.Parallel()
	server := &route53test.Server{}
	for range 120 {
		server.AddZone(zoneName, true)
	}
	id := server.AddZone(zoneName, false)
	server.AddZone("example.org", false)
	server.Put(id, set("here", "TXT", 60, "x"))
	if _, ok := read(t, open(t, settings(server))).Set(key("here", "TXT")); !ok {
		t.Error("the public zone was not found")
	}
}

// clock goes on when somebody sleeps.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// TestRequestBudget counts the requests of a plan and of an apply, cold.
func TestRequestBudget(t *testing.T) {
	t.Parallel()
	server, _ := world(set("@", "TXT", 3600, "v=spf1 -all"), set("@", "MX", 3600, "10 a.example"))
	read(t, open(t, settings(server)))
	if n := server.Count(); n != 2 {
		t.Errorf("plan: %d requests, want 2", n)
	}
	server.PendingPolls = 3
	zone := open(t, settings(server))
	before := read(t, zone)
	if err := zone.Write(t.Context(), []records.Change{
		to(before, set("@", "TXT", 300, "v=spf1 ~all")), to(before, set("@", "MX", 300, "10 a.example", "20 b.example")), to(before, set("_dmarc", "TXT", 300, "v=DMARC1; p=none")),
	}); err != nil {
		t.Fatal(err)
	}
	read(t, zone)
	apply := slices.DeleteFunc(server.Calls()[2:], func(c route53test.Call) bool { return c.Action == route53test.GetChange })
	if len(apply) != 4 || server.Count(route53test.GetChange) != 4 {
		t.Errorf("apply: %v and %d GetChange, want 4 and 4", apply, server.Count(route53test.GetChange))
	}
}

// TestRequestBudgetOfManyZones: one request a zone, besides one for each
// hundred, and never one that is refused for being too early.
func TestRequestBudgetOfManyZones(t *testing.T) {
	t.Parallel()
	for _, count := range []int{20, 21, 500} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			t.Parallel()
			c := &clock{now: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
			begin := c.now
			server := &route53test.Server{Now: c.time}
			s := settings(server)
			var told diary
			s.PerSecond, s.Burst, s.Now, s.Sleep, s.Tell = 10, 50, c.time, c.sleep, told.tell
			h := host(t, s)
			var zones []*provider.Zone
			for i := range count {
				name := records.Name(fmt.Sprintf("z%d.example", i))
				server.AddZone(name, false)
				zone, err := h.Zone(name, "")
				if err != nil {
					t.Fatal(err)
				}
				zones = append(zones, zone)
			}
			for _, zone := range zones {
				read(t, zone)
			}
			want := count + (count+99)/100
			if count <= 20 {
				want = 2 * count
			}
			if n := server.Count(); n != want {
				t.Errorf("%d requests, want %d", n, want)
			}
			if took := c.time().Sub(begin).Seconds(); took > max(float64(want-50), 0)/10+0.2 {
				t.Errorf("it took %.1f s, although the quota admits more", took)
			}
			if slices.ContainsFunc(told.lines, func(line string) bool { return strings.Contains(line, "Throttling") }) {
				t.Errorf("the service had to ask for patience: %q", told.lines)
			}
		})
	}
}

// TestListsOnce although many ask at the same time.
func TestListsOnce(t *testing.T) {
	t.Parallel()
	server := &route53test.Server{}
	h := host(t, settings(server))
	var zones []*provider.Zone
	for i := range 30 {
		name := records.Name(fmt.Sprintf("z%d.example", i))
		server.AddZone(name, false)
		zone, err := h.Zone(name, "")
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, zone)
	}
	var group sync.WaitGroup
	for _, zone := range zones {
		group.Go(func() {
			if _, err := zone.Read(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := server.Count(route53test.ListHostedZones, route53test.ListHostedZonesByName); n != 1 {
		t.Errorf("%d lists, want 1", n)
	}
}

func TestListZones(t *testing.T) {
	t.Parallel()
	server := &route53test.Server{}
	for i := range 101 {
		server.AddZone(records.Name(fmt.Sprintf("z%03d.example", i)), i == 50)
	}
	got, err := host(t, settings(server)).Zones(t.Context())
	if err != nil || len(got) != 100 || got[0] != "z000.example" || slices.Contains(got, "z050.example") {
		t.Errorf("%d zones, error %v: %v", len(got), err, got)
	}
}
