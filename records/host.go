package records

import (
	"fmt"
	"strings"
)

// HostOwned reports whether records of this type are made by the host itself
// or by a signer: they are no part of a Zone and are never written.
func (t Type) HostOwned() bool {
	switch t {
	case "SOA", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY", "ZONEMD", "TYPE65534":
		return true
	}
	return false
}

// AbsoluteData is the way back from CanonicalData: a host name at the end of
// the data gets the dot that makes it absolute, since hosts and zone files take
// a name without it as relative to the zone. A TXT value stays as it is.
func AbsoluteData(t Type, v Value) string {
	s := string(v)
	switch t {
	case TypeCNAME, TypeMX, TypeNS, TypeSRV, "PTR", "DNAME":
		if !strings.HasSuffix(s, ".") {
			return s + "."
		}
	}
	return s
}

// CheckCNAME reports the first change that would put a CNAME beside records of
// another type (RFC 1034 3.6.2), or such beside a CNAME, where the zone has no
// such conflict yet. Servers refuse a zone that has one.
func (z Zone) CheckCNAME(changes []Change) error {
	after := z.With(results(changes)...)
	for _, c := range changes {
		if c.After == nil || !after.conflict(c.Name) || z.conflict(c.Name) {
			continue
		}
		if c.Type == TypeCNAME {
			return fmt.Errorf("%s can't be written beside the other records of that name (RFC 1034 3.6.2): remove them first", c.Key)
		}
		return fmt.Errorf("%s can't be written, since the name is a CNAME (RFC 1034 3.6.2): remove that first", c.Key)
	}
	return nil
}

// conflict reports whether a name has a CNAME and anything else.
func (z Zone) conflict(n Name) bool {
	if _, aliased := z.Set(Key{n, TypeCNAME}); !aliased {
		return false
	}
	return len(z.At(n)) > 1
}

// results are the sets that changes lead to; one without values is removed.
func results(changes []Change) []RRset {
	sets := make([]RRset, len(changes))
	for i, c := range changes {
		sets[i] = RRset{Key: c.Key}
		if c.After != nil {
			sets[i] = *c.After
		}
	}
	return sets
}
