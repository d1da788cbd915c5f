package updatetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

// The key of every server that a test starts.
const (
	KeyName   = "maildns-test"
	Algorithm = "hmac-sha256"
	Secret    = "bWFpbGRucy10ZXN0LWtleS1vZi0zMi1ieXRlcyEhISE="
)

// Primary is a server that holds a zone, as somebody else sees it than the
// provider under test: nothing here shares code with that.
type Primary struct {
	Addr string
	Zone records.Name
}

// Look is the zone as it stands, without its own name servers, which every
// zone has.
func (p Primary) Look(t testing.TB) records.Zone {
	t.Helper()
	rrs, err := p.transfer()
	if err != nil {
		t.Fatalf("looking at the zone: %v", err)
	}
	sets := make(map[records.Key]records.RRset)
	for _, rr := range rrs {
		k := keyOf(rr)
		if k.Type.HostOwned() || p.isOwn(k) {
			continue
		}
		sets[k] = records.NewRRset(k, records.TTL(rr.Header().Ttl), append(sets[k].Values, valueOf(t, rr))...)
	}
	var all []records.RRset
	for _, s := range sets {
		all = append(all, s)
	}
	return records.NewZone(p.Zone, 0, all...)
}

// Records are the zone's records in the form of a zone file, the SOA aside.
func (p Primary) Records(t testing.TB) []string {
	t.Helper()
	rrs, err := p.transfer()
	if err != nil {
		t.Fatalf("looking at the zone: %v", err)
	}
	var lines []string
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeSOA {
			lines = append(lines, strings.ReplaceAll(rr.String(), "\t", " "))
		}
	}
	slices.Sort(lines)
	return lines
}

// Serial is the serial of the zone's SOA.
func (p Primary) Serial(t testing.TB) uint32 {
	t.Helper()
	rrs, err := p.transfer()
	if err != nil {
		t.Fatalf("looking at the zone: %v", err)
	}
	soa, ok := rrs[0].(*dns.SOA)
	if !ok {
		t.Fatalf("the transfer begins with %v", rrs[0])
	}
	return soa.Serial
}

func (p Primary) isOwn(k records.Key) bool {
	return k.Name == p.Zone && k.Type == records.TypeNS
}

func keyOf(rr dns.RR) records.Key {
	return records.Key{
		Name: records.Name(strings.ToLower(strings.TrimSuffix(rr.Header().Name, "."))),
		Type: records.Type(dns.Type(rr.Header().Rrtype).String()),
	}
}

// valueOf reads a text from its bytes on the wire.
func valueOf(t testing.TB, rr dns.RR) records.Value {
	t.Helper()
	if _, ok := rr.(*dns.TXT); ok {
		return textOf(t, rr)
	}
	_, data, _ := strings.Cut(rr.String(), "\t"+dns.Type(rr.Header().Rrtype).String()+"\t")
	v, err := records.CanonicalData(keyOf(rr).Type, data)
	if err != nil {
		t.Fatalf("%v: %v", rr, err)
	}
	return v
}

