package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/provider/providertest/cloudflaretest"
	"github.com/attunelogic/maildns/records"
)

const (
	cloudflareSecret = "a-token-of-the-tests"
	cloudflareConfig = `
journal {
  url = "file://.maildns"
}
provider "cloudflare" "here" {
  api_token = env("CLOUDFLARE_API_TOKEN")
}
`
)

func cloudflareDomain(name string) string {
	return fmt.Sprintf(`
domain %q {
  ttl = "1h"
  spf {
    include = ["_spf.one.example"]
  }
  dmarc {
    policy = "none"
    rua    = ["mailto:dmarc@%s"]
  }
}
`, name, name)
}

// cloudflareSite is a configuration whose zones are at Cloudflare.
type cloudflareSite struct {
	dir    string
	server *cloudflaretest.Server
	url    string
	days   atomic.Int64 // since the first run
}

func newCloudflareSite(t *testing.T, domains ...string) *cloudflareSite {
	t.Helper()
	s := &cloudflareSite{dir: t.TempDir(), server: &cloudflaretest.Server{Token: cloudflaretest.Token{Secret: cloudflareSecret}}}
	server := httptest.NewServer(s.server)
	t.Cleanup(server.Close)
	s.url = server.URL + "/client/v4"
	config := cloudflareConfig
	for _, d := range domains {
		config += cloudflareDomain(d)
		s.server.AddZone(cloudflaretest.Zone{ID: d, Name: records.Name(d)})
	}
	writeFile(t, filepath.Join(s.dir, "mail.hcl"), config)
	return s
}

// run runs a command, as a process would, and wants an exit status.
func (s *cloudflareSite) run(t *testing.T, want int, args ...string) string {
	t.Helper()
	start, err := time.Parse(time.RFC3339, clockStart)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	env := map[string]string{
		"MAILDNS_CLOCK": start.AddDate(0, 0, int(s.days.Load())).Format(time.RFC3339), "USER": "sre", "MAILDNS_RESOLVER": "127.0.0.1:1",
		"CLOUDFLARE_API_TOKEN": cloudflareSecret, "MAILDNS_CLOUDFLARE_ENDPOINT": s.url,
	}
	code := Main(t.Context(), append([]string{"-C", s.dir}, args...), World{
		Stdin: strings.NewReader(""), Stdout: &b, Stderr: &b, Now: time.Now,
		Lookup: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
	})
	if code != want || strings.Contains(b.String(), cloudflareSecret) {
		t.Fatalf("maildns %s: exit %d, want %d\n%s", strings.Join(args, " "), code, want, b.String())
	}
	return b.String()
}

// requests are those of one run.
func (s *cloudflareSite) requests(t *testing.T, want int, args ...string) []string {
	t.Helper()
	before := len(s.server.Requests())
	s.run(t, want, args...)
	return s.server.Requests()[before:]
}

// TestCloudflareEndToEnd: check, plan, apply, the restored TTL and the way back.
// A stranger's records keep all that they have, ours keep id and comment.
func TestCloudflareEndToEnd(t *testing.T) {
	t.Parallel()
	const name = "example.com"
	s := newCloudflareSite(t, name)
	foreign := []cloudflaretest.Record{
		{ID: "f1", Type: "TXT", Name: name, Content: `"token=1"`, TTL: 1, Comment: "of the web team", Tags: []string{"team:web"}},
		{ID: "f2", Type: "TXT", Name: name, Content: `"token=2" " in two"`, TTL: 300},
		{ID: "f3", Type: "CNAME", Name: "www." + name, Content: "site.example.net", TTL: 1, Proxied: true},
	}
	for _, r := range foreign {
		s.server.Add(name, r)
	}
	s.server.Add(name, cloudflaretest.Record{ID: "spf", Type: "TXT", Name: name, Content: `"v=spf1 include:_spf.one.example -all"`, TTL: 300, Comment: "ours"})
	if out := s.run(t, exitOK, "provider", "check"); !strings.Contains(out, "it can be written") {
		t.Errorf("provider check says\n%s", out)
	}
	s.run(t, exitOK, "apply", "--auto-approve")
	s.untouched(t, name, foreign)
	s.days.Store(30)
	s.run(t, exitOK, "apply", "--auto-approve")
	s.untouched(t, name, foreign)
	s.run(t, exitOK, "plan", "--detailed-exitcode")
	for _, r := range s.server.Records(name) {
		ours := strings.Contains(r.Content, "v=spf1") || strings.Contains(r.Content, "v=DMARC1")
		if ours && r.TTL != 3600 || r.ID == "spf" && (r.Comment != "ours" || !strings.Contains(r.Content, "v=spf1 include:_spf.one.example")) {
			t.Errorf("%+v", r)
		}
	}
	s.run(t, exitOK, "rollback", "--to", "last", "--auto-approve")
	s.untouched(t, name, foreign)
}

