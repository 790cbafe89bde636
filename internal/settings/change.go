package settings

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/words"
)

// A Kind says what a Change did.
type Kind string

// The kinds of changes. A Warning changes nothing.
const (
	Created Kind = "created"
	Changed Kind = "changed"
	Deleted Kind = "deleted"
	Warning Kind = "warning"
)

// A Change is one thing that a declaration made, changed or deleted, or that
// the operator should look at.
type Change struct {
	Kind   Kind
	What   string // merchant, store, channel, endpoint, api_secret, api_key, allow
	Where  string // the merchant and store it is in; empty for a merchant
	Name   string
	ID     string
	Fields []string // only of Changed: the fields that got another value
	// Key and Args are the text of a Warning in the catalogue.
	Key  string
	Args []any
	// Secret was made now and can be read nowhere else later. Only
	// MarshalJSON and a caller that asks Shown first give it away.
	Secret secret.Text
	Shown  bool // there is a Secret to show, this once
}

// String is the change in one line of English, without its secret.
func (c Change) String() string { return c.Line(words.En) }

// Line is the change in one line of a language, without its secret.
func (c Change) Line(l words.Lang) string {
	id, rest := "", ""
	if c.ID != "" && c.ID != c.Name {
		id = " (" + c.ID + ")"
	}
	if len(c.Fields) > 0 {
		rest = ": " + strings.Join(c.Fields, ", ")
	}
	if c.Key != "" {
		rest += ": " + c.message(l)
	}
	key := "apply.line"
	if c.Where == "" {
		key = "apply.line_top"
	}
	return words.Text(l, key, "kind", words.Text(l, "apply.kind."+string(c.Kind)), "what", whatWord(l, c.What), "name", strconv.Quote(c.Name),
		"id", id, "where", c.whereIn(l), "rest", rest)
}

func (c Change) message(l words.Lang) string { return words.Text(l, c.Key, c.Args...) }

// whereIn is Where with its kinds of things in a language.
func (c Change) whereIn(l words.Lang) string {
	parts := strings.Split(c.Where, " › ")
	for i, p := range parts {
		if what, name, ok := strings.Cut(p, " "); ok {
			parts[i] = whatWord(l, what) + " " + name
		}
	}
	return strings.Join(parts, " › ")
}

// whatWord is a kind of thing, as a file spells it where it has no word.
func whatWord(l words.Lang, what string) string {
	if key := "apply.what." + what; words.Has(key) {
		return words.Text(l, key)
	}
	return what
}

// MarshalJSON is the change as `apply --json` prints it. It reveals the
// secret if it is to be shown.
func (c Change) MarshalJSON() ([]byte, error) {
	out := struct {
		Kind    Kind     `json:"kind"`
		What    string   `json:"what"`
		Where   string   `json:"where,omitempty"`
		Name    string   `json:"name,omitempty"`
		ID      string   `json:"id,omitempty"`
		Fields  []string `json:"fields,omitempty"`
		Message string   `json:"message,omitempty"`
		Secret  string   `json:"secret,omitempty"`
	}{Kind: c.Kind, What: c.What, Where: c.Where, Name: c.Name, ID: c.ID, Fields: c.Fields}
	if c.Key != "" {
		out.Message = c.message(words.En)
	}
	if c.Shown {
		out.Secret = c.Secret.Reveal()
	}
	return json.Marshal(out)
}
