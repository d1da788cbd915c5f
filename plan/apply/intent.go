package apply

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// intent is what this run is about to do, with all that brings the zone back.
func (w *work) intent(command journal.Command, approved policy.Approved) journal.Intent {
	in := journal.Intent{
		Header:         journal.Header{Zone: w.zone, Run: w.ID, Time: w.Clock().Moment()},
		MaildnsVersion: w.Version, Command: command, Actor: w.Actor, Commit: w.Commit,
		ConfigDigest: w.ConfigDigest, PlanDigest: approved.Digest(),
		Provider: w.job.Target, Transactional: w.job.Zone.Limits().Transactional,
		Notify: w.Notify, NegativeTTL: w.live.NegativeTTL,
	}
	var keys []records.Key
	for _, d := range approved.Domains() {
		in.Domains = append(in.Domains, d.Name)
		for _, c := range d.Changes {
			keys = append(keys, c.Key())
			if c.State == plan.Ready {
				in.Items = append(in.Items, journal.Item{Domain: d.Name, Change: c})
			}
		}
	}
	for _, o := range w.state.Owned {
		keys = append(keys, o.Key())
	}
	in.Snapshot = plan.Snapshot(w.live, keys...)
	return in
}

// complete adds to an apply's intent what the journal is to remember of it.
func (w *work) complete(in *journal.Intent, fresh policy.ZonePlan, approved policy.Approved) {
	today := slices.DeleteFunc(slices.Clone(fresh.Today), func(t plan.Today) bool { return !w.accepted.names[t.Domain.Name] })
	in.Overrides = w.overrides(fresh.Used)
	in.Declared = declared(today, approved)
	in.Expected = w.expected(today, approved)
	in.Expected.Lost = w.lost()
	all := fresh
	if len(w.job.Others) > 0 {
		all = w.planAll(w.state)
	}
	in.Expected.Due = w.due(all.Domains)
}

// overrides completes those that opened a gate in this run.
func (w *work) overrides(used []plan.Override) []plan.Override {
	out := []plan.Override{}
	for _, o := range used {
		if !w.accepted.names[o.Domain] {
			continue
		}
		if o.At.IsZero() {
			o.At, o.Actor = w.Clock().Moment(), w.Actor
			if week := o.At.At.Add(policy.OverrideLife); o.Until.IsZero() || o.Until.After(week) {
				o.Until = week
			}
		}
		out = append(out, o)
	}
	return out
}

// place is a value at a key.
type place struct {
	key   records.Key
	value records.Value
}

// declared lists the values that become ours: what is declared, and what the
// run writes besides, such as a union of terms. A value that a gate merely
// leaves alone stays a stranger's.
func declared(today []plan.Today, approved policy.Approved) []plan.Owned {
	ours := written(approved)
	for _, t := range today {
		for _, d := range t.Declared {
			ours[place{d.Key, d.Value}] = true
		}
	}
	var out []plan.Owned
	for _, t := range today {
		for _, v := range t.Values {
			if ours[place{v.Key, v.Value}] {
				out = append(out, plan.Owned{Domain: t.Domain.Name, Kind: v.Kind, Name: v.Key.Name, Type: v.Key.Type, Value: v.Value})
			}
		}
	}
	return out
}

// written are the values that are new in the approved changes.
func written(approved policy.Approved) map[place]bool {
	out := map[place]bool{}
	for _, c := range approved.Changes() {
		if c.After == nil {
			continue
		}
		for _, v := range c.After.Values {
			if c.Before == nil || !c.Before.Has(v) {
				out[place{c.Key, v}] = true
			}
		}
	}
	return out
}

