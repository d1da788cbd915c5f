package updatetest

import (
	"cmp"
	"slices"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

// zone is what a server holds. Owners are in lower case.
type zone struct {
	apex string
	soa  *dns.SOA
	sets map[records.Key][]dns.RR // all but the SOA
}

func newZone(apex string) *zone {
	ns := &dns.NS{Hdr: dns.RR_Header{Name: apex, Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 3600}, Ns: "ns.invalid."}
	return &zone{
		apex: apex,
		soa: &dns.SOA{
			Hdr: dns.RR_Header{Name: apex, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 3600},
			Ns:  "ns.invalid.", Mbox: "hostmaster.invalid.", Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: 300,
		},
		sets: map[records.Key][]dns.RR{keyOf(ns): {ns}},
	}
}

// perMessage is how many records a message of a transfer has: few, so that
// small zones need several.
const perMessage = 20

// transfer answers with the whole zone (RFC 5936 2.2).
func (z *zone) transfer(question *dns.Msg, endless bool) []*dns.Msg {
	rrs := []dns.RR{dns.Copy(z.soa)}
	for _, set := range z.sets {
		for _, rr := range set {
			rrs = append(rrs, dns.Copy(rr))
		}
	}
	slices.SortFunc(rrs[1:], func(a, b dns.RR) int {
		return cmp.Or(keyOf(a).Compare(keyOf(b)), cmp.Compare(a.String(), b.String()))
	})
	if !endless {
		rrs = append(rrs, dns.Copy(z.soa))
	}
	var answers []*dns.Msg
	for part := range slices.Chunk(rrs, perMessage) {
		m := new(dns.Msg).SetReply(question)
		m.Authoritative, m.Answer = true, part
		answers = append(answers, m)
	}
	return answers
}

// zoneSection is RFC 2136 3.1.
func zoneSection(m *dns.Msg) (rcode int) {
	if q := m.Question[0]; q.Qtype != dns.TypeSOA || q.Qclass != dns.ClassINET {
		return dns.RcodeFormatError
	}
	return dns.RcodeSuccess
}

// prerequisites is RFC 2136 3.2.5. The zone that they meet may have another
// serial than a transfer shows.
func (z *zone) prerequisites(m *dns.Msg, otherSerial bool) (rcode int) {
	stated := make(map[records.Key][]dns.RR)
	for _, rr := range m.Answer {
		h := rr.Header()
		switch {
		case h.Ttl != 0:
			return dns.RcodeFormatError
		case !dns.IsSubDomain(z.apex, dns.CanonicalName(h.Name)):
			return dns.RcodeNotZone
		case h.Class == dns.ClassINET:
			stated[keyOf(rr)] = append(stated[keyOf(rr)], rr)
			continue
		case h.Rdlength != 0 || h.Class != dns.ClassANY && h.Class != dns.ClassNONE:
			return dns.RcodeFormatError
		}
		if rcode := z.existence(h); rcode != dns.RcodeSuccess {
			return rcode
		}
	}
	for k, want := range stated {
		have := z.at(k)
		if k.Type == "SOA" && otherSerial && len(have) == 1 {
			raw := *z.soa
			raw.Serial += 100
			have = []dns.RR{&raw}
		}
		if !sameRRs(have, want) {
			return dns.RcodeNXRrset
		}
	}
	return dns.RcodeSuccess
}

// existence judges a prerequisite without data.
func (z *zone) existence(h *dns.RR_Header) (rcode int) {
	set := keyOf(&dns.ANY{Hdr: *h})
	exists, missing, there := len(z.at(set)) > 0, dns.RcodeNXRrset, dns.RcodeYXRrset
	if h.Rrtype == dns.TypeANY {
		exists, missing, there = z.inUse(set.Name), dns.RcodeNameError, dns.RcodeYXDomain
	}
	switch {
	case h.Class == dns.ClassANY && !exists:
		return missing
	case h.Class == dns.ClassNONE && exists:
		return there
	}
	return dns.RcodeSuccess
}

// at returns a set, that of the SOA too.
func (z *zone) at(k records.Key) []dns.RR {
	if k == keyOf(z.soa) {
		return []dns.RR{z.soa}
	}
	return z.sets[k]
}

func (z *zone) inUse(n records.Name) bool {
	for k := range z.sets {
		if k.Name == n {
			return true
		}
	}
	return false
}

// sameRRs compares sets by their data, strings of a text one by one.
func sameRRs(a, b []dns.RR) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(rr dns.RR) bool { return indexRR(b, rr) < 0 })
}

