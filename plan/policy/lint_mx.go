package policy

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// mxRules are about mail exchangers (RFC 5321, RFC 7505).
var mxRules = []Rule{
	{
		ID: "mx-cname", Severity: plan.SeverityError, Needs: NeedsDNS, RFC: "2181 10.3, 5321 5.1",
		Finds: "an MX whose host is a CNAME",
		Why:   "Senders may treat it as no host at all; some refuse it, others deliver, so mail arrives or not by who sends it.",
		Fix:   "name the host that has the address records",
		look:  lookAliasMX, ask: askMX,
	},
	{
		ID: "mx-ip", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "1035 3.3.9",
		Finds: "an MX with an address instead of a host name",
		Why:   "Senders look the digits up as a name, which doesn't exist, so no mail arrives.",
		Fix:   "give the host a name with an A or AAAA record, and name it in the MX",
		reads: true, look: lookAddressMX,
	},
	{
		ID: "mx-null-mixed", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "7505 3",
		Finds: "a null MX beside another MX",
		Why:   "A null MX says that no mail is accepted; beside a host it is a contradiction, and senders take either.",
		Fix:   "keep one or the other",
		reads: true, look: lookMixedNullMX,
	},
	{
		ID: "mx-null-sends", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "7505 4.2",
		Finds: "a null MX on a domain that mail is sent from",
		Why:   "Nobody can answer such mail and bounces go nowhere, so receivers may refuse it (550 5.7.27).",
		Fix:   "publish an MX that takes replies and bounces",
		look:  lookSendingNullMX,
	},
	{
		ID: "mx-dead", Severity: plan.SeverityError, Needs: NeedsDNS, RFC: "5321 5.1",
		Finds: "an MX whose host has no address",
		Why:   "Senders can't connect to it; where no other host is left, mail waits and then bounces.",
		Fix:   "publish the host's A or AAAA record first, or remove the MX",
		look:  lookDeadMX, ask: askMX,
	},
	{
		ID: "mx-rua-unreachable", Severity: plan.SeverityError, Needs: NeedsDNS, RFC: "9990 4, 8460 3",
		Finds: "a report mailbox in this zone at a name without MX",
		Why:   "Reporters can't deliver, so there are no reports and no evidence that a gate could open on.",
		Fix:   "publish an MX for the mailbox's domain, or send the reports elsewhere",
		look:  lookUnreachableReports, ask: askReportHosts,
	},
	{
		ID: "mx-mixed", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "",
		Finds: "MX hosts of two mailbox providers",
		Why:   "Each provider takes part of the mail into mailboxes of its own, so some of it is never read. Mostly the old one was left after a move.",
		Fix:   "remove the hosts of the provider whose mailboxes nobody reads",
		look:  lookMixedMX,
	},
	{
		ID: "mx-m365-built", Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "Microsoft MC1048624",
		Finds: "a new MX for Microsoft 365 that is built from the domain's name",
		Why:   "For domains added since July 2026 the host lies below mx.microsoft and can't be foretold; the old form then doesn't exist.",
		Fix:   "copy the host from the admin center, or from serviceConfigurationRecords of Microsoft Graph",
		look:  lookBuiltMX,
	},
	{
		ID: "mx-equal-single", Severity: plan.SeverityInfo, Needs: NeedsNothing, RFC: "5321 5.1",
		Finds: "a single MX host that is no large provider's",
		Why:   "While it is down, mail waits at the senders, which is right for hours; after days it bounces.",
		Fix:   "nothing to do where one host is meant; otherwise add a second one",
		look:  lookSingleMX,
	},
}

// exchangers goes through the MX values of the names that a view has, null MX
// left out.
func (v *view) exchangers(f func(*mxStated)) {
	list := v.mx()
	for i := range list {
		if !list[i].mx.Null() {
			f(&list[i])
		}
	}
}

// address reads a host that is none: digits, in brackets as in an SMTP address
// literal or not.
func (m *mxStated) address() (netip.Addr, bool) {
	text := strings.TrimPrefix(strings.Trim(string(m.mx.Host), "[]"), "ipv6:")
	a, err := netip.ParseAddr(text)
	return a, err == nil
}

