package policy

import (
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// splitMX adds declared hosts at once and keeps live ones until their gate
// lets them go. A null MX (RFC 7505) stands alone, so it waits for all.
func splitMX(c *court) *verdict {
	leaving := c.leavingMX()
	if len(leaving) == 0 {
		return c.all()
	}
	v := &verdict{today: c.all().today}
	gates := map[string]plan.GateVerdict{}
	for _, gate := range []string{GateAdoption, GateMXCutover, GateReturnPath} {
		hosts := leaving[gate]
		if len(hosts) == 0 {
			continue
		}
		g := c.askMX(gate, hosts)
		gates[gate] = g
		if !g.Opens() {
			v.today = append(v.today, c.keep(hosts...)...)
		}
	}
	if len(v.today) > len(c.want) && c.wantsNull() {
		v.today = c.keep(c.live...)
	}
	for gate, g := range gates {
		if g.Opens() {
			v.passed = append(v.passed, c.gatedMX(v.today, g))
			continue
		}
		v.held = append(v.held, c.gatedMX(c.withoutMX(v.today, leaving[gate]), g))
	}
	sortGated(v.held)
	sortGated(v.passed)
	return v
}

// askMX asks a gate about hosts that leave. Nobody can open it for the last MX
// of a domain whose declaration doesn't say that this is meant.
func (c *court) askMX(gate string, hosts []held) plan.GateVerdict {
	live, _ := c.Live.Set(hosts[0].key)
	if last := len(c.want) == 0 && len(live.Values) == len(c.live); last && c.name == c.Domain.Name && !c.Domain.Removed {
		return c.judgement(gate, hosts[0].key, hostList(hosts))
	}
	return c.ask(gate, hosts[0].key, hostList(hosts))
}

func (c *court) gatedMX(to []records.Declared, g plan.GateVerdict) plan.Gated {
	key := records.Key{Name: c.name, Type: records.TypeMX}
	return plan.Gated{Kind: c.kind, Key: key, After: valuesAt(to, key), Gates: []plan.GateVerdict{g}}
}

// withoutMX is today's set when the given hosts have gone: what is declared
// alone where nothing else stays.
func (c *court) withoutMX(today []records.Declared, hosts []held) []records.Declared {
	rest := slices.DeleteFunc(slices.Clone(today), func(d records.Declared) bool {
		return slices.ContainsFunc(hosts, func(h held) bool { return h.value == d.Value })
	})
	if c.wantsNull() && len(rest) == 0 {
		return c.want
	}
	return rest
}

func sortGated(list []plan.Gated) {
	slices.SortFunc(list, func(a, b plan.Gated) int { return strings.Compare(a.Gates[0].ID, b.Gates[0].ID) })
}

// leavingMX finds the live hosts that the declaration withdraws, by gate. A
// change of preference withdraws nothing, and a null MX has no host.
func (c *court) leavingMX() map[string][]held {
	out := map[string][]held{}
	for _, h := range c.live {
		mx, err := records.ParseMX(h.value)
		if err != nil || mx.Null() || c.wantsHost(mx.Host) {
			continue
		}
		gate := GateMXCutover
		switch {
		case c.name != c.Domain.Name && c.isReturnPath(h.key):
			gate = GateReturnPath
		case c.name == c.Domain.Name && c.protects("mx:"+string(mx.Host)):
			gate = GateAdoption
		}
		out[gate] = append(out[gate], h)
	}
	return out
}

func (c *court) wantsHost(host records.Name) bool {
	return slices.ContainsFunc(c.want, func(d records.Declared) bool {
		mx, err := records.ParseMX(d.Value)
		return err == nil && mx.Host == host
	})
}

func (c *court) wantsNull() bool {
	return len(c.want) == 1 && c.want[0].Value == records.NullMX
}

func hostList(hosts []held) string {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = "MX " + string(h.value)
	}
	return strings.Join(names, ", ")
}

// splitDKIM replaces a value that verifies nothing at once; one that does has to
// ask before it goes or changes.
func splitDKIM(c *court) *verdict {
	if !slices.ContainsFunc(c.live, c.loses) {
		return c.all()
	}
	return c.whole(c.ask(GateDKIMRemoval, records.Key{Name: c.name, Type: c.liveType()}, "the selector at "+string(c.name)))
}

// loses reports whether a live value that is good for something is not declared,
// in these or in other words.
func (c *court) loses(h held) bool {
	said := func(v records.Value) []string { return records.Parts(c.kind, []records.Value{v}) }
	return !slices.ContainsFunc(c.want, func(d records.Declared) bool {
		return d.Key == h.key && (d.Value == h.value || slices.Equal(said(d.Value), said(h.value)))
	}) && plan.Usable(c.kind, h.key.Type, h.value)
}

