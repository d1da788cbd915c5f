package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider/providertest/vendortest"
	"github.com/attunelogic/maildns/records"
)

// vendorSite is a configuration whose zone is at a vendor's, with what the
// environment holds for it.
type vendorSite struct {
	name   string
	fake   vendortest.Fake
	url    string
	config string
	env    map[string]string
}

const vendorSecret = "let-me-in-please"

func vendorSites(t *testing.T) []vendorSite {
	t.Helper()
	ovh := vendortest.NewOVH("", "application", vendorSecret, "consumer-key")
	ovh.Rules = []vendortest.OVHRule{{Method: "GET", Path: "/*"}, {Method: "PUT", Path: "/*"}, {Method: "POST", Path: "/*"}, {Method: "DELETE", Path: "/*"}}
	sites := []vendorSite{
		{name: "desec", fake: vendortest.NewDeSEC(vendorSecret), config: `api_token = env("SECRET")`},
		{name: "gandi", fake: vendortest.NewGandi(vendorSecret), config: `api_token = env("SECRET")`},
		{name: "hetzner", fake: vendortest.NewHetzner(vendorSecret), config: `api_token = env("SECRET")`},
		{name: "ovh", fake: ovh, config: "application_key = \"application\"\n  application_secret = env(\"SECRET\")\n  consumer_key = env(\"CONSUMER\")"},
		{name: "powerdns", fake: vendortest.NewPowerDNS(vendorSecret), config: "server_url = \"%s\"\n  api_token = env(\"SECRET\")"},
	}
	for i := range sites {
		s := &sites[i]
		server := httptest.NewServer(s.fake)
		t.Cleanup(server.Close)
		s.url = server.URL
		s.config = strings.ReplaceAll(s.config, "%s", s.url)
		s.env = map[string]string{"SECRET": vendorSecret, "CONSUMER": "consumer-key", "MAILDNS_" + strings.ToUpper(s.name) + "_ENDPOINT": s.url}
	}
	ovh.URL = sites[3].url
	return sites
}

// runAt runs a command on a site as a process would, over the network.
func (s vendorSite) runAt(t *testing.T, dir string, args ...string) (code int, out string) {
	t.Helper()
	var b bytes.Buffer
	env := map[string]string{"MAILDNS_CLOCK": clockStart, "USER": "sre", "MAILDNS_RESOLVER": "127.0.0.1:1"}
	for k, v := range s.env {
		env[k] = v
	}
	code = Main(t.Context(), append([]string{"-C", dir}, args...), World{
		Stdin: strings.NewReader(""), Stdout: &b, Stderr: &b, Now: time.Now,
		Lookup: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
	})
	return code, b.String()
}

// TestVendorsEndToEnd: check, plan, apply and the way back at each vendor's
// fake, over HTTP, by the provider block and the environment alone.
func TestVendorsEndToEnd(t *testing.T) {
	t.Parallel()
	for _, s := range vendorSites(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "mail.hcl"), fmt.Sprintf(
				"provider %q \"here\" {\n  %s\n}\ndomain \"example.com\" {\n  sender \"google_workspace\" {}\n}\n", s.name, s.config))
			s.fake.Put(records.NewRRset(records.Key{Name: "example.com", Type: "NS"}, 3600, "ns1.example.net"))
			s.fake.Put(records.NewRRset(records.Key{Name: "example.com", Type: "TXT"}, 3600, "token=1"))
			before, err := s.fake.Look()
			if err != nil {
				t.Fatal(err)
			}
			must := func(want int, args ...string) string {
				t.Helper()
				code, out := s.runAt(t, dir, args...)
				if code != want || strings.Contains(out, vendorSecret) {
					t.Fatalf("maildns %s: exit %d\n%s", strings.Join(args, " "), code, out)
				}
				return out
			}
			if out := must(exitOK, "provider", "check"); !strings.Contains(out, "zone      example.com: 2 record sets") {
				t.Errorf("provider check says\n%s", out)
			}
			document(t, published(t, "provider-check.schema.json"), must(exitOK, "provider", "check", "here", "--format", "json"))
			must(exitChanges, "plan", "--detailed-exitcode")
			must(exitOK, "apply", "--auto-approve")
			after, err := s.fake.Look()
			spf, _ := after.Set(records.Key{Name: "example.com", Type: "TXT"})
			if err != nil || !spf.Has("v=spf1 include:_spf.google.com ~all") || !spf.Has("token=1") {
				t.Errorf("after apply the zone holds %v, %v", after.Sets(), err)
			}
			must(exitOK, "rollback", "--to", "last", "--auto-approve")
			back, err := s.fake.Look()
			if err != nil || back.Len() != before.Len() {
				t.Errorf("after rollback the zone holds %v, %v", back.Sets(), err)
			}
			for was := range before.All() {
				if is, _ := back.Set(was.Key); !is.SameValues(was) { // its TTL may stay short
					t.Errorf("%s is %q after rollback, and was %q", was.Key, is.Values, was.Values)
				}
			}
		})
	}
}

// TestProviderCheckRefused: a token that the host refuses is what is missing.
func TestProviderCheckRefused(t *testing.T) {
	t.Parallel()
	for _, s := range vendorSites(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "mail.hcl"), fmt.Sprintf("provider %q \"here\" {\n  %s\n}\ndomain \"example.com\" {}\n", s.name, s.config))
			s.env["SECRET"] = "another-secret"
			code, out := s.runAt(t, dir, "provider", "check")
			if code != exitError || !strings.Contains(out, "Something is missing") || !strings.Contains(out, "example.com") || strings.Contains(out, "another-secret") {
				t.Errorf("exit %d\n%s", code, out)
			}
		})
	}
}
