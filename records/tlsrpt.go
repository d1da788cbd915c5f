package records

import (
	"errors"
	"fmt"
	"strings"
)

const tlsrptVersion = "TLSRPTv1"

// TLSRPTRecord says where reports about TLS go (RFC 8460 3).
type TLSRPTRecord struct {
	RUA   []string // as written
	Other []Tag    // extensions, in order and as written
}

// ParseTLSRPT reads the TXT value. The error says why senders ignore it, or
// which destination is wrong.
func ParseTLSRPT(text string) (TLSRPTRecord, error) {
	var r TLSRPTRecord
	if !firstTag(text, tlsrptVersion) {
		return r, errors.New(`it is no TLS reporting record: it must begin with "v=TLSRPTv1;"`)
	}
	for _, t := range splitTags(text)[1:] {
		switch {
		case t.Name == "":
			return r, fmt.Errorf("%q is not NAME=VALUE", t.Value)
		case t.Name != "rua":
			r.Other = append(r.Other, t)
		case r.RUA != nil:
			return r, errors.New("rua stands in it twice; separate the destinations by commas")
		default:
			r.RUA = splitList(t.Value, ",")
		}
	}
	if len(r.RUA) == 0 {
		return r, errors.New("it has no rua; write v=TLSRPTv1; rua=mailto:NAME@DOMAIN")
	}
	for _, uri := range r.RUA {
		if _, err := ParseReportURI(uri); err != nil {
			return r, err
		}
	}
	return r, nil
}

// Value prints the record.
func (r TLSRPTRecord) Value() Value {
	var w tagWriter
	w.add("v", tlsrptVersion)
	w.add("rua", strings.Join(r.RUA, ","))
	w.addTags(r.Other)
	return Value(w.String())
}

var tlsrptKind = kind{
	id:       KindTLSRPT,
	title:    "TLS reporting",
	version:  "v=" + tlsrptVersion,
	declared: declaredTLSRPT,
	covers:   coversTLSRPT,
	owner:    func(k Key, _ Value) (Name, bool) { return ownerBelow(k, "_smtp._tls") },
	reprint:  reprintTLSRPT,
	parts:    func(vs []Value) []string { return partsOf(vs, tlsrptParts) },
	describe: describeTLSRPT,
}

// TLSRPTName is where a domain says who gets reports about TLS (RFC 8460 3).
func TLSRPTName(domain Name) Name { return Below("_smtp._tls", domain) }

func declaredTLSRPT(d *Domain) []Declared {
	if d.TLSRPT == nil {
		return nil
	}
	key := Key{TLSRPTName(d.Name), TypeTXT}
	return []Declared{{KindTLSRPT, key, TLSRPTRecord{RUA: d.TLSRPT.RUA}.Value(), d.TLSRPT.TTL, d.TLSRPT.Source}}
}

func coversTLSRPT(d *Domain) []Cover {
	var out []Cover
	for _, declared := range declaredTLSRPT(d) {
		out = append(out, Cover{KindTLSRPT, declared.Key, "v=" + tlsrptVersion})
	}
	return out
}

func reprintTLSRPT(v Value) (Value, error) {
	r, err := ParseTLSRPT(string(v))
	if err != nil {
		return "", err
	}
	return r.Value(), nil
}

func tlsrptParts(v Value) []string {
	r, err := ParseTLSRPT(string(v))
	if err != nil {
		return []string{foldSpace(string(v))}
	}
	var words []string
	for _, uri := range r.RUA {
		words = append(words, "rua="+uri)
	}
	return append(words, tagParts(r.Other)...)
}

func describeTLSRPT(before, after []Value) []string {
	gone, added := difference(partsOf(before, tlsrptParts), partsOf(after, tlsrptParts))
	for _, words := range [][]string{gone, added} {
		for i, w := range words {
			words[i] = strings.Replace(w, "rua=", "TLS reports to ", 1)
		}
	}
	lines := changeLines("", gone, added)
	if len(after) == 0 {
		lines = append(lines, "no TLS reports will come")
	}
	return lines
}
