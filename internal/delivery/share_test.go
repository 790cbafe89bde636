package delivery_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/webhook"
)

// TestShareLimitsTries changes a dispatcher's part of a cap while it runs.
func TestShareLimitsTries(t *testing.T) {
	play(t, capped(12), func(t *testing.T, s *scene) {
		var nodes atomic.Int64
		s.D.Share = func(limit int) int {
			if nodes.Load() == 0 {
				return 0
			}
			return max(1, limit/int(nodes.Load()))
		}
		s.Shops.Answer = func(*http.Request, int) *http.Response {
			<-time.After(10 * time.Second)
			return answer(200)
		}
		s.Tell(200, webhook.Paid)
		s.Run()
		s.Pass(time.Hour)
		if n := len(s.Shops.Calls()); n != 0 {
			t.Fatalf("%d calls without a share", n)
		}
		for _, step := range []struct{ nodes, most int }{{3, 4}, {1, 12}, {2, 6}} {
			nodes.Store(int64(step.nodes))
			s.D.Wake()
			s.Pass(11 * time.Second) // what began with another share is over
			s.Shops.Forget()
			s.Pass(15 * time.Second)
			if n := s.Shops.Most("one.example"); n != step.most {
				t.Errorf("%d tries at once with %d nodes, want %d", n, step.nodes, step.most)
			}
		}
		nodes.Store(0)
		s.Pass(11 * time.Second)
		before := len(s.Shops.Calls())
		s.Pass(time.Minute)
		if n := len(s.Shops.Calls()); n != before {
			t.Errorf("%d calls after the share was taken away", n-before)
		}
		nodes.Store(1)
		s.D.Wake()
		s.Pass(10 * time.Minute)
		s.WantEnded(200, webhook.Completed, webhook.Good)
	})
}

func capped(limit int) []webhook.Endpoint {
	e := endpoint("one", webhook.PortOne)
	e.InFlight = limit
	return []webhook.Endpoint{e}
}

// A late queue answers claims when the lease that they give has partly run out.
type late struct {
	delivery.Queue
	by atomic.Int64
}

func (q *late) Claim(ctx context.Context, now time.Time, lease time.Duration, room webhook.Room) (webhook.Claim, error) {
	<-time.After(time.Duration(q.by.Load()))
	return q.Queue.Claim(context.WithoutCancel(ctx), now, lease, room)
}

// TestNoTryNearTheEndOfItsLease claims so late that a try could outlast its
// lease by the clock of another node.
func TestNoTryNearTheEndOfItsLease(t *testing.T) {
	for name, c := range map[string]struct{ late, sent time.Duration }{
		"in time": {9 * time.Second, 9 * time.Second},
		"late":    {11 * time.Second, 45 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
				s.Tell(1, webhook.Paid)
				q := &late{Queue: s.Store}
				q.by.Store(int64(c.late))
				s.D.Queue = q
				s.Run()
				s.Pass(c.late)
				q.by.Store(0)
				s.Pass(time.Minute)
				calls := s.Shops.Calls()
				if len(calls) != 1 || calls[0].At.Sub(s.Start) != c.sent {
					t.Errorf("the calls are %+v, want one after %v", calls, c.sent)
				}
			})
		})
	}
}
