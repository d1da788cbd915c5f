package records

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestR14TLSRPT(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		want    TLSRPTRecord
		printed Value
	}{
		// The examples of RFC 8460 3.1.
		{"v=TLSRPTv1;rua=mailto:reports@example.com", TLSRPTRecord{RUA: []string{"mailto:reports@example.com"}}, "v=TLSRPTv1; rua=mailto:reports@example.com"},
		{"v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt", TLSRPTRecord{RUA: []string{"https://reporting.example.com/v1/tlsrpt"}}, "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt"},
		{"v=TLSRPTv1; x=1; rua=mailto:a@b.example , https://c.example/;", TLSRPTRecord{RUA: []string{"mailto:a@b.example", "https://c.example/"}, Other: []Tag{{"x", "1"}}}, "v=TLSRPTv1; rua=mailto:a@b.example,https://c.example/; x=1"},
	}
	for _, tt := range tests {
		got, err := ParseTLSRPT(tt.text)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", tt.text, err, diff)
		}
		if got.Value() != tt.printed {
			t.Errorf("%q prints as %q", tt.text, got.Value())
		}
	}
	for text, why := range map[string]string{
		"":                                      "must begin",
		"v=TLSRPTv2; rua=mailto:a@b.example":    "must begin",
		"v=TLSRPTv1":                            "no rua",
		"v=TLSRPTv1; rua=":                      "no rua",
		"v=TLSRPTv1; rua=a@b.example":           "mailto:",
		"v=TLSRPTv1; rua=http://b.example/":     "https:",
		"v=TLSRPTv1; rua=mailto:a@b.example; x": "NAME=VALUE",
		"v=TLSRPTv1; rua=mailto:a@b.example; rua=mailto:a@b.example": "twice",
	} {
		if got, err := ParseTLSRPT(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q = %+v, %v; want an error that mentions %q", text, got, err, why)
		}
	}
}

func TestDescribeTLSRPT(t *testing.T) {
	t.Parallel()
	a, b := Value("v=TLSRPTv1; rua=mailto:a@b.example"), Value("v=TLSRPTv1; rua=mailto:c@d.example")
	tests := []struct {
		name          string
		before, after []Value
		want          []string
	}{
		{"new", nil, []Value{a}, []string{"+ TLS reports to mailto:a@b.example"}},
		{"moved", []Value{a}, []Value{b}, []string{"+ TLS reports to mailto:c@d.example", "− TLS reports to mailto:a@b.example"}},
		{"gone", []Value{a}, nil, []string{"− TLS reports to mailto:a@b.example", "no TLS reports will come"}},
		{"two become one", []Value{a, b}, []Value{b}, []string{"− TLS reports to mailto:a@b.example", "− records=2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Describe(KindTLSRPT, tt.before, tt.after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseTLSRPT(f *testing.F) {
	for _, seed := range []string{"v=TLSRPTv1;rua=mailto:reports@example.com", "v=TLSRPTv1; rua=mailto:a@b.example,https://c/;x=y", "v=TLSRPTv1;rua=,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseTLSRPT(text)
		if err != nil {
			return
		}
		again, err := ParseTLSRPT(string(r.Value()))
		if diff := cmp.Diff(r, again); err != nil || diff != "" {
			t.Errorf("%q prints as %q, which reads otherwise: %v\n%s", text, r.Value(), err, diff)
		}
	})
}
