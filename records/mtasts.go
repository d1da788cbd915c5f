package records

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	stsVersion = "STSv1"
	// maxSTSID is the longest id (RFC 8461 3.1).
	maxSTSID = 32
	// derivedSTSID is how many hex digits of a body's digest make an id.
	derivedSTSID = 20
)

// STSRecord is the TXT record that announces a policy (RFC 8461 3.1).
type STSRecord struct {
	ID    string // changes whenever the policy does
	Other []Tag  // extensions, in order and as written
}

// ParseSTSRecord reads the TXT value. The error says why senders ignore it.
func ParseSTSRecord(text string) (STSRecord, error) {
	var r STSRecord
	if !firstTag(text, stsVersion) {
		return r, errors.New(`it is no MTA-STS record: it must begin with "v=STSv1;"`)
	}
	for _, t := range splitTags(text)[1:] {
		switch {
		case t.Name == "":
			return r, fmt.Errorf("%q is not NAME=VALUE", t.Value)
		case t.Name != "id":
			r.Other = append(r.Other, t)
		case r.ID != "":
			return r, errors.New("the id stands in it twice")
		default:
			if err := CheckSTSID(t.Value); err != nil {
				return r, err
			}
			r.ID = t.Value
		}
	}
	if r.ID == "" {
		return r, errors.New("it has no id; write v=STSv1; id=… with up to 32 letters and digits")
	}
	return r, nil
}

// CheckSTSID checks a policy id: 1 to 32 letters and digits (RFC 8461 3.1).
func CheckSTSID(id string) error {
	for i := range len(id) {
		c := id[i] | 0x20
		if (c < 'a' || c > 'z') && (id[i] < '0' || id[i] > '9') {
			return fmt.Errorf("the id %q contains %q; letters and digits are possible", id, id[i])
		}
	}
	if id == "" || len(id) > maxSTSID {
		return fmt.Errorf("the id %q has %d characters; 1 to %d are possible", id, len(id), maxSTSID)
	}
	return nil
}

// Value prints the record.
func (r STSRecord) Value() Value {
	var w tagWriter
	w.add("v", stsVersion)
	w.add("id", r.ID)
	w.addTags(r.Other)
	return Value(w.String())
}

// STSMode says what senders do where the policy doesn't hold (RFC 8461 5).
type STSMode string

// The modes.
const (
	STSNone    STSMode = "none"    // as if there were no policy
	STSTesting STSMode = "testing" // deliver and report
	STSEnforce STSMode = "enforce" // don't deliver
)

// ParseSTSMode reads testing, enforce or none.
func ParseSTSMode(s string) (STSMode, error) {
	switch m := STSMode(s); m {
	case STSNone, STSTesting, STSEnforce:
		return m, nil
	}
	return "", fmt.Errorf("%q is no MTA-STS mode; write testing, enforce or none", s)
}

// MaxSTSAge is the longest max_age in seconds (RFC 8461 3.2), about a year.
const MaxSTSAge int64 = 31557600

// STSPolicy is the policy file (RFC 8461 3.2).
type STSPolicy struct {
	Mode   STSMode
	MX     []string // host names, and *.NAME for one label below NAME
	MaxAge int64    // seconds that senders may keep it
}

