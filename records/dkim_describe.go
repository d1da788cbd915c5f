package records

import (
	"fmt"
	"slices"
	"strings"
)

var dkimKind = kind{
	id:       KindDKIM,
	title:    "DKIM",
	version:  "v=" + dkimVersion,
	declared: declaredDKIM,
	covers:   coversDKIM,
	owner:    func(k Key, _ Value) (Name, bool) { return ownerBeside(k, "_domainkey") },
	reprint:  reprintDKIM,
	parts:    func(vs []Value) []string { return partsOf(vs, dkimParts) },
	describe: describeDKIM,
}

// DKIMName is where the key of a selector stands (RFC 6376 3.6.2.1).
func DKIMName(selector string, domain Name) Name {
	return Below(selector+"._domainkey", domain)
}

func declaredDKIM(d *Domain) []Declared {
	out := make([]Declared, 0, len(d.DKIM))
	for _, k := range d.DKIM {
		declared := Declared{Kind: KindDKIM, Key: Key{DKIMName(k.Selector, d.Name), TypeTXT}, TTL: k.TTL, Source: k.Source}
		switch {
		case k.Revoked:
			declared.Value = RevokedDKIM
		case k.CNAME != "":
			declared.Key.Type, declared.Value = TypeCNAME, Value(k.CNAME)
		case k.Key != nil:
			declared.Value = k.Key.Value()
		default:
			continue
		}
		out = append(out, declared)
	}
	return out
}

// coversDKIM covers both types at a selector, so that a key may take the place
// of an alias and the other way round.
func coversDKIM(d *Domain) []Cover {
	out := make([]Cover, 0, 2*len(d.DKIM))
	for _, k := range d.DKIM {
		if !k.Revoked && k.CNAME == "" && k.Key == nil {
			continue
		}
		name := DKIMName(k.Selector, d.Name)
		out = append(out, Cover{Kind: KindDKIM, Key: Key{name, TypeCNAME}}, Cover{Kind: KindDKIM, Key: Key{name, TypeTXT}})
	}
	return out
}

// isAlias reports whether a value at a selector is the target of a CNAME
// rather than a key record, which always has an equals sign.
func isAlias(v Value) bool { return !strings.ContainsAny(string(v), "=; ") }

func reprintDKIM(v Value) (Value, error) {
	if isAlias(v) {
		return CanonicalData(TypeCNAME, string(v))
	}
	k, err := ParseDKIM(v)
	if err != nil {
		return "", err
	}
	return k.Value(), nil
}

func dkimParts(v Value) []string {
	if isAlias(v) {
		return []string{"cname=" + string(v)}
	}
	k, err := ParseDKIM(v)
	switch {
	case err != nil:
		return []string{foldSpace(string(v))}
	case k.Revoked():
		return append([]string{"revoked"}, dkimExtras(k)...)
	}
	return append([]string{string(k.Type) + ":" + k.Fingerprint()}, dkimExtras(k)...)
}

// dkimExtras are the tags besides key and type.
func dkimExtras(k DKIMKey) []string {
	tags := k.limits()
	if k.Notes != "" {
		tags = append(tags, Tag{"n", k.Notes})
	}
	return tagParts(append(tags, k.Other...))
}

// describeDKIM tells what becomes of the key, which identity matters, and of
// its flags.
func describeDKIM(before, after []Value) []string {
	was, is := dkimList(before, dkimExact), dkimList(after, dkimExact)
	switch {
	case len(before) == 0:
		return []string{"new " + dkimList(after, dkimLabel)}
	case len(after) == 0:
		return []string{was + " removed: mail still signed with it fails"}
	case dkimIdentity(before) != dkimIdentity(after):
		return []string{dkimReplaced(before, after, was, is)}
	}
	gone, added := difference(dkimAllExtras(before), dkimAllExtras(after))
	return changeLines("DKIM tag ", gone, added)
}

func dkimReplaced(before, after []Value, was, is string) string {
	old, errOld := ParseDKIM(before[0])
	now, errNow := ParseDKIM(after[0])
	switch {
	case len(before) > 1 || len(after) > 1:
		return fmt.Sprintf("%d records → %d: %s → %s (verifiers may take any of several)", len(before), len(after), was, is)
	case errOld == nil && errNow == nil && now.Revoked():
		return was + " REVOKED: mail still signed with it fails"
	case errOld == nil && errNow == nil && !old.Revoked():
		return "DKIM key changed IN PLACE: " + was + " → " + is + ": mail signed with the old one fails"
	}
	return was + " → " + is
}

// dkimList names the values for people.
func dkimList(vs []Value, name func(Value) string) string {
	names := make([]string, len(vs))
	for i, v := range vs {
		names[i] = name(v)
	}
	return strings.Join(names, " and ")
}

// dkimLabel says what a value is.
func dkimLabel(v Value) string {
	if isAlias(v) {
		return "DKIM alias to " + string(v)
	}
	k, err := ParseDKIM(v)
	switch {
	case err != nil:
		return "unusable DKIM record (" + err.Error() + ")"
	case k.Revoked():
		return "revoked DKIM key"
	case k.Type == KeyEd25519:
		return "DKIM key, Ed25519"
	}
	return fmt.Sprintf("DKIM key, RSA %d", k.Bits())
}

// dkimExact is dkimLabel with the fingerprint, where which key it is matters.
func dkimExact(v Value) string {
	k, err := ParseDKIM(v)
	if err != nil || k.Revoked() {
		return dkimLabel(v)
	}
	return dkimLabel(v) + ", " + k.ShortFingerprint()
}

// dkimIdentity says which keys the values hold, whatever their tags.
func dkimIdentity(vs []Value) string {
	var ids []string
	for _, v := range vs {
		ids = append(ids, dkimParts(v)[0])
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func dkimAllExtras(vs []Value) []string {
	var extras []string
	for _, v := range vs {
		if k, err := ParseDKIM(v); err == nil {
			extras = append(extras, dkimExtras(k)...)
		}
	}
	return extras
}
