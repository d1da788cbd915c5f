package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

func (s scope) mx() records.MX {
	if s.attrs["host"] == nil {
		s.report(s.rng, "Missing attribute", "An mx block needs host.")
	}
	host := s.name("host")
	if isAddress(string(host)) {
		s.fault(ruleAddressMX, s.rangeOf("host"), "Address instead of a name", "An MX names a host, never an address (RFC 1035 3.3.9). Give the host's name.")
	}
	return records.MX{
		Host:       host,
		Preference: uint16(s.number("preference", defaultPreference, 0, 65535)),
		TTL:        s.ttl("ttl"),
		Source:     source(s.rng),
	}
}

// defaultPreference is that of an mx block without one.
const defaultPreference = 10

// isAddress reports whether a name is made of numbers as an IPv4 address is.
func isAddress(name string) bool {
	return name != "" && strings.Trim(name, "0123456789.") == ""
}

// spf builds the record, with the terms that the domain's senders need.
func (s scope) spf(senders []spf.Term) *records.SPF {
	terms := mergeSPF(s.mechanisms(), senders)
	terms = s.spfEnd(terms)
	return &records.SPF{
		Record:  spf.New(terms...),
		Flatten: s.flatten(terms),
		TTL:     s.ttl("ttl"),
		Source:  source(s.rng),
	}
}

// mechanisms are the terms of the block without its end: those that need no
// lookup first, so that receivers may end before the others (RFC 7208 4.6.4).
func (s scope) mechanisms() []spf.Term {
	var terms []spf.Term
	terms = s.spfTerms(terms, "ip4", "ip4:")
	terms = s.spfTerms(terms, "ip6", "ip6:")
	terms = s.spfHosts(terms)
	if s.flag("mx") {
		terms = append(terms, spf.Term{Kind: spf.MX})
	}
	terms = s.spfTerms(terms, "include", "include:")
	return s.spfTerms(terms, "exists", "exists:")
}

func (s scope) spfTerms(terms []spf.Term, name, prefix string) []spf.Term {
	for _, it := range s.texts(name) {
		terms = s.spfTerm(terms, it, prefix)
	}
	return terms
}

// spfHosts reads a, where "@" is the domain itself.
func (s scope) spfHosts(terms []spf.Term) []spf.Term {
	for _, it := range s.texts("a") {
		prefix := "a:"
		if rest, found := strings.CutPrefix(it.text, "@"); found {
			prefix, it.text = "a", rest
		}
		terms = s.spfTerm(terms, it, prefix)
	}
	return terms
}

func (s scope) spfTerm(terms []spf.Term, it item, prefix string) []spf.Term {
	term, err := spf.ParseTerm(prefix + asciiHost(it.text))
	if err != nil {
		s.spfFault(it, err)
		return terms
	}
	if slices.ContainsFunc(terms, func(t spf.Term) bool { return t.Key() == term.Key() }) {
		s.report(it.rng, "Duplicate SPF term", "%s is in the record already. Delete one of the two.", term)
		return terms
	}
	return append(terms, term)
}

func (s scope) spfFault(it item, err error) {
	var fault *spf.SyntaxError
	if errors.As(err, &fault) {
		s.fault(ruleSPFSyntax, it.rng, "Invalid SPF term", "%q %s: %s.", fault.Term, fault.Problem, fault.Fix)
		return
	}
	s.fault(ruleSPFSyntax, it.rng, "Invalid SPF term", "%s", sentence(err))
}

// asciiHost brings a Unicode name to A-labels and leaves everything else alone.
func asciiHost(text string) string {
	for i := range len(text) {
		if text[i] >= 0x80 {
			if n, err := records.ParseName(text); err == nil {
				return string(n)
			}
			break
		}
	}
	return text
}

// spfEnd adds redirect or all. A record with a redirect has an all only if one
// is written, since it would make the redirect dead (RFC 7208 6.1).
func (s scope) spfEnd(terms []spf.Term) []spf.Term {
	all := s.oneOf("all", "softfail", "softfail", "fail", "neutral")
	redirect, redirected := s.given("redirect")
	if !redirected || s.has("all") {
		qualifier := map[string]spf.Qualifier{"softfail": spf.SoftFail, "fail": spf.Fail, "neutral": spf.Neutral}[all]
		terms = append(terms, spf.Term{Kind: spf.All, Qualifier: qualifier})
	}
	if redirected {
		terms = s.spfTerm(terms, item{redirect, s.rangeOf("redirect")}, "redirect=")
	}
	return terms
}

