package policy

import (
	"fmt"
	"slices"
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
	steps  []records.DMARCStep // not above the target, which is the last
	live   records.DMARCRecord
	exists bool // a live record that receivers apply
}

// splitDMARC publishes the ramp's step. The policy (p, sp, np, t, pct) moves
// together, one step at a time, each behind the gate; all else changes before
// it, in an item of its own, but for a tighter alignment and the loss of the
// last rua, which have to ask.
func splitDMARC(c *court) *verdict {
	key := records.Key{Name: records.DMARCName(c.Domain.Name), Type: records.TypeTXT}
	if c.name != key.Name || c.Domain.DMARC == nil || len(c.want) == 0 {
		return c.plainDMARC()
	}
	r := &ramp{court: c, key: key, target: c.Domain.DMARC.Record, compat: c.Domain.DMARC.Compat}
	r.steps = stepsTo(c.Domain.DMARC)
	r.readLive()
	if !r.exists {
		return r.first()
	}
	return r.split()
}

// stepsTo cuts the ramp at the target, which ends it. None is always its first
// step.
func stepsTo(d *records.DMARC) []records.DMARCStep {
	target := records.DMARCStep{Policy: d.Record.Policy, Percent: 100}
	end := target.Effects(d.Compat)
	steps := []records.DMARCStep{{Policy: records.PolicyNone, Percent: 100}}
	for _, s := range d.Steps {
		if e := s.Effects(d.Compat); s.Policy != records.PolicyNone && e.NoStricterThan(end) && e != end {
			steps = append(steps, s)
		}
	}
	if target.Policy > records.PolicyNone {
		steps = append(steps, target)
	}
	return steps
}

// readLive takes the live record as receivers do: several are all discarded
// (RFC 9989 4.10), and one that no receiver applies counts as none.
func (r *ramp) readLive() {
	live, ok := soleDMARC(r.values(r.key))
	if !ok || live.Disarmed() && live.Reach() == (records.Reach{}) {
		return
	}
	r.live, r.exists = live, true
}

// first publishes the first step, with np as declared, since no declared
// sender uses a name that doesn't exist. No live record fared better.
func (r *ramp) first() *verdict {
	today := r.at(0)
	v := &verdict{today: r.publish(today)}
	r.climb(today, v)
	return v
}

func (r *ramp) split() *verdict {
	v := &verdict{}
	today := r.besides()
	strict, blind := r.align(&today, v), r.lastRUA(&today, v)
	today = r.loosen(today)
	v.today = r.publish(today)
	if strict != nil {
		record := today
		record.ADKIM, record.ASPF = r.target.ADKIM, r.target.ASPF
		v.held = append(v.held, r.hold(record, *strict)...)
	}
	if blind != nil {
		record := today
		record.RUA = nil
		v.held = append(v.held, r.hold(record, *blind)...)
	}
	r.climb(today, v)
	for i := range v.passed {
		v.passed[i].After = valuesAt(v.today, r.key)
	}
	return v
}

// at is the declared record at one step of the ramp, where sp is not above p.
func (r *ramp) at(i int) records.DMARCRecord {
	record := r.target
	record.Policy, record.Pct, record.T = r.steps[i].Tags(r.compat)
	if record.SP != records.PolicyUnset {
		record.SP = min(record.SP, record.Policy)
	}
	return record
}

// besides is the declared record with the live policy, and with what keeps
// some receivers from applying it.
func (r *ramp) besides() records.DMARCRecord {
	record := withPolicy(r.target, r.live)
	if r.live.Disarmed() {
		broken := slices.DeleteFunc(slices.Clone(r.live.Other), func(t records.Tag) bool { return t.Name != "np" })
		record.Other = slices.Concat(record.Other, broken)
	}
	return record
}

// end is today's record with the declared policy.
func (r *ramp) end(today records.DMARCRecord) records.DMARCRecord {
	return withPolicy(withOther(today, r.target.Other), r.target)
}

