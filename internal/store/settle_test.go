package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// settle gives notices to a store, which must commit each of them.
func settle(t *testing.T, s *store.Store, in ...notice.Inbound) []notice.Result {
	t.Helper()
	results, err := s.Settle(t.Context(), in, storetest.Judge)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatalf("notice %s: %v", r.ID, r.Err)
		}
	}
	return results
}

func register(t *testing.T, s *store.Store, g payment.Registration) payment.Payment {
	t.Helper()
	p, _, err := s.Register(t.Context(), g, storetest.Registering(storetest.Noon))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// state is where a test payment stands.
func state(t *testing.T, s *store.Store, order string) payment.State {
	t.Helper()
	p, err := s.Payment(t.Context(), storetest.Store, payment.ID(order), merchant.Any)
	if err != nil {
		t.Fatal(err)
	}
	return p.State
}

const paidEvents = `select count(*) from event where type = 'Transaction.Paid'`

// verified fails the test if the database is not sound.
func verified(t *testing.T, s *store.Store) store.Checked {
	t.Helper()
	checked, err := s.Verify(t.Context(), func(p store.Problem) { t.Errorf("%s %s: %s", p.Kind, p.Subject, p.Text) })
	if err != nil {
		t.Fatal(err)
	}
	return checked
}

func TestSettle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		due := 0
		s.OnDue(func() { due++ })
		register(t, s, storetest.Registration("o-1"))
		first := storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D1"))
		got := settle(t, s, first)[0]
		if got.Verdict != payment.Applied || got.Payment == "" || got.Channel != storetest.Channel || state(t, s, "o-1") != payment.Paid {
			t.Errorf("the deposit: %+v, payment %s", got, state(t, s, "o-1"))
		}
		if due != 2 {
			t.Errorf("OnDue was called %d times, want once for each of two commits", due)
		}
		again := settle(t, s, storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D1")))[0]
		if again.Verdict != payment.Duplicate {
			t.Errorf("the same again: %+v", again)
		}
		kept, err := s.Notice(t.Context(), first.ID)
		if err != nil || string(kept.Request.Body) != string(first.Request.Body) || kept.Peer != first.Peer || !kept.At.Equal(first.At) {
			t.Errorf("kept %+v, %v", kept, err)
		}
		if n := db.Count(t, paidEvents); n != 1 {
			t.Errorf("%d Transaction.Paid, want 1", n)
		}
		if c := verified(t, s); c.Notices != 2 || c.Payments != 1 || c.Deposits != 1 || c.Events != 2 || c.Deliveries != 2 {
			t.Errorf("Verify looked at %+v", c)
		}
	})
}

func TestSettleDecidesInOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		register(t, s, storetest.Registration("o-1"))
		gone := storetest.Deposit("o-1", "D1")
		gone.Event, gone.Key, gone.At = payment.EventReversed, "message/R1", gone.At.Add(time.Minute)
		got := settle(t, s,
			storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D1")),
			storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D1")),
			storetest.Told(storetest.Channel, "o-1", gone),
			storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D2")))
		for i, want := range []payment.Verdict{payment.Applied, payment.Duplicate, payment.Applied, payment.Applied} {
			if got[i].Verdict != want {
				t.Errorf("notice %d: %s, want %s", i+1, got[i].Verdict, want)
			}
		}
		if n := db.Count(t, paidEvents); n != 2 || state(t, s, "o-1") != payment.Paid {
			t.Errorf("%d Transaction.Paid, payment %s", n, state(t, s, "o-1"))
		}
		verified(t, s)
	})
}

// TestABadNoticeFailsAlone settles batches with one notice that cannot be
// committed.
func TestABadNoticeFailsAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		for i, bad := range []string{"panic", "violates", "another's deposit"} {
			order := fmt.Sprintf("o-%d", i)
			register(t, s, storetest.Registration(order))
			register(t, s, storetest.Registration(order+"b"))
			register(t, s, storetest.Registration(order+"c"))
			good := storetest.Told(storetest.Channel, order, storetest.Deposit(order, "D"+order))
			worse := storetest.Told(storetest.Channel, order+"c", storetest.Deposit(order+"c", "C"+order))
			last := storetest.Told(storetest.Channel, order+"b", storetest.Deposit(order+"b", "B"+order))
			judge := func(in notice.Inbound, found []notice.Found) notice.Ruling {
				if in.ID != worse.ID {
					return storetest.Judge(in, found)
				}
				switch bad {
				case "panic":
					panic("a judge that panics")
				case "violates":
					r := storetest.Judge(in, found)
					r.Emissions = append(r.Emissions, r.Emissions...)
					return r
				}
				found[0].DepositOf, found[0].Claimed = "", false // looks away
				return storetest.Judge(in, found)
			}
			if bad == "another's deposit" {
				worse = storetest.Told(storetest.Channel, order+"c", storetest.Deposit(order+"c", "D"+order))
			}
			results, err := s.Settle(t.Context(), []notice.Inbound{good, worse, last}, judge)
			if err != nil {
				t.Fatal(err)
			}
			if results[0].Verdict != payment.Applied || results[1].Err == nil || results[2].Verdict != payment.Applied {
				t.Errorf("%s: %+v", bad, results)
			}
			if state(t, s, order+"c") != payment.Issued {
				t.Errorf("%s: the payment is %s although nothing was committed", bad, state(t, s, order+"c"))
			}
		}
		verified(t, s)
	})
}

