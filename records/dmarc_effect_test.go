package records

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func parseDMARC(t *testing.T, text string) DMARCRecord {
	t.Helper()
	r, err := ParseDMARC(text)
	if err != nil {
		t.Fatalf("ParseDMARC(%q): %v", text, err)
	}
	return r
}

// TestPctRatchetTable has what a record does at receivers of either generation
// (RFC 7489 6.6.4; RFC 9989 4.7 and A.6). R11.
func TestPctRatchetTable(t *testing.T) {
	t.Parallel()
	var (
		none            = Effect{}
		quarter         = Effect{Quarantine: 25}
		quarantine      = Effect{Quarantine: 100}
		quarterRejected = Effect{Quarantine: 100, Reject: 25}
		reject          = Effect{Quarantine: 100, Reject: 100}
	)
	tests := []struct {
		tags    string
		rfc7489 Effect
		rfc9989 Effect
	}{
		{"p=none", none, none},
		{"p=quarantine; pct=25", quarter, quarantine},
		{"p=quarantine; t=y", quarantine, none},
		{"p=quarantine; pct=0; t=y", none, none},
		{"p=quarantine; pct=25; t=y", quarter, none},
		{"p=quarantine", quarantine, quarantine},
		{"p=reject; pct=25", quarterRejected, reject},
		{"p=reject; pct=0; t=y", quarantine, quarantine},
		{"p=reject; pct=25; t=y", quarterRejected, quarantine},
		{"p=reject; t=y", reject, quarantine},
		// The first row holds for any pct and t, and the plain policy for t=n.
		{"p=none; pct=25", none, none},
		{"p=none; pct=0; t=y", none, none},
		{"p=reject", reject, reject},
		{"p=reject; pct=100; t=n", reject, reject},
	}
	for _, tt := range tests {
		r := parseDMARC(t, "v=DMARC1; "+tt.tags)
		want := Effects{RFC7489: tt.rfc7489, RFC9989: tt.rfc9989}
		if got := r.Effects(); got != want {
			t.Errorf("%s: %+v, want %+v", tt.tags, got, want)
		}
		// sp and np are subject to the same pct and t.
		if got := r.Reach(); got != (Reach{want, want, want}) {
			t.Errorf("%s: subdomains don't inherit: %+v", tt.tags, got)
		}
	}
}

func TestEffectsOfSubdomains(t *testing.T) {
	t.Parallel()
	none, quarantine, reject := Effects{}, both(Effect{Quarantine: 100}), both(Effect{100, 100})
	tests := []struct {
		tags string
		want Reach
	}{
		{"p=reject", Reach{reject, reject, reject}},
		{"p=reject; sp=none", Reach{reject, none, none}},
		{"p=none; sp=reject", Reach{none, reject, reject}},
		{"p=none; np=reject", Reach{none, none, Effects{RFC9989: Effect{100, 100}}}},
		{"p=none; sp=quarantine; np=reject", Reach{none, quarantine, Effects{Effect{Quarantine: 100}, Effect{100, 100}}}},
		{"p=reject; np=none", Reach{reject, reject, Effects{RFC7489: Effect{100, 100}}}},
		{"p=none; sp=quarantine; pct=25; t=y", Reach{none, Effects{RFC7489: Effect{Quarantine: 25}}, Effects{RFC7489: Effect{Quarantine: 25}}}},
	}
	for _, tt := range tests {
		if got := parseDMARC(t, "v=DMARC1; "+tt.tags).Reach(); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.tags, got, tt.want)
		}
	}
}

func both(e Effect) Effects { return Effects{e, e} }

// TestDisarmedDMARC has the records of RFC 9989 4.10.1.
func TestDisarmedDMARC(t *testing.T) {
	t.Parallel()
	const rua = "; rua=mailto:d@example.com"
	reject := Effect{100, 100}
	tests := []struct {
		tags              string
		disarmed, applied bool
		want              Effects
	}{
		{"", true, false, Effects{}},
		{rua, true, true, Effects{}},
		{"; rua=d@example.com", true, false, Effects{}},
		{"; rua=d@example.com,mailto:d@example.com", true, true, Effects{}},
		{"; p=block" + rua, true, true, Effects{}},
		{"; p=reject; sp=block", true, false, Effects{}},
		{"; p=reject; sp=block" + rua, true, true, Effects{}},
		{"; p=reject; np=block" + rua, true, true, Effects{RFC7489: reject}}, // RFC 7489 knows no np
		{"; p=reject; sp=reject; sp=block", false, true, both(reject)},       // the first sp counts
		{"; p=reject; t=maybe; pct=25%; adkim=q; psd=x; fo=9", false, true, both(reject)},
		{"; p=reject", false, true, both(reject)},
	}
	for _, tt := range tests {
		r := parseDMARC(t, "v=DMARC1"+tt.tags)
		if r.Disarmed() != tt.disarmed || r.Applied() != tt.applied || r.Effects() != tt.want {
			t.Errorf("%q: disarmed %v, applied %v, %+v; want %+v", tt.tags, r.Disarmed(), r.Applied(), r.Effects(), tt)
		}
		again := parseDMARC(t, r.String())
		if again.Disarmed() != tt.disarmed || again.Effects() != tt.want {
			t.Errorf("%q printed as %q acts otherwise", tt.tags, r)
		}
	}
}

