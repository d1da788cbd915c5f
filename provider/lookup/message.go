package lookup

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// question is one name and type. The class is always IN.
type question struct {
	name string // canonical
	kind uint16
}

func newQuestion(raw string, t records.Type) (question, error) {
	fail := func(reason Reason, detail string) (question, error) {
		return question{}, &Error{Name: records.Name(raw), Type: t, Reason: reason, Detail: detail}
	}
	kind, known := dns.StringToType[string(t)]
	if !known || kind == dns.TypeOPT || kind >= 128 && kind <= 255 { // RFC 6895 3.1
		return fail(BadType, string(t)+" is no type that records have")
	}
	name, err := canonicalRaw(raw)
	if err != nil {
		return fail(BadName, "it is no domain name: "+err.Error())
	}
	return question{name, kind}, nil
}

// fail is the error of a question.
func (q question) fail(reason Reason, detail string) *Error {
	name := records.Name(strings.TrimSuffix(q.name, "."))
	return &Error{Name: name, Type: records.Type(dns.Type(q.kind).String()), Reason: reason, Detail: detail}
}

// headerSize is the length of a message's header (RFC 1035 4.1.1).
const headerSize = 12

// ednsSize is what fits through any network in one piece; it is what resolvers
// agreed on in 2020.
const ednsSize = 1232

// message makes a message that asks the question.
func (q question) message(edns bool) ([]byte, error) {
	m := new(dns.Msg)
	m.Id = dns.Id()
	m.RecursionDesired = true
	m.Question = []dns.Question{{Name: q.name, Qtype: q.kind, Qclass: dns.ClassINET}}
	if edns {
		m.SetEdns0(ednsSize, false)
	}
	return m.Pack()
}

// answers reports whether a message can be the answer to what was sent: it has
// its ID and repeats its question (RFC 5452 9.1). A header alone is how some
// servers refuse; it can't be more than that.
func answers(sent, wire []byte) bool {
	if len(wire) < headerSize || len(sent) < headerSize {
		return false
	}
	sameID := wire[0] == sent[0] && wire[1] == sent[1]
	response, opcode := wire[2]&0x80 != 0, wire[2]&0x78
	if !sameID || !response || opcode != dns.OpcodeQuery {
		return false
	}
	if len(wire) == headerSize {
		rcode := wire[3] & 0xf
		return rcode != dns.RcodeSuccess && rcode != dns.RcodeNameError
	}
	oneQuestion := binary.BigEndian.Uint16(wire[4:]) == 1
	return oneQuestion && sameQuestion(sent[headerSize:], wire[headerSize:])
}

// sameQuestion compares the questions at the begin of two messages' bodies. A
// question's name is never compressed, since nothing stands before it.
func sameQuestion(sent, wire []byte) bool {
	const typeAndClass = 4
	_, end, err := dns.UnpackDomainName(sent, 0)
	if err != nil || len(sent) < end+typeAndClass || len(wire) < end+typeAndClass {
		return false
	}
	for i := range end {
		if lowerByte(sent[i]) != lowerByte(wire[i]) {
			return false
		}
	}
	return bytes.Equal(sent[end:end+typeAndClass], wire[end:end+typeAndClass])
}

// lowerByte may be used on a name's length bytes too: they are below 'A'.
func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func truncated(wire []byte) bool { return wire[2]&0x02 != 0 }

// reply is one server's answer.
type reply struct {
	Answer
	// next is the canonical name at the end of a chain of aliases that the
	// server didn't follow to its end; it has to be asked for.
	next string
}

// decode reads what a server says about a question. Only the answer section
// counts, and of it only what belongs to the name or to one that its aliases
// lead to; of the authority section only the SOA that tells for how long a
// denial holds, and the name servers of a name that was asked for just them.
// What else a message says is nobody's answer.
func decode(q question, wire []byte) (reply, *flaw) {
	msg, bad := unpack(wire)
	if bad != nil {
		return reply{}, bad
	}
	if msg.Rcode != dns.RcodeSuccess && msg.Rcode != dns.RcodeNameError {
		return reply{}, rcodeFlaw(msg.Rcode)
	}
	r, end, bad := follow(q, msg.Answer)
	if bad != nil {
		return reply{}, bad
	}
	denied := msg.Rcode == dns.RcodeNameError
	if len(r.Values) == 0 && q.kind == dns.TypeNS && end == q.name && !denied {
		// The parent's server, asked for a delegation, answers by referring.
		if found, bad := r.collect(msg.Ns, q.name, q.kind); found || bad != nil {
			return r, bad
		}
	}
	switch {
	case len(r.Values) == 0:
		return deny(r, end, denied, msg.Ns)
	case denied:
		return reply{}, malformed("it says that the name does not exist, and what the name has")
	}
	return r, nil
}

// unpack parses a whole message. The parser forgives sections that hold fewer
// records than the header says; those are messages that were cut.
func unpack(wire []byte) (*dns.Msg, *flaw) {
	msg := new(dns.Msg)
	if err := msg.Unpack(wire); err != nil {
		return nil, malformed("%v", err)
	}
	promised := func(at int) int { return int(binary.BigEndian.Uint16(wire[at:])) }
	if len(msg.Answer) != promised(6) || len(msg.Ns) != promised(8) || len(msg.Extra) != promised(10) {
		return nil, malformed("it has fewer records than it says")
	}
	return msg, nil
}

