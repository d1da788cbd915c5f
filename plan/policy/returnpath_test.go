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
