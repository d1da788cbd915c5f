package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func TestCut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src string
		want      []string // "keyword: text"
	}{
		{"empty", "", nil},
		{"comments only", "# a\n/* b\n*/ // c\n", []string{": # a\n/* b\n*/ // c\n"}},
		{"two blocks", "a {\n}\n\n# c\nb \"x\" {}\n", []string{"a: a {\n}\n", "b: \n# c\nb \"x\" {}\n"}},
		{"no newline at the end", "a {\n}", []string{"a: a {\n}"}},
		{"braces in strings", "a {\n x = \"}\\\"}{\"\n}\nb {}\n", []string{"a: a {\n x = \"}\\\"}{\"\n}\n", "b: b {}\n"}},
		{"braces in comments", "a { # }\n /* } */ // {\n}\nb {}\n", []string{"a: a { # }\n /* } */ // {\n}\n", "b: b {}\n"}},
		{"templates", "a {\n x = \"${ { y = \"}\" }.y }%{ if true }z%{ endif }\"\n}\nb {}\n", []string{"a: a {\n x = \"${ { y = \"}\" }.y }%{ if true }z%{ endif }\"\n}\n", "b: b {}\n"}},
		{"escaped templates", "a {\n x = \"$${ %%{ $\"\n}\nb {}\n", []string{"a: a {\n x = \"$${ %%{ $\"\n}\n", "b: b {}\n"}},
		{"heredoc", "a {\n x = <<EOT\n } \" {\n EOTX\n${ \"}\" }EOT\n  EOT\n}\nb {}\n", []string{"a: a {\n x = <<EOT\n } \" {\n EOTX\n${ \"}\" }EOT\n  EOT\n}\n", "b: b {}\n"}},
		{"heredoc indented", "a {\n x = <<-E\n {\n E\n}\nb {}\n", []string{"a: a {\n x = <<-E\n {\n E\n}\n", "b: b {}\n"}},
		{"windows", "a {\r\n}\r\nb {}\r\n", []string{"a: a {\r\n}\r\n", "b: b {}\r\n"}},
		{"byte order mark", "\xef\xbb\xbfa {}\nb {}\n", []string{"a: \xef\xbb\xbfa {}\n", "b: b {}\n"}},
		{"brackets", "a = [\n1]\nb {\n x = (1\n}\nc {}\n", []string{"a: a = [\n1]\n", "b: b {\n x = (1\n}\n", "c: c {}\n"}},
		{"not closed", "a {\nb {}\n", []string{"a: a {\nb {}\n"}},
		{"closed too often", "a {}\n}\nb {}\n", []string{"a: a {}\n", ": }\n", "b: b {}\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range cut([]byte(tt.src), 1000) {
				got = append(got, p.keyword+": "+tt.src[p.start:p.end])
				if want := 1 + strings.Count(tt.src[:p.start], "\n"); p.line != want {
					t.Errorf("%q is at line %d, want %d", tt.src[p.start:p.end], p.line, want)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// FuzzCut proves that the pieces of a file that parses are its blocks, each
// parsed at its place, and that the pieces always make the file.
func FuzzCut(f *testing.F) {
	for _, seed := range []string{
		"a {\n}\nb \"c\" {\n d = \"${ { e = 1 } }\"\n}\n", "a {\n x = <<-E\n ${y} }\n E\n}\nb {}\n", "a { x = \"$${\" }\n/* { */ b {}\n",
		"a {}\n}\n{", "\xef\xbb\xbfa {}\r\nb {}", "a \"x\" {\n y = \"\\\\\"\n}\nb {}\n", "a {\n x = \"%%{\\\"\"\n}\nb {}\n", "# x\na = [\n1]\nb=2\n",
		"a {\n x = \"${\"${\"}\"}\"}\"\n}\nb {}\n", "a {\n b = <<A\n<<B\nA\n}\nc {}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		pieces := cut(src, len(src)+1)
		at := 0
		for _, p := range pieces {
			if p.start != at || p.end <= p.start {
				t.Fatalf("piece from %d to %d after %d", p.start, p.end, at)
			}
			at = p.end
		}
		if at != len(src) {
			t.Fatalf("the pieces end at %d of %d", at, len(src))
		}
		if len(src) > 1<<16 || !utf8.Valid(src) || count(src, "{[(") > maxDepth {
			return
		}
		whole, diags := hclsyntax.ParseConfig(src, "x.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			return
		}
		want := outline(t, whole)
		var got []string
		for _, p := range pieces {
			file, diags := hclsyntax.ParseConfig(src[p.start:p.end], "x.hcl", hcl.Pos{Line: p.line, Column: 1, Byte: p.start})
			if diags.HasErrors() {
				t.Fatalf("the whole parses, the piece %q doesn't: %v", src[p.start:p.end], diags)
			}
			got = append(got, outline(t, file)...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-whole +pieces:\n%s", diff)
		}
	})
}

// outline lists what stands in a file, and where.
func outline(t *testing.T, file *hcl.File) []string {
	t.Helper()
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		t.Fatalf("body is a %T", file.Body)
	}
	var out []string
	for _, b := range body.Blocks {
		out = append(out, b.Type+" "+b.Range().String())
	}
	return out
}

func TestCutJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src string
		want      []string // "kind line:column text", the column being that of the text
		ok        bool
	}{
		{"empty object", " {} ", nil, true},
		{"members", "{\"locals\": {\"a\": \"}\"},\n \"domain\": {\"a\": {},\n  \"b\": [{}, {}]}}\n",
			[]string{`locals 1:12 {"a": "}"}`, `domain 2:13 "a": {}`, `domain 3:3 "b": [{}, {}]`}, true},
		{"array of files", `[{"x": 1}, {"y": [2]}]`, []string{"x 1:8 1", "y 1:18 [2]"}, true},
		{"array of domains", `{"domain": [{"a": {}}, {"b": {}}]}`, []string{`domain 1:13 {"a": {}}`, `domain 1:24 {"b": {}}`}, true},
		{"comments", `{"//": "x", "domain": {"//": 1, "a": {}}}`, []string{`domain 1:24 "//": 1`, `domain 1:33 "a": {}`}, true},
		{"missing comma", `{"a": {} "b": {}}`, []string{"a 1:7 {}"}, false},
		{"not closed", `{"a": {}`, []string{"a 1:7 {}"}, false},
		{"more behind", `{} {}`, nil, false},
		{"no JSON", `domain "a" {}`, nil, false},
		{"nothing", ``, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pieces, ok := cutJSON([]byte(tt.src), 1000)
			var got []string
			for _, p := range pieces {
				u := unit{pos: p.pos, open: p.open}
				got = append(got, strings.Join([]string{p.kind, fmt.Sprintf("%d:%d", u.start().Line, u.start().Column), string(p.text)}, " "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || ok != tt.ok {
				t.Errorf("ok %t, -want +got:\n%s", ok, diff)
			}
		})
	}
}

// FuzzLoad proves that any file gives an answer: within bounds, without a
// panic, and with a place for every error about it.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{filepath.Join("testdata", "wrong", "*", "*.hcl"), filepath.Join("testdata", "wrong", "*", "*.json"), filepath.Join("..", "..", "..", "..", "examples", "*", "*.hcl")} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			b, err := os.ReadFile(filepath.Clean(file))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b, strings.HasSuffix(file, ".json"))
		}
	}
	for name, text := range tenants(3) {
		f.Add([]byte(text), strings.HasSuffix(name, ".json"))
	}
	f.Fuzz(func(t *testing.T, src []byte, json bool) {
		name := "main.hcl"
		if json {
			name += ".json"
		}
		dir := write(t, map[string]string{name: string(src)})
		cfg, diags := Load(t.Context(), dir, Environment{Now: noon, Lookup: func(string) (string, bool) { return canary, true }})
		var out strings.Builder
		if err := diags.WriteText(&out, DirSnippets(dir), false); err != nil {
			t.Fatal(err)
		}
		for _, d := range diags {
			if d.Severity == Error && d.Source == nil && d.Summary != "Too many errors" {
				t.Errorf("an error without a place: %v", d)
			}
		}
		if strings.Contains(out.String(), canary) {
			t.Errorf("a secret is printed: %s", out.String())
		}
		again, _ := Load(t.Context(), dir, Environment{Now: noon, Lookup: func(string) (string, bool) { return canary, true }})
		if diff := cmp.Diff(digests(cfg), digests(again)); diff != "" {
			t.Errorf("loaded again it differs:\n%s", diff)
		}
	})
}
