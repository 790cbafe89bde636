package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// attend makes a store one of the nodes; leave ends that.
func attend(t *testing.T, s *store.Store) (leave func()) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Watch(ctx); err != nil {
			t.Errorf("Watch = %v", err)
		}
	})
	leave = sync.OnceFunc(func() { stop(); wg.Wait() })
	t.Cleanup(leave)
	return leave
}

func within(t *testing.T, d time.Duration, heard <-chan struct{}) {
	t.Helper()
	select {
	case <-heard:
	case <-time.After(d):
		t.Fatalf("nothing was heard within %v", d)
	}
}

// eventually waits until a condition holds, and says how long that took.
func eventually(t *testing.T, limit time.Duration, what string, holds func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !holds() {
		if time.Since(began) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
		<-time.After(5 * time.Millisecond)
	}
	return time.Since(began)
}

// shares are the parts that nodes have of a limit, and their sum.
func shares(limit int, nodes ...*store.Store) (parts []int, sum int) {
	for _, s := range nodes {
		parts = append(parts, s.Share(limit))
		sum += s.Share(limit)
	}
	return parts, sum
}

// atOnce is less than the time between two beats: what happens within it was
// told and not found.
const atOnce = 3 * time.Second

func TestNodesShareALimit(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		var all []*store.Store
		var leave []func()
		for n := 1; n <= 4; n++ {
			s := db.Open(t)
			if s.Share(10) != 0 || s.Nodes() != 0 {
				t.Fatalf("node %d has a share before it is counted", n)
			}
			all, leave = append(all, s), append(leave, attend(t, s))
			eventually(t, atOnce, "everybody knows of the new node", func() bool {
				for _, s := range all {
					if s.Nodes() != n {
						return false
					}
				}
				return true
			})
			for _, limit := range []int{1, 2, 3, 10, 256} {
				parts, sum := shares(limit, all...)
				if sum != max(limit, n) {
					t.Errorf("%d nodes share %d as %v, want %d together", n, limit, parts, max(limit, n))
				}
				for _, p := range parts {
					if p < 1 || p > (limit+n-1)/n {
						t.Errorf("%d nodes share %d as %v", n, limit, parts)
					}
				}
			}
		}
		leave[1]()
		if all[1].Share(10) != 0 {
			t.Error("a node that left has a share")
		}
		eventually(t, atOnce, "the others know that one left", func() bool { return all[0].Nodes() == 3 && all[3].Nodes() == 3 })
		if n := db.Count(t, `select count(*) from node`); n != 3 {
			t.Errorf("%d rows, want 3", n)
		}
	})
}

// TestDeadNodesDoNotCount finds rows of nodes that did not take leave: one that
// may yet live, one that counts no more, and one that is swept away.
func TestDeadNodesDoNotCount(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		for _, n := range []struct {
			id  string
			ago string
		}{{"alive", "10 seconds"}, {"silent", "16 seconds"}, {"gone", "61 seconds"}} {
			db.Exec(t, `insert into node (id, name, release, began_at, seen_at)
				values ($1, 'elsewhere', '1', 0, (extract(epoch from clock_timestamp() - $2::interval) * 1000000)::bigint)`, n.id, n.ago)
		}
		s := db.Open(t)
		attend(t, s)
		eventually(t, atOnce, "the node is counted", func() bool { return s.Nodes() == 2 })
		eventually(t, atOnce, "the dead row is swept away", func() bool {
			return db.Count(t, `select count(*) from node where id = 'gone'`) == 0
		})
		if n := db.Count(t, `select count(*) from node where id = 'silent'`); n != 1 {
			t.Error("a node that may come back was swept away")
		}
		took := eventually(t, 15*time.Second, "the one that is silent now counts no more", func() bool { return s.Nodes() == 1 })
		if took < 4*time.Second {
			t.Errorf("a node seen 10 s ago counted for %v", took)
		}
	})
}

func TestOneNodeOnSQLite(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		if db.Postgres {
			t.Skip("SQLite alone")
		}
		s := db.Open(t)
		if s.Nodes() != 1 || s.Share(256) != 256 || s.Unfit() != "" {
			t.Errorf("%d nodes, share %d, unfit %q", s.Nodes(), s.Share(256), s.Unfit())
		}
	})
}

// TestLostNotificationsAreMadeUpFor writes work and settings as another node
// does whose notifications never arrive.
func TestLostNotificationsAreMadeUpFor(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		other, s := db.Open(t), db.Open(t)
		due, settings := make(chan struct{}, 1000), make(chan struct{}, 1000)
		tell := func(c chan struct{}) func() { return func() { c <- struct{}{} } }
		s.OnDue(tell(due))
		s.OnSettings(tell(settings))
		attend(t, s)
		within(t, soon, settings)
		eventually(t, soon, "the node is counted", func() bool { return s.Nodes() == 1 })
		<-time.After(100 * time.Millisecond) // what its coming led to
		quiet := func(what string) {
			t.Helper()
			for len(due) > 0 {
				<-due
			}
			for len(settings) > 0 {
				<-settings
			}
			select {
			case <-due:
				t.Errorf("called for nothing %s", what)
			case <-settings:
				t.Errorf("called for nothing %s", what)
			case <-time.After(6 * time.Second): // more than one beat
			}
		}
		quiet("while nothing waits")
		register(t, other, storetest.Registration("o-1"))
		eventually(t, soon, "the notification is heard", func() bool { return len(due) > 0 })
		db.Exec(t, `update delivery set ready_at = (extract(epoch from clock_timestamp() + interval '1 hour') * 1000000)::bigint`)
		quiet("while what waits is not due")
		db.Exec(t, `update delivery set ready_at = 1`) // without a notification
		within(t, soon, due)
		db.Exec(t, `update endpoint set paused = true`)
		<-time.After(100 * time.Millisecond)
		quiet("while what is due is an endpoint's that is paused")
		db.Exec(t, `update setting set version = version + 1`) // without a notification
		within(t, soon, settings)
	})
}

// TestANodeThatIsCutOff lets nothing through between a node and the database.
// It stops claiming when the others stop counting it, and comes back by itself.
func TestANodeThatIsCutOff(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	proxy := storetest.NewProxy(t, database)
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	var log journal
	open := func(url string) *store.Store {
		s, err := store.Open(t.Context(), url, store.Options{Key: key, Log: log.logger()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		attend(t, s)
		return s
	}
	far, near := open(proxy.URL), open(database)
	eventually(t, soon, "two nodes share", func() bool { return far.Share(10) == 5 && near.Share(10) == 5 })
	proxy.Cut()
	took := eventually(t, 21*time.Second, "the node takes no part any more", func() bool { return far.Share(10) == 0 })
	if took < 9*time.Second {
		t.Errorf("a node that was cut off took no part after %v; a hiccup must not do that", took)
	}
	took = eventually(t, 10*time.Second, "the other has all", func() bool { return near.Share(10) == 10 })
	t.Logf("the other had all %v after that", took)
	if far.Share(10) != 0 {
		t.Error("both have a share while they do not know of each other")
	}
	proxy.Mend()
	took = eventually(t, 10*time.Second, "two nodes share again", func() bool { return far.Share(10) == 5 && near.Share(10) == 5 })
	t.Logf("back after %v", took)
}
