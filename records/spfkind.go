package records

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/records/spf"
)

// parkedSPF is the record of a domain that sends nothing.
const parkedSPF Value = spf.Version + " -all"

var spfKind = kind{
	id:       KindSPF,
	title:    "SPF",
	version:  spf.Version,
	declared: declaredSPF,
	covers:   coversSPF,
	owner:    ownerSPF,
	reprint:  reprintSPF,
	parts:    func(vs []Value) []string { return partsOf(vs, spfParts) },
	describe: describeSPF,
}

func declaredSPF(d *Domain) []Declared {
	key := Key{d.Name, TypeTXT}
	if d.Parked {
		return []Declared{{Kind: KindSPF, Key: key, Value: parkedSPF, Source: d.Source}}
	}
	out := returnPathSPF(d)
	if d.SPF != nil && d.SPF.Record != nil {
		out = append(out, Declared{KindSPF, key, Value(d.SPF.Record.String()), d.SPF.TTL, d.SPF.Source})
	}
	return out
}

// returnPathSPF are the records that senders need at names of their own, such
// as the MAIL FROM domain of SES: one at each name, whose end is the softest
// that a sender asks for.
func returnPathSPF(d *Domain) []Declared {
	byName := map[Name]*spfSet{}
	places := map[Name]Source{}
	for _, s := range d.Senders {
		for _, t := range s.SPF {
			term, err := spf.ParseTerm(t.Term)
			if t.Name == d.Name || err != nil {
				continue
			}
			if byName[t.Name] == nil {
				byName[t.Name], places[t.Name] = &spfSet{}, s.Source
			}
			byName[t.Name].add(term)
		}
	}
	var out []Declared
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, Declared{Kind: KindSPF, Key: Key{name, TypeTXT}, Value: byName[name].record(), Source: places[name]})
	}
	return out
}

func coversSPF(d *Domain) []Cover {
	var out []Cover
	for _, declared := range declaredSPF(d) {
		out = append(out, Cover{KindSPF, declared.Key, spf.Version})
	}
	return out
}

func ownerSPF(k Key, v Value) (Name, bool) {
	return k.Name, k.Type == TypeTXT && hasVersion(v, spf.Version)
}

func reprintSPF(v Value) (Value, error) {
	r, err := spf.Parse(string(v))
	if err != nil {
		return "", err
	}
	return Value(r.String()), nil
}

// spfParts are the terms of a record, each with its qualifier; all is written
// all=~, so that it is one thing with a value. What can't be parsed is a part
// as it stands.
func spfParts(v Value) []string {
	r, faults := spf.ParseLoose(string(v))
	var parts []string
	for _, t := range r.Terms {
		parts = append(parts, spfWord(t))
	}
	for _, f := range faults {
		parts = append(parts, f.Term)
	}
	return parts
}

func spfWord(t spf.Term) string {
	if t.Kind == spf.All {
		return "all=" + string(t.Qualifier.Symbol())
	}
	return t.String()
}

// spfSet is what the values at one name say together. Several records, or one
// with a fault, are a PERMERROR (RFC 7208 4.5, 4.6).
type spfSet struct {
	records int
	lookups int
	faults  []string
	terms   []spf.Term // each key once, with its softest qualifier
	all     string     // the qualifier of all; empty: there is none
}

func readSPF(vs []Value) spfSet {
	s := spfSet{records: len(vs)}
	for _, v := range vs {
		r, faults := spf.ParseLoose(string(v))
		for _, f := range faults {
			s.faults = append(s.faults, f.Term)
		}
		s.lookups += r.DirectLookups()
		for _, t := range r.Terms {
			s.add(t)
		}
	}
	return s
}

func (s *spfSet) add(t spf.Term) {
	if t.Kind == spf.All {
		if symbol := string(t.Qualifier.Symbol()); s.all == "" || strictness(symbol) < strictness(s.all) {
			s.all = symbol
		}
		return
	}
	for i := range s.terms {
		if s.terms[i].Key() == t.Key() {
			s.terms[i].Qualifier = min(s.terms[i].Qualifier, t.Qualifier)
			return
		}
	}
	s.terms = append(s.terms, t)
}

// record is one record with all terms; without an all it ends in softfail.
func (s *spfSet) record() Value {
	end := spf.SoftFail
	if s.all != "" {
		end = spf.Qualifier(strictness(s.all))
	}
	return Value(spf.Union(spf.New(s.terms...), nil, end).String())
}

