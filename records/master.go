package records

import "strings"

// maxString is the most bytes that one character-string of a TXT holds
// (RFC 1035 3.3).
const maxString = 255

// MasterData is a value as a zone file has it (RFC 1035 5.1): host names
// absolute, a TXT as quoted strings of at most 255 bytes, which readers join
// without anything between them (RFC 7208 3.3).
func MasterData(t Type, v Value) string {
	if t != TypeTXT {
		return AbsoluteData(t, v)
	}
	s := string(v)
	var b strings.Builder
	for len(s) > maxString {
		b.WriteString(quote(s[:maxString]))
		b.WriteByte(' ')
		s = s[maxString:]
	}
	b.WriteString(quote(s))
	return b.String()
}
