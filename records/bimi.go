package records

import (
	"errors"
	"fmt"
)

const bimiVersion = "BIMI1"

// BIMIRecord is an assertion record of a domain's logo
// (draft-brand-indicators-for-message-identification 4.2).
type BIMIRecord struct {
	Logo     string // l: https URI of an SVG; empty: the domain declines
	Evidence string // a: https URI of a mark certificate; empty: none
	Other    []Tag  // other tags, in order and as written
}

// ParseBIMI reads the TXT value. The error says why receivers ignore it.
func ParseBIMI(text string) (BIMIRecord, error) {
	var r BIMIRecord
	if !firstTag(text, bimiVersion) {
		return r, errors.New(`it is no BIMI record: it must begin with "v=BIMI1;"`)
	}
	seen := map[string]bool{"v": true}
	for _, t := range splitTags(text)[1:] {
		switch {
		case t.Name == "":
			return r, fmt.Errorf("%q is not NAME=VALUE", t.Value)
		case seen[t.Name]:
			return r, fmt.Errorf("the tag %s= stands in it twice", t.Name)
		case t.Name == "l":
			r.Logo = t.Value
		case t.Name == "a":
			r.Evidence = t.Value
		default:
			r.Other = append(r.Other, t)
		}
		seen[t.Name] = true
	}
	if !seen["l"] {
		return r, errors.New("it has no l=, the address of the logo")
	}
	return r, nil
}

// Value prints the record.
func (r BIMIRecord) Value() Value {
	var w tagWriter
	w.add("v", bimiVersion)
	w.add("l", r.Logo)
	w.addSet("a", r.Evidence)
	w.addTags(r.Other)
	return Value(w.String())
}

var bimiKind = kind{
	id:       KindBIMI,
	title:    "BIMI",
	version:  "v=" + bimiVersion,
	declared: declaredBIMI,
	covers:   coversBIMI,
	owner:    func(k Key, _ Value) (Name, bool) { return ownerBeside(k, "_bimi") },
	reprint:  reprintBIMI,
	parts:    func(vs []Value) []string { return partsOf(vs, bimiParts) },
	describe: describeBIMI,
}

// BIMIName is where a selector's logo is announced.
func BIMIName(selector string, domain Name) Name { return Below(selector+"._bimi", domain) }

func declaredBIMI(d *Domain) []Declared {
	var out []Declared
	for _, b := range d.BIMI {
		key := Key{BIMIName(b.Selector, d.Name), TypeTXT}
		out = append(out, Declared{KindBIMI, key, b.Record.Value(), b.TTL, b.Source})
	}
	return out
}

func coversBIMI(d *Domain) []Cover {
	var out []Cover
	for _, declared := range declaredBIMI(d) {
		out = append(out, Cover{KindBIMI, declared.Key, "v=" + bimiVersion})
	}
	return out
}

func reprintBIMI(v Value) (Value, error) {
	r, err := ParseBIMI(string(v))
	if err != nil {
		return "", err
	}
	return r.Value(), nil
}

func bimiParts(v Value) []string {
	r, err := ParseBIMI(string(v))
	if err != nil {
		return []string{foldSpace(string(v))}
	}
	words := []string{"l=" + r.Logo}
	if r.Evidence != "" {
		words = append(words, "a="+r.Evidence)
	}
	return append(words, tagParts(r.Other)...)
}

func describeBIMI(before, after []Value) []string {
	gone, added := difference(partsOf(before, bimiParts), partsOf(after, bimiParts))
	for _, words := range [][]string{gone, added} {
		for i, w := range words {
			words[i] = bimiLabel(w)
		}
	}
	return changeLines("", gone, added)
}

func bimiLabel(word string) string {
	if word == "l=" {
		return "BIMI: the domain declines to show a logo"
	}
	if logo := firstWith([]string{word}, "l="); logo != "" {
		return "BIMI logo " + logo
	}
	if evidence := firstWith([]string{word}, "a="); evidence != "" {
		return "BIMI evidence document " + evidence
	}
	return word
}
