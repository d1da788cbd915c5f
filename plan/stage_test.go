package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// stage plans a zone for what a.example asks today.
func stage(live records.Zone, state plan.State, now time.Time, today ...plan.Today) []plan.Change {
	past := state.Index()
	changes := plan.Diff(live, plan.Overlay(live, past, today))
	return plan.Stage(live, changes, today, past, records.Limits{}, at(now)).Changes[apex]
}

const (
	oldTLS records.Value = "v=TLSRPTv1; rua=mailto:old@a.example"
	newTLS records.Value = "v=TLSRPTv1; rua=mailto:new@a.example"
)

var tlsKey = key("_smtp._tls", records.TypeTXT)

// tls asks for one TLS reporting record.
func tls(v records.Value, settings ...func(*records.Domain)) plan.Today {
	t := asks(wants(records.KindTLSRPT, tlsKey, v))
	t.Covers = []records.Cover{covers(records.KindTLSRPT, tlsKey, "v=TLSRPTv1")}
	for _, f := range settings {
		f(t.Domain)
	}
	return t
}

// wrote is the past of a set that we wrote: when, the TTL that it returns to,
// and the TTLs with which it was seen.
func wrote(left records.RRset, when time.Time, base records.TTL, seen ...plan.SeenTTL) plan.State {
	return plan.State{
		Seq: 3, At: moment(when), Live: []records.RRset{left},
		Sets: []plan.SetState{{Name: left.Name, Type: left.Type, Base: base, Written: moment(when), Seen: seen}},
	}
}

func seen(ttl records.TTL, when time.Time) plan.SeenTTL {
	return plan.SeenTTL{TTL: ttl, Moment: moment(when)}
}

