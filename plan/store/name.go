package store

import (
	"fmt"
	"net/url"
	"strings"
)

// Limits that every store keeps: those of S3 and of common file systems.
const (
	maxName      = 1024
	maxComponent = 255
)

// Escape turns any text into one component of a name: what is no lower-case
// letter, digit, hyphen, underscore or inner dot becomes %XX. Different texts
// give different components, on file systems that fold case too.
func Escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Unescape reads what Escape wrote.
func Unescape(component string) (string, error) {
	text, err := url.PathUnescape(component)
	if err != nil || Escape(text) != component {
		return "", fmt.Errorf("%q is not a component that Escape writes", component)
	}
	return text, nil
}

// checkName says what is wrong with an object's name.
func checkName(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("the object name %q has %d bytes, at most %d are possible", name, len(name), maxName)
	}
	for component := range strings.SplitSeq(name, "/") {
		if err := checkComponent(component); err != nil {
			return fmt.Errorf("the object name %q: %w", name, err)
		}
	}
	return nil
}

func checkComponent(c string) error {
	switch {
	case c == "":
		return fmt.Errorf("it has an empty component")
	case len(c) > maxComponent:
		return fmt.Errorf("a component has %d bytes, at most %d are possible", len(c), maxComponent)
	case c[0] == '.':
		return fmt.Errorf("the component %q begins with a dot", c)
	}
	for i := range len(c) {
		if !nameByte(c[i]) {
			return fmt.Errorf("the component %q contains %q", c, c[i])
		}
	}
	return nil
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.%=+@,", c) >= 0
}

// directory returns the part of a prefix that is whole components, with its
// slash, and checks it as a name.
func directory(prefix string) (string, error) {
	dir := prefix[:strings.LastIndexByte(prefix, '/')+1]
	if dir == "" {
		return "", nil
	}
	return dir, checkName(strings.TrimSuffix(dir, "/"))
}

// matches reports whether a query asks for a name.
func (q Query) matches(name string) bool {
	return strings.HasPrefix(name, q.Prefix) && name > q.After
}

// full reports whether n objects are all that the query wants.
func (q Query) full(n int) bool { return q.Limit > 0 && n >= q.Limit }
