package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/journal"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzObject puts any bytes in the place of an entry: they are damage or a
// version that is refused, unless they were sealed.
func FuzzObject(f *testing.F) {
	s := memory()
	if _, err := journal.Open(s).Begin(context.Background(), journal.Head{Zone: zone}, step(1, clock(1))); err != nil {
		f.Fatal(err)
	}
	sealed := contents(f, s, intent1)
	f.Add(sealed)
	f.Add(sealed[:len(sealed)-1])
	f.Add([]byte{})
	f.Add([]byte(`{"format_version":"2.0"}`))
	f.Add([]byte(`{"format_version":"1.0","kind":"intent","zone":"a.example","seq":1,"digest":"sha256:00"}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := memory()
		if err := s.Create(t.Context(), intent1, data); err != nil {
			t.Fatal(err)
		}
		_, head, err := journal.Open(s).State(t.Context(), zone)
		switch {
		case errors.As(err, new(*journal.DamageError)), errors.As(err, new(*journal.VersionError)):
		case err != nil:
			t.Fatal(err)
		case !bytes.Equal(data, sealed):
			t.Fatalf("accepted as an intent of %s", head.Pending.Run)
		}
	})
}

// FuzzIntent stores any intent that JSON can express, and its outcome, and
// reads them back.
func FuzzIntent(f *testing.F) {
	seed := step(1, clock(1))
	seed.Snapshot = zoneOf(txt(zone, 300, "bytes \xff\x00 \\ \"quotes\" <&>\u2028", "é")).Sets()
	seed.Overrides = []plan.Override{{Gate: "spf-narrow", Domain: zone, Name: zone, Type: "TXT", Reason: "a leaked key", Until: clock(60).Now}}
	for _, in := range []journal.Intent{seed, {}} {
		data, err := json.Marshal(in)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var in journal.Intent
		if json.Unmarshal(data, &in) != nil {
			return
		}
		in.Zone, in.Run, in.Time = zone, "run", clock(1).Moment()
		j := journal.Open(memory())
		begun, err := j.Begin(t.Context(), journal.Head{Zone: zone}, in)
		if err != nil {
			return // an attribute with a variable and a value
		}
		out := journal.Conclude(plan.State{}, begun, zoneOf(begun.Snapshot...), clock(2), "")
		if _, err := j.Finish(t.Context(), begun, out); err != nil {
			t.Fatal(err)
		}
		if damage := verify(t, j); len(damage) > 0 {
			t.Fatal(damage)
		}
		e, err := j.Entry(t.Context(), zone, 1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(begun, *e.Intent, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-stored +read):\n%s", diff)
		}
		if diff := cmp.Diff(out.State, e.Outcome.State, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-stored +read):\n%s", diff)
		}
	})
}
