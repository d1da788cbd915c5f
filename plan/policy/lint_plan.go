package policy

import "github.com/attunelogic/maildns/plan"

// planRules are about the plan and the configuration as a whole.
var planRules = []Rule{
	{
		ID: "adoption", Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "",
		Finds: "a live sender or mail host that the configuration forgot",
		Why:   "It stays as it is until it is declared or withdrawn by hand, so that nobody loses mail by a first apply.",
		Fix:   "declare what is still in use; withdraw the rest with --override adoption",
		check: checkForgotten,
	},
	{
		ID: "override-unused", Severity: plan.SeverityInfo, Needs: NeedsZone, RFC: "",
		Finds: "an override for a gate that holds nothing",
		Why:   "It opens nothing, and the next reader of the configuration may think that it does.",
		Fix:   "delete the override",
		check: checkUnused,
	},
	{
		ID: "review-overdue", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "",
		Finds: "a domain whose review is overdue",
		Why:   "Senders come and go; what nobody looks at goes stale.",
		Fix:   "review the domain and set last to today",
		check: checkReview,
	},
	{
		ID: "secret-literal", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "",
		Finds: "a secret that stands in the configuration",
		Why:   "Whoever can read the repository, its history included, can use it.",
		Fix:   "write env(\"NAME\") and set the variable; revoke what was published",
		reads: true,
	},
	{
		ID: "not-used-yet", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "",
		Finds: "a block that this version reads and doesn't use",
		Why:   "Nothing happens because of it, though the reader of the configuration may think so.",
		Fix:   "leave it for a later version, or delete it",
		reads: true,
	},
}
