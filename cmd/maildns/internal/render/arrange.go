package render

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// subject is one domain of a report as a reader meets it.
type subject struct {
	name      records.Name
	host      string // how it is written: "cloudflare.main, one transaction"
	note      string // what is its own: the owner, the journal entry
	items     []item
	findings  []plan.Finding
	unmanaged []plan.Unmanaged
}

// item is a change and, after an apply, what became of it.
type item struct {
	*plan.Change
	done fate
	err  string
	stop string // the rule whose error stops the domain
}

// fate is what an apply did with a change.
type fate string

const (
	planned fate = "" // nothing yet: the change's state says when it is due
	applied fate = "applied"
	failed  fate = "failed"
)

// part is what a reader takes in at once: the steps of one record set, a
// finding, or the unmanaged records; with the subjects that share it.
type part struct {
	items     []item
	finding   *plan.Finding
	unmanaged []plan.Unmanaged
	members   []int // subjects, by index, ascending
	forms     []forms
}

// forms are the shapes that one item's details have among the members of its
// part.
type forms struct{ reasons, values []form }

// form is one shape of details, and how many members have it.
type form struct {
	key     string
	example int // the first member that has it
	details []detail
	count   int
}

// block is what the same subjects share, under one heading.
type block struct {
	first    int
	subjects []*subject
	parts    []*part
}

// arrange gathers what several subjects have in common, so that a change that
// three thousand domains share is read once. Blocks stand in the order of
// their first subject, what is shared before what is its own.
func arrange(subjects []subject) []block {
	known := map[string]*part{}
	var parts []*part
	var key []byte
	for i := range subjects {
		for _, p := range split(&subjects[i]) {
			key = p.identity(key[:0], &subjects[i])
			same, ok := known[string(key)]
			if !ok || same.members[len(same.members)-1] == i {
				same = p
				known[string(key)] = p
				parts = append(parts, p)
			}
			same.join(i, p)
		}
	}
	return gather(parts, subjects)
}

// split cuts a subject into its parts.
func split(s *subject) []*part {
	var parts []*part
	for i := 0; i < len(s.items); {
		n := i + 1
		for n < len(s.items) && together(s.items[n-1], s.items[n]) {
			n++
		}
		parts = append(parts, &part{items: s.items[i:n]})
		i = n
	}
	for i := range s.findings {
		parts = append(parts, &part{finding: &s.findings[i]})
	}
	if len(s.unmanaged) > 0 {
		parts = append(parts, &part{unmanaged: s.unmanaged})
	}
	return parts
}

// together reports whether two changes are read as one: steps of one record
// set, or changes of one transaction.
func together(a, b item) bool {
	return a.Key() == b.Key() || a.Group != nil && b.Group != nil && *a.Group == *b.Group
}

// join adds subject i, whose own part is p.
func (g *part) join(i int, p *part) {
	g.members = append(g.members, i)
	if g.forms == nil {
		g.forms = make([]forms, len(g.items))
	}
	for j := range p.items {
		f := &g.forms[j]
		f.reasons = addForm(f.reasons, i, reasons(p.items, j))
		f.values = addForm(f.values, i, values(p.items[j]))
	}
}

func addForm(forms []form, example int, lines []detail) []form {
	var key []byte
	for _, d := range lines {
		key = field(key, string(d.kind), d.text)
	}
	at := slices.IndexFunc(forms, func(f form) bool { return f.key == string(key) })
	switch {
	case at >= 0:
		forms[at].count++
	case len(forms) <= manyForms:
		forms = append(forms, form{string(key), example, lines, 1})
	}
	return forms
}

// manyForms is how many shapes of its details a shared change is shown with at
// most; with more, one stands as the example.
const manyForms = 3

// identity appends what makes the part of one subject the same as that of
// another: what changes, and when. Why, and the exact values, may differ.
func (g *part) identity(b []byte, s *subject) []byte {
	b = field(b, s.host)
	for _, it := range g.items {
		b = it.identity(b, s.name)
	}
	if f := g.finding; f != nil {
		b = field(b, "finding", f.Rule, string(f.Severity), string(f.About), f.Message, f.Fix, f.RFC)
		if f.Source != nil {
			b = field(b, f.Source.File, strconv.Itoa(f.Source.Line), strconv.Itoa(f.Source.Column))
		}
	}
	for _, u := range g.unmanaged {
		b = field(b, "unmanaged", u.Name.Relative(s.name), string(u.Type), u.Why)
		b = set(b, u.Values)
	}
	return b
}

func (it item) identity(b []byte, domain records.Name) []byte {
	b = field(b, "change", it.Name.Relative(domain), string(it.Type), string(it.Kind),
		string(it.Action), string(it.Step), string(it.State), string(it.done), it.stop)
	if it.NotBefore != nil {
		b = binary.BigEndian.AppendUint64(b, uint64(it.NotBefore.Unix()))
	}
	b = ttl(ttl(b, it.Before), it.After)
	b = field(b, it.Meaning...)
	if it.State == plan.Held {
		b = field(b, holders(it.Change)...)
	}
	return b
}

// field appends texts so that no two lists of texts look the same.
func field(b []byte, texts ...string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(texts)))
	for _, t := range texts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(t)))
		b = append(b, t...)
	}
	return b
}

func set(b []byte, values []records.Value) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(values)))
	for _, v := range values {
		b = field(b, string(v))
	}
	return b
}

func ttl(b []byte, s *plan.Set) []byte {
	if s == nil {
		return append(b, 0)
	}
	return binary.BigEndian.AppendUint32(append(b, 1), uint32(s.TTL))
}

// gather puts parts with the same members into one block.
func gather(parts []*part, subjects []subject) []block {
	at := map[string]int{}
	var blocks []block
	var key []byte
	for _, p := range parts {
		key = key[:0]
		for _, m := range p.members {
			key = binary.AppendUvarint(key, uint64(m))
		}
		i, ok := at[string(key)]
		if !ok {
			i = len(blocks)
			at[string(key)] = i
			blocks = append(blocks, block{first: p.members[0], subjects: pick(subjects, p.members)})
		}
		blocks[i].parts = append(blocks[i].parts, p)
	}
	slices.SortStableFunc(blocks, func(a, b block) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(len(b.subjects), len(a.subjects)))
	})
	return blocks
}

func pick(subjects []subject, members []int) []*subject {
	out := make([]*subject, len(members))
	for i, m := range members {
		out[i] = &subjects[m]
	}
	return out
}
