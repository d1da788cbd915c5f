package vendortest

import (
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// Hetzner is a fake of the DNS part of the API of Hetzner Cloud, from
// https://docs.hetzner.cloud/reference/cloud#zones and #zone-rrsets. Each write
// answers that it is running, and has been carried out once that is asked for.
type Hetzner struct {
	*store
	Token      string
	DefaultTTL int               // of the zone
	Mode       string            // of the zone
	Protected  records.Key       // against changes
	Comments   map[string]string // of records, by their text
	mux        *http.ServeMux
	actions    int
}

const hetznerZone = "42"

// NewHetzner returns a project with that token.
func NewHetzner(token string) *Hetzner {
	h := &Hetzner{store: newStore(), Token: token, DefaultTTL: 3600, Mode: "primary", Comments: map[string]string{}, mux: http.NewServeMux()}
	h.mux.HandleFunc("GET /zones/{zone}", h.zone)
	h.mux.HandleFunc("GET /zones/{zone}/rrsets", h.list)
	h.mux.HandleFunc("POST /zones/{zone}/rrsets", h.create)
	h.mux.HandleFunc("GET /zones/{zone}/rrsets/{name}/{type}", h.get)
	h.mux.HandleFunc("DELETE /zones/{zone}/rrsets/{name}/{type}", h.delete)
	h.mux.HandleFunc("POST /zones/{zone}/rrsets/{name}/{type}/actions/set_records", h.setRecords)
	h.mux.HandleFunc("POST /zones/{zone}/rrsets/{name}/{type}/actions/change_ttl", h.changeTTL)
	h.mux.HandleFunc("GET /actions/{id}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, action(r.PathValue("id"), "success"))
	})
	return h
}

func action(id, status string) map[string]any {
	return map[string]any{"action": map[string]any{"id": number(id, 0), "status": status, "progress": 100, "error": nil}}
}

// ServeHTTP answers one request at a time.
func (h *Hetzner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+h.Token {
		h.refuse(w, http.StatusUnauthorized, "unauthorized", "unable to authenticate")
		return
	}
	h.mux.ServeHTTP(w, r)
}

func (*Hetzner) refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]any{"error": map[string]any{"code": code, "message": message, "details": nil}})
}

func (h *Hetzner) known(w http.ResponseWriter, r *http.Request) bool {
	if z := r.PathValue("zone"); z == string(Zone) || z == hetznerZone {
		return true
	}
	h.refuse(w, http.StatusNotFound, "not_found", "zone not found")
	return false
}

func (h *Hetzner) zone(w http.ResponseWriter, r *http.Request) {
	if h.known(w, r) {
		answer(w, http.StatusOK, map[string]any{"zone": map[string]any{"id": 42, "name": Zone, "ttl": h.DefaultTTL, "mode": h.Mode}})
	}
}

type hetznerSet struct {
	ID         string            `json:"id,omitempty"`
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	TTL        *int              `json:"ttl"`
	Labels     map[string]string `json:"labels,omitempty"`
	Protection *struct {
		Change bool `json:"change"`
	} `json:"protection,omitempty"`
	Records []hetznerRecord `json:"records"`
	Zone    int             `json:"zone,omitempty"`
}

type hetznerRecord struct {
	Value   string `json:"value"`
	Comment string `json:"comment,omitempty"`
}

// show returns a set; one that has the zone's TTL has none of its own.
func (h *Hetzner) show(key records.Key) hetznerSet {
	s := h.sets[key]
	name := key.Name.Relative(Zone)
	out := hetznerSet{ID: name + "/" + string(key.Type), Name: name, Type: string(key.Type), Zone: 42}
	if s.TTL != h.DefaultTTL {
		out.TTL = &s.TTL
	}
	out.Protection = &struct {
		Change bool `json:"change"`
	}{key == h.Protected}
	for _, t := range s.Texts {
		out.Records = append(out.Records, hetznerRecord{t, h.Comments[t]})
	}
	return out
}

func (h *Hetzner) list(w http.ResponseWriter, r *http.Request) {
	if !h.known(w, r) {
		return
	}
	page, size := number(r.URL.Query().Get("page"), 1), min(number(r.URL.Query().Get("per_page"), 25), 50)
	all := keys(h.sets)
	from, to := min((page-1)*size, len(all)), min(page*size, len(all))
	sets := []hetznerSet{}
	for _, key := range all[from:to] {
		sets = append(sets, h.show(key))
	}
	pagination := map[string]any{"page": page, "per_page": size, "total_entries": len(all), "next_page": nil}
	if to < len(all) {
		pagination["next_page"] = page + 1
	}
	answer(w, http.StatusOK, map[string]any{"rrsets": sets, "meta": map[string]any{"pagination": pagination}})
}

