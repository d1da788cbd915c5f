package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/records/spf"
)

// spfCheck writes a verdict and how it came about.
func (p *printer) spfCheck(r *SPFCheck) {
	p.notes(p.Notes)
	p.para(para{below: 2, label: string(r.Result) + ":", labelPaint: p.resultPaint(r.Result), text: " " + verdict(r)})
	if r.Matched != "" {
		p.text(2, 2, "", "decided by "+of(r.Matched, r.MatchedIn))
	}
	if r.Explanation != "" {
		p.text(2, 2, "", "explanation of the domain's owner: "+r.Explanation)
	}
	p.text(2, 2, "", limits(r.Lookups, r.VoidLookups))
	p.trace(slices.DeleteFunc(slices.Clone(r.Trace), func(s SPFStep) bool {
		return s.Term == "" && s.Record == "" && s.Problem == r.Problem // it stands above
	}))
}

// trace writes the steps of an evaluation.
func (p *printer) trace(steps []SPFStep) {
	if len(steps) > 0 {
		p.line("")
	}
	for len(steps) > 0 {
		n := missed(steps)
		if n < manyNetworks {
			p.step(&steps[0], len(steps) > 1 && steps[1].Depth > steps[0].Depth)
			steps = steps[1:]
			continue
		}
		p.text(indentOf(steps[0].Depth)+2, 2, p.Palette.Faint, number(n)+" networks: no match")
		steps = steps[n:]
	}
}

// verdict is a result in words.
func verdict(r *SPFCheck) string {
	switch r.Result {
	case spf.ResultPass:
		return fmt.Sprintf("%s may send mail for %s", r.IP, r.Domain)
	case spf.ResultFail:
		return fmt.Sprintf("%s may not send mail for %s", r.IP, r.Domain)
	case spf.ResultSoftFail:
		return fmt.Sprintf("%s probably may not send mail for %s", r.IP, r.Domain)
	case spf.ResultNeutral:
		return fmt.Sprintf("the record of %s says nothing about %s", r.Domain, r.IP)
	case spf.ResultTempError:
		return "a question to the DNS stayed open: " + r.Problem
	case spf.ResultPermError:
		return "the record can't be evaluated: " + r.Problem
	default: // none
		return r.Problem
	}
}

func (p *printer) resultPaint(r spf.Result) Paint {
	switch r {
	case spf.ResultPass:
		return p.Palette.Ready
	case spf.ResultFail, spf.ResultPermError, spf.ResultTempError:
		return p.Palette.Failed
	default:
		return p.Palette.Held
	}
}

// of names a term and the record that has it.
func of(term, domain string) string {
	if domain == "" {
		return term
	}
	return term + " of " + domain
}

// limits compares counts with the limits of RFC 7208 4.6.4.
func limits(lookups, voids int) string {
	return fmt.Sprintf("%s of at most %d, %s void of at most %d",
		count(lookups, "lookup", "lookups"), spf.MaxLookups, number(voids), spf.MaxVoidLookups)
}

// manyNetworks is from how many networks on one line tells of them all.
const manyNetworks = 3

// missed is how many steps begin a trace that only say that a network of one
// record doesn't match.
func missed(trace []SPFStep) int {
	for i, s := range trace {
		text := strings.TrimLeft(s.Term, "?~-")
		network := strings.HasPrefix(text, "ip4:") || strings.HasPrefix(text, "ip6:")
		if !network || s.Matched || s.Depth != trace[0].Depth {
			return i
		}
	}
	return len(trace)
}

// indentOf is where the lines of a record begin that stands at a depth.
func indentOf(depth int) int { return 4*min(depth, 12) + 2 }

// step writes a record that was found, or a term that was evaluated. What goes
// wrong within an include is said there.
func (p *printer) step(s *SPFStep, entered bool) {
	indent := indentOf(s.Depth)
	if s.Term == "" {
		text := "  " + s.Problem
		if s.Record != "" {
			text = "  " + elide(value(s.Record), p.Width*valueLines, 0)
		}
		p.para(para{indent: indent, below: indent + 2, label: s.Domain, labelPaint: p.Palette.Strong, text: text, paint: p.Palette.Faint})
		return
	}
	paint, end := p.Palette.Faint, "no match"
	switch {
	case s.Problem != "" && entered:
		paint, end = p.Palette.Failed, "fails within"
	case s.Problem != "":
		paint, end = p.Palette.Failed, s.Problem
	case s.Matched:
		paint, end = p.Palette.Ready, "matches ("+qualifier(s.Term).String()+")"
	case strings.HasPrefix(s.Term, "redirect="):
		end = "the record of this name decides"
	case s.Void:
		paint, end = p.Palette.Held, "no match, nothing there (void)"
	}
	p.para(para{indent: indent + 2, below: indent + 4, label: s.Term + asked(s.Term, s.Target) + ":", text: " " + end, paint: paint})
}

// qualifier is the one that a directive begins with.
func qualifier(term string) spf.Qualifier {
	for q := spf.Neutral; q <= spf.Fail; q++ {
		if term[0] == q.Symbol() {
			return q
		}
	}
	return spf.Pass
}

// asked is the name that a term asks for, where its text doesn't tell.
func asked(term, target string) string {
	if target == "" || !strings.Contains(term, "%") {
		return ""
	}
	return " (" + target + ")"
}
