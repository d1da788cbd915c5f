package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// composer makes a draft: it takes the values one kind after the other, and
// what no block can say goes into record blocks.
type composer struct {
	*writer
	draft
	rest map[records.Key][]records.Value // that no passage says yet
}

// compose makes a draft with the given senders.
func (w *writer) compose(found []finding) draft {
	w.chooseTTL(found)
	c := &composer{writer: w, rest: map[records.Key][]records.Value{}}
	for k, values := range w.mine {
		c.rest[k] = slices.Clone(values)
	}
	c.mail(found)
	c.keys()
	c.dmarc()
	c.sts()
	c.single(records.TLSRPTName(w.Domain), "", w.tlsRPTBlock)
	c.reports()
	c.bimi()
	for _, k := range slices.SortedFunc(maps.Keys(c.rest), records.Key.Compare) {
		c.record(k, "")
	}
	c.relations()
	return c.draft
}

// take takes values away from what is left.
func (c *composer) take(k records.Key, values ...records.Value) {
	c.rest[k] = slices.DeleteFunc(c.rest[k], func(v records.Value) bool { return slices.Contains(values, v) })
	if len(c.rest[k]) == 0 {
		delete(c.rest, k)
	}
}

// offer uses the first of several ways to say values that proves right.
func (c *composer) offer(k records.Key, values []records.Value, comment string, ways ...string) bool {
	for _, text := range ways {
		p := passage{text: text, comment: comment}
		if text != "" && c.fits(p) {
			c.passages = append(c.passages, p)
			c.take(k, values...)
			return true
		}
	}
	return false
}

// parked tries the profile of a domain that sends and receives nothing.
func (w *writer) parked() (draft, bool) {
	w.chooseTTL(nil)
	name := records.Key{Name: records.DMARCName(w.Domain), Type: records.TypeTXT}
	if len(w.mine[name]) != 1 {
		return draft{}, false
	}
	r, err := records.ParseDMARC(string(w.mine[name][0]))
	if err != nil {
		return draft{}, false
	}
	d := draft{passages: []passage{{text: hclAttr("parked", "true") + " # sends and receives nothing", attr: true}}}
	if len(r.RUA)+len(r.RUF) > 0 {
		d.passages = append(d.passages, passage{text: hclBlock("dmarc", optionalList("rua", r.RUA), optionalList("ruf", r.RUF))})
	}
	domain, err := w.prove(d)
	if err != nil {
		return draft{}, false
	}
	for k, values := range w.mine {
		if k.Name == w.Domain || k == name {
			continue
		}
		if len(values) != 1 || values[0] != records.RevokedDKIM {
			return draft{}, false // it is in use
		}
		d.passages = append(d.passages, passage{text: w.recordBlock(k, values)})
	}
	slices.SortStableFunc(d.passages, func(a, b passage) int { return cmp.Or(compareBools(b.attr, a.attr), strings.Compare(a.text, b.text)) })
	return d, domain.Parked
}

func optionalList(name string, items []string) string {
	if len(items) == 0 {
		return ""
	}
	return hclAttr(name, hclList(items))
}

// mail says senders, mail exchangers and SPF, which go together: a sender may
// bring hosts and terms. Senders whose terms can't be those of the live record
// are left out.
func (c *composer) mail(found []finding) {
	if c.together(found) {
		return
	}
	if quiet := slices.DeleteFunc(slices.Clone(found), func(f finding) bool { return len(f.made.terms) > 0 || len(f.made.mx) > 0 }); len(quiet) < len(found) && c.together(quiet) {
		return
	}
	c.together(nil)
}

