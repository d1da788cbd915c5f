package config

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/records"
)

// presetTypes are the types that come with the program.
func presetTypes(t *testing.T) []SenderType {
	t.Helper()
	types, diags := SenderTypes(t.Context(), t.TempDir(), Environment{Now: noon})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return types
}

// TestPresets proves of every embedded file that it is one type without faults,
// says where its facts come from, and has an example that sets what must be set,
// loads as it stands, and makes the records of the golden file.
func TestPresets(t *testing.T) {
	t.Parallel()
	types := presetTypes(t)
	if names := presetNames(); len(names) < 27 || len(types) != len(names) {
		t.Fatalf("%d presets of the files %v", len(types), names)
	}
	for _, about := range types {
		t.Run(about.Name, func(t *testing.T) {
			t.Parallel()
			checkPresetFile(t, about.Name)
			if !strings.HasPrefix(about.Source, "https://") || about.Checked.Before(noon.AddDate(-2, 0, 0)) || about.Checked.After(noon) {
				t.Errorf("source %q, checked %s", about.Source, about.Checked.Format(time.DateOnly))
			}
			if about.Description == "" || strings.HasSuffix(about.Description, ".") {
				t.Errorf("description %q", about.Description)
			}
			for _, in := range about.Inputs {
				if in.Description == "" || in.Required && !strings.Contains(about.Example, in.Name) {
					t.Errorf("input %s: description %q, and the example must set it if it is required", in.Name, in.Description)
				}
			}
			cfg := right(t, map[string]string{"main.hcl": localProvider + "domain \"example.com\" {\n" + about.Example + "\n}\n"}, Environment{})
			declared := cfg.Domains[0].Declared()
			if diff := cmp.Diff(values(about.Records), values(declared)); diff != "" {
				t.Errorf("the example makes other records in a configuration:\n%s", diff)
			}
			golden(t, filepath.Join("testdata", "presets", about.Name+".txt"), senderText(cfg.Domains[0].Senders[0])+"\n"+strings.Join(values(declared), "\n")+"\n")
		})
	}
}

// checkPresetFile reads a file as a configuration's own type would be read: with
// all diagnostics.
func checkPresetFile(t *testing.T, name string) {
	t.Helper()
	src, err := presets.ReadFile("senders/" + name + ".hcl")
	if err != nil {
		t.Fatal(err)
	}
	formatted, diags := Format(src, name+".hcl")
	if len(diags) > 0 || !bytes.Equal(formatted, src) {
		t.Errorf("not in canonical format, %v", diags)
	}
	l := newLoader(t.TempDir(), Environment{Now: noon})
	top := l.readShared(nativeUnits(name+".hcl", src))
	if len(top.blocks) != 1 || top.blocks[0].title() != fmt.Sprintf("sender_type %q", name) {
		t.Fatalf("%d blocks; there must be one, named like the file", len(top.blocks))
	}
	s := l.scope(top.blocks[0])
	s.readSenderType(&l.types).rehearse(s, l.base)
	if len(l.diags) > 0 {
		t.Error(l.diags)
	}
}

// values are records as "kind name type value".
func values(list []records.Declared) []string {
	var out []string
	for _, v := range list {
		out = append(out, fmt.Sprintf("%s %s %s", v.Kind, v.Key, v.Value))
	}
	return out
}

func senderText(s records.Sender) string {
	return fmt.Sprintf("mail from %s, signs as %v, from %v, selectors %v, shared %t\nreturn path %v\nspf %v\n",
		s.MailFrom, s.SignsAs, s.From, s.Selectors, s.SharedIP, s.ReturnPath, s.SPF)
}

// declares loads a domain and returns its records as "name type value", names
// relative to it.
func declares(t *testing.T, body string) []string {
	t.Helper()
	cfg := right(t, map[string]string{"main.hcl": domainOf(body)}, Environment{})
	var out []string
	for _, v := range cfg.Domains[0].Declared() {
		out = append(out, fmt.Sprintf("%s %s %s", v.Key.Name.Relative("a.example"), v.Key.Type, v.Value))
	}
	return out
}

