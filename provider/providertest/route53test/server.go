package route53test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/attunelogic/maildns/records"
)

// Action is the name of an API action, as IAM policies have it.
type Action string

// The actions that the server knows.
const (
	ListHostedZones          Action = "ListHostedZones"
	ListHostedZonesByName    Action = "ListHostedZonesByName"
	ListResourceRecordSets   Action = "ListResourceRecordSets"
	ChangeResourceRecordSets Action = "ChangeResourceRecordSets"
	GetChange                Action = "GetChange"
)

// Call is one request.
type Call struct {
	Number int // from 0
	Action Action
	Zone   string // its id; empty where the action has none
}

// Fault is what becomes of a request instead of its proper answer.
type Fault struct {
	// Status, Code and Message are an error of the API; Body, where it is set,
	// is sent with the status instead.
	Status        int
	Code, Message string
	Body          string
	Err           error // the connection breaks
	Cut           int   // this many bytes of the proper answer arrive
	Done          bool  // with the others: the request is carried out all the same
}

// Throttled is the answer to one request too many.
func Throttled() *Fault {
	return &Fault{Status: http.StatusBadRequest, Code: "Throttling", Message: "Rate exceeded"}
}

// Busy is the answer to a change while another one of the zone is being made.
func Busy() *Fault {
	return &Fault{Status: http.StatusBadRequest, Code: "PriorRequestNotComplete", Message: "The request was rejected because Route 53 was still processing a prior request."}
}

// Server is one account. Its zero value has no zones. It is safe for concurrent
// use; its fields are set before the first request.
type Server struct {
	// Intercept is asked before each request; nil is the proper answer. It may
	// call the server's methods.
	Intercept func(Call) *Fault
	// Around, where it is set, stands around each request and answers with the
	// error that it returns.
	Around func(request func() error) error
	// Denied actions are answered with AccessDenied.
	Denied []Action
	// PendingPolls is how often GetChange says PENDING before it says INSYNC;
	// less than 0, and a change is INSYNC when it is made.
	PendingPolls int
	// Now, where it is set, makes the server refuse more than ten requests a
	// second, fifty at once.
	Now func() time.Time

	mu      sync.Mutex
	zones   []*zone
	pending map[string]int
	calls   []Call
	bucket  bucket
}

type zone struct {
	id      string
	name    string // with its dot and its escapes
	private bool
	sets    []Set
}

// AddZone adds a hosted zone, with the records that every one has, and returns
// its id.
func (s *Server) AddZone(name records.Name, private bool) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = fmt.Sprintf("Z%013d", len(s.zones)+1)
	z := &zone{id: id, name: normalName(string(name)), private: private}
	z.put(Set{Name: z.name, Type: "SOA", TTL: ttl(900), ResourceRecords: []Record{{"ns-1.awsdns-01.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}}})
	z.put(Set{Name: z.name, Type: "NS", TTL: ttl(172800), ResourceRecords: []Record{{"ns-1.awsdns-01.org."}, {"ns-2.awsdns-02.co.uk."}}})
	s.zones = append(s.zones, z)
	return id
}

func ttl(seconds int64) *int64 { return &seconds }

// Do answers a request without a connection, as an HTTP client does.
func (s *Server) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var answer *http.Response
	err := s.around(func() (err error) {
		answer, err = s.answer(r) //nolint:bodyclose // the caller closes it
		return err
	})
	if err == nil {
		err = r.Context().Err()
	}
	if err != nil {
		return nil, err
	}
	answer.Request = r
	return answer, nil
}

// RoundTrip is Do.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) { return s.Do(r) }

func (s *Server) around(request func() error) error {
	if s.Around == nil {
		return request()
	}
	return s.Around(request)
}

// ServeHTTP is for clients that can't do without a connection. A fault that
// breaks it panics with http.ErrAbortHandler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := s.Do(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = answer.Body.Close() }()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	if _, err := io.Copy(w, answer.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (s *Server) answer(r *http.Request) (*http.Response, error) {
	call := s.note(r)
	var fault *Fault
	if s.Intercept != nil {
		fault = s.Intercept(call)
	}
	w := httptest.NewRecorder()
	switch {
	case fault == nil || fault.Cut > 0:
		s.serve(w, r, call)
	case fault.Done:
		s.serve(httptest.NewRecorder(), r, call)
		fault.write(w)
	default:
		fault.write(w)
	}
	if fault != nil && fault.Err != nil {
		return nil, fault.Err
	}
	answer := w.Result()
	if fault != nil && fault.Cut > 0 {
		answer.Body = io.NopCloser(io.MultiReader(io.LimitReader(answer.Body, int64(fault.Cut)), broken{}))
	}
	return answer, nil
}

// broken is the rest of a body that doesn't arrive.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func (f *Fault) write(w http.ResponseWriter) {
	if f.Body != "" {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body)
		return
	}
	refuse(w, max(f.Status, http.StatusBadRequest), f.Code, f.Message)
}

