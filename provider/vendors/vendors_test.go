package vendors_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/provider/providertest/vendortest"
	"github.com/attunelogic/maildns/provider/vendors"
	"github.com/attunelogic/maildns/records"
)

const (
	zone   = vendortest.Zone
	api    = "https://api.test"
	secret = "let-me-in"
)

func set(name string, t records.Type, ttl records.TTL, values ...records.Value) records.RRset {
	return records.NewRRset(records.Key{Name: records.Below(name, zone), Type: t}, ttl, values...)
}

// host is what all clients can do.
type host interface {
	ReadZone(ctx context.Context, zone records.Name) (records.Zone, error)
	WriteSet(ctx context.Context, zone records.Name, c records.Change) error
	CheckAccess(ctx context.Context, zones []records.Name) ([]string, error)
}

// wire is the way to a fake, with a list of the requests that went along it.
type wire struct {
	handler http.Handler
	before  func(*http.Request) // each request
	seen    []string
	bodies  []string
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.seen = append(w.seen, req.Method+" "+req.URL.RequestURI())
	if w.before != nil {
		w.before(req)
	}
	return vendortest.Direct{Handler: w.handler}.RoundTrip(req)
}

func via(fake http.Handler) (*httpapi.Transport, *wire) {
	w := &wire{handler: fake}
	return &httpapi.Transport{JSON: true, Attempts: 1, Outside: httpapi.Outside{Via: w}}, w
}

func token(context.Context) (string, error) { return secret, nil }

func atOnce(context.Context) error { return nil }

// opened are all hosts, each over its fake.
func opened() map[string]func() (host, vendortest.Fake, *wire) {
	over := func(fake vendortest.Fake, open func(vendors.Doer) host) (host, vendortest.Fake, *wire) {
		doer, w := via(fake)
		return open(doer), fake, w
	}
	return map[string]func() (host, vendortest.Fake, *wire){
		"powerdns": func() (host, vendortest.Fake, *wire) {
			return over(vendortest.NewPowerDNS(secret), func(d vendors.Doer) host { return vendors.PowerDNS(d, api, "localhost", secret) })
		},
		"desec": func() (host, vendortest.Fake, *wire) {
			return over(vendortest.NewDeSEC(secret), func(d vendors.Doer) host { return vendors.DeSEC(d, api, secret) })
		},
		"hetzner": func() (host, vendortest.Fake, *wire) {
			return over(vendortest.NewHetzner(secret), func(d vendors.Doer) host { return vendors.Hetzner(d, api, secret, atOnce) })
		},
		"gandi": func() (host, vendortest.Fake, *wire) {
			return over(vendortest.NewGandi(secret), func(d vendors.Doer) host { return vendors.Gandi(d, api, secret) })
		},
		"googleclouddns": func() (host, vendortest.Fake, *wire) {
			return over(vendortest.NewGoogle(secret), func(d vendors.Doer) host {
				return vendors.Google(d, api, "project", vendors.Tokens{Source: token})
			})
		},
		"ovh": func() (host, vendortest.Fake, *wire) {
			fake := vendortest.NewOVH(api, "app", secret, "consumer")
			return over(fake, func(d vendors.Doer) host { return openOVH(d, fake) })
		},
	}
}

func openOVH(d vendors.Doer, fake *vendortest.OVH) *vendors.OVHHost {
	now := func() time.Time { return time.Unix(fake.Time+90, 0) } // our clock is fast
	return vendors.OVH(d, api, vendors.OVHKeys{Application: "app", Secret: secret, Consumer: "consumer"}, now)
}

