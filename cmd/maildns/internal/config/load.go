package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/attunelogic/maildns/records"
)

// loader is one run of Load.
type loader struct {
	budget
	dir     string
	env     Environment
	m       *meter           // of the blocks that are not domains
	base    *hcl.EvalContext // what every expression sees
	cfg     *Config
	secrets *Secrets
	diags   Diagnostics
	// declared are the domains, as read.
	declared []declaration
	groups   []string // labels of for_each domain blocks
	types    library  // of senders
}

func newLoader(dir string, env Environment) *loader {
	l := &loader{dir: dir, env: env, secrets: &Secrets{}}
	l.m = &meter{budget: &l.budget}
	l.base = &hcl.EvalContext{Functions: functions(dir), Variables: map[string]cty.Value{}}
	l.cfg = &Config{
		Dir:      dir,
		Journal:  Journal{URL: defaultJournal},
		Settings: records.DefaultSettings(),
		Secrets:  l.secrets,
	}
	return l
}

// note keeps diagnostics. Warnings beyond a number are left out.
func (l *loader) note(diags ...Diagnostic) {
	for _, d := range diags {
		if d.Severity == Error || len(l.diags) < maxNotes {
			l.diags = append(l.diags, d)
		}
	}
}

// run reads the configuration: first what everything else may refer to, then
// the other blocks, and the domains last.
func (l *loader) run() {
	units := l.readUnits()
	domains, shared := splitUnits(units)
	top := l.readShared(shared)
	l.variables(top)
	l.locals(top)
	l.providerRefs(top)
	l.readTop(top)
	l.readDomains(domains)
	if !l.late.Load() {
		l.checkDomains()
	}
}

// runJournal reads the journal block and what it may refer to. What is wrong
// elsewhere is left to Load.
func (l *loader) runJournal() {
	var journal, needed []unit
	for _, u := range l.readUnits() {
		switch u.kind {
		case "journal":
			journal = append(journal, u)
		case "variable", "locals":
			needed = append(needed, u)
		}
	}
	top := l.readShared(needed)
	l.variables(top)
	l.locals(top)
	l.diags = nil
	top = l.readShared(journal)
	l.checkSingle(top)
	if b := top.first("journal"); b != nil {
		l.journal(l.scope(b))
	}
}

func splitUnits(units []unit) (domains, shared []unit) {
	for _, u := range units {
		if u.kind == "domain" {
			domains = append(domains, u)
		} else {
			shared = append(shared, u)
		}
	}
	return domains, shared
}

// readShared parses the blocks that are not domains. They stay in memory until
// the end, so their text is bounded more tightly.
func (l *loader) readShared(units []unit) *block {
	top := &block{}
	size := 0
	for _, u := range units {
		if size += len(u.src); size > maxShared || len(top.blocks) > maxOther {
			l.note(Diagnostic{Severity: Error, Summary: "Too much besides domains",
				Source: point(u.start()),
				Detail: fmt.Sprintf("All blocks other than domains may have %d KiB and be %d. Put data into a file and read it with csvdecode(file(…)) or jsondecode(file(…)).", maxShared>>10, maxOther)})
			break
		}
		if l.late.Load() {
			break
		}
		blocks, diags := u.parse(l.m)
		l.note(diags...)
		top.blocks = append(top.blocks, blocks...)
		l.keepTypes(u, blocks)
	}
	return top
}

// scope reads a block of the top level.
func (l *loader) scope(b *block) scope {
	return scope{block: b, m: l.m, ctx: l.base, in: b.title(), diags: &l.diags}
}

// readTop reads all blocks but variables, locals and domains.
func (l *loader) readTop(top *block) {
	l.checkSingle(top)
	for _, b := range top.blocks {
		s := l.scope(b)
		switch b.kind {
		case "journal":
			l.journal(s)
		case "policy":
			l.cfg.Settings = s.settings(l.cfg.Settings)
		case "provider":
			l.provider(s)
		case "notify":
			l.notify(s)
		case "report_source":
			l.reportSource(s)
		case "rollout":
			l.rollout(s)
		case "known_source":
			l.cfg.KnownSources = append(l.cfg.KnownSources, s.knownSource(l.env.Now))
		case "sender_type":
			l.senderType(s)
		case "domain":
			s.report(b.rng, "Block doesn't begin on a line of its own", "Put every block on lines of its own.")
		}
	}
	slices.SortFunc(l.cfg.Providers, func(a, b Provider) int {
		return cmp.Or(strings.Compare(a.Ref.Type, b.Ref.Type), strings.Compare(a.Ref.Name, b.Ref.Name))
	})
	slices.SortFunc(l.cfg.Notify, func(a, b Notify) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(l.cfg.Rollouts, func(a, b Rollout) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(l.cfg.KnownSources, func(a, b records.KnownSource) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(l.cfg.ReportSources, func(a, b ReportSource) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name))
	})
}

// checkSingle finds second blocks where one may stand, and second blocks of
// one name.
func (l *loader) checkSingle(top *block) {
	first := map[string]*block{}
	for _, b := range top.blocks {
		if b.kind == "locals" || b.kind == "domain" {
			continue
		}
		earlier := first[b.title()]
		if earlier == nil {
			first[b.title()] = b
			continue
		}
		s := l.scope(b)
		if len(b.labels) == 0 {
			s.report(b.rng, "Second "+b.kind+" block", "The first one is at %s. Merge the two: there is at most one.", place(source(earlier.rng)))
		} else {
			s.report(b.rng, "Duplicate "+b.kind, "%s is at %s already. Rename one of the two.", b.title(), place(source(earlier.rng)))
		}
	}
}
