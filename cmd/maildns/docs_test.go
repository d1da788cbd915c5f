package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/plan/policy"
)

const repository = "../.."

// TestDocsPages proves that every gate has its page, that every page has its
// gate, and that the index lists them all. TestRulePages does so for rules.
func TestDocsPages(t *testing.T) {
	t.Parallel()
	var gates []string
	for _, g := range policy.Gates() {
		gates = append(gates, g.ID)
	}
	slices.Sort(gates)
	index := read(t, "docs/index.md")
	if pages := pages(t, "docs/gates"); !slices.Equal(pages, gates) {
		t.Errorf("docs/gates has pages for %v, the table has %v", pages, gates)
	}
	for _, id := range gates {
		link := "gates/" + id + ".md"
		if !strings.HasPrefix(read(t, "docs/"+link), "# "+id+"\n") {
			t.Errorf("docs/%s does not begin with %q", link, "# "+id)
		}
		if !strings.Contains(index, "]("+link+")") {
			t.Errorf("docs/index.md has no link to %s", link)
		}
	}
}

// pages lists the ids that have a page in a directory.
func pages(t *testing.T, dir string) (ids []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(repository, dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ".md"); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repository, path))
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

var link = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

// TestDocsLinks proves that what the documentation links to is there.
func TestDocsLinks(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(repository, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var proof = regexp.MustCompile("`(Test[A-Za-z0-9_]+|R[0-9]{2}[A-Za-z0-9_-]*\\.txtar)`")

// TestDocsRunbookProofs proves that the tests and scripts which the runbook's
// table names are there.
func TestDocsRunbookProofs(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	err := filepath.WalkDir(repository, func(path string, _ fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case filepath.Ext(path) == ".txtar":
			found[filepath.Base(path)] = true
		case strings.HasSuffix(path, "_test.go"):
			text, err := os.ReadFile(path)
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
				found[string(m[1])] = true
			}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range proof.FindAllStringSubmatch(read(t, "docs/runbook.md"), -1) {
		if !found[m[1]] {
			t.Errorf("docs/runbook.md names %s as a proof, which is not there", m[1])
		}
	}
}
