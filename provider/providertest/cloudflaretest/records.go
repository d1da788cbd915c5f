package cloudflaretest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// inZone serves what is below /zones/ID.
func (s *Server) inZone(req *http.Request, id string, rest []string) (any, *pageInfo, *fault) {
	z := s.zone(id)
	switch {
	case z == nil || s.Token.NoZoneRead && len(rest) == 0:
		return nil, nil, fail(http.StatusForbidden, 9109, "Unauthorized to access requested resource")
	case len(rest) == 0 && req.Method == http.MethodGet:
		return s.describe(z), nil, nil
	case len(rest) == 0 || rest[0] != "dns_records" || len(rest) > 2:
		return nil, nil, fail(http.StatusNotFound, 7000, "No route for that URI")
	case req.Method == http.MethodGet && s.Token.NoDNSRead && s.Token.NoDNSEdit, req.Method != http.MethodGet && s.Token.NoDNSEdit:
		return nil, nil, forbidden()
	case len(rest) == 1 && req.Method == http.MethodGet:
		return s.listRecords(req, z)
	}
	result, f := s.write(req, z, rest[1:])
	return result, nil, f
}

func (s *Server) listRecords(req *http.Request, z *Zone) (any, *pageInfo, *fault) {
	q := req.URL.Query()
	if f := known(q, "page", "per_page", "order", "direction", "type", "name"); f != nil {
		return nil, nil, f
	}
	order := orElse(q.Get("order"), "type")
	if !slices.Contains([]string{"type", "name", "content", "ttl", "proxied"}, order) || !slices.Contains([]string{"", "asc", "desc"}, q.Get("direction")) {
		return nil, nil, fail(http.StatusBadRequest, 1004, "Invalid order")
	}
	sorted := slices.SortedStableFunc(slices.Values(z.records), func(a, b Record) int {
		if order == "name" {
			return strings.Compare(a.Name, b.Name)
		}
		return strings.Compare(a.Type, b.Type)
	})
	var found []any
	for _, r := range sorted {
		if (!q.Has("type") || q.Get("type") == r.Type) && (!q.Has("name") || q.Get("name") == r.Name) {
			found = append(found, r.show())
		}
	}
	return paged(q, found, 100, 1, 5000000)
}

// show is a record as the API lists it.
func (r Record) show() map[string]any {
	out := map[string]any{
		"id": r.ID, "type": r.Type, "name": r.Name, "content": r.Content, "ttl": r.TTL, "proxied": r.Proxied,
		"proxiable": slices.Contains([]string{"A", "AAAA", "CNAME"}, r.Type), "comment": nil, "tags": append([]string{}, r.Tags...),
		"settings": r.Settings, "meta": r.Meta, "created_on": "2026-01-02T03:04:05.000000Z", "modified_on": "2026-01-02T03:04:05.000000Z",
	}
	if r.Settings == nil {
		out["settings"] = map[string]any{}
	}
	if r.Comment != "" {
		out["comment"] = r.Comment
	}
	if r.Priority != nil {
		out["priority"] = *r.Priority
	}
	if r.Data != nil {
		out["data"] = r.Data
	}
	return out
}

// given is a record in a request. What is absent is nil.
type given struct {
	ID       string         `json:"id"`
	Type     *string        `json:"type"`
	Name     *string        `json:"name"`
	Content  *string        `json:"content"`
	TTL      *float64       `json:"ttl"`
	Priority *float64       `json:"priority"`
	Proxied  *bool          `json:"proxied"`
	Comment  *string        `json:"comment"`
	Tags     *[]string      `json:"tags"`
	Data     map[string]any `json:"data"`
	Settings map[string]any `json:"settings"`

	// Of an answer that is sent back; ignored.
	ZoneID     any `json:"zone_id"`
	ZoneName   any `json:"zone_name"`
	Proxiable  any `json:"proxiable"`
	CreatedOn  any `json:"created_on"`
	ModifiedOn any `json:"modified_on"`
	Meta       any `json:"meta"`
}

// work is what a request does to the records of a zone, in this order.
type work struct {
	Deletes []given `json:"deletes"`
	Patches []given `json:"patches"`
	Puts    []given `json:"puts"`
	Posts   []given `json:"posts"`
}

