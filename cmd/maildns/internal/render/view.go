package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// detail is a line below a change. Its text is as the report has it: each
// format makes it safe and fits it in.
type detail struct {
	kind detailKind
	text string
	// focus is the byte of a value at which it differs from its counterpart.
	focus int
	// quiet is set for what a terminal leaves out: the data of a change that
	// is not made now, or that says nothing to people.
	quiet bool
	// key is set for key material, which people compare by its ends.
	key bool
}

type detailKind string

const (
	why     detailKind = "why"     // a reason, or what a change means beside
	needs   detailKind = "needs"   // what opens the gate
	removed detailKind = "removed" // a value that goes
	added   detailKind = "added"   // a value that comes
	trouble detailKind = "trouble" // why it failed
)

// subjects lists the domains of a plan as a reader meets them.
func subjects(p *plan.Plan) []subject {
	out := make([]subject, len(p.Domains))
	for i := range p.Domains {
		d := &p.Domains[i]
		out[i] = subject{
			name: d.Name, host: host(d), findings: bySeverity(d.Findings), unmanaged: d.Unmanaged,
			items: make([]item, len(d.Changes)),
		}
		if d.Owner != "" {
			out[i].note = "owner: " + d.Owner
		}
		stop := stopper(d)
		for j := range d.Changes {
			out[i].items[j] = item{Change: &d.Changes[j], stop: stop}
		}
		apexFirst(out[i].items, d.Name)
	}
	return out
}

// apexFirst puts the records at the domain itself before those below it, and
// keeps the order of the plan otherwise.
func apexFirst(items []item, domain records.Name) {
	slices.SortStableFunc(items, func(a, b item) int {
		switch apexA, apexB := a.Name == domain, b.Name == domain; {
		case apexA == apexB:
			return 0
		case apexA:
			return -1
		default:
			return 1
		}
	})
}

var severityOrder = map[plan.Severity]int{plan.SeverityError: 0, plan.SeverityWarning: 1, plan.SeverityInfo: 2}

// bySeverity puts errors first.
func bySeverity(findings []plan.Finding) []plan.Finding {
	out := slices.Clone(findings)
	slices.SortStableFunc(out, func(a, b plan.Finding) int {
		return cmp.Compare(severityOrder[a.Severity], severityOrder[b.Severity])
	})
	return out
}

// stopper is the rule whose error keeps a domain from being applied; empty
// where none does.
func stopper(d *plan.Domain) string {
	if !policy.Stopped(*d) {
		return ""
	}
	for _, f := range bySeverity(d.Findings) {
		if f.About == plan.AboutDeclared {
			return f.Rule
		}
	}
	return ""
}

// host says where a domain is written, and how. What is too much for one
// transaction of a host that has them is written in several.
func host(d *plan.Domain) string {
	kind, _, _ := strings.Cut(d.Provider, ".")
	t, _ := provider.Lookup(kind)
	switch {
	case d.Transactional:
		return d.Provider + ", one transaction"
	case t.Limits.Transactional:
		return d.Provider + ", several transactions"
	default:
		return d.Provider + ", record by record"
	}
}

