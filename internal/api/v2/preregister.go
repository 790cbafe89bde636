package v2

import (
	"errors"

	"github.com/tongbo/tongbo/internal/payment"
)

// preregister fixes amount and currency of a payment before it begins.
func (a *API) preregister(c *call) (any, error) {
	var in struct {
		StoreID  string `json:"storeId"`
		Total    *int64 `json:"totalAmount"`
		TaxFree  *int64 `json:"taxFreeAmount"`
		Currency string `json:"currency"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	err = a.Actions.Preregister(c.ctx(), caller, c.payment,
		payment.Pin{Amount: in.Total, TaxFree: in.TaxFree, Currency: payment.Currency(in.Currency)})
	if errors.Is(err, payment.ErrAlreadyPaid) {
		err = named{err, "ALREADY_PAID"}
	}
	return struct{}{}, err
}

// stopCancel answers who wants to withdraw a cancellation.
func (a *API) stopCancel(c *call) (any, error) {
	var in struct {
		StoreID string `json:"storeId"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	err = a.Actions.StopCancel(c.ctx(), caller, c.payment, c.part)
	switch {
	case errors.Is(err, payment.ErrNoCancellation):
		return nil, named{err, "PAYMENT_CANCELLATION_NOT_FOUND"}
	case errors.Is(err, payment.ErrNotPending):
		return nil, named{err, "PAYMENT_CANCELLATION_NOT_PENDING"}
	}
	return nil, noPayment(err)
}
