package spf

import (
	"math/big"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// universe are the addresses of the naive model: the ends of both families and
// stretches in between, so that ranges touch, overlap and reach the ends.
var universe = func() []netip.Addr {
	var all []netip.Addr
	for _, start := range []string{"0.0.0.0", "192.0.2.0", "255.255.255.240", "::", "2001:db8::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0"} {
		addr := netip.MustParseAddr(start)
		for range 16 {
			all = append(all, addr)
			addr = addr.Next()
		}
	}
	return all
}()

// drawSet draws a set and its naive model over the universe.
func drawSet(t *rapid.T, label string) (AddressSet, map[netip.Addr]bool) {
	prefixes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) netip.Prefix {
		addr := rapid.SampledFrom(universe).Draw(t, "address")
		host := rapid.SampledFrom([]int{0, 0, 1, 2, 3, 4, 5, 32, 128}).Draw(t, "host bits")
		return netip.PrefixFrom(addr, max(0, addr.BitLen()-host)).Masked()
	}), 0, 12).Draw(t, label)
	model := map[netip.Addr]bool{}
	for _, addr := range universe {
		model[addr] = slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
	}
	return SetOf(prefixes...), model
}

func TestAddressSetAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, inA := drawSet(t, "a")
		b, inB := drawSet(t, "b")
		for _, addr := range universe {
			for _, op := range []struct {
				name      string
				got, want bool
			}{
				{"a", a.Contains(addr), inA[addr]},
				{"union", a.Union(b).Contains(addr), inA[addr] || inB[addr]},
				{"intersect", a.Intersect(b).Contains(addr), inA[addr] && inB[addr]},
				{"minus", a.Minus(b).Contains(addr), inA[addr] && !inB[addr]},
			} {
				if op.got != op.want {
					t.Fatalf("%s of %v and %v has %s: %v", op.name, a, b, addr, op.got)
				}
			}
		}
	})
}

// Laws that together make the representation canonical and counting right.
func TestAddressSetLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, _ := drawSet(t, "a")
		b, _ := drawSet(t, "b")
		equal := func(name string, x, y AddressSet) {
			if !x.Equal(y) {
				t.Fatalf("%s: %v and %v", name, x, y)
			}
			for i := 1; i < len(x.ranges); i++ {
				if last := x.ranges[i-1].To; last.Compare(x.ranges[i].From) >= 0 || last.Next() == x.ranges[i].From {
					t.Fatalf("%s: ranges not disjoint or not maximal: %v", name, x)
				}
			}
		}
		equal("union commutes", a.Union(b), b.Union(a))
		equal("intersection by difference", a.Intersect(b), a.Minus(a.Minus(b)))
		equal("double complement", Everything().Minus(Everything().Minus(a)), a)
		equal("cover", SetOf(a.Prefixes()...), a)
		sum := new(big.Int).Add(a.Minus(b).Count6(), a.Intersect(b).Count6())
		if a.Minus(b).Count4()+a.Intersect(b).Count4() != a.Count4() || sum.Cmp(a.Count6()) != 0 {
			t.Fatalf("counts of %v don't add up", a)
		}
	})
}

// The cover is minimal if its prefixes are disjoint and no two of them join
// into one.
func TestPrefixesMinimal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set, _ := drawSet(t, "set")
		prefixes := set.Prefixes()
		for i := 1; i < len(prefixes); i++ {
			a, b := prefixes[i-1], prefixes[i]
			if a.Overlaps(b) {
				t.Fatalf("%v and %v overlap", a, b)
			}
			if a.Bits() == b.Bits() && a.Bits() > 0 && a.Addr().Is4() == b.Addr().Is4() {
				if parent := netip.PrefixFrom(a.Addr(), a.Bits()-1); parent.Masked().Addr() == a.Addr() && parent.Contains(b.Addr()) {
					t.Fatalf("%v and %v join", a, b)
				}
			}
		}
	})
}

func TestAddressSetCounts(t *testing.T) {
	t.Parallel()
	all := Everything()
	if all.Count4() != 1<<32 || all.Count6().String() != "340282366920938463463374607431768211456" {
		t.Errorf("everything: %d and %s addresses", all.Count4(), all.Count6())
	}
	if got := all.Prefixes(); len(got) != 2 || got[0].String() != "0.0.0.0/0" || got[1].String() != "::/0" {
		t.Errorf("everything covers as %v", got)
	}
	set := SetOf(
		netip.MustParsePrefix("192.0.2.0/25"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.4/32"),
		netip.MustParsePrefix("203.0.113.5/32"), netip.MustParsePrefix("203.0.113.6/32"), netip.MustParsePrefix("2001:db8::/64"), netip.Prefix{})
	if set.Count4() != 128+256+3 || set.Count6().Cmp(new(big.Int).Lsh(big.NewInt(1), 64)) != 0 {
		t.Errorf("%d and %s addresses", set.Count4(), set.Count6())
	}
	var got []string
	for _, r := range set.Largest(2) {
		got = append(got, r.String())
	}
	if want := []string{"198.51.100.0/24", "192.0.2.0/25", "2001:db8::/64"}; !slices.Equal(got, want) {
		t.Errorf("largest: %v, want %v", got, want)
	}
	if text := set.Ranges()[2].String(); text != "203.0.113.4-203.0.113.6" {
		t.Errorf("a range that is no prefix: %s", text)
	}
}
