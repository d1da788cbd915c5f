package zonefile

import "time"

// nextSerial raises an SOA serial in the sense of RFC 1982. A date serial,
// YYYYMMDDnn, stays one: it becomes today's first, or goes on counting where
// it is not older than that. Others count up by one, past zero, which some
// servers take for unset.
func nextSerial(old uint32, now time.Time) uint32 {
	next := old + 1
	if isDateSerial(old) {
		next = max(next, dateSerial(now))
	}
	if next == 0 {
		next = 1
	}
	return next
}

func dateSerial(now time.Time) uint32 {
	y, m, d := now.UTC().Date()
	return uint32(((y*100+int(m))*100 + d) * 100)
}

func isDateSerial(serial uint32) bool {
	date := serial / 100
	y, m, d := int(date/10000), time.Month(date/100%100), int(date%100)
	if y < 1980 || y > 2099 {
		return false
	}
	// Date normalises what the calendar doesn't have.
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Day() == d && m >= 1 && m <= 12
}
