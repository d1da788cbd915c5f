package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// schemas names the schema of each kind of document.
var schemas = map[string]string{
	plan.KindPlan:     "plan.schema.json",
	plan.KindRollback: "plan.schema.json",
	plan.KindResult:   "result.schema.json",
	KindValidation:    "validation.schema.json",
	KindHistory:       "history.schema.json",
	KindPoints:        "rollback-points.schema.json",
}

func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join("..", "..", "..", "..", "docs", "schema", name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func decoded(t *testing.T, b []byte) map[string]any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	return v.(map[string]any)
}

// TestSchemas validates what is printed against the published schemas, also
// with fields that only a later minor version will have.
func TestSchemas(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range samples {
		doc := decoded(t, rendered(t, JSON, s.report(), Options{}))
		kind := doc["kind"].(string)
		seen[kind] = true
		published := schema(t, schemas[kind])
		if err := published.Validate(doc); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		extend(doc)
		if err := published.Validate(doc); err != nil {
			t.Errorf("%s with fields of a later version: %v", s.name, err)
		}
	}
	for kind := range schemas {
		if !seen[kind] {
			t.Errorf("no sample is of kind %s", kind)
		}
	}
}

// extend adds an unknown field to every object.
func extend(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			extend(e)
		}
		v["added_in_1_1"] = []any{"news"}
	case []any:
		for _, e := range v {
			extend(e)
		}
	}
}

// TestSchemasRefuse shows that the schemas say something.
func TestSchemasRefuse(t *testing.T) {
	t.Parallel()
	published := schema(t, schemas[plan.KindPlan])
	change := func(doc map[string]any) map[string]any {
		d := doc["domains"].([]any)[0].(map[string]any)
		return d["changes"].([]any)[0].(map[string]any)
	}
	for name, spoil := range map[string]func(doc map[string]any){
		"another major version": func(doc map[string]any) { doc["format_version"] = "2.0" },
		"a field missing":       func(doc map[string]any) { delete(doc, "journal") },
		"a list that is null":   func(doc map[string]any) { change(doc)["gates"] = nil },
		"an unknown state":      func(doc map[string]any) { change(doc)["state"] = "maybe" },
		"a final dot":           func(doc map[string]any) { change(doc)["name"] = "a.example." },
		"a time in words":       func(doc map[string]any) { change(doc)["not_before"] = "tomorrow" },
		"a negative time":       func(doc map[string]any) { change(doc)["mistake_seconds"] = -1 },
		"targets of a plan":     func(doc map[string]any) { doc["targets"] = []any{} },
	} {
		doc := decoded(t, rendered(t, JSON, specPlan(), Options{}))
		spoil(doc)
		if published.Validate(doc) == nil {
			t.Errorf("the schema accepts %s", name)
		}
	}
}

// mayBeNull are the fields whose absence means something.
var mayBeNull = map[string]bool{
	"before": true, "after": true, "declared": true, "not_before": true, "group": true, "source": true,
	"outcome": true, "verified_at": true, "since": true, "left": true, "live": true, "target": true,
}

// TestListsAreNeverNull renders reports whose lists are all nil.
func TestListsAreNeverNull(t *testing.T) {
	t.Parallel()
	bare := plan.Change{Before: &plan.Set{}, State: plan.Ready}
	one := plan.Plan{Domains: []plan.Domain{{Changes: []plan.Change{bare}, Unmanaged: []plan.Unmanaged{{}}}, {}}}
	for _, report := range []any{
		plan.Plan{}, one, ByHand{}, Rollback{}, Rollback{Plan: one, Kept: []Kept{{}}, Conflicts: []Conflict{{Left: &plan.Set{}}}},
		Points{}, Points{Points: []Point{{Restores: []Restored{{Change: bare}}}}},
		Result{}, Result{Domains: []ResultDomain{{Applied: []plan.Change{bare}, Failed: []Failed{{Change: bare}}}, {}}, Aftermath: &Aftermath{Bad: []Bad{{}}}},
		History{}, History{Entries: []Entry{{Changes: []plan.Change{bare}}}},
		Validation{}, Validation{Diagnostics: []Diagnostic{{}}},
	} {
		b := rendered(t, JSON, report, Options{})
		for line := range strings.Lines(string(b)) {
			name, isNull := strings.CutSuffix(strings.TrimRight(line, ",\n"), `": null`)
			if name = strings.TrimLeft(name, ` "`); isNull && !mayBeNull[name] {
				t.Errorf("%T: %s is null", report, name)
			}
		}
	}
}