func (*Hetzner) keyOf(r *http.Request) records.Key {
	return records.Key{Name: records.Below(r.PathValue("name"), Zone), Type: records.Type(r.PathValue("type"))}
}

// existing returns the set that a request names.
func (h *Hetzner) existing(w http.ResponseWriter, r *http.Request) (records.Key, bool) {
	key := h.keyOf(r)
	if !h.known(w, r) {
		return key, false
	}
	if _, ok := h.sets[key]; !ok {
		h.refuse(w, http.StatusNotFound, "not_found", "rrset not found")
		return key, false
	}
	if key == h.Protected && r.Method != http.MethodGet {
		h.refuse(w, http.StatusUnprocessableEntity, "protected", "the rrset is protected")
		return key, false
	}
	return key, true
}

func (h *Hetzner) get(w http.ResponseWriter, r *http.Request) {
	if key, ok := h.existing(w, r); ok {
		answer(w, http.StatusOK, map[string]any{"rrset": h.show(key)})
	}
}

func (h *Hetzner) delete(w http.ResponseWriter, r *http.Request) {
	if key, ok := h.existing(w, r); ok {
		delete(h.sets, key)
		h.accept(w, http.StatusCreated, nil)
	}
}

func (h *Hetzner) accept(w http.ResponseWriter, status int, more map[string]any) {
	h.actions++
	out := action(strconv.Itoa(h.actions), "running")
	maps.Copy(out, more)
	answer(w, status, out)
}

func (h *Hetzner) create(w http.ResponseWriter, r *http.Request) {
	var body hetznerSet
	if !h.known(w, r) {
		return
	}
	if err := decode(r, &body); err != nil || body.ID != "" || body.TTL == nil {
		h.refuse(w, http.StatusBadRequest, "invalid_input", "unknown or missing field")
		return
	}
	key := records.Key{Name: records.Below(body.Name, Zone), Type: records.Type(body.Type)}
	if _, ok := h.sets[key]; ok || body.Name != strings.ToLower(body.Name) {
		h.refuse(w, http.StatusConflict, "uniqueness_error", "the rrset exists, or its name is not in lower case")
		return
	}
	h.keep(w, key, *body.TTL, body.Records)
}

func (h *Hetzner) setRecords(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Records []hetznerRecord `json:"records"`
	}
	key, ok := h.existing(w, r)
	if !ok {
		return
	}
	if err := decode(r, &body); err != nil {
		h.refuse(w, http.StatusBadRequest, "invalid_input", err.Error())
		return
	}
	h.keep(w, key, h.sets[key].TTL, body.Records)
}

func (h *Hetzner) changeTTL(w http.ResponseWriter, r *http.Request) {
	var body struct {
		TTL *int `json:"ttl"`
	}
	key, ok := h.existing(w, r)
	if !ok {
		return
	}
	if err := decode(r, &body); err != nil || body.TTL == nil || *body.TTL < 60 {
		h.refuse(w, http.StatusUnprocessableEntity, "invalid_input", "ttl must be at least 60")
		return
	}
	s := h.sets[key]
	s.TTL = *body.TTL
	h.sets[key] = s
	h.accept(w, http.StatusCreated, nil)
}

// keep stores one set if it is fit for a zone.
func (h *Hetzner) keep(w http.ResponseWriter, key records.Key, ttl int, recs []hetznerRecord) {
	s := Set{TTL: ttl}
	for _, r := range recs {
		s.Texts = append(s.Texts, r.Value)
	}
	after := maps.Clone(h.sets)
	after[key] = s
	complaint := check(key, s.Texts) + conflict(after)
	if complaint != "" || ttl < 60 || len(recs) == 0 {
		h.refuse(w, http.StatusUnprocessableEntity, "invalid_input", "invalid input in fields: "+complaint)
		return
	}
	for _, r := range recs {
		h.Comments[r.Value] = r.Comment
	}
	h.sets = after
	h.accept(w, http.StatusCreated, map[string]any{"rrset": h.show(key)})
}
