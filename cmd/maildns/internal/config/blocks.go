package config

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/records"
)

// Notify is a notify block: who is told of what.
type Notify struct {
	Name   string
	URL    Attribute
	Value  string // of URL; empty where the variable is unset
	On     []Event
	Source records.Source
}

// Event is what a notify block can ask for.
type Event string

// The events.
const (
	EventRollback   Event = "rollback"
	EventApply      Event = "apply"
	EventOverride   Event = "override"
	EventLoosen     Event = "loosen"
	EventHeld       Event = "held"
	EventDrift      Event = "drift"
	EventRegression Event = "regression"
	EventNewSource  Event = "new-source"
	EventReportGap  Event = "report-gap"
	EventSPFChanged Event = "spf-changed"
	EventReview     Event = "review"
)

var events = []string{
	string(EventRollback), string(EventApply), string(EventOverride), string(EventLoosen), string(EventHeld), string(EventDrift),
	string(EventRegression), string(EventNewSource), string(EventReportGap), string(EventSPFChanged), string(EventReview),
}

// ReportSource is a report_source block: where reports fetch looks.
type ReportSource struct {
	Type, Name string
	Values     provider.Values
	Attributes []Attribute
	Source     records.Source
}

// Rollout is a rollout block: the ramp steps of a group of domains, in waves.
type Rollout struct {
	Name   string // of a for_each domain, unless Label is set
	Label  string // "key=value"; empty: none
	Canary []records.Name
	Wait   time.Duration
	PerDay int // 0: no limit
	Source records.Source
}

// notYet warns about a block that is checked and has no effect in this version.
func (s scope) notYet() {
	s.warn(s.rng, RuleNotUsedYet, "Block without effect", "%s blocks are read and checked, but this version doesn't use them yet.", s.kind)
}

func (l *loader) journal(s scope) {
	j := Journal{URL: defaultJournal, Declared: true, Source: source(s.rng)}
	if text, ok := s.line("url"); ok {
		s.checkJournalURL(text)
		j.URL = text
	}
	l.cfg.Journal = j
}

func (s scope) checkJournalURL(text string) {
	r := s.rangeOf("url")
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" {
		s.report(r, "Invalid journal URL", `%q is no URL. Write "file://.maildns" for a directory, or "s3://bucket/prefix?region=eu-west-1" for a team.`, text)
		return
	}
	if u.User != nil {
		s.note(Diagnostic{Severity: Error, Rule: RuleSecretLiteral, Summary: "Credentials in the journal URL", Source: span(r),
			Detail: "Credentials of a bucket come from the environment alone. Take them out, and replace them at their issuer if they were real."})
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		s.report(r, "Invalid journal URL", "The part after ? is not NAME=VALUE&NAME=VALUE.")
	}
	for _, key := range slices.Sorted(maps.Keys(query)) {
		if strings.Contains(strings.ToLower(key), "endpoint") {
			s.report(r, "Endpoint in the journal URL", "The address of a bucket's API comes from the environment alone (AWS_ENDPOINT_URL_S3), so that a pull request can't send credentials elsewhere. Take %s out.", key)
		}
	}
}

func (l *loader) notify(s scope) {
	s.notYet()
	n := Notify{Name: s.label(0), On: []Event{EventRollback}, Source: source(s.rng)}
	a := s.attrs["url"]
	if a == nil {
		s.report(s.rng, "Missing attribute", `%s needs url: write url = env("NAME") for a URL such as slack://TOKEN@CHANNEL.`, s.title())
	} else {
		var values []string
		values, n.URL = l.outside(s, a, false, provider.KindString)
		n.URL.Secret = true
		n.Value = provider.Values{"url": values}.Text("url")
		if a.env == nil && n.Value != "" {
			s.warn(a.rng, RuleSecretLiteral, "Literal notify URL", `The URL of a notice usually holds a secret. Write url = env("NAME").`)
		}
	}
	if s.has("on") {
		n.On = nil
		for _, it := range s.texts("on") {
			if !slices.Contains(events, it.text) {
				s.report(it.rng, "Unknown event", "There is no event %q.%s The events are %s.", it.text, didYouMean(it.text, events), strings.Join(events, ", "))
				continue
			}
			n.On = append(n.On, Event(it.text))
		}
	}
	l.cfg.Notify = append(l.cfg.Notify, n)
}

// reportSourceTypes are the kinds of report_source and their attributes.
var reportSourceTypes = map[string][]provider.Attribute{
	"imap": {
		{Name: "password", Kind: provider.KindString, Required: true, Secret: true, Summary: "of the mailbox"},
		{Name: "url", Kind: provider.KindString, Required: true, Summary: "such as imaps://imap.example.net/DMARC"},
		{Name: "user", Kind: provider.KindString, Required: true, Summary: "of the mailbox"},
	},
	"s3":  {{Name: "url", Kind: provider.KindString, Required: true, Summary: "such as s3://bucket/prefix"}},
	"dir": {{Name: "path", Kind: provider.KindString, Required: true, Path: true, Summary: "of a directory"}},
}

