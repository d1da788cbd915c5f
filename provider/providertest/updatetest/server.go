package updatetest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

// Server is a primary server of one zone over TCP. It is safe for concurrent
// use.
type Server struct {
	Primary
	// Denied are sets that the key may not change, and DenyTransfer keeps it
	// from reading. Set them before anything is asked.
	Denied       []records.Key
	DenyTransfer bool
	// PrerequisitesFirst judges the key after the prerequisites, in the order
	// of RFC 2136 3, which BIND, Knot and PowerDNS don't keep.
	PrerequisitesFirst bool
	// OtherSerial makes prerequisites meet another SOA than transfers show, as
	// where a signer stands between.
	OtherSerial bool

	mu     sync.Mutex
	zone   *zone
	faults []Fault
	counts map[what]int
	conns  []net.Conn
	closed bool
}

// what is asked.
type what string

const (
	aTransfer what = "transfer"
	anUpdate  what = "update"
)

// Misdeed is how a server treats a question.
type Misdeed string

// The misdeeds. All but Refuse, Hangup, Silence and Ignore do what is asked.
const (
	Refuse   Misdeed = "refuse"   // by the Fault's RCODE
	Hangup   Misdeed = "hangup"   // closes the connection instead
	Silence  Misdeed = "silence"  // sends nothing, and leaves the connection
	Ignore   Misdeed = "ignore"   // says NOERROR, but changes nothing
	Lose     Misdeed = "lose"     // closes the connection without an answer
	Cut      Misdeed = "cut"      // closes it in the middle of the answer
	Unsigned Misdeed = "unsigned" // the answer has no signature
	Forged   Misdeed = "forged"   // the answer has a wrong signature
	Late     Misdeed = "late"     // the answer was signed an hour ago
	Stranger Misdeed = "stranger" // the answer is to another question
	Garbage  Misdeed = "garbage"  // the answer is no DNS message
	Endless  Misdeed = "endless"  // the answer has no end, the connection stays
)

// Fault is what becomes of one question. The zero value is none.
type Fault struct {
	Misdeed Misdeed
	Rcode   int
}

// Start returns a server of the zone that listens on loopback until the test
// ends. The zone has a SOA and a name server.
func Start(t testing.TB, name records.Name) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // the test's end closes it
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		Primary: Primary{Addr: listener.Addr().String(), Zone: name},
		zone:    newZone(string(name) + "."), counts: map[what]int{},
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if s.keep(conn) {
				serving.Go(func() { s.serve(conn) })
			}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		s.hangUp()
		serving.Wait()
	})
	return s
}

// keep notes a connection, which is closed at the end at the latest.
func (s *Server) keep(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return false
	}
	s.conns = append(s.conns, conn)
	return true
}

func (s *Server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, conn := range s.conns {
		_ = conn.Close()
	}
}

// Break makes the next questions go wrong, one fault each.
func (s *Server) Break(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
}

// Counts returns how many transfers and updates were asked for.
func (s *Server) Counts() (transfers, updates int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[aTransfer], s.counts[anUpdate]
}

// serve answers one question after the other.
func (s *Server) serve(conn net.Conn) {
	for {
		wire, err := receive(conn)
		if err != nil {
			_ = conn.Close()
			return
		}
		q := question{wire: wire}
		if err := q.Unpack(wire); err != nil || len(q.Question) != 1 {
			_ = conn.Close()
			return
		}
		q.check()
		if !s.answer(conn, q) {
			return
		}
	}
}

func receive(conn net.Conn) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	wire := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(conn, wire)
	return wire, err
}

// question is a message with what its signature is worth.
type question struct {
	dns.Msg
	wire  []byte
	tsig  *dns.TSIG // nil: it has none
	wrong uint16    // RFC 8945 3; 0: nothing
}

func (q *question) check() {
	q.tsig = q.IsTsig()
	if q.tsig == nil {
		return
	}
	err := dns.TsigVerify(slices.Clone(q.wire), Secret, "", false)
	switch {
	case q.tsig.Hdr.Name != KeyName+"." || q.tsig.Algorithm != Algorithm+".":
		q.wrong = dns.RcodeBadKey
	case errors.Is(err, dns.ErrTime):
		q.wrong = dns.RcodeBadTime
	case err != nil:
		q.wrong = dns.RcodeBadSig
	}
}

func (q *question) what() what {
	if q.Opcode == dns.OpcodeUpdate {
		return anUpdate
	}
	return aTransfer
}

