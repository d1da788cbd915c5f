package cloudflare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/records"
)

// The most record operations that one batch may have, by the zone's plan.
const (
	batchFree = 200
	batchPaid = 3500
)

// secondary is the type of a zone whose records come from another server.
const secondary = "secondary"

// batch is the body of a call of dns_records/batch.
type batch struct {
	Deletes []identity `json:"deletes,omitempty"`
	Patches []patch    `json:"patches,omitempty"`
	Posts   []post     `json:"posts,omitempty"`
}

func (b *batch) size() int { return len(b.Deletes) + len(b.Patches) + len(b.Posts) }

type identity struct {
	ID string `json:"id"`
}

// patch changes a record in place. What it leaves out stays: comment, tags,
// proxied, settings. Type, name and TTL are always given, since some versions
// of the API's schema require them.
type patch struct {
	identity
	label
	*content
}

type post struct {
	label
	*content
}

type label struct {
	Type records.Type `json:"type"`
	Name records.Name `json:"name"`
	TTL  uint32       `json:"ttl"`
}

// content is a record's data in the form that the API wants for its type.
type content struct {
	Content  string         `json:"content,omitempty"`
	Priority *uint16        `json:"priority,omitempty"`
	Data     map[string]any `json:"data,omitempty"`
}

// Transact makes the changes in one transaction, against what was read in the
// call before, or is read now.
func (c *Client) Transact(ctx context.Context, name records.Name, changes []records.Change) error {
	s := c.state(name)
	if err := s.turn.take(ctx); err != nil {
		return err
	}
	defer s.turn.leave()
	const tries = 3
	for try := 1; ; try++ {
		err := c.attempt(ctx, name, s, changes)
		if !errors.Is(err, errLate) || try == tries {
			return err
		}
	}
}

// errLate says that a write had to wait for its turn within the request budget
// until what it was compared with was too old. Nothing was sent.
var errLate = errors.New("the request budget was used up, and the zone may have changed while the write waited")

// attempt compares and writes once.
func (c *Client) attempt(ctx context.Context, name records.Name, s *state, changes []records.Change) error {
	if s.seen == nil || c.host.now().Sub(s.seen.at) > goodFor {
		if err := c.read(ctx, name, s); err != nil {
			return fmt.Errorf("reading the zone before the write: %w", err)
		}
	}
	if s.zone.Type == secondary {
		return errors.New("the zone is transferred from another server: write it there")
	}
	if err := s.seen.check(changes); err != nil {
		return err
	}
	b, err := s.seen.batch(changes)
	if err != nil || b.size() == 0 {
		return err
	}
	return c.send(ctx, name, s, b, changes)
}

// send makes the call. Where it is refused because of what somebody else has
// done since the zone was read, nothing was written, and the error says so.
func (c *Client) send(ctx context.Context, name records.Name, s *state, b batch, changes []records.Change) error {
	compared := s.seen.at
	s.seen = nil
	asked := httpapi.BeforeSend(ctx, func() error {
		if c.host.now().Sub(compared) > goodFor {
			return errLate
		}
		return nil
	})
	err := c.host.api.post(asked, "/zones/"+s.zone.ID+"/dns_records/batch", b)
	var r *refusal
	if !errors.As(err, &r) || !r.overtaken() {
		return err
	}
	if c.read(ctx, name, s) != nil {
		return err
	}
	var stale *records.StaleError
	if now := s.seen.check(changes); errors.As(now, &stale) {
		return fmt.Errorf("%w (%w)", now, err)
	}
	return err
}

// check compares the zone with what the changes were computed from.
func (l *listing) check(changes []records.Change) error {
	for _, c := range changes {
		if have, _ := l.zone.Set(c.Key); have.Fixed != "" {
			return fmt.Errorf("%s can't be changed: %s", c.Key, have.Fixed)
		}
	}
	if err := l.zone.Check(changes); err != nil {
		return err
	}
	// At the zone's own name Cloudflare serves what a CNAME leads to instead of
	// the CNAME, so that it may stand beside other records.
	return l.zone.CheckCNAME(slices.DeleteFunc(slices.Clone(changes), func(c records.Change) bool { return c.Name == l.zone.Name }))
}

