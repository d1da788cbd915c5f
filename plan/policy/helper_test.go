package policy_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

const apex records.Name = "a.example"

// noon is the present of every test that doesn't move the clock.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(now time.Time) plan.Clock { return plan.Clock{Now: now} }

func ago(d time.Duration) plan.Moment { return plan.Moment{At: noon.Add(-d)} }

const day = 24 * time.Hour

// zone reads lines such as "@ 3600 TXT v=spf1 -all": a name below a.example, a
// TTL, a type, and the value as it is.
func zone(t testing.TB, lines ...string) records.Zone {
	t.Helper()
	values := map[records.Key][]records.Value{}
	ttls := map[records.Key]records.TTL{}
	for _, line := range lines {
		f := strings.SplitN(line, " ", 4)
		ttl, err := strconv.ParseUint(f[1], 10, 32)
		if err != nil || len(f) != 4 {
			t.Fatalf("bad line %q", line)
		}
		k := key(f[0], records.Type(f[2]))
		values[k] = append(values[k], records.Value(f[3]))
		ttls[k] = records.TTL(ttl)
	}
	var sets []records.RRset
	for k, vs := range values {
		sets = append(sets, records.NewRRset(k, ttls[k], vs...))
	}
	return records.NewZone(apex, 900, sets...)
}

func key(relative string, typ records.Type) records.Key {
	return records.Key{Name: records.Below(relative, apex), Type: typ}
}

// domain is a.example with the given parts.
func domain(parts ...func(*records.Domain)) *records.Domain {
	d := &records.Domain{
		Name: apex, Zone: apex, Provider: records.ProviderRef{Type: "zonefile", Name: "local"},
		Settings: records.DefaultSettings(), Source: records.Source{File: "mail.hcl", Line: 1, Column: 1}, Digest: "sha256:1",
	}
	for _, p := range parts {
		p(d)
	}
	return d
}

type part = func(*records.Domain)

func declareSPF(text string) part {
	r, err := spf.Parse(text)
	if err != nil {
		panic(err)
	}
	return func(d *records.Domain) {
		d.SPF = &records.SPF{Record: r, Source: records.Source{File: "mail.hcl", Line: 2, Column: 3}}
	}
}

// declareDMARC declares the target in text, with the given steps or the default ones.
func declareDMARC(text string, steps ...string) part {
	r, err := records.ParseDMARC(text)
	if err != nil {
		panic(err)
	}
	if len(steps) == 0 {
		steps = []string{"none", "quarantine 25", "quarantine 50", "quarantine 100", "reject"}
	}
	return func(d *records.Domain) {
		d.DMARC = &records.DMARC{Record: r, Compat: records.CompatBoth, Source: records.Source{File: "mail.hcl", Line: 9, Column: 3}}
		for _, s := range steps {
			step, err := records.ParseDMARCStep(s)
			if err != nil {
				panic(err)
			}
			d.DMARC.Steps = append(d.DMARC.Steps, step)
		}
	}
}

func compat(c records.Compat) part {
	return func(d *records.Domain) { d.DMARC.Compat = c }
}

func declareMX(values ...records.Value) part {
	return func(d *records.Domain) {
		for _, v := range values {
			m, err := records.ParseMX(v)
			if err != nil {
				panic(err)
			}
			d.MX = append(d.MX, m)
		}
	}
}

func declareRecord(relative string, typ records.Type, values ...records.Value) part {
	return func(d *records.Domain) {
		k := records.Key{Name: records.Below(relative, d.Name), Type: typ}
		d.Free = append(d.Free, records.Free{Key: k, Values: values})
	}
}

func declareKey(selector string, v records.Value) part {
	k, err := records.ParseDKIM(v)
	if err != nil {
		panic(err)
	}
	return func(d *records.Domain) { d.DKIM = append(d.DKIM, records.DKIM{Selector: selector, Key: &k}) }
}

func declareAlias(selector string, target records.Name) part {
	return func(d *records.Domain) { d.DKIM = append(d.DKIM, records.DKIM{Selector: selector, CNAME: target}) }
}

func nullMX(d *records.Domain)  { d.NullMX = &records.Source{File: "mail.hcl", Line: 4, Column: 3} }
func parked(d *records.Domain)  { d.Parked = true }
func removed(d *records.Domain) { d.Removed = true }

// Three keys that verify, and one that is too short to (RFC 8301 3.2).
const (
	key1  records.Value = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	key2  records.Value = "v=DKIM1; k=ed25519; p=PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
	key3  records.Value = "v=DKIM1; k=ed25519; p=/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU="
	short records.Value = "v=DKIM1; k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALvRE+oGMTnUYEJ0ZIFLYIw7PWyZ3c8sxHcQ5EN5Tru8+TfJ9mJDwxmVPlVdEGLCFvkvjSQ4B0GFqXPzbzAyQH8CAwEAAQ=="
)

