package policy

import (
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/attunelogic/maildns/records"
)

// lookup is what a name has on this side: values that the zone holds for it or,
// where it has none, what the DNS says. ok is false where that is not known.
func (v *view) lookup(name records.Name, t records.Type) (a Answer, ok bool) {
	k := records.Key{Name: name, Type: t}
	if set := v.at(k); len(set) > 0 {
		for i := range set {
			a.Values = append(a.Values, set[i].Value)
		}
		return a, true
	}
	if set, ok := v.Live.Set(k); ok {
		return Answer{Values: set.Values}, true
	}
	return v.answer(name, t)
}

// isDoubled reports whether a name has the zone's name twice at its end, as
// panels make it that append the zone to what was pasted.
func isDoubled(n, zone records.Name) bool { return n.In(records.Below(string(zone), zone)) }

// hasChunkMarks reports whether quotes that separate the strings of a TXT record
// stand in the value itself.
func hasChunkMarks(v records.Value) bool {
	text := string(v)
	for {
		before, after, found := strings.Cut(text, `"`)
		if !found {
			return false
		}
		if rest := strings.TrimLeft(after, " \t\r\n"); before != "" && len(rest) < len(after) && strings.HasPrefix(rest, `"`) {
			return true
		}
		text = after
	}
}

// registrable is the domain that somebody has registered above a name, by the
// public suffix list; not ok where the name lies in none.
func registrable(n records.Name) (o records.Name, ok bool) {
	text, err := publicsuffix.EffectiveTLDPlusOne(string(n))
	return records.Name(text), err == nil
}

// Organization is the organizational domain of a name by the public suffix list
// (RFC 7489 3.2), or the name itself where the list has none.
func Organization(n records.Name) records.Name {
	if o, ok := registrable(n); ok {
		return o
	}
	return n
}
