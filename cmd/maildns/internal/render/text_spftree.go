package render

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/attunelogic/maildns/records/spf"
)

// spfTree writes a record with what it leads to, and what each part costs.
func (p *printer) spfTree(r *SPFTree) {
	p.notes(p.Notes)
	name := clean(r.Domain)
	if name == "" {
		name = "the record"
	}
	n := &r.Tree
	verdict, paint := limits(r.Lookups, r.VoidLookups), p.Palette.Ready
	if n.Problem != "" {
		verdict = faults[n.Problem]
	}
	if n.Problem != "" || r.Lookups > spf.MaxLookups || r.VoidLookups > spf.MaxVoidLookups {
		paint = p.Palette.Failed
	}
	p.para(para{below: 2, label: name + ":", labelPaint: p.Palette.Strong, text: " " + verdict, paint: paint})
	if n.Record != "" {
		p.text(2, 2, p.Palette.Faint, elide(value(n.Record), (p.Width-2)*valueLines, 0))
	}
	if len(n.Terms) > 0 {
		p.line("")
		p.drawn(draw(n, name))
	}
	if len(r.Findings) > 0 {
		p.line("")
	}
	for _, f := range bySeverity(r.Findings) {
		p.finding(&f, 1)
	}
}

// drawing is a tree as lines, which are in the order of evaluation.
type drawing struct {
	lines []drawnLine
	// lookups and voids are those of a receiver for whom nothing matched so
	// far, stopped whether they are beyond a limit.
	lookups, voids int
	stopped        bool
}

// drawnLine is one line: the cells before the tree, the branches that lead to
// the label, also on further lines, and what is to be said of it.
type drawnLine struct {
	lookups, void, ipv4, ipv6 string
	art, below                string
	label                     string
	notes                     []note
}

// note is something about a term; the worst decides how they look.
type note struct {
	text string
	rank rank
}

type rank int

const (
	aside rank = iota
	doubt
	fault
)

// Trees are drawn as far as people look. What is deeper no receiver reaches,
// since each level costs a lookup.
const (
	maxDrawnDepth = spf.MaxLookups + 2
	maxDrawnTerms = 60
)

func draw(root *SPFNode, name string) []drawnLine {
	d := &drawing{}
	d.lines = append(d.lines, drawnLine{
		lookups: number(root.Lookups), void: unlessNone(root.VoidLookups),
		ipv4: four(root.Addresses), ipv6: six(root.Addresses), below: "│  ", label: name,
	})
	d.node(root.Terms, "", 0)
	return d.lines
}

// node draws the terms of a record behind the given branches.
func (d *drawing) node(terms []SPFTerm, art string, depth int) {
	groups := grouped(terms)
	for i, g := range groups {
		fork, next := "├─ ", "│  "
		if i == len(groups)-1 || depth == maxDrawnDepth || i == maxDrawnTerms {
			fork, next = "└─ ", "   "
		}
		if depth == maxDrawnDepth || i == maxDrawnTerms {
			d.rest(groups[i:], art+fork)
			return
		}
		l := d.term(g)
		l.art, l.below = art+fork, art+next
		inner := telling(g[0])
		if len(inner) > 0 {
			l.below += "│  "
		} else {
			l.below += "   "
		}
		d.lines = append(d.lines, l)
		d.node(inner, art+next, depth+1)
	}
}

// telling are the terms of the record that a term leads to. Of an include only
// what passes counts, so that its final all says nothing.
func telling(t SPFTerm) []SPFTerm {
	if t.Node == nil {
		return nil
	}
	terms := t.Node.Terms
	if n := len(terms); n > 0 && t.Kind == spf.Include.String() && isAll(terms[n-1]) && terms[n-1].Term != "all" {
		return terms[:n-1]
	}
	return terms
}

func isAll(t SPFTerm) bool { return t.Kind == spf.All.String() }

// rest sums up what isn't drawn.
func (d *drawing) rest(groups [][]SPFTerm, art string) {
	terms, lookups := 0, 0
	for _, g := range groups {
		terms += len(g)
		for _, t := range g {
			lookups += t.Lookups
		}
	}
	d.lookups += lookups
	d.lines = append(d.lines, drawnLine{
		lookups: number(lookups), art: art, below: art,
		label: "… " + count(terms, "more term", "more terms"),
	})
}

// grouped puts rows of networks with the same qualifier together.
func grouped(terms []SPFTerm) [][]SPFTerm {
	var out [][]SPFTerm
	for len(terms) > 0 {
		n := 0
		for n < len(terms) && isNetwork(terms[n]) && terms[n].Term[0] == terms[0].Term[0] {
			n++
		}
		if n < manyNetworks {
			n = 1
		}
		out = append(out, terms[:n])
		terms = terms[n:]
	}
	return out
}

func isNetwork(t SPFTerm) bool { return t.Kind == spf.IP4.String() || t.Kind == spf.IP6.String() }

// term makes the line of a term, or of a row of networks.
func (d *drawing) term(group []SPFTerm) drawnLine {
	t := group[0]
	l := drawnLine{label: clean(t.Term + asked(t.Term, t.Target))}
	set := t.Addresses.AddressSet
	for _, other := range group[1:] {
		set = set.Union(other.Addresses.AddressSet)
	}
	if len(group) > 1 {
		l.label += " and " + number(len(group)-1) + " more networks"
	}
	if !isAll(t) || t.Term == "all" {
		l.ipv4, l.ipv6 = four(Addresses{set}), six(Addresses{set})
	}
	l.lookups, l.void = unlessNone(t.Lookups), unlessNone(t.VoidLookups)
	l.notes = append(termNotes(&t), d.count(&t)...)
	return l
}

