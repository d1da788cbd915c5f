package journal

import (
	"time"

	"github.com/attunelogic/maildns/plan"
)

// clockOf is the clock that a moment was recorded on.
func clockOf(m plan.Moment) plan.Clock {
	return plan.Clock{Now: m.At, Wall: wall(m), Fixed: m.Wall != nil}
}

// wall is the real time of a moment.
func wall(m plan.Moment) time.Time {
	if m.Wall != nil {
		return *m.Wall
	}
	return m.At
}

// follow returns m, or the time of the moment before where m is earlier: what
// comes later is never dated earlier. A real clock is compared with the real
// time of what a rehearsal recorded.
func follow(m, before plan.Moment) plan.Moment {
	if at := before.On(clockOf(m)); m.At.Before(at) {
		m.At = at
	}
	if at := wall(before); m.Wall != nil && m.Wall.Before(at) {
		m.Wall = &at
	}
	return m
}

// older reports whether more than d has passed from m to now. A rehearsal lets
// nothing grow old that is still young on the real clock.
func older(m plan.Moment, d time.Duration, now plan.Moment) bool {
	return now.At.Sub(m.On(clockOf(now))) > d && wall(now).Sub(wall(m)) > d
}

// reached reports whether a point in time has come, for a rehearsal also on
// the real clock.
func reached(t time.Time, now plan.Moment) bool {
	return !now.At.Before(t) && !wall(now).Before(t)
}

// same reports whether two moments are one.
func same(a, b plan.Moment) bool {
	return a.At.Equal(b.At) && (a.Wall == nil) == (b.Wall == nil) && wall(a).Equal(wall(b))
}
