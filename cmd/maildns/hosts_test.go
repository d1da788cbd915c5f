package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider/providertest/route53test"
	"github.com/attunelogic/maildns/provider/providertest/vendortest"
	"github.com/attunelogic/maildns/records"
)

// hostSite is a configuration directory whose provider is a fake reached by an
// endpoint of the environment.
type hostSite struct {
	dir string
	env map[string]string
}

func newHostSite(t *testing.T, config string, env map[string]string) *hostSite {
	t.Helper()
	s := &hostSite{dir: t.TempDir(), env: map[string]string{"USER": "sre", "MAILDNS_CLOCK": clockStart, "MAILDNS_RESOLVER": "127.0.0.1:1"}}
	for k, v := range env {
		s.env[k] = v
	}
	writeFile(t, filepath.Join(s.dir, "mail.hcl"), config)
	return s
}

// run runs a command, which must end with that status, and returns all that it
// prints.
func (s *hostSite) run(t *testing.T, want int, args ...string) string {
	t.Helper()
	var b bytes.Buffer
	code := Main(t.Context(), append([]string{"-C", s.dir}, args...), World{
		Stdin: strings.NewReader(""), Stdout: &b, Stderr: &b, Now: time.Now,
		Lookup: func(k string) (string, bool) { v, ok := s.env[k]; return v, ok },
	})
	if code != want {
		t.Fatalf("maildns %s: exit %d, want %d\n%s", strings.Join(args, " "), code, want, b.String())
	}
	return b.String()
}

func contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), w) {
			t.Errorf("%q is missing in\n%s", w, text)
		}
	}
}

// TestR20HostWithoutShortTTLs: deSEC stores none below an hour. Nothing is
// lowered, the change is due at once, and plan and rollback say so.
func TestR20HostWithoutShortTTLs(t *testing.T) {
	t.Parallel()
	fake := vendortest.NewDeSEC(vendorSecret)
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	report := records.Key{Name: "_smtp._tls.example.com", Type: "TXT"}
	fake.Put(records.NewRRset(report, 7200, "v=TLSRPTv1; rua=mailto:old@example.com"))
	s := newHostSite(t, `
provider "desec" "here" {
  api_token = env("SECRET")
}
domain "example.com" {
  tls_rpt {
    rua = ["mailto:new@example.com"]
  }
}
`, map[string]string{"SECRET": vendorSecret, "MAILDNS_DESEC_ENDPOINT": server.URL})
	out := s.run(t, exitChanges, "plan", "--detailed-exitcode")
	contains(t, out, "1 ready, 0 wait", "desec.here stores no TTL below 3600 s", "dns-ttl-minimum", "A mistake would live at most 1 h")
	s.run(t, exitOK, "apply", "--auto-approve")
	stored := func(value records.Value) {
		t.Helper()
		zone, err := fake.Look()
		if set, _ := zone.Set(report); err != nil || set.TTL != 3600 || !set.Has(value) {
			t.Errorf("stored is %+v, %v", set, err)
		}
	}
	stored("v=TLSRPTv1; rua=mailto:new@example.com")
	contains(t, s.run(t, exitOK, "rollback", "--to", "last", "--dry-run"), "restored with TTL 3600, the shortest that desec.here stores, and not 300")
	contains(t, s.run(t, exitOK, "rollback", "--to", "last", "--print"), "_smtp._tls.example.com. 3600 IN TXT", "; warning: the records are restored with TTL 3600")
	contains(t, s.run(t, exitOK, "rollback", "--to", "last", "--auto-approve"), "restored with TTL 3600")
	stored("v=TLSRPTv1; rua=mailto:old@example.com")
}

// TestZoneIDsAreRemembered: of two zones of one name the declared one is read
// and written, and a rollback that has the journal alone finds it again.
func TestZoneIDsAreRemembered(t *testing.T) {
	t.Parallel()
	fake := &route53test.Server{}
	other, id := fake.AddZone("example.com", false), fake.AddZone("example.com", false)
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	const config = `
provider "route53" "main" {
  access_key_id     = env("KEY")
  secret_access_key = env("SECRET")
}
domain "example.com" {%s
  dmarc {
    policy = "none"
  }
}
`
	env := map[string]string{"KEY": "AKIDEXAMPLE", "SECRET": vendorSecret, "AWS_ENDPOINT_URL_ROUTE_53": server.URL}
	s := newHostSite(t, fmt.Sprintf(config, ""), env)
	contains(t, s.run(t, exitError, "plan"), "zone_id")
	writeFile(t, filepath.Join(s.dir, "mail.hcl"), fmt.Sprintf(config, "\n  zone_id = \""+id+"\""))
	s.run(t, exitOK, "apply", "--auto-approve")
	dmarc := records.Key{Name: "_dmarc.example.com", Type: "TXT"}
	has := func(zone string) bool {
		_, ok := fake.Records(zone).Set(dmarc)
		return ok
	}
	if !has(id) || has(other) {
		t.Errorf("written to the declared zone: %t, to the other: %t", has(id), has(other))
	}
	if err := os.Remove(filepath.Join(s.dir, "mail.hcl")); err != nil {
		t.Fatal(err)
	}
	s.run(t, exitOK, "rollback", "--to", "last", "--auto-approve")
	if has(id) {
		t.Error("the rollback without a configuration has not found the zone")
	}
}

// TestRateShare: plan and apply take their share of a host's request budget, a
// rollback all of it.
func TestRateShare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "mail.hcl"), "policy {\n  rate_share = 0.25\n}\nprovider \"zonefile\" \"local\" {\n  directory = \"zones\"\n}\ndomain \"a.example\" {}\n")
	var told bytes.Buffer
	a := &app{dir: dir, logLevel: "info", out: &bytes.Buffer{}, err: &told, World: World{
		Now: time.Now, Stdout: &bytes.Buffer{}, Stderr: &told,
		Lookup: func(k string) (string, bool) {
			v, ok := map[string]string{"MAILDNS_X_ENDPOINT": "endpoint"}[k]
			return v, ok
		},
	}}
	site, err := a.newSite(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if got := site.hosts.options.RateShare; got != 0.25 {
		t.Errorf("apply takes %v of the budget, want a quarter", got)
	}
	r := &rolling{app: a}
	if err := r.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.hosts.options.RateShare; got != 0 {
		t.Errorf("a rollback takes %v of the budget, want all (0)", got)
	}
	o := site.hosts.options
	if o.Env("MAILDNS_X_ENDPOINT") != "endpoint" || o.Env("OTHER") != "" {
		t.Error("hosts don't see the environment")
	}
	o.Tell("waiting for the host")
	contains(t, told.String(), "waiting for the host")
	told.Reset()
	a.quiet = true
	o.Tell("waiting for the host")
	if told.Len() > 0 {
		t.Errorf("quiet, and yet: %s", told.String())
	}
}
