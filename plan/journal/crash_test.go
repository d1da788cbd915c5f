package journal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/attunelogic/maildns/plan/journal"
	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/provider/disk/disktest"
)

// The test binary runs itself as other appliers: "begin DIR RUN" begins entry 2
// when its standard input says so.
const jobVar = "JOURNAL_TEST_JOB"

func TestMain(m *testing.M) {
	if job := strings.Fields(os.Getenv(jobVar)); len(job) == 3 {
		beginAsJob(job[1], job[2])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func beginAsJob(dir, run string) {
	ctx := context.Background()
	j := journal.Open(store.NewLocal(dir, disk.FS{}))
	_, head, err := j.State(ctx, zone)
	fmt.Println("ready", err)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	in := step(2, clock(2))
	in.Run = run
	_, err = j.Begin(ctx, head, in)
	fmt.Println(err == nil, errors.Is(err, journal.ErrTaken))
}

// crashed runs do in a world that stops before or after its n-th disk
// operation, for every n, and check in the world that is found afterwards.
func crashed(t *testing.T, prepare, do func(j *journal.Journal), check func(j *journal.Journal, where string)) {
	t.Helper()
	for _, after := range []bool{false, true} {
		for at := 0; ; at++ {
			dir := t.TempDir()
			whole := journal.Open(store.NewLocal(dir, disk.FS{}))
			prepare(whole)
			crash := &disktest.Crash{At: at, After: after}
			do(journal.Open(store.NewLocal(dir, disk.FS{Hook: crash.Hook})))
			where := fmt.Sprintf("crash at operation %d (after it: %t)", at, after)
			check(whole, where)
			if !crash.Crashed() {
				if at < 5 {
					t.Fatalf("only %d operations", at)
				}
				break
			}
		}
	}
}

// TestProperty4ACrashLeavesAWholeEntryOrNone, before or after every operation of
// Begin and Finish: the chain verifies, what is pending is the run's, and
// running again comes to the end.
func TestProperty4ACrashLeavesAWholeEntryOrNone(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var begun, finished bool
	attempt := func(j *journal.Journal) {
		begun, finished = false, false
		prev, head, err := j.State(ctx, zone)
		if err != nil {
			return
		}
		in, err := j.Begin(ctx, head, step(2, clock(2)))
		if err != nil {
			return
		}
		begun = true
		_, err = j.Finish(ctx, in, journal.Conclude(prev, in, after(2), clock(2), ""))
		finished = err == nil
	}
	seenStates := map[string]bool{}
	check := func(j *journal.Journal, where string) {
		if damage := verify(t, j); len(damage) > 0 {
			t.Fatalf("%s: %v", where, damage)
		}
		prev, head, err := j.State(ctx, zone)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		seenStates[fmt.Sprint(head.Seq, head.Pending != nil)] = true
		switch {
		case head.Seq == 1 && begun, head.Pending != nil && finished:
			t.Fatalf("%s: the run was told that its entry is stored, and it is not", where)
		case head.Seq == 2 && head.Pending != nil:
			if head.Pending.Run != step(2, clock(2)).Run {
				t.Fatalf("%s: %s is pending", where, head.Pending.Run)
			}
			if _, err := j.Finish(ctx, *head.Pending, journal.Recover(prev, *head.Pending, after(1), clock(3), "recoverer")); err != nil {
				t.Fatalf("%s: recovery: %v", where, err)
			}
		case head.Seq == 1:
			run(t, j, 2)
		}
		run(t, j, 3)
		if got := seen(t, j); got != "3io 2io 1io" {
			t.Fatalf("%s: running again comes to %q", where, got)
		}
	}
	crashed(t, func(j *journal.Journal) { run(t, j, 1) }, attempt, check)
	if len(seenStates) != 3 {
		t.Errorf("the crashes left %v, want none, pending and finished", seenStates)
	}
}

// TestProperty4ACrashWhilePruningLosesNoLink: at any operation the chain
// verifies, the newest entry is there, and pruning again finishes.
func TestProperty4ACrashWhilePruningLosesNoLink(t *testing.T) {
	t.Parallel()
	prune := func(j *journal.Journal) {
		// A crash is an error here, and what is on the disk decides.
		_, _ = j.Prune(context.Background(), zone, clock(3).Now, "pruner", clock(9).Moment())
	}
	crashed(t,
		func(j *journal.Journal) {
			for n := range 4 {
				run(t, j, n+1)
			}
		},
		prune,
		func(j *journal.Journal, where string) {
			if got := seen(t, j); got != "4io 3io" && got != "4io 3io 2io 1io" {
				t.Fatalf("%s: seen %q", where, got)
			}
			prune(j)
			if got := seen(t, j); got != "4io 3io" {
				t.Fatalf("%s: pruning again comes to %q", where, got)
			}
		})
}

// TestProperty4ALostAnswerOfTheDiskIsReadBack: one operation happens and its
// answer is lost; what Begin says is what is there.
func TestProperty4ALostAnswerOfTheDiskIsReadBack(t *testing.T) {
	t.Parallel()
	for at := range 12 {
		dir := t.TempDir()
		whole := story(t, store.NewLocal(dir, disk.FS{}), 1)
		_, head, err := whole.State(t.Context(), zone)
		if err != nil {
			t.Fatal(err)
		}
		failure := &disktest.Failure{At: at, After: true, Err: errTimeout}
		_, err = journal.Open(store.NewLocal(dir, disk.FS{Hook: failure.Hook})).Begin(t.Context(), head, step(2, clock(2)))
		_, now, stateErr := whole.State(t.Context(), zone)
		if stateErr != nil {
			t.Fatal(stateErr)
		}
		if (err == nil) != (now.Seq == 2) {
			t.Errorf("operation %d: Begin says %v, the head is %d", at, err, now.Seq)
		}
	}
}

// TestProperty6OfManyAppliersOneBegins, in one process.
func TestProperty6OfManyAppliersOneBegins(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]store.Store{"local": store.NewLocal(t.TempDir(), disk.FS{}), "memory": memory()} {
		j := story(t, s, 1)
		_, head, err := j.State(t.Context(), zone)
		if err != nil {
			t.Fatal(err)
		}
		errs := make([]error, 16)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				in := step(2, clock(2))
				in.Run = fmt.Sprint("run-", i)
				_, errs[i] = j.Begin(context.Background(), head, in)
			})
		}
		wg.Wait()
		won := 0
		for i, err := range errs {
			switch {
			case err == nil:
				won++
				_, head, stateErr := j.State(t.Context(), zone)
				if stateErr != nil || head.Pending == nil || head.Pending.Run != fmt.Sprint("run-", i) {
					t.Errorf("%s: run %d won, head %+v, error %v", name, i, head, stateErr)
				}
			case !errors.Is(err, journal.ErrTaken):
				t.Errorf("%s: run %d: %v", name, i, err)
			}
		}
		if won != 1 {
			t.Errorf("%s: %d runs have begun the entry", name, won)
		}
		if damage := verify(t, j); len(damage) > 0 {
			t.Errorf("%s: damage %v", name, damage)
		}
	}
}

