package vendors

import (
	"context"
	"crypto/sha1" //nolint:gosec // what OVH's signature is made of
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/attunelogic/maildns/records"
)

// OVHURLs are where OVHcloud's API is, by region.
func OVHURLs() map[string]string {
	return map[string]string{
		"eu": "https://eu.api.ovh.com/1.0",
		"ca": "https://ca.api.ovh.com/1.0",
		"us": "https://api.us.ovhcloud.com/1.0",
	}
}

// OVHKeys are the three credentials of a client of OVHcloud's API.
type OVHKeys struct{ Application, Secret, Consumer string }

// OVH returns the zones of an account at OVHcloud, through its API
// (https://eu.api.ovh.com/console/). Records are written one by one, and served
// after ReloadZone alone. Now is the clock, of which only the difference to
// OVH's own matters.
func OVH(client Doer, url string, keys OVHKeys, now func() time.Time) *OVHHost {
	o := &ovh{keys: keys, now: now}
	o.endpoint = endpoint{
		url: url, http: client, sign: o.sign,
		refusal: "OVHcloud refuses the keys: the consumer key may have expired, or lack a rule for this path (/domain/zone/*)",
	}
	return &OVHHost{Host: newHost(o), ovh: o}
}

// OVHHost is a Host that serves what was written once it is told to.
type OVHHost struct {
	*Host
	ovh *ovh
}

// ReloadZone makes OVHcloud's servers serve what was written.
func (h *OVHHost) ReloadZone(ctx context.Context, zone records.Name) error {
	_, err := h.ovh.call(ctx, http.MethodPost, pathOf("domain", "zone", string(zone), "refresh"), nil, nil)
	return err
}

type ovh struct {
	endpoint
	keys OVHKeys
	now  func() time.Time

	mu    sync.Mutex
	known bool
	ahead time.Duration // of OVH's clock before ours
}

type ovhRecord struct {
	ID        int64       `json:"id,omitempty"`
	FieldType string      `json:"fieldType,omitempty"`
	SubDomain string      `json:"subDomain"`
	Target    string      `json:"target"`
	TTL       records.TTL `json:"ttl"` // 0: the zone's
}

// sign makes the signature that OVH documents: a hash over the secrets, the
// request and OVH's time.
func (o *ovh) sign(ctx context.Context, req *http.Request, body []byte) error {
	ahead, err := o.clock(ctx)
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(o.now().Add(ahead).Unix(), 10)
	text := strings.Join([]string{o.keys.Secret, o.keys.Consumer, req.Method, req.URL.String(), string(body), stamp}, "+")
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see above
	req.Header.Set("X-Ovh-Application", o.keys.Application)
	req.Header.Set("X-Ovh-Consumer", o.keys.Consumer)
	req.Header.Set("X-Ovh-Timestamp", stamp)
	req.Header.Set("X-Ovh-Signature", "$1$"+hex.EncodeToString(sum[:]))
	return nil
}

