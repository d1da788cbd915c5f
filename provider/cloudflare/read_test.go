package cloudflare_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/provider/providertest/cloudflaretest"
	"github.com/attunelogic/maildns/records"
)

func number(n int) *int { return &n }

// TestNormalise: what the API shows becomes canonical, whatever the library
// makes of it.
func TestNormalise(t *testing.T) {
	t.Parallel()
	type r = cloudflaretest.Record
	long := strings.Repeat("x", 300)
	cases := []struct {
		name string
		rec  r
		want records.Value
	}{
		{"TXT", r{Type: "TXT", Content: `"v=spf1 -all"`}, "v=spf1 -all"},
		{"TXT in two strings", r{Type: "TXT", Content: `"` + long[:255] + `" "` + long[255:] + `"`}, records.Value(long)},
		{"TXT with escapes", r{Type: "TXT", Content: `"a\"b\\c\195\169\255;"`}, "a\"b\\cé\xff;"},
		{"TXT of quotation marks", r{Type: "TXT", Content: `"\"around\""`}, `"around"`},
		{"TXT that is empty", r{Type: "TXT", Content: `""`}, ""},
		{"TXT stored without quotes", r{Type: "TXT", Content: `v=DKIM1; k=rsa; p=x`}, "v=DKIM1; k=rsa; p=x"},
		{"TXT stored without quotes, with some inside", r{Type: "TXT", Content: `say "hi"!`}, `say "hi"!`},
		{"MX", r{Type: "MX", Content: "Mail.Example.net", Priority: number(10)}, "10 mail.example.net"},
		{"MX of preference 0", r{Type: "MX", Content: "mail.example.net", Priority: number(0)}, "0 mail.example.net"},
		{"null MX", r{Type: "MX", Content: ".", Priority: number(0)}, records.NullMX},
		{"CNAME", r{Type: "CNAME", Content: "a.example.net"}, "a.example.net"},
		{"NS", r{Type: "NS", Content: "ns.example.net."}, "ns.example.net"},
		{"A", r{Type: "A", Content: "192.0.2.1"}, "192.0.2.1"},
		{"AAAA", r{Type: "AAAA", Content: "2001:DB8:0::1"}, "2001:db8::1"},
		{"CAA", r{Type: "CAA", Content: `0 issue "ca.example.net"`, Data: map[string]any{"flags": 0, "tag": "issue", "value": "ca.example.net"}}, `0 issue "ca.example.net"`},
		{"TLSA", r{Type: "TLSA", Content: "3 1 1 ABCD", Data: map[string]any{"usage": 3, "selector": 1, "matching_type": 1, "certificate": "ABCD"}}, "3 1 1 abcd"},
		{"SRV at a name that the library fails on", r{Type: "SRV", Content: "5 5060 sip.example.net", Priority: number(10), Data: map[string]any{"priority": 10, "weight": 5, "port": 5060, "target": "sip.example.net"}}, "10 5 5060 sip.example.net"},
		{"HTTPS at such a name", r{Type: "HTTPS", Content: `1 . alpn="h2"`, Data: map[string]any{"priority": 1, "target": ".", "value": `alpn="h2"`}}, `1 . alpn="h2"`},
		{"NAPTR, whose flags are no number", r{Type: "NAPTR", Content: `10 20 "S" "SIP" "" sip.example.net.`, Data: map[string]any{"flags": "S"}}, `10 20 "S" "SIP" "" sip.example.net.`},
		{"LOC with a fraction", r{Type: "LOC", Content: "51 30 12.7 N 0 7 39.6 W 0m 1m 1m 1m", Data: map[string]any{"lat_seconds": 12.7}}, "51 30 12.7 N 0 7 39.6 W 0m 1m 1m 1m"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			z := w.AddZone(cloudflaretest.Zone{Name: zone})
			c.rec.Name, c.rec.TTL = "_x.Example.com", 300
			w.Add(z.ID, c.rec)
			got := w.at(t, "_x", records.Type(c.rec.Type))
			if len(got.Values) != 1 || got.Values[0] != c.want || got.TTL != 300 || got.Fixed != "" {
				t.Errorf("%q becomes %+v, want %q", c.rec.Content, got, c.want)
			}
		})
	}
}

