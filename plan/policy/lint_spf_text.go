package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// spfTexts lists the values that receivers take for SPF records.
func (v *view) spfTexts() []spfStated {
	list := v.spf()
	if !slices.ContainsFunc(list, func(r spfStated) bool { return !spf.IsSPF(string(r.Value)) }) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(r spfStated) bool { return !spf.IsSPF(string(r.Value)) })
}

// ownSPF lists the SPF records of the domain itself.
func (v *view) ownSPF() []spfStated {
	return slices.DeleteFunc(slices.Clone(v.spfTexts()), func(r spfStated) bool { return r.Key.Name != v.Domain.Name })
}

// eachSPF makes a fault of every record of which judge says something.
func (v *view) eachSPF(judge func(spfStated) string) []fault {
	var out []fault
	for _, r := range v.spfTexts() {
		if message := judge(r); message != "" {
			out = append(out, fault{at: r.stated, message: message})
		}
	}
	return out
}

// eachTerm makes a fault of every term of which judge says something.
func (v *view) eachTerm(judge func(spfStated, spf.Term) string) []fault {
	var out []fault
	for _, r := range v.spfTexts() {
		for _, t := range r.record.Terms {
			if message := judge(r, t); message != "" {
				out = append(out, faultf(r.stated, "%s %s", t, message))
			}
		}
	}
	return out
}

func missingSPF(v *view) []fault {
	if !v.declared() || !v.Domain.Sends() || len(v.ownSPF()) > 0 || len(v.liveView().ownSPF()) > 0 {
		return nil
	}
	return []fault{faultf(nil, "%s has no SPF record: receivers can't tell who may send for it", v.Domain.Name)}
}

// syntaxErrors makes a fault of each error in a record: of modifiers that stand
// twice, or of all others.
func (v *view) syntaxErrors(repeated bool) []fault {
	var out []fault
	for _, r := range v.spfTexts() {
		var faults spf.SyntaxErrors
		if !errors.As(r.err, &faults) {
			continue
		}
		for _, f := range faults[:min(len(faults), 5)] {
			if t, err := spf.ParseTerm(f.Term); repeated == (err == nil && t.Kind.Modifier()) {
				out = append(out, faultf(r.stated, "%q %s%s", cut(f.Term), f.Problem, permError).mend(f.Fix))
			}
		}
	}
	return out
}

// cut keeps a text at a length for messages.
func cut(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most] + "…"
	}
	return records.PrintableValue(records.Value(s))
}

func spfSyntax(v *view) []fault      { return v.syntaxErrors(false) }
func spfDupModifier(v *view) []fault { return v.syntaxErrors(true) }

