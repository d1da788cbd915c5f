package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
)

// TestRulePages keeps docs/rules in step with the catalogue: a page for every
// rule and the index, made from the table and the test data. Run it with
// -update to write them.
func TestRulePages(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(repository, "docs", "rules")
	pages := map[string]string{"README.md": rulesIndex(policy.Rules())}
	for _, r := range policy.Rules() {
		pages[r.ID+".md"] = rulePage(t, r)
	}
	for name, want := range pages {
		path := filepath.Join(dir, name)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s is not as the catalogue has it (%v): go test ./cmd/maildns -run TestRulePages -update", path, err)
		}
	}
	there, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		if _, ok := pages[filepath.Base(path)]; ok {
			continue
		}
		if *update {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s is about no rule", path)
	}
}

// rulesIndex is the list of all rules by family.
func rulesIndex(rules []policy.Rule) string {
	var b strings.Builder
	b.WriteString("# Rules\n\nWhat maildns finds fault with. `maildns rules` prints this list, `maildns rules ID` one rule.\n\n" +
		"An *error* about the declaration stops its domain if the rule needs nothing but the declaration or the zone; an error of a rule that needs more\n" +
		"holds just the change that it names. What is live already as it is declared is a warning. Findings about the live zone stop nothing. An `exception` block\n" +
		"sets a rule aside, with a reason and an end.\n")
	family := ""
	for _, r := range rules {
		if f := familyOf(r.ID); f != family && !strings.Contains(b.String(), "\n## "+f+"\n") {
			family = f
			fmt.Fprintf(&b, "\n## %s\n\n| rule | severity | needs | finds |\n|---|---|---|---|\n", f)
			for _, one := range rules {
				if familyOf(one.ID) == f {
					fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s |\n", one.ID, one.ID, one.Severity, one.Needs, cell(one.Finds))
				}
			}
		}
	}
	return b.String()
}

// cell is text as it may stand in a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func rulePage(t *testing.T, r policy.Rule) string {
	t.Helper()
	var b strings.Builder
	source := "a judgement of maildns"
	if r.RFC != "" {
		source = sourceOf(r.RFC)
	}
	fmt.Fprintf(&b, "# %s\n\n| | |\n|---|---|\n| **finds** | %s |\n| **severity** | %s |\n| **needs** | %s |\n| **source** | %s |\n", r.ID, cell(r.Finds), r.Severity, needsText(r.Needs), source)
	fmt.Fprintf(&b, "\n## Why it matters\n\n%s\n", r.Why)
	if r.Implemented() {
		b.WriteString(ruleExample(t, r))
	} else {
		b.WriteString("\nThis version can't check it yet: it needs facts that nothing gathers so far.\n")
	}
	fmt.Fprintf(&b, "\n## How to mend it\n\n%s.\n", strings.ToUpper(r.Fix[:1])+r.Fix[1:])
	return b.String()
}

// ruleExample is the first failing case of the rule's test data and what is
// found there.
func ruleExample(t *testing.T, r policy.Rule) string {
	t.Helper()
	for _, c := range ruleCases(t, r.ID) {
		if !strings.HasPrefix(c.name, "fail") {
			continue
		}
		found := of(r.ID, c.judge(t).planned)
		if len(found) == 0 {
			t.Errorf("%s: nothing found in %s", r.ID, c.name)
			return ""
		}
		f := found[0]
		for i := range found {
			if found[i].About == plan.AboutDeclared {
				f = found[i]
				break
			}
		}
		var b strings.Builder
		fmt.Fprintf(&b, "\n## Example\n\n```hcl\n%s\n```\n", strings.TrimSpace(c.config))
		if zone := strings.TrimSpace(c.zone); f.About == plan.AboutLive && zone != "" {
			fmt.Fprintf(&b, "\nwhile the zone has\n\n```\n%s\n```\n", zone)
		}
		place := []string{r.ID}
		if f.RFC != "" {
			place = append(place, sourceOf(f.RFC))
		}
		if f.Source != nil {
			place = append(place, fmt.Sprintf("mail.hcl:%d", f.Source.Line))
		}
		fmt.Fprintf(&b, "\n```\n%s: %s\n      (%s)\n", f.Severity, f.Message, strings.Join(place, ", "))
		if !r.Reads() {
			fmt.Fprintf(&b, "      fix: %s\n", f.Fix)
		}
		b.WriteString("```\n")
		return b.String()
	}
	return ""
}

// TestRuleIndex has every rule once, whatever the order of the tables.
func TestRuleIndex(t *testing.T) {
	t.Parallel()
	index := rulesIndex(policy.Rules())
	for _, r := range policy.Rules() {
		if strings.Count(index, "["+r.ID+"](") != 1 {
			t.Errorf("%s stands %d times in the index", r.ID, strings.Count(index, "["+r.ID+"]("))
		}
	}
}
