package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// A mark stands for a text that is to be found: a part of a name, a value, or a
// key. It is a label that is a key as well: 43 digits of base64, the 32 bytes of
// an Ed25519 key.
func mark(input string, part int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", input, part))
	return "zq" + hex.EncodeToString(sum[:])[:41]
}

const (
	markKey   = -1 // of a map
	markValue = -2
)

// option is one way to give an input.
type option struct {
	value cty.Value
	marks []string
}

// options are the ways to give an input: not at all, each of a few possible
// values, or a mark.
func (in input) options() []option {
	var out []option
	if in.rule != mustBeGiven {
		absent := in.fallback
		if absent.IsNull() {
			absent = cty.NullVal(shapeTypes[in.shape])
		}
		out = append(out, option{value: absent})
	}
	fixed := in.values()
	for _, v := range fixed {
		if in.fallback.IsNull() || !in.fallback.RawEquals(v) {
			out = append(out, option{value: v})
		}
	}
	if len(fixed) > 0 {
		return out
	}
	scalar := mark(in.name, 0)
	switch in.shape {
	case shapeString, shapeAny:
		out = append(out, option{cty.StringVal(scalar), []string{scalar}})
	case shapeMap:
		k, v := mark(in.name, markKey), mark(in.name, markValue)
		out = append(out, option{cty.MapVal(map[string]cty.Value{k: cty.StringVal(v)}), []string{k, v}})
	case shapeList:
		var o option
		var items []cty.Value
		for i := range max(in.length, 1) {
			o.marks = append(o.marks, mark(in.name, i))
			items = append(items, cty.StringVal(mark(in.name, i)))
		}
		o.value = cty.ListVal(items)
		out = append(out, o)
	}
	return out
}

// given is a way to give all inputs of a type.
type given map[string]option

// maxShapes bounds how many ways of giving the inputs of a type are tried.
const maxShapes = 512

// shapes are all ways to give the inputs of a type.
func (r *recipe) shapes() []given {
	out := []given{{}}
	for _, in := range r.inputs {
		options := in.options()
		if len(out)*len(options) > maxShapes {
			options = options[:1]
		}
		var next []given
		for _, g := range out {
			for _, o := range options {
				longer := maps.Clone(g)
				longer[in.name] = o
				next = append(next, longer)
			}
		}
		out = next
	}
	return out
}

// guess looks in the zone for what a type makes of marks, and so for what the
// marks stand for.
type guess struct {
	*writer
	recipe    *recipe
	explained map[single]bool
	inputs    given
	stencils  []stencil
	bound     map[string]string // the texts of marks
	steps     int
}

// stencil is a record with marks in it.
type stencil struct {
	typ         records.Type
	name, value *regexp.Regexp // value is nil for a key
	names       []string       // the marks of name's groups, then those of value's
	key         string         // the mark that is a key
	marks       int
}

// maxSteps bounds the search.
const maxSteps = 20_000

func (g *guess) solve(inputs given) (finding, bool) {
	g.inputs = inputs
	m, ok := g.trial(inputs)
	if !ok || !g.authorised(m.terms) {
		return finding{}, false
	}
	d := &records.Domain{Name: g.Domain, Senders: []records.Sender{m.Sender}, DKIM: m.dkim, MX: m.mx, Free: m.free}
	for _, v := range d.Declared() {
		g.stencils = append(g.stencils, g.stencil(v))
	}
	slices.SortStableFunc(g.stencils, func(a, b stencil) int { return cmp.Compare(a.marks, b.marks) })
	if !g.search(0) {
		return finding{}, false
	}
	return g.confirm()
}

// trial evaluates the type with marks.
func (g *guess) trial(inputs given) (made, bool) {
	g.l.m.forget()
	var diags Diagnostics
	s := scope{block: &block{kind: "sender", labels: []string{g.recipe.about.Name}}, m: g.l.m, ctx: g.l.base, diags: &diags}
	d := &records.Domain{Name: g.Domain, Settings: g.l.cfg.Settings}
	k := maker{scope: s, domain: d, ctx: g.recipe.ctx.NewChild(), diags: &diags, made: made{at: s}}
	values := map[string]cty.Value{}
	for name, o := range inputs {
		values[name] = o.value
	}
	k.ctx.Variables = g.recipe.values(cty.StringVal(string(g.Domain)), values)
	k.make(g.recipe)
	return k.made, !diags.HasErrors()
}

