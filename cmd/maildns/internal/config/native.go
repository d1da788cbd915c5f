package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// native returns an expression as one of native syntax. Those of JSON files
// are translated, so that one evaluator with one set of bounds serves both.
func native(e hcl.Expression) (hclsyntax.Expression, *hcl.Diagnostic) {
	if n, ok := e.(hclsyntax.Expression); ok {
		return n, nil
	}
	if pairs, diags := hcl.ExprMap(e); !diags.HasErrors() {
		return nativeObject(e, pairs)
	}
	if list, diags := hcl.ExprList(e); !diags.HasErrors() {
		return nativeTuple(e, list)
	}
	v, diags := e.Value(nil) // without a context a JSON string is taken as it is
	if diags.HasErrors() {
		return nil, diags[0]
	}
	if v.Type() == cty.String && !v.IsNull() {
		return nativeString(e, v.AsString())
	}
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: e.Range()}, nil
}

func nativeObject(e hcl.Expression, pairs []hcl.KeyValuePair) (hclsyntax.Expression, *hcl.Diagnostic) {
	out := &hclsyntax.ObjectConsExpr{SrcRange: e.Range(), OpenRange: e.StartRange()}
	for _, p := range pairs {
		key, diag := native(p.Key)
		if diag != nil {
			return nil, diag
		}
		value, diag := native(p.Value)
		if diag != nil {
			return nil, diag
		}
		out.Items = append(out.Items, hclsyntax.ObjectConsItem{KeyExpr: key, ValueExpr: value})
	}
	return out, nil
}

func nativeTuple(e hcl.Expression, list []hcl.Expression) (hclsyntax.Expression, *hcl.Diagnostic) {
	out := &hclsyntax.TupleConsExpr{SrcRange: e.Range(), OpenRange: e.StartRange()}
	for _, item := range list {
		n, diag := native(item)
		if diag != nil {
			return nil, diag
		}
		out.Exprs = append(out.Exprs, n)
	}
	return out, nil
}

// nativeString parses the text of a JSON string as a template (HCL JSON
// syntax, "Expressions").
func nativeString(e hcl.Expression, text string) (hclsyntax.Expression, *hcl.Diagnostic) {
	r := e.Range()
	if len(text) > maxExpr {
		return nil, tooLong(r)
	}
	start := hcl.Pos{Line: r.Start.Line, Column: r.Start.Column + 1, Byte: r.Start.Byte + 1}
	if diag := inspectTemplate([]byte(text), r.Filename, start); diag != nil {
		return nil, diag
	}
	t, diags := hclsyntax.ParseTemplate([]byte(text), r.Filename, start)
	if diags.HasErrors() {
		return nil, diags[0]
	}
	return t, nil
}