// note counts the request and finds out what it asks for.
func (s *Server) note(r *http.Request) Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Call{Number: len(s.calls)}
	c.Action, c.Zone = route(r)
	s.calls = append(s.calls, c)
	return c
}

// route finds the action and, where it has one, the zone or change.
func route(r *http.Request) (action Action, id string) {
	path, ok := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/"), "/2013-04-01/")
	parts := strings.Split(path, "/")
	switch {
	case !ok:
	case r.Method == http.MethodGet && path == "hostedzone":
		return ListHostedZones, ""
	case r.Method == http.MethodGet && path == "hostedzonesbyname":
		return ListHostedZonesByName, ""
	case r.Method == http.MethodGet && len(parts) == 2 && parts[0] == "change":
		return GetChange, parts[1]
	case len(parts) != 3 || parts[0] != "hostedzone" || parts[2] != "rrset":
	case r.Method == http.MethodGet:
		return ListResourceRecordSets, parts[1]
	case r.Method == http.MethodPost:
		return ChangeResourceRecordSets, parts[1]
	}
	return "", ""
}

// Calls returns the requests so far.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Count returns how many requests asked for one of the actions, or for any
// where none is given.
func (s *Server) Count(actions ...Action) (n int) {
	for _, c := range s.Calls() {
		if len(actions) == 0 || slices.Contains(actions, c.Action) {
			n++
		}
	}
	return n
}

var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/,]+/[0-9]{8}/[a-z0-9-]+/route53/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$`)

// signed reports whether the request carries a signature (Signature Version 4)
// that covers host and date. Whether it is right can't be told without the key.
func signed(r *http.Request) bool {
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil || r.Header.Get("X-Amz-Date") == "" {
		return false
	}
	headers := strings.Split(m[1], ";")
	return slices.Contains(headers, "host") && slices.Contains(headers, "x-amz-date")
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.Action == "":
		refuse(w, http.StatusNotFound, "UnknownOperationException", "the fake doesn't know "+r.Method+" "+r.URL.Path)
	case !signed(r):
		refuse(w, http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	case s.Now != nil && !s.bucket.take(s.Now()):
		Throttled().write(w)
	case slices.Contains(s.Denied, c.Action):
		refuse(w, http.StatusForbidden, "AccessDenied", fmt.Sprintf("User: arn:aws:iam::123456789012:user/test is not authorized to perform: route53:%s because no identity-based policy allows the route53:%s action", c.Action, c.Action))
	case c.Action == ListHostedZones:
		s.listZones(w, r)
	case c.Action == ListHostedZonesByName:
		s.listZonesByName(w, r)
	case c.Action == GetChange:
		s.getChange(w, c.Zone)
	default:
		s.serveZone(w, r, c)
	}
}

func (s *Server) serveZone(w http.ResponseWriter, r *http.Request, c Call) {
	z := s.zone(c.Zone)
	switch {
	case z == nil:
		refuse(w, http.StatusNotFound, "NoSuchHostedZone", "No hosted zone found with ID: "+c.Zone)
	case c.Action == ListResourceRecordSets:
		z.list(w, r)
	default:
		s.changeSets(w, r, z)
	}
}

func (s *Server) zone(id string) *zone {
	i := slices.IndexFunc(s.zones, func(z *zone) bool { return z.id == id })
	if i < 0 {
		return nil
	}
	return s.zones[i]
}

func (s *Server) getChange(w http.ResponseWriter, id string) {
	left, ok := s.pending[id]
	if !ok {
		refuse(w, http.StatusNotFound, "NoSuchChange", "A change with the specified change ID does not exist: "+id)
		return
	}
	status := "INSYNC"
	if left > 0 {
		status, s.pending[id] = "PENDING", left-1
	}
	send(w, http.StatusOK, getChangeResponse{ChangeInfo: changeInfo{"/change/" + id, status, submitted}})
}

const submitted = "2026-11-24T00:00:00.000Z"

func send(w http.ResponseWriter, status int, body any) {
	text, err := xml.Marshal(body)
	if err != nil {
		panic(err) // a fault of the fake
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(append(bytes.Clone([]byte(xml.Header)), text...))
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	send(w, status, errorResponse{Error: apiError{"Sender", code, message}, RequestID: "00000000-0000-0000-0000-000000000000"})
}

// bucket is the account's request quota.
type bucket struct {
	used float64
	last time.Time
}

const (
	perSecond = 10
	burst     = 50
)

func (b *bucket) take(now time.Time) bool {
	b.used = max(b.used-now.Sub(b.last).Seconds()*perSecond, 0)
	b.last = now
	if b.used+1 > burst {
		return false
	}
	b.used++
	return true
}
