package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

// showWay prints a restoration: changes, kept sets, conflicts and holds.
func showWay(r plan.Restoration) string {
	var out []string
	for domain, list := range r.Domains {
		for _, c := range list {
			line := fmt.Sprintf("%s %s %s: %s, then %s", c.Action, c.Kind, where(c.Key()), contents(c.After), contents(c.Declared))
			if c.Group != nil {
				line += ", grouped"
			}
			if domain != apex {
				line = string(domain) + " " + line
			}
			out = append(out, line)
		}
	}
	for _, k := range r.Kept {
		out = append(out, fmt.Sprintf("keep %s %s: %s", k.Kind, where(k.Key), k.Values[0]))
	}
	for _, c := range r.Conflicts {
		out = append(out, fmt.Sprintf("conflict %s: left %s, now %s, target %s", where(c.Key), values(c.Left), values(c.Live), values(c.Target)))
	}
	for _, h := range r.Holds {
		out = append(out, fmt.Sprintf("hold %s %s +%v -%v", h.Kind, h.Name.Relative(apex), h.Added, h.Removed))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func values(s *records.RRset) string {
	if s == nil {
		return "nothing"
	}
	words := make([]string, len(s.Values))
	for i, v := range s.Values {
		words[i] = string(v)
	}
	return strings.Join(words, " | ")
}

func sortedLines(want ...string) string {
	slices.Sort(want)
	return strings.Join(want, "\n")
}

// TestR19Restore proves the way back set by set: ours is taken away, what was
// ours or was taken is put back, and what is foreign stays as it is now.
func TestR19Restore(t *testing.T) {
	t.Parallel()
	const (
		one    records.Value = "v=spf1 include:one.example ~all"
		two    records.Value = "v=spf1 include:two.example ~all"
		merged records.Value = "v=spf1 include:one.example include:two.example ~all"
		none   records.Value = "v=DMARC1; p=none"
		quar   records.Value = "v=DMARC1; p=quarantine"
		rej    records.Value = "v=DMARC1; p=reject"
		keyA   records.Value = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
		keyB   records.Value = "v=DKIM1; k=ed25519; p=PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
	)
	dmarc, s1, mxKey := key("_dmarc", "TXT"), key("s1._domainkey", "TXT"), key("@", "MX")
	spfOwned := func(v ...records.Value) []plan.Owned { return owns(apex, records.KindSPF, txtKey, v...) }
	child := records.Name("b.a.example")
	for name, c := range map[string]struct {
		now    []records.RRset
		left   []records.RRset // nil: as now
		owned  []plan.Owned
		target plan.Target
		opts   plan.RestoreOptions
		want   string
	}{
		"our value gives way to the former one": {
			now: []records.RRset{txt("@", 3600, two, "token")}, owned: spfOwned(two),
			target: plan.Target{Sets: []records.RRset{txt("@", 3600, one, "token")}, Owned: spfOwned(one), Written: spfOwned(two), Removed: spfOwned(one)},
			want: sortedLines("update spf @ TXT: 300 token | "+string(one)+", then 3600 token | "+string(one),
				"hold spf @ +[include:two.example] -[include:one.example]"),
		},
		"the first apply's two records come back, byte for byte": {
			now: []records.RRset{txt("@", 300, merged, "token")}, owned: spfOwned(merged),
			target: plan.Target{Sets: []records.RRset{txt("@", 7200, one, "v=spf1  include:two.example  ~all", "token")}, Written: spfOwned(merged), Removed: spfOwned(one, "v=spf1  include:two.example  ~all")},
			want: sortedLines("update spf @ TXT: 300 token | v=spf1  include:two.example  ~all | "+string(one)+", then 7200 token | v=spf1  include:two.example  ~all | "+string(one),
				"hold spf @ +[] -[records=2]"),
		},
		"foreign values stay as they are now": {
			now: []records.RRset{txt("@", 300, two, "new token")}, owned: spfOwned(two),
			target: plan.Target{Sets: []records.RRset{txt("@", 3600, one, "old token")}, Owned: spfOwned(one), Written: spfOwned(two), Removed: spfOwned(one)},
			want: sortedLines("update spf @ TXT: 300 new token | "+string(one)+", then 3600 new token | "+string(one),
				"hold spf @ +[include:two.example] -[include:one.example]"),
		},
		"what is ours now and was a stranger's then stays": {
			now: []records.RRset{txt("@", 300, one, "token")}, owned: spfOwned(one),
			target: plan.Target{Sets: []records.RRset{txt("@", 300, one, "token")}}, want: "",
		},
		"a new set goes": {
			now: []records.RRset{txt("_dmarc", 300, none)}, owned: owns(apex, records.KindDMARC, dmarc, none),
			target: plan.Target{Written: owns(apex, records.KindDMARC, dmarc, none)},
			want:   sortedLines("delete dmarc _dmarc TXT: nothing, then nothing", "hold dmarc _dmarc +[p=none v=DMARC1] -[]"),
		},
		"a set that went comes back, at the TTL that it was to have": {
			target: plan.Target{Sets: []records.RRset{txt("_dmarc", 300, none)}, Owned: owns(apex, records.KindDMARC, dmarc, none), Removed: owns(apex, records.KindDMARC, dmarc, none),
				Base: []plan.SetState{{Name: dmarc.Name, Type: dmarc.Type, Base: 1800}}},
			want: sortedLines("create dmarc _dmarc TXT: 300 "+string(none)+", then 1800 "+string(none), "hold dmarc _dmarc +[] -[p=none v=DMARC1]"),
		},
		"written since, and no longer owned": {
			now: []records.RRset{txt("@", 300, two, "token")}, left: []records.RRset{txt("@", 300, two, "token")},
			target: plan.Target{Sets: []records.RRset{txt("@", 3600, "token")}, Written: spfOwned(two)},
			want:   sortedLines("update spf @ TXT: 300 token, then 3600 token", "hold spf @ +[all=~ include:two.example] -[]"),
		},
		"nothing to restore": {
			now: []records.RRset{txt("@", 300, one)}, owned: spfOwned(one), target: plan.Target{Sets: []records.RRset{txt("@", 3600, one)}, Owned: spfOwned(one)}, want: "",
		},

		"a new selector is kept": {
			now: []records.RRset{txt("s1._domainkey", 300, keyA)}, owned: owns(apex, records.KindDKIM, s1, keyA),
			target: plan.Target{Written: owns(apex, records.KindDKIM, s1, keyA)}, want: "keep dkim s1._domainkey TXT: " + string(keyA),
		},
		"a new selector goes with --exact": {
			now: []records.RRset{txt("s1._domainkey", 300, keyA)}, owned: owns(apex, records.KindDKIM, s1, keyA), opts: plan.RestoreOptions{Exact: true},
			target: plan.Target{Written: owns(apex, records.KindDKIM, s1, keyA)},
			want: sortedLines("delete dkim s1._domainkey TXT: nothing, then nothing",
				"hold dkim s1._domainkey +"+fmt.Sprint(records.Parts(records.KindDKIM, []records.Value{keyA}))+" -[]"),
		},
		"a new selector of a record block is kept": {
			now: []records.RRset{set("s1._domainkey", "CNAME", 300, "s1.example.net")}, owned: owns(apex, records.KindRecord, key("s1._domainkey", "CNAME"), "s1.example.net"),
			target: plan.Target{Written: owns(apex, records.KindRecord, key("s1._domainkey", "CNAME"), "s1.example.net")}, want: "keep dkim s1._domainkey CNAME: s1.example.net",
		},
		"a key that was changed in place comes back": {
			now: []records.RRset{txt("s1._domainkey", 300, keyB)}, owned: owns(apex, records.KindDKIM, s1, keyB),
			target: plan.Target{Sets: []records.RRset{txt("s1._domainkey", 3600, keyA)}, Owned: owns(apex, records.KindDKIM, s1, keyA), Written: owns(apex, records.KindDKIM, s1, keyB), Removed: owns(apex, records.KindDKIM, s1, keyA)},
			want: sortedLines("update dkim s1._domainkey TXT: 300 "+string(keyA)+", then 3600 "+string(keyA),
				"hold dkim s1._domainkey +"+fmt.Sprint(records.Parts(records.KindDKIM, []records.Value{keyB}))+" -"+fmt.Sprint(records.Parts(records.KindDKIM, []records.Value{keyA}))),
		},
		"a key that became an alias: both in one transaction": {
			now: []records.RRset{set("s1._domainkey", "CNAME", 300, "s1.example.net")}, owned: owns(apex, records.KindDKIM, key("s1._domainkey", "CNAME"), "s1.example.net"),
			target: plan.Target{Sets: []records.RRset{txt("s1._domainkey", 3600, keyA)}, Owned: owns(apex, records.KindDKIM, s1, keyA), Written: owns(apex, records.KindDKIM, key("s1._domainkey", "CNAME"), "s1.example.net"), Removed: owns(apex, records.KindDKIM, s1, keyA)},
			want: sortedLines("delete dkim s1._domainkey CNAME: nothing, then nothing, grouped", "create dkim s1._domainkey TXT: 300 "+string(keyA)+", then 3600 "+string(keyA)+", grouped",
				"hold dkim s1._domainkey +"+fmt.Sprint(records.Parts(records.KindDKIM, []records.Value{"s1.example.net"}))+" -[]",
				"hold dkim s1._domainkey +[] -"+fmt.Sprint(records.Parts(records.KindDKIM, []records.Value{keyA}))),
		},
		"an authorisation for reports is kept": {
			now: []records.RRset{txt("x.example._report._dmarc", 300, "v=DMARC1")}, owned: owns(apex, records.KindDMARC, key("x.example._report._dmarc", "TXT"), "v=DMARC1"),
			target: plan.Target{Written: owns(apex, records.KindDMARC, key("x.example._report._dmarc", "TXT"), "v=DMARC1")}, want: "keep dmarc x.example._report._dmarc TXT: v=DMARC1",
		},

		"an edit by hand is a conflict": {
			now: []records.RRset{txt("_dmarc", 300, rej)}, left: []records.RRset{txt("_dmarc", 300, quar)}, owned: owns(apex, records.KindDMARC, dmarc, quar),
			target: plan.Target{Sets: []records.RRset{txt("_dmarc", 3600, none)}, Owned: owns(apex, records.KindDMARC, dmarc, none), Written: owns(apex, records.KindDMARC, dmarc, quar), Removed: owns(apex, records.KindDMARC, dmarc, none)},
			want:   "conflict _dmarc TXT: left " + string(quar) + ", now " + string(rej) + ", target " + string(none),
		},
		"an edit that equals the target is none": {
			now: []records.RRset{txt("_dmarc", 300, none)}, left: []records.RRset{txt("_dmarc", 300, quar)}, owned: owns(apex, records.KindDMARC, dmarc, quar),
			target: plan.Target{Sets: []records.RRset{txt("_dmarc", 3600, none)}, Owned: owns(apex, records.KindDMARC, dmarc, none), Written: owns(apex, records.KindDMARC, dmarc, quar), Removed: owns(apex, records.KindDMARC, dmarc, none)},
			want:   "",
		},
		"an edit is overwritten by force": {
			now: []records.RRset{txt("_dmarc", 300, rej)}, left: []records.RRset{txt("_dmarc", 300, quar)}, owned: owns(apex, records.KindDMARC, dmarc, quar), opts: plan.RestoreOptions{Force: true},
			target: plan.Target{Sets: []records.RRset{txt("_dmarc", 3600, none)}, Owned: owns(apex, records.KindDMARC, dmarc, none), Written: owns(apex, records.KindDMARC, dmarc, quar), Removed: owns(apex, records.KindDMARC, dmarc, none)},
			want:   sortedLines("update dmarc _dmarc TXT: 300 "+string(none)+", then 3600 "+string(none), "hold dmarc _dmarc +[p=reject] -[p=none]"),
		},
		"an edit is left, the rest is restored": {
			now: []records.RRset{txt("_dmarc", 300, rej), txt("@", 300, two)}, left: []records.RRset{txt("_dmarc", 300, quar), txt("@", 300, two)}, owned: slices.Concat(owns(apex, records.KindDMARC, dmarc, quar), spfOwned(two)), opts: plan.RestoreOptions{KeepEdits: true},
			target: plan.Target{Sets: []records.RRset{txt("_dmarc", 3600, none), txt("@", 3600, one)}, Owned: slices.Concat(owns(apex, records.KindDMARC, dmarc, none), spfOwned(one)), Written: slices.Concat(spfOwned(two), owns(apex, records.KindDMARC, dmarc, quar))},
			want: sortedLines("update spf @ TXT: 300 "+string(one)+", then 3600 "+string(one),
				"hold spf @ +[include:two.example] -[include:one.example]"),
		},
		"an edit of SPF beside another value of ours is a conflict": {
			now: []records.RRset{txt("@", 300, "v=spf1 include:hand.example ~all", "mine")}, left: []records.RRset{txt("@", 300, two, "mine")},
			owned:  slices.Concat(owns(apex, records.KindRecord, txtKey, "mine"), spfOwned(two)),
			target: plan.Target{Sets: []records.RRset{txt("@", 3600, one, "mine")}, Owned: slices.Concat(owns(apex, records.KindRecord, txtKey, "mine"), spfOwned(one)), Written: spfOwned(two), Removed: spfOwned(one)},
			want:   "conflict @ TXT: left mine | " + string(two) + ", now mine | v=spf1 include:hand.example ~all, target mine | " + string(one),
		},
		"an edit that a later entry has seen makes no second record": {
			now: []records.RRset{txt("@", 300, "v=spf1 include:hand.example ~all")}, owned: nil,
			target: plan.Target{Sets: []records.RRset{txt("@", 3600, one)}, Owned: spfOwned(one)},
			want:   "conflict @ TXT: left v=spf1 include:hand.example ~all, now v=spf1 include:hand.example ~all, target " + string(one),
		},
		"a stranger's text beside ours is no edit": {
			now: []records.RRset{txt("@", 300, two, "joined")}, left: []records.RRset{txt("@", 300, two)}, owned: spfOwned(two),
			target: plan.Target{Sets: []records.RRset{txt("@", 3600, one)}, Owned: spfOwned(one), Written: spfOwned(two), Removed: spfOwned(one)},
			want: sortedLines("update spf @ TXT: 300 joined | "+string(one)+", then 3600 joined | "+string(one),
				"hold spf @ +[include:two.example] -[include:one.example]"),
		},
		"a host that joined by hand is an edit": {
			now: []records.RRset{set("@", "MX", 300, "10 new.example", "20 hand.example")}, left: []records.RRset{set("@", "MX", 300, "10 new.example")}, owned: owns(apex, records.KindMX, mxKey, "10 new.example"),
			target: plan.Target{Sets: []records.RRset{set("@", "MX", 300, "10 old.example")}, Owned: owns(apex, records.KindMX, mxKey, "10 old.example"), Written: owns(apex, records.KindMX, mxKey, "10 new.example"), Removed: owns(apex, records.KindMX, mxKey, "10 old.example")},
			want:   "conflict @ MX: left 10 new.example, now 10 new.example | 20 hand.example, target 10 old.example",
		},
		"a forgotten host stays": {
			now: []records.RRset{set("@", "MX", 300, "10 new.example", "20 forgotten.example")}, owned: owns(apex, records.KindMX, mxKey, "10 new.example"),
			target: plan.Target{Sets: []records.RRset{set("@", "MX", 300, "10 old.example", "20 forgotten.example")}, Owned: owns(apex, records.KindMX, mxKey, "10 old.example"), Written: owns(apex, records.KindMX, mxKey, "10 new.example"), Removed: owns(apex, records.KindMX, mxKey, "10 old.example")},
			want: sortedLines("update mx @ MX: 300 10 old.example | 20 forgotten.example, then 300 10 old.example | 20 forgotten.example",
				"hold mx @ +[10 new.example] -[10 old.example]"),
		},

		"two kinds in one set are two holds": {
			now: []records.RRset{txt("@", 300, two, "mine=2")}, owned: slices.Concat(owns(apex, records.KindRecord, txtKey, "mine=2"), spfOwned(two)),
			target: plan.Target{Sets: []records.RRset{txt("@", 3600, one, "mine=1")}, Owned: slices.Concat(owns(apex, records.KindRecord, txtKey, "mine=1"), spfOwned(one)),
				Written: slices.Concat(owns(apex, records.KindRecord, txtKey, "mine=2"), spfOwned(two)), Removed: slices.Concat(owns(apex, records.KindRecord, txtKey, "mine=1"), spfOwned(one))},
			want: sortedLines("update spf @ TXT: 300 mine=1 | "+string(one)+", then 3600 mine=1 | "+string(one),
				"hold spf @ +[include:two.example] -[include:one.example]", "hold record @ +[mine=2] -[mine=1]"),
		},
		"what nobody owned belongs to the domain that has its kind there": {
			now: []records.RRset{txt("b", 300, two, "parent=2")}, owned: slices.Concat(owns(apex, records.KindRecord, key("b", "TXT"), "parent=2"), owns(child, records.KindSPF, key("b", "TXT"), two)), opts: plan.RestoreOptions{Domains: []records.Name{child}},
			target: plan.Target{Sets: []records.RRset{txt("b", 300, one)}, Removed: owns(apex, records.KindSPF, key("b", "TXT"), one),
				Written: slices.Concat(owns(apex, records.KindRecord, key("b", "TXT"), "parent=2"), owns(child, records.KindSPF, key("b", "TXT"), two))},
			want: sortedLines("b.a.example update spf b TXT: 300 parent=2 | "+string(one)+", then 300 parent=2 | "+string(one), "hold spf b +[include:two.example] -[include:one.example]"),
		},
		"only the chosen domain": {
			now: []records.RRset{txt("@", 300, two), txt("b", 300, two)}, owned: slices.Concat(spfOwned(two), owns(child, records.KindSPF, key("b", "TXT"), two)), opts: plan.RestoreOptions{Domains: []records.Name{child}},
			target: plan.Target{Sets: []records.RRset{txt("@", 300, one), txt("b", 300, one)}, Owned: slices.Concat(spfOwned(one), owns(child, records.KindSPF, key("b", "TXT"), one)),
				Written: slices.Concat(spfOwned(two), owns(child, records.KindSPF, key("b", "TXT"), two))},
			want: sortedLines("b.a.example update spf b TXT: 300 "+string(one)+", then 300 "+string(one), "hold spf b +[include:two.example] -[include:one.example]"),
		},
		"another domain's value in the set stays": {
			now: []records.RRset{txt("b", 300, two, "parent=2")}, owned: slices.Concat(owns(apex, records.KindRecord, key("b", "TXT"), "parent=2"), owns(child, records.KindSPF, key("b", "TXT"), two)), opts: plan.RestoreOptions{Domains: []records.Name{child}},
			target: plan.Target{Sets: []records.RRset{txt("b", 300, one, "parent=1")}, Owned: slices.Concat(owns(apex, records.KindRecord, key("b", "TXT"), "parent=1"), owns(child, records.KindSPF, key("b", "TXT"), one)),
				Written: slices.Concat(owns(apex, records.KindRecord, key("b", "TXT"), "parent=2"), owns(child, records.KindSPF, key("b", "TXT"), two))},
			want: sortedLines("b.a.example update spf b TXT: 300 parent=2 | "+string(one)+", then 300 parent=2 | "+string(one), "hold spf b +[include:two.example] -[include:one.example]"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := plan.State{Owned: c.owned, Live: c.now}
			if c.left != nil {
				state.Live = c.left
			}
			c.opts.TTL = 300
			got := plan.Restore(zone(c.now...), state.Index(), c.target, c.opts)
			if showWay(got) != c.want {
				t.Errorf("got\n%s\nwant\n%s", showWay(got), c.want)
			}
		})
	}
}

// TestR20RestoreTimes: what is restored is written at once with a short TTL,
// behind no gate, and says how long caches may serve what it replaces.
func TestR20RestoreTimes(t *testing.T) {
	t.Parallel()
	dmarc := key("_dmarc", "TXT")
	owned := owns(apex, records.KindDMARC, dmarc, "v=DMARC1; p=reject")
	for name, c := range map[string]struct {
		now               []records.RRset
		then              []records.RRset
		exposure, mistake int64
	}{
		"update": {[]records.RRset{txt("_dmarc", 3600, "v=DMARC1; p=reject")}, []records.RRset{txt("_dmarc", 3600, "v=DMARC1; p=none")}, 3600, 300},
		"create": {nil, []records.RRset{txt("_dmarc", 3600, "v=DMARC1; p=none")}, 900, 300},
		"delete": {[]records.RRset{txt("_dmarc", 3600, "v=DMARC1; p=reject")}, nil, 3600, 900},
	} {
		state := plan.State{Live: c.now}
		if c.now != nil {
			state.Owned = owned
		}
		target := plan.Target{Sets: c.then, Written: owned, Removed: owns(apex, records.KindDMARC, dmarc, "v=DMARC1; p=none")}
		got := plan.Restore(zone(c.now...), state.Index(), target, plan.RestoreOptions{TTL: 300}).Domains[apex]
		if len(got) != 1 || got[0].State != plan.Ready || len(got[0].Gates) > 0 || got[0].Exposure != c.exposure || got[0].Mistake != c.mistake {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTightens(t *testing.T) {
	t.Parallel()
	set := func(v ...records.Value) *plan.Set {
		if len(v) == 0 {
			return nil
		}
		return &plan.Set{TTL: 300, Values: v}
	}
	for _, c := range []struct {
		before, after *plan.Set
		want          bool
	}{
		{set("v=DMARC1; p=none"), set("v=DMARC1; p=reject"), true},
		{set("v=DMARC1; p=reject"), set("v=DMARC1; p=none"), false},
		{set(), set("v=DMARC1; p=quarantine"), true},
		{set("v=DMARC1; p=quarantine"), set(), false},
		{set("v=DMARC1; p=reject; sp=none"), set("v=DMARC1; p=none; sp=reject"), true},
		{set("v=DMARC1; p=none", "text"), set("v=DMARC1; p=reject", "text"), true},
		{set("v=DMARC1; p=none", "v=DMARC1; p=reject"), set("v=DMARC1; p=reject"), true},
	} {
		if got := plan.Tightens(plan.Change{Before: c.before, After: c.after}); got != c.want {
			t.Errorf("%s to %s: %t", contents(c.before), contents(c.after), got)
		}
	}
}

// TestSnapshot: all mail records of a zone, and whatever else an entry speaks of.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	z := zone(txt("@", 60, "x"), set("@", "MX", 60, "10 m"), set("a", "CNAME", 60, "b"), set("_25._tcp", "TLSA", 60, "3 1 1 00"),
		set("@", "A", 60, "192.0.2.1"), set("mta-sts", "A", 60, "192.0.2.2"), set("@", "NS", 60, "ns"))
	var got []string
	for _, s := range plan.Snapshot(z, key("mta-sts", "A"), key("absent", "A")) {
		got = append(got, where(s.Key))
	}
	if want := []string{"_25._tcp TLSA", "a CNAME", "@ MX", "@ TXT", "mta-sts A"}; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("%v, want %v", got, want)
	}
}
