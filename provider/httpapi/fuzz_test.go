package httpapi

import (
	"net/http"
	"testing"
	"time"
)

// FuzzWaits: no header makes a run wait for ever, or not at all where it says
// how long.
func FuzzWaits(f *testing.F) {
	for _, h := range []string{`"default";r=0;t=30`, `"a";r=5;t=9, "b";r=0;t=3`, "120", "-1", "Wed, 25 Nov 2026 00:00:09 GMT", ";;r=0;t", ""} {
		f.Add(h)
	}
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, header string) {
		if d, ok := exhausted(header); d < 0 || d > longestWait || ok != (d > 0) {
			t.Errorf("RateLimit %q: %s, %v", header, d, ok)
		}
		if d, ok := retryAfter(http.Header{"Retry-After": {header}}, now); d < 0 || d > longestWait || !ok && d != 0 {
			t.Errorf("Retry-After %q: %s, %v", header, d, ok)
		}
	})
}
