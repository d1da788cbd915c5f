//go:build servers

package rfc2136_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider/providertest/serverstest"
	"github.com/attunelogic/maildns/provider/providertest/updatetest"
	"github.com/attunelogic/maildns/provider/rfc2136"
	"github.com/attunelogic/maildns/records"
)

// everywhere runs a test against a server of each kind.
func everywhere(t *testing.T, test func(*testing.T, *serverstest.Server)) {
	t.Parallel()
	for _, kind := range serverstest.Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			test(t, kind.Start(t, zoneName))
		})
	}
}

// TestServerEditBetween: what somebody changes between our last look and our
// write is found by the server, which refuses; nothing is written.
func TestServerEditBetween(t *testing.T) {
	everywhere(t, func(t *testing.T, server *serverstest.Server) {
		ours := set("@", "TXT", 300, "v=spf1 -all", "foreign")
		for name, edit := range map[string]records.RRset{
			"a value":           set("@", "TXT", 300, "v=spf1 mx -all", "foreign"),
			"a foreign joined":  set("@", "TXT", 300, "v=spf1 -all", "foreign", "third"),
			"the TTL alone":     set("@", "TXT", 60, "v=spf1 -all", "foreign"),
			"the set went away": set("@", "TXT", 0),
		} {
			server.Put(t, ours)
			p := open(t, server.Primary, goodKey)
			z := read(t, p)
			server.Edit(t, edit)
			serial := server.Serial(t)
			questions := 0
			p.Dial = updatetest.DialAround(func(request func() error) error {
				questions++
				return request()
			})
			err := p.Transact(t.Context(), zoneName, []records.Change{to(z, set("0", "TXT", 60, "of the same write")), to(z, set("@", "TXT", 300, "v=spf1 ~all", "foreign"))})
			var stale *records.StaleError
			if !errors.As(err, &stale) || stale.Key != ours.Key {
				t.Errorf("%s: error %v, want a StaleError of %s", name, err, ours.Key)
			}
			if questions != 2 {
				t.Errorf("%s: %d questions, want the update that is refused and the transfer that says why", name, questions)
			}
			if want := records.NewZone(zoneName, 0, edit); !server.Look(t).Equal(want) || server.Serial(t) != serial {
				t.Errorf("%s: the zone has changed: %v", name, server.Look(t).Sets())
			}
		}
	})
}

// TestServerNeighboursMayChange: other sets may.
func TestServerNeighboursMayChange(t *testing.T) {
	everywhere(t, func(t *testing.T, server *serverstest.Server) {
		p := open(t, server.Primary, goodKey)
		z := read(t, p)
		server.Edit(t, set("neighbour", "TXT", 60, "x"))
		goal := set("@", "TXT", 300, "v=spf1 -all")
		if err := p.Transact(t.Context(), zoneName, []records.Change{to(z, goal)}); err != nil {
			t.Fatal(err)
		}
		if got, _ := server.Look(t).Set(goal.Key); !got.Equal(goal) {
			t.Errorf("the zone holds %v", got)
		}
	})
}

// TestServerStoredForm: a stranger's text stays as it is cut into strings.
func TestServerStoredForm(t *testing.T) {
	everywhere(t, func(t *testing.T, server *serverstest.Server) {
		server.Add(t, `example.com. 300 IN TXT "v=spf1 -all"`, `example.com. 300 IN TXT "for" "eign"`, `_dmarc.example.com. 300 IN TXT "v=DMARC1; p=none" "; rua=mailto:a@example.com"`)
		p := open(t, server.Primary, goodKey)
		z := read(t, p)
		changes := []records.Change{to(z, set("@", "TXT", 60, "foreign", "v=spf1 ~all")), to(z, set("_dmarc", "TXT", 0))}
		if err := p.Transact(t.Context(), zoneName, changes); err != nil {
			t.Fatal(err)
		}
		lines := strings.Join(server.Records(t), "\n")
		for _, want := range []string{`example.com. 60 IN TXT "for" "eign"`, `example.com. 60 IN TXT "v=spf1 ~all"`} {
			if !strings.Contains(lines, want) {
				t.Errorf("%s is not in the zone:\n%s", want, lines)
			}
		}
		if strings.Contains(lines, "_dmarc") {
			t.Errorf("_dmarc is still there:\n%s", lines)
		}
	})
}

