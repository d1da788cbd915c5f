package render

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/attunelogic/maildns/records"
)

// duration prints a time span for people, exact in its two largest units and
// rounded up below them, since every span here is an upper bound.
func duration(seconds int64) string {
	units := [...]struct {
		name string
		size int64
	}{{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}}
	for i, u := range units {
		if seconds < u.size && u.size > 1 {
			continue
		}
		whole, rest := seconds/u.size, seconds%u.size
		if rest == 0 {
			return number(whole) + " " + u.name
		}
		next := units[i+1]
		part := (rest + next.size - 1) / next.size
		if part*next.size == u.size {
			return duration((whole + 1) * u.size)
		}
		return fmt.Sprintf("%s %s %d %s", number(whole), u.name, part, next.name)
	}
	return "0 s"
}

// seconds prints a TTL, which may be the host's choice.
func seconds(t records.TTL) string {
	if t == records.AutoTTL {
		return "automatic"
	}
	return strconv.FormatUint(uint64(t), 10)
}

// moment prints a time to the minute, rounded up so that nobody comes early,
// with its date unless that is today's.
func moment(t, now time.Time) string {
	t = t.UTC().Add(time.Minute - 1).Truncate(time.Minute)
	if !now.IsZero() && t.Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return t.Format("15:04 UTC")
	}
	return t.Format("2006-01-02 15:04 UTC")
}

// past prints a time to the minute that has gone by, with its date.
func past(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// number prints n with its thousands apart.
func number[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count prints n with the noun that fits it: "1 change", "2,998 changes".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// enumerate joins names as a sentence does: "a, b and c". With more than most
// names it names three and counts the others.
func enumerate(names []string, most int) string {
	if len(names) > most {
		return strings.Join(names[:3], ", ") + " and " + number(len(names)-3) + " more"
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// shellQuote prints one argument of a command line that is to be copied.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@+,%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
