package provider

import (
	"github.com/attunelogic/maildns/provider/zonefile"
	"github.com/attunelogic/maildns/records"
)

// Types returns the table of providers, ordered by name. A new host is one
// entry here and an open function.
func Types() []Type { //nolint:funlen // a table, a row a host
	return []Type{
		{
			Name:    "azure",
			Summary: "zones at Azure DNS: not reached yet",
			Attributes: []Attribute{
				{Name: "subscription_id", Kind: KindString, Summary: "the subscription"},
				{Name: "resource_group_name", Kind: KindString, Summary: "the resource group of the zones"},
				{Name: "tenant_id", Kind: KindString, Summary: "of the service principal"},
				{Name: "client_id", Kind: KindString, Summary: "of the service principal"},
				{Name: "client_secret", Kind: KindString, Secret: true, Summary: "of the service principal"},
			},
			ReadOnly: "its library for libdns (azure 0.5.0) returns an empty zone where one record is of a type that it doesn't know, keeps one of several MX, and deletes a whole set for one value; so the zone can be neither read nor written faithfully",
		},
		{
			Name:    "cloudflare",
			Summary: "zones at Cloudflare, through its API",
			Attributes: []Attribute{
				{Name: "api_token", Kind: KindString, Required: true, Secret: true, Summary: "a token with Zone:Read and DNS:Edit on the zones"},
			},
			Limits:  cloudflareLimits,
			ZoneIDs: true, // in several accounts
			open:    openCloudflare,
		},
		{
			Name:    "desec",
			Summary: "zones at deSEC, through its API",
			Attributes: []Attribute{
				{Name: "api_token", Kind: KindString, Required: true, Secret: true, Summary: "a token, best with a policy for the record sets of mail"},
			},
			// 50 reads a minute; writes have limits of their own, which the
			// answers tell (300 a day for a zone).
			Limits: Limits{
				Transactional: true, ReplacesSets: true, MinTTL: 3600,
				Requests: Rate{PerSecond: 0.8, Burst: 48},
			},
			open: openDeSEC,
		},
		{
			Name:    "digitalocean",
			Summary: "zones at DigitalOcean: not reached yet",
			Attributes: []Attribute{
				{Name: "api_token", Kind: KindString, Secret: true, Summary: "an access token"},
			},
			ReadOnly: "its library for libdns (digitalocean, June 2025) loses the preference of MX records when it reads and when it writes; so the zone can be neither read nor written faithfully",
		},
		{
			Name:     "external",
			Summary:  "a zone that someone else writes: plan shows what its owner must publish, instructions prints it",
			ReadOnly: "its owner publishes the records, and this version of maildns can't look at the zone yet",
		},
		{
			Name:    "gandi",
			Summary: "zones at Gandi LiveDNS, through its API",
			Attributes: []Attribute{
				{Name: "api_token", Kind: KindString, Required: true, Secret: true, Summary: "a personal access token that may manage the domains' technical configuration"},
			},
			Limits: Limits{ReplacesSets: true, MinTTL: 300, Requests: Rate{PerSecond: 10, Burst: 100}},
			open:   openGandi,
		},
		{
			Name:    "godaddy",
			Summary: "zones at GoDaddy: not reached yet",
			Attributes: []Attribute{
				{Name: "api_token", Kind: KindString, Secret: true, Summary: "key and secret of the API"},
			},
			ReadOnly: "its library for libdns (godaddy 1.1.0) loses the preference of MX records, replaces a whole set for each of its values, and can't be interrupted; so the zone can be neither read nor written faithfully",
		},
		{
			Name:    "googleclouddns",
			Summary: "public zones at Google Cloud DNS, through its API",
			Attributes: []Attribute{
				{Name: "project", Kind: KindString, Required: true, Summary: "the project's id"},
				{Name: "credentials", Kind: KindString, Secret: true, Summary: "JSON of a service account or a workload identity; Application Default Credentials where it is left out"},
			},
			Limits: Limits{
				Transactional: true, ReplacesSets: true, MaxBatch: 1000,
				Requests: Rate{PerSecond: 10, Burst: 100},
			},
			open: openGoogle,
		},
		{
			Name:    "hetzner",
			Summary: "zones at Hetzner, through the API of Hetzner Cloud",
			Attributes: []Attribute{
				{Name: "api_token", Kind: KindString, Required: true, Secret: true, Summary: "a token of the project, with read and write permission"},
			},
			// 3,600 requests an hour.
			Limits: Limits{
				ReplacesSets: true, MinTTL: 60,
				Types: []records.Type{
					records.TypeA, records.TypeAAAA, "CAA", records.TypeCNAME, "DS", "HINFO", "HTTPS", records.TypeMX, records.TypeNS,
					"PTR", "RP", records.TypeSRV, "SVCB", records.TypeTLSA, records.TypeTXT,
				},
				Requests: Rate{PerSecond: 1, Burst: 3600},
			},
			open: openHetzner,
		},
		{
			Name:    "namecheap",
			Summary: "zones at Namecheap: not reached yet",
			Attributes: []Attribute{
				{Name: "api_key", Kind: KindString, Secret: true, Summary: "the API key"},
				{Name: "user", Kind: KindString, Summary: "the API user"},
				{Name: "client_ip", Kind: KindString, Summary: "this machine's address, as listed at Namecheap"},
			},
			ReadOnly: "its API takes the whole zone at every call, and its library for libdns (namecheap 1.0.0) loses the preference of MX records and cuts TTLs above 65535 seconds; so one change could lose records of others",
		},
		{
			Name:    "ovh",
			Summary: "zones at OVHcloud, through its API",
			Attributes: []Attribute{
				{Name: "application_key", Kind: KindString, Required: true, Summary: "names the application"},
				{Name: "application_secret", Kind: KindString, Required: true, Secret: true, Summary: "its secret"},
				{Name: "consumer_key", Kind: KindString, Required: true, Secret: true, Summary: "a key with rules for GET, POST, PUT and DELETE on /domain/zone/ZONE/*"},
				{Name: "region", Kind: KindString, Summary: "eu, ca or us; eu where it is left out"},
			},
			Limits: Limits{ReplacesSets: true, MinTTL: 60, Requests: Rate{PerSecond: 20, Burst: 60}},
			open:   openOVH,
		},
		{
			Name:    "porkbun",
			Summary: "zones at Porkbun: not reached yet",
			Attributes: []Attribute{
				{Name: "api_key", Kind: KindString, Secret: true, Summary: "the API key"},
				{Name: "api_secret_key", Kind: KindString, Secret: true, Summary: "the secret API key"},
			},
			ReadOnly: "its library for libdns (porkbun 1.1.0) leaves MX and NS records out when it reads, and deletes a whole set for one value; so the zone can be neither read nor written faithfully",
		},
		{
			Name:    "powerdns",
			Summary: "a PowerDNS authoritative server, through its HTTP API",
			Attributes: []Attribute{
				{Name: "server_url", Kind: KindString, Required: true, Server: true, Summary: "its address, such as https://dns1.example.net:8081"},
				{Name: "api_token", Kind: KindString, Required: true, Secret: true, Summary: "its api-key"},
				{Name: "server_id", Kind: KindString, Summary: "its name in its own API; localhost where it is left out"},
			},
			Limits: Limits{Transactional: true, ReplacesSets: true},
			open:   openPowerDNS,
		},
		{
			Name:    "rfc2136",
			Summary: "a DNS server that takes dynamic updates (RFC 2136) signed with TSIG and lets the zone be transferred",
			Attributes: []Attribute{
				{Name: "server", Kind: KindString, Required: true, Server: true, Summary: "host:port of the primary server"},
				{Name: "key_name", Kind: KindString, Required: true, Summary: "name of the TSIG key"},
				{Name: "key_alg", Kind: KindString, Summary: "its algorithm; hmac-sha256 where it is left out"},
				{Name: "key", Kind: KindString, Required: true, Secret: true, Summary: "its secret in base64"},
			},
			Limits: Limits{Transactional: true, ReplacesSets: true},
			open:   openRFC2136,
		},
		{
			Name:    "route53",
			Summary: "public hosted zones at Amazon Route 53",
			Attributes: []Attribute{
				{Name: "profile", Kind: KindString, Summary: "profile of the shared AWS configuration"},
				{Name: "region", Kind: KindString, Summary: "AWS region for signing"},
				{Name: "access_key_id", Kind: KindString, Summary: "instead of a profile"},
				{Name: "secret_access_key", Kind: KindString, Secret: true, Summary: "instead of a profile"},
				{Name: "session_token", Kind: KindString, Secret: true, Summary: "instead of a profile"},
			},
			Limits:  route53Limits,
			ZoneIDs: true,
			open:    openRoute53,
		},
		{
			Name:    "zonefile",
			Summary: "zone files in RFC 1035 master format, ZONE.zone below a directory",
			Attributes: []Attribute{
				{Name: "directory", Kind: KindString, Required: true, Path: true, Summary: "where the zone files are"},
				{Name: "reload", Kind: KindList, Summary: "command that runs after a write, without a shell"},
			},
			Limits: Limits{Transactional: true, ReplacesSets: true},
			open:   openZonefile,
		},
	}
}

func openZonefile(v Values, o Options) (Client, error) {
	return &zonefile.Provider{
		Directory:   v.Text("directory"),
		Reload:      v["reload"],
		AllowReload: o.AllowReload,
		Now:         o.Now,
		Disk:        o.Disk,
	}, nil
}
