package records

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestR09R11RunbookRecords has the runbook's records byte for byte, and the
// step that means the same to both generations of receivers.
func TestR09R11RunbookRecords(t *testing.T) {
	t.Parallel()
	to := []string{"mailto:dmarc@attunelogic.com"}
	tests := []struct {
		record DMARCRecord
		want   string
	}{
		{
			DMARCRecord{Policy: PolicyNone, RUA: to, RUF: to, FO: []string{"1"}, ADKIM: AlignStrict, ASPF: AlignStrict},
			"v=DMARC1; p=none; rua=mailto:dmarc@attunelogic.com; ruf=mailto:dmarc@attunelogic.com; fo=1; adkim=s; aspf=s",
		},
		{
			DMARCRecord{Policy: PolicyQuarantine, Pct: PctOf(25), RUA: to},
			"v=DMARC1; p=quarantine; pct=25; rua=mailto:dmarc@attunelogic.com",
		},
		{
			DMARCRecord{Policy: PolicyQuarantine, Pct: PctOf(25), T: FlagYes, RUA: to},
			"v=DMARC1; p=quarantine; pct=25; t=y; rua=mailto:dmarc@attunelogic.com",
		},
		{
			DMARCRecord{Policy: PolicyReject, SP: PolicyReject, NP: PolicyReject, PSD: FlagNo, RUA: []string{"mailto:a@example.com", "https://b.example/r"}, FO: []string{"d", "s"}, ASPF: AlignRelaxed},
			"v=DMARC1; p=reject; sp=reject; np=reject; psd=n; rua=mailto:a@example.com,https://b.example/r; fo=d:s; aspf=r",
		},
	}
	for _, tt := range tests {
		if got := tt.record.String(); got != tt.want {
			t.Errorf("\n got %s\nwant %s", got, tt.want)
		}
		read := parseDMARC(t, tt.want)
		read.Problems = nil
		if diff := cmp.Diff(tt.record, read); diff != "" {
			t.Errorf("%s reads otherwise:\n%s", tt.want, diff)
		}
	}
}

