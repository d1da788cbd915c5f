package records

import (
	"fmt"
	"strconv"
	"strings"
)

// Disposition is a DMARC policy (RFC 9989 4.7). The values are in the order of
// strictness.
type Disposition uint8

// The policies. PolicyUnset is that of a tag that a record doesn't have, or
// has with an invalid value.
const (
	PolicyUnset Disposition = iota
	PolicyNone
	PolicyQuarantine
	PolicyReject
)

var dispositions = [...]string{"", "none", "quarantine", "reject"}

func (d Disposition) String() string {
	if int(d) < len(dispositions) {
		return dispositions[d]
	}
	return "invalid"
}

// ParseDisposition reads none, quarantine or reject, in any case.
func ParseDisposition(s string) (Disposition, error) {
	for d := PolicyNone; d <= PolicyReject; d++ {
		if strings.EqualFold(s, dispositions[d]) {
			return d, nil
		}
	}
	return PolicyUnset, fmt.Errorf("%q is no DMARC policy; write none, quarantine or reject", s)
}

// MarshalText is String.
func (d Disposition) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDisposition; empty text is PolicyUnset.
func (d *Disposition) UnmarshalText(b []byte) (err error) {
	*d = PolicyUnset
	if len(b) > 0 {
		*d, err = ParseDisposition(string(b))
	}
	return err
}

// Effect is what a receiver does to mail that fails DMARC: the percentages of
// it that are quarantined or worse, and that are rejected.
type Effect struct{ Quarantine, Reject int }

// NoStricterThan reports whether no mail fares worse under e than under o.
func (e Effect) NoStricterThan(o Effect) bool {
	return e.Quarantine <= o.Quarantine && e.Reject <= o.Reject
}

// String says it for people: "none", "quarantine", "25 % quarantine",
// "25 % reject, the rest quarantine".
func (e Effect) String() string {
	switch {
	case e.Reject >= 100:
		return "reject"
	case e.Reject > 0:
		return fmt.Sprintf("%d %% reject, the rest quarantine", e.Reject)
	case e.Quarantine >= 100:
		return "quarantine"
	case e.Quarantine > 0:
		return fmt.Sprintf("%d %% quarantine", e.Quarantine)
	}
	return "none"
}

// Effects are what the two generations of receivers do: those that know pct
// and not t, and those that know t and not pct.
type Effects struct{ RFC7489, RFC9989 Effect }

// NoStricterThan reports whether that holds for both generations. It is a
// partial order: of two effects, each may be the stricter one somewhere.
func (e Effects) NoStricterThan(o Effects) bool {
	return e.RFC7489.NoStricterThan(o.RFC7489) && e.RFC9989.NoStricterThan(o.RFC9989)
}

// Differ reports whether the generations treat mail differently.
func (e Effects) Differ() bool { return e.RFC7489 != e.RFC9989 }

// Tightens reports whether some mail fares worse after a change, at a receiver
// of either generation.
func Tightens(from, to Effects) bool { return !to.NoStricterThan(from) }

// Loosens reports whether some mail fares better after a change.
func Loosens(from, to Effects) bool { return !from.NoStricterThan(to) }

// Reach is what a record does to each class of author domains below it.
type Reach struct{ Domain, Subdomains, Nonexistent Effects }

// NoStricterThan reports whether that holds for each class.
func (r Reach) NoStricterThan(o Reach) bool {
	return r.Domain.NoStricterThan(o.Domain) && r.Subdomains.NoStricterThan(o.Subdomains) &&
		r.Nonexistent.NoStricterThan(o.Nonexistent)
}

// Reach returns the effects of p, sp and np. An absent record has the zero
// Reach.
func (r DMARCRecord) Reach() Reach {
	return Reach{Domain: r.Effects(), Subdomains: r.SubdomainEffects(), Nonexistent: r.NonexistentEffects()}
}

// Effects returns what receivers do to failing mail from the domain itself
// (RFC 7489 6.3 and 6.6.4, RFC 9989 4.7).
func (r DMARCRecord) Effects() Effects { return r.effects(r.Policy, r.Policy) }

