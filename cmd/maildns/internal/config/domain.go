package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// declaration is a domain with what only this package needs of it.
type declaration struct {
	*records.Domain
	nameRng hcl.Range
	in      string
	reports *item // accept_reports_for = "declared"
}

// job is a domain block to evaluate: as it stands, or for some elements of its
// for_each.
type job struct {
	unit     *unit
	elements []element
}

// element is one of a for_each.
type element struct{ key, value cty.Value }

// found is what a job came to.
type found struct {
	domains []declaration
	groups  []string // labels of for_each blocks
	more    []job
	diags   Diagnostics
}

const (
	maxBatch = 64  // jobs between two looks at how much is wrong
	perJob   = 100 // elements of a for_each that one job evaluates
)

// readDomains evaluates the domain blocks, on all cores: reading HCL is what
// a big configuration costs. The result doesn't depend on who was first.
func (l *loader) readDomains(units []unit) {
	jobs := make([]job, len(units))
	for i := range units {
		jobs[i] = job{unit: &units[i]}
	}
	readers := make([]domainReader, workers())
	for i := range readers {
		readers[i] = domainReader{l: l, m: &meter{budget: &l.budget}}
		readers[i].types = &recipes{l: l, m: readers[i].m}
	}
	for len(jobs) > 0 && !l.late.Load() {
		batch := jobs[:min(len(jobs), maxBatch)]
		results := make([]found, len(batch))
		inParallel(len(readers), len(batch), func(worker, i int) { results[i] = readers[worker].do(batch[i]) })
		jobs = jobs[len(batch):]
		for i, r := range results {
			if batch[i].elements == nil && len(r.more) == 0 {
				batch[i].unit.src = nil // let go of the file
			}
			l.declared = append(l.declared, r.domains...)
			l.groups = append(l.groups, r.groups...)
			l.note(r.diags...)
			jobs = append(jobs, r.more...)
		}
		if !l.bearable() {
			return
		}
	}
}

// bearable reports whether reading can go on: there are not too many domains
// yet, nor too many faults.
func (l *loader) bearable() bool {
	switch {
	case len(l.declared) > maxDomains:
		l.note(tooManyDomains(l.declared[maxDomains].Source))
		return false
	case l.full.Load():
		l.note(Diagnostic{Severity: Error, Summary: "Domains too large", Source: point(l.lastPlace()),
			Detail: fmt.Sprintf("All domains together may hold some %d MiB. The last one that was read is here.", maxHeld>>20)})
		return false
	case len(l.diags) > 2*maxNotes: // of which warnings are the lesser part
		l.note(Diagnostic{Severity: Error, Summary: "Too many errors", Detail: "The rest of the configuration was not read. Mend these first."})
		return false
	}
	return true
}

// lastPlace is where the last domain that was read is declared.
func (l *loader) lastPlace() records.Source {
	if n := len(l.declared); n > 0 {
		return l.declared[n-1].Source
	}
	return records.Source{Line: 1, Column: 1}
}

func tooManyDomains(at records.Source) Diagnostic {
	return Diagnostic{Severity: Error, Summary: "Too many domains", Source: point(at),
		Detail: fmt.Sprintf("A configuration has at most %d domains.", maxDomains)}
}

// domainReader evaluates domain blocks, one after the other.
type domainReader struct {
	l      *loader
	m      *meter
	last   *unit // the block that was read last, and what it is
	blocks []*block
	types  *recipes
	found
}

func (r *domainReader) do(j job) found {
	r.found = found{}
	if r.l.late.Load() {
		return r.found
	}
	if r.last != j.unit {
		var diags Diagnostics
		r.blocks, diags = j.unit.parse(r.m)
		r.last = j.unit
		if j.elements == nil { // they were reported then
			r.diags = append(r.diags, diags...)
		}
	}
	for _, b := range r.blocks {
		r.m.forget()
		s := scope{block: b, m: r.m, ctx: r.l.base, in: cutText(b.title(), maxWords/10), diags: &r.diags}
		switch {
		case b.kind != "domain":
			s.report(b.rng, "Block doesn't begin on a line of its own", "Put every block on lines of its own.")
		case j.elements != nil:
			r.instances(s, j.elements)
		case b.attrs["for_each"] != nil:
			r.forEach(s, j.unit)
		default:
			r.domain(s)
		}
	}
	return r.found
}

