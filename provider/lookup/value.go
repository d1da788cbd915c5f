package lookup

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

// value is the canonical form of a record's data.
func value(rr dns.RR) (records.Value, error) {
	kind := records.Type(dns.Type(rr.Header().Rrtype).String())
	// A TXT without any string is illegal (RFC 1035 3.3.14) but does no harm: the
	// official SPF suite wants it passed over.
	if rr.Header().Rdlength == 0 && kind != records.TypeTXT {
		return "", fmt.Errorf("a record of type %s is empty", kind)
	}
	switch rr := rr.(type) {
	case *dns.TXT:
		return records.Value(joinStrings(rr.Txt)), nil
	case *dns.A:
		return addressValue(rr.A.To4())
	case *dns.AAAA:
		return addressValue(rr.AAAA.To16())
	case *dns.MX:
		return records.Value(fmt.Sprintf("%d %s", rr.Preference, host(rr.Mx))), nil
	case *dns.CNAME:
		return records.Value(host(rr.Target)), nil
	case *dns.NS:
		return records.Value(host(rr.Ns)), nil
	case *dns.PTR:
		return records.Value(host(rr.Ptr)), nil
	case *dns.SOA:
		return records.Value(fmt.Sprintf("%s %s %d %d %d %d %d",
			host(rr.Ns), host(rr.Mbox), rr.Serial, rr.Refresh, rr.Retry, rr.Expire, rr.Minttl)), nil
	}
	return records.CanonicalData(kind, strings.TrimPrefix(rr.String(), rr.Header().String()))
}

func addressValue(ip net.IP) (records.Value, error) {
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return "", errors.New("an address has another size than its type")
	}
	return records.Value(addr.String()), nil
}

func host(text string) string { return hostText(canonicalText(text)) }

// joinStrings puts the character-strings of a TXT record together (RFC 7208
// 3.3) and takes out the escapes that the wire parser put in.
func joinStrings(texts []string) string {
	joined := strings.Join(texts, "")
	if !strings.Contains(joined, `\`) {
		return joined
	}
	var b strings.Builder
	for i := 0; i < len(joined); i++ {
		if joined[i] != '\\' {
			b.WriteByte(joined[i])
			continue
		}
		c, n := unescape(joined[i+1:])
		b.WriteByte(c)
		i += n
	}
	return b.String()
}
