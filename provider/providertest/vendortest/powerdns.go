package vendortest

import (
	"maps"
	"net/http"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// PowerDNS is a fake of the HTTP API of the PowerDNS authoritative server, from
// https://doc.powerdns.com/authoritative/http-api/zone.html.
type PowerDNS struct {
	*store
	Key  string
	Kind string // of the zone
	// Disabled are texts that are stored but not served.
	Disabled map[string]bool
	mux      *http.ServeMux
}

// NewPowerDNS returns a server with that API key.
func NewPowerDNS(key string) *PowerDNS {
	p := &PowerDNS{store: newStore(), Key: key, Kind: "Native", mux: http.NewServeMux()}
	const base = "/api/v1/servers/localhost"
	p.mux.HandleFunc("GET "+base, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"type": "Server", "id": "localhost", "daemon_type": "authoritative", "version": "4.7.3"})
	})
	p.mux.HandleFunc("GET "+base+"/zones", p.list)
	p.mux.HandleFunc("GET "+base+"/zones/{id}", p.get)
	p.mux.HandleFunc("PATCH "+base+"/zones/{id}", p.patch)
	return p
}

// ServeHTTP answers one request at a time.
func (p *PowerDNS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Header.Get("X-API-Key") != p.Key {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("Unauthorized"))
		return
	}
	p.mux.ServeHTTP(w, r)
}

const powerDNSID = string(Zone) + "."

func (p *PowerDNS) list(w http.ResponseWriter, r *http.Request) {
	zones := []map[string]string{}
	if name := r.URL.Query().Get("zone"); name == "" || name == powerDNSID {
		zones = append(zones, map[string]string{"id": powerDNSID, "name": powerDNSID, "kind": p.Kind})
	}
	answer(w, http.StatusOK, zones)
}

type powerDNSSet struct {
	Name       string           `json:"name"`
	Type       string           `json:"type"`
	TTL        *int             `json:"ttl,omitempty"`
	ChangeType string           `json:"changetype,omitempty"`
	Records    []powerDNSRecord `json:"records"`
	Comments   []any            `json:"comments,omitempty"`
}

type powerDNSRecord struct {
	Content  string `json:"content"`
	Disabled bool   `json:"disabled"`
}

func (p *PowerDNS) get(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") != powerDNSID {
		p.refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	sets := []powerDNSSet{}
	for _, key := range keys(p.sets) {
		s := p.sets[key]
		out := powerDNSSet{Name: string(key.Name) + ".", Type: string(key.Type), TTL: &s.TTL, Comments: []any{}}
		for _, t := range s.Texts {
			out.Records = append(out.Records, powerDNSRecord{t, p.Disabled[t]})
		}
		sets = append(sets, out)
	}
	if r.URL.Query().Get("rrsets") == "false" {
		sets = nil
	}
	answer(w, http.StatusOK, map[string]any{"id": powerDNSID, "name": powerDNSID, "kind": p.Kind, "rrsets": sets})
}

func (*PowerDNS) refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}

// patch makes all changes in one transaction, in the order of the body.
func (p *PowerDNS) patch(w http.ResponseWriter, r *http.Request) {
	var body struct {
		RRsets []powerDNSSet `json:"rrsets"`
	}
	if err := decode(r, &body); err != nil {
		p.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	after := maps.Clone(p.sets)
	for _, s := range body.RRsets {
		if complaint := patchSet(after, s); complaint != "" {
			p.refuse(w, http.StatusUnprocessableEntity, complaint)
			return
		}
	}
	p.sets = after
	answer(w, http.StatusNoContent, nil)
}

func patchSet(sets map[records.Key]Set, s powerDNSSet) (complaint string) {
	key := records.Key{Name: records.CanonicalName(s.Name), Type: records.Type(s.Type)}
	switch {
	case !strings.HasSuffix(s.Name, ".") || s.Name != strings.ToLower(s.Name):
		return "Name is not canonical"
	case s.ChangeType == "DELETE" && s.TTL == nil && len(s.Records) == 0:
		delete(sets, key)
		return ""
	case s.ChangeType != "REPLACE" || s.TTL == nil || len(s.Records) == 0:
		return "Changetype not understood, or its fields are not"
	}
	var texts []string
	for _, r := range s.Records {
		texts = append(texts, r.Content)
	}
	if complaint := check(key, texts); complaint != "" {
		return complaint
	}
	sets[key] = Set{TTL: *s.TTL, Texts: texts}
	return conflict(sets) // the server looks at each set, in their order
}
