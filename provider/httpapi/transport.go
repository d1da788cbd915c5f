package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What a Transport does where its fields say nothing.
const (
	defaultTimeout  = 30 * time.Second
	defaultAttempts = 5
	defaultMaxBody  = 64 << 20
	firstPause      = 500 * time.Millisecond
	longestPause    = 20 * time.Second
	longestWait     = 24 * time.Hour // that a host may ask for
)

// Transport sends requests to one API host. All zones of a run share one, since
// they share the host's budget. It is safe for concurrent use once its fields
// are set.
//
// It repeats a request that found no connection or was answered by 429, 500,
// 502, 503 or 504, where the method allows that (RFC 9110 9.2.2: GET, HEAD,
// OPTIONS, PUT, DELETE). A POST or PATCH is sent once: whether it had an effect
// is for its sender to find out. Answers are read to their end before they are
// passed on, so that a cut one is an error here.
type Transport struct {
	// API is the address that requests are made for, and Endpoint where they
	// go instead; see the function Endpoint. A request for any other address
	// is refused, since it would carry credentials away. Where API is nil,
	// requests go where they say.
	API, Endpoint *url.URL

	Pacer    *Pacer        // nil: no limit
	Timeout  time.Duration // of one attempt with its answer; 0: 30 seconds
	Attempts int           // 0: 5
	MaxBody  int64         // bytes of an answer; 0: 64 MiB
	// JSON says that every answer with content is JSON, so that any other is
	// an error: the page of a proxy, a cut body.
	JSON bool
	// Secrets are kept out of errors, should an answer repeat them.
	Secrets []string
	// Tell is told in one sentence when requests have to wait, one call at a
	// time; nil: nobody is.
	Tell func(event string)

	Outside Outside // the zero value is the real world

	// ReadsOnly repeats requests that read, and no others: what a write was
	// compared with may have changed meanwhile.
	ReadsOnly bool

	telling sync.Mutex
	told    time.Time // until when the wait lasts that was told of last

	opened sync.Once
	world  Outside // Outside without gaps
}

// open fills the gaps of Outside once, since connections are kept there.
func (t *Transport) open() Outside {
	t.opened.Do(func() { t.world = t.Outside.real() })
	return t.world
}

// Do sends a request, as an http.Client does, but follows no redirection.
func (t *Transport) Do(req *http.Request) (*http.Response, error) { return t.RoundTrip(req) }

// RoundTrip sends a request. An answer of the API is no error, whatever its
// status; what is not an answer of the API is.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.send(req)
	switch {
	case err != nil:
		report(req.Context(), err)
	case resp.status() >= http.StatusBadRequest:
		report(req.Context(), t.errorOf(req, resp, ""))
	}
	if err != nil {
		return nil, err
	}
	return resp.Response, nil
}

// answer is a response whose body has been read.
type answer struct {
	*http.Response
	body []byte
}

func (a *answer) status() int { return a.StatusCode }

func (t *Transport) send(req *http.Request) (*answer, error) {
	body, err := readRequest(req)
	if err != nil {
		return nil, err
	}
	out, err := t.address(req)
	if err != nil {
		return nil, err
	}
	world := t.open()
	for attempt := 1; ; attempt++ {
		if err := t.takeTurn(req.Context(), world); err != nil {
			return nil, t.wrap(req, attempt, err)
		}
		if err := stillWanted(req.Context()); err != nil {
			return nil, t.wrap(req, attempt, err)
		}
		a, err := t.once(world, out, body)
		if err == nil {
			t.heed(world, a)
		}
		if !t.worthRepeating(req, a, err, attempt) {
			return t.judge(req, a, err, attempt)
		}
		if err := t.pause(req.Context(), world, a, attempt); err != nil {
			return nil, t.wrap(req, attempt, err)
		}
	}
}

// readRequest returns the body that each attempt sends.
func readRequest(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(req.Body)
	return body, errors.Join(err, req.Body.Close())
}

