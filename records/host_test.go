package records

import "testing"

func TestCheckCNAME(t *testing.T) {
	t.Parallel()
	txt := NewRRset(Key{"a.example", TypeTXT}, 300, "x")
	alias := NewRRset(Key{"a.example", TypeCNAME}, 300, "b.example")
	add := func(s RRset) Change { return Change{Key: s.Key, After: &s} }
	remove := func(s RRset) Change { return Change{Key: s.Key, Before: &s} }
	cases := []struct {
		name    string
		zone    []RRset
		changes []Change
		refused bool
	}{
		{"CNAME beside TXT", []RRset{txt}, []Change{add(alias)}, true},
		{"TXT beside CNAME", []RRset{alias}, []Change{add(txt)}, true},
		{"both at once", nil, []Change{add(txt), add(alias)}, true},
		{"TXT to CNAME", []RRset{txt}, []Change{remove(txt), add(alias)}, false},
		{"CNAME to TXT", []RRset{alias}, []Change{add(txt), remove(alias)}, false},
		{"the conflict was there", []RRset{txt, alias}, []Change{add(txt)}, false},
		{"no conflict", []RRset{txt}, []Change{add(txt)}, false},
	}
	for _, c := range cases {
		if err := NewZone("example", 300, c.zone...).CheckCNAME(c.changes); (err != nil) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
