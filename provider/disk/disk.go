// Package disk does file operations that survive a crash at any moment: a file
// is replaced or created as a whole or not at all, and a nil error means that
// the result is on stable storage, its directory entry included.
//
// Every single operation passes a hook, so that a test can make any of them
// fail, or stop the world before or after it.
package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Verb names one kind of operation on the disk.
type Verb string

// The operations, in the order in which Replace and CreateExclusive use them.
const (
	VerbMakeDir Verb = "make directory"
	VerbCreate  Verb = "create temporary" // with its mode and owner
	VerbWrite   Verb = "write"
	VerbSync    Verb = "sync"
	VerbLink    Verb = "link" // exclusive: fails where the name exists
	VerbRename  Verb = "rename"
	VerbRemove  Verb = "remove"
	VerbSyncDir Verb = "sync directory"
	VerbRead    Verb = "read"
	VerbList    Verb = "list"
	VerbLock    Verb = "lock"
)

// Op is one operation. Path is the file that it touches: the final name for
// link and rename, the temporary one for create, write and sync.
type Op struct {
	Verb Verb
	Path string
}

// Hook stands around every operation. It returns what do returns, or an error
// of its own, whether it called do or not. It may be called from several
// goroutines.
type Hook func(op Op, do func() error) error

// FS is the file system. The zero value is ready to use and safe for
// concurrent use; a Hook is for tests.
type FS struct {
	Hook Hook
}

func (f FS) do(verb Verb, path string, do func() error) error {
	if f.Hook == nil {
		return do()
	}
	return f.Hook(Op{Verb: verb, Path: path}, do)
}

// temporaryPrefix marks files that a crash may leave behind. They are never
// read, and List doesn't show them.
const temporaryPrefix = ".maildns-tmp-"

// IsTemporary reports whether a file name is one that an interrupted Replace
// or CreateExclusive left behind. Such a file may be deleted whenever no
// writer is at work.
func IsTemporary(name string) bool {
	return strings.HasPrefix(filepath.Base(name), temporaryPrefix)
}

// ErrTooLarge says that a file is larger than the limit given to Read.
var ErrTooLarge = errors.New("the file is too large")

