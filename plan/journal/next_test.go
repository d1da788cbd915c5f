package journal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/records"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

const (
	spfOld     records.Value = "v=spf1 include:old.example ~all"
	spfNew     records.Value = "v=spf1 include:new.example ~all"
	foreign    records.Value = "site-verification=1"
	dmarcNone  records.Value = "v=DMARC1; p=none"
	dmarcQuar  records.Value = "v=DMARC1; p=quarantine"
	dmarcName  records.Name  = "_dmarc.a.example"
	otherName  records.Name  = "b.a.example"
	otherValue records.Value = "v=spf1 -all"
)

// base is a run that replaces the SPF record and tightens DMARC, in a zone with
// a foreign value and another domain's record.
func base() (plan.State, journal.Intent) {
	before := []records.RRset{txt(zone, 3600, spfOld, foreign), txt(dmarcName, 300, dmarcNone), txt(otherName, 600, otherValue)}
	spf := item(records.KindSPF, before[0], txt(zone, 300, spfNew, foreign), 3600)
	dmarc := item(records.KindDMARC, before[1], txt(dmarcName, 300, dmarcQuar), 3600)
	others := plan.Owned{Domain: otherName, Kind: records.KindSPF, Name: otherName, Type: records.TypeTXT, Value: otherValue}
	prev := plan.State{
		Seq: 6, At: clock(0).Moment(),
		Owned:   []plan.Owned{owned(records.KindSPF, zone, spfOld), owned(records.KindDMARC, dmarcName, dmarcNone), others},
		Domains: []plan.DomainState{{Domain: zone, ConfigDigest: "old", Policy: "p=none", Since: clock(-60).Moment(), Declared: []string{"spf:old"}}, {Domain: otherName, ConfigDigest: "other"}},
		Live:    zoneOf(before...).Sets(),
		Due:     clock(1).Moment(),
	}
	return prev, journal.Intent{
		Header:   journal.Header{Zone: zone, Seq: 7, Run: "run", Time: clock(10).Moment(), Digest: "sha256:in"},
		Command:  journal.CommandApply,
		Domains:  []records.Name{zone},
		Items:    []journal.Item{spf, dmarc},
		Declared: []plan.Owned{owned(records.KindSPF, zone, spfNew), owned(records.KindDMARC, dmarcName, dmarcQuar)},
		Expected: journal.Expected{
			Domains: []plan.DomainState{{Domain: zone, ConfigDigest: "new", Policy: "p=quarantine", Since: clock(10).Moment(), Declared: []string{"spf:new", "spf:old"}}},
			Due:     clock(99).Moment(),
		},
		Snapshot:    zoneOf(before...).Sets(),
		NegativeTTL: 900,
	}
}

// done, half and untouched are the zone after that run.
func done() records.Zone {
	return zoneOf(txt(zone, 300, spfNew, foreign), txt(dmarcName, 300, dmarcQuar), txt(otherName, 600, otherValue))
}

func half() records.Zone {
	return zoneOf(txt(zone, 300, spfNew, foreign), txt(dmarcName, 300, dmarcNone), txt(otherName, 600, otherValue))
}

