package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// Live is a domain as it is published: what Write makes a domain block of.
type Live struct {
	Domain   records.Name
	Zone     records.Zone // the whole zone that holds the domain
	ZoneID   string       // the host's own id of it; empty: none is needed
	Provider records.ProviderRef
	Limits   records.Limits // of the host
	// From says where the zone was read, for people.
	From string
	// Others are the domains of the configuration that are in the zone as well:
	// what they declare is theirs.
	Others []*records.Domain
	// NoTTL says that the TTLs are not those that the host holds, so that none
	// is written: sets keep what they have.
	NoTTL bool
	// Policy is the MTA-STS policy file of the domain; nil: not known.
	Policy *records.STSPolicy
}

// Written is a domain block, and what it comes to.
type Written struct {
	HCL    []byte // in canonical form
	Domain *records.Domain
	// Notes are what people should know, a sentence or two each.
	Notes []string
	// Merges says that the zone has two SPF records, which the block merges: the
	// one case in which the plan of it isn't empty.
	Merges bool
}

// Write makes the domain block whose plan is empty: of blocks that say what is
// meant, where they come to what is live byte for byte, and of record blocks
// elsewhere. The configuration in dir has the providers, the settings and the
// sender types; its domains are not read. Every block is evaluated and planned
// against the live zone before it is used.
func Write(ctx context.Context, dir string, env Environment, live Live) (Written, error) {
	l := newLoader(dir, env)
	var out Written
	var err error
	finished := l.within(ctx, func() {
		l.readShell()
		out, err = newWriter(l, live).write()
	})
	switch {
	case ctx.Err() != nil:
		return Written{}, ctx.Err()
	case !finished || l.late.Load():
		return Written{}, errors.New("the zone is too large to make a configuration of it in time")
	}
	return out, err
}

// readShell reads all blocks but domains.
func (l *loader) readShell() {
	_, shared := splitUnits(l.readUnits())
	top := l.readShared(shared)
	l.variables(top)
	l.locals(top)
	l.providerRefs(top)
	l.readTop(top)
}

// writer makes one domain block.
type writer struct {
	Live
	l     *loader
	types *recipes
	now   time.Time
	// mine are the live values that are the domain's mail, by key.
	mine map[records.Key][]records.Value
	// base is the TTL of the domain; 0: it has none.
	base records.TTL
	// most is the highest TTL of all sets, where it is above ttl_max; else 0.
	most  records.TTL
	notes []string
}

func newWriter(l *loader, live Live) *writer {
	w := &writer{Live: live, l: l, now: l.env.Now, types: &recipes{l: l, m: l.m}, mine: map[records.Key][]records.Value{}}
	w.Zone = records.NewZone(live.Zone.Name, live.Zone.NegativeTTL, slices.DeleteFunc(live.Zone.Sets(), func(s records.RRset) bool {
		return !s.Name.In(live.Domain) && !live.Domain.In(s.Name)
	})...)
	return w
}

// passage is a part of a domain block.
type passage struct {
	text    string // lines of HCL, not indented
	comment string
	attr    bool // it is an attribute of the domain
}

// draft is a domain block in the making.
type draft struct {
	passages []passage
	left     []string // lines about what is left alone
	merges   bool
}

func (w *writer) write() (Written, error) {
	w.collect()
	d, domain, err := w.draft()
	if err != nil {
		return Written{}, err
	}
	w.tellTTL()
	text := w.header() + w.text(d, true)
	out, diags := Format([]byte(text), "import.hcl")
	if diags.HasErrors() {
		return Written{}, diags
	}
	return Written{HCL: out, Domain: domain, Notes: w.notes, Merges: d.merges}, nil
}

// draft makes a block and proves it. Where the senders don't go together with
// the rest, it is made without them, and at last without what keeps it from
// proving right.
func (w *writer) draft() (draft, *records.Domain, error) {
	if d, ok := w.parked(); ok {
		if d, domain, err := w.excuse(d); err == nil {
			return d, domain, nil
		}
	}
	var d draft
	for found := w.recognise(); ; found = found[:len(found)-1] {
		d = w.compose(found)
		if d, domain, err := w.excuse(d); err == nil {
			return d, domain, nil
		}
		if len(found) == 0 {
			break
		}
	}
	if d, domain, err := w.excuse(w.reduce(d, w.changesNothing)); err == nil {
		return d, domain, nil
	}
	return w.excuse(w.reduce(d, func(d draft) error {
		_, err := w.prove(d)
		return err
	}))
}

