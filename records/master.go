package records

import (
	"errors"
	"fmt"
	"strings"
)

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

// ParseMasterData is the way back from MasterData: it reads a value as a zone
// file of that zone has it. A host name without a dot at its end lies in the
// zone; the character-strings of a TXT are joined, whatever bytes they hold,
// and a word without quotes is one of them (RFC 1035 5.1).
func ParseMasterData(t Type, data string, zone Name) (Value, error) {
	if t == TypeTXT {
		v, err := joinMaster(data)
		if err != nil {
			return "", fmt.Errorf("TXT %s: %w", data, err)
		}
		return v, nil
	}
	return CanonicalData(t, masterHost(t, data, zone))
}

// masterHost makes the host name at the end of the data absolute.
func masterHost(t Type, data string, zone Name) string {
	data = strings.TrimSpace(data)
	if AbsoluteData(t, Value(data)) == data {
		return data // it ends in a dot, or this type names no host
	}
	if rest, ok := strings.CutSuffix(data, "@"); ok && (rest == "" || strings.HasSuffix(rest, " ")) {
		return rest + string(zone) + "."
	}
	return data + "." + string(zone) + "."
}

// joinMaster joins character-strings and takes out their escapes.
func joinMaster(data string) (Value, error) {
	var out []byte
	quoted, word := false, false // inside quotes; inside a word without them
	strs := 0
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"' && !word:
			quoted = !quoted
			if quoted {
				strs++
			}
		case (c == ' ' || c == '\t') && !quoted:
			word = false
		case c == '"' || c == ';' && !quoted:
			return "", fmt.Errorf("a %c stands outside quotes without a backslash", c)
		default:
			if !quoted && !word {
				word = true
				strs++
			}
			b, n, err := masterByte(data[i:])
			if err != nil {
				return "", err
			}
			out = append(out, b)
			i += n - 1
		}
	}
	switch {
	case quoted:
		return "", errors.New("a quote is not closed")
	case strs == 0:
		return "", errors.New("it has no character-string")
	}
	return Value(out), nil
}

// masterByte reads one byte and how much text it took: \DDD is a byte in
// decimal, a backslash before anything else makes that ordinary.
func masterByte(s string) (b byte, n int, err error) {
	switch {
	case s[0] != '\\':
		return s[0], 1, nil
	case len(s) == 1:
		return 0, 0, errors.New("a backslash stands before nothing")
	case s[1] < '0' || s[1] > '9':
		return s[1], 2, nil
	}
	b, n = unescape(s[1:])
	if n == 0 {
		return 0, 0, errors.New("a backslash stands before a digit, but not before three that make a byte")
	}
	return b, n + 1, nil
}
