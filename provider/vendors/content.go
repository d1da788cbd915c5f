package vendors

import (
	"fmt"
	"slices"
	"time"

	"github.com/libdns/libdns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// content is a zone as its host holds it.
type content struct {
	negative records.TTL // of the SOA; 0: the host doesn't say
	sets     []set
}

// set is one record set as its host holds it; without records it is absent.
type set struct {
	key     records.Key
	ttl     records.TTL
	mixed   bool // the host holds its records with differing TTLs; ttl is the smallest
	records []record
	fixed   string // why it can't be written faithfully; empty: it can
}

// record is one value as the host spells it.
type record struct {
	text    string // in the form of a zone file: MasterData
	id      string // the host's own, where records have one
	kind    string // the host's own word for the type, where it isn't the type
	comment string // the host's, for people
	ttl     records.TTL
}

// edit takes one set from what it is to what it shall be.
type edit struct {
	old, new set
}

// none reports whether there is nothing to do.
func (e edit) none() bool {
	return e.old.ttl == e.new.ttl && !e.old.mixed &&
		slices.EqualFunc(e.old.records, e.new.records, func(a, b record) bool { return a.text == b.text })
}

// zone returns the record sets in their canonical form. Those that the host
// makes itself are no part of it.
func (c content) zone(name records.Name) records.Zone {
	sets := make([]records.RRset, 0, len(c.sets))
	for _, s := range c.sets {
		if s.key.Type.HostOwned() || !s.key.Name.In(name) {
			continue
		}
		sets = append(sets, s.canonical(name))
	}
	return records.NewZone(name, c.negative, sets...)
}

// canonical reads the values. A set with one that can't be read isn't written,
// since writing would lose it.
func (s set) canonical(zone records.Name) records.RRset {
	values := make([]records.Value, len(s.records))
	fixed := s.fixed
	for i, r := range s.records {
		v, err := records.ParseMasterData(s.key.Type, r.text, zone)
		if err != nil {
			v = records.Value(r.text)
			if fixed == "" {
				fixed = fmt.Sprintf("one of its records can't be read (%v): mend it at the host", err)
			}
		}
		values[i] = v
	}
	out := records.NewRRset(s.key, s.ttl, values...)
	out.Fixed, out.MixedTTL = fixed, s.mixed
	return out
}

// edit returns the way of a change. Values that stay keep their spelling.
func (c content) edit(change records.Change, zone records.Name) edit {
	e := edit{old: set{key: change.Key}, new: set{key: change.Key}}
	if i := slices.IndexFunc(c.sets, func(s set) bool { return s.key == change.Key }); i >= 0 {
		e.old = c.sets[i]
	}
	if change.After == nil {
		return e
	}
	e.new.ttl = change.After.TTL
	for _, r := range e.old.records {
		if v, err := records.ParseMasterData(change.Type, r.text, zone); err == nil && change.After.Has(v) && !e.new.has(v, zone) {
			e.new.records = append(e.new.records, r)
		}
	}
	for _, v := range change.After.Values {
		if !e.new.has(v, zone) {
			e.new.records = append(e.new.records, record{text: records.MasterData(change.Type, v)})
		}
	}
	return e
}

func (s set) has(v records.Value, zone records.Name) bool {
	return slices.ContainsFunc(s.records, func(r record) bool {
		have, err := records.ParseMasterData(s.key.Type, r.text, zone)
		return err == nil && have == v
	})
}

// texts returns the spellings of the values.
func (s set) texts() []string {
	out := make([]string, len(s.records))
	for i, r := range s.records {
		out[i] = r.text
	}
	return out
}

// fromTexts is the way back from texts.
func fromTexts(texts []string) []record {
	out := make([]record, len(texts))
	for i, t := range texts {
		out[i] = record{text: t}
	}
	return out
}

// negativeTTL is how long a resolver may remember that a name is absent, from
// the data and the TTL of an SOA record (RFC 2308 5).
func negativeTTL(soa string, ttl records.TTL) records.TTL {
	record := libdns.RR{Name: "@", Type: "SOA", TTL: time.Duration(ttl) * time.Second, Data: soa}
	return rr.Zone("", []libdns.Record{record}).NegativeTTL
}
