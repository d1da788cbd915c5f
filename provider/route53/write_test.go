package route53_test

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/provider/providertest/route53test"
	"github.com/attunelogic/maildns/records"
)

// before gives the moment right before the first change of sets to somebody
// else.
func before(server *route53test.Server, act func()) {
	done := false
	server.Intercept = func(c route53test.Call) *route53test.Fault {
		if c.Action == route53test.ChangeResourceRecordSets && !done {
			done = true
			act()
		}
		return nil
	}
}

// TestEditBetweenReadAndWrite: what somebody else changes after our last read
// is found out by the service, and nothing is written.
func TestEditBetweenReadAndWrite(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]records.RRset{
		"another value":   set("@", "TXT", 3600, "v=spf1 include:theirs.example -all", "token"),
		"a value more":    set("@", "TXT", 3600, "v=spf1 -all", "token", "theirs"),
		"another TTL":     set("@", "TXT", 60, "v=spf1 -all", "token"),
		"gone":            {Key: key("@", "TXT")},
		"as it is to be":  set("@", "TXT", 300, "v=spf1 ~all", "token"),
		"the new one, so": set("new", "MX", 300, "10 a.example"),
		"the new one":     set("new", "MX", 300, "0 ."),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, id := world(set("@", "TXT", 3600, "v=spf1 -all", "token"), set("old", "TXT", 60, "x"))
			zone := open(t, settings(server))
			z := read(t, zone)
			before(server, func() { server.Put(id, edit) })
			err := zone.Write(t.Context(), []records.Change{
				to(z, set("@", "TXT", 300, "v=spf1 ~all", "token")), to(z, set("new", "MX", 300, "10 a.example")), to(z, records.RRset{Key: key("old", "TXT")}),
			})
			var stale *records.StaleError
			if !errors.As(err, &stale) || stale.Key != edit.Key {
				t.Fatalf("error %v, want a StaleError of %s", err, edit.Key)
			}
			want := z.With(edit)
			if got := server.Records(id); !got.Equal(want) {
				t.Error(cmp.Diff(want.Sets(), got.Sets()))
			}
		})
	}
}

// TestForeignFormsStay: a value that is not ours keeps its strings and escapes,
// and a DELETE repeats them; ours are cut anew.
func TestForeignFormsStay(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	foreign := []string{`"a" "b"`, `"c""d"`, `"\145\040f"`, `"g"   "h"`, `"v=DKIM1\; k=rsa"`, `"i" "j"`, `"ij"`, `"kl"`, `"k" "l"`}
	server, id := world()
	server.PutSet(id, raw("example.com", "TXT", 3600, append([]string{`"v=spf1 " "-all"`}, foreign...)...))
	server.PutSet(id, raw("example.com", "MX", 3600, "10 Mail.Example.NET", "020 b.example."))
	zone := open(t, settings(server))
	z := read(t, zone)
	texts, _ := z.Set(key("@", "TXT"))
	ours := append([]records.Value{records.Value(long)}, texts.Values...)
	after := set("@", "TXT", 300, ours...)
	if err := zone.Write(t.Context(), []records.Change{to(z, after), to(z, set("@", "MX", 3600, "10 mail.example.net", "30 c.example"))}); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"TXT": append([]string{`"v=spf1 " "-all"`, `"` + long[:255] + `" "` + long[255:] + `"`}, foreign...),
		"MX":  {"10 Mail.Example.NET", "30 c.example."},
	}
	for _, s := range server.Sets(id) {
		for _, v := range want[s.Type] {
			if !strings.Contains(fmt.Sprintf("%q", s.ResourceRecords), fmt.Sprintf("{%q}", v)) {
				t.Errorf("%s has no %s: %q", s.Type, v, s.ResourceRecords)
			}
		}
		if n := len(want[s.Type]); n > 0 && n != len(s.ResourceRecords) {
			t.Errorf("%s has %d values, want %d", s.Type, len(s.ResourceRecords), n)
		}
	}
}

// TestRechunked: somebody stores the same values in another form between our
// read and our write. Nothing else has changed, so the write is repeated with
// that.
func TestRechunked(t *testing.T) {
	t.Parallel()
	server, id := world()
	server.PutSet(id, raw("example.com", "TXT", 60, `"ab"`, `"x"`))
	zone := open(t, settings(server))
	z := read(t, zone)
	before(server, func() { server.PutSet(id, raw("example.com", "TXT", 60, `"a" "b"`, `"x"`)) })
	if err := zone.Write(t.Context(), []records.Change{to(z, set("@", "TXT", 60, "ab", "y"))}); err != nil {
		t.Fatal(err)
	}
	want := []route53test.Record{{Value: `"a" "b"`}, {Value: `"y"`}}
	for _, s := range server.Sets(id) {
		if s.Type == "TXT" && !reflect.DeepEqual(s.ResourceRecords, want) {
			t.Errorf("%v", s.ResourceRecords)
		}
	}
	if n := server.Count(route53test.ChangeResourceRecordSets); n != 2 {
		t.Errorf("%d requests that write, want 2", n)
	}
}

