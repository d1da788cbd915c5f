package zonefile_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/zonefile"
	"github.com/attunelogic/maildns/records"
)

// ordinary is a zone of 20 records besides SOA and NS, with the usual mail
// records.
func ordinary() string {
	var b strings.Builder
	b.WriteString(`$TTL 3600
@	IN	SOA	ns1.example.net. hostmaster.example.net. (
		2026112401 ; serial
		7200       ; refresh
		3600       ; retry
		1209600    ; expire
		300 )      ; minimum
	IN	NS	ns1.example.net.
	IN	NS	ns2.example.net.
	IN	MX	1 aspmx.l.google.com.
	IN	MX	5 alt1.aspmx.l.google.com.
	IN	TXT	"v=spf1 include:_spf.google.com include:sendgrid.net ~all"
	IN	TXT	"google-site-verification=abcdefghijklmnopqrstuvwxyz0123456789"
s1._domainkey	IN	CNAME	s1.domainkey.u1234567.wl123.sendgrid.net.
s2._domainkey	IN	CNAME	s2.domainkey.u1234567.wl123.sendgrid.net.
em1234	IN	CNAME	u1234567.wl123.sendgrid.net.
`)
	key := strings.Repeat("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", 12)
	fmt.Fprintf(&b, "google._domainkey\tIN\tTXT\t( \"v=DKIM1; k=rsa; p=%s\"\n\t\t\"%s\" )\n", key[:230], key[230:])
	b.WriteString(`_dmarc	300	IN	TXT	"v=DMARC1; p=none; rua=mailto:dmarc@example.com" ; the ramp begins
_mta-sts	IN	TXT	"v=STSv1; id=20261124"
mta-sts	IN	CNAME	mta-sts.pages.example.net.
_smtp._tls	IN	TXT	"v=TLSRPTv1; rua=mailto:tls@example.com"
`)
	for i := range 4 {
		fmt.Fprintf(&b, "host%d\tIN\tA\t192.0.2.%d\n\tIN\tAAAA\t2001:db8::%d\n", i, i+1, i+1)
	}
	return b.String()
}

func benchZone(b *testing.B) (*zonefile.Provider, string) {
	b.Helper()
	dir := b.TempDir()
	path := filepath.Join(dir, "example.com.zone")
	if err := os.WriteFile(path, []byte(ordinary()), 0o644); err != nil {
		b.Fatal(err)
	}
	return &zonefile.Provider{Directory: dir, Now: today}, path
}

func BenchmarkRead(b *testing.B) {
	p, _ := benchZone(b)
	for b.Loop() {
		if _, err := p.ReadZone(context.Background(), "example.com"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFloor is what the library alone needs for the same file.
func BenchmarkFloor(b *testing.B) {
	_, path := benchZone(b)
	for b.Loop() {
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		parser := dns.NewZoneParser(bytes.NewReader(text), "example.com.", path)
		for _, ok := parser.Next(); ok; _, ok = parser.Next() {
		}
		if parser.Err() != nil {
			b.Fatal(parser.Err())
		}
	}
}

func BenchmarkTransact(b *testing.B) {
	p, _ := benchZone(b)
	key := records.Key{Name: "_dmarc.example.com", Type: records.TypeTXT}
	values := []records.Value{"v=DMARC1; p=none; rua=mailto:dmarc@example.com", "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"}
	n := 0
	for b.Loop() {
		before, after := records.NewRRset(key, 300, values[n%2]), records.NewRRset(key, 300, values[(n+1)%2])
		n++
		if err := p.Transact(context.Background(), "example.com", []records.Change{{Key: key, Before: &before, After: &after}}); err != nil {
			b.Fatal(err)
		}
	}
}
