package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// sort brings the parts of a domain into an order that doesn't depend on the
// source.
func (d declaration) sort() {
	slices.SortStableFunc(d.DKIM, func(a, b records.DKIM) int { return cmp.Compare(a.Selector, b.Selector) })
	slices.SortStableFunc(d.MX, records.MX.Compare)
	slices.SortStableFunc(d.BIMI, func(a, b records.BIMI) int { return cmp.Compare(a.Selector, b.Selector) })
	slices.SortStableFunc(d.Free, func(a, b records.Free) int {
		return cmp.Or(a.Key.Compare(b.Key), slices.Compare(a.Values, b.Values))
	})
	slices.SortStableFunc(d.Exceptions, func(a, b records.Exception) int { return cmp.Compare(a.Rule, b.Rule) })
	slices.SortStableFunc(d.Overrides, func(a, b records.Override) int { return cmp.Compare(a.Gate, b.Gate) })
	slices.SortStableFunc(d.KnownSources, func(a, b records.KnownSource) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(d.Protect)
	d.Protect = slices.Compact(d.Protect)
}

// checkDomains finds what is wrong between domains, completes what depends on
// others, and orders them by name.
func (l *loader) checkDomains() {
	slices.SortStableFunc(l.declared, func(a, b declaration) int { return cmp.Compare(a.Name, b.Name) })
	l.dropSecond()
	l.resolveReports()
	l.noteAccepted()
	l.checkRollouts()
	l.checkKeys()
	zones := l.byZone()
	notes := make([]Diagnostics, len(zones))
	inParallel(workers(), len(zones), func(_, i int) {
		notes[i] = checkZone(zones[i])
		for _, d := range zones[i] {
			d.Digest = digest(d.Domain)
		}
	})
	for _, n := range notes {
		l.note(n...)
	}
	l.cfg.Domains = make([]*records.Domain, len(l.declared))
	for i, d := range l.declared {
		l.cfg.Domains[i] = d.Domain
	}
}

// dropSecond reports domains that are declared twice and keeps the first.
func (l *loader) dropSecond() {
	kept := l.declared[:0]
	for _, d := range l.declared {
		if n := len(kept); n > 0 && kept[n-1].Name == d.Name {
			l.note(Diagnostic{Severity: Error, Summary: "Domain declared twice", Source: span(d.nameRng), In: d.in,
				Detail: fmt.Sprintf("%s is declared at %s already. Merge the two blocks.", d.Name, place(kept[n-1].Source))})
			continue
		}
		kept = append(kept, d)
	}
	l.declared = kept
}

// resolveReports completes accept_reports_for = "declared": the domains of the
// configuration that send their reports here. A domain of the same
// organisation needs no authorisation (RFC 9990 4).
func (l *loader) resolveReports() {
	if !slices.ContainsFunc(l.declared, func(d declaration) bool { return d.reports != nil }) {
		return
	}
	senders := l.reportSenders()
	for _, d := range l.declared {
		if d.reports == nil {
			continue
		}
		for _, n := range senders[d.Name] {
			if n != d.Name && policy.Organization(n) != policy.Organization(d.Name) {
				d.Reports = append(d.Reports, records.ReportFor{Domain: n, Source: source(d.reports.rng)})
			}
		}
	}
}

// noteAccepted tells each domain which others accept its reports.
func (l *loader) noteAccepted() {
	for _, d := range l.declared {
		for _, r := range d.Reports {
			i, found := slices.BinarySearchFunc(l.declared, r.Domain, func(d declaration, n records.Name) int { return cmp.Compare(d.Name, n) })
			if found && !d.Removed {
				l.declared[i].ReportsAccepted = append(l.declared[i].ReportsAccepted, d.Name)
			}
		}
	}
}

// reportSenders lists, for every host that takes reports, the domains that
// send them there, by name.
func (l *loader) reportSenders() map[records.Name][]records.Name {
	senders := map[records.Name][]records.Name{}
	for _, d := range l.declared {
		if d.DMARC == nil || d.Removed {
			continue
		}
		for _, text := range slices.Concat(d.DMARC.Record.RUA, d.DMARC.Record.RUF) {
			u, err := records.ParseReportURI(text)
			if err != nil {
				continue
			}
			if list := senders[u.Host]; len(list) == 0 || list[len(list)-1] != d.Name {
				senders[u.Host] = append(list, d.Name)
			}
		}
	}
	return senders
}

// checkRollouts finds groups and canaries that are not there.
func (l *loader) checkRollouts() {
	for _, r := range l.cfg.Rollouts {
		if r.Label == "" && !slices.Contains(l.groups, r.Name) {
			l.note(Diagnostic{Severity: Error, Summary: "Rollout without domains", Source: point(r.Source), In: fmt.Sprintf("rollout %q", r.Name),
				Detail: fmt.Sprintf("A rollout is named like the for_each domain block that it is about, or has a label. There is no domain %q with for_each.", r.Name)})
		}
		for _, n := range r.Canary {
			if _, found := slices.BinarySearchFunc(l.declared, n, func(d declaration, n records.Name) int { return cmp.Compare(d.Name, n) }); !found {
				l.note(Diagnostic{Severity: Error, Summary: "Unknown canary", Source: point(r.Source), In: fmt.Sprintf("rollout %q", r.Name),
					Detail: fmt.Sprintf("The configuration has no domain %s.", n)})
			}
		}
	}
}

// checkKeys finds a DKIM key that several domains publish: one leak then costs
// all of them. Within one domain the rule finds it in the plan.
func (l *loader) checkKeys() {
	first := map[string]*records.Domain{}
	for _, d := range l.declared {
		aside := slices.ContainsFunc(d.Exceptions, func(e records.Exception) bool { return e.Rule == ruleDKIMReuse })
		for _, k := range d.DKIM {
			if k.Key == nil || aside {
				continue
			}
			other, again := first[string(k.Key.Data)]
			if !again {
				first[string(k.Key.Data)] = d.Domain
			} else if other != d.Domain {
				l.note(Diagnostic{Severity: Warning, Rule: ruleDKIMReuse, Summary: "One key in two domains", Source: point(k.Source), In: d.in,
					Detail: fmt.Sprintf("The key of %s is one of %s as well: a leak costs both. Make a key for each domain.", records.DKIMName(k.Selector, d.Name), other.Name)})
			}
		}
	}
}

// byZone groups the domains by zone, in the order of the zones' names.
func (l *loader) byZone() [][]declaration {
	ordered := slices.Clone(l.declared)
	slices.SortStableFunc(ordered, func(a, b declaration) int { return strings.Compare(string(a.Zone), string(b.Zone)) })
	var zones [][]declaration
	for i, d := range ordered {
		if i == 0 || ordered[i-1].Zone != d.Zone {
			zones = append(zones, nil)
		}
		zones[len(zones)-1] = append(zones[len(zones)-1], d)
	}
	return zones
}

// zoneCheck gathers the contradictions of one zone.
type zoneCheck struct{ diags Diagnostics }

// checkZone finds contradictions between the domains of one zone.
func checkZone(domains []declaration) Diagnostics {
	var z zoneCheck
	first := domains[0]
	for _, d := range domains[1:] {
		switch {
		case d.Provider != first.Provider && d.Provider.Type != "" && first.Provider.Type != "":
			z.conflict(d, d.Source, "", "One zone, two providers", "%s and %s are in the zone %s, but have the providers %s and %s (%s). A zone has one provider.",
				first.Name, d.Name, d.Zone, first.Provider, d.Provider, place(first.Source))
		case d.ZoneID != first.ZoneID:
			z.conflict(d, d.Source, "", "One zone, two ids", "%s and %s are in the zone %s, but have different zone_id (%s). Give both the same.",
				first.Name, d.Name, d.Zone, place(first.Source))
		}
	}
	z.checkValues(domains)
	return z.diags
}

func (z *zoneCheck) conflict(d declaration, where records.Source, rule, summary, format string, args ...any) {
	z.diags = append(z.diags, Diagnostic{Severity: Error, Rule: rule, Summary: summary, Detail: fmt.Sprintf(format, args...), In: d.in, Source: point(where)})
}

// claim is one declared value and who declares it.
type claim struct {
	records.Declared
	by declaration
}

// together reports whether two claims are of one block, or of two for one
// selector: then reading the domain has found what is wrong.
func (c claim) together(o claim) bool {
	selectors := c.Kind == records.KindDKIM || c.Kind == records.KindBIMI
	return c.by.Name == o.by.Name && (c.Source == o.Source || selectors && c.Kind == o.Kind)
}

// checkValues finds values that are declared twice, and other records beside a
// CNAME (RFC 1034 3.6.2).
func (z *zoneCheck) checkValues(domains []declaration) {
	var claims []claim
	for _, d := range domains {
		for _, v := range d.Declared() {
			claims = append(claims, claim{v, d})
		}
	}
	slices.SortStableFunc(claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.Key.Name, b.Key.Name), compareSources(a.Source, b.Source))
	})
	for start := 0; start < len(claims); {
		end := start + 1
		for end < len(claims) && claims[end].Key.Name == claims[start].Key.Name {
			end++
		}
		z.checkName(claims[start:end])
		start = end
	}
}

