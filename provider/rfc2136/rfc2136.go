// Package rfc2136 reads zones by transfer (RFC 5936) and changes them by
// dynamic update (RFC 2136), both signed with TSIG (RFC 8945). A write is one
// message, whose prerequisites state what the zone must still hold: the server
// itself compares and swaps.
package rfc2136

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// DefaultAlgorithm is the TSIG algorithm of a key that names none.
const DefaultAlgorithm = "hmac-sha256"

// algorithms are those of RFC 8945 6 that are still to be used.
var algorithms = []string{"hmac-sha1", "hmac-sha224", DefaultAlgorithm, "hmac-sha384", "hmac-sha512"}

// Key is a TSIG key.
type Key struct {
	Name      string // in any case, with or without the final dot
	Algorithm string // such as "hmac-sha512"; empty: DefaultAlgorithm
	Secret    string // in base64; no error ever contains it
}

// Provider is one server and what it was last seen to hold. It is safe for
// concurrent use.
type Provider struct {
	rr.Verbs // what libdns asks for, over ReadZone and Transact
	server

	mu   sync.Mutex
	seen *snapshot // what was read last, of any zone; nil: nothing
	// blind says that the server's zone has another SOA than a transfer shows,
	// so that a prerequisite can't name it.
	blind bool
}

// server is how a server is reached.
type server struct {
	address string
	key     Key // its name and algorithm in the form of messages
	// Dial connects to the server; nil: over TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the time that messages are signed with; nil: the machine's.
	Now   func() time.Time
	slots chan struct{} // one for each connection at a time
}

// maxConnections is how many connections a server has to bear at a time. BIND
// makes ten transfers at once unless it is told otherwise (transfers-out).
const maxConnections = 8

// New returns a provider for the server at host:port, whose port is 53 where
// it is left out. It contacts nothing.
func New(address string, key Key) (*Provider, error) {
	address, err := withPort(address)
	if err != nil {
		return nil, err
	}
	key, err = key.canonical()
	if err != nil {
		return nil, err
	}
	return over(server{address: address, key: key, slots: make(chan struct{}, maxConnections)}), nil
}

func over(s server) *Provider {
	p := &Provider{server: s}
	p.Verbs = rr.Verbs{Read: p.ReadZone, Change: p.Transact}
	return p
}

// Fork returns a provider of the same server with a memory of its own: writing
// to the zone that it read last needs no second transfer.
func (p *Provider) Fork() *Provider { return over(p.server) }

func withPort(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.Trim(address, "[]"), "53"
	}
	if host == "" || port == "" || strings.ContainsAny(host, "[] ") {
		return "", fmt.Errorf("server is %q: write host:port, such as 192.0.2.1:53 or [2001:db8::1]:53", address)
	}
	return net.JoinHostPort(host, port), nil
}

func (k Key) canonical() (Key, error) {
	if _, ok := dns.IsDomainName(k.Name); !ok || k.Name == "" {
		return Key{}, fmt.Errorf("key_name is %q, which is no domain name: write the key's name as the server's configuration has it", k.Name)
	}
	algorithm := strings.ToLower(strings.TrimSuffix(k.Algorithm, "."))
	if algorithm == "" {
		algorithm = DefaultAlgorithm
	}
	if !slices.Contains(algorithms, algorithm) {
		return Key{}, fmt.Errorf("key_alg is %q: write one of %s", k.Algorithm, strings.Join(algorithms, ", "))
	}
	secret, err := base64.StdEncoding.DecodeString(k.Secret)
	if err != nil || len(secret) == 0 {
		return Key{}, errors.New("key is not base64: write the key's secret as the server's configuration has it")
	}
	return Key{Name: dns.CanonicalName(k.Name), Algorithm: dns.Fqdn(algorithm), Secret: k.Secret}, nil
}

// ReadZone transfers a zone. Its own name servers are marked as not to be
// written, since servers ignore the removal of the last one (RFC 2136 3.4.2.4).
func (p *Provider) ReadZone(ctx context.Context, zone records.Name) (records.Zone, error) {
	s, err := p.transfer(ctx, zone)
	if err != nil {
		return records.Zone{}, err
	}
	p.remember(s)
	return s.zone, nil
}

// remember keeps what was read for the write that may follow; nil forgets it.
func (p *Provider) remember(s *snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = s
}

// recall returns what was read of the zone last, or nil.
func (p *Provider) recall(zone records.Name) *snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil || p.seen.zone.Name != zone {
		return nil
	}
	return p.seen
}
