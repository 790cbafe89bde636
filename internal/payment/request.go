package payment

import (
	"slices"

	"github.com/tongbo/tongbo/internal/fault"
)

// Why a payment refuses to be cancelled. API V2 has a name for each.
var (
	ErrNotPaid          = fault.Errorf(fault.Conflict, "the payment is not paid: there is nothing to give back")
	ErrAllCancelled     = fault.Errorf(fault.Conflict, "the payment is cancelled already")
	ErrOtherRest        = fault.Errorf(fault.Conflict, "what can still be cancelled is not what the request believes: read the payment again")
	ErrCancelTooMuch    = fault.Errorf(fault.Conflict, "the amount is more than can still be cancelled")
	ErrCancelParts      = fault.Errorf(fault.Conflict, "taxFreeAmount and vatAmount are together more than the amount")
	ErrCancelTaxFree    = fault.Errorf(fault.Conflict, "taxFreeAmount is more than can still be cancelled free of tax")
	ErrCancelTaxed      = fault.Errorf(fault.Conflict, "the taxed part of the amount is more than can still be cancelled of it: name a taxFreeAmount")
	ErrTooManyCancels   = fault.Errorf(fault.Conflict, "the payment has had %d cancellations, and takes no more", MaxCancellations)
	ErrNoCancellation   = fault.Errorf(fault.NotFound, "the payment has no such cancellation")
	ErrNotPending       = fault.Errorf(fault.Conflict, "the cancellation is not pending")
	ErrNotWaiting       = fault.Errorf(fault.Conflict, "the payment does not wait for a deposit")
	ErrAlreadyPaid      = fault.Errorf(fault.Conflict, "the payment is paid already")
	errNoSuchAttempt    = fault.Errorf(fault.NotFound, "the payment has no such attempt")
	errNothingRequested = fault.Errorf(fault.Invalid, "the amount must be more than 0")
)

// MaxCancellations is how many cancellations one payment may have. Each is read
// whenever a notice speaks of the payment.
const MaxCancellations = 100

// A CancelRequest (취소 요청) is what a merchant asks to give back. Amounts are in
// minor units of the payment's currency; those that are nil follow from the rest.
type CancelRequest struct {
	Amount   *int64 // nil: all that is left
	TaxFree  *int64 // nil: none, or all that is left with a nil Amount
	VAT      *int64
	Believed *int64 // what the merchant believes can still be cancelled; nil: not asked
	Reason   string
	Trigger  Trigger
	Quiet    bool
}

// Parts are an amount and what of it is free of tax or VAT, in minor units.
type Parts struct{ Total, TaxFree, VAT int64 }

// Parts are the payment's amount with its parts.
func (p Payment) Parts() Parts {
	out := Parts{Total: p.paidAmount(), TaxFree: min(p.TaxFree, p.paidAmount())}
	out.VAT = (out.Total - out.TaxFree) / 11
	if p.VAT != nil {
		out.VAT = *p.VAT
	}
	return out
}

// Cancellable is what a merchant may still ask to give back: what is left after
// the cancellations that succeeded and those that may yet.
func (p Payment) Cancellable() Parts {
	out := p.Parts()
	for _, c := range p.Cancellations {
		if c.State != CancelFailed {
			out.Total -= c.Amount.Amount
			out.TaxFree -= c.TaxFree
			out.VAT -= c.vat()
		}
	}
	// A PG's own cancellation tells no parts.
	out.TaxFree = max(0, min(out.TaxFree, out.Total))
	out.VAT = max(0, min(out.VAT, out.Total-out.TaxFree))
	return out
}

func (c Cancellation) vat() int64 {
	if c.VAT != nil {
		return *c.VAT
	}
	return (c.Amount.Amount - c.TaxFree) / 11
}

