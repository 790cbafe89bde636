package delivery_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// Counted is a queue that counts its claims and its writes of outcomes.
type counted struct {
	delivery.Queue
	claims, writes atomic.Int64
}

func (c *counted) Finish(ctx context.Context, batch []webhook.Finish) ([]error, error) {
	c.writes.Add(1)
	return c.Queue.Finish(ctx, batch)
}

func (c *counted) Claim(ctx context.Context, now time.Time, lease time.Duration, room webhook.Room) (webhook.Claim, error) {
	c.claims.Add(1)
	return c.Queue.Claim(ctx, now, lease, room)
}

// What is made while there is room is tried without a claim.
func TestFreshDeliveriesNeedNoClaim(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		q := &counted{Queue: s.D.Queue}
		s.D.Queue = q
		s.Run()
		s.Pass(time.Second)
		before := q.claims.Load()
		for range 50 {
			s.Tell(20, webhook.Paid)
			s.Pass(time.Second)
		}
		if n := len(s.Shops.Calls()); n != 1000 {
			t.Errorf("%d calls, want 1000", n)
		}
		if n := q.claims.Load() - before; n != 0 {
			t.Errorf("%d claims while there was room for all, want none", n)
		}
		s.WantEnded(1000, webhook.Completed, webhook.Good)
	})
}

// What is made for a target that is full costs no claim: one comes when a try of
// it has ended.
func TestAFullTargetIsLeftAlone(t *testing.T) {
	full, free := endpoint("full", webhook.PortOne), endpoint("free", webhook.PortOne)
	play(t, []webhook.Endpoint{full, free}, func(t *testing.T, s *scene) {
		q := &counted{Queue: s.D.Queue}
		s.D.Queue = q
		s.Shops.Answer = func(r *http.Request, before int) *http.Response {
			if r.URL.Host == "full.example" && before < 64 {
				<-time.After(10 * time.Second)
			}
			return answer(200)
		}
		s.Run()
		s.Pass(time.Second)
		s.Tell(32, webhook.Paid)
		s.Pass(time.Second)
		before := q.claims.Load()
		for range 50 {
			s.Tell(1, webhook.Paid)
			s.Pass(100 * time.Millisecond)
		}
		if n := q.claims.Load() - before; n > 1 {
			t.Errorf("%d claims while one target was full and the other had room, want one at most", n)
		}
		if n := len(s.Shops.Calls()); n != 32+32+50 {
			t.Errorf("%d calls while one target hangs, want 114: the other's all", n)
		}
		s.Pass(time.Minute)
		s.WantEnded(2*82, webhook.Completed, webhook.Good)
	})
}

// More than there is room for waits, and is claimed when there is; nothing that
// comes later goes ahead of it.
func TestFreshDeliveriesWaitBehindOthers(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		s.Shops.Answer = func(r *http.Request, before int) *http.Response {
			if before < 32 {
				<-time.After(10 * time.Second)
			}
			return answer(200)
		}
		s.Run()
		s.Pass(time.Second)
		first := s.Tell(100, webhook.Paid)
		s.Pass(time.Second)
		later := s.Tell(10, webhook.Paid)
		s.Pass(time.Minute)
		at := map[string]time.Time{}
		for _, c := range s.Shops.Calls() {
			at[c.ID] = c.At
		}
		if len(at) != 110 {
			t.Fatalf("%d webhooks came, want 110", len(at))
		}
		for _, d := range later {
			for _, f := range first {
				if at[d.WebhookID()].Before(at[f.WebhookID()]) {
					t.Fatalf("webhook %s came before %s, which had waited", d.WebhookID(), f.WebhookID())
				}
			}
		}
		s.WantEnded(110, webhook.Completed, webhook.Good)
	})
}

// A delivery that was made by settings which the dispatcher does not know yet is
// signed by those, and not sent at all if they pause its endpoint.
func TestFreshDeliveriesGoByTheirSettings(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		s.Run()
		s.Pass(time.Second)
		s.Configure(func(a *settings.All) { a.Endpoints[0].URL = "https://moved.example/hook" })
		s.Tell(1, webhook.Paid)
		s.Pass(time.Second)
		if calls := s.Shops.Calls(); len(calls) != 1 || calls[0].Host != "moved.example" {
			t.Fatalf("the calls are %+v, want one to moved.example", calls)
		}
		s.Configure(func(a *settings.All) { a.Endpoints[0].Paused = true })
		s.Tell(1, webhook.Paid)
		s.Pass(time.Hour)
		if n := len(s.Shops.Calls()); n != 1 {
			t.Errorf("%d calls, want none to an endpoint that is paused", n-1)
		}
	})
}

// A dispatcher that does not run takes nothing: all waits for a claim.
func TestFreshDeliveriesWithoutDispatcher(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		s.Tell(3, webhook.Paid)
		if n := s.Count(`select count(*) from delivery where lease is not null`); n != 0 {
			t.Fatalf("%d deliveries are leased to nobody", n)
		}
		s.Run()
		s.Pass(time.Second)
		s.Stop()
		s.Tell(2, webhook.Paid)
		if n := s.Count(`select count(*) from delivery where lease is null`); n != 2 {
			t.Errorf("%d deliveries wait for a claim after the stop, want 2", n)
		}
		s.WantEnded(3, webhook.Completed, webhook.Good)
	})
}

// A lone outcome is written at once; those that come one after the other share
// writes that begin at least a fiftieth of a second apart.
func TestOutcomesAreWrittenTogether(t *testing.T) {
	play(t, one(webhook.PortOne), func(t *testing.T, s *scene) {
		q := &counted{Queue: s.D.Queue}
		s.D.Queue = q
		s.Shops.Answer = func(_ *http.Request, before int) *http.Response {
			<-time.After(time.Duration(before) * time.Millisecond)
			return answer(200)
		}
		s.Run()
		s.Pass(time.Second)
		s.Tell(1, webhook.Paid)
		s.Pass(0)
		s.WantEnded(1, webhook.Completed, webhook.Good)
		s.Pass(time.Second)
		s.Tell(30, webhook.Paid)
		s.Pass(time.Second)
		s.WantEnded(31, webhook.Completed, webhook.Good)
		if n := q.writes.Load(); n < 2 || n > 4 {
			t.Errorf("31 outcomes in two goes, the second 30 ms long, took %d writes, want at most 4", n)
		}
	})
}
