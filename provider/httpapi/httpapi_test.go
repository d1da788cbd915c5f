package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/provider/httpapi"
)

// world is a clock that only sleeping moves, and a host that answers by a
// script, its last line for ever.
type world struct {
	mu     sync.Mutex
	now    time.Time
	slept  []time.Duration
	script []line
	seen   []string // method, URL and body of each request
}

func newWorld(script ...line) *world {
	return &world{now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), script: script}
}

func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := ""
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		text = string(b)
	}
	now := w.script[min(len(w.seen), len(w.script)-1)]
	w.seen = append(w.seen, strings.TrimSpace(req.Method+" "+req.URL.String()+" "+text))
	if now.hangs {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	if now.err != nil {
		return nil, now.err
	}
	return &http.Response{StatusCode: now.status, Header: now.header, Body: io.NopCloser(now.body()), Request: req}, nil
}

// line is what the host does with one request.
type line struct {
	status int
	header http.Header
	body   func() io.Reader
	err    error
	hangs  bool
}

func (w *world) outside() httpapi.Outside {
	return httpapi.Outside{
		Via: w,
		Now: func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.now
		},
		Sleep: func(ctx context.Context, d time.Duration) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.now = w.now.Add(d)
			w.slept = append(w.slept, d)
			return context.Cause(ctx)
		},
		Random: func() float64 { return 0.5 },
	}
}

func (w *world) transport() *httpapi.Transport {
	return &httpapi.Transport{JSON: true, Secrets: []string{"s3cret"}, Outside: w.outside()}
}

func answers(status int, kind, body string, header ...string) line {
	h := http.Header{"Content-Type": {kind}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return line{status: status, header: h, body: func() io.Reader { return strings.NewReader(body) }}
}

func fails(err error) line { return line{err: err} }

// cut is an answer whose body ends too early.
var cut = line{status: http.StatusOK, body: func() io.Reader { return io.MultiReader(strings.NewReader(`{"a":`), failing{}) }}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

var (
	fine    = answers(200, "application/json", `{"ok":true}`)
	errLine = errors.New("connection reset")
)

func send(t *testing.T, tr *httpapi.Transport, method, body string) (int, string, error) {
	t.Helper()
	return sendUnder(t.Context(), t, tr, method, body)
}

func sendUnder(ctx context.Context, t *testing.T, tr *httpapi.Transport, method, body string) (int, string, error) {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://api.example.net/v4/zones?token=s3cret", r)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.Do(req)
	if err != nil {
		return 0, "", err
	}
	b, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), nil
}

// TestRetry: what may be repeated is, as often as it is allowed, and what may
// not is sent once. Nothing that goes wrong is taken for success.
func TestRetry(t *testing.T) {
	t.Parallel()
	type script = []line
	html := answers(502, "text/html; charset=utf-8", "<html><h1>Bad\tgateway</h1> s3cret")
	cases := []struct {
		name   string
		method string
		script script
		sent   int
		status int
		want   string // of the error
	}{
		{"fine", "GET", script{fine}, 1, 200, ""},
		{"429 then fine", "GET", script{answers(429, "application/json", "{}"), fine}, 2, 200, ""},
		{"500, 502, 503, 504", "DELETE", script{answers(500, "", "{}"), html, answers(503, "", "{}"), answers(504, "", "{}"), fine}, 5, 200, ""},
		{"five times 500", "GET", script{answers(500, "application/json", `{"why":"x"}`)}, 5, 500, ""},
		{"501 is final", "GET", script{answers(501, "application/json", "{}"), fine}, 1, 501, ""},
		{"404 is final", "GET", script{answers(404, "application/json", "{}"), fine}, 1, 404, ""},
		{"connection errors", "PUT", script{fails(errLine), fails(errLine), fine}, 3, 200, ""},
		{"no connection", "GET", script{fails(errLine)}, 5, 0, "GET /v4/zones (attempt 5): connection reset"},
		{"the URL of an error", "GET", script{fails(&url.Error{Op: "Get", URL: "https://x/?token=s3cret", Err: errLine})}, 5, 0, "connection reset"},
		{"POST and 429", "POST", script{answers(429, "application/json", "{}"), fine}, 1, 429, ""},
		{"POST and 500", "POST", script{answers(500, "application/json", "{}"), fine}, 1, 500, ""},
		{"PATCH and no connection", "PATCH", script{fails(errLine), fine}, 1, 0, "PATCH /v4/zones: connection reset"},
		{"HTML", "GET", script{html}, 5, 0, "GET /v4/zones: HTTP 502 Bad Gateway: the answer is no JSON but text/html, so a proxy's or a fault of the host: <html><h1>Bad gateway</h1> ***"},
		{"HTML that is fine", "GET", script{answers(200, "text/html", "<p>log in")}, 1, 0, "HTTP 200 OK: the answer is no JSON but text/html"},
		{"cut", "GET", script{cut}, 5, 0, "the answer (HTTP 200) was cut: unexpected EOF"},
		{"cut, then fine", "GET", script{cut, fine}, 2, 200, ""},
		{"cut without a sign", "POST", script{answers(200, "application/json", `{"a":`)}, 1, 0, "the answer is cut, or no JSON"},
		{"empty error", "POST", script{answers(500, "", "")}, 1, 0, "an empty answer"},
		{"no content", "DELETE", script{answers(204, "", "")}, 1, 204, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(c.script...)
			status, _, err := send(t, w.transport(), c.method, "body")
			if status != c.status || len(w.seen) != c.sent {
				t.Errorf("status %d after %d requests, want %d after %d", status, len(w.seen), c.status, c.sent)
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error has a secret: %v", err)
			}
			for _, s := range w.seen {
				if s != c.method+" https://api.example.net/v4/zones?token=s3cret body" {
					t.Errorf("sent %q", s)
				}
			}
		})
	}
}

