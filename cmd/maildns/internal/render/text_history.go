package render

import (
	"fmt"
)

// history writes journal entries, newest first.
func (p *printer) history(r *History) {
	p.notes(p.Notes)
	for _, d := range r.Damage {
		p.para(para{below: 4, label: "damaged:", labelPaint: p.Palette.Error, text: " " + d})
	}
	if len(r.Damage) > 0 {
		p.text(0, 2, "", "Of the entries below, what is shown is intact.")
		p.line("")
	}
	if len(r.Entries) == 0 {
		p.line("No entries.")
	}
	for i := range r.Entries {
		if i > 0 {
			p.line("")
		}
		p.entry(&r.Entries[i])
	}
}

func (p *printer) entry(e *Entry) {
	names := make([]string, len(e.Domains))
	for i, d := range e.Domains {
		names[i] = string(d)
	}
	rehearsal := ""
	if e.Rehearsal {
		rehearsal = "rehearsal under a fixed clock"
	}
	p.para(para{below: 4, label: e.ID, labelPaint: p.Palette.Strong, text: "  " + join([]string{
		past(e.Time), by(e.Command, e.Actor), outcomeText(e.Outcome), verifiedText(e.Verified), rehearsal,
	})})
	var about []string
	if len(e.Domains) != 1 || e.Domains[0] != e.Zone {
		about = append(about, enumerate(names, 4))
	}
	if e.Run != "" {
		about = append(about, "run "+e.Run)
	}
	if e.Commit != "" {
		about = append(about, "commit "+e.Commit)
	}
	if line := join(about); line != "" {
		p.text(4, 2, p.Palette.Faint, line)
	}
	p.entryChanges(e)
	for _, o := range e.Overrides {
		p.text(4, 4, p.Palette.Held, fmt.Sprintf("override %s of %s: %s", o.Gate, o.Domain, o.Reason))
	}
}

func (p *printer) entryChanges(e *Entry) {
	domain := e.Zone
	if len(e.Domains) == 1 {
		domain = e.Domains[0]
	}
	items := make([]item, len(e.Changes))
	for i := range e.Changes {
		items[i].Change = &e.Changes[i]
	}
	apexFirst(items, domain)
	rows := make([]row, len(items))
	for j := range items {
		rows[j] = row{
			action: items[j].Action, name: clean(recordName(domain, items[j].Change)),
			meaning: sentences(meaning(items, j)),
		}
	}
	g := p.layout([][]row{rows})
	for _, r := range rows {
		p.row(g, r)
	}
}
