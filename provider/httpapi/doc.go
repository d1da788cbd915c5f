// Package httpapi is the way to the HTTP API of a DNS host: it keeps within
// the host's request budget, repeats what may be repeated, and turns whatever
// goes wrong into an error that can be read.
//
// A Transport stands below a provider's library, as its http.RoundTripper or
// by its method Do. What a library does with an error is its own affair, and
// some swallow it; Watch keeps every failure for whoever called the library.
package httpapi
