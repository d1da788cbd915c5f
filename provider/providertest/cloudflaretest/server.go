package cloudflaretest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/attunelogic/maildns/records"
)

// The request budget of a user or account token.
const (
	budget = 1200
	window = 5 * time.Minute
)

// Server is Cloudflare. It is an http.Handler, below /client/v4, and an
// http.RoundTripper that needs no network. It is safe for concurrent use once
// its fields are set.
type Server struct {
	Token Token
	// Now is the clock of the request budget; nil: the real one.
	Now func() time.Time
	// Around stands around each request; nil: nothing does. It may answer
	// itself, change a zone before or after, or fail.
	Around func(req *http.Request, serve func() Answer) (Answer, error)

	mu      sync.Mutex
	zones   []*Zone
	seen    []string
	times   []time.Time // of the requests within the window
	blocked time.Time   // until when all are refused
	refused int         // by the budget
	ids     int
}

// Answer is what comes back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Token is what the one token of the account may do.
type Token struct {
	Secret       string
	AccountOwned bool   // verified as an account's, not as a user's
	Status       string // "active" where it is empty
	ExpiresOn    string
	NoZoneRead   bool
	NoDNSRead    bool
	NoDNSEdit    bool
}

// Zone is one zone.
type Zone struct {
	ID      string
	Name    records.Name
	Account string
	Plan    string // "free" where it is empty
	Type    string // "full" where it is empty
	Quota   int    // records that it may hold; 0: 1000, or 3500 with a paid plan

	records []Record
}

// Record is one DNS record.
type Record struct {
	ID       string
	Type     string
	Name     string // absolute, without the final dot
	Content  string
	TTL      int // 1: automatic
	Priority *int
	Proxied  bool
	Comment  string
	Tags     []string
	Data     map[string]any
	Settings map[string]any
	Meta     Meta
}

// Meta is what the record's owner can't change.
type Meta struct {
	ReadOnly     bool `json:"read_only,omitempty"`
	EmailRouting bool `json:"email_routing,omitempty"`
}

// AddZone adds a zone. Its id is made up where it has none.
func (s *Server) AddZone(z Zone) *Zone {
	s.mu.Lock()
	defer s.mu.Unlock()
	if z.ID == "" {
		z.ID = s.id()
	}
	z.Plan, z.Type, z.Account = orElse(z.Plan, "free"), orElse(z.Type, "full"), orElse(z.Account, "Example Inc.")
	s.zones = append(s.zones, &z)
	return &z
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// id makes up an id of 32 hex digits.
func (s *Server) id() string {
	s.ids++
	return fmt.Sprintf("%032x", s.ids*0x9e3779b1)
}

// Add puts a record into a zone as it is, however it came there, and returns
// its id.
func (s *Server) Add(zoneID string, r Record) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	z := s.zone(zoneID)
	if r.ID == "" {
		r.ID = s.id()
	}
	z.records = append(z.records, r)
	return r.ID
}

// Records returns the records of a zone in the order of their ids.
func (s *Server) Records(zoneID string) []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.zone(zoneID).records)
	slices.SortFunc(out, func(a, b Record) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Requests returns method and path of each request so far, those that were
// refused too.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Spend takes requests from the budget, as somebody else with that account does.
func (s *Server) Spend(requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range requests {
		s.times = append(s.times, s.now())
	}
}

// Refused is how many requests were answered by 429.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

func (s *Server) zone(id string) *Zone {
	i := slices.IndexFunc(s.zones, func(z *Zone) bool { return z.ID == id })
	if i < 0 {
		return nil
	}
	return s.zones[i]
}

// RoundTrip answers a request without a network.
func (s *Server) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	answer, err := s.around(req)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: answer.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: answer.Header,
		Body: io.NopCloser(bytes.NewReader(answer.Body)), ContentLength: int64(len(answer.Body)), Request: req,
	}, nil
}

func (s *Server) around(req *http.Request) (Answer, error) {
	serve := func() Answer {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, req)
		return Answer{w.Code, w.Header(), w.Body.Bytes()}
	}
	if s.Around == nil {
		return serve(), nil
	}
	return s.Around(req, serve)
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, below := strings.CutPrefix(req.URL.Path, "/client/v4")
	s.seen = append(s.seen, req.Method+" "+path)
	if f := s.spend(w); f != nil {
		f.write(w)
		return
	}
	if !below {
		fail(http.StatusNotFound, 7000, "No route for that URI").write(w)
		return
	}
	if f := s.authenticate(req); f != nil {
		f.write(w)
		return
	}
	result, info, f := s.route(req, path)
	if f != nil {
		f.write(w)
		return
	}
	body := map[string]any{"success": true, "errors": []any{}, "messages": []any{}, "result": result}
	if info != nil {
		body["result_info"] = info
	}
	writeJSON(w, http.StatusOK, body)
}

