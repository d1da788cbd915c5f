package config

import (
	"regexp/syntax"

	"github.com/zclconf/go-cty/cty"
)

// maxValues is up to how many values of an input are all tried.
const maxValues = 8

// values are all values that an input can have, where they are few.
func (in input) values() []cty.Value {
	switch {
	case in.shape == shapeBool:
		return []cty.Value{cty.False, cty.True}
	case in.pattern == nil || in.shape != shapeString && in.shape != shapeAny:
		return nil
	}
	parsed, err := syntax.Parse(in.pattern.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	texts, ok := finite(parsed)
	if !ok {
		return nil
	}
	var out []cty.Value
	for _, t := range texts {
		if in.pattern.MatchString(t) {
			out = append(out, cty.StringVal(t))
		}
	}
	return out
}

// finite lists all texts that a pattern matches, where they are few and the
// pattern has both anchors.
func finite(p *syntax.Regexp) ([]string, bool) {
	subs := p.Sub
	if p.Op != syntax.OpConcat || len(subs) < 3 || subs[0].Op != syntax.OpBeginText || subs[len(subs)-1].Op != syntax.OpEndText {
		return nil, false
	}
	return product(subs[1 : len(subs)-1])
}

// product lists the texts of parts that follow each other.
func product(parts []*syntax.Regexp) ([]string, bool) {
	out := []string{""}
	for _, p := range parts {
		next, ok := alternatives(p)
		if !ok || len(out)*len(next) > maxValues {
			return nil, false
		}
		var longer []string
		for _, a := range out {
			for _, b := range next {
				longer = append(longer, a+b)
			}
		}
		out = longer
	}
	return out, true
}

func alternatives(p *syntax.Regexp) (out []string, ok bool) {
	switch p.Op {
	case syntax.OpLiteral:
		return []string{string(p.Rune)}, p.Flags&syntax.FoldCase == 0
	case syntax.OpEmptyMatch:
		return []string{""}, true
	case syntax.OpCapture:
		return alternatives(p.Sub[0])
	case syntax.OpConcat:
		return product(p.Sub)
	case syntax.OpQuest:
		out, ok = alternatives(p.Sub[0])
		return append([]string{""}, out...), ok
	case syntax.OpCharClass:
		for i := 0; i+1 < len(p.Rune); i += 2 {
			for r := p.Rune[i]; r <= p.Rune[i+1]; r++ {
				if out = append(out, string(r)); len(out) > maxValues {
					return nil, false
				}
			}
		}
		return out, true
	case syntax.OpAlternate:
		for _, s := range p.Sub {
			more, ok := alternatives(s)
			if out = append(out, more...); !ok || len(out) > maxValues {
				return nil, false
			}
		}
		return out, true
	}
	return nil, false
}