// SubdomainEffects is Effects for subdomains, where sp falls back to p.
func (r DMARCRecord) SubdomainEffects() Effects {
	sp := fallback(r.SP, r.Policy)
	return r.effects(sp, sp)
}

// NonexistentEffects is Effects for subdomains that don't exist: np falls back
// to sp, then p. RFC 7489 knows no np; there such a name is any subdomain.
func (r DMARCRecord) NonexistentEffects() Effects {
	sp := fallback(r.SP, r.Policy)
	return r.effects(sp, fallback(r.NP, sp))
}

func fallback(d, other Disposition) Disposition {
	if d == PolicyUnset {
		return other
	}
	return d
}

// effects maps the policy that each generation finds. A record without a valid
// p, or with an invalid sp or np, acts as p=none at most (RFC 9989 4.10.1,
// RFC 7489 6.6.3, which knows no np).
func (r DMARCRecord) effects(for7489, for9989 Disposition) Effects {
	var e Effects
	if r.Policy == PolicyUnset || r.invalid("sp") {
		return e
	}
	e.RFC7489 = effect7489(for7489, r.Pct.Percent())
	if !r.invalid("np") {
		e.RFC9989 = effect9989(for9989, r.T == FlagYes)
	}
	return e
}

// effect7489 samples: what pct doesn't select gets the next lower policy
// (RFC 7489 6.6.4).
func effect7489(d Disposition, percent int) Effect {
	switch d {
	case PolicyQuarantine:
		return Effect{Quarantine: percent}
	case PolicyReject:
		return Effect{Quarantine: 100, Reject: percent}
	case PolicyUnset, PolicyNone:
	}
	return Effect{}
}

// effect9989 applies one level less in test mode (RFC 9989 4.7, tag t).
func effect9989(d Disposition, test bool) Effect {
	if test && d > PolicyNone {
		d--
	}
	return effect7489(d, 100)
}

// Disarmed reports whether receivers treat the record as p=none at most,
// whatever it says, since p is missing or invalid or sp or np is invalid
// (RFC 9989 4.10.1).
func (r DMARCRecord) Disarmed() bool {
	return r.Policy == PolicyUnset || r.invalid("sp") || r.invalid("np")
}

// Applied reports whether receivers apply DMARC at all: a disarmed record
// needs a valid report URI to count as p=none (RFC 9989 4.10.1).
func (r DMARCRecord) Applied() bool {
	if !r.Disarmed() {
		return true
	}
	for _, uri := range r.RUA {
		if _, err := ParseReportURI(uri); err == nil {
			return true
		}
	}
	return false
}

// DMARCStep is one step of a ramp: a policy for at most Percent of failing
// mail, and the next lower policy for the rest.
type DMARCStep struct {
	Policy  Disposition
	Percent int // 0 to 100; always 100 for none
}

// ParseDMARCStep reads "none", "quarantine 25" or "reject"; without a number
// the policy holds for all mail.
func ParseDMARCStep(s string) (DMARCStep, error) {
	fields := strings.Fields(s)
	if len(fields) == 0 || len(fields) > 2 {
		return DMARCStep{}, fmt.Errorf(`%q is no ramp step; write a policy and a percentage, such as "quarantine 25"`, s)
	}
	policy, err := ParseDisposition(fields[0])
	if err != nil {
		return DMARCStep{}, fmt.Errorf("ramp step %q: %w", s, err)
	}
	step := DMARCStep{Policy: policy, Percent: 100}
	if len(fields) == 1 {
		return step, nil
	}
	pct, err := parsePct(fields[1])
	switch {
	case err != nil:
		return DMARCStep{}, fmt.Errorf("ramp step %q: %w", s, err)
	case policy == PolicyNone:
		return DMARCStep{}, fmt.Errorf(`ramp step %q: none has no percentage; write "none"`, s)
	}
	step.Percent = pct.Percent()
	return step, nil
}

// String prints the step as ParseDMARCStep reads it.
func (s DMARCStep) String() string {
	if s.Policy == PolicyNone || s.Policy == PolicyReject && s.Percent == 100 {
		return s.Policy.String()
	}
	return fmt.Sprintf("%s %d", s.Policy, s.Percent)
}

