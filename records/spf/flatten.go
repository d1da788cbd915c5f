package spf

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Flat is a record that says the same as another one with fewer lookups.
type Flat struct {
	Record *Record
	// Sources say where each address term that was put in came from, in the
	// order of the addresses, IPv4 first.
	Sources []Source
	// TTL is how long the answers that the record rests on hold, in seconds; 0
	// too if it rests on none.
	TTL uint32
}

// Source is a network of a flattened record and the terms it came from.
type Source struct {
	Prefix    netip.Prefix
	Qualifier Qualifier
	// From are the first terms, at most ten, that match addresses of Prefix
	// with that result.
	From []Origin
}

// Origin is a term, in canonical text, of the record of a domain.
type Origin struct{ Domain, Term string }

// RefusalError says why a record can't be flattened: nothing is returned that
// is not shown to be equivalent.
type RefusalError struct {
	// Reason is for people and says how to mend it.
	Reason string
	// Unknown and Findings are those of the tree that stand in the way.
	Unknown  []UnknownTerm
	Findings []Finding
}

func (e *RefusalError) Error() string { return "the record can't be flattened: " + e.Reason }

// Flatten returns the record that gives every address the same result without
// any lookup. Equivalence is to the result without the limits on lookups and
// void lookups, and is checked for all addresses before the record is
// returned. The error is a *RefusalError or that of a ctx that ended.
//
// A nil record means the one that domain has, as for Resolve.
func Flatten(ctx context.Context, r Resolver, domain string, record *Record) (*Flat, error) {
	tree, err := Resolve(ctx, r, domain, record)
	if err != nil {
		return nil, err
	}
	return tree.Flatten()
}

// Flatten returns the record that gives every address the same result as the
// tree without any lookup; the error is a *RefusalError.
func (t *Tree) Flatten() (*Flat, error) {
	if !t.Root.parts.certain() {
		return nil, t.refusal(t.Root.parts)
	}
	by := t.Root.parts.authorization()
	networks, all, ok := fewestNetworks(by)
	if !ok {
		return nil, &RefusalError{Reason: tooLong}
	}
	terms := append(slices.Clone(networks), Term{Kind: All, Qualifier: all})
	f := &Flat{Record: New(append(terms, t.keptModifiers()...)...)}
	if err := f.check(t.Root.parts, nil); err != nil {
		return nil, err
	}
	f.trace(networks, t.Root, t.Root.Branches)
	return f, nil
}

// FlattenIncludes returns the tree's record with the includes of the given
// names replaced by the networks that they pass; the rest stays as it is. The
// error is a *RefusalError.
func (t *Tree) FlattenIncludes(names ...string) (*Flat, error) {
	if t.Root.Problem != "" {
		return nil, t.refusal(t.Root.parts)
	}
	missing := map[string]bool{}
	for _, name := range names {
		missing[lowerName(name)] = true
	}
	var terms, networks []Term
	var flattened []Branch
	kept := map[string]*Branch{}
	for i := range t.Root.Branches {
		b := &t.Root.Branches[i]
		target := lowerName(b.Target)
		if _, named := missing[target]; !named || b.Term.Kind != Include {
			terms, kept[b.Term.String()] = append(terms, b.Term), b
			continue
		}
		if !missing[target] {
			continue // included before: nothing is left to match
		}
		missing[target] = false
		flat, err := t.flattenBranch(b)
		if err != nil {
			return nil, err
		}
		terms, networks, flattened = append(terms, flat...), append(networks, flat...), append(flattened, *b)
	}
	for _, name := range names {
		if missing[lowerName(name)] {
			return nil, &RefusalError{Reason: fmt.Sprintf("it has no include of %s; correct the name or leave it out", name)}
		}
	}
	f := &Flat{Record: New(append(terms, t.modifiers(Exp, Other)...)...)}
	if err := f.check(t.Root.parts, kept); err != nil {
		return nil, err
	}
	f.trace(networks, t.Root, flattened)
	return f, nil
}

// flattenBranch makes address terms of an include.
func (t *Tree) flattenBranch(b *Branch) ([]Term, error) {
	if b.child == nil || !b.child.parts.certain() {
		child := unread()
		if b.child != nil {
			child = b.child.parts
		}
		return nil, t.refusal(child)
	}
	flat, ok := appendNetworks(nil, b.child.pass, AddressSet{}, b.Term.Qualifier)
	if !ok {
		return nil, &RefusalError{Reason: tooLong}
	}
	return flat, nil
}

