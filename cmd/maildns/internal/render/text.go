package render

import (
	"bufio"
	"io"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
)

// defaultWidth is for logs and files: the rows of a usual plan fit in unbroken,
// so that they can be searched.
const defaultWidth = 120

// writeText is the text format.
func writeText(w io.Writer, report any, o Options) error {
	p := newPrinter(w, o)
	switch r := report.(type) {
	case *plan.Plan:
		p.plan(r)
	case *Rollback:
		p.rollback(r)
	case *ByHand:
		p.byHand(r)
	case *Points:
		p.points(r)
	case *Result:
		p.result(r)
	case *History:
		p.history(r)
	case *Validation:
		p.validation(r)
	case *SPFCheck:
		p.spfCheck(r)
	case *SPFTree:
		p.spfTree(r)
	case *ProviderCheck:
		p.providerCheck(r)
	default:
		return UnknownReportError{report}
	}
	return p.w.Flush()
}

// printer writes text for a terminal. The first write error sticks to w, and
// Flush returns it.
type printer struct {
	Options
	w *bufio.Writer
}

func newPrinter(w io.Writer, o Options) *printer {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	o.Width = max(o.Width, 40)
	return &printer{Options: o, w: bufio.NewWriter(w)}
}

// line writes one line as it is; s must be safe.
func (p *printer) line(s string) {
	_, _ = p.w.WriteString(s)
	_ = p.w.WriteByte('\n')
}

// text wraps s after indent spaces, and its further lines after hang more.
func (p *printer) text(indent, hang int, paint Paint, s string) {
	p.para(para{indent: indent, below: indent + hang, paint: paint, text: s})
}

// sentences writes a line whole if it fits, since scripts look for it, and
// otherwise one sentence a line.
func (p *printer) sentences(paint Paint, s string) {
	if columns(clean(s)) <= p.Width {
		p.text(0, 0, paint, s)
		return
	}
	for len(s) > 0 {
		first, rest, found := strings.Cut(s, ". ")
		if found {
			first += "."
		}
		p.text(0, 2, paint, first)
		s = rest
	}
}

// para is a paragraph: an indent, a label in its own paint, and a text whose
// further lines begin at column below. Both are made safe when written.
type para struct {
	indent, below int
	label         string
	labelPaint    Paint
	text          string
	paint         Paint
}

func (p *printer) para(t para) {
	t.label, t.text = clean(t.label), clean(t.text)
	lead := strings.Repeat(" ", t.indent) + t.labelPaint.On(t.label)
	// The label takes room from the first line alone.
	taken := max(t.indent+columns(t.label)-t.below, 0)
	for i, l := range wrap(strings.Repeat("x", taken)+t.text, max(p.Width-t.below, 20)) {
		if i == 0 {
			l = l[min(taken, len(l)):]
		} else {
			lead = strings.Repeat(" ", t.below)
		}
		p.line(lead + t.paint.On(l))
	}
}

// notes writes what stands before a report.
func (p *printer) notes(notes []string) {
	for _, n := range notes {
		p.text(0, 2, p.Palette.Faint, n)
	}
	if len(notes) > 0 {
		p.line("")
	}
}

// row is one change as a line of three columns with further lines below.
type row struct {
	action  plan.Action
	name    string
	meaning []string
	state   string
	paint   Paint
	below   []formed
}

// formed are the lines of one shape of a shared change's details; whose is
// empty where there is but one shape.
type formed struct {
	whose   string
	details []detail
}

// rows makes the lines of a block's changes.
func (p *printer) rows(b *block) []row {
	var out []row
	for _, part := range b.parts {
		for j, it := range part.items {
			out = append(out, row{
				action:  it.Action,
				name:    clean(recordName(b.subjects[0].name, it.Change)),
				meaning: sentences(meaning(part.items, j)),
				state:   clean(state(it, p.Now)),
				paint:   p.statePaint(it),
				below:   slices.Concat(shapes(part, part.forms[j].reasons, b), shapes(part, part.forms[j].values, b)),
			})
		}
	}
	if n := len(b.subjects); n > 1 {
		for i := range out {
			out[i].meaning[0] = number(n) + " domains: " + out[i].meaning[0]
		}
	}
	return out
}

