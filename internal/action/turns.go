package action

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// How many test notices may be sent in a minute, by one member and for the channels of one
// store: each keeps a request of this server busy for up to ten seconds, and writes.
const (
	RehearsalsOfMember = 30
	RehearsalsOfStore  = 60
)

// A TooOftenError says that something was done as often as it may be within a minute.
type TooOftenError struct {
	Until time.Time // when it may be done again
	what  string
	most  int
}

// Error says what, and how often it may be done.
func (e *TooOftenError) Error() string {
	return fmt.Sprintf("more than %d %s in a minute: try again at %s", e.most, e.what, e.Until.UTC().Format(time.RFC3339))
}

// Unwrap says that it can be done later.
func (e *TooOftenError) Unwrap() error { return errTooOften }

var errTooOften = fault.Errorf(fault.Unavailable, "it was done too often within a minute")

// turns count what was done within the last minute, on this node. The zero turns are ready;
// they are safe for concurrent use.
type turns struct {
	mu sync.Mutex
	at map[string][]time.Time
}

// A turn is whose it is, and how many they have in a minute.
type turn struct {
	who  string
	most int
}

// take takes a turn of each, or none: then it reports *TooOftenError.
func (l *turns) take(now time.Time, what string, of ...turn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for who, list := range l.at {
		list = slices.DeleteFunc(list, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
		if l.at[who] = list; len(list) == 0 {
			delete(l.at, who)
		}
	}
	for _, t := range of {
		if list := l.at[t.who]; len(list) >= t.most {
			return &TooOftenError{Until: list[len(list)-t.most].Add(time.Minute), what: what, most: t.most}
		}
	}
	if l.at == nil {
		l.at = make(map[string][]time.Time)
	}
	for _, t := range of {
		l.at[t.who] = append(l.at[t.who], now)
	}
	return nil
}
