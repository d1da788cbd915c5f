package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// ramp is a DMARC record on its way up the ramp (RFC 9989 4.7, RFC 7489 6.3).
type ramp struct {
	*court
	key    records.Key
	target records.DMARCRecord
	compat records.Compat
	steps  []records.DMARCStep // not above the target
	live   records.DMARCRecord
	exists bool // one live record that receivers apply
}

// splitDMARC publishes the ramp's step. The policy (p, sp, np, t, pct) moves
// together, one step at a time, each behind the gate; all else changes before
// it, in an item of its own, but for a tighter alignment and the loss of the
// last rua, which have to ask.
func splitDMARC(c *court) *verdict {
	key := records.Key{Name: records.Below("_dmarc", c.Domain.Name), Type: records.TypeTXT}
	if c.name != key.Name || c.Domain.DMARC == nil || len(c.want) == 0 {
		return c.all() // a report authorisation, or a record that goes: loosening
	}
	r := &ramp{court: c, key: key, target: c.Domain.DMARC.Record, compat: c.Domain.DMARC.Compat}
	r.steps = stepsTo(c.Domain.DMARC)
	r.readLive()
	return r.split()
}

// stepsTo cuts the ramp at the target. None is always its first step.
func stepsTo(d *records.DMARC) []records.DMARCStep {
	target := records.DMARCStep{Policy: d.Record.Policy, Percent: 100}
	steps := []records.DMARCStep{{Policy: records.PolicyNone, Percent: 100}}
	for _, s := range d.Steps {
		if s.Policy != records.PolicyNone && s.Effects(d.Compat).NoStricterThan(target.Effects(d.Compat)) {
			steps = append(steps, s)
		}
	}
	return steps
}

// readLive takes the live record as receivers do: several are all discarded
// (RFC 9989 4.10), and one that they don't apply counts as none.
func (r *ramp) readLive() {
	live := r.values(r.key)
	if len(live) != 1 {
		return
	}
	record, err := records.ParseDMARC(string(live[0]))
	if err != nil || record.Disarmed() {
		return
	}
	r.live, r.exists = record, true
}

func (r *ramp) split() *verdict {
	if !r.exists {
		return r.first()
	}
	today := r.besides()
	v := &verdict{}
	r.align(&today, v)
	r.lastRUA(&today, v)
	v.today = r.publish(today)
	r.climb(today, v)
	for i := range v.passed {
		v.passed[i].After = valuesAt(v.today, r.key)
	}
	return v
}

// first publishes the first step, with np as declared, since no declared
// sender uses a name that doesn't exist. No live record fared better.
func (r *ramp) first() *verdict {
	today := r.at(0)
	today.NP = r.target.NP
	v := &verdict{today: r.publish(today)}
	if len(r.steps) > 1 {
		v.held = r.hold(r.at(1), r.ask(GateRamp, r.key, r.steps[1].String()))
	}
	return v
}

// at is the declared record at one step of the ramp.
func (r *ramp) at(i int) records.DMARCRecord {
	record := r.target
	record.Policy, record.Pct, record.T = r.steps[i].Tags(r.compat)
	if record.SP != records.PolicyUnset {
		record.SP = min(record.SP, record.Policy)
	}
	if i == len(r.steps)-1 && record.Policy == r.target.Policy {
		record.SP = r.target.SP
	}
	return record
}

// besides is the declared record with the live policy.
func (r *ramp) besides() records.DMARCRecord {
	record := r.target
	record.Policy, record.SP, record.NP = r.live.Policy, r.live.SP, r.live.NP
	record.Pct, record.T = r.live.Pct, r.live.T
	return record
}

// align keeps the live alignment where the declared one is tighter, until its
// gate opens.
func (r *ramp) align(today *records.DMARCRecord, v *verdict) {
	tighter := r.target.ADKIM.Strict() && !r.live.ADKIM.Strict() || r.target.ASPF.Strict() && !r.live.ASPF.Strict()
	if !tighter {
		return
	}
	g := r.ask(GateRamp, r.key, "strict alignment")
	if g.Opens() {
		v.passed = append(v.passed, plan.Gated{Kind: r.kind, Key: r.key, Gates: []plan.GateVerdict{g}})
		return
	}
	strict := *today
	if r.target.ADKIM.Strict() {
		today.ADKIM = r.live.ADKIM
	}
	if r.target.ASPF.Strict() {
		today.ASPF = r.live.ASPF
	}
	v.held = append(v.held, r.hold(strict, g)...)
}

// lastRUA keeps the report addresses of a record that would lose them all:
// without reports no gate ever opens again.
func (r *ramp) lastRUA(today *records.DMARCRecord, v *verdict) {
	if len(today.RUA) > 0 || len(r.live.RUA) == 0 {
		return
	}
	g := r.ask(GateRamp, r.key, "removing the last rua")
	if g.Opens() {
		v.passed = append(v.passed, plan.Gated{Kind: r.kind, Key: r.key, Gates: []plan.GateVerdict{g}})
		return
	}
	blind := *today
	today.RUA = r.live.RUA
	v.held = append(v.held, r.hold(blind, g)...)
}

