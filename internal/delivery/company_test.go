package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// A node is a dispatcher on a store of its own, on one PostgreSQL with others.
type node struct {
	Store *store.Store
	D     *delivery.Dispatcher
	Log   *log
	stop  func()
}

// join starts a node. Stop ends it as the server does: it is one of the nodes
// until its dispatcher has ended.
func join(t *testing.T, db *storetest.Database, shops *shops, edit func(*delivery.Dispatcher)) *node {
	t.Helper()
	s, lines := db.Open(t), &log{}
	n := &node{Store: s, Log: lines, D: &delivery.Dispatcher{
		Queue: s, Client: &http.Client{Transport: shops}, Share: s.Share, Log: slog.New(slog.NewTextHandler(lines, nil)),
	}}
	if edit != nil {
		edit(n.D)
	}
	s.OnDue(n.D.Wake)
	watching, leave := context.WithCancel(context.WithoutCancel(t.Context()))
	running, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var watch, run sync.WaitGroup
	watch.Go(func() {
		if err := s.Watch(watching); err != nil {
			t.Errorf("Watch = %v", err)
		}
	})
	run.Go(func() {
		if err := n.D.Run(running); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	n.stop = sync.OnceFunc(func() {
		stop()
		run.Wait()
		leave()
		watch.Wait()
	})
	t.Cleanup(n.stop)
	return n
}

func onPostgres(t *testing.T, test func(t *testing.T, db *storetest.Database)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		if !db.Postgres {
			t.Skip("SQLite has one node")
		}
		test(t, db)
	})
}

// enqueue makes n deliveries to the scene's endpoint.
func enqueue(t *testing.T, db *storetest.Database, prefix string, n int) {
	t.Helper()
	s := db.Open(t)
	for i := range n {
		if _, _, err := s.Register(t.Context(), storetest.Registration(fmt.Sprint(prefix, i)), storetest.Registering(storetest.Noon)); err != nil {
			t.Fatal(err)
		}
	}
}

func until(t *testing.T, limit time.Duration, what string, holds func() bool) time.Duration {
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

const shopHost = "127.0.0.1:9" // of the scene's endpoint

// TestNodesShareACap counts what one shop has at once of one node, of two, and
// of the one that remains.
func TestNodesShareACap(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		const limit = 7
		db.Exec(t, `update endpoint set in_flight = $1`, limit)
		shops := &shops{Answer: func(*http.Request, int) *http.Response {
			<-time.After(20 * time.Millisecond)
			return answer(200)
		}}
		enqueue(t, db, "o-", 300)
		one, other := join(t, db, shops, nil), join(t, db, shops, nil)
		until(t, 20*time.Second, "two nodes know of each other", func() bool { return one.Store.Nodes() == 2 && other.Store.Nodes() == 2 })
		<-time.After(100 * time.Millisecond) // what began before is over
		shops.Forget()
		before := len(shops.Calls())
		until(t, 20*time.Second, "a hundred webhooks are sent", func() bool { return len(shops.Calls()) >= before+100 })
		if most := shops.Most(shopHost); most > limit || most < limit-1 {
			t.Errorf("two nodes had %d tries at once, want up to %d", most, limit)
		}
		for _, n := range []*node{one, other} {
			if len(n.Log.Lines("webhook attempt")) == 0 {
				t.Error("a node did nothing")
			}
		}
		other.stop()
		shops.Forget()
		enqueue(t, db, "p-", 100)
		until(t, 20*time.Second, "everything is sent", func() bool { return db.Count(t, `select count(*) from delivery`) == 0 })
		if most := shops.Most(shopHost); most != limit {
			t.Errorf("one node had %d tries at once, want %d", most, limit)
		}
		if n := len(shops.Calls()); n != 400 {
			t.Errorf("%d calls, want one for each of 400 webhooks", n)
		}
	})
}

// TestAStoppedNodeLeavesNothing stops a node whose tries hang. Another sends
// what it had at once, and not when the leases end.
func TestAStoppedNodeLeavesNothing(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		hanging := &shops{Answer: func(r *http.Request, _ int) *http.Response { return hang(r) }}
		good := &shops{}
		first := join(t, db, hanging, func(d *delivery.Dispatcher) { d.Grace = 50 * time.Millisecond })
		enqueue(t, db, "o-", 20)
		until(t, 20*time.Second, "the first node has them all", func() bool { return len(hanging.Calls()) == 20 })
		second := join(t, db, good, nil)
		until(t, 20*time.Second, "the second node is there", func() bool { return second.Store.Share(2) == 1 })
		if n := len(good.Calls()); n != 0 {
			t.Fatalf("the second node took %d that were leased", n)
		}
		first.stop()
		took := until(t, 20*time.Second, "all are sent by the second", func() bool { return db.Count(t, `select count(*) from delivery`) == 0 })
		t.Logf("taken over within %v", took)
		if n := len(good.Calls()); n != 20 {
			t.Errorf("the second node sent %d, want 20", n)
		}
		ids := map[string]bool{}
		for _, c := range append(hanging.Calls(), good.Calls()...) {
			ids[c.ID] = true
		}
		if len(ids) != 20 {
			t.Errorf("%d different ids, want the same 20 again", len(ids))
		}
		if n := db.Count(t, `select count(*) from attempt`); n != 20 {
			t.Errorf("%d attempts recorded, want those of the second alone", n)
		}
		if n := db.Count(t, `select count(*) from node`); n != 1 {
			t.Errorf("%d nodes, want 1", n)
		}
	})
}