// maxAliases is how many CNAMEs are followed, as resolvers do it.
const maxAliases = 16

// follow goes along the aliases of an answer to the values of the question's
// type. It returns the name where it ended.
func follow(q question, answer []dns.RR) (r reply, end string, bad *flaw) {
	r.TTL = uint32(records.MaxTTL)
	for name := q.name; ; {
		found, bad := r.collect(answer, name, q.kind)
		if found || bad != nil {
			return r, name, bad
		}
		target, bad := r.alias(answer, name)
		if target == "" || bad != nil {
			return r, name, bad
		}
		if len(r.Aliases) > maxAliases || r.passed(q, target) {
			return r, name, loopFlaw()
		}
		name = target
	}
}

func loopFlaw() *flaw { return &flaw{AliasLoop, "the CNAMEs lead round in a circle, or on and on"} }

// passed reports whether a name was met before the last alias.
func (r *reply) passed(q question, name string) bool {
	if name == q.name {
		return true
	}
	for _, a := range r.Aliases[:len(r.Aliases)-1] {
		if string(a) == strings.TrimSuffix(name, ".") {
			return true
		}
	}
	return false
}

// collect takes the values that an answer has for a name and type.
func (r *reply) collect(answer []dns.RR, name string, kind uint16) (found bool, bad *flaw) {
	var values []records.Value
	for _, rr := range answer {
		if !owns(rr, name, kind) {
			continue
		}
		v, err := value(rr)
		if err != nil {
			return false, malformed("%v", err)
		}
		values = append(values, v)
		r.TTL = min(r.TTL, ttl(rr))
	}
	// RFC 2181 5: a set has no duplicates and no order.
	r.Values = records.NewRRset(records.Key{}, 0, values...).Values
	return len(values) > 0, nil
}

// alias takes the CNAME that an answer has for a name; empty: it has none.
func (r *reply) alias(answer []dns.RR, name string) (target string, bad *flaw) {
	for _, rr := range answer {
		if !owns(rr, name, dns.TypeCNAME) {
			continue
		}
		cname, ok := rr.(*dns.CNAME)
		if !ok || cname.Target == "" {
			return "", malformed("it has a CNAME without a target")
		}
		to := canonicalText(cname.Target)
		if target != "" && target != to {
			return "", malformed("a name in it has two CNAMEs")
		}
		target = to
		r.TTL = min(r.TTL, ttl(rr))
	}
	if target != "" {
		r.Aliases = append(r.Aliases, records.Name(strings.TrimSuffix(target, ".")))
	}
	return target, nil
}

func owns(rr dns.RR, name string, kind uint16) bool {
	h := rr.Header()
	return h.Rrtype == kind && h.Class == dns.ClassINET && canonicalText(h.Name) == name
}

// ttl is a record's TTL; one with the highest bit set counts as 0 (RFC 2181 8).
func ttl(rr dns.RR) uint32 {
	if t := rr.Header().Ttl; t <= uint32(records.MaxTTL) {
		return t
	}
	return 0
}

// deny reads an answer without values (RFC 2308 2): NXDOMAIN, NODATA, a chain
// of aliases that goes on elsewhere, or a referral, which is no answer.
func deny(r reply, end string, denied bool, authority []dns.RR) (reply, *flaw) {
	r.NXDomain = denied
	negative, hasSOA := negativeTTL(authority, end)
	if denied || hasSOA {
		r.TTL = min(r.TTL, negative)
		return r, nil
	}
	if len(r.Aliases) > 0 {
		r.next = end
		return r, nil
	}
	for _, rr := range authority {
		if rr.Header().Rrtype == dns.TypeNS {
			return reply{}, &flaw{NotRecursive, "it refers to other servers instead of asking them"}
		}
	}
	r.TTL = 0
	return r, nil
}

// negativeTTL is how long a denial of name may be remembered: the smaller of
// the SOA's TTL and its MINIMUM; without a SOA not at all (RFC 2308 5).
func negativeTTL(authority []dns.RR, name string) (seconds uint32, ok bool) {
	for _, rr := range authority {
		soa, isSOA := rr.(*dns.SOA)
		if !isSOA || soa.Hdr.Class != dns.ClassINET || !isBelow(name, canonicalText(soa.Hdr.Name)) {
			continue
		}
		return min(ttl(rr), soa.Minttl), true
	}
	return 0, false
}

// isBelow reports whether a canonical name is zone or below it.
func isBelow(name, zone string) bool {
	return zone == "." || name == zone || strings.HasSuffix(name, "."+zone)
}

// join appends what was said about the end of a chain.
func (r reply) join(more reply) reply {
	return reply{next: more.next, Answer: Answer{
		Aliases: append(r.Aliases[:len(r.Aliases):len(r.Aliases)], more.Aliases...),
		Answer: spf.Answer[records.Value]{
			Values: more.Values, NXDomain: more.NXDomain, TTL: min(r.TTL, more.TTL),
		},
	}}
}
