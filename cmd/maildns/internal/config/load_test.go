package config

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/records"
)

// write makes a configuration directory of files.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// right loads a configuration that must be free of errors.
func right(t *testing.T, files map[string]string, env Environment) *Config {
	t.Helper()
	if env.Now.IsZero() {
		env.Now = noon
	}
	dir := write(t, files)
	cfg, diags := Load(t.Context(), dir, env)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cfg
}

const localProvider = "provider \"zonefile\" \"local\" {\n  directory = \"zones\"\n}\n"

// domainOf wraps the inside of a domain block.
func domainOf(body string) string { return localProvider + "domain \"a.example\" {\n" + body + "\n}\n" }

// TestDeclared checks what the parts of a domain come to.
func TestDeclared(t *testing.T) {
	t.Parallel()
	const sts = "mta_sts {\n mode = \"testing\"\n"
	tests := []struct {
		name, body string
		want       []string // "name type value"
	}{
		{"nothing", "", nil},
		{"spf with defaults", "spf {}", []string{"a.example TXT v=spf1 ~all"}},
		{"spf in full", `spf {
 include = ["_spf.example.net", "%%{d}.spf.example.net"]
 ip4 = ["192.0.2.0/24", "198.51.100.1/32"]
 ip6 = ["2001:DB8::/32"]
 a   = ["@", "Host.Example.net/28", "@//64"]
 mx  = true
 exists = ["%%{i}.x.example"]
 all = "fail"
}`, []string{"a.example TXT v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.1 ip6:2001:db8::/32 a a:host.example.net/28 a//64 mx include:_spf.example.net include:%{d}.spf.example.net exists:%{i}.x.example -all"}},
		{"spf redirect", "spf {\n redirect = \"_spf.example.net\"\n}", []string{"a.example TXT v=spf1 redirect=_spf.example.net"}},
		{"spf null attributes", "spf {\n redirect = null\n include = null\n}", []string{"a.example TXT v=spf1 ~all"}},
		{"mx", "mx {\n host = \"B.example.NET.\"\n preference = 20\n}\nmx {\n host = \"a.example.net\"\n}", []string{"a.example MX 10 a.example.net", "a.example MX 20 b.example.net"}},
		{"null mx", "null_mx = true", []string{"a.example MX 0 ."}},
		{"dkim cname with selector", "dkim \"x\" {\n selector = \"S1.Sub\"\n cname = \"t.example.net.\"\n}", []string{"s1.sub._domainkey.a.example CNAME t.example.net"}},
		{"dkim revoked", "dkim \"x\" {\n state = \"revoked\"\n}", []string{"x._domainkey.a.example TXT v=DKIM1; p="}},
		{"dmarc", "dmarc {\n policy = \"reject\"\n adkim = \"strict\"\n aspf = \"relaxed\"\n fo = [\"1\"]\n rua = [\"mailto:d@a.example\"]\n}",
			[]string{"_dmarc.a.example TXT v=DMARC1; p=reject; rua=mailto:d@a.example; fo=1; adkim=s; aspf=r"}},
		{"mta-sts without id takes its hosts from mx", "mx {\n host = \"mx.example.net\"\n}\n" + sts + " id = \"1\"\n host_cname = \"p.example.net\"\n}",
			[]string{"_mta-sts.a.example TXT v=STSv1; id=1", "a.example MX 10 mx.example.net", "mta-sts.a.example CNAME p.example.net"}},
		{"mta-sts host addresses", sts + " id = \"1\"\n mx = [\"*.Example.net\"]\n host_a = [\"192.0.2.1\"]\n host_aaaa = [\"2001:DB8::1\"]\n}",
			[]string{"_mta-sts.a.example TXT v=STSv1; id=1", "mta-sts.a.example A 192.0.2.1", "mta-sts.a.example AAAA 2001:db8::1"}},
		{"tls-rpt", "tls_rpt {\n rua = [\"mailto:t@a.example\", \"https://t.example/\"]\n}", []string{"_smtp._tls.a.example TXT v=TLSRPTv1; rua=mailto:t@a.example,https://t.example/"}},
		{"bimi", "bimi \"default\" {\n logo = \"https://x.example/l.svg\"\n}", []string{"default._bimi.a.example TXT v=BIMI1; l=https://x.example/l.svg"}},
		{"record", "record \"Url\" \"cname\" {\n values = [\"X.example.net.\"]\n}\nrecord \"@\" \"TXT\" {\n values = [\"b\", \"a\"]\n}\nrecord \"x\" \"A\" {\n name = \"y\"\n values = [\"192.0.2.1\"]\n}\nrecord \"z.a.example.\" \"TXT\" {\n values = [\"c\"]\n}\nrecord \"*\" \"TXT\" {\n values = [\"w\"]\n}",
			[]string{"*.a.example TXT w", "a.example TXT a", "a.example TXT b", "url.a.example CNAME x.example.net", "y.a.example A 192.0.2.1", "z.a.example TXT c"}},
		{"parked", "parked = true\ndmarc {\n rua = [\"mailto:d@b.example\"]\n}",
			[]string{"_dmarc.a.example TXT v=DMARC1; p=reject; sp=reject; np=reject; rua=mailto:d@b.example", "a.example MX 0 .", "a.example TXT v=spf1 -all"}},
		{"removed", "state = \"removed\"\nspf {}", nil},
		{"reports of others", "accept_reports_for = [\"B.example\"]", []string{"b.example._report._dmarc.a.example TXT v=DMARC1"}},
		{"heredoc and template", "record \"x\" \"TXT\" {\n values = [\"a${1 + 1}\", trimspace(<<E\n  b\nE\n)]\n}", []string{"x.a.example TXT a2", "x.a.example TXT b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := right(t, map[string]string{"main.hcl": domainOf(tt.body)}, Environment{})
			var got []string
			for _, v := range cfg.Domains[0].Declared() {
				got = append(got, fmt.Sprintf("%s %s", v.Key, v.Value))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestR24R25DomainAttributes checks what a domain says about itself: its owner,
// its review and the rest.
func TestR24R25DomainAttributes(t *testing.T) {
	t.Parallel()
	cfg := right(t, map[string]string{"main.hcl": localProvider + `
policy {
  soak         = "2d"
  min_messages = 50
}
domain "Müller.example." {
  zone    = "EXAMPLE"
  zone_id = "Z1"
  ttl     = 300
  owner   = "Platform / SRE"
  labels  = { tier = "gold", n = 5 }
  people  = true
  protect = ["b=", "a=", "b="]
  review {
    last  = "2026-10-01"
    every = "90d"
  }
  policy {
    ttl_max       = "1d"
    max_delete    = "2.5%"
    rate_share    = 1
    clean         = "literal"
  }
  override "spf-narrow" {
    reason = "vendor left"
    until  = "2026-12-01"
  }
}
`}, Environment{})
	d := cfg.Domains[0]
	settings := records.DefaultSettings()
	settings.Soak, settings.MinMessages = 48*time.Hour, 50
	if diff := cmp.Diff(settings, cfg.Settings); diff != "" {
		t.Errorf("settings -want +got:\n%s", diff)
	}
	settings.TTLMax, settings.MaxDelete, settings.RateShare, settings.Clean = 86400, 0.025, 1, records.CleanLiteral
	if diff := cmp.Diff(settings, d.Settings); diff != "" {
		t.Errorf("settings of the domain -want +got:\n%s", diff)
	}
	got := *d
	got.Settings, got.Digest, got.Source = records.Settings{}, "", records.Source{}
	got.Review.Source, got.Overrides[0].Source = records.Source{}, records.Source{}
	want := records.Domain{
		Name: "xn--mller-kva.example", Zone: "example", ZoneID: "Z1", Provider: records.ProviderRef{Type: "zonefile", Name: "local"},
		TTL: 300, Owner: "Platform / SRE", Labels: map[string]string{"tier": "gold", "n": "5"}, People: true, Protect: []string{"a=", "b="},
		Review:    &records.Review{Last: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), Every: 90 * 24 * time.Hour},
		Overrides: []records.Override{{Gate: "spf-narrow", Reason: "vendor left", Until: time.Date(2026, 12, 1, 23, 59, 59, 0, time.UTC)}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, found := cfg.Domain("xn--mller-kva.example"); !found {
		t.Error("the domain is not found by its name")
	}
	if _, found := cfg.Domain("b.example"); found {
		t.Error("a domain is found that is not there")
	}
}

// TestR22DeclaredTTL proves that no mail record may be declared with a TTL
// above ttl_max, unless the domain admits it.
func TestR22DeclaredTTL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body string
		ok   bool
	}{
		{`ttl = "1h"`, true},
		{`ttl = 3601`, false},
		{"mx {\n host = \"mx.example.net\"\n ttl = \"2h\"\n}", false},
		{"dmarc {\n policy = \"none\"\n ttl = \"1d\"\n}", false},
		{"ttl = \"2h\"\npolicy {\n ttl_max = \"2h\"\n}", true},
	}
	for _, tt := range tests {
		_, diags := Load(t.Context(), write(t, map[string]string{"main.hcl": domainOf(tt.body)}), Environment{})
		found := slices.ContainsFunc(diags, func(d Diagnostic) bool { return d.Rule == RuleTTLMax && d.Severity == Error })
		if found == tt.ok || diags.HasErrors() == tt.ok {
			t.Errorf("%s: %v", tt.body, diags)
		}
	}
}

// TestR23Tenants proves that one block over a table declares each tenant's
// domain, and that reports of all of them are accepted.
func TestR23Tenants(t *testing.T) {
	t.Parallel()
	cfg := right(t, map[string]string{
		"tenants.csv": "domain,slug,policy\nb.example,bee,none\nA.example,ay,reject\n",
		"main.hcl": localProvider + `
locals {
  rua = "mailto:dmarc@reports.test"
}
domain "reports.test" {
  accept_reports_for = "declared"
}
domain "sub.reports.test" {
  dmarc {
    policy = "none"
    rua    = [local.rua]
  }
}
domain "tenants" {
  for_each = { for t in csvdecode(file("tenants.csv")) : t.domain => t }
  name     = each.key
  dkim "al1" {
    cname = "al1.${each.value.slug}.dkim.test"
  }
  dmarc {
    policy = each.value.policy
    rua    = [local.rua]
  }
}
domain "set" {
  for_each = toset(["c.example"])
  name     = each.value
}
`}, Environment{})
	var got []string
	for _, d := range cfg.Domains {
		for _, v := range d.Declared() {
			got = append(got, fmt.Sprintf("%s %s", v.Key, v.Value))
		}
	}
	want := []string{
		"_dmarc.a.example TXT v=DMARC1; p=reject; rua=mailto:dmarc@reports.test",
		"al1._domainkey.a.example CNAME al1.ay.dkim.test",
		"_dmarc.b.example TXT v=DMARC1; p=none; rua=mailto:dmarc@reports.test",
		"al1._domainkey.b.example CNAME al1.bee.dkim.test",
		"a.example._report._dmarc.reports.test TXT v=DMARC1",
		"b.example._report._dmarc.reports.test TXT v=DMARC1",
		"_dmarc.sub.reports.test TXT v=DMARC1; p=none; rua=mailto:dmarc@reports.test",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(cfg.Domains) != 5 {
		t.Errorf("%d domains", len(cfg.Domains))
	}
}

// TestVariables checks where a variable's value comes from, and its type.
func TestVariables(t *testing.T) {
	t.Parallel()
	const text = `
variable "env" {
  default = "prod"
}
variable "n" {
  default = 1
}
variable "list" {
  default = ["x"]
}
variable "none" {
  default = null
}
locals {
  out = "${var.env} ${var.n + 1} ${join("+", var.list)} ${var.none == null}"
}
` + localProvider + `
domain "a.example" {
  owner = local.out
}
`
	tests := []struct {
		name string
		env  map[string]string
		vars map[string]string
		want string
	}{
		{"defaults", nil, nil, "prod 2 x true"},
		{"environment", map[string]string{"MAILDNS_VAR_env": "dev", "MAILDNS_VAR_n": "4", "MAILDNS_VAR_list": `["a","b"]`}, nil, "dev 5 a+b true"},
		{"flags beat the environment", map[string]string{"MAILDNS_VAR_env": "dev"}, map[string]string{"env": "test", "none": "5"}, "test 2 x false"},
		{"other variables are not read", map[string]string{"env": "dev", "MAILDNS_VAR_ENV": "dev"}, nil, "prod 2 x true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := right(t, map[string]string{"main.hcl": text}, Environment{Lookup: lookup(tt.env), Vars: tt.vars})
			if got := cfg.Domains[0].Owner; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func lookup(m map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := m[name]
		return v, ok
	}
}

func TestVariableErrors(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"main.hcl": "variable \"number\" {\n default = 1\n}\nvariable \"l\" {\n default = [1]\n}\n"})
	_, diags := Load(t.Context(), dir, Environment{
		Lookup: lookup(map[string]string{"MAILDNS_VAR_number": "many", "MAILDNS_VAR_l": "[1"}),
		Vars:   map[string]string{"nummer": "1"},
	})
	for _, want := range []string{`MAILDNS_VAR_number is "many", which is no number`, `MAILDNS_VAR_l is "[1", which is no tuple`, `--var sets "nummer", but no variable block declares it. Did you mean "number"?`} {
		if !strings.Contains(diags.Error(), want) {
			t.Errorf("%s\nlacks %q", diags, want)
		}
	}
}

// TestJSON proves that JSON syntax says the same as native syntax.
func TestJSON(t *testing.T) {
	t.Parallel()
	native := right(t, map[string]string{"main.hcl": localProvider + `
locals {
  rua = "mailto:d@a.example"
}
policy {
  soak = "2d"
}
domain "a.example" {
  provider = provider.zonefile.local
  ttl      = "1h"
  labels   = { tier = "gold" }
  mx {
    host = "mx1.example.net"
  }
  mx {
    host       = "mx2.example.net"
    preference = 20
  }
  spf {
    include = ["_spf.example.net"]
  }
  dmarc {
    policy = true ? "reject" : "none"
    rua    = [local.rua]
    ramp {
      steps = ["none", "reject"]
    }
  }
  record "x" "TXT" {
    values = ["a", "b"]
  }
}
domain "tenants" {
  for_each = { "b.example" = 1, "c.example" = 2 }
  name     = each.key
  owner    = "n${each.value}"
}
`}, Environment{})
	json := right(t, map[string]string{"main.hcl.json": `{
  "//": "a comment",
  "provider": {"zonefile": {"local": {"directory": "zones"}}},
  "locals": {"rua": "mailto:d@a.example"},
  "policy": {"soak": "2d"},
  "domain": {
    "a.example": {
      "provider": "${provider.zonefile.local}", "ttl": "1h", "labels": {"tier": "gold"},
      "mx": [{"host": "mx1.example.net"}, {"host": "mx2.example.net", "preference": 20}],
      "spf": {"include": ["_spf.example.net"]},
      "dmarc": {"policy": "${true ? \"reject\" : \"none\"}", "rua": ["${local.rua}"], "ramp": {"steps": ["none", "reject"]}},
      "record": {"x": {"TXT": {"values": ["a", "b"]}}}
    },
    "tenants": {"for_each": {"b.example": 1, "c.example": 2}, "name": "${each.key}", "owner": "n${each.value}"}
  }
}`}, Environment{})
	if diff := cmp.Diff(digests(native), digests(json)); diff != "" {
		t.Errorf("native and JSON differ:\n%s", diff)
	}
	array := right(t, map[string]string{
		"a.hcl.json": `[{"provider": {"zonefile": {"local": {"directory": "zones"}}}}, {"domain": [{"b.example": {}}, {"c.example": {}}]}]`,
		"b.hcl":      "domain \"d.example\" {}\n",
	}, Environment{})
	if got := names(array); !slices.Equal(got, []records.Name{"b.example", "c.example", "d.example"}) {
		t.Errorf("domains %v", got)
	}
}

func digests(c *Config) map[records.Name]string {
	out := map[records.Name]string{}
	for _, d := range c.Domains {
		out[d.Name] = d.Digest
	}
	return out
}

func names(c *Config) []records.Name {
	var out []records.Name
	for _, d := range c.Domains {
		out = append(out, d.Name)
	}
	return out
}

// TestProperty1OrderNeverMatters proves that neither the order of blocks, nor
// the file that they stand in, nor layout and comments change a digest.
func TestProperty1OrderNeverMatters(t *testing.T) {
	t.Parallel()
	top := []string{
		"locals {\n  a = local.b\n}\n", "locals {\n  b = \"mailto:d@a.example\"\n}\n", localProvider,
		"policy {\n  soak = \"2d\"\n}\n", "domain \"z.example\" {}\n",
		"domain \"t\" {\n  for_each = toset([\"b.example\", \"c.example\"])\n  name = each.key\n}\n",
	}
	parts := []string{
		"mx {\n host = \"mx1.example.net\"\n}", "mx {\n host = \"mx2.example.net\"\n}", "spf {\n include = [\"x.example\"]\n}",
		"dkim \"a\" {\n cname = \"a.example.net\"\n}", "dkim \"b\" {\n state = \"revoked\"\n}",
		"dmarc {\n policy = \"none\"\n rua = [local.a]\n}", "mta_sts {\n mode = \"testing\"\n}", "ttl = \"1h\"", "labels = { x = 1, y = 2 }",
		"record \"x\" \"TXT\" {\n values = [\"1\", \"2\"]\n}", "record \"x\" \"TXT\" {\n values = [\"3\"]\n}", "protect = [\"a\", \"b\"]",
		"override \"adoption\" {\n reason = \"x\"\n until = \"2026-12-01\"\n}",
	}
	load := func(t *rapid.T, files map[string]string) map[records.Name]string {
		dir, err := os.MkdirTemp("", "maildns")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cfg, diags := Load(context.Background(), dir, Environment{Now: noon})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return digests(cfg)
	}
	want := map[records.Name]string(nil)
	rapid.Check(t, func(t *rapid.T) {
		inner := rapid.Permutation(parts).Draw(t, "parts")
		blocks := append(slices.Clone(top), "domain \"a.example\" {\n"+strings.Join(inner, "\n")+"\n}\n")
		files := map[string]string{}
		for i, b := range rapid.Permutation(blocks).Draw(t, "blocks") {
			name := fmt.Sprintf("f%d.hcl", rapid.IntRange(0, 2).Draw(t, "file"))
			files[name] += strings.Repeat("# comment\n", i%2) + b + strings.Repeat("\n", i%3)
		}
		got := load(t, files)
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("digests differ:\n%s", diff)
		}
	})
}

// TestDigest proves that a digest changes with what is declared and with the
// settings, and with nothing else.
func TestDigest(t *testing.T) {
	t.Parallel()
	base := right(t, map[string]string{"main.hcl": domainOf("spf {}\nowner = \"x\"")}, Environment{}).Domains[0].Digest
	if !strings.HasPrefix(base, "sha256:") || len(base) != 7+64 {
		t.Errorf("digest %q", base)
	}
	same := []string{"\n\nowner =   \"${\"x\"}\" # c\nspf {\n all = \"softfail\"\n}", "owner = lower(\"X\")\nspf {\n include = []\n}\npeople = false"}
	for _, body := range same {
		if got := right(t, map[string]string{"other.hcl": domainOf(body)}, Environment{}).Domains[0].Digest; got != base {
			t.Errorf("%q changes the digest", body)
		}
	}
	seen := map[string]string{base: "the base"}
	for _, body := range []string{
		"spf {}", "spf {}\nowner = \"y\"", "spf {\n all = \"fail\"\n}\nowner = \"x\"", "spf {\n ttl = 60\n}\nowner = \"x\"", "spf {}\nowner = \"x\"\nnull_mx = true",
		"spf {}\nowner = \"x\"\npolicy {\n soak = 1\n}", "spf {}\nowner = \"x\"\nlabels = { a = \"b\" }", "spf {}\nowner = \"x\"\npeople = true",
		"spf {}\nowner = \"x\"\nreview {\n last = \"2026-01-01\"\n every = \"1d\"\n}",
	} {
		got := right(t, map[string]string{"main.hcl": domainOf(body)}, Environment{}).Domains[0].Digest
		if other, again := seen[got]; again {
			t.Errorf("%q has the digest of %q", body, other)
		}
		seen[got] = body
	}
}

// TestLoadJournal proves that the journal is found where the rest is broken.
func TestLoadJournal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files map[string]string
		want  Journal
		err   string
	}{
		{"declared among broken files", map[string]string{
			"a.hcl": "domain \"a\" {\n ttl = = \n}\nlocals {\n b = \"bucket\"\n c = nothing\n}\n",
			"b.hcl": "journal {\n  url = \"s3://${local.b}/x?region=${var.r}\"\n}\n",
			"c.hcl": "variable \"r\" {\n default = \"eu-west-1\"\n}\nprovider \"nope\" {",
		}, Journal{URL: "s3://bucket/x?region=eu-west-1", Declared: true, Source: records.Source{File: "b.hcl", Line: 1, Column: 1}}, ""},
		{"not declared", map[string]string{"a.hcl": "x"}, Journal{URL: "file://.maildns"}, ""},
		{"no configuration", nil, Journal{URL: "file://.maildns"}, ""},
		{"broken itself", map[string]string{"a.hcl": "journal {\n  url = env(\"X\")\n}\n"},
			Journal{URL: "file://.maildns", Declared: true, Source: records.Source{File: "a.hcl", Line: 1, Column: 1}}, "env() is not possible here"},
		{"twice", map[string]string{"a.hcl": "journal {\n  url = \"file://a\"\n}\njournal {\n  url = \"file://b\"\n}\n"},
			Journal{URL: "file://a", Declared: true, Source: records.Source{File: "a.hcl", Line: 1, Column: 1}}, "Second journal block"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, diags := LoadJournal(t.Context(), write(t, tt.files), Environment{})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if tt.err == "" && diags.HasErrors() || !strings.Contains(diags.Error(), tt.err) {
				t.Errorf("got %v, want %q", diags, tt.err)
			}
		})
	}
}

func TestNoConfiguration(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "nowhere")} {
		cfg, diags := Load(t.Context(), dir, Environment{})
		if !diags.HasErrors() || !strings.Contains(diags.Error(), "-C DIR") {
			t.Errorf("got %v", diags)
		}
		if cfg == nil || cfg.Secrets == nil || cfg.Journal.URL != "file://.maildns" {
			t.Errorf("got %+v", cfg)
		}
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, diags := Load(ctx, write(t, tenants(1000)), Environment{})
	if !diags.HasErrors() || !strings.Contains(diags.Error(), "Interrupted") {
		t.Errorf("got %v", diags)
	}
}

