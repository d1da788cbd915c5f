package policy

import (
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// typeDS is the record by which a parent zone vouches for the keys of a signed
// one (RFC 4034 5).
const typeDS records.Type = "DS"

// tlsaRules are about DANE (RFC 7672).
var tlsaRules = []Rule{
	{
		ID: "tlsa-unsigned", Severity: plan.SeverityError, Needs: NeedsDNS, RFC: "7672 2.2",
		Finds: "a TLSA record in a zone without DNSSEC",
		Why:   "Senders use TLSA records from signed zones alone, so it protects nothing.",
		Fix:   "sign the zone and have its DS record published, or remove the TLSA record",
		look:  tlsaUnsigned,
		ask: func(v *view) []Question {
			if len(v.tlsa()) == 0 {
				return nil
			}
			return []Question{{v.Domain.Zone, typeDS}}
		},
	},
	{
		ID: "tlsa-usage", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "7672 3.1",
		Finds: "a TLSA record for mail with usage 0 or 1",
		Why:   "Mail servers have no common list of certification authorities: senders treat such a record as unusable.",
		Fix:   "publish 3 1 1, the SHA-256 of the host's public key",
		look:  tlsaUsage,
	},
	{
		ID: "tlsa-rollover", Severity: plan.SeverityError, Needs: NeedsHTTPS, RFC: "7671 8.1",
		Finds: "a mail host whose key no TLSA record fits",
		Why:   "Senders that heed DANE don't deliver to it.",
		Fix:   "publish the record of the new key beside the old one, wait two TTLs, then change the key",
	},
}

// tlsa lists the TLSA records for mail servers.
func (v *view) tlsa() []*stated {
	var out []*stated
	for i := range v.values {
		if s := &v.values[i]; s.Key.Type == records.TypeTLSA && strings.HasPrefix(string(s.Key.Name), "_25._tcp.") {
			out = append(out, s)
		}
	}
	return out
}

func tlsaUnsigned(v *view) []fault {
	list := v.tlsa()
	if len(list) == 0 {
		return nil
	}
	if ds, ok := v.answer(v.Domain.Zone, typeDS); !ok || len(ds.Values) > 0 {
		return nil
	}
	var out []fault
	for _, s := range list {
		out = append(out, faultf(s, "the zone %s is not signed, so senders ignore the TLSA record", v.Domain.Zone))
	}
	return out
}

func tlsaUsage(v *view) []fault {
	var out []fault
	for _, s := range v.tlsa() {
		if usage, _, _ := strings.Cut(string(s.Value), " "); usage == "0" || usage == "1" {
			out = append(out, faultf(s, "usage %s is unusable for mail", usage))
		}
	}
	return out
}
