package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/plan/policy"
)

func newRules(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "rules [ID]",
		Short: "List the rules and the gates, or explain one",
		Long: `List the rules, which find faults, and the gates, which hold changes until there
is evidence that they are safe. With ID, say what one is about, why it matters,
and how its fault is mended or its gate is opened.` + exitStatus(exitOK, exitError),
		Example: `  maildns rules
  maildns rules dmarc-pct-split`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listRules(a.out)
			}
			return explain(a.out, args[0])
		},
	}
}

func listRules(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "RULE\tSEVERITY\tNEEDS\tFINDS")
	for _, r := range policy.Rules() {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s%s\n", r.ID, r.Severity, r.Needs, r.Finds, later(r))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(t, "\nGATE\tHOLDS")
	for _, g := range policy.Gates() {
		_, _ = fmt.Fprintf(t, "%s\t%s\n", g.ID, g.Holds)
	}
	return t.Flush()
}

// later says that a rule's facts can't be had yet.
func later(r policy.Rule) string {
	if r.Implemented() {
		return ""
	}
	return " (not checked yet)"
}

func explain(w io.Writer, id string) error {
	r, isRule := policy.LookupRule(id)
	if isRule {
		if err := explainRule(w, r); err != nil {
			return err
		}
	}
	gates := policy.Gates()
	i := slices.IndexFunc(gates, func(g policy.Gate) bool { return g.ID == id })
	switch {
	case i >= 0:
		_, err := fmt.Fprintf(w, "%s: a gate\n\n  holds  %s\n  until  %s\n\nOpen it by hand with --override %s:DOMAIN --reason TEXT, or with an override block.\n",
			id, gates[i].Holds, gates[i].Until, id)
		return err
	case !isRule:
		return fmt.Errorf("there is no rule or gate %q; maildns rules lists them%s", id, similar(id))
	}
	return nil
}

func explainRule(w io.Writer, r policy.Rule) error {
	source := "a judgement of maildns"
	if r.RFC != "" {
		source = sourceOf(r.RFC)
	}
	_, err := fmt.Fprintf(w, "%s: a rule%s\n\n  finds     %s\n  severity  %s\n  needs     %s\n  source    %s\n\n%s\n\nHow to mend it: %s.\n",
		r.ID, later(r), r.Finds, r.Severity, needsText(r.Needs), source, r.Why, r.Fix)
	if err == nil && !r.OnlyReads() {
		_, err = fmt.Fprintf(w, "\nTo set it aside for one domain:\n\n  exception %q {\n    reason = \"…\"\n    until  = \"2027-01-31\"\n  }\n", r.ID)
	}
	return err
}

// sourceOf names a section as the table has it: a number is an RFC's.
func sourceOf(section string) string {
	if section[0] >= '0' && section[0] <= '9' {
		return "RFC " + section
	}
	return section
}

func needsText(n policy.Needs) string {
	texts := map[policy.Needs]string{
		policy.NeedsNothing: "the declaration alone: validate finds it",
		policy.NeedsZone:    "the zone: plan finds it",
		policy.NeedsDNS:     "the DNS: plan finds it, unless it is --offline",
		policy.NeedsHTTPS:   "what is served over HTTPS",
		policy.NeedsReports: "reports",
		policy.NeedsServers: "the zone's own servers: plan finds it, unless it is --offline or resolvers are given",
	}
	return texts[n]
}

// similar names the ids that share most with one that doesn't exist.
func similar(id string) string {
	family, _, _ := strings.Cut(id, "-")
	var ids []string
	for _, r := range policy.Rules() {
		if strings.HasPrefix(r.ID, family+"-") {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(common(b, id), common(a, id)) })
	return ", such as " + strings.Join(ids[:min(len(ids), 3)], ", ")
}

// common is the length of what two texts begin with.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
