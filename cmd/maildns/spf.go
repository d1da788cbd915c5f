package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

func newSPF(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "spf",
		Short: "Evaluate an SPF record, count what it costs, flatten it",
		Long: `Look at SPF records (RFC 7208) as they are in the DNS, of any domain. These
commands need no configuration and no credentials, and write nothing.` + exitStatus(exitOK, exitError),
		Example: `  maildns spf check example.com --ip 192.0.2.1 --mail-from user@example.com
  maildns spf tree example.com
  maildns spf flatten example.com`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newSPFCheck(a), newSPFTree(a), newSPFFlatten(a))
	return c
}

func addResolver(c *cobra.Command, servers *[]string) {
	c.Flags().StringArrayVar(servers, "resolver", nil, "ask the DNS server `HOST:PORT`; may be repeated (default MAILDNS_RESOLVER, else the system's)")
}

// checkFlags are the flags of spf check.
type checkFlags struct {
	ip, mailFrom, helo string
	resolvers          []string
	format             string
}

func newSPFCheck(a *app) *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check DOMAIN --ip IP",
		Short: "Evaluate a domain's SPF record as a receiver would",
		Long: `Tell what a receiver makes of mail from an address, and by which terms: the
function check_host() of RFC 7208. An empty --mail-from stands for
postmaster at the --helo name. The exit status is 0 whatever the result, also
temperror where the DNS doesn't answer.` + exitStatus(exitOK, exitError),
		Example: `  maildns spf check example.com --ip 192.0.2.1
  maildns spf check example.com --ip 2001:db8::1 --mail-from user@example.com --helo mail.example.com
  maildns spf check example.com --ip 192.0.2.1 --resolver 9.9.9.9:53 --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.spfCheck(c.Context(), args[0], f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.ip, "ip", "", "the `IP` address that the mail comes from")
	fl.StringVar(&f.mailFrom, "mail-from", "", "the `ADDRESS` of the MAIL FROM command")
	fl.StringVar(&f.helo, "helo", "", "the `NAME` of the HELO or EHLO command")
	fl.StringVar(&f.format, "format", "text", "text or json")
	addResolver(c, &f.resolvers)
	return c
}

func (a *app) spfCheck(ctx context.Context, domain string, f checkFlags) error {
	format, err := render.ParseFormat(f.format, render.Text, render.JSON)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(f.ip)
	if err != nil {
		return fmt.Errorf("--ip is %q: write the one address that the mail comes from, such as 192.0.2.1 or 2001:db8::1", f.ip)
	}
	clock, err := a.clock()
	if err != nil {
		return err
	}
	r, err := a.newResolver(f.resolvers)
	if err != nil {
		return err
	}
	domain = mailDomain(domain)
	q := spf.Query{IP: ip, Domain: domain, Sender: f.mailFrom, Helo: f.helo, UnixTime: clock.Now.Unix()}
	if domain == "" {
		q.Domain = "." // an empty one would stand for that of the sender
	}
	v := spf.Check(ctx, r, q)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return render.Write(a.out, format, checkReport(domain, q, v), a.spfRendering())
}

// mailDomain is a name as a person wrote it, in the form in which the DNS knows
// it. What is no name at all is left as it is, and has no record.
func mailDomain(s string) string {
	for _, c := range []byte(s) {
		if c < 0x80 {
			continue
		}
		if n, err := records.ParseName(s); err == nil {
			return string(n)
		}
	}
	return strings.TrimSuffix(s, ".")
}

func (a *app) spfRendering() render.Options {
	return render.Options{Width: a.width(), Palette: a.palette(a.noColor)}
}

func checkReport(domain string, q spf.Query, v spf.Verdict) *render.SPFCheck {
	r := &render.SPFCheck{
		FormatVersion: plan.FormatVersion, Kind: render.KindSPFCheck,
		Domain: domain, IP: q.IP, MailFrom: q.Sender, Helo: q.Helo,
		Result: v.Result, Lookups: v.Lookups, VoidLookups: v.VoidLookups,
		Matched: v.Matched, Explanation: v.Explanation, Problem: v.Problem,
	}
	if v.Matched != "" {
		r.MatchedIn = v.Domain
	}
	for _, s := range v.Trace {
		r.Trace = append(r.Trace, render.SPFStep{Step: s, Record: records.Value(s.Record)})
	}
	return r
}

// recordFlags say which record spf tree and spf flatten are about.
type recordFlags struct {
	domain    string
	named     bool // a domain was given
	record    string
	given     bool // a record was given
	resolvers []string
	format    string
}

func addRecord(c *cobra.Command, f *recordFlags) {
	c.Args = cobra.MaximumNArgs(1)
	c.Flags().StringVar(&f.record, "record", "", "this `TEXT` instead of the record that is in the DNS; with a DOMAIN, as if it were that one's")
	addResolver(c, &f.resolvers)
	c.PreRunE = func(c *cobra.Command, args []string) error {
		f.given = c.Flags().Changed("record")
		if f.named = len(args) == 1; f.named {
			f.domain = mailDomain(args[0])
		}
		if !f.named && !f.given {
			return fmt.Errorf("whose record? Name a DOMAIN or give the text with --record; see %s --help", c.CommandPath())
		}
		return nil
	}
}

func newSPFTree(a *app) *cobra.Command {
	var f recordFlags
	c := &cobra.Command{
		Use:   "tree DOMAIN | --record TEXT",
		Short: "Show what an SPF record includes, and what each part costs",
		Long: `Show the tree of includes with the lookups, the void lookups and the addresses of
