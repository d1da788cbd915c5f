package policy

import (
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// ancestors are the names above a name, the nearest first, up to its
// organizational domain by the public suffix list.
func ancestors(n records.Name) []records.Name {
	var out []records.Name
	for end := Organization(n); n != end && n != ""; {
		n = n.Parent()
		out = append(out, n)
	}
	return out
}

// recordsAbove are the names above the domain that may have a DMARC record.
func recordsAbove(v *view) []Question {
	var out []Question
	for _, n := range ancestors(v.Domain.Name) {
		out = append(out, Question{records.DMARCName(n), records.TypeTXT})
	}
	return out
}

// dmarcAt is the DMARC record that a name will have, be it by the plan of another
// domain of the zone, with the alias of a service followed where the DNS was
// asked; known is false where that can't be told.
func (v *view) dmarcAt(n records.Name) (r records.DMARCRecord, found, known bool) {
	name := records.DMARCName(n)
	a, known := v.lookup(name, records.TypeTXT)
	if set, ok := v.After.Set(records.Key{Name: name, Type: records.TypeTXT}); ok {
		a, known = Answer{Values: set.Values}, true
	}
	if !known && n.In(v.Domain.Name) {
		known = !v.handedOver(name)
	}
	for _, value := range a.Values {
		if r, err := records.ParseDMARC(string(value)); err == nil {
			return r, true, true
		}
	}
	return r, false, known
}

// handedOver reports whether a name is an alias or a delegation, declared or
// live, so that its record is not in the zone.
func (v *view) handedOver(name records.Name) bool {
	for _, side := range []*view{v.declaredView(), v.liveView()} {
		if len(side.at(records.Key{Name: name, Type: records.TypeCNAME})) > 0 || len(side.at(records.Key{Name: name, Type: records.TypeNS})) > 0 {
			return true
		}
	}
	return false
}

func dmarcMissing(v *view) []fault {
	if !v.declared() || !v.Domain.Sends() {
		return nil
	}
	for _, n := range append([]records.Name{v.Domain.Name}, ancestors(v.Domain.Name)...) {
		if _, found, known := v.dmarcAt(n); found || !known {
			return nil
		}
	}
	return []fault{faultf(nil, "%s has no DMARC record: forged mail in its name is refused nowhere, and nobody reports it", v.Domain.Name)}
}

// authorisations are the records by which other organizations accept reports
// (RFC 9990 4).
func authorisations(v *view) []Question {
	var out []Question
	v.eachURI("rua", func(_, _ string, u records.ReportURI, _ func(string, ...any) *fault) {
		if v.isExternal(u) {
			out = append(out, Question{records.ReportName(v.Domain.Name, u.Host), records.TypeTXT})
		}
	})
	return out
}

// isExternal reports whether a report address needs the consent of another
// organization that this configuration doesn't declare.
func (v *view) isExternal(u records.ReportURI) bool {
	return u.Scheme == "mailto" && Organization(u.Host) != Organization(v.Domain.Name) && !slices.Contains(v.Domain.ReportsAccepted, u.Host)
}

func dmarcExternal(v *view) []fault {
	return v.eachURI("rua", func(_, _ string, u records.ReportURI, say func(string, ...any) *fault) {
		if !v.isExternal(u) {
			return
		}
		name := records.ReportName(v.Domain.Name, u.Host)
		a, ok := v.answer(name, records.TypeTXT)
		if ok && !slices.ContainsFunc(a.Values, func(value records.Value) bool { return records.IsDMARC(string(value)) }) {
			say("%s doesn't accept reports about %s: there is no record at %s, so that receivers send none", u.Host, v.Domain.Name, name)
		}
	})
}

// reportHosts are the domains of the report addresses.
func reportHosts(v *view) []Question {
	var out []Question
	v.eachURI("rua ruf", func(_, _ string, u records.ReportURI, _ func(string, ...any) *fault) {
		if u.Scheme == "mailto" {
			out = append(out, Question{u.Host, records.TypeMX}, Question{u.Host, records.TypeA}, Question{u.Host, records.TypeAAAA})
		}
	})
	return out
}

func dmarcReportHosts(v *view) []fault {
	return v.eachURI("rua ruf", func(tag, _ string, u records.ReportURI, say func(string, ...any) *fault) {
		if why := v.takesNoMail(u.Host); u.Scheme == "mailto" && why != "" {
			say("%s of %s goes nowhere: %s %s", tag, u.Address, u.Host, why)
		}
	})
}

// takesNoMail says why mail can't be delivered to a domain (RFC 5321 5.1, RFC
// 7505) when the plan is carried out; empty where it can, or where that isn't
// known.
func (v *view) takesNoMail(host records.Name) string {
	v = v.declaredView()
	mx, ok := v.lookup(host, records.TypeMX)
	switch {
	case !ok:
		return ""
	case len(mx.Values) == 1 && mx.Values[0] == records.NullMX:
		return "has a null MX"
	case len(mx.Values) > 0:
		return ""
	}
	for _, t := range []records.Type{records.TypeA, records.TypeAAAA} {
		if a, ok := v.lookup(host, t); !ok || len(a.Values) > 0 {
			return ""
		}
	}
	return "has neither MX nor address"
}

// mailNames are the domains that the declared senders use in From and MAIL FROM
// addresses, and the domain itself.
func (v *view) mailNames() []records.Name {
	out := []records.Name{v.Domain.Name}
	for _, s := range v.Domain.Senders {
		for _, n := range append([]records.Name{s.MailFrom}, s.From...) {
			if n.In(v.Domain.Name) && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

func dmarcOrganization(v *view) []fault {
	if !v.declared() || !v.Domain.Sends() {
		return nil
	}
	var out []fault
	for _, n := range v.mailNames() {
		list, tree := Organization(n), v.treeWalk(n)
		if tree != "" && tree != list {
			out = append(out, faultf(nil, "the organizational domain of %s is %s by the public suffix list and %s by the DNS tree walk", n, list, tree))
		}
	}
	return out
}

// treeWalk is the organizational domain of a name by the records that receivers
// meet on the way up (RFC 9989 4.10.2), as far as its organizational domain by
// the public suffix list; empty where there is no record, or where that can't
// be told.
func (v *view) treeWalk(n records.Name) records.Name {
	var highest records.Name
	below := n
	for _, at := range append([]records.Name{n}, ancestors(n)...) {
		r, found, known := v.dmarcAt(at)
		switch {
		case !known:
			return ""
		case found && r.PSD == records.FlagNo:
			return at
		case found && r.PSD == records.FlagYes:
			return below
		case found:
			highest = at
		}
		below = at
	}
	return highest
}

// mostLabels is how deep a name may lie for receivers to meet all records above
// it (RFC 9989 4.10).
const mostLabels = 8

func dmarcDeep(v *view) []fault {
	if !v.declared() {
		return nil
	}
	var out []fault
	for _, n := range v.mailNames() {
		if labels := strings.Count(string(n), ".") + 1; labels > mostLabels && v.Domain.Sends() {
			if _, found, known := v.dmarcAt(n); known && !found {
				out = append(out, faultf(nil, "%s has %d labels and no DMARC record of its own: receivers skip the names between it and its last 7 labels", n, labels))
			}
		}
	}
	return out
}

// signs reports whether a sender signs as the domain: with selectors of its own,
// or, where it sends from the domain itself, with one of the domain's that no
// sender claims.
func (v *view) signs(s *records.Sender) bool {
	if len(s.Selectors) > 0 {
		return true
	}
	return s.MailFrom == v.Domain.Name && slices.ContainsFunc(v.Domain.DKIM, func(k records.DKIM) bool {
		return !k.Revoked && !slices.ContainsFunc(v.Domain.Senders, func(o records.Sender) bool { return slices.Contains(o.Selectors, k.Selector) })
	})
}

// signsBelow reports whether a sender may sign as its MAIL FROM domain, a name
// below this one: that name is handed to it, or has keys.
func (v *view) signsBelow(s *records.Sender) bool {
	if s.MailFrom == v.Domain.Name || !s.MailFrom.In(v.Domain.Name) {
		return false
	}
	return slices.ContainsFunc(v.Domain.Free, func(f records.Free) bool {
		_, owner, isKey := strings.Cut(string(f.Key.Name), "._domainkey.")
		return f.Key.Type == records.TypeNS && s.MailFrom.In(f.Key.Name) || isKey && owner == string(s.MailFrom)
	})
}

// writesAs are the From domains of a sender.
func (v *view) writesAs(s *records.Sender) []records.Name {
	if len(s.From) == 0 {
		return []records.Name{v.Domain.Name}
	}
	return s.From
}

// enforced is underPolicy on this side: a live record is judged on itself.
func (v *view) enforced(d *dmarcStated) plan.Severity {
	if v.declared() {
		return v.underPolicy()
	}
	if d.record.Reach() == (records.Reach{}) {
		return plan.SeverityWarning
	}
	return plan.SeverityError
}

// ofDomain reports whether a record states the domain's own policy.
func (v *view) ofDomain(d *dmarcStated) bool {
	return d.Key.Name == records.DMARCName(v.Domain.Name)
}

func dmarcStrictDKIM(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		if !d.record.ADKIM.Strict() || !v.ofDomain(d) {
			return
		}
		for i := range v.Domain.Senders {
			s := &v.Domain.Senders[i]
			for _, from := range v.writesAs(s) {
				if v.signs(s) && from != v.Domain.Name {
					say("%s signs as %s and writes from %s, which adkim=s doesn't align", s.Type, v.Domain.Name, from).severity = v.enforced(d)
				}
			}
		}
	})
}

func dmarcStrictSPF(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		if !d.record.ASPF.Strict() || !v.ofDomain(d) {
			return
		}
		for i := range v.Domain.Senders {
			s := &v.Domain.Senders[i]
			for _, from := range v.writesAs(s) {
				if s.MailFrom == "" || s.MailFrom == from || Organization(s.MailFrom) != Organization(from) {
					continue // SPF aligns, or aligns in neither mode
				}
				if v.aligned(s, from, d.record) {
					say("the bounces of %s go to %s, so that SPF never aligns with %s under aspf=s: DKIM alone carries its mail", s.Type, s.MailFrom, from).severity = plan.SeverityWarning
					continue
				}
				say("the bounces of %s go to %s and it has no aligned DKIM signature, so that all its mail from %s fails DMARC under aspf=s", s.Type, s.MailFrom, from).severity = v.enforced(d)
			}
		}
	})
}

