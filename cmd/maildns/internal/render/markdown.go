package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
)

// PlanMarker is the hidden first line by which a bot finds its comment again.
const PlanMarker = "<!-- maildns:plan -->"

const (
	// pageLimit is how large a page may be. GitHub takes 65,536 characters;
	// counting bytes is the strictest way to count.
	pageLimit = 65_000
	// footRoom is kept free for what closes a page.
	footRoom = 1_500
)

// writeMarkdown is the format for a comment on a pull request. A plan has a
// page of its own; any other report is its text in a code block.
func writeMarkdown(w io.Writer, report any, o Options) error {
	if p, ok := report.(*plan.Plan); ok {
		_, err := io.WriteString(w, planPage(p, o))
		return err
	}
	var b bytes.Buffer
	o.Palette = Palette{}
	if err := writeText(&b, report, o); err != nil {
		return err
	}
	text := cut(b.String(), pageLimit-footRoom)
	_, err := io.WriteString(w, fenced("text", text))
	return err
}

// cut shortens text to whole lines within limit bytes and says so.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := strings.LastIndexByte(text[:limit], '\n') + 1
	return text[:end] + fmt.Sprintf("(left out: %s more lines)\n", number(strings.Count(text[end:], "\n")))
}

// page is Markdown under construction. Each section may fill it to a share of
// the limit, what one leaves free is the next one's.
type page struct {
	b    strings.Builder
	left []string // what was left out, in words
}

// planPage is the comment for a plan.
func planPage(r *plan.Plan, o Options) string {
	var g page
	blocks := arrange(subjects(r))
	g.b.WriteString(PlanMarker + "\n")
	lines := summaryLines(r, time.Time{})
	g.b.WriteString("**" + inline(lines[0]) + "**\n")
	for _, l := range lines[1:] {
		g.b.WriteString("\n" + inline(l) + "\n")
	}
	for _, n := range planNotes(r, o.Notes) {
		g.b.WriteString("\n> " + inline(n) + "\n")
	}
	g.list("Errors", "errors", 20, findingLines(blocks, true))
	g.table(blocks, len(r.Domains) > 1)
	g.list("Held and waiting", "held or waiting changes", 72, pendingLines(blocks))
	g.list("Findings", "findings", 82, findingLines(blocks, false))
	g.values(blocks)
	g.domains(blocks)
	g.unmanaged(blocks)
	g.foot(r)
	return g.b.String()
}

// add appends a piece whole, if the page stays within percent of its limit.
func (g *page) add(piece string, percent int) bool {
	if g.b.Len()+len(piece) > (pageLimit-footRoom)*percent/100 {
		return false
	}
	g.b.WriteString(piece)
	return true
}

// skip notes what was left out.
func (g *page) skip(n int, what string) {
	if n > 0 {
		g.left = append(g.left, number(n)+" "+what)
	}
}

// list adds a section of list items, as many as fit.
func (g *page) list(title, what string, percent int, items []string) {
	if len(items) == 0 {
		return
	}
	opened := g.add("\n### "+title+"\n\n", percent)
	for i, it := range items {
		if !opened || !g.add(it, percent) {
			g.skip(len(items)-i, what)
			return
		}
	}
}

// table adds the changes with what they mean.
func (g *page) table(blocks []block, several bool) {
	const percent = 55
	head := "\n### Changes\n\n| | Record | What it means for mail | When |\n|---|---|---|---|\n"
	if several {
		head = "\n### Changes\n\n| | Domain | Record | What it means for mail | When |\n|---|---|---|---|---|\n"
	}
	rows := tableRows(blocks, several)
	if len(rows) == 0 {
		return
	}
	opened := g.add(head, percent)
	for i, r := range rows {
		if !opened || !g.add(r, percent) {
			g.skip(len(rows)-i, "rows of changes")
			return
		}
	}
}

// actionWords are what the first column says.
var actionWords = map[plan.Action]string{
	plan.ActionCreate: "add", plan.ActionUpdate: "change", plan.ActionDelete: "delete", plan.ActionTTL: "TTL",
}

func tableRows(blocks []block, several bool) []string {
	var out []string
	for i := range blocks {
		b := &blocks[i]
		for _, part := range b.parts {
			for j, it := range part.items {
				cells := []string{actionWords[it.Action]}
				if several {
					cells = append(cells, counted(b))
				}
				cells = append(cells, recordCell(b, it), meaningText(part, j)+readyReasons(b, part, j), inline(state(it, time.Time{})))
				out = append(out, "| "+strings.Join(cells, " | ")+" |\n")
			}
		}
	}
	return out
}

// counted names a block's domains and, where it doesn't name all, counts them.
func counted(b *block) string {
	if len(b.subjects) <= 3 {
		return inline(blockName(b, 3))
	}
	return number(len(b.subjects)) + " domains: " + inline(blockName(b, 3))
}

func recordCell(b *block, it item) string { return code(recordName(b.subjects[0].name, it.Change)) }

