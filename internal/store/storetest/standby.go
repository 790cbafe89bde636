//go:build unix

package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby starts a streaming standby (대기 서버) of a running cluster and
// returns once every commit of the cluster waits until the standby has it on
// disk too. It answers to reads; Promote makes it take writes. It is removed
// when the test ends, and the cluster then waits for nobody.
func (c *Cluster) Standby(tb testing.TB) *Cluster {
	tb.Helper()
	s, err := c.startStandby()
	if err != nil {
		tb.Fatalf("start a standby: %v", err)
	}
	tb.Cleanup(func() {
		err := s.remove()
		if c.running() {
			// Or the drop of a database would wait for the standby for ever.
			err = errors.Join(err, c.admin(context.Background(), "alter system reset synchronous_standby_names"), c.reload())
		}
		if err != nil {
			tb.Errorf("remove the standby: %v", err)
		}
	})
	if err := errors.Join(c.admin(tb.Context(), "alter system set synchronous_standby_names = '*'"), c.reload()); err != nil {
		tb.Fatalf("make replication synchronous: %v", err)
	}
	c.await(tb, "select count(*) = 1 from pg_stat_replication where sync_state = 'sync'")
	return s
}

// Promote makes a standby the primary, and returns once it takes writes. Its
// commits wait for nobody.
func (c *Cluster) Promote(tb testing.TB) {
	tb.Helper()
	c.await(tb, "select pg_promote()")
}

// startStandby copies a cluster and starts the copy behind it.
func (c *Cluster) startStandby() (*Cluster, error) {
	s := &Cluster{bin: c.bin, owner: c.owner}
	var err error
	if s.dir, s.lock, err = makeFolder(c.owner); err == nil {
		err = s.copyOf(c)
	}
	if err == nil {
		err = s.startSomewhere()
	}
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// copyOf makes the data folder as a copy of another cluster's, which follows
// it.
func (c *Cluster) copyOf(primary *Cluster) error {
	out, err := c.command("pg_basebackup", "-d", primary.base.String(), "-D", c.dataDir(),
		"--write-recovery-conf", "--checkpoint=fast", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// reload has the server read its settings again.
func (c *Cluster) reload() error { return c.admin(context.Background(), "select pg_reload_conf()") }

// await asks until the answer is yes.
func (c *Cluster) await(tb testing.TB, query string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), startPatience)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var yes bool
		if err := conn.QueryRow(ctx, query).Scan(&yes); err != nil {
			tb.Fatalf("%s: %v; the server's log:\n%s", query, err, c.logTail())
		}
		if yes {
			return
		}
		<-again.C
	}
}
