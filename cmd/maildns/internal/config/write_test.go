package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/zonefile"
	"github.com/attunelogic/maildns/records"
)

var localRef = records.ProviderRef{Type: "zonefile", Name: "local"}

var limits = records.Limits{Transactional: true, ReplacesSets: true}

// imported is a domain block and its plan.
type imported struct {
	Written
	loaded *records.Domain
	plan   plan.Domain
}

// importZone writes the block of a domain, loads it and plans it, as import,
// validate and plan do.
func importZone(t testing.TB, dir string, zone records.Zone, domain records.Name) imported {
	t.Helper()
	env := Environment{Now: noon}
	live := Live{Domain: domain, Zone: zone, Provider: localRef, Limits: limits, From: "at zonefile.local"}
	w, err := Write(t.Context(), dir, env, live)
	if err != nil {
		t.Fatal(err)
	}
	if formatted, diags := Format(w.HCL, "import.hcl"); diags.HasErrors() || !bytes.Equal(formatted, w.HCL) {
		t.Fatalf("not in canonical form: %v\n%s", diags, w.HCL)
	}
	file := filepath.Join(dir, "import.hcl")
	if err := os.WriteFile(file, w.HCL, 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file)
	cfg, diags := Load(t.Context(), dir, env)
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, w.HCL)
	}
	d, ok := cfg.Domain(domain)
	if !ok {
		t.Fatalf("%s is not declared:\n%s", domain, w.HCL)
	}
	p := policy.PlanZone(policy.ZoneInput{
		Live: zone, Past: plan.State{}.Index(), Journal: plan.JournalAbsent, Clock: plan.Clock{Now: noon, Wall: noon},
		Domains: []*records.Domain{d}, Source: plan.LiveProvider, Host: policy.Host{Limits: limits},
	})
	return imported{w, d, p.Domains[0]}
}

// same proves that another import says the same.
func (i imported) same(t testing.TB, dir string, zone records.Zone) {
	t.Helper()
	again, err := Write(t.Context(), dir, Environment{Now: noon}, Live{Domain: i.loaded.Name, Zone: zone, Provider: localRef, Limits: limits, From: "at zonefile.local"})
	if err != nil || !bytes.Equal(again.HCL, i.HCL) {
		t.Fatalf("a second import is another one (%v):\n%s\n%s", err, i.HCL, again.HCL)
	}
}

// check is property 8: the plan is empty, and the domain isn't stopped; two SPF
// records are merged, and nothing else.
func (i imported) check(t interface{ Fatalf(string, ...any) }) {
	if policy.Stopped(i.plan) {
		t.Fatalf("stopped: %v\n%s", i.plan.Findings, i.HCL)
	}
	for _, c := range i.plan.Changes {
		if !i.Merges || c.Kind != records.KindSPF || c.Name != i.loaded.Name || c.Step != plan.StepChange || c.State != plan.Ready {
			t.Fatalf("%s %s %s: %v → %v, %s %v\n%s", c.Action, c.Step, c.Key(), c.Before, c.After, c.State, c.Gates, i.HCL)
		}
	}
}

// zoneDir is a configuration that has a provider and nothing else.
func zoneDir(t testing.TB) string { return write(t, map[string]string{"maildns.hcl": localProvider}) }

// liveZone makes a zone of lines "name TTL type value"; names are relative to a.example.
func liveZone(t testing.TB, lines ...string) records.Zone {
	t.Helper()
	z := records.NewZone("a.example", 300)
	for _, line := range lines {
		f := strings.SplitN(line, " ", 4)
		var ttl records.TTL
		if _, err := fmt.Sscan(f[1], &ttl); err != nil {
			t.Fatal(err)
		}
		k := records.Key{Name: records.Below(f[0], "a.example"), Type: records.Type(f[2])}
		set, _ := z.Set(k)
		z = z.With(records.NewRRset(k, ttl, append(slices.Clone(set.Values), records.Value(f[3]))...))
	}
	return z
}

