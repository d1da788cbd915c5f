package cloudflare_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/attunelogic/maildns/provider/providertest/cloudflaretest"
	"github.com/attunelogic/maildns/records"
)

// TestEachRequestFails: whichever request of a write fails, in whichever of the
// ways of HTTP, once or for good, the zone is as it was or as it was to be, and
// no failure is taken for success.
func TestEachRequestFails(t *testing.T) {
	t.Parallel()
	html := func(status int) cloudflaretest.Answer {
		return cloudflaretest.Answer{Status: status, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte("<html>")}
	}
	said := func(status int, header ...string) cloudflaretest.Answer {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return cloudflaretest.Answer{Status: status, Header: h, Body: []byte(`{"success":false,"errors":[{"code":1,"message":"no"}],"result":null}`)}
	}
	ways := map[string]func(serve func() cloudflaretest.Answer) (cloudflaretest.Answer, error){
		"429": func(func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
			return said(429, "Retry-After", "300"), nil
		},
		"500":                       func(func() cloudflaretest.Answer) (cloudflaretest.Answer, error) { return said(500), nil },
		"502 in HTML, nothing done": func(func() cloudflaretest.Answer) (cloudflaretest.Answer, error) { return html(502), nil },
		"502 in HTML, all done": func(serve func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
			serve()
			return html(502), nil
		},
		"200 in HTML": func(func() cloudflaretest.Answer) (cloudflaretest.Answer, error) { return html(200), nil },
		"timeout": func(serve func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
			serve()
			return cloudflaretest.Answer{}, context.DeadlineExceeded
		},
		"connection refused": func(func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
			return cloudflaretest.Answer{}, errors.New("connection refused")
		},
		"cut body": func(serve func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
			a := serve()
			a.Body = a.Body[:len(a.Body)/2]
			return a, nil
		},
		"success: false": func(func() cloudflaretest.Answer) (cloudflaretest.Answer, error) { return said(200), nil },
	}
	for name, fail := range ways {
		for _, forGood := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, for good %v", name, forGood), func(t *testing.T) {
				t.Parallel()
				for n := 0; failAt(t, n, forGood, fail); n++ {
					continue
				}
			})
		}
	}
}

// failAt reports whether the request was reached.
func failAt(t *testing.T, n int, forGood bool, fail func(func() cloudflaretest.Answer) (cloudflaretest.Answer, error)) (reached bool) {
	t.Helper()
	w := newWorld(t)
	z := w.AddZone(cloudflaretest.Zone{Name: zone})
	before := []records.RRset{set("@", "TXT", 3600, "v=spf1 -all", "token"), set("_dmarc", "TXT", 300, "v=DMARC1; p=none"), set("old", "TXT", 300, "x")}
	after := []records.RRset{set("@", "TXT", 300, "v=spf1 ~all", "token"), set("_dmarc", "TXT", 300, "v=DMARC1; p=reject"), none(before[2])}
	var changes []records.Change
	for i, s := range before {
		put(s)(t, w, z.ID)
		changes = append(changes, change(s, after[i]))
	}
	seen := 0
	w.Around = func(_ *http.Request, serve func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
		seen++
		if seen-1 == n || forGood && seen > n {
			reached = true
			return fail(serve)
		}
		return serve(), nil
	}
	err := w.client.Transact(t.Context(), zone, changes)
	w.Around = nil
	now, lookErr := w.Look(z.ID)
	if lookErr != nil {
		t.Fatal(lookErr)
	}
	isOld, isNew := now.Equal(records.NewZone(zone, 0, before...)), now.Equal(records.NewZone(zone, 0, after...))
	if !isOld && !isNew || err == nil && !isNew {
		t.Errorf("request %d: error %v, the zone holds %v", n, err, now.Sets())
	}
	var stale *records.StaleError
	if errors.As(err, &stale) {
		t.Errorf("request %d: nobody else has been there, but: %v", n, err)
	}
	return reached && !t.Failed()
}
