package policy

import (
	"slices"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// ZoneInput is one zone with all domains that are declared in it.
type ZoneInput struct {
	Live    records.Zone
	Past    *plan.Past
	Journal plan.JournalStatus
	SPF     map[records.Name]*KnownSPF // what DNS says, by domain
	DNS     map[Question]Answer        // and of the names that rules look at
	Serials []Serial                   // what each of the zone's servers has
	Clock   plan.Clock
	Domains []*records.Domain                // those that are planned
	Others  []*records.Domain                // declared in the zone, and not planned now
	Open    map[records.Name][]plan.Override // opened by hand, by domain
	Host    Host
	Source  plan.Live
}

// ZonePlan is what would change in one zone, and what a run has to remember.
type ZonePlan struct {
	Domains []plan.Domain
	Today   []plan.Today
	Used    []plan.Override
}

// PlanZone is the straight line for one zone: what the gates allow today, put
// over what is live, compared, spread over time, and checked.
func PlanZone(in ZoneInput) ZonePlan {
	today := make([]plan.Today, len(in.Domains))
	subjects := make([]Subject, len(in.Domains))
	if in.Host.PerValueTTL {
		in.Live = Focus(in.Live, Ours(in.Past, in.Domains))
	}
	// What an interrupted run has lost is judged and kept as if it were there.
	unbroken := in.Past.Unbroken(in.Live)
	here := Here(in.Live, in.Domains, in.Others)
	for i, d := range in.Domains {
		known := Known{Journal: in.Journal, SPF: in.SPF[d.Name], DNS: in.DNS, Serials: in.Serials}
		input := Input{Domain: d, Live: unbroken, Past: in.Past, Known: known, Clock: in.Clock, Open: in.Open[d.Name]}
		subjects[i] = Subject{Input: input, Today: Limit(input), Host: in.Host, Here: here[d.Name]}
		if input.vetoes = subjects[i].vetoes(); input.vetoes != nil {
			// What it looked at was the plan without them.
			subjects[i] = Subject{Input: input, Today: Limit(input), Host: in.Host, Here: here[d.Name]}
		}
		today[i] = subjects[i].Today
	}
	after := plan.Overlay(unbroken, in.Past, today)
	changes := plan.Diff(in.Live, after)
	staged := plan.Stage(in.Live, changes, today, in.Past, in.Host.Limits, in.Clock)
	unmanaged := unmanagedOf(in, today)
	out := ZonePlan{Today: today, Used: staged.Used}
	for i, d := range in.Domains {
		s := &subjects[i]
		s.Changes, s.After = staged.Changes[d.Name], after
		s.Known.SPF.explain(s.Changes)
		explainSTS(d, s.Changes)
		out.Domains = append(out.Domains, plan.Domain{
			Name: d.Name, Zone: d.Zone, Provider: d.Provider.String(),
			Live: in.Source, ConfigDigest: d.Digest, Owner: d.Owner,
			Changes: s.Changes, Findings: Check(s), Unmanaged: unmanaged[d.Name],
		})
		stop(&out.Domains[i])
	}
	together := transactional(&in, out.Domains)
	for i := range out.Domains {
		out.Domains[i].Transactional = together
	}
	return out
}

// Here lists the live sets of a zone by the domain that is nearest to their
// names, in the order of the zone.
func Here(live records.Zone, domains, others []*records.Domain) map[records.Name][]records.RRset {
	names := make(map[records.Name]bool, len(domains)+len(others))
	for _, d := range slices.Concat(domains, others) {
		names[d.Name] = true
	}
	out := make(map[records.Name][]records.RRset, len(domains))
	for set := range live.All() {
		if owner := nearest(names, set.Name); owner != "" {
			out[owner] = append(out[owner], set)
		}
	}
	return out
}

// unmanagedOf lists, by the nearest declared domain, live values that look
// like mail and that nobody declares, and values that are owned for a domain
// that has vanished from the configuration.
func unmanagedOf(in ZoneInput, today []plan.Today) map[records.Name][]plan.Unmanaged {
	w := saidBy(today, in.Others)
	out := map[records.Name][]plan.Unmanaged{}
	for set := range in.Live.All() {
		owner := nearest(w.names, set.Name)
		if owner == "" {
			continue
		}
		for _, v := range set.Values {
			if w.has(set.Key, v) {
				continue
			}
			if why, ok := strange(in.Past, w.names, set.Key, v); ok {
				out[owner] = addUnmanaged(out[owner], set.Key, v, why)
			}
		}
	}
	return out
}

// said is what the domains of a zone declare, in the order of keys.
type said struct {
	names    map[records.Name]bool
	declared []records.Declared
	covers   []records.Cover
}

func saidBy(today []plan.Today, others []*records.Domain) said {
	w := said{names: make(map[records.Name]bool, len(today)+len(others))}
	var declared [][]records.Declared
	var covers [][]records.Cover
	for _, t := range today {
		w.names[t.Domain.Name] = true
		declared, covers = append(declared, t.Declared), append(covers, t.Covers)
	}
	for _, d := range others {
		w.names[d.Name] = true
		declared, covers = append(declared, d.Declared()), append(covers, records.Covers(d))
	}
	w.declared, w.covers = slices.Concat(declared...), slices.Concat(covers...)
	slices.SortFunc(w.declared, func(a, b records.Declared) int { return a.Key.Compare(b.Key) })
	slices.SortFunc(w.covers, func(a, b records.Cover) int { return a.Key.Compare(b.Key) })
	return w
}

// has reports whether a live value is declared, or one that a declaration takes
// the place of.
func (w *said) has(k records.Key, v records.Value) bool {
	i, _ := slices.BinarySearchFunc(w.declared, k, func(d records.Declared, k records.Key) int { return d.Key.Compare(k) })
	for ; i < len(w.declared) && w.declared[i].Key == k; i++ {
		if w.declared[i].Value == v {
			return true
		}
	}
	i, _ = slices.BinarySearchFunc(w.covers, k, func(c records.Cover, k records.Key) int { return c.Key.Compare(k) })
	for ; i < len(w.covers) && w.covers[i].Key == k; i++ {
		if w.covers[i].Matches(k, v) {
			return true
		}
	}
	return false
}

// strange says why a live value is worth showing.
func strange(past *plan.Past, names map[records.Name]bool, k records.Key, v records.Value) (string, bool) {
	owner, owned := past.Owner(k, v)
	switch {
	case owned && !names[owner.Domain]:
		return "orphaned: owned for " + string(owner.Domain) + `, which is no longer declared; withdraw it with state = "removed", or release it`, true
	case owned:
		return "", false // its domain plans the removal
	}
	return records.LooksLikeMail(k, v)
}

// nearest is the declared domain that a name belongs to, empty for none.
func nearest(names map[records.Name]bool, n records.Name) records.Name {
	for ; n != ""; n = n.Parent() {
		if names[n] {
			return n
		}
	}
	return ""
}

func addUnmanaged(list []plan.Unmanaged, k records.Key, v records.Value, why string) []plan.Unmanaged {
	if n := len(list); n > 0 && list[n-1].Name == k.Name && list[n-1].Type == k.Type && list[n-1].Why == why {
		list[n-1].Values = append(list[n-1].Values, v)
		return list
	}
	return append(list, plan.Unmanaged{Name: k.Name, Type: k.Type, Values: []records.Value{v}, Why: why})
}
