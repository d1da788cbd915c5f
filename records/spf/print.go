package spf

import (
	"strconv"
	"strings"
)

// String returns the canonical text of the record: single spaces, names and
// domains in lower case, no "+", no final dots, no prefix length that covers
// the whole address, host bits cleared. It parses to the same record.
func (r *Record) String() string {
	buf := append(make([]byte, 0, len(r.Text)+len(Version)), Version...)
	for i := range r.Terms {
		buf = append(buf, ' ')
		buf = r.Terms[i].appendTo(buf)
	}
	return string(buf)
}

// String returns the canonical text of the term.
func (t Term) String() string { return string(t.appendTo(nil)) }

// Key identifies what the term is about: its canonical text without the
// qualifier. Terms with equal keys match the same senders.
func (t Term) Key() string {
	t.Qualifier = Pass
	return t.String()
}

func (t *Term) appendTo(buf []byte) []byte {
	switch t.Kind {
	case Redirect, Exp:
		return t.Domain.appendTo(append(append(buf, kindNames[t.Kind]...), '='))
	case Other:
		return append(append(appendLower(buf, t.Name), '='), t.Value...)
	default:
		return t.appendDirective(buf)
	}
}

func (t *Term) appendDirective(buf []byte) []byte {
	if t.Qualifier != Pass {
		buf = append(buf, t.Qualifier.Symbol())
	}
	buf = append(buf, t.Kind.String()...)
	if t.Kind == IP4 || t.Kind == IP6 {
		return t.appendNetwork(append(buf, ':'))
	}
	if !t.Domain.IsZero() {
		buf = t.Domain.appendTo(append(buf, ':'))
	}
	return t.appendLengths(buf)
}

func (t *Term) appendNetwork(buf []byte) []byte {
	if t.Prefix.IsSingleIP() {
		return t.Prefix.Addr().AppendTo(buf)
	}
	buf = append(t.Prefix.Addr().AppendTo(buf), '/')
	return strconv.AppendInt(buf, int64(t.Prefix.Bits()), 10)
}

func (t *Term) appendLengths(buf []byte) []byte {
	if bits := t.Len4.Bits(32); bits != 32 {
		buf = strconv.AppendInt(append(buf, '/'), int64(bits), 10)
	}
	if bits := t.Len6.Bits(128); bits != 128 {
		buf = strconv.AppendInt(append(buf, '/', '/'), int64(bits), 10)
	}
	return buf
}

// String returns the canonical text of a domain-spec. The case of the macro
// letters stays, since upper case asks for URL escaping.
func (m MacroString) String() string { return string(m.appendTo(nil)) }

func (m MacroString) appendTo(buf []byte) []byte {
	if m.Parts == nil {
		return appendLower(buf, strings.TrimSuffix(m.Text, "."))
	}
	for i, p := range m.Parts {
		switch {
		case p.Letter != 0:
			buf = p.appendExpansion(buf)
		case i == len(m.Parts)-1:
			buf = appendLower(buf, strings.TrimSuffix(p.Literal, "."))
		default:
			buf = appendLower(buf, p.Literal)
		}
	}
	return buf
}

func (p *MacroPart) appendExpansion(buf []byte) []byte {
	if !isAlpha(p.Letter) {
		return append(buf, '%', p.Letter)
	}
	buf = append(buf, '%', '{', p.Letter)
	if p.Keep > 0 {
		buf = strconv.AppendInt(buf, int64(p.Keep), 10)
	}
	if p.Reverse {
		buf = append(buf, 'r')
	}
	return append(append(buf, p.Delimiters...), '}')
}

func appendLower(buf []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		buf = append(buf, lower(s[i]))
	}
	return buf
}
