package records

import (
	"fmt"
	"slices"
	"strings"
)

// Limits are what a DNS host can store and how fast it may be asked. Zero means
// that there is no limit beyond those of DNS.
type Limits struct {
	// Transactional: the changes of one write happen together or not at all.
	Transactional bool
	// PerValueTTL: the host stores a TTL with each value, not with the set.
	// RRset.TTLs then has those that differ, and a write leaves a value alone
	// that has the same TTLOf before and after.
	PerValueTTL bool
	// ReplacesSets: SetRecords of its library leaves exactly the given values
	// in a set. Where it is false, values are added and deleted one by one.
	ReplacesSets bool

	MinTTL   TTL
	AutoTTL  bool   // the host can choose the TTL itself
	MaxTXT   int    // bytes of one TXT value
	MaxSet   int    // bytes of all values of a set
	MaxBatch int    // record changes in one transaction
	Types    []Type // those it can hold; empty: all
	Requests Rate
}

// Rate is a host's request budget: so many a second in the long run, and so
// many at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// StoredTTL returns the TTL that the host will hold when ttl is asked for.
func (l Limits) StoredTTL(ttl TTL) TTL {
	if ttl == AutoTTL && l.AutoTTL {
		return ttl
	}
	return max(ttl, l.MinTTL)
}

// maxTXT is what fits into the 65,535 bytes of RDATA (RFC 1035 3.2.1) when
// each 255 bytes need one more for their length.
const maxTXT = 65535 - 65535/256

// Check says why the host couldn't hold the set that a change leads to, or
// nil. The TTL is not judged but for its range: see StoredTTL.
func (l Limits) Check(s RRset) error {
	switch {
	case len(l.Types) > 0 && !slices.Contains(l.Types, s.Type):
		return fmt.Errorf("%s: this host has no %s records, only %s", s.Key, s.Type, joinTypes(l.Types))
	case s.TTL == AutoTTL && !l.AutoTTL:
		return fmt.Errorf("%s: this host chooses no TTL itself: declare a ttl", s.Key)
	case s.TTL != AutoTTL && s.TTL > MaxTTL:
		return fmt.Errorf("%s: a TTL of %d seconds is more than %d (RFC 2181 8)", s.Key, s.TTL, MaxTTL)
	}
	return l.checkSizes(s)
}

func (l Limits) checkSizes(s RRset) error {
	most := maxTXT
	if l.MaxTXT > 0 {
		most = l.MaxTXT
	}
	total := 0
	for _, v := range s.Values {
		if s.Type == TypeTXT && len(v) > most {
			return fmt.Errorf("%s: a value has %d bytes, this host holds at most %d: shorten it, or publish it by CNAME elsewhere", s.Key, len(v), most)
		}
		total += len(v)
	}
	if l.MaxSet > 0 && total > l.MaxSet {
		return fmt.Errorf("%s: its values have %d bytes together, this host holds at most %d: remove values that nobody needs", s.Key, total, l.MaxSet)
	}
	return nil
}

func joinTypes(types []Type) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}
