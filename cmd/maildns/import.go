package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// importFlags are the flags of import.
type importFlags struct {
	provider string
	live     string
	resolver []string
	out      string
}

func newImport(a *app) *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import DOMAIN",
		Short: "Write the domain block for what is live, so that its plan is empty",
		Long: `Read a domain from its DNS host and write the domain block that declares just
what is there: senders that are recognised, MX, SPF, DKIM, DMARC, MTA-STS, TLS-RPT
and BIMI as blocks that say what is meant, and what such a block wouldn't write byte
for byte as a record block. What isn't mail is not read into it. The plan of the
block is empty; only where the zone has several SPF records, an error at every
receiver, it merges them. The first apply then adopts the domain.

The host is that of the configuration's provider block, or of --provider where
there are several. None is written: without one, import says what to add. The
zone is the longest at that host that holds the domain.

--live dns reads the zone from its own name servers instead, or from each of the
resolvers that --resolver names, and needs no credentials. The DNS lists no names:
it sees those that are known, of the selectors those that the presets use. A
lookup that fails is an error, never an absent record.

The block goes to standard output or to the file of -o, which must not exist yet;
what you should know goes to standard error.` + exitStatus(exitOK, exitError),
		Example: `  maildns import attunelogic.com
  maildns -C dns import attunelogic.com -o dns/attunelogic.hcl && maildns -C dns plan
  maildns import mg.attunelogic.com --provider cloudflare.main
  maildns import attunelogic.com --live dns`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.importDomain(c.Context(), args[0], f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.provider, "provider", "", "the provider block to read from: `TYPE.NAME`")
	fl.StringVar(&f.live, "live", "provider", "where to read: provider, or dns")
	fl.StringArrayVar(&f.resolver, "resolver", nil, "with --live dns, ask this DNS server: `HOST:PORT` (MAILDNS_RESOLVER; otherwise the zone's own)")
	fl.StringVarP(&f.out, "out", "o", "", "write to `FILE`, which must not exist, relative to the working directory")
	return c
}

func (a *app) importDomain(ctx context.Context, arg string, f importFlags) error {
	name, err := records.ParseName(arg)
	if err != nil {
		return err
	}
	s, err := a.newSite(ctx, false)
	if err != nil {
		return err
	}
	ref, err := chooseProvider(s.cfg, f.provider)
	if err != nil {
		return err
	}
	live, err := s.liveDomain(ctx, ref, name, f)
	if err != nil {
		return err
	}
	env, err := a.environment()
	if err != nil {
		return err
	}
	w, err := config.Write(ctx, a.dir, env, live)
	if err != nil {
		return fmt.Errorf("importing %s: %w", name, err)
	}
	if err := a.deliver(f.out, w.HCL); err != nil {
		return err
	}
	s.tellImported(w, f.out)
	return nil
}

// chooseProvider is the block that a flag names, or the only one that there is.
func chooseProvider(cfg *config.Config, flag string) (records.ProviderRef, error) {
	var refs []string
	for _, p := range cfg.Providers {
		refs = append(refs, p.Ref.String())
	}
	switch i := slices.Index(refs, flag); {
	case len(refs) == 0:
		return records.ProviderRef{}, errors.New(noProvider)
	case i >= 0:
		return cfg.Providers[i].Ref, nil
	case flag != "":
		return records.ProviderRef{}, fmt.Errorf("--provider is %q, which the configuration doesn't have: it has %s", flag, strings.Join(refs, ", "))
	case len(refs) > 1:
		return records.ProviderRef{}, fmt.Errorf("which provider? Name one with --provider: the configuration has %s", strings.Join(refs, ", "))
	}
	return cfg.Providers[0].Ref, nil
}

const noProvider = `the configuration has no provider block, so there is no host to read from. Add one, for example

  provider "zonefile" "local" {
    directory = "zones" # zones/attunelogic.com.zone
  }

or

  provider "cloudflare" "main" {
    api_token = env("CLOUDFLARE_API_TOKEN")
  }`

