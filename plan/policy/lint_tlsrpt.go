package policy

import (
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// tlsrptRules are about TLS reports (RFC 8460).
var tlsrptRules = []Rule{
	{
		ID: "tls-rpt-txt", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "8460 3",
		Finds: "a TLS reporting record that senders ignore, or several of them",
		Why:   "No reports come, so that nobody learns of mail that was not delivered for want of TLS.",
		Fix:   "publish one record, v=TLSRPTv1; rua= with at least one destination",
		look: func(v *view) []fault {
			return append(brokenTLSRPT(v), several(v.tlsrpt(), func(r tlsrptStated) *stated { return r.stated }, "TLS reporting records, of which senders use none")...)
		},
	},
	{
		ID: "tls-rpt-uri", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "8460 3",
		Finds: "a destination for TLS reports that is neither mailto: nor https:",
		Why:   "Senders can't deliver reports to it.",
		Fix:   "write mailto:NAME@DOMAIN or an https URL",
		look:  tlsrptURIs, reads: true,
	},
	{
		ID: "tls-rpt-name", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "8460 3",
		Finds: "a TLS reporting record at a name where no sender looks",
		Why:   "Senders look at _smtp._tls below the domain and nowhere else.",
		Fix:   "publish it at _smtp._tls, by a tls_rpt block, and delete this one",
		look:  misplacedTLSRPT,
	},
	{
		ID: "tls-rpt-missing", Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "8460 1",
		Finds: "MTA-STS or DANE without TLS reports",
		Why:   "Mail that senders hold back for want of TLS is seen in these reports alone.",
		Fix:   "declare a tls_rpt block",
		look:  missingTLSRPT,
	},
}

func brokenTLSRPT(v *view) []fault {
	var out []fault
	for _, r := range v.tlsrpt() {
		if r.err != nil && len(badURIs(r.record.RUA)) == 0 {
			out = append(out, faultf(r.stated, "senders ignore the TLS reporting record: %v", r.err))
		}
	}
	return out
}

// badURIs are the destinations that no report can go to.
func badURIs(list []string) []string {
	var out []string
	for _, uri := range list {
		if _, err := records.ParseReportURI(uri); err != nil {
			out = append(out, uri)
		}
	}
	return out
}

func tlsrptURIs(v *view) []fault {
	var out []fault
	for _, r := range v.tlsrpt() {
		for _, uri := range badURIs(r.record.RUA) {
			out = append(out, faultf(r.stated, "TLS reports can't go to %q", uri))
		}
	}
	return out
}

func misplacedTLSRPT(v *view) []fault {
	var out []fault
	for i := range v.values {
		s := &v.values[i]
		if s.Key.Type != records.TypeTXT || len(s.Value) < 10 || !strings.EqualFold(string(s.Value[:10]), "v=TLSRPTv1") {
			continue
		}
		if !strings.HasPrefix(string(s.Key.Name), "_smtp._tls.") {
			out = append(out, faultf(s, "no sender looks for a TLS reporting record here"))
		}
	}
	return out
}

func missingTLSRPT(v *view) []fault {
	if !v.declared() || v.Domain.Removed || v.Domain.TLSRPT != nil {
		return nil
	}
	key := records.Key{Name: records.TLSRPTName(v.Domain.Name), Type: records.TypeTXT}
	if set, ok := v.Live.Set(key); ok && len(set.Values) > 0 || len(v.at(key)) > 0 {
		return nil
	}
	if m := v.Domain.MTASTS; m != nil && m.Policy.Mode != records.STSNone {
		_, at := v.policySTS()
		return []fault{faultf(at, "there is an MTA-STS policy, and nobody gets the reports about it")}
	}
	for _, host := range v.mailHosts() {
		if set, ok := v.Live.Set(daneKey(host)); ok && len(set.Values) > 0 {
			return []fault{{message: "the mail host " + string(host) + " has DANE records, and nobody gets the reports about it"}}
		}
	}
	return nil
}

// daneKey is where the TLSA records of a mail host stand (RFC 7672 2.2).
func daneKey(host records.Name) records.Key {
	return records.Key{Name: records.Below("_25._tcp", host), Type: records.TypeTLSA}
}
