package plan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
	"pgregory.net/rapid"
)

// anyChange draws a change as Stage might make it.
func anyChange(t *rapid.T) plan.Change {
	values := rapid.SliceOfN(rapid.SampledFrom([]records.Value{"a", "b", "\xff", `\`, "v=spf1 -all"}), 1, 3)
	set := func(label string) *plan.Set {
		if rapid.Bool().Draw(t, label+" absent") {
			return nil
		}
		return &plan.Set{TTL: rapid.SampledFrom([]records.TTL{60, 300, 3600, records.AutoTTL}).Draw(t, label), Values: values.Draw(t, label)}
	}
	return plan.Change{
		Name:   records.Below(rapid.SampledFrom([]string{"@", "_dmarc", "s1._domainkey"}).Draw(t, "name"), apex),
		Type:   rapid.SampledFrom([]records.Type{"TXT", "MX", "CNAME"}).Draw(t, "type"),
		Action: rapid.SampledFrom([]plan.Action{plan.ActionCreate, plan.ActionUpdate, plan.ActionDelete, plan.ActionTTL}).Draw(t, "action"),
		Step:   rapid.SampledFrom([]plan.Step{plan.StepLowerTTL, plan.StepChange, plan.StepRestoreTTL}).Draw(t, "step"),
		State:  rapid.SampledFrom([]plan.ChangeState{plan.Ready, plan.Waiting, plan.Held}).Draw(t, "state"),
		Before: set("before"), After: set("after"),
		Exposure: rapid.Int64Range(0, 86400).Draw(t, "exposure"), Mistake: rapid.Int64Range(0, 86400).Draw(t, "mistake"),
	}
}

func anyPlan(t *rapid.T) plan.Plan {
	p := plan.Plan{Kind: plan.KindPlan, CreatedAt: noon, Journal: plan.JournalRead, Domains: []plan.Domain{}}
	for i := range rapid.IntRange(0, 4).Draw(t, "domains") {
		d := plan.Domain{Name: records.Name(fmt.Sprintf("d%d.example", i))}
		for range rapid.IntRange(0, 5).Draw(t, "changes") {
			d.Changes = append(d.Changes, anyChange(t))
			d.Changes[len(d.Changes)-1].ID = fmt.Sprint(len(d.Changes)) // no two changes of a domain have one id
		}
		for range rapid.IntRange(0, 3).Draw(t, "findings") {
			d.Findings = append(d.Findings, plan.Finding{Rule: "r", Severity: rapid.SampledFrom([]plan.Severity{plan.SeverityError, plan.SeverityWarning, plan.SeverityInfo}).Draw(t, "severity")})
		}
		p.Domains = append(p.Domains, d)
	}
	return p
}

// TestSealCounts: every change counts once by what it does and once by its
// state, and the longest times are those of changes that are not held.
func TestSealCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, err := plan.Seal(anyPlan(t))
		if err != nil {
			t.Fatal(err)
		}
		s := p.Summary
		changes, findings, errs, exposure, mistake := 0, 0, 0, int64(0), int64(0)
		for _, d := range p.Domains {
			changes += len(d.Changes)
			for _, c := range d.Changes {
				if c.State != plan.Held {
					exposure, mistake = max(exposure, c.Exposure), max(mistake, c.Mistake)
				}
			}
			for _, f := range d.Findings {
				if f.Severity != plan.SeverityInfo {
					findings++
				}
				if f.Severity == plan.SeverityError {
					errs++
				}
			}
		}
		if s.Create+s.Update+s.Delete+s.TTL != changes || s.Ready+s.Waiting+s.Held != changes || s.Domains != len(p.Domains) {
			t.Fatalf("%d changes of %d domains, %+v", changes, len(p.Domains), s)
		}
		if s.Errors+s.Warnings != findings || s.Errors != errs || p.MaxExposure != exposure || p.MaxMistake != mistake {
			t.Fatalf("%+v, exposure %d, mistake %d", s, p.MaxExposure, p.MaxMistake)
		}
		if again, err := plan.Seal(p); err != nil || again.ID != p.ID || again.Summary != s {
			t.Fatalf("sealed again it is another plan: %v", err)
		}
	})
}

// TestSealOrder: the order in which domains, changes and values come in changes
// no byte.
func TestSealOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan(t)
		other := p
		other.Domains = slices.Clone(p.Domains)
		mix := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		mix.Shuffle(len(other.Domains), func(i, j int) { other.Domains[i], other.Domains[j] = other.Domains[j], other.Domains[i] })
		for i := range other.Domains {
			list := slices.Clone(other.Domains[i].Changes)
			mix.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			other.Domains[i].Changes = list
		}
		a, b := sealed(t, p), sealed(t, other)
		if !bytes.Equal(a, b) {
			t.Fatalf("differs:\n%s\n%s", a, b)
		}
	})
}

type fataler interface {
	Helper()
	Fatal(args ...any)
}

func sealed(t fataler, p plan.Plan) []byte {
	t.Helper()
	p, err := plan.Seal(p)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func somePlan() plan.Plan {
	live := zone(txt("@", 3600, spfNow, "token \xff\\"), txt("_smtp._tls", 3600, oldTLS))
	d := planFor(live, noon, plan.State{}, both(false, newTLS))
	d.Findings = []plan.Finding{{Rule: "spf-multiple", Severity: plan.SeverityWarning, About: plan.AboutDeclared, Message: "m", Source: &records.Source{File: "mail.hcl", Line: 1, Column: 2}}}
	d.Unmanaged = []plan.Unmanaged{{Name: "x.a.example", Type: "TXT", Values: []records.Value{"y"}, Why: "w"}}
	return plan.Plan{Kind: plan.KindPlan, MaildnsVersion: "v1", CreatedAt: noon, ConfigDigest: "sha256:c", Journal: plan.JournalRead, Domains: []plan.Domain{d}}
}

// TestPlanFileRoundTrip: what is read is what was written, byte for byte.
func TestPlanFileRoundTrip(t *testing.T) {
	t.Parallel()
	b := sealed(t, somePlan())
	p, err := plan.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if again := sealed(t, p); !bytes.Equal(b, again) {
		t.Errorf("written again it is\n%s\nbefore\n%s", again, b)
	}
	for _, want := range []string{`"format_version": "1.0"`, `token \\255\\\\`, `"not_before": "2026-11-24T13:00:30Z"`, `"group": null`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the file lacks %s:\n%s", want, b)
		}
	}
}

// TestPlanIDFollowsTheContent: another content is another plan.
func TestPlanIDFollowsTheContent(t *testing.T) {
	t.Parallel()
	id := func(change func(*plan.Plan)) string {
		p := somePlan()
		change(&p)
		p, err := plan.Seal(p)
		if err != nil {
			t.Fatal(err)
		}
		return p.ID
	}
	seen := map[string]string{id(func(*plan.Plan) {}): "unchanged"}
	for name, change := range map[string]func(*plan.Plan){
		"time":    func(p *plan.Plan) { p.CreatedAt = noon.Add(time.Second) },
		"version": func(p *plan.Plan) { p.MaildnsVersion = "v2" },
		"config":  func(p *plan.Plan) { p.ConfigDigest = "sha256:d" },
		"journal": func(p *plan.Plan) { p.Journal = plan.JournalUnreadable },
		"domain":  func(p *plan.Plan) { p.Domains[0].ConfigDigest = "sha256:d" },
		"value":   func(p *plan.Plan) { p.Domains[0].Changes[0].After.Values = []records.Value{"x"} },
		"state":   func(p *plan.Plan) { p.Domains[0].Changes[0].State = plan.Held },
		"finding": func(p *plan.Plan) { p.Domains[0].Findings[0].Message = "n" },
		"none":    func(p *plan.Plan) { p.Domains = nil },
	} {
		got := id(change)
		if other, again := seen[got]; again {
			t.Errorf("%s and %s have one id", name, other)
		}
		seen[got] = name
	}
}

// TestChangeID: a change is known by domain, name, type, step, before and
// after, and by nothing else.
func TestChangeID(t *testing.T) {
	t.Parallel()
	one := func(live records.Zone, now time.Time, state plan.State, today plan.Today) string {
		list := stage(live, state, now, today)
		return list[len(list)-1].ID
	}
	base := one(zone(txt("_smtp._tls", 300, oldTLS)), noon, plan.State{}, tls(newTLS))
	if again := one(zone(txt("_smtp._tls", 300, oldTLS), txt("www", 60, "x")), noon.Add(time.Hour), plan.State{}, tls(newTLS, func(d *records.Domain) { d.Owner = "x" })); again != base {
		t.Error("another time, owner or neighbour makes another change")
	}
	for name, other := range map[string]string{
		"before":     one(zone(txt("_smtp._tls", 300, "v=TLSRPTv1; rua=mailto:z@a.example")), noon, plan.State{}, tls(newTLS)),
		"before TTL": one(zone(txt("_smtp._tls", 240, oldTLS)), noon, plan.State{}, tls(newTLS)),
		"after":      one(zone(txt("_smtp._tls", 300, oldTLS)), noon, plan.State{}, tls("v=TLSRPTv1; rua=mailto:z@a.example")),
		"after TTL":  one(zone(txt("_smtp._tls", 300, oldTLS)), noon, plan.State{}, tls(newTLS, func(d *records.Domain) { d.TTL = 120 })),
		"absent":     one(zone(), noon, plan.State{}, tls(newTLS)),
	} {
		if other == base {
			t.Errorf("%s makes no difference", name)
		}
	}
}

// TestDecodeRefuses: an altered file, one of another major version, and what is
// no plan; a later minor version with fields of its own is read.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	good := string(sealed(t, somePlan()))
	for name, text := range map[string]string{
		"a value":         strings.Replace(good, "rua=mailto:new@", "rua=mailto:evil@", 1),
		"a state":         strings.Replace(good, `"state": "held"`, `"state": "ready"`, 1),
		"a verdict":       strings.Replace(good, `"verdict": "unknown"`, `"verdict": "allow"`, 1),
		"an added field":  strings.Replace(good, `"journal": "read"`, `"journal": "read", "more": 1`, 1),
		"a removed field": strings.Replace(good, `"maildns_version": "v1",`, "", 1),
		"the id":          strings.Replace(good, `"id": "sha256:`, `"id": "sha256:0`, 1),
		"no id":           strings.Replace(good, `"id": "sha256:`, `"di": "sha256:0`, 1),
	} {
		if text == good {
			t.Fatalf("%s: the test alters nothing", name)
		}
		if _, err := plan.Decode([]byte(text)); !errors.Is(err, plan.ErrAltered) {
			t.Errorf("%s altered: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"another major version": strings.Replace(good, `"1.0"`, `"2.0"`, 1),
		"no version":            strings.Replace(good, `"format_version": "1.0"`, `"format_version": ""`, 1),
		"another kind":          strings.Replace(good, `"kind": "plan"`, `"kind": "rollback"`, 1),
		"nothing":               "",
		"a half":                good[:len(good)/2],
		"a tail":                good + "{}",
		"a list":                "[]",
		"null":                  "null",
	} {
		if _, err := plan.Decode([]byte(text)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	// White space and the order of fields don't count.
	var buf bytes.Buffer
	if err := json.Compact(&buf, []byte(good)); err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Decode(buf.Bytes()); err != nil {
		t.Error(err)
	}
}

// TestDecodeALaterMinorVersion: its fields are part of its digest, and are
// otherwise ignored.
func TestDecodeALaterMinorVersion(t *testing.T) {
	t.Parallel()
	var tree map[string]any
	if err := json.Unmarshal(sealed(t, somePlan()), &tree); err != nil {
		t.Fatal(err)
	}
	delete(tree, "id")
	tree["format_version"] = "1.7"
	tree["more"] = map[string]any{"z": 1.5, "a": []any{"x"}}
	b, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	tree["id"] = digestOf(b)
	if b, err = json.Marshal(tree); err != nil {
		t.Fatal(err)
	}
	p, err := plan.Decode(b)
	if err != nil || p.FormatVersion != "1.7" || len(p.Domains) != 1 {
		t.Fatalf("%v, %+v", err, p)
	}
	if _, err := plan.Decode(bytes.Replace(b, []byte(`1.5`), []byte(`1.6`), 1)); !errors.Is(err, plan.ErrAltered) {
		t.Errorf("an altered field of a later version: %v", err)
	}
}

// FuzzDecode: whatever is accepted is sealed again to the same bytes.
func FuzzDecode(f *testing.F) {
	f.Add(sealed(f, somePlan()))
	f.Add([]byte(`{"format_version":"1.0","kind":"plan","id":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := plan.Decode(b)
		if err != nil {
			return
		}
		again, err := plan.Seal(p)
		if err != nil {
			t.Fatal(err)
		}
		if more, err := plan.Decode(sealed(t, again)); err != nil || more.ID != again.ID {
			t.Errorf("not read again: %v", err)
		}
	})
}
