package vendortest

import (
	"maps"
	"net/http"
	"strconv"

	"github.com/attunelogic/maildns/records"
)

// Gandi is a fake of Gandi's LiveDNS API, from
// https://api.gandi.net/docs/livedns/.
type Gandi struct {
	*store
	Token      string
	MinimumTTL int
	mux        *http.ServeMux
}

// NewGandi returns an organization with that personal access token.
func NewGandi(token string) *Gandi {
	g := &Gandi{store: newStore(), Token: token, MinimumTTL: 300, mux: http.NewServeMux()}
	g.mux.HandleFunc("GET /domains/{domain}", func(w http.ResponseWriter, r *http.Request) {
		if g.known(w, r) {
			answer(w, http.StatusOK, map[string]any{"fqdn": Zone})
		}
	})
	g.mux.HandleFunc("GET /domains/{domain}/records", g.list)
	g.mux.HandleFunc("GET /domains/{domain}/records/{name}/{type}", g.get)
	g.mux.HandleFunc("PUT /domains/{domain}/records/{name}/{type}", g.put)
	g.mux.HandleFunc("DELETE /domains/{domain}/records/{name}/{type}", g.delete)
	return g
}

// ServeHTTP answers one request at a time.
func (g *Gandi) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+g.Token {
		g.refuse(w, http.StatusForbidden, "Access was denied to this resource.")
		return
	}
	g.mux.ServeHTTP(w, r)
}

func (*Gandi) refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"code": status, "message": message, "object": "HTTPError", "cause": http.StatusText(status)})
}

func (g *Gandi) known(w http.ResponseWriter, r *http.Request) bool {
	if r.PathValue("domain") == string(Zone) {
		return true
	}
	g.refuse(w, http.StatusNotFound, "The resource could not be found.")
	return false
}

type gandiSet struct {
	Name   string   `json:"rrset_name,omitempty"`
	Type   string   `json:"rrset_type,omitempty"`
	TTL    int      `json:"rrset_ttl"`
	Values []string `json:"rrset_values"`
	Href   string   `json:"rrset_href,omitempty"`
}

func (g *Gandi) show(key records.Key) gandiSet {
	s, name := g.sets[key], key.Name.Relative(Zone)
	return gandiSet{name, string(key.Type), s.TTL, s.Texts, "https://api.gandi.net/v5/livedns/domains/example.com/records/" + name + "/" + string(key.Type)}
}

func (g *Gandi) list(w http.ResponseWriter, r *http.Request) {
	if !g.known(w, r) {
		return
	}
	sets := []gandiSet{}
	for _, key := range keys(g.sets) {
		sets = append(sets, g.show(key))
	}
	w.Header().Set("Total-Count", strconv.Itoa(len(sets)))
	answer(w, http.StatusOK, sets)
}

// existing returns the set that a request names.
func (g *Gandi) existing(w http.ResponseWriter, r *http.Request) (records.Key, bool) {
	key := records.Key{Name: records.Below(r.PathValue("name"), Zone), Type: records.Type(r.PathValue("type"))}
	if !g.known(w, r) {
		return key, false
	}
	if _, ok := g.sets[key]; !ok && r.Method != http.MethodPut {
		g.refuse(w, http.StatusNotFound, "Can't find the DNS record "+r.PathValue("name")+"/"+r.PathValue("type")+" in the zone")
		return key, false
	}
	return key, true
}

func (g *Gandi) get(w http.ResponseWriter, r *http.Request) {
	if key, ok := g.existing(w, r); ok {
		answer(w, http.StatusOK, g.show(key))
	}
}

func (g *Gandi) delete(w http.ResponseWriter, r *http.Request) {
	if key, ok := g.existing(w, r); ok {
		delete(g.sets, key)
		answer(w, http.StatusNoContent, nil)
	}
}

// put replaces a set.
func (g *Gandi) put(w http.ResponseWriter, r *http.Request) {
	var body gandiSet
	key, ok := g.existing(w, r)
	if !ok {
		return
	}
	if err := decode(r, &body); err != nil || body.Href != "" {
		g.refuse(w, http.StatusBadRequest, "unknown field")
		return
	}
	after := maps.Clone(g.sets)
	after[key] = Set{TTL: body.TTL, Texts: body.Values}
	complaint := check(key, body.Values) + conflict(after)
	if complaint != "" || len(body.Values) == 0 || body.TTL < g.MinimumTTL || body.TTL > 2592000 {
		g.refuse(w, http.StatusBadRequest, "rrset_ttl or rrset_values: "+complaint)
		return
	}
	g.sets = after
	answer(w, http.StatusCreated, map[string]string{"message": "DNS Record Created"})
}
