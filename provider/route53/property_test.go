package route53_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/attunelogic/maildns/provider/providertest/route53test"
	"github.com/attunelogic/maildns/records"
)

// TestProperty3ForeignValuesSurvive: whatever we write into a zone in which
// others store values in any form, theirs stay as they are, to the character,
// and the way back restores the zone.
func TestProperty3ForeignValuesSurvive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		server, id := world()
		theirs := drawForeign(t, server, id)
		zone := open(t, settings(server))
		before := read(t, zone)
		var changes, back []records.Change
		for _, name := range []string{"@", "a", "*.w"} {
			ours := rapid.SliceOfNDistinct(rapid.Custom(drawOurs), 0, 4, rapid.ID).Draw(t, "ours at "+name)
			have, _ := before.Set(key(name, "TXT"))
			after := set(name, "TXT", rapid.SampledFrom([]records.TTL{60, 300}).Draw(t, "TTL"), slices.Concat(have.Values, ours)...)
			changes = append(changes, to(before, after))
			back = append(back, to(before, after).Reverse())
		}
		want, err := before.Apply(changes)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			changes []records.Change
			want    records.Zone
		}{{changes, want}, {back, before}} {
			if err := zone.Write(context.Background(), step.changes); err != nil {
				t.Fatal(err)
			}
			if got := server.Records(id); !got.Equal(step.want) || !read(t, zone).Equal(step.want) {
				t.Fatalf("the zone holds %v, want %v", got.Sets(), step.want.Sets())
			}
			for _, v := range theirs {
				if !holds(server, id, v) {
					t.Fatalf("%q is gone: %v", v, server.Sets(id))
				}
			}
		}
	})
}

// foreign is a value of somebody else, in its stored form.
type foreign struct{ name, value string }

func drawForeign(t *rapid.T, server *route53test.Server, id string) (all []foreign) {
	texts := func(t *rapid.T) string {
		strings_ := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("ab ;=@")), 0, 5, -1), 1, 3).Draw(t, "strings")
		for i, s := range strings_ {
			escapes := rapid.SampledFrom([]string{"", `\"`, `\\`, `\303\251`, `\141`, `\;`}).Draw(t, "escape")
			strings_[i] = `"` + s + escapes + `"`
		}
		return strings.Join(strings_, rapid.SampledFrom([]string{" ", "", "  "}).Draw(t, "between"))
	}
	for _, name := range []string{"@", "a"} {
		values := rapid.SliceOfNDistinct(rapid.Custom(texts), 0, 4, rapid.ID).Draw(t, "theirs at "+name)
		if len(values) == 0 {
			continue
		}
		full := records.Below(name, zoneName)
		server.PutSet(id, raw(string(full), "TXT", 3600, values...))
		for _, v := range values {
			all = append(all, foreign{string(full) + ".", v})
		}
	}
	return all
}

func drawOurs(t *rapid.T) records.Value {
	bytes := rapid.SliceOfN(rapid.Byte(), 0, 10).Draw(t, "bytes")
	return records.Value(fmt.Sprintf("v=ours %s", bytes) + strings.Repeat("x", rapid.SampledFrom([]int{0, 240, 300}).Draw(t, "length")))
}

func holds(server *route53test.Server, id string, f foreign) bool {
	return slices.ContainsFunc(server.Sets(id), func(s route53test.Set) bool {
		return s.Name == f.name && s.Type == "TXT" && slices.Contains(s.ResourceRecords, route53test.Record{Value: f.value})
	})
}
