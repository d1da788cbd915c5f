package records

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseSTSRecord(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		want    STSRecord
		printed Value
	}{
		{"v=STSv1; id=20160831085700Z;", STSRecord{ID: "20160831085700Z"}, "v=STSv1; id=20160831085700Z"}, // the example of RFC 8461 3.1
		{"v=STSv1;id=a", STSRecord{ID: "a"}, "v=STSv1; id=a"},
		{"v=STSv1 ; x=1; id=" + strings.Repeat("9", 32), STSRecord{ID: strings.Repeat("9", 32), Other: []Tag{{"x", "1"}}}, Value("v=STSv1; id=" + strings.Repeat("9", 32) + "; x=1")},
	}
	for _, tt := range tests {
		got, err := ParseSTSRecord(tt.text)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", tt.text, err, diff)
		}
		if got.Value() != tt.printed {
			t.Errorf("%q prints as %q", tt.text, got.Value())
		}
	}
	for text, why := range map[string]string{
		"":                                       "must begin",
		"v=STSv2; id=a":                          "must begin",
		"v=stsv1; id=a":                          "must begin",
		" v=STSv1; id=a":                         "must begin",
		"v=STSv1":                                "no id",
		"v=STSv1; id=":                           "1 to 32",
		"v=STSv1; id=2026-11-24":                 "'-'",
		"v=STSv1; id=" + strings.Repeat("1", 33): "1 to 32",
		"v=STSv1; id=a; id=b":                    "twice",
		"v=STSv1; id=a; junk":                    "NAME=VALUE",
	} {
		if got, err := ParseSTSRecord(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q = %+v, %v; want an error that mentions %q", text, got, err, why)
		}
	}
}

// rfcPolicy is the example of RFC 8461 3.2.
const rfcPolicy = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n"

func TestR13STSPolicy(t *testing.T) {
	t.Parallel()
	want := STSPolicy{Mode: STSEnforce, MX: []string{"mail.example.com", "*.example.net", "backupmx.example.com"}, MaxAge: 604800}
	for name, body := range map[string]string{
		"LF":                rfcPolicy,
		"CRLF":              strings.ReplaceAll(rfcPolicy, "\n", "\r\n"),
		"no final newline":  strings.TrimSuffix(rfcPolicy, "\n"),
		"trailing space":    strings.ReplaceAll(rfcPolicy, "\n", " \t\r\n"),
		"no space":          strings.ReplaceAll(rfcPolicy, ": ", ":"),
		"an extension":      rfcPolicy + "x-note: hello: world\n",
		"empty lines":       "\n" + rfcPolicy + "\r\n\n",
		"repeated fields":   rfcPolicy + "mode: none\nmax_age: 1\nversion: STSv1\n",
		"capitals in mx":    strings.ReplaceAll(rfcPolicy, "mail.example.com", "Mail.Example.COM"),
		"another order":     "max_age: 604800\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\nmode: enforce\nversion: STSv1",
		"mx before version": "mx: mail.example.com\nversion: STSv1\nmode: enforce\nmx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n",
	} {
		got, err := ParseSTSPolicy(body)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	const body = "version: STSv1\r\nmode: enforce\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\nmx: mail.example.com\r\nmax_age: 604800\r\n"
	if got := want.Body(); got != body {
		t.Errorf("Body = %q", got)
	}
	if got := want.ID(); got != "93b842b1c3cef32d2b35" {
		t.Errorf("ID = %q", got)
	}
}

func TestParseSTSPolicyRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ body, why string }{
		{"", "no version"},
		{"version: STSv2\n", "line 1"},
		{strings.Replace(rfcPolicy, "version: STSv1\n", "", 1), "no version"},
		{strings.Replace(rfcPolicy, "mode: enforce\n", "", 1), "no mode"},
		{strings.Replace(rfcPolicy, "max_age: 604800\n", "", 1), "no max_age"},
		{strings.Replace(rfcPolicy, "enforce", "Enforce", 1), "testing, enforce or none"},
		{strings.Replace(rfcPolicy, "604800", "1w", 1), "no number"},
		{strings.Replace(rfcPolicy, "604800", "-1", 1), "no number"},
		{strings.Replace(rfcPolicy, "604800", "99999999", 1), "31557600"},
		{strings.Replace(rfcPolicy, "604800", "00000604800", 1), "no number"},
		{strings.Replace(rfcPolicy, "*.example.net", "*.*.example.net", 1), "*.*.example.net"},
		{strings.Replace(rfcPolicy, "*.example.net", "a*.example.net", 1), "a*.example.net"},
		{strings.Replace(rfcPolicy, "*.example.net", "*", 1), "first label"},
		{strings.Replace(rfcPolicy, "*.example.net", "example.net.", 1), "without a dot"},
		{strings.Replace(rfcPolicy, "*.example.net", "münchen.example", 1), "A-labels"},
		{strings.Replace(rfcPolicy, "*.example.net", "", 1), "empty"},
		{rfcPolicy + "junk\n", "line 7"},
		{"<html>", "NAME: VALUE"},
		{"version: STSv1\nmode: testing\nmax_age: 1\n", "at least one mx"},
	}
	for _, tt := range tests {
		if got, err := ParseSTSPolicy(tt.body); err == nil || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%q = %+v, %v; want an error that mentions %q", tt.body, got, err, tt.why)
		}
	}
	if _, err := ParseSTSPolicy("version: STSv1\nmode: none\nmax_age: 86400\n"); err != nil {
		t.Errorf("mode none needs no mx: %v", err)
	}
}

