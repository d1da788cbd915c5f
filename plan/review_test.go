package plan_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

const (
	spfNow  records.Value = "v=spf1 include:old.example ~all"
	spfBoth records.Value = "v=spf1 include:new.example include:old.example ~all"
	spfThen records.Value = "v=spf1 include:new.example ~all"
)

var (
	txtKey   = key("@", records.TypeTXT)
	narrowNo = []plan.GateVerdict{{ID: "spf-narrow", Verdict: plan.Unknown}}
)

// wantsSwap asks for another sender: the union now, the declared record later;
// once the gate is open, the declared record at once.
func wantsSwap(open bool) plan.Today {
	today := asks(wants(records.KindSPF, txtKey, spfThen))
	today.Covers = []records.Cover{covers(records.KindSPF, txtKey, "v=spf1")}
	if !open {
		today.Values = wants(records.KindSPF, txtKey, spfBoth)
		today.Held = []plan.Gated{{Kind: records.KindSPF, Key: txtKey, After: []records.Value{spfThen}, Gates: narrowNo}}
	}
	return today
}

// planFor is a.example's part of a plan.
func planFor(live records.Zone, now time.Time, state plan.State, today plan.Today) plan.Domain {
	return plan.Domain{
		Name: apex, Zone: apex, Provider: "zonefile.local", ConfigDigest: "sha256:1", Live: plan.LiveProvider,
		Changes: stage(live, state, now, today),
	}
}

// both asks for the swap and for another TLS reporting record, at one TTL.
func both(open bool, tlsValue records.Value) plan.Today {
	today, other := wantsSwap(open), tls(tlsValue)
	today.Values = append(today.Values, other.Values...)
	today.Declared = append(today.Declared, other.Declared...)
	today.Covers = append(today.Covers, other.Covers...)
	return today
}

