package vendors

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/attunelogic/maildns/records"
)

// GoogleURL is where the API of Google Cloud DNS is.
const GoogleURL = "https://dns.googleapis.com/dns/v1"

// googleScope is what a token is asked for: reading and writing of Cloud DNS.
const googleScope = "https://www.googleapis.com/auth/ndev.clouddns.readwrite"

// Google returns the public zones of a project at Google Cloud DNS, through
// its API (https://cloud.google.com/dns/docs/reference/rest/v1). One change is
// one transaction, and its deletions must state exactly what there is.
func Google(client Doer, url, project string, tokens Tokens) Atomic {
	return newAtomic(&googleDNS{
		endpoint: endpoint{
			url: url + pathOf("projects", project), http: client, sign: tokens.sign,
			refusal: "Google refuses these credentials: the account needs the role DNS Administrator (roles/dns.admin) on the project or on the zone, or DNS Reader for plan",
		},
		project: project,
	})
}

type googleDNS struct {
	endpoint
	project string

	mu    sync.Mutex
	zones map[records.Name]string // their names in the project
}

type googleSet struct {
	Name          string      `json:"name"`
	Type          string      `json:"type"`
	TTL           records.TTL `json:"ttl"`
	Rrdatas       []string    `json:"rrdatas,omitempty"`
	RoutingPolicy any         `json:"routingPolicy,omitempty"`
}

