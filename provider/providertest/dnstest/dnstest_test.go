package dnstest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/providertest/dnstest"
	"github.com/attunelogic/maildns/records"
)

const exampleZone = `
$TTL 600
@            3600 IN SOA ns.example.com. hostmaster.example.com. 7 3600 600 86400 120
@                    IN NS  ns.example.com.
@                    IN MX  10 mail.example.com.
Mail                 IN A   192.0.2.1
alias                IN CNAME mail
away                 IN CNAME other.example.net.
outside              IN CNAME www.example.org.
loop1                IN CNAME loop2
*.wild               IN TXT "wildcard"
real.wild            IN A   192.0.2.2
loop2                IN CNAME loop1
a.deep.tree          IN TXT "deep"
ns.child             IN A   192.0.2.53
child                IN NS  ns.child
big                  IN TXT "` + "%s" + `"
`

// start serves example.com and example.net.
func start(t *testing.T) *dnstest.Server {
	t.Helper()
	long := strings.Repeat(strings.Repeat("x", 250)+`" "`, 6)
	return dnstest.Start(t,
		dnstest.Zone{Name: "example.com", Text: fmt.Sprintf(exampleZone, long)},
		dnstest.Zone{Name: "example.net", Text: `other IN A 198.51.100.1`},
	)
}

// ask sends a message as a stub resolver does, with EDNS where size isn't 0.
func ask(t *testing.T, s *dnstest.Server, network, name, kind string, size uint16) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.StringToType[kind])
	if size > 0 {
		m.SetEdns0(size, false)
	}
	return exchange(t, s, network, m)
}

func exchange(t *testing.T, s *dnstest.Server, network string, m *dns.Msg) *dns.Msg {
	t.Helper()
	client := &dns.Client{Net: network, UDPSize: dns.MaxMsgSize}
	r, _, err := client.Exchange(m, s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAnswers covers RFC 1034 4.3.2, 2308, 4343, 4592 and 6604. An answer is
// written as its RCODE, flags and records.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const soa = "example.com. 120 SOA ns.example.com. hostmaster.example.com. 7 3600 600 86400 120"
	tests := []struct{ name, kind, want string }{
		{"example.com", "MX", "NOERROR aa | example.com. 600 MX 10 mail.example.com. |"},
		{"MAIL.example.COM", "A", "NOERROR aa | Mail.example.com. 600 A 192.0.2.1 |"},
		{"mail.example.com", "TXT", "NOERROR aa | | " + soa},
		{"nothing.example.com", "TXT", "NXDOMAIN aa | | " + soa},
		{"deep.tree.example.com", "TXT", "NOERROR aa | | " + soa},
		{"b.deep.tree.example.com", "TXT", "NXDOMAIN aa | | " + soa},
		{"alias.example.com", "A", "NOERROR aa | alias.example.com. 600 CNAME mail.example.com.; Mail.example.com. 600 A 192.0.2.1 |"},
		{"alias.example.com", "CNAME", "NOERROR aa | alias.example.com. 600 CNAME mail.example.com. |"},
		{"alias.example.com", "TXT", "NOERROR aa | alias.example.com. 600 CNAME mail.example.com. | " + soa},
		{"away.example.com", "A", "NOERROR aa | away.example.com. 600 CNAME other.example.net.; other.example.net. 300 A 198.51.100.1 |"},
		{"outside.example.com", "A", "NOERROR aa | outside.example.com. 600 CNAME www.example.org. |"},
		{"loop1.example.com", "A", "NOERROR aa | loop1.example.com. 600 CNAME loop2.example.com.; loop2.example.com. 600 CNAME loop1.example.com. |"},
		{"x.y.wild.example.com", "TXT", `NOERROR aa | x.y.wild.example.com. 600 TXT "wildcard" |`},
		{"x.wild.example.com", "A", "NOERROR aa | | " + soa},
		{"real.wild.example.com", "TXT", "NOERROR aa | | " + soa},
		{"x.real.wild.example.com", "TXT", "NXDOMAIN aa | | " + soa},
		{"*.wild.example.com", "TXT", `NOERROR aa | *.wild.example.com. 600 TXT "wildcard" |`},
		{"www.child.example.com", "A", "NOERROR | | child.example.com. 600 NS ns.child.example.com."},
		{"www.example.org", "A", "REFUSED | |"},
		{"example.com", "ANY", "NOTIMP | |"},
		{"example.com", "AXFR", "NOTIMP | |"},
	}
	s := start(t)
	for _, tt := range tests {
		got := summary(ask(t, s, "udp", tt.name, tt.kind, 4096))
		if got != tt.want {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.name, tt.kind, got, tt.want)
		}
	}
}

