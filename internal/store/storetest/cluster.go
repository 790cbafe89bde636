//go:build unix

// Package storetest lets tests run against real databases: PostgreSQL in a
// private cluster that ends with the test process, and whatever else the store
// supports.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// clusterVariable names the environment variable with the URL of a cluster to
// use instead of a private one. Its user must be allowed to create databases.
const clusterVariable = "TONGBO_TEST_POSTGRES"

const (
	startPatience = time.Minute
	stopPatience  = 30 * time.Second
)

// A Cluster is a PostgreSQL server with durable writes that belongs to this
// test process alone. It listens on a free port of 127.0.0.1, lives in a
// temporary folder and ends with the process, also when that is killed. Its
// methods fail the test instead of returning errors. CreateDatabase and URL are
// safe for concurrent use; Stop and Start are for the one test that owns the
// cluster.
type Cluster struct {
	base  url.URL // of a cluster, without the database
	bin   string  // empty if the cluster is not ours to stop
	dir   string
	lock  *os.File
	owner *syscall.Credential
	port  int
	extra []string // settings, as name=value

	databases atomic.Int64
	sceneOnce sync.Once
	sceneErr  error

	mu     sync.Mutex
	server *process // nil while stopped
}

// shared is the cluster that Postgres gives out databases of.
var shared struct {
	once    sync.Once
	cluster *Cluster
	err     error
}

// Main runs a package's tests and then stops the shared cluster and removes its
// folder. Every package that calls Postgres has
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
//
// It calls after when the tests are over, before the process ends.
//
// Without it, or when the test process is killed, the server still ends with
// the process, and the next one to start a cluster removes the folder.
func Main(m *testing.M, after ...func()) {
	code := m.Run()
	for _, f := range after {
		f()
	}
	if shared.cluster != nil {
		if err := shared.cluster.remove(); err != nil {
			fmt.Fprintln(os.Stderr, "storetest: stop the shared cluster:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Postgres returns the URL of a new, empty database that is dropped when the
// test ends. It lies in a cluster that the test process shares, started by the
// first call; TONGBO_TEST_POSTGRES names another one. Without either the test
// fails and says what to install.
func Postgres(tb testing.TB) string {
	tb.Helper()
	c := theShared(tb)
	return c.URL(c.CreateDatabase(tb))
}

// theShared is the shared cluster, started by the first call.
func theShared(tb testing.TB) *Cluster {
	tb.Helper()
	shared.once.Do(func() { shared.cluster, shared.err = sharedCluster() })
	if shared.err != nil {
		tb.Fatalf("start the shared PostgreSQL cluster: %v", shared.err)
	}
	return shared.cluster
}

// NewCluster starts a cluster for a test that stops and starts it. It is
// removed when the test ends. TONGBO_TEST_POSTGRES has no say here.
func NewCluster(tb testing.TB) *Cluster {
	tb.Helper()
	c, err := startCluster()
	if err != nil {
		tb.Fatalf("start a PostgreSQL cluster: %v", err)
	}
	tb.Cleanup(func() {
		if err := c.remove(); err != nil {
			tb.Errorf("remove the PostgreSQL cluster: %v", err)
		}
	})
	return c
}

// URL returns the address of the named database, which stays the same when the
// cluster is stopped and started.
func (c *Cluster) URL(db string) string {
	u := c.base
	u.Path = "/" + db
	return u.String()
}

// CreateDatabase makes an empty database and returns its name. It is dropped
// when the test ends, with whatever is still connected to it.
func (c *Cluster) CreateDatabase(tb testing.TB) string {
	tb.Helper()
	return c.copyDatabase(tb, emptyName)
}

// emptyName is the database that a new one is copied from which has nothing in it.
const emptyName = "template0"

// copyDatabase is CreateDatabase for a copy of another one, to which nobody may be
// connected.
func (c *Cluster) copyDatabase(tb testing.TB, from string) string {
	tb.Helper()
	name := "t_" + strconv.FormatInt(c.databases.Add(1), 10)
	if c.bin == "" { // others use this cluster too
		name = "tongbo_" + name + "_" + strings.ToLower(rand.Text())
	}
	if err := c.admin(tb.Context(), "create database "+name+" template "+from); err != nil {
		tb.Fatalf("create database %s: %v", name, err)
	}
	tb.Cleanup(func() {
		if !c.running() {
			return // it goes with the cluster
		}
		// The test's own context has ended by now.
		if err := c.admin(context.Background(), "drop database if exists "+name+" with (force)"); err != nil {
			tb.Errorf("drop database %s: %v", name, err)
		}
	})
	return name
}

// Stop ends the server and returns when it is gone. Mode "fast" rolls open
// transactions back and writes a checkpoint; "immediate" drops everything as a
// crash would, so that the next Start recovers from the log.
func (c *Cluster) Stop(tb testing.TB, mode string) {
	tb.Helper()
	signals := map[string]syscall.Signal{"fast": syscall.SIGINT, "immediate": syscall.SIGQUIT}
	signal, ok := signals[mode]
	if !ok {
		tb.Fatalf("Stop(%q): want fast or immediate", mode)
	}
	if err := c.stop(signal); err != nil {
		tb.Fatalf("stop PostgreSQL: %v", err)
	}
}

// Start starts a stopped server on its old port and returns when it answers.
func (c *Cluster) Start(tb testing.TB) {
	tb.Helper()
	if c.running() {
		tb.Fatal("the PostgreSQL server is running already")
	}
	if err := c.start(); err != nil {
		tb.Fatalf("start PostgreSQL: %v", err)
	}
}

// sharedCluster is the one that the environment names, else a private one.
func sharedCluster() (*Cluster, error) {
	address := os.Getenv(clusterVariable)
	if address == "" {
		return startCluster()
	}
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return nil, fmt.Errorf("%s is not a postgres:// URL", clusterVariable)
	}
	return &Cluster{base: *u}, nil
}

// startCluster makes a private cluster and starts it.
func startCluster(extra ...string) (*Cluster, error) {
	sweep(os.TempDir())
	bin, err := findServer()
	if err != nil {
		return nil, err
	}
	owner, err := serverUser()
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin, owner: owner, extra: extra}
	c.dir, c.lock, err = makeFolder(owner)
	if err == nil {
		err = c.initialize()
	}
	if err == nil {
		err = c.startSomewhere()
	}
	if err != nil {
		return nil, errors.Join(err, c.remove())
	}
	return c, nil
}

// startSomewhere starts the server on a free port. Between finding the port and
// using it another process may take it, hence the tries.
func (c *Cluster) startSomewhere() error {
	var err error
	for range 5 {
		if c.port, err = freePort(); err != nil {
			return err
		}
		c.base = url.URL{
			Scheme:   "postgres",
			User:     url.User("postgres"),
			Host:     "127.0.0.1:" + strconv.Itoa(c.port),
			RawQuery: "sslmode=disable",
		}
		if err = c.start(); err == nil {
			return nil
		}
	}
	return err
}

// start launches the server and waits until it answers.
func (c *Cluster) start() error {
	server, err := c.launch()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	if err := c.answering(ctx, server); err != nil {
		return errors.Join(err, server.end(syscall.SIGQUIT, stopPatience))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server = server
	return nil
}

// answering waits until the server takes queries; it is an error if it ends
// first.
func (c *Cluster) answering(ctx context.Context, server *process) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-server.done:
			return fmt.Errorf("the server ended; its log:\n%s", c.logTail())
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w; its log:\n%s", ctx.Err(), c.logTail())
		case <-again.C:
		}
		// The process must be ours still: the port may be another server's.
		if c.admin(ctx, "select 1") == nil && c.ownsPort() {
			return nil
		}
	}
}

