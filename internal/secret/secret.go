// Package secret holds values that must not appear in logs, error texts, pages
// or exports: keys and passwords ([Text]) and account numbers ([Account]).
//
// The types print as a mask however they are printed, and give their value
// only to a caller that says so by name ([Text.Reveal], [Account.Reveal]).
// Three doors cannot be locked from here, because the language opens them
// without asking the type: a conversion such as string(t), an unexported
// struct field (package fmt may not call methods on it), and the key of a map
// given to encoding/json. So keep these values in exported fields or behind a
// pointer, and never as map keys.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// mask is what every non-empty Text shows.
const mask = "[secret]"

// A Text is a secret value such as an API secret or a signing key. It shows
// "[secret]" wherever it is printed, logged or marshalled; the empty Text
// shows the empty string. Unmarshalling reads the value.
type Text string

// Reveal returns the value itself.
func (t Text) Reveal() string { return string(t) }

// Equal reports whether t is other, in a time that says nothing about where
// they differ or how long t is. An empty Text equals nothing, not even the
// empty string, so that a secret nobody has set admits nobody.
func (t Text) Equal(other string) bool {
	a, b := sha256.Sum256([]byte(t)), sha256.Sum256([]byte(other))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && t != ""
}

// String returns the mask.
func (t Text) String() string {
	if t == "" {
		return ""
	}
	return mask
}

// GoString returns the mask in quotes.
func (t Text) GoString() string { return strconv.Quote(t.String()) }

// Format writes the mask for every verb, in quotes for %q and %#v.
func (t Text) Format(f fmt.State, verb rune) { format(f, verb, t.String()) }

// LogValue returns the mask.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalJSON returns the mask as a JSON string.
func (t Text) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// MarshalText returns the mask.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the value. JSON strings are read through it too.
func (t *Text) UnmarshalText(b []byte) error {
	*t = Text(b)
	return nil
}

// format writes what a masked value shows. It exists because verbs such as %x
// and %d would otherwise print the underlying string.
func format(f fmt.State, verb rune, shown string) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		shown = strconv.Quote(shown)
	}
	_, _ = io.WriteString(f, shown) // a fmt.State keeps its own errors
}
