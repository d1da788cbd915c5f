package store

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/attunelogic/maildns/provider/disk"
)

// scheme is one kind of store that a URL can name.
type scheme struct {
	name    string
	example string
	// open gets what follows "NAME://" and the directory that relative paths
	// start from.
	open func(rest, dir string, files disk.FS) (Store, error)
}

// schemes lists every store. To add one, add a line and run the suite on it.
func schemes() []scheme {
	return []scheme{
		{"file", "file://.maildns", openLocal},
		{"s3", "s3://bucket/prefix?region=eu-west-1", openBucket},
	}
}

// Open returns the store that a URL names. A relative path in a file URL
// starts from dir; files is the disk that a local store works on. Nothing is
// read or created yet.
func Open(rawURL, dir string, files disk.FS) (Store, error) {
	name, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return nil, fmt.Errorf("%q is not the URL of a store: write file://%s for a directory", rawURL, rawURL)
	}
	var examples []string
	for _, s := range schemes() {
		if s.name == name {
			opened, err := s.open(rest, dir, files)
			if err != nil {
				return nil, fmt.Errorf("the store %q: %w", rawURL, err)
			}
			return opened, nil
		}
		examples = append(examples, s.example)
	}
	return nil, fmt.Errorf("the store %q: the scheme %q is not known; possible are %s", rawURL, name, strings.Join(examples, " and "))
}

func openLocal(rest, dir string, files disk.FS) (Store, error) {
	if strings.ContainsAny(rest, "?#") {
		return nil, errors.New("a file URL takes no query and no fragment; write %3F for a question mark and %23 for a number sign in a path")
	}
	path, err := url.PathUnescape(rest)
	if err != nil {
		return nil, fmt.Errorf("the path is not percent-encoded as a URL's must be: %w", err)
	}
	if runtime.GOOS == "windows" && len(path) > 2 && path[0] == '/' && path[2] == ':' {
		path = path[1:] // the URL has a slash before the drive
	}
	path = filepath.FromSlash(path)
	switch {
	case path == "":
		return nil, errors.New("the path is empty; write file://.maildns for a directory beside the configuration")
	case !filepath.IsAbs(path):
		path = filepath.Join(dir, path)
	}
	return NewLocal(path, files), nil
}

func openBucket(string, string, disk.FS) (Store, error) {
	return nil, errors.New("buckets are not in this version; use a directory, file://PATH, on the one machine that applies")
}
