package spf

import (
	"context"
	"net/netip"
)

// Resolver asks the DNS on behalf of an evaluation. Its implementations follow
// CNAMEs.
//
// A name is given without a final dot and in raw form: its labels may contain
// any byte but a dot (macros put parts of mail addresses into names), so an
// implementation that builds presentation format has to escape it. Every label
// has 1 to 63 bytes and the name at most 253.
//
// An error means that the question stayed open: SERVFAIL, REFUSED, a timeout,
// a loop of CNAMEs. That a name or type does not exist is an answer.
// Implementations must be safe for concurrent use.
type Resolver interface {
	// TXT returns the TXT records of name, the strings of each concatenated
	// without separators (RFC 7208 section 3.3).
	TXT(ctx context.Context, name string) (Answer[string], error)
	// A returns the IPv4 addresses of name.
	A(ctx context.Context, name string) (Answer[netip.Addr], error)
	// AAAA returns the IPv6 addresses of name.
	AAAA(ctx context.Context, name string) (Answer[netip.Addr], error)
	// MX returns the mail hosts of name in the order of their preference. The
	// host of a null MX (RFC 7505) is "." or empty.
	MX(ctx context.Context, name string) (Answer[string], error)
	// PTR returns the names that the reverse zone has for addr, which is never
	// an IPv4-mapped IPv6 address.
	PTR(ctx context.Context, addr netip.Addr) (Answer[string], error)
}

// Answer is what the DNS says about one name and type. Without values it is
// void (RFC 7208 section 4.6.4): NXDOMAIN if so marked, NODATA otherwise.
type Answer[T any] struct {
	Values   []T
	NXDomain bool
	// TTL is how long the answer may be cached, in seconds: the least of the
	// records passed on the way or, of a void answer, the negative TTL.
	TTL uint32
}

// void tells whether the answer counts as a void lookup.
func (a Answer[T]) void() bool { return len(a.Values) == 0 }
