// Package journal is the append-only record, per zone, of what was done and
// how to get back. Before its first write a run stores an intent with the
// zone's mail records as they are, after its writes an outcome with the state
// that they left; together they are one entry. Nothing is ever changed, and
// each object carries a digest of itself and of the one before it, so that an
// edit, a swap or a gap shows.
//
// # Objects
//
// The entries of a.example lie below "zones/a.example/" (the zone's name as
// store.Escape writes it):
//
//	9999999997-2-intent.json    entry 2
//	9999999997-2-outcome.json
//	9999999998-1-intent.json    entry 1
//	9999999998-1-outcome.json
//
// The first number is the complement of the sequence number, so that the
// smallest listing returns the newest object: the state of a zone is one
// listing and one read, however long its history. An entry without an outcome
// is pending: its run is at work, or died. It must be the newest one, and is
// recovered before the next begins.
//
// An object is one line of JSON whose last member is "digest", the SHA-256 of
// that line as it would be without it; any changed byte shows. An intent holds
// the digest of the outcome before it ("previous"), an outcome that of its
// intent. What a chain can't show by itself is that its newest entries were
// deleted.
//
// Format versions follow the plan's rule: additions raise the minor number and
// are ignored by older programs, an unknown major number is refused.
//
// # Pruning
//
// Old entries may be dropped from the old end. First a marker takes their
// place, "9999999989-10-pruned.json" for all up to entry 10, with the digest of
// entry 10's outcome; entry 11 continues the chain from it. What lies beside or
// beyond a marker is left over from an interrupted pruning and ignored. The
// newest entry is never dropped.
//
// # Recovery, and what a state contains
//
// Next and Conclude are pure: they say what an intent has come to, given the
// zone as it was read afterwards. The ordinary run and the recovery of a dead
// one use the same functions, and neither they nor anything else here writes
// DNS.
//
// # Secrets
//
// No secret enters the journal. An intent names the environment variables that
// held credentials (Target.Env), never their values; whoever fills Target leaves
// out every secret attribute that was given in another way.
package journal
