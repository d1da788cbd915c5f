package provider

import (
	"fmt"
	"net/url"

	"github.com/attunelogic/maildns/provider/cloudflare"
	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/records"
)

// cloudflareLimits are those of the free plan, which all plans admit. 4 a second
// is 1,200 requests in 5 minutes, the budget of a user or account token.
var cloudflareLimits = Limits{
	Transactional: true, PerValueTTL: true, ReplacesSets: false,
	MinTTL: 60, AutoTTL: true, MaxTXT: 4096, MaxSet: 8192, MaxBatch: 200,
	Types: []records.Type{
		"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "PTR", "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "TXT",
	},
	Requests: Rate{PerSecond: 4, Burst: 1200},
}

// cloudflareClient is a client that Host can bind to a zone.
type cloudflareClient struct{ *cloudflare.Client }

// InZone binds the client to a zone.
func (c cloudflareClient) InZone(zone records.Name, id string) Client {
	return cloudflareClient{c.Client.InZone(zone, id)}
}

func openCloudflare(v Values, o Options) (Client, error) {
	base, err := url.Parse(cloudflare.BaseURL)
	if err != nil {
		return nil, err
	}
	token := v.Text("api_token")
	t := &httpapi.Transport{
		API: base, JSON: true, Secrets: []string{token}, Tell: o.Tell, Outside: o.Outside,
		Pacer: httpapi.NewPacer(cloudflareLimits.Requests.PerSecond, cloudflareLimits.Requests.Burst, o.RateShare),
	}
	if o.Env != nil && o.Env("MAILDNS_CLOUDFLARE_ENDPOINT") != "" {
		if t.Endpoint, err = httpapi.Endpoint(o.Env("MAILDNS_CLOUDFLARE_ENDPOINT")); err != nil {
			return nil, fmt.Errorf("MAILDNS_CLOUDFLARE_ENDPOINT: %w", err)
		}
	}
	return cloudflareClient{cloudflare.New(token, t)}, nil
}
