package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/cmd/maildns/internal/render"
	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

func newProvider(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "provider",
		Short: "Check what the DNS hosts and their credentials are good for",
		Long: `Look at the provider blocks of the configuration. These commands write
nothing.` + exitStatus(exitOK, exitError),
		Example: `  maildns provider check
  maildns provider check production`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newProviderCheck(a))
	return c
}

func newProviderCheck(a *app) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "check [NAME]",
		Short: "Try the credentials, read the zones, and tell what the host can do",
		Long: `Open each provider block of the configuration, or the one of that NAME (its
label, or TYPE.NAME), and tell what is there: whether its credentials are set and
accepted, what they may do as far as the host says, whether each zone that the
configuration has there can be read, and what the host can do: changes in one
transaction, TTLs, record types, its request budget. Nothing is written. Where
something is missing the exit status is 1.

As for plan, a server that the configuration names by its address is contacted
only where that is loopback or listed in MAILDNS_ALLOW_SERVERS.` + exitStatus(exitOK, exitError),
		Example: `  maildns provider check
  maildns provider check cloudflare.production
  maildns provider check production --format json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.providerCheck(c.Context(), args, format) },
	}
	c.Flags().StringVar(&format, "format", "text", "text or json")
	return c
}

func (a *app) providerCheck(ctx context.Context, args []string, format string) error {
	f, err := render.ParseFormat(format, render.Text, render.JSON)
	if err != nil {
		return err
	}
	cfg, err := a.load(ctx)
	if err != nil {
		return err
	}
	chosen, err := chooseProviders(cfg, args)
	if err != nil {
		return err
	}
	h := &hosts{dir: a.dir, cfg: cfg, options: a.options(false), opened: map[records.ProviderRef]*provider.Host{}}
	report := render.ProviderCheck{FormatVersion: plan.FormatVersion, Kind: render.KindProviderCheck, OK: true}
	for _, p := range chosen {
		checked, err := a.checkProvider(ctx, h, p)
		if err != nil {
			return err
		}
		report.OK = report.OK && checked.OK
		report.Providers = append(report.Providers, checked)
	}
	if err := render.Write(a.out, f, report, render.Options{Width: a.width(), Palette: a.palette(a.noColor)}); err != nil {
		return err
	}
	if !report.OK {
		return status(exitError)
	}
	return nil
}

// chooseProviders returns the blocks of a name, or all.
func chooseProviders(cfg *config.Config, names []string) ([]config.Provider, error) {
	if len(names) == 0 {
		return cfg.Providers, nil
	}
	var chosen []config.Provider
	var there []string
	for _, p := range cfg.Providers {
		there = append(there, p.Ref.String())
		if p.Ref.Name == names[0] || p.Ref.String() == names[0] {
			chosen = append(chosen, p)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("the configuration has no provider %q; it has %s", names[0], cmp.Or(strings.Join(there, ", "), "none"))
	}
	return chosen, nil
}

// checkProvider opens one block, asks what its credentials are good for, and
// reads its zones, several at once.
func (a *app) checkProvider(ctx context.Context, h *hosts, p config.Provider) (render.CheckedProvider, error) {
	kind, _ := provider.Lookup(p.Ref.Type)
	out := render.CheckedProvider{
		Name: p.Ref.String(), Summary: kind.Summary, Capabilities: capabilities(kind),
		Zones: zonesAt(h.cfg, p.Ref),
	}
	if p.Ref.Type == "external" { // somebody else writes there: nothing is missing
		out.OK, out.Zones, out.Access = true, nil, []string{kind.ReadOnly}
		return out, nil
	}
	host, err := h.open(p.Ref)
	if err != nil {
		out.Zones, out.Problem = nil, err.Error()
		return out, nil
	}
	opened := openEach(host, out.Zones) // all before any is read: an id of one must be known
	names := make([]records.Name, len(out.Zones))
	for i := range out.Zones {
		names[i] = records.Name(out.Zones[i].Name)
	}
	err = a.each(ctx, len(out.Zones)+1, func(ctx context.Context, i int) error {
		switch {
		case i == len(names):
			out.Access, out.Problem = checkAccess(ctx, host, names)
		case opened[i] != nil:
			checkZone(ctx, opened[i], &out.Zones[i])
		}
		return ctx.Err()
	})
	out.OK = out.Problem == "" && !slices.ContainsFunc(out.Zones, func(z render.CheckedZone) bool { return !z.OK })
	return out, err
}

func checkAccess(ctx context.Context, host *provider.Host, zones []records.Name) (facts []string, problem string) {
	facts, err := host.CheckAccess(ctx, zones)
	if err != nil {
		return facts, err.Error()
	}
	return facts, ""
}

// openEach opens zones; one that can't be opened has no zone but a problem.
func openEach(host *provider.Host, zones []render.CheckedZone) []*provider.Zone {
	opened := make([]*provider.Zone, len(zones))
	for i := range zones {
		zone, err := host.Zone(records.Name(zones[i].Name), zones[i].ID)
		if err != nil {
			zones[i].Problem = err.Error()
			continue
		}
		opened[i] = zone
	}
	return opened
}

func checkZone(ctx context.Context, zone *provider.Zone, z *render.CheckedZone) {
	live, err := zone.Read(ctx)
	if err != nil {
		z.Problem = err.Error()
		return
	}
	z.OK, z.Sets = true, live.Len()
	for s := range live.All() {
		if s.Fixed != "" {
			z.Fixed++
		}
	}
}

// zonesAt returns the zones that the configuration has at a provider.
func zonesAt(cfg *config.Config, ref records.ProviderRef) []render.CheckedZone {
	ids := map[records.Name]string{}
	for _, d := range cfg.Domains {
		if d.Provider == ref {
			ids[d.Zone] = d.ZoneID
		}
	}
	var zones []render.CheckedZone
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		zones = append(zones, render.CheckedZone{Name: string(name), ID: ids[name]})
	}
	return zones
}

func capabilities(t provider.Type) render.Capabilities {
	l := t.Limits
	return render.Capabilities{
		Writes: t.Reachable() && t.ReadOnly == "", Transactional: l.Transactional,
		MinTTL: l.MinTTL, AutoTTL: l.AutoTTL, PerValueTTL: l.PerValueTTL,
		MaxTXT: l.MaxTXT, MaxSet: l.MaxSet, MaxBatch: l.MaxBatch, Types: l.Types,
		RequestsPerSecond: l.Requests.PerSecond, RequestsBurst: l.Requests.Burst,
	}
}