// own makes values that are live in the zone the domain's: "spf @ TXT" for all
// of a set, or "spf @ TXT v=spf1 …" for one value.
func own(t testing.TB, z records.Zone, d records.Name, list ...string) []plan.Owned {
	t.Helper()
	var out []plan.Owned
	for _, line := range list {
		f := strings.SplitN(line, " ", 4)
		k := key(f[1], records.Type(f[2]))
		set, ok := z.Set(k)
		if !ok {
			t.Fatalf("%s is not live", k)
		}
		for _, v := range set.Values {
			if len(f) < 4 || string(v) == f[3] {
				out = append(out, plan.Owned{Domain: d, Kind: records.Kind(f[0]), Name: k.Name, Type: k.Type, Value: v})
			}
		}
	}
	return out
}

// applied is the state of a domain that was applied long ago: what it owns, and
// that it has declared all that was found.
func applied(t testing.TB, z records.Zone, d *records.Domain, owned ...string) plan.State {
	t.Helper()
	return plan.State{
		Seq: 1, At: ago(30 * day), Owned: own(t, z, d.Name, owned...), Live: z.Sets(),
		Domains: []plan.DomainState{{Domain: d.Name, Applied: ago(30 * day), Policy: "p=none", Since: ago(30 * day)}},
	}
}

func open(gates ...string) []plan.Override {
	var out []plan.Override
	for _, g := range gates {
		out = append(out, plan.Override{Gate: g, Reason: "because", Until: noon.Add(day)})
	}
	return out
}

// split asks Limit and shows its answer, a line for each value of today and
// each change that is held or was let through.
func split(in policy.Input) string {
	if in.Past == nil {
		in.Past = plan.State{}.Index()
	}
	if in.Clock.Now.IsZero() {
		in.Clock = at(noon)
	}
	today := policy.Limit(in)
	var lines []string
	for _, v := range today.Values {
		lines = append(lines, fmt.Sprintf("today %s: %s", where(v.Key), v.Value))
	}
	for _, h := range today.Held {
		lines = append(lines, gated(h))
	}
	for _, h := range today.Passed {
		lines = append(lines, gated(h))
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

func where(k records.Key) string { return k.Name.Relative(apex) + " " + string(k.Type) }

func gated(g plan.Gated) string {
	var words []string
	for _, v := range g.Gates {
		words = append(words, fmt.Sprintf("%s %s", v.ID, v.Verdict))
	}
	after := make([]string, len(g.After))
	for i, v := range g.After {
		after[i] = string(v)
	}
	if len(after) == 0 {
		after = []string{"nothing"}
	}
	return fmt.Sprintf("%s %s: %s", strings.Join(words, ", "), where(g.Key), strings.Join(after, " | "))
}

// lines joins what split is expected to show, in its order.
func lines(want ...string) string {
	slices.Sort(want)
	return strings.Join(want, "\n")
}

// planned plans a zone of one domain.
func planned(live records.Zone, state plan.State, now time.Time, open []plan.Override, d *records.Domain, more ...*records.Domain) policy.ZonePlan {
	in := policy.ZoneInput{
		Live: live, Past: state.Index(), Journal: plan.JournalRead, Clock: at(now),
		Domains: append([]*records.Domain{d}, more...), Host: policy.Host{Limits: records.Limits{Transactional: true}}, Source: plan.LiveProvider,
	}
	if len(open) > 0 {
		in.Open = map[records.Name][]plan.Override{d.Name: open}
	}
	return policy.PlanZone(in)
}

// show prints the changes of a domain: state, step, set, TTL and values.
func show(d plan.Domain) string {
	var lines []string
	for _, c := range d.Changes {
		line := fmt.Sprintf("%s %s %s: %s", c.State, c.Step, where(c.Key()), contents(c.After))
		if len(c.Gates) > 0 {
			var ids []string
			for _, g := range c.Gates {
				ids = append(ids, g.ID)
			}
			line += " (" + strings.Join(ids, ", ") + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func contents(s *plan.Set) string {
	if s == nil {
		return "nothing"
	}
	words := make([]string, len(s.Values))
	for i, v := range s.Values {
		words[i] = string(v)
	}
	return fmt.Sprintf("%d %s", s.TTL, strings.Join(words, " | "))
}

func networkSet(prefixes ...string) spf.AddressSet {
	var out []netip.Prefix
	for _, p := range prefixes {
		out = append(out, netip.MustParsePrefix(p))
	}
	return spf.SetOf(out...)
}

func networkPrefix(p string) netip.Prefix { return netip.MustParsePrefix(p) }