func TestSTSPolicyCovers(t *testing.T) {
	t.Parallel()
	p := STSPolicy{MX: []string{"mail.example.com", "*.Example.net"}}
	for host, want := range map[Name]bool{
		"mail.example.com": true, "other.example.com": false, "example.com": false,
		"a.example.net": true, "example.net": false, "a.b.example.net": false, "aexample.net": false, "": false,
	} {
		if got := p.Covers(host); got != want {
			t.Errorf("Covers(%q) = %v", host, got)
		}
	}
}

// TestSTSIDFollowsBody has equal policies have equal ids, whatever the order of
// their patterns, and different ones different ids.
func TestSTSIDFollowsBody(t *testing.T) {
	t.Parallel()
	alnum := regexp.MustCompile(`^[0-9a-f]{20}$`)
	policy := func(t *rapid.T, label string) STSPolicy {
		return STSPolicy{
			Mode:   rapid.SampledFrom([]STSMode{STSTesting, STSEnforce}).Draw(t, label+" mode"),
			MX:     rapid.SliceOfN(rapid.SampledFrom([]string{"a.example", "*.b.example", "C.example"}), 1, 4).Draw(t, label+" mx"),
			MaxAge: rapid.Int64Range(0, MaxSTSAge).Draw(t, label+" max_age"),
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p, q := policy(t, "p"), policy(t, "q")
		shuffled := p
		shuffled.MX = rapid.Permutation(p.MX).Draw(t, "shuffled")
		if p.ID() != shuffled.ID() || !alnum.MatchString(p.ID()) || CheckSTSID(p.ID()) != nil {
			t.Fatalf("ids %q and %q", p.ID(), shuffled.ID())
		}
		if (p.ID() == q.ID()) != (p.Body() == q.Body()) {
			t.Fatalf("ids %q and %q of\n%s\n%s", p.ID(), q.ID(), p.Body(), q.Body())
		}
		read, err := ParseSTSPolicy(p.Body())
		if err != nil || read.Body() != p.Body() {
			t.Fatalf("%q reads as %+v, %v", p.Body(), read, err)
		}
		for _, m := range p.MX {
			if host := Name(strings.ToLower(strings.Replace(m, "*", "x", 1))); !read.Covers(host) {
				t.Fatalf("%q doesn't cover %s", read.MX, host)
			}
		}
		if !slices.IsSorted(read.MX) {
			t.Fatalf("the body's patterns are out of order: %q", read.MX)
		}
	})
}

func TestDescribeMTASTS(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		before, after []Value
		want          []string
	}{
		{"new", nil, []Value{"v=STSv1; id=a1"}, []string{"new MTA-STS record, id a1"}},
		{"new id", []Value{"v=STSv1; id=a1;"}, []Value{"v=STSv1; id=a2"}, []string{"MTA-STS id a1 → a2: senders fetch the policy again"}},
		{"gone", []Value{"v=STSv1; id=a1;"}, nil, []string{"MTA-STS record removed, id a1: senders keep the policy until its max_age"}},
		{"host", []Value{"192.0.2.1"}, []Value{"pages.example.net"}, []string{"+ policy host pages.example.net", "− policy host 192.0.2.1"}},
		{"two", []Value{"v=STSv1; id=a1", "v=STSv1; id=a2"}, []Value{"v=STSv1; id=a2"}, []string{"− id=a1", "− records=2"}},
		{"mended", []Value{"v=STSv1; id=2026-11-24"}, []Value{"v=STSv1; id=a"}, []string{"+ id=a", "− v=STSv1; id=2026-11-24"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Describe(KindMTASTS, tt.before, tt.after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseSTSRecord(f *testing.F) {
	for _, seed := range []string{"v=STSv1; id=20160831085700Z;", "v=STSv1;id=a;x=y", "v=STSv1; id=a; id=b", "v=STSv1\t; id = a ;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseSTSRecord(text)
		if err != nil {
			return
		}
		again, err := ParseSTSRecord(string(r.Value()))
		if err != nil || again.Value() != r.Value() || again.ID != r.ID {
			t.Errorf("%q prints as %q, which reads as %+v, %v", text, r.Value(), again, err)
		}
	})
}

func FuzzParseSTSPolicy(f *testing.F) {
	for _, seed := range []string{rfcPolicy, strings.ReplaceAll(rfcPolicy, "\n", "\r\n"), "version:STSv1\nmode:none\nmax_age:0", "mx: *.a\nversion: STSv1\nmode: testing\nmax_age: 1\nx: y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p, err := ParseSTSPolicy(body)
		if err != nil {
			return
		}
		again, err := ParseSTSPolicy(p.Body())
		if err != nil || again.Body() != p.Body() || again.ID() != p.ID() {
			t.Errorf("%q prints as %q, which reads as %+v, %v", body, p.Body(), again, err)
		}
	})
}
