package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// The exit statuses, for all commands (see EXIT STATUS in any --help).
const (
	exitOK          = 0
	exitError       = 1
	exitChanges     = 2
	exitWaiting     = 3
	exitRefused     = 4
	exitPartial     = 5
	exitInterrupted = 130
)

// statusError is an error that ends the process with a status of its own.
// Every other error ends it with 1.
type statusError struct {
	code int
	err  error // nil: the command has said all
}

func (e *statusError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *statusError) Unwrap() error { return e.err }

// failWith gives an error a status.
func failWith(code int, err error) error { return &statusError{code, err} }

// status ends a command that has said all that there is to say.
func status(code int) error {
	if code == exitOK {
		return nil
	}
	return &statusError{code: code}
}

// exitCode is the one place where errors become exit statuses.
func exitCode(err error) int {
	var s *statusError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &s):
		return s.code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	default:
		return exitError
	}
}

// worst is the status of a run over several zones: the first that occurred in
// the order 5, 4, 1; else 130 where the user interrupted; else the rest as it
// is.
func worst(codes ...int) int {
	for _, code := range []int{exitPartial, exitRefused, exitError, exitInterrupted, exitChanges, exitWaiting} {
		if slices.Contains(codes, code) {
			return code
		}
	}
	return exitOK
}
