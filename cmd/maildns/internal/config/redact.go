package config

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// minSecret is the length from which a value is kept out of the output. A
// shorter one, such as "eu" or "true", would be found in half of all words;
// a secret attribute with so short a value is an error instead.
const minSecret = 6

// Secrets are the values that env() has read, each to be shown as (env NAME).
// Attributes that come from env() are never printed by their value anyway;
// this is for what others print, such as the errors of a library. The methods
// are safe for concurrent use. The zero value has no secrets.
type Secrets struct {
	mu       sync.Mutex
	names    map[string]string // by value, in every form that it may be printed in
	replacer *strings.Replacer // of names, nil when it has to be made
	longest  []string          // the forms, longest first
}

// Add keeps the value of an environment variable out of all output from now on.
func (s *Secrets) Add(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = map[string]string{}
	}
	for _, form := range forms(value) {
		if have, ok := s.names[form]; len(form) >= minSecret && (!ok || name < have) {
			s.names[form] = name
		}
	}
	s.replacer = nil
}

// forms lists how a value may turn up in text: as it is, escaped for JSON, Go,
// or a URL, in the header of HTTP basic authentication, and the parts of a URL
// that hold its secrets.
func forms(value string) []string {
	trimmed := strings.TrimSpace(value)
	out := []string{value, trimmed}
	if u, err := url.Parse(trimmed); err == nil && u.Scheme != "" {
		out = append(out, secretParts(u)...)
	}
	for _, v := range slices.Clone(out) {
		quoted := strconv.Quote(v)
		out = append(out, quoted[1:len(quoted)-1], url.QueryEscape(v), url.PathEscape(v), base64.StdEncoding.EncodeToString([]byte(v)))
		if b, err := json.Marshal(v); err == nil {
			out = append(out, string(b[1:len(b)-1]))
		}
	}
	return out
}

// secretParts are the parts of a URL that a library may print alone: user,
// password, query values, and what follows the scheme.
func secretParts(u *url.URL) []string {
	var out []string
	if u.User != nil {
		password, _ := u.User.Password()
		out = append(out, u.User.Username(), password, u.User.String())
	}
	for _, values := range u.Query() {
		out = append(out, values...)
	}
	if _, rest, found := strings.Cut(u.String(), "://"); found {
		out = append(out, rest)
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if len(part) >= 2*minSecret {
			out = append(out, part)
		}
	}
	return out
}

// Redact replaces the secrets in a text.
func (s *Secrets) Redact(text string) string {
	replacer, _ := s.prepared()
	return replacer.Replace(text)
}

// prepared returns the replacer, which prefers the longest of several secrets
// that begin at one place.
func (s *Secrets) prepared() (*strings.Replacer, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.replacer == nil {
		s.longest = slices.SortedFunc(maps.Keys(s.names), func(a, b string) int {
			return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
		})
		pairs := make([]string, 0, 2*len(s.longest))
		for _, form := range s.longest {
			pairs = append(pairs, form, "(env "+s.names[form]+")")
		}
		s.replacer = strings.NewReplacer(pairs...)
	}
	return s.replacer, s.longest
}

// Writer returns a writer that replaces secrets in what is written to w, also
// where a secret comes in several parts: text that could be the beginning of
// one is kept until more comes or Flush is called.
func (s *Secrets) Writer(w io.Writer) *RedactingWriter {
	return &RedactingWriter{secrets: s, to: w}
}

// RedactingWriter is what Secrets.Writer returns. It is not safe for
// concurrent use.
type RedactingWriter struct {
	secrets *Secrets
	to      io.Writer
	kept    string
}

// Write implements io.Writer. It reports all of p as written where w took what
// was due.
func (r *RedactingWriter) Write(p []byte) (int, error) {
	replacer, forms := r.secrets.prepared()
	text := r.kept + string(p)
	keep := len(text) - beginning(text, forms)
	r.kept = text[keep:]
	if _, err := io.WriteString(r.to, replacer.Replace(text[:keep])); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what was kept.
func (r *RedactingWriter) Flush() error {
	text := r.secrets.Redact(r.kept)
	r.kept = ""
	if text == "" {
		return nil
	}
	_, err := io.WriteString(r.to, text)
	return err
}

// beginning returns how much of the end of a text must be kept, since it could
// become a secret with what follows: from the first secret that is not whole
// on, but never so that a whole one before it is cut in two.
func beginning(text string, forms []string) int {
	longest := 0
	for _, form := range forms {
		for n := min(len(form)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, form[:n]) {
				longest = n
				break
			}
		}
	}
	return extend(text, forms, longest)
}

// extend moves the cut before any whole secret that it would go through.
func extend(text string, forms []string, keep int) int {
	for moved := keep > 0; moved; {
		moved = false
		cut := len(text) - keep
		for _, form := range forms {
			from := max(0, cut-len(form)+1)
			if i := strings.Index(text[from:min(len(text), cut+len(form)-1)], form); i >= 0 && from+i < cut {
				keep, moved = len(text)-from-i, true
				break
			}
		}
	}
	return keep
}
