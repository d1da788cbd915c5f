package spf

import (
	"context"
	"fmt"
	"strings"
)

// Tree is a record with all that it includes and redirects to, as far as that
// can be told without knowing the sender.
type Tree struct {
	Root *Node
	// Findings are the faults met on the way, each once, in the order met.
	Findings []Finding
	// Unknown are the terms that can't be told as a set, each once.
	Unknown []UnknownTerm
}

// Node is the record of one name. However often a name is reached it is asked
// for once and has one node.
type Node struct {
	// Domain is the name; empty for a given record without one.
	Domain string
	// Record is the record, with a syntax error its valid terms; nil if there
	// is none.
	Record *Record
	// TTL of the record, in seconds; 0 for a given record.
	TTL uint32
	// Problem and Detail say what is wrong with the record as such.
	Problem Problem
	Detail  string
	// Branches are the live terms in the order of their evaluation.
	Branches []Branch
	// Lookups and VoidLookups count the terms here and below if no mechanism
	// matches, each as often as it is reached, also beyond the limits of RFC
	// 7208 section 4.6.4. They saturate at MaxCount.
	Lookups, VoidLookups int

	parts   parts
	pass    AddressSet // the base of parts that passes
	fetched bool       // TTL has a meaning
	void    bool       // asking for the record was a void lookup
	open    bool       // on the way from the root: reaching it again is a loop
}

// Branch is a live term of a record and what it leads to.
type Branch struct {
	Term Term
	// Target is the name that the term asks for; empty if it asks for none or
	// the name depends on the sender.
	Target string
	// Node is the record of an include or redirect where its name is reached
	// for the first time, so that the nodes form a tree. Later it is nil and
	// Repeated is set.
	Node     *Node
	Repeated bool
	// Lookups and VoidLookups count the term and what is below it.
	Lookups, VoidLookups int
	// Void tells whether the questions of the term itself came to nothing.
	Void bool
	// Addresses are those that an a, mx, ip4, ip6, exists or all matches.
	Addresses AddressSet
	// Unknown says why what the term matches can't be told; empty if it can.
	Unknown string
	// Problem and Detail say what is wrong with the term's target.
	Problem Problem
	Detail  string
	// TTL is the least of the answers to the term's own questions, in seconds.
	TTL uint32

	child *Node // Node, also if repeated
}

// Finding is a fault of a record or of a term in it.
type Finding struct {
	Problem Problem
	// Domain is the name whose record is at fault, Term the canonical text of
	// the term in it; empty if it is the record as such.
	Domain, Term string
	Detail       string
}

// MaxCount is where counts saturate: the largest integer that every JSON
// reader keeps exact.
const MaxCount = 1<<53 - 1

// Bounds of the work for one tree. Honest trees stay far below; a tree beyond
// them is a permerror to every receiver anyway.
const (
	maxRecords = 500
	maxQueries = 2000
	maxText    = 256 << 10 // bytes of all records
	maxTerms   = 10_000    // of all records
	maxRanges  = 300_000   // of all sets made
)

const (
	tooManyRecords = "more records than this program follows"
	tooManyNames   = "more names than this program asks for"
	tooManyRanges  = "more addresses than this program works out"
)

// Resolve follows the includes and redirects of a record. A nil record means
// the one that domain has; then the root's Problem tells if it has none. A
// given record is evaluated as that of domain, which may be empty.
//
// The error is that of a ctx that ended; faults of records are findings. The
// work is bounded: each name is asked for once, and there are bounds on
// records, questions, text and sets, beyond which the tree has the finding
// TooLarge and is not followed further.
func Resolve(ctx context.Context, r Resolver, domain string, record *Record) (*Tree, error) {
	domain = strings.TrimSuffix(domain, ".")
	w := &walker{
		resolver: r, origin: domain, nodes: map[string]*Node{}, hosts: map[string]hostAnswer{}, mails: map[string]mailAnswer{},
		tree: &Tree{}, found: map[Finding]bool{}, unknown: map[UnknownTerm]bool{},
	}
	root := &Node{Domain: domain, Record: record}
	w.nodes[lowerName(domain)] = root
	if record == nil {
		w.load(ctx, root)
	}
	w.grow(ctx, root)
	w.tree.Root = root
	if root.Problem != "" {
		w.find(Finding{Problem: root.Problem, Domain: domain, Detail: root.Detail})
	}
	return w.tree, ctx.Err()
}

