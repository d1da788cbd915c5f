package spf

import (
	"fmt"
	"net/netip"
	"strings"
)

// SyntaxError is one fault in the text of a record.
type SyntaxError struct {
	// Pos is the byte offset of the fault in the text.
	Pos int
	// Start and End are the byte offsets of the term that contains it.
	Start, End int
	// Term is the text of the term as written.
	Term string
	// Problem says what is wrong with the term, as a predicate.
	Problem string
	// Fix says how to mend it.
	Fix string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("byte %d: %q %s: %s", e.Pos, shorten(e.Term), e.Problem, e.Fix)
}

// shorten keeps a term that is too long to be read at a length for messages.
func shorten(term string) string {
	const most = 100
	if len(term) > most {
		return term[:most] + "..."
	}
	return term
}

// SyntaxErrors are all the faults of a record, in the order of their offsets.
type SyntaxErrors []*SyntaxError

// Error names the first faults; a hostile record may have thousands.
func (e SyntaxErrors) Error() string {
	const most = 5
	var out strings.Builder
	out.WriteString("invalid SPF record: ")
	for i, one := range e[:min(len(e), most)] {
		if i > 0 {
			out.WriteString("; ")
		}
		out.WriteString(one.Error())
	}
	if len(e) > most {
		fmt.Fprintf(&out, "; and %d more faults", len(e)-most)
	}
	return out.String()
}

// Unwrap lets errors.As find the first *SyntaxError.
func (e SyntaxErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, one := range e {
		errs[i] = one
	}
	return errs
}

// IsSPF tells whether a TXT value is selected as an SPF record: it begins with
// the version, in any case, followed by a space or nothing (RFC 7208 section
// 4.5).
func IsSPF(text string) bool {
	return len(text) >= len(Version) && equalFold(text[:len(Version)], Version) &&
		(len(text) == len(Version) || text[len(Version)] == ' ')
}

// Parse parses a record after the grammar of RFC 7208 section 12. It checks
// every term wherever it stands (section 4.6), so the error, a SyntaxErrors,
// names all faults at once.
func Parse(text string) (*Record, error) {
	r, errs := ParseLoose(text)
	if len(errs) > 0 {
		return nil, errs
	}
	return r, nil
}

// ParseLoose parses what can be parsed, so that a broken record can be shown:
// the record has the valid terms, the errors tell of the others. A receiver
// that meets a record with an error makes it permerror as a whole. The record
// is never nil; without a version it has no terms.
func ParseLoose(text string) (*Record, SyntaxErrors) {
	r := &Record{Text: text}
	if !IsSPF(text) {
		word, _, _ := strings.Cut(text, " ")
		return r, SyntaxErrors{{End: len(word), Term: word, Problem: "does not begin an SPF record",
			Fix: `begin the record with "v=spf1" and a space`}}
	}
	r.Terms = make([]Term, 0, countTerms(text))
	var errs SyntaxErrors
	for pos, end := nextTerm(text, len(Version)); pos < len(text); pos, end = nextTerm(text, end) {
		t, f := parseTerm(text[pos:end])
		if f == nil && (t.Kind == Redirect || t.Kind == Exp) {
			f = r.checkSingle(t.Kind)
		}
		if f != nil {
			errs = append(errs, &SyntaxError{pos + f.at, pos, end, text[pos:end], f.problem, f.fix})
			continue
		}
		t.Pos, t.End = pos, end
		r.Terms = append(r.Terms, t)
	}
	return r, errs
}

// ParseTerm parses one directive or modifier, such as "include:example.com".
// Its offsets are those in the given text.
func ParseTerm(text string) (Term, error) {
	t, f := parseTerm(text)
	if f != nil {
		return Term{}, &SyntaxError{f.at, 0, len(text), text, f.problem, f.fix}
	}
	t.End = len(text)
	return t, nil
}

