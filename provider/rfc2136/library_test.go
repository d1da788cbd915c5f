package rfc2136

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/libdns/libdns"
	library "github.com/libdns/rfc2136"

	"github.com/attunelogic/maildns/provider/providertest/updatetest"
	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// These tests hold against each other what this package reads and what
// libdns/rfc2136 does, and prove why the latter is not used (decision 0020). One
// that fails after an update of the library is a reason to look again.

const apex records.Name = "example.com"

func both(t *testing.T, lines ...string) (*updatetest.Server, *Provider, *library.Provider) {
	t.Helper()
	server := updatetest.Start(t, apex)
	server.Add(t, lines...)
	ours, err := New(server.Addr, Key{Name: updatetest.KeyName, Secret: updatetest.Secret})
	if err != nil {
		t.Fatal(err)
	}
	return server, ours, &library.Provider{KeyName: updatetest.KeyName, KeyAlg: updatetest.Algorithm, Key: updatetest.Secret, Server: server.Addr}
}

// TestLibraryAgrees: where the library reads a zone, it reads the same as we do,
// once its texts are unescaped.
func TestLibraryAgrees(t *testing.T) {
	t.Parallel()
	_, ours, theirs := both(t,
		`example.com. 300 IN MX 10 Mail.Example.net.`, `example.com. 300 IN MX 20 b.example.`, `example.com. 60 IN TXT "v=spf1 -all"`,
		`a.example.com. 60 IN TXT "\"\\\195\169\000;"`, `*.w.example.com. 60 IN CNAME example.com.`, `a.example.com. 60 IN AAAA 2001:db8::1`,
		`_25._tcp.a.example.com. 60 IN TLSA 3 1 1 ABCD`, `_sip._tcp.example.com. 60 IN SRV 1 2 3 sip.example.com.`, `c.example.com. 60 IN CAA 0 issue "ca.example"`,
	)
	want, err := ours.ReadZone(t.Context(), apex)
	if err != nil {
		t.Fatal(err)
	}
	recs, err := theirs.GetRecords(t.Context(), "example.com.")
	if err != nil {
		t.Fatal(err)
	}
	for i, rec := range recs {
		if txt, ok := rec.(libdns.TXT); ok {
			txt.Text = unescape(txt.Text)
			recs[i] = txt
		}
	}
	if got := rr.Zone(apex, recs); !got.Equal(want) || got.NegativeTTL != want.NegativeTTL {
		t.Errorf("the library reads\n%v, we read\n%v", got.Sets(), want.Sets())
	}
}

// TestLibraryFailsAsAWhole: one record that libdns has no form for, and nothing
// of the zone is read.
func TestLibraryFailsAsAWhole(t *testing.T) {
	t.Parallel()
	_, ours, theirs := both(t, `example.com. 60 IN TXT "v=spf1 -all"`, `plain.example.com. 60 IN SRV 1 2 3 sip.example.com.`)
	if _, err := theirs.GetRecords(t.Context(), "example.com."); err == nil {
		t.Error("the library reads the zone")
	}
	z, err := ours.ReadZone(t.Context(), apex)
	if err != nil || z.Len() != 3 {
		t.Errorf("we read %v, error %v", z.Sets(), err)
	}
}

// TestLibraryForgetsStrings: it joins the strings of a text, so what it read
// names no record of the zone any more; nor does it say so.
func TestLibraryForgetsStrings(t *testing.T) {
	t.Parallel()
	server, ours, theirs := both(t, `_dmarc.example.com. 60 IN TXT "v=DMARC1; p=none" "; rua=mailto:a@example.com"`)
	before := records.NewRRset(records.Key{Name: "_dmarc.example.com", Type: records.TypeTXT}, 60, "v=DMARC1; p=none; rua=mailto:a@example.com")
	gone, err := theirs.DeleteRecords(t.Context(), "example.com.", rr.Records(before, apex))
	if _, there := server.Look(t).Set(before.Key); err != nil || len(gone) != 1 || !there {
		t.Errorf("the library deletes %v, error %v", gone, err)
	}
	if err := ours.Transact(t.Context(), apex, []records.Change{{Key: before.Key, Before: &before}}); err != nil {
		t.Fatal(err)
	}
	if z := server.Look(t); z.Len() != 0 {
		t.Errorf("we left %v", z.Sets())
	}
}

// TestLibraryBelievesNoError: what a server ignores is reported as written.
func TestLibraryBelievesNoError(t *testing.T) {
	t.Parallel()
	server, ours, theirs := both(t, `a.example.com. 60 IN TXT "x"`)
	alias := records.NewRRset(records.Key{Name: "a.example.com", Type: records.TypeCNAME}, 60, "b.example")
	done, err := theirs.AppendRecords(t.Context(), "example.com.", rr.Records(alias, apex))
	if _, there := server.Look(t).Set(alias.Key); err != nil || len(done) != 1 || there {
		t.Errorf("the library appends %v, error %v, there: %v", done, err, there)
	}
	if err := ours.Transact(t.Context(), apex, []records.Change{{Key: alias.Key, After: &alias}}); err == nil || errors.As(err, new(*records.StaleError)) {
		t.Errorf("our error is %v", err)
	}
}

// TestLibraryTakesOurTexts: its record type in lower case keeps it from cutting
// and quoting a text by itself, which loses control characters.
func TestLibraryTakesOurTexts(t *testing.T) {
	t.Parallel()
	server, ours, theirs := both(t)
	odd := []records.Value{"tab\tand\nline", "\xff\x00\x7f", `"quoted"`, "", `back\slash`}
	for _, v := range odd {
		rec := libdns.RR{Name: "a", TTL: time.Minute, Type: "txt", Data: records.MasterData(records.TypeTXT, v)}
		if _, err := theirs.AppendRecords(t.Context(), "example.com.", []libdns.Record{rec}); err != nil {
			t.Fatal(err)
		}
	}
	want := records.NewRRset(records.Key{Name: "a.example.com", Type: records.TypeTXT}, 60, odd...)
	z, err := ours.ReadZone(t.Context(), apex)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := z.Set(want.Key); !got.Equal(want) {
		t.Errorf("we read %q", got.Values)
	}
	if got, _ := server.Look(t).Set(want.Key); !got.Equal(want) {
		t.Errorf("the zone holds %q", got.Values)
	}
	if !slices.ContainsFunc(want.Values, func(v records.Value) bool { return v == "" }) {
		t.Error("the empty text is lost")
	}
}
