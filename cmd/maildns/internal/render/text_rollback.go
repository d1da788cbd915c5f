package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// rollback writes what a rollback would do: to which state, what it restores,
// what it leaves, and what stands in its way.
func (p *printer) rollback(r *Rollback) {
	p.notes(p.Notes)
	for _, t := range r.Targets {
		p.target(t)
	}
	if len(r.Targets) > 0 {
		p.line("")
	}
	p.changes(arrange(subjects(&r.Plan)))
	p.kept(r.Kept)
	p.conflicts(r.Conflicts)
	p.summary(&r.Plan)
	if len(r.Conflicts) > 0 {
		p.text(0, 2, p.Palette.Held, fmt.Sprintf("%s edited by hand since: --force overwrites, --keep-edits leaves them. Without either nothing is written.",
			count(len(r.Conflicts), "record set was", "record sets were")))
	}
}

// target writes to which state a zone returns.
func (p *printer) target(t Target) {
	text := fmt.Sprintf("%s goes back to %s", t.Zone, t.Ref)
	var parts []string
	if t.State != "" {
		parts = append(parts, t.State)
	}
	if t.Entry != "" && t.Entry != t.Ref {
		parts = append(parts, "entry "+t.Entry)
	}
	if !t.At.IsZero() {
		parts = append(parts, past(t.At))
	}
	parts = append(parts, by(t.Command, t.Actor))
	p.text(0, 2, p.Palette.Strong, text+": "+join(parts))
	if t.Warning != "" {
		p.para(para{indent: 2, below: 4, label: "warning:", labelPaint: p.Palette.Warning, text: " " + t.Warning})
	}
}

// by says which command of whom: "apply by jan".
func by(command, actor string) string {
	switch {
	case actor == "":
		return command
	case command == "":
		return "by " + actor
	default:
		return command + " by " + actor
	}
}

// join joins what is there with commas.
func join(parts []string) string {
	var out []string
	for _, s := range parts {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, ", ")
}

// kept writes what did not exist at the target and stays, those with the same
// reason together.
func (p *printer) kept(list []Kept) {
	for len(list) > 0 {
		first, n := list[0], 1
		for n < len(list) && list[n].Domain == first.Domain && list[n].Why == first.Why {
			n++
		}
		names := make([]string, n)
		for i, k := range list[:n] {
			names[i] = recordName(k.Domain, &plan.Change{Name: k.Name, Type: k.Type, Kind: k.Kind})
		}
		verb, object := "stays", "it"
		if n > 1 {
			verb, object = "stay", "them"
		}
		p.text(2, 6, "", fmt.Sprintf("= %s of %s %s: %s (--exact removes %s)", enumerate(names, n), first.Domain, verb, first.Why, object))
		list = list[n:]
	}
}

// conflicts writes what was edited by hand since our newest entry.
func (p *printer) conflicts(list []Conflict) {
	for _, c := range list {
		p.text(2, 6, p.Palette.Held, fmt.Sprintf("! %s %s of %s was edited by hand:", c.Name.Relative(c.Domain), c.Type, c.Domain))
		p.side("we left it as", c.Left)
		p.side("it is now", c.Live)
		p.side("it would become", c.Target)
	}
}

func (p *printer) side(label string, s *plan.Set) {
	p.text(8, 4, "", label+": "+setText(s))
}

// setText is a record set on one line.
func setText(s *plan.Set) string {
	if s == nil || len(s.Values) == 0 {
		return "no such record"
	}
	return fmt.Sprintf("%s (TTL %s)", strings.Join(texts(s.Values), " | "), seconds(s.TTL))
}

// aftermath writes what people must know after a rollback.
func (p *printer) aftermath(a *Aftermath) {
	if a == nil {
		return
	}
	p.line("")
	p.text(0, 2, p.Palette.Strong, "What happened: "+by("restored", a.Actor)+" at "+past(a.At)+".")
	for _, b := range a.Bad {
		p.bad(b)
	}
	p.text(0, 2, p.Palette.Strong, "What to expect:")
	for _, e := range expectations(a, p.Now) {
		p.text(2, 2, "", "- "+e)
	}
	for _, f := range a.PolicyFiles {
		p.policyFile(f)
	}
	for _, n := range a.Notified {
		p.text(2, 2, "", "- Told: "+n)
	}
	for _, n := range a.NotNotified {
		p.para(para{indent: 2, below: 4, label: "warning:", labelPaint: p.Palette.Warning, text: " not told: " + n})
	}
}

