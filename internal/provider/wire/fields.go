package wire

import (
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// Fields are what a message says, by the gateway's names, as long as nobody
// has taken it: a reader takes what it understands, and the rest is kept for
// people to see. The methods change the map.
type Fields map[string]string

// Take removes a field and returns its value, "" if there is none.
func (f Fields) Take(name string) string {
	value := f[name]
	delete(f, name)
	return value
}

// TakeFirst takes the first of names that has a value, and leaves the others.
func (f Fields) TakeFirst(names ...string) string {
	for _, name := range names {
		if f[name] != "" {
			return f.Take(name)
		}
	}
	return ""
}

// TakeAmount takes an amount of won. told is false if there is none, or an
// empty one; one that cannot be read is fault.Invalid, with its name.
func (f Fields) TakeAmount(name string) (won int64, told bool, err error) {
	text := f.Take(name)
	if text == "" {
		return 0, false, nil
	}
	won, err = Amount(text)
	if err != nil {
		return 0, false, fault.Errorf(fault.Invalid, "%s: %w", name, err)
	}
	return won, true, nil
}

// TakeTime takes the first of names whose value read can read, and returns the
// zero time if there is none. A time that cannot be read does not spoil a
// message: it stays where a person sees it.
func (f Fields) TakeTime(read func(string) (time.Time, error), names ...string) time.Time {
	for _, name := range names {
		if at, err := read(f[name]); err == nil {
			delete(f, name)
			return at
		}
	}
	return time.Time{}
}

// Rest removes what is withheld, such as numbers by which a person is known,
// and what is empty, and returns the map itself as a plain one.
func (f Fields) Rest(withheld ...string) map[string]string {
	for _, name := range withheld {
		delete(f, name)
	}
	for name, value := range f {
		if value == "" {
			delete(f, name)
		}
	}
	return f
}
