package config

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/attunelogic/maildns/records"
)

// hclText writes a value as HCL.
func hclText(v cty.Value) string {
	return string(hclwrite.TokensForValue(v).Bytes())
}

// hclString writes a string as HCL.
func hclString(s string) string { return hclText(cty.StringVal(s)) }

// hclCanSay reports whether a string of HCL can be these bytes: the language
// has Unicode in normal form C only.
func hclCanSay(s string) bool {
	return utf8.ValidString(s) && cty.StringVal(s).AsString() == s
}

// hclAttr writes an attribute whose value is HCL already.
func hclAttr(name, value string) string { return name + " = " + value }

// hclList writes a list of strings, one a line where they are long.
func hclList(items []string) string {
	const long = 80
	quoted, total := make([]string, len(items)), 0
	for i, s := range items {
		quoted[i] = hclString(s)
		total += len(quoted[i])
	}
	if len(items) > 1 && total > long {
		return "[\n" + strings.Join(quoted, ",\n") + ",\n]"
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// hclBlock writes a block of attributes; empty ones are left out.
func hclBlock(header string, attrs ...string) string {
	var b strings.Builder
	b.WriteString(header + " {\n")
	for _, a := range attrs {
		if a != "" {
			b.WriteString(a + "\n")
		}
	}
	b.WriteString("}")
	return strings.Replace(b.String(), "{\n}", "{}", 1)
}

// hclComment writes text as comment lines of a readable width.
func hclComment(text string) string {
	const width = 76
	var b strings.Builder
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			b.WriteString("# " + line + "\n")
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	if line != "" {
		b.WriteString("# " + line + "\n")
	}
	return b.String()
}

// hclTTL writes a TTL as a configuration has it.
func hclTTL(t records.TTL) string {
	const longest = 999_999_999 // of a number in a duration
	switch {
	case t == records.AutoTTL:
		return `"auto"`
	case t > longest:
		return fmt.Sprint(uint32(t))
	}
	return hclString(seconds(t))
}
