package lookup

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/attunelogic/maildns/records"
)

// Names have three forms here. Outside they are raw: labels of any bytes with
// dots between, no dot at the end. In records' values they are as records
// prints them. Inside they are canonical: lower case (RFC 4343), a dot at the
// end, and every byte that isn't plainly part of a host name as \DDD.

// canonicalRaw makes the canonical form of a raw name. U-labels become
// A-labels where they are valid (RFC 5891 4.4).
func canonicalRaw(raw string) (string, error) {
	const (
		longest, longestLabel = 253, 63 // RFC 1035 2.3.4
		bytesPerRune          = 4       // of UTF-8; A-labels have no fewer characters than U-labels
	)
	raw = strings.TrimSuffix(raw, ".")
	if raw == "" {
		return ".", nil
	}
	// Converting takes time with the square of the length.
	if len(raw) <= longest*bytesPerRune && utf8.ValidString(raw) && !strings.HasSuffix(raw, ".") {
		if n, err := records.ParseName(raw); err == nil {
			return string(n) + ".", nil // also the common case
		}
	}
	if len(raw) > longest {
		return "", fmt.Errorf("it has %d bytes, at most %d are possible", len(raw), longest)
	}
	var b strings.Builder
	for label := range strings.SplitSeq(raw, ".") {
		if label == "" || len(label) > longestLabel {
			return "", fmt.Errorf("its label %q has %d bytes, 1 to %d are possible", label, len(label), longestLabel)
		}
		for i := range len(label) {
			writeCanonical(&b, label[i])
		}
		b.WriteByte('.')
	}
	return b.String(), nil
}

// canonicalText makes the canonical form of a name in presentation form
// (RFC 1035 5.1) with a dot at the end, as the wire parser returns it.
func canonicalText(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '.':
			b.WriteByte('.')
		case '\\':
			escaped, n := unescape(text[i+1:])
			writeCanonical(&b, escaped)
			i += n
		default:
			writeCanonical(&b, c)
		}
	}
	return b.String()
}

// writeCanonical writes one byte of a label.
func writeCanonical(b *strings.Builder, c byte) {
	switch {
	case c >= 'A' && c <= 'Z':
		b.WriteByte(c + 'a' - 'A')
	case isHostByte(c):
		b.WriteByte(c)
	default:
		fmt.Fprintf(b, `\%03d`, c)
	}
}

// isHostByte covers what may stand unescaped.
func isHostByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-_*/=+", c) >= 0
}

func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c != '.' && !isHostByte(c) {
			return false
		}
	}
	return true
}

// unescape reads what follows a backslash: three digits, or a byte for itself.
func unescape(s string) (c byte, length int) {
	digit := func(i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }
	switch {
	case digit(0) && digit(1) && digit(2):
		return (s[0]-'0')*100 + (s[1]-'0')*10 + s[2] - '0', 3
	case s == "":
		return '\\', 0
	}
	return s[0], 1
}

// hostText is a canonical name as it stands in a value: without the dot at the
// end, but for the root.
func hostText(canonical string) string {
	if canonical == "." {
		return canonical
	}
	return strings.TrimSuffix(canonical, ".")
}

// rawHost makes a raw name of a host in a value. A dot within a label stays
// \046: unescaped it would be another name.
func rawHost(host string) string {
	const dot = `\046`
	if !strings.Contains(host, `\`) {
		return host
	}
	var b strings.Builder
	for i := 0; i < len(host); i++ {
		if host[i] != '\\' {
			b.WriteByte(host[i])
			continue
		}
		if strings.HasPrefix(host[i:], dot) {
			b.WriteString(dot)
			i += len(dot) - 1
			continue
		}
		c, n := unescape(host[i+1:])
		b.WriteByte(c)
		i += n
	}
	return b.String()
}
