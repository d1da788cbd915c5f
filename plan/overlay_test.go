package plan_test

import (
	"slices"
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// TestR03Ownership proves whose a value is, value by value: what a declaration
// covers or a domain owns makes way for what is wanted, everything else stays.
func TestR03Ownership(t *testing.T) {
	t.Parallel()
	const other records.Name = "b.a.example"
	mxKey := key("@", records.TypeMX)
	covered := asks(wants(records.KindSPF, txtKey, spfThen))
	covered.Covers = []records.Cover{covers(records.KindSPF, txtKey, "v=spf1")}
	mx := asks(wants(records.KindMX, mxKey, "10 new.example"))
	mx.Covers = []records.Cover{covers(records.KindMX, mxKey, "")}
	for name, c := range map[string]struct {
		live  records.RRset
		owned []plan.Owned
		today plan.Today
		want  []records.Value
	}{
		"a covered value makes way":             {txt("@", 60, spfNow, "token"), nil, covered, []records.Value{"token", spfThen}},
		"several covered values make way":       {txt("@", 60, spfNow, "v=spf1 -all", "V=SPF1 a"), nil, covered, []records.Value{spfThen}},
		"a covered set":                         {set("@", "MX", 60, "10 old.example", "20 older.example"), nil, mx, []records.Value{"10 new.example"}},
		"an owned value makes way":              {txt("@", 60, "mine=1", "token"), owns(apex, records.KindRecord, txtKey, "mine=1"), asks(wants(records.KindRecord, txtKey, "mine=2")), []records.Value{"mine=2", "token"}},
		"an owned value that is wanted no more": {txt("@", 60, "mine=1", "token"), owns(apex, records.KindRecord, txtKey, "mine=1"), asks(), []records.Value{"token"}},
		"the last value of a set":               {txt("@", 60, "mine=1"), owns(apex, records.KindRecord, txtKey, "mine=1"), asks(), nil},
		"a foreign value beside a record block": {txt("@", 60, "token"), nil, asks(wants(records.KindRecord, txtKey, "mine=1")), []records.Value{"mine=1", "token"}},
		"a value that is live and wanted":       {txt("@", 60, "token", spfThen), nil, covered, []records.Value{"token", spfThen}},
		"covered, but another domain's":         {txt("@", 60, spfNow), owns(other, records.KindRecord, txtKey, spfNow), covered, []records.Value{spfThen, spfNow}},
		"another domain's value":                {txt("@", 60, "theirs"), owns(other, records.KindRecord, txtKey, "theirs"), asks(), []records.Value{"theirs"}},
		"nobody's zone":                         {txt("@", 60, spfNow, "token"), nil, asks(), []records.Value{spfNow, "token"}},
		"covered, but protected":                {txt("_dmarc", 60, "google-site-verification=1", "junk"), nil, protecting(wantsDMARC()), []records.Value{"google-site-verification=1", "v=DMARC1; p=none"}},
		"owned, but protected":                  {txt("@", 60, "google-site-verification=1", "mine"), owns(apex, records.KindRecord, txtKey, "google-site-verification=1", "mine"), protecting(asks()), []records.Value{"google-site-verification=1"}},
		"bytes are bytes":                       {txt("@", 60, "\xff\x00", spfNow), nil, covered, []records.Value{"\xff\x00", spfThen}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live := zone(c.live, txt("www", 60, "x"))
			got := plan.Overlay(live, plan.State{Owned: c.owned}.Index(), []plan.Today{c.today})
			set, exists := got.Set(c.live.Key)
			want := slices.Sorted(slices.Values(c.want))
			if !slices.Equal(set.Values, want) || exists != (len(want) > 0) {
				t.Errorf("%q, want %q", set.Values, want)
			}
			if exists && set.TTL != 60 {
				t.Errorf("the TTL is %d", set.TTL)
			}
			if www, _ := got.Set(key("www", "TXT")); !slices.Equal(www.Values, []records.Value{"x"}) {
				t.Errorf("the neighbour is %v", www)
			}
		})
	}
}

func wantsDMARC() plan.Today {
	k := key("_dmarc", records.TypeTXT)
	today := asks(wants(records.KindDMARC, k, "v=DMARC1; p=none"))
	today.Covers = []records.Cover{covers(records.KindDMARC, k, "")}
	return today
}

func protecting(today plan.Today) plan.Today {
	today.Domain.Protect = []string{"google-site-verification="}
	return today
}

// TestOverlayKeepsWhatCantBeWritten: a set that comes from elsewhere stays
// marked, so that a change of it is refused.
func TestOverlayKeepsWhatCantBeWritten(t *testing.T) {
	t.Parallel()
	s := txt("@", 60, "token")
	s.Fixed = "a line of $INCLUDE"
	got, _ := plan.Overlay(zone(s), plan.State{}.Index(), []plan.Today{asks(wants(records.KindRecord, txtKey, "mine"))}).Set(txtKey)
	if got.Fixed != s.Fixed {
		t.Errorf("fixed %q", got.Fixed)
	}
}

// TestIndexKnowsKinds: a value that a record block brought has the kind that
// receivers take it for.
func TestIndexKnowsKinds(t *testing.T) {
	t.Parallel()
	state := plan.State{Owned: slices.Concat(
		owns(apex, records.KindRecord, txtKey, spfNow, "token"),
		owns(apex, records.KindRecord, key("_dmarc", "TXT"), "v=DMARC1; p=none"),
		owns(apex, records.KindRecord, key("s1._domainkey", "CNAME"), "s1.example.net"),
		owns(apex, records.KindTLSRPT, tlsKey, oldTLS),
	)}
	var kinds []records.Kind
	for _, o := range state.Index().Owned {
		kinds = append(kinds, o.Kind)
	}
	if want := []records.Kind{records.KindSPF, records.KindRecord, records.KindDMARC, records.KindDKIM, records.KindTLSRPT}; !slices.Equal(kinds, want) {
		t.Errorf("%v, want %v", kinds, want)
	}
	if state.Owned[0].Kind != records.KindRecord {
		t.Error("the journal's own state was changed")
	}
}

// TestDiffIsOrdered: by key, whatever the order of the sets.
func TestDiffIsOrdered(t *testing.T) {
	t.Parallel()
	from := zone(txt("c", 60, "x"), txt("a", 60, "x"), set("a", "MX", 60, "10 m"))
	to := zone(txt("b", 60, "x"), txt("a", 61, "x"), txt("c", 60, "x"))
	var got []string
	for _, c := range plan.Diff(from, to) {
		got = append(got, where(c.Key))
	}
	if want := []string{"a MX", "a TXT", "b TXT"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
