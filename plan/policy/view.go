package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// view is one side of a domain: what it declares, or what is live at its names.
// What it holds is parsed once for all rules. It is not safe for concurrent use.
type view struct {
	*Subject
	about  plan.About
	values []stated // ordered by key and value

	spfs    memo[spfStated]
	dkims   memo[dkimStated]
	dmarcs  memo[dmarcStated]
	stss    memo[stsStated]
	tlsrpts memo[tlsrptStated]
	bimis   memo[bimiStated]
	mxs     memo[mxStated]
}

// stated is one value of a view.
type stated struct {
	records.Declared
	both bool // declared and live alike
}

// What the values of each kind say. An err says why receivers can't use one;
// what could be read is there all the same. Declared values of a kind stand
// wherever the domain publishes them; live ones at its names.
type (
	spfStated struct {
		*stated
		record *spf.Record // as far as it can be read; never nil
		err    error
	}
	dkimStated struct {
		*stated
		selector string
		cname    records.Name // an alias; then there is no key
		key      records.DKIMKey
		bits     int // of the key, 0 where there is none
		err      error
	}
	dmarcStated struct {
		*stated
		record records.DMARCRecord
		err    error
	}
	stsStated struct {
		*stated
		record records.STSRecord
		err    error
	}
	tlsrptStated struct {
		*stated
		record records.TLSRPTRecord
		err    error
	}
	bimiStated struct {
		*stated
		record records.BIMIRecord
		err    error
	}
	mxStated struct {
		*stated
		mx records.MX
	}
)

// memo keeps what was parsed.
type memo[T any] struct {
	list []T
	done bool
}

func (m *memo[T]) of(v *view, k records.Kind, parse func(*stated) (T, bool)) []T {
	if m.done {
		return m.list
	}
	m.done = true
	for i := range v.values {
		if v.values[i].Kind != k {
			continue
		}
		if one, ok := parse(&v.values[i]); ok {
			m.list = append(m.list, one)
		}
	}
	return m.list
}

// declaredView is what the domain declares in the end, with what of the ramp is
// published today. It is made once.
func (s *Subject) declaredView() *view {
	if s.sides[0] != nil {
		return s.sides[0]
	}
	v := &view{Subject: s, about: plan.AboutDeclared, values: make([]stated, 0, len(s.Today.Declared)+1)}
	for _, d := range s.Today.Declared {
		v.values = append(v.values, stated{d, s.isLive(d.Key, d.Value)})
	}
	for _, d := range s.Today.Values {
		if d.Kind == records.KindDMARC && !s.isLive(d.Key, d.Value) && !slices.ContainsFunc(s.Today.Declared, func(o records.Declared) bool { return o.Key == d.Key && o.Value == d.Value }) {
			v.values = append(v.values, stated{Declared: d})
		}
	}
	v.sort()
	s.sides[0] = v
	return v
}

// liveView is what is live at the domain's names. It is made once.
func (s *Subject) liveView() *view {
	if s.sides[1] != nil {
		return s.sides[1]
	}
	v := &view{Subject: s, about: plan.AboutLive}
	declared := s.declaredView()
	for _, set := range s.Here {
		for _, value := range set.Values {
			kind, ok := records.KindAt(set.Key, value)
			if !ok {
				kind = records.KindRecord
			}
			v.values = append(v.values, stated{records.Declared{Kind: kind, Key: set.Key, Value: value, TTL: set.TTL}, declared.has(set.Key, value)})
		}
	}
	v.sort()
	s.sides[1] = v
	return v
}

func (v *view) sort() {
	slices.SortStableFunc(v.values, compareStated)
}

func compareStated(a, b stated) int {
	return cmp.Or(a.Key.Compare(b.Key), cmp.Compare(a.Value, b.Value))
}

func (s *Subject) isLive(k records.Key, value records.Value) bool {
	set, ok := s.Live.Set(k)
	return ok && set.Has(value)
}

// at returns the values of one set.
func (v *view) at(k records.Key) []stated {
	from, _ := slices.BinarySearchFunc(v.values, k, func(s stated, k records.Key) int { return s.Key.Compare(k) })
	to := from
	for to < len(v.values) && v.values[to].Key == k {
		to++
	}
	return v.values[from:to]
}

// has reports whether the view has a value.
func (v *view) has(k records.Key, value records.Value) bool {
	return slices.ContainsFunc(v.at(k), func(s stated) bool { return s.Value == value })
}

// declared reports whether the view is of the declaration.
func (v *view) declared() bool { return v.about == plan.AboutDeclared }

// spf lists the SPF records, at the domain and at the return paths below it.
func (v *view) spf() []spfStated {
	return v.spfs.of(v, records.KindSPF, func(s *stated) (spfStated, bool) {
		r, err := spf.Parse(string(s.Value))
		if err != nil {
			r, _ = spf.ParseLoose(string(s.Value))
		}
		return spfStated{s, r, err}, r != nil
	})
}

