package dnstest

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

// Zone is a zone in master-file format (RFC 1035 5.1).
type Zone struct {
	// Name is the zone's apex, the origin of Text. The root is ".".
	Name string
	// Text holds the records. A record without a TTL has 300 seconds, and a
	// zone without a SOA gets one whose negative TTL is 300 seconds too.
	Text string
}

const defaultTTL = 300

// FromRecords writes a zone in master-file format. Its SOA carries the zone's
// negative TTL.
func FromRecords(z records.Zone) Zone {
	var b strings.Builder
	fmt.Fprintf(&b, "@ %d IN SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 %[1]d\n", z.NegativeTTL)
	for _, set := range z.Sets() {
		for _, v := range set.Values {
			fmt.Fprintf(&b, "%s. %d IN %s %s\n", set.Name, set.TTL, set.Type, masterData(set.Type, v))
		}
	}
	return Zone{Name: string(z.Name), Text: b.String()}
}

// masterData writes a canonical value: strings quoted and cut to 255 bytes,
// host names absolute.
func masterData(t records.Type, v records.Value) string {
	switch t {
	case records.TypeTXT:
		return quoteStrings(string(v))
	case records.TypeCNAME, records.TypeNS, records.TypeMX, records.TypeSRV, "PTR":
		return strings.TrimSuffix(string(v), ".") + "."
	default:
		return string(v)
	}
}

func quoteStrings(s string) string {
	const longest = 255 // of a character-string, RFC 1035 3.3
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if i > 0 && i%longest == 0 {
			b.WriteString(`" "`)
		}
		fmt.Fprintf(&b, `\%03d`, s[i])
	}
	b.WriteByte('"')
	return b.String()
}

// zone is a zone ready to be served. Names are lower case with a final dot.
type zone struct {
	apex  string
	soa   *dns.SOA
	nodes map[string]node // also the names that only have others below them
}

// node is what stands at one name.
type node map[uint16][]dns.RR

func parseZone(z Zone) (*zone, error) {
	parsed := &zone{apex: lower(dns.Fqdn(z.Name)), nodes: map[string]node{}}
	parser := dns.NewZoneParser(strings.NewReader(z.Text), parsed.apex, z.Name)
	parser.SetDefaultTTL(defaultTTL)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		if err := parsed.add(rr); err != nil {
			return nil, fmt.Errorf("zone %s: %w", z.Name, err)
		}
	}
	if err := parser.Err(); err != nil {
		return nil, fmt.Errorf("zone %s: %w", z.Name, err)
	}
	if parsed.soa == nil {
		parsed.soa = &dns.SOA{
			Hdr: dns.RR_Header{Name: parsed.apex, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: defaultTTL},
			Ns:  "ns.invalid.", Mbox: "hostmaster.invalid.", Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: defaultTTL,
		}
		parsed.node(parsed.apex)[dns.TypeSOA] = []dns.RR{parsed.soa}
	}
	return parsed, nil
}

// add puts a record into the zone, or says what rule it breaks.
func (z *zone) add(rr dns.RR) error {
	name, kind := lower(rr.Header().Name), rr.Header().Rrtype
	if !dns.IsSubDomain(z.apex, name) {
		return fmt.Errorf("%q is not in this zone", rr)
	}
	n := z.node(name)
	_, aliased := n[dns.TypeCNAME]
	switch {
	case aliased || kind == dns.TypeCNAME && len(n) > 0:
		return fmt.Errorf("%q stands beside a CNAME, or is one beside others (RFC 1034 3.6.2)", rr)
	case len(n[kind]) > 0 && n[kind][0].Header().Ttl != rr.Header().Ttl:
		return fmt.Errorf("%q has another TTL than its set (RFC 2181 5.2)", rr)
	}
	if soa, ok := rr.(*dns.SOA); ok {
		if name != z.apex || z.soa != nil {
			return fmt.Errorf("%q is a second SOA, or not at the apex", rr)
		}
		z.soa = soa
	}
	for _, present := range n[kind] {
		if dns.IsDuplicate(present, rr) {
			return fmt.Errorf("%q stands there twice (RFC 2181 5)", rr)
		}
	}
	n[kind] = append(n[kind], rr)
	return nil
}

// node returns what stands at a name of the zone and makes the name, and those
// between it and the apex, exist.
func (z *zone) node(name string) node {
	for up := name; ; up = parent(up) {
		if z.nodes[up] == nil {
			z.nodes[up] = node{}
		}
		if up == z.apex {
			return z.nodes[name]
		}
	}
}

// cut returns the delegation that a name of the zone lies at or below.
func (z *zone) cut(name string) []dns.RR {
	var ns []dns.RR
	for up := name; up != z.apex; up = parent(up) {
		if set := z.nodes[up][dns.TypeNS]; len(set) > 0 {
			ns = set // the one nearest to the apex counts
		}
	}
	return ns
}

// find returns what stands at a name of the zone, or what a wildcard makes
// stand there (RFC 4592 3.3). ok is false where the name doesn't exist.
func (z *zone) find(name string) (n node, ok bool) {
	if n, ok := z.nodes[name]; ok {
		return n, true
	}
	encloser := parent(name)
	for z.nodes[encloser] == nil {
		encloser = parent(encloser)
	}
	wildcard, ok := z.nodes[child("*", encloser)]
	return wildcard.as(name), ok
}

// as returns the node's records with another owner.
func (n node) as(name string) node {
	out := make(node, len(n))
	for kind, set := range n {
		for _, rr := range set {
			c := dns.Copy(rr)
			c.Header().Name = name
			out[kind] = append(out[kind], c)
		}
	}
	return out
}

// negative is the SOA as it stands in an answer that denies something: with
// the TTL for which the denial may be remembered (RFC 2308 3).
func (z *zone) negative() dns.RR {
	soa := dns.Copy(z.soa)
	soa.Header().Ttl = min(z.soa.Hdr.Ttl, z.soa.Minttl)
	return soa
}

func child(label, name string) string {
	if name == "." {
		return label + "."
	}
	return label + "." + name
}

func parent(name string) string {
	next, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[next:]
}

// lower is the form in which names are compared (RFC 4343). Bytes outside ASCII
// are escaped in it already.
func lower(name string) string { return strings.ToLower(name) }
