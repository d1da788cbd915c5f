package cloudflare_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/provider/cloudflare"
	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/provider/providertest/cloudflaretest"
	"github.com/attunelogic/maildns/records"
)

const (
	token              = "a-token-of-the-tests"
	zone  records.Name = "example.com"
)

// world is a stand-in for Cloudflare, with a clock that only sleeping moves.
type world struct {
	*cloudflaretest.Server
	client *cloudflare.Client
	told   []string

	mu  sync.Mutex
	now time.Time
}

func newWorld(t rapid.TB) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}
	w.Server = &cloudflaretest.Server{Token: cloudflaretest.Token{Secret: token}, Now: w.clock}
	w.client = w.open(t, 1)
	return w
}

// open is one more run.
func (w *world) open(t rapid.TB, share float64) *cloudflare.Client {
	t.Helper()
	base, err := url.Parse(cloudflare.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	return cloudflare.New(token, &httpapi.Transport{
		API: base, JSON: true, Pacer: httpapi.NewPacer(4, 1200, share), Secrets: []string{token},
		Tell:    func(event string) { w.told = append(w.told, event) },
		Outside: httpapi.Outside{Via: w.Server, Now: w.clock, Sleep: w.sleep},
	})
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	return context.Cause(ctx)
}

// short replaces the id of the zone in requests.
func short(requests []string, id string) []string {
	out := slices.Clone(requests)
	for i := range out {
		out[i] = strings.ReplaceAll(out[i], id, "ID")
	}
	return out
}

func set(name string, t records.Type, ttl records.TTL, values ...records.Value) records.RRset {
	return records.NewRRset(records.Key{Name: records.Below(name, zone), Type: t}, ttl, values...)
}

func change(before, after records.RRset) records.Change {
	c := records.Change{Key: after.Key}
	if len(before.Values) > 0 {
		c.Before = &before
	}
	if len(after.Values) > 0 {
		c.After = &after
	}
	return c
}

func none(s records.RRset) records.RRset { return records.RRset{Key: s.Key} }

// read reads the zone, or ends the test.
func (w *world) read(t rapid.TB) records.Zone {
	t.Helper()
	z, err := w.client.ReadZone(context.Background(), zone)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// at reads one set.
func (w *world) at(t rapid.TB, name string, kind records.Type) records.RRset {
	t.Helper()
	s, _ := w.read(t).Set(records.Key{Name: records.Below(name, zone), Type: kind})
	return s
}

// once calls a hook before the first request that matches.
func once(method, suffix string, hook func()) func(*http.Request, func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
	done := false
	return func(req *http.Request, serve func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
		if !done && req.Method == method && strings.HasSuffix(req.URL.Path, suffix) {
			done = true
			hook()
		}
		return serve(), nil
	}
}
