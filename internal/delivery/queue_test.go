package delivery_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A claim whose outcome was never written, as after a crash, is tried again
// when its lease has run out, with the same id.
func TestCrashedTryIsRepeated(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		d := s.Tell(1, webhook.Paid)[0]
		if c := s.claim(45 * time.Second); len(c.Jobs) != 1 {
			t.Fatalf("claimed %d jobs, want 1", len(c.Jobs))
		}
		s.Run()
		s.Pass(44 * time.Second)
		if n := len(s.Shops.Calls()); n != 0 {
			t.Fatalf("%d calls while the lease lasts", n)
		}
		s.Pass(time.Minute)
		calls := s.Shops.Calls()
		if len(calls) != 1 || calls[0].ID != d.WebhookID() || calls[0].At.Sub(s.Start) != 45*time.Second {
			t.Errorf("the calls are %+v, want %s after 45s", calls, d.WebhookID())
		}
		s.WantEnded(1, webhook.Completed, webhook.Good)
	})
}

// claim claims what is due, as another dispatcher would.
func (s *scene) claim(lease time.Duration) webhook.Claim {
	s.t.Helper()
	c, err := s.Store.Claim(s.t.Context(), time.Now(), lease, storetest.Room(100))
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// A late outcome, whose lease has gone to somebody else, changes nothing.
func TestLateOutcomeIsFenced(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		s.Tell(1, webhook.Paid)
		old := s.claim(time.Second)
		s.Pass(2 * time.Second)
		fresh := s.claim(time.Hour)
		if len(old.Jobs) != 1 || len(fresh.Jobs) != 1 {
			t.Fatalf("claimed %d and %d jobs, want one each", len(old.Jobs), len(fresh.Jobs))
		}
		finish := func(j webhook.Job) error {
			t.Helper()
			errs, err := s.Store.Finish(t.Context(), []webhook.Finish{{
				Job: j, State: webhook.Completed, Attempt: webhook.Attempt{
					ID: "a-" + webhook.AttemptID(j.Lease), Delivery: j.ID, Webhook: j.ID, Number: 1, At: time.Now(), Outcome: webhook.Good, Status: 200,
				},
			}})
			if err != nil {
				t.Fatal(err)
			}
			return errs[0]
		}
		if err := finish(old.Jobs[0]); !fault.Is(err, fault.Conflict) {
			t.Errorf("Finish with a lost lease = %v, want %v", err, fault.Conflict)
		}
		if n := s.Count(`select count(*) from attempt`) + s.Count(`select count(*) from delivery_end`); n != 0 {
			t.Errorf("a late outcome wrote %d rows", n)
		}
		if err := finish(fresh.Jobs[0]); err != nil {
			t.Errorf("Finish with the lease in force = %v", err)
		}
		s.WantEnded(1, webhook.Completed, webhook.Good)
	})
}

// The dispatcher itself meets the fence when its try outlasts what it claimed.
func TestDispatcherAcceptsALostLease(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		s.Shops.Answer = func(_ *http.Request, before int) *http.Response {
			if before == 0 {
				<-time.After(10 * time.Second)
				return answer(500)
			}
			return answer(200)
		}
		d := s.Tell(1, webhook.Paid)[0]
		s.Run()
		s.Pass(time.Second)
		s.exec(`update delivery set lease = 'other', ready_at = $2 where id = $1`, string(d.ID), time.Now().Add(time.Minute).UnixMicro())
		s.Pass(3 * time.Minute)
		s.WantEnded(1, webhook.Completed, webhook.Good)
		if n := len(s.Log.Lines("lease lost")); n != 1 {
			t.Errorf("%d lines tell of a lost lease, want 1", n)
		}
		if n := s.Count(`select count(*) from attempt`); n != 1 {
			t.Errorf("%d attempts are recorded, want only the one with a lease", n)
		}
	})
}

// A faulty queue is a real one that fails while Down says so.
type faulty struct {
	delivery.Queue
	claims atomic.Int64
	Down   func(method string) bool
}

