package render

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// extensions of the golden files, by format.
var extensions = map[Format]string{Text: ".txt", Markdown: ".md", JSON: ".json"}

// TestGolden renders every kind of report in every format.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, s := range samples {
		for _, f := range Formats() {
			t.Run(s.name+"/"+string(f), func(t *testing.T) {
				t.Parallel()
				o := Options{Now: now}
				if f != JSON && s.name == "plan-forgotten-sender" {
					o.Notes = []string{"The live values were read from the name servers: unmanaged records, proxied records and automatic TTLs can't be seen."}
				}
				golden(t, s.name+extensions[f], rendered(t, f, s.report(), o))
			})
		}
	}
}

// TestGoldenWidths renders the example at the widths of usual terminals, and
// with colours.
func TestGoldenWidths(t *testing.T) {
	t.Parallel()
	golden(t, "plan-spec-80.txt", rendered(t, Text, specPlan(), Options{Now: now, Width: 80}))
	golden(t, "plan-spec-60.txt", rendered(t, Text, specPlan(), Options{Now: now, Width: 60}))
	golden(t, "plan-spec-120.txt", rendered(t, Text, specPlan(), Options{Now: now, Width: 120}))
	golden(t, "plan-spec-colour.txt", rendered(t, Text, specPlan(), Options{Now: now, Palette: Colours()}))
}

func rendered(t testing.TB, f Format, report any, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f, report, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -run Golden -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs from what is rendered (-golden +got):\n%s", path, diff)
	}
}
