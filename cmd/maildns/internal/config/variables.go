package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// variables sets var: for each variable block the value of --var, of
// MAILDNS_VAR_name, or its default.
func (l *loader) variables(top *block) {
	values := map[string]cty.Value{}
	for _, b := range top.all("variable") {
		name := b.label(0)
		l.scope(b).checkIdentifier(name)
		if _, again := values[name]; !again { // checkSingle reports the second
			values[name] = l.variable(l.scope(b))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.env.Vars)) {
		if _, declared := values[name]; !declared {
			l.note(Diagnostic{Severity: Error, Summary: "Unknown variable",
				Detail: fmt.Sprintf("--var sets %q, but no variable block declares it.%s", name, didYouMean(name, slices.Sorted(maps.Keys(values))))})
		}
	}
	l.base.Variables["var"] = cty.ObjectVal(values)
}

func (l *loader) variable(s scope) cty.Value {
	name := s.label(0)
	byDefault, a := s.value("default")
	text, set := l.env.Vars[name]
	origin := "--var " + name
	if !set {
		origin = "MAILDNS_VAR_" + name
		text, set = l.env.lookup(origin)
	}
	switch {
	case set && a == nil:
		return s.checkValue(cty.StringVal(text), origin)
	case set:
		return s.fromText(text, byDefault.Type(), origin)
	case a != nil:
		return s.checkValue(byDefault, "default")
	case s.attrs["default"] == nil:
		s.report(s.rng, "Variable without a value", "Give it a default, or set it with --var %s=VALUE or MAILDNS_VAR_%s.", name, name)
		return cty.DynamicVal
	}
	return cty.NullVal(cty.DynamicPseudoType)
}

// fromText reads the text of a flag or environment variable as the type of the
// variable's default: strings, numbers and bools as they are, others as JSON.
func (s scope) fromText(text string, ty cty.Type, origin string) cty.Value {
	v := cty.StringVal(text)
	var err error
	if !ty.IsPrimitiveType() {
		if err = checkJSONText([]cty.Value{v}); err == nil {
			v, err = stdlib.JSONDecode(v)
		}
	} else {
		v, err = convert.Convert(v, ty)
	}
	if err != nil {
		s.report(s.rangeOf("default"), "Wrong type", "%s is %q, which is no %s as the default is.", origin, text, ty.FriendlyName())
		return cty.DynamicVal
	}
	return s.checkValue(v, origin)
}

func (s scope) checkValue(v cty.Value, origin string) cty.Value {
	if err := s.m.keep(v); err != nil {
		s.report(s.rangeOf("default"), "Value too large", "%s: %s", origin, sentence(err))
		return cty.DynamicVal
	}
	return v
}

// local is one attribute of a locals block.
type local struct {
	*attribute
	needs []string // other locals
	state localState
	value cty.Value
}

type localState uint8

const (
	localNew localState = iota
	localBusy
	localDone
)

// locals sets local. They may refer to each other in any order.
func (l *loader) locals(top *block) {
	all := map[string]*local{}
	for _, b := range top.all("locals") {
		for _, name := range slices.Sorted(maps.Keys(b.attrs)) {
			a := b.attrs[name]
			if earlier := all[name]; earlier != nil {
				l.scope(b).report(a.nameRng, "Duplicate local", "local.%s is set at %s already. Rename one of the two.", name, place(source(earlier.nameRng)))
				continue
			}
			all[name] = &local{attribute: a}
		}
	}
	names := slices.Sorted(maps.Keys(all))
	for _, name := range names {
		all[name].needs = l.localNeeds(all[name].attribute, names)
	}
	r := resolver{l: l, all: all}
	values := make(map[string]cty.Value, len(all))
	for _, name := range names {
		values[name] = r.resolve(name)
	}
	l.base.Variables["local"] = cty.ObjectVal(values)
}

// localNeeds lists the locals that an expression refers to.
func (l *loader) localNeeds(a *attribute, names []string) []string {
	var needs []string
	s := l.scope(&block{kind: "locals"})
	for _, t := range a.refs {
		if t.RootName() != "local" {
			continue
		}
		step, ok := hcl.TraverseAttr{}, false
		if len(t) > 1 {
			step, ok = t[1].(hcl.TraverseAttr)
		}
		if !ok {
			s.report(t.SourceRange(), "Locals as a whole", "A local can't refer to all locals at once. Name the one that is meant: local.NAME.")
			continue
		}
		if _, declared := slices.BinarySearch(names, step.Name); !declared {
			s.report(t.SourceRange(), "Unsupported attribute", "There is no local.%s.%s", step.Name, didYouMean(step.Name, names))
		}
		needs = append(needs, step.Name)
	}
	slices.Sort(needs)
	return slices.Compact(needs)
}

// resolver evaluates locals in the order of their references.
type resolver struct {
	l    *loader
	all  map[string]*local
	path []string
}

// maxChain bounds how many locals may refer to each other in a row.
const maxChain = 1000

func (r *resolver) resolve(name string) cty.Value {
	loc := r.all[name]
	switch {
	case loc == nil:
		return cty.DynamicVal // localNeeds has said that there is none
	case loc.state == localDone:
		return loc.value
	case loc.state == localBusy:
		r.cycle(name)
		return cty.DynamicVal
	case len(r.path) > maxChain:
		r.report(loc, "Chain of locals too long", "More than %d locals refer to each other in a row.", maxChain)
		return cty.DynamicVal
	}
	loc.state = localBusy
	r.path = append(r.path, name)
	known := map[string]cty.Value{}
	for _, need := range loc.needs {
		known[need] = r.resolve(need)
	}
	r.path = r.path[:len(r.path)-1]
	loc.value, loc.state = r.evaluate(loc, known), localDone
	return loc.value
}

func (r *resolver) report(loc *local, summary, format string, args ...any) {
	r.l.scope(&block{kind: "locals"}).report(loc.nameRng, summary, format, args...)
}

// cycle reports a circle once, at its first local by name.
func (r *resolver) cycle(name string) {
	circle := r.path[slices.Index(r.path, name):]
	parts := make([]string, 0, len(circle)+1)
	for _, n := range append(slices.Clone(circle), name) {
		parts = append(parts, "local."+n)
	}
	if len(parts) > 12 {
		parts = append(append(slices.Clone(parts[:10]), "…"), parts[len(parts)-1])
	}
	r.report(r.all[name], "Circle of locals", "%s: each refers to the next. Break the circle.", strings.Join(parts, " → "))
}

func (r *resolver) evaluate(loc *local, known map[string]cty.Value) cty.Value {
	ctx := r.l.base.NewChild()
	ctx.Variables = map[string]cty.Value{"local": cty.ObjectVal(known)}
	b := &block{kind: "locals", attrs: map[string]*attribute{loc.name: loc.attribute}}
	s := scope{block: b, m: r.l.m, ctx: ctx, in: "locals", diags: &r.l.diags}
	v := loc.literal
	if v == cty.NilVal {
		v = s.evaluate(loc.attribute)
	}
	if err := r.l.m.keep(v); err != nil {
		s.report(loc.rng, "Value too large", "local.%s: %s", loc.name, sentence(err))
		return cty.DynamicVal
	}
	return v
}