// Read returns the contents of a regular file of at most limit bytes; 0 means
// no limit. Devices and pipes are refused, since reading them may never end.
func (f FS) Read(path string, limit int64) (data []byte, err error) {
	err = f.do(VerbRead, path, func() error {
		data, err = readRegular(path, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

func readRegular(path string, limit int64) ([]byte, error) {
	// Before opening: to open a pipe waits for its other end.
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	case limit > 0 && info.Size() > limit:
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, info.Size(), limit)}
	}
	return os.ReadFile(path)
}

// List returns the names in a directory in bytewise order, at most limit of
// them, the smallest first; 0 means all. A directory's name ends in a slash.
// Temporaries are left out, and a directory that doesn't exist is empty.
func (f FS) List(dir string, limit int) (names []string, err error) {
	err = f.do(VerbList, dir, func() error {
		names, err = list(dir, limit)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

// listBatch is how many entries are read at once: a listing of the few newest
// of very many entries keeps little in memory.
const listBatch = 1024

func list(dir string, limit int) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	var names []string
	for {
		entries, err := d.ReadDir(listBatch)
		for _, e := range entries {
			names = appendEntry(names, e)
		}
		if limit > 0 && len(names) > limit+listBatch {
			names = smallest(names, limit)
		}
		if errors.Is(err, io.EOF) {
			return smallest(names, limit), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func appendEntry(names []string, e fs.DirEntry) []string {
	switch {
	case IsTemporary(e.Name()):
		return names
	case e.IsDir():
		return append(names, e.Name()+"/")
	default:
		return append(names, e.Name())
	}
}

func smallest(names []string, limit int) []string {
	slices.Sort(names)
	if limit > 0 && len(names) > limit {
		names = names[:limit]
	}
	return names
}

// Replace gives path new contents: temporary file, sync, rename, sync of the
// directory. An existing file keeps its mode and owner, and one that is a
// symlink is replaced at its target; a new file gets the given mode. An error
// after the rename leaves the new contents in place, so only reading again
// tells which are there; half a file is never seen.
func (f FS) Replace(path string, data []byte, mode fs.FileMode) error {
	return f.replace(path, data, mode, func(string) error { return nil })
}

// ErrChanged says that a file no longer holds what Swap expects.
var ErrChanged = errors.New("the file was changed by another program in the meantime")

// Swap is Replace for an existing file that other programs edit as well: it
// happens only while the file still holds old, compared right before the
// rename.
func (f FS) Swap(path string, old, data []byte) error {
	const sameMode = 0 // unused: the file exists
	return f.replace(path, data, sameMode, func(target string) error {
		now, err := f.Read(target, 0)
		if err == nil && !bytes.Equal(now, old) {
			err = &fs.PathError{Op: "replace", Path: path, Err: ErrChanged}
		}
		return err
	})
}

func (f FS) replace(path string, data []byte, mode fs.FileMode, check func(target string) error) error {
	target, err := resolve(path)
	if err != nil {
		return err
	}
	temporary, err := f.stage(target, data, mode)
	if err != nil {
		return err
	}
	if err = check(target); err == nil {
		err = f.do(VerbRename, target, func() error { return os.Rename(temporary, target) })
	}
	if err != nil {
		f.discard(temporary)
		return err
	}
	return f.syncDir(filepath.Dir(target))
}

// resolve follows symlinks. A dangling one is an error: nobody knows whether
// its target is meant to be created.
func resolve(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return target, err
	}
	link, err := os.Readlink(path)
	if err != nil {
		return path, nil // nothing there: a new file
	}
	return "", &fs.PathError{Op: "replace", Path: path, Err: fmt.Errorf("it is a symlink to %s, which does not exist", link)}
}

// CreateExclusive creates path with these contents, or returns an error that
// wraps fs.ErrExist where the name is taken: of two writers exactly one
// succeeds, and the file is complete from the moment it has its name. Other
// errors leave it open whether the file is there: read it to find out.
func (f FS) CreateExclusive(path string, data []byte, mode fs.FileMode) error {
	temporary, err := f.stage(path, data, mode)
	if err != nil {
		return err
	}
	err = f.do(VerbLink, path, func() error { return os.Link(temporary, path) })
	f.discard(temporary)
	if err != nil {
		return err
	}
	return f.syncDir(filepath.Dir(path))
}

// stage writes data to a temporary file beside path and syncs it.
func (f FS) stage(path string, data []byte, mode fs.FileMode) (name string, err error) {
	var file *os.File
	err = f.do(VerbCreate, path, func() error {
		file, err = createTemporary(path, mode)
		return err
	})
	if file == nil {
		return "", err
	}
	name = file.Name()
	if err == nil {
		err = f.do(VerbWrite, name, func() error { _, err := file.Write(data); return err })
	}
	if err == nil {
		err = f.do(VerbSync, name, file.Sync)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		f.discard(name)
		return "", err
	}
	return name, nil
}

// createTemporary opens a new file in the directory of path, with the mode and
// owner of path where that exists.
func createTemporary(path string, mode fs.FileMode) (*os.File, error) {
	old, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), temporaryPrefix)
	if err != nil {
		return nil, err
	}
	if old != nil {
		mode = old.Mode().Perm()
		err = keepOwner(file, old)
	}
	if err == nil {
		err = file.Chmod(mode)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return file, nil
}

// discard removes a temporary file as well as it can; one that stays is
// harmless.
func (f FS) discard(temporary string) {
	_ = f.do(VerbRemove, temporary, func() error { return os.Remove(temporary) })
}

// Remove deletes a file and syncs its directory. A file that is gone already
// is an error that wraps fs.ErrNotExist.
func (f FS) Remove(path string) error {
	if err := f.do(VerbRemove, path, func() error { return os.Remove(path) }); err != nil {
		return err
	}
	return f.syncDir(filepath.Dir(path))
}

// MakeDir creates a directory with all missing parents, durably. One that
// exists is no error.
func (f FS) MakeDir(dir string, mode fs.FileMode) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := f.MakeDir(parent, mode); err != nil {
			return err
		}
	}
	err := f.do(VerbMakeDir, dir, func() error { return os.Mkdir(dir, mode) })
	if errors.Is(err, fs.ErrExist) {
		err = nil // another process was faster
	}
	if err != nil {
		return err
	}
	return f.syncDir(parent)
}

func (f FS) syncDir(dir string) error {
	return f.do(VerbSyncDir, dir, func() error { return syncDirectory(dir) })
}

// Lock takes the exclusive lock of a lock file, which it creates where needed
// and which stays. It doesn't wait: ok is false while another process, or
// another Lock of this one, holds it. The lock ends with unlock or with the
// process, however that dies.
func (f FS) Lock(path string) (unlock func() error, ok bool, err error) {
	err = f.do(VerbLock, path, func() error {
		unlock, ok, err = lock(path)
		return err
	})
	if err != nil && ok {
		return nil, false, errors.Join(err, unlock())
	}
	return unlock, ok, err
}

func lock(path string) (unlock func() error, ok bool, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	if ok, err = lockFile(file); !ok {
		return nil, false, errors.Join(err, file.Close())
	}
	return file.Close, true, nil
}