each part, and what is wrong. Receivers allow 10 lookups and 2 void ones (RFC
7208 4.6.4). Each term counts every time it is reached, also beyond the limit;
terms after "all", a redirect beside it, "exp" and the question for the record
itself don't count. Findings don't change the exit status; a lookup without an
answer does.` + exitStatus(exitOK, exitError),
		Example: `  maildns spf tree example.com
  maildns spf tree --record "v=spf1 include:_spf.example.net a:mail.example.com ~all"
  maildns spf tree example.com --format json`,
		RunE: func(c *cobra.Command, _ []string) error { return a.spfTree(c.Context(), f) },
	}
	addRecord(c, &f)
	c.Flags().StringVar(&f.format, "format", "text", "text or json")
	return c
}

func (a *app) spfTree(ctx context.Context, f recordFlags) error {
	format, err := render.ParseFormat(f.format, render.Text, render.JSON)
	if err != nil {
		return err
	}
	tree, err := a.resolveTree(ctx, f)
	if err != nil {
		return err
	}
	if err := render.Write(a.out, format, treeReport(tree, f), a.spfRendering()); err != nil {
		return err
	}
	if f.given && tree.Root.Problem == spf.Syntax {
		return status(exitError) // the finding has said why
	}
	if err := openEnds(tree); err != nil {
		return fmt.Errorf("the counts are the least possible: %w", err)
	}
	return nil
}

// resolveTree follows the record that the flags name. The error is also that
// of a record that nobody could tell.
func (a *app) resolveTree(ctx context.Context, f recordFlags) (*spf.Tree, error) {
	var record *spf.Record
	if f.given {
		parsed, errs := spf.ParseLoose(f.record)
		if len(errs) > 0 {
			return brokenTree(f.domain, parsed, errs), nil
		}
		record = parsed
	}
	r, err := a.newResolver(f.resolvers)
	if err != nil {
		return nil, err
	}
	tree, err := spf.Resolve(ctx, r, f.domain, record)
	if err == nil && tree.Root.Problem == spf.Unanswered {
		err = errors.New(render.Printable(tree.Root.Detail))
	}
	return tree, err
}

// brokenTree is the tree of a given record that receivers can't read.
func brokenTree(domain string, record *spf.Record, errs spf.SyntaxErrors) *spf.Tree {
	root := &spf.Node{Domain: domain, Record: record, Problem: spf.Syntax, Detail: errs.Error()}
	return &spf.Tree{Root: root, Findings: []spf.Finding{{Problem: spf.Syntax, Domain: domain, Detail: root.Detail}}}
}

// openEnds is an error where a tree could not be followed to its ends.
func openEnds(t *spf.Tree) error {
	var open []spf.Finding
	for _, f := range t.Findings {
		if f.Problem == spf.Unanswered || f.Problem == spf.TooLarge {
			open = append(open, f)
		}
	}
	switch len(open) {
	case 0:
		return nil
	case 1:
		return errors.New(render.Printable(open[0].Detail))
	}
	return fmt.Errorf("%d terms could not be followed; the first: %s", len(open), render.Printable(open[0].Detail))
}

func treeReport(t *spf.Tree, f recordFlags) *render.SPFTree {
	about := plan.AboutLive
	if f.given {
		about = plan.AboutDeclared
	}
	r := &render.SPFTree{
		FormatVersion: plan.FormatVersion, Kind: render.KindSPFTree, Domain: f.domain,
		Lookups: t.Root.Lookups, VoidLookups: t.Root.VoidLookups,
		Findings: policy.CheckSPFTree(t, about), Tree: authorized{}.node(t.Root),
	}
	for _, u := range t.Unknown {
		r.Unknown = append(r.Unknown, render.SPFUnknown(u))
	}
	return r
}

// authorized are the addresses that records pass, by the names of those that
// were met.
type authorized map[string]render.Addresses

func (m authorized) node(n *spf.Node) render.SPFNode {
	out := render.SPFNode{
		Domain: n.Domain, TTL: n.TTL, Lookups: n.Lookups, VoidLookups: n.VoidLookups,
		Addresses: render.Addresses{AddressSet: n.Authorized()}, Problem: n.Problem, Detail: n.Detail,
	}
	if n.Record != nil {
		out.Record = records.Value(n.Record.Text)
	}
	for i := range n.Branches {
		out.Terms = append(out.Terms, m.term(&n.Branches[i]))
	}
	m[strings.ToLower(n.Domain)] = out.Addresses
	return out
}

func (m authorized) term(b *spf.Branch) render.SPFTerm {
	out := render.SPFTerm{
		Term: b.Term.String(), Kind: b.Term.Kind.String(), Target: b.Target,
		Lookups: b.Lookups, VoidLookups: b.VoidLookups, Void: b.Void, Repeated: b.Repeated,
		Addresses: render.Addresses{AddressSet: b.Addresses}, Unknown: b.Unknown, Problem: b.Problem, Detail: b.Detail,
	}
	if b.Node != nil {
		node := m.node(b.Node)
		out.Node, out.Addresses = &node, node.Addresses
	} else if b.Repeated {
		out.Addresses = m[strings.ToLower(b.Target)]
	}
	return out
}

func newSPFFlatten(a *app) *cobra.Command {
	var f recordFlags
	c := &cobra.Command{
		Use:   "flatten DOMAIN | --record TEXT",
		Short: "Print an SPF record that says the same without any lookup",
		Long: `Print one record, alone on a line, that gives every address the same result with
