package zonefile

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

func (p *parser) directive(src *source, e entry) error {
	name := strings.ToUpper(string(src.word(e.tokens[0])))
	if len(e.tokens) < 2 {
		return &SyntaxError{Line: e.line, What: "the directive has no value", Fix: "write $ORIGIN name, $TTL seconds or $INCLUDE file"}
	}
	value := src.word(e.tokens[1])
	switch name {
	case "$ORIGIN":
		origin, err := absolute(value, src.origin)
		if err != nil {
			return &SyntaxError{Line: e.line, What: "the $ORIGIN can't be read: " + err.Error(), Fix: "correct the name"}
		}
		src.origin = origin
		return nil
	case "$TTL":
		ttl, ok := parseTTL(value)
		if !ok {
			return &SyntaxError{Line: e.line, What: "$TTL is no number of seconds up to 2147483647", Fix: "write seconds, or units as in 1h30m"}
		}
		p.ttls.setStandard(ttl)
		return nil
	case "$INCLUDE":
		return p.include(src, e)
	case "$GENERATE":
		return p.generate(src, e)
	}
	return &SyntaxError{Line: e.line, What: "the directive is unknown", Fix: "use $ORIGIN, $TTL, $INCLUDE or $GENERATE; put \\ before a name's own $"}
}

// include reads another file, with its own origin and owner (RFC 1035 5.1).
func (p *parser) include(src *source, e entry) error {
	name := string(src.word(e.tokens[1]))
	p.includes++
	if src.depth == maxDepth || p.includes > maxIncludes || p.left <= 0 {
		return &SyntaxError{Line: e.line, What: fmt.Sprintf("files are included more than %d deep, or more than %d files or %d bytes in all", maxDepth, maxIncludes, maxFile), Fix: "look for a file that includes itself"}
	}
	path, err := p.inside(name)
	if err != nil {
		return &SyntaxError{Line: e.line, What: "the included file can't be read: " + err.Error(), Fix: "put it below " + p.dir + ", and name it relative to that"}
	}
	text, err := p.disk.Read(path, p.left)
	if err != nil {
		return &SyntaxError{Line: e.line, What: "the included file can't be read: " + err.Error(), Fix: "make it readable"}
	}
	p.left -= int64(len(text))
	inner := &source{path: path, text: text, origin: src.origin, depth: src.depth + 1}
	if len(e.tokens) > 2 {
		if inner.origin, err = absolute(src.word(e.tokens[2]), src.origin); err != nil {
			return &SyntaxError{Line: e.line, What: "the origin of $INCLUDE can't be read: " + err.Error(), Fix: "correct the name"}
		}
	}
	inner.fixed = src.fixed
	if inner.fixed == "" {
		inner.fixed = fmt.Sprintf("one of its records comes from $INCLUDE in line %d of %s: change it in %s, or move it out of there", e.line, src.path, path)
	}
	return p.read(inner)
}

// inside resolves the name of an included file, and refuses to leave the
// directory, be it by .. or by symlink.
func (p *parser) inside(name string) (string, error) {
	root, err := filepath.EvalSymlinks(p.dir)
	if err != nil {
		return "", err
	}
	path := name
	if !filepath.IsAbs(name) {
		path = filepath.Join(p.dir, name)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	if relative, err := filepath.Rel(root, real); err != nil || !filepath.IsLocal(relative) {
		return "", errors.New("it lies outside of the zone files' directory")
	}
	return path, nil
}

// generate expands $GENERATE, an extension of BIND, with the library.
func (p *parser) generate(src *source, e entry) error {
	parser := dns.NewZoneParser(strings.NewReader(p.generateText(src, e)), string(src.origin)+".", "")
	fixed := src.fixed
	if fixed == "" {
		fixed = fmt.Sprintf("one of its records comes from $GENERATE in line %d of %s: change it there", e.line, src.path)
	}
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		r, err := p.generatedRecord(rr, fixed)
		if err != nil {
			return &SyntaxError{Line: e.line, What: "$GENERATE makes a record that can't be read", Fix: "correct its data"}
		}
		p.generated++
		p.left -= int64(len(r.value))
		if p.generated > maxGenerated || p.left < 0 {
			return &SyntaxError{Line: e.line, What: fmt.Sprintf("$GENERATE makes more than %d records or %d bytes", maxGenerated, maxFile), Fix: "narrow its range"}
		}
		p.file.included = append(p.file.included, r)
	}
	if parser.Err() != nil {
		return &SyntaxError{Line: e.line, What: "$GENERATE can't be read", Fix: "write: $GENERATE 1-10 name TTL class type data"}
	}
	return nil
}

// generateText is the directive with the TTL that its records inherit written
// out, since the library gives them one of its own.
func (p *parser) generateText(src *source, e entry) string {
	const ttlAt = 3 // $GENERATE range name TTL
	ttl, ok := p.ttls.inherited()
	if !ok || len(e.tokens) <= ttlAt {
		return src.join(e.tokens) + "\n"
	}
	for _, t := range e.tokens[ttlAt:min(ttlAt+2, len(e.tokens))] { // a class may stand before it
		if isDigit(src.raw(t)[0]) {
			return src.join(e.tokens) + "\n"
		}
		if class, _ := isClass(src.word(t)); !class {
			break
		}
	}
	return fmt.Sprintf("%s %d %s\n", src.join(e.tokens[:ttlAt]), ttl, src.join(e.tokens[ttlAt:]))
}

func (p *parser) generatedRecord(rr dns.RR, fixed string) (record, error) {
	h := rr.Header()
	r := record{
		key:   records.Key{Name: records.CanonicalName(h.Name), Type: records.Type(dns.Type(h.Rrtype).String())},
		ttl:   records.TTL(h.Ttl),
		fixed: fixed,
	}
	r.aside = r.key.Type.HostOwned() || !r.key.Name.In(p.file.zone)
	src := &source{text: []byte(dataText(rr))}
	e, ok, err := newScanner(src.text).next()
	if err != nil || !ok {
		return record{}, errData
	}
	r.value, err = p.value(src, &r, e.tokens)
	return r, err
}
