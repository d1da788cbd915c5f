package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// environment is what the configuration may know about the world.
func (a *app) environment() (config.Environment, error) {
	clock, err := a.clock()
	if err != nil {
		return config.Environment{}, err
	}
	vars := make(map[string]string, len(a.vars))
	for _, v := range a.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return config.Environment{}, fmt.Errorf("--var is %q: write --var NAME=VALUE", v)
		}
		vars[name] = value
	}
	return config.Environment{Lookup: a.Lookup, Vars: vars, Now: clock.Now}, nil
}

// read reads the configuration. From here on no secret of it can be printed.
func (a *app) read(ctx context.Context) (*config.Config, config.Diagnostics, error) {
	env, err := a.environment()
	if err != nil {
		return nil, nil, err
	}
	if info, err := os.Stat(a.dir); err != nil || !info.IsDir() {
		return nil, nil, fmt.Errorf("the configuration directory %s is not there: name one with -C DIR", a.dir)
	}
	cfg, diags := config.Load(ctx, a.dir, env)
	a.redact(cfg.Secrets)
	return cfg, diags, ctx.Err()
}

// load reads the configuration, prints its warnings, and fails with its errors.
func (a *app) load(ctx context.Context) (*config.Config, error) {
	cfg, diags, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.printDiagnostics(diags, config.DirSnippets(a.dir)); err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, failWith(exitError, &brokenError{diags})
	}
	return cfg, nil
}

// brokenError says that the configuration has errors, which have been printed.
type brokenError struct{ diags config.Diagnostics }

func (e *brokenError) Error() string { return e.diags.Error() }

func (a *app) printDiagnostics(diags config.Diagnostics, s *config.Snippets) error {
	if a.logLevel == "error" || a.quiet {
		var errs config.Diagnostics
		for _, d := range diags {
			if d.Severity == config.Error {
				errs = append(errs, d)
			}
		}
		diags = errs
	}
	_, colour := terminal(a.Stderr)
	return diags.WriteText(a.err, s, colour && !a.noColor && a.env("NO_COLOR") == "")
}

// book is the journal that a command works with.
type book struct {
	*journal.Journal
	url   string // as --journal takes it
	named bool   // somebody has named it: a flag, the environment, the configuration
	from  string // where the name comes from, for people
}

// openJournal opens the journal that the flag, the environment or the
// configuration names, in this order.
func (a *app) openJournal(declared config.Journal) (book, error) {
	b, dir := book{url: a.journal, named: true, from: "--journal"}, "."
	switch {
	case a.journal == "":
		b, dir = book{url: declared.URL, named: declared.Declared, from: "the journal block"}, a.dir
		if !b.named {
			b.from = "the default"
		}
	case a.journal == a.env("MAILDNS_JOURNAL"):
		b.from = "MAILDNS_JOURNAL"
	}
	s, err := store.Open(b.url, dir, a.Disk)
	if err != nil {
		return book{}, err
	}
	b.Journal = journal.Open(s)
	b.url, err = absoluteURL(b.url, dir)
	return b, err
}

// absoluteURL makes the URL of a local journal one that holds in any directory,
// so that the way back can be pasted anywhere.
func absoluteURL(url, dir string) (string, error) {
	path, local := strings.CutPrefix(url, "file://")
	if !local || strings.HasPrefix(path, "/") {
		return url, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the journal %s: %w", url, err)
	}
	abs = filepath.ToSlash(abs)
	if !strings.HasPrefix(abs, "/") {
		abs = "/" + abs
	}
	return "file://" + strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23").Replace(abs) + "/" + path, nil
}

// mayWrite refuses the disk of a CI runner as a journal that nobody has named:
// it is gone tomorrow, and with it the way back.
func (a *app) mayWrite(b book) error {
	if b.named || a.env("CI") == "" || !strings.HasPrefix(b.url, "file://") {
		return nil
	}
	return errors.New("CI is set and nobody has named a journal: the default would be lost with this runner. Name one that lasts, in a journal block, with --journal or MAILDNS_JOURNAL")
}