// maxRecordText is the length of the longest text that fits a TXT record: its
// data has at most 65535 bytes, one of each 256 being a length.
const maxRecordText = 65279

const tooLong = "the networks don't fit a TXT record; flatten fewer includes"

// fewestNetworks writes an authorization as address terms before an all whose
// qualifier makes them fewest, the stricter one if there is a choice.
func fewestNetworks(by Authorization) (best []Term, all Qualifier, ok bool) {
	for q := Fail + 1; q > Pass; {
		q--
		terms, fits := networksBesides(by, q)
		if fits && (!ok || len(terms) < len(best)) {
			best, all, ok = terms, q, true
		}
	}
	return best, all, ok
}

// networksBesides are the address terms of all results but one, the stricter
// ones first.
func networksBesides(by Authorization, all Qualifier) (terms []Term, ok bool) {
	var before AddressSet
	ok = true
	for q := Fail + 1; q > Pass && ok; {
		q--
		if q != all {
			terms, ok = appendNetworks(terms, by.By(q), before, q)
			before = before.Union(by.By(q))
		}
	}
	return terms, ok
}

// appendNetworks appends the address terms of a set, unless there would be more
// than can stand in a record. What earlier terms match may be covered again:
// that makes "-ip4:192.0.2.1 ip4:192.0.2.0/24" of a network with a hole.
func appendNetworks(terms []Term, s, before AddressSet, q Qualifier) ([]Term, bool) {
	const most = maxRecordText / len(" ip6:::")
	for p := range s.Union(before).prefixes() {
		if !s.overlaps(rangeOf(p)) {
			continue
		}
		if len(terms) >= most {
			return nil, false
		}
		kind := IP6
		if p.Addr().Is4() {
			kind = IP4
		}
		terms = append(terms, Term{Kind: kind, Qualifier: q, Prefix: p})
	}
	return terms, true
}

// keptModifiers are the modifiers that a fully flattened record keeps. With a
// redirect the explanation of the other record applied (RFC 7208 section 6.1).
func (t *Tree) keptModifiers() []Term {
	n := len(t.Root.Branches)
	if n > 0 && t.Root.Branches[n-1].Term.Kind == Redirect {
		return t.modifiers(Other)
	}
	return t.modifiers(Exp, Other)
}

func (t *Tree) modifiers(kinds ...Kind) []Term {
	return slices.DeleteFunc(slices.Clone(t.Root.Record.Terms), func(m Term) bool { return !slices.Contains(kinds, m.Kind) })
}

// check parses the record anew and compares what it makes of every address
// with what it should. Terms that query the DNS must be among the kept ones.
func (f *Flat) check(want parts, kept map[string]*Branch) error {
	if len(f.Record.Text) > maxRecordText {
		return &RefusalError{Reason: tooLong}
	}
	record, err := Parse(f.Record.Text)
	if err != nil {
		return &RefusalError{Reason: fmt.Sprintf("the result is no valid record (%v); this is a fault of the program", err)}
	}
	branches := make([]Branch, 0, len(record.Terms))
	for _, t := range record.Live() {
		b := Branch{Term: t, Addresses: SetOf(t.Prefix)}
		if t.Kind == All {
			b.Addresses = Everything()
		}
		if known := kept[t.String()]; known != nil {
			b = *known
		} else if t.Kind.QueriesDNS() {
			return &RefusalError{Reason: fmt.Sprintf("the result would query the DNS for %s; this is a fault of the program", t)}
		}
		branches = append(branches, b)
	}
	if got, _ := evaluate(branches, maxRanges); !got.equal(want) {
		return &RefusalError{Reason: "equivalence could not be shown; leave the record as it is"}
	}
	return nil
}

// refusal explains why parts that are not certain can't be flattened.
func (t *Tree) refusal(p parts) *RefusalError {
	e := &RefusalError{Unknown: t.Unknown, Findings: t.Findings}
	uncertain := slices.ContainsFunc(p, func(part part) bool { return part.may != part.base })
	var lines []string
	for _, f := range t.Findings {
		lines = append(lines, strings.TrimSpace(f.Term+" "+f.Detail))
	}
	if !uncertain {
		e.Reason = "some senders get a permerror, which no other record can express; mend this first: " + strings.Join(firstOf(lines), "; ")
		return e
	}
	for _, u := range t.Unknown {
		lines = append(lines, fmt.Sprintf("%s of %s %s", u.Term, u.Domain, u.Why))
	}
	e.Reason = "the result can't be told from the client's address alone; leave out what depends on more: " + strings.Join(firstOf(lines), "; ")
	return e
}