// reduce leaves out what fails a test.
func (w *writer) reduce(d draft, test func(draft) error) draft {
	good := draft{merges: d.merges}
	for _, p := range d.passages {
		more := good
		more.passages = append(slices.Clone(good.passages), p)
		if err := test(more); err != nil {
			w.note("This is left alone, since maildns can't keep it as it is (%v): %s", err, strings.Join(strings.Fields(p.text), " "))
			continue
		}
		good = more
	}
	return good
}

// excuse adds to a draft what sets its faults aside, and proves it.
func (w *writer) excuse(d draft) (draft, *records.Domain, error) {
	domain, diags := w.evaluate(d)
	if diags.HasErrors() {
		return d, nil, diags
	}
	d.passages = append(slices.Clone(d.passages), w.exceptions(domain)...)
	domain, err := w.prove(d)
	if err != nil {
		return d, nil, err
	}
	d.left = w.leftAlone(domain)
	return d, domain, nil
}

// note tells something, once.
func (w *writer) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.notes, text) {
		w.notes = append(w.notes, text)
	}
}

// collect finds the live values that are the domain's mail.
func (w *writer) collect() {
	own := &records.Domain{Name: w.Domain}
	for set := range w.Zone.All() {
		for _, v := range set.Values {
			kind, ok := records.KindOf(own, set.Key, v)
			if !ok || set.Type == records.TypeNS || !w.takes(set, v) {
				continue
			}
			if real, ok := records.KindAt(set.Key, v); !ok || real != kind {
				continue // text that nobody takes for what stands there
			}
			w.mine[set.Key] = append(w.mine[set.Key], v)
		}
	}
	if len(w.mine[records.Key{Name: records.STSName(w.Domain), Type: records.TypeTXT}]) == 0 {
		for _, t := range []records.Type{records.TypeA, records.TypeAAAA, records.TypeCNAME} {
			delete(w.mine, records.Key{Name: records.STSHost(w.Domain), Type: t})
		}
	}
}

// takes reports whether a live value can be declared by this domain: it is
// nobody else's, and its set can be written.
func (w *writer) takes(set records.RRset, v records.Value) bool {
	if slices.ContainsFunc(w.Others, func(d *records.Domain) bool { return belongs(d, w.Domain, set.Key, v) }) {
		return false
	}
	switch {
	case set.Fixed != "":
		w.note("%s is left alone: it can't be written by maildns (%s).", set.Key, set.Fixed)
		return false
	case set.TTL == 0:
		w.note("%s is left alone: its TTL is 0, which a configuration can't declare.", set.Key)
		return false
	}
	return true
}

// belongs reports whether a value is another domain's: it declares it, or the
// name lies in that domain and not nearer to this one.
func belongs(d *records.Domain, domain records.Name, k records.Key, v records.Value) bool {
	if k.Name.In(d.Name) && d.Name.In(domain) && d.Name != domain {
		return true
	}
	return d.Name != domain && slices.ContainsFunc(d.Declared(), func(o records.Declared) bool { return o.Key == k && o.Value == v })
}

// ttlOf is the live TTL of values of a set: that of the set, or the smallest of
// theirs on a host that stores one with each.
func (w *writer) ttlOf(k records.Key, values ...records.Value) records.TTL {
	set, _ := w.Zone.Set(k)
	if len(set.TTLs) == 0 {
		return set.TTL
	}
	return set.Focus(func(v records.Value) bool { return slices.Contains(values, v) }).TTL
}

// ttl is the attribute that a block about values of a set needs; empty where the
// domain's holds.
func (w *writer) ttl(k records.Key, values ...records.Value) string {
	t := w.ttlOf(k, values...)
	if w.NoTTL || t == 0 || t == w.base {
		return ""
	}
	return hclAttr("ttl", hclTTL(t))
}

// chooseTTL makes the TTL that most sets have the domain's. Senders have no TTL
// of their own: where theirs are not that one, the domain has none either, and
// their sets keep what they have.
func (w *writer) chooseTTL(found []finding) {
	count := map[records.TTL]int{}
	made := map[records.TTL]bool{}
	w.base, w.most = 0, 0
	see := func(k records.Key, values ...records.Value) records.TTL {
		t := w.ttlOf(k, values...)
		if t != records.AutoTTL {
			w.most = max(w.most, t)
		}
		count[t]++
		return t
	}
	for k, values := range w.mine {
		see(k, values...)
	}
	for _, f := range found {
		for _, c := range f.claims {
			made[see(c.key, c.text)] = true
		}
	}
	if w.most <= w.l.cfg.Settings.TTLMax {
		w.most = 0
	}
	if w.NoTTL || len(count) == 0 {
		return
	}
	w.base = slices.MaxFunc(slices.Sorted(maps.Keys(count)), func(a, b records.TTL) int { return cmp.Compare(count[a], count[b]) })
	if len(made) > 1 || len(made) == 1 && !made[w.base] {
		w.base = 0
	}
	if len(made) == 1 && w.base == 0 {
		for t := range made {
			w.base = t
		}
	}
}

