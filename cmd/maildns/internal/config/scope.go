package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/attunelogic/maildns/records"
)

// scope reads the attributes of one block. Each method returns the zero value
// where the attribute is absent or null, and also where it is wrong, which it
// then notes: so a block is read to its end and all of its faults are found.
type scope struct {
	*block
	m     *meter
	ctx   *hcl.EvalContext
	in    string // the domain or block that diagnostics name
	diags *Diagnostics
}

// of returns the scope of a block inside this one.
func (s scope) of(b *block) scope {
	s.block = b
	return s
}

// report notes an error at a range.
func (s scope) report(r hcl.Range, summary, format string, args ...any) {
	s.fault("", r, summary, format, args...)
}

// fault is report for a rule of the catalogue.
func (s scope) fault(rule string, r hcl.Range, summary, format string, args ...any) {
	s.note(Diagnostic{Severity: Error, Rule: rule, Summary: summary, Detail: fmt.Sprintf(format, args...), Source: span(r)})
}

func (s scope) warn(r hcl.Range, rule, summary, format string, args ...any) {
	s.note(Diagnostic{Severity: Warning, Rule: rule, Summary: summary, Detail: fmt.Sprintf(format, args...), Source: span(r)})
}

func (s scope) note(d Diagnostic) {
	if n := len(*s.diags); n >= 2*maxNotes || n >= maxNotes && d.Severity == Warning {
		return // warnings never take the place of errors
	}
	d.In = s.in
	d.trim()
	*s.diags = append(*s.diags, d)
}

// has reports whether the attribute stands in the block with a value.
func (s scope) has(name string) bool {
	_, a := s.value(name)
	return a != nil
}

// rangeOf is where an attribute's value stands, else where the block begins.
func (s scope) rangeOf(name string) hcl.Range {
	if a := s.attrs[name]; a != nil {
		return a.rng
	}
	return s.rng
}

// value evaluates an attribute; a is nil where it is absent, null, unknown or
// wrong.
func (s scope) value(name string) (v cty.Value, a *attribute) {
	a = s.attrs[name]
	if a == nil {
		return cty.NilVal, nil
	}
	key := memoKey{a, s.ctx}
	v, known := s.m.memo[key]
	if !known {
		v = s.fresh(a)
		if s.m.memo != nil {
			s.m.memo[key] = v
		}
	}
	if v == cty.NilVal {
		return v, nil
	}
	return v, a
}

// fresh evaluates an attribute for the first time; NilVal is what value has no
// attribute for.
func (s scope) fresh(a *attribute) cty.Value {
	v := a.literal
	if v == cty.NilVal {
		v = s.evaluate(a)
	}
	if v.IsNull() || !v.IsWhollyKnown() {
		return cty.NilVal
	}
	if a.name != "for_each" && !s.m.holdValue(v) { // its value is not kept
		return cty.NilVal
	}
	return v
}

func (s scope) evaluate(a *attribute) cty.Value {
	if a.env != nil {
		s.note(fromHCL(s.in, hcl.Diagnostics{envNotHere(a.rng)})[0])
		return cty.DynamicVal
	}
	s.m.begin()
	v := cty.DynamicVal
	diags := safely(a.rng, func() (diags hcl.Diagnostics) {
		v, diags = a.expr.Value(s.ctx)
		return diags
	})
	if s.m.why != nil {
		diags = hcl.Diagnostics{s.m.why}
	}
	for _, d := range diags {
		explain(d)
	}
	for _, d := range fromHCL(s.in, diags) {
		s.note(d)
	}
	if s.m.broken || diags.HasErrors() {
		return cty.DynamicVal
	}
	return v
}

// explain names what an unknown attribute of a variable could be meant for:
// the library says only that it is not there.
func explain(d *hcl.Diagnostic) {
	ref, ok := d.Expression.(*hclsyntax.ScopeTraversalExpr)
	if !ok || d.EvalContext == nil || d.Summary != "Unsupported attribute" {
		return
	}
	path := ref.Traversal.RootName()
	for i := 1; i < len(ref.Traversal); i++ {
		step, ok := ref.Traversal[i].(hcl.TraverseAttr)
		if !ok {
			return
		}
		parent, diags := ref.Traversal[:i].TraverseAbs(d.EvalContext)
		if diags.HasErrors() || !parent.IsKnown() || parent.IsNull() || !parent.Type().IsObjectType() {
			return
		}
		if !parent.Type().HasAttribute(step.Name) {
			names := slices.Sorted(maps.Keys(parent.Type().AttributeTypes()))
			d.Detail = fmt.Sprintf("There is no %s.%s.%s", path, step.Name, cmp.Or(didYouMean(step.Name, names), itHas(names)))
			return
		}
		path += "." + step.Name
	}
}

