package spf

import "slices"

// Authorization says what a record makes of every address, apart from the
// limits on lookups.
//
// Pass to Error divide up all addresses by the result for a sender whom none
// of the Unknown terms matches.
type Authorization struct {
	Pass, Neutral, SoftFail, Fail AddressSet
	// Error are the addresses that get permerror.
	Error AddressSet
	// Uncertain are the addresses whose result may be another one if one of
	// the Unknown terms matches.
	Uncertain AddressSet
	// Unknown are the terms on the way that can't be told as a set.
	Unknown []UnknownTerm
}

// UnknownTerm is a term whose addresses can't be told from the DNS alone: it
// uses macros about the sender, asks for the client's name, or its lookup
// stayed open.
type UnknownTerm struct {
	// Domain is the name whose record contains the term; Term its canonical
	// text; Why is for people.
	Domain, Term, Why string
}

// By returns the addresses with the result of a qualifier.
func (a Authorization) By(q Qualifier) AddressSet {
	return [...]AddressSet{a.Pass, a.Neutral, a.SoftFail, a.Fail}[q&3]
}

// Change is what becomes of addresses when one record replaces another.
type Change struct {
	// Gained and Lost are the addresses that begin and cease to pass, for
	// senders whom no unknown term matches.
	Gained, Lost AddressSet
	// GainedUnknown and LostUnknown are the unknown terms that stand on one
	// side only: by them more addresses may gain or lose than the sets say.
	GainedUnknown, LostUnknown []UnknownTerm
}

// Compare tells what becomes of addresses when after replaces before.
func Compare(before, after Authorization) Change {
	return Change{
		Gained:        after.Pass.Minus(before.Pass),
		Lost:          before.Pass.Minus(after.Pass),
		GainedUnknown: without(after.Unknown, before.Unknown),
		LostUnknown:   without(before.Unknown, after.Unknown),
	}
}

func without(terms, others []UnknownTerm) []UnknownTerm {
	return slices.DeleteFunc(slices.Clone(terms), func(t UnknownTerm) bool {
		return slices.ContainsFunc(others, func(o UnknownTerm) bool { return o.Domain == t.Domain && o.Term == t.Term })
	})
}

// outcomes is a set of results.
type outcomes uint8

const (
	canPass outcomes = 1 << iota
	canBeNeutral
	canSoftFail
	canFail
	canError
	// canBeAny is what is known of a record that could not be read.
	canBeAny = canPass | canBeNeutral | canSoftFail | canFail | canError
)

func (q Qualifier) outcome() outcomes { return canPass << q }

// fate is what an evaluation may have in store for an address.
type fate struct {
	// may are the results that some sender from there may get.
	may outcomes
	// base is the one of a sender whom no unknown term matches, 0 as long as
	// the evaluation goes on.
	base outcomes
}

// with adds a result, which is the base unless there is one.
func (f fate) with(o outcomes) fate {
	f.may |= o
	if f.base == 0 {
		f.base = o
	}
	return f
}

// parts divides addresses by fate. There are few fates, and a list keeps the
// work the same from run to run.
type parts []part

type part struct {
	fate
	set AddressSet
}

func (p parts) add(f fate, s AddressSet) parts {
	if s.IsEmpty() {
		return p
	}
	for i := range p {
		if p[i].fate == f {
			p[i].set = p[i].set.Union(s)
			return p
		}
	}
	return append(p, part{f, s})
}

// unread are the parts of a record that could not be read; for want of better,
// its base is that nothing in it matches.
func unread() parts {
	return parts{{fate{may: canBeAny, base: canBeNeutral}, Everything()}}
}

// equal tells whether two records make the same of every address.
func (p parts) equal(o parts) bool {
	return len(p) == len(o) && !slices.ContainsFunc(p, func(mine part) bool {
		return !slices.ContainsFunc(o, func(other part) bool {
			return other.fate == mine.fate && other.set.Equal(mine.set)
		})
	})
}

// certain tells whether the record passes a sender by the address alone,
// without any error.
func (p parts) certain() bool {
	for _, part := range p {
		if part.may != part.base || part.may == canError {
			return false
		}
	}
	return true
}

// division is an evaluation for all addresses at once: open are those that no
// mechanism has matched so far.
type division struct {
	open, done parts
	// work counts the ranges of the sets made.
	work int
}

func newDivision() *division {
	return &division{open: parts{{set: Everything()}}}
}

