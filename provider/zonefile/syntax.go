package zonefile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

// SyntaxError says what is wrong in a zone file, where, and how to mend it. It
// quotes nothing of the file, which need not be a zone file at all.
type SyntaxError struct {
	File string
	Line int // from 1; 0: the file as a whole
	What string
	Fix  string
}

func (e *SyntaxError) Error() string {
	place := e.File
	if e.Line > 0 {
		place += ":" + strconv.Itoa(e.Line)
	}
	return fmt.Sprintf("%s: %s: %s", place, e.What, e.Fix)
}

// parseTTL reads seconds, or the units of BIND: 1h30m.
func parseTTL(text []byte) (ttl records.TTL, ok bool) {
	if len(text) == 0 || !isDigit(text[0]) {
		return 0, false
	}
	var total, n uint64
	for _, c := range text {
		if isDigit(c) {
			n = n*10 + uint64(c-'0')
		} else {
			factor := unitSeconds(c)
			if factor == 0 {
				return 0, false
			}
			total += n * factor
			n = 0
		}
		if total+n > uint64(records.MaxTTL) {
			return 0, false
		}
	}
	return records.TTL(total + n), true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func unitSeconds(c byte) uint64 {
	switch c | 0x20 {
	case 's':
		return 1
	case 'm':
		return 60
	case 'h':
		return 3600
	case 'd':
		return 86400
	case 'w':
		return 604800
	}
	return 0
}

var errName = errors.New("a name is longer than 253 characters, or one of its labels is empty or longer than 63")

// absolute reads a name as it stands in the file; one that doesn't end in a
// dot is relative to the origin (RFC 1035 5.1).
func absolute(text []byte, origin records.Name) (records.Name, error) {
	switch {
	case len(text) == 1 && text[0] == '@':
		return origin, nil
	case len(text) == 1 && text[0] == '.':
		return "", nil
	}
	var buf [256]byte
	name := buf[:0]
	for _, c := range text {
		if c == '\\' {
			return absoluteEscaped(string(text), origin)
		}
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		name = append(name, c)
	}
	switch {
	case len(name) > 0 && name[len(name)-1] == '.':
		name = name[:len(name)-1]
	case origin != "":
		name = append(name, '.')
		name = append(name, origin...)
	}
	if !validName(name) {
		return "", errName
	}
	return records.Name(name), nil
}

func validName(name []byte) bool {
	const maxName, maxLabel = 253, 63
	label := 0
	for _, c := range name {
		if c != '.' {
			label++
			continue
		}
		if label == 0 || label > maxLabel {
			return false
		}
		label = 0
	}
	return label > 0 && label <= maxLabel && len(name) <= maxName
}

// absoluteEscaped takes the way through the wire format, which leaves each
// name with one spelling.
func absoluteEscaped(text string, origin records.Name) (records.Name, error) {
	if !dns.IsFqdn(text) {
		text += "." + string(origin)
	}
	var wire [256]byte
	n, err := dns.PackDomainName(dns.Fqdn(text), wire[:], 0, nil, false)
	if err != nil {
		return "", errName
	}
	spelled, _, err := dns.UnpackDomainName(wire[:n], 0)
	if err != nil {
		return "", errName
	}
	return records.CanonicalName(spelled), nil
}

// recordType reads a type's mnemonic. known is false for one that the library
// has never heard of; ok is false where the word can't be a type.
func recordType(text []byte) (t records.Type, known, ok bool) {
	code, known := dns.StringToType[string(text)]
	if !known {
		code, known = dns.StringToType[strings.ToUpper(string(text))]
	}
	if known {
		return records.Type(dns.TypeToString[code]), true, true
	}
	upper := strings.ToUpper(string(text))
	if digits, found := strings.CutPrefix(upper, "TYPE"); found { // RFC 3597 5
		if n, err := strconv.ParseUint(digits, 10, 16); err == nil {
			return records.Type(dns.Type(n).String()), true, true
		}
	}
	return records.Type(upper), false, looksLikeType(upper)
}

func looksLikeType(upper string) bool {
	for i := range len(upper) {
		if c := upper[i]; !(c >= 'A' && c <= 'Z' || i > 0 && (isDigit(c) || c == '-')) {
			return false
		}
	}
	return upper != ""
}

// isClass reports whether a word is a class, and whether that is the Internet.
func isClass(text []byte) (class, internet bool) {
	switch strings.ToUpper(string(text)) {
	case "IN", "CLASS1":
		return true, true
	case "CH", "HS", "CS", "CLASS2", "CLASS3", "CLASS4":
		return true, false
	}
	return false, false
}

// appendUnescaped appends the bytes that a character-string stands for
// (RFC 1035 5.1).
func appendUnescaped(out, text []byte) ([]byte, error) {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out = append(out, text[i])
			continue
		}
		i++
		switch {
		case i == len(text):
			return nil, errors.New("a backslash stands before nothing")
		case !isDigit(text[i]):
			out = append(out, text[i])
		case i+2 < len(text) && isDigit(text[i+1]) && isDigit(text[i+2]):
			code := int(text[i]-'0')*100 + int(text[i+1]-'0')*10 + int(text[i+2]-'0')
			if code > 255 {
				return nil, errors.New("a backslash stands before a number above 255")
			}
			out = append(out, byte(code))
			i += 2
		default:
			return nil, errors.New("a backslash stands before fewer than three digits")
		}
	}
	return out, nil
}

// charString is the most bytes of one character-string (RFC 1035 3.3).
const charString = 255

// rdata prints a value as it stands in a file.
func rdata(t records.Type, v records.Value) string {
	if t == records.TypeTXT {
		return quoteTXT(string(v))
	}
	return records.AbsoluteData(t, v)
}

// quoteTXT prints a value as quoted character-strings, cut after each 255
// bytes: the pieces are joined without anything between them (RFC 7208 3.3).
func quoteTXT(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 3*(len(s)/charString+1))
	for {
		piece := s[:min(charString, len(s))]
		s = s[len(piece):]
		quote(&b, piece)
		if s == "" {
			return b.String()
		}
		b.WriteByte(' ')
	}
}

func quote(b *strings.Builder, piece string) {
	b.WriteByte('"')
	for i := range len(piece) {
		switch c := piece[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(b, `\%03d`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}
