package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/plan/facts"
	"github.com/attunelogic/maildns/plan/policy"
	"github.com/attunelogic/maildns/provider"
	"github.com/attunelogic/maildns/provider/lookup"
	"github.com/attunelogic/maildns/provider/providertest/dnstest"
	"github.com/attunelogic/maildns/provider/zonefile"
	"github.com/attunelogic/maildns/records"
)

// casesDir has ID.txtar for every rule:
//
//	pass.hcl, pass-NAME.hcl   configurations in which the rule finds nothing
//	fail.hcl, fail-NAME.hcl   configurations in which it finds something
//	zone, CASE.zone           what is live in example.com, for all cases or one
//	dns, CASE.dns             what the DNS answers, names in full; without it there is none
//	CASE.serials              what each authoritative server has: its name and the serial
//	want                      a line for each finding:
//	                          CASE SEVERITY declared|live LINE|- words of the message
//
// A configuration needs no provider block, and the clock stands at ruleTime.
const casesDir = "testdata/rules"

var ruleTime = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// ruleCase is one configuration of a rule's test data.
type ruleCase struct {
	name, config, zone string
	dns                *string
	serials            []policy.Serial
	want               []string
}

func ruleCases(t *testing.T, id string) []ruleCase {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join(casesDir, id+".txtar"))
	if err != nil {
		t.Fatalf("%s has no test data: %v", id, err)
	}
	sections := map[string]string{}
	for _, f := range a.Files {
		sections[f.Name] = string(f.Data)
	}
	var out []ruleCase
	for _, f := range a.Files {
		name, ok := strings.CutSuffix(f.Name, ".hcl")
		if !ok {
			continue
		}
		c := ruleCase{name: name, config: string(f.Data), zone: sections["zone"]}
		if z, ok := sections[name+".zone"]; ok {
			c.zone = z
		}
		if d, ok := sections[name+".dns"]; ok {
			c.dns = &d
		} else if d, ok := sections["dns"]; ok {
			c.dns = &d
		}
		for line := range strings.Lines(sections[name+".serials"]) {
			server, number, _ := strings.Cut(strings.TrimSpace(line), " ")
			c.serials = append(c.serials, policy.Serial{Server: server, Number: number})
		}
		for line := range strings.Lines(sections["want"]) {
			if rest, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
				c.want = append(c.want, rest)
			}
		}
		out = append(out, c)
	}
	return out
}

// judged is what a case comes to: what the plan finds, and what validate does.
type judged struct {
	planned, linted []plan.Finding
}

// judge runs the straight line on a case, without a journal.
func (c ruleCase) judge(t *testing.T) judged {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(c.name+".hcl", c.config)
	if !strings.Contains(c.config, `provider "`) {
		write("provider.hcl", "provider \"zonefile\" \"local\" {\n  directory = \"zones\"\n}\n")
	}
	head := "$ORIGIN example.com.\n$TTL 3600\n@ NS ns1.example.net.\n"
	if !strings.Contains(c.zone, " SOA ") {
		head += "@ SOA ns1.example.net. hostmaster.example.net. 2026112401 7200 3600 1209600 900\n"
	}
	write("zones/example.com.zone", head+c.zone)
	cfg, diags := config.Load(t.Context(), dir, config.Environment{Now: ruleTime})
	out := judged{}
	for _, d := range diags {
		f := plan.Finding{Rule: d.Rule, Severity: plan.Severity(d.Severity), About: plan.AboutDeclared, Message: d.Summary + ": " + d.Detail, Fix: d.Detail}
		if d.Source != nil {
			f.Source = &records.Source{File: d.Source.File, Line: d.Source.Line}
		}
		out.planned, out.linted = append(out.planned, f), append(out.linted, f)
		if d.Severity == config.Error && d.Rule == "" {
			t.Errorf("%s: %s", c.name, d.Error())
		}
	}
	if diags.HasErrors() {
		return out
	}
	clock := plan.Clock{Now: ruleTime, Wall: ruleTime}
	for _, d := range cfg.Domains {
		out.linted = append(out.linted, policy.Lint(d, clock)...)
	}
	out.planned = append(out.planned, c.plan(t, dir, cfg.Domains, clock)...)
	for i := range out.planned { // pages show what is found, and a directory of the day is none of it
		out.planned[i].Message = strings.ReplaceAll(out.planned[i].Message, dir+string(filepath.Separator), "")
	}
	return out
}

func (c ruleCase) plan(t *testing.T, dir string, domains []*records.Domain, clock plan.Clock) []plan.Finding {
	t.Helper()
	host := &zonefile.Provider{Directory: filepath.Join(dir, "zones")}
	live, err := host.ReadZone(t.Context(), "example.com")
	if err != nil {
		t.Fatal(err)
	}
	var gatherer *facts.Gatherer
	if c.dns != nil {
		server := dnstest.Start(t, dnstest.Zone{Name: ".", Text: "$TTL 300\n. NS ns.root.\n" + *c.dns})
		gatherer = facts.New(lookup.New([]string{server.Addr()}, lookup.Options{}))
	}
	domains = slices.DeleteFunc(slices.Clone(domains), func(d *records.Domain) bool { return d.Zone != "example.com" })
	planned := policy.PlanZone(policy.ZoneInput{
		Live: live, Past: plan.State{}.Index(), Journal: plan.JournalAbsent, Clock: clock, Domains: domains, Source: plan.LiveProvider,
		Host: policy.Host{Limits: limitsOf(domains)},
		SPF:  gatherer.SPF(t.Context(), live, domains), DNS: gatherer.DNS(t.Context(), live, domains, nil, clock), Serials: c.serials,
	})
	var out []plan.Finding
	for _, d := range planned.Domains {
		out = append(out, d.Findings...)
	}
	return out
}

