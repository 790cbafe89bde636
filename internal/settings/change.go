package settings

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tongbo/tongbo/internal/secret"
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
	Kind    Kind
	What    string // merchant, store, channel, endpoint, api_secret, api_key, allow
	Where   string // the merchant and store it is in; empty for a merchant
	Name    string
	ID      string
	Fields  []string // only of Changed: the fields that got another value
	Message string   // only of Warning
	// Secret was made now and can be read nowhere else later. Only
	// MarshalJSON and a caller that asks Shown first give it away.
	Secret secret.Text
	Shown  bool // there is a Secret to show, this once
}

// String is the change in one line, without its secret.
func (c Change) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %q", c.Kind, c.What, c.Name)
	if c.ID != "" && c.ID != c.Name {
		fmt.Fprintf(&b, " (%s)", c.ID)
	}
	if c.Where != "" {
		b.WriteString(" in " + c.Where)
	}
	if len(c.Fields) > 0 {
		b.WriteString(": " + strings.Join(c.Fields, ", "))
	}
	if c.Message != "" {
		b.WriteString(": " + c.Message)
	}
	return b.String()
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
	}{Kind: c.Kind, What: c.What, Where: c.Where, Name: c.Name, ID: c.ID, Fields: c.Fields, Message: c.Message}
	if c.Shown {
		out.Secret = c.Secret.Reveal()
	}
	return json.Marshal(out)
}
