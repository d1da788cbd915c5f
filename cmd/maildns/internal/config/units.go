package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
)

// units of a duration, largest first.
var units = []struct {
	letter byte
	length time.Duration
}{
	{'w', 7 * 24 * time.Hour},
	{'d', 24 * time.Hour},
	{'h', time.Hour},
	{'m', time.Minute},
	{'s', time.Second},
}

const durationHelp = `write a number of seconds or a duration such as "30s", "5m", "1h" or "14d"`

// durationOf reads a value that is a duration in text, or seconds.
func durationOf(v cty.Value) (time.Duration, error) {
	switch v.Type() {
	case cty.String:
		return parseDuration(v.AsString())
	case cty.Number:
		seconds, exact := v.AsBigFloat().Int64()
		if exact != 0 || seconds < 0 || seconds > math.MaxInt64/int64(time.Second) {
			return 0, fmt.Errorf("seconds must be a whole number and not negative")
		}
		return time.Duration(seconds) * time.Second, nil
	}
	return 0, fmt.Errorf("it is neither; %s", durationHelp)
}

// parseDuration reads "1h", "14d", "1h30m" or seconds such as "3600".
func parseDuration(text string) (time.Duration, error) {
	bad := fmt.Errorf("%q is no duration; %s", text, durationHelp)
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && n >= 0 && text[0] != '+' {
		return time.Duration(n) * time.Second, nil
	}
	var total time.Duration
	next, rest := 0, text
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || digits > 9 || digits == len(rest) {
			return 0, bad
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil {
			return 0, bad
		}
		for next < len(units) && units[next].letter != rest[digits] {
			next++
		}
		if next == len(units) {
			return 0, bad
		}
		if n > int64((math.MaxInt64-total)/units[next].length) {
			return 0, fmt.Errorf("%q is too long", text)
		}
		total += time.Duration(n) * units[next].length
		rest = rest[digits+1:]
		next++
	}
	if text == "" {
		return 0, bad
	}
	return total, nil
}

// parsePercent reads "5%" as 0.05.
func parsePercent(text string) (float64, error) {
	number, found := strings.CutSuffix(strings.TrimSpace(text), "%")
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !found || err != nil || !(n >= 0 && n <= 100) {
		return 0, fmt.Errorf(`%q is no percentage; write one such as "5%%"`, text)
	}
	return n / 100, nil
}
