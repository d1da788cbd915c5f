package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// block is a block whose structure has been checked and whose expressions can
// be evaluated, once or for every element of a for_each.
type block struct {
	kind   string
	labels []string
	attrs  map[string]*attribute
	blocks []*block
	rng    hcl.Range // its header
}

// attribute is one attribute of a block.
type attribute struct {
	name    string
	expr    hclsyntax.Expression // bound to a meter
	literal cty.Value            // its value where it needs no evaluation, else NilVal
	env     *hclsyntax.FunctionCallExpr
	refs    []hcl.Traversal // the variables in it, of a local
	rng     hcl.Range       // of the expression
	nameRng hcl.Range
}

// title names the block as its header does.
func (b *block) title() string {
	var s strings.Builder
	s.WriteString(b.kind)
	for _, l := range b.labels {
		fmt.Fprintf(&s, " %q", l)
	}
	return s.String()
}

func (b *block) label(i int) string {
	if i < len(b.labels) {
		return b.labels[i]
	}
	return ""
}

// all returns the blocks of one kind, in source order.
func (b *block) all(kind string) []*block {
	var out []*block
	for _, c := range b.blocks {
		if c.kind == kind {
			out = append(out, c)
		}
	}
	return out
}

// first returns the block of a kind that may stand once, or nil.
func (b *block) first(kind string) *block {
	i := slices.IndexFunc(b.blocks, func(c *block) bool { return c.kind == kind })
	if i < 0 {
		return nil
	}
	return b.blocks[i]
}

// blockReader turns the library's bodies into blocks.
type blockReader struct {
	m     *meter
	diags Diagnostics
}

// read checks a body against a spec and puts what it holds into a block.
func (r *blockReader) read(body hcl.Body, s *spec, into *block) {
	var content *hcl.BodyContent
	var diags hcl.Diagnostics
	if s.open {
		attrs, d := body.JustAttributes()
		content, diags = &hcl.BodyContent{Attributes: attrs}, d
	} else {
		content, diags = body.Content(s.schema)
	}
	r.diags = append(r.diags, fromHCL(titleIn(into), diags)...)
	if len(content.Attributes) > 0 {
		into.attrs = make(map[string]*attribute, len(content.Attributes))
	}
	for name, a := range content.Attributes {
		into.attrs[name] = r.attribute(a, into)
	}
	for _, c := range content.Blocks {
		r.readBlock(c, s.block(c.Type), into)
	}
}

func (r *blockReader) readBlock(c *hcl.Block, s *spec, into *block) {
	b := &block{kind: c.Type, labels: c.Labels, rng: c.DefRange}
	r.read(c.Body, s, b)
	r.checkOnce(s, into, b)
	into.blocks = append(into.blocks, b)
}

func titleIn(b *block) string {
	if b.kind == "" {
		return ""
	}
	return b.title()
}

func (r *blockReader) checkOnce(s *spec, parent, b *block) {
	if earlier := parent.first(b.kind); s.once && parent.kind != "" && earlier != nil {
		r.diags = append(r.diags, Diagnostic{Severity: Error, Source: span(b.rng), In: titleIn(parent),
			Summary: fmt.Sprintf("Second %s block", b.kind),
			Detail:  fmt.Sprintf("The first one is at %s. Merge the two: there is at most one.", place(source(earlier.rng)))})
	}
}

func (r *blockReader) attribute(a *hcl.Attribute, in *block) *attribute {
	expr, diag := native(a.Expr)
	if diag == nil {
		diag = checkExpression(expr, a.NameRange, takesEnv(in.kind))
	}
	if diag != nil {
		r.diags = append(r.diags, fromHCL(titleIn(in), hcl.Diagnostics{diag})...)
		expr = &hclsyntax.LiteralValueExpr{Val: cty.DynamicVal, SrcRange: a.Expr.Range()}
	}
	out := &attribute{name: a.Name, rng: expr.Range(), nameRng: a.NameRange, literal: literal(expr)}
	out.env = envCall(expr)
	if in.kind == "locals" && out.literal == cty.NilVal {
		out.refs = expr.Variables()
	}
	out.expr = r.m.bind(expr)
	return out
}

// literal returns the value of an expression that is a plain constant.
func literal(e hclsyntax.Expression) cty.Value {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return e.Val
	case *hclsyntax.TemplateExpr:
		if e.IsStringLiteral() {
			return e.Parts[0].(*hclsyntax.LiteralValueExpr).Val
		}
	}
	return cty.NilVal
}

// takesEnv reports whether the attributes of a kind of block may be given by
// env().
func takesEnv(kind string) bool {
	return kind == "provider" || kind == "notify" || kind == "report_source"
}

// checkExpression refuses an expression that is too long, and env() where it
// is not possible, or not the whole value.
func checkExpression(e hclsyntax.Expression, name hcl.Range, takesEnv bool) *hcl.Diagnostic {
	if r := e.Range(); r.End.Byte-r.Start.Byte > maxExpr {
		return tooLong(name)
	}
	if literal(e) != cty.NilVal {
		return nil
	}
	var whole *hclsyntax.FunctionCallExpr
	if takesEnv {
		whole = envCall(e)
	}
	var found *hcl.Diagnostic
	hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "env" && call != whole && found == nil {
			found = envNotHere(call.Range())
		}
		return nil
	})
	return found
}

func envNotHere(r hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Subject: &r, Summary: "env() is not possible here",
		Detail: "An environment variable may only be the whole value of an attribute of a provider, notify or report_source block. For other inputs declare a variable block, which --var and MAILDNS_VAR_name set."}
}

// envCall returns the call if the expression is env(…) and nothing else, as it
// is written in native syntax or in JSON ("${env(…)}").
func envCall(e hclsyntax.Expression) *hclsyntax.FunctionCallExpr {
	switch e := e.(type) {
	case *hclsyntax.FunctionCallExpr:
		if e.Name == "env" {
			return e
		}
	case *hclsyntax.ParenthesesExpr:
		return envCall(e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return envCall(e.Wrapped)
	}
	return nil
}
