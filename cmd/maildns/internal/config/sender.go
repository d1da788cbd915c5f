package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// made is what one sender adds to its domain.
type made struct {
	records.Sender
	terms []spf.Term // for the domain's own SPF record
	dkim  []records.DKIM
	mx    []records.MX
	free  []records.Free
	at    scope // the sender block
}

// sender makes the records of one sender; ok is false where something is wrong
// or not known, as in a block that is only rehearsed.
func (s scope) sender(d *records.Domain, types *recipes) (m made, ok bool) {
	name := s.label(0)
	r := types.find(name)
	switch {
	case r == nil:
		known := types.names()
		s.report(s.rng, "Unknown sender type", "There is no sender type %q.%s There are %s; write a sender_type block for others.", name, didYouMean(name, known), strings.Join(known, ", "))
		return made{}, false
	case r.broken:
		return made{}, false
	}
	k := maker{scope: s, domain: d, ctx: r.ctx.NewChild(), diags: new(Diagnostics)}
	k.made = made{Sender: records.Sender{Type: name, Source: source(s.rng)}, at: s}
	if !k.begin(r) {
		return made{}, false
	}
	k.make(r)
	k.blame(r)
	if !s.m.hold(k.count*blockCost) || s.m.late.Load() {
		return made{}, false
	}
	return k.made, !k.diags.HasErrors()
}

// names lists all sender types there are.
func (r *recipes) names() []string {
	names := append(slices.Collect(maps.Keys(r.l.types.own)), presetNames()...)
	slices.Sort(names)
	return slices.Compact(names)
}

// maker evaluates the blocks of a type for one sender. It embeds the scope of
// the sender block; diags are about the type's own text.
type maker struct {
	scope
	domain *records.Domain // nil: a rehearsal
	ctx    *hcl.EvalContext
	diags  *Diagnostics
	made   made
	count  int
}

// begin evaluates the inputs; false where one is wrong or not known.
func (k *maker) begin(r *recipe) bool {
	k.checkAttributes(r)
	values := make(map[string]cty.Value, len(r.inputs))
	known := k.domain.Name != ""
	for _, in := range r.inputs {
		v, ok := k.input(in)
		values[in.name] = v
		known = known && ok
	}
	k.ctx.Variables = r.values(cty.StringVal(string(k.domain.Name)), values)
	if !known {
		return false
	}
	for _, in := range r.inputs {
		known = k.checkGiven(r, in, values[in.name]) && known
	}
	return known
}

// checkAttributes finds attributes that are no inputs of the type.
func (k *maker) checkAttributes(r *recipe) {
	for _, name := range slices.Sorted(maps.Keys(k.attrs)) {
		if names := r.attributes(); !slices.Contains(names, name) {
			k.report(k.attrs[name].nameRng, "Unknown input", "%s has no input %q.%s It has %s.", k.title(), name, didYouMean(name, names), strings.Join(names, ", "))
		}
	}
}

// attributes lists what a sender block of the type may have.
func (t *senderType) attributes() []string {
	names := slices.Clone(reserved)
	for _, in := range t.inputs {
		names = append(names, in.name)
	}
	slices.Sort(names)
	return names
}

// input evaluates one input. What is absent or null has the default, which may
// be null. ok is false where the value is wrong or not known.
func (k *maker) input(in input) (v cty.Value, ok bool) {
	absent := in.fallback
	if absent.IsNull() {
		absent = cty.NullVal(shapeTypes[in.shape])
	}
	a := k.attrs[in.name]
	if a == nil {
		return absent, true
	}
	v = a.literal
	if v == cty.NilVal {
		v = k.evaluate(a)
	}
	switch {
	case v.IsNull():
		return absent, true
	case !v.IsWhollyKnown():
		return cty.UnknownVal(shapeTypes[in.shape]), false
	}
	v, ok = k.fit(in, v, a)
	return v, ok && k.matches(in, v, a)
}

// checkGiven finds an input that must be given and is not.
func (k *maker) checkGiven(r *recipe, in input, v cty.Value) bool {
	if !v.IsNull() && k.attrs[in.name] != nil || in.rule == mayBeGiven {
		return true
	}
	if in.rule == dependsOnOthers {
		c := scope{block: r.inputBlock(in.name), m: k.m, ctx: k.ctx, in: k.in, diags: k.diags}
		if !c.flag("required") {
			return true
		}
	}
	k.report(k.rng, "Missing input", "%s needs %s%s.", k.title(), in.name, explained(in.description))
	return false
}

// explained puts a description behind what it explains.
func explained(description string) string {
	if description == "" {
		return ""
	}
	return ": " + description
}

