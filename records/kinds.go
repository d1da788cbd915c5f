package records

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/records/spf"
)

// Kind says what a value is for. A kind covers values by name, type and
// prefix; ownership, gates and the words of a plan go by it.
type Kind string

// The kinds of mail records.
const (
	KindSPF    Kind = "spf"
	KindDKIM   Kind = "dkim"
	KindDMARC  Kind = "dmarc"
	KindMTASTS Kind = "mta-sts"
	KindTLSRPT Kind = "tls-rpt"
	KindMX     Kind = "mx"
	KindBIMI   Kind = "bimi"
	KindRecord Kind = "record"
)

// Declared is one value that a domain's declaration asks for.
type Declared struct {
	Kind   Kind
	Key    Key
	Value  Value
	TTL    TTL // 0 where the declaration leaves it to the domain's default
	Source Source
}

// Cover says which live values a declaration takes the place of: those of one
// kind at one name and type that begin with Prefix. A record block covers
// nothing beyond the values that it lists.
type Cover struct {
	Kind   Kind
	Key    Key
	Prefix string // compared without regard to case; empty covers the whole set
}

// Matches reports whether the cover takes in a value at a key.
func (c Cover) Matches(k Key, v Value) bool {
	return c.Key == k && hasVersion(v, c.Prefix)
}

// kind is what the program knows about one kind of record.
type kind struct {
	id    Kind
	title string // as people call it
	// version is the text that opens a TXT value of this kind, if any does.
	version string
	// declared lists what a domain asks for, in any order.
	declared func(*Domain) []Declared
	// covers lists what that takes the place of.
	covers func(*Domain) []Cover
	// owner names the domain that a live value of this kind belongs to.
	owner func(Key, Value) (Name, bool)
	// reprint parses a value and prints it as this program writes it.
	reprint func(Value) (Value, error)
	// parts are what values say, as words in any order.
	parts func([]Value) []string
	// describe tells a change in mail terms.
	describe func(before, after []Value) []string
}

// kinds is the table of kinds. A new one is a file with its row and a line here.
var kinds = [...]kind{
	spfKind,
	dkimKind,
	dmarcKind,
	mtastsKind,
	tlsrptKind,
	mxKind,
	bimiKind,
	recordKind,
}

// Kinds lists the kinds in the order of the table, which is the order in which
// a plan speaks of them.
func Kinds() []Kind {
	ids := make([]Kind, len(kinds))
	for i := range kinds {
		ids[i] = kinds[i].id
	}
	return ids
}

// SPFPart is the word that Parts has for one term of an SPF record.
func SPFPart(t spf.Term) string { return EscapeValue(Value(spfWord(t))) }

// find returns the row of a kind; one that isn't in the table is treated as a
// free record.
func (k Kind) find() kind {
	for i := range kinds {
		if kinds[i].id == k {
			return kinds[i]
		}
	}
	return recordKind
}

