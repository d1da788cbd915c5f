package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/attunelogic/maildns/records"
	"github.com/attunelogic/maildns/records/spf"
)

// finding is a sender that was found in a live zone: its block, and all that it
// makes, every bit of which is live.
type finding struct {
	about  SenderType
	text   string // the sender block
	made   made
	claims []single // the live values that it makes, but for the domain's SPF
}

// recognise finds the senders of a zone: of all types that could have made
// something that is live, the one that explains most comes first, until there
// is nothing left to explain.
func (w *writer) recognise() []finding {
	var out []finding
	explained := map[single]bool{}
	for len(out) < maxSenders && !w.l.late.Load() {
		best, news := finding{}, 0
		for _, name := range w.types.names() {
			f, n := w.recogniseType(name, explained)
			if n > news {
				best, news = f, n
			}
		}
		if news == 0 {
			break
		}
		out = append(out, best)
		for _, c := range best.explains(w) {
			explained[c] = true
		}
	}
	slices.SortStableFunc(out, func(a, b finding) int { return cmp.Compare(a.about.Name, b.about.Name) })
	return out
}

// explains are the claims of a sender, and the terms of the domain's record.
func (f finding) explains(w *writer) []single {
	out := slices.Clone(f.claims)
	for _, t := range f.made.terms {
		out = append(out, single{w.apex(), records.Value(t.Key())})
	}
	return out
}

// recogniseType finds a sender of a type that makes what is not explained yet,
// and how much of that.
func (w *writer) recogniseType(name string, explained map[single]bool) (best finding, news int) {
	r := w.types.find(name)
	if r == nil || r.broken || !w.hints(r.about.Recognise) {
		return finding{}, 0
	}
	for _, inputs := range r.shapes() {
		g := &guess{writer: w, recipe: r, explained: explained, bound: map[string]string{}}
		f, ok := g.solve(inputs)
		if !ok {
			continue
		}
		n := 0
		for _, c := range f.explains(w) {
			if !explained[c] {
				n++
			}
		}
		if n > news || n == news && n > 0 && len(f.text) < len(best.text) {
			best, news = f, n
		}
	}
	return best, news
}

// hints reports whether anything live fits a type's patterns.
func (w *writer) hints(p Recognise) bool {
	for set := range w.Zone.All() {
		for _, v := range set.Values {
			if w.hint(p, set.Key, v) {
				return true
			}
		}
	}
	return false
}

// hint reports whether a value fits a type's patterns.
func (w *writer) hint(p Recognise, k records.Key, v records.Value) bool {
	if !k.Name.In(w.Domain) {
		return false
	}
	switch k.Type {
	case records.TypeCNAME:
		if strings.Contains(string(k.Name), "._domainkey.") {
			return MatchHost(p.DKIMCNAME, records.Name(v))
		}
		return MatchHost(p.CNAME, records.Name(v))
	case records.TypeMX:
		m, err := records.ParseMX(v)
		return err == nil && MatchHost(p.MX, m.Host)
	case records.TypeTXT:
		return spf.IsSPF(string(v)) && slices.ContainsFunc(spfTerms(v), func(t spf.Term) bool {
			return t.Kind == spf.Include && MatchHost(p.SPF, records.Name(t.Domain.String()))
		})
	}
	return false
}

func spfTerms(v records.Value) []spf.Term {
	r, _ := spf.ParseLoose(string(v))
	return r.Terms
}

// alike says which sender a value looks like, where no sender block makes it.
func (w *writer) alike(k records.Key, v records.Value) string {
	for _, name := range w.types.names() {
		if r := w.types.find(name); r != nil && !r.broken && w.hint(r.about.Recognise, k, v) {
			return fmt.Sprintf("Looks like %s; not all that such a sender block makes is live.", name)
		}
	}
	return ""
}

// relations says, in record blocks, what stands at names below the domain and
// fits a sender's patterns: its return path, for example. A name with mail
// records of its own is a domain of its own.
func (c *composer) relations() {
	claimed := map[single]bool{}
	domain, _ := c.evaluate(c.draft)
	if domain == nil {
		return
	}
	for _, d := range domain.Declared() {
		claimed[single{d.Key, d.Value}] = true
	}
	others := c.below()
	within := func(n records.Name) bool {
		for ; n != c.Domain && n != ""; n = n.Parent() {
			if others[n] {
				return true
			}
		}
		return false
	}
	for set := range c.Zone.All() {
		if !set.Name.In(c.Domain) || set.Name == c.Domain || strings.Contains(string(set.Name), "_domainkey.") || within(set.Name) {
			continue
		}
		for _, v := range set.Values {
			if !claimed[single{set.Key, v}] && c.alike(set.Key, v) != "" && c.takes(set, v) {
				c.rest[set.Key] = append(c.rest[set.Key], v)
			}
		}
		c.record(set.Key, "")
	}
}

// below finds the names below the domain that have mail records of a domain of
// their own: a policy, or a key.
func (w *writer) below() map[records.Name]bool {
	out := map[records.Name]bool{}
	for set := range w.Zone.All() {
		owner, found := strings.CutPrefix(string(set.Name), "_dmarc.")
		if !found {
			_, owner, found = strings.Cut(string(set.Name), "._domainkey.")
		}
		if n := records.Name(owner); found && n != w.Domain && n.In(w.Domain) {
			out[n] = true
		}
	}
	return out
}
