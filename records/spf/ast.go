package spf

import "net/netip"

// Version is the text that opens every record (RFC 7208 section 4.5).
const Version = "v=spf1"

// Record is a parsed SPF record.
type Record struct {
	// Text is the record as it was given to Parse or, for a record built
	// from terms, its canonical text. The offsets of the terms refer to it.
	Text string
	// Terms are the directives and modifiers in the order of the record.
	Terms []Term
}

// Term is a directive (a mechanism with its qualifier) or a modifier
// (RFC 7208 section 4.6.1). Which fields have a meaning depends on Kind.
type Term struct {
	// Pos and End are the byte offsets of the term in [Record.Text].
	Pos, End int
	Kind     Kind
	// Qualifier of a mechanism. Modifiers have none.
	Qualifier Qualifier
	// Len4 and Len6 are the dual-cidr-length of an a or mx.
	Len4, Len6 Length
	// Domain is the domain-spec. It is empty for all, ip4, ip6 and Other, and
	// for an a, mx or ptr that means the domain under evaluation.
	Domain MacroString
	// Prefix is the network of an ip4 or ip6, its host bits cleared.
	Prefix netip.Prefix
	// Name and Value of an Other modifier, as written.
	Name, Value string
}

// Absolute tells whether a term means the same in the record of any domain: it
// names what it asks for, without macros (section 7).
func (t Term) Absolute() bool {
	switch t.Kind {
	case Include, A, MX, PTR, Exists, Redirect, Exp:
		return !t.Domain.IsZero() && !t.Domain.HasMacros()
	default:
		return true
	}
}

// Kind tells the mechanisms and modifiers apart.
type Kind uint8

// The mechanisms of RFC 7208 section 5 and the modifiers of section 6.
const (
	All Kind = iota + 1
	Include
	A
	MX
	PTR
	IP4
	IP6
	Exists
	Redirect
	Exp
	// Other is an unknown modifier, which evaluation ignores.
	Other
)

// kindNames holds the canonical spelling of each kind that has one.
var kindNames = [...]string{
	All: "all", Include: "include", A: "a", MX: "mx", PTR: "ptr",
	IP4: "ip4", IP6: "ip6", Exists: "exists", Redirect: "redirect", Exp: "exp",
	Other: "modifier",
}

// String returns the name as it stands in a record, "modifier" for Other.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k != 0 {
		return kindNames[k]
	}
	return "invalid"
}

// Modifier tells whether k is a modifier rather than a mechanism.
func (k Kind) Modifier() bool { return k >= Redirect }

// QueriesDNS tells whether a term of this kind counts against the limit of
// ten lookups (RFC 7208 section 4.6.4). exp queries the DNS too, but only
// after the result is known, and doesn't count.
func (k Kind) QueriesDNS() bool {
	switch k {
	case Include, A, MX, PTR, Exists, Redirect:
		return true
	default:
		return false
	}
}

// Qualifier says what a match means (RFC 7208 section 4.6.2). The values are
// in the order of strictness: Pass < Neutral < SoftFail < Fail.
type Qualifier uint8

// The four qualifiers; the zero value is the default "+".
const (
	Pass     Qualifier = iota // "+"
	Neutral                   // "?"
	SoftFail                  // "~"
	Fail                      // "-"
)

// String returns the name of the result that the qualifier stands for.
func (q Qualifier) String() string { return string(q.Result()) }

// Symbol returns the character that stands for q in a record.
func (q Qualifier) Symbol() byte { return "+?~-"[q&3] }

// Result returns the result of a match with this qualifier.
func (q Qualifier) Result() Result {
	return [...]Result{ResultPass, ResultNeutral, ResultSoftFail, ResultFail}[q&3]
}

// Length is an optional CIDR prefix length. The zero value is "not written",
// which means the whole address, so that forgetting it never widens a term.
type Length uint8

// LengthOf returns the Length for a number of bits from 0 to 128.
func LengthOf(bits int) Length { return Length(bits + 1) }

// Bits returns the number of bits; whole (32 or 128) if none was written.
func (l Length) Bits(whole int) int {
	if l == 0 {
		return whole
	}
	return int(l) - 1
}

// Result is the outcome of an evaluation (RFC 7208 section 2.6).
type Result string

// The results of RFC 7208 section 2.6.
const (
	ResultNone      Result = "none"
	ResultNeutral   Result = "neutral"
	ResultPass      Result = "pass"
	ResultFail      Result = "fail"
	ResultSoftFail  Result = "softfail"
	ResultTempError Result = "temperror"
	ResultPermError Result = "permerror"
)

// All returns the qualifier of the first all mechanism; ok is false if the
// record has none.
func (r *Record) All() (q Qualifier, ok bool) {
	if i := r.allIndex(); i < len(r.Terms) {
		return r.Terms[i].Qualifier, true
	}
	return Neutral, false
}

// allIndex is the index of the first all, or the number of terms.
func (r *Record) allIndex() int {
	for i := range r.Terms {
		if r.Terms[i].Kind == All {
			return i
		}
	}
	return len(r.Terms)
}

// Find returns the first term of a kind.
func (r *Record) Find(k Kind) (Term, bool) {
	for i := range r.Terms {
		if r.Terms[i].Kind == k {
			return r.Terms[i], true
		}
	}
	return Term{}, false
}

// Live returns the terms that can have an effect: not the mechanisms after an
// all (RFC 7208 section 5.1), nor a redirect beside one (section 6.1), nor
// unknown modifiers. A redirect comes last wherever it was written, since it
// is used when no mechanism matched; exp is left out.
func (r *Record) Live() []Term {
	all := r.allIndex()
	live := make([]Term, 0, len(r.Terms))
	for i := range r.Terms {
		if !r.Terms[i].Kind.Modifier() && i <= all {
			live = append(live, r.Terms[i])
		}
	}
	if redirect, ok := r.Find(Redirect); ok && all == len(r.Terms) {
		live = append(live, redirect)
	}
	return live
}

// Lookups returns the live terms that count against the limit of ten lookups
// (RFC 7208 section 4.6.4), without those inside the records they name.
func (r *Record) Lookups() []Term {
	var lookups []Term
	for _, t := range r.Live() {
		if t.Kind.QueriesDNS() {
			lookups = append(lookups, t)
		}
	}
	return lookups
}

// DirectLookups is the number of Lookups.
func (r *Record) DirectLookups() int { return len(r.Lookups()) }
