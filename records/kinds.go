package records

// Kind says what a value is for. A kind covers values by name, type and
// prefix; ownership, gates and the words of a plan go by it.
type Kind string

// The kinds of mail records.
const (
	KindSPF    Kind = "spf"
	KindDKIM   Kind = "dkim"
	KindDMARC  Kind = "dmarc"
	KindMTASTS Kind = "mta-sts"
	KindTLSRPT Kind = "tls-rpt"
	KindMX     Kind = "mx"
	KindBIMI   Kind = "bimi"
	KindRecord Kind = "record"
)

// Declared is one value that a domain's declaration asks for.
type Declared struct {
	Kind   Kind
	Key    Key
	Value  Value
	TTL    TTL // 0 where the declaration leaves it to the domain's default
	Source Source
}

// Cover says which live values a declaration takes the place of: those of one
// kind at one name and type that begin with Prefix. A record block covers
// nothing beyond the values that it lists.
type Cover struct {
	Kind   Kind
	Key    Key
	Prefix string // compared without regard to case; empty covers the whole set
}
