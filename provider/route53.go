package provider

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/attunelogic/maildns/provider/route53"
	"github.com/attunelogic/maildns/records"
)

// route53Limits: a value takes 4,000 characters with its quotation marks, three
// more for each 255. The rate is that of an account.
var route53Limits = Limits{
	Transactional: true, ReplacesSets: true, MaxTXT: 3950, MaxBatch: 1000,
	Types: []records.Type{
		"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT",
	},
	Requests: Rate{PerSecond: 10, Burst: 50},
}

// route53Client gives each zone its own client, over one account.
type route53Client struct{ *route53.Client }

// InZone binds the client to a zone.
func (c route53Client) InZone(zone records.Name, id string) Client { return c.In(zone, id) }

func openRoute53(v Values, o Options) (Client, error) {
	client, err := route53.New(route53Settings(v, o))
	if err != nil {
		return nil, err
	}
	return route53Client{client}, nil
}

func route53Settings(v Values, o Options) route53.Settings {
	rate, share := route53Limits.Requests, o.RateShare
	if share <= 0 || share > 1 {
		share = 1
	}
	s := route53.Settings{
		Profile: v.Text("profile"), Region: v.Text("region"),
		AccessKeyID: v.Text("access_key_id"), SecretKey: v.Text("secret_access_key"), SessionToken: v.Text("session_token"),
		PerSecond: rate.PerSecond * share, Burst: int(float64(rate.Burst) * share),
		Tell: o.Tell, Now: o.Outside.Now, Sleep: o.Outside.Sleep,
	}
	if o.Outside.Via != nil {
		s.Load = append(s.Load, config.WithHTTPClient(&http.Client{Transport: o.Outside.Via}))
	}
	if o.Env != nil {
		s.Endpoint = o.Env("AWS_ENDPOINT_URL_ROUTE_53")
	}
	return s
}
