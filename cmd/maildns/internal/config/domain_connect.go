package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// connectTemplate is a Domain Connect template (draft-ietf-dconn-domainconnect 6.1), as
// far as it says what is published.
type connectTemplate struct {
	ServiceName         string
	ProviderName        string
	VariableDescription string
	records             []connectRecord
}

// connectRecord is one of its records (6.2). Each has the members that its
// type needs.
type connectRecord struct {
	Type     string
	GroupID  string
	Host     string
	Name     string // of SRV
	PointsTo string
	Target   string // of SRV
	Data     string
	SPFRules string
	TTL      numeric
	Priority numeric
	Weight   numeric
	Port     numeric
	Service  string
	Protocol string
	Conflict string `json:"txtConflictMatchingMode"`
	Prefix   string `json:"txtConflictMatchingPrefix"`

	at   int // where it begins in the text
	text string
}

// member is where a member of the record stands in the text.
func (r *connectRecord) member(name string) int {
	return r.at + max(strings.Index(r.text, strconv.Quote(name)), 0)
}

// numeric is a number, or a string that becomes one.
type numeric string

// UnmarshalJSON takes both forms (6.2, "Int or string representation of Int").
func (n *numeric) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err == nil {
		*n = numeric(text)
		return nil
	}
	var number int64
	if err := json.Unmarshal(b, &number); err != nil {
		return errors.New("it must be a whole number")
	}
	*n = numeric(strconv.FormatInt(number, 10))
	return nil
}

// templateError is what is wrong with a template, and where.
type templateError struct {
	at  int
	err error
}

func (e *templateError) Error() string { return e.err.Error() }

// parseTemplate reads a template. The error is a *templateError.
func parseTemplate(text string) (connectTemplate, error) {
	var t connectTemplate
	if len(text) > maxTemplate {
		return t, &templateError{0, fmt.Errorf("a template has at most %d KiB", maxTemplate>>10)}
	}
	if err := checkJSONText([]cty.Value{cty.StringVal(text)}); err != nil {
		return t, &templateError{0, err}
	}
	var syntax *json.SyntaxError
	if err := json.Unmarshal([]byte(text), new(json.RawMessage)); errors.As(err, &syntax) {
		return t, &templateError{max(int(syntax.Offset)-1, 0), fmt.Errorf("it is no JSON: %w", err)}
	}
	d := json.NewDecoder(strings.NewReader(text))
	if err := t.read(d, text); err != nil {
		var known *templateError
		if !errors.As(err, &known) {
			known = &templateError{int(d.InputOffset()), err}
		}
		return t, known
	}
	if len(t.records) == 0 {
		return t, &templateError{0, errors.New(`it has no "records"`)}
	}
	return t, nil
}

