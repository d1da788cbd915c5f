package policy

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// Needs says what a rule must know besides the declaration.
type Needs string

// What rules need. An error of a rule that needs the declaration or the zone
// stops the domain; one of a rule that needs more holds what it names, and
// where its facts are missing it says nothing.
const (
	NeedsNothing Needs = "nothing" // validate runs it
	NeedsZone    Needs = "zone"    // the live zone and the journal
	NeedsDNS     Needs = "dns"
	NeedsHTTPS   Needs = "https" // policy files, certificates, logos
	NeedsReports Needs = "reports"
	NeedsServers Needs = "servers" // each authoritative server by itself
)

// outside reports whether the facts come from beyond the zone.
func (n Needs) outside() bool { return n != NeedsNothing && n != NeedsZone }

// Rule finds one fault.
type Rule struct {
	ID       string
	Severity plan.Severity // the worst that it gives
	Needs    Needs
	RFC      string // the section that it enforces; empty for a judgement of our own
	Finds    string // what it finds, as a noun phrase
	Why      string // what that does to mail, in a sentence or two
	Fix      string // how it is mended, as an imperative

	// look judges what is published at a domain's names, once as it is
	// declared and once as it is live.
	look func(*view) []fault
	// check judges a plan as a whole.
	check func(*Subject) []plan.Finding
	// ask lists what a rule that needs the DNS has to know for look.
	ask func(*view) []Question
	// reads says that reading the configuration finds it, so that it can't
	// come as far as a plan.
	reads bool
}

// Implemented reports whether this version can find the fault: some rules need
// facts that nothing gathers yet.
func (r Rule) Implemented() bool { return r.look != nil || r.check != nil || r.reads }

// Reads reports whether reading the configuration finds the fault.
func (r Rule) Reads() bool { return r.reads }

// OnlyReads reports whether nothing but reading the configuration can find the
// fault, so that there is nothing to set aside.
func (r Rule) OnlyReads() bool { return r.reads && r.look == nil && r.check == nil }

// families are the tables of the rules, in the order in which a plan tells
// what they find.
var families = [][]Rule{spfRules, dmarcRules, dkimRules, mxRules, dnsRules, hostRules, stsRules, tlsrptRules, bimiRules, tlsaRules, planRules}

// Rules lists the rules in the order of the tables.
func Rules() []Rule { return slices.Concat(families...) }

// LookupRule returns the rule of that id.
func LookupRule(id string) (r Rule, ok bool) {
	for _, family := range families {
		if i := slices.IndexFunc(family, func(r Rule) bool { return r.ID == id }); i >= 0 {
			return family[i], true
		}
	}
	return Rule{}, false
}

// each calls f for every rule, in the order of the tables.
func each(f func(*Rule)) {
	for _, family := range families {
		for i := range family {
			f(&family[i])
		}
	}
}

// fault is one thing that a rule's look has found. The zero severity and fix
// are the rule's.
type fault struct {
	at       *stated // nil: the domain as a whole
	severity plan.Severity
	message  string // without the name, which stands before it
	fix      string
}

// faultf makes a fault about a value.
func faultf(at *stated, format string, args ...any) fault {
	return fault{at: at, message: fmt.Sprintf(format, args...)}
}

// as gives a fault another severity than the rule's.
func (f fault) as(s plan.Severity) fault {
	f.severity = s
	return f
}

// mend gives a fault another fix than the rule's.
func (f fault) mend(fix string) fault {
	f.fix = fix
	return f
}

// Check reports what is wrong, in the order of the tables.
func Check(s *Subject) []plan.Finding {
	return s.run([]*view{s.declaredView(), s.liveView()}, func(*Rule) bool { return true })
}

// Lint reports what is wrong with a declaration as far as that can be told
// from it alone. Rules that look at the policy see what a first apply would
// publish.
func Lint(d *records.Domain, clock plan.Clock) []plan.Finding {
	in := Input{Domain: d, Live: records.NewZone(d.Zone, 0), Past: plan.State{}.Index(), Clock: clock}
	s := Subject{Input: in, Today: firstDay(in), Host: Host{Limits: records.Limits{Transactional: true}}}
	found := s.run([]*view{s.declaredView()}, func(r *Rule) bool { return r.Needs == NeedsNothing })
	return slices.DeleteFunc(found, func(f plan.Finding) bool { return f.About == plan.AboutLive }) // there is nothing live
}

// run runs the wanted rules on some sides of the subject.
func (s *Subject) run(sides []*view, wanted func(*Rule) bool) []plan.Finding {
	var out []plan.Finding
	each(func(r *Rule) {
		if !wanted(r) {
			return
		}
		start := len(out)
		if r.check != nil {
			out = append(out, r.check(s)...)
		}
		if r.look != nil {
			for _, v := range sides {
				out = append(out, untold(v.findings(r), out[start:])...)
			}
		}
		for i := start; i < len(out); i++ {
			out[i].Rule, out[i].RFC = r.ID, r.RFC
			out[i] = s.excepted(out[i])
		}
	})
	return out
}

