//go:build linux

package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

const (
	startPatience = 2 * time.Minute
	stopPatience  = time.Minute
	glance        = 2 * time.Millisecond // between looks at what is waited for
)

// A node is one `tongbo serve`.
type node struct {
	addr   string // host:port; the same for every life of the node
	binary string
	first  []string // arguments before serve
	env    []string
	logTo  string

	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended
}

// url is an address on the node.
func (n *node) url(path string) string { return "http://" + n.addr + path }

var listens = regexp.MustCompile(`(?:ingress|통보) +http://([^/]+)/`)

// start launches the node and returns, when it is ready, how long that took.
// The first start takes a free port, the later ones the same.
func (n *node) start() (time.Duration, error) {
	began := time.Now()
	listen := n.addr
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	log, err := os.OpenFile(n.logTo, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	ended := make(chan struct{})
	n.ended = ended
	n.cmd = exec.Command(n.binary, append(n.first, "serve", "--allow-private-webhooks", "--listen", listen)...)
	n.cmd.Env, n.cmd.Stdout, n.cmd.Stderr = n.env, log, log
	if err := launch(n.cmd, func(error) { close(ended) }); err != nil {
		return 0, err
	}
	if err := await(startPatience, n.ended, n.ready); err != nil {
		n.kill()
		return 0, fmt.Errorf("serve is not ready: %w\n%s", err, n.log())
	}
	return time.Since(began), nil
}

// ready reports whether the node says that it is.
func (n *node) ready() bool {
	if n.addr == "" {
		m := listens.FindStringSubmatch(n.log())
		if m == nil {
			return false
		}
		n.addr = m[1]
	}
	_, err := call(http.MethodGet, n.url("/readyz"), nil)
	return err == nil
}

var errEnded = errors.New("the process has ended")

var errPatience = errors.New("it took too long")

// await looks every few milliseconds until done is true, ended is closed or
// patience is over.
func await(patience time.Duration, ended <-chan struct{}, done func() bool) error {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	end := time.NewTimer(patience)
	defer end.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ended:
			return errEnded
		case <-end.C:
			return errPatience
		}
	}
	return nil
}

// kill ends the process as a crash would, and returns when it is gone.
func (n *node) kill() {
	if n.cmd != nil && n.cmd.Process != nil {
		_ = n.cmd.Process.Kill() // it may have ended by itself
		<-n.ended
	}
}

// stop asks the process to end and returns an error unless it ends well.
func (n *node) stop() error {
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := await(stopPatience, n.ended, func() bool { return false }); !errors.Is(err, errEnded) {
		n.kill()
		return fmt.Errorf("serve did not stop within %v\n%s", stopPatience, n.log())
	}
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("serve ended with code %d\n%s", code, n.log())
	}
	return nil
}

func (n *node) pid() int { return n.cmd.Process.Pid }

// log is the end of what the node has written.
func (n *node) log() string {
	const most = 1500
	b, err := os.ReadFile(n.logTo)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-most):])
}

// buildProgram builds the program, as `make build` does, into a folder and
// returns its path.
func buildProgram(dir string) (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	path := filepath.Join(dir, "tongbo")
	c := exec.Command("go", "build", "-trimpath", "-o", path, "./cmd/tongbo")
	c.Dir, c.Env = string(root[:len(root)-1]), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}
