package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/provider"
)

var tested = regexp.MustCompile(`(?m)^## .*[Tt]ested`)

// TestDocsProviders proves that every provider has its page, that the page
// names every attribute, and that the table says what the code knows.
func TestDocsProviders(t *testing.T) {
	t.Parallel()
	table, unreached := read(t, "docs/providers/README.md"), read(t, "docs/providers/unreached.md")
	for _, row := range provider.Types() {
		if !row.Reachable() {
			if row.Name != "external" && !strings.Contains(unreached, "\n| "+row.Name+" | ") {
				t.Errorf("docs/providers/unreached.md says nothing of %s", row.Name)
			}
			continue
		}
		page := read(t, "docs/providers/"+row.Name+".md")
		if !strings.HasPrefix(page, "# "+row.Name+"\n") {
			t.Errorf("docs/providers/%s.md doesn't begin with %q", row.Name, "# "+row.Name)
		}
		if !tested.MatchString(page) || !strings.Contains(page, "provider \""+row.Name+"\"") {
			t.Errorf("docs/providers/%s.md has no example, or doesn't say what was tested", row.Name)
		}
		for _, a := range row.Attributes {
			if !strings.Contains(page, "`"+a.Name+"`") {
				t.Errorf("docs/providers/%s.md says nothing of %s", row.Name, a.Name)
			}
		}
		start, end := fmt.Sprintf("\n| [%[1]s](%[1]s.md) | ", row.Name), fmt.Sprintf(" | %s | ", strings.Join(tableColumns(capabilities(row)), " | "))
		_, rest, found := strings.Cut(table, start)
		line, _, _ := strings.Cut(rest, "\n")
		if !found || !strings.Contains(line, end) {
			t.Errorf("the row of %s in docs/providers/README.md should begin with %q and have %q; it goes on with %q", row.Name, start, end, line)
		}
	}
}

// tableColumns are what the table of providers says that the code knows.
func tableColumns(c render.Capabilities) []string {
	changes, ttl := "set by set", "any"
	if c.Transactional {
		changes = "in one transaction"
	}
	if c.MinTTL > 0 {
		ttl = fmt.Sprintf("%d s", c.MinTTL)
	}
	if c.AutoTTL {
		ttl += ", or automatic"
	}
	return []string{changes, ttl}
}
