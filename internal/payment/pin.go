package payment

import "github.com/tongbo/tongbo/internal/fault"

// A Pin (사전 등록) is what a merchant fixed of a payment before it began, in minor
// units. What is nil or empty is left open.
type Pin struct {
	Amount   *int64
	TaxFree  *int64 // of the amount
	Currency Currency
}

// Why a payment disagrees with a pre-registration.
var (
	ErrPinned       = fault.Errorf(fault.Conflict, "the payment was pre-registered with another amount, tax-free amount or currency")
	ErrPinnedBefore = fault.Errorf(fault.Conflict, "the payment was pre-registered before")
	ErrNotPinned    = fault.Errorf(fault.NotFound, "the payment was not pre-registered")
	ErrBegun        = fault.Errorf(fault.Invalid, "the payment has begun with another amount, tax-free amount or currency: it cannot be pre-registered any more")
)

// Check reports ErrPinned unless a payment of the amount, with that tax-free part
// of it, is as it was fixed.
func (x Pin) Check(m Money, taxFree int64) error {
	switch {
	case x.Amount != nil && *x.Amount != m.Amount,
		x.TaxFree != nil && *x.TaxFree != taxFree,
		x.Currency != "" && x.Currency != m.Currency:
		return ErrPinned
	}
	return nil
}

// Preregister reports whether a pin is to be kept for a payment (known; nil if
// none has begun). Whatever comes first pins: of a payment that has begun nothing
// changes any more, so the same again is accepted, and anything else is ErrBegun,
// or ErrAlreadyPaid. Where no more has happened than that windows were opened, nothing
// has begun: then the payment becomes as the pin says, see Pin.Over.
func Preregister(known *Payment, x Pin) (keep bool, err error) {
	switch {
	case known == nil, known.OnlyOpened():
		return true, nil
	case known.State == Paid, known.State == PartiallyCancelled, known.State == Cancelled:
		return false, ErrAlreadyPaid
	case x.Check(known.Amount, known.TaxFree) != nil:
		return false, ErrBegun
	}
	return false, nil
}

// Over is a payment for which windows alone were opened, as it is once it was
// pre-registered, and whether that changes it.
func (x Pin) Over(p Payment) (out Payment, changed bool) {
	if !p.OnlyOpened() || x.Check(p.Amount, p.TaxFree) == nil {
		return p, false
	}
	p = p.clone()
	if x.Amount != nil {
		p.Amount.Amount = *x.Amount
	}
	if x.TaxFree != nil {
		p.TaxFree = *x.TaxFree
	}
	if x.Currency != "" {
		p.Amount.Currency = x.Currency
	}
	if p.TaxFree > p.Amount.Amount {
		p.TaxFree = 0
	}
	if p.VAT != nil && *p.VAT > p.Amount.Amount-p.TaxFree {
		p.VAT = nil
	}
	return p, true
}
