package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// Host is the DNS host of a zone, as far as a plan must know it.
type Host struct {
	records.Limits
	// Together reports whether the host makes these changes in one step; nil:
	// all that there are, where it is Transactional.
	Together func([]records.Change) bool
}

func (h *Host) together(changes []records.Change) bool {
	return h.Transactional && (h.Together == nil || h.Together(changes))
}

// Ours tells which values are ours at a host that stores a TTL with each value:
// those that are owned, and those that the domains declare or cover.
func Ours(past *plan.Past, domains []*records.Domain) func(records.Key, records.Value) bool {
	w := saidBy(nil, domains)
	return func(k records.Key, v records.Value) bool {
		_, owned := past.Owner(k, v)
		return owned || w.has(k, v)
	}
}

// Focus makes the TTL of each set that of the values which are ours, where the
// host stores one with each value.
func Focus(zone records.Zone, ours func(records.Key, records.Value) bool) records.Zone {
	var seen []records.RRset
	for s := range zone.All() {
		if len(s.TTLs) > 0 {
			seen = append(seen, s.Focus(func(v records.Value) bool { return ours(s.Key, v) }))
		}
	}
	if len(seen) == 0 {
		return zone
	}
	return zone.With(seen...)
}

// stop holds all of a domain that an error stops, with the rules as gates: no
// apply makes any of it, so nothing of it is ready or waits for time.
func stop(d *plan.Domain) {
	if !Stopped(*d) {
		return
	}
	var gates []plan.GateVerdict
	for _, f := range d.Findings {
		if Stops(f) && !slices.ContainsFunc(gates, func(g plan.GateVerdict) bool { return g.ID == f.Rule }) {
			gates = append(gates, plan.GateVerdict{ID: f.Rule, Verdict: plan.VerdictNo, Reason: f.Message, Needs: f.Fix})
		}
	}
	for i := range d.Changes {
		if c := &d.Changes[i]; c.State != plan.Held {
			c.State, c.NotBefore = plan.Held, nil
			c.Gates = slices.Concat(c.Gates, gates)
		}
	}
}

// transactional reports whether what can be made of the zone now is made in one
// step.
func transactional(in *ZoneInput, domains []plan.Domain) bool {
	var now []records.Change
	for _, d := range domains {
		for _, c := range d.Changes {
			if c.State == plan.Ready {
				now = append(now, writes(in.Live, c))
			}
		}
	}
	slices.SortFunc(now, func(a, b records.Change) int { return a.Compare(b.Key) })
	return in.Host.together(now)
}

// grouped are the changes of a group, as they are written.
func (s *Subject) grouped(group string) []records.Change {
	var out []records.Change
	for _, c := range s.Changes {
		if c.Group != nil && *c.Group == group {
			out = append(out, writes(s.Live, c))
		}
	}
	slices.SortFunc(out, func(a, b records.Change) int { return a.Compare(b.Key) })
	return out
}

// The rules about hosts that rollback warns of too.
const (
	RuleNotDelegated = "dns-not-delegated" // resolvers look for the zone elsewhere
	RuleMinimum      = "dns-ttl-minimum"   // the host can't store so short a TTL
)

// How the rules of this file are mended.
const (
	delegationFix = "give the domain the provider that serves the zone, or delegate the zone to the name servers that it names; where it is meant so, set the rule aside in an exception block"
	limitsFix     = "declare what this host can hold, or move the zone to one that holds it"
)

// hostRules are about what the zone's host can do, and whether it is asked.
var hostRules = []Rule{
	{
		ID: RuleNotDelegated, Severity: plan.SeverityError, Needs: NeedsDNS, RFC: "1034 4.2.1",
		Finds: "a zone that is delegated to other name servers than it names",
		Why:   "Nobody asks the host that would be written to: changes there have no effect, and what is live is elsewhere. apply refuses the zone, rollback warns.",
		Fix:   delegationFix,
		check: checkDelegation,
		ask:   askDelegation,
	},
	{
		ID: "dns-host-limits", Severity: plan.SeverityError, Needs: NeedsZone, RFC: "",
		Finds: "a record set that the zone's host can't hold",
		Why:   "The host would refuse the write, or store something else.",
		Fix:   limitsFix,
		check: checkLimits,
	},
	{
		ID: RuleMinimum, Severity: plan.SeverityWarning, Needs: NeedsZone, RFC: "",
		Finds: "a change at a host that can't store a TTL as short as ttl_change",
		Why:   "No TTL is lowered before the change, and a mistake lives as long as the host's shortest TTL.",
		Fix:   "say so in the domain: policy { ttl_change = … } with the host's shortest TTL",
		check: checkMinimum,
	},
}

