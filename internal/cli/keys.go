package cli

import (
	"io"
	"os"
)

// readKeys reads single keys that somebody presses at a terminal. Where nobody can
// (piped, or no terminal that gives single keys) there is no channel, and nothing
// is read. restore puts the terminal back as it was; it must be called.
func readKeys(env Env) (keys <-chan byte, restore func()) {
	in, isFile := env.Stdin.(*os.File)
	if !env.Terminal || !isFile {
		return nil, func() {}
	}
	restore, ok := singleKeys(in)
	if !ok {
		return nil, func() {}
	}
	out := make(chan byte)
	go func() { // ends with the process: a read of a terminal cannot be called off
		var b [1]byte
		for {
			if _, err := io.ReadFull(in, b[:]); err != nil {
				return
			}
			out <- b[0]
		}
	}()
	return out, restore
}
