package render

import (
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// Kinds of document that this package gives a shape to. Those of plans are in
// package plan.
const (
	KindValidation = "validation"
	KindHistory    = "history"
	KindPoints     = "rollback-points"
)

// Result is what an apply or a rollback did. Each change of a domain is in
// exactly one of its four lists.
type Result struct {
	FormatVersion string         `json:"format_version"`
	Kind          string         `json:"kind"`
	Run           string         `json:"run"`
	Domains       []ResultDomain `json:"domains"`
	// Journal is the URL that the way back needs.
	Journal string `json:"journal,omitempty"`
	// Began is when the run began; the zero time where nobody knows.
	Began time.Time `json:"-"`
	// Aftermath is there after a rollback.
	Aftermath *Aftermath `json:"aftermath,omitempty"`
}

// ResultDomain is what was done to one domain.
type ResultDomain struct {
	Name    records.Name  `json:"name"`
	Entry   string        `json:"entry"` // empty: nothing was recorded
	Applied []plan.Change `json:"applied"`
	Waiting []plan.Change `json:"waiting"`
	Held    []plan.Change `json:"held"`
	Failed  []Failed      `json:"failed"`
	// Outcome says how the domain's zone ended; OutcomeDone where it is empty.
	Outcome Outcome `json:"outcome,omitempty"`
	// Error says why the whole domain was refused or failed.
	Error string `json:"error,omitempty"`
	// Back is the REF that returns the domain to where this run found it.
	Back string `json:"back,omitempty"`
}

// Outcome is how the work on a zone ended. History and results share it.
type Outcome string

// The outcomes. A refused zone was not written to.
const (
	OutcomeDone        Outcome = "done"
	OutcomeFailed      Outcome = "failed"
	OutcomeInterrupted Outcome = "interrupted"
	OutcomeRefused     Outcome = "refused"
)

// Failed is a change that could not be made, and why.
type Failed struct {
	plan.Change
	Error string `json:"error"`
}

// Aftermath is what people must know after a rollback: what was wrong since
// when, until when caches may go on serving it, and what else has to be done.
type Aftermath struct {
	Actor string    `json:"actor"`
	At    time.Time `json:"at"`
	Bad   []Bad     `json:"bad"`
	// CurrentBy is when every cache that honours TTLs, also the negative
	// ones, has the restored records.
	CurrentBy time.Time `json:"current_by"`
	// PolicyFiles lists the MTA-STS policy files that must go back too.
	PolicyFiles []PolicyFile `json:"policy_files"`
	// Notified names those who were told, NotNotified those who could not be
	// and why.
	Notified    []string `json:"notified"`
	NotNotified []string `json:"not_notified"`
}

// Bad is one record set that a rollback took back.
type Bad struct {
	Domain records.Name `json:"domain"`
	Name   records.Name `json:"name"`
	Type   records.Type `json:"type"`
	// Values are those that were withdrawn; none where the set was missing.
	Values []records.Value `json:"values"`
	// Since is when they were written; nil where nobody knows.
	Since *time.Time `json:"since"`
	// Until is when the last cache forgets them.
	Until time.Time `json:"until"`
}

// PolicyFile is the MTA-STS policy file of a domain: its address and, where it
// is known, the text that it had.
type PolicyFile struct {
	URL  string `json:"url"`
	Body string `json:"body,omitempty"`
}

// Rollback is what a rollback would do: the plan, to which state, what it
// leaves and what stands in its way.
type Rollback struct {
	plan.Plan
	Targets   []Target   `json:"targets"`
	Kept      []Kept     `json:"kept"`
	Conflicts []Conflict `json:"conflicts"`
}

// Target is the state that one zone returns to.
type Target struct {
	Zone  records.Name `json:"zone"`
	Ref   string       `json:"ref"`   // as it was given
	Entry string       `json:"entry"` // the entry that it names
	// State says in words which state this is: "the state after it".
	State   string    `json:"state"`
	At      time.Time `json:"at"`
	Command string    `json:"command"`
	Actor   string    `json:"actor"`
	// Warning says what is doubtful about the state.
	Warning string `json:"warning,omitempty"`
}

// Kept is a record set that did not exist at the target and stays all the
// same, and why.
type Kept struct {
	Domain records.Name    `json:"domain"`
	Name   records.Name    `json:"name"`
	Type   records.Type    `json:"type"`
	Kind   records.Kind    `json:"kind"`
	Values []records.Value `json:"values"`
	Why    string          `json:"why"`
}

// Conflict is a record set of ours that was edited by hand since. A nil side
// is an absent set.
type Conflict struct {
	Domain records.Name `json:"domain"`
	Name   records.Name `json:"name"`
	Type   records.Type `json:"type"`
	Left   *plan.Set    `json:"left"`   // as our newest entry left it
	Live   *plan.Set    `json:"live"`   // as it is now
	Target *plan.Set    `json:"target"` // as the rollback would make it
}

// ByHand is a plan as a person carries it out: a zone fragment, and steps for
// a dashboard. Nothing in it is shortened.
type ByHand struct {
	plan.Plan
}

// Points lists the states that a rollback can return to, newest first.
type Points struct {
	FormatVersion string  `json:"format_version"`
	Kind          string  `json:"kind"`
	Points        []Point `json:"points"`
	Journal       string  `json:"journal,omitempty"`
}

// Point is one state: what --to takes, what it stands for, and what returning
// to it would change now.
type Point struct {
	Ref      string         `json:"ref"` // an id, "last" or "last-good"
	Entry    string         `json:"entry"`
	Run      string         `json:"run"`
	At       time.Time      `json:"at"`
	Command  string         `json:"command"`
	Actor    string         `json:"actor"`
	Outcome  *Outcome       `json:"outcome"`
	Domains  []records.Name `json:"domains"`
	Verified *time.Time     `json:"verified_at"`
	Restores []Restored     `json:"restores"`
}

// Restored is one change of one domain.
type Restored struct {
	Domain records.Name `json:"domain"`
	plan.Change
}

// History is a list of journal entries, newest first.
type History struct {
	FormatVersion string  `json:"format_version"`
	Kind          string  `json:"kind"`
	Entries       []Entry `json:"entries"`
	// Damage lists what is wrong with the journal; the entries that are
	// given are intact.
	Damage []string `json:"damage"`
}

// Entry is one entry of the journal: what one run did to one zone.
type Entry struct {
	ID  string `json:"id"`
	Seq uint64 `json:"seq"`
	Run string `json:"run"`
	// Time is when the entry began.
	Time time.Time `json:"time"`
	// Domain is the first of Domains, which are those of the zone that the
	// run was for.
	Domain  records.Name   `json:"domain"`
	Domains []records.Name `json:"domains"`
	Zone    records.Name   `json:"zone"`
	Command string         `json:"command"`
	Actor   string         `json:"actor"`
	Commit  string         `json:"commit"`
	// Outcome is nil while the run is at work, or was killed.
	Outcome   *Outcome      `json:"outcome"`
	Changes   []plan.Change `json:"changes"`
	Overrides []Override    `json:"overrides"`
	Verified  *time.Time    `json:"verified_at"`
	// Rehearsal is set where MAILDNS_CLOCK fixed the clock.
	Rehearsal bool `json:"rehearsal,omitempty"`
}

// Override is a gate that was opened by hand, and why.
type Override struct {
	Gate   string       `json:"gate"`
	Domain records.Name `json:"domain"`
	Reason string       `json:"reason"`
}

// Validation is what is wrong with a configuration, as far as that can be told
// without a network.
type Validation struct {
	FormatVersion string       `json:"format_version"`
	Kind          string       `json:"kind"`
	Valid         bool         `json:"valid"`
	Diagnostics   []Diagnostic `json:"diagnostics"`
}

// Diagnostic is one finding about the configuration.
type Diagnostic struct {
	Severity plan.Severity `json:"severity"`
	Summary  string        `json:"summary"`
	Detail   string        `json:"detail"`
	Rule     string        `json:"rule"` // empty where no rule of the catalogue speaks
	Source   *Range        `json:"source"`
	// Snippet is the first line of the source range.
	Snippet string `json:"snippet,omitempty"`
}

// Range is a part of a configuration file. Lines and columns count from 1, and
// the end stands behind the last character.
type Range struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
}
