package config

import (
	"embed"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// presets are the sender types that come with the program, one file each,
// named like the type.
//
//go:embed senders/*.hcl
var presets embed.FS

// senderTypeSpec is what a sender_type block may hold. Its spf, mx, dkim and
// record blocks stand as in a domain, each with an optional for_each.
var senderTypeSpec = describe("sender_type", []string{"name"},
	[]string{"description", "example", "source", "checked", "verified", "shared_ip", "mail_from", "signs_as", "domain_connect"},
	describe("input", []string{"name"}, []string{"description", "type", "pattern", "length", "default", "required"}),
	describe("recognise", nil, []string{"spf", "dkim_cname", "mx", "cname", "selector"}).single(),
	describe("spf", nil, []string{"for_each", "include", "ip4", "ip6", "a", "mx", "exists", "all", "redirect", "flatten", "ttl"}),
	describe("mx", nil, []string{"for_each", "host", "preference", "ttl"}),
	describe("dkim", []string{"selector"}, []string{"for_each", "selector", "public_key", "cname", "state", "testing", "services", "notes", "since", "ttl"}),
	describe("record", []string{"name", "type"}, []string{"for_each", "name", "values", "ttl"}),
)

// senderType is what is known of a sender_type before a sender uses it. It is
// shared by all workers and doesn't change.
type senderType struct {
	about  SenderType
	inputs []input
	broken bool // its faults have been reported; senders of it are not read
}

// library holds the sender types of one Load.
type library struct {
	own   map[string]*senderType // those of the configuration
	units []unit                 // where they stand
	parts int                    // blocks in them
	rules int                    // instructions of their patterns
}

// senderType reads a sender_type block of the configuration. It is evaluated
// without a sender, so that its faults are found also where nothing uses it.
func (l *loader) senderType(s scope) {
	name := s.label(0)
	s.checkIdentifier(name)
	if slices.Contains(presetNames(), name) {
		s.report(s.rng, "Sender type exists", "%q is a preset that comes with maildns. Give your type another name.", name)
	}
	faults := len(l.diags)
	t := &senderType{about: SenderType{Name: name, Place: source(s.rng)}}
	if l.admits(s) {
		t = s.readSenderType(&l.types)
		if s.attrs["domain_connect"] == nil || l.admits(s) { // the template's records
			t.rehearse(s, l.base)
		}
	}
	t.broken = l.diags[min(faults, len(l.diags)):].HasErrors()
	if l.types.own == nil {
		l.types.own = map[string]*senderType{}
	}
	if l.types.own[name] == nil { // checkSingle reports the second
		l.types.own[name] = t
	}
}

// admits counts the blocks of a type, since every worker reads them.
func (l *loader) admits(s scope) bool {
	if l.types.parts += 1 + len(s.blocks); l.types.parts <= maxTypeParts {
		return true
	}
	s.report(s.rng, "Too many sender types", "All sender_type blocks and templates together may hold %d blocks and records.", maxTypeParts)
	return false
}

// keepTypes remembers where sender types stand: each worker reads those that it
// uses for itself, since expressions belong to a meter.
func (l *loader) keepTypes(u unit, blocks []*block) {
	if slices.ContainsFunc(blocks, func(b *block) bool { return b.kind == "sender_type" }) {
		l.types.units = append(l.types.units, u)
	}
}

func presetNames() []string {
	entries, err := presets.ReadDir("senders")
	if err != nil {
		return nil
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".hcl")
	}
	return names
}

// readSenderType reads what of a sender_type doesn't depend on a sender, and
// puts what a Domain Connect template says into its block.
func (s scope) readSenderType(l *library) *senderType {
	t := &senderType{about: SenderType{Name: s.label(0), SharedIP: true, Place: source(s.rng)}}
	t.about.Description, _ = s.line("description")
	t.about.Example = s.example()
	t.about.Source, _ = s.line("source")
	t.about.Checked = s.date("checked", false)
	t.about.Verified = s.flag("verified")
	if a := s.attrs["shared_ip"]; a != nil && a.literal != cty.NilVal { // else it depends on the inputs
		t.about.SharedIP = s.flag("shared_ip")
	}
	if b := s.first("recognise"); b != nil {
		c := s.of(b)
		t.about.Recognise = Recognise{
			SPF: c.strings("spf"), DKIMCNAME: c.strings("dkim_cname"), MX: c.strings("mx"), CNAME: c.strings("cname"),
			Selector: c.strings("selector"),
		}
	}
	t.inputs = s.readInputs(l)
	if s.attrs["domain_connect"] != nil {
		t.inputs = append(t.inputs, s.domainConnect(t)...)
	}
	for i := range t.inputs {
		t.about.Inputs = append(t.about.Inputs, t.inputs[i].about())
	}
	return t
}

