package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/attunelogic/maildns/provider/providertest/dnstest"
	"github.com/attunelogic/maildns/records/spf"
	"github.com/attunelogic/maildns/records/spf/spftest"
)

// ran is what a command has printed and its exit status.
type ran struct {
	code        int
	out, errors string
}

// run runs a command that asks only the given DNS server.
func run(t *testing.T, resolver string, args ...string) ran {
	t.Helper()
	var out, errs strings.Builder
	env := map[string]string{"MAILDNS_RESOLVER": resolver, "MAILDNS_CLOCK": clockStart}
	code := Main(t.Context(), args, World{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Now: time.Now,
		Lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	})
	return ran{code, out.String(), errs.String()}
}

// published compiles a schema of docs/schema.
func published(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join(repository, "docs", "schema", name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// document reads what a test wants of a JSON report, which has to be as its
// schema says.
func document(t *testing.T, schema *jsonschema.Schema, text string) (v verdict) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%v in %s", err, text)
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// verdict is what tests read of spf check and spf tree.
type verdict struct {
	Result, Explanation, Problem, Matched string
	Lookups                               int
	VoidLookups                           int `json:"void_lookups"`
}

// TestSPFCheckRFC7208Suite runs the official suite through the command and a
// DNS server.
func TestSPFCheckRFC7208Suite(t *testing.T) {
	t.Parallel()
	schema, passed := published(t, "spf-check.schema.json"), 0
	for _, s := range officialSuites(t) {
		server := suiteServer(t, s)
		for _, c := range s.Cases {
			if fault := suiteFault(t, schema, server.Addr(), c); fault != "" {
				t.Errorf("%s/%s: %s", s.Description, c.Name, fault)
				continue
			}
			passed++
		}
	}
	if passed != 203 {
		t.Errorf("%d cases pass, want 203", passed)
	}
}

func officialSuites(t *testing.T) []spftest.Suite {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "blitiri.com.ar/go/spf").Output()
	if err != nil {
		t.Fatalf("find the module with the test suites: %v", err)
	}
	f, err := os.Open(filepath.Join(strings.TrimSpace(string(dir)), "testdata", "rfc7208-tests.yml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	suites, err := spftest.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return suites
}

// suiteServer serves a suite's zone from the root, so that all other names
// don't exist. Names that no message can hold are nowhere.
func suiteServer(t *testing.T, s spftest.Suite) *dnstest.Server {
	t.Helper()
	var lines []string
	answered := map[string]bool{}
	for _, r := range s.Records {
		answered[r.Owner] = true
		line := fmt.Sprintf("%s IN %s %s\n", masterName(r.Owner), r.Type, suiteData(r))
		_, possible := dns.IsDomainName(r.Owner)
		if possible && !slices.Contains(lines, line) { // a set holds no record twice (RFC 2181 5)
			lines = append(lines, line)
		}
	}
	server := dnstest.Start(t, dnstest.Zone{Name: ".", Text: strings.Join(lines, "")})
	for _, name := range s.Broken {
		if !answered[name] {
			server.Break(name, dnstest.Fault{Misdeed: dnstest.ServFail})
		}
	}
	return server
}

// masterName is a name in a master file.
func masterName(name string) string {
	return strings.ReplaceAll(dns.Fqdn(name), " ", `\ `)
}

// suiteData is a record's data in a master file.
func suiteData(r spftest.Record) string {
	values := slices.Clone(r.Values)
	last := len(values) - 1
	switch r.Type {
	case "TXT":
		for i, v := range values {
			var quoted strings.Builder
			for _, c := range []byte(v) {
				fmt.Fprintf(&quoted, `\%03d`, c)
			}
			values[i] = `"` + quoted.String() + `"`
		}
	case "MX", "PTR", "CNAME":
		values[last] = masterName(values[last])
	}
	return strings.Join(values, " ")
}

// suiteFault says how the command deviates from a case; empty where it doesn't.
func suiteFault(t *testing.T, schema *jsonschema.Schema, server string, c spftest.Case) string {
	t.Helper()
	domain := c.MailFrom[strings.LastIndexByte(c.MailFrom, '@')+1:]
	if domain == "" {
		domain = c.Helo
	}
	r := run(t, server, "spf", "check", "--ip", c.Host, "--mail-from", c.MailFrom, "--helo", c.Helo, "--format", "json", "--", domain)
	if r.code != exitOK || r.errors != "" {
		return fmt.Sprintf("exit status %d: %s", r.code, r.errors)
	}
	got := document(t, schema, r.out)
	want := c.Explanation
	if want == "DEFAULT" { // the owner gives none
		want = ""
	}
	switch {
	case !slices.Contains(c.Results, got.Result):
		return fmt.Sprintf("result %s (%s), want %v", got.Result, got.Problem, c.Results)
	case c.Explanation != "" && got.Explanation != want:
		return fmt.Sprintf("explanation %q, want %q", got.Explanation, want)
	}
	return ""
}

// TestSPFWithoutNetwork lets a server die in the middle of a tree. What counts
// is how often it is asked in vain: not once for each name.
func TestSPFWithoutNetwork(t *testing.T) {
	t.Parallel()
	var zone strings.Builder
	record := "v=spf1"
	for i := range 10 {
		fmt.Fprintf(&zone, "n%d IN TXT \"v=spf1 a:h%d.example mx:h%[2]d.example -all\"\n", i, i)
		record += fmt.Sprintf(" include:n%d.example", i)
	}
	fmt.Fprintf(&zone, "x IN TXT \"%s -all\"\n", record)
	for name, command := range map[string][]string{
		"check":   {"spf", "check", "x.example", "--ip", "192.0.2.1"},
		"tree":    {"spf", "tree", "x.example"},
		"flatten": {"spf", "flatten", "x.example"},
		"given":   {"spf", "tree", "--record", record + " -all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dnstest.Start(t, dnstest.Zone{Name: "example", Text: zone.String()})
			s.Break("x.example", dnstest.Fault{Misdeed: dnstest.Obey})
			s.BreakAll(dnstest.Fault{Misdeed: dnstest.Drop})
			r := run(t, s.Addr(), command...)
			asked := map[string]bool{}
			for _, q := range s.Queries() {
				asked[q.Name] = true
			}
			if n := len(s.Queries()); n > 10 || asked["n1.example"] {
				t.Errorf("%d questions, also after the server is dead: %+v", n, s.Queries())
			}
			if name == "check" {
				if r.code != exitOK || !strings.HasPrefix(r.out, "temperror: ") || r.errors != "" {
					t.Errorf("%+v", r)
				}
				return
			}
			if r.code != exitError || strings.Count(r.errors, "no DNS server answers") != 1 || name == "flatten" && r.out != "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestSPFTreeAgreesWithCheck compares the counts of the tree with those of an
// evaluation in which nothing matches.
func TestSPFTreeAgreesWithCheck(t *testing.T) {
	t.Parallel()
	s := dnstest.Start(t, dnstest.Zone{Name: "example", Text: `
x     TXT "v=spf1 a:gone.example include:y.example mx include:y.example exists:no.example ?all"
x     MX 10 mail
y     TXT "v=spf1 a:mail.example include:z.example -all"
z     TXT "v=spf1 ip4:198.51.100.0/24 -all"
mail  A 192.0.2.1
mail  AAAA 2001:db8::1
`})
	want := document(t, published(t, "spf-check.schema.json"), run(t, s.Addr(), "spf", "check", "x.example", "--ip", "203.0.113.9", "--format", "json").out)
	got := document(t, published(t, "spf-tree.schema.json"), run(t, s.Addr(), "spf", "tree", "x.example", "--format", "json").out)
	if got.Lookups != want.Lookups || got.VoidLookups != want.VoidLookups || got.Lookups != 9 || got.VoidLookups != 2 {
		t.Errorf("the tree counts %d and %d void, the evaluation %d and %d", got.Lookups, got.VoidLookups, want.Lookups, want.VoidLookups)
	}
	for _, q := range s.Queries() {
		if n := s.Count(q.Name, q.Type); n > 2 { // once a command
			t.Errorf("%s %s was asked %d times", q.Name, q.Type, n)
		}
	}
}

// TestSPFFlattenAgreesWithCheck flattens a record and lets receivers evaluate
// both, at the edges of each network.
func TestSPFFlattenAgreesWithCheck(t *testing.T) {
	t.Parallel()
	zone := `
x     TXT "v=spf1 -ip4:192.0.2.7 a:mail.example/24 ?include:y.example include:z.example redirect=end.example"
y     TXT "v=spf1 ip4:198.51.100.0/25 -all"
z     TXT "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:1::/48 ~all"
end   TXT "v=spf1 ip4:203.0.113.4 ~all"
mail  A 192.0.2.1
mail  AAAA 2001:db8::1
`
	s := dnstest.Start(t, dnstest.Zone{Name: "example", Text: zone})
	flat := run(t, s.Addr(), "spf", "flatten", "x.example")
	record, err := spf.Parse(strings.TrimSuffix(flat.out, "\n"))
	if err != nil || flat.code != exitOK || strings.Contains(strings.TrimSuffix(flat.out, "\n"), "\n") {
		t.Fatalf("%+v, %v", flat, err)
	}
	if record.DirectLookups() != 0 {
		t.Errorf("%s still asks the DNS", record)
	}
	if err := s.Load(dnstest.Zone{Name: "example", Text: zone + `flat TXT "` + record.Text + `"`}); err != nil {
		t.Fatal(err)
	}
	ips := map[string]bool{"192.0.2.255": true, "192.0.3.0": true, "198.51.100.128": true, "203.0.113.5": true, "2001:db8::2": true}
	for _, term := range record.Terms {
		if term.Prefix.IsValid() {
			ips[term.Prefix.Addr().String()], ips[term.Prefix.Addr().Prev().String()] = true, true
		}
	}
	results, schema := map[string]bool{}, published(t, "spf-check.schema.json")
	for ip := range ips {
		was := document(t, schema, run(t, s.Addr(), "spf", "check", "x.example", "--ip", ip, "--format", "json").out)
		is := document(t, schema, run(t, s.Addr(), "spf", "check", "flat.example", "--ip", ip, "--format", "json").out)
		if was.Result != is.Result || is.Lookups != 0 {
			t.Errorf("%s: %s, after flattening %s with %d lookups", ip, was.Result, is.Result, is.Lookups)
		}
		results[is.Result] = true
	}
	if len(results) != 4 {
		t.Errorf("the addresses have the results %v, want all four", results)
	}
}

// TestSPFResolvers asks all servers of --resolver before those of the
// environment, however they are written.
func TestSPFResolvers(t *testing.T) {
	t.Parallel()
	s := dnstest.Start(t, dnstest.Zone{Name: "example", Text: `x TXT "v=spf1 -all"`})
	const dead = "127.0.0.1:1"
	for _, flags := range [][]string{
		{"--resolver", s.Addr()}, {"--resolver", dead, "--resolver", s.Addr()}, {"--resolver", dead + "," + s.Addr()},
	} {
		if r := run(t, dead, append([]string{"spf", "tree", "x.example"}, flags...)...); r.code != exitOK || r.errors != "" {
			t.Errorf("%v: %+v", flags, r)
		}
	}
	if r := run(t, dead+", "+s.Addr(), "spf", "tree", "x.example"); r.code != exitOK {
		t.Errorf("the environment: %+v", r)
	}
	if r := run(t, s.Addr(), "spf", "tree", "x.example", "--resolver", "127.0.0.1:no"); r.code != exitError || !strings.Contains(r.errors, "port") {
		t.Errorf("no port: %+v", r)
	}
}

// TestSPFHostileNames serves names and texts that a terminal would act on. They
// reach standard output and standard error escaped.
func TestSPFHostileNames(t *testing.T) {
	t.Parallel()
	s := dnstest.Start(t, dnstest.Zone{Name: "example", Text: `
x            TXT "v=spf1 mx exp=exp.example -all"
x            MX 10 \027]0;evil\007.example.
exp          TXT "\027[31m\226\128\174"
y            TXT "v=spf1 \027[2J \226\128\174 -all"
`})
	s.Break(`\027]0;evil\007.example`, dnstest.Fault{Misdeed: dnstest.ServFail})
	for _, args := range [][]string{
		{"check", "x.example", "--ip", "192.0.2.1"}, {"tree", "x.example"}, {"flatten", "x.example"},
		{"check", "y.example", "--ip", "192.0.2.1"}, {"tree", "y.example"}, {"flatten", "y.example"},
		{"check", "\x1b[31m.example", "--ip", "192.0.2.1"}, {"tree", "\x1b[31m.example"}, {"flatten", "\x1b[31m.example"},
		{"tree", "--record", "v=spf1 \x1b[31m"}, {"flatten", "--record", "v=spf1 \x1b[31m"},
	} {
		r := run(t, s.Addr(), append([]string{"spf"}, args...)...)
		if i := strings.IndexFunc(r.out+r.errors, func(c rune) bool { return c != '\n' && c < ' ' || c == '\u202e' }); i >= 0 {
			t.Errorf("%q prints a raw control character: %q, %q", args, r.out, r.errors)
		}
		if r.out+r.errors == "" {
			t.Errorf("%q prints nothing", args)
		}
	}
}

// TestSPFDomains takes any string for a domain; a name in Unicode is the one in
// A-labels.
func TestSPFDomains(t *testing.T) {
	t.Parallel()
	s := dnstest.Start(t, dnstest.Zone{Name: "example", Text: `xn--bcher-kva TXT "v=spf1 +all"`})
	schema, got := published(t, "spf-check.schema.json"), map[string]string{}
	want := map[string]string{"": "none", ".": "none", "example": "none", "a..example": "none", "\xff.example": "none", "🙂": "none",
		"bücher.example": "pass", "Bücher.Example.": "pass", "XN--BCHER-KVA.example.": "pass"}
	for domain := range want {
		r := run(t, s.Addr(), "spf", "check", domain, "--ip", "192.0.2.1", "--mail-from", "u@xn--bcher-kva.example", "--format", "json")
		got[domain] = document(t, schema, r.out).Result
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}
