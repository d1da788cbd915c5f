package lookup

import (
	"fmt"
	"sync"
	"testing"

	"github.com/attunelogic/maildns/provider/providertest/dnstest"
)

// BenchmarkLookup1000 asks 1,000 questions over UDP on loopback, 64 at once.
func BenchmarkLookup1000(b *testing.B) {
	s := dnstest.Start(b, example)
	b.ReportAllocs()
	for b.Loop() {
		r := New([]string{s.Addr()}, Options{PerSecond: -1})
		names := make(chan string)
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for name := range names {
					if _, err := r.TXT(b.Context(), name); err != nil {
						b.Error(err)
					}
				}
			})
		}
		for i := range 1000 {
			names <- fmt.Sprintf("x%d.wild.example.com", i)
		}
		close(names)
		wg.Wait()
	}
}

// BenchmarkCached asks what is known already.
func BenchmarkCached(b *testing.B) {
	s := dnstest.Start(b, example)
	r := New([]string{s.Addr()}, Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.TXT(b.Context(), "example.com"); err != nil {
			b.Fatal(err)
		}
	}
}