func untouched() records.Zone {
	_, in := base()
	return zoneOf(in.Snapshot...)
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after  records.Zone
		change func(in *journal.Intent)
		want   journal.Result
	}{
		"all is live":                    {after: done(), want: journal.Done},
		"nothing is":                     {after: untouched(), want: journal.Failed},
		"one set is":                     {after: half(), want: journal.Interrupted},
		"a foreign value has joined":     {after: done().With(txt(zone, 300, spfNew, foreign, "joined")), want: journal.Done},
		"a foreign set has changed":      {after: untouched().With(txt("c.a.example", 60, "x")), want: journal.Failed},
		"the old value is still there":   {after: done().With(txt(zone, 300, spfNew, spfOld, foreign)), want: journal.Interrupted},
		"the TTL is another":             {after: done().With(txt(zone, 3600, spfNew, foreign)), want: journal.Interrupted},
		"the host chooses the TTL":       {after: done(), change: func(in *journal.Intent) { in.Items[0].After.TTL = records.AutoTTL }, want: journal.Done},
		"the set is gone":                {after: done().With(txt(zone, 300)), want: journal.Interrupted},
		"a removal that happened":        {after: zoneOf(txt(dmarcName, 300, dmarcQuar)), change: func(in *journal.Intent) { in.Items[0].After = nil }, want: journal.Done},
		"a removal that did not":         {after: untouched(), change: func(in *journal.Intent) { in.Items[0].After, in.Items = nil, in.Items[:1] }, want: journal.Failed},
		"nothing was to be written":      {after: untouched(), change: func(in *journal.Intent) { in.Items = nil }, want: journal.Done},
		"somebody else did all of it":    {after: done(), change: func(in *journal.Intent) { in.Snapshot = done().Sets() }, want: journal.Done},
		"nothing, and the set is absent": {after: zoneOf(), change: func(in *journal.Intent) { in.Items, in.Snapshot = in.Items[:1], nil }, want: journal.Failed},
	} {
		_, in := base()
		if c.change != nil {
			c.change(&in)
		}
		if got := journal.Judge(in, c.after); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// short prints owned values as "kind value".
func short(list []plan.Owned) string {
	var out []string
	for _, o := range list {
		out = append(out, string(o.Domain)+" "+string(o.Kind)+" "+string(o.Value))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func TestWhatWasWrittenIsOwnedAndWhatIsGoneIsNot(t *testing.T) {
	t.Parallel()
	prev, in := base()
	out := journal.Conclude(prev, in, done(), clock(11), "")
	if got, want := short(out.State.Owned), "a.example dmarc v=DMARC1; p=quarantine\na.example spf v=spf1 include:new.example ~all\nb.a.example spf v=spf1 -all"; got != want {
		t.Errorf("owned:\n%s", got)
	}
	if got, want := short(out.Written), "a.example dmarc v=DMARC1; p=quarantine\na.example spf v=spf1 include:new.example ~all"; got != want {
		t.Errorf("written:\n%s", got)
	}
	if got, want := short(out.Removed), "a.example dmarc v=DMARC1; p=none\na.example spf v=spf1 include:old.example ~all"; got != want {
		t.Errorf("removed:\n%s", got)
	}
	if len(out.Adopted) > 0 || !out.ChangedValues("") || !out.ChangedValues(zone) || out.ChangedValues(otherName) {
		t.Errorf("adopted %v; changed values of a.example: %t", out.Adopted, out.ChangedValues(zone))
	}
	if diff := cmp.Diff(done().Sets(), out.State.Live); diff != "" {
		t.Errorf("the snapshot differs:\n%s", diff)
	}
	if out.Result != journal.Done || out.State.Seq != 7 || out.Run != "run" || out.State.Due != in.Expected.Due {
		t.Errorf("outcome %+v", out)
	}
}

// TestR04AMergedRecordIsRemovedWithoutEverBeingOwned: a second SPF record was
// foreign; it is taken by its kind, and recorded so that a rollback brings it
// back.
func TestR04AMergedRecordIsRemovedWithoutEverBeingOwned(t *testing.T) {
	t.Parallel()
	before := txt(zone, 300, spfOld, "v=spf1 -all", foreign)
	after := txt(zone, 300, spfNew, foreign)
	_, in := base()
	in.Seq, in.Snapshot = 1, zoneOf(before).Sets()
	in.Items = []journal.Item{item(records.KindSPF, before, after, 300)}
	out := journal.Conclude(plan.State{}, in, zoneOf(after), clock(11), "")
	if got, want := short(out.Removed), "a.example spf v=spf1 -all\na.example spf v=spf1 include:old.example ~all"; got != want {
		t.Errorf("removed:\n%s", got)
	}
	if got, want := short(out.State.Owned), "a.example spf v=spf1 include:new.example ~all"; got != want {
		t.Errorf("owned:\n%s", got)
	}
}

func TestWhatIsFoundLiveAndDeclaredIsAdopted(t *testing.T) {
	t.Parallel()
	_, in := base()
	in.Items = nil
	in.Declared = []plan.Owned{owned(records.KindSPF, zone, spfOld), owned(records.KindDKIM, "k._domainkey.a.example", "absent")}
	out := journal.Conclude(plan.State{}, in, untouched(), clock(11), "")
	if got, want := short(out.Adopted), "a.example spf v=spf1 include:old.example ~all"; got != want || short(out.State.Owned) != want {
		t.Errorf("adopted:\n%s\nowned:\n%s", got, short(out.State.Owned))
	}
	if out.Result != journal.Done || out.ChangedValues("") || len(out.Written)+len(out.Removed) > 0 {
		t.Errorf("outcome %+v", out)
	}
}

// TestR03OwnershipEndsWhenAReadFindsTheValueGone: what somebody has deleted by
// hand and put back later is theirs.
func TestR03OwnershipEndsWhenAReadFindsTheValueGone(t *testing.T) {
	t.Parallel()
	prev, in := base()
	in.Items, in.Declared = nil, nil
	out := journal.Conclude(prev, in, untouched().With(txt(zone, 3600, foreign)), clock(11), "")
	if got, want := short(out.State.Owned), "a.example dmarc v=DMARC1; p=none\nb.a.example spf v=spf1 -all"; got != want {
		t.Errorf("owned:\n%s", got)
	}
	if len(out.Removed) > 0 {
		t.Errorf("removed by us: %s", short(out.Removed))
	}
}

func TestReleaseEndsTheOwnershipOfItsDomainAlone(t *testing.T) {
	t.Parallel()
	prev, in := base()
	prev.Holds = []plan.RolledBack{{Domain: zone, Kind: records.KindSPF, Added: []string{"x"}}}
	in.Command, in.Items, in.Declared, in.Expected = journal.CommandRelease, nil, nil, journal.Expected{}
	state := journal.Next(prev, in, untouched(), clock(11).Moment())
	if got, want := short(state.Owned), "b.a.example spf v=spf1 -all"; got != want {
		t.Errorf("owned:\n%s", got)
	}
	if len(state.Domains) != 1 || state.Domains[0].Domain != otherName {
		t.Errorf("domains %+v", state.Domains)
	}
	if len(state.Holds) != 1 || state.Due != prev.Due {
		t.Errorf("a release ends the holds %+v or the due time %+v", state.Holds, state.Due)
	}
}

func TestDomainsRememberNoMoreThanCame(t *testing.T) {
	t.Parallel()
	state := func(after records.Zone, change func(prev *plan.State, in *journal.Intent)) *plan.DomainState {
		prev, in := base()
		if change != nil {
			change(&prev, &in)
		}
		domains := journal.Next(prev, in, after, clock(11).Moment()).Domains
		i := slices.IndexFunc(domains, func(d plan.DomainState) bool { return d.Domain == zone })
		if i < 0 {
			return nil
		}
		return &domains[i]
	}
	fresh := func(prev *plan.State, _ *journal.Intent) { prev.Domains = nil }
	unowned := func(prev *plan.State, _ *journal.Intent) { *prev = plan.State{} }
	all := []string{"spf:new", "spf:old"}

	for name, c := range map[string]struct {
		got  *plan.DomainState
		want *plan.DomainState
	}{
		"done": {
			state(done(), nil),
			&plan.DomainState{Domain: zone, ConfigDigest: "new", Policy: "p=quarantine", Since: clock(11).Moment(), Declared: all},
		},
		"failed": {
			state(untouched(), nil),
			&plan.DomainState{Domain: zone, ConfigDigest: "old", Policy: "p=none", Since: clock(-60).Moment(), Declared: all},
		},
		"interrupted before the policy": {
			state(half(), nil),
			&plan.DomainState{Domain: zone, ConfigDigest: "old", Policy: "p=none", Since: clock(-60).Moment(), Declared: all},
		},
		"interrupted after the policy": {
			state(untouched().With(txt(dmarcName, 300, dmarcQuar)), nil),
			&plan.DomainState{Domain: zone, ConfigDigest: "old", Policy: "p=quarantine", Since: clock(11).Moment(), Declared: all},
		},
		"the policy is a third one": {
			state(done().With(txt(dmarcName, 300, "v=DMARC1; p=reject")), nil),
			&plan.DomainState{Domain: zone, ConfigDigest: "old", Since: clock(11).Moment(), Declared: all},
		},
		"done, the policy as before": {
			state(done(), func(_ *plan.State, in *journal.Intent) {
				in.Expected.Domains[0].Policy, in.Expected.Domains[0].Since = "p=none", clock(-60).Moment()
			}),
			&plan.DomainState{Domain: zone, ConfigDigest: "new", Policy: "p=none", Since: clock(-60).Moment(), Declared: all},
		},
		"a new domain, failed, owning nothing": {state(untouched(), unowned), nil},
		"a new domain, failed, owning something": {
			state(untouched(), fresh), &plan.DomainState{Domain: zone, Declared: all},
		},
		"a new domain, interrupted": {state(half(), unowned), &plan.DomainState{Domain: zone, Declared: all}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestARehearsalKeepsSinceAsItWas(t *testing.T) {
	t.Parallel()
	prev, in := base()
	prev.Domains[0].Since = rehearsal(-60, 1).Moment()
	in.Time = rehearsal(10, 2).Moment()
	in.Expected.Domains[0].Since = rehearsal(-60, 1).Moment() // another pointer to the same time
	d := journal.Next(prev, in, done(), rehearsal(11, 3).Moment()).Domains[0]
	if !d.Since.At.Equal(clock(-60).Now) {
		t.Errorf("since %s", d.Since.At)
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	hold := func(domain records.Name, part string) plan.RolledBack {
		return plan.RolledBack{Domain: domain, Kind: records.KindSPF, Name: domain, Type: records.TypeTXT, Added: []string{part}}
	}
	for name, c := range map[string]struct {
		after records.Zone
		want  string
	}{
		"done: the run's domains have the expected ones":   {done(), "kept new other"},
		"interrupted: none is dropped, none is doubled":    {half(), "kept gone new other"},
		"failed: as before, since nothing was rolled back": {untouched(), "kept gone other"},
	} {
		prev, in := base()
		prev.Holds = []plan.RolledBack{hold(zone, "kept"), hold(zone, "gone"), hold(otherName, "other")}
		in.Command = journal.CommandRollback
		in.Expected.Holds = []plan.RolledBack{hold(zone, "kept"), hold(zone, "new")}
		var got []string
		for _, h := range journal.Next(prev, in, c.after, clock(11).Moment()).Holds {
			got = append(got, h.Added...)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestOverridesAreSpentAndLapse(t *testing.T) {
	t.Parallel()
	override := func(gate string, minutes int, before, after []records.Value) plan.Override {
		return plan.Override{Gate: gate, Domain: zone, Name: zone, Type: records.TypeTXT, Before: before, After: after, Until: clock(minutes).Now}
	}
	old, now := []records.Value{spfOld}, []records.Value{spfNew}
	names := func(list []plan.Override) string {
		var out []string
		for _, o := range list {
			s := o.Gate
			if o.Spent {
				s += " spent"
			}
			out = append(out, s)
		}
		return strings.Join(out, ", ")
	}
	for name, c := range map[string]struct {
		after   records.Zone
		command journal.Command
		at      plan.Clock
		want    string
	}{
		"written":                   {done(), journal.CommandApply, clock(11), "spf-narrow spent, lower-ttl, adoption spent"},
		"failed":                    {untouched(), journal.CommandApply, clock(11), "spf-narrow, lower-ttl, adoption"},
		"rolled back":               {done(), journal.CommandRollback, clock(11), "spf-narrow spent, lower-ttl spent, adoption spent"},
		"lapsed":                    {untouched(), journal.CommandApply, clock(60), "adoption"},
		"lapsed in a rehearsal":     {untouched(), journal.CommandApply, rehearsal(60, 12), "spf-narrow, lower-ttl, adoption"},
		"lapsed on the real clock":  {untouched(), journal.CommandApply, rehearsal(60, 61), "adoption"},
		"a failed one stays usable": {untouched(), journal.CommandRollback, clock(11), "spf-narrow, lower-ttl, adoption"},
	} {
		prev, in := base()
		in.Command = c.command
		prev.Overrides = []plan.Override{
			override("spf-narrow", 60, old, now),
			override("lower-ttl", 60, now, []records.Value{"v=spf1 -all"}),
		}
		in.Overrides = []plan.Override{
			override("adoption", 600, old, now),
			override("spf-narrow", 60, old, now),                    // given again
			{Gate: "external", Domain: zone, Until: clock(600).Now}, // opened nothing
		}
		if got := names(journal.Next(prev, in, c.after, c.at.Moment()).Overrides); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// seenAs prints what is remembered of one set.
func seenAs(state plan.State, k records.Key) string {
	past, ok := state.Index().Set(k)
	if !ok {
		return "nothing"
	}
	out := fmt.Sprintf("base %d", past.Base)
	if !past.Written.IsZero() {
		out += fmt.Sprintf(", written %g", past.Written.At.Sub(start).Minutes())
	}
	for _, s := range past.Seen {
		out += fmt.Sprintf(", %d until %g", s.TTL, s.At.Sub(start).Minutes())
	}
	return out
}

// TestProperty5TheJournalKnowsWhichTTLsCachesMayHold follows one set through
// lowering, change, restoring and edits by hand.
func TestProperty5TheJournalKnowsWhichTTLsCachesMayHold(t *testing.T) {
	t.Parallel()
	set := func(ttl records.TTL, v records.Value) records.RRset { return txt(zone, ttl, v) }
	const day = 24 * 60
	steps := []struct {
		name          string
		minutes       int
		before, after records.RRset
		declared      records.TTL // 0: the run doesn't touch the set
		want          string
	}{
		{"adopted", 0, set(7200, spfOld), set(7200, spfOld), 0, "nothing"},
		{"lowered", 10, set(7200, spfOld), set(300, spfOld), 3600, "base 3600, written 10, 7200 until 10"},
		{"changed", 200, set(300, spfOld), set(300, spfNew), 3600, "base 3600, written 200, 300 until 200, 7200 until 10"},
		{"restored", 200 + day, set(300, spfNew), set(3600, spfNew), 3600, "base 3600, written 1640, 300 until 1640"},
		{"time has passed", 200 + 5*day, set(3600, spfNew), set(3600, spfNew), 0, "base 3600, written 1640"},
		{"lowered by hand", 200 + 6*day, set(60, spfNew), set(60, spfNew), 0, "base 3600, written 1640, 3600 until 7400"},
		{"changed by hand", 200 + 7*day, set(60, "v=spf1 +all"), set(60, "v=spf1 +all"), 0, "base 3600, written 1640, 60 until 8840"},
		{"removed by us", 201 + 7*day, set(60, "v=spf1 +all"), set(60, ""), 1, "base 3600, written 10281, 60 until 10281"},
		{"forgotten", 200 + 20*day, set(60, ""), set(60, ""), 0, "nothing"},
	}
	var prev plan.State
	at := func(s records.RRset) records.Zone {
		if s.Has("") {
			return zoneOf()
		}
		return zoneOf(s)
	}
	for i, s := range steps {
		in := journal.Intent{Header: journal.Header{Zone: zone, Seq: uint64(i + 1), Run: s.name, Time: clock(s.minutes).Moment()}, Domains: []records.Name{zone}, Snapshot: at(s.before).Sets()}
		after := s.after
		if s.after.Has("") {
			after = txt(zone, 60)
		} else {
			in.Declared = []plan.Owned{owned(records.KindSPF, zone, s.after.Values[0])}
		}
		if s.declared > 0 {
			i := item(records.KindSPF, s.before, after, s.declared)
			if i.After == nil {
				i.Declared = nil
			}
			in.Items = []journal.Item{i}
		}
		prev = journal.Next(prev, in, at(s.after), clock(s.minutes).Moment())
		if got := seenAs(prev, key(zone, records.TypeTXT)); got != s.want {
			t.Errorf("%s: %s, want %s", s.name, got, s.want)
		}
	}
}

func TestASetThatWeLeftIsRememberedUntilItsTTLIsBack(t *testing.T) {
	t.Parallel()
	prev, in := base()
	// Our value leaves the shared set; what stays is foreign, with our TTL.
	left := txt(zone, 300, foreign)
	in.Items = []journal.Item{item(records.KindSPF, txt(zone, 3600, spfOld, foreign), left, 3600)}
	in.Declared = nil
	state := journal.Next(prev, in, untouched().With(left), clock(11).Moment())
	if got, want := seenAs(state, left.Key), "base 3600, written 11, 3600 until 11"; got != want {
		t.Fatalf("left: %s, want %s", got, want)
	}
	quiet := journal.Intent{Header: journal.Header{Zone: zone, Seq: 8}, Snapshot: state.Live}
	week := clock(7 * 24 * 60).Moment()
	if got, want := seenAs(journal.Next(state, quiet, untouched().With(left), week), left.Key), "base 3600, written 11"; got != want {
		t.Errorf("a week later: %s, want %s", got, want)
	}
	back := txt(zone, 3600, foreign)
	quiet.Snapshot = untouched().With(back).Sets()
	state = journal.Next(state, quiet, untouched().With(back), week)
	state = journal.Next(state, quiet, untouched().With(back), clock(30*24*60).Moment())
	if got := seenAs(state, left.Key); got != "nothing" {
		t.Errorf("when the TTL is back: %s", got)
	}
}

func TestARehearsalForgetsNoTTL(t *testing.T) {
	t.Parallel()
	prev, in := base()
	state := journal.Next(prev, in, done(), clock(11).Moment())
	quiet := journal.Intent{Header: journal.Header{Zone: zone, Seq: 8}, Snapshot: state.Live}
	state = journal.Next(state, quiet, done(), rehearsal(1e6, 12).Moment())
	if got, want := seenAs(state, key(zone, records.TypeTXT)), "base 3600, written 11, 3600 until 11"; got != want {
		t.Errorf("after a rehearsal of the far future: %s, want %s", got, want)
	}
}

func TestRecoverAndConcludeAgree(t *testing.T) {
	t.Parallel()
	prev, in := base()
	for _, after := range []records.Zone{done(), half(), untouched()} {
		a := journal.Conclude(prev, in, after, clock(11), "")
		b := journal.Recover(prev, in, after, clock(11), "recoverer")
		if b.RecoveredBy != "recoverer" || b.Error == "" || b.Run != "run" {
			t.Errorf("recovered %+v", b.Header)
		}
		b.RecoveredBy, b.Error = "", ""
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s (-concluded +recovered):\n%s", a.Result, diff)
		}
	}
}

// TestProperty3WhatARunLostIsRemembered: on a host that writes a set in several
// calls, an interrupted run may have taken what was to stay, or what was to make
// room for a value that did not come.
func TestProperty3WhatARunLostIsRemembered(t *testing.T) {
	t.Parallel()
	key := key(zone, records.TypeTXT)
	lost := func(kept, gone []records.Value) []plan.Lost {
		return []plan.Lost{{Domain: zone, Key: key, TTL: 3600, Kept: kept, Gone: gone}}
	}
	strangers, old := []records.Value{foreign}, []records.Value{spfOld}
	for name, c := range map[string]struct {
		after  records.Zone
		change func(prev *plan.State, in *journal.Intent)
		want   []plan.Lost
	}{
		"done":                {after: done()},
		"failed":              {after: untouched()},
		"all but the new one": {after: untouched().With(txt(zone, 300, foreign)), want: lost(nil, old)},
		"a stranger's too":    {after: untouched().With(records.RRset{Key: key}), want: lost(strangers, old)},
		"only a stranger's":   {after: untouched().With(txt(zone, 300, spfNew)), want: lost(strangers, old)},
		"a host with transactions": {
			after:  untouched().With(records.RRset{Key: key}),
			change: func(_ *plan.State, in *journal.Intent) { in.Transactional = true },
		},
		"a rollback takes back what is to go": {
			after:  untouched().With(records.RRset{Key: key}),
			change: func(_ *plan.State, in *journal.Intent) { in.Command = journal.CommandRollback },
			want:   lost(strangers, nil),
		},
		"a set that was to go": {
			after: untouched().With(txt(zone, 3600, foreign)),
			change: func(_ *plan.State, in *journal.Intent) {
				in.Items[0].After = nil
			},
		},
		"lost before, and again": {
			after: half().With(txt(zone, 300, spfOld)),
			change: func(prev *plan.State, _ *journal.Intent) {
				prev.Lost = []plan.Lost{{Key: key, TTL: 7200, Gone: []records.Value{"v=spf1 +all"}}}
			},
			want: []plan.Lost{{Domain: zone, Key: key, TTL: 7200, Kept: strangers, Gone: []records.Value{"v=spf1 +all"}}},
		},
		"lost before, and written since": {
			after: done(),
			change: func(prev *plan.State, _ *journal.Intent) {
				prev.Lost = lost(strangers, nil)
			},
		},
		"lost before, and left for later": {
			after: untouched().With(txt(zone, 3600, spfOld)),
			change: func(prev *plan.State, in *journal.Intent) {
				prev.Lost, in.Items, in.Expected.Lost = lost(strangers, nil), nil, lost(strangers, nil)
				in.Snapshot = untouched().With(txt(zone, 3600, spfOld)).Sets()
				prev.Live = in.Snapshot
			},
			want: lost(strangers, nil),
		},
		"lost before, and wanted no more": {
			after: untouched().With(txt(zone, 3600, spfOld)),
			change: func(prev *plan.State, in *journal.Intent) {
				prev.Lost, in.Items = lost(strangers, nil), nil
				in.Snapshot = untouched().With(txt(zone, 3600, spfOld)).Sets()
				prev.Live = in.Snapshot
			},
		},
		"lost before, the set was edited since": {
			after: untouched(),
			change: func(prev *plan.State, in *journal.Intent) {
				prev.Lost, in.Items, in.Expected.Lost = lost(strangers, nil), nil, lost(strangers, nil)
				prev.Live = zoneOf(txt(zone, 60, foreign)).Sets()
			},
		},
	} {
		prev, in := base()
		if c.change != nil {
			c.change(&prev, &in)
		}
		out := journal.Conclude(prev, in, c.after, clock(11), "")
		if diff := cmp.Diff(c.want, out.State.Lost, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: lost (-want +got):\n%s", name, diff)
		}
		for _, l := range out.State.Lost {
			for _, v := range l.Kept {
				if !slices.ContainsFunc(out.Removed, func(o plan.Owned) bool { return o.Key() == l.Key && o.Value == v }) && len(prev.Lost) == 0 {
					t.Errorf("%s: %q is lost and not among what was removed: %v", name, v, out.Removed)
				}
			}
		}
	}
}

// TestAnAbandonedRunHasDoneNothing, whatever others have done to its sets
// meanwhile: neither its values nor its holds nor its overrides count.
func TestAnAbandonedRunHasDoneNothing(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]records.Zone{"as before": untouched(), "half as it meant to": half(), "edited": untouched().With(txt(zone, 60, "v=spf1 -all"))} {
		prev, in := base()
		prev.Reload = true
		prev.Holds = []plan.RolledBack{{Domain: zone, Kind: records.KindSPF, Name: zone, Type: records.TypeTXT, Added: []string{"old"}}}
		in.Command = journal.CommandRollback
		in.Expected.Holds = []plan.RolledBack{{Domain: zone, Kind: records.KindDMARC, Name: dmarcName, Type: records.TypeTXT, Added: []string{"new"}}}
		in.Overrides = []plan.Override{{Gate: "spf-narrow", Domain: zone, Name: zone, Type: records.TypeTXT, After: []records.Value{spfNew}, Until: clock(60).Now}}
		out := journal.Abandon(prev, in, after, clock(11), "the zone was edited")
		if out.Result != journal.Failed || out.Error != "the zone was edited" || len(out.Written)+len(out.Removed)+len(out.Adopted) > 0 {
			t.Errorf("%s: %s (%s), written %v, removed %v, adopted %v", name, out.Result, out.Error, out.Written, out.Removed, out.Adopted)
		}
		s := out.State
		if diff := cmp.Diff(after.Sets(), s.Live); diff != "" {
			t.Errorf("%s: the zone (-want +got):\n%s", name, diff)
		}
		if len(s.Overrides) > 0 || !cmp.Equal(s.Holds, prev.Holds) || !cmp.Equal(s.Domains, prev.Domains) || !s.Reload {
			t.Errorf("%s: remembered: overrides %v, holds %v, domains %v, reload %t", name, s.Overrides, s.Holds, s.Domains, s.Reload)
		}
		if !s.Due.At.Equal(clock(11).Now) {
			t.Errorf("%s: due %s, want at once", name, s.Due.At)
		}
		for _, o := range s.Owned {
			if o.Value == spfNew || o.Value == dmarcQuar {
				t.Errorf("%s: %q is owned by a run that wrote nothing", name, o.Value)
			}
		}
	}
}

func TestADeadRunMayNotHaveReloadedItsServer(t *testing.T) {
	t.Parallel()
	prev, in := base()
	in.Provider.Values = map[string][]string{"reload": {"rndc", "reload"}}
	for _, c := range []struct {
		after records.Zone
		want  bool
	}{{done(), true}, {half(), true}, {untouched(), false}} {
		if got := journal.Recover(prev, in, c.after, clock(11), "r").State.Reload; got != c.want {
			t.Errorf("%s: reload %t", journal.Judge(in, c.after), got)
		}
		if journal.Conclude(prev, in, c.after, clock(11), "").State.Reload {
			t.Error("a run that has ended in order wants a reload")
		}
	}
	prev.Reload = true
	if !journal.Conclude(prev, in, untouched(), clock(11), "").State.Reload || journal.Conclude(prev, in, done(), clock(11), "").State.Reload {
		t.Error("a reload is owed until a run is done")
	}
}

// world draws a zone, a state that fits it, an intent and what came of it.
func world(t *rapid.T) (plan.State, journal.Intent, records.Zone) {
	names := []records.Name{zone, dmarcName, otherName}
	values := []records.Value{"a", "b", "c", "d"}
	ttls := rapid.SampledFrom([]records.TTL{60, 300, 3600, records.AutoTTL})
	sets := func(t *rapid.T, label string) records.Zone {
		var out []records.RRset
		for _, n := range names {
			out = append(out, txt(n, ttls.Draw(t, label+" ttl"), rapid.SliceOfDistinct(rapid.SampledFrom(values), rapid.ID).Draw(t, label)...))
		}
		return zoneOf(out...)
	}
	some := func(label string) []plan.Owned {
		return rapid.SliceOfDistinct(rapid.Custom(func(t *rapid.T) plan.Owned {
			n := rapid.SampledFrom(names).Draw(t, "name")
			return plan.Owned{Domain: n, Kind: records.KindRecord, Name: n, Type: records.TypeTXT, Value: rapid.SampledFrom(values).Draw(t, "value")}
		}), rapid.ID).Draw(t, label)
	}
	prev := plan.State{Seq: 1, At: clock(0).Moment(), Owned: some("owned"), Live: sets(t, "left").Sets()}
	before, wanted := sets(t, "before"), sets(t, "wanted")
	in := journal.Intent{
		Header: journal.Header{Zone: zone, Seq: 2, Run: "run", Time: clock(1).Moment()}, Domains: names,
		Command:  rapid.SampledFrom([]journal.Command{journal.CommandApply, journal.CommandRollback}).Draw(t, "command"),
		Declared: some("declared"), Snapshot: before.Sets(), NegativeTTL: 900,
	}
	for _, n := range names {
		k := key(n, records.TypeTXT)
		b, _ := before.Set(k)
		a, _ := wanted.Set(k)
		a.Key = k
		if !a.Equal(b) && (len(a.Values)+len(b.Values) > 0) && rapid.Bool().Draw(t, "item") {
			i := item(records.KindRecord, b, a, 300)
			i.Domain = n
			in.Items = append(in.Items, i)
		}
		in.Expected.Domains = append(in.Expected.Domains, plan.DomainState{Domain: n, ConfigDigest: "new"})
	}
	after := rapid.OneOf(rapid.Just(before), rapid.Just(wanted), rapid.Custom(func(t *rapid.T) records.Zone {
		return before.With(sets(t, "stranger").At(zone)...)
	})).Draw(t, "after")
	return prev, in, after
}

// TestProperty3OnlyWhatIsLiveAndOursIsEverOwned, whatever came of the run.
func TestProperty3OnlyWhatIsLiveAndOursIsEverOwned(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prev, in, after := world(t)
		out := journal.Conclude(prev, in, after, clock(2), "")
		for _, o := range out.State.Owned {
			set, _ := after.Set(o.Key())
			lost := slices.ContainsFunc(out.State.Lost, func(l plan.Lost) bool { return l.Key == o.Key() && slices.Contains(l.Kept, o.Value) })
			if !set.Has(o.Value) && !lost {
				t.Fatalf("%v is owned, neither live nor to be put back", o)
			}
			if !slices.Contains(prev.Owned, o) && !slices.Contains(in.Declared, o) {
				t.Fatalf("%v is owned by nobody's word", o)
			}
		}
		for _, o := range in.Declared {
			set, _ := after.Set(o.Key())
			if set.Has(o.Value) && !slices.Contains(out.State.Owned, o) {
				t.Fatalf("%v is live and declared, but not owned", o)
			}
		}
		for _, o := range slices.Concat(out.Written, out.Removed) {
			if !slices.ContainsFunc(in.Items, func(i journal.Item) bool { return i.Key() == o.Key() }) {
				t.Fatalf("%v counts as ours, but the run had no item there", o)
			}
		}
		for _, o := range out.Adopted {
			if slices.Contains(out.Written, o) || slices.Contains(prev.Owned, o) || !slices.Contains(out.State.Owned, o) {
				t.Fatalf("%v is adopted", o)
			}
		}
	})
}

// TestProperty4RecoveryTellsTheTruth: done exactly when every item is live,
// failed only when no set of the run has changed; and what it says is the same
// whoever asks, and however often.
func TestProperty4RecoveryTellsTheTruth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prev, in, after := world(t)
		before := zoneOf(in.Snapshot...)
		out := journal.Recover(prev, in, after, clock(2), "recoverer")
		live, changed := 0, 0
		for _, i := range in.Items {
			if i.Live(after) {
				live++
			}
			a, hasA := before.Set(i.Key())
			b, hasB := after.Set(i.Key())
			if hasA != hasB || !a.Equal(b) {
				changed++
			}
		}
		want := journal.Interrupted
		switch {
		case live == len(in.Items):
			want = journal.Done
		case changed == 0:
			want = journal.Failed
		}
		if out.Result != want {
			t.Fatalf("%d of %d items live, %d changed: %s", live, len(in.Items), changed, out.Result)
		}
		if out.Result == journal.Failed && len(out.Written)+len(out.Removed) > 0 {
			t.Fatalf("failed, but written %v, removed %v", out.Written, out.Removed)
		}
		again := journal.Recover(prev, in, after, clock(2), "recoverer")
		a, _ := json.Marshal(out)
		b, _ := json.Marshal(again)
		if !bytes.Equal(a, b) {
			t.Fatalf("two answers:\n%s\n%s", a, b)
		}
	})
}

// TestProperty5NoSightingIsLost: whatever TTL a set was served with and no
// longer is, the next state remembers.
func TestProperty5NoSightingIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prev, in, after := world(t)
		state := journal.Next(prev, in, after, clock(2).Moment())
		past := state.Index()
		check := func(old []records.RRset, now records.Zone, at time.Time) {
			for _, s := range old {
				if n, ok := now.Set(s.Key); ok && n.TTL == s.TTL || s.TTL == records.AutoTTL {
					continue
				}
				set, _ := past.Set(s.Key)
				if !slices.ContainsFunc(set.Seen, func(t plan.SeenTTL) bool { return t.TTL == s.TTL && !t.At.Before(at) }) {
					t.Fatalf("%s was served with TTL %d at %s: %+v", s.Key, s.TTL, at, set)
				}
			}
		}
		check(prev.Live, zoneOf(in.Snapshot...), prev.At.At)
		check(in.Snapshot, after, clock(2).Now)
	})
}
