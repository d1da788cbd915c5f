// Package records models what a mail zone contains: names, TTLs, record sets,
// zones and the changes between them; the mail kinds (SPF, DKIM, DMARC,
// MTA-STS, TLS-RPT, MX, BIMI, free records), each with its parser, printer and
// the values that it covers; and the declaration of one domain.
//
// The package is pure. It knows no DNS wire format, no HCL, no network and no
// clock; providers and the configuration translate to and from its types.
package records
