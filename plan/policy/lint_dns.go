package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// dnsRules are about what the DNS can hold and find.
var dnsRules = []Rule{
	{
		ID: "dns-cname-coexist", Severity: plan.SeverityError, Needs: NeedsZone, RFC: "1034 3.6.2, 2181 10.1",
		Finds: "a CNAME beside another record at its name",
		Why:   "A CNAME stands alone: servers refuse such a zone, or resolvers that have cached the CNAME never see what stands beside it. Often the name was handed to a service, a hosted DMARC record for instance.",
		Fix:   "publish one of the two; where the host can't change the type in one step, use a new name, such as another selector",
		reads: true, check: checkCNAME,
	},
	{
		ID: "dns-apex-cname", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "1912 2.4",
		Finds: "a CNAME at the top of a zone",
		Why:   "The zone's SOA and NS records stand there, so servers refuse the zone or lose its MX and SPF records with it.",
		Fix:   "use the host's ALIAS for the web site, and declare the mail records at the name itself",
		look:  lookApexCNAME,
	},
	{
		ID: "dns-chunk", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "1035 3.3.14, 7208 3.3",
		Finds: "the marks between the strings of a TXT record inside its value",
		Why:   "A TXT record is split into strings of 255 bytes, which readers join without anything between them. Quotes and spaces that stand in the value stay there, in the middle of a key for instance.",
		Fix:   "write the value as one string; it is split as it is written to the host",
		look:  lookChunks,
	},
	{
		ID: "dns-answer-size", Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "7208 3.4, 9715",
		Finds: "TXT records whose answer has more than 512 bytes",
		Why:   "Resolvers without EDNS must ask again over TCP, and above 1232 bytes all do; where a firewall forbids that, the records are not found.",
		Fix:   "remove verification tokens that nobody needs any more",
		look:  lookAnswerSize,
	},
	{
		ID: "dns-rrset-ttl", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "2181 5.2",
		Finds: "differing TTLs in one record set",
		Why:   "A record set has one TTL; resolvers take one of several, or drop the answer.",
		Fix:   "give all values of the name and type the same ttl",
		look:  lookMixedTTL,
	},
	{
		ID: "dns-ttl-range", Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "2181 8",
		Finds: "a TTL below a minute or above a day, or above an hour on a record that is about to change",
		Why:   "Below a minute each delivery asks again and a short outage loses mail; a long one keeps the old value in caches after a change.",
		Fix:   "use 3600, and 300 around a change",
		look:  lookTTLRange, check: checkLongTTL,
	},
	{
		ID: "dns-wildcard", Severity: plan.SeverityWarning, Needs: NeedsNothing, RFC: "4592",
		Finds: "a wildcard TXT, MX or CNAME record",
		Why:   "Names that must be absent then answer: subdomains receive mail, np never applies, and _dmarc or a selector of any subdomain shows other text.",
		Fix:   "declare the names that are needed, one by one",
		look:  lookWildcards,
	},
	{
		ID: "dns-occluded", Severity: plan.SeverityError, Needs: NeedsZone, RFC: "1034 4.2.1, 6672",
		Finds: "a record below a delegation or a DNAME",
		Why:   "Resolvers ask the servers that the name is delegated to. With NS records at _domainkey, a key that is written here is in the zone and yet nowhere in the world.",
		Fix:   "publish it where the name is served, or take the delegation back",
		check: checkOccluded,
	},
	{
		ID: "dns-proxied", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "",
		Finds: "a selector or return path whose alias is proxied or flattened",
		Why:   "The world sees addresses of the proxy instead of the CNAME, so verifiers find no key and the sender's SPF and MX are gone.",
		Fix:   "set the record to DNS only, or publish the CNAME itself",
		look:  lookProxied,
	},
	{
		ID: "dns-dangling", Severity: plan.SeverityError, Needs: NeedsDNS, RFC: "",
		Finds: "a CNAME, delegation or include that leads into a domain that doesn't exist",
		Why:   "Whoever registers that domain takes the name over: serves its keys, answers its zone, or sends with its SPF.",
		Fix:   "remove it",
		look:  lookDangling, ask: askDangling,
	},
	{
		ID: "dns-doubled", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "",
		Finds: "a name that has the zone's name twice at its end",
		Why:   "Panels append the zone to what is pasted; nobody looks for the record at that name.",
		Fix:   "publish it at the name without the second one",
		reads: true, look: lookDoubled,
	},
	{
		ID: "dns-charset", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "6376 3.2, 7208 12, 9989 4.8",
		Finds: "characters in a TXT record that mail records can't have: typographic quotes, no-break spaces, control characters, anything beyond ASCII",
		Why:   "Receivers can't parse the record. Such characters come from PDF files, chats and word processors.",
		Fix:   "type the value again, in plain ASCII",
		look:  lookCharset,
	},
	{
		ID: "dns-neg-ttl", Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "2308 5",
		Finds: "new names in a zone whose absence is cached for more than an hour",
		Why:   "Resolvers that asked for a name before it existed deny it for that long, so a new record is not seen everywhere at once.",
		Fix:   "lower the last number of the SOA record to 3600 or less first, or wait before the names are used",
		check: checkNegativeTTL,
	},
	{
		ID: "dns-length", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "1035 2.3.4",
		Finds: "a label of more than 63 or a name of more than 253 characters",
		Why:   "The DNS can't hold it.",
		Fix:   "shorten the name",
		reads: true,
	},
	{
		ID: "dns-underscore", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "8552",
		Finds: "a mail record at a name that has lost its underscore",
		Why:   "Some panels refuse or drop the underscore in names; without it no receiver finds the record.",
		Fix:   "publish it at the name with the underscore; where the panel forbids that, move the zone to another host",
		look:  lookUnderscore,
	},
	{
		ID: "dns-ns-divergent", Severity: plan.SeverityError, Needs: NeedsServers, RFC: "1034 4.3.5",
		Finds: "authoritative servers that disagree for longer than changes take to reach them",
		Why:   "Receivers see one zone or the other by chance, so mail passes and fails by turns.",
		Fix:   "wait for the transfer, or mend the server that lags",
		check: checkDivergent,
	},
	{
		ID: "dns-unmanaged-clobber", Severity: plan.SeverityError, Needs: NeedsZone, RFC: "",
		Finds: "a change that would remove TXT values of others, verification tokens for instance",
		Why:   "The TXT records at one name are one set that many share: a provider whose token is gone stops the service.",
		Fix:   "declare the value in a record block, so that it stays",
		check: checkClobber,
	},
	{
		ID: "dns-unwritable", Severity: plan.SeverityError, Needs: NeedsZone, RFC: "",
		Finds: "a change of a record set that can't be written faithfully",
		Why:   "Writing the set would lose what this program can't express: an alias, a weight, a line of a zone file that $INCLUDE or $GENERATE brings in.",
		Fix:   "change it where it comes from",
		check: checkFixed,
	},
	{
		ID: "dns-ttl-max", Severity: plan.SeverityError, Needs: NeedsNothing, RFC: "",
		Finds: "a declared TTL above ttl_max",
		Why:   "The TTL is how long a mistake lives in caches after it was taken back, and a way back waits as long. For mail records nothing is gained by a day.",
		Fix:   "declare a TTL of at most ttl_max, or admit a longer one in a policy block with its reason beside it",
		reads: true,
	},
}