// Authorization says what the tree's record makes of every address. If the
// record can't be read at all, everything is in Error or Uncertain.
func (t *Tree) Authorization() Authorization {
	a := t.Root.parts.authorization()
	a.Unknown = t.Unknown
	return a
}

// Authorized are the addresses that the record of the node passes, for a
// sender whom no unknown term matches.
func (n *Node) Authorized() AddressSet { return n.pass }

// walker is the making of one tree.
type walker struct {
	resolver Resolver
	origin   string // the domain under evaluation, for the macro o
	nodes    map[string]*Node
	hosts    map[string]hostAnswer
	mails    map[string]mailAnswer
	tree     *Tree
	found    map[Finding]bool     // in tree.Findings
	unknown  map[UnknownTerm]bool // in tree.Unknown

	records, queries, text, terms, ranges int // work done
}

// visit returns the node of a name. Its recursion is bounded by the number of
// records.
func (w *walker) visit(ctx context.Context, domain string) *Node {
	key := lowerName(domain)
	if n := w.nodes[key]; n != nil {
		return n
	}
	n := &Node{Domain: domain}
	w.nodes[key] = n
	w.load(ctx, n)
	w.grow(ctx, n)
	return n
}

// load asks for the record of a node.
func (w *walker) load(ctx context.Context, n *Node) {
	w.records++
	if w.records > maxRecords || w.text > maxText || w.terms > maxTerms || !w.mayAsk(1) {
		n.Problem, n.Detail = TooLarge, tooManyRecords
		return
	}
	found := fetch(ctx, w.resolver, n.Domain)
	n.Record, n.Problem, n.Detail = found.record, found.problem, found.detail
	n.TTL, n.void, n.fetched = found.ttl, found.void, true
}

// grow follows the terms of a node.
func (w *walker) grow(ctx context.Context, n *Node) {
	if n.Record != nil {
		w.text += len(n.Record.Text)
		w.terms += len(n.Record.Terms)
		if w.text > maxText || w.terms > maxTerms {
			n.Lookups = n.Record.DirectLookups()
			n.Record, n.Problem, n.Detail = nil, TooLarge, tooManyRecords
		}
	}
	if n.Problem != "" {
		n.parts = brokenParts(n.Problem)
		return
	}
	n.open = true
	live := n.Record.Live()
	n.Branches = make([]Branch, 0, len(live))
	for _, t := range live {
		b := w.branch(ctx, n, t)
		n.Branches = append(n.Branches, b)
		n.Lookups = addCounts(n.Lookups, b.Lookups)
		n.VoidLookups = addCounts(n.VoidLookups, b.VoidLookups)
	}
	n.open = false
	w.divide(n)
}

// brokenParts are those of a record that can't be evaluated.
func brokenParts(p Problem) parts {
	if p == Unanswered || p == TooLarge {
		return unread()
	}
	return parts{{fate{canError, canError}, Everything()}}
}

func addCounts(a, b int) int { return min(a+b, MaxCount) }

