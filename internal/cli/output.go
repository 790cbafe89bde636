package cli

import (
	"io"

	"github.com/alecthomas/kong"
)

// What a command writes is one of two things. Its product goes to standard output, wherever
// that leads: objects (--json), a list, a table, a document, a key. What it tells people
// (what happened, what was found, how far it is) goes where talk says. So a program that
// reads standard output meets objects or nothing. TestWhereTextGoes has a row for every
// command.

// talk is where text for people goes: standard output on a terminal, and standard error
// where standard output leads elsewhere.
func (e Env) talk() io.Writer {
	if e.Terminal {
		return e.Stdout
	}
	return e.Stderr
}

// forPrograms is the Env of a command that prints objects: whatever standard output is, it
// shows no colours, no progress, no links and no text for people.
func (e Env) forPrograms() Env {
	e.Terminal, e.Colours = false, false
	return e
}

// wantsObjects reports whether a command is called with --json.
func wantsObjects(k *kong.Context) bool {
	for _, f := range k.Flags() {
		if f.Name == "json" {
			return f.Target.Bool()
		}
	}
	return false
}