// flatten reads the includes that are kept flattened.
func (s scope) flatten(terms []spf.Term) []records.Name {
	var out []records.Name
	for _, it := range s.texts("flatten") {
		n := s.parseName(it.text, it.rng)
		include := func(t spf.Term) bool { return t.Kind == spf.Include && strings.EqualFold(t.Domain.String(), string(n)) }
		if n != "" && !slices.ContainsFunc(terms, include) {
			s.report(it.rng, "Not an include", "flatten names includes of the record; %s is none.", n)
			continue
		}
		out = append(out, n)
	}
	return out
}

func (s scope) dkim() records.DKIM {
	d := records.DKIM{TTL: s.ttl("ttl"), Source: source(s.rng), Since: s.date("since", false)}
	text, r := s.label(0), s.rng
	if given, ok := s.given("selector"); ok {
		text, r = given, s.rangeOf("selector")
	}
	d.Selector = string(s.selector(text, r))
	s.dkimValue(&d)
	return d
}

// selector reads a DKIM or BIMI selector: one or more labels.
func (s scope) selector(text string, r hcl.Range) records.Name {
	if isTooLong(text) {
		s.fault(ruleDKIMShape, r, "Invalid selector", "A label of a selector has at most 63 characters (RFC 6376 3.1).")
		return ""
	}
	n := s.parseName(text, r)
	if strings.Contains(string(n), "_domainkey") || strings.Contains(string(n), "_bimi") {
		s.fault(ruleDKIMShape, r, "Invalid selector", "The selector is the part before ._domainkey or ._bimi: leave out the rest.")
	}
	if strings.HasPrefix(string(n), "*") {
		s.fault(ruleDKIMWildcard, r, "Invalid selector", "A selector can't be a wildcard (RFC 6376 6.1.2).")
	}
	return n
}

// dkimValue reads the key, the alias or the revocation, of which there is
// exactly one.
func (s scope) dkimValue(d *records.DKIM) {
	kinds := 0
	for _, name := range []string{"public_key", "cname", "state"} {
		if a := s.attrs[name]; a != nil && (a.literal == cty.NilVal || !a.literal.IsNull()) {
			kinds++
		}
	}
	if kinds != 1 {
		s.report(s.rng, "Which DKIM key?", `A dkim block has exactly one of public_key, cname and state = "revoked"; this one has %d of them.`, kinds)
	}
	d.CNAME = s.name("cname")
	if state := s.oneOf("state", "", "revoked"); state == "revoked" {
		d.Revoked = true
	}
	if text, ok := s.given("public_key"); ok {
		d.Key = s.dkimKey(text)
		return
	}
	for _, name := range []string{"testing", "services", "notes"} {
		if s.attrs[name] != nil && s.attrs["public_key"] == nil {
			s.report(s.attrs[name].nameRng, "Without a key", "%s belongs to a public_key; this block has none.", name)
		}
	}
}

// keyRules are the rules for what can be wrong with a key.
var keyRules = map[records.KeyProblem]string{
	records.KeySyntax:    ruleDKIMSyntax,
	records.KeyDuplicate: ruleDKIMSyntax,
	records.KeyVersion:   ruleDKIMSyntax,
	records.KeyMissing:   ruleDKIMNoP,
	records.KeyBase64:    ruleDKIMBase64,
	records.KeyPrivate:   ruleDKIMPrivate,
}

// readKey reads a key that stands at a range.
func (s scope) readKey(text string, at hcl.Range) *records.DKIMKey {
	key, err := records.DKIMKeyFrom(text)
	if err != nil {
		rule := ruleDKIMKey
		var fault *records.KeyError
		if errors.As(err, &fault) {
			rule = cmp.Or(keyRules[fault.Problem], rule)
		}
		s.fault(rule, at, "Unusable DKIM key", "%s", sentence(err))
		return nil
	}
	return &key
}

