package zonefile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attunelogic/maildns/records"
)

// edits say what becomes of a file's lines. A line that has no entry stays as
// it is, byte for byte.
type edits struct {
	lines  map[int]lineEdit   // by index in file.lines
	after  map[int][]addition // new records behind a line
	serial uint32
}

// lineEdit is what becomes of one record's line.
type lineEdit struct {
	drop bool
	ttl  records.TTL
	// In presentation form; empty: it stays.
	data, serial string
}

// addition is a new record.
type addition struct {
	key  records.Key
	ttl  records.TTL
	data string
}

// edit returns the file's contents after the changes, which fit the zone. The
// result is read again before it is returned: what can't be expressed in a
// zone file is an error, and so is any other difference.
func (f *file) edit(changes []records.Change, now time.Time, reread func([]byte) (*file, error)) ([]byte, error) {
	want, err := f.toZone().Apply(changes)
	if err != nil {
		return nil, err
	}
	if f.soa < 0 {
		return nil, fmt.Errorf("the serial can't be raised: the SOA record is not in %s itself (%s)", f.path, f.soaFrom)
	}
	text := f.render(f.plan(changes, now))
	got, err := reread(text)
	if err != nil {
		return nil, fmt.Errorf("a value can't be expressed in a zone file: %w", err)
	}
	if zone := got.toZone(); !zone.Equal(want) {
		return nil, difference(zone, want, changes)
	}
	return text, nil
}

// difference names the set that the file would not hold as it was asked for.
func difference(got, want records.Zone, changes []records.Change) error {
	for _, c := range changes {
		have, _ := got.Set(c.Key)
		if set, _ := want.Set(c.Key); !have.Equal(set) {
			return fmt.Errorf("%s can't be expressed in a zone file: it would be read as %q", c.Key, have.Values)
		}
	}
	return errors.New("the edited file would alter records that nobody asked for; nothing was written")
}

// plan decides what becomes of the lines.
func (f *file) plan(changes []records.Change, now time.Time) edits {
	e := edits{lines: map[int]lineEdit{}, after: map[int][]addition{}}
	members := f.members(changes)
	sorted := slices.SortedFunc(slices.Values(changes), func(a, b records.Change) int { return a.Compare(b.Key) })
	for _, c := range sorted {
		f.planSet(&e, c, members[c.Key])
	}
	e.serial = nextSerial(f.serial(), now)
	return e
}

func (f *file) serial() uint32 {
	l := f.lines[f.soa]
	t := l.tokens[l.record.typeAt+soaSerial]
	n, err := strconv.ParseUint(string(f.text[t.start:t.end]), 10, 32)
	if err != nil {
		return 0 // readSOA has seen to it
	}
	return uint32(n)
}

// members finds the lines of the changed sets, in order.
func (f *file) members(changes []records.Change) map[records.Key][]int {
	found := make(map[records.Key][]int, len(changes))
	for _, c := range changes {
		found[c.Key] = nil
	}
	for i := range f.lines {
		r := f.lines[i].record
		if r == nil || r.aside {
			continue
		}
		if lines, ok := found[r.key]; ok {
			found[r.key] = append(lines, i)
		}
	}
	return found
}

// planSet keeps the lines of values that stay, rewrites lines of values that
// go into values that come, and drops or adds the rest.
func (f *file) planSet(e *edits, c records.Change, members []int) {
	if c.After == nil {
		for _, i := range members {
			e.lines[i] = lineEdit{drop: true}
		}
		return
	}
	var gone []int
	come := slices.Clone(c.After.Values)
	for _, i := range members {
		v := f.lines[i].record.value
		if c.After.Has(v) {
			e.lines[i] = lineEdit{ttl: c.After.TTL}
			come = slices.DeleteFunc(come, func(o records.Value) bool { return o == v })
		} else {
			gone = append(gone, i)
		}
	}
	for _, i := range gone {
		n := successor(f.lines[i].record.value, come)
		if n < 0 {
			e.lines[i] = lineEdit{drop: true}
			continue
		}
		e.lines[i] = lineEdit{ttl: c.After.TTL, data: rdata(c.Type, come[n])}
		come = slices.Delete(come, n, n+1)
	}
	at := f.place(c.Name, members)
	for _, v := range come {
		e.after[at] = append(e.after[at], addition{c.Key, c.After.TTL, rdata(c.Type, v)})
	}
}

