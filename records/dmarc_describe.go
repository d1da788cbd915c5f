package records

import (
	"fmt"
	"slices"
	"strings"
)

var dmarcKind = kind{
	id:       KindDMARC,
	title:    "DMARC",
	version:  "v=DMARC1",
	declared: declaredDMARC,
	covers:   coversDMARC,
	owner:    ownerDMARC,
	reprint:  reprintDMARC,
	parts:    func(vs []Value) []string { return partsOf(vs, dmarcParts) },
	describe: describeDMARC,
}

// dmarcAuthorisation is what a name below _report._dmarc holds (RFC 9990 4).
const dmarcAuthorisation Value = "v=" + dmarcVersion

// DMARCName is where the record of a domain stands (RFC 9989 4.5).
func DMARCName(domain Name) Name { return Below("_dmarc", domain) }

// ReportName is where a domain says that it accepts reports about another one
// (RFC 9990 4).
func ReportName(about, accepting Name) Name {
	return Below(string(about)+"._report._dmarc", accepting)
}

func declaredDMARC(d *Domain) []Declared {
	var out []Declared
	if r, ok := d.dmarcTarget(); ok {
		declared := Declared{Kind: KindDMARC, Key: Key{DMARCName(d.Name), TypeTXT}, Value: r.Value(), Source: d.Source}
		if d.DMARC != nil {
			declared.TTL, declared.Source = d.DMARC.TTL, d.DMARC.Source
		}
		out = append(out, declared)
	}
	for _, r := range d.Reports {
		out = append(out, Declared{Kind: KindDMARC, Key: Key{ReportName(r.Domain, d.Name), TypeTXT}, Value: dmarcAuthorisation, Source: r.Source})
	}
	return out
}

// dmarcTarget is the declared record; a parked domain's is its profile, to
// which only report destinations are added.
func (d *Domain) dmarcTarget() (r DMARCRecord, ok bool) {
	if d.DMARC != nil {
		r = d.DMARC.Record
	}
	if d.Parked {
		return DMARCRecord{Policy: PolicyReject, SP: PolicyReject, NP: PolicyReject, RUA: r.RUA, RUF: r.RUF}, true
	}
	return r, d.DMARC != nil
}

func coversDMARC(d *Domain) []Cover {
	var out []Cover
	for _, declared := range declaredDMARC(d) {
		out = append(out, Cover{Kind: KindDMARC, Key: declared.Key})
	}
	return out
}

func ownerDMARC(k Key, _ Value) (Name, bool) {
	if _, accepting, found := strings.Cut(string(k.Name), "._report._dmarc."); found {
		return Name(accepting), k.Type == TypeTXT || k.Type == TypeCNAME
	}
	return ownerBelow(k, "_dmarc")
}

func reprintDMARC(v Value) (Value, error) {
	r, err := ParseDMARC(string(v))
	if err != nil {
		return "", err
	}
	return r.Value(), nil
}

func dmarcParts(v Value) []string {
	r, err := ParseDMARC(string(v))
	if err != nil {
		return []string{foldSpace(string(v))}
	}
	parts := []string{string(dmarcAuthorisation)}
	for _, t := range r.tags() {
		if t.Value != "" && t.Name != "rua" && t.Name != "ruf" {
			parts = append(parts, t.String())
		}
	}
	for _, uri := range r.RUA {
		parts = append(parts, "rua="+uri)
	}
	for _, uri := range r.RUF {
		parts = append(parts, "ruf="+uri)
	}
	return append(parts, tagParts(r.Other)...)
}

// describeDMARC compares what receivers make of the values.
func describeDMARC(before, after []Value) []string {
	authorisation := []Value{dmarcAuthorisation}
	switch {
	case slices.Equal(after, authorisation) && len(before) == 0:
		return []string{"accepts DMARC reports about the other domain"}
	case slices.Equal(before, authorisation) && len(after) == 0:
		return []string{"no longer accepts DMARC reports about the other domain"}
	}
	was, is := readDMARC(before), readDMARC(after)
	lines := severalDMARC(before, after)
	switch {
	case len(before) == 0:
		lines = append(lines, "new DMARC record, policy "+is.label(is.Policy))
		// Nothing was aligned before: a strict mode is not a change.
		lines = append(lines, strictModes(is)...)
		was.ADKIM, was.ASPF = is.ADKIM, is.ASPF
	case len(after) == 0:
		return append(lines, "DMARC record removed, policy "+was.label(was.Policy)+" → no policy"+loosens(was.Effects(), is.Effects()))
	default:
		lines = append(lines, describePolicies("policy", was, is, was.Policy, is.Policy, DMARCRecord.Effects)...)
	}
	if e := is.Effects(); e.Differ() {
		lines = append(lines, fmt.Sprintf("effective: %s at RFC 7489 receivers, %s at RFC 9989 receivers", e.RFC7489, e.RFC9989))
	}
	return append(lines, describeTags(was, is)...)
}

// readDMARC returns the record that receivers use: the only one, or the zero
// record where they find none or discard several (RFC 9989 4.10).
func readDMARC(vs []Value) DMARCRecord {
	if countDMARC(vs) != 1 {
		return DMARCRecord{}
	}
	i := slices.IndexFunc(vs, func(v Value) bool { return IsDMARC(string(v)) })
	r, _ := ParseDMARC(string(vs[i])) // it begins as one, so there is no error
	return r
}