// firstOf keeps a list readable.
func firstOf(lines []string) []string {
	const most = 5
	if len(lines) > most {
		return append(slices.Clone(lines[:most]), fmt.Sprintf("and %d more", len(lines)-most))
	}
	return lines
}

// trace fills in where the networks came from, which are the given branches of
// the root, and the TTL.
func (f *Flat) trace(networks []Term, root *Node, branches []Branch) {
	for _, t := range networks {
		f.Sources = append(f.Sources, Source{Prefix: t.Prefix, Qualifier: t.Qualifier})
	}
	slices.SortStableFunc(f.Sources, func(a, b Source) int { return a.Prefix.Addr().Compare(b.Prefix.Addr()) })
	age := aging{walked: map[*Node]bool{}}
	if len(branches) == len(root.Branches) {
		age.node(root)
	}
	s := sourcing{walked: map[walk]bool{}}
	for i := range f.Sources {
		q := f.Sources[i].Qualifier
		s.by[q] = append(s.by[q], &f.Sources[i])
	}
	for i := range branches {
		age.branch(&branches[i])
		s.branch(root, &branches[i], nil)
	}
	f.TTL = age.ttl
}

// aging finds the least TTL of the answers that a tree rests on.
type aging struct {
	walked map[*Node]bool
	any    bool
	ttl    uint32
}

func (a *aging) note(ttl uint32) {
	if !a.any || ttl < a.ttl {
		a.any, a.ttl = true, ttl
	}
}

func (a *aging) node(n *Node) {
	if a.walked[n] {
		return
	}
	a.walked[n] = true
	if n.fetched {
		a.note(n.TTL)
	}
	for i := range n.Branches {
		a.branch(&n.Branches[i])
	}
}

func (a *aging) branch(b *Branch) {
	if b.child != nil {
		a.node(b.child)
	} else if b.Term.Kind.QueriesDNS() && b.Unknown == "" {
		a.note(b.TTL)
	}
}

// sourcing goes through a tree to find where networks came from.
type sourcing struct {
	by     [Fail + 1][]*Source // by qualifier, in order and disjoint
	walked map[walk]bool
}

// walk is a node on the way, and the result of the include that led there.
type walk struct {
	node     *Node
	included bool
	as       Qualifier
}

// node looks at the terms of a record. Under an include, whose result is as,
// only what passes counts.
func (s *sourcing) node(n *Node, as *Qualifier) {
	w := walk{node: n, included: as != nil}
	if as != nil {
		w.as = *as
	}
	if s.walked[w] {
		return
	}
	s.walked[w] = true
	for i := range n.Branches {
		s.branch(n, &n.Branches[i], as)
	}
}

func (s *sourcing) branch(n *Node, b *Branch, as *Qualifier) {
	q := b.Term.Qualifier
	switch {
	case b.child != nil && b.Term.Kind == Redirect:
		s.node(b.child, as)
		return
	case as != nil && q != Pass:
		return
	case as != nil:
		q = *as
	}
	if b.child != nil {
		s.node(b.child, &q)
	} else {
		s.mark(b, q, n.Domain)
	}
}

// mark notes a term as the origin of the networks that it has a share in; an
// all only of those that have no other.
func (s *sourcing) mark(b *Branch, q Qualifier, domain string) {
	most := 10
	if b.Term.Kind == All {
		most = 1
	}
	o := Origin{domain, b.Term.String()}
	sources := s.by[q]
	for _, r := range b.Addresses.ranges {
		i, found := slices.BinarySearchFunc(sources, r.From, func(s *Source, a netip.Addr) int { return s.Prefix.Addr().Compare(a) })
		if !found && i > 0 && sources[i-1].Prefix.Contains(r.From) {
			i--
		}
		for ; i < len(sources) && sources[i].Prefix.Addr().Compare(r.To) <= 0; i++ {
			if src := sources[i]; len(src.From) < most && !slices.Contains(src.From, o) {
				src.From = append(src.From, o)
			}
		}
	}
}
