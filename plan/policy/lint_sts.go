package policy

import (
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// stsRules are about MTA-STS (RFC 8461).
var stsRules = []Rule{
	{
		ID: "mta-sts-txt", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "8461 3.1",
		Finds: "an MTA-STS record that senders ignore, or several of them",
		Why:   "Senders then act as if there were no policy: mail is delivered without the protection that the domain believes to have.",
		Fix:   "publish one record, v=STSv1; id= with 1 to 32 letters and digits",
		look:  func(v *view) []fault { return append(brokenSTS(v), severalSTS(v)...) }, reads: true,
	},
	{
		ID: "mta-sts-id-stale", Severity: plan.SeverityError, Needs: NeedsHTTPS, RFC: "8461 3.1",
		Finds: "a changed policy file under an unchanged id",
		Why:   "Senders fetch the file again when the id changes; until then they go by the old one, for up to max_age.",
		Fix:   "publish another id, or leave id out: the default follows the file",
	},
	{
		ID: "mta-sts-id-churn", Severity: plan.SeverityWarning, Needs: NeedsHTTPS, RFC: "8461 3.1",
		Finds: "a changed id over an unchanged policy file",
		Why:   "Every sender fetches the file again for nothing.",
		Fix:   "keep the id, or leave it out: the default follows the file",
	},
	{
		ID: "mta-sts-body", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "8461 3.2",
		Finds: "a policy that senders can't use",
		Why:   "A file without its fields, or with a pattern that is no host name, is no policy: senders act as if there were none.",
		Fix:   "name the mail hosts, each as a host name or as *.NAME",
		look:  stsBody, reads: true,
	},
	{
		ID: "mta-sts-cert", Severity: plan.SeverityError, Needs: NeedsHTTPS, RFC: "8461 3.3",
		Finds: "a policy host whose certificate senders don't accept, or that ends within 14 days",
		Why:   "Without a valid certificate for mta-sts.DOMAIN senders don't read the policy file.",
		Fix:   "renew the certificate of the policy host",
	},
	{
		ID: "mta-sts-redirect", Severity: plan.SeverityError, Needs: NeedsHTTPS, RFC: "8461 3.3",
		Finds: "a policy host that redirects",
		Why:   "Senders must not follow redirects, so they find no policy.",
		Fix:   "serve the file itself at /.well-known/mta-sts.txt",
	},
	{
		ID: "mta-sts-ctype", Severity: plan.SeverityWarning, Needs: NeedsHTTPS, RFC: "8461 3.2",
		Finds: "a policy file that is not text/plain, or larger than 64 KB",
		Why:   "Senders may refuse such a file.",
		Fix:   "serve the file as text/plain, and shorten it",
	},
	{
		ID: "mta-sts-mx-uncovered", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "8461 4.1",
		Finds: "a mail host that the policy doesn't name",
		Why:   "At enforce, senders that heed MTA-STS don't deliver to that host; at testing they report it.",
		Fix:   "add the host to mx of mta_sts, and wait until senders have the new policy before mail goes there",
		look:  uncoveredMX,
	},
	{
		ID: "mta-sts-mx-extra", Severity: plan.SeverityInfo, Needs: NeedsNothing, RFC: "8461 4.1",
		Finds: "a pattern of the policy that no mail host fits",
		Why:   "It admits hosts that the domain doesn't use; after a move it is left over.",
		Fix:   "remove the pattern once no cache holds the MX record that needed it",
		look:  extraSTS,
	},
	{
		ID: "mta-sts-max-age", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "8461 3.2",
		Finds: "a max_age that doesn't suit the mode",
		Why:   "A short one at enforce lets an attacker wait until the policy is forgotten; a long one while testing keeps mistakes alive.",
		Fix:   `use at most "7d" while testing and at least "7d" at enforce`,
		look:  stsAge, reads: true,
	},
	{
		ID: "mta-sts-leap", Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "8461 8.2",
		Finds: "enforce without a time of testing",
		Why:   "A host that the policy forgot, or whose certificate doesn't fit, then loses mail at once. Testing shows it in TLS reports first.",
		Fix:   `begin with mode = "testing" and a tls_rpt block; this plan does the former by itself`,
		look:  stsLeap,
	},
	{
		ID: "mta-sts-parent", Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "8461 3.4",
		Finds: "a subdomain that receives mail without a policy of its own",
		Why:   "Senders never look at the policy of the parent domain, so mail to the subdomain has no protection.",
		Fix:   "declare the subdomain as a domain with an mta_sts block",
		look:  stsBelow,
	},
	{
		ID: "mta-sts-mx-cert", Severity: plan.SeverityError, Needs: NeedsHTTPS, RFC: "8461 4.2",
		Finds: "a mail host whose certificate doesn't fit its name",
		Why:   "At enforce, senders that heed MTA-STS don't deliver to such a host.",
		Fix:   "give the host a certificate for its MX name",
	},
}

func brokenSTS(v *view) []fault {
	var out []fault
	for _, r := range v.sts() {
		if r.err != nil {
			out = append(out, faultf(r.stated, "senders ignore the MTA-STS record: %v", r.err))
		}
	}
	return out
}

func severalSTS(v *view) []fault {
	return several(v.sts(), func(r stsStated) *stated { return r.stated }, "MTA-STS records, of which senders use none")
}

// several finds more than one record of a kind at a name, and tells it at the
// second.
func several[T any](list []T, at func(T) *stated, what string) []fault {
	var out []fault
	for i := 1; i < len(list); i++ {
		key := at(list[i]).Key
		first := slices.IndexFunc(list, func(r T) bool { return at(r).Key == key })
		if first != i-1 {
			continue // it is the first of its name, or was told at the second
		}
		n := 2
		for n+first < len(list) && at(list[first+n]).Key == key {
			n++
		}
		out = append(out, faultf(at(list[i]), "the name has %d %s", n, what))
	}
	return out
}

// policySTS is the declared policy; ok only on the side of the declaration.
func (v *view) policySTS() (m *records.MTASTS, at *stated) {
	if !v.declared() || v.Domain.MTASTS == nil || v.Domain.Removed {
		return nil, nil
	}
	for _, r := range v.sts() {
		if r.Key.Name == records.STSName(v.Domain.Name) {
			return v.Domain.MTASTS, r.stated
		}
	}
	return v.Domain.MTASTS, &stated{Declared: records.Declared{Kind: records.KindMTASTS, Key: records.Key{Name: records.STSName(v.Domain.Name), Type: records.TypeTXT}, Source: v.Domain.MTASTS.Source}}
}

func stsBody(v *view) []fault {
	m, at := v.policySTS()
	if m == nil {
		return nil
	}
	if err := m.Policy.Check(); err != nil {
		return []fault{faultf(at, "the policy file is none: %v", err)}
	}
	return nil
}

// mailHosts are the hosts that receive the domain's mail, as they are declared
// or else live.
func (s *Subject) mailHosts() []records.Name {
	var out []records.Name
	for _, m := range s.Domain.MX {
		out = append(out, m.Host)
	}
	if len(out) > 0 || s.Domain.NullMX != nil {
		return out
	}
	set, _ := s.Live.Set(records.Key{Name: s.Domain.Name, Type: records.TypeMX})
	for _, value := range set.Values {
		if m, err := records.ParseMX(value); err == nil && m.Host != "" {
			out = append(out, m.Host)
		}
	}
	return out
}

func uncoveredMX(v *view) []fault {
	m, at := v.policySTS()
	if m == nil || m.Policy.Mode == records.STSNone {
		return nil
	}
	severity, does := plan.SeverityWarning, "senders will report it"
	if m.Policy.Mode == records.STSEnforce {
		severity, does = plan.SeverityError, "senders that heed the policy don't deliver there"
	}
	var out []fault
	for _, host := range v.mailHosts() {
		if !m.Policy.Covers(host) {
			out = append(out, faultf(at, "the mail host %s fits no mx pattern of the policy (%s): %s", host, strings.Join(m.Policy.MX, ", "), does).as(severity))
		}
	}
	return out
}

func extraSTS(v *view) []fault {
	m, at := v.policySTS()
	hosts := v.mailHosts()
	if m == nil || len(hosts) == 0 {
		return nil
	}
	var out []fault
	for _, pattern := range m.Policy.MX {
		one := records.STSPolicy{Mode: m.Policy.Mode, MX: []string{pattern}, MaxAge: m.Policy.MaxAge}
		if !slices.ContainsFunc(hosts, one.Covers) {
			out = append(out, faultf(at, "the pattern %s of the policy fits none of the mail hosts", pattern))
		}
	}
	return out
}

// week is the max_age from which on a policy protects (RFC 8461 3.2).
const week int64 = 7 * 24 * 3600

func stsAge(v *view) []fault {
	m, at := v.policySTS()
	switch {
	case m == nil:
		return nil
	case m.Policy.Mode == records.STSEnforce && m.Policy.MaxAge < week:
		return []fault{faultf(at, "at enforce the policy may be forgotten after %d seconds, less than a week", m.Policy.MaxAge).as(plan.SeverityWarning)}
	case m.Policy.Mode == records.STSTesting && m.Policy.MaxAge > week:
		return []fault{faultf(at, "while testing, senders may keep the policy for %d seconds, more than a week", m.Policy.MaxAge).as(plan.SeverityWarning)}
	}
	return nil
}

func stsLeap(v *view) []fault {
	m, at := v.policySTS()
	if m == nil || m.Policy.Mode != records.STSEnforce {
		return nil
	}
	if set, ok := v.Live.Set(at.Key); ok && len(set.Values) > 0 {
		return nil
	}
	return []fault{faultf(at, "the policy begins at enforce: nobody has seen yet what it would cost")}
}

func stsBelow(v *view) []fault {
	if m := v.Domain.MTASTS; m == nil || m.Policy.Mode == records.STSNone {
		return nil
	}
	var out []fault
	for i, m := range v.mx() {
		name := m.Key.Name
		if name == v.Domain.Name || m.mx.Host == "" || v.declaresReturnPath(m.Key) || i > 0 && v.mx()[i-1].Key.Name == name {
			continue
		}
		if set, ok := v.Live.Set(records.Key{Name: records.STSName(name), Type: records.TypeTXT}); !ok || len(set.Values) == 0 {
			out = append(out, faultf(m.stated, "it receives mail, and the MTA-STS policy of %s is not for it", v.Domain.Name))
		}
	}
	return out
}
