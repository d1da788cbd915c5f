package main

import (
	"bytes"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/provider/providertest/route53test"
	"github.com/attunelogic/maildns/records"
)

const (
	route53Secret = "a-secret-key-of-the-tests"
	route53Config = `
journal {
  url = "file://.maildns"
}
provider "route53" "here" {
  access_key_id     = "AKIDEXAMPLE"
  secret_access_key = env("KEY")
}
domain "example.com" {
  ttl = "1h"
  spf {
    include = ["_spf.one.example"]
  }
  dmarc {
    policy = "none"
    rua    = ["mailto:dmarc@example.com"]
  }
}
`
)

// route53Site is a configuration whose zone is at Route 53.
type route53Site struct {
	dir    string
	server *route53test.Server
	zone   string // its id
	url    string
}

func newRoute53Site(t *testing.T) *route53Site {
	t.Helper()
	route53test.Isolate()
	s := &route53Site{dir: t.TempDir(), server: &route53test.Server{PendingPolls: -1}}
	s.zone = s.server.AddZone("example.com", false)
	s.server.AddZone("example.com", true)
	web := httptest.NewServer(s.server)
	t.Cleanup(web.Close)
	s.url = web.URL
	writeFile(t, filepath.Join(s.dir, "mail.hcl"), route53Config)
	hour, foreign := int64(3600), []route53test.Record{{Value: `"token=1" " in two"`}, {Value: `"v=spf1 include:_spf.one.example -all"`}}
	s.server.PutSet(s.zone, route53test.Set{Name: "example.com", Type: "TXT", TTL: &hour, ResourceRecords: foreign})
	return s
}

// run runs a command, as a process would, and wants an exit status.
func (s *route53Site) run(t *testing.T, want int, args ...string) string {
	t.Helper()
	var b bytes.Buffer
	env := map[string]string{
		"MAILDNS_CLOCK": clockStart, "USER": "sre", "MAILDNS_RESOLVER": "127.0.0.1:1", "KEY": route53Secret, "AWS_ENDPOINT_URL_ROUTE_53": s.url,
	}
	code := Main(t.Context(), append([]string{"-C", s.dir}, args...), World{
		Stdin: strings.NewReader(""), Stdout: &b, Stderr: &b, Now: time.Now,
		Lookup: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
	})
	if code != want || strings.Contains(b.String(), route53Secret) {
		t.Fatalf("maildns %s: exit %d, want %d\n%s", strings.Join(args, " "), code, want, b.String())
	}
	return b.String()
}

// requests counts those of one run.
func (s *route53Site) requests(t *testing.T, want int, args ...string) int {
	t.Helper()
	before := s.server.Count()
	s.run(t, want, args...)
	return s.server.Count() - before
}

// TestRoute53EndToEnd: check, plan, apply of the reviewed plan and the way
// back, within the request budget. A stranger's value keeps its form. It isn't
// parallel: it takes the machine's AWS configuration away from the process.
func TestRoute53EndToEnd(t *testing.T) {
	s := newRoute53Site(t)
	if out := s.run(t, exitOK, "provider", "check"); !strings.Contains(out, "is the hosted zone "+s.zone) {
		t.Errorf("provider check says\n%s", out)
	}
	before := s.server.Sets(s.zone)
	if n := s.requests(t, exitChanges, "plan", "--detailed-exitcode", "--out", filepath.Join(s.dir, "plan.json")); n != 2 {
		t.Errorf("plan made %d requests, want 2", n)
	}
	if n := s.requests(t, exitOK, "apply", filepath.Join(s.dir, "plan.json"), "--auto-approve"); n != 4 {
		t.Errorf("apply made %d requests, want 4", n)
	}
	texts, _ := s.server.Records(s.zone).Set(records.Key{Name: "example.com", Type: "TXT"})
	if !texts.Has("v=spf1 include:_spf.one.example ~all") || len(texts.Values) != 2 {
		t.Errorf("after apply: %v", texts)
	}
	s.run(t, exitOK, "rollback", "--to", "last", "--auto-approve")
	for i, set := range s.server.Sets(s.zone) {
		if diff := cmp.Diff(before[i].ResourceRecords, set.ResourceRecords); diff != "" {
			t.Errorf("after rollback: %s", diff)
		}
	}
}

// TestRoute53EditWhileApplying: what somebody else changes between our last
// read and our write is found out by the service; nothing is written, exit 4.
func TestRoute53EditWhileApplying(t *testing.T) {
	s := newRoute53Site(t)
	theirs := records.NewRRset(records.Key{Name: "example.com", Type: "TXT"}, 60, "v=spf1 include:theirs.example -all")
	edited := false
	s.server.Intercept = func(c route53test.Call) *route53test.Fault {
		if c.Action == route53test.ChangeResourceRecordSets && !edited {
			edited = true
			s.server.Put(s.zone, theirs)
		}
		return nil
	}
	s.run(t, exitRefused, "apply", "--auto-approve")
	if got, _ := s.server.Records(s.zone).Set(theirs.Key); !edited || !got.Equal(theirs) || s.server.Records(s.zone).Len() != 2 {
		t.Errorf("the zone holds %v", s.server.Records(s.zone).Sets())
	}
}