// where finds the same fault with every value that fits.
func (v *view) where(fits func(*stated) bool, message string) []fault {
	var out []fault
	for i := range v.values {
		if fits(&v.values[i]) {
			out = append(out, faultf(&v.values[i], "%s", message))
		}
	}
	return out
}

func lookApexCNAME(v *view) []fault {
	return v.where(func(s *stated) bool { return s.Key.Type == records.TypeCNAME && s.Key.Name == v.Domain.Zone },
		"a CNAME at the top of the zone, where SOA and NS stand already: it can't be published, or takes the domain's mail with it")
}

func lookChunks(v *view) []fault {
	return v.where(func(s *stated) bool { return s.Key.Type == records.TypeTXT && hasChunkMarks(s.Value) },
		"the quotes and spaces between two strings of the record stand in its value, so readers meet them in its middle")
}

// optRecord is what EDNS adds to an answer (RFC 6891 6.1.2).
const optRecord = 11

func lookAnswerSize(v *view) []fault {
	var out []fault
	for i := range v.values {
		s := &v.values[i]
		if s.Key.Type != records.TypeTXT || i > 0 && v.values[i-1].Key == s.Key {
			continue
		}
		switch size := v.answerSize(s.Key) + optRecord; {
		case size > udpAnswer:
			out = append(out, faultf(v.newest(s), "the answer has %d bytes, more than the %d that fit into a packet: every resolver must ask over TCP", size, udpAnswer))
		case size > plainAnswer:
			out = append(out, faultf(v.newest(s), "the answer has %d bytes, more than the %d that resolvers without EDNS take", size, plainAnswer))
		}
	}
	return out
}

