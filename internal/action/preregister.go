package action

import (
	"context"

	"github.com/tongbo/tongbo/internal/payment"
)

// Preregister fixes amount, tax-free part and currency of a payment before it
// begins (사전 등록), as far as x names them; it may be repeated with others until
// then. It reports fault.Invalid for what cannot be right, payment.ErrAlreadyPaid,
// and payment.ErrBegun.
func (a *Actions) Preregister(ctx context.Context, c Caller, id payment.ID, x payment.Pin) error {
	if err := first(CheckPaymentID(id), checkPin(x)); err != nil {
		return err
	}
	return a.Store.Preregister(ctx, c.Store, id, c.Mode, x, now())
}

// Prepare is Preregister of what is fixed for the first time, or of what replaces
// that if again is true. Else it reports payment.ErrPinnedBefore or
// payment.ErrNotPinned; of calls at one time one alone is the first.
func (a *Actions) Prepare(ctx context.Context, c Caller, id payment.ID, x payment.Pin, again bool) error {
	if err := first(CheckPaymentID(id), checkPin(x)); err != nil {
		return err
	}
	return a.Store.Prepare(ctx, c.Store, id, c.Mode, x, again, now())
}

func checkPin(x payment.Pin) error {
	most := int64(maxAmount)
	if x.Amount != nil {
		if *x.Amount <= 0 || *x.Amount > most {
			return invalid("totalAmount is %d: it must be more than 0 and at most %d", *x.Amount, most)
		}
		most = *x.Amount
	}
	switch {
	case x.TaxFree != nil && (*x.TaxFree < 0 || *x.TaxFree > most):
		return invalid("taxFreeAmount is %d: it must be from 0 to %d", *x.TaxFree, most)
	case x.Currency != "" && !knownCurrency(x.Currency):
		return invalid("currency %q is not a code of ISO 4217, such as KRW", string(x.Currency))
	}
	return nil
}
