package records

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

func TestMasterData(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 255)
	for _, c := range []struct {
		typ   Type
		value Value
		want  string
	}{
		{TypeTXT, "", `""`},
		{TypeTXT, "v=spf1 -all", `"v=spf1 -all"`},
		{TypeTXT, `say "no" \ once`, `"say \"no\" \\ once"`},
		{TypeTXT, "tab\tbell\x07\xff", `"tab\009bell\007\255"`},
		{TypeTXT, Value(long), `"` + long + `"`},
		{TypeTXT, Value(long + "b"), `"` + long + `" "b"`},
		{TypeMX, "10 mx.example", "10 mx.example."},
		{TypeMX, "0 .", "0 ."},
		{TypeCNAME, "a.example", "a.example."},
		{TypeA, "192.0.2.1", "192.0.2.1"},
		{"CAA", `0 issue "ca.example"`, `0 issue "ca.example"`},
	} {
		if got := MasterData(c.typ, c.value); got != c.want {
			t.Errorf("MasterData(%s, %q) = %s, want %s", c.typ, c.value, got, c.want)
		}
	}
}

// TestMasterDataReadsBack packs what a zone parser reads, whatever the bytes.
func TestMasterDataReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := string(rapid.SliceOfN(rapid.Byte(), 0, 700).Draw(t, "value"))
		rr, err := dns.NewRR("a.example. 300 IN TXT " + MasterData(TypeTXT, Value(want)))
		if err != nil {
			t.Fatal(err)
		}
		wire := make([]byte, 2048)
		n, err := dns.PackRR(rr, wire, 0, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := joinStrings(wire[:n], int(rr.Header().Rdlength)); got != want {
			t.Fatalf("%q came back as %q", want, got)
		}
	})
}

// joinStrings reads the character-strings at the end of a packed record.
func joinStrings(wire []byte, length int) string {
	rdata := wire[len(wire)-length:]
	var b strings.Builder
	for len(rdata) > 0 {
		n := int(rdata[0])
		b.Write(rdata[1 : 1+n])
		rdata = rdata[1+n:]
	}
	return b.String()
}

func TestParseMasterData(t *testing.T) {
	t.Parallel()
	const zone = "zone.example"
	for _, c := range []struct {
		typ  Type
		data string
		want Value
	}{
		{TypeTXT, `""`, ""},
		{TypeTXT, `"a" "b"`, "ab"},
		{TypeTXT, `"a""b"`, "ab"},
		{TypeTXT, ` bare  word "q" `, "barewordq"},
		{TypeTXT, `"\"\\\009\255\a;"`, "\"\\\t\xffa;"},
		{TypeTXT, "\"\xc3\xa9\"", "é"},
		{TypeMX, "10 Mail.Example.", "10 mail.example"},
		{TypeMX, "10 mail", "10 mail.zone.example"},
		{TypeMX, "10 @", "10 zone.example"},
		{TypeMX, "0 .", "0 ."},
		{TypeCNAME, "www.sub", "www.sub.zone.example"},
		{TypeCNAME, "@", zone},
		{TypeA, " 192.0.2.1 ", "192.0.2.1"},
	} {
		if got, err := ParseMasterData(c.typ, c.data, zone); err != nil || got != c.want {
			t.Errorf("ParseMasterData(%s, %q) = %q, %v, want %q", c.typ, c.data, got, err, c.want)
		}
	}
	for _, data := range []string{``, ` `, `"a`, `a"`, `"a\`, `a\`, `"\25"`, `"\256"`, `a;b`, `"a" ;`} {
		if got, err := ParseMasterData(TypeTXT, data, zone); err == nil {
			t.Errorf("TXT %q was read as %q", data, got)
		}
	}
}

// FuzzParseMasterData: what is read is written, and read again as the same.
func FuzzParseMasterData(f *testing.F) {
	for _, seed := range []string{`"a" "b"`, `"\"\\\009\255"`, `bare word`, `"a`, `\`, `"\256"`, `"" ""`, "\"\xff\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		v, err := ParseMasterData(TypeTXT, data, "zone.example")
		if err != nil {
			return
		}
		if again, err := ParseMasterData(TypeTXT, MasterData(TypeTXT, v), "zone.example"); err != nil || again != v {
			t.Fatalf("%q was read as %q, then as %q: %v", data, v, again, err)
		}
	})
}