func compareSources(a, b records.Source) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// checkName judges all values of one name, which are in source order.
func (z *zoneCheck) checkName(claims []claim) {
	type datum struct {
		key   records.Key
		value records.Value
	}
	seen := map[datum]claim{}
	alias := slices.IndexFunc(claims, func(c claim) bool { return c.Key.Type == records.TypeCNAME })
	for i, c := range claims {
		if earlier, again := seen[datum{c.Key, c.Value}]; again {
			if c.together(earlier) {
				continue
			}
			z.conflict(c.by, c.Source, "", "Value declared twice", "%s %s is declared at %s already. Delete one of the two.",
				c.Key, shorten(c.Value), place(earlier.Source))
			continue
		}
		seen[datum{c.Key, c.Value}] = c
		if alias >= 0 && i != alias && !claims[alias].together(c) {
			z.besideCNAME(claims[alias], c)
		}
	}
}

// besideCNAME reports at the later of the two.
func (z *zoneCheck) besideCNAME(alias, other claim) {
	first, second := alias, other
	if compareSources(first.Source, second.Source) > 0 {
		first, second = second, first
	}
	if alias.Key.Type == other.Key.Type {
		z.conflict(second.by, second.Source, ruleCNAME, "Several CNAMEs", "%s has a CNAME at %s already; a name has at most one (RFC 1034 3.6.2).", second.Key.Name, place(first.Source))
		return
	}
	z.conflict(second.by, second.Source, ruleCNAME, "Record beside a CNAME", "%s is declared as CNAME at %s and as %s at %s; a CNAME stands alone (RFC 1034 3.6.2). Delete one of the two.",
		alias.Key.Name, place(alias.Source), other.Key.Type, place(other.Source))
}

// shorten quotes a value for a message.
func shorten(v records.Value) string {
	text := records.PrintableValue(v)
	if len(text) > 60 {
		text = text[:60] + "…"
	}
	return fmt.Sprintf("%q", text)
}