func TestTightensAndLoosens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		from, to          string
		tightens, loosens bool
	}{
		{"p=none", "p=none; pct=50; t=y", false, false},
		{"p=none", "p=quarantine; pct=0; t=y", false, false},
		{"p=none", "p=quarantine; pct=25; t=y", true, false},
		{"p=none", "p=quarantine; t=y", true, false}, // RFC 7489 receivers don't know t
		{"p=quarantine; pct=25; t=y", "p=quarantine; pct=25", true, false},
		{"p=quarantine; pct=25; t=y", "p=quarantine; pct=50; t=y", true, false},
		{"p=quarantine; pct=25", "p=quarantine; t=y", true, true}, // one tightens, one loosens
		{"p=quarantine", "p=reject; pct=0; t=y", false, false},
		{"p=quarantine", "p=reject; pct=25; t=y", true, false},
		{"p=reject", "p=quarantine", false, true},
		{"p=reject", "p=reject; t=y", false, true},
	}
	for _, tt := range tests {
		from, to := parseDMARC(t, "v=DMARC1; "+tt.from).Effects(), parseDMARC(t, "v=DMARC1; "+tt.to).Effects()
		if Tightens(from, to) != tt.tightens || Loosens(from, to) != tt.loosens {
			t.Errorf("%s → %s: tightens %v, loosens %v", tt.from, tt.to, Tightens(from, to), Loosens(from, to))
		}
	}
}

func anyDMARCPolicy(t *rapid.T, label string) DMARCRecord {
	policy := rapid.SampledFrom([]Disposition{PolicyUnset, PolicyNone, PolicyQuarantine, PolicyReject})
	return DMARCRecord{
		Policy: policy.Draw(t, label+" p"),
		SP:     policy.Draw(t, label+" sp"),
		NP:     policy.Draw(t, label+" np"),
		Pct:    Pct(rapid.IntRange(0, 101).Draw(t, label+" pct")),
		T:      rapid.SampledFrom([]Flag{"", FlagYes, FlagNo}).Draw(t, label+" t"),
	}
}

func TestEffectsAreAPartialOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyDMARCPolicy(t, "a").Reach(), anyDMARCPolicy(t, "b").Reach(), anyDMARCPolicy(t, "c").Reach()
		if !a.NoStricterThan(a) || Tightens(a.Domain, a.Domain) || Loosens(a.Domain, a.Domain) {
			t.Fatal("not reflexive")
		}
		if a.NoStricterThan(b) && b.NoStricterThan(a) && a != b {
			t.Fatalf("not antisymmetric: %+v, %+v", a, b)
		}
		if a.NoStricterThan(b) && b.NoStricterThan(c) && !a.NoStricterThan(c) {
			t.Fatalf("not transitive: %+v, %+v, %+v", a, b, c)
		}
		if Tightens(a.Domain, b.Domain) != Loosens(b.Domain, a.Domain) {
			t.Fatal("the way back of a tightening doesn't loosen")
		}
		for _, e := range []Effect{a.Domain.RFC7489, a.Subdomains.RFC9989, a.Nonexistent.RFC7489} {
			if e.Reject > e.Quarantine || e.Reject < 0 || e.Quarantine > 100 {
				t.Fatalf("impossible effect %+v", e)
			}
		}
	})
}

