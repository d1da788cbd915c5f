package vendors

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/attunelogic/maildns/records"
)

// DeSECURL is where deSEC's API is.
const DeSECURL = "https://desec.io/api/v1"

// DeSEC returns the zones of an account at deSEC, through its API
// (https://desec.readthedocs.io/). Sets that are sent in one request are
// written together or not at all.
func DeSEC(client Doer, url, token string) Atomic {
	return newAtomic(&deSEC{endpoint{
		url: url, http: client,
		sign:    header("Authorization", "Token "+token),
		refusal: "deSEC refuses the token: it may be wrong or expired, not be meant for this machine's address, or have no policy that lets it write here",
	}})
}

type deSEC struct{ endpoint }

type deSECSet struct {
	Subname string      `json:"subname"`
	Type    string      `json:"type"`
	TTL     records.TTL `json:"ttl,omitempty"`
	Records []string    `json:"records"`
}

// read pages through the sets: without a cursor deSEC refuses a zone that has
// more than 500.
func (d *deSEC) read(ctx context.Context, zone records.Name) (content, error) {
	var c content
	for cursor, more := "", true; more; {
		var page []deSECSet
		h, err := d.call(ctx, http.MethodGet, d.path(zone)+"?cursor="+url.QueryEscape(cursor), nil, &page)
		if statusOf(err) == http.StatusNotFound {
			return content{}, noZone(zone, "in this account at deSEC")
		}
		if err != nil {
			return content{}, err
		}
		for _, s := range page {
			c.sets = append(c.sets, set{
				key: records.Key{Name: records.Below(strings.ToLower(s.Subname), zone), Type: records.Type(s.Type)},
				ttl: s.TTL, records: fromTexts(s.Records),
			})
		}
		next := nextCursor(h)
		if more = next != ""; more && next == cursor {
			return content{}, errSamePage
		}
		cursor = next
	}
	return c, nil
}

func (*deSEC) path(zone records.Name) string { return pathOf("domains", string(zone), "rrsets") + "/" }

// nextCursor reads the next page's cursor from the Link header (RFC 8288).
// Nothing else of the address is followed.
func nextCursor(h http.Header) string {
	for _, value := range h.Values("Link") {
		for link := range strings.SplitSeq(value, ",") {
			target, params, ok := strings.Cut(strings.TrimSpace(link), ">")
			if !ok || !strings.Contains(params, `rel="next"`) {
				continue
			}
			if u, err := url.Parse(strings.TrimPrefix(target, "<")); err == nil {
				return u.Query().Get("cursor")
			}
		}
	}
	return ""
}

// write sends all sets in one PUT, which leaves those that it doesn't name
// alone. A set without records goes.
func (d *deSEC) write(ctx context.Context, zone records.Name, edits []edit) error {
	body := make([]deSECSet, len(edits))
	for i, e := range edits {
		subname := e.new.key.Name.Relative(zone)
		if subname == "@" {
			subname = ""
		}
		body[i] = deSECSet{Subname: subname, Type: string(e.new.key.Type), TTL: e.new.ttl, Records: e.new.texts()}
		if len(body[i].Records) == 0 {
			body[i].TTL = e.old.ttl // it must be there and within the limits
		}
	}
	_, err := d.call(ctx, http.MethodPut, d.path(zone), body, nil)
	return putOff(err)
}

func (d *deSEC) access(ctx context.Context, zones []records.Name) ([]string, error) {
	var facts []string
	for _, zone := range zones {
		var domain struct {
			MinimumTTL records.TTL `json:"minimum_ttl"`
		}
		_, err := d.call(ctx, http.MethodGet, pathOf("domains", string(zone))+"/", nil, &domain)
		if statusOf(err) == http.StatusNotFound {
			err = noZone(zone, "in this account at deSEC")
		}
		if err != nil {
			return facts, err
		}
		facts = append(facts, fmt.Sprintf("%s: deSEC stores no TTL below %d seconds", zone, domain.MinimumTTL))
	}
	return append(facts, "deSEC doesn't say whether the token may write: token policies are seen by tokens alone that manage tokens"), nil
}
