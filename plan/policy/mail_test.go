package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// splitCase is a declaration before Limit.
type splitCase struct {
	live  []string
	owned []string          // then the domain was applied before
	past  func(*plan.State) // further changes of the past
	d     *records.Domain
	open  []string
	want  string
}

func (c splitCase) run(t *testing.T) {
	t.Helper()
	live := zone(t, c.live...)
	state := plan.State{}
	if c.owned != nil {
		state = applied(t, live, c.d, c.owned...)
	}
	if c.past != nil {
		c.past(&state)
	}
	if got := split(policy.Input{Domain: c.d, Live: live, Past: state.Index(), Open: open(c.open...)}); got != c.want {
		t.Errorf("got\n%s\nwant\n%s", got, c.want)
	}
}

func runSplits(t *testing.T, cases map[string]splitCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

func none() []string { return []string{} } // applied before, owning nothing

func TestMX(t *testing.T) {
	t.Parallel()
	live := []string{"@ 3600 MX 10 mx.old.example", "@ 3600 MX 20 mx2.old.example"}
	runSplits(t, map[string]splitCase{
		"a first host": {
			d: domain(declareMX("10 mx.new.example")), want: "today @ MX: 10 mx.new.example",
		},
		"a new host comes, a declared one goes": {
			live: live, owned: []string{"mx @ MX"}, d: domain(declareMX("5 mx.new.example", "10 mx.old.example")),
			want: lines("today @ MX: 5 mx.new.example", "today @ MX: 10 mx.old.example", "today @ MX: 20 mx2.old.example",
				"mx-cutover unknown @ MX: 10 mx.old.example | 5 mx.new.example"),
		},
		"a new host comes, and the gate is open": {
			live: live, owned: []string{"mx @ MX"}, d: domain(declareMX("5 mx.new.example")), open: []string{"mx-cutover"},
			want: lines("today @ MX: 5 mx.new.example", "mx-cutover overridden @ MX: 5 mx.new.example"),
		},
		"at the first apply a host that the configuration forgot stays": {
			live: live, d: domain(declareMX("10 mx.old.example")),
			want: lines("today @ MX: 10 mx.old.example", "today @ MX: 20 mx2.old.example", "adoption held @ MX: 10 mx.old.example"),
		},
		"later as well": {
			live: live, owned: []string{"mx @ MX 10 mx.old.example"}, d: domain(declareMX("10 mx.old.example")),
			past: func(s *plan.State) {
				s.Domains[0].Found = []string{"mx:mx.old.example", "mx:mx2.old.example"}
				s.Domains[0].Declared = []string{"mx:mx.old.example"}
			},
			want: lines("today @ MX: 10 mx.old.example", "today @ MX: 20 mx2.old.example", "adoption held @ MX: 10 mx.old.example"),
		},
		"one forgotten, one withdrawn": {
			live: live, owned: []string{"mx @ MX 10 mx.old.example"}, d: domain(declareMX("1 mx.new.example")),
			past: func(s *plan.State) {
				s.Domains[0].Found = []string{"mx:mx.old.example", "mx:mx2.old.example"}
				s.Domains[0].Declared = []string{"mx:mx.old.example"}
			},
			want: lines("today @ MX: 1 mx.new.example", "today @ MX: 10 mx.old.example", "today @ MX: 20 mx2.old.example",
				"adoption held @ MX: 1 mx.new.example | 10 mx.old.example", "mx-cutover unknown @ MX: 1 mx.new.example | 20 mx2.old.example"),
		},
		"another preference takes no host away": {
			live: live, owned: []string{"mx @ MX"}, d: domain(declareMX("1 mx.old.example", "2 mx2.old.example")),
			want: lines("today @ MX: 1 mx.old.example", "today @ MX: 2 mx2.old.example"),
		},
		"a null MX waits until the last host may go": {
			live: live, owned: []string{"mx @ MX"}, d: domain(nullMX),
			want: lines("today @ MX: 10 mx.old.example", "today @ MX: 20 mx2.old.example", "mx-cutover held @ MX: 0 ."),
		},
		"a null MX with the gate open": {
			live: live, owned: []string{"mx @ MX"}, d: domain(nullMX), open: []string{"mx-cutover"},
			want: lines("today @ MX: 0 .", "mx-cutover overridden @ MX: 0 ."),
		},
		"a null MX beside a forgotten host": {
			live: live, owned: []string{"mx @ MX 10 mx.old.example"}, d: domain(nullMX), open: []string{"mx-cutover"},
			past: func(s *plan.State) { s.Domains[0].Found = []string{"mx:mx2.old.example"} },
			want: lines("today @ MX: 10 mx.old.example", "today @ MX: 20 mx2.old.example", "adoption held @ MX: 10 mx.old.example"),
		},
		"a null MX gives way to hosts at once": {
			live: []string{"@ 3600 MX 0 ."}, owned: []string{"mx @ MX"}, d: domain(declareMX("10 mx.new.example")),
			want: "today @ MX: 10 mx.new.example",
		},
		"the last MX doesn't go because its block was deleted": {
			live: live, owned: []string{"mx @ MX"}, d: domain(), open: []string{"mx-cutover"},
			want: lines("today @ MX: 10 mx.old.example", "today @ MX: 20 mx2.old.example", "mx-cutover held @ MX: nothing"),
		},
		"but where a stranger's host stays, ours may go": {
			live: live, owned: []string{"mx @ MX 10 mx.old.example"}, d: domain(), open: []string{"mx-cutover"},
			want: "mx-cutover overridden @ MX: nothing",
		},
		"the last MX of a removed domain needs an override": {
			live: live, owned: []string{"mx @ MX"}, d: domain(removed),
			want: lines("today @ MX: 10 mx.old.example", "today @ MX: 20 mx2.old.example", "mx-cutover held @ MX: nothing"),
		},
		"the last MX of a removed domain with an override": {
			live: live, owned: []string{"mx @ MX"}, d: domain(removed), open: []string{"mx-cutover"},
			want: "mx-cutover overridden @ MX: nothing",
		},
	})
}

func TestR07DKIM(t *testing.T) {
	t.Parallel()
	const name = "s1._domainkey"
	runSplits(t, map[string]splitCase{
		"a new selector": {
			d: domain(declareKey("s1", key1)), want: "today " + name + " TXT: " + string(key1),
		},
		"a key changed in place": {
			live: []string{name + " 3600 TXT " + string(key1)}, owned: []string{"dkim " + name + " TXT"}, d: domain(declareKey("s1", key2)),
			want: lines("today "+name+" TXT: "+string(key1), "dkim-removal unknown "+name+" TXT: "+string(key2)),
		},
		"a key changed in place, the gate open": {
			live: []string{name + " 3600 TXT " + string(key1)}, owned: []string{"dkim " + name + " TXT"}, d: domain(declareKey("s1", key2)), open: []string{"dkim-removal"},
			want: lines("today "+name+" TXT: "+string(key2), "dkim-removal overridden "+name+" TXT: "+string(key2)),
		},
		"a stranger's key is not replaced either": {
			live: []string{name + " 3600 TXT " + string(key1)}, d: domain(declareKey("s1", key2)),
			want: lines("today "+name+" TXT: "+string(key1), "dkim-removal unknown "+name+" TXT: "+string(key2)),
		},
		"the same key in other words": {
			live: []string{name + " 3600 TXT p=" + strings.TrimPrefix(string(key1), "v=DKIM1; k=ed25519; p=") + "; k=ed25519"}, d: domain(declareKey("s1", key1)),
			want: "today " + name + " TXT: " + string(key1),
		},
		"a key too short to verify is mended": {
			live: []string{name + " 3600 TXT " + string(short)}, owned: []string{"dkim " + name + " TXT"}, d: domain(declareKey("s1", key2)),
			want: "today " + name + " TXT: " + string(key2),
		},
		"what is no key is mended": {
			live: []string{name + ` 3600 TXT v=DKIM1\; k=rsa\; p=…`}, d: domain(declareKey("s1", key2)),
			want: "today " + name + " TXT: " + string(key2),
		},
		"a revoked key gives way": {
			live: []string{name + " 3600 TXT v=DKIM1; p="}, owned: []string{"dkim " + name + " TXT"}, d: domain(declareKey("s1", key2)),
			want: "today " + name + " TXT: " + string(key2),
		},
		"a second value beside the declared one is mended": {
			live: []string{name + " 3600 TXT " + string(key1), name + " 3600 TXT junk"}, owned: []string{"dkim " + name + " TXT " + string(key1)}, d: domain(declareKey("s1", key1)),
			want: "today " + name + " TXT: " + string(key1),
		},
		"a second key that verifies is not": {
			live: []string{name + " 3600 TXT " + string(key1), name + " 3600 TXT " + string(key2)}, owned: []string{"dkim " + name + " TXT " + string(key1)}, d: domain(declareKey("s1", key1)),
			want: lines("today "+name+" TXT: "+string(key1), "today "+name+" TXT: "+string(key2), "dkim-removal unknown "+name+" TXT: "+string(key1)),
		},
		"revoking": {
			live: []string{name + " 3600 TXT " + string(key1)}, owned: []string{"dkim " + name + " TXT"},
			d:    domain(func(d *records.Domain) { d.DKIM = []records.DKIM{{Selector: "s1", Revoked: true}} }),
			want: lines("today "+name+" TXT: "+string(key1), "dkim-removal unknown "+name+" TXT: v=DKIM1; p="),
		},
		"removing": {
			live: []string{name + " 3600 TXT " + string(key1)}, owned: []string{"dkim " + name + " TXT"}, d: domain(),
			want: lines("today "+name+" TXT: "+string(key1), "dkim-removal unknown "+name+" TXT: nothing"),
		},
		"removing a revoked one": {
			live: []string{name + " 3600 TXT v=DKIM1; p="}, owned: []string{"dkim " + name + " TXT"}, d: domain(), want: "",
		},
		"a key becomes an alias: both or none": {
			live: []string{name + " 3600 TXT " + string(key1)}, owned: []string{"dkim " + name + " TXT"}, d: domain(declareAlias("s1", "s1.dkim.example.net")),
			want: lines("today "+name+" TXT: "+string(key1), "dkim-removal unknown "+name+" TXT: nothing", "dkim-removal unknown "+name+" CNAME: s1.dkim.example.net"),
		},
		"an alias becomes a key": {
			live: []string{name + " 3600 CNAME s1.dkim.example.net"}, owned: []string{"dkim " + name + " CNAME"}, d: domain(declareKey("s1", key1)),
			want: lines("today "+name+" CNAME: s1.dkim.example.net", "dkim-removal unknown "+name+" CNAME: nothing", "dkim-removal unknown "+name+" TXT: "+string(key1)),
		},
		"an alias to elsewhere": {
			live: []string{name + " 3600 CNAME s1.dkim.example.net"}, owned: []string{"dkim " + name + " CNAME"}, d: domain(declareAlias("s1", "s1.other.example")),
			want: lines("today "+name+" CNAME: s1.dkim.example.net", "dkim-removal unknown "+name+" CNAME: s1.other.example"),
		},
		"an alias in a record block": {
			live: []string{name + " 3600 CNAME s1.dkim.example.net"}, owned: []string{"record " + name + " CNAME"}, d: domain(),
			want: lines("today "+name+" CNAME: s1.dkim.example.net", "dkim-removal unknown "+name+" CNAME: nothing"),
		},
	})
}

func declareSTS(mode records.STSMode, more ...func(*records.MTASTS)) part {
	return func(d *records.Domain) {
		d.MTASTS = &records.MTASTS{Policy: records.STSPolicy{Mode: mode, MX: []string{"mx.a.example"}, MaxAge: 604800}}
		for _, f := range more {
			f(d.MTASTS)
		}
	}
}

func host(name records.Name) func(*records.MTASTS) {
	return func(m *records.MTASTS) { m.HostCNAME = name }
}

func stsID(mode records.STSMode) string {
	return records.STSPolicy{Mode: mode, MX: []string{"mx.a.example"}, MaxAge: 604800}.ID()
}

func TestR13MTASTS(t *testing.T) {
	t.Parallel()
	testing_, enforce := "v=STSv1; id="+stsID(records.STSTesting), "v=STSv1; id="+stsID(records.STSEnforce)
	runSplits(t, map[string]splitCase{
		"the host comes first, the id when its file is served": {
			d:    domain(declareSTS(records.STSTesting, host("sts.example.net"))),
			want: lines("today mta-sts CNAME: sts.example.net", "mta-sts-file unknown _mta-sts TXT: "+testing_),
		},
		"the id with the gate open": {
			d: domain(declareSTS(records.STSTesting)), open: []string{"mta-sts-file"},
			want: lines("today _mta-sts TXT: "+testing_, "mta-sts-file overridden _mta-sts TXT: "+testing_),
		},
		"enforce is testing first": {
			d: domain(declareSTS(records.STSEnforce)), open: []string{"mta-sts-file"},
			want: lines("today _mta-sts TXT: "+testing_, "mta-sts-file overridden _mta-sts TXT: "+testing_, "mta-sts-enforce unknown _mta-sts TXT: "+enforce),
		},
		"enforce needs both gates": {
			live: []string{"_mta-sts 300 TXT " + testing_}, owned: []string{"mta-sts _mta-sts TXT"},
			d: domain(declareSTS(records.STSEnforce)), open: []string{"mta-sts-enforce"},
			want: lines("today _mta-sts TXT: "+testing_, "mta-sts-file unknown _mta-sts TXT: "+enforce),
		},
		"testing stays while enforce is held": {
			live: []string{"_mta-sts 300 TXT " + testing_}, owned: []string{"mta-sts _mta-sts TXT"}, d: domain(declareSTS(records.STSEnforce)),
			want: lines("today _mta-sts TXT: "+testing_, "mta-sts-enforce unknown _mta-sts TXT: "+enforce),
		},
		"what is live as declared": {
			live: []string{"_mta-sts 300 TXT " + enforce}, d: domain(declareSTS(records.STSEnforce)), want: "today _mta-sts TXT: " + enforce,
		},
		"removal": {
			live:  []string{"_mta-sts 300 TXT " + enforce, "mta-sts 300 CNAME sts.example.net"},
			owned: []string{"mta-sts _mta-sts TXT", "mta-sts mta-sts CNAME"}, d: domain(),
			want: lines("today _mta-sts TXT: "+enforce, "today mta-sts CNAME: sts.example.net",
				"mta-sts-removal unknown _mta-sts TXT: nothing", "mta-sts-removal unknown mta-sts CNAME: nothing"),
		},
		"removal of the host alone": {
			live:  []string{"_mta-sts 300 TXT " + testing_, "mta-sts 300 CNAME sts.example.net"},
			owned: []string{"mta-sts _mta-sts TXT", "mta-sts mta-sts CNAME"}, d: domain(declareSTS(records.STSTesting)),
			want: lines("today _mta-sts TXT: "+testing_, "today mta-sts CNAME: sts.example.net", "mta-sts-removal unknown mta-sts CNAME: nothing"),
		},
		"an override of the removal is recorded for the host as well": {
			live:  []string{"_mta-sts 300 TXT " + testing_, "mta-sts 300 CNAME sts.example.net"},
			owned: []string{"mta-sts _mta-sts TXT", "mta-sts mta-sts CNAME"}, d: domain(declareSTS(records.STSTesting)),
			past: func(s *plan.State) {
				s.Overrides = []plan.Override{recorded(policy.GateMTASTSRemoval, key("mta-sts", records.TypeCNAME), []records.Value{"sts.example.net"}, nil)}
			},
			want: lines("today _mta-sts TXT: "+testing_, "mta-sts-removal overridden mta-sts CNAME: nothing"),
		},
	})
}

// recorded is an override as the journal has it.
func recorded(gate string, k records.Key, before, after []records.Value) plan.Override {
	return plan.Override{
		Gate: gate, Domain: apex, Name: k.Name, Type: k.Type, Before: before, After: after,
		Reason: "recorded", At: ago(time.Hour), Until: noon.Add(6 * day),
	}
}

func TestBIMI(t *testing.T) {
	t.Parallel()
	logo := func(d *records.Domain) {
		d.BIMI = []records.BIMI{{Selector: "default", Record: records.BIMIRecord{Logo: "https://a.example/logo.svg"}}}
	}
	const value = "v=BIMI1; l=https://a.example/logo.svg"
	const held, today = "bimi-policy held default._bimi TXT: " + value, "today default._bimi TXT: " + value
	const passed = today + "\n" + "bimi-policy allow default._bimi TXT: " + value
	cases := map[string]splitCase{
		"no DMARC":   {d: domain(logo), want: "bimi-policy unknown default._bimi TXT: " + value},
		"quarantine": {live: []string{"_dmarc 300 TXT v=DMARC1; p=quarantine"}, d: domain(logo), want: lines(strings.Split(passed, "\n")...)},
		"reject":     {live: []string{"_dmarc 300 TXT v=DMARC1; p=reject"}, d: domain(logo), want: lines(strings.Split(passed, "\n")...)},
		"replaced": {
			live: []string{"default._bimi 300 TXT v=BIMI1; l=https://a.example/old.svg"}, owned: []string{"bimi default._bimi TXT"}, d: domain(logo),
			want: lines("today default._bimi TXT: v=BIMI1; l=https://a.example/old.svg", "bimi-policy unknown default._bimi TXT: "+value),
		},
		"withdrawn":           {live: []string{"default._bimi 300 TXT " + value}, owned: []string{"bimi default._bimi TXT"}, d: domain(), want: ""},
		"live as declared":    {live: []string{"default._bimi 300 TXT " + value}, d: domain(logo), want: today},
		"opened by hand":      {d: domain(logo), open: []string{"bimi-policy"}, want: lines(today, "bimi-policy overridden default._bimi TXT: "+value)},
		"two DMARC records":   {live: []string{"_dmarc 300 TXT v=DMARC1; p=reject", "_dmarc 300 TXT v=DMARC1; p=quarantine"}, d: domain(logo), want: "bimi-policy unknown default._bimi TXT: " + value},
		"beside another text": {live: []string{"_dmarc 300 TXT v=DMARC1; p=reject", "_dmarc 300 TXT hello"}, d: domain(logo), want: lines(strings.Split(passed, "\n")...)},
	}
	for _, policy := range []string{"p=none", "p=quarantine; pct=50; t=y", "p=quarantine; pct=50", "p=quarantine; t=y", "p=reject; sp=none", "p=quarantine; np=bad", "rua=mailto:d@a.example"} {
		cases[policy] = splitCase{live: []string{"_dmarc 300 TXT v=DMARC1; " + policy}, d: domain(logo), want: held}
	}
	runSplits(t, cases)
}

func TestTLSRPTAndFreeRecordsHaveNoGate(t *testing.T) {
	t.Parallel()
	tls := func(uri string) part {
		return func(d *records.Domain) { d.TLSRPT = &records.TLSRPT{RUA: []string{uri}} }
	}
	runSplits(t, map[string]splitCase{
		"published": {d: domain(tls("mailto:t@a.example")), want: "today _smtp._tls TXT: v=TLSRPTv1; rua=mailto:t@a.example"},
		"replaced": {
			live: []string{"_smtp._tls 300 TXT v=TLSRPTv1; rua=mailto:old@a.example"}, d: domain(tls("mailto:t@a.example")),
			want: "today _smtp._tls TXT: v=TLSRPTv1; rua=mailto:t@a.example",
		},
		"withdrawn": {live: []string{"_smtp._tls 300 TXT v=TLSRPTv1; rua=mailto:old@a.example"}, owned: []string{"tls-rpt _smtp._tls TXT"}, d: domain(), want: ""},
		"what is protected stays, without a gate": {
			live: []string{"x 300 TXT google-site-verification=1", "x 300 TXT mine"}, owned: []string{"record x TXT"},
			d: domain(func(d *records.Domain) { d.Protect = []string{"google-site-verification="} }), want: "",
		},
		"a record block owns what it lists": {
			live: []string{"link 300 TXT other", "link 300 TXT old"}, owned: []string{"record link TXT old"}, d: domain(declareRecord("link", "TXT", "new")),
			want: "today link TXT: new",
		},
	})
}

// TestParked proves that a parked domain gets its profile at once where it is
// not in use, and not at all otherwise, whoever published what is in use.
func TestParked(t *testing.T) {
	t.Parallel()
	profile := []string{"today @ MX: 0 .", "today @ TXT: v=spf1 -all", "today _dmarc TXT: v=DMARC1; p=reject; sp=reject; np=reject"}
	held := []string{"adoption held @ MX: 0 .", "adoption held @ TXT: v=spf1 -all", "adoption held _dmarc TXT: v=DMARC1; p=reject; sp=reject; np=reject"}
	all := func(lists ...[]string) string { return lines(slices.Concat(lists...)...) }
	runSplits(t, map[string]splitCase{
		"nothing is live":               {d: domain(parked), want: all(profile)},
		"SPF that authorises nobody":    {live: []string{"@ 300 TXT v=spf1 ~all"}, d: domain(parked), want: all(profile)},
		"a null MX and a policy":        {live: []string{"@ 300 MX 0 .", "_dmarc 300 TXT v=DMARC1; p=none"}, d: domain(parked), want: all(profile)},
		"an MX host":                    {live: []string{"@ 300 MX 10 mx.example"}, d: domain(parked), want: all(held, []string{"today @ MX: 10 mx.example"})},
		"an SPF sender":                 {live: []string{"@ 300 TXT v=spf1 include:x.example -all"}, d: domain(parked), want: all(held, []string{"today @ TXT: v=spf1 include:x.example -all"})},
		"an SPF redirect":               {live: []string{"@ 300 TXT v=spf1 redirect=x.example"}, d: domain(parked), want: all(held, []string{"today @ TXT: v=spf1 redirect=x.example"})},
		"SPF that authorises the world": {live: []string{"@ 300 TXT v=spf1 +all"}, d: domain(parked), want: all(held, []string{"today @ TXT: v=spf1 +all"})},
		"opened by hand":                {live: []string{"@ 300 MX 10 mx.example"}, d: domain(parked), open: []string{"adoption"}, want: all(profile, []string{"adoption overridden @ MX: 0 .", "adoption overridden @ TXT: v=spf1 -all", "adoption overridden _dmarc TXT: v=DMARC1; p=reject; sp=reject; np=reject"})},
		"a domain of ours that is in use": {
			live: []string{"@ 300 MX 10 mx.example", "@ 300 TXT v=spf1 mx ~all", "_dmarc 300 TXT v=DMARC1; p=none"}, owned: []string{"mx @ MX", "spf @ TXT", "dmarc _dmarc TXT"}, d: domain(parked),
			want: all(held, []string{"today @ MX: 10 mx.example", "today @ TXT: v=spf1 mx ~all", "today _dmarc TXT: v=DMARC1; p=none"}),
		},
		"our key stays while it is in use": {
			live: []string{"@ 300 MX 10 mx.example", "s1._domainkey 300 TXT " + string(key1)}, owned: []string{"mx @ MX", "dkim s1._domainkey TXT"}, d: domain(parked),
			want: all(held, []string{"today @ MX: 10 mx.example", "today s1._domainkey TXT: " + string(key1), "adoption held s1._domainkey TXT: nothing"}),
		},
		"our key goes with a domain that is not": {
			live: []string{"s1._domainkey 300 TXT " + string(key1)}, owned: []string{"dkim s1._domainkey TXT"}, d: domain(parked), want: all(profile),
		},
		"a record block of it is not held": {
			live: []string{"@ 300 MX 10 mx.example"}, d: domain(parked, declareRecord("www", "TXT", "x")), want: all(held, []string{"today @ MX: 10 mx.example", "today www TXT: x"}),
		},
		"parked as it is live": {
			live: []string{"@ 300 MX 0 .", "@ 300 TXT v=spf1 -all", "_dmarc 300 TXT v=DMARC1; p=reject; sp=reject; np=reject"}, owned: []string{"mx @ MX", "spf @ TXT", "dmarc _dmarc TXT"}, d: domain(parked), want: all(profile),
		},
		"parked and removed": {
			live: []string{"@ 300 MX 0 .", "@ 300 TXT v=spf1 -all"}, owned: []string{"mx @ MX", "spf @ TXT"}, d: domain(parked, removed), want: "",
		},
	})
	// The reason lists what would stop.
	live := zone(t, "@ 300 MX 10 mx.example", "@ 300 TXT v=spf1 include:x.example -all")
	reason := policy.Limit(policy.Input{Domain: domain(parked), Live: live, Past: plan.State{}.Index(), Clock: at(noon)}).Held[0].Gates[0].Reason
	if !strings.Contains(reason, "MX 10 mx.example") || !strings.Contains(reason, "include:x.example") || strings.Contains(reason, "never declared") {
		t.Errorf("reason %q", reason)
	}
}

// TestExternalHoldsEverything: we can't write the zone, with or without an
// override, so nothing is ever ready.
func TestExternalHoldsEverything(t *testing.T) {
	t.Parallel()
	external := func(d *records.Domain) { d.Provider.Type = "external" }
	runSplits(t, map[string]splitCase{
		"new": {d: domain(external, declareSPF("v=spf1 include:a.example ~all")), want: "external held @ TXT: v=spf1 include:a.example ~all"},
		"no override opens it": {
			d: domain(external, declareSPF("v=spf1 include:a.example ~all")), open: []string{"external"}, want: "external held @ TXT: v=spf1 include:a.example ~all",
		},
		"its owner has published it": {
			live: []string{"@ 300 TXT v=spf1 include:a.example ~all"}, d: domain(external, declareSPF("v=spf1 include:a.example ~all")), want: "today @ TXT: v=spf1 include:a.example ~all",
		},
		"what other gates hold is not asked of its owner": {
			live: []string{"@ 300 TXT v=spf1 include:old.example ~all"}, d: domain(external, declareSPF("v=spf1 include:new.example ~all")),
			want: lines("today @ TXT: v=spf1 include:old.example ~all", "external held @ TXT: v=spf1 include:new.example include:old.example ~all"),
		},
	})
}

// TestRemovedDomain: state = "removed" withdraws what is owned, each kind
// through its gate, and nothing else.
func TestRemovedDomain(t *testing.T) {
	t.Parallel()
	live := []string{
		"@ 300 TXT v=spf1 include:a.example ~all", "@ 300 TXT token", "_dmarc 300 TXT v=DMARC1; p=none",
		"_smtp._tls 300 TXT v=TLSRPTv1; rua=mailto:t@a.example", "s1._domainkey 300 TXT " + string(key1), "s2._domainkey 300 TXT " + string(key2),
	}
	c := splitCase{
		live: live, owned: []string{"spf @ TXT v=spf1 include:a.example ~all", "dmarc _dmarc TXT", "tls-rpt _smtp._tls TXT", "dkim s1._domainkey TXT"},
		d: domain(removed, declareSPF("v=spf1 include:a.example ~all"), declareDMARC("v=DMARC1; p=none")),
		want: lines("today @ TXT: v=spf1 include:a.example ~all", "today s1._domainkey TXT: "+string(key1),
			"spf-narrow unknown @ TXT: nothing", "dkim-removal unknown s1._domainkey TXT: nothing"),
	}
	c.run(t)
	z := zone(t, live...)
	got := show(planned(z, applied(t, z, c.d, c.owned...), noon, nil, c.d).Domains[0])
	want := lines(
		"held change @ TXT: 300 token (spf-narrow)",
		"ready change _dmarc TXT: nothing",
		"ready change _smtp._tls TXT: nothing",
		"held change s1._domainkey TXT: nothing (dkim-removal)")
	if got := lines(strings.Split(got, "\n")...); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