// TestExamples loads the examples of the project.
func TestExamples(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join("..", "..", "..", "..", "examples", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if files, err := filepath.Glob(filepath.Join(dir, "*.hcl")); err != nil || len(files) == 0 {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			if _, diags := Load(t.Context(), dir, Environment{Now: noon}); diags.HasErrors() {
				t.Error(diags)
			}
		})
	}
}

// TestDigestStays proves that a digest is the same from release to release, as
// long as the declaration is: saved plans carry it.
func TestDigestStays(t *testing.T) {
	t.Parallel()
	cfg := right(t, map[string]string{"main.hcl": domainOf(`
  ttl    = "1h"
  owner  = "Platform / SRE"
  labels = { tier = "gold" }
  review {
    last  = "2026-10-01"
    every = "90d"
  }
  mx {
    host = "mx.example.net"
  }
  spf {
    include = ["_spf.example.net"]
    ip4     = ["192.0.2.0/24"]
  }
  dkim "s1" {
    cname = "s1.example.net"
  }
  dmarc {
    policy = "reject"
    rua    = ["mailto:d@a.example"]
  }
  mta_sts {
    mode = "testing"
  }
  tls_rpt {
    rua = ["mailto:t@a.example"]
  }
  record "x" "TXT" {
    values = ["y"]
  }`)}, Environment{})
	const want = "sha256:f74a31b77c9881ac503094f7556e0a59b3871f2e114abdee026534309d511eb7"
	if got := cfg.Domains[0].Digest; got != want {
		t.Errorf("digest %s, want %s; every saved plan becomes invalid by such a change", got, want)
	}
}
