package plan

import (
	"net/netip"
	"slices"
	"time"

	"github.com/attunelogic/maildns/records"
)

// Clock is the time of a run. Where MAILDNS_CLOCK fixes it, Fixed is set and
// Wall still has the real time, which is the only evidence of time that a
// later run on the real clock takes from it.
type Clock struct {
	Now   time.Time
	Wall  time.Time
	Fixed bool
}

// Moment returns the present as the journal keeps it: in whole seconds, rounded
// up, so that nothing is ever due early.
func (c Clock) Moment() Moment {
	if !c.Fixed {
		return Moment{At: ceilSecond(c.Now)}
	}
	wall := ceilSecond(c.Wall)
	return Moment{At: ceilSecond(c.Now), Wall: &wall}
}

func ceilSecond(t time.Time) time.Time {
	return t.UTC().Add(time.Second - 1).Truncate(time.Second)
}

// Moment is a recorded time. Wall is set where it was recorded under a fixed
// clock and holds the real time.
type Moment struct {
	At   time.Time  `json:"at"`
	Wall *time.Time `json:"wall,omitempty"`
}

// IsZero reports whether nothing was recorded.
func (m Moment) IsZero() bool { return m.At.IsZero() }

// On returns the recorded time as a run on clock c may take it: a rehearsal's
// time counts only in rehearsals.
func (m Moment) On(c Clock) time.Time {
	if m.Wall != nil && !c.Fixed {
		return *m.Wall
	}
	return m.At
}

// State is what the journal knows about one zone after its newest entry. The
// zero value is a zone that was never touched.
type State struct {
	Seq uint64 `json:"seq"`
	// At is the time of the newest entry: Live was served then.
	At        Moment        `json:"at"`
	Owned     []Owned       `json:"owned"`
	Sets      []SetState    `json:"sets"`
	Domains   []DomainState `json:"domains"`
	Holds     []RolledBack  `json:"holds"`
	Overrides []Override    `json:"overrides"`
	// Live holds the zone's mail records as the newest entry left them, by
	// which a later edit by hand is recognised.
	Live []records.RRset `json:"live"`
	// Due is when the next waiting step becomes due; zero for none.
	Due Moment `json:"due"`
	// Reload is set where the zone was written and its server could not be
	// made to read it: the next run repeats that.
	Reload bool `json:"reload,omitempty"`
	// Lost is what a run that was interrupted took from sets without meaning
	// to, on a host that writes a set in several calls.
	Lost []Lost `json:"lost,omitempty"`
}

// Lost are values of one record set that an interrupted run took away: Kept
// were to stay, Gone to make room for others that did not come. They count as
// live until the set is written or edited again, so that the next run puts the
// former back, and gates judge by the latter.
type Lost struct {
	Domain records.Name `json:"domain"` // whose run it was
	records.Key
	TTL  records.TTL     `json:"ttl"` // of the set as it was
	Kept []records.Value `json:"kept,omitempty"`
	Gone []records.Value `json:"gone,omitempty"`
}

// Owned is one value that this program is answerable for: an apply wrote it,
// or found it both live and declared.
type Owned struct {
	Domain records.Name  `json:"domain"`
	Kind   records.Kind  `json:"kind"`
	Name   records.Name  `json:"name"`
	Type   records.Type  `json:"type"`
	Value  records.Value `json:"value"`
}

// Key is the record set that the value belongs to.
func (o Owned) Key() records.Key { return records.Key{Name: o.Name, Type: o.Type} }

// effective is the value with the kind that receivers take it for, whichever
// block declared it.
func (o Owned) effective() Owned {
	if kind, ok := records.KindAt(o.Key(), o.Value); ok && o.Kind == records.KindRecord {
		o.Kind = kind
	}
	return o
}

// SetState is what the journal remembers of one record set's time.
type SetState struct {
	Name records.Name `json:"name"`
	Type records.Type `json:"type"`
	// Base is the TTL to which the set returns: the declared TTL of the
	// change that was written last or, where none is declared, the one that
	// the set had before our own lowering. 0 where we never wrote the set.
	Base records.TTL `json:"base"`
	// Former is the TTL that the set had when we wrote it first, which returns
	// when our last value has left it; 0 where there was no such set.
	Former records.TTL `json:"former,omitempty"`
	// Seen holds TTLs with which the set was served, each with the last time
	// that it was: caches may hold the set until At plus TTL.
	Seen []SeenTTL `json:"seen"`
	// Written is the last time that we wrote the set.
	Written Moment `json:"written"`
}

// SeenTTL is a TTL and the last time that a server gave it out.
type SeenTTL struct {
	TTL records.TTL `json:"ttl"`
	Moment
}

// DomainState is what the journal remembers of one domain.
type DomainState struct {
	Domain       records.Name `json:"domain"`
	Applied      Moment       `json:"applied"` // first apply
	ConfigDigest string       `json:"config_digest"`
	// Found lists the senders (SPF term keys) and MX hosts that were live
	// when the domain was first applied, Declared those that a configuration
	// has declared since: the difference is what adoption protects.
	Found    []string `json:"found"`
	Declared []string `json:"declared"`
	// ReturnPaths are the sets at the MAIL FROM domains of senders that the
	// configuration declares or has declared, as long as they are live.
	ReturnPaths []records.Key `json:"return_paths,omitempty"`
	// Flat holds the networks that a flattened SPF record has from its
	// vendors.
	Flat []FlatRange `json:"flat,omitempty"`
	// Policy is the DMARC policy published now, and Since when it was.
	Policy string `json:"policy"`
	Since  Moment `json:"since"`
}

