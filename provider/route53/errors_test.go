package route53_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/providertest/route53test"
	"github.com/attunelogic/maildns/provider/route53"
	"github.com/attunelogic/maildns/records"
)

// TestErrorsSayWhatToDo and name the provider and the zone.
func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	cases := []struct {
		action route53test.Action
		code   string
		says   string
	}{
		{route53test.ListHostedZonesByName, "AccessDenied", "lack the permission route53:ListHostedZonesByName: add it to their IAM policy"},
		{route53test.ListResourceRecordSets, "AccessDenied", "lack the permission route53:ListResourceRecordSets"},
		{route53test.ChangeResourceRecordSets, "AccessDenied", "lack the permission route53:ChangeResourceRecordSets"},
		{route53test.ListResourceRecordSets, "InvalidClientTokenId", "correct access_key_id"},
		{route53test.ListResourceRecordSets, "SignatureDoesNotMatch", "correct secret_access_key"},
		{route53test.ListResourceRecordSets, "ExpiredToken", "renew them"},
		{route53test.ListResourceRecordSets, "MissingAuthenticationToken", "without credentials"},
		{route53test.ListResourceRecordSets, "NoSuchHostedZone", "correct zone_id"},
		{route53test.ChangeResourceRecordSets, "PriorRequestNotComplete", "try again later"},
		{route53test.ListResourceRecordSets, "SomethingNew", "SomethingNew"},
	}
	for _, c := range cases {
		t.Run(string(c.action)+" "+c.code, func(t *testing.T) {
			t.Parallel()
			server, _ := world()
			server.Intercept = func(call route53test.Call) *route53test.Fault {
				if call.Action != c.action {
					return nil
				}
				return &route53test.Fault{Status: http.StatusForbidden, Code: c.code, Message: "the service's words"}
			}
			zone := open(t, settings(server))
			z, err := zone.Read(t.Context())
			if err == nil {
				err = zone.Write(t.Context(), []records.Change{to(z, set("a", "TXT", 60, "x"))})
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range []string{c.says, "the service's words", "route53.test", string(zoneName)} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error %q doesn't say %q", err, part)
				}
			}
		})
	}
}

// TestBadConfigurationIsAnError: the library that others use ends the process
// where a profile is not known. Here the process goes on.
func TestBadConfigurationIsAnError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config")
	text := "[profile good]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n[profile half]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = missing\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name     string
		settings route53.Settings
		says     string // empty: no error
	}{
		{"profile", route53.Settings{Profile: "good"}, ""},
		{"unknown profile", route53.Settings{Profile: "nobody"}, `no profile "nobody": correct profile`},
		{"profile without its source", route53.Settings{Profile: "half"}, "missing"},
		{"unknown region", route53.Settings{AccessKeyID: "AKIDEXAMPLE", SecretKey: "secret", Region: "mars-north-1"}, ""},
		{"no credentials", route53.Settings{}, "AWS credentials can't be had"},
		{"session", route53.Settings{AccessKeyID: "AKIDEXAMPLE", SecretKey: "secret", SessionToken: "token"}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, _ := world()
			c.settings.Sleep = atOnce
			c.settings.Load = append(server.Load(), config.WithSharedConfigFiles([]string{file}))
			_, err := open(t, c.settings).Read(t.Context())
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %q", err, c.says)
			}
		})
	}
}

// TestSettingsThatExcludeEachOther are told before anything is read.
func TestSettingsThatExcludeEachOther(t *testing.T) {
	t.Parallel()
	ref := records.ProviderRef{Type: "route53", Name: "test"}
	for says, values := range map[string]provider.Values{
		"go together":     {"access_key_id": {"a"}},
		"belongs to":      {"session_token": {"a"}},
		"exclude each":    {"access_key_id": {"a"}, "secret_access_key": {"b"}, "profile": {"c"}},
		"":                {"access_key_id": {"a"}, "secret_access_key": {"b"}, "session_token": {"c"}, "region": {"eu-west-1"}},
		"set both, or ne": {"secret_access_key": {"b"}},
	} {
		_, err := provider.Open(ref, values, provider.Options{})
		if (err == nil) != (says == "") || err != nil && (!strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), ref.String())) {
			t.Errorf("%v: error %v, want %q", values, err, says)
		}
	}
}

