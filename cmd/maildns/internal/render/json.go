package render

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/attunelogic/maildns/plan"
)

// writeJSON is the format for programs: two-space indent, no HTML escapes, a
// final newline, lists that are never null. What a terminal would act on is
// written as \uXXXX, which reads back as the same text.
func writeJSON(w io.Writer, report any, _ Options) error {
	switch r := report.(type) {
	case *plan.Plan:
		return streamPlan(w, r)
	case *ByHand:
		return streamPlan(w, &r.Plan)
	case *Rollback:
		return encode(w, r.filled())
	case *Points:
		return encode(w, r.filled())
	case *Result:
		return encode(w, r.filled())
	case *History:
		return encode(w, r.filled())
	case *Validation:
		return encode(w, r.filled())
	case *SPFCheck:
		return encode(w, r.filled())
	case *SPFTree:
		return encode(w, r.filled())
	case *ProviderCheck:
		return encode(w, r.filled())
	default:
		return UnknownReportError{report}
	}
}

// encode writes one document.
func encode(w io.Writer, document any) error {
	b, err := indented(document, "")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// indented is a value's JSON without a final newline; its lines after the
// first begin with prefix.
func indented(v any, prefix string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return harmless(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// streamPlan writes a plan domain by domain, so that one of ten thousand
// domains doesn't stand in memory as text. Domains is the last field of a plan.
func streamPlan(out io.Writer, p *plan.Plan) error {
	head := *p
	head.Domains = []plan.Domain{}
	if len(p.Domains) == 0 {
		return encode(out, head)
	}
	b, err := indented(head, "")
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	_, _ = w.Write(bytes.TrimSuffix(b, []byte("]\n}")))
	for i := range p.Domains {
		b, err := indented(filledDomain(p.Domains[i]), "    ")
		if err != nil {
			return err
		}
		if i > 0 {
			_ = w.WriteByte(',')
		}
		_, _ = w.WriteString("\n    ")
		_, _ = w.Write(b)
	}
	_, _ = w.WriteString("\n  ]\n}\n")
	return w.Flush() // the first error of all these writes
}

// harmless writes what a terminal would act on in a string as \uXXXX: the
// control characters that JSON lets stand, and bidirectional ones.
func harmless(b []byte) []byte {
	if !bytes.ContainsFunc(b, hides) {
		return b
	}
	out := make([]byte, 0, len(b)+64)
	for _, r := range string(b) {
		switch {
		case !hides(r):
			out = append(out, string(r)...)
		case r > 0xffff:
			hi, lo := 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

func hides(r rune) bool { return r >= 0x7f && unsafeRune(r) }

// The filled copies have empty lists where the originals have none.

func some[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// each returns a copy of s with f done to every element.
func each[T any](s []T, f func(T) T) []T {
	out := make([]T, len(s))
	for i := range s {
		out[i] = f(s[i])
	}
	return out
}

func filledDomain(d plan.Domain) plan.Domain {
	d.Changes = each(d.Changes, filledChange)
	d.Findings = some(d.Findings)
	d.Unmanaged = each(d.Unmanaged, func(u plan.Unmanaged) plan.Unmanaged {
		u.Values = some(u.Values)
		return u
	})
	return d
}

func filledChange(c plan.Change) plan.Change {
	c.Before, c.After, c.Declared = filledSet(c.Before), filledSet(c.After), filledSet(c.Declared)
	c.Gates, c.Meaning = some(c.Gates), some(c.Meaning)
	return c
}

func filledSet(s *plan.Set) *plan.Set {
	if s == nil || s.Values != nil {
		return s
	}
	return &plan.Set{TTL: s.TTL, Values: some(s.Values)}
}

func (r Rollback) filled() Rollback {
	r.Domains = each(r.Domains, filledDomain)
	r.Targets = some(r.Targets)
	r.Kept = each(r.Kept, func(k Kept) Kept {
		k.Values = some(k.Values)
		return k
	})
	r.Conflicts = each(r.Conflicts, func(c Conflict) Conflict {
		c.Left, c.Live, c.Target = filledSet(c.Left), filledSet(c.Live), filledSet(c.Target)
		return c
	})
	return r
}

func (r Points) filled() Points {
	r.Points = each(r.Points, func(t Point) Point {
		t.Domains = some(t.Domains)
		t.Restores = each(t.Restores, func(c Restored) Restored {
			c.Change = filledChange(c.Change)
			return c
		})
		return t
	})
	return r
}

func (r Result) filled() Result {
	r.Domains = each(r.Domains, func(d ResultDomain) ResultDomain {
		d.Applied = each(d.Applied, filledChange)
		d.Waiting = each(d.Waiting, filledChange)
		d.Held = each(d.Held, filledChange)
		d.Failed = each(d.Failed, func(f Failed) Failed {
			f.Change = filledChange(f.Change)
			return f
		})
		return d
	})
	if r.Aftermath != nil {
		a := r.Aftermath.filled()
		r.Aftermath = &a
	}
	return r
}

func (a Aftermath) filled() Aftermath {
	a.Bad = each(a.Bad, func(b Bad) Bad {
		b.Values = some(b.Values)
		return b
	})
	a.PolicyFiles, a.Notified, a.NotNotified = some(a.PolicyFiles), some(a.Notified), some(a.NotNotified)
	return a
}

func (r History) filled() History {
	r.Damage = some(r.Damage)
	r.Entries = each(r.Entries, func(e Entry) Entry {
		e.Domains, e.Overrides = some(e.Domains), some(e.Overrides)
		e.Changes = each(e.Changes, filledChange)
		return e
	})
	return r
}

func (r Validation) filled() Validation {
	r.Diagnostics = some(r.Diagnostics)
	return r
}