// forEach makes jobs of the elements of a map or set.
func (r *domainReader) forEach(s scope, u *unit) {
	r.groups = append(r.groups, s.label(0))
	if s.attrs["name"] == nil {
		s.report(s.rng, "Missing attribute", "A domain block with for_each needs name, such as name = each.key.")
		return
	}
	v, a := s.value("for_each")
	if a == nil || v.CanIterateElements() && v.LengthInt() == 0 {
		r.rehearse(s)
		return
	}
	if ty := v.Type(); !ty.IsMapType() && !ty.IsObjectType() && !(ty.IsSetType() && ty.ElementType() == cty.String) {
		s.report(a.rng, "Wrong type", "for_each must be a map or a set of strings. Make one of a list by toset(LIST), or by { for x in LIST : x.domain => x }.")
		r.rehearse(s)
		return
	}
	if v.LengthInt() > maxDomains {
		s.note(tooManyDomains(source(a.rng)))
		return
	}
	elements := make([]element, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if v.Type().IsSetType() {
			key = value
		}
		elements = append(elements, element{key, value})
	}
	for part := range slices.Chunk(elements, perJob) {
		r.more = append(r.more, job{u, part})
	}
}

func (r *domainReader) instances(s scope, elements []element) {
	for _, e := range elements {
		if r.l.late.Load() || r.l.full.Load() {
			return
		}
		one := s.each(e.key, e.value)
		one.in = fmt.Sprintf("%s for %q", s.in, cutText(e.key.AsString(), maxWords/10))
		r.domain(one)
	}
}

func (s scope) each(key, value cty.Value) scope {
	s.ctx = s.ctx.NewChild()
	s.ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
	return s
}

// rehearse evaluates a block that makes no domain, so that its faults are
// found all the same.
func (r *domainReader) rehearse(s scope) {
	s.each(cty.UnknownVal(cty.String), cty.DynamicVal).domain(r.l, r.types)
}

func (r *domainReader) domain(s scope) {
	r.m.forget()
	r.m.hold(domainCost + blockCost*len(s.blocks))
	if d := s.domain(r.l, r.types); d.Name != "" {
		r.domains = append(r.domains, d)
	}
}

// domain reads a domain block.
func (s scope) domain(l *loader, types *recipes) declaration {
	d := &records.Domain{Source: source(s.rng), Settings: l.cfg.Settings}
	out := declaration{Domain: d, nameRng: s.rng, in: s.in}
	s.identity(d, l, &out)
	s.parts(d, l.env.Now, types)
	s.checkTwice(d)
	d.Parked = s.flag("parked")
	if d.Parked {
		s.checkParked()
	}
	out.reports = s.acceptReports(d)
	s.checkTTLs(d)
	out.sort()
	return out
}

// identity reads what says which domain it is and where it is.
func (s scope) identity(d *records.Domain, l *loader, out *declaration) {
	if s.attrs["name"] != nil {
		d.Name, out.nameRng = s.name("name"), s.rangeOf("name")
	} else {
		d.Name = s.parseName(s.label(0), s.rng)
	}
	if strings.HasPrefix(string(d.Name), "*") {
		s.report(out.nameRng, "Invalid name", "A domain can't be a wildcard. Write a record block for it.")
		d.Name = ""
	}
	if b := s.first("policy"); b != nil {
		d.Settings = s.of(b).settings(l.cfg.Settings)
	}
	d.Provider = s.providerOf(l.cfg.Providers)
	d.Zone = cmp.Or(s.name("zone"), d.Name)
	if d.Name != "" && !d.Name.In(d.Zone) {
		s.report(s.rangeOf("zone"), "Domain outside its zone", "The domain %s does not lie in the zone %s. Its zone is the domain itself or a name above it.", d.Name, d.Zone)
	}
	d.ZoneID, _ = s.line("zone_id")
	d.TTL = s.ttl("ttl")
	d.Owner, _ = s.line("owner")
	d.Labels = s.stringMap("labels")
	d.People = s.flag("people")
	d.Removed = s.oneOf("state", "present", "present", "removed") == "removed"
	if b := s.first("review"); b != nil {
		d.Review = s.of(b).review()
	}
	for _, it := range s.texts("protect") {
		if it.text == "" {
			s.report(it.rng, "Empty prefix", "protect lists the beginnings of values; an empty one would match all.")
			continue
		}
		d.Protect = append(d.Protect, it.text)
	}
}

