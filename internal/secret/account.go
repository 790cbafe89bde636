package secret

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"unicode/utf8"
)

// shownDigits is how much of an account number people may see without asking:
// enough to tell two accounts of one customer apart.
const shownDigits = 4

// An Account is an account number (계좌번호). Wherever it is printed, logged or
// marshalled it shows only its last four characters, with an asterisk for each
// one before them; a number of four characters or fewer shows none.
// Unmarshalling reads the value.
type Account string

// Reveal returns the number itself.
func (a Account) Reveal() string { return string(a) }

// String returns the masked number, such as "**********4252".
func (a Account) String() string {
	n := utf8.RuneCountInString(string(a))
	if n <= shownDigits {
		return strings.Repeat("*", n)
	}
	tail := string(a)
	for range n - shownDigits {
		_, size := utf8.DecodeRuneInString(tail)
		tail = tail[size:]
	}
	return strings.Repeat("*", n-shownDigits) + tail
}

// GoString returns the masked number in quotes.
func (a Account) GoString() string { return strconv.Quote(a.String()) }

// Format writes the masked number for every verb, in quotes for %q and %#v.
func (a Account) Format(f fmt.State, verb rune) { format(f, verb, a.String()) }

// LogValue returns the masked number.
func (a Account) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalJSON returns the masked number as a JSON string.
func (a Account) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// MarshalText returns the masked number.
func (a Account) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the number. JSON strings are read through it too.
func (a *Account) UnmarshalText(b []byte) error {
	*a = Account(b)
	return nil
}