// Declared returns every value that the declaration asks for before any gate,
// ordered by key, value and kind: for DMARC that is the target policy. A parked
// domain asks for its profile, a removed one for nothing.
func (d *Domain) Declared() []Declared {
	if d.Removed {
		return nil
	}
	out := make([]Declared, 0, 8+len(d.MX)+len(d.DKIM)+len(d.Free)) // of the other kinds there is a value or two
	for i := range kinds {
		out = append(out, kinds[i].declared(d)...)
	}
	slices.SortStableFunc(out, func(a, b Declared) int {
		return cmp.Or(a.Key.Compare(b.Key), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// Covers returns what the declared kinds take the place of, ordered by key,
// prefix and kind. A removed domain covers nothing: only what it owns goes.
func Covers(d *Domain) []Cover {
	if d.Removed {
		return nil
	}
	out := make([]Cover, 0, 8+2*len(d.DKIM))
	for i := range kinds {
		out = append(out, kinds[i].covers(d)...)
	}
	slices.SortFunc(out, func(a, b Cover) int {
		return cmp.Or(a.Key.Compare(b.Key), cmp.Compare(a.Prefix, b.Prefix), cmp.Compare(a.Kind, b.Kind))
	})
	return slices.Compact(out)
}

// KindOf tells which kind of a domain's values a live value is: record where a
// record block lists it, otherwise by its name, type and prefix, whether the
// kind is declared or not. ok is false where it is none of the domain's.
func KindOf(d *Domain, k Key, v Value) (kind Kind, ok bool) {
	for _, f := range d.Free {
		if f.Key == k && slices.Contains(f.Values, v) {
			return KindRecord, true
		}
	}
	for i := range kinds {
		if owner, ok := kinds[i].owner(k, v); ok && owner == d.Name {
			return kinds[i].id, true
		}
	}
	for _, c := range Covers(d) { // what stands at names below it, as a sender's return path
		if c.Matches(k, v) {
			return c.Kind, true
		}
	}
	return "", false
}

// KindAt tells which kind a value is by its name, type and prefix alone, at
// whatever domain and in whichever block it is declared: what receivers take
// it for. ok is false for a value that means nothing to mail.
func KindAt(k Key, v Value) (kind Kind, ok bool) {
	for i := range kinds {
		// A key needs no version (RFC 6376 3.6.1).
		any := k.Type != TypeTXT || kinds[i].id == KindDKIM
		if _, ok := kinds[i].owner(k, v); ok && (any || hasVersion(v, kinds[i].version)) {
			return kinds[i].id, true
		}
	}
	return "", false
}

// LooksLikeMail tells why a value that nobody declared is worth showing: it
// stands where mail records stand, or begins as one of them does.
func LooksLikeMail(k Key, v Value) (why string, ok bool) {
	const unknown = ", not declared, not owned"
	for i := range kinds {
		if _, ok := kinds[i].owner(k, v); ok {
			return "looks like " + kinds[i].title + unknown, true
		}
	}
	for i := range kinds {
		version := kinds[i].version
		if k.Type == TypeTXT && version != "" && hasVersion(v, version) {
			return "looks like " + kinds[i].title + " at a name where nobody looks for it" + unknown, true
		}
	}
	if k.Type == TypeTLSA && strings.HasPrefix(string(k.Name), "_25._tcp.") {
		return "looks like DANE for mail" + unknown, true
	}
	return "", false
}

// Reprint parses a value of a kind and prints it as this program writes it.
// The error says why receivers can't use the value. A record's value is
// canonical already.
func Reprint(k Kind, v Value) (Value, error) { return k.find().reprint(v) }

// Parts returns what the values of one kind at one name say, as a sorted set
// of words: SPF terms, DMARC tags, exchangers, keys. Values that differ only in
// order or spacing say the same. Bytes are escaped as by EscapeValue.
func Parts(k Kind, vs []Value) []string {
	if len(vs) == 0 {
		return nil
	}
	parts := k.find().parts(vs)
	for i, p := range parts {
		parts[i] = EscapeValue(Value(p))
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}

// Describe tells the change from the values of one kind at one name to others
// in short lines for people who know mail. It is empty where nothing changes.
func Describe(k Kind, before, after []Value) []string {
	b, a := NewRRset(Key{}, 0, before...), NewRRset(Key{}, 0, after...)
	if b.SameValues(a) {
		return nil
	}
	lines := k.find().describe(b.Values, a.Values)
	if len(lines) == 0 {
		gone, added := difference(Parts(k, before), Parts(k, after))
		lines = changeLines("", gone, added)
	}
	if len(lines) == 0 {
		lines = []string{"says the same, written differently"}
	}
	for i, line := range lines {
		lines[i] = PrintableValue(Value(line))
	}
	return lines
}

// values are the parts of a kind whose values say what they are.
func values(vs []Value) []string {
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = string(v)
	}
	return words
}

// partsOf are the parts of a kind of which one record at a name is allowed:
// those of each value and, where there are several, their number, since
// receivers then use none.
func partsOf(vs []Value, parts func(Value) []string) []string {
	var words []string
	for _, v := range vs {
		words = append(words, parts(v)...)
	}
	if len(vs) > 1 {
		words = append(words, fmt.Sprintf("records=%d", len(vs)))
	}
	return words
}

// tagParts are the parts of a tag list.
func tagParts(tags []Tag) []string {
	var words []string
	for _, t := range tags {
		words = append(words, t.String())
	}
	return words
}

// difference returns what only before and only after has, in their orders.
func difference(before, after []string) (gone, added []string) {
	without := func(all, drop []string) (rest []string) {
		for _, s := range all {
			if !slices.Contains(drop, s) {
				rest = append(rest, s)
			}
		}
		return rest
	}
	return without(before, after), without(after, before)
}

// changeLines prints what is added and what is gone, each with a label before
// it.
func changeLines(label string, gone, added []string) []string {
	var lines []string
	for _, s := range added {
		lines = append(lines, "+ "+label+s)
	}
	for _, s := range gone {
		lines = append(lines, "− "+label+s)
	}
	return lines
}

// ownerBelow returns the domain of a name that begins with the given labels,
// such as _dmarc, where the type is one that may stand there: the record
// itself, or an alias or delegation to a service that keeps it.
func ownerBelow(k Key, labels string) (Name, bool) {
	owner, found := strings.CutPrefix(string(k.Name), labels+".")
	return Name(owner), found && (k.Type == TypeTXT || k.Type == TypeCNAME || k.Type == TypeNS)
}

// ownerBeside is ownerBelow for names with one or more labels in front, such
// as selector._domainkey.
func ownerBeside(k Key, label string) (Name, bool) {
	_, rest, found := strings.Cut(string(k.Name), "."+label+".")
	if !found {
		return ownerBelow(k, label)
	}
	return ownerBelow(Key{Name(label + "." + rest), k.Type}, label)
}