const (
	googleKey   = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAviZEQHb4mNQlRUoya3RDPc7Bl20197L1uSUALHNK8IEkXev+PASWkfmGl1dc/eIJDvpUEtnOMdgrMQKciYQ9dtu/X4Q7UrCBpCsc9fJtsVij/IT68NGd8pZuXRnLs7zGHRX9PMcH+gnLXIVXAQWBkWyRaQfShOkL50/xIabifn2aX24sVEE0MsXRUyCHvpSuI6O8p5h/Stw94oPqbSt+UcgKIXnRfDOpfTy27N2jp+l2TCMTVKaMiXaoDdJQ70sgnfyZbyvapqKhvw0kMHBpnq9V7t31BTH0V7Li7Y5hep29Cr6kMZWRC4a6MjpAOOglA8w56hPwi+uNyOLyHFX5oQIDAQAB"
	postmarkKey = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYQ2XTdMNu5POJxq4G5mY+xDAfYaBVJt8C3QOSLth3LOJVhGjpKWhZGe4q6XDY5mG2jAmkQCga1Z0lH+tjNtmqYRx9sR04QlSVVdU1cQYxQTSa/0C1e0AHqwsRbCEqnJeD756l0vj3Ga26fGT9PX7Lv7LhyTgKhNaxZ55MuDN15QIDAQAB"
)

