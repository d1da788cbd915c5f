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
	goneValues, addedValues := difference(values(before), values(after))
	gone, added := readMX(goneValues), readMX(addedValues)
	var lines []string
	for _, m := range added {
		i := slices.IndexFunc(gone, func(old MX) bool { return old.Host == m.Host })
		switch {
		case i >= 0:
			lines = append(lines, fmt.Sprintf("%s preference %d → %d", hostText(m.Host), gone[i].Preference, m.Preference))
			gone = slices.Delete(gone, i, i+1)
		case m.Null():
			lines = append(lines, "null MX: the domain accepts no mail")
		default:
			lines = append(lines, fmt.Sprintf("+ mail exchanger %s, preference %d", m.Host, m.Preference))
		}
	}
	for _, m := range gone {
		if m.Null() {
			lines = append(lines, "− null MX: the domain accepts mail again")
		} else {
			lines = append(lines, fmt.Sprintf("− mail exchanger %s, preference %d", m.Host, m.Preference))
		}
	}
	if len(after) == 0 {
		lines = append(lines, "no MX is left: senders try the address records of the name")
	}
	return lines
}

// readMX returns the exchangers in the order of preference, without words that
// are none.
func readMX(words []string) []MX {
	var out []MX
	for _, w := range words {
		if m, err := ParseMX(Value(w)); err == nil {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, MX.Compare)
	return out
}
