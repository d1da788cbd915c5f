package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// writeSets writes where the host has no transaction: read, compare, write one
// set at a time in a fixed order, additions before removals, and read back. It
// stops at the first failure; what the zone holds then decides the outcome.
func (z *Zone) writeSets(ctx context.Context, changes []records.Change) error {
	before, err := z.read(ctx)
	if err != nil {
		return fmt.Errorf("reading the zone before the write: %w", err)
	}
	if err := before.Check(changes); err != nil {
		return err
	}
	if err := checkFixed(before, changes); err != nil {
		return err
	}
	if err := checkOneByOne(before, changes); err != nil {
		return err
	}
	failed := z.writeEach(ctx, ordered(changes))
	if failed == nil {
		failed = z.publish(ctx)
	}
	after, err := z.read(ctx)
	if err != nil {
		return errors.Join(failed, fmt.Errorf("%w: reading the zone after the write: %w", ErrOutcomeUnknown, err))
	}
	return errors.Join(failed, compare(before, after, changes))
}

func (z *Zone) writeEach(ctx context.Context, changes []records.Change) error {
	for i, c := range changes {
		err := z.writeSet(ctx, c)
		var stale *records.StaleError
		if i > 0 && errors.As(err, &stale) {
			// Not wrapped: a StaleError would say that nothing was written.
			return fmt.Errorf("after %d of the sets that change: %s", i, err.Error())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.Key, err)
		}
	}
	return nil
}

// publish makes a host serve what was written, where it waits to be told.
func (z *Zone) publish(ctx context.Context) error {
	r, ok := z.client.(reloader)
	if !ok {
		return nil
	}
	if err := z.mayWrite(ctx); err != nil {
		return err
	}
	if err := r.ReloadZone(ctx, z.Name); err != nil {
		return &ReloadError{Err: err}
	}
	return nil
}

func checkFixed(zone records.Zone, changes []records.Change) error {
	for _, c := range changes {
		if set, _ := zone.Set(c.Key); set.Fixed != "" {
			return fmt.Errorf("%s can't be changed: %s", c.Key, set.Fixed)
		}
	}
	return nil
}

// phase orders changes: what is added comes before what is replaced, and what
// is removed last, so that the mail of a name always has a record to go by.
func phase(c records.Change) int {
	switch {
	case c.Before == nil:
		return 0
	case c.After != nil:
		return 1
	default:
		return 2
	}
}

// ordered returns the changes that change something, in the order of writing.
func ordered(changes []records.Change) []records.Change {
	effective := slices.DeleteFunc(slices.Clone(changes), func(c records.Change) bool {
		if c.Before == nil || c.After == nil {
			return c.Before == c.After
		}
		return c.Before.Equal(*c.After)
	})
	slices.SortFunc(effective, func(a, b records.Change) int {
		return cmp.Or(cmp.Compare(phase(a), phase(b)), a.Compare(b.Key))
	})
	return effective
}

// checkOneByOne refuses what can't be done one set at a time: between the
// steps from a CNAME to another type, or back, the name would be in conflict
// or empty.
func checkOneByOne(before records.Zone, changes []records.Change) error {
	for _, c := range ordered(changes) {
		if c.After == nil {
			continue
		}
		step := []records.Change{c}
		if err := before.CheckCNAME(step); err != nil {
			return fmt.Errorf("this host changes one set at a time: %w", err)
		}
		before = before.With(*c.After)
	}
	return nil
}

// writeSet takes one set from its old to its new state.
func (z *Zone) writeSet(ctx context.Context, c records.Change) error {
	if w, ok := z.client.(setWriter); ok {
		if err := z.mayWrite(ctx); err != nil {
			return err
		}
		return w.WriteSet(ctx, z.Name, c)
	}
	if c.After != nil && !z.Limits().ReplacesSets {
		todo, err := steps(c)
		if err != nil {
			return err
		}
		return z.writeValues(ctx, todo)
	}
	err := z.mayWrite(ctx)
	switch client, zone := z.client, rr.FQDN(z.Name); {
	case err != nil:
	case c.After == nil:
		gone := *c.Before
		gone.TTL = anyTTL
		_, err = client.DeleteRecords(ctx, zone, rr.Records(gone, z.Name))
	default:
		_, err = client.SetRecords(ctx, zone, rr.Records(*c.After, z.Name))
	}
	return err
}