// indexRR returns the place of a record with the same data, or -1.
func indexRR(rrs []dns.RR, rr dns.RR) int {
	plain := func(rr dns.RR) dns.RR {
		c := dns.Copy(rr)
		c.Header().Class, c.Header().Ttl = dns.ClassINET, 0
		return c
	}
	return slices.IndexFunc(rrs, func(have dns.RR) bool { return dns.IsDuplicate(plain(have), plain(rr)) })
}

// prescan is RFC 2136 3.4.1.3.
func (z *zone) prescan(m *dns.Msg) (rcode int) {
	for _, rr := range m.Ns {
		h := rr.Header()
		meta := h.Rrtype >= 128 && h.Rrtype < dns.TypeANY // AXFR, MAILA, MAILB
		switch {
		case !dns.IsSubDomain(z.apex, dns.CanonicalName(h.Name)):
			return dns.RcodeNotZone
		case h.Class == dns.ClassINET && !meta && h.Rrtype != dns.TypeANY && h.Rdlength > 0:
		case h.Class == dns.ClassANY && h.Ttl == 0 && h.Rdlength == 0 && !meta:
		case h.Class == dns.ClassNONE && h.Ttl == 0 && !meta && h.Rrtype != dns.TypeANY:
		default:
			return dns.RcodeFormatError
		}
	}
	return dns.RcodeSuccess
}

// update is RFC 2136 3.4.2.7. Where it changes nothing the serial stays.
func (z *zone) update(m *dns.Msg) {
	changed := false
	for _, rr := range m.Ns {
		switch rr.Header().Class {
		case dns.ClassINET:
			changed = z.add(rr) || changed
		case dns.ClassANY:
			changed = z.removeSets(rr.Header()) || changed
		case dns.ClassNONE:
			changed = z.remove(rr) || changed
		}
	}
	if changed {
		z.soa.Serial++
	}
}

// add adds a record, or gives it and its set another TTL. A CNAME beside
// others, or what would stand beside one, is ignored, as is a SOA.
func (z *zone) add(rr dns.RR) bool {
	k := keyOf(rr)
	for other := range z.sets {
		if other.Name == k.Name && other.Type != k.Type && (k.Type == records.TypeCNAME || other.Type == records.TypeCNAME) {
			return false
		}
	}
	if k.Type == "SOA" {
		return false
	}
	rr = dns.Copy(rr)
	set := slices.Clone(z.sets[k])
	switch i := indexRR(set, rr); {
	case i >= 0 && set[i].Header().Ttl == rr.Header().Ttl:
		return false
	case i < 0 && k.Type == records.TypeCNAME:
		set = []dns.RR{rr} // RFC 2136 3.4.2.2
	case i < 0:
		set = append(set, rr)
	}
	for i := range set {
		set[i] = dns.Copy(set[i])
		set[i].Header().Ttl = rr.Header().Ttl
	}
	z.sets[k] = set
	return true
}

// removeSets removes a set or all of a name; the zone's own name servers stay.
func (z *zone) removeSets(h *dns.RR_Header) bool {
	asked := keyOf(&dns.ANY{Hdr: *h})
	changed := false
	for k := range z.sets {
		if k.Name != asked.Name || h.Rrtype != dns.TypeANY && k.Type != asked.Type || z.isOwn(k) {
			continue
		}
		delete(z.sets, k)
		changed = true
	}
	return changed
}

func (z *zone) isOwn(k records.Key) bool {
	return k.Type == records.TypeNS && string(k.Name)+"." == z.apex
}

func (z *zone) remove(rr dns.RR) bool {
	k := keyOf(rr)
	i := indexRR(z.sets[k], rr)
	if i < 0 || z.isOwn(k) && len(z.sets[k]) == 1 {
		return false
	}
	z.sets[k] = slices.Delete(slices.Clone(z.sets[k]), i, i+1)
	if len(z.sets[k]) == 0 {
		delete(z.sets, k)
	}
	return true
}
