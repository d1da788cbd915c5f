package records

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseBIMI(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		want    BIMIRecord
		printed Value
	}{
		{"v=BIMI1; l=https://e.example/l.svg; a=https://e.example/v.pem", BIMIRecord{Logo: "https://e.example/l.svg", Evidence: "https://e.example/v.pem"}, "v=BIMI1; l=https://e.example/l.svg; a=https://e.example/v.pem"},
		{"v=BIMI1;a=;l=https://e.example/l.svg;", BIMIRecord{Logo: "https://e.example/l.svg"}, "v=BIMI1; l=https://e.example/l.svg"},
		{"v=BIMI1; l=; a=;", BIMIRecord{}, "v=BIMI1; l="},
		{"v=BIMI1; avp=brand; l=x", BIMIRecord{Logo: "x", Other: []Tag{{"avp", "brand"}}}, "v=BIMI1; l=x; avp=brand"},
	}
	for _, tt := range tests {
		got, err := ParseBIMI(tt.text)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", tt.text, err, diff)
		}
		if got.Value() != tt.printed {
			t.Errorf("%q prints as %q", tt.text, got.Value())
		}
	}
	for text, why := range map[string]string{
		"":                   "must begin",
		"l=x; v=BIMI1":       "must begin",
		"v=BIMI1":            "no l=",
		"v=BIMI1; a=x":       "no l=",
		"v=BIMI1; l=x; l=x":  "twice",
		"v=BIMI1; l=x; junk": "NAME=VALUE",
	} {
		if got, err := ParseBIMI(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q = %+v, %v; want an error that mentions %q", text, got, err, why)
		}
	}
}

func TestDescribeBIMI(t *testing.T) {
	t.Parallel()
	a := Value("v=BIMI1; l=https://e.example/a.svg; a=https://e.example/v.pem")
	tests := []struct {
		name          string
		before, after []Value
		want          []string
	}{
		{"new", nil, []Value{a}, []string{"+ BIMI logo https://e.example/a.svg", "+ BIMI evidence document https://e.example/v.pem"}},
		{"logo", []Value{a}, []Value{"v=BIMI1; l=https://e.example/b.svg; a=https://e.example/v.pem"}, []string{"+ BIMI logo https://e.example/b.svg", "− BIMI logo https://e.example/a.svg"}},
		{"declined", nil, []Value{"v=BIMI1; l="}, []string{"+ BIMI: the domain declines to show a logo"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Describe(KindBIMI, tt.before, tt.after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseBIMI(f *testing.F) {
	for _, seed := range []string{"v=BIMI1; l=https://e.example/l.svg; a=https://e.example/v.pem", "v=BIMI1; l=;", "v=BIMI1;l=a=b;a=;x=y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseBIMI(text)
		if err != nil {
			return
		}
		again, err := ParseBIMI(string(r.Value()))
		if diff := cmp.Diff(r, again); err != nil || diff != "" {
			t.Errorf("%q prints as %q, which reads otherwise: %v\n%s", text, r.Value(), err, diff)
		}
	})
}