func (p *printer) bad(b Bad) {
	since := "for an unknown time"
	if b.Since != nil {
		since = "since " + past(*b.Since)
	}
	text := fmt.Sprintf("%s %s of %s was bad %s; caches may serve it until %s.",
		b.Name.Relative(b.Domain), b.Type, b.Domain, since, moment(b.Until, p.Now))
	if len(b.Values) == 0 {
		text = fmt.Sprintf("%s %s of %s was missing %s; caches may deny that it exists until %s.",
			b.Name.Relative(b.Domain), b.Type, b.Domain, since, moment(b.Until, p.Now))
	}
	p.text(2, 2, "", "- "+text)
	for _, v := range b.Values {
		p.value(8, p.Palette.Delete.On("-"), detail{text: value(v)})
	}
}

// expectations are what an incident channel asks first.
func expectations(a *Aftermath, now time.Time) []string {
	return []string{
		"Every cache that honours TTLs is current by " + moment(a.CurrentBy, now) +
			", also where a name was denied to exist (negative caching).",
		"Mail that was refused meanwhile is not retried by its senders: whoever misses a message must have it sent again.",
		"The restored records have a short TTL; a later apply gives them their former one.",
		"The next apply does not bring the change back: it is held as rolled-back until the declaration changes, or by override.",
	}
}

func (p *printer) policyFile(f PolicyFile) {
	p.text(2, 2, "", "- The MTA-STS policy file must go back too: "+f.URL)
	if f.Body == "" {
		return
	}
	for l := range strings.Lines(f.Body) {
		p.line("        " + clean(strings.TrimRight(l, "\r\n")))
	}
}

// points writes the states that a rollback can return to.
func (p *printer) points(r *Points) {
	p.notes(p.Notes)
	if len(r.Points) == 0 {
		p.line("There is nothing to return to: the journal has no entry yet.")
		return
	}
	for i := range r.Points {
		p.point(&r.Points[i])
		p.line("")
	}
	p.line("Look first, then go back:")
	p.line("  " + clean(rollbackCommand("REF", "", r.Journal)) + " --dry-run")
}

// manyRestores is how many changes of one state are listed.
const manyRestores = 8

func (p *printer) point(t *Point) {
	names := make([]string, len(t.Domains))
	for i, d := range t.Domains {
		names[i] = string(d)
	}
	entry := ""
	if t.Entry != t.Ref && t.Entry != "" {
		entry = "entry " + t.Entry
	}
	p.para(para{below: 4, label: t.Ref, labelPaint: p.Palette.Strong, text: "  " + join([]string{
		past(t.At), by(t.Command, t.Actor), outcomeText(t.Outcome), verifiedText(t.Verified), entry, enumerate(names, 4),
	})})
	if len(t.Restores) == 0 {
		p.text(4, 2, p.Palette.Faint, "as it is now: nothing would change")
	}
	for _, c := range t.Restores[:min(len(t.Restores), manyRestores)] {
		p.restored(c.Domain, &c.Change)
	}
	if n := len(t.Restores) - manyRestores; n > 0 {
		p.text(4, 2, p.Palette.Faint, "and "+number(n)+" more")
	}
}

// restored writes one change on one line, with its domain.
func (p *printer) restored(domain records.Name, c *plan.Change) {
	text := strings.Join(sentences(meaning([]item{{Change: c}}, 0)), "; ")
	p.para(para{
		indent: 4, below: 8, label: sign(c.Action), labelPaint: p.signPaint(c.Action),
		text: " " + string(domain) + " " + recordName(domain, c) + "  " + text,
	})
}

// outcomeText says how a run ended.
func outcomeText(o *Outcome) string {
	if o == nil {
		return "not finished"
	}
	return string(*o)
}

func verifiedText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return "verified " + past(*t)
}
