package vendors_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/provider/providertest/vendortest"
	"github.com/attunelogic/maildns/provider/vendors"
	"github.com/attunelogic/maildns/records"
)

func read(t *testing.T, h host) records.Zone {
	t.Helper()
	z, err := h.ReadZone(t.Context(), zone)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func mentions(err error, parts ...string) bool {
	return err != nil && !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(err.Error(), p) })
}

func TestPowerDNSDisabledRecords(t *testing.T) {
	t.Parallel()
	fake := vendortest.NewPowerDNS(secret)
	fake.Disabled = map[string]bool{`"off"`: true}
	doer, _ := via(fake)
	h := vendors.PowerDNS(doer, api, "localhost", secret)
	fake.PutText("a", "TXT", 60, `"off"`, `"on"`)
	fake.PutText("b", "TXT", 60, `"off"`)
	z := read(t, h)
	for _, want := range []records.RRset{set("a", "TXT", 60, "on"), set("b", "TXT", 60, "off")} {
		got, _ := z.Set(want.Key)
		if !got.Equal(want) || !strings.Contains(got.Fixed, "disabled") {
			t.Errorf("read as %+v", got)
		}
		after := want.Hold("new")
		if err := h.WriteSet(t.Context(), zone, records.Change{Key: want.Key, Before: &want, After: &after}); !mentions(err, want.Key.String(), "disabled") {
			t.Errorf("error %v", err)
		}
	}
}

func TestPowerDNSCopies(t *testing.T) {
	t.Parallel()
	fake := vendortest.NewPowerDNS(secret)
	fake.Kind = "Slave"
	fake.Put(set("a", "TXT", 60, "x"))
	doer, _ := via(fake)
	h := vendors.PowerDNS(doer, api, "localhost", secret)
	if got, _ := read(t, h).Set(set("a", "TXT", 60).Key); !strings.Contains(got.Fixed, "write there") {
		t.Errorf("read as %+v", got)
	}
	if _, err := h.CheckAccess(t.Context(), []records.Name{zone}); !mentions(err, "copy", "Slave") {
		t.Errorf("error %v", err)
	}
}

// TestRefusedCredentials: every host says whose they are and what to look at,
// and no error repeats them.
func TestRefusedCredentials(t *testing.T) {
	t.Parallel()
	for name, open := range opened() {
		h, fake, _ := open()
		switch f := fake.(type) {
		case *vendortest.PowerDNS:
			f.Key = "another"
		case *vendortest.DeSEC:
			f.Token = "another"
		case *vendortest.Hetzner:
			f.Token = "another"
		case *vendortest.Gandi:
			f.Token = "another"
		case *vendortest.Google:
			f.Token = "another"
		case *vendortest.OVH:
			f.Application = "another"
		}
		_, err := h.ReadZone(t.Context(), zone)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: error %v", name, err)
		}
		if !mentions(err, "refuse") {
			t.Errorf("%s: the error doesn't say what to do: %v", name, err)
		}
	}
}

func TestDeSECPages(t *testing.T) {
	t.Parallel()
	fake := vendortest.NewDeSEC(secret)
	fake.Page = 3
	for i := range 10 {
		fake.Put(set(fmt.Sprint("n", i), "TXT", 3600, records.Value("\xc3é\\")))
	}
	doer, w := via(fake)
	h := vendors.DeSEC(doer, api, secret)
	if got := read(t, h); !got.Equal(look(t, fake)) || got.Len() != 10 || len(w.seen) != 4 {
		t.Errorf("%d sets by %d requests", got.Len(), len(w.seen))
	}
	facts, err := h.CheckAccess(t.Context(), []records.Name{zone})
	if err != nil || !strings.Contains(strings.Join(facts, "\n"), "below 3600 seconds") {
		t.Errorf("%q, %v", facts, err)
	}
}

