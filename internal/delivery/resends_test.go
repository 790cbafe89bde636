package delivery_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A killed store is one of a process that dies after some steps of a job: what it
// committed is there, and nothing that it would do afterwards.
type killed struct {
	action.ResendStore
	steps int
	die   context.CancelFunc
}

func (k *killed) StepResends(ctx context.Context, j webhook.ResendJob, n int, p webhook.Pace, now, until time.Time) (webhook.ResendStep, webhook.Pace, error) {
	step, pace, err := k.ResendStore.StepResends(ctx, j, n, p, now, until)
	if k.steps--; k.steps == 0 {
		k.die()
	}
	return step, pace, err
}

func (k *killed) GiveBackResends(context.Context, webhook.ResendJob, time.Time) error {
	return errors.New("it is dead")
}

// resending runs resends until the test ends, or the function returned is called,
// which waits for the end.
func (s *scene) resending(st action.ResendStore) func() {
	ctx, stop := context.WithCancel(s.t.Context())
	if k, ok := st.(*killed); ok {
		k.die = stop
	}
	r := &action.Resends{Store: st, Log: slog.New(slog.DiscardHandler)}
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return func() {
		stop()
		if err := <-done; err != nil {
			s.t.Errorf("Run = %v", err)
		}
	}
}

// A shop was down, and 100 webhooks failed. All are sent again together: at most 20
// a second, each once, although the node dies after two steps and another goes on
// when the lease is over; what is new does not wait for them.
func TestResendsTogetherAfterAKill(t *testing.T) {
	const many = 100
	play(t, one(`[]`), func(t *testing.T, s *scene) {
		s.Shops.Answer = always(500)
		s.Run()
		s.Tell(many, webhook.Paid)
		s.Pass(time.Minute)
		s.WantEnded(many, webhook.Undone, webhook.BadAnswer)
		s.Shops.Answer = nil
		before := len(s.Shops.Calls())
		job, err := s.Store.StartResends(t.Context(), webhook.ResendJob{
			Rate: 20, Filter: webhook.ResendFilter{Merchant: "m", Mode: merchant.Test, Kind: webhook.ResendFailed, Endpoint: "e1"},
		}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		end := s.resending(&killed{ResendStore: s.Store, steps: 2})
		s.Pass(5 * time.Second)
		end()
		if n := len(s.Shops.Calls()) - before; n != 40 {
			t.Errorf("%d were sent again before the node died, want 40", n)
		}
		end = s.resending(s.Store)
		defer end()
		s.Pass(20 * time.Second)
		if n := len(s.Shops.Calls()) - before; n != 40 {
			t.Errorf("%d were sent again while the dead one's lease lasts, want 40", n)
		}
		s.Pass(20 * time.Second)
		calls := s.Shops.Calls()[before:]
		seconds, ids := map[int]int{}, map[string]int{}
		for _, c := range calls {
			seconds[int(c.At.Sub(began)/time.Second)]++
			ids[c.ID]++
		}
		for id, n := range ids {
			if n != 1 {
				t.Errorf("%s was sent again %d times", id, n)
			}
		}
		for second, n := range seconds {
			if n > 20 {
				t.Errorf("in second %d %d were sent again, want 20 at most", second, n)
			}
		}
		if len(ids) != many {
			t.Errorf("%d were sent again, want %d", len(ids), many)
		}
		s.WantEnded(many, webhook.Completed, webhook.Good)
		if n := s.Count(`select count(*) from resend_job where id = $1 and state = 'done' and made = $2`, string(job.ID), many); n != 1 {
			t.Error("the job is not done")
		}
	})
}

// What a job has made ahead goes out; what it has not is not sent once it is
// stopped, and a held endpoint holds what was made.
func TestResendsTogetherAreStopped(t *testing.T) {
	play(t, one(`[]`), func(t *testing.T, s *scene) {
		s.Shops.Answer = always(500)
		s.Run()
		s.Tell(100, webhook.Paid)
		s.Pass(time.Minute)
		before := len(s.Shops.Calls())
		job, err := s.Store.StartResends(t.Context(), webhook.ResendJob{
			Rate: 10, Filter: webhook.ResendFilter{Merchant: "m", Mode: merchant.Test, Kind: webhook.ResendMissed},
		}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		defer s.resending(s.Store)()
		s.Pass(3 * time.Second)
		if _, err := s.Store.StopResends(t.Context(), job.ID, "m", "", merchant.Test, time.Now()); err != nil {
			t.Fatal(err)
		}
		s.Pass(time.Minute)
		if n := len(s.Shops.Calls()) - before; n < 30 || n > 60 {
			t.Errorf("%d were sent again by a job that was stopped after 3 s at 10 a second", n)
		}
		fresh := s.Tell(1, webhook.Paid)
		s.Pass(0)
		calls := s.Shops.Calls()
		if calls[len(calls)-1].ID != fresh[0].WebhookID() {
			t.Error("what is new was not sent at once")
		}
	})
}
