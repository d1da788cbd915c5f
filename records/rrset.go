package records

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Type is an RR type in upper-case mnemonic form, such as "TXT" or "TYPE65534".
type Type string

// The types that mail needs. Any other type is carried as it is.
const (
	TypeA     Type = "A"
	TypeAAAA  Type = "AAAA"
	TypeCNAME Type = "CNAME"
	TypeMX    Type = "MX"
	TypeNS    Type = "NS"
	TypeSRV   Type = "SRV"
	TypeTLSA  Type = "TLSA"
	TypeTXT   Type = "TXT"
)

// TTL is a time to live in whole seconds (RFC 2181 8: at most 2^31-1).
type TTL uint32

const (
	// MaxTTL is the largest TTL of RFC 2181 8.
	MaxTTL TTL = 1<<31 - 1
	// AutoTTL stands for a TTL that the host chooses itself; it is outside
	// the range that a zone can hold.
	AutoTTL TTL = 1<<32 - 1
)

// autoBound is how long an automatic TTL is where it is documented (Cloudflare).
const autoBound TTL = 300

// Bound is the TTL as an upper bound for caches, also where the host chooses it.
func (t TTL) Bound() TTL {
	if t == AutoTTL {
		return autoBound
	}
	return t
}

// String is the TTL for people: seconds, or the word automatic.
func (t TTL) String() string {
	if t == AutoTTL {
		return "automatic"
	}
	return strconv.FormatUint(uint64(t), 10)
}

// Value is the canonical form of one record's data within its type: a TXT is
// the whole unescaped string of bytes, an MX "preference host", a CNAME its
// target; host names are lower case without the trailing dot. Its text form
// (MarshalText), which JSON uses, keeps every byte: see EscapeValue.
type Value string

// Key names a record set within a zone.
type Key struct {
	Name Name `json:"name"`
	Type Type `json:"type"`
}

// Compare orders keys by name, then type, bytewise.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Name, o.Name), cmp.Compare(k.Type, o.Type))
}

func (k Key) String() string { return string(k.Name) + " " + string(k.Type) }

// RRset is a record set (RFC 2181 5): all values of one name and type, with
// the one TTL that they share. Values are sorted bytewise and unique.
type RRset struct {
	Key
	TTL    TTL     `json:"ttl"`
	Values []Value `json:"values"`
	// Fixed says why this set can't be written faithfully (an alias, a
	// proxied record, a line from $INCLUDE); empty for an ordinary set.
	Fixed string `json:"fixed,omitempty"`
	// MixedTTL says that the host holds the values with differing TTLs, which
	// RFC 2181 5.2 forbids. TTL is then the smallest, and a write gives it to
	// all of them.
	MixedTTL bool `json:"mixed_ttl,omitempty"`
	// TTLs holds those of values that have another TTL than TTL, on a host
	// that stores one with each value (Limits.PerValueTTL): see TTLOf. There
	// TTL is that of the values which are ours, once Focus knows which.
	TTLs map[Value]TTL `json:"ttls,omitempty"`
}

// NewRRset returns the set with its values sorted and duplicates dropped.
func NewRRset(key Key, ttl TTL, values ...Value) RRset {
	vs := slices.Clone(values)
	slices.Sort(vs)
	return RRset{Key: key, TTL: ttl, Values: slices.Compact(vs)}
}

// Has reports whether v is one of the set's values.
func (s RRset) Has(v Value) bool {
	_, found := slices.BinarySearch(s.Values, v)
	return found
}

// SameValues reports whether both sets hold the same values, whatever the TTL.
func (s RRset) SameValues(o RRset) bool { return slices.Equal(s.Values, o.Values) }

// TTLOf is the TTL of one of the set's values.
func (s RRset) TTLOf(v Value) TTL {
	if ttl, ok := s.TTLs[v]; ok {
		return ttl
	}
	return s.TTL
}

// Equal reports whether both sets are the same record set with the same TTL or,
// where each value has its own, the same TTLs.
func (s RRset) Equal(o RRset) bool {
	if s.Key != o.Key || !s.SameValues(o) {
		return false
	}
	if len(s.TTLs)+len(o.TTLs) == 0 {
		return s.TTL == o.TTL
	}
	return !slices.ContainsFunc(s.Values, func(v Value) bool { return s.TTLOf(v) != o.TTLOf(v) })
}

// Focus is the same set, seen from the values that are ours: TTL is theirs, the
// smallest where they differ, which MixedTTL then says, and TTLs has those of
// all others. Where none is ours TTL stays what it is.
func (s RRset) Focus(ours func(Value) bool) RRset {
	out := s
	out.MixedTTL, out.TTLs = false, make(map[Value]TTL, len(s.Values))
	found := false
	for _, v := range s.Values {
		ttl := s.TTLOf(v)
		switch {
		case !ours(v):
			continue
		case found && ttl != out.TTL:
			out.MixedTTL = true
			ttl = min(ttl, out.TTL)
		}
		out.TTL, found = ttl, true
	}
	for _, v := range s.Values {
		if ttl := s.TTLOf(v); ttl != out.TTL || !ours(v) {
			out.TTLs[v] = ttl
		}
	}
	return out
}

