package config

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// senders evaluates the sender blocks of a domain, in source order.
func (s scope) senders(d *records.Domain, types *recipes) []made {
	var out []made
	for i, b := range s.all("sender") {
		if i == maxSenders {
			s.report(b.rng, "Too many senders", "A domain has at most %d senders.", maxSenders)
			break
		}
		if m, ok := s.of(b).sender(d, types); ok {
			out = append(out, m)
		}
	}
	return out
}

// authorised are the SPF terms that senders need in the domain's own record, in
// an order that doesn't depend on the source.
func authorised(senders []made) []spf.Term {
	var out []spf.Term
	for _, m := range bySender(senders) {
		out = append(out, m.terms...)
	}
	return once(out)
}

// once drops terms that stand in a list before.
func once(terms []spf.Term) []spf.Term {
	seen := make(map[string]bool, len(terms))
	return slices.DeleteFunc(terms, func(t spf.Term) bool {
		key := t.Key()
		again := seen[key]
		seen[key] = true
		return again
	})
}

// bySender orders senders by what they are, so that their place in the source
// doesn't matter.
func bySender(senders []made) []made {
	out := slices.Clone(senders)
	slices.SortStableFunc(out, func(a, b made) int { return compareSenders(a.Sender, b.Sender) })
	return out
}

func compareSenders(a, b records.Sender) int {
	return cmp.Or(
		cmp.Compare(a.Type, b.Type),
		cmp.Compare(a.MailFrom, b.MailFrom),
		slices.Compare(a.Selectors, b.Selectors),
		slices.Compare(a.From, b.From),
		slices.Compare(a.SignsAs, b.SignsAs),
		compareBools(a.SharedIP, b.SharedIP),
		slices.CompareFunc(a.ReturnPath, b.ReturnPath, records.Key.Compare),
		slices.CompareFunc(a.SPF, b.SPF, func(a, b records.SenderSPF) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Term, b.Term))
		}),
	)
}

// spfOrder is the order of mechanisms in a record: those that need no lookup
// first, so that receivers may end before the others (RFC 7208 4.6.4).
var spfOrder = []spf.Kind{spf.IP4, spf.IP6, spf.A, spf.MX, spf.PTR, spf.Include, spf.Exists}

// mergeSPF puts the terms that senders need among those of the spf block: before
// its own of the same kind. A term that the block has stays where it has it
// (R05).
func mergeSPF(own, senders []spf.Term) []spf.Term {
	in := make(map[string]bool, len(own))
	for _, t := range own {
		in[t.Key()] = true
	}
	out := slices.DeleteFunc(slices.Clone(senders), func(t spf.Term) bool { return in[t.Key()] })
	out = append(out, own...)
	slices.SortStableFunc(out, func(a, b spf.Term) int {
		return cmp.Compare(slices.Index(spfOrder, a.Kind), slices.Index(spfOrder, b.Kind))
	})
	return out
}

// addSenders puts what senders make into the domain. A domain without an spf
// block gets an SPF record where its senders need one.
func (s scope) addSenders(d *records.Domain, senders []made) {
	a := adder{domain: d, selectors: map[string]records.Source{}, values: map[single]bool{}}
	for _, k := range d.DKIM {
		a.selectors[k.Selector] = k.Source
	}
	for _, m := range senders {
		a.add(m)
	}
	ordered := bySender(senders)
	for i, m := range ordered {
		if i > 0 && m.bare() && ordered[i-1].bare() && compareSenders(ordered[i-1].Sender, m.Sender) == 0 {
			m.at.report(m.at.rng, "Sender declared twice", "The same sender is at %s already. Delete one of the two.", place(ordered[i-1].Source))
		}
		d.Senders = append(d.Senders, m.Sender)
	}
	if terms := authorised(senders); d.SPF == nil && len(terms) > 0 {
		terms = append(mergeSPF(nil, terms), spf.Term{Kind: spf.All, Qualifier: spf.SoftFail})
		d.SPF = &records.SPF{Record: spf.New(terms...), Source: firstAuthorised(senders)}
	}
}

// bare reports whether a sender makes nothing that another one can't make too.
func (m made) bare() bool { return len(m.dkim)+len(m.mx)+len(m.free) == 0 }

// firstAuthorised is where the first sender stands that needs SPF terms.
func firstAuthorised(senders []made) records.Source {
	for _, m := range senders {
		if len(m.terms) > 0 {
			return m.Source
		}
	}
	return records.Source{}
}

// adder puts the records of one sender after the other into a domain. Two
// senders may share a record, such as the MX of a return path; a selector
// belongs to one of them.
type adder struct {
	domain    *records.Domain
	selectors map[string]records.Source
	values    map[single]bool // those of the senders before
}

// single is one value of a record set.
type single struct {
	key  records.Key
	text records.Value
}

func (a *adder) add(m made) {
	for _, k := range m.dkim {
		a.addSelector(m, k)
	}
	for _, x := range m.mx {
		if x.Source = m.Source; a.isNew(records.Key{Name: a.domain.Name, Type: records.TypeMX}, x.Value()) {
			a.domain.MX = append(a.domain.MX, x)
		}
	}
	for _, f := range m.free {
		f.Values = slices.DeleteFunc(f.Values, func(v records.Value) bool { return !a.isNew(f.Key, v) })
		if f.Source = m.Source; len(f.Values) > 0 {
			a.domain.Free = append(a.domain.Free, f)
		}
	}
}

// isNew reports whether no sender has made a value before.
func (a *adder) isNew(key records.Key, text records.Value) bool {
	again := a.values[single{key, text}]
	a.values[single{key, text}] = true
	return !again
}

// addSelector adds a selector. One that is taken is an error that names both
// places.
func (a *adder) addSelector(m made, k records.DKIM) {
	if earlier, taken := a.selectors[k.Selector]; taken && k.Selector != "" {
		m.at.note(Diagnostic{Severity: Error, Summary: "Selector declared twice", Source: span(m.at.rng),
			Detail: fmt.Sprintf("%s makes the DKIM selector %q, which is at %s already. Delete one of the two, or give one of them another selector.", m.at.title(), k.Selector, place(earlier))})
		return
	}
	a.selectors[k.Selector] = m.Source
	k.Source = m.Source
	a.domain.DKIM = append(a.domain.DKIM, k)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