func (s scope) dkimKey(text string) *records.DKIMKey {
	key := s.readKey(text, s.rangeOf("public_key"))
	if key == nil {
		return nil
	}
	if s.flag("testing") {
		key.Testing = true
	}
	if s.has("services") {
		key.Services = s.strings("services")
	}
	if notes, ok := s.line("notes"); ok {
		key.Notes = notes
	}
	return key
}

// defaultRamp is what a dmarc block without a ramp climbs.
var defaultRamp = []records.DMARCStep{
	{Policy: records.PolicyNone, Percent: 100},
	{Policy: records.PolicyQuarantine, Percent: 25},
	{Policy: records.PolicyQuarantine, Percent: 50},
	{Policy: records.PolicyQuarantine, Percent: 100},
	{Policy: records.PolicyReject, Percent: 100},
}

func (s scope) dmarc(parked bool) *records.DMARC {
	if s.attrs["policy"] == nil && !parked {
		s.report(s.rng, "Missing attribute", "A dmarc block needs policy: none, quarantine or reject. It is the target; the ramp leads there.")
	}
	d := &records.DMARC{
		Record: records.DMARCRecord{
			Policy: s.disposition("policy"),
			SP:     s.disposition("subdomain_policy"),
			NP:     s.disposition("nonexistent_subdomain_policy"),
			ADKIM:  records.Alignment(s.oneOf("adkim", "", "relaxed", "strict")),
			ASPF:   records.Alignment(s.oneOf("aspf", "", "relaxed", "strict")),
			RUA:    s.reportURIs("rua", ruleReportURI),
			RUF:    s.reportURIs("ruf", ruleReportURI),
			FO:     s.failureOptions(),
		},
		Steps:   slices.Clone(defaultRamp),
		Compat:  records.CompatBoth,
		Cadence: records.Cadence(s.oneOf("cadence", string(records.CadenceDaily), string(records.CadenceDaily), string(records.CadenceWeekly), string(records.CadenceMonthly))),
		TTL:     s.ttl("ttl"),
		Source:  source(s.rng),
	}
	d.EvidenceGroup, _ = s.line("evidence_group")
	if b := s.first("ramp"); b != nil {
		s.of(b).ramp(d)
	}
	return d
}

func (s scope) disposition(name string) records.Disposition {
	word := s.oneOf(name, "", "none", "quarantine", "reject")
	if word == "" {
		return records.PolicyUnset
	}
	d, _ := records.ParseDisposition(word)
	return d
}

// reportURIs reads where reports go.
func (s scope) reportURIs(name, rule string) []string {
	var out []string
	for _, it := range s.texts(name) {
		if _, err := records.ParseReportURI(it.text); err != nil {
			hint := ""
			if strings.Contains(it.text, "@") && !strings.Contains(it.text, ":") {
				hint = fmt.Sprintf(" Did you mean %q?", "mailto:"+it.text)
			}
			s.fault(rule, it.rng, "Invalid report address", "%s%s", sentence(err), hint)
			continue
		}
		out = append(out, it.text)
	}
	return out
}

func (s scope) failureOptions() []string {
	var out []string
	for _, it := range s.texts("fo") {
		if !slices.Contains([]string{"0", "1", "d", "s"}, it.text) {
			s.report(it.rng, "Invalid failure option", `fo is a list of "0", "1", "d" and "s" (RFC 9989 4.7), not %q.`, it.text)
			continue
		}
		out = append(out, it.text)
	}
	return out
}

// ramp reads the steps, which must climb up to the policy.
func (s scope) ramp(d *records.DMARC) {
	d.Compat = records.Compat(s.oneOf("compat", string(records.CompatBoth), string(records.CompatBoth), string(records.Compat7489), string(records.Compat9989)))
	if !s.has("steps") {
		return
	}
	d.Steps = nil
	items := s.texts("steps")
	for _, it := range items {
		step, err := records.ParseDMARCStep(it.text)
		if err != nil {
			s.report(it.rng, "Invalid ramp step", "%s", sentence(err))
			return
		}
		if n := len(d.Steps); n > 0 && !climbs(d.Steps[n-1], step) {
			s.report(it.rng, "Ramp doesn't climb", "The step %q must be stricter than the one before it, %q.", step, d.Steps[n-1])
		}
		d.Steps = append(d.Steps, step)
	}
	last := records.DMARCStep{Policy: records.PolicyNone, Percent: 100}
	if n := len(d.Steps); n > 0 {
		last = d.Steps[n-1]
	}
	if target := (records.DMARCStep{Policy: d.Record.Policy, Percent: 100}); climbs(last, target) {
		s.report(s.rangeOf("steps"), "Ramp ends below the policy", "The last step is %q, but policy is %q. Add the steps that lead there, the last being %q.", last, d.Record.Policy, target)
	}
}

