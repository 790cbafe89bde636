package ingress_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// A shared store has another node beside it, which is busy with an order
// until a time.
type shared struct {
	*store.Store
	order string
	until time.Time
	asked atomic.Int64
}

// Settle leaves out what the other node is busy with.
func (s *shared) Settle(ctx context.Context, in []notice.Inbound, judge notice.Judge) ([]notice.Result, error) {
	if in[0].Notice.Order != s.order || !time.Now().Before(s.until) {
		return s.Store.Settle(ctx, in, judge)
	}
	s.asked.Add(1)
	busy := notice.Result{ID: in[0].ID, Err: fault.Errorf(fault.Unavailable, "another node: %w", notice.ErrBusy)}
	if len(in) == 1 {
		return []notice.Result{busy}, nil
	}
	rest, err := s.Store.Settle(ctx, in[1:], judge)
	return append([]notice.Result{busy}, rest...), err
}

// TestBusyNoticesWaitInLine sends a notice that another node is busy with.
func TestBusyNoticesWaitInLine(t *testing.T) {
	t.Parallel()
	blank()
	for _, test := range []struct {
		name   string
		busy   time.Duration
		status int
		took   time.Duration // at most
	}{
		{"for a while", 200 * time.Millisecond, 200, 220 * time.Millisecond},
		{"longer than the PG waits", time.Hour, 503, ingress.Patience},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, testChannel())
			other := &shared{Store: s.Store, order: "o-1", until: time.Now().Add(test.busy)}
			s.ingress.Store = other
			s.run()
			s.mustRegister(testChannel(), "o-1")
			s.mustRegister(testChannel(), "o-2")
			began := time.Now()
			done := make(chan int, 1)
			go func() { done <- s.send(loopback, deposit("o-1")).Code }()
			synctest.Wait()
			if w := s.send(loopback, deposit("o-2")); w.Code != 200 || time.Since(began) > 10*time.Millisecond {
				t.Errorf("%s: its neighbour was answered %d after %v", test.name, w.Code, time.Since(began))
			}
			if code := <-done; code != test.status || time.Since(began) > test.took {
				t.Errorf("%s: answered %d after %v, want %d", test.name, code, time.Since(began), test.status)
			}
			// Every few milliseconds, not as fast as it can.
			waited := min(test.busy, ingress.Patience)
			if n := time.Duration(other.asked.Load()); n < waited/(10*time.Millisecond) || n > waited/(2*time.Millisecond) {
				t.Errorf("%s: it was tried %d times in %v", test.name, n, waited)
			}
			tried := other.asked.Load()
			time.Sleep(time.Second)
			if other.asked.Load() != tried {
				t.Errorf("%s: it is tried although nobody waits", test.name)
			}
			if got := s.state("s1", "o-2"); got != payment.Paid {
				t.Errorf("%s: the neighbour's payment is %s", test.name, got)
			}
		})
	}
}
