package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// functions returns what an expression may call. All are pure but file and
// fileexists, which read below dir. A function whose cost could exceed that of
// its arguments by much is checked before it runs.
func functions(dir string) map[string]function.Function {
	return map[string]function.Function{
		"coalesce":   before(stdlib.CoalesceFunc, checkCount),
		"concat":     before(stdlib.ConcatFunc, checkConcat),
		"contains":   stdlib.ContainsFunc,
		"csvdecode":  before(stdlib.CSVDecodeFunc, checkCSV),
		"distinct":   before(stdlib.DistinctFunc, checkDistinct),
		"file":       fileFunc(dir),
		"fileexists": fileExistsFunc(dir),
		"flatten":    stdlib.FlattenFunc,
		"format":     before(stdlib.FormatFunc, checkFormat),
		"formatlist": before(stdlib.FormatListFunc, checkFormatList),
		"join":       before(stdlib.JoinFunc, checkJoin),
		"jsondecode": before(stdlib.JSONDecodeFunc, checkJSONText),
		"keys":       stdlib.KeysFunc,
		"length":     lengthFunc,
		"lookup":     before(stdlib.LookupFunc, nil),
		"lower":      stdlib.LowerFunc,
		"max":        stdlib.MaxFunc,
		"merge":      stdlib.MergeFunc,
		"min":        stdlib.MinFunc,
		"regex":      before(stdlib.RegexFunc, checkRegex),
		"replace":    before(stdlib.ReplaceFunc, checkReplace),
		"sort":       before(stdlib.SortFunc, nil),
		"split":      before(stdlib.SplitFunc, checkSplit),
		"substr":     stdlib.SubstrFunc,
		"tolist":     collectionFunc(cty.List(cty.DynamicPseudoType)),
		"tomap":      collectionFunc(cty.Map(cty.DynamicPseudoType)),
		"tonumber":   stdlib.MakeToFunc(cty.Number),
		"toset":      collectionFunc(cty.Set(cty.DynamicPseudoType)),
		"tostring":   stdlib.MakeToFunc(cty.String),
		"trim":       stdlib.TrimFunc,
		"trimprefix": stdlib.TrimPrefixFunc,
		"trimspace":  stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc,
		"upper":      stdlib.UpperFunc,
		"values":     stdlib.ValuesFunc,
	}
}

// before returns f with a check of its arguments in front. Parameters that are
// collections are converted here, since the library's way takes quadratic time.
func before(f function.Function, check func(args []cty.Value) error) function.Function {
	spec := &function.Spec{Description: f.Description(), VarParam: anyCollection(f.VarParam())}
	for _, p := range f.Params() {
		spec.Params = append(spec.Params, *anyCollection(&p))
	}
	spec.Type = func(args []cty.Value) (cty.Type, error) {
		args, err := collections(f, args)
		if err == nil && check != nil {
			err = check(args)
		}
		if err != nil {
			return cty.DynamicPseudoType, err
		}
		return f.ReturnTypeForValues(args)
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		args, err := collections(f, args)
		if err != nil {
			return cty.DynamicVal, err
		}
		return f.Call(args)
	}
	return function.New(spec)
}

// anyCollection lets a parameter that is a collection take any value.
func anyCollection(p *function.Parameter) *function.Parameter {
	if p == nil || !p.Type.IsCollectionType() {
		return p
	}
	out := *p
	out.Type = cty.DynamicPseudoType
	return &out
}

// collections converts the arguments for parameters that are collections.
func collections(f function.Function, args []cty.Value) ([]cty.Value, error) {
	params := f.Params()
	out := slices.Clone(args)
	for i := range out {
		p := f.VarParam()
		if i < len(params) {
			p = &params[i]
		}
		if !p.Type.IsCollectionType() {
			continue
		}
		v, err := toCollection(out[i], p.Type)
		if err != nil {
			return nil, function.NewArgError(i, err)
		}
		out[i] = v
	}
	return out, nil
}

// collectionFunc is the conversion function of a type of collection.
func collectionFunc(ty cty.Type) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "v", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			v, err := toCollection(args[0], ty)
			return v.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return toCollection(args[0], ty) },
	})
}

// maxUnlike bounds how many elements of different types are unified.
const maxUnlike = 2000

