package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// Provider is a provider block.
type Provider struct {
	Ref        records.ProviderRef
	Values     provider.Values
	Attributes []Attribute // by name
	Source     records.Source
}

// Attribute is one attribute of a provider, notify or report_source block: its
// value, or the environment variable that it comes from.
type Attribute struct {
	Name   string
	Env    string // the variable's name where it is given by env()
	Unset  bool   // and that variable is not set, so that the value is null
	Secret bool
	Source records.Source
}

// Unset returns the environment variables that the block asks for and that
// are not set. That is an error only where the block is used.
func (p Provider) Unset() []string { return unset(p.Attributes) }

func unset(attrs []Attribute) []string {
	var names []string
	for _, a := range attrs {
		if a.Unset {
			names = append(names, a.Env)
		}
	}
	return names
}

// providerRefs sets provider: provider.TYPE.NAME is "TYPE.NAME".
func (l *loader) providerRefs(top *block) {
	types := map[string]map[string]cty.Value{}
	for _, b := range top.all("provider") {
		ref := records.ProviderRef{Type: b.label(0), Name: b.label(1)}
		if types[ref.Type] == nil {
			types[ref.Type] = map[string]cty.Value{}
		}
		types[ref.Type][ref.Name] = cty.StringVal(ref.String())
	}
	values := map[string]cty.Value{}
	for name, refs := range types {
		values[name] = cty.ObjectVal(refs)
	}
	l.base.Variables["provider"] = cty.ObjectVal(values)
}