func textOf(t testing.TB, rr dns.RR) records.Value {
	t.Helper()
	wire := make([]byte, dns.MaxMsgSize*2)
	end, err := dns.PackRR(rr, wire, 0, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	_, start, err := dns.UnpackDomainName(wire, 0)
	if err != nil {
		t.Fatal(err)
	}
	const header = 10 // type, class, TTL, length
	var text []byte
	for data := wire[start+header : end]; len(data) > 0; {
		length := int(data[0])
		text = append(text, data[1:1+length]...)
		data = data[1+length:]
	}
	return records.Value(text)
}

func (p Primary) fqdn() string { return string(p.Zone) + "." }

func sign(m *dns.Msg) *dns.Msg {
	return m.SetTsig(KeyName+".", Algorithm+".", 300, time.Now().Unix())
}

// secrets is as the library wants it.
func secrets() map[string]string { return map[string]string{KeyName + ".": Secret} }

func (p Primary) transfer() ([]dns.RR, error) {
	transfer := &dns.Transfer{TsigSecret: secrets(), ReadTimeout: time.Minute}
	envelopes, err := transfer.In(sign(new(dns.Msg).SetAxfr(p.fqdn())), p.Addr)
	if err != nil {
		return nil, err
	}
	var rrs []dns.RR
	for e := range envelopes {
		if e.Error != nil {
			return nil, e.Error
		}
		rrs = append(rrs, e.RR...)
	}
	return rrs[:len(rrs)-1], nil // the last is the SOA again
}

// update sends an update that must succeed.
func (p Primary) update(t testing.TB, m *dns.Msg) {
	t.Helper()
	client := &dns.Client{Net: "tcp", TsigSecret: secrets(), Timeout: time.Minute}
	answer, _, err := client.ExchangeContext(context.Background(), sign(m), p.Addr)
	if err != nil {
		t.Fatalf("changing the zone: %v", err)
	}
	if answer.Rcode != dns.RcodeSuccess {
		t.Fatalf("changing the zone: %s", dns.RcodeToString[answer.Rcode])
	}
}

// Edit brings a set to a state, as somebody else does; without values it goes.
func (p Primary) Edit(t testing.TB, s records.RRset) {
	t.Helper()
	m := new(dns.Msg).SetUpdate(p.fqdn())
	remove(m, s.Key)
	m.Insert(rrsOf(t, s))
	p.update(t, m)
}

// Put makes the zone hold these sets, and nothing else but its SOA and its own
// name servers.
func (p Primary) Put(t testing.TB, sets ...records.RRset) {
	t.Helper()
	m := new(dns.Msg).SetUpdate(p.fqdn())
	for s := range p.Look(t).All() {
		remove(m, s.Key)
	}
	for _, s := range sets {
		m.Insert(rrsOf(t, s))
		if m.Len() > dns.MaxMsgSize/2 {
			p.update(t, m)
			m = new(dns.Msg).SetUpdate(p.fqdn())
		}
	}
	if len(m.Ns) > 0 {
		p.update(t, m)
	}
}

// Add adds records in the form of a zone file.
func (p Primary) Add(t testing.TB, lines ...string) {
	t.Helper()
	m := new(dns.Msg).SetUpdate(p.fqdn())
	for _, line := range lines {
		m.Insert([]dns.RR{parse(t, line)})
	}
	p.update(t, m)
}

func remove(m *dns.Msg, k records.Key) {
	code := dns.StringToType[string(k.Type)]
	m.RemoveRRset([]dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: string(k.Name) + ".", Rrtype: code}}})
}

func parse(t testing.TB, line string) dns.RR {
	t.Helper()
	rr, err := dns.NewRR(line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return rr
}

func rrsOf(t testing.TB, s records.RRset) []dns.RR {
	t.Helper()
	var rrs []dns.RR
	for _, v := range s.Values {
		head := fmt.Sprintf("%s. %d IN %s ", s.Name, s.TTL, s.Type)
		if s.Type != records.TypeTXT {
			rrs = append(rrs, parse(t, head+records.AbsoluteData(s.Type, v)))
			continue
		}
		rrs = append(rrs, text(s, v))
	}
	return rrs
}

// text writes every byte by its number.
func text(s records.RRset, v records.Value) *dns.TXT {
	out := &dns.TXT{Hdr: dns.RR_Header{Name: string(s.Name) + ".", Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: uint32(s.TTL)}}
	const longest = 255 // of a string, RFC 1035 3.3
	for piece := range slices.Chunk([]byte(v), longest) {
		var b strings.Builder
		for _, c := range piece {
			fmt.Fprintf(&b, `\%03d`, c)
		}
		out.Txt = append(out.Txt, b.String())
	}
	if len(v) == 0 {
		out.Txt = []string{""}
	}
	return out
}

func frame(wire []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)
}