// spend takes one request from the budget.
func (s *Server) spend(w http.ResponseWriter) *fault {
	now := s.now()
	s.times = slices.DeleteFunc(s.times, func(t time.Time) bool { return now.Sub(t) >= window })
	if len(s.times) >= budget {
		s.blocked = now.Add(window)
		s.times = nil
	}
	if d := s.blocked.Sub(now); d > 0 {
		s.refused++
		w.Header().Set("Retry-After", strconv.Itoa(int((d+time.Second-1)/time.Second)))
		return fail(http.StatusTooManyRequests, 971, "Please wait and consider throttling your request speed")
	}
	s.times = append(s.times, now)
	w.Header().Set("Ratelimit-Policy", fmt.Sprintf(`"default";q=%d;w=%d`, budget, int(window/time.Second)))
	w.Header().Set("Ratelimit", fmt.Sprintf(`"default";r=%d;t=%d`, budget-len(s.times), int((window-now.Sub(s.times[0]))/time.Second)))
	return nil
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Server) authenticate(req *http.Request) *fault {
	header := req.Header.Get("Authorization")
	secret, bearer := strings.CutPrefix(header, "Bearer ")
	switch {
	case header == "":
		return fail(http.StatusBadRequest, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
	case !bearer || secret == "" || strings.ContainsAny(secret, " \t\r\n"):
		return fail(http.StatusBadRequest, 6003, "Invalid request headers", cause{6111, "Invalid format for Authorization header"})
	case secret != s.Token.Secret:
		return fail(http.StatusForbidden, 9109, "Invalid access token")
	}
	return nil
}

// fault is an answer that says no.
type fault struct {
	status int
	code   int
	text   string
	chain  []cause
}

type cause struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func fail(status, code int, text string, chain ...cause) *fault {
	return &fault{status, code, text, chain}
}

// invalid is how a record's fault is told.
func invalid(code int, format string, args ...any) *fault {
	return fail(http.StatusBadRequest, 1004, "DNS Validation Error", cause{code, fmt.Sprintf(format, args...)})
}

func (f *fault) write(w http.ResponseWriter) {
	one := map[string]any{"code": f.code, "message": f.text}
	if len(f.chain) > 0 {
		one["error_chain"] = f.chain
	}
	writeJSON(w, f.status, map[string]any{"success": false, "errors": []any{one}, "messages": []any{}, "result": nil})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The recorder and the test server take whatever there is.
	_ = json.NewEncoder(w).Encode(body)
}

type pageInfo struct {
	Page       int `json:"page"`
	PerPage    int `json:"per_page"`
	Count      int `json:"count"`
	TotalCount int `json:"total_count"`
	TotalPages int `json:"total_pages"`
}

// route finds what a request asks for.
func (s *Server) route(req *http.Request, path string) (result any, info *pageInfo, f *fault) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case req.Method == http.MethodGet && path == "/user/tokens/verify":
		result, f = s.verify(!s.Token.AccountOwned)
	case req.Method == http.MethodGet && len(parts) == 4 && parts[0] == "accounts" && parts[2] == "tokens" && parts[3] == "verify":
		result, f = s.verify(s.Token.AccountOwned)
	case req.Method == http.MethodGet && path == "/zones":
		return s.listZones(req)
	case len(parts) < 2 || parts[0] != "zones":
		f = fail(http.StatusNotFound, 7000, "No route for that URI")
	default:
		return s.inZone(req, parts[1], parts[2:])
	}
	return result, nil, f
}

func (s *Server) verify(right bool) (any, *fault) {
	if !right {
		return nil, fail(http.StatusUnauthorized, 1000, "Invalid API Token")
	}
	out := map[string]any{"id": "ed17574386854bf78a67040be0a770b0", "status": orElse(s.Token.Status, "active")}
	if s.Token.ExpiresOn != "" {
		out["expires_on"] = s.Token.ExpiresOn
	}
	return out, nil
}

// forbidden is how a missing permission is told.
func forbidden() *fault { return fail(http.StatusForbidden, 10000, "Authentication error") }

func (s *Server) listZones(req *http.Request) (any, *pageInfo, *fault) {
	q := req.URL.Query()
	if f := known(q, "name", "page", "per_page", "order", "direction"); f != nil {
		return nil, nil, f
	}
	var found []any
	sorted := slices.SortedStableFunc(slices.Values(s.zones), func(a, b *Zone) int { return strings.Compare(string(a.Name), string(b.Name)) })
	for _, z := range sorted {
		if !s.Token.NoZoneRead && (!q.Has("name") || q.Get("name") == string(z.Name)) {
			found = append(found, s.describe(z))
		}
	}
	return paged(q, found, 20, 5, 50)
}

// describe is a zone as the API lists it.
func (s *Server) describe(z *Zone) map[string]any {
	permissions := []string{"#zone:read"}
	if !s.Token.NoDNSRead {
		permissions = append(permissions, "#dns_records:read")
	}
	if !s.Token.NoDNSEdit {
		permissions = append(permissions, "#dns_records:edit")
	}
	return map[string]any{
		"id": z.ID, "name": z.Name, "status": "active", "type": z.Type, "paused": false, "permissions": permissions,
		"account": map[string]any{"id": "01a7362d577a6c3019a474fd6f485823", "name": z.Account},
		"plan":    map[string]any{"id": "x", "name": z.Plan, "legacy_id": z.Plan},
	}
}

// known refuses parameters that are not documented.
func known(q map[string][]string, names ...string) *fault {
	for name := range maps.Keys(q) {
		if !slices.Contains(names, name) {
			return fail(http.StatusBadRequest, 1003, "Unknown parameter: "+name)
		}
	}
	return nil
}

// paged returns one page of a list.
func paged(q map[string][]string, all []any, perPage, least, most int) (any, *pageInfo, *fault) {
	page := 1
	for name, n := range map[string]*int{"page": &page, "per_page": &perPage} {
		if len(q[name]) == 0 {
			continue
		}
		given, err := strconv.Atoi(q[name][0])
		if err != nil || given < 1 || name == "per_page" && (given < least || given > most) {
			return nil, nil, fail(http.StatusBadRequest, 1004, "Invalid value for "+name)
		}
		*n = given
	}
	first := min((page-1)*perPage, len(all))
	shown := all[first:min(first+perPage, len(all))]
	info := &pageInfo{Page: page, PerPage: perPage, Count: len(shown), TotalCount: len(all), TotalPages: (len(all) + perPage - 1) / perPage}
	return append([]any{}, shown...), info, nil
}
