package provider

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// Type is one row of the table: a kind of DNS host, what a provider block of
// that kind holds, and what the host can do.
type Type struct {
	Name       string // the first label of a provider block
	Summary    string // one line for the reference
	Attributes []Attribute
	Limits     Limits
	// ZoneIDs says that one name may have several zones there, which a
	// domain's zone_id tells apart.
	ZoneIDs bool
	// ReadOnly says why this program doesn't write there; empty where it does.
	ReadOnly string

	// open returns a client for the values of one block. Nil: this version
	// of the program can't reach such a host.
	open func(Values, Options) (Client, error)
}

// Reachable reports whether this version of the program can talk to such a
// host. A configuration that names one that it can't reach is valid all the
// same; Open says so.
func (t Type) Reachable() bool { return t.open != nil }

// Attribute returns the attribute of that name.
func (t Type) Attribute(name string) (a Attribute, ok bool) {
	i := slices.IndexFunc(t.Attributes, func(a Attribute) bool { return a.Name == name })
	if i < 0 {
		return Attribute{}, false
	}
	return t.Attributes[i], true
}

// Attribute is one attribute that a provider block may have.
type Attribute struct {
	Name     string
	Kind     AttributeKind
	Required bool
	// Secret: never written as a literal, never printed and never stored.
	Secret bool
	// Server is the address of a server: plan contacts it only where it is
	// loopback or allowed by the environment.
	Server bool
	// Path is a path relative to the configuration's directory.
	Path    bool
	Summary string // one line for the reference
}

// AttributeKind is the type of an attribute's value.
type AttributeKind string

// The kinds.
const (
	KindString AttributeKind = "string"
	KindList   AttributeKind = "list" // of strings
	KindNumber AttributeKind = "number"
	KindBool   AttributeKind = "bool"
)

// Values are the attributes of one provider block: a string, number or bool
// has one element (a number in decimal, a bool as "true" or "false"), a list
// any number of them. An attribute that is null or left out has no entry.
type Values map[string][]string

// Text returns the value of a string, number or bool, or the empty string.
func (v Values) Text(name string) string {
	if len(v[name]) == 0 {
		return ""
	}
	return v[name][0]
}

// missing returns the required attributes that have no value.
func (t Type) missing(v Values) []string {
	var names []string
	for _, a := range t.Attributes {
		if a.Required && len(v[a.Name]) == 0 {
			names = append(names, a.Name)
		}
	}
	return names
}

// Lookup returns the row of that name.
func Lookup(name string) (t Type, ok bool) {
	types := Types()
	i := slices.IndexFunc(types, func(t Type) bool { return t.Name == name })
	if i < 0 {
		return Type{}, false
	}
	return types[i], true
}

// Limits are what a host can store and how fast it may be asked. Zero means
// that there is no limit beyond those of DNS.
type Limits struct {
	// Transactional: the changes of one Write happen together or not at all.
	Transactional bool
	// PerValueTTL: the host stores a TTL with each value, not with the set.
	PerValueTTL bool
	// ReplacesSets: SetRecords of its library leaves exactly the given values
	// in a set. Where it is false, values are added and deleted one by one.
	ReplacesSets bool

	MinTTL   records.TTL
	AutoTTL  bool           // the host can choose the TTL itself
	MaxTXT   int            // bytes of one TXT value
	MaxSet   int            // bytes of all values of a set
	MaxBatch int            // record changes in one transaction
	Types    []records.Type // those it can hold; empty: all
	Requests Rate
}

// Rate is a host's request budget: so many a second in the long run, and so
// many at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// StoredTTL returns the TTL that the host will hold when ttl is asked for.
func (l Limits) StoredTTL(ttl records.TTL) records.TTL {
	if ttl == records.AutoTTL && l.AutoTTL {
		return ttl
	}
	return max(ttl, l.MinTTL)
}

// maxTXT is what fits into the 65,535 bytes of RDATA (RFC 1035 3.2.1) when
// each 255 bytes need one more for their length.
const maxTXT = 65535 - 65535/256

// Check says why the host couldn't hold the set that a change leads to, or
// nil. The TTL is not judged but for its range: see StoredTTL.
func (l Limits) Check(s records.RRset) error {
	switch {
	case len(l.Types) > 0 && !slices.Contains(l.Types, s.Type):
		return fmt.Errorf("%s: this host has no %s records, only %s", s.Key, s.Type, joinTypes(l.Types))
	case s.TTL == records.AutoTTL && !l.AutoTTL:
		return fmt.Errorf("%s: this host chooses no TTL itself: declare a ttl", s.Key)
	case s.TTL != records.AutoTTL && s.TTL > records.MaxTTL:
		return fmt.Errorf("%s: a TTL of %d seconds is more than %d (RFC 2181 8)", s.Key, s.TTL, records.MaxTTL)
	}
	return l.checkSizes(s)
}

func (l Limits) checkSizes(s records.RRset) error {
	most := maxTXT
	if l.MaxTXT > 0 {
		most = l.MaxTXT
	}
	total := 0
	for _, v := range s.Values {
		if s.Type == records.TypeTXT && len(v) > most {
			return fmt.Errorf("%s: a value has %d bytes, this host holds at most %d: shorten it, or publish it by CNAME elsewhere", s.Key, len(v), most)
		}
		total += len(v)
	}
	if l.MaxSet > 0 && total > l.MaxSet {
		return fmt.Errorf("%s: its values have %d bytes together, this host holds at most %d: remove values that nobody needs", s.Key, total, l.MaxSet)
	}
	return nil
}

func joinTypes(types []records.Type) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}
