package cloudflaretest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/provider/providertest/cloudflaretest"
	"github.com/attunelogic/maildns/records"
)

const base = "https://api.cloudflare.com/client/v4"

// answer is what a request came to.
type answer struct {
	status int
	header http.Header
	body   string
	Result json.RawMessage
	Errors []struct {
		Code  int
		Chain []struct{ Code int } `json:"error_chain"`
	}
	ResultInfo struct {
		Count, Page int
		PerPage     int `json:"per_page"`
		TotalCount  int `json:"total_count"`
	} `json:"result_info"`
}

// code is the innermost number of the first error, 0 without one.
func (a answer) code() int {
	switch {
	case len(a.Errors) == 0:
		return 0
	case len(a.Errors[0].Chain) > 0:
		return a.Errors[0].Chain[0].Code
	default:
		return a.Errors[0].Code
	}
}

func ask(t *testing.T, s *cloudflaretest.Server, method, path, body string) (a answer) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer secret")
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	a.status, a.header, a.body = resp.StatusCode, resp.Header, string(text)
	return a
}

// open is a server with one zone, which holds a TXT, a CNAME and a read-only
// record.
func open() (s *cloudflaretest.Server, records string) {
	s = &cloudflaretest.Server{Token: cloudflaretest.Token{Secret: "secret"}}
	z := s.AddZone(cloudflaretest.Zone{ID: "z", Name: "example.com"})
	s.Add(z.ID, cloudflaretest.Record{ID: "t", Type: "TXT", Name: "a.example.com", Content: `"x"`, TTL: 300, Comment: "why", Tags: []string{"a:b"}})
	s.Add(z.ID, cloudflaretest.Record{ID: "c", Type: "CNAME", Name: "c.example.com", Content: "b.example.net", TTL: 1, Proxied: true})
	s.Add(z.ID, cloudflaretest.Record{ID: "r", Type: "MX", Name: "r.example.com", Content: "x.example.net", TTL: 1, Priority: new(int), Meta: cloudflaretest.Meta{ReadOnly: true}})
	return s, "/zones/" + z.ID + "/dns_records"
}

