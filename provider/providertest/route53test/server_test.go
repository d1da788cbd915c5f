package route53test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/records"
)

const signature = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/route53/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// ask makes a signed request and returns the answer's status and body.
func ask(t *testing.T, s *Server, method, path, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://route53.amazonaws.com/2013-04-01/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", signature)
	r.Header.Set("X-Amz-Date", "20261124T000000Z")
	return do(t, s, r)
}

func do(t *testing.T, s *Server, r *http.Request) (status int, answer string) {
	t.Helper()
	w, err := s.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.StatusCode, string(text)
}

// batch is the request of changes, each of an action and a set.
func batch(changes ...any) string {
	var b strings.Builder
	b.WriteString(`<ChangeResourceRecordSetsRequest xmlns="` + namespace + `"><ChangeBatch><Changes>`)
	for i := 0; i < len(changes); i += 2 {
		text, err := xml.Marshal(struct {
			XMLName xml.Name `xml:"Change"`
			Action  any
			Set     any `xml:"ResourceRecordSet"`
		}{Action: changes[i], Set: changes[i+1]})
		if err != nil {
			panic(err)
		}
		b.Write(text)
	}
	return b.String() + "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
}

func plain(name, kind string, seconds int64, values ...string) Set {
	s := Set{Name: name, Type: kind, TTL: ttl(seconds)}
	for _, v := range values {
		s.ResourceRecords = append(s.ResourceRecords, Record{v})
	}
	return s
}

// TestBatches: what the service refuses, the fake refuses, with all of the batch.
func TestBatches(t *testing.T) {
	t.Parallel()
	weighted := plain("w.example.com", "A", 60, "192.0.2.1")
	weighted.SetIdentifier, weighted.Weight = "a", ttl(1)
	heavy := weighted
	heavy.Weight = ttl(2)
	alias := Set{Name: "al.example.com", Type: "A", AliasTarget: &AliasTarget{HostedZoneID: "Z2", DNSName: "x.example.net."}}
	many := make([]string, 501)
	for i := range many {
		many[i] = fmt.Sprintf("192.0.%d.%d", i/256, i%256)
	}
	cases := []struct {
		name    string
		changes []any
		says    string // empty: it is made
	}{
		{"create", []any{"CREATE", plain("n.example.com", "MX", 60, "10 a.example", "20 b.example.")}, ""},
		{"replace", []any{"DELETE", plain("a.example.com", "TXT", 60, `"y"`, `"x"`), "CREATE", plain("a.example.com", "CNAME", 60, "b.example")}, ""},
		{"alias and weighted", []any{"CREATE", alias, "CREATE", heavy, "UPSERT", weighted}, ""},
		{"delete another value", []any{"DELETE", plain("a.example.com", "TXT", 60, `"x"`)}, "do not match the current values"},
		{"delete another TTL", []any{"DELETE", plain("a.example.com", "TXT", 61, `"x"`, `"y"`)}, "do not match the current values"},
		{"delete another form", []any{"DELETE", plain("a.example.com", "TXT", 60, `"x"`, `"\171"`)}, "do not match the current values"},
		{"delete nothing", []any{"DELETE", plain("b.example.com", "TXT", 60, `"x"`)}, "but it was not found"},
		{"delete twice", []any{"DELETE", plain("a.example.com", "TXT", 60, `"x"`, `"y"`), "DELETE", plain("a.example.com", "TXT", 60, `"x"`, `"y"`)}, "but it was not found"},
		{"create what exists", []any{"CREATE", plain("A.example.com.", "TXT", 60, `"x"`)}, "but it already exists"},
		{"CNAME beside", []any{"CREATE", plain("a.example.com", "CNAME", 60, "b.example")}, "conflicts with other records"},
		{"beside a CNAME", []any{"CREATE", plain("c.example.com", "TXT", 60, `"x"`)}, "conflicting RRSet of type CNAME"},
		{"CNAME at the apex", []any{"CREATE", plain("example.com", "CNAME", 60, "b.example")}, "not permitted at apex"},
		{"two CNAMEs", []any{"CREATE", plain("d.example.com", "CNAME", 60, "b.example", "c.example")}, "at most one value"},
		{"elsewhere", []any{"CREATE", plain("a.example.net", "TXT", 60, `"x"`)}, "not permitted in zone"},
		{"no label boundary", []any{"CREATE", plain("badexample.com", "TXT", 60, `"x"`)}, "not permitted in zone"},
		{"plain beside weighted", []any{"CREATE", weighted, "CREATE", plain("w.example.com", "A", 60, "192.0.2.9")}, "cannot be created"},
		{"no quotation marks", []any{"CREATE", plain("n.example.com", "TXT", 60, "x")}, "enclosed in quotation marks"},
		{"not closed", []any{"CREATE", plain("n.example.com", "TXT", 60, `"x`)}, "enclosed in quotation marks"},
		{"256 bytes", []any{"CREATE", plain("n.example.com", "TXT", 60, `"`+strings.Repeat("x", 256)+`"`)}, "TooLong"},
		{"not ASCII", []any{"CREATE", plain("n.example.com", "TXT", 60, `"é"`)}, "unsupported characters"},
		{"4,001 characters", []any{"CREATE", plain("n.example.com", "TXT", 60, strings.Repeat(`"" `, 1333)+`""`)}, "more than 4000"},
		{"twice the same", []any{"CREATE", plain("n.example.com", "TXT", 60, `"x"`, `"x"`)}, "Duplicate"},
		{"MX without preference", []any{"CREATE", plain("n.example.com", "MX", 60, "a.example")}, "is no MX"},
		{"IPv6 as A", []any{"CREATE", plain("n.example.com", "A", 60, "2001:db8::1")}, "is no A"},
		{"no type", []any{"CREATE", plain("n.example.com", "LOC", 60, "x")}, "is no LOC"},
		{"no TTL", []any{"CREATE", Set{Name: "n.example.com", Type: "A", ResourceRecords: []Record{{"192.0.2.1"}}}}, "Expected exactly one of"},
		{"the name servers", []any{"DELETE", plain("example.com", "NS", 172800, "ns-1.awsdns-01.org.", "ns-2.awsdns-02.co.uk.")}, "at least one NS record"},
		{"UPSERT counts twice", []any{"UPSERT", plain("n.example.com", "A", 60, many...)}, "limit of 1000"},
		{"CREATE counts once", []any{"CREATE", plain("n.example.com", "A", 60, many...)}, ""},
		{"no such action", []any{"UPDATE", plain("n.example.com", "A", 60, "192.0.2.1")}, "not valid"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &Server{}
			id := s.AddZone("example.com", false)
			s.Put(id, records.NewRRset(records.Key{Name: "a.example.com", Type: "TXT"}, 60, "x", "y"))
			s.Put(id, records.NewRRset(records.Key{Name: "c.example.com", Type: "CNAME"}, 60, "b.example"))
			before := s.Sets(id)
			other := []any{"CREATE", plain("zz.example.com", "TXT", 60, `"of the same batch"`)}
			status, answer := ask(t, s, http.MethodPost, "hostedzone/"+id+"/rrset/", batch(append(other, c.changes...)...))
			after := s.Sets(id)
			there := slices.ContainsFunc(after, func(s Set) bool { return s.Name == "zz.example.com." })
			switch {
			case c.says == "" && (status != http.StatusOK || !there || !strings.Contains(answer, "<Status>PENDING</Status>")):
				t.Errorf("status %d: %s", status, answer)
			case c.says != "" && (status != http.StatusBadRequest || !strings.Contains(answer, c.says) || !strings.Contains(answer, "<InvalidChangeBatch")):
				t.Errorf("status %d: %s", status, answer)
			case c.says != "" && fmt.Sprint(len(after)) != fmt.Sprint(len(before)):
				t.Errorf("refused, and made all the same: %v", after)
			}
		})
	}
}

