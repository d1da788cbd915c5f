package config

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// budget is what one Load may spend, shared by all of its workers.
type budget struct {
	late     atomic.Bool // the time is up
	retained atomic.Int64
	at       atomic.Pointer[hcl.Range] // what was evaluated last
	held     atomic.Int64              // roughly what the domains hold, in bytes
	full     atomic.Bool               // and that is too much
	lateOnce sync.Once
	big      sync.Mutex // held while a big piece is read
	lateAt   hcl.Range
}

// stop ends all evaluation that goes on.
func (b *budget) stop() { b.late.Store(true) }

// lateness is where the time ran out.
func (b *budget) lateness() Diagnostic {
	d := Diagnostic{Severity: Error, Summary: "Evaluation takes too long",
		Detail: fmt.Sprintf("A configuration is read and evaluated in at most %s. Look for expressions that multiply what they build, or read tenants from one CSV file with for_each.", TimeLimit)}
	if b.lateAt.Filename != "" {
		d.Source = span(b.lateAt)
	} else if at := b.at.Load(); at != nil {
		d.Source = span(*at)
	}
	return d
}

// meter counts what the expression under evaluation builds. Each worker has
// its own. A broken bound ends the one expression, in which every further step
// then gives an unknown value, so that loops run out quickly.
type meter struct {
	*budget
	spent  int64 // bytes that this expression built
	errors int
	broken bool
	why    *hcl.Diagnostic
	memo   map[memoKey]cty.Value
}

// memoKey is an attribute and what it was evaluated with.
type memoKey struct {
	*attribute
	ctx *hcl.EvalContext
}

// forget drops what was evaluated for one domain, before the next.
func (m *meter) forget() {
	if m.memo == nil {
		m.memo = make(map[memoKey]cty.Value, 64)
	}
	clear(m.memo)
}

// hold counts what a domain keeps, and reports whether it may.
func (m *meter) hold(n int) bool {
	if m.held.Add(int64(n)) > maxHeld {
		m.full.Store(true)
	}
	return !m.full.Load()
}

// holdValue counts a value of an attribute of a domain.
func (m *meter) holdValue(v cty.Value) bool {
	n, err := m.weigh(v)
	return err != nil || m.hold(n)
}

// Rough costs of what a domain is made of, in bytes.
const (
	domainCost = 600
	blockCost  = 120
)

// maxErrors is how many errors of one expression are kept, as of a loop whose
// every turn fails.
const maxErrors = 20

// begin starts a new expression.
func (m *meter) begin() {
	m.spent, m.errors, m.broken, m.why = 0, 0, false, nil
}

// step reports whether evaluation may go on to the node at r.
func (m *meter) step(r *hcl.Range) bool {
	if m.broken {
		return false
	}
	m.at.Store(r)
	if m.late.Load() {
		m.lateOnce.Do(func() { m.lateAt = *r })
		m.broken = true
		return false
	}
	return true
}

// breach ends the expression because of what it would cost.
func (m *meter) breach(r *hcl.Range, summary, detail string) {
	if !m.broken {
		m.broken = true
		m.why = &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: r}
	}
}

// failed notes errors of a node.
func (m *meter) failed(diags hcl.Diagnostics) {
	if diags.HasErrors() {
		if m.errors++; m.errors >= maxErrors {
			m.broken = true
		}
	}
}

// spend adds to what the expression built.
func (m *meter) spend(r *hcl.Range, n int) bool {
	if m.spent += int64(n); m.spent > maxWeight {
		m.breach(r, "Expression builds too much", fmt.Sprintf("One expression may build some %d MiB. Build less at once, or read less.", maxWeight>>20))
		return false
	}
	return true
}

// effect says how the value of a node comes about, and so what it costs.
type effect uint8

const (
	refers effect = iota // to a value that exists already
	builds               // a new string, number or collection of existing values
	copies               // a new value all the way down
	calls                // a function, which may copy
)

// take checks a value that a node has built and counts it.
func (m *meter) take(r *hcl.Range, v cty.Value, how effect) bool {
	if how == refers {
		return true
	}
	n, err := m.weigh(v)
	if err != nil {
		m.breach(r, "Value too large", sentence(err))
		return false
	}
	if how == calls && textLen(v) > maxString {
		m.breach(r, "String too long", tooLongString)
		return false
	}
	if how == builds {
		n = shallow(v)
	}
	return m.spend(r, n)
}

// shallow is the weight of a value without what its elements weigh.
func shallow(v cty.Value) int {
	if v.IsKnown() && !v.IsNull() && v.CanIterateElements() {
		return valueCost + v.LengthInt()*(valueCost+keyCost)
	}
	return valueCost + textLen(v)
}

// keep counts a value that stays until the end, as that of a local does.
func (m *meter) keep(v cty.Value) error {
	n, err := m.weigh(v)
	if err != nil {
		return err
	}
	if m.retained.Add(int64(n)) > maxRetained {
		return fmt.Errorf("all locals together may hold some %d MiB; this one is beyond that", maxRetained>>20)
	}
	return nil
}

// Rough costs of a value in memory, in bytes.
const (
	valueCost = 48
	keyCost   = 48
)

// weigh estimates the size of a value as if nothing in it were shared, which
// is what a walk over it costs. It stops at the first broken bound.
func (m *meter) weigh(v cty.Value) (int, error) {
	w := weigher{late: &m.late}
	err := w.add(v, 0)
	return w.total, err
}

type weigher struct {
	late  *atomic.Bool
	total int
}

func (w *weigher) add(v cty.Value, depth int) error {
	w.total += valueCost
	if v.IsNull() || !v.IsKnown() {
		return nil
	}
	switch ty := v.Type(); {
	case ty == cty.String:
		n := len(v.AsString())
		w.total += n
		if n > maxFile {
			return fmt.Errorf("a string has at most %d MiB", maxFile>>20)
		}
		return nil
	case ty == cty.Number:
		return checkNumber(v)
	case ty.IsPrimitiveType() || !v.CanIterateElements():
		return nil
	}
	return w.addElements(v, depth+1)
}

func (w *weigher) addElements(v cty.Value, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("values may be nested %d deep", maxDepth)
	}
	if n := v.LengthInt(); n > maxElements {
		return fmt.Errorf("a collection has at most %d elements, this one has %d", maxElements, n)
	}
	keyed := v.Type().IsObjectType() || v.Type().IsMapType()
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if keyed {
			w.total += keyCost + len(k.AsString())
		}
		if err := w.add(e, depth); err != nil {
			return err
		}
		if w.total > maxWeight {
			return fmt.Errorf("a value may take some %d MiB; shared parts count each time", maxWeight>>20)
		}
		if w.late != nil && w.late.Load() {
			return nil
		}
	}
	return nil
}

// checkNumber refuses numbers whose decimal text would be endless, such as
// 1e999999999.
func checkNumber(v cty.Value) error {
	f := v.AsBigFloat()
	if f.Sign() == 0 {
		return nil
	}
	if e := f.MantExp(nil); f.IsInf() || e > maxExponent || e < -maxExponent {
		return fmt.Errorf("numbers lie between about 1e-331 and 1e331")
	}
	return nil
}

// sentence turns the text of an error into one.
func sentence(err error) string {
	text := err.Error()
	r, n := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(r)) + text[n:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
