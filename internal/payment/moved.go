package payment

import (
	"slices"
	"time"
)

// PaidBeside reports whether money that is here came in by another attempt than the
// one with an id.
func (p Payment) PaidBeside(id TransactionID) bool {
	return slices.ContainsFunc(p.Deposits, func(d Deposit) bool { return d.State == DepositApplied && d.Transaction != id })
}

// CancellationsOf are the cancellations that succeeded of an attempt's money. What the
// bank took back is of the attempt that it had paid; all else is of the current one.
func (p Payment) CancellationsOf(id TransactionID) (out []Cancellation) {
	current, _ := p.Transaction()
	for _, c := range p.Cancellations {
		of := current.ID
		for _, d := range p.Deposits {
			if c.Reversal && d.State == DepositReversed && d.Transaction != "" && d.ReversedAt.Equal(c.CancelledAt) && d.Amount == c.Amount {
				of = d.Transaction
			}
		}
		if c.State == CancelSucceeded && of == id {
			out = append(out, c)
		}
	}
	return out
}

// DepositsOf are the deposits that an attempt was paid by, those that the bank took
// back since included.
func (p Payment) DepositsOf(id TransactionID) (out []Deposit) {
	for _, d := range p.Deposits {
		if d.Transaction == id {
			out = append(out, d)
		}
	}
	return out
}

// LastAt is the latest time that is known of an attempt: nothing tells when one of
// several ended.
func (t Transaction) LastAt() time.Time {
	last := t.At
	if t.Account != nil && t.Account.IssuedAt.After(last) {
		last = t.Account.IssuedAt
	}
	if t.PaidAt.After(last) {
		last = t.PaidAt
	}
	return last
}
