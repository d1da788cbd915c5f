package policy_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// world is a zone with its journal and a clock, in memory. Its apply does to
// them what an apply of the program does, without a lock or a provider.
type world struct {
	live    records.Zone
	state   plan.State
	now     time.Time
	domains []*records.Domain
	others  []*records.Domain // declared, and left out by --domain
	open    map[records.Name][]plan.Override
	// entries are the outcomes so far, for a way back.
	entries []entry
}

type entry struct {
	intent  journal.Intent
	outcome journal.Outcome
}

func newWorld(live records.Zone, domains ...*records.Domain) *world {
	return &world{live: live, now: noon, domains: domains}
}

func (w *world) clock() plan.Clock { return plan.Clock{Now: w.now} }

func (w *world) pass(d time.Duration) { w.now = w.now.Add(d) }

func (w *world) plan() policy.ZonePlan {
	return policy.PlanZone(policy.ZoneInput{
		Live: w.live, Past: w.state.Index(), Journal: plan.JournalRead, Clock: w.clock(),
		Domains: w.domains, Others: w.others, Open: w.open, Host: policy.Host{Limits: records.Limits{Transactional: true}}, Source: plan.LiveProvider,
	})
}

// apply writes what is ready and returns it.
func (w *world) apply() []plan.Change {
	fresh := w.plan()
	approved := policy.Approve(w.live, fresh.Domains, "")
	in := w.intent(journal.CommandApply, approved)
	in.Overrides = w.overrides(fresh.Used)
	in.Declared = declaredBy(fresh.Today, approved)
	in.Expected = w.expected(fresh.Today, approved)
	w.carryOut(in, approved)
	var written []plan.Change
	for _, i := range in.Items {
		written = append(written, i.Change)
	}
	return written
}

func (w *world) intent(command journal.Command, approved policy.Approved) journal.Intent {
	in := journal.Intent{
		Header:  journal.Header{Zone: w.live.Name, Seq: uint64(len(w.entries) + 1), Run: fmt.Sprintf("run%d", len(w.entries)+1), Time: w.clock().Moment()},
		Command: command, NegativeTTL: w.live.NegativeTTL,
	}
	var keys []records.Key
	for _, d := range approved.Domains() {
		in.Domains = append(in.Domains, d.Name)
		for _, c := range d.Changes {
			keys = append(keys, c.Key())
			if c.State == plan.Ready && !policy.Stopped(d) {
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

func (w *world) overrides(used []plan.Override) []plan.Override {
	out := slices.Clone(used)
	for i := range out {
		if out[i].At.IsZero() {
			out[i].At, out[i].Actor = w.clock().Moment(), "somebody"
			if week := out[i].At.At.Add(policy.OverrideLife); out[i].Until.IsZero() || out[i].Until.After(week) {
				out[i].Until = week
			}
		}
	}
	return out
}

// declaredBy are the values that become ours: what is declared, and what the
// run writes.
func declaredBy(today []plan.Today, approved policy.Approved) []plan.Owned {
	type place struct {
		key   records.Key
		value records.Value
	}
	ours := map[place]bool{}
	for _, c := range approved.Changes() {
		if c.After == nil {
			continue
		}
		for _, v := range c.After.Values {
			if c.Before == nil || !c.Before.Has(v) {
				ours[place{c.Key, v}] = true
			}
		}
	}
	var out []plan.Owned
	for _, t := range today {
		for _, d := range t.Declared {
			ours[place{d.Key, d.Value}] = true
		}
		for _, v := range t.Values {
			if ours[place{v.Key, v.Value}] {
				out = append(out, plan.Owned{Domain: t.Domain.Name, Kind: v.Kind, Name: v.Key.Name, Type: v.Key.Type, Value: v.Value})
			}
		}
	}
	return out
}

func (w *world) expected(today []plan.Today, approved policy.Approved) journal.Expected {
	after, err := w.live.Apply(approved.Changes())
	if err != nil {
		panic(err)
	}
	out := journal.Expected{}
	for _, t := range today {
		in := policy.Input{Domain: t.Domain, Live: w.live, Past: w.state.Index(), Clock: w.clock()}
		out.Domains = append(out.Domains, policy.Remember(in, after))
		out.Holds = append(out.Holds, t.Holds...)
	}
	return out
}

func (w *world) carryOut(in journal.Intent, approved policy.Approved) {
	after, err := w.live.Apply(approved.Changes())
	if err != nil {
		panic(err)
	}
	w.live = after
	var keys []records.Key
	for _, s := range in.Snapshot {
		keys = append(keys, s.Key)
	}
	for _, i := range in.Items {
		keys = append(keys, i.Key())
	}
	seen := records.NewZone(after.Name, after.NegativeTTL, plan.Snapshot(after, keys...)...)
	out := journal.Conclude(w.state, in, seen, w.clock(), "")
	if out.Result != journal.Done {
		panic(fmt.Sprintf("an apply of a fault-free world is %s", out.Result))
	}
	w.state = out.State
	w.entries = append(w.entries, entry{in, out})
}

// target is the state after the first n entries.
func (w *world) target(n int) plan.Target {
	var t plan.Target
	for _, e := range w.entries[n:] {
		t.Written = append(t.Written, e.outcome.Written...)
		t.Removed = append(t.Removed, e.outcome.Removed...)
	}
	if n == 0 {
		t.Sets = w.entries[0].intent.Snapshot
		return t
	}
	s := w.entries[n-1].outcome.State
	t.Sets, t.Owned, t.Base = s.Live, s.Owned, s.Sets
	return t
}

// rollback goes back to the state after the first n entries.
func (w *world) rollback(n int, opts plan.RestoreOptions) plan.Restoration {
	opts.TTL = 300
	target := w.target(n)
	way := plan.Restore(w.live, w.state.Index(), target, opts)
	if len(way.Conflicts) > 0 || len(way.Domains) == 0 {
		return way
	}
	var domains []plan.Domain
	for name, changes := range way.Domains {
		domains = append(domains, plan.Domain{Name: name, Changes: changes})
	}
	approved := policy.ApproveRollback(w.live, domains, "")
	in := w.intent(journal.CommandRollback, approved)
	in.Declared = way.Owned(w.state.Index(), target)
	after, err := w.live.Apply(approved.Changes())
	if err != nil {
		panic(err)
	}
	in.Expected.Holds = slices.Clone(way.Holds)
	for i := range in.Expected.Holds {
		in.Expected.Holds[i].Run, in.Expected.Holds[i].At = in.Run, w.clock().Moment()
	}
	for _, d := range domains {
		in.Expected.Domains = append(in.Expected.Domains, policy.RememberRollback(w.state.Index(), d.Name, after, w.clock()))
	}
	in.Expected.Holds = append(in.Expected.Holds, w.state.Holds...)
	w.carryOut(in, approved)
	return way
}