// batch turns changes into operations on records.
func (l *listing) batch(changes []records.Change) (batch, error) {
	var b batch
	for _, c := range changes {
		for _, o := range operations(c) {
			if err := b.add(o, l.members[c.Key]); err != nil {
				return batch{}, fmt.Errorf("%s: %w", c.Key, err)
			}
		}
	}
	return b, nil
}

// add enters what an operation does to the records that hold its value.
func (b *batch) add(o operation, members []member) error {
	var data *content
	if o.to != nil && (o.from == nil || *o.from != *o.to) {
		var err error
		if data, err = encode(o.key.Type, *o.to); err != nil {
			return err
		}
	}
	named := label{o.key.Type, o.key.Name, ttlNumber(o.ttl)}
	if o.from == nil {
		b.Posts = append(b.Posts, post{named, data})
		return nil
	}
	taken := false
	for _, m := range members {
		switch {
		case m.value != *o.from:
		case o.to == nil, data != nil && taken: // the host held the value twice
			b.Deletes = append(b.Deletes, identity{m.id})
		case data != nil, m.ttl != o.ttl:
			b.Patches = append(b.Patches, patch{identity{m.id}, named, data})
			taken = true
		}
	}
	return nil
}

func ttlNumber(ttl records.TTL) uint32 {
	if ttl == records.AutoTTL {
		return autoTTL
	}
	return uint32(ttl)
}

// operation is what becomes of one value. Without from it is new, without to
// it goes; where both are the same only the TTL changes.
type operation struct {
	key      records.Key
	from, to *records.Value
	ttl      records.TTL
}

// operations takes a set from one state to the other. Each new value takes
// over the record of one that goes, where the two are of a kind.
func operations(c records.Change) []operation {
	before, after := sideOf(c.Before), sideOf(c.After)
	var gone, fresh []records.Value
	var out []operation
	for _, v := range before.Values {
		switch ttl := after.TTLOf(v); {
		case !after.Has(v):
			gone = append(gone, v)
		case ttl != before.TTLOf(v):
			out = append(out, operation{c.Key, &v, &v, ttl})
		}
	}
	for _, v := range after.Values {
		if !before.Has(v) {
			fresh = append(fresh, v)
		}
	}
	alone := len(gone) == len(before.Values)
	for _, v := range fresh {
		o := operation{key: c.Key, to: &v, ttl: after.TTLOf(v)}
		if i := heir(c.Type, v, gone, alone); i >= 0 {
			was := gone[i]
			o.from = &was
			gone = slices.Delete(gone, i, i+1)
		}
		out = append(out, o)
	}
	for _, v := range gone {
		out = append(out, operation{key: c.Key, from: &v})
	}
	return out
}

func sideOf(s *records.RRset) records.RRset {
	if s == nil {
		return records.RRset{}
	}
	return *s
}

// heir returns the place of the value whose record a new one takes over, or
// -1: one of the same kind, or any where no other value stays in the set, which
// then is nobody else's.
func heir(t records.Type, v records.Value, gone []records.Value, alone bool) int {
	i := slices.IndexFunc(gone, func(was records.Value) bool { return kind(t, was) == kind(t, v) })
	if i < 0 && alone && len(gone) > 0 {
		return 0
	}
	return i
}

// kind is what two values of one purpose have in common: of a TXT its first
// word or tag (v=spf1, google-site-verification), of an MX the host.
func kind(t records.Type, v records.Value) string {
	text := string(v)
	switch t {
	case records.TypeTXT:
		if head, found := strings.CutPrefix(text, "v="); found {
			return "v=" + strings.ToLower(firstOf(head, " ;"))
		}
		return firstOf(text, " ;=:")
	case records.TypeMX:
		_, host, _ := strings.Cut(text, " ")
		return host
	default:
		return text
	}
}

func firstOf(text, ends string) string {
	if i := strings.IndexAny(text, ends); i >= 0 {
		return text[:i]
	}
	return text
}

// Split cuts what is too large for one transaction, but never between the
// changes of one name, which belong together.
func (c *Client) Split(changes []records.Change) [][]records.Change {
	most := c.sizeFor(c.state(c.name))
	sorted := slices.SortedStableFunc(slices.Values(changes), func(a, b records.Change) int { return cmp.Compare(a.Name, b.Name) })
	if sizeOf(sorted) <= most {
		return [][]records.Change{changes}
	}
	var parts [][]records.Change
	var part []records.Change
	for same := range chunkByName(sorted) {
		if len(part) > 0 && sizeOf(part)+sizeOf(same) > most {
			parts, part = append(parts, part), nil
		}
		part = append(part, same...)
	}
	return append(parts, part)
}

