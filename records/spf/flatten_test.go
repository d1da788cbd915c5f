package spf

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The faults of a flattener in wide use, and what is right.
func TestFlattenGetsRight(t *testing.T) {
	t.Parallel()
	z := newZone(t,
		"noall.test TXT v=spf1 ip4:192.0.2.1 ip4:198.51.100.1",
		"only.test TXT v=spf1 redirect=target.test", "target.test TXT v=spf1 ip4:192.0.2.1 ~all",
		"inner.test TXT v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 -all",
		"empty.test TXT v=spf1",
		"upper.test TXT V=SPF1 IP4:192.0.2.1 IP6:2001:DB8::/32 -ALL",
		"hosts.test TXT v=spf1 a:h.test/31 mx ?all", "h.test A 192.0.2.9 2001:db8::9", "hosts.test MX h.test gone.test",
		"exists.test A 127.0.0.2")
	tests := []struct{ name, record, want string }{
		{"the last mechanism of an include without all", "v=spf1 include:noall.test -all", "v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 -all"},
		{"an include that only redirects", "v=spf1 include:only.test ~all", "v=spf1 ip4:192.0.2.1 ~all"},
		{"a record that only redirects", "v=spf1 redirect=only.test", "v=spf1 ip4:192.0.2.1 ~all"},
		{"the qualifier of an include", "v=spf1 ?include:noall.test -all", "v=spf1 ?ip4:192.0.2.1 ?ip4:198.51.100.1 -all"},
		{"a fail inside an include is no match", "v=spf1 include:inner.test ip4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.0/24 -all"},
		{"nor a fail of the record", "v=spf1 include:inner.test ~all", "v=spf1 ip4:192.0.2.0 ip4:192.0.2.2/31 ip4:192.0.2.4/30 ip4:192.0.2.8/29 ip4:192.0.2.16/28 ip4:192.0.2.32/27 ip4:192.0.2.64/26 ip4:192.0.2.128/25 ~all"},
		{"an empty include", "v=spf1 include:empty.test ip4:192.0.2.1 ~all", "v=spf1 ip4:192.0.2.1 ~all"},
		{"an empty record", "v=spf1", "v=spf1 ?all"},
		{"upper case", "V=SPF1 INCLUDE:UPPER.TEST -ALL", "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 -all"},
		{"a and mx with lengths", "v=spf1 include:hosts.test -all", "v=spf1 ip4:192.0.2.8/31 ip6:2001:db8::9 -all"},
		{"a fail before a pass", "v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 ~all", "v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 ~all"},
		{"neighbours join", "v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 -all", "v=spf1 ip4:192.0.2.0/24 -all"},
		{"terms after all", "v=spf1 -all include:noall.test", "v=spf1 -all"},
		{"everything passes", "v=spf1 exists:exists.test -all", "v=spf1 all"},
		{"nothing passes", "v=spf1 exists:gone.test a:gone.test -all", "v=spf1 -all"},
		{"modifiers", "v=spf1 exp=why.test op=auth include:noall.test -all", "v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 -all exp=why.test op=auth"},
		{"an exp beside a redirect", "v=spf1 exp=why.test redirect=target.test", "v=spf1 ip4:192.0.2.1 ~all"},
	}
	for _, test := range tests {
		flat, err := Flatten(t.Context(), z, "root.test", mustParse(t, test.record))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if flat.Record.Text != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, flat.Record.Text, test.want)
		}
	}
}

func TestFlattenRefuses(t *testing.T) {
	t.Parallel()
	z := newZone(t, "two.test TXT v=spf1", "two.test TXT v=spf1 -all", "down.test FAIL",
		"dynamic.test TXT v=spf1 exists:%{i}.list.test -all", "loop.test TXT v=spf1 include:loop.test")
	for record, reason := range map[string]string{
		"v=spf1 include:dynamic.test -all":       "exists:%{i}.list.test of dynamic.test depends on the message",
		"v=spf1 ptr -all":                        "asks for the name of the client",
		"v=spf1 include:two.test -all":           "has 2 SPF records",
		"v=spf1 include:gone.test -all":          "has no SPF record",
		"v=spf1 include:down.test -all":          "server failure",
		"v=spf1 a:down.test -all":                "server failure",
		"v=spf1 include:loop.test -all":          "leads back to",
		"v=spf1 include:%{l}.x.test -all":        "depends on the message",
		"v=spf1 ip4:0.0.0.0/0 redirect=two.test": "has 2 SPF records",
	} {
		_, err := Flatten(t.Context(), z, "root.test", mustParse(t, record))
		var refusal *RefusalError
		if !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, reason) {
			t.Errorf("%s: %v, want a refusal: … %s …", record, err, reason)
		}
	}
	if _, err := Flatten(t.Context(), z, "gone.test", nil); err == nil {
		t.Error("a domain without record was flattened")
	}
	// Where all addresses are settled before the unknown term, it doesn't matter.
	flat, err := Flatten(t.Context(), z, "root.test", mustParse(t, "v=spf1 ip4:0.0.0.0/0 ip6:::/0 include:dynamic.test -all"))
	if err != nil || flat.Record.Text != "v=spf1 all" {
		t.Errorf("settled before: %v, %v", flat, err)
	}
}

