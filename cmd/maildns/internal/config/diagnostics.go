package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/attunelogic/maildns/records"
)

// Severity says whether a diagnostic stops the run.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Rules that this package enforces while it reads, for a diagnostic's Rule. They
// are ids of the catalogue of rules.
const (
	RuleSecretLiteral = "secret-literal"
	RuleNotUsedYet    = "not-used-yet"
	RuleTTLMax        = "dns-ttl-max"
)

// Rules of the catalogue that are about one value as it is written.
const (
	ruleAddressMX    = "mx-ip"
	ruleNullMX       = "mx-null-mixed"
	ruleSPFSyntax    = "spf-syntax"
	ruleDKIMKey      = "dkim-not-a-key"
	ruleDKIMPrivate  = "dkim-private-key"
	ruleDKIMBase64   = "dkim-base64"
	ruleDKIMNoP      = "dkim-no-p"
	ruleDKIMSyntax   = "dkim-syntax"
	ruleDKIMShape    = "dkim-shape"
	ruleDKIMWildcard = "dkim-wildcard"
	ruleDKIMMultiple = "dkim-multiple-txt"
	ruleReportURI    = "dmarc-rua-uri"
	ruleTLSURI       = "tls-rpt-uri"
	ruleSTSRecord    = "mta-sts-txt"
	ruleSTSBody      = "mta-sts-body"
	ruleMaxAge       = "mta-sts-max-age"
	ruleBIMI         = "bimi-syntax"
	ruleDKIMReuse    = "dkim-reuse"
	ruleDoubled      = "dns-doubled"
	ruleLength       = "dns-length"
	ruleCNAME        = "dns-cname-coexist"
)

// Diagnostic is one thing wrong with a configuration: what, where, and how to
// mend it.
type Diagnostic struct {
	Severity Severity
	Summary  string
	Detail   string
	Rule     string // the id of a rule of the catalogue, if it is one
	Source   *Span
	// In names the block that it is about, such as `domain "a.example"`,
	// and the instance of a for_each block.
	In string
}

// Span is a stretch of a configuration file. Lines and columns count from 1,
// columns in characters; the end is exclusive.
type Span struct {
	File      string
	Line      int
	Column    int
	EndLine   int
	EndColumn int
}

func (d Diagnostic) Error() string {
	text := d.Summary
	if d.Detail != "" {
		text += ": " + d.Detail
	}
	if d.Source == nil {
		return text
	}
	return fmt.Sprintf("%s:%d,%d: %s", d.Source.File, d.Source.Line, d.Source.Column, text)
}

// Diagnostics are all that a run found, ordered by place.
type Diagnostics []Diagnostic

// HasErrors reports whether any of them is an error.
func (d Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(d, func(d Diagnostic) bool { return d.Severity == Error })
}

func (d Diagnostics) Error() string {
	lines := make([]string, len(d))
	for i, one := range d {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

func span(r hcl.Range) *Span {
	if r.Filename == "" {
		return nil
	}
	return &Span{File: r.Filename, Line: r.Start.Line, Column: r.Start.Column, EndLine: r.End.Line, EndColumn: r.End.Column}
}

// source is the place of a range as the core knows it.
func source(r hcl.Range) records.Source {
	return records.Source{File: r.Filename, Line: r.Start.Line, Column: r.Start.Column}
}

// place names a position in a sentence.
func place(s records.Source) string { return fmt.Sprintf("%s:%d", s.File, s.Line) }

// point is the span of a place whose end is not known.
func point(s records.Source) *Span {
	return &Span{File: s.File, Line: s.Line, Column: s.Column, EndLine: s.Line, EndColumn: s.Column}
}

// fromHCL takes over what the library found. Its expressions are dropped: they
// would keep whole files in memory.
func fromHCL(in string, diags hcl.Diagnostics) Diagnostics {
	if len(diags) == 0 {
		return nil
	}
	out := make(Diagnostics, 0, len(diags))
	for _, d := range diags {
		one := Diagnostic{Severity: Error, Summary: d.Summary, Detail: d.Detail, In: in}
		if d.Severity == hcl.DiagWarning {
			one.Severity = Warning
		}
		if d.Subject != nil {
			one.Source = span(*d.Subject)
		}
		one.trim()
		out = append(out, one)
	}
	return out
}

// trim cuts short what would repeat a long text of the configuration.
func (d *Diagnostic) trim() {
	d.Summary, d.Detail, d.In = cutText(d.Summary, maxWords), cutText(d.Detail, maxWords), cutText(d.In, maxWords/10)
}

// cutText cuts a text at a character.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}

// Settle brings diagnostics into the order in which they are shown, drops
// duplicates, and leaves out what would only repeat itself: an error in a
// for_each block is found again for each of its domains.
func (d Diagnostics) Settle() Diagnostics {
	if len(d) == 0 {
		return nil
	}
	slices.SortStableFunc(d, compareDiagnostics)
	d = slices.CompactFunc(d, func(a, b Diagnostic) bool { return compareDiagnostics(a, b) == 0 })
	out, left := d[:0], Diagnostics(nil)
	for i := 0; i < len(d); {
		n := i + 1
		for n < len(d) && samePlace(d[i], d[n]) {
			n++
		}
		shown := min(n-i, maxRepeats, max(maxFindings-len(out), 0))
		if n-i > shown && shown > 0 {
			d[i+shown-1].Detail += fmt.Sprintf(" The same was found %d more times here.", n-i-shown)
		}
		if shown == 0 {
			left = append(left, d[i:n]...)
		}
		out = append(out, d[i:i+shown]...)
		i = n
	}
	if len(left) > 0 {
		out = append(out, left.more())
	}
	return out
}

// more says how many are not shown.
func (d Diagnostics) more() Diagnostic {
	out := Diagnostic{Severity: Warning, Summary: "Too many warnings", Detail: fmt.Sprintf("%d more are not shown.", len(d))}
	if d.HasErrors() {
		out.Severity, out.Summary = Error, "Too many errors"
		out.Detail += " Mend these first."
	}
	return out
}

func samePlace(a, b Diagnostic) bool {
	return a.Summary == b.Summary && a.Rule == b.Rule && comparePlace(a, b) == 0
}

func comparePlace(a, b Diagnostic) int {
	x, y := Span{}, Span{}
	if a.Source != nil {
		x = *a.Source
	}
	if b.Source != nil {
		y = *b.Source
	}
	return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
}

func compareDiagnostics(a, b Diagnostic) int {
	return cmp.Or(comparePlace(a, b), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Summary, b.Summary), cmp.Compare(a.In, b.In), cmp.Compare(a.Detail, b.Detail))
}
