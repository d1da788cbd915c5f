package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// over makes a fault of every record that is above a limit and that the rule
// doesn't hold: what is held is told by overLimit.
func (v *view) over(rule string, judge func(spfStated, KnownTerm) string) []fault {
	var out []fault
	for _, r := range v.spfTexts() {
		message := judge(r, v.spfCost(r.Key.Name, r.record))
		if message != "" && !v.holds(r.Key, rule) {
			out = append(out, fault{at: r.stated, message: message}.as(v.unlessDeclared()))
		}
	}
	return out
}

func spfLookups(v *view) []fault {
	return v.over(RuleLookups, func(r spfStated, cost KnownTerm) string {
		if cost.Lookups <= MaxLookups {
			return ""
		}
		return fmt.Sprintf(tooManyLookups, cost.Lookups, MaxLookups, v.costs(r))
	})
}

func spfHeadroom(v *view) []fault {
	return v.eachSPF(func(r spfStated) string {
		n := v.spfCost(r.Key.Name, r.record).Lookups
		if n < headroom || n > MaxLookups {
			return ""
		}
		return fmt.Sprintf(littleHeadroom, n, MaxLookups, v.costs(r))
	})
}

// costs names the terms of a record by their lookups.
func (v *view) costs(r spfStated) string {
	var terms []costly
	for _, t := range r.record.Live() {
		known, ok := v.spfTerm(r.Key.Name, t)
		if !ok && t.Kind.QueriesDNS() {
			known.Lookups = 1
		}
		terms = append(terms, costly{t, known.Lookups})
	}
	return dearest(terms)
}

func spfVoid(v *view) []fault {
	out := v.over(RuleVoid, func(_ spfStated, cost KnownTerm) string {
		if cost.Voids <= MaxVoids {
			return ""
		}
		return fmt.Sprintf(voidLookups, cost.Voids, MaxVoids, listed(cost.Nothing))
	})
	for _, r := range v.spfTexts() {
		if cost := v.spfCost(r.Key.Name, r.record); cost.Voids > 0 && cost.Voids <= MaxVoids {
			out = append(out, faultf(r.stated, voidLookups, cost.Voids, MaxVoids, listed(cost.Nothing)).as(plan.SeverityWarning))
		}
	}
	return out
}

// termFaults makes a fault of what the terms of the records lead to that is of
// the given kind; each once for a record.
func (v *view) termFaults(match func(spf.Kind, spf.Problem) bool, consequence string) []fault {
	var out []fault
	for _, r := range v.spfTexts() {
		var told []string
		for _, t := range r.record.Live() {
			known, _ := v.spfTerm(r.Key.Name, t)
			for _, f := range known.Faults {
				term, kind := f.of(t)
				message := place(term, f.Domain) + ": " + f.Detail + consequence
				if match(kind, f.Problem) && !slices.Contains(told, message) {
					told = append(told, message)
					out = append(out, fault{at: r.stated, message: message})
				}
			}
		}
	}
	return out
}

// of is the term that has a fault, which t leads to, and its kind.
func (f TermFault) of(t spf.Term) (string, spf.Kind) {
	if f.Term == "" {
		return t.String(), t.Kind
	}
	below, _ := spf.ParseTerm(f.Term)
	return f.Term, below.Kind
}

// unusable are the problems of a record that a term leads to.
var unusable = []spf.Problem{spf.NoRecord, spf.SeveralRecords, spf.Syntax}

func spfIncludeNone(v *view) []fault {
	return v.termFaults(func(k spf.Kind, p spf.Problem) bool { return k == spf.Include && slices.Contains(unusable, p) }, permErrorThere)
}

func spfRedirectNone(v *view) []fault {
	return v.termFaults(func(k spf.Kind, p spf.Problem) bool { return k == spf.Redirect && slices.Contains(unusable, p) }, permErrorThere)
}

func spfLoop(v *view) []fault {
	return v.termFaults(func(_ spf.Kind, p spf.Problem) bool { return p == spf.Loop }, permErrorLoop)
}

func spfFanout(v *view) []fault {
	return v.termFaults(func(_ spf.Kind, p spf.Problem) bool { return p == spf.TooManyHosts }, permErrorThere)
}

// explanations are the names that hold the explanations of refusals.
func explanations(v *view) []Question {
	var out []Question
	for _, r := range v.spfTexts() {
		if t, ok := r.record.Find(spf.Exp); ok && !t.Domain.HasMacros() {
			out = append(out, Question{records.CanonicalName(t.Domain.Text), records.TypeTXT})
		}
	}
	return out
}

func spfExp(v *view) []fault {
	return v.eachSPF(func(r spfStated) string {
		t, ok := r.record.Find(spf.Exp)
		if !ok || t.Domain.HasMacros() {
			return ""
		}
		a, ok := v.answer(records.CanonicalName(t.Domain.Text), records.TypeTXT)
		switch {
		case !ok || len(a.Values) == 1:
			return ""
		case len(a.Values) == 0:
			return fmt.Sprintf("%s: there is no TXT record, so that receivers leave the explanation out", t)
		}
		return fmt.Sprintf("%s: there are %d TXT records, so that receivers leave the explanation out", t, len(a.Values))
	})
}

// returnAliases are the names that the return paths of the senders are aliases
// of: the records there are the services'.
func returnAliases(v *view) []Question {
	var out []Question
	for _, s := range v.Domain.Senders {
		if alias := v.aliasAt(s.MailFrom); alias != nil {
			out = append(out, Question{records.CanonicalName(string(alias.Value)), records.TypeTXT})
		}
	}
	return out
}