func TestParseDMARC(t *testing.T) {
	t.Parallel()
	missing := TagProblem{ProblemMissing, Tag{Name: "p"}}
	tests := []struct {
		text     string
		want     DMARCRecord // without Problems
		problems []TagProblem
	}{
		{"v=DMARC1", DMARCRecord{}, []TagProblem{missing}},
		{"v=DMARC1;", DMARCRecord{}, []TagProblem{missing}},
		{"v = DMARC1 ;p = reject ; ", DMARCRecord{Policy: PolicyReject}, nil},
		{"v=DMARC1;P=Reject;T=Y", DMARCRecord{Policy: PolicyReject, T: FlagYes}, nil},
		{
			"v=DMARC1; rua=mailto:a@b.example; p=none",
			DMARCRecord{Policy: PolicyNone, RUA: []string{"mailto:a@b.example"}},
			[]TagProblem{{ProblemOrder, Tag{"p", "none"}}},
		},
		{
			"v=DMARC1; p=none; ri=3600; rf=afrf; pct=100; rau=x",
			DMARCRecord{Policy: PolicyNone, Pct: PctOf(100), Other: []Tag{{"ri", "3600"}, {"rf", "afrf"}, {"rau", "x"}}},
			[]TagProblem{{ProblemHistoric, Tag{"ri", "3600"}}, {ProblemHistoric, Tag{"rf", "afrf"}}, {ProblemHistoric, Tag{"pct", "100"}}, {ProblemUnknown, Tag{"rau", "x"}}},
		},
		{
			"v=DMARC1; p=none; p=reject; v=DMARC1",
			DMARCRecord{Policy: PolicyNone, Other: []Tag{{"p", "reject"}, {"v", "DMARC1"}}},
			[]TagProblem{{ProblemDuplicate, Tag{"p", "reject"}}, {ProblemDuplicate, Tag{"v", "DMARC1"}}},
		},
		{
			"v=DMARC1; p=block; sp=none; pct=25%; fo=0:x; adkim=strict; t=; psd=z; np=",
			DMARCRecord{SP: PolicyNone, Other: []Tag{{"p", "block"}, {"pct", "25%"}, {"fo", "0:x"}, {"adkim", "strict"}, {"t", ""}, {"psd", "z"}, {"np", ""}}},
			[]TagProblem{{ProblemValue, Tag{"p", "block"}}, {ProblemValue, Tag{"pct", "25%"}}, {ProblemValue, Tag{"fo", "0:x"}}, {ProblemValue, Tag{"adkim", "strict"}}, {ProblemValue, Tag{"t", ""}}, {ProblemValue, Tag{"psd", "z"}}, {ProblemValue, Tag{"np", ""}}},
		},
		{
			"v=DMARC1; p=none; reject; =x; two words=x",
			DMARCRecord{Policy: PolicyNone, Other: []Tag{{"", "reject"}, {"", "=x"}, {"", "two words=x"}}},
			[]TagProblem{{ProblemSyntax, Tag{"", "reject"}}, {ProblemSyntax, Tag{"", "=x"}}, {ProblemSyntax, Tag{"", "two words=x"}}},
		},
		{
			"v=DMARC1; p=none; rua=a@b.example, mailto:c@d.example!10m,,ftp://e.example; ruf=,",
			DMARCRecord{Policy: PolicyNone, RUA: []string{"a@b.example", "mailto:c@d.example!10m", "ftp://e.example"}, Other: []Tag{{"ruf", ","}}},
			[]TagProblem{{ProblemValue, Tag{"rua", "a@b.example"}}, {ProblemValue, Tag{"rua", "ftp://e.example"}}, {ProblemValue, Tag{"ruf", ","}}},
		},
		{
			"v=DMARC1; p=none; fo=0:1:D:s",
			DMARCRecord{Policy: PolicyNone, FO: []string{"0", "1", "d", "s"}},
			nil,
		},
	}
	for _, tt := range tests {
		got := parseDMARC(t, tt.text)
		if diff := cmp.Diff(tt.problems, got.Problems); diff != "" {
			t.Errorf("%q, problems:\n%s", tt.text, diff)
		}
		got.Problems = nil
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q:\n%s", tt.text, diff)
		}
	}
}

func TestParseDMARCVersion(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "v", "DMARC1", "v=dmarc1; p=none", "V=DMARC1; p=none", " v=DMARC1; p=none", "v=DMARC1 p=none", "v=DMARC10; p=none", "p=none; v=DMARC1", "v=DMARC1,p=none", ";v=DMARC1", "v=spf1 -all"} {
		if r, err := ParseDMARC(text); err == nil || IsDMARC(text) {
			t.Errorf("%q was taken for a record: %v", text, r)
		}
	}
}

// TestDMARCTagsAreKnown has each tag that is printed be one that is read.
func TestDMARCTagsAreKnown(t *testing.T) {
	t.Parallel()
	names := []string{"v"}
	for _, tag := range (DMARCRecord{}).tags() {
		names = append(names, tag.Name)
	}
	if !slices.Equal(names, dmarcTags) {
		t.Errorf("printed %q, read %q", names, dmarcTags)
	}
}

