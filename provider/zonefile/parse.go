package zonefile

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/records"
)

// Bounds: a file from anywhere can't make the program run or grow for ever.
const (
	maxFile      = 256 << 20 // bytes
	maxDepth     = 8         // of $INCLUDE
	maxIncludes  = 256
	maxGenerated = 1 << 17 // records from $GENERATE
)

// record is one resource record.
type record struct {
	key   records.Key
	ttl   records.TTL
	value records.Value
	// aside: no part of the zone as we see it (SOA, DNSSEC, another class,
	// a name outside the zone).
	aside bool
	fixed string // why its set can't be changed; empty: it can

	// Indexes of the entry's tokens; -1 where a field is left out.
	ttlAt, classAt, typeAt int
	origin                 records.Name // in force at the record
}

// dataAt is the index of the first token of the data.
func (r *record) dataAt() int { return r.typeAt + 1 }

// line is one entry of the zone file itself.
type line struct {
	entry
	record        *record // nil for a directive
	before, after ttls
}

// ttls are what a record inherits that has no TTL of its own: the default that
// $TTL set (RFC 2308 4), else the last TTL that stood in a record (RFC 1035
// 5.1). As in BIND, both live on through $INCLUDE.
type ttls struct {
	standard, last       records.TTL
	hasStandard, hasLast bool
	explicit             int // records so far that had a TTL
}

func (t ttls) inherited() (ttl records.TTL, ok bool) {
	if t.hasStandard {
		return t.standard, true
	}
	return t.last, t.hasLast
}

func (t *ttls) setStandard(ttl records.TTL) { t.standard, t.hasStandard = ttl, true }

func (t *ttls) setLast(ttl records.TTL) {
	t.last, t.hasLast = ttl, true
	t.explicit++
}

// file is a parsed zone file.
type file struct {
	zone     records.Name
	path     string
	text     []byte
	lines    []line   // all entries, in order
	included []record // from $INCLUDE and $GENERATE

	soa      int // index in lines; -1: it comes from soaFrom
	soaFrom  string
	negative records.TTL
}

// source is one file being read: the zone file, or one that it includes.
type source struct {
	path   string
	text   []byte
	origin records.Name
	owner  records.Name // of the last record
	owned  bool         // whether there was one
	fixed  string       // why what comes from here can't be changed
	depth  int
}

type parser struct {
	disk      disk.FS
	dir       string // $INCLUDE stays below it
	ttls      ttls
	file      *file
	soas      int
	includes  int
	generated int
}

// parse reads the zone file at path, whose contents are text.
func parse(fsys disk.FS, dir, path string, zone records.Name, text []byte) (*file, error) {
	f := &file{zone: zone, path: path, text: text, soa: -1, lines: make([]line, 0, bytes.Count(text, []byte{'\n'}))}
	p := &parser{disk: fsys, dir: dir, file: f}
	if err := p.read(&source{path: path, text: text, origin: zone}); err != nil {
		return nil, err
	}
	switch {
	case p.soas == 0:
		return nil, &SyntaxError{File: path, What: fmt.Sprintf("the zone %s has no SOA record", zone), Fix: "begin the file with one, as in: @ 3600 IN SOA ns1 hostmaster 1 7200 3600 1209600 300"}
	case p.soas > 1:
		return nil, &SyntaxError{File: path, What: "the zone has more than one SOA record", Fix: "keep one"}
	}
	return f, nil
}

func (p *parser) read(src *source) error {
	s := newScanner(src.text)
	for {
		e, ok, err := s.next()
		if err == nil && ok {
			err = p.entry(src, e)
		}
		if syntax := (*SyntaxError)(nil); errors.As(err, &syntax) && syntax.File == "" {
			syntax.File = src.path
		}
		if err != nil || !ok {
			return err
		}
	}
}

