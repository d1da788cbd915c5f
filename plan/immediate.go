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
	if adds(before, after) || len(after) > 0 && mends(kind, typ, before, after) {
		return true
	}
	switch kind {
	case records.KindSPF:
		return widens(taken(kind, before), taken(kind, after))
	case records.KindDMARC:
		return loosens(taken(kind, before), taken(kind, after))
	default:
		return false
	}
}

// adds reports whether after keeps all of before.
func adds(before, after []records.Value) bool {
	return !slices.ContainsFunc(before, func(v records.Value) bool { return !slices.Contains(after, v) })
}

// mends reports whether receivers can use none of the values that go, or none
// at all, since a name may have one such record only: RFC 7208 4.5, RFC 6376
// 3.6.2.2, RFC 9989 4.10, RFC 8461 3.1, RFC 8460 3.
func mends(kind records.Kind, typ records.Type, before, after []records.Value) bool {
	if typ == records.TypeTXT && kind != records.KindRecord && len(taken(kind, before)) > 1 && len(taken(kind, after)) == 1 {
		return true
	}
	return !slices.ContainsFunc(before, func(v records.Value) bool {
		return !slices.Contains(after, v) && Usable(kind, typ, v)
	})
}

// taken are the values that receivers take for a record of the kind.
func taken(kind records.Kind, values []records.Value) []records.Value {
	return slices.DeleteFunc(slices.Clone(values), func(v records.Value) bool {
		return kind == records.KindSPF && !spf.IsSPF(string(v)) || kind == records.KindDMARC && !records.IsDMARC(string(v))
	})
}

// Usable reports whether receivers can use a live value for anything: it parses
// and, as a DKIM key, it can verify. What an alias or an address leads to isn't
// known here and counts as usable.
func Usable(kind records.Kind, typ records.Type, v records.Value) bool {
	if typ != records.TypeTXT && typ != records.TypeMX {
		return true
	}
	switch kind {
	case records.KindDKIM:
		key, err := records.ParseDKIM(v)
		return err == nil && key.Verifies()
	case records.KindDMARC:
		return usableDMARC(v)
	}
	_, err := records.Reprint(kind, v)
	return err == nil
}

// usableDMARC reports whether no policy of a record is invalid, which would
// disarm all of it (RFC 9989 4.10.1).
func usableDMARC(v records.Value) bool {
	r, err := records.ParseDMARC(string(v))
	return err == nil && !slices.ContainsFunc(r.Problems, func(p records.TagProblem) bool {
		return p.Problem == records.ProblemValue && slices.Contains([]string{"p", "sp", "np"}, p.Tag.Name)
	})
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
// it or the rest of the world a stricter qualifier. What a redirect leads to
// isn't known: it may make the rest fail, or have let it pass.
func Narrows(old, now *spf.Record) bool {
	rest := restOf(now, spf.Fail)
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
	return rest > restOf(old, spf.Neutral) && !sameRedirect(old, now) || takesAway(old, now)
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

// restOf is what the record says about addresses that no term names, and
// unknown where it leaves that to a redirect.
func restOf(r *spf.Record, unknown spf.Qualifier) spf.Qualifier {
	q, has := r.All()
	if _, redirects := r.Find(spf.Redirect); redirects && !has {
		return unknown
	}
	return q
}

// sameRedirect reports whether both records leave the rest to the same one.
func sameRedirect(a, b *spf.Record) bool {
	_, hasA := a.All()
	_, hasB := b.All()
	from, okA := a.Find(spf.Redirect)
	to, okB := b.Find(spf.Redirect)
	return !hasA && !hasB && okA && okB && from.Key() == to.Key()
}

// loosens reports whether some mail fares better under the new DMARC record
// and none fares worse. A record that goes loosens what it said.
func loosens(before, after []records.Value) bool {
	if len(before) != 1 || len(after) > 1 {
		return false
	}
	old, err := records.ParseDMARC(string(before[0]))
	if err != nil {
		return false
	}
	if len(after) == 0 {
		return old.Reach() != records.Reach{}
	}
	now, err := records.ParseDMARC(string(after[0]))
	if err != nil || !now.Reach().NoStricterThan(old.Reach()) || stricter(old, now) {
		return false
	}
	return !old.Reach().NoStricterThan(now.Reach()) || stricter(now, old)
}

// stricter reports whether alignment is stricter in the second record.
func stricter(a, b records.DMARCRecord) bool {
	return b.ADKIM.Strict() && !a.ADKIM.Strict() || b.ASPF.Strict() && !a.ASPF.Strict()
}