// delegation asks which name servers a domain's zone is delegated to. Resolvers
// follow the parent's delegation and answer with what they find behind it.
func delegation(d *records.Domain) Question { return Question{Name: d.Zone, Type: records.TypeNS} }

// askDelegation asks nothing where the zone names no servers of its own.
func askDelegation(v *view) []Question {
	if _, named := v.Live.Set(records.Key{Name: v.Domain.Zone, Type: records.TypeNS}); !named {
		return nil
	}
	return []Question{delegation(v.Domain)}
}

func checkDelegation(s *Subject) []plan.Finding {
	named, _ := s.Live.Set(records.Key{Name: s.Domain.Zone, Type: records.TypeNS})
	asked := s.Known.DNS[delegation(s.Domain)]
	if len(asked.Aliases) > 0 || !Undelegated(s.Domain.Zone, named.Values, asked.Values) {
		return nil
	}
	return []plan.Finding{s.finding(plan.SeverityError, plan.AboutLive, s.Domain.Source, delegationFix, "%s", NotDelegated(s.Domain.Zone, s.Domain.Provider, named.Values, asked.Values))}
}

// NotDelegated says in a sentence what is wrong with a zone of which Undelegated
// is true.
func NotDelegated(zone records.Name, provider records.ProviderRef, named, asked []records.Value) string {
	return fmt.Sprintf("the zone %s names the servers %s, and resolvers find %s: nobody would see what is written at %s",
		zone, printable(named), printable(asked), provider)
}

// Undelegated reports whether a zone's name servers, as it names them and as
// resolvers find them, have nothing in common. Where one side isn't known that
// isn't proven, and neither is it for a zone that names servers which can't be:
// it is a rehearsal.
func Undelegated(zone records.Name, named, asked []records.Value) bool {
	if len(named) == 0 || len(asked) == 0 {
		return false
	}
	for _, v := range named {
		if slices.Contains(asked, v) || reserved(records.Name(v)) && !reserved(zone) {
			return false
		}
	}
	return true
}

// reserved reports whether a name is one that the public DNS never has
// (RFC 6761 6).
func reserved(n records.Name) bool {
	return slices.ContainsFunc([]records.Name{"example", "test", "invalid", "localhost"}, n.In)
}

func checkLimits(s *Subject) []plan.Finding {
	var out []plan.Finding
	for _, c := range s.Changes {
		after := writes(s.Live, c).After
		if after == nil {
			continue
		}
		err := s.Host.Check(*after)
		if err == nil {
			continue
		}
		severity := plan.SeverityError
		if c.State == plan.Held {
			severity = plan.SeverityWarning // it isn't written yet
		}
		message, fix, found := strings.Cut(strings.TrimPrefix(err.Error(), after.Key.String()+": "), ": ")
		if !found {
			fix = limitsFix
		}
		out = append(out, s.finding(severity, plan.AboutDeclared, s.keySource(c.Key(), c.Kind), fix, "%s: %s", after.Key, message))
	}
	return slices.CompactFunc(out, func(a, b plan.Finding) bool { return a.Message == b.Message })
}

// keySource is where the declaration has a record set, or else its kind.
func (s *Subject) keySource(key records.Key, kind records.Kind) records.Source {
	for _, d := range s.Today.Declared {
		if d.Key == key {
			return d.Source
		}
	}
	return s.kindSource(kind)
}

func checkMinimum(s *Subject) []plan.Finding {
	wanted := s.Domain.Settings.TTLChange
	stored := s.Host.StoredTTL(wanted)
	changes := slices.ContainsFunc(s.Changes, func(c plan.Change) bool {
		return c.State != plan.Held && c.Step == plan.StepChange && c.After != nil
	})
	if stored == wanted || !changes {
		return nil
	}
	return []plan.Finding{s.finding(plan.SeverityWarning, plan.AboutDeclared, s.Domain.Source,
		fmt.Sprintf("say so in the domain: policy { ttl_change = %d }", stored),
		"%s stores no TTL below %d s, and ttl_change is %d s: no TTL is lowered first, and a mistake would live %d s",
		s.Domain.Provider, stored, wanted, stored)}
}
