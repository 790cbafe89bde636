package v2

import (
	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
)

// escrowElsewhere is what operations of escrow are answered.
const escrowElsewhere = "no PG here is asked about escrow after the deposit: go on in the PG's own pages"

// absent is an operation on a paid payment that nothing here can do: it checks what
// PortOne's checks, so that its errors are the listed ones, and then says why.
func (a *API) absent(why string) func(*call) (any, error) {
	return func(c *call) (any, error) {
		caller, err := a.ofStore(c)
		if err != nil {
			return nil, err
		}
		p, err := a.Store.Payment(c.ctx(), caller.Store, c.payment, caller.Mode)
		switch {
		case err != nil:
			return nil, noPayment(err)
		case p.State != payment.Paid && p.State != payment.PartiallyCancelled:
			return nil, named{fault.Errorf(fault.Conflict, "the payment is not paid"), "PAYMENT_NOT_PAID"}
		}
		return nil, fault.Errorf(fault.Unsupported, "%s", why)
	}
}

// ofStore is the store that a call is about whose body holds nothing else that
// counts.
func (a *API) ofStore(c *call) (action.Caller, error) {
	var in struct {
		StoreID string `json:"storeId"`
	}
	if err := c.body(&in); err != nil {
		return action.Caller{}, err
	}
	return a.target(c, in.StoreID)
}

// confirm answers who wants to approve a payment by hand (수동 승인). No payment
// window of ours gives out tokens, so every token is a wrong one.
func (a *API) confirm(c *call) (any, error) {
	var in struct {
		StoreID string `json:"storeId"`
		Token   string `json:"paymentToken"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if in.Token == "" {
		return nil, fault.Errorf(fault.Invalid, "paymentToken must not be empty")
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	p, err := a.Store.Payment(c.ctx(), caller.Store, c.payment, caller.Mode)
	if err != nil {
		return nil, noPayment(err)
	}
	if !p.PaidAt.IsZero() {
		return nil, named{payment.ErrAlreadyPaid, "ALREADY_PAID"}
	}
	return nil, named{fault.Errorf(fault.Invalid, "paymentToken: no payment here waits to be approved by hand"), "INVALID_PAYMENT_TOKEN"}
}
