package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/attunelogic/maildns/records"
)

// connected is a configuration with a sender of a template.
func connected(template, inputs string) map[string]string {
	files := own("domain_connect = file(\"vendor.json\")", inputs)
	files["vendor.json"] = template
	return files
}

// TestDomainConnect checks what the records of a template come to. The templates
// are shaped like those that vendors publish.
func TestDomainConnect(t *testing.T) {
	t.Parallel()
	key := exampleKey(t, "postmark")
	tests := []struct {
		name, template, inputs string
		want                   []string
	}{
		{"TXT, CNAME and MX with variables", `{"providerId": "v.example", "serviceId": "mail", "version": 1, "syncPubKeyDomain": "x", "records": [
  {"type": "TXT", "host": "%selector%._domainkey", "data": "v=DKIM1; k=rsa; p=%key%", "ttl": 3600, "essential": "Always"},
  {"type": "CNAME", "host": "%bounce%", "pointsTo": "%region%.bounce.v.example", "ttl": "300"},
  {"type": "MX", "host": "@", "pointsTo": "mx.%region%.v.example", "priority": 10, "ttl": 3600}
]}`, fmt.Sprintf("selector = \"k1\"\nkey = %q\nbounce = \"b\"\nregion = \"eu\"", key), []string{
			"mx a.example MX 10 mx.eu.v.example 3600",
			"record b.a.example CNAME eu.bounce.v.example 300",
			"dkim k1._domainkey.a.example TXT v=DKIM1; k=rsa; p=" + key + " 3600",
		}},
		{"SPFM is merged, at the domain and elsewhere", `{"records": [
  {"type": "SPFM", "host": "@", "spfRules": "include:spf.v.example"},
  {"type": "SPFM", "host": "mail", "spfRules": "include:mail.v.example ip4:192.0.2.1"}
]}`, "", []string{
			"spf a.example TXT v=spf1 include:spf.v.example ~all 0",
			"spf mail.a.example TXT v=spf1 include:mail.v.example ip4:192.0.2.1 ~all 0",
		}},
		{"SPF written as TXT with conflict rules", `{"records": [
  {"type": "TXT", "host": "@", "data": "v=spf1 include:spf.v.example -all", "ttl": 3600, "txtConflictMatchingMode": "Prefix", "txtConflictMatchingPrefix": "v=spf1"},
  {"type": "TXT", "host": "@", "data": "\"v-verification=%token%\"", "ttl": 3600, "txtConflictMatchingMode": "All"}
]}`, `token = "a;b \"c\""`, []string{
			"record a.example TXT v-verification=a;b \"c\" 3600",
			"spf a.example TXT v=spf1 include:spf.v.example ~all 0",
		}},
		{"names of the template's own", `{"records": [
  {"type": "CNAME", "host": "www.%fqdn%.", "pointsTo": "@", "ttl": 60},
  {"type": "CNAME", "host": "k._domainkey", "pointsTo": "k.%domain%.v.example", "ttl": 60},
  {"type": "A", "host": "", "pointsTo": "192.0.2.1", "ttl": 60},
  {"type": "AAAA", "host": "@", "pointsTo": "2001:DB8::1", "ttl": 60},
  {"type": "NS", "host": "sub", "pointsTo": "ns.v.example", "ttl": 60},
  {"type": "SRV", "name": "@", "service": "_submission", "protocol": "tcp", "priority": 0, "weight": 1, "port": "587", "target": "smtp.v.example", "ttl": 60}
]}`, "", []string{
			"record _submission._tcp.a.example SRV 0 1 587 smtp.v.example 60",
			"record a.example A 192.0.2.1 60",
			"record a.example AAAA 2001:db8::1 60",
			"dkim k._domainkey.a.example CNAME k.a.example.v.example 60",
			"record sub.a.example NS ns.v.example 60",
			"record www.a.example CNAME a.example 60",
		}},
		{"all groups by default", `{"records": [
  {"type": "CNAME", "host": "a", "pointsTo": "a.v.example", "groupId": "one"},
  {"type": "CNAME", "host": "b", "pointsTo": "%target%", "groupId": "two"}
]}`, `target = "b.v.example"`, []string{"record a.a.example CNAME a.v.example 0", "record b.a.example CNAME b.v.example 0"}},
		{"some groups, and only what they need", `{"records": [
  {"type": "CNAME", "host": "a", "pointsTo": "a.v.example", "groupId": "one"},
  {"type": "CNAME", "host": "b", "pointsTo": "%target%", "groupId": "two"}
]}`, `groups = ["one"]`, []string{"record a.a.example CNAME a.v.example 0"}},
		{"DMARC is the domain's own", `{"records": [
  {"type": "CNAME", "host": "a", "pointsTo": "a.v.example"},
  {"type": "TXT", "host": "_dmarc", "data": "v=DMARC1; p=none"}
]}`, "", []string{"record a.a.example CNAME a.v.example 0"}},
		{"text that looks like HCL", `{"records": [{"type": "TXT", "host": "x", "data": "${file(\"secret\")} %{ if true } %v%"}]}`, `v = "%w% $${input.v}"`,
			[]string{`record x.a.example TXT ${file("secret")} %{ if true } %w% ${input.v} 0`}},
		{"a selector within a variable", `{"records": [{"type": "CNAME", "host": "%host1%", "pointsTo": "%value1%"}]}`, "host1 = \"s1._domainkey\"\nvalue1 = \"s1.v.example\"",
			[]string{"dkim s1._domainkey.a.example CNAME s1.v.example 0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := right(t, connected(tt.template, tt.inputs), Environment{})
			var got []string
			for _, v := range cfg.Domains[0].Declared() {
				got = append(got, fmt.Sprintf("%s %s %s %d", v.Kind, v.Key, v.Value, v.TTL))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDomainConnectInputs checks what is said about the variables of a template.
func TestDomainConnectInputs(t *testing.T) {
	t.Parallel()
	files := connected(`{"providerName": "Vendor", "serviceName": "Mail", "variableDescription": "token: from the dashboard", "records": [
  {"type": "TXT", "host": "@", "data": "%token%"},
  {"type": "TXT", "host": "%name%", "data": "x", "groupId": "g"}
]}`, `token = "t"`)
	types, diags := SenderTypes(t.Context(), write(t, files), Environment{Now: noon})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	got, err := FindSenderType(types, "own")
	if err != nil || got.Description != "Vendor Mail" {
		t.Errorf("%q, %v", got.Description, err)
	}
	want := []SenderInput{
		{Name: "token", Type: "string", Required: true, Description: "token: from the dashboard"},
		{Name: "name", Type: "string", Depends: true, Description: "a variable of the TXT record at %name%"},
		{Name: "groups", Type: "list", Default: `["g"]`, Description: "the groups of records that are meant, of g"},
	}
	if diff := cmp.Diff(want, got.Inputs); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDomainConnectFaults checks that every fault of a template has a place in
// it, and in the configuration where the template isn't a file.
func TestDomainConnectFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, template, want string // "line,column: part of the message"
	}{
		{"empty", "", "1,1: no JSON: unexpected end"},
		{"no JSON", "{\n \"records\": [\n  {\"type\" 1}\n ]\n}", "3,11: no JSON: invalid character '1'"},
		{"cut off", "{\n \"records\": [\n", "2,14: no JSON: unexpected end"},
		{"a list", "[]", "1,1: { must begin here"},
		{"records of another type", "{\"records\": 1}", "1,11: [ must begin here"},
		{"no records", "{\"providerId\": \"x\"}", "1,1: has no \"records\""},
		{"more than a template", "{\"records\": [{\"type\": \"A\"}]} x", "1,30: after top-level value"},
		{"deep", `{"x": ` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + "}", "1,1: nested"},
		{"long", `{"x": "` + strings.Repeat("x", maxTemplate) + `"}`, "1,1: at most 256 KiB"},
		{"too many records", `{"records": [` + strings.Repeat(`{"type": "A"},`, 200) + `{}]}`, "1,2814: at most 200 records"},
		{"wrong member", "{\"records\": [\n {\"type\": \"A\", \"ttl\": true}]}", "2,2: This record can't be read"},
		{"unknown type", "{\"records\": [\n  {\"type\": \"REDIR301\", \"host\": \"@\", \"target\": \"https://x.example\"}]}", "2,3: \"REDIR301\" records can't be published"},
		{"misspelt type", "{\"records\": [\n\n {\"type\": \"CNAM\"}]}", "3,2: Did you mean \"CNAME\"?"},
		{"conflict mode", "{\"records\": [\n {\"type\": \"TXT\", \"txtConflictMatchingMode\": \"Some\"}]}", "2,2: must be None, All or Prefix"},
		{"group", "{\"records\": [\n {\"type\": \"A\", \"host\": \"@\", \"pointsTo\": \"192.0.2.1\", \"groupId\": \"a b\"}]}", "2,2: groupId"},
		{"reserved variable", "{\"records\": [\n {\"type\": \"TXT\", \"host\": \"@\", \"data\": \"%from%\"}]}", "0,0: variable \"from\""},
		{"a variable called groups", "{\"records\": [\n {\"type\": \"TXT\", \"host\": \"@\", \"data\": \"%groups%\", \"groupId\": \"g\"}]}", "0,0: variable \"groups\""},
		{"bad name", "{\"records\": [\n {\"type\": \"A\",\n  \"host\": \"a..b\",\n  \"pointsTo\": \"192.0.2.1\"}]}", "3,3: empty label"},
		{"bad value", "{\"records\": [\n {\"type\": \"A\",\n  \"host\": \"a\",\n  \"pointsTo\": \"300.0.2.1\"}]}", "4,3: 300.0.2.1"},
		{"bad TTL", "{\"records\": [\n {\"type\": \"A\", \"host\": \"a\", \"pointsTo\": \"192.0.2.1\",\n  \"ttl\": \"soon\"}]}", "3,3: no duration"},
		{"bad SPF", "{\"records\": [\n {\"type\": \"SPFM\", \"host\": \"@\",\n  \"spfRules\": \"include:\"}]}", "3,3: include:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			place, part, _ := strings.Cut(tt.want, ": ")
			_, diags := Load(t.Context(), write(t, connected(tt.template, "")), Environment{Now: noon})
			found := false
			for _, d := range diags {
				at := fmt.Sprintf("%d,%d", d.Source.Line, d.Source.Column)
				found = found || strings.Contains(d.Detail, part) && (at == place && d.Source.File == "vendor.json" || place == "0,0" && d.Source.File == "main.hcl")
			}
			if !found {
				t.Errorf("want %q, got %v", tt.want, diags)
			}
		})
	}
}

// TestDomainConnectInline checks a template that is written into the
// configuration, whose faults are at the attribute.
func TestDomainConnectInline(t *testing.T) {
	t.Parallel()
	files := own("domain_connect = <<E\n{\n \"records\": [\n  {\"type\": \"X\"}\n ]\n}\nE", "")
	_, diags := Load(t.Context(), write(t, files), Environment{Now: noon})
	if len(diags) != 1 || diags[0].Source.File != "main.hcl" || diags[0].Source.Line != 10 || !strings.Contains(diags[0].Detail, "line 3 of the template") {
		t.Errorf("%v", diags)
	}
}

// FuzzDomainConnect takes a text with variables through a template and compares
// with a plain replacement: nothing in it is read as HCL, and a value is never
// read as a variable.
func FuzzDomainConnect(f *testing.F) {
	f.Add("plain", "v")
	f.Add("%v%", "x")
	f.Add("a%v%b%v%", "${domain}")
	f.Add("%%v%%", "%v%")
	f.Add("${file(\"x\")} %{for} \\ \" \n", "$${")
	f.Add("%v%%host%%fqdn%", "\x00")
	f.Add("exists:%{i}._spf.%{d} %v%", "%{")
	f.Fuzz(func(t *testing.T, text, value string) {
		raw, err := json.Marshal(map[string]any{"records": []any{map[string]any{"type": "TXT", "host": "x", "data": "t " + text}}})
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parseTemplate(string(raw))
		if err != nil {
			t.Fatalf("a template of any text is one: %v", err)
		}
		c := converter{scope: scope{block: &block{}, m: &meter{budget: &budget{}}, diags: new(Diagnostics)}}
		inputs := c.convert(parsed)
		b := c.block.blocks[0]
		values := map[string]cty.Value{}
		replaced := []string{"%host%", "", "%fqdn%", "a.example", "%domain%", "a.example"}
		for _, in := range inputs {
			values[in.name] = cty.StringVal(value)
			replaced = append(replaced, "%"+in.name+"%", values[in.name].AsString())
		}
		s := scope{block: b, m: c.m, diags: c.diags, ctx: newLoader(t.TempDir(), Environment{}).base.NewChild()}
		s.ctx.Variables = (&senderType{}).values(cty.StringVal("a.example"), values)
		got := s.texts("values")
		if len(*c.diags) > 0 || len(got) != 1 {
			if len(value)+len(text) < maxString/2 && !strings.Contains(text, "%from%") {
				t.Fatalf("%v", *c.diags)
			}
			return
		}
		want := cty.StringVal(strings.NewReplacer(replaced...).Replace(parsed.records[0].Data)).AsString()
		if got[0].text != want {
			t.Errorf("%q with %q came to %q, want %q", text, value, got[0].text, want)
		}
	})
}

// FuzzParseTemplate reads any text: a fault has a place in the text, and what is
// read can be read again.
func FuzzParseTemplate(f *testing.F) {
	f.Add(`{"records": [{"type": "A", "host": "@", "pointsTo": "192.0.2.1", "ttl": 3600}]}`)
	f.Add(`{"serviceName": "x", "records": [{"type": "SPFM", "spfRules": "include:a"}, {}], "more": [1, {"a": null}]}`)
	f.Add(`{"records": [{"ttl": "60"}, 1]}`)
	f.Add(`{"records": `)
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseTemplate(text)
		if err != nil {
			var fault *templateError
			if !errors.As(err, &fault) || fault.at < 0 || fault.at > len(text) {
				t.Fatalf("%#v has no place in a text of %d bytes", err, len(text))
			}
			return
		}
		for _, r := range parsed.records {
			if !strings.HasPrefix(text[r.at:], r.text) {
				t.Fatalf("a record stands at %d, where there is %q", r.at, text[r.at:min(r.at+10, len(text))])
			}
		}
		again, err := parseTemplate(text)
		if err != nil || len(again.records) != len(parsed.records) {
			t.Fatal("another result the second time")
		}
	})
}

// TestTemplateSources keeps what a template says apart from what is published:
// the place of its records is that of the sender.
func TestTemplateSources(t *testing.T) {
	t.Parallel()
	cfg := right(t, connected(`{"records": [{"type": "CNAME", "host": "a", "pointsTo": "a.v.example"}]}`, ""), Environment{})
	want := records.Source{File: "main.hcl", Line: 5, Column: 1}
	if got := cfg.Domains[0].Declared()[0].Source; got != want {
		t.Errorf("source %v, want %v", got, want)
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, "vendor.json")); err != nil {
		t.Error(err)
	}
}