// evaluate goes through the branches of a record for all addresses at once. It
// gives up, with nil, when it has made more than the given number of ranges.
func evaluate(branches []Branch, budget int) (result parts, work int) {
	d := newDivision()
	for len(branches) > 0 && d.work < budget {
		branches = branches[d.take(branches):]
	}
	if d.work >= budget {
		return nil, d.work
	}
	d.settle(Everything(), canBeNeutral) // RFC 7208 section 4.7
	return d.done, d.work
}

// longRow bounds the ranges taken at once, since an include may be repeated
// thousands of times.
const longRow = 10_000

// take evaluates the first branch and says how many it evaluated: a row of
// terms that match certain sets with the same qualifier is taken at once.
func (d *division) take(branches []Branch) (taken int) {
	q := branches[0].Term.Qualifier
	var row []Range
	for ; taken < len(branches) && branches[taken].Term.Qualifier == q && len(row) < longRow; taken++ {
		set, ok := branches[taken].matches()
		if !ok {
			break
		}
		row = append(row, set.ranges...)
	}
	if taken == 0 {
		d.takeUncertain(&branches[0])
		return 1
	}
	d.work += len(row)
	d.settle(normalized(row), q.outcome())
	return taken
}

// matches is the set of a branch that matches by the address alone.
func (b *Branch) matches() (AddressSet, bool) {
	switch {
	case b.Unknown != "" || b.Problem != "" || b.Term.Kind == Redirect:
		return AddressSet{}, false
	case b.child != nil:
		return b.child.pass, b.child.parts.certain()
	}
	return b.Addresses, true
}

func (d *division) takeUncertain(b *Branch) {
	child := unread()
	switch {
	case b.child != nil:
		child = b.child.parts
	case b.Problem == Loop || b.Problem == TooManyHosts:
		child = brokenParts(b.Problem)
	}
	switch {
	case b.Term.Kind == Redirect:
		d.redirect(child)
	case b.Term.Kind == Include || b.Problem == TooManyHosts:
		d.include(child, b.Term.Qualifier.outcome())
	default:
		d.suspect(b.Term.Qualifier.outcome())
	}
}

// settle ends the evaluation of the open addresses in s.
func (d *division) settle(s AddressSet, o outcomes) {
	var open parts
	for _, p := range d.open {
		d.end(p.with(o), p.set.Intersect(s))
		open = d.add(open, p.fate, p.set.Minus(s))
	}
	d.open = open
}

// suspect notes that any open address may end in o.
func (d *division) suspect(o outcomes) {
	var open parts
	for _, p := range d.open {
		p.may |= o
		open = d.add(open, p.fate, p.set)
	}
	d.open = open
}

// include lets the open addresses meet an include with the qualifier's result,
// whose record has the given parts (RFC 7208 section 5.2).
func (d *division) include(child parts, q outcomes) {
	var open parts
	for _, p := range d.open {
		for _, inner := range child {
			f, s := p.meet(inner.fate, q), p.set.Intersect(inner.set)
			if inner.may&^(canPass|canError) != 0 {
				open = d.add(open, f, s)
			} else {
				d.end(f, s)
			}
		}
	}
	d.open = open
}

// meet is the fate after an include whose record holds the fate inner.
func (f fate) meet(inner fate, q outcomes) fate {
	switch inner.base {
	case canPass:
		f = f.with(q)
	case canError:
		f = f.with(canError)
	default: // no match
	}
	if inner.may&canPass != 0 {
		f.may |= q
	}
	f.may |= inner.may & canError
	return f
}

// redirect ends the evaluation with that of another record.
func (d *division) redirect(child parts) {
	for _, p := range d.open {
		for _, inner := range child {
			f := p.with(inner.base)
			f.may |= inner.may
			d.end(f, p.set.Intersect(inner.set))
		}
	}
	d.open = nil
}

func (d *division) end(f fate, s AddressSet) { d.done = d.add(d.done, f, s) }

func (d *division) add(p parts, f fate, s AddressSet) parts {
	p = p.add(f, s)
	d.work += len(s.ranges)
	return p
}

// authorization reads the sets off the final parts.
func (p parts) authorization() Authorization {
	var a Authorization
	for _, part := range p {
		set := a.of(part.base)
		*set = set.Union(part.set)
		if part.may != part.base {
			a.Uncertain = a.Uncertain.Union(part.set)
		}
	}
	return a
}

func (a *Authorization) of(o outcomes) *AddressSet {
	switch o {
	case canPass:
		return &a.Pass
	case canBeNeutral:
		return &a.Neutral
	case canSoftFail:
		return &a.SoftFail
	case canFail:
		return &a.Fail
	default:
		return &a.Error
	}
}
