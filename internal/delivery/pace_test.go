package delivery_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// after counts the calls for some deliveries that came within d after a time.
func (s *scene) after(at time.Time, d time.Duration, of []webhook.Delivery) int {
	ids := map[string]bool{}
	for _, one := range of {
		ids[one.WebhookID()] = true
	}
	n := 0
	for _, c := range s.Shops.Calls() {
		if ids[c.ID] && !c.At.Before(at) && c.At.Sub(at) <= d {
			n++
		}
	}
	return n
}

// What waited goes at the pace and no faster; what is made meanwhile for the
// same shop goes at once and without a claim, whether what waits are retries or
// first tries of another shop.
func TestBacklogIsPaced(t *testing.T) {
	for _, c := range []struct {
		name string
		made string // of what waits
		to   string // whom what is made meanwhile is for
	}{
		{"retries", `update delivery set tries = 1, lane = 1`, "https://a.example/hook"},
		{"first tries, as after a pause", `update delivery set tries = 0`, "https://b.example/hook"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(t *testing.T, s *scene) {
				const pace, waiting = 500, 5000
				s.D.Pace = pace
				s.Shops.Answer = func(*http.Request, int) *http.Response {
					<-time.After(5 * time.Millisecond)
					return answer(200)
				}
				backlog := s.Tell(waiting, webhook.Paid, "https://a.example/hook")
				s.exec(c.made)
				s.Run()
				s.Pass(100 * time.Millisecond)
				for range waiting / pace {
					at := time.Now()
					live := s.Tell(1, webhook.Paid, c.to)
					if n := s.Count(`select count(*) from delivery where id = $1 and lease is not null`, string(live[0].ID)); n != 1 {
						t.Error("what was made beside a backlog was left to a claim")
					}
					s.Pass(time.Second)
					if s.after(at, 0, live) != 1 {
						t.Error("what was made beside a backlog waited for it")
					}
					// Two beats' worth may have been saved.
					if n := s.after(at, time.Second, backlog); n > pace+pace/50 {
						t.Errorf("%d of the backlog went within a second, want at most %d", n, pace+pace/50)
					}
				}
				s.Pass(time.Second / 2)
				if n := s.after(s.Start, time.Hour, backlog); n != waiting {
					t.Errorf("%d of the backlog were sent in the time that the pace gives, want %d", n, waiting)
				}
				s.WantEnded(waiting+waiting/pace, webhook.Completed, webhook.Good)
			})
		})
	}
}

// What this node makes and has no room for is not paced: deliveries follow
// notices, however many there are.
func TestIntakeIsNotPaced(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		s.D.Pace = 10
		s.Shops.Answer = func(*http.Request, int) *http.Response {
			<-time.After(5 * time.Millisecond)
			return answer(200)
		}
		s.Run()
		s.Pass(time.Second)
		s.Tell(1000, webhook.Paid)
		s.Pass(time.Second)
		s.WantEnded(1000, webhook.Completed, webhook.Good)
	})
}

// The pace is shared: no shop has to wait until another's backlog is gone.
func TestPaceIsShared(t *testing.T) {
	ends := []webhook.Endpoint{endpoint("a", webhook.PortOne), endpoint("b", webhook.PortOne), endpoint("c", webhook.PortOne)}
	play(t, ends, func(t *testing.T, s *scene) {
		s.D.Pace = 300
		s.Configure(func(a *settings.All) {
			for i := range a.Endpoints {
				a.Endpoints[i].Paused = true
			}
		})
		s.Tell(1000, webhook.Paid)
		s.exec(`update delivery set tries = 1, lane = 1`)
		s.Configure(func(a *settings.All) {
			for i := range a.Endpoints {
				a.Endpoints[i].Paused = false
			}
		})
		s.Run()
		s.Pass(2 * time.Second)
		by := map[string]int{}
		for _, c := range s.Shops.Calls() {
			by[c.Host]++
		}
		for _, e := range ends {
			if n := by[string(e.ID)+".example"]; n < 180 || n > 220 {
				t.Errorf("of 600 tries %s had %d, want a third", e.ID, n)
			}
		}
	})
}
