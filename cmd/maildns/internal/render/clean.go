package render

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/attunelogic/maildns/records"
)

// value prints a record's data so that nothing in it can act on its reader.
func value(v records.Value) string { return clean(records.PrintableValue(v)) }

// clean makes text safe to show: white space that would break a line becomes a
// space, and control characters, invisible format characters (bidirectional
// overrides, zero-width ones) and bytes that are no UTF-8 become \DDD.
func clean(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case r == utf8.RuneError && size == 1, unsafeRune(r):
			for _, c := range []byte(s[i : i+size]) {
				fmt.Fprintf(&b, `\%03d`, c)
			}
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// unsafeRune covers what a terminal acts on and what hides or reorders text:
// categories Cc, Cf, Co, Cs, and the line and paragraph separators.
func unsafeRune(r rune) bool {
	return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp)
}

// columns is the room that s takes on a terminal.
func columns(s string) int {
	if isPlain(s) {
		return len(s)
	}
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if r < 0x80 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// wrap breaks s at spaces into lines of at most room columns; a word that is
// longer is broken where the room ends. Runs of spaces inside a line stay.
func wrap(s string, room int) []string {
	var lines []string
	for columns(s) > room {
		at := breakAt(s, room)
		lines = append(lines, strings.TrimRight(s[:at], " "))
		s = strings.TrimLeft(s[at:], " ")
	}
	return append(lines, s)
}

// breakAt is the byte offset at which the first line ends.
func breakAt(s string, room int) int {
	used, space := 0, 0
	for i, r := range s {
		if r == ' ' && !sticks(s, i) {
			space = i
		}
		used += runeColumns(r)
		if used <= room || i == 0 {
			continue
		}
		if strings.TrimSpace(s[:space]) != "" {
			return space
		}
		return i
	}
	return len(s)
}

// units are never parted from their numbers.
var units = []string{"%", "s", "min", "h", "d", "UTC"}

// sticks reports whether the space at i stands between a number and its unit.
func sticks(s string, i int) bool {
	if i == 0 || s[i-1] < '0' || s[i-1] > '9' {
		return false
	}
	word, _, _ := strings.Cut(s[i+1:], " ")
	return slices.Contains(units, strings.TrimRight(word, ",.;:)"))
}

// elide shortens s to about most characters: its begin, its end, and what
// stands round the byte at, with the whole length beside it.
func elide(s string, most, at int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	size := fmt.Sprintf(" (%s bytes)", number(len(s)))
	most = max(most-len(size), 24)
	focus := utf8.RuneCountInString(s[:min(at, len(s))])
	head, tail := most*2/3, most/3
	if focus < head-8 || focus > len(runes)-tail {
		return string(runes[:head-1]) + "…" + string(runes[len(runes)-tail:]) + size
	}
	edge := most / 6
	middle := most - 2*edge - 2
	from := min(max(focus-middle/3, edge), len(runes)-edge-middle)
	return string(runes[:edge]) + "…" + string(runes[from:from+middle]) + "…" + string(runes[len(runes)-edge:]) + size
}

// commonPrefix is the number of bytes that a and b begin with alike.
func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
