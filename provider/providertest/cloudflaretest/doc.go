// Package cloudflaretest is a strict stand-in for the part of Cloudflare's API
// (v4) that manages DNS records. It refuses what Cloudflare refuses, so that a
// client which passes here sends what the documentation asks for.
//
// It follows Cloudflare's public documentation, as of November 2026:
//
//   - developers.cloudflare.com/api, "DNS Records": list, create, update, edit,
//     delete, batch (order of operations, one transaction, partial patches), and
//     "Zones": list, get; the schemas of records, TTL, comments and tags;
//   - developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes
//     (200 operations on Free, 3,500 elsewhere; the first error undoes all);
//   - developers.cloudflare.com/dns/manage-dns-records/reference/dns-record-types
//     (TXT as quoted strings of up to 255 bytes, longer ones split) and
//     .../troubleshooting/records-with-same-name;
//   - developers.cloudflare.com/fundamentals/api/reference/limits (1,200 requests
//     in 5 minutes, then 429 for 5 minutes; Ratelimit, Ratelimit-Policy and
//     Retry-After);
//   - developers.cloudflare.com/fundamentals/api/get-started/create-token and
//     .../reference/permissions (Zone:Read, DNS:Read, DNS:Edit; verify).
//
// The numbers of errors are those that users report, as Cloudflare lists none.
// Where the documentation says nothing the stricter reading is taken: a CNAME
// stands beside no other record but at the apex, and query parameters and fields
// that are not documented are refused.
package cloudflaretest
