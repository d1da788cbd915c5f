package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// Subject is what the rules look at: a domain's declaration, the live zone,
// and the plan between them.
type Subject struct {
	Input
	Today   plan.Today
	Changes []plan.Change
	After   records.Zone // as it will be when the plan is carried out
	Host    Host
	// Here are the live sets at the domain's names: those that no other domain
	// of the configuration is nearer to.
	Here []records.RRset

	sides [2]*view // declared and live, once they are made
}

func (s *Subject) finding(sev plan.Severity, about plan.About, source records.Source, fix, format string, args ...any) plan.Finding {
	f := plan.Finding{Severity: sev, About: about, Message: fmt.Sprintf(format, args...), Fix: fix}
	if about == plan.AboutDeclared && source.File != "" {
		f.Source = &source
	}
	return f
}

// liveValues are the live values at a key that begin a record of the kind.
func (s *Subject) liveValues(name records.Name, is func(string) bool) []records.Value {
	set, _ := s.Live.Set(records.Key{Name: name, Type: records.TypeTXT})
	return slices.DeleteFunc(slices.Clone(set.Values), func(v records.Value) bool { return !is(string(v)) })
}

// several finds records of a kind of which the plan would leave more than one
// at a name where receivers use one at most. Where all of them are live and
// declared just so, nothing gets worse.
func (s *Subject) several(kind records.Kind, is func(string) bool) []plan.Finding {
	var out []plan.Finding
	for i, d := range s.Today.Declared {
		if d.Kind != kind || d.Key.Type != records.TypeTXT || !is(string(d.Value)) || i > 0 && s.Today.Declared[i-1].Kind == kind && s.Today.Declared[i-1].Key == d.Key {
			continue
		}
		set, _ := s.After.Set(d.Key)
		after := slices.DeleteFunc(slices.Clone(set.Values), func(v records.Value) bool { return !is(string(v)) })
		declared := slices.DeleteFunc(ofKind(s.Today.Declared, kind, d.Key), func(v records.Value) bool { return !is(string(v)) })
		sev := plan.SeverityWarning
		if !s.allLive(d.Key, after) || !s.allLive(d.Key, declared) && len(declared) > 1 {
			sev = plan.SeverityError
		}
		if n := max(len(after), len(declared)); n > 1 && (sev == plan.SeverityError || len(declared) > 1) {
			out = append(out, s.finding(sev, plan.AboutDeclared, d.Source,
				fmt.Sprintf("keep one: a block of the kind %s takes the place of all of them, a record block only of the values that it lists", kind),
				"%s would have %d %s records, of which receivers use none", d.Key.Name, n, strings.ToUpper(string(kind))))
		}
	}
	return out
}

func ofKind(list []records.Declared, kind records.Kind, key records.Key) []records.Value {
	var same []records.Declared
	for _, d := range list {
		if d.Kind == kind && d.Key == key {
			same = append(same, d)
		}
	}
	return valuesAt(same, key)
}

// allLive reports whether the zone has all of some values.
func (s *Subject) allLive(key records.Key, values []records.Value) bool {
	live, _ := s.Live.Set(key)
	return !slices.ContainsFunc(values, func(v records.Value) bool { return !live.Has(v) })
}

// unlessLive is the severity of an error about a declared value: a warning where
// just that is live, since nothing gets worse.
func (s *Subject) unlessLive(key records.Key, value records.Value) plan.Severity {
	if s.allLive(key, []records.Value{value}) {
		return plan.SeverityWarning
	}
	return plan.SeverityError
}

func checkMultipleSPF(s *Subject) []plan.Finding {
	if found := s.several(records.KindSPF, spf.IsSPF); found != nil {
		return found
	}
	live := s.liveValues(s.Domain.Name, spf.IsSPF)
	if len(live) < 2 {
		return nil
	}
	fix := "declare an spf block: the plan then merges them"
	if slices.ContainsFunc(s.Changes, func(c plan.Change) bool { return c.Kind == records.KindSPF && c.State == plan.Ready }) {
		fix = "this plan merges them"
	}
	return []plan.Finding{s.finding(plan.SeverityError, plan.AboutLive, s.Domain.Source, fix,
		"%s has %d SPF records: receivers answer PERMERROR and authorise nobody", s.Domain.Name, len(live))}
}

// overLimit tells of records that a rule holds, and what to choose from.
func (s *Subject) overLimit(rule string) []plan.Finding {
	var out []plan.Finding
	for _, h := range s.Today.Held {
		for _, g := range h.Gates {
			if g.ID == rule {
				out = append(out, s.finding(plan.SeverityError, plan.AboutDeclared, s.kindSource(h.Kind), g.Needs, "%s is held: %s", h.Key, g.Reason))
			}
		}
	}
	return out
}

