package config

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/records"
)

// SenderType describes a sender_type: for people, and for those who look for
// senders in a live zone.
type SenderType struct {
	Name        string
	Description string // one line
	Preset      bool   // it comes with the program
	Source      string // the vendor's documentation, an URL
	Checked     time.Time
	Verified    bool // against a live zone or the vendor's own text
	SharedIP    bool // other customers send from the same addresses
	Inputs      []SenderInput
	Recognise   Recognise
	Example     string // a sender block in HCL; empty: none
	Place       records.Source
	// Records are what the example makes for example.com.
	Records []records.Declared
}

// SenderInput is one input of a sender type.
type SenderInput struct {
	Name        string
	Description string
	Type        string // string, number, bool, list or map; empty: any
	Pattern     string // a regular expression; empty: none
	Length      int    // of a list or map; 0: any
	Default     string // in HCL; empty: none
	Required    bool
	// Depends says that it is required only with some values of other inputs.
	Depends bool
}

// Recognise has the patterns by which a sender is known in a live zone: targets
// of SPF includes, of DKIM aliases, of MX records and of other aliases.
type Recognise struct {
	SPF, DKIMCNAME, MX, CNAME []string
	// Selector has patterns of the selectors whose keys the sender signs with,
	// where the zone holds the key itself, which says nothing of its owner.
	Selector []string
}

// MatchHost reports whether a host name fits one of the patterns, in which *
// stands for one or more characters, dots included.
func MatchHost(patterns []string, host records.Name) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchHost(strings.ToLower(p), string(host)) })
}

func matchHost(pattern, host string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == host
	}
	rest, found := strings.CutPrefix(host, before)
	for i := 1; found && i <= len(rest); i++ {
		if matchHost(after, rest[i:]) {
			return true
		}
	}
	return false
}

// SenderTypes returns the presets, and after them the sender_type blocks of the
// configuration in dir; each group by name. A directory without a configuration
// has none. The diagnostics are about those blocks and what they refer to.
func SenderTypes(ctx context.Context, dir string, env Environment) ([]SenderType, Diagnostics) {
	l := newLoader(dir, env)
	var out []SenderType
	if !l.within(ctx, func() { out = l.senderTypes() }) {
		return nil, Diagnostics{l.lateness()}
	}
	return out, l.diags.Settle()
}

// FindSenderType returns the type of a name, or says which there are.
func FindSenderType(types []SenderType, name string) (SenderType, error) {
	names := make([]string, len(types))
	for i, t := range types {
		if t.Name == name {
			return t, nil
		}
		names[i] = t.Name
	}
	return SenderType{}, fmt.Errorf("there is no sender type %q.%s There are %s", name, didYouMean(name, names), strings.Join(names, ", "))
}

func (l *loader) senderTypes() []SenderType {
	l.readTypes()
	l.cfg.Providers = []Provider{{Ref: records.ProviderRef{Type: "zonefile", Name: "example"}}}
	types := &recipes{l: l, m: l.m}
	var own, out []SenderType
	for _, name := range types.names() {
		r := types.find(name)
		about := r.about
		if !r.broken {
			about.Records = l.example(r, types)
		}
		if about.Preset {
			out = append(out, about)
		} else {
			own = append(own, about)
		}
	}
	return append(out, own...)
}

// readTypes reads the sender_type blocks and what they may refer to. What is
// wrong elsewhere is left to Load.
func (l *loader) readTypes() {
	units := slices.DeleteFunc(l.readUnits(), func(u unit) bool {
		return u.kind != "sender_type" && u.kind != "variable" && u.kind != "locals"
	})
	l.diags = slices.DeleteFunc(l.diags, func(d Diagnostic) bool { return d.Source == nil }) // there is no configuration
	top := l.readShared(units)
	l.variables(top)
	l.locals(top)
	l.providerRefs(top)
	l.checkSingle(top)
	for _, b := range top.all("sender_type") {
		l.senderType(l.scope(b))
	}
}

// exampleDomain is what examples are shown for.
const exampleDomain = "example.com"

// example evaluates the example of a sender type.
func (l *loader) example(r *recipe, types *recipes) []records.Declared {
	if r.about.Example == "" {
		return nil
	}
	file := fmt.Sprintf("the example of %s", r.title())
	src := fmt.Sprintf("domain %q {\n%s\n}\n", exampleDomain, r.about.Example)
	for _, u := range nativeUnits(file, []byte(src)) {
		blocks, diags := u.parse(l.m)
		l.note(diags...)
		for _, b := range blocks {
			return l.scope(b).domain(l, types).Declared()
		}
	}
	return nil
}

// about describes an input.
func (in input) about() SenderInput {
	out := SenderInput{
		Name: in.name, Description: in.description, Type: string(in.shape), Length: in.length,
		Required: in.rule == mustBeGiven, Depends: in.rule == dependsOnOthers,
	}
	if in.pattern != nil {
		out.Pattern = in.pattern.String()
	}
	if !in.fallback.IsNull() && in.fallback.IsWhollyKnown() {
		out.Default = hclText(in.fallback)
	}
	return out
}