func (c *court) liveType() records.Type {
	if len(c.live) == 0 {
		return records.TypeTXT
	}
	return c.live[0].key.Type
}

// sameParts reports whether live and declared values say the same in other
// words.
func (c *court) sameParts() bool {
	for _, key := range c.keys() {
		live := records.Parts(c.kind, c.values(key))
		if !slices.Equal(live, records.Parts(c.kind, valuesAt(c.want, key))) {
			return false
		}
	}
	return true
}

// splitMTASTS publishes the host record at once, the TXT when the policy file
// that it stands for is served, and enforce only behind a clean testing time
// (RFC 8461 8.1: the body first).
func splitMTASTS(c *court) *verdict {
	key := records.Key{Name: c.name, Type: records.TypeTXT}
	switch {
	case len(c.live) == 0 && len(c.want) == 0:
		return &verdict{}
	case len(c.want) == 0:
		return c.whole(c.ask(GateMTASTSRemoval, c.live[0].key, string(c.name)))
	case c.name != records.Below("_mta-sts", c.Domain.Name):
		return c.all()
	case slices.Equal(c.values(key), valuesAt(c.want, key)):
		return c.all()
	}
	return c.splitPolicy(key)
}

func (c *court) splitPolicy(key records.Key) *verdict {
	if d := c.Domain.MTASTS; d == nil || d.Policy.Mode != records.STSEnforce {
		return c.whole(c.ask(GateMTASTSFile, key, "the MTA-STS id"))
	}
	if g := c.ask(GateMTASTSEnforce, key, "enforce"); !g.Opens() {
		v := c.toTesting(key)
		v.held = append(v.held, c.gated(c.want, g)...)
		return v
	}
	return c.whole(c.ask(GateMTASTSFile, key, "the MTA-STS id"))
}

// toTesting splits the slot as if testing were declared.
func (c *court) toTesting(key records.Key) *verdict {
	testing := *c.slot
	testing.want = slices.Clone(c.want)
	testing.want[0].Value = stsValue(c.Domain.MTASTS, records.STSTesting)
	t := *c
	t.slot = &testing
	return t.whole(t.ask(GateMTASTSFile, key, "the MTA-STS id"))
}

// stsValue announces the declared policy with the given mode.
func stsValue(d *records.MTASTS, mode records.STSMode) records.Value {
	policy := d.Policy
	policy.Mode = mode
	id := d.ID
	if id == "" {
		id = policy.ID()
	}
	return records.STSRecord{ID: id}.Value()
}

// splitBIMI publishes a logo only beside an enforced DMARC policy.
func splitBIMI(c *court) *verdict {
	if len(c.want) == 0 || c.sameParts() {
		return c.all()
	}
	return c.whole(c.ask(GateBIMI, c.want[0].Key, "BIMI"))
}

// parked splits a parked domain's mail records: at once where the live domain
// neither receives nor sends, else all of them behind adoption, whoever
// published what is in use.
func (c *court) parked() *verdict {
	if !c.Domain.Parked || c.kind == records.KindRecord {
		return nil
	}
	if reason := c.inUse(); reason != "" {
		return c.whole(c.ask(GateAdoption, records.Key{Name: c.name, Type: c.wantType()}, reason))
	}
	return c.all()
}

func (c *court) wantType() records.Type {
	if len(c.want) == 0 {
		return c.liveType()
	}
	return c.want[0].Key.Type
}

// inUse says what in the live zone shows that the domain sends or receives.
func (c *court) inUse() string {
	var found []string
	mx, _ := c.Live.Set(records.Key{Name: c.Domain.Name, Type: records.TypeMX})
	for _, v := range mx.Values {
		if v != records.NullMX {
			found = append(found, "MX "+string(v))
		}
	}
	txt, _ := c.Live.Set(records.Key{Name: c.Domain.Name, Type: records.TypeTXT})
	for _, v := range txt.Values {
		found = append(found, passTerms(v)...)
	}
	return strings.Join(found, ", ")
}

// external holds every change of a domain whose zone its owner edits. No
// override opens it: there is nothing that could be written to.
func (c *court) external(v *verdict) {
	if c.Domain.Provider.Type != "external" {
		return
	}
	changes := c.gated(v.today, c.judgement(GateExternal, records.Key{Name: c.name, Type: c.wantType()}, ""))
	if len(changes) == 0 {
		return
	}
	*v = verdict{today: c.keep(c.live...), held: changes}
}