func askMX(v *view) []Question {
	var out []Question
	v.exchangers(func(m *mxStated) {
		out = append(out, Question{m.mx.Host, records.TypeA}, Question{m.mx.Host, records.TypeAAAA})
	})
	return out
}

func lookAliasMX(v *view) []fault {
	var out []fault
	v.exchangers(func(m *mxStated) {
		if target, ok := v.aliasOf(m.mx.Host); ok {
			out = append(out, faultf(m.stated, "the host %s is a CNAME to %s: an MX must name a host with address records", m.mx.Host, target))
		}
	})
	return out
}

// aliasOf is what a name is a CNAME to: in the zone, or as the DNS has it.
func (v *view) aliasOf(n records.Name) (target records.Name, ok bool) {
	if a, ok := v.lookup(n, records.TypeCNAME); ok && len(a.Values) > 0 {
		return records.CanonicalName(string(a.Values[0])), true
	}
	for _, t := range []records.Type{records.TypeA, records.TypeAAAA} {
		if a, ok := v.lookup(n, t); ok && len(a.Aliases) > 0 {
			return a.Aliases[0], true
		}
	}
	return "", false
}

func lookAddressMX(v *view) []fault {
	var out []fault
	v.exchangers(func(m *mxStated) {
		if a, ok := m.address(); ok {
			out = append(out, faultf(m.stated, "the MX names the address %s; senders look that up as a host name and find none", a))
		}
	})
	return out
}

func lookMixedNullMX(v *view) []fault {
	var out []fault
	list := v.mx()
	for i := range list {
		if m := &list[i]; m.mx.Null() && len(v.at(m.Key)) > 1 {
			out = append(out, faultf(m.stated, "the null MX stands beside another one, so senders may deliver or refuse"))
		}
	}
	return out
}

func lookSendingNullMX(v *view) []fault {
	var out []fault
	list := v.mx()
	for i := range list {
		m := &list[i]
		if who := v.sendsAs(m.Key.Name); m.mx.Null() && who != "" {
			out = append(out, faultf(m.stated, "a null MX, though %s: nobody can answer, and receivers may refuse the mail", who))
		}
	}
	return out
}

// sendsAs says who sends from a name, or bounces to it.
func (v *view) sendsAs(name records.Name) string {
	for i := range v.Domain.Senders {
		switch s := &v.Domain.Senders[i]; {
		case slices.Contains(s.From, name):
			return s.Type + " sends from it"
		case s.MailFrom == name:
			return s.Type + " has its bounces sent there"
		}
	}
	list := v.spf()
	for i := range list {
		mechanism := func(t spf.Term) bool { return !t.Kind.Modifier() && t.Kind != spf.All || t.Kind == spf.Redirect }
		if list[i].Key.Name == name && slices.ContainsFunc(list[i].record.Terms, mechanism) {
			return "its SPF record admits senders"
		}
	}
	return ""
}

func lookDeadMX(v *view) []fault {
	var out []fault
	v.exchangers(func(m *mxStated) {
		_, isAddress := m.address()
		a, known := v.lookup(m.mx.Host, records.TypeA)
		aaaa, known6 := v.lookup(m.mx.Host, records.TypeAAAA)
		if isAddress || !known || !known6 || len(a.Values)+len(aaaa.Values) > 0 {
			return
		}
		if _, alias := v.lookup(m.mx.Host, records.TypeCNAME); alias {
			return // in this zone; mx-cname tells
		}
		what := "has no address"
		if a.NXDomain {
			what = "doesn't exist"
		}
		out = append(out, faultf(m.stated, "the host %s %s, so no sender can deliver to it", m.mx.Host, what))
	})
	return out
}

