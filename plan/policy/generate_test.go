package policy_test

import (
	"fmt"
	"strings"

	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
	"pgregory.net/rapid"
)

// The generators draw zones and declarations from few names and values, so that
// what is declared, live, owned and foreign meets often.

func chance(t *rapid.T, label string, of int) bool { return rapid.IntRange(1, of).Draw(t, label) == 1 }

func pick[T any](t *rapid.T, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(t, label)
}

func some[T any](t *rapid.T, label string, from ...T) []T {
	var out []T
	for i, v := range from {
		if rapid.Bool().Draw(t, fmt.Sprintf("%s %d", label, i)) {
			out = append(out, v)
		}
	}
	return out
}

func anyTTL(t *rapid.T) records.TTL {
	return pick(t, "ttl", records.TTL(60), 300, 301, 1800, 3600, 86400)
}

var spfTerms = []string{"include:a.example", "include:b.example", "include:c.example", "ip4:192.0.2.0/24", "mx"}

// anySPF is a record that a declaration may ask for.
func anySPF(t *rapid.T) string {
	words := append([]string{spf.Version}, some(t, "term", spfTerms...)...)
	if chance(t, "redirect", 8) {
		return strings.Join(append(words, "redirect=r.example"), " ")
	}
	return strings.Join(append(words, pick(t, "all", "~all", "~all", "-all", "?all")), " ")
}

// liveSPF is a record as zones have them.
func liveSPF(t *rapid.T) string {
	text := anySPF(t)
	switch pick(t, "oddity", 0, 0, 0, 1, 2, 3, 4, 5) {
	case 1:
		return strings.Replace(text, "v=spf1", "v=spf1 ip4:1.2.3", 1)
	case 2:
		return strings.Replace(text, "include:", "+include:", 1)
	case 3:
		return strings.Replace(text, "include:", "?include:", 1)
	case 4:
		return strings.Replace(text, "~all", "+all", 1)
	case 5:
		return strings.ReplaceAll(text, " ", "  ")
	}
	return text
}

func anyTarget(t *rapid.T) string {
	words := []string{"v=DMARC1", "p=" + pick(t, "p", "none", "quarantine", "reject")}
	for _, tag := range []string{"sp", "np"} {
		if chance(t, tag, 3) {
			words = append(words, tag+"="+pick(t, tag, "none", "quarantine", "reject"))
		}
	}
	words = append(words, some(t, "tag", "rua=mailto:d@a.example", "adkim=s", "aspf=s", "fo=1")...)
	return strings.Join(words, "; ")
}

func liveDMARC(t *rapid.T) string {
	text := anyTarget(t)
	switch pick(t, "dmarc oddity", 0, 0, 0, 0, 1, 2, 3, 4, 5, 6) {
	case 1:
		return text + "; pct=25"
	case 2:
		return text + "; pct=25; t=y"
	case 3:
		return text + "; t=y"
	case 4:
		return strings.Replace(text, "p=", "p=x", 1)
	case 5:
		return text + "; np=bad"
	case 6:
		return text + "; x=y"
	}
	return text
}

// foreignLines are values of strangers where no declaration covers them.
func foreignLines(t *rapid.T, ttl records.TTL) []string {
	return some(t, "foreign", fmt.Sprintf("@ %d TXT token=1", ttl), fmt.Sprintf("@ %d TXT \xff\x00", ttl),
		"www 3600 A 192.0.2.1", "shop 3600 CNAME shop.example.net", "x 3600 TXT v=spf1 a -all", "old._domainkey 3600 TXT "+string(key3))
}

// anyLive is a zone before maildns.
func anyLive(t *rapid.T) []string {
	apexTTL := anyTTL(t)
	lines := foreignLines(t, apexTTL)
	for range pick(t, "spf records", 0, 1, 1, 1, 2) {
		lines = append(lines, fmt.Sprintf("@ %d TXT %s", apexTTL, liveSPF(t)))
	}
	dmarcTTL := anyTTL(t)
	for range pick(t, "dmarc records", 0, 1, 1, 1, 2) {
		lines = append(lines, fmt.Sprintf("_dmarc %d TXT %s", dmarcTTL, liveDMARC(t)))
	}
	mxTTL := anyTTL(t)
	for _, v := range some(t, "mx", "10 mx.a.example", "20 mx.b.example", "30 mx.c.example") {
		lines = append(lines, fmt.Sprintf("@ %d MX %s", mxTTL, v))
	}
	switch pick(t, "s1", 0, 1, 2, 3) {
	case 1:
		lines = append(lines, fmt.Sprintf("s1._domainkey %d TXT %s", anyTTL(t), pick(t, "key", key1, key2, short, "junk", records.RevokedDKIM)))
	case 2:
		lines = append(lines, fmt.Sprintf("s1._domainkey %d CNAME s1.example.net", anyTTL(t)))
	}
	if chance(t, "tls-rpt", 2) {
		lines = append(lines, fmt.Sprintf("_smtp._tls %d TXT v=TLSRPTv1; rua=mailto:old@a.example", anyTTL(t)))
	}
	return lines
}