func (l *loader) provider(s scope) {
	p := Provider{Ref: records.ProviderRef{Type: s.label(0), Name: s.label(1)}, Values: provider.Values{}, Source: source(s.rng)}
	s.checkIdentifier(p.Ref.Name)
	t, known := provider.Lookup(p.Ref.Type)
	if !known {
		names := typeNames()
		s.report(s.rng, "Unknown provider type", "There is no provider type %q.%s The types are %s.", p.Ref.Type, didYouMean(p.Ref.Type, names), strings.Join(names, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(s.attrs)) {
		a := s.attrs[name]
		attr, ok := t.Attribute(name)
		if !ok {
			if known {
				s.unknownAttribute(a, attributeNames(t))
			}
			continue
		}
		values, got := l.outside(s, a, attr.Secret, attr.Kind)
		p.Attributes = append(p.Attributes, got)
		if len(values) > 0 {
			p.Values[name] = values
		}
	}
	for _, attr := range t.Attributes {
		if attr.Required && s.attrs[attr.Name] == nil {
			s.report(s.rng, "Missing attribute", "A provider %q needs %s: %s.", t.Name, attr.Name, attr.Summary)
		}
	}
	l.cfg.Providers = append(l.cfg.Providers, p)
}

// checkIdentifier refuses a label that an expression couldn't name.
func (s scope) checkIdentifier(label string) {
	if !hclsyntax.ValidIdentifier(label) {
		s.report(s.rng, "Invalid name", "%q must be a name of letters, digits, - and _ that begins with a letter, so that expressions can refer to it.", printable([]byte(label)))
	}
}

func (s scope) unknownAttribute(a *attribute, names []string) {
	switch {
	case strings.Contains(a.name, "endpoint"):
		s.report(a.nameRng, "Endpoints can't be set here", "The address of an API comes from the environment alone, so that a pull request can't send credentials elsewhere.")
	case len(names) == 0:
		s.report(a.nameRng, "Unsupported argument", "%s has no attributes.", s.title())
	default:
		s.report(a.nameRng, "Unsupported argument", "%s has no attribute %q.%s It has %s.", s.title(), a.name, didYouMean(a.name, names), strings.Join(names, ", "))
	}
}

func typeNames() []string {
	var names []string
	for _, t := range provider.Types() {
		names = append(names, t.Name)
	}
	return names
}

func attributeNames(t provider.Type) []string {
	var names []string
	for _, a := range t.Attributes {
		names = append(names, a.Name)
	}
	return names
}

// envName is what a variable may be called, so that its name can stand in
// place of its value in any output.
var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// outside reads an attribute that env() may give. A secret must be given so.
func (l *loader) outside(s scope, a *attribute, secret bool, kind provider.AttributeKind) ([]string, Attribute) {
	out := Attribute{Name: a.name, Secret: secret, Source: source(a.rng)}
	if a.env != nil {
		return l.fromEnv(s, a, &out), out
	}
	if secret && s.has(a.name) {
		s.note(Diagnostic{Severity: Error, Rule: RuleSecretLiteral, Summary: "Secret in the configuration", Source: span(a.rng),
			Detail: fmt.Sprintf("%s is a secret and must come from the environment: write %s = env(\"NAME\"). If a real secret stood here, replace it at its issuer.", a.name, a.name)})
		return nil, out
	}
	return s.values(a.name, kind), out
}

// fromEnv reads the variable that an attribute names.
func (l *loader) fromEnv(s scope, a *attribute, out *Attribute) []string {
	name, ok := s.envArgument(a)
	if !ok {
		return nil
	}
	out.Env = name
	value, set := l.env.lookup(name)
	if !set || value == "" {
		out.Unset = true
		return nil
	}
	if out.Secret && len(value) < minSecret {
		s.report(a.rng, "Secret too short", "The value of %s has fewer than %d characters: too short to be kept out of the output, and to be a secret.", name, minSecret)
		return nil
	}
	l.secrets.Add(name, value)
	return []string{value}
}

func (s scope) envArgument(a *attribute) (string, bool) {
	if len(a.env.Args) != 1 {
		s.report(a.rng, "Wrong call of env()", `env takes the name of one environment variable: env("NAME").`)
		return "", false
	}
	arg := &attribute{name: a.name, expr: a.env.Args[0], literal: literal(a.env.Args[0]), rng: a.env.Args[0].Range()}
	inner := s
	inner.block = &block{attrs: map[string]*attribute{a.name: arg}}
	name, ok := inner.given(a.name)
	if ok && !envName.MatchString(name) {
		s.report(arg.rng, "Wrong call of env()", "%q is no name of an environment variable.", printable([]byte(name)))
		return "", false
	}
	return name, ok
}

// values reads an attribute of a provider's schema.
func (s scope) values(name string, kind provider.AttributeKind) []string {
	if !s.has(name) {
		return nil
	}
	switch kind {
	case provider.KindList:
		return s.strings(name)
	case provider.KindNumber:
		return s.converted(name, cty.Number, "a number")
	case provider.KindBool:
		return s.converted(name, cty.Bool, "true or false")
	}
	if text, ok := s.line(name); ok {
		return []string{text}
	}
	return nil
}

func (s scope) converted(name string, ty cty.Type, want string) []string {
	v, a := s.value(name)
	v, ok := s.convert(v, ty, a, want)
	if !ok {
		return nil
	}
	text, ok := s.convert(v, cty.String, a, want)
	if !ok {
		return nil
	}
	return []string{text.AsString()}
}

// providerOf reads the provider of a domain; the only one of the configuration
// where none is named.
func (s scope) providerOf(providers []Provider) records.ProviderRef {
	a := s.attrs["provider"]
	if a == nil {
		return s.onlyProvider(providers)
	}
	if ref, r, ok := a.providerTraversal(); ok && !hasProvider(providers, ref) {
		s.unknownProvider(r, ref, providers)
		return records.ProviderRef{}
	}
	text, ok := s.given("provider")
	if !ok {
		if a.literal != cty.NilVal && a.literal.IsNull() {
			return s.onlyProvider(providers)
		}
		return records.ProviderRef{}
	}
	kind, name, _ := strings.Cut(text, ".")
	ref := records.ProviderRef{Type: kind, Name: name}
	if !hasProvider(providers, ref) {
		s.unknownProvider(a.rng, ref, providers)
		return records.ProviderRef{}
	}
	return ref
}

func hasProvider(providers []Provider, ref records.ProviderRef) bool {
	return slices.ContainsFunc(providers, func(p Provider) bool { return p.Ref == ref })
}

// providerTraversal reads a plain provider.TYPE.NAME.
func (a *attribute) providerTraversal() (records.ProviderRef, hcl.Range, bool) {
	t, diags := hcl.AbsTraversalForExpr(a.expr)
	if diags.HasErrors() || len(t) != 3 || t.RootName() != "provider" {
		return records.ProviderRef{}, hcl.Range{}, false
	}
	kind, ok1 := t[1].(hcl.TraverseAttr)
	name, ok2 := t[2].(hcl.TraverseAttr)
	return records.ProviderRef{Type: kind.Name, Name: name.Name}, t.SourceRange(), ok1 && ok2
}

func (s scope) onlyProvider(providers []Provider) records.ProviderRef {
	switch len(providers) {
	case 1:
		return providers[0].Ref
	case 0:
		s.report(s.rng, "No provider", `Declare where the zone is, such as provider "zonefile" "local" { directory = "zones" }.`)
	default:
		s.report(s.rng, "Missing provider", "The configuration has several providers, so a domain must name one: provider = provider.%s. Declared: %s.", providers[0].Ref, refList(providers))
	}
	return records.ProviderRef{}
}

func (s scope) unknownProvider(r hcl.Range, ref records.ProviderRef, providers []Provider) {
	var names []string
	for _, p := range providers {
		names = append(names, p.Ref.String())
	}
	if len(names) == 0 {
		s.report(r, "Unknown provider", "No provider block %q %q is declared, and no other either.", ref.Type, ref.Name)
		return
	}
	s.report(r, "Unknown provider", "No provider block %q %q is declared.%s Declared: %s.", ref.Type, ref.Name, didYouMean(ref.String(), names), refList(providers))
}

func refList(providers []Provider) string {
	var names []string
	for i, p := range providers {
		if i == 10 {
			names = append(names, "…")
			break
		}
		names = append(names, "provider."+p.Ref.String())
	}
	return strings.Join(names, ", ")
}