// untold drops findings about the live zone that say of a name, as gravely, what
// one about the declaration says already.
func untold(found, told []plan.Finding) []plan.Finding {
	return slices.DeleteFunc(found, func(f plan.Finding) bool {
		return slices.ContainsFunc(told, func(t plan.Finding) bool { return t.Message == f.Message && t.Severity == f.Severity })
	})
}

// excepted sets aside what an exception of the domain covers: it is told, and
// stops and holds nothing.
func (s *Subject) excepted(f plan.Finding) plan.Finding {
	e, ok := s.exception(f.Rule)
	if !ok {
		return f
	}
	f.Message = fmt.Sprintf("%s (set aside until %s: %s)", f.Message, e.Until.Format(time.DateOnly), e.Reason)
	f.Severity = plan.SeverityInfo
	return f
}

// exception is the domain's exception for a rule that still holds.
func (s *Subject) exception(rule string) (records.Exception, bool) {
	i := slices.IndexFunc(s.Domain.Exceptions, func(e records.Exception) bool { return e.Rule == rule && s.Clock.Now.Before(e.Until) })
	if i < 0 {
		return records.Exception{}, false
	}
	return s.Domain.Exceptions[i], true
}

// findings is what a rule finds on one side.
func (v *view) findings(r *Rule) []plan.Finding {
	var out []plan.Finding
	for _, f := range r.look(v) {
		if v.about == plan.AboutLive && f.at != nil && f.at.both {
			continue // the declaration's side tells of it
		}
		out = append(out, v.finding(r, f))
	}
	return out
}

func (v *view) finding(r *Rule, f fault) plan.Finding {
	out := plan.Finding{
		Severity: cmp.Or(f.severity, r.Severity), About: v.about,
		Message: f.message, Fix: cmp.Or(f.fix, r.Fix),
	}
	source := v.Domain.Source
	if f.at != nil {
		out.Message = string(f.at.Key.Name) + ": " + f.message
		source = cmp.Or(f.at.Source, source)
	}
	if v.about == plan.AboutDeclared {
		if source.File != "" {
			out.Source = &source
		}
		if out.Severity == plan.SeverityError && v.nothingWorse(r, f) {
			out.Severity = plan.SeverityWarning
		}
	} else if f.at != nil && v.isForeign(f.at) && out.Severity == plan.SeverityError {
		out.Severity = plan.SeverityWarning
	}
	return out
}

// nothingWorse reports whether what is live has the fault as well, so that the
// plan doesn't bring it in: the value itself is live, or the live one has just
// this fault.
func (v *view) nothingWorse(r *Rule, f fault) bool {
	if f.at == nil {
		return false
	}
	return f.at.both || slices.ContainsFunc(r.look(v.liveView()), func(l fault) bool {
		return l.at != nil && l.at.Key == f.at.Key && l.message == f.message
	})
}

// isForeign reports whether a live value is neither ours nor one that the
// declaration takes the place of.
func (s *Subject) isForeign(v *stated) bool {
	if _, owned := s.Past.Owner(v.Key, v.Value); owned {
		return false
	}
	return !slices.ContainsFunc(s.Today.Covers, func(c records.Cover) bool { return c.Matches(v.Key, v.Value) })
}

// Stops reports whether a finding stops its domain: an error about the
// declaration whose rule needs nothing from outside.
func Stops(f plan.Finding) bool {
	if f.Severity != plan.SeverityError || f.About != plan.AboutDeclared {
		return false
	}
	r, ok := LookupRule(f.Rule)
	return !ok || !r.Needs.outside()
}

// vetoes are what rules that need more than the zone hold: for each change that
// would bring in an error, by kind and name, the rules' words.
func (s *Subject) vetoes() map[slotID][]plan.GateVerdict {
	var out map[slotID][]plan.GateVerdict
	v := s.declaredView()
	each(func(r *Rule) {
		if r.look == nil || !r.Needs.outside() {
			return
		}
		if _, aside := s.exception(r.ID); aside {
			return
		}
		for _, f := range r.look(v) {
			if f.at == nil || cmp.Or(f.severity, r.Severity) != plan.SeverityError || v.nothingWorse(r, f) {
				continue
			}
			if out == nil {
				out = map[slotID][]plan.GateVerdict{}
			}
			id := slotID{f.at.Kind, f.at.Key.Name}
			out[id] = append(out[id], plan.GateVerdict{ID: r.ID, Verdict: plan.VerdictNo, Reason: f.message, Needs: cmp.Or(f.fix, r.Fix)})
		}
	})
	return out
}
