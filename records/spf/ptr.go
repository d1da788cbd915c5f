package spf

import (
	"context"
	"net/netip"
	"strings"
)

// validated are the names of the client's address whose own addresses confirm
// them (RFC 7208 section 5.5).
type validated struct {
	names []string
	void  bool
}

// validatedNames asks once per evaluation. Errors lead to fewer names, never to
// a temperror: the reverse zone is the client's.
func (c *checker) validatedNames(ctx context.Context) validated {
	if c.ptr != nil {
		return *c.ptr
	}
	c.ptr = &validated{}
	answer, err := c.resolver.PTR(ctx, c.ip)
	if err != nil {
		return *c.ptr
	}
	c.ptr.void = answer.void()
	for _, name := range answer.Values[:min(len(answer.Values), maxHosts)] {
		name = strings.TrimSuffix(name, ".")
		if !canQuery(name) {
			continue
		}
		if found, f := c.addresses(ctx, name); f == nil && contains(found, c.ip) {
			c.ptr.names = append(c.ptr.names, name)
		}
	}
	return *c.ptr
}

func contains(addresses []netip.Addr, ip netip.Addr) bool {
	for _, a := range addresses {
		if a == ip {
			return true
		}
	}
	return false
}

func (c *checker) matchPTR(ctx context.Context, target string) (matched, void bool, f *failure) {
	client := c.validatedNames(ctx)
	for _, name := range client.names {
		if isBelow(name, target) {
			return true, false, nil
		}
	}
	return false, client.void, nil
}

// validatedName is the macro p (RFC 7208 section 7.3): the domain itself if it
// is validated, else a subdomain of it, else any name.
func (c *checker) validatedName(ctx context.Context, domain string) string {
	names := c.validatedNames(ctx).names
	best := "unknown"
	for i, name := range names {
		if lowerName(name) == lowerName(domain) {
			return name
		}
		if i == 0 || isBelow(name, domain) && !isBelow(best, domain) {
			best = name
		}
	}
	return best
}