// align keeps the live alignment where the declared one is tighter, until its
// gate opens. It returns the word of a gate that holds.
func (r *ramp) align(today *records.DMARCRecord, v *verdict) *plan.GateVerdict {
	if !tighterAlignment(r.live, r.target) {
		return nil
	}
	g := r.ask(GateRamp, r.key, "strict alignment")
	if g.Opens() {
		v.passed = append(v.passed, plan.Gated{Kind: r.kind, Key: r.key, Gates: []plan.GateVerdict{g}})
		return nil
	}
	if r.target.ADKIM.Strict() {
		today.ADKIM = r.live.ADKIM
	}
	if r.target.ASPF.Strict() {
		today.ASPF = r.live.ASPF
	}
	return &g
}

func tighterAlignment(from, to records.DMARCRecord) bool {
	return to.ADKIM.Strict() && !from.ADKIM.Strict() || to.ASPF.Strict() && !from.ASPF.Strict()
}

// lastRUA keeps the report addresses of a record that would lose them all:
// without reports no gate ever opens again. It returns the word of a gate that
// holds.
func (r *ramp) lastRUA(today *records.DMARCRecord, v *verdict) *plan.GateVerdict {
	if len(today.RUA) > 0 || len(r.live.RUA) == 0 {
		return nil
	}
	g := r.ask(GateRamp, r.key, "removing the last rua")
	if g.Opens() {
		v.passed = append(v.passed, plan.Gated{Kind: r.kind, Key: r.key, Gates: []plan.GateVerdict{g}})
		return nil
	}
	today.RUA = r.live.RUA
	return &g
}

// loosen brings down what is declared below the live policy, at once: all of
// it, or what of p, sp and np is looser where the rest is stricter. The same
// policy is written in the declared words.
func (r *ramp) loosen(today records.DMARCRecord) records.DMARCRecord {
	end := r.end(today)
	if end.Reach().NoStricterThan(today.Reach()) {
		return end
	}
	lower := meet(today, end)
	if armed := withOther(lower, r.target.Other); armed.Reach().NoStricterThan(today.Reach()) {
		lower = armed
	}
	if strictlyLooser(lower, today) {
		return lower
	}
	return today
}

// meet is the record with the lower one of each policy of two records.
func meet(a, b records.DMARCRecord) records.DMARCRecord {
	out := a
	if b.Effects().NoStricterThan(a.Effects()) {
		out.Policy, out.Pct, out.T = b.Policy, b.Pct, b.T
	}
	out.SP = written(min(subdomains(a), subdomains(b)), out.Policy, b.SP)
	out.NP = written(min(nonexistent(a), nonexistent(b)), subdomains(out), b.NP)
	return out
}

func withOther(record records.DMARCRecord, tags []records.Tag) records.DMARCRecord {
	record.Other = tags
	return record
}

// written is a policy as a tag: left out where it says what holds without it
// and the declaration leaves it out.
func written(policy, without, declared records.Disposition) records.Disposition {
	if policy == without && declared == records.PolicyUnset {
		return records.PolicyUnset
	}
	return policy
}

// subdomains and nonexistent are the policies that sp and np come to.
func subdomains(r records.DMARCRecord) records.Disposition {
	if r.SP != records.PolicyUnset {
		return r.SP
	}
	return r.Policy
}

func nonexistent(r records.DMARCRecord) records.Disposition {
	if r.NP != records.PolicyUnset {
		return r.NP
	}
	return subdomains(r)
}

func strictlyLooser(a, b records.DMARCRecord) bool {
	return a.Reach().NoStricterThan(b.Reach()) && !b.Reach().NoStricterThan(a.Reach())
}

// climb moves the policy up by one step where the gate opens and nothing else
// of the record changes. A live policy that is stricter than its place on the
// ramp stays.
func (r *ramp) climb(today records.DMARCRecord, v *verdict) {
	next, subject, ok := r.next(today)
	if !ok {
		return
	}
	g := r.ask(GateRamp, r.key, subject)
	if g.Opens() && !r.still(today) {
		g.Verdict, g.Reason = plan.VerdictNo, "the record changes one thing at a time, and something else goes first"
	}
	if !g.Opens() {
		v.held = append(v.held, r.hold(next, g)...)
		return
	}
	v.today = r.publish(next)
	v.passed = append(v.passed, plan.Gated{Kind: r.kind, Key: r.key, Gates: []plan.GateVerdict{g}})
}

