// Package words holds every word and sentence that people read in the console and from
// the command line, in Korean and in English.
//
// A text has a key, such as "calltest.redirect", and stands in catalogue/AREA.toml in both
// languages. The first part of the key is the area:
//
//	[calltest.redirect]
//	ko = "리다이렉트는 따라가지 않아요. {url:을/를} 그대로 넣어 주세요."
//	en = "Redirects are not followed. Enter {url} as it is."
//
// An argument stands in braces. In Korean a particle may follow a colon, and the sound
// at the argument's end picks it: 을/를, 이/가, 은/는, 과/와, 으로/로, 이에요/예요. In either
// language {n|notice|notices} writes the first word if n is 1 and the second if it is not.
// Whole numbers are written with commas. Two braces stand for one.
//
// The states of things have a chip beside their words: the family of colour and shape in
// which they are shown.
package words

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
)

// A Lang is a language that the program speaks.
type Lang string

// The languages.
const (
	Ko Lang = "ko"
	En Lang = "en"
)

// Langs lists the languages, the first being the one for who asked for none.
func Langs() []Lang { return []Lang{Ko, En} }

// ParseLang returns the language of a tag such as "en-US"; ok is false for one that the
// program does not speak.
func ParseLang(tag string) (l Lang, ok bool) {
	primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	primary, _, _ = strings.Cut(primary, "_") // as LANG has it
	switch l := Lang(primary); l {
	case Ko, En:
		return l, true
	}
	return "", false
}

// Accepted picks a language by an Accept-Language header: the first that it names and the
// program speaks, in the order of the header, and Korean if there is none. Weights are not
// looked at, since browsers write the languages in their order.
func Accepted(header string) Lang {
	for part := range strings.SplitSeq(header, ",") {
		tag, _, _ := strings.Cut(part, ";")
		if l, ok := ParseLang(tag); ok {
			return l
		}
	}
	return Ko
}

// A Chip is the family of colour and shape in which a state is shown.
type Chip string

// The chips.
const (
	OK   Chip = "ok"   // done
	Run  Chip = "run"  // going on
	Wait Chip = "wait" // waiting
	Bad  Chip = "bad"  // failed
	Odd  Chip = "odd"  // needs a look
	Off  Chip = "off"  // nothing to do
)

// An entry is a text of the catalogue.
type entry struct {
	Ko   string `toml:"ko"`
	En   string `toml:"en"`
	Chip Chip   `toml:"chip"`
}

//go:embed catalogue
var files embed.FS

// catalogue is every text by its key. It panics if a file cannot be read: a test reads
// all of them.
var catalogue = sync.OnceValue(func() map[string]entry {
	out, err := read(files)
	if err != nil {
		panic(err)
	}
	return out
})

// read reads the files of a catalogue. Tables may be nested: their names are joined
// by dots.
func read(from fs.FS) (map[string]entry, error) {
	out := make(map[string]entry)
	names, err := fs.Glob(from, "catalogue/*.toml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		var tree map[string]any
		if err := toml.Unmarshal(text, &tree); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := collect(out, "", tree); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, nil
}

// collect gathers the texts below a table: a table that holds a text of a language is one.
func collect(out map[string]entry, key string, tree map[string]any) error {
	var e entry
	for name, value := range tree {
		switch value := value.(type) {
		case map[string]any:
			below := name
			if key != "" {
				below = key + "." + name
			}
			if err := collect(out, below, value); err != nil {
				return err
			}
		case string:
			switch name {
			case "ko":
				e.Ko = value
			case "en":
				e.En = value
			case "chip":
				e.Chip = Chip(value)
			default:
				return fmt.Errorf("[%s]: %q is no language", key, name)
			}
		default:
			return fmt.Errorf("[%s] %s: want a text", key, name)
		}
	}
	if e == (entry{}) {
		return nil
	}
	if _, twice := out[key]; twice {
		return fmt.Errorf("[%s] stands in two files", key)
	}
	out[key] = e
	return nil
}

// Has reports whether there is a text of a key.
func Has(key string) bool { _, ok := catalogue()[key]; return ok }

// ChipOf is the chip of a state; Off if the text of the key has none.
func ChipOf(key string) Chip {
	if c := catalogue()[key].Chip; c != "" {
		return c
	}
	return Off
}

// Text is the text of a key, with its arguments: names and values in turn. Values are
// strings, whole numbers and what has a String method. A key that is not in the
// catalogue is its own text, so that what is missing can be seen; an argument that was
// not given stays in its braces. Text never fails: what was got from outside may be an
// argument and is put in as it is, so whoever writes HTML escapes the whole.
func Text(l Lang, key string, args ...any) string {
	e, ok := catalogue()[key]
	if !ok {
		return key
	}
	text := e.Ko
	if l == En {
		text = e.En
	}
	return fill(text, args)
}

// Worded returns arguments in which the value of one is a word of the catalogue: the text
// of prefix and the value, where there is one.
func Worded(l Lang, args []any, name, prefix string) []any {
	out := append([]any(nil), args...)
	for i := 0; i+1 < len(out); i += 2 {
		if key := prefix + fmt.Sprint(out[i+1]); out[i] == name && Has(key) {
			out[i+1] = Text(l, key)
		}
	}
	return out
}
