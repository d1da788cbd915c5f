package zonefile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

// record is one resource record.
type record struct {
	key   records.Key
	ttl   records.TTL
	value records.Value
	// aside: no part of the zone as we see it (SOA, DNSSEC, another class,
	// a name outside the zone).
	aside bool
	fixed string // why its set can't be changed; empty: it can

	// Indexes of the entry's tokens; -1 where a field is left out.
	ttlAt, classAt, typeAt int
	origin                 records.Name // in force at the record
}

// dataAt is the index of the first token of the data.
func (r *record) dataAt() int { return r.typeAt + 1 }

func (s *source) word(t token) []byte { return s.text[t.start:t.end] }

// raw is the token as it stands in the file, quotes included.
func (s *source) raw(t token) []byte {
	if t.quoted {
		return s.text[t.start-1 : t.end+1]
	}
	return s.text[t.start:t.end]
}

func (p *parser) record(src *source, e entry) (*record, error) {
	r := &record{fixed: src.fixed, origin: src.origin, ttlAt: -1, classAt: -1, typeAt: -1}
	next := 0
	if e.blank {
		if !src.owned {
			return nil, &SyntaxError{Line: e.line, What: "the line begins with white space, so it belongs to the name above, and there is none", Fix: "begin it with a name, or with @ for the zone itself"}
		}
		r.key.Name = src.owner
	} else {
		name, err := absolute(src.word(e.tokens[0]), src.origin)
		if err != nil {
			return nil, &SyntaxError{Line: e.line, What: "the record's name can't be read: " + err.Error(), Fix: "correct the name"}
		}
		r.key.Name = name
		next = 1
	}
	internet, err := r.readFields(src, e, next)
	if err != nil {
		return nil, err
	}
	r.aside = !internet || r.key.Type.HostOwned() || !r.key.Name.In(p.file.zone)
	if err := p.readData(src, e, r); err != nil {
		return nil, err
	}
	return r, p.readTTL(e, r)
}

// readFields finds TTL, class and type, the first two in any order.
func (r *record) readFields(src *source, e entry, next int) (internet bool, err error) {
	internet = true
	for i := next; i < len(e.tokens) && !e.tokens[i].quoted; i++ {
		word := src.word(e.tokens[i])
		if r.ttlAt < 0 && isDigit(word[0]) {
			ttl, ok := parseTTL(word)
			if !ok {
				return false, &SyntaxError{Line: e.line, What: "the TTL is no number of seconds up to 2147483647", Fix: "write seconds, or units as in 1h30m"}
			}
			r.ttl, r.ttlAt = ttl, i
			continue
		}
		if class, in := isClass(word); class && r.classAt < 0 {
			internet, r.classAt = in, i
			continue
		}
		t, known, ok := recordType(word)
		if !ok {
			break
		}
		r.key.Type, r.typeAt = t, i
		if !known && r.fixed == "" {
			r.fixed = fmt.Sprintf("maildns doesn't know the type %s in line %d of %s", t, e.line, src.path)
		}
		return internet, nil
	}
	return false, &SyntaxError{Line: e.line, What: "the record has no type", Fix: "write name, TTL, class, type and data, as in: @ 3600 IN TXT \"text\"; a line that goes on needs parentheses"}
}

// readData reads the value. Data of a common type that can't be read is an
// error, as servers refuse such a file; other strangers are set aside.
func (p *parser) readData(src *source, e entry, r *record) error {
	tokens := e.tokens[r.dataAt():]
	if r.key.Type == "SOA" {
		return p.readSOA(src, e, r)
	}
	if r.aside {
		return nil
	}
	if len(tokens) == 0 {
		return &SyntaxError{Line: e.line, What: fmt.Sprintf("the %s record has no data", r.key.Type), Fix: "add it, or remove the line"}
	}
	value, err := p.value(src, r, tokens)
	switch {
	case err == nil:
		r.value = value
	case isCommon(r.key.Type):
		return &SyntaxError{Line: e.line, What: fmt.Sprintf("the data of the %s record can't be read: %v", r.key.Type, err), Fix: "correct it"}
	default:
		r.value = records.Value(src.join(tokens))
		if r.fixed == "" {
			r.fixed = fmt.Sprintf("maildns can't read line %d of %s", e.line, src.path)
		}
	}
	return nil
}

func isCommon(t records.Type) bool {
	switch t {
	case records.TypeA, records.TypeAAAA, records.TypeCNAME, records.TypeMX, records.TypeNS, records.TypeTXT:
		return true
	}
	return false
}

// join returns tokens as one line.
func (s *source) join(tokens []token) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.Write(s.raw(t))
	}
	return b.String()
}

var errData = errors.New("it has not the right form")

