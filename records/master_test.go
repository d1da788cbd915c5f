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
