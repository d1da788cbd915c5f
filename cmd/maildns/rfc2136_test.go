package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/providertest/updatetest"
	"github.com/attunelogic/maildns/records"
)

const updateConfig = `
journal {
  url = "file://.maildns"
}
provider "rfc2136" "here" {
  server   = "%s"
  key_name = "%s"
  key      = env("TSIG_KEY")
}
domain "example.com" {
  ttl = "5m"
  spf {
    include = ["_spf.one.example"]
  }
  dmarc {
    policy = "none"
    rua    = ["mailto:dmarc@example.com"]
  }
}
`

func mailSet(name records.Name, values ...records.Value) records.RRset {
	return records.NewRRset(records.Key{Name: name, Type: records.TypeTXT}, 300, values...)
}

// updateSite is a configuration whose zone is at a server of RFC 2136.
type updateSite struct {
	dir    string
	server updatetest.Primary
}

// newUpdateSite fills the zone; address is where the configuration says that
// the server is.
func newUpdateSite(t *testing.T, server updatetest.Primary, address string) updateSite {
	t.Helper()
	server.Put(t, mailSet("example.com", "token=1"), mailSet("stranger.example.com", "x"))
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "mail.hcl"), fmt.Sprintf(updateConfig, address, updatetest.KeyName))
	return updateSite{dir, server}
}

// run runs a command, as a process would, and wants an exit status.
func (s updateSite) run(t *testing.T, want int, args ...string) string {
	t.Helper()
	var b bytes.Buffer
	env := map[string]string{"MAILDNS_CLOCK": clockStart, "USER": "sre", "MAILDNS_RESOLVER": "127.0.0.1:1", "TSIG_KEY": updatetest.Secret}
	code := Main(t.Context(), append([]string{"-C", s.dir}, args...), World{
		Stdin: strings.NewReader(""), Stdout: &b, Stderr: &b, Now: time.Now,
		Lookup: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
	})
	if code != want || strings.Contains(b.String(), updatetest.Secret) {
		t.Fatalf("maildns %s: exit %d, want %d\n%s", strings.Join(args, " "), code, want, b.String())
	}
	return b.String()
}

func (s updateSite) holds(t *testing.T, want ...records.RRset) {
	t.Helper()
	if got := s.server.Look(t); !got.Equal(records.NewZone("example.com", 0, want...)) {
		t.Errorf("the zone holds %v", got.Sets())
	}
}

// applied is what the zone holds after apply.
func applied() []records.RRset {
	return []records.RRset{
		mailSet("example.com", "token=1", "v=spf1 include:_spf.one.example ~all"), mailSet("_dmarc.example.com", "v=DMARC1; p=none; rua=mailto:dmarc@example.com"),
		mailSet("stranger.example.com", "x"),
	}
}

// TestUpdatesEndToEnd: check, plan, apply and the way back. A saved plan takes
// one transfer to read, one update, and one transfer to read back.
func TestUpdatesEndToEnd(t *testing.T) {
	t.Parallel()
	server := updatetest.Start(t, "example.com")
	s := newUpdateSite(t, server.Primary, server.Addr)
	if out := s.run(t, exitOK, "provider", "check"); !strings.Contains(out, "may change the records of mail") {
		t.Errorf("provider check says\n%s", out)
	}
	s.run(t, exitOK, "plan", "-o", filepath.Join(s.dir, "saved"))
	transfers, updates := server.Counts()
	s.run(t, exitOK, "apply", filepath.Join(s.dir, "saved"))
	now, then := server.Counts()
	if now -= transfers; now > 2 || then-updates != 1 {
		t.Errorf("apply FILE takes %d transfers and %d updates, want 2 and 1", now, then-updates)
	}
	s.holds(t, applied()...)
	s.run(t, exitOK, "plan", "--detailed-exitcode")
	s.run(t, exitOK, "rollback", "--to", "last", "--auto-approve")
	s.holds(t, mailSet("example.com", "token=1"), mailSet("stranger.example.com", "x"))
}

// TestUpdateEditedBetween: an edit between our last read and our write is
// refused by the server; apply exits 4 and nothing has changed.
func TestUpdateEditedBetween(t *testing.T) {
	t.Parallel()
	editedBetween(t, updatetest.Start(t, "example.com").Primary)
}

// editedBetween changes a set that apply is about to write right before the
// server gets the update.
func editedBetween(t *testing.T, server updatetest.Primary) {
	t.Helper()
	edit, serial := mailSet("example.com", "token=1", "token=2"), uint32(0)
	address := server.Proxy(t, func(question *dns.Msg) {
		if question.Opcode == dns.OpcodeUpdate {
			server.Edit(t, edit)
			serial = server.Serial(t)
		}
	})
	s := newUpdateSite(t, server, address)
	out := s.run(t, exitRefused, "apply", "--auto-approve")
	if !strings.Contains(out, "no longer as it was read") {
		t.Errorf("apply says\n%s", out)
	}
	s.holds(t, edit, mailSet("stranger.example.com", "x"))
	if serial == 0 || server.Serial(t) != serial {
		t.Errorf("the serial has moved from %d to %d", serial, server.Serial(t))
	}
}

// TestUpdateLies: only reading back decides. A server that says NOERROR and
// changes nothing is found out; one whose answer is lost has done it.
func TestUpdateLies(t *testing.T) {
	t.Parallel()
	cases := []struct {
		misdeed updatetest.Misdeed
		exit    int
		done    bool
	}{{updatetest.Ignore, exitError, false}, {updatetest.Lose, exitOK, true}, {updatetest.Hangup, exitError, false}, {updatetest.Unsigned, exitOK, true}}
	for _, c := range cases {
		t.Run(string(c.misdeed), func(t *testing.T) {
			t.Parallel()
			server := updatetest.Start(t, "example.com")
			broken := false
			address := server.Proxy(t, func(question *dns.Msg) {
				if question.Opcode == dns.OpcodeUpdate && !broken {
					broken = true
					server.Break(updatetest.Fault{Misdeed: c.misdeed})
				}
			})
			s := newUpdateSite(t, server.Primary, address)
			t.Log(s.run(t, c.exit, "apply", "--auto-approve"))
			if c.done {
				s.holds(t, applied()...)
			} else {
				s.holds(t, mailSet("example.com", "token=1"), mailSet("stranger.example.com", "x"))
			}
			s.run(t, exitOK, "apply", "--auto-approve") // the next run converges
			s.holds(t, applied()...)
		})
	}
}
