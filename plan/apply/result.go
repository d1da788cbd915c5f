package apply

import (
	"slices"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/records"
)

// list sorts the changes of domains by what became of them.
func (w *work) list(domains []plan.Domain) {
	at := w.places()
	for _, d := range domains {
		i, ok := at[d.Name]
		if !ok {
			i = len(w.result.Domains)
			w.result.Domains = append(w.result.Domains, Domain{Name: d.Name})
		}
		for _, c := range d.Changes {
			w.result.Domains[i].enter(c, w.live)
		}
	}
}

// places says where each domain stands in the result.
func (w *work) places() map[records.Name]int {
	at := make(map[records.Name]int, len(w.result.Domains))
	for i, d := range w.result.Domains {
		at[d.Name] = i
	}
	return at
}

// enter puts a change where it belongs: one that was due is applied if the zone
// shows it, and has failed otherwise.
func (d *Domain) enter(c plan.Change, live records.Zone) {
	item := journal.Item{Domain: d.Name, Change: c}
	switch {
	case c.State == plan.Waiting:
		d.Waiting = append(d.Waiting, c)
	case c.State == plan.Held:
		d.Held = append(d.Held, c)
	case item.Live(live):
		d.Applied = append(d.Applied, c)
		d.join(c, live)
	default:
		d.Failed = append(d.Failed, c)
	}
}

// join notes values of others that came into a set while it was written.
func (d *Domain) join(c plan.Change, live records.Zone) {
	set, _ := live.Set(c.Key())
	set.Values = slices.DeleteFunc(slices.Clone(set.Values), func(v records.Value) bool {
		return c.After != nil && slices.Contains(c.After.Values, v)
	})
	if len(set.Values) > 0 {
		d.Joined = append(d.Joined, set)
	}
}

// listAfter lists what the run has applied, and what waits or is held in the
// zone as it is now.
func (w *work) listAfter() {
	at := w.places()
	later := make(map[records.Name][]plan.Change, len(w.later))
	for _, d := range w.later {
		later[d.Name] = d.Changes
	}
	done := make([]plan.Domain, 0, len(w.accepted.domains))
	for _, d := range w.accepted.domains {
		d.Changes = slices.DeleteFunc(slices.Clone(d.Changes), func(c plan.Change) bool { return c.State != plan.Ready })
		left := keysOf(w.result.Domains[at[d.Name]].LeftOut)
		for _, c := range later[d.Name] {
			if c.State != plan.Ready && !left[c.Key()] {
				d.Changes = append(d.Changes, c)
			}
		}
		done = append(done, d)
	}
	w.list(done)
}

func keysOf(changes []plan.Change) map[records.Key]bool {
	keys := make(map[records.Key]bool, len(changes))
	for _, c := range changes {
		keys[c.Key()] = true
	}
	return keys
}

// countAdopted tells each domain how many values became ours without a write.
func (w *work) countAdopted(out journal.Outcome) {
	n := map[records.Name]int{}
	for _, o := range out.Adopted {
		n[o.Domain]++
	}
	for i := range w.result.Domains {
		w.result.Domains[i].Adopted = n[w.result.Domains[i].Name]
	}
}
