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

// pin pre-registers an amount, and what of it is free of tax.
func pin(t *testing.T, s *store.Store, id payment.ID, mode merchant.Mode, amount, taxFree int64, minutes int) error {
	t.Helper()
	return s.Preregister(t.Context(), storetest.Store, id, mode, payment.Pin{Amount: &amount, TaxFree: &taxFree},
		storetest.Noon.Add(time.Duration(minutes)*time.Minute))
}

func pinned(t *testing.T, s *store.Store, id payment.ID, mode merchant.Mode, amount, taxFree int64, minutes int) {
	t.Helper()
	if err := pin(t, s, id, mode, amount, taxFree, minutes); err != nil {
		t.Fatal(err)
	}
}

// tryRegister registers an account for a payment.
func tryRegister(t *testing.T, s *store.Store, order string) (payment.Payment, error) {
	t.Helper()
	p, _, err := s.Register(t.Context(), storetest.Registration(order), storetest.Registering(storetest.Noon))
	return p, err
}

func TestPreregister(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		amount := storetest.Registration("x").Amount.Amount
		pinned(t, s, "other", merchant.Test, amount+1, 0, 0)
		if _, err := s.Payment(t.Context(), storetest.Store, "other", merchant.Any); !fault.Is(err, fault.NotFound) {
			t.Errorf("a payment that has not begun = %v", err)
		}
		if _, err := tryRegister(t, s, "other"); !errors.Is(err, payment.ErrPinned) {
			t.Errorf("registered with another amount = %v", err)
		}
		if err := beginAs(t, s, "other", amount, 0); !errors.Is(err, payment.ErrPinned) {
			t.Errorf("begun with another amount = %v", err)
		}
		pinned(t, s, "other", merchant.Test, amount, 100, 1)
		p, err := tryRegister(t, s, "other")
		if err != nil || p.TaxFree != 100 {
			t.Errorf("registered with the amount = %d free of tax, %v; want 100", p.TaxFree, err)
		}
		pinned(t, s, "other", merchant.Test, amount, 100, 2)
		if err := pin(t, s, "other", merchant.Test, amount, 0, 2); !errors.Is(err, payment.ErrBegun) {
			t.Errorf("another part after it began = %v", err)
		}
		if err := beginAs(t, s, "other", amount, 0); !errors.Is(err, payment.ErrPinned) {
			t.Errorf("another attempt with another part = %v", err)
		}
		if err := beginAs(t, s, "other", amount, 100); err != nil {
			t.Errorf("another attempt as the first = %v", err)
		}
		verified(t, s)
	})
}

// beginAs begins an attempt with an amount and what of it is free of tax.
func beginAs(t *testing.T, s *store.Store, order string, amount, taxFree int64) error {
	t.Helper()
	env := payment.Env{Now: storetest.Noon, NewID: storetest.NewID}
	_, err := s.Act(t.Context(), notice.Act{Store: storetest.Store, ID: payment.ID(order), Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
		g := storetest.Registration(order)
		g.Amount.Amount, g.TaxFree, g.Order = amount, taxFree, storetest.NewID()
		p, _, err := payment.Begin(known, g, env)
		return notice.Acted{Payment: p, Changed: true, Ask: storetest.Noon.Add(time.Hour)}, err
	}})
	return err
}

// TestPreregisterModes keeps the modes apart: what a credential of a mode fixes
// holds for payments that it sees, and the last holds.
func TestPreregisterModes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		amount := storetest.Registration("x").Amount.Amount
		pinned(t, s, "live", merchant.Live, amount+1, 0, 5)
		if _, err := tryRegister(t, s, "live"); err != nil {
			t.Errorf("a test payment by what a live credential fixed = %v", err)
		}
		if err := pin(t, s, "live", merchant.Live, 7, 0, 6); err != nil {
			t.Errorf("a credential that does not see the payment learns of it: %v", err)
		}
		pinned(t, s, "any", merchant.Any, amount+1, 0, 0)
		if _, err := tryRegister(t, s, "any"); !errors.Is(err, payment.ErrPinned) {
			t.Errorf("another amount than a credential of any mode fixed = %v", err)
		}
		pinned(t, s, "any", merchant.Test, amount, 0, 1)
		pinned(t, s, "any", merchant.Live, amount+2, 0, 2)
		if _, err := tryRegister(t, s, "any"); err != nil {
			t.Errorf("the amount that was fixed last = %v", err)
		}
	})
}

func TestPrunePreregistrations(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		pinned(t, s, "a", merchant.Test, 1, 0, 0)
		pinned(t, s, "b", merchant.Test, 1, 0, 1)
		after := time.Until(storetest.Noon.AddDate(0, 0, 90))
		if got := pruneAt(t, s, after)["preregistration"].Rows; got != 1 {
			t.Errorf("%d went, want 1", got)
		}
		if n := db.Count(t, `select count(*) from preregistration where payment_id = 'b'`); n != 1 {
			t.Error("the younger one went")
		}
	})
}

// TestPrepare fixes a payment for the first time and again, each on its condition, as
// each mode sees it.
func TestPrepare(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		for i, step := range []struct {
			mode  merchant.Mode
			again bool
			want  error
		}{
			{merchant.Test, true, payment.ErrNotPinned}, {merchant.Test, false, nil}, {merchant.Test, false, payment.ErrPinnedBefore},
			{merchant.Test, true, nil}, {merchant.Live, true, payment.ErrNotPinned}, {merchant.Any, false, payment.ErrPinnedBefore},
			{merchant.Any, true, nil}, {merchant.Live, false, payment.ErrPinnedBefore},
		} {
			amount := int64(1000 + i)
			before, _, err := s.Pinned(t.Context(), storetest.Store, "order", step.mode)
			if err != nil {
				t.Fatal(err)
			}
			at := storetest.Noon.Add(time.Duration(i) * time.Minute)
			if err := s.Prepare(t.Context(), storetest.Store, "order", step.mode, payment.Pin{Amount: &amount}, step.again, at); !errors.Is(err, step.want) {
				t.Errorf("step %d = %v, want %v", i, err, step.want)
			}
			after, found, err := s.Pinned(t.Context(), storetest.Store, "order", step.mode)
			if err != nil {
				t.Fatal(err)
			}
			if kept := found && after.Amount != nil && *after.Amount == amount; kept != (step.want == nil) || !kept && after.Amount != nil && *after.Amount != *before.Amount {
				t.Errorf("step %d left %+v of %+v", i, after, before)
			}
		}
	})
}