// checkSingle refuses a second redirect or exp (RFC 7208 section 6).
func (r *Record) checkSingle(k Kind) *fault {
	if _, found := r.Find(k); found {
		return &fault{0, "repeats a modifier that may stand only once", "delete one of the two"}
	}
	return nil
}

// nextTerm finds the term after offset i; terms are separated by spaces only.
func nextTerm(text string, i int) (pos, end int) {
	for i < len(text) && text[i] == ' ' {
		i++
	}
	pos = i
	for i < len(text) && text[i] != ' ' {
		i++
	}
	return pos, i
}

func countTerms(text string) int {
	n := 0
	for i := len(Version); i < len(text); i++ {
		if text[i] != ' ' && text[i-1] == ' ' {
			n++
		}
	}
	return n
}

// parseTerm parses a term. The character after its name decides: "=" makes it
// a modifier, anything else a mechanism (RFC 7208 section 4.6.1).
func parseTerm(s string) (t Term, f *fault) {
	body := 0
	if s != "" {
		if q := strings.IndexByte("+?~-", s[0]); q >= 0 {
			t.Qualifier, body = Qualifier(q), 1
		}
	}
	end := body + nameLen(s[body:])
	if end < len(s) && s[end] == '=' {
		if body > 0 {
			return t, &fault{0, "is a modifier with a qualifier", "delete the sign before the name"}
		}
		return t, t.parseModifier(s[:end], s[end+1:])
	}
	f = t.parseMechanism(s[body:end], s[end:])
	if f != nil {
		f.at += body
	}
	return t, f
}

// nameLen is the length of s before the first of : / = or its end.
func nameLen(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ':', '/', '=':
			return i
		}
	}
	return len(s)
}

func (t *Term) parseModifier(name, value string) (f *fault) {
	switch {
	case equalFold(name, kindNames[Redirect]):
		t.Kind = Redirect
		t.Domain, f = parseDomainSpec(value)
	case equalFold(name, kindNames[Exp]):
		t.Kind = Exp
		t.Domain, f = parseDomainSpec(value)
	case !isModifierName(name):
		return &fault{0, "has an invalid modifier name", "a name begins with a letter and goes on with letters, digits, - _ and ."}
	default:
		t.Kind, t.Name, t.Value = Other, name, value
		_, f = parseMacroString(value, inModifier)
	}
	if f != nil {
		f.at += len(name) + 1
	}
	return f
}

func isModifierName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !isAlpha(c) && (i == 0 || !isDigit(c) && c != '-' && c != '_' && c != '.') {
			return false
		}
	}
	return s != ""
}

// parseMechanism parses a mechanism; rest begins with : or / or is empty.
func (t *Term) parseMechanism(name, rest string) (f *fault) {
	t.Kind = mechanism(name)
	value, colon := strings.CutPrefix(rest, ":")
	switch t.Kind {
	case All:
		if rest != "" {
			return &fault{len(name), "gives all a value", "write all alone"}
		}
	case A, MX:
		f = t.parseHost(value, colon)
	case PTR:
		if rest != "" {
			t.Domain, f = parseRequiredDomain(value, colon)
		}
	case Include, Exists:
		t.Domain, f = parseRequiredDomain(value, colon)
	case IP4, IP6:
		t.Prefix, f = parseNetwork(t.Kind, value, colon)
	default:
		return unknownMechanism(name)
	}
	if f != nil {
		f.at += len(name) + len(rest) - len(value)
	}
	return f
}

func mechanism(name string) Kind {
	for k := All; k <= Exists; k++ {
		if equalFold(name, kindNames[k]) {
			return k
		}
	}
	return 0
}

func unknownMechanism(name string) *fault {
	f := &fault{0, "is no known mechanism", "use one of all include a mx ptr ip4 ip6 exists"}
	switch {
	case name == "":
		f.problem = "has no name"
	case equalFold(name, "redirect"), equalFold(name, "exp"):
		f.fix = "it is a modifier: write " + strings.ToLower(name) + "= instead of a colon"
	case equalFold(name, "ip"), equalFold(name, "ipv4"):
		f.fix = "write ip4: for an IPv4 address or network"
	case equalFold(name, "ipv6"):
		f.fix = "write ip6: for an IPv6 address or network"
	}
	return f
}

