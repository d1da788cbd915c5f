package zonefile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/records"
)

// Bounds: a file from anywhere can't make the program run or grow for ever.
const (
	maxFile      = 64 << 20 // bytes; of what is included and generated as well
	maxDepth     = 8        // of $INCLUDE
	maxIncludes  = 256
	maxGenerated = 1 << 17 // records from $GENERATE
)

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
	left      int64 // bytes that may still be included or generated
	generated int
}

// parse reads the zone file at path, whose contents are text.
func parse(fsys disk.FS, dir, path string, zone records.Name, text []byte) (*file, error) {
	const most = 4096 // room that is made beforehand
	room := min(bytes.Count(text, []byte{'\n'}), most)
	f := &file{zone: zone, path: path, text: text, soa: -1, lines: make([]line, 0, room)}
	p := &parser{disk: fsys, dir: dir, file: f, left: maxFile}
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
