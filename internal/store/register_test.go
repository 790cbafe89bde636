package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestMeeting lets notice and registration meet in every order.
func TestMeeting(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		told := func(order string) notice.Inbound {
			return storetest.Told(storetest.Channel, order, storetest.Deposit(order, "D-"+order))
		}
		register(t, s, storetest.Registration("first"))
		settle(t, s, told("first"))

		held := told("late")
		if got := settle(t, s, held, told("late")); got[0].Verdict != payment.Unmatched || got[1].Verdict != payment.Unmatched {
			t.Errorf("before the registration: %+v", got)
		}
		if n := db.Count(t, `select count(*) from open_case`); n != 1 {
			t.Errorf("%d cases, want one that the resend joined", n)
		}
		verified(t, s)
		if p := register(t, s, storetest.Registration("late")); p.State != payment.Paid {
			t.Errorf("registered as %s, want PAID by the notice that waited", p.State)
		}
		if n := db.Count(t, `select count(*) from open_case`); n != 0 {
			t.Errorf("%d cases stay open", n)
		}
		if n := db.Count(t, `select count(*) from deposit where key = 'D-late'`); n != 1 {
			t.Errorf("the late deposit is noted %d times", n)
		}
		if got := settle(t, s, told("late"))[0]; got.Verdict != payment.Duplicate {
			t.Errorf("a resend after that: %+v", got)
		}
		if n := db.Count(t, paidEvents); n != 2 {
			t.Errorf("%d Transaction.Paid, want 2", n)
		}
		verified(t, s)
	})
}

// TestMeetingAtOnce lets notice and registration meet on two nodes at the same
// instant, two hundred times.
func TestMeetingAtOnce(t *testing.T) {
	t.Parallel()
	const times = 200
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		one, other := db.Open(t), db.Open(t)
		for i := range times {
			order := fmt.Sprintf("o-%d", i)
			in := storetest.Told(storetest.Channel, order, storetest.Deposit(order, "D-"+order))
			if i%4 == 3 { // found by its account alone
				in = storetest.Told(storetest.Channel, "", storetest.Deposit(order, "D-"+order))
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				patiently(t, func() ([]notice.Result, error) {
					return one.Settle(t.Context(), []notice.Inbound{in}, storetest.Judge)
				})
			})
			wg.Go(func() {
				patiently(t, func() ([]notice.Result, error) {
					_, _, err := other.Register(context.WithoutCancel(t.Context()), storetest.Registration(order), storetest.Registering(storetest.Noon))
					return []notice.Result{{}}, err
				})
			})
			wg.Wait()
		}
		if n := db.Count(t, paidEvents); n != times {
			t.Errorf("%d Transaction.Paid, want %d", n, times)
		}
		if n := db.Count(t, `select count(*) from payment where state <> 'PAID'`); n != 0 {
			t.Errorf("%d payments wait although their deposit came", n)
		}
		if n := db.Count(t, `select count(*) from open_case`); n != 0 {
			t.Errorf("%d notices wait although their payment came", n)
		}
		verified(t, one)
	})
}

// TestHeldByAccount registers payments for a notice that names only an account.
func TestHeldByAccount(t *testing.T) {
	t.Parallel()
	fixed := func(order string, amount int64) payment.Registration {
		g := storetest.Registration(order)
		g.Amount, g.Account.Number, g.Account.Type = payment.Won(amount), storetest.AccountOf("shared"), payment.Fixed
		return g
	}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		settle(t, s, storetest.Told(storetest.Channel, "", storetest.Deposit("shared", "D1")))
		if p := register(t, s, fixed("other-amount", 999)); p.State != payment.Issued {
			t.Errorf("a payment of another amount is %s", p.State)
		}
		past := fixed("past", 1000)
		past.Account.IssuedAt, past.Account.ExpiresAt = storetest.Noon.Add(-96*time.Hour), storetest.Noon.Add(-72*time.Hour)
		if p := register(t, s, past); p.State != payment.Issued {
			t.Errorf("a payment whose account is long closed is %s", p.State)
		}
		if p := register(t, s, fixed("exact", 1000)); p.State != payment.Paid {
			t.Errorf("the payment that expects it is %s", p.State)
		}
		verified(t, s)
	})
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		register(t, s, storetest.Registration("o-1"))
		other := storetest.Registration("o-2")
		other.Order = "o-1"
		if _, _, err := s.Register(t.Context(), other, storetest.Registering(storetest.Noon)); !fault.Is(err, fault.Conflict) {
			t.Errorf("another payment's order: %v, want fault.Conflict", err)
		}
		more := storetest.Registration("o-1")
		more.Amount = payment.Won(1)
		if _, _, err := s.Register(t.Context(), more, storetest.Registering(storetest.Noon)); !fault.Is(err, fault.Conflict) {
			t.Errorf("another amount: %v, want fault.Conflict", err)
		}
		_, changed, err := s.Register(t.Context(), storetest.Registration("o-1"), storetest.Registering(storetest.Noon))
		if changed || err != nil {
			t.Errorf("the same again: changed %v, %v", changed, err)
		}
		if c := verified(t, s); c.Payments != 1 || c.Events != 1 {
			t.Errorf("%+v", c)
		}
	})
}

// TestAdoptOfAnothersID adopts an order whose name is taken by a payment of
// another channel.
func TestAdoptOfAnothersID(t *testing.T) {
	t.Parallel()
	adopt := func(in notice.Inbound, found []notice.Found) notice.Ruling {
		g := storetest.Registration("o-1")
		g.Channel, g.Order = found[0].Channel, "o-1"
		p, err := payment.Adopt(in.Notice.Report, g, payment.Env{Now: in.At, NewID: storetest.NewID})
		if err != nil {
			panic(err)
		}
		return notice.Ruling{Verdict: payment.Applied, Channel: g.Channel, Payment: &p, Created: true, Changed: true, Claims: true}
	}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		register(t, s, storetest.Registration("o-1"))
		r := storetest.Deposit("o-1", "D1")
		r.Event = payment.EventIssued
		got, err := s.Settle(t.Context(), []notice.Inbound{storetest.Told(storetest.OtherOne, "o-1", r)}, adopt)
		if err != nil || got[0].Err != nil || got[0].Verdict != payment.Unmatched {
			t.Errorf("Settle = %+v, %v; want unmatched", got, err)
		}
		verified(t, s)
	})
}
