package vendors

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/attunelogic/maildns/records"
)

// HetznerURL is where the API of Hetzner Cloud is, which has the zones since
// the DNS Console's own API was shut down.
const HetznerURL = "https://api.hetzner.cloud/v1"

// Hetzner returns the zones of a project at Hetzner Cloud, through its API
// (https://docs.hetzner.cloud/reference/cloud#zones). Pause waits between two
// questions whether a write has been carried out; nil: half a second.
func Hetzner(client Doer, url, token string, pause func(context.Context) error) *Host {
	if pause == nil {
		pause = halfSecond
	}
	return newHost(&hetzner{
		endpoint: endpoint{
			url: url, http: client,
			sign:    header("Authorization", "Bearer "+token),
			refusal: "Hetzner refuses the token: it may be wrong, be of another project, or be good for reading only",
		},
		pause: pause,
	})
}

func halfSecond(ctx context.Context) error {
	timer := time.NewTimer(500 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

type hetzner struct {
	endpoint
	pause func(context.Context) error

	mu    sync.Mutex
	zones map[records.Name]hetznerZone
}

type hetznerZone struct {
	ID   int64       `json:"id"`
	TTL  records.TTL `json:"ttl"` // of sets that have none of their own
	Mode string      `json:"mode"`
}

type hetznerSet struct {
	Name       string             `json:"name"`
	Type       string             `json:"type"`
	TTL        *records.TTL       `json:"ttl,omitempty"`
	Protection *hetznerProtection `json:"protection,omitempty"`
	Records    []hetznerRecord    `json:"records"`
}

type hetznerProtection struct {
	Change bool `json:"change"`
}

type hetznerRecord struct {
	Value   string `json:"value"`
	Comment string `json:"comment,omitempty"`
}

type hetznerAction struct {
	ID     int64  `json:"id"`
	Status string `json:"status"` // running, success, error
	Error  *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

type hetznerActionAnswer struct {
	Action hetznerAction `json:"action"`
}

// zone asks for the zone once: its number doesn't change.
func (h *hetzner) zone(ctx context.Context, zone records.Name) (hetznerZone, error) {
	h.mu.Lock()
	z, ok := h.zones[zone]
	h.mu.Unlock()
	if ok {
		return z, nil
	}
	var answer struct {
		Zone hetznerZone `json:"zone"`
	}
	_, err := h.call(ctx, http.MethodGet, pathOf("zones", string(zone)), nil, &answer)
	if statusOf(err) == http.StatusNotFound {
		err = noZone(zone, "in this project at Hetzner")
	}
	if err != nil {
		return hetznerZone{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.zones == nil {
		h.zones = map[records.Name]hetznerZone{}
	}
	h.zones[zone] = answer.Zone
	return answer.Zone, nil
}

func (h *hetzner) read(ctx context.Context, zone records.Name) (content, error) {
	z, err := h.zone(ctx, zone)
	if err != nil {
		return content{}, err
	}
	var c content
	for page := 1; page > 0; {
		var answer struct {
			RRsets []hetznerSet `json:"rrsets"`
			Meta   struct {
				Pagination struct {
					NextPage int `json:"next_page"`
				} `json:"pagination"`
			} `json:"meta"`
		}
		path := h.setsPath(z) + "?per_page=50&page=" + strconv.Itoa(page)
		if _, err := h.call(ctx, http.MethodGet, path, nil, &answer); err != nil {
			return content{}, err
		}
		for _, s := range answer.RRsets {
			c.sets = append(c.sets, z.read(s, zone))
		}
		next := answer.Meta.Pagination.NextPage
		if next != 0 && next <= page {
			return content{}, errSamePage
		}
		page = next
	}
	return c, nil
}

func (*hetzner) setsPath(z hetznerZone) string {
	return pathOf("zones", strconv.FormatInt(z.ID, 10), "rrsets")
}

func (h *hetzner) setPath(z hetznerZone, zone records.Name, key records.Key) string {
	return h.setsPath(z) + pathOf(key.Name.Relative(zone), string(key.Type))
}

func (z hetznerZone) read(s hetznerSet, zone records.Name) set {
	out := set{key: records.Key{Name: records.Below(strings.ToLower(s.Name), zone), Type: records.Type(s.Type)}, ttl: z.TTL}
	if s.TTL != nil {
		out.ttl = *s.TTL
	}
	switch {
	case z.Mode == "secondary":
		out.fixed = "the zone is a secondary, which Hetzner takes from its primary: write there"
	case s.Protection != nil && s.Protection.Change:
		out.fixed = "it is protected against changes at Hetzner: lift the protection there first"
	}
	for _, r := range s.Records {
		out.records = append(out.records, record{text: r.Value, comment: r.Comment})
	}
	return out
}

func (h *hetzner) readSet(ctx context.Context, zone records.Name, key records.Key) (set, error) {
	z, err := h.zone(ctx, zone)
	if err != nil {
		return set{}, err
	}
	var answer struct {
		RRset hetznerSet `json:"rrset"`
	}
	_, err = h.call(ctx, http.MethodGet, h.setPath(z, zone, key), nil, &answer)
	if statusOf(err) == http.StatusNotFound {
		return set{}, nil
	}
	if err != nil {
		return set{}, err
	}
	return z.read(answer.RRset, zone), nil
}

// write never deletes a set to make it anew, as the library does: a failure in
// between would lose it.
func (h *hetzner) write(ctx context.Context, zone records.Name, edits []edit) error {
	z, err := h.zone(ctx, zone)
	if err != nil {
		return err
	}
	for _, e := range edits {
		if err := h.writeSet(ctx, z, zone, e); err != nil {
			return err
		}
	}
	return nil
}

func (h *hetzner) writeSet(ctx context.Context, z hetznerZone, zone records.Name, e edit) error {
	path := h.setPath(z, zone, e.new.key)
	body := hetznerSet{Records: []hetznerRecord{}}
	for _, r := range e.new.records {
		body.Records = append(body.Records, hetznerRecord{Value: r.text, Comment: r.comment})
	}
	switch {
	case len(e.new.records) == 0:
		return h.act(ctx, http.MethodDelete, path, nil)
	case len(e.old.records) == 0:
		body.Name, body.Type, body.TTL = e.new.key.Name.Relative(zone), string(e.new.key.Type), &e.new.ttl
		return h.act(ctx, http.MethodPost, h.setsPath(z), body)
	}
	if same := (edit{set{records: e.old.records}, set{records: e.new.records}}); !same.none() {
		records := struct {
			Records []hetznerRecord `json:"records"`
		}{body.Records}
		if err := h.act(ctx, http.MethodPost, path+"/actions/set_records", records); err != nil {
			return err
		}
	}
	if e.old.ttl == e.new.ttl {
		return nil
	}
	ttl := struct {
		TTL records.TTL `json:"ttl"`
	}{e.new.ttl}
	return h.act(ctx, http.MethodPost, path+"/actions/change_ttl", ttl)
}

// act makes a request and waits until Hetzner has carried it out.
func (h *hetzner) act(ctx context.Context, method, path string, in any) error {
	var answer hetznerActionAnswer
	if _, err := h.call(ctx, method, path, in, &answer); err != nil {
		return err
	}
	for answer.Action.Status == "running" {
		if err := h.pause(ctx); err != nil {
			return fmt.Errorf("waiting for Hetzner to carry out %s %s: %w", method, path, err)
		}
		id := answer.Action.ID
		if _, err := h.call(ctx, http.MethodGet, pathOf("actions", strconv.FormatInt(id, 10)), nil, &answer); err != nil {
			return err
		}
	}
	if a := answer.Action; a.Status == "error" && a.Error != nil {
		return fmt.Errorf("%s %s: Hetzner could not carry it out: %s (%s)", method, path, a.Error.Message, a.Error.Code)
	}
	return nil
}

func (h *hetzner) access(ctx context.Context, zones []records.Name) ([]string, error) {
	for _, zone := range zones {
		z, err := h.zone(ctx, zone)
		switch {
		case err != nil:
			return nil, err
		case z.Mode == "secondary":
			return nil, fmt.Errorf("the zone %s is a secondary at Hetzner: it can't be written there", zone)
		}
	}
	return []string{"Hetzner doesn't say whether the token may write, only that it reads"}, nil
}
