package zonefile

import "bytes"

// token is one word of an entry, or one quoted string without its quotes.
// Escapes stand as they are in the file.
type token struct {
	start, end int // bytes of the file
	quoted     bool
}

// entry is one record or directive: its place in the file and its words.
type entry struct {
	start, end int // whole lines, the last line's end included
	content    int // end of the last token or parenthesis: a comment may follow
	line       int // line of the first token, from 1
	tokens     []token
	blank      bool // begins with white space: a record that inherits its owner
	parens     bool
}

// scanner cuts a master file (RFC 1035 5.1) into entries. It looks at words,
// quotes, parentheses and comments only.
type scanner struct {
	text   []byte
	pos    int
	line   int     // of pos, from 1
	tokens []token // of all entries, so that one allocation serves many
}

func newScanner(text []byte) *scanner {
	const bytesPerToken = 12 // in an ordinary file
	return &scanner{text: text, line: 1, tokens: make([]token, 0, len(text)/bytesPerToken+8)}
}

// next returns the next entry; ok is false at the end of the file.
func (s *scanner) next() (e entry, ok bool, err error) {
	if !s.skipBlank(&e) {
		return entry{}, false, nil
	}
	first := len(s.tokens)
	if err := s.scanEntry(&e); err != nil {
		return entry{}, false, err
	}
	e.end = s.pos
	e.tokens = s.tokens[first:len(s.tokens):len(s.tokens)]
	if len(e.tokens) == 0 {
		return entry{}, false, &SyntaxError{Line: e.line, What: "the parentheses hold nothing", Fix: "remove the line"}
	}
	return e, true, nil
}

// skipBlank goes past lines that hold nothing or a comment, and to the first
// word of the next entry.
func (s *scanner) skipBlank(e *entry) bool {
	lineStart := s.pos
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case '\n':
			s.pos++
			s.line++
			lineStart = s.pos
		case ' ', '\t', '\r':
			s.pos++
		case ';':
			s.skipComment()
		default:
			e.start, e.line, e.blank = lineStart, s.line, s.pos > lineStart
			return true
		}
	}
	return false
}

// skipComment goes to the line's end, which stays unread.
func (s *scanner) skipComment() {
	n := bytes.IndexByte(s.text[s.pos:], '\n')
	if n < 0 {
		n = len(s.text) - s.pos
	}
	s.pos += n
}

// scanEntry reads words up to the line's end, or over several lines within
// parentheses.
func (s *scanner) scanEntry(e *entry) error {
	depth := 0
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case '\n':
			s.pos++
			s.line++
			if depth == 0 {
				return nil
			}
			continue
		case ' ', '\t', '\r':
			s.pos++
			continue
		case ';':
			s.skipComment()
			continue
		case '(':
			depth++
			e.parens = true
			s.pos++
		case ')':
			depth--
			if depth < 0 {
				return &SyntaxError{Line: s.line, What: "a parenthesis is closed that was not opened", Fix: "remove it, or put \\ before it"}
			}
			s.pos++
		case '"':
			if err := s.quoted(); err != nil {
				return err
			}
		default:
			s.word()
		}
		e.content = s.pos
	}
	if depth > 0 {
		return &SyntaxError{Line: e.line, What: "the parenthesis of this entry is never closed", Fix: "close it behind the entry's last word"}
	}
	return nil
}

// word reads up to the next character with a meaning of its own.
func (s *scanner) word() {
	start := s.pos
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n', ';', '(', ')', '"':
			s.tokens = append(s.tokens, token{start, s.pos, false})
			return
		case '\\':
			if s.pos+1 < len(s.text) && s.text[s.pos+1] != '\n' {
				s.pos++
			}
		}
		s.pos++
	}
	s.tokens = append(s.tokens, token{start, s.pos, false})
}

// quoted reads a quoted string. It ends in its line: a forgotten quote would
// swallow the rest of the file.
func (s *scanner) quoted() error {
	s.pos++
	start := s.pos
	for ; s.pos < len(s.text) && s.text[s.pos] != '\n'; s.pos++ {
		switch s.text[s.pos] {
		case '"':
			s.tokens = append(s.tokens, token{start, s.pos, true})
			s.pos++
			return nil
		case '\\':
			if s.pos+1 < len(s.text) && s.text[s.pos+1] != '\n' {
				s.pos++
			}
		}
	}
	return &SyntaxError{Line: s.line, What: "a quoted string is not closed in its line", Fix: "close it with \", and begin a new one in the next line"}
}