// sentences are a change's meanings, each a line of its own; one in brackets
// belongs to the one before.
func sentences(meanings []string) []string {
	var out []string
	for _, m := range meanings {
		m = clean(m)
		if strings.HasPrefix(m, "(") && len(out) > 0 {
			out[len(out)-1] += "  " + m
			continue
		}
		out = append(out, m)
	}
	return out
}

// shapes are the details of a part's change: for a shared change with several
// shapes, each with the domains that it belongs to.
func shapes(g *part, forms []form, b *block) []formed {
	if len(forms) == 1 {
		return []formed{{details: forms[0].details}}
	}
	name := func(f form) string {
		return string(b.subjects[indexOf(g.members, f.example)].name)
	}
	if len(forms) > manyForms {
		return []formed{{"as in " + name(forms[0]) + ", while others differ (--domain NAME shows one domain alone):", forms[0].details}}
	}
	out := make([]formed, len(forms))
	for i, f := range forms {
		whose := name(f)
		if f.count > 1 {
			whose += " and " + number(f.count-1) + " more"
		}
		out[i] = formed{whose + ":", f.details}
	}
	return out
}

func indexOf(sorted []int, n int) int {
	for i, m := range sorted {
		if m == n {
			return i
		}
	}
	return 0
}

func (p *printer) statePaint(it item) Paint {
	switch {
	case it.done == failed || it.stop != "":
		return p.Palette.Failed
	case it.done == applied || it.State == plan.Ready:
		return p.Palette.Ready
	case it.State == plan.Waiting:
		return p.Palette.Waiting
	default:
		return p.Palette.Held
	}
}

// sign is the sign of an action.
func sign(a plan.Action) string {
	switch a {
	case plan.ActionCreate:
		return "+"
	case plan.ActionDelete:
		return "-"
	default:
		return "~"
	}
}

func (p *printer) signPaint(a plan.Action) Paint {
	switch a {
	case plan.ActionCreate:
		return p.Palette.Create
	case plan.ActionDelete:
		return p.Palette.Delete
	default:
		return p.Palette.Update
	}
}

func (p *printer) severityPaint(s plan.Severity) Paint {
	switch s {
	case plan.SeverityError:
		return p.Palette.Error
	case plan.SeverityWarning:
		return p.Palette.Warning
	default:
		return p.Palette.Info
	}
}

// grid is the layout of rows: the widths of the three columns. Where the
// meaning would get too little room, the state stands below it.
type grid struct {
	name, meaning, state int
	stacked              bool
}

const (
	margin     = 4 // "  ~ "
	gap        = 2
	minMeaning = 30
)

// layout fits the columns of all rows of a report into the width.
func (p *printer) layout(rows [][]row) grid {
	var g grid
	for _, block := range rows {
		for _, r := range block {
			g.name = max(g.name, columns(r.name))
			g.state = max(g.state, columns(r.state))
			for _, m := range r.meaning {
				g.meaning = max(g.meaning, columns(m))
			}
		}
	}
	g.name = min(g.name, max(p.Width/4, 18))
	g.state = min(g.state, 36)
	room := p.Width - margin - g.name - gap
	if room-gap-g.state < minMeaning {
		g.stacked = true
		g.meaning = min(g.meaning, room)
		return g
	}
	g.meaning = min(g.meaning, room-gap-g.state)
	return g
}

// row writes one change.
func (p *printer) row(g grid, r row) {
	lead := "  " + p.signPaint(r.action).On(sign(r.action)) + " "
	name := []string{r.name}
	if columns(r.name) > g.name {
		// A long name gets lines of its own rather than being cut.
		for _, l := range wrap(r.name, p.Width-margin) {
			p.line(lead + l)
			lead = strings.Repeat(" ", margin)
		}
		name = nil
	}
	text, states := p.cells(g, r)
	for i := range max(len(name), len(text), len(states)) {
		l := lead + pad(at(name, i), g.name+gap)
		if s := at(states, i); s != "" {
			p.line(l + pad(at(text, i), g.meaning+gap) + s)
		} else {
			p.line(strings.TrimRight(l+at(text, i), " "))
		}
		lead = strings.Repeat(" ", margin)
	}
	for _, f := range r.below {
		p.formed(f)
	}
}