// Compat says for which generation of receivers a step below 100 % is written.
type Compat string

// The ways to write such a step.
const (
	CompatBoth Compat = "both"    // pct and t: at most that percentage anywhere
	Compat7489 Compat = "rfc7489" // pct alone: RFC 9989 receivers apply the policy to all mail
	Compat9989 Compat = "rfc9989" // t alone: RFC 7489 receivers apply the policy to all mail
)

// ParseCompat reads both, rfc7489 or rfc9989; the empty string is both.
func ParseCompat(s string) (Compat, error) {
	switch c := Compat(s); c {
	case "":
		return CompatBoth, nil
	case CompatBoth, Compat7489, Compat9989:
		return c, nil
	}
	return "", fmt.Errorf("%q is no compat mode; write both, rfc7489 or rfc9989", s)
}

// Tags returns the tags p, pct and t that publish the step.
func (s DMARCStep) Tags(c Compat) (p Disposition, pct Pct, t Flag) {
	if s.Policy == PolicyNone || s.Percent >= 100 {
		return s.Policy, 0, ""
	}
	if c != Compat9989 {
		pct = PctOf(s.Percent)
	}
	if c != Compat7489 {
		t = FlagYes
	}
	return s.Policy, pct, t
}

// Effects returns what receivers do under the step.
func (s DMARCStep) Effects(c Compat) Effects {
	var r DMARCRecord
	r.Policy, r.Pct, r.T = s.Tags(c)
	return r.Effects()
}

// Pct is the value of the historic tag pct (RFC 7489 6.3). The zero value is
// "not written", which means 100, so that forgetting it never loosens.
type Pct uint8

// PctOf returns the Pct of a percentage from 0 to 100.
func PctOf(percent int) Pct { return Pct(percent + 1) }

// Written reports whether the record has the tag.
func (p Pct) Written() bool { return p > 0 }

// Percent returns the percentage, 100 where none is written.
func (p Pct) Percent() int {
	if p == 0 {
		return 100
	}
	return int(p) - 1
}

func (p Pct) String() string {
	if p == 0 {
		return ""
	}
	return strconv.Itoa(p.Percent())
}

func parsePct(s string) (Pct, error) {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || n > 100 || len(s) > 3 {
		return 0, fmt.Errorf("%q is no percentage; write a number from 0 to 100", s)
	}
	return PctOf(int(n)), nil
}

// Flag is the value of a tag that takes one letter; empty: not written.
type Flag string

// The flags of the DMARC tags t (y, n) and psd (y, n, u).
const (
	FlagYes     Flag = "y"
	FlagNo      Flag = "n"
	FlagUnknown Flag = "u"
)

func parseFlag(s, letters string) (Flag, error) {
	if len(s) != 1 || !strings.Contains(letters, strings.ToLower(s)) {
		return "", fmt.Errorf("%q is none of the letters %s", s, letters)
	}
	return Flag(strings.ToLower(s)), nil
}

// Alignment is how exactly an authenticated domain must be the From domain
// (RFC 9989 4.4); empty: not written, which means relaxed.
type Alignment string

// The alignment modes.
const (
	AlignRelaxed Alignment = "relaxed"
	AlignStrict  Alignment = "strict"
)

// ParseAlignment reads relaxed or strict, or the letter that a record has.
func ParseAlignment(s string) (Alignment, error) {
	switch strings.ToLower(s) {
	case "r", string(AlignRelaxed):
		return AlignRelaxed, nil
	case "s", string(AlignStrict):
		return AlignStrict, nil
	}
	return "", fmt.Errorf("%q is no alignment mode; write relaxed or strict", s)
}

// Strict reports whether the domains must be equal; without the tag they need
// not.
func (a Alignment) Strict() bool { return a == AlignStrict }

// letter is the value in a record.
func (a Alignment) letter() string {
	if a == "" {
		return ""
	}
	return string(a[:1])
}

func parseAlignmentLetter(s string) (Alignment, error) {
	if len(s) != 1 {
		return "", fmt.Errorf("%q is not r or s", s)
	}
	return ParseAlignment(s)
}