// climbs reports whether to is stricter than from.
func climbs(from, to records.DMARCStep) bool {
	if from.Policy != to.Policy {
		return from.Policy < to.Policy
	}
	return from.Policy != records.PolicyNone && from.Percent < to.Percent
}

func (s scope) mtaSTS(d *records.Domain) *records.MTASTS {
	if s.attrs["mode"] == nil {
		s.report(s.rng, "Missing attribute", "An mta_sts block needs mode: testing, enforce or none. Begin with testing.")
	}
	out := &records.MTASTS{
		Policy: records.STSPolicy{
			Mode:   records.STSMode(s.oneOf("mode", string(records.STSTesting), string(records.STSTesting), string(records.STSEnforce), string(records.STSNone))),
			MX:     s.stsHosts(d),
			MaxAge: s.maxAge(),
		},
		HostCNAME: s.name("host_cname"),
		HostA:     s.addresses("host_a", records.TypeA),
		HostAAAA:  s.addresses("host_aaaa", records.TypeAAAA),
		TTL:       s.ttl("ttl"),
		Source:    source(s.rng),
	}
	if id, ok := s.given("id"); ok {
		if err := records.CheckSTSID(id); err != nil {
			s.fault(ruleSTSRecord, s.rangeOf("id"), "Invalid policy id", "%s", sentence(err))
		}
		out.ID = id
	}
	if out.HostCNAME != "" && len(out.HostA)+len(out.HostAAAA) > 0 {
		s.report(s.rangeOf("host_cname"), "CNAME beside addresses", "A host has either host_cname, or host_a and host_aaaa.")
	}
	return out
}

// stsHosts are the hosts that the policy admits, by default those of the mx
// blocks.
func (s scope) stsHosts(d *records.Domain) []string {
	var out []string
	if s.has("mx") {
		for _, it := range s.texts("mx") {
			n, err := records.ParseName(it.text)
			if err != nil {
				s.fault(ruleSTSBody, it.rng, "Invalid mx pattern", "%s Write a host's name, or *.NAME for one label below NAME (RFC 8461 3.2).", sentence(err))
				continue
			}
			out = append(out, string(n))
		}
		return out
	}
	for _, m := range slices.SortedFunc(slices.Values(d.MX), records.MX.Compare) {
		if !slices.Contains(out, string(m.Host)) && m.Host != "" {
			out = append(out, string(m.Host))
		}
	}
	if mode := s.text("mode"); len(out) == 0 && mode != string(records.STSNone) && s.attrs["mx"] == nil {
		s.fault(ruleSTSBody, s.rng, "MTA-STS without MX", "The policy must name the hosts that receive mail (RFC 8461 3.2). Write mx blocks in the domain, or mx = [\"HOST\"] here.")
	}
	return out
}

// defaultMaxAge is a week, which enforcing policies need at least.
const defaultMaxAge = 7 * 24 * time.Hour

func (s scope) maxAge() int64 {
	age := s.duration("max_age", defaultMaxAge)
	if most := time.Duration(records.MaxSTSAge) * time.Second; age > most || age < time.Second {
		s.fault(ruleMaxAge, s.rangeOf("max_age"), "Invalid max_age", "max_age is from 1 to %d seconds, about a year (RFC 8461 3.2).", records.MaxSTSAge)
		age = defaultMaxAge
	}
	return int64(age / time.Second)
}

