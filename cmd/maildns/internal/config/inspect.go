package config

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// inspect refuses text that the recursive parser must not see: too deeply
// nested, or an expression too long or with too many operators. Most text is
// too small for that and passes without being looked at; the rest is split
// into tokens first.
func inspect(src []byte, file string, start hcl.Pos) *hcl.Diagnostic {
	if len(src) <= maxExpr && count(src, "{[(") <= maxDepth && count(src, operators) <= maxOperators {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(src, file, start)
	return inspectTokens(tokens, true)
}

// inspectTemplate is inspect for the text of a JSON string.
func inspectTemplate(src []byte, file string, start hcl.Pos) *hcl.Diagnostic {
	if count(src, "{[(") <= maxDepth && count(src, operators) <= maxOperators {
		return nil
	}
	tokens, _ := hclsyntax.LexTemplate(src, file, start)
	return inspectTokens(tokens, false)
}

// operators are the characters that operators are made of.
const operators = "!-?+*/%<>=&|"

// count counts characters, also where they have no meaning.
func count(src []byte, chars string) int {
	n := 0
	for i := range len(chars) {
		n += bytes.Count(src, []byte{chars[i]})
	}
	return n
}

// inspectTokens follows the nesting. In a body an expression runs from "=" to
// the newline at the same level.
func inspectTokens(tokens hclsyntax.Tokens, body bool) *hcl.Diagnostic {
	var open []bool // for each open bracket: is it a block's body
	inBody := func() bool { return body && (len(open) == 0 || open[len(open)-1]) }
	expr := -1 // offset of the expression that is being read, -1 outside
	operators := 0
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
				expr, operators = t.Range.End.Byte, 0
			}
		case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenPlus, hclsyntax.TokenStar, hclsyntax.TokenSlash,
			hclsyntax.TokenPercent, hclsyntax.TokenQuestion, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenEqualOp,
			hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq:
			operators++
		case hclsyntax.TokenNewline:
			if inBody() {
				expr = -1
			}
		}
		if len(open) > maxDepth {
			return tooDeep(t.Range)
		}
		if operators > maxOperators {
			return tooComplex(t.Range)
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

func tooComplex(r hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Subject: &r, Summary: "Expression too complex",
		Detail: fmt.Sprintf("An expression has at most %d operators. Split it into locals.", maxOperators)}
}

func tooLong(r hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Subject: &r, Summary: "Expression too long",
		Detail: fmt.Sprintf("An expression has at most %d KiB. Put the data into a file and read it with csvdecode(file(…)) or jsondecode(file(…)).", maxExpr>>10)}
}
