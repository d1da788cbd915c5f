package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/attunelogic/maildns/records"
)

// treeDigest is the definition: the document as a tree, without its id, as
// json.Marshal writes it.
func treeDigest(t testing.TB, document []byte) string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	var tree map[string]any
	if err := dec.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	delete(tree, "id")
	b, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func digestPlan() Plan {
	due := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	group := "www.example"
	set := &Set{TTL: records.AutoTTL, Values: []records.Value{"v=spf1 <&> -all", "\xff\\\u2028"}}
	return Plan{Kind: KindPlan, ID: "sha256:old", Journal: JournalRead, Domains: []Domain{
		{Name: "b.example", Owner: `"&"`, Changes: []Change{{Name: "x", Before: set, NotBefore: &due, Group: &group, Meaning: []string{"− gone", "→"}}}},
		{Name: "a.example", Findings: []Finding{{Message: "ünïcode", Source: &records.Source{File: "a.hcl", Line: 1}}}},
	}}
}

// TestDigestIsOfTheFile: the id of a plan is the one that its file must have,
// however that is laid out.
func TestDigestIsOfTheFile(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Plan{"changes": digestPlan(), "no list": {}, "no domain": {Domains: []Domain{}}} {
		id, err := digest(p)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		indented, err := json.MarshalIndent(p, " ", "\t")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range [][]byte{compact, indented} {
			if got, err := digestOf(file); err != nil || got != id {
				t.Errorf("%s: the id is %s, that of its file %s, %v:\n%s", name, id, got, err, file)
			}
		}
		if want := treeDigest(t, compact); id != want {
			t.Errorf("%s: the id is %s, by definition %s", name, id, want)
		}
	}
}

// FuzzDigest: whatever a file holds, its digest is that of the definition.
func FuzzDigest(f *testing.F) {
	file, err := json.MarshalIndent(digestPlan(), "", " ")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add([]byte(`{}`))
	f.Add([]byte(` {"id" : "x" , "z":[ ] , "a":{ } } `))
	f.Add([]byte(`{"a":1,"\u0061":2.50,"a":[1e5,-0,{"b":"}","a":"]","a":null}],"domains":{"x":"\ud800"}}`))
	f.Add([]byte(`{"a!":true,"a":false,"":"\"\\","\u0069d":1,"domains":["` + "\xff" + `"]}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		var object map[string]json.RawMessage
		if json.Unmarshal(file, &object) != nil || object == nil {
			if got, err := digestOf(file); err == nil {
				t.Fatalf("%q is no object and has the digest %s", file, got)
			}
			return
		}
		got, err := digestOf(file)
		if want := treeDigest(t, file); err != nil || got != want {
			t.Fatalf("the digest of %q is %s, %v; want %s", file, got, err, want)
		}
	})
}

func BenchmarkDigest(b *testing.B) {
	p := digestPlan()
	for len(p.Domains) < 1000 {
		p.Domains = append(p.Domains, p.Domains[:2]...)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := digest(p); err != nil {
			b.Fatal(err)
		}
	}
}
