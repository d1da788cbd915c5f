package config

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// hostile is a configuration that would cost too much if it could.
type hostile struct {
	name  string
	files func() map[string]string
	want  string // a part of an error; empty: none is needed
}

func locals(text string) map[string]string {
	return map[string]string{"main.hcl": "locals {\n" + text + "\n}\n"}
}

func with(files map[string]string, name, text string) map[string]string {
	files[name] = text
	return files
}

// chain writes n locals, each of the text of f with the number of the one
// before.
func chain(n int, first string, f func(prev string) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "l0 = %s\n", first)
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "l%d = %s\n", i, f(fmt.Sprintf("local.l%d", i-1)))
	}
	return b.String()
}

func lines(n int, text string) string { return strings.Repeat(text+"\n", n) }

const wide = `r = split(",", file("wide.csv"))` + "\n"

func widely(text string) map[string]string {
	return with(locals(wide+text), "wide.csv", strings.Repeat("x,", 150_000))
}

const mega = `big = file("mega.txt")` + "\n"

func megas(text string) map[string]string {
	return with(with(locals(wide+mega+text), "wide.csv", strings.Repeat("x,", 150_000)), "mega.txt", strings.Repeat("m", 1<<20-10))
}

// eachTime is a domain block for some 90,000 elements.
func eachTime(body, element string) map[string]string {
	files := megas("half = substr(local.big, 0, 500000)\n")
	files["b.hcl"] = localProvider + "domain \"t\" {\n for_each = {for i, x in local.r : " + element + " if i < 90000}\n " + body + "}\n"
	return files
}

