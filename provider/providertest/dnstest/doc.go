// Package dnstest is a strict DNS server for tests. It serves zones from memory
// over UDP and TCP on loopback, or over connections that live in the process,
// and misbehaves where it is told to.
//
// It answers for its zones as an authoritative server does and says that it
// recurses, so that a stub resolver may have it as its only server. Where a
// chain of aliases leaves its zones, the answer ends there. What it follows:
//
//   - RFC 1034 4.3.2 and RFC 1035: the algorithm, delegations with glue, messages
//   - RFC 2181: one TTL a record set (5.2), whole sets or TC alone (9)
//   - RFC 2308 3 and 5: NXDOMAIN and NODATA carry the SOA with the negative TTL
//   - RFC 4343: names match whatever their case
//   - RFC 4592: wildcards, and names that exist only because of those below them
//   - RFC 6604: the RCODE of a chain is that of its last name
//   - RFC 6891: EDNS with the client's size up to 4096, FORMERR for two OPT,
//     BADVERS for a later version
//   - RFC 7766: TCP, and several questions on a connection
//
// There is no DNSSEC, no transfer, no update and no question for ANY.
package dnstest
