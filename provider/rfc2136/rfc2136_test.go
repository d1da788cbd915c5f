package rfc2136_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/providertest/updatetest"
	"github.com/attunelogic/maildns/provider/rfc2136"
	"github.com/attunelogic/maildns/records"
)

const zoneName records.Name = "example.com"

var goodKey = rfc2136.Key{Name: updatetest.KeyName, Algorithm: updatetest.Algorithm, Secret: updatetest.Secret}

func open(t *testing.T, server updatetest.Primary, key rfc2136.Key) *rfc2136.Provider {
	t.Helper()
	p, err := rfc2136.New(server.Addr, key)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func set(name string, t records.Type, ttl records.TTL, values ...records.Value) records.RRset {
	return records.NewRRset(records.Key{Name: records.Below(name, zoneName), Type: t}, ttl, values...)
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

func read(t *testing.T, p *rfc2136.Provider) records.Zone {
	t.Helper()
	z, err := p.ReadZone(t.Context(), zoneName)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func holds(t *testing.T, server *updatetest.Server, want ...records.RRset) {
	t.Helper()
	got := server.Look(t).Sets()
	if diff := cmp.Diff(records.NewZone(zoneName, 0, want...).Sets(), got, cmp.Comparer(records.RRset.Equal)); diff != "" {
		t.Errorf("the zone is not as it should be: -want +got\n%s", diff)
	}
}

// asked counts what do asks of the server.
func asked(server *updatetest.Server, do func()) (transfers, updates int) {
	t0, u0 := server.Counts()
	do()
	t1, u1 := server.Counts()
	return t1 - t0, u1 - u0
}

// TestRequests: one transfer to read, one update to write, one transfer to read
// back.
func TestRequests(t *testing.T) {
	t.Parallel()
	server := updatetest.Start(t, zoneName)
	server.Put(t, set("@", "TXT", 300, "v=spf1 -all", "foreign"), set("old", "TXT", 300, "x"))
	p := open(t, server.Primary, goodKey)
	goal := []records.RRset{set("@", "TXT", 60, "v=spf1 ~all", "foreign"), set("new", "MX", 300, "10 a.example")}
	transfers, updates := asked(server, func() {
		z := read(t, p)
		changes := []records.Change{to(z, goal[0]), to(z, goal[1]), to(z, set("old", "TXT", 0))}
		if err := p.Transact(t.Context(), zoneName, changes); err != nil {
			t.Fatal(err)
		}
		read(t, p)
	})
	if transfers != 2 || updates != 1 {
		t.Errorf("%d transfers and %d updates, want 2 and 1", transfers, updates)
	}
	holds(t, server, goal...)

	// Without a read before, the write needs one. What changes nothing needs none.
	z := read(t, p)
	fresh := p.Fork()
	same := []records.Change{to(z, goal[0])}
	for changes, want := range map[*[]records.Change][2]int{
		{to(z, set("new", "MX", 300, "20 a.example"))}: {1, 1},
		&same: {0, 0},
	} {
		transfers, updates := asked(server, func() {
			if err := fresh.Transact(t.Context(), zoneName, *changes); err != nil {
				t.Fatal(err)
			}
		})
		if got := [2]int{transfers, updates}; got != want {
			t.Errorf("%v needs %d transfers and updates, want %d", *changes, got, want)
		}
	}
}

// TestStoredForm: a stranger's text keeps the strings that it is cut into, and
// a prerequisite repeats them.
func TestStoredForm(t *testing.T) {
	t.Parallel()
	server := updatetest.Start(t, zoneName)
	server.Add(t, `example.com. 300 IN TXT "v=spf1 -all"`, `example.com. 300 IN TXT "for" "eign"`, `Example.COM. 300 IN MX 10 Mail.Example.net.`,
		`_dmarc.example.com. 300 IN TXT "v=DMARC1; p=none" "; rua=mailto:a@example.com"`, `a.example.com. 300 IN TYPE65400 \# 3 0a0b0c`)
	p := open(t, server.Primary, goodKey)
	z := read(t, p)
	want := []records.RRset{
		set("@", "TXT", 300, "foreign", "v=spf1 -all"), set("@", "MX", 300, "10 mail.example.net"),
		set("_dmarc", "TXT", 300, "v=DMARC1; p=none; rua=mailto:a@example.com"), set("a", "TYPE65400", 300, `\# 3 0a0b0c`),
	}
	holds(t, server, want...)
	for _, s := range want {
		if got, _ := z.Set(s.Key); !got.Equal(s) {
			t.Errorf("%s is read as %v, want %v", s.Key, got, s)
		}
	}
	changes := []records.Change{
		to(z, set("@", "TXT", 60, "foreign", "v=spf1 ~all")), to(z, set("_dmarc", "TXT", 0)), to(z, set("@", "MX", 60, "10 mail.example.net", "20 b.example")),
		to(z, set("a", "TYPE65400", 60, `\# 3 0a0b0c`)),
	}
	if err := p.Transact(t.Context(), zoneName, changes); err != nil {
		t.Fatal(err)
	}
	wantLines := []string{
		"a.example.com. 60 CLASS1 TYPE65400 \\# 3 0a0b0c", "example.com. 3600 IN NS ns.invalid.", "Example.COM. 60 IN MX 10 Mail.Example.net.",
		"example.com. 60 IN MX 20 b.example.", `example.com. 60 IN TXT "for" "eign"`, `example.com. 60 IN TXT "v=spf1 ~all"`,
	}
	slices.Sort(wantLines)
	if diff := cmp.Diff(wantLines, server.Records(t)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestEditBetween: what somebody changes after our last look is found by the
// server itself, and nothing is written.
func TestEditBetween(t *testing.T) {
	t.Parallel()
	ours := set("@", "TXT", 300, "v=spf1 -all", "foreign")
	cases := map[string]records.RRset{
		"a value":           set("@", "TXT", 300, "v=spf1 mx -all", "foreign"),
		"a foreign joined":  set("@", "TXT", 300, "v=spf1 -all", "foreign", "third"),
		"the TTL alone":     set("@", "TXT", 60, "v=spf1 -all", "foreign"),
		"the set went away": set("@", "TXT", 0),
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := updatetest.Start(t, zoneName)
			server.Put(t, ours)
			p := open(t, server.Primary, goodKey)
			z := read(t, p)
			server.Edit(t, edit)
			serial := server.Serial(t)
			err := p.Transact(t.Context(), zoneName, []records.Change{to(z, set("0", "TXT", 60, "of the same write")), to(z, set("@", "TXT", 300, "v=spf1 ~all", "foreign"))})
			var stale *records.StaleError
			if !errors.As(err, &stale) || stale.Key != ours.Key {
				t.Errorf("error %v, want a StaleError of %s", err, ours.Key)
			}
			holds(t, server, edit)
			if server.Serial(t) != serial {
				t.Error("the serial has moved")
			}
		})
	}
}

// TestNeighboursMayChange: other sets may change, and a zone that never stands
// still can be written all the same.
func TestNeighboursMayChange(t *testing.T) {
	t.Parallel()
	server := updatetest.Start(t, zoneName)
	server.Put(t, set("@", "TXT", 300, "x"))
	for _, edits := range []int{1, 100} {
		p := open(t, server.Primary, goodKey)
		z := read(t, p)
		left := edits
		p.Dial = updatetest.DialAround(func(request func() error) error {
			if left--; left >= 0 {
				server.Edit(t, set("clock", "TXT", 60, records.Value(time.Now().String())))
			}
			return request()
		})
		goal := set("@", "TXT", 300, records.Value(fmt.Sprint("y", edits)))
		if err := p.Transact(t.Context(), zoneName, []records.Change{to(z, goal)}); err != nil {
			t.Fatalf("%d edits: %v", edits, err)
		}
		if got, _ := server.Look(t).Set(goal.Key); !got.Equal(goal) {
			t.Errorf("%d edits: the zone holds %v", edits, got)
		}
	}
}

// TestSignerBetween: where the zone that takes updates has another serial than
// the one that is transferred, as with BIND's inline-signing, the SOA is no
// prerequisite, and that is found out once. Each write is then followed by a
// look whether it has come through.
func TestSignerBetween(t *testing.T) {
	t.Parallel()
	server := updatetest.Start(t, zoneName)
	server.OtherSerial = true
	p := open(t, server.Primary, goodKey)
	for i, want := range [][2]int{{3, 2}, {2, 1}} {
		goal := set("@", "TXT", 300, records.Value(fmt.Sprint(i)))
		transfers, updates := asked(server, func() {
			z := read(t, p)
			if err := p.Transact(t.Context(), zoneName, []records.Change{to(z, goal)}); err != nil {
				t.Fatal(err)
			}
		})
		if got := [2]int{transfers, updates}; got != want {
			t.Errorf("write %d needs %d transfers and updates, want %d", i+1, got, want)
		}
		holds(t, server, goal)
	}
}

// TestRefusalsExplain: an error says what is the matter and what to do, and
// contains no secret.
func TestRefusalsExplain(t *testing.T) {
	t.Parallel()
	unknown, wrong, other := goodKey, goodKey, goodKey
	unknown.Name, wrong.Secret, other.Algorithm = "nobody", "d3Jvbmc=", "hmac-sha512"
	type world struct {
		key    rfc2136.Key
		zone   records.Name
		skew   time.Duration
		server func(*updatetest.Server)
	}
	cases := []struct {
		name   string
		world  world
		doing  string
		naming []string
	}{
		{"unknown key", world{key: unknown}, "transfer", []string{"BADKEY", "no key nobody", "key_name"}},
		{"other algorithm", world{key: other}, "transfer", []string{"BADKEY", "hmac-sha512", "key_alg"}},
		{"wrong secret", world{key: wrong}, "transfer", []string{"BADSIG", "compare key"}},
		{"clock", world{skew: -time.Hour}, "transfer", []string{"BADTIME", "by 3600 seconds", "clock"}},
		{"unknown zone", world{zone: "example.org"}, "transfer", []string{"NOTAUTH", "primary"}},
		{"transfer denied", world{server: func(s *updatetest.Server) { s.DenyTransfer = true }}, "transfer", []string{"REFUSED", "allow-transfer", "TSIG-ALLOW-AXFR"}},
		{"update denied", world{server: func(s *updatetest.Server) { s.Denied = []records.Key{set("@", "TXT", 0).Key} }}, "update", []string{"REFUSED", "update-policy", "TSIG-ALLOW-DNSUPDATE"}},
		{"SERVFAIL", world{server: broken(updatetest.Fault{Misdeed: updatetest.Refuse, Rcode: dns.RcodeServerFailure})}, "update", []string{"SERVFAIL", "log"}},
		{"NOTIMP", world{server: broken(updatetest.Fault{Misdeed: updatetest.Refuse, Rcode: dns.RcodeNotImplemented})}, "update", []string{"NOTIMP", "BIND"}},
		{"NOTZONE", world{server: broken(updatetest.Fault{Misdeed: updatetest.Refuse, Rcode: dns.RcodeNotZone})}, "update", []string{"NOTZONE", "zone"}},
		{"FORMERR", world{server: broken(updatetest.Fault{Misdeed: updatetest.Refuse, Rcode: dns.RcodeFormatError})}, "update", []string{"FORMERR"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := updatetest.Start(t, zoneName)
			w := c.world
			if w.key == (rfc2136.Key{}) {
				w.key = goodKey
			}
			if w.zone == "" {
				w.zone = zoneName
			}
			if w.server != nil {
				w.server(server)
			}
			p := open(t, server.Primary, w.key)
			p.Now = func() time.Time { return time.Now().Add(w.skew) }
			after := set("@", "TXT", 300, "x")
			err := p.Transact(t.Context(), w.zone, []records.Change{{Key: after.Key, After: &after}})
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range append(c.naming, server.Addr, "refuses the "+c.doing) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error %q doesn't say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), w.key.Secret) {
				t.Errorf("the error %q tells the secret", err)
			}
		})
	}
}

// broken lets the transfer pass, and what follows go wrong.
func broken(f updatetest.Fault) func(*updatetest.Server) {
	return func(s *updatetest.Server) { s.Break(updatetest.Fault{}, f) }
}

// TestFaults: after every fault of a transfer or an update the error is not
// swallowed, the zone is old or new, and the connection is closed.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, misdeed := range []updatetest.Misdeed{
		updatetest.Refuse, updatetest.Hangup, updatetest.Lose, updatetest.Cut, updatetest.Unsigned,
		updatetest.Forged, updatetest.Late, updatetest.Stranger, updatetest.Garbage,
	} {
		for at := range 2 {
			t.Run(fmt.Sprint(misdeed, at), func(t *testing.T) {
				t.Parallel()
				server := updatetest.Start(t, zoneName)
				before, after := set("@", "TXT", 300, "x"), set("@", "TXT", 300, "y")
				server.Put(t, before)
				p := open(t, server.Primary, goodKey)
				counted := count(p)
				server.Break(append(make([]updatetest.Fault, at), updatetest.Fault{Misdeed: misdeed, Rcode: dns.RcodeServerFailure})...)
				err := p.Transact(t.Context(), zoneName, []records.Change{{Key: before.Key, Before: &before, After: &after}})
				if err == nil || errors.As(err, new(*records.StaleError)) {
					t.Errorf("error %v", err)
				}
				if left := counted.Load(); left != 0 {
					t.Errorf("%d connections are open", left)
				}
				// A lost answer is one of an update that was made.
				now, _ := server.Look(t).Set(before.Key)
				if !now.Equal(before) && (at == 0 || !now.Equal(after)) {
					t.Errorf("the zone holds %v", now)
				}
			})
		}
	}
}