// clock asks OVH once what time it is there.
func (o *ovh) clock(ctx context.Context) (time.Duration, error) {
	o.mu.Lock()
	ahead, known := o.ahead, o.known
	o.mu.Unlock()
	if known {
		return ahead, nil
	}
	unsigned := o.endpoint
	unsigned.sign = func(context.Context, *http.Request, []byte) error { return nil }
	var theirs int64
	if _, err := unsigned.call(ctx, http.MethodGet, "/auth/time", nil, &theirs); err != nil {
		return 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ahead, o.known = time.Unix(theirs, 0).Sub(o.now()), true
	return o.ahead, nil
}

func ovhPath(zone records.Name, more ...string) string {
	return pathOf(append([]string{"domain", "zone", string(zone)}, more...)...)
}

func (o *ovh) read(ctx context.Context, zone records.Name) (content, error) {
	return o.records(ctx, zone, "")
}

// readSet asks for the records of one name: OVH's own words for kinds of TXT
// count as TXT, so the type alone would miss them.
func (o *ovh) readSet(ctx context.Context, zone records.Name, key records.Key) (set, error) {
	subdomain := key.Name.Relative(zone)
	if subdomain == "@" {
		subdomain = ""
	}
	c, err := o.records(ctx, zone, "?subDomain="+url.QueryEscape(subdomain))
	for _, s := range c.sets {
		if s.key == key {
			return s, err
		}
	}
	return set{}, err
}

// records asks for the records that a query selects, one after the other, since
// OVH lists numbers alone.
func (o *ovh) records(ctx context.Context, zone records.Name, query string) (content, error) {
	var soa struct {
		TTL      records.TTL `json:"ttl"`
		Negative records.TTL `json:"nxDomainTtl"`
	}
	_, err := o.call(ctx, http.MethodGet, ovhPath(zone, "soa"), nil, &soa)
	if statusOf(err) == http.StatusNotFound {
		err = noZone(zone, "in this account at OVHcloud")
	}
	if err != nil {
		return content{}, err
	}
	var ids []int64
	if _, err := o.call(ctx, http.MethodGet, ovhPath(zone, "record")+query, nil, &ids); err != nil {
		return content{}, err
	}
	slices.Sort(ids)
	c := content{negative: min(soa.Negative, soa.TTL)}
	for _, id := range ids {
		var r ovhRecord
		if _, err := o.call(ctx, http.MethodGet, ovhPath(zone, "record", strconv.FormatInt(id, 10)), nil, &r); err != nil {
			return content{}, err
		}
		if r.TTL == 0 {
			r.TTL = soa.TTL
		}
		c.join(r, zone)
	}
	return c, nil
}

// join adds one record to its set.
func (c *content) join(r ovhRecord, zone records.Name) {
	key := records.Key{Name: records.Below(strings.ToLower(r.SubDomain), zone), Type: ovhType(r.FieldType)}
	i := slices.IndexFunc(c.sets, func(s set) bool { return s.key == key })
	if i < 0 {
		i = len(c.sets)
		c.sets = append(c.sets, set{key: key, ttl: r.TTL})
	}
	s := &c.sets[i]
	s.mixed = s.mixed || r.TTL != s.ttl
	s.ttl = min(s.ttl, r.TTL)
	s.records = append(s.records, record{text: r.Target, id: strconv.FormatInt(r.ID, 10), kind: r.FieldType, ttl: r.TTL})
}

// ovhType takes OVH's own words for kinds of TXT records as what they are in
// DNS.
func ovhType(field string) records.Type {
	switch field {
	case "SPF", "DKIM", "DMARC":
		return records.TypeTXT
	}
	return records.Type(field)
}

// write changes records in the place of others wherever it can, adds what is
// left, and deletes last. Nothing is served before ReloadZone.
func (o *ovh) write(ctx context.Context, zone records.Name, edits []edit) error {
	for _, e := range edits {
		if err := o.writeSet(ctx, zone, e); err != nil {
			return err
		}
	}
	return nil
}

func (o *ovh) writeSet(ctx context.Context, zone records.Name, e edit) error {
	subdomain := e.new.key.Name.Relative(zone)
	if subdomain == "@" {
		subdomain = ""
	}
	var added, changed []record
	for _, r := range e.new.records {
		switch {
		case r.id == "":
			added = append(added, r)
		case r.ttl != e.new.ttl:
			changed = append(changed, r)
		}
	}
	replaced, added, gone := replace(e.new.key, dropped(e), added)
	for _, r := range append(replaced, changed...) {
		body := ovhRecord{SubDomain: subdomain, Target: r.text, TTL: e.new.ttl}
		if _, err := o.call(ctx, http.MethodPut, ovhPath(zone, "record", r.id), body, nil); err != nil {
			return err
		}
	}
	for _, r := range added {
		body := ovhRecord{FieldType: string(e.new.key.Type), SubDomain: subdomain, Target: r.text, TTL: e.new.ttl}
		if _, err := o.call(ctx, http.MethodPost, ovhPath(zone, "record"), body, nil); err != nil {
			return err
		}
	}
	for _, r := range gone {
		if _, err := o.call(ctx, http.MethodDelete, ovhPath(zone, "record", r.id), nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// dropped returns the records that the new state doesn't have.
func dropped(e edit) []record {
	return slices.DeleteFunc(slices.Clone(e.old.records), func(r record) bool {
		return slices.ContainsFunc(e.new.records, func(n record) bool { return n.id == r.id })
	})
}

// replace lets records that come take the place of some that go: first of those
// that must not stand beside them, such as two SPF records, then of any of the
// same kind. OVH lets a record of its kinds SPF, DKIM and DMARC hold that alone.
func replace(key records.Key, old, added []record) (replaced, rest, gone []record) {
	passes := []func(a, r record) bool{
		func(a, r record) bool { return word(a) == word(r) },
		func(_, r record) bool { return r.kind == string(key.Type) },
	}
	rest, gone = slices.Clone(added), slices.Clone(old)
	for _, fits := range passes {
		rest = slices.DeleteFunc(rest, func(a record) bool {
			i := slices.IndexFunc(gone, func(r record) bool { return fits(a, r) })
			if i < 0 {
				return false
			}
			a.id = gone[i].id
			gone = slices.Delete(gone, i, i+1)
			replaced = append(replaced, a)
			return true
		})
	}
	return replaced, rest, gone
}

// word is the beginning of a text up to its first blank or semicolon, which
// tells what kind of record it is.
func word(r record) string {
	w, _, _ := strings.Cut(strings.ToLower(strings.Trim(r.text, `"`)), " ")
	w, _, _ = strings.Cut(w, ";")
	return w
}

// access reads the rules of the consumer key.
func (o *ovh) access(ctx context.Context, zones []records.Name) ([]string, error) {
	var credential struct {
		Rules []struct {
			Method string `json:"method"`
			Path   string `json:"path"`
		} `json:"rules"`
		Expiration string `json:"expiration"`
	}
	if _, err := o.call(ctx, http.MethodGet, "/auth/currentCredential", nil, &credential); err != nil {
		return nil, err
	}
	var missing []string
	for _, zone := range zones {
		for _, need := range []string{"GET record", "POST record", "PUT record/1", "DELETE record/1", "POST refresh", "GET soa"} {
			method, rest, _ := strings.Cut(need, " ")
			target := "/domain/zone/" + string(zone) + "/" + rest
			granted := false
			for _, r := range credential.Rules {
				granted = granted || r.Method == method && matchesRule(r.Path, target)
			}
			if !granted {
				missing = append(missing, method+" "+target)
			}
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("the consumer key has no rule for %s: make one with these rules", strings.Join(missing, ", "))
	}
	var facts []string
	if len(zones) > 0 {
		facts = append(facts, "the rules of the consumer key allow reading, writing and publishing")
	}
	if credential.Expiration != "" {
		facts = append(facts, "the consumer key expires at "+credential.Expiration)
	}
	return facts, nil
}

// matchesRule: a star in a rule stands for anything, slashes too.
func matchesRule(rule, target string) bool {
	replacer := strings.NewReplacer("/", "\x00")
	ok, err := path.Match(replacer.Replace(rule), replacer.Replace(target))
	return err == nil && ok
}
