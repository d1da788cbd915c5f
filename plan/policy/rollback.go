package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// undone is a change that a rollback undid and that would come back.
type undone struct {
	key            records.Key
	added, removed []string // the parts that come back
	by             plan.RolledBack
}

func (u undone) none() bool { return len(u.added)+len(u.removed) == 0 }

// words say which rollback undid it.
func (u undone) words() string {
	return fmt.Sprintf("a rollback undid this on %s (run %s)", u.by.At.At.Format(time.DateOnly), u.by.Run)
}

// rolledBack takes back what a rollback has undone, as far as the declaration
// still asks for it; other changes of the set go on.
func (c *court) rolledBack(v *verdict) {
	if len(c.Past.HoldsOf(c.Domain.Name)) == 0 {
		return
	}
	for _, key := range c.keys(v.today...) {
		holds := c.holds(key)
		if len(holds) == 0 {
			continue
		}
		c.keepHolds(v, key, holds)
		u := c.undone(key, valuesAt(v.today, key), holds)
		if !u.none() {
			c.takeBack(v, u)
		}
	}
}

func (c *court) holds(key records.Key) []plan.RolledBack {
	var out []plan.RolledBack
	for _, h := range c.Past.HoldsOf(c.Domain.Name) {
		if h.Kind == c.kind && h.Name == key.Name && h.Type == key.Type {
			out = append(out, h)
		}
	}
	return out
}

// undone compares what would change at a key with what was rolled back there.
func (c *court) undone(key records.Key, after []records.Value, holds []plan.RolledBack) undone {
	old, now := records.Parts(c.kind, c.values(key)), records.Parts(c.kind, after)
	u := undone{key: key}
	for _, h := range holds {
		one := undone{added: common(minus(now, old), h.Added), removed: common(minus(old, now), h.Removed)}
		if c.kind == records.KindDMARC && len(after) == 0 && len(h.Added) > 0 {
			one.removed = nil // a record that goes is another change than one of its tags
		}
		if one.none() {
			continue
		}
		u.by = h
		u.added = append(u.added, one.added...)
		u.removed = append(u.removed, one.removed...)
	}
	return u
}

// keepHolds remembers the holds whose change the declaration still contains:
// today, behind a gate or in the end.
func (c *court) keepHolds(v *verdict, key records.Key, holds []plan.RolledBack) {
	wanted := [][]records.Value{valuesAt(v.today, key), valuesAt(c.want, key)}
	for _, g := range v.held {
		if g.Key == key {
			wanted = append(wanted, g.After)
		}
	}
	for _, h := range holds {
		if slices.ContainsFunc(wanted, func(after []records.Value) bool {
			return !c.undone(key, after, []plan.RolledBack{h}).none()
		}) {
			v.holds = append(v.holds, h)
		}
	}
}

func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

func common(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}

// takeBack asks the gate about an undone change and, where it holds, leaves
// that part of the set as it is live. What was to make room for a part that does
// not come stays as well.
func (c *court) takeBack(v *verdict, u undone) {
	g := c.ask(GateRolledBack, u.key, u.words())
	full := valuesAt(v.today, u.key)
	gated := plan.Gated{Kind: c.kind, Key: u.key, After: full, Gates: []plan.GateVerdict{g}}
	if g.Opens() {
		v.passed = append(v.passed, gated)
		return
	}
	left := c.leftOf(full, u)
	others := slices.DeleteFunc(slices.Clone(v.today), func(d records.Declared) bool { return d.Key == u.key })
	for _, value := range left {
		others = append(others, c.declared(v.today, u.key, value))
	}
	v.today = others
	if slices.Equal(left, c.values(u.key)) {
		// What other gates hold would come after this change: it is told then.
		v.held = slices.DeleteFunc(v.held, func(h plan.Gated) bool { return h.Key == u.key })
	}
	v.held = append(v.held, gated)
	for i := range v.passed {
		if v.passed[i].Key == u.key {
			v.passed[i].After = left
		}
	}
}

// declared is a value with the TTL and the place of what was declared there.
func (c *court) declared(list []records.Declared, key records.Key, value records.Value) records.Declared {
	out := records.Declared{Kind: c.kind, Key: key, Value: value, Source: c.Domain.Source}
	for _, d := range list {
		if d.Key == key {
			out.TTL, out.Source = d.TTL, d.Source
		}
	}
	return out
}