func (p *parser) value(src *source, r *record, tokens []token) (records.Value, error) {
	if string(src.word(tokens[0])) == `\#` { // RFC 3597 5
		return src.parsed(r, tokens)
	}
	t := r.key.Type
	switch t {
	case records.TypeTXT:
		var buf [512]byte
		out := buf[:0]
		for _, token := range tokens {
			var err error
			if out, err = appendUnescaped(out, src.word(token)); err != nil {
				return "", err
			}
		}
		return records.Value(out), nil
	case records.TypeCNAME, records.TypeNS, "PTR", "DNAME", records.TypeMX, records.TypeSRV:
		last := len(tokens) - 1
		host, err := absolute(src.word(tokens[last]), src.origin)
		if err != nil {
			return "", err
		}
		text := string(host) + "."
		if last > 0 {
			text = src.join(tokens[:last]) + " " + text
		}
		return canonical(t, text)
	case records.TypeA, records.TypeAAAA, "TLSA", "SMIMEA", "SSHFP", "DS", "CAA", "SPF":
		return canonical(t, src.join(tokens))
	}
	return src.parsed(r, tokens)
}

// canonical is records.CanonicalData without the quotation of the data.
func canonical(t records.Type, data string) (records.Value, error) {
	v, err := records.CanonicalData(t, data)
	if err != nil {
		return "", errData
	}
	return v, nil
}

// parsed reads data with the library's parser, which knows every type.
func (s *source) parsed(r *record, tokens []token) (records.Value, error) {
	text := fmt.Sprintf(". 0 IN %s %s\n", r.key.Type, s.join(tokens))
	parser := dns.NewZoneParser(strings.NewReader(text), string(s.origin)+".", "")
	rr, ok := parser.Next()
	if !ok {
		return "", errData
	}
	if txt, ok := rr.(*dns.TXT); ok {
		var out []byte
		for _, piece := range txt.Txt {
			var err error
			if out, err = appendUnescaped(out, []byte(piece)); err != nil {
				return "", err
			}
		}
		return records.Value(out), nil
	}
	rr, err := overWire(rr)
	if err != nil {
		return "", errData
	}
	return canonical(r.key.Type, dataText(rr))
}

// overWire packs and unpacks a record, which leaves its escapes with one
// spelling and shows what no server could send.
func overWire(rr dns.RR) (dns.RR, error) {
	wire := make([]byte, dns.Len(rr)+1)
	n, err := dns.PackRR(rr, wire, 0, nil, false)
	if err != nil {
		return nil, err
	}
	again, _, err := dns.UnpackRR(wire[:n], 0)
	return again, err
}

// dataText is the data of a record without its name, TTL, class and type.
func dataText(rr dns.RR) string {
	text := rr.String()
	if _, ok := rr.(*dns.RFC3597); ok { // prints its header in another way
		_, data, _ := strings.Cut(text, `\#`)
		return `\#` + data
	}
	return strings.TrimPrefix(text, rr.Header().String())
}

// Places of an SOA's data, counted from the type (RFC 1035 3.3.13).
const (
	soaSerial  = 3
	soaMinimum = 7
)

func (p *parser) readSOA(src *source, e entry, r *record) error {
	const shape = "write: @ IN SOA primary mailbox serial refresh retry expire minimum"
	if len(e.tokens) != r.typeAt+soaMinimum+1 {
		return &SyntaxError{Line: e.line, What: "the SOA record has not seven fields", Fix: shape}
	}
	if r.key.Name != p.file.zone {
		return &SyntaxError{Line: e.line, What: fmt.Sprintf("the SOA record is not that of the zone %s", p.file.zone), Fix: "name the file after its zone, or correct the name"}
	}
	if _, err := strconv.ParseUint(string(src.word(e.tokens[r.typeAt+soaSerial])), 10, 32); err != nil {
		return &SyntaxError{Line: e.line, What: "the serial of the SOA record is no number from 0 to 4294967295", Fix: shape}
	}
	minimum, ok := parseTTL(src.word(e.tokens[r.typeAt+soaMinimum]))
	if !ok {
		return &SyntaxError{Line: e.line, What: "the minimum of the SOA record is no TTL", Fix: shape}
	}
	if _, ok := p.ttls.inherited(); !ok && r.ttlAt < 0 {
		p.ttls.setStandard(minimum) // as BIND does
	}
	p.soas++
	p.file.negative, p.file.soaFrom = minimum, src.fixed
	return nil
}

// readTTL gives the record its TTL and remembers it for those that follow.
func (p *parser) readTTL(e entry, r *record) error {
	if r.ttlAt >= 0 {
		p.ttls.setLast(r.ttl)
	} else {
		ttl, ok := p.ttls.inherited()
		if !ok {
			return &SyntaxError{Line: e.line, What: "the record has no TTL, and there is none above that it could inherit", Fix: "begin the file with a line such as $TTL 3600"}
		}
		r.ttl = ttl
	}
	if r.key.Type == "SOA" {
		p.file.negative = min(p.file.negative, r.ttl) // RFC 2308 5
	}
	return nil
}