// aligned reports whether a sender's DKIM signatures align with a From domain.
func (v *view) aligned(s *records.Sender, from records.Name, r records.DMARCRecord) bool {
	return v.signs(s) && (from == v.Domain.Name || !r.ADKIM.Strict()) || v.signsBelow(s) && !r.ADKIM.Strict()
}

func dmarcNoDKIM(v *view) []fault {
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		if d.record.Policy != records.PolicyReject || !v.ofDomain(d) {
			return
		}
		for i := range v.Domain.Senders {
			s := &v.Domain.Senders[i]
			if !slices.ContainsFunc(v.writesAs(s), func(from records.Name) bool { return !v.aligned(s, from, d.record) }) {
				continue
			}
			f := say("%s has no aligned DKIM signature: with p=reject its forwarded mail is refused", s.Type)
			if today, ok := v.today(); v.declared() && (!ok || today.Policy != records.PolicyReject) {
				f.severity = plan.SeverityWarning
			}
		}
	})
}

func dmarcPeople(v *view) []fault {
	if !v.Domain.People {
		return nil
	}
	return v.eachPolicy(func(d *dmarcStated, say func(string, ...any) *fault) {
		if d.record.Policy == records.PolicyReject && v.ofDomain(d) {
			say("people write from %s, and p=reject refuses their mail to lists and by forwarders", v.Domain.Name)
		}
	})
}
