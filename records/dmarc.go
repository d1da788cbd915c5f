package records

import (
	"errors"
	"slices"
	"strings"
)

// dmarcVersion opens every record and is case-sensitive (RFC 9989 4.7).
const dmarcVersion = "DMARC1"

// DMARCRecord is a DMARC policy record: the tags of RFC 9989 4.7 and, of those
// that it dropped, the pct of RFC 7489 6.3. A field's zero value means that the
// record doesn't have the tag, and a tag that isn't set isn't printed.
type DMARCRecord struct {
	Policy Disposition // p
	SP     Disposition // sp: subdomains
	NP     Disposition // np: subdomains that don't exist
	Pct    Pct
	T      Flag // y: test mode, the policy is applied one level lower
	PSD    Flag
	RUA    []string // destinations of aggregate reports, as written
	RUF    []string // destinations of failure reports, as written
	FO     []string // 0, 1, d, s
	ADKIM  Alignment
	ASPF   Alignment
	// Other holds, in order and as written, what the fields can't: unknown
	// tags, the historic rf and ri, invalid values, and repeated tags.
	Other []Tag
	// Problems are the faults that ParseDMARC found.
	Problems []TagProblem
}

// dmarcTags are the tags that a field holds.
var dmarcTags = []string{"v", "p", "sp", "np", "pct", "t", "psd", "rua", "ruf", "fo", "adkim", "aspf"}

// dmarcHistoric are the tags that RFC 9989 C.5.2 removed.
var dmarcHistoric = []string{"pct", "rf", "ri"}

// IsDMARC reports whether receivers take a TXT value for a DMARC record: it
// begins with v=DMARC1 (RFC 9989 4.10).
func IsDMARC(text string) bool { return firstTag(text, dmarcVersion) }

// ParseDMARC reads a record as receivers do (RFC 9989 4.8): only the version
// is demanded, tags may stand in any order, and what is wrong counts as absent
// and is noted in Problems. Of a repeated tag the first counts. Tag names and
// the keywords of values are read without regard to case.
func ParseDMARC(text string) (DMARCRecord, error) {
	var r DMARCRecord
	if !IsDMARC(text) {
		return r, errors.New(`it is no DMARC record: it must begin with "v=DMARC1", in this case, followed by a semicolon`)
	}
	seen := map[string]bool{"v": true}
	for i, t := range splitTags(text)[1:] {
		if strings.EqualFold(t.Name, "p") && !seen["p"] && i > 0 {
			r.note(ProblemOrder, t) // RFC 7489 6.3
		}
		r.read(t, seen)
	}
	if !seen["p"] {
		r.note(ProblemMissing, Tag{Name: "p"})
	}
	return r, nil
}

func (r *DMARCRecord) note(p Problem, t Tag) {
	r.Problems = append(r.Problems, TagProblem{p, t})
}

// keep stores a tag that no field can hold.
func (r *DMARCRecord) keep(p Problem, t Tag) {
	r.note(p, t)
	r.Other = append(r.Other, t)
}

// read takes one tag after the version.
func (r *DMARCRecord) read(t Tag, seen map[string]bool) {
	name := strings.ToLower(t.Name)
	known, historic := slices.Contains(dmarcTags, name), slices.Contains(dmarcHistoric, name)
	if known || historic {
		t.Name = name
	}
	repeated := seen[name]
	seen[name] = true
	switch {
	case name == "":
		r.keep(ProblemSyntax, t)
	case repeated:
		r.keep(ProblemDuplicate, t)
	case historic && !known:
		r.keep(ProblemHistoric, t)
	case !known:
		r.keep(ProblemUnknown, t)
	case !r.set(name, t.Value):
		r.keep(ProblemValue, t)
	case historic:
		r.note(ProblemHistoric, t)
	}
}

// set stores the value of a known tag; valid is false where it can't have it,
// and then the field stays as if the tag weren't there.
func (r *DMARCRecord) set(name, value string) (valid bool) {
	var err error
	switch name {
	case "p":
		r.Policy, err = ParseDisposition(value)
	case "sp":
		r.SP, err = ParseDisposition(value)
	case "np":
		r.NP, err = ParseDisposition(value)
	case "pct":
		r.Pct, err = parsePct(value)
	case "t":
		r.T, err = parseFlag(value, "yn")
	case "psd":
		r.PSD, err = parseFlag(value, "ynu")
	case "rua":
		r.RUA = r.readURIs(name, value)
		return len(r.RUA) > 0
	case "ruf":
		r.RUF = r.readURIs(name, value)
		return len(r.RUF) > 0
	case "fo":
		r.FO = parseFO(value)
		return len(r.FO) > 0
	case "adkim":
		r.ADKIM, err = parseAlignmentLetter(value)
	case "aspf":
		r.ASPF, err = parseAlignmentLetter(value)
	}
	return err == nil
}

// readURIs splits a list of URIs. It keeps the bad ones, which receivers skip.
func (r *DMARCRecord) readURIs(name, value string) []string {
	uris := splitList(value, ",")
	for _, uri := range uris {
		if _, err := ParseReportURI(uri); err != nil {
			r.note(ProblemValue, Tag{name, uri})
		}
	}
	return uris
}

// parseFO reads the colon-separated options of fo, nil where one is wrong.
func parseFO(value string) []string {
	options := splitList(strings.ToLower(value), ":")
	for _, o := range options {
		if len(o) != 1 || strings.IndexByte("01ds", o[0]) < 0 {
			return nil
		}
	}
	return options
}

// invalid reports whether the record has the tag sp or np with a value that
// receivers can't use.
func (r DMARCRecord) invalid(name string) bool {
	if name == "sp" && r.SP != PolicyUnset || name == "np" && r.NP != PolicyUnset {
		return false // what Other has is a repetition
	}
	return slices.ContainsFunc(r.Other, func(t Tag) bool { return t.Name == name })
}

// String prints the tags that are set, then the others. The order is the
// runbook's, with p second, as RFC 7489 6.3 demands.
func (r DMARCRecord) String() string {
	var w tagWriter
	w.add("v", dmarcVersion)
	for _, t := range r.tags() {
		w.addSet(t.Name, t.Value)
	}
	w.addTags(r.Other)
	return w.String()
}

// Value is String as the value of a TXT record.
func (r DMARCRecord) Value() Value { return Value(r.String()) }

// tags returns the fields in the order of printing, also those that are not
// set, whose value is empty.
func (r DMARCRecord) tags() []Tag {
	return []Tag{
		{"p", r.Policy.String()},
		{"sp", r.SP.String()},
		{"np", r.NP.String()},
		{"pct", r.Pct.String()},
		{"t", string(r.T)},
		{"psd", string(r.PSD)},
		{"rua", strings.Join(r.RUA, ",")},
		{"ruf", strings.Join(r.RUF, ",")},
		{"fo", strings.Join(r.FO, ":")},
		{"adkim", r.ADKIM.letter()},
		{"aspf", r.ASPF.letter()},
	}
}
