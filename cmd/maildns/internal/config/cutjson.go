package config

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"
)

// jsonPiece is one member of a JSON file that is read by itself: the value of
// a top-level property, or one member or element of the domain property.
type jsonPiece struct {
	kind string // the property
	text []byte // as it stands in the file
	open string // what is put before it, and
	shut string // behind it, to make a whole file of it
	pos  hcl.Pos
}

// cutJSON splits a JSON file as cut does a native one. ok is false where the
// text isn't laid out as a configuration is; what is wrong with it shows when
// it is parsed as a whole. After so many pieces it stops.
func cutJSON(src []byte, most int) (pieces []jsonPiece, ok bool) {
	s := jsonScanner{src: src, line: 1, most: most}
	s.space()
	if s.peek() == '[' {
		ok = s.list('[', s.file)
	} else {
		ok = s.file()
	}
	s.space()
	return s.pieces, ok && s.pos == len(src) || len(s.pieces) >= most
}

// jsonScanner walks over JSON text without building anything.
type jsonScanner struct {
	src       []byte
	pos       int
	line      int
	lineStart int // offset of the line
	most      int
	pieces    []jsonPiece
}

// file reads one object of blocks.
func (s *jsonScanner) file() bool {
	return s.list('{', func() bool {
		key, ok := s.key()
		switch {
		case !ok:
			return false
		case key != "domain":
			return s.piece(key, s.pos, `{`+quoteJSON(key)+`:`, `}`)
		case s.peek() == '{':
			return s.list('{', func() bool {
				start := s.pos
				_, ok := s.key()
				return ok && s.piece(key, start, `{"domain":{`, `}}`)
			})
		case s.peek() == '[':
			return s.list('[', func() bool { return s.piece(key, s.pos, `{"domain":`, `}`) })
		}
		return s.piece(key, s.pos, `{"domain":`, `}`)
	})
}

func quoteJSON(text string) string {
	b, err := json.Marshal(text)
	if err != nil { // text came out of JSON
		return `""`
	}
	return string(b)
}

// piece skips a value and keeps what stands from start to its end.
func (s *jsonScanner) piece(kind string, start int, open, shut string) bool {
	pos := hcl.Pos{Line: s.line, Column: start - s.lineStart + 1 - len(open), Byte: start - len(open)}
	if !s.value() {
		return false
	}
	if kind != "//" { // a comment
		s.pieces = append(s.pieces, jsonPiece{kind: kind, text: s.src[start:s.pos], open: open, shut: shut, pos: pos})
	}
	return len(s.pieces) < s.most
}

func (s *jsonScanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

func (s *jsonScanner) space() {
	for ; s.pos < len(s.src); s.pos++ {
		switch s.src[s.pos] {
		case '\n':
			s.line++
			s.lineStart = s.pos + 1
		case ' ', '\t', '\r':
		default:
			return
		}
	}
}

// take moves over one character and the space behind it.
func (s *jsonScanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	s.space()
	return true
}

// list reads an object or array whose members each reads.
func (s *jsonScanner) list(open byte, each func() bool) bool {
	shut := open + 2 // '{' and '}', '[' and ']' lie two apart
	if !s.take(open) {
		return false
	}
	if s.take(shut) {
		return true
	}
	for each() {
		s.space()
		if s.take(shut) {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
	return false
}

// key reads a property's name and its colon.
func (s *jsonScanner) key() (string, bool) {
	start := s.pos
	if !s.text() {
		return "", false
	}
	var key string
	if err := json.Unmarshal(s.src[start:s.pos], &key); err != nil {
		return "", false
	}
	s.space()
	return key, s.take(':')
}

// text skips a string.
func (s *jsonScanner) text() bool {
	if s.peek() != '"' {
		return false
	}
	for s.pos++; s.pos < len(s.src); s.pos++ {
		switch s.src[s.pos] {
		case '\\':
			s.pos++
		case '"':
			s.pos++
			return true
		case '\n':
			return false
		}
	}
	return false
}

// value skips a value, whatever is in it.
func (s *jsonScanner) value() bool {
	start := s.pos
	for depth := 0; s.pos < len(s.src); {
		switch c := s.src[s.pos]; c {
		case '"':
			if !s.text() {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return s.pos > start
			}
			depth--
			if depth == 0 {
				s.pos++
				return true
			}
		case ',':
			if depth == 0 {
				return s.pos > start
			}
		case '\n', ' ', '\t', '\r':
			s.space()
			continue
		}
		s.pos++
	}
	return s.pos > start
}
