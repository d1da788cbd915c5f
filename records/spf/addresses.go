package spf

import (
	"encoding/binary"
	"iter"
	"math/big"
	"math/bits"
	"net/netip"
	"slices"
)

// AddressSet is a set of IPv4 and IPv6 addresses. The zero value is empty.
// Sets are not modified once made.
type AddressSet struct {
	// ranges are sorted, disjoint and not adjacent, IPv4 before IPv6.
	ranges []Range
}

// Range is the addresses of one family from From to To, both included.
type Range struct{ From, To netip.Addr }

// Everything is the set of all addresses of both families.
func Everything() AddressSet {
	return SetOf(netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0))
}

// SetOf is the union of prefixes; invalid ones are left out.
func SetOf(prefixes ...netip.Prefix) AddressSet {
	ranges := make([]Range, 0, len(prefixes))
	for _, p := range prefixes {
		if p.IsValid() {
			ranges = append(ranges, rangeOf(p))
		}
	}
	return normalized(ranges)
}

// rangeOf is the range of a prefix.
func rangeOf(p netip.Prefix) Range {
	p = p.Masked()
	from := p.Addr()
	host := from.BitLen() - p.Bits()
	return Range{from, address(value(from).or(lowBits(host)), from.Is4())}
}

// normalized sorts and joins ranges, which it may reorder.
func normalized(ranges []Range) AddressSet {
	slices.SortFunc(ranges, func(a, b Range) int { return a.From.Compare(b.From) })
	joined := ranges[:0]
	for _, r := range ranges {
		joined = appendJoined(joined, r)
	}
	return AddressSet{joined}
}

// appendJoined appends a range that begins at or after the last one, joining
// them where they overlap or touch.
func appendJoined(ranges []Range, r Range) []Range {
	if n := len(ranges); n > 0 {
		last := &ranges[n-1]
		// Next is invalid, and smaller than any address, at the end of a family.
		if r.From.Compare(last.To) <= 0 || r.From == last.To.Next() {
			if r.To.Compare(last.To) > 0 {
				last.To = r.To
			}
			return ranges
		}
	}
	return append(ranges, r)
}

// Ranges are the maximal ranges of the set, IPv4 before IPv6, in order.
func (s AddressSet) Ranges() []Range { return slices.Clone(s.ranges) }

// IsEmpty tells whether the set has no address.
func (s AddressSet) IsEmpty() bool { return len(s.ranges) == 0 }

// Equal tells whether the sets have the same addresses.
func (s AddressSet) Equal(o AddressSet) bool { return slices.Equal(s.ranges, o.ranges) }

// Contains tells whether an address is in the set. An IPv4-mapped address
// counts as IPv4.
func (s AddressSet) Contains(a netip.Addr) bool {
	a = a.Unmap()
	i, found := slices.BinarySearchFunc(s.ranges, a, func(r Range, a netip.Addr) int { return r.From.Compare(a) })
	return found || i > 0 && a.Compare(s.ranges[i-1].To) <= 0
}

// overlaps tells whether any address of the range is in the set.
func (s AddressSet) overlaps(r Range) bool {
	i, found := slices.BinarySearchFunc(s.ranges, r.From, func(have Range, a netip.Addr) int { return have.From.Compare(a) })
	return found || i < len(s.ranges) && s.ranges[i].From.Compare(r.To) <= 0 ||
		i > 0 && r.From.Compare(s.ranges[i-1].To) <= 0
}

// Union is the set of the addresses in either set.
func (s AddressSet) Union(o AddressSet) AddressSet {
	if s.IsEmpty() {
		return o
	}
	if o.IsEmpty() {
		return s
	}
	out := make([]Range, 0, len(s.ranges)+len(o.ranges))
	a, b := s.ranges, o.ranges
	for len(a) > 0 || len(b) > 0 {
		if len(b) == 0 || len(a) > 0 && a[0].From.Compare(b[0].From) <= 0 {
			out, a = appendJoined(out, a[0]), a[1:]
		} else {
			out, b = appendJoined(out, b[0]), b[1:]
		}
	}
	return AddressSet{out}
}

