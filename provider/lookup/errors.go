package lookup

import (
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

// ErrNoNetwork says that no server of the list answers anything, so that
// nothing can be looked up in this run any more. Whoever meets it reports it
// once and goes on without the DNS.
var ErrNoNetwork = errors.New("no DNS server answers")

// Reason is why a question stayed open: one of the following, or the name of
// another RCODE.
type Reason string

// The reasons.
const (
	ServFail Reason = "SERVFAIL"
	Refused  Reason = "REFUSED"
	// Timeout: no answer came, though the server answers other questions.
	Timeout Reason = "timeout"
	// Unreachable: the operating system could not deliver the question, or the
	// server closed its connection.
	Unreachable Reason = "unreachable"
	// NotRecursive: the server refers to others instead of asking them.
	NotRecursive Reason = "no recursion"
	// Malformed: the answer breaks the protocol.
	Malformed Reason = "malformed answer"
	// AliasLoop: the CNAMEs lead back to themselves, or on and on.
	AliasLoop Reason = "loop of CNAMEs"
	// BadName: no such name can stand in a question (RFC 1035 2.3.4).
	BadName Reason = "no domain name"
	// BadType: the type is unknown, or none that records have.
	BadType Reason = "no record type"

	formErr Reason = "FORMERR"
	notImp  Reason = "NOTIMP"
)

// Error is a question that stayed open. Its text says why and at which server,
// not what was asked.
type Error struct {
	Name   records.Name
	Type   records.Type
	Reason Reason
	Detail string // for people
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return string(e.Reason)
	}
	return e.Detail
}

// flaw is why one server's answer, or its silence, is of no use.
type flaw struct {
	reason Reason
	detail string // completes "SERVER: "
}

func (f *flaw) Error() string { return f.detail }

func malformed(format string, args ...any) *flaw {
	return &flaw{Malformed, "its answer is malformed: " + fmt.Sprintf(format, args...)}
}

// rcodeFlaw is the flaw of an answer that is neither success nor NXDOMAIN.
func rcodeFlaw(rcode int) *flaw {
	name, known := dns.RcodeToString[rcode]
	if !known {
		name = fmt.Sprintf("RCODE%d", rcode)
	}
	return &flaw{Reason(name), "it answered " + name}
}

// failure is a server's last flaw in the course of one question.
type failure struct {
	server *server
	flaw   *flaw
}

// failures are in the order of their servers' first.
type failures []failure

// add notes a flaw; it takes the place of an earlier one of the same server.
func (fs *failures) add(s *server, f *flaw) {
	for i := range *fs {
		if (*fs)[i].server == s {
			(*fs)[i].flaw = f
			return
		}
	}
	*fs = append(*fs, failure{s, f})
}

// final reports whether a server has said something, so that asking it again
// would only bring the same.
func (fs failures) final(s *server) bool {
	for _, f := range fs {
		if f.server == s {
			return f.flaw.reason != Timeout && f.flaw.reason != Unreachable
		}
	}
	return false
}

// unreachable reports whether no question could even be delivered.
func (fs failures) unreachable() bool {
	for _, f := range fs {
		if f.flaw.reason != Unreachable {
			return false
		}
	}
	return true
}

// reason is the one that tells most: what a server said before silence, and
// silence before what didn't arrive.
func (fs failures) reason() Reason {
	best := Unreachable
	for _, f := range fs {
		if f.flaw.reason != Timeout && f.flaw.reason != Unreachable {
			return f.flaw.reason
		}
		if f.flaw.reason == Timeout {
			best = Timeout
		}
	}
	return best
}

func (fs failures) String() string {
	texts := make([]string, len(fs))
	for i, f := range fs {
		texts[i] = f.server.address + ": " + f.flaw.detail
	}
	return strings.Join(texts, "; ")
}