func (w *writer) tellTTL() {
	if w.most != 0 {
		w.note("A live TTL is %s, above the ttl_max of %s: a policy block in the domain admits it. A mistake would live that long in caches; lower it when you can.",
			seconds(w.most), seconds(w.l.cfg.Settings.TTLMax))
	}
}

// text writes the domain block. Comments are for people: a trial needs none.
func (w *writer) text(d draft, comments bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "domain %s {\n", hclString(string(w.Domain)))
	for _, line := range w.attributes(d) {
		b.WriteString(line + "\n")
	}
	if w.most != 0 {
		comment := ""
		if comments {
			comment = hclComment(fmt.Sprintf("Live TTLs go up to %s. This admits them; lower the TTLs, then delete it.", seconds(w.most)))
		}
		b.WriteString("\n" + comment + hclBlock("policy", hclAttr("ttl_max", hclTTL(w.most))) + "\n")
	}
	for _, p := range d.passages {
		if p.attr {
			continue
		}
		b.WriteString("\n")
		if comments {
			b.WriteString(hclComment(p.comment))
		}
		b.WriteString(p.text + "\n")
	}
	if comments && len(d.left) > 0 {
		b.WriteString("\n" + hclComment("Left alone: looks like mail, but it isn't this domain's, or it can't be declared. What is a mail domain of its own gets a domain block of its own."))
		for _, line := range d.left {
			b.WriteString("#   " + line + "\n")
		}
	}
	b.WriteString("}\n")
	return b.String()
}

func (w *writer) attributes(d draft) []string {
	out := []string{hclAttr("provider", "provider."+w.Provider.String())}
	if w.Zone.Name != w.Domain {
		out = append(out, hclAttr("zone", hclString(string(w.Zone.Name))))
	}
	if w.ZoneID != "" {
		out = append(out, hclAttr("zone_id", hclString(w.ZoneID)))
	}
	if w.base != 0 {
		out = append(out, hclAttr("ttl", hclTTL(w.base)))
	}
	for _, p := range d.passages {
		if p.attr {
			out = append(out, p.text)
		}
	}
	return out
}

// header says what the file is.
func (w *writer) header() string {
	return hclComment(fmt.Sprintf("%s as it was live %s on %s, by maildns import. It declares what is there and changes nothing: the first apply adopts it.",
		w.Domain, w.From, w.now.Format(time.DateOnly))) + "\n"
}

// read calls f with the block of a draft, as Load would read it.
func (w *writer) read(d draft, f func(scope)) Diagnostics {
	var diags Diagnostics
	for _, u := range nativeUnits("import.hcl", []byte(w.text(d, false))) {
		w.l.m.forget()
		w.l.held.Store(0) // nothing of a trial is kept
		blocks, faults := u.parse(w.l.m)
		diags = append(diags, faults...)
		for _, b := range blocks {
			f(scope{block: b, m: w.l.m, ctx: w.l.base, in: b.title(), diags: &diags})
		}
	}
	return diags
}

// evaluate reads a draft.
func (w *writer) evaluate(d draft) (out *records.Domain, diags Diagnostics) {
	diags = w.read(d, func(s scope) {
		decl := s.domain(w.l, w.types)
		for _, c := range checkZone([]declaration{decl}) {
			s.note(c)
		}
		out = decl.Domain
	})
	if out == nil && !diags.HasErrors() {
		diags = append(diags, Diagnostic{Severity: Error, Summary: "No domain block"})
	}
	return out, diags
}

// senderOf evaluates a sender block alone.
func (w *writer) senderOf(text string) (m made, ok bool) {
	diags := w.read(draft{passages: []passage{{text: text}}}, func(s scope) {
		if all := s.senders(&records.Domain{Name: w.Domain, Settings: w.l.cfg.Settings}, w.types); len(all) == 1 {
			m, ok = all[0], true
		}
	})
	return m, ok && !diags.HasErrors()
}

// prove evaluates a draft and plans it against the live zone. The error says
// what would change, or what stops the domain. The domain is nil where it can't
// be read.
func (w *writer) prove(d draft) (*records.Domain, error) {
	domain, p, err := w.try(d)
	if err != nil {
		return domain, err
	}
	if stops := stopping(p); len(stops) > 0 {
		return domain, fmt.Errorf("%s: %s", stops[0].Rule, stops[0].Message)
	}
	return domain, nil
}

