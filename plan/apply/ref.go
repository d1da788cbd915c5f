package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/records"
)

// Point is a state of a zone that a rollback can return to: the one after entry
// Seq or, where Seq is 0, the one before the first entry.
type Point struct {
	Zone records.Name
	Seq  uint64
}

func (p Point) String() string {
	if p.Seq == 0 {
		return fmt.Sprintf("%s before its first entry", p.Zone)
	}
	return journal.Header{Zone: p.Zone, Seq: p.Seq}.ID()
}

// target reads the state at a point, and what later entries did. Damage of
// later entries is returned beside it: what they did is then known no better
// than the zone and their intents tell.
func (w *work) target(ctx context.Context, p Point) (plan.Target, []error, error) {
	var target plan.Target
	var damage []error
	for e, err := range w.Journal.Entries(ctx, p.Zone) {
		if err != nil {
			if !isDamage(err) || needed(e, err, p) {
				return plan.Target{}, damage, err
			}
			damage = append(damage, err)
		}
		if e.Seq > 0 && e.Seq < p.Seq {
			break
		}
		if e.Seq == p.Seq && e.Seq > 0 {
			return stateAfter(e, target, damage)
		}
		w.collect(&target, e)
		if e.Seq == 1 && e.Intent != nil {
			target.Sets = e.Intent.Snapshot
			return target, damage, nil
		}
	}
	return plan.Target{}, damage, fmt.Errorf("%s is not in the journal (any more): %w", p, journal.ErrNotFound)
}

// needed reports whether damage concerns what describes a point: its entry or,
// for the one before the first, the snapshot in that.
func needed(e journal.Entry, err error, p Point) bool {
	var damage *journal.DamageError
	if !errors.As(err, &damage) || damage.First == 0 {
		return false
	}
	seq := max(p.Seq, 1)
	return damage.First <= seq && seq <= damage.Last && (p.Seq > 0 || e.Intent == nil)
}

func stateAfter(e journal.Entry, target plan.Target, damage []error) (plan.Target, []error, error) {
	if e.Outcome == nil {
		return plan.Target{}, damage, fmt.Errorf("the entry %s has no outcome: its run is at work, or died; run apply or rollback to another entry first", e.ID())
	}
	target.Sets, target.Owned, target.Base = e.Outcome.State.Live, e.Outcome.State.Owned, e.Outcome.State.Sets
	return target, damage, nil
}

// collect adds what an entry wrote and removed. Where it has no outcome yet, that
// is judged by the zone; where its outcome is damaged, it counts as having done
// all that it meant to.
func (w *work) collect(target *plan.Target, e journal.Entry) {
	out := e.Outcome
	switch {
	case out != nil:
	case e.Intent == nil:
		return
	case w.head.Pending != nil && e.Seq == w.head.Seq:
		judged := journal.Conclude(w.state, *e.Intent, w.snapshot(*e.Intent), w.Clock(), "")
		out = &judged
	default:
		out = meant(*e.Intent)
	}
	target.Written = append(target.Written, out.Written...)
	target.Removed = append(target.Removed, out.Removed...)
	for _, o := range out.Written {
		target.Writes = append(target.Writes, plan.Write{Owned: o, At: out.Time.At})
	}
}

// meant is the outcome that an intent was to have.
func meant(in journal.Intent) *journal.Outcome {
	out := &journal.Outcome{Header: in.Header}
	for _, i := range in.Items {
		out.Written = append(out.Written, difference(i, i.After, i.Before)...)
		out.Removed = append(out.Removed, difference(i, i.Before, i.After)...)
	}
	return out
}

// difference lists the values of an item's one side that the other lacks.
func difference(i journal.Item, a, b *plan.Set) []plan.Owned {
	var out []plan.Owned
	if a == nil {
		return nil
	}
	for _, v := range a.Values {
		if b == nil || !slices.Contains(b.Values, v) {
			out = append(out, plan.Owned{Domain: i.Domain, Kind: i.Kind, Name: i.Name, Type: i.Type, Value: v})
		}
	}
	return out
}