// still reports whether today's record says what the live one says.
func (r *ramp) still(today records.DMARCRecord) bool {
	return r.exists && slices.Equal(records.Parts(r.kind, []records.Value{today.Value()}), records.Parts(r.kind, []records.Value{r.live.Value()}))
}

// next is the record at the step after the position, the first one that
// loosens neither p nor sp for either family of receivers, or else the declared
// record. It is false where nothing is left to tighten. A step with t=y takes np
// down one level as well; that is how a step is written.
func (r *ramp) next(today records.DMARCRecord) (_ records.DMARCRecord, subject string, ok bool) {
	end := r.end(today)
	for i := r.position() + 1; i < len(r.steps); i++ {
		if next := raise(withPolicy(end, r.at(i)), today); climbs(today, next) {
			return next, r.steps[i].String(), true
		}
	}
	return end, "sp and np as declared", !end.Reach().NoStricterThan(today.Reach())
}

// climbs reports whether p or sp is stricter after a step, and neither looser.
func climbs(from, to records.DMARCRecord) bool {
	old, now := from.Reach(), to.Reach()
	old.Nonexistent, now.Nonexistent = records.Effects{}, records.Effects{}
	return old != now && old.NoStricterThan(now)
}

// raise keeps sp and np where today's are the stricter ones.
func raise(next, today records.DMARCRecord) records.DMARCRecord {
	if sp := subdomains(today); sp > subdomains(next) {
		next.SP = sp
	}
	if np := nonexistent(today); np > nonexistent(next) {
		next.NP = np
	}
	return next
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

// plainDMARC is for records without a ramp: one that goes, one of a record
// block, an authorisation for reports. It holds what tightens, and an alias to
// somebody whose policy isn't known here.
func (c *court) plainDMARC() *verdict {
	key := records.Key{Name: c.name, Type: records.TypeTXT}
	from, existed := soleDMARC(c.values(key))
	to, stays := soleDMARC(valuesAt(c.want, key))
	after := to.Reach()
	if !stays {
		after = c.inherited()
	}
	alias := slices.ContainsFunc(c.want, func(d records.Declared) bool { return d.Key.Type != records.TypeTXT })
	if !alias && after.NoStricterThan(from.Reach()) && (!existed || !stays || !tighterAlignment(from, to)) {
		return c.all()
	}
	return c.whole(c.ask(GateRamp, key, "the record"))
}

// inherited is what holds for a name without a record: the strictest sp and np
// of the zone's records above it (RFC 9989 4.10, RFC 7489 6.6.3).
func (c *court) inherited() records.Reach {
	var out records.Reach
	owner, found := strings.CutPrefix(string(c.name), "_dmarc.")
	if !found {
		return out
	}
	for n := records.Name(owner).Parent(); n.In(c.Domain.Zone) && n != ""; n = n.Parent() {
		above, _ := liveDMARC(c.Live, n)
		sp := above.SubdomainEffects()
		if reach := (records.Reach{Domain: sp, Subdomains: sp, Nonexistent: above.NonexistentEffects()}); out.NoStricterThan(reach) {
			out = reach
		}
	}
	return out
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
	seen, least := c.Clock.Now.Sub(since), settings.Observe
	if word := policyWords(d.Policy); word != "p=none" && d.Policy != "" {
		least = settings.CleanWindow // observed before the first step
	}
	if seen < least {
		return plan.VerdictNo,
			fmt.Sprintf("%s has been observed for %s of %s, since %s", policyWords(d.Policy), days(seen), days(least), since.Format(time.DateOnly)),
			fmt.Sprintf("observation until %s, and %s", since.Add(least).Format(time.DateOnly), needsReports)
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
