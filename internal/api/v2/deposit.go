package v2

import (
	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
)

// A depositBody is what is to be paid into a test payment's account.
type depositBody struct {
	StoreID   string `json:"storeId"`
	Amount    *int64 `json:"amount"`
	Depositor string `json:"depositor"`
	Notice    *bool  `json:"notice"`
}

// A depositAnswer says what became of a deposit.
type depositAnswer struct {
	Status    payment.State `json:"status"` // of the payment
	Amount    int64         `json:"amount"`
	Depositor string        `json:"depositor"`
	At        string        `json:"depositedAt"`
	Again     bool          `json:"again"`            // the money had come in before
	Notice    *sentNotice   `json:"notice,omitempty"` // absent: none was sent
}

// A sentNotice is the PG's notice of a deposit.
type sentNotice struct {
	ID           string `json:"id"`
	Verdict      string `json:"verdict"`
	Reason       string `json:"reason,omitempty"`
	Status       int    `json:"status"` // that the PG was answered with
	Body         string `json:"body"`
	Acknowledged bool   `json:"acknowledged"`
}

// deposit pays money into the account of a test payment, on a channel whose PG is
// played here.
func (a *API) deposit(c *call) (any, error) {
	var in depositBody
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	r := action.DepositRequest{Depositor: in.Depositor, Silent: in.Notice != nil && !*in.Notice}
	if in.Amount != nil {
		if r.Amount = *in.Amount; r.Amount <= 0 {
			return nil, fault.Errorf(fault.Invalid, "amount must be more than 0")
		}
	}
	done, err := a.Actions.Deposit(c.ctx(), caller, c.payment, r)
	if err != nil {
		return nil, noPayment(err)
	}
	out := depositAnswer{
		Status: done.Payment.State, Amount: done.Amount.Amount, Depositor: done.Depositor,
		At: at(done.At), Again: done.Again,
	}
	out.Notice = sentOf(done.Told)
	return out, nil
}

func sentOf(t action.Told) *sentNotice {
	if !t.Sent {
		return nil
	}
	return &sentNotice{
		ID: string(t.Result.ID), Verdict: string(t.Result.Verdict), Reason: string(t.Result.Reason),
		Status: t.Answer.Status, Body: string(t.Answer.Body), Acknowledged: t.Acked,
	}
}

// pgNotice has the PG of a test payment, which is played here, tell of what happens
// at its side.
func (a *API) pgNotice(c *call) (any, error) {
	var in struct {
		StoreID string `json:"storeId"`
		Event   string `json:"event"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	told, err := a.Actions.Tell(c.ctx(), caller, c.payment, payment.Event(in.Event))
	if err != nil {
		return nil, noPayment(err)
	}
	return struct {
		Status payment.State `json:"status"`
		Notice *sentNotice   `json:"notice"`
	}{told.Payment.State, sentOf(told)}, nil
}