// answer answers a question. The result is false where the connection is done
// with.
func (s *Server) answer(conn net.Conn, q question) bool {
	f := s.fault(q.what())
	if f.Misdeed == Silence {
		return false
	}
	var answers []*dns.Msg
	if f.Misdeed != Hangup {
		answers = s.answers(q, f)
	}
	if f.Misdeed == Hangup || f.Misdeed == Lose {
		_ = conn.Close()
		return false
	}
	mac := ""
	if q.tsig != nil {
		mac = q.tsig.MAC
	}
	for i, m := range answers {
		var wire []byte
		wire, mac = pack(q, m, f, mac, i > 0)
		if f.Misdeed == Cut {
			_, _ = conn.Write(frame(wire)[:len(wire)/2])
			_ = conn.Close()
			return false
		}
		if _, err := conn.Write(frame(wire)); err != nil {
			return false
		}
	}
	return f.Misdeed != Endless
}

// fault takes the fault of a question, and counts it.
func (s *Server) fault(w what) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[w]++
	if len(s.faults) == 0 {
		return Fault{}
	}
	f := s.faults[0]
	s.faults = s.faults[1:]
	return f
}

// answers are the messages of the answer.
func (s *Server) answers(q question, f Fault) []*dns.Msg {
	one := func(rcode int) []*dns.Msg { return []*dns.Msg{new(dns.Msg).SetRcode(&q.Msg, rcode)} }
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case f.Misdeed == Refuse:
		return one(f.Rcode)
	case q.tsig == nil:
		return one(dns.RcodeRefused)
	case q.wrong != 0, dns.CanonicalName(q.Question[0].Name) != s.fqdn():
		return one(dns.RcodeNotAuth)
	case q.what() == anUpdate && f.Misdeed == Ignore:
		return one(dns.RcodeSuccess)
	case q.what() == anUpdate:
		return one(s.change(&q.Msg))
	case s.DenyTransfer:
		return one(dns.RcodeRefused)
	case q.Question[0].Qtype == dns.TypeAXFR:
		return s.zone.transfer(&q.Msg, f.Misdeed == Endless)
	}
	return one(dns.RcodeNotImplemented)
}

// change makes an update or says why not.
func (s *Server) change(m *dns.Msg) (rcode int) {
	prerequisites := func(m *dns.Msg) int { return s.zone.prerequisites(m, s.OtherSerial) }
	judges := []func(*dns.Msg) int{zoneSection, s.judge, prerequisites, s.zone.prescan}
	if s.PrerequisitesFirst {
		judges[1], judges[2] = judges[2], judges[1]
	}
	for _, judge := range judges {
		if rcode := judge(m); rcode != dns.RcodeSuccess {
			return rcode
		}
	}
	s.zone.update(m)
	return dns.RcodeSuccess
}

func (s *Server) judge(m *dns.Msg) (rcode int) {
	for _, rr := range m.Ns {
		if slices.Contains(s.Denied, keyOf(rr)) {
			return dns.RcodeRefused
		}
	}
	return dns.RcodeSuccess
}

// pack signs one message of an answer; mac is that of the message before.
func pack(q question, m *dns.Msg, f Fault, mac string, further bool) (wire []byte, next string) {
	if f.Misdeed == Garbage {
		return []byte("HTTP/1.1 502 Bad Gateway\r\n\r\n"), ""
	}
	if f.Misdeed == Stranger {
		m.Id++
	}
	if q.tsig == nil || f.Misdeed == Unsigned {
		wire, err := m.Pack()
		return must(wire, err), ""
	}
	now := time.Now()
	if f.Misdeed == Late {
		now = now.Add(-time.Hour)
	}
	m.SetTsig(q.tsig.Hdr.Name, q.tsig.Algorithm, 300, now.Unix())
	tsig := m.IsTsig()
	tsig.Error = q.wrong
	if q.wrong == dns.RcodeBadTime { // RFC 8945 5.2.3
		tsig.TimeSigned = q.tsig.TimeSigned
		tsig.OtherLen, tsig.OtherData = 6, fmt.Sprintf("%012x", now.Unix())
	}
	secret := Secret
	if f.Misdeed == Forged {
		secret = "Zm9yZ2Vk"
	}
	wire, next, err := dns.TsigGenerate(m, secret, mac, further)
	return must(wire, err), next
}

// must is for messages whose records were on the wire before.
func must(wire []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return wire
}