// liveDomain reads the zone that holds a domain.
func (s *site) liveDomain(ctx context.Context, ref records.ProviderRef, name records.Name, f importFlags) (live config.Live, err error) {
	switch f.live {
	case "provider":
		live, err = s.liveAtHost(ctx, ref, name)
	case "dns":
		live, err = s.liveInDNS(ctx, ref, name, f.resolver)
	default:
		err = fmt.Errorf("--live is %q: write provider or dns", f.live)
	}
	if err != nil {
		return config.Live{}, err
	}
	if at, servers := delegation(live.Zone, name); at != "" {
		return config.Live{}, fmt.Errorf("%s is handed to %s, so what %s holds of it is not what the world sees: import it with the provider that serves %s", at, servers, ref, at)
	}
	for _, d := range s.cfg.Domains {
		switch {
		case d.Name == name:
			s.warn("%s is declared already, at %s:%d: a configuration has one block a domain", name, d.Source.File, d.Source.Line)
		case d.Zone == live.Zone.Name:
			live.Others = append(live.Others, d)
			live.ZoneID = d.ZoneID
		}
	}
	return live, nil
}

func (s *site) liveAtHost(ctx context.Context, ref records.ProviderRef, name records.Name) (config.Live, error) {
	host, err := s.hosts.open(ref)
	if err != nil {
		return config.Live{}, err
	}
	zone, err := s.holding(ctx, host, name)
	return config.Live{Domain: name, Zone: zone, Provider: ref, Limits: host.Type.Limits, From: "at " + ref.String()}, err
}

// holding reads the longest zone of the host that holds a domain.
func (s *site) holding(ctx context.Context, host *provider.Host, name records.Name) (records.Zone, error) {
	zones, err := host.Zones(ctx)
	if err != nil {
		s.say("%s, so it is asked for those that could hold %s.", safe(err), name)
		return s.firstHolding(ctx, host, name)
	}
	best, found := records.Name(""), false
	for _, z := range zones {
		if name.In(z) && (!found || len(z) > len(best)) {
			best, found = z, true
		}
	}
	if !found {
		return records.Zone{}, fmt.Errorf("provider %s has no zone that holds %s: it has %s", host.Ref, name, someNames(zones))
	}
	return s.readZone(ctx, host, best)
}

// firstHolding asks a host that can't list its zones for one after the other,
// the longest first. The error is that of the domain itself.
func (s *site) firstHolding(ctx context.Context, host *provider.Host, name records.Name) (records.Zone, error) {
	var first error
	for n := name; n != "" && n.Parent() != ""; n = n.Parent() {
		zone, err := s.readZone(ctx, host, n)
		if err == nil || ctx.Err() != nil {
			return zone, err
		}
		first = errors.Join(first, err)
	}
	return records.Zone{}, fmt.Errorf("provider %s has no zone that holds %s, or doesn't let it be read: %w", host.Ref, name, first)
}

// readZone reads a zone; where a name has several, it is the one whose id the
// configuration has.
func (s *site) readZone(ctx context.Context, host *provider.Host, name records.Name) (records.Zone, error) {
	id := ""
	for _, d := range s.cfg.Domains {
		if d.Zone == name {
			id = d.ZoneID
		}
	}
	zone, err := host.Zone(name, id)
	if err != nil {
		return records.Zone{}, err
	}
	return zone.Read(ctx)
}

// delegation is the cut between a zone's apex and a domain, if there is one.
func delegation(zone records.Zone, name records.Name) (at records.Name, servers string) {
	for n := name; n != zone.Name && n != ""; n = n.Parent() {
		if set, ok := zone.Set(records.Key{Name: n, Type: records.TypeNS}); ok {
			at, servers = n, someNames(set.Values)
		}
	}
	return at, servers
}

// someNames lists a few names for people.
func someNames[T ~string](names []T) string {
	const most = 8
	words := make([]string, 0, most)
	for _, n := range names[:min(most, len(names))] {
		words = append(words, string(n))
	}
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(words, ", "), len(names)-most)
	}
	return strings.Join(words, ", ")
}

// deliver writes the block to a new file, or to standard output.
func (a *app) deliver(file string, text []byte) error {
	if file == "" {
		_, err := a.out.Write(text)
		return err
	}
	err := a.Disk.CreateExclusive(file, text, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and import never overwrites a file: name another with -o, or move it away", file)
	}
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// tellImported tells on standard error what the block doesn't say.
func (s *site) tellImported(w config.Written, file string) {
	for _, n := range w.Notes {
		s.warn("%s", n)
	}
	if w.Merges {
		s.warn("%s has several SPF records, which receivers take for an error: the block merges them, so its plan is this one change", w.Domain.Name)
	}
	switch {
	case file == "":
	case w.Merges:
		s.say("Wrote %s. The next step is maildns plan.", file)
	default:
		s.say("Wrote %s. The next step is maildns plan, which has nothing to change.", file)
	}
}