// branch makes the branch of a term.
func (w *walker) branch(ctx context.Context, n *Node, t Term) Branch {
	b := Branch{Term: t}
	switch {
	case t.Kind == All:
		b.Addresses = Everything()
		return b
	case t.Prefix.IsValid():
		b.Addresses = SetOf(t.Prefix)
		return b
	}
	b.Lookups = 1
	if t.Domain.Uses("p") {
		b.Lookups = 2 // the PTR question counts (RFC 7208 section 4.6.4)
	}
	if b.Target, b.Unknown = w.target(n, t); b.Unknown == "" {
		w.follow(ctx, &b)
	}
	if b.Void {
		b.VoidLookups = addCounts(b.VoidLookups, 1)
	}
	w.note(n, &b)
	return b
}

// target is the name that a term asks for, or why it can't be told.
func (w *walker) target(n *Node, t Term) (name, unknown string) {
	if t.Kind == PTR {
		return "", "asks for the name of the client"
	}
	if t.Domain.IsZero() {
		if n.Domain == "" {
			return "", "stands for the domain of the record, which is not known"
		}
		return n.Domain, ""
	}
	expanded, ok := t.Domain.expand(func(letter byte) (string, bool) {
		switch letter {
		case 'd':
			return n.Domain, n.Domain != ""
		case 'o':
			return w.origin, w.origin != ""
		}
		return "", false
	})
	if !ok {
		return "", "depends on the message"
	}
	return targetName(expanded), ""
}

// follow asks the questions of a term whose target is known.
func (w *walker) follow(ctx context.Context, b *Branch) {
	switch k := b.Term.Kind; {
	case k == Include || k == Redirect:
		w.followRecord(ctx, b)
	case w.ranges > maxRanges:
		b.Problem, b.Detail = TooLarge, tooManyRanges
	case !canQuery(b.Target): // matches nothing, see matchHost
	case k == A:
		w.followHost(ctx, b)
	case k == MX:
		w.followMail(ctx, b)
	case k == Exists:
		w.followExists(ctx, b)
	}
}

func (w *walker) followRecord(ctx context.Context, b *Branch) {
	known := w.nodes[lowerName(b.Target)]
	if known != nil && known.open {
		b.Problem, b.Detail = Loop, fmt.Sprintf("leads back to %s, which is being evaluated", b.Target)
		return
	}
	b.child = w.visit(ctx, b.Target)
	if known == nil {
		b.Node = b.child
	}
	b.Repeated = known != nil
	b.Problem, b.Detail = b.child.Problem, b.child.Detail
	b.Void = b.child.void
	b.TTL = b.child.TTL
	b.Lookups = addCounts(b.Lookups, b.child.Lookups)
	b.VoidLookups = b.child.VoidLookups
}

// note records what is wrong with a branch or unknown about it. A fault of the
// record that a term leads to is noted for the term, which its owner can
// change.
func (w *walker) note(n *Node, b *Branch) {
	if b.Problem != "" {
		w.find(Finding{Problem: b.Problem, Domain: n.Domain, Term: b.Term.String(), Detail: b.Detail})
	}
	if b.Unknown == "" && (b.Problem == Unanswered || b.Problem == TooLarge) {
		b.Unknown = b.Detail
	}
	if b.Unknown == "" {
		return
	}
	unknown := UnknownTerm{n.Domain, b.Term.String(), b.Unknown}
	if !w.unknown[unknown] {
		w.unknown[unknown] = true
		w.tree.Unknown = append(w.tree.Unknown, unknown)
	}
}

func (w *walker) find(f Finding) {
	if !w.found[f] {
		w.found[f] = true
		w.tree.Findings = append(w.tree.Findings, f)
	}
}

// mayAsk counts questions and tells whether they may still be asked.
func (w *walker) mayAsk(n int) bool {
	w.queries += n
	return w.queries <= maxQueries
}

// divide works out what the record of a node makes of every address.
func (w *walker) divide(n *Node) {
	p, work := evaluate(n.Branches, maxRanges-w.ranges)
	w.ranges += work
	if p == nil {
		n.Problem, n.Detail = TooLarge, tooManyRanges
		n.parts = unread()
		return
	}
	n.parts = p
	n.pass = p.authorization().Pass
}
