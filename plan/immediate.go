package plan

import (
	"slices"

	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// Immediate reports whether a change of one kind's values needs no lowering of
// the TTL before it: a pure addition, widening SPF (merging two records into
// one is widening), loosening DMARC, and mending, which replaces a live value
// that is broken by itself. None of them can make mail fare worse than the old
// value in a cache does.
func Immediate(kind records.Kind, typ records.Type, before, after []records.Value) bool {
	if adds(before, after) || broken(kind, typ, before) && len(after) > 0 {
		return true
	}
	switch kind {
	case records.KindSPF:
		return widens(before, after)
	case records.KindDMARC:
		return loosens(before, after)
	default:
		return false
	}
}

// adds reports whether after keeps all of before.
func adds(before, after []records.Value) bool {
	return !slices.ContainsFunc(before, func(v records.Value) bool { return !slices.Contains(after, v) })
}

// broken reports whether receivers can't use the live values at all.
func broken(kind records.Kind, typ records.Type, values []records.Value) bool {
	for _, v := range values {
		if !Usable(kind, typ, v) {
			return true
		}
	}
	return len(values) > 1 && (kind == records.KindSPF || kind == records.KindDMARC)
}

// Usable reports whether receivers can use a live value for anything: it parses
// and, as a DKIM key, it can verify. What an alias or an address leads to isn't
// known here and counts as usable.
func Usable(kind records.Kind, typ records.Type, v records.Value) bool {
	if typ != records.TypeTXT && typ != records.TypeMX {
		return true
	}
	if kind == records.KindDKIM {
		key, err := records.ParseDKIM(v)
		return err == nil && key.Verifies()
	}
	_, err := records.Reprint(kind, v)
	return err == nil
}

// widens reports whether every address fares at least as well under the new
// record as under the old one, as far as the terms themselves tell.
func widens(before, after []records.Value) bool {
	if len(before) != 1 || len(after) != 1 {
		return false
	}
	old, err1 := spf.Parse(string(before[0]))
	now, err2 := spf.Parse(string(after[0]))
	if err1 != nil || err2 != nil {
		return false
	}
	return !Narrows(old, now)
}

// Narrows reports whether the new record drops a term of the old one, or gives
// it or the rest of the world a stricter qualifier.
func Narrows(old, now *spf.Record) bool {
	rest := restOf(now)
	kept := make(map[string]spf.Qualifier, len(now.Terms))
	for _, t := range now.Live() {
		kept[authority(t)] = t.Qualifier
	}
	for _, t := range old.Live() {
		if t.Kind == spf.All {
			continue
		}
		q, ok := kept[authority(t)]
		if !ok {
			q = rest
		}
		if q > t.Qualifier {
			return true
		}
	}
	return rest > restOf(old) || takesAway(old, now)
}

// takesAway reports whether the new record has a mechanism that is not a pass
// and that the old one lacks: standing before others, it takes from them.
func takesAway(old, now *spf.Record) bool {
	for _, t := range now.Live() {
		if t.Kind != spf.All && t.Qualifier != spf.Pass &&
			!slices.ContainsFunc(old.Live(), func(o spf.Term) bool {
				return o.Key() == t.Key() && o.Qualifier >= t.Qualifier
			}) {
			return true
		}
	}
	return false
}

// authority is the key of a term by the addresses that it authorises: a
// redirect passes what an include of the same domain passes.
func authority(t spf.Term) string {
	if t.Kind == spf.Redirect {
		t.Kind = spf.Include
	}
	return t.Key()
}

// restOf is what the record says about addresses that no term names.
func restOf(r *spf.Record) spf.Qualifier {
	q, _ := r.All()
	return q
}

// loosens reports whether some mail fares better under the new DMARC record
// and none fares worse.
func loosens(before, after []records.Value) bool {
	if len(before) != 1 || len(after) > 1 {
		return false
	}
	old, err := records.ParseDMARC(string(before[0]))
	if err != nil {
		return false
	}
	if len(after) == 0 {
		return true
	}
	now, err := records.ParseDMARC(string(after[0]))
	if err != nil {
		return false
	}
	aligned := (old.ADKIM.Strict() || !now.ADKIM.Strict()) && (old.ASPF.Strict() || !now.ASPF.Strict())
	return aligned && now.Reach().NoStricterThan(old.Reach()) && !old.Reach().NoStricterThan(now.Reach())
}