func TestFlattenSources(t *testing.T) {
	t.Parallel()
	z := newZone(t,
		"a.test TXT v=spf1 ip4:192.0.2.0/25 include:b.test -all", "b.test TXT v=spf1 ip4:192.0.2.128/25 -ip4:198.51.100.1 a:h.test -all",
		"h.test A 198.51.100.1 198.51.100.2")
	flat, err := Flatten(t.Context(), z, "root.test", mustParse(t, "v=spf1 include:a.test ?ip6:2001:db8::1 include:b.test -all"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range flat.Sources {
		got = append(got, fmt.Sprint(s.Prefix, s.Qualifier, s.From))
	}
	want := []string{
		"192.0.2.0/24 pass [{a.test ip4:192.0.2.0/25} {b.test ip4:192.0.2.128/25}]",
		"198.51.100.2/32 pass [{b.test a:h.test}]",
		"2001:db8::1/128 neutral [{root.test ?ip6:2001:db8::1}]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if flat.TTL != 300 {
		t.Errorf("TTL %d", flat.TTL)
	}
	if flat, err = Flatten(t.Context(), z, "root.test", mustParse(t, "v=spf1 ip4:192.0.2.1 -all")); err != nil || flat.TTL != 0 {
		t.Errorf("a record that rests on no answer: %v, %v", flat, err)
	}
}

func TestFlattenIncludes(t *testing.T) {
	t.Parallel()
	z := newZone(t,
		"big.test TXT v=spf1 include:one.test include:two.test -all", "one.test TXT v=spf1 ip4:192.0.2.0/24 ?all",
		"two.test TXT v=spf1 ip4:198.51.100.0/24 ?all", "dynamic.test TXT v=spf1 exists:%{i}.list.test -all", "root.test MX h.test", "h.test A 203.0.113.1")
	tests := []struct{ record, names, want string }{
		{"v=spf1 mx include:dynamic.test include:big.test ~include:Big.test. include:one.test exp=why.test -all", "BIG.test.",
			"v=spf1 mx include:dynamic.test ip4:192.0.2.0/24 ip4:198.51.100.0/24 include:one.test -all exp=why.test"},
		{"v=spf1 ?include:one.test include:two.test redirect=dynamic.test", "one.test two.test",
			"v=spf1 ?ip4:192.0.2.0/24 ip4:198.51.100.0/24 redirect=dynamic.test"},
		{"v=spf1 include:one.test -all", "", "v=spf1 include:one.test -all"},
		{"v=spf1 include:dynamic.test -all", "dynamic.test", "refused: depends on the message"},
		{"v=spf1 include:one.test -all include:two.test", "two.test", "refused: no include of two.test"},
		{"v=spf1 include:gone.test -all", "gone.test", "refused: no SPF record"},
	}
	for _, test := range tests {
		tree, err := Resolve(t.Context(), z, "root.test", mustParse(t, test.record))
		if err != nil {
			t.Fatal(err)
		}
		flat, err := tree.FlattenIncludes(strings.Fields(test.names)...)
		if reason, refused := strings.CutPrefix(test.want, "refused: "); refused {
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s: %v, want %s", test.record, err, test.want)
			}
		} else if err != nil || flat.Record.Text != test.want {
			t.Errorf("%s:\n got %v, %v\nwant %s", test.record, flat, err, test.want)
		}
	}
}

func TestFlattenTooLong(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	var names []string
	for i := range 4 {
		var text strings.Builder
		text.WriteString("v=spf1")
		for j := range 2000 {
			fmt.Fprintf(&text, " ip4:10.%d.%d.%d", i, j>>7, j&127<<1)
		}
		name := fmt.Sprintf("n%d.test", i)
		z.host(name).txt = []string{text.String()}
		names = append(names, "include:"+name)
	}
	_, err := Flatten(t.Context(), z, "", mustParse(t, "v=spf1 "+strings.Join(names, " ")+" -all"))
	var refusal *RefusalError
	if !errors.As(err, &refusal) || refusal.Reason != tooLong {
		t.Errorf("8000 networks: %v, want a refusal", err)
	}
}

// A flattened record gives every address what an evaluation without limits
// gives it, and only what can't be told is refused.
func TestFlattenIsEquivalent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		z := drawZone(t)
		tree, err := Resolve(context.Background(), z, "d0.test", nil)
		if err != nil {
			t.Fatal(err)
		}
		flat, err := tree.Flatten()
		if by := tree.Authorization(); !by.Uncertain.IsEmpty() || !by.Error.IsEmpty() {
			if err == nil {
				t.Fatalf("flattened to %s though %+v", flat.Record.Text, by)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if n := flat.Record.DirectLookups(); n != 0 {
			t.Fatalf("%s queries the DNS", flat.Record.Text)
		}
		for _, s := range flat.Sources {
			if len(s.From) == 0 && s.Qualifier != Neutral {
				t.Fatalf("%s: no origin of %v", flat.Record.Text, s)
			}
		}
		sameResults(t, z, flat.Record)
	})
}