// dkim lists the selectors' values: keys, and CNAMEs to keys elsewhere. What
// stands at _domainkey itself is no key (dkim-obsolete).
func (v *view) dkim() []dkimStated {
	return v.dkims.of(v, records.KindDKIM, func(s *stated) (dkimStated, bool) {
		selector, _, beside := strings.Cut(string(s.Key.Name), "._domainkey.")
		if !beside || selector == "_adsp" {
			return dkimStated{}, false
		}
		out := dkimStated{stated: s, selector: selector}
		switch s.Key.Type {
		case records.TypeCNAME:
			out.cname = records.CanonicalName(string(s.Value))
		case records.TypeTXT:
			out.key, out.err = records.ParseDKIM(s.Value)
			out.bits = out.key.Bits()
		default:
			return out, false
		}
		return out, true
	})
}

// dmarc lists the DMARC records, report authorisations included.
func (v *view) dmarc() []dmarcStated {
	return v.dmarcs.of(v, records.KindDMARC, func(s *stated) (dmarcStated, bool) {
		r, err := records.ParseDMARC(string(s.Value))
		return dmarcStated{s, r, err}, s.Key.Type == records.TypeTXT
	})
}

// policies lists the DMARC records that state the domain's own policy.
func (v *view) policies() []dmarcStated {
	name := records.DMARCName(v.Domain.Name)
	return slices.DeleteFunc(slices.Clone(v.dmarc()), func(d dmarcStated) bool { return d.Key.Name != name })
}

func (v *view) sts() []stsStated {
	return v.stss.of(v, records.KindMTASTS, func(s *stated) (stsStated, bool) {
		r, err := records.ParseSTSRecord(string(s.Value))
		return stsStated{s, r, err}, s.Key.Type == records.TypeTXT
	})
}

func (v *view) tlsrpt() []tlsrptStated {
	return v.tlsrpts.of(v, records.KindTLSRPT, func(s *stated) (tlsrptStated, bool) {
		r, err := records.ParseTLSRPT(string(s.Value))
		return tlsrptStated{s, r, err}, s.Key.Type == records.TypeTXT
	})
}

func (v *view) bimi() []bimiStated {
	return v.bimis.of(v, records.KindBIMI, func(s *stated) (bimiStated, bool) {
		r, err := records.ParseBIMI(string(s.Value))
		return bimiStated{s, r, err}, s.Key.Type == records.TypeTXT
	})
}

func (v *view) mx() []mxStated {
	return v.mxs.of(v, records.KindMX, func(s *stated) (mxStated, bool) {
		m, err := records.ParseMX(s.Value)
		return mxStated{s, m}, err == nil
	})
}

// today is the DMARC record that the domain will publish after this plan's
// next apply, ok only where it publishes one.
func (s *Subject) today() (r records.DMARCRecord, ok bool) {
	name := records.DMARCName(s.Domain.Name)
	for _, d := range s.Today.Values {
		if d.Key.Name == name && d.Key.Type == records.TypeTXT && records.IsDMARC(string(d.Value)) {
			r, err := records.ParseDMARC(string(d.Value))
			return r, err == nil
		}
	}
	return r, false
}

// underPolicy is the severity of a rule about alignment and policy, judged on
// the policy to be published now: an error only where mail that fails is
// treated otherwise, a warning at p=none.
func (s *Subject) underPolicy() plan.Severity {
	if r, ok := s.today(); ok && (r.Policy > records.PolicyNone || r.SP > records.PolicyNone || r.NP > records.PolicyNone) {
		return plan.SeverityError
	}
	return plan.SeverityWarning
}

// Question is something to ask the DNS.
type Question struct {
	Name records.Name
	Type records.Type
}

// Answer is what the DNS says of a name and type. Without values the name has
// nothing of that type or, with NXDomain, doesn't exist.
type Answer struct {
	Values   []records.Value
	NXDomain bool
	// Aliases are the CNAMEs that led there, the last being the name that has
	// the values.
	Aliases []records.Name
}

// answer is what is known of a question; ok only where it was answered.
func (s *Subject) answer(name records.Name, t records.Type) (a Answer, ok bool) {
	a, ok = s.Known.DNS[Question{name, t}]
	return a, ok
}

// Questions lists what the rules must ask the DNS about a domain, each once, in
// the order of the rules.
func Questions(d *records.Domain, live records.Zone, here []records.RRset, clock plan.Clock) []Question {
	list := declared(d)
	s := &Subject{
		Input: Input{Domain: d, Live: live, Past: plan.State{}.Index(), Clock: clock},
		Today: plan.Today{Domain: d, Declared: list, Values: list}, Here: here,
	}
	var out []Question
	asked := map[Question]bool{}
	each(func(r *Rule) {
		if r.ask == nil {
			return
		}
		for _, v := range []*view{s.declaredView(), s.liveView()} {
			for _, q := range r.ask(v) {
				if !asked[q] && q.Name != "" {
					asked[q] = true
					out = append(out, q)
				}
			}
		}
	})
	return out
}
