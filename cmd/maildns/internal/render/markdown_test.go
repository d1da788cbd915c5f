package render

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// distinctPlan has n domains none of whose changes is another's, with findings
// and unmanaged records.
func distinctPlan(n int) *plan.Plan {
	p := plan.Plan{Domains: make([]plan.Domain, 0, n)}
	for i := range n {
		name := records.Name(fmt.Sprintf("tenant%05d.example", i))
		c := spfNarrow()
		c.Name, c.Meaning = name, []string{fmt.Sprintf("− ip4:192.0.2.%d", i)}
		about := plan.AboutDeclared
		if i%2 == 0 {
			about = plan.AboutLive
		}
		p.Domains = append(p.Domains, plan.Domain{
			Name: name, Zone: name, Provider: "zonefile.local", Changes: []plan.Change{c},
			Findings: []plan.Finding{
				{Rule: "spf-headroom", Severity: plan.SeverityWarning, Message: fmt.Sprintf("%s needs 9 lookups", name), Fix: "fewer"},
				{Rule: "spf-syntax", Severity: plan.SeverityError, About: about, Message: fmt.Sprintf("%s is wrong", name), Fix: "mend it"},
			},
			Unmanaged: []plan.Unmanaged{{
				Name: records.Below("x._domainkey", name), Type: records.TypeTXT,
				Values: []records.Value{rsaKey + records.Value(name)}, Why: "looks like DKIM",
			}},
		})
	}
	return seal(p)
}

// TestPageLimit shows that a page never gets too long, says what it leaves out,
// and closes what it opens.
func TestPageLimit(t *testing.T) {
	t.Parallel()
	var page string
	for _, n := range []int{1, 50, 200, 1500} {
		page = string(rendered(t, Markdown, distinctPlan(n), Options{Notes: []string{"a note"}}))
		if len(page) > 65_000 {
			t.Errorf("%d domains make a page of %d bytes", n, len(page))
		}
		if !strings.HasPrefix(page, "<!-- maildns:plan -->\n**Plan:") || !strings.HasSuffix(page, "</sub>\n") {
			t.Errorf("the page of %d domains has no begin or no end: %.200q", n, page)
		}
		if a, b := strings.Count(page, "<details>"), strings.Count(page, "\n</details>\n"); a != b {
			t.Errorf("the page of %d domains opens %d details and closes %d", n, a, b)
		}
		if a := strings.Count(page, "```"); a%2 != 0 {
			t.Errorf("the page of %d domains has %d fences", n, a)
		}
		if left := strings.Contains(page, "Left out here"); left != (n > 50) {
			t.Errorf("the page of %d domains says that it leaves something out: %v", n, left)
		}
	}
	for _, want := range []string{"rows of changes", "errors", "held or waiting changes", "findings", "record sets with their values", "unmanaged records"} {
		if !regexp.MustCompile(`Left out here.*[0-9,]+ ` + want).MatchString(page) {
			t.Errorf("the page doesn't say how many %s it leaves out", want)
		}
	}
	for _, title := range []string{"### Errors", "### Changes", "### Held and waiting", "### Findings"} {
		if !strings.Contains(page, title) {
			t.Errorf("a full page has no room for %s", title)
		}
	}
}

// TestOtherReportsAsMarkdown shows that a long report is cut at a line.
func TestOtherReportsAsMarkdown(t *testing.T) {
	t.Parallel()
	h := &History{}
	for range 2000 {
		h.Entries = append(h.Entries, journalHistory().Entries...)
	}
	page := string(rendered(t, Markdown, h, Options{}))
	if len(page) > 65_000 || !strings.Contains(page, "more lines)\n```\n") {
		t.Errorf("a long history makes %d bytes that end in %q", len(page), page[len(page)-60:])
	}
}

// outsideCode is a page without its code blocks and code spans, where nothing
// can act.
func outsideCode(t *testing.T, page string) string {
	t.Helper()
	var out []string
	fence := ""
	for line := range strings.Lines(page) {
		run := strings.TrimRight(line, "abcdefghijklmnopqrstuvwxyz\n")
		switch {
		case fence == "" && strings.HasPrefix(run, "```"):
			fence = run
		case fence != "" && strings.TrimRight(line, "\n") == fence:
			fence = ""
		case fence == "":
			out = append(out, regexp.MustCompile("`[^`]*`").ReplaceAllString(line, "CODE"))
		}
	}
	if fence != "" {
		t.Errorf("a code block is not closed:\n%s", page)
	}
	return strings.Join(out, "")
}

// ownMarkup is what a page is built from.
var ownMarkup = regexp.MustCompile(`<!-- maildns:plan -->|</?details>|</?summary>|</?sub>|<br>|\*\*|\*[a-z][^*\n]*\*|^> |&#[0-9]+;|\n`)

// TestHostileMarkdown shows that nothing that a plan quotes becomes markup, a
// mention, a reference or a link.
func TestHostileMarkdown(t *testing.T) {
	t.Parallel()
	for _, h := range hostile {
		p := planted(h.value)[0]
		page := string(rendered(t, Markdown, p, Options{Notes: []string{h.value}}))
		if strings.ContainsFunc(page, func(r rune) bool { return r != '\n' && unsafeRune(r) }) {
			t.Errorf("%s leaves an unsafe character:\n%q", h.name, page)
		}
		rows := 0
		for line := range strings.Lines(outsideCode(t, page)) {
			if strings.HasPrefix(line, "|") {
				rows++
				if n := strings.Count(line, "|"); n != 5 {
					t.Errorf("%s makes a row of %d cells: %s", h.name, n-1, line)
				}
			}
			rest := ownMarkup.ReplaceAllString(line, "")
			for _, bad := range []string{"<", ">", "`", "[", "]", "@", "#1", "GH-2", "://", "www.", "~~", "_it_", "&lt;", "$"} {
				if strings.Contains(rest, bad) && !strings.HasPrefix(line, "### ") {
					t.Errorf("%s leaves %q outside of code: %s", h.name, bad, line)
				}
			}
		}
		if rows != 7 {
			t.Errorf("%s: the table has %d lines, want 7", h.name, rows)
		}
	}
}

// TestFence shows that no text closes the code block that it stands in.
func TestFence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"`", "```", "\n", "x", "~~~", "````"})).Draw(t, "text"), "")
		block := fenced("diff", text)
		opening, rest, _ := strings.Cut(block, "diff\n")
		inside, found := strings.CutSuffix(rest, "\n"+opening+"\n")
		if !found || strings.Contains(inside, opening) {
			t.Fatalf("%q is not fenced in by %q", text, block)
		}
	})
}

// TestInline shows that inline leaves no ASCII punctuation that
// means something to a renderer.
func TestInline(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"policy none → quarantine (25 %)": "policy none → quarantine &#40;25 %&#41;",
		"@octocat":                        "&#64;&#8203;octocat",
		"#12":                             "&#35;&#8203;12",
		"gh-12":                           "gh&#45;&#8203;12",
		"- x":                             "&#45; x",
		"12. x":                           "12&#46; x",
		"include:_spf.google.com":         "include:&#95;spf.google.com",
		"https://a.example":               "https&#58;//a.example",
		"WWW.a.example":                   "WWW&#46;a.example",
		"a\nb":                            "a b",
		"a|b":                             "a&#124;b",
	} {
		if got := inline(s); got != want {
			t.Errorf("inline(%q) = %q, want %q", s, got, want)
		}
	}
}