func checkMultipleDMARC(s *Subject) []plan.Finding {
	if found := s.several(records.KindDMARC, records.IsDMARC); found != nil {
		return found
	}
	name := records.Below("_dmarc", s.Domain.Name)
	live := s.liveValues(name, records.IsDMARC)
	if len(live) < 2 {
		return nil
	}
	return []plan.Finding{s.finding(plan.SeverityError, plan.AboutLive, s.Domain.Source, "declare a dmarc block: the plan leaves one",
		"%s has %d DMARC records: receivers discard all of them", name, len(live))}
}

func checkPctSplit(s *Subject) []plan.Finding {
	d := s.Domain.DMARC
	if d == nil || d.Compat != records.Compat7489 {
		return nil
	}
	for _, step := range d.Steps {
		if e := step.Effects(d.Compat); e.Differ() {
			return []plan.Finding{s.finding(plan.SeverityWarning, plan.AboutDeclared, d.Source,
				`compat = "both" adds t=y, which keeps it at most that share everywhere`,
				"the step %q is %s for receivers that follow RFC 7489 and %s for those that follow RFC 9989, which has no pct", step, e.RFC7489, e.RFC9989)}
		}
	}
	return nil
}

func checkLoosens(s *Subject) []plan.Finding {
	for _, c := range s.Changes {
		if c.Kind == records.KindDMARC && slices.ContainsFunc(c.Meaning, func(m string) bool { return strings.Contains(m, "LOOSENS") }) {
			return []plan.Finding{s.finding(plan.SeverityWarning, plan.AboutDeclared, s.Domain.Source,
				"declare the live policy if this is not meant", "LOOSENS the DMARC policy of %s", s.Domain.Name)}
		}
	}
	return nil
}

func checkCNAME(s *Subject) []plan.Finding {
	out := s.checkGroups()
	for _, d := range s.Today.Declared {
		if set, _ := s.After.Set(d.Key); d.Key.Type == records.TypeCNAME && len(set.Values) > 1 {
			out = append(out, s.finding(plan.SeverityError, plan.AboutDeclared, d.Source,
				"remove the one that is not meant: a name has one CNAME at most",
				"%s would have several CNAMEs: %s", d.Key.Name, printable(set.Values)))
		}
		for _, set := range s.Live.At(d.Key.Name) {
			if set.Type == d.Key.Type || set.Type != records.TypeCNAME && d.Key.Type != records.TypeCNAME || s.goes(set) {
				continue
			}
			out = append(out, s.finding(plan.SeverityError, plan.AboutDeclared, d.Source,
				"remove the one that is not meant: nothing may stand beside a CNAME",
				"%s already has %s (%s), so %s can't be published there%s", d.Key.Name, set.Type, printable(set.Values), d.Key.Type, holder(set)))
		}
	}
	return out
}

// checkGroups finds changes that must be made in one step on a host that can't.
func (s *Subject) checkGroups() []plan.Finding {
	var out []plan.Finding
	for _, c := range s.Changes {
		if c.Group != nil && c.Type == records.TypeCNAME && !s.Host.together(s.grouped(*c.Group)) {
			out = append(out, s.finding(plan.SeverityError, plan.AboutDeclared, s.kindSource(c.Kind),
				"publish it at a new name, a new selector for example, and withdraw the old one later",
				"%s would have to become another type of record in one step, which %s can't do", c.Name, s.Domain.Provider))
		}
	}
	return out
}

// goes reports whether the domain's own plan takes the whole set away, or
// would if a gate let it.
func (s *Subject) goes(set records.RRset) bool {
	return slices.ContainsFunc(s.Changes, func(c plan.Change) bool {
		return c.Key() == set.Key && c.After == nil
	})
}

// holder says which hosted service a CNAME or delegation hands the name to.
func holder(set records.RRset) string {
	if set.Type != records.TypeCNAME && set.Type != records.TypeNS && set.Type != "DNAME" || len(set.Values) == 0 {
		return ""
	}
	return fmt.Sprintf(": the name is handed to %s", set.Values[0])
}

func printable(values []records.Value) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = records.PrintableValue(v)
	}
	return strings.Join(out, ", ")
}

func checkOccluded(s *Subject) []plan.Finding {
	var out []plan.Finding
	for _, d := range s.Today.Declared {
		for n := d.Key.Name; n.In(s.Domain.Zone) && n != s.Domain.Zone; n = n.Parent() {
			set, what := s.cut(n, d.Key.Name)
			if what == "" || n == d.Key.Name && (d.Key.Type == records.TypeNS || d.Key.Type == typeDS) {
				continue
			}
			out = append(out, s.finding(s.unlessLive(d.Key, d.Value), plan.AboutDeclared, d.Source,
				"publish it where the name is served, or take the delegation back",
				"%s lies below the %s of %s, so resolvers never see it here%s", d.Key.Name, what, n, holder(set)))
		}
	}
	return out
}