// quotes are the marks that editors and dashboards put around values.
var quotes = strings.NewReplacer(" ", "", "\t", "", `"`, "", "'", "", `\`, "", "“", "", "”", "", "„", "", "‘", "", "’", "", "«", "", "»", "", "\u00a0", "")

func spfNearMiss(v *view) []fault {
	var out []fault
	for i := range v.values {
		s := &v.values[i]
		if s.Key.Type == records.TypeTXT && !spf.IsSPF(string(s.Value)) && meansSPF(string(s.Value)) {
			out = append(out, faultf(s, "%s is no SPF record to receivers: they want exactly \"v=spf1 \" at its beginning", cut(string(s.Value))))
		}
	}
	return out
}

// meansSPF reports whether somebody meant a text as an SPF record.
func meansSPF(text string) bool {
	if i := strings.Index(text, "1"); i < 3 {
		return false // the common case, without an allocation
	}
	head := quotes.Replace(strings.ToLower(text[:min(len(text), 400)]))
	return strings.Contains(head, "v=spf1") || strings.HasPrefix(head, "spf1") || strings.HasPrefix(head, "v:spf1")
}

func spfPTR(v *view) []fault {
	return v.eachTerm(func(_ spfStated, t spf.Term) string {
		if t.Kind != spf.PTR {
			return ""
		}
		return "makes receivers resolve the name of every client, which most don't do"
	})
}

// passers names the terms of a record that pass half of IPv4 each, or all of
// them together; empty where it passes less.
func passers(r *spf.Record) string {
	var names []string
	var networks []netip.Prefix
	for _, t := range r.Live() {
		switch {
		case t.Qualifier != spf.Pass:
		case t.Kind == spf.All, t.Kind == spf.IP4 && t.Prefix.Bits() <= 1:
			names = append(names, t.String())
		case t.Kind == spf.IP4:
			networks = append(networks, t.Prefix)
		}
	}
	if len(names) == 0 && spf.SetOf(networks...).Count4() >= halfOfIPv4 {
		return "its networks together"
	}
	return listed(names)
}

func spfPassAll(v *view) []fault {
	var out []fault
	for _, r := range v.spfTexts() {
		if by := passers(r.record); by != "" {
			out = append(out, faultf(r.stated, passHalf, by))
			continue
		}
		for _, t := range r.record.Live() {
			if known, _ := v.spfTerm(r.Key.Name, t); t.Qualifier == spf.Pass && passesHalf(known) && !v.holds(r.Key, RulePassAll) {
				out = append(out, faultf(r.stated, passHalf, t).as(v.unlessDeclared()).mend("remove the include, and tell the owner of that record"))
			}
		}
	}
	return out
}

// checkPassAll tells of records that are held for what they include.
func checkPassAll(s *Subject) []plan.Finding {
	if slices.ContainsFunc(s.declaredView().spfTexts(), func(r spfStated) bool { return passers(r.record) != "" }) {
		return nil // the record itself says so, which stops the domain
	}
	return warned(s.overLimit(RulePassAll))
}

// warned makes warnings of findings that stop nothing by themselves.
func warned(list []plan.Finding) []plan.Finding {
	for i := range list {
		list[i].Severity = plan.SeverityWarning
	}
	return list
}

// unlessDeclared is the severity of an error that stops nothing where it is
// about the declaration.
func (v *view) unlessDeclared() plan.Severity {
	if v.declared() {
		return plan.SeverityWarning
	}
	return plan.SeverityError
}

// holds reports whether a rule holds the declared set at a key already, and
// tells of it by itself.
func (v *view) holds(key records.Key, rule string) bool {
	return v.declared() && slices.ContainsFunc(v.Today.Held, func(h plan.Gated) bool {
		return h.Key == key && slices.ContainsFunc(h.Gates, func(g plan.GateVerdict) bool { return g.ID == rule })
	})
}

func spfNeutral(v *view) []fault {
	return v.eachSPF(func(r spfStated) string {
		if end, ok := r.record.All(); !ok || end != spf.Neutral {
			return ""
		}
		return "?all says nothing about senders that are not listed"
	})
}

func spfNoEnd(v *view) []fault {
	return v.eachSPF(func(r spfStated) string {
		_, all := r.record.All()
		if _, redirect := r.record.Find(spf.Redirect); all || redirect || r.err != nil {
			return ""
		}
		return "the record has neither all nor redirect, so that it says nothing about senders that are not listed"
	})
}

func spfAfterAll(v *view) []fault {
	return v.eachSPF(func(r spfStated) string {
		var behind []string
		past := false
		for _, t := range r.record.Terms {
			if past && !t.Kind.Modifier() {
				behind = append(behind, t.String())
			}
			past = past || t.Kind == spf.All
		}
		if len(behind) == 0 {
			return ""
		}
		return fmt.Sprintf("no receiver gets to %s, since all stands before", listed(behind))
	})
}

func spfRedirectDead(v *view) []fault {
	return v.eachSPF(func(r spfStated) string {
		_, all := r.record.All()
		redirect, ok := r.record.Find(spf.Redirect)
		if !all || !ok {
			return ""
		}
		return fmt.Sprintf("%s is never followed, since all matches every sender", redirect)
	})
}

// million is how many addresses are too many for one sender.
const million = 1_000_000

func spfWide(v *view) []fault {
	var out []fault
	for _, r := range v.spfTexts() {
		if passers(r.record) != "" {
			continue // spf-pass-all tells of it
		}
		wide, own := ownNetworks(r.record)
		total := own.Union(v.spfCost(r.Key.Name, r.record).Pass).Count4()
		switch {
		case len(wide) > 0:
			out = append(out, faultf(r.stated, "%s %s large, and %d IPv4 addresses may send in all", listed(wide), areOrIs(len(wide)), total))
		case own.Count4() > 1<<16 && total > million:
			out = append(out, faultf(r.stated, "%d IPv4 addresses may send, %d of them by the record's own networks", total, own.Count4()))
		}
	}
	return out
}

// ownNetworks are the networks that a record itself passes, and the names of
// those that are large: above 65,536 addresses, or in IPv6 above a provider's
// allocation.
func ownNetworks(r *spf.Record) (wide []string, all spf.AddressSet) {
	var networks []netip.Prefix
	for _, t := range r.Live() {
		if !t.Prefix.IsValid() || t.Qualifier != spf.Pass {
			continue
		}
		networks = append(networks, t.Prefix)
		if t.Kind == spf.IP4 && t.Prefix.Bits() < 16 || t.Kind == spf.IP6 && t.Prefix.Bits() < 32 {
			wide = append(wide, t.String())
		}
	}
	return wide, spf.SetOf(networks...)
}

func areOrIs(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// hidden are the networks that no mail on the Internet comes from: RFC 1918,
// 6598, 5737, 3849, 4193, loopback and link-local (RFC 6890).
var hidden = []struct {
	what     string
	networks []netip.Prefix
}{
	{"a private network", prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")},
	{"behind a provider's NAT", prefixes("100.64.0.0/10")},
	{"for documentation only", prefixes("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")},
	{"the host itself", prefixes("127.0.0.0/8", "::1/128")},
	{"of the local network only", prefixes("169.254.0.0/16", "fe80::/10")},
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

func spfPrivate(v *view) []fault {
	return v.eachTerm(func(_ spfStated, t spf.Term) string {
		if !t.Prefix.IsValid() {
			return ""
		}
		for _, h := range hidden {
			if slices.ContainsFunc(h.networks, func(n netip.Prefix) bool { return n.Bits() <= t.Prefix.Bits() && n.Contains(t.Prefix.Addr()) }) {
				return fmt.Sprintf("is %s: receivers never see mail come from there", h.what)
			}
		}
		return ""
	})
}

func spfRedundant(v *view) []fault {
	var out []fault
	for _, r := range v.spfTexts() {
		live := r.record.Live()
		for i, t := range live {
			if j := slices.IndexFunc(live[:i], func(o spf.Term) bool { return decides(o, t) }); j >= 0 {
				out = append(out, faultf(r.stated, "%s changes nothing, since %s stands before it", t, live[j]))
			}
		}
	}
	return out
}

// decides reports whether a term matches all that a later one does.
func decides(earlier, t spf.Term) bool {
	if t.Prefix.IsValid() && earlier.Prefix.IsValid() {
		return earlier.Prefix.Bits() <= t.Prefix.Bits() && earlier.Prefix.Contains(t.Prefix.Addr())
	}
	return earlier.Kind == t.Kind && earlier.Key() == t.Key()
}

// Sizes of the answer with a record: what a receiver takes without EDNS, what
// nearly all take over UDP, and the record that leaves room for other values.
const (
	plainAnswer = 512
	udpAnswer   = 1232
	longRecord  = 450
)

func spfSize(v *view) []fault {
	return v.eachSPF(func(r spfStated) string {
		n, answer := len(r.Value), v.answerSize(r.Key)
		switch {
		case answer > udpAnswer:
			return fmt.Sprintf("the answer with all TXT values of the name takes %d octets, more than %d, so that every receiver must ask again over TCP", answer, udpAnswer)
		case answer > plainAnswer:
			return fmt.Sprintf("the answer with all TXT values of the name takes %d octets, more than the %d of a plain answer", answer, plainAnswer)
		case n > longRecord:
			return fmt.Sprintf("the record has %d octets, which leaves next to nothing of the %d of a plain answer", n, plainAnswer)
		}
		return ""
	})
}

// answerSize is the length of the DNS message with all TXT values of a name
// (RFC 1035 4.1): those of the view, and for a declaration those that stay
// beside them.
func (v *view) answerSize(key records.Key) int {
	n := 12 + len(key.Name) + 2 + 4
	add := func(value records.Value) { n += 12 + len(value) + (len(value)+254)/255 }
	for _, s := range v.at(key) {
		add(s.Value)
	}
	if !v.declared() {
		return n
	}
	live, _ := v.Live.Set(key)
	for _, value := range live.Values {
		if s := (stated{Declared: records.Declared{Key: key, Value: value}}); !v.has(key, value) && v.isForeign(&s) {
			add(value)
		}
	}
	return n
}

// vendorInclude is what is known of a service's SPF record.
type vendorInclude struct{ name, says string }

// bouncesElsewhere are services whose MAIL FROM is never a customer's own
// domain, as their documentation says.
var bouncesElsewhere = []vendorInclude{
	{"amazonses.com", "SES bounces to amazonses.com or to a MAIL FROM subdomain"},
	{"mcsv.net", "Mailchimp bounces to mcsv.net"},
	{"sendgrid.net", "SendGrid bounces to a subdomain such as em1234"},
	{"servers.mcsv.net", "Mailchimp bounces to mcsv.net"},
	{"sparkpostmail.com", "SparkPost bounces to its own name or to a bounce subdomain"},
	{"spf.mailjet.com", "Mailjet bounces to its own name or to a return-path subdomain"},
	{"spf.mtasv.net", "Postmark bounces to a subdomain such as pm-bounces"},
	{"spf.resend.com", "Resend bounces to a subdomain such as send"},
}

// deprecated are names that services have given up.
var deprecated = []vendorInclude{
	{"_spf.hubspot.com", "HubSpot no longer needs it: remove it"},
	{"spf.mandrillapp.com", "Mandrill no longer needs it: remove it"},
	{"spf.sendinblue.com", "the service is called Brevo now: with a dedicated address include spf.brevo.com, else nothing"},
}

func isAbout(list []vendorInclude, t spf.Term) (vendorInclude, bool) {
	if t.Kind != spf.Include {
		return vendorInclude{}, false
	}
	i := slices.IndexFunc(list, func(i vendorInclude) bool { return strings.EqualFold(i.name, t.Domain.Text) })
	if i < 0 {
		return vendorInclude{}, false
	}
	return list[i], true
}

func spfUseless(v *view) []fault {
	return v.eachTerm(func(r spfStated, t spf.Term) string {
		vendor, ok := isAbout(bouncesElsewhere, t)
		if !ok || r.Key.Name != v.Domain.Name || !isOrganization(v.Domain.Name) || v.isAskedFor(r.Key.Name, t) {
			return ""
		}
		return fmt.Sprintf("authorises nothing that is sent as %s: %s", r.Key.Name, vendor.says)
	})
}

// isAskedFor reports whether a declared sender needs a term at a name.
func (v *view) isAskedFor(name records.Name, t spf.Term) bool {
	return slices.ContainsFunc(v.Domain.Senders, func(s records.Sender) bool {
		return slices.ContainsFunc(s.SPF, func(o records.SenderSPF) bool { return o.Name == name && strings.EqualFold(o.Term, t.Key()) })
	})
}

// isOrganization reports whether a name is one that can be registered, by the
// public suffix list.
func isOrganization(n records.Name) bool {
	o, err := publicsuffix.EffectiveTLDPlusOne(string(n))
	return err == nil && o == string(n)
}

func spfDeprecated(v *view) []fault {
	return v.eachTerm(func(_ spfStated, t spf.Term) string {
		vendor, ok := isAbout(deprecated, t)
		if !ok {
			return ""
		}
		return "is given up: " + vendor.says
	})
}

func spfPinned(v *view) []fault {
	return v.eachTerm(func(_ spfStated, t spf.Term) string {
		if t.Kind != spf.Include && t.Kind != spf.Redirect {
			return ""
		}
		public := publicFor(strings.ToLower(t.Domain.Text))
		if public == "" {
			return ""
		}
		return fmt.Sprintf("is a record that the service may rename any day: include %s instead", public)
	})
}

// publicFor is the record that a service publishes in the place of an internal
// one; empty where a name isn't known as internal.
func publicFor(name string) string {
	label, rest, _ := strings.Cut(name, ".")
	switch {
	case rest == "google.com" && strings.HasPrefix(label, "_netblocks"):
		return "_spf.google.com"
	case rest == "mailgun.org" && slices.Contains([]string{"_spf", "_spf1", "_spf2", "spf1", "spf2"}, label), name == "_spf.eu.mailgun.org":
		return "mailgun.org"
	case rest == "protection.outlook.com" && len(label) == 4 && strings.HasPrefix(label, "spf"), name == "spf-a.outlook.com", name == "spf-b.outlook.com":
		return "spf.protection.outlook.com"
	case name == "ab.sendgrid.net", name == "ab.sendgrid.com":
		return "sendgrid.net"
	case name == "_spf1.amazonses.com", name == "_spf2.amazonses.com":
		return "amazonses.com"
	}
	return ""
}

func spfMacros(v *view) []fault {
	return v.eachTerm(func(_ spfStated, t spf.Term) string {
		switch {
		case t.Domain.Uses("ls"):
			return "puts the sender's address into DNS questions: it leaks, and no cache helps"
		case t.Domain.Uses("p"):
			return "makes receivers resolve the name of every client"
		}
		return ""
	})
}

func spfHardFailEarly(v *view) []fault {
	today, ok := v.today()
	if v.Domain.Parked || ok && today.Policy > records.PolicyNone {
		return nil
	}
	var out []fault
	for _, r := range v.ownSPF() {
		if end, _ := r.record.All(); end == spf.Fail && authorisesSomebody(r.record) {
			out = append(out, faultf(r.stated, "-all lets receivers refuse mail before they see its DKIM signature, and DMARC isn't enforced yet"))
		}
	}
	return out
}

func authorisesSomebody(r *spf.Record) bool {
	return slices.ContainsFunc(r.Live(), func(t spf.Term) bool { return t.Qualifier == spf.Pass && !t.Kind.Modifier() })
}

func spfParkedOpen(v *view) []fault {
	if !v.Domain.Parked {
		return nil
	}
	list := v.ownSPF()
	if len(list) == 0 {
		if v.declared() || v.declaredView().ownSPF() == nil {
			return nil
		}
		return []fault{faultf(nil, "%s is parked and has no SPF record: nothing tells receivers that nobody sends from it", v.Domain.Name)}
	}
	var out []fault
	for _, r := range list {
		if end, all := r.record.All(); r.err != nil || !all || end != spf.Fail || authorisesSomebody(r.record) {
			out = append(out, faultf(r.stated, "%s is parked, and its record is not v=spf1 -all", v.Domain.Name))
		}
	}
	return out
}

// spfGap looks at names below the domain, whose own record lint tells of
// elsewhere.
func spfGap(v *view) []fault {
	mail, hosts := map[records.Name]string{}, map[records.Name]string{}
	for _, s := range v.Domain.Senders {
		if v.declared() && s.MailFrom.In(v.Domain.Name) {
			mail[s.MailFrom] = "MAIL FROM"
		}
	}
	for i := range v.values {
		k := v.values[i].Key
		switch {
		case k.Type == records.TypeMX && v.values[i].Value != records.NullMX:
			mail[k.Name] = "MX"
		case !v.declared() && (k.Type == records.TypeA || k.Type == records.TypeAAAA):
			hosts[k.Name] = "address"
		}
	}
	var out []fault
	if names := v.gaps(mail); len(names) > 0 {
		out = append(out, faultf(nil, "no SPF record at %s: SPF is never inherited", listed(names)))
	}
	if names := v.gaps(hosts); len(names) > 0 {
		out = append(out, faultf(nil, "no SPF record at %s: the names have an address, so that receivers take mail from them, and SPF is never inherited", listed(names)).as(plan.SeverityInfo))
	}
	return out
}

// gaps lists the names below the domain without an SPF record or an alias, in
// this view and in what is live.
func (v *view) gaps(names map[records.Name]string) []string {
	var out []string
	for n := range names {
		if n == v.Domain.Name || strings.HasPrefix(string(n), "*.") || strings.HasPrefix(string(n), "_") || strings.HasPrefix(string(n), "mta-sts.") || v.hasSPF(n) {
			continue
		}
		out = append(out, string(n))
	}
	slices.Sort(out)
	return out
}

// hasSPF reports whether receivers who ask for SPF at a name find a record, or
// are sent elsewhere, where this zone can't tell.
func (v *view) hasSPF(n records.Name) bool {
	for _, side := range []*view{v, v.declaredView(), v.liveView()} {
		if len(side.at(records.Key{Name: n, Type: records.TypeCNAME})) > 0 || len(side.at(records.Key{Name: n, Type: records.TypeNS})) > 0 {
			return true
		}
		if slices.ContainsFunc(side.at(records.Key{Name: n, Type: records.TypeTXT}), func(s stated) bool { return spf.IsSPF(string(s.Value)) }) {
			return true
		}
	}
	return false
}

func spfType99(v *view) []fault {
	var out []fault
	for i := range v.values {
		if s := &v.values[i]; s.Key.Type == "SPF" || s.Key.Type == "TYPE99" {
			out = append(out, faultf(s, "no receiver asks for the type SPF any more: %s", cut(string(s.Value))))
		}
	}
	return out
}
