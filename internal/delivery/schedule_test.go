package delivery_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/webhook"
)

// Every preset to the minute, over days of virtual time, until it gives up.
func TestSchedulesToTheMinute(t *testing.T) {
	for _, c := range []struct {
		schedule webhook.Schedule
		status   int
		want     []int
	}{
		{webhook.PortOne, 500, []int{0, 0, 1, 5, 21, 277}},
		{webhook.PortOne2024, 404, []int{0, 1, 5, 21, 85, 341}},
		{webhook.Toss, 500, []int{0, 1, 5, 21, 85, 341, 1365, 5461}},
		{webhook.Toss, 201, []int{0, 1, 5, 21, 85, 341, 1365, 5461}}, // exactly 200 is wanted
		{webhook.PortOne, 302, []int{0, 0, 1, 5, 21, 277}},
		{webhook.PortOne, 201, []int{0}},
		{webhook.Toss, 200, []int{0}},
		{`["2m","3m"]`, 500, []int{0, 2, 5}},
		{`[]`, 500, []int{0}},
	} {
		t.Run(string(c.schedule)+" "+http.StatusText(c.status), func(t *testing.T) {
			play(t, []webhook.Endpoint{endpoint("e1", c.schedule)}, func(t *testing.T, s *scene) {
				s.Shops.Answer = always(c.status)
				s.Tell(1, webhook.Paid)
				s.Run()
				s.Pass(200 * time.Hour)
				if diff := cmp.Diff(c.want, s.Minutes()); diff != "" {
					t.Errorf("minutes of the tries (-want +got):\n%s", diff)
				}
				if c.schedule.Good(c.status) {
					s.WantEnded(1, webhook.Completed, webhook.Good)
				} else {
					s.WantEnded(1, webhook.Undone, webhook.BadAnswer)
				}
				if n := s.Count(`select count(*) from attempt`); n != len(c.want) {
					t.Errorf("%d attempts are recorded, want %d", n, len(c.want))
				}
			})
		})
	}
}

// With jitter every delay lies within the bounds of its preset, counted from
// the end of the failed try.
func TestSchedulesWithJitter(t *testing.T) {
	const many, took = 60, 3 * time.Second
	for _, schedule := range []webhook.Schedule{webhook.PortOne, webhook.PortOne2024, webhook.Toss} {
		t.Run(string(schedule), func(t *testing.T) {
			play(t, []webhook.Endpoint{endpoint("e1", schedule)}, func(t *testing.T, s *scene) {
				var mu sync.Mutex
				random := rand.New(rand.NewPCG(1, 2))
				s.D.Random = func() float64 { mu.Lock(); defer mu.Unlock(); return random.Float64() }
				s.Shops.Answer = func(*http.Request, int) *http.Response { <-time.After(took); return answer(503) }
				s.Tell(many, webhook.Paid)
				s.Run()
				s.Pass(200 * time.Hour)
				s.WantEnded(many, webhook.Undone, webhook.BadAnswer)
				byID := map[string][]time.Time{}
				for _, c := range s.Shops.Calls() {
					byID[c.ID] = append(byID[c.ID], c.At)
				}
				moved := false
				for id, at := range byID {
					moved = checkDelays(t, id, schedule, at, took) || moved
				}
				if wantMoved := schedule != webhook.Toss; moved != wantMoved {
					t.Errorf("some delays are varied: %v, want %v", moved, wantMoved)
				}
			})
		})
	}
}