// cut is what hands a name's tree elsewhere, as seen from a name in it: a
// delegation, or a DNAME, which covers only what is below its own name.
func (s *Subject) cut(n, from records.Name) (set records.RRset, what string) {
	if set, ok := s.After.Set(records.Key{Name: n, Type: records.TypeNS}); ok {
		return set, "delegation"
	}
	if set, ok := s.After.Set(records.Key{Name: n, Type: "DNAME"}); ok && n != from {
		return set, "DNAME"
	}
	return records.RRset{}, ""
}

func checkFixed(s *Subject) []plan.Finding {
	var out []plan.Finding
	for _, c := range s.Changes {
		if live, ok := s.Live.Set(c.Key()); ok && live.Fixed != "" {
			out = append(out, s.finding(plan.SeverityError, plan.AboutDeclared, s.Domain.Source,
				"change it where it comes from", "%s can't be changed: %s", c.Key(), live.Fixed))
		}
	}
	return slices.CompactFunc(out, func(a, b plan.Finding) bool { return a.Message == b.Message })
}

func checkForgotten(s *Subject) []plan.Finding {
	var out []plan.Finding
	for _, h := range s.Today.Held {
		for _, g := range h.Gates {
			message := ""
			switch {
			case strings.HasSuffix(g.Reason, neverDeclared):
				message = g.Reason + "; it stays"
			case strings.HasSuffix(g.Reason, neverDeclaredMany):
				message = g.Reason + "; they stay"
			}
			if message == "" || g.Opens() || slices.ContainsFunc(out, func(f plan.Finding) bool { return f.Message == message }) {
				continue
			}
			out = append(out, s.finding(plan.SeverityWarning, plan.AboutDeclared, s.kindSource(h.Kind),
				fmt.Sprintf("declare what is still in use; withdraw the rest with --override %s:%s --reason TEXT", GateAdoption, s.Domain.Name),
				"%s", message))
		}
	}
	return out
}

// kindSource is where the declaration has the kind, or else the domain.
func (s *Subject) kindSource(k records.Kind) records.Source {
	for _, d := range s.Today.Declared {
		if d.Kind == k {
			return d.Source
		}
	}
	return s.Domain.Source
}

func checkUnused(s *Subject) []plan.Finding {
	var out []plan.Finding
	for _, o := range s.Today.Open {
		if s.opens(o.Gate) {
			continue
		}
		out = append(out, s.finding(plan.SeverityInfo, plan.AboutDeclared, s.Domain.Source, "nothing to do",
			"the override of %s opens nothing: the gate holds nothing here", o.Gate))
	}
	for _, o := range s.Past.OverridesOf(s.Domain.Name) {
		if !o.Spent && s.Clock.Now.Before(o.Until) && s.holdsStill(o) {
			out = append(out, s.finding(plan.SeverityWarning, plan.AboutDeclared, s.Domain.Source, "give it again if the change that is held now is meant",
				"the override of %s (%s) was recorded for another change of %s %s, so it opens nothing", o.Gate, o.Reason, o.Name, o.Type))
		}
	}
	return out
}

// holdsStill reports whether a gate holds a change of the set that an override
// was recorded for.
func (s *Subject) holdsStill(o plan.Override) bool {
	holds := false
	for _, c := range s.Changes {
		for _, g := range c.Gates {
			switch {
			case c.Name != o.Name || c.Type != o.Type || g.ID != o.Gate:
			case g.Verdict == plan.Overridden:
				return false // it is in use
			case c.State == plan.Held && !g.Opens():
				holds = true
			}
		}
	}
	return holds
}

func (s *Subject) opens(gate string) bool {
	return slices.ContainsFunc(s.Changes, func(c plan.Change) bool {
		return slices.ContainsFunc(c.Gates, func(g plan.GateVerdict) bool { return g.ID == gate })
	})
}

func checkReview(s *Subject) []plan.Finding {
	r := s.Domain.Review
	if r == nil || s.Clock.Now.Before(r.Last.Add(r.Every)) {
		return nil
	}
	return []plan.Finding{s.finding(plan.SeverityWarning, plan.AboutDeclared, r.Source, "review the domain and set last to today",
		"the review of %s is overdue since %s", s.Domain.Name, r.Last.Add(r.Every).Format(time.DateOnly))}
}
