package cloudflare

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/attunelogic/maildns/provider/httpapi"
)

// BaseURL is where the API is.
const BaseURL = "https://api.cloudflare.com/client/v4"

// envelope is what every answer of the API is wrapped in.
type envelope struct {
	Success    bool            `json:"success"`
	Errors     []message       `json:"errors"`
	Result     json.RawMessage `json:"result"`
	ResultInfo *resultInfo     `json:"result_info,omitempty"`
}

type message struct {
	Code       int       `json:"code"`
	Message    string    `json:"message"`
	ErrorChain []message `json:"error_chain"`
}

type resultInfo struct {
	Page       int `json:"page"`
	PerPage    int `json:"per_page"`
	Count      int `json:"count"`
	TotalCount int `json:"total_count"`
}

// zone is a zone as the API lists it.
type zone struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Status      string   `json:"status"`
	Type        string   `json:"type"`
	Permissions []string `json:"permissions"`
	Account     struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"account"`
	Plan struct {
		LegacyID string `json:"legacy_id"`
	} `json:"plan"`
}

// record is a DNS record as the API lists it, as far as it matters here.
type record struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Name     string          `json:"name"`
	Content  string          `json:"content"`
	TTL      uint32          `json:"ttl"`
	Priority *uint16         `json:"priority"`
	Proxied  bool            `json:"proxied"`
	Locked   bool            `json:"locked"`
	Data     json.RawMessage `json:"data"`
	Meta     struct {
		ReadOnly     bool `json:"read_only"`
		EmailRouting bool `json:"email_routing"`
	} `json:"meta"`
}

// api is the API with one token.
type api struct {
	token string
	http  *httpapi.Transport
}

// get asks for one thing, or for one page of a list.
func (a *api) get(ctx context.Context, path string, query url.Values, result any) (resultInfo, error) {
	address := BaseURL + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return resultInfo{}, err
	}
	return a.ask(req, result)
}

// post sends something that is not repeated.
func (a *api) post(ctx context.Context, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, BaseURL+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	_, err = a.ask(req, nil)
	return err
}

func (a *api) ask(req *http.Request, result any) (resultInfo, error) {
	e, err := a.do(req)
	if err != nil {
		return resultInfo{}, err
	}
	if result != nil {
		if err := json.Unmarshal(e.Result, result); err != nil {
			return resultInfo{}, fmt.Errorf("%s %s: the answer is not as Cloudflare documents it: %w", req.Method, pathOf(req), err)
		}
	}
	if e.ResultInfo == nil {
		return resultInfo{}, nil
	}
	return *e.ResultInfo, nil
}

// do sends a request and opens the envelope of its answer. An answer that says
// no is a *refusal.
func (a *api) do(req *http.Request) (envelope, error) {
	req.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := a.http.Do(req)
	if err != nil {
		return envelope{}, err
	}
	defer resp.Body.Close()
	var e envelope
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil {
		return envelope{}, fmt.Errorf("%s %s: HTTP %d: the answer is not as Cloudflare documents it: %w", req.Method, pathOf(req), resp.StatusCode, err)
	}
	if resp.StatusCode >= http.StatusBadRequest || !e.Success {
		return envelope{}, &refusal{method: req.Method, path: pathOf(req), status: resp.StatusCode, messages: a.redact(e.Errors)}
	}
	return e, nil
}

// redact takes the token out of what the API says, should it repeat it.
func (a *api) redact(messages []message) []message {
	for i := range messages {
		messages[i].Message = strings.ReplaceAll(messages[i].Message, a.token, "***")
		messages[i].ErrorChain = a.redact(messages[i].ErrorChain)
	}
	return messages
}

func pathOf(req *http.Request) string {
	return strings.TrimPrefix(req.URL.Path, "/client/v4")
}
