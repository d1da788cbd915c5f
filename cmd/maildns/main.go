// Command maildns provisions mail DNS as code: plan shows what would change in
// the live zone and what it means for mail, apply makes the change under the
// rules of the runbook, rollback takes it back.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// memoryLimit is where the garbage collector begins to work harder, so that no
// input makes a run take more than it needs; GOMEMLIMIT sets another one.
const memoryLimit = 448 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	// A reader that goes away (a pager, head) must not end a run between two
	// writes: what can't be printed is an error like any other.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Main(ctx, os.Args[1:], system())
	stop()
	os.Exit(code)
}

// system is the world as the process finds it.
func system() World {
	return World{
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Lookup: os.LookupEnv,
		Now:    time.Now,
	}
}
