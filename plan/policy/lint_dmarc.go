package policy

import "github.com/attunelogic/maildns/plan"

// dmarcRules are about DMARC records (RFC 9989, RFC 7489).
var dmarcRules = []Rule{
	{
		ID: "dmarc-multiple", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "9989 4.10",
		Finds: "several DMARC records at one name",
		Why:   "Receivers discard all of them, so the domain has no policy.",
		Fix:   "keep one record",
		check: checkMultipleDMARC,
	},
	{
		ID: "dmarc-pct-split", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "9989 A.6",
		Finds: "a pct between 1 and 99 that newer receivers read as 100",
		Why:   "RFC 9989 has no pct: a receiver that follows it applies the policy to all mail.",
		Fix:   "set compat = \"both\", which adds t=y and keeps it at most that share everywhere",
		check: checkPctSplit,
	},
	{
		ID: "dmarc-loosens", Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "9989 4.7",
		Finds: "a change that loosens the DMARC policy",
		Why:   "Mail that fails fares better afterwards, forged mail too.",
		Fix:   "declare the live policy if this is not meant",
		check: checkLoosens,
	},
}
