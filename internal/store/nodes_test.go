package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// soon is less than PostgreSQL waits before it looks for deadlocks, in these
// tests: whoever is done by then was not in one.
const soon = 20 * time.Second

// onPostgres runs a test of what only several nodes meet.
func onPostgres(t *testing.T, fn func(t *testing.T, db *storetest.Database)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		if !db.Postgres {
			t.Skip("SQLite has one writer")
		}
		db.Raw.SetMaxIdleConns(20)
		if _, err := db.Raw.ExecContext(t.Context(), `do $$ begin execute
			'alter database ' || current_database() || ' set deadlock_timeout = ''60s'''; end $$`); err != nil {
			t.Fatal(err)
		}
		fn(t, db)
	})
}

// attended is a held notice that asks for attention of a kind.
func attended(kind string) (notice.Inbound, notice.Ruling) {
	in := storetest.Told(storetest.Channel, storetest.NewID(), storetest.Deposit("x", storetest.NewID()))
	e, err := storetest.Planner().Plan(webhook.Event{
		ID: webhook.EventID(storetest.NewID()), Type: webhook.Attention, At: storetest.Noon, Merchant: storetest.Merchant,
		Store: storetest.Store, Mode: "test", Concern: &webhook.Concern{Kind: kind, Channel: storetest.Channel},
	}, nil)
	if err != nil {
		panic(err)
	}
	e.Throttle = kind
	return in, notice.Ruling{
		Verdict: payment.Unmatched, Reason: notice.ReasonUnknownOrder, Channel: storetest.Channel, Emissions: []webhook.Emission{e},
	}
}

func refusedFrom(peer string) (notice.Inbound, notice.Ruling) {
	in := storetest.Told(storetest.Channel, "o", storetest.Deposit("o", storetest.NewID()))
	in.Peer, in.At, in.Channels = netip.MustParseAddr(peer), storetest.Noon, nil
	return in, notice.Ruling{Verdict: payment.Refused, Reason: notice.ReasonAddress}
}

// byAccount names a payment by its account alone.
func byAccount(order string) notice.Inbound {
	return storetest.Told(storetest.Channel, "", storetest.Deposit(order, "D"+order))
}

func byOrder(order string) notice.Inbound {
	return storetest.Told(storetest.Channel, order, storetest.Deposit(order, "D"+order))
}

// TestNodesNeverWaitInACircle gives two nodes batches that touch the same rows
// in opposite orders. Each is in the middle of its batch before either goes on.
func TestNodesNeverWaitInACircle(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		rulings := make(map[notice.ID]notice.Ruling)
		ruled := func(in notice.Inbound, r notice.Ruling) notice.Inbound {
			if r.Verdict == payment.Refused {
				in.Ruled = &r
			}
			rulings[in.ID] = r
			return in
		}
		for _, test := range []struct {
			name       string
			one, other func(n int) notice.Inbound // the n-th of two
		}{
			{"refusals",
				func(n int) notice.Inbound { return ruled(refusedFrom(fmt.Sprintf("203.0.113.%d", 1+n))) },
				func(n int) notice.Inbound { return ruled(refusedFrom(fmt.Sprintf("203.0.113.%d", 2-n))) }},
			{"attention",
				func(n int) notice.Inbound { return ruled(attended(fmt.Sprint("kind-", n))) },
				func(n int) notice.Inbound { return ruled(attended(fmt.Sprint("kind-", 1-n))) }},
			{"payments",
				func(n int) notice.Inbound { return byOrder(fmt.Sprint("p-", n)) },
				func(n int) notice.Inbound { return byAccount(fmt.Sprint("p-", 1-n)) }},
		} {
			one, other := db.Open(t), db.Open(t)
			register(t, one, storetest.Registration("p-0"))
			register(t, one, storetest.Registration("p-1"))
			var middle sync.WaitGroup
			middle.Add(2)
			batch := func(next func(int) notice.Inbound) (in []notice.Inbound, judge notice.Judge) {
				stop := storetest.Told(storetest.Channel, storetest.NewID(), storetest.Deposit("x", storetest.NewID()))
				in = []notice.Inbound{next(0), stop, next(1)}
				var once sync.Once
				return in, func(in notice.Inbound, found []notice.Found) notice.Ruling {
					if in.ID == stop.ID {
						once.Do(func() { middle.Done(); middle.Wait() })
					}
					if r, ok := rulings[in.ID]; ok {
						return r
					}
					return storetest.Judge(in, found)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), soon)
			var wg sync.WaitGroup
			oneIn, oneJudge := batch(test.one)
			otherIn, otherJudge := batch(test.other) // both before either runs: they fill the same map
			wg.Go(func() { untilSettled(ctx, t, test.name, one, oneIn, oneJudge) })
			wg.Go(func() { untilSettled(ctx, t, test.name, other, otherIn, otherJudge) })
			wg.Wait()
			cancel()
		}
		s := db.Open(t)
		if n := db.Count(t, `select count(*) from event where type = 'tongbo.attention'`); n != 2 {
			t.Errorf("attention was given %d times, want once of each kind", n)
		}
		if n := db.Count(t, `select sum(kept) from refusal`); n != 4 {
			t.Errorf("%d refusals were counted, want 4", n)
		}
		verified(t, s)
	})
}

