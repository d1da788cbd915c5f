package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/records"
)

// TestR05OneRecord checks that the terms of all senders and of the spf block
// come into one record, each once, those without a lookup first.
func TestR05OneRecord(t *testing.T) {
	t.Parallel()
	const both = "sender \"microsoft365\" {}\nsender \"google_workspace\" {}\n"
	tests := []struct{ name, body, want string }{
		{"senders alone", both, "v=spf1 include:_spf.google.com include:spf.protection.outlook.com ~all"},
		{"with an spf block", both + "spf {\n ip4 = [\"192.0.2.1\"]\n include = [\"sendgrid.net\"]\n all = \"fail\"\n}",
			"v=spf1 ip4:192.0.2.1 include:_spf.google.com include:spf.protection.outlook.com include:sendgrid.net -all"},
		{"a term in both stands where the block has it", both + "spf {\n include = [\"sendgrid.net\", \"_SPF.google.com\"]\n}",
			"v=spf1 include:spf.protection.outlook.com include:sendgrid.net include:_spf.google.com ~all"},
		{"before a redirect", both + "spf {\n redirect = \"x.example\"\n}",
			"v=spf1 include:_spf.google.com include:spf.protection.outlook.com redirect=x.example"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff([]string{"@ TXT " + tt.want}, declares(t, tt.body)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestFlattenSender lets an include that a sender brings be kept flattened.
func TestFlattenSender(t *testing.T) {
	t.Parallel()
	cfg := right(t, map[string]string{"main.hcl": domainOf("sender \"mailgun\" {\n dkim_cname = { pdk1 = \"pdk1._domainkey.1.dkim1.mailgun.com\" }\n}\nspf {\n flatten = [\"mailgun.org\"]\n}")}, Environment{})
	if diff := cmp.Diff([]records.Name{"mailgun.org"}, cfg.Domains[0].SPF.Flatten); diff != "" {
		t.Error(diff)
	}
}

// own wraps the inside of a sender_type block and a sender of it.
func own(typ, inputs string) map[string]string {
	return map[string]string{"main.hcl": domainOf("sender \"own\" {\n"+inputs+"\n}") + "sender_type \"own\" {\n" + typ + "\n}\n"}
}

// TestSenderType checks what blocks of a type come to.
func TestSenderType(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, typ, inputs string
		want              []string
	}{
		{"that of the manual", `
  source    = "https://docs.mycorp.example/dns"
  checked   = "2026-11-20"
  verified  = true
  shared_ip = true
  mail_from = domain
  signs_as  = ["mycorp.example"]
  input "pod" {
    description = "pod name, e.g. eu1"
    pattern     = "^[a-z]{2}[0-9]$"
  }
  recognise {
    spf        = ["spf.*.mycorp.example"]
    dkim_cname = ["*.mycorp.example"]
  }
  spf {
    include = ["spf.${input.pod}.mycorp.example"]
  }
  dkim "mc1" {
    cname = "mc1.${input.pod}.mycorp.example"
  }`, `pod = "eu1"`, []string{
			"spf a.example TXT v=spf1 include:spf.eu1.mycorp.example ~all",
			"dkim mc1._domainkey.a.example CNAME mc1.eu1.mycorp.example",
		}},
		{"for_each of a list", "input \"hosts\" {}\nmx {\n for_each = input.hosts\n host = each.value\n preference = 10 * (each.key + 1)\n}", `hosts = ["x.example", "y.example"]`,
			[]string{"mx a.example MX 10 x.example", "mx a.example MX 20 y.example"}},
		{"for_each of a map", "input \"keys\" {}\ndkim \"x\" {\n for_each = input.keys\n selector = each.key\n cname = \"${each.value}.${domain}.v.example\"\n}", `keys = { a = "1", b = "2" }`,
			[]string{"dkim a._domainkey.a.example CNAME 1.a.example.v.example", "dkim b._domainkey.a.example CNAME 2.a.example.v.example"}},
		{"for_each of a set", "record \"x\" \"A\" {\n for_each = toset([\"n\", \"m\"])\n name = each.key\n values = [\"192.0.2.1\"]\n}", "",
			[]string{"record m.a.example A 192.0.2.1", "record n.a.example A 192.0.2.1"}},
		{"for_each of nothing", "input \"mx\" {\n required = false\n}\nmx {\n for_each = input.mx\n host = each.value\n}\nspf {\n include = [\"v.example\"]\n}", "",
			[]string{"spf a.example TXT v=spf1 include:v.example ~all"}},
		{"locals are seen", "mx {\n host = local.host\n}", "",
			[]string{"mx a.example MX 10 from.local.example"}},
		{"a record is sorted by what it is", `
  record "@" "TXT" {
    values = ["v=spf1 include:v.example -all", "token=1"]
  }
  record "bounce" "TXT" {
    values = ["v=spf1 include:b.example -all"]
  }
  record "k._domainkey" "CNAME" {
    values = ["k.v.example"]
  }
  record "@" "MX" {
    values = ["5 mx.v.example"]
  }
  record "redirected" "TXT" {
    values = ["v=spf1 redirect=v.example"]
  }`, "", []string{
			"mx a.example MX 5 mx.v.example",
			"record a.example TXT token=1",
			"spf a.example TXT v=spf1 include:v.example ~all",
			"spf bounce.a.example TXT v=spf1 include:b.example -all",
			"dkim k._domainkey.a.example CNAME k.v.example",
			"record redirected.a.example TXT v=spf1 redirect=v.example",
		}},
		{"a default, and null is the default", "input \"host\" {\n default = \"d.example\"\n}\nmx {\n host = input.host\n}", "host = null",
			[]string{"mx a.example MX 10 d.example"}},
		{"required by another input", "input \"a\" {\n default = \"\"\n}\ninput \"b\" {\n required = input.a == \"\"\n}\nmx {\n host = \"${input.a}.example\"\n}", `a = "given"`,
			[]string{"mx a.example MX 10 given.example"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := own(tt.typ, tt.inputs)
			files["locals.hcl"] = "locals {\n  host = \"from.local.example\"\n}\n"
			cfg := right(t, files, Environment{})
			if diff := cmp.Diff(tt.want, values(cfg.Domains[0].Declared())); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestSenderJSON reads types and senders in JSON syntax.
func TestSenderJSON(t *testing.T) {
	t.Parallel()
	cfg := right(t, map[string]string{"main.hcl": localProvider, "more.hcl.json": `{
  "sender_type": {
    "one": {"input": {"pod": {"pattern": "^[a-z]+$"}}, "spf": [{"include": ["${input.pod}.one.example"]}]},
    "two": {"dkim": {"k": {"cname": "k.two.example"}}}
  },
  "domain": {"a.example": {"sender": [{"one": {"pod": "x"}}, {"two": {}}]}}
}`}, Environment{})
	want := []string{"spf a.example TXT v=spf1 include:x.one.example ~all", "dkim k._domainkey.a.example CNAME k.two.example"}
	if diff := cmp.Diff(want, values(cfg.Domains[0].Declared())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSenderDescribed checks what rules and evidence need to know of a sender.
func TestSenderDescribed(t *testing.T) {
	t.Parallel()
	cfg := right(t, own(`
  shared_ip = input.pod != "own"
  mail_from = "b.${domain}"
  signs_as  = ["${input.pod}.v.example"]
  input "pod" {}
  record "b" "MX" {
    values = ["10 mx.v.example"]
  }
  record "b" "TXT" {
    values = ["v=spf1 include:v.example ~all"]
  }
  record "other" "CNAME" {
    values = ["v.example"]
  }
  dkim "k2" {
    cname = "k2.v.example"
  }
  dkim "k1" {
    cname = "k1.v.example"
  }
  spf {
    ip4 = ["192.0.2.0/24"]
  }`, "pod = \"own\"\nfrom = [\"news.a.example\", \"a.example\"]"), Environment{})
	want := []records.Sender{{
		Type: "own", MailFrom: "b.a.example", SignsAs: []records.Name{"own.v.example"},
		From: []records.Name{"a.example", "news.a.example"}, Selectors: []string{"k1", "k2"},
		SPF:        []records.SenderSPF{{Name: "b.a.example", Term: "include:v.example"}, {Name: "b.a.example", Term: "~all"}, {Name: "a.example", Term: "ip4:192.0.2.0/24"}},
		ReturnPath: []records.Key{{Name: "b.a.example", Type: "MX"}, {Name: "b.a.example", Type: "TXT"}},
		Source:     records.Source{File: "main.hcl", Line: 5, Column: 1},
	}}
	if diff := cmp.Diff(want, cfg.Domains[0].Senders); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !cfg.Domains[0].Sends() {
		t.Error("a domain with a sender sends")
	}
}

// TestSendersOfOneType lets a domain have two of one service, which may share
// what both need.
func TestSendersOfOneType(t *testing.T) {
	t.Parallel()
	got := declares(t, `
sender "ses" {
  tokens    = ["a1", "a2", "a3"]
  region    = "eu-west-1"
  mail_from = "bounce"
}
sender "ses" {
  tokens    = ["b1", "b2", "b3"]
  region    = "eu-west-1"
  mail_from = "bounce"
}`)
	want := []string{
		"a1._domainkey CNAME a1.dkim.amazonses.com",
		"a2._domainkey CNAME a2.dkim.amazonses.com",
		"a3._domainkey CNAME a3.dkim.amazonses.com",
		"b1._domainkey CNAME b1.dkim.amazonses.com",
		"b2._domainkey CNAME b2.dkim.amazonses.com",
		"b3._domainkey CNAME b3.dkim.amazonses.com",
		"bounce MX 10 feedback-smtp.eu-west-1.amazonses.com",
		"bounce TXT v=spf1 include:amazonses.com ~all",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSenderTTL checks R22: a type recommends a TTL, the domain's ttl_max wins.
func TestSenderTTL(t *testing.T) {
	t.Parallel()
	cfg := right(t, own("record \"x\" \"A\" {\n values = [\"192.0.2.1\"]\n ttl = \"1d\"\n}\nrecord \"y\" \"A\" {\n values = [\"192.0.2.1\"]\n ttl = 60\n}\nrecord \"z\" \"A\" {\n values = [\"192.0.2.1\"]\n}", ""), Environment{})
	var got []records.TTL
	for _, v := range cfg.Domains[0].Declared() {
		got = append(got, v.TTL)
	}
	if diff := cmp.Diff([]records.TTL{3600, 60, 0}, got); diff != "" {
		t.Error(diff)
	}
}

// TestSenderMX lets the MTA-STS policy take its hosts from a sender's.
func TestSenderMX(t *testing.T) {
	t.Parallel()
	cfg := right(t, map[string]string{"main.hcl": domainOf("mta_sts {\n mode = \"testing\"\n}\nsender \"google_workspace\" {\n mx = \"smtp.google.com\"\n}")}, Environment{})
	if diff := cmp.Diff([]string{"smtp.google.com"}, cfg.Domains[0].MTASTS.Policy.MX); diff != "" {
		t.Error(diff)
	}
}

// TestSenderForTenants makes one sender for each domain of a for_each.
func TestSenderForTenants(t *testing.T) {
	t.Parallel()
	cfg := right(t, map[string]string{"main.hcl": localProvider + `
domain "tenants" {
  for_each = { "x.example" = "u1.wl1", "y.example" = "u2.wl2" }
  name     = each.key
  sender "sendgrid" {
    account     = each.value
    return_path = "em1"
  }
}`}, Environment{})
	var got []string
	for _, d := range cfg.Domains {
		got = append(got, values(d.Declared())[0])
	}
	want := []string{"record em1.x.example CNAME u1.wl1.sendgrid.net", "record em1.y.example CNAME u2.wl2.sendgrid.net"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// senderBlocks are some that may stand in one domain.
var senderBlocks = []string{
	"sender \"google_workspace\" {}\n",
	"sender \"microsoft365\" {}\n",
	"sender \"sendgrid\" {\n account = \"u1.wl1\"\n return_path = \"em1\"\n}\n",
	"sender \"sendgrid\" {\n account = \"u2.wl2\"\n return_path = \"em2\"\n selectors = [\"x\", \"x2\"]\n}\n",
	"sender \"ses\" {\n tokens = [\"a1\", \"a2\", \"a3\"]\n region = \"eu-west-1\"\n mail_from = \"bounce\"\n}\n",
	"sender \"ses\" {\n tokens = [\"b1\", \"b2\", \"b3\"]\n region = \"eu-west-1\"\n mail_from = \"bounce\"\n}\n",
	"spf {\n include = [\"x.example\"]\n}\n",
	"dkim \"k\" {\n cname = \"k.example\"\n}\n",
}

// TestProperty1SenderOrder proves that the order of the blocks changes neither
// a record nor the digest.
func TestProperty1SenderOrder(t *testing.T) {
	t.Parallel()
	load := func(blocks []string) *records.Domain {
		return right(t, map[string]string{"main.hcl": domainOf(strings.Join(blocks, ""))}, Environment{}).Domains[0]
	}
	want := load(senderBlocks)
	rapid.Check(t, func(rt *rapid.T) {
		got := load(rapid.Permutation(senderBlocks).Draw(rt, "blocks"))
		if got.Digest != want.Digest || !slices.Equal(values(got.Declared()), values(want.Declared())) {
			rt.Fatalf("other records or another digest:\n%s", cmp.Diff(values(want.Declared()), values(got.Declared())))
		}
	})
}

// TestSenderDigest proves that the digest covers what is known of a sender, also
// where no record shows it.
func TestSenderDigest(t *testing.T) {
	t.Parallel()
	digests := map[string]string{}
	for _, inputs := range []string{"", `from = ["x.a.example"]`, `a = "1"`, `b = "1"`, `c = false`, `d = "1"`} {
		files := own(`
  mail_from = "${input.a}.${domain}"
  signs_as  = ["${input.b}.v.example"]
  shared_ip = input.c
  input "a" {
    default = "0"
  }
  input "b" {
    default = "0"
  }
  input "c" {
    default = true
  }
  input "d" {
    default = "0"
  }
  spf {
    include = ["${input.d}.v.example"]
  }`, inputs)
		digest := right(t, files, Environment{}).Domains[0].Digest
		if other, seen := digests[digest]; seen {
			t.Errorf("%q and %q have one digest", inputs, other)
		}
		digests[digest] = inputs
	}
}

// TestSenderBounds holds what sender types may cost against their bounds.
func TestSenderBounds(t *testing.T) {
	t.Parallel()
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"for_each", own("record \"x\" \"A\" {\n for_each = local.many\n name = each.value\n values = [\"192.0.2.1\"]\n}", ""), "Too many records"},
		{"values", own("record \"x\" \"TXT\" {\n values = local.many\n}\nrecord \"y\" \"TXT\" {\n values = local.many\n}", ""), "Too many records"},
		{"terms", own("spf {\n include = local.many\n}", ""), "Too many records"},
		{"senders", map[string]string{"main.hcl": domainOf(many(101, "sender \"sendgrid\" {\n account = \"u1.wl%d\"\n return_path = \"em\"\n}\n"))}, "Too many senders"},
		{"types", map[string]string{"main.hcl": localProvider + many(30, "sender_type \"t%d\" {\n"+strings.Repeat("spf {}\n", 100)+"}\n")}, "Too many sender types"},
		{"pattern", own("input \"x\" {\n pattern = \"(((a{1,9}){1,9}){1,9})\"\n}", `x = "a"`), "Pattern too complex"},
		{"long pattern", own("input \"x\" {\n pattern = \""+strings.Repeat("a", 300)+"\"\n}", `x = "a"`), "Invalid pattern"},
		{"patterns", map[string]string{"main.hcl": localProvider + "sender_type \"t\" {\n" + many(1500, "input \"x%d\" {\n pattern = \"a{1,200}\"\n}\n") + "}\n"}, "Pattern too complex"},
		{"recursion", own("input \"x\" {\n default = input.x\n}", ""), "Unknown variable"},
		{"env", own("input \"x\" {\n default = env(\"HOME\")\n}", ""), "env() is not possible here"},
		{"file", own("mx {\n host = file(\"../secret\")\n}", ""), "Invalid function argument"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.files["many.hcl"] = "locals {\n many = [" + many(1001, "\"n%d.example\",") + "]\n}\n"
			_, diags := Load(t.Context(), write(t, tt.files), Environment{Now: noon})
			if !slices.ContainsFunc(diags, func(d Diagnostic) bool { return d.Summary == tt.want && d.Source != nil }) {
				t.Errorf("want %q, got %d others, first %v", tt.want, len(diags), diags[:min(3, len(diags))])
			}
		})
	}
}

// TestR10ReportsOfOthers checks the authorisations to send reports here, with
// names in Unicode; a domain of the same organisation needs none (RFC 9990 4).
func TestR10ReportsOfOthers(t *testing.T) {
	t.Parallel()
	cfg := right(t, map[string]string{"main.hcl": localProvider + `
domain "berichte.example" {
  accept_reports_for = "declared"
}
domain "bücher.test" {
  dmarc {
    policy = "none"
    rua    = ["mailto:d@berichte.example"]
  }
}
domain "shop.berichte.example" {
  dmarc {
    policy = "none"
    rua    = ["mailto:d@berichte.example"]
  }
}
domain "elsewhere.test" {
  accept_reports_for = ["Bücher.test.", "x.test"]
}
domain "geparkt-ä.test" {
  parked = true
  dmarc {
    rua = ["mailto:d@berichte.example"]
  }
}`}, Environment{})
	got := map[records.Name][]string{}
	for _, d := range cfg.Domains {
		for _, v := range d.Declared() {
			if strings.Contains(string(v.Key.Name), "_report.") || d.Parked {
				got[d.Name] = append(got[d.Name], fmt.Sprintf("%s %s", v.Key, v.Value))
			}
		}
	}
	want := map[records.Name][]string{
		"berichte.example": {
			"xn--bcher-kva.test._report._dmarc.berichte.example TXT v=DMARC1",
			"xn--geparkt--7za.test._report._dmarc.berichte.example TXT v=DMARC1",
		},
		"elsewhere.test": {
			"x.test._report._dmarc.elsewhere.test TXT v=DMARC1",
			"xn--bcher-kva.test._report._dmarc.elsewhere.test TXT v=DMARC1",
		},
		"xn--geparkt--7za.test": {
			"_dmarc.xn--geparkt--7za.test TXT v=DMARC1; p=reject; sp=reject; np=reject; rua=mailto:d@berichte.example",
			"xn--geparkt--7za.test MX 0 .",
			"xn--geparkt--7za.test TXT v=spf1 -all",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
