package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// The gates.
const (
	GateRamp           = "dmarc-ramp"
	GateHardFail       = "spf-hardfail"
	GateNarrow         = "spf-narrow"
	GateAdoption       = "adoption"
	GateDKIMRemoval    = "dkim-removal"
	GateReturnPath     = "return-path"
	GateMTASTSFile     = "mta-sts-file"
	GateMTASTSEnforce  = "mta-sts-enforce"
	GateMTASTSRemoval  = "mta-sts-removal"
	GateMXCutover      = "mx-cutover"
	GateBIMI           = "bimi-policy"
	GateLowerTTL       = plan.GateLowerTTL
	GateRegression     = "regression"
	GateExternal       = "external"
	GateRolledBack     = "rolled-back"
	overrideHint       = "open it by hand: --override %s:%s --reason TEXT"
	needsReports       = "aggregate reports that cover every day of the clean window"
	needsTLSReports    = "TLS reports that cover the clean window without a failure"
	reasonNoReports    = "no aggregate reports are known"
	reasonNoTLSReports = "no TLS reports are known"
	reasonNoDNS        = "the new hosts were not looked up"
)

// What adoption says of one and of several that a configuration forgot.
const (
	neverDeclared     = " was live before maildns and the configuration has never declared it"
	neverDeclaredMany = " were live before maildns and the configuration has never declared them"
)

// OverrideLife is how long an override lasts at most.
const OverrideLife = 7 * 24 * time.Hour

// Case is a change before a gate.
type Case struct {
	Input
	Kind    records.Kind
	Key     records.Key
	Subject string // what the change is about, in mail terms
}

// Gate holds a kind of tightening until there is evidence that it is safe.
type Gate struct {
	ID    string
	Holds string // what it holds
	Until string // until what
	judge func(Case) (plan.Verdict, string, string)
}

// gates is the table of all gates, in the order of the documentation.
var gates = []Gate{
	{GateRamp, "a change by which some mail fares worse under DMARC", "it is the next step, observed and clean", judgeRamp},
	{GateHardFail, "a change after which addresses that no term names fail and did not before", "the reports are clean and DMARC stands at quarantine 100 or beyond", unknown(reasonNoReports, needsReports)},
	{GateNarrow, "removing an SPF term that authorises addresses, or making its qualifier stricter", "no report shows mail from the withdrawn addresses in the clean window", judgeNarrow},
	{GateAdoption, "withdrawing a sender or MX host that was live before maildns and was never declared", "it is declared", judgeAdoption},
	{GateDKIMRemoval, "removing or revoking a DKIM selector, or changing its key in place", "no report shows the selector passing in the clean window", unknown(reasonNoReports, needsReports)},
	{GateReturnPath, "removing or retargeting a sender's return path", "no report in the clean window has it as the SPF domain", unknown(reasonNoReports, needsReports)},
	{GateMTASTSFile, "publishing a new MTA-STS id", "the policy file served over HTTPS is the one that the id stands for", judgeFile},
	{GateMTASTSEnforce, "MTA-STS from testing to enforce", "testing was clean for the clean window and every live MX host matches the policy", unknown(reasonNoTLSReports, needsTLSReports)},
	{GateMTASTSRemoval, "removing the MTA-STS record, its host or an mx pattern", "mode none (or the wider policy) was served for the longest max_age", unknown("senders may still hold the policy in their caches", "mode none served for the longest max_age that was ever served")},
	{GateMXCutover, "replacing or removing MX hosts", "the new hosts resolve and the MTA-STS policy covers old and new ones", judgeCutover},
	{GateBIMI, "publishing BIMI", "DMARC is published at quarantine 100 or reject", judgeBIMI},
	{GateLowerTTL, "replacing a live value while caches hold it with a long TTL", "the old TTL has run out", nil},
	{GateRegression, "tightening in a rollout group", "no member shows failures of its own since its last tightening", nil},
	{GateExternal, "every change of a domain whose zone its owner edits", "the owner has published it", judgeExternal},
	{GateRolledBack, "a change that a rollback has undone", "the declaration no longer contains it", judgeRolledBack},
}

