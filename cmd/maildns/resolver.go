package main

import (
	"fmt"
	"net"
	"strings"

	"github.com/attunelogic/maildns/plan/facts"
	"github.com/attunelogic/maildns/provider/lookup"
)

// newResolver returns a resolver over the servers of --resolver, else those of
// MAILDNS_RESOLVER, else the system's. It asks nothing yet.
func (a *app) newResolver(flags []string) (*lookup.Resolver, error) {
	list := strings.Join(flags, ",")
	if list == "" {
		list = a.env("MAILDNS_RESOLVER")
	}
	servers, err := lookup.SystemServers(lookup.SystemConfig)
	if list != "" {
		servers, err = lookup.ParseServers(list)
	}
	if err != nil {
		return nil, err
	}
	return lookup.New(servers, lookup.Options{}), nil
}

// gather lets a site ask the DNS, unless it is offline. A system without
// resolvers is no error here: what can't be asked is unknown.
func (s *site) gather(offline bool, flags []string) error {
	if offline {
		return nil
	}
	r, err := s.newResolver(flags)
	if err != nil {
		if len(flags) > 0 || s.env("MAILDNS_RESOLVER") != "" {
			return fmt.Errorf("DNS checks: %w", err)
		}
		s.warn("no DNS checks: %v", err)
		return nil
	}
	s.resolver, s.facts = r, facts.New(r)
	if _, given, err := s.givenServers(flags); err == nil && !given {
		s.facts.AskServers(func(address string) *lookup.Resolver {
			return lookup.New([]string{net.JoinHostPort(address, "53")}, lookup.Options{})
		})
	}
	return nil
}

// tellResolver warns once where DNS checks ended for want of an answer.
func (s *site) tellResolver() {
	if s.resolver == nil {
		return
	}
	if s.facts.Blind() {
		s.warn("the DNS servers know none of the names in an SPF record, which looks like a closed network: their answers were not used")
	}
	if err := s.resolver.Err(); err != nil {
		s.warn("DNS checks ended: %v. What was not checked is unknown, and what rests on it is held", err)
	}
}
