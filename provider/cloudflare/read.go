package cloudflare

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/libdns/cloudflare"
	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

const (
	// autoTTL is how the API says that it chooses the TTL itself.
	autoTTL = 1
	// negativeTTL is the minimum of the SOA that Cloudflare makes. An
	// Enterprise zone may have another; asking would cost a request a zone.
	negativeTTL records.TTL = 1800
)

// listing is a zone as it was read: its sets, and the records that they are
// made of.
type listing struct {
	zone records.Zone
	at   time.Time
	// members are the records of each set, in the order of their ids.
	members map[records.Key][]member
}

// member is one record of a set.
type member struct {
	id    string
	value records.Value
	ttl   records.TTL
}

// errMoving says that a zone was changed between the requests for its pages.
var errMoving = errors.New("the zone is being changed by somebody else while it is read: try again")

// list reads a zone. Where it changed between two pages it is read once more.
func (h *host) list(ctx context.Context, z zone) (listing, error) {
	l, err := h.listOnce(ctx, z)
	if errors.Is(err, errMoving) {
		l, err = h.listOnce(ctx, z)
	}
	return l, err
}

func (h *host) listOnce(ctx context.Context, z zone) (listing, error) {
	name := records.CanonicalName(z.Name)
	s := &shim{api: h.api, zone: z}
	library := cloudflare.Provider{APIToken: h.api.token, HTTPClient: s}
	recs, err := library.GetRecords(ctx, rr.FQDN(name))
	switch {
	case err != nil:
		return listing{}, err
	case len(recs) != len(s.records):
		return listing{}, fmt.Errorf("libdns/cloudflare made %d records of %d", len(recs), len(s.records))
	case !s.whole():
		return listing{}, errMoving
	}
	l := listing{at: h.now(), members: make(map[records.Key][]member, len(recs))}
	for i, r := range s.records {
		recs[i] = normalise(r, recs[i].RR())
	}
	l.zone = zoneOf(name, recs, s.records)
	l.gather(s.records, recs)
	return l, nil
}

// normalise puts right what the library made of a record.
func normalise(r record, seen libdns.RR) libdns.RR {
	seen.Name, seen.Type = rr.FQDN(records.CanonicalName(r.Name)), strings.ToUpper(r.Type)
	switch seen.Type {
	case "TXT":
		seen.Data = textOf(seen.Data)
	case "SRV":
		seen.Data = serviceOf(r)
	case "SVCB", "HTTPS":
		seen.Data = r.Content
	}
	return seen
}

// textOf reads the content of a TXT record, from which the library has taken
// the outer quotes and nothing else: `one" "two\255`. Old records may have been
// stored without quotes, as what they say.
func textOf(content string) string {
	v, err := records.ParseMasterData(records.TypeTXT, `"`+content+`"`, "")
	if err != nil {
		return content
	}
	return string(v)
}

// serviceOf is an SRV record's data: the API's content leaves the priority out.
func serviceOf(r record) string {
	var d struct {
		Priority, Weight, Port uint16
		Target                 string
	}
	if err := json.Unmarshal(r.Data, &d); err != nil {
		return r.Content // which makes the set one that isn't written
	}
	return fmt.Sprintf("%d %d %d %s", d.Priority, d.Weight, d.Port, d.Target)
}

// zoneOf makes sets of the records.
func zoneOf(name records.Name, recs []libdns.Record, raw []record) records.Zone {
	z := rr.Zone(name, recs)
	z.NegativeTTL = negativeTTL
	fixed := make(map[records.Key]string)
	for i, r := range raw {
		if why := whyFixed(r); why != "" {
			fixed[rr.Key(recs[i].RR(), name)] = why
		}
	}
	var changed []records.RRset
	for s := range z.All() {
		why, isFixed := fixed[s.Key]
		if !isFixed && s.TTL != autoTTL {
			continue // the automatic TTL is the smallest number: no value has it
		}
		s.Fixed = cmp.Or(why, s.Fixed)
		changed = append(changed, withAutoTTL(s))
	}
	return z.With(changed...)
}

// withAutoTTL puts the word for an automatic TTL where the API's number is.
func withAutoTTL(s records.RRset) records.RRset {
	if s.TTL != autoTTL {
		return s
	}
	// TTLs holds what differs from the smallest, so never the automatic one.
	s.TTL = records.AutoTTL
	return s
}

// whyFixed says why a record can't be written, or nothing.
func whyFixed(r record) string {
	switch {
	case r.Meta.EmailRouting:
		return fmt.Sprintf("the record %q belongs to Cloudflare's Email Routing: switch that off for the zone first", r.Content)
	case r.Meta.ReadOnly, r.Locked:
		return fmt.Sprintf("the record %q is read-only at Cloudflare, since another of its products made it: change it there", r.Content)
	case r.Proxied:
		return fmt.Sprintf("the record %q is proxied, so that the world sees other data than the zone holds: set it to \"DNS only\" at Cloudflare first", r.Content)
	}
	return ""
}

// gather keeps the records of each set.
func (l *listing) gather(raw []record, recs []libdns.Record) {
	for i, rec := range recs {
		seen := rec.RR()
		key := rr.Key(seen, l.zone.Name)
		value, err := records.CanonicalData(key.Type, seen.Data)
		if _, there := l.zone.Set(key); err != nil || !there {
			continue
		}
		l.members[key] = append(l.members[key], member{raw[i].ID, value, ttlOf(raw[i])})
	}
}

func ttlOf(r record) records.TTL {
	if r.TTL == autoTTL {
		return records.AutoTTL
	}
	return records.TTL(r.TTL)
}
