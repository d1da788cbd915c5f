package config

import (
	"fmt"
	"strings"
	"testing"
)

func at(line int, severity Severity, summary, detail string) Diagnostic {
	return Diagnostic{Severity: severity, Summary: summary, Detail: detail, Source: &Span{File: "a.hcl", Line: line, Column: 1, EndLine: line, EndColumn: 2}}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	d := Diagnostics{at(3, Error, "b", "1."), at(1, Warning, "a", "1."), at(3, Error, "b", "1."), {Severity: Error, Summary: "nowhere"}}
	for i := range 15 {
		d = append(d, at(2, Error, "c", fmt.Sprintf("n%d.", i)))
	}
	d = d.Settle()
	if len(d) != 1+1+maxRepeats+1 || d[0].Summary != "nowhere" || d[1].Summary != "a" || d[len(d)-1].Summary != "b" {
		t.Errorf("got %v", d)
	}
	if last := d[1+maxRepeats].Detail; !strings.HasSuffix(last, "The same was found 5 more times here.") {
		t.Errorf("the last of many says %q", last)
	}
}

// TestSettleKeepsSeverity proves that many warnings are no error, and that an
// error behind many warnings is not lost.
func TestSettleKeepsSeverity(t *testing.T) {
	t.Parallel()
	var d Diagnostics
	for i := range 2 * maxFindings {
		d = append(d, at(i+1, Warning, "w", "x."))
	}
	if got := d.Settle(); got.HasErrors() || len(got) != maxFindings+1 {
		t.Errorf("%d diagnostics, errors %t", len(got), got.HasErrors())
	}
	d = append(d, at(5*maxFindings, Error, "e", "x."))
	if got := d.Settle(); !got.HasErrors() {
		t.Error("the error is lost")
	}
}

func TestManyWarnings(t *testing.T) {
	t.Parallel()
	var keys strings.Builder // that all domains share: a warning for each
	for i := range 10 {
		fmt.Fprintf(&keys, "  dkim \"w%d\" {\n    public_key = \"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n  }\n", i)
	}
	const domains = maxNotes/10 + 100
	files := tenants(domains)
	files["main.hcl"] = strings.Replace(files["main.hcl"], "  dmarc {", keys.String()+"  dmarc {", 1)
	if cfg := right(t, files, Environment{}); len(cfg.Domains) != domains {
		t.Errorf("%d domains", len(cfg.Domains))
	}
}

func TestWriteText(t *testing.T) {
	t.Parallel()
	src := "one\ntwo\x1b[31m\u009b" + "\r\n" + strings.Repeat("ü", 500) + "\n"
	d := Diagnostics{at(2, Error, "Wrong", "Mend it."), at(3, Warning, "Long", ""), at(9, Error, "Gone", "x"), {Severity: Error, Summary: "Nowhere", Detail: "y", In: "z"}}
	d[0].Rule, d[0].In = "spf-syntax", `domain "a"`
	var out strings.Builder
	if err := d.WriteText(&out, TextSnippets([]byte(src)), false); err != nil {
		t.Fatal(err)
	}
	want := "Error: Wrong (spf-syntax)\n\n  on a.hcl line 2, in domain \"a\":\n   2: two\uFFFD[31m\uFFFD\n\nMend it.\n\n" +
		"Warning: Long\n\n  on a.hcl line 3:\n   3: " + strings.Repeat("ü", maxSnippet/2) + "…\n\n" +
		"Error: Gone\n\n  on a.hcl line 9:\n\nx\n\n" +
		"Error: Nowhere\n\ny\n\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	out.Reset()
	if err := d[:1].WriteText(&out, nil, true); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "\x1b[31mError\x1b[0m: Wrong") {
		t.Errorf("no colour: %q", out.String())
	}
}