func (p *parser) entry(src *source, e entry) error {
	before := p.ttls
	first := e.tokens[0]
	if !e.blank && !first.quoted && src.text[first.start] == '$' {
		err := p.directive(src, e)
		if src.depth == 0 {
			p.file.lines = append(p.file.lines, line{entry: e, before: before, after: p.ttls})
		}
		return err
	}
	r, err := p.record(src, e)
	if err != nil {
		return err
	}
	src.owner, src.owned = r.key.Name, true
	if src.depth > 0 {
		p.file.included = append(p.file.included, *r)
		return nil
	}
	p.file.lines = append(p.file.lines, line{entry: e, record: r, before: before, after: p.ttls})
	if r.key.Type == "SOA" {
		p.file.soa = len(p.file.lines) - 1
	}
	return nil
}

func (s *source) word(t token) []byte { return s.text[t.start:t.end] }

// raw is the token as it stands in the file, quotes included.
func (s *source) raw(t token) []byte {
	if t.quoted {
		return s.text[t.start-1 : t.end+1]
	}
	return s.text[t.start:t.end]
}

func (p *parser) record(src *source, e entry) (*record, error) {
	r := &record{fixed: src.fixed, origin: src.origin, ttlAt: -1, classAt: -1, typeAt: -1}
	next := 0
	if e.blank {
		if !src.owned {
			return nil, &SyntaxError{Line: e.line, What: "the line begins with white space, so it belongs to the name above, and there is none", Fix: "begin it with a name, or with @ for the zone itself"}
		}
		r.key.Name = src.owner
	} else {
		name, err := absolute(src.word(e.tokens[0]), src.origin)
		if err != nil {
			return nil, &SyntaxError{Line: e.line, What: "the record's name can't be read: " + err.Error(), Fix: "correct the name"}
		}
		r.key.Name = name
		next = 1
	}
	internet, err := r.readFields(src, e, next)
	if err != nil {
		return nil, err
	}
	r.aside = !internet || r.key.Type.HostOwned() || !r.key.Name.In(p.file.zone)
	if err := p.readData(src, e, r); err != nil {
		return nil, err
	}
	return r, p.readTTL(e, r)
}

// readFields finds TTL, class and type, the first two in any order.
func (r *record) readFields(src *source, e entry, next int) (internet bool, err error) {
	internet = true
	for i := next; i < len(e.tokens) && !e.tokens[i].quoted; i++ {
		word := src.word(e.tokens[i])
		if r.ttlAt < 0 && isDigit(word[0]) {
			ttl, ok := parseTTL(word)
			if !ok {
				return false, &SyntaxError{Line: e.line, What: "the TTL is no number of seconds up to 2147483647", Fix: "write seconds, or units as in 1h30m"}
			}
			r.ttl, r.ttlAt = ttl, i
			continue
		}
		if class, in := isClass(word); class && r.classAt < 0 {
			internet, r.classAt = in, i
			continue
		}
		t, known, ok := recordType(word)
		if !ok {
			break
		}
		r.key.Type, r.typeAt = t, i
		if !known && r.fixed == "" {
			r.fixed = fmt.Sprintf("maildns doesn't know the type %s in line %d of %s", t, e.line, src.path)
		}
		return internet, nil
	}
	return false, &SyntaxError{Line: e.line, What: "the record has no type", Fix: "write name, TTL, class, type and data, as in: @ 3600 IN TXT \"text\"; a line that goes on needs parentheses"}
}

// readData reads the value. Data of a common type that can't be read is an
// error, as servers refuse such a file; other strangers are set aside.
func (p *parser) readData(src *source, e entry, r *record) error {
	tokens := e.tokens[r.dataAt():]
	if r.key.Type == "SOA" {
		return p.readSOA(src, e, r)
	}
	if r.aside {
		return nil
	}
	if len(tokens) == 0 {
		return &SyntaxError{Line: e.line, What: fmt.Sprintf("the %s record has no data", r.key.Type), Fix: "add it, or remove the line"}
	}
	value, err := p.value(src, r, tokens)
	switch {
	case err == nil:
		r.value = value
	case isCommon(r.key.Type):
		return &SyntaxError{Line: e.line, What: fmt.Sprintf("the data of the %s record can't be read: %v", r.key.Type, err), Fix: "correct it"}
	default:
		r.value = records.Value(src.join(tokens))
		if r.fixed == "" {
			r.fixed = fmt.Sprintf("maildns can't read line %d of %s", e.line, src.path)
		}
	}
	return nil
}