// write serves the requests that change records: batches, and single ones,
// which are a batch of one.
func (s *Server) write(req *http.Request, z *Zone, rest []string) (any, *fault) {
	var w work
	var single given
	batch := len(rest) == 1 && rest[0] == "batch" && req.Method == http.MethodPost
	if f := decodeWork(req, batch, &w, &single); f != nil {
		return nil, f
	}
	switch {
	case batch:
	case len(rest) == 0 && req.Method == http.MethodPost:
		w.Posts = []given{single}
	case len(rest) == 0:
		return nil, fail(http.StatusMethodNotAllowed, 10405, "Method not allowed")
	default:
		single.ID = rest[0]
		if !w.single(req.Method, single) {
			return nil, fail(http.StatusMethodNotAllowed, 10405, "Method not allowed")
		}
	}
	done, f := s.transact(z, w)
	if f != nil || batch {
		return done, f
	}
	for _, part := range done {
		if len(part) > 0 {
			return part[0], nil
		}
	}
	return nil, nil
}

func (w *work) single(method string, g given) bool {
	switch method {
	case http.MethodDelete:
		w.Deletes = []given{g}
	case http.MethodPatch:
		w.Patches = []given{g}
	case http.MethodPut:
		w.Puts = []given{g}
	default:
		return false
	}
	return true
}

func decodeWork(req *http.Request, batch bool, w *work, single *given) *fault {
	switch {
	case batch:
		return decode(req, w)
	case req.Method == http.MethodDelete:
		return nil
	default:
		return decode(req, single)
	}
}

func decode(req *http.Request, into any) *fault {
	if req.Header.Get("Content-Type") != "application/json" {
		return fail(http.StatusUnsupportedMediaType, 10415, "Content-Type must be application/json")
	}
	d := json.NewDecoder(req.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fail(http.StatusBadRequest, 9207, "Request body is invalid: "+err.Error())
	}
	return nil
}

// transact does all of the work or, with a fault, none.
func (s *Server) transact(z *Zone, w work) (map[string][]map[string]any, *fault) {
	most := 200
	if z.Plan != "free" {
		most = 3500
	}
	if n := len(w.Deletes) + len(w.Patches) + len(w.Puts) + len(w.Posts); n > most {
		return nil, fail(http.StatusBadRequest, 81060, fmt.Sprintf("Too many operations in the batch: %d of %d", n, most))
	}
	if z.Type == "secondary" {
		return nil, fail(http.StatusForbidden, 81061, "Records of a secondary zone can't be changed")
	}
	after := &Zone{Name: z.Name, Plan: z.Plan, Quota: z.Quota, records: slices.Clone(z.records)}
	done := map[string][]map[string]any{"deletes": {}, "patches": {}, "puts": {}, "posts": {}}
	for _, step := range []struct {
		name  string
		items []given
		do    func(*Zone, given) (Record, *fault)
	}{{"deletes", w.Deletes, s.remove}, {"patches", w.Patches, s.patch}, {"puts", w.Puts, s.put}, {"posts", w.Posts, s.post}} {
		for _, g := range step.items {
			r, f := step.do(after, g)
			if f != nil {
				return nil, f
			}
			done[step.name] = append(done[step.name], r.show())
		}
	}
	z.records = after.records
	return done, nil
}

// place finds a record that may be written.
func place(z *Zone, id string) (int, *fault) {
	i := slices.IndexFunc(z.records, func(r Record) bool { return r.ID == id })
	switch {
	case i < 0:
		return 0, fail(http.StatusNotFound, 81044, "Record does not exist.")
	case z.records[i].Meta.ReadOnly || z.records[i].Meta.EmailRouting:
		return 0, fail(http.StatusBadRequest, 1043, "This record is read-only.")
	}
	return i, nil
}

func (s *Server) remove(z *Zone, g given) (Record, *fault) {
	i, f := place(z, g.ID)
	if f != nil {
		return Record{}, f
	}
	gone := z.records[i]
	z.records = slices.Delete(z.records, i, i+1)
	return gone, nil
}

func (s *Server) patch(z *Zone, g given) (Record, *fault) {
	i, f := place(z, g.ID)
	if f != nil {
		return Record{}, f
	}
	return s.store(z, i, z.records[i], g)
}

func (s *Server) put(z *Zone, g given) (Record, *fault) {
	i, f := place(z, g.ID)
	if f != nil {
		return Record{}, f
	}
	if g.Type == nil || g.Name == nil || g.Content == nil && g.Data == nil {
		return Record{}, invalid(9000, "id, name, type and content are required")
	}
	return s.store(z, i, Record{ID: g.ID, TTL: 1}, g)
}