// count counts the connections that are open.
func count(p *rfc2136.Provider) *atomic.Int32 {
	var n atomic.Int32
	dial := p.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	p.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		n.Add(1)
		return &counted{Conn: conn, closed: sync.OnceFunc(func() { n.Add(-1) })}, nil
	}
	return &n
}

type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}

// TestForgedSuccess: a NOERROR that anybody may have sent is no success, and a
// forged refusal proves nothing either.
func TestForgedSuccess(t *testing.T) {
	t.Parallel()
	server := updatetest.Start(t, zoneName)
	after := set("@", "TXT", 300, "y")
	p := open(t, server.Primary, goodKey)
	server.Break(updatetest.Fault{}, updatetest.Fault{Misdeed: updatetest.Unsigned})
	err := p.Transact(t.Context(), zoneName, []records.Change{{Key: after.Key, After: &after}})
	if err == nil || !strings.Contains(err.Error(), "not signed with the key") {
		t.Errorf("error %v", err)
	}
}

// TestContext: the end of the context ends a wait of any kind, and leaves no
// connection open.
func TestContext(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]updatetest.Fault{
		"a silent transfer":   {{Misdeed: updatetest.Silence}},
		"an endless transfer": {{Misdeed: updatetest.Endless}},
		"a silent update":     {{}, {Misdeed: updatetest.Silence}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := updatetest.Start(t, zoneName)
			p := open(t, server.Primary, goodKey)
			ctx, cancel := context.WithCancel(t.Context())
			questions := 0
			p.Dial = updatetest.DialAround(func(request func() error) error {
				if questions++; questions == len(faults) {
					cancel()
				}
				return request()
			})
			connections := count(p)
			server.Break(faults...)
			after := set("@", "TXT", 300, "y")
			err := p.Transact(ctx, zoneName, []records.Change{{Key: after.Key, After: &after}})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			if n := connections.Load(); n != 0 {
				t.Errorf("%d connections are open", n)
			}
		})
	}
}