func (r *recipe) inputBlock(name string) *block {
	for _, b := range r.block.all("input") {
		if b.label(0) == name {
			return b
		}
	}
	return &block{kind: "input"}
}

// fit brings a value to the shape of an input.
func (s scope) fit(in input, v cty.Value, a *attribute) (cty.Value, bool) {
	switch in.shape {
	case shapeString:
		if v.Type() != cty.String {
			s.report(a.rng, "Wrong type", "%s must be a string in quotes%s.", a.name, explained(in.description))
			return v, false
		}
		text := s.checkText(v.AsString(), a)
		return cty.StringVal(text), text == v.AsString()
	case shapeBool:
		return s.convert(v, cty.Bool, a, "true or false")
	case shapeNumber:
		return s.convert(v, cty.Number, a, "a number")
	case shapeList:
		return s.fitCollection(in, v, a, cty.List(cty.String), "a list of strings in square brackets")
	case shapeMap:
		return s.fitCollection(in, v, a, cty.Map(cty.String), "a map of strings in braces")
	}
	return v, true
}

// fitCollection brings a value to a list or map of strings.
func (s scope) fitCollection(in input, v cty.Value, a *attribute, ty cty.Type, want string) (cty.Value, bool) {
	out, err := toCollection(v, ty)
	wrong := err != nil || !v.CanIterateElements() || v.LengthInt() > maxMade
	if !wrong {
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			wrong = wrong || e.IsNull() || e.Type() != cty.String
		}
	}
	switch {
	case wrong:
		s.report(a.rng, "Wrong type", "%s must be %s%s.", a.name, want, explained(in.description))
		return v, false
	case in.length > 0 && v.LengthInt() != in.length:
		s.report(a.rng, "Wrong number", "%s must have %d elements, not %d%s.", a.name, in.length, v.LengthInt(), explained(in.description))
		return v, false
	}
	return out, true
}

// matches holds each string of a value against the pattern.
func (k *maker) matches(in input, v cty.Value, a *attribute) bool {
	if in.pattern == nil {
		return true
	}
	if v.Type() == cty.String {
		return k.match(in, v.AsString(), a.rng, a)
	}
	if !v.CanIterateElements() {
		k.report(a.rng, "Wrong type", "%s must be a string%s.", a.name, explained(in.description))
		return false
	}
	ok, i := true, 0
	for it := v.ElementIterator(); it.Next(); i++ {
		_, e := it.Element()
		if text, err := convert.Convert(e, cty.String); err != nil || text.IsNull() || !k.match(in, text.AsString(), a.elementRange(i), a) {
			ok = false
		}
	}
	return ok
}

// match reports text that doesn't match, without repeating what could be a key.
func (k *maker) match(in input, text string, r hcl.Range, a *attribute) bool {
	if len(text) <= maxMatched && in.pattern.MatchString(text) {
		return true
	}
	shown := "The value"
	if len(text) <= 80 {
		shown = shorten(records.Value(text))
	}
	k.report(r, "Invalid value", "%s doesn't match %s, the pattern of %s%s.", shown, in.pattern, a.name, explained(in.description))
	return false
}

// make evaluates the type's blocks, and what it says of the sender itself.
func (k *maker) make(r *recipe) {
	for _, b := range r.block.blocks {
		c := scope{block: b, m: k.m, ctx: k.ctx, in: k.in, diags: k.diags}
		if b.kind == "input" || b.kind == "recognise" {
			continue
		}
		c.repeat(func(c scope) bool {
			k.one(c)
			return k.bearable(c)
		})
	}
	k.describe(scope{block: r.block, m: k.m, ctx: k.ctx, in: k.in, diags: k.diags})
}

// bearable counts a block that was evaluated, and reports whether more can be.
func (k *maker) bearable(c scope) bool {
	k.count++
	if n := k.count + len(k.made.SPF); n > maxMade {
		c.report(c.rng, "Too many records", "A sender makes at most %d records.", maxMade)
		return false
	}
	return !c.m.late.Load() && !c.m.full.Load()
}

// repeat calls do for every element of for_each, or once where there is none.
// In a list each.key is the position, which counts from 0; a null for_each is
// an empty one.
func (s scope) repeat(do func(scope) bool) {
	if s.attrs["for_each"] == nil {
		do(s)
		return
	}
	v := s.attrs["for_each"].literal
	if v == cty.NilVal {
		v = s.evaluate(s.attrs["for_each"])
	}
	switch {
	case v.IsNull():
		return
	case !v.IsWhollyKnown():
		do(s.each(cty.DynamicVal, cty.DynamicVal))
		return
	case !v.CanIterateElements():
		s.report(s.rangeOf("for_each"), "Wrong type", "for_each must be a list or a map.")
		return
	}
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if v.Type().IsSetType() {
			key = value
		}
		if !do(s.each(key, value)) {
			return
		}
	}
}