func lookMixedTTL(v *view) []fault {
	if !v.declared() {
		return v.mixedLive()
	}
	var out []fault
	for i := 1; i < len(v.values); i++ {
		a, b := &v.values[i-1], &v.values[i]
		if a.Key == b.Key && a.TTL != 0 && b.TTL != 0 && a.TTL != b.TTL {
			out = append(out, faultf(b, "one of its values is declared with a TTL of %s, another with %s: a record set has one", a.TTL, b.TTL))
		}
	}
	return out
}

// mixedLive is about whole sets, so it has no value to point at.
func (v *view) mixedLive() []fault {
	var out []fault
	for i := range v.Here {
		if s := &v.Here[i]; s.MixedTTL {
			out = append(out, faultf(nil, "%s: its records have differing TTLs, the shortest %s", s.Key, s.TTL).
				mend("declare it: the next change gives all of them one TTL"))
		}
	}
	return out
}

const (
	minGoodTTL records.TTL = 60
	longTTL    records.TTL = 3600
	maxGoodTTL records.TTL = 86400
)

func lookTTLRange(v *view) []fault {
	var out []fault
	for i := range v.values {
		s := &v.values[i]
		ttl := s.TTL
		if v.declared() {
			ttl = cmp.Or(ttl, v.Domain.TTL, longTTL)
		}
		switch {
		case ttl == records.AutoTTL || i > 0 && v.values[i-1].Key == s.Key:
		case ttl < minGoodTTL:
			out = append(out, faultf(s, "a TTL of %s: caches drop it within a minute, so an outage of the servers is felt at once", ttl))
		case ttl > maxGoodTTL:
			out = append(out, faultf(s, "a TTL of %s: caches keep a mistake for more than a day", ttl))
		}
	}
	return out
}

func checkLongTTL(s *Subject) []plan.Finding {
	var out []plan.Finding
	for i := range s.Changes {
		c := &s.Changes[i]
		live, ok := s.Live.Set(c.Key())
		if !ok || c.Step != plan.StepChange || c.State == plan.Held || live.TTL.Bound() <= longTTL {
			continue
		}
		out = append(out, s.finding(plan.SeverityWarning, plan.AboutDeclared, s.kindSource(c.Kind), "apply in steps: the TTL is lowered first, and the change waits for it",
			"%s: it is about to change, and caches keep what is live for %s", c.Key(), live.TTL))
	}
	return out
}

func lookWildcards(v *view) []fault {
	return v.where(func(s *stated) bool {
		name := string(s.Key.Name)
		t := s.Key.Type
		return strings.HasPrefix(name, "*.") && (t == records.TypeTXT || t == records.TypeMX || t == records.TypeCNAME) &&
			!strings.Contains(name, "._domainkey.") && !strings.Contains(name, "._report._dmarc.") // with rules of their own
	}, "every name below answers with it that has no record of its own, among them names that must be absent")
}

func lookProxied(v *view) []fault {
	out := v.where(func(s *stated) bool {
		return (s.Key.Type == records.TypeA || s.Key.Type == records.TypeAAAA) && v.isAliasPlace(s.Key.Name)
	}, "an address where an alias belongs: the CNAME was flattened or goes through a proxy, so nobody finds the sender's records behind it")
	if v.declared() {
		return out
	}
	for i := range v.Here {
		if s := &v.Here[i]; s.Type == records.TypeCNAME && strings.Contains(s.Fixed, "proxied") && v.isAliasPlace(s.Name) {
			out = append(out, faultf(nil, "%s: the alias is proxied, so nobody finds the sender's records behind it", s.Name))
		}
	}
	return out
}

