package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records/spf"
)

// treeRule finds one fault of an SPF record with all that it leads to.
type treeRule struct {
	id    string
	rfc   string
	check func(spfTree) []plan.Finding
}

// spfTree is a record with all that it leads to, and whose the record is.
type spfTree struct {
	*spf.Tree
	about plan.About
}

// treeRules is the table of the rules about whole trees.
func treeRules() []treeRule {
	return []treeRule{
		{"spf-missing", "7208 3", checkTreeMissing},
		{"spf-multiple", "7208 4.5", checkTreeMultiple},
		{"spf-syntax", "7208 12", checkTreeSyntax},
		{"spf-lookups", "7208 4.6.4", checkTreeLookups},
		{"spf-headroom", "7208 4.6.4", checkTreeHeadroom},
		{"spf-void", "7208 4.6.4", checkTreeVoid},
		{"spf-mx-fanout", "7208 4.6.4", checkTreeFanout},
		{"spf-pass-all", "7208 5.1", checkTreePassAll},
		{"spf-redirect-none", "7208 6.1", checkTreeRedirects},
		{"spf-include-none", "7208 5.2", checkTreeIncludes},
		{"spf-loop", "7208 4.6.4", checkTreeLoops},
	}
}

// CheckSPFTree reports what is wrong with an SPF record and all that it includes
// and redirects to, in the order of the table. about is whether the record at
// the root is live or only declared; what it leads to is always live. That a
// question stayed open is no finding: the tree's Unknown has it.
func CheckSPFTree(t *spf.Tree, about plan.About) []plan.Finding {
	var out []plan.Finding
	for _, r := range treeRules() {
		for _, f := range r.check(spfTree{t, about}) {
			f.Rule, f.RFC = r.id, r.rfc
			out = append(out, f)
		}
	}
	return out
}

// judge makes a finding about the record as a whole.
func (t spfTree) judge(sev plan.Severity, fix, format string, args ...any) []plan.Finding {
	return []plan.Finding{{Severity: sev, About: t.about, Message: fmt.Sprintf(format, args...), Fix: fix}}
}

// faults makes an error of every fault that matches.
func (t spfTree) faults(match func(spf.Finding) bool, fix, consequence string) []plan.Finding {
	var out []plan.Finding
	for _, f := range t.Findings {
		if !match(f) {
			continue
		}
		found := plan.Finding{Severity: plan.SeverityError, About: t.about, Message: f.Detail + consequence, Fix: fix}
		if f.Term != "" {
			found.Message = place(f.Term, f.Domain) + ": " + found.Message
		}
		if f.Domain != t.Root.Domain {
			found.About = plan.AboutLive
		}
		out = append(out, found)
	}
	return out
}

// ofRoot matches faults of the record itself.
func ofRoot(p spf.Problem) func(spf.Finding) bool {
	return func(f spf.Finding) bool { return f.Term == "" && f.Problem == p }
}

// ofTerm matches faults that terms lead to whose text begins with a prefix.
func ofTerm(prefix string, problems ...spf.Problem) func(spf.Finding) bool {
	return func(f spf.Finding) bool {
		text := strings.TrimLeft(f.Term, "?~-")
		return text != "" && strings.HasPrefix(text, prefix) && slices.Contains(problems, f.Problem)
	}
}

// place names a term and the record that has it.
func place(term, domain string) string {
	if domain == "" {
		return term
	}
	return term + " of " + domain
}

// What becomes of messages where an evaluation meets a fault.
const (
	permError      = ", so that receivers answer PERMERROR"
	permErrorThere = ", so that receivers who get there answer PERMERROR"
	permErrorLoop  = ", so that receivers run out of lookups and answer PERMERROR"
)

func checkTreeMissing(t spfTree) []plan.Finding {
	if t.Root.Problem != spf.NoRecord {
		return nil
	}
	return t.judge(plan.SeverityWarning, `publish one: "v=spf1", its senders, "~all"; "v=spf1 -all" for a name that sends no mail`,
		"%s: receivers can't tell who may send for it", t.Root.Detail)
}

func checkTreeMultiple(t spfTree) []plan.Finding {
	return t.faults(ofRoot(spf.SeveralRecords), "merge them into one record with one all", permError)
}

func checkTreeSyntax(t spfTree) []plan.Finding {
	return append(t.faults(ofRoot(spf.Syntax), "correct the record", permError),
		t.faults(ofTerm("", spf.Syntax), "tell the owner of that record, or remove the term", permErrorThere)...)
}

