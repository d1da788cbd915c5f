package spf

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// zone is a Resolver over names in memory, keyed by lowerName.
type zone struct {
	hosts   map[string]*host
	queries atomic.Int64
}

// host is what the zone has at one name.
type host struct {
	txt, mx, ptr []string
	a, aaaa      []netip.Addr
	cname        *string
	// broken makes all types fail that have no values.
	broken bool
}

var errBroken = errors.New("server failure")

// newZone makes a zone from lines such as "x.example TXT v=spf1 -all". A line
// "x.example FAIL" breaks the name.
func newZone(t testing.TB, lines ...string) *zone {
	t.Helper()
	z := &zone{hosts: map[string]*host{}}
	for _, line := range lines {
		fields := strings.SplitN(line, " ", 3)
		h := z.host(fields[0])
		switch kind := fields[1]; kind {
		case "TXT":
			h.txt = append(h.txt, fields[2])
		case "MX":
			h.mx = append(h.mx, strings.Fields(fields[2])...)
		case "PTR":
			h.ptr = append(h.ptr, strings.Fields(fields[2])...)
		case "CNAME":
			h.cname = &fields[2]
		case "FAIL":
			h.broken = true
		default:
			h.addAddresses(t, strings.Fields(fields[2]))
		}
	}
	return z
}

func (z *zone) host(name string) *host {
	key := lowerName(name)
	if z.hosts[key] == nil {
		z.hosts[key] = &host{}
	}
	return z.hosts[key]
}

func (h *host) addAddresses(t testing.TB, texts []string) {
	t.Helper()
	for _, text := range texts {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			t.Fatal(err)
		}
		if addr.Is4() {
			h.a = append(h.a, addr)
		} else {
			h.aaaa = append(h.aaaa, addr)
		}
	}
}

func find[T any](ctx context.Context, z *zone, name string, values func(*host) []T) (Answer[T], error) {
	z.queries.Add(1)
	if err := ctx.Err(); err != nil {
		return Answer[T]{}, err
	}
	for range 10 {
		h := z.hosts[lowerName(name)]
		switch {
		case h == nil:
			return Answer[T]{NXDomain: true, TTL: 900}, nil
		case h.cname != nil:
			name = *h.cname
			continue
		case len(values(h)) == 0 && h.broken:
			return Answer[T]{}, errBroken
		}
		return Answer[T]{Values: values(h), TTL: 300}, nil
	}
	return Answer[T]{}, errors.New("loop of CNAMEs")
}

func (z *zone) TXT(ctx context.Context, name string) (Answer[string], error) {
	return find(ctx, z, name, func(h *host) []string { return h.txt })
}

func (z *zone) MX(ctx context.Context, name string) (Answer[string], error) {
	return find(ctx, z, name, func(h *host) []string { return h.mx })
}

func (z *zone) A(ctx context.Context, name string) (Answer[netip.Addr], error) {
	return find(ctx, z, name, func(h *host) []netip.Addr { return h.a })
}

func (z *zone) AAAA(ctx context.Context, name string) (Answer[netip.Addr], error) {
	return find(ctx, z, name, func(h *host) []netip.Addr { return h.aaaa })
}

func (z *zone) PTR(ctx context.Context, addr netip.Addr) (Answer[string], error) {
	return find(ctx, z, reverseName(addr), func(h *host) []string { return h.ptr })
}

// reverseName is the name of addr in the reverse zone.
func reverseName(addr netip.Addr) string {
	labels := strings.Split(dotted(addr), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "." + reverseZone(addr) + ".arpa"
}