// together tries senders with the hosts and the record that the zone has.
func (c *composer) together(found []finding) bool {
	senders := make([]passage, len(found))
	for i, f := range found {
		senders[i] = passage{text: f.text, comment: "Recognised: " + shortTitle(f.about) + "."}
	}
	mx, ok := c.exchangers(found)
	if !ok {
		return false
	}
	for _, way := range c.spfWays(found) {
		passages := slices.Concat(senders, mx)
		if way.text != "" {
			passages = append(passages, way.passage)
		}
		if c.changesNothing(draft{passages: passages, merges: way.merges}) != nil {
			continue
		}
		c.passages, c.merges = append(c.passages, passages...), way.merges
		c.take(c.apex(), c.liveSPF()...)
		c.take(records.Key{Name: c.Domain, Type: records.TypeMX}, c.mine[records.Key{Name: c.Domain, Type: records.TypeMX}]...)
		for _, f := range found {
			for _, claim := range f.claims {
				c.take(claim.key, claim.text)
			}
		}
		return true
	}
	return false
}

// shortTitle is what a sender type is, without the explanation.
func shortTitle(t SenderType) string {
	title := cmp.Or(t.Description, t.Name)
	if i := strings.IndexAny(title, ":,;"); i > 0 {
		title = title[:i]
	}
	return title
}

// exchangers says the MX set but for what senders make of it.
func (c *composer) exchangers(found []finding) (out []passage, ok bool) {
	key := records.Key{Name: c.Domain, Type: records.TypeMX}
	var rest []records.MX
	for _, v := range c.mine[key] {
		made := slices.ContainsFunc(found, func(f finding) bool {
			return slices.ContainsFunc(f.made.mx, func(m records.MX) bool { return m.Value() == v })
		})
		m, err := records.ParseMX(v)
		if err != nil && !made {
			return nil, false
		}
		if !made {
			rest = append(rest, m)
		}
	}
	slices.SortFunc(rest, records.MX.Compare)
	switch {
	case len(rest) == 0:
		return nil, true
	case len(rest) == 1 && rest[0].Null() && c.fits(nullMX):
		return []passage{nullMX}, true
	}
	blocks := make([]string, len(rest))
	for i, m := range rest {
		blocks[i] = hclBlock("mx", hclAttr("host", hclString(string(m.Host))), hclAttr("preference", fmt.Sprint(m.Preference)), c.ttl(key, c.mine[key]...))
	}
	p := passage{text: strings.Join(blocks, "\n\n")}
	if len(rest) == len(c.mine[key]) && !c.fits(p) {
		p = passage{text: c.recordBlock(key, c.mine[key]), comment: "Not as mx blocks: they can't say these values."}
	}
	return []passage{p}, true
}

var nullMX = passage{text: hclAttr("null_mx", "true") + " # receives no mail", attr: true}

// way is one way to say the SPF record; without text, that there is none.
type way struct {
	passage
	merges bool
}

// spfWays are the ways to say the SPF record, the best first: with the terms
// that senders bring left to them, with all terms, and as it stands.
func (c *composer) spfWays(found []finding) []way {
	live := c.liveSPF()
	if len(live) == 0 {
		return []way{{}}
	}
	var out []way
	theirs := map[string]bool{}
	for _, f := range found {
		for _, t := range f.made.terms {
			theirs[t.Key()] = true
		}
	}
	if r, ok := mergedSPF(live); ok {
		merges := len(live) > 1
		comment := ""
		if merges {
			comment = "The zone has several SPF records, which receivers take for an error and then authorise nobody. This merges them: nobody loses authorisation."
		}
		out = append(out,
			way{passage{text: c.spfBlock(r, theirs), comment: comment}, merges},
			way{passage{text: c.spfBlock(r, nil), comment: cmp.Or(comment, "What senders bring as well stands here for the order of the terms.")}, merges})
	}
	if len(theirs) == 0 {
		out = append(out, way{passage: passage{text: c.recordBlock(c.apex(), live), comment: whyNotSPF(live)}})
	}
	return slices.DeleteFunc(out, func(w way) bool { return w.text == "" })
}

// mergedSPF is the one record of several.
func mergedSPF(live []records.Value) (*spf.Record, bool) {
	var out *spf.Record
	end := spf.Fail
	for _, v := range live {
		r, err := spf.Parse(string(v))
		if err != nil {
			return nil, false
		}
		if len(live) == 1 {
			return r, true
		}
		own := spf.Neutral // RFC 7208 4.7
		for _, t := range r.Live() {
			if t.Kind == spf.All {
				own = t.Qualifier
			}
		}
		end = min(end, own)
		if out == nil {
			out = r
		}
		out = spf.Union(out, r.Live(), end)
	}
	return out, true
}

