package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// spec is what a block may hold.
type spec struct {
	kind   string // the block's type
	labels []string
	attrs  []string
	blocks []*spec
	once   bool // at most one of its kind, where it stands
	// open says that any attribute is taken: the block's own code checks them.
	open   bool
	schema *hcl.BodySchema
}

// block describes one kind of block.
func describe(kind string, labels []string, attrs []string, blocks ...*spec) *spec {
	s := &spec{kind: kind, labels: labels, attrs: attrs, blocks: blocks, schema: &hcl.BodySchema{}}
	for _, a := range attrs {
		s.schema.Attributes = append(s.schema.Attributes, hcl.AttributeSchema{Name: a})
	}
	for _, b := range blocks {
		s.schema.Blocks = append(s.schema.Blocks, hcl.BlockHeaderSchema{Type: b.kind, LabelNames: b.labels})
	}
	return s
}

func (s *spec) single() *spec {
	s.once = true
	return s
}

func (s *spec) anyAttribute() *spec {
	s.open = true
	return s
}

func (s *spec) block(kind string) *spec {
	i := slices.IndexFunc(s.blocks, func(b *spec) bool { return b.kind == kind })
	return s.blocks[i]
}

// language is the whole language: the top level and all that may stand in it.
var language = describe("", nil, nil,
	describe("journal", nil, []string{"url"}).single(),
	policySpec,
	describe("variable", []string{"name"}, []string{"default", "description"}),
	describe("locals", nil, nil).anyAttribute(),
	describe("provider", []string{"type", "name"}, nil).anyAttribute(),
	describe("notify", []string{"name"}, []string{"url", "on"}),
	describe("report_source", []string{"type", "name"}, nil).anyAttribute(),
	describe("rollout", []string{"name"}, []string{"canary", "wait", "per_day", "label"}),
	knownSourceSpec,
	domainSpec,
	senderTypeSpec,
)

var policySpec = describe("policy", nil, []string{
	"ttl_max", "ttl_rollback", "ttl_change", "soak", "observe", "clean_window", "min_messages", "max_window",
	"min_reporters", "evidence_lag", "evidence_keep", "propagation", "clean", "max_delete", "rate_share", "trusted_authserv",
}).single()

var knownSourceSpec = describe("known_source", []string{"name"}, []string{"domain", "ip", "as", "reason", "until"})

var domainSpec = describe("domain", []string{"name"},
	[]string{
		"name", "for_each", "provider", "zone", "zone_id", "ttl", "owner", "labels", "people", "state", "parked",
		"null_mx", "accept_reports_for", "protect",
	},
	policySpec,
	describe("review", nil, []string{"last", "every"}).single(),
	describe("mx", nil, []string{"host", "preference", "ttl"}),
	describe("sender", []string{"type"}, nil).anyAttribute(),
	describe("spf", nil, []string{"include", "ip4", "ip6", "a", "mx", "exists", "redirect", "all", "flatten", "ttl"}).single(),
	describe("dkim", []string{"selector"}, []string{"selector", "public_key", "cname", "state", "testing", "services", "notes", "since", "ttl"}),
	describe("dmarc", nil, []string{
		"policy", "subdomain_policy", "nonexistent_subdomain_policy", "adkim", "aspf", "rua", "ruf", "fo", "cadence", "evidence_group", "ttl",
	}, describe("ramp", nil, []string{"steps", "compat"}).single()).single(),
	describe("mta_sts", nil, []string{"mode", "mx", "max_age", "host_cname", "host_a", "host_aaaa", "id", "ttl"}).single(),
	describe("tls_rpt", nil, []string{"rua", "ttl"}).single(),
	describe("bimi", []string{"selector"}, []string{"logo", "evidence", "ttl"}),
	describe("record", []string{"name", "type"}, []string{"name", "values", "ttl"}),
	describe("exception", []string{"rule"}, []string{"reason", "until"}),
	describe("override", []string{"gate"}, []string{"reason", "until"}),
	knownSourceSpec,
)
