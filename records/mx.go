package records

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// NullMX is the value that says that a domain accepts no mail (RFC 7505 3).
const NullMX Value = "0 ."

// ParseMX reads "preference host". The host of a null MX is the root, the
// empty name.
func ParseMX(v Value) (MX, error) {
	fields := strings.Fields(string(v))
	if len(fields) != 2 {
		return MX{}, fmt.Errorf(`%q is no MX value; write a preference and a host, such as "10 mx.example.net"`, v)
	}
	preference, err := parseUint16(fields[0])
	if err != nil {
		return MX{}, fmt.Errorf("the preference of MX %q: %w", v, err)
	}
	host, err := canonicalHost(fields[1])
	if err != nil {
		return MX{}, fmt.Errorf("the host of MX %q: %w", v, err)
	}
	return MX{Preference: preference, Host: host}, nil
}

// Null reports whether m is a null MX (RFC 7505).
func (m MX) Null() bool { return m.Host == "" }

// Value prints "preference host"; the root is ".".
func (m MX) Value() Value {
	return Value(strconv.Itoa(int(m.Preference)) + " " + hostText(m.Host))
}

// Compare orders exchangers as senders try them: by preference, then host.
func (m MX) Compare(o MX) int {
	if m.Preference != o.Preference {
		return int(m.Preference) - int(o.Preference)
	}
	return strings.Compare(string(m.Host), string(o.Host))
}

var mxKind = kind{
	id:       KindMX,
	title:    "MX",
	declared: declaredMX,
	covers:   coversMX,
	owner:    ownerMX,
	reprint:  reprintMX,
	parts:    values,
	describe: describeMX,
}

func declaredMX(d *Domain) []Declared {
	key := Key{d.Name, TypeMX}
	switch {
	case d.Parked:
		return []Declared{{Kind: KindMX, Key: key, Value: NullMX, Source: d.Source}}
	case d.NullMX != nil:
		return []Declared{{Kind: KindMX, Key: key, Value: NullMX, Source: *d.NullMX}}
	}
	var out []Declared
	for _, m := range d.MX {
		out = append(out, Declared{KindMX, key, m.Value(), m.TTL, m.Source})
	}
	return out
}

func coversMX(d *Domain) []Cover {
	if !d.Parked && d.NullMX == nil && len(d.MX) == 0 {
		return nil
	}
	return []Cover{{Kind: KindMX, Key: Key{d.Name, TypeMX}}}
}

func ownerMX(k Key, _ Value) (Name, bool) { return k.Name, k.Type == TypeMX }

func reprintMX(v Value) (Value, error) {
	m, err := ParseMX(v)
	return m.Value(), err
}

// describeMX tells hosts that come, go or change their preference.
func describeMX(before, after []Value) []string {
	was, is := readMX(before), readMX(after)
	var lines []string
	for _, m := range is {
		old, found := findMX(was, m.Host)
		switch {
		case m.Null() && !found:
			lines = append(lines, "null MX: the domain accepts no mail")
		case !found:
			lines = append(lines, fmt.Sprintf("+ mail exchanger %s, preference %d", m.Host, m.Preference))
		case old.Preference != m.Preference:
			lines = append(lines, fmt.Sprintf("%s preference %d → %d", hostText(m.Host), old.Preference, m.Preference))
		}
	}
	for _, m := range was {
		if _, found := findMX(is, m.Host); found {
			continue
		}
		if m.Null() {
			lines = append(lines, "− null MX: the domain accepts mail again")
		} else {
			lines = append(lines, fmt.Sprintf("− mail exchanger %s, preference %d", m.Host, m.Preference))
		}
	}
	if len(after) == 0 && len(before) > 0 {
		lines = append(lines, "no MX is left: senders try the address records of the name")
	}
	return lines
}

// readMX returns the exchangers in the order of preference, without values
// that are none.
func readMX(vs []Value) []MX {
	var out []MX
	for _, v := range vs {
		if m, err := ParseMX(v); err == nil {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, MX.Compare)
	return out
}

func findMX(all []MX, host Name) (MX, bool) {
	i := slices.IndexFunc(all, func(m MX) bool { return m.Host == host })
	if i < 0 {
		return MX{}, false
	}
	return all[i], true
}