// anyDeclaration is a.example's declaration.
func anyDeclaration(t *rapid.T) *records.Domain {
	if chance(t, "parked", 12) {
		return domain(parked)
	}
	var parts []part
	if chance(t, "removed", 12) {
		parts = append(parts, removed)
	}
	if !chance(t, "no spf", 6) {
		parts = append(parts, declareSPF(anySPF(t)))
	}
	if !chance(t, "no dmarc", 6) {
		parts = append(parts, declareDMARC(anyTarget(t)), compat(pick(t, "compat", records.CompatBoth, records.Compat7489, records.Compat9989)))
	}
	switch hosts := some(t, "host", "10 mx.a.example", "20 mx.b.example"); {
	case len(hosts) > 0:
		for _, h := range hosts {
			parts = append(parts, declareMX(records.Value(h)))
		}
	case chance(t, "null mx", 3):
		parts = append(parts, nullMX)
	}
	switch pick(t, "selector", 0, 1, 2, 3) {
	case 1:
		parts = append(parts, declareKey("s1", pick(t, "declared key", key1, key2)))
	case 2:
		parts = append(parts, declareAlias("s1", "s1.example.net"))
	case 3:
		parts = append(parts, func(d *records.Domain) { d.DKIM = []records.DKIM{{Selector: "s1", Revoked: true}} })
	}
	if chance(t, "declared tls-rpt", 2) {
		uri := pick(t, "tls uri", "mailto:old@a.example", "mailto:new@a.example")
		parts = append(parts, func(d *records.Domain) { d.TLSRPT = &records.TLSRPT{RUA: []string{uri}} })
	}
	if chance(t, "sts", 4) {
		parts = append(parts, declareSTS(pick(t, "mode", records.STSTesting, records.STSEnforce), host("sts.example.net")))
	}
	for _, v := range some(t, "record", records.Value("mine=1"), "mine=2") {
		parts = append(parts, declareRecord("@", records.TypeTXT, v))
	}
	for _, v := range some(t, "record below", records.Value("parent=1"), "parent=2") {
		parts = append(parts, declareRecord("sub", records.TypeTXT, v))
	}
	ttl := pick(t, "declared ttl", records.TTL(0), 0, 60, 3600)
	return domain(append(parts, func(d *records.Domain) { d.TTL = ttl })...)
}

// anyGates are gates opened by hand.
func anyGates(t *rapid.T) []string {
	return some(t, "gate", policy.GateNarrow, policy.GateHardFail, policy.GateAdoption, policy.GateRamp, policy.GateDKIMRemoval,
		policy.GateMXCutover, policy.GateMTASTSFile, policy.GateMTASTSRemoval, policy.GateRolledBack)
}

// subLive is what is live at sub.a.example.
func subLive(t *rapid.T) []string {
	ttl := anyTTL(t)
	lines := some(t, "sub foreign", fmt.Sprintf("sub %d TXT token=2", ttl))
	if rapid.Bool().Draw(t, "sub spf") {
		lines = append(lines, fmt.Sprintf("sub %d TXT %s", ttl, liveSPF(t)))
	}
	if rapid.Bool().Draw(t, "sub dmarc") {
		lines = append(lines, fmt.Sprintf("_dmarc.sub %d TXT %s", anyTTL(t), liveDMARC(t)))
	}
	return lines
}

// subDeclaration is the declaration of sub.a.example.
func subDeclaration(t *rapid.T) *records.Domain {
	d := anyDeclaration(t)
	d.Name, d.Free, d.MTASTS = "sub.a.example", nil, nil
	for _, v := range some(t, "sub record", records.Value("mine=1"), "mine=2") {
		declareRecord("@", records.TypeTXT, v)(d)
	}
	return d
}