// TestAutomaticTTL: the API's 1 is a word, not a second.
func TestAutomaticTTL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	z := w.AddZone(cloudflaretest.Zone{Name: zone})
	w.Add(z.ID, cloudflaretest.Record{Type: "TXT", Name: "a.example.com", Content: `"x"`, TTL: 1})
	w.Add(z.ID, cloudflaretest.Record{Type: "TXT", Name: "b.example.com", Content: `"x"`, TTL: 1})
	w.Add(z.ID, cloudflaretest.Record{Type: "TXT", Name: "b.example.com", Content: `"y"`, TTL: 3600})
	if got := w.at(t, "a", "TXT"); got.TTL != records.AutoTTL || got.MixedTTL || len(got.TTLs) > 0 {
		t.Errorf("%+v", got)
	}
	if got := w.at(t, "b", "TXT"); got.TTLOf("x") != records.AutoTTL || got.TTLOf("y") != 3600 || !got.MixedTTL {
		t.Errorf("%+v", got)
	}
}

// TestFixed: what Cloudflare serves otherwise than it stores, or keeps for
// itself, is not written, and the reason says what to do.
func TestFixed(t *testing.T) {
	t.Parallel()
	type r = cloudflaretest.Record
	cases := []struct {
		name string
		rec  r
		want string
	}{
		{"proxied", r{Type: "A", Content: "192.0.2.1", Proxied: true}, `"DNS only"`},
		{"read-only", r{Type: "TXT", Content: `"x"`, Meta: cloudflaretest.Meta{ReadOnly: true}}, "read-only"},
		{"Email Routing", r{Type: "MX", Content: "route1.mx.cloudflare.net", Priority: number(10), Meta: cloudflaretest.Meta{ReadOnly: true, EmailRouting: true}}, "switch that off"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			z := w.AddZone(cloudflaretest.Zone{Name: zone})
			c.rec.Name, c.rec.TTL = "a.example.com", 300
			w.Add(z.ID, c.rec)
			got := w.at(t, "a", records.Type(c.rec.Type))
			if !strings.Contains(got.Fixed, c.want) || !strings.Contains(got.Fixed, strings.Trim(c.rec.Content, `"`)) {
				t.Errorf("fixed: %q, want %q", got.Fixed, c.want)
			}
			before := got
			before.Fixed = "" // as one who doesn't know would have it
			err := w.client.Transact(t.Context(), zone, []records.Change{change(before, none(before))})
			if err == nil || !strings.Contains(err.Error(), got.Fixed) || len(w.Records(z.ID)) != 1 {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestLargeZone: 3,000 records are one request, besides that for the zone's id.
func TestLargeZone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	z := w.AddZone(cloudflaretest.Zone{Name: zone, Plan: "pro"})
	for i := range 3000 {
		w.Add(z.ID, cloudflaretest.Record{Type: "TXT", Name: fmt.Sprintf("n%d.example.com", i), Content: fmt.Sprintf(`"%d"`, i), TTL: 300})
	}
	if got := w.read(t); got.Len() != 3000 {
		t.Errorf("%d sets", got.Len())
	}
	if got := w.Requests(); len(got) != 2 {
		t.Errorf("requests: %v", got)
	}
}

// edited lets a function change the answers to requests for records.
func edited(edit func(body map[string]any)) func(*http.Request, func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
	return func(req *http.Request, serve func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
		answer := serve()
		if !strings.HasSuffix(req.URL.Path, "/dns_records") {
			return answer, nil
		}
		var body map[string]any
		if err := json.Unmarshal(answer.Body, &body); err != nil {
			return answer, err
		}
		edit(body)
		var err error
		answer.Body, err = json.Marshal(body)
		return answer, err
	}
}

// TestPages: the library panics without result_info; a host that gives smaller
// pages than it is asked for is read to the end.
func TestPages(t *testing.T) {
	t.Parallel()
	fill := func(t *testing.T, n int) (*world, string) {
		t.Helper()
		w := newWorld(t)
		z := w.AddZone(cloudflaretest.Zone{Name: zone})
		for i := range n {
			w.Add(z.ID, cloudflaretest.Record{Type: "SRV", Name: fmt.Sprintf("n%d.example.com", i), Content: "0 1 a.example", TTL: 300, Priority: number(1), Data: map[string]any{"priority": 1, "weight": 0, "port": 1, "target": "a.example"}})
		}
		return w, z.ID
	}
	for name, edit := range map[string]func(map[string]any){
		"none":        func(map[string]any) {},
		"no info":     func(body map[string]any) { delete(body, "result_info") },
		"zero a page": func(body map[string]any) { body["result_info"].(map[string]any)["per_page"] = 0 },
		"no count":    func(body map[string]any) { delete(body["result_info"].(map[string]any), "total_count") },
	} {
		w, _ := fill(t, 7)
		w.Around = edited(edit)
		if got := w.read(t); got.Len() != 7 {
			t.Errorf("%s: %d sets", name, got.Len())
		}
		empty, _ := fill(t, 0)
		empty.Around = edited(edit)
		if got := empty.read(t); got.Len() != 0 {
			t.Errorf("%s: %d sets", name, got.Len())
		}
	}
	w, _ := fill(t, 7)
	w.Around = clamped("3", nil)
	if got := w.read(t); got.Len() != 7 || len(w.Requests()) != 4 {
		t.Errorf("%d sets after %v", got.Len(), w.Requests())
	}
}

// clamped makes pages smaller, and calls a hook before each.
func clamped(perPage string, hook func()) func(*http.Request, func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
	return func(req *http.Request, serve func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
		if q := req.URL.Query(); strings.HasSuffix(req.URL.Path, "/dns_records") {
			q.Set("per_page", perPage)
			req.URL.RawQuery = q.Encode()
			if hook != nil {
				hook()
			}
		}
		return serve(), nil
	}
}

// TestChangedWhileRead: a zone that changes between two pages is read again,
// and one that never comes to rest is not taken for read.
func TestChangedWhileRead(t *testing.T) {
	t.Parallel()
	for _, edits := range []int{1, 100} {
		w := newWorld(t)
		z := w.AddZone(cloudflaretest.Zone{Name: zone})
		for i := range 8 {
			w.Add(z.ID, cloudflaretest.Record{Type: "TXT", Name: fmt.Sprintf("n%d.example.com", i), Content: `"x"`, TTL: 300})
		}
		pages := 0
		w.Around = clamped("3", func() {
			if pages++; pages%3 == 2 && pages/3 < edits {
				w.Add(z.ID, cloudflaretest.Record{Type: "TXT", Name: "a.example.com", Content: fmt.Sprintf(`"%d"`, pages), TTL: 300})
			}
		})
		got, err := w.client.ReadZone(t.Context(), zone)
		if edits == 1 && (err != nil || got.Len() != 9) {
			t.Errorf("%d sets, error %v", got.Len(), err)
		}
		if edits > 1 && (err == nil || !strings.Contains(err.Error(), "try again")) {
			t.Errorf("error %v", err)
		}
	}
}

// TestStrangeAnswers: what is not as documented is an error, never an empty
// zone.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(map[string]any){
		"result is no list":       func(body map[string]any) { body["result"] = "x" },
		"success is false":        func(body map[string]any) { body["success"] = false },
		"a type of number":        func(body map[string]any) { body["result"].([]any)[0].(map[string]any)["type"] = 1 },
		"an address that is none": func(body map[string]any) { body["result"].([]any)[0].(map[string]any)["content"] = "x" },
	} {
		w := newWorld(t)
		z := w.AddZone(cloudflaretest.Zone{Name: zone})
		w.Add(z.ID, cloudflaretest.Record{Type: "A", Name: "a.example.com", Content: "192.0.2.1", TTL: 300})
		w.Around = edited(edit)
		if got, err := w.client.ReadZone(t.Context(), zone); err == nil {
			t.Errorf("%s: no error, but %v", name, got.Sets())
		}
	}
}
