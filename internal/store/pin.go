package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// Preregister keeps what a merchant fixed of a payment that has not begun, as
// payment.Preregister decides; it replaces what was fixed before. Whose mode does
// not see the payment that has the id learns nothing of it. What is fixed by
// merchant.Any is fixed in both modes. What is fixed for one mode says to windows that the
// payment is of that mode.
func (s *Store) Preregister(ctx context.Context, st merchant.StoreID, id payment.ID, mode merchant.Mode, x payment.Pin, now time.Time) error {
	return s.preregister(ctx, st, id, mode, x, now, func(*tx) error { return nil })
}

// Prepare is Preregister on a condition, which holds as long as it writes: that
// something was fixed before by or for mode, if again is true, or that nothing was.
// Else it reports payment.ErrNotPinned or payment.ErrPinnedBefore.
func (s *Store) Prepare(ctx context.Context, st merchant.StoreID, id payment.ID, mode merchant.Mode, x payment.Pin, again bool, now time.Time) error {
	return s.preregister(ctx, st, id, mode, x, now, func(t *tx) error {
		before := false
		// Index: preregistration_pkey.
		err := t.each(pinsQuery, []any{string(st), string(id)}, func(rows rowSet) error {
			of, _, _, err := scanPin(rows)
			before = before || of.Sees(mode) || mode.Sees(of)
			return err
		})
		switch {
		case err != nil:
			return err
		case again && !before:
			return payment.ErrNotPinned
		case before && !again:
			return payment.ErrPinnedBefore
		}
		return nil
	})
}

// preregister keeps a pin, if a condition reports no error once the payment's name
// is locked.
func (s *Store) preregister(ctx context.Context, st merchant.StoreID, id payment.ID, mode merchant.Mode, x payment.Pin, now time.Time, may func(*tx) error) error {
	return s.write(ctx, func(t *tx) error {
		if err := t.lock([]string{paymentLock(st, id)}); err != nil {
			return err
		}
		if err := may(t); err != nil {
			return err
		}
		p, found, err := t.paymentByID(st, id)
		if err != nil {
			return err
		}
		var known *payment.Payment
		if found && mode.Sees(p.Mode) {
			known = &p
		}
		keep, err := payment.Preregister(known, x)
		if err != nil || !keep {
			return err
		}
		if known != nil {
			if err := t.pinOver(p, x, now); err != nil {
				return err
			}
		}
		return t.must(`insert into preregistration (store_id, payment_id, mode, amount, tax_free, currency, at) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (store_id, payment_id, mode) do update
			set amount = excluded.amount, tax_free = excluded.tax_free, currency = excluded.currency, at = excluded.at`,
			string(st), string(id), string(mode), numberOrNull(x.Amount), numberOrNull(x.TaxFree), string(x.Currency), micros(now))
	})
}

// pinOver has a payment follow its pre-registration for which nothing but windows was
// opened.
func (t *tx) pinOver(p payment.Payment, x payment.Pin, now time.Time) error {
	next, changed := x.Over(p)
	if !changed {
		return nil
	}
	next.UpdatedAt = now
	if err := t.putPayment(next, false, p.Names()); err != nil {
		return err
	}
	t.put(newSearchDue, string(p.Key))
	return t.putSale(&p, next)
}

func numberOrNull(n *int64) sql.NullInt64 {
	if n == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: *n, Valid: true}
}

func orNil(n sql.NullInt64) *int64 {
	if !n.Valid {
		return nil
	}
	return &n.Int64
}

// pinned is what was fixed last of a payment of a mode. The caller has locked its
// name.
func (t *tx) pinned(s merchant.StoreID, id payment.ID, mode merchant.Mode) (x payment.Pin, err error) {
	latest := int64(-1)
	// Index: preregistration_pkey.
	err = t.each(pinsQuery, []any{string(s), string(id)}, func(rows rowSet) error {
		of, pin, at, err := scanPin(rows)
		if err == nil && of.Sees(mode) && at > latest {
			x, latest = pin, at
		}
		return err
	})
	return x, err
}

// Pinned is what was fixed last of a payment that has not begun, by a credential
// that sees the mode or for it. found is false if nothing was.
func (r *Reader) Pinned(ctx context.Context, s merchant.StoreID, id payment.ID, sees merchant.Mode) (x payment.Pin, found bool, err error) {
	latest := int64(-1)
	// Index: preregistration_pkey.
	err = each(ctx, over(r.db), pinsQuery, []any{string(s), string(id)}, func(rows rowSet) error {
		of, pin, at, err := scanPin(rows)
		if err == nil && (of.Sees(sees) || sees.Sees(of)) && at > latest {
			x, found, latest = pin, true, at
		}
		return err
	})
	return x, found, away(err)
}

const pinsQuery = `select mode, amount, tax_free, currency, at from preregistration where store_id = $1 and payment_id = $2`

func scanPin(row scanner) (of merchant.Mode, x payment.Pin, at int64, err error) {
	var amount, taxFree sql.NullInt64
	err = row.Scan(&of, &amount, &taxFree, &x.Currency, &at)
	x.Amount, x.TaxFree = orNil(amount), orNil(taxFree)
	return of, x, at, err
}

// keepsPin reports payment.ErrPinned if what an act makes of a payment begins an
// attempt that is not as it was fixed.
func (t *tx) keepsPin(known *payment.Payment, p payment.Payment) error {
	if known != nil && p.Begun() <= known.Begun() && p.Mode == known.Mode {
		return nil
	}
	x, err := t.pinned(p.Store, p.ID, p.Mode)
	if err != nil {
		return err
	}
	return x.Check(p.Amount, p.TaxFree)
}

// keepsMode reports payment.ErrOtherMode if a window is opened, or its attempt begins, in
// another mode than that of the credential by which the payment was pre-registered last:
// one of merchant.Any says none. What a live window opened stays live.
func (t *tx) keepsMode(known *payment.Payment, p payment.Payment) error {
	if p.Mode == merchant.Live && known != nil && known.Mode == merchant.Live {
		return nil
	}
	var said merchant.Mode
	latest := int64(-1)
	// Index: preregistration_pkey.
	err := t.each(pinsQuery, []any{string(p.Store), string(p.ID)}, func(rows rowSet) error {
		of, _, at, err := scanPin(rows)
		if err == nil && of != merchant.Any && at > latest {
			said, latest = of, at
		}
		return err
	})
	if err == nil && said != "" && said != p.Mode {
		err = payment.ErrOtherMode
	}
	return err
}

// fillPin completes a registration that makes a new payment with what was fixed
// and registrations do not tell, and reports payment.ErrPinned if it is not as it
// was fixed.
func (t *tx) fillPin(g *payment.Registration) error {
	x, err := t.pinned(g.Store, g.ID, g.Mode)
	if err != nil {
		return err
	}
	if x.TaxFree != nil && g.TaxFree == 0 && *x.TaxFree <= g.Amount.Amount {
		g.TaxFree = *x.TaxFree
	}
	return x.Check(g.Amount, g.TaxFree)
}