func (s scope) addresses(name string, t records.Type) []records.Value {
	var out []records.Value
	for _, it := range s.texts(name) {
		v, err := records.CanonicalData(t, it.text)
		if err != nil {
			s.report(it.rng, "Invalid address", "%s", sentence(err))
			continue
		}
		out = append(out, v)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s scope) tlsRPT() *records.TLSRPT {
	t := &records.TLSRPT{RUA: s.reportURIs("rua", ruleTLSURI), TTL: s.ttl("ttl"), Source: source(s.rng)}
	if s.attrs["rua"] == nil {
		s.report(s.rng, "Missing attribute", `A tls_rpt block needs rua, such as rua = ["mailto:tls@example.com"].`)
	} else if v, a := s.value("rua"); a != nil && v.CanIterateElements() && v.LengthInt() == 0 {
		s.report(a.rng, "Missing attribute", "rua must name at least one address (RFC 8460 3).")
	}
	return t
}

func (s scope) bimi() records.BIMI {
	b := records.BIMI{Selector: string(s.selector(s.label(0), s.rng)), TTL: s.ttl("ttl"), Source: source(s.rng)}
	if s.attrs["logo"] == nil {
		s.report(s.rng, "Missing attribute", `A bimi block needs logo, an https URL of an SVG; "" declines.`)
	}
	b.Record.Logo = s.httpsURL("logo")
	b.Record.Evidence = s.httpsURL("evidence")
	return b
}

func (s scope) httpsURL(name string) string {
	text, _ := s.line(name)
	if text != "" && (!strings.HasPrefix(text, "https://") || strings.ContainsAny(text, " ;")) {
		s.fault(ruleBIMI, s.rangeOf(name), "Invalid URL", "%s must be an https URL without spaces and semicolons, not %q.", name, text)
	}
	return text
}

// record reads a free record. Its name is relative to the domain.
func (s scope) record(domain records.Name) records.Free {
	text, r := s.label(0), s.rng
	if given, ok := s.given("name"); ok {
		text, r = given, s.rangeOf("name")
	}
	f := records.Free{
		Key:    records.Key{Name: s.recordName(text, domain, r), Type: s.recordType(s.label(1))},
		TTL:    s.ttl("ttl"),
		Source: source(s.rng),
	}
	items := s.texts("values")
	if s.attrs["values"] == nil {
		s.report(s.rng, "Missing attribute", "A record block needs values.")
	} else if v, a := s.value("values"); a != nil && v.CanIterateElements() && v.LengthInt() == 0 {
		s.report(a.rng, "No values", "A record block owns the values that it lists: list at least one, or delete the block.")
	}
	for _, it := range items {
		if strings.Contains(it.text, "PRIVATE KEY-----") {
			s.fault(ruleDKIMPrivate, it.rng, "Private key", "This is a PRIVATE key; whoever has it can sign mail in your name. Revoke it, and publish the public key of a new pair.")
			continue
		}
		v, err := records.CanonicalData(f.Key.Type, it.text)
		if err != nil {
			s.report(it.rng, "Invalid value", "%s", sentence(err))
			continue
		}
		if slices.Contains(f.Values, v) {
			s.report(it.rng, "Duplicate value", "The value %s is in the list already.", strconv.Quote(string(v)))
			continue
		}
		f.Values = append(f.Values, v)
	}
	if f.Key.Type == records.TypeCNAME && len(f.Values) > 1 {
		s.report(s.rangeOf("values"), "Several CNAMEs", "A name has at most one CNAME (RFC 1034 3.6.2).")
	}
	slices.Sort(f.Values)
	return f
}

func (s scope) recordName(text string, domain records.Name, r hcl.Range) records.Name {
	if text == "@" || domain == "" {
		return domain
	}
	if absolute, found := strings.CutSuffix(text, "."); found {
		n := s.parseName(absolute, r)
		if n != "" && !n.In(domain) {
			s.report(r, "Record outside the domain", "%s does not lie in %s. Declare it in the domain that it belongs to.", n, domain)
		}
		return n
	}
	n := s.parseName(text, r)
	if n == "" {
		return ""
	}
	if n.In(domain) {
		s.fault(ruleDoubled, r, "Doubled name", "Names are relative to the domain, so this would be %s. Leave out .%s.", records.Below(string(n), domain), domain)
	}
	return s.parseName(string(records.Below(string(n), domain)), r)
}

func (s scope) recordType(label string) records.Type {
	t := records.Type(strings.ToUpper(label))
	if t == "" || strings.Trim(string(t), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		s.report(s.rng, "Invalid record type", `%q is no record type; write one such as "CNAME" or "TXT".`, label)
		return ""
	}
	if t.HostOwned() {
		s.report(s.rng, "Record type of the host", "%s records are made by the DNS host itself and can't be declared.", t)
	}
	return t
}
