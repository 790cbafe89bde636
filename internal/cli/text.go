package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
)

// printable shows outside text as text: nothing in it moves the cursor, turns
// the line around or hides.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// longestCell is how many cells of a table one outside text may take.
const longestCell = 40

// short cuts a text that would push the rest of a table off the screen.
func short(s string) string { return clip(s, longestCell) }

// clip cuts a text to so many cells of a terminal, and marks that it did.
func clip(s string, most int) string {
	if cells(s) <= most {
		return s
	}
	n := 0
	for i, r := range s {
		if n += cells(string(r)); n >= most {
			return s[:i] + "…"
		}
	}
	return s
}

// plainJSON writes JSON in which "<" and "&" stay as they are, since people
// compare what they see with what the PG's manual says. What does not print is
// escaped, so that a terminal shows outside text as text.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return escapeUnprinted(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}

// escapeUnprinted escapes what does not print in JSON. It stands in strings
// only: outside them JSON is ASCII.
func escapeUnprinted(b []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(b) {
		switch {
		case unicode.IsPrint(r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}