// TestR08SendGrid checks the three aliases of SendGrid's domain authentication,
// and that nothing of it stands at the domain itself.
func TestR08SendGrid(t *testing.T) {
	t.Parallel()
	got := declares(t, `
sender "sendgrid" {
  account     = "u1234567.wl123"
  return_path = "em1234"
}`)
	want := []string{
		"em1234 CNAME u1234567.wl123.sendgrid.net",
		"s1._domainkey CNAME s1.domainkey.u1234567.wl123.sendgrid.net",
		"s2._domainkey CNAME s2.domainkey.u1234567.wl123.sendgrid.net",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestR08Postmark checks the one TXT record and the alias of the return path.
func TestR08Postmark(t *testing.T) {
	t.Parallel()
	key := exampleKey(t, "postmark")
	got := declares(t, fmt.Sprintf(`
sender "postmark" {
  dkim_selector = "20260101000000pm"
  dkim_key      = %q
  return_path   = "pm-bounces"
}`, key))
	want := []string{
		"20260101000000pm._domainkey TXT v=DKIM1; k=rsa; p=" + key,
		"pm-bounces CNAME pm.mtasv.net",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// exampleKey is the bare key in the example of a preset.
func exampleKey(t *testing.T, name string) string {
	t.Helper()
	one, err := FindSenderType(presetTypes(t), name)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(one.Example, "p=")
	key, _, _ := strings.Cut(rest, `"`)
	return key
}

// TestR08SES checks the three aliases of Easy DKIM, whose target depends on the
// region, and the MAIL FROM domain.
func TestR08SES(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, inputs string
		want         []string
	}{
		{"alone", `region = "us-east-1"`, []string{
			"a1._domainkey CNAME a1.dkim.amazonses.com",
			"b2._domainkey CNAME b2.dkim.amazonses.com",
			"c3._domainkey CNAME c3.dkim.amazonses.com",
		}},
		{"in a newer region", `region = "eu-south-1"`, []string{
			"a1._domainkey CNAME a1.dkim.eu-south-1.amazonses.com",
			"b2._domainkey CNAME b2.dkim.eu-south-1.amazonses.com",
			"c3._domainkey CNAME c3.dkim.eu-south-1.amazonses.com",
		}},
		{"with the target of the console", "region = \"us-east-1\"\n dkim_domain = \"dkim.xx-north-9.amazonses.com\"", []string{
			"a1._domainkey CNAME a1.dkim.xx-north-9.amazonses.com",
			"b2._domainkey CNAME b2.dkim.xx-north-9.amazonses.com",
			"c3._domainkey CNAME c3.dkim.xx-north-9.amazonses.com",
		}},
		{"with a MAIL FROM domain", "region = \"eu-west-1\"\n mail_from = \"bounce\"", []string{
			"a1._domainkey CNAME a1.dkim.amazonses.com",
			"b2._domainkey CNAME b2.dkim.amazonses.com",
			"bounce MX 10 feedback-smtp.eu-west-1.amazonses.com",
			"bounce TXT v=spf1 include:amazonses.com ~all",
			"c3._domainkey CNAME c3.dkim.amazonses.com",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := declares(t, "sender \"ses\" {\n tokens = [\"a1\", \"b2\", \"c3\"]\n "+tt.inputs+"\n}")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestPresetInputs checks what optional inputs of the presets change.
func TestPresetInputs(t *testing.T) {
	t.Parallel()
	key := exampleKey(t, "postmark")
	tests := []struct {
		name, body string
		want       []string
	}{
		{"SendGrid with selectors of one's own", `sender "sendgrid" {
  account     = "u1.wl2"
  return_path = "em1"
  selectors   = ["x", "x2"]
}`, []string{"em1 CNAME u1.wl2.sendgrid.net", "x._domainkey CNAME x.domainkey.u1.wl2.sendgrid.net", "x2._domainkey CNAME x2.domainkey.u1.wl2.sendgrid.net"}},
		{"Google Workspace without anything", `sender "google_workspace" {}`, []string{"@ TXT v=spf1 include:_spf.google.com ~all"}},
		{"Google Workspace with its five hosts", "sender \"google_workspace\" {\n mx = \"aspmx.l.google.com\"\n}", []string{
			"@ MX 1 aspmx.l.google.com", "@ MX 10 alt3.aspmx.l.google.com", "@ MX 10 alt4.aspmx.l.google.com",
			"@ MX 5 alt1.aspmx.l.google.com", "@ MX 5 alt2.aspmx.l.google.com", "@ TXT v=spf1 include:_spf.google.com ~all",
		}},
		{"Microsoft 365 without anything", `sender "microsoft365" {}`, []string{"@ TXT v=spf1 include:spf.protection.outlook.com ~all"}},
		{"Mailgun in Europe with a key", fmt.Sprintf(`sender "mailgun" {
  region   = "eu"
  dkim_key = { k1 = "k=rsa; p=%s" }
  tracking = "email"
  mx       = true
}`, key), []string{
			"@ MX 10 mxa.eu.mailgun.org", "@ MX 10 mxb.eu.mailgun.org", "@ TXT v=spf1 include:mailgun.org ~all",
			"email CNAME eu.mailgun.org", "k1._domainkey TXT v=DKIM1; k=rsa; p=" + key,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, declares(t, tt.body)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestPresetsRecognise holds the patterns against what the examples make: a live
// zone with those records shows who sends.
func TestPresetsRecognise(t *testing.T) {
	t.Parallel()
	for _, about := range presetTypes(t) {
		all := about.Recognise
		found := false
		for _, v := range about.Records {
			switch {
			case v.Kind == records.KindSPF:
				for term := range strings.FieldsSeq(string(v.Value)) {
					if host, ok := strings.CutPrefix(term, "include:"); ok {
						found = found || MatchHost(all.SPF, records.Name(host))
					}
				}
			case v.Kind == records.KindDKIM && v.Key.Type == records.TypeCNAME:
				found = found || MatchHost(all.DKIMCNAME, records.Name(v.Value))
			case v.Key.Type == records.TypeMX:
				mx, _ := records.ParseMX(v.Value)
				found = found || MatchHost(all.MX, mx.Host)
			case v.Key.Type == records.TypeCNAME:
				found = found || MatchHost(all.CNAME, records.Name(v.Value))
			}
		}
		if !found {
			t.Errorf("%s: no pattern fits any of its records", about.Name)
		}
	}
}

func TestMatchHost(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern string
		host    records.Name
		want    bool
	}{
		{"sendgrid.net", "sendgrid.net", true},
		{"sendgrid.net", "x.sendgrid.net", false},
		{"Spf.*.MyCorp.example", "spf.eu1.mycorp.example", true},
		{"spf.*.mycorp.example", "spf.a.b.mycorp.example", true},
		{"spf.*.mycorp.example", "spf.mycorp.example", false},
		{"*.mycorp.example", "mycorp.example", false},
		{"u*.wl*.sendgrid.net", "u12.wl3.sendgrid.net", true},
		{"u*.wl*.sendgrid.net", "u12.xl3.sendgrid.net", false},
		{"*", "a", true},
		{"*", "", false},
		{"", "a", false},
		{"a*", "a", false},
	}
	for _, tt := range tests {
		if got := MatchHost([]string{tt.pattern}, tt.host); got != tt.want {
			t.Errorf("MatchHost(%q, %q) = %t", tt.pattern, tt.host, got)
		}
	}
}

// TestSenderTypesOfDirectory lists the types of a configuration beside the
// presets, and tells of faults in them and of no others.
func TestSenderTypesOfDirectory(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"main.hcl": `
domain "broken" {
  nonsense = 1
}
locals {
  host = "x.example"
}
sender_type "mine" {
  input "host" {}
  mx {
    host = input.host
  }
  example = "sender \"mine\" {\n  host = \"mx.example.net\"\n}"
}
sender_type "bad" {
  mx {
    host = input.hosts
  }
}
`})
	types, diags := SenderTypes(context.Background(), dir, Environment{Now: noon})
	if len(diags) != 1 || diags[0].Summary != "Unsupported attribute" {
		t.Errorf("diagnostics %v", diags)
	}
	mine, err := FindSenderType(types, "mine")
	if err != nil || mine.Preset || mine.Place.Line != 8 || !slices.Equal(values(mine.Records), []string{"mx example.com MX 10 mx.example.net"}) {
		t.Errorf("%+v, %v", mine, err)
	}
	if _, err := FindSenderType(types, "sendgird"); err == nil || !strings.Contains(err.Error(), `Did you mean "sendgrid"?`) {
		t.Errorf("no suggestion: %v", err)
	}
}

// TestMatchHostProperty compares with a regular walk: a pattern made of a host
// by replacing a part with a star fits the host.
func TestMatchHostProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		host := rapid.StringMatching(`[a-z]{1,5}(\.[a-z]{1,5}){1,4}`).Draw(t, "host")
		from := rapid.IntRange(0, len(host)-1).Draw(t, "from")
		to := rapid.IntRange(from+1, len(host)).Draw(t, "to")
		if pattern := host[:from] + "*" + host[to:]; !MatchHost([]string{pattern}, records.Name(host)) {
			t.Fatalf("%q doesn't fit %q", pattern, host)
		}
	})
}
