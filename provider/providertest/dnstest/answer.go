package dnstest

import (
	"github.com/miekg/dns"
)

// zones are the zones of a server by apex.
type zones map[string]*zone

func parseZones(texts []Zone) (zones, error) {
	all := make(zones, len(texts))
	for _, text := range texts {
		z, err := parseZone(text)
		if err != nil {
			return nil, err
		}
		all[z.apex] = z
	}
	return all, nil
}

// closest returns the zone that a name belongs to, or nil.
func (all zones) closest(name string) *zone {
	for up := name; ; up = parent(up) {
		if z := all[up]; z != nil || up == "." {
			return z
		}
	}
}

// reply answers a well-formed message.
func (all zones) reply(req *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(req)
	m.RecursionAvailable = true
	m.Compress = true
	if !negotiate(req, m) {
		return m
	}
	q := req.Question[0]
	switch {
	case req.Opcode != dns.OpcodeQuery, isMetaType(q.Qtype):
		m.Rcode = dns.RcodeNotImplemented
	case q.Qclass != dns.ClassINET:
		m.Rcode = dns.RcodeRefused
	default:
		all.resolve(m, lower(q.Name), q.Qtype)
	}
	return m
}

// isMetaType covers the types that are no data (RFC 6895 3.1): OPT, transfers,
// ANY.
func isMetaType(kind uint16) bool {
	return kind == 0 || kind == dns.TypeOPT || kind >= 128 && kind <= 255
}

// negotiate puts the OPT of a reply in. It reports false where that already is
// the answer (RFC 6891 6.1).
func negotiate(req, m *dns.Msg) bool {
	var asked []*dns.OPT
	for _, rr := range req.Extra {
		if opt, ok := rr.(*dns.OPT); ok {
			asked = append(asked, opt)
		}
	}
	if len(asked) == 0 {
		return true
	}
	m.SetEdns0(maxUDP, false)
	switch {
	case len(asked) > 1:
		m.Rcode = dns.RcodeFormatError
	case asked[0].Version() > 0:
		m.Rcode = dns.RcodeBadVers
	}
	return m.Rcode == dns.RcodeSuccess
}

// resolve follows aliases through all zones (RFC 1034 4.3.2). A loop ends
// where it closes.
func (all zones) resolve(m *dns.Msg, name string, kind uint16) {
	for seen := map[string]bool{}; name != "" && !seen[name]; {
		seen[name] = true
		z := all.closest(name)
		if z == nil {
			if len(m.Answer) == 0 {
				m.Rcode = dns.RcodeRefused
			}
			return
		}
		name = z.answer(m, name, kind)
	}
}

// answer puts in what the zone has for a name. The result is the name that an
// alias leads to, or empty.
func (z *zone) answer(m *dns.Msg, name string, kind uint16) (next string) {
	if ns := z.cut(name); ns != nil {
		z.refer(m, ns)
		return ""
	}
	m.Authoritative = m.Authoritative || len(m.Answer) == 0
	n, exists := z.find(name)
	if !exists {
		m.Rcode = dns.RcodeNameError
	}
	if alias := n[dns.TypeCNAME]; len(alias) == 1 && kind != dns.TypeCNAME {
		m.Answer = append(m.Answer, alias[0])
		cname, _ := alias[0].(*dns.CNAME)
		return lower(cname.Target)
	}
	m.Answer = append(m.Answer, n[kind]...)
	if len(n[kind]) == 0 {
		m.Ns = append(m.Ns, z.negative())
	}
	return ""
}

// refer puts in a delegation and the addresses of its servers that lie below.
func (z *zone) refer(m *dns.Msg, delegation []dns.RR) {
	m.Ns = append(m.Ns, delegation...)
	for _, rr := range delegation {
		ns, ok := rr.(*dns.NS)
		if !ok {
			continue
		}
		host := z.nodes[lower(ns.Ns)]
		m.Extra = append(m.Extra, host[dns.TypeA]...)
		m.Extra = append(m.Extra, host[dns.TypeAAAA]...)
	}
}

// maxUDP is the largest message over UDP, whatever a client can take.
const maxUDP = 4096

// udpSize is the size of the largest message that the client can take over UDP
// (RFC 1035 2.3.4, RFC 6891 6.2.3).
func udpSize(req *dns.Msg) int {
	opt := req.IsEdns0()
	if opt == nil {
		return dns.MinMsgSize
	}
	return min(maxUDP, max(dns.MinMsgSize, int(opt.UDPSize())))
}

// fit makes a message no larger than size: addresses that nobody asked for go
// first, then everything, with TC set (RFC 2181 9).
func fit(m *dns.Msg, size int) {
	if m.Len() <= size {
		return
	}
	opt := m.IsEdns0()
	m.Extra = nil
	if opt != nil {
		m.Extra = []dns.RR{opt}
	}
	if m.Len() > size {
		truncate(m)
	}
}

func truncate(m *dns.Msg) {
	m.Truncated = true
	m.Answer, m.Ns = nil, nil
}