func (s *Server) post(z *Zone, g given) (Record, *fault) {
	quota := z.Quota
	switch {
	case quota == 0 && z.Plan == "free":
		quota = 1000
	case quota == 0:
		quota = 3500
	}
	if len(z.records) >= quota {
		return Record{}, fail(http.StatusBadRequest, 81045, "Record quota exceeded.")
	}
	if g.ID != "" {
		return Record{}, invalid(9000, "a new record has no id")
	}
	last := len(z.records)
	fresh := Record{ID: s.id(), TTL: 1}
	z.records = append(z.records, fresh)
	r, f := s.store(z, last, fresh, g)
	if f != nil {
		z.records = z.records[:last]
	}
	return r, f
}

// store puts a record at its place, as the request changes it.
func (s *Server) store(z *Zone, i int, r Record, g given) (Record, *fault) {
	if g.Type != nil && r.Type != "" && *g.Type != r.Type {
		return Record{}, invalid(9001, "the type of a record can't be changed")
	}
	if f := r.take(g, string(z.Name)); f != nil {
		return Record{}, f
	}
	if f := r.validate(); f != nil {
		return Record{}, f
	}
	if f := conflict(r, z.records, string(z.Name)); f != nil {
		return Record{}, f
	}
	z.records[i] = r
	return r, nil
}