func isCommon(t records.Type) bool {
	switch t {
	case records.TypeA, records.TypeAAAA, records.TypeCNAME, records.TypeMX, records.TypeNS, records.TypeTXT:
		return true
	}
	return false
}

// join returns tokens as one line.
func (s *source) join(tokens []token) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.Write(s.raw(t))
	}
	return b.String()
}

var errData = errors.New("it has not the right form")

func (p *parser) value(src *source, r *record, tokens []token) (records.Value, error) {
	if string(src.word(tokens[0])) == `\#` { // RFC 3597 5
		return src.parsed(r, tokens)
	}
	t := r.key.Type
	switch t {
	case records.TypeTXT:
		var buf [512]byte
		out := buf[:0]
		for _, token := range tokens {
			var err error
			if out, err = appendUnescaped(out, src.word(token)); err != nil {
				return "", err
			}
		}
		return records.Value(out), nil
	case records.TypeCNAME, records.TypeNS, "PTR", "DNAME", records.TypeMX, records.TypeSRV:
		last := len(tokens) - 1
		host, err := absolute(src.word(tokens[last]), src.origin)
		if err != nil {
			return "", err
		}
		text := string(host) + "."
		if last > 0 {
			text = src.join(tokens[:last]) + " " + text
		}
		return canonical(t, text)
	case records.TypeA, records.TypeAAAA, "TLSA", "SMIMEA", "SSHFP", "DS", "CAA", "SPF":
		return canonical(t, src.join(tokens))
	}
	return src.parsed(r, tokens)
}

// canonical is records.CanonicalData without the quotation of the data.
func canonical(t records.Type, data string) (records.Value, error) {
	v, err := records.CanonicalData(t, data)
	if err != nil {
		return "", errData
	}
	return v, nil
}

// parsed reads data with the library's parser, which knows every type.
func (s *source) parsed(r *record, tokens []token) (records.Value, error) {
	text := fmt.Sprintf(". 0 IN %s %s\n", r.key.Type, s.join(tokens))
	parser := dns.NewZoneParser(strings.NewReader(text), string(s.origin)+".", "")
	rr, ok := parser.Next()
	if !ok {
		return "", errData
	}
	if txt, ok := rr.(*dns.TXT); ok {
		var out []byte
		for _, piece := range txt.Txt {
			var err error
			if out, err = appendUnescaped(out, []byte(piece)); err != nil {
				return "", err
			}
		}
		return records.Value(out), nil
	}
	rr, err := overWire(rr)
	if err != nil {
		return "", errData
	}
	return canonical(r.key.Type, dataText(rr))
}

// overWire packs and unpacks a record, which leaves its escapes with one
// spelling and shows what no server could send.
func overWire(rr dns.RR) (dns.RR, error) {
	wire := make([]byte, dns.Len(rr)+1)
	n, err := dns.PackRR(rr, wire, 0, nil, false)
	if err != nil {
		return nil, err
	}
	again, _, err := dns.UnpackRR(wire[:n], 0)
	return again, err
}

// dataText is the data of a record without its name, TTL, class and type.
func dataText(rr dns.RR) string {
	text := rr.String()
	if _, ok := rr.(*dns.RFC3597); ok { // prints its header in another way
		_, data, _ := strings.Cut(text, `\#`)
		return `\#` + data
	}
	return strings.TrimPrefix(text, rr.Header().String())
}

// Places of an SOA's data, counted from the type (RFC 1035 3.3.13).
const (
	soaSerial  = 3
	soaMinimum = 7
)

