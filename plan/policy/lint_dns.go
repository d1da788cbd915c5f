package policy

import "github.com/attunelogic/maildns/plan"

// dnsRules are about what the DNS can hold and find.
var dnsRules = []Rule{
	{
		ID: "dns-cname-coexist", Severity: plan.SeverityError, Needs: NeedsZone, RFC: "1034 3.6.2",
		Finds: "a CNAME beside another record at its name",
		Why:   "Servers refuse such a zone, or answer with one of the two.",
		Fix:   "publish one of the two",
		check: checkCNAME,
	},
	{
		ID: "dns-occluded", Severity: plan.SeverityError, Needs: NeedsZone, RFC: "1034 4.2.1",
		Finds: "a record below a delegation",
		Why:   "Resolvers ask the servers that the name is delegated to, so the record is never seen.",
		Fix:   "publish it where the name is served, or take the delegation back",
		check: checkOccluded,
	},
	{
		ID: "dns-unwritable", Severity: plan.SeverityError, Needs: NeedsZone, RFC: "",
		Finds: "a change of a record set that can't be written faithfully",
		Why:   "Writing the set would lose what this program can't express: an alias, a weight, a line that is included from elsewhere.",
		Fix:   "change it where it comes from",
		check: checkFixed,
	},
	{
		ID: "dns-ttl-max", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "",
		Finds: "a declared TTL above ttl_max",
		Why:   "A mistake lives as long as caches keep it, and a way back waits as long.",
		Fix:   "declare a TTL of at most ttl_max, or admit a longer one in a policy block with its reason beside it",
		reads: true,
	},
}
