package rr_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

const zone records.Name = "example.com"

func set(name string, t records.Type, ttl records.TTL, values ...records.Value) records.RRset {
	return records.NewRRset(records.Key{Name: records.Below(name, zone), Type: t}, ttl, values...)
}

// TestRoundTrip of record sets through libdns.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	want := records.NewZone(zone, 0,
		set("@", "MX", 60, "0 .", "10 a.example"), set("a", "CNAME", 60, "b.example"), set("b", "SRV", 60, "1 2 3 c.example"),
		set("_x._tcp", "SRV", 60, "1 2 3 c.example"), set("c", "CAA", 60, `0 issue "ca"`), set("*", "TXT", 60, `"`, "\xff", ""),
		set("d", "TLSA", 60, "3 1 1 ab"), set("e", "A", 60, "192.0.2.1"), set("f", "AAAA", 60, "2001:db8::1"), set("g", "NS", 60, "ns.example"),
	)
	var recs []libdns.Record
	for _, s := range want.Sets() {
		recs = append(recs, rr.Records(s, zone)...)
	}
	if got := rr.Zone(zone, recs); !got.Equal(want) {
		t.Error(cmp.Diff(want.Sets(), got.Sets()))
	}
	if _, ok := recs[0].(libdns.TXT); !ok {
		t.Errorf("%T is not libdns' own type, which some libraries ask for", recs[0])
	}
}

func TestTTL(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]records.TTL{
		-time.Second: 0, time.Millisecond: 0, 1999 * time.Millisecond: 1, time.Hour: 3600, 1 << 62: records.MaxTTL,
	} {
		if got := rr.TTL(d); got != want {
			t.Errorf("%v is %d, want %d", d, got, want)
		}
	}
}

// TestKey: names are relative to the zone, at label boundaries.
func TestKey(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]records.Name{
		"@": zone, "": zone, "A": "a.example.com", "mail.example.com": "mail.example.com.example.com",
		"a.example.com.": "a.example.com", "mailexample.com.": "mailexample.com", "a.example.net.": "a.example.net",
	} {
		if got := rr.Key(libdns.RR{Name: name, Type: "txt"}, zone); got.Name != want || got.Type != records.TypeTXT {
			t.Errorf("%q is %v, want %s", name, got, want)
		}
	}
}

func TestEachValueHasItsTTL(t *testing.T) {
	t.Parallel()
	rec := func(ttl time.Duration, text string) libdns.Record {
		return libdns.RR{Name: "@", Type: "TXT", TTL: ttl, Data: text}
	}
	got, _ := rr.Zone("a.example", []libdns.Record{
		rec(time.Hour, "b"), rec(5*time.Minute, "a"), rec(time.Hour, "c"), rec(5*time.Minute, "d"),
	}).Set(records.Key{Name: "a.example", Type: records.TypeTXT})
	if got.TTL != 300 || !got.MixedTTL || len(got.TTLs) != 2 || got.TTLOf("b") != 3600 || got.TTLOf("c") != 3600 || got.TTLOf("a") != 300 {
		t.Errorf("%+v", got)
	}
	for _, rec := range rr.Records(got, "a.example") {
		data := records.Value(rec.RR().Data)
		if want := time.Duration(got.TTLOf(data)) * time.Second; rec.RR().TTL != want {
			t.Errorf("%s would be written with %s, want %s", data, rec.RR().TTL, want)
		}
	}
}
