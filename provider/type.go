package provider

import (
	"slices"

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

// Limits are what a host can store and how fast it may be asked.
type Limits = records.Limits

// Rate is a host's request budget.
type Rate = records.Rate