// whyNotSPF says why the record stands in a record block.
func whyNotSPF(live []records.Value) string {
	if len(live) > 1 {
		return "Several SPF records, which receivers take for an error and then authorise nobody. They can't be merged as they are: write one spf block with what is meant."
	}
	r, err := spf.Parse(string(live[0]))
	if err != nil {
		return "A broken SPF record, which receivers take for an error. Write an spf block with what is meant: mending is never held."
	}
	if text := spfText(r, nil); text != "" && spf.New(r.Terms...).String() == string(live[0]) {
		return "An spf block writes the terms in another order: first what needs no lookup. Write one when you next change the record."
	}
	return "Not as an spf block, which would write it differently. Write one when you next change the record."
}

// spfBlock says a record but for the terms of senders; empty where a block
// can't say it.
func (c *composer) spfBlock(r *spf.Record, theirs map[string]bool) string {
	return spfText(r, theirs, c.ttl(c.apex(), c.liveSPF()...))
}

func spfText(r *spf.Record, theirs map[string]bool, more ...string) string {
	lists, end := map[spf.Kind][]string{}, []string{}
	mx := ""
	for _, t := range r.Terms {
		words, ok := spfAttribute(t)
		switch {
		case !ok:
			return ""
		case t.Kind == spf.All || t.Kind == spf.Redirect:
			end = append(end, words)
		case theirs[t.Key()]:
		case t.Kind == spf.MX:
			mx = hclAttr("mx", "true")
		default:
			lists[t.Kind] = append(lists[t.Kind], words)
		}
	}
	if len(end) == 0 {
		return "" // a block always has an end
	}
	attrs := []string{
		optionalList("ip4", lists[spf.IP4]), optionalList("ip6", lists[spf.IP6]), optionalList("a", lists[spf.A]), mx,
		optionalList("include", lists[spf.Include]), optionalList("exists", lists[spf.Exists]),
	}
	return hclBlock("spf", append(append(attrs, end...), more...)...)
}

// spfAttribute is how a block says a term.
func spfAttribute(t spf.Term) (words string, ok bool) {
	if t.Kind == spf.All {
		word := map[spf.Qualifier]string{spf.SoftFail: "softfail", spf.Fail: "fail", spf.Neutral: "neutral"}[t.Qualifier]
		return hclAttr("all", hclString(word)), word != ""
	}
	if t.Qualifier != spf.Pass {
		return "", false
	}
	_, content, _ := strings.Cut(t.String(), ":")
	switch t.Kind {
	case spf.IP4, spf.IP6, spf.Include, spf.Exists:
		return content, true
	case spf.A:
		if t.Domain.IsZero() {
			return "@" + strings.TrimPrefix(t.String(), "a"), true
		}
		return content, true
	case spf.MX:
		return "", t.String() == "mx"
	case spf.Redirect:
		return hclAttr("redirect", hclString(t.Domain.String())), true
	}
	return "", false
}

// keys says the DKIM selectors.
func (c *composer) keys() {
	for _, k := range slices.SortedFunc(maps.Keys(c.rest), records.Key.Compare) {
		selector, ok := strings.CutSuffix(string(k.Name), "._domainkey."+string(c.Domain))
		if !ok {
			continue
		}
		values := c.rest[k]
		if len(values) == 1 && c.offer(k, values, c.alike(k, values[0]), c.keyBlocks(selector, k, values[0])...) {
			continue
		}
		c.record(k, "Not as a dkim block, which would write it differently.")
	}
}

