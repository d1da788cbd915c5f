package route53

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/attunelogic/maildns/provider/route53/octal"
	"github.com/attunelogic/maildns/records"
)

// Quotas of one batch and of one value, which count quotation marks and
// escapes ("Quotas" in the Developer Guide; ResourceRecord in the API
// Reference).
const (
	maxValues     = 1000
	maxCharacters = 32000
	maxValue      = 4000
)

// Transact makes all changes in one batch, or none: it deletes the sets as they
// were read and creates them as they are to be, and the service refuses both
// where a value or TTL is no longer that. The error then wraps a
// *records.StaleError. It returns when all servers have the change, or when
// that takes too long; Settings.Tell is told.
//
// The zone is read first only where this client has not read it since it wrote
// it last.
func (c *Client) Transact(ctx context.Context, zone records.Name, changes []records.Change) error {
	changes = effective(changes)
	if len(changes) == 0 {
		return nil
	}
	id, err := c.zoneID(ctx, zone)
	if err != nil {
		return err
	}
	stored, ok := c.recall(zone)
	if !ok {
		if stored, err = c.compare(ctx, zone, changes); err != nil {
			return err
		}
	}
	defer c.forget(zone)
	batch, err := stored.batch(changes)
	if err != nil {
		return err
	}
	made, err := c.account.change(ctx, id, batch)
	if err == nil {
		c.account.await(ctx, zone, made)
		return nil
	}
	if errors.As(err, new(*types.InvalidChangeBatch)) {
		return c.refused(ctx, zone, id, changes, stored, err)
	}
	return err
}

// refused finds out why the service refused a batch. Where a value has changed
// its form alone, the changes are tried once more.
func (c *Client) refused(ctx context.Context, zone records.Name, id string, changes []records.Change, sent forms, refusal error) error {
	now, err := c.compare(ctx, zone, changes)
	if err != nil {
		if errors.As(err, new(*records.StaleError)) {
			return err
		}
		return errors.Join(refusal, err)
	}
	if sent.same(now, changes) {
		return refusal
	}
	batch, err := now.batch(changes)
	if err != nil {
		return err
	}
	made, err := c.account.change(ctx, id, batch)
	if err != nil {
		return err
	}
	c.account.await(ctx, zone, made)
	return nil
}

// compare reads the zone and holds it against what the changes expect.
func (c *Client) compare(ctx context.Context, zone records.Name, changes []records.Change) (forms, error) {
	live, err := c.ReadZone(ctx, zone)
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		if s, _ := live.Set(change.Key); s.Fixed != "" {
			return nil, fmt.Errorf("%s can't be changed: %s", s.Key, s.Fixed)
		}
	}
	if err := live.Check(changes); err != nil {
		return nil, err
	}
	stored, _ := c.recall(zone)
	return stored, nil
}

func (a *account) change(ctx context.Context, id string, batch []types.Change) (*types.ChangeInfo, error) {
	api, err := a.client(ctx)
	if err != nil {
		return nil, err
	}
	in := &r53.ChangeResourceRecordSetsInput{HostedZoneId: &id, ChangeBatch: &types.ChangeBatch{Changes: batch}}
	out, err := api.ChangeResourceRecordSets(ctx, in, func(o *r53.Options) {
		o.Retryer = a.settings.retryer(refusals, a.pacer)
	})
	if err != nil {
		return nil, explain("ChangeResourceRecordSets", err)
	}
	return out.ChangeInfo, nil
}

// effective returns the changes that change something, in the order of keys.
func effective(changes []records.Change) []records.Change {
	out := slices.DeleteFunc(slices.Clone(changes), func(c records.Change) bool {
		if c.Before == nil || c.After == nil {
			return c.Before == c.After
		}
		return c.Before.Equal(*c.After)
	})
	slices.SortFunc(out, func(a, b records.Change) int { return a.Compare(b.Key) })
	return out
}

// batch turns changes into those of the API. All that goes does so first: a
// CNAME can't be created beside what is still there.
func (f forms) batch(changes []records.Change) ([]types.Change, error) {
	var gone, made []types.Change
	for _, c := range changes {
		if c.Before != nil {
			gone = append(gone, types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: f.set(c.Before)})
		}
		if c.After != nil {
			set := f.set(c.After)
			if err := checkSet(c.Key, set); err != nil {
				return nil, err
			}
			made = append(made, types.Change{Action: types.ChangeActionCreate, ResourceRecordSet: set})
		}
	}
	return append(gone, made...), nil
}

func checkSet(k records.Key, s *types.ResourceRecordSet) error {
	for _, v := range s.ResourceRecords {
		if n := len(aws.ToString(v.Value)); n > maxValue {
			return fmt.Errorf("%s: a value has %d characters in the form of Route 53, with its quotation marks and escapes; at most %d are possible", k, n, maxValue)
		}
	}
	return nil
}

// set is a set for the API, its values in the form that they are stored in.
func (f forms) set(s *records.RRset) *types.ResourceRecordSet {
	out := &types.ResourceRecordSet{
		Name: aws.String(octal.Name(s.Name)), Type: types.RRType(s.Type), TTL: aws.Int64(int64(s.TTL)),
	}
	for _, v := range s.Values {
		for _, text := range f.values(s.Key, v) {
			out.ResourceRecords = append(out.ResourceRecords, types.ResourceRecord{Value: &text})
		}
	}
	return out
}

func (f forms) values(k records.Key, v records.Value) []string {
	if stored := f[k][v]; len(stored) > 0 {
		return stored
	}
	return []string{encode(k.Type, v)}
}

// same reports whether both have the same forms for the sets of the changes.
func (f forms) same(o forms, changes []records.Change) bool {
	return !slices.ContainsFunc(changes, func(c records.Change) bool {
		return !maps.EqualFunc(f[c.Key], o[c.Key], slices.Equal[[]string])
	})
}

// size is what the quotas of a batch count.
type size struct{ values, characters int }

func (s size) plus(o size) size { return size{s.values + o.values, s.characters + o.characters} }

func (s size) fits() bool { return s.values <= maxValues && s.characters <= maxCharacters }

func (f forms) size(c records.Change) (n size) {
	for _, side := range []*records.RRset{c.Before, c.After} {
		if side == nil {
			continue
		}
		for _, v := range side.Values {
			for _, text := range f.values(c.Key, v) {
				n = n.plus(size{1, len(text)})
			}
		}
	}
	return n
}

// Split cuts the changes into batches that the quotas admit, in the order of
// names. What changes at one name stays together: the way from a CNAME to
// another type has no state in between.
func (c *Client) Split(changes []records.Change) [][]records.Change {
	var batches [][]records.Change
	var total size
	for _, group := range byName(changes) {
		n := size{}
		for _, change := range group {
			stored, _ := c.recall(c.zone)
			n = n.plus(stored.size(change))
		}
		if len(batches) == 0 || !total.plus(n).fits() {
			batches, total = append(batches, nil), size{}
		}
		last := &batches[len(batches)-1]
		*last, total = append(*last, group...), total.plus(n)
	}
	return batches
}

// byName groups changes by their names, in the order of keys.
func byName(changes []records.Change) (groups [][]records.Change) {
	for _, c := range effective(changes) {
		if n := len(groups); n > 0 && groups[n-1][0].Name == c.Name {
			groups[n-1] = append(groups[n-1], c)
		} else {
			groups = append(groups, []records.Change{c})
		}
	}
	return groups
}