// TestOwnConflictIsTold: a refusal that is nobody's edit is told in the
// service's words, once.
func TestOwnConflictIsTold(t *testing.T) {
	t.Parallel()
	server, id := world(set("a", "TXT", 60, "x"))
	zone := open(t, settings(server))
	z := read(t, zone)
	err := zone.Write(t.Context(), []records.Change{to(z, set("a", "CNAME", 60, "b.example"))})
	if err == nil || errors.As(err, new(*records.StaleError)) || !strings.Contains(err.Error(), "conflicts with other records") {
		t.Errorf("error %v", err)
	}
	if got := server.Records(id); !got.Equal(z) {
		t.Errorf("%v", got.Sets())
	}
	if n := server.Count(route53test.ChangeResourceRecordSets); n != 1 {
		t.Errorf("%d attempts, want 1", n)
	}
}

// TestSplit: what is beyond the quotas goes in several batches, each of which
// the service takes, and is said not to be one transaction.
func TestSplit(t *testing.T) {
	t.Parallel()
	addresses := func(n, from int) (values []records.Value) {
		for i := range n {
			values = append(values, records.Value(fmt.Sprintf("192.0.%d.%d", (from+i)/256, (from+i)%256)))
		}
		return values
	}
	many := func(sets, values int) (out []records.RRset) {
		for i := range sets {
			out = append(out, set(fmt.Sprintf("n%03d", i), "A", 60, addresses(values, i)...))
		}
		return out
	}
	texts := func(sets, length int, with string) (out []records.RRset) {
		for i := range sets {
			out = append(out, set(fmt.Sprintf("t%03d", i), "TXT", 60, records.Value(strings.Repeat(with, length))))
		}
		return out
	}
	cases := []struct {
		name    string
		sets    []records.RRset
		batches int
	}{
		{"1,000 values", many(10, 100), 1},
		{"1,001 values", append(many(10, 100), set("z", "A", 60, "192.0.2.1")), 2},
		{"32,000 characters", texts(32, 998, "x"), 2}, // with quotation marks and spaces more
		{"31,000 characters", texts(31, 998, "x"), 1},
		{"escapes count", texts(31, 300, "\x00"), 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, id := world()
			zone := open(t, settings(server))
			z := read(t, zone)
			var changes, back []records.Change
			for _, s := range c.sets {
				changes = append(changes, to(z, s))
				back = append(back, to(z, s).Reverse())
			}
			for _, step := range []struct {
				changes []records.Change
				want    records.Zone
			}{{changes, z.With(c.sets...)}, {back, z}} {
				sent := server.Count(route53test.ChangeResourceRecordSets)
				if got := zone.Transactional(step.changes); got != (c.batches == 1) {
					t.Errorf("transactional: %v", got)
				}
				if err := zone.Write(t.Context(), step.changes); err != nil {
					t.Fatal(err)
				}
				if n := server.Count(route53test.ChangeResourceRecordSets) - sent; n != c.batches {
					t.Errorf("%d batches, want %d", n, c.batches)
				}
				if got := server.Records(id); !got.Equal(step.want) {
					t.Error(cmp.Diff(step.want.Sets(), got.Sets()))
				}
				read(t, zone)
			}
		})
	}
}

