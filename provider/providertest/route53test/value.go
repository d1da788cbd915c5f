package route53test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// normalName is a name as the service keeps it: lower case, with its dot, and
// every character but letters, digits, '-', '_' and the dots as \ooo.
func normalName(name string) string {
	var b strings.Builder
	name = strings.TrimSuffix(name, ".")
	for i := 0; i < len(name); i++ {
		c := name[i]
		if octal, ok := readOctal(name[i:]); ok {
			c = octal
			i += len(`\ooo`) - 1
		} else if c == '.' {
			b.WriteByte('.')
			continue
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	return b.String() + "."
}

func readOctal(s string) (c byte, ok bool) {
	if len(s) < len(`\ooo`) || s[0] != '\\' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:4], 8, 8)
	return byte(n), err == nil
}

// checkValue holds a value against the format of its type.
func checkValue(kind, value string) error {
	fields := strings.Fields(value)
	words := map[string]int{"CNAME": 1, "NS": 1, "PTR": 1, "MX": 2, "SRV": 4}
	if want, ok := words[kind]; ok {
		if len(fields) != want {
			return fmt.Errorf("'%s' is no %s", value, kind)
		}
		for _, number := range fields[:want-1] {
			if _, err := strconv.ParseUint(number, 10, 16); err != nil {
				return fmt.Errorf("'%s': %s is no number", value, number)
			}
		}
		return nil
	}
	switch kind {
	case "TXT", "SPF":
		_, err := readStrings(value)
		return err
	case "A", "AAAA":
		if a, err := netip.ParseAddr(value); err != nil || a.Is4() != (kind == "A") {
			return fmt.Errorf("'%s' is no %s address", value, kind)
		}
		return nil
	}
	known := []string{"SOA", "CAA", "NAPTR", "DS", "TLSA", "SSHFP", "SVCB", "HTTPS"}
	if !slices.Contains(known, kind) || len(fields) == 0 {
		return fmt.Errorf("'%s' is no %s", value, kind)
	}
	return nil
}

// readStrings reads character strings in quotation marks. Bytes outside of
// printable ASCII must be escaped.
func readStrings(value string) (texts []string, err error) {
	rest := strings.TrimLeft(value, " ")
	for rest != "" {
		if rest[0] != '"' {
			return nil, fmt.Errorf("'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks) encountered with '%s''", value)
		}
		var text string
		if text, rest, err = readString(rest[1:]); err != nil {
			return nil, fmt.Errorf("%w encountered with '%s''", err, value)
		}
		texts = append(texts, text)
		rest = strings.TrimLeft(rest, " ")
	}
	if len(texts) == 0 {
		return nil, errors.New("'FATAL problem: InvalidCharacterString (Value is empty)'")
	}
	return texts, nil
}

func readString(s string) (text, rest string, err error) {
	var b []byte
	for i := 0; i < len(s); i++ {
		octal, escaped := readOctal(s[i:])
		switch c := s[i]; {
		case c == '"':
			if len(b) > 255 {
				return "", "", errors.New("'FATAL problem: CharacterStringTooLong (Value is too long)")
			}
			return string(b), s[i+1:], nil
		case escaped:
			b = append(b, octal)
			i += len(`\ooo`) - 1
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b = append(b, s[i])
		case c < ' ' || c > '~':
			return "", "", errors.New("'FATAL problem: UnsupportedCharacter (Value contains unsupported characters)")
		default:
			b = append(b, c)
		}
	}
	return "", "", errors.New("'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks)")
}
