package provider

import (
	"strings"
	"testing"
)

// TestUntrustedServers: an unreviewed configuration makes no connections but
// to this machine, or where the environment says so.
func TestUntrustedServers(t *testing.T) {
	t.Parallel()
	server := Type{Attributes: []Attribute{{Name: "server", Kind: KindString, Server: true}, {Name: "note", Kind: KindString}}}
	cases := []struct {
		address  string
		restrict bool
		allowed  []string
		ok       bool
	}{
		{"192.0.2.1:53", false, nil, true},
		{"192.0.2.1:53", true, nil, false},
		{"127.0.0.1:53", true, nil, true},
		{"[::1]:53", true, nil, true},
		{"::1", true, nil, true},
		{"localhost:53", true, nil, false}, // what that is, is up to a resolver
		{"127.0.0.1.evil.example:53", true, nil, false},
		{"ns.example:53", true, []string{"NS.example"}, true},
		{"ns.example:53", true, []string{"ns.example:53"}, true},
		{"ns.example:54", true, []string{"ns.example:53"}, false},
		{"evil.example:53", true, []string{"ns.example"}, false},
		{"http://127.0.0.1:8081", true, nil, true},
		{"http://[::1]:8081/x", true, nil, true},
		{"https://ns.example:8081", true, []string{"ns.example:8081"}, true},
		{"https://ns.example:8081/x", true, []string{"ns.example"}, true},
		{"https://127.0.0.1@evil.example", true, nil, false},
		{"https://evil.example/#127.0.0.1", true, []string{"ns.example"}, false},
	}
	for _, c := range cases {
		values := Values{"server": {c.address}, "note": {"198.51.100.1"}}
		err := checkServers(server, values, Options{RestrictServers: c.restrict, AllowServers: c.allowed})
		if (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "MAILDNS_ALLOW_SERVERS") {
			t.Errorf("%s, allowed %v: error %v", c.address, c.allowed, err)
		}
	}
}