// TestServerRefusalsExplain: what each server says to a wrong key, clock or
// zone becomes an error that says what to do.
func TestServerRefusalsExplain(t *testing.T) {
	unknown, wrong, other := goodKey, goodKey, goodKey
	unknown.Name, wrong.Secret, other.Algorithm = "nobody", "d3Jvbmc=", "hmac-sha512"
	everywhere(t, func(t *testing.T, server *serverstest.Server) {
		for _, c := range []struct {
			name   string
			key    rfc2136.Key
			zone   records.Name
			skew   time.Duration
			naming []string
		}{
			{"unknown key", unknown, zoneName, 0, []string{"key_name"}},
			{"other algorithm", other, zoneName, 0, []string{"key_alg"}},
			{"wrong secret", wrong, zoneName, 0, []string{"compare key"}},
			{"clock", goodKey, zoneName, -time.Hour, []string{"clock"}},
			{"unknown zone", goodKey, "example.org", 0, []string{"zone"}},
		} {
			p := open(t, server.Primary, c.key)
			p.Now = func() time.Time { return time.Now().Add(c.skew) }
			_, err := p.ReadZone(t.Context(), c.zone)
			t.Logf("%s, transfer: %v", c.name, err)
			_, probed := p.CheckAccess(t.Context(), []records.Name{c.zone})
			for _, err := range []error{err, probed} {
				if err == nil {
					t.Errorf("%s: no error", c.name)
					continue
				}
				for _, part := range append(c.naming, server.Addr) {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%s: the error %q doesn't say %q", c.name, err, part)
					}
				}
			}
		}
	})
}

// TestServerCheckAccess: what a key may do is found out without a change of the
// zone.
func TestServerCheckAccess(t *testing.T) {
	everywhere(t, func(t *testing.T, server *serverstest.Server) {
		serial := server.Serial(t)
		for _, c := range []struct {
			key     string
			allowed bool
		}{{updatetest.KeyName, true}, {serverstest.MailKey, true}, {serverstest.ReadKey, false}} {
			if c.key == serverstest.MailKey && server.Kind.Name == "PowerDNS" {
				continue // it knows no key that may change some of a zone
			}
			key := goodKey
			key.Name = c.key
			facts, err := open(t, server.Primary, key).CheckAccess(t.Context(), []records.Name{zoneName})
			t.Logf("%s: %q, %v", c.key, facts, err)
			if allowed := len(facts) == 2 && strings.Contains(facts[1], "may change the records of mail"); allowed != c.allowed || (err == nil) != c.allowed {
				t.Errorf("%s: facts %q, error %v", c.key, facts, err)
			}
			if err != nil && !strings.Contains(err.Error(), "refuses the update") {
				t.Errorf("%s: %v", c.key, err)
			}
		}
		if server.Serial(t) != serial {
			t.Error("the zone has changed")
		}
	})
}

