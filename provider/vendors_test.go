package provider_test

import (
	"context"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/provider/providertest"
	"github.com/attunelogic/maildns/provider/providertest/vendortest"
	"github.com/attunelogic/maildns/provider/vendors"
	"github.com/attunelogic/maildns/records"
)

// TestConformanceVendors runs the suite against the hosts that are reached
// through their vendors' HTTP APIs, over fakes of these.
func TestConformanceVendors(t *testing.T) {
	t.Parallel()
	for _, v := range vendorHosts() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			providertest.Run(t, v.open)
		})
	}
}

// vendorHost is a row of the table over its fake.
type vendorHost struct {
	name string
	open providertest.Opener
}

func vendorHosts() []vendorHost {
	const secret = "let-me-in"
	return []vendorHost{
		openVendor("desec", func() vendortest.Fake {
			d := vendortest.NewDeSEC(secret)
			d.MinimumTTL, d.Page = 1, 2 // deSEC lowers it for those who ask
			return d
		}, func(c vendors.Doer, _ vendortest.Fake) provider.Client {
			return vendors.DeSEC(c, "https://api.test", secret)
		}),
		openVendor("gandi", func() vendortest.Fake {
			g := vendortest.NewGandi(secret)
			g.MinimumTTL = 1
			return g
		}, func(c vendors.Doer, _ vendortest.Fake) provider.Client {
			return vendors.Gandi(c, "https://api.test", secret)
		}),
		openVendor("googleclouddns", func() vendortest.Fake {
			g := vendortest.NewGoogle(secret)
			g.Page = 2
			return g
		}, func(c vendors.Doer, _ vendortest.Fake) provider.Client {
			tokens := vendors.Tokens{Source: func(context.Context) (string, error) { return secret, nil }}
			return vendors.Google(c, "https://api.test", "project", tokens)
		}),
		openVendor("hetzner", func() vendortest.Fake { return vendortest.NewHetzner(secret) },
			func(c vendors.Doer, _ vendortest.Fake) provider.Client {
				return vendors.Hetzner(c, "https://api.test", secret, func(context.Context) error { return nil })
			}),
		openVendor("ovh", func() vendortest.Fake {
			return vendortest.NewOVH("https://api.test", "app", secret, "consumer")
		}, func(c vendors.Doer, fake vendortest.Fake) provider.Client {
			now := func() time.Time { return time.Unix(fake.(*vendortest.OVH).Time-7, 0) }
			return vendors.OVH(c, "https://api.test", vendors.OVHKeys{Application: "app", Secret: secret, Consumer: "consumer"}, now)
		}),
		openVendor("powerdns", func() vendortest.Fake { return vendortest.NewPowerDNS(secret) },
			func(c vendors.Doer, _ vendortest.Fake) provider.Client {
				return vendors.PowerDNS(c, "https://api.test", "localhost", secret)
			}),
	}
}

// openVendor opens the row of that name over a fake. The suite's TTLs are those
// of a host that stores any.
func openVendor(name string, fake func() vendortest.Fake, client func(vendors.Doer, vendortest.Fake) provider.Client) vendorHost {
	return vendorHost{name, func(t testing.TB, w providertest.World) providertest.Subject {
		row, ok := provider.Lookup(name)
		if !ok {
			t.Fatalf("the table has no %s", name)
		}
		row.Limits.MinTTL = 0
		f := fake()
		for _, s := range w.Sets {
			f.Put(s)
		}
		api := &httpapi.Transport{
			JSON: true, Attempts: 1,
			Outside: httpapi.Outside{Via: vendortest.Direct{Handler: f, Around: w.Around}},
		}
		zone, err := provider.New(records.ProviderRef{Type: name, Name: "test"}, row, client(api, f)).Zone(providertest.ZoneName, "")
		if err != nil {
			t.Fatal(err)
		}
		return providertest.Subject{
			Zone: zone,
			Look: func(t testing.TB) records.Zone {
				z, err := f.Look()
				if err != nil {
					t.Fatal(err)
				}
				return z
			},
			Edit: func(_ testing.TB, s records.RRset) { f.Put(s) },
		}
	}}
}
