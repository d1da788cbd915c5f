package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
)

// plan writes what would change.
func (p *printer) plan(r *plan.Plan) {
	p.notes(planNotes(r, p.Notes))
	p.changes(arrange(subjects(r)))
	p.summary(r)
}

// planNotes are what a reader must know first.
func planNotes(r *plan.Plan, given []string) []string {
	var notes []string
	switch r.Journal {
	case plan.JournalUnreadable:
		notes = append(notes, "The journal can't be read: nothing counts as ours, and gates that need it hold. This plan is for information, and apply refuses it.")
	case plan.JournalRead:
	case plan.JournalAbsent:
		notes = append(notes, "There is no journal yet: nothing counts as ours. The first apply starts one, with a snapshot of what is live.")
	}
	return append(notes, given...)
}

// summary writes the closing lines of a plan.
func (p *printer) summary(r *plan.Plan) {
	for i, l := range summaryLines(r, p.Now) {
		paint := Paint("")
		if i == 0 {
			paint = p.Palette.Strong
		}
		p.sentences(paint, l)
	}
}

// summaryLines say how much a plan is, what it risks, and what comes next.
func summaryLines(r *plan.Plan, now time.Time) []string {
	s := r.Summary
	lines := []string{headline(r)}
	if s.Ready == 0 && s.Waiting+s.Held > 0 {
		lines = append(lines, "Nothing can be done now: "+strings.Join(idle(r, now), ", ")+".")
	}
	if found := foundText(s); found != "" {
		lines = append(lines, "Findings: "+found+".")
	}
	if names := stoppedNames(r); len(names) > 0 {
		lines = append(lines, "Stopped by errors, so that nothing of it is applied: "+enumerate(names, manyNames)+".")
	}
	if n := unchanged(r); n > 0 && n < len(r.Domains) {
		lines = append(lines, fmt.Sprintf("Nothing to change for %s of %s domains.", number(n), number(len(r.Domains))))
	}
	return lines
}

// headline is the one line that is read if only one is.
func headline(r *plan.Plan) string {
	s := r.Summary
	if s.Ready+s.Waiting+s.Held == 0 {
		return noChanges(r)
	}
	title := "Plan"
	if r.Kind == plan.KindRollback {
		title = "Rollback"
	}
	line := fmt.Sprintf("%s: %s to add, %s to change, %s to delete, %s TTL; %s ready, %s, %s held.",
		title, number(s.Create), number(s.Update), number(s.Delete), number(s.TTL),
		number(s.Ready), waits(s.Waiting), number(s.Held))
	if r.MaxMistake > 0 {
		line += " A mistake would live at most " + duration(r.MaxMistake) + "."
	}
	return line
}

// foundText counts errors and warnings, as far as there are any.
func foundText(s plan.Summary) string {
	var parts []string
	if s.Errors > 0 {
		parts = append(parts, count(s.Errors, "error", "errors"))
	}
	if s.Warnings > 0 {
		parts = append(parts, count(s.Warnings, "warning", "warnings"))
	}
	return strings.Join(parts, ", ")
}

// stoppedNames lists the domains that have changes and an error that stops
// them.
func stoppedNames(r *plan.Plan) []string {
	var names []string
	for i := range r.Domains {
		if d := &r.Domains[i]; len(d.Changes) > 0 && stopper(d) != "" {
			names = append(names, string(d.Name))
		}
	}
	return names
}

func noChanges(r *plan.Plan) string {
	switch {
	case len(r.Domains) == 0:
		return "No changes: no domain was looked at."
	case r.Kind == plan.KindRollback:
		return "No changes: " + named(r) + " already as it was then."
	case r.Summary.Errors > 0:
		return "No changes, but there are errors."
	default:
		return "No changes: " + named(r) + " as declared."
	}
}

// named is the subject of a sentence about all domains of a plan.
func named(r *plan.Plan) string {
	if len(r.Domains) == 1 {
		return string(r.Domains[0].Name) + " is"
	}
	return "all " + number(len(r.Domains)) + " domains are"
}