func (s spfSet) find(key string) (spf.Term, bool) {
	i := slices.IndexFunc(s.terms, func(t spf.Term) bool { return t.Key() == key })
	if i < 0 {
		return spf.Term{}, false
	}
	return s.terms[i], true
}

// permerror reports whether receivers can't evaluate what is published.
func (s spfSet) permerror() bool { return s.records > 1 || len(s.faults) > 0 }

// strictness orders the qualifiers of all; a record without one ends neutral
// (RFC 7208 4.7).
func strictness(symbol string) int { return max(strings.Index("+?~-", symbol), 0) }

// keeps reports whether o surely authorises all that s does: every term of s
// stands in o with a qualifier that is not stricter, unlisted senders fare no
// worse, and no new term that isn't a pass takes any of them away.
func (s spfSet) keeps(o spfSet) bool {
	for _, t := range o.terms {
		if _, found := s.find(t.Key()); !found && t.Qualifier != spf.Pass {
			return false
		}
	}
	for _, t := range s.terms {
		kept, found := o.find(t.Key())
		if !found || kept.Qualifier > t.Qualifier {
			return false
		}
	}
	return strictness(o.end()) <= strictness(s.end())
}

func (s spfSet) end() string {
	if s.all == "" {
		return "?"
	}
	return s.all
}

func describeSPF(before, after []Value) []string {
	was, is := readSPF(before), readSPF(after)
	switch {
	case was.records == 0:
		return append([]string{"new SPF record" + is.summary()}, is.brokenLines()...)
	case is.records == 0:
		return []string{"SPF record removed: nobody is authorised, receivers find no SPF"}
	}
	lines := recordLines(was, is)
	for _, t := range is.terms {
		old, found := was.find(t.Key())
		switch {
		case !found:
			lines = append(lines, "+ "+t.String())
		case old.Qualifier != t.Qualifier:
			lines = append(lines, fmt.Sprintf("%s from %s to %s", t.Key(), old.Qualifier, t.Qualifier))
		}
	}
	for _, t := range was.terms {
		if _, found := is.find(t.Key()); !found {
			lines = append(lines, "− "+t.String())
		}
	}
	lines = append(lines, allLines(was, is)...)
	if was.records == 1 && was.lookups != is.lookups {
		lines = append(lines, fmt.Sprintf("lookups of its own terms %d → %d of 10", was.lookups, is.lookups))
	}
	return append(lines, is.brokenLines()...)
}

// summary lists the terms of a new record.
func (s spfSet) summary() string {
	var words []string
	for _, t := range s.terms {
		words = append(words, t.String())
	}
	if s.all != "" {
		words = append(words, s.all+"all")
	}
	return ": " + strings.Join(words, " ")
}

// recordLines tells what becomes of several records, or of a broken one.
func recordLines(was, is spfSet) []string {
	kept := ""
	if was.keeps(is) && !is.permerror() {
		kept = ", nobody loses authorisation"
	}
	switch {
	case was.records > 1:
		return []string{fmt.Sprintf("%d records → %d%s (a PERMERROR today)", was.records, is.records, kept)}
	case len(was.faults) > 0 && len(is.faults) == 0:
		return []string{fmt.Sprintf("mends %s%s (a PERMERROR today)", strings.Join(was.faults, " "), kept)}
	}
	return nil
}

// brokenLines tells that receivers won't be able to evaluate the result.
func (s spfSet) brokenLines() []string {
	switch {
	case s.records > 1:
		return []string{fmt.Sprintf("%d records: a PERMERROR", s.records)}
	case len(s.faults) > 0:
		return []string{"a PERMERROR: " + strings.Join(s.faults, " ") + " is no SPF term"}
	}
	return nil
}

// allLines tells what changes for senders that no term lists.
func allLines(was, is spfSet) []string {
	if was.all == is.all {
		return nil
	}
	results := map[string]string{"+": "pass", "?": "are neutral", "~": "softfail", "-": "fail", "": "are neutral or go by the redirect"}
	name := func(all string) string {
		if all == "" {
			return "absent"
		}
		return all
	}
	return []string{fmt.Sprintf("all %s → %s: unlisted senders %s", name(was.all), name(is.all), results[is.all])}
}
