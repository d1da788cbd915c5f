package vendortest

import (
	"crypto/sha1" //nolint:gosec // what OVH's signature is made of
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/attunelogic/maildns/records"
)

// OVH is a fake of the part of OVHcloud's API that is about zones, from
// https://eu.api.ovh.com/console/ (/domain) and
// https://help.ovhcloud.com/csm/en-api-getting-started-ovhcloud-api. Records
// have numbers, and are served once the zone is refreshed.
type OVH struct {
	URL                           string // as the client signs it
	Application, Secret, Consumer string
	Time                          int64 // of its clock
	Rules                         []OVHRule

	mu     sync.Mutex
	recs   map[int]ovhRecord
	served map[records.Key]Set
	last   int
	mux    *http.ServeMux
}

// OVHRule is what a consumer key may do.
type OVHRule struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

type ovhRecord struct {
	ID        int    `json:"id,omitempty"`
	Zone      string `json:"zone,omitempty"`
	FieldType string `json:"fieldType,omitempty"`
	SubDomain string `json:"subDomain"`
	Target    string `json:"target"`
	TTL       int    `json:"ttl"`
}

// NewOVH returns an account for these keys.
func NewOVH(url, application, secret, consumer string) *OVH {
	o := &OVH{URL: url, Application: application, Secret: secret, Consumer: consumer, Time: 1764000000, recs: map[int]ovhRecord{}, mux: http.NewServeMux()}
	const zone = "/domain/zone/example.com"
	o.mux.HandleFunc("GET /auth/currentCredential", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"rules": o.Rules, "status": "validated", "expiration": "2027-01-01T00:00:00Z"})
	})
	o.mux.HandleFunc("GET "+zone+"/soa", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"ttl": 3600, "nxDomainTtl": 60, "server": "dns1.example.net.", "serial": 1})
	})
	o.mux.HandleFunc("GET "+zone+"/record", o.list)
	o.mux.HandleFunc("POST "+zone+"/record", o.post)
	o.mux.HandleFunc("GET "+zone+"/record/{id}", o.get)
	o.mux.HandleFunc("PUT "+zone+"/record/{id}", o.put)
	o.mux.HandleFunc("DELETE "+zone+"/record/{id}", o.delete)
	o.mux.HandleFunc("POST "+zone+"/refresh", func(w http.ResponseWriter, _ *http.Request) {
		o.served = o.sets()
		answer(w, http.StatusOK, nil)
	})
	return o
}

// ServeHTTP answers one request at a time.
func (o *OVH) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.Method == http.MethodGet && r.URL.Path == "/auth/time" {
		answer(w, http.StatusOK, o.Time)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("X-Ovh-Signature") != o.signature(r, body) || !o.isTimely(r.Header.Get("X-Ovh-Timestamp")) {
		o.refuse(w, http.StatusBadRequest, "Invalid signature")
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	if r.Header.Get("X-Ovh-Application") != o.Application || r.Header.Get("X-Ovh-Consumer") != o.Consumer {
		o.refuse(w, http.StatusForbidden, "This credential is not valid")
		return
	}
	if strings.HasPrefix(r.URL.Path, "/domain/") && !strings.HasPrefix(r.URL.Path, "/domain/zone/example.com/") {
		o.refuse(w, http.StatusNotFound, "This service does not exist")
		return
	}
	o.mux.ServeHTTP(w, r)
}

// isTimely reports whether a request was signed by the time of this clock.
func (o *OVH) isTimely(stamp string) bool {
	const patience = 30
	at := int64(number(stamp, 0))
	return at >= o.Time && at < o.Time+patience
}

func (o *OVH) signature(r *http.Request, body []byte) string {
	url := o.URL + r.URL.RequestURI()
	sum := sha1.Sum([]byte(o.Secret + "+" + o.Consumer + "+" + r.Method + "+" + url + "+" + string(body) + "+" + r.Header.Get("X-Ovh-Timestamp"))) //nolint:gosec // see above
	return "$1$" + hex.EncodeToString(sum[:])
}

func (*OVH) refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"class": "Client::Error", "message": message})
}

func ovhKey(r ovhRecord) records.Key {
	t := records.Type(r.FieldType)
	if slices.Contains([]string{"SPF", "DKIM", "DMARC"}, r.FieldType) {
		t = records.TypeTXT
	}
	return records.Key{Name: records.Below(r.SubDomain, Zone), Type: t}
}

