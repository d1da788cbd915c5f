package spf

import (
	"net/netip"
	"slices"
	"strings"
)

// binding gives the values of the macro letters (RFC 7208 section 7.2). A nil
// function or an answer of false leaves the letter open.
type binding func(letter byte) (value string, ok bool)

// expand replaces the macros of m. It reports false if the binding lacks one
// of its letters.
func (m MacroString) expand(b binding) (string, bool) {
	if m.Parts == nil {
		return m.Text, true
	}
	var out strings.Builder
	for _, p := range m.Parts {
		if !isAlpha(p.Letter) {
			out.WriteString(p.fixedText())
			continue
		}
		value, ok := b(lower(p.Letter))
		if !ok {
			return "", false
		}
		out.WriteString(p.transform(value))
	}
	return out.String(), true
}

// fixedText is the text of a part that depends on nothing.
func (p *MacroPart) fixedText() string {
	switch p.Letter {
	case '%':
		return "%"
	case '_':
		return " "
	case '-':
		return "%20"
	}
	return p.Literal
}

// transform splits, reverses, shortens and escapes a value (RFC 7208 section
// 7.3). Empty parts stay: consecutive delimiters get no special treatment.
func (p *MacroPart) transform(value string) string {
	if p.Keep > 0 || p.Reverse || p.Delimiters != "" {
		parts := split(value, p.Delimiters)
		if p.Reverse {
			slices.Reverse(parts)
		}
		if p.Keep > 0 && p.Keep < len(parts) {
			parts = parts[len(parts)-p.Keep:]
		}
		value = strings.Join(parts, ".")
	}
	if p.Letter < 'a' {
		return escapeURL(value)
	}
	return value
}

// split splits at any of the delimiters; none means ".".
func split(s, delimiters string) []string {
	if delimiters == "" {
		delimiters = "."
	}
	var parts []string
	for {
		i := strings.IndexAny(s, delimiters)
		if i < 0 {
			return append(parts, s)
		}
		parts = append(parts, s[:i])
		s = s[i+1:]
	}
}

// escapeURL percent-encodes all but the unreserved characters of RFC 3986.
func escapeURL(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if isAlpha(c) || isDigit(c) || strings.IndexByte("-._~", c) >= 0 {
			out.WriteByte(c)
		} else {
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return out.String()
}

// dotted writes an address as the macro i wants it: dotted quad, or 32 nibbles
// separated by dots. The nibbles are in upper case, as in the official suite.
func dotted(ip netip.Addr) string {
	if ip.Is4() {
		return ip.String()
	}
	digits := strings.ReplaceAll(strings.ToUpper(ip.StringExpanded()), ":", "")
	return strings.Join(strings.Split(digits, ""), ".")
}

// maxName is the length of the longest name (RFC 7208 section 7.3).
const maxName = 253

// targetName makes a domain name of an expanded domain-spec: without a final
// dot, and shortened from the left to a length that can be asked for.
func targetName(expanded string) string {
	name := strings.TrimSuffix(expanded, ".")
	for len(name) > maxName {
		_, rest, found := strings.Cut(name, ".")
		if !found {
			break
		}
		name = rest
	}
	return name
}

// canQuery tells whether a question about name can be put to the DNS at all.
func canQuery(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	return true
}

// isMailDomain tells whether name, without its final dot, can have a record:
// a well-formed name of several labels (RFC 7208 section 4.3) in ASCII, since
// internationalised names arrive as A-labels.
func isMailDomain(name string) bool {
	for i := 0; i < len(name); i++ {
		if name[i] <= ' ' || name[i] > '~' {
			return false
		}
	}
	return strings.Contains(name, ".") && canQuery(name)
}

// lowerName is the form in which names are compared.
func lowerName(name string) string {
	return string(appendLower(nil, strings.TrimSuffix(name, ".")))
}

// isBelow tells whether name is domain or a subdomain of it.
func isBelow(name, domain string) bool {
	name, domain = lowerName(name), lowerName(domain)
	head, ok := strings.CutSuffix(name, domain)
	return ok && domain != "" && (head == "" || strings.HasSuffix(head, "."))
}
