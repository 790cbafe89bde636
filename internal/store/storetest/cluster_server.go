//go:build unix

package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	oldestServer = 15 // the oldest PostgreSQL that we support
	folderPrefix = "tongbo-pg-"
	lockName     = "lock"
)

// errNoServer says what to do about a missing PostgreSQL.
var errNoServer = fmt.Errorf("no PostgreSQL server programs (%d or later) here; on Debian: "+
	"apt-get update && apt-get install -y --no-install-recommends postgresql; "+
	"or set %s to the URL of a running one", oldestServer, clusterVariable)

// findServer returns the folder of PostgreSQL's initdb and postgres: the one in
// PATH, else the newest that Debian has installed.
func findServer() (string, error) {
	var folders []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if initdb, err = filepath.EvalSymlinks(initdb); err == nil {
			folders = append(folders, filepath.Dir(initdb))
		}
	}
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.Sort(debian)
	slices.Reverse(debian)
	for _, folder := range append(folders, debian...) {
		if serverVersion(folder) >= oldestServer {
			return folder, nil
		}
	}
	return "", errNoServer
}

var major = regexp.MustCompile(`\d+`)

// serverVersion is the major version of the server in folder, 0 if there is
// none that runs.
func serverVersion(folder string) int {
	out, err := exec.Command(filepath.Join(folder, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	version, err := strconv.Atoi(major.FindString(string(out)))
	if err != nil {
		return 0
	}
	return version
}

// serverUser is who the server runs as: nil means ourselves. PostgreSQL refuses
// to run as root, so root hands it to a user without rights.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("root may not run PostgreSQL, and there is no user postgres or nobody to run it as")
}

// makeFolder makes the cluster's folder, owned by the server's user. The
// returned file holds a lock for as long as this process lives, by which other
// processes know that the folder is in use.
func makeFolder(owner *syscall.Credential) (string, *os.File, error) {
	dir, err := os.MkdirTemp("", folderPrefix+"*")
	if err != nil {
		return "", nil, err
	}
	lock, err := os.Create(filepath.Join(dir, "unlocked"))
	if err != nil {
		return dir, nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return dir, lock, fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	// Named only once it is locked, so that no sweep takes it for a stale one.
	if err := os.Rename(lock.Name(), filepath.Join(dir, lockName)); err != nil {
		return dir, lock, err
	}
	if owner != nil {
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			return dir, lock, err
		}
	}
	return dir, lock, nil
}

// sweep removes those folders below temp whose test process is gone. It does
// what it can: a folder that it may not touch stays.
func sweep(temp string) {
	locks, err := filepath.Glob(filepath.Join(temp, folderPrefix+"*", lockName))
	if err != nil {
		return
	}
	for _, name := range locks {
		lock, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(filepath.Dir(name)) // best effort
		}
		lock.Close()
	}
}

// process is a running server.
type process struct {
	os   *os.Process
	done chan struct{} // closed when it has ended
}

// launch starts the server's main program.
func (c *Cluster) launch() (*process, error) {
	log, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := []string{"-D", c.dataDir(),
		"-c", "listen_addresses=127.0.0.1",
		"-c", "port=" + strconv.Itoa(c.port),
		"-c", "unix_socket_directories=",
		"-c", "max_connections=200",
		"-c", "fsync=on",
	}
	for _, s := range c.extra {
		args = append(args, "-c", s)
	}
	cmd := c.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	dieWithParent(cmd.SysProcAttr)

	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel watches the starting thread, not the process: keep that
		// thread for as long as the server runs.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		p.os = cmd.Process
		started <- err
		if err == nil {
			_ = cmd.Wait() // a killed server is what some tests want
			close(p.done)
		}
	}()
	return p, <-started
}

// command is a program of this server, run as its user, in a group of its own
// so that an interrupt at the terminal reaches the tests first.
func (c *Cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, program), args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.owner, Setpgid: true}
	return cmd
}

// initialize makes the data folder.
func (c *Cluster) initialize() error {
	out, err := c.command("initdb", "-D", c.dataDir(), "-U", "postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// logTail is the end of the server's log, for messages.
func (c *Cluster) logTail() string {
	text, err := os.ReadFile(c.logFile())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// freePort is a port of 127.0.0.1 that nobody listened on a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// end signals the server and waits until it is gone; one that does not obey
// within the given time is killed.
func (p *process) end(signal os.Signal, patience time.Duration) error {
	if err := p.os.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
	}
	_ = p.os.Kill() // already ended is as good
	<-p.done
	return fmt.Errorf("the server did not stop within %s of %s and was killed", patience, signal)
}