func (p *parser) readSOA(src *source, e entry, r *record) error {
	const shape = "write: @ IN SOA primary mailbox serial refresh retry expire minimum"
	if len(e.tokens) != r.typeAt+soaMinimum+1 {
		return &SyntaxError{Line: e.line, What: "the SOA record has not seven fields", Fix: shape}
	}
	if r.key.Name != p.file.zone {
		return &SyntaxError{Line: e.line, What: fmt.Sprintf("the SOA record is not that of the zone %s", p.file.zone), Fix: "name the file after its zone, or correct the name"}
	}
	if _, err := strconv.ParseUint(string(src.word(e.tokens[r.typeAt+soaSerial])), 10, 32); err != nil {
		return &SyntaxError{Line: e.line, What: "the serial of the SOA record is no number from 0 to 4294967295", Fix: shape}
	}
	minimum, ok := parseTTL(src.word(e.tokens[r.typeAt+soaMinimum]))
	if !ok {
		return &SyntaxError{Line: e.line, What: "the minimum of the SOA record is no TTL", Fix: shape}
	}
	if _, ok := p.ttls.inherited(); !ok && r.ttlAt < 0 {
		p.ttls.setStandard(minimum) // as BIND does
	}
	p.soas++
	p.file.negative, p.file.soaFrom = minimum, src.fixed
	return nil
}

// readTTL gives the record its TTL and remembers it for those that follow.
func (p *parser) readTTL(e entry, r *record) error {
	if r.ttlAt >= 0 {
		p.ttls.setLast(r.ttl)
	} else {
		ttl, ok := p.ttls.inherited()
		if !ok {
			return &SyntaxError{Line: e.line, What: "the record has no TTL, and there is none above that it could inherit", Fix: "begin the file with a line such as $TTL 3600"}
		}
		r.ttl = ttl
	}
	if r.key.Type == "SOA" {
		p.file.negative = min(p.file.negative, r.ttl) // RFC 2308 5
	}
	return nil
}

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
	if src.depth == maxDepth || p.includes > maxIncludes {
		return &SyntaxError{Line: e.line, What: fmt.Sprintf("files are included more than %d deep or more than %d in all", maxDepth, maxIncludes), Fix: "look for a file that includes itself"}
	}
	path, err := p.inside(name)
	if err != nil {
		return &SyntaxError{Line: e.line, What: "the included file can't be read: " + err.Error(), Fix: "put it below " + p.dir + ", and name it relative to that"}
	}
	text, err := p.disk.Read(path, maxFile)
	if err != nil {
		return &SyntaxError{Line: e.line, What: "the included file can't be read: " + err.Error(), Fix: "make it readable"}
	}
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
		if p.generated++; p.generated > maxGenerated {
			return &SyntaxError{Line: e.line, What: fmt.Sprintf("$GENERATE makes more than %d records", maxGenerated), Fix: "narrow its range"}
		}
		r, err := p.generatedRecord(rr, fixed)
		if err != nil {
			return &SyntaxError{Line: e.line, What: "$GENERATE makes a record that can't be read", Fix: "correct its data"}
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

// toZone collects the records into sets.
func (f *file) toZone() records.Zone {
	index := make(map[records.Key]int, len(f.lines))
	sets := make([]records.RRset, 0, len(f.lines))
	add := func(r *record) {
		if r.aside {
			return
		}
		i, ok := index[r.key]
		if !ok {
			i = len(sets)
			index[r.key] = i
			sets = append(sets, records.RRset{Key: r.key, TTL: r.ttl})
		}
		r.addTo(&sets[i])
	}
	for i := range f.lines {
		if r := f.lines[i].record; r != nil {
			add(r)
		}
	}
	for i := range f.included {
		add(&f.included[i])
	}
	for i := range sets {
		slices.Sort(sets[i].Values)
		sets[i].Values = slices.Compact(sets[i].Values)
	}
	return records.NewZone(f.zone, f.negative, sets...)
}

func (r *record) addTo(s *records.RRset) {
	s.MixedTTL = s.MixedTTL || s.TTL != r.ttl
	s.TTL = min(s.TTL, r.ttl)
	s.Values = append(s.Values, r.value)
	if s.Fixed == "" {
		s.Fixed = r.fixed
	}
}

// lineEnd is how a line of the file ends, "\r\n" or "\n"; a last line without
// an end takes that of the line above.
func (f *file) lineEnd(e entry) string {
	end := bytes.LastIndexByte(f.text[:e.end], '\n')
	if end > 0 && f.text[end-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}