// Refs finds out what the references of a rollback mean. It writes nothing.
type Refs struct {
	Journal *journal.Journal
	Clock   plan.Clock
	// Read reads a zone, several at once. It is asked where a run has no
	// outcome yet: what that has done only the zone can tell.
	Read func(context.Context, records.Name) (records.Zone, error)
}

// ErrNothing says that the journal has no run to go back before.
var ErrNothing = errors.New("the journal has no apply that changed values, so there is nothing to take back")

// names are domains to look for; none stands for all.
type names map[records.Name]bool

func namesOf(domains []records.Name) names {
	n := make(names, len(domains))
	for _, d := range domains {
		n[d] = true
	}
	return n
}

func (n names) has(d records.Name) bool { return len(n) == 0 || n[d] }

// Last finds the state before the newest apply run that changed values, of the
// given domains where there are any. Rollbacks don't count, so that a second
// rollback to the same place does nothing.
func (r Refs) Last(ctx context.Context, domains []records.Name) ([]Point, error) {
	wanted := namesOf(domains)
	found, err := r.each(ctx, domains, func(ctx context.Context, zone records.Name) (*applied, error) {
		return r.lastApply(ctx, zone, wanted)
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNothing
	}
	newest := slices.MaxFunc(found, func(a, b applied) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.run, b.run))
	})
	var points []Point
	for _, a := range found {
		if a.run == newest.run {
			points = append(points, a.before)
		}
	}
	return points, nil
}

// applied is a run's part in one zone.
type applied struct {
	run    string
	at     time.Time
	before Point
}

// atOnce is how many zones are looked at at the same time.
const atOnce = 10

// each looks at the zones that may hold one of the domains, several at once, and
// returns what was found, in the order of the zones.
func (r Refs) each(ctx context.Context, domains []records.Name, look func(context.Context, records.Name) (*applied, error)) ([]applied, error) {
	zones, err := r.zones(ctx, domains)
	if err != nil {
		return nil, err
	}
	found := make([]*applied, len(zones))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, zone := range zones {
		g.Go(func() (err error) {
			found[i], err = look(ctx, zone)
			return err
		})
	}
	err = g.Wait()
	var out []applied
	for _, f := range found {
		if f != nil {
			out = append(out, *f)
		}
	}
	return out, err
}

// zones are the zones of the journal that may hold one of the domains.
func (r Refs) zones(ctx context.Context, domains []records.Name) ([]records.Name, error) {
	zones, err := r.Journal.Zones(ctx)
	if err != nil || len(domains) == 0 {
		return zones, err
	}
	above := names{}
	for _, d := range domains {
		for n := d; n != "" && !above[n]; n = n.Parent() {
			above[n] = true
		}
	}
	return slices.DeleteFunc(zones, func(zone records.Name) bool { return !above[zone] }), nil
}

// lastApply finds the newest apply to a zone that changed values of the
// domains, nil for none.
func (r Refs) lastApply(ctx context.Context, zone records.Name, wanted names) (*applied, error) {
	for e, err := range r.Journal.Entries(ctx, zone) {
		if err != nil && !isDamage(err) {
			return nil, err
		}
		if e.Seq == 0 || e.Intent != nil && e.Intent.Command != journal.CommandApply {
			continue
		}
		changed, err := r.changed(ctx, e, err, wanted)
		if err != nil {
			return nil, err
		}
		if changed {
			return &applied{e.Intent.Run, e.Intent.Time.On(r.Clock), Point{zone, e.Seq - 1}}, nil
		}
	}
	return nil, nil
}

