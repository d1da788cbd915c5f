package policy

import (
	"slices"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// Remember returns what the journal keeps of a domain after a run: what was
// live when it was first applied, what the configuration has declared since,
// and how long the DMARC policy has stood. before and after are the zone round
// the run's writes.
func Remember(in Input, after records.Zone) plan.DomainState {
	d, applied := in.Past.Domain(in.Domain.Name)
	if !applied {
		d = plan.DomainState{Domain: in.Domain.Name, Applied: in.Clock.Moment(), Found: parts(liveMail(in.Live, in.Domain.Name))}
	}
	d.ConfigDigest = in.Domain.Digest
	d.Flat = flatRanges(in)
	d.ReturnPaths = returnPaths(d.ReturnPaths, in.Domain, after)
	d.Declared = union(d.Declared, parts(declaredMail(in.Domain)))
	if policy := publishedPolicy(after, in.Domain.Name); policy != d.Policy || d.Since.IsZero() {
		d.Policy, d.Since = policy, in.Clock.Moment()
	}
	return d
}

// returnPaths adds those of the declared senders, and drops what is no longer
// live.
func returnPaths(known []records.Key, d *records.Domain, after records.Zone) []records.Key {
	out := slices.Clone(known)
	for _, s := range d.Senders {
		out = append(out, s.ReturnPath...)
	}
	slices.SortFunc(out, records.Key.Compare)
	return slices.DeleteFunc(slices.Compact(out), func(k records.Key) bool {
		_, live := after.Set(k)
		return !live
	})
}

// RememberRollback is Remember for a rollback, which may have no configuration:
// only the DMARC policy may be another one.
func RememberRollback(past *plan.Past, domain records.Name, after records.Zone, clock plan.Clock) plan.DomainState {
	d, _ := past.Domain(domain)
	d.Domain = domain
	if policy := publishedPolicy(after, domain); policy != d.Policy {
		d.Policy, d.Since = policy, clock.Moment()
	}
	return d
}

// part names what adoption protects: an SPF term or an MX host.
func parts(spfValues, mxValues []records.Value) []string {
	var out []string
	for _, v := range spfValues {
		r, _ := spf.ParseLoose(string(v))
		for _, t := range r.Live() {
			if t.Kind == spf.All {
				continue
			}
			if t.Kind == spf.Redirect {
				t.Kind = spf.Include
			}
			out = append(out, "spf:"+t.Key())
		}
	}
	for _, v := range mxValues {
		if mx, err := records.ParseMX(v); err == nil && !mx.Null() {
			out = append(out, "mx:"+string(mx.Host))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func liveMail(zone records.Zone, domain records.Name) (spfValues, mxValues []records.Value) {
	txt, _ := zone.Set(records.Key{Name: domain, Type: records.TypeTXT})
	for _, v := range txt.Values {
		if spf.IsSPF(string(v)) {
			spfValues = append(spfValues, v)
		}
	}
	mx, _ := zone.Set(records.Key{Name: domain, Type: records.TypeMX})
	return spfValues, mx.Values
}

func declaredMail(d *records.Domain) (spfValues, mxValues []records.Value) {
	for _, v := range declared(d) {
		switch {
		case v.Key.Name != d.Name:
		case v.Kind == records.KindSPF:
			spfValues = append(spfValues, v.Value)
		case v.Kind == records.KindMX:
			mxValues = append(mxValues, v.Value)
		}
	}
	return spfValues, mxValues
}

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
