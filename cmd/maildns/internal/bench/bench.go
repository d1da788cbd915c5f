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
	Files  Form = "files"  // a zone and a file of HCL for each domain
	Table  Form = "table"  // a zone for each domain, one for_each block over a CSV file
	Shared Form = "shared" // the same block, but all domains are in one zone
)

// Fixture is a configuration and its zone files, of the usual make: 20 records
// a domain besides SOA and NS, all of them declared and live.
type Fixture struct {
	Domains int
	Form    Form
	// Drift makes the live DMARC record of every domain differ from the declared
	// one, so that each has one change that can be made at once.
	Drift bool
}

// parent is the zone of the domains that share one.
const parent = "tenants.example"

// Domain is the name of the i-th domain, from 0.
func (f Fixture) Domain(i int) string {
	if f.Form == Shared {
		return fmt.Sprintf("d%05d.%s", i, parent)
	}
	return fmt.Sprintf("d%05d.example", i)
}

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
	if err := f.writeZones(filepath.Join(dir, "zones")); err != nil {
		return fmt.Errorf("writing the zones: %w", err)
	}
	return nil
}

func (f Fixture) writeZones(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text := []byte(zoneHead)
	for i := range f.Domains {
		text = append(text, f.records(i)...)
		if f.Form == Shared {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, f.Domain(i)+".zone"), text, 0o644); err != nil {
			return err
		}
		text = text[:len(zoneHead)]
	}
	if f.Form != Shared {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, parent+".zone"), text, 0o644)
}

func (f Fixture) writeConfig(dir string) error {
	main := head
	if f.Form != Files {
		if err := os.WriteFile(filepath.Join(dir, "tenants.csv"), f.table(), 0o644); err != nil {
			return err
		}
		main += declaration("tenants", f.each())
	}
	if err := os.WriteFile(filepath.Join(dir, "maildns.hcl"), []byte(main), 0o644); err != nil {
		return err
	}
	for i := 0; i < f.Domains && f.Form == Files; i++ {
		text := declaration(f.Domain(i), f.tenant(i))
		if err := os.WriteFile(filepath.Join(dir, f.Domain(i)+".hcl"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tenant is what differs from domain to domain, as it stands in the
// configuration: literally, or as an expression over a row of the table.
type tenant struct {
	domain, slug, address string
	head                  string // attributes of the domain block that only one form has
}

func (f Fixture) tenant(i int) tenant {
	return tenant{domain: f.Domain(i), slug: fmt.Sprintf("u%05d", i), address: fmt.Sprintf("192.0.2.%d", 1+i%250)}
}

func (f Fixture) each() tenant {
	t := tenant{
		domain: "${each.key}", slug: "${each.value.slug}", address: "${each.value.address}",
		head: `  for_each = { for t in csvdecode(file("tenants.csv")) : t.domain => t }
  name     = each.key
`,
	}
	if f.Form == Shared {
		t.head += "  zone     = \"" + parent + "\"\n"
	}
	return t
}

func (f Fixture) table() []byte {
	var b bytes.Buffer
	b.WriteString("domain,slug,address\n")
	for i := range f.Domains {
		t := f.tenant(i)
		fmt.Fprintf(&b, "%s,%s,%s\n", t.domain, t.slug, t.address)
	}
	return b.Bytes()
}