func look(t *testing.T, f vendortest.Fake) records.Zone {
	t.Helper()
	z, err := f.Look()
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestForeignValuesKeepTheirStrings: the character-strings of a value that
// nobody changes stay cut as they are, on every host.
func TestForeignValuesKeepTheirStrings(t *testing.T) {
	t.Parallel()
	const foreign = `"token=" "1234"`
	for name, open := range opened() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, fake, w := open()
			key := records.Key{Name: zone, Type: records.TypeTXT}
			switch f := fake.(type) {
			case interface {
				PutText(name string, t records.Type, ttl int, texts ...string)
			}:
				f.PutText("@", "TXT", 3600, foreign, `"v=spf1 -all"`)
			case *vendortest.OVH:
				f.PutRecord("TXT", "", foreign, 3600)
				f.PutRecord("TXT", "", `"v=spf1 -all"`, 3600)
			}
			before := set("@", "TXT", 3600, "token=1234", "v=spf1 -all")
			after := set("@", "TXT", 3600, "token=1234", "v=spf1 ~all")
			w.before = func(req *http.Request) {
				if req.Method != http.MethodGet {
					text := body(t, req)
					w.bodies = append(w.bodies, text)
				}
			}
			if err := h.WriteSet(t.Context(), zone, records.Change{Key: key, Before: &before, After: &after}); err != nil {
				t.Fatal(err)
			}
			if got, _ := look(t, fake).Set(key); !got.Equal(after) {
				t.Errorf("the host holds %v", got)
			}
			if name != "ovh" && !strings.Contains(strings.Join(w.bodies, "\n"), `\"token=\" \"1234\"`) {
				t.Errorf("the foreign value was cut anew: %s", w.bodies)
			}
			if name == "ovh" && strings.Contains(strings.Join(w.bodies, "\n"), "token") {
				t.Errorf("the foreign record was written: %s", w.bodies)
			}
		})
	}
}

// body reads a request's body and puts it back.
func body(t *testing.T, req *http.Request) string {
	t.Helper()
	if req.Body == nil {
		return ""
	}
	var v json.RawMessage
	if err := json.NewDecoder(req.Body).Decode(&v); err != nil {
		return ""
	}
	req.Body = readCloser{strings.NewReader(string(v))}
	return string(v)
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// TestEditBeforeTheWriteIsSeen: an edit between the plan's read and the last
// read before the write stops the write, on every host.
func TestEditBeforeTheWriteIsSeen(t *testing.T) {
	t.Parallel()
	for name, open := range opened() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, fake, _ := open()
			x, y, theirs := set("a", "TXT", 3600, "x"), set("a", "TXT", 3600, "y"), set("a", "TXT", 3600, "theirs")
			fake.Put(theirs)
			err := h.WriteSet(t.Context(), zone, records.Change{Key: x.Key, Before: &x, After: &y})
			var stale *records.StaleError
			if !errors.As(err, &stale) {
				t.Errorf("error %v, want a StaleError", err)
			}
			if got, _ := look(t, fake).Set(x.Key); !got.Equal(theirs) {
				t.Errorf("the host holds %v", got)
			}
		})
	}
}

// TestGoogleComparesItself: an edit between our last read and our write is
// refused by Google, and nothing is written.
func TestGoogleComparesItself(t *testing.T) {
	t.Parallel()
	x, y := set("a", "TXT", 300, "x"), set("a", "TXT", 300, "y")
	other := set("b", "TXT", 300, "new")
	for name, edit := range map[string]records.RRset{
		"changed": set("a", "TXT", 300, "theirs"), "joined": set("a", "TXT", 300, "theirs", "x"), "gone": {Key: x.Key}, "TTL": set("a", "TXT", 600, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := vendortest.NewGoogle(secret)
			doer, w := via(fake)
			fake.Put(x)
			w.before = func(req *http.Request) {
				if req.Method == http.MethodPost {
					fake.Put(edit)
				}
			}
			h := vendors.Google(doer, api, "project", vendors.Tokens{Source: token})
			err := h.Transact(t.Context(), zone, []records.Change{{Key: x.Key, Before: &x, After: &y}, {Key: other.Key, After: &other}})
			var stale *records.StaleError
			if !errors.As(err, &stale) {
				t.Errorf("error %v, want a StaleError", err)
			}
			if got := look(t, fake); !got.Equal(records.NewZone(zone, 0, edit)) {
				t.Errorf("the host holds %v", got.Sets())
			}
		})
	}
}

