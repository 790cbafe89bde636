package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// aKey writes a billing key that is issued.
func aKey(t *testing.T, s *store.Store, id payment.BillingKeyID) payment.BillingKey {
	t.Helper()
	k := payment.BillingKey{
		ID: id, Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test, Channel: storetest.Channel, State: payment.KeyIssued,
		PGKey: "opensesame-of-the-pg", Card: payment.Card{Number: "4242-42**-****-4242"}, Customer: payment.Customer{Name: "홍길동"},
		RequestedAt: storetest.Noon, IssuedAt: storetest.Noon, ChangedAt: storetest.Noon,
	}
	if _, _, err := s.AddBillingKey(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	return k
}

// aSchedule is a payment that is to be made so long after noon.
func aSchedule(id payment.ID, key payment.BillingKeyID, after time.Duration) payment.Schedule {
	return payment.Schedule{
		ID: payment.ScheduleID(storetest.NewID()), Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test, Channel: storetest.Channel,
		Payment: id, BillingKey: key, State: payment.Scheduled, OrderName: "구독", Amount: payment.Won(1000), VAT: new(int64(90)),
		Customer: payment.Customer{Name: "홍길동"}, NoticeURLs: []string{"https://shop.example/"}, Terms: payment.Terms{Months: 3},
		CreatedAt: storetest.Noon, TimeToPay: storetest.Noon.Add(after),
	}
}

func schedule(t *testing.T, s *store.Store, x payment.Schedule) payment.Schedule {
	t.Helper()
	out, err := s.AddSchedule(t.Context(), x, 0)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func due(t *testing.T, s *store.Store, after time.Duration, n int) ([]payment.Schedule, time.Time) {
	t.Helper()
	now := storetest.Noon.Add(after)
	list, next, err := s.DueSchedules(t.Context(), now, now.Add(time.Minute), n)
	if err != nil {
		t.Fatal(err)
	}
	return list, next
}

// beginFor begins the attempt of a schedule, and does something to it.
func beginFor(t *testing.T, s *store.Store, x payment.Schedule, then func(payment.Payment, payment.TransactionID, payment.Env) (payment.Decision, error)) error {
	t.Helper()
	env := payment.Env{Now: storetest.Noon.Add(2 * time.Hour), NewID: storetest.NewID}
	_, err := s.Act(t.Context(), notice.Act{
		Store: x.Store, ID: x.Payment, Env: env, Begins: true, Schedule: x.ID, Lease: x.Until,
		Do: func(known *payment.Payment) (notice.Acted, error) {
			p, at, err := payment.BeginCharge(known, x.Registration(), payment.Charge{BillingKey: x.BillingKey, Schedule: x.ID}, env)
			if err == nil && then != nil {
				var d payment.Decision
				d, err = then(p, at.ID, env)
				p = d.Payment
			}
			return notice.Acted{Payment: p, Changed: true}, err
		},
	})
	return err
}

func stateOf(t *testing.T, s *store.Store, id payment.ScheduleID) payment.ScheduleState {
	t.Helper()
	x, err := s.Schedule(t.Context(), storetest.Store, id, merchant.Any)
	if err != nil {
		t.Fatal(err)
	}
	return x.State
}

// TestScheduleIsBegunOnce has two nodes take up what is due, with a clock that ran
// ahead between: only who took it up last begins, and only once.
func TestScheduleIsBegunOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		a, b := db.Open(t), db.Open(t)
		k := aKey(t, a, "billing-key-1")
		x := schedule(t, a, aSchedule("o-1", k.ID, time.Hour))
		if again := schedule(t, b, x); again.ID != x.ID {
			t.Errorf("the same again is %s", again.ID)
		}
		if list, next := due(t, a, time.Hour-time.Second, 10); len(list) != 0 || !next.Equal(x.TimeToPay) {
			t.Errorf("before its time: %v, next %v", list, next)
		}
		first, next := due(t, a, time.Hour, 10)
		if len(first) != 1 || !next.Equal(first[0].Until) {
			t.Fatalf("at its time: %v, next %v", first, next)
		}
		want := x
		want.State, want.StartedAt, want.Until = payment.ScheduleStarted, x.TimeToPay, first[0].Until
		if diff := cmp.Diff(want, first[0]); diff != "" {
			t.Errorf("taken up (-want +got):\n%s", diff)
		}
		if list, _ := due(t, b, time.Hour+time.Second, 10); len(list) != 0 {
			t.Errorf("taken up twice: %v", list)
		}
		second, _ := due(t, b, time.Hour+time.Minute, 10)
		if len(second) != 1 {
			t.Fatalf("not taken up after the first died: %v", second)
		}
		if err := beginFor(t, a, first[0], nil); !errors.Is(err, payment.ErrScheduleTaken) {
			t.Errorf("the first begins all the same: %v", err)
		}
		if err := beginFor(t, b, second[0], nil); err != nil {
			t.Fatal(err)
		}
		for _, s := range []*store.Store{a, b} {
			if err := beginFor(t, s, second[0], nil); err == nil {
				t.Error("begun twice")
			}
			if list, next := due(t, s, 100*time.Hour, 10); len(list) != 0 || !next.IsZero() {
				t.Errorf("taken up after it was begun: %v", list)
			}
			if err := s.FailSchedule(t.Context(), second[0], storetest.Noon); err != nil || stateOf(t, s, x.ID) != payment.ScheduleStarted {
				t.Errorf("it fails after it was begun: %v, %s", err, stateOf(t, s, x.ID))
			}
		}
		verified(t, a)
	})
}