// toCollection is convert.Convert to a collection type. The library compares
// the types of a tuple's elements each with each, so elements of one type take
// another way.
func toCollection(v cty.Value, ty cty.Type) (cty.Value, error) {
	from := v.Type()
	if v.IsNull() || !v.IsKnown() || !from.IsTupleType() && !from.IsObjectType() || v.LengthInt() < 2 {
		return convert.Convert(v, ty)
	}
	same := alike(v)
	switch {
	case same && from.IsTupleType():
		v = cty.ListVal(v.AsValueSlice())
	case same:
		v = cty.MapVal(v.AsValueMap())
	case v.LengthInt() > maxUnlike:
		return cty.DynamicVal, fmt.Errorf("the elements have different types, and more than %d such are too many", maxUnlike)
	}
	return convert.Convert(v, ty)
}

// alike reports whether all elements have one type.
func alike(v cty.Value) bool {
	var ty cty.Type
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		switch {
		case ty == cty.NilType:
			ty = e.Type()
		case !e.Type().Equals(ty):
			return false
		}
	}
	return true
}

// textOf is a string argument; empty where it is null or not known.
func textOf(v cty.Value) string {
	if textLen(v) == 0 {
		return ""
	}
	return v.AsString()
}

// sizeOf is the number of elements of an argument; 0 where it has none, is
// null or not known.
func sizeOf(v cty.Value) int {
	if !v.IsKnown() || v.IsNull() || !v.CanIterateElements() {
		return 0
	}
	return v.LengthInt()
}

var errString = fmt.Errorf("the result would be longer than %d MiB", maxString>>20)

var errElements = fmt.Errorf("the result would have more than %d elements", maxElements)

func checkConcat(args []cty.Value) error {
	n := 0
	for _, a := range args {
		n += sizeOf(a)
	}
	if n > maxElements {
		return errElements
	}
	return checkCount(args)
}

// checkCount bounds the arguments whose types the library unifies.
func checkCount(args []cty.Value) error {
	if len(args) > maxUnlike {
		return fmt.Errorf("it takes at most %d arguments", maxUnlike)
	}
	return nil
}

// maxCompared bounds the lists that the library compares each with each.
const maxCompared = 5000

func checkDistinct(args []cty.Value) error {
	if sizeOf(args[0]) > maxCompared {
		return fmt.Errorf("distinct takes at most %d elements; toset has no such limit", maxCompared)
	}
	return nil
}

func checkCSV(args []cty.Value) error {
	text := textOf(args[0])
	rows := strings.Count(text, "\n") + 1
	header, _, _ := strings.Cut(text, "\n")
	columns := strings.Count(header, ",") + 1
	if rows > maxElements+1 {
		return fmt.Errorf("the table has more than %d rows", maxElements)
	}
	if columns > maxElements || rows*columns*(valueCost+keyCost) > maxWeight {
		return fmt.Errorf("the table has %d cells, too many; drop columns that nothing uses, or split it", rows*columns)
	}
	return nil
}

// checkJSONText refuses deep nesting and many elements by a look at the
// punctuation outside of strings.
func checkJSONText(args []cty.Value) error {
	opens, deepest, commas := scanJSON([]byte(textOf(args[0])))
	switch {
	case deepest > maxDepth:
		return fmt.Errorf("the JSON text is nested more than %d deep", maxDepth)
	case opens*collectionCost+commas*elementCost > maxWeight:
		return fmt.Errorf("the JSON text has some %d elements in %d collections, too many", commas, opens)
	}
	return nil
}

// What the library needs while it decodes JSON, in bytes.
const (
	collectionCost = 600
	elementCost    = 180
)

// scanJSON counts brackets and commas of JSON text, strings aside.
func scanJSON(src []byte) (opens, deepest, commas int) {
	inString, depth := false, 0
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			opens++
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		case c == ',':
			commas++
		}
	}
	return opens, deepest, commas
}

func checkJoin(args []cty.Value) error {
	separator, size := len(textOf(args[0])), 0
	for _, list := range args[1:] {
		if sizeOf(list) == 0 {
			continue
		}
		for it := list.ElementIterator(); it.Next(); {
			_, e := it.Element()
			if size += textLen(e) + separator; size > maxString+separator {
				return errString
			}
		}
	}
	return nil
}