// TestPauses: each is twice as long as the one before, unless the host says
// how long.
func TestPauses(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	cases := []struct {
		name   string
		header []string
		want   []time.Duration
	}{
		{"ours", nil, []time.Duration{375 * ms, 750 * ms, 1500 * ms, 3000 * ms}},
		{"seconds", []string{"Retry-After", "7"}, []time.Duration{7375 * ms, 7750 * ms, 8500 * ms, 10 * time.Second}},
		{"a date", []string{"Retry-After", "Wed, 25 Nov 2026 00:00:09 GMT"}, []time.Duration{9375 * ms, 750 * ms, 1500 * ms, 3000 * ms}},
		{"nonsense", []string{"Retry-After", "-1"}, []time.Duration{375 * ms, 750 * ms, 1500 * ms, 3000 * ms}},
	}
	for _, c := range cases {
		w := newWorld(answers(503, "", "{}", c.header...))
		if status, _, err := send(t, w.transport(), "GET", ""); err != nil || status != 503 {
			t.Errorf("%s: status %d, error %v", c.name, status, err)
		}
		if !slices.Equal(w.slept, c.want) {
			t.Errorf("%s: slept %v, want %v", c.name, w.slept, c.want)
		}
	}
}

// TestWaits: a wait that would outlast the context is not begun, one that is
// begun is told, and one that is cancelled ends.
func TestWaits(t *testing.T) {
	t.Parallel()
	t.Run("in vain", func(t *testing.T) {
		t.Parallel()
		w := newWorld(answers(429, "", "{}", "Retry-After", "300"))
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Hour))
		defer cancel()
		w.now = time.Now().Add(56 * time.Minute)
		_, _, err := sendUnder(ctx, t, w.transport(), "GET", "")
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "waiting 5m") || len(w.slept) > 0 {
			t.Errorf("error %v, slept %v", err, w.slept)
		}
	})
	t.Run("told", func(t *testing.T) {
		t.Parallel()
		w := newWorld(answers(429, "", "{}", "Retry-After", "300"), fine)
		tr := w.transport()
		var told []string
		tr.Tell = func(event string) { told = append(told, event) }
		if _, _, err := send(t, tr, "GET", ""); err != nil || len(told) != 1 || !strings.Contains(told[0], "waiting 5m1s since the host asks for it (HTTP 429)") {
			t.Errorf("told %q, error %v", told, err)
		}
	})
	t.Run("told once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(fine)
		tr := w.transport()
		told := 0
		tr.Tell = func(string) { told++ }
		tr.Pacer = httpapi.NewPacer(0.1, 1, 0)
		// Three wait for turns 10, 20 and 30 seconds ahead while time stands
		// still: the second and third wait behind the first.
		tr.Outside.Sleep = func(context.Context, time.Duration) error { return nil }
		for range 4 {
			if _, _, err := send(t, tr, "POST", ""); err != nil {
				t.Fatal(err)
			}
		}
		if told != 1 {
			t.Errorf("told %d times", told)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		w := newWorld(fails(errLine))
		ctx, cancel := context.WithCancelCause(t.Context())
		tr := w.transport()
		tr.Outside.Sleep = func(context.Context, time.Duration) error {
			cancel(errors.New("enough"))
			return context.Cause(ctx)
		}
		if _, _, err := sendUnder(ctx, t, tr, "GET", ""); err == nil || !strings.Contains(err.Error(), "enough") || len(w.seen) != 1 {
			t.Errorf("error %v after %d requests", err, len(w.seen))
		}
		if _, _, err := sendUnder(ctx, t, tr, "GET", ""); err == nil || len(w.seen) != 1 {
			t.Errorf("error %v after %d requests", err, len(w.seen))
		}
	})
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(line{hangs: true})
	tr := w.transport()
	tr.Timeout, tr.Attempts = time.Nanosecond, 2
	if _, _, err := send(t, tr, "GET", ""); err == nil || !strings.Contains(err.Error(), "no answer within 1ns") || len(w.seen) != 2 {
		t.Errorf("error %v after %d requests", err, len(w.seen))
	}
}

