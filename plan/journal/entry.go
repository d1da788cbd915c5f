package journal

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// FormatVersion is the version of the journal's objects.
const FormatVersion = "1.0"

// Command is what was run.
type Command string

// The commands that make entries.
const (
	CommandApply    Command = "apply"
	CommandRollback Command = "rollback"
	CommandRelease  Command = "release"
)

// Result is what came of an intent.
type Result string

// Done: all items are live. Failed: nothing of them is. Interrupted: some are.
const (
	Done        Result = "done"
	Failed      Result = "failed"
	Interrupted Result = "interrupted"
)

// Header is what every object of a journal begins with.
type Header struct {
	FormatVersion string       `json:"format_version"`
	Kind          string       `json:"kind"`
	Zone          records.Name `json:"zone"`
	Seq           uint64       `json:"seq"`
	Run           string       `json:"run"`
	Time          plan.Moment  `json:"time"`
	// Digest of the object, "sha256:" and hex digits; set by the journal.
	Digest string `json:"-"`
}

func (h *Header) header() *Header { return h }

// ID is the entry's name as people type it: a.example/17.
func (h Header) ID() string { return entryID(h.Zone, h.Seq) }

func entryID(zone records.Name, seq uint64) string {
	return string(zone) + "/" + strconv.FormatUint(seq, 10)
}

// RunID names a run: its time, so that runs sort, and random bytes.
func RunID(at time.Time, random [4]byte) string {
	return at.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(random[:])
}

// Intent is what a run is about to do to one zone. The caller fills it, but
// for Header.FormatVersion, Kind, Seq and Digest, and Previous.
type Intent struct {
	Header
	MaildnsVersion string  `json:"maildns_version"`
	Command        Command `json:"command"`
	Actor          string  `json:"actor"`
	Commit         string  `json:"commit"`
	// Domains of the zone that the run works on, in order.
	Domains []records.Name `json:"domains"`
	// ConfigDigest is that of the whole configuration, empty where there was
	// none; those of the domains are in Expected.
	ConfigDigest string `json:"config_digest"`
	// PlanDigest is the id of the plan, or of the file, that is carried out.
	PlanDigest string `json:"plan_digest"`
	// Restored is the REF that a rollback goes back to, and its entry.
	Restored string `json:"restored,omitempty"`
	Provider Target `json:"provider"`
	// Transactional says that the host makes all changes of a write or none.
	Transactional bool            `json:"transactional"`
	Notify        []Target        `json:"notify"`
	Overrides     []plan.Override `json:"overrides"` // used by this run
	// Items are the changes that this run writes: none that waits or is held.
	Items []Item `json:"items"`
	// Declared are the values that the run wants live, whether it has to write
	// them or finds them: those that are live afterwards are owned.
	Declared []plan.Owned `json:"declared"`
	Expected Expected     `json:"expected"`
	// Snapshot holds the zone's mail records before the first write, foreign
	// values of shared sets included.
	Snapshot    []records.RRset `json:"snapshot"`
	NegativeTTL records.TTL     `json:"negative_ttl"`
	// Previous is the digest of the outcome before, empty in the first entry
	// and where the entry before is damaged.
	Previous string `json:"previous"`
}

// Item is one change of one domain.
type Item struct {
	Domain records.Name `json:"domain"`
	plan.Change
}

// Expected is what policy will remember of the run once its items are live.
type Expected struct {
	// Domains holds one state for each domain of the run.
	Domains []plan.DomainState `json:"domains"`
	// Holds takes the place of all holds of the run's domains.
	Holds []plan.RolledBack `json:"holds"`
	// Due is when the zone's next waiting step becomes due, whichever domain
	// it belongs to; zero for none.
	Due plan.Moment `json:"due"`
	// Lost is what of State.Lost is still to be put back.
	Lost []plan.Lost `json:"lost,omitempty"`
}

// Target is a provider or notify block as an incident needs it: every
// attribute that is no secret, and for each one that came from the environment
// the variable's name instead of its value.
type Target struct {
	Type   string              `json:"type"`
	Name   string              `json:"name"`
	Values map[string][]string `json:"values,omitempty"`
	Env    map[string]string   `json:"env,omitempty"` // variable by attribute
	On     []string            `json:"on,omitempty"`  // events of a notify block
	// ZoneID is the host's own id of the entry's zone, where one name has
	// several there.
	ZoneID string `json:"zone_id,omitempty"`
}

// check refuses an attribute that has both a variable and a value, since the
// value is then what the variable held.
func (t Target) check() error {
	for attribute, variable := range t.Env {
		if _, both := t.Values[attribute]; both {
			return fmt.Errorf("%s of %s.%s comes from the variable %s, so its value must not be recorded", attribute, t.Type, t.Name, variable)
		}
	}
	return nil
}

// Outcome is what came of an intent.
type Outcome struct {
	Header
	// RecoveredBy is the run that recorded the outcome of a dead one; Run is
	// the run of the entry.
	RecoveredBy string `json:"recovered_by,omitempty"`
	Result      Result `json:"result"`
	Error       string `json:"error,omitempty"`
	// Written and Removed are the values that the run brought and took,
	// Adopted those that were owned from then on without a write.
	Written []plan.Owned `json:"written"`
	Removed []plan.Owned `json:"removed"`
	Adopted []plan.Owned `json:"adopted"`
	// State is that of the zone afterwards; State.Live is the snapshot that was
	// read back.
	State  plan.State `json:"state"`
	Intent string     `json:"intent"` // its digest
}

// ChangedValues reports whether the run changed values of the domain; the
// empty name asks for any domain. A changed TTL alone doesn't count.
func (o *Outcome) ChangedValues(domain records.Name) bool {
	for _, list := range [][]plan.Owned{o.Written, o.Removed} {
		for _, v := range list {
			if domain == "" || v.Domain == domain {
				return true
			}
		}
	}
	return false
}

// Marker stands for entries that were pruned: those up to its Seq.
type Marker struct {
	Header
	Outcome string `json:"outcome"` // digest of the outcome of entry Seq
}

// Entry is an intent with its outcome. A part that is damaged or missing is
// nil; the outcome also while the entry is pending.
type Entry struct {
	Zone    records.Name
	Seq     uint64
	Intent  *Intent
	Outcome *Outcome
}

// ID is the entry's name as people type it: a.example/17.
func (e Entry) ID() string { return entryID(e.Zone, e.Seq) }

// Run is the run that made the entry, empty where neither part tells.
func (e Entry) Run() string {
	switch {
	case e.Intent != nil:
		return e.Intent.Run
	case e.Outcome != nil:
		return e.Outcome.Run
	default:
		return ""
	}
}