// limitsOf are those of the host that the first of a zone's domains is at.
func limitsOf(domains []*records.Domain) records.Limits {
	if len(domains) == 0 {
		return records.Limits{}
	}
	host, _ := provider.Lookup(domains[0].Provider.Type)
	return host.Limits
}

// of are the findings of one rule.
func of(rule string, list []plan.Finding) []plan.Finding {
	return slices.DeleteFunc(slices.Clone(list), func(f plan.Finding) bool { return f.Rule != rule })
}

func showFinding(f plan.Finding) string {
	line := "-"
	if f.Source != nil {
		line = fmt.Sprint(f.Source.Line)
	}
	return fmt.Sprintf("%s %s %s %s", f.Severity, f.About, line, f.Message)
}

// fits reports whether a finding is what a line of the test data wants.
func fits(want string, f plan.Finding) bool {
	w := strings.SplitN(want, " ", 4)
	got := strings.SplitN(showFinding(f), " ", 4)
	return len(w) == 4 && slices.Equal(w[:3], got[:3]) && strings.Contains(got[3], w[3])
}

// TestRuleCases proves every rule of the catalogue by configurations that it
// lets pass and by some that it finds fault with, each to the line.
func TestRuleCases(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, r := range policy.Rules() {
		known[r.ID] = true
		if !r.Implemented() {
			if r.Needs != policy.NeedsHTTPS && r.Needs != policy.NeedsReports {
				t.Errorf("%s is not implemented, and what it needs (%s) can be had", r.ID, r.Needs)
			}
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			passes, fails := 0, 0
			for _, c := range ruleCases(t, r.ID) {
				if strings.HasPrefix(c.name, "pass") {
					passes++
				} else {
					fails++
				}
				c.prove(t, r)
			}
			if passes == 0 || fails == 0 {
				t.Errorf("%d passing and %d failing cases: at least one of each is needed", passes, fails)
			}
		})
	}
	files, err := filepath.Glob(filepath.Join(casesDir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if id := strings.TrimSuffix(filepath.Base(f), ".txtar"); !known[id] {
			t.Errorf("%s is about no rule", f)
		}
	}
}

func (c ruleCase) prove(t *testing.T, r policy.Rule) {
	t.Helper()
	out := c.judge(t)
	got := of(r.ID, out.planned)
	if passes := strings.HasPrefix(c.name, "pass"); passes != (len(c.want) == 0) {
		t.Errorf("%s: a passing case wants nothing and a failing case something, this one %d findings", c.name, len(c.want))
	}
	for _, w := range c.want {
		if !slices.ContainsFunc(got, func(f plan.Finding) bool { return fits(w, f) }) {
			t.Errorf("%s: nothing found fits %q", c.name, w)
		}
	}
	for _, f := range got {
		if !slices.ContainsFunc(c.want, func(w string) bool { return fits(w, f) }) {
			t.Errorf("%s: nobody wants %q", c.name, showFinding(f))
		}
		if f.Fix == "" || f.RFC != r.RFC && !r.Reads() {
			t.Errorf("%s: no fix or another section than the rule's: %+v", c.name, f)
		}
		// validate finds what needs nothing, unless what is live matters.
		if linted := of(r.ID, out.linted); r.Needs == policy.NeedsNothing && f.About == plan.AboutDeclared && c.zone == "" && len(linted) == 0 {
			t.Errorf("%s: validate doesn't find %q", c.name, showFinding(f))
		}
	}
}

// TestRulesAreWhole: every rule says what it is about, under an id of its own.
func TestRulesAreWhole(t *testing.T) {
	t.Parallel()
	id := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := map[string]bool{}
	for _, r := range policy.Rules() {
		if !id.MatchString(r.ID) || seen[r.ID] {
			t.Errorf("%q is no id, or stands twice", r.ID)
		}
		seen[r.ID] = true
		if r.Finds == "" || r.Why == "" || r.Fix == "" || r.Severity == "" || r.Needs == "" {
			t.Errorf("%s doesn't say all: %+v", r.ID, r)
		}
	}
}

// TestRulesCount prints how many rules of each family and severity there are.
func TestRulesCount(t *testing.T) {
	t.Parallel()
	type row struct{ errors, warnings, infos, later int }
	rows := map[string]*row{}
	for _, r := range policy.Rules() {
		family := familyOf(r.ID)
		if rows[family] == nil {
			rows[family] = &row{}
		}
		switch r.Severity {
		case plan.SeverityError:
			rows[family].errors++
		case plan.SeverityWarning:
			rows[family].warnings++
		default:
			rows[family].infos++
		}
		if !r.Implemented() {
			rows[family].later++
		}
	}
	for _, family := range slices.Sorted(maps.Keys(rows)) {
		n := rows[family]
		t.Logf("%-8s %3d errors %3d warnings %3d infos; %d wait for facts that are not gathered yet", family, n.errors, n.warnings, n.infos, n.later)
	}
	if len(policy.Rules()) == 0 {
		t.Error("there is no rule")
	}
}

// familyOf is the family that an id begins with; what is about no kind of record
// is about the plan.
func familyOf(id string) string {
	for _, family := range []string{"spf", "dmarc", "dkim", "mx", "dns", "mta-sts", "tls-rpt", "bimi", "tlsa"} {
		if strings.HasPrefix(id, family+"-") {
			return family
		}
	}
	return "plan"
}