// zonePath finds the public zone of that name; the private ones are for
// networks inside Google Cloud.
func (g *googleDNS) zonePath(ctx context.Context, zone records.Name) (string, error) {
	g.mu.Lock()
	name, ok := g.zones[zone]
	g.mu.Unlock()
	if ok {
		return pathOf("managedZones", name), nil
	}
	var answer struct {
		ManagedZones []struct {
			Name       string `json:"name"`
			DNSName    string `json:"dnsName"`
			Visibility string `json:"visibility"`
		} `json:"managedZones"`
	}
	if _, err := g.call(ctx, http.MethodGet, "/managedZones?dnsName="+url.QueryEscape(string(zone)+"."), nil, &answer); err != nil {
		return "", err
	}
	var public []string
	for _, z := range answer.ManagedZones {
		if z.Visibility != "private" && records.CanonicalName(z.DNSName) == zone {
			public = append(public, z.Name)
		}
	}
	switch len(public) {
	case 0:
		return "", noZone(zone, "a public zone of the project "+g.project)
	case 1:
	default:
		return "", fmt.Errorf("the project %s has %d public zones named %s (%s): delete those that no server is delegated to", g.project, len(public), zone, strings.Join(public, ", "))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.zones == nil {
		g.zones = map[records.Name]string{}
	}
	g.zones[zone] = public[0]
	return pathOf("managedZones", public[0]), nil
}

func (g *googleDNS) read(ctx context.Context, zone records.Name) (content, error) {
	path, err := g.zonePath(ctx, zone)
	if err != nil {
		return content{}, err
	}
	var c content
	for token, more := "", true; more; {
		var page struct {
			Rrsets        []googleSet `json:"rrsets"`
			NextPageToken string      `json:"nextPageToken"`
		}
		if _, err := g.call(ctx, http.MethodGet, path+"/rrsets?maxResults=1000&pageToken="+url.QueryEscape(token), nil, &page); err != nil {
			return content{}, err
		}
		for _, s := range page.Rrsets {
			got := s.read()
			if got.key.Type == "SOA" && len(got.records) == 1 {
				c.negative = negativeTTL(got.records[0].text, got.ttl)
			}
			c.sets = append(c.sets, got)
		}
		if more = page.NextPageToken != ""; more && page.NextPageToken == token {
			return content{}, errSamePage
		}
		token = page.NextPageToken
	}
	return c, nil
}

func (s googleSet) read() set {
	out := set{
		key: records.Key{Name: records.CanonicalName(s.Name), Type: records.Type(s.Type)},
		ttl: s.TTL, records: fromTexts(s.Rrdatas),
	}
	if s.RoutingPolicy != nil {
		out.fixed = "a routing policy answers differently by place, weight or health: change it at Google"
		if len(out.records) == 0 {
			out.records = fromTexts([]string{`"routing policy"`}) // so that it counts as present
		}
	}
	return out
}

// write makes one change of all edits. Google refuses it as a whole where a set
// that it deletes isn't exactly as stated, or where one that it adds is there.
func (g *googleDNS) write(ctx context.Context, zone records.Name, edits []edit) error {
	path, err := g.zonePath(ctx, zone)
	if err != nil {
		return err
	}
	var body struct {
		Additions []googleSet `json:"additions,omitempty"`
		Deletions []googleSet `json:"deletions,omitempty"`
	}
	for _, e := range edits {
		if len(e.old.records) > 0 {
			body.Deletions = append(body.Deletions, googleSetOf(e.old))
		}
		if len(e.new.records) > 0 {
			body.Additions = append(body.Additions, googleSetOf(e.new))
		}
	}
	_, err = g.call(ctx, http.MethodPost, path+"/changes", body, nil)
	switch statusOf(err) {
	case http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed:
		// A set to delete is gone, one to add is there, or one isn't as stated.
		return g.overtaken(ctx, zone, edits, err)
	}
	return putOff(err)
}

// overtaken says which set is no longer as it was read, if one is.
func (g *googleDNS) overtaken(ctx context.Context, zone records.Name, edits []edit, refusal error) error {
	if statusOf(refusal) == http.StatusNotFound {
		g.mu.Lock()
		delete(g.zones, zone) // it may have been made anew
		g.mu.Unlock()
	}
	now, err := g.read(ctx, zone)
	if err != nil {
		return refusal
	}
	seen := now.zone(zone)
	for _, e := range edits {
		if err := seen.Check([]records.Change{{Key: e.old.key, Before: ptr(e.old.canonical(zone))}}); err != nil {
			return fmt.Errorf("%w: %w", err, refusal)
		}
	}
	return refusal
}

func ptr(s records.RRset) *records.RRset {
	if len(s.Values) == 0 {
		return nil
	}
	return &s
}

func googleSetOf(s set) googleSet {
	return googleSet{Name: string(s.key.Name) + ".", Type: string(s.key.Type), TTL: s.ttl, Rrdatas: s.texts()}
}

// access asks which of the permissions that plan and apply need are granted.
func (g *googleDNS) access(ctx context.Context, zones []records.Name) ([]string, error) {
	needed := []string{"dns.resourceRecordSets.list", "dns.changes.create", "dns.resourceRecordSets.create", "dns.resourceRecordSets.update", "dns.resourceRecordSets.delete"}
	for _, zone := range zones {
		path, err := g.zonePath(ctx, zone)
		if err != nil {
			return nil, err
		}
		ask := struct {
			Permissions []string `json:"permissions"`
		}{needed}
		answer := ask
		answer.Permissions = nil
		if _, err := g.call(ctx, http.MethodPost, path+":testIamPermissions", ask, &answer); err != nil {
			return nil, err
		}
		if missing := without(needed, answer.Permissions); len(missing) > 0 {
			return nil, fmt.Errorf("the zone %s: these credentials lack %s: grant the role DNS Administrator (roles/dns.admin)", zone, strings.Join(missing, ", "))
		}
	}
	if len(zones) == 0 {
		return nil, nil
	}
	return []string{"the credentials may read and change the record sets"}, nil
}

// Tokens is where a client gets its access tokens from.
type Tokens struct {
	// Source returns a token; it may ask a server.
	Source func(context.Context) (string, error)
}

func (t Tokens) sign(ctx context.Context, req *http.Request, _ []byte) error {
	token, err := t.Source(ctx)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// GoogleTokens returns tokens for credentials in JSON, as Google hands them out
// for a service account or for workload identity federation. Without any it
// looks for Application Default Credentials when the first token is needed:
// the file that GOOGLE_APPLICATION_CREDENTIALS names, those of gcloud, or those
// of the machine. Via fetches them.
func GoogleTokens(credentials []byte, via http.RoundTripper) Tokens {
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: via})
	source := sync.OnceValues(func() (oauth2.TokenSource, error) {
		if len(credentials) == 0 {
			return google.DefaultTokenSource(ctx, googleScope)
		}
		c, err := google.CredentialsFromJSON(ctx, credentials, googleScope)
		if err != nil {
			return nil, errors.New("the credentials are not JSON as Google hands it out for a service account or a workload identity")
		}
		return c.TokenSource, nil
	})
	return Tokens{Source: func(ctx context.Context) (string, error) {
		return bounded(ctx, func() (string, error) {
			tokens, err := source()
			if err != nil {
				return "", fmt.Errorf("finding Google's credentials: %w", err)
			}
			token, err := tokens.Token()
			if err != nil {
				return "", fmt.Errorf("asking Google for a token: %w", err)
			}
			return token.AccessToken, nil
		})
	}}
}

// bounded waits for an answer no longer than the context lasts.
func bounded(ctx context.Context, ask func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		// Nobody else would catch a panic of the library here.
		defer func() {
			if p := recover(); p != nil {
				got <- answer{"", fmt.Errorf("the library for Google's credentials panicked: %v", p)}
			}
		}()
		text, err := ask()
		got <- answer{text, err}
	}()
	select {
	case a := <-got:
		return a.text, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// without returns what of all is not in some, in its order.
func without(all, some []string) (rest []string) {
	for _, a := range all {
		found := false
		for _, s := range some {
			found = found || a == s
		}
		if !found {
			rest = append(rest, a)
		}
	}
	return rest
}
