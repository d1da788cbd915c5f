package config

import (
	"bytes"
)

// piece is one top-level item of a native-syntax file, with the comments and
// blank lines before it. The pieces of a file are contiguous.
type piece struct {
	start, end int    // byte offsets in the file
	line       int    // number of the line that starts at start
	keyword    string // the identifier that the item begins with; empty: none
}

// cut splits a file after each top-level item. hclsyntax needs some 75 bytes
// of memory for each byte of source, so a big file is never parsed whole. The
// scanner follows the rules of hclsyntax's own for strings, templates, heredocs
// and comments; where the text is broken it may cut elsewhere than the parser
// would, and the parser then says what is wrong with the piece. After so many
// pieces it stops.
func cut(src []byte, most int) []piece {
	s := scanner{src: src, line: 1}
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		s.pos = 3
	}
	var pieces []piece
	for start := 0; start < len(src) && len(pieces) < most; {
		p := piece{start: start, line: s.line}
		p.keyword = s.keyword()
		s.item()
		p.end = s.pos
		pieces = append(pieces, p)
		start = s.pos
	}
	return pieces
}

// scanner walks over HCL text without making tokens.
type scanner struct {
	src       []byte
	pos, line int
	braces    int
	brackets  int      // ( and [ that are open, since the last brace closed
	returns   []int    // brace depths at which a template sequence ends
	inside    []string // what surrounds each: quote, or the marker of a heredoc
}

// quote stands for a quoted string among the heredoc markers.
const quote = `"`

// keyword skips blank space and comments and reads an identifier without
// consuming it.
func (s *scanner) keyword() string {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == '\n':
			s.newline()
		case c == ' ' || c == '\t' || c == '\r':
			s.pos++
		case s.comment():
		default:
			end := s.pos
			for end < len(s.src) && isIdent(s.src[end]) {
				end++
			}
			return string(s.src[s.pos:end])
		}
	}
	return ""
}

func isIdent(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c >= 0x80
}

func (s *scanner) newline() {
	s.pos++
	s.line++
}

// comment skips a comment, if there is one here. A line comment includes its
// newline in the library, but that newline still ends an item.
func (s *scanner) comment() bool {
	rest := s.src[s.pos:]
	switch {
	case rest[0] == '#' || bytes.HasPrefix(rest, []byte("//")):
		s.skipTo(rest, "\n", 0)
	case bytes.HasPrefix(rest, []byte("/*")):
		s.skipTo(rest, "*/", 2)
	default:
		return false
	}
	return true
}

// skipTo moves to the first occurrence of mark in rest, and over so many bytes
// of it; to the end where there is none.
func (s *scanner) skipTo(rest []byte, mark string, over int) {
	i := bytes.Index(rest, []byte(mark))
	if i < 0 {
		i = len(rest)
	} else {
		i += over
	}
	s.line += bytes.Count(rest[:i], []byte("\n"))
	s.pos += i
}

// item moves behind the newline that ends the item which begins here.
func (s *scanner) item() {
	s.braces, s.brackets, s.returns, s.inside = 0, 0, s.returns[:0], s.inside[:0]
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; c {
		case '\n':
			s.newline()
			if s.braces <= 0 && s.brackets <= 0 {
				return
			}
		case '"':
			s.pos++
			s.template(quote)
		case '{':
			s.pos++
			s.braces++
		case '}':
			s.pos++
			s.closeBrace()
		case '(', '[':
			s.pos++
			s.brackets++
		case ')', ']':
			s.pos++
			s.brackets--
		case '<':
			if marker := s.heredoc(); marker != "" {
				s.template(marker)
			} else {
				s.pos++
			}
		case '#', '/':
			if !s.comment() {
				s.pos++
			}
		default:
			s.pos++
		}
	}
}

// closeBrace ends a brace or a template sequence, and then goes on with the
// template around it.
func (s *scanner) closeBrace() {
	n := len(s.returns)
	if n == 0 || s.returns[n-1] != s.braces {
		s.braces--
		if s.braces <= 0 { // whatever was left open in a block ends with it
			s.brackets = 0
		}
		return
	}
	s.braces--
	marker := s.inside[n-1]
	s.returns, s.inside = s.returns[:n-1], s.inside[:n-1]
	s.template(marker)
}

// heredoc reads the marker of a heredoc that begins here and moves behind its
// line; it returns the empty string where none begins.
func (s *scanner) heredoc() string {
	rest := s.src[s.pos:]
	if !bytes.HasPrefix(rest, []byte("<<")) {
		return ""
	}
	at := 2
	if at < len(rest) && rest[at] == '-' {
		at++
	}
	end := at
	for end < len(rest) && isIdent(rest[end]) {
		end++
	}
	marker := string(rest[at:end])
	if marker == "" || marker[0] >= '0' && marker[0] <= '9' || marker[0] == '-' {
		return ""
	}
	if end < len(rest) && rest[end] == '\r' {
		end++
	}
	if end >= len(rest) || rest[end] != '\n' {
		return ""
	}
	s.pos += end
	s.newline()
	return marker
}

// template skips the text of a string or heredoc up to its end or to the
// first template sequence, which it enters.
func (s *scanner) template(marker string) {
	fresh := marker != quote && s.pos > 0 && s.src[s.pos-1] == '\n'
	for s.pos < len(s.src) {
		if fresh && s.endsHeredoc(marker) {
			return
		}
		fresh = false
		switch c := s.src[s.pos]; {
		case c == '\n':
			s.newline()
			fresh = marker != quote
		case c == '"' && marker == quote:
			s.pos++
			return
		case c == '\\' && marker == quote:
			s.pos++
			if s.pos < len(s.src) && s.src[s.pos] != '\n' {
				s.pos++
			}
		case c == '$' || c == '%':
			if s.sequence(c) {
				s.returns = append(s.returns, s.braces)
				s.inside = append(s.inside, marker)
				return
			}
		default:
			s.pos++
		}
	}
}

// endsHeredoc moves before the newline of the line that begins here if that
// line is the marker alone.
func (s *scanner) endsHeredoc(marker string) bool {
	rest := s.src[s.pos:]
	end := bytes.IndexByte(rest, '\n')
	if end < 0 || string(bytes.TrimSpace(rest[:end])) != marker {
		return false
	}
	s.pos += end
	return true
}

// sequence moves over "$" or "%" and what belongs to it, and reports whether a
// template sequence was entered. "$${" is an escaped "${".
func (s *scanner) sequence(c byte) bool {
	rest := s.src[s.pos:]
	switch {
	case len(rest) > 2 && rest[1] == c && rest[2] == '{':
		s.pos += 3
	case len(rest) > 1 && rest[1] == '{':
		s.pos += 2
		s.braces++
		return true
	default:
		s.pos++
	}
	return false
}