// TestReview proves that a reviewed plan is carried out exactly, or refused.
func TestReview(t *testing.T) {
	t.Parallel()
	read := zone(txt("@", 3600, spfNow, "token"), txt("_smtp._tls", 3600, oldTLS))
	reviewed := planFor(read, noon, plan.State{}, both(false, newTLS))
	lowered := wrote(txt("_smtp._tls", 300, oldTLS), noon, 3600, seen(3600, noon))
	for name, c := range map[string]struct {
		live   records.Zone
		state  plan.State
		now    time.Time
		today  plan.Today
		change func(reviewed, fresh *plan.Domain)
		refuse string
		want   string
	}{
		"as it was read": {
			live: read, today: both(false, newTLS),
			want: lines("ready change @ TXT: 300 token | "+string(spfBoth), "held change @ TXT: 300 token | "+string(spfThen),
				"ready lower-ttl _smtp._tls TXT: 300 "+string(oldTLS), "waiting change _smtp._tls TXT: 300 "+string(newTLS)+" at +1h0m30s"),
		},
		"the declaration has changed": {
			live: read, today: both(false, newTLS), change: func(_, fresh *plan.Domain) { fresh.ConfigDigest = "sha256:2" }, refuse: "declaration",
		},
		"the zone is at another host": {
			live: read, today: both(false, newTLS), change: func(_, fresh *plan.Domain) { fresh.Provider = "cloudflare.main" }, refuse: "cloudflare.main",
		},
		"a value was edited": {
			live: read.With(txt("_smtp._tls", 3600, "v=TLSRPTv1; rua=mailto:third@a.example")), today: both(false, newTLS), refuse: "edited",
		},
		"a TTL was edited": {
			live: read.With(txt("_smtp._tls", 1800, oldTLS)), today: both(false, newTLS), refuse: "edited",
		},
		"a set has gone": {
			live: read.With(txt("_smtp._tls", 3600)), today: both(false, newTLS), refuse: "edited",
		},
		"a foreign value has joined a touched set": {
			live: read.With(txt("@", 3600, spfNow, "token", "joined")), today: both(false, newTLS), refuse: "edited",
		},
		"a foreign value has left a touched set": {
			live: read.With(txt("@", 3600, spfNow)), today: both(false, newTLS), refuse: "edited",
		},
		"other sets may differ": {
			live: read.With(txt("www", 60, "x")), today: both(false, newTLS),
			want: lines("ready change @ TXT: 300 token | "+string(spfBoth), "held change @ TXT: 300 token | "+string(spfThen),
				"ready lower-ttl _smtp._tls TXT: 300 "+string(oldTLS), "waiting change _smtp._tls TXT: 300 "+string(newTLS)+" at +1h0m30s"),
		},
		"some of it is done": {
			live:  zone(txt("@", 300, spfBoth, "token"), txt("_smtp._tls", 300, oldTLS)),
			state: lowered, today: both(false, newTLS),
			want: lines("held change @ TXT: 300 token | "+string(spfThen), "waiting change _smtp._tls TXT: 300 "+string(newTLS)+" at +1h0m30s"),
		},
		"what waited is due": {
			live:  zone(txt("@", 300, spfBoth, "token"), txt("_smtp._tls", 300, oldTLS)),
			state: lowered, now: noon.Add(time.Hour + 30*time.Second), today: both(false, newTLS),
			want: lines("held change @ TXT: 300 token | "+string(spfThen), "ready change _smtp._tls TXT: 300 "+string(newTLS)),
		},
		"a gate has opened": {
			live: zone(txt("@", 300, spfBoth, "token"), txt("_smtp._tls", 3600, newTLS)), today: both(true, newTLS),
			want: "ready change @ TXT: 300 token | " + string(spfThen),
		},
		"a gate has opened before anything was done": {
			live: zone(txt("@", 300, spfNow, "token"), txt("_smtp._tls", 3600, newTLS)), today: both(true, newTLS), change: func(reviewed, _ *plan.Domain) {
				*reviewed = planFor(zone(txt("@", 300, spfNow, "token"), txt("_smtp._tls", 3600, oldTLS)), noon, plan.State{}, both(false, newTLS))
			},
			want: "ready change @ TXT: 300 token | " + string(spfThen),
		},
		"a gate has closed": {
			live: read, today: both(false, newTLS), change: func(reviewed, _ *plan.Domain) {
				*reviewed = planFor(read, noon, plan.State{}, both(true, newTLS))
			}, // and today's union is left out, since it was not reviewed
			want: lines("held change @ TXT: 300 token | "+string(spfThen),
				"ready lower-ttl _smtp._tls TXT: 300 "+string(oldTLS), "waiting change _smtp._tls TXT: 300 "+string(newTLS)+" at +1h0m30s"),
		},
		"all is done, whoever wrote it": {
			live: zone(txt("@", 3600, spfThen, "token"), txt("_smtp._tls", 3600, newTLS)), today: both(true, newTLS), want: "",
		},
		"done, and a foreign value has joined since": {
			live: zone(txt("@", 3600, spfThen, "token", "joined"), txt("_smtp._tls", 3600, newTLS)), today: both(true, newTLS), want: "",
		},
		"done, with the short TTL": {
			live: zone(txt("@", 300, spfThen, "token"), txt("_smtp._tls", 3600, newTLS)), state: wrote(txt("@", 300, spfThen, "token"), noon, 3600), today: both(true, newTLS),
			want: "waiting restore-ttl @ TXT: 3600 token | " + string(spfThen) + " at +24h0m0s",
		},
		"something else would be written": {
			live: read, today: both(false, "v=TLSRPTv1; rua=mailto:other@a.example"), refuse: "not reviewed",
		},
		"what the file doesn't contain is left out": {
			live: read, today: both(false, newTLS), change: func(reviewed, _ *plan.Domain) { reviewed.Changes = reviewed.Changes[2:] },
			want: lines("ready change @ TXT: 300 token | "+string(spfBoth), "held change @ TXT: 300 token | "+string(spfThen)),
		},
		"a set whose change is held was edited": {
			live: zone(txt("@", 300, "v=spf1 include:new.example include:by-hand.example ~all", "token"), txt("_smtp._tls", 3600, newTLS)),
			today: func() plan.Today {
				today := wantsSwap(false)
				today.Values = wants(records.KindSPF, txtKey, "v=spf1 include:new.example include:by-hand.example ~all")
				return today
			}(), refuse: "edited",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, now := reviewed, noon
			if !c.now.IsZero() {
				now = c.now
			}
			fresh := planFor(c.live, now, c.state, c.today)
			if c.change != nil {
				c.change(&old, &fresh)
			}
			kept, left, err := plan.Review(old, fresh, c.live)
			var refused *plan.RefusedError
			switch {
			case c.refuse != "":
				if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.refuse) || !strings.Contains(err.Error(), "a.example") {
					t.Errorf("error %v, want one about %q", err, c.refuse)
				}
			case err != nil:
				t.Error(err)
			case sorted(show(kept.Changes)) != sorted(c.want):
				t.Errorf("got\n%s\nwant\n%s", show(kept.Changes), c.want)
			case len(kept.Changes)+len(left) != len(fresh.Changes):
				t.Errorf("%d kept, %d left out of %d", len(kept.Changes), len(left), len(fresh.Changes))
			}
		})
	}
}

// TestReviewThroughDNS: a plan made from what name servers said may be applied.
// The host's own TTL can't be seen there, so it isn't compared.
func TestReviewThroughDNS(t *testing.T) {
	t.Parallel()
	auto := func(d *records.Domain) { d.TTL = records.AutoTTL }
	seen := zone(txt("_smtp._tls", 300, oldTLS))
	for name, c := range map[string]struct {
		how     plan.Live
		live    records.Zone
		refused bool
	}{
		"automatic at the host":              {plan.LiveDNS, zone(txt("_smtp._tls", records.AutoTTL, oldTLS)), false},
		"the same TTL at the host":           {plan.LiveDNS, zone(txt("_smtp._tls", 300, oldTLS)), false},
		"another TTL at the host":            {plan.LiveDNS, zone(txt("_smtp._tls", 600, oldTLS)), true},
		"another value":                      {plan.LiveDNS, zone(txt("_smtp._tls", 300, "v=TLSRPTv1; rua=mailto:x@a.example")), true},
		"automatic, but it was read from it": {plan.LiveProvider, zone(txt("_smtp._tls", records.AutoTTL, oldTLS)), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reviewed := planFor(seen, noon, plan.State{}, tls(newTLS, auto))
			reviewed.Live = c.how
			fresh := planFor(c.live, noon, plan.State{}, tls(newTLS, auto))
			if _, _, err := plan.Review(reviewed, fresh, c.live); (err != nil) != c.refused {
				t.Errorf("error %v", err)
			}
		})
	}
}
