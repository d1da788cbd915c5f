package policy

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// statesPolicy reports whether the values of a name are policies, and not
// authorisations of reports.
func statesPolicy(n records.Name) bool { return strings.HasPrefix(string(n), "_dmarc.") }

// author is the domain whose policy stands at a _dmarc name.
func author(n records.Name) records.Name {
	return records.Name(strings.TrimPrefix(string(n), "_dmarc."))
}

// eachPolicy makes a fault of every policy record that receivers read and of
// which judge says something; what the steps of a ramp have in common is told
// once.
func (v *view) eachPolicy(judge func(d *dmarcStated, say func(string, ...any) *fault)) []fault {
	var out []*fault
	list := v.dmarc()
	for i := range list {
		d := &list[i]
		if d.err != nil || !statesPolicy(d.Key.Name) {
			continue
		}
		judge(d, func(format string, args ...any) *fault {
			f := faultf(d.stated, format, args...)
			if j := slices.IndexFunc(out, func(o *fault) bool { return o.at.Key == f.at.Key && o.message == f.message }); j >= 0 {
				return out[j]
			}
			out = append(out, &f)
			return &f
		})
	}
	faults := make([]fault, len(out))
	for i, f := range out {
		faults[i] = *f
	}
	return faults
}

// eachProblem makes a fault of every fault of a kind that reading a policy
// record notes.
func (v *view) eachProblem(p records.Problem, judge func(records.Tag, func(string, ...any) *fault)) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		for _, o := range d.record.Problems {
			if o.Problem == p {
				judge(o.Tag, say)
			}
		}
	})
}

func dmarcVersion(v *view) []fault {
	var out []fault
	for i := range v.values {
		s := &v.values[i]
		if s.Key.Type != records.TypeTXT || !statesPolicy(s.Key.Name) || records.IsDMARC(string(s.Value)) {
			continue
		}
		if text := strings.ToLower(string(s.Value)); strings.Contains(text, "dmarc") || strings.Contains(text, "p=") {
			out = append(out, faultf(s, "%s is no DMARC record to receivers: they want exactly \"v=DMARC1\" at its beginning", cut(string(s.Value))))
		}
	}
	return out
}

func dmarcPlace(v *view) []fault {
	var out []fault
	for i := range v.values {
		s := &v.values[i]
		if s.Key.Type != records.TypeTXT || !records.IsDMARC(string(s.Value)) {
			continue
		}
		name := string(s.Key.Name)
		switch {
		case isDoubled(s.Key.Name, v.Domain.Zone):
			out = append(out, faultf(s, "the name of the zone stands twice in it, so that no receiver looks here"))
		case !statesPolicy(s.Key.Name) && !strings.Contains(name, "._report._dmarc.") && !strings.HasPrefix(name, "_report._dmarc."):
			out = append(out, faultf(s, "no receiver looks for a DMARC record here: it belongs at a name that begins with _dmarc"))
		}
	}
	return out
}

func dmarcBadValue(v *view) []fault {
	return v.eachProblem(records.ProblemValue, func(t records.Tag, say func(string, ...any) *fault) {
		switch t.Name {
		case "rua", "ruf": // dmarc-rua-uri tells of them
		case "p", "sp", "np":
			say("%s is no policy, and disarms the whole record", cut(t.String()))
		default:
			f := say("%s can't be, so that receivers take the default", cut(t.String()))
			f.severity, f.fix = plan.SeverityWarning, "correct the value, or delete the tag"
		}
	})
}

func dmarcNoPolicy(v *view) []fault {
	return v.eachProblem(records.ProblemMissing, func(_ records.Tag, say func(string, ...any) *fault) {
		say("the record has no p: older receivers discard it, and newer ones take it for p=none at most")
	})
}

func dmarcOrder(v *view) []fault {
	return v.eachProblem(records.ProblemOrder, func(t records.Tag, say func(string, ...any) *fault) {
		say("%s doesn't stand second, where RFC 7489 demands it", cut(t.String()))
	})
}