// itHas lists the names that are there, if they are few.
func itHas(names []string) string {
	if len(names) == 0 || len(names) > 12 {
		return ""
	}
	return " There is " + strings.Join(names, ", ") + "."
}

// convert brings a value to a type and says what is wrong where it can't.
func (s scope) convert(v cty.Value, ty cty.Type, a *attribute, want string) (cty.Value, bool) {
	out, err := convert.Convert(v, ty)
	if err != nil || out.IsNull() {
		s.report(a.rng, "Wrong type", "%s must be %s.", a.name, want)
		return cty.NilVal, false
	}
	return out, true
}

// text reads a string, empty where there is none.
func (s scope) text(name string) string {
	text, _ := s.given(name)
	return text
}

// given is text that tells an empty string from none. A number or bool is no
// string: it is a slip.
func (s scope) given(name string) (text string, ok bool) {
	v, a := s.value(name)
	if a == nil {
		return "", false
	}
	if v.Type() != cty.String {
		s.report(a.rng, "Wrong type", "%s must be a string in quotes.", name)
		return "", false
	}
	return s.checkText(v.AsString(), a), true
}

func (s scope) checkText(text string, a *attribute) string {
	if len(text) > maxString {
		s.report(a.rng, "String too long", "%s", tooLongString)
		return ""
	}
	return text
}

// line reads a string that may be shown to people: one line, without control
// characters.
func (s scope) line(name string) (text string, ok bool) {
	text, ok = s.given(name)
	if i := strings.IndexFunc(text, isControl); i >= 0 {
		s.report(s.rangeOf(name), "Control character", "%s must be one line of text without control characters.", name)
		return "", false
	}
	return text, ok
}

// isControl covers what a terminal acts on.
func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }

// required reads a string that must be there and not be empty.
func (s scope) required(name string) string {
	if s.attrs[name] == nil {
		s.report(s.rng, "Missing attribute", "%s needs %s.", s.title(), name)
		return ""
	}
	text, ok := s.line(name)
	if ok && text == "" {
		s.report(s.rangeOf(name), "Missing attribute", "%s must not be empty.", name)
	}
	return text
}

// oneOf reads a keyword.
func (s scope) oneOf(name, absent string, words ...string) string {
	text, ok := s.given(name)
	if !ok || slices.Contains(words, text) {
		return cmp.Or(text, absent)
	}
	s.report(s.rangeOf(name), "Invalid value", "%s is %q; it must be %s.%s", name, text, orList(words), didYouMean(text, words))
	return absent
}

func orList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
}