func checkTreeFanout(t spfTree) []plan.Finding {
	return t.faults(ofTerm("", spf.TooManyHosts), "name the hosts' networks by ip4 and ip6, or include a record that does", permErrorThere)
}

func checkTreeRedirects(t spfTree) []plan.Finding {
	return t.faults(ofTerm("redirect=", spf.NoRecord, spf.SeveralRecords), "correct the name, or write the record itself", permErrorThere)
}

func checkTreeIncludes(t spfTree) []plan.Finding {
	return t.faults(ofTerm("include:", spf.NoRecord, spf.SeveralRecords), "remove the include, or correct its name", permErrorThere)
}

func checkTreeLoops(t spfTree) []plan.Finding {
	return t.faults(ofTerm("", spf.Loop), "remove the term that closes the loop", permErrorLoop)
}

// headroom is from how many lookups on one more include may break a record.
const headroom = 8

const fewerLookups = "remove senders that no longer send, give a sender a subdomain of its own, or flatten an include"

// What is said of records as a whole, here and in a plan.
const (
	tooManyLookups = "%d lookups of at most %d: %s"
	littleHeadroom = "%d lookups of at most %d, and an included record may grow any day: %s"
	voidLookups    = "%d void lookups of at most %d: nothing is found by %s"
	passHalf       = "half of all IPv4 addresses or more may send, by %s"
)

func checkTreeLookups(t spfTree) []plan.Finding {
	n := t.Root.Lookups
	if n <= MaxLookups {
		return nil
	}
	return t.judge(plan.SeverityError, fewerLookups, tooManyLookups, n, MaxLookups, costs(t.Root))
}

func checkTreeHeadroom(t spfTree) []plan.Finding {
	n := t.Root.Lookups
	if n < headroom || n > MaxLookups {
		return nil
	}
	return t.judge(plan.SeverityWarning, fewerLookups, littleHeadroom, n, MaxLookups, costs(t.Root))
}

// costs names the terms of a record by their lookups, the dearest first.
func costs(n *spf.Node) string {
	terms := make([]costly, 0, len(n.Branches))
	for _, b := range n.Branches {
		terms = append(terms, costly{b.Term, b.Lookups})
	}
	return dearest(terms)
}

// costly is a term and its lookups.
type costly struct {
	term    spf.Term
	lookups int
}

// dearest names the terms that cost lookups, the dearest first.
func dearest(terms []costly) string {
	terms = slices.DeleteFunc(terms, func(c costly) bool { return c.lookups == 0 })
	slices.SortStableFunc(terms, func(a, b costly) int { return b.lookups - a.lookups })
	names := make([]string, len(terms))
	for i, c := range terms {
		names[i] = fmt.Sprintf("%s %d", c.term, c.lookups)
	}
	return listed(names)
}

// listed joins names, of many only the first.
func listed(names []string) string {
	const most = 15
	if len(names) > most {
		names = append(slices.Clone(names[:most]), fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}

func checkTreeVoid(t spfTree) []plan.Finding {
	n := t.Root.VoidLookups
	if n == 0 {
		return nil
	}
	sev := plan.SeverityWarning
	if n > MaxVoids {
		sev = plan.SeverityError
	}
	return t.judge(sev, "remove the terms that find nothing, or correct their names", voidLookups, n, MaxVoids, listed(voids(t.Root)))
}

// voids names the terms below a node whose questions came to nothing.
func voids(n *spf.Node) (names []string) {
	for _, b := range n.Branches {
		if b.Void {
			names = append(names, place(b.Term.String(), n.Domain))
		}
		if b.Node != nil {
			names = append(names, voids(b.Node)...)
		}
	}
	return names
}

// halfOfIPv4 is how many addresses make a record worthless as a statement.
const halfOfIPv4 = 1 << 31

func checkTreePassAll(t spfTree) []plan.Finding {
	by := "its networks together"
	if names := wide(t.Root); len(names) > 0 {
		by = listed(names)
	} else if t.Root.Authorized().Count4() < halfOfIPv4 {
		return nil
	}
	return t.judge(plan.SeverityError, "end the record with ~all or -all, and name only networks that send", passHalf, by)
}

// wide names the terms that each pass half of IPv4, in a record and in those
// that pass for it.
func wide(n *spf.Node) (names []string) {
	for _, b := range n.Branches {
		switch {
		case b.Term.Qualifier != spf.Pass:
		case b.Node != nil:
			names = append(names, wide(b.Node)...)
		case b.Addresses.Count4() >= halfOfIPv4:
			names = append(names, place(b.Term.String(), n.Domain))
		}
	}
	return names
}
