//go:build linux || darwin

package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// singleKeys has a terminal give each key as it is pressed, unseen. ok is false
// for what is no terminal.
func singleKeys(in *os.File) (restore func(), ok bool) {
	fd := int(in.Fd())
	was, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, false
	}
	now := *was
	now.Lflag &^= unix.ICANON | unix.ECHO // Ctrl-C goes on being an interrupt
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, setTermios, &now); err != nil {
		return nil, false
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, was) }, true // nothing is left to do about it
}