// severalDMARC tells where receivers find more or less than one record.
func severalDMARC(before, after []Value) []string {
	b, a := countDMARC(before), countDMARC(after)
	var lines []string
	switch {
	case b > 1:
		lines = append(lines, fmt.Sprintf("%d DMARC records → %d (receivers discard them all today)", b, a))
	case b == 0 && len(before) > 0:
		lines = append(lines, "receivers find no DMARC record today: the value doesn't begin as one")
	}
	switch {
	case a > 1:
		lines = append(lines, fmt.Sprintf("%d DMARC records: receivers will discard them all", a))
	case a == 0 && len(after) > 0:
		lines = append(lines, "receivers will find no DMARC record: the value doesn't begin as one")
	}
	return lines
}

func countDMARC(vs []Value) (n int) {
	for _, v := range vs {
		if IsDMARC(string(v)) {
			n++
		}
	}
	return n
}

// label names a policy of the record with what pct and t make of it.
func (r DMARCRecord) label(d Disposition) string {
	percent, test := r.Pct.Percent(), r.T == FlagYes
	switch {
	case d == PolicyUnset:
		return "none (not stated)"
	case r.Disarmed():
		return "none (" + d.String() + " is void: p, sp or np is missing or invalid)"
	case d == PolicyNone || percent == 100 && !test:
		return d.String()
	case percent == 100:
		return d.String() + " (test mode)"
	case test:
		return fmt.Sprintf("%s (at most %d %%)", d, percent)
	}
	return fmt.Sprintf("%s (%d %%)", d, percent)
}

// describePolicies tells the change of one policy tag and what it does.
func describePolicies(what string, was, is DMARCRecord, from, to Disposition, effects func(DMARCRecord) Effects) []string {
	before, after := was.label(from), is.label(to)
	if from == to && before == after {
		return nil
	}
	return []string{what + " " + before + " → " + after + loosens(effects(was), effects(is))}
}

// loosens marks a change after which some mail fares better.
func loosens(from, to Effects) string {
	old, now := from.RFC7489.NoStricterThan(to.RFC7489), from.RFC9989.NoStricterThan(to.RFC9989)
	switch {
	case old && now:
		return ""
	case old:
		return ": LOOSENS at RFC 9989 receivers"
	case now:
		return ": LOOSENS at RFC 7489 receivers"
	}
	return ": LOOSENS"
}

// describeTags tells the changes of all tags but p.
func describeTags(was, is DMARCRecord) []string {
	var lines []string
	if was.SP != PolicyUnset || is.SP != PolicyUnset {
		lines = append(lines, describePolicies("subdomain policy", was, is,
			fallback(was.SP, was.Policy), fallback(is.SP, is.Policy), DMARCRecord.SubdomainEffects)...)
	}
	if was.NP != PolicyUnset || is.NP != PolicyUnset {
		lines = append(lines, describePolicies("policy of subdomains that don't exist", was, is,
			fallback(was.NP, fallback(was.SP, was.Policy)), fallback(is.NP, fallback(is.SP, is.Policy)), DMARCRecord.NonexistentEffects)...)
	}
	lines = append(lines, describeAlignment("DKIM", was.ADKIM, is.ADKIM)...)
	lines = append(lines, describeAlignment("SPF", was.ASPF, is.ASPF)...)
	lines = append(lines, describeURIs("aggregate reports", was.RUA, is.RUA)...)
	lines = append(lines, describeURIs("failure reports", was.RUF, is.RUF)...)
	gone, added := difference(otherParts(was), otherParts(is))
	return append(lines, changeLines("", gone, added)...)
}

// otherParts are the tags that the description has no words of its own for:
// those without effect on the policy, and pct and t where no label shows them.
func otherParts(r DMARCRecord) []string {
	idle := r.Policy <= PolicyNone && r.SP <= PolicyNone && r.NP <= PolicyNone
	var parts []string
	for _, t := range r.tags() {
		switch {
		case t.Value == "":
		case t.Name == "psd", t.Name == "fo",
			t.Name == "pct" && (idle || t.Value == "100"), t.Name == "t" && (idle || t.Value == string(FlagNo)):
			parts = append(parts, t.String())
		}
	}
	return append(parts, tagParts(r.Other)...)
}

// strictModes names the alignments of a new record that are not the default.
func strictModes(r DMARCRecord) []string {
	var lines []string
	if r.ADKIM.Strict() {
		lines = append(lines, "strict DKIM alignment")
	}
	if r.ASPF.Strict() {
		lines = append(lines, "strict SPF alignment")
	}
	return lines
}

func describeAlignment(what string, was, is Alignment) []string {
	switch {
	case was == is:
		return nil
	case was.Strict() == is.Strict() && was == "":
		return []string{what + " alignment relaxed, now written out"}
	case was.Strict() == is.Strict():
		return []string{what + " alignment relaxed, no longer written out"}
	case is.Strict():
		return []string{what + " alignment relaxed → strict"}
	}
	return []string{what + " alignment strict → relaxed: LOOSENS"}
}

func describeURIs(what string, was, is []string) []string {
	gone, added := difference(was, is)
	lines := changeLines(what+" to ", gone, added)
	if len(was) > 0 && len(is) == 0 {
		lines = append(lines, "no "+what+" will come")
	}
	return lines
}
