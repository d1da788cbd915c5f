package cloudflare_test

import (
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	library "github.com/libdns/cloudflare"
	"github.com/libdns/libdns"
)

// libraryVersion is what this package was written against.
const libraryVersion = "v0.2.2"

// TestLibrary: what this package relies on in libdns/cloudflare, and what it
// makes up for. It fails when the library changes, for better or for worse: then
// read what it does now, mend the shim, and only then raise the version here.
func TestLibrary(t *testing.T) {
	t.Parallel()
	t.Run("version", func(t *testing.T) {
		t.Parallel()
		required, err := os.ReadFile("../../go.mod")
		if err != nil || !strings.Contains(string(required), "\tgithub.com/libdns/cloudflare "+libraryVersion+"\n") &&
			!strings.Contains(string(required), "\tgithub.com/libdns/cloudflare "+libraryVersion+" ") {
			t.Errorf("go.mod doesn't require the library's %s (%v)", libraryVersion, err)
		}
	})
	t.Run("requests", func(t *testing.T) {
		t.Parallel()
		var seen []string
		p := library.Provider{APIToken: "t", HTTPClient: answering(func(req *http.Request) string {
			seen = append(seen, req.Method+" "+req.URL.String()+" "+req.Header.Get("Authorization"))
			return one(`{"type":"A","name":"a.example.com","content":"192.0.2.1","ttl":1}`)
		})}
		if _, err := p.GetRecords(t.Context(), "example.com."); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"GET https://api.cloudflare.com/client/v4/zones?name=example.com. Bearer t",
			"GET https://api.cloudflare.com/client/v4/zones/z/dns_records?page=1&per_page=100 Bearer t",
		}
		if !slices.Equal(seen, want) {
			t.Errorf("requests %q", seen)
		}
	})
	for _, c := range []struct{ name, record, kind, want string }{
		{"TXT loses its outer quotes and nothing else", `{"type":"TXT","name":"a.example.com","content":"\"a\\\"b\" \"c\\255\"","ttl":60}`, "TXT", `a\"b" "c\255`},
		{"TXT without quotes", `{"type":"TXT","name":"a.example.com","content":"a b","ttl":60}`, "TXT", `a b`},
		{"MX", `{"type":"MX","name":"a.example.com","content":"m.example","priority":0,"ttl":60}`, "MX", `0 m.example.`},
		{"null MX", `{"type":"MX","name":"a.example.com","content":".","priority":0,"ttl":60}`, "MX", `0 .`},
		{"CAA", `{"type":"CAA","name":"a.example.com","content":"","ttl":60,"data":{"flags":0,"tag":"issue","value":"x"}}`, "CAA", `0 issue "x"`},
		{"a type that it doesn't know", `{"type":"OPAQUE","name":"a.example.com","content":"x y","ttl":60}`, "OPAQUE", `x y`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			recs, err := read(t, one(c.record))
			if err != nil || len(recs) != 1 || recs[0].RR().Type != c.kind || recs[0].RR().Data != c.want {
				t.Errorf("%v, %v; want %q", recs, err, c.want)
			}
		})
	}
	for name, record := range map[string]string{
		"SRV at an ordinary name": `{"type":"SRV","name":"a.example.com","content":"1 1 a","ttl":60,"data":{"target":"a"}}`,
		"flags in words":          `{"type":"NAPTR","name":"a.example.com","content":"x","ttl":60,"data":{"flags":"S"}}`,
	} {
		t.Run(name+" fail all", func(t *testing.T) {
			t.Parallel()
			if recs, err := read(t, one(record)); err == nil {
				t.Errorf("no error, but %v", recs)
			}
		})
	}
	t.Run("no result_info", func(t *testing.T) {
		t.Parallel()
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = read(t, `{"success":true,"result":[]}`)
	})
}

// one is a page with one record.
func one(record string) string {
	return `{"success":true,"result":[` + record + `],"result_info":{"page":1,"per_page":100,"total_count":1}}`
}

func read(t *testing.T, page string) ([]libdns.Record, error) {
	t.Helper()
	p := library.Provider{HTTPClient: answering(func(*http.Request) string { return page })}
	return p.GetRecords(t.Context(), "example.com.")
}

// answering is an HTTP client that answers the question for the zone, and every
// other as it is told.
type answering func(*http.Request) string

func (a answering) Do(req *http.Request) (*http.Response, error) {
	body := a(req)
	if strings.HasSuffix(req.URL.Path, "/zones") {
		body = `{"success":true,"result":[{"id":"z","name":"example.com"}]}`
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body))}, nil
}