// example reads a sender block that is shown to people as it stands.
func (s scope) example() string {
	text := s.text("example")
	if strings.ContainsFunc(text, func(r rune) bool { return isControl(r) && r != '\n' && r != '\t' }) {
		s.report(s.rangeOf("example"), "Control character", "example must be plain lines of text.")
		return ""
	}
	return strings.TrimRight(text, " \t\n")
}

// shape is what an input holds.
type shape string

// The shapes. An input of none takes any value.
const (
	shapeAny    shape = ""
	shapeString shape = "string"
	shapeNumber shape = "number"
	shapeBool   shape = "bool"
	shapeList   shape = "list" // of strings
	shapeMap    shape = "map"  // of strings
)

// shapeTypes are how expressions see the shapes.
var shapeTypes = map[shape]cty.Type{
	shapeAny:    cty.DynamicPseudoType,
	shapeString: cty.String,
	shapeNumber: cty.Number,
	shapeBool:   cty.Bool,
	shapeList:   cty.List(cty.String),
	shapeMap:    cty.Map(cty.String),
}

// input is one input of a sender type.
type input struct {
	name        string
	description string
	shape       shape
	pattern     *regexp.Regexp // of a string, of each of a list, of each value of a map
	length      int            // of a list or map; 0: any
	fallback    cty.Value      // its default; null: none
	rule        requirement
}

// requirement says when an input must be given.
type requirement uint8

const (
	mayBeGiven requirement = iota
	mustBeGiven
	dependsOnOthers // the attribute required is an expression
)

// reserved are attributes of a sender block that are no inputs.
var reserved = []string{"from"}

func (s scope) readInputs(l *library) []input {
	var out []input
	for _, b := range s.all("input") {
		in := s.of(b).readInput(l)
		switch {
		case slices.Contains(reserved, in.name):
			s.report(b.rng, "Reserved name", "Every sender block has %s; an input needs another name.", in.name)
		case slices.ContainsFunc(out, func(o input) bool { return o.name == in.name }):
			s.report(b.rng, "Duplicate input", "There is an input %q already. Rename one of the two.", in.name)
		default:
			out = append(out, in)
		}
	}
	return out
}

func (s scope) readInput(l *library) input {
	in := input{name: s.label(0), fallback: cty.NullVal(cty.DynamicPseudoType)}
	s.checkIdentifier(in.name)
	in.description, _ = s.line("description")
	in.shape = shape(s.oneOf("type", "", string(shapeString), string(shapeNumber), string(shapeBool), string(shapeList), string(shapeMap)))
	in.length = s.number("length", 0, 1, maxMade)
	in.pattern = s.pattern(l)
	if v, a := s.value("default"); a != nil {
		if in.shape == shapeAny {
			in.shape = shapeOf(v)
		}
		in.fallback, _ = s.fit(in, v, a)
	}
	in.rule = s.requirement(in)
	return in
}

// requirement reads required. Without it an input must be given unless it has a
// default.
func (s scope) requirement(in input) requirement {
	a := s.attrs["required"]
	switch {
	case a == nil && in.fallback.IsNull():
		return mustBeGiven
	case a == nil:
		return mayBeGiven
	case a.literal == cty.NilVal:
		return dependsOnOthers
	case !s.flag("required"):
		return mayBeGiven
	case !in.fallback.IsNull():
		s.report(a.rng, "Default of a required input", "An input that must be given needs no default. Delete one of the two.")
	}
	return mustBeGiven
}

func shapeOf(v cty.Value) shape {
	switch ty := v.Type(); {
	case ty == cty.String:
		return shapeString
	case ty == cty.Number:
		return shapeNumber
	case ty == cty.Bool:
		return shapeBool
	case ty.IsTupleType() || ty.IsListType() || ty.IsSetType():
		return shapeList
	case ty.IsObjectType() || ty.IsMapType():
		return shapeMap
	}
	return shapeAny
}

// pattern compiles a regular expression in RE2 syntax. Its size is bounded,
// since inputs are matched for every domain, and so is that of all together.
func (s scope) pattern(l *library) *regexp.Regexp {
	text, ok := s.line("pattern")
	if !ok {
		return nil
	}
	size, err := patternSize(text)
	if err != nil {
		s.report(s.rangeOf("pattern"), "Invalid pattern", "pattern must be a regular expression in RE2 syntax of at most %d characters, such as \"^[a-z]+$\": %v.", maxPattern, err)
		return nil
	}
	if l.rules += size; size > maxPatternSize || l.rules > maxPatternSizes {
		s.report(s.rangeOf("pattern"), "Pattern too complex", "Repeat less: the pattern is too large once it is written out, or all patterns together are.")
		return nil
	}
	out, err := regexp.Compile(text)
	if err != nil {
		s.report(s.rangeOf("pattern"), "Invalid pattern", "%s", sentence(err))
	}
	return out
}

// patternSize is the number of instructions of a compiled pattern.
func patternSize(text string) (int, error) {
	if len(text) > maxPattern {
		return 0, errors.New("it is too long")
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, err
	}
	return len(program.Inst), nil
}