func (l *loader) reportSource(s scope) {
	s.notYet()
	r := ReportSource{Type: s.label(0), Name: s.label(1), Values: provider.Values{}, Source: source(s.rng)}
	schema, known := reportSourceTypes[r.Type]
	if !known {
		s.report(s.rng, "Unknown report source", `There is no report source %q; it must be "imap", "s3" or "dir".`, r.Type)
		return
	}
	t := provider.Type{Name: r.Type, Attributes: schema}
	for _, name := range slices.Sorted(maps.Keys(s.attrs)) {
		a := s.attrs[name]
		attr, ok := t.Attribute(name)
		if !ok {
			s.unknownAttribute(a, attributeNames(t))
			continue
		}
		values, got := l.outside(s, a, attr.Secret, attr.Kind)
		r.Attributes = append(r.Attributes, got)
		if len(values) > 0 {
			r.Values[name] = values
		}
		if name == "url" && a.env == nil {
			s.checkSourceURL(r.Values.Text("url"))
		}
	}
	for _, attr := range schema {
		if attr.Required && s.attrs[attr.Name] == nil {
			s.report(s.rng, "Missing attribute", "A report_source %q needs %s, %s.", r.Type, attr.Name, attr.Summary)
		}
	}
	l.cfg.ReportSources = append(l.cfg.ReportSources, r)
}

func (s scope) checkSourceURL(text string) {
	u, err := url.Parse(text)
	if err != nil || text != "" && u.Scheme == "" {
		s.report(s.rangeOf("url"), "Invalid URL", "%q is no URL.", text)
		return
	}
	if u.User == nil {
		return
	}
	if _, password := u.User.Password(); password {
		s.note(Diagnostic{Severity: Error, Rule: RuleSecretLiteral, Summary: "Secret in the configuration", Source: span(s.rangeOf("url")),
			Detail: `The URL holds a password. Write user and password = env("NAME") as attributes, and replace the password if it was real.`})
	}
}

func (l *loader) rollout(s scope) {
	s.notYet()
	r := Rollout{
		Name:   s.label(0),
		Canary: s.names("canary"),
		Wait:   s.duration("wait", 0),
		PerDay: s.number("per_day", 0, 1, maxDomains),
		Source: source(s.rng),
	}
	if text, ok := s.line("label"); ok {
		if key, _, found := strings.Cut(text, "="); !found || key == "" {
			s.report(s.rangeOf("label"), "Invalid label", `%q must be KEY=VALUE, such as "tier=gold".`, text)
		}
		r.Label = text
	}
	l.cfg.Rollouts = append(l.cfg.Rollouts, r)
}

// settings reads a policy block on top of what holds without it.
func (s scope) settings(base records.Settings) records.Settings {
	out := base
	out.TTLMax = s.policyTTL("ttl_max", base.TTLMax)
	out.TTLRollback = s.policyTTL("ttl_rollback", base.TTLRollback)
	out.TTLChange = s.policyTTL("ttl_change", base.TTLChange)
	out.Soak = s.duration("soak", base.Soak)
	out.Observe = s.duration("observe", base.Observe)
	out.CleanWindow = s.days("clean_window", base.CleanWindow)
	out.MinMessages = s.number("min_messages", base.MinMessages, 0, 1<<31-1)
	out.MaxWindow = s.days("max_window", base.MaxWindow)
	out.MinReporters = s.number("min_reporters", base.MinReporters, 1, 1000)
	out.EvidenceLag = s.duration("evidence_lag", base.EvidenceLag)
	out.EvidenceKeep = s.days("evidence_keep", base.EvidenceKeep)
	out.Propagation = s.duration("propagation", base.Propagation)
	out.Clean = records.Clean(s.oneOf("clean", string(base.Clean), string(records.CleanOwn), string(records.CleanLiteral)))
	out.MaxDelete = s.share("max_delete", base.MaxDelete)
	out.RateShare = s.share("rate_share", base.RateShare)
	if s.has("trusted_authserv") {
		out.TrustedAuthserv = s.strings("trusted_authserv")
	}
	s.checkSettings(out)
	return out
}

func (s scope) policyTTL(name string, absent records.TTL) records.TTL {
	ttl := s.ttl(name)
	switch ttl {
	case 0:
		return absent
	case records.AutoTTL:
		s.report(s.rangeOf(name), "Invalid TTL", "%s must be a duration or seconds.", name)
		return absent
	}
	return ttl
}

// days reads a duration that counts whole days.
func (s scope) days(name string, absent time.Duration) time.Duration {
	d := s.duration(name, absent)
	if d < 24*time.Hour || d%(24*time.Hour) != 0 {
		s.report(s.rangeOf(name), "Invalid duration", `%s counts whole days: write at least "1d".`, name)
		return absent
	}
	return d
}

