package lookup

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

// messageOf makes the answer to a question from records in master-file form,
// one a line, sections divided by lines of dashes.
func messageOf(t testing.TB, q question, rcode int, text string) []byte {
	t.Helper()
	m := &dns.Msg{Question: []dns.Question{{Name: q.name, Qtype: q.kind, Qclass: dns.ClassINET}}}
	m.Response, m.Rcode = true, rcode
	sections := []*[]dns.RR{&m.Answer, &m.Ns, &m.Extra}
	for i, section := range strings.Split(text, "---") {
		for line := range strings.Lines(strings.TrimSpace(section)) {
			rr, err := dns.NewRR(line)
			if err != nil {
				t.Fatal(err)
			}
			*sections[i] = append(*sections[i], rr)
		}
	}
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

// TestDecode has what a server may say, honestly or not. The result is written
// as in TestAnswers, or as the reason for which it is of no use.
func TestDecode(t *testing.T) {
	t.Parallel()
	const soa = "com. 900 IN SOA a. b. 1 2 3 4 60"
	tests := map[string]struct {
		rcode int
		text  string
		want  string
	}{
		"values":                  {0, "a.com. 60 IN A 192.0.2.1", `60 ["192.0.2.1"] []`},
		"the least TTL":           {0, "a.com. 60 IN A 192.0.2.1\na.com. 30 IN A 192.0.2.2", `30 ["192.0.2.1" "192.0.2.2"] []`},
		"TTL over 2^31":           {0, "a.com. 4294967295 IN A 192.0.2.1", `0 ["192.0.2.1"] []`},
		"value twice":             {0, "a.com. 60 IN A 192.0.2.1\na.com. 60 IN A 192.0.2.1", `60 ["192.0.2.1"] []`},
		"other owner":             {0, "b.com. 60 IN A 192.0.2.66\n---\n" + soa, `60 NODATA []`},
		"other type":              {0, "a.com. 60 IN AAAA 2001:db8::66\n---\n" + soa, `60 NODATA []`},
		"other class":             {0, "a.com. 60 CH A 192.0.2.66\n---\n" + soa, `60 NODATA []`},
		"in authority":            {0, "---\na.com. 60 IN A 192.0.2.66\n" + soa, `60 NODATA []`},
		"in additional":           {0, "---\n" + soa + "\n---\na.com. 60 IN A 192.0.2.66", `60 NODATA []`},
		"target of no alias":      {0, "a.com. 60 IN CNAME b.com.\nc.com. 60 IN A 192.0.2.66\n---\n" + soa, `60 NODATA ["b.com"]`},
		"alias backwards":         {0, "b.com. 50 IN A 192.0.2.1\na.com. 60 IN CNAME B.com.", `50 ["192.0.2.1"] ["b.com"]`},
		"alias with DNAME":        {0, "com. 60 IN DNAME net.\na.com. 60 IN CNAME a.net.\nA.net. 60 IN A 192.0.2.1", `60 ["192.0.2.1"] ["a.net"]`},
		"two aliases":             {0, "a.com. 60 IN CNAME b.com.\na.com. 60 IN CNAME c.com.", `malformed answer`},
		"alias to itself":         {0, "a.com. 60 IN CNAME a.com.", `loop of CNAMEs`},
		"aliases in a circle":     {0, "a.com. 60 IN CNAME b.com.\nB.com. 60 IN CNAME c.com.\nC.com. 60 IN CNAME b.com.", `loop of CNAMEs`},
		"too many aliases":        {0, manyAliases(maxAliases + 1), `loop of CNAMEs`},
		"many aliases":            {0, manyAliases(maxAliases) + "a.com-16. 60 IN A 192.0.2.1", ``},
		"unfinished alias":        {0, "a.com. 60 IN CNAME b.net.", `next b.net.`},
		"alias and referral":      {0, "a.com. 60 IN CNAME b.net.\n---\nnet. 60 IN NS ns.net.", `next b.net.`},
		"NODATA":                  {0, "---\n" + soa, `60 NODATA []`},
		"NODATA, short SOA TTL":   {0, "---\na.com. 20 IN SOA a. b. 1 2 3 4 60", `20 NODATA []`},
		"NODATA without SOA":      {0, "", `0 NODATA []`},
		"NODATA, SOA elsewhere":   {0, "---\nnet. 900 IN SOA a. b. 1 2 3 4 60", `0 NODATA []`},
		"NODATA, SOA half a name": {0, "---\nom. 900 IN SOA a. b. 1 2 3 4 60", `0 NODATA []`},
		"NXDOMAIN":                {3, "---\n. 900 IN SOA a. b. 1 2 3 4 60", `60 NXDOMAIN []`},
		"NXDOMAIN without SOA":    {3, "", `0 NXDOMAIN []`},
		"NXDOMAIN behind alias":   {3, "a.com. 30 IN CNAME b.com.\n---\n" + soa, `30 NXDOMAIN ["b.com"]`},
		"NXDOMAIN with values":    {3, "a.com. 60 IN A 192.0.2.1", `malformed answer`},
		"referral":                {0, "---\na.com. 60 IN NS ns.a.com.\n---\nns.a.com. 60 IN A 192.0.2.53", `no recursion`},
		"SERVFAIL with values":    {2, "a.com. 60 IN A 192.0.2.1", `SERVFAIL`},
		"NOTIMP":                  {4, "", `NOTIMP`},
		"unknown RCODE":           {12, "", `RCODE12`},
	}
	q := question{"a.com.", dns.TypeA}
	for name, tt := range tests {
		wire := messageOf(t, q, tt.rcode, strings.ReplaceAll(tt.text, "a.com-16", "a16.com"))
		if name == "many aliases" {
			tt.want = fmt.Sprintf(`60 ["192.0.2.1"] %q`, aliasNames(maxAliases))
		}
		r, bad := decode(q, wire)
		if got := decoded(r, bad); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, tt.want)
		}
	}
}

