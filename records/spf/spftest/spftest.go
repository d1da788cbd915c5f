// Package spftest reads the YAML test suites of the SPF community: the official
// one for RFC 7208 and those that follow its form. The suites say what a zone
// holds and what evaluations in it come to, so that any resolver and any door to
// the evaluation can be tested with them.
package spftest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Suite is one document of a file: a zone, and cases that are evaluated in it.
type Suite struct {
	Description string
	Cases       []Case   // by name
	Records     []Record // by owner; those of one owner in the file's order
	// Broken are the names at which every question that no record answers
	// stays open.
	Broken []string
}

// Case is one evaluation.
type Case struct {
	Name                 string
	Host, Helo, MailFrom string
	// Results are those that are right.
	Results []string
	// Explanation is empty where the case is not about it, and DEFAULT where
	// the domain's owner gives none.
	Explanation string
}

// Record is a record of the zone. The values of a TXT are its strings, those of
// an MX the preference and the host; other types have one.
type Record struct {
	Owner, Type string
	Values      []string
}

// document is a document as it stands in a file.
type document struct {
	Description string
	Tests       map[string]test
	ZoneData    map[string][]map[string]texts `yaml:"zonedata"`
}

type test struct {
	Host, Helo  string
	MailFrom    string `yaml:"mailfrom"`
	Result      texts
	Explanation string
}

// texts is one scalar or a list of them.
type texts []string

func (t *texts) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		*t = texts{n.Value}
		return nil
	}
	for _, part := range n.Content {
		*t = append(*t, part.Value)
	}
	return nil
}

// Read reads the suites of a file, such as testdata/rfc7208-tests.yml of the
// module blitiri.com.ar/go/spf.
func Read(r io.Reader) ([]Suite, error) {
	var suites []Suite
	for decoder := yaml.NewDecoder(r); ; {
		var d document
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			return suites, nil
		}
		if err != nil {
			return nil, fmt.Errorf("suite %d: %w", len(suites)+1, err)
		}
		suites = append(suites, d.suite())
	}
}

func (d document) suite() Suite {
	s := Suite{Description: d.Description}
	for name, t := range d.Tests {
		s.Cases = append(s.Cases, Case{
			Name: name, Host: t.Host, Helo: t.Helo, MailFrom: t.MailFrom, Results: t.Result, Explanation: t.Explanation,
		})
	}
	slices.SortFunc(s.Cases, func(a, b Case) int { return strings.Compare(a.Name, b.Name) })
	for name, entries := range d.ZoneData {
		s.add(name, entries)
	}
	slices.SortStableFunc(s.Records, func(a, b Record) int { return strings.Compare(a.Owner, b.Owner) })
	slices.Sort(s.Broken)
	return s
}

// add puts in what the zone has at a name. As the suites' authors have it, SPF
// entries stand for TXT records unless there are any, "TXT: NONE" among them.
func (s *Suite) add(name string, entries []map[string]texts) {
	var spf []Record
	hasTXT := false
	for _, entry := range entries {
		for kind, values := range entry {
			hasTXT = hasTXT || kind == "TXT"
			switch {
			case kind == "SPF":
				spf = append(spf, Record{name, "TXT", values})
			case kind == "TIMEOUT", kind == "SERVFAIL", kind == "CNAMELOOP":
				s.Broken = append(s.Broken, name)
			case kind != "TXT" || values[0] != "NONE":
				s.Records = append(s.Records, Record{name, kind, values})
			}
		}
	}
	if !hasTXT {
		s.Records = append(s.Records, spf...)
	}
}
