// Package cloudflare reads and writes zones at Cloudflare.
//
// It reads through libdns/cloudflare, standing between that library and the
// API: the library drops a record's id, its comment, its tags and whether it is
// proxied or locked, alters some texts and fails on some records, so what the
// API said is kept beside what the library made of it.
//
// It writes without the library, whose SetRecords refuses or loses records of
// sets with several values: all changes of a zone go into one call of
// dns_records/batch, which Cloudflare executes as one transaction of its
// database (deletes, patches, puts, posts, in this order), against the ids of
// records that were read and compared in the call before. Records that no
// change is about are never written, and a value that replaces another takes
// its record over, with its id, comment, tags and settings.
package cloudflare
