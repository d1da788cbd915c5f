package lookup

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider/providertest/dnstest"
	"github.com/attunelogic/maildns/records"
)

// world is the servers of a test by address. They are reached within the
// process, so that a bubble of synctest decides how time goes by.
type world map[string]*dnstest.Server

// newWorld makes servers that all hold the same zones. It is for bubbles: at
// the test's end the clock goes on until probes have run out.
func newWorld(t testing.TB, addresses []string, zones ...dnstest.Zone) world {
	t.Helper()
	w := world{}
	for _, a := range addresses {
		s, err := dnstest.New(zones...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		w[a] = s
	}
	t.Cleanup(func() { time.Sleep(time.Second) })
	return w
}

// dial reaches the servers; any other address refuses.
func (w world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	s, ok := w[address]
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return s.Dial(ctx, network, address)
}

func (w world) resolver(servers []string, opts Options) *Resolver {
	r := New(servers, opts)
	r.dial = w.dial
	return r
}

// questions is how many questions all servers got, probes included.
func (w world) questions() int {
	n := 0
	for _, s := range w {
		n += len(s.Queries())
	}
	return n
}

// reasonOf returns the reason of an *Error, empty for anything else.
func reasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}

const (
	first  = "192.0.2.53:53"
	second = "198.51.100.53:53"
	third  = "203.0.113.53:53"
)

// example is the zone of most tests.
var example = dnstest.Zone{Name: "example.com", Text: `
@         3600 IN SOA ns hostmaster 7 3600 600 86400 120
@          600 IN NS ns
@          600 IN MX 10 b.mail
@          600 IN MX 10 a.mail
@          600 IN MX 5 z.mail
@          600 IN TXT "v=spf1 mx " "-all"
@          600 IN TXT "two" "\"\\;\009\000\255"
*.wild     600 IN TXT "wildcard"
a.mail     600 IN A 192.0.2.1
a.mail     900 IN AAAA 2001:DB8::1
A.Mail     600 IN TXT "upper case in the zone"
null       600 IN MX 0 .
x.y.tree   600 IN A 192.0.2.9
one         90 IN CNAME Two
two         60 IN CNAME a.mail
dangling   600 IN CNAME nothing
empty      600 IN CNAME null
loop       600 IN CNAME loop2
outside    600 IN CNAME www.example.org.
loop2      600 IN CNAME loop
away       600 IN CNAME www.example.net.
xn--bcher-kva 600 IN TXT "books"
odd\.label.host 600 IN A 192.0.2.7
ptr        600 IN PTR odd\.label.Host
_25._tcp.a.mail 600 IN TLSA 3 1 1 ABCD
`}

func key(name, kind string) records.Key {
	return records.Key{Name: records.Name(name), Type: records.Type(kind)}
}
