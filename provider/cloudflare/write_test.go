package cloudflare_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/provider/providertest/cloudflaretest"
	"github.com/attunelogic/maildns/records"
)

// bodies notes what is sent as batches.
func (w *world) bodies(t testing.TB) *[]string {
	t.Helper()
	var sent []string
	w.Around = func(req *http.Request, serve func() cloudflaretest.Answer) (cloudflaretest.Answer, error) {
		if strings.HasSuffix(req.URL.Path, "/batch") {
			text, err := io.ReadAll(req.Body)
			if err != nil {
				return cloudflaretest.Answer{}, err
			}
			sent = append(sent, string(text))
			req.Body = io.NopCloser(strings.NewReader(string(text)))
		}
		return serve(), nil
	}
	return &sent
}

// TestInPlace: a value that replaces another takes its record over, with id,
// comment, tags and settings; a record that no change is about is not touched.
func TestInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	z := w.AddZone(cloudflaretest.Zone{Name: zone})
	ours := cloudflaretest.Record{
		ID: "spf", Type: "TXT", Name: "example.com", Content: `"v=spf1 -all"`, TTL: 3600, Comment: "ask Ann", Tags: []string{"team:mail"},
		Settings: map[string]any{"x": true},
	}
	theirs := cloudflaretest.Record{ID: "token", Type: "TXT", Name: "example.com", Content: `google-site=x" "y`, TTL: 1, Comment: "SEO", Tags: []string{"seo"}}
	w.Add(z.ID, ours)
	w.Add(z.ID, theirs)
	sent := w.bodies(t)
	before := w.at(t, "@", "TXT")
	after := before.Hold(append(slices.DeleteFunc(slices.Clone(before.Values), func(v records.Value) bool { return v == "v=spf1 -all" }), "v=spf1 ~all")...)
	after.TTL = records.AutoTTL
	after.TTLs = map[records.Value]records.TTL{"v=spf1 ~all": 300}
	if err := w.client.Transact(t.Context(), zone, []records.Change{change(before, after)}); err != nil {
		t.Fatal(err)
	}
	if want := []string{`{"patches":[{"id":"spf","type":"TXT","name":"example.com","ttl":300,"content":"\"v=spf1 ~all\""}]}`}; !slices.Equal(*sent, want) {
		t.Errorf("sent %q, want %q", *sent, want)
	}
	ours.Content, ours.TTL = `"v=spf1 ~all"`, 300
	if diff := cmp.Diff([]cloudflaretest.Record{ours, theirs}, w.Records(z.ID)); diff != "" {
		t.Error(diff)
	}
}