// aliasAt is the CNAME of a name below the domain, declared or live.
func (v *view) aliasAt(n records.Name) *stated {
	for _, side := range []*view{v.declaredView(), v.liveView()} {
		if at := side.at(records.Key{Name: n, Type: records.TypeCNAME}); len(at) > 0 {
			return &at[0]
		}
	}
	return nil
}

func spfUnauthorised(v *view) []fault {
	if !v.declared() {
		return nil
	}
	var out []fault
	for i := range v.Domain.Senders {
		s := &v.Domain.Senders[i]
		if s.MailFrom != "" && s.MailFrom.In(v.Domain.Name) {
			out = append(out, v.unauthorised(s)...)
		}
	}
	return out
}

// unauthorised judges one sender on the record that its MAIL FROM domain will
// have.
func (v *view) unauthorised(s *records.Sender) []fault {
	if alias := v.aliasAt(s.MailFrom); alias != nil {
		return v.unauthorisedThere(s, alias)
	}
	record := v.spfAt(s.MailFrom)
	if record == nil {
		if v.hasSPF(s.MailFrom) || s.MailFrom == v.Domain.Name && len(v.spfOf(s)) == 0 {
			return nil
		}
		return []fault{faultf(v.senderAt(s), "there is no SPF record, and the bounces of %s go there: SPF says nothing about its mail", s.Type)}
	}
	var out []fault
	for _, t := range v.spfOf(s) {
		if missing := v.missing(record, t); missing != "" {
			out = append(out, faultf(record.stated, "it doesn't pass %s, which %s sends from, so that SPF fails for its mail", missing, s.Type))
		}
	}
	return out
}

// unauthorisedThere judges the record that an alias leads to. It is the
// service's, which may make it only when it finds the alias.
func (v *view) unauthorisedThere(s *records.Sender, alias *stated) []fault {
	target := records.CanonicalName(string(alias.Value))
	a, ok := v.answer(target, records.TypeTXT)
	if !ok || slices.ContainsFunc(a.Values, func(value records.Value) bool { return spf.IsSPF(string(value)) }) {
		return nil
	}
	return []fault{faultf(v.senderAt(s), "the bounces of %s go there, and its alias %s has no SPF record now", s.Type, target).
		as(plan.SeverityWarning).mend("let the service verify the domain; if the record is still missing then, copy the alias again from its dashboard")}
}

// senderAt is the place of a sender's declaration, for a fault about its MAIL
// FROM domain.
func (v *view) senderAt(s *records.Sender) *stated {
	return &stated{Declared: records.Declared{Kind: records.KindSPF, Key: records.Key{Name: s.MailFrom, Type: records.TypeTXT}, Source: s.Source}}
}

// spfAt is the SPF record that a name will have: the declared one, or the live
// one, which then stays; nil where there is none.
func (v *view) spfAt(n records.Name) *spfStated {
	for _, side := range []*view{v.declaredView(), v.liveView()} {
		list := side.spfTexts()
		if i := slices.IndexFunc(list, func(r spfStated) bool { return r.Key.Name == n }); i >= 0 {
			return &list[i]
		}
	}
	return nil
}

// spfOf are the terms that a sender needs at its MAIL FROM domain.
func (v *view) spfOf(s *records.Sender) []spf.Term {
	var out []spf.Term
	for _, o := range s.SPF {
		if t, err := spf.ParseTerm(o.Term); err == nil && o.Name == s.MailFrom && t.Kind != spf.All {
			out = append(out, t)
		}
	}
	return out
}

// missing names what of a sender's term a record doesn't pass: an address as a
// sample, or the term where its addresses aren't known; empty where it passes.
func (v *view) missing(r *spfStated, t spf.Term) string {
	if slices.ContainsFunc(r.record.Live(), func(o spf.Term) bool { return o.Qualifier == spf.Pass && authority(o) == authority(t) }) {
		return ""
	}
	known, ok := v.spfTerm(r.Key.Name, t)
	if !ok || known.Unknown != "" || known.Pass.IsEmpty() {
		return t.Key()
	}
	lost := known.Pass.Minus(v.spfCost(r.Key.Name, r.record).Pass)
	if lost.IsEmpty() || passesAll(r.record) {
		return ""
	}
	return fmt.Sprintf("%s of %s", lost.Ranges()[0].From, t.Key())
}

// checkFlatten tells of networks that are held, and of those that the live
// record lacks.
func checkFlatten(s *Subject) []plan.Finding {
	out := warned(s.overLimit(RuleFlatten))
	if s.Known.SPF == nil || s.Known.SPF.Flat == nil {
		return out
	}
	for _, r := range s.liveView().ownSPF() {
		if lost := s.unflattened(r.record); !lost.IsEmpty() {
			out = append(out, s.finding(plan.SeverityError, plan.AboutLive, s.Domain.Source, "apply: the plan adds them",
				"%s: the flattened record lacks %s that the service sends from now: %s", r.Key.Name, howMany(lost), rangesOf(lost)))
		}
	}
	return out
}

// unflattened is what a live record that was flattened before lacks of the
// services' present networks.
func (s *Subject) unflattened(live *spf.Record) spf.AddressSet {
	own := networks(s.Domain.SPF.Record)
	flat := slices.DeleteFunc(networks(s.Known.SPF.Flat), func(p netip.Prefix) bool { return slices.Contains(own, p) })
	was := networks(live)
	if !slices.ContainsFunc(flat, func(p netip.Prefix) bool { return slices.Contains(was, p) }) {
		return spf.AddressSet{}
	}
	return spf.SetOf(flat...).Minus(s.spfCost(s.Domain.Name, live).Pass)
}

func rangesOf(s spf.AddressSet) string {
	var out []string
	for _, r := range s.Largest(3) {
		out = append(out, r.String())
	}
	return strings.Join(out, ", ")
}
