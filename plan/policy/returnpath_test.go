package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// TestReturnPathSPF keeps the record of a sender's return path apart from the
// domain's own: it takes the place of what is live there, and flattening leaves
// it alone.
func TestReturnPathSPF(t *testing.T) {
	t.Parallel()
	d := domain(declareSPF("v=spf1 include:x.example ~all"), func(d *records.Domain) {
		d.SPF.Flatten = []records.Name{"x.example"}
		d.Senders = []records.Sender{{Type: "ses", MailFrom: "bounce.a.example", SPF: []records.SenderSPF{
			{Name: "bounce.a.example", Term: "include:amazonses.com"}, {Name: "bounce.a.example", Term: "~all"},
		}}}
	})
	flat, err := spf.Parse("v=spf1 ip4:192.0.2.0/24 ~all")
	if err != nil {
		t.Fatal(err)
	}
	live := zone(t, "bounce 3600 TXT v=spf1 include:amazonses.com -all", "bounce 3600 TXT token")
	today := policy.Limit(policy.Input{Domain: d, Live: live, Past: &plan.Past{}, Clock: at(noon), Known: policy.Known{SPF: &policy.KnownSPF{Flat: flat}}})
	got := map[records.Name]records.Value{}
	for _, v := range today.Values {
		got[v.Key.Name] = v.Value
	}
	want := map[records.Name]records.Value{"a.example": "v=spf1 ip4:192.0.2.0/24 ~all", "bounce.a.example": "v=spf1 include:amazonses.com ~all"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	covered := false
	for _, c := range today.Covers {
		covered = covered || c.Matches(key("bounce", records.TypeTXT), "v=spf1 include:amazonses.com -all")
	}
	if !covered {
		t.Error("the live record of the return path is not taken over")
	}
}

// sender declares a sender with a return path: an alias, an MX host or an SPF
// record at em.a.example.
func sender(alias, mx records.Value, spfTerm string) part {
	return func(d *records.Domain) {
		s := records.Sender{Type: "x", MailFrom: "em.a.example"}
		free := func(typ records.Type, v records.Value) {
			if v != "" {
				declareRecord("em", typ, v)(d)
				s.ReturnPath = append(s.ReturnPath, key("em", typ))
			}
		}
		free(records.TypeCNAME, alias)
		free(records.TypeMX, mx)
		if spfTerm != "" {
			s.SPF = []records.SenderSPF{{Name: "em.a.example", Term: spfTerm}, {Name: "em.a.example", Term: "~all"}}
			s.ReturnPath = append(s.ReturnPath, key("em", records.TypeTXT))
		}
		d.Senders = append(d.Senders, s)
	}
}

// TestReturnPathGate: what a sender's bounces go to is not withdrawn or
// retargeted without a word, also when its block has gone.
func TestReturnPathGate(t *testing.T) {
	t.Parallel()
	was := func(keys ...records.Key) func(*plan.State) {
		return func(s *plan.State) { s.Domains[0].ReturnPaths = keys }
	}
	alias, mx, txt := key("em", records.TypeCNAME), key("em", records.TypeMX), key("em", records.TypeTXT)
	runSplits(t, map[string]splitCase{
		"a new one": {d: domain(sender("x.example.net", "", "")), want: "today em CNAME: x.example.net"},
		"another target": {
			live: []string{"em 300 CNAME old.example.net"}, owned: []string{"record em CNAME"}, d: domain(sender("new.example.net", "", "")),
			want: lines("today em CNAME: old.example.net", "return-path unknown em CNAME: new.example.net"),
		},
		"another target, opened by hand": {
			live: []string{"em 300 CNAME old.example.net"}, owned: []string{"record em CNAME"}, d: domain(sender("new.example.net", "", "")), open: []string{"return-path"},
			want: lines("today em CNAME: new.example.net", "return-path overridden em CNAME: new.example.net"),
		},
		"its sender has gone": {
			live: []string{"em 300 CNAME old.example.net"}, owned: []string{"record em CNAME"}, past: was(alias), d: domain(),
			want: lines("today em CNAME: old.example.net", "return-path unknown em CNAME: nothing"),
		},
		"its MX goes": {
			live: []string{"em 300 MX 10 bounce.example.net"}, owned: []string{"record em MX"}, past: was(mx), d: domain(),
			want: lines("today em MX: 10 bounce.example.net", "return-path unknown em MX: nothing"),
		},
		"its MX host is another one": {
			live: []string{"em 300 MX 10 old.example.net"}, owned: []string{"record em MX"}, d: domain(sender("", "10 new.example.net", "")),
			want: lines("today em MX: 10 new.example.net", "today em MX: 10 old.example.net", "return-path unknown em MX: 10 new.example.net"),
		},
		"its SPF goes": {
			live: []string{"em 300 TXT v=spf1 include:x.example ~all"}, owned: []string{"spf em TXT"}, past: was(txt), d: domain(),
			want: lines("today em TXT: v=spf1 include:x.example ~all", "return-path unknown em TXT: nothing"),
		},
		"its SPF has another term": {
			live: []string{"em 300 TXT v=spf1 include:old.example ~all"}, owned: []string{"spf em TXT"}, d: domain(sender("", "", "include:new.example")),
			want: lines("today em TXT: v=spf1 include:new.example include:old.example ~all", "spf-narrow unknown em TXT: v=spf1 include:new.example ~all"),
		},
		"a record block is none": {
			live: []string{"www 300 CNAME old.example.net"}, owned: []string{"record www CNAME"}, d: domain(), want: "",
		},
	})
	// What is remembered: as long as it is live.
	d := domain(sender("x.example.net", "", ""))
	first := policy.Remember(policy.Input{Domain: d, Past: plan.State{}.Index(), Clock: at(noon)}, zone(t, "em 300 CNAME x.example.net"))
	past := plan.State{Domains: []plan.DomainState{first}}.Index()
	kept := policy.Remember(policy.Input{Domain: domain(), Past: past, Clock: at(noon)}, zone(t, "em 300 CNAME x.example.net"))
	gone := policy.Remember(policy.Input{Domain: domain(), Past: past, Clock: at(noon)}, zone(t))
	if len(first.ReturnPaths) != 1 || first.ReturnPaths[0] != alias || len(kept.ReturnPaths) != 1 || len(gone.ReturnPaths) != 0 {
		t.Errorf("%v, %v, %v", first.ReturnPaths, kept.ReturnPaths, gone.ReturnPaths)
	}
}

// TestReturnPathIsKeptByARollback, unless it is to be exact.
func TestReturnPathIsKeptByARollback(t *testing.T) {
	t.Parallel()
	for _, exact := range []bool{false, true} {
		w := newWorld(zone(t), domain())
		w.apply()
		w.domains[0] = domain(sender("x.example.net", "", ""), declareRecord("www", records.TypeCNAME, "y.example.net"))
		w.apply()
		way := w.rollback(1, plan.RestoreOptions{Exact: exact})
		_, path := w.live.Set(key("em", records.TypeCNAME))
		_, www := w.live.Set(key("www", records.TypeCNAME))
		if path == exact || www || (len(way.Kept) == 1) == exact {
			t.Errorf("exact %t: return path %t, other record %t, kept %v", exact, path, www, way.Kept)
		}
	}
}
