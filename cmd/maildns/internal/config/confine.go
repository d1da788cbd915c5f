package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// confine resolves a path that a configuration names, which must lead to an
// ordinary file below dir whatever symbolic links are on the way. No component
// may begin with a dot: a checkout keeps tokens in such places.
func confine(dir, path string) (string, error) {
	clean := filepath.Clean(filepath.FromSlash(path))
	if path == "" || filepath.IsAbs(clean) {
		return "", fmt.Errorf("%q is not a path below the configuration directory; paths are relative to it", path)
	}
	if err := checkComponents(clean); err != nil {
		return "", fmt.Errorf("%q %w", path, err)
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	full, err := filepath.EvalSymlinks(filepath.Join(root, clean))
	if err != nil {
		return "", notThere(path, err)
	}
	rel, err := filepath.Rel(root, full)
	if err != nil {
		return "", err
	}
	if err := checkComponents(rel); err != nil {
		return "", fmt.Errorf("%q is a symbolic link to %s, which %w", path, filepath.ToSlash(rel), err)
	}
	info, err := os.Stat(full)
	if err != nil {
		return "", notThere(path, err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%q is not an ordinary file", path)
	}
	return full, nil
}

func checkComponents(path string) error {
	for part := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		switch {
		case part == "..":
			return fmt.Errorf("lies outside the configuration directory; only files below it can be read")
		case strings.HasPrefix(part, ".") && part != ".":
			return fmt.Errorf("has a component that begins with a dot, and such files are never read; move the file")
		}
	}
	return nil
}

// notThere drops the absolute path that the error of a system call holds.
func notThere(path string, err error) error {
	if os.IsNotExist(err) {
		return missingError{path}
	}
	if os.IsPermission(err) {
		return fmt.Errorf("the file %q may not be read: give its user the right to", path)
	}
	return fmt.Errorf("the file %q can't be read", path)
}

// missingError says that a file is not there.
type missingError struct{ path string }

func (e missingError) Error() string {
	return fmt.Sprintf("there is no file %q below the configuration directory", e.path)
}

func (missingError) Is(target error) bool { return target == os.ErrNotExist }
