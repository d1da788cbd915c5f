package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
)

// Progress is one line about a domain that an apply or a rollback has just
// finished, the n-th of total.
func Progress(d ResultDomain, n, total int, o Options) string {
	line := fmt.Sprintf("[%s/%s] %s: %s", number(n), number(total), d.Name, outcomeOf(d, o.Now))
	if d.Error != "" {
		line += ": " + d.Error
	}
	return clean(line)
}

// outcomeOf says in a few words how the work on a domain ended.
func outcomeOf(d ResultDomain, now time.Time) string {
	var parts []string
	if d.Outcome != "" && d.Outcome != OutcomeDone {
		parts = append(parts, string(d.Outcome))
	}
	if n := len(d.Applied); n > 0 {
		parts = append(parts, number(n)+" applied")
	}
	if n := len(d.Waiting); n > 0 {
		text := waits(n)
		if due := firstDue(d.Waiting); due != nil {
			text += " until " + moment(*due, now)
		}
		parts = append(parts, text)
	}
	if n := len(d.Held); n > 0 {
		parts = append(parts, number(n)+" held")
	}
	if n := len(d.Failed); n > 0 {
		parts = append(parts, number(n)+" failed")
	}
	if len(parts) == 0 {
		return idleDomain(d)
	}
	return strings.Join(parts, ", ")
}

// idleDomain is for a domain that nothing was done to.
func idleDomain(d ResultDomain) string {
	if d.Entry != "" {
		return "nothing to write, recorded as it is"
	}
	return "nothing to do"
}

func firstDue(changes []plan.Change) *time.Time {
	var due *time.Time
	for i := range changes {
		if t := changes[i].NotBefore; t != nil && (due == nil || t.Before(*due)) {
			due = t
		}
	}
	return due
}

// result writes what an apply or a rollback did, what comes next, and the way
// back.
func (p *printer) result(r *Result) {
	p.notes(p.Notes)
	p.changes(arrange(resultSubjects(r)))
	p.stopped(r)
	for _, l := range resultLines(r, p.Now) {
		p.sentences(p.Palette.Strong, l)
	}
	p.aftermath(r.Aftermath)
	for _, l := range waysBack(r) {
		p.line(clean(l)) // a command to copy is never wrapped
	}
}

// resultSubjects lists the domains of a result to which anything happened.
func resultSubjects(r *Result) []subject {
	var out []subject
	for i := range r.Domains {
		d := &r.Domains[i]
		s := subject{name: d.Name, items: resultItems(d)}
		apexFirst(s.items, d.Name)
		if d.Entry != "" {
			s.note = "(entry " + d.Entry + ")"
		}
		if len(s.items) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// resultItems are a domain's changes in the order of a plan.
func resultItems(d *ResultDomain) []item {
	var out []item
	for i := range d.Applied {
		out = append(out, item{Change: &d.Applied[i], done: applied})
	}
	for _, list := range [][]plan.Change{d.Waiting, d.Held} {
		for i := range list {
			out = append(out, item{Change: &list[i]})
		}
	}
	for i := range d.Failed {
		out = append(out, item{Change: &d.Failed[i].Change, done: failed, err: d.Failed[i].Error})
	}
	slices.SortStableFunc(out, func(a, b item) int {
		return cmp.Or(a.Key().Compare(b.Key()), cmp.Compare(stepOrder[a.Step], stepOrder[b.Step]))
	})
	return out
}

var stepOrder = map[plan.Step]int{plan.StepLowerTTL: 0, plan.StepChange: 1, plan.StepRestoreTTL: 2}

// stopped names the domains that were refused or failed as a whole, and those
// that nothing was done to.
func (p *printer) stopped(r *Result) {
	idle := map[string][]string{}
	for _, d := range r.Domains {
		switch {
		case d.Error != "" || d.Outcome != "" && d.Outcome != OutcomeDone:
			p.para(para{
				below: 4, label: string(d.Name) + "  " + string(cmp.Or(d.Outcome, OutcomeFailed)), labelPaint: p.Palette.Failed,
				text: strings.TrimSuffix(": "+d.Error, ": "),
			})
		case len(d.Applied)+len(d.Waiting)+len(d.Held)+len(d.Failed) == 0:
			what := idleDomain(d)
			idle[what] = append(idle[what], string(d.Name))
		}
	}
	for _, what := range []string{idleDomain(ResultDomain{Entry: "e"}), idleDomain(ResultDomain{})} {
		if names := idle[what]; len(names) > 0 {
			p.text(0, 4, "", enumerate(names, manyNames)+": "+what)
		}
	}
}

// resultLines say what was done and when to run again.
func resultLines(r *Result, now time.Time) []string {
	var done, wait, held, broken int
	var due *time.Time
	for _, d := range r.Domains {
		done, wait, held, broken = done+len(d.Applied), wait+len(d.Waiting), held+len(d.Held), broken+len(d.Failed)
		if t := firstDue(d.Waiting); t != nil && (due == nil || t.Before(*due)) {
			due = t
		}
	}
	lines := []string{fmt.Sprintf("Applied: %s; %s, %s held, %s failed.", number(done), waits(wait), number(held), number(broken))}
	if r.Aftermath != nil {
		lines[0] = fmt.Sprintf("Restored: %s, %s failed.", count(done, "record set", "record sets"), number(broken))
	}
	if due != nil {
		lines = append(lines, "Run apply again at "+moment(*due, now)+" or later: it does what is due then.")
	}
	switch ended := func(o Outcome) bool {
		return slices.ContainsFunc(r.Domains, func(d ResultDomain) bool { return d.Outcome == o })
	}; {
	case ended(OutcomeInterrupted):
		lines = append(lines, "It ended part way: the journal says where, and running it again goes on from there.")
	case ended(OutcomeFailed) && broken > 0:
		lines = append(lines, "Nothing was changed where it failed.")
	}
	return lines
}

// manyWays is how many commands for the way back are printed at most.
const manyWays = 5

// waysBack are the commands that undo the run, domain by domain.
func waysBack(r *Result) []string {
	var lines []string
	for _, d := range r.Domains {
		if d.Back != "" && len(d.Applied) > 0 {
			lines = append(lines, "Way back: "+rollbackCommand(d.Back, string(d.Name), r.Journal))
		}
	}
	if len(lines) <= manyWays {
		return lines
	}
	all := "for all of them, until the next apply: " + rollbackCommand("last", "", r.Journal)
	if !r.Began.IsZero() {
		// Of a rollback too, which last doesn't count.
		all = "for all of them: " + rollbackCommand(r.Began.Add(-time.Second).Format(time.RFC3339), "", r.Journal)
	}
	return append(lines[:1:1], fmt.Sprintf("… and so on for %s more; %s", number(len(lines)-1), all))
}

// rollbackCommand is the command line of a rollback, to be copied.
func rollbackCommand(ref, domain, journal string) string {
	cmd := "maildns rollback --to " + shellQuote(ref)
	if domain != "" {
		cmd += " --domain " + shellQuote(domain)
	}
	if journal != "" {
		cmd += " --journal " + shellQuote(journal)
	}
	return cmd
}
