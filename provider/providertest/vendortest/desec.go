package vendortest

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"github.com/attunelogic/maildns/records"
)

// DeSEC is a fake of deSEC's API, from
// https://desec.readthedocs.io/en/latest/dns/rrsets.html.
type DeSEC struct {
	*store
	Token      string
	MinimumTTL int
	Page       int // sets a page; more than that need a cursor
	mux        *http.ServeMux
}

// NewDeSEC returns an account with that token.
func NewDeSEC(token string) *DeSEC {
	d := &DeSEC{store: newStore(), Token: token, MinimumTTL: 3600, Page: 500, mux: http.NewServeMux()}
	d.mux.HandleFunc("GET /domains/{name}/", d.domain)
	d.mux.HandleFunc("GET /domains/{name}/rrsets/", d.list)
	d.mux.HandleFunc("PUT /domains/{name}/rrsets/", d.put)
	return d
}

// ServeHTTP answers one request at a time.
func (d *DeSEC) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Header.Get("Authorization") != "Token "+d.Token {
		answer(w, http.StatusUnauthorized, map[string]string{"detail": "Invalid token."})
		return
	}
	d.mux.ServeHTTP(w, r)
}

func (*DeSEC) known(w http.ResponseWriter, r *http.Request) bool {
	if r.PathValue("name") == string(Zone) {
		return true
	}
	answer(w, http.StatusNotFound, map[string]string{"detail": "No Domain matches the given query."})
	return false
}

func (d *DeSEC) domain(w http.ResponseWriter, r *http.Request) {
	if d.known(w, r) {
		answer(w, http.StatusOK, map[string]any{"name": Zone, "minimum_ttl": d.MinimumTTL, "keys": []any{}})
	}
}

type deSECSet struct {
	Domain  string    `json:"domain,omitempty"`
	Subname *string   `json:"subname"`
	Name    string    `json:"name,omitempty"`
	Type    string    `json:"type"`
	TTL     int       `json:"ttl"`
	Records *[]string `json:"records"`
	Touched string    `json:"touched,omitempty"`
}

func (d *DeSEC) list(w http.ResponseWriter, r *http.Request) {
	if !d.known(w, r) {
		return
	}
	all := keys(d.sets)
	at, paging := 0, r.URL.Query().Has("cursor")
	if !paging && len(all) > d.Page {
		w.Header().Set("Link", `<https://desec.io/api/v1/domains/example.com/rrsets/?cursor=>; rel="first"`)
		answer(w, http.StatusBadRequest, map[string]string{"detail": "Pagination required."})
		return
	}
	if paging {
		at = number(r.URL.Query().Get("cursor"), 0)
	}
	end := min(at+d.Page, len(all))
	if end < len(all) {
		w.Header().Set("Link", fmt.Sprintf(`<https://desec.io/api/v1/domains/example.com/rrsets/?cursor=>; rel="first", <https://desec.io/api/v1/domains/example.com/rrsets/?cursor=%d>; rel="next"`, end))
	}
	page := []deSECSet{}
	for _, key := range all[at:end] {
		s := d.sets[key]
		sub := key.Name.Relative(Zone)
		if sub == "@" {
			sub = ""
		}
		page = append(page, deSECSet{Domain: string(Zone), Subname: &sub, Name: string(key.Name) + ".", Type: string(key.Type), TTL: s.TTL, Records: &s.Texts})
	}
	answer(w, http.StatusOK, page)
}

// put is the bulk PUT: all sets or none; one without records goes.
func (d *DeSEC) put(w http.ResponseWriter, r *http.Request) {
	if !d.known(w, r) {
		return
	}
	var body []deSECSet
	if err := decode(r, &body); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"detail": err.Error()})
		return
	}
	after := maps.Clone(d.sets)
	complaints, bad := make([]map[string][]string, len(body)), false
	for i, s := range body {
		complaints[i] = d.putSet(after, s)
		bad = bad || len(complaints[i]) > 0
	}
	if c := conflict(after); c != "" && len(body) > 0 {
		complaints[0], bad = map[string][]string{"non_field_errors": {c}}, true
	}
	if bad {
		answer(w, http.StatusBadRequest, complaints)
		return
	}
	d.sets = after
	answer(w, http.StatusOK, body)
}

func (d *DeSEC) putSet(sets map[records.Key]Set, s deSECSet) map[string][]string {
	switch {
	case s.Subname == nil || s.Records == nil || s.Domain+s.Name+s.Touched != "":
		return map[string][]string{"non_field_errors": {"subname, type, ttl and records are required, the others read-only"}}
	case s.TTL < d.MinimumTTL:
		return map[string][]string{"ttl": {"Ensure this value is greater than or equal to " + strconv.Itoa(d.MinimumTTL) + "."}}
	case s.TTL > 86400:
		return map[string][]string{"ttl": {"Ensure this value is less than or equal to 86400."}}
	}
	key := records.Key{Name: records.Below(*s.Subname, Zone), Type: records.Type(s.Type)}
	if len(*s.Records) == 0 {
		delete(sets, key)
		return nil
	}
	if complaint := check(key, *s.Records); complaint != "" {
		return map[string][]string{"records": {complaint}}
	}
	sets[key] = Set{TTL: s.TTL, Texts: *s.Records}
	return nil
}