func TestBodyBound(t *testing.T) {
	t.Parallel()
	w := newWorld(answers(200, "application/json", `"`+strings.Repeat("x", 100)+`"`))
	tr := w.transport()
	tr.MaxBody = 102
	if _, body, err := send(t, tr, "GET", ""); err != nil || len(body) != 102 {
		t.Errorf("%d bytes, error %v", len(body), err)
	}
	tr.MaxBody = 101
	if _, _, err := send(t, tr, "GET", ""); err == nil || !strings.Contains(err.Error(), "more than 101 bytes") || len(w.seen) != 2 {
		t.Errorf("error %v after %d requests", err, len(w.seen))
	}
}

// TestWatch: a failure is seen even where the library between swallows it.
func TestWatch(t *testing.T) {
	t.Parallel()
	w := newWorld(fine, answers(403, "application/json", `{"code":9109}`), answers(404, "application/json", "{}"), fails(errLine))
	tr := w.transport()
	ctx, failures := httpapi.Watch(t.Context())
	_, _, _ = sendUnder(ctx, t, tr, "POST", "")
	if err := failures(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, _, _ = sendUnder(ctx, t, tr, "POST", "")
	}
	err := failures()
	var said *httpapi.Error
	if !errors.As(err, &said) || said.Status != 403 || string(said.Body) != `{"code":9109}` || !errors.Is(err, errLine) {
		t.Errorf("failures: %v", err)
	}
	if want := `POST /v4/zones: HTTP 403 Forbidden: {"code":9109}`; said.Error() != want {
		t.Errorf("the error %q, want %q", said, want)
	}
}

// TestEndpoint: requests go elsewhere where the environment says so, and
// credentials go nowhere else.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"https://proxy.example/v4": true, "https://proxy.example/": true, "http://127.0.0.1:81/client/v4": true, "http://[::1]": true,
		"http://proxy.example": false, "http://localhost": false, "proxy.example": false, "": false,
		"https://user:s3cret@proxy.example": false, "https://proxy.example/?x": false, "ftp://127.0.0.1": false, "https://%zz": false,
	} {
		if _, err := httpapi.Endpoint(text); (err == nil) != ok || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: error %v", text, err)
		}
	}
	w := newWorld(fine)
	tr := w.transport()
	tr.API = &url.URL{Scheme: "https", Host: "api.example.net", Path: "/v4"}
	tr.Endpoint, _ = httpapi.Endpoint("http://127.0.0.1:81/x/")
	if _, _, err := send(t, tr, "GET", ""); err != nil || !slices.Equal(w.seen, []string{"GET http://127.0.0.1:81/x/zones?token=s3cret"}) {
		t.Errorf("sent %q, error %v", w.seen, err)
	}
	for _, other := range []string{"https://evil.example/v4/zones", "http://api.example.net/v4/zones", "https://api.example.net/v45", "https://api.example.net/"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, other, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			t.Errorf("a request went to %s", other)
		}
	}
	if len(w.seen) != 1 {
		t.Errorf("sent %q", w.seen)
	}
}

