// Package lookup shows a zone as the outside sees it.
//
// A Resolver asks recursive servers and keeps what the standard library's
// resolver hides: whether a name or only a type is missing, why a question
// stayed open, TTLs, aliases, and texts of any bytes. Reading a zone's own
// servers is another job: it knows no recursion, no cache and no fallback.
package lookup
