package vendors

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// GandiURL is where Gandi's LiveDNS API is.
const GandiURL = "https://api.gandi.net/v5/livedns"

// Gandi returns the zones of an organization at Gandi, through the LiveDNS API
// (https://api.gandi.net/docs/livedns/), with a personal access token.
func Gandi(client Doer, url, token string) *Host {
	return newHost(&gandi{endpoint{
		url: url, http: client,
		sign:    header("Authorization", "Bearer "+token),
		refusal: "Gandi refuses the token: it may have expired, or lack the permission to manage domain name technical configurations of this domain",
	}})
}

type gandi struct{ endpoint }

type gandiSet struct {
	Name   string      `json:"rrset_name,omitempty"`
	Type   string      `json:"rrset_type,omitempty"`
	TTL    records.TTL `json:"rrset_ttl"`
	Values []string    `json:"rrset_values"`
}

func (*gandi) path(zone records.Name) string { return pathOf("domains", string(zone), "records") }

func (g *gandi) setPath(zone records.Name, key records.Key) string {
	return g.path(zone) + pathOf(key.Name.Relative(zone), string(key.Type))
}

func (s gandiSet) read(zone records.Name) set {
	return set{
		key: records.Key{Name: records.Below(strings.ToLower(s.Name), zone), Type: records.Type(s.Type)},
		ttl: s.TTL, records: fromTexts(s.Values),
	}
}

func (g *gandi) read(ctx context.Context, zone records.Name) (content, error) {
	var sets []gandiSet
	h, err := g.call(ctx, http.MethodGet, g.path(zone), nil, &sets)
	if statusOf(err) == http.StatusNotFound {
		err = noZone(zone, "with LiveDNS in this organization at Gandi")
	}
	if err != nil {
		return content{}, err
	}
	if total, err := strconv.Atoi(h.Get("Total-Count")); err == nil && total > len(sets) {
		return content{}, fmt.Errorf("gandi has %d record sets of %s but sent only %d", total, zone, len(sets))
	}
	var c content
	for _, s := range sets {
		c.sets = append(c.sets, s.read(zone))
	}
	return c, nil
}

func (g *gandi) readSet(ctx context.Context, zone records.Name, key records.Key) (set, error) {
	var s gandiSet
	_, err := g.call(ctx, http.MethodGet, g.setPath(zone, key), nil, &s)
	if statusOf(err) == http.StatusNotFound {
		return set{}, nil
	}
	if err != nil {
		return set{}, err
	}
	return s.read(zone), nil
}

// write replaces each set by one PUT, which is what the API means by it. The
// library for libdns adds to the set instead, and so makes a second SPF record.
func (g *gandi) write(ctx context.Context, zone records.Name, edits []edit) error {
	for _, e := range edits {
		method, body := http.MethodPut, any(gandiSet{TTL: e.new.ttl, Values: e.new.texts()})
		if len(e.new.records) == 0 {
			method, body = http.MethodDelete, nil
		}
		if _, err := g.call(ctx, method, g.setPath(zone, e.new.key), body, nil); err != nil {
			if len(edits) == 1 {
				return putOff(err)
			}
			return err
		}
	}
	return nil
}

func (g *gandi) access(ctx context.Context, zones []records.Name) ([]string, error) {
	for _, zone := range zones {
		_, err := g.call(ctx, http.MethodGet, pathOf("domains", string(zone)), nil, nil)
		if statusOf(err) == http.StatusNotFound {
			err = noZone(zone, "with LiveDNS in this organization at Gandi")
		}
		if err != nil {
			return nil, err
		}
	}
	return []string{"Gandi doesn't say whether the token may write, only that it reads"}, nil
}
