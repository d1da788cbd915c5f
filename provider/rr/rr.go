// Package rr converts between record sets and the records of libdns.
package rr

import (
	"cmp"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/records"
)

// FQDN is how every libdns implementation accepts a zone's name.
func FQDN(n records.Name) string { return string(n) + "." }

// Key names the set that a record belongs to.
func Key(r libdns.RR, zone records.Name) records.Key {
	return records.Key{Name: absolute(r.Name, zone), Type: records.Type(strings.ToUpper(r.Type))}
}

// absolute turns a record's name, relative to its zone, into an absolute one.
// libdns.AbsoluteName doubles names and RelativeName cuts inside labels, so
// neither is used.
func absolute(name string, zone records.Name) records.Name {
	switch {
	case name == "" || name == "@":
		return zone
	case strings.HasSuffix(name, "."):
		return records.CanonicalName(name)
	default:
		return records.CanonicalName(name + "." + string(zone))
	}
}

// Zone builds the canonical zone out of what a library read. Records that
// the host makes itself are set aside. A record that can't be read makes its
// set one that isn't written, since writing would lose it.
func Zone(zone records.Name, recs []libdns.Record) records.Zone {
	var negative records.TTL
	sets := make(map[records.Key]records.RRset)
	for _, rec := range recs {
		rr := rec.RR()
		key := Key(rr, zone)
		if key.Type == "SOA" {
			negative = negativeTTL(rr)
		}
		if key.Type.HostOwned() || !key.Name.In(zone) {
			continue
		}
		sets[key] = join(sets[key], key, rr)
	}
	all := make([]records.RRset, 0, len(sets))
	for _, s := range sets {
		all = append(all, s.Hold(s.Values...))
	}
	return records.NewZone(zone, negative, all...)
}

// join adds one record to its set.
func join(s records.RRset, key records.Key, rr libdns.RR) records.RRset {
	s.Key = key
	value, err := records.CanonicalData(key.Type, rr.Data)
	if err != nil {
		value = records.Value(rr.Data)
		s.Fixed = cmp.Or(s.Fixed, fmt.Sprintf("one of its records can't be read (%v): mend it at the host", err))
	}
	return Join(s, value, TTL(rr.TTL))
}

// Join adds a value with its own TTL to a set whose values need not be in order
// yet: the set's TTL is the smallest, TTLs has the others.
func Join(s records.RRset, v records.Value, ttl records.TTL) records.RRset {
	if len(s.Values) == 0 {
		s.TTL = ttl
	}
	if s.TTL != ttl {
		s.MixedTTL = true
		ttls := make(map[records.Value]records.TTL, len(s.Values)+1)
		for _, have := range s.Values {
			ttls[have] = s.TTLOf(have)
		}
		ttls[v] = ttl
		s.TTL = min(s.TTL, ttl)
		maps.DeleteFunc(ttls, func(_ records.Value, t records.TTL) bool { return t == s.TTL })
		s.TTLs = ttls
	}
	s.Values = append(s.Values, v)
	return s
}

// TTL returns whole seconds, as libdns asks for.
func TTL(d time.Duration) records.TTL {
	return records.TTL(min(max(d/time.Second, 0), time.Duration(records.MaxTTL)))
}

// negativeTTL reads `mname rname serial refresh retry expire minimum`
// (RFC 2308 5).
func negativeTTL(soa libdns.RR) records.TTL {
	const minimum = 6
	fields := strings.Fields(soa.Data)
	if len(fields) <= minimum {
		return 0
	}
	n, err := strconv.ParseUint(fields[minimum], 10, 31)
	if err != nil {
		return 0
	}
	return min(TTL(soa.TTL), records.TTL(n))
}

// Records returns a set as libdns wants it: the type's own struct where the
// library has one, since some implementations accept nothing else.
func Records(s records.RRset, zone records.Name) []libdns.Record {
	recs := make([]libdns.Record, len(s.Values))
	for i, v := range s.Values {
		recs[i] = Record(s.Key, s.TTLOf(v), v, zone)
	}
	return recs
}

// Record returns one value of a set.
func Record(k records.Key, ttl records.TTL, v records.Value, zone records.Name) libdns.Record {
	rr := libdns.RR{
		Name: k.Name.Relative(zone),
		TTL:  time.Duration(ttl) * time.Second,
		Type: string(k.Type),
		Data: records.AbsoluteData(k.Type, v),
	}
	parsed, err := rr.Parse()
	if err != nil {
		return rr // legal data that libdns has no struct for
	}
	return parsed
}