// untilSettled settles a batch, and again what another node was busy with.
func untilSettled(ctx context.Context, t *testing.T, name string, s *store.Store, in []notice.Inbound, judge notice.Judge) {
	for len(in) > 0 {
		results, err := s.Settle(ctx, in, judge)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		var rest []notice.Inbound
		for i, r := range results {
			switch {
			case errors.Is(r.Err, notice.ErrBusy):
				rest = append(rest, in[i])
			case r.Err != nil:
				t.Errorf("%s, notice %d: %v", name, i+1, r.Err)
			}
		}
		in = rest
		<-time.After(time.Millisecond)
	}
}

// hold keeps what a transaction beside the store locks until release.
func hold(t *testing.T, db *storetest.Database, query string, args ...any) (release func()) {
	t.Helper()
	held, err := db.Raw.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() { _ = held.Rollback() })
	t.Cleanup(release)
	return release
}

// TestAFrozenNodeHoldsUpOnlyItsOwn settles a batch while another node, which
// does not go on, has one of its payments.
func TestAFrozenNodeHoldsUpOnlyItsOwn(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		for _, order := range []string{"by-name", "by-row", "n-1", "n-2", "free"} {
			register(t, s, storetest.Registration(order))
		}
		named := payment.MatchKey{Channel: storetest.Channel, Kind: payment.ByOrder, Value: "by-name"}
		release := []func(){
			hold(t, db, `select pg_advisory_xact_lock(hashtextextended($1, 0))`, named.String()),
			hold(t, db, `select 1 from payment where id = 'by-row' for update`),
		}
		batch := []notice.Inbound{byOrder("n-1"), byOrder("by-name"), byOrder("n-2"), byOrder("by-row"), byOrder("by-name")}
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		results, err := s.Settle(ctx, batch, storetest.Judge)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if i%2 == 0 && i < 4 {
				if r.Verdict != payment.Applied || r.Err != nil {
					t.Errorf("neighbour %d: %+v", i, r)
				}
			} else if !errors.Is(r.Err, notice.ErrBusy) || !fault.Is(r.Err, fault.Unavailable) || r.Verdict != "" {
				t.Errorf("busy notice %d: %+v", i, r)
			}
		}
		if n := db.Count(t, `select count(*) from notice`); n != 2 {
			t.Errorf("%d notices were written, want the neighbours'", n)
		}
		for _, f := range release {
			f()
		}
		got := settle(t, s, batch[1], batch[3], batch[4])
		if got[0].Verdict != payment.Applied || got[1].Verdict != payment.Applied || got[2].Verdict != payment.Duplicate {
			t.Errorf("when the locks are gone: %+v", got)
		}
		verified(t, s)
	})
}

// TestReadersLeaveRoomToWrite settles while every reading connection is taken.
func TestReadersLeaveRoomToWrite(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		register(t, s, storetest.Registration("o-1"))
		for range s.Readers().Stats().MaxOpenConnections + 16 {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			c, err := s.Readers().Conn(ctx)
			cancel()
			if err != nil {
				break // there are no more
			}
			t.Cleanup(func() { _ = c.Close() })
		}
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		results, err := s.Settle(ctx, []notice.Inbound{byOrder("o-1")}, storetest.Judge)
		if err != nil || results[0].Verdict != payment.Applied {
			t.Errorf("Settle = %+v, %v", results, err)
		}
	})
}