// TestDMARCPrintsWhatItReads draws records as a configuration builds them.
func TestDMARCPrintsWhatItReads(t *testing.T) {
	t.Parallel()
	uris := rapid.SampledFrom([][]string{nil, {"mailto:a@b.example"}, {"mailto:a@b.example", "https://c.example/r"}})
	rapid.Check(t, func(t *rapid.T) {
		r := anyDMARCPolicy(t, "record")
		r.PSD = rapid.SampledFrom([]Flag{"", FlagYes, FlagNo, FlagUnknown}).Draw(t, "psd")
		r.RUA, r.RUF = uris.Draw(t, "rua"), uris.Draw(t, "ruf")
		r.FO = rapid.SampledFrom([][]string{nil, {"0"}, {"d", "s"}}).Draw(t, "fo")
		r.ADKIM = rapid.SampledFrom([]Alignment{"", AlignRelaxed, AlignStrict}).Draw(t, "adkim")
		r.ASPF = rapid.SampledFrom([]Alignment{"", AlignRelaxed, AlignStrict}).Draw(t, "aspf")
		read, err := ParseDMARC(r.String())
		if err != nil {
			t.Fatal(err)
		}
		read.Problems = nil
		if diff := cmp.Diff(r, read); diff != "" {
			t.Fatalf("%s reads otherwise:\n%s", r, diff)
		}
	})
}

func FuzzParseDMARC(f *testing.F) {
	for _, seed := range []string{
		"v=DMARC1", "v=DMARC1; p=reject; sp=block; rua=mailto:a@b.example,c", "v=DMARC1;p=none;p=none;;x", "v=DMARC1; P = Reject; T=y; pct=025; ri=1",
		"v=DMARC1; p=quarantine; pct=25; t=y; fo=0:1; adkim=s; aspf=R; psd=u; np=none", "v=DMARC1\t;\r\n p=none; =; a=b=c", "v=DMARC1; fo=::; rua= , ",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseDMARC(text)
		if err != nil {
			return
		}
		printed := r.String()
		again, err := ParseDMARC(printed)
		if err != nil || again.String() != printed {
			t.Fatalf("%q prints as %q, then as %q, %v", text, printed, again, err)
		}
		if again.Reach() != r.Reach() || again.Disarmed() != r.Disarmed() || again.Applied() != r.Applied() {
			t.Fatalf("%q printed as %q acts otherwise", text, printed)
		}
		if diff := cmp.Diff(r.Other, again.Other); diff != "" {
			t.Fatalf("%q printed as %q has other tags:\n%s", text, printed, diff)
		}
	})
}

