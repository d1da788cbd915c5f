package route53test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// Put makes a set be what it is given as, as somebody else would; without
// values it goes.
func (s *Server) Put(zone string, set records.RRset) {
	raw := Set{Name: string(set.Name), Type: string(set.Type), TTL: ttl(int64(set.TTL))}
	for _, v := range set.Values {
		raw.ResourceRecords = append(raw.ResourceRecords, Record{writeValue(set.Type, v)})
	}
	s.PutSet(zone, raw)
}

// PutSet is Put for a set as the API has it, with values in any form.
func (s *Server) PutSet(zone string, set Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	z := s.zone(zone)
	set.Name = normalName(set.Name)
	if len(set.ResourceRecords) > 0 || set.AliasTarget != nil {
		z.put(set)
		return
	}
	z.sets = slices.DeleteFunc(slices.Clone(z.sets), func(o Set) bool { return o.Name == set.Name && o.Type == set.Type })
}

// Sets returns the sets of a zone, in their order.
func (s *Server) Sets(zone string) []Set {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.zone(zone).sets)
}

// Records returns the zone's plain sets: the SOA, aliases and sets with a
// routing policy are left out.
func (s *Server) Records(zone string) records.Zone {
	sets := s.Sets(zone)
	out := records.NewZone(dnsName(sets[0].Name), 0) // that of the zone sorts first
	for i := range sets {
		raw := &sets[i]
		if raw.Type == "SOA" || raw.routed() || raw.AliasTarget != nil {
			continue
		}
		set := records.RRset{Key: records.Key{Name: dnsName(raw.Name), Type: records.Type(raw.Type)}, TTL: records.TTL(*raw.TTL)}
		for _, v := range raw.ResourceRecords {
			set.Values = append(set.Values, readValue(set.Type, v.Value))
		}
		out = out.With(records.NewRRset(set.Key, set.TTL, set.Values...))
	}
	return out
}

// dnsName reads the escapes of a name. Those that stand for more than a
// printable character are of no use in tests.
func dnsName(name string) records.Name {
	var b []byte
	for i := 0; i < len(name); i++ {
		c := name[i]
		if octal, ok := readOctal(name[i:]); ok {
			c = octal
			i += len(`\ooo`) - 1
		}
		b = append(b, c)
	}
	return records.CanonicalName(string(b))
}

func readValue(t records.Type, value string) records.Value {
	if t == records.TypeTXT || t == "SPF" {
		texts, err := readStrings(value)
		if err != nil {
			panic(err) // the server admits no such value
		}
		return records.Value(strings.Join(texts, ""))
	}
	v, err := records.CanonicalData(t, value)
	if err != nil {
		return records.Value(value)
	}
	return v
}

// writeValue writes strings of 255 bytes and every escape as \ooo, even that of
// a quotation mark: legal, and not what a client would write.
func writeValue(t records.Type, v records.Value) string {
	if t != records.TypeTXT && t != "SPF" {
		return records.AbsoluteData(t, v)
	}
	var b strings.Builder
	b.WriteByte('"')
	for i, c := range []byte(v) {
		if i > 0 && i%255 == 0 {
			b.WriteString(`" "`)
		}
		if c == '"' || c == '\\' || c < ' ' || c > '~' {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String() + `"`
}
