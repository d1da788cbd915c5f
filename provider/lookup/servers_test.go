package lookup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseServers(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"192.0.2.53:5300":                  "192.0.2.53:5300",
		"192.0.2.53":                       "192.0.2.53:53",
		"2001:db8::53":                     "[2001:db8::53]:53",
		"[2001:db8::53]":                   "[2001:db8::53]:53",
		"[2001:db8::53]:5300":              "[2001:db8::53]:5300",
		"localhost:53":                     "localhost:53",
		"dns.example.net":                  "dns.example.net:53",
		" 192.0.2.1:53 , 192.0.2.2:53 ":    "192.0.2.1:53 192.0.2.2:53",
		"192.0.2.2,192.0.2.1,192.0.2.2:53": "192.0.2.2:53 192.0.2.1:53",
		"":                                 "",
		"192.0.2.1,":                       "",
		":53":                              "",
		"192.0.2.1:":                       "",
		"192.0.2.1:0":                      "",
		"192.0.2.1:65536":                  "",
		"192.0.2.1:domain":                 "",
		"a:b:c":                            "",
		"user@192.0.2.1:53":                "",
		"https://dns.example.net/q":        "",
		"two words":                        "",
	}
	for list, want := range tests {
		got, err := ParseServers(list)
		if strings.Join(got, " ") != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v; want %q", list, got, err, want)
		}
	}
}

func TestSystemServers(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"# comment\nnameserver 192.0.2.1\nsearch example.com\nnameserver fe80::1%eth0\nnameserver 192.0.2.1\n": {"192.0.2.1:53", "[fe80::1%eth0]:53"},
		"options ndots:2\n": {"127.0.0.1:53"},
		"":                  {"127.0.0.1:53"},
	}
	for text, want := range tests {
		path := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := SystemServers(path); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := SystemServers(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "--resolver") {
		t.Errorf("a missing file: %v", err)
	}
}
