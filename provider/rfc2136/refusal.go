package rfc2136

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"github.com/miekg/dns"
)

// refusal is a server's answer that it didn't do what it was asked.
type refusal struct {
	server   *server
	rcode    int
	tsig     *dns.TSIG // the error that it names, nil: none
	unsigned bool      // anybody may have sent it, and it can't be verified
	doing    action
}

// action is what was refused.
type action string

const (
	transferring action = "transfer"
	updating     action = "update"
)

func (r *refusal) Error() string {
	text := fmt.Sprintf("server %s refuses the %s: %s (%s)", r.server.address, r.doing, r.reason(), r.code())
	if r.unsigned {
		text += "; the answer is not signed"
	}
	return text
}

func (r *refusal) code() string {
	code := dns.RcodeToString[r.rcode]
	if code == "" {
		code = fmt.Sprintf("RCODE %d", r.rcode)
	}
	if r.tsig != nil {
		code += ", " + tsigErrors[r.tsig.Error]
	}
	return code
}

// tsigErrors are the error codes of RFC 8945 3, two of which share their
// numbers with RCODEs.
var tsigErrors = map[uint16]string{16: "BADSIG", 17: "BADKEY", 18: "BADTIME", 22: "BADTRUNC"}

// reason says what is the matter and how to mend it.
func (r *refusal) reason() string {
	key := strings.TrimSuffix(r.server.key.Name, ".")
	algorithm := strings.TrimSuffix(r.server.key.Algorithm, ".")
	switch {
	case r.tsig != nil && r.tsig.Error == dns.RcodeBadSig:
		return fmt.Sprintf("the secret of the key %s is another one there: compare key with the server's configuration", key)
	case r.tsig != nil && r.tsig.Error == dns.RcodeBadKey:
		return fmt.Sprintf("it has no key %s with %s for this: compare key_name and key_alg with the server's configuration, and what its ACL allows the key", key, algorithm)
	case r.tsig != nil && r.tsig.Error == dns.RcodeBadTime:
		return "the clocks of both machines differ" + r.skew() + ": set the one that is wrong"
	}
	switch r.rcode {
	case dns.RcodeNotAuth:
		if r.unsigned { // PowerDNS says no more than this, whatever is wrong
			return fmt.Sprintf("it doesn't take the key %s with %s, or doesn't hold the zone; its log says which: compare key_name, key_alg, key and both clocks with the server's, and the zone's name", key, algorithm)
		}
		return "it doesn't hold the zone: check the zone's name, and that server is its primary"
	case dns.RcodeRefused:
		return r.notAllowed(key)
	case dns.RcodeNotZone:
		return "a changed name is not in this zone: set zone in the domain to the zone that holds it"
	case dns.RcodeNotImplemented:
		return "it doesn't know how: BIND, Knot and PowerDNS do"
	case dns.RcodeServerFailure:
		return "it failed, its log says why: is the zone loaded, and may the server write the zone's file and journal?"
	case dns.RcodeFormatError:
		return "it doesn't accept the message's form, its log says why"
	}
	return "its log says why"
}

func (r *refusal) notAllowed(key string) string {
	if r.doing == transferring {
		return fmt.Sprintf("the key %s may not transfer the zone: allow it by allow-transfer (BIND), an acl with action transfer (Knot) or TSIG-ALLOW-AXFR (PowerDNS)", key)
	}
	return fmt.Sprintf("the key %s may not change the zone, or not these records: allow it by update-policy (BIND), an acl with action update (Knot) or TSIG-ALLOW-DNSUPDATE (PowerDNS); BIND also refuses an MX whose host is in the zone and has no address", key)
}

// skew tells by how much the clocks differ, as the server sees it
// (RFC 8945 5.2.3).
func (r *refusal) skew() string {
	raw, err := hex.DecodeString(r.tsig.OtherData)
	if err != nil || len(raw) != 6 {
		return ""
	}
	var theirs int64
	for _, b := range raw {
		theirs = theirs<<8 | int64(b)
	}
	seconds := math.Abs(float64(theirs - int64(r.tsig.TimeSigned)))
	return fmt.Sprintf(" by %.0f seconds, of which TSIG allows %d", seconds, fudge)
}

// isPrerequisite reports whether the zone is not as the message states
// (RFC 2136 3.2).
func (r *refusal) isPrerequisite() bool {
	switch r.rcode {
	case dns.RcodeNXRrset, dns.RcodeYXRrset, dns.RcodeNameError, dns.RcodeYXDomain:
		return !r.unsigned
	}
	return false
}
