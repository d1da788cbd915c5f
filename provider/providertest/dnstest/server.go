package dnstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Server is a DNS server. It is safe for concurrent use.
type Server struct {
	address  string
	udp, tcp *dns.Server
	serving  sync.WaitGroup
	closed   chan struct{}
	closing  sync.Once

	mu           sync.Mutex
	zones        zones
	faults       map[string]*Fault
	general      *Fault
	queries      []Query
	active, peak int
}

// Query is one question as it reached a server.
type Query struct {
	Name string // lower case, without the final dot
	Type string
	TCP  bool
	// UDPSize is what the client says it can take, 0 without EDNS.
	UDPSize int
	// Recursion is the RD bit.
	Recursion bool
}

// New returns a server that listens nowhere yet: see Dial and Listen. The error
// says which record of which zone is wrong.
func New(texts ...Zone) (*Server, error) {
	all, err := parseZones(texts)
	if err != nil {
		return nil, err
	}
	return &Server{zones: all, faults: map[string]*Fault{}, closed: make(chan struct{})}, nil
}

// Start returns a server that listens on loopback until the test ends.
func Start(t testing.TB, texts ...Zone) *Server {
	t.Helper()
	s, err := New(texts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Load puts other zones in the place of the server's.
func (s *Server) Load(texts ...Zone) error {
	all, err := parseZones(texts)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zones = all
	return nil
}

// Listen opens one port of 127.0.0.1 for UDP and TCP and serves it until Close.
func (s *Server) Listen(ctx context.Context) error {
	packets, listener, err := listenBoth(ctx)
	if err != nil {
		return fmt.Errorf("listening on loopback: %w", err)
	}
	s.address = listener.Addr().String()
	s.udp = &dns.Server{PacketConn: packets, Handler: s.handler(false), UDPSize: dns.MaxMsgSize}
	s.tcp = &dns.Server{Listener: listener, Handler: s.handler(true)}
	var started sync.WaitGroup
	for _, server := range []*dns.Server{s.udp, s.tcp} {
		started.Add(1)
		server.NotifyStartedFunc = started.Done
		s.serving.Go(func() { _ = server.ActivateAndServe() })
	}
	started.Wait()
	return nil
}

// listenBoth finds a port that is free for both protocols.
func listenBoth(ctx context.Context) (net.PacketConn, net.Listener, error) {
	var config net.ListenConfig
	var failures []error
	for range 20 {
		listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		packets, err := config.ListenPacket(ctx, "udp", listener.Addr().String())
		if err == nil {
			return packets, listener, nil
		}
		failures = append(failures, err, listener.Close())
	}
	return nil, nil, errors.Join(failures...)
}

// Addr is the host:port of a server that listens.
func (s *Server) Addr() string { return s.address }

// Close ends the server. Questions that wait for a delay are dropped.
func (s *Server) Close() {
	s.closing.Do(func() {
		close(s.closed)
		if s.udp != nil {
			_ = s.udp.Shutdown()
			_ = s.tcp.Shutdown()
		}
		s.serving.Wait()
	})
}

func (s *Server) handler(tcp bool) dns.HandlerFunc {
	return func(w dns.ResponseWriter, req *dns.Msg) {
		packets, hangup := s.respond(req, tcp)
		for _, packet := range packets {
			_, _ = w.Write(packet)
		}
		if hangup {
			_ = w.Close()
		}
	}
}

// respond returns the packets that answer a message, after the delay, and
// whether the connection is to be closed then.
func (s *Server) respond(req *dns.Msg, tcp bool) (packets [][]byte, hangup bool) {
	right := s.arrive(req, tcp)
	defer s.leave()
	f := s.fault(req.Question[0])
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-s.closed:
			return nil, true
		}
	}
	if !tcp {
		fit(right, udpSize(req))
	}
	return f.packets(req, right, tcp), tcp && f.Misdeed == Hangup
}

// arrive notes a question and returns the right reply.
func (s *Server) arrive(req *dns.Msg, tcp bool) *dns.Msg {
	q := req.Question[0]
	query := Query{
		Name: lower(strings.TrimSuffix(q.Name, ".")), Type: dns.Type(q.Qtype).String(),
		TCP: tcp, Recursion: req.RecursionDesired,
	}
	if opt := req.IsEdns0(); opt != nil {
		query.UDPSize = int(opt.UDPSize())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries = append(s.queries, query)
	s.active++
	s.peak = max(s.peak, s.active)
	return s.zones.reply(req)
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
}

// Queries returns all questions so far in the order of their arrival.
func (s *Server) Queries() []Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.queries)
}

// Count is the number of questions for a name and type so far, over UDP and
// TCP.
func (s *Server) Count(name, kind string) int {
	name = lower(strings.TrimSuffix(name, "."))
	count := 0
	for _, q := range s.Queries() {
		if q.Name == name && q.Type == kind {
			count++
		}
	}
	return count
}

// Peak is the largest number of questions that waited for their answers at the
// same time.
func (s *Server) Peak() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peak
}