func dmarcDuplicate(v *view) []fault {
	return v.eachProblem(records.ProblemDuplicate, func(t records.Tag, say func(string, ...any) *fault) {
		say("%s stands for the second time: receivers take the first, the last, or neither", cut(t.String()))
	})
}

func dmarcRemoved(v *view) []fault {
	return v.eachProblem(records.ProblemHistoric, func(t records.Tag, say func(string, ...any) *fault) {
		if t.Name != "pct" || t.Value == "100" {
			say("%s is no longer a tag, and changes nothing", cut(t.String()))
		}
	})
}

func dmarcPctSplit(v *view) []fault {
	if d := v.Domain.DMARC; d != nil && d.Compat == records.Compat7489 {
		return nil // acknowledged, and told by checkPctSplit
	}
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		r := d.record
		if n := r.Pct.Percent(); r.Pct.Written() && n > 0 && n < 100 && r.T != records.FlagYes && r.Reach() != (records.Reach{}) {
			e := r.Effects()
			say("pct=%d is %s for receivers that follow RFC 7489 and %s for those that follow RFC 9989, which has no pct", n, e.RFC7489, e.RFC9989).
				fix = "add t=y, which keeps it at most that share everywhere, or drop pct"
		}
	})
}

func dmarcTestAlone(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		if r := d.record; r.T == records.FlagYes && !r.Pct.Written() && r.Reach() != (records.Reach{}) {
			e := r.Effects()
			say("t=y is %s for receivers that follow RFC 9989 and %s for those that follow RFC 7489, which doesn't know it", e.RFC9989, e.RFC7489)
		}
	})
}

// registered are the tags that a record may have (RFC 9989 4.7), those of RFC
// 7489 included.
var registered = []string{"adkim", "aspf", "fo", "np", "p", "pct", "psd", "rf", "ri", "rua", "ruf", "sp", "t"}

func dmarcUnknown(v *view) []fault {
	judge := func(t records.Tag, say func(string, ...any) *fault) {
		if near := nearestTag(strings.ToLower(t.Name)); near != "" {
			say("%s is no tag, and receivers ignore it: did you mean %s?", cut(t.String()), near)
			return
		}
		say("%s is no tag, and receivers ignore it", cut(t.String()))
	}
	return append(v.eachProblem(records.ProblemUnknown, judge), v.eachProblem(records.ProblemSyntax, judge)...)
}

// nearestTag is the registered tag that is one slip away, or two for longer
// names; empty where there is none.
func nearestTag(name string) string {
	best, least := "", max(1, len(name)/2)+1
	for _, tag := range registered {
		if d := slips(name, tag); d < least && d < max(len(name), len(tag)) {
			best, least = tag, d
		}
	}
	return best
}

// slips is how many letters must be put in, left out, exchanged or swapped with
// the next one to make a word of another.
func slips(a, b string) int {
	last, row := []int(nil), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			change := row[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			next[j] = min(change, row[j]+1, next[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], last[j-2]+1)
			}
		}
		last, row = row, next
	}
	return row[len(b)]
}

func dmarcBlind(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		if len(d.record.RUA) == 0 && !v.Domain.Parked {
			say("there is no rua: no report comes, and no gate of the ramp ever opens")
		}
	})
}

func dmarcURI(v *view) []fault {
	return v.eachProblem(records.ProblemValue, func(t records.Tag, say func(string, ...any) *fault) {
		if t.Name != "rua" && t.Name != "ruf" {
			return
		}
		if _, err := records.ParseReportURI(t.Value); err != nil {
			say("%s: %v", t.Name, err)
		}
	})
}