// address returns the request as it leaves: to the endpoint.
func (t *Transport) address(req *http.Request) (*http.Request, error) {
	out := req.Clone(req.Context())
	if t.API == nil {
		return out, nil
	}
	rest, below := strings.CutPrefix(req.URL.Path, t.API.Path)
	if req.URL.Scheme != t.API.Scheme || req.URL.Host != t.API.Host || !below || rest != "" && rest[0] != '/' {
		return nil, fmt.Errorf("%s %s is no address of %s: refused, since credentials would go there", req.Method, req.URL.Host, t.API.Host)
	}
	if t.Endpoint != nil {
		to := *t.Endpoint
		to.Path, to.RawPath, to.RawQuery = to.Path+rest, "", req.URL.RawQuery
		out.URL, out.Host = &to, ""
	}
	return out, nil
}

// takeTurn waits until the budget has room.
func (t *Transport) takeTurn(ctx context.Context, world Outside) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if t.Pacer == nil {
		return nil
	}
	turn := t.Pacer.reserve(world.Now())
	return t.waitUntil(ctx, world, turn, "to keep within the host's request budget")
}

// waitUntil waits, or says at once that it would be in vain.
func (t *Transport) waitUntil(ctx context.Context, world Outside, at time.Time, why string) error {
	d := at.Sub(world.Now())
	if d <= 0 {
		return nil
	}
	if end, ok := ctx.Deadline(); ok && world.Now().Add(d).After(end) {
		return fmt.Errorf("waiting %s %s would take longer than this may take: %w", rounded(d), why, context.DeadlineExceeded)
	}
	t.tell(world.Now(), at, why)
	return world.Sleep(ctx, d)
}

// tell tells of a wait, unless it is short, or another that was told of is not
// over yet: zones that are read at once wait at once.
func (t *Transport) tell(now, at time.Time, why string) {
	const worthTelling = 2 * time.Second
	if t.Tell == nil || at.Sub(now) < worthTelling {
		return
	}
	t.telling.Lock()
	defer t.telling.Unlock()
	if now.Before(t.told) {
		return
	}
	t.told = at
	t.Tell(fmt.Sprintf("waiting %s %s", rounded(at.Sub(now)), why))
}

func rounded(d time.Duration) time.Duration {
	return (d + 500*time.Millisecond).Round(time.Second)
}

// once makes one attempt and reads its answer.
func (t *Transport) once(world Outside, req *http.Request, body []byte) (*answer, error) {
	timeout := t.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(req.Context(), timeout, fmt.Errorf("no answer within %s", timeout))
	defer cancel()
	req = req.WithContext(ctx)
	if req.Body != nil {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	resp, err := world.Via.RoundTrip(req)
	if err != nil {
		return nil, causeOf(ctx, err)
	}
	return t.read(ctx, resp)
}

func (t *Transport) read(ctx context.Context, resp *http.Response) (*answer, error) {
	most := t.MaxBody
	if most == 0 {
		most = defaultMaxBody
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, fmt.Errorf("the answer (HTTP %d) was cut: %w", resp.StatusCode, causeOf(ctx, err))
	}
	if int64(len(body)) > most {
		return nil, &tooLargeError{most}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return &answer{resp, body}, nil
}

type tooLargeError struct{ most int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the answer has more than %d bytes", e.most)
}

// causeOf says why a context ended, where that is what went wrong.
func causeOf(ctx context.Context, err error) error {
	var inURL *url.Error // its text has the whole URL
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// heed holds all requests back when the host says that its budget is used up:
// by 429 with Retry-After (RFC 6585 4), or beforehand by RateLimit with
// nothing remaining (draft-ietf-httpapi-ratelimit-headers).
func (t *Transport) heed(world Outside, a *answer) {
	if t.Pacer == nil {
		return
	}
	now := world.Now()
	if d, ok := exhausted(a.Header.Get("RateLimit")); ok {
		t.Pacer.hold(now.Add(d))
	}
	if d, ok := retryAfter(a.Header, now); ok && a.status() == http.StatusTooManyRequests {
		t.Pacer.hold(now.Add(d))
	}
}

// exhausted reads `"name";r=0;t=30`: nothing remains for 30 seconds. Of several
// quotas the one that is used up longest counts.
func exhausted(header string) (longest time.Duration, ok bool) {
	for item := range strings.SplitSeq(header, ",") {
		remaining, reset := -1, -1
		for parameter := range strings.SplitSeq(item, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			n, err := strconv.Atoi(value)
			switch {
			case err != nil:
			case name == "r":
				remaining = n
			case name == "t":
				reset = n
			}
		}
		if remaining == 0 && reset > 0 {
			longest, ok = max(longest, seconds(reset)), true
		}
	}
	return longest, ok
}

// retryAfter reads Retry-After, in seconds or as a date (RFC 9110 10.2.3).
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return seconds(n), true
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), longestWait), true
	}
	return 0, false
}