func TestHetznerKeepsComments(t *testing.T) {
	t.Parallel()
	fake := vendortest.NewHetzner(secret)
	fake.Put(set("@", "TXT", 3600, "token", "v=spf1 -all"))
	fake.Comments[`"token"`] = "of the shop"
	doer, w := via(fake)
	h := vendors.Hetzner(doer, api, secret, atOnce)
	before, _ := read(t, h).Set(set("@", "TXT", 0).Key)
	if before.TTL != 3600 {
		t.Errorf("a set without a TTL of its own has the zone's: %v", before.TTL)
	}
	after := set("@", "TXT", 300, "token", "v=spf1 ~all")
	if err := h.WriteSet(t.Context(), zone, records.Change{Key: after.Key, Before: &before, After: &after}); err != nil {
		t.Fatal(err)
	}
	if fake.Comments[`"token"`] != "of the shop" {
		t.Error("the comment of a foreign record is lost")
	}
	if slices.ContainsFunc(w.seen, func(r string) bool { return strings.HasPrefix(r, "DELETE") }) {
		t.Errorf("for a moment there was no record: %q", w.seen)
	}
}

func TestHetznerProtection(t *testing.T) {
	t.Parallel()
	fake := vendortest.NewHetzner(secret)
	fake.Put(set("a", "TXT", 300, "x"))
	fake.Protected = set("a", "TXT", 0).Key
	doer, _ := via(fake)
	if got, _ := read(t, vendors.Hetzner(doer, api, secret, atOnce)).Set(fake.Protected); !strings.Contains(got.Fixed, "lift the protection") {
		t.Errorf("read as %+v", got)
	}
	fake.Mode = "secondary"
	other := vendors.Hetzner(doer, api, secret, atOnce)
	if got, _ := read(t, other).Set(fake.Protected); !strings.Contains(got.Fixed, "secondary") {
		t.Errorf("read as %+v", got)
	}
	if _, err := other.CheckAccess(t.Context(), []records.Name{zone}); !mentions(err, "secondary") {
		t.Errorf("error %v", err)
	}
}

// TestHetznerWaits: a write that is still running, or has failed after it was
// accepted, is no success.
func TestHetznerWaits(t *testing.T) {
	t.Parallel()
	const failed = `{"action":{"id":1,"status":"error","error":{"code":"action_failed","message":"the zone is locked"}}}`
	fake := vendortest.NewHetzner(secret)
	doer, _ := via(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/actions/") {
			_, _ = io.WriteString(w, failed)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	after := set("a", "TXT", 300, "x")
	change := records.Change{Key: after.Key, After: &after}
	if err := vendors.Hetzner(doer, api, secret, atOnce).WriteSet(t.Context(), zone, change); !mentions(err, "the zone is locked") {
		t.Errorf("error %v", err)
	}
	fake.Put(records.RRset{Key: after.Key})
	stop := errors.New("interrupted")
	impatient := vendors.Hetzner(doer, api, secret, func(context.Context) error { return stop })
	if err := impatient.WriteSet(t.Context(), zone, change); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}

func TestGandiRelativeNames(t *testing.T) {
	t.Parallel()
	fake := vendortest.NewGandi(secret)
	fake.PutText("@", "MX", 10800, "10 spool.mail.gandi.net.", "50 mail", "60 @")
	doer, _ := via(fake)
	h := vendors.Gandi(doer, api, secret)
	want := set("@", "MX", 10800, "10 spool.mail.gandi.net", "50 mail.example.com", "60 example.com")
	if got, _ := read(t, h).Set(want.Key); !got.Equal(want) {
		t.Errorf("read as %v", got)
	}
}

func TestGandiCutList(t *testing.T) {
	t.Parallel()
	doer, _ := via(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Total-Count", "2")
		_, _ = io.WriteString(w, `[{"rrset_name":"a","rrset_type":"TXT","rrset_ttl":300,"rrset_values":["\"x\""]}]`)
	}))
	if _, err := vendors.Gandi(doer, api, secret).ReadZone(t.Context(), zone); !mentions(err, "sent only 1") {
		t.Errorf("error %v", err)
	}
}