func TestDescribeDMARC(t *testing.T) {
	t.Parallel()
	const rua = "; rua=mailto:dmarc@attunelogic.com"
	tests := []struct {
		name          string
		before, after []Value
		want          []string
	}{
		{
			"the ramp's second step",
			[]Value{"v=DMARC1; p=none" + rua}, []Value{"v=DMARC1; p=quarantine; pct=25; t=y" + rua},
			[]string{"policy none → quarantine (at most 25 %)", "effective: 25 % quarantine at RFC 7489 receivers, none at RFC 9989 receivers"},
		},
		{
			"the runbook's second phase",
			[]Value{"v=DMARC1; p=none; rua=mailto:a@b.example; fo=1; adkim=s; aspf=s"}, []Value{"v=DMARC1; p=quarantine; pct=25; rua=mailto:a@b.example"},
			[]string{
				"policy none → quarantine (25 %)", "effective: 25 % quarantine at RFC 7489 receivers, quarantine at RFC 9989 receivers",
				"DKIM alignment strict → relaxed: LOOSENS", "SPF alignment strict → relaxed: LOOSENS", "− fo=1",
			},
		},
		{
			"the last step",
			[]Value{"v=DMARC1; p=quarantine; sp=quarantine" + rua}, []Value{"v=DMARC1; p=reject; sp=reject" + rua},
			[]string{"policy quarantine → reject", "subdomain policy quarantine → reject"},
		},
		{
			"loosening",
			[]Value{"v=DMARC1; p=reject" + rua}, []Value{"v=DMARC1; p=quarantine" + rua},
			[]string{"policy reject → quarantine: LOOSENS"},
		},
		{
			"loosening for some",
			[]Value{"v=DMARC1; p=quarantine; pct=25"}, []Value{"v=DMARC1; p=quarantine; pct=25; t=y"},
			[]string{"policy quarantine (25 %) → quarantine (at most 25 %): LOOSENS at RFC 9989 receivers", "effective: 25 % quarantine at RFC 7489 receivers, none at RFC 9989 receivers"},
		},
		{
			"sp follows p, then not",
			[]Value{"v=DMARC1; p=reject"}, []Value{"v=DMARC1; p=reject; sp=none; np=reject"},
			[]string{"subdomain policy reject → none: LOOSENS"},
		},
		{
			"new", nil, []Value{"v=DMARC1; p=none; rua=mailto:a@b.example; ruf=mailto:c@b.example; adkim=s"},
			[]string{"new DMARC record, policy none", "strict DKIM alignment", "+ aggregate reports to mailto:a@b.example", "+ failure reports to mailto:c@b.example"},
		},
		{
			"removed", []Value{"v=DMARC1; p=reject" + rua}, nil,
			[]string{"DMARC record removed, policy reject → no policy: LOOSENS"},
		},
		{
			"reports stop",
			[]Value{"v=DMARC1; p=none; rua=mailto:a@b.example,mailto:c@d.example"}, []Value{"v=DMARC1; p=none"},
			[]string{"− aggregate reports to mailto:a@b.example", "− aggregate reports to mailto:c@d.example", "no aggregate reports will come"},
		},
		{
			"reports move",
			[]Value{"v=DMARC1; p=none; rua=mailto:a@b.example"}, []Value{"v=DMARC1; p=none; rua=mailto:c@d.example"},
			[]string{"+ aggregate reports to mailto:c@d.example", "− aggregate reports to mailto:a@b.example"},
		},
		{
			"two records become one",
			[]Value{"v=DMARC1; p=none", "v=DMARC1; p=reject"}, []Value{"v=DMARC1; p=none"},
			[]string{"2 DMARC records → 1 (receivers discard them all today)", "policy none (not stated) → none"},
		},
		{
			"one record becomes two",
			[]Value{"v=DMARC1; p=reject"}, []Value{"v=DMARC1; p=none", "v=DMARC1; p=reject"},
			[]string{"2 DMARC records: receivers will discard them all", "policy reject → none (not stated): LOOSENS"},
		},
		{
			"a value that is no record",
			[]Value{"v=dmarc1; p=none"}, []Value{"v=DMARC1; p=none"},
			[]string{"receivers find no DMARC record today: the value doesn't begin as one", "policy none (not stated) → none"},
		},
		{
			"a disarmed record is mended",
			[]Value{"v=DMARC1; p=reject; sp=block" + rua}, []Value{"v=DMARC1; p=reject" + rua},
			[]string{"policy none (reject is void: p, sp or np is missing or invalid) → reject", "− sp=block"},
		},
		{
			"without effect",
			[]Value{"v=DMARC1; p=none"}, []Value{"v=DMARC1; p=none; pct=50; adkim=r; x=y"},
			[]string{"DKIM alignment relaxed, now written out", "+ pct=50", "+ x=y"},
		},
		{"spacing", []Value{"v=DMARC1;p=none;"}, []Value{"v=DMARC1; p=none"}, []string{"says the same, written differently"}},
		{"authorisation", nil, []Value{"v=DMARC1"}, []string{"accepts DMARC reports about the other domain"}},
		{"no authorisation", []Value{"v=DMARC1"}, nil, []string{"no longer accepts DMARC reports about the other domain"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Describe(KindDMARC, tt.before, tt.after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLoosensIsSaidExactlyThen draws two policies: the description says LOOSENS
// where, and only where, a receiver treats some mail of the domain better.
func TestLoosensIsSaidExactlyThen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, to := anyDMARCPolicy(t, "from"), anyDMARCPolicy(t, "to")
		text := strings.Join(Describe(KindDMARC, []Value{from.Value()}, []Value{to.Value()}), "\n")
		loosens := !from.Reach().NoStricterThan(to.Reach())
		if strings.Contains(text, "LOOSENS") != loosens {
			t.Fatalf("%s → %s: loosens %v, but said:\n%s", from, to, loosens, text)
		}
	})
}