// TestSplitKeepsNamesTogether: no batch ends between the two changes that turn
// a CNAME into another record.
func TestSplitKeepsNamesTogether(t *testing.T) {
	t.Parallel()
	server, id := world()
	zone := open(t, settings(server))
	var sets []records.RRset
	for i := range 10 {
		name := fmt.Sprintf("k%02d", i)
		server.Put(id, set(name, "CNAME", 60, "a.example"))
		sets = append(sets, records.RRset{Key: key(name, "CNAME")}, set(name, "TXT", 60, records.Value(strings.Repeat("x", 3900))))
	}
	z := read(t, zone)
	var changes []records.Change
	for _, s := range sets {
		changes = append(changes, to(z, s))
	}
	if err := zone.Write(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	if got := server.Records(id); !got.Equal(z.With(sets...)) {
		t.Errorf("%v", got.Sets())
	}
}

// TestSecondBatchFails: then it is no longer true that nothing was written.
func TestSecondBatchFails(t *testing.T) {
	t.Parallel()
	server, id := world()
	zone := open(t, settings(server))
	z := read(t, zone)
	var changes []records.Change
	for i := range 20 {
		changes = append(changes, to(z, set(fmt.Sprintf("t%02d", i), "TXT", 60, records.Value(strings.Repeat("x", 3900)))))
	}
	batches := 0
	server.Intercept = func(c route53test.Call) *route53test.Fault {
		if c.Action == route53test.ChangeResourceRecordSets {
			if batches++; batches == 2 {
				server.Put(id, set("t15", "TXT", 60, "theirs"))
			}
		}
		return nil
	}
	err := zone.Write(t.Context(), changes)
	if err == nil || errors.As(err, new(*records.StaleError)) || !strings.Contains(err.Error(), "t15.example.com TXT is no longer as it was read") {
		t.Fatalf("error %v", err)
	}
	var first int
	for s := range server.Records(id).All() {
		if s.Type == "TXT" && s.Values[0] != "theirs" {
			first++
		}
	}
	if first != 8 {
		t.Errorf("%d sets of the first batch are there, want 8", first)
	}
}

func TestValueTooLong(t *testing.T) {
	t.Parallel()
	server, id := world(set("a", "TXT", 60, "x"))
	zone := open(t, settings(server))
	z := read(t, zone)
	err := zone.Write(t.Context(), []records.Change{to(z, set("a", "TXT", 60, records.Value(strings.Repeat(`"`, 2000)))), to(z, set("b", "TXT", 60, "y"))})
	if err == nil || !strings.Contains(err.Error(), "a.example.com TXT") || !strings.Contains(err.Error(), "at most 4000") {
		t.Errorf("error %v", err)
	}
	if got := server.Records(id); !got.Equal(z) || server.Count(route53test.ChangeResourceRecordSets) != 0 {
		t.Errorf("something was sent: %v", got.Sets())
	}
	if err := zone.Write(t.Context(), []records.Change{to(z, set("a", "TXT", 60, records.Value(strings.Repeat("x", 3950))))}); err != nil {
		t.Errorf("what the limits admit is refused: %v", err)
	}
}

// TestFaults: each request of an apply fails in each way. The zone is old or
// new, no failure is swallowed, and what was refused for certain is repeated.
func TestFaults(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset by peer")
	faults := map[string]struct {
		fault  route53test.Fault
		mended bool // by repeating the request, whichever it is
	}{
		"throttled":            {*route53test.Throttled(), true},
		"busy":                 {*route53test.Busy(), true},
		"500":                  {route53test.Fault{Status: http.StatusInternalServerError, Code: "InternalError", Message: "internal error"}, false},
		"500, done":            {route53test.Fault{Status: http.StatusInternalServerError, Code: "InternalError", Message: "internal error", Done: true}, false},
		"HTML 502":             {route53test.Fault{Status: http.StatusBadGateway, Body: "<html>bad gateway"}, false},
		"HTML 502, done":       {route53test.Fault{Status: http.StatusBadGateway, Body: "<html>bad gateway", Done: true}, false},
		"timeout":              {route53test.Fault{Err: broken}, false},
		"timeout, done":        {route53test.Fault{Err: broken, Done: true}, false},
		"cut at the beginning": {route53test.Fault{Cut: 1}, false},
		"cut in the middle":    {route53test.Fault{Cut: 200}, false},
		"denied":               {route53test.Fault{Status: http.StatusForbidden, Code: "AccessDenied", Message: "no"}, false},
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at := 0; ; at++ {
				server, id := world(set("@", "TXT", 3600, "v=spf1 -all", "token"), set("@", "MX", 60, "10 a.example", "20 b.example"))
				server.PendingPolls = 1
				reached := false
				server.Intercept = func(c route53test.Call) *route53test.Fault {
					if c.Number != at {
						return nil
					}
					reached = true
					return &f.fault
				}
				zone := open(t, settings(server))
				old := server.Records(id)
				goal := []records.RRset{set("@", "TXT", 300, "v=spf1 ~all", "token"), set("@", "MX", 60, "10 a.example"), set("n", "TXT", 60, "x")}
				z, err := zone.Read(t.Context())
				if err == nil {
					var changes []records.Change
					for _, s := range goal {
						changes = append(changes, to(z, s))
					}
					err = zone.Write(t.Context(), changes)
				}
				now := server.Records(id)
				isNew := now.Equal(old.With(goal...))
				if !isNew && !now.Equal(old) {
					t.Fatalf("request %d: the zone is half changed: %v", at, now.Sets())
				}
				if err == nil && !isNew {
					t.Errorf("request %d: the failure was swallowed", at)
				}
				if f.mended && err != nil {
					t.Errorf("request %d was not repeated: %v", at, err)
				}
				if writes := server.Count(route53test.ChangeResourceRecordSets); !f.mended && writes > 1 {
					t.Errorf("request %d: a change whose fate is unknown was repeated", at)
				}
				if !reached {
					return
				}
			}
		})
	}
}

// TestThrottledForEver ends, and says what to do.
func TestThrottledForEver(t *testing.T) {
	t.Parallel()
	server, _ := world()
	server.Intercept = func(route53test.Call) *route53test.Fault { return route53test.Throttled() }
	s := settings(server)
	var told diary
	s.Tell = told.tell
	if _, err := open(t, s).Read(t.Context()); err == nil || !strings.Contains(err.Error(), "rate_share") {
		t.Errorf("error %v", err)
	}
	if n := server.Count(); n < 5 || n > 10 || len(told.lines) != n-1 || !strings.Contains(told.lines[0], "Throttling") {
		t.Errorf("%d requests, told %q", n, told.lines)
	}
}