// TestSchedulesAtOnce has two nodes take up many, and all of their workers begin what
// they can.
func TestSchedulesAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		nodes := []*store.Store{db.Open(t), db.Open(t)}
		k := aKey(t, nodes[0], "billing-key-1")
		const many = 30
		for i := range many {
			schedule(t, nodes[0], aSchedule(payment.ID(fmt.Sprint("o-", i)), k.ID, time.Hour))
		}
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for {
					list, _ := due(t, nodes[i%2], time.Hour, 3)
					if len(list) == 0 {
						return
					}
					for _, x := range list {
						if err := beginFor(t, nodes[i%2], x, nil); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		all.Wait()
		if n := db.Count(t, `select count(*) from payment`); n != many {
			t.Errorf("%d payments, want %d", n, many)
		}
	})
}

// TestScheduleFollowsItsPayment: whatever changes the payment ends the schedule.
func TestScheduleFollowsItsPayment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		k := aKey(t, s, "billing-key-1")
		done := func(p payment.Payment, id payment.TransactionID, e payment.Env) (payment.Decision, error) {
			return p.ChargeDone(id, payment.Taken{PGTx: "pg-" + string(p.ID), At: e.Now}, e)
		}
		for name, c := range map[string]struct {
			then func(payment.Payment, payment.TransactionID, payment.Env) (payment.Decision, error)
			want payment.ScheduleState
		}{
			"paid": {done, payment.ScheduleSucceeded},
			"failed": {func(p payment.Payment, id payment.TransactionID, e payment.Env) (payment.Decision, error) {
				return p.ChargeRefused(id, payment.Failure{Reason: "no"}, e)
			}, payment.ScheduleFailed},
			"pending": {func(p payment.Payment, id payment.TransactionID, e payment.Env) (payment.Decision, error) {
				return p.ChargeUnclear(id, "", e)
			}, payment.SchedulePending},
		} {
			x := schedule(t, s, aSchedule(payment.ID(name), k.ID, time.Hour))
			list, _ := due(t, s, time.Hour, 10)
			if len(list) != 1 {
				t.Fatalf("%s: %v", name, list)
			}
			if err := beginFor(t, s, list[0], c.then); err != nil {
				t.Fatal(err)
			}
			if got := stateOf(t, s, x.ID); got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
			again := aSchedule(payment.ID(name), k.ID, 2*time.Hour)
			_, err := s.AddSchedule(t.Context(), again, 0)
			switch {
			case name == "failed" && err != nil:
				t.Errorf("one that failed is not scheduled again: %v", err)
			case name == "paid" && !errors.Is(err, payment.ErrPaidOrWaiting), name == "pending" && !errors.Is(err, payment.ErrScheduled):
				t.Errorf("%s: scheduled again: %v", name, err)
			}
			if name == "failed" {
				if err := s.FailSchedule(t.Context(), again, storetest.Noon); err != nil || stateOf(t, s, again.ID) != payment.Scheduled {
					t.Errorf("one that is not taken up fails: %v", err)
				}
				if _, err := s.RevokeSchedules(t.Context(), storetest.Store, merchant.Test, "", []payment.ScheduleID{again.ID}, storetest.Noon); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestKeysAreScoped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		k := aKey(t, s, "billing-key-1")
		if got, err := s.BillingKey(t.Context(), storetest.Store, k.ID, merchant.Test); err != nil || !cmp.Equal(got, k) {
			t.Errorf("got %+v, %v", got, err)
		}
		x := schedule(t, s, aSchedule("o-1", k.ID, time.Hour))
		for _, c := range []struct {
			store merchant.StoreID
			mode  merchant.Mode
		}{{"store-2", merchant.Any}, {storetest.Store, merchant.Live}} {
			if _, err := s.BillingKey(t.Context(), c.store, k.ID, c.mode); !errors.Is(err, payment.ErrNoKey) {
				t.Errorf("%v sees the key: %v", c, err)
			}
			if _, err := s.Schedule(t.Context(), c.store, x.ID, c.mode); !errors.Is(err, payment.ErrNoSchedule) {
				t.Errorf("%v sees the schedule: %v", c, err)
			}
			if _, err := s.RevokeSchedules(t.Context(), c.store, c.mode, "", []payment.ScheduleID{x.ID}, storetest.Noon); !errors.Is(err, payment.ErrNoSchedule) {
				t.Errorf("%v revokes the schedule: %v", c, err)
			}
			if list, err := s.RevokeSchedules(t.Context(), c.store, c.mode, k.ID, nil, storetest.Noon); err != nil || len(list) != 0 {
				t.Errorf("%v revokes %v, %v", c, list, err)
			}
		}
		for _, odd := range []payment.ScheduleID{"", "x", "'; --", "\x00"} {
			if _, err := s.Schedule(t.Context(), storetest.Store, odd, merchant.Any); !errors.Is(err, payment.ErrNoSchedule) {
				t.Errorf("schedule %q: %v", odd, err)
			}
		}
		if _, err := s.BillingKey(t.Context(), storetest.Store, "\x00\xff", merchant.Any); !errors.Is(err, payment.ErrNoKey) {
			t.Errorf("an odd key: %v", err)
		}
		_, err := s.AddSchedule(t.Context(), aSchedule("o-2", k.ID, time.Hour), 99)
		if !fault.Is(err, fault.Stale) {
			t.Errorf("by settings that are no longer in force: %v", err)
		}
	})
}