func (s scope) parseName(text string, r hcl.Range) records.Name {
	n, err := records.ParseName(text)
	if err != nil {
		rule := ""
		if isTooLong(text) {
			rule = ruleLength
		}
		s.fault(rule, r, "Invalid name", "%s", sentence(err))
	}
	return n
}

// isTooLong reports whether a name, or a label of it, is longer than the DNS
// can hold (RFC 1035 2.3.4).
func isTooLong(name string) bool {
	return len(name) > 254 || slices.ContainsFunc(strings.Split(name, "."), func(label string) bool { return len(label) > 63 })
}

// parts reads the blocks of a domain.
func (s scope) parts(d *records.Domain, now time.Time, types *recipes) {
	senders := s.senders(d, types)
	if s.flag("null_mx") {
		at := source(s.rangeOf("null_mx"))
		d.NullMX = &at
	}
	for _, b := range s.blocks {
		c := s.of(b)
		switch b.kind {
		case "mx":
			d.MX = append(d.MX, c.mx())
		case "spf":
			d.SPF = c.spf(authorised(senders))
		case "dkim":
			d.DKIM = append(d.DKIM, c.dkim())
		case "dmarc":
			d.DMARC = c.dmarc(s.flag("parked"))
		case "tls_rpt":
			d.TLSRPT = c.tlsRPT()
		case "bimi":
			d.BIMI = append(d.BIMI, c.bimi())
		case "record":
			d.Free = append(d.Free, c.record(d.Name))
		case "exception":
			d.Exceptions = append(d.Exceptions, c.exception(now))
		case "override":
			if o, holds := c.override(now); holds {
				d.Overrides = append(d.Overrides, o)
			}
		case "known_source":
			d.KnownSources = append(d.KnownSources, c.knownSource(now))
		}
	}
	s.addSenders(d, senders)
	if d.NullMX != nil && len(d.MX) > 0 {
		s.fault(ruleNullMX, s.rangeOf("null_mx"), "null_mx beside mx", "A null MX says that the domain receives no mail; it stands alone (RFC 7505 3). Delete it, or the mx block at line %d.", d.MX[0].Source.Line)
	}
	if b := s.first("mta_sts"); b != nil { // after mx, its default
		d.MTASTS = s.of(b).mtaSTS(d)
	}
}

// checkTwice finds two blocks for one selector, gate, rule or known source.
func (s scope) checkTwice(d *records.Domain) {
	first := map[string]records.Source{}
	check := func(kind, name string, at records.Source) {
		if earlier, again := first[kind+name]; again && name != "" {
			s.note(Diagnostic{Severity: Error, Summary: "Declared twice", Source: point(at),
				Detail: fmt.Sprintf("There is a block %s %q at %s already. Delete one of the two.", kind, name, place(earlier))})
			return
		}
		first[kind+name] = at
	}
	for _, k := range d.DKIM {
		check("dkim", k.Selector, k.Source)
	}
	for _, b := range d.BIMI {
		check("bimi", b.Selector, b.Source)
	}
	for _, e := range d.Exceptions {
		check("exception", e.Rule, e.Source)
	}
	for _, o := range d.Overrides {
		check("override", o.Gate, o.Source)
	}
	for _, k := range d.KnownSources {
		check("known_source", k.Name, k.Source)
	}
}