var errAway = fault.Errorf(fault.Unavailable, "the database is away")

func (q *faulty) Claim(ctx context.Context, now time.Time, lease time.Duration, room webhook.Room) (webhook.Claim, error) {
	q.claims.Add(1)
	if q.Down != nil && q.Down("claim") {
		return webhook.Claim{}, errAway
	}
	return q.Queue.Claim(ctx, now, lease, room)
}

func (q *faulty) Finish(ctx context.Context, batch []webhook.Finish) ([]error, error) {
	if q.Down != nil && q.Down("finish") {
		return nil, errAway
	}
	return q.Queue.Finish(ctx, batch)
}

func (q *faulty) Planner(ctx context.Context, newID func() string) (webhook.Planner, int64, error) {
	if q.Down != nil && q.Down("planner") {
		return webhook.Planner{}, 0, errAway
	}
	return q.Queue.Planner(ctx, newID)
}

func TestQueueFailsAndRecovers(t *testing.T) {
	for _, c := range []struct {
		name  string
		away  time.Duration // from the start
		down  string        // the method that fails; all if empty
		calls int
		lines int // about the failure
	}{
		{"everything is away for an hour", time.Hour, "", 1, 1},
		{"claims fail for a day and a half", 36*time.Hour + 30*time.Minute, "claim", 1, 1},
		{"the settings cannot be read", time.Hour, "planner", 1, 1},
		{"an outcome waits while its lease lasts", 30 * time.Second, "finish", 1, 1},
		{"an outcome whose lease ran out is lost, and the try repeated", 50 * time.Second, "finish", 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
				q := &faulty{Queue: s.Store}
				q.Down = func(method string) bool {
					return time.Since(s.Start) < c.away && (c.down == "" || c.down == method)
				}
				s.D.Queue = q
				d := s.Tell(1, webhook.Paid)[0]
				s.Run()
				s.Pass(c.away + 2*time.Minute)
				s.WantEnded(1, webhook.Completed, webhook.Good)
				calls := s.Shops.Calls()
				if len(calls) != c.calls {
					t.Errorf("%d tries, want %d", len(calls), c.calls)
				}
				if late := calls[0].At.Sub(s.Start) - c.away; c.down != "finish" && late > time.Second {
					t.Errorf("the first try came %v after the queue was back, want at most a second", late)
				}
				for _, one := range calls {
					if one.ID != d.WebhookID() {
						t.Errorf("a try sent %s, want %s", one.ID, d.WebhookID())
					}
				}
				for _, text := range []string{"queue fails", "queue works again"} {
					if n := len(s.Log.Lines(text)); n != c.lines {
						t.Errorf("%d lines say %q, want %d", n, text, c.lines)
					}
				}
			})
		})
	}
}

// One outcome that the queue cannot swallow does not hold up the others.
func TestPoisonousOutcomeStaysAlone(t *testing.T) {
	const many = 100
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		poison := &poisoned{Queue: s.Store}
		s.D.Queue = poison
		list := s.Tell(many, webhook.Paid)
		poison.id = list[many/2].ID
		s.Run()
		s.Pass(40 * time.Second)
		s.WantEnded(many-1, webhook.Completed, webhook.Good)
		if n := len(s.Shops.Calls()); n != many {
			t.Errorf("%d tries while the leases last, want %d", n, many)
		}
		s.Pass(time.Minute)
		if n := len(s.Shops.Calls()); n <= many {
			t.Error("the outcome that was lost was not tried again")
		}
	})
}

// A poisoned queue fails for every batch with one delivery in it.
type poisoned struct {
	delivery.Queue
	id webhook.DeliveryID
}

func (q *poisoned) Finish(ctx context.Context, batch []webhook.Finish) ([]error, error) {
	if slices.ContainsFunc(batch, func(f webhook.Finish) bool { return f.Job.ID == q.id }) {
		return nil, errors.New("it does not fit")
	}
	return q.Queue.Finish(ctx, batch)
}
