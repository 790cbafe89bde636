package test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/store/storetest"
)

// The tests in this file measure throughput, so they do not run beside others.

// besiegeCluster is besiege on a cluster of its own.
func besiegeCluster(t *testing.T) (*siege, *storetest.Cluster) {
	t.Helper()
	binary(t)
	cluster := storetest.NewCluster(t)
	s := besiege(t, cluster.URL(cluster.CreateDatabase(t)), 1)
	s.load.start(workers)
	return s, cluster
}

// finish is end. In an ordinary run it does not wait for leases that nobody
// holds any more: TestKilled does that.
func (s *siege) finish() {
	s.t.Helper()
	if os.Getenv("TONGBO_TORTURE") == "" {
		if err := s.load.stop(); err != nil {
			s.t.Fatal(err)
		}
		s.endLeases()
	}
	s.end()
}

// endLeases waits until the shop hears nothing more, and makes due what is
// still leased then.
func (s *siege) endLeases() {
	s.t.Helper()
	const quiet = time.Second
	calls, since := -1, time.Now()
	err := s.nodes[0].until(lateEvent, func() bool {
		if n := len(s.shop.Calls()); n != calls {
			calls, since = n, time.Now()
		}
		return time.Since(since) > quiet
	})
	if err != nil {
		s.t.Fatal(err)
	}
	db, err := openDatabase(s.database)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	res, err := db.Exec(`update delivery set ready_at = due_at where lease is not null`)
	if err == nil {
		_, err = db.Exec(`select pg_notify('tongbo', 'due')`)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	n, _ := res.RowsAffected() // only told
	s.t.Logf("%d webhooks were leased to nobody", n)
}

// TestPostgresRestarted restarts PostgreSQL under load, as an administrator
// does, as a crash does, and with a while in between.
func TestPostgresRestarted(t *testing.T) {
	s, cluster := besiegeCluster(t)
	for range max(1, kills(t, 1)/20) {
		for _, mode := range []string{"fast", "immediate"} {
			s.disturb("a restart, "+mode, func() {
				cluster.Stop(t, mode)
				<-time.After(long(0, 20*time.Second))
				cluster.Start(t)
			})
		}
	}
	s.finish()
}

// TestBackendsTerminated ends every connection of the program to PostgreSQL,
// ten times a second.
func TestBackendsTerminated(t *testing.T) {
	binary(t)
	database := storetest.Postgres(t)
	s := besiege(t, database, 1)
	s.load.start(workers)
	db, err := openDatabase(database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s.disturb("every connection ended each 100 ms", func() {
		ended := 0
		again := time.NewTicker(100 * time.Millisecond)
		defer again.Stop()
		for over := time.After(long(2*time.Second, 30*time.Second)); ; {
			select {
			case <-over:
				t.Logf("%d connections were ended", ended)
				return
			case <-again.C:
			}
			ended += s.terminate(db)
		}
	})
	s.finish()
}

// terminate ends every connection to the database but its own.
func (s *siege) terminate(db *sql.DB) int {
	s.t.Helper()
	var n int
	if err := db.QueryRow(`select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity
		where datname = current_database() and pid <> pg_backend_pid()`).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// TestFailover crashes PostgreSQL under load and promotes its synchronous
// standby: the program finds it by itself, and nothing is lost.
func TestFailover(t *testing.T) {
	binary(t)
	primary := storetest.NewCluster(t)
	name := primary.CreateDatabase(t)
	standby := primary.Standby(t)
	s := besiege(t, eitherOf(t, primary.URL(name), standby.URL(name)), 1)
	s.load.start(workers)
	if status, body := s.load.call(http.MethodGet, s.nodes[0].url("/readyz"), ""); status != http.StatusOK {
		t.Errorf("/readyz answers %d %s", status, body)
	} else {
		t.Logf("/readyz before: %s", body)
	}
	s.disturb("a failover", func() {
		primary.Stop(t, "immediate")
		standby.Promote(t)
	})
	s.finish()
}

// eitherOf is the URL by which the program finds the one of two servers that
// takes writes.
func eitherOf(t *testing.T, one, other string) string {
	t.Helper()
	a, err := url.Parse(one)
	if err != nil {
		t.Fatal(err)
	}
	b, err := url.Parse(other)
	if err != nil {
		t.Fatal(err)
	}
	a.Host += "," + b.Host
	a.RawQuery += "&target_session_attrs=read-write"
	return a.String()
}

// TestTransactionLeftOpen leaves a transaction open that keeps PostgreSQL from
// cleaning up and holds a payment, whose notice comes again and again. Nobody
// else has to wait for it.
func TestTransactionLeftOpen(t *testing.T) {
	binary(t)
	database := storetest.Postgres(t)
	s := besiege(t, database, 1)
	const held = "held"
	s.load.register(held, plain)
	s.load.start(workers)
	var impatient sync.WaitGroup
	s.disturb("a transaction left open", func() {
		began := time.Now()
		release := s.hold(database, fmt.Sprintf(`begin isolation level repeatable read;
			select count(*) from delivery; select key from payment where id = '%s' for update`, held))
		impatient.Go(func() { s.load.tell(held, plain, price) })
		<-time.After(long(4*time.Second, 3*time.Minute))
		s.pinned(began.Add(time.Second), time.Now())
		release()
	})
	impatient.Wait()
	s.finish()
}

// pinned checks that notices of others were taken while one had to wait.
func (s *siege) pinned(from, to time.Time) {
	s.t.Helper()
	f, half := s.flow(from, from.Add(to.Sub(from)/2)), s.flow(from.Add(to.Sub(from)/2), to)
	s.t.Logf("while it was open: %v in the first half, %v in the second", f, half)
	if half.notices < f.notices/2 || half.webhooks < f.webhooks/2 {
		s.t.Error("an open transaction makes everything slower and slower")
	}
}

// TestPartition cuts one of two nodes off from the database without a word, at
// night for longer than its leases last, while its webhooks are in flight. The
// other goes on; what the first learns late is recorded by nobody.
func TestPartition(t *testing.T) {
	binary(t)
	database := storetest.Postgres(t)
	proxy := storetest.NewProxy(t, database)
	s := besiege(t, database, 1)
	s.shop.Delay = 100 * time.Millisecond // nobody calls yet
	cut := &node{
		binary: s.binary, env: append(slices.Clone(s.env), "TONGBO_DATABASE="+proxy.URL),
		args: []string{"--allow-private-webhooks"},
	}
	t.Cleanup(cut.kill)
	s.start(cut)
	s.nodes = append(s.nodes, cut)
	s.load.nodes = s.nodes
	s.load.start(workers)
	during := s.disturb("a partition", func() {
		proxy.Cut()
		<-time.After(long(3*time.Second, time.Minute))
		if code := status(cut.url("/readyz")); code != http.StatusServiceUnavailable {
			t.Errorf("/readyz of a node without a database answers %d, want 503", code)
		}
		proxy.Mend()
	})
	if during.notices < 1 || during.webhooks < 1 {
		t.Errorf("the other node did only %v", during)
	}
	s.finish()
}
