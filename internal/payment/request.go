package payment

import (
	"slices"
	"time"

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
	case ask.Total-ask.TaxFree > left.Total-left.TaxFree, ask.VAT > left.VAT:
		return ask, ErrCancelTaxed
	}
	return ask, nil
}

// CancelDone ends a requested cancellation that the PG booked, by the PG's own
// answer: where a notice of a booking came first, and which of several equal
// requests it was of had to be guessed, the guess is set right. Nothing moves twice;
// merchants hear of the one that it was of, as they heard of the other.
func (p Payment) CancelDone(id string, done Cancellation, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e}
	c := d.cancellation(id)
	if c == nil {
		return Decision{}, ErrNoCancellation
	}
	c.Guessed = false
	if done.PGID != "" && c.PGID != done.PGID {
		switch other := d.booked(done.PGID); {
		case other != nil && c.State == CancelFailed:
			return d.recorded(ReasonNone), nil // it is in the payment without this
		case other != nil && other.Amount == c.Amount:
			// What was told under the PG's id was this one.
			other.PGID, c.PGID = c.PGID, other.PGID
			waits := c.State == CancelRequested
			if waits {
				other.swap(c)
			}
			c.settle(done)
			if waits {
				return d.setRight(c.ID), nil
			}
			return d.remembered(ReasonNone), nil
		case c.State == CancelSucceeded && c.PGID != "":
			// What was told, and taken for this one, was another.
			told := *c
			c.PGID, c.Told = done.PGID, false
			return d.bookedBeside(told), nil
		}
		c.PGID = done.PGID
	}
	if other := d.mistaken(c); other != nil && c.State == CancelRequested {
		other.swap(c)
		c.settle(done)
		return d.setRight(c.ID), nil
	}
	if c.State == CancelSucceeded {
		c.settle(done)
		return d.remembered(ReasonNone), nil
	}
	c.State, c.CancelledAt = CancelSucceeded, done.CancelledAt
	if c.CancelledAt.IsZero() {
		c.CancelledAt = e.Now
	}
	c.settle(done)
	return d.cancelDone(c.ID, c.CancelledAt), nil
}

// CancelRefused ends a requested cancellation that the PG did not make. If a
// notice of a booking was taken for it, that was another's. It reports
// ErrNotPending if it was refused before.
func (p Payment) CancelRefused(id string, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e}
	c := d.cancellation(id)
	switch {
	case c == nil:
		return Decision{}, ErrNoCancellation
	case c.State == CancelFailed, c.State == CancelSucceeded && !c.Guessed:
		return Decision{}, ErrNotPending
	case c.State == CancelSucceeded:
		told := *c
		c.State, c.PGID, c.Refund, c.CancelledAt, c.Guessed, c.Told = CancelFailed, "", "", time.Time{}, false, false
		return d.setRight(d.own(told)), nil
	}
	c.State = CancelFailed
	return d.remembered(ReasonNone), nil
}

// setRight tells of the cancellation that a booking is of, after it was told as
// another's. The payment stays as it is.
func (d *decider) setRight(id string) Decision {
	change := ChangePartiallyCancelled
	if d.p.State == Cancelled {
		change = ChangeCancelled
	}
	return d.applied(d.p.State, change, id)
}

// settle takes over how far the transfer of a booked cancellation is.
func (c *Cancellation) settle(done Cancellation) {
	if c.Refund == "" {
		c.Refund = done.Refund
	}
}

// swap gives a booking that was taken for c's to other, which goes on waiting for
// its own.
func (c *Cancellation) swap(other *Cancellation) {
	c.State, other.State = other.State, c.State
	c.CancelledAt, other.CancelledAt = other.CancelledAt, c.CancelledAt
	c.Refund, other.Refund = other.Refund, c.Refund
	c.Told, other.Told = other.Told, c.Told
	c.Guessed = false // it waits again
}

// booked is the cancellation with the PG's id, or nil.
func (d *decider) booked(pgID string) *Cancellation {
	for i := range d.p.Cancellations {
		if c := &d.p.Cancellations[i]; c.PGID == pgID && c.State == CancelSucceeded {
			return c
		}
	}
	return nil
}

// own gives a booking to a request of its amount that waits, else to none of ours,
// and returns the cancellation that it now is.
func (d *decider) own(told Cancellation) string {
	for i := range d.p.Cancellations {
		if c := &d.p.Cancellations[i]; c.State == CancelRequested && c.Amount == told.Amount {
			c.State, c.PGID, c.Refund, c.CancelledAt, c.Guessed = CancelSucceeded, told.PGID, told.Refund, told.CancelledAt, true
			c.Told = told.Told
			return c.ID
		}
	}
	told.ID, told.Trigger, told.Quiet, told.Unclear, told.Guessed, told.Reason = d.e.NewID(), "", false, false, false, reasonPG
	d.p.Cancellations = append(d.p.Cancellations, told)
	return told.ID
}

// bookedBeside adds a booking that had been taken for another's.
func (d *decider) bookedBeside(told Cancellation) Decision {
	return d.cancelDone(d.own(told), told.CancelledAt)
}

// cancelDone moves the payment after one more cancellation succeeded. If more is
// given back than came in, a cancellation that the PG told of as a whole held
// this one: it shrinks.
func (d *decider) cancelDone(id string, at time.Time) Decision {
	for i := range d.p.Cancellations {
		over := -d.p.Remaining().Amount
		if over <= 0 {
			break
		}
		if c := &d.p.Cancellations[i]; c.ID != id && c.Trigger == "" && !c.Reversal && c.State == CancelSucceeded {
			c.Amount.Amount -= min(over, c.Amount.Amount)
		}
	}
	d.p.CancelledAt = at
	switch left := d.p.Remaining().Amount; {
	case d.p.State == Cancelled:
		out := d.remembered(ReasonNone)
		if left < 0 {
			out.Reason, out.Listed = ReasonForAPerson, true
		}
		return out
	case left <= 0:
		d.setState(Cancelled)
		out := d.applied(Cancelled, ChangeCancelled, id)
		if left < 0 {
			out.Reason, out.Listed = ReasonForAPerson, true
		}
		return out
	}
	d.setState(PartiallyCancelled)
	return d.applied(PartiallyCancelled, ChangePartiallyCancelled, id)
}

// Quiet reports whether a transition is to be told to no endpoint: the merchant
// asked for that with the cancellation or the charge.
func (p Payment) Quiet(t Transition) bool {
	if t.Change == ChangePaid && slices.ContainsFunc(p.Transactions, func(x Transaction) bool { return x.ID == t.Transaction && x.Charge != nil && x.Charge.Quiet }) {
		return true
	}
	return t.Change != ChangeCancelPending && slices.ContainsFunc(p.Cancellations, func(c Cancellation) bool { return c.ID == t.Cancellation && c.Quiet })
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
