package zonefile_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/records"
)

// chunk is a piece of a generated file: whole lines.
type chunk struct {
	text string
	// Of a record: its set, what of the text must survive when its
	// beginning may not, and what it leaves to the lines above it.
	key           records.Key
	tail          string
	inheritsOwner bool
	inheritsTTL   bool
}

// messy draws a zone file as people write them: all forms of names, TTLs,
// classes, parentheses, comments, quotes and escapes.
type messy struct {
	t        *rapid.T
	end      string
	standard bool // has $TTL
	owner    string
	chunks   []chunk
}

var (
	owners  = []string{"@", "a", "b.a", "_dmarc", "s1._domainkey", "*.w"}
	types   = []records.Type{"TXT", "TXT", "TXT", "MX", "A", "CAA"}
	oddText = rapid.StringOfN(rapid.SampledFrom([]rune("abv=spf1 ;\"\\()@$\t\x00é~")), 0, 12, -1)
)

func drawValue(t *rapid.T, kind records.Type) records.Value {
	switch kind {
	case "MX":
		return records.Value(fmt.Sprintf("%d m%d.example.net", rapid.IntRange(0, 3).Draw(t, "preference"), rapid.IntRange(0, 2).Draw(t, "host")))
	case "A":
		return records.Value(fmt.Sprintf("192.0.2.%d", rapid.IntRange(0, 5).Draw(t, "address")))
	case "CAA":
		return records.Value(fmt.Sprintf(`0 issue "ca%d.example"`, rapid.IntRange(0, 3).Draw(t, "ca")))
	}
	text := oddText.Draw(t, "text")
	if rapid.IntRange(0, 9).Draw(t, "long") == 0 {
		text += strings.Repeat("x", rapid.IntRange(240, 520).Draw(t, "length"))
	}
	return records.Value(text)
}

func drawKey(t *rapid.T) records.Key {
	return key(rapid.SampledFrom(owners).Draw(t, "owner"), rapid.SampledFrom(types).Draw(t, "type"))
}

func (m *messy) pick(of ...string) string { return rapid.SampledFrom(of).Draw(m.t, "form") }

func (m *messy) add(c chunk) {
	c.text = strings.ReplaceAll(c.text, "\n", m.end)
	c.tail = strings.ReplaceAll(c.tail, "\n", m.end)
	m.chunks = append(m.chunks, c)
}

func (m *messy) record(k records.Key, v records.Value) {
	c := chunk{key: k}
	owner := k.Name.Relative(zone)
	owner = m.pick(owner, string(k.Name)+".", strings.ToUpper(owner))
	if string(k.Name) == m.owner && rapid.Bool().Draw(m.t, "inherit") {
		owner, c.inheritsOwner = m.pick("", "  ", "\t\t"), true
	}
	m.owner = string(k.Name)
	ttl := m.pick("", "60", "5m", "3600")
	c.inheritsTTL = ttl == ""
	class := m.pick("", "IN", "in")
	fields := []string{ttl, class}
	if rapid.Bool().Draw(m.t, "class first") {
		fields = []string{class, ttl}
	}
	head := owner + m.pick(" ", "\t", "   ")
	for _, f := range fields {
		if f != "" {
			head += f + m.pick(" ", "\t ")
		}
	}
	c.tail = m.data(k.Type, v)
	c.text = head + c.tail
	m.add(c)
}

// data is type, data and comment in one of several forms.
func (m *messy) data(kind records.Type, v records.Value) string {
	words := []string{records.AbsoluteData(kind, v)}
	if kind == "TXT" {
		words = m.strings(string(v))
	}
	comment := m.pick("\n", " ; comment (\n", ";\"\n")
	name := m.pick(string(kind), strings.ToLower(string(kind)))
	if rapid.IntRange(0, 3).Draw(m.t, "parentheses") == 0 {
		return name + " ( " + strings.Join(words, m.pick(" ", "\n\t", " ; inner )\n ")) + m.pick(")", "\n )") + comment
	}
	return name + " " + strings.Join(words, " ") + comment
}

