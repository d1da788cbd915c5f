package dnstest

import (
	"time"

	"github.com/miekg/dns"
)

// Misdeed is a way in which a server gives a wrong answer, or none.
type Misdeed int

// The misdeeds. A forged reply says NXDOMAIN.
const (
	// Obey gives the right answer: for a Fault that only delays it.
	Obey Misdeed = iota
	// Drop gives no answer.
	Drop
	// ServFail and Refuse answer with their RCODE.
	ServFail
	Refuse
	// WrongID sends a forged reply whose ID is another one.
	WrongID
	// WrongQuestion sends a forged reply to a question for another name.
	WrongQuestion
	// WrongType sends a forged reply to a question for another type.
	WrongType
	// Cut sends the right answer without its last bytes.
	Cut
	// CutUDP does so over UDP alone.
	CutUDP
	// Truncate sets TC over UDP, whatever the size.
	Truncate
	// NoEDNS answers a message with an OPT by a header that says FORMERR, as
	// servers do that don't know EDNS (RFC 6891 7).
	NoEDNS
	// NoRecursion refers to the root's servers, as a server does that neither
	// recurses nor holds the zone.
	NoRecursion
	// Hangup closes a TCP connection instead of answering on it.
	Hangup
)

// Fault says how a server treats the questions for a name.
type Fault struct {
	Misdeed Misdeed
	// Delay is waited before anything is sent.
	Delay time.Duration
	// Times is how many questions it lasts for; 0 means all.
	Times int
	// ThenRight lets the right answer follow the wrong one.
	ThenRight bool
}

// Break makes the server treat all questions for a name as the fault says. The
// zero Fault mends the name.
func (s *Server) Break(name string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[lower(dns.Fqdn(name))] = &f
}

// BreakAll is Break for the names that have no fault of their own.
func (s *Server) BreakAll(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.general = &f
}

// fault takes the fault that holds for a question, for one question.
func (s *Server) fault(q dns.Question) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults[lower(q.Name)]
	if f == nil {
		f = s.general
	}
	if f == nil {
		return Fault{}
	}
	now := *f
	if f.Times > 0 {
		if f.Times--; f.Times == 0 {
			*f = Fault{}
		}
	}
	return now
}

// packets returns what is sent for a message: the wrong reply, the right one.
func (f Fault) packets(req, right *dns.Msg, tcp bool) [][]byte {
	wrong, ok := f.wrong(req, right.Copy(), tcp)
	switch {
	case !ok:
		return [][]byte{pack(right)}
	case !f.ThenRight:
		return wrong
	}
	return append(wrong, pack(right))
}

// wrong returns what a misdeed sends, made from the right reply. ok is false
// where the misdeed doesn't touch this question.
func (f Fault) wrong(req, m *dns.Msg, tcp bool) (packets [][]byte, ok bool) {
	switch f.Misdeed {
	case Drop, Hangup:
		return nil, f.Misdeed == Drop || tcp
	case ServFail:
		m = new(dns.Msg).SetRcode(req, dns.RcodeServerFailure)
	case Refuse:
		m = new(dns.Msg).SetRcode(req, dns.RcodeRefused)
	case WrongID:
		m = new(dns.Msg).SetRcode(req, dns.RcodeNameError)
		m.Id++
	case WrongQuestion:
		m = new(dns.Msg).SetRcode(req, dns.RcodeNameError)
		m.Question[0].Name = "forged.invalid."
	case WrongType:
		m = new(dns.Msg).SetRcode(req, dns.RcodeNameError)
		m.Question[0].Qtype++
	case Cut, CutUDP:
		whole := pack(m)
		return [][]byte{whole[:len(whole)-3]}, !tcp || f.Misdeed == Cut
	case Truncate:
		truncate(m)
		ok = !tcp
		return [][]byte{pack(m)}, ok
	case NoEDNS:
		m = new(dns.Msg).SetRcode(req, dns.RcodeFormatError)
		m.Question = nil
		return [][]byte{pack(m)}, req.IsEdns0() != nil
	case NoRecursion:
		m = new(dns.Msg).SetReply(req)
		m.Ns = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 518400}, Ns: "a.root-servers.net."}}
	case Obey:
		return nil, false
	}
	return [][]byte{pack(m)}, true
}

// pack writes a message that this package made, whose records were packed or
// parsed before.
func pack(m *dns.Msg) []byte {
	wire, err := m.Pack()
	if err != nil {
		wire, _ = new(dns.Msg).SetRcode(m, dns.RcodeServerFailure).Pack()
	}
	return wire
}
