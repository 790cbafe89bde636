// Package fault gives errors a kind that someone will act on: a face turns
// the kind into a status code, an engine into a verdict. An error without a
// kind is Internal: its text is for the log, never for a client.
package fault

import (
	"errors"
	"fmt"
)

// A Kind says what went wrong in terms that callers act on.
type Kind int

// The kinds of faults.
const (
	Internal     Kind = iota // a bug or a broken machine; the text goes to the log only
	Invalid                  // the input cannot be understood or is not allowed
	NotFound                 // there is no such thing, or the caller may not know of it
	Conflict                 // the thing is in a state that does not allow this
	Unauthorized             // the caller did not prove who it is
	Forbidden                // the caller is known but may not do this
	Unavailable              // try again later: the store is away, or overloaded
	TooLarge                 // the input is over a stated limit
	Unsupported              // understood, but this build or provider cannot do it
	Stale                    // decided by settings that have changed since: decide again
	Unclear                  // another's answer was lost: it may have been done, or not
)

var names = [...]string{
	"internal", "invalid", "not found", "conflict", "unauthorized",
	"forbidden", "unavailable", "too large", "unsupported", "stale", "unclear",
}

// String returns the kind's name in lower case.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return names[k]
}

type fault struct {
	kind Kind
	err  error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// Errorf returns an error of the given kind. Like fmt.Errorf it wraps the
// operands of %w verbs.
func Errorf(kind Kind, format string, args ...any) error {
	return &fault{kind: kind, err: fmt.Errorf(format, args...)}
}

// KindOf returns the kind of the outermost fault in err's chain, and Internal
// if there is none.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*fault](err); ok {
		return f.kind
	}
	return Internal
}

// Is reports whether err is a fault of kind k. A nil error is of no kind.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }
