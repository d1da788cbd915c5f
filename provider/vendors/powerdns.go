package vendors

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/attunelogic/maildns/records"
)

// PowerDNS returns the zones of a PowerDNS authoritative server, through its
// HTTP API (https://doc.powerdns.com/authoritative/http-api/). The server's
// name in its own API is "localhost" unless somebody has put a proxy there.
// One PATCH is one transaction of its database.
func PowerDNS(client Doer, serverURL, server, key string) Atomic {
	return newAtomic(&powerDNS{
		endpoint: endpoint{
			url: serverURL + "/api/v1" + pathOf("servers", server), http: client,
			sign:    header("X-API-Key", key),
			refusal: "the API key is refused: compare it with api-key in pdns.conf, and webserver-allow-from with this machine's address",
		},
	})
}

type powerDNS struct {
	endpoint

	mu  sync.Mutex
	ids map[records.Name]string // of zones, which are opaque and don't change
}

type powerDNSZone struct {
	ID     string        `json:"id"`
	Kind   string        `json:"kind"`
	RRsets []powerDNSSet `json:"rrsets"`
}

type powerDNSSet struct {
	Name       string           `json:"name"`
	Type       string           `json:"type"`
	TTL        *records.TTL     `json:"ttl,omitempty"`
	ChangeType string           `json:"changetype,omitempty"`
	Records    []powerDNSRecord `json:"records"`
}

type powerDNSRecord struct {
	Content  string `json:"content"`
	Disabled bool   `json:"disabled"`
}

// zonePath finds the zone's id, which the API doesn't let one guess.
func (p *powerDNS) zonePath(ctx context.Context, zone records.Name) (string, error) {
	p.mu.Lock()
	id, ok := p.ids[zone]
	p.mu.Unlock()
	if ok {
		return pathOf("zones", id), nil
	}
	var found []powerDNSZone
	if _, err := p.call(ctx, http.MethodGet, "/zones?zone="+url.QueryEscape(string(zone)+"."), nil, &found); err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", noZone(zone, "on this server")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ids == nil {
		p.ids = map[records.Name]string{}
	}
	p.ids[zone] = found[0].ID
	return pathOf("zones", found[0].ID), nil
}

func (p *powerDNS) fetch(ctx context.Context, zone records.Name) (powerDNSZone, error) {
	var z powerDNSZone
	path, err := p.zonePath(ctx, zone)
	if err == nil {
		_, err = p.call(ctx, http.MethodGet, path, nil, &z)
	}
	return z, err
}

func (p *powerDNS) read(ctx context.Context, zone records.Name) (content, error) {
	z, err := p.fetch(ctx, zone)
	if err != nil {
		return content{}, err
	}
	var c content
	for _, s := range z.RRsets {
		got := s.read()
		if got.key.Type == "SOA" && len(got.records) == 1 {
			c.negative = negativeTTL(got.records[0].text, got.ttl)
		}
		if isSlave(z.Kind) && got.fixed == "" {
			got.fixed = fmt.Sprintf("the zone is a copy (kind %s), which the server takes from its primary: write there", z.Kind)
		}
		c.sets = append(c.sets, got)
	}
	return c, nil
}

// read leaves out the records that are disabled, which the server doesn't
// answer with; where all are, the set is shown with them. Neither is written,
// since a write would enable or lose them.
func (s powerDNSSet) read() set {
	got := set{key: records.Key{Name: records.CanonicalName(s.Name), Type: records.Type(s.Type)}}
	if s.TTL != nil {
		got.ttl = *s.TTL
	}
	served := slices.DeleteFunc(slices.Clone(s.Records), func(r powerDNSRecord) bool { return r.Disabled })
	if len(served) < len(s.Records) {
		got.fixed = "one of its records is disabled at the server: enable or delete it there"
	}
	if len(served) == 0 {
		served = s.Records
	}
	for _, r := range served {
		got.records = append(got.records, record{text: r.Content})
	}
	return got
}

func isSlave(kind string) bool {
	return slices.Contains([]string{"Slave", "Secondary", "Consumer"}, kind)
}

func (p *powerDNS) write(ctx context.Context, zone records.Name, edits []edit) error {
	path, err := p.zonePath(ctx, zone)
	if err != nil {
		return err
	}
	// The server looks for a CNAME beside other records at each set, so what
	// goes stands first. It is one transaction all the same.
	slices.SortStableFunc(edits, func(a, b edit) int {
		return cmp.Compare(min(len(a.new.records), 1), min(len(b.new.records), 1))
	})
	body := powerDNSZonePatch{}
	for _, e := range edits {
		s := powerDNSSet{Name: string(e.new.key.Name) + ".", Type: string(e.new.key.Type), ChangeType: "DELETE", Records: []powerDNSRecord{}}
		if len(e.new.records) > 0 {
			s.ChangeType, s.TTL = "REPLACE", &e.new.ttl
		}
		for _, t := range e.new.texts() {
			s.Records = append(s.Records, powerDNSRecord{Content: t})
		}
		body.RRsets = append(body.RRsets, s)
	}
	_, err = p.call(ctx, http.MethodPatch, path, body, nil)
	return err
}

// powerDNSZonePatch is the body of a PATCH. Without comments in its sets those
// of the host stay.
type powerDNSZonePatch struct {
	RRsets []powerDNSSet `json:"rrsets"`
}

func (p *powerDNS) access(ctx context.Context, zones []records.Name) ([]string, error) {
	var server struct {
		Type    string `json:"daemon_type"`
		Version string `json:"version"`
	}
	if _, err := p.call(ctx, http.MethodGet, "", nil, &server); err != nil {
		return nil, err
	}
	facts := []string{fmt.Sprintf("the server is PowerDNS %s %s; its API key is good for everything on it", server.Type, server.Version)}
	for _, zone := range zones {
		var z powerDNSZone
		path, err := p.zonePath(ctx, zone)
		if err == nil {
			_, err = p.call(ctx, http.MethodGet, path+"?rrsets=false", nil, &z)
		}
		switch {
		case err != nil:
			return facts, err
		case isSlave(z.Kind):
			return facts, fmt.Errorf("the zone %s is a copy (kind %s): it can't be written on this server", zone, z.Kind)
		}
	}
	return facts, nil
}