func parseRequiredDomain(value string, colon bool) (MacroString, *fault) {
	if !colon {
		return MacroString{}, &fault{0, "names no domain", "write a colon and the domain after the name"}
	}
	return parseDomainSpec(value)
}

// parseHost parses the optional domain and lengths of an a or mx.
func (t *Term) parseHost(value string, colon bool) (f *fault) {
	domain, len4, len6 := cutLengths(value)
	if t.Len4, f = parseLength(len4, 32); f != nil {
		f.at += len(domain)
		return f
	}
	if t.Len6, f = parseLength(strings.TrimPrefix(len6, "/"), 128); f != nil {
		f.at += len(domain) + len(len4) + 1
		return f
	}
	if colon {
		t.Domain, f = parseDomainSpec(domain)
		return f
	}
	if domain != "" {
		return &fault{0, "has a misshapen prefix length", "write /24 for IPv4, //64 for IPv6, or /24//64 for both"}
	}
	return nil
}

// cutLengths cuts "/24", "//64" or "/24//64" from the end of s. A domain may
// contain slashes itself, so only the end can tell.
func cutLengths(s string) (domain, len4, len6 string) {
	if i := lastLength(s); i > 0 && s[i-1] == '/' {
		s, len6 = s[:i-1], s[i-1:]
	}
	if i := lastLength(s); i >= 0 {
		s, len4 = s[:i], s[i:]
	}
	return s, len4, len6
}

// lastLength is the index of the slash of a trailing "/digits", or -1.
func lastLength(s string) int {
	i := len(s)
	for i > 0 && isDigit(s[i-1]) {
		i--
	}
	if i > 0 && s[i-1] == '/' {
		return i - 1
	}
	return -1
}

// parseLength parses "/24"; the empty string is "not written".
func parseLength(s string, whole int) (Length, *fault) {
	if s == "" {
		return 0, nil
	}
	digits := s[1:]
	bits, ok := 0, digits != "" && len(digits) <= 3 && (digits[0] != '0' || digits == "0")
	for i := 0; i < len(digits) && ok; i++ {
		ok = isDigit(digits[i])
		bits = bits*10 + int(digits[i]-'0')
	}
	if !ok || bits > whole {
		return 0, &fault{0, "has an invalid prefix length", fmt.Sprintf("write a number from 0 to %d without leading zeros", whole)}
	}
	return LengthOf(bits), nil
}

// parseNetwork parses the value of an ip4 or ip6.
func parseNetwork(k Kind, value string, colon bool) (netip.Prefix, *fault) {
	if !colon || value == "" {
		return netip.Prefix{}, &fault{0, "names no address", "write a colon and the address or network after the name"}
	}
	host, length := value, ""
	if i := strings.IndexByte(value, '/'); i >= 0 {
		host, length = value[:i], value[i:]
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" || addr.Is4() != (k == IP4) {
		return netip.Prefix{}, wrongAddress(k, addr)
	}
	bits, f := parseLength(length, addr.BitLen())
	if f != nil {
		f.at += len(host)
		return netip.Prefix{}, f
	}
	return netip.PrefixFrom(addr, bits.Bits(addr.BitLen())).Masked(), nil
}

func wrongAddress(k Kind, addr netip.Addr) *fault {
	switch {
	case k == IP4 && addr.Is6():
		return &fault{0, "has an IPv6 address in ip4", "write ip6:"}
	case k == IP4:
		return &fault{0, "has no valid IPv4 address", "write four numbers from 0 to 255 without leading zeros, as in ip4:192.0.2.1"}
	case addr.Is4():
		return &fault{0, "has an IPv4 address in ip6", "write ip4:"}
	}
	return &fault{0, "has no valid IPv6 address", "write it as in ip6:2001:db8::1, without a zone"}
}