func decoded(r reply, bad *flaw) string {
	switch {
	case bad != nil:
		return string(bad.reason)
	case r.next != "":
		return "next " + r.next
	}
	return summary(r.Answer, nil)
}

// manyAliases is a chain from a.com to a1.com and so on.
func manyAliases(n int) string {
	var b strings.Builder
	from := "a.com"
	for _, to := range aliasNames(n) {
		fmt.Fprintf(&b, "%s. 60 IN CNAME %s.\n", from, to)
		from = to
	}
	return b.String()
}

func aliasNames(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("a%d.com", i+1))
	}
	return names
}

// TestCutMessagesAreMalformed cuts messages everywhere: whatever the parser
// makes of the rest, part of a set must not pass for the whole.
func TestCutMessagesAreMalformed(t *testing.T) {
	t.Parallel()
	q := question{"a.com.", dns.TypeTXT}
	const (
		answer     = "a.com. 60 IN TXT \"one\"\na.com. 60 IN TXT \"two\" \"three\"\n"
		authority  = "---\ncom. 60 IN NS ns.com.\n"
		additional = "---\nns.com. 60 IN A 192.0.2.1"
	)
	for _, text := range []string{answer, answer + authority, answer + authority + additional} {
		whole := messageOf(t, q, 0, text)
		if r, bad := decode(q, whole); bad != nil || len(r.Values) != 2 {
			t.Fatalf("whole: %+v, %v", r, bad)
		}
		for n := range len(whole) {
			if r, bad := decode(q, whole[:n]); bad == nil {
				t.Errorf("the first %d of %d bytes pass for %q", n, len(whole), r.Values)
			}
		}
	}
}

// TestEmptyDataIsMalformed: the parser takes records without data for valid,
// since dynamic updates have them. A TXT without strings is let pass, see value.
func TestEmptyDataIsMalformed(t *testing.T) {
	t.Parallel()
	for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeMX, dns.TypeCNAME, dns.TypeNS, dns.TypePTR, dns.TypeTLSA} {
		q := question{"a.com.", kind}
		m := &dns.Msg{Question: []dns.Question{{Name: q.name, Qtype: kind, Qclass: dns.ClassINET}}}
		m.Response = true
		m.Answer = []dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: q.name, Rrtype: kind, Class: dns.ClassINET, Ttl: 60}}}
		wire, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		r, bad := decode(q, wire)
		if kind == dns.TypeTXT {
			if bad != nil || len(r.Values) != 1 || r.Values[0] != "" {
				t.Errorf("TXT: %+v, %v", r, bad)
			}
			continue
		}
		if bad == nil || bad.reason != Malformed {
			t.Errorf("%s: %+v, %v", dns.Type(kind), r, bad)
		}
	}
}

