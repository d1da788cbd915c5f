package spf

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	blitiri "blitiri.com.ar/go/spf"
)

// blitiriResolver lets blitiri.com.ar/go/spf use a zone.
type blitiriResolver struct{ *zone }

func notFound(err error, n int) error {
	if err == nil && n == 0 {
		return &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	return err
}

func (r blitiriResolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	answer, err := r.TXT(ctx, name)
	return answer.Values, notFound(err, len(answer.Values))
}

func (r blitiriResolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	answer, err := r.MX(ctx, name)
	var hosts []*net.MX
	for _, host := range answer.Values {
		hosts = append(hosts, &net.MX{Host: host})
	}
	return hosts, notFound(err, len(hosts))
}

func (r blitiriResolver) LookupIPAddr(ctx context.Context, name string) ([]net.IPAddr, error) {
	a, _ := r.A(ctx, name)
	aaaa, err := r.AAAA(ctx, name)
	var addresses []net.IPAddr
	for _, addr := range append(a.Values, aaaa.Values...) {
		addresses = append(addresses, net.IPAddr{IP: addr.AsSlice()})
	}
	return addresses, notFound(err, len(addresses))
}

func (r blitiriResolver) LookupAddr(ctx context.Context, text string) ([]string, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return nil, err
	}
	answer, err := r.PTR(ctx, addr)
	return answer.Values, notFound(err, len(answer.Values))
}

// evaluatedAlike tells whether blitiri.com.ar/go/spf evaluates a record as RFC
// 7208 has it. Records with syntax errors are not (it finds them only where it
// gets to), nor macros about the sender (no postmaster, empty parts dropped,
// p always unknown), domains with a slash (refused), addresses of IPv4 written
// as IPv6 (equal to it), names that can't be asked for.
func evaluatedAlike(r *Record) bool {
	for _, t := range r.Terms {
		name, known := t.Domain.expand(func(letter byte) (string, bool) {
			return "d.test", strings.IndexByte("div", letter) >= 0
		})
		if !known || strings.Contains(name, "/") || name != "" && !canQuery(targetName(name)) {
			return false
		}
		if t.Kind == IP6 && t.Prefix.Addr().Is4In6() || len(name) > 100 {
			return false
		}
	}
	return true
}

// FuzzCheckAgainstBlitiri compares with another implementation where that one
// is right.
func FuzzCheckAgainstBlitiri(f *testing.F) {
	for _, seed := range []string{
		"v=spf1 a mx ~all", "v=spf1 -a:h1.test/24//64 ?mx:h2.test include:pass.test -all",
		"v=spf1 include:fail.test ?include:neutral.test redirect=soft.test",
		"v=spf1 exists:%{ir}.%{v}.test ptr ~exists:%{d2}.test -all",
		"v=spf1 a:no.test mx:no.test exists:no.test +all", "v=spf1 include:loop.test", "v=spf1 redirect=record.test",
		"v=spf1 a mx a mx a mx a mx a mx a all", "v=spf1 ip6:2001:db8::/32 ip4:192.0.2.0/24 include:none.test",
		"v=spf1 a:broken.test -all", "v=spf1 mx:broken.test all", "v=spf1 include:several.test all", "v=spf1 Ptr:H1.test. redirect=none.test",
	} {
		f.Add(seed)
	}
	base := []string{
		"record.test A 192.0.2.1 2001:db8::1", "record.test MX h1.test h2.test",
		"h1.test A 192.0.2.10 2001:db8::10", "h2.test A 198.51.100.7 2001:db8:1::7",
		"pass.test TXT v=spf1 ip4:203.0.113.0/24 ip6:2001:db8:2::/48 ?all", "fail.test TXT v=spf1 -ip4:192.0.2.0/25 a:h2.test -all",
		"neutral.test TXT v=spf1 include:pass.test ?all", "soft.test TXT v=spf1 a:h1.test ~all",
		"loop.test TXT v=spf1 include:loop.test", "several.test TXT v=spf1", "several.test TXT v=spf1 -all",
		"broken.test FAIL", "10.2.0.192.in-addr.arpa PTR h1.test other.test", "10.2.0.192.in-addr.test A 127.0.0.2 2001:db8::2",
	}
	clients := []string{"192.0.2.1", "192.0.2.10", "198.51.100.7", "203.0.113.9", "8.8.8.8", "2001:db8::1", "2001:db8::10", "2001:db8:2::9", "::1"}
	f.Fuzz(func(t *testing.T, text string) {
		record, err := Parse(text)
		if err != nil || !evaluatedAlike(record) {
			t.Skip()
		}
		z := newZone(t, append(base, "record.test TXT "+text)...)
		for _, client := range clients {
			ip := netip.MustParseAddr(client)
			got := Check(t.Context(), z, Query{IP: ip, Sender: "user@record.test", Helo: "helo.test"})
			want, reason := blitiri.CheckHostWithSender(ip.AsSlice(), "helo.test", "user@record.test", blitiri.WithResolver(blitiriResolver{z}))
			if string(got.Result) != string(want) {
				t.Errorf("%q from %s: %s (%s), blitiri: %s (%v)", text, client, got.Result, got.Problem, want, reason)
			}
		}
	})
}
