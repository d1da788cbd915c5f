package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// changeID digests what makes a change this change.
func changeID(domain records.Name, c Change) string {
	h := sha256.New()
	for _, part := range []any{domain, c.Name, c.Type, c.Step, c.Before, c.After} {
		b, err := json.Marshal(part)
		if err != nil {
			// Names, types and sets marshal always: they are strings and numbers.
			b = []byte(err.Error())
		}
		h.Write(b)
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Seal completes a plan: domains and findings in their order, the summary, the
// longest times, and the id, which is a digest of everything else.
func Seal(p Plan) (Plan, error) {
	p.FormatVersion = FormatVersion
	slices.SortFunc(p.Domains, func(a, b Domain) int { return cmp.Compare(a.Name, b.Name) })
	p.Summary, p.MaxExposure, p.MaxMistake = Summary{Domains: len(p.Domains)}, 0, 0
	for i := range p.Domains {
		d := &p.Domains[i]
		d.Changes = orEmpty(d.Changes)
		d.Findings = orEmpty(d.Findings)
		d.Unmanaged = orEmpty(d.Unmanaged)
		slices.SortFunc(d.Changes, compareChanges)
		for _, c := range d.Changes {
			p.count(c)
		}
		for _, f := range d.Findings {
			p.Summary.find(f)
		}
	}
	var err error
	p.ID, err = digest(p)
	return p, err
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func (p *Plan) count(c Change) {
	s := &p.Summary
	switch c.Action {
	case ActionCreate:
		s.Create++
	case ActionUpdate:
		s.Update++
	case ActionDelete:
		s.Delete++
	case ActionTTL:
		s.TTL++
	}
	switch c.State {
	case Ready:
		s.Ready++
	case Waiting:
		s.Waiting++
	case Held:
		s.Held++
		return
	}
	p.MaxExposure = max(p.MaxExposure, c.Exposure)
	p.MaxMistake = max(p.MaxMistake, c.Mistake)
}

func (s *Summary) find(f Finding) {
	switch f.Severity {
	case SeverityError:
		s.Errors++
	case SeverityWarning:
		s.Warnings++
	case SeverityInfo:
	}
}

// ErrAltered says that a plan file is not what was written.
var ErrAltered = errors.New("the plan file was altered after it was made: make a new one with `maildns plan -o FILE`")

// Decode reads a saved plan. It refuses one of another major version, an
// altered one, and anything that is no plan.
func Decode(b []byte) (Plan, error) {
	var head struct {
		FormatVersion string `json:"format_version"`
		Kind          string `json:"kind"`
		ID            string `json:"id"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return Plan{}, fmt.Errorf("this is no plan file: %w", err)
	}
	if head.Kind != KindPlan {
		return Plan{}, fmt.Errorf("this is no plan file: its kind is %q, expected %q", head.Kind, KindPlan)
	}
	if err := checkVersion(head.FormatVersion); err != nil {
		return Plan{}, err
	}
	id, err := digestOf(b)
	if err != nil {
		return Plan{}, err
	}
	if id != head.ID {
		return Plan{}, ErrAltered
	}
	var p Plan
	if err := json.Unmarshal(b, &p); err != nil {
		return Plan{}, fmt.Errorf("reading the plan file: %w", err)
	}
	return p, nil
}

func checkVersion(v string) error {
	major, _, _ := strings.Cut(v, ".")
	own, _, _ := strings.Cut(FormatVersion, ".")
	if major != own {
		return fmt.Errorf("the plan file has format version %q and this maildns reads %s.x: make a new plan with this version", v, own)
	}
	return nil
}