func checkReplace(args []cty.Value) error {
	text, old, by := textOf(args[0]), textOf(args[1]), textOf(args[2])
	if len(text)+strings.Count(text, old)*(len(by)-len(old)) > maxString {
		return errString
	}
	return nil
}

func checkSplit(args []cty.Value) error {
	if strings.Count(textOf(args[1]), textOf(args[0])) >= maxElements {
		return errElements
	}
	return nil
}

// checkRegex bounds what a match can cost. RE2 is linear in the text, but the
// factor is the size of the compiled pattern.
func checkRegex(args []cty.Value) error {
	pattern, text := textOf(args[0]), textOf(args[1])
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil // the function says what is wrong
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil
	}
	if len(program.Inst)*(len(text)+1) > maxRegexp {
		return fmt.Errorf("the pattern is too complex for a text of %d bytes", len(text))
	}
	return nil
}

func checkFormat(args []cty.Value) error {
	longest := 0
	for _, a := range args[1:] {
		n, err := textSize(a)
		if err != nil {
			return err
		}
		longest = max(longest, n)
	}
	return checkVerbs(textOf(args[0]), longest, 1)
}

func checkFormatList(args []cty.Value) error {
	longest, rows := 0, 1
	for _, a := range args[1:] {
		n, err := textSize(a)
		if err != nil {
			return err
		}
		if sizeOf(a) > 0 && !a.Type().IsMapType() && !a.Type().IsObjectType() {
			rows = max(rows, sizeOf(a))
			n = longestElement(a)
		}
		longest = max(longest, n)
	}
	return checkVerbs(textOf(args[0]), longest, rows)
}

func longestElement(list cty.Value) int {
	longest := 0
	for it := list.ElementIterator(); it.Next(); {
		_, e := it.Element()
		n, _ := textSize(e)
		longest = max(longest, n)
	}
	return longest
}

// textSize estimates how long a value's text is in a format: six bytes for
// each of a string in JSON.
func textSize(v cty.Value) (int, error) {
	if v.Type() == cty.String {
		return textLen(v), nil
	}
	var w weigher
	err := w.add(v, 0)
	return 6*w.total + 400, err // a number has up to some 400 digits
}

// checkVerbs bounds the size of rows results of a format string.
func checkVerbs(text string, longest, rows int) error {
	verbs, widths := 0, 0
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			continue
		}
		verbs++
		end := i + 1
		for end < len(text) && strings.IndexByte("0123456789.[]+-# ", text[end]) >= 0 {
			end++
		}
		for _, number := range strings.FieldsFunc(text[i+1:end], func(r rune) bool { return r < '0' || r > '9' }) {
			n, err := strconv.Atoi(number)
			if err != nil || n > maxWidth {
				return fmt.Errorf("width and precision are at most %d", maxWidth)
			}
			widths += n
		}
		i = max(i, end-1)
		if end < len(text) && text[end] == '%' {
			i = end
		}
	}
	size := len(text) + verbs*longest + widths
	if size > maxString {
		return errString
	}
	if size*rows > maxWeight {
		return fmt.Errorf("the results would have more than %d MiB together", maxWeight>>20)
	}
	return nil
}

// lengthFunc is the library's length, and counts the characters of a string.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if args[0].Type() == cty.String {
			return stdlib.Strlen(args[0])
		}
		return stdlib.Length(args[0])
	},
})

func fileFunc(dir string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := readBelow(dir, args[0].AsString())
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(0, err)
			}
			return cty.StringVal(text), nil
		},
	})
}

func fileExistsFunc(dir string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			_, err := confine(dir, args[0].AsString())
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return cty.UnknownVal(cty.Bool), function.NewArgError(0, err)
			}
			return cty.BoolVal(err == nil), nil
		},
	})
}

// readBelow reads a text file below dir for file().
func readBelow(dir, path string) (string, error) {
	full, err := confine(dir, path)
	if err != nil {
		return "", err
	}
	f, err := os.Open(full)
	if err != nil {
		return "", notThere(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return "", notThere(path, err)
	case len(data) > maxFile:
		return "", fmt.Errorf("%q has more than %d MiB", path, maxFile>>20)
	case !utf8.Valid(data):
		return "", fmt.Errorf("%q is not UTF-8 text", path)
	}
	return string(data), nil
}
