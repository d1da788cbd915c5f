package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
)

// A plan's id is a SHA-256 of its JSON without the id itself, in canonical
// form: no white space, members sorted by name, the last of several with one
// name, strings as json.Marshal writes them, numbers as they stand. So white
// space and the order of fields don't count, and fields of a later minor version
// do. Domains are hashed one after the other: no copy of the plan is made.

// digest is the id of a plan.
func digest(p Plan) (string, error) {
	rest := p
	rest.Domains = nil
	b, err := json.Marshal(rest)
	if err != nil {
		return "", fmt.Errorf("sealing the plan: %w", err)
	}
	return digestMembers(b, func(h hash.Hash, m member) error {
		if string(m.name) != "domains" || p.Domains == nil {
			h.Write(canonical(nil, m.value))
			return nil
		}
		return digestList(h, len(p.Domains), func(i int) ([]byte, error) { return json.Marshal(p.Domains[i]) })
	})
}

// digestOf is the id that a plan file must have.
func digestOf(file []byte) (string, error) {
	if file = bytes.TrimSpace(file); !json.Valid(file) || file[0] != '{' {
		return "", errors.New("reading the plan's JSON: it is no object")
	}
	return digestMembers(file, func(h hash.Hash, m member) error {
		if m.value[0] != '[' {
			h.Write(canonical(nil, m.value))
			return nil
		}
		list := elements(m.value)
		return digestList(h, len(list), func(i int) ([]byte, error) { return list[i], nil })
	})
}

// digestMembers hashes an object but for its id, each value by the given
// function.
func digestMembers(object []byte, write func(hash.Hash, member) error) (string, error) {
	h := sha256.New()
	list := slices.DeleteFunc(members(object), func(m member) bool { return string(m.name) == "id" })
	h.Write([]byte{'{'})
	for i, m := range list {
		h.Write(m.opening(nil, i))
		if err := write(h, m); err != nil {
			return "", err
		}
	}
	h.Write([]byte{'}'})
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// digestList hashes an array of n elements.
func digestList(h hash.Hash, n int, element func(int) ([]byte, error)) error {
	h.Write([]byte{'['})
	var buffer []byte
	for i := range n {
		value, err := element(i)
		if err != nil {
			return fmt.Errorf("sealing the plan: %w", err)
		}
		buffer = canonical(comma(buffer[:0], i), value)
		h.Write(buffer)
	}
	h.Write([]byte{']'})
	return nil
}

// canonical appends the canonical form of a valid JSON value.
func canonical(out, value []byte) []byte {
	switch value[0] {
	case '{':
		out = append(out, '{')
		for i, m := range members(value) {
			out = canonical(m.opening(out, i), m.value)
		}
		return append(out, '}')
	case '[':
		out = append(out, '[')
		for i, e := range elements(value) {
			out = canonical(comma(out, i), e)
		}
		return append(out, ']')
	case '"':
		return quote(out, unquote(value))
	default:
		return append(out, value...)
	}
}

// comma appends what stands before the i-th element.
func comma(out []byte, i int) []byte {
	if i == 0 {
		return out
	}
	return append(out, ',')
}

// member is a member of a JSON object, its name unquoted.
type member struct{ name, value []byte }

// opening appends what stands before the value of the i-th member.
func (m member) opening(out []byte, i int) []byte {
	return append(quote(comma(out, i), m.name), ':')
}

// members lists those of a JSON object in the order of their names, each name
// once.
func members(object []byte) []member {
	list := make([]member, 0, 16) // as many as most objects have
	for rest := trim(object[1:]); rest[0] != '}'; {
		var m member
		m.name, rest = cut(rest)
		m.name = unquote(m.name)
		m.value, rest = cut(trim(rest[1:])) // after the colon
		rest = trim(bytes.TrimPrefix(rest, []byte{','}))
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	once := list[:0]
	for i, m := range list {
		if i+1 == len(list) || !bytes.Equal(m.name, list[i+1].name) {
			once = append(once, m)
		}
	}
	return once
}

// elements lists those of a JSON array.
func elements(array []byte) [][]byte {
	var list [][]byte
	for rest := trim(array[1:]); rest[0] != ']'; {
		var e []byte
		e, rest = cut(rest)
		rest = trim(bytes.TrimPrefix(rest, []byte{','}))
		list = append(list, e)
	}
	return list
}

func trim(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }

// cut cuts the JSON value off with which a text begins, and white space after
// it.
func cut(text []byte) (value, rest []byte) {
	n := length(text)
	return text[:n], trim(text[n:])
}

// length is how long the JSON value is with which a text begins.
func length(text []byte) int {
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++ // the next character is part of the string, whatever it is
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		switch c := text[i]; {
		case depth < 0:
			return i // of what the value stands in
		case depth > 0 || inString:
		case c == '"' || c == '}' || c == ']':
			return i + 1
		case bytes.IndexByte([]byte(" \t\r\n,:"), c) >= 0:
			return i
		}
	}
	return len(text)
}

// plain reports whether JSON writes a text as it is.
func plain(text []byte) bool {
	return !slices.ContainsFunc(text, func(c byte) bool {
		return c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&'
	})
}

// unquote is the text of a JSON string.
func unquote(quoted []byte) []byte {
	if text := quoted[1 : len(quoted)-1]; plain(text) {
		return text
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return quoted // never: it is a valid string
	}
	return []byte(text)
}

// quote appends a text as a JSON string.
func quote(out, text []byte) []byte {
	if !plain(text) {
		quoted, err := json.Marshal(string(text))
		if err == nil { // always
			return append(out, quoted...)
		}
	}
	return append(append(append(out, '"'), text...), '"')
}
