package plan

import (
	"time"

	"github.com/attunelogic/maildns/records"
)

// FormatVersion is the version of the plan's JSON. Additive changes raise the
// minor number, others the major one; an unknown major is refused.
const FormatVersion = "1.0"

// Kind values of the document.
const (
	KindPlan     = "plan"
	KindRollback = "rollback"
	KindResult   = "result"
)

// Plan is what would change, over all domains that were asked for. Its JSON is
// a public contract.
type Plan struct {
	FormatVersion  string        `json:"format_version"`
	Kind           string        `json:"kind"`
	MaildnsVersion string        `json:"maildns_version"`
	CreatedAt      time.Time     `json:"created_at"`
	ConfigDigest   string        `json:"config_digest"`
	ID             string        `json:"id"`
	Summary        Summary       `json:"summary"`
	Journal        JournalStatus `json:"journal"`
	MaxExposure    int64         `json:"max_exposure_seconds"`
	MaxMistake     int64         `json:"max_mistake_seconds"`
	Domains        []Domain      `json:"domains"`
}

// JournalStatus says what the plan knew of the past.
type JournalStatus string

// The journal is read, absent (a new one) or unreadable.
const (
	JournalRead       JournalStatus = "read"
	JournalAbsent     JournalStatus = "absent"
	JournalUnreadable JournalStatus = "unreadable"
)

// Summary counts the changes of a plan. Every change counts once by action
// and once by state: Create+Update+Delete+TTL = Ready+Waiting+Held.
type Summary struct {
	Domains  int `json:"domains"`
	Create   int `json:"create"`
	Update   int `json:"update"`
	Delete   int `json:"delete"`
	TTL      int `json:"ttl"`
	Ready    int `json:"ready"`
	Waiting  int `json:"waiting"`
	Held     int `json:"held"`
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
}

// Live says where the live zone was read.
type Live string

// The provider's API, or the zone's name servers.
const (
	LiveProvider Live = "provider"
	LiveDNS      Live = "dns"
)

// Domain is the part of a plan that belongs to one domain.
type Domain struct {
	Name          records.Name `json:"name"`
	Zone          records.Name `json:"zone"`
	Provider      string       `json:"provider"`
	Transactional bool         `json:"transactional"`
	Live          Live         `json:"live"`
	ConfigDigest  string       `json:"config_digest"`
	Owner         string       `json:"owner,omitempty"`
	Changes       []Change     `json:"changes"`
	Findings      []Finding    `json:"findings"`
	Unmanaged     []Unmanaged  `json:"unmanaged"`
}

// Action is what a change does to its record set.
type Action string

// The actions. TTL means that only the TTL differs.
const (
	ActionCreate Action = "create"
	ActionUpdate Action = "update"
	ActionDelete Action = "delete"
	ActionTTL    Action = "ttl"
)

// Step is the place of a change in the order of time.
type Step string

// The steps, in their order.
const (
	StepLowerTTL   Step = "lower-ttl"
	StepChange     Step = "change"
	StepRestoreTTL Step = "restore-ttl"
)

// order is the place of the step in a plan.
func (s Step) order() int {
	switch s {
	case StepLowerTTL:
		return 0
	case StepChange:
		return 1
	default:
		return 2
	}
}

// ChangeState says whether a change can be made now.
type ChangeState string

// Ready can be made now, waiting is a matter of time, held needs a gate.
const (
	Ready   ChangeState = "ready"
	Waiting ChangeState = "waiting"
	Held    ChangeState = "held"
)

// Set is a record set's contents without its name.
type Set struct {
	TTL    records.TTL     `json:"ttl"`
	Values []records.Value `json:"values"`
}

// Change is one step of one record set.
type Change struct {
	Name      records.Name  `json:"name"`
	Type      records.Type  `json:"type"`
	Kind      records.Kind  `json:"kind"`
	Action    Action        `json:"action"`
	Step      Step          `json:"step"`
	State     ChangeState   `json:"state"`
	Before    *Set          `json:"before"`
	After     *Set          `json:"after"`
	Declared  *Set          `json:"declared"`
	NotBefore *time.Time    `json:"not_before"`
	Gates     []GateVerdict `json:"gates"`
	Meaning   []string      `json:"meaning"`
	// Exposure is how long caches may serve what is replaced, Mistake how
	// long a mistake outlives its rollback; both in seconds.
	Exposure int64 `json:"exposure_seconds"`
	Mistake  int64 `json:"mistake_seconds"`
	// ID is a digest of domain, name, type, step, before and after.
	ID string `json:"id"`
	// Group names the changes that must be written in one transaction.
	Group *string `json:"group"`
	// Foreign has the TTLs of the values of After that are not ours and were
	// there before, on a host that stores a TTL with each value: they stay.
	Foreign map[records.Value]records.TTL `json:"foreign,omitempty"`
}

// Key is the record set's key.
func (c Change) Key() records.Key { return records.Key{Name: c.Name, Type: c.Type} }

// Verdict is what a gate says. It fails closed: unknown holds.
type Verdict string

// The verdicts.
const (
	Allow      Verdict = "allow"
	VerdictNo  Verdict = "held"
	Unknown    Verdict = "unknown"
	Overridden Verdict = "overridden"
)

// GateVerdict is one gate's word on one change, with the reason, what is
// needed to open it, and when that is expected where it can be told.
type GateVerdict struct {
	ID      string  `json:"id"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"`
	Needs   string  `json:"needs"`
}

// Opens reports whether the gate lets the change pass.
func (g GateVerdict) Opens() bool { return g.Verdict == Allow || g.Verdict == Overridden }

// Severity of a finding.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// About says whether a finding is about the declaration or the live zone.
type About string

// Findings about the live zone never change the exit status.
const (
	AboutDeclared About = "declared"
	AboutLive     About = "live"
)

// Finding is one rule's word: what is wrong, and how to mend it.
type Finding struct {
	Rule     string          `json:"rule"`
	Severity Severity        `json:"severity"`
	About    About           `json:"about"`
	Message  string          `json:"message"`
	Fix      string          `json:"fix"`
	RFC      string          `json:"rfc"`
	Source   *records.Source `json:"source"`
}

// Unmanaged is a live record set, or some of its values, that looks like mail
// and that nobody declares or owns.
type Unmanaged struct {
	Name   records.Name    `json:"name"`
	Type   records.Type    `json:"type"`
	Values []records.Value `json:"values"`
	Why    string          `json:"why"`
}
