package records

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// EscapeValue prints a value so that any byte survives JSON: a byte that is not
// part of valid UTF-8 becomes \DDD (decimal) and a backslash becomes \\.
// Everything else stays.
func EscapeValue(v Value) string {
	return escape(v, func(rune) bool { return false })
}

// PrintableValue is EscapeValue for a terminal or a page: control characters
// become \DDD as well, since a terminal would act on them.
func PrintableValue(v Value) string { return escape(v, isControl) }

func escape(v Value, also func(rune) bool) string {
	s := string(v)
	if !needsEscape(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1, also(r):
			for _, c := range []byte(s[i : i+size]) {
				fmt.Fprintf(&b, `\%03d`, c)
			}
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

func needsEscape(s string) bool {
	for i := range len(s) {
		if c := s[i]; c == '\\' || c < 0x20 || c >= 0x7f {
			return true
		}
	}
	return false
}

// isControl covers C0, DEL and C1: the characters that a terminal acts on.
func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

// UnescapeValue reads what EscapeValue wrote.
func UnescapeValue(s string) (Value, error) {
	if !strings.Contains(s, `\`) {
		return Value(s), nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		c, n := unescape(s[i+1:])
		if n == 0 {
			return "", fmt.Errorf("bad escape at byte %d of %q: a backslash is followed by another one or by three decimal digits", i, s)
		}
		out = append(out, c)
		i += n
	}
	return Value(out), nil
}

// unescape reads what follows a backslash and returns the byte and how much
// text it took, 0 where it is no escape.
func unescape(s string) (c byte, n int) {
	if strings.HasPrefix(s, `\`) {
		return '\\', 1
	}
	if len(s) < 3 {
		return 0, 0
	}
	code := 0
	for i := range 3 {
		if s[i] < '0' || s[i] > '9' {
			return 0, 0
		}
		code = code*10 + int(s[i]-'0')
	}
	if code > 255 {
		return 0, 0
	}
	return byte(code), 3
}

// MarshalText is EscapeValue.
func (v Value) MarshalText() ([]byte, error) { return []byte(EscapeValue(v)), nil }

// UnmarshalText is UnescapeValue.
func (v *Value) UnmarshalText(b []byte) error {
	u, err := UnescapeValue(string(b))
	*v = u
	return err
}