func summary(m *dns.Msg) string {
	flags := dns.RcodeToString[m.Rcode]
	if m.Authoritative {
		flags += " aa"
	}
	section := func(rrs []dns.RR) string {
		var texts []string
		for _, rr := range rrs {
			text := strings.ReplaceAll(rr.String(), "\t", " ")
			texts = append(texts, strings.Replace(text, " IN ", " ", 1))
		}
		return strings.Join(texts, "; ")
	}
	text := fmt.Sprintf("%s | %s | %s", flags, section(m.Answer), section(m.Ns))
	return strings.Join(strings.Fields(text), " ")
}

func TestDelegationHasGlue(t *testing.T) {
	t.Parallel()
	m := ask(t, start(t), "udp", "www.child.example.com", "A", 4096)
	if !slices.ContainsFunc(m.Extra, func(rr dns.RR) bool {
		a, ok := rr.(*dns.A)
		return ok && a.A.String() == "192.0.2.53"
	}) {
		t.Errorf("no address of the child's server in %v", m.Extra)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	s := start(t)
	tests := []struct {
		network   string
		size      uint16
		truncated bool
	}{
		{"udp", 0, true}, {"udp", 100, true}, {"udp", 1232, true}, {"udp", 4096, false}, {"tcp", 0, false},
	}
	for _, tt := range tests {
		m := ask(t, s, tt.network, "big.example.com", "TXT", tt.size)
		if m.Truncated != tt.truncated || (len(m.Answer) == 0) != tt.truncated {
			t.Errorf("%s, size %d: TC is %v with %d records", tt.network, tt.size, m.Truncated, len(m.Answer))
		}
	}
}

func TestEDNS(t *testing.T) {
	t.Parallel()
	s := start(t)
	if ask(t, s, "udp", "example.com", "MX", 0).IsEdns0() != nil {
		t.Error("there is an OPT in the answer to a question without one")
	}
	later := new(dns.Msg).SetQuestion("example.com.", dns.TypeMX).SetEdns0(1232, false)
	later.IsEdns0().SetVersion(1)
	if m := exchange(t, s, "udp", later); m.Rcode != dns.RcodeBadVers || len(m.Answer) > 0 {
		t.Errorf("version 1 is answered by %v", m)
	}
	double := new(dns.Msg).SetQuestion("example.com.", dns.TypeMX).SetEdns0(1232, false).SetEdns0(1232, false)
	if m := exchange(t, s, "udp", double); m.Rcode != dns.RcodeFormatError {
		t.Errorf("two OPT are answered by %v", m)
	}
}

func TestQueriesAreCounted(t *testing.T) {
	t.Parallel()
	s := start(t)
	ask(t, s, "udp", "Example.COM", "MX", 1232)
	ask(t, s, "tcp", "example.com", "MX", 0)
	want := []dnstest.Query{
		{Name: "example.com", Type: "MX", UDPSize: 1232, Recursion: true},
		{Name: "example.com", Type: "MX", TCP: true, Recursion: true},
	}
	if got := s.Queries(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if s.Count("EXAMPLE.com.", "MX") != 2 || s.Count("example.com", "A") != 0 || s.Peak() != 1 {
		t.Errorf("counted %d of MX, %d of A, peak %d", s.Count("example.com", "MX"), s.Count("example.com", "A"), s.Peak())
	}
}

func TestFaultsLastAsLongAsTold(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.Break("mail.example.com", dnstest.Fault{Misdeed: dnstest.ServFail, Times: 2})
	s.BreakAll(dnstest.Fault{Misdeed: dnstest.Refuse})
	want := []string{"SERVFAIL", "SERVFAIL", "NOERROR", "NOERROR"}
	for i, w := range want {
		if got := dns.RcodeToString[ask(t, s, "udp", "mail.example.com", "A", 0).Rcode]; got != w {
			t.Errorf("question %d is answered by %s, want %s", i+1, got, w)
		}
	}
	if m := ask(t, s, "udp", "example.com", "MX", 0); m.Rcode != dns.RcodeRefused {
		t.Errorf("the fault for all is not heeded: %v", m)
	}
}

func TestLoadReplacesTheZones(t *testing.T) {
	t.Parallel()
	s := start(t)
	if err := s.Load(dnstest.Zone{Name: "example.org", Text: "@ IN A 203.0.113.1"}); err != nil {
		t.Fatal(err)
	}
	if m := ask(t, s, "udp", "example.org", "A", 0); len(m.Answer) != 1 {
		t.Errorf("the new zone is not served: %v", m)
	}
	if m := ask(t, s, "udp", "example.com", "MX", 0); m.Rcode != dns.RcodeRefused {
		t.Errorf("the old zone is still served: %v", m)
	}
}

func TestBrokenZonesAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"syntax":       "@ IN MX mail",
		"out of zone":  "www.example.net. IN A 192.0.2.1",
		"CNAME first":  "a IN CNAME b\na IN A 192.0.2.1",
		"CNAME second": "a IN A 192.0.2.1\na IN CNAME b",
		"two CNAMEs":   "a IN CNAME b\na IN CNAME c",
		"two TTLs":     "a 60 IN A 192.0.2.1\na 90 IN A 192.0.2.2",
		"twice":        "a IN A 192.0.2.1\na IN A 192.0.2.1",
		"two SOA":      "@ IN SOA a. b. 1 2 3 4 5\n@ IN SOA a. b. 2 2 3 4 5",
		"SOA below":    "a IN SOA a. b. 1 2 3 4 5",
		"include":      "$INCLUDE /etc/passwd",
	}
	for name, text := range tests {
		if _, err := dnstest.New(dnstest.Zone{Name: "example.com", Text: text}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestFromRecords has values that a master file needs quotes and dots for.
func TestFromRecords(t *testing.T) {
	t.Parallel()
	key := func(name records.Name, kind records.Type) records.Key { return records.Key{Name: name, Type: kind} }
	odd := records.Value("a\"b\\c;d\te\x00\xff" + strings.Repeat("k", 600))
	z := records.NewZone("example.com", 60,
		records.NewRRset(key("example.com", "TXT"), 300, odd, ""),
		records.NewRRset(key("example.com", "MX"), 300, "0 ."),
		records.NewRRset(key("www.example.com", "CNAME"), 300, "example.net"),
		records.NewRRset(key("_25._tcp.example.com", "TLSA"), 300, "3 1 1 "+records.Value(strings.Repeat("ab", 32))),
		records.NewRRset(key("example.com", "CAA"), 300, `0 issue "ca.example.net"`),
	)
	s := dnstest.Start(t, dnstest.FromRecords(z))
	if m := ask(t, s, "tcp", "example.com", "TXT", 0); len(m.Answer) != 2 || m.Answer[0].Header().Ttl != 300 {
		t.Errorf("TXT: %v", m)
	}
	for name, want := range map[string]string{
		"example.com MX":            "0 .",
		"www.example.com CNAME":     "example.net.",
		"_25._tcp.example.com TLSA": "3 1 1 " + strings.Repeat("ab", 32),
		"example.com CAA":           `0 issue "ca.example.net"`,
	} {
		owner, kind, _ := strings.Cut(name, " ")
		m := ask(t, s, "udp", owner, kind, 0)
		if len(m.Answer) != 1 || !strings.HasSuffix(m.Answer[0].String(), "\t"+want) {
			t.Errorf("%s: %v", name, m.Answer)
		}
	}
	if m := ask(t, s, "udp", "no.example.com", "A", 0); m.Rcode != dns.RcodeNameError || m.Ns[0].Header().Ttl != 60 {
		t.Errorf("NXDOMAIN: %v", m)
	}
}