// RequestCancel adds a cancellation that the PG is to be asked for. It reports
// one of the errors above if the money rules forbid it, and changes nothing
// else: a cancellation moves the payment when it ends.
func (p Payment) RequestCancel(r CancelRequest, e Env) (Payment, Cancellation, error) {
	left := p.Cancellable()
	switch {
	case p.State == Cancelled:
		return p, Cancellation{}, ErrAllCancelled
	case p.State != Paid && p.State != PartiallyCancelled:
		return p, Cancellation{}, ErrNotPaid
	case len(p.Cancellations) >= MaxCancellations:
		return p, Cancellation{}, ErrTooManyCancels
	case r.Believed != nil && *r.Believed != left.Total:
		return p, Cancellation{}, ErrOtherRest
	}
	ask, err := r.parts(left)
	if err != nil {
		return p, Cancellation{}, err
	}
	c := Cancellation{
		ID: e.NewID(), State: CancelRequested, Amount: Money{ask.Total, p.Amount.Currency}, TaxFree: ask.TaxFree, VAT: &ask.VAT,
		Reason: r.Reason, Trigger: r.Trigger, Quiet: r.Quiet, RequestedAt: e.Now,
	}
	p = p.clone()
	p.Cancellations = append(p.Cancellations, c)
	p.UpdatedAt = e.Now
	return p, c, nil
}

// parts fills in what the request leaves open, and checks it against what is
// left.
func (r CancelRequest) parts(left Parts) (Parts, error) {
	ask := Parts{Total: left.Total}
	if r.Amount != nil {
		ask.Total = *r.Amount
	}
	whole := ask.Total == left.Total
	switch {
	case r.TaxFree != nil:
		ask.TaxFree = *r.TaxFree
	case r.Amount == nil:
		ask.TaxFree = left.TaxFree
	}
	switch {
	case r.VAT != nil:
		ask.VAT = *r.VAT
	case whole && ask.TaxFree == left.TaxFree:
		ask.VAT = left.VAT
	default:
		ask.VAT = min((ask.Total-ask.TaxFree)/11, left.VAT)
	}
	switch {
	case ask.Total <= 0 || ask.TaxFree < 0 || ask.VAT < 0:
		if r.Amount == nil && left.Total <= 0 {
			return ask, ErrCancelTooMuch // all that is left is on its way
		}
		return ask, errNothingRequested
	case ask.Total > left.Total:
		return ask, ErrCancelTooMuch
	case ask.TaxFree > ask.Total || ask.VAT > ask.Total-ask.TaxFree:
		return ask, ErrCancelParts
	case ask.TaxFree > left.TaxFree:
		return ask, ErrCancelTaxFree
	case ask.Total-ask.TaxFree > left.Total-left.TaxFree:
		return ask, ErrCancelTaxed
	}
	return ask, nil
}

// CancelDone ends a requested cancellation that the PG booked. One that the PG
// told us of in the meantime is only completed: nothing moves twice.
func (p Payment) CancelDone(id string, done Cancellation, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e}
	c := d.cancellation(id)
	if c == nil {
		return Decision{}, ErrNoCancellation
	}
	if c.PGID == "" {
		c.PGID = done.PGID
	}
	if c.Refund == "" {
		c.Refund = done.Refund
	}
	if c.State == CancelSucceeded {
		return d.remembered(ReasonNone), nil
	}
	c.State, c.CancelledAt = CancelSucceeded, done.CancelledAt
	if c.CancelledAt.IsZero() {
		c.CancelledAt = e.Now
	}
	d.p.CancelledAt = c.CancelledAt
	if d.p.Remaining().Amount == 0 {
		d.setState(Cancelled)
		return d.applied(Cancelled, ChangeCancelled, c.ID), nil
	}
	d.setState(PartiallyCancelled)
	return d.applied(PartiallyCancelled, ChangePartiallyCancelled, c.ID), nil
}

// CancelRefused ends a requested cancellation that the PG did not make. It
// reports ErrNotPending if it has ended otherwise.
func (p Payment) CancelRefused(id string, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e}
	c := d.cancellation(id)
	switch {
	case c == nil:
		return Decision{}, ErrNoCancellation
	case c.State != CancelRequested:
		return Decision{}, ErrNotPending
	}
	c.State = CancelFailed
	return d.remembered(ReasonNone), nil
}

// CancelUnclear notes that the PG's answer to a requested cancellation was lost:
// merchants hear once that it is pending.
func (p Payment) CancelUnclear(id string, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e}
	c := d.cancellation(id)
	switch {
	case c == nil:
		return Decision{}, ErrNoCancellation
	case c.State != CancelRequested || c.Unclear:
		return d.recorded(ReasonNone), nil
	}
	c.Unclear = true
	return d.applied(d.p.State, ChangeCancelPending, c.ID), nil
}

func (d *decider) cancellation(id string) *Cancellation {
	i := slices.IndexFunc(d.p.Cancellations, func(c Cancellation) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &d.p.Cancellations[i]
}
