package policy

import "github.com/attunelogic/maildns/plan"

// spfRules are about SPF records (RFC 7208).
var spfRules = []Rule{
	{
		ID: "spf-multiple", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "7208 4.5",
		Finds: "several SPF records at one name",
		Why:   "Receivers answer PERMERROR and authorise nobody.",
		Fix:   "merge the terms into one record with one all",
		check: checkMultipleSPF,
	},
	{
		ID: "spf-syntax", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "7208 12",
		Finds: "an SPF record with a term that doesn't parse",
		Why:   "Receivers answer PERMERROR, wherever in the record the term stands.",
		Fix:   "correct the term",
		check: checkSPFSyntax, reads: true,
	},
	{
		ID: "spf-lookups", Severity: plan.SeverityError, Needs: NeedsDNS, RFC: "7208 4.6.4",
		Finds: "an SPF record that needs more than 10 DNS lookups",
		Why:   "A receiver stops at the eleventh lookup and answers PERMERROR. include, a, mx, exists and redirect cost one each, and what they lead to counts as well.",
		Fix:   "remove senders that no longer send, give a sender a subdomain of its own, or flatten an include",
		check: checkLookups,
	},
}