// expected is what is to be remembered of the domains once the items are live.
func (w *work) expected(today []plan.Today, approved policy.Approved) journal.Expected {
	after, err := w.live.Apply(approved.Changes())
	if err != nil {
		after = w.live // never: they were computed from it
	}
	past := w.state.Index()
	out := journal.Expected{Domains: []plan.DomainState{}, Holds: []plan.RolledBack{}}
	for _, t := range today {
		in := policy.Input{
			Domain: t.Domain, Live: w.live, Past: past, Clock: w.Clock(),
			Known: policy.Known{SPF: w.spf[t.Domain.Name]},
		}
		out.Domains = append(out.Domains, policy.Remember(in, after))
		out.Holds = append(out.Holds, t.Holds...)
	}
	return out
}

// lost is what of the values that an interrupted run took this run doesn't put
// back and gives up neither: those of other domains, and of sets whose change
// waits or is held.
func (w *work) lost() []plan.Lost {
	later := map[records.Key]bool{}
	for _, d := range w.accepted.domains {
		for _, c := range d.Changes {
			later[c.Key()] = later[c.Key()] || c.State != plan.Ready
		}
	}
	return slices.DeleteFunc(slices.Clone(w.state.Lost), func(l plan.Lost) bool { return w.accepted.names[l.Domain] && !later[l.Key] })
}

// due is when the zone's next step is due, whichever of its domains it belongs
// to. A step that was due and that this run leaves, since it is another
// domain's, stays due.
func (w *work) due(all []plan.Domain) plan.Moment {
	clock := w.Clock()
	if last := w.state.Due; reached(last, clock) && slices.ContainsFunc(all, w.leaves) {
		return last
	}
	var first *time.Time
	for _, d := range all {
		if t := nextStep(d); t != nil && (first == nil || t.Before(*first)) {
			first = t
		}
	}
	if first == nil {
		return plan.Moment{}
	}
	clock.Now = *first
	return clock.Moment()
}

func reached(m plan.Moment, clock plan.Clock) bool {
	return !m.IsZero() && !m.On(clock).After(clock.Now)
}

// leaves reports whether a domain can be changed now and has no part in this
// run.
func (w *work) leaves(d plan.Domain) bool {
	return !w.accepted.names[d.Name] &&
		slices.ContainsFunc(d.Changes, func(c plan.Change) bool { return c.State == plan.Ready })
}

// nextStep is when the first step of a domain is due that only has to wait. One
// whose TTL has yet to be lowered is not counting down.
func nextStep(d plan.Domain) *time.Time {
	lowering := map[records.Key]bool{}
	for _, c := range d.Changes {
		if c.Step == plan.StepLowerTTL {
			lowering[c.Key()] = true
		}
	}
	var first *time.Time
	for _, c := range d.Changes {
		if c.State == plan.Waiting && c.NotBefore != nil && !lowering[c.Key()] && (first == nil || c.NotBefore.Before(*first)) {
			first = c.NotBefore
		}
	}
	return first
}

// idle reports whether there is nothing to do and nothing to remember, so that
// no entry is needed. The first apply of a domain is always remembered.
func (w *work) idle(in journal.Intent) bool {
	if len(in.Items) > 0 || w.state.Reload || w.head.Absent() {
		return false
	}
	now := w.Clock().Moment()
	next := journal.Next(w.state, in, records.NewZone(w.zone, w.live.NegativeTTL, in.Snapshot...), now)
	return memory(next, now) == memory(w.state, now)
}

// memory is what of a state matters for later runs, to be compared. An override
// that has lapsed doesn't.
func memory(s plan.State, now plan.Moment) string {
	s.Overrides = slices.DeleteFunc(slices.Clone(s.Overrides), func(o plan.Override) bool { return !now.At.Before(o.Until) })
	out, err := json.Marshal([]any{some(s.Owned), some(s.Domains), some(s.Holds), some(s.Overrides), s.Due.At, some(s.Lost)})
	if err != nil {
		return err.Error() // never: names, numbers and times
	}
	return string(out)
}

// some makes an empty list of none, so that both compare equal.
func some[T any](list []T) []T { return append([]T{}, list...) }
