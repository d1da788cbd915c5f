// Package store keeps named objects that never change: a local directory or
// memory today, a bucket tomorrow. There are four verbs and nothing else (no
// rename, no append, no replace), so that anything with an exclusive create
// fits behind them. The journal, reports, statements and verify marks are
// prefixes of one store.
//
// # Names
//
// A name is a path of components joined by slashes, such as
// "zones/a.example/9999999998-1-intent.json". A component consists of letters,
// digits and the characters in "-_.%=+@,"; it never begins with a dot, which
// keeps "..", lock files and temporaries out. Escape turns any text, a zone's
// name included, into a component. No name may be the directory of another:
// beside an object "a" there can be no object "a/b".
//
// Names are ordered bytewise, slashes included, which is the order of S3. The
// character '~' is in no name and sorts after all that are: "zones/a.example/~"
// comes after every object of that zone.
//
// # Locks
//
// A lock belongs to a store, since only the store knows how its machines can
// exclude each other: a directory has file locks of the operating system, which
// a dying process lets go at once; a bucket will have a lease, made of new
// objects by the same four verbs. Callers therefore ask Valid before each write
// that the lock protects.
package store
