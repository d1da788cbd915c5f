package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// bind puts a guard before every node of an expression that builds something
// or repeats something, so that what it costs is counted while it is
// evaluated. The tree is changed in place and belongs to the meter's worker.
func (m *meter) bind(e hclsyntax.Expression) hclsyntax.Expression {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return m.bindLiteral(e)
	case *hclsyntax.TemplateExpr:
		return m.bindTemplate(e)
	case *hclsyntax.TemplateJoinExpr:
		e.Tuple = &joined{guard: m.guard(m.bind(e.Tuple), refers)}
		return m.guard(e, builds)
	case *hclsyntax.TemplateWrapExpr:
		e.Wrapped = m.bind(e.Wrapped)
		return e
	case *hclsyntax.ParenthesesExpr:
		e.Expression = m.bind(e.Expression)
		return e
	case *hclsyntax.FunctionCallExpr:
		m.bindAll(e.Args)
		if e.Name == "file" { // its own bound is larger
			return m.guard(e, copies)
		}
		return m.guard(e, calls)
	case *hclsyntax.ConditionalExpr: // converts the results to one type
		e.Condition, e.TrueResult, e.FalseResult = m.bind(e.Condition), m.bind(e.TrueResult), m.bind(e.FalseResult)
		return m.guard(e, copies)
	case *hclsyntax.BinaryOpExpr:
		e.LHS, e.RHS = m.bind(e.LHS), m.bind(e.RHS)
	case *hclsyntax.UnaryOpExpr:
		e.Val = m.bind(e.Val)
	case *hclsyntax.TupleConsExpr:
		m.bindAll(e.Exprs)
	case *hclsyntax.ObjectConsExpr:
		m.bindItems(e.Items)
	case *hclsyntax.ForExpr:
		m.bindFor(e)
	case *hclsyntax.SplatExpr:
		e.Source, e.Each = m.bind(e.Source), m.guard(m.bind(e.Each), refers)
	case *hclsyntax.IndexExpr:
		e.Collection, e.Key = m.bind(e.Collection), m.bind(e.Key)
		return e
	case *hclsyntax.RelativeTraversalExpr:
		e.Source = m.bind(e.Source)
		return e
	default: // variables and placeholders build nothing
		return e
	}
	return m.guard(e, builds)
}

func (m *meter) bindAll(list []hclsyntax.Expression) {
	for i := range list {
		list[i] = m.bind(list[i])
	}
}

func (m *meter) bindLiteral(e *hclsyntax.LiteralValueExpr) hclsyntax.Expression {
	if e.Val.Type() == cty.Number && !e.Val.IsNull() && checkNumber(e.Val) != nil {
		return m.guard(e, builds)
	}
	return e
}

func (m *meter) bindTemplate(e *hclsyntax.TemplateExpr) hclsyntax.Expression {
	if e.IsStringLiteral() || len(e.Parts) == 0 {
		return e
	}
	t := &template{guard: m.guard(e, builds)}
	for i := range e.Parts {
		e.Parts[i] = &part{guard: m.guard(m.bind(e.Parts[i]), refers), of: t}
	}
	return t
}

// bindItems leaves a key alone that is a bare word, whose type the library
// looks at.
func (m *meter) bindItems(items []hclsyntax.ObjectConsItem) {
	for i, item := range items {
		if key, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr); ok && hcl.ExprAsKeyword(key.Wrapped) == "" {
			if _, traversal := key.Wrapped.(*hclsyntax.ScopeTraversalExpr); !traversal {
				key.Wrapped = m.bind(key.Wrapped)
			}
		}
		items[i].ValueExpr = m.bind(item.ValueExpr)
	}
}

func (m *meter) bindFor(e *hclsyntax.ForExpr) {
	e.CollExpr = &counted{guard: m.guard(m.bind(e.CollExpr), refers)}
	e.ValExpr = m.guard(m.bind(e.ValExpr), refers)
	if e.KeyExpr != nil {
		e.KeyExpr = m.guard(m.bind(e.KeyExpr), refers)
	}
	if e.CondExpr != nil {
		e.CondExpr = m.guard(m.bind(e.CondExpr), refers)
	}
}

// guard is a node whose evaluation is counted. It embeds the node and so takes
// over all that the library keeps to itself.
type guard struct {
	hclsyntax.Expression
	m   *meter
	how effect
	rng hcl.Range
}

func (m *meter) guard(e hclsyntax.Expression, how effect) *guard {
	if g, ok := e.(*guard); ok {
		return g
	}
	return &guard{Expression: e, m: m, how: how, rng: e.Range()}
}

// Value evaluates the node. Once a bound is broken the value is unknown,
// which ends what builds on it.
func (g *guard) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if !g.m.step(&g.rng) {
		return cty.DynamicVal, nil
	}
	v, diags := g.Expression.Value(ctx)
	g.m.failed(diags)
	if g.m.broken || !g.m.take(&g.rng, v, g.how) {
		return cty.DynamicVal, diags
	}
	return v, diags
}

// counted is the collection of a for expression. Its elements are counted
// before the loop begins.
type counted struct{ *guard }

func (c *counted) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := c.guard.Value(ctx)
	if v.IsKnown() && !v.IsNull() && v.CanIterateElements() && v.LengthInt() > maxElements {
		c.m.breach(&c.rng, "Collection too large", fmt.Sprintf("A collection has at most %d elements.", maxElements))
		return cty.DynamicVal, diags
	}
	return v, diags
}

// template is a template with interpolations; its parts are added up before
// they are joined.
type template struct {
	*guard
	size int
}

func (t *template) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	t.size = 0
	return t.guard.Value(ctx)
}

// part is one part of a template.
type part struct {
	*guard
	of *template
}

func (p *part) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if p.m.broken {
		return cty.DynamicVal, nil
	}
	v, diags := p.guard.Value(ctx)
	p.of.size += textLen(v)
	if p.of.size > maxString {
		p.m.breach(&p.rng, "String too long", tooLongString)
		return cty.DynamicVal, diags
	}
	return v, diags
}

var tooLongString = fmt.Sprintf("A string has at most %d MiB.", maxString>>20)

// textLen is the length of a value's text, as far as it is a string.
func textLen(v cty.Value) int {
	if v.IsKnown() && !v.IsNull() && v.Type() == cty.String {
		return len(v.AsString())
	}
	return 0
}

// joined is the list that a template's for sequence builds before its
// elements are joined.
type joined struct{ *guard }

func (j *joined) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := j.guard.Value(ctx)
	if !v.IsKnown() || v.IsNull() || !v.CanIterateElements() {
		return v, diags
	}
	size := 0
	for it := v.ElementIterator(); it.Next() && size <= maxString; {
		_, e := it.Element()
		size += textLen(e)
	}
	if size > maxString {
		j.m.breach(&j.rng, "String too long", tooLongString)
		return cty.DynamicVal, diags
	}
	return v, diags
}
