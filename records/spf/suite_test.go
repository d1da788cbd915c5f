package spf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// suite is a document of the YAML test suites of the SPF community.
type suite struct {
	Description string
	Tests       map[string]suiteCase
	ZoneData    map[string][]map[string]yaml.Node `yaml:"zonedata"`
}

type suiteCase struct {
	Helo, Host  string
	MailFrom    string `yaml:"mailfrom"`
	Result      texts
	Explanation string
}

// texts is one string or a list of strings.
type texts []string

func (t *texts) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]string)(t))
	}
	*t = texts{n.Value}
	return nil
}

// readSuites reads a file of the test data of blitiri.com.ar/go/spf, which
// carries the official suite. That module is a dependency of the tests.
func readSuites(t *testing.T, file string) []suite {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "blitiri.com.ar/go/spf").Output()
	if err != nil {
		t.Fatalf("find the module with the test suites: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var suites []suite
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var s suite
		err := decoder.Decode(&s)
		if errors.Is(err, io.EOF) {
			return suites
		}
		if err != nil {
			t.Fatal(err)
		}
		suites = append(suites, s)
	}
}

// zone builds the suite's zone. As its authors have it, SPF entries stand for
// TXT records unless there are any, "TXT: NONE" among them, and TIMEOUT makes
// those types fail that have no records.
func (s *suite) zone(t *testing.T) *zone {
	t.Helper()
	z := newZone(t)
	for name, entries := range s.ZoneData {
		h := z.host(name)
		var spf []string
		none := false
		for _, entry := range entries {
			for kind, value := range entry {
				none = none || kind == "TXT" && value.Value == "NONE"
				if kind == "SPF" {
					spf = append(spf, joined(&value))
				} else if value.Value != "NONE" {
					h.addEntry(t, kind, &value)
				}
			}
		}
		if len(h.txt) == 0 && !none {
			h.txt = spf
		}
	}
	return z
}

// joined is the text of a TXT record given as one string or several.
func joined(n *yaml.Node) string {
	text := n.Value
	for _, part := range n.Content {
		text += part.Value
	}
	return text
}

func (h *host) addEntry(t *testing.T, kind string, value *yaml.Node) {
	t.Helper()
	switch kind {
	case "TXT":
		h.txt = append(h.txt, joined(value))
	case "MX":
		h.mx = append(h.mx, value.Content[1].Value)
	case "PTR":
		h.ptr = append(h.ptr, value.Value)
	case "CNAME":
		h.cname = &value.Value
	case "A", "AAAA":
		h.addAddresses(t, []string{value.Value})
	case "TIMEOUT", "SERVFAIL", "CNAMELOOP":
		h.broken = true
	default:
		t.Fatalf("the suite has an entry of an unknown kind %q", kind)
	}
}

// run evaluates a case and returns what is wrong with the verdict, if anything.
func (c *suiteCase) run(t *testing.T, z *zone) string {
	t.Helper()
	ip, err := netip.ParseAddr(c.Host)
	if err != nil {
		t.Fatal(err)
	}
	got := Check(t.Context(), z, Query{IP: ip, Sender: c.MailFrom, Helo: c.Helo})
	if !slices.Contains(c.Result, string(got.Result)) {
		return fmt.Sprintf("result %s (%s), want %v", got.Result, got.Problem, c.Result)
	}
	want := c.Explanation
	if want == "DEFAULT" { // the receiver's own text, which is the caller's matter
		want = ""
	}
	if c.Explanation != "" && got.Explanation != want {
		return fmt.Sprintf("explanation %q, want %q", got.Explanation, want)
	}
	return ""
}

// runSuites evaluates all cases of a file. A deviation, keyed by case, must
// have exactly the given result.
func runSuites(t *testing.T, file string, prepare func(*suite), deviations map[string]Result) (passed, total int) {
	t.Helper()
	for _, s := range readSuites(t, file) {
		if prepare != nil {
			prepare(&s)
		}
		z := s.zone(t)
		for name, c := range s.Tests {
			total++
			key := s.Description + "/" + name
			if s.Description == "" {
				key = name
			}
			if result, ok := deviations[key]; ok {
				c.Result = texts{string(result)}
				delete(deviations, key)
			} else {
				passed++
			}
			if fault := c.run(t, z); fault != "" {
				passed--
				t.Errorf("%s: %s", key, fault)
			}
		}
	}
	for key := range deviations {
		t.Errorf("%s: no such case", key)
	}
	return passed, total
}

// TestRFC7208Suite runs the official suite, explanations included.
func TestRFC7208Suite(t *testing.T) {
	t.Parallel()
	passed, total := runSuites(t, "rfc7208-tests.yml", nil, nil)
	t.Logf("%d of %d", passed, total)
	fmt.Printf("RFC 7208 suite: %d of %d\n", passed, total)
	if passed != 203 || total != 203 {
		t.Errorf("%d of %d cases pass, want 203 of 203", passed, total)
	}
}

func TestPySPFSuite(t *testing.T) {
	t.Parallel()
	passed, total := runSuites(t, "pyspf-tests.yml", nil, map[string]Result{
		// pyspf's lax mode knows the modifier default= of drafts before RFC
		// 4408. The official suite wants it ignored (default-modifier-obsolete).
		"default-modifier": ResultNeutral,
		// "ambiguous" is pyspf's own result for that modifier in its harsh mode.
		"default-modifier-harsh": ResultNeutral,
	})
	t.Logf("%d of %d", passed, total)
}

// Many cases of this suite use names of one label, which can have no record
// (RFC 7208 section 4.3) and are a syntax error in a term (section 7.1). They
// are about other things, so the names are completed first.
func TestBlitiriSuite(t *testing.T) {
	t.Parallel()
	passed, total := runSuites(t, "blitirispf-tests.yml", (*suite).qualify, map[string]Result{
		// Ten mx terms whose hosts all lack addresses. The suite counts the MX
		// question alone; RFC 7208 section 4.6.4 counts terms whose queries
		// came to nothing, and an mx asks for addresses as well.
		"MX resolution limits/mx-resolution-10-terms": ResultPermError,
	})
	t.Logf("%d of %d", passed, total)
}

var singleLabels = regexp.MustCompile(`((?:include|a|mx|exists|ptr):|redirect=|@|^)([a-z0-9-]+)( |$)`)

// qualify appends a top-level domain to all names of a single label.
func (s *suite) qualify() {
	complete := func(text string) string {
		// Twice, since neighbours share the space between them.
		once := singleLabels.ReplaceAllString(text, "$1$2.test$3")
		return singleLabels.ReplaceAllString(once, "$1$2.test$3")
	}
	for name, c := range s.Tests {
		if c.MailFrom != "" {
			c.MailFrom = complete(c.MailFrom)
			s.Tests[name] = c
		}
	}
	zoneData := s.ZoneData
	s.ZoneData = map[string][]map[string]yaml.Node{}
	for name, entries := range zoneData {
		for _, entry := range entries {
			for kind, value := range entry {
				switch kind {
				case "MX":
					value.Content[1].Value = complete(value.Content[1].Value)
				case "SPF", "TXT":
					value.Value = complete(value.Value)
				}
				entry[kind] = value
			}
		}
		s.ZoneData[complete(name)] = entries
	}
}
