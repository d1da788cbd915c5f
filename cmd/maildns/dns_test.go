package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/attunelogic/maildns/provider/providertest/dnstest"
)

// dnsFaults are what dnsserver can do to a name.
var dnsFaults = map[string]dnstest.Misdeed{
	"drop": dnstest.Drop, "refuse": dnstest.Refuse, "servfail": dnstest.ServFail,
}

// dnsCommand starts a DNS server on loopback, which the commands after it ask,
// until the script ends: dnsserver [NAME=drop|refuse|servfail]… ZONEFILE…. A
// file NAME.zone holds all of NAME in master-file format, so example.zone is
// everything under .example; the server refuses what is in none.
func dnsCommand(ts *testscript.TestScript, neg bool, args []string) {
	var zones []dnstest.Zone
	faults := map[string]dnstest.Misdeed{}
	for _, arg := range args {
		if name, fault, ok := strings.Cut(arg, "="); ok {
			misdeed, known := dnsFaults[fault]
			if !known {
				ts.Fatalf("unknown fault %q", fault)
			}
			faults[name] = misdeed
			continue
		}
		name := strings.TrimSuffix(filepath.Base(arg), ".zone")
		zones = append(zones, dnstest.Zone{Name: name, Text: ts.ReadFile(arg)})
	}
	if neg || len(zones) == 0 {
		ts.Fatalf("usage: dnsserver [NAME=drop|refuse|servfail]… ZONEFILE…")
	}
	s, err := dnstest.New(zones...)
	ts.Check(err)
	for name, misdeed := range faults {
		s.Break(name, dnstest.Fault{Misdeed: misdeed})
	}
	ts.Check(s.Listen(context.Background()))
	ts.Defer(s.Close)
	ts.Setenv("MAILDNS_RESOLVER", s.Addr())
}