func sizeOf(changes []records.Change) (n int) {
	for _, c := range changes {
		n += len(operations(c))
	}
	return n
}

// chunkByName goes through the changes of one name at a time.
func chunkByName(sorted []records.Change) func(yield func([]records.Change) bool) {
	return func(yield func([]records.Change) bool) {
		for len(sorted) > 0 {
			n := 1
			for n < len(sorted) && sorted[n].Name == sorted[0].Name {
				n++
			}
			if !yield(sorted[:n]) {
				return
			}
			sorted = sorted[n:]
		}
	}
}

// sizeFor is what the zone's plan allows, as far as it is known by now.
func (c *Client) sizeFor(s *state) int {
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	if s.paid {
		return batchPaid
	}
	return batchFree
}

// encode gives data the form that the API wants.
func encode(t records.Type, v records.Value) (*content, error) {
	fields := strings.Fields(string(v))
	switch t {
	case records.TypeTXT:
		return &content{Content: records.MasterData(t, v)}, nil
	case records.TypeA, records.TypeAAAA, records.TypeCNAME, records.TypeNS, "PTR":
		return &content{Content: string(v)}, nil
	case records.TypeMX:
		n, err := numbers(fields, 1, 2)
		if err != nil {
			return nil, err
		}
		priority := uint16(n[0])
		return &content{Content: fields[1], Priority: &priority}, nil
	}
	data, err := encodeData(t, fields)
	if err != nil {
		return nil, err
	}
	return &content{Data: data}, nil
}

// layout is how the data of a type is split into the API's fields: so many
// numbers first, then words, the last of which has the rest.
type layout struct {
	numbers []string
	words   []string
}

var layouts = map[records.Type]layout{
	"CAA":            {[]string{"flags"}, []string{"tag", "value"}},
	"DS":             {[]string{"key_tag", "algorithm", "digest_type"}, []string{"digest"}},
	"HTTPS":          {[]string{"priority"}, []string{"target", "value"}},
	"SMIMEA":         {[]string{"usage", "selector", "matching_type"}, []string{"certificate"}},
	records.TypeSRV:  {[]string{"priority", "weight", "port"}, []string{"target"}},
	"SSHFP":          {[]string{"algorithm", "type"}, []string{"fingerprint"}},
	"SVCB":           {[]string{"priority"}, []string{"target", "value"}},
	records.TypeTLSA: {[]string{"usage", "selector", "matching_type"}, []string{"certificate"}},
}

func encodeData(t records.Type, fields []string) (map[string]any, error) {
	l, ok := layouts[t]
	if !ok {
		return nil, fmt.Errorf("%s records can't be written to Cloudflare", t)
	}
	n, err := numbers(fields, len(l.numbers), len(l.numbers)+1)
	if err != nil {
		return nil, err
	}
	data := make(map[string]any, len(fields))
	for i, name := range l.numbers {
		data[name] = n[i]
	}
	rest := fields[len(l.numbers):]
	for i, name := range l.words {
		switch {
		case i >= len(rest):
			data[name] = ""
		case i == len(l.words)-1:
			data[name] = strings.Join(rest[i:], " ")
		default:
			data[name] = rest[i]
		}
	}
	if t == "CAA" {
		data["value"] = unquote(data["value"].(string))
	}
	return data, nil
}

// numbers reads the first fields of at least so many.
func numbers(fields []string, count, least int) ([]int, error) {
	if len(fields) < least {
		return nil, fmt.Errorf("%q has too few fields", strings.Join(fields, " "))
	}
	out := make([]int, count)
	for i := range out {
		n, err := strconv.ParseUint(fields[i], 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%q is no number from 0 to 65535", fields[i])
		}
		out[i] = int(n)
	}
	return out, nil
}

// unquote reads the value of a CAA record, which its canonical form quotes.
func unquote(text string) string {
	v, err := records.ParseMasterData(records.TypeTXT, text, "")
	if err != nil {
		return text
	}
	return string(v)
}