// hosts opens the provider blocks that are used, each once.
type hosts struct {
	dir     string
	cfg     *config.Config
	options provider.Options
	opened  map[records.ProviderRef]*provider.Host
}

// options are what providers need of the world. Only a command that writes may
// reload a server, and only where the environment says so; plan contacts no
// server that the configuration names unless it is allowed. They may use all of a
// host's request budget, as a rollback must; RateShare says less.
func (a *app) options(writes bool) provider.Options {
	o := provider.Options{Now: a.Now, Disk: a.Disk, Env: a.env, Tell: func(event string) { a.say("%s", event) }}
	if clock, err := a.clock(); err == nil && clock.Fixed {
		o.Now = clockNow(clock.Now)
	}
	o.AllowReload = writes && a.env("MAILDNS_ALLOW_RELOAD") == "1"
	o.RestrictServers = !writes
	for s := range strings.SplitSeq(a.env("MAILDNS_ALLOW_SERVERS"), ",") {
		if s = strings.TrimSpace(s); s != "" {
			o.AllowServers = append(o.AllowServers, s)
		}
	}
	return o
}

func (h *hosts) open(ref records.ProviderRef) (*provider.Host, error) {
	if host, ok := h.opened[ref]; ok {
		return host, nil
	}
	p, ok := h.cfg.Provider(ref)
	if !ok {
		return nil, fmt.Errorf("the configuration has no provider %s", ref)
	}
	if unset := p.Unset(); len(unset) > 0 {
		return nil, fmt.Errorf("provider %s needs %s, which the environment doesn't set", ref, strings.Join(unset, ", "))
	}
	host, err := provider.Open(ref, relative(ref.Type, p.Values, h.dir), h.options)
	if err != nil {
		return nil, err
	}
	h.opened[ref] = host
	return host, nil
}

// relative resolves the paths of a block, which start from the configuration's
// directory.
func relative(kind string, values provider.Values, dir string) provider.Values {
	t, _ := provider.Lookup(kind)
	out := maps.Clone(values)
	for _, attr := range t.Attributes {
		if p := values.Text(attr.Name); attr.Path && p != "" && !filepath.IsAbs(p) {
			p = filepath.Join(dir, p)
			if abs, err := filepath.Abs(p); err == nil {
				p = abs
			}
			out[attr.Name] = []string{p}
		}
	}
	return out
}

// reloads lists what providers run after a write, for people.
func reloads(cfg *config.Config) []string {
	var out []string
	for _, p := range cfg.Providers {
		if command := p.Values["reload"]; len(command) > 0 {
			out = append(out, fmt.Sprintf("provider %s runs %q after a write", p.Ref, command))
		}
	}
	return out
}

// target is the provider block of a zone as the journal keeps it: what is no
// secret, and the names of the variables that hold the rest. Paths are absolute,
// since an incident may find no configuration.
func target(p config.Provider, zoneID, dir string) journal.Target {
	values := relative(p.Ref.Type, p.Values, dir)
	t := journal.Target{Type: p.Ref.Type, Name: p.Ref.Name, ZoneID: zoneID, Values: map[string][]string{}, Env: map[string]string{}}
	for _, at := range p.Attributes {
		switch {
		case at.Env != "":
			t.Env[at.Name] = at.Env
		case !at.Secret:
			t.Values[at.Name] = values[at.Name]
		}
	}
	return t
}

func notifyTargets(cfg *config.Config) []journal.Target {
	out := []journal.Target{}
	for _, n := range cfg.Notify {
		t := journal.Target{Type: "notify", Name: n.Name, Env: map[string]string{}}
		if n.URL.Env != "" {
			t.Env[n.URL.Name] = n.URL.Env // a literal URL may hold a secret and is left out
		}
		for _, e := range n.On {
			t.On = append(t.On, string(e))
		}
		out = append(out, t)
	}
	return out
}

// configDigest is over all evaluated declarations.
func configDigest(cfg *config.Config) string {
	h := sha256.New()
	for _, d := range cfg.Domains {
		_, _ = fmt.Fprintf(h, "%s %s\n", d.Name, d.Digest)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
