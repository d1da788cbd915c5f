package vendortest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// Google is a fake of the API of Google Cloud DNS, from
// https://cloud.google.com/dns/docs/reference/rest/v1.
type Google struct {
	*store
	Token       string
	Page        int      // sets a page at most
	Zones       []string // names of the public zones of the domain, beside a private one
	Permissions []string
	Routed      records.Key // has a routing policy
	mux         *http.ServeMux
}

// NewGoogle returns the project "project" for that access token.
func NewGoogle(token string) *Google {
	g := &Google{store: newStore(), Token: token, Page: 100, Zones: []string{"mail"}, mux: http.NewServeMux()}
	const base = "/projects/project/managedZones"
	g.mux.HandleFunc("GET "+base, g.zones)
	g.mux.HandleFunc("GET "+base+"/mail/rrsets", g.list)
	g.mux.HandleFunc("POST "+base+"/mail/changes", g.change)
	g.mux.HandleFunc("POST "+base+"/{call}", g.test)
	return g
}

// ServeHTTP answers one request at a time.
func (g *Google) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+g.Token {
		g.refuse(w, http.StatusUnauthorized, "authError", "Invalid Credentials")
		return
	}
	g.mux.ServeHTTP(w, r)
}

func (*Google) refuse(w http.ResponseWriter, status int, reason, message string) {
	answer(w, status, map[string]any{"error": map[string]any{
		"code": status, "message": message, "errors": []any{map[string]any{"message": message, "domain": "global", "reason": reason}},
	}})
}

func (g *Google) zones(w http.ResponseWriter, r *http.Request) {
	zones := []any{}
	if r.URL.Query().Get("dnsName") == string(Zone)+"." {
		zones = append(zones, map[string]string{"name": "inside", "dnsName": "example.com.", "visibility": "private"})
		for _, name := range g.Zones {
			zones = append(zones, map[string]string{"name": name, "dnsName": "example.com.", "visibility": "public"})
		}
	}
	answer(w, http.StatusOK, map[string]any{"kind": "dns#managedZonesListResponse", "managedZones": zones})
}

type googleSet struct {
	Kind    string   `json:"kind,omitempty"`
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	TTL     int      `json:"ttl"`
	Rrdatas []string `json:"rrdatas,omitempty"`
	Routing any      `json:"routingPolicy,omitempty"`
}

func (g *Google) list(w http.ResponseWriter, r *http.Request) {
	all := keys(g.sets)
	at := number(r.URL.Query().Get("pageToken"), 0)
	end := min(at+min(number(r.URL.Query().Get("maxResults"), g.Page), g.Page), len(all))
	out := map[string]any{"kind": "dns#resourceRecordSetsListResponse"}
	sets := []googleSet{}
	for _, key := range all[at:end] {
		s := g.sets[key]
		set := googleSet{"dns#resourceRecordSet", string(key.Name) + ".", string(key.Type), s.TTL, s.Texts, nil}
		if key == g.Routed {
			set.Rrdatas, set.Routing = nil, map[string]any{"wrr": map[string]any{}}
		}
		sets = append(sets, set)
	}
	out["rrsets"] = sets
	if end < len(all) {
		out["nextPageToken"] = fmt.Sprint(end)
	}
	answer(w, http.StatusOK, out)
}

// change makes all deletions and additions, or none.
func (g *Google) change(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Additions []googleSet `json:"additions"`
		Deletions []googleSet `json:"deletions"`
	}
	if err := decode(r, &body); err != nil {
		g.refuse(w, http.StatusBadRequest, "badRequest", err.Error())
		return
	}
	after := maps.Clone(g.sets)
	for i, s := range body.Deletions {
		key := googleKey(s)
		have, ok := after[key]
		switch {
		case !ok:
			g.refuse(w, http.StatusNotFound, "notFound", fmt.Sprintf("The 'entity.change.deletions[%d]' resource named '%s (%s)' does not exist.", i, s.Name, s.Type))
			return
		case have.TTL != s.TTL || !sameTexts(have.Texts, s.Rrdatas):
			g.refuse(w, http.StatusPreconditionFailed, "conditionNotMet", fmt.Sprintf("Precondition not met for 'entity.change.deletions[%d]'", i))
			return
		}
		delete(after, key)
	}
	for i, s := range body.Additions {
		key := googleKey(s)
		if _, ok := after[key]; ok {
			g.refuse(w, http.StatusConflict, "alreadyExists", fmt.Sprintf("The resource 'entity.change.additions[%d]' named '%s (%s)' already exists", i, s.Name, s.Type))
			return
		}
		if complaint := check(key, s.Rrdatas); complaint != "" || len(s.Rrdatas) == 0 || !strings.HasSuffix(s.Name, ".") {
			g.refuse(w, http.StatusBadRequest, "invalid", fmt.Sprintf("Invalid value for 'entity.change.additions[%d]': %s", i, complaint))
			return
		}
		after[key] = Set{TTL: s.TTL, Texts: s.Rrdatas}
	}
	if complaint := conflict(after); complaint != "" {
		g.refuse(w, http.StatusBadRequest, "cnameResourceRecordSetConflict", complaint)
		return
	}
	g.sets = after
	answer(w, http.StatusOK, map[string]any{"kind": "dns#change", "id": "1", "status": "pending"})
}

func googleKey(s googleSet) records.Key {
	return records.Key{Name: records.CanonicalName(s.Name), Type: records.Type(s.Type)}
}

func sameTexts(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// test says which permissions the caller has.
func (g *Google) test(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Permissions []string `json:"permissions"`
	}
	if err := decode(r, &body); err != nil || r.PathValue("call") != "mail:testIamPermissions" {
		g.refuse(w, http.StatusBadRequest, "badRequest", "no such call")
		return
	}
	granted := slices.DeleteFunc(body.Permissions, func(p string) bool { return !slices.Contains(g.Permissions, p) })
	answer(w, http.StatusOK, map[string]any{"permissions": granted})
}
