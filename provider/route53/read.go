package route53

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/route53/octal"
	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// ReadZone returns the zone, in a request for each three hundred sets, besides
// one for the zone's id where it isn't known.
func (c *Client) ReadZone(ctx context.Context, zone records.Name) (records.Zone, error) {
	id, err := c.zoneID(ctx, zone)
	if err != nil {
		return records.Zone{}, err
	}
	r := newReading(zone)
	if err := c.account.list(ctx, id, 0, r.add); err != nil {
		return records.Zone{}, err
	}
	if err := r.check(id); err != nil {
		return records.Zone{}, err
	}
	c.remember(zone, r.stored.unusual())
	return r.result(), nil
}

// list passes on the sets of a hosted zone, at most so many of them a page; 0
// leaves it to the service.
func (a *account) list(ctx context.Context, id string, page int32, each func(*types.ResourceRecordSet)) error {
	api, err := a.client(ctx)
	if err != nil {
		return err
	}
	in := &r53.ListResourceRecordSetsInput{HostedZoneId: &id}
	if page > 0 {
		in.MaxItems = &page
	}
	for {
		out, err := api.ListResourceRecordSets(ctx, in)
		if err != nil {
			return explain("ListResourceRecordSets", err)
		}
		for i := range out.ResourceRecordSets {
			each(&out.ResourceRecordSets[i])
		}
		if !out.IsTruncated || page > 0 {
			return nil
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
}

// forms are the stored forms of values, of those that would be written in
// another form: a DELETE must repeat them, and a foreign value keeps them.
type forms map[records.Key]map[records.Value][]string

func (c *Client) remember(zone records.Name, f forms) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stored == nil {
		c.stored = map[records.Name]forms{}
	}
	c.stored[zone] = f
}

// recall returns the stored forms of a zone; ok is false where it was not read
// since it was written last.
func (c *Client) recall(zone records.Name) (f forms, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok = c.stored[zone]
	return f, ok
}

func (c *Client) forget(zone records.Name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.stored, zone)
}

// reading collects the sets of one zone.
type reading struct {
	zone   records.Name
	recs   []libdns.Record
	fixed  map[records.Key]string
	stored forms
	apex   records.Name // of the SOA
	found  bool
}

func newReading(zone records.Name) *reading {
	return &reading{zone: zone, fixed: map[records.Key]string{}, stored: forms{}}
}

func (r *reading) add(s *types.ResourceRecordSet) {
	key := records.Key{Name: octal.ParseName(aws.ToString(s.Name)), Type: records.Type(s.Type)}
	if key.Type == "SOA" {
		r.apex, r.found = key.Name, true
	}
	if reason := peculiarity(s); reason != "" {
		r.fixed[key] = reason
	}
	if s.AliasTarget != nil {
		r.record(key, s.TTL, "ALIAS "+string(octal.ParseName(aws.ToString(s.AliasTarget.DNSName))))
	}
	for _, v := range s.ResourceRecords {
		value := aws.ToString(v.Value)
		data := decode(key.Type, value)
		r.record(key, s.TTL, data)
		r.keep(key, data, value)
	}
}

func (r *reading) record(k records.Key, ttl *int64, data string) {
	r.recs = append(r.recs, libdns.RR{
		Name: k.Name.Relative(r.zone), Type: string(k.Type), Data: data,
		TTL: time.Duration(aws.ToInt64(ttl)) * time.Second,
	})
}

// keep remembers the stored form of a value. Two forms may be one value.
func (r *reading) keep(k records.Key, data, value string) {
	v, err := records.CanonicalData(k.Type, data)
	if err != nil {
		return // rr.Zone marks what can't be read
	}
	if r.stored[k] == nil {
		r.stored[k] = map[records.Value][]string{}
	}
	r.stored[k][v] = append(r.stored[k][v], value)
}

// unusual leaves out the forms that values would be written in: nearly all.
func (f forms) unusual() forms {
	for k, values := range f {
		maps.DeleteFunc(values, func(v records.Value, stored []string) bool {
			return len(stored) == 1 && stored[0] == encode(k.Type, v)
		})
	}
	maps.DeleteFunc(f, func(_ records.Key, values map[records.Value][]string) bool { return len(values) == 0 })
	return f
}

// check makes sure that this is the zone, and all of it: every hosted zone
// holds an SOA record, which nobody can delete.
func (r *reading) check(id string) error {
	switch {
	case !r.found:
		return fmt.Errorf("the answer for hosted zone %s is incomplete, it has no SOA record: try again", id)
	case r.apex != r.zone:
		return fmt.Errorf("hosted zone %s is %s, not %s: correct zone_id", id, r.apex, r.zone)
	}
	return nil
}

func (r *reading) result() records.Zone {
	z := rr.Zone(r.zone, r.recs)
	var marked []records.RRset
	for key, reason := range r.fixed {
		if s, ok := z.Set(key); ok {
			s.Fixed, s.MixedTTL, s.TTLs = reason, false, nil
			marked = append(marked, s)
		}
	}
	return z.With(marked...)
}

// peculiarity says why a change of values and TTL alone can't write the set;
// empty for an ordinary one.
func peculiarity(s *types.ResourceRecordSet) string {
	switch {
	case s.TrafficPolicyInstanceId != nil:
		return "a traffic policy made it: change that at Route 53"
	case s.SetIdentifier != nil:
		return fmt.Sprintf("it has several versions with a %s routing policy: change it at Route 53, or replace it there by a plain record", policy(s))
	case s.AliasTarget != nil:
		return fmt.Sprintf("it is an alias of %s, which Route 53 answers itself: change it there, or replace it there by a plain record",
			strings.TrimSuffix(aws.ToString(s.AliasTarget.DNSName), "."))
	case s.HealthCheckId != nil:
		return "it depends on a health check: change it at Route 53"
	}
	return ""
}

func policy(s *types.ResourceRecordSet) string {
	switch {
	case s.Weight != nil:
		return "weighted"
	case s.Region != "":
		return "latency"
	case s.Failover != "":
		return "failover"
	case s.GeoLocation != nil:
		return "geolocation"
	case s.GeoProximityLocation != nil:
		return "geoproximity"
	case s.CidrRoutingConfig != nil:
		return "IP-based"
	default:
		return "multivalue answer"
	}
}
