package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// providerCheck writes what each provider is good for.
func (p *printer) providerCheck(r *ProviderCheck) {
	p.notes(p.Notes)
	for i := range r.Providers {
		p.checkedProvider(&r.Providers[i])
		p.line("")
	}
	switch {
	case len(r.Providers) == 0:
		p.line("The configuration has no provider block.")
	case r.OK:
		p.line(p.Palette.Ready.On("Nothing is missing."))
	default:
		p.line(p.Palette.Failed.On("Something is missing:") + " see above.")
	}
}

func (p *printer) checkedProvider(c *CheckedProvider) {
	p.para(para{below: 2, label: "provider " + c.Name, labelPaint: p.Palette.Strong, text: ": " + c.Summary})
	for _, line := range capabilityLines(c.Capabilities) {
		p.text(2, 10, "", line)
	}
	for _, fact := range c.Access {
		p.text(2, 10, "", "access    "+fact)
	}
	for _, z := range c.Zones {
		p.checkedZone(z)
	}
	if len(c.Zones) == 0 {
		p.text(2, 10, p.Palette.Faint, "zone      none of the configuration is here")
	}
	if c.Problem != "" {
		for part := range strings.SplitSeq(c.Problem, "\n") {
			p.para(para{indent: 2, below: 12, label: "missing", labelPaint: p.Palette.Failed, text: "   " + part})
		}
	}
}

func (p *printer) checkedZone(z CheckedZone) {
	name := z.Name
	if z.ID != "" {
		name += " (" + z.ID + ")"
	}
	if !z.OK {
		p.para(para{indent: 2, below: 12, label: "missing", labelPaint: p.Palette.Failed, text: "   " + name + ": " + z.Problem})
		return
	}
	text := "zone      " + name + ": " + count(z.Sets, "record set", "record sets")
	if z.Fixed > 0 {
		text += ", " + number(z.Fixed) + " of them can be read but not written"
	}
	p.text(2, 10, "", text)
}

// capabilityLines are what a host can do, in words.
func capabilityLines(c Capabilities) []string {
	if !c.Writes {
		return []string{"writes    no"}
	}
	how := "one record set after the other"
	if c.Transactional {
		how = "together or not at all"
		if c.MaxBatch > 0 {
			how += ", up to " + number(c.MaxBatch) + " changes"
		}
	}
	lines := []string{"writes    " + how, "TTL       " + ttlWords(c), "types     " + typeWords(c.Types)}
	if limits := sizeWords(c); limits != "" {
		lines = append(lines, "sizes     "+limits)
	}
	if c.RequestsPerSecond > 0 {
		lines = append(lines, fmt.Sprintf("requests  %s a second, %s at once", strconv.FormatFloat(c.RequestsPerSecond, 'f', -1, 64), number(c.RequestsBurst)))
	}
	return lines
}

func ttlWords(c Capabilities) string {
	words := "any"
	if c.MinTTL > 0 {
		words = "at least " + number(int(c.MinTTL)) + " seconds"
	}
	if c.AutoTTL {
		words += ", or automatic"
	}
	if c.PerValueTTL {
		words += ", for each value"
	}
	return words
}

func typeWords(types []records.Type) string {
	if len(types) == 0 {
		return "all"
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}

func sizeWords(c Capabilities) string {
	var words []string
	if c.MaxTXT > 0 {
		words = append(words, "a text of "+number(c.MaxTXT)+" bytes")
	}
	if c.MaxSet > 0 {
		words = append(words, "a record set of "+number(c.MaxSet)+" bytes")
	}
	return strings.Join(words, ", ")
}