// FlatRange is a network of a flattened SPF record. Gone is when the vendor was
// first seen without it, nil while the vendor has it.
type FlatRange struct {
	Prefix netip.Prefix `json:"prefix"`
	Gone   *Moment      `json:"gone,omitempty"`
}

// RolledBack is a change that a rollback undid. It is keyed by its meaning, so
// that the same change in other words is held as well.
type RolledBack struct {
	Domain records.Name `json:"domain"`
	Kind   records.Kind `json:"kind"`
	Name   records.Name `json:"name"`
	Type   records.Type `json:"type"`
	// Added and Removed are the parts (records.Parts) that the undone change
	// had brought and taken.
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Run     string   `json:"run"`
	At      Moment   `json:"at"`
}

// Override opens one gate for one change of one set, by hand.
type Override struct {
	Gate   string          `json:"gate"`
	Domain records.Name    `json:"domain"`
	Name   records.Name    `json:"name"`
	Type   records.Type    `json:"type"`
	Before []records.Value `json:"before"`
	After  []records.Value `json:"after"`
	Reason string          `json:"reason"`
	Actor  string          `json:"actor"`
	At     Moment          `json:"at"`
	// Declared is what the declaration asked for: another one voids the
	// override.
	Declared []records.Value `json:"declared,omitempty"`
	// Until is when it lapses: at most seven days after At.
	Until time.Time `json:"until"`
	// Block is set where an override block of the configuration opened the
	// gate; a spent block does not open the next ramp step.
	Block bool `json:"block,omitempty"`
	// Spent is set when the change was written.
	Spent bool `json:"spent,omitempty"`
}

// Past is a State indexed for look-up, since a zone may hold thousands of
// domains. It is read-only and safe for concurrent use.
type Past struct {
	State
	sets    map[records.Key]SetState
	domains map[records.Name]DomainState
	owned   map[records.Name][]Owned
	owner   map[valueKey]Owned

	overrides map[records.Name][]Override
	holds     map[records.Name][]RolledBack
}

type valueKey struct {
	records.Key
	value records.Value
}

// Index prepares a state for look-up. A value that a record block declared has
// the kind that receivers take it for, whichever block declares it today.
func (s State) Index() *Past {
	s.Owned = slices.Clone(s.Owned)
	for i, o := range s.Owned {
		s.Owned[i] = o.effective()
	}
	p := &Past{
		State:   s,
		sets:    make(map[records.Key]SetState, len(s.Sets)),
		domains: make(map[records.Name]DomainState, len(s.Domains)),
		owned:   map[records.Name][]Owned{},
		owner:   make(map[valueKey]Owned, len(s.Owned)),

		overrides: map[records.Name][]Override{},
		holds:     map[records.Name][]RolledBack{},
	}
	for _, h := range s.Holds {
		p.holds[h.Domain] = append(p.holds[h.Domain], h)
	}
	for _, o := range s.Overrides {
		p.overrides[o.Domain] = append(p.overrides[o.Domain], o)
	}
	for _, t := range s.Sets {
		p.sets[records.Key{Name: t.Name, Type: t.Type}] = t
	}
	for _, d := range s.Domains {
		p.domains[d.Domain] = d
	}
	for _, o := range s.Owned {
		p.owned[o.Domain] = append(p.owned[o.Domain], o)
		p.owner[valueKey{o.Key(), o.Value}] = o
	}
	return p
}

// Unbroken returns the zone as it would be had no run been interrupted: with the
// values that were lost, but for sets that somebody has edited since.
func (p *Past) Unbroken(live records.Zone) records.Zone {
	return p.mend(live, func(l Lost) []records.Value { return slices.Concat(l.Kept, l.Gone) })
}

// mend puts some of the lost values back.
func (p *Past) mend(live records.Zone, which func(Lost) []records.Value) records.Zone {
	if len(p.Lost) == 0 {
		return live
	}
	left := records.NewZone(live.Name, live.NegativeTTL, p.Live...)
	var mended []records.RRset
	for _, l := range p.Lost {
		was, exists := left.Set(l.Key)
		now, still := live.Set(l.Key)
		if exists != still || exists && !was.Equal(now) {
			continue
		}
		if !exists {
			now.Key, now.TTL = l.Key, l.TTL
		}
		mended = append(mended, now.Hold(slices.Concat(now.Values, which(l))...))
	}
	return live.With(mended...)
}

// Set returns what is remembered of one record set.
func (p *Past) Set(k records.Key) (SetState, bool) {
	t, ok := p.sets[k]
	return t, ok
}

// Domain returns what is remembered of one domain.
func (p *Past) Domain(n records.Name) (DomainState, bool) {
	d, ok := p.domains[n]
	return d, ok
}

// OwnedBy returns the values owned for one domain, in order.
func (p *Past) OwnedBy(n records.Name) []Owned { return p.owned[n] }

// OverridesOf returns the overrides recorded for one domain, in order.
func (p *Past) OverridesOf(n records.Name) []Override {
	return p.overrides[n]
}

// HoldsOf returns the changes of one domain that a rollback has undone, in order.
func (p *Past) HoldsOf(n records.Name) []RolledBack { return p.holds[n] }

// Owner returns by whom a value is owned.
func (p *Past) Owner(k records.Key, v records.Value) (Owned, bool) {
	o, ok := p.owner[valueKey{k, v}]
	return o, ok
}
