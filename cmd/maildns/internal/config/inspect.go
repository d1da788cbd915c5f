package config

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// inspect refuses text that the recursive parser must not see: too deeply
// nested, or one expression too long. Most text is too small for either and
// passes without being looked at; the rest is split into tokens first.
func inspect(src []byte, file string, start hcl.Pos) *hcl.Diagnostic {
	if len(src) <= maxExpr && brackets(src) <= maxDepth {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(src, file, start)
	return inspectTokens(tokens, true)
}

// inspectTemplate is inspect for the text of a JSON string.
func inspectTemplate(src []byte, file string, start hcl.Pos) *hcl.Diagnostic {
	if brackets(src) <= maxDepth {
		return nil
	}
	tokens, _ := hclsyntax.LexTemplate(src, file, start)
	return inspectTokens(tokens, false)
}

// brackets counts what could open a level, also where it does not.
func brackets(src []byte) int {
	return bytes.Count(src, []byte("{")) + bytes.Count(src, []byte("[")) + bytes.Count(src, []byte("("))
}

// inspectTokens follows the nesting. In a body an expression runs from "=" to
// the newline at the same level.
func inspectTokens(tokens hclsyntax.Tokens, body bool) *hcl.Diagnostic {
	var open []bool // for each open bracket: is it a block's body
	inBody := func() bool { return body && (len(open) == 0 || open[len(open)-1]) }
	expr := -1 // offset of the expression that is being read, -1 outside
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			open = append(open, t.Type == hclsyntax.TokenOBrace && expr < 0 && inBody())
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen,
			hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		case hclsyntax.TokenEqual:
			if expr < 0 && inBody() {
				expr = t.Range.End.Byte
			}
		case hclsyntax.TokenNewline:
			if inBody() {
				expr = -1
			}
		}
		if len(open) > maxDepth {
			return tooDeep(t.Range)
		}
		if expr >= 0 && t.Range.End.Byte-expr > maxExpr {
			return tooLong(t.Range)
		}
	}
	return nil
}

func tooDeep(r hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Subject: &r, Summary: "Nesting too deep",
		Detail: fmt.Sprintf("Blocks, brackets and templates may be nested %d deep. Split this into locals.", maxDepth)}
}

func tooLong(r hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Subject: &r, Summary: "Expression too long",
		Detail: fmt.Sprintf("An expression has at most %d KiB. Put the data into a file and read it with csvdecode(file(…)) or jsondecode(file(…)).", maxExpr>>10)}
}
