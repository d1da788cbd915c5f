package config

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/records"
)

// Environment is what a configuration may know about the world.
type Environment struct {
	// Lookup returns an environment variable. Nil: there are none.
	Lookup func(name string) (value string, ok bool)
	// Vars are the values of --var NAME=VALUE; they beat MAILDNS_VAR_name.
	Vars map[string]string
	// Now decides which exceptions and overrides still hold.
	Now time.Time
}

func (e Environment) lookup(name string) (string, bool) {
	if e.Lookup == nil {
		return "", false
	}
	return e.Lookup(name)
}

// Config is an evaluated configuration. It holds no syntax trees and no
// secrets but those in Secrets and in the values that came from env().
type Config struct {
	Dir           string
	Journal       Journal
	Providers     []Provider // by type, then name
	Settings      records.Settings
	Notify        []Notify
	ReportSources []ReportSource
	Rollouts      []Rollout
	KnownSources  []records.KnownSource // those at the top level
	Domains       []*records.Domain     // by name
	Secrets       *Secrets
}

// Domain returns the declaration of a domain.
func (c *Config) Domain(name records.Name) (*records.Domain, bool) {
	i, found := slices.BinarySearchFunc(c.Domains, name, func(d *records.Domain, n records.Name) int {
		return strings.Compare(string(d.Name), string(n))
	})
	if !found {
		return nil, false
	}
	return c.Domains[i], true
}

// Provider returns the provider block that a domain refers to.
func (c *Config) Provider(ref records.ProviderRef) (Provider, bool) {
	i := slices.IndexFunc(c.Providers, func(p Provider) bool { return p.Ref == ref })
	if i < 0 {
		return Provider{}, false
	}
	return c.Providers[i], true
}

// Journal is where the journal is.
type Journal struct {
	URL      string
	Declared bool // in a journal block; else URL is the default
	Source   records.Source
}

// defaultJournal is relative to the configuration directory.
const defaultJournal = "file://.maildns"

// grace is how long a step that can't be interrupted may go on after the time
// is up.
const grace = time.Second

// Load reads and evaluates the configuration of a directory. It finds as many
// faults as it can in one run. With errors, Config has what could be read and
// is good for messages only. Load ends soon after TimeLimit whatever the
// input; a library call that is still going on then is left to its end in the
// background.
func Load(ctx context.Context, dir string, env Environment) (*Config, Diagnostics) {
	l := newLoader(dir, env)
	if !l.within(ctx, l.run) {
		return &Config{Dir: dir, Journal: Journal{URL: defaultJournal}, Secrets: l.secrets}, Diagnostics{l.lateness()}
	}
	return l.cfg, l.diags.Settle()
}

// LoadJournal reads the journal block alone, for rollback, which must work
// where the rest of the configuration is broken. Only faults of that block and
// of what it refers to are returned.
func LoadJournal(ctx context.Context, dir string, env Environment) (Journal, Diagnostics) {
	l := newLoader(dir, env)
	if !l.within(ctx, l.runJournal) {
		return Journal{URL: defaultJournal}, Diagnostics{l.lateness()}
	}
	return l.cfg.Journal, l.diags.Settle()
}

// within runs f until it ends or the time is up.
func (l *loader) within(ctx context.Context, f func()) bool {
	ctx, cancel := context.WithTimeout(ctx, TimeLimit)
	defer cancel()
	defer context.AfterFunc(ctx, l.stop)()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		select {
		case <-done:
		case <-time.After(grace):
			return false
		}
	}
	if l.late.Load() {
		if errors.Is(ctx.Err(), context.Canceled) {
			l.note(Diagnostic{Severity: Error, Summary: "Interrupted", Detail: "The configuration was not read to its end."})
		} else {
			l.note(l.lateness())
		}
	}
	return true
}
