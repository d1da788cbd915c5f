package policy_test

import (
	"strings"
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
)

// TestR04SPF proves how an SPF record is split into what is published now and
// what is held: nothing that is authorised today is withdrawn without a gate,
// and nothing that is new waits for it.
func TestR04SPF(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		live     []string
		owned    []string // then the domain was applied before
		declared string
		open     []string
		want     string
	}{
		"a first record is published with a soft end": {
			declared: "v=spf1 include:new.example -all",
			want: lines(
				"today @ TXT: v=spf1 include:new.example ~all",
				"spf-hardfail unknown @ TXT: v=spf1 include:new.example -all"),
		},
		"a first record with ~all": {
			declared: "v=spf1 include:new.example ~all",
			want:     "today @ TXT: v=spf1 include:new.example ~all",
		},
		"two records are merged into one": {
			live:     []string{"@ 3600 TXT v=spf1 include:one.example ~all", "@ 3600 TXT v=spf1 include:two.example -all"},
			declared: "v=spf1 include:one.example include:two.example ~all",
			want:     "today @ TXT: v=spf1 include:one.example include:two.example ~all",
		},
		"two records are merged, and the softer all stays": {
			live:     []string{"@ 3600 TXT v=spf1 include:one.example ?all", "@ 3600 TXT v=spf1 include:two.example -all"},
			declared: "v=spf1 include:one.example include:two.example -all",
			want: lines(
				"today @ TXT: v=spf1 include:one.example include:two.example ?all",
				"spf-hardfail unknown @ TXT: v=spf1 include:one.example include:two.example -all"),
		},
		"two records are merged, and a forgotten sender of each stays": {
			live:     []string{"@ 3600 TXT v=spf1 include:one.example ~all", "@ 3600 TXT v=spf1 include:two.example ~all"},
			declared: "v=spf1 include:new.example ~all",
			want: lines(
				"today @ TXT: v=spf1 include:new.example include:one.example include:two.example ~all",
				"adoption held @ TXT: v=spf1 include:new.example ~all"),
		},
		"a swap widens at once and narrows later": {
			live:     []string{"@ 3600 TXT v=spf1 include:old.example ~all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 include:new.example ~all",
			want: lines(
				"today @ TXT: v=spf1 include:new.example include:old.example ~all",
				"spf-narrow unknown @ TXT: v=spf1 include:new.example ~all"),
		},
		"a swap with the gate open": {
			live:     []string{"@ 3600 TXT v=spf1 include:old.example ~all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 include:new.example ~all",
			open:     []string{"spf-narrow"},
			want: lines(
				"today @ TXT: v=spf1 include:new.example ~all",
				"spf-narrow overridden @ TXT: v=spf1 include:new.example ~all"),
		},
		"a stricter qualifier narrows": {
			live:     []string{"@ 3600 TXT v=spf1 include:old.example ~all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 ~include:old.example ~all",
			want: lines(
				"today @ TXT: v=spf1 include:old.example ~all",
				"spf-narrow unknown @ TXT: v=spf1 ~include:old.example ~all"),
		},
		"a softer qualifier doesn't": {
			live:     []string{"@ 3600 TXT v=spf1 ~include:old.example ~all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 include:old.example ~all",
			want:     "today @ TXT: v=spf1 include:old.example ~all",
		},
		"a term that says no more than all may go": {
			live:     []string{"@ 3600 TXT v=spf1 ~include:old.example include:kept.example ~all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 include:kept.example ~all",
			want:     "today @ TXT: v=spf1 include:kept.example ~all",
		},
		"-all is held, ~all is not": {
			live:     []string{"@ 3600 TXT v=spf1 include:a.example ~all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 include:a.example -all",
			want: lines(
				"today @ TXT: v=spf1 include:a.example ~all",
				"spf-hardfail unknown @ TXT: v=spf1 include:a.example -all"),
		},
		"-all stays where it is live": {
			live:     []string{"@ 3600 TXT v=spf1 include:a.example -all"},
			declared: "v=spf1 include:a.example include:b.example -all",
			want:     "today @ TXT: v=spf1 include:a.example include:b.example -all",
		},
		"-all is loosened at once": {
			live:     []string{"@ 3600 TXT v=spf1 include:a.example -all"},
			declared: "v=spf1 include:a.example ~all",
			want:     "today @ TXT: v=spf1 include:a.example ~all",
		},
		"-all with the gate open": {
			live:     []string{"@ 3600 TXT v=spf1 include:a.example ~all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 include:a.example -all",
			open:     []string{"spf-hardfail"},
			want: lines(
				"today @ TXT: v=spf1 include:a.example -all",
				"spf-hardfail overridden @ TXT: v=spf1 include:a.example -all"),
		},
		"-all and a sender that goes are two gates": {
			live:     []string{"@ 3600 TXT v=spf1 include:a.example include:old.example ~all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 include:a.example -all",
			want: lines(
				"today @ TXT: v=spf1 include:a.example include:old.example ~all",
				"spf-narrow unknown @ TXT: v=spf1 include:a.example ~all",
				"spf-hardfail unknown @ TXT: v=spf1 include:a.example include:old.example -all"),
		},
		"+all is replaced at once by ~all, not by -all": {
			live:     []string{"@ 3600 TXT v=spf1 +all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 include:a.example -all",
			want: lines(
				"today @ TXT: v=spf1 include:a.example ~all",
				"spf-hardfail unknown @ TXT: v=spf1 include:a.example -all"),
		},
		"a live redirect stays as an include": {
			live:     []string{"@ 3600 TXT v=spf1 redirect=_spf.example.net"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 include:a.example ~all",
			want: lines(
				"today @ TXT: v=spf1 include:a.example include:_spf.example.net ~all",
				"spf-narrow unknown @ TXT: v=spf1 include:a.example ~all"),
		},
		"the same redirect beside a new sender": {
			live:     []string{"@ 3600 TXT v=spf1 redirect=_spf.example.net"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 include:a.example redirect=_spf.example.net",
			want:     "today @ TXT: v=spf1 include:a.example redirect=_spf.example.net",
		},
		"a redirect in the place of an include of the same": {
			live:     []string{"@ 3600 TXT v=spf1 include:_spf.example.net -all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 redirect=_spf.example.net",
			want:     "today @ TXT: v=spf1 redirect=_spf.example.net",
		},
		"a redirect may make others fail": {
			live:     []string{"@ 3600 TXT v=spf1 include:a.example ~all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 include:a.example redirect=_spf.example.net",
			want: lines(
				"today @ TXT: v=spf1 include:a.example include:_spf.example.net ~all",
				"spf-hardfail unknown @ TXT: v=spf1 include:a.example redirect=_spf.example.net"),
		},
		"a redirect beside a sender that stays keeps the soft end": {
			live:     []string{"@ 3600 TXT v=spf1 include:old.example ~all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 redirect=_spf.example.net",
			want: lines(
				"today @ TXT: v=spf1 include:_spf.example.net include:old.example ~all",
				"spf-narrow unknown @ TXT: v=spf1 include:_spf.example.net ~all",
				"spf-hardfail unknown @ TXT: v=spf1 include:old.example redirect=_spf.example.net"),
		},
		"a first record that is a redirect": {
			declared: "v=spf1 redirect=_spf.example.net",
			want: lines(
				"today @ TXT: v=spf1 include:_spf.example.net ~all",
				"spf-hardfail unknown @ TXT: v=spf1 redirect=_spf.example.net"),
		},
		"a term that takes addresses away from others is held": {
			live:     []string{"@ 3600 TXT v=spf1 ip4:192.0.2.0/24 ~all"},
			owned:    []string{"spf @ TXT"},
			declared: "v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 ~all",
			want: lines(
				"today @ TXT: v=spf1 ip4:192.0.2.0/24 ~all",
				"spf-narrow unknown @ TXT: v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 ~all"),
		},
		"a broken record is mended at once, and what it names is kept": {
			live:     []string{"@ 3600 TXT v=spf1 include:old.example ip4:192.0.2 ~all"},
			declared: "v=spf1 include:new.example ~all",
			want: lines(
				"today @ TXT: v=spf1 include:new.example include:old.example ~all",
				"adoption held @ TXT: v=spf1 include:new.example ~all"),
		},
		"other values of the set are not its business": {
			live:     []string{"@ 3600 TXT v=spf1 include:a.example ~all", "@ 3600 TXT google-site-verification=1", "@ 3600 TXT v=spf10 near miss"},
			declared: "v=spf1 include:a.example ~all",
			want:     "today @ TXT: v=spf1 include:a.example ~all",
		},
		"a record that goes is held": {
			live:  []string{"@ 3600 TXT v=spf1 include:a.example ~all"},
			owned: []string{"spf @ TXT"},
			want: lines(
				"today @ TXT: v=spf1 include:a.example ~all",
				"spf-narrow unknown @ TXT: nothing"),
		},
		"a record that authorises nobody may go": {
			live:  []string{"@ 3600 TXT v=spf1 -all"},
			owned: []string{"spf @ TXT"},
			want:  "",
		},
		"a record that is not ours stays": {
			live: []string{"@ 3600 TXT v=spf1 include:a.example ~all"},
			want: "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := domain()
			if c.declared != "" {
				declareSPF(c.declared)(d)
			}
			live := zone(t, c.live...)
			state := plan.State{}
			if c.owned != nil {
				state = applied(t, live, d, c.owned...)
			}
			got := split(policy.Input{Domain: d, Live: live, Past: state.Index(), Open: open(c.open...)})
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestR03ForgottenSender proves that adoption stands before a sender that was
// live when the domain was first applied and that was never declared: at the
// first apply, and later when it has become part of our own record.
func TestR03ForgottenSender(t *testing.T) {
	t.Parallel()
	live := zone(t, "@ 3600 TXT v=spf1 include:google.example include:mailgun.example ~all")
	state := func(found, declared string) plan.State {
		s := applied(t, live, domain(), "spf @ TXT")
		s.Domains[0].Found, s.Domains[0].Declared = strings.Fields(found), strings.Fields(declared)
		return s
	}
	const both = "spf:include:google.example spf:include:mailgun.example"
	for name, c := range map[string]struct {
		state    plan.State
		declared string
		open     []string
		want     string
	}{
		"at the first apply": {
			declared: "v=spf1 include:google.example ~all",
			want: lines(
				"today @ TXT: v=spf1 include:google.example include:mailgun.example ~all",
				"adoption held @ TXT: v=spf1 include:google.example ~all"),
		},
		"later": {
			state: state(both, "spf:include:google.example"), declared: "v=spf1 include:google.example ~all",
			want: lines(
				"today @ TXT: v=spf1 include:google.example include:mailgun.example ~all",
				"adoption held @ TXT: v=spf1 include:google.example ~all"),
		},
		"declared once": {
			state: state(both, both), declared: "v=spf1 include:google.example ~all",
			want: lines(
				"today @ TXT: v=spf1 include:google.example include:mailgun.example ~all",
				"spf-narrow unknown @ TXT: v=spf1 include:google.example ~all"),
		},
		"one forgotten, one withdrawn": {
			state: state(both, "spf:include:google.example"), declared: "v=spf1 include:new.example ~all",
			want: lines(
				"today @ TXT: v=spf1 include:new.example include:google.example include:mailgun.example ~all",
				"adoption held @ TXT: v=spf1 include:new.example include:google.example ~all",
				"spf-narrow unknown @ TXT: v=spf1 include:new.example include:mailgun.example ~all"),
		},
		"an override of the other gate doesn't open it": {
			state: state(both, "spf:include:google.example"), declared: "v=spf1 include:google.example ~all", open: []string{"spf-narrow"},
			want: lines(
				"today @ TXT: v=spf1 include:google.example include:mailgun.example ~all",
				"adoption held @ TXT: v=spf1 include:google.example ~all"),
		},
		"its own override opens it": {
			state: state(both, "spf:include:google.example"), declared: "v=spf1 include:google.example ~all", open: []string{"adoption"},
			want: lines(
				"today @ TXT: v=spf1 include:google.example ~all",
				"adoption overridden @ TXT: v=spf1 include:google.example ~all"),
		},
		"both gates open": {
			state: state(both, "spf:include:google.example"), declared: "v=spf1 include:new.example ~all", open: []string{"adoption", "spf-narrow"},
			want: lines(
				"today @ TXT: v=spf1 include:new.example ~all",
				"spf-narrow overridden @ TXT: v=spf1 include:new.example ~all",
				"adoption overridden @ TXT: v=spf1 include:new.example ~all"),
		},
		"the whole record goes": {
			state: state(both, "spf:include:google.example"), open: []string{"spf-narrow"},
			want: lines(
				"today @ TXT: v=spf1 include:google.example include:mailgun.example ~all",
				"spf-narrow overridden, adoption held @ TXT: nothing"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := domain()
			if c.declared != "" {
				declareSPF(c.declared)(d)
			}
			if got := split(policy.Input{Domain: d, Live: live, Past: c.state.Index(), Open: open(c.open...)}); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestR05UnionAboveTheLimit proves that a union which receivers would answer
// with PERMERROR is not published: the whole change is held, and a finding says
// between which terms to choose.
func TestR05UnionAboveTheLimit(t *testing.T) {
	t.Parallel()
	live := zone(t, "@ 3600 TXT v=spf1 include:1.old include:2.old include:3.old include:4.old include:5.old include:6.old ~all")
	d := domain(declareSPF("v=spf1 include:1.new include:2.new include:3.new include:4.new include:5.new ~all"))
	got := planned(live, plan.State{}, noon, nil, d).Domains[0]
	want := "held change @ TXT: 300 v=spf1 include:1.new include:2.new include:3.new include:4.new include:5.new ~all (spf-lookups, adoption)"
	if show(got) != want {
		t.Errorf("got\n%s\nwant\n%s", show(got), want)
	}
	i := findingOf(got, "spf-lookups")
	if i == nil || i.Severity != plan.SeverityError || !strings.Contains(i.Message, "11 lookups") || !strings.Contains(i.Fix, "include:6.old") || !strings.Contains(i.Fix, "flatten") {
		t.Errorf("the finding doesn't say what to choose from: %+v", i)
	}
	// The gate of the terms opens: then there is no union.
	got = planned(live, plan.State{}, noon, open(policy.GateAdoption), d).Domains[0]
	want = `ready lower-ttl @ TXT: 300 v=spf1 include:1.old include:2.old include:3.old include:4.old include:5.old include:6.old ~all
waiting change @ TXT: 300 v=spf1 include:1.new include:2.new include:3.new include:4.new include:5.new ~all (adoption, lower-ttl)`
	if show(got) != want {
		t.Errorf("got\n%s\nwant\n%s", show(got), want)
	}
}

func findingOf(d plan.Domain, rule string) *plan.Finding {
	for _, f := range d.Findings {
		if f.Rule == rule {
			return &f
		}
	}
	return nil
}

// TestSPFByWhatDNSSays proves that a term may go at once where the DNS shows
// that nobody loses anything by it, and only there.
func TestSPFByWhatDNSSays(t *testing.T) {
	t.Parallel()
	live := zone(t, "@ 3600 TXT v=spf1 include:old.example ~all")
	d := domain(declareSPF("v=spf1 include:new.example ~all"))
	const kept = "today @ TXT: v=spf1 include:new.example include:old.example ~all\nspf-narrow unknown @ TXT: v=spf1 include:new.example ~all"
	const gone = "today @ TXT: v=spf1 include:new.example ~all"
	wide, narrow := networkSet("192.0.2.0/24"), networkSet("192.0.2.1/32")
	for name, c := range map[string]struct {
		old, new policy.KnownTerm
		want     string
	}{
		"the new one covers the old one":             {policy.KnownTerm{Pass: narrow}, policy.KnownTerm{Pass: wide}, gone},
		"the new one covers less":                    {policy.KnownTerm{Pass: wide}, policy.KnownTerm{Pass: narrow}, lines(strings.Split(kept, "\n")...)},
		"the old one passes nobody":                  {policy.KnownTerm{Faults: []policy.TermFault{{Problem: "no-record", Detail: "it has no SPF record"}}}, policy.KnownTerm{Pass: narrow}, gone},
		"the old one is broken for some, and passes": {policy.KnownTerm{Pass: wide, Faults: []policy.TermFault{{Problem: "no-record", Detail: "it has no SPF record"}}}, policy.KnownTerm{Pass: narrow}, lines(strings.Split(kept, "\n")...)},
		"the old one is not all known":               {policy.KnownTerm{Pass: narrow, Unknown: "no answer"}, policy.KnownTerm{Pass: wide}, lines(strings.Split(kept, "\n")...)},
		"the new one is not all known":               {policy.KnownTerm{Pass: wide}, policy.KnownTerm{Pass: narrow, Unknown: "no answer"}, lines(strings.Split(kept, "\n")...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			known := policy.Known{SPF: &policy.KnownSPF{Terms: map[string]policy.KnownTerm{"include:old.example": c.old, "include:new.example": c.new}}}
			state := applied(t, live, d, "spf @ TXT")
			if got := split(policy.Input{Domain: d, Live: live, Past: state.Index(), Known: known}); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestR04MergeChangesNothingElse: what stands beside the records stays, byte
// for byte, and the merged record takes effect at once, since today there is a
// PERMERROR.
func TestR04MergeChangesNothingElse(t *testing.T) {
	t.Parallel()
	live := zone(t,
		"@ 3600 TXT v=spf1 include:one.example ~all", "@ 3600 TXT v=spf1 include:two.example ~all",
		"@ 3600 TXT google-site-verification=1", "@ 3600 TXT \xff\x00 bytes")
	d := domain(declareSPF("v=spf1 include:one.example include:two.example ~all"))
	got := show(planned(live, plan.State{}, noon, nil, d).Domains[0])
	want := "ready change @ TXT: 300 google-site-verification=1 | v=spf1 include:one.example include:two.example ~all | \xff\x00 bytes"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if f := findingOf(planned(live, plan.State{}, noon, nil, d).Domains[0], "spf-multiple"); f == nil || f.About != plan.AboutLive {
		t.Errorf("spf-multiple: %+v", f)
	}
}

// TestSPFInARecordBlock: a record block may hold an SPF record, byte for byte
// as it was imported. Whichever block a record moves to, its gates stand.
func TestSPFInARecordBlock(t *testing.T) {
	t.Parallel()
	const odd = "v=spf1  include:a.example include:b.example ~all"
	live := zone(t, "@ 3600 TXT "+odd, "@ 3600 TXT token=1")
	for name, c := range map[string]struct {
		owned string
		d     *records.Domain
		want  string
	}{
		"from a record block to an spf block": {
			"record @ TXT " + odd, domain(declareSPF("v=spf1 include:a.example ~all")),
			lines("today @ TXT: "+odd,
				"spf-narrow unknown @ TXT: v=spf1 include:a.example ~all"),
		},
		"from an spf block to a record block": {
			"spf @ TXT " + odd, domain(declareRecord("@", records.TypeTXT, "v=spf1 include:a.example ~all")),
			lines("today @ TXT: "+odd,
				"spf-narrow unknown @ TXT: v=spf1 include:a.example ~all"),
		},
		"from a record block to a narrower one": {
			"record @ TXT " + odd, domain(declareRecord("@", records.TypeTXT, "v=spf1 include:a.example -all", "token=1")),
			lines("today @ TXT: "+odd, "today @ TXT: token=1",
				"spf-narrow unknown @ TXT: v=spf1 include:a.example ~all",
				"spf-hardfail unknown @ TXT: v=spf1 include:a.example include:b.example -all"),
		},
		"a record block as it is live": {
			"record @ TXT " + odd, domain(declareRecord("@", records.TypeTXT, odd)),
			"today @ TXT: " + odd,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := applied(t, live, c.d, c.owned)
			if got := split(policy.Input{Domain: c.d, Live: live, Past: state.Index()}); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestSecondSPF: where a declaration would leave two SPF records, it is an error
// that stops the domain, unless that is what is live and declared.
func TestSecondSPF(t *testing.T) {
	t.Parallel()
	const one, two = "v=spf1 include:one.example ~all", "v=spf1 include:two.example ~all"
	for name, c := range map[string]struct {
		live []string
		d    *records.Domain
		want plan.Severity
	}{
		"a record block beside a stranger's record": {[]string{"@ 3600 TXT " + one}, domain(declareRecord("@", records.TypeTXT, two)), plan.SeverityError},
		"a record block beside an spf block":        {nil, domain(declareSPF(one), declareRecord("@", records.TypeTXT, two)), plan.SeverityError},
		"two in a record block":                     {nil, domain(declareRecord("em", records.TypeTXT, one, two)), plan.SeverityError},
		"two in a record block, as they are live":   {[]string{"@ 3600 TXT " + one, "@ 3600 TXT " + two}, domain(declareRecord("@", records.TypeTXT, one, two)), plan.SeverityWarning},
		"one in a record block":                     {nil, domain(declareRecord("@", records.TypeTXT, one)), ""},
		"a stranger's record alone":                 {[]string{"@ 3600 TXT " + one}, domain(declareRecord("@", records.TypeTXT, "token=1")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := planned(zone(t, c.live...), plan.State{}, noon, nil, c.d).Domains[0]
			var sev plan.Severity
			if f := findingOf(got, "spf-multiple"); f != nil && f.About == plan.AboutDeclared {
				sev = f.Severity
			}
			if sev != c.want || policy.Stopped(got) != (c.want == plan.SeverityError) {
				t.Errorf("found %q, want %q: %+v", sev, c.want, got.Findings)
			}
		})
	}
}
