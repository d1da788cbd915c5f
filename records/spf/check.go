package spf

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// The processing limits of RFC 7208 section 4.6.4.
const (
	// MaxLookups is the number of terms that may query the DNS.
	MaxLookups = 10
	// MaxVoidLookups is the number of terms whose queries may come to nothing.
	MaxVoidLookups = 2
	// maxHosts is the number of hosts of an mx (more are a permerror), and of
	// names of an address that a ptr looks at (more are ignored).
	maxHosts = 10
)

// Query is what a receiver knows about a message.
type Query struct {
	// IP is the address of the client; an IPv4-mapped one counts as IPv4.
	IP netip.Addr
	// Domain is the name whose record is evaluated. If empty it is the domain
	// of Sender or, if that is empty too, Helo.
	Domain string
	// Sender is the MAIL FROM address. If empty it is postmaster at Helo or,
	// failing that, at Domain (RFC 7208 section 2.4).
	Sender string
	// Helo is the domain of the HELO or EHLO command.
	Helo string
	// Receiver is the name of the receiving host for explanation texts.
	Receiver string
	// UnixTime is the time in seconds for explanation texts.
	UnixTime int64
}

// Verdict is the outcome of an evaluation and how it came about.
type Verdict struct {
	Result Result
	// Lookups and VoidLookups are the terms counted by RFC 7208 section 4.6.4.
	Lookups, VoidLookups int
	// Matched is the canonical text of the directive that matched, empty for
	// the default result and for errors. Domain is the name whose record has
	// it; another one than that of the query after a redirect.
	Matched string
	Domain  string
	// Explanation is the domain owner's text for a fail (RFC 7208 section
	// 6.2). It is data from strangers.
	Explanation string
	// Problem says why the result is none, temperror or permerror.
	Problem string
	Trace   []Step
}

// Step is an entry of a trace: a record that was selected (Record is set), or
// a term that was evaluated (Term is set). The steps of an included record
// follow its term with a greater depth.
type Step struct {
	Depth  int    `json:"depth"`
	Domain string `json:"domain"`
	Record string `json:"record,omitempty"`
	Term   string `json:"term,omitempty"`
	// Target is the name that was asked for, its macros expanded.
	Target  string `json:"target,omitempty"`
	Matched bool   `json:"matched,omitempty"`
	Void    bool   `json:"void,omitempty"`
	// Problem says what went wrong at this step.
	Problem string `json:"problem,omitempty"`
}

// Check evaluates a record as a receiver does: it is the function check_host()
// of RFC 7208 section 4. Any string is a domain; one that can have no record
// gives none. If ctx ends, the open questions make it a temperror.
func Check(ctx context.Context, r Resolver, q Query) Verdict {
	c := newChecker(r, q)
	if !c.ip.IsValid() {
		c.verdict.Result, c.verdict.Problem = ResultNone, "the query has no IP address"
		return c.verdict
	}
	o, f := c.checkHost(ctx, c.domain, 0)
	if f != nil {
		c.verdict.Result, c.verdict.Problem = f.result, f.problem
		return c.verdict
	}
	c.verdict.Result, c.verdict.Domain, c.verdict.Problem = o.result, o.domain, o.problem
	if o.term != nil {
		c.verdict.Matched = o.term.String()
	}
	if o.result == ResultFail {
		c.verdict.Explanation = c.explain(ctx, o)
	}
	return c.verdict
}

// checker is one evaluation.
type checker struct {
	resolver      Resolver
	query         Query
	ip            netip.Addr
	domain        string
	local, sender string // the parts of the sender's address
	ptr           *validated
	verdict       Verdict
	// The limits, which tests of equivalence lift.
	maxLookups, maxVoids int
}

// outcome is what the evaluation of one domain gives.
type outcome struct {
	result  Result
	domain  string  // the domain of record
	record  *Record // the record that decided, for its exp
	term    *Term   // the directive that matched, if any
	problem string  // why the result is none
}

// failure ends an evaluation as a whole.
type failure struct {
	result  Result
	problem string
}

func permanent(format string, args ...any) *failure {
	return &failure{ResultPermError, fmt.Sprintf(format, args...)}
}

func temporary(format string, args ...any) *failure {
	return &failure{ResultTempError, fmt.Sprintf(format, args...)}
}

func newChecker(r Resolver, q Query) *checker {
	c := &checker{resolver: r, query: q, ip: q.IP.Unmap().WithZone(""), maxLookups: MaxLookups, maxVoids: MaxVoidLookups}
	c.local, c.sender = splitAddress(q.Sender)
	if c.sender == "" {
		c.sender = q.Helo
	}
	if c.sender == "" {
		c.sender = q.Domain
	}
	c.domain = q.Domain
	if c.domain == "" {
		c.domain = c.sender
	}
	c.domain = strings.TrimSuffix(c.domain, ".")
	return c
}

// splitAddress splits at the last @, since a quoted local part may contain
// others. The local part defaults to postmaster (RFC 7208 section 4.3).
func splitAddress(sender string) (local, domain string) {
	at := strings.LastIndexByte(sender, '@')
	if at <= 0 {
		return "postmaster", sender[at+1:]
	}
	return sender[:at], sender[at+1:]
}

// checkHost evaluates the record of domain. Its recursion is bounded, since
// every call but the first is counted as a lookup.
func (c *checker) checkHost(ctx context.Context, domain string, depth int) (outcome, *failure) {
	found := fetch(ctx, c.resolver, domain)
	step := Step{Depth: depth, Domain: domain, Problem: found.detail}
	if found.record != nil {
		step.Record = found.record.Text
	}
	c.verdict.Trace = append(c.verdict.Trace, step)
	if depth > 0 { // the first question doesn't count
		c.verdict.Trace[len(c.verdict.Trace)-1].Void = found.void
		if f := c.countVoid(found.void); f != nil {
			return outcome{}, f
		}
	}
	switch found.problem {
	case "":
		return c.evaluate(ctx, found.record, domain, depth)
	case NoRecord:
		return outcome{result: ResultNone, domain: domain, problem: found.detail}, nil
	case Unanswered:
		return outcome{}, temporary("%s", found.detail)
	default:
		return outcome{}, permanent("%s", found.detail)
	}
}

// evaluate goes through the terms until one decides (RFC 7208 section 4.6.2).
func (c *checker) evaluate(ctx context.Context, record *Record, domain string, depth int) (outcome, *failure) {
	live := record.Live()
	for i := range live {
		t := &live[i]
		if t.Kind == Redirect {
			return c.redirect(ctx, t, domain, depth)
		}
		matched, f := c.step(ctx, t, domain, depth)
		if f != nil {
			return outcome{}, f
		}
		if matched {
			return outcome{result: t.Qualifier.Result(), domain: domain, record: record, term: t}, nil
		}
	}
	return outcome{result: ResultNeutral, domain: domain, record: record}, nil // section 4.7
}

// step evaluates a directive and puts it into the trace.
func (c *checker) step(ctx context.Context, t *Term, domain string, depth int) (matched bool, f *failure) {
	at := len(c.verdict.Trace)
	c.verdict.Trace = append(c.verdict.Trace, Step{Depth: depth, Domain: domain, Term: t.String()})
	target, f := c.target(ctx, t, domain)
	if f == nil {
		matched, f = c.match(ctx, t, target, at)
	}
	step := &c.verdict.Trace[at]
	step.Matched = matched
	if t.Kind.QueriesDNS() {
		step.Target = target
	}
	if f != nil {
		step.Problem = f.problem
	}
	return matched, f
}

// target counts the lookup of a term and expands its domain.
func (c *checker) target(ctx context.Context, t *Term, domain string) (string, *failure) {
	if t.Kind.QueriesDNS() {
		if f := c.countLookup(); f != nil {
			return "", f
		}
	}
	if t.Domain.IsZero() {
		return domain, nil
	}
	// The PTR query of %{p} counts as well (RFC 7208 section 4.6.4).
	if t.Domain.Uses("p") {
		if f := c.countLookup(); f != nil {
			return "", f
		}
	}
	name, _ := t.Domain.expand(c.binding(ctx, domain))
	return targetName(name), nil
}

func (c *checker) countLookup() *failure {
	c.verdict.Lookups++
	if c.verdict.Lookups > c.maxLookups {
		return permanent("more than %d terms query the DNS (RFC 7208 section 4.6.4)", c.maxLookups)
	}
	return nil
}

func (c *checker) countVoid(void bool) *failure {
	if !void {
		return nil
	}
	c.verdict.VoidLookups++
	if c.verdict.VoidLookups > c.maxVoids {
		return permanent("more than %d lookups are void (RFC 7208 section 4.6.4)", c.maxVoids)
	}
	return nil
}

// match evaluates a mechanism (RFC 7208 section 5); at is its trace step.
func (c *checker) match(ctx context.Context, t *Term, target string, at int) (bool, *failure) {
	switch t.Kind {
	case All:
		return true, nil
	case IP4, IP6:
		return t.Prefix.Contains(c.ip), nil
	case Include:
		return c.matchInclude(ctx, target, c.verdict.Trace[at].Depth)
	default:
		matched, void, f := c.matchHost(ctx, t, target)
		if f == nil {
			c.verdict.Trace[at].Void = void
			f = c.countVoid(void)
		}
		return matched, f
	}
}

// matchHost evaluates a mechanism that looks up addresses or names. A target
// that can't be asked for matches nothing (RFC 7208 section 4.8).
func (c *checker) matchHost(ctx context.Context, t *Term, target string) (matched, void bool, f *failure) {
	switch {
	case t.Kind == PTR:
		return c.matchPTR(ctx, target)
	case !canQuery(target):
		return false, false, nil
	case t.Kind == A:
		return c.matchA(ctx, t, target)
	case t.Kind == MX:
		return c.matchMX(ctx, t, target)
	}
	return c.matchExists(ctx, target)
}

// matchExists asks for A records even if the client has an IPv6 address (RFC
// 7208 section 5.7).
func (c *checker) matchExists(ctx context.Context, target string) (matched, void bool, f *failure) {
	answer, err := c.resolver.A(ctx, target)
	if err != nil {
		return false, false, temporary("A of %s: %v", target, err)
	}
	return !answer.void(), answer.void(), nil
}

// matchInclude evaluates another record (RFC 7208 section 5.2): only its pass
// is a match.
func (c *checker) matchInclude(ctx context.Context, target string, depth int) (bool, *failure) {
	o, f := c.checkHost(ctx, target, depth+1)
	if f != nil {
		return false, f
	}
	if o.result == ResultNone {
		return false, permanent("include of a name without record: %s", o.problem)
	}
	return o.result == ResultPass, nil
}

// redirect hands the evaluation over to another record (RFC 7208 section 6.1).
func (c *checker) redirect(ctx context.Context, t *Term, domain string, depth int) (outcome, *failure) {
	at := len(c.verdict.Trace)
	c.verdict.Trace = append(c.verdict.Trace, Step{Depth: depth, Domain: domain, Term: t.String()})
	target, f := c.target(ctx, t, domain)
	if f != nil {
		c.verdict.Trace[at].Problem = f.problem
		return outcome{}, f
	}
	c.verdict.Trace[at].Target = target
	o, f := c.checkHost(ctx, target, depth+1)
	if f == nil && o.result == ResultNone {
		f = permanent("redirect to a name without record: %s", o.problem)
	}
	return o, f
}

func (c *checker) matchA(ctx context.Context, t *Term, target string) (matched, void bool, f *failure) {
	addresses, f := c.addresses(ctx, target)
	if f != nil {
		return false, false, f
	}
	return t.covers(addresses, c.ip), len(addresses) == 0, nil
}

// matchMX compares with the addresses of all mail hosts (RFC 7208 section 5.4).
// It is void if it had no host, or asked and no host had an address.
func (c *checker) matchMX(ctx context.Context, t *Term, target string) (matched, void bool, f *failure) {
	hosts, err := c.resolver.MX(ctx, target)
	if err != nil {
		return false, false, temporary("MX of %s: %v", target, err)
	}
	if len(hosts.Values) > maxHosts {
		return false, false, permanent("%s has %d mail hosts, more than %d (RFC 7208 section 4.6.4)", target, len(hosts.Values), maxHosts)
	}
	void = hosts.void()
	answered := false
	for _, host := range hosts.Values {
		host = targetName(host)
		if !canQuery(host) {
			continue // the null MX
		}
		found, f := c.addresses(ctx, host)
		if f != nil {
			return false, false, f
		}
		if t.covers(found, c.ip) {
			return true, false, nil
		}
		answered = answered || len(found) > 0
		void = !answered
	}
	return false, void, nil
}

// addresses asks for the addresses of the client's family.
func (c *checker) addresses(ctx context.Context, name string) ([]netip.Addr, *failure) {
	ask, kind := c.resolver.A, "A"
	if c.ip.Is6() {
		ask, kind = c.resolver.AAAA, "AAAA"
	}
	answer, err := ask(ctx, name)
	if err != nil {
		return nil, temporary("%s of %s: %v", kind, name, err)
	}
	return answer.Values, nil
}

// covers tells whether ip is in the network that the term's prefix lengths
// make of one of the addresses.
func (t *Term) covers(addresses []netip.Addr, ip netip.Addr) bool {
	for _, a := range addresses {
		if t.network(a).Contains(ip) {
			return true
		}
	}
	return false
}

// network is the network of the term around an address that it looked up.
func (t *Term) network(a netip.Addr) netip.Prefix {
	length := t.Len6
	if a.Is4() {
		length = t.Len4
	}
	return netip.PrefixFrom(a, length.Bits(a.BitLen())).Masked()
}
