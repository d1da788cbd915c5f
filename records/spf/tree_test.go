package spf

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func resolve(t testing.TB, z *zone, domain string) *Tree {
	t.Helper()
	tree, err := Resolve(context.Background(), z, domain, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestR05TreeCounts(t *testing.T) {
	t.Parallel()
	z := newZone(t,
		"leaf.test TXT v=spf1 ip4:192.0.2.0/24 a:host.test ~all", "host.test A 198.51.100.1 198.51.100.2",
		"mid.test TXT v=spf1 include:leaf.test include:LEAF.test. ?all", "v6.test A 2001:db8::1",
		"ends.test TXT v=spf1 mx -all include:leaf.test redirect=leaf.test exp=why.test", "ends.test MX gone.test",
		"exists.test A 127.0.0.2", "bare.test TXT other")
	tests := []struct {
		record         string
		lookups, voids int
	}{
		{"v=spf1 -all", 0, 0},
		{"v=spf1 include:leaf.test -all", 2, 0},
		{"v=spf1 include:mid.test include:leaf.test -all", 7, 0},
		{"v=spf1 include:ends.test", 2, 1},
		{"v=spf1 redirect=mid.test", 5, 0},
		{"v=spf1 -all redirect=mid.test include:mid.test", 0, 0},
		{"v=spf1 redirect=leaf.test a:host.test", 3, 0},
		{"v=spf1 a:v6.test a:gone.test mx:host.test exists:gone.test exists:v6.test exists:exists.test", 6, 4},
		{"v=spf1 include:gone.test", 1, 1},
		{"v=spf1 include:bare.test", 1, 0},
		{"v=spf1 ptr exists:%{i}.x.test include:%{l}.x.test a:%{d}.x.test", 4, 1},
		{"v=spf1 exists:%{p}.x.test", 2, 0},
		{"v=spf1 a:gone.test mx:gone.test a:gone.test", 3, 3},
	}
	for _, test := range tests {
		tree, err := Resolve(t.Context(), z, "root.test", mustParse(t, test.record))
		if err != nil {
			t.Fatal(err)
		}
		if tree.Root.Lookups != test.lookups || tree.Root.VoidLookups != test.voids {
			t.Errorf("%s: %d lookups, %d void; want %d, %d", test.record, tree.Root.Lookups, tree.Root.VoidLookups, test.lookups, test.voids)
		}
	}
}

func TestTreeShape(t *testing.T) {
	t.Parallel()
	z := newZone(t,
		"root.test TXT v=spf1 include:mid.test include:Leaf.test. -all",
		"mid.test TXT v=spf1 include:leaf.test ip6:2001:db8::/64 -all", "leaf.test TXT v=spf1 ip4:192.0.2.0/24 -all")
	root := resolve(t, z, "root.test.").Root
	var lines []string
	var show func(n *Node, indent string)
	show = func(n *Node, indent string) {
		lines = append(lines, fmt.Sprintf("%s%s %d/%d %d", indent, n.Domain, n.Lookups, n.VoidLookups, n.Authorized().Count4()))
		for _, b := range n.Branches {
			lines = append(lines, fmt.Sprintf("%s  %s %q %d %v", indent, b.Term.String(), b.Target, b.Lookups, b.Repeated))
			if b.Node != nil {
				show(b.Node, indent+"    ")
			}
		}
	}
	show(root, "")
	want := []string{
		`root.test 3/0 256`,
		`  include:mid.test "mid.test" 2 false`,
		`    mid.test 1/0 256`,
		`      include:leaf.test "leaf.test" 1 false`,
		`        leaf.test 0/0 256`,
		`          ip4:192.0.2.0/24 "" 0 false`,
		`          -all "" 0 false`,
		`      ip6:2001:db8::/64 "" 0 false`,
		`      -all "" 0 false`,
		`  include:leaf.test "Leaf.test" 1 true`,
		`  -all "" 0 false`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	if n := z.queries.Load(); n != 3 {
		t.Errorf("%d questions for three records", n)
	}
	if root.TTL != 300 {
		t.Errorf("TTL %d", root.TTL)
	}
}

func TestTreeFindings(t *testing.T) {
	t.Parallel()
	z := newZone(t,
		"loop.test TXT v=spf1 include:back.test -all", "back.test TXT v=spf1 redirect=loop.test",
		"two.test TXT v=spf1 -all", "two.test TXT v=spf1 ~all", "bad.test TXT v=spf1 ip4:1.2.3 -all",
		"down.test FAIL", "many.test MX"+strings.Repeat(" h.test", 11))
	tests := []struct {
		record string
		want   []Finding
	}{
		{"v=spf1 include:loop.test", []Finding{{Loop, "back.test", "redirect=loop.test", ""}}},
		{"v=spf1 include:root.test", []Finding{{Loop, "root.test", "include:root.test", ""}}},
		{"v=spf1 include:none.test redirect=none.test", []Finding{{NoRecord, "root.test", "include:none.test", ""}, {NoRecord, "root.test", "redirect=none.test", ""}}},
		{"v=spf1 include:two.test", []Finding{{SeveralRecords, "root.test", "include:two.test", ""}}},
		{"v=spf1 include:bad.test", []Finding{{Syntax, "root.test", "include:bad.test", ""}}},
		{"v=spf1 include:down.test a:down.test", []Finding{{Unanswered, "root.test", "include:down.test", ""}, {Unanswered, "root.test", "a:down.test", ""}}},
		{"v=spf1 mx:many.test a mx:many.test", []Finding{{TooManyHosts, "root.test", "mx:many.test", ""}}},
	}
	for _, test := range tests {
		tree, err := Resolve(t.Context(), z, "root.test", mustParse(t, test.record))
		if err != nil {
			t.Fatal(err)
		}
		for i := range tree.Findings {
			if tree.Findings[i].Detail == "" {
				t.Errorf("%s: finding without detail", test.record)
			}
			tree.Findings[i].Detail = ""
		}
		if diff := cmp.Diff(test.want, tree.Findings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.record, diff)
		}
	}
	for domain, want := range map[string]Problem{"none.test": NoRecord, "two.test": SeveralRecords, "bad.test": Syntax, "down.test": Unanswered, "x": NoRecord} {
		if tree := resolve(t, z, domain); tree.Root.Problem != want || len(tree.Findings) != 1 {
			t.Errorf("%s: problem %q, findings %v", domain, tree.Root.Problem, tree.Findings)
		}
	}
}

func TestTreeWithoutDomain(t *testing.T) {
	t.Parallel()
	z := newZone(t, "leaf.test TXT v=spf1 ip4:192.0.2.0/24 -all")
	tree, err := Resolve(t.Context(), z, "", mustParse(t, "v=spf1 a mx:%{d} include:leaf.test -all"))
	if err != nil {
		t.Fatal(err)
	}
	if tree.Root.Lookups != 3 || len(tree.Unknown) != 2 || len(tree.Findings) != 0 {
		t.Errorf("%d lookups, unknown %v, findings %v", tree.Root.Lookups, tree.Unknown, tree.Findings)
	}
}

func TestTreeEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Resolve(ctx, newZone(t), "x.test", nil); err == nil {
		t.Error("no error after the context ended")
	}
}

// diamond is a zone of levels of width names each, every record of which
// includes all names of the next level.
func diamond(t testing.TB, levels, width int) *zone {
	z := newZone(t)
	for level := range levels {
		var text strings.Builder
		text.WriteString("v=spf1")
		for i := range width {
			if level+1 < levels {
				fmt.Fprintf(&text, " include:n%d-%d.test", level+1, i)
			} else {
				fmt.Fprintf(&text, " ip4:192.0.%d.%d", i, level)
			}
		}
		for i := range width {
			z.host(fmt.Sprintf("n%d-%d.test", level, i)).txt = []string{text.String() + " -all"}
		}
	}
	return z
}

func TestTreeDiamondIsLinear(t *testing.T) {
	t.Parallel()
	z := diamond(t, 10, 20)
	tree := resolve(t, z, "n0-0.test")
	want, paths := 0, 1
	for range 9 {
		paths *= 20
		want += paths
	}
	if tree.Root.Lookups != want {
		t.Errorf("%d lookups, want %d", tree.Root.Lookups, want)
	}
	if n := z.queries.Load(); n != 181 {
		t.Errorf("%d questions, want one for each of 181 records", n)
	}
	if got := tree.Root.Authorized().Count4(); got != 20 {
		t.Errorf("%d addresses, want 20", got)
	}
	if deep := resolve(t, diamond(t, 20, 20), "n0-0.test"); deep.Root.Lookups != MaxCount {
		t.Errorf("%d lookups, want saturation", deep.Root.Lookups)
	}
}

func BenchmarkTreeDiamond(b *testing.B) {
	for _, levels := range []int{5, 10, 20} {
		z := diamond(b, levels, 20)
		b.Run(fmt.Sprintf("levels=%d", levels), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resolve(b, z, "n0-0.test")
			}
		})
	}
}

