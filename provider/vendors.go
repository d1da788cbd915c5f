package provider

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/attunelogic/maildns/provider/httpapi"
	"github.com/attunelogic/maildns/provider/vendors"
)

// transport is the way to the API of one provider block: one for all zones,
// since they share the host's budget.
func transport(typeName string, o Options, secrets ...string) *httpapi.Transport {
	t, _ := Lookup(typeName)
	return &httpapi.Transport{
		Pacer:   httpapi.NewPacer(t.Limits.Requests.PerSecond, t.Limits.Requests.Burst, o.RateShare),
		JSON:    true,
		Secrets: secrets,
		Tell:    o.Tell,
		// A set is written as a whole: what somebody has added to it since it
		// was compared would be lost if the write were repeated as it is.
		ReadsOnly: typeName != "ovh", // which writes record by record, by their ids
	}
}

// address is where an API is: the vendor's own address, unless the environment
// says otherwise.
func address(typeName, vendor string, o Options) (string, error) {
	name := "MAILDNS_" + strings.ToUpper(typeName) + "_ENDPOINT"
	if o.Env == nil || o.Env(name) == "" {
		return vendor, nil
	}
	u, err := httpapi.Endpoint(o.Env(name))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return u.String(), nil
}

func openPowerDNS(v Values, o Options) (Client, error) {
	server, err := serverURL(v.Text("server_url"))
	if err != nil {
		return nil, err
	}
	id := "localhost"
	if v.Text("server_id") != "" {
		id = v.Text("server_id")
	}
	key := v.Text("api_token")
	return vendors.PowerDNS(transport("powerdns", o, key), server, id, key), nil
}

// serverURL reads the address of somebody's own server. The key goes there, so
// it leaves the machines of one network by https alone.
func serverURL(text string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	switch {
	case err != nil, u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return "", fmt.Errorf("server_url is no URL such as https://dns1.example.net:8081, without user, query and fragment")
	case u.Scheme == "https", u.Scheme == "http" && isPrivate(u.Hostname()):
		return u.String(), nil
	}
	return "", fmt.Errorf("server_url is %s://%s: use https, since the API key goes there; http is for private addresses such as 127.0.0.1 or 10.0.0.1", u.Scheme, u.Host)
}

// isPrivate judges addresses alone: where a name leads is up to a resolver.
func isPrivate(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.IsLoopback() || ip.IsPrivate())
}

func openDeSEC(v Values, o Options) (Client, error) {
	api, err := address("desec", vendors.DeSECURL, o)
	if err != nil {
		return nil, err
	}
	token := v.Text("api_token")
	return vendors.DeSEC(transport("desec", o, token), api, token), nil
}

func openHetzner(v Values, o Options) (Client, error) {
	api, err := address("hetzner", vendors.HetznerURL, o)
	if err != nil {
		return nil, err
	}
	token := v.Text("api_token")
	return vendors.Hetzner(transport("hetzner", o, token), api, token, nil), nil
}

func openGandi(v Values, o Options) (Client, error) {
	api, err := address("gandi", vendors.GandiURL, o)
	if err != nil {
		return nil, err
	}
	token := v.Text("api_token")
	return vendors.Gandi(transport("gandi", o, token), api, token), nil
}

func openGoogle(v Values, o Options) (Client, error) {
	api, err := address("googleclouddns", vendors.GoogleURL, o)
	if err != nil {
		return nil, err
	}
	credentials := v.Text("credentials")
	tokens := vendors.GoogleTokens([]byte(credentials), transport("", o, credentials))
	return vendors.Google(transport("googleclouddns", o, credentials), api, v.Text("project"), tokens), nil
}

func openOVH(v Values, o Options) (Client, error) {
	urls, region := vendors.OVHURLs(), "eu"
	if v.Text("region") != "" {
		region = v.Text("region")
	}
	if urls[region] == "" {
		return nil, fmt.Errorf("region is %q: OVHcloud has eu, ca and us", region)
	}
	api, err := address("ovh", urls[region], o)
	if err != nil {
		return nil, err
	}
	keys := vendors.OVHKeys{Application: v.Text("application_key"), Secret: v.Text("application_secret"), Consumer: v.Text("consumer_key")}
	return vendors.OVH(transport("ovh", o, keys.Secret, keys.Consumer), api, keys, time.Now), nil
}

var (
	_ zoneReader    = vendors.Atomic{}
	_ transactor    = vendors.Atomic{}
	_ setWriter     = (*vendors.Host)(nil)
	_ accessChecker = (*vendors.Host)(nil)
	_ reloader      = (*vendors.OVHHost)(nil)
)
