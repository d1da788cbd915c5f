package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// Known is what has been learnt from outside about a domain: reports, DNS,
// policy files. What is not known holds the gates that need it. The zero value
// knows nothing.
type Known struct {
	// Journal says whether the past is known. Where the journal is
	// unreadable nothing counts as owned and every gate says unknown.
	Journal plan.JournalStatus
	// SPF is what DNS says of the terms of the domain's SPF records; nil where
	// it was not asked.
	SPF *KnownSPF
	// DNS has the answers to Questions; those that are missing stayed open.
	DNS map[Question]Answer
	// Serials are what the zone's authoritative servers say, each by itself, of
	// the version of the zone that they have. Those that don't answer are missing.
	Serials []Serial
}

// Serial is the serial number (RFC 1035 3.3.13) of a zone at one of its servers.
type Serial struct {
	Server string // its name and address
	Number string
}

// KnownSPF is what DNS says of the SPF terms of one domain, live and declared.
type KnownSPF struct {
	Terms map[string]KnownTerm // by Term.Key
	// Flat is the declared record with its flatten names replaced by their
	// networks; nil where none is asked for or where FlatProblem says why not.
	Flat        *spf.Record
	FlatProblem string
}

// KnownTerm is what one SPF term comes to.
type KnownTerm struct {
	Pass           spf.AddressSet // the addresses that it passes
	Lookups, Voids int            // at least; the term itself counted (RFC 7208 4.6.4)
	// Unknown says why Pass may not be all of it, empty where it is.
	Unknown string
	// Nothing are the terms whose questions came to nothing.
	Nothing []string
	// Faults are why receivers who reach it answer PERMERROR.
	Faults []TermFault
}

// TermFault is what makes a term a PERMERROR: it leads to a record that is
// none, or one of the terms below it does. Domain is the name whose record has
// that term; it and Term are empty for the term itself.
type TermFault struct {
	Problem      spf.Problem
	Term, Domain string
	Detail       string
}

// KnownOf sums up the tree of a record that is a term alone.
func KnownOf(t *spf.Tree) KnownTerm {
	root := *t.Root
	root.Domain = ""
	known := KnownTerm{Pass: t.Authorization().Pass, Lookups: root.Lookups, Voids: root.VoidLookups, Nothing: voids(&root)}
	if len(t.Unknown) > 0 {
		u := t.Unknown[0]
		known.Unknown = fmt.Sprintf("%s of %s: %s", u.Term, u.Domain, u.Why)
	}
	for _, f := range t.Findings {
		switch {
		case f.Problem == spf.Unanswered || f.Problem == spf.TooLarge:
			known.Unknown = f.Detail
		case f.Domain == t.Root.Domain:
			known.Faults = append(known.Faults, TermFault{Problem: f.Problem, Detail: f.Detail})
		default:
			known.Faults = append(known.Faults, TermFault{f.Problem, f.Term, f.Domain, f.Detail})
		}
	}
	return known
}

// term returns what is known of a term, ok only where that is all of it. The
// networks of an ip4 or ip6 are known without DNS.
func (k *KnownSPF) term(t spf.Term) (KnownTerm, bool) {
	if t.Kind == spf.IP4 || t.Kind == spf.IP6 {
		return KnownTerm{Pass: spf.SetOf(t.Prefix)}, true
	}
	if k == nil {
		return KnownTerm{}, false
	}
	known, ok := k.Terms[authority(t)]
	return known, ok && known.Unknown == ""
}

// authority is the key of a term by the addresses that it authorises: a
// redirect passes what an include of the same domain passes.
func authority(t spf.Term) string {
	if t.Kind == spf.Redirect {
		t.Kind = spf.Include
	}
	return t.Key()
}

// spfTerm returns what is known of a term of the record at a name, be it only
// the least that it costs. It is false where the DNS wasn't asked.
func (in *Input) spfTerm(name records.Name, t spf.Term) (KnownTerm, bool) {
	switch {
	case t.Kind == spf.IP4 || t.Kind == spf.IP6:
		return KnownTerm{Pass: spf.SetOf(t.Prefix)}, true
	case in.Known.SPF == nil, name != in.Domain.Name && !t.Absolute():
		return KnownTerm{}, false
	}
	known, ok := in.Known.SPF.Terms[authority(t)]
	return known, ok
}

// spfCost sums up what the record at a name takes receivers at least: through
// all includes where the DNS is known, else by its own terms.
func (in *Input) spfCost(name records.Name, r *spf.Record) (sum KnownTerm) {
	for _, t := range r.Live() {
		known, ok := in.spfTerm(name, t)
		if !ok && t.Kind.QueriesDNS() {
			known.Lookups = 1
		}
		sum.Lookups = min(sum.Lookups+known.Lookups, spf.MaxCount)
		sum.Voids = min(sum.Voids+known.Voids, spf.MaxCount)
		sum.Nothing = append(sum.Nothing, ownTerm(known.Nothing, t)...)
		if t.Qualifier == spf.Pass {
			sum.Pass = sum.Pass.Union(known.Pass)
		}
	}
	return sum
}

