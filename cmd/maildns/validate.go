package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/plan"
)

func newValidate(a *app) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration without any network or credentials",
		Long: `Parse and evaluate the configuration and check everything that needs no network
and no credentials. Errors name the file, the line and how to mend it.` + exitStatus(exitOK, exitError),
		Example: `  maildns validate
  maildns -C examples/attunelogic validate --format json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f, err := render.ParseFormat(format, render.Text, render.JSON)
			if err != nil {
				return err
			}
			cfg, diags, err := a.read(c.Context())
			if err != nil {
				return err
			}
			if f == render.JSON {
				v := validation(diags)
				err = render.Write(a.out, f, &v, render.Options{})
			} else {
				err = a.validationText(cfg, diags)
			}
			if err == nil && diags.HasErrors() {
				err = status(exitError)
			}
			return err
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text or json")
	return c
}

// validation is what the diagnostics look like to programs.
func validation(diags config.Diagnostics) render.Validation {
	v := render.Validation{FormatVersion: plan.FormatVersion, Kind: render.KindValidation, Valid: !diags.HasErrors(), Diagnostics: []render.Diagnostic{}}
	for _, d := range diags {
		one := render.Diagnostic{Severity: plan.Severity(d.Severity), Summary: d.Summary, Detail: d.Detail, Rule: d.Rule}
		if d.Source != nil {
			r := render.Range(*d.Source)
			one.Source = &r
		}
		v.Diagnostics = append(v.Diagnostics, one)
	}
	return v
}

func (a *app) validationText(cfg *config.Config, diags config.Diagnostics) error {
	if err := a.printDiagnostics(diags, config.DirSnippets(a.dir)); err != nil || diags.HasErrors() {
		return err
	}
	_, err := fmt.Fprintf(a.out, "The configuration is valid: %s.\n", count(len(cfg.Domains), "domain"))
	return err
}

// count says how many of a thing there are.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
