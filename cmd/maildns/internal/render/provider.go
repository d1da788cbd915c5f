package render

import (
	"github.com/attunelogic/maildns/records"
)

// KindProviderCheck is the kind of document that provider check prints.
const KindProviderCheck = "provider-check"

// ProviderCheck is what the providers of a configuration are good for.
type ProviderCheck struct {
	FormatVersion string            `json:"format_version"`
	Kind          string            `json:"kind"`
	OK            bool              `json:"ok"` // of all providers
	Providers     []CheckedProvider `json:"providers"`
}

// CheckedProvider is one provider block.
type CheckedProvider struct {
	Name    string `json:"name"` // TYPE.NAME
	Summary string `json:"summary"`
	OK      bool   `json:"ok"`
	// Problem says why the host can't be used as the configuration asks for;
	// empty where it can.
	Problem string `json:"problem"`
	// Access is what the host says of the credentials, in sentences.
	Access       []string     `json:"access"`
	Capabilities Capabilities `json:"capabilities"`
	// Zones are those that the configuration has there, by name.
	Zones []CheckedZone `json:"zones"`
}

// Capabilities are what a host can do. A zero stands for no limit beyond those
// of DNS, an empty list of types for all.
type Capabilities struct {
	Writes        bool           `json:"writes"` // this program writes there
	Transactional bool           `json:"transactional"`
	MinTTL        records.TTL    `json:"min_ttl"`
	AutoTTL       bool           `json:"auto_ttl"`
	PerValueTTL   bool           `json:"per_value_ttl"`
	MaxTXT        int            `json:"max_txt"`
	MaxSet        int            `json:"max_set"`
	MaxBatch      int            `json:"max_batch"`
	Types         []records.Type `json:"types"`
	// Requests is the budget: so many a second in the long run, and so many at
	// once; 0: none is known.
	RequestsPerSecond float64 `json:"requests_per_second"`
	RequestsBurst     int     `json:"requests_burst"`
}

// CheckedZone is one zone that was read.
type CheckedZone struct {
	Name    string `json:"name"`
	ID      string `json:"id"` // the configuration's zone_id
	OK      bool   `json:"ok"`
	Problem string `json:"problem"`
	Sets    int    `json:"sets"`  // record sets that it holds
	Fixed   int    `json:"fixed"` // those that can be read but not written
}

func (r ProviderCheck) filled() ProviderCheck {
	r.Providers = each(r.Providers, func(p CheckedProvider) CheckedProvider {
		p.Access, p.Zones, p.Capabilities.Types = some(p.Access), some(p.Zones), some(p.Capabilities.Types)
		return p
	})
	return r
}
