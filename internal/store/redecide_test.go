package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// redecision has a kept notice decided again by the judge of the tests.
func redecision(t *testing.T, s *store.Store, id notice.ID) notice.Redecision {
	t.Helper()
	x, err := s.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return notice.Redecision{
		Version: x.Version, At: storetest.Noon.Add(time.Hour), ID: id, Judge: storetest.Judge,
		Admit: func(k notice.Kept) notice.Inbound {
			in := k.Inbound
			in.Notice, _ = storetest.Decode(in.Request)
			in.Channels, in.Version = []merchant.ChannelKey{storetest.Channel}, x.Version
			return in
		},
		Check: func(notice.Redecided) error { return nil },
	}
}

// mistyped is a deposit for a payment by an order that nobody knows.
func mistyped(order string) notice.Inbound {
	return storetest.Told(storetest.Channel, "mistyped "+order, storetest.Deposit(order, "D "+order))
}

// again has a notice decided again.
func again(t *testing.T, s *store.Store, x notice.Redecision) notice.Redecided {
	t.Helper()
	out, err := s.Redecide(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// liveRedecisions has a store decide notices again in every way: dry, by a person's word,
// one to which nothing new is known, one that is final, and one that a person enters.
func liveRedecisions(t *testing.T, s *store.Store, name string) {
	t.Helper()
	p := register(t, s, storetest.Registration("redecide-"+name))
	held := mistyped("redecide-" + name)
	settle(t, s, held)
	x := redecision(t, s, held.ID)
	again(t, s, x)
	x.Payment, x.Dry = p.Key, true
	again(t, s, x)
	x.Dry = false
	again(t, s, x)
	again(t, s, redecision(t, s, held.ID))
	q := register(t, s, storetest.Registration("by-hand-"+name))
	byHand := byOrder(string(q.ID))
	x = redecision(t, s, "")
	byHand.Version = x.Version
	x.New = &byHand
	again(t, s, x)
}

// TestRedecide decides kept notices again on both engines: what a person links is applied
// once, and whose payment a notice is about is told to who checks.
func TestRedecide(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		p := register(t, s, storetest.Registration("o1"))
		held := mistyped("o1")
		settle(t, s, held)
		x := redecision(t, s, held.ID)
		if r := again(t, s, x); r.Changes || r.Verdict != payment.Unmatched || r.Before.PaymentStore != "" {
			t.Errorf("decided again with nothing new: %s, %v", r.Verdict, r.Changes)
		}
		x.Payment, x.Dry = p.Key, true
		if r := again(t, s, x); !r.Changes || r.Verdict != payment.Applied || len(r.Emissions) == 0 {
			t.Errorf("it would be %s, %v", r.Verdict, r.Changes)
		}
		if now, err := s.PaymentByKey(t.Context(), p.Key); err != nil || now.State != payment.Issued {
			t.Errorf("a dry decision made the payment %s, %v", now.State, err)
		}
		refused := errors.New("not yours")
		x.Dry, x.Check = false, func(r notice.Redecided) error {
			if r.Is == nil || r.Is.Store != storetest.Store {
				t.Errorf("who checks is told of payment %+v", r.Is)
			}
			return refused
		}
		if _, err := s.Redecide(t.Context(), x); !errors.Is(err, refused) {
			t.Errorf("a decision that was refused: %v", err)
		}
		x.Check = func(notice.Redecided) error { return nil }
		if r := again(t, s, x); r.Verdict != payment.Applied {
			t.Errorf("it is %s", r.Verdict)
		}
		if now, err := s.PaymentByKey(t.Context(), p.Key); err != nil || now.State != payment.Paid {
			t.Errorf("the payment is %s, %v", now.State, err)
		}
		if r := again(t, s, redecision(t, s, held.ID)); r.Changes || r.Before.PaymentStore != storetest.Store {
			t.Errorf("decided again when it is final: %v, of store %q", r.Changes, r.Before.PaymentStore)
		}
		if n := db.Count(t, `select count(*) from event where type = 'Transaction.Paid'`); n != 1 {
			t.Errorf("%d events of one deposit", n)
		}
		x = redecision(t, s, "01900000-0000-7000-8000-000000000000")
		if _, err := s.Redecide(t.Context(), x); !fault.Is(err, fault.NotFound) {
			t.Errorf("a notice that is not there: %v", err)
		}
	})
}
