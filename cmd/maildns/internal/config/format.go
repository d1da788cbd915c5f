package config

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format returns a configuration file in canonical form: indented by two
// spaces, equal signs and comments aligned, single spaces elsewhere, and a
// newline at the end. Only white space between tokens changes, so the file
// means what it meant, and formatting again changes nothing. Text that doesn't
// parse is returned as it is, with errors; JSON, which generators write, is
// returned as it is.
func Format(src []byte, filename string) ([]byte, Diagnostics) {
	if strings.HasSuffix(filename, ".json") {
		return src, nil
	}
	if len(src) > maxSource {
		return src, Diagnostics{{Severity: Error, Summary: "File too large",
			Detail: fmt.Sprintf("A configuration has at most %d MiB.", maxSource>>20)}}
	}
	if !utf8.Valid(src) {
		return src, Diagnostics{{Severity: Error, Summary: "File can't be read", Detail: "It is not UTF-8 text. Save it in that encoding."}}
	}
	text := src
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(bytes.Clone(text), '\n')
	}
	var out bytes.Buffer
	var diags Diagnostics
	for _, p := range cut(text, len(text)) {
		piece, diag := formatPiece(text[p.start:p.end], filename, hcl.Pos{Line: p.line, Column: 1, Byte: p.start})
		diags = append(diags, diag...)
		out.Write(piece)
	}
	if diags.HasErrors() {
		return src, diags.Settle()
	}
	return out.Bytes(), nil
}

// maxPasses bounds how often text is formatted until it stays the same. The
// library needs a second pass where moving a comment changes its column.
const maxPasses = 5

func formatPiece(src []byte, file string, start hcl.Pos) ([]byte, Diagnostics) {
	if err := parseable(src, file, start); err != nil {
		return nil, err
	}
	for range maxPasses {
		next := hclwrite.Format(src)
		if bytes.Equal(next, src) {
			break
		}
		src = next
	}
	return src, nil
}

func parseable(src []byte, file string, start hcl.Pos) Diagnostics {
	if d := tooLargePiece(src, file, start); d != nil {
		return d
	}
	_, diags := hclsyntax.ParseConfig(src, file, start)
	if !diags.HasErrors() {
		return nil
	}
	return fromHCL("", diags[:1])
}
