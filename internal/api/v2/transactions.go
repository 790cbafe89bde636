package v2

import (
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// A transactionAnswer is PortOne's PaymentTransaction: one attempt, with what
// it shares with its payment. The last two fields stand for those of a payment
// that it does not have, and are never set.
type transactionAnswer struct {
	paymentAnswer
	PaymentID     string        `json:"paymentId"`
	TransactionID *string       `json:"transactionId,omitempty"`
	Origin        *originAnswer `json:"origin,omitempty"`
}

// getTransactions answers with every attempt at a payment, in the order in
// which they began.
func (a *API) getTransactions(c *call) (any, error) {
	caller, err := a.target(c, c.r.URL.Query().Get("storeId"))
	if err != nil {
		return nil, err
	}
	p, err := a.Store.Payment(c.ctx(), caller.Store, c.payment, caller.Mode)
	if err != nil {
		return nil, noPayment(err)
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	items := make([]any, len(p.Transactions))
	for i := range p.Transactions {
		items[i] = v.transaction(p, i)
	}
	return listAnswer{Items: items}, nil
}

// transaction is attempt i at a payment. Of one that faces do not show as the
// payment, what came of the payment through others is left out.
func (v *view) transaction(p payment.Payment, i int) transactionAnswer {
	t := p.Transactions[i]
	one := p
	if i != p.Current {
		one.Current, one.State = i, t.State
		one.PaidAt, one.CancelledAt, one.FailedAt, one.FailureReason = t.PaidAt, time.Time{}, time.Time{}, ""
		one.StatusChangedAt = t.LastAt()
		one.Deposits, one.Cancellations, one.CashReceipt = p.DepositsOf(t.ID), nil, nil
	}
	one.RequestedAt = t.At
	out := transactionAnswer{paymentAnswer: *v.answer(one, nil), PaymentID: string(p.ID)}
	out.ID = string(t.ID)
	out.Disputes = nil
	return out
}