// ParseSTSPolicy reads a policy file whose lines end in LF or CRLF. Of a field
// that may stand once the first counts; unknown fields are ignored. The error
// says why senders can't use the file.
func ParseSTSPolicy(body string) (STSPolicy, error) {
	p := stsParser{seen: make(map[string]bool)}
	for i, line := range strings.Split(body, "\n") {
		line = strings.TrimRight(strings.TrimSuffix(line, "\r"), " \t")
		if line == "" {
			continue
		}
		if err := p.line(line); err != nil {
			return STSPolicy{}, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	for _, field := range []string{"version", "mode", "max_age"} {
		if !p.seen[field] {
			return STSPolicy{}, fmt.Errorf("the policy has no %s", field)
		}
	}
	return p.policy, p.policy.Check()
}

type stsParser struct {
	policy STSPolicy
	seen   map[string]bool
}

func (p *stsParser) line(line string) (err error) {
	name, value, found := strings.Cut(line, ":")
	if !found {
		return fmt.Errorf("%q is not NAME: VALUE", line)
	}
	value = strings.TrimLeft(value, " \t")
	if name == "mx" {
		p.policy.MX = append(p.policy.MX, strings.ToLower(value))
		return nil
	}
	if p.seen[name] {
		return nil
	}
	p.seen[name] = true
	switch name {
	case "version":
		if value != stsVersion {
			return fmt.Errorf("the version is %q; it must be %s", value, stsVersion)
		}
	case "mode":
		p.policy.Mode, err = ParseSTSMode(value)
	case "max_age":
		p.policy.MaxAge, err = parseMaxAge(value)
	}
	return err
}

// parseMaxAge reads up to ten digits.
func parseMaxAge(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || len(s) > 10 {
		return 0, fmt.Errorf("max_age %q is no number of seconds", s)
	}
	return int64(n), nil
}

// Check tells why senders couldn't use the policy.
func (p STSPolicy) Check() error {
	if _, err := ParseSTSMode(string(p.Mode)); err != nil {
		return err
	}
	if p.Mode != STSNone && len(p.MX) == 0 {
		return fmt.Errorf("mode %s needs at least one mx", p.Mode)
	}
	for _, pattern := range p.MX {
		if err := checkSTSPattern(pattern); err != nil {
			return err
		}
	}
	if p.MaxAge < 0 || p.MaxAge > MaxSTSAge {
		return fmt.Errorf("max_age is %d; 0 to %d seconds are possible", p.MaxAge, MaxSTSAge)
	}
	return nil
}

// checkSTSPattern checks an mx: a host name, or one whose whole left label is
// "*" (RFC 8461 4.1).
func checkSTSPattern(pattern string) error {
	host := strings.TrimPrefix(pattern, "*.")
	if !isASCII(host) {
		return fmt.Errorf("mx %q must be written with A-labels (xn--…)", pattern)
	}
	n, err := ParseName(host)
	if err != nil {
		return fmt.Errorf("mx %q: %w", pattern, err)
	}
	if strings.Contains(host, "*") || string(n) != strings.ToLower(host) {
		return fmt.Errorf("mx %q: a * may only be the whole first label, and a name ends without a dot", pattern)
	}
	return nil
}

// Body prints the policy file in canonical form, the mx patterns sorted and
// each once, with CRLF at the end of each line.
func (p STSPolicy) Body() string {
	patterns := make([]string, len(p.MX))
	for i, m := range p.MX {
		patterns[i] = strings.ToLower(m)
	}
	slices.Sort(patterns)
	var b strings.Builder
	fmt.Fprintf(&b, "version: %s\r\nmode: %s\r\n", stsVersion, p.Mode)
	for _, m := range slices.Compact(patterns) {
		fmt.Fprintf(&b, "mx: %s\r\n", m)
	}
	fmt.Fprintf(&b, "max_age: %d\r\n", p.MaxAge)
	return b.String()
}

// ID derives a policy id from the body, so that the id changes exactly when
// the policy does.
func (p STSPolicy) ID() string {
	sum := sha256.Sum256([]byte(p.Body()))
	return hex.EncodeToString(sum[:])[:derivedSTSID]
}

// Covers reports whether a mail exchanger matches one of the policy's patterns
// (RFC 8461 4.1).
func (p STSPolicy) Covers(host Name) bool {
	return slices.ContainsFunc(p.MX, func(pattern string) bool { return matchesSTS(pattern, host) })
}

func matchesSTS(pattern string, host Name) bool {
	pattern = string(CanonicalName(pattern))
	if below, found := strings.CutPrefix(pattern, "*."); found {
		return len(host.Labels()) > 1 && string(host.Parent()) == below
	}
	return pattern == string(host)
}

var mtastsKind = kind{
	id:       KindMTASTS,
	title:    "MTA-STS",
	version:  "v=" + stsVersion,
	declared: declaredMTASTS,
	covers:   coversMTASTS,
	owner:    ownerMTASTS,
	reprint:  reprintMTASTS,
	parts:    mtastsParts,
	describe: describeMTASTS,
}

// STSName is where a domain announces its policy (RFC 8461 3.1).
func STSName(domain Name) Name { return Below("_mta-sts", domain) }

// STSHost is the host that serves a domain's policy file (RFC 8461 3.3).
func STSHost(domain Name) Name { return Below("mta-sts", domain) }

func declaredMTASTS(d *Domain) []Declared {
	m := d.MTASTS
	if m == nil {
		return nil
	}
	id := m.ID
	if id == "" {
		id = m.Policy.ID()
	}
	declare := func(name Name, t Type, v Value) Declared {
		return Declared{KindMTASTS, Key{name, t}, v, m.TTL, m.Source}
	}
	out := []Declared{declare(STSName(d.Name), TypeTXT, STSRecord{ID: id}.Value())}
	if m.HostCNAME != "" {
		out = append(out, declare(STSHost(d.Name), TypeCNAME, Value(m.HostCNAME)))
	}
	for _, v := range m.HostA {
		out = append(out, declare(STSHost(d.Name), TypeA, v))
	}
	for _, v := range m.HostAAAA {
		out = append(out, declare(STSHost(d.Name), TypeAAAA, v))
	}
	return out
}

// coversMTASTS covers the host record only where one is declared: otherwise it
// is somebody else's.
func coversMTASTS(d *Domain) []Cover {
	m := d.MTASTS
	if m == nil {
		return nil
	}
	out := []Cover{{KindMTASTS, Key{STSName(d.Name), TypeTXT}, "v=" + stsVersion}}
	if m.HostCNAME == "" && len(m.HostA) == 0 && len(m.HostAAAA) == 0 {
		return out
	}
	for _, t := range []Type{TypeA, TypeAAAA, TypeCNAME} {
		out = append(out, Cover{Kind: KindMTASTS, Key: Key{STSHost(d.Name), t}})
	}
	return out
}

func ownerMTASTS(k Key, _ Value) (Name, bool) {
	if owner, found := strings.CutPrefix(string(k.Name), "mta-sts."); found {
		return Name(owner), k.Type == TypeCNAME || k.Type == TypeA || k.Type == TypeAAAA
	}
	return ownerBelow(k, "_mta-sts")
}

func isSTSRecord(v Value) bool { return hasVersion(v, "v="+stsVersion) }

func reprintMTASTS(v Value) (Value, error) {
	if !isSTSRecord(v) {
		return v, nil
	}
	r, err := ParseSTSRecord(string(v))
	if err != nil {
		return "", err
	}
	return r.Value(), nil
}

func mtastsParts(vs []Value) []string {
	var words []string
	announced := 0
	for _, v := range vs {
		r, err := ParseSTSRecord(string(v))
		switch {
		case !isSTSRecord(v):
			words = append(words, "host="+string(v))
			continue
		case err != nil:
			words = append(words, foldSpace(string(v)))
		default:
			words = append(append(words, "id="+r.ID), tagParts(r.Other)...)
		}
		announced++
	}
	if announced > 1 {
		words = append(words, fmt.Sprintf("records=%d", announced))
	}
	return words
}

func describeMTASTS(before, after []Value) []string {
	gone, added := difference(mtastsParts(before), mtastsParts(after))
	oldID, newID := firstWith(gone, "id="), firstWith(added, "id=")
	switch {
	case len(gone) == 1 && len(added) == 1 && oldID != "" && newID != "":
		return []string{"MTA-STS id " + oldID + " → " + newID + ": senders fetch the policy again"}
	case len(before) == 0 && newID != "":
		return []string{"new MTA-STS record, id " + newID}
	case len(after) == 0 && oldID != "":
		return []string{"MTA-STS record removed, id " + oldID + ": senders keep the policy until its max_age"}
	}
	for _, words := range [][]string{gone, added} {
		for i, w := range words {
			words[i] = strings.Replace(w, "host=", "policy host ", 1)
		}
	}
	return changeLines("", gone, added)
}

// firstWith returns what follows a prefix in the first word that has it.
func firstWith(words []string, prefix string) string {
	for _, w := range words {
		if rest, found := strings.CutPrefix(w, prefix); found {
			return rest
		}
	}
	return ""
}