// one evaluates one block of the type.
func (k *maker) one(c scope) {
	switch c.kind {
	case "spf":
		for _, name := range []string{"all", "redirect", "flatten", "ttl"} {
			if c.attrs[name] != nil {
				c.report(c.attrs[name].nameRng, "Not in a sender type", "%s belongs into the spf block of the domain: the terms of its senders are merged into one record.", name)
			}
		}
		k.authorise(k.name(), c.mechanisms())
	case "mx":
		m := c.mx()
		m.TTL = k.ttl(c)
		k.made.mx = append(k.made.mx, m)
	case "dkim":
		d := c.dkim()
		d.TTL = k.ttl(c)
		k.made.dkim = append(k.made.dkim, d)
	case "record":
		f := c.record(k.name())
		f.TTL = k.ttl(c)
		k.count += max(len(f.Values)-1, 0) // the block itself counts as one
		k.take(c, f)
	}
}

// name is the domain's name; a rehearsal has one that every type can be tried
// with.
func (k *maker) name() records.Name {
	if k.domain == nil {
		return "example.com"
	}
	return k.domain.Name
}

// ttl is what a type says, at most ttl_max (R22): the vendor recommends, the
// domain decides.
func (k *maker) ttl(c scope) records.TTL {
	ttl := c.ttl("ttl")
	if ttl == records.AutoTTL {
		c.report(c.rangeOf("ttl"), "No automatic TTL", "Whether there is an automatic TTL depends on the domain's host. Write a duration, or leave ttl out: the domain's then holds.")
		return 0
	}
	if k.domain == nil {
		return ttl
	}
	return min(ttl, k.domain.Settings.TTLMax)
}

// authorise adds SPF terms to the record at a name.
func (k *maker) authorise(name records.Name, terms []spf.Term) {
	if len(k.made.SPF)+len(terms) > maxMade {
		k.count += len(terms) // bearable reports it
		return
	}
	for _, t := range terms {
		term := records.SenderSPF{Name: name, Term: t.String()}
		if slices.Contains(k.made.SPF, term) {
			continue
		}
		k.made.SPF = append(k.made.SPF, term)
		if name == k.name() {
			k.made.terms = append(k.made.terms, t)
		}
	}
}

// take sorts a record by what receivers take it for, so that the rules of its
// kind hold: an SPF record is merged with others, a key is a DKIM selector, an
// MX of the domain itself one of its mx blocks. The rest stays a record.
func (k *maker) take(c scope, f records.Free) {
	below, own := strings.CutSuffix(string(f.Key.Name), "."+string(k.name()))
	selector, signs := strings.CutSuffix(below, "._domainkey")
	switch {
	case own && (below == "_dmarc" || strings.HasSuffix(below, "._dmarc")):
		c.report(c.rng, "DMARC in a sender type", "The policy of a domain is what its dmarc block says, not what one of its senders wants. Take the record out of the type.")
	case own && signs && (f.Key.Type == records.TypeTXT || f.Key.Type == records.TypeCNAME):
		k.takeKey(c, f, selector)
	case f.Key.Type == records.TypeMX && f.Key.Name == k.name():
		k.takeMX(f)
	case f.Key.Type == records.TypeTXT:
		k.takeText(c, f)
	default:
		k.made.free = append(k.made.free, f)
	}
}

func (k *maker) takeKey(c scope, f records.Free, selector string) {
	d := records.DKIM{Selector: string(c.selector(selector, c.rng)), TTL: f.TTL}
	switch {
	case len(f.Values) != 1:
		if c.attrs["values"] != nil && len(f.Values) > 1 {
			c.fault(ruleDKIMMultiple, c.rangeOf("values"), "Several keys", "A selector has one record (RFC 6376 3.6.2.2).")
		}
		return
	case f.Key.Type == records.TypeCNAME:
		d.CNAME = c.parseName(string(f.Values[0]), c.rangeOf("values"))
	default:
		d.Key = c.readKey(string(f.Values[0]), c.rangeOf("values"))
	}
	k.made.dkim = append(k.made.dkim, d)
}

func (k *maker) takeMX(f records.Free) {
	for _, v := range f.Values {
		if mx, err := records.ParseMX(v); err == nil {
			mx.TTL = f.TTL
			k.made.mx = append(k.made.mx, mx)
		}
	}
}

