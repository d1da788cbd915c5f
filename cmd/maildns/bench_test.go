//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"syscall"
	"testing"
	"time"

	"github.com/attunelogic/maildns/cmd/maildns/internal/bench"
	"github.com/attunelogic/maildns/cmd/maildns/internal/config"
)

// The benchmarks run the whole program in this process: N domains of 20 records
// each, in one of the forms of package bench. No DNS server answers.

// BenchmarkPlan plans where nothing differs and nothing is in the journal.
func BenchmarkPlan(b *testing.B) {
	each(b, func(b *testing.B, f bench.Fixture) {
		dir := b.TempDir()
		write(b, f.Write(dir))
		m := measure(b)
		for b.Loop() {
			m.run(dir, "plan")
		}
	})
}

// BenchmarkPlanDrift plans one change in each domain.
func BenchmarkPlanDrift(b *testing.B) {
	each(b, func(b *testing.B, f bench.Fixture) {
		f.Drift = true
		dir := b.TempDir()
		write(b, f.Write(dir))
		m := measure(b)
		for b.Loop() {
			m.run(dir, "plan")
		}
	})
}

// BenchmarkPlanApplied plans where an apply has done all there is, as on every
// later day.
func BenchmarkPlanApplied(b *testing.B) {
	each(b, func(b *testing.B, f bench.Fixture) {
		f.Drift = true
		dir := b.TempDir()
		write(b, f.Write(dir))
		m := measure(b)
		m.pause(func() { m.run(dir, "apply", "--auto-approve") })
		for b.Loop() {
			m.run(dir, "plan")
		}
	})
}

// BenchmarkApply makes one change in each domain, with a new journal every time.
func BenchmarkApply(b *testing.B) {
	each(b, func(b *testing.B, f bench.Fixture) {
		f.Drift = true
		dir := b.TempDir()
		write(b, f.Write(dir))
		m := measure(b)
		for b.Loop() {
			m.run(dir, "apply", "--auto-approve")
			m.pause(func() { restart(b, f, dir) })
		}
	})
}

// BenchmarkRollback takes the change of each domain back.
func BenchmarkRollback(b *testing.B) {
	each(b, func(b *testing.B, f bench.Fixture) {
		f.Drift = true
		dir := b.TempDir()
		write(b, f.Write(dir))
		m := measure(b)
		m.pause(func() { m.run(dir, "apply", "--auto-approve") })
		for b.Loop() {
			m.run(dir, "rollback", "--to", "last", "--auto-approve")
			m.pause(func() {
				restart(b, f, dir)
				m.run(dir, "apply", "--auto-approve")
			})
		}
	})
}

// BenchmarkLint judges declarations that have been read, without the DNS: on two
// cores ten thousand domains take less than a second.
func BenchmarkLint(b *testing.B) {
	for _, form := range []bench.Form{bench.Files, bench.Table} {
		for _, n := range []int{100, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", form, n), func(b *testing.B) {
				if n > 1000 && testing.Short() {
					b.Skip("left out with -short")
				}
				dir := b.TempDir()
				write(b, bench.Fixture{Domains: n, Form: form}.Write(dir))
				cfg, diags := config.Load(b.Context(), dir, config.Environment{Now: ruleTime})
				if diags.HasErrors() {
					b.Fatal(diags)
				}
				a := &app{parallelism: runtime.GOMAXPROCS(0), World: World{Now: func() time.Time { return ruleTime }, Lookup: func(string) (string, bool) { return "", false }}}
				measure(b)
				for b.Loop() {
					if _, err := a.lint(b.Context(), cfg); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// restart brings the zones back to their beginning and forgets the journal.
func restart(b *testing.B, f bench.Fixture, dir string) {
	write(b, os.RemoveAll(filepath.Join(dir, ".maildns")))
	write(b, f.WriteZones(dir))
}

func write(b *testing.B, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

// each runs a benchmark over the sizes and forms. The largest are left out
// with -short.
func each(b *testing.B, run func(*testing.B, bench.Fixture)) {
	for _, form := range []bench.Form{bench.Files, bench.Table, bench.Shared} {
		for _, n := range []int{1, 100, 1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", form, n), func(b *testing.B) {
				if n > 1000 && testing.Short() {
					b.Skip("left out with -short")
				}
				run(b, bench.Fixture{Domains: n, Form: form})
			})
		}
	}
}

// meter measures what the runs of a benchmark cost: CPU time of the process
// beside the wall time, which a busy machine stretches, and the largest heap.
type meter struct {
	b      *testing.B
	began  time.Duration
	paused time.Duration
	stop   chan struct{}
	peak   chan uint64
}

func measure(b *testing.B) *meter {
	b.ReportAllocs()
	runtime.GC()
	m := &meter{b: b, began: cpu(), stop: make(chan struct{}), peak: make(chan uint64)}
	go m.watch()
	b.Cleanup(m.report)
	return m
}

// run runs the program once. What it prints is thrown away.
func (m *meter) run(dir string, args ...string) {
	var errs bytes.Buffer
	code := Main(m.b.Context(), append([]string{"-C", dir}, args...), World{
		Stdin: &bytes.Buffer{}, Stdout: io.Discard, Stderr: &errs, Now: time.Now,
		Lookup: func(name string) (string, bool) {
			v, ok := map[string]string{"MAILDNS_CLOCK": clockStart, "MAILDNS_RESOLVER": "127.0.0.1:1", "USER": "sre"}[name]
			return v, ok
		},
	})
	if code != exitOK {
		m.b.Fatalf("%v: exit status %d\n%.1000s", args, code, errs.Bytes())
	}
}

// pause does something that is not measured.
func (m *meter) pause(f func()) {
	m.b.StopTimer()
	before := cpu()
	f()
	m.paused += cpu() - before
	m.b.StartTimer()
}

func (m *meter) report() {
	close(m.stop)
	peak := <-m.peak
	spent := cpu() - m.began - m.paused
	m.b.ReportMetric(spent.Seconds()/float64(m.b.N), "cpu-s/op")
	m.b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
}

// watch looks at the heap often, since the largest size is nowhere kept.
func (m *meter) watch() {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	var peak uint64
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-m.stop:
			tick.Stop()
			m.peak <- peak
			return
		case <-tick.C:
			metrics.Read(heap)
			peak = max(peak, heap[0].Value.Uint64()+heap[1].Value.Uint64())
		}
	}
}

// cpu is the CPU time of this process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
