package store

import (
	"context"
	"errors"
	"fmt"
)

// The answers that callers tell apart. They come wrapped, with the object's
// name.
var (
	ErrExists = errors.New("the object exists already")
	ErrAbsent = errors.New("there is no such object")
)

// Store holds objects by name. All methods may be called from several
// goroutines, and from several processes on the same store.
type Store interface {
	// Create makes a new object, durable when it returns nil. Of two callers
	// with one name exactly one succeeds, the other gets ErrExists; the object
	// is seen whole or not at all. Any other error leaves it open whether the
	// object is there: read it back and compare.
	Create(ctx context.Context, name string, data []byte) error
	// Read returns an object's contents, or ErrAbsent.
	Read(ctx context.Context, name string) ([]byte, error)
	// List returns the names of a query in ascending order. What was created
	// before the call is in the answer.
	List(ctx context.Context, q Query) ([]string, error)
	// Delete removes an object. One that is gone already is no error, so that
	// a delete may be repeated.
	Delete(ctx context.Context, name string) error
	// Lock takes the exclusive lock of a name, or returns a *HeldError at
	// once; it never waits. The holder is any text that tells others who has
	// it. The name is one of a directory: no object may have it.
	Lock(ctx context.Context, name, holder string) (Lock, error)
}

// Query says which objects a listing returns.
type Query struct {
	Prefix string // of the whole name, not of a component
	After  string // only names greater than this; need not exist
	Limit  int    // at most so many, the smallest names; 0 for all
	// Groups asks, instead of the objects, for the places one level below
	// Prefix that hold objects: each name once, with a slash at its end. A
	// store with directories may name one that is empty. Prefix ends in a
	// slash, After and Limit don't apply.
	Groups bool
}

// Lock is a lock that is held.
type Lock interface {
	// Valid returns nil while the lock is held, and why it is not otherwise.
	Valid() error
	// Release gives the lock back. Releasing twice is no error.
	Release() error
}

// HeldError says that another run, or another goroutine of this one, holds a
// lock.
type HeldError struct {
	Name   string
	Holder string // as given to Lock; empty where it isn't known
}

func (e *HeldError) Error() string {
	if e.Holder == "" {
		return fmt.Sprintf("the lock %s is held", e.Name)
	}
	return fmt.Sprintf("the lock %s is held by %s", e.Name, e.Holder)
}

// errReleased is what Valid says of a lock that was given back.
var errReleased = errors.New("the lock has been released")
