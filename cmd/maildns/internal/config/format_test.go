package config

import (
	"bytes"
	"testing"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"indent and align", "domain \"a.example\" {\nttl=\"1h\"\nowner   =   \"x\" # who\n  mx{\nhost=\"m\"\n}\n}",
			"domain \"a.example\" {\n  ttl   = \"1h\"\n  owner = \"x\" # who\n  mx {\n    host = \"m\"\n  }\n}\n"},
		{"heredoc keeps its text", "locals {\nx=<<EOT\n   a  =  b\nEOT\n}\n", "locals {\n  x = <<EOT\n   a  =  b\nEOT\n}\n"},
		{"comments between blocks stay", "# one\n\n\n# two\njournal {}\n", "# one\n\n\n# two\njournal {}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, diags := Format([]byte(tt.in), "x.hcl")
			if diags != nil {
				t.Fatal(diags)
			}
			if string(got) != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestFormatLeavesBrokenTextAlone(t *testing.T) {
	t.Parallel()
	const broken = "domain \"a\" {\nttl = = 1\n}\n"
	got, diags := Format([]byte(broken), "x.hcl")
	if string(got) != broken || !diags.HasErrors() {
		t.Errorf("got %q, %v", got, diags)
	}
	if d := diags[0].Source; d == nil || d.File != "x.hcl" || d.Line != 2 {
		t.Errorf("error at %+v, want x.hcl line 2", d)
	}
}

// FuzzFormat proves that formatting is idempotent and that what parses still
// parses.
func FuzzFormat(f *testing.F) {
	for _, seed := range []string{
		"domain \"a\" {\n  x=1 # c\n yy = [1,\n2] // d\n}\n",
		"locals {\n a = \"${x ? \"y\" : \"%{if true}z%{endif}\"}\"\n}",
		"locals {\n a = <<-E\n  b ${c}\n  E\n}\n",
		"/* a\nb */ journal {}\n",
		"a \"b\" { c = { d : 1, \"e\" = !f } }",
		"a {\n # x\n\n\n b = 1\n}\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		once, diags := Format(src, "x.hcl")
		if diags.HasErrors() {
			return
		}
		twice, diags := Format(once, "x.hcl")
		if diags.HasErrors() {
			t.Fatalf("formatted text doesn't parse: %v\n%q", diags, once)
		}
		if !bytes.Equal(once, twice) {
			t.Fatalf("not idempotent:\n%q\n%q", once, twice)
		}
	})
}
