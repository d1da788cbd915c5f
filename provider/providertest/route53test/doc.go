// Package route53test is a strict fake of the Amazon Route 53 API, as far as
// this program uses it. It is written from Amazon's public documentation: the
// API Reference (version 2013-04-01: ChangeResourceRecordSets,
// ListResourceRecordSets, ListHostedZones, ListHostedZonesByName, GetChange and
// the common errors) and, of the Developer Guide, "Supported DNS record types",
// "DNS domain name format" and "Quotas". Where these say nothing, its messages
// are those that users of the service quote in public.
//
// What can't be known from there is decided strictly: a DELETE must repeat each
// value character by character, and the changes of a batch are made in their
// order, each on what those before it have left.
package route53test