// checkSettings refuses values that contradict each other.
func (s scope) checkSettings(v records.Settings) {
	if v.MaxWindow < v.CleanWindow {
		s.report(s.rangeOf("max_window"), "Window too short", "max_window must not be shorter than clean_window.")
	}
	if v.TTLChange > v.TTLMax {
		s.report(s.rangeOf("ttl_change"), "TTL too long", "ttl_change must not be longer than ttl_max.")
	}
	if v.RateShare == 0 {
		s.report(s.rangeOf("rate_share"), "Invalid share", "rate_share must be more than 0, or no request could be made.")
	}
}

func (s scope) knownSource(now time.Time) records.KnownSource {
	s.notYet()
	k := records.KnownSource{
		Name:   s.label(0),
		Domain: s.name("domain"),
		As:     s.oneOf("as", "", "declined", "forwarder", "spoof"),
		Reason: s.required("reason"),
		Until:  s.date("until", true),
		Source: source(s.rng),
	}
	if text, ok := s.line("ip"); ok {
		k.IP = s.prefix("ip", text)
	}
	if (s.attrs["domain"] == nil) == (s.attrs["ip"] == nil) {
		s.report(s.rng, "Which source?", "%s needs either domain or ip.", s.title())
	}
	for _, name := range []string{"as", "until"} {
		if s.attrs[name] == nil {
			s.report(s.rng, "Missing attribute", "%s needs %s.", s.title(), name)
		}
	}
	if !k.Until.IsZero() && k.Until.Before(now) {
		s.warn(s.rangeOf("until"), "", "Expired", "%s ended on %s and decides nothing any more. Renew it or delete it.", s.title(), k.Until.Format(time.DateOnly))
	}
	return k
}

// prefix reads an address or a network and returns it in CIDR form.
func (s scope) prefix(name, text string) string {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()).String()
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		s.report(s.rangeOf(name), "Invalid address", `%q is no address or network; write one such as "198.51.100.0/24".`, text)
		return ""
	}
	return p.Masked().String()
}

// override reads an override block. One that has expired opens nothing.
func (s scope) override(now time.Time) (records.Override, bool) {
	o := records.Override{Gate: s.label(0), Reason: s.required("reason"), Until: s.until(), Source: source(s.rng)}
	if !policy.KnownGate(o.Gate) {
		s.report(s.rng, "Unknown gate", "There is no gate %q.%s The gates are %s.", o.Gate, didYouMean(o.Gate, gateNames()), strings.Join(gateNames(), ", "))
		return o, false
	}
	if o.Until.IsZero() || now.IsZero() {
		return o, !o.Until.IsZero()
	}
	if o.Until.Before(now) {
		s.warn(s.rangeOf("until"), "", "Override has expired", "It ended on %s and opens nothing any more. Delete the block, or renew it after review.", o.Until.Format(time.DateOnly))
		return o, false
	}
	if latest := now.Truncate(24*time.Hour).AddDate(0, 0, maxOverrideDays+1); !o.Until.Before(latest) {
		s.report(s.rangeOf("until"), "Override lasts too long", "An override may end at most %d days ahead: today that is %s.", maxOverrideDays, latest.Add(-time.Second).Format(time.DateOnly))
		return o, false
	}
	return o, true
}

func gateNames() []string {
	var names []string
	for _, g := range policy.Gates() {
		names = append(names, g.ID)
	}
	return names
}

func ruleNames() []string {
	var names []string
	for _, r := range policy.Rules() {
		names = append(names, r.ID)
	}
	return names
}

const maxOverrideDays = 7

// until reads a date that must be there.
func (s scope) until() time.Time {
	if s.attrs["until"] == nil {
		s.report(s.rng, "Missing attribute", `%s needs until, a date such as "2026-12-31".`, s.title())
	}
	return s.date("until", true)
}

// exception reads an exception block. An expired one is an error: what it hid
// must be looked at again.
func (s scope) exception(now time.Time) records.Exception {
	e := records.Exception{Rule: s.label(0), Reason: s.required("reason"), Until: s.until(), Source: source(s.rng)}
	if r, ok := policy.LookupRule(e.Rule); !ok {
		s.report(s.rng, "Unknown rule", "There is no rule %q.%s See maildns rules.", e.Rule, didYouMean(e.Rule, ruleNames()))
	} else if r.OnlyReads() {
		s.report(s.rng, "Rule can't be set aside", "What %s finds can't be published at all, so there is nothing to set aside. Delete the block.", e.Rule)
	}
	if !e.Until.IsZero() && e.Until.Before(now) {
		s.report(s.rangeOf("until"), "Exception has expired", "It ended on %s. Mend what %s is about and delete the block, or renew it with a new date.", e.Until.Format(time.DateOnly), fmt.Sprintf("%q", e.Rule))
	}
	return e
}
