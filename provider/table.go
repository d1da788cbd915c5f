package provider

import "github.com/attunelogic/maildns/provider/zonefile"

// Types returns the table of providers, ordered by name. A new host is one
// entry here and an open function.
func Types() []Type {
	return []Type{
		{
			Name:    "cloudflare",
			Summary: "zones at Cloudflare, through its API",
			Attributes: []Attribute{
				{Name: "api_token", Kind: KindString, Required: true, Secret: true, Summary: "a token with Zone:Read and DNS:Edit on the zones"},
			},
			// 4 a second is its 1,200 requests in 5 minutes.
			Limits: Limits{
				Transactional: true, PerValueTTL: true, ReplacesSets: false,
				MinTTL: 60, AutoTTL: true, MaxTXT: 4096, MaxSet: 8192, MaxBatch: 200,
				Requests: Rate{PerSecond: 4, Burst: 1200},
			},
		},
		{
			Name:     "external",
			Summary:  "a zone that someone else writes: plan shows what its owner must publish, instructions prints it",
			ReadOnly: "its owner publishes the records, and this version of maildns can't look at the zone yet",
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
			Limits: Limits{
				Transactional: true, ReplacesSets: true, MaxBatch: 1000,
				Requests: Rate{PerSecond: 10, Burst: 50},
			},
			ZoneIDs: true,
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
