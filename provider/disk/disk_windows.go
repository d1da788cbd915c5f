package disk

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// keepOwner has nothing to do: a new file inherits the directory's owner.
func keepOwner(*os.File, fs.FileInfo) error { return nil }

// syncDirectory has nothing to do: NTFS journals directory entries, and a
// directory can't be flushed.
func syncDirectory(string) error { return nil }

func lockFile(file *os.File) (ok bool, err error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err = windows.LockFileEx(windows.Handle(file.Fd()), flags, 0, 1, 0, &windows.Overlapped{})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}