func TestFlattenIncludesIsEquivalent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		z := drawZone(t)
		tree, err := Resolve(context.Background(), z, "d0.test", nil)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("d%d.test", rapid.IntRange(1, 5).Draw(t, "flatten"))
		flat, err := tree.FlattenIncludes(name)
		if err != nil {
			return
		}
		for _, addr := range universe { // also where the unknown terms match
			if addr.IsValid() && rapid.Bool().Draw(t, "listed") {
				z.host(dotted(addr) + ".listed.test").a = universe[:1]
			}
		}
		sameResults(t, z, flat.Record)
	})
}

// sameResults compares a record with that of d0.test on all addresses.
func sameResults(t *rapid.T, z *zone, record *Record) {
	z.host("flat.test").txt = []string{record.Text}
	for _, addr := range universe {
		if got, want := unlimited(z, addr, "flat.test"), unlimited(z, addr, "d0.test"); got != want {
			t.Fatalf("%s gives %s %s, want %s", record.Text, addr, got, want)
		}
	}
}

// Records of ip4, ip6 and include with + always flatten.
func TestFlattenPlainRecordsAlways(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		z := &zone{hosts: map[string]*host{}}
		const last = 4
		for i := range last + 1 {
			terms := []string{Version}
			for range rapid.IntRange(0, 5).Draw(t, "terms") {
				addr := rapid.SampledFrom(universe).Draw(t, "address")
				kind := "ip6"
				if addr.Is4() {
					kind = "ip4"
				}
				terms = append(terms, fmt.Sprintf("%s:%s/%d", kind, addr, rapid.IntRange(0, addr.BitLen()).Draw(t, "length")))
				if i < last && rapid.Bool().Draw(t, "include") {
					terms = append(terms, fmt.Sprintf("include:d%d.test", rapid.IntRange(i+1, last).Draw(t, "later")))
				}
			}
			terms = append(terms, rapid.SampledFrom([]string{"", "-all", "~all", "?all", "all"}).Draw(t, "all"))
			z.host(fmt.Sprintf("d%d.test", i)).txt = []string{strings.TrimSpace(strings.Join(terms, " "))}
		}
		flat, err := Flatten(context.Background(), z, "d0.test", nil)
		if err != nil {
			t.Fatal(err)
		}
		if flat.Record.DirectLookups() != 0 {
			t.Fatal(flat.Record.Text)
		}
		sameResults(t, z, flat.Record)
	})
}

func FuzzFlatten(f *testing.F) {
	f.Add("v=spf1 include:d1.test ?include:d2.test -ip4:192.0.2.3 ip4:192.0.2.0/28 ~all", "v=spf1 ip6:2001:db8::/125 ip4:0.0.0.0/4", "v=spf1 redirect=d1.test")
	f.Add("v=spf1 redirect=d1.test", "v=spf1 -include:d2.test ?ip4:192.0.2.0/31 all", "v=spf1 ~ip4:192.0.2.0 exists:%{i}.listed.test")
	f.Fuzz(func(t *testing.T, root, one, two string) {
		z := newZone(t)
		z.host("d0.test").txt, z.host("d1.test").txt, z.host("d2.test").txt = []string{root}, []string{one}, []string{two}
		flat, err := Flatten(t.Context(), z, "d0.test", nil)
		if err != nil {
			return
		}
		z.host("flat.test").txt = []string{flat.Record.Text}
		for _, addr := range universe {
			if got, want := unlimited(z, addr, "flat.test"), unlimited(z, addr, "d0.test"); got != want {
				t.Fatalf("%s gives %s %s, want %s", flat.Record.Text, addr, got, want)
			}
		}
	})
}