var hostiles = []hostile{
	{"parentheses", func() map[string]string {
		return locals("a = " + strings.Repeat("(", 30_000) + "1" + strings.Repeat(")", 30_000))
	}, "Nesting too deep"},
	{"brackets", func() map[string]string { return locals("a = " + strings.Repeat("[", 400_000)) }, "Nesting too deep"},
	{"blocks", func() map[string]string {
		return map[string]string{"a.hcl": strings.Repeat("domain \"a\" {\n", 20_000) + strings.Repeat("}\n", 20_000)}
	}, "Nesting too deep"},
	{"not", func() map[string]string { return locals("a = " + strings.Repeat("!", 60_000) + "true") }, "too complex"},
	{"long not", func() map[string]string { return locals("a = " + strings.Repeat("!", 400_000) + "true") }, "Expression too"},
	{"minus", func() map[string]string { return locals("a = " + strings.Repeat("-", 60_000) + "1") }, "too complex"},
	{"conditionals", func() map[string]string { return locals("a = " + strings.Repeat("true?1:", 9_000) + "2") }, "too complex"},
	{"conditionals left", func() map[string]string {
		return locals("a = " + strings.Repeat("true?", 12_000) + "1" + strings.Repeat(":2", 12_000))
	}, ""},
	{"sum", func() map[string]string { return locals("a = 1" + strings.Repeat("+1", 30_000)) }, "too complex"},
	{"index", func() map[string]string { return locals("b = [1]\na = local.b" + strings.Repeat("[0]", 20_000)) }, ""},
	{"splat", func() map[string]string { return locals("b = [1]\na = local.b" + strings.Repeat("[*]", 20_000)) }, ""},
	{"templates", func() map[string]string {
		return locals("a = " + strings.Repeat(`"${`, 20_000) + "1" + strings.Repeat(`}"`, 20_000))
	}, "Nesting too deep"},
	{"template ifs", func() map[string]string {
		return locals(`a = "` + strings.Repeat("%{if true}", 4_000) + strings.Repeat("%{endif}", 2_000) + `"`)
	}, ""},
	{"template ifs closed", func() map[string]string {
		return locals(`a = "` + strings.Repeat("%{if true}", 3_000) + strings.Repeat("%{endif}", 3_000) + `"`)
	}, ""},
	{"template fors", func() map[string]string {
		return locals("r = [1,2,3,4,5,6,7,8,9,0]\n" + `a = "` + strings.Repeat("%{for x in local.r}", 2_000) + "x" + strings.Repeat("%{endfor}", 2_000) + `"`)
	}, "too"},
	{"heredoc", func() map[string]string { return locals("a = <<E\n" + lines(1<<20, "0123456789") + "E") }, "Too much"},
	{"heredoc of 400 KB", func() map[string]string { return locals("a = <<E\n" + lines(40_000, "0123456789") + "E") }, "Expression too long"},
	{"quote", func() map[string]string {
		return map[string]string{"a.hcl": "domain \"a {\n" + lines(5_000_000, "x = 1")}
	}, "too large"},
	{"too much", func() map[string]string { return map[string]string{"a.hcl": strings.Repeat("# comment\n", 7<<20)} }, "64 MiB"},
	{"comments", func() map[string]string { return map[string]string{"a.hcl": strings.Repeat("# comment\n", 6<<20)} }, ""},
	{"blocks side by side", func() map[string]string { return map[string]string{"a.hcl": lines(4_000_000, "domain \"a\" {}")} }, "Too many blocks"},
	{"empty domains", func() map[string]string { return map[string]string{"a.hcl": lines(190_000, "domain \"a\" {}")} }, "No provider"},
	{"providers", func() map[string]string {
		return map[string]string{"a.hcl": lines(1_000_000, "provider \"a\" \"b\" {}")}
	}, ""},
	{"garbage", func() map[string]string {
		return map[string]string{"a.hcl": strings.Repeat("\x00\xff}{[(\"${", 500_000)}
	}, ""},
	{"locals in number", func() map[string]string {
		var b strings.Builder
		for i := range 90_000 {
			fmt.Fprintf(&b, "a%d=1\n", i)
		}
		return locals(b.String())
	}, ""},
	{"numbers", func() map[string]string {
		var b strings.Builder
		for i := range 7 {
			fmt.Fprintf(&b, "a%d=[%s]\n", i, strings.Repeat("1,", 32_000))
		}
		return locals(b.String())
	}, ""},
	{"doubling lists", func() map[string]string {
		return locals(chain(60, `["x"]`, func(p string) string { return "[" + p + "," + p + "]" }))
	}, "too large"},
	{"doubling maps", func() map[string]string {
		return locals(chain(60, `{}`, func(p string) string { return "{a=" + p + ",b=" + p + "}" }))
	}, "too large"},
	{"doubling strings", func() map[string]string {
		return locals(chain(60, `"0123456789"`, func(p string) string { return `"${` + p + "}${" + p + `}"` }))
	}, "too long"},
	{"doubling concat", func() map[string]string {
		return locals(chain(60, `["x"]`, func(p string) string { return "concat(" + p + "," + p + ")" }))
	}, "more than"},
	{"doubling flatten", func() map[string]string {
		return locals(chain(60, `["x"]`, func(p string) string { return "[flatten([" + p + "," + p + "])," + p + "]" }))
	}, "too"},
	{"doubling join", func() map[string]string {
		return locals(chain(60, `"0123456789"`, func(p string) string { return `join("",[` + p + "," + p + "])" }))
	}, "longer"},
	{"nesting values", func() map[string]string {
		return locals(chain(900, `1`, func(p string) string { return "[" + p + "]" }))
	}, "nested"},
	{"long chain", func() map[string]string { return locals(chain(20_000, `1`, func(p string) string { return p })) }, ""},
	{"circle", func() map[string]string {
		return locals(chain(20_000, `local.l20000`, func(p string) string { return p }))
	}, ""},
	{"nested for", func() map[string]string {
		return widely("a = [for a in local.r : [for b in local.r : [for c in local.r : 1]]]")
	}, "too"},
	{"nested for of maps", func() map[string]string {
		return widely("a = {for i, a in local.r : i => {for j, b in local.r : j => local.r}}")
	}, "too"},
	{"for of strings", func() map[string]string { return megas(`a = [for x in local.r : "${x}${local.big}"]`) }, "too much"},
	{"for of shared", func() map[string]string { return megas(`a = [for x in local.r : local.r]`) }, "too"},
	{"for that does nothing", func() map[string]string {
		return widely(`a = [for x in local.r : 1 if length([for y in local.r : 1 if y == "z"]) > 5]`)
	}, "too long"},
	{"for with contains", func() map[string]string { return widely(`a = [for x in local.r : 1 if contains(local.r, "nothing")]`) }, "too long"},
	{"for with errors", func() map[string]string { return widely(`a = [for x in local.r : x.nothing]`) }, ""},
	{"template for", func() map[string]string { return megas(`a = "%{for x in local.r}${local.big}%{endfor}"`) }, "too"},
	{"template parts", func() map[string]string { return megas(`a = "` + strings.Repeat("${local.big}", 5_000) + `"`) }, "too long"},
	{"conditional copies", func() map[string]string { return megas(`a = [for x in local.r : true ? local.r : toset(local.r)]`) }, "too"},
	{"format width of null", func() map[string]string { return locals(`a = format("%1000000000v", null)`) }, "width"},
	{"coalesce of many", func() map[string]string { return widely("a = coalesce([for i, x in local.r : {\"k${i}\" = i}]...)") }, "arguments"},
	{"format width", func() map[string]string { return locals(`a = format("%1000000000d", 1)`) }, "width"},
	{"format precision", func() map[string]string { return locals(`a = format("%.1000000000f", 1)`) }, "width"},
	{"format many", func() map[string]string {
		return megas(`a = format("` + strings.Repeat("%[1]s", 10_000) + `", local.big)`)
	}, ""},
	{"format many in order", func() map[string]string {
		return megas(`a = format("` + strings.Repeat("%s", 3_000) + `"` + strings.Repeat(",local.big", 3_000) + `)`)
	}, "longer"},
	{"formatlist", func() map[string]string { return megas(`a = formatlist("%s%s", local.r, local.big)`) }, "MiB"},
	{"join", func() map[string]string { return megas(`a = join(local.big, local.r)`) }, "longer"},
	{"replace", func() map[string]string { return megas(`a = replace(local.big, "", local.big)`) }, "longer"},
	{"split", func() map[string]string { return megas(`a = split("", local.big)`) }, "elements"},
	{"regex", func() map[string]string {
		return megas(`a = regex("(x|y|m?){1000}(x|y|m?){1000}(x|y|m?){1000}z", local.big)`)
	}, "complex"},
	{"distinct", func() map[string]string { return widely("a = distinct([for i, x in local.r : i])") }, "distinct"},
	{"toset", func() map[string]string { return widely("a = toset([for i, x in local.r : \"${i}\"])") }, ""},
	{"sort", func() map[string]string { return widely("a = sort([for i, x in local.r : \"${i}\"])") }, ""},
	{"expand", func() map[string]string { return widely("a = max([for i, x in local.r : i]...)") }, ""},
	{"merge", func() map[string]string {
		return widely("m = {for i, x in local.r : i => x}\na = merge([for x in local.r : local.m]...)")
	}, "too"},
	{"unlike objects", func() map[string]string { return widely("a = tolist([for i, x in local.r : {\"k${i}\" = i}])") }, ""},
	{"unlike tuples", func() map[string]string {
		return widely("a = [for i, x in local.r : {\"k${i}\" = i}]\nb = true ? local.a : [for i, x in local.r : {\"j${i}\" = i}]")
	}, ""},
	{"big number", func() map[string]string { return locals(`a = "x${1e600000000}"`) }, "umbers"},
	{"big product", func() map[string]string {
		return locals(chain(40, "1e300", func(p string) string { return p + "*" + p }) + "\na = \"${local.l40}\"")
	}, "umbers"},
	{"small number", func() map[string]string { return locals(`a = "x${1e-600000000}"`) }, "umbers"},
	{"text number", func() map[string]string { return locals(`a = "${tonumber("1e600000000")}"`) }, "umbers"},
	{"text number added", func() map[string]string { return locals(`a = "${"1e600000000" + 1}"`) }, "umbers"},
	{"text number negated", func() map[string]string { return locals(`a = "${-"1e600000000"}"`) }, "umbers"},
	{"number argument", func() map[string]string { return locals(`a = upper(1e600000000)`) }, "umbers"},
	{"csv of lines", func() map[string]string {
		return with(locals(`a = csvdecode(file("x.csv"))`), "x.csv", "a\n"+lines(8_000_000, "1"))
	}, "rows"},
	{"csv of columns", func() map[string]string {
		return with(locals(`a = csvdecode(file("x.csv"))`), "x.csv", strings.Repeat(",", 16_000_000))
	}, "cells"},
	{"csv of cells", func() map[string]string {
		var head strings.Builder
		for i := range 40 {
			fmt.Fprintf(&head, "%d,", i)
		}
		return with(locals(`a = csvdecode(file("x.csv"))`), "x.csv", head.String()+"z\n"+lines(190_000, strings.Repeat(",", 40)))
	}, "cells"},
	{"csv of carriage returns", func() map[string]string {
		return with(locals(`a = csvdecode(file("x.csv"))`), "x.csv", "a\r"+strings.Repeat("1\r", 8_000_000))
	}, ""},
	{"file too large", func() map[string]string {
		return with(locals(`a = file("x.csv")`), "x.csv", strings.Repeat(",", 17<<20))
	}, "16 MiB"},
	{"json nesting", func() map[string]string {
		return with(locals(`a = jsondecode(file("x.json"))`), "x.json", strings.Repeat("[", 8_000_000))
	}, "deep"},
	{"json elements", func() map[string]string {
		return with(locals(`a = jsondecode(file("x.json"))`), "x.json", "["+strings.Repeat("1,", 7_000_000)+"1]")
	}, "elements"},
	{"json elements below", func() map[string]string {
		return with(locals(`a = jsondecode(file("x.json"))`), "x.json", "["+strings.Repeat("1,", 1_900_000)+"1]")
	}, ""},
	{"json unlike elements", func() map[string]string {
		var b strings.Builder
		for i := range 190_000 {
			fmt.Fprintf(&b, "{\"k%d\":[1]},", i)
		}
		return with(locals(`a = jsondecode(file("x.json"))`+"\nb=tolist(local.a)"), "x.json", "["+b.String()+"1]")
	}, ""},
	{"json number", func() map[string]string { return locals(`a = jsondecode("1e600000000")`) }, "umbers"},
	{"number key", func() map[string]string { return locals(`a = {(1e600000000) = 1}`) }, "umbers"},
	{"infinite number", func() map[string]string { return locals(`a = 1e999999999`) }, "umbers"},
	{"json file nesting", func() map[string]string { return map[string]string{"a.hcl.json": strings.Repeat("[", 300_000)} }, "Nesting too deep"},
	{"json file nesting of 8 MB", func() map[string]string { return map[string]string{"a.hcl.json": strings.Repeat("[", 8_000_000)} }, "Too much"},
	{"json file size", func() map[string]string {
		return map[string]string{"a.hcl.json": `{"locals":{"a":[` + strings.Repeat("1,", 5_000_000) + `1]}}`}
	}, "Too much"},
	{"json file elements", func() map[string]string {
		return map[string]string{"a.hcl.json": `{"locals":{"a":[` + strings.Repeat("1,", 4_000_000) + `1]}}`}
	}, ""},
	{"json file members", func() map[string]string {
		return map[string]string{"a.hcl.json": `{"domain":{` + strings.Repeat(`"a":{},`, 1_000_000) + `"b":{}}}`}
	}, ""},
	{"json template", func() map[string]string {
		return map[string]string{"a.hcl.json": `{"locals":{"a":"` + strings.Repeat(`${(`, 20_000) + `1"}}`}
	}, "Nesting too deep"},
	{"for_each", func() map[string]string {
		return with(widely(""), "b.hcl", "provider \"zonefile\" \"x\" {\n directory = \"z\"\n}\ndomain \"t\" {\n for_each = {for i, x in local.r : \"d${i}.example\" => i}\n name = each.key\n}\n")
	}, "Too many domains"},
	{"for_each with errors", func() map[string]string {
		return with(widely(""), "b.hcl", "provider \"zonefile\" \"x\" {\n directory = \"z\"\n}\ndomain \"t\" {\n for_each = {for i, x in local.r : \"d${i}.example\" => i if i < 99000}\n name = each.key\n ttl = \"1y\"\n owner = each.value.x\n mx {\n host = \"-\"\n }\n}\n")
	}, "more times"},
	{"for_each of large domains", func() map[string]string {
		return with(with(megas(""), "b.hcl", "provider \"zonefile\" \"x\" {\n directory = \"z\"\n}\ndomain \"t\" {\n for_each = {for i, x in local.r : \"d${i}.example\" => i if i < 99000}\n name = each.key\n record \"x\" \"TXT\" {\n values = [\"${each.key}${local.big}\"]\n }\n}\n"), "c.hcl", "")
	}, ""},
	{"for_each with long keys", func() map[string]string {
		return eachTime("name = \"d${each.value}.example\"\n owner = 1\n", `"${local.half}${i}" => i`)
	}, "too much"},
	{"for_each with long names", func() map[string]string { return eachTime("name = \"${local.half}${each.value}\"\n", `i => i`) }, "Invalid name"},
	{"for_each of many blocks", func() map[string]string {
		var b strings.Builder
		for i := range 7000 {
			fmt.Fprintf(&b, " record \"h%d\" \"A\" {\n values = [\"192.0.2.1\"]\n }\n", i)
		}
		return eachTime("name = \"d${each.value}.example\"\n"+b.String(), `i => i`)
	}, "Domains too large"},
	{"for_each of long lists", func() map[string]string {
		return eachTime("name = \"d${each.value}.example\"\n protect = local.r\n", `i => i`)
	}, "Domains too large"},
	{"for_each of long strings", func() map[string]string {
		return eachTime("name = \"d${each.value}.example\"\n owner = \"${local.half}${each.value}\"\n", `i => i`)
	}, "Domains too large"},
	{"64 MiB of domains", func() map[string]string {
		var b strings.Builder
		b.WriteString(benchHead)
		for i := 0; b.Len() < 63<<20; i++ {
			b.WriteString(benchDomain(i))
		}
		return map[string]string{"a.hcl": b.String()}
	}, ""},
	{"64 MiB of tokens", func() map[string]string {
		var b strings.Builder
		for i := 0; b.Len() < 60<<20; i++ {
			fmt.Fprintf(&b, "domain \"d%d.example\" {\n", i)
			for range 7 {
				fmt.Fprintf(&b, " protect = [%s]\n", strings.Repeat("1,", 30_000))
			}
			b.WriteString("}\n")
		}
		return map[string]string{"a.hcl": b.String()}
	}, ""},
}