// Gates lists the gates in the order of the table.
func Gates() []Gate { return slices.Clone(gates) }

// KnownGate reports whether a gate of that id exists.
func KnownGate(id string) bool {
	_, ok := gate(id)
	return ok
}

func gate(id string) (Gate, bool) {
	for _, g := range gates {
		if g.ID == id {
			return g, true
		}
	}
	return Gate{}, false
}

// Judge asks one gate about one change. A gate that doesn't know holds: no
// evidence is not evidence.
func Judge(id string, c Case) plan.GateVerdict {
	g, ok := gate(id)
	if !ok || g.judge == nil {
		return plan.GateVerdict{ID: id, Verdict: plan.Unknown, Reason: "no such gate is asked here"}
	}
	if c.Known.Journal == plan.JournalUnreadable {
		return plan.GateVerdict{ID: id, Verdict: plan.Unknown, Reason: "the journal can't be read", Needs: "a readable journal"}
	}
	v, reason, needs := g.judge(c)
	if hint := fmt.Sprintf(overrideHint, id, c.Domain.Name); v != plan.Allow && byHand(id, c) {
		if needs != "" {
			hint = needs + ", or " + hint
		}
		needs = hint
	}
	return plan.GateVerdict{ID: id, Verdict: v, Reason: reason, Needs: needs}
}

// byHand reports whether an override can open the gate for a case: none makes us
// write a zone that somebody else edits, or leaves a domain without MX that
// doesn't say so.
func byHand(id string, c Case) bool {
	return id != GateExternal && (id != GateMXCutover || c.Domain.Removed || c.Key.Name != c.Domain.Name || len(c.wanted()) > 0)
}

// unknown is the judgement of a gate whose evidence nobody has gathered.
func unknown(reason, needs string) func(Case) (plan.Verdict, string, string) {
	return func(Case) (plan.Verdict, string, string) { return plan.Unknown, reason, needs }
}

func judgeNarrow(c Case) (plan.Verdict, string, string) {
	return plan.Unknown,
		fmt.Sprintf("%s: whether it still sends mail as %s can't be told", reasonNoReports, c.Domain.Name),
		needsReports
}

func judgeAdoption(c Case) (plan.Verdict, string, string) {
	if c.Domain.Parked {
		return plan.VerdictNo, "the domain is in use, and parking it would stop " + c.Subject, "a domain that neither sends nor receives"
	}
	if strings.Contains(c.Subject, ", ") {
		return plan.VerdictNo, c.Subject + neverDeclaredMany, "declare them"
	}
	return plan.VerdictNo, c.Subject + neverDeclared, "declare it"
}

func judgeCutover(c Case) (plan.Verdict, string, string) {
	wanted := c.wanted()
	switch {
	case slices.Equal(wanted, []records.Value{records.NullMX}) || c.Domain.Removed:
		return plan.VerdictNo, "the domain would no longer receive mail", ""
	case len(wanted) == 0:
		return plan.VerdictNo, "it would leave the domain without MX",
			fmt.Sprintf(`a declaration that says so (null_mx = true, parked = true or state = "removed"); then %s`, fmt.Sprintf(overrideHint, GateMXCutover, c.Domain.Name))
	}
	return plan.Unknown, reasonNoDNS, "new MX hosts that resolve, and an MTA-STS policy that covers old and new ones"
}

func judgeFile(c Case) (plan.Verdict, string, string) {
	return plan.Unknown, "this version doesn't fetch the policy file",
		fmt.Sprintf("the policy file at https://mta-sts.%s/.well-known/mta-sts.txt, equal to what the id stands for", c.Domain.Name)
}

// wanted is what the declaration asks for at the case's key.
func (c Case) wanted() []records.Value {
	return valuesAt(declared(c.Domain), c.Key)
}

func judgeExternal(Case) (plan.Verdict, string, string) {
	return plan.VerdictNo, "the zone is edited by its owner", "the owner publishes it"
}

func judgeRolledBack(c Case) (plan.Verdict, string, string) {
	return plan.VerdictNo, c.Subject, "a declaration that no longer contains it"
}
