// Package vendortest holds fakes of the HTTP APIs of DNS hosts, written from
// their vendors' documentation, which each file names. They are strict: a
// request that the documentation doesn't allow is refused, and values must be
// such as a name server would take.
//
// A fake is an http.Handler. Direct calls it without a network.
package vendortest
