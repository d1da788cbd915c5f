package vendors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/records"
)

// Doer sends requests, as *httpapi.Transport does: it keeps within the host's
// budget and reads answers to their end.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// endpoint is where an API is, and how it knows its caller.
type endpoint struct {
	url  string // without a slash at its end
	http Doer
	// sign puts the credentials on a request with that body.
	sign func(ctx context.Context, req *http.Request, body []byte) error
	// refusal says what to do where the credentials are refused.
	refusal string
}

// call makes one request. In and out are JSON; nil: none. An answer that says
// no is an *httpapi.Error.
func (e endpoint) call(ctx context.Context, method, path string, in, out any) (http.Header, error) {
	req, body, err := e.request(ctx, method, path, in)
	if err != nil {
		return nil, err
	}
	if err := e.sign(ctx, req, body); err != nil {
		return nil, err
	}
	resp, err := e.http.Do(req)
	if err != nil {
		if isRefusal(statusOf(err)) {
			return nil, fmt.Errorf("%s: %w", e.refusal, err)
		}
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: reading the answer: %w", method, req.URL.Path, err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, &httpapi.Error{Method: method, Path: req.URL.Path, Status: resp.StatusCode, Body: answer, Why: e.why(resp.StatusCode, answer)}
	}
	if out == nil {
		return resp.Header, nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return nil, fmt.Errorf("%s %s: the answer is not as the API promises: %w", method, req.URL.Path, err)
	}
	return resp.Header, nil
}

func (e endpoint) request(ctx context.Context, method, path string, in any) (*http.Request, []byte, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, e.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", "application/json")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, body, nil
}

// why puts a refusal into words. Each vendor has a field of its own for them.
func (e endpoint) why(status int, answer []byte) string {
	words := strings.Join(sentences(answer), "; ")
	if isRefusal(status) {
		if words != "" {
			words = " (" + words + ")"
		}
		return e.refusal + words
	}
	return words
}

func isRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// sentences collects the texts of a JSON answer that explain a refusal,
// wherever the vendor puts them.
func sentences(answer []byte) []string {
	var v any
	if json.Unmarshal(answer, &v) != nil {
		return nil
	}
	var out []string
	collect(v, &out)
	return out
}

// collect goes through objects in the order of a fixed list of names, so that
// the same answer always reads the same.
func collect(v any, out *[]string) {
	switch v := v.(type) {
	case string:
		const most = 300
		if v = strings.TrimSpace(v); v != "" {
			*out = append(*out, strings.ToValidUTF8(v[:min(len(v), most)], ""))
		}
	case []any:
		for _, e := range v {
			collect(e, out)
		}
	case map[string]any:
		for _, name := range []string{"error", "message", "errors", "description", "detail", "cause", "non_field_errors", "records", "ttl", "type", "subname"} {
			if e, ok := v[name]; ok {
				collect(e, out)
			}
		}
	}
}

// statusOf returns the HTTP status of an error, or 0.
func statusOf(err error) int {
	var e *httpapi.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// header returns a sign function for credentials that stand in a header.
func header(name, value string) func(context.Context, *http.Request, []byte) error {
	return func(_ context.Context, req *http.Request, _ []byte) error {
		req.Header.Set(name, value)
		return nil
	}
}

// pathOf joins escaped segments.
func pathOf(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// errSamePage: what follows would be lost, so a list that doesn't go on is none.
var errSamePage = errors.New("the host sends the same page of the list again and again")

// noZone explains that the account doesn't hold a zone.
func noZone(zone records.Name, where string) error {
	return fmt.Errorf("the zone %s is not %s: create it there, or correct the provider of its domains", zone, where)
}