// TestRefusals: what Cloudflare refuses, alone and as the last of a batch of
// which nothing is then done.
func TestRefusals(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 4097)
	cases := []struct {
		name, list, item string
		code             int // of the error
	}{
		{"TTL below 60", "posts", `{"type":"TXT","name":"n.example.com","content":"\"x\"","ttl":59}`, 9021},
		{"TTL above a day", "posts", `{"type":"TXT","name":"n.example.com","content":"\"x\"","ttl":86401}`, 9021},
		{"no such type", "posts", `{"type":"SPF","name":"n.example.com","content":"x","ttl":60}`, 9001},
		{"an unknown field", "posts", `{"type":"TXT","name":"n.example.com","content":"\"x\"","ttl":60,"prio":1}`, 9207},
		{"a field of another shape", "posts", `{"type":"TXT","name":"n.example.com","content":["x"],"ttl":60}`, 9207},
		{"identical", "posts", `{"type":"TXT","name":"a.example.com","content":"\"x\"","ttl":60}`, 81058},
		{"TXT of 4,097 bytes", "posts", `{"type":"TXT","name":"n.example.com","content":"\"` + long + `\"","ttl":60}`, 9208},
		{"TXT without content", "posts", `{"type":"TXT","name":"n.example.com","content":"","ttl":60}`, 9207},
		{"TXT with an open quote", "posts", `{"type":"TXT","name":"n.example.com","content":"\"a\" \"b","ttl":60}`, 9207},
		{"MX without priority", "posts", `{"type":"MX","name":"n.example.com","content":"m.example","ttl":60}`, 9100},
		{"MX with its priority in the content", "posts", `{"type":"MX","name":"n.example.com","content":"10 m.example","priority":10,"ttl":60}`, 9009},
		{"null MX without its dot", "posts", `{"type":"MX","name":"n.example.com","content":"","priority":0,"ttl":60}`, 9009},
		{"priority out of range", "posts", `{"type":"MX","name":"n.example.com","content":"m.example","priority":65536,"ttl":60}`, 9021},
		{"A that is none", "posts", `{"type":"A","name":"n.example.com","content":"2001:db8::1","ttl":60}`, 9005},
		{"AAAA that is none", "posts", `{"type":"AAAA","name":"n.example.com","content":"192.0.2.1","ttl":60}`, 9006},
		{"CNAME to nowhere", "posts", `{"type":"CNAME","name":"n.example.com","content":".","ttl":60}`, 9009},
		{"CNAME beside TXT", "posts", `{"type":"CNAME","name":"a.example.com","content":"b.example","ttl":60}`, 81053},
		{"a second CNAME", "posts", `{"type":"CNAME","name":"c.example.com","content":"d.example","ttl":60}`, 81053},
		{"TXT beside CNAME", "posts", `{"type":"TXT","name":"c.example.com","content":"\"x\"","ttl":60}`, 81054},
		{"TLSA without data", "posts", `{"type":"TLSA","name":"n.example.com","content":"3 1 1 ab","ttl":60}`, 9101},
		{"TLSA with data of another", "posts", `{"type":"TLSA","name":"n.example.com","data":{"usage":3,"selector":1,"matching_type":1,"target":"ab"},"ttl":60}`, 9101},
		{"a TXT that is proxied", "posts", `{"type":"TXT","name":"n.example.com","content":"\"x\"","ttl":1,"proxied":true}`, 9004},
		{"a new record with an id", "posts", `{"id":"n","type":"TXT","name":"n.example.com","content":"\"x\"","ttl":60}`, 9000},
		{"patch of nothing", "patches", `{"id":"none","ttl":60}`, 81044},
		{"patch of what is read-only", "patches", `{"id":"r","ttl":60}`, 1043},
		{"patch of the type", "patches", `{"id":"t","type":"MX"}`, 9001},
		{"put without a name", "puts", `{"id":"t","type":"TXT","content":"\"y\""}`, 9000},
		{"delete of nothing", "deletes", `{"id":"none"}`, 81044},
		{"delete of what is read-only", "deletes", `{"id":"r"}`, 1043},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, path := open()
			before := fmt.Sprint(s.Records("z"))
			// What comes before it in the batch would go well by itself.
			fine := map[string]string{
				"deletes": `{"id":"c"}`, "patches": `{"id":"t","ttl":60}`, "puts": `{"id":"t","type":"TXT","name":"a.example.com","content":"\"z\""}`,
				"posts": `{"type":"A","name":"new.example.com","content":"192.0.2.1","ttl":60}`,
			}
			if c.code == 81053 && strings.Contains(c.name, "second") || c.code == 81054 {
				delete(fine, "deletes")
			}
			if c.code == 81058 {
				delete(fine, "puts")
			}
			fine[c.list] = strings.TrimPrefix(fine[c.list]+","+c.item, ",")
			var lists []string
			for name, items := range fine {
				lists = append(lists, fmt.Sprintf("%q:[%s]", name, items))
			}
			a := ask(t, s, "POST", path+"/batch", "{"+strings.Join(lists, ",")+"}")
			if a.status < 400 || a.code() != c.code || string(a.Result) != "null" {
				t.Errorf("%d %s, want the error %d", a.status, a.body, c.code)
			}
			if after := fmt.Sprint(s.Records("z")); after != before {
				t.Errorf("something was done: %s", after)
			}
		})
	}
}

// TestBatch: deletes, patches, puts and posts, in this order. A patch leaves
// what it doesn't name, a put does not.
func TestBatch(t *testing.T) {
	t.Parallel()
	s, path := open()
	a := ask(t, s, "POST", path+"/batch", `{
		"posts":[{"type":"TXT","name":"c","content":"bare","ttl":60},{"type":"TXT","name":"a.example.com","content":"\"x\"","ttl":60}],
		"patches":[{"id":"t","content":"\"y\""}],
		"deletes":[{"id":"c"}]}`)
	if a.code() != 0 {
		t.Fatal(a.body)
	}
	got := s.Records("z")
	i := slices.IndexFunc(got, func(r cloudflaretest.Record) bool { return r.ID == "t" })
	if r := got[i]; len(got) != 4 || r.Content != `"y"` || r.Comment != "why" || len(r.Tags) != 1 || r.TTL != 300 {
		t.Errorf("%+v", got)
	}
	if i := slices.IndexFunc(got, func(r cloudflaretest.Record) bool { return r.Name == "c.example.com" }); got[i].Content != `"bare"` {
		t.Errorf("%+v", got[i])
	}
	if a := ask(t, s, "PUT", path+"/t", `{"type":"TXT","name":"a.example.com","content":"\"z\""}`); a.code() != 0 {
		t.Fatal(a.body)
	}
	got = s.Records("z")
	if r := got[slices.IndexFunc(got, func(r cloudflaretest.Record) bool { return r.ID == "t" })]; r.Comment != "" || r.TTL != 1 {
		t.Errorf("%+v", r)
	}
}