// take takes over what a request gives.
func (r *Record) take(g given, zone string) *fault {
	set(&r.Type, g.Type)
	set(&r.Content, g.Content)
	set(&r.Proxied, g.Proxied)
	set(&r.Comment, g.Comment)
	set(&r.Tags, g.Tags)
	if g.Name != nil {
		r.Name = absolute(*g.Name, zone)
	}
	if g.Settings != nil {
		r.Settings = g.Settings
	}
	for _, n := range []struct {
		from *float64
		to   func(int)
		most float64
	}{{g.TTL, func(n int) { r.TTL = n }, 86400}, {g.Priority, func(n int) { r.Priority = &n }, 65535}} {
		if n.from == nil {
			continue
		}
		if whole := float64(int(*n.from)); whole != *n.from || whole < 0 || whole > n.most {
			return invalid(9021, "%v is out of range", *n.from)
		}
		n.to(int(*n.from))
	}
	if g.Data != nil && dataFields[r.Type] != nil {
		r.Data = g.Data
	}
	return nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// absolute completes a name, as the API does.
func absolute(name, zone string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	switch {
	case name == "@" || name == "":
		return zone
	case name == zone || strings.HasSuffix(name, "."+zone):
		return name
	default:
		return name + "." + zone
	}
}

// dataFields are the fields of data that a type requires, in the order of its
// presentation.
var dataFields = map[string][]string{
	"CAA":    {"flags", "tag", "value"},
	"DS":     {"key_tag", "algorithm", "digest_type", "digest"},
	"HTTPS":  {"priority", "target", "value"},
	"SMIMEA": {"usage", "selector", "matching_type", "certificate"},
	"SRV":    {"priority", "weight", "port", "target"},
	"SSHFP":  {"algorithm", "type", "fingerprint"},
	"SVCB":   {"priority", "target", "value"},
	"TLSA":   {"usage", "selector", "matching_type", "certificate"},
}

// wordFields are those fields of data that hold no number.
var wordFields = []string{"tag", "value", "target", "digest", "certificate", "fingerprint"}

// validate checks a record by itself, and gives it the form that is stored.
func (r *Record) validate() *fault {
	if _, ok := dns.IsDomainName(r.Name); !ok || r.Name == "" {
		return invalid(9000, "DNS name is invalid.")
	}
	if r.TTL != 1 && (r.TTL < 60 || r.TTL > 86400) {
		return invalid(9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
	}
	if len(r.Comment) > 100 {
		return invalid(9300, "The comment is too long.")
	}
	if r.Proxied && !slices.Contains([]string{"A", "AAAA", "CNAME"}, r.Type) {
		return invalid(9004, "This record type cannot be proxied.")
	}
	if fields := dataFields[r.Type]; fields != nil {
		return r.validateData(fields)
	}
	return r.validateContent()
}

func (r *Record) validateContent() *fault {
	ip, err := netip.ParseAddr(r.Content)
	switch r.Type {
	case "A":
		if err != nil || !ip.Is4() {
			return invalid(9005, "Content for A record must be a valid IPv4 address.")
		}
	case "AAAA":
		if err != nil || !ip.Is6() {
			return invalid(9006, "Content for AAAA record must be a valid IPv6 address.")
		}
	case "CNAME", "NS", "PTR":
		return r.validateHost(false)
	case "MX":
		if r.Priority == nil {
			return invalid(9100, "priority is a required field.")
		}
		return r.validateHost(true)
	case "TXT":
		return r.validateText()
	default:
		return invalid(9001, "DNS record type %q is invalid.", r.Type)
	}
	return nil
}

// validateHost wants a host name, or the root where that is allowed, which
// stands for no host at all (RFC 7505).
func (r *Record) validateHost(root bool) *fault {
	if root && r.Content == "." {
		return nil
	}
	host := strings.ToLower(strings.TrimSuffix(r.Content, "."))
	if _, ok := dns.IsDomainName(host); !ok || host == "" || strings.ContainsAny(host, " \"\\") {
		return invalid(9009, "Content for %s record must be a hostname.", r.Type)
	}
	r.Content = host
	return nil
}

func (r *Record) validateText() *fault {
	if r.Content == "" {
		return invalid(9207, "Content for TXT record must not be empty.")
	}
	if !strings.HasPrefix(r.Content, `"`) {
		r.Content = `"` + r.Content + `"`
	}
	strs, err := characterStrings(r.Content)
	if err != nil {
		return invalid(9207, "Content for TXT record is invalid: %v.", err)
	}
	if len(strings.Join(strs, "")) > 4096 {
		return invalid(9208, "Content for TXT record must be at most 4096 bytes.")
	}
	if given, _ := countStrings(r.Content); len(strs) > given {
		r.Content = quoteAll(strs) // one was longer than 255 bytes
	}
	return nil
}

func (r *Record) validateData(fields []string) *fault {
	if r.Data == nil {
		return invalid(9101, "data is a required field.")
	}
	words := make([]string, len(fields))
	for i, name := range fields {
		v, ok := r.Data[name]
		if !ok {
			return invalid(9101, "%s is a required data field.", name)
		}
		word, err := dataWord(name, v)
		if err != nil {
			return invalid(9101, "%s %v.", name, err)
		}
		words[i] = word
	}
	for name := range r.Data {
		if !slices.Contains(fields, name) {
			return invalid(9101, "%s is no data field of %s.", name, r.Type)
		}
	}
	if r.Type == "CAA" {
		words[2] = quoteAll(words[2:])
	}
	if r.Type == "SRV" {
		priority, _ := strconv.Atoi(words[0])
		r.Priority = &priority
		words = words[1:] // the API leaves it out
	}
	r.Content = strings.TrimSpace(strings.Join(words, " "))
	return nil
}

func dataWord(name string, v any) (string, error) {
	wordy := slices.Contains(wordFields, name)
	switch v := v.(type) {
	case string:
		if wordy {
			return v, nil
		}
	case float64:
		if !wordy && v >= 0 && v <= 65535 && v == float64(int(v)) {
			return strconv.Itoa(int(v)), nil
		}
	}
	return "", errors.New("is invalid")
}

// conflict checks a record against the others of its zone.
func conflict(r Record, all []Record, zone string) *fault {
	text := r.textBytes()
	for i := range all {
		o := &all[i]
		if o.Name != r.Name || o.ID == r.ID {
			continue
		}
		address := slices.Contains([]string{"A", "AAAA", "CNAME"}, r.Type) && slices.Contains([]string{"A", "AAAA", "CNAME"}, o.Type)
		alone := (r.Type == "CNAME" || o.Type == "CNAME") && (address || r.Name != zone)
		switch {
		case alone && r.Type == "CNAME":
			return fail(http.StatusBadRequest, 81053, "An A, AAAA, or CNAME record with that host already exists.")
		case alone:
			return fail(http.StatusBadRequest, 81054, "A CNAME record with that host already exists.")
		case o.Type != r.Type:
			continue
		case o.Content == r.Content && samePriority(o.Priority, r.Priority):
			return fail(http.StatusBadRequest, 81058, "An identical record already exists.")
		}
		text += o.textBytes()
	}
	if r.Type == "TXT" && text > 8192 {
		return fail(http.StatusBadRequest, 81062, "The TXT records of this name are longer than 8192 characters together.")
	}
	return nil
}

// textBytes is how much of the room of its name a TXT record takes.
func (r *Record) textBytes() int {
	if r.Type != "TXT" {
		return 0
	}
	strs, _ := characterStrings(r.Content)
	return len(strings.Join(strs, ""))
}

func samePriority(a, b *int) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}
