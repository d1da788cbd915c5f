package lookup_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/attunelogic/maildns/provider/lookup"
	"github.com/attunelogic/maildns/provider/providertest/dnstest"
	"github.com/attunelogic/maildns/records/spf"
)

// A resolver over a list of servers, here one of a test, does what SPF needs.
func ExampleResolver() {
	ctx := context.Background()
	server, err := dnstest.New(dnstest.Zone{Name: "example.com", Text: `@ IN TXT "v=spf1 ip4:192.0.2.0/24 -all"`})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := server.Listen(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	servers, err := lookup.ParseServers(server.Addr()) // or lookup.SystemServers(lookup.SystemConfig)
	if err != nil {
		fmt.Println(err)
		return
	}
	resolver := lookup.New(servers, lookup.Options{})
	verdict := spf.Check(ctx, resolver, spf.Query{IP: netip.MustParseAddr("192.0.2.25"), Domain: "example.com"})
	fmt.Println(verdict.Result, verdict.Matched)

	answer, err := resolver.Lookup(ctx, "example.com", "MX")
	fmt.Println(len(answer.Values), answer.NXDomain, answer.TTL, err)
	// Output:
	// pass ip4:192.0.2.0/24
	// 0 false 300 <nil>
}
