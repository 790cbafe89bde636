package delivery_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

func one(schedule webhook.Schedule) []webhook.Endpoint {
	return []webhook.Endpoint{endpoint("e1", schedule)}
}

// One endpoint of ten hangs with far more than its cap to do. The other nine
// do not notice.
func TestHangingEndpointHarmsOnlyItself(t *testing.T) {
	const each, limit = 40, 5
	var endpoints []webhook.Endpoint
	for i := range 10 {
		e := endpoint(webhook.EndpointID("e"+strconv.Itoa(i)), webhook.PortOne)
		e.InFlight = limit
		endpoints = append(endpoints, e)
	}
	play(t, endpoints, func(t *testing.T, s *scene) {
		s.D.Pace = 1_000_000 // what each endpoint has to wait for is its own cap
		var mu sync.Mutex
		last := map[string]time.Time{}
		s.Shops.Answer = func(r *http.Request, _ int) *http.Response {
			if r.URL.Host == "e0.example" {
				return hang(r)
			}
			<-time.After(100 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			last[r.URL.Host] = time.Now()
			return answer(200)
		}
		s.Tell(each, webhook.Paid)
		s.Run()
		s.Pass(20 * time.Second)
		s.WantEnded(9*each, webhook.Completed, webhook.Good)
		mu.Lock()
		defer mu.Unlock()
		for host, at := range last {
			// Five at once, 100 ms each.
			if took, want := at.Sub(s.Start), each/limit*100*time.Millisecond; took != want {
				t.Errorf("%s had all its webhooks after %v, want %v", host, took, want)
			}
		}
		for _, e := range endpoints {
			if most := s.Shops.Most(string(e.ID) + ".example"); most != limit {
				t.Errorf("%s had %d tries at once, want its cap, %d", e.ID, most, limit)
			}
		}
	})
}

// After ten failures in a row a target has few tries at once; nothing is
// dropped, and successes give it more: twice as many with each round of them.
func TestBadHealthKeepsEverything(t *testing.T) {
	const many = 100
	play(t, one(`["1m"]`), func(t *testing.T, s *scene) {
		var up atomic.Bool
		s.Shops.Answer = func(r *http.Request, _ int) *http.Response {
			<-time.After(time.Second)
			if up.Load() {
				return answer(200)
			}
			return answer(500)
		}
		s.Run()
		s.Tell(20, webhook.Paid)
		s.Pass(2 * time.Second)
		before := len(s.Shops.Calls())
		s.Tell(many, webhook.Paid)
		s.Pass(500 * time.Millisecond)
		if n := len(s.Shops.Calls()) - before; n != 8 {
			t.Errorf("%d tries at once at a target whose health is bad, want 8", n)
		}
		up.Store(true)
		for _, want := range []int{8 + 16, 8 + 16 + 32, many} {
			s.Pass(time.Second)
			if n := len(s.Shops.Calls()) - before; n != want {
				t.Errorf("%d tries began since the target is well, want %d", n, want)
			}
		}
		s.Pass(5 * time.Minute)
		s.WantEnded(many+20, webhook.Completed, webhook.Good)
	})
}

// An idle dispatcher asks once an hour, and a commit wakes it at once.
func TestIdleAndWake(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		q := &faulty{Queue: s.Store}
		s.D.Queue = q
		s.D.Wake() // before it runs: allowed
		s.Run()
		s.Pass(100*time.Hour + time.Minute)
		if n := q.claims.Load(); n != 101 {
			t.Errorf("%d claims in a hundred idle hours, want 101", n)
		}
		s.Tell(1, webhook.Paid)
		s.Pass(0)
		if n := len(s.Shops.Calls()); n != 1 {
			t.Errorf("%d calls at the moment of the commit, want 1", n)
		}
	})
}

// A merchant that is alone has half of all room.
func TestMaxInFlight(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		s.D.MaxInFlight = 14
		s.Shops.Answer = func(*http.Request, int) *http.Response { <-time.After(time.Second); return answer(200) }
		s.Tell(70, webhook.Paid)
		s.Run()
		s.Pass(11 * time.Second)
		if most := s.Shops.Most("e1.example"); most != 7 {
			t.Errorf("%d tries at once, want 7", most)
		}
		s.WantEnded(70, webhook.Completed, webhook.Good)
	})
}

// After a stop, tries may end within the grace and are recorded; what hangs is
// cut off, and nothing is recorded for it.
func TestStop(t *testing.T) {
	play(t, []webhook.Endpoint{endpoint("slow", webhook.PortOne), endpoint("hung", webhook.PortOne)}, func(t *testing.T, s *scene) {
		s.D.Grace = 10 * time.Second
		s.Shops.Answer = func(r *http.Request, _ int) *http.Response {
			if r.URL.Host == "hung.example" {
				return hang(r)
			}
			<-time.After(8 * time.Second)
			return answer(200)
		}
		s.Tell(1, webhook.Paid)
		s.Run()
		s.Pass(time.Second)
		stopped := time.Now()
		s.Stop()
		if took := time.Since(stopped); took != 10*time.Second {
			t.Errorf("Run returned %v after the stop, want the grace of 10s", took)
		}
		s.WantEnded(1, webhook.Completed, webhook.Good)
		if n := s.Count(`select count(*) from attempt`); n != 1 {
			t.Errorf("%d attempts are recorded, want only that of the slow shop", n)
		}
		if n := s.Count(`select count(*) from delivery where lease is null and ready_at = due_at`); n != 1 {
			t.Errorf("%d deliveries are due again, want the one that was cut off", n)
		}
		s.Tell(1, webhook.Paid)
		s.Pass(time.Minute)
		if n := len(s.Shops.Calls()); n != 2 {
			t.Errorf("%d calls, want none after the stop", n)
		}
		s.Shops.Answer = nil
		s.Run()
		s.Pass(time.Minute)
		s.WantEnded(4, webhook.Completed, webhook.Good)
	})
}

// Whatever fails, no secret and no token of an address shows in the log.
func TestLogHoldsNoSecret(t *testing.T) {
	e := endpoint("e1", `["1s","1s"]`)
	e.URL = "https://e1.example/hook?token=hunter2"
	play(t, []webhook.Endpoint{e}, func(t *testing.T, s *scene) {
		s.Shops.Answer = func(r *http.Request, before int) *http.Response {
			switch before {
			case 0:
				return nil // the connection breaks
			case 1:
				return hang(r)
			}
			return answer(500)
		}
		s.Tell(1, webhook.Paid)
		s.Run()
		s.Pass(time.Hour)
		if n := len(s.Log.Lines("webhook attempt")); n != 3 {
			t.Errorf("%d attempts were logged, want 3", n)
		}
		for _, leak := range []string{"hunter2", oldKey.Reveal(), strings.TrimPrefix(oldKey.Reveal(), "whsec_")} {
			if lines := s.Log.Lines(leak); len(lines) > 0 {
				t.Errorf("the log tells a secret: %s", lines[0])
			}
		}
	})
}