// Intersect is the set of the addresses in both sets.
func (s AddressSet) Intersect(o AddressSet) AddressSet {
	var out []Range
	a, b := s.ranges, o.ranges
	for len(a) > 0 && len(b) > 0 {
		from, to := later(a[0].From, b[0].From), earlier(a[0].To, b[0].To)
		if from.Compare(to) <= 0 {
			out = append(out, Range{from, to})
		}
		if a[0].To.Compare(b[0].To) < 0 {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return AddressSet{out}
}

// Minus is the set of the addresses that are in s but not in o.
func (s AddressSet) Minus(o AddressSet) AddressSet {
	var out []Range
	b := o.ranges
	for _, r := range s.ranges {
		for len(b) > 0 && b[0].To.Compare(r.From) < 0 {
			b = b[1:]
		}
		from := r.From
		for i := 0; i < len(b) && from.IsValid() && b[i].From.Compare(r.To) <= 0; i++ {
			if from.Compare(b[i].From) < 0 {
				out = append(out, Range{from, b[i].From.Prev()})
			}
			from = b[i].To.Next()
		}
		if from.IsValid() && from.Compare(r.To) <= 0 {
			out = append(out, Range{from, r.To})
		}
	}
	return AddressSet{out}
}

func later(a, b netip.Addr) netip.Addr {
	if a.Compare(b) > 0 {
		return a
	}
	return b
}

func earlier(a, b netip.Addr) netip.Addr {
	if a.Compare(b) < 0 {
		return a
	}
	return b
}

// Count4 is the number of IPv4 addresses.
func (s AddressSet) Count4() uint64 {
	var n uint64
	for _, r := range s.ranges {
		if r.From.Is4() {
			n += r.span().lo + 1
		}
	}
	return n
}

// Count6 is the number of IPv6 addresses.
func (s AddressSet) Count6() *big.Int {
	n := new(big.Int)
	for _, r := range s.ranges {
		if r.From.Is6() {
			n.Add(n, r.Count())
		}
	}
	return n
}

// Largest are the n ranges with the most addresses of each family, IPv4 first,
// larger before smaller, equal ones in order.
func (s AddressSet) Largest(n int) []Range {
	v6 := slices.IndexFunc(s.ranges, func(r Range) bool { return r.From.Is6() })
	if v6 < 0 {
		v6 = len(s.ranges)
	}
	return append(largest(s.ranges[:v6], n), largest(s.ranges[v6:], n)...)
}

func largest(ranges []Range, n int) []Range {
	ranges = slices.Clone(ranges)
	slices.SortStableFunc(ranges, func(a, b Range) int { return b.span().compare(a.span()) })
	return ranges[:min(n, len(ranges))]
}

// Prefixes is the least number of prefixes that cover exactly the set, in
// order.
func (s AddressSet) Prefixes() []netip.Prefix { return slices.Collect(s.prefixes()) }

func (s AddressSet) prefixes() iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for _, r := range s.ranges {
			for from := r.From; from.IsValid() && from.Compare(r.To) <= 0; {
				p := Range{from, r.To}.firstPrefix()
				if !yield(p) {
					return
				}
				from = rangeOf(p).To.Next()
			}
		}
	}
}

// firstPrefix is the largest prefix that begins with the range and stays in it.
func (r Range) firstPrefix() netip.Prefix {
	size, carry := r.span().increment()
	host := size.bitLen() - 1
	if carry {
		host = 128
	}
	host = min(host, value(r.From).trailingZeros(), r.From.BitLen())
	return netip.PrefixFrom(r.From, r.From.BitLen()-host)
}

// Count is the number of addresses in the range.
func (r Range) Count() *big.Int {
	var b [16]byte
	span := r.span()
	binary.BigEndian.PutUint64(b[:8], span.hi)
	binary.BigEndian.PutUint64(b[8:], span.lo)
	n := new(big.Int).SetBytes(b[:])
	return n.Add(n, big.NewInt(1))
}

// String is the range as a prefix if it is one, else as "from-to".
func (r Range) String() string {
	p := r.firstPrefix()
	switch {
	case r.From == r.To:
		return r.From.String()
	case rangeOf(p) == r:
		return p.String()
	}
	return r.From.String() + "-" + r.To.String()
}

// span is To minus From.
func (r Range) span() uint128 { return value(r.To).minus(value(r.From)) }

// uint128 is the number of an address within its family.
type uint128 struct{ hi, lo uint64 }

func value(a netip.Addr) uint128 {
	if a.Is4() {
		b := a.As4()
		return uint128{0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return uint128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func address(v uint128, is4 bool) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], v.hi)
	binary.BigEndian.PutUint64(b[8:], v.lo)
	if is4 {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return netip.AddrFrom16(b)
}

// lowBits has the n lowest bits set.
func lowBits(n int) uint128 {
	if n >= 64 {
		return uint128{1<<(n-64) - 1, ^uint64(0)}
	}
	return uint128{0, 1<<n - 1}
}

func (a uint128) or(b uint128) uint128 { return uint128{a.hi | b.hi, a.lo | b.lo} }

func (a uint128) minus(b uint128) uint128 {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, borrow)
	return uint128{hi, lo}
}

func (a uint128) increment() (sum uint128, carry bool) {
	lo, c := bits.Add64(a.lo, 1, 0)
	hi, c := bits.Add64(a.hi, 0, c)
	return uint128{hi, lo}, c == 1
}

func (a uint128) compare(b uint128) int {
	switch {
	case a == b:
		return 0
	case a.hi < b.hi || a.hi == b.hi && a.lo < b.lo:
		return -1
	}
	return 1
}

func (a uint128) bitLen() int {
	if a.hi != 0 {
		return 64 + bits.Len64(a.hi)
	}
	return bits.Len64(a.lo)
}

func (a uint128) trailingZeros() int {
	if a.lo != 0 {
		return bits.TrailingZeros64(a.lo)
	}
	return 64 + bits.TrailingZeros64(a.hi)
}