func (s scope) review() *records.Review {
	for _, name := range []string{"last", "every"} {
		if s.attrs[name] == nil {
			s.report(s.rng, "Missing attribute", "A review block needs %s.", name)
		}
	}
	return &records.Review{Last: s.date("last", false), Every: s.duration("every", 0), Source: source(s.rng)}
}

// parkedParts are what may stand in a parked domain.
var parkedParts = []string{
	"name", "for_each", "provider", "zone", "zone_id", "ttl", "owner", "labels", "state", "parked",
	"review", "policy", "protect", "record", "exception", "override", "dmarc",
}

// checkParked refuses what contradicts that a domain sends and receives
// nothing.
func (s scope) checkParked() {
	for _, name := range slices.Sorted(maps.Keys(s.attrs)) {
		if !slices.Contains(parkedParts, name) && s.has(name) {
			s.report(s.attrs[name].nameRng, "Not in a parked domain", "A parked domain sends and receives nothing, so it has no %s. Delete it, or parked = true.", name)
		}
	}
	for _, b := range s.blocks {
		if !slices.Contains(parkedParts, b.kind) {
			s.report(b.rng, "Not in a parked domain", "A parked domain sends and receives nothing, so it has no %s block. Delete it, or parked = true.", b.kind)
		}
	}
	if b := s.first("dmarc"); b != nil {
		for _, name := range slices.Sorted(maps.Keys(b.attrs)) {
			if name != "rua" && name != "ruf" {
				s.report(b.attrs[name].nameRng, "Not in a parked domain", "The dmarc block of a parked domain has rua and ruf only: its policy is reject. Delete %s.", name)
			}
		}
		for _, c := range b.blocks {
			s.report(c.rng, "Not in a parked domain", "A parked domain has no ramp: its policy is reject. Delete the block.")
		}
	}
}

// acceptReports reads accept_reports_for. "declared" is resolved when all
// domains are known.
func (s scope) acceptReports(d *records.Domain) *item {
	const name = "accept_reports_for"
	v, a := s.value(name)
	if a == nil {
		return nil
	}
	if v.Type() == cty.String {
		if v.AsString() != "declared" {
			s.report(a.rng, "Invalid value", `%s must be "declared" or a list of domains.`, name)
			return nil
		}
		return &item{rng: a.rng}
	}
	for _, it := range s.texts(name) {
		if n := s.parseName(it.text, it.rng); n != "" {
			d.Reports = append(d.Reports, records.ReportFor{Domain: n, Source: source(it.rng)})
		}
	}
	return nil
}

// checkTTLs enforces ttl_max (R22) on the domain and on each of its blocks.
func (s scope) checkTTLs(d *records.Domain) {
	host, _ := provider.Lookup(d.Provider.Type)
	check := func(s scope, ttl records.TTL) {
		switch {
		case ttl == records.AutoTTL && d.Provider.Type != "" && !host.Limits.AutoTTL:
			s.report(s.rangeOf("ttl"), "No automatic TTL", "A host of type %q doesn't choose TTLs itself. Write a duration.", d.Provider.Type)
			return
		case ttl == records.AutoTTL || ttl <= d.Settings.TTLMax:
			return
		}
		s.note(Diagnostic{Severity: Error, Rule: RuleTTLMax, Summary: "TTL above ttl_max", Source: span(s.rangeOf("ttl")),
			Detail: fmt.Sprintf("The TTL is %s, and policy.ttl_max is %s: a mistake would live that long in caches. Lower it, or admit it with a policy block in the domain.",
				seconds(ttl), seconds(d.Settings.TTLMax))})
	}
	check(s, d.TTL)
	for _, b := range s.blocks {
		if b.attrs["ttl"] != nil {
			c := s.of(b)
			quiet := c
			quiet.diags = new(Diagnostics) // it was read and judged before
			check(c, quiet.ttl("ttl"))
		}
	}
}

// seconds prints a TTL for people, as it is written in a configuration.
func seconds(t records.TTL) string {
	for _, u := range units {
		if n := time.Duration(t) * time.Second; n%u.length == 0 && n > 0 {
			return fmt.Sprintf("%d%c", n/u.length, u.letter)
		}
	}
	return fmt.Sprint(uint32(t))
}
