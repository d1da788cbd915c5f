package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

func newValidate(a *app) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration without any network or credentials",
		Long: `Parse and evaluate the configuration and check everything that needs no network
and no credentials: the language, and those rules of the catalogue (see maildns
rules) that look at the declaration alone. Errors name the file, the line and how
to mend it. JSON also has findings that are only of interest.` + exitStatus(exitOK, exitError),
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
			if !diags.HasErrors() {
				found, err := a.lint(c.Context(), cfg)
				if err != nil {
					return err
				}
				diags = append(diags, found...).Settle()
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

// lint finds what the rules of the catalogue can tell from the declarations
// alone.
func (a *app) lint(ctx context.Context, cfg *config.Config) (config.Diagnostics, error) {
	clock, err := a.clock()
	if err != nil {
		return nil, err
	}
	found := make([]config.Diagnostics, len(cfg.Domains))
	err = a.each(ctx, len(cfg.Domains), func(ctx context.Context, i int) error {
		for _, f := range policy.Lint(cfg.Domains[i], clock) {
			found[i] = append(found[i], diagnostic(cfg.Domains[i], f))
		}
		return ctx.Err()
	})
	return slices.Concat(found...), err
}

// diagnostic is a finding as reading the configuration would report it.
func diagnostic(d *records.Domain, f plan.Finding) config.Diagnostic {
	out := config.Diagnostic{Severity: config.Severity(f.Severity), Summary: f.Rule, Detail: sentences(f.Message, f.Fix), Rule: f.Rule, In: fmt.Sprintf("domain %q", d.Name)}
	if r, ok := policy.LookupRule(f.Rule); ok {
		out.Summary = capital(r.Finds)
	}
	if s := f.Source; s != nil {
		out.Source = &config.Span{File: s.File, Line: s.Line, Column: s.Column, EndLine: s.Line, EndColumn: s.Column}
	}
	return out
}

// sentences makes one text of phrases.
func sentences(phrases ...string) string {
	var out []string
	for _, p := range phrases {
		if p != "" {
			out = append(out, capital(strings.TrimSuffix(p, "."))+".")
		}
	}
	return strings.Join(out, " ")
}

// capital writes the first letter large, unless the first word is a name: one
// with a dot, a digit or a capital inside.
func capital(s string) string {
	word, _, _ := strings.Cut(s, " ")
	if s == "" || strings.ContainsAny(word, ".:=_0123456789") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
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
	told := slices.DeleteFunc(slices.Clone(diags), func(d config.Diagnostic) bool { return d.Severity == config.Info })
	if err := a.printDiagnostics(told, config.DirSnippets(a.dir)); err != nil || diags.HasErrors() {
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