// endless answers every question with a hostile record.
type endless struct {
	*zone
	record func(name string) string
}

func (e endless) TXT(_ context.Context, name string) (Answer[string], error) {
	e.queries.Add(1)
	return Answer[string]{Values: []string{e.record(name)}}, nil
}

func (e endless) A(_ context.Context, name string) (Answer[netip.Addr], error) {
	e.queries.Add(1)
	addresses := make([]netip.Addr, 4000)
	for i := range addresses {
		addresses[i] = address(uint128{lo: uint64(i*2 + len(name)<<16)}, true)
	}
	return Answer[netip.Addr]{Values: addresses}, nil
}

func (e endless) MX(_ context.Context, name string) (Answer[string], error) {
	e.queries.Add(1)
	return Answer[string]{Values: strings.Fields(strings.Repeat("h."+name+" ", 10))}, nil
}

// Hostile zones are given up on after a bounded number of questions and
// without using much memory, whatever they try.
func TestTreeHostile(t *testing.T) {
	counter := 0
	fresh := func(format string, n int) string {
		var text strings.Builder
		for range n {
			counter++
			fmt.Fprintf(&text, format, counter)
		}
		return text.String()
	}
	alternating := func(n int) string {
		var text strings.Builder
		for i := range n {
			counter++
			fmt.Fprintf(&text, " %cip4:10.%d.%d.2", "+-"[i%2], counter>>8&255, counter&255)
		}
		return text.String()
	}
	records := map[string]func(name string) string{
		"an endless chain":            func(string) string { return fresh(" include:x%d.test", 1) },
		"an endless tree":             func(string) string { return fresh(" include:x%d.test", 3000) },
		"endless redirects":           func(string) string { return fresh(" redirect=x%d.test", 1) },
		"names that grow":             func(string) string { return " include:a.%{d} include:b.%{d} include:c.%{d}" },
		"many hosts":                  func(string) string { return fresh(" a:x%d.test", 4000) },
		"one host many times":         func(string) string { return strings.Repeat(" a:x.test mx:x.test", 3000) },
		"a large record":              func(string) string { return alternating(4000) },
		"a chain with large records":  func(string) string { return fresh(" include:x%d.test", 1) + alternating(500) },
		"the same with includes last": func(string) string { return alternating(500) + fresh(" include:x%d.test", 1) },
		"many empty terms":            func(string) string { return strings.Repeat(" a", 9000) },
		"too many empty terms":        func(string) string { return strings.Repeat(" a", 30000) },
		"many modifiers":              func(string) string { return strings.Repeat(" a=", 100) + fresh(" include:x%d.test", 2) },
		"many faults":                 func(string) string { return strings.Repeat(" %", 30000) },
		"one include many times":      func(string) string { return strings.Repeat(" include:x.test include:y.test", 2000) + " a:z.test" },
		"chain with unknown terms": func(string) string {
			return fresh(" exists:%%{i}.x%d.test -ip4:10.0.0.1 ?ip4:10.0.0.3 include:x%[1]d.test", 1)
		},
		"wide chain with its own sets": func(string) string { return fresh(" ip4:10.0.1.1 a:h%d.test include:x%[1]d.test", 1) },
	}
	for name, record := range records {
		e := endless{newZone(t), func(name string) string { return Version + record(name) }}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		tree, err := Resolve(t.Context(), e, "root.test", nil)
		if err == nil {
			_, _ = tree.Flatten() // must not take much either
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if n := e.queries.Load(); n > maxQueries {
			t.Errorf("%s: %d questions, want at most %d", name, n, maxQueries)
		}
		held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
		allocated := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d questions, %d lookups, %d KiB kept, %d KiB allocated", name, e.queries.Load(), tree.Root.Lookups, held>>10, allocated>>10)
		if held > 32<<20 || allocated > 96<<20 {
			t.Errorf("%s: the tree takes %d MiB and its making %d MiB", name, held>>20, allocated>>20)
		}
		runtime.KeepAlive(tree)
	}
}

// Every address has the result in the tree that an evaluation without limits
// gives it.
func TestAuthorizationAgainstCheck(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		z := drawZone(t)
		tree, err := Resolve(context.Background(), z, "d0.test", nil)
		if err != nil {
			t.Fatal(err)
		}
		got := tree.Authorization()
		for _, addr := range universe {
			want := unlimited(z, addr, "d0.test")
			var have []Result
			for result, set := range map[Result]AddressSet{
				ResultPass: got.Pass, ResultNeutral: got.Neutral, ResultSoftFail: got.SoftFail, ResultFail: got.Fail, ResultPermError: got.Error,
			} {
				if set.Contains(addr) {
					have = append(have, result)
				}
			}
			if len(have) != 1 || have[0] != want {
				t.Fatalf("%s: %v, want %s", addr, have, want)
			}
		}
	})
}