func TestGoogleZonesAndPolicies(t *testing.T) {
	t.Parallel()
	fake := vendortest.NewGoogle(secret)
	fake.Put(set("a", "A", 300, "192.0.2.1"))
	fake.Routed = set("a", "A", 0).Key
	doer, _ := via(fake)
	open := func() host { return vendors.Google(doer, api, "project", vendors.Tokens{Source: token}) }
	if got, _ := read(t, open()).Set(fake.Routed); !strings.Contains(got.Fixed, "routing policy") {
		t.Errorf("read as %+v", got)
	}
	if _, err := open().CheckAccess(t.Context(), []records.Name{zone}); !mentions(err, "dns.changes.create", "roles/dns.admin") {
		t.Errorf("error %v", err)
	}
	fake.Permissions = []string{"dns.resourceRecordSets.list", "dns.changes.create", "dns.resourceRecordSets.create", "dns.resourceRecordSets.update", "dns.resourceRecordSets.delete"}
	if facts, err := open().CheckAccess(t.Context(), []records.Name{zone}); err != nil || len(facts) == 0 {
		t.Errorf("%q, %v", facts, err)
	}
	fake.Zones = []string{"mail", "old"}
	if _, err := open().ReadZone(t.Context(), zone); !mentions(err, "2 public zones", "mail, old") {
		t.Errorf("error %v", err)
	}
}

func TestGoogleTokens(t *testing.T) {
	t.Parallel()
	_, err := vendors.GoogleTokens([]byte("{secret"), http.DefaultTransport).Source(t.Context())
	if !mentions(err, "not JSON as Google hands it out") || mentions(err, "secret") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := vendors.GoogleTokens([]byte("{}"), http.DefaultTransport).Source(ctx); err == nil {
		t.Error("no error")
	}
}

// TestOVHKinds: OVH's own words for kinds of TXT are TXT, and a record of such
// a kind is changed in its place, keeping its number.
func TestOVHKinds(t *testing.T) {
	t.Parallel()
	fake := vendortest.NewOVH(api, "app", secret, "consumer")
	id := fake.PutRecord("SPF", "", `"v=spf1 -all"`, 0)
	fake.PutRecord("TXT", "", `"token"`, 3600)
	doer, w := via(fake)
	h := openOVH(doer, fake)
	before, _ := read(t, h).Set(set("@", "TXT", 0).Key)
	if want := set("@", "TXT", 3600, "token", "v=spf1 -all"); !before.Equal(want) {
		t.Fatalf("read as %v, want %v", before, want)
	}
	after := before.Hold("token", "v=spf1 ~all")
	if err := h.WriteSet(t.Context(), zone, records.Change{Key: after.Key, Before: &before, After: &after}); err != nil {
		t.Fatal(err)
	}
	if kind, target := fake.Record(id); kind != "SPF" || target != `"v=spf1 ~all"` {
		t.Errorf("the record is %s %s; requests %q", kind, target, w.seen)
	}
}

// TestOVHServesLate: nothing is served before the zone is told to be.
func TestOVHServesLate(t *testing.T) {
	t.Parallel()
	fake := vendortest.NewOVH(api, "app", secret, "consumer")
	doer, _ := via(fake)
	h := openOVH(doer, fake)
	after := set("a", "TXT", 300, "x")
	if err := h.WriteSet(t.Context(), zone, records.Change{Key: after.Key, After: &after}); err != nil {
		t.Fatal(err)
	}
	if served, err := fake.Served(); err != nil || served.Len() != 0 {
		t.Errorf("served already: %v, %v", served.Sets(), err)
	}
	if err := h.ReloadZone(t.Context(), zone); err != nil {
		t.Fatal(err)
	}
	if served, err := fake.Served(); err != nil || !served.Equal(look(t, fake)) || served.Len() != 1 {
		t.Errorf("served: %v, %v", served.Sets(), err)
	}
}

func TestOVHRules(t *testing.T) {
	t.Parallel()
	fake := vendortest.NewOVH(api, "app", secret, "consumer")
	doer, _ := via(fake)
	h := openOVH(doer, fake)
	for _, m := range []string{"GET", "POST", "PUT"} {
		fake.Rules = append(fake.Rules, vendortest.OVHRule{Method: m, Path: "/domain/zone/example.com/*"})
	}
	if _, err := h.CheckAccess(t.Context(), []records.Name{zone}); !mentions(err, "DELETE /domain/zone/example.com/record/1") {
		t.Errorf("error %v", err)
	}
	fake.Rules = append(fake.Rules, vendortest.OVHRule{Method: "DELETE", Path: "/domain/zone/*"})
	if facts, err := h.CheckAccess(t.Context(), []records.Name{zone}); err != nil || !strings.Contains(strings.Join(facts, "\n"), "expires at 2027") {
		t.Errorf("%q, %v", facts, err)
	}
}