// seconds is what a host asks for, within reason.
func seconds(n int) time.Duration {
	return time.Duration(min(n, int(longestWait/time.Second))) * time.Second
}

var (
	reading    = []string{http.MethodGet, http.MethodHead, http.MethodOptions}
	idempotent = append(slices.Clone(reading), http.MethodPut, http.MethodDelete)
	transient  = []int{
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}
)

func (t *Transport) worthRepeating(req *http.Request, a *answer, err error, attempt int) bool {
	most := t.Attempts
	if most == 0 {
		most = defaultAttempts
	}
	repeated := idempotent
	if t.ReadsOnly {
		repeated = reading
	}
	if attempt >= most || req.Context().Err() != nil || !slices.Contains(repeated, req.Method) {
		return false
	}
	if err != nil {
		var large *tooLargeError
		return !errors.As(err, &large)
	}
	return slices.Contains(transient, a.status())
}

// pause waits before the next attempt: as long as the host asks for, else twice
// as long each time, with half of that left to chance, so that clients which
// failed together don't come back together.
func (t *Transport) pause(ctx context.Context, world Outside, a *answer, attempt int) error {
	now := world.Now()
	d := min(firstPause<<(attempt-1), longestPause)
	d = d/2 + time.Duration(world.Random()*float64(d/2))
	why := "before trying again"
	if a != nil {
		if asked, ok := retryAfter(a.Header, now); ok {
			d += asked
			why = fmt.Sprintf("since the host asks for it (HTTP %d)", a.status())
		}
	}
	return t.waitUntil(ctx, world, now.Add(d), why)
}

// judge tells an answer of the API from what is none.
func (t *Transport) judge(req *http.Request, a *answer, err error, attempt int) (*answer, error) {
	if err != nil {
		return nil, t.wrap(req, attempt, err)
	}
	if !t.JSON || len(a.body) == 0 && a.status() < http.StatusBadRequest || json.Valid(a.body) {
		return a, nil
	}
	return nil, t.errorOf(req, a, notJSON(a))
}

func notJSON(a *answer) string {
	kind, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	switch start := bytes.TrimSpace(a.body); {
	case len(start) == 0:
		return "an empty answer"
	case start[0] == '{' || start[0] == '[':
		return "the answer is cut, or no JSON"
	case kind != "":
		return "the answer is no JSON but " + kind + ", so a proxy's or a fault of the host"
	default:
		return "the answer is no JSON, so a proxy's or a fault of the host"
	}
}

// errorOf turns an answer into an error.
func (t *Transport) errorOf(req *http.Request, a *answer, why string) *Error {
	return &Error{
		Method: req.Method, Path: redact(req.URL.Path, t.Secrets), Status: a.status(), Body: a.body,
		Why: why, shown: excerpt(redact(string(a.body), t.Secrets)),
	}
}

// wrap says of what request an error is, and how often it was tried.
func (t *Transport) wrap(req *http.Request, attempt int, err error) error {
	times := ""
	if attempt > 1 {
		times = fmt.Sprintf(" (attempt %d)", attempt)
	}
	return fmt.Errorf("%s %s%s: %w", req.Method, redact(req.URL.Path, t.Secrets), times, err)
}
