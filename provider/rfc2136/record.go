package rfc2136

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/rr"
	"github.com/attunelogic/maildns/records"
)

// record is an RR as libdns has it: a TXT as one string of bytes, any other
// data as a zone file has it.
func record(r dns.RR) libdns.RR {
	h := r.Header()
	out := libdns.RR{Name: h.Name, TTL: time.Duration(h.Ttl) * time.Second, Type: dns.Type(h.Rrtype).String()}
	if txt, ok := r.(*dns.TXT); ok {
		out.Data = unescape(strings.Join(txt.Txt, ""))
		return out
	}
	// What precedes the data is separated by tabs; those of a name are escaped.
	const fieldsBefore = 4
	parts := strings.SplitN(r.String(), "\t", fieldsBefore+1)
	out.Data = parts[len(parts)-1]
	return out
}

// unescape takes back how the library shows bytes: \DDD in decimal, and a
// backslash before quotes and backslashes (RFC 1035 5.1).
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		case i+3 < len(s) && isDigit(s[i+1]) && isDigit(s[i+2]) && isDigit(s[i+3]):
			b.WriteByte((s[i+1]-'0')*100 + (s[i+2]-'0')*10 + s[i+3] - '0')
			i += 3
		default:
			b.WriteByte(s[i+1])
			i++
		}
	}
	return b.String()
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// value is the canonical value of an RR.
func value(r dns.RR) (records.Value, error) {
	rec := record(r)
	return records.CanonicalData(records.Type(rec.Type), rec.Data)
}

func key(r dns.RR) records.Key {
	h := r.Header()
	return records.Key{Name: records.CanonicalName(h.Name), Type: records.Type(dns.Type(h.Rrtype).String())}
}

// newRR is a value of a set as an RR, its text cut after every 255 bytes. What
// would arrive as another value is an error.
func newRR(k records.Key, ttl records.TTL, v records.Value) (dns.RR, error) {
	text := fmt.Sprintf("%s %d IN %s %s", rr.FQDN(k.Name), ttl, k.Type, records.MasterData(k.Type, v))
	r, err := dns.NewRR(text)
	if err != nil || r == nil {
		return nil, fmt.Errorf("%s: %q can't be written as a record: %w", k, records.EscapeValue(v), err)
	}
	if got, err := value(r); err != nil || got != v || key(r) != k {
		return nil, fmt.Errorf("%s: %q would be written as %q", k, records.EscapeValue(v), records.EscapeValue(got))
	}
	return r, nil
}

// anyRR names a set without data, as prerequisites and deletions do.
func anyRR(k records.Key) []dns.RR {
	return []dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: rr.FQDN(k.Name), Rrtype: typeCode(k.Type)}}}
}

func typeCode(t records.Type) uint16 {
	if code, ok := dns.StringToType[string(t)]; ok {
		return code
	}
	number, _ := strings.CutPrefix(string(t), "TYPE") // RFC 3597 5
	code, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return dns.TypeNone
	}
	return uint16(code)
}