// TestKeysAreSealed looks for the PG's key in all that the database holds.
func TestKeysAreSealed(t *testing.T) {
	t.Parallel()
	db := storetest.OnSQLite(t)
	s := db.Open(t)
	k := aKey(t, s, "billing-key-1")
	schedule(t, s, aSchedule("o-1", k.ID, time.Hour))
	for _, file := range []string{db.File, db.File + "-wal"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, hidden := range []string{k.PGKey.Reveal(), "홍길동", "4242-42"} {
			if bytes.Contains(b, []byte(hidden)) {
				t.Errorf("%s holds %q", file, hidden)
			}
		}
	}
	db.Exec(t, `update billing_key set doc = $1`, []byte("broken"))
	if _, err := s.BillingKey(t.Context(), storetest.Store, k.ID, merchant.Test); err == nil || strings.Contains(err.Error(), "opensesame") {
		t.Errorf("a broken key: %v", err)
	}
	db.Exec(t, `update schedule set doc = $1`, []byte("broken"))
	schedule(t, s, aSchedule("o-2", aKey(t, s, "billing-key-2").ID, time.Hour))
	if list, _ := due(t, s, time.Hour, 10); len(list) != 1 || list[0].Payment != "o-2" {
		t.Errorf("beside one that cannot be opened: %v", list)
	}
}

func TestPruneSchedules(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		old, kept := aKey(t, s, "billing-key-old"), aKey(t, s, "billing-key-kept")
		open, ended := schedule(t, s, aSchedule("open", kept.ID, time.Hour)), schedule(t, s, aSchedule("ended", old.ID, time.Hour))
		if _, err := s.RevokeSchedules(t.Context(), storetest.Store, merchant.Test, old.ID, nil, storetest.Noon); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ChangeBillingKey(t.Context(), old.ID, func(k payment.BillingKey) (payment.BillingKey, []webhook.Emission, error) {
			k.State, k.ChangedAt = payment.KeyDeleted, storetest.Noon
			return k, nil, nil
		}); err != nil {
			t.Fatal(err)
		}
		// What the PG never answered ends after a day.
		dead := kept
		dead.ID, dead.State = "billing-key-dead", payment.KeyReady
		if _, _, err := s.AddBillingKey(t.Context(), dead); err != nil {
			t.Fatal(err)
		}
		late := dead
		late.ID = "billing-key-late"
		if _, _, err := s.AddBillingKey(t.Context(), late); err != nil {
			t.Fatal(err)
		}
		changeKey(t, s, late.ID, payment.KeyIssued)
		after := time.Until(storetest.Noon.AddDate(0, 0, settings.DefaultRetention().Payments))
		gone := pruneAt(t, s, after)
		if gone["schedule"].Rows != 1 || gone["billing_key"].Rows != 1 {
			t.Errorf("went: %+v", gone)
		}
		if _, err := s.Schedule(t.Context(), storetest.Store, ended.ID, merchant.Any); !errors.Is(err, payment.ErrNoSchedule) {
			t.Errorf("the one that ended: %v", err)
		}
		if got := stateOf(t, s, open.ID); got != payment.Scheduled {
			t.Errorf("the open one is %s", got)
		}
		for _, id := range []payment.BillingKeyID{kept.ID, late.ID, dead.ID} {
			if _, err := s.BillingKey(t.Context(), storetest.Store, id, merchant.Any); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
		if gone := pruneAt(t, s, after+24*time.Hour); gone["billing_key"].Rows != 1 {
			t.Errorf("a day later went: %+v", gone)
		}
		if _, err := s.BillingKey(t.Context(), storetest.Store, dead.ID, merchant.Any); !errors.Is(err, payment.ErrNoKey) {
			t.Errorf("the one without an answer: %v", err)
		}
	})
}
