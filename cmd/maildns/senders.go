package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/records"
)

func newSenders(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "senders [NAME]",
		Short: "List the services that a sender block can name, or show one",
		Long: `List the sender types: the presets that come with maildns, and the sender_type
blocks of the configuration, if there is one. With NAME, show its inputs, the
records that it makes for example.com, where its facts come from, and a sender
block to begin with.` + exitStatus(exitOK, exitError),
		Example: `  maildns senders
  maildns senders sendgrid`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.senders(c.Context(), args) },
	}
}

func (a *app) senders(ctx context.Context, args []string) error {
	env, err := a.environment()
	if err != nil {
		return err
	}
	types, diags := config.SenderTypes(ctx, a.dir, env)
	if err := a.printDiagnostics(diags, config.DirSnippets(a.dir)); err != nil {
		return err
	}
	if len(args) == 0 {
		err = listSenders(a.out, types)
	} else {
		var one config.SenderType
		if one, err = config.FindSenderType(types, args[0]); err == nil {
			err = showSender(a.out, one)
		}
	}
	if err == nil && diags.HasErrors() {
		err = status(exitError)
	}
	return err
}

func listSenders(w io.Writer, types []config.SenderType) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "NAME\tCHECKED\tADDRESSES\tWHAT IT IS")
	for _, s := range types {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", s.Name, checked(s), addresses(s), cmp.Or(s.Description, origin(s)))
	}
	return t.Flush()
}

// checked says how far the facts of a type can be relied upon.
func checked(s config.SenderType) string {
	verified := "unverified"
	if s.Verified {
		verified = "verified"
	}
	if s.Checked.IsZero() {
		return verified
	}
	return s.Checked.Format(time.DateOnly) + ", " + verified
}

func addresses(s config.SenderType) string {
	if s.SharedIP {
		return "shared"
	}
	return "own"
}

func origin(s config.SenderType) string {
	if s.Preset {
		return "preset"
	}
	return fmt.Sprintf("%s:%d", s.Place.File, s.Place.Line)
}

func showSender(w io.Writer, s config.SenderType) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "%s: %s\n\n", s.Name, cmp.Or(s.Description, origin(s)))
	_, _ = fmt.Fprintf(t, "  source\t%s\n", cmp.Or(s.Source, origin(s)))
	_, _ = fmt.Fprintf(t, "  checked\t%s\n", checked(s))
	_, _ = fmt.Fprintf(t, "  addresses\t%s\n", map[bool]string{true: "shared with other customers", false: "of this sender alone"}[s.SharedIP])
	_, _ = fmt.Fprintf(t, "\nInputs\n")
	for _, in := range s.Inputs {
		_, _ = fmt.Fprintf(t, "  %s\t%s\t%s\n", in.Name, need(in), in.Description)
	}
	_, _ = fmt.Fprintf(t, "  from\toptional\tthe From domains of this sender; default: the domain\n")
	if len(s.Records) > 0 {
		_, _ = fmt.Fprintf(t, "\nRecords for example.com, from the example\n")
	}
	for _, v := range s.Records {
		_, _ = fmt.Fprintf(t, "  %s\t%s\t%s\n", v.Key.Name.Relative("example.com"), v.Key.Type, shortValue(v.Value))
	}
	if s.Example != "" {
		_, _ = fmt.Fprintf(t, "\nExample, for a domain block\n\n%s\n", s.Example)
	}
	return t.Flush()
}

// need says whether an input must be given, and what it takes.
func need(in config.SenderInput) string {
	word := "optional"
	switch {
	case in.Required:
		word = "required"
	case in.Depends:
		word = "sometimes"
	}
	words := []string{word}
	if in.Type != "" && in.Type != "string" {
		words = append(words, in.Type)
	}
	if in.Length > 0 {
		words = append(words, fmt.Sprintf("of %d", in.Length))
	}
	if in.Default != "" {
		words = append(words, "default "+in.Default)
	}
	return strings.Join(words, " ")
}

// shortValue cuts keys, which nobody reads.
func shortValue(v records.Value) string {
	text := records.PrintableValue(v)
	if len(text) > 100 {
		return text[:70] + "…"
	}
	return text
}