// TestRenderingChangesNothing renders nil lists and looks at them afterwards.
func TestRenderingChangesNothing(t *testing.T) {
	t.Parallel()
	p := specPlan()
	p.Domains[0].Changes[0].Gates = nil
	before := fmt.Sprintf("%#v", p.Domains[0].Changes)
	for _, f := range Formats() {
		rendered(t, f, p, Options{Now: now})
	}
	if after := fmt.Sprintf("%#v", p.Domains[0].Changes); after != before {
		t.Errorf("rendering changed the plan:\n%s\n%s", before, after)
	}
}

// TestStreamedPlan compares the plan that is written domain by domain with the
// one that the standard library writes at once.
func TestStreamedPlan(t *testing.T) {
	t.Parallel()
	for _, p := range []*plan.Plan{specPlan(), manyPlan(3), errorPlan(), {Domains: []plan.Domain{}}} {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(p); err != nil {
			t.Fatal(err)
		}
		// The samples have nil lists in what package plan doesn't fill.
		text := strings.NewReplacer(`"gates": null`, `"gates": []`, `"meaning": null`, `"meaning": []`).Replace(want.String())
		if diff := cmp.Diff(text, string(rendered(t, JSON, p, Options{}))); diff != "" {
			t.Errorf("streaming differs (-at once +streamed):\n%s", diff)
		}
	}
}

// TestSavedPlanReadsBack shows that what is printed is a plan file.
func TestSavedPlanReadsBack(t *testing.T) {
	t.Parallel()
	p := specPlan()
	for i := range p.Domains[0].Changes {
		c := &p.Domains[0].Changes[i]
		c.Gates, c.Meaning = some(c.Gates), some(c.Meaning)
	}
	sealed := seal(*p)
	got, err := plan.Decode(rendered(t, JSON, sealed, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*sealed, got); diff != "" {
		t.Errorf("the printed plan reads back as another (-printed +read):\n%s", diff)
	}
}

// TestJSONKeepsEveryByte prints values of any bytes: the JSON reads back as the
// same value and holds nothing that a terminal acts on.
func TestJSONKeepsEveryByte(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := records.Value(rapid.OneOf(
			rapid.String(),
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 60), func(b []byte) string { return string(b) }),
			rapid.SampledFrom([]string{"\u202e", "\u009b31m", "\x7f", "\U000e0001", "<&>", `\`, "\u2028"}),
		).Draw(t, "value"))
		u := plan.Plan{Domains: []plan.Domain{{Unmanaged: []plan.Unmanaged{{Values: []records.Value{want}}}}}}
		var b bytes.Buffer
		if err := Write(&b, JSON, u, Options{}); err != nil {
			t.Fatal(err)
		}
		var got plan.Plan
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatalf("%v in\n%s", err, b.Bytes())
		}
		if got.Domains[0].Unmanaged[0].Values[0] != want {
			t.Fatalf("%q came back as %q", want, got.Domains[0].Unmanaged[0].Values[0])
		}
		if i := bytes.IndexFunc(b.Bytes(), func(r rune) bool { return r != '\n' && unsafeRune(r) }); i >= 0 {
			t.Fatalf("the JSON of %q holds an unsafe character at %d", want, i)
		}
	})
}