func meaningText(g *part, j int) string {
	return inline(strings.Join(sentences(meaning(g.items, j)), "; "))
}

// readyReasons are what a reviewer should know beside the meaning of a change
// that is made now; the others have a section of their own.
func readyReasons(b *block, g *part, j int) string {
	if g.items[j].State != plan.Ready {
		return ""
	}
	var s strings.Builder
	for _, f := range shapes(g, g.forms[j].reasons, b) {
		if f.whose != "" {
			s.WriteString("<br>*" + inline(f.whose) + "*")
		}
		for _, d := range f.details {
			s.WriteString("<br>" + inline(d.text))
		}
	}
	return s.String()
}

// pendingLines say why changes are not made now and what they need.
func pendingLines(blocks []block) []string {
	var out []string
	for i := range blocks {
		b := &blocks[i]
		for _, part := range b.parts {
			for j, it := range part.items {
				if it.State != plan.Ready && it.stop == "" {
					out = append(out, pendingLine(b, part, j))
				}
			}
		}
	}
	return out
}

func pendingLine(b *block, g *part, j int) string {
	var s strings.Builder
	it := g.items[j]
	fmt.Fprintf(&s, "- %s of %s: %s, **%s**\n", recordCell(b, it), inline(blockName(b, 3)), meaningText(g, j), inline(state(it, time.Time{})))
	for _, f := range shapes(g, g.forms[j].reasons, b) {
		indent := "  "
		if f.whose != "" {
			s.WriteString("  - " + inline(f.whose) + "\n")
			indent = "    "
		}
		for _, d := range f.details {
			label := ""
			if d.kind == needs {
				label = "*needs:* "
			}
			s.WriteString(indent + "- " + label + inline(d.text) + "\n")
		}
	}
	return s.String()
}

// findingLines are the findings that are errors, or the others.
func findingLines(blocks []block, errors bool) []string {
	var out []string
	for i := range blocks {
		b := &blocks[i]
		for _, part := range b.parts {
			if f := part.finding; f != nil && (f.Severity == plan.SeverityError) == errors {
				out = append(out, findingLine(b, f))
			}
		}
	}
	return out
}

func findingLine(b *block, f *plan.Finding) string {
	s := fmt.Sprintf("- **%s** %s: %s (%s)\n", inline(string(f.Severity)), inline(blockName(b, 3)), inline(f.Message), inline(reference(f)))
	if f.Fix != "" {
		s += "  - *fix:* " + inline(f.Fix) + "\n"
	}
	return s
}

// values adds the contents of the records, collapsed.
func (g *page) values(blocks []block) {
	g.collapsed("Record values and times", "record sets with their values", 92, valueBlocks(blocks))
}

// collapsed adds a section that a reader opens.
func (g *page) collapsed(title, what string, percent int, pieces []string) {
	if len(pieces) == 0 {
		return
	}
	const end = "\n</details>\n"
	if !g.add("\n<details><summary>"+title+"</summary>\n", percent) {
		g.skip(len(pieces), what)
		return
	}
	for i, p := range pieces {
		if !g.add(p, percent) {
			g.skip(len(pieces)-i, what)
			break
		}
	}
	g.b.WriteString(end)
}

func valueBlocks(blocks []block) []string {
	var out []string
	for i := range blocks {
		b := &blocks[i]
		for _, part := range b.parts {
			for j, it := range part.items {
				if text := valueBlock(part, j, b); text != "" {
					out = append(out, fmt.Sprintf("\n%s of %s: %s\n\n%s", recordCell(b, it), inline(blockName(b, 3)), times(it.Change), fenced("diff", text)))
				}
			}
		}
	}
	return out
}

// valueBlock is the difference of one change's values; inside a code block
// nothing of them can act.
func valueBlock(g *part, j int, b *block) string {
	var s strings.Builder
	for _, f := range shapes(g, g.forms[j].values, b) {
		if f.whose != "" {
			s.WriteString("# " + clean(f.whose) + "\n")
		}
		for _, d := range f.details {
			mark := "+ "
			if d.kind == removed {
				mark = "- "
			}
			s.WriteString(mark + clean(d.text) + "\n")
		}
	}
	return s.String()
}

// times are how long caches keep the old value and a mistake.
func times(c *plan.Change) string {
	ttl := ""
	if c.After != nil {
		ttl = "TTL " + seconds(c.After.TTL) + "; "
	}
	return ttl + "caches may serve the old state for " + duration(c.Exposure) + ", a mistake would live " + duration(c.Mistake)
}

// domains adds the names behind "2,998 domains", collapsed.
func (g *page) domains(blocks []block) {
	var pieces []string
	for i := range blocks {
		b := &blocks[i]
		if len(b.subjects) <= 3 {
			continue
		}
		pieces = append(pieces, "\n"+counted(b)+":\n")
		for from := 0; from < len(b.subjects); from += 50 {
			var names []string
			for _, s := range b.subjects[from:min(from+50, len(b.subjects))] {
				names = append(names, code(string(s.name)))
			}
			pieces = append(pieces, "\n"+strings.Join(names, ", ")+"\n")
		}
	}
	g.collapsed("Domains of the rows above", "lists of domain names", 97, pieces)
}

