package cloudflare

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// refusal is an answer of the API that says no.
type refusal struct {
	method, path string
	status       int
	messages     []message
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("%s %s: HTTP %d", r.method, r.path, r.status)
	if said := sayAll(r.messages); said != "" {
		text += ": " + said
	}
	if advice := r.advice(); advice != "" {
		text += ": " + advice
	}
	return text
}

func sayAll(messages []message) string {
	var said []string
	for _, m := range messages {
		one := fmt.Sprintf("%s (%d)", m.Message, m.Code)
		if chain := sayAll(m.ErrorChain); chain != "" {
			one += ": " + chain
		}
		said = append(said, one)
	}
	return strings.Join(said, "; ")
}

// Codes of the API. Cloudflare documents few of them; these are in its
// community's reports.
const (
	codeInvalidHeaders  = 6003
	codeUnauthorized    = 9109 // an unknown token, or a zone that it may not see
	codeInvalidTTL      = 9021
	codeAuthentication  = 10000 // a token without that permission, or none
	codeAuthFailed      = 9106
	codeRecordGone      = 81044
	codeQuota           = 81045
	codeHostConflict    = 81053
	codeCNAMEConflict   = 81054
	codeRecordExists    = 81057
	codeIdenticalExists = 81058
)

func (r *refusal) has(codes ...int) bool {
	return slices.ContainsFunc(r.messages, func(m message) bool {
		return slices.Contains(codes, m.Code) ||
			slices.ContainsFunc(m.ErrorChain, func(m message) bool { return slices.Contains(codes, m.Code) })
	})
}

// advice says what to do.
func (r *refusal) advice() string {
	switch {
	case r.status == http.StatusTooManyRequests:
		return "the account's request budget is used up, by whoever uses it: wait five minutes, or set rate_share where something else needs the budget too"
	case r.has(codeInvalidHeaders, codeAuthFailed), r.has(codeUnauthorized) && strings.Contains(sayAll(r.messages), "token"):
		return "Cloudflare doesn't know this token: set api_token to one that is valid, without blanks around it"
	case r.status == http.StatusForbidden, r.status == http.StatusUnauthorized, r.has(codeAuthentication, codeUnauthorized):
		return "the token lacks " + r.permission()
	case r.has(codeQuota):
		return "the zone holds as many records as its plan allows: remove some, or change the plan"
	case r.has(codeInvalidTTL):
		return "declare a ttl from 60 to 86400 seconds, or \"auto\""
	case r.has(codeHostConflict, codeCNAMEConflict):
		return "a CNAME must be the only record of its name (RFC 1034 3.6.2)"
	}
	return ""
}

// permission is what a token needs for this request.
func (r *refusal) permission() string {
	switch {
	case !strings.Contains(r.path, "/dns_records"):
		return "the permission Zone:Read for this zone"
	case r.method == http.MethodGet:
		return "the permission DNS:Read (or DNS:Edit) for this zone"
	default:
		return "the permission DNS:Edit for this zone"
	}
}

// overtaken reports whether somebody else's change may be why: a record that
// was read is gone, or one that is to be added is there.
func (r *refusal) overtaken() bool {
	return r.status == http.StatusNotFound || r.status == http.StatusConflict ||
		r.has(codeRecordGone, codeHostConflict, codeCNAMEConflict, codeRecordExists, codeIdenticalExists)
}
