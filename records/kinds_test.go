package records

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/records/spf"
)

// samples are values of each kind as zones have them: canonical ones, the same
// ones written otherwise, and broken ones.
var samples = map[Kind][]Value{
	KindSPF: {
		"v=spf1 include:_spf.google.com include:sendgrid.net ~all", "V=SPF1  mx/24 A:b.example.//64 ip4:192.0.2.1/32 -ALL", "v=spf1", "v=spf1 -all",
		"v=spf1 exists:%{i}._spf.example.net redirect=_spf.example.org", "v=spf1 ip4:1.2.3 ~all", "v=spf1 foo:bar",
	},
	KindDKIM: {
		"v=DKIM1; k=rsa; p=" + rfcRSA, "p=" + rfcRSAPKCS1, "v=DKIM1;k=ed25519;p=" + rfcEd25519 + ";", "v=DKIM1; p=", "k=rsa; t=y:s; n=a=20b; p=",
		"s1.domainkey.u1.wl2.sendgrid.net", "v=DKIM1; p=MIGf...", "v=DKIM2; p=",
	},
	KindDMARC: {
		"v=DMARC1", "v=DMARC1; p=none; rua=mailto:dmarc@attunelogic.com; fo=1; adkim=s; aspf=s", "v=DMARC1;p=Quarantine ;t=y;pct=25", "v=DMARC1; rua=mailto:a@b.example, mailto:c@d.example!10m; p=reject; sp=block; p=none; ri=1; junk",
		"v=dmarc1; p=none", "hello",
	},
	KindMTASTS: {"v=STSv1; id=20160831085700Z;", "v=STSv1;x=y;id=a", "v=STSv1; id=2026-11-24", "192.0.2.1", "2001:db8::1", "pages.example.net"},
	KindTLSRPT: {"v=TLSRPTv1;rua=mailto:reports@example.com", "v=TLSRPTv1; x=y; rua=mailto:a@b.example,https://c.example/", "v=TLSRPTv1; rua=a@b"},
	KindMX:     {"10 mx.example.net", "0 .", " 20  MX2.example.net.", "mx.example.net"},
	KindBIMI:   {"v=BIMI1; l=https://e.example/l.svg; a=https://e.example/v.pem", "v=BIMI1;a=;l=;avp=brand", "v=BIMI1"},
	KindRecord: {"sendgrid.net", "any \x00 \\ text\xff", ""},
}

func TestKindsAreDistinct(t *testing.T) {
	t.Parallel()
	ids := Kinds()
	slices.Sort(ids)
	if len(slices.Compact(ids)) != len(kinds) {
		t.Errorf("a kind stands twice in the table: %q", Kinds())
	}
	for _, k := range kinds {
		if len(samples[k.id]) < 3 {
			t.Errorf("%s has no samples, so that no law is tested on it", k.id)
		}
	}
}

// TestLawReprint has printing be a fixed point of parsing and printing.
func TestLawReprint(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		usable := 0
		for _, v := range samples[k.id] {
			printed, err := Reprint(k.id, v)
			if err != nil {
				continue
			}
			usable++
			if again, err := Reprint(k.id, printed); err != nil || again != printed {
				t.Errorf("%s %q prints as %q, then as %q, %v", k.id, v, printed, again, err)
			}
		}
		if usable == 0 {
			t.Errorf("no sample of %s is usable", k.id)
		}
	}
}

// TestLawParts has the parts of a value be those of its canonical form.
func TestLawParts(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		for _, v := range samples[k.id] {
			printed, err := Reprint(k.id, v)
			if err != nil {
				continue
			}
			if k.id == KindMX || k.id == KindRecord {
				v = printed // their values are canonical before they are compared
			}
			if diff := cmp.Diff(Parts(k.id, []Value{v}), Parts(k.id, []Value{printed})); diff != "" {
				t.Errorf("%s %q printed as %q says something else:\n%s", k.id, v, printed, diff)
			}
		}
	}
}

// drawValues draws some of a kind's samples.
func drawValues(t *rapid.T, k Kind, label string) []Value {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(samples[k]), 0, 3, rapid.ID[Value]).Draw(t, label)
}

