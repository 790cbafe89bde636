package delivery_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

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
