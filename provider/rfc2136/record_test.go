package rfc2136

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/records"
)

// FuzzText: every text arrives as it was, as a record on the wire and back.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		"", "v=spf1 -all", `"`, `\`, `a\`, `\"`, `\065`, "\t\n\r\x00\x7f\xff", "é", `"a" "b"`, "(;)", "$ORIGIN", "@",
		strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat(`\"`, 300), strings.Repeat("\xff", 511),
	} {
		f.Add([]byte(s))
	}
	k := records.Key{Name: "a.example.com", Type: records.TypeTXT}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 60000 {
			return
		}
		r, err := newRR(k, 300, records.Value(text))
		if err != nil {
			t.Fatal(err)
		}
		m := new(dns.Msg).SetUpdate("example.com.")
		m.Insert([]dns.RR{r})
		wire, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		back := new(dns.Msg)
		if err := back.Unpack(wire); err != nil {
			t.Fatal(err)
		}
		if got, err := value(back.Ns[0]); err != nil || got != records.Value(text) {
			t.Errorf("%q comes back as %q, error %v", text, got, err)
		}
	})
}

// TestUnwritable: what would become another record, or several, is an error.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  records.Type
		value records.Value
	}{
		{"A", "192.0.2.1\nwww 300 IN A 192.0.2.2"}, {"MX", "10 a.example\n"}, {"MX", "10"}, {"CNAME", "a b"}, {"CAA", ""},
		{"NOSUCHTYPE", "x"}, {"TYPE65400", "not generic"}, {"A", "2001:db8::1"},
	} {
		if r, err := newRR(records.Key{Name: "a.example.com", Type: c.kind}, 300, c.value); err == nil {
			t.Errorf("%s %q becomes %v", c.kind, c.value, r)
		}
	}
}

func TestTypeCode(t *testing.T) {
	t.Parallel()
	for kind, want := range map[records.Type]uint16{"TXT": 16, "TYPE65534": 65534, "TYPE": 0, "NOSUCH": 0, "TYPE99999": 0} {
		if got := typeCode(kind); got != want {
			t.Errorf("%s is %d, want %d", kind, got, want)
		}
	}
}

// TestSplit: every change is in one batch, those of a name in the same, and
// each batch fits into a message; what fits into one is not split.
func TestSplit(t *testing.T) {
	t.Parallel()
	p := new(Provider)
	rapid.Check(t, func(t *rapid.T) {
		var changes []records.Change
		for i := range rapid.IntRange(0, 200).Draw(t, "changes") {
			name := rapid.IntRange(0, i).Draw(t, "name")
			size := rapid.IntRange(0, 1500).Draw(t, "size")
			after := records.NewRRset(records.Key{Name: records.Name(fmt.Sprintf("n%d.example.com", name)), Type: records.Type(fmt.Sprint("TYPE", i))}, 300, records.Value(strings.Repeat("x", size)))
			changes = append(changes, records.Change{Key: after.Key, After: &after})
		}
		batches := p.Split(changes)
		total, seen := 0, map[records.Name]int{}
		for i, batch := range batches {
			size := 0
			for _, c := range batch {
				size += weight(c)
				if first, ok := seen[c.Name]; ok && first != i {
					t.Fatalf("%s is in the batches %d and %d", c.Name, first, i)
				}
				seen[c.Name] = i
			}
			if size > maxMessage && len(byName(batch)) > 1 {
				t.Fatalf("batch %d has %d bytes", i, size)
			}
			total += len(batch)
		}
		if total != len(changes) {
			t.Fatalf("%d changes became %d", len(changes), total)
		}
		if whole := weightOf(changes); whole <= maxMessage && len(batches) > 1 {
			t.Fatalf("%d bytes became %d batches", whole, len(batches))
		}
	})
}

func weightOf(changes []records.Change) int {
	total := 0
	for _, c := range changes {
		total += weight(c)
	}
	return total
}

// TestTransferIsWhole: a transfer begins and ends with the SOA.
func TestTransferIsWhole(t *testing.T) {
	t.Parallel()
	rrs := func(lines ...string) (all []dns.RR) {
		for _, line := range lines {
			r, err := dns.NewRR(line)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
		return all
	}
	const soa, later, txt = "example.com. IN SOA a. b. 1 2 3 4 5", "example.com. IN SOA a. b. 2 2 3 4 5", `example.com. IN TXT "x"`
	for _, c := range []struct {
		messages [][]string
		fails    bool
		done     bool
	}{
		{[][]string{{soa, txt, soa}}, false, true},
		{[][]string{{soa}, {txt}, {soa}}, false, true},
		{[][]string{{soa, txt}, {}}, false, false},
		{[][]string{{}}, true, false},
		{[][]string{{txt, soa}}, true, false},
		{[][]string{{soa, txt, later}}, true, false},
		{[][]string{{soa, soa, txt}}, true, true},
	} {
		var got transfer
		var err error
		for _, m := range c.messages {
			if err == nil {
				err = got.add(rrs(m...))
			}
		}
		if (err != nil) != c.fails || got.done != c.done {
			t.Errorf("%v: done %v, error %v", c.messages, got.done, err)
		}
	}
}