// read walks over the members of the template, so that the place of each record
// is known.
func (t *connectTemplate) read(d *json.Decoder, text string) error {
	if err := open(d, '{'); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		switch name, _ := key.(string); name {
		case "records":
			err = t.readRecords(d, text)
		case "serviceName":
			err = d.Decode(&t.ServiceName)
		case "providerName":
			err = d.Decode(&t.ProviderName)
		case "variableDescription":
			err = d.Decode(&t.VariableDescription)
		default:
			err = d.Decode(new(json.RawMessage))
		}
		if err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func open(d *json.Decoder, bracket json.Delim) error {
	at := int(d.InputOffset())
	token, err := d.Token()
	if err != nil {
		return err
	}
	if token != bracket {
		return &templateError{at, fmt.Errorf("it is no template: %s must begin here", bracket)}
	}
	return nil
}

func (t *connectTemplate) readRecords(d *json.Decoder, text string) error {
	if err := open(d, '['); err != nil {
		return err
	}
	for d.More() {
		at := skipSpace(text, int(d.InputOffset()))
		if len(t.records) == maxTemplateRecords {
			return &templateError{at, fmt.Errorf("a template has at most %d records", maxTemplateRecords)}
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		r := connectRecord{at: at, text: string(raw)}
		if err := json.Unmarshal(raw, &r); err != nil {
			return &templateError{at, fmt.Errorf("this record can't be read: %w", err)}
		}
		t.records = append(t.records, r)
	}
	_, err := d.Token()
	return err
}

// skipSpace moves from the end of a token to the next value.
func skipSpace(text string, at int) int {
	return at + len(text[at:]) - len(strings.TrimLeft(text[at:], " \t\r\n,"))
}

// domainConnect turns the template of a type into record blocks of its block,
// and its variables into inputs.
func (s scope) domainConnect(t *senderType) []input {
	a := s.attrs["domain_connect"]
	if a == nil {
		return nil
	}
	for _, b := range s.blocks {
		if b.kind != "recognise" {
			s.report(b.rng, "Block beside domain_connect", "The template says which records there are and which inputs they need. Delete the %s block, or domain_connect.", b.kind)
			return nil
		}
	}
	text, ok := s.given("domain_connect")
	if !ok {
		return nil
	}
	c := converter{scope: s, source: text, file: fileArgument(a.expr), rng: a.rng}
	parsed, err := parseTemplate(text)
	if err != nil {
		var fault *templateError
		errors.As(err, &fault)
		s.report(c.place(fault.at), "Unusable Domain Connect template", "%s%s", sentence(err), c.hint(fault.at))
		return nil
	}
	if t.about.Description == "" {
		t.about.Description = printable([]byte(strings.TrimSpace(parsed.ProviderName + " " + parsed.ServiceName)))
	}
	return c.convert(parsed)
}

// fileArgument is the file that a plain file("NAME") names, for messages.
func fileArgument(e hclsyntax.Expression) string {
	call, ok := bare(e).(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "file" || len(call.Args) != 1 {
		return ""
	}
	name := literal(call.Args[0])
	if name == cty.NilVal || name.Type() != cty.String || name.IsNull() {
		return ""
	}
	return filepath.ToSlash(filepath.Clean(name.AsString()))
}

// converter turns one template into blocks. Its expressions stand where the
// template has them, so that what is wrong with a record is reported there.
type converter struct {
	scope
	source string
	file   string    // of the template; empty: it doesn't come from one file
	rng    hcl.Range // of the attribute
	inputs []input
	groups []string
	now    *connectRecord          // that is being turned into a block
	uses   map[string]*variableUse // of the inputs
}

// variableUse says which records need a variable.
type variableUse struct {
	always bool // one that has no group
	groups []string
}

// place is a position in the template, or the attribute where the template
// isn't a file of its own.
func (c *converter) place(at int) hcl.Range {
	if c.file == "" {
		return c.rng
	}
	before := []byte(c.source[:min(max(at, 0), len(c.source))])
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	p := hcl.Pos{Line: line, Column: column, Byte: at}
	return hcl.Range{Filename: c.file, Start: p, End: p}
}

// hint names the line where the range can't.
func (c *converter) hint(at int) string {
	if c.file != "" {
		return ""
	}
	return fmt.Sprintf(" It is in line %d of the template.", strings.Count(c.source[:min(at, len(c.source))], "\n")+1)
}

func (c *converter) convert(t connectTemplate) []input {
	for i := range t.records {
		r := &t.records[i]
		if b := c.record(r); b != nil {
			c.block.blocks = append(c.block.blocks, b)
		}
	}
	for i := range c.inputs {
		if in := &c.inputs[i]; strings.Contains(t.VariableDescription, in.name) {
			in.description = printable([]byte(t.VariableDescription))
		}
		c.requireByGroup(&c.inputs[i])
	}
	if len(c.groups) > 0 {
		c.addGroups()
	}
	return c.inputs
}

// requireByGroup lets an input be left out where none of the groups is meant
// that need it (9.2.2: fields of inactive records are not processed).
func (c *converter) requireByGroup(in *input) {
	use := c.uses[in.name]
	if use.always {
		return
	}
	text := "false"
	for _, g := range use.groups {
		text += fmt.Sprintf(" || contains(input.%s, %q)", groupsInput, g)
	}
	e, diags := hclsyntax.ParseExpression([]byte(text), c.rng.Filename, c.rng.Start)
	if diags.HasErrors() {
		return
	}
	in.rule = dependsOnOthers
	b := &block{kind: "input", labels: []string{in.name}, attrs: map[string]*attribute{}, rng: c.rng}
	c.set(b, "required", e)
	c.block.blocks = append(c.block.blocks, b)
}

// addGroups adds the input that says which groups of records are meant (6.2,
// groupId): all of them by default.
func (c *converter) addGroups() {
	slices.Sort(c.groups)
	all := make([]cty.Value, len(c.groups))
	for i, g := range c.groups {
		all[i] = cty.StringVal(g)
	}
	added := c.addInput(input{
		name: groupsInput, shape: shapeList, fallback: cty.ListVal(all),
		description: "the groups of records that are meant, of " + strings.Join(c.groups, ", "),
	})
	if !added {
		c.reservedName(groupsInput)
	}
}

const groupsInput = "groups"

// templateTypes are the record types that can be published (6.2).
var templateTypes = []string{"A", "AAAA", "CNAME", "MX", "NS", "SPFM", "SRV", "TXT"}

// record turns a record of the template into a record block, nil where it is
// wrong or left out.
func (c *converter) record(r *connectRecord) *block {
	at := c.place(r.at)
	kind := strings.ToUpper(r.Type)
	name := r.Host
	switch {
	case !slices.Contains(templateTypes, kind):
		c.report(at, "Unknown record type", "%q records can't be published by maildns, which knows %s.%s%s", printable([]byte(r.Type)), strings.Join(templateTypes, ", "), didYouMean(kind, templateTypes), c.hint(r.at))
		return nil
	case !slices.Contains([]string{"", "None", "All", "Prefix"}, r.Conflict):
		c.report(at, "Unknown conflict mode", "txtConflictMatchingMode is %q; it must be None, All or Prefix.%s", printable([]byte(r.Conflict)), c.hint(r.at))
		return nil
	case kind == "TXT" && strings.EqualFold(name, "_dmarc"):
		c.warn(at, "", "Record left out", "The template's DMARC record isn't published: the policy of a domain is what its dmarc block says.%s", c.hint(r.at))
		return nil
	case kind == "SRV":
		name = strings.Trim("_"+strings.Trim(r.Service, "_.")+"._"+strings.Trim(r.Protocol, "_.")+"."+strings.TrimPrefix(r.Name, "@"), ".")
	}
	return c.recordBlock(r, kind, cmp.Or(name, "@"))
}

// recordBlock writes the block of a record; nil where its group is wrong.
func (c *converter) recordBlock(r *connectRecord, kind, name string) *block {
	b := &block{kind: "record", labels: []string{"record", kind}, attrs: map[string]*attribute{}, rng: c.place(r.at)}
	if kind == "SPFM" {
		b.labels[1] = "TXT"
	}
	if !c.group(b, r) {
		return nil
	}
	c.now = r
	value, member := r.value(kind)
	at := c.place(r.member(member))
	c.set(b, "name", c.text(name, c.place(r.member(cmp.Or(map[string]string{"SRV": "name"}[kind], "host")))))
	c.set(b, "values", &hclsyntax.TupleConsExpr{Exprs: []hclsyntax.Expression{c.text(value, at)}, SrcRange: at, OpenRange: at})
	if r.TTL != "" {
		c.set(b, "ttl", c.text(string(r.TTL), c.place(r.member("ttl"))))
	}
	return b
}

// value is a record's data in presentation form, with its variables, and the
// member of the record that it comes from.
func (r *connectRecord) value(kind string) (value, member string) {
	target := r.PointsTo
	if target == "@" {
		target = "%fqdn%."
	}
	switch kind {
	case "MX":
		return string(r.Priority) + " " + target, "pointsTo"
	case "SRV":
		return strings.Join([]string{string(r.Priority), string(r.Weight), string(r.Port), r.Target}, " "), "target"
	case "SPFM": // merged with the terms of others (9.4)
		return "v=spf1 " + r.SPFRules + " ~all", "spfRules"
	case "TXT":
		return unquoted(r.Data), "data"
	}
	return target, "pointsTo"
}

// unquoted takes the quotes off TXT data in presentation form (RFC 1035 5.1)
// and joins its chunks.
func unquoted(data string) string {
	if len(data) < 2 || data[0] != '"' || data[len(data)-1] != '"' {
		return data
	}
	data = chunks.ReplaceAllString(data[1:len(data)-1], "")
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\;`, `;`).Replace(data)
}

// chunks are the ends between two quoted strings.
var chunks = regexp.MustCompile(`"[ \t]+"`)

// set adds an attribute to a block.
func (c *converter) set(b *block, name string, e hclsyntax.Expression) {
	a := &attribute{name: name, literal: literal(e), rng: e.Range(), nameRng: e.Range()}
	a.expr = c.m.bind(e)
	b.attrs[name] = a
}

// groupName is what a group may be called, so that it can stand in an
// expression.
var groupName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// group lets a block depend on the input groups, if its record has one.
func (c *converter) group(b *block, r *connectRecord) bool {
	if r.GroupID == "" {
		return true
	}
	if !groupName.MatchString(r.GroupID) {
		c.report(b.rng, "Invalid group", "groupId is %q; it must be a name of letters, digits, dots and hyphens.%s", printable([]byte(r.GroupID)), c.hint(r.at))
		return false
	}
	if !slices.Contains(c.groups, r.GroupID) {
		c.groups = append(c.groups, r.GroupID)
	}
	text := fmt.Sprintf("contains(input.%s, %q) ? [%q] : []", groupsInput, r.GroupID, r.GroupID)
	e, diags := hclsyntax.ParseExpression([]byte(text), b.rng.Filename, b.rng.Start)
	if diags.HasErrors() {
		return false
	}
	c.set(b, "for_each", e)
	return true
}

// variable is a variable in a text of the template (9.1).
var variable = regexp.MustCompile(`%([A-Za-z][A-Za-z0-9_-]*)%`)

// text turns a text of the template into a template expression.
func (c *converter) text(text string, at hcl.Range) hclsyntax.Expression {
	out := &hclsyntax.TemplateExpr{SrcRange: at}
	end := 0
	for _, m := range variable.FindAllStringSubmatchIndex(text, -1) {
		out.Parts = appendLiteral(out.Parts, text[end:m[0]], at)
		if e := c.variable(text[m[2]:m[3]], at); e != nil {
			out.Parts = append(out.Parts, e)
		}
		end = m[1]
	}
	if out.Parts = appendLiteral(out.Parts, text[end:], at); len(out.Parts) == 0 {
		out.Parts = []hclsyntax.Expression{&hclsyntax.LiteralValueExpr{Val: cty.StringVal(""), SrcRange: at}}
	}
	return out
}

func appendLiteral(parts []hclsyntax.Expression, text string, at hcl.Range) []hclsyntax.Expression {
	if text == "" {
		return parts
	}
	return append(parts, &hclsyntax.LiteralValueExpr{Val: cty.StringVal(text), SrcRange: at})
}

// variable is an input, or one of those that every template has (9.1.2). The
// template is applied to the domain itself, so there is no host.
func (c *converter) variable(name string, at hcl.Range) hclsyntax.Expression {
	path := hcl.Traversal{hcl.TraverseRoot{Name: "domain", SrcRange: at}}
	switch name {
	case "host":
		return nil
	case "domain", "fqdn":
	default:
		c.use(name)
		path = hcl.Traversal{hcl.TraverseRoot{Name: "input", SrcRange: at}, hcl.TraverseAttr{Name: name, SrcRange: at}}
	}
	return &hclsyntax.ScopeTraversalExpr{Traversal: path, SrcRange: at}
}

// use makes an input of a variable.
func (c *converter) use(name string) {
	c.addInput(input{
		name: name, shape: shapeString, rule: mustBeGiven, fallback: cty.NullVal(cty.String),
		description: printable([]byte(fmt.Sprintf("a variable of the %s record at %s", c.now.Type, cmp.Or(c.now.Host, c.now.Name, "@")))),
	})
	if c.uses == nil {
		c.uses = map[string]*variableUse{}
	}
	if c.uses[name] == nil {
		c.uses[name] = &variableUse{}
	}
	use := c.uses[name]
	if use.always = use.always || c.now.GroupID == ""; c.now.GroupID != "" && !slices.Contains(use.groups, c.now.GroupID) {
		use.groups = append(use.groups, c.now.GroupID)
	}
}

// addInput adds an input, unless there is one of its name already.
func (c *converter) addInput(in input) (added bool) {
	if slices.Contains(reserved, in.name) {
		c.reservedName(in.name)
		return true
	}
	if slices.ContainsFunc(c.inputs, func(o input) bool { return o.name == in.name }) {
		return false
	}
	c.inputs = append(c.inputs, in)
	return true
}

func (c *converter) reservedName(name string) {
	c.report(c.rng, "Reserved name", "The template has a variable %q, a name that sender blocks use themselves. Rename it in the template.", name)
}
