package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/attunelogic/maildns/"

// room is one package and its place in the house.
type room struct {
	level int
	// beside lists rooms of the same level that it may import. All other
	// imports point down.
	beside []string
	// pure rooms decide and compute: they reach no network, no file, no
	// process and no log, and the time comes in as a parameter.
	pure bool
}

// rooms is the plan of the house. A new package gets its line here.
var rooms = map[string]room{
	"records":                {level: 1, pure: true, beside: []string{"records/spf"}},
	"records/spf":            {level: 1, pure: true},
	"records/spf/spftest":    {level: 1, pure: true},
	"provider/disk":          {level: 1},
	"provider/disk/disktest": {level: 1, beside: []string{"provider/disk"}},
	"provider/httpapi":       {level: 1},

	"plan":                   {level: 2, pure: true},
	"plan/evidence":          {level: 2, pure: true},
	"plan/store":             {level: 2},
	"provider":               {level: 2, beside: []string{"provider/cloudflare", "provider/rfc2136", "provider/route53", "provider/rr", "provider/vendors", "provider/zonefile"}},
	"provider/cloudflare":    {level: 2, beside: []string{"provider/rr"}},
	"provider/rr":            {level: 2, pure: true},
	"provider/rfc2136":       {level: 2, beside: []string{"provider/rr"}},
	"provider/route53":       {level: 2, beside: []string{"provider/route53/octal", "provider/rr"}},
	"provider/route53/octal": {level: 2, pure: true},
	"provider/vendors":       {level: 2, beside: []string{"provider/rr"}},
	"provider/zonefile":      {level: 2, beside: []string{"provider/rr"}},
	"provider/providertest":  {level: 2, beside: []string{"provider", "provider/rr", "provider/zonefile"}},
	"provider/lookup":        {level: 2},

	"provider/providertest/cloudflaretest": {level: 2},
	"provider/providertest/route53test":    {level: 2},
	"provider/providertest/serverstest":    {level: 2, beside: []string{"provider/providertest/updatetest"}},
	"provider/providertest/updatetest":     {level: 2},
	"provider/providertest/vendortest":     {level: 2},
	"provider/providertest/dnstest":        {level: 2},

	"plan/policy":  {level: 3, pure: true},
	"plan/journal": {level: 3},

	"plan/facts": {level: 4},

	"plan/apply": {level: 5},

	"cmd/maildns": {level: 6, beside: []string{
		"cmd/maildns/internal/config", "cmd/maildns/internal/render", "cmd/maildns/internal/notice",
	}},
	"cmd/maildns/internal/bench":  {level: 6},
	"cmd/maildns/internal/config": {level: 6},
	"cmd/maildns/internal/render": {level: 6},
	"cmd/maildns/internal/notice": {level: 6},
}

// keeps are libraries that only some rooms may import. A pure room may not even
// depend on them through another one.
var keeps = []struct {
	library string // and what is below it
	rooms   []string
	why     string
}{
	{"github.com/hashicorp/hcl/v2", []string{"cmd/maildns"}, "the language stays in the shell"},
	{"github.com/spf13/cobra", []string{"cmd/maildns"}, "the command line stays in the shell"},
	{"github.com/miekg/dns", []string{"provider", "cmd/maildns"}, "DNS messages stay at the edge"},
	{"github.com/libdns/libdns", []string{"provider", "cmd/maildns"}, "libdns is the edge towards DNS hosts"},
}

// impure are the standard packages that a pure room doesn't import: those
// that do something, as opposed to net/netip and net/url, which only parse.
var impure = []string{"log", "log/slog", "net", "net/http", "net/mail", "net/smtp", "net/textproto", "os", "os/exec", "os/user", "syscall"}

// listed is what the test needs of a package in the answer of go list.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Module     *struct{ Path string }
}

// name is the package's path below the module.
func (p listed) name() string { return strings.TrimPrefix(p.ImportPath, module) }

// TestLayers proves that imports point down only, that pure rooms reach
// nothing outside, and that libraries stay where they belong.
func TestLayers(t *testing.T) {
	t.Parallel()
	for _, p := range ours(t) {
		r, ok := rooms[p.name()]
		if !ok {
			t.Errorf("%s has no place in the house: give it a line in rooms, on the lowest level that its imports allow", p.name())
			continue
		}
		for _, fault := range slices.Concat(upward(p, r), reaching(p, r), carried(p, r)) {
			t.Error(fault)
		}
	}
}

// ours lists the packages of this module, without their tests.
func ours(t *testing.T) []listed {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Deps,Module", "../../...")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("the answer of go list: %v", err)
		}
		if p.Module != nil && p.Module.Path == strings.TrimSuffix(module, "/") {
			packages = append(packages, p)
		}
	}
}

// upward finds imports of rooms on the same level or above.
func upward(p listed, r room) (faults []string) {
	for _, i := range p.Imports {
		name, own := strings.CutPrefix(i, module)
		to, known := rooms[name]
		if !own || !known || to.level < r.level || slices.Contains(r.beside, name) {
			continue
		}
		faults = append(faults, fmt.Sprintf("%s (level %d) imports %s (level %d): imports point down only", p.name(), r.level, name, to.level))
	}
	return faults
}

// reaching finds what a pure room must not import.
func reaching(p listed, r room) (faults []string) {
	for _, i := range p.Imports {
		if r.pure && slices.Contains(impure, i) {
			faults = append(faults, fmt.Sprintf("%s imports %q, but it is pure: let the caller do that and pass the result in", p.name(), i))
		}
	}
	return faults
}

// carried finds libraries in rooms that they don't belong to.
func carried(p listed, r room) (faults []string) {
	reach := p.Imports
	if r.pure {
		reach = p.Deps
	}
	for _, k := range keeps {
		if slices.ContainsFunc(k.rooms, func(room string) bool { return below(p.name(), room) }) {
			continue
		}
		if i := slices.IndexFunc(reach, func(d string) bool { return below(d, k.library) }); i >= 0 {
			faults = append(faults, fmt.Sprintf("%s depends on %s: %s", p.name(), reach[i], k.why))
		}
	}
	return faults
}

// below reports whether a path is that of the root or below it.
func below(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// TestLayersFindFaults proves that the test above would see a fault.
func TestLayersFindFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		p    listed
		want string
	}{
		{"up", listed{ImportPath: module + "records", Imports: []string{module + "plan"}}, "records (level 1) imports plan (level 2)"},
		{"aside", listed{ImportPath: module + "plan/policy", Imports: []string{module + "plan/journal"}}, "plan/policy (level 3) imports plan/journal (level 3)"},
		{"the provider knows no plan", listed{ImportPath: module + "provider", Imports: []string{module + "plan"}}, "provider (level 2) imports plan (level 2)"},
		{"pure", listed{ImportPath: module + "plan", Imports: []string{"os"}}, `plan imports "os"`},
		{"library", listed{ImportPath: module + "plan/policy", Deps: []string{"github.com/miekg/dns"}}, "plan/policy depends on github.com/miekg/dns"},
		{"library of the edge", listed{ImportPath: module + "plan/apply", Imports: []string{"github.com/libdns/libdns"}}, "plan/apply depends on github.com/libdns/libdns"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rooms[tt.p.name()]
			faults := slices.Concat(upward(tt.p, r), reaching(tt.p, r), carried(tt.p, r))
			if len(faults) != 1 || !strings.Contains(faults[0], tt.want) {
				t.Errorf("faults %q, want one with %q", faults, tt.want)
			}
		})
	}
}
