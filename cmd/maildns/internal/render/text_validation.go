package render

import (
	"fmt"
	"strings"

	"github.com/attunelogic/maildns/plan"
)

// validation writes what is wrong with a configuration.
func (p *printer) validation(r *Validation) {
	p.notes(p.Notes)
	counts := map[plan.Severity]int{}
	for i := range r.Diagnostics {
		counts[r.Diagnostics[i].Severity]++
		p.diagnostic(&r.Diagnostics[i])
		p.line("")
	}
	errors := count(counts[plan.SeverityError], "error", "errors")
	warnings := count(counts[plan.SeverityWarning], "warning", "warnings")
	switch {
	case !r.Valid:
		p.line(p.Palette.Error.On("The configuration is not valid:") + " " + errors + ", " + warnings + ".")
	case counts[plan.SeverityWarning] > 0:
		p.line(p.Palette.Ready.On("The configuration is valid,") + " with " + warnings + ".")
	default:
		p.line(p.Palette.Ready.On("The configuration is valid."))
	}
}

func (p *printer) diagnostic(d *Diagnostic) {
	text := " " + d.Summary
	if d.Rule != "" {
		text += "  (" + d.Rule + ")"
	}
	p.para(para{below: 2, label: string(d.Severity) + ":", labelPaint: p.severityPaint(d.Severity), text: text})
	if s := d.Source; s != nil && s.File != "" {
		p.text(2, 2, p.Palette.Faint, fmt.Sprintf("%s:%d,%d", s.File, s.Line, s.Column))
		p.snippet(d)
	}
	if d.Detail != "" {
		p.text(2, 0, "", d.Detail)
	}
}

// snippet shows the line that a diagnostic is about, and marks the place where
// the characters before it take the room that they seem to.
func (p *printer) snippet(d *Diagnostic) {
	if d.Snippet == "" {
		return
	}
	number := fmt.Sprintf("%5d | ", d.Source.Line)
	room := max(p.Width-len(number), 20)
	line := clean(d.Snippet)
	shown := line
	if columns(line) > room {
		shown = wrap(line, room-1)[0] + "…"
	}
	p.line(number + shown)
	from, to := d.Source.Column-1, len(d.Snippet)
	if d.Source.EndLine == d.Source.Line {
		to = min(d.Source.EndColumn-1, to)
	}
	if line == d.Snippet && isPlain(line) && from >= 0 && from < to && to <= columns(shown) {
		p.line(strings.Repeat(" ", len(number)+from) + p.severityPaint(d.Severity).On(strings.Repeat("^", to-from)))
	}
}
