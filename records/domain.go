package records

import (
	"time"

	"github.com/attunelogic/maildns/records/spf"
)

// Source is a place in a configuration file. Lines and columns count from 1;
// the zero value means that there is none.
type Source struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// ProviderRef names a provider block: provider "cloudflare" "main".
type ProviderRef struct {
	Type, Name string
}

func (r ProviderRef) String() string { return r.Type + "." + r.Name }

// Domain is the evaluated declaration of one domain: what it wants published,
// the settings that rule how it gets there, and where each stands. A nil or
// empty part is not declared, and what is not declared is not covered.
type Domain struct {
	Name     Name
	Zone     Name   // the zone that holds the domain
	ZoneID   string // the host's own id of the zone; empty: found by name
	Provider ProviderRef
	TTL      TTL // declared TTL; 0: the TTL that a set had, AutoTTL: the host's choice
	Owner    string
	Labels   map[string]string
	People   bool // people write from it, so lists and forwarders matter
	Removed  bool // state = "removed": withdraw all that we own
	Parked   bool // sends and receives nothing
	Review   *Review
	Protect  []string
	Settings Settings
	Source   Source

	SPF    *SPF
	DKIM   []DKIM
	DMARC  *DMARC
	MTASTS *MTASTS
	TLSRPT *TLSRPT
	MX     []MX
	NullMX *Source // null_mx = true (RFC 7505), and where
	BIMI   []BIMI
	Free   []Free
	// Reports lists the domains whose aggregate reports this domain accepts:
	// NAME._report._dmarc is published for each (RFC 9990 4).
	Reports []ReportFor
	// ReportsAccepted are the domains of the configuration that accept the
	// aggregate reports about this one.
	ReportsAccepted []Name
	Senders         []Sender

	Exceptions   []Exception
	Overrides    []Override
	KnownSources []KnownSource

	// Digest is over the evaluated declaration and settings, not over source
	// bytes: "sha256:" and hex digits.
	Digest string
}

// Sends reports whether the domain declares that mail is sent from it: it has
// a sender, spf or dkim block.
func (d *Domain) Sends() bool {
	return !d.Parked && (len(d.Senders) > 0 || d.SPF != nil || len(d.DKIM) > 0)
}

// Settings are the policy values that rule one domain. DefaultSettings has the
// runbook's.
type Settings struct {
	TTLMax          TTL
	TTLRollback     TTL
	TTLChange       TTL // TTL while a change is fresh
	Soak            time.Duration
	Observe         time.Duration // DMARC p=none
	CleanWindow     time.Duration
	MinMessages     int
	MaxWindow       time.Duration
	MinReporters    int
	EvidenceLag     time.Duration
	EvidenceKeep    time.Duration
	Propagation     time.Duration // from our write to every authoritative server
	Clean           Clean
	MaxDelete       float64 // share of the domains, 0 to 1
	RateShare       float64
	TrustedAuthserv []string
}

// Clean says whose mail must pass before a policy tightens.
type Clean string

// The two readings of the runbook's "100 % authenticated mail".
const (
	CleanOwn     Clean = "own"
	CleanLiteral Clean = "literal"
)

const day = 24 * time.Hour

// DefaultSettings returns the runbook's values.
func DefaultSettings() Settings {
	return Settings{
		TTLMax:       3600,
		TTLRollback:  300,
		TTLChange:    300,
		Soak:         day,
		Observe:      14 * day,
		CleanWindow:  7 * day,
		MinMessages:  100,
		MaxWindow:    60 * day,
		MinReporters: 1,
		EvidenceLag:  day,
		EvidenceKeep: 400 * day,
		Propagation:  30 * time.Second,
		Clean:        CleanOwn,
		MaxDelete:    0.05,
		RateShare:    0.5,
	}
}

// Review is when the domain was last looked at, and how often it must be.
type Review struct {
	Last   time.Time
	Every  time.Duration
	Source Source
}

// SPF is the declared record, merged from the spf block and the senders.
type SPF struct {
	Record  *spf.Record
	Flatten []Name // include names that are kept flattened
	TTL     TTL
	Source  Source
}

// DKIM declares one selector: a key, an alias, or a revoked key.
type DKIM struct {
	Selector string // the whole label sequence before ._domainkey
	Key      *DKIMKey
	CNAME    Name
	Revoked  bool
	Since    time.Time // when the key was made; zero: not said
	TTL      TTL
	Source   Source
}

// MTASTS declares the policy of RFC 8461 and the host that serves it.
type MTASTS struct {
	Policy    STSPolicy
	ID        string // empty: derived from the policy body
	HostCNAME Name
	HostA     []Value
	HostAAAA  []Value
	TTL       TTL
	Source    Source
}

// TLSRPT declares where TLS reports go (RFC 8460 3).
type TLSRPT struct {
	RUA    []string
	TTL    TTL
	Source Source
}

// MX declares one mail exchanger (RFC 5321 5.1).
type MX struct {
	Host       Name
	Preference uint16
	TTL        TTL
	Source     Source
}

// BIMI declares one selector's logo and evidence document.
type BIMI struct {
	Selector string
	Record   BIMIRecord
	TTL      TTL
	Source   Source
}

// Free is a record block: it owns exactly the values that it lists.
type Free struct {
	Key    Key
	Values []Value // canonical
	TTL    TTL
	Source Source
}

// ReportFor is one domain whose reports are accepted here (RFC 9990 4).
type ReportFor struct {
	Domain Name
	Source Source
}

// DMARC declares the target policy and the ramp that leads to it.
type DMARC struct {
	Record        DMARCRecord // the target; Policy, SP and NP are reached by the ramp
	Steps         []DMARCStep
	Compat        Compat
	Cadence       Cadence
	EvidenceGroup string
	TTL           TTL
	Source        Source
}

// Cadence is how often a domain sends at least, which decides how many days a
// clean window needs covered.
type Cadence string

// The cadences.
const (
	CadenceDaily   Cadence = "daily"
	CadenceWeekly  Cadence = "weekly"
	CadenceMonthly Cadence = "monthly"
)

// Sender is a service that sends mail as the domain: what policy, evidence and
// audit need to know about it.
type Sender struct {
	Type       string      // the sender_type's name
	MailFrom   Name        // MAIL FROM domain; empty: not known
	SignsAs    []Name      // d= until the domain's own DKIM is on: these and what is below them
	From       []Name      // From domains
	Selectors  []string    // those of the domain's DKIM that it signs with, sorted
	SPF        []SenderSPF // in the order of the type
	ReturnPath []Key       // the sets at MailFrom, where that is a name below the domain
	SharedIP   bool        // other customers send from the same addresses
	Source     Source
}

// SenderSPF is one SPF term that a sender needs, and the name whose record
// must hold it. At a name other than the domain's own the terms of all senders
// make the record, and an all that ends it is one of them.
type SenderSPF struct {
	Name Name
	Term string
}

// Exception sets a rule aside: local, reasoned, dated.
type Exception struct {
	Rule   string
	Reason string
	Until  time.Time
	Source Source
}

// Override opens a gate in a reviewed pull request.
type Override struct {
	Gate   string
	Reason string
	Until  time.Time
	Source Source
}

// KnownSource decides about someone who sends as us.
type KnownSource struct {
	Name   string
	Domain Name   // or
	IP     string // a prefix in CIDR form
	As     string // declined, forwarder or spoof
	Reason string
	Until  time.Time
	Source Source
}