// untouched wants foreign records as they were.
func (s *cloudflareSite) untouched(t *testing.T, zone string, foreign []cloudflaretest.Record) {
	t.Helper()
	got := slices.DeleteFunc(s.server.Records(zone), func(r cloudflaretest.Record) bool { return !strings.HasPrefix(r.ID, "f") })
	if diff := cmp.Diff(foreign, got); diff != "" {
		t.Errorf("foreign records changed: -before +now\n%s", diff)
	}
}

// TestCloudflareRequests counts what commands cost: plan 2, apply FILE 4, apply
// 5; beyond 20 zones one a zone, and one for each 50 of the account.
func TestCloudflareRequests(t *testing.T) {
	t.Parallel()
	s := newCloudflareSite(t, "example.com")
	saved := filepath.Join(s.dir, "saved")
	find, list, batch := "GET /zones", "GET /zones/example.com/dns_records", "POST /zones/example.com/dns_records/batch"
	if got, want := s.requests(t, exitOK, "plan", "-o", saved), []string{find, list}; !slices.Equal(got, want) {
		t.Errorf("plan: %q, want %q", got, want)
	}
	if got, want := s.requests(t, exitOK, "apply", saved), []string{find, list, batch, list}; !slices.Equal(got, want) {
		t.Errorf("apply FILE: %q, want %q", got, want)
	}
	s = newCloudflareSite(t, "example.com")
	if got, want := s.requests(t, exitOK, "apply", "--auto-approve"), []string{find, list, list, batch, list}; !slices.Equal(got, want) {
		t.Errorf("apply: %q, want %q", got, want)
	}
	var names []string
	for i := range 60 {
		names = append(names, fmt.Sprintf("z%02d.example", i))
	}
	s = newCloudflareSite(t, names...)
	if got := s.requests(t, exitOK, "plan"); len(got) != 60+2 {
		t.Errorf("plan of 60 zones: %d requests", len(got))
	}
}

// TestCloudflareEditedBetween: what somebody does between our last read and our
// write. The window is that of one request.
func TestCloudflareEditedBetween(t *testing.T) {
	t.Parallel()
	const name = "example.com"
	old := cloudflaretest.Record{ID: "spf", Type: "TXT", Name: name, Content: `"v=spf1 include:_spf.one.example -all"`, TTL: 300}
	newer := records.NewRRset(records.Key{Name: name, Type: "TXT"}, 300, "v=spf1 ip4:192.0.2.1 -all")
	cases := []struct {
		name string
		at   string // of the request before which it happens
		edit func(s *cloudflareSite) error
		want int
	}{
		{"the record is edited before the second reading", "GET", func(s *cloudflareSite) error { return s.server.Put(name, newer) }, exitRefused},
		{"the record is made anew in the window", "POST", func(s *cloudflareSite) error { return s.server.Put(name, newer) }, exitRefused},
		{"a value joins in the window", "POST", func(s *cloudflareSite) error {
			s.server.Add(name, cloudflaretest.Record{Type: "TXT", Name: name, Content: `"token=1"`, TTL: 300})
			return nil
		}, exitOK},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newCloudflareSite(t, name)
			s.server.Add(name, old)
			var problem error
			reads := 0
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if strings.Contains(req.URL.Path, "/dns_records") && req.Method == c.at {
					if reads++; c.at == "POST" || reads == 2 {
						problem = c.edit(s)
					}
				}
				s.server.ServeHTTP(w, req)
			}))
			t.Cleanup(proxy.Close)
			s.url = proxy.URL + "/client/v4"
			s.run(t, c.want, "apply", "--auto-approve")
			if problem != nil || reads == 0 {
				t.Fatalf("%d reads, %v", reads, problem)
			}
			z, err := s.server.Look(name)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := z.Set(newer.Key); c.want == exitRefused && !got.Equal(newer) || c.want == exitOK && (len(got.Values) != 2 || !got.Has("token=1")) {
				t.Errorf("the set holds %q", got.Values)
			}
			if c.want == exitRefused && z.Len() != 1 {
				t.Errorf("something was written: %v", z.Sets())
			}
		})
	}
}

// TestCloudflareRefuses: a token without a permission, and records that are not
// ours to write, end before anything is written.
func TestCloudflareRefuses(t *testing.T) {
	t.Parallel()
	const name = "example.com"
	s := newCloudflareSite(t, name)
	s.server.Token.NoDNSEdit = true
	if out := s.run(t, exitError, "apply", "--auto-approve"); !strings.Contains(out, "lacks the permission DNS:Edit") {
		t.Errorf("apply says\n%s", out)
	}
	s = newCloudflareSite(t, name)
	s.server.Add(name, cloudflaretest.Record{Type: "TXT", Name: name, Content: `"v=spf1 include:_spf.mx.cloudflare.net ~all"`, TTL: 1, Meta: cloudflaretest.Meta{ReadOnly: true, EmailRouting: true}})
	if out := s.run(t, exitError, "apply", "--auto-approve"); !strings.Contains(out, "Email Routing") {
		t.Errorf("apply says\n%s", out)
	}
	if got := len(s.server.Records(name)); got != 1 {
		t.Errorf("%d records", got)
	}
}