// ownsPort reports whether the server behind the port is the one in our folder,
// which says so in its pid file once it listens.
func (c *Cluster) ownsPort() bool {
	text, err := os.ReadFile(filepath.Join(c.dataDir(), "postmaster.pid"))
	lines := strings.Split(string(text), "\n")
	if err != nil || len(lines) <= 7 || lines[3] != strconv.Itoa(c.port) {
		return false
	}
	state := strings.TrimSpace(lines[7])
	return state == "ready" || state == "standby"
}

// admin runs one statement outside any test's database.
func (c *Cluster) admin(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	address := c.URL("postgres")
	if c.bin == "" {
		address = c.base.String()
	}
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// running reports whether there is a server to talk to.
func (c *Cluster) running() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server != nil || c.bin == ""
}

// stop ends the server if it runs.
func (c *Cluster) stop(signal syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return nil
	}
	server := c.server
	c.server = nil
	return server.end(signal, stopPatience)
}

// remove stops the server and deletes all that belongs to the cluster. Nobody
// needs the data any more, so it wastes no time on a checkpoint.
func (c *Cluster) remove() error {
	if c.bin == "" {
		return nil
	}
	err := c.stop(syscall.SIGQUIT)
	if c.dir != "" {
		err = errors.Join(err, os.RemoveAll(c.dir))
	}
	if c.lock != nil {
		err = errors.Join(err, c.lock.Close())
	}
	return err
}

func (c *Cluster) dataDir() string { return filepath.Join(c.dir, "data") }
func (c *Cluster) logFile() string { return filepath.Join(c.dir, "log") }