// TestServerLeastPrivilege: the limited key can write what mail needs, and
// nothing else.
func TestServerLeastPrivilege(t *testing.T) {
	everywhere(t, func(t *testing.T, server *serverstest.Server) {
		if server.Kind.Name == "PowerDNS" {
			t.Skip("SKIPPED: PowerDNS knows no key that may change some of a zone")
		}
		mail := goodKey
		mail.Name = serverstest.MailKey
		p := open(t, server.Primary, mail)
		z := read(t, p)
		var changes []records.Change
		for _, s := range []records.RRset{
			set("@", "TXT", 300, "v=spf1 -all"), set("@", "MX", 300, "10 mx.example.net"), set("_dmarc", "TXT", 300, "v=DMARC1; p=none"),
			set("s1._domainkey", "TXT", 300, "v=DKIM1; p="), set("s2._domainkey", "CNAME", 300, "s2.example.net"),
			set("_mta-sts", "TXT", 300, "v=STSv1; id=1"), set("mta-sts", "CNAME", 300, "sts.example.net"), set("_smtp._tls", "TXT", 300, "v=TLSRPTv1; rua=mailto:a@example.com"),
		} {
			changes = append(changes, to(z, s))
		}
		if err := p.Transact(t.Context(), zoneName, changes); err != nil {
			t.Fatal(err)
		}
		err := p.Transact(t.Context(), zoneName, []records.Change{to(z, set("www", "A", 300, "192.0.2.1"))})
		if err == nil {
			t.Error("the address of www was written")
		}
		t.Log(err)
	})
}

// TestServerManyRecords: a zone of 3,000 records, transferred in one go and
// written in as many messages as it needs.
func TestServerManyRecords(t *testing.T) {
	everywhere(t, func(t *testing.T, server *serverstest.Server) {
		p := open(t, server.Primary, goodKey)
		z := read(t, p)
		var changes []records.Change
		for i := range 3000 {
			changes = append(changes, to(z, set(fmt.Sprintf("n%d", i), "TXT", 300, records.Value(fmt.Sprintf("value %d %s", i, strings.Repeat("x", 60))))))
		}
		batches := p.Split(changes)
		start := time.Now()
		for _, batch := range batches {
			if err := p.Transact(t.Context(), zoneName, batch); err != nil {
				t.Fatal(err)
			}
		}
		written := time.Since(start)
		start = time.Now()
		z = read(t, p)
		t.Logf("3000 sets written by %d updates, each after a transfer, in %v; read in %v", len(batches), written.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
		if z.Len() != 3001 || len(batches) < 2 {
			t.Errorf("%d sets, %d batches", z.Len(), len(batches))
		}
	})
}

// TestServerOneByOne measures a write of one set, as apply makes it.
func TestServerOneByOne(t *testing.T) {
	everywhere(t, func(t *testing.T, server *serverstest.Server) {
		const rounds = 100
		p := open(t, server.Primary, goodKey)
		var reading, writing time.Duration
		for i := range rounds {
			start := time.Now()
			z := read(t, p)
			reading += time.Since(start)
			start = time.Now()
			if err := p.Transact(t.Context(), zoneName, []records.Change{to(z, set("a", "TXT", 300, records.Value(fmt.Sprint(i))))}); err != nil {
				t.Fatal(err)
			}
			writing += time.Since(start)
		}
		t.Logf("a small zone is read in %v, a set is written in %v", (reading / rounds).Round(10*time.Microsecond), (writing / rounds).Round(10*time.Microsecond))
	})
}

// TestServerSigned: a zone that BIND signs itself is read without what it adds,
// and written, though updates meet another SOA than transfers show.
func TestServerSigned(t *testing.T) {
	t.Parallel()
	server := serverstest.Signed().Start(t, zoneName)
	ours := set("@", "TXT", 300, "v=spf1 -all")
	server.Edit(t, ours)
	z := read(t, open(t, server.Primary, goodKey))
	for have, _ := z.Set(ours.Key); !have.Equal(ours); have, _ = z.Set(ours.Key) {
		z = read(t, open(t, server.Primary, goodKey)) // which waits for the signer
	}
	for i := range 10 {
		p := open(t, server.Primary, goodKey)
		z := read(t, p)
		if z.Len() != 2 {
			t.Errorf("it is read as %v", z.Sets())
		}
		ours = set("@", "TXT", 300, records.Value(fmt.Sprint("v=spf1 -all", i)))
		if err := p.Transact(t.Context(), zoneName, []records.Change{to(z, ours)}); err != nil {
			t.Fatal(err)
		}
		if got, _ := read(t, p).Set(ours.Key); !got.Equal(ours) {
			t.Errorf("it is read back as %v", got)
		}
	}
}