// try is prove without the findings, which are about the domain as a whole.
func (w *writer) try(d draft) (*records.Domain, plan.Domain, error) {
	domain, diags := w.evaluate(d)
	if diags.HasErrors() {
		return nil, plan.Domain{}, diags
	}
	p := w.plan(domain)
	for _, c := range p.Changes {
		merge := c.Kind == records.KindSPF && c.Key() == w.apex() && c.State == plan.Ready && c.Action == plan.ActionUpdate
		if !merge || !d.merges {
			return domain, p, fmt.Errorf("%s would change", c.Key())
		}
	}
	return domain, p, nil
}

// stopping are the findings that stop a domain.
func stopping(p plan.Domain) []plan.Finding {
	return slices.DeleteFunc(slices.Clone(p.Findings), func(f plan.Finding) bool {
		return !policy.Stopped(plan.Domain{Findings: []plan.Finding{f}})
	})
}

// plan plans a domain as a first run would.
func (w *writer) plan(d *records.Domain) plan.Domain {
	out := policy.PlanZone(policy.ZoneInput{
		Live: w.Zone, Past: plan.State{}.Index(), Journal: plan.JournalAbsent, Clock: w.clock(),
		Domains: []*records.Domain{d}, Others: slices.DeleteFunc(slices.Clone(w.Others), func(o *records.Domain) bool { return o.Name == d.Name }),
		Source: plan.LiveProvider, Host: policy.Host{Limits: w.Limits},
	})
	return out.Domains[0]
}

func (w *writer) clock() plan.Clock { return plan.Clock{Now: w.now, Wall: w.now} }

// apex is where the domain's SPF record stands.
func (w *writer) apex() records.Key { return records.Key{Name: w.Domain, Type: records.TypeTXT} }

// changesNothing tries a draft.
func (w *writer) changesNothing(d draft) error {
	_, _, err := w.try(d)
	return err
}

// fits tries one passage alone.
func (w *writer) fits(p passage) bool {
	return w.changesNothing(draft{passages: []passage{p}}) == nil
}

// liveSPF are the domain's SPF records.
func (w *writer) liveSPF() []records.Value {
	return slices.DeleteFunc(slices.Clone(w.mine[w.apex()]), func(v records.Value) bool { return !spf.IsSPF(string(v)) })
}

// exceptionTime is for how long a fault is set aside.
const exceptionTime = 30 * 24 * time.Hour

// exceptions set aside the rules that stop a domain as it is, or that would find
// an error where nothing is known of the live zone.
func (w *writer) exceptions(d *records.Domain) []passage {
	faults := stopping(w.plan(d))
	for _, f := range policy.Lint(d, w.clock()) {
		if f.Severity == plan.SeverityError && f.About == plan.AboutDeclared {
			faults = append(faults, f)
		}
	}
	slices.SortStableFunc(faults, func(a, b plan.Finding) int { return strings.Compare(a.Rule, b.Rule) })
	until := w.now.Add(exceptionTime).Format(time.DateOnly)
	var out []passage
	for i, f := range faults {
		if i > 0 && faults[i-1].Rule == f.Rule {
			continue
		}
		out = append(out, passage{
			comment: fmt.Sprintf("A fault that is live: %s. To mend it: %s.", f.Message, f.Fix),
			text: hclBlock("exception "+hclString(f.Rule),
				hclAttr("reason", hclString("live when the domain was imported")), hclAttr("until", hclString(until))),
		})
	}
	return out
}

// maxLeft is how many lines about what is left alone are worth reading.
const maxLeft = 30

// leftAlone lists what looks like mail and is not declared.
func (w *writer) leftAlone(d *records.Domain) []string {
	var out []string
	for _, u := range w.plan(d).Unmanaged {
		for _, v := range u.Values {
			text := records.PrintableValue(v)
			if len(text) > 60 {
				text = text[:60] + "…"
			}
			out = append(out, fmt.Sprintf("%s %s %s", u.Name.Relative(w.Domain), u.Type, strings.ToValidUTF8(text, "…")))
		}
	}
	if n := len(out); n > maxLeft {
		out = append(out[:maxLeft], fmt.Sprintf("and %d more: plan lists them", n-maxLeft))
	}
	if len(out) > 0 {
		w.note("%d values look like mail and are left alone; they stand as comments at the end of the block.", len(out))
	}
	return out
}
