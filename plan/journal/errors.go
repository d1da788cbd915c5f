package journal

import (
	"errors"
	"fmt"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// The answers that callers tell apart; they come wrapped.
var (
	// ErrTaken: another run was faster. Nothing of ours was recorded.
	ErrTaken = errors.New("another run has written this part of the journal")
	// ErrPending: the newest entry has no outcome yet; recover it first.
	ErrPending = errors.New("the newest entry has no outcome yet")
	// ErrNotFound: no entry has that name.
	ErrNotFound = errors.New("the journal has no such entry")
)

// DamageError says what is wrong with a part of a zone's chain. The rest of
// the chain can still be read.
type DamageError struct {
	Zone        records.Name
	First, Last uint64 // the entries concerned; 0 for a stray object
	Reason      string
}

func (e *DamageError) Error() string {
	switch {
	case e.First == 0:
		return fmt.Sprintf("the journal of %s: %s", e.Zone, e.Reason)
	case e.First < e.Last:
		return fmt.Sprintf("the entries %s to %d: %s", entryID(e.Zone, e.First), e.Last, e.Reason)
	default:
		return fmt.Sprintf("the entry %s: %s", entryID(e.Zone, e.Last), e.Reason)
	}
}

func damaged(zone records.Name, seq uint64, format string, args ...any) *DamageError {
	return &DamageError{Zone: zone, First: seq, Last: seq, Reason: fmt.Sprintf(format, args...)}
}

// VersionError says that an object was written by a newer program.
type VersionError struct {
	ID      string
	Version string
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("the entry %s has format version %s, this program knows %s: use a newer maildns", e.ID, e.Version, FormatVersion)
}

// AmbiguousError says that a reference fits several entries or runs.
type AmbiguousError struct {
	Ref        string
	Candidates []string
}

func (e *AmbiguousError) Error() string {
	const most = 5
	shown, more := e.Candidates, ""
	if len(shown) > most {
		shown, more = shown[:most], fmt.Sprintf(" and %d more", len(e.Candidates)-most)
	}
	return fmt.Sprintf("%q fits %s%s: type more of it", e.Ref, strings.Join(shown, ", "), more)
}

// Holder is who holds the lock of a zone.
type Holder struct {
	Run   string      `json:"run"`
	Actor string      `json:"actor"`
	Host  string      `json:"host"`
	PID   int         `json:"pid"`
	Since plan.Moment `json:"since"`
}

// HeldError says that another run works on the zone.
type HeldError struct {
	Zone   records.Name
	Holder Holder // zero where it isn't known
}

func (e *HeldError) Error() string {
	h := e.Holder
	if h.Run == "" {
		return fmt.Sprintf("another run works on %s", e.Zone)
	}
	return fmt.Sprintf("run %s of %s works on %s since %s (process %d on %s)", h.Run, h.Actor, e.Zone, h.Since.At.Format("15:04:05 UTC"), h.PID, h.Host)
}