// reportHosts goes through the mailboxes in this zone that reports are sent to.
func (v *view) reportHosts(f func(at *stated, host records.Name)) {
	take := func(at *stated, list []string) {
		for _, text := range list {
			if u, err := records.ParseReportURI(text); err == nil && u.Scheme == "mailto" && u.Host.In(v.Domain.Zone) {
				f(at, u.Host)
			}
		}
	}
	policies := v.policies()
	for i := range policies {
		take(policies[i].stated, slices.Concat(policies[i].record.RUA, policies[i].record.RUF))
	}
	tls := v.tlsrpt()
	for i := range tls {
		take(tls[i].stated, tls[i].record.RUA)
	}
}

func askReportHosts(v *view) []Question {
	var out []Question
	v.reportHosts(func(_ *stated, host records.Name) { out = append(out, Question{host, records.TypeMX}) })
	return out
}

func lookUnreachableReports(v *view) []fault {
	var out []fault
	v.reportHosts(func(at *stated, host records.Name) {
		a, ok := v.declaredView().lookup(host, records.TypeMX) // as it will be, for both sides alike
		null := slices.Equal(a.Values, []records.Value{records.NullMX})
		if ok && (len(a.Values) == 0 || null) && !slices.ContainsFunc(out, func(f fault) bool { return f.at == at }) {
			what := "has no MX"
			if null {
				what = "has a null MX"
			}
			out = append(out, faultf(at, "reports go to a mailbox at %s, which %s: no report arrives", host, what))
		}
	})
	return out
}

// mailbox is a provider of mailboxes and the domains that its MX hosts lie in.
type mailbox struct {
	name    string
	domains []records.Name
}

// mailboxes are the providers that hold a company's mailboxes. Filters that
// pass mail on to them are none.
var mailboxes = []mailbox{
	{"Google Workspace", []records.Name{"google.com", "googlemail.com"}},
	{"Microsoft 365", []records.Name{"mail.protection.outlook.com", "mx.microsoft"}},
	{"Zoho Mail", []records.Name{"zoho.com", "zoho.eu", "zoho.in", "zoho.com.au", "zoho.jp", "zohocloud.ca"}},
	{"Fastmail", []records.Name{"messagingengine.com"}},
	{"Proton Mail", []records.Name{"protonmail.ch"}},
	{"iCloud Mail", []records.Name{"mail.icloud.com"}},
	{"Yandex 360", []records.Name{"mx.yandex.net", "mx.yandex.ru"}},
	{"Migadu", []records.Name{"migadu.com"}},
}

func mailboxOf(host records.Name) string {
	for _, m := range mailboxes {
		if slices.ContainsFunc(m.domains, host.In) {
			return m.name
		}
	}
	return ""
}

func lookMixedMX(v *view) []fault {
	var out []fault
	first := map[records.Name]string{}
	v.exchangers(func(m *mxStated) {
		provider := mailboxOf(m.mx.Host)
		switch earlier := first[m.Key.Name]; {
		case provider == "" || provider == earlier:
		case earlier == "":
			first[m.Key.Name] = provider
		default:
			out = append(out, faultf(m.stated, "the host %s is of %s, and another one of %s: part of the mail goes to mailboxes that nobody may read", m.mx.Host, provider, earlier))
		}
	})
	return out
}

// builtMXEnds is when Microsoft began to give new domains other hosts.
var builtMXEnds = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

func lookBuiltMX(v *view) []fault {
	if !v.declared() || v.Clock.Now.Before(builtMXEnds) {
		return nil
	}
	var out []fault
	v.exchangers(func(m *mxStated) {
		built := strings.ReplaceAll(string(m.Key.Name), ".", "-") + ".mail.protection.outlook.com"
		if !m.both && string(m.mx.Host) == built {
			out = append(out, faultf(m.stated, "the host %s is built from the domain's name and is not live yet: Microsoft gives new domains one below mx.microsoft", m.mx.Host))
		}
	})
	return out
}

func lookSingleMX(v *view) []fault {
	var out []fault
	v.exchangers(func(m *mxStated) {
		if len(v.at(m.Key)) == 1 && mailboxOf(m.mx.Host) == "" && !v.declaresReturnPath(m.Key) {
			out = append(out, faultf(m.stated, "%s is the only host: while it is down, mail waits at the senders", m.mx.Host))
		}
	})
	return out
}
