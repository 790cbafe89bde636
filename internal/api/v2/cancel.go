package v2

import (
	"errors"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// A cancelBody is PortOne's CancelPaymentBody, as far as Tongbo uses it.
type cancelBody struct {
	StoreID       string  `json:"storeId"`
	Amount        *int64  `json:"amount"`
	TaxFreeAmount *int64  `json:"taxFreeAmount"`
	VATAmount     *int64  `json:"vatAmount"`
	Reason        string  `json:"reason"`
	Believed      *int64  `json:"currentCancellableAmount"`
	Account       *refund `json:"refundAccount"`
	Quiet         bool    `json:"skipWebhook"`
}

type refund struct {
	Bank   string         `json:"bank"`
	Number secret.Account `json:"number"`
	Holder string         `json:"holderName"`
	Phone  string         `json:"holderPhoneNumber"`
}

// cancel gives a payment's money back, in whole or in part, and answers with the
// cancellation: SUCCEEDED if the PG booked it, REQUESTED if the PG's answer was
// lost and it is yet to be found out.
func (a *API) cancel(c *call) (any, error) {
	var in cancelBody
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	r := action.CancelRequest{IDs: c.ids, CancelRequest: payment.CancelRequest{
		Amount: in.Amount, TaxFree: in.TaxFreeAmount, VAT: in.VATAmount, Believed: in.Believed,
		Reason: in.Reason, Trigger: payment.TriggerAPI, Quiet: in.Quiet,
	}}
	if in.Account != nil {
		bank := payment.Bank(in.Account.Bank)
		if !bank.Known() {
			return nil, fault.Errorf(fault.Invalid, "refundAccount.bank %q is unknown: GET /banks lists them", in.Account.Bank)
		}
		r.Account = &provider.RefundAccount{Bank: bank, Number: in.Account.Number, Holder: in.Account.Holder, Phone: in.Account.Phone}
	}
	_, x, err := a.Actions.Cancel(c.ctx(), caller, c.payment, r)
	if err != nil {
		return nil, a.nameCancel(c, caller, err)
	}
	return struct {
		Cancellation cancellationAnswer `json:"cancellation"`
	}{cancellationOf(x)}, nil
}

// cancelTypes are the types that the operation lists for why a payment refuses
// to be cancelled.
var cancelTypes = []struct {
	err  error
	name string
}{
	{payment.ErrNotPaid, "PAYMENT_NOT_PAID"},
	{payment.ErrAllCancelled, "PAYMENT_ALREADY_CANCELLED"},
	{payment.ErrOtherRest, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN"},
	{payment.ErrCancelTooMuch, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT"},
	{payment.ErrCancelParts, "SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT"},
	{payment.ErrCancelTaxFree, "CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT"},
	{payment.ErrCancelTaxed, "CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT"},
	{payment.ErrTooManyCancels, "MAX_CANCEL_COUNT_REACHED"},
	{payment.ErrNotWaiting, "PAYMENT_NOT_WAITING_FOR_DEPOSIT"},
}

// nameCancel gives an error the type that the operation lists for it. It lists none
// for a channel that is not in use any more.
func (a *API) nameCancel(c *call, caller action.Caller, err error) error {
	for _, t := range cancelTypes {
		if errors.Is(err, t.err) {
			return named{err, t.name}
		}
	}
	if fault.Is(err, fault.NotFound) {
		if _, unseen := a.Store.Payment(c.ctx(), caller.Store, c.payment, caller.Mode); unseen == nil {
			return fault.Errorf(fault.Invalid, "%w", err)
		}
	}
	return noPayment(err)
}

// closeAccount has the PG close the account that a payment waits on.
func (a *API) closeAccount(c *call) (any, error) {
	caller, err := a.target(c, c.r.URL.Query().Get("storeId"))
	if err != nil {
		return nil, err
	}
	_, closed, err := a.Actions.Close(c.ctx(), caller, c.payment)
	if err != nil {
		return nil, a.nameCancel(c, caller, err)
	}
	return struct {
		ClosedAt string `json:"closedAt"`
	}{at(closed)}, nil
}
