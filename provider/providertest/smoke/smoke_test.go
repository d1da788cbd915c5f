// Package smoke runs libdnstest, the tests that libdns has for its
// implementations, against ours. They prove much less than the conformance
// suite, but they are somebody else's.
package smoke

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/libdns/libdns/libdnstest"

	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/provider/providertest"
	"github.com/attunelogic/maildns/provider/providertest/vendortest"
	"github.com/attunelogic/maildns/provider/vendors"
	"github.com/attunelogic/maildns/provider/zonefile"
)

const zone = "example.com."

func TestSmokeZonefile(t *testing.T) {
	dir := t.TempDir()
	const head = "$TTL 3600\n@ IN SOA ns1.example.net. hostmaster.example.net. 2026112401 7200 3600 1209600 300\n@ IN NS ns1.example.net.\n"
	if err := os.WriteFile(filepath.Join(dir, "example.com.zone"), []byte(head), 0o600); err != nil {
		t.Fatal(err)
	}
	suite := libdnstest.NewTestSuite(&zonefile.Provider{Directory: dir, Now: time.Now}, zone)
	// libdns prints their parameters without quotes, a zone file reads them
	// with: refused, not altered.
	suite.SkipRRTypes = map[string]bool{"SVCB": true, "HTTPS": true}
	suite.RunTests(t)
}

// TestSmokeMemory: the client that the suite and the engine are tested with
// keeps libdns' contract itself.
func TestSmokeMemory(t *testing.T) {
	libdnstest.NewTestSuite(libdnstest.WrapNoZoneLister(&providertest.Memory{}), zone).RunTests(t)
}

func TestSmokeVendors(t *testing.T) {
	const secret = "let-me-in"
	via := func(fake vendortest.Fake) vendors.Doer {
		return &httpapi.Transport{JSON: true, Outside: httpapi.Outside{Via: vendortest.Direct{Handler: fake}}}
	}
	desec := vendortest.NewDeSEC(secret)
	desec.MinimumTTL = 1
	gandi := vendortest.NewGandi(secret)
	gandi.MinimumTTL = 1
	ovh := vendortest.NewOVH("https://api.test", "app", secret, "consumer")
	atOnce := func(context.Context) error { return nil }
	token := func(context.Context) (string, error) { return secret, nil }
	for name, client := range map[string]libdnstest.RecordProvider{
		"desec":          vendors.DeSEC(via(desec), "https://api.test", secret),
		"gandi":          vendors.Gandi(via(gandi), "https://api.test", secret),
		"googleclouddns": vendors.Google(via(vendortest.NewGoogle(secret)), "https://api.test", "project", vendors.Tokens{Source: token}),
		"hetzner":        vendors.Hetzner(via(vendortest.NewHetzner(secret)), "https://api.test", secret, atOnce),
		"ovh":            vendors.OVH(via(ovh), "https://api.test", vendors.OVHKeys{Application: "app", Secret: secret, Consumer: "consumer"}, time.Now),
		"powerdns":       vendors.PowerDNS(via(vendortest.NewPowerDNS(secret)), "https://api.test", "localhost", secret),
	} {
		t.Run(name, func(t *testing.T) {
			libdnstest.NewTestSuite(libdnstest.WrapNoZoneLister(client), zone).RunTests(t)
		})
	}
}
