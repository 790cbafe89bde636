package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startPatience = 30 * time.Second // from launch to the first good /readyz
	stopPatience  = 30 * time.Second // from SIGTERM to the end
	step          = 5 * time.Millisecond
)

// client makes the tests' own calls. Every try is a connection of its own, so
// that none is blamed for a server that was killed before it.
var client = &http.Client{
	Timeout:   10 * time.Second,
	Transport: &http.Transport{DisableKeepAlives: true},
}

// A node is one `tongbo serve`.
type node struct {
	addr   string // host:port; the same for every life of the node
	binary string
	env    []string
	args   []string

	cmd    *exec.Cmd
	output *output
	ended  chan struct{} // closed when the process has ended
}

// output is what a process has written; it is read while the process writes.
type output struct {
	mu   sync.Mutex
	text []byte
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, b...)
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// url is an address on the node.
func (n *node) url(path string) string { return "http://" + n.addr + path }

var listens = regexp.MustCompile(`ingress +http://([^/]+)/`)

// start launches the node and returns, when it is ready, how long that took.
// The first start takes a free port, the later ones the same.
func (n *node) start() (time.Duration, error) {
	began := time.Now()
	listen := n.addr
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	n.output, n.ended = &output{}, make(chan struct{})
	n.cmd = exec.Command(n.binary, append([]string{"serve", "--lang", "en", "--listen", listen, "--v1-listen", "", "--api-rate", "0"}, n.args...)...)
	n.cmd.Env, n.cmd.Stdout, n.cmd.Stderr = n.env, n.output, n.output
	// An interrupt at the terminal reaches the tests first.
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := launch(n.cmd, n.ended); err != nil {
		return 0, err
	}
	err := n.until(startPatience, func() bool {
		if m := listens.FindStringSubmatch(n.output.String()); n.addr == "" && m != nil {
			n.addr = m[1]
		}
		return n.addr != "" && status(n.url("/readyz")) == http.StatusOK
	})
	if err != nil {
		n.kill()
		return 0, fmt.Errorf("serve is not ready: %w\n%s", err, tail(n.output.String()))
	}
	return time.Since(began), nil
}

// launch starts a process that dies with the tests, and closes ended when it
// has ended.
func launch(c *exec.Cmd, ended chan struct{}) error {
	dieWithTests(c.SysProcAttr)
	started := make(chan error)
	go func() {
		// The kernel watches the starting thread, not the process: keep that
		// thread for as long as the program runs.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.Start()
		started <- err
		if err == nil {
			_ = c.Wait() // the state is read from the process
			close(ended)
		}
	}()
	return <-started
}

var errEnded = errors.New("the process has ended")

// until polls while the process lives.
func (n *node) until(patience time.Duration, done func() bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return poll(ctx, n.ended, done)
}

// poll calls done every few milliseconds until it is true, ended is closed or
// ctx is over.
func poll(ctx context.Context, ended <-chan struct{}, done func() bool) error {
	tick := time.NewTicker(step)
	defer tick.Stop()
	for {
		if done() {
			return nil
		}
		select {
		case <-tick.C:
		case <-ended:
			return errEnded
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// alive reports whether the process runs.
func (n *node) alive() bool {
	if n.cmd == nil {
		return false
	}
	select {
	case <-n.ended:
		return false
	default:
		return true
	}
}

// kill ends the process as a crash would, and returns when it is gone.
func (n *node) kill() {
	if n.cmd != nil && n.cmd.Process != nil {
		_ = n.cmd.Process.Kill() // it may have ended by itself
		<-n.ended
	}
}

// signal sends the process a signal.
func (n *node) signal(s os.Signal) error { return n.cmd.Process.Signal(s) }

// stop asks the process to end and returns an error unless it ends well.
func (n *node) stop() error {
	if err := n.signal(syscall.SIGTERM); err != nil {
		return err
	}
	return n.wait()
}

// wait waits for the end of a process that was told to stop.
func (n *node) wait() error {
	select {
	case <-n.ended:
	case <-time.After(stopPatience):
		n.kill()
		return fmt.Errorf("serve did not stop within %v\n%s", stopPatience, tail(n.output.String()))
	}
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("serve ended with code %d\n%s", code, tail(n.output.String()))
	}
	return nil
}

// status is the status of an answer, 0 if none came.
func status(url string) int {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// tail is the end of a log.
func tail(text string) string {
	const most = 4000
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return strings.TrimSpace(text)
}