// TestWrite shows what the parts of a zone come to.
func TestWrite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		live []string
		want []string // lines of the block, in order; "!" begins one that isn't there
	}{
		{"nothing", []string{"@ 300 A 192.0.2.1"}, []string{"provider = provider.zonefile.local", "!ttl", "!#   "}},
		{"spf", []string{"@ 3600 TXT v=spf1 ip4:192.0.2.0/24 a a:h.example/28 mx include:x.example exists:%{i}.x.example -all"},
			[]string{`ttl      = "1h"`, "spf {", `ip4     = ["192.0.2.0/24"]`, `a       = ["@", "h.example/28"]`, "mx      = true", `exists  = ["%%{i}.x.example"]`, `all     = "fail"`}},
		{"spf in another order", []string{"@ 300 TXT v=spf1 include:x.example ip4:192.0.2.1 ~all"},
			[]string{"# An spf block writes the terms in another order", `record "@" "TXT"`}},
		{"spf by redirect", []string{"@ 300 TXT v=spf1 redirect=_spf.x.example"}, []string{`redirect = "_spf.x.example"`, "!all"}},
		{"a broken spf", []string{"@ 300 TXT v=spf1 foo:x ~all"}, []string{"# A broken SPF record", `record "@" "TXT"`}},
		{"two spf", []string{"@ 300 TXT v=spf1 include:x.example ~all", "@ 300 TXT v=spf1 ip4:192.0.2.1 -all"},
			[]string{"# The zone has several SPF records", `ip4     = ["192.0.2.1"]`, `include = ["x.example"]`, `all     = "softfail"`}},
		{"mx", []string{"@ 300 MX 20 b.example", "@ 300 MX 10 a.example"}, []string{`host       = "a.example"`, "preference = 10", `host       = "b.example"`}},
		{"an address for a host", []string{"@ 300 MX 10 192.0.2.1"}, []string{"# Not as mx blocks", `record "@" "MX"`}},
		{"null mx", []string{"@ 300 MX 0 ."}, []string{"null_mx  = true"}},
		{"parked", []string{"@ 300 MX 0 .", "@ 300 TXT v=spf1 -all", "_dmarc 300 TXT v=DMARC1; p=reject; sp=reject; np=reject; rua=mailto:d@x.example"},
			[]string{"parked   = true", "dmarc {", `rua = ["mailto:d@x.example"]`, "!null_mx", "!spf"}},
		{"nearly parked", []string{"@ 300 MX 0 .", "@ 300 TXT v=spf1 -all", "_dmarc 300 TXT v=DMARC1; p=reject"},
			[]string{"null_mx  = true", `all = "fail"`, "!parked"}},
		{"dkim", []string{"s1._domainkey 300 TXT v=DKIM1; k=rsa; p=" + postmarkKey, "s2._domainkey 300 TXT v=DKIM1; p=", "s3._domainkey 300 CNAME k.x.example", "s4._domainkey 300 TXT p=" + postmarkKey},
			[]string{`dkim "s1" {`, "public_key = \"" + postmarkKey + `"`, `state = "revoked"`, `cname = "k.x.example"`, "# Not as a dkim block", `record "s4._domainkey" "TXT"`}},
		{"dkim with tags", []string{"s1._domainkey 300 TXT v=DKIM1; k=rsa; s=email; t=y; n=a; x=1; p=" + postmarkKey}, []string{`dkim "s1" {`, "public_key = \"v=DKIM1; k=rsa; s=email; t=y; n=a; x=1; p="}},
		{"dmarc", []string{"_dmarc 300 TXT v=DMARC1; p=reject; sp=none; rua=mailto:d@x.example; fo=1; adkim=s"},
			[]string{`policy           = "reject"`, `subdomain_policy = "none"`, `adkim            = "strict"`, `fo               = ["1"]`}},
		{"dmarc by the old ratchet", []string{"_dmarc 300 TXT v=DMARC1; p=quarantine; pct=25"}, []string{"# Not as a dmarc block", `record "_dmarc" "TXT"`}},
		{"dmarc elsewhere", []string{"_dmarc 300 CNAME a.example.vendor.example"}, []string{`record "_dmarc" "CNAME"`}},
		{"reports of others", []string{"b.example._report._dmarc 300 TXT v=DMARC1", "c.example._report._dmarc 300 TXT v=DMARC1"},
			[]string{`accept_reports_for = ["b.example", "c.example"]`}},
		{"tls_rpt", []string{"_smtp._tls 300 TXT v=TLSRPTv1; rua=mailto:t@x.example"}, []string{"tls_rpt {", `rua = ["mailto:t@x.example"]`}},
		{"bimi", []string{"default._bimi 300 TXT v=BIMI1; l=https://x.example/l.svg; a=https://x.example/v.pem"}, []string{`bimi "default" {`, `evidence = "https://x.example/v.pem"`}},
		{"mta-sts without its file", []string{"_mta-sts 300 TXT v=STSv1; id=1", "mta-sts 300 CNAME x.example"}, []string{"# An mta_sts block says the policy too", `record "_mta-sts" "TXT"`, `record "mta-sts" "CNAME"`}},
		{"a web host by that name", []string{"mta-sts 300 A 192.0.2.1"}, []string{"!record", "#   mta-sts A 192.0.2.1"}},
		{"ttls", []string{"@ 300 MX 10 x.example", "_dmarc 300 TXT v=DMARC1; p=none", "_smtp._tls 86400 TXT v=TLSRPTv1; rua=mailto:t@x.example"},
			[]string{`ttl      = "5m"`, "policy {", `ttl_max = "1d"`, "mx {", "!ttl ", "tls_rpt {", `ttl = "1d"`}},
		{"a ttl of 0", []string{"_dmarc 0 TXT v=DMARC1; p=none"}, []string{"!dmarc {", "#   _dmarc TXT v=DMARC1; p=none"}},
		{"odd text", []string{"s1._domainkey 300 TXT v=DKIM1; p=${a}%{b}\"\\\n"}, []string{`values = ["v=DKIM1; p=$${a}%%{b}\"\\\n"]`}},
		{"bytes that aren't text", []string{"s1._domainkey 300 TXT \xff\x01", "s2._domainkey 300 TXT e\u0301"}, []string{"!record", `#   s1._domainkey TXT \255\001`}},
		{"a domain below", []string{"mg 300 MX 10 mxa.mailgun.org", "mg 300 TXT v=spf1 include:mailgun.org ~all", "k1._domainkey.mg 300 TXT v=DKIM1; p="},
			[]string{"!record", "# Left alone", "#   k1._domainkey.mg TXT", "#   mg MX"}},
		{"a fault to keep", []string{"s1._domainkey 300 CNAME x.example", "s1._domainkey 300 TXT v=DKIM1; p="}, []string{`exception "dns-cname-coexist"`, `until  = "2026-12-`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			i := importZone(t, zoneDir(t), liveZone(t, tt.live...), "a.example")
			i.check(t)
			checkLines(t, string(i.HCL), tt.want)
		})
	}
}

