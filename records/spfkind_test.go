package records

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSPFParts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		values []Value
		want   []string
	}{
		{"terms and qualifiers", []Value{"v=spf1 mx ?a:A.example -ip4:192.0.2.1 include:_spf.google.com ~all"}, []string{"-ip4:192.0.2.1", "?a:a.example", "all=~", "include:_spf.google.com", "mx"}},
		{"order, spacing and case", []Value{"V=SPF1  ~all +include:SendGrid.net. mx"}, []string{"all=~", "include:sendgrid.net", "mx"}},
		{"modifiers", []Value{"v=spf1 redirect=_spf.example.net x=y"}, []string{"redirect=_spf.example.net", "x=y"}},
		{"two records", []Value{"v=spf1 mx -all", "v=spf1 include:sendgrid.net ~all"}, []string{"all=-", "all=~", "include:sendgrid.net", "mx", "records=2"}},
		{"a fault", []Value{"v=spf1 ip4:1.2.3 mx -all"}, []string{"all=-", "ip4:1.2.3", "mx"}},
		{"nothing", nil, nil},
		{"no terms", []Value{"v=spf1"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Parts(KindSPF, tt.values)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDescribeSPF(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		before, after []Value
		want          []string
	}{
		{
			"R04: two records become one",
			[]Value{"v=spf1 include:_spf.google.com ~all", "v=spf1 include:sendgrid.net ~all"}, []Value{"v=spf1 include:_spf.google.com include:sendgrid.net ~all"},
			[]string{"2 records → 1, nobody loses authorisation (a PERMERROR today)"},
		},
		{
			"two records become one, and a sender goes",
			[]Value{"v=spf1 include:_spf.google.com ~all", "v=spf1 include:sendgrid.net ~all"}, []Value{"v=spf1 include:_spf.google.com ~all"},
			[]string{"2 records → 1 (a PERMERROR today)", "− include:sendgrid.net"},
		},
		{
			"one include swapped for another",
			[]Value{"v=spf1 include:mailgun.org ~all"}, []Value{"v=spf1 include:sendgrid.net ~all"},
			[]string{"+ include:sendgrid.net", "− include:mailgun.org"},
		},
		{
			"an include goes",
			[]Value{"v=spf1 include:sendgrid.net include:mailgun.org mx ~all"}, []Value{"v=spf1 include:sendgrid.net mx ~all"},
			[]string{"− include:mailgun.org", "lookups of its own terms 3 → 2 of 10"},
		},
		{
			"R06: hard fail",
			[]Value{"v=spf1 mx ~all"}, []Value{"v=spf1 mx -all"},
			[]string{"all ~ → -: unlisted senders fail"},
		},
		{
			"softer",
			[]Value{"v=spf1 mx -all"}, []Value{"v=spf1 mx ?all"},
			[]string{"all - → ?: unlisted senders are neutral"},
		},
		{
			"all comes",
			[]Value{"v=spf1 mx"}, []Value{"v=spf1 mx ~all"},
			[]string{"all absent → ~: unlisted senders softfail"},
		},
		{
			"a qualifier",
			[]Value{"v=spf1 ?a:x.example ~all"}, []Value{"v=spf1 a:x.example ~all"},
			[]string{"a:x.example from neutral to pass"},
		},
		{"new", nil, []Value{"v=spf1 include:sendgrid.net ~all"}, []string{"new SPF record: include:sendgrid.net ~all"}},
		{"new and broken", nil, []Value{"v=spf1 ip4:1.2.3 ~all"}, []string{"new SPF record: ~all", "a PERMERROR: ip4:1.2.3 is no SPF term"}},
		{"removed", []Value{"v=spf1 -all"}, nil, []string{"SPF record removed: nobody is authorised, receivers find no SPF"}},
		{
			"a fault is mended",
			[]Value{"v=spf1 mx ip4:1.2.3 ~all"}, []Value{"v=spf1 mx ip4:192.0.2.3 ~all"},
			[]string{"mends ip4:1.2.3, nobody loses authorisation (a PERMERROR today)", "+ ip4:192.0.2.3"},
		},
		{
			"one record becomes two",
			[]Value{"v=spf1 mx ~all"}, []Value{"v=spf1 a ~all", "v=spf1 mx ~all"},
			[]string{"+ a", "lookups of its own terms 1 → 2 of 10", "2 records: a PERMERROR"},
		},
		{"spacing", []Value{"v=spf1  mx  ~all "}, []Value{"v=spf1 mx ~all"}, []string{"says the same, written differently"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Describe(KindSPF, tt.before, tt.after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNobodyLosesAuthorisation has what may and may not be said of a merger.
func TestNobodyLosesAuthorisation(t *testing.T) {
	t.Parallel()
	two := []Value{"v=spf1 a ?mx ~all", "v=spf1 include:x.example -all"}
	for after, want := range map[Value]bool{
		"v=spf1 a ?mx include:x.example ~all":                 true,
		"v=spf1 a mx include:x.example exists:y.example ?all": true,
		"v=spf1 a ?mx include:x.example -all":                 false, // unlisted senders fared better under one
		"v=spf1 a -mx include:x.example ~all":                 false,
		"v=spf1 a include:x.example ~all":                     false,
		"v=spf1 -ip4:192.0.2.1 a ?mx include:x.example ~all":  false, // it may take from the others
		"v=spf1 a ?mx include:x.example ip4:1.2.3 ~all":       false, // still a PERMERROR
	} {
		text := strings.Join(Describe(KindSPF, two, []Value{after}), "\n")
		if got := strings.Contains(text, "nobody loses authorisation"); got != want {
			t.Errorf("%s: said %v:\n%s", after, got, text)
		}
	}
}

// TestSenderSPF checks the records of return paths: one at each name with the
// terms of all senders and the softest end, apart from the domain's own.
func TestSenderSPF(t *testing.T) {
	t.Parallel()
	const bounce, em Name = "bounce.a.example", "em.a.example"
	d := &Domain{Name: "a.example", Zone: "a.example", Senders: []Sender{
		{Type: "one", Source: Source{File: "f", Line: 1}, SPF: []SenderSPF{{"a.example", "include:x.example"}, {bounce, "include:x.example"}, {bounce, "-all"}}},
		{Type: "two", Source: Source{File: "f", Line: 2}, SPF: []SenderSPF{{bounce, "include:y.example"}, {bounce, "include:x.example"}, {bounce, "~all"}, {em, "ip4:192.0.2.1"}}},
	}}
	want := []Declared{
		{Kind: KindSPF, Key: Key{bounce, TypeTXT}, Value: "v=spf1 include:x.example include:y.example ~all", Source: Source{File: "f", Line: 1}},
		{Kind: KindSPF, Key: Key{em, TypeTXT}, Value: "v=spf1 ip4:192.0.2.1 ~all", Source: Source{File: "f", Line: 2}},
	}
	if diff := cmp.Diff(want, d.Declared()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if kind, ok := KindOf(d, Key{bounce, TypeTXT}, "v=spf1 -all"); !ok || kind != KindSPF {
		t.Errorf("KindOf a live record at the return path: %q, %t", kind, ok)
	}
	if kind, ok := KindOf(d, Key{"x.a.example", TypeTXT}, "v=spf1 -all"); ok {
		t.Errorf("KindOf a live record elsewhere: %q", kind)
	}
	d.Parked = true
	for _, v := range d.Declared() {
		if v.Key.Name == bounce {
			t.Error("a parked domain has no return path")
		}
	}
}
