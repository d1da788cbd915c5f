package vendortest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/records"
)

// Zone is the one zone that a fake holds.
const Zone records.Name = "example.com"

// Fake is a vendor's API over one zone.
type Fake interface {
	http.Handler
	// Put makes a set be what it is given as, as somebody else does; without
	// values it goes.
	Put(s records.RRset)
	// Look is the zone as it is stored.
	Look() (records.Zone, error)
}

// Set is one record set in the spelling of zone files.
type Set struct {
	TTL   int
	Texts []string
}

// store is the zone behind an API. Its lock is held during each request.
type store struct {
	mu   sync.Mutex
	sets map[records.Key]Set
}

func newStore() *store { return &store{sets: map[records.Key]Set{}} }

// Put stores a set as it is, whatever the API would say to it.
func (s *store) Put(set records.RRset) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(set.Values) == 0 {
		delete(s.sets, set.Key)
		return
	}
	s.sets[set.Key] = setOf(set)
}

func setOf(set records.RRset) Set {
	out := Set{TTL: int(set.TTL)}
	for _, v := range set.Values {
		out.Texts = append(out.Texts, records.MasterData(set.Type, v))
	}
	return out
}

// PutText stores a set in the vendor's own spelling.
func (s *store) PutText(name string, t records.Type, ttl int, texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sets[records.Key{Name: records.Below(name, Zone), Type: t}] = Set{TTL: ttl, Texts: texts}
}

// Texts returns a set in the vendor's own spelling.
func (s *store) Texts(name string, t records.Type) Set {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sets[records.Key{Name: records.Below(name, Zone), Type: t}]
}

// Look reads the zone with a DNS library, and not with what is tested.
func (s *store) Look() (records.Zone, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return look(s.sets)
}

func look(stored map[records.Key]Set) (records.Zone, error) {
	var sets []records.RRset
	for key, set := range stored {
		values := make([]records.Value, len(set.Texts))
		for i, text := range set.Texts {
			v, err := valueOf(key, text)
			if err != nil {
				return records.Zone{}, err
			}
			values[i] = v
		}
		if !key.Type.HostOwned() {
			sets = append(sets, records.NewRRset(key, records.TTL(set.TTL), values...))
		}
	}
	return records.NewZone(Zone, 0, sets...), nil
}

// valueOf is what a name server would make of a text.
func valueOf(key records.Key, text string) (records.Value, error) {
	rr, err := parse(key, text)
	if err != nil {
		return "", err
	}
	if key.Type != records.TypeTXT {
		return records.CanonicalData(key.Type, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	wire := make([]byte, 1<<17)
	n, err := dns.PackRR(rr, wire, 0, nil, false)
	if err != nil {
		return "", err
	}
	var out []byte
	for rest := wire[n-int(rr.Header().Rdlength) : n]; len(rest) > 0; rest = rest[1+int(rest[0]):] {
		out = append(out, rest[1:1+int(rest[0])]...)
	}
	return records.Value(out), nil
}

func parse(key records.Key, text string) (dns.RR, error) {
	parser := dns.NewZoneParser(strings.NewReader(fmt.Sprintf("%s. 60 IN %s %s\n", key.Name, key.Type, text)), string(Zone)+".", "")
	rr, ok := parser.Next()
	if !ok {
		return nil, errors.Join(errors.New("not in the form of the type"), parser.Err())
	}
	return rr, nil
}

// check says what a careful host has against a set, or nothing.
func check(key records.Key, texts []string) string {
	if !key.Name.In(Zone) {
		return "the name is outside the zone"
	}
	seen := map[records.Value]bool{}
	for _, text := range texts {
		rr, err := parse(key, text)
		if err != nil {
			return fmt.Sprintf("%s: %v", text, err)
		}
		if complaint := checkText(rr, text); complaint != "" {
			return text + ": " + complaint
		}
		v, err := valueOf(key, text)
		if err != nil || seen[v] {
			return text + ": twice, or unreadable"
		}
		seen[v] = true
	}
	return ""
}

func checkText(rr dns.RR, text string) string {
	switch rr.(type) {
	case *dns.TXT:
		if !strings.HasPrefix(text, `"`) || !strings.HasSuffix(text, `"`) {
			return "TXT content must be enclosed in quotation marks"
		}
		for piece := range strings.SplitSeq(strings.Trim(text, `"`), `" "`) {
			if len(escape.ReplaceAllString(piece, "x")) > 255 {
				return "a character-string has more than 255 bytes"
			}
		}
	case *dns.MX, *dns.CNAME, *dns.NS, *dns.SRV:
		if !strings.HasSuffix(text, ".") {
			return "a host name must end in a dot"
		}
	}
	return ""
}

var escape = regexp.MustCompile(`\\([0-9]{3}|.)`)

// conflict reports a CNAME beside other records, which no host serves.
func conflict(sets map[records.Key]Set) string {
	for key := range sets {
		if key.Type != records.TypeCNAME {
			continue
		}
		for other := range sets {
			if other.Name == key.Name && other.Type != key.Type {
				return fmt.Sprintf("%s has a CNAME beside %s", key.Name, other.Type)
			}
		}
	}
	return ""
}

// keys returns the sets in order.
func keys(sets map[records.Key]Set) []records.Key {
	return slices.SortedFunc(maps.Keys(sets), records.Key.Compare)
}

// Direct is an http.RoundTripper to a handler in this process.
type Direct struct {
	Handler http.Handler
	// Around stands around each request; nil: nothing does.
	Around func(request func() error) error
}

// RoundTrip lets the handler answer.
func (d Direct) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if req.Body == nil {
		req.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	request := func() error {
		d.Handler.ServeHTTP(w, req)
		return nil
	}
	around := d.Around
	if around == nil {
		around = func(request func() error) error { return request() }
	}
	if err := around(request); err != nil {
		return nil, err
	}
	return w.Result(), req.Context().Err()
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if v != nil && status != http.StatusNoContent {
		_ = json.NewEncoder(w).Encode(v)
	}
}

// decode reads a body that has nothing but what the API knows.
func decode(r *http.Request, into any) error {
	if kind := r.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		return fmt.Errorf("the content type is %q", kind)
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON")
	}
	return nil
}

func number(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return otherwise
}