// count counts a term as a receiver does, and notes where a limit is passed.
// What its record costs is counted below.
func (d *drawing) count(t *SPFTerm) []note {
	within := t.Repeated && d.lookups < spf.MaxLookups
	d.lookups, d.voids = d.lookups+t.Lookups, d.voids+t.VoidLookups
	if t.Node != nil {
		d.lookups, d.voids = d.lookups-t.Node.Lookups, d.voids-t.Node.VoidLookups
	}
	var text string
	switch {
	case d.stopped:
		return nil
	case d.voids > spf.MaxVoidLookups:
		text = fmt.Sprintf("void lookup %d: receivers stop here", spf.MaxVoidLookups+1)
	case d.lookups > spf.MaxLookups && within:
		text = "receivers stop within this"
	case d.lookups > spf.MaxLookups:
		text = fmt.Sprintf("lookup %d: receivers stop here", spf.MaxLookups+1)
	default:
		return nil
	}
	d.stopped = true
	return []note{{text, fault}}
}

// faults are problems in a few words; the findings say more.
var faults = map[spf.Problem]string{
	spf.NoRecord:       "no SPF record",
	spf.SeveralRecords: "several SPF records",
	spf.Syntax:         "a broken record",
	spf.Unanswered:     "no answer",
	spf.Loop:           "a loop",
	spf.TooManyHosts:   "too many mail hosts",
	spf.TooLarge:       "too large to follow",
}

func termNotes(t *SPFTerm) []note {
	var out []note
	void := ""
	if t.Void {
		void = " (void)"
	}
	switch {
	case t.Problem != "":
		out = append(out, note{faults[t.Problem] + void, fault})
	case t.Unknown != "":
		out = append(out, note{t.Unknown, doubt})
	case t.Void:
		out = append(out, note{"nothing there (void)", doubt})
	}
	if t.Repeated {
		out = append(out, note{"again, as above", aside})
	}
	return out
}

// unlessNone is a number that is left out where it is zero.
func unlessNone[N int | int64](n N) string {
	if n == 0 {
		return ""
	}
	return number(n)
}

func four(a Addresses) string { return unlessNone(int64(a.Count4())) }

// six is the number of IPv6 addresses as the nearest power of two, which is how
// networks are known.
func six(a Addresses) string {
	n := a.Count6()
	if n.Sign() == 0 {
		return ""
	}
	exact := new(big.Int).Lsh(big.NewInt(1), uint(n.BitLen()-1)).Cmp(n) == 0
	if exact {
		return "2^" + number(n.BitLen()-1)
	}
	// Bit by bit below the first: round at the half.
	power := n.BitLen() - 1 + int(n.Bit(n.BitLen()-2))
	return "~2^" + number(power)
}

// drawn writes the lines under a heading.
func (p *printer) drawn(lines []drawnLine) {
	head := drawnLine{lookups: "lookups", void: "void", ipv4: "IPv4", ipv6: "IPv6"}
	cells := inColumns(append([]drawnLine{head}, lines...))
	p.line(p.Palette.Faint.On(cells[0]))
	for i := range lines {
		p.drawnLine(cells[i+1], &lines[i])
	}
}

// inColumns puts the cells of lines in columns, those without content below the
// heading left out.
func inColumns(lines []drawnLine) []string {
	out := make([]string, len(lines))
	for _, cell := range []func(*drawnLine) string{
		func(l *drawnLine) string { return l.lookups },
		func(l *drawnLine) string { return l.void },
		func(l *drawnLine) string { return l.ipv4 },
		func(l *drawnLine) string { return l.ipv6 },
	} {
		size := 0
		for i := range lines[1:] {
			size = max(size, len(cell(&lines[i+1])))
		}
		if size == 0 {
			continue
		}
		size = max(size, len(cell(&lines[0])))
		for i := range lines {
			out[i] += fmt.Sprintf("  %*s", size, cell(&lines[i]))
		}
	}
	return out
}

func (p *printer) drawnLine(cells string, l *drawnLine) {
	var texts []string
	worst := aside
	for _, n := range l.notes {
		texts = append(texts, clean(n.text))
		worst = max(worst, n.rank)
	}
	paint := p.rankPaint(worst)
	indent, room := strings.Repeat(" ", columns(cells)), max(p.Width-columns(cells)-2-columns(l.art), 20)
	label, tail := wrap(l.label, room), strings.Join(texts, "; ")
	if len(label) == 1 && tail != "" && columns(label[0])+2+columns(tail) <= room {
		p.line(cells + "  " + l.art + label[0] + "  " + paint.On(tail))
		return
	}
	for i, s := range label {
		if i > 0 {
			cells, l.art = indent, l.below
		}
		p.line(cells + "  " + l.art + s)
	}
	if tail == "" {
		return
	}
	for _, s := range wrap(tail, max(p.Width-columns(indent)-2-columns(l.below), 20)) {
		p.line(indent + "  " + l.below + paint.On(s))
	}
}

func (p *printer) rankPaint(r rank) Paint {
	switch r {
	case fault:
		return p.Palette.Failed
	case doubt:
		return p.Palette.Held
	default:
		return p.Palette.Faint
	}
}
