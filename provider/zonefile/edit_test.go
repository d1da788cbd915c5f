package zonefile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/records"
)

// TestEdit shows the file before and after. Serial 1 becomes 2 in all of them.
func TestEdit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 60)
	cases := []struct {
		name          string
		before, after string // behind the SOA
		sets          []records.RRset
	}{
		{
			"a member changes in its place, its comment stays",
			"$TTL 60\n\n; the mail\n@ TXT \"v=spf1 -all\" ; spf\n@\tTXT\t( \"foreign\" ; a\n \"er\" ) ; b\n",
			"$TTL 60\n\n; the mail\n@ TXT \"v=spf1 ~all\" ; spf\n@\tTXT\t( \"foreign\" ; a\n \"er\" ) ; b\n",
			[]records.RRset{set("@", "TXT", 60, "v=spf1 ~all", "foreigner")},
		},
		{
			"a value joins behind the set",
			"$TTL 60\n@ MX 1 a\n@ MX 2 b\na A 192.0.2.1\n",
			"$TTL 60\n@ MX 1 a\n@ MX 2 b\n@\t60\tIN\tMX\t3 c.example.net.\na A 192.0.2.1\n",
			[]records.RRset{set("@", "MX", 60, "1 a.example.com", "2 b.example.com", "3 c.example.net")},
		},
		{
			"one of two values goes",
			"$TTL 60\n@ TXT one ; 1\n; between\n@ TXT two ; 2\n",
			"$TTL 60\n; between\n@ TXT two ; 2\n",
			[]records.RRset{set("@", "TXT", 60, "two")},
		},
		{
			"a set goes, comments about it stay",
			"$TTL 60\n; the ramp\n_dmarc TXT ( \"v=DMARC1;\"\n   \" p=none\" ) ; now\na A 192.0.2.1\n",
			"$TTL 60\n; the ramp\na A 192.0.2.1\n",
			[]records.RRset{set("_dmarc", "TXT", 60)},
		},
		{
			"the line that named those below goes",
			"$TTL 60\nwww IN TXT x\n    IN A 192.0.2.1 ; c\n\tIN A 192.0.2.2\nb TXT x\n\tA 192.0.2.3\n",
			"$TTL 60\nwww IN A 192.0.2.1 ; c\n\tIN A 192.0.2.2\nb\tA 192.0.2.3\n",
			[]records.RRset{set("www", "TXT", 60), set("b", "TXT", 60)},
		},
		{
			"the line above has the same name, so nothing is written out",
			"$TTL 60\n@ TXT x\n  A 192.0.2.1\n",
			"$TTL 60\n  A 192.0.2.1\n",
			[]records.RRset{set("@", "TXT", 60)},
		},
		{
			"the TTL alone: chunks stay",
			"$TTL 60\n@ 90 IN TXT \"a\" \"b\" ; c\n@ IN 90 TXT \"c\"\n@ 90 TXT ( \"d\"\n \"e\" )\n",
			"$TTL 60\n@ 300 IN TXT \"a\" \"b\" ; c\n@ IN 300 TXT \"c\"\n@ 300 TXT ( \"d\"\n \"e\" )\n",
			[]records.RRset{set("@", "TXT", 300, "ab", "c", "de")},
		},
		{
			"an inherited TTL is written out",
			"$TTL 60\na TXT b\na IN TXT c\n\tTXT d\n\tIN TXT e\n",
			"$TTL 60\na 300 TXT b\na 300 IN TXT c\n\t300 TXT d\n\t300 IN TXT e\n",
			[]records.RRset{set("a", "TXT", 300, "b", "c", "d", "e")},
		},
		{
			"without $TTL those below keep what they inherited",
			"a 60 TXT x\nb TXT y\nc TXT z\n",
			"a 300 TXT x\nb 60 TXT y\nc TXT z\n",
			[]records.RRset{set("a", "TXT", 300, "x")},
		},
		{
			"without $TTL nothing is written out that is inherited anyway",
			"a 60 TXT x\nb TXT y\n",
			"a 60 TXT x\na\tIN\tTXT\t\"w\"\nb TXT y\n",
			[]records.RRset{set("a", "TXT", 60, "w", "x")},
		},
		{
			"differing TTLs become one",
			"a 60 TXT x\na 90 TXT y\n",
			"a 60 TXT \"z\"\na 60 TXT y\n",
			[]records.RRset{set("a", "TXT", 60, "y", "z")},
		},
		{
			"a new name goes behind its zone, below $ORIGIN too",
			"$TTL 60\n@ MX 1 a\nwww A 192.0.2.1\n",
			"$TTL 60\n@ MX 1 a\n_dmarc\t300\tIN\tTXT\t\"v=DMARC1; p=none\"\nwww A 192.0.2.1\n",
			[]records.RRset{set("_dmarc", "TXT", 300, "v=DMARC1; p=none")},
		},
		{
			"a new name goes behind its siblings",
			"$TTL 60\n$ORIGIN _domainkey.example.com.\ns1 TXT x\n$ORIGIN example.com.\nwww A 192.0.2.1\n",
			"$TTL 60\n$ORIGIN _domainkey.example.com.\ns1 TXT x\ns2\t60\tIN\tTXT\t\"y\"\n$ORIGIN example.com.\nwww A 192.0.2.1\n",
			[]records.RRset{set("s2._domainkey", "TXT", 60, "y")},
		},
		{
			"a name outside of the origin",
			"$TTL 60\n$ORIGIN sub.example.com.\n@ TXT x\n",
			"$TTL 60\n$ORIGIN sub.example.com.\n@ TXT x\n@\t60\tIN\tMX\t1 sub.example.com.\n",
			[]records.RRset{set("sub", "MX", 60, "1 sub.example.com")},
		},
		{
			"a name is taken over by a new line, so the next one gets its own back",
			"$TTL 60\n$ORIGIN com.\nexample TXT x\n\tMX 1 example.net.\na.example TXT y\n",
			"$TTL 60\n$ORIGIN com.\nexample TXT x\n\tMX 1 example.net.\nb.example\t60\tIN\tTXT\t\"z\"\na.example TXT y\n",
			[]records.RRset{set("b", "TXT", 60, "z")},
		},
		{
			"TXT to CNAME in the same place",
			"$TTL 60\na A 192.0.2.1\nb TXT x ; c\nd A 192.0.2.1\n",
			"$TTL 60\na A 192.0.2.1\nb\t300\tIN\tCNAME\tx.example.net.\nd A 192.0.2.1\n",
			[]records.RRset{set("b", "TXT", 60), set("b", "CNAME", 300, "x.example.net")},
		},
		{
			"what stood in parentheses and changes goes on one line",
			"$TTL 60\n  ( TXT ; type\n  \"old\" ; why\n  \"er\" ) ; behind\n",
			"$TTL 60\n@\t60\tIN\tTXT\t\"new\" ; behind\n",
			[]records.RRset{set("@", "TXT", 60, "new")},
		},
		{
			"long and odd text",
			"$TTL 60\n@ TXT 0ld\n",
			"$TTL 60\n@ TXT \"" + long[:255] + "\" \"" + long[:255] + "\" \"" + long[:90] + "\"\n@\t60\tIN\tTXT\t\"\"\n@\t60\tIN\tTXT\t\"a\\\"\\\\;\\009\\255\\195\\169\"\n",
			[]records.RRset{set("@", "TXT", 60, records.Value(strings.Repeat(long[:255], 2)+long[:90]), "a\"\\;\t\xffé", "")},
		},
		{
			"duplicates stay, and go together",
			"$TTL 60\n@ TXT x\n@ TXT \"x\"\n@ MX 1 a\n@ MX 1 a.example.com.\n",
			"$TTL 60\n@ TXT x\n@ TXT \"x\"\n@\t60\tIN\tTXT\t\"y\"\n",
			[]records.RRset{set("@", "TXT", 60, "x", "y"), set("@", "MX", 60)},
		},
		{
			"CRLF, and no end of the last line",
			"$TTL 60\r\n@ TXT x\r\nb TXT y",
			"$TTL 60\r\n@ TXT x\r\nc\t60\tIN\tTXT\t\"z\"\r\nb TXT y\r\nb\t60\tIN\tTXT\t\"z\"\r\n",
			[]records.RRset{set("b", "TXT", 60, "y", "z"), set("c", "TXT", 60, "z")},
		},
		{
			"DNSSEC is left alone",
			"$TTL 60\n@ DNSKEY 257 3 8 AAAA\n@ RRSIG TXT 8 2 60 20300101000000 20200101000000 1 example.com. AAAA\n@ TXT x\n",
			"$TTL 60\n@ DNSKEY 257 3 8 AAAA\n@ RRSIG TXT 8 2 60 20300101000000 20200101000000 1 example.com. AAAA\n@ TXT \"y\"\n",
			[]records.RRset{set("@", "TXT", 60, "y")},
		},
		{
			"null MX and wildcards",
			"$TTL 60\n* MX 10 a\n",
			"$TTL 60\n* MX 0 .\n*\t60\tIN\tTXT\t\"v=spf1 -all\"\n",
			[]records.RRset{set("*", "MX", 60, records.NullMX), set("*", "TXT", 60, "v=spf1 -all")},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := place(t, t.TempDir(), soa+c.before)
			if err := transact(t, p, c.sets...); err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(soa, "hostmaster 1 ", "hostmaster 2 ", 1) + c.after
			if diff := cmp.Diff(want, contents(t, p)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestNameLikeDirective: a name may begin with a dollar sign.
func TestNameLikeDirective(t *testing.T) {
	t.Parallel()
	p := place(t, t.TempDir(), "$TTL 60\n"+soa)
	if err := transact(t, p, set("$ttl", "TXT", 60, "x")); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(contents(t, p), "\n\\$ttl\t60\tIN\tTXT\t\"x\"\n") {
		t.Errorf("contents %q", contents(t, p))
	}
}

// TestR19RestoresBytes: the way back over a change of values restores the
// file, but for its serial.
func TestR19RestoresBytes(t *testing.T) {
	t.Parallel()
	text := soa + "$TTL 60\n@ TXT \"v=spf1 -all\" ; spf\n@ TXT \"foreign\"\n_dmarc 300 TXT \"v=DMARC1; p=none\" ; ramp\n"
	p := place(t, t.TempDir(), text)
	z := readZone(t, p)
	forth := []records.Change{to(z, set("@", "TXT", 60, "v=spf1 ~all", "foreign")), to(z, set("_dmarc", "TXT", 300, "v=DMARC1; p=reject"))}
	back := []records.Change{forth[0].Reverse(), forth[1].Reverse()}
	if err := errors.Join(p.Transact(context.Background(), zone, forth), p.Transact(context.Background(), zone, back)); err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(text, "hostmaster 1 ", "hostmaster 3 ", 1); contents(t, p) != want {
		t.Error(cmp.Diff(want, contents(t, p)))
	}
}

func TestSerial(t *testing.T) {
	t.Parallel()
	cases := []struct{ before, after string }{
		{"1", "2"},
		{"0", "1"},
		{"4294967295", "1"},
		{"4294967294", "4294967295"},
		{"2025010199", "2026112400"}, // a date serial of another day
		{"2026112399", "2026112400"},
		{"2026112400", "2026112401"}, // of today
		{"2026112405", "2026112406"},
		{"2026112499", "2026112500"}, // more than 99 in a day
		{"2027010100", "2027010101"}, // of a day to come
		{"2026023000", "2026023001"}, // no day of the calendar
		{"1732450000", "1732450001"}, // seconds since 1970
	}
	for _, c := range cases {
		text := "$TTL 60\n@ SOA a b (\n " + c.before + " ; serial, see wiki\n 2 3 4 5 )\n@ TXT x\n"
		p := place(t, t.TempDir(), text)
		if err := transact(t, p, set("@", "TXT", 60, "y")); err != nil {
			t.Fatal(err)
		}
		want := strings.NewReplacer(" "+c.before+" ;", " "+c.after+" ;", "TXT x", `TXT "y"`).Replace(text)
		if diff := cmp.Diff(want, contents(t, p)); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.before, diff)
		}
	}
}

// TestRefusals writes nothing and says why.
func TestRefusals(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, text string
		set        records.RRset
		want       string
	}{
		{"$GENERATE", "$GENERATE 1-2 h$ A 192.0.2.$\n", set("h1", "A", 60, "192.0.2.9"), "h1.example.com A can't be changed: one of its records comes from $GENERATE in line 3"},
		{"$GENERATE joins a set", "h1 A 192.0.2.9\n$GENERATE 1-2 h$ A 192.0.2.$\n", set("h1", "A", 60), "$GENERATE in line 4"},
		{"unknown type", "a NEWTYPE x\n", set("a", "NEWTYPE", 60, "y"), "doesn't know the type NEWTYPE in line 3"},
		{"CNAME beside TXT", "a TXT x\n", set("a", "CNAME", 60, "b.example"), "RFC 1034"},
		{"TXT beside CNAME", "a CNAME x\n", set("a", "TXT", 60, "x"), "RFC 1034"},
		{"bad data", "", set("a", "A", 60, "192.0.2.1\nb 60 A 192.0.2.2"), "can't be expressed"},
		{"a relative name within data", "", set("a", "HTTPS", 60, "1 b"), `"1 b.example.com."`},
		{"a comment within data", "", set("a", "CAA", 60, "0 issue a;b"), "can't be expressed"},
		{"an odd name", "", records.NewRRset(records.Key{Name: "a;b.example.com", Type: "TXT"}, 60, "x"), "can't be expressed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := soa + "$TTL 60\n" + c.text
			p := place(t, t.TempDir(), text)
			err := transact(t, p, c.set)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if contents(t, p) != text {
				t.Error("the file was written")
			}
		})
	}
}

func TestIncludedSOA(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir+"/soa", soa)
	p := place(t, dir, "$INCLUDE soa\n@ TXT x\n")
	err := transact(t, p, set("@", "TXT", 3600, "y"))
	if err == nil || !strings.Contains(err.Error(), "serial") || !strings.Contains(err.Error(), "$INCLUDE") {
		t.Errorf("error %v", err)
	}
}

// TestManySets edits a big file at many places at once.
func TestManySets(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(soa)
	for i := range 3000 {
		fmt.Fprintf(&b, "h%d A 192.0.2.1 ; %d\n", i, i)
	}
	p := place(t, t.TempDir(), b.String())
	var sets []records.RRset
	for i := range 1000 {
		sets = append(sets, set(fmt.Sprintf("h%d", 3*i), "A", 3600, "192.0.2.2"))
	}
	if err := transact(t, p, sets...); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(contents(t, p), " A 192.0.2.2 ; "); got != 1000 {
		t.Errorf("%d lines changed", got)
	}
}