networks in place of includes, a, mx and the like; standard error tells where the
networks come from. What depends on more than the address can't be flattened and
is refused, as is everything for which equivalence can't be shown. Equivalence
is to the result without the limits on lookups. Services change their networks
without notice: a flattened record has to be made anew regularly.` + exitStatus(exitOK, exitError),
		Example: `  maildns spf flatten example.com
  maildns spf flatten --record "v=spf1 include:_spf.example.net -all"
  maildns spf flatten example.com --quiet > record.txt`,
		RunE: func(c *cobra.Command, _ []string) error { return a.spfFlatten(c.Context(), f) },
	}
	addRecord(c, &f)
	return c
}

func (a *app) spfFlatten(ctx context.Context, f recordFlags) error {
	tree, err := a.resolveTree(ctx, f)
	if err != nil {
		return err
	}
	if f.given && tree.Root.Problem == spf.Syntax {
		return errors.New(render.Printable(tree.Root.Detail))
	}
	flat, err := tree.Flatten()
	if open := openEnds(tree); err != nil && open != nil {
		return fmt.Errorf("the record can't be flattened: %w", open)
	}
	if err != nil {
		return errors.New(render.Printable(err.Error()))
	}
	// A record that parses is printable ASCII throughout (RFC 7208 12).
	if _, err := fmt.Fprintln(a.out, flat.Record.Text); err != nil {
		return err
	}
	a.tellFlat(tree, flat)
	return nil
}

// comfortable is how long a record may be so that the answer fits a packet of
// 512 bytes (RFC 7208 3.4).
const comfortable = 450

// tellFlat says where the networks of a flattened record come from.
func (a *app) tellFlat(t *spf.Tree, flat *spf.Flat) {
	for _, s := range flat.Sources {
		kind := spf.IP6
		if s.Prefix.Addr().Is4() {
			kind = spf.IP4
		}
		from := make([]string, len(s.From))
		for i, o := range s.From {
			from[i] = o.Term
			if o.Domain != "" {
				from[i] += " of " + o.Domain
			}
		}
		network := spf.Term{Kind: kind, Qualifier: s.Qualifier, Prefix: s.Prefix}
		a.say("%s", render.Printable(fmt.Sprintf("%s from %s", network, strings.Join(from, ", "))))
	}
	if flat.TTL > 0 {
		a.say("Lookups: %d before, 0 now. The networks may change after %d s.", t.Root.Lookups, flat.TTL)
	}
	if n := len(flat.Record.Text); n > comfortable {
		a.warn("the record has %d characters; beyond %d its answer may not fit one UDP packet (RFC 7208 3.4): flatten fewer includes", n, comfortable)
	}
}