// eachURI calls judge for every report address of the policy records that can
// be used.
func (v *view) eachURI(tags string, judge func(tag, text string, u records.ReportURI, say func(string, ...any) *fault)) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		for _, list := range []struct {
			tag  string
			uris []string
		}{{"rua", d.record.RUA}, {"ruf", d.record.RUF}} {
			for _, text := range list.uris {
				if u, err := records.ParseReportURI(text); err == nil && strings.Contains(tags, list.tag) {
					judge(list.tag, text, u, say)
				}
			}
		}
	})
}

func dmarcManyURIs(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		if n := len(d.record.RUA); n > 2 {
			say("rua has %d addresses, and receivers have to serve 2", n)
		}
		if n := len(d.record.RUF); n > 2 {
			say("ruf has %d addresses, and receivers have to serve 2", n)
		}
	})
}

func dmarcSize(v *view) []fault {
	return v.eachURI("rua ruf", func(tag, text string, u records.ReportURI, say func(string, ...any) *fault) {
		if u.Size != "" {
			say("%s: the limit of %s is ignored", tag, cut(text))
		}
	})
}

func dmarcRUF(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		if len(d.record.RUF) > 0 {
			say("ruf asks for failure reports, which hold personal data and which hardly anybody sends")
		}
	})
}

func dmarcFO(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		fo := d.record.FO
		switch {
		case len(fo) > 0 && len(d.record.RUF) == 0:
			say("fo=%s has no effect without ruf", strings.Join(fo, ":"))
		case slices.Contains(fo, "0") && slices.Contains(fo, "1"):
			say("fo=%s has both 0 and 1, and 1 says all that 0 says", strings.Join(fo, ":"))
		}
	})
}

func dmarcSubdomains(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		r := d.record
		switch {
		case r.Disarmed():
		case subdomains(r) < r.Policy:
			say("sp=%s is weaker than p=%s: whoever forges takes a subdomain", subdomains(r), r.Policy)
		case nonexistent(r) < r.Policy:
			say("np=%s is weaker than p=%s: whoever forges takes a subdomain that doesn't exist", nonexistent(r), r.Policy)
		}
	})
}

func dmarcNonexistent(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		if r := d.record; !r.Disarmed() && r.Policy > records.PolicyNone && subdomains(r) == records.PolicyNone && r.NP == records.PolicyUnset {
			say("sp=none holds for subdomains that don't exist as well, since there is no np")
		}
	})
}

func dmarcIgnored(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		r, name := d.record, author(d.Key.Name)
		if (r.SP != records.PolicyUnset || r.NP != records.PolicyUnset) && r.PSD != records.FlagNo && Organization(name) != name {
			say("sp and np have no effect here: receivers take them from the record of %s", Organization(name))
		}
	})
}

func dmarcPSD(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		name := string(author(d.Key.Name))
		if suffix, _ := publicsuffix.PublicSuffix(name); d.record.PSD == records.FlagYes && suffix != name {
			say("psd=y says that %s is a registry: every name below it becomes a domain of its own", name)
		}
	})
}

func dmarcDelegated(v *view) []fault {
	var out []fault
	for i := range v.values {
		s := &v.values[i]
		if !statesPolicy(s.Key.Name) || s.Key.Type != records.TypeCNAME && s.Key.Type != records.TypeNS {
			continue
		}
		out = append(out, faultf(s, "the policy is kept by %s, and changes there", s.Value))
	}
	return out
}

func dmarcShadow(v *view) []fault {
	var out []fault
	for i := range v.values {
		s := &v.values[i]
		below, wild := strings.CutPrefix(string(s.Key.Name), "*.")
		if !wild || strings.HasPrefix(below, "_domainkey.") || s.Key.Type != records.TypeTXT || records.IsDMARC(string(s.Value)) {
			continue
		}
		out = append(out, faultf(s, "the wildcard answers for _dmarc of every subdomain of %s that has no record: %s", below, cut(string(s.Value))))
	}
	return out
}