// TestConnectionsAreFew: a server bears some connections at a time, whoever
// asks.
func TestConnectionsAreFew(t *testing.T) {
	t.Parallel()
	server := updatetest.Start(t, zoneName)
	p := open(t, server.Primary, goodKey)
	connections := count(p)
	var most atomic.Int32
	dial := p.Dial
	p.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		for n := connections.Load(); n > most.Load(); n = connections.Load() {
			most.Store(n)
		}
		return conn, err
	}
	var group sync.WaitGroup
	for range 40 {
		one := p.Fork()
		group.Go(func() {
			if _, err := one.ReadZone(t.Context(), zoneName); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if most.Load() > 8 || connections.Load() != 0 {
		t.Errorf("%d connections at a time, %d left", most.Load(), connections.Load())
	}
}

func TestOwnNSStay(t *testing.T) {
	t.Parallel()
	server := updatetest.Start(t, zoneName)
	p := open(t, server.Primary, goodKey)
	z := read(t, p)
	own, _ := z.Set(set("@", "NS", 0).Key)
	if own.Fixed == "" {
		t.Fatal("the zone's own name servers may be written")
	}
	if err := p.Transact(t.Context(), zoneName, []records.Change{to(z, set("@", "NS", 300, "ns.example.net"))}); err == nil {
		t.Error("they were written")
	}
}

// TestCheckAccess says what a key is good for, and writes nothing.
func TestCheckAccess(t *testing.T) {
	t.Parallel()
	all := []records.Key{
		set("@", "TXT", 0).Key, set("@", "MX", 0).Key, set("_dmarc", "TXT", 0).Key, set("maildns-check._domainkey", "TXT", 0).Key,
		set("maildns-check._domainkey", "CNAME", 0).Key, set("_mta-sts", "TXT", 0).Key, set("mta-sts", "CNAME", 0).Key, set("_smtp._tls", "TXT", 0).Key,
	}
	cases := []struct {
		name   string
		server func(*updatetest.Server)
		facts  []string
		fails  string
	}{
		{"all is allowed", func(*updatetest.Server) {}, []string{"may transfer it: 2 record sets", "may change the records of mail"}, ""},
		{"in the order of the RFC", func(s *updatetest.Server) { s.PrerequisitesFirst = true }, []string{"may transfer", "may change"}, ""},
		{"some is not", func(s *updatetest.Server) { s.Denied = all[1:3] }, []string{"may transfer", "may not change example.com MX, _dmarc.example.com TXT"}, ""},
		{"nothing is", func(s *updatetest.Server) { s.Denied = all }, []string{"may transfer"}, "REFUSED"},
		{"no transfer", func(s *updatetest.Server) { s.DenyTransfer = true }, nil, "allow-transfer"},
		{"a server that heeds nothing", func(s *updatetest.Server) { s.Break(updatetest.Fault{}, updatetest.Fault{Misdeed: updatetest.Ignore}) }, []string{"may transfer"}, "don't let maildns write there"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := updatetest.Start(t, zoneName)
			server.Put(t, set("@", "TXT", 300, "x"))
			serial := server.Serial(t)
			c.server(server)
			facts, err := open(t, server.Primary, goodKey).CheckAccess(t.Context(), []records.Name{zoneName})
			if len(facts) != len(c.facts) {
				t.Fatalf("facts %q, want %q", facts, c.facts)
			}
			for i, part := range c.facts {
				if !strings.Contains(facts[i], part) {
					t.Errorf("%q doesn't say %q", facts[i], part)
				}
			}
			if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("error %v, want %q", err, c.fails)
			}
			server.DenyTransfer = false
			if server.Serial(t) != serial {
				t.Error("the zone has changed")
			}
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	cases := []struct {
		server string
		key    rfc2136.Key
		fault  string
	}{
		{"192.0.2.1:53", goodKey, ""},
		{"ns.example.net", rfc2136.Key{Name: "Key.", Secret: "eA=="}, ""},
		{"[2001:db8::1]:5353", rfc2136.Key{Name: "k", Algorithm: "HMAC-SHA512.", Secret: "eA=="}, ""},
		{"2001:db8::1", rfc2136.Key{Name: "k", Secret: "eA=="}, ""},
		{"", goodKey, "server"},
		{":53", goodKey, "server"},
		{"a b", goodKey, "server"},
		{"ns", rfc2136.Key{Secret: "eA=="}, "key_name"},
		{"ns", rfc2136.Key{Name: "k", Algorithm: "hmac-md5", Secret: "eA=="}, "key_alg"},
		{"ns", rfc2136.Key{Name: "k", Secret: "top secret"}, "key is not base64"},
		{"ns", rfc2136.Key{Name: "k"}, "key is not base64"},
	}
	for _, c := range cases {
		_, err := rfc2136.New(c.server, c.key)
		if (err != nil) != (c.fault != "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%q, key %q: error %v, want %q", c.server, c.key.Name, err, c.fault)
		}
		if err != nil && strings.Contains(err.Error(), "top secret") {
			t.Errorf("%v tells the secret", err)
		}
	}
}

// TestUnreachable names the server.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	p, err := rfc2136.New("192.0.2.1", goodKey)
	if err != nil {
		t.Fatal(err)
	}
	p.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }
	if _, err := p.ReadZone(t.Context(), zoneName); err == nil || !strings.Contains(err.Error(), "192.0.2.1:53 can't be reached: no route") {
		t.Errorf("error %v", err)
	}
}
