package spf

import (
	"context"
	"net/netip"
	"strconv"
)

// binding binds the macro letters while the record of domain is evaluated.
func (c *checker) binding(ctx context.Context, domain string) binding {
	return func(letter byte) (string, bool) {
		switch letter {
		case 's':
			return c.local + "@" + c.sender, true
		case 'l':
			return c.local, true
		case 'o':
			return c.sender, true
		case 'd':
			return domain, true
		case 'i':
			return dotted(c.ip), true
		case 'p':
			return c.validatedName(ctx, domain), true
		case 'v':
			return reverseZone(c.ip), true
		case 'h':
			return c.query.Helo, true
		}
		return c.explanationMacro(letter), true
	}
}

func reverseZone(ip netip.Addr) string {
	if ip.Is4() {
		return "in-addr"
	}
	return "ip6"
}

// explanationMacro gives the values that only explanation texts may use.
func (c *checker) explanationMacro(letter byte) string {
	switch {
	case letter == 'c':
		return c.ip.String()
	case letter == 't':
		return strconv.FormatInt(c.query.UnixTime, 10)
	case c.query.Receiver == "":
		return "unknown"
	}
	return c.query.Receiver
}

// explain fetches and expands the explanation of a fail (RFC 7208 section
// 6.2). Whatever goes wrong, there is no explanation. Its queries don't count.
func (c *checker) explain(ctx context.Context, o outcome) string {
	exp, ok := o.record.Find(Exp)
	if !ok {
		return ""
	}
	expanded, _ := exp.Domain.expand(c.binding(ctx, o.domain))
	name := targetName(expanded)
	if !canQuery(name) {
		return ""
	}
	answer, err := c.resolver.TXT(ctx, name)
	if err != nil || len(answer.Values) != 1 {
		return ""
	}
	text, f := parseMacroString(answer.Values[0], inExplanation)
	if f != nil {
		return ""
	}
	explanation, _ := text.expand(c.binding(ctx, o.domain))
	return explanation
}
