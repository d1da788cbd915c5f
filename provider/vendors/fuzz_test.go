package vendors_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/attunelogic/maildns/provider/providertest/vendortest"
	"github.com/attunelogic/maildns/provider/vendors"
	"github.com/attunelogic/maildns/records"
)

// FuzzAnswers: whatever a host answers, each client comes to an end, and what
// it takes for a zone is one: names below the zone, no host's own types, and
// each value in a form that a second reading leaves as it is.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`[]`, `{}`, `7`, `null`, `[{"subname":"a","type":"TXT","ttl":3600,"records":["\"x\" \"y\""]}]`,
		`[{"rrset_name":"@","rrset_type":"MX","rrset_ttl":300,"rrset_values":["10 mail","0 ."]}]`,
		`{"rrsets":[{"name":"a","type":"TXT","ttl":null,"records":[{"value":"\"x"}]}],"meta":{"pagination":{"next_page":1}}}`,
		`{"zone":{"id":1,"ttl":60,"mode":"primary"},"rrsets":[],"managedZones":[{"name":"x","dnsName":"example.com."}],"nextPageToken":"x"}`,
		`[{"id":"example.com.","kind":"Native"}]`, `{"error":{"message":"no"}}`,
	} {
		f.Add(seed, `<x?cursor=1>; rel="next"`)
	}
	f.Fuzz(func(t *testing.T, answer, link string) {
		handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", strings.ToValidUTF8(link, ""))
			_, _ = w.Write([]byte(answer))
		})
		doer, _ := via(handler)
		ovh := vendortest.NewOVH(api, "app", secret, "consumer")
		for _, h := range []host{
			vendors.PowerDNS(doer, api, "localhost", secret), vendors.DeSEC(doer, api, secret), vendors.Hetzner(doer, api, secret, atOnce),
			vendors.Gandi(doer, api, secret), vendors.Google(doer, api, "project", vendors.Tokens{Source: token}), openOVH(doer, ovh),
		} {
			z, err := h.ReadZone(t.Context(), zone)
			if err != nil {
				continue
			}
			for s := range z.All() {
				checkRead(t, s)
			}
		}
	})
}

func checkRead(t *testing.T, s records.RRset) {
	t.Helper()
	if !s.Name.In(zone) || s.Type.HostOwned() {
		t.Errorf("%s is no set of the zone", s.Key)
	}
	for _, v := range s.Values {
		again, err := records.ParseMasterData(s.Type, records.MasterData(s.Type, v), zone)
		if s.Fixed == "" && (err != nil || again != v) {
			t.Errorf("%s: %q is read again as %q: %v", s.Key, v, again, err)
		}
	}
}
