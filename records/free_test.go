package records

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCanonicalData(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typ  Type
		data string
		want Value
	}{
		{TypeTXT, " raw \"text\"\\; ", " raw \"text\"\\; "},
		{TypeTXT, "", ""},
		{TypeA, " 192.0.2.1 ", "192.0.2.1"},
		{TypeAAAA, "2001:DB8:0:0::1", "2001:db8::1"},
		{TypeAAAA, "::ffff:192.0.2.1", "::ffff:192.0.2.1"},
		{TypeCNAME, "SendGrid.net.", "sendgrid.net"},
		{TypeCNAME, "s1.domainkey.u1.wl2.sendgrid.net", "s1.domainkey.u1.wl2.sendgrid.net"},
		{TypeCNAME, "bücher.example", "xn--bcher-kva.example"},
		{TypeNS, "NS1.example.", "ns1.example"},
		{"PTR", "host.example.", "host.example"},
		{"DNAME", "Other.example", "other.example"},
		{TypeMX, "010  MX.example.", "10 mx.example"},
		{TypeMX, "0 .", "0 ."},
		{TypeSRV, "0 1 0443 Imap.example.", "0 1 443 imap.example"},
		{TypeSRV, "0 0 0 .", "0 0 0 ."},
		{TypeTLSA, "3 1 1 AB CD\tef01", "3 1 1 abcdef01"},
		{"SSHFP", "4 2 ABCD", "4 2 abcd"},
		{"DS", "012345 13 2 ABCD", "12345 13 2 abcd"},
		{"CAA", `0 Issue letsencrypt.org`, `0 issue "letsencrypt.org"`},
		{"CAA", `128	issue   "ca.example; x=y"`, `128 issue "ca.example; x=y"`},
		{"CAA", `0 iodef "a\"b\\c\009"`, `0 iodef "a\"b\\c\009"`},
		{"CAA", `0 issue ";"`, `0 issue ";"`},
		{"CAA", `0 issue a\.b`, `0 issue "a.b"`},
		{"NAPTR", "  100 10  \"u\"  \"E2U+sip\" \"!^.* $!a  b!\" .", "100 10 \"u\" \"E2U+sip\" \"!^.* $!a  b!\" ."},
		{"HTTPS", "1  .\talpn=h2", "1 . alpn=h2"},
		{"TYPE65534", `\# 4  0A000001`, `\# 4 0A000001`},
	}
	for _, tt := range tests {
		got, err := CanonicalData(tt.typ, tt.data)
		if err != nil || got != tt.want {
			t.Errorf("CanonicalData(%s, %q) = %q, %v, want %q", tt.typ, tt.data, got, err, tt.want)
		}
	}
}

func TestCanonicalDataRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typ  Type
		data string
	}{
		{TypeA, ""}, {TypeA, "192.0.2"}, {TypeA, "2001:db8::1"}, {TypeA, "192.0.2.01"}, {TypeA, "a.example"},
		{TypeAAAA, "192.0.2.1"}, {TypeAAAA, "fe80::1%eth0"},
		{TypeCNAME, ""}, {TypeCNAME, "a b"}, {TypeCNAME, "a..b"}, {TypeCNAME, ".."}, {TypeCNAME, "ü b.example"},
		{TypeMX, "mx.example"}, {TypeMX, "65536 mx.example"},
		{TypeSRV, "0 0 443"}, {TypeSRV, "0 0 99999 a.example"},
		{TypeTLSA, "3 1 1"}, {TypeTLSA, "3 1 1 abc"}, {TypeTLSA, "3 1 256 ab"}, {TypeTLSA, "3 1 1 xy"},
		{"CAA", "0 issue"}, {"CAA", "256 issue x"}, {"CAA", `0 issue "x`}, {"CAA", `0 issue "x"y"`}, {"CAA", `0 issue x\`}, {"CAA", `0 issue x\300`},
		{"NAPTR", "  "},
	}
	for _, tt := range tests {
		if got, err := CanonicalData(tt.typ, tt.data); err == nil {
			t.Errorf("CanonicalData(%s, %q) = %q, want an error", tt.typ, tt.data, got)
		}
	}
}

func FuzzCanonicalData(f *testing.F) {
	for typ, data := range map[Type]string{
		TypeA: "192.0.2.1", TypeAAAA: "2001:DB8::1", TypeCNAME: "A.example.", TypeMX: "10 A.", TypeSRV: "0 0 0 .", TypeTLSA: "3 1 1 AB cd",
		"CAA": `0 issue "a\"b\032"`, "DS": "1 2 3 AB", "NAPTR": `1 "a  b" \" c `, TypeTXT: " x ",
	} {
		f.Add(string(typ), data)
	}
	f.Fuzz(func(t *testing.T, typ, data string) {
		v, err := CanonicalData(Type(typ), data)
		if err != nil {
			return
		}
		if again, err := CanonicalData(Type(typ), string(v)); err != nil || again != v {
			t.Errorf("CanonicalData(%s, %q) = %q, which reads as %q, %v", typ, data, v, again, err)
		}
		if back, err := CanonicalData(Type(typ), AbsoluteData(Type(typ), v)); err != nil || back != v {
			t.Errorf("%s %q with an absolute name reads as %q, %v", typ, v, back, err)
		}
	})
}

func TestDescribeFree(t *testing.T) {
	t.Parallel()
	want := []string{"+ b\\027", "− a"}
	if diff := cmp.Diff(want, Describe(KindRecord, []Value{"a", "c"}, []Value{"b\x1b", "c"})); diff != "" {
		t.Error(diff)
	}
}
