package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/attunelogic/maildns/provider/disk"
)

// Modes of what a local store creates: the journal tells outsiders nothing
// that DNS doesn't, except who works on it and when.
const (
	fileMode fs.FileMode = 0o640
	dirMode  fs.FileMode = 0o750
)

// maxObject bounds what is read into memory: far above any zone's snapshot.
const maxObject = 1 << 30

// Names of what lies beside objects in a directory. The leading dot keeps them
// out of listings.
const (
	lockFile   = ".lock"
	holderFile = ".holder"
)

// Local is a store in a directory, for one machine. It is created when the
// first object is.
type Local struct {
	root string
	disk disk.FS
}

// NewLocal returns the store in the directory root. The file system is given
// so that tests can hook it; disk.FS{} is the real one.
func NewLocal(root string, files disk.FS) *Local {
	return &Local{root: root, disk: files}
}

func (l *Local) path(name string) string {
	return filepath.Join(l.root, filepath.FromSlash(name))
}

// begin is what every verb checks first.
func begin(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return checkName(name)
}

// Create implements Store: a temporary file, synced, gets its name by a hard
// link, which is exclusive, and the directory is synced.
func (l *Local) Create(ctx context.Context, name string, data []byte) error {
	if err := begin(ctx, name); err != nil {
		return err
	}
	path := l.path(name)
	if err := l.disk.MakeDir(filepath.Dir(path), dirMode); err != nil {
		return fmt.Errorf("creating %s: %w", name, err)
	}
	err := l.disk.CreateExclusive(path, data, fileMode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("creating %s: %w", name, ErrExists)
	}
	if err != nil {
		return fmt.Errorf("creating %s: %w", name, err)
	}
	return nil
}

// Read implements Store.
func (l *Local) Read(ctx context.Context, name string) ([]byte, error) {
	if err := begin(ctx, name); err != nil {
		return nil, err
	}
	data, err := l.disk.Read(l.path(name), maxObject)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s: %w", name, ErrAbsent)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data, nil
}

// Delete implements Store.
func (l *Local) Delete(ctx context.Context, name string) error {
	if err := begin(ctx, name); err != nil {
		return err
	}
	err := l.disk.Remove(l.path(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting %s: %w", name, err)
	}
	return nil
}

// List implements Store. Files that can't be objects, such as an editor's
// backup, are left out.
func (l *Local) List(ctx context.Context, q Query) ([]string, error) {
	dir, err := directory(q.Prefix)
	if err != nil {
		return nil, err
	}
	w := walk{Local: l, query: q}
	if err := w.into(ctx, dir); err != nil {
		return nil, fmt.Errorf("listing %s: %w", q.Prefix, err)
	}
	return w.found, nil
}

// walk visits the directories that a query touches, in the order of names.
type walk struct {
	*Local
	query Query
	found []string
}

func (w *walk) into(ctx context.Context, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// A directory's name ends in a slash, so this order is that of full names.
	names, err := w.disk.List(w.path(dir), 0)
	if err != nil {
		return err
	}
	for _, name := range names {
		if w.query.full(len(w.found)) {
			return nil
		}
		if err := w.visit(ctx, dir+name); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) visit(ctx context.Context, name string) error {
	dir, isDir := strings.CutSuffix(name, "/")
	switch {
	case checkName(dir) != nil:
	case w.query.Groups:
		if isDir {
			w.found = append(w.found, name)
		}
	case isDir && w.query.enters(name):
		return w.into(ctx, name)
	case !isDir && w.query.matches(name):
		w.found = append(w.found, name)
	}
	return nil
}

// enters reports whether a directory can hold what the query asks for.
func (q Query) enters(dir string) bool {
	if !strings.HasPrefix(dir, q.Prefix) && !strings.HasPrefix(q.Prefix, dir) {
		return false
	}
	return dir > q.After || strings.HasPrefix(q.After, dir)
}

// Lock implements Store with a file lock of the operating system, which ends
// with the process however that dies.
func (l *Local) Lock(ctx context.Context, name, holder string) (Lock, error) {
	if err := begin(ctx, name); err != nil {
		return nil, err
	}
	dir := l.path(name)
	if err := l.disk.MakeDir(dir, dirMode); err != nil {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	unlock, ok, err := l.disk.Lock(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	who := filepath.Join(dir, holderFile)
	if !ok {
		text, _ := os.ReadFile(who) // it only tells a person whom to ask
		return nil, &HeldError{Name: name, Holder: string(text)}
	}
	// The holder's name helps people and decides nothing, so it is neither
	// synced nor an error where it can't be written.
	_ = os.WriteFile(who, []byte(holder), fileMode)
	return &localLock{unlock: unlock, holder: who}, nil
}

type localLock struct {
	released atomic.Bool
	unlock   func() error
	holder   string
}

// Valid implements Lock: a file lock that is held can't be lost.
func (l *localLock) Valid() error {
	if l.released.Load() {
		return errReleased
	}
	return nil
}

// Release implements Lock.
func (l *localLock) Release() error {
	if l.released.Swap(true) {
		return nil
	}
	_ = os.Remove(l.holder) // while we still hold the lock
	return l.unlock()
}