// strings cuts a text into character-strings anywhere.
func (m *messy) strings(text string) []string {
	var words []string
	for {
		n := min(rapid.IntRange(1, 255).Draw(m.t, "cut"), len(text))
		var b strings.Builder
		for _, c := range []byte(text[:n]) {
			switch {
			case c < ' ' || c > '~' || rapid.IntRange(0, 20).Draw(m.t, "escape") == 0:
				fmt.Fprintf(&b, `\%03d`, c)
			case c == '"' || c == '\\':
				b.WriteString(`\` + string(c))
			default:
				b.WriteByte(c)
			}
		}
		words = append(words, `"`+b.String()+`"`)
		if text = text[n:]; text == "" {
			return words
		}
	}
}

func drawFile(t *rapid.T) *messy {
	m := &messy{t: t, end: rapid.SampledFrom([]string{"\n", "\n", "\r\n"}).Draw(t, "line end")}
	if m.standard = rapid.Bool().Draw(t, "$TTL"); m.standard {
		m.add(chunk{text: "$TTL 1h ; default\n"})
	}
	m.add(chunk{text: m.pick("@ 3600 IN SOA a b 1 2 3 4 300\n", "@ SOA a b (\n\t2026112401 ; serial\n 2 3 4 300 )\n"), key: key("@", "SOA")})
	m.owner = string(zone)
	for range rapid.IntRange(0, 12).Draw(t, "chunks") {
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			m.add(chunk{text: m.pick("\n", "; comment \" (\n", "   \n", "\t; x\n")})
		case 1:
			m.add(chunk{text: m.pick("$ORIGIN example.com.\n", "$origin example.com. ; same\n")})
		default:
			k := drawKey(t)
			if rapid.Bool().Draw(t, "same name") {
				k.Name = records.Name(m.owner)
			}
			m.record(k, drawValue(t, k.Type))
		}
	}
	return m
}

func (m *messy) text() string {
	var b strings.Builder
	for _, c := range m.chunks {
		b.WriteString(c.text)
	}
	return b.String()
}

// drawChanges draws sets that grow, shrink, change, come and go.
func drawChanges(t *rapid.T, z records.Zone) []records.Change {
	var changes []records.Change
	for range rapid.IntRange(1, 4).Draw(t, "changes") {
		k := drawKey(t)
		if sets := z.Sets(); len(sets) > 0 && rapid.IntRange(0, 3).Draw(t, "new set") > 0 {
			k = rapid.SampledFrom(sets).Draw(t, "set").Key
		}
		if slices.ContainsFunc(changes, func(c records.Change) bool { return c.Key == k }) {
			continue
		}
		before, _ := z.Set(k)
		var values []records.Value
		for _, v := range before.Values {
			if rapid.Bool().Draw(t, "keep") {
				values = append(values, v)
			}
		}
		for range rapid.IntRange(0, 2).Draw(t, "new values") {
			values = append(values, drawValue(t, k.Type))
		}
		ttl := rapid.SampledFrom([]records.TTL{60, 300, 3600}).Draw(t, "new TTL")
		changes = append(changes, to(z, records.NewRRset(k, ttl, values...)))
	}
	return changes
}

// TestProperty3ForeignValuesSurviveInFiles: after any change the zone is what
// the model says, the way back restores it, and lines that don't belong to a
// changed set are there byte for byte and in order, comments too. Only a line
// that inherited from a changed one may get its name or TTL written out.
func TestProperty3ForeignValuesSurviveInFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		inner, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		m := drawFile(t)
		p := place(t, inner, m.text())
		before := readZone(t, p)
		changes := drawChanges(t, before)
		want, err := before.Apply(changes)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Transact(context.Background(), zone, changes); err != nil {
			t.Fatalf("%v in\n%s", err, m.text())
		}
		if got := readZone(t, p); !got.Equal(want) {
			t.Fatalf("got %v, want %v", got.Sets(), want.Sets())
		}
		m.checkUntouched(t, contents(t, p), changes)
		var back []records.Change
		for _, c := range changes {
			back = append(back, c.Reverse())
		}
		if err := p.Transact(context.Background(), zone, back); err != nil {
			t.Fatal(err)
		}
		if got := readZone(t, p); !got.Equal(before) {
			t.Fatalf("after the way back: got %v, want %v", got.Sets(), before.Sets())
		}
	})
}

func (m *messy) checkUntouched(t *rapid.T, text string, changes []records.Change) {
	changed := map[records.Key]bool{}
	for _, c := range changes {
		changed[c.Key] = true
	}
	rest, above := text, false
	for _, c := range m.chunks {
		if c.key.Type == "SOA" || changed[c.key] {
			above = c.key.Type != "SOA"
			continue
		}
		must := c.text
		if c.key.Type != "" {
			if c.inheritsOwner && above || c.inheritsTTL && !m.standard {
				must = c.tail
			} else {
				above = false
			}
		}
		_, after, found := strings.Cut(rest, must)
		if !found {
			t.Fatalf("%q is gone or out of order.\nbefore:\n%s\nafter:\n%s", must, m.text(), text)
		}
		rest = after
	}
}
