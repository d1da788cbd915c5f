package render

import (
	"fmt"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// byHand writes a plan for a person to carry out where the program can't: a
// fragment of a zone file, then the same as steps for a dashboard. Lines are to
// be copied, so none is wrapped or shortened.
func (p *printer) byHand(r *ByHand) {
	p.notes(p.Notes)
	found := false
	for i := range r.Domains {
		d := &r.Domains[i]
		if sets := writable(d); len(sets) > 0 {
			found = true
			p.fragment(d, sets)
			p.steps(d, sets)
		}
	}
	if !found {
		p.line("There is nothing to do by hand.")
	}
}

// writable lists the changes that are made now.
func writable(d *plan.Domain) []*plan.Change {
	var out []*plan.Change
	for i := range d.Changes {
		if c := &d.Changes[i]; c.State == plan.Ready {
			out = append(out, c)
		}
	}
	return out
}

// fragment writes record sets in the master file format (RFC 1035 5.1).
func (p *printer) fragment(d *plan.Domain, sets []*plan.Change) {
	p.line(clean(fmt.Sprintf("; %s: these record sets take the place of those in zone %s", d.Name, d.Zone)))
	for _, f := range bySeverity(d.Findings) {
		p.line(clean(fmt.Sprintf("; %s: %s", f.Severity, f.Message)))
	}
	for _, c := range sets {
		if c.After == nil || len(c.After.Values) == 0 {
			p.line(clean(fmt.Sprintf("; to be removed: %s. %s", c.Name, c.Type)))
			continue
		}
		for _, v := range c.After.Values {
			p.line(clean(fmt.Sprintf("%s.%s IN %s %s", c.Name, masterTTL(c, v), c.Type, records.MasterData(c.Type, v))))
		}
	}
	p.line("")
}

// masterTTL is a value's TTL as a zone file has it: nothing where the host
// chooses it.
func masterTTL(c *plan.Change, v records.Value) string {
	ttl := c.After.TTL
	if foreign, ok := c.Foreign[v]; ok {
		ttl = foreign
	}
	if ttl == records.AutoTTL {
		return ""
	}
	return " " + seconds(ttl)
}

// steps writes record sets as what to do in a DNS host's dashboard.
func (p *printer) steps(d *plan.Domain, sets []*plan.Change) {
	p.line(p.Palette.Strong.On(clean(fmt.Sprintf("In the dashboard of zone %s:", d.Zone))))
	for i, c := range sets {
		p.line(clean(fmt.Sprintf("%3d. %s  type %s  (name field: %s)", i+1, c.Name, c.Type, c.Name.Relative(d.Zone))))
		if c.After == nil || len(c.After.Values) == 0 {
			p.line("     remove the record:")
			p.pasted(c.Before)
			continue
		}
		p.line("     set the TTL to " + seconds(c.After.TTL) + "; the record must hold exactly:")
		p.pasted(c.After)
		if gone := only(c.Before, c.After); len(gone) > 0 {
			p.line("     so remove:")
			p.pasted(&plan.Set{Values: gone})
		}
	}
	p.line("")
}

// pasted writes values as a dashboard takes them: unquoted, in one piece.
func (p *printer) pasted(s *plan.Set) {
	if s == nil {
		return
	}
	for _, v := range s.Values {
		p.line("         " + value(v))
	}
}