// Where an unknown term matches, only uncertain addresses have another result.
func TestUncertainAgainstCheck(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		z := drawZone(t)
		tree, err := Resolve(context.Background(), z, "d0.test", nil)
		if err != nil {
			t.Fatal(err)
		}
		uncertain := tree.Authorization().Uncertain
		for _, addr := range universe {
			base := unlimited(z, addr, "d0.test")
			z.host(dotted(addr) + ".listed.test").a = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 2})}
			if with := unlimited(z, addr, "d0.test"); with != base && !uncertain.Contains(addr) {
				t.Fatalf("%s: %s or %s, but not uncertain", addr, base, with)
			}
		}
	})
}

// unlimited evaluates without the limits on lookups and void lookups.
func unlimited(z *zone, ip netip.Addr, domain string) Result {
	c := newChecker(z, Query{IP: ip, Domain: domain})
	c.maxLookups, c.maxVoids = 1<<30, 1<<30
	o, f := c.checkHost(context.Background(), c.domain, 0)
	if f != nil {
		return f.result
	}
	return o.result
}

// drawZone draws records for d0.test to d5.test that include and redirect to
// later ones only, over the addresses of the universe.
func drawZone(t *rapid.T) *zone {
	z := &zone{hosts: map[string]*host{}}
	z.host("h.test").a = universe[16:18]
	z.host("h.test").aaaa = universe[48:50]
	z.host("m.test").mx = []string{"h.test", "none.test", "."}
	z.host("two.test").txt = []string{"v=spf1", "v=spf1 -all"}
	const last = 5
	for i := range last + 1 {
		z.host(fmt.Sprintf("d%d.test", i)).txt = []string{drawText(t, i, last)}
	}
	return z
}

