// Package spf is the Sender Policy Framework (RFC 7208) as a language: one
// syntax tree with byte offsets serves parsing, printing, evaluation,
// counting of lookups, sets of addresses and flattening.
//
// The package is pure. What it needs of the DNS it asks of a [Resolver]; it
// reads no clock and no environment. All functions may be called concurrently;
// a parsed [Record] is not modified by any of them.
package spf
