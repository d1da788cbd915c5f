package records

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// CanonicalData returns the canonical value of data in presentation form
// (RFC 1035 5.1), as a person writes it and as DNS hosts return it: addresses
// in their shortest form, host names in lower case without the final dot, hex
// digits in lower case and one word, a CAA value in quotes. A TXT value is
// taken as it is, since both sides give the whole unquoted string. For other
// types white space outside quotes is folded. It is idempotent.
func CanonicalData(t Type, data string) (Value, error) {
	v, err := canonicalData(t, data)
	if err != nil {
		return "", fmt.Errorf("%s %q: %w", t, data, err)
	}
	return v, nil
}

func canonicalData(t Type, data string) (Value, error) {
	fields := strings.Fields(data)
	switch t {
	case TypeTXT:
		return Value(data), nil
	case TypeA, TypeAAAA:
		return canonicalAddress(t, strings.TrimSpace(data))
	case TypeCNAME, TypeNS, "PTR", "DNAME":
		return canonicalRecord(fields, "one host name", hostField)
	case TypeMX:
		return canonicalRecord(fields, "preference and host", shortField, hostField)
	case TypeSRV:
		return canonicalRecord(fields, "priority, weight, port and target", shortField, shortField, shortField, hostField)
	case TypeTLSA, "SMIMEA":
		return canonicalHex(fields, "usage, selector, matching type and hex digits", byteField, byteField, byteField)
	case "SSHFP":
		return canonicalHex(fields, "algorithm, type and hex digits", byteField, byteField)
	case "DS", "CDS":
		return canonicalHex(fields, "key tag, algorithm, digest type and hex digits", shortField, byteField, byteField)
	case "CAA":
		return canonicalCAA(data)
	}
	folded := foldSpace(data)
	if folded == "" {
		return "", fmt.Errorf("it is empty")
	}
	return Value(folded), nil
}

func canonicalAddress(t Type, text string) (Value, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" || addr.Is4() != (t == TypeA) {
		if t == TypeA {
			return "", fmt.Errorf("it is no IPv4 address; write four numbers, such as 192.0.2.1")
		}
		return "", fmt.Errorf("it is no IPv6 address; write it as in 2001:db8::1")
	}
	return Value(addr.String()), nil
}

// field canonicalises one word of a record's data.
type field func(string) (string, error)

// canonicalRecord canonicalises data of a fixed number of words.
func canonicalRecord(words []string, shape string, fields ...field) (Value, error) {
	if len(words) != len(fields) {
		return "", fmt.Errorf("it has %d words; write %s", len(words), shape)
	}
	out := make([]string, len(words))
	for i, canonical := range fields {
		word, err := canonical(words[i])
		if err != nil {
			return "", err
		}
		out[i] = word
	}
	return Value(strings.Join(out, " ")), nil
}

// canonicalHex canonicalises data whose end is hex digits in any number of words.
func canonicalHex(words []string, shape string, fields ...field) (Value, error) {
	if len(words) <= len(fields) {
		return "", fmt.Errorf("it has %d words; write %s", len(words), shape)
	}
	joined := append(words[:len(fields):len(fields)], strings.Join(words[len(fields):], ""))
	return canonicalRecord(joined, shape, append(fields, hexField)...)
}

func hostField(s string) (string, error) {
	n, err := canonicalHost(s)
	return hostText(n), err
}

func byteField(s string) (string, error)  { return number(s, 8) }
func shortField(s string) (string, error) { return number(s, 16) }

func number(s string, bits int) (string, error) {
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		return "", fmt.Errorf("%q is no number from 0 to %d", s, 1<<bits-1)
	}
	return strconv.FormatUint(n, 10), nil
}

func hexField(s string) (string, error) {
	b, err := hex.DecodeString(s)
	if err != nil {
		return "", fmt.Errorf("%q is not an even number of hex digits", s)
	}
	return hex.EncodeToString(b), nil
}

func parseUint16(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is no number from 0 to 65535", s)
	}
	return uint16(n), nil
}

// canonicalHost reads a host name as it stands in a record: what a host holds
// is accepted whatever it is, a name that a person wrote in Unicode becomes
// A-labels. The root "." is the empty name.
func canonicalHost(s string) (Name, error) {
	if s == "." {
		return "", nil
	}
	if s == "" || s[0] == '.' || strings.Contains(s, "..") {
		return "", fmt.Errorf("%q is no host name: it has an empty label", s)
	}
	if !isASCII(s) {
		return ParseName(s)
	}
	return CanonicalName(s), nil
}

// hostText prints a host inside a value: the root is ".".
func hostText(n Name) string {
	if n == "" {
		return "."
	}
	return string(n)
}

// canonicalCAA reads `flags tag value` (RFC 8659 4.1.1); the value may stand
// in quotes and always does in canonical form.
func canonicalCAA(data string) (Value, error) {
	flags, rest := cutWord(data)
	tag, text := cutWord(rest)
	if text == "" {
		return "", fmt.Errorf(`it has too few words; write flags, tag and value, such as 0 issue "ca.example.net"`)
	}
	flags, err := byteField(flags)
	if err != nil {
		return "", err
	}
	content, err := unquote(text)
	if err != nil {
		return "", err
	}
	return Value(flags + " " + strings.ToLower(tag) + " " + quote(content)), nil
}

func cutWord(s string) (word, rest string) {
	s = trimFolding(s)
	if i := strings.IndexAny(s, foldingSpace); i >= 0 {
		return s[:i], trimFolding(s[i:])
	}
	return s, ""
}

// unquote reads one character-string of RFC 1035 5.1, with or without quotes.
func unquote(s string) (string, error) {
	if inner, found := strings.CutPrefix(s, `"`); found {
		if s, found = strings.CutSuffix(inner, `"`); !found {
			return "", fmt.Errorf("the quotes are not closed")
		}
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c, n := s[i], 0
		switch c {
		case '"':
			return "", fmt.Errorf("a quote inside the value has no backslash before it")
		case '\\':
			if c, n = unescapeText(s[i+1:]); n == 0 {
				return "", fmt.Errorf("a backslash is followed by nothing, or by no number from 000 to 255")
			}
		}
		b.WriteByte(c)
		i += n
	}
	return b.String(), nil
}

// unescapeText reads what follows a backslash in a zone file: three decimal
// digits, or any other character for itself (RFC 1035 5.1).
func unescapeText(s string) (c byte, n int) {
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return unescape(s)
	}
	return s[0], 1
}

// quote prints a character-string in quotes.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\%03d`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// foldSpace turns runs of white space outside quotes into one space.
func foldSpace(s string) string {
	var b strings.Builder
	quoted, space := false, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !quoted && strings.IndexByte(foldingSpace, c) >= 0 {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteByte(c)
		switch {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '"':
			quoted = !quoted
		}
	}
	return b.String()
}

var recordKind = kind{
	id:       KindRecord,
	title:    "a record",
	declared: declaredFree,
	covers:   func(*Domain) []Cover { return nil },
	owner:    func(Key, Value) (Name, bool) { return "", false },
	reprint:  func(v Value) (Value, error) { return v, nil },
	parts:    values,
	describe: describeFree,
}

func declaredFree(d *Domain) []Declared {
	out := make([]Declared, 0, len(d.Free))
	for _, f := range d.Free {
		for _, v := range f.Values {
			out = append(out, Declared{KindRecord, f.Key, v, f.TTL, f.Source})
		}
	}
	return out
}

func describeFree(before, after []Value) []string {
	gone, added := difference(values(before), values(after))
	return changeLines("", gone, added)
}