// TestLawDescribe has the description be empty exactly where nothing changes,
// and independent of the order of values.
func TestLawDescribe(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(Kinds()).Draw(t, "kind")
		before, after := drawValues(t, k, "before"), drawValues(t, k, "after")
		if lines := Describe(k, before, before); len(lines) > 0 {
			t.Fatalf("%s: no change is described as %q", k, lines)
		}
		lines := Describe(k, before, after)
		same := NewRRset(Key{}, 0, before...).SameValues(NewRRset(Key{}, 0, after...))
		if (len(lines) == 0) != same {
			t.Fatalf("%s: %q → %q is described as %q", k, before, after, lines)
		}
		for _, line := range lines {
			if line == "" || strings.ContainsFunc(line, isControl) {
				t.Fatalf("%s: %q → %q has the line %q", k, before, after, line)
			}
		}
		shuffled := Describe(k, rapid.Permutation(before).Draw(t, "before, shuffled"), rapid.Permutation(after).Draw(t, "after, shuffled"))
		if diff := cmp.Diff(lines, shuffled); diff != "" {
			t.Fatalf("%s: the order of values matters:\n%s", k, diff)
		}
		slices.Reverse(before)
		parts := Parts(k, before)
		if !slices.IsSorted(parts) || len(parts) != len(slices.Compact(slices.Clone(parts))) {
			t.Fatalf("%s: the parts %q are no sorted set", k, parts)
		}
	})
}

// fullDomain declares every kind.
func fullDomain(t *testing.T) *Domain {
	t.Helper()
	record, err := spf.Parse("v=spf1 include:_spf.google.com include:sendgrid.net ~all")
	if err != nil {
		t.Fatal(err)
	}
	key, err := DKIMKeyFrom(rfcRSA)
	if err != nil {
		t.Fatal(err)
	}
	at := func(line int) Source { return Source{File: "mail.hcl", Line: line, Column: 3} }
	return &Domain{
		Name: "attunelogic.com", Zone: "attunelogic.com", Source: at(1),
		SPF:   &SPF{Record: record, Source: at(2)},
		DKIM:  []DKIM{{Selector: "s1", Key: &key, TTL: 600, Source: at(3)}, {Selector: "s2", CNAME: "s2.dkim.example.net", Source: at(4)}, {Selector: "old", Revoked: true, Source: at(5)}, {Selector: "a.b", CNAME: "x.example.net", Source: at(6)}},
		DMARC: &DMARC{Record: DMARCRecord{Policy: PolicyReject, RUA: []string{"mailto:d@attunelogic.com"}}, Source: at(7)},
		MTASTS: &MTASTS{
			Policy: STSPolicy{Mode: STSEnforce, MX: []string{"mx.example.net"}, MaxAge: 604800}, ID: "id1", HostA: []Value{"192.0.2.1"}, HostAAAA: []Value{"2001:db8::1"}, Source: at(8),
		},
		TLSRPT:  &TLSRPT{RUA: []string{"mailto:t@attunelogic.com"}, Source: at(9)},
		MX:      []MX{{Host: "mx.example.net", Preference: 10, Source: at(10)}, {Host: "mx2.example.net", Preference: 20, Source: at(11)}},
		BIMI:    []BIMI{{Selector: "default", Record: BIMIRecord{Logo: "https://e.example/l.svg"}, Source: at(12)}},
		Reports: []ReportFor{{Domain: "attunelogic.net", Source: at(13)}},
		Free:    []Free{{Key: Key{"url1.attunelogic.com", TypeCNAME}, Values: []Value{"sendgrid.net"}, Source: at(14)}, {Key: Key{"attunelogic.com", TypeTXT}, Values: []Value{"token=1", "token=2"}, Source: at(15)}},
	}
}

