package httpapi

import (
	"context"
	"errors"
	"sync"
)

// watchKey is where a context carries its watcher.
type watchKey struct{}

type watcher struct {
	mu   sync.Mutex
	errs []error
}

// Watch returns a context that remembers what goes wrong with the requests
// made under it, and a function that returns it, or nil. A library may swallow
// an error; this doesn't. An answer with a status of 400 or more counts as an
// error, as an *Error.
func Watch(ctx context.Context) (context.Context, func() error) {
	w := &watcher{}
	return context.WithValue(ctx, watchKey{}, w), func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		return errors.Join(w.errs...)
	}
}

// report tells the watcher of a context, if it has one.
func report(ctx context.Context, err error) {
	w, ok := ctx.Value(watchKey{}).(*watcher)
	if !ok || err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}

// wantedKey is where a context carries what is asked before a request is sent.
type wantedKey struct{}

// BeforeSend returns a context under which every request asks again, once its
// turn within the budget has come, whether it is still to be sent: it isn't
// where ask returns an error, which is what the request then fails with.
func BeforeSend(ctx context.Context, ask func() error) context.Context {
	return context.WithValue(ctx, wantedKey{}, ask)
}

func stillWanted(ctx context.Context) error {
	if ask, ok := ctx.Value(wantedKey{}).(func() error); ok {
		return ask()
	}
	return nil
}
