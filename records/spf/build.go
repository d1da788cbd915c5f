package spf

// New returns the record that consists of the given terms, its text canonical
// and the offsets of the terms set accordingly. It doesn't check the terms.
func New(terms ...Term) *Record {
	r := &Record{Terms: make([]Term, len(terms))}
	buf := []byte(Version)
	for i, t := range terms {
		buf = append(buf, ' ')
		t.Pos = len(buf)
		buf = t.appendTo(buf)
		t.End = len(buf)
		r.Terms[i] = t
	}
	r.Text = string(buf)
	return r
}

// Union returns the record that authorises what declared does and, besides,
// what the kept terms (of a live record) do: the declared terms in their
// order, then the kept terms in theirs, then all with the given qualifier,
// then the modifiers.
//
// A term that stands in both keeps its declared place and gets the softer
// qualifier. Since the record ends in all, where a redirect would be dead
// (RFC 7208 section 6.1), a redirect of either side becomes an include. Kept
// terms go before a declared mechanism that is not a pass, so that it takes
// nothing from them. Declared mechanisms after an all are dead and dropped;
// a kept all is ignored, a kept exp where one is declared.
func Union(declared *Record, keep []Term, all Qualifier) *Record {
	var mechanisms, modifiers []Term
	for _, t := range declared.Live() {
		if t.Kind != All {
			mechanisms = append(mechanisms, asMechanism(t))
		}
	}
	for _, t := range declared.Terms {
		if t.Kind == Exp || t.Kind == Other {
			modifiers = append(modifiers, t)
		}
	}
	place := firstNotPass(mechanisms)
	for _, t := range keep {
		switch t.Kind {
		case All:
		case Exp, Other:
			modifiers = addModifier(modifiers, t)
		default:
			mechanisms, place = addMechanism(mechanisms, asMechanism(t), place)
		}
	}
	terms := append(mechanisms, Term{Kind: All, Qualifier: all})
	return New(append(terms, modifiers...)...)
}

// asMechanism turns a redirect into the include of the same domain.
func asMechanism(t Term) Term {
	if t.Kind == Redirect {
		t.Kind = Include
	}
	return t
}

func firstNotPass(terms []Term) int {
	for i, t := range terms {
		if t.Qualifier != Pass {
			return i
		}
	}
	return len(terms)
}

// addMechanism inserts t at place or, where terms has it already, softens it.
func addMechanism(terms []Term, t Term, place int) (_ []Term, next int) {
	key := t.Key()
	for i := range terms {
		if terms[i].Key() == key {
			terms[i].Qualifier = min(terms[i].Qualifier, t.Qualifier)
			return terms, place
		}
	}
	terms = append(terms, Term{})
	copy(terms[place+1:], terms[place:])
	terms[place] = t
	return terms, place + 1
}

func addModifier(terms []Term, t Term) []Term {
	for _, have := range terms {
		if have.Kind == Exp && t.Kind == Exp || have.Key() == t.Key() {
			return terms
		}
	}
	return append(terms, t)
}
