package cloudflaretest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

// Put makes a set be what it is given as, as somebody else would who deletes
// and creates its records; without values it goes.
func (s *Server) Put(zoneID string, set records.RRset) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	z := s.zone(zoneID)
	z.records = slices.DeleteFunc(z.records, func(r Record) bool {
		return r.Name == string(set.Name) && r.Type == string(set.Type)
	})
	for _, v := range set.Values {
		g := input(set, v)
		if _, f := s.post(z, g); f != nil {
			return fmt.Errorf("%s %q: %s %v", set.Key, v, f.text, f.chain)
		}
	}
	return nil
}

// input is a value of a set as a request has it.
func input(set records.RRset, v records.Value) given {
	kind, name, content, ttl := string(set.Type), string(set.Name), string(v), float64(set.TTLOf(v))
	if set.TTLOf(v) == records.AutoTTL {
		ttl = 1
	}
	g := given{Type: &kind, Name: &name, Content: &content, TTL: &ttl}
	fields := strings.Fields(content)
	switch names := dataFields[kind]; {
	case kind == "TXT":
		content = quoteAll([]string{content})
	case kind == "MX":
		n, _ := strconv.ParseFloat(fields[0], 64)
		g.Priority, content = &n, fields[1]
	case names != nil:
		g.Data = make(map[string]any)
		for i, field := range names {
			word := fields[i]
			if i == len(names)-1 {
				word = strings.Trim(strings.Join(fields[i:], " "), `"`)
			}
			g.Data[field] = word
			if n, err := strconv.ParseFloat(word, 64); err == nil && !slices.Contains(wordFields, field) {
				g.Data[field] = n
			}
		}
	}
	return g
}

// Look returns the sets of a zone as the world would see them.
func (s *Server) Look(zoneID string) (records.Zone, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	z := s.zone(zoneID)
	sets := make(map[records.Key]records.RRset)
	for _, r := range z.records {
		key := records.Key{Name: records.Name(r.Name), Type: records.Type(r.Type)}
		v, err := r.value()
		if err != nil {
			return records.Zone{}, fmt.Errorf("%s: %w", key, err)
		}
		ttl := records.TTL(r.TTL)
		if r.TTL == 1 {
			ttl = records.AutoTTL
		}
		set, ok := sets[key]
		if !ok {
			set = records.RRset{Key: key, TTL: ttl, TTLs: map[records.Value]records.TTL{}}
		}
		set.Values = append(set.Values, v)
		set.TTLs[v] = ttl
		sets[key] = set
	}
	out := records.NewZone(z.Name, 0)
	for _, set := range sets {
		whole := records.NewRRset(set.Key, set.TTL, set.Values...)
		whole.TTLs = set.TTLs
		out = out.With(whole)
	}
	return out, nil
}

// value is the record's data as the world sees it.
func (r Record) value() (records.Value, error) {
	data := r.Content
	switch r.Type {
	case "TXT":
		strs, err := characterStrings(r.Content)
		return records.Value(strings.Join(strs, "")), err
	case "MX":
		data = fmt.Sprintf("%d %s", *r.Priority, r.Content)
	case "SRV":
		data = fmt.Sprintf("%d %s", *r.Priority, r.Content)
	}
	return records.CanonicalData(records.Type(r.Type), data)
}

// characterStrings reads the content of a TXT record (RFC 1035 5.1): by way of
// the wire, which alone shows what the bytes are.
func characterStrings(content string) ([]string, error) {
	if n, ok := countStrings(content); !ok || n == 0 {
		return nil, errors.New("it must consist of quoted strings")
	}
	parsed, err := dns.NewRR("x. 60 IN TXT " + content)
	if err != nil || parsed == nil {
		return nil, fmt.Errorf("it can't be read: %w", err)
	}
	buf := make([]byte, 65536)
	end, err := dns.PackRR(parsed, buf, 0, nil, false)
	if err != nil {
		return nil, err
	}
	const header = 3 + 10 // the name x. and what comes before the data
	var out []string
	for data := buf[header:end]; len(data) > 0; data = data[1+int(data[0]):] {
		out = append(out, string(data[1:1+int(data[0])]))
	}
	return out, nil
}

// countStrings counts the quoted strings that a text consists of; not ok says
// that it has something else in it.
func countStrings(text string) (n int, ok bool) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
			if quoted {
				n++
			}
		case !quoted && c != ' ', c == '\n', c == '\r':
			return n, false
		}
	}
	return n, !quoted
}

// quoteAll writes strings as the content of a TXT record.
func quoteAll(strs []string) string {
	var b strings.Builder
	for i, s := range strs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteByte('"')
		for _, c := range []byte(s) {
			switch {
			case c == '"' || c == '\\':
				b.WriteByte('\\')
				b.WriteByte(c)
			case c < 0x20 || c > 0x7e:
				fmt.Fprintf(&b, `\%03d`, c)
			default:
				b.WriteByte(c)
			}
		}
		b.WriteByte('"')
	}
	return b.String()
}
