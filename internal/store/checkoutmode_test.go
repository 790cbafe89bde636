package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// liveWindow is aWindow on a live channel, with another amount.
func liveWindow(id payment.ID) payment.Checkout {
	c := aWindow(id, "", time.Minute)
	c.Mode, c.Channel, c.Amount = merchant.Live, storetest.LiveChannel, payment.Won(2000)
	return c
}

// acting is the act by which the buyer of a window begins its attempt.
func acting(c payment.Checkout) notice.Act {
	env := payment.Env{Now: c.CreatedAt.Add(time.Second), NewID: storetest.NewID}
	return notice.Act{Payment: c.Payment, Window: c.ID, Begins: true, Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
		if err := known.MayPay(c, env.Now); err != nil {
			return notice.Acted{}, err
		}
		p, _, err := payment.Begin(known, c.Registration(*known), env)
		return notice.Acted{Payment: p, Changed: true, Ask: env.Now}, err
	}}
}

// TestLiveWindow: an order that was opened on a test channel is a live window's, in lists,
// too, and no live credential misses it.
func TestLiveWindow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		test := openWindow(t, s, "o-1", "", 0)
		live, err := s.Act(t.Context(), opening(liveWindow("o-1")))
		if err != nil || live.Key != test.Payment {
			t.Fatalf("the live window: %+v, %v", live, err)
		}
		if n := db.Count(t, `select count(*) from payment where mode = 'live' and amount = 2000 and state = 'READY'`); n != 1 {
			t.Error("lists do not have it as a live one of 2000")
		}
		if n := db.Count(t, `select count(*) from event where mode = 'live' and type = 'Transaction.Ready'`); n != 1 {
			t.Errorf("%d events told live endpoints", n)
		}
		if p, err := s.Payment(t.Context(), storetest.Store, "o-1", merchant.Live); err != nil || p.Amount != payment.Won(2000) {
			t.Errorf("by a live credential: %+v, %v", p, err)
		}
		if _, err := s.Payment(t.Context(), storetest.Store, "o-1", merchant.Test); !fault.Is(err, fault.NotFound) {
			t.Errorf("by a test credential: %v", err)
		}
		if _, err := s.Act(t.Context(), acting(test)); !errors.Is(err, payment.ErrOtherMode) {
			t.Errorf("the test window's buyer acts: %v", err)
		}
		if _, err := s.Act(t.Context(), opening(aWindow("o-1", "", time.Hour))); !errors.Is(err, payment.ErrOtherMode) {
			t.Errorf("another test window: %v", err)
		}
		verified(t, s)
	})
}

// TestLiveAgainstTest has a live window open while the buyer of a test window acts, on two
// nodes: of the two one happens.
func TestLiveAgainstTest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		one := db.Open(t)
		two := one
		if db.Postgres { // one node alone has a file open
			two = db.Open(t)
		}
		for range 20 {
			id := payment.ID(storetest.NewID())
			test := openWindow(t, one, id, "", 0)
			var opened, acted error
			var both sync.WaitGroup
			both.Go(func() { _, opened = one.Act(t.Context(), opening(liveWindow(id))) })
			both.Go(func() { _, acted = two.Act(t.Context(), acting(test)) })
			both.Wait()
			p, err := one.PaymentByKey(t.Context(), test.Payment)
			if err != nil {
				t.Fatal(err)
			}
			isLive := opened == nil && errors.Is(acted, payment.ErrOtherMode) && p.Mode == merchant.Live && p.Begun() == 0
			isTest := acted == nil && errors.Is(opened, payment.ErrOtherMode) && p.Mode == merchant.Test && p.Begun() == 1
			if !isLive && !isTest {
				t.Errorf("opened: %v, acted: %v, the payment is %+v", opened, acted, p)
			}
		}
	})
}

// TestPinnedMode: the mode of the key by which a payment was pre-registered last is what
// windows are bound by; of what was not pre-registered by one of them, any may be opened.
func TestPinnedMode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		try := func(what string, c payment.Checkout, want error) {
			t.Helper()
			if _, err := s.Act(t.Context(), opening(c)); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		pinned(t, s, "live", merchant.Live, 2000, 0, 0)
		try("a test window of a live payment", aWindow("live", "", 0), payment.ErrOtherMode)
		try("a live window of it", liveWindow("live"), nil)
		pinned(t, s, "test", merchant.Test, 1000, 0, 0)
		try("a live window of a test payment", liveWindow("test"), payment.ErrOtherMode)
		try("a test window of it", aWindow("test", "", 0), nil)
		try("a live window of it later", liveWindow("test"), payment.ErrOtherMode)
		pinned(t, s, "test", merchant.Live, 2001, 0, 1)
		try("a test window once the server says that it is live", aWindow("test", "", 0), payment.ErrOtherMode)
		try("a live window with another amount than fixed", liveWindow("test"), payment.ErrPinned)
		pinned(t, s, "test", merchant.Live, 2000, 0, 2)
		try("a live window as it was fixed", liveWindow("test"), nil)
		pinned(t, s, "any", merchant.Any, 1000, 0, 0)
		try("a test window of what a key of any mode fixed", aWindow("any", "", 0), nil)
		pinned(t, s, "any", merchant.Any, 2000, 0, 1)
		try("a live window of it", liveWindow("any"), nil)
		pinned(t, s, "any", merchant.Test, 5, 0, 2)
		try("another live window of a live payment", liveWindow("any"), nil)
		verified(t, s)
	})
}