// changed reports whether an apply changed values of the domains. Of a run
// without an outcome the zone tells, of one whose outcome is damaged the worst
// is supposed. Where not even the command is known, nobody can tell which run
// was the last one.
func (r Refs) changed(ctx context.Context, e journal.Entry, damage error, wanted names) (bool, error) {
	switch {
	case e.Outcome != nil && !wanted.in(e.Outcome):
		return false, nil
	case e.Intent == nil:
		return false, fmt.Errorf("which run was the last to change %s can't be told, name an entry or a time instead: %w", e.Zone, damage)
	case e.Outcome != nil:
		return true, nil
	case damage != nil:
		return wanted.in(meant(*e.Intent)), nil
	}
	out, err := r.judge(ctx, *e.Intent)
	return err == nil && wanted.in(out), err
}

// in reports whether a run changed values of the domains.
func (n names) in(out *journal.Outcome) bool {
	changed := func(o plan.Owned) bool { return n.has(o.Domain) }
	return slices.ContainsFunc(out.Written, changed) || slices.ContainsFunc(out.Removed, changed)
}

// judge says what a run without an outcome has done, by the zone as it is.
func (r Refs) judge(ctx context.Context, in journal.Intent) (*journal.Outcome, error) {
	live, err := r.Read(ctx, in.Zone)
	if err != nil {
		return nil, fmt.Errorf("the run %s has recorded no outcome, and what it did can't be seen: %w", in.Run, err)
	}
	before, _, err := r.Journal.State(ctx, in.Zone)
	if err != nil {
		return nil, err
	}
	out := journal.Conclude(before, in, snapshot(live, in), r.Clock, "")
	return &out, nil
}

// At finds the state of every zone at a moment; with domains, of the zones that
// have held one of them since. Before its first entry that is the zone's first
// snapshot.
func (r Refs) At(ctx context.Context, at time.Time, domains []records.Name) ([]Point, error) {
	wanted := namesOf(domains)
	found, err := r.each(ctx, domains, func(ctx context.Context, zone records.Name) (*applied, error) {
		p, concerned, err := r.zoneAt(ctx, zone, at, wanted)
		if err != nil || !concerned {
			return nil, err
		}
		return &applied{before: p}, nil
	})
	var points []Point
	for _, f := range found {
		points = append(points, f.before)
	}
	return points, err
}

// zoneAt finds the newest outcome that is not younger than the moment. An entry
// that is damaged beyond telling its time may be the one that is meant, so that
// nothing older will do.
func (r Refs) zoneAt(ctx context.Context, zone records.Name, at time.Time, wanted names) (p Point, concerned bool, err error) {
	p.Zone = zone
	var doubt error
	for e, err := range r.Journal.Entries(ctx, zone) {
		if err != nil && !isDamage(err) {
			return p, false, err
		}
		concerned = concerned || wanted.mentioned(e)
		age := r.age(e, at)
		if age == older {
			p.Seq = e.Seq
			break
		}
		if err != nil && age == unknown && doubt == nil {
			doubt = fmt.Errorf("what was live at %s can't be told, name an entry instead: %w", at.Format(time.RFC3339), err)
		}
	}
	return p, concerned, doubt
}

// mentioned reports whether an entry knows one of the domains.
func (n names) mentioned(e journal.Entry) bool {
	return len(n) == 0 ||
		e.Intent != nil && slices.ContainsFunc(e.Intent.Domains, n.has) ||
		e.Outcome != nil && slices.ContainsFunc(e.Outcome.State.Domains, func(d plan.DomainState) bool { return n[d.Domain] })
}

// age is where an entry stands to a moment.
type age int

const (
	unknown age = iota
	older       // or just as old
	younger
)

// age compares the end of an entry with a moment. A rehearsal's time counts
// only in rehearsals.
func (r Refs) age(e journal.Entry, at time.Time) age {
	switch {
	case e.Outcome != nil && !e.Outcome.Time.On(r.Clock).After(at):
		return older
	case e.Outcome != nil, e.Intent != nil && e.Intent.Time.On(r.Clock).After(at):
		return younger
	case e.Seq == 0:
		return younger // a stray object is no entry
	default:
		return unknown
	}
}