// cells are the lines of a row's meaning and state, the state painted.
func (p *printer) cells(g grid, r row) (text, states []string) {
	for _, m := range r.meaning {
		text = append(text, hang(m, max(g.meaning, 20))...)
	}
	room := max(g.state, 8)
	if g.stacked {
		room = max(g.meaning, minMeaning)
	}
	for _, l := range wrap(r.state, room) {
		if l != "" {
			states = append(states, r.paint.On(l))
		}
	}
	if g.stacked {
		return append(text, states...), nil
	}
	return text, states
}

// hang wraps s with its further lines indented.
func hang(s string, room int) []string {
	if columns(s) <= room {
		return []string{s}
	}
	lines := wrap(s, room-2)
	for i := range lines[1:] {
		lines[i+1] = "  " + lines[i+1]
	}
	return lines
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

func pad(s string, to int) string {
	return s + strings.Repeat(" ", max(to-columns(s), 0))
}

// formed writes the lines below a change.
func (p *printer) formed(f formed) {
	lines := slices.DeleteFunc(slices.Clone(f.details), func(d detail) bool { return d.quiet })
	indent := 8
	if f.whose != "" && len(lines) > 0 {
		p.text(indent, 2, p.Palette.Faint, f.whose)
		indent += 2
	}
	for _, d := range lines {
		p.detail(indent, d)
	}
}

func (p *printer) detail(indent int, d detail) {
	switch d.kind {
	case needs:
		p.text(indent, 2, p.Palette.Faint, "needs: "+d.text)
	case trouble:
		p.text(indent, 2, p.Palette.Failed, "error: "+d.text)
	case removed:
		p.value(indent, p.Palette.Delete.On("-"), d)
	case added:
		p.value(indent, p.Palette.Create.On("+"), d)
	default:
		p.text(indent, 2, p.Palette.Faint, d.text)
	}
}

// valueLines is how many lines a value may take before its middle is left out.
const valueLines = 4

// value writes a value behind its sign.
func (p *printer) value(indent int, sign string, d detail) {
	room := max(p.Width-indent-2, 20)
	s := d.text
	if d.key {
		s = elide(s, room, d.focus)
	} else if columns(s) > room*valueLines {
		s = elide(s, room*2, d.focus)
	}
	for i, l := range wrap(s, room) {
		if i > 0 {
			sign = " "
		}
		p.line(strings.Repeat(" ", indent) + sign + " " + l)
	}
}

// changes writes blocks of domains with their changes, findings and unmanaged
// records.
func (p *printer) changes(blocks []block) {
	rows := make([][]row, len(blocks))
	for i := range blocks {
		rows[i] = p.rows(&blocks[i])
	}
	g := p.layout(rows)
	for i := range blocks {
		if i > 0 {
			p.line("")
		}
		p.heading(&blocks[i])
		for _, r := range rows[i] {
			p.row(g, r)
		}
		for _, part := range blocks[i].parts {
			p.finding(part.finding, len(part.members))
			p.unmanaged(part.unmanaged, blocks[i].subjects[0])
		}
	}
}

// manyNames is how many domains a heading names before it counts them.
const manyNames = 10

// heading writes who a block is about.
func (p *printer) heading(b *block) {
	s := b.subjects[0]
	name := clean(blockName(b, manyNames))
	tail := ""
	if s.host != "" {
		tail += "  (" + clean(s.host) + ")"
	}
	if note := sharedNote(b); note != "" {
		tail += "  " + clean(note)
	}
	if columns(name+tail) <= p.Width {
		p.line(p.Palette.Strong.On(name) + tail)
		return
	}
	p.text(0, 2, p.Palette.Strong, name)
	if tail != "" {
		p.text(2, 2, "", strings.TrimSpace(tail))
	}
}

// blockName names the domains of a block; of more than most it names three.
func blockName(b *block, most int) string {
	names := make([]string, 0, most+1)
	for _, s := range b.subjects {
		if len(names) > most {
			break
		}
		names = append(names, string(s.name))
	}
	if len(names) <= most {
		return enumerate(names, most)
	}
	return strings.Join(names[:3], ", ") + " and " + number(len(b.subjects)-3) + " more"
}

// sharedNote is the note that all subjects of a block have.
func sharedNote(b *block) string {
	note := b.subjects[0].note
	for _, s := range b.subjects {
		if s.note != note {
			return ""
		}
	}
	return note
}