func drawText(t *rapid.T, i, last int) string {
	later := rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf("d%d.test", rapid.IntRange(min(i+1, last), last).Draw(t, "later"))
	})
	term := rapid.Custom(func(t *rapid.T) string {
		qualifier := rapid.SampledFrom([]string{"", "", "", "-", "~", "?"}).Draw(t, "qualifier")
		addr := rapid.SampledFrom(universe).Draw(t, "address")
		version, length := 4, addr.BitLen()-rapid.SampledFrom([]int{0, 1, 2, 3, 8, 31}).Draw(t, "length")
		if addr.Is6() {
			version = 6
		}
		kinds := []string{
			fmt.Sprintf("ip%d:%s/%d", version, addr, length), fmt.Sprintf("ip%d:%s", version, addr),
			"a:h.test/31//126", "mx:m.test", "a:none.test", "exists:h.test", "exists:none.test", "exists:%{i}.listed.test",
		}
		if i < last {
			kinds = append(kinds, "include:"+later.Draw(t, "include"), "include:"+later.Draw(t, "include"))
		}
		weight := rapid.IntRange(0, 40).Draw(t, "kind")
		if weight == 40 {
			return "include:" + rapid.SampledFrom([]string{"none.test", "two.test"}).Draw(t, "broken")
		}
		return qualifier + kinds[weight%len(kinds)]
	})
	text := strings.Join(append([]string{Version}, rapid.SliceOfN(term, 0, 5).Draw(t, "terms")...), " ")
	ends := []string{"", " -all", " ~all", " ?all"}
	if i < last {
		ends = append(ends, " redirect="+later.Draw(t, "redirect"))
	}
	return text + rapid.SampledFrom(ends).Draw(t, "end")
}
