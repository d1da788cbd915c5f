// Package updatetest has a DNS server that keeps RFC 2136 to the letter, for
// tests in which a zone is transferred and changed by dynamic update, and looks
// at such servers, real ones too, from outside. The server misbehaves where it
// is told to.
package updatetest
