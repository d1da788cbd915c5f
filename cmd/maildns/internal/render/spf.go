package render

import (
	"encoding/json"
	"net/netip"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// Kinds of document about SPF records.
const (
	KindSPFCheck = "spf-check"
	KindSPFTree  = "spf-tree"
)

// SPFCheck is what a receiver makes of a client and a sender.
type SPFCheck struct {
	FormatVersion string     `json:"format_version"`
	Kind          string     `json:"kind"`
	Domain        string     `json:"domain"`
	IP            netip.Addr `json:"ip"`
	MailFrom      string     `json:"mail_from"` // empty: the null reverse-path
	Helo          string     `json:"helo"`
	Result        spf.Result `json:"result"`
	Lookups       int        `json:"lookups"`
	VoidLookups   int        `json:"void_lookups"`
	// Matched is the directive that decided, MatchedIn the name whose record
	// has it; empty where none did.
	Matched   string `json:"matched"`
	MatchedIn string `json:"matched_in"`
	// Explanation is the domain owner's text for a fail.
	Explanation string `json:"explanation"`
	// Problem says why the result is none, temperror or permerror.
	Problem string    `json:"problem"`
	Trace   []SPFStep `json:"trace"`
}

// SPFStep is a step of an evaluation. Record stands for the one in Step, which
// may hold any bytes.
type SPFStep struct {
	spf.Step
	Record records.Value `json:"record,omitempty"`
}

func (r SPFCheck) filled() SPFCheck {
	r.Trace = some(r.Trace)
	return r
}

// SPFTree is an SPF record with all that it includes and redirects to.
type SPFTree struct {
	FormatVersion string `json:"format_version"`
	Kind          string `json:"kind"`
	Domain        string `json:"domain"` // empty for a record without one
	// Lookups and VoidLookups are those of Tree, also beyond the limits.
	Lookups     int            `json:"lookups"`
	VoidLookups int            `json:"void_lookups"`
	Findings    []plan.Finding `json:"findings"`
	// Unknown are the terms that can't be told as a set of addresses.
	Unknown []SPFUnknown `json:"unknown"`
	Tree    SPFNode      `json:"tree"`
}

// SPFUnknown is a term of the record of a domain, and why what it matches can't
// be told.
type SPFUnknown struct {
	Domain string `json:"domain"`
	Term   string `json:"term"`
	Why    string `json:"why"`
}

// SPFNode is the record of one name.
type SPFNode struct {
	Domain string `json:"domain"`
	// Record is empty where there is none that could be taken.
	Record      records.Value `json:"record"`
	TTL         uint32        `json:"ttl"`
	Lookups     int           `json:"lookups"`
	VoidLookups int           `json:"void_lookups"`
	// Addresses are those that the record passes.
	Addresses Addresses `json:"addresses"`
	// Problem and Detail say what is wrong with the record.
	Problem spf.Problem `json:"problem,omitempty"`
	Detail  string      `json:"detail,omitempty"`
	// Terms are those that can have an effect, in the order of evaluation.
	Terms []SPFTerm `json:"terms"`
}

// SPFTerm is a term and what it leads to.
type SPFTerm struct {
	Term   string `json:"term"`
	Kind   string `json:"kind"`             // include, a, mx, ptr, ip4, ip6, exists, all, redirect
	Target string `json:"target,omitempty"` // the name that is asked for, if it is known
	// Lookups and VoidLookups count the term and what is below it.
	Lookups     int `json:"lookups"`
	VoidLookups int `json:"void_lookups"`
	// Void says that the term's own question came to nothing.
	Void bool `json:"void"`
	// Repeated says that the target's record is shown where its name was
	// reached before. Its lookups count again.
	Repeated bool `json:"repeated"`
	// Addresses are those that the term matches.
	Addresses Addresses `json:"addresses"`
	// Unknown says why Addresses may not be all; empty where they are.
	Unknown string `json:"unknown,omitempty"`
	// Problem and Detail say what is wrong with the target.
	Problem spf.Problem `json:"problem,omitempty"`
	Detail  string      `json:"detail,omitempty"`
	// Node is the record of an include or redirect; nil where there is none to
	// show here.
	Node *SPFNode `json:"node"`
}

// Addresses is a set of which reports give the size.
type Addresses struct{ spf.AddressSet }

// MarshalJSON writes the number of addresses of each family; that of IPv6 as
// text, since it exceeds what most readers of JSON keep exact.
func (a Addresses) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		IPv4 uint64 `json:"ipv4"`
		IPv6 string `json:"ipv6"`
	}{a.Count4(), a.Count6().String()})
}

func (r SPFTree) filled() SPFTree {
	r.Findings, r.Unknown = some(r.Findings), some(r.Unknown)
	r.Tree = r.Tree.filled()
	return r
}

func (n SPFNode) filled() SPFNode {
	n.Terms = each(n.Terms, func(t SPFTerm) SPFTerm {
		if t.Node != nil {
			node := t.Node.filled()
			t.Node = &node
		}
		return t
	})
	return n
}

// Printable makes text safe for a terminal: what came from elsewhere can neither
// act on it nor hide.
func Printable(s string) string { return clean(s) }