// ownTerm puts a term as its record has it in the place of what it was asked
// as: a redirect is asked as an include.
func ownTerm(names []string, t spf.Term) []string {
	asked := t
	asked.Kind, asked.Qualifier = spf.Include, spf.Pass
	if t.Kind != spf.Redirect || len(names) == 0 || names[0] != asked.String() {
		return names
	}
	return append([]string{t.String()}, names[1:]...)
}

// record sums up a record's terms: what they pass, and what they cost. It is
// false where a term is not known; what the others pass is true all the same.
// A term that is no pass and stands before the end makes order count, and then
// nothing is known.
func (k *KnownSPF) record(r *spf.Record) (sum KnownTerm, ok bool) {
	ok = true
	for _, t := range r.Live() {
		if t.Kind == spf.All {
			continue
		}
		if t.Qualifier != spf.Pass {
			return KnownTerm{}, false
		}
		known, all := k.term(t)
		if !all {
			ok = false
			continue
		}
		sum.Pass = sum.Pass.Union(known.Pass)
		sum.Lookups += known.Lookups
		sum.Voids += known.Voids
	}
	return sum, ok
}

// union sums up several records together: what a sender may be in any of them.
func (k *KnownSPF) union(values []records.Value) (sum KnownTerm, ok bool) {
	for _, v := range values {
		r, err := spf.Parse(string(v))
		if err != nil {
			return sum, false
		}
		one, ok := k.record(r)
		if !ok {
			return sum, false
		}
		sum.Pass = sum.Pass.Union(one.Pass)
		sum.Lookups, sum.Voids = sum.Lookups+one.Lookups, sum.Voids+one.Voids
	}
	return sum, true
}

// ownLookups begins the line of a change that counts a record's own terms; what
// DNS says of the whole tree takes its place.
const ownLookups = "lookups of its own terms"

// explain adds to the SPF changes of a domain what DNS knows: lookups through
// all includes, and the addresses that gain and lose authorisation.
func (k *KnownSPF) explain(changes []plan.Change) {
	for i := range changes {
		c := &changes[i]
		if c.Kind != records.KindSPF || c.Step != plan.StepChange {
			continue
		}
		before, ok1 := k.union(spfOf(c.Before))
		after, ok2 := k.union(spfOf(c.After))
		if !ok1 || !ok2 {
			continue
		}
		c.Meaning = slices.DeleteFunc(slices.Clone(c.Meaning), func(m string) bool { return strings.HasPrefix(m, ownLookups) })
		c.Meaning = append(c.Meaning, counts(c.Before, before, after)...)
		c.Meaning = append(c.Meaning, addresses("gain", after.Pass.Minus(before.Pass))...)
		c.Meaning = append(c.Meaning, addresses("lose", before.Pass.Minus(after.Pass))...)
	}
}

// spfOf are the SPF values of a set.
func spfOf(s *plan.Set) []records.Value {
	if s == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Values), func(v records.Value) bool { return !spf.IsSPF(string(v)) })
}

func counts(was *plan.Set, before, after KnownTerm) []string {
	var out []string
	switch {
	case len(spfOf(was)) != 1:
		out = append(out, fmt.Sprintf("lookups: %d of %d", after.Lookups, MaxLookups))
	case before.Lookups != after.Lookups:
		out = append(out, fmt.Sprintf("lookups %d → %d of %d", before.Lookups, after.Lookups, MaxLookups))
	}
	if after.Voids > 0 {
		out = append(out, fmt.Sprintf("lookups that come to nothing: %d of %d", after.Voids, MaxVoids))
	}
	return out
}

// MaxVoids is the limit of void lookups (RFC 7208 4.6.4).
const MaxVoids = 2

// addresses says how many addresses a set has, and names the largest ranges.
func addresses(verb string, s spf.AddressSet) []string {
	if s.IsEmpty() {
		return nil
	}
	var ranges []string
	for _, r := range s.Largest(3) {
		ranges = append(ranges, r.String())
	}
	return []string{fmt.Sprintf("%s authorisation: %s (%s)", verb, howMany(s), strings.Join(ranges, ", "))}
}

// howMany counts a set in words: IPv4 addresses, and IPv6 by its ranges, whose
// addresses nobody can count.
func howMany(s spf.AddressSet) string {
	var parts []string
	if n := s.Count4(); n == 1 {
		parts = append(parts, "1 IPv4 address")
	} else if n > 0 {
		parts = append(parts, fmt.Sprintf("%d IPv4 addresses", n))
	}
	six := 0
	for _, r := range s.Ranges() {
		if !r.From.Is4() {
			six++
		}
	}
	if six == 1 {
		parts = append(parts, "1 IPv6 range")
	} else if six > 0 {
		parts = append(parts, fmt.Sprintf("%d IPv6 ranges", six))
	}
	return strings.Join(parts, ", ")
}