// TestAllOrNone: a set that the host refuses keeps the others of the same write
// from being written.
func TestAllOrNone(t *testing.T) {
	t.Parallel()
	good, bad := set("a", "TXT", 3600, "x"), set("b", "TXT", 60, "x")
	fake := vendortest.NewDeSEC(secret)
	doer, w := via(fake)
	err := vendors.DeSEC(doer, api, secret).Transact(t.Context(), zone, []records.Change{{Key: good.Key, After: &good}, {Key: bad.Key, After: &bad}})
	if err == nil || !strings.Contains(err.Error(), "greater than or equal to 3600") {
		t.Errorf("error %v", err)
	}
	if got := look(t, fake); got.Len() != 0 {
		t.Errorf("the host holds %v", got.Sets())
	}
	if want := []string{"GET /domains/example.com/rrsets/?cursor=", "PUT /domains/example.com/rrsets/"}; !slices.Equal(w.seen, want) {
		t.Errorf("requests %q", w.seen)
	}
}

// TestRequests counts what a cold read, a change of five sets and a read back
// take.
func TestRequests(t *testing.T) {
	t.Parallel()
	want := map[string][3]int{
		"powerdns": {2, 2, 1}, "desec": {1, 2, 1}, "googleclouddns": {2, 2, 1},
		"hetzner": {2, 15, 1}, // read, write, ask whether it is done
		"gandi":   {1, 10, 1},
		"ovh":     {13, 20, 12}, // soa and list, then each record by itself
	}
	for name, open := range opened() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, fake, w := open()
			var sets []records.RRset
			for _, n := range []string{"a", "b", "c", "d", "e"} {
				sets = append(sets, set(n, "TXT", 3600, "old"))
				fake.Put(sets[len(sets)-1])
				fake.Put(set(n+"x", "TXT", 3600, "foreign"))
			}
			count := func(do func() error) int {
				before := len(w.seen)
				if err := do(); err != nil {
					t.Fatal(err)
				}
				return len(w.seen) - before
			}
			read := func() error { _, err := h.ReadZone(t.Context(), zone); return err }
			got := [3]int{count(read), count(func() error { return writeAll(t.Context(), h, sets) }), count(read)}
			if got != want[name] {
				t.Errorf("%v requests, want %v: %q", got, want[name], w.seen)
			}
		})
	}
}

func writeAll(ctx context.Context, h host, sets []records.RRset) error {
	var changes []records.Change
	for _, s := range sets {
		after := s.Hold("new")
		changes = append(changes, records.Change{Key: s.Key, Before: &s, After: &after})
	}
	if t, ok := h.(interface {
		Transact(ctx context.Context, zone records.Name, changes []records.Change) error
	}); ok {
		return t.Transact(ctx, zone, changes)
	}
	for _, c := range changes {
		if err := h.WriteSet(ctx, zone, c); err != nil {
			return err
		}
	}
	return nil
}

// TestUnknownZone says what to do, on every host.
func TestUnknownZone(t *testing.T) {
	t.Parallel()
	for name, open := range opened() {
		h, _, _ := open()
		if _, err := h.ReadZone(t.Context(), "example.net"); err == nil || !strings.Contains(err.Error(), "the zone example.net is not") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestBytesSurvive: whatever text a host holds is read as what a name server
// makes of it, and is not altered by a change of another value.
func TestBytesSurvive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := records.Value(rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(rt, "text"))
		for name, open := range opened() {
			h, fake, _ := open()
			foreign := set("a", "TXT", 3600, text)
			fake.Put(foreign)
			both := foreign.Hold(text, "ours")
			c := records.Change{Key: foreign.Key, Before: &foreign, After: &both}
			if err := errors.Join(h.WriteSet(t.Context(), zone, c), h.WriteSet(t.Context(), zone, c.Reverse())); err != nil {
				rt.Fatalf("%s: %v", name, err)
			}
			z, err := fake.Look()
			if got, _ := z.Set(foreign.Key); err != nil || !got.Equal(foreign) {
				rt.Fatalf("%s: %q became %q: %v", name, text, got.Values, err)
			}
		}
	})
}