// TestBatch: what each kind of change sends.
func TestBatch(t *testing.T) {
	t.Parallel()
	mx := func(values ...records.Value) records.RRset { return set("@", "MX", 300, values...) }
	txt := func(ttl records.TTL, values ...records.Value) records.RRset { return set("a", "TXT", ttl, values...) }
	cases := []struct {
		name          string
		before, after []records.RRset
		want          string // ids are those of the values
	}{
		{"nothing", []records.RRset{mx("10 a.example")}, []records.RRset{mx("10 a.example")}, ``},
		{"null MX", []records.RRset{mx()}, []records.RRset{mx(records.NullMX)}, `{"posts":[{"type":"MX","name":"example.com","ttl":300,"content":".","priority":0}]}`},
		{"to preference 0", []records.RRset{mx("10 a.example")}, []records.RRset{mx("0 a.example")}, `{"patches":[{"id":"10 a.example","type":"MX","name":"example.com","ttl":300,"content":"a.example","priority":0}]}`},
		{"preferences change", []records.RRset{mx("10 a.example", "20 b.example")}, []records.RRset{mx("10 b.example", "20 a.example")},
			`{"patches":[{"id":"20 b.example","type":"MX","name":"example.com","ttl":300,"content":"b.example","priority":10},{"id":"10 a.example","type":"MX","name":"example.com","ttl":300,"content":"a.example","priority":20}]}`},
		{"two SPF records become one", []records.RRset{txt(300, "v=spf1 -all", "v=spf1 ~all", "x")}, []records.RRset{txt(300, "v=spf1 ?all", "x")},
			`{"deletes":[{"id":"v=spf1 ~all"}],"patches":[{"id":"v=spf1 -all","type":"TXT","name":"a.example.com","ttl":300,"content":"\"v=spf1 ?all\""}]}`},
		{"a stranger's record is not taken over", []records.RRset{txt(300, "token=1", "x=1")}, []records.RRset{txt(300, "v=spf1 -all", "x=1")},
			`{"deletes":[{"id":"token=1"}],"posts":[{"type":"TXT","name":"a.example.com","ttl":300,"content":"\"v=spf1 -all\""}]}`},
		{"a set of one is", []records.RRset{txt(300, "k=rsa; p=1")}, []records.RRset{txt(300, "v=DKIM1; p=2")},
			`{"patches":[{"id":"k=rsa; p=1","type":"TXT","name":"a.example.com","ttl":300,"content":"\"v=DKIM1; p=2\""}]}`},
		{"TTL alone leaves the content out", []records.RRset{txt(3600, "x", "y")}, []records.RRset{txt(records.AutoTTL, "x", "y")},
			`{"patches":[{"id":"x","type":"TXT","name":"a.example.com","ttl":1},{"id":"y","type":"TXT","name":"a.example.com","ttl":1}]}`},
		{"TXT to CNAME", []records.RRset{txt(300, "x"), set("a", "CNAME", 300)}, []records.RRset{txt(300), set("a", "CNAME", 300, "b.example")},
			`{"deletes":[{"id":"x"}],"posts":[{"type":"CNAME","name":"a.example.com","ttl":300,"content":"b.example"}]}`},
		{"chunks and bytes", []records.RRset{txt(300)}, []records.RRset{txt(300, "\"\xff"+records.Value(strings.Repeat("x", 255)))},
			`{"posts":[{"type":"TXT","name":"a.example.com","ttl":300,"content":"\"\\\"\\255` + strings.Repeat("x", 253) + `\" \"xx\""}]}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			z := w.AddZone(cloudflaretest.Zone{Name: zone})
			var changes []records.Change
			for i, s := range c.before {
				seed(t, w, z.ID, s)
				changes = append(changes, change(s, c.after[i]))
			}
			sent := w.bodies(t)
			if err := w.client.Transact(t.Context(), zone, changes); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(*sent, "\n"); got != c.want {
				t.Errorf("sent %s\nwant %s", got, c.want)
			}
		})
	}
}

// seed puts a set into the zone whose records have their values as ids.
func seed(t testing.TB, w *world, zoneID string, s records.RRset) {
	t.Helper()
	for _, v := range s.Values {
		r := cloudflaretest.Record{ID: string(v), Type: string(s.Type), Name: string(s.Name), Content: string(v), TTL: int(s.TTL)}
		switch s.Type {
		case "TXT":
			r.Content = `"` + r.Content + `"`
		case "MX":
			var p int
			if _, err := fmt.Sscanf(r.Content, "%d %s", &p, &r.Content); err != nil {
				t.Fatal(err)
			}
			r.Priority = &p
		}
		w.Add(zoneID, r)
	}
}

// TestTypes: every type of the table is written in the form that the API takes,
// and read back as it was written.
func TestTypes(t *testing.T) {
	t.Parallel()
	for _, s := range []records.RRset{
		set("a", "A", 300, "192.0.2.1"), set("a", "AAAA", 300, "2001:db8::1"), set("a", "CAA", 300, `0 iodef "mailto:a@example.net"`, `128 issue ";"`),
		set("c", "CNAME", 300, "example.net"), set("d", "NS", 300, "ns.example.net"), set("d", "DS", 300, "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118"),
		set("a", "HTTPS", 300, `1 . alpn="h2,h3" ipv4hint="192.0.2.1"`), set("a", "SVCB", 300, "0 b.example."), set("a", "PTR", 300, "b.example"),
		set("a", "SMIMEA", 300, "3 0 0 abcd"), set("_sip._tcp", "SRV", 300, "10 0 5060 sip.example.net", "0 0 0 ."), set("a", "SSHFP", 300, "4 2 123456789abcdef67890"),
		set("_25._tcp", "TLSA", 300, "3 1 1 0123"), set("a", "MX", 300, "65535 a.example"), set("*.w", "TXT", 86400, "x"),
	} {
		w := newWorld(t)
		w.AddZone(cloudflaretest.Zone{Name: zone})
		if err := w.client.Transact(t.Context(), zone, []records.Change{change(none(s), s)}); err != nil {
			t.Errorf("%s: %v", s.Key, err)
			continue
		}
		z := w.read(t)
		if got, _ := z.Set(s.Key); !got.Equal(s) || z.Len() != 1 {
			t.Errorf("%+v was read back as %v", s, z.Sets())
		}
	}
	w := newWorld(t)
	w.AddZone(cloudflaretest.Zone{Name: zone})
	for _, s := range []records.RRset{set("a", "LOC", 300, "51 30 12 N 0 7 39 W 0m"), set("a", "MX", 300, "a.example"), set("a", "TLSA", 300, "3 1"), set("a", "SRV", 300, "1 2 70000 a")} {
		if err := w.client.Transact(t.Context(), zone, []records.Change{change(none(s), s)}); err == nil || !strings.Contains(err.Error(), s.Key.String()) {
			t.Errorf("%s: error %v", s.Key, err)
		}
	}
}

// TestTwice: a value that the host holds twice is one value; both records go,
// and one of them is taken over.
func TestTwice(t *testing.T) {
	t.Parallel()
	for _, after := range []records.RRset{set("a", "TXT", 300), set("a", "TXT", 300, "y"), set("a", "TXT", 60, "x")} {
		w := newWorld(t)
		z := w.AddZone(cloudflaretest.Zone{Name: zone})
		for _, content := range []string{`"x"`, `"" "x"`} {
			w.Add(z.ID, cloudflaretest.Record{Type: "TXT", Name: "a.example.com", Content: content, TTL: 300})
		}
		before := set("a", "TXT", 300, "x")
		if err := w.client.Transact(t.Context(), zone, []records.Change{change(before, after)}); err != nil {
			t.Fatal(err)
		}
		if got := w.at(t, "a", "TXT"); got.MixedTTL || len(got.Values) != len(after.Values) || len(after.Values) > 0 && !got.Equal(after) {
			t.Errorf("%+v, want %+v", got, after)
		}
	}
}

// ending is how a write ends.
type ending string

const (
	done    ending = "done"
	stale   ending = "stale"   // nothing was written, by a *records.StaleError
	refused ending = "refused" // nothing was written, by another error
)

func endingOf(err error) ending {
	var s *records.StaleError
	switch {
	case err == nil:
		return done
	case errors.As(err, &s):
		return stale
	default:
		return refused
	}
}

// TestEditBeforeWrite: what somebody does to a record after it was read and
// before it is written. The window is one request, that of the batch.
func TestEditBeforeWrite(t *testing.T) {
	t.Parallel()
	x, y, z := set("a", "TXT", 300, "v=1"), set("a", "TXT", 300, "v=2"), set("a", "TXT", 300, "v=3")
	cases := []struct {
		name   string
		pause  time.Duration // between reading and writing
		before records.RRset
		edit   func(t *testing.T, w *world, id string)
		ends   ending
		want   []records.Value
	}{
		{"none", 0, x, func(*testing.T, *world, string) {}, done, y.Values},
		{"a touched record goes", 0, x, put(none(x)), stale, nil},
		{"it is made anew", 0, x, put(z), stale, z.Values},
		{"a new one appears", 0, none(x), put(y), stale, y.Values},
		{"a CNAME takes the name", 0, none(x), put(set("a", "CNAME", 300, "b.example")), refused, nil},
		{"a value joins: the reading after the write tells", 0, x, join("theirs"), done, []records.Value{"theirs", "v=2"}},
		{"the listing is old: it is edited", time.Minute, x, put(z), stale, z.Values},
		{"the listing is old: a value joins", time.Minute, x, join("theirs"), stale, []records.Value{"theirs", "v=1"}},
		{"the listing is old: another record is edited", time.Minute, x, put(set("b", "TXT", 300, "x")), done, y.Values},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.AddZone(cloudflaretest.Zone{Name: zone}).ID
			if len(c.before.Values) > 0 {
				put(c.before)(t, w, id)
			}
			w.read(t)
			w.now = w.now.Add(c.pause)
			if c.pause == 0 {
				w.Around = once(http.MethodPost, "/batch", func() { c.edit(t, w, id) })
			} else {
				c.edit(t, w, id)
			}
			other := set("0", "TXT", 300, "of the same write")
			err := w.client.Transact(t.Context(), zone, []records.Change{change(none(other), other), change(c.before, y)})
			if got := endingOf(err); got != c.ends {
				t.Errorf("%s, want %s; error %v", got, c.ends, err)
			}
			if got := w.at(t, "a", "TXT"); !slices.Equal(got.Values, c.want) {
				t.Errorf("the set holds %q, want %q", got.Values, c.want)
			}
			if got := w.at(t, "0", "TXT"); (len(got.Values) > 0) != (c.ends == done) {
				t.Errorf("of the same write there is %q", got.Values)
			}
		})
	}
}

func put(s records.RRset) func(*testing.T, *world, string) {
	return func(t *testing.T, w *world, id string) {
		t.Helper()
		if err := w.Put(id, s); err != nil {
			t.Fatal(err)
		}
	}
}

func join(text string) func(*testing.T, *world, string) {
	return func(_ *testing.T, w *world, id string) {
		w.Add(id, cloudflaretest.Record{Type: "TXT", Name: "a.example.com", Content: `"` + text + `"`, TTL: 300})
	}
}

// TestSplit: what is too much for one batch of the zone's plan is cut, never
// between the changes of one name, and is written all the same.
func TestSplit(t *testing.T) {
	t.Parallel()
	var changes []records.Change
	for i := range 150 {
		for _, s := range []records.RRset{set(fmt.Sprintf("n%03d", i), "TXT", 300, "a=1", "b=1"), set(fmt.Sprintf("n%03d", i), "MX", 300, "10 a.example")} {
			changes = append(changes, change(none(s), s))
		}
	}
	for plan, want := range map[string]int{"free": 3, "pro": 1} {
		w := newWorld(t)
		w.AddZone(cloudflaretest.Zone{Name: zone, Plan: plan})
		client := w.client.InZone(zone, "")
		if _, err := client.ReadZone(t.Context(), zone); err != nil {
			t.Fatal(err)
		}
		parts := client.Split(changes)
		if len(parts) != want {
			t.Errorf("%s: %d parts, want %d", plan, len(parts), want)
		}
		last := map[records.Name]int{}
		for i, part := range parts {
			for _, c := range part {
				if at, seen := last[c.Name]; seen && at != i {
					t.Errorf("%s is in the parts %d and %d", c.Name, at, i)
				}
				last[c.Name] = i
			}
			if err := client.Transact(t.Context(), zone, part); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.read(t).Len(); got != 300 {
			t.Errorf("%s: %d sets", plan, got)
		}
	}
	w := newWorld(t)
	if got := w.client.InZone(zone, "").Split(changes[:100]); len(got) != 1 || len(got[0]) != 100 {
		t.Errorf("%d parts", len(got))
	}
}

func TestSecondary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.AddZone(cloudflaretest.Zone{Name: zone, Type: "secondary"})
	s := set("a", "TXT", 300, "x")
	if err := w.client.Transact(t.Context(), zone, []records.Change{change(none(s), s)}); err == nil || !strings.Contains(err.Error(), "write it there") {
		t.Errorf("error %v", err)
	}
}

// TestCNAMEAtTheApex: Cloudflare flattens it, so records may join it.
func TestCNAMEAtTheApex(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	z := w.AddZone(cloudflaretest.Zone{Name: zone})
	w.Add(z.ID, cloudflaretest.Record{Type: "CNAME", Name: "example.com", Content: "site.example.net", TTL: 1, Proxied: true})
	s := set("@", "TXT", 300, "v=spf1 -all")
	if err := w.client.Transact(t.Context(), zone, []records.Change{change(none(s), s)}); err != nil {
		t.Error(err)
	}
}

// TestProperty3ForeignRecordsSurvive: whatever is written, a record that isn't
// ours keeps everything that it has, and one of ours that stays keeps its id and
// comment.
func TestProperty3ForeignRecordsSurvive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		z := w.AddZone(cloudflaretest.Zone{Name: zone})
		ours := drawValues(t, "ours", "ours=")
		foreign := drawValues(t, "foreign", "theirs=")
		kept := map[string]cloudflaretest.Record{}
		ttls := []int{1, 60, 300, 3600}
		for i, v := range slices.Concat(ours, foreign) {
			r := cloudflaretest.Record{
				Type: "TXT", Name: "example.com", Content: quoted(v), TTL: rapid.SampledFrom(ttls).Draw(t, "ttl"),
				Comment: fmt.Sprintf("comment %d", i), Tags: []string{fmt.Sprintf("tag:%d", i)},
			}
			r.ID = w.Add(z.ID, r)
			if i >= len(ours) {
				kept[r.ID] = r
			}
		}
		live, _ := w.read(t).Set(records.Key{Name: zone, Type: "TXT"})
		isOurs := func(v records.Value) bool { return slices.Contains(ours, v) }
		before := live.Focus(isOurs)
		wanted := drawValues(t, "wanted", "ours=")
		after := before.Hold(slices.Concat(foreign, wanted)...)
		after.TTL = rapid.SampledFrom([]records.TTL{60, 300, records.AutoTTL}).Draw(t, "new ttl")
		for _, v := range foreign {
			if after.TTLs == nil {
				after.TTLs = map[records.Value]records.TTL{}
			}
			after.TTLs[v] = before.TTLOf(v)
		}
		for _, v := range wanted {
			delete(after.TTLs, v)
		}
		after.Key, before.Key = records.Key{Name: zone, Type: "TXT"}, records.Key{Name: zone, Type: "TXT"}
		if err := w.client.Transact(t.Context(), zone, []records.Change{change(before, after)}); err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, r := range w.Records(z.ID) {
			if was, ok := kept[r.ID]; ok {
				left++
				if diff := cmp.Diff(was, r); diff != "" {
					t.Errorf("a foreign record changed: %s", diff)
				}
			}
		}
		if left != len(kept) {
			t.Errorf("%d of %d foreign records are left", left, len(kept))
		}
		if got, _ := w.read(t).Set(after.Key); len(after.Values)+len(got.Values) > 0 && !got.Equal(after) {
			t.Errorf("the set is %+v, want %+v", got, after)
		}
	})
}

func quoted(v records.Value) string { return records.MasterData(records.TypeTXT, v) }

func drawValues(t *rapid.T, label, prefix string) []records.Value {
	texts := rapid.SliceOfNDistinct(rapid.StringOfN(rapid.SampledFrom([]rune("ab\"\\; é\t")), 0, 6, -1), 0, 4, rapid.ID).Draw(t, label)
	var out []records.Value
	for _, text := range texts {
		out = append(out, records.Value(prefix+text))
	}
	return out
}

// TestOneByOne: the verbs of libdns that write are refused; its reading verb
// gives what ReadZone does.
func TestOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	z := w.AddZone(cloudflaretest.Zone{Name: zone})
	put(set("a", "TXT", 300, "x"))(t, w, z.ID)
	recs, err := w.client.GetRecords(t.Context(), "example.com.")
	if err != nil || len(recs) != 1 || recs[0].RR().Data != "x" || recs[0].RR().Name != "a" {
		t.Errorf("%v, %v", recs, err)
	}
	_, err1 := w.client.AppendRecords(t.Context(), "example.com.", recs)
	_, err2 := w.client.SetRecords(t.Context(), "example.com.", recs)
	_, err3 := w.client.DeleteRecords(t.Context(), "example.com.", recs)
	if err1 == nil || err2 == nil || err3 == nil || len(w.Records(z.ID)) != 1 {
		t.Error("a verb of libdns wrote something")
	}
}