// TestStageLowersFirst: what replaces or removes a live value waits until the
// old TTL has run out of every cache.
func TestStageLowersFirst(t *testing.T) {
	t.Parallel()
	hour := noon.Add(-time.Hour)
	ttl := func(ttl records.TTL) func(*records.Domain) {
		return func(d *records.Domain) { d.TTL = ttl }
	}
	for name, c := range map[string]struct {
		live  records.RRset
		state plan.State
		today plan.Today
		want  string
	}{
		"a long TTL": {
			live: txt("_smtp._tls", 3600, oldTLS), today: tls(newTLS),
			want: lines("ready lower-ttl _smtp._tls TXT: 300 "+string(oldTLS), "waiting change _smtp._tls TXT: 300 "+string(newTLS)+" at +1h0m30s"),
		},
		"just above": {
			live: txt("_smtp._tls", 301, oldTLS), today: tls(newTLS),
			want: lines("ready lower-ttl _smtp._tls TXT: 300 "+string(oldTLS), "waiting change _smtp._tls TXT: 300 "+string(newTLS)+" at +5m31s"),
		},
		"a short TTL": {
			live: txt("_smtp._tls", 300, oldTLS), today: tls(newTLS),
			want: "ready change _smtp._tls TXT: 300 " + string(newTLS),
		},
		"the host's own TTL": {
			live: txt("_smtp._tls", records.AutoTTL, oldTLS), today: tls(newTLS, ttl(records.AutoTTL)),
			want: "ready change _smtp._tls TXT: 4294967295 " + string(newTLS),
		},
		"a short TTL, lowered just now": {
			live: txt("_smtp._tls", 300, oldTLS), state: wrote(txt("_smtp._tls", 300, oldTLS), noon, 3600, seen(3600, noon)), today: tls(newTLS),
			want: "waiting change _smtp._tls TXT: 300 " + string(newTLS) + " at +1h0m30s",
		},
		"a short TTL, lowered a while ago": {
			live: txt("_smtp._tls", 300, oldTLS), state: wrote(txt("_smtp._tls", 300, oldTLS), hour, 3600, seen(3600, hour)), today: tls(newTLS),
			want: "waiting change _smtp._tls TXT: 300 " + string(newTLS) + " at +30s",
		},
		"a short TTL, lowered long enough ago": {
			live: txt("_smtp._tls", 300, oldTLS), state: wrote(txt("_smtp._tls", 300, oldTLS), hour.Add(-30*time.Second), 3600, seen(3600, hour.Add(-30*time.Second))), today: tls(newTLS),
			want: "ready change _smtp._tls TXT: 300 " + string(newTLS),
		},
		"lowered by hand since the last entry": {
			live: txt("_smtp._tls", 60, oldTLS), state: plan.State{Seq: 1, At: moment(hour.Add(time.Minute)), Live: []records.RRset{txt("_smtp._tls", 3600, oldTLS)}}, today: tls(newTLS),
			want: "waiting change _smtp._tls TXT: 60 " + string(newTLS) + " at +1m30s",
		},
		"lowered by hand from a day to an hour": {
			live: txt("_smtp._tls", 3600, oldTLS), state: plan.State{Seq: 1, At: moment(noon), Live: []records.RRset{txt("_smtp._tls", 86400, oldTLS)}}, today: tls(newTLS),
			want: lines("ready lower-ttl _smtp._tls TXT: 300 "+string(oldTLS), "waiting change _smtp._tls TXT: 300 "+string(newTLS)+" at +24h0m30s"),
		},
		"from a day to the host's own TTL": {
			live: txt("_smtp._tls", records.AutoTTL, oldTLS), state: plan.State{Seq: 1, At: moment(noon), Live: []records.RRset{txt("_smtp._tls", 86400, oldTLS)}}, today: tls(newTLS, ttl(records.AutoTTL)),
			want: "waiting change _smtp._tls TXT: 4294967295 " + string(newTLS) + " at +24h0m30s",
		},
		"a rehearsal's lowering doesn't count for the real clock": {
			live: txt("_smtp._tls", 300, oldTLS), today: tls(newTLS),
			state: wrote(txt("_smtp._tls", 300, oldTLS), hour.Add(-time.Hour), 3600, plan.SeenTTL{TTL: 3600, Moment: plan.Moment{At: hour.Add(-time.Hour), Wall: &noon}}),
			want:  "waiting change _smtp._tls TXT: 300 " + string(newTLS) + " at +1h0m30s",
		},
		"a shorter declared TTL": {
			live: txt("_smtp._tls", 3600, oldTLS), today: tls(newTLS, ttl(60)),
			want: lines("ready lower-ttl _smtp._tls TXT: 300 "+string(oldTLS), "waiting change _smtp._tls TXT: 60 "+string(newTLS)+" at +1h0m30s"),
		},
		"a longer propagation": {
			live: txt("_smtp._tls", 3600, oldTLS), today: tls(newTLS, func(d *records.Domain) { d.Settings.Propagation = 90 * time.Second }),
			want: lines("ready lower-ttl _smtp._tls TXT: 300 "+string(oldTLS), "waiting change _smtp._tls TXT: 300 "+string(newTLS)+" at +1h1m30s"),
		},
		"a longer ttl_change": {
			live: txt("_smtp._tls", 900, oldTLS), today: tls(newTLS, func(d *records.Domain) { d.Settings.TTLChange = 900 }),
			want: "ready change _smtp._tls TXT: 900 " + string(newTLS),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := show(stage(zone(c.live), c.state, noon, c.today)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestStageRoundsUp: nothing is due early by a part of a second.
func TestStageRoundsUp(t *testing.T) {
	t.Parallel()
	got := stage(zone(txt("_smtp._tls", 3600, oldTLS)), plan.State{}, noon.Add(time.Millisecond), tls(newTLS))
	if due := *got[1].NotBefore; !due.Equal(noon.Add(time.Hour + 31*time.Second)) {
		t.Errorf("due at %s", due)
	}
}

// TestStageTimes: for each item how long caches may serve what is replaced, and
// how long a mistake outlives its rollback.
func TestStageTimes(t *testing.T) {
	t.Parallel()
	gone := asks()
	gone.Covers = []records.Cover{covers(records.KindTLSRPT, tlsKey, "v=TLSRPTv1")}
	for name, c := range map[string]struct {
		live              []records.RRset
		state             plan.State
		today             plan.Today
		action            plan.Action
		exposure, mistake int64
	}{
		"a new name: the negative TTL": {nil, plan.State{}, tls(newTLS), plan.ActionCreate, 900, 300},
		"a lowering: the live TTL":     {[]records.RRset{txt("_smtp._tls", 3600, oldTLS)}, plan.State{}, tls(newTLS), plan.ActionTTL, 3600, 300},
		"a change: the live TTL":       {[]records.RRset{txt("_smtp._tls", 120, oldTLS)}, plan.State{}, tls(newTLS), plan.ActionUpdate, 120, 120},
		"a removal: the negative TTL":  {[]records.RRset{txt("_smtp._tls", 120, oldTLS)}, plan.State{}, gone, plan.ActionDelete, 120, 900},
		"the host's own TTL is 5 min":  {[]records.RRset{txt("_smtp._tls", records.AutoTTL, oldTLS)}, plan.State{}, tls(newTLS, func(d *records.Domain) { d.TTL = records.AutoTTL }), plan.ActionUpdate, 300, 300},
		"the declared TTL comes back":  {[]records.RRset{txt("_smtp._tls", 300, newTLS)}, wrote(txt("_smtp._tls", 300, newTLS), noon.Add(-24*time.Hour), 3600), tls(newTLS), plan.ActionTTL, 300, 3600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c0 := stage(zone(c.live...), c.state, noon, c.today)[0]
			if c0.Action != c.action || c0.Exposure != c.exposure || c0.Mistake != c.mistake {
				t.Errorf("%s, exposure %d, mistake %d", c0.Action, c0.Exposure, c0.Mistake)
			}
		})
	}
}

// TestStageRestoresTheDeclaredTTL: after the soak, never before the change is
// written.
func TestStageRestoresTheDeclaredTTL(t *testing.T) {
	t.Parallel()
	declared := func(ttl records.TTL) func(*records.Domain) { return func(d *records.Domain) { d.TTL = ttl } }
	block := tls(newTLS)
	block.Values[0].TTL, block.Declared[0].TTL = 1800, 1800
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		live  records.RRset
		state plan.State
		today plan.Today
		want  string
	}{
		"just written": {
			txt("_smtp._tls", 300, newTLS), wrote(txt("_smtp._tls", 300, newTLS), noon, 3600), tls(newTLS),
			"waiting restore-ttl _smtp._tls TXT: 3600 " + string(newTLS) + " at +24h0m0s",
		},
		"after the soak": {
			txt("_smtp._tls", 300, newTLS), wrote(txt("_smtp._tls", 300, newTLS), noon.Add(-day), 3600), tls(newTLS),
			"ready restore-ttl _smtp._tls TXT: 3600 " + string(newTLS),
		},
		"a second before": {
			txt("_smtp._tls", 300, newTLS), wrote(txt("_smtp._tls", 300, newTLS), noon.Add(time.Second-day), 3600), tls(newTLS),
			"waiting restore-ttl _smtp._tls TXT: 3600 " + string(newTLS) + " at +1s",
		},
		"the domain's TTL": {txt("_smtp._tls", 300, newTLS), wrote(txt("_smtp._tls", 300, newTLS), noon.Add(-day), 3600), tls(newTLS, declared(7200)), "ready restore-ttl _smtp._tls TXT: 7200 " + string(newTLS)},
		"the block's TTL":  {txt("_smtp._tls", 300, newTLS), wrote(txt("_smtp._tls", 300, newTLS), noon.Add(-day), 3600), block, "ready restore-ttl _smtp._tls TXT: 1800 " + string(newTLS)},
		"none declared: the one before ours, at most ttl_max": {
			txt("_smtp._tls", 300, newTLS), wrote(txt("_smtp._tls", 300, newTLS), noon.Add(-day), 86400), tls(newTLS), "ready restore-ttl _smtp._tls TXT: 3600 " + string(newTLS),
		},
		"nothing to restore":              {txt("_smtp._tls", 3600, newTLS), wrote(txt("_smtp._tls", 3600, newTLS), noon.Add(-day), 3600), tls(newTLS), ""},
		"never written by us":             {txt("_smtp._tls", 600, newTLS), plan.State{}, tls(newTLS), ""},
		"never written, another declared": {txt("_smtp._tls", 600, newTLS), plan.State{}, tls(newTLS, declared(1200)), "ready restore-ttl _smtp._tls TXT: 1200 " + string(newTLS)},
		"never written, above ttl_max":    {txt("_smtp._tls", 86400, newTLS), plan.State{}, tls(newTLS), "ready restore-ttl _smtp._tls TXT: 3600 " + string(newTLS)},
		"given another TTL by hand":       {txt("_smtp._tls", 600, newTLS), wrote(txt("_smtp._tls", 300, newTLS), noon, 3600), tls(newTLS), ""},
		"lowered for a change that is no longer declared": {
			txt("_smtp._tls", 300, oldTLS), wrote(txt("_smtp._tls", 300, oldTLS), noon.Add(-day), 3600), tls(oldTLS), "ready restore-ttl _smtp._tls TXT: 3600 " + string(oldTLS),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := show(stage(zone(c.live), c.state, noon, c.today)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestStageSharedSet: a set has one TTL, whoever owns its values.
func TestStageSharedSet(t *testing.T) {
	t.Parallel()
	apexTXT := key("@", records.TypeTXT)
	spf := func(v ...records.Value) plan.Today {
		today := asks(wants(records.KindSPF, apexTXT, v...))
		if len(v) > 0 {
			today.Covers = []records.Cover{covers(records.KindSPF, apexTXT, "v=spf1")}
		}
		return today
	}
	owned := wrote(txt("@", 300, "v=spf1 a ~all", "token"), noon.Add(-24*time.Hour), 7200)
	owned.Owned = owns(apex, records.KindSPF, apexTXT, "v=spf1 a ~all")
	left := wrote(txt("@", 300, "token"), noon, 7200)
	for name, c := range map[string]struct {
		live  records.RRset
		state plan.State
		today plan.Today
		want  string
	}{
		"we join a stranger's set": {
			txt("@", 7200, "token"), plan.State{}, spf("v=spf1 a ~all"), "ready change @ TXT: 300 token | v=spf1 a ~all",
		},
		"our last value leaves": {
			txt("@", 300, "v=spf1 a ~all", "token"), owned, spf(), "ready change @ TXT: 300 token",
		},
		"the former TTL returns after the soak": {
			txt("@", 300, "token"), left, spf(), "waiting restore-ttl @ TXT: 7200 token at +24h0m0s",
		},
		"but not over a later edit": {
			txt("@", 600, "token"), left, spf(), "",
		},
		"a stranger's set is no business of ours": {
			txt("@", 86400, "token"), plan.State{}, spf(), "",
		},
		"another value of the set changes": {
			txt("@", 3600, "v=spf1 a ~all", "token"), plan.State{Owned: owned.Owned},
			asks(wants(records.KindSPF, apexTXT, "v=spf1 a ~all"), wants(records.KindRecord, apexTXT, "mine")),
			"ready change @ TXT: 300 mine | token | v=spf1 a ~all",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := show(stage(zone(c.live), c.state, noon, c.today)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestStageTwoDomainsInOneSet: a set in which two domains have values is one
// item, the same whichever domain comes first, and waits for what either
// replaces.
func TestStageTwoDomainsInOneSet(t *testing.T) {
	t.Parallel()
	k := key("b", records.TypeTXT)
	const child records.Name = "b.a.example"
	parent := asks(wants(records.KindRecord, k, "new=1"))
	below := asks(wants(records.KindSPF, k, "v=spf1 a ~all"))
	below.Domain.Name = child
	below.Covers = []records.Cover{covers(records.KindSPF, k, "v=spf1")}
	live := zone(txt("b", 3600, "old=1", "v=spf1 a ~all", "stranger"))
	state := plan.State{Owned: slices.Concat(owns(apex, records.KindRecord, k, "old=1"), owns(child, records.KindSPF, k, "v=spf1 a ~all"))}
	var got []string
	for _, today := range [][]plan.Today{{parent, below}, {below, parent}} {
		past := state.Index()
		staged := plan.Stage(live, plan.Diff(live, plan.Overlay(live, past, today)), today, past, records.Limits{}, at(noon))
		got = append(got, string(child)+"\n"+show(staged.Changes[child])+"\n"+string(apex)+"\n"+show(staged.Changes[apex]))
	}
	want := lines("b.a.example", "a.example",
		"ready lower-ttl b TXT: 300 old=1 | stranger | v=spf1 a ~all",
		"waiting change b TXT: 300 new=1 | stranger | v=spf1 a ~all at +1h0m30s")
	for _, g := range got {
		if strings.ReplaceAll(g, "\n\n", "\n") != want {
			t.Errorf("got\n%s\nwant\n%s", g, want)
		}
	}
}

// TestStageGroup: what can't stand beside each other goes together, at the
// later of the two times.
func TestStageGroup(t *testing.T) {
	t.Parallel()
	text, alias := key("s1._domainkey", records.TypeTXT), key("s1._domainkey", records.TypeCNAME)
	toAlias := asks(wants(records.KindDKIM, alias, "s1.example.net"))
	toAlias.Covers = []records.Cover{covers(records.KindDKIM, text, ""), covers(records.KindDKIM, alias, "")}
	toText := asks(wants(records.KindDKIM, text, "v=DKIM1; p="))
	toText.Covers = toAlias.Covers
	for name, c := range map[string]struct {
		live  records.RRset
		today plan.Today
		want  string
	}{
		"TXT to CNAME": {
			txt("s1._domainkey", 3600, "v=DKIM1; p=x"), toAlias,
			lines("waiting change s1._domainkey CNAME: 300 s1.example.net at +1h0m30s",
				"ready lower-ttl s1._domainkey TXT: 300 v=DKIM1; p=x", "waiting change s1._domainkey TXT: nothing at +1h0m30s"),
		},
		"CNAME to TXT": {
			set("s1._domainkey", records.TypeCNAME, 3600, "s1.example.net"), toText,
			lines("ready lower-ttl s1._domainkey CNAME: 300 s1.example.net", "waiting change s1._domainkey CNAME: nothing at +1h0m30s",
				"waiting change s1._domainkey TXT: 300 v=DKIM1; p= at +1h0m30s"),
		},
		"due at once": {
			set("s1._domainkey", records.TypeCNAME, 300, "s1.example.net"), toText,
			lines("ready change s1._domainkey CNAME: nothing", "ready change s1._domainkey TXT: 300 v=DKIM1; p="),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := stage(zone(c.live), plan.State{}, noon, c.today)
			if show(got) != c.want {
				t.Errorf("got\n%s\nwant\n%s", show(got), c.want)
			}
			for _, ch := range got {
				if grouped := ch.Group != nil && *ch.Group == "s1._domainkey.a.example"; grouped != (ch.Step == plan.StepChange) {
					t.Errorf("%s %s: group %v", ch.Step, ch.Type, ch.Group)
				}
			}
		})
	}
	// Two changes at one name that may stand beside each other are none.
	mx := asks(wants(records.KindMX, key("@", "MX"), "10 mx.example"), wants(records.KindSPF, key("@", "TXT"), "v=spf1 mx ~all"))
	for _, ch := range stage(zone(), plan.State{}, noon, mx) {
		if ch.Group != nil {
			t.Errorf("%s is grouped", ch.Type)
		}
	}
}

// TestStageHeld: a held change is told from today's values to what the gate
// would let through, at the TTL that the set has.
func TestStageHeld(t *testing.T) {
	t.Parallel()
	k := key("_dmarc", records.TypeTXT)
	verdict := []plan.GateVerdict{{ID: "dmarc-ramp", Verdict: plan.VerdictNo, Reason: "r", Needs: "n"}}
	today := asks(wants(records.KindDMARC, k, "v=DMARC1; p=none"))
	today.Declared = wants(records.KindDMARC, k, "v=DMARC1; p=reject")
	today.Covers = []records.Cover{covers(records.KindDMARC, k, "")}
	today.Held = []plan.Gated{{Kind: records.KindDMARC, Key: k, After: []records.Value{"v=DMARC1; p=quarantine"}, Gates: verdict}}
	for name, c := range map[string]struct {
		live   []records.RRset
		before string
	}{
		"beside a new set":  {nil, "300 v=DMARC1; p=none"},
		"beside a live one": {[]records.RRset{txt("_dmarc", 3600, "v=DMARC1; p=none")}, "3600 v=DMARC1; p=none"},
		"beside a change":   {[]records.RRset{txt("_dmarc", 3600, "v=DMARC1; p=reject")}, "3600 v=DMARC1; p=none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := stage(zone(c.live...), plan.State{}, noon, today)
			h := got[len(got)-1]
			if h.State != plan.Held || contents(h.Before) != c.before || contents(h.After) != "300 v=DMARC1; p=quarantine" || contents(h.Declared) != "3600 v=DMARC1; p=reject" || len(h.Gates) != 1 {
				t.Errorf("%+v\nbefore %s, after %s, declared %s", h, contents(h.Before), contents(h.After), contents(h.Declared))
			}
			if h.Exposure != int64(h.Before.TTL) {
				t.Errorf("exposure %d, TTL %d", h.Exposure, h.Before.TTL)
			}
			if len(h.Meaning) == 0 || !strings.Contains(h.Meaning[0], "quarantine") {
				t.Errorf("meaning %q", h.Meaning)
			}
		})
	}
}

// TestStageOnlyAfterTheSetIsWritten: the step that restores a TTL is not listed
// beside a change that waits.
func TestStageOnlyAfterTheSetIsWritten(t *testing.T) {
	t.Parallel()
	for _, c := range stage(zone(txt("_smtp._tls", 3600, oldTLS)), plan.State{}, noon, tls(newTLS)) {
		if c.Step == plan.StepRestoreTTL {
			t.Errorf("%+v", c)
		}
	}
}

// TestStageExemptions: what can't make mail fare worse than a cache does is
// ready at once, whatever the TTL.
func TestStageExemptions(t *testing.T) {
	t.Parallel()
	dmarc, dkim := key("_dmarc", "TXT"), key("s1._domainkey", "TXT")
	covered := func(kind records.Kind, k records.Key, prefix string, v records.Value) plan.Today {
		today := asks(wants(kind, k, v))
		today.Covers = []records.Cover{covers(kind, k, prefix)}
		return today
	}
	const good records.Value = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	for name, c := range map[string]struct {
		live  []records.RRset
		today plan.Today
	}{
		"a new name":                 {nil, covered(records.KindDMARC, dmarc, "", "v=DMARC1; p=none")},
		"a value beside others":      {[]records.RRset{txt("@", 86400, "token")}, covered(records.KindSPF, txtKey, "v=spf1", spfThen)},
		"wider SPF":                  {[]records.RRset{txt("@", 86400, spfNow)}, covered(records.KindSPF, txtKey, "v=spf1", spfBoth)},
		"two SPF records become one": {[]records.RRset{txt("@", 86400, spfNow, spfThen)}, covered(records.KindSPF, txtKey, "v=spf1", spfThen)},
		"looser DMARC":               {[]records.RRset{txt("_dmarc", 86400, "v=DMARC1; p=reject")}, covered(records.KindDMARC, dmarc, "", "v=DMARC1; p=none")},
		"a broken value is mended":   {[]records.RRset{txt("s1._domainkey", 86400, "v=DKIM1; p=x")}, covered(records.KindDKIM, dkim, "", good)},
		"a policy goes": {[]records.RRset{txt("_dmarc", 86400, "v=DMARC1; p=reject")}, func() plan.Today {
			t := covered(records.KindDMARC, dmarc, "", "x")
			t.Values, t.Declared = nil, nil
			return t
		}()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := stage(zone(c.live...), plan.State{}, noon, c.today)
			if len(got) != 1 || got[0].State != plan.Ready || got[0].Step != plan.StepChange || got[0].After != nil && got[0].After.TTL != 300 {
				t.Errorf("got\n%s", show(got))
			}
		})
	}
}