// TestSingle: one request a record does what a batch of one does.
func TestSingle(t *testing.T) {
	t.Parallel()
	s, path := open()
	for _, c := range []struct {
		method, path, body string
		code               int
	}{
		{"POST", "", `{"type":"A","name":"n","content":"192.0.2.1","ttl":60}`, 0},
		{"PATCH", "/t", `{"ttl":60}`, 0},
		{"DELETE", "/t", "", 0},
		{"DELETE", "/t", "", 81044},
		{"PATCH", "", `{}`, 10405},
		{"POST", "/c", `{}`, 10405},
		{"GET", "/c/d", "", 7000},
	} {
		if a := ask(t, s, c.method, path+c.path, c.body); a.code() != c.code {
			t.Errorf("%s %s: %s", c.method, c.path, a.body)
		}
	}
	if got := s.Records("z"); len(got) != 3 {
		t.Errorf("%+v", got)
	}
}

// TestSizes: operations a batch, records a zone, bytes a name.
func TestSizes(t *testing.T) {
	t.Parallel()
	post := func(name, text string) string {
		return fmt.Sprintf(`{"type":"TXT","name":%q,"content":"\"%s\"","ttl":60}`, name, text)
	}
	many := func(n int) string {
		items := make([]string, n)
		for i := range items {
			items[i] = post(fmt.Sprintf("n%d", i), "x")
		}
		return `{"posts":[` + strings.Join(items, ",") + `]}`
	}
	wide := `{"posts":[` + post("w", strings.Repeat("a", 4096)) + "," + post("w", strings.Repeat("b", 4096)) + `]}`
	for _, c := range []struct {
		zone cloudflaretest.Zone
		body string
		code int
	}{
		{cloudflaretest.Zone{}, many(200), 0},
		{cloudflaretest.Zone{}, many(201), 81060},
		{cloudflaretest.Zone{Plan: "pro"}, many(201), 0},
		{cloudflaretest.Zone{Quota: 3}, many(3), 0},
		{cloudflaretest.Zone{Quota: 3}, many(4), 81045},
		{cloudflaretest.Zone{Type: "secondary"}, many(1), 81061},
		{cloudflaretest.Zone{}, wide, 0},
		{cloudflaretest.Zone{}, strings.Replace(wide, "]}", ","+post("w", "c")+"]}", 1), 81062},
	} {
		s := &cloudflaretest.Server{Token: cloudflaretest.Token{Secret: "secret"}}
		c.zone.ID, c.zone.Name = "z", "example.com"
		s.AddZone(c.zone)
		a := ask(t, s, "POST", "/zones/z/dns_records/batch", c.body)
		if a.code() != c.code || (len(s.Records("z")) > 0) != (c.code == 0) {
			t.Errorf("%+v: %d, %d records", c.zone, a.code(), len(s.Records("z")))
		}
	}
}

// TestText: what is stored is what the world sees, and strings are split.
func TestText(t *testing.T) {
	t.Parallel()
	s, path := open()
	long := strings.Repeat("x", 300)
	if a := ask(t, s, "POST", path, `{"type":"TXT","name":"l","content":"\"`+long+`\"","ttl":60}`); a.code() != 0 || !strings.Contains(a.body, `\"`+long[:255]+`\" \"`+long[255:]+`\"`) {
		t.Error(a.body)
	}
	if a := ask(t, s, "POST", path, `{"type":"TXT","name":"e","content":"\"a\\\"\\255\" \"b\"","ttl":60}`); a.code() != 0 {
		t.Error(a.body)
	}
	z, err := s.Look("z")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[records.Name]records.Value{"l.example.com": records.Value(long), "e.example.com": "a\"\xffb"} {
		if got, _ := z.Set(records.Key{Name: name, Type: "TXT"}); !slices.Equal(got.Values, []records.Value{want}) {
			t.Errorf("%s is %q", name, got.Values)
		}
	}
}

