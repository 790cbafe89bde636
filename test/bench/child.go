//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// Roles are what this program is when it runs as a process of its own beside
// the measuring one. Each reads its task as JSON from standard input.
var roles = map[string]func(context.Context, io.Reader, io.Writer) error{
	"generator": generate,
	"shop":      keepShop,
	"floor":     keepFloor,
}

// roleMark is the first argument of a process with a role; the second is the
// role.
const roleMark = "as"

// playRole plays the role that the arguments name, until it is over. It is
// false if they name none.
func playRole(args []string) bool {
	if len(args) < 2 || args[0] != roleMark {
		return false
	}
	if args[1] == "profiled" {
		os.Exit(serveProfiled(args[2:]))
	}
	play, ok := roles[args[1]]
	if !ok {
		fmt.Fprintf(os.Stderr, "bench: there is no role %q\n", args[1])
		os.Exit(exitUsage)
	}
	if err := play(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "bench as %s: %v\n", args[1], err)
		os.Exit(exitFailed)
	}
	return true
}

// A child is a process that plays a role.
type child struct {
	cmd  *exec.Cmd
	in   io.Closer
	out  *bufio.Reader
	over chan struct{} // closed when the process has ended
	err  error         // how it ended
}

// spawn starts a role with its task. What the role prints first, a line, is
// returned as soon as it is there.
func spawn(role string, task any) (c *child, hello string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	c = &child{cmd: exec.Command(self, roleMark, role), over: make(chan struct{})}
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	// A pipe of our own: Wait would close the command's before it is read.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	c.in, c.out, c.cmd.Stdout, c.cmd.Stderr = in, bufio.NewReaderSize(r, 1<<20), w, os.Stderr
	if err := launch(c.cmd, func(err error) { c.err = err; close(c.over) }); err != nil {
		return nil, "", err
	}
	w.Close()
	if err := json.NewEncoder(in).Encode(task); err != nil {
		return nil, "", fmt.Errorf("tell the %s its task: %w", role, err)
	}
	hello, err = c.out.ReadString('\n')
	if err != nil {
		c.kill()
		return nil, "", fmt.Errorf("the %s said nothing: %w", role, err)
	}
	return c, hello[:len(hello)-1], nil
}

// end lets the child end by itself, which it does when its input is closed.
func (c *child) end() error {
	c.in.Close()
	<-c.over
	return c.err
}

// kill ends the child at once.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may have ended by itself
	<-c.over
}

// launch starts a process that dies with this one, however this one ends, and
// calls over when it has ended.
func launch(c *exec.Cmd, over func(error)) error {
	// An interrupt at the terminal reaches this process first.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The kernel watches the starting thread, not the process: keep that
		// thread for as long as the child runs.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.Start()
		started <- err
		if err == nil {
			over(c.Wait())
		}
	}()
	return <-started
}