// anyTTL is how DeleteRecords is told not to compare the TTL: the values of a
// set may have several.
const anyTTL records.TTL = 0

// step adds or removes one value.
type step struct {
	key    records.Key
	ttl    records.TTL
	value  records.Value
	remove bool
}

// steps takes a set from one state to the other value by value: additions
// before removals. A value that must be alone (two SPF or DMARC records are an
// error to every receiver, RFC 7208 4.5, RFC 7489 6.6.3) first makes room, as
// does one whose TTL changes, since a host takes the same value only once. An
// empty value goes first too, and only where it is alone: libdns takes it for
// any value.
func steps(c records.Change) ([]step, error) {
	var first, add, last []step
	before := records.RRset{Key: c.Key}
	if c.Before != nil {
		before = *c.Before
	}
	alone := slices.ContainsFunc(c.After.Values, func(v records.Value) bool {
		return isExclusive(c.Key, v) && !before.Has(v)
	})
	for _, v := range before.Values {
		s := step{c.Key, anyTTL, v, true}
		switch kept := c.After.Has(v); {
		case kept && before.TTLOf(v) == c.After.TTLOf(v):
		case v == "" && len(before.Values) > 1:
			return nil, errors.New("the library can't delete an empty value beside others: delete it at the host")
		case kept, v == "", alone && isExclusive(c.Key, v):
			first = append(first, s)
		default:
			last = append(last, s)
		}
	}
	for _, v := range c.After.Values {
		if ttl := c.After.TTLOf(v); !before.Has(v) || before.TTLOf(v) != ttl {
			add = append(add, step{c.Key, ttl, v, false})
		}
	}
	return interleave(first, add, last), nil
}

// interleave puts each addition right behind the removal that makes room for
// it, so that the gap is as short as it can be.
func interleave(first, add, last []step) []step {
	var out []step
	for _, a := range add {
		room := func(s step) bool {
			return s.value == a.value || isExclusive(s.key, s.value) && isExclusive(a.key, a.value)
		}
		for _, f := range first {
			if room(f) {
				out = append(out, f)
			}
		}
		first = slices.DeleteFunc(first, room)
		out = append(out, a)
	}
	return slices.Concat(first, out, last)
}

// isExclusive reports whether at most one such value may stand in its set.
func isExclusive(k records.Key, v records.Value) bool {
	if k.Type != records.TypeTXT {
		return false
	}
	tag, _, _ := strings.Cut(strings.ToLower(string(v)), " ")
	if tag == "v=spf1" {
		return true
	}
	tag, _, _ = strings.Cut(tag, ";")
	return tag == "v=dmarc1" && strings.HasPrefix(string(k.Name), "_dmarc.")
}

func (z *Zone) writeValues(ctx context.Context, todo []step) error {
	for _, s := range todo {
		if err := z.mayWrite(ctx); err != nil {
			return err
		}
		recs := []libdns.Record{rr.Record(s.key, s.ttl, s.value, z.Name)}
		var err error
		if s.remove {
			_, err = z.client.DeleteRecords(ctx, rr.FQDN(z.Name), recs)
		} else {
			_, err = z.client.AppendRecords(ctx, rr.FQDN(z.Name), recs)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// compare says which sets the host didn't bring to their new state, and which
// it altered although nobody asked for that.
func compare(before, after records.Zone, changes []records.Change) error {
	asked := make(map[records.Key]bool, len(changes))
	var errs []error
	for _, c := range changes {
		asked[c.Key] = true
		if err := after.Check([]records.Change{{Key: c.Key, Before: c.After}}); err != nil {
			// Not wrapped: a StaleError says that nothing was written.
			errs = append(errs, fmt.Errorf("after the write: %s", err.Error()))
		}
	}
	for _, s := range before.Sets() {
		if asked[s.Key] {
			continue
		}
		if now, _ := after.Set(s.Key); !now.Equal(s) {
			errs = append(errs, fmt.Errorf("%s changed during the write, though nobody asked for it: look at it at the host", s.Key))
		}
	}
	return errors.Join(errs...)
}
