package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int64]string{
		0: "0 s", 1: "1 s", 59: "59 s", 60: "1 min", 61: "1 min 1 s", 300: "5 min", 3600: "1 h", 3601: "1 h 1 min",
		5400: "1 h 30 min", 86399: "1 d", 86400: "1 d", 90000: "1 d 1 h", 14 * 86400: "14 d", 1<<31 - 1: "24,855 d 4 h",
	} {
		if got := duration(seconds); got != want {
			t.Errorf("duration(%d) = %q, want %q", seconds, got, want)
		}
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at, now time.Time
		want    string
	}{
		{now.Add(time.Hour), now, "19:00 UTC"},
		{now.Add(time.Hour + time.Second), now, "19:01 UTC"}, // nobody comes early
		{now.Add(6 * time.Hour), now, "2026-11-25 00:00 UTC"},
		{now.Add(time.Hour), time.Time{}, "2026-11-24 19:00 UTC"},
		{now.In(time.FixedZone("CET", 3600)), now, "18:00 UTC"},
	} {
		if got := moment(c.at, c.now); got != c.want {
			t.Errorf("moment(%v) = %q, want %q", c.at, got, c.want)
		}
	}
}

func TestNumbersAndNames(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 2998: "2,998", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %q, want %q", n, got, want)
		}
	}
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, ""},
		{[]string{"a"}, "a"},
		{[]string{"a", "b"}, "a and b"},
		{[]string{"a", "b", "c", "d"}, "a, b, c and d"},
		{[]string{"a", "b", "c", "d", "e", "f"}, "a, b, c and 3 more"},
	} {
		if got := enumerate(c.names, 5); got != c.want {
			t.Errorf("enumerate(%v) = %q, want %q", c.names, got, c.want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"":                      "''",
		"attunelogic.com":       "attunelogic.com",
		"s3://b?region=eu&x=$y": `'s3://b?region=eu&x=$y'`,
		"it's":                  `'it'\''s'`,
		"a b":                   "'a b'",
		"$(reboot)":             "'$(reboot)'",
		"~root":                 "'~root'",
		"a\nb":                  "'a\nb'",
	} {
		if got := shellQuote(s); got != want {
			t.Errorf("shellQuote(%q) = %s, want %s", s, got, want)
		}
	}
}

// TestWrap shows that wrapping keeps all words and the width.
func TestWrap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z→ü漢]{1,30}`), 0, 20).Draw(t, "words")
		room := rapid.IntRange(1, 60).Draw(t, "room")
		s := strings.Join(words, " ")
		lines := wrap(s, room)
		for _, l := range lines {
			if columns(l) > room && len([]rune(l)) > 1 {
				t.Fatalf("%q has %d columns, room is %d", l, columns(l), room)
			}
		}
		if got := strings.ReplaceAll(strings.Join(lines, ""), " ", ""); got != strings.Join(words, "") {
			t.Fatalf("%q became %q", s, lines)
		}
	})
}

func TestWrapKeepsUnits(t *testing.T) {
	t.Parallel()
	got := strings.Join(wrap("a mistake would live 5 min, 100 % of it", 24), "|")
	if want := "a mistake would live|5 min, 100 % of it"; got != want {
		t.Errorf("wrap = %q, want %q", got, want)
	}
}

// TestElide shows that what differs stays in sight, wherever it is.
func TestElide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 900).Draw(t, "length")
		at := rapid.IntRange(0, max(n-1, 0)).Draw(t, "at")
		most := rapid.IntRange(40, 200).Draw(t, "most")
		s := []byte(strings.Repeat("x", n))
		if n > 0 {
			s[at] = '!'
		}
		got := elide(string(s), most, at)
		if columns(got) > most && n > most {
			t.Fatalf("%q has %d columns, at most %d are wanted", got, columns(got), most)
		}
		if n > 0 && !strings.Contains(got, "!") {
			t.Fatalf("the difference at %d of %d is not in %q", at, n, got)
		}
		if n > most && !strings.Contains(got, fmt.Sprintf("(%s bytes)", number(n))) {
			t.Fatalf("%q doesn't say how long the value is", got)
		}
	})
}

// TestWidth shows that at any width the lines fit, except those that are to be
// searched for or copied.
func TestWidth(t *testing.T) {
	t.Parallel()
	whole := []string{"Way back:", "… and so on", "  maildns"}
	for _, s := range samples {
		if s.name == "rollback-by-hand" {
			continue
		}
		for width := 60; width <= 140; width += 10 {
			text := string(rendered(t, Text, s.report(), Options{Now: now, Width: width}))
			for line := range strings.Lines(text) {
				line = strings.TrimRight(line, "\n")
				known := false
				for _, w := range whole {
					known = known || strings.HasPrefix(line, w)
				}
				if !known && columns(line) > width {
					t.Errorf("%s at %d has a line of %d columns: %s", s.name, width, columns(line), line)
				}
				if strings.TrimRight(line, " ") != line {
					t.Errorf("%s has a line that ends in a space: %q", s.name, line)
				}
			}
		}
	}
}

// TestColoursOnlyAdd shows that with the paints taken away the text is the one
// without colours.
func TestColoursOnlyAdd(t *testing.T) {
	t.Parallel()
	for _, s := range samples {
		plain := string(rendered(t, Text, s.report(), Options{Now: now}))
		painted := string(rendered(t, Text, s.report(), Options{Now: now, Palette: Colours()}))
		if got := unpainted(painted); got != plain {
			t.Errorf("%s: without its paints the text is\n%s\nwant\n%s", s.name, got, plain)
		}
		if strings.Contains(plain, "\x1b") {
			t.Errorf("%s: the plain text has an escape", s.name)
		}
	}
}

func unpainted(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, s, _ = strings.Cut(rest, "m")
	}
}

// TestR03ForgottenSender shows that a reader learns why an undeclared sender
// stays in the record, and what to do about it.
func TestR03ForgottenSender(t *testing.T) {
	t.Parallel()
	text := string(rendered(t, Text, forgottenPlan(), Options{Now: now}))
	page := string(rendered(t, Markdown, forgottenPlan(), Options{}))
	for _, want := range []string{
		"keeps include:mailgun.org: live but not declared",
		"Declare it to keep it",
		"held: adoption, spf-narrow",
		"no configuration has ever declared it",
		"otherwise --override adoption:attunelogic.com --reason TEXT",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

// TestR21WayBack shows that an apply prints its way back, whole, and a rollback
// what to expect.
func TestR21WayBack(t *testing.T) {
	t.Parallel()
	text := string(rendered(t, Text, applyResult(), Options{Now: now, Width: 60}))
	if want := "\nWay back: maildns rollback --to 000011-55ab --domain attunelogic.com --journal 'file:///srv/mail journal'\n"; !strings.Contains(text, want) {
		t.Errorf("the text lacks %q:\n%s", want, text)
	}
	text = string(rendered(t, Text, rollbackResult(), Options{Now: now}))
	for _, want := range []string{
		"restored by jan", "since 2026-11-24 17:43 UTC", "caches may serve it until 18:05 UTC", "current by 19:00 UTC",
		"negative caching", "not retried by its senders", "policy file must go back too", "Told: slack.support", "not told: smtp.oncall",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
}

// TestR22MistakeIsBounded shows that a plan says how long a mistake would live.
func TestR22MistakeIsBounded(t *testing.T) {
	t.Parallel()
	line := "Plan: 1 to add, 3 to change, 0 to delete, 1 TTL; 3 ready, 1 waits, 1 held. A mistake would live at most 5 min.\n"
	for width, want := range map[int]string{0: line, 120: line, 80: strings.Replace(line, ". ", ".\n", 1)} {
		if text := string(rendered(t, Text, specPlan(), Options{Now: now, Width: width})); !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
}

// TestR24OwnerIsShown shows whose the domain is.
func TestR24OwnerIsShown(t *testing.T) {
	t.Parallel()
	if text := string(rendered(t, Text, specPlan(), Options{})); !strings.Contains(text, "owner: Platform / SRE") {
		t.Errorf("the text doesn't name the owner:\n%s", text)
	}
}

// TestIdenticalChanges shows that what domains share is one row, and that what
// makes a change another keeps it apart.
func TestIdenticalChanges(t *testing.T) {
	t.Parallel()
	text := string(rendered(t, Text, manyPlan(2998), Options{Now: now}))
	if want := "2,998 domains: policy none → quarantine (25 %)"; strings.Count(text, want) != 1 {
		t.Errorf("%q is not there once:\n%.2000s", want, text)
	}
	if n := strings.Count(text, "\n"); n > 20 {
		t.Errorf("%d lines for two shared changes:\n%.2000s", n, text)
	}
	for name, differ := range map[string]func(*plan.Change){
		"meaning": func(c *plan.Change) { c.Meaning = []string{"LOOSENS"} },
		"state":   func(c *plan.Change) { c.State = plan.Held },
		"time":    func(c *plan.Change) { c.NotBefore = ptr(now.Add(5 * time.Hour)) },
		"action":  func(c *plan.Change) { c.Action = plan.ActionDelete },
		"kind":    func(c *plan.Change) { c.Kind = records.KindRecord },
		"TTL":     func(c *plan.Change) { c.Before = setOf(7200, c.Before.Values...) },
	} {
		p := manyPlan(3)
		differ(&p.Domains[2].Changes[1])
		if n := len(arrange(subjects(p))); n != 3 {
			t.Errorf("with another %s of one change there are %d blocks, want 3", name, n)
		}
	}
}

// TestFormsOfASharedChange shows which domains have which reasons.
func TestFormsOfASharedChange(t *testing.T) {
	t.Parallel()
	held := func(reasons ...string) string {
		var p plan.Plan
		for i, r := range reasons {
			name := records.Name(fmt.Sprintf("t%d.example", i))
			c := spfNarrow()
			c.Name, c.Gates = name, []plan.GateVerdict{{ID: "spf-narrow", Verdict: plan.VerdictNo, Reason: r}}
			p.Domains = append(p.Domains, plan.Domain{Name: name, Zone: name, Provider: "zonefile.local", Changes: []plan.Change{c}})
		}
		return string(rendered(t, Text, seal(p), Options{Now: now}))
	}
	two := held("no reports", "no reports", "mail came")
	for _, want := range []string{"t0.example and 1 more:\n          no reports", "t2.example:\n          mail came"} {
		if !strings.Contains(two, want) {
			t.Errorf("the text lacks %q:\n%s", want, two)
		}
	}
	many := held("1 message", "2 messages", "3 messages", "4 messages", "5 messages")
	if !strings.Contains(many, "as in t0.example, while others differ") || strings.Contains(many, "4 messages") {
		t.Errorf("with many reasons one should stand for all:\n%s", many)
	}
}

// TestArrangeLosesNothing shows that every change of every subject is in
// exactly one block that names its subject.
func TestArrangeLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var list []subject
		total := 0
		for i := range rapid.IntRange(0, 8).Draw(t, "subjects") {
			s := subject{name: records.Name(fmt.Sprintf("d%d.example", i))}
			for range rapid.IntRange(0, 4).Draw(t, "changes") {
				c := dmarcChange()
				c.Name = records.Below(rapid.SampledFrom([]string{"_dmarc", "a", "b"}).Draw(t, "label"), s.name)
				c.Meaning = []string{rapid.SampledFrom([]string{"x", "y"}).Draw(t, "meaning")}
				s.items = append(s.items, item{Change: &c})
				total++
			}
			list = append(list, s)
		}
		shown := 0
		for _, b := range arrange(list) {
			for _, part := range b.parts {
				if len(part.members) != len(b.subjects) {
					t.Fatalf("a part of %d subjects stands in a block of %d", len(part.members), len(b.subjects))
				}
				shown += len(part.items) * len(part.members)
			}
		}
		if shown != total {
			t.Fatalf("%d of %d changes are shown", shown, total)
		}
	})
}

// hostile are contents that try to act on whoever reads them, and what each
// must not leave in a text.
var hostile = []struct{ name, value string }{
	{"colour", "v=spf1 \x1b[31mred"},
	{"window title", "\x1b]0;owned\x07"},
	{"C1 control", "a\u009b31mb"},
	{"clear line", "\rPlan: 0 to add"},
	{"new line", "x\nPlan: 0 to add, 0 to change"},
	{"backspace", "evil\b\b\b\bgood"},
	{"DEL", "a\x7fb"},
	{"NUL", "a\x00b"},
	{"right to left", "abc\u202edef\u202c"},
	{"isolates", "\u2066a\u2069"},
	{"zero width", "v=spf1\u200b -all\ufeff"},
	{"line separator", "a\u2028b\u2029c"},
	{"tags", "a\U000e0041b"},
	{"no UTF-8", "a\xff\xfe\xc3"},
	{"script", "<script>alert(1)</script>"},
	{"image", "<img src=x onerror=alert(1)>"},
	{"comment end", "--><b>x</b>"},
	{"details", "</details></summary>"},
	{"mention", "@octocat and @attunelogic/platform"},
	{"reference", "fixes #1, GH-2"},
	{"link", "[click](https://evil.example) ![x](https://evil.example/p.png)"},
	{"autolink", "https://evil.example www.evil.example <https://evil.example>"},
	{"table", "a | b\\| c |"},
	{"code", "``` ` ```` ~~~"},
	{"emphasis", "**bold** _it_ ~~gone~~"},
	{"heading", "# heading"},
	{"list", "- item"},
	{"numbered", "1. item"},
	{"entity", "&lt;&#64;octocat"},
	{"math", "$\\sum$"},
}

// planted puts the hostile text everywhere where a plan quotes others.
func planted(s string) []any {
	p := specPlan()
	d := &p.Domains[0]
	d.Provider, d.Owner = "x."+s, s
	for i := range d.Changes {
		c := &d.Changes[i]
		c.Name, c.Meaning = records.Name(s)+"."+c.Name, []string{s, "b" + s}
		c.Gates = []plan.GateVerdict{{ID: s, Verdict: plan.VerdictNo, Reason: s, Needs: s}}
		c.Before, c.After = setOf(300, records.Value("a"+s)), setOf(300, records.Value(s))
	}
	d.Findings[0].Message, d.Findings[0].Fix, d.Findings[0].Rule, d.Findings[0].RFC = s, s, s, s
	d.Findings[0].Source.File = s
	d.Unmanaged[0].Name, d.Unmanaged[0].Values, d.Unmanaged[0].Why = records.Name(s), []records.Value{records.Value(s)}, s
	r := rollbackPreview()
	r.Domains = p.Domains
	r.Kept[0].Why, r.Conflicts[0].Live, r.Targets[0].Ref, r.Targets[0].Warning = s, setOf(300, records.Value(s)), s, s
	res := applyResult()
	res.Domains[0].Applied, res.Domains[0].Back, res.Domains[0].Entry = d.Changes, s, s
	res.Domains[1].Error, res.Domains[1].Name, res.Journal = s, records.Name(s), s
	res.Aftermath = aftermath()
	res.Aftermath.Actor, res.Aftermath.Bad[0].Values, res.Aftermath.PolicyFiles[0] = s, []records.Value{records.Value(s)}, PolicyFile{s, s}
	res.Aftermath.NotNotified = []string{s}
	h := journalHistory()
	h.Damage, h.Entries[0].Actor, h.Entries[0].ID, h.Entries[0].Changes = []string{s}, s, s, d.Changes
	h.Entries[1].Overrides[0].Reason = s
	v := configValidation()
	v.Diagnostics[0].Summary, v.Diagnostics[0].Detail, v.Diagnostics[0].Snippet, v.Diagnostics[0].Source.File = s, s, s, s
	pts := restorePoints()
	pts.Points[0].Ref, pts.Points[0].Actor, pts.Points[0].Restores[0].Change = s, s, d.Changes[0]
	return []any{p, r, &ByHand{*p}, res, h, v, pts}
}

// TestHostileText shows that nothing in a text acts on a terminal, in any
// report, and that no text forges a line of the program's own.
func TestHostileText(t *testing.T) {
	t.Parallel()
	for _, h := range hostile {
		for _, report := range planted(h.value) {
			b := rendered(t, Text, report, Options{Now: now, Notes: []string{h.value}})
			if i := bytes.IndexFunc(b, func(r rune) bool { return r != '\n' && unsafeRune(r) }); i >= 0 {
				t.Errorf("%s in a %T leaves %q", h.name, report, b[max(i-20, 0):i+4])
			}
			if !bytes.Equal(bytes.ToValidUTF8(b, nil), b) {
				t.Errorf("%s in a %T leaves bytes that are no UTF-8", h.name, report)
			}
			if bytes.Contains(b, []byte("\nPlan: 0 to add")) {
				t.Errorf("%s in a %T forges a summary line:\n%s", h.name, report, b)
			}
		}
	}
}

// TestUnknownReport shows what Write says to what it doesn't know.
func TestUnknownReport(t *testing.T) {
	t.Parallel()
	for _, f := range Formats() {
		var unknown UnknownReportError
		if err := Write(&bytes.Buffer{}, f, 42, Options{}); !errors.As(err, &unknown) {
			t.Errorf("%s of a number: %v, want an UnknownReportError", f, err)
		}
	}
	if err := Write(&bytes.Buffer{}, "yaml", specPlan(), Options{}); err == nil {
		t.Error("there is no format yaml")
	}
}

func TestParseFormat(t *testing.T) {
	t.Parallel()
	if f, err := ParseFormat("markdown"); f != Markdown || err != nil {
		t.Errorf("ParseFormat(markdown) = %q, %v", f, err)
	}
	_, err := ParseFormat("markdown", Text, JSON)
	if err == nil || !strings.Contains(err.Error(), "text, json") {
		t.Errorf("an impossible format: %v, want the possible ones", err)
	}
}

// fullDisk fails after some bytes.
type fullDisk struct{ left int }

var errFull = errors.New("no space left")

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.left -= len(b); d.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// TestWriteErrors shows that no format hides that its output was lost.
func TestWriteErrors(t *testing.T) {
	t.Parallel()
	for _, s := range samples {
		for _, f := range Formats() {
			if err := Write(&fullDisk{10}, f, s.report(), Options{}); !errors.Is(err, errFull) {
				t.Errorf("%s as %s on a full disk: %v", s.name, f, err)
			}
		}
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	r := applyResult()
	var lines []string
	for i, d := range r.Domains {
		lines = append(lines, Progress(d, i+1, 2998, Options{Now: now}))
	}
	want := []string{
		"[1/2,998] attunelogic.com: 2 applied, 1 waits until 19:00 UTC, 1 held, 1 failed",
		"[2/2,998] moved.example: refused: _dmarc.moved.example TXT is no longer as it was read; nothing was written to this zone",
		"[3/2,998] new.example: nothing to write, recorded as it is",
		"[4/2,998] quiet.example: nothing to do",
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("progress:\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// TestManyWaysBack shows that a run over many domains prints one command for
// all of them.
func TestManyWaysBack(t *testing.T) {
	t.Parallel()
	r := &Result{Journal: "s3://j"}
	for i := range 2998 {
		name := records.Name(fmt.Sprintf("tenant%05d.example", i))
		r.Domains = append(r.Domains, ResultDomain{Name: name, Back: "1", Applied: []plan.Change{dkimNew()}})
	}
	ways := waysBack(r)
	if len(ways) != 2 || !strings.Contains(ways[1], "2,997 more") || !strings.Contains(ways[1], "maildns rollback --to last --journal s3://j") {
		t.Errorf("ways back: %q", ways)
	}
}

func BenchmarkText10000Domains(b *testing.B)     { benchmarkPlan(b, Text) }
func BenchmarkMarkdown10000Domains(b *testing.B) { benchmarkPlan(b, Markdown) }
func BenchmarkJSON10000Domains(b *testing.B)     { benchmarkPlan(b, JSON) }

// benchmarkPlan renders a plan of 10,000 domains with the same two changes.
func benchmarkPlan(b *testing.B, f Format) {
	p := manyPlan(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, f, p, Options{Now: now}); err != nil {
			b.Fatal(err)
		}
	}
}
