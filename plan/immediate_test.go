package plan_test

import (
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// TestImmediate proves which changes need no lowering of the TTL before them:
// those that can't make mail fare worse than the old value in a cache does.
func TestImmediate(t *testing.T) {
	t.Parallel()
	const (
		good   records.Value = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
		other  records.Value = "v=DKIM1; k=ed25519; p=PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
		revoke records.Value = "v=DKIM1; p="
	)
	type values = []records.Value
	for _, c := range []struct {
		name          string
		kind          records.Kind
		typ           records.Type
		before, after values
		want          bool
	}{
		{"a new record", records.KindSPF, "TXT", nil, values{"v=spf1 a ~all"}, true},
		{"nothing", records.KindSPF, "TXT", values{"v=spf1 a ~all"}, values{"v=spf1 a ~all"}, true},
		{"a value beside others", records.KindMX, "MX", values{"10 a.example"}, values{"10 a.example", "20 b.example"}, true},
		{"a value in the place of another", records.KindRecord, "TXT", values{"a"}, values{"b"}, false},
		{"a value that goes", records.KindRecord, "TXT", values{"a", "b"}, values{"b"}, false},
		{"a set that goes", records.KindRecord, "TXT", values{"a"}, nil, false},
		{"another preference", records.KindMX, "MX", values{"10 a.example"}, values{"20 a.example"}, false},
		{"a host after a null MX", records.KindMX, "MX", values{"0 ."}, values{"20 a.example"}, false},
		{"an unusable MX goes", records.KindMX, "MX", values{"10 a.example", "junk"}, values{"10 a.example"}, true},
		{"a good MX goes with an unusable one", records.KindMX, "MX", values{"10 a.example", "junk"}, values{"10 b.example"}, false},

		{"SPF wider", records.KindSPF, "TXT", values{"v=spf1 a ~all"}, values{"v=spf1 a mx ~all"}, true},
		{"SPF in another order", records.KindSPF, "TXT", values{"v=spf1 a mx ~all"}, values{"v=spf1 mx a ~all"}, true},
		{"SPF narrower", records.KindSPF, "TXT", values{"v=spf1 a mx ~all"}, values{"v=spf1 a ~all"}, false},
		{"SPF swapped", records.KindSPF, "TXT", values{"v=spf1 a ~all"}, values{"v=spf1 mx ~all"}, false},
		{"SPF stricter qualifier", records.KindSPF, "TXT", values{"v=spf1 a ~all"}, values{"v=spf1 ~a ~all"}, false},
		{"SPF softer qualifier", records.KindSPF, "TXT", values{"v=spf1 ~a ~all"}, values{"v=spf1 a ~all"}, true},
		{"SPF harder end", records.KindSPF, "TXT", values{"v=spf1 a ~all"}, values{"v=spf1 a -all"}, false},
		{"SPF softer end", records.KindSPF, "TXT", values{"v=spf1 a -all"}, values{"v=spf1 a ~all"}, true},
		{"SPF without an end is neutral", records.KindSPF, "TXT", values{"v=spf1 a ?all"}, values{"v=spf1 a"}, true},
		{"SPF loses +all", records.KindSPF, "TXT", values{"v=spf1 +all"}, values{"v=spf1 a ~all"}, false},
		{"SPF with a new mechanism that fails", records.KindSPF, "TXT", values{"v=spf1 a ~all"}, values{"v=spf1 -ip4:192.0.2.1 a ~all"}, false},
		{"SPF with a redirect in the place of its end", records.KindSPF, "TXT", values{"v=spf1 a ~all"}, values{"v=spf1 a redirect=x.example"}, false},
		{"SPF with a redirect in the place of -all", records.KindSPF, "TXT", values{"v=spf1 a -all"}, values{"v=spf1 a redirect=x.example"}, true},
		{"SPF with the same redirect", records.KindSPF, "TXT", values{"v=spf1 redirect=x.example"}, values{"v=spf1 a redirect=x.example"}, true},
		{"SPF with another redirect", records.KindSPF, "TXT", values{"v=spf1 redirect=x.example"}, values{"v=spf1 include:x.example redirect=y.example"}, false},
		{"SPF with an end in the place of a redirect", records.KindSPF, "TXT", values{"v=spf1 redirect=x.example"}, values{"v=spf1 include:x.example ~all"}, false},
		{"SPF with a neutral end in the place of a redirect", records.KindSPF, "TXT", values{"v=spf1 redirect=x.example"}, values{"v=spf1 include:x.example ?all"}, true},
		{"two SPF records become one", records.KindSPF, "TXT", values{"v=spf1 a ~all", "v=spf1 mx -all"}, values{"v=spf1 a -all"}, true},
		{"SPF beside a text that begins like it", records.KindSPF, "TXT", values{"v=spf1 a ~all", "v=spf10 x"}, values{"v=spf1 mx ~all"}, false},
		{"a broken SPF record", records.KindSPF, "TXT", values{"v=spf1 ip4:1.2.3 ~all"}, values{"v=spf1 -all"}, true},
		{"a broken SPF record goes", records.KindSPF, "TXT", values{"v=spf1 ip4:1.2.3 ~all"}, nil, false},

		{"DMARC stricter", records.KindDMARC, "TXT", values{"v=DMARC1; p=none"}, values{"v=DMARC1; p=quarantine"}, false},
		{"DMARC looser", records.KindDMARC, "TXT", values{"v=DMARC1; p=reject"}, values{"v=DMARC1; p=none"}, true},
		{"DMARC looser for p, stricter for sp", records.KindDMARC, "TXT", values{"v=DMARC1; p=reject; sp=none"}, values{"v=DMARC1; p=none; sp=reject"}, false},
		{"DMARC looser, alignment stricter", records.KindDMARC, "TXT", values{"v=DMARC1; p=reject"}, values{"v=DMARC1; p=none; adkim=s"}, false},
		{"DMARC alignment looser", records.KindDMARC, "TXT", values{"v=DMARC1; p=reject; adkim=s"}, values{"v=DMARC1; p=reject; adkim=r"}, true},
		{"DMARC alignment looser and stricter", records.KindDMARC, "TXT", values{"v=DMARC1; p=reject; adkim=s"}, values{"v=DMARC1; p=reject; aspf=s"}, false},
		{"DMARC reports elsewhere", records.KindDMARC, "TXT", values{"v=DMARC1; p=none; rua=mailto:a@a.example"}, values{"v=DMARC1; p=none; rua=mailto:b@a.example"}, false},
		{"DMARC looser beside a text", records.KindDMARC, "TXT", values{"v=DMARC1; p=reject", "x"}, values{"v=DMARC1; p=none"}, true},
		{"DMARC stricter beside a text", records.KindDMARC, "TXT", values{"v=DMARC1; p=none", "x"}, values{"v=DMARC1; p=reject"}, false},
		{"a policy goes", records.KindDMARC, "TXT", values{"v=DMARC1; p=reject"}, nil, true},
		{"a record without effect goes", records.KindDMARC, "TXT", values{"v=DMARC1; p=none"}, nil, false},
		{"an authorisation for reports goes", records.KindDMARC, "TXT", values{"v=DMARC1"}, nil, false},
		{"two DMARC records become one", records.KindDMARC, "TXT", values{"v=DMARC1; p=none", "v=DMARC1; p=reject"}, values{"v=DMARC1; p=reject"}, true},
		{"a DMARC record with an invalid policy", records.KindDMARC, "TXT", values{"v=DMARC1; p=block"}, values{"v=DMARC1; p=none"}, true},
		{"a DMARC record with an invalid destination", records.KindDMARC, "TXT", values{"v=DMARC1; p=none; rua=x"}, values{"v=DMARC1; p=none"}, false},

		{"a key in the place of another", records.KindDKIM, "TXT", values{good}, values{other}, false},
		{"a key is revoked", records.KindDKIM, "TXT", values{good}, values{revoke}, false},
		{"a key after a revoked one", records.KindDKIM, "TXT", values{revoke}, values{good}, true},
		{"a key after what is none", records.KindDKIM, "TXT", values{"junk"}, values{good}, true},
		{"one of two keys at a selector", records.KindDKIM, "TXT", values{good, other}, values{good}, true},
		{"an alias elsewhere", records.KindDKIM, "CNAME", values{"a.example.net"}, values{"b.example.net"}, false},
		{"an address elsewhere", records.KindMTASTS, "A", values{"192.0.2.1"}, values{"192.0.2.2"}, false},
		{"an id after a broken one", records.KindMTASTS, "TXT", values{"v=STSv1; id=2026-11-24"}, values{"v=STSv1; id=1"}, true},
		{"an id after another", records.KindMTASTS, "TXT", values{"v=STSv1; id=2"}, values{"v=STSv1; id=1"}, false},
	} {
		if got := plan.Immediate(c.kind, c.typ, c.before, c.after); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}