func TestSettleByOldSettings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		in := storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D1"))
		in.Version = 1
		results, err := s.Settle(t.Context(), []notice.Inbound{in}, storetest.Judge)
		if err != nil || !fault.Is(results[0].Err, fault.Stale) {
			t.Errorf("Settle = %+v, %v; want fault.Stale", results, err)
		}
		r := storetest.Registering(storetest.Noon)
		r.Version = 1
		if _, _, err := s.Register(t.Context(), storetest.Registration("o-1"), r); !fault.Is(err, fault.Stale) {
			t.Errorf("Register = %v, want fault.Stale", err)
		}
		if c := verified(t, s); c.Notices != 0 || c.Payments != 0 {
			t.Errorf("something was written: %+v", c)
		}
		in.Version = 2
		settle(t, s, in)
	})
}

// TestTheSameNoticeManyTimes tells one deposit a hundred times, on two nodes.
func TestTheSameNoticeManyTimes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		nodes := []*store.Store{db.Open(t), db.Open(t)}
		register(t, nodes[0], storetest.Registration("o-1"))
		verdicts := make(chan payment.Verdict, 100)
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				for range 2 {
					in := storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D1"))
					verdicts <- patiently(t, func() ([]notice.Result, error) {
						return nodes[i%2].Settle(t.Context(), []notice.Inbound{in}, storetest.Judge)
					}).Verdict
				}
			})
		}
		wg.Wait()
		close(verdicts)
		count := make(map[payment.Verdict]int)
		for v := range verdicts {
			count[v]++
		}
		if count[payment.Applied] != 1 || count[payment.Duplicate] != 99 {
			t.Errorf("verdicts: %v", count)
		}
		if n := db.Count(t, paidEvents); n != 1 {
			t.Errorf("%d Transaction.Paid, want 1", n)
		}
		verified(t, nodes[0])
	})
}

// patiently repeats what the database could not do at once, as a PG repeats a
// notice that was not acknowledged.
func patiently(t *testing.T, do func() ([]notice.Result, error)) notice.Result {
	for range 1000 {
		results, err := do()
		switch {
		case err == nil && results[0].Err == nil:
			return results[0]
		case err == nil:
			err = results[0].Err
		}
		if !fault.Is(err, fault.Unavailable) || t.Context().Err() != nil {
			t.Error(err)
			return notice.Result{}
		}
		<-time.After(time.Millisecond)
	}
	t.Error("the database was away a thousand times")
	return notice.Result{}
}

// TestAResendEndsItsCase holds a reversal that may mean either of two
// deposits, until one of them is out of the question.
func TestAResendEndsItsCase(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		g := storetest.Registration("o-1")
		g.Account.Type = payment.FixedUnlimited
		register(t, s, g)
		reversal := func(id, key string) notice.Inbound {
			r := storetest.Deposit("o-1", id)
			r.Event, r.Key, r.At = payment.EventReversed, key, r.At.Add(time.Hour)
			return storetest.Told(storetest.Channel, "o-1", r)
		}
		held := reversal("", "R")
		for i, step := range []struct {
			in   notice.Inbound
			want payment.Verdict
		}{
			{storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D1")), payment.Applied},
			{storetest.Told(storetest.Channel, "o-1", storetest.Deposit("o-1", "D2")), payment.Applied},
			{held, payment.Conflict},
			{reversal("", "R"), payment.Conflict}, // joins
			{reversal("D1", "R1"), payment.Applied},
			{reversal("", "R"), payment.Applied},
			{reversal("", "R"), payment.Duplicate},
		} {
			if got := settle(t, s, step.in)[0]; got.Verdict != step.want {
				t.Errorf("step %d: %s, want %s", i+1, got.Verdict, step.want)
			}
		}
		if n := db.Count(t, `select count(*) from open_case where kind <> 'listed'`); n != 0 {
			t.Errorf("%d cases wait although the resend was decided", n)
		}
		if n := db.Count(t, `select count(*) from open_case where kind = 'listed'`); n != 2 {
			t.Errorf("%d reversals are listed for a person, want 2", n)
		}
		verified(t, s)
	})
}