// TestOpenReadsOverHTTP goes the whole way from a provider block: real requests
// to the address that the environment names.
func TestOpenReadsOverHTTP(t *testing.T) {
	t.Parallel()
	server, _ := world(set("@", "MX", 60, "10 a.example", "20 b.example"))
	web := httptest.NewServer(server)
	defer web.Close()
	env := func(name string) string {
		if name == "AWS_ENDPOINT_URL_ROUTE_53" {
			return web.URL
		}
		return ""
	}
	h, err := provider.Open(records.ProviderRef{Type: "route53", Name: "test"},
		provider.Values{"access_key_id": {"AKIDEXAMPLE"}, "secret_access_key": {"secret"}, "session_token": {"token"}},
		provider.Options{Env: env, RateShare: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	zone, err := h.Zone(zoneName, "")
	if err != nil {
		t.Fatal(err)
	}
	if mx, _ := read(t, zone).Set(key("@", "MX")); len(mx.Values) != 2 {
		t.Errorf("%v", mx)
	}
}

// TestCheckAccess says what can be told, and writes nothing.
func TestCheckAccess(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		denied []route53test.Action
		facts  []string
		says   string // of the error
	}{
		{"all", nil, []string{"example.com is the hosted zone Z0000000000001, and can be read", "GetChange is granted", "can't be told without writing"}, ""},
		{"no GetChange", []route53test.Action{route53test.GetChange}, []string{"can be read", "GetChange is not granted", "can't be told"}, ""},
		{"no records", []route53test.Action{route53test.ListResourceRecordSets}, []string{"GetChange", "can't be told"}, "route53:ListResourceRecordSets"},
		{"no zones", []route53test.Action{route53test.ListHostedZonesByName}, []string{"GetChange", "can't be told"}, "route53:ListHostedZonesByName"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, _ := world()
			server.Denied = c.denied
			facts, err := host(t, settings(server)).CheckAccess(t.Context(), []records.Name{zoneName})
			if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), string(zoneName))) {
				t.Errorf("error %v, want %q", err, c.says)
			}
			for i, part := range c.facts {
				if i >= len(facts) || !strings.Contains(facts[i], part) {
					t.Errorf("facts %q, want %q", facts, c.facts)
				}
			}
			if server.Count(route53test.ChangeResourceRecordSets) != 0 {
				t.Error("it wrote")
			}
		})
	}
	server, _ := world()
	if _, err := host(t, settings(server)).CheckAccess(t.Context(), []records.Name{zoneName, "example.org"}); err == nil || !strings.Contains(err.Error(), "example.org: the account has no hosted zone") {
		t.Errorf("error %v", err)
	}
}

// TestCheckAccessKnowsTheZoneID that a zone was opened with.
func TestCheckAccessKnowsTheZoneID(t *testing.T) {
	t.Parallel()
	server, first := world()
	server.AddZone(zoneName, false)
	h := host(t, settings(server))
	if _, err := h.CheckAccess(t.Context(), []records.Name{zoneName}); err == nil || !strings.Contains(err.Error(), "say with zone_id") {
		t.Errorf("error %v", err)
	}
	if _, err := h.Zone(zoneName, first); err != nil {
		t.Fatal(err)
	}
	if facts, err := h.CheckAccess(t.Context(), []records.Name{zoneName}); err != nil || !strings.Contains(facts[0], first) {
		t.Errorf("facts %q, error %v", facts, err)
	}
}

// TestARegionNamesNoHost: the SDK makes the names of hosts of it, to which it
// sends credentials.
func TestARegionNamesNoHost(t *testing.T) {
	t.Parallel()
	for region, ok := range map[string]bool{
		"": true, "eu-west-1": true, "us-gov-east-1": true, "ap-southeast-10": true,
		"not a region": false, "attacker.example/": false, "eu-west-1.attacker.example": false, "eu-west-1/": false, "x@attacker.example": false, "eu-west-1\n": false,
	} {
		if _, err := route53.New(route53.Settings{Region: region}); (err == nil) != ok {
			t.Errorf("%q: %v", region, err)
		}
	}
}
