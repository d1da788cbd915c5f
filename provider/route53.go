package provider

import (
	"github.com/attunelogic/maildns/provider/route53"
	"github.com/attunelogic/maildns/records"
)

// route53Client gives each zone its own client, over one account.
type route53Client struct{ *route53.Client }

// InZone binds the client to a zone.
func (c route53Client) InZone(zone records.Name, id string) Client { return c.In(zone, id) }

func openRoute53(v Values, o Options) (Client, error) {
	s := route53Settings(v, o)
	client, err := route53.New(s)
	if err != nil {
		return nil, err
	}
	return route53Client{client}, nil
}

func route53Settings(v Values, o Options) route53.Settings {
	limits, _ := Lookup("route53")
	share := o.RateShare
	if share <= 0 || share > 1 {
		share = 1
	}
	s := route53.Settings{
		Profile: v.Text("profile"), Region: v.Text("region"),
		AccessKeyID: v.Text("access_key_id"), SecretKey: v.Text("secret_access_key"), SessionToken: v.Text("session_token"),
		PerSecond: limits.Limits.Requests.PerSecond * share,
		Burst:     int(float64(limits.Limits.Requests.Burst) * share),
		Tell:      o.Tell,
	}
	if o.Env != nil {
		s.Endpoint = o.Env("AWS_ENDPOINT_URL_ROUTE_53")
	}
	return s
}