// sets groups the records as a zone has them. A set takes the TTL of its first.
func (o *OVH) sets() map[records.Key]Set {
	out := map[records.Key]Set{}
	for _, id := range slices.Sorted(maps.Keys(o.recs)) {
		r := o.recs[id]
		s, ok := out[ovhKey(r)]
		if !ok {
			s.TTL = r.TTL
		}
		if s.TTL == 0 {
			s.TTL = 3600
		}
		if s.TTL != r.TTL && r.TTL != 0 {
			s.TTL = min(s.TTL, r.TTL)
		}
		s.Texts = append(s.Texts, r.Target)
		out[ovhKey(r)] = s
	}
	return out
}

// Put makes a set be what it is given as, and publishes.
func (o *OVH) Put(set records.RRset) {
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.recs, func(_ int, r ovhRecord) bool { return ovhKey(r) == set.Key })
	for _, text := range setOf(set).Texts {
		o.add(ovhRecord{FieldType: string(set.Type), SubDomain: subdomain(set.Name), Target: text, TTL: int(set.TTL)})
	}
	o.served = o.sets()
}

// PutRecord stores one record in OVH's own spelling and kind, and returns its
// number.
func (o *OVH) PutRecord(kind, sub, target string, ttl int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.add(ovhRecord{FieldType: kind, SubDomain: sub, Target: target, TTL: ttl})
}

// Record returns the kind and target of the record with a number.
func (o *OVH) Record(id int) (kind, target string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.recs[id].FieldType, o.recs[id].Target
}

func subdomain(n records.Name) string {
	if sub := n.Relative(Zone); sub != "@" {
		return sub
	}
	return ""
}

func (o *OVH) add(r ovhRecord) int {
	o.last++
	r.ID, r.Zone = o.last, string(Zone)
	o.recs[r.ID] = r
	return r.ID
}

// Look is the zone as it is stored, whether it is served or not.
func (o *OVH) Look() (records.Zone, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return look(o.sets())
}

// Served is the zone as it is served.
func (o *OVH) Served() (records.Zone, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return look(o.served)
}

func (o *OVH) list(w http.ResponseWriter, r *http.Request) {
	q, ids := r.URL.Query(), []int{}
	for _, id := range slices.Sorted(maps.Keys(o.recs)) {
		rec := o.recs[id]
		if (!q.Has("subDomain") || q.Get("subDomain") == rec.SubDomain) && (!q.Has("fieldType") || q.Get("fieldType") == rec.FieldType) {
			ids = append(ids, id)
		}
	}
	answer(w, http.StatusOK, ids)
}

func (o *OVH) existing(w http.ResponseWriter, r *http.Request) (ovhRecord, bool) {
	rec, ok := o.recs[number(r.PathValue("id"), 0)]
	if !ok {
		o.refuse(w, http.StatusNotFound, "The requested object (id = "+r.PathValue("id")+") does not exist")
	}
	return rec, ok
}

func (o *OVH) get(w http.ResponseWriter, r *http.Request) {
	if rec, ok := o.existing(w, r); ok {
		answer(w, http.StatusOK, rec)
	}
}

func (o *OVH) delete(w http.ResponseWriter, r *http.Request) {
	if rec, ok := o.existing(w, r); ok {
		delete(o.recs, rec.ID)
		answer(w, http.StatusOK, nil)
	}
}

func (o *OVH) post(w http.ResponseWriter, r *http.Request) {
	var body ovhRecord
	if err := decode(r, &body); err != nil || body.ID != 0 || body.FieldType == "" {
		o.refuse(w, http.StatusBadRequest, "unknown or missing field")
		return
	}
	if o.accept(w, body) {
		id := o.add(body)
		answer(w, http.StatusOK, o.recs[id])
	}
}

// put changes a record, whose kind stays.
func (o *OVH) put(w http.ResponseWriter, r *http.Request) {
	var body ovhRecord
	rec, ok := o.existing(w, r)
	if !ok {
		return
	}
	if err := decode(r, &body); err != nil || body.ID != 0 || body.FieldType != "" {
		o.refuse(w, http.StatusBadRequest, "fieldType can't be changed")
		return
	}
	before := rec
	rec.SubDomain, rec.Target, rec.TTL = body.SubDomain, body.Target, body.TTL
	delete(o.recs, rec.ID)
	if !o.accept(w, rec) {
		o.recs[rec.ID] = before
		return
	}
	o.recs[rec.ID] = rec
	answer(w, http.StatusOK, nil)
}

// accept refuses a record that no zone could hold beside the others.
func (o *OVH) accept(w http.ResponseWriter, r ovhRecord) bool {
	after := o.sets()
	key := ovhKey(r)
	s := after[key]
	s.Texts = append(slices.Clone(s.Texts), r.Target)
	after[key] = s
	complaint := check(key, s.Texts) + conflict(after)
	if complaint == "" && (r.TTL == 0 || r.TTL >= 60) {
		return true
	}
	o.refuse(w, http.StatusBadRequest, "Invalid record: "+complaint)
	return false
}
