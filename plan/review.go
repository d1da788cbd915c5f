package plan

import (
	"fmt"
	"slices"

	"github.com/attunelogic/maildns/records"
)

// RefusedError says why a domain is no longer what was reviewed. Nothing of it
// is written.
type RefusedError struct {
	Domain records.Name
	Reason string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s is not what was reviewed: %s", e.Domain, e.Reason)
}

// Review compares a domain's plan, computed anew, with the one that was
// reviewed. It returns the fresh plan without what the reviewed one doesn't
// contain, and that rest by itself. The error is a *RefusedError where the
// declaration has changed, where a touched set is neither as it was read nor
// in a state of the reviewed plan, or where something else would be written.
//
// A reviewed item that is due is done, one whose gate has closed since is held,
// with what would be written meanwhile left out, and a set that already has an
// item's values is finished, whoever wrote it: so a reviewed plan is carried to
// its end by repeated applies.
func Review(reviewed, fresh Domain, live records.Zone) (Domain, []Change, error) {
	if reviewed.ConfigDigest != fresh.ConfigDigest {
		return fresh, nil, &RefusedError{fresh.Name, "its declaration has changed since; make a new plan"}
	}
	if reviewed.Provider != fresh.Provider || reviewed.Zone != fresh.Zone {
		return fresh, nil, &RefusedError{fresh.Name, fmt.Sprintf("it was planned for zone %s at %s and is now at %s", reviewed.Zone, reviewed.Provider, fresh.Provider)}
	}
	states := statesOf(reviewed)
	kept := fresh
	kept.Changes = nil
	var left []Change
	for _, c := range fresh.Changes {
		known, touched := states[c.Key()]
		if touched && c.Step != StepRestoreTTL {
			if err := known.admit(fresh.Name, c.Key(), live, reviewed.Live); err != nil {
				return fresh, nil, err
			}
		}
		switch {
		case !touched, known.closed(c, fresh):
			left = append(left, c)
		case c.State != Held && c.Step == StepChange && !known.leadsTo(c.After):
			return fresh, nil, &RefusedError{fresh.Name, fmt.Sprintf("%s would become %s, which was not reviewed; make a new plan", c.Key(), c.After)}
		default:
			kept.Changes = append(kept.Changes, c)
		}
	}
	return kept, left, nil
}

// reviewed are the states that a set may be in while a plan is carried out,
// and the values that may be written to it.
type reviewed struct {
	states []Set
	after  []*Set
}

func statesOf(d Domain) map[records.Key]*reviewed {
	out := map[records.Key]*reviewed{}
	for _, c := range d.Changes {
		r := out[c.Key()]
		if r == nil {
			r = &reviewed{}
			out[c.Key()] = r
		}
		r.add(c.Before)
		r.add(c.After)
		r.add(c.Declared)
		if c.After != nil && c.Declared != nil {
			r.add(&Set{TTL: c.Declared.TTL, Values: c.After.Values}) // after the soak
		}
		r.after = append(r.after, c.After, c.Declared)
	}
	return out
}

// add enters a state; nil is an absent set.
func (r *reviewed) add(s *Set) {
	if s == nil {
		s = &Set{}
	}
	r.states = append(r.states, *s)
}

// admit checks that a reviewed set is in a state of the reviewed plan.
func (r *reviewed) admit(domain records.Name, key records.Key, live records.Zone, how Live) error {
	set, _ := live.Set(key)
	now := Set{TTL: set.TTL, Values: set.Values}
	if !slices.ContainsFunc(r.states, func(s Set) bool { return s.is(now, how) }) {
		return &RefusedError{domain, fmt.Sprintf("%s was edited since it was read, it is now %s; make a new plan", key, now)}
	}
	return nil
}

// leadsTo reports whether values of a set were reviewed.
func (r *reviewed) leadsTo(after *Set) bool {
	return slices.ContainsFunc(r.after, func(s *Set) bool { return sameValues(s, after) })
}

// closed reports whether a change stands in the place of a reviewed one that a
// gate has begun to hold.
func (r *reviewed) closed(c Change, fresh Domain) bool {
	return c.State != Held && c.Step == StepChange && !r.leadsTo(c.After) && slices.ContainsFunc(fresh.Changes, func(h Change) bool {
		return h.State == Held && h.Key() == c.Key() && r.leadsTo(h.After)
	})
}

// is reports whether the live set is in the state. What was read through DNS
// is compared by its values where the host chooses the TTL.
func (s Set) is(live Set, how Live) bool {
	if !slices.Equal(s.Values, live.Values) {
		return false
	}
	return len(s.Values) == 0 || s.TTL == live.TTL || how == LiveDNS && live.TTL == records.AutoTTL
}

func sameValues(a, b *Set) bool {
	if a == nil || b == nil {
		return (a == nil || len(a.Values) == 0) && (b == nil || len(b.Values) == 0)
	}
	return slices.Equal(a.Values, b.Values)
}

func (s Set) String() string {
	if len(s.Values) == 0 {
		return "absent"
	}
	quoted := make([]string, len(s.Values))
	for i, v := range s.Values {
		quoted[i] = fmt.Sprintf("%q", records.EscapeValue(v))
	}
	return fmt.Sprintf("%s with TTL %s", quoted, s.TTL)
}