// TestHostile proves that no configuration costs more than it may: each runs
// in a process of its own under a limit of memory, and has to end with an
// answer. A hang ends the test. On a slow machine the answer may be that it
// takes too long.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, h := range hostiles {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range h.files() {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out := loadElsewhere(t, dir)
			t.Logf("%.300q", out)
			if !strings.Contains(out, h.want) && !strings.Contains(out, "takes too long") {
				t.Errorf("answer %.500q has no %q", out, h.want)
			}
		})
	}
}

// maxMemory is what a process may get from the system to load anything.
const maxMemory = 512 << 20

func loadElsewhere(t *testing.T, dir string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHostileChild$", "-test.timeout=90s")
	cmd.Env = append(os.Environ(), "MAILDNS_TEST_HOSTILE="+dir)
	b, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%.2000s", err, b)
	}
	return string(b)
}

// TestHostileChild is the other process of TestHostile.
func TestHostileChild(t *testing.T) {
	dir := os.Getenv("MAILDNS_TEST_HOSTILE")
	if dir == "" {
		return // runs for TestHostile only
	}
	debug.SetMemoryLimit(maxMemory * 7 / 8)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // as TimeLimit, but sooner
	defer cancel()
	start := time.Now()
	_, diags := Load(ctx, dir, Environment{})
	if err := diags.WriteText(os.Stdout, DirSnippets(dir), false); err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf("took %s and %d MiB\n", time.Since(start).Round(time.Millisecond), m.Sys>>20)
	if m.Sys > maxMemory {
		t.Errorf("it took %d MiB of memory", m.Sys>>20)
	}
}
