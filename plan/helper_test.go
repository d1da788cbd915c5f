package plan_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
	"github.com/attunelogic/maildns/records"
)

const apex records.Name = "a.example"

// noon is the present of every test that doesn't move the clock.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(now time.Time) plan.Clock { return plan.Clock{Now: now} }

func moment(now time.Time) plan.Moment { return plan.Moment{At: now} }

func key(relative string, typ records.Type) records.Key {
	return records.Key{Name: records.Below(relative, apex), Type: typ}
}

func set(relative string, typ records.Type, ttl records.TTL, values ...records.Value) records.RRset {
	return records.NewRRset(key(relative, typ), ttl, values...)
}

func txt(relative string, ttl records.TTL, values ...records.Value) records.RRset {
	return set(relative, records.TypeTXT, ttl, values...)
}

func zone(sets ...records.RRset) records.Zone { return records.NewZone(apex, 900, sets...) }

// wants is a domain's value for one key of one kind.
func wants(kind records.Kind, k records.Key, values ...records.Value) []records.Declared {
	var out []records.Declared
	for _, v := range values {
		out = append(out, records.Declared{Kind: kind, Key: k, Value: v})
	}
	return out
}

// asks is what a.example publishes today, all that it declares.
func asks(declared ...[]records.Declared) plan.Today {
	d := &records.Domain{Name: apex, Zone: apex, Settings: records.DefaultSettings()}
	values := slices.Concat(declared...)
	return plan.Today{Domain: d, Declared: values, Values: values}
}

func covers(kind records.Kind, k records.Key, prefix string) records.Cover {
	return records.Cover{Kind: kind, Key: k, Prefix: prefix}
}

func owns(domain records.Name, kind records.Kind, k records.Key, values ...records.Value) []plan.Owned {
	var out []plan.Owned
	for _, v := range values {
		out = append(out, plan.Owned{Domain: domain, Kind: kind, Name: k.Name, Type: k.Type, Value: v})
	}
	return out
}

func where(k records.Key) string { return k.Name.Relative(apex) + " " + string(k.Type) }

func contents(s *plan.Set) string {
	if s == nil {
		return "nothing"
	}
	words := make([]string, len(s.Values))
	for i, v := range s.Values {
		words[i] = string(v)
	}
	return fmt.Sprintf("%d %s", s.TTL, strings.Join(words, " | "))
}

// show prints changes: state, step, set, what it becomes, and when.
func show(changes []plan.Change) string {
	var lines []string
	for _, c := range changes {
		line := fmt.Sprintf("%s %s %s: %s", c.State, c.Step, where(c.Key()), contents(c.After))
		if c.NotBefore != nil {
			line += " at +" + c.NotBefore.Sub(noon).String()
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func lines(want ...string) string { return strings.Join(want, "\n") }

// sorted puts lines in an order of their own.
func sorted(text string) string {
	list := strings.Split(text, "\n")
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// digestOf is the id of a plan's JSON whose keys are sorted and that has no id.
func digestOf(compact []byte) string {
	sum := sha256.Sum256(compact)
	return "sha256:" + hex.EncodeToString(sum[:])
}