// TestR11RampSteps has the tags of each step in each mode.
func TestR11RampSteps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		step   string
		compat Compat
		want   string
	}{
		{"none", CompatBoth, "p=none"},
		{"none", Compat7489, "p=none"},
		{"none", Compat9989, "p=none"},
		{"quarantine 25", CompatBoth, "p=quarantine; pct=25; t=y"},
		{"quarantine 25", Compat7489, "p=quarantine; pct=25"},
		{"quarantine 25", Compat9989, "p=quarantine; t=y"},
		{"quarantine 0", CompatBoth, "p=quarantine; pct=0; t=y"},
		{"quarantine 100", CompatBoth, "p=quarantine"},
		{"quarantine 100", Compat7489, "p=quarantine"},
		{"quarantine", Compat9989, "p=quarantine"},
		{"reject 25", CompatBoth, "p=reject; pct=25; t=y"},
		{"reject 25", Compat7489, "p=reject; pct=25"},
		{"reject 25", Compat9989, "p=reject; t=y"},
		{"reject", CompatBoth, "p=reject"},
		{"Reject  100", Compat7489, "p=reject"},
	}
	for _, tt := range tests {
		step, err := ParseDMARCStep(tt.step)
		if err != nil {
			t.Errorf("%q: %v", tt.step, err)
			continue
		}
		var r DMARCRecord
		r.Policy, r.Pct, r.T = step.Tags(tt.compat)
		if got := r.String(); got != "v=DMARC1; "+tt.want {
			t.Errorf("%q with %s: %s, want %s", tt.step, tt.compat, got, tt.want)
		}
		if step.Effects(tt.compat) != r.Effects() {
			t.Errorf("%q with %s: the step has another effect than its record", tt.step, tt.compat)
		}
		if again, err := ParseDMARCStep(step.String()); err != nil || again != step {
			t.Errorf("%q prints as %q, which reads as %v, %v", tt.step, step, again, err)
		}
	}
}

// TestDefaultRampOnlyTightens climbs the default ramp in each mode: no step
// loosens anything anywhere, so that the ramp has an order.
func TestDefaultRampOnlyTightens(t *testing.T) {
	t.Parallel()
	for _, compat := range []Compat{CompatBoth, Compat7489, Compat9989} {
		var last Effects
		for _, text := range []string{"none", "quarantine 0", "quarantine 25", "quarantine 50", "quarantine 100", "reject 0", "reject 25", "reject"} {
			step, err := ParseDMARCStep(text)
			if err != nil {
				t.Fatal(err)
			}
			now := step.Effects(compat)
			if compat == CompatBoth && !last.NoStricterThan(now) {
				t.Errorf("%s: step %q loosens: %+v → %+v", compat, text, last, now)
			}
			if percent := now.RFC7489.Quarantine; compat != Compat9989 && step.Policy == PolicyQuarantine && percent > step.Percent {
				t.Errorf("%s: step %q quarantines %d %%", compat, text, percent)
			}
			last = now
		}
	}
}

func TestParseDMARCStepRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "block", "quarantine 101", "quarantine -1", "quarantine 25%", "quarantine 25 50", "25 quarantine", "none 25", "quarantine 0025", "reject 1.5"} {
		if step, err := ParseDMARCStep(text); err == nil {
			t.Errorf("ParseDMARCStep(%q) = %+v, want an error", text, step)
		}
	}
}

func TestParseCompatAndAlignment(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Compat{"": CompatBoth, "both": CompatBoth, "rfc7489": Compat7489, "rfc9989": Compat9989} {
		if got, err := ParseCompat(text); err != nil || got != want {
			t.Errorf("ParseCompat(%q) = %q, %v", text, got, err)
		}
	}
	if _, err := ParseCompat("rfc7208"); err == nil {
		t.Error("an unknown mode was accepted")
	}
	for text, want := range map[string]Alignment{"relaxed": AlignRelaxed, "r": AlignRelaxed, "Strict": AlignStrict, "S": AlignStrict} {
		if got, err := ParseAlignment(text); err != nil || got != want {
			t.Errorf("ParseAlignment(%q) = %q, %v", text, got, err)
		}
	}
	if _, err := ParseAlignment("loose"); err == nil {
		t.Error("an unknown alignment was accepted")
	}
}

func TestDispositionText(t *testing.T) {
	t.Parallel()
	type wire struct{ D Disposition }
	for d := PolicyUnset; d <= PolicyReject; d++ {
		text, err := json.Marshal(wire{d})
		if err != nil {
			t.Fatal(err)
		}
		back := wire{PolicyReject}
		if err := json.Unmarshal(text, &back); err != nil || back.D != d {
			t.Errorf("%v is %s, which reads as %v, %v", d, text, back.D, err)
		}
	}
	if !slices.IsSorted([]Disposition{PolicyUnset, PolicyNone, PolicyQuarantine, PolicyReject}) {
		t.Error("the policies are out of order")
	}
	if got := Disposition(9).String(); got != "invalid" {
		t.Errorf("Disposition(9) = %q", got)
	}
}

func TestEffectString(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]Effect{
		"none":                             {},
		"25 % quarantine":                  {Quarantine: 25},
		"quarantine":                       {Quarantine: 100},
		"25 % reject, the rest quarantine": {100, 25},
		"reject":                           {100, 100},
	} {
		if got := e.String(); got != want {
			t.Errorf("%+v = %q, want %q", e, got, want)
		}
	}
}