// successor picks the value that takes the place of an old one: the one that
// shares the longest beginning with it, so that SPF follows SPF. It returns -1
// where none is left.
func successor(old records.Value, come []records.Value) int {
	best, most := -1, -1
	for i, v := range come {
		n := 0
		for n < min(len(v), len(old)) && v[n] == old[n] {
			n++
		}
		if n > most {
			best, most = i, n
		}
	}
	return best
}

// place returns the line behind which new records of a name go: the last one
// of their set, else of their name, else of the nearest family of names that
// they belong to (s2._domainkey goes to s1._domainkey), else of the zone's own
// name.
func (f *file) place(name records.Name, members []int) int {
	if len(members) > 0 {
		return members[len(members)-1]
	}
	if i := f.last(func(n records.Name) bool { return n == name }); i >= 0 {
		return i
	}
	for parent := name.Parent(); parent != f.zone && parent.In(f.zone); parent = parent.Parent() {
		if i := f.last(func(n records.Name) bool { return n.In(parent) }); i >= 0 {
			return i
		}
	}
	return f.last(func(n records.Name) bool { return n == f.zone }) // the SOA at least
}

func (f *file) last(match func(records.Name) bool) int {
	for i := len(f.lines) - 1; i >= 0; i-- {
		if r := f.lines[i].record; r != nil && match(r.key.Name) {
			return i
		}
	}
	return -1
}

// render writes the file anew. Lines are copied, comments between them too,
// but for those that change and those that would inherit another owner or TTL
// than before, since the line that they inherited it from has changed.
func (f *file) render(e edits) []byte {
	w := &writer{file: f}
	w.out.Grow(len(f.text) + len(f.text)/8 + 256)
	at := 0
	for i := range f.lines {
		l := &f.lines[i]
		w.out.Write(f.text[at:l.start])
		at = l.end
		w.line(l, e, i)
		for _, a := range e.after[i] {
			w.add(a, l)
		}
	}
	w.out.Write(f.text[at:])
	return w.out.Bytes()
}

// writer is what a reader of the new file would know at its end so far.
type writer struct {
	file  *file
	out   bytes.Buffer
	owner records.Name
	owned bool
	ttls  ttls
}

func (w *writer) line(l *line, e edits, i int) {
	if l.record == nil {
		w.out.Write(w.file.text[l.start:l.end])
		w.follow(l)
		return
	}
	want, changed := e.lines[i]
	if want.drop {
		return
	}
	if !changed {
		want.ttl = l.record.ttl
	}
	if i == w.file.soa {
		want.serial = strconv.FormatUint(uint64(e.serial), 10)
	}
	w.record(l, want)
	w.owner, w.owned = l.record.key.Name, true
	w.follow(l)
}

// follow takes over what a copied line does to the TTL of those below. The
// standard one is never edited, so it is that of the old file.
func (w *writer) follow(l *line) {
	w.ttls.standard, w.ttls.hasStandard = l.after.standard, l.after.hasStandard
	if l.record == nil && l.after.explicit > l.before.explicit { // $INCLUDE
		w.ttls.setLast(l.after.last)
	}
}

// splice puts text in the place of bytes of the file.
type splice struct {
	start, end int
	text       string
}