// TestPacing: no window of the host's length ever sees more requests than the
// budget, wherever the window begins, and no time is wasted before.
func TestPacing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		burst := rapid.IntRange(1, 20).Draw(t, "burst")
		perSecond := rapid.Float64Range(0.5, 50).Draw(t, "perSecond")
		share := rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "share")
		most := max(burst/2, 1)
		if share != 0.5 {
			most = burst
		}
		w := newWorld(fine)
		tr := w.transport()
		tr.Pacer = httpapi.NewPacer(perSecond, burst, share)
		window := time.Duration(float64(burst) / perSecond * float64(time.Second))
		var sent []time.Time
		for i := range rapid.IntRange(1, 80).Draw(t, "requests") {
			waits := len(w.slept)
			req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://api.example.net", nil)
			resp, err := tr.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			sent = append(sent, w.now)
			waited := len(w.slept) > waits
			if i < most && waited {
				t.Fatalf("request %d of a burst of %d had to wait", i, most)
			}
			if i >= most {
				d := w.now.Sub(sent[i-most])
				if d < window || waited && d > window*102/100 {
					t.Fatalf("%d requests and one more in %s, the window is %s", most, d, window)
				}
			}
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "pause")) * time.Millisecond)
		}
	})
}

// TestHostSaysWait: the host's word holds back all requests, not just the one
// that it was told to.
func TestHostSaysWait(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer line
		waits  time.Duration
	}{
		{"429", answers(429, "", "{}", "Retry-After", "60"), 60 * time.Second},
		{"nothing remains", answers(200, "", "{}", "RateLimit", `"default";r=0;t=30`), 30 * time.Second},
		{"one of two", answers(200, "", "{}", "RateLimit", `"a";r=5;t=90, "b";r=0;t=30`), 30 * time.Second},
		{"something remains", answers(200, "", "{}", "RateLimit", `"default";r=1;t=30`), 0},
		{"503 is about one request", answers(503, "", "{}", "Retry-After", "60"), 0},
	}
	for _, c := range cases {
		w := newWorld(c.answer, fine)
		tr := w.transport()
		tr.Pacer = httpapi.NewPacer(0, 0, 0)
		if _, _, err := send(t, tr, "POST", ""); err != nil {
			t.Fatal(err)
		}
		if _, _, err := send(t, tr, "POST", ""); err != nil {
			t.Fatal(err)
		}
		var total time.Duration
		for _, d := range w.slept {
			total += d
		}
		if total != c.waits {
			t.Errorf("%s: waited %s, want %s", c.name, total, c.waits)
		}
	}
}

// TestConcurrent: one transport serves all zones at once.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(fine)
	tr := w.transport()
	tr.Pacer = httpapi.NewPacer(4, 8, 0)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, _, err := send(t, tr, "GET", ""); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(w.seen) != 20 {
		t.Errorf("%d requests", len(w.seen))
	}
}

// TestRealWorld: the zero Outside reaches a server.
func TestRealWorld(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		_, _ = fmt.Fprintf(rw, "%q", req.Header.Get("X-Test"))
	}))
	t.Cleanup(server.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Test", "there")
	resp, err := (&http.Client{Transport: &httpapi.Transport{JSON: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil || string(b) != `"there"` {
		t.Errorf("%q, %v", b, err)
	}
}

// TestReadsOnly: what a write was compared with may have changed before it is
// sent again, so it isn't.
func TestReadsOnly(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int{"GET": 2, "PUT": 1, "DELETE": 1, "POST": 1} {
		w := newWorld(answers(429, "application/json", `{}`, "Retry-After", "60"), answers(200, "application/json", `{}`))
		tr := w.transport()
		tr.ReadsOnly = true
		if _, _, err := send(t, tr, method, ""); err != nil {
			t.Errorf("%s: %v", method, err)
		}
		if len(w.seen) != want {
			t.Errorf("%s: %d requests, want %d", method, len(w.seen), want)
		}
	}
}

// TestBeforeSend: a request that waited for its turn asks whether it is still
// wanted, and isn't sent where it is not.
func TestBeforeSend(t *testing.T) {
	t.Parallel()
	w := newWorld(answers(200, "application/json", `{}`))
	late := errors.New("too late")
	ctx := httpapi.BeforeSend(t.Context(), func() error { return late })
	if _, _, err := sendUnder(ctx, t, w.transport(), "POST", "{}"); !errors.Is(err, late) || len(w.seen) != 0 {
		t.Errorf("error %v, %d requests", err, len(w.seen))
	}
}