// keyBlocks are the ways to say a selector, the most readable first.
func (c *composer) keyBlocks(selector string, k records.Key, v records.Value) []string {
	block := func(attrs ...string) string {
		return hclBlock("dkim "+hclString(selector), append(attrs, c.ttl(k, v))...)
	}
	if k.Type == records.TypeCNAME {
		return []string{block(hclAttr("cname", hclString(string(v))))}
	}
	if v == records.RevokedDKIM {
		return []string{block(hclAttr("state", `"revoked"`))}
	}
	if !hclCanSay(string(v)) {
		return nil
	}
	whole := block(hclAttr("public_key", hclString(string(v))))
	key, err := records.ParseDKIM(v)
	if err != nil {
		return []string{whole}
	}
	_, p, _ := strings.Cut(string(v), "p=")
	return []string{block(hclAttr("public_key", hclString(strings.TrimSpace(p))), flagAttr("testing", key.Testing), optionalList("services", key.Services)), whole}
}

func flagAttr(name string, on bool) string {
	if !on {
		return ""
	}
	return hclAttr(name, "true")
}

// dmarc says the policy record.
func (c *composer) dmarc() {
	c.single(records.DMARCName(c.Domain),
		"The policy that is live. Raise it when the reports look clean: the ramp leads there step by step.", c.dmarcBlock)
	c.record(records.Key{Name: records.DMARCName(c.Domain), Type: records.TypeTXT},
		"Not as a dmarc block, which would write it differently, or go on from here by its ramp.")
}

// single says the one text record of a name.
func (c *composer) single(name records.Name, comment string, block func(records.Key, records.Value) string) {
	k := records.Key{Name: name, Type: records.TypeTXT}
	if values := c.rest[k]; len(values) == 1 && hclCanSay(string(values[0])) {
		c.offer(k, values, comment, block(k, values[0]))
	}
}

func (c *composer) dmarcBlock(k records.Key, v records.Value) string {
	r, err := records.ParseDMARC(string(v))
	if err != nil || r.Value() != v || r.Pct.String() != "" || r.T != "" || r.PSD != "" || len(r.Other) > 0 {
		return ""
	}
	return hclBlock("dmarc",
		optionalWord("policy", r.Policy.String()), optionalWord("subdomain_policy", r.SP.String()), optionalWord("nonexistent_subdomain_policy", r.NP.String()),
		optionalWord("adkim", string(r.ADKIM)), optionalWord("aspf", string(r.ASPF)),
		optionalList("rua", r.RUA), optionalList("ruf", r.RUF), optionalList("fo", r.FO), c.ttl(k, v))
}

func optionalWord(name, word string) string {
	if word == "" {
		return ""
	}
	return hclAttr(name, hclString(word))
}

// sts says the MTA-STS record, and the host that serves the policy, where the
// policy is known: DNS doesn't say it.
func (c *composer) sts() {
	k := records.Key{Name: records.STSName(c.Domain), Type: records.TypeTXT}
	values := c.rest[k]
	if len(values) == 0 {
		return
	}
	if len(values) == 1 && c.Policy != nil && c.stsBlock(k, values[0]) {
		return
	}
	c.record(k, "An mta_sts block says the policy too, which isn't in DNS: write one with the mode, mx and max_age of the policy file, and with this id.")
	for _, t := range []records.Type{records.TypeA, records.TypeAAAA, records.TypeCNAME} {
		c.record(records.Key{Name: records.STSHost(c.Domain), Type: t}, "")
	}
}

// stsBlock tries the block with the host record and without it.
func (c *composer) stsBlock(k records.Key, v records.Value) bool {
	r, err := records.ParseSTSRecord(string(v))
	if err != nil {
		return false
	}
	id := hclAttr("id", hclString(r.ID))
	if r.ID == c.Policy.ID() {
		id = ""
	}
	base := []string{
		hclAttr("mode", hclString(string(c.Policy.Mode))), optionalList("mx", c.Policy.MX),
		hclAttr("max_age", hclString(age(c.Policy.MaxAge))), id,
	}
	var host []string
	var keys []records.Key
	for t, name := range map[records.Type]string{records.TypeA: "host_a", records.TypeAAAA: "host_aaaa", records.TypeCNAME: "host_cname"} {
		at := records.Key{Name: records.STSHost(c.Domain), Type: t}
		switch values := c.rest[at]; {
		case len(values) == 0:
			continue
		case t == records.TypeCNAME:
			host = append(host, hclAttr(name, hclString(string(values[0]))))
		default:
			host = append(host, optionalList(name, texts(values)))
		}
		keys = append(keys, at)
	}
	slices.Sort(host)
	end := c.ttl(k, v)
	const comment = "The policy as the host serves it."
	if c.offer(k, []records.Value{v}, comment, hclBlock("mta_sts", append(append(slices.Clone(base), host...), end)...)) {
		for _, at := range keys {
			c.take(at, c.rest[at]...)
		}
		return true
	}
	return c.offer(k, []records.Value{v}, comment, hclBlock("mta_sts", append(base, end)...))
}