// hosts lists where the domains of a plan that change are written, and how.
func hosts(r *plan.Plan) []string {
	var out []string
	for i := range r.Domains {
		if d := &r.Domains[i]; len(d.Changes) > 0 {
			out = append(out, host(d))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// recordName names a record set as seen from its domain, with its kind where
// name and type don't tell it: "@ TXT (spf)", "_dmarc TXT".
func recordName(domain records.Name, c *plan.Change) string {
	name := c.Name.Relative(domain) + " " + string(c.Type)
	if c.Kind == "" || tellsKind(c) {
		return name
	}
	return name + " (" + string(c.Kind) + ")"
}

// kindLabels are the labels by which mail records are known (RFC 6376 3.6.2.1,
// RFC 9989, RFC 8461 3.1 and 3.3, RFC 8460 3).
var kindLabels = map[records.Kind][]string{
	records.KindDKIM:   {"_domainkey"},
	records.KindDMARC:  {"_dmarc"},
	records.KindMTASTS: {"_mta-sts", "mta-sts"},
	records.KindTLSRPT: {"_smtp._tls"},
	records.KindBIMI:   {"_bimi"},
}

func tellsKind(c *plan.Change) bool {
	if c.Kind == records.KindMX {
		return c.Type == records.TypeMX
	}
	name := "." + string(c.Name) + "."
	return slices.ContainsFunc(kindLabels[c.Kind], func(label string) bool {
		return strings.Contains(name, "."+label+".")
	})
}

// meaning says in a few words what the j-th of a record set's steps does.
func meaning(items []item, j int) []string {
	it := items[j]
	if it.Before != nil && it.After != nil {
		from := fmt.Sprintf("TTL %s → %s", seconds(it.Before.TTL), seconds(it.After.TTL))
		switch {
		case it.Step == plan.StepLowerTTL:
			next := "the change"
			if j+1 < len(items) && items[j+1].Key() == it.Key() && items[j+1].Step == plan.StepChange {
				next = "the next line"
			}
			return []string{fmt.Sprintf("%s, so that %s can be undone in %s", from, next, duration(it.Mistake))}
		case it.Step == plan.StepRestoreTTL:
			return []string{from + ", back to the declared one"}
		case len(it.Meaning) == 0 && it.Action == plan.ActionTTL:
			return []string{from}
		}
	}
	if len(it.Meaning) > 0 {
		return it.Meaning
	}
	return []string{plainMeaning[it.Action]}
}

// plainMeaning stands in for a change that says nothing of itself.
var plainMeaning = map[plan.Action]string{
	plan.ActionCreate: "new record",
	plan.ActionUpdate: "new value",
	plan.ActionDelete: "removed",
	plan.ActionTTL:    "TTL",
}

// state says in a few words when a change is made, or what became of it.
func state(it item, now time.Time) string {
	switch {
	case it.done != planned:
		return string(it.done)
	case it.stop != "":
		return "stopped: " + it.stop
	case it.State == plan.Held:
		return "held: " + strings.Join(holders(it.Change), ", ")
	case it.State == plan.Waiting && it.NotBefore != nil:
		return "waiting until " + moment(*it.NotBefore, now)
	default:
		return string(it.State)
	}
}

// holders names the gates that hold a change.
func holders(c *plan.Change) []string {
	var ids []string
	for _, g := range c.Gates {
		if !g.Opens() && !slices.Contains(ids, g.ID) {
			ids = append(ids, g.ID)
		}
	}
	if len(ids) > 1 {
		ids = slices.DeleteFunc(ids, func(id string) bool { return id == plan.GateLowerTTL })
	}
	return ids
}

// reasons are the lines below the j-th of a record set's steps that say why it
// is as it is, and what is needed.
func reasons(items []item, j int) []detail {
	it := items[j]
	var out []detail
	if j > 0 && it.Key() != items[j-1].Key() {
		out = append(out, detail{kind: why, text: "in one transaction with the line above"})
	}
	if it.err != "" {
		out = append(out, detail{kind: trouble, text: it.err})
	}
	out = append(out, union(items, j)...)
	out = append(out, verdicts(it)...)
	if it.Step == plan.StepChange && it.State != plan.Held && it.done == planned {
		out = append(out, caches(it.Change)...)
	}
	return out
}

// verdicts are the words of the gates. The wait for a TTL says nothing that the
// state doesn't.
func verdicts(it item) []detail {
	var out []detail
	many := len(holders(it.Change)) > 1
	for _, g := range it.Gates {
		if g.ID == plan.GateLowerTTL && g.Verdict == plan.VerdictNo {
			continue
		}
		reason := g.Reason
		switch {
		case g.Verdict == plan.Allow:
			reason = g.ID + " allows it: " + reason
		case g.Verdict == plan.Overridden:
			reason = g.ID + " is overridden: " + reason
		case g.Verdict == plan.Unknown:
			reason = g.ID + " is unknown, so it holds: " + reason
		case many:
			reason = g.ID + ": " + reason
		}
		if g.Reason != "" || g.Verdict != plan.Allow && reason != "" {
			out = append(out, detail{kind: why, text: strings.TrimSuffix(reason, ": ")})
		}
		if g.Needs != "" && !g.Opens() {
			out = append(out, detail{kind: needs, text: g.Needs})
		}
	}
	return out
}

// union explains values that are published although nobody declares them: a
// gate keeps them, since mail may rest on them.
func union(items []item, j int) []detail {
	c := items[j].Change
	kept := undeclared(c)
	if len(kept) == 0 || c.Step != plan.StepChange || c.State == plan.Held {
		return nil
	}
	text := "keeps " + enumerate(kept, 6) + ": live but not declared, and mail may depend on it."
	if slices.ContainsFunc(items, func(o item) bool { return o.State == plan.Held }) {
		text += " Declare it to keep it; the held line says what lets it go."
	} else {
		text += " Declare it to keep it."
	}
	return []detail{{kind: why, text: text}}
}

// undeclared lists what a change keeps without its being declared: SPF terms,
// and MX hosts.
func undeclared(c *plan.Change) []string {
	if c.After == nil || c.Declared == nil {
		return nil
	}
	list := terms
	if c.Kind == records.KindMX {
		list = texts
	} else if c.Kind != records.KindSPF {
		return nil
	}
	declared := list(c.Declared.Values)
	return slices.DeleteFunc(list(c.After.Values), func(s string) bool { return slices.Contains(declared, s) })
}

func texts(values []records.Value) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = value(v)
	}
	return out
}

// terms lists what the SPF records among values authorise.
func terms(values []records.Value) []string {
	var keys []string
	for _, v := range values {
		r, err := spf.Parse(string(v))
		if err != nil {
			continue
		}
		for _, t := range r.Live() {
			if t.Kind != spf.All {
				keys = append(keys, t.Key())
			}
		}
	}
	return keys
}

// caches says how long the old value lives where the summary doesn't: it lives
// longer there than a mistake would.
func caches(c *plan.Change) []detail {
	if c.Exposure <= c.Mistake {
		return nil
	}
	text := "caches may serve the old value for up to "
	if c.Before == nil {
		text = "caches may deny that the name exists for up to "
	}
	return []detail{{kind: why, text: text + duration(c.Exposure) + "; a mistake would live " + duration(c.Mistake)}}
}

// values lists the values that a change takes and brings.
func values(it item) []detail {
	c := it.Change
	if it.Step != plan.StepChange {
		return nil
	}
	gone, come := only(c.Before, c.After), only(c.After, c.Before)
	focus := 0
	if len(gone) == 1 && len(come) == 1 {
		focus = commonPrefix(value(gone[0]), value(come[0]))
	}
	key := c.Kind == records.KindDKIM && c.Type == records.TypeTXT
	quiet := it.State == plan.Held || it.done == applied || key && c.Before == nil
	var out []detail
	for _, v := range gone {
		out = append(out, detail{removed, value(v), focus, quiet || told(c, v), key})
	}
	for _, v := range come {
		out = append(out, detail{added, value(v), focus, quiet || told(c, v), key})
	}
	return out
}

// told reports whether the meaning of a change quotes a value whole.
func told(c *plan.Change, v records.Value) bool {
	text := records.PrintableValue(v)
	return slices.ContainsFunc(c.Meaning, func(m string) bool { return strings.HasSuffix(m, text) })
}

// only lists the values of a that b lacks.
func only(a, b *plan.Set) []records.Value {
	if a == nil {
		return nil
	}
	var out []records.Value
	for _, v := range a.Values {
		if b == nil || !slices.Contains(b.Values, v) {
			out = append(out, v)
		}
	}
	return out
}
