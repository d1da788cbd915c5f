package lookup

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// TXT returns the texts of a name in bytewise order.
func (r *Resolver) TXT(ctx context.Context, name string) (spf.Answer[string], error) {
	a, err := r.Lookup(ctx, records.Name(name), records.TypeTXT)
	return convert(a, func(v records.Value) string { return string(v) }), err
}

// A returns the IPv4 addresses of a name.
func (r *Resolver) A(ctx context.Context, name string) (spf.Answer[netip.Addr], error) {
	return r.addresses(ctx, name, records.TypeA)
}

// AAAA returns the IPv6 addresses of a name.
func (r *Resolver) AAAA(ctx context.Context, name string) (spf.Answer[netip.Addr], error) {
	return r.addresses(ctx, name, records.TypeAAAA)
}

func (r *Resolver) addresses(ctx context.Context, name string, t records.Type) (spf.Answer[netip.Addr], error) {
	a, err := r.Lookup(ctx, records.Name(name), t)
	return convert(a, func(v records.Value) netip.Addr {
		addr, _ := netip.ParseAddr(string(v)) // it was printed from one
		return addr
	}), err
}

// MX returns the mail hosts of a name, the most preferred first and those of
// one preference in bytewise order.
func (r *Resolver) MX(ctx context.Context, name string) (spf.Answer[string], error) {
	a, err := r.Lookup(ctx, records.Name(name), records.TypeMX)
	slices.SortStableFunc(a.Values, func(a, b records.Value) int { return preference(a) - preference(b) })
	return convert(a, func(v records.Value) string {
		_, host, _ := strings.Cut(string(v), " ")
		return rawHost(host)
	}), err
}

func preference(mx records.Value) int {
	text, _, _ := strings.Cut(string(mx), " ")
	n, _ := strconv.Atoi(text) // it was printed from one
	return n
}

// PTR returns the names of an address.
func (r *Resolver) PTR(ctx context.Context, addr netip.Addr) (spf.Answer[string], error) {
	name, err := dns.ReverseAddr(addr.Unmap().WithZone("").String())
	if err != nil {
		return spf.Answer[string]{}, &Error{Type: "PTR", Reason: BadName, Detail: err.Error()}
	}
	a, err := r.Lookup(ctx, records.Name(name), "PTR")
	return convert(a, func(v records.Value) string { return rawHost(string(v)) }), err
}

func convert[T any](a Answer, one func(records.Value) T) spf.Answer[T] {
	out := spf.Answer[T]{NXDomain: a.NXDomain, TTL: a.TTL}
	for _, v := range a.Values {
		out.Values = append(out.Values, one(v))
	}
	return out
}