// isAliasPlace reports whether a name is a selector, or a return path that the
// declaration makes a CNAME.
func (s *Subject) isAliasPlace(n records.Name) bool {
	if strings.Contains(string(n), "._domainkey.") {
		return true
	}
	return slices.ContainsFunc(s.Domain.Senders, func(sender records.Sender) bool {
		return slices.Contains(sender.ReturnPath, records.Key{Name: n, Type: records.TypeCNAME})
	})
}

// leads goes through what leads out of the zone: where to, and from which value.
func (v *view) leads(f func(s *stated, what string, target records.Name)) {
	for i := range v.values {
		s := &v.values[i]
		switch s.Key.Type {
		case records.TypeCNAME:
			f(s, "alias", records.CanonicalName(string(s.Value)))
		case records.TypeNS:
			f(s, "delegation", records.CanonicalName(string(s.Value)))
		}
	}
	list := v.spf()
	for i := range list {
		for _, t := range list[i].record.Terms {
			what := map[spf.Kind]string{spf.Include: "include", spf.Redirect: "redirect"}[t.Kind]
			if domain := t.Domain.String(); what != "" && !strings.Contains(domain, "%") {
				f(list[i].stated, what, records.CanonicalName(domain))
			}
		}
	}
}

func askDangling(v *view) []Question {
	var out []Question
	v.leads(func(_ *stated, _ string, target records.Name) {
		if o, ok := registrable(target); ok && !target.In(v.Domain.Zone) {
			out = append(out, Question{o, records.TypeNS})
		}
	})
	return out
}

func lookDangling(v *view) []fault {
	if len(v.Known.DNS) == 0 {
		return nil
	}
	var out []fault
	v.leads(func(s *stated, what string, target records.Name) {
		o, _ := registrable(target)
		if a, ok := v.answer(o, records.TypeNS); ok && a.NXDomain && !target.In(v.Domain.Zone) {
			out = append(out, faultf(s, "the %s leads to %s, and the domain %s doesn't exist: whoever registers it takes this over", what, target, o))
		}
	})
	return out
}

func lookDoubled(v *view) []fault {
	return v.where(func(s *stated) bool {
		return isDoubled(s.Key.Name, v.Domain.Zone) || isDoubled(s.Key.Name, v.Domain.Name)
	},
		"the name of the zone stands in it twice, so nobody looks for the record here")
}

func lookCharset(v *view) []fault {
	var out []fault
	for i := range v.values {
		s := &v.values[i]
		if s.Key.Type != records.TypeTXT {
			continue
		}
		if what := strangeCharacter(s.Value); what != "" {
			out = append(out, faultf(s, "%s stands in the value, which receivers can't read", what))
		}
	}
	return out
}

// strangeCharacter names the first character that is not printable ASCII.
func strangeCharacter(v records.Value) string {
	for _, c := range string(v) {
		switch {
		case c >= ' ' && c < 0x7f:
		case c == '“' || c == '”' || c == '„' || c == '‘' || c == '’':
			return "a typographic quote"
		case c == 0xa0 || c == 0x202f:
			return "a no-break space"
		case c == 0x200b || c == 0xfeff:
			return "an invisible space"
		case c < ' ' || c == 0x7f:
			return "a control character, such as the end of a line"
		default:
			return "a character beyond ASCII"
		}
	}
	return ""
}

func checkNegativeTTL(s *Subject) []plan.Finding {
	if s.Live.NegativeTTL <= longTTL {
		return nil
	}
	var created []records.Name
	for i := range s.Changes {
		if c := &s.Changes[i]; c.Before == nil && c.After != nil && !slices.Contains(created, c.Name) {
			created = append(created, c.Name)
		}
	}
	if len(created) == 0 {
		return nil
	}
	return []plan.Finding{s.finding(plan.SeverityWarning, plan.AboutDeclared, s.Domain.Source, "lower the last number of the SOA record to 3600 or less first, or wait before the names are used",
		"%d new records, the first at %s: resolvers that have asked before deny them for up to %s", len(created), created[0], s.Live.NegativeTTL)}
}