// unmanaged adds what looks like mail and is left alone, collapsed.
func (g *page) unmanaged(blocks []block) {
	var pieces []string
	for i := range blocks {
		b := &blocks[i]
		for _, part := range b.parts {
			for _, u := range part.unmanaged {
				texts := make([]string, len(u.Values))
				for k, v := range u.Values {
					texts[k] = code(elide(value(v), 120, 0))
				}
				pieces = append(pieces, fmt.Sprintf("\n- %s of %s: %s (%s)", code(u.Name.Relative(b.subjects[0].name)+" "+string(u.Type)),
					inline(blockName(b, 3)), strings.Join(texts, ", "), inline(u.Why)))
			}
		}
	}
	if len(pieces) > 0 {
		pieces[len(pieces)-1] += "\n"
	}
	g.collapsed("Not managed, left alone", "unmanaged records", 100, pieces)
}

// foot closes the page: what was left out, what the words mean, which plan
// this is.
func (g *page) foot(r *plan.Plan) {
	if len(g.left) > 0 {
		g.b.WriteString("\n**Left out here, since a comment has room for 65,000 characters:** " + strings.Join(g.left, ", ") +
			". All of it is in the output of `maildns plan`, or of one domain with `maildns plan --domain NAME`.\n")
	}
	if s := r.Summary; s.Ready+s.Waiting+s.Held > 0 {
		g.b.WriteString("\n<sub>This plan has written nothing. *ready*: the next apply does it. *waiting*: an apply at that time or later does it, " +
			"when caches have forgotten the old TTL. *held*: what is live stays until evidence, or a person with a reason, opens the gate named.</sub>\n")
		g.b.WriteString("\n<sub>Each zone is written at: " + inline(written(r)) + ".</sub>\n")
	}
	g.b.WriteString("\n<sub>" + join([]string{
		"plan " + code(short(r.ID)), "configuration " + code(short(r.ConfigDigest)), "made " + past(r.CreatedAt),
		inline("maildns " + r.MaildnsVersion), "journal " + inline(string(r.Journal)),
	}) + "</sub>\n")
}

// written says where the zones of a plan are written, and how.
func written(r *plan.Plan) string {
	const many = 6
	list := hosts(r)
	if more := len(list) - many; more > 0 {
		list = append(list[:many:many], number(more)+" more hosts")
	}
	return strings.Join(list, "; ")
}

// short is the begin of a digest, enough to compare by eye.
func short(digest string) string {
	const shown = len("sha256:") + 12
	return digest[:min(len(digest), shown)]
}

// fenced is text as a code block whose fence nothing in it can close.
func fenced(language, text string) string {
	fence := strings.Repeat("`", max(3, longestRun(text, '`')+1))
	return fence + language + "\n" + strings.TrimSuffix(text, "\n") + "\n" + fence + "\n"
}

func longestRun(s string, c byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != c {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// code is s as code within a line. A code span is used where s is as plain as
// names are; anything else is escaped text.
func code(s string) string {
	s = clean(s)
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(" ._-*@:/=;,+~()", c) >= 0 {
			continue
		}
		return inline(s)
	}
	if strings.TrimSpace(s) == "" {
		return inline(s)
	}
	return "`" + s + "`"
}

// inline is s as text within a line of GitHub Flavored Markdown: nothing in it
// can become markup, a table cell, HTML, a link, a mention or a reference.
// Character references can't stand for structure (CommonMark 2.5).
func inline(s string) string {
	s = clean(s)
	var b strings.Builder
	opener := listMark(s)
	for i := range len(s) {
		c := s[i]
		switch {
		case i == opener:
			fmt.Fprintf(&b, "&#%d;", c)
		case c == '@' || c == '#':
			// Mentions and issue references are found in the rendered text,
			// so that only an invisible space keeps them apart.
			fmt.Fprintf(&b, "&#%d;&#8203;", c)
		case strings.IndexByte("\\`*_{}[]<>()|~!$&\"'", c) >= 0, c == ':' && strings.HasPrefix(s[i:], "://"), c == '.' && endsFold(s[:i], "www"):
			fmt.Fprintf(&b, "&#%d;", c)
		case c == '-' && endsFold(s[:i], "GH"):
			b.WriteString("&#45;&#8203;")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// listMark is the offset of the character that would make s a list item at the
// begin of a line, -1 where there is none.
func listMark(s string) int {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	if digits < len(s) && (digits == 0 && strings.IndexByte("-+=", s[0]) >= 0 || digits > 0 && strings.IndexByte(".)", s[digits]) >= 0) {
		return digits
	}
	return -1
}

func endsFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