// TestRefusals of requests that are none.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := &Server{Denied: []Action{ListHostedZones}}
	id := s.AddZone("example.com", false)
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "hostedzone/ZNONE/rrset", "", 404, "NoSuchHostedZone"},
		{"GET", "change/CNONE", "", 404, "NoSuchChange"},
		{"GET", "healthcheck", "", 404, "UnknownOperation"},
		{"GET", "hostedzone", "", 403, "AccessDenied"},
		{"GET", "hostedzone/" + id + "/rrset?type=A", "", 400, "InvalidInput"},
		{"GET", "hostedzone/" + id + "/rrset?maxitems=0", "", 400, "InvalidInput"},
		{"GET", "hostedzonesbyname?hostedzoneid=" + id, "", 400, "InvalidInput"},
		{"POST", "hostedzone/" + id + "/rrset", "<x/>", 400, "InvalidInput"},
		{"POST", "hostedzone/" + id + "/rrset", batch(), 400, "InvalidInput"},
	} {
		if status, answer := ask(t, s, c.method, c.path, c.body); status != c.status || !strings.Contains(answer, c.says) {
			t.Errorf("%s %s: status %d: %s", c.method, c.path, status, answer)
		}
	}
	for _, header := range []string{"", "Basic eDp5", strings.Replace(signature, "host;", "", 1), strings.Replace(signature, "route53", "s3", 1)} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://route53.amazonaws.com/2013-04-01/hostedzonesbyname", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", header)
		r.Header.Set("X-Amz-Date", "20261124T000000Z")
		if status, answer := do(t, s, r); status != http.StatusForbidden || !strings.Contains(answer, "MissingAuthenticationToken") {
			t.Errorf("%q: status %d: %s", header, status, answer)
		}
	}
}

// TestQuota: ten requests a second, fifty at once.
func TestQuota(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	s := &Server{Now: func() time.Time { return now }}
	admitted := func() (n int) {
		for ; n < 100; n++ {
			if status, answer := ask(t, s, http.MethodGet, "hostedzone", ""); status != http.StatusOK {
				if !strings.Contains(answer, "Throttling") {
					t.Errorf("status %d: %s", status, answer)
				}
				break
			}
		}
		return n
	}
	first := admitted()
	now = now.Add(time.Second)
	if second := admitted(); first != 50 || second != 10 {
		t.Errorf("%d at once and %d after a second", first, second)
	}
}

// TestInsync: a change is pending for as many questions as was asked for.
func TestInsync(t *testing.T) {
	t.Parallel()
	s := &Server{PendingPolls: 2}
	id := s.AddZone("example.com", false)
	ask(t, s, http.MethodPost, "hostedzone/"+id+"/rrset", batch("CREATE", plain("a.example.com", "A", 60, "192.0.2.1")))
	for _, want := range []string{"PENDING", "PENDING", "INSYNC", "INSYNC"} {
		if _, answer := ask(t, s, http.MethodGet, "change/C0000000000001", ""); !strings.Contains(answer, "<Status>"+want+"</Status>") {
			t.Errorf("want %s: %s", want, answer)
		}
	}
}
