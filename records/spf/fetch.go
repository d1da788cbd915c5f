package spf

import (
	"context"
	"fmt"
)

// Problem is the kind of a fault that the evaluation of a record meets.
type Problem string

const (
	// NoRecord means that a name has no SPF record (RFC 7208 section 4.5).
	// For the target of an include or redirect that is a permerror.
	NoRecord Problem = "no-record"
	// SeveralRecords means that a name has more than one; a permerror.
	SeveralRecords Problem = "several-records"
	// Syntax means that a record has a syntax error; a permerror.
	Syntax Problem = "syntax"
	// Unanswered means that a question to the DNS stayed open; a temperror.
	Unanswered Problem = "unanswered"
	// Loop means that a record includes or redirects to itself, directly or
	// through others; a permerror for want of lookups.
	Loop Problem = "loop"
	// TooManyHosts means an mx with more than ten hosts; a permerror (RFC 7208
	// section 4.6.4).
	TooManyHosts Problem = "too-many-hosts"
	// TooLarge means that the records under a name exceed what this package is
	// willing to follow, far beyond what a receiver would.
	TooLarge Problem = "too-large"
)

// fetched is what a name has by way of an SPF record.
type fetched struct {
	// record is the one record; with a syntax error its valid terms. It is nil
	// for all other problems.
	record  *Record
	problem Problem
	detail  string
	// void is set if the question for TXT records was a void lookup.
	void bool
	ttl  uint32
}

// fetch asks for the record of a domain and selects it (RFC 7208 sections 4.3
// to 4.6).
func fetch(ctx context.Context, r Resolver, domain string) fetched {
	if !isMailDomain(domain) {
		return fetched{problem: NoRecord, detail: fmt.Sprintf("%q is not a domain name that can have a record", domain)}
	}
	answer, err := r.TXT(ctx, domain)
	if err != nil {
		return fetched{problem: Unanswered, detail: fmt.Sprintf("TXT of %s: %v", domain, err)}
	}
	f := selectRecord(domain, answer.Values)
	f.void, f.ttl = answer.void(), answer.TTL
	return f
}

// selectRecord finds the one record among TXT values and parses it.
func selectRecord(domain string, values []string) fetched {
	var texts []string
	for _, v := range values {
		if IsSPF(v) {
			texts = append(texts, v)
		}
	}
	switch len(texts) {
	case 0:
		return fetched{problem: NoRecord, detail: domain + " has no SPF record"}
	case 1:
		return parseFetched(domain, texts[0])
	}
	return fetched{problem: SeveralRecords, detail: fmt.Sprintf("%s has %d SPF records where there may be one", domain, len(texts))}
}

func parseFetched(domain, text string) fetched {
	record, errs := ParseLoose(text)
	if len(errs) > 0 {
		return fetched{record: record, problem: Syntax, detail: fmt.Sprintf("record of %s: %v", domain, errs)}
	}
	return fetched{record: record}
}
