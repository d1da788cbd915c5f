package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// noon is the time at which the configurations of the tests are read.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// TestWrong reads each configuration of testdata/wrong and compares all that
// is said about it with expected.txt: every fault has a file, a line, what is
// wrong and how to mend it.
func TestWrong(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join("testdata", "wrong", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) < 30 {
		t.Fatalf("only %d wrong configurations", len(dirs))
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			_, diags := Load(t.Context(), dir, Environment{Now: noon})
			if !diags.HasErrors() {
				t.Error("no error was found")
			}
			for _, d := range diags {
				if d.Detail == "" || d.Source == nil || d.Source.Line == 0 {
					t.Errorf("no place or no detail: %+v", d)
				}
			}
			var got strings.Builder
			if err := diags.WriteText(&got, DirSnippets(dir), false); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(dir, "expected.txt"), got.String())
		})
	}
}

// golden compares text with a file, or writes the file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
