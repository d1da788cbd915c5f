package provider_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/providertest"
	"github.com/attunelogic/maildns/records"
)

func TestTable(t *testing.T) {
	t.Parallel()
	types := provider.Types()
	if !slices.IsSortedFunc(types, func(a, b provider.Type) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the table is not in order")
	}
	for _, row := range types {
		if row.Summary == "" {
			t.Errorf("%s has no summary", row.Name)
		}
		seen := map[string]bool{}
		for _, a := range row.Attributes {
			if seen[a.Name] || a.Kind == "" || a.Summary == "" {
				t.Errorf("%s: attribute %s is there twice, or has no kind or summary", row.Name, a.Name)
			}
			seen[a.Name] = true
			if looksSecret(a.Name) != a.Secret {
				t.Errorf("%s: attribute %s: secret is %v", row.Name, a.Name, a.Secret)
			}
		}
		if found, ok := provider.Lookup(row.Name); !ok || found.Name != row.Name {
			t.Errorf("%s is not found", row.Name)
		}
		if row.ReadOnly != "" && row.Reachable() {
			t.Errorf("%s is read-only and reachable", row.Name)
		}
	}
	zonefile, _ := provider.Lookup("zonefile")
	if a, ok := zonefile.Attribute("directory"); !ok || !a.Path || !a.Required || !zonefile.Reachable() {
		t.Errorf("zonefile's directory is %+v", a)
	}
	if _, ok := provider.Lookup("nonsense"); ok {
		t.Error("nonsense is found")
	}
}

func looksSecret(attribute string) bool {
	for _, part := range []string{"token", "secret", "credentials", "api_key", "consumer_key"} {
		if strings.Contains(attribute, part) {
			return true
		}
	}
	return attribute == "key"
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	cases := []struct{ kind, want string }{
		{"nonsense", `there is no provider type "nonsense"`},
		{"external", "its owner publishes"},
		{"zonefile", "no value for directory"},
	}
	for _, c := range cases {
		_, err := provider.Open(records.ProviderRef{Type: c.kind, Name: "x"}, nil, provider.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.kind+".x") {
			t.Errorf("%s: error %v", c.kind, err)
		}
	}
}

func TestZoneID(t *testing.T) {
	t.Parallel()
	host := provider.New(records.ProviderRef{Type: "memory", Name: "x"}, provider.Type{Name: "memory"}, &providertest.Memory{})
	if _, err := host.Zone(zoneName, "Z1"); err == nil || !strings.Contains(err.Error(), "remove zone_id") {
		t.Errorf("error %v", err)
	}
	if _, err := host.Zones(t.Context()); err == nil {
		t.Error("a host that can't list its zones listed some")
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"b.example.zone", "a.example.zone", ".zone", "x.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	host, err := provider.Open(records.ProviderRef{Type: "zonefile", Name: "x"}, provider.Values{"directory": {dir}}, provider.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if zones, err := host.Zones(t.Context()); err != nil || !slices.Equal(zones, []records.Name{"a.example", "b.example"}) {
		t.Errorf("zones %v, %v", zones, err)
	}
}

// TestErrorsNameTheirPlace: provider, zone, file.
func TestErrorsNameTheirPlace(t *testing.T) {
	t.Parallel()
	host, err := provider.Open(records.ProviderRef{Type: "zonefile", Name: "local"}, provider.Values{"directory": {t.TempDir()}}, provider.Options{})
	if err != nil {
		t.Fatal(err)
	}
	zone, err := host.Zone(zoneName, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = zone.Read(t.Context())
	for _, part := range []string{"zonefile.local", "example.com", "example.com.zone", "create"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error %v doesn't say %q", err, part)
		}
	}
}

func TestStoredTTL(t *testing.T) {
	t.Parallel()
	l := provider.Limits{MinTTL: 60}
	auto := provider.Limits{MinTTL: 60, AutoTTL: true}
	cases := []struct {
		limits    provider.Limits
		ttl, want records.TTL
	}{{l, 30, 60}, {l, 300, 300}, {l, 0, 60}, {auto, records.AutoTTL, records.AutoTTL}, {provider.Limits{}, 0, 0}}
	for _, c := range cases {
		if got := c.limits.StoredTTL(c.ttl); got != c.want {
			t.Errorf("%d becomes %d, want %d", c.ttl, got, c.want)
		}
	}
}

func TestLimitsCheck(t *testing.T) {
	t.Parallel()
	l := provider.Limits{Types: []records.Type{"TXT", "MX"}, MaxTXT: 10, MaxSet: 15}
	cases := []struct {
		set  records.RRset
		want string
	}{
		{set("a", "TXT", 60, "0123456789"), ""},
		{set("a", "TXT", 60, "01234567890"), "at most 10"},
		{set("a", "TXT", 60, "0123456789", "abcdef"), "at most 15"},
		{set("a", "MX", 60, "10 a.long.example"), "at most 15"},
		{set("a", "A", 60, "192.0.2.1"), "no A records, only TXT, MX"},
		{set("a", "TXT", records.AutoTTL, "x"), "declare a ttl"},
		{set("a", "TXT", records.MaxTTL+1, "x"), "RFC 2181"},
	}
	for _, c := range cases {
		err := l.Check(c.set)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: error %v, want %q", c.set.Values, err, c.want)
		}
	}
}