func checkLines(t *testing.T, text string, want []string) {
	t.Helper()
	_, rest, _ := strings.Cut(text, "\ndomain ")
	for _, w := range want {
		if not, absent := strings.CutPrefix(w, "!"); absent {
			if strings.Contains(rest, not) && !strings.Contains(rest, "ttl = \"1d\"") {
				t.Errorf("there is %q in\n%s", not, text)
			}
			continue
		}
		_, after, found := strings.Cut(rest, w)
		if !found {
			t.Fatalf("no %q in its place in\n%s", w, text)
		}
		rest = after
	}
}

// TestWriteSenders recognises the presets by their records, and a type of the
// configuration as well.
func TestWriteSenders(t *testing.T) {
	t.Parallel()
	sendgrid := []string{"em1 300 CNAME u1.wl1.sendgrid.net", "s1._domainkey 300 CNAME s1.domainkey.u1.wl1.sendgrid.net", "s2._domainkey 300 CNAME s2.domainkey.u1.wl1.sendgrid.net"}
	tests := []struct {
		name string
		live []string
		want []string
	}{
		{"google", []string{"@ 300 TXT v=spf1 include:_spf.google.com ~all", "@ 300 MX 1 smtp.google.com", "google._domainkey 300 TXT v=DKIM1; k=rsa; p=" + googleKey, "own._domainkey 300 TXT v=DKIM1; k=rsa; p=" + postmarkKey},
			[]string{`sender "google_workspace" {`, `dkim = { google = "` + googleKey + `" }`, `mx   = "smtp.google.com"`, "spf {", `all = "softfail"`, `dkim "own"`}},
		{"google with other hosts", []string{"@ 300 TXT v=spf1 include:_spf.google.com ~all", "@ 300 MX 1 aspmx.l.google.com"},
			[]string{`sender "google_workspace" {}`, "mx {", `host       = "aspmx.l.google.com"`}},
		{"microsoft", []string{"@ 300 TXT v=spf1 include:spf.protection.outlook.com -all", "@ 300 TXT MS=ms12", "@ 300 MX 0 x.mail.protection.outlook.com", "autodiscover 300 CNAME autodiscover.outlook.com",
			"selector1._domainkey 300 CNAME selector1-a-example._domainkey.t.onmicrosoft.com", "selector2._domainkey 300 CNAME selector2-a-example._domainkey.t.onmicrosoft.com"},
			[]string{`sender "microsoft365" {`, "selector2 = \"selector2-a-example._domainkey.t.onmicrosoft.com\"", `mx           = "x.mail.protection.outlook.com"`, `verification = "ms12"`, "autodiscover = true", `all = "fail"`}},
		{"sendgrid", sendgrid, []string{"# Recognised: Twilio SendGrid with automated security.\n  sender \"sendgrid\" {", `account     = "u1.wl1"`, `return_path = "em1"`, "!selectors"}},
		{"sendgrid twice", append(slices.Clone(sendgrid), "em2 300 CNAME u2.wl1.sendgrid.net", "x1._domainkey 300 CNAME x1.domainkey.u2.wl1.sendgrid.net", "x2._domainkey 300 CNAME x2.domainkey.u2.wl1.sendgrid.net"),
			[]string{`account     = "u1.wl1"`, `account     = "u2.wl1"`, `selectors   = ["x1", "x2"]`, "!dkim"}},
		{"half of sendgrid", sendgrid[:2], []string{"# Looks like sendgrid", `dkim "s1"`, "# Looks like sendgrid", `record "em1" "CNAME"`}},
		{"sendgrid by hand", []string{"em1 300 MX 20 mx.sendgrid.net", "em1 300 TXT v=spf1 include:sendgrid.net ~all", "m1._domainkey 300 TXT v=DKIM1; k=rsa; p=" + googleKey},
			[]string{`sender "sendgrid_manual" {`, `return_path = "em1"`, `dkim_key    = "` + googleKey + `"`}},
		{"postmark", []string{"20260101000000pm._domainkey 300 TXT v=DKIM1; k=rsa; p=" + postmarkKey, "bounce 300 CNAME pm.mtasv.net"},
			[]string{`sender "postmark" {`, `dkim_selector = "20260101000000pm"`, `return_path   = "bounce"`}},
		{"ses", []string{"c1._domainkey 300 CNAME c1.dkim.eu-south-1.amazonses.com", "a1._domainkey 300 CNAME a1.dkim.eu-south-1.amazonses.com", "b1._domainkey 300 CNAME b1.dkim.eu-south-1.amazonses.com",
			"bounce 300 MX 10 feedback-smtp.eu-south-1.amazonses.com", "bounce 300 TXT v=spf1 include:amazonses.com ~all"},
			[]string{`sender "ses" {`, `tokens    = ["a1", "b1", "c1"]`, `region    = "eu-south-1"`, `mail_from = "bounce"`, "!dkim_domain"}},
		{"ses without its region", []string{"a1._domainkey 300 CNAME a1.dkim.amazonses.com", "b1._domainkey 300 CNAME b1.dkim.amazonses.com", "c1._domainkey 300 CNAME c1.dkim.amazonses.com"},
			[]string{"# Looks like ses", `dkim "a1"`}},
		{"mailgun in the eu", []string{"@ 300 TXT v=spf1 include:mailgun.org ~all", "@ 300 MX 10 mxa.eu.mailgun.org", "@ 300 MX 10 mxb.eu.mailgun.org", "email 300 CNAME eu.mailgun.org", "k1._domainkey 300 TXT v=DKIM1; k=rsa; p=" + googleKey},
			[]string{`sender "mailgun" {`, `region   = "eu"`, `dkim_key = { k1 = "` + googleKey + `" }`, `tracking = "email"`, "mx       = true"}},
		{"with terms in another order", []string{"@ 300 TXT v=spf1 include:x.example include:_spf.google.com ~all"},
			[]string{`sender "google_workspace" {}`, "# What senders bring as well stands here for the order of the terms", `include = ["x.example", "_spf.google.com"]`}},
		{"spf that no block can say", []string{"@ 300 TXT v=spf1  include:_spf.google.com ~all"}, []string{"!sender", `values = ["v=spf1  include:_spf.google.com ~all"]`}},
		{"ttls of senders", append(slices.Clone(sendgrid), "@ 3600 MX 10 x.example", "_dmarc 3600 TXT v=DMARC1; p=none", "_smtp._tls 3600 TXT v=TLSRPTv1; rua=mailto:t@x.example", "own._domainkey 3600 TXT v=DKIM1; p="),
			[]string{`ttl      = "5m"`, `sender "sendgrid"`, "mx {", `ttl        = "1h"`}},
		{"a type of one's own", []string{"@ 300 TXT v=spf1 include:spf.eu1.own.example ~all", "o1._domainkey 300 CNAME o1.eu1.own.example"}, []string{`sender "own" {`, `pod = "eu1"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, zone := write(t, map[string]string{"maildns.hcl": localProvider + ownType}), liveZone(t, tt.live...)
			i := importZone(t, dir, zone, "a.example")
			i.check(t)
			i.same(t, dir, zone)
			checkLines(t, string(i.HCL), tt.want)
		})
	}
}

const ownType = `
sender_type "own" {
  input "pod" {
    pattern = "^[a-z]{2}[0-9]$"
  }
  recognise {
    spf = ["spf.*.own.example"]
  }
  spf {
    include = ["spf.${input.pod}.own.example"]
  }
  dkim "o1" {
    cname = "o1.${input.pod}.own.example"
  }
}
`

// TestWriteAutomaticTTL: what the host chooses is declared so.
func TestWriteAutomaticTTL(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"maildns.hcl": "provider \"cloudflare\" \"main\" {\n  api_token = env(\"TOKEN\")\n}\n"})
	key := records.Key{Name: "_dmarc.a.example", Type: records.TypeTXT}
	w, err := Write(t.Context(), dir, Environment{Now: noon}, Live{
		Domain: "a.example", Zone: records.NewZone("a.example", 300, records.NewRRset(key, records.AutoTTL, "v=DMARC1; p=none")),
		Provider: records.ProviderRef{Type: "cloudflare", Name: "main"},
	})
	if err != nil || !strings.Contains(string(w.HCL), `ttl      = "auto"`) || w.Domain.TTL != records.AutoTTL {
		t.Errorf("%v\n%s", err, w.HCL)
	}
}

// TestWriteFromResolvers writes no TTL: those that resolvers give run out.
func TestWriteFromResolvers(t *testing.T) {
	t.Parallel()
	w, err := Write(t.Context(), zoneDir(t), Environment{Now: noon}, Live{
		Domain: "a.example", Zone: liveZone(t, "_dmarc 17 TXT v=DMARC1; p=none"), Provider: localRef, NoTTL: true,
	})
	if err != nil || strings.Contains(string(w.HCL), "ttl") {
		t.Errorf("%v\n%s", err, w.HCL)
	}
}

// TestWritePolicyFile: with the file that the policy host serves, MTA-STS is a
// block, and the live id stays.
func TestWritePolicyFile(t *testing.T) {
	t.Parallel()
	policyFile := &records.STSPolicy{Mode: records.STSEnforce, MX: []string{"mx.x.example", "*.y.example"}, MaxAge: 604800}
	for _, tt := range []struct {
		id   string
		want []string
	}{
		{"20260101", []string{"mta_sts {", `mode       = "enforce"`, `max_age    = "1w"`, `id         = "20260101"`, `host_cname = "pages.x.example"`}},
		{policyFile.ID(), []string{"mta_sts {", "!id ", `host_cname = "pages.x.example"`}},
	} {
		w, err := Write(t.Context(), zoneDir(t), Environment{Now: noon}, Live{
			Domain: "a.example", Zone: liveZone(t, "_mta-sts 300 TXT v=STSv1; id="+tt.id, "mta-sts 300 CNAME pages.x.example"), Provider: localRef, Policy: policyFile,
		})
		if err != nil {
			t.Fatal(err)
		}
		checkLines(t, string(w.HCL), tt.want)
	}
}

// TestWriteLeavesOthers: what another domain of the configuration declares is
// not imported again.
func TestWriteLeavesOthers(t *testing.T) {
	t.Parallel()
	other := &records.Domain{Name: "sub.a.example", Zone: "a.example"}
	w, err := Write(t.Context(), zoneDir(t), Environment{Now: noon}, Live{
		Domain: "a.example", Zone: liveZone(t, "em1.sub 300 CNAME u1.wl1.sendgrid.net", "em2 300 CNAME u1.wl1.sendgrid.net"), Provider: localRef,
		Others: []*records.Domain{other},
	})
	if err != nil {
		t.Fatal(err)
	}
	checkLines(t, string(w.HCL), []string{`record "em2" "CNAME"`, "!em1"})
}

// TestProperty8ImportThenPlanIsEmpty for every zone, two SPF records aside.
func TestProperty8ImportThenPlanIsEmpty(t *testing.T) {
	t.Parallel()
	dir := zoneDir(t)
	rapid.Check(t, func(rt *rapid.T) {
		i := importZone(t, dir, anyZone(rt), "a.example")
		i.check(rt)
	})
}

// anyZone is a zone of mail records, right and wrong ones, and of values that
// are hard to write.
func anyZone(t *rapid.T) records.Zone {
	z := records.NewZone("a.example", 300)
	for range rapid.IntRange(0, 12).Draw(t, "sets") {
		k, values := anySet(t)
		ttl := rapid.SampledFrom([]records.TTL{300, 300, 3600, 3600, 90, 86400, 0, records.MaxTTL}).Draw(t, "ttl")
		z = z.With(records.NewRRset(k, ttl, values...))
	}
	return z
}

// anySet is one set of a zone.
func anySet(t *rapid.T) (records.Key, []records.Value) {
	pick := func(label string, words ...string) string { return rapid.SampledFrom(words).Draw(t, label) }
	text := func(words ...string) []records.Value {
		n := rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "values")
		out := make([]records.Value, n)
		for i := range out {
			if rapid.IntRange(0, 4).Draw(t, "odd") == 0 {
				out[i] = records.Value(anyText(t))
			} else {
				out[i] = records.Value(pick("text", words...))
			}
		}
		return out
	}
	key := func(name string, typ records.Type) records.Key {
		return records.Key{Name: records.Below(name, "a.example"), Type: typ}
	}
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1:
		return key("@", "TXT"), text(anySPF(t), anySPF(t), "v=spf1 -all", "google-site-verification=x", "MS=ms12345")
	case 2:
		return key("@", "MX"), text2(t, "0 .", "1 smtp.google.com", "10 a.example.net", "10 192.0.2.1", "0 x.mail.protection.outlook.com", "10 mxa.mailgun.org", "10 mxb.mailgun.org", "10 -bad-.example")
	case 3, 4:
		return key("_dmarc", "TXT"), text("v=DMARC1; p=none", "v=DMARC1; p=reject; sp=reject; np=reject", "v=DMARC1; p=quarantine; pct=25; t=y", "v=DMARC1; p=reject; sp=none; rua=mailto:x@b.example,mailto:y@c.example!10m",
			"v=DMARC1;p=none", "v=DMARC1; p=none; rua=x", "v=DMARC1", "v=DMARC1; p=reject; adkim=s; aspf=s; fo=1:d", "v=DMARC1; sp=reject; p=quarantine", "v=dmarc1; p=none")
	case 5:
		return key(pick("selector", "s1", "s2", "google", "k1", "*", "a.b", "S_x")+"._domainkey", "TXT"), text("v=DKIM1; p=", "v=DKIM1; k=rsa; p="+postmarkKey, "k=rsa; p="+postmarkKey, "v=DKIM1; k=rsa; t=s; p="+googleKey, "v=DKIM1; k=ed25519; p=AAAA")
	case 6:
		return key(pick("alias", "s1._domainkey", "s2._domainkey", "em1", "_dmarc", "mta-sts", "autodiscover", "em2"), "CNAME"), text2(t, "s1.domainkey.u1.wl1.sendgrid.net", "s2.domainkey.u1.wl1.sendgrid.net", "u1.wl1.sendgrid.net", "x.example", "pm.mtasv.net", "autodiscover.outlook.com")[:1]
	case 7:
		return key("_mta-sts", "TXT"), text("v=STSv1; id=1", "v=STSv1; id=1;", "v=STSv1")
	case 8:
		return key(pick("reports", "_smtp._tls", "b.example._report._dmarc", "default._bimi", "a.example"), "TXT"), text("v=TLSRPTv1; rua=mailto:t@x.example", "v=TLSRPTv1;rua=x", "v=DMARC1", "v=BIMI1; l=https://x.example/l.svg", "v=BIMI1; l=; a=")
	}
	return key(pick("name", "mg", "em1", "x._domainkey.mg", "mta-sts"), "MX"), text2(t, "10 feedback-smtp.eu-west-1.amazonses.com", "20 mx.sendgrid.net", "10 mxa.mailgun.org")
}

func text2(t *rapid.T, words ...string) []records.Value {
	return rapid.SliceOfNDistinct(rapid.Map(rapid.SampledFrom(words), func(s string) records.Value { return records.Value(s) }), 1, 3, rapid.ID).Draw(t, "data")
}

// anySPF is a record with terms in any order.
func anySPF(t *rapid.T) string {
	terms := rapid.SliceOfN(rapid.SampledFrom([]string{
		"ip4:192.0.2.0/24", "ip4:192.0.2.1", "ip6:2001:db8::/32", "a", "a:x.example", "a/24", "mx", "mx:x.example", "include:_spf.google.com", "include:spf.protection.outlook.com",
		"include:mailgun.org", "include:sendgrid.net", "exists:%{i}.x.example", "ptr", "?include:x.example", "-ip4:192.0.2.9", "INCLUDE:X.example", "foo", "exp=e.example", "redirect=r.example",
	}), 0, 5).Draw(t, "terms")
	return strings.Join(append(append([]string{"v=spf1"}, terms...), rapid.SampledFrom([]string{"~all", "-all", "?all", "+all", "", "~ALL"}).Draw(t, "all")), " ")
}

// anyText is hard to write in HCL.
func anyText(t *rapid.T) string {
	return rapid.SampledFrom([]string{"v=spf1 ", "v=DMARC1; ", "v=DKIM1; p=", "v=STSv1; id=", "v=TLSRPTv1; rua=", "v=BIMI1; l=", ""}).Draw(t, "prefix") +
		rapid.OneOf(
			rapid.String(),
			rapid.SampledFrom([]string{"${a}", "%{if true}x%{endif}", `"`, `\`, `\"`, "\n", "\t", "$${", "%%{", "ü", "e\u0301", "\xff", "\x00", " ", "", "EOT", "# c", strings.Repeat("x", 4096), "\u2028", "\ufeff", "a\r\nb"}),
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 40), func(b []byte) string { return string(b) }),
		).Draw(t, "rest")
}

// FuzzImport: any zone file that can be read becomes a configuration whose plan
// is empty.
func FuzzImport(f *testing.F) {
	const soa = "$ORIGIN a.example.\n$TTL 3600\n@ SOA ns1 h 1 2 3 4 5\n"
	for _, body := range []string{
		"",
		"@ TXT \"v=spf1 include:_spf.google.com ~all\"\n@ MX 1 smtp.google.com.\ngoogle._domainkey TXT \"v=DKIM1; k=rsa; p=" + postmarkKey + "\"\n",
		"@ TXT \"v=spf1 -all\"\n@ MX 0 .\n_dmarc TXT \"v=DMARC1; p=reject; sp=reject; np=reject\"\n",
		"@ TXT \"v=spf1 a -all\"\n@ TXT \"v=spf1 mx ?all\"\n_dmarc 86400 TXT \"v=DMARC1; p=quarantine; pct=25\"\n",
		"em1 CNAME u1.wl1.sendgrid.net.\ns1._domainkey CNAME s1.domainkey.u1.wl1.sendgrid.net.\ns2._domainkey CNAME s2.domainkey.u1.wl1.sendgrid.net.\n",
		"s._domainkey TXT \"v=DKIM1; p=${x}%{y}\\\"\\\\\"\nb._domainkey TXT \"\\255\\001\"\n_mta-sts TXT \"v=STSv1; id=1\"\nmta-sts A 192.0.2.1\n_smtp._tls TXT \"v=TLSRPTv1;rua=mailto:x@y.example\"\n",
		"_domainkey NS ns.x.example.\n_dmarc CNAME x.example.\n*._domainkey TXT \"v=DKIM1; p=\"\n_dmarc.sub TXT \"v=DMARC1; p=none\"\nx._report._dmarc TXT v=DMARC1\n",
	} {
		f.Add(soa + body)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := zoneDir(t)
		if err := os.WriteFile(filepath.Join(dir, "a.example.zone"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := &zonefile.Provider{Directory: dir, Now: func() time.Time { return noon }}
		zone, err := p.ReadZone(t.Context(), "a.example")
		if err != nil {
			t.Skip()
		}
		importZone(t, dir, zone, "a.example").check(t)
	})
}

// TestWriteTTLOfValues: where the host stores a TTL with each value, those of
// strangers don't matter.
func TestWriteTTLOfValues(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"maildns.hcl": "provider \"cloudflare\" \"main\" {\n  api_token = env(\"TOKEN\")\n}\n"})
	set := records.NewRRset(records.Key{Name: "a.example", Type: records.TypeTXT}, 120, "v=spf1 -all", "verification")
	set.TTLs = map[records.Value]records.TTL{"v=spf1 -all": 300}
	cloudflare, _ := provider.Lookup("cloudflare")
	w, err := Write(t.Context(), dir, Environment{Now: noon}, Live{
		Domain: "a.example", Zone: records.NewZone("a.example", 300, set), Limits: cloudflare.Limits,
		Provider: records.ProviderRef{Type: "cloudflare", Name: "main"},
	})
	if err != nil {
		t.Fatal(err)
	}
	checkLines(t, string(w.HCL), []string{`ttl      = "5m"`, "spf {"})
}
