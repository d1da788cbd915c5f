package cloudflare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
)

// perPage is how many records are asked for at once. The API allows up to
// 5,000,000; this is more than a zone of any plan but Enterprise can have, and
// one answer stays below 10 MB. Where the API gives fewer, further pages are
// asked for.
const perPage = 5000

// opaque takes the place of a record's type for the library, which then doesn't
// look into the data. It fails, for the whole zone, where such a record has a
// name that it doesn't expect.
const opaque = "OPAQUE"

// opaqueTypes are the types that the library fails on.
var opaqueTypes = []string{"SRV", "SVCB", "HTTPS"}

// shim is the HTTP client that the library is given to read one zone. It keeps
// the records that pass, in their order. It serves one call of the library.
type shim struct {
	api  *api
	zone zone

	records []record
	total   int // as the newest page says
}

// Do answers the library's request.
func (s *shim) Do(req *http.Request) (*http.Response, error) {
	switch path := pathOf(req); {
	case req.Method == http.MethodGet && path == "/zones":
		return s.answerZone(req)
	case req.Method == http.MethodGet && path == "/zones/"+s.zone.ID+"/dns_records":
		return s.page(req)
	default:
		return nil, fmt.Errorf("libdns/cloudflare asks for %s %s, which this version of maildns doesn't expect", req.Method, path)
	}
}

// answerZone answers from what is known: the library would ask for each zone.
func (s *shim) answerZone(req *http.Request) (*http.Response, error) {
	result, err := json.Marshal([]map[string]string{{"id": s.zone.ID, "name": s.zone.Name}})
	if err != nil {
		return nil, err
	}
	return respond(req, envelope{Success: true, Errors: []message{}, Result: result})
}

// page fetches one page of records. They come in a fixed order, or a record
// could move from one page to another between two requests.
func (s *shim) page(req *http.Request) (*http.Response, error) {
	query := req.URL.Query()
	query.Set("per_page", strconv.Itoa(perPage))
	query.Set("order", "name")
	query.Set("direction", "asc")
	out := req.Clone(req.Context())
	out.URL.RawQuery = query.Encode()
	e, err := s.api.do(out)
	if err != nil {
		return nil, err
	}
	var page []record
	if err := json.Unmarshal(e.Result, &page); err != nil {
		return nil, fmt.Errorf("%s %s: the answer is not as Cloudflare documents it: %w", req.Method, pathOf(req), err)
	}
	s.records = append(s.records, page...)
	e.ResultInfo = s.pageInfo(e.ResultInfo, len(page))
	s.total = e.ResultInfo.TotalCount
	if e.Result, err = disguise(page); err != nil {
		return nil, err
	}
	return respond(req, e)
}

// pageInfo makes up for what an answer leaves out: the library would divide by
// zero, or take the first page for all.
func (s *shim) pageInfo(info *resultInfo, count int) *resultInfo {
	if info == nil {
		info = &resultInfo{TotalCount: len(s.records)}
		if count >= perPage {
			info.TotalCount++ // perhaps: the next page tells
		}
	}
	info.TotalCount = max(info.TotalCount, len(s.records))
	if info.PerPage <= 0 {
		info.PerPage = max(count, 1)
	}
	return info
}

// disguise leaves of the records what the library reads of them. It fails on
// data whose form it doesn't know, even of types that it doesn't read data of.
func disguise(page []record) (json.RawMessage, error) {
	out := make([]map[string]any, len(page))
	for i, r := range page {
		out[i] = map[string]any{"id": r.ID, "type": r.Type, "name": r.Name, "content": r.Content, "ttl": r.TTL}
		switch {
		case slices.Contains(opaqueTypes, r.Type):
			out[i]["type"] = opaque
		case r.Type == "CAA":
			out[i]["data"] = r.Data
		case r.Priority != nil:
			out[i]["priority"] = *r.Priority
		}
	}
	return json.Marshal(out)
}

func respond(req *http.Request, e envelope) (*http.Response, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}, nil
}

// whole reports whether the pages make one state of the zone: nothing came
// twice or was missed because somebody changed the zone between two of them.
func (s *shim) whole() bool {
	ids := make(map[string]bool, len(s.records))
	for _, r := range s.records {
		ids[r.ID] = true
	}
	return len(ids) == len(s.records) && len(ids) == s.total
}
