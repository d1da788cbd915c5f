package spf

import "strings"

// MacroString is a macro-string or domain-spec (RFC 7208 section 7.1) as
// written, and its parts where it contains macros. The zero value is the empty
// string.
type MacroString struct {
	// Text is the macro-string as written.
	Text string
	// Parts are the literals and expansions in order, or nil if the text is
	// one literal.
	Parts []MacroPart
}

// MacroPart is a stretch of literal text or one macro-expand.
type MacroPart struct {
	// Literal is the text of a literal part, empty for an expansion.
	Literal string
	// Letter is the macro letter as written (upper case asks for URL escaping,
	// section 7.3), '%', '_' or '-' for the escapes, 0 for a literal.
	Letter byte
	// Keep is the number of right-hand parts to keep; 0 keeps all.
	Keep int
	// Reverse asks for the parts in reverse order.
	Reverse bool
	// Delimiters are the characters to split at; empty means ".".
	Delimiters string
}

// Literal returns the macro-string that expands to a plain domain name.
// The name is not checked; [ParseTerm] checks.
func Literal(domain string) MacroString { return MacroString{Text: domain} }

// IsZero tells whether the macro-string is empty.
func (m MacroString) IsZero() bool { return m.Text == "" }

// HasMacros tells whether the text contains any macro-expand.
func (m MacroString) HasMacros() bool { return m.Parts != nil }

// Uses tells whether any of the given macro letters (in lower case) occurs.
func (m MacroString) Uses(letters string) bool {
	for _, p := range m.Parts {
		if isAlpha(p.Letter) && strings.IndexByte(letters, lower(p.Letter)) >= 0 {
			return true
		}
	}
	return false
}

// maxKeep bounds the number of parts to keep. A name has at most 127 labels;
// RFC 7208 section 7.3 asks for at least 127.
const maxKeep = 255

// A place is where a macro-string stands; it decides what the string may
// contain.
type place uint8

const (
	inDomain      place = iota
	inModifier          // the value of an unknown modifier, which nobody expands
	inExplanation       // the text that an exp refers to; it may contain spaces
)

// The macro letters of RFC 7208 section 7.2; the second group is for
// explanation texts only.
const (
	macroLetters   = "slodiphv"
	explainLetters = "crt"
	delimiters     = ".-+,/_="
)

func (p place) letters() string {
	if p == inDomain {
		return macroLetters
	}
	return macroLetters + explainLetters
}

func (p place) allows(c byte) bool {
	return c > ' ' && c <= '~' || c == ' ' && p == inExplanation
}

// fault is a syntax error inside a term, at an offset from its start.
type fault struct {
	at           int
	problem, fix string
}

// parseMacroString parses text as the macro-string of a place.
func parseMacroString(text string, in place) (MacroString, *fault) {
	m := MacroString{Text: text}
	start := 0
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '%':
			part, width, f := parseExpansion(text[i:], in.letters())
			if f != nil {
				f.at += i
				return m, f
			}
			m.addLiteral(text[start:i])
			m.Parts = append(m.Parts, part)
			i += width
			start = i
		case !in.allows(c):
			return m, &fault{i, "contains a character that is not visible ASCII",
				"delete it; look for text pasted from a web page or a word processor, and write an international domain name in its xn-- form"}
		default:
			i++
		}
	}
	if m.Parts != nil {
		m.addLiteral(text[start:])
	}
	return m, nil
}

func (m *MacroString) addLiteral(s string) {
	if s != "" {
		m.Parts = append(m.Parts, MacroPart{Literal: s})
	}
}

// parseExpansion parses the macro-expand that s begins with.
func parseExpansion(s, letters string) (part MacroPart, width int, f *fault) {
	if len(s) > 1 && strings.IndexByte("%_-", s[1]) >= 0 {
		return MacroPart{Letter: s[1]}, 2, nil
	}
	end := strings.IndexByte(s, '}')
	if len(s) < 2 || s[1] != '{' || end < 0 {
		return part, 0, &fault{0, "contains a % that begins no macro", "write %% for a percent sign, or a macro such as %{i}"}
	}
	part, f = parseTransformers(s[2:end], letters)
	if f != nil {
		f.at += 2
	}
	return part, end + 1, f
}

// parseTransformers parses what stands between the braces of a macro.
func parseTransformers(s, letters string) (part MacroPart, f *fault) {
	if s == "" || strings.IndexByte(letters, lower(s[0])) < 0 {
		return part, unknownLetter(s)
	}
	part.Letter = s[0]
	i := 1
	for i < len(s) && isDigit(s[i]) {
		part.Keep = min(part.Keep*10+int(s[i]-'0'), maxKeep)
		i++
	}
	if i > 1 && part.Keep == 0 {
		return part, &fault{1, "has a macro that keeps 0 parts", "write the number of right-hand parts to keep, or no number for all"}
	}
	if i < len(s) && lower(s[i]) == 'r' {
		part.Reverse = true
		i++
	}
	part.Delimiters = s[i:]
	for j := i; j < len(s); j++ {
		if strings.IndexByte(delimiters, s[j]) < 0 {
			return part, &fault{j, "has a macro with a character that is no delimiter", "a macro is a letter, a number, r, and delimiters out of . - + , / _ =, in this order"}
		}
	}
	return part, nil
}

func unknownLetter(s string) *fault {
	if s != "" && strings.IndexByte(explainLetters, lower(s[0])) >= 0 {
		return &fault{0, "uses a macro that is allowed in explanation texts only", "use one of the letters s l o d i p h v (RFC 7208 section 7.2)"}
	}
	return &fault{0, "uses a macro that does not exist", "use one of the letters s l o d i p h v (RFC 7208 section 7.2)"}
}

// parseDomainSpec parses text as a domain-spec: a macro-string that ends in a
// macro or in a dot and a top label.
func parseDomainSpec(text string) (MacroString, *fault) {
	if text == "" {
		return MacroString{}, &fault{0, "names no domain", "write the domain after the sign"}
	}
	m, f := parseMacroString(text, inDomain)
	if f != nil {
		return m, f
	}
	tail := text
	if m.Parts != nil {
		last := m.Parts[len(m.Parts)-1]
		if last.Letter != 0 {
			return m, nil
		}
		tail = last.Literal
	}
	return m, checkDomainEnd(tail, len(text)-len(tail))
}

// checkDomainEnd checks the literal text that a domain-spec ends in.
func checkDomainEnd(tail string, at int) *fault {
	tail = strings.TrimSuffix(tail, ".")
	dot := strings.LastIndexByte(tail, '.')
	if dot < 0 {
		return &fault{at, "does not end in a full domain name", "write the whole name with its top-level domain, such as example.com"}
	}
	if !isTopLabel(tail[dot+1:]) {
		return &fault{at + dot + 1, "does not end in a valid top-level domain", "write a domain name; an address goes into ip4: or ip6:, a port or a path does not belong here"}
	}
	return nil
}

// isTopLabel checks the toplabel of RFC 7208 section 7.1: letters, digits and
// inner hyphens, and not digits alone.
func isTopLabel(s string) bool {
	digits := true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isAlpha(c):
			digits = false
		case c == '-' && i > 0 && i < len(s)-1:
			digits = false
		case !isDigit(c):
			return false
		}
	}
	return !digits
}

func isAlpha(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// lower folds ASCII only: the names of SPF are ASCII, and Unicode folding
// would take the long s for an s.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// equalFold compares s with a text in lower case, folding ASCII.
func equalFold(s, lowered string) bool {
	if len(s) != len(lowered) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if lower(s[i]) != lowered[i] {
			return false
		}
	}
	return true
}