// leftOf is what of the new values may be published when the undone parts are
// taken back: term by term for SPF, host by host for MX, tag by tag for DMARC,
// else nothing new.
func (c *court) leftOf(full []records.Value, u undone) []records.Value {
	live := c.values(u.key)
	switch {
	case c.kind == records.KindSPF && len(live) == 1 && len(full) == 1:
		return spfLeft(live[0], full[0], u)
	case c.kind == records.KindMX:
		return mxLeft(live, full, u)
	case c.kind == records.KindDMARC:
		return dmarcLeft(live, full, u)
	default:
		return live
	}
}

func spfLeft(live, full records.Value, u undone) []records.Value {
	old, _ := spf.ParseLoose(string(live))
	now, err := spf.Parse(string(full))
	if err != nil {
		return []records.Value{live}
	}
	undone := func(t spf.Term) bool { return slices.Contains(u.added, records.SPFPart(t)) }
	terms := slices.DeleteFunc(slices.Clone(now.Terms), undone)
	back := slices.DeleteFunc(old.Live(), func(t spf.Term) bool {
		return isEnd(t) || len(u.added) == 0 && !slices.Contains(u.removed, records.SPFPart(t))
	})
	if slices.ContainsFunc(now.Terms, func(t spf.Term) bool { return isEnd(t) && undone(t) }) ||
		slices.ContainsFunc(old.Terms, func(t spf.Term) bool { return isEnd(t) && slices.Contains(u.removed, records.SPFPart(t)) }) {
		// The end is one thing: it stays as it is live.
		end := slices.DeleteFunc(slices.Clone(old.Terms), func(t spf.Term) bool { return !isEnd(t) })
		terms = slices.DeleteFunc(terms, func(t spf.Term) bool { return isEnd(t) || slices.ContainsFunc(end, same(t)) })
		terms = append(terms, end...)
	}
	return []records.Value{sameWords(live, unite(spf.New(terms...), back))}
}

// sameWords is a record as it is live where it says the same in another order,
// so that nothing is written for the order alone.
func sameWords(live records.Value, r *spf.Record) records.Value {
	value := records.Value(r.String())
	ordered := slices.ContainsFunc(r.Live(), func(t spf.Term) bool { return t.Kind != spf.All && t.Qualifier != spf.Pass })
	if !ordered && slices.Equal(records.Parts(records.KindSPF, []records.Value{value}), records.Parts(records.KindSPF, []records.Value{live})) {
		return live
	}
	return value
}

// mxLeft keeps the live hosts that would make room for a host that does not
// come. A null MX stands alone (RFC 7505 3).
func mxLeft(live, full []records.Value, u undone) []records.Value {
	out := slices.DeleteFunc(slices.Clone(full), func(v records.Value) bool { return slices.Contains(u.added, string(v)) })
	for _, v := range live {
		mx, err := records.ParseMX(v)
		stays := slices.Contains(u.removed, string(v)) || len(u.added) > 0 && !slices.ContainsFunc(out, func(o records.Value) bool {
			other, err := records.ParseMX(o)
			return err == nil && other.Host == mx.Host
		})
		if err == nil && stays && (!mx.Null() || len(out) == 0) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	if len(out) > 1 && slices.Contains(out, records.NullMX) {
		return live
	}
	return out
}

// dmarcLeft takes the undone tags from the live record; those of the policy move
// together.
func dmarcLeft(live, full []records.Value, u undone) []records.Value {
	old, exists := soleDMARC(live)
	left, stays := soleDMARC(full)
	if !exists || !stays || len(full) != 1 {
		return live
	}
	for _, p := range slices.Concat(u.added, u.removed) {
		switch tag, _, _ := strings.Cut(p, "="); tag {
		case "p", "sp", "np", "pct", "t":
			left = withPolicy(withOther(left, old.Other), old)
		case "adkim":
			left.ADKIM = old.ADKIM
		case "aspf":
			left.ASPF = old.ASPF
		case "rua":
			left.RUA = old.RUA
		case "ruf":
			left.RUF = old.RUF
		case "fo":
			left.FO = old.FO
		default:
			return live
		}
	}
	if slices.Equal(records.Parts(records.KindDMARC, live), records.Parts(records.KindDMARC, []records.Value{left.Value()})) {
		return live
	}
	return []records.Value{left.Value()}
}

// passTerms lists the terms of an SPF record that authorise someone.
func passTerms(v records.Value) []string {
	if !spf.IsSPF(string(v)) {
		return nil
	}
	r, _ := spf.ParseLoose(string(v))
	var out []string
	for _, t := range r.Live() {
		if t.Qualifier == spf.Pass {
			out = append(out, "SPF "+t.Key())
		}
	}
	return out
}
