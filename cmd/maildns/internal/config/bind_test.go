package config

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// TestBindChangesNothing proves that an expression that is counted gives what
// it gives without that, errors included.
func TestBindChangesNothing(t *testing.T) {
	t.Parallel()
	ctx := &hcl.EvalContext{Functions: functions(t.TempDir()), Variables: map[string]cty.Value{
		"list": cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")}),
		"map":  cty.MapVal(map[string]cty.Value{"x": cty.NumberIntVal(1), "y": cty.NumberIntVal(2)}),
		"obj":  cty.ObjectVal(map[string]cty.Value{"n": cty.NumberIntVal(3), "l": cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"z": cty.True})})}),
		"null": cty.NullVal(cty.String),
	}}
	for _, text := range []string{
		`1 + 2 * 3 - -4`, `!true || false && true`, `5 % 3 == 2 ? "yes" : "no"`, `null == null`, `"a" < "b"`, `1 > 0`,
		`"x${list[0]}y${obj.n}"`, `"${list}"`, `"$${x} %%{y}"`, `"%{ for k, v in map }${k}=${v},%{ endfor }"`, `"%{ if obj.n > 2 ~} big %{ else }small%{ endif }"`, `"${null}"`, `"a${null}"`,
		`[1, "a", [true], {}]`, `{ a = 1, "b" = 2, (list[0]) = 3, obj.n = 4 }`, `{ (obj.n) = 5, "${list[1]}" : 6 }`, `{ list = 1 }`,
		`[for x in list : upper(x) if x != "a"]`, `{ for k, v in map : v => k }`, `{ for x in list : "k" => x... }`, `{ for x in list : "k" => x }`, `[for x in null : x]`, `[for x in 5 : x]`,
		`[for i, x in list : [for y in list : "${i}${x}${y}"]]`, `obj.l[0].z`, `obj.l[*].z`, `obj["l"][0]["z"]`, `obj.l.0.z`, `map[*]`, `null[*]`, `list.*`, `obj.nothing`, `list[7]`, `map["q"]`, `nothing`, `obj.l[*].q`,
		`concat(list, ["c"])`, `join("-", list...)`, `join("-", list)`, `merge(map, { z = 3 })`, `lookup(map, "q", 9)`, `lookup(map, "x", 9)`, `length("äö")`, `length(map)`, `length(5)`,
		`format("%s-%05d-%v", "a", 7, [1])`, `format("%d", "x")`, `formatlist("%s!", list)`, `toset(["b", "a", "b"])`, `tolist([1, "a"])`, `tomap({ a = 1, b = "c" })`, `toset(1)`,
		`distinct(["a", "b", "a"])`, `flatten([[1], [[2]], 3])`, `keys(map)`, `values(map)`, `contains(list, "a")`, `coalesce(null, "x")`, `regex("a(.)c", "abc")`, `regex("z", "abc")`, `regex("(", "abc")`,
		`csvdecode("a,b\n1,2\n")`, `csvdecode("a,a\n1,2\n")`, `jsondecode("{\"a\":[1,null,true]}")`, `jsondecode("{")`, `split(",", "a,b")`, `replace("abab", "a", "c")`, `substr("abc", 1, 1)`, `sort(["b", "a"])`,
		`trimspace(" a ")`, `trim("xax", "x")`, `trimprefix("abc", "a")`, `trimsuffix("abc", "c")`, `lower("A")`, `upper("a")`, `max(1, 2)`, `min(1, 2)`, `tonumber("5")`, `tonumber("x")`, `tostring(5)`, `upper()`, `upper("a", "b")`, `upper(null)`, `uper("a")`,
		`file("nothing")`, `fileexists("nothing")`, `fileexists("../x")`, `<<E
a ${list[0]}
E
`, `<<-E
    a
      b
  E
`,
	} {
		plain, want, wantDiags := evaluate(t, text, ctx, func(e hclsyntax.Expression) hclsyntax.Expression { return e })
		m := &meter{budget: &budget{}}
		m.begin()
		bound, got, gotDiags := evaluate(t, text, ctx, m.bind)
		if m.broken || m.why != nil {
			t.Errorf("%s: a bound is broken: %v", text, m.why)
		}
		if !got.RawEquals(want) {
			t.Errorf("%s: got %#v, want %#v", text, got, want)
		}
		if gotDiags != wantDiags {
			t.Errorf("%s: got errors\n%s\nwant\n%s", text, gotDiags, wantDiags)
		}
		if plain.Range() != bound.Range() {
			t.Errorf("%s: range %s became %s", text, plain.Range(), bound.Range())
		}
	}
}

func evaluate(t *testing.T, text string, ctx *hcl.EvalContext, bind func(hclsyntax.Expression) hclsyntax.Expression) (hclsyntax.Expression, cty.Value, string) {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte(text), "x.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %v", text, diags)
	}
	e = bind(e)
	v, diags := e.Value(ctx)
	var words []string
	for _, d := range diags {
		words = append(words, d.Error())
	}
	return e, v, strings.Join(words, "\n")
}

// TestLargeCollections proves that what the library does in quadratic time is
// done for large collections all the same, with the library's result.
func TestLargeCollections(t *testing.T) {
	t.Parallel()
	const n = 20_000
	elements := make([]cty.Value, n)
	attrs := make(map[string]cty.Value, n)
	for i := range elements {
		elements[i] = cty.NumberIntVal(int64(i % 100))
		attrs[string(rune('a'+i%26))+elements[i].AsBigFloat().String()+string(rune(i))] = elements[i]
	}
	tuple := cty.TupleVal(elements)
	for _, ty := range []cty.Type{cty.Set(cty.DynamicPseudoType), cty.Set(cty.String), cty.List(cty.DynamicPseudoType), cty.List(cty.String)} {
		got, err := toCollection(tuple, ty)
		if err != nil {
			t.Fatal(err)
		}
		want := n
		if ty.IsSetType() {
			want = 100
		}
		if got.LengthInt() != want {
			t.Errorf("%s has %d elements, want %d", ty.FriendlyName(), got.LengthInt(), want)
		}
	}
	m, err := toCollection(cty.ObjectVal(attrs), cty.Map(cty.String))
	if err != nil || m.LengthInt() != len(attrs) {
		t.Errorf("%v, %v", m.LengthInt(), err)
	}
	if _, err := toCollection(cty.TupleVal(append(elements, cty.StringVal("x"))), cty.Set(cty.DynamicPseudoType)); err == nil {
		t.Error("many elements of unlike types are unified")
	}
}
