package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const benchHead = `
provider "zonefile" "local" { 
  directory = "zones" 
}
locals { 
  rua = "mailto:dmarc@reports.example" 
}
`

// benchDomain is a domain block of some 20 records and 2.3 KB.
func benchDomain(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "domain \"d%05d.example\" {\n  ttl   = \"1h\"\n  owner = \"Platform / SRE\"\n", i)
	fmt.Fprintf(&b, "  mx {\n    host       = \"mx1.example.net\"\n    preference = 10\n  }\n  mx {\n    host       = \"mx2.example.net\"\n    preference = 20\n  }\n")
	fmt.Fprintf(&b, "  spf {\n    include = [\"_spf.google.com\", \"sendgrid.net\"]\n    ip4     = [\"192.0.2.%d\"]\n  }\n", i%250)
	fmt.Fprintf(&b, "  dkim \"s1\" {\n    public_key = %q\n  }\n", benchKey)
	for s := range 3 {
		fmt.Fprintf(&b, "  dkim \"c%d\" {\n    cname = \"c%d.d%05d.dkim.example.net\"\n  }\n", s, s, i)
	}
	fmt.Fprintf(&b, "  dmarc {\n    policy = \"reject\"\n    rua    = [local.rua]\n    adkim  = \"strict\"\n  }\n")
	fmt.Fprintf(&b, "  mta_sts {\n    mode       = \"testing\"\n    host_cname = \"mta-sts.example.net\"\n  }\n  tls_rpt {\n    rua = [local.rua]\n  }\n")
	for s := range 8 {
		fmt.Fprintf(&b, "  record \"h%d\" \"A\" {\n    values = [\"192.0.2.%d\"]\n  }\n", s, s)
	}
	b.WriteString("}\n")
	return b.String()
}

const benchKey = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuPSk8sMQZaGjzrNAaBOkEKfWY4yXwk8mHVnmSbqWLwGEDO+n6MWgYSJ8Tv0D7SHC3RN9wcZQ/L4J6pQzJCwYhJr+2X1KZlOhRLaSzw+ZJ5nVXyGzIuBLWbjgnAEXsc5oJrgCVvJvRPoKLU1vVPT2pXdBwjEY9F0XYKzbpl9pjrJVxNFxcMZC5QxVpDUrxrEkExPpXa/7GmWmhYtDSIxqHdnXKqGqMlKrVFDfBtbgqoqkkzFFmL1kNmwLw5cWvbmbkr3iVqRqfGBW3CGmUqQEhMEzHYhqFj3T1b7HW3bpOYVKWyf8pr6C1jVhVtHuRWTtLJqFcxmEpLyBvGSx1qXzfwIDAQAB"

func BenchmarkLoad(b *testing.B) {
	const n = 1000
	files := map[string]string{"main.hcl": benchHead}
	var all strings.Builder
	for i := range n {
		text := benchDomain(i)
		files[fmt.Sprintf("d%05d.hcl", i)] = text
		all.WriteString(text)
	}
	b.Run("files", func(b *testing.B) { benchLoad(b, files, n) })
	b.Run("onefile", func(b *testing.B) {
		benchLoad(b, map[string]string{"main.hcl": benchHead, "all.hcl": all.String()}, n)
	})
	b.Run("csv", func(b *testing.B) { benchLoad(b, tenants(n), n) })
}

// tenants is one for_each block over a table of n rows.
func tenants(n int) map[string]string {
	var csv strings.Builder
	csv.WriteString("domain,slug,policy\n")
	for i := range n {
		fmt.Fprintf(&csv, "t%05d.example,slug%d,reject\n", i, i)
	}
	return map[string]string{"tenants.csv": csv.String(), "main.hcl": benchHead + `
domain "tenants" {
  for_each = { for t in csvdecode(file("tenants.csv")) : t.domain => t }
  name     = each.key
  spf {
    include = ["spf.attunelogic.com"]
  }
  dkim "al1" {
    cname = "al1.${each.value.slug}.dkim.attunelogic.com"
  }
  dmarc {
    policy = each.value.policy
    rua    = [local.rua]
  }
  mx {
    host = "mx.attunelogic.com"
  }
  tls_rpt {
    rua = [local.rua]
  }
}
`}
}

func benchLoad(b *testing.B, files map[string]string, n int) {
	b.Helper()
	dir := b.TempDir()
	size := 0
	for name, text := range files {
		size += len(text)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		cfg, diags := Load(b.Context(), dir, Environment{})
		if diags.HasErrors() || len(cfg.Domains) != n {
			b.Fatalf("%d domains, %v", len(cfg.Domains), diags)
		}
	}
}