func TestAnswersMatchTheirQuestions(t *testing.T) {
	t.Parallel()
	q := question{"a.com.", dns.TypeTXT}
	sent, err := q.message(true)
	if err != nil {
		t.Fatal(err)
	}
	valid := new(dns.Msg)
	if err := valid.Unpack(sent); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		change func(*dns.Msg)
		want   bool
	}{
		"as it is":         {func(*dns.Msg) {}, true},
		"other case":       {func(m *dns.Msg) { m.Question[0].Name = "A.cOm." }, true},
		"a question":       {func(m *dns.Msg) { m.Response = false }, false},
		"other opcode":     {func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }, false},
		"other ID":         {func(m *dns.Msg) { m.Id ^= 1 }, false},
		"other name":       {func(m *dns.Msg) { m.Question[0].Name = "b.com." }, false},
		"longer name":      {func(m *dns.Msg) { m.Question[0].Name = "a.com.com." }, false},
		"other type":       {func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeA }, false},
		"type in case":     {func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeTXT ^ 0x20 }, false},
		"other class":      {func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, false},
		"two questions":    {func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }, false},
		"no question":      {func(m *dns.Msg) { m.Question = nil; m.SetEdns0(512, false) }, false},
		"bare NOERROR":     {func(m *dns.Msg) { m.Question = nil }, false},
		"bare NXDOMAIN":    {func(m *dns.Msg) { m.Question, m.Rcode = nil, dns.RcodeNameError }, false},
		"bare refusal":     {func(m *dns.Msg) { m.Question, m.Rcode = nil, dns.RcodeRefused }, true},
		"refusal, bad ID":  {func(m *dns.Msg) { m.Question, m.Rcode, m.Id = nil, dns.RcodeRefused, m.Id^1 }, false},
		"bare FORMERR":     {func(m *dns.Msg) { m.Question, m.Rcode = nil, dns.RcodeFormatError }, true},
		"whole and FORMER": {func(m *dns.Msg) { m.Rcode = dns.RcodeFormatError }, true},
	}
	for name, tt := range tests {
		m := &dns.Msg{MsgHdr: valid.MsgHdr, Question: slices.Clone(valid.Question)}
		m.Response = true
		tt.change(m)
		wire, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if got := answers(sent, wire); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for n := range headerSize {
		if answers(sent, sent[:n]) {
			t.Errorf("%d bytes pass for an answer", n)
		}
	}
}

// FuzzDecode reads any bytes as the answer to a question. What comes out must
// be backed by records of the answer section, reached from the name by aliases.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		"a.com. 60 IN A 192.0.2.1",
		"a.com. 60 IN CNAME b.com.\nB.com. 60 IN A 192.0.2.1\nc.com. 60 IN A 192.0.2.66",
		"a.com. 60 IN TXT \"\\000\\\"\\\\\" \"two\"\na.com. 60 IN MX 10 b\\.c.com.",
		"a.com. 60 IN CNAME a.com.",
		"---\ncom. 900 IN SOA a. b. 1 2 3 4 60\n---\na.com. 60 IN A 192.0.2.66",
		"---\na.com. 60 IN NS ns.a.com.",
		"a.com. 60 IN TLSA 3 1 1 abcd\na.com. 60 IN CAA 0 issue \"x\"\na.com. 60 IN SRV 1 2 3 b.com.",
	} {
		for _, kind := range []uint16{dns.TypeA, dns.TypeTXT, dns.TypeMX, dns.TypeTLSA, dns.TypeCNAME} {
			f.Add(kind, messageOf(f, question{"a.com.", kind}, 0, text))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint16, wire []byte) {
		q := question{"a.com.", kind}
		sent, err := q.message(false)
		if err != nil {
			t.Skip()
		}
		if len(wire) >= 2 {
			copy(wire, sent[:2])
		}
		if !answers(sent, wire) {
			return
		}
		r, bad := decode(q, wire)
		if bad != nil {
			if len(r.Values) > 0 || r.NXDomain || r.next != "" || bad.reason == "" {
				t.Fatalf("a flaw and an answer: %+v, %v", r, bad)
			}
			return
		}
		checkBacked(t, q, wire, r)
	})
}

// checkBacked compares an answer with what the wire parser sees.
func checkBacked(t *testing.T, q question, wire []byte, r reply) {
	msg := new(dns.Msg)
	if err := msg.Unpack(wire); err != nil {
		t.Fatalf("the message can't be parsed, but has the answer %+v", r)
	}
	// same compares names as they are on the wire.
	same := func(text, canonical string) bool {
		var a, b [256]byte
		n, errA := dns.PackDomainName(text, a[:], 0, nil, false)
		m, errB := dns.PackDomainName(canonical, b[:], 0, nil, false)
		return errA == nil && errB == nil && bytes.Equal(bytes.ToLower(a[:n]), bytes.ToLower(b[:m]))
	}
	owner := q.name
	for _, alias := range r.Aliases {
		if !slices.ContainsFunc(msg.Answer, func(rr dns.RR) bool {
			c, ok := rr.(*dns.CNAME)
			return ok && c.Hdr.Class == dns.ClassINET && same(c.Hdr.Name, owner) && same(c.Target, dns.Fqdn(string(alias)))
		}) {
			t.Fatalf("nothing says that %s is %s", owner, alias)
		}
		owner = dns.Fqdn(string(alias))
	}
	backed := 0
	for _, rr := range msg.Answer {
		if rr.Header().Rrtype == q.kind && rr.Header().Class == dns.ClassINET && same(rr.Header().Name, owner) {
			backed++
			if v, err := value(rr); err != nil || !slices.Contains(r.Values, v) {
				t.Fatalf("%v is left out (%v)", rr, err)
			}
		}
	}
	if len(r.Values) > backed || r.NXDomain && len(r.Values) > 0 || r.TTL > uint32(records.MaxTTL) {
		t.Fatalf("%d values of %d records: %+v", len(r.Values), backed, r)
	}
}