// bare are the labels of mail without their underscores, and what begins the
// value there, if that is certain.
var bare = []struct{ label, version string }{
	{"domainkey", ""}, {"dmarc", "v=dmarc1"}, {"mta-sts", "v=stsv1"}, {"smtp.tls", "v=tlsrptv1"}, {"bimi", "v=bimi1"},
}

func lookUnderscore(v *view) []fault {
	return v.where(func(s *stated) bool {
		below, ok := strings.CutSuffix(string(s.Key.Name), "."+string(v.Domain.Name))
		return ok && lostUnderscore(below, s)
	}, "it stands where the underscore of a mail record is missing, so no receiver finds it")
}

// lostUnderscore judges a name relative to the domain: the key of a selector, or
// another mail record by its version.
func lostUnderscore(below string, s *stated) bool {
	for _, b := range bare {
		tail := below == b.label || strings.HasSuffix(below, "."+b.label)
		switch {
		case !tail:
		case b.version != "":
			return s.Key.Type == records.TypeTXT && len(s.Value) >= len(b.version) && strings.EqualFold(string(s.Value[:len(b.version)]), b.version)
		default:
			return below != b.label && (s.Key.Type == records.TypeCNAME || s.Key.Type == records.TypeTXT && beginsKey(s.Value))
		}
	}
	return false
}

func checkClobber(s *Subject) []plan.Finding {
	var out []plan.Finding
	for i := range s.Changes {
		c := &s.Changes[i]
		if c.Type != records.TypeTXT || c.Before == nil || c.Step != plan.StepChange {
			continue
		}
		for _, v := range c.Before.Values {
			_, owned := s.Past.Owner(c.Key(), v)
			if stays := c.After != nil && slices.Contains(c.After.Values, v); stays || owned || isOfKind(c.Key(), v) {
				continue
			}
			out = append(out, s.finding(plan.SeverityError, plan.AboutDeclared, s.kindSource(c.Kind), "declare the value in a record block, so that it stays",
				"%s: %q is not ours and would be removed", c.Key(), records.PrintableValue(v)))
		}
	}
	return out
}

// isOfKind reports whether a value is what receivers take for a mail record
// where it stands: its version ends where the word does, and anything at a
// selector counts.
func isOfKind(k records.Key, v records.Value) bool {
	kind, ok := records.KindAt(k, v)
	if !ok || kind == records.KindDKIM {
		return ok
	}
	if kind == records.KindSPF {
		return spf.IsSPF(string(v))
	}
	end := strings.IndexAny(string(v), "; \t")
	word := string(v)
	if end >= 0 {
		word = word[:end]
	}
	return slices.ContainsFunc([]string{"v=DMARC1", "v=STSv1", "v=TLSRPTv1", "v=BIMI1"}, func(version string) bool { return strings.EqualFold(word, version) })
}

// checkDivergent says nothing for a while after our own writes: they are on
// their way. That somebody else has just written can't be told.
func checkDivergent(s *Subject) []plan.Finding {
	said := s.Known.Serials
	if !slices.ContainsFunc(said, func(o Serial) bool { return o.Number != said[0].Number }) || s.onTheWay() {
		return nil
	}
	words := make([]string, len(said))
	for i, o := range said {
		words[i] = o.Number + " at " + o.Server
	}
	return []plan.Finding{s.finding(plan.SeverityError, plan.AboutLive, s.Domain.Source, "look again in a minute: if they still disagree, mend the server that lags, or its transfers",
		"the servers of the zone %s disagree about its serial: %s", s.Domain.Zone, strings.Join(words, ", "))}
}

// onTheWay reports whether we have written to the zone so lately that not all of
// its servers need have it.
func (s *Subject) onTheWay() bool {
	return slices.ContainsFunc(s.Past.Sets, func(w plan.SetState) bool {
		return s.Clock.Now.Before(w.Written.On(s.Clock).Add(s.Domain.Settings.Propagation))
	})
}
