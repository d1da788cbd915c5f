// Package octal reads and writes names and texts in the notation of Route 53,
// in which \ooo is a byte by its octal number ("DNS domain name format" and
// "TXT record type" in the Developer Guide).
package octal

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// maxString is how long one character string of a TXT record can be (RFC 1035
// 3.3.14).
const maxString = 255

// readOctal reads \ooo.
func readOctal(s string) (c byte, ok bool) {
	if len(s) < len(`\ooo`) || s[0] != '\\' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:4], 8, 8)
	return byte(n), err == nil
}

// ParseName reads a name as the API returns it, such as \052.example.com. for
// the wildcard. What would not be plain in a name gets the escape of zone files
// instead (RFC 1035 5.1: \DDD in decimal).
func ParseName(name string) records.Name {
	if !strings.Contains(name, `\`) {
		return records.CanonicalName(name)
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		c, escaped := readOctal(name[i:])
		switch {
		case !escaped && name[i] == '\\': // no escape of the service's, so a backslash
			b.WriteString(`\092`)
			continue
		case !escaped:
			b.WriteByte(name[i])
			continue
		case c <= ' ' || c > '~' || strings.IndexByte(`."\;()@$`, c) >= 0:
			fmt.Fprintf(&b, `\%03d`, c)
		default:
			b.WriteByte(c)
		}
		i += len(`\ooo`) - 1
	}
	return records.CanonicalName(b.String())
}

// Name is a name for the API, absolute, its escapes in octal.
func Name(n records.Name) string {
	name := string(n)
	if !strings.Contains(name, `\`) {
		return name + "."
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if c, ok := readDecimal(name[i:]); ok {
			fmt.Fprintf(&b, `\%03o`, c)
			i += len(`\DDD`) - 1
		} else {
			b.WriteByte(name[i])
		}
	}
	return b.String() + "."
}

func readDecimal(s string) (c byte, ok bool) {
	if len(s) < len(`\DDD`) || s[0] != '\\' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:4], 10, 8)
	return byte(n), err == nil
}

// ParseText joins the character strings of a value: "a" "b", or "a""b" as it
// comes too. A backslash before anything but a quotation mark, another one or
// three octal digits is one that somebody stored.
func ParseText(value string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(value); i++ {
		octal, escaped := readOctal(value[i:])
		switch c := value[i]; {
		case escaped:
			b.WriteByte(octal)
			i += len(`\ooo`) - 1
		case c == '\\' && i+1 < len(value) && (value[i+1] == '"' || value[i+1] == '\\'):
			i++
			b.WriteByte(value[i])
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t' || c == '\n'):
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Text cuts a text into character strings and quotes them.
func Text(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		if i > 0 && i%maxString == 0 {
			b.WriteString(`" "`)
		}
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
