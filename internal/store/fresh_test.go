package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A seat has room for so many deliveries, and notes what it is told.
type seat struct {
	mu       sync.Mutex
	room     int
	until    time.Time
	reserved int
	taken    []webhook.Job
	version  int64
	released int
	left     []string
	unseen   int // of those
}

func (s *seat) Reserve(webhook.Delivery) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.room == 0 {
		return time.Time{}
	}
	s.room--
	s.reserved++
	return s.until
}

func (s *seat) Take(jobs []webhook.Job, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken, s.version = append(s.taken, jobs...), version
}

func (s *seat) Left(targets []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = append(s.left, targets...)
}

func (s *seat) Release(jobs []webhook.Job, unseen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released += len(jobs)
	if unseen {
		s.unseen += len(jobs)
	}
	s.room += len(jobs)
}

// What a transaction makes goes to this node as far as it has room, leased: a
// claim finds only the rest, until the lease ends.
func TestFreshDeliveriesAreTaken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		own := &seat{room: 1, until: storetest.Noon.Add(lease)}
		s.Give(own)
		woken := 0
		s.OnDue(func() { woken++ })
		wait(t, s, "o-1")
		if len(own.taken) != 1 || own.version != 2 || woken != 0 {
			t.Fatalf("%d deliveries were taken by version %d and %d woke others, want 1, 2, 0", len(own.taken), own.version, woken)
		}
		wait(t, s, "o-2")
		if len(own.taken) != 1 || woken != 0 || len(own.left) != 1 {
			t.Fatalf("without room, %d deliveries were taken in all, %d woke others, and the taker heard of %q; want 1, 0 and one target",
				len(own.taken), woken, own.left)
		}
		c := claim(t, s, time.Second, 10, all)
		if len(c.Jobs) != 1 || c.Jobs[0].PaymentID != "o-2" || !c.Jobs[0].Until.Equal(storetest.Noon.Add(time.Second+lease)) {
			t.Fatalf("claimed %+v, want that of o-2", c.Jobs)
		}
		job := own.taken[0]
		if job.PaymentID != "o-1" || !job.Until.Equal(own.until) || len(job.Body) == 0 {
			t.Errorf("taken %+v, want that of o-1 until %v", job, own.until)
		}
		finish(t, s, outcome(job, time.Second, 0, webhook.Good))
		if n := db.Count(t, `select count(*) from delivery_end where payment_id = 'o-1'`); n != 1 {
			t.Errorf("%d deliveries of o-1 ended by the lease that was given, want 1", n)
		}
	})
}

// A delivery that was taken and never came to an outcome is claimed once its
// lease has ended.
func TestTakenDeliveryLapses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		s.Give(&seat{room: 1, until: storetest.Noon.Add(lease)})
		wait(t, s, "o-1")
		c := claim(t, s, lease-time.Second, 10, all)
		if len(c.Jobs) != 0 || !c.Next.Equal(storetest.Noon.Add(lease)) {
			t.Fatalf("claimed %d while the lease lasts, next at %v", len(c.Jobs), c.Next)
		}
		if c := claim(t, s, lease, 10, all); len(c.Jobs) != 1 {
			t.Errorf("claimed %d after the lease, want 1", len(c.Jobs))
		}
	})
}

// Room that was kept for a transaction that came to nothing is given back, as
// often as it is tried.
func TestFreshDeliveriesAreReleased(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		own := &seat{room: 5, until: storetest.Noon.Add(lease)}
		s.Give(own)
		in := storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D1"))
		e, err := storetest.Planner().Plan(webhook.Event{
			ID: webhook.EventID(storetest.NewID()), Type: webhook.Paid, At: storetest.Noon, Merchant: storetest.Merchant,
			Store: storetest.Store, Mode: "test", PaymentID: "o-1", Transaction: "t",
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		twice := e
		twice.Event.ID = e.Event.ID // the same event again breaks the transaction
		r := notice.Ruling{Verdict: payment.Recorded, Channel: storetest.Channel, Emissions: []webhook.Emission{e, twice}}
		_, err = s.Settle(t.Context(), []notice.Inbound{in}, func(notice.Inbound, []notice.Found) notice.Ruling { return r })
		if err == nil {
			t.Fatal("an event was written twice")
		}
		if len(own.taken) != 0 || own.reserved == 0 || own.released != own.reserved || own.room != 5 || own.unseen != 0 {
			t.Errorf("%d taken, %d reserved, %d released, %d unseen, room for %d; want none taken, all released and seen to fail",
				len(own.taken), own.reserved, own.released, own.unseen, own.room)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Settle(ctx, []notice.Inbound{in}, storetest.Judge); !errors.Is(err, context.Canceled) {
			t.Errorf("Settle = %v, want %v", err, context.Canceled)
		}
		if own.room != 5 {
			t.Errorf("room for %d after a transaction that never began, want 5", own.room)
		}
	})
}

// A transaction that ran to its end and whose commit was not answered may have
// been committed: whoever reserved is told.
func TestUnseenCommitIsTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		if !db.Postgres {
			t.Skip("nobody stands between SQLite and its answer")
		}
		s := db.Open(t)
		own := &seat{room: 5, until: storetest.Noon.Add(lease)}
		s.Give(own)
		for _, query := range []string{
			`create function refuse() returns trigger language plpgsql as
				'begin perform pg_terminate_backend(pg_backend_pid()); return null; end'`,
			`create constraint trigger late after insert on delivery deferrable initially deferred for each row execute function refuse()`,
		} {
			if _, err := db.Raw.ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := s.Register(t.Context(), storetest.Registration("o-1"), storetest.Registering(storetest.Noon))
		if err == nil {
			t.Fatal("the commit did not fail")
		}
		if own.unseen == 0 || own.released != own.reserved || len(own.taken) != 0 {
			t.Errorf("%d reserved, %d released, %d unseen, %d taken; want all released and the last unseen", own.reserved, own.released, own.unseen, len(own.taken))
		}
	})
}

var _ store.Taker = (*seat)(nil)