// age prints seconds as a duration.
func age(n int64) string {
	for _, u := range units {
		if d := time.Duration(n) * time.Second; n > 0 && d%u.length == 0 {
			return fmt.Sprintf("%d%c", d/u.length, u.letter)
		}
	}
	return fmt.Sprintf("%ds", n)
}

func texts(values []records.Value) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

func (w *writer) tlsRPTBlock(k records.Key, v records.Value) string {
	r, err := records.ParseTLSRPT(string(v))
	if err != nil {
		return ""
	}
	return hclBlock("tls_rpt", optionalList("rua", r.RUA), w.ttl(k, v))
}

// reports says whose reports are accepted.
func (c *composer) reports() {
	suffix := "._report._dmarc." + string(c.Domain)
	var domains []string
	var keys []records.Key
	for _, k := range slices.SortedFunc(maps.Keys(c.rest), records.Key.Compare) {
		about, ok := strings.CutSuffix(string(k.Name), suffix)
		if !ok || k.Type != records.TypeTXT {
			continue
		}
		p := passage{text: hclAttr("accept_reports_for", hclList([]string{about})), attr: true}
		if c.fits(p) {
			domains, keys = append(domains, about), append(keys, k)
		}
	}
	if len(domains) == 0 {
		return
	}
	c.passages = append(c.passages, passage{text: hclAttr("accept_reports_for", hclList(domains)), attr: true})
	for _, k := range keys {
		c.take(k, c.rest[k]...)
	}
}

func (c *composer) bimi() {
	for _, k := range slices.SortedFunc(maps.Keys(c.rest), records.Key.Compare) {
		selector, ok := strings.CutSuffix(string(k.Name), "._bimi."+string(c.Domain))
		if !ok || k.Type != records.TypeTXT || len(c.rest[k]) != 1 {
			continue
		}
		c.single(k.Name, "", func(k records.Key, v records.Value) string {
			r, err := records.ParseBIMI(string(v))
			if err != nil {
				return ""
			}
			return hclBlock("bimi "+hclString(selector), hclAttr("logo", hclString(r.Logo)), optionalWord("evidence", r.Evidence), c.ttl(k, v))
		})
	}
}

// record says what is left of a set in a record block. A value that HCL can't
// say stays out.
func (c *composer) record(k records.Key, comment string) {
	values := c.rest[k]
	if len(values) == 0 {
		return
	}
	if !c.offer(k, values, cmp.Or(comment, c.alike(k, values[0])), c.recordBlock(k, values)) {
		var good []records.Value
		for _, v := range values {
			if c.fits(passage{text: c.recordBlock(k, []records.Value{v})}) {
				good = append(good, v)
			} else {
				c.note("%s is left alone: a configuration can't declare %s.", k, shorten(v))
			}
		}
		if len(good) > 0 {
			c.offer(k, good, comment, c.recordBlock(k, good))
		}
	}
	delete(c.rest, k)
}

// recordBlock is empty where HCL can't say a value. A name that looks doubled
// is written in full.
func (w *writer) recordBlock(k records.Key, values []records.Value) string {
	if len(values) == 0 || slices.ContainsFunc(values, func(v records.Value) bool { return !hclCanSay(string(v)) }) {
		return ""
	}
	name := k.Name.Relative(w.Domain)
	if records.Name(name).In(w.Domain) {
		name = string(k.Name) + "."
	}
	return hclBlock(fmt.Sprintf("record %s %s", hclString(name), hclString(string(k.Type))), hclAttr("values", hclList(texts(values))), w.ttl(k, values...))
}