// Hold is the set with other values. Those that stay keep their TTLs.
func (s RRset) Hold(values ...Value) RRset {
	out := NewRRset(s.Key, s.TTL, values...)
	out.Fixed, out.MixedTTL = s.Fixed, s.MixedTTL
	for _, v := range out.Values {
		ttl, ok := s.TTLs[v]
		if !ok {
			continue
		}
		if out.TTLs == nil {
			out.TTLs = make(map[Value]TTL, len(s.TTLs))
		}
		out.TTLs[v] = ttl
	}
	return out
}

// Zone is a snapshot of one zone's record sets, in the order of their keys. It
// is never changed: With makes another one.
type Zone struct {
	Name Name
	// NegativeTTL is how long a resolver may remember that a name is absent:
	// the smaller of the SOA's TTL and its MINIMUM (RFC 2308 5).
	NegativeTTL TTL
	sets        []RRset
}

// NewZone returns a zone that holds the given sets. Empty sets are left out.
func NewZone(name Name, negative TTL, sets ...RRset) Zone {
	return Zone{Name: name, NegativeTTL: negative}.With(sets...)
}

// find returns the place of a key among sets, and whether it is there.
func find(sets []RRset, k Key) (place int, found bool) {
	return slices.BinarySearchFunc(sets, k, func(s RRset, k Key) int { return s.Compare(k) })
}

// Set returns the record set of a key; ok is false where the zone has none.
func (z Zone) Set(k Key) (set RRset, ok bool) {
	i, ok := find(z.sets, k)
	if !ok {
		return RRset{}, false
	}
	return z.sets[i], true
}

// All goes through the record sets in the order of Key.Compare.
func (z Zone) All() iter.Seq[RRset] { return slices.Values(z.sets) }

// Sets returns all record sets in the order of Key.Compare.
func (z Zone) Sets() []RRset { return slices.Clone(z.sets) }

// At returns the record sets at one name, ordered by type.
func (z Zone) At(n Name) []RRset {
	first, _ := find(z.sets, Key{Name: n})
	end := first
	for end < len(z.sets) && z.sets[end].Name == n {
		end++
	}
	return slices.Clone(z.sets[first:end])
}

// Len is the number of record sets.
func (z Zone) Len() int { return len(z.sets) }

// With returns a copy of the zone in which the given sets stand in the place
// of those with the same keys, the last where several have one key; a set
// without values removes its key.
func (z Zone) With(sets ...RRset) Zone {
	added, byKey := sets, func(a, b RRset) int { return a.Compare(b.Key) }
	if !slices.IsSortedFunc(added, byKey) {
		added = slices.Clone(sets)
		slices.SortStableFunc(added, byKey)
	}
	out := make([]RRset, 0, len(z.sets)+len(added))
	rest := z.sets
	for i, s := range added {
		if i+1 < len(added) && added[i+1].Key == s.Key {
			continue
		}
		n, found := find(rest, s.Key)
		out = append(out, rest[:n]...)
		if found {
			n++
		}
		rest = rest[n:]
		if len(s.Values) > 0 {
			out = append(out, s)
		}
	}
	return Zone{Name: z.Name, NegativeTTL: z.NegativeTTL, sets: append(out, rest...)}
}

// Equal reports whether both zones hold the same record sets.
func (z Zone) Equal(o Zone) bool {
	return z.Name == o.Name && slices.EqualFunc(z.sets, o.sets, RRset.Equal)
}

// Change is one record set's way from one state to another. A nil side means
// that the set doesn't exist there. Before is what was read when the change
// was computed: writing is refused where the zone no longer agrees.
type Change struct {
	Key
	Before, After *RRset
}

// Reverse returns the way back.
func (c Change) Reverse() Change {
	return Change{Key: c.Key, Before: c.After, After: c.Before}
}

// StaleError says that a zone no longer holds what a change was computed from.
type StaleError struct {
	Key    Key
	Want   *RRset // what the change expects, nil for absent
	Actual *RRset // what the zone holds, nil for absent
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("%s is no longer as it was read: expected %s, found %s", e.Key, describe(e.Want), describe(e.Actual))
}

func describe(s *RRset) string {
	if s == nil {
		return "no such record"
	}
	quoted := make([]string, len(s.Values))
	for i, v := range s.Values {
		quoted[i] = fmt.Sprintf("%q", EscapeValue(v))
	}
	return fmt.Sprintf("TTL %s %s", s.TTL, strings.Join(quoted, ", "))
}

// Check reports the first change whose Before differs from the zone, as a
// *StaleError, or nil where all agree.
func (z Zone) Check(changes []Change) error {
	for _, c := range changes {
		have, ok := z.Set(c.Key)
		switch {
		case !ok && c.Before == nil:
		case !ok:
			return &StaleError{Key: c.Key, Want: c.Before}
		case c.Before == nil || !have.Equal(*c.Before):
			return &StaleError{Key: c.Key, Want: c.Before, Actual: &have}
		}
	}
	return nil
}

// Apply returns the zone after the changes, all of them or, with a
// *StaleError, none.
func (z Zone) Apply(changes []Change) (Zone, error) {
	if err := z.Check(changes); err != nil {
		return z, err
	}
	return z.With(results(changes)...), nil
}