// climb moves the policy: down at once where the declaration is the looser
// one, up by one step where the gate opens. A live policy that is stricter
// than its place on the ramp stays.
func (r *ramp) climb(today records.DMARCRecord, v *verdict) {
	end := withPolicy(today, r.at(len(r.steps)-1))
	if end.Reach().NoStricterThan(today.Reach()) {
		v.today = r.publish(end) // looser, or the same in the declared words
		return
	}
	next, subject := end, "sp and np as declared"
	if i := r.next(); i > 0 {
		next, subject = withPolicy(today, r.at(i)), r.steps[i].String()
	}
	g := r.ask(GateRamp, r.key, subject)
	if g.Opens() && len(v.passed) > 0 {
		g.Verdict, g.Reason = plan.VerdictNo, "the record changes one thing at a time, and something else goes first"
	}
	if !g.Opens() {
		v.held = append(v.held, r.hold(next, g)...)
		return
	}
	v.today = r.publish(next)
	v.passed = append(v.passed, plan.Gated{Kind: r.kind, Key: r.key, Gates: []plan.GateVerdict{g}})
}

// next is the step after the live policy's position that loosens nothing for
// either family of receivers, 0 where the ramp has no further one.
func (r *ramp) next() int {
	live := r.live.Effects()
	for i := r.position() + 1; i < len(r.steps); i++ {
		if live.NoStricterThan(r.steps[i].Effects(r.compat)) {
			return i
		}
	}
	return 0
}

// position is the highest step that is not stricter than the live record for
// either family of receivers.
func (r *ramp) position() int {
	live := r.live.Effects()
	for i := len(r.steps) - 1; i > 0; i-- {
		if r.steps[i].Effects(r.compat).NoStricterThan(live) {
			return i
		}
	}
	return 0
}

func withPolicy(record, policy records.DMARCRecord) records.DMARCRecord {
	record.Policy, record.SP, record.NP = policy.Policy, policy.SP, policy.NP
	record.Pct, record.T = policy.Pct, policy.T
	return record
}

func (r *ramp) publish(record records.DMARCRecord) []records.Declared {
	want := r.want[0]
	want.Value = record.Value()
	return []records.Declared{want}
}

func (r *ramp) hold(record records.DMARCRecord, g plan.GateVerdict) []plan.Gated {
	return []plan.Gated{{Kind: r.kind, Key: r.key, After: []records.Value{record.Value()}, Gates: []plan.GateVerdict{g}}}
}

// judgeRamp does the arithmetic of the ramp that needs no reports, how long
// the policy was observed, and says what is missing.
func judgeRamp(c Case) (plan.Verdict, string, string) {
	settings := c.Domain.Settings
	needs := fmt.Sprintf("%s at the present step, %s", days(settings.CleanWindow), needsReports)
	d, ok := c.Past.Domain(c.Domain.Name)
	if !ok || d.Since.IsZero() {
		return plan.Unknown,
			fmt.Sprintf("the first %s of observation have not begun", days(settings.Observe)),
			needs
	}
	since := d.Since.On(c.Clock)
	seen := c.Clock.Now.Sub(since)
	if seen < settings.Observe {
		return plan.VerdictNo,
			fmt.Sprintf("%s has been observed for %s of %s, since %s", policyWords(d.Policy), days(seen), days(settings.Observe), since.Format(time.DateOnly)),
			fmt.Sprintf("observation until %s, and %s", since.Add(settings.Observe).Format(time.DateOnly), needsReports)
	}
	return plan.Unknown, reasonNoReports, needs
}

// policyWords names a recorded policy, "p=none" for example.
func policyWords(p string) string {
	if p == "" {
		return "the present policy"
	}
	word, _, _ := strings.Cut(p, ";")
	return word
}

func days(d time.Duration) string {
	return fmt.Sprintf("%d d", int(d/(24*time.Hour)))
}

// publishedPolicy is the policy of a live record as the journal keeps it: its
// policy tags, empty where no single record is applied.
func publishedPolicy(live records.Zone, domain records.Name) string {
	found, ok := liveDMARC(live, domain)
	if !ok || found.Disarmed() {
		return ""
	}
	return strings.TrimPrefix(string(withPolicy(records.DMARCRecord{}, found).Value()), "v=DMARC1; ")
}

// liveDMARC is the record that receivers find for a domain; ok is false where
// there is none, or several, which they discard (RFC 9989 4.10).
func liveDMARC(zone records.Zone, domain records.Name) (records.DMARCRecord, bool) {
	set, _ := zone.Set(records.Key{Name: records.DMARCName(domain), Type: records.TypeTXT})
	return soleDMARC(set.Values)
}

func soleDMARC(values []records.Value) (records.DMARCRecord, bool) {
	var found []records.DMARCRecord
	for _, v := range values {
		if r, err := records.ParseDMARC(string(v)); err == nil {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		return records.DMARCRecord{}, false
	}
	return found[0], true
}

// judgeBIMI looks at the DMARC record that is live (RFC 9989 4.7; BIMI draft,
// section 7): quarantine for all mail, or reject.
func judgeBIMI(c Case) (plan.Verdict, string, string) {
	const needs = "DMARC at quarantine 100 or reject"
	live, ok := liveDMARC(c.Live, c.Domain.Name)
	if !ok {
		return plan.Unknown, "no DMARC record that receivers use is live at " + string(records.DMARCName(c.Domain.Name)), needs
	}
	full := records.DMARCStep{Policy: records.PolicyQuarantine, Percent: 100}.Effects(records.CompatBoth)
	if full.NoStricterThan(live.Effects()) && full.NoStricterThan(live.SubdomainEffects()) {
		return plan.Allow, "DMARC is enforced", ""
	}
	return plan.VerdictNo, "DMARC is not yet published at quarantine 100 or reject", needs
}