// checkDelays checks the times of one delivery's tries, and reports whether
// any delay differs from nominal. A target whose health is bad has fewer tries
// at once, so a try may wait for a few others.
func checkDelays(t *testing.T, id string, schedule webhook.Schedule, at []time.Time, took time.Duration) (moved bool) {
	t.Helper()
	const queueing = 10 * 3 * time.Second // 60 deliveries, eight at once, 3 s each
	if len(at) != schedule.Tries() {
		t.Errorf("%s was tried %d times, want %d", id, len(at), schedule.Tries())
		return false
	}
	for n := 1; n < len(at); n++ {
		nominal, _ := schedule.After(n, 0, nil)
		low, high := nominal, nominal
		switch schedule {
		case webhook.PortOne:
			high = max(nominal+nominal/10, 5*time.Second)
		case webhook.PortOne2024:
			low = 0
		default: // no jitter
		}
		d := at[n].Sub(at[n-1]) - took
		if d < low || d > high+queueing {
			t.Errorf("%s: %s waited %v after try %d, want between %v and %v", schedule, id, d, n, low, high)
		}
		moved = moved || d < nominal || d > nominal+queueing
	}
	return moved
}

func TestRetriesKeepIDAndBody(t *testing.T) {
	play(t, []webhook.Endpoint{endpoint("e1", webhook.PortOne)}, func(t *testing.T, s *scene) {
		s.Shops.Answer = func(_ *http.Request, before int) *http.Response {
			<-time.After(time.Second)
			if before < 5 {
				return answer(500)
			}
			return answer(200)
		}
		d := s.Tell(1, webhook.Paid)[0]
		s.Run()
		s.Pass(10 * time.Hour)
		s.WantEnded(1, webhook.Completed, webhook.Good)
		calls := s.Shops.Calls()
		if len(calls) != 6 {
			t.Fatalf("%d tries, want 6", len(calls))
		}
		stamps, signatures := map[string]bool{}, map[string]bool{}
		for _, c := range calls {
			if c.ID != d.WebhookID() || c.Body != string(d.Body) {
				t.Errorf("a try sent %s with %s, want %s with %s", c.ID, c.Body, d.WebhookID(), d.Body)
			}
			want, err := webhook.Sign(c.ID, c.At, d.Body, oldKey)
			if err != nil || c.Sig != want {
				t.Errorf("the try at %v is signed %q, want %q (%v)", c.At, c.Sig, want, err)
			}
			stamps[c.Stamp], signatures[c.Sig] = true, true
		}
		if len(stamps) != 6 || len(signatures) != 6 {
			t.Errorf("six tries have %d timestamps and %d signatures, want six of each", len(stamps), len(signatures))
		}
		lines := s.Log.Lines("webhook attempt")
		if len(lines) != 6 {
			t.Errorf("%d lines were logged, want one for each try", len(lines))
		}
		for _, want := range []string{"delivery_id=" + string(d.ID), "webhook_id=" + d.WebhookID(), "endpoint=e1", "attempt=1", "status=500", "outcome=bad_answer", "took=1s", "next="} {
			if !strings.Contains(lines[0], want) {
				t.Errorf("the line %q lacks %q", lines[0], want)
			}
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	play(t, []webhook.Endpoint{endpoint("e1", webhook.Toss)}, func(t *testing.T, s *scene) {
		s.Shops.Answer = func(_ *http.Request, before int) *http.Response {
			switch before {
			case 0:
				return answer(503, "Retry-After", "180")
			case 1:
				return answer(503, "Retry-After", s.Start.Add(time.Hour).UTC().Format(http.TimeFormat))
			}
			return answer(200)
		}
		s.Tell(1, webhook.Paid)
		s.Run()
		s.Pass(2 * time.Hour)
		// The hour is longer than the next delay of 16 minutes.
		if diff := cmp.Diff([]int{0, 3, 19}, s.Minutes()); diff != "" {
			t.Errorf("minutes of the tries (-want +got):\n%s", diff)
		}
	})
}

// The dispatcher knows when its own retries are due, also if nobody wakes it
// after its own commits.
func TestRetriesNeedNoWakeUp(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		s.Shops.Answer = always(500)
		s.D = &delivery.Dispatcher{Queue: s.Store, Client: s.D.Client} // the store wakes another
		s.Tell(1, webhook.Paid)
		s.Run()
		s.Pass(10 * time.Hour)
		if diff := cmp.Diff([]int{0, 0, 1, 5, 21, 277}, s.Minutes()); diff != "" {
			t.Errorf("minutes of the tries (-want +got):\n%s", diff)
		}
	})
}
