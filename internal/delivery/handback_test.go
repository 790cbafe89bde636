package delivery_test

import (
	"context"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A go-between hands over what was committed late, or does not know whether it
// was.
type goBetween struct {
	*delivery.Dispatcher
	late time.Duration
	lost bool
}

func (g *goBetween) Take(jobs []webhook.Job, version int64) {
	<-time.After(g.late)
	if g.lost {
		g.Release(jobs, true)
		return
	}
	g.Dispatcher.Take(jobs, version)
}

// What is committed while the dispatcher stops, or was, as nobody knows, is due
// again when the stop is over, and not when its lease ends.
func TestStopGivesBackWhatIsBeingMade(t *testing.T) {
	for _, lost := range []bool{false, true} {
		play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
			s.Store.Give(&goBetween{s.D, 3 * time.Second, lost})
			s.Run()
			s.Pass(time.Second)
			told := make(chan struct{})
			go func() {
				defer close(told)
				s.Tell(3, webhook.Paid)
			}()
			s.Pass(time.Second)
			if n := s.Count(`select count(*) from delivery where lease is not null`); n != 3 {
				t.Fatalf("%d deliveries are leased, want 3", n)
			}
			at := time.Now()
			s.Stop()
			if took := time.Since(at); took != 2*time.Second {
				t.Errorf("the stop took %v, want 2s, as the transaction", took)
			}
			<-told
			if n := s.Count(`select count(*) from delivery where lease is null and ready_at = due_at`); n != 3 {
				t.Errorf("%d deliveries are due after the stop, want 3", n)
			}
			if n := len(s.Shops.Calls()); n != 0 {
				t.Errorf("%d calls by a dispatcher that stops", n)
			}
		})
	}
}

// A transaction that never ends keeps no dispatcher from its stop.
func TestStopWaitsForNoTransactionLong(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		s.Store.Give(&goBetween{s.D, time.Minute, false})
		s.Run()
		s.Pass(time.Second)
		told := make(chan struct{})
		go func() {
			defer close(told)
			s.Tell(1, webhook.Paid)
		}()
		s.Pass(time.Second)
		at := time.Now()
		s.Stop()
		if took := time.Since(at); took != 5*time.Second {
			t.Errorf("the stop took %v, want 5s", took)
		}
		<-told
	})
}

// What was committed and whose answer was lost is sent at once by a dispatcher
// that goes on, and not when its lease ends.
func TestLostAnswersAreMadeGood(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		q := &deafened{Queue: s.Store}
		s.D.Queue = q
		s.Store.Give(&goBetween{s.D, 0, true})
		s.Run()
		s.Pass(time.Second)
		s.Tell(2, webhook.Paid)
		s.Pass(time.Second)
		if n := len(s.Shops.Calls()); n != 2 {
			t.Errorf("%d calls, want 2", n)
		}
		s.WantEnded(2, webhook.Completed, webhook.Good)
		q.deaf = true
		s.Tell(1, webhook.Paid)
		s.Pass(2 * time.Second)
		s.WantEnded(3, webhook.Completed, webhook.Good)
	})
}

// A deafened queue does not hear the answer to the next claim that takes
// something.
type deafened struct {
	delivery.Queue
	deaf bool
}

func (q *deafened) Claim(ctx context.Context, now time.Time, lease time.Duration, room webhook.Room) (webhook.Claim, error) {
	c, err := q.Queue.Claim(ctx, now, lease, room)
	if q.deaf && len(c.Jobs) > 0 {
		q.deaf = false
		return c, errAway
	}
	return c, err
}