// record copies a record's line with what has to be different in it.
func (w *writer) record(l *line, want lineEdit) {
	r, f := l.record, w.file
	if want.data != "" && l.parens {
		w.rewrite(l, want)
		return
	}
	var splices []splice
	if l.blank && !(w.owned && w.owner == r.key.Name) {
		splices = append(splices, w.ownerSplice(l))
	}
	if s, ok := w.ttlSplice(l, want.ttl); ok {
		splices = append(splices, s)
	}
	if want.serial != "" {
		t := l.tokens[r.typeAt+soaSerial]
		splices = append(splices, splice{t.start, t.end, want.serial})
	}
	if want.data != "" {
		splices = append(splices, splice{f.outer(l.tokens[r.dataAt()]).start, f.outer(l.tokens[len(l.tokens)-1]).end, want.data})
	}
	at := l.start
	for _, s := range splices {
		w.out.Write(f.text[at:s.start])
		w.out.WriteString(s.text)
		at = s.end
	}
	w.out.Write(f.text[at:l.end])
}

// outer widens a token to its quotes.
func (f *file) outer(t token) token {
	if t.quoted {
		return token{t.start - 1, t.end + 1, true}
	}
	return t
}

// ownerSplice gives a line the name that it inherited, within the white space
// that it begins with where that has room.
func (w *writer) ownerSplice(l *line) splice {
	text := w.file.text
	end := l.start
	for text[end] == ' ' || text[end] == '\t' {
		end++
	}
	name := ownerText(l.record.key.Name, l.record.origin)
	start := l.start
	for start < end-1 && start-l.start < len(name) && text[start] == ' ' {
		start++
	}
	return splice{l.start, start, name}
}

// ownerText prints a name at the beginning of a line.
func ownerText(name, origin records.Name) string {
	text := name.Relative(origin)
	if strings.HasPrefix(text, "$") {
		return `\` + text // it is no directive
	}
	return text
}

// ttlSplice makes a line's TTL what it has to be.
func (w *writer) ttlSplice(l *line, ttl records.TTL) (s splice, ok bool) {
	r := l.record
	text := strconv.FormatUint(uint64(ttl), 10)
	if r.ttlAt >= 0 {
		w.ttls.setLast(ttl)
		t := l.tokens[r.ttlAt]
		return splice{t.start, t.end, text}, r.ttl != ttl
	}
	inherited, known := w.ttls.inherited()
	if known && inherited == ttl || !known && r.key.Type == "SOA" {
		return splice{}, false
	}
	w.ttls.setLast(ttl)
	at := l.tokens[r.typeAt].start
	if r.classAt >= 0 {
		at = l.tokens[r.classAt].start
	}
	return splice{at, at, text + " "}, true
}

// rewrite writes a record that stood in parentheses on one line. A comment
// behind its end stays; those inside go with the data that they explained.
func (w *writer) rewrite(l *line, want lineEdit) {
	f := w.file
	w.fields(addition{l.record.key, want.ttl, want.data}, l.record.origin)
	w.out.Write(f.text[l.content:l.end])
}

// add writes a new record behind a line.
func (w *writer) add(a addition, l *line) {
	end := w.file.lineEnd(l.entry)
	if !bytes.HasSuffix(w.out.Bytes(), []byte{'\n'}) {
		w.out.WriteString(end)
	}
	w.fields(a, l.record.origin)
	w.out.WriteString(end)
	w.owner, w.owned = a.key.Name, true
}

// fields writes a record that inherits nothing, but for a TTL where the file
// has no $TTL: those below would inherit it.
func (w *writer) fields(a addition, origin records.Name) {
	w.out.WriteString(ownerText(a.key.Name, origin))
	inherited, known := w.ttls.inherited()
	if w.ttls.hasStandard || !known || inherited != a.ttl {
		w.out.WriteByte('\t')
		w.out.WriteString(strconv.FormatUint(uint64(a.ttl), 10))
		w.ttls.setLast(a.ttl)
	}
	w.out.WriteString("\tIN\t")
	w.out.WriteString(string(a.key.Type))
	w.out.WriteByte('\t')
	w.out.WriteString(strings.TrimSpace(a.data))
}