// recipe is a sender type in the hands of one worker, to whose meter the
// expressions of the block belong.
type recipe struct {
	*senderType
	block *block
	ctx   *hcl.EvalContext // what expressions see besides domain and input
}

// recipes finds sender types for one worker and reads each when it is first
// used.
type recipes struct {
	l    *loader
	m    *meter
	read map[string]*recipe
	own  map[string]*block // the blocks of the configuration; nil: not read yet
}

// find returns nil where there is no such type.
func (r *recipes) find(name string) *recipe {
	if found, read := r.read[name]; read {
		return found
	}
	var out *recipe
	switch {
	case r.l.types.own[name] != nil:
		out = r.fromConfiguration(r.l.types.own[name])
	case slices.Contains(presetNames(), name):
		out = r.preset(name)
	}
	if r.read == nil {
		r.read = map[string]*recipe{}
	}
	r.read[name] = out
	return out
}

func (r *recipes) fromConfiguration(t *senderType) *recipe {
	out := &recipe{senderType: t, ctx: r.l.base}
	if t.broken {
		return out
	}
	if r.own == nil {
		r.own = map[string]*block{}
		for _, u := range r.l.types.units {
			blocks, _ := u.parse(r.m) // what is wrong was reported
			for _, b := range blocks {
				r.own[b.title()] = b
			}
		}
	}
	out.block = r.own[(&block{kind: "sender_type", labels: []string{t.about.Name}}).title()]
	if out.block == nil {
		return &recipe{senderType: &senderType{about: t.about, broken: true}}
	}
	r.scope(out, new(Diagnostics)).domainConnect(&senderType{})
	return out
}

// scope reads the block of a recipe.
func (r *recipes) scope(of *recipe, diags *Diagnostics) scope {
	return scope{block: of.block, m: r.m, ctx: of.ctx, in: of.block.title(), diags: diags}
}

// preset reads a type that comes with the program. It sees no locals and no
// variables.
func (r *recipes) preset(name string) *recipe {
	out := &recipe{ctx: &hcl.EvalContext{Functions: r.l.base.Functions}}
	out.block = parsePreset(name, r.m)
	out.senderType = r.scope(out, new(Diagnostics)).readSenderType(&library{})
	out.about.Preset = true
	return out
}

// parsePreset reads an embedded file, which a test has proved to be right.
func parsePreset(name string, m *meter) *block {
	empty := &block{kind: "sender_type", labels: []string{name}}
	src, err := presets.ReadFile("senders/" + name + ".hcl")
	if err != nil {
		return empty
	}
	blocks, _ := unit{kind: "sender_type", file: "the preset " + name, src: src, pos: hcl.InitialPos}.parse(m)
	if len(blocks) == 0 {
		return empty
	}
	return blocks[0]
}

// values are what the expressions of a type see.
func (t *senderType) values(domain cty.Value, inputs map[string]cty.Value) map[string]cty.Value {
	return map[string]cty.Value{"domain": domain, "input": cty.ObjectVal(inputs)}
}

// rehearse evaluates a type without a sender: everything that it is given is
// unknown.
func (t *senderType) rehearse(s scope, ctx *hcl.EvalContext) {
	inputs := map[string]cty.Value{}
	for _, in := range t.inputs {
		inputs[in.name] = cty.UnknownVal(shapeTypes[in.shape])
	}
	k := maker{scope: s, diags: s.diags, ctx: ctx.NewChild()}
	k.ctx.Variables = t.values(cty.UnknownVal(cty.String), inputs)
	k.make(&recipe{senderType: t, block: s.block})
	for _, b := range s.all("input") {
		c := s.of(b)
		c.ctx = k.ctx
		c.flag("required")
	}
}

// inputRefs lists the inputs that an expression refers to, in order; each says
// that it refers to each.
func inputRefs(e hclsyntax.Expression) (names []string, each bool) {
	hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		ref, ok := bare(n).(*hclsyntax.ScopeTraversalExpr)
		if !ok {
			return nil
		}
		each = each || ref.Traversal.RootName() == "each"
		if len(ref.Traversal) > 1 && ref.Traversal.RootName() == "input" {
			if step, ok := ref.Traversal[1].(hcl.TraverseAttr); ok {
				names = append(names, step.Name)
			}
		}
		return nil
	})
	return names, each
}

// bare takes away the guards round a node.
func bare(n hclsyntax.Node) hclsyntax.Node {
	for {
		switch g := n.(type) {
		case *guard:
			n = g.Expression
		case *part:
			n = g.guard
		case *template:
			n = g.guard
		case *counted:
			n = g.guard
		case *joined:
			n = g.guard
		default:
			return n
		}
	}
}

// title names the type in a sentence.
func (r *recipe) title() string {
	if r.about.Preset {
		return fmt.Sprintf("the preset %q", r.about.Name)
	}
	return fmt.Sprintf("sender_type %q (%s)", r.about.Name, place(r.about.Place))
}