func waits(n int) string {
	if n == 1 {
		return "1 waits"
	}
	return number(n) + " wait"
}

// idle says what waits and what is held, with the first time and the gates.
func idle(r *plan.Plan, now time.Time) []string {
	var parts []string
	due, gates := outlook(r)
	if n := r.Summary.Waiting; n > 0 {
		text := waits(n)
		if due != nil {
			text += " until " + moment(*due, now)
			if n > 1 {
				text += " or later"
			}
		}
		parts = append(parts, text)
	}
	if n := r.Summary.Held; n > 0 {
		parts = append(parts, number(n)+" held by "+enumerate(gates, 6))
	}
	return parts
}

// outlook is when the first waiting change is due, and which gates hold, in
// the order of their names.
func outlook(r *plan.Plan) (due *time.Time, gates []string) {
	for _, d := range r.Domains {
		for i := range d.Changes {
			c := &d.Changes[i]
			if c.State == plan.Waiting && c.NotBefore != nil && (due == nil || c.NotBefore.Before(*due)) {
				due = c.NotBefore
			}
			if c.State == plan.Held {
				gates = append(gates, holders(c)...)
			}
		}
	}
	slices.Sort(gates)
	return due, slices.Compact(gates)
}

// unchanged counts the domains without a change.
func unchanged(r *plan.Plan) int {
	n := 0
	for _, d := range r.Domains {
		if len(d.Changes) == 0 {
			n++
		}
	}
	return n
}

// finding writes a rule's word: what is wrong, where, and how to mend it.
func (p *printer) finding(f *plan.Finding, domains int) {
	if f == nil {
		return
	}
	message, from := clean(f.Message), "("+clean(reference(f))+")"
	if domains > 1 {
		message = number(domains) + " domains: " + message
	}
	label := clean(string(f.Severity)) + ":"
	fits := 2+columns(label)+1+columns(message)+2+columns(from) <= p.Width
	if fits {
		message += "  " + from
	}
	p.para(para{indent: 2, below: 8, label: label, labelPaint: p.severityPaint(f.Severity), text: " " + message})
	if !fits {
		p.text(8, 2, p.Palette.Faint, from)
	}
	if f.Fix != "" {
		p.text(8, 2, p.Palette.Faint, "fix: "+f.Fix)
	}
}

// reference is where a finding comes from: the rule, the RFC, the place.
func reference(f *plan.Finding) string {
	parts := []string{f.Rule}
	if f.About == plan.AboutLive {
		parts = append(parts, "live")
	}
	if f.RFC != "" {
		parts = append(parts, rfc(f.RFC))
	}
	if f.Source != nil && f.Source.File != "" {
		parts = append(parts, fmt.Sprintf("%s:%d", f.Source.File, f.Source.Line))
	}
	return strings.Join(parts, ", ")
}

// rfc names a section in the usual way: "7208 4.6.4" is "RFC 7208 4.6.4".
func rfc(s string) string {
	if s != "" && s[0] >= '0' && s[0] <= '9' {
		return "RFC " + s
	}
	return s
}

// unmanaged writes what looks like mail and is left alone, as one block.
func (p *printer) unmanaged(list []plan.Unmanaged, s *subject) {
	if len(list) == 0 {
		return
	}
	p.text(2, 2, "", "not managed, left alone:")
	for _, u := range list {
		name := clean(u.Name.Relative(s.name) + " " + string(u.Type))
		short := texts(u.Values)
		for i := range short {
			short[i] = elide(short[i], max(p.Width/2, 24), 0)
		}
		line := name + "  " + strings.Join(short, ", ")
		if u.Why != "" {
			line += "  (" + clean(u.Why) + ")"
		}
		p.para(para{indent: 8, below: 10, text: line, paint: p.Palette.Faint})
	}
}