// TestPaging: pages, their bounds, and no parameter that isn't documented.
func TestPaging(t *testing.T) {
	t.Parallel()
	s, path := open()
	for i := range 60 {
		s.AddZone(cloudflaretest.Zone{Name: records.Name(fmt.Sprintf("z%d.example", i))})
	}
	for _, c := range []struct {
		path        string
		code, count int
	}{
		{"/zones", 0, 20}, {"/zones?per_page=50&page=2", 0, 11}, {"/zones?per_page=51", 1004, 0}, {"/zones?per_page=4", 1004, 0},
		{"/zones?name=example.com", 0, 1}, {"/zones?name=example.com.", 0, 0}, {"/zones?names=x", 1003, 0},
		{path, 0, 3}, {path + "?per_page=2&page=2", 0, 1}, {path + "?per_page=0", 1004, 0}, {path + "?per_page=5000001", 1004, 0},
		{path + "?order=id", 1004, 0}, {path + "?type=TXT", 0, 1}, {path + "?type=TXT&name=c.example.com", 0, 0}, {path + "?page=9", 0, 0},
	} {
		if a := ask(t, s, "GET", c.path, ""); a.code() != c.code || a.ResultInfo.Count != c.count {
			t.Errorf("%s: %s", c.path, a.body)
		}
	}
}

// TestToken: who may do what.
func TestToken(t *testing.T) {
	t.Parallel()
	type token = cloudflaretest.Token
	for _, c := range []struct {
		token        token
		method, path string
		code         int
	}{
		{token{Secret: "other"}, "GET", "/zones", 9109},
		{token{}, "GET", "/user/tokens/verify", 0},
		{token{}, "GET", "/accounts/x/tokens/verify", 1000},
		{token{AccountOwned: true}, "GET", "/user/tokens/verify", 1000},
		{token{AccountOwned: true}, "GET", "/accounts/x/tokens/verify", 0},
		{token{NoZoneRead: true}, "GET", "/zones/z", 9109},
		{token{}, "GET", "/zones/nonsense/dns_records", 9109},
		{token{NoDNSEdit: true}, "GET", "/zones/z/dns_records", 0},
		{token{NoDNSEdit: true}, "POST", "/zones/z/dns_records/batch", 10000},
		{token{NoDNSEdit: true, NoDNSRead: true}, "GET", "/zones/z/dns_records", 10000},
		{token{}, "GET", "/nonsense", 7000},
	} {
		s, _ := open()
		s.Token = c.token
		if s.Token.Secret == "" {
			s.Token.Secret = "secret"
		}
		if a := ask(t, s, c.method, c.path, "{}"); a.code() != c.code {
			t.Errorf("%+v, %s %s: %s", c.token, c.method, c.path, a.body)
		}
	}
	for header, code := range map[string]int{"": 9106, "secret": 6111, "Bearer ": 6111, "Bearer sec ret": 6111} {
		s, _ := open()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/zones", nil)
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			req.Header.Set("Authorization", header)
		}
		resp, err := s.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.Body.Close() != nil || !strings.Contains(string(text), fmt.Sprintf(`"code":%d`, code)) {
			t.Errorf("%q: %s, %v", header, text, err)
		}
	}
}

// TestBudget: 1,200 requests in 5 minutes, then none for 5 minutes.
func TestBudget(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	s, _ := open()
	s.Now = func() time.Time { return now }
	s.Spend(1199)
	a := ask(t, s, "GET", "/zones", "")
	if a.status != 200 || a.header.Get("Ratelimit") != `"default";r=0;t=300` {
		t.Errorf("%d, %v", a.status, a.header)
	}
	a = ask(t, s, "GET", "/zones", "")
	if a.status != 429 || a.header.Get("Retry-After") != "300" {
		t.Errorf("%d, %v", a.status, a.header)
	}
	now = now.Add(299 * time.Second)
	if a := ask(t, s, "GET", "/zones", ""); a.status != 429 || a.header.Get("Retry-After") != "1" {
		t.Errorf("%d, %v", a.status, a.header)
	}
	now = now.Add(time.Second)
	if a := ask(t, s, "GET", "/zones", ""); a.status != 200 || s.Refused() != 2 {
		t.Errorf("%d, %d refused", a.status, s.Refused())
	}
	if got := s.Requests(); len(got) != 4 || got[0] != "GET /zones" {
		t.Errorf("requests %q", got)
	}
}
