package route53_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider/providertest/route53test"
	"github.com/attunelogic/maildns/records"
)

// TestWaitForAllServers: a write returns when all name servers have the change.
// Where that can't be found out it is told, and the write is none the worse.
func TestWaitForAllServers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		pending int
		denied  []route53test.Action
		polls   int
		told    []string
		within  time.Duration
	}{
		{"at once", 0, nil, 1, []string{"waiting until all name servers"}, 5 * time.Second},
		{"after a while", 3, nil, 4, []string{"waiting"}, time.Minute},
		{"never", 1000, nil, 8, []string{"waiting", "is still PENDING after 2m"}, 150 * time.Second},
		{"not allowed to ask", 1, []route53test.Action{route53test.GetChange}, 1, []string{"waiting", "lack the permission route53:GetChange"}, 5 * time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, id := world()
			server.PendingPolls, server.Denied = c.pending, c.denied
			s := settings(server)
			var told diary
			time := &clock{}
			begin := time.time()
			s.Tell, s.Now, s.Sleep = told.tell, time.time, time.sleep
			zone := open(t, s)
			want := set("a", "TXT", 60, "x")
			if err := zone.Write(t.Context(), []records.Change{to(read(t, zone), want)}); err != nil {
				t.Fatal(err)
			}
			if got, _ := server.Records(id).Set(want.Key); !got.Equal(want) {
				t.Errorf("the zone holds %v", got)
			}
			if n := server.Count(route53test.GetChange); n != c.polls {
				t.Errorf("%d polls, want %d", n, c.polls)
			}
			if took := time.time().Sub(begin); took > c.within {
				t.Errorf("it waited %s, want at most %s", took, c.within)
			}
			if len(told.lines) != len(c.told) {
				t.Fatalf("told %q", told.lines)
			}
			for i, part := range c.told {
				if !strings.Contains(told.lines[i], part) || !strings.Contains(told.lines[i], string(zoneName)) {
					t.Errorf("told %q, want %q", told.lines[i], part)
				}
			}
		})
	}
}

// TestCancelWhileWaiting: the change is made, so there is no error, and no more
// waiting.
func TestCancelWhileWaiting(t *testing.T) {
	t.Parallel()
	server, id := world()
	server.PendingPolls = 1000
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := settings(server)
	var told diary
	s.Tell = told.tell
	s.Sleep = func(ctx context.Context, d time.Duration) error {
		if d > 0 && server.Count(route53test.GetChange) == 2 {
			cancel()
		}
		return ctx.Err()
	}
	zone := open(t, s)
	want := set("a", "TXT", 60, "x")
	if err := zone.Write(ctx, []records.Change{to(read(t, zone), want)}); err != nil {
		t.Errorf("error %v, although the change is made", err)
	}
	if got, _ := server.Records(id).Set(want.Key); !got.Equal(want) || server.Count(route53test.GetChange) != 2 {
		t.Errorf("the zone holds %v after %d polls", got, server.Count(route53test.GetChange))
	}
	if last := told.lines[len(told.lines)-1]; !strings.Contains(last, "context canceled") {
		t.Errorf("told %q", told.lines)
	}
}
