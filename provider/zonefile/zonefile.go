// Package zonefile is a DNS host that keeps its zones in files of RFC 1035
// master format: ZONE.zone below a directory. It implements the interfaces of
// libdns and, beyond them, reads whole zones and writes changes in one step.
//
// A write touches the lines of the changed sets and the SOA's serial; every
// other byte stays, comments too. The one exception is a line that inherited
// its name or TTL from a line that goes: it gets them written out.
package zonefile

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/attunelogic/maildns/provider/disk"
	"github.com/attunelogic/maildns/records"
)

// Provider keeps zones in files. It is safe for concurrent use. Writers of one
// zone take turns within a Provider; another program's edit is noticed up to
// the moment of the replacement, but not within it.
type Provider struct {
	Directory string
	// Reload is a command that runs, without a shell, after each write, if
	// AllowReload is set.
	Reload      []string
	AllowReload bool
	Now         func() time.Time // for date serials
	Disk        disk.FS

	mu    sync.Mutex
	turns map[records.Name]*sync.Mutex // one for each zone that was written
}

// turn waits for the other writers of a zone.
func (p *Provider) turn(zone records.Name) (done func()) {
	p.mu.Lock()
	if p.turns == nil {
		p.turns = map[records.Name]*sync.Mutex{}
	}
	turn, ok := p.turns[zone]
	if !ok {
		turn = new(sync.Mutex)
		p.turns[zone] = turn
	}
	p.mu.Unlock()
	turn.Lock()
	return turn.Unlock
}

const suffix = ".zone"

// path returns where a zone's file is.
func (p *Provider) path(zone records.Name) (string, error) {
	name := string(zone) + suffix
	if zone == "" || strings.ContainsAny(name, `/\`) || !filepath.IsLocal(name) {
		return "", fmt.Errorf("the zone %q can't name a file", zone)
	}
	return filepath.Join(p.Directory, name), nil
}

// load reads and parses a zone's file.
func (p *Provider) load(ctx context.Context, zone records.Name) (*file, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := p.path(zone)
	if err != nil {
		return nil, err
	}
	text, err := p.Disk.Read(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no zone file: create %s with an SOA record, or name the zone that holds the domain in its zone attribute: %w", path, err)
	}
	if err != nil {
		return nil, err
	}
	return parse(p.Disk, p.Directory, path, zone, text)
}

// ReadZone returns the zone as its file holds it. Sets with a record from
// $INCLUDE or $GENERATE, or of a type that is not known, say so in Fixed. A
// file that can't be parsed as a whole, or has no SOA, is a *SyntaxError.
func (p *Provider) ReadZone(ctx context.Context, zone records.Name) (records.Zone, error) {
	f, err := p.load(ctx, zone)
	if err != nil {
		return records.Zone{}, err
	}
	return f.toZone(), nil
}

// Transact makes all changes or none: the file is replaced as a whole. Where a
// set is no longer as a change expects it, the error is a *records.StaleError.
// Changes that change nothing write nothing. A *ReloadError means that the
// file was written.
func (p *Provider) Transact(ctx context.Context, zone records.Name, changes []records.Change) error {
	defer p.turn(zone)()
	// Another program may write the file between our reading and replacing
	// it; then what it wrote is read, and the sets are compared again.
	const tries = 3
	written, err := p.write(ctx, zone, changes)
	for n := 1; n < tries && errors.Is(err, disk.ErrChanged); n++ {
		written, err = p.write(ctx, zone, changes)
	}
	if err != nil || !written {
		return err
	}
	return p.ReloadZone(ctx, zone)
}

func (p *Provider) write(ctx context.Context, zone records.Name, changes []records.Change) (written bool, err error) {
	f, err := p.load(ctx, zone)
	if err != nil {
		return false, err
	}
	changes, err = f.admit(changes)
	if err != nil || len(changes) == 0 {
		return false, err
	}
	text, err := f.edit(changes, p.Now(), func(text []byte) (*file, error) {
		return parse(p.Disk, p.Directory, f.path, zone, text)
	})
	if err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return true, p.Disk.Swap(f.path, f.text, text)
}

// admit compares the changes with the zone, refuses those that can't be made,
// and leaves out those that change nothing.
func (f *file) admit(changes []records.Change) ([]records.Change, error) {
	zone := f.toZone()
	if err := zone.Check(changes); err != nil {
		return nil, err
	}
	changes = slices.DeleteFunc(slices.Clone(changes), func(c records.Change) bool {
		if c.Before == nil || c.After == nil {
			return c.Before == c.After
		}
		return c.Before.Equal(*c.After)
	})
	for _, c := range changes {
		if set, _ := zone.Set(c.Key); set.Fixed != "" {
			return nil, fmt.Errorf("%s can't be changed: %s", c.Key, set.Fixed)
		}
	}
	return changes, zone.CheckCNAME(changes)
}

// ReloadError says that the zone's file was written, but the command that
// makes the server read it failed. ReloadZone repeats the command. Without a
// command it is a host's own way to serve what was written that failed.
type ReloadError struct {
	Command []string // as it was run; empty: the host was asked
	Output  string   // the end of what it printed
	Err     error
}

func (e *ReloadError) Error() string {
	if len(e.Command) == 0 {
		return fmt.Sprintf("the zone is written, but its host doesn't serve it yet: %v", e.Err)
	}
	text := fmt.Sprintf("the zone file is written, but the reload command %q failed: %v", e.Command, e.Err)
	if e.Output != "" {
		text += ": " + e.Output
	}
	return text
}

func (e *ReloadError) Unwrap() error { return e.Err }

// ReloadZone runs the reload command, if there is one and it is allowed.
func (p *Provider) ReloadZone(ctx context.Context, _ records.Name) error {
	if len(p.Reload) == 0 || !p.AllowReload {
		return nil
	}
	const patience = 2 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var output tail
	cmd := exec.CommandContext(ctx, p.Reload[0], p.Reload[1:]...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = time.Second // a grandchild may keep the output open
	if err := cmd.Run(); err != nil {
		return &ReloadError{Command: p.Reload, Output: output.String(), Err: cmp.Or(ctx.Err(), err)}
	}
	return nil
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

const maxTail = 2048

func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-maxTail):]
	return len(b), nil
}

func (t *tail) String() string { return string(bytes.TrimSpace(t.text)) }