// TestProperty6OfManyProcessesOneBegins is the same among real processes.
func TestProperty6OfManyProcessesOneBegins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := story(t, store.NewLocal(dir, disk.FS{}), 1)
	const appliers = 6
	var starts []func() string
	for i := range appliers {
		starts = append(starts, applier(t, dir, fmt.Sprint("run-", i)))
	}
	answers := make([]string, appliers)
	var wg sync.WaitGroup
	for i, start := range starts {
		wg.Go(func() { answers[i] = start() })
	}
	wg.Wait()
	_, head, err := j.State(t.Context(), zone)
	if err != nil || head.Seq != 2 || head.Pending == nil {
		t.Fatalf("head %+v, error %v", head, err)
	}
	for i, answer := range answers {
		want := "false true"
		if head.Pending.Run == fmt.Sprint("run-", i) {
			want = "true false"
		}
		if answer != want {
			t.Errorf("process %d answers %q, want %q", i, answer, want)
		}
	}
	if damage := verify(t, j); len(damage) > 0 {
		t.Errorf("damage %v", damage)
	}
}

// applier starts a process that has read the head, and returns what lets it
// begin and gives its answer.
func applier(t *testing.T, dir, run string) func() string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), strings.Join([]string{jobVar + "=begin", dir, run}, " "))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready <nil>" {
		t.Fatalf("the process says %q, %v", lines.Text(), lines.Err())
	}
	return func() string {
		if _, err := fmt.Fprintln(in, "go"); err != nil {
			return err.Error()
		}
		lines.Scan()
		return lines.Text()
	}
}

// TestProperty6TheLoserHasWrittenNothing: a run that began first and one that
// took it for dead leave one outcome.
func TestProperty6TheLoserHasWrittenNothing(t *testing.T) {
	t.Parallel()
	j := story(t, memory(), 1)
	prev, head, _ := j.State(t.Context(), zone)
	in, err := j.Begin(t.Context(), head, step(2, clock(2)))
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 2)
	outcomes := []journal.Outcome{
		journal.Conclude(prev, in, after(2), clock(2), ""),
		journal.Recover(prev, in, after(2), clock(2), "recoverer"),
	}
	var wg sync.WaitGroup
	for i := range outcomes {
		wg.Go(func() { _, errs[i] = j.Finish(context.Background(), in, outcomes[i]) })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), journal.ErrTaken) {
		t.Fatalf("both finished, or neither: %v", errs)
	}
	e, err := j.Entry(t.Context(), zone, 2)
	if err != nil || (e.Outcome.RecoveredBy == "") != (errs[0] == nil) {
		t.Errorf("the outcome is that of %q, error %v", e.Outcome.RecoveredBy, err)
	}
}