// takeText merges SPF records and leaves other text alone.
func (k *maker) takeText(c scope, f records.Free) {
	rest := f.Values[:0:0]
	for _, v := range f.Values {
		if !spf.IsSPF(string(v)) {
			rest = append(rest, v)
			continue
		}
		terms, ok := c.mergeable(string(v), f.Key.Name == k.name())
		if !ok {
			rest = append(rest, v)
			continue
		}
		k.authorise(f.Key.Name, terms)
	}
	if f.Values = rest; len(rest) > 0 {
		k.made.free = append(k.made.free, f)
	}
}

// mergeable returns the terms of an SPF record that can be merged with others:
// one of passing mechanisms. For a name that is not the domain's own, the all
// that ends it is one of them. Another record can't stand beside those of other
// senders at the domain itself.
func (s scope) mergeable(text string, own bool) (terms []spf.Term, ok bool) {
	r, err := spf.Parse(text)
	if err != nil {
		s.spfFault(item{text, s.rangeOf("values")}, err)
		return nil, true
	}
	for _, t := range r.Live() {
		switch {
		case t.Kind == spf.All && own:
		case t.Kind == spf.All:
			terms = append(terms, t)
		case t.Kind.Modifier() || t.Qualifier != spf.Pass:
			if own {
				s.report(s.rangeOf("values"), "SPF record that can't be merged", "A domain has one SPF record for all of its senders. It takes mechanisms that pass, not %s.", t)
			}
			return nil, own
		default:
			terms = append(terms, t)
		}
	}
	return terms, true
}

// describe reads what the type says about the sender itself.
func (k *maker) describe(c scope) {
	k.made.MailFrom = c.name("mail_from")
	k.made.SignsAs = c.names("signs_as")
	k.made.SharedIP = !c.has("shared_ip") || c.flag("shared_ip")
	if k.made.From = sorted(k.names("from")); k.made.From == nil && k.attrs["from"] == nil {
		k.made.From = []records.Name{k.name()}
	}
	for _, d := range k.made.dkim {
		k.made.Selectors = append(k.made.Selectors, d.Selector)
	}
	k.made.Selectors = sorted(k.made.Selectors)
	k.made.ReturnPath = k.returnPath()
}

// returnPath lists the sets at the MAIL FROM domain, where that is a name of its
// own below the domain.
func (k *maker) returnPath() []records.Key {
	name := k.made.MailFrom
	if name == k.name() || name == "" {
		return nil
	}
	var out []records.Key
	for _, f := range k.made.free {
		if f.Key.Name == name {
			out = append(out, f.Key)
		}
	}
	if slices.ContainsFunc(k.made.SPF, func(t records.SenderSPF) bool { return t.Name == name }) {
		out = append(out, records.Key{Name: name, Type: records.TypeTXT})
	}
	slices.SortFunc(out, records.Key.Compare)
	return slices.Compact(out)
}

func sorted[T cmp.Ordered](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// blame reports what is wrong with what a type has made where its user can mend
// it: at the input that it comes from, or else at the sender block.
func (k *maker) blame(r *recipe) {
	for _, d := range *k.diags {
		if a := k.culprit(r.block, d); a != nil {
			d.Source = span(a.rng)
		} else {
			d.Source = span(k.rng)
			d.Detail += fmt.Sprintf(" This is what %s makes of the inputs.", r.title())
		}
		k.note(d)
	}
}

// culprit finds the attribute of the sender block that a fault in the type's
// text comes from.
func (k *maker) culprit(of *block, d Diagnostic) *attribute {
	if d.Source == nil {
		return nil
	}
	for _, b := range append([]*block{of}, of.blocks...) {
		for _, name := range slices.Sorted(maps.Keys(b.attrs)) {
			if a := b.attrs[name]; holds(a.rng, *d.Source) || holds(a.nameRng, *d.Source) {
				return k.given(b, a)
			}
		}
	}
	return nil
}

func holds(r hcl.Range, s Span) bool {
	after := cmp.Or(cmp.Compare(s.Line, r.Start.Line), cmp.Compare(s.Column, r.Start.Column)) >= 0
	before := cmp.Or(cmp.Compare(s.EndLine, r.End.Line), cmp.Compare(s.EndColumn, r.End.Column)) <= 0
	return r.Filename == s.File && after && before
}

// given is the first input that an attribute of the type refers to and that the
// sender block gives.
func (k *maker) given(b *block, a *attribute) *attribute {
	names, each := inputRefs(a.expr)
	if each && b.attrs["for_each"] != nil {
		more, _ := inputRefs(b.attrs["for_each"].expr)
		names = append(names, more...)
	}
	for _, name := range names {
		if given := k.attrs[name]; given != nil {
			return given
		}
	}
	return nil
}