// authorised reports whether the live record has all terms, or terms that they
// may stand for.
func (g *guess) authorised(terms []spf.Term) bool {
	for _, t := range terms {
		re, marks := g.pattern(t.Key())
		found := false
		for _, v := range g.liveSPF() {
			for _, live := range spfTerms(v) {
				if live.Qualifier == spf.Pass && !found {
					found = g.match(re, marks, live.Key(), map[string]string{})
				}
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// allMarks are the marks of the shape, in order.
func (g *guess) allMarks() []string {
	var out []string
	for _, in := range g.recipe.inputs {
		out = append(out, g.inputs[in.name].marks...)
	}
	return out
}

// pattern makes a pattern of text with marks in it.
func (g *guess) pattern(text string) (*regexp.Regexp, []string) {
	var names []string
	var b strings.Builder
	b.WriteString("^")
	for text != "" {
		at, which := len(text), ""
		for _, m := range g.allMarks() {
			if i := strings.Index(text, m); i >= 0 && i < at {
				at, which = i, m
			}
		}
		b.WriteString(regexp.QuoteMeta(text[:at]))
		text = text[at:]
		if which != "" {
			b.WriteString("(.+?)")
			names, text = append(names, which), text[len(which):]
		}
	}
	return regexp.MustCompile(b.String() + "$"), names
}

// stencil makes a stencil of a record.
func (g *guess) stencil(v records.Declared) stencil {
	t := stencil{typ: v.Key.Type}
	t.name, t.names = g.pattern(string(v.Key.Name))
	for _, m := range g.allMarks() {
		if key, err := records.DKIMKeyFrom(m); err == nil && v.Kind == records.KindDKIM && key.Value() == v.Value {
			t.key = m
			t.marks = len(t.names) + 1
			return t
		}
	}
	var more []string
	t.value, more = g.pattern(string(v.Value))
	t.names = append(t.names, more...)
	t.marks = len(t.names)
	return t
}

// search finds live records for all stencils from the i-th on.
func (g *guess) search(i int) bool {
	if i == len(g.stencils) {
		return true
	}
	t := g.stencils[i]
	for _, c := range g.candidates(t) {
		if g.steps++; g.steps > maxSteps {
			return false
		}
		before := maps.Clone(g.bound)
		if g.bind(t, c, g.bound) && g.search(i+1) {
			return true
		}
		g.bound = before
	}
	return false
}

// candidates are the live values that a stencil may stand for. A selector
// belongs to one sender only.
func (g *guess) candidates(t stencil) []single {
	var out []single
	for set := range g.Zone.All() {
		if set.Type != t.typ || !set.Name.In(g.Domain) || !t.name.MatchString(string(set.Name)) {
			continue
		}
		for _, v := range set.Values {
			c := single{set.Key, v}
			if t.key == "" && !t.value.MatchString(string(v)) || !g.takes(set, v) {
				continue
			}
			if !g.explained[c] || !strings.Contains(string(set.Name), "._domainkey.") {
				out = append(out, c)
			}
		}
	}
	return out
}

// bind notes what the marks of a stencil are in a live value; false where that
// contradicts what is noted, or what an input may be.
func (g *guess) bind(t stencil, c single, bound map[string]string) bool {
	groups := t.name.FindStringSubmatch(string(c.key.Name))[1:]
	if t.key == "" {
		groups = append(groups, t.value.FindStringSubmatch(string(c.text))[1:]...)
	} else if !g.bindOne(t.key, string(c.text), bound) || !g.knowsSelector(t, c) {
		return false
	}
	for i, text := range groups {
		if !g.bindOne(t.names[i], text, bound) {
			return false
		}
	}
	return true
}

// match is bind for a single pattern.
func (g *guess) match(re *regexp.Regexp, marks []string, text string, bound map[string]string) bool {
	groups := re.FindStringSubmatch(text)
	if groups == nil {
		return false
	}
	for i, m := range marks {
		if !g.bindOne(m, groups[i+1], bound) {
			return false
		}
	}
	return true
}

// bindOne notes what a mark stands for.
func (g *guess) bindOne(m, text string, bound map[string]string) bool {
	if have, ok := bound[m]; ok {
		return have == text
	}
	in := g.inputOf(m)
	if in.pattern != nil && m != mark(in.name, markKey) && (len(text) > maxMatched || !in.pattern.MatchString(text)) {
		return false
	}
	if in.shape == shapeList {
		for _, other := range g.inputs[in.name].marks {
			if bound[other] == text {
				return false
			}
		}
	}
	bound[m] = text
	return true
}

func (g *guess) inputOf(m string) input {
	i := slices.IndexFunc(g.recipe.inputs, func(in input) bool { return slices.Contains(g.inputs[in.name].marks, m) })
	return g.recipe.inputs[i]
}

// knowsSelector reports whether a key can be told to be the sender's: by a
// selector that the type names or restricts, or that its patterns name. A key
// in itself says nothing of its owner.
func (g *guess) knowsSelector(t stencil, c single) bool {
	for _, m := range t.names {
		if in := g.inputOf(m); in.pattern == nil || m == mark(in.name, markKey) {
			selector, _, _ := strings.Cut(string(c.key.Name), "._domainkey.")
			return MatchHost(g.recipe.about.Recognise.Selector, records.Name(selector))
		}
	}
	return true
}

// confirm makes a sender block of what was found, evaluates it and compares all
// that it makes with the zone.
func (g *guess) confirm() (finding, bool) {
	values := map[string]cty.Value{}
	for _, in := range g.recipe.inputs {
		o := g.inputs[in.name]
		if len(o.marks) > 0 {
			v, ok := g.found(in, o)
			if !ok && in.rule == mustBeGiven {
				return finding{}, false
			}
			if ok {
				values[in.name] = v
			}
		} else if !o.value.IsNull() && (in.fallback.IsNull() || !o.value.RawEquals(in.fallback)) {
			values[in.name] = o.value
		}
	}
	f, ok := g.check(values)
	if !ok {
		return finding{}, false
	}
	return g.simplify(f, values), true
}

// simplify leaves out what changes nothing: inputs that aren't needed, and what
// stands in a record besides its key.
func (g *guess) simplify(f finding, values map[string]cty.Value) finding {
	keep := func(simpler map[string]cty.Value) {
		if less, ok := g.check(simpler); ok && len(less.claims) == len(f.claims) && len(less.made.terms) == len(f.made.terms) {
			f, values = less, simpler
		}
	}
	for _, in := range g.recipe.inputs {
		v, given := values[in.name]
		if !given {
			continue
		}
		if in.rule != mustBeGiven {
			fewer := maps.Clone(values)
			delete(fewer, in.name)
			keep(fewer)
		}
		if in.shape == shapeList {
			ordered := maps.Clone(values)
			ordered[in.name] = sortedList(v)
			keep(ordered)
		}
		if v, given = values[in.name]; !given {
			continue
		}
		bare, err := cty.Transform(v, func(_ cty.Path, v cty.Value) (cty.Value, error) { return bareKey(v), nil })
		if err == nil {
			shorter := maps.Clone(values)
			shorter[in.name] = bare
			keep(shorter)
		}
	}
	return f
}

func sortedList(v cty.Value) cty.Value {
	items := v.AsValueSlice()
	slices.SortFunc(items, func(a, b cty.Value) int { return strings.Compare(a.AsString(), b.AsString()) })
	return cty.ListVal(items)
}

// bareKey is the key in the text of a DKIM record, or the value as it is.
func bareKey(v cty.Value) cty.Value {
	if v.Type() != cty.String || v.IsNull() {
		return v
	}
	if _, p, found := strings.Cut(v.AsString(), "; p="); found {
		return cty.StringVal(strings.TrimSpace(p))
	}
	return v
}

// found is the value of an input whose marks were found.
func (g *guess) found(in input, o option) (cty.Value, bool) {
	switch in.shape {
	case shapeMap:
		return g.entries(o)
	case shapeList:
		var items []cty.Value
		for _, m := range o.marks {
			text, ok := g.bound[m]
			if !ok {
				return cty.NilVal, false
			}
			items = append(items, cty.StringVal(text))
		}
		return cty.ListVal(items), true
	}
	text, ok := g.bound[o.marks[0]]
	return cty.StringVal(text), ok && hclCanSay(text)
}

// entries are all entries of a map, of which the search has found the first.
func (g *guess) entries(o option) (cty.Value, bool) {
	out := map[string]cty.Value{}
	for _, t := range g.stencils {
		if !slices.Contains(append(slices.Clone(t.names), t.key), o.marks[0]) {
			continue
		}
		for _, c := range g.candidates(t) {
			bound := maps.Clone(g.bound)
			delete(bound, o.marks[0])
			delete(bound, o.marks[1])
			if g.bind(t, c, bound) && hclCanSay(bound[o.marks[1]]) {
				out[bound[o.marks[0]]] = cty.StringVal(bound[o.marks[1]])
			}
		}
	}
	if len(out) == 0 {
		return cty.NilVal, false
	}
	return cty.MapVal(out), true
}

// check evaluates a sender block with the given inputs; ok where all that it
// makes is live.
func (g *guess) check(values map[string]cty.Value) (f finding, ok bool) {
	var attrs []string
	for _, in := range g.recipe.inputs {
		if v, given := values[in.name]; given {
			attrs = append(attrs, hclAttr(in.name, senderValue(v)))
		}
	}
	f = finding{about: g.recipe.about, text: hclBlock("sender "+hclString(g.recipe.about.Name), attrs...)}
	if f.made, ok = g.senderOf(f.text); !ok {
		return f, false
	}
	d := &records.Domain{Name: g.Domain, Senders: []records.Sender{f.made.Sender}, DKIM: f.made.dkim, MX: f.made.mx, Free: f.made.free}
	for _, v := range d.Declared() {
		set, _ := g.Zone.Set(v.Key)
		if !set.Has(v.Value) || !g.takes(set, v.Value) {
			return f, false
		}
		f.claims = append(f.claims, single{v.Key, v.Value})
	}
	return f, g.authorised(f.made.terms)
}

// senderValue writes an input.
func senderValue(v cty.Value) string {
	if v.Type().IsMapType() && v.LengthInt() > 0 {
		var lines []string
		for _, k := range slices.Sorted(maps.Keys(v.AsValueMap())) {
			lines = append(lines, hclAttr(mapKey(k), senderValue(v.AsValueMap()[k])))
		}
		if len(lines) == 1 {
			return "{ " + lines[0] + " }"
		}
		return "{\n" + strings.Join(lines, "\n") + "\n}"
	}
	return hclText(v)
}

// mapKey writes a key of a map, without quotes where it is a name.
func mapKey(k string) string {
	if hclsyntax.ValidIdentifier(k) {
		return k
	}
	return hclString(k)
}