// didYouMean suggests the nearest of the words, in a sentence that follows
// another; empty where none is near.
func didYouMean(text string, words []string) string {
	best, distance := "", 3
	for _, w := range words {
		if d := levenshtein.Distance(text, w, nil); d < distance && d < len(w) {
			best, distance = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}

// flag reads a bool.
func (s scope) flag(name string) bool {
	v, a := s.value(name)
	if a == nil {
		return false
	}
	b, ok := s.convert(v, cty.Bool, a, "true or false")
	return ok && b.True()
}

// number reads a whole number from least to most.
func (s scope) number(name string, absent, least, most int) int {
	v, a := s.value(name)
	if a == nil {
		return absent
	}
	n, ok := s.convert(v, cty.Number, a, "a number")
	if !ok {
		return absent
	}
	i, exact := n.AsBigFloat().Int64()
	if exact != 0 || i < int64(least) || i > int64(most) {
		s.report(a.rng, "Invalid number", "%s must be a whole number from %d to %d.", name, least, most)
		return absent
	}
	return int(i)
}

// share reads a part of a whole: a number from 0 to 1, or "5%".
func (s scope) share(name string, absent float64) float64 {
	v, a := s.value(name)
	if a == nil {
		return absent
	}
	if v.Type() == cty.String {
		share, err := parsePercent(v.AsString())
		if err != nil {
			s.report(a.rng, "Invalid share", "%s: %s.", name, err)
			return absent
		}
		return share
	}
	n, ok := s.convert(v, cty.Number, a, `a number from 0 to 1 or a percentage such as "5%"`)
	if !ok {
		return absent
	}
	f, _ := n.AsBigFloat().Float64()
	if f < 0 || f > 1 {
		s.report(a.rng, "Invalid share", `%s must be from 0 to 1, or a percentage such as "5%%".`, name)
		return absent
	}
	return f
}

// duration reads "7d" or seconds.
func (s scope) duration(name string, absent time.Duration) time.Duration {
	v, a := s.value(name)
	if a == nil {
		return absent
	}
	d, err := durationOf(v)
	if err != nil {
		s.report(a.rng, "Invalid duration", "%s: %s.", name, err)
		return absent
	}
	return d
}

// ttl reads a TTL: a duration, seconds or "auto". Zero where it is absent.
func (s scope) ttl(name string) records.TTL {
	v, a := s.value(name)
	if a == nil {
		return 0
	}
	if v.Type() == cty.String && v.AsString() == "auto" {
		return records.AutoTTL
	}
	d, err := durationOf(v)
	switch {
	case err != nil:
		s.report(a.rng, "Invalid TTL", "%s: %s.", name, err)
		return 0
	case d < time.Second || d/time.Second > time.Duration(records.MaxTTL):
		s.report(a.rng, "Invalid TTL", "%s must be from 1 second to 2^31-1 seconds (RFC 2181 8).", name)
		return 0
	}
	return records.TTL(d / time.Second)
}

// date reads "2026-10-01"; end makes it the last second of that day, as for an
// until.
func (s scope) date(name string, end bool) time.Time {
	text, ok := s.given(name)
	if !ok {
		return time.Time{}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC()
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		s.report(s.rangeOf(name), "Invalid date", "%s is %q; write a date such as \"2026-12-31\".", name, text)
		return time.Time{}
	}
	if end {
		t = t.AddDate(0, 0, 1).Add(-time.Second)
	}
	return t
}

// name reads a domain name; empty where it is absent.
func (s scope) name(name string) records.Name {
	text, ok := s.given(name)
	if !ok {
		return ""
	}
	n, err := records.ParseName(text)
	if err != nil {
		s.report(s.rangeOf(name), "Invalid name", "%s", sentence(err))
	}
	return n
}

// item is one element of a list, and where it stands.
type item struct {
	text string
	rng  hcl.Range
}

// texts reads a list of strings.
func (s scope) texts(name string) []item {
	v, a := s.value(name)
	if a == nil {
		return nil
	}
	ty := v.Type()
	if !ty.IsTupleType() && !ty.IsListType() && !ty.IsSetType() {
		s.report(a.rng, "Wrong type", "%s must be a list of strings: write them in square brackets.", name)
		return nil
	}
	if v.LengthInt() > maxElements {
		s.report(a.rng, "Collection too large", "A collection has at most %d elements.", maxElements)
		return nil
	}
	out := make([]item, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		r := a.elementRange(len(out))
		if e.IsNull() || e.Type() != cty.String {
			s.report(r, "Wrong type", "%s must be a list of strings.", name)
			return nil
		}
		out = append(out, item{s.checkText(e.AsString(), a), r})
	}
	return out
}

// elementRange is where the i-th element of a list stands, if it is written
// out in the source, else the whole list.
func (a *attribute) elementRange(i int) hcl.Range {
	e := a.expr
	for {
		g, ok := e.(*guard)
		if !ok {
			break
		}
		e = g.Expression
	}
	if list, ok := e.(*hclsyntax.TupleConsExpr); ok && i < len(list.Exprs) {
		return list.Exprs[i].Range()
	}
	return a.rng
}

// strings is texts without the places.
func (s scope) strings(name string) []string {
	items := s.texts(name)
	out := make([]string, len(items))
	for i, it := range items {
		out[i] = it.text
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// names reads a list of domain names.
func (s scope) names(name string) []records.Name {
	var out []records.Name
	for _, it := range s.texts(name) {
		n, err := records.ParseName(it.text)
		if err != nil {
			s.report(it.rng, "Invalid name", "%s", sentence(err))
			continue
		}
		out = append(out, n)
	}
	return out
}

// stringMap reads a map of strings.
func (s scope) stringMap(name string) map[string]string {
	v, a := s.value(name)
	if a == nil {
		return nil
	}
	m, err := toCollection(v, cty.Map(cty.String))
	if err != nil || m.LengthInt() > maxElements {
		s.report(a.rng, "Wrong type", `%s must be a map of strings, such as { tier = "gold" }.`, name)
		return nil
	}
	out := make(map[string]string, m.LengthInt())
	for it := m.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if !e.IsNull() {
			out[k.AsString()] = s.checkText(e.AsString(), a)
		}
	}
	return out
}
