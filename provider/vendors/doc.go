// Package vendors reads and writes zones at DNS hosts through the HTTP APIs of
// their vendors, one file a host.
//
// A host is an implementation of libdns, as a library for it would be. Its own
// libraries take no HTTP client, and each loses or alters records that mail
// needs in at least one of its verbs; the decision "Own clients for six hosts"
// says which and how.
//
// What the hosts have in common is here: values as zone files spell them, a
// set that keeps the spelling of the values that nobody changes, and changes
// that state what they expect to find. A Host makes one set's change after the
// other (WriteSet); an Atomic makes several together or none (Transact).
package vendors
