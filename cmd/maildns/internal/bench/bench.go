// Package bench makes configurations of any size, with the zones that they
// declare, for benchmarks of the whole program.
package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// Form is how a fixture declares its domains.
type Form string

// The forms.
const (
	Files Form = "files" // a file of HCL for each zone, with every record
	Table Form = "table" // one for_each block over a CSV file
)

// Fixture is a configuration and its zone files, of the usual make: 20 records
// a zone besides SOA and NS, all of them declared and live.
type Fixture struct {
	Zones int
	Form  Form
	// Drift makes the live DMARC record of every zone differ from the declared
	// one, so that each zone has one change that can be made at once.
	Drift bool
}

// Domain is the name of the i-th zone, from 0.
func Domain(i int) string { return fmt.Sprintf("d%05d.example", i) }

// Write writes the fixture into a directory: the configuration at its top, the
// zone files in zones.
func (f Fixture) Write(dir string) error {
	if err := f.writeConfig(dir); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return f.WriteZones(dir)
}

// WriteZones writes the zone files alone, which brings zones that were changed
// back to their beginning.
func (f Fixture) WriteZones(dir string) error {
	rua := reports
	if f.Drift {
		rua = formerReports
	}
	err := os.MkdirAll(filepath.Join(dir, "zones"), 0o755)
	for i := 0; i < f.Zones && err == nil; i++ {
		err = os.WriteFile(filepath.Join(dir, "zones", Domain(i)+".zone"), zone(i, rua), 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the zones: %w", err)
	}
	return nil
}

func (f Fixture) writeConfig(dir string) error {
	if f.Form == Table {
		if err := os.WriteFile(filepath.Join(dir, "tenants.csv"), table(f.Zones), 0o644); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "maildns.hcl"), []byte(head+declaration("tenants", each)), 0o644)
	}
	if err := os.WriteFile(filepath.Join(dir, "maildns.hcl"), []byte(head), 0o644); err != nil {
		return err
	}
	for i := range f.Zones {
		text := declaration(Domain(i), tenantOf(i))
		if err := os.WriteFile(filepath.Join(dir, Domain(i)+".hcl"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tenant is what differs from zone to zone, as it stands in the configuration:
// literally, or as an expression over a row of the table.
type tenant struct {
	domain, slug, address string
	head                  string // attributes of the domain block that only one form has
}

func tenantOf(i int) tenant {
	return tenant{domain: Domain(i), slug: fmt.Sprintf("u%05d", i), address: fmt.Sprintf("192.0.2.%d", 1+i%250)}
}

var each = tenant{
	domain: "${each.key}", slug: "${each.value.slug}", address: "${each.value.address}",
	head: `  for_each = { for t in csvdecode(file("tenants.csv")) : t.domain => t }
  name     = each.key
`,
}

func table(zones int) []byte {
	var b bytes.Buffer
	b.WriteString("domain,slug,address\n")
	for i := range zones {
		t := tenantOf(i)
		fmt.Fprintf(&b, "%s,%s,%s\n", t.domain, t.slug, t.address)
	}
	return b.Bytes()
}
