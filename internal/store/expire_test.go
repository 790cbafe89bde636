package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// expired is the decision on a payment whose deadline has passed.
func expired(now time.Time) func(payment.Payment) (notice.Expiry, error) {
	return func(p payment.Payment) (notice.Expiry, error) {
		d := p.Decide(payment.Report{Event: payment.EventExpired}, payment.Env{Now: now, NewID: storetest.NewID})
		return notice.Expiry{Payment: d.Payment}, nil
	}
}

// TestExpirePassesOverWhatIsTaken lets another node have one of two payments.
func TestExpirePassesOverWhatIsTaken(t *testing.T) {
	onPostgres(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		register(t, s, storetest.Registration("o-1"))
		register(t, s, storetest.Registration("o-2"))
		release := hold(t, db, `select 1 from payment where id = 'o-1' for update`)
		now := storetest.Noon.Add(72 * time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		if next, err := s.Expire(ctx, now, 10, 0, expired(now)); err != nil || next.After(now) {
			t.Errorf("Expire = %v, %v; want a deadline that is past", next, err)
		}
		if next, err := s.Expire(ctx, now, 10, 0, expired(now)); err != nil || !next.After(now) {
			t.Errorf("Expire while all is taken = %v, %v; want a moment of rest", next, err)
		}
		if n := db.Count(t, `select count(*) from payment where deadline is null`); n != 1 {
			t.Errorf("%d payments expired, want 1", n)
		}
		release()
		if next, err := s.Expire(ctx, now, 10, 0, expired(now)); err != nil || !next.IsZero() {
			t.Errorf("Expire after that = %v, %v", next, err)
		}
		verified(t, s)
	})
}

// TestExpireKeepsTheSettings changes the settings in the middle of an Expire.
func TestExpireKeepsTheSettings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		one, other := db.Open(t), db.Open(t)
		register(t, one, storetest.Registration("o-1"))
		all, err := other.Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all.Endpoints[0].Name = "다른 이름"
		now := storetest.Noon.Add(72 * time.Hour)
		asked := false
		if _, err := one.Expire(t.Context(), now, 10, all.Version, func(p payment.Payment) (notice.Expiry, error) {
			asked = true
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := other.SaveSettings(ctx, all, now); !fault.Is(err, fault.Unavailable) {
				t.Errorf("SaveSettings in the middle = %v, want fault.Unavailable", err)
			}
			return expired(now)(p)
		}); err != nil || !asked {
			t.Errorf("Expire = %v, asked %v", err, asked)
		}
		if err := other.SaveSettings(t.Context(), all, now); err != nil {
			t.Error(err)
		}
	})
}

// TestOneLostPaymentExpiresNoOther damages a payment that is due first.
func TestOneLostPaymentExpiresNoOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		for i := range 3 {
			g := storetest.Registration(fmt.Sprintf("o-%d", i))
			g.Account.ExpiresAt = storetest.Noon.Add(time.Duration(i+1) * time.Hour)
			register(t, s, g)
		}
		db.Exec(t, `update payment set doc = $1 where id = 'o-0'`, []byte("damaged"))
		now := storetest.Noon.Add(72 * time.Hour)
		for range 3 {
			next, err := s.Expire(t.Context(), now, 1, 0, expired(now))
			if err != nil {
				t.Fatal(err)
			}
			if next.After(now) {
				break
			}
		}
		if n := db.Count(t, `select count(*) from payment where deadline is null`); n != 2 {
			t.Errorf("%d payments expired, want 2", n)
		}
		if next, err := s.Expire(t.Context(), now, 10, 0, expired(now)); err != nil || !next.After(now) {
			t.Errorf("Expire = %v, %v; want the lost payment to be left alone for a while", next, err)
		}
	})
}
