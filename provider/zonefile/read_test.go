package zonefile_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/provider/zonefile"
	"github.com/attunelogic/maildns/records"
)

const soa = "@ 3600 IN SOA ns1 hostmaster 1 7200 3600 1209600 300\n"

func TestRead(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, text string
		want       []records.RRset
	}{
		{"the forms of a name", "$TTL 60\na A 192.0.2.1\nB.Example.COM. A 192.0.2.2\n@ A 192.0.2.3\n* A 192.0.2.4\n", []records.RRset{
			set("a", "A", 60, "192.0.2.1"), set("b", "A", 60, "192.0.2.2"), set("@", "A", 60, "192.0.2.3"), set("*", "A", 60, "192.0.2.4"),
		}},
		{"owner above", "a 60 A 192.0.2.1\n\n; comment\n\t60 AAAA 2001:DB8:0::1\n", []records.RRset{
			set("a", "A", 60, "192.0.2.1"), set("a", "AAAA", 60, "2001:db8::1"),
		}},
		{"origins", "$TTL 60\n$ORIGIN sub\na A 192.0.2.1\n@ A 192.0.2.2\n$ORIGIN com.\nexample MX 1 mx.example\n$ORIGIN .\nb.example.com A 192.0.2.3\n", []records.RRset{
			set("a.sub", "A", 60, "192.0.2.1"), set("sub", "A", 60, "192.0.2.2"), set("@", "MX", 60, "1 mx.example.com"), set("b", "A", 60, "192.0.2.3"),
		}},
		{"TTL and class in any order", "a 60 IN A 192.0.2.1\nb IN 60 A 192.0.2.1\nc in a 192.0.2.1\nd 1h30m A 192.0.2.1\ne 1W2D A 192.0.2.1\n", []records.RRset{
			set("a", "A", 60, "192.0.2.1"), set("b", "A", 60, "192.0.2.1"), set("c", "A", 60, "192.0.2.1"),
			set("d", "A", 5400, "192.0.2.1"), set("e", "A", 777600, "192.0.2.1"),
		}},
		{"$TTL rules over the last TTL", "$TTL 90\na 60 A 192.0.2.1\nb A 192.0.2.1\n$ttl 2m\nc A 192.0.2.1\n", []records.RRset{
			set("a", "A", 60, "192.0.2.1"), set("b", "A", 90, "192.0.2.1"), set("c", "A", 120, "192.0.2.1"),
		}},
		{"the last TTL without $TTL", "a A 192.0.2.1\nb 60 A 192.0.2.1\nc A 192.0.2.1\n", []records.RRset{
			set("a", "A", 3600, "192.0.2.1"), set("b", "A", 60, "192.0.2.1"), set("c", "A", 60, "192.0.2.1"),
		}},
		{"TXT", "$TTL 60\na TXT \"one \" \"two\" three\nb TXT \"a\\\"b\\\\c\\100\\;\" ; comment\nc TXT \"\"\nd TXT \"a;b(c)\"\ne TXT a\\ b\nf TXT \"\"\"x\"\n", []records.RRset{
			set("a", "TXT", 60, "one twothree"), set("b", "TXT", 60, `a"b\cd;`), set("c", "TXT", 60, ""),
			set("d", "TXT", 60, "a;b(c)"), set("e", "TXT", 60, "a b"), set("f", "TXT", 60, "x"),
		}},
		{"bytes", "$TTL 60\na TXT \"\\000\\009\\255é\"\n", []records.RRset{set("a", "TXT", 60, "\x00\t\xff\xc3\xa9")}},
		{"parentheses", "$TTL 60\na ( TXT ; one\n  \"x\" ; (two\n ) \"y\"\nb TXT (\"z\"\n)\n", []records.RRset{
			set("a", "TXT", 60, "xy"), set("b", "TXT", 60, "z"),
		}},
		{"hosts", "$TTL 60\na CNAME Target\nb CNAME target.example.net.\nc MX 010 @\nd MX 0 .\ne SRV 1 02 3 www\nf PTR x\n", []records.RRset{
			set("a", "CNAME", 60, "target.example.com"), set("b", "CNAME", 60, "target.example.net"), set("c", "MX", 60, "10 example.com"),
			set("d", "MX", 60, "0 ."), set("e", "SRV", 60, "1 2 3 www.example.com"), set("f", "PTR", 60, "x.example.com"),
		}},
		{"other types", "$TTL 60\na CAA 0 issue \"ca.example.net\"\nb TLSA 3 1 1 ( AB\n cd )\nc HTTPS 1 svc alpn=h2\nd TYPE65280 \\# 2 abcd\ne TYPE16 \\# 3 026869\nf HINFO \"a b\" c\n", []records.RRset{
			set("a", "CAA", 60, `0 issue "ca.example.net"`), set("b", "TLSA", 60, "3 1 1 abcd"), set("c", "HTTPS", 60, `1 svc.example.com. alpn="h2"`),
			set("d", "TYPE65280", 60, `\# 2 abcd`), set("e", "TXT", 60, "hi"), set("f", "HINFO", 60, `"a b" "c"`),
		}},
		{"escapes in names", "$TTL 60\na\\.b A 192.0.2.1\n\\097 A 192.0.2.2\n\\@ A 192.0.2.3\n\\$x A 192.0.2.4\n", []records.RRset{
			set(`a\.b`, "A", 60, "192.0.2.1"), set("a", "A", 60, "192.0.2.2"), set(`\@`, "A", 60, "192.0.2.3"), set("$x", "A", 60, "192.0.2.4"),
		}},
		{"duplicates", "$TTL 60\na TXT x\na TXT \"x\"\n", []records.RRset{set("a", "TXT", 60, "x")}},
		{"set aside", "$TTL 60\n@ RRSIG A 8 2 60 20300101000000 20200101000000 1 example.com. AAAA\n@ DNSKEY 257 3 8 AAAA\na CH TXT x\nother.example.net. A 192.0.2.1\n", nil},
		{"CRLF", "$TTL 60\r\na TXT x ; y\r\n\r\nb TXT \"z\"\r\n", []records.RRset{set("a", "TXT", 60, "x"), set("b", "TXT", 60, "z")}},
		{"no end of the last line", "$TTL 60\na TXT x", []records.RRset{set("a", "TXT", 60, "x")}},
		{"$GENERATE", "$TTL 60\n$GENERATE 1-2 h$ A 192.0.2.$\n$GENERATE 3-3 h$ IN 70 A 192.0.2.$\n$GENERATE 0-4/4 h$ 80 CNAME x$\n", []records.RRset{
			fixed(set("h1", "A", 60, "192.0.2.1"), "$GENERATE"), fixed(set("h2", "A", 60, "192.0.2.2"), "$GENERATE"),
			fixed(set("h3", "A", 70, "192.0.2.3"), "$GENERATE"), fixed(set("h0", "CNAME", 80, "x0.example.com"), "$GENERATE"),
			fixed(set("h4", "CNAME", 80, "x4.example.com"), "$GENERATE"),
		}},
		{"unknown types", "$TTL 60\na NEWTYPE 1 2\nb LOC nonsense\n", []records.RRset{
			fixed(set("a", "NEWTYPE", 60, "1 2"), "doesn't know"), fixed(set("b", "LOC", 60, "nonsense"), "can't read line 4"),
		}},
		{"differing TTLs", "a 60 A 192.0.2.1\na 30 A 192.0.2.2\n", []records.RRset{mixed(set("a", "A", 30, "192.0.2.1", "192.0.2.2"))}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := readZone(t, place(t, t.TempDir(), soa+c.text)).Sets()
			want := records.NewZone(zone, 300, c.want...).Sets()
			for i := range min(len(got), len(want)) {
				if reason := want[i].Fixed; reason != "" && strings.Contains(got[i].Fixed, reason) {
					got[i].Fixed = reason
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// fixed marks a set as one that can't be changed; the reason contains why.
func fixed(s records.RRset, why string) records.RRset {
	s.Fixed = why
	return s
}

func mixed(s records.RRset) records.RRset {
	s.MixedTTL = true
	return s
}

func TestReadNegativeTTL(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text string
		want records.TTL
	}{
		{"@ 60 IN SOA a b 1 2 3 4 300\n", 60},
		{"@ 3600 IN SOA a b 1 2 3 4 5m\n", 300},
		{"$TTL 100\n@ IN SOA a b 1 2 3 4 300\n", 100},
		{"@ IN SOA a b 1 2 3 4 300\n", 300}, // BIND takes the minimum for want of a TTL
	}
	for _, c := range cases {
		if got := readZone(t, place(t, t.TempDir(), c.text)).NegativeTTL; got != c.want {
			t.Errorf("%q: negative TTL %d, want %d", c.text, got, c.want)
		}
	}
}

// TestReadErrors wants the file, the line and the way to mend it in each.
func TestReadErrors(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, text, want string }{
		{"no SOA", "$TTL 60\na A 192.0.2.1\n", "example.com.zone: the zone example.com has no SOA record: begin the file with one"},
		{"empty", "", "has no SOA record"},
		{"two SOA", soa + soa, "more than one SOA"},
		{"SOA of another zone", "example.net. 60 SOA a b 1 2 3 4 5\n", ":1: the SOA record is not that of the zone example.com"},
		{"short SOA", "@ 60 SOA a b 1 2 3 4\n", ":1: the SOA record has not seven fields"},
		{"SOA serial", "@ 60 SOA a b x 2 3 4 5\n", ":1: the serial"},
		{"SOA minimum", "@ 60 SOA a b 1 2 3 4 x\n", ":1: the minimum"},
		{"no owner", " 60 A 192.0.2.1\n" + soa, ":1: the line begins with white space"},
		{"no TTL", "a A 192.0.2.1\n" + soa, ":1: the record has no TTL"},
		{"no type", soa + "a 60 IN\n", ":2: the record has no type"},
		{"no data", soa + "a 60 IN A ; 192.0.2.1\n", ":2: the A record has no data"},
		{"address", soa + "a A 192.0.2\n", ":2: the data of the A record can't be read"},
		{"MX without preference", soa + "a MX mail\n", ":2: the data of the MX record"},
		{"name", soa + "a..b A 192.0.2.1\n", ":2: the record's name"},
		{"long label", soa + strings.Repeat("a", 64) + " A 192.0.2.1\n", ":2: the record's name"},
		{"long name", soa + strings.Repeat("a.", 125) + "b A 192.0.2.1\n", ":2: the record's name"},
		{"TTL too large", soa + "a 2147483648 A 192.0.2.1\n", ":2: the TTL is no number"},
		{"TTL unit", soa + "a 1y A 192.0.2.1\n", ":2: the TTL is no number"},
		{"open quote", soa + "a TXT \"x\nb TXT \"y\"\n", ":2: a quoted string is not closed in its line"},
		{"open parenthesis", soa + "a TXT ( x\nb TXT y\n", ":2: the parenthesis of this entry is never closed"},
		{"closed parenthesis", soa + "a TXT x )\n", ":2: a parenthesis is closed"},
		{"empty parentheses", soa + "()\n", ":2: the parentheses hold nothing"},
		{"escape", soa + "a TXT \\256\n", ":2: the data of the TXT record can't be read: a backslash stands before a number above 255"},
		{"$ORIGIN", soa + "$ORIGIN a..b\n", ":2: the $ORIGIN"},
		{"$TTL", soa + "$TTL x\n", ":2: $TTL is no number"},
		{"$TTL without value", soa + "$TTL\n", ":2: the directive has no value"},
		{"directive", soa + "$FOO bar\n", ":2: the directive is unknown"},
		{"$GENERATE", soa + "$GENERATE 2-1 a$ A 192.0.2.$\n", ":2: $GENERATE can't be read"},
		{"$GENERATE data", soa + "$GENERATE 1-300 a$ A 192.0.2.$\n", ":2: $GENERATE"},
		{"too much $GENERATE", soa + strings.Repeat("$GENERATE 0-65535 a$ A 192.0.2.1\n", 3), ":4: $GENERATE makes more than"},
		{"large $GENERATE", soa + "$GENERATE 0-65535 a$ TXT " + strings.Repeat("x", 1<<20) + "\n", ":2: $GENERATE makes more than"},
		{"$INCLUDE of nothing", soa + "$INCLUDE absent\n", ":2: the included file can't be read"},
		{"$INCLUDE of itself", soa + "$INCLUDE example.com.zone\n", "include"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := place(t, t.TempDir(), c.text).ReadZone(context.Background(), zone)
			var syntax *zonefile.SyntaxError
			if !errors.As(err, &syntax) || !strings.Contains(err.Error(), c.want) || syntax.Fix == "" {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestErrorsQuoteNothing: a zone file may be a symlink to a secret.
func TestErrorsQuoteNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"hunter2", "hunter2 60 A hunter2", "@ SOA a b hunter2 1 2 3 4", "$hunter2 x", soa + "a MX hunter2", soa + "hunter2..x A 192.0.2.1"} {
		_, err := place(t, t.TempDir(), text).ReadZone(context.Background(), zone)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestReadMissingFile(t *testing.T) {
	t.Parallel()
	p := &zonefile.Provider{Directory: t.TempDir(), Now: today}
	_, err := p.ReadZone(context.Background(), zone)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "create") || !strings.Contains(err.Error(), "example.com.zone") {
		t.Errorf("error %v", err)
	}
	for _, bad := range []records.Name{"", "a/b", "../x", `a\b`} {
		if _, err := p.ReadZone(context.Background(), bad); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("zone %q: error %v", bad, err)
		}
	}
}

func TestInclude(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "inc"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "inc", "mail"), "mx A 192.0.2.1\n@ MX 10 mx\n$INCLUDE inc/more\n$TTL 77\n")
	writeFile(t, filepath.Join(dir, "inc", "more"), "@ TXT more\n")
	p := place(t, dir, soa+"$TTL 60\n@ TXT own\n$INCLUDE inc/mail sub ; comment\n\tTXT below\na A 192.0.2.2\n$INCLUDE inc/more\n")
	z := readZone(t, p)
	for _, want := range []records.RRset{
		set("mx.sub", "A", 60, "192.0.2.1"), set("sub", "MX", 60, "10 mx.sub.example.com"), set("sub", "TXT", 60, "more"),
		set("@", "TXT", 60, "own", "below", "more"), set("a", "A", 77, "192.0.2.2"),
	} {
		got, _ := z.Set(want.Key)
		if !got.Equal(want) {
			t.Errorf("%s: %v, want %v", want.Key, got, want)
		}
		if included := want.Name != "a.example.com"; included != strings.Contains(got.Fixed, "$INCLUDE") {
			t.Errorf("%s: fixed %q", want.Key, got.Fixed)
		}
	}
}

func TestIncludeStaysInside(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "secret")
	writeFile(t, outside, "@ TXT secret\n")
	dir := t.TempDir()
	if err := errors.Join(os.Symlink(outside, filepath.Join(dir, "link")), os.Symlink(filepath.Dir(outside), filepath.Join(dir, "dir"))); err != nil {
		t.Fatal(err)
	}
	up, err := filepath.Rel(dir, outside)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{outside, up, "link", "dir/secret", "/dev/zero"} {
		_, err := place(t, dir, soa+"$INCLUDE "+name+"\n").ReadZone(context.Background(), zone)
		if err == nil || !strings.Contains(err.Error(), "outside") {
			t.Errorf("$INCLUDE %s: error %v", name, err)
		}
	}
	writeFile(t, filepath.Join(dir, "inside"), "@ TXT fine\n")
	readZone(t, place(t, dir, soa+"$INCLUDE "+filepath.Join(dir, "inside")+"\n"))
}

// TestIncludeBomb: a file that includes itself many times ends soon.
func TestIncludeBomb(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "bomb"), strings.Repeat("$INCLUDE bomb\n", 50))
	if _, err := place(t, dir, soa+"$INCLUDE bomb\n").ReadZone(context.Background(), zone); err == nil {
		t.Error("no error")
	}
}

func TestLargeZone(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(soa)
	for i := range 5000 {
		fmt.Fprintf(&b, "h%d A 192.0.2.%d\n", i, i%250)
	}
	if got := readZone(t, place(t, t.TempDir(), b.String())).Len(); got != 5000 {
		t.Errorf("%d sets", got)
	}
}
