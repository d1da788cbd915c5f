package zonefile

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/records"
)

var seeds = []string{
	"@ 60 SOA a b 1 2 3 4 5\n",
	"$TTL 1h\n@ IN SOA ns1 hostmaster (\n 2026112401 ; serial\n 7200 3600 1209600 300 )\n\tNS ns1\n\tMX 10 mx\n\tTXT \"v=spf1 \" -all ; c\nns1 A 192.0.2.1\n  AAAA 2001:db8::1\n",
	"@ 60 SOA a b 1 2 3 4 5\n$ORIGIN sub\na 1h30m IN TXT \"\\\"\\\\\\255\" \"\"\n$ORIGIN .\nexample.com MX 0 .\n",
	"@ 60 SOA a b 1 2 3 4 5\r\n_x._tcp SRV 1 2 3 h\r\nc CAA 0 issue \"ca\"\r\nt TLSA 3 1 1 ( ab\r\n cd )\r\nd TYPE65280 \\# 1 00\r\nh HTTPS 1 . alpn=h2\r\n",
	"@ 60 SOA a b 1 2 3 4 5\na\\.b TXT a\\ b\n\\097 TXT \"\"\"x\"\nw CNAME @\n* A 192.0.2.1",
}

const fuzzZone records.Name = "example.com"

func parseText(text []byte) (*file, error) {
	return parse(disk.FS{}, "/nonexistent", "example.com.zone", fuzzZone, text)
}

// FuzzReadAgainstLibrary: what both this package and miekg/dns accept, both
// read alike.
func FuzzReadAgainstLibrary(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ours, err := parseText(text)
		if err != nil || len(ours.included) > 0 {
			return
		}
		theirs, ok := libraryRecords(text)
		if !ok {
			return
		}
		mine := map[string]int{}
		for _, l := range ours.lines {
			if r := l.record; r != nil && r.fixed != "" {
				return // a stranger
			} else if r != nil && !r.aside {
				mine[describe(r.key, r.ttl, r.value)]++
			}
		}
		if diff := cmp.Diff(theirs, mine); diff != "" {
			t.Errorf("-miekg +zonefile\n%s", diff)
		}
	})
}

// describe leaves out data of rare types, which have several spellings.
func describe(k records.Key, ttl records.TTL, v records.Value) string {
	switch k.Type {
	case "A", "AAAA", "CNAME", "DNAME", "MX", "NS", "PTR", "SRV", "TXT":
		// The library escapes an apostrophe in a host's name, which needs none.
		return fmt.Sprintf("%s %d %q", k, ttl, strings.ReplaceAll(string(v), `\'`, `'`))
	}
	return fmt.Sprintf("%s %d", k, ttl)
}

// libraryRecords reads with the library alone; ok is false where it refuses
// the file, or where what it read can't be compared.
func libraryRecords(text []byte) (found map[string]int, ok bool) {
	found = map[string]int{}
	parser := dns.NewZoneParser(bytes.NewReader(text), string(fuzzZone)+".", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		h := rr.Header()
		name, err := absolute([]byte(h.Name), "")
		if err != nil {
			return nil, false
		}
		key := records.Key{Name: name, Type: records.Type(dns.Type(h.Rrtype).String())}
		if key.Type.HostOwned() || h.Class != dns.ClassINET || !name.In(fuzzZone) {
			continue
		}
		value, err := libraryValue(rr)
		if err != nil {
			return nil, false
		}
		found[describe(key, records.TTL(h.Ttl), value)]++
	}
	return found, parser.Err() == nil
}

// libraryValue takes the bytes of a TXT from the wire format, which has no
// escapes.
func libraryValue(rr dns.RR) (records.Value, error) {
	wire := make([]byte, dns.MaxMsgSize)
	n, err := dns.PackRR(rr, wire, 0, nil, false)
	if err != nil {
		return "", err
	}
	again, _, err := dns.UnpackRR(wire[:n], 0)
	if err != nil {
		return "", err
	}
	if _, ok := rr.(*dns.TXT); !ok {
		return records.CanonicalData(records.Type(dns.Type(rr.Header().Rrtype).String()), dataText(again))
	}
	var out []byte
	for data := wire[n-int(again.Header().Rdlength) : n]; len(data) > 0; data = data[1+int(data[0]):] {
		out = append(out, data[1:1+int(data[0])]...)
	}
	return records.Value(out), nil
}

// FuzzEdit adds a TXT value to any zone file and takes it away again: the zone
// is what the model says, and other lines are the same bytes.
func FuzzEdit(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), "v=spf1 -all", uint32(300))
		f.Add([]byte(s), "\x00\"\\;é\xff", uint32(0))
	}
	f.Fuzz(func(t *testing.T, text []byte, value string, ttl uint32) {
		before, err := parseText(text)
		if err != nil || before.soa < 0 {
			return
		}
		zone := before.toZone()
		key := records.Key{Name: "_fuzz." + fuzzZone, Type: records.TypeTXT}
		after := records.NewRRset(key, records.TTL(ttl)&records.MaxTTL, records.Value(value))
		forth := []records.Change{{Key: key, After: &after}}
		if old, ok := zone.Set(key); ok {
			forth[0].Before = &old
		}
		if forth, err = before.admit(forth); err != nil || len(forth) == 0 {
			return
		}
		now := time.Unix(1e9, 0)
		edited, err := before.edit(forth, now, parseText)
		if err != nil {
			t.Fatal(err)
		}
		middle, err := parseText(edited)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := zone.Apply(forth); err != nil || !got.Equal(middle.toZone()) {
			t.Fatalf("the zone differs from the model: %v", err)
		}
		if _, err := middle.edit([]records.Change{forth[0].Reverse()}, now, parseText); err != nil {
			t.Fatal(err)
		}
		checkComments(t, before, middle)
	})
}

// checkComments compares what stands between the entries.
func checkComments(t *testing.T, before, after *file) {
	t.Helper()
	want, got := gaps(before), gaps(after)
	for _, g := range slices.Sorted(maps.Keys(want)) {
		if got[g] < want[g] {
			t.Errorf("the lines %q are gone", g)
		}
	}
}

func gaps(f *file) map[string]int {
	found := map[string]int{}
	at := 0
	for _, l := range f.lines {
		found[strings.TrimSpace(string(f.text[at:l.start]))]++
		at = l.end
	}
	found[strings.TrimSpace(string(f.text[at:]))]++
	return found
}