func TestDeclared(t *testing.T) {
	t.Parallel()
	type row struct {
		Kind  Kind
		Key   string
		Value Value
		Line  int
		TTL   TTL
	}
	const d = "attunelogic.com "
	want := []row{
		{KindDMARC, "_dmarc." + d + "TXT", "v=DMARC1; p=reject; rua=mailto:d@attunelogic.com", 7, 0},
		{KindMTASTS, "_mta-sts." + d + "TXT", "v=STSv1; id=id1", 8, 0},
		{KindTLSRPT, "_smtp._tls." + d + "TXT", "v=TLSRPTv1; rua=mailto:t@attunelogic.com", 9, 0},
		{KindDKIM, "a.b._domainkey." + d + "CNAME", "x.example.net", 6, 0},
		{KindMX, d + "MX", "10 mx.example.net", 10, 0},
		{KindMX, d + "MX", "20 mx2.example.net", 11, 0},
		{KindRecord, d + "TXT", "token=1", 15, 0},
		{KindRecord, d + "TXT", "token=2", 15, 0},
		{KindSPF, d + "TXT", "v=spf1 include:_spf.google.com include:sendgrid.net ~all", 2, 0},
		{KindDMARC, "attunelogic.net._report._dmarc." + d + "TXT", "v=DMARC1", 13, 0},
		{KindBIMI, "default._bimi." + d + "TXT", "v=BIMI1; l=https://e.example/l.svg", 12, 0},
		{KindMTASTS, "mta-sts." + d + "A", "192.0.2.1", 8, 0},
		{KindMTASTS, "mta-sts." + d + "AAAA", "2001:db8::1", 8, 0},
		{KindDKIM, "old._domainkey." + d + "TXT", "v=DKIM1; p=", 5, 0},
		{KindDKIM, "s1._domainkey." + d + "TXT", "v=DKIM1; k=rsa; p=" + rfcRSA, 3, 600},
		{KindDKIM, "s2._domainkey." + d + "CNAME", "s2.dkim.example.net", 4, 0},
		{KindRecord, "url1." + d + "CNAME", "sendgrid.net", 14, 0},
	}
	var got []row
	for _, x := range fullDomain(t).Declared() {
		got = append(got, row{x.Kind, x.Key.String(), x.Value, x.Source.Line, x.TTL})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDeclaredProfiles(t *testing.T) {
	t.Parallel()
	none := Source{File: "mail.hcl", Line: 9}
	to := []string{"mailto:d@x.example"}
	policy := STSPolicy{Mode: STSTesting, MX: []string{"mx.example.net"}, MaxAge: 86400}
	tests := []struct {
		name   string
		domain Domain
		want   []string
	}{
		{"parked", Domain{Parked: true}, []string{
			"_dmarc.x.example TXT v=DMARC1; p=reject; sp=reject; np=reject", "x.example MX 0 .", "x.example TXT v=spf1 -all",
		}},
		{"parked, with reports", Domain{Parked: true, DMARC: &DMARC{Record: DMARCRecord{RUA: to, RUF: to}}}, []string{
			"_dmarc.x.example TXT v=DMARC1; p=reject; sp=reject; np=reject; rua=mailto:d@x.example; ruf=mailto:d@x.example", "x.example MX 0 .", "x.example TXT v=spf1 -all",
		}},
		{"removed", Domain{Removed: true, NullMX: &none}, nil},
		{"nothing", Domain{}, nil},
		{"null MX", Domain{NullMX: &none}, []string{"x.example MX 0 ."}},
		{"derived id and an alias", Domain{MTASTS: &MTASTS{Policy: policy, HostCNAME: "pages.example.net"}}, []string{
			"_mta-sts.x.example TXT v=STSv1; id=" + policy.ID(), "mta-sts.x.example CNAME pages.example.net",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.domain.Name = "x.example"
			var got []string
			for _, d := range tt.domain.Declared() {
				got = append(got, d.Key.String()+" "+string(d.Value))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLawCovers has every declared value be covered, and be of the kind that it
// was declared as, and no value be covered by two kinds.
func TestLawCovers(t *testing.T) {
	t.Parallel()
	source := Source{}
	domains := map[string]*Domain{
		"full":     fullDomain(t),
		"parked":   {Name: "x.example", Parked: true},
		"null MX":  {Name: "x.example", NullMX: &source},
		"host":     {Name: "x.example", MTASTS: &MTASTS{HostCNAME: "pages.example.net"}},
		"no host":  {Name: "x.example", MTASTS: &MTASTS{ID: "a"}},
		"the root": {Name: "example", Parked: true},
	}
	for name, d := range domains {
		covers := Covers(d)
		seen := make(map[Kind]bool)
		for _, declared := range d.Declared() {
			seen[declared.Kind] = true
			var by []Kind
			for _, c := range covers {
				if c.Matches(declared.Key, declared.Value) {
					by = append(by, c.Kind)
				}
			}
			want := []Kind{declared.Kind}
			if declared.Kind == KindRecord {
				want = nil
			}
			if diff := cmp.Diff(want, by); diff != "" {
				t.Errorf("%s: %s %q is covered otherwise:\n%s", name, declared.Key, declared.Value, diff)
			}
			if kind, ok := KindOf(d, declared.Key, declared.Value); !ok || kind != declared.Kind {
				t.Errorf("%s: %s %q is taken for %q", name, declared.Key, declared.Value, kind)
			}
		}
		if name == "full" && len(seen) != len(kinds) {
			t.Errorf("only %v are declared, so that the others are not tested", seen)
		}
	}
	if got := Covers(&Domain{Name: "x.example", Removed: true, Parked: true}); got != nil {
		t.Errorf("a removed domain covers %v", got)
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	d := fullDomain(t)
	covers := Covers(d)
	tests := []struct {
		name  Name
		typ   Type
		value Value
		want  Kind // empty: foreign
	}{
		{"attunelogic.com", TypeTXT, "V=SPF1 include:other.example -all", KindSPF}, // a second record is merged away
		{"attunelogic.com", TypeTXT, "google-site-verification=x", ""},
		{"attunelogic.com", TypeTXT, "v=spf", ""},
		{"sub.attunelogic.com", TypeTXT, "v=spf1 -all", ""},
		{"attunelogic.com", TypeMX, "99 other.example", KindMX},
		{"_dmarc.attunelogic.com", TypeTXT, "anything", KindDMARC},
		{"_dmarc.attunelogic.com", TypeCNAME, "vendor.example", ""}, // it collides, see who holds the name
		{"_dmarc.sub.attunelogic.com", TypeTXT, "v=DMARC1; p=none", ""},
		{"attunelogic.net._report._dmarc.attunelogic.com", TypeTXT, "v=DMARC1;", KindDMARC},
		{"other.example._report._dmarc.attunelogic.com", TypeTXT, "v=DMARC1;", ""},
		{"s1._domainkey.attunelogic.com", TypeTXT, "v=DKIM1; p=", KindDKIM},
		{"s1._domainkey.attunelogic.com", TypeCNAME, "x.example", KindDKIM}, // an alias gives way to a key
		{"s2._domainkey.attunelogic.com", TypeTXT, "junk", KindDKIM},
		{"s3._domainkey.attunelogic.com", TypeTXT, "v=DKIM1; p=", ""},
		{"_mta-sts.attunelogic.com", TypeTXT, "v=STSv1; id=old", KindMTASTS},
		{"_mta-sts.attunelogic.com", TypeTXT, "token", ""},
		{"mta-sts.attunelogic.com", TypeCNAME, "old.example", KindMTASTS},
		{"mta-sts.attunelogic.com", TypeTXT, "token", ""},
		{"_smtp._tls.attunelogic.com", TypeTXT, "v=TLSRPTv1; rua=mailto:x@y.example", KindTLSRPT},
		{"default._bimi.attunelogic.com", TypeTXT, "v=bimi1; l=", KindBIMI},
		{"url1.attunelogic.com", TypeCNAME, "sendgrid.net", ""},
	}
	for _, tt := range tests {
		var got Kind
		for _, c := range covers {
			if c.Matches(Key{tt.name, tt.typ}, tt.value) {
				got = c.Kind
			}
		}
		if got != tt.want {
			t.Errorf("%s %s %q is covered by %q, want %q", tt.name, tt.typ, tt.value, got, tt.want)
		}
	}
	d.MTASTS.HostA, d.MTASTS.HostAAAA = nil, nil
	for _, c := range Covers(d) {
		if c.Key.Name == "mta-sts.attunelogic.com" {
			t.Errorf("a host that isn't declared is covered: %v", c)
		}
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	d := &Domain{Name: "x.example", Free: []Free{{Key: Key{"x.example", TypeTXT}, Values: []Value{"v=spf1  -all"}}}}
	tests := []struct {
		key   Key
		value Value
		want  Kind
	}{
		{Key{"x.example", TypeTXT}, "v=spf1  -all", KindRecord}, // a record block may hold what no other block can say
		{Key{"x.example", TypeTXT}, "v=spf1 -all", KindSPF},
		{Key{"x.example", TypeTXT}, "token", ""},
		{Key{"sub.x.example", TypeTXT}, "v=spf1 -all", ""},
		{Key{"x.example", TypeMX}, "10 a.example", KindMX},
		{Key{"_dmarc.x.example", TypeTXT}, "v=DMARC1", KindDMARC},
		{Key{"_dmarc.x.example", TypeCNAME}, "vendor.example", KindDMARC},
		{Key{"_dmarc.x.example", TypeA}, "192.0.2.1", ""},
		{Key{"y.example._report._dmarc.x.example", TypeTXT}, "v=DMARC1", KindDMARC},
		{Key{"s1._domainkey.x.example", TypeTXT}, "v=DKIM1; p=", KindDKIM},
		{Key{"a.b._domainkey.x.example", TypeCNAME}, "t.example", KindDKIM},
		{Key{"_domainkey.x.example", TypeNS}, "ns.vendor.example", KindDKIM},
		{Key{"s1._domainkey.sub.x.example", TypeTXT}, "v=DKIM1; p=", ""},
		{Key{"_mta-sts.x.example", TypeTXT}, "v=STSv1; id=a", KindMTASTS},
		{Key{"mta-sts.x.example", TypeAAAA}, "2001:db8::1", KindMTASTS},
		{Key{"_smtp._tls.x.example", TypeTXT}, "v=TLSRPTv1; rua=", KindTLSRPT},
		{Key{"default._bimi.x.example", TypeTXT}, "v=BIMI1; l=", KindBIMI},
		{Key{"www.x.example", TypeA}, "192.0.2.1", ""},
	}
	for _, tt := range tests {
		if got, ok := KindOf(d, tt.key, tt.value); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s %q is %q, want %q", tt.key, tt.value, got, tt.want)
		}
	}
}

func TestLooksLikeMail(t *testing.T) {
	t.Parallel()
	const rest = ", not declared, not owned"
	tests := []struct {
		key   Key
		value Value
		want  string
	}{
		{Key{"old._domainkey.x.example", TypeCNAME}, "k.vendor.example", "looks like DKIM" + rest},
		{Key{"s._domainkey.mail.x.example", TypeTXT}, "junk", "looks like DKIM" + rest},
		{Key{"mail.x.example", TypeTXT}, "v=spf1 -all", "looks like SPF" + rest},
		{Key{"_dmarc.sub.x.example", TypeTXT}, "v=DMARC1; p=none", "looks like DMARC" + rest},
		{Key{"_dmarc.x.example", TypeNS}, "ns.vali.email", "looks like DMARC" + rest},
		{Key{"bounce.x.example", TypeMX}, "10 feedback-smtp.eu-west-1.amazonses.com", "looks like MX" + rest},
		{Key{"_mta-sts.x.example", TypeTXT}, "v=STSv1; id=a", "looks like MTA-STS" + rest},
		{Key{"mta-sts.x.example", TypeCNAME}, "pages.example.net", "looks like MTA-STS" + rest},
		{Key{"_smtp._tls.x.example", TypeTXT}, "v=TLSRPTv1; rua=mailto:a@b.example", "looks like TLS reporting" + rest},
		{Key{"default._bimi.x.example", TypeTXT}, "v=BIMI1; l=", "looks like BIMI" + rest},
		{Key{"x.example", TypeTXT}, "v=dkim1; p=", "looks like DKIM at a name where nobody looks for it" + rest},
		{Key{"x.example", TypeTXT}, "v=DMARC1; p=none", "looks like DMARC at a name where nobody looks for it" + rest},
		{Key{"_25._tcp.mx.x.example", TypeTLSA}, "3 1 1 ab", "looks like DANE for mail" + rest},
		{Key{"_443._tcp.www.x.example", TypeTLSA}, "3 1 1 ab", ""},
		{Key{"x.example", TypeTXT}, "google-site-verification=x", ""},
		{Key{"www.x.example", TypeCNAME}, "v=dkim1.example", ""},
		{Key{"x.example", TypeA}, "192.0.2.1", ""},
		{Key{"xmta-sts.example", TypeA}, "192.0.2.1", ""},
	}
	for _, tt := range tests {
		got, ok := LooksLikeMail(tt.key, tt.value)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s %q: %q, want %q", tt.key, tt.value, got, tt.want)
		}
	}
}

// TestPartsNeverMislead has several records of a kind that must be single say
// something else than one, and an unknown kind be treated as free.
func TestPartsNeverMislead(t *testing.T) {
	t.Parallel()
	for _, k := range []Kind{KindSPF, KindDKIM, KindDMARC, KindMTASTS, KindTLSRPT, KindBIMI} {
		v := samples[k][0]
		if parts := Parts(k, []Value{v, v + " "}); !slices.Contains(parts, "records=2") {
			t.Errorf("%s: two records say %q", k, parts)
		}
	}
	if diff := cmp.Diff([]string{`a\255`, "b"}, Parts("x", []Value{"b", "a\xff"})); diff != "" {
		t.Error(diff)
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind   Kind
		values []Value
		want   []string
	}{
		{KindDMARC, []Value{"v=DMARC1; p=quarantine; pct=25; t=y; sp=none; rua=mailto:a@b.example,mailto:c@d.example; ruf=mailto:e@f.example; fo=1:d; adkim=s; x=1"}, []string{
			"adkim=s", "fo=1:d", "p=quarantine", "pct=25", "rua=mailto:a@b.example", "rua=mailto:c@d.example", "ruf=mailto:e@f.example", "sp=none", "t=y", "v=DMARC1", "x=1",
		}},
		{KindDMARC, []Value{"v=DMARC1"}, []string{"v=DMARC1"}},
		{KindDMARC, []Value{"no  record"}, []string{"no record"}},
		{KindDKIM, []Value{"v=DKIM1; t=s:y; h=sha256; n=a=20b; p=" + rfcRSA}, []string{"h=sha256", "n=a b", "rsa:" + rfcRSAPrint, "t=y:s"}},
		{KindDKIM, []Value{"v=DKIM1; k=ed25519; p=" + rfcEd25519}, []string{"ed25519:" + rfcEd25519Print}},
		{KindDKIM, []Value{RevokedDKIM}, []string{"revoked"}},
		{KindDKIM, []Value{"s1.dkim.example.net"}, []string{"cname=s1.dkim.example.net"}},
		{KindDKIM, []Value{"v=DKIM1;  p=..."}, []string{"v=DKIM1; p=..."}},
		{KindMX, []Value{"20 b.example", "10 a.example"}, []string{"10 a.example", "20 b.example"}},
		{KindMTASTS, []Value{"v=STSv1; id=a1;"}, []string{"id=a1"}},
		{KindMTASTS, []Value{"192.0.2.1", "192.0.2.2"}, []string{"host=192.0.2.1", "host=192.0.2.2"}},
		{KindTLSRPT, []Value{"v=TLSRPTv1; rua=mailto:a@b.example,https://c.example/"}, []string{"rua=https://c.example/", "rua=mailto:a@b.example"}},
		{KindBIMI, []Value{"v=BIMI1; l=https://e.example/l.svg; a="}, []string{"l=https://e.example/l.svg"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, Parts(tt.kind, tt.values)); diff != "" {
			t.Errorf("%s %q:\n%s", tt.kind, tt.values, diff)
		}
	}
}
