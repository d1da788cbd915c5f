package config

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// workers is how many things are done at once: reading HCL takes the processor
// and nothing else.
func workers() int { return runtime.GOMAXPROCS(0) }

// inParallel calls do for every number below n, spread over so many workers,
// and returns when all are done.
func inParallel(workers, n int, do func(worker, i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range min(workers, n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(w, i)
			}
		})
	}
	wg.Wait()
}
