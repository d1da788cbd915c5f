package config

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const canary = "s3cr3t/canary+\"ü&0123456789"

// TestEnv proves that a variable reaches the block that asks for it, and no
// diagnostic and no output.
func TestEnv(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"main.hcl": `
provider "cloudflare" "main" {
  api_token = env("CF_TOKEN")
}
provider "route53" "main" {
  profile           = env("AWS_PROFILE")
  secret_access_key = env("UNSET")
}
notify "support" {
  url = env("NOTIFY_URL")
}
report_source "imap" "dmarc" {
  url      = env("IMAP_URL")
  user     = "dmarc"
  password = env("IMAP_PASSWORD")
}
domain "a.example" {
  provider = provider.cloudflare.main
  owner    = "x
}
`})
	_, broken := Load(t.Context(), dir, Environment{})
	if !broken.HasErrors() {
		t.Fatal("the broken domain was not noticed")
	}
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), bytes.Replace(read(t, dir, "main.hcl"), []byte(`"x`), []byte(`"x"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := Load(t.Context(), dir, Environment{Lookup: lookup(map[string]string{
		"CF_TOKEN": canary, "NOTIFY_URL": "slack://hook:" + url.PathEscape(canary) + "@chan", "IMAP_PASSWORD": "pass-" + canary, "IMAP_URL": "imaps://imap.example.net/", "AWS_PROFILE": "mail",
	})})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	cloudflare, _ := cfg.Provider(cfg.Domains[0].Provider)
	if got := cloudflare.Values.Text("api_token"); got != canary {
		t.Errorf("the provider has the token %q", got)
	}
	if a := cloudflare.Attributes[0]; a.Name != "api_token" || a.Env != "CF_TOKEN" || a.Unset || !a.Secret {
		t.Errorf("attribute %+v", a)
	}
	route53 := cfg.Providers[1]
	if got := route53.Unset(); len(got) != 1 || got[0] != "UNSET" {
		t.Errorf("unset %v", got)
	}
	if route53.Values.Text("profile") != "mail" {
		t.Errorf("values %v", route53.Values)
	}
	if cfg.Notify[0].URL.Env != "NOTIFY_URL" || !strings.HasPrefix(cfg.Notify[0].Value, "slack://") {
		t.Errorf("notify %+v", cfg.Notify[0])
	}
	var out strings.Builder
	w := cfg.Secrets.Writer(&out)
	enc := json.NewEncoder(w)
	fmt.Fprintf(w, "%s %q %s %s %s\n", canary, canary, url.QueryEscape(canary), url.PathEscape(canary), base64.StdEncoding.EncodeToString([]byte(canary)))
	if err := enc.Encode(map[string]string{"error": "token " + canary + " was refused", "url": cfg.Notify[0].Value, "password": cfg.ReportSources[0].Values.Text("password")}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"canary", "0123456789"} {
		if strings.Contains(out.String(), part) {
			t.Errorf("%q is in the output %s", part, out.String())
		}
	}
	for _, name := range []string{"(env CF_TOKEN)", "(env NOTIFY_URL)", "(env IMAP_PASSWORD)"} {
		if !strings.Contains(out.String(), name) {
			t.Errorf("%s is not in the output %s", name, out.String())
		}
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, filepath.Clean(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSecretLineIsNotShown proves that a message about a secret that stands in
// the configuration doesn't repeat it.
func TestSecretLineIsNotShown(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"provider \"cloudflare\" \"x\" {\n  api_token = \"" + "CANARY0123" + "\"\n}\n",
		"notify \"x\" {\n  url = \"slack://CANARY0123@x\"\n}\n",
		"journal {\n  url = \"s3://k:CANARY0123@b/\"\n}\n",
		"report_source \"imap\" \"x\" {\n  url = \"imaps://u:CANARY0123@h/\"\n  user = \"u\"\n  password = \"CANARY0123\"\n}\n",
		domainOf("dkim \"a\" {\n public_key = \"-----BEGIN PRIVATE KEY-----CANARY0123\"\n}"),
	} {
		dir := write(t, map[string]string{"main.hcl": text})
		_, diags := Load(t.Context(), dir, Environment{})
		var out strings.Builder
		if err := diags.WriteText(&out, DirSnippets(dir), true); err != nil {
			t.Fatal(err)
		}
		if len(diags) == 0 || strings.Contains(out.String(), "CANARY") {
			t.Errorf("%s", out.String())
		}
	}
}

func TestShortSecrets(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"main.hcl": "provider \"cloudflare\" \"x\" {\n  api_token = env(\"T\")\n}\nprovider \"route53\" \"x\" {\n  region = env(\"R\")\n  secret_access_key = env(\"E\")\n}\n"})
	cfg, diags := Load(t.Context(), dir, Environment{Lookup: lookup(map[string]string{"T": "abc", "R": "true", "E": ""})})
	if !strings.Contains(diags.Error(), "too short") {
		t.Errorf("got %v", diags)
	}
	if got := cfg.Providers[1].Values.Text("region"); got != "true" {
		t.Errorf("region %q", got)
	}
	if got := cfg.Providers[1].Unset(); len(got) != 1 || got[0] != "E" {
		t.Errorf("an empty variable counts as set: %v", got)
	}
	if got := cfg.Secrets.Redact(`{"valid": true, "abc": 1}`); got != `{"valid": true, "abc": 1}` {
		t.Errorf("short values shred the output: %s", got)
	}
}

// TestRedactingWriter proves that it makes no difference in which parts text
// is written.
func TestRedactingWriter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &Secrets{}
		word := rapid.StringOfN(rapid.SampledFrom([]rune("ab")), 6, 12, -1)
		for i := range rapid.IntRange(0, 3).Draw(t, "secrets") {
			s.Add(fmt.Sprintf("N%d", i), word.Draw(t, "secret"))
		}
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abc")), 0, 80, -1).Draw(t, "text")
		var out strings.Builder
		w := s.Writer(&out)
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "length")
			if m, err := io.WriteString(w, rest[:n]); m != n || err != nil {
				t.Fatal(m, err)
			}
			rest = rest[n:]
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if want := s.Redact(text); out.String() != want {
			t.Fatalf("got %q, want %q for %q", out.String(), want, text)
		}
	})
}

// TestConfine proves that nothing outside the configuration directory is read,
// and nothing hidden in it.
func TestConfine(t *testing.T) {
	t.Parallel()
	outside := write(t, map[string]string{"secret.txt": "secret", "dir/secret.txt": "secret"})
	dir := write(t, map[string]string{"a.txt": "a", "keys/b.txt": "b", ".git/config": "token", ".env": "token", "keys/.hidden/c.txt": "c"})
	links := map[string]string{
		"out.txt": filepath.Join(outside, "secret.txt"), "outdir": filepath.Join(outside, "dir"), "git.txt": filepath.Join(dir, ".git", "config"),
		"gitdir": ".git", "up": "..", "fine.txt": "keys/b.txt", "loop": "loop", "keys/back.txt": "../a.txt",
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"a.txt", "./a.txt", "keys/b.txt", "keys/../a.txt", "fine.txt", "keys/back.txt", "keys//b.txt"} {
		if _, err := readBelow(dir, path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{
		"", ".", "..", "../a.txt", "../../etc/passwd", "/etc/passwd", filepath.Join(dir, "a.txt"), ".git/config", ".env", "keys/.hidden/c.txt",
		"keys/../.git/config", "out.txt", "outdir/secret.txt", "git.txt", "gitdir/config", "up/x", "loop", "keys", "nothing.txt", "a.txt/x", "a.txt\x00",
	} {
		if text, err := readBelow(dir, path); err == nil {
			t.Errorf("%q is read: %q", path, text)
		} else if strings.Contains(err.Error(), outside) || path != filepath.Join(dir, "a.txt") && strings.Contains(err.Error(), dir) {
			t.Errorf("%q: the error tells where it is: %v", path, err)
		}
	}
	if err := os.Symlink(filepath.Join(outside, "secret.txt"), filepath.Join(dir, "evil.hcl")); err != nil {
		t.Fatal(err)
	}
	_, diags := Load(t.Context(), dir, Environment{})
	var out strings.Builder
	if err := diags.WriteText(&out, DirSnippets(dir), false); err != nil {
		t.Fatal(err)
	}
	if !diags.HasErrors() || strings.Contains(out.String(), "secret") && !strings.Contains(out.String(), "symbolic") || strings.Contains(out.String(), outside) {
		t.Errorf("a file outside is read as configuration:\n%s", out.String())
	}
}