func dmarcParked(v *view) []fault {
	if !v.Domain.Parked {
		return nil
	}
	list := v.policies()
	if len(list) == 0 && !v.declared() {
		return []fault{faultf(nil, "%s is parked and has no DMARC record", v.Domain.Name)}
	}
	var out []fault
	for _, d := range list {
		if r := d.record; d.err == nil && (r.Policy != records.PolicyReject || subdomains(r) != records.PolicyReject || nonexistent(r) != records.PolicyReject || r.Disarmed()) {
			out = append(out, faultf(d.stated, "the domain is parked, and its policy is not reject for the domain and for all names below it"))
		}
	}
	return out
}

// checkLevelSkip tells of a ramp without quarantine, and of a record block that
// goes to reject at once.
func checkLevelSkip(s *Subject) []plan.Finding {
	if s.Domain.Parked {
		return nil
	}
	say := func(source records.Source, words string) []plan.Finding {
		return []plan.Finding{s.finding(plan.SeverityWarning, plan.AboutDeclared, source, "go through quarantine first",
			"%s: the policy goes %s to reject, without quarantine between them", s.Domain.Name, words)}
	}
	live, _ := liveDMARC(s.Live, s.Domain.Name)
	if live.Reach().Domain != (records.Effects{}) {
		return nil
	}
	if d := s.Domain.DMARC; d != nil {
		if d.Record.Policy == records.PolicyReject && !slices.ContainsFunc(d.Steps, func(t records.DMARCStep) bool { return t.Policy == records.PolicyQuarantine }) {
			return say(d.Source, "from none")
		}
		return nil
	}
	for _, d := range s.declaredView().policies() {
		if e := d.record.Effects(); d.err == nil && (e.RFC7489.Reject > 0 || e.RFC9989.Reject > 0) {
			return say(d.Source, "from "+policyOrNothing(live))
		}
	}
	return nil
}

func policyOrNothing(r records.DMARCRecord) string {
	if r.Policy == records.PolicyUnset {
		return "nothing"
	}
	return r.Policy.String()
}

// checkBundled compares the declared record with the live one, tag by tag.
func checkBundled(s *Subject) []plan.Finding {
	live, ok := liveDMARC(s.Live, s.Domain.Name)
	if !ok || s.Domain.Parked {
		return nil
	}
	for _, d := range s.declaredView().policies() {
		to := d.record
		if s.Domain.DMARC != nil {
			to = s.Domain.DMARC.Record
		}
		if d.err != nil || !records.Tightens(live.Effects(), to.Effects()) {
			continue
		}
		if changes := besidesPolicy(live, to); len(changes) > 0 {
			return []plan.Finding{s.finding(plan.SeverityWarning, plan.AboutDeclared, d.Source,
				"change one thing at a time: write down the tags that are to stay",
				"%s: p goes from %s to %s together with %s", d.Key.Name, live.Policy, to.Policy, strings.Join(changes, ", "))}
		}
	}
	return nil
}

// besidesPolicy are the tags besides the policy that a change alters, in words.
func besidesPolicy(from, to records.DMARCRecord) []string {
	var out []string
	alignment := func(tag string, was, is records.Alignment) {
		switch {
		case was.Strict() && !is.Strict():
			out = append(out, tag+" from strict to relaxed, which loosens")
		case !was.Strict() && is.Strict():
			out = append(out, tag+" from relaxed to strict")
		}
	}
	alignment("adkim", from.ADKIM, to.ADKIM)
	alignment("aspf", from.ASPF, to.ASPF)
	if was, is := subdomains(from), subdomains(to); was != is && is != to.Policy {
		out = append(out, fmt.Sprintf("sp from %s to %s", was, is))
	}
	list := func(tag string, was, is []string) {
		switch {
		case slices.Equal(was, is):
		case len(is) == 0:
			out = append(out, tag+" dropped")
		case len(was) == 0:
			out = append(out, tag+" added")
		default:
			out = append(out, tag+" changed")
		}
	}
	list("rua", from.RUA, to.RUA)
	list("ruf", from.RUF, to.RUF)
	list("fo", from.FO, to.FO)
	return out
}
